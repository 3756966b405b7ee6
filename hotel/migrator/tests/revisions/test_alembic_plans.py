"""On a line of migrations the answer is Alembic's; data/record_alembic_plans.py asked it."""

import json
from pathlib import Path

import pytest

from hotel.migrator.exceptions import WrongUse
from hotel.migrator.tests.graphs import drawn

pytestmark = pytest.mark.once

ALEMBIC = json.loads((Path(__file__).parents[1] / "data" / "alembic_plans.json").read_text())

DIFFERENT = {
    # "upgrade base" is silently nothing there; here a word that leads down is refused going up.
    ("upgrade", 0, "base"): "leads down, and upgrade never unapplies",
    ("upgrade", 2, "base"): "leads down, and upgrade never unapplies",
    # There a start such as -1 counts from the heads, whatever is applied.
    ("history", 2, "-1:current"): ["0002_b", "0001_a"],
    ("history", 2, "-3:current"): "Relative revision -3 didn't produce 3 migrations",
}

REWORDED = {
    # Signs that do not fit the verb, and no number at all: said as such.
    ("upgrade", "-1"): "'-1' leads down, and upgrade never unapplies",
    ("upgrade", "+0"): "'+0' is not a number of steps",
    ("downgrade", "-0"): "'-0' is not a number of steps",
    ("downgrade", "+1"): "'+1' is not a target of downgrade, which never applies",
    # Alembic takes three letters for a whole name.
    ("upgrade", "000"): "'000' is not one revision but 4",
    ("downgrade", "000"): "'000' is not one revision but 4",
    # It calls steps from a revision past either end "Walked too far", or fails an assertion.
    ("upgrade", "0002+3"): "Relative revision +3 didn't produce 3 migrations",
    ("upgrade", "0004_d+1"): "Relative revision +1 didn't produce 1 migrations",
    ("upgrade", "0001-1"): "'0001-1' leads down, and upgrade never unapplies",
    ("downgrade", "0001-2"): "Relative revision -2 didn't produce 2 migrations",
    # "Destination … is not a valid downgrade target from current head(s)": here it says what is.
    ("downgrade", "0001_a"): "'0001_a' is not a valid downgrade target",
    ("downgrade", "0003_c"): "'0003_c' is not a valid downgrade target",
    ("downgrade", "head"): "'head' is not a valid downgrade target",
}

LINE = drawn(" > ".join(f"line.{name}" for name in ALEMBIC["history"]), own="line")
CASES = {
    (case["verb"], case["applied"], case["target"]): case.get("steps", case.get("refused"))
    for case in ALEMBIC["cases"]
}


def ours(verb, applied, target):
    """Return the names that a verb plans or lists, or why not."""
    run = list(LINE.order[:applied])
    try:
        if verb == "upgrade":
            found = LINE.upgrade([target], run).steps
        elif verb == "downgrade":
            found = LINE.downgrade(target, run).steps
        else:
            found = LINE.range(target, run)
    except WrongUse as error:
        return str(error)
    return [name for _, name in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(map(str, case)))
def test_on_a_line_the_answer_is_alembics(case):
    verb, _, target = case
    theirs, found = CASES[case], ours(*case)
    if isinstance(theirs, str):
        theirs = REWORDED.get((verb, target), theirs)
    expected = DIFFERENT.get(case, theirs)
    if isinstance(expected, str):
        assert isinstance(found, str)
        assert expected in found
    else:
        assert found == expected


def test_every_difference_to_alembic_is_one_that_was_recorded():
    assert {*DIFFERENT} <= {*CASES}
    assert {(verb, target) for verb, _, target in CASES} >= {*REWORDED}
    for case, expected in DIFFERENT.items():
        assert CASES[case] != expected
