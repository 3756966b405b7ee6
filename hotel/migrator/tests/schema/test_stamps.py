"""``manage.py db stamp``: all that it would record, or nothing, and looked at before."""

import pytest
from django.db import DatabaseError, connection

from hotel.migrator.tests.commands import at, db, refused
from hotel.migrator.tests.projects import killed


def journal(history):
    if "migrator_journal" not in connection.introspection.table_names():
        return []
    return history.execute("SELECT name, direction, event FROM migrator_journal ORDER BY id")


ALL = ["annexe.0001", "annexe.0002", "bar.0001", "bar.0002"]


def test_a_kill_at_any_moment_records_all_or_nothing(apps, history):
    number, ends = 1, []
    while killed(number, lambda: db("stamp", "bar.0002", "--force")):
        ends.append((at(), journal(history)))
        assert ends[-1] == ([], [])
        number += 1
    assert at() == ALL
    assert [event for _, _, event in journal(history)] == ["started", "finished"] * 4
    assert number > 8


def test_a_failure_in_the_middle_records_nothing(apps, history):
    db("stamp", "base")
    refuse = "RAISE EXCEPTION 'not this one'"
    if connection.vendor == "postgresql":
        history.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {refuse}; END $$"
        )
        history.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON django_migrations FOR EACH ROW"
            " WHEN (NEW.app = 'bar') EXECUTE FUNCTION refuse()"
        )
    else:
        history.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON django_migrations WHEN NEW.app = 'bar'"
            " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    before = journal(history)
    with pytest.raises(DatabaseError, match="not this one"):
        db("stamp", "annexe", "bar.0001", "--force")
    assert (at(), journal(history)) == ([], before)


CONTRADICTIONS = {
    ("heads", "base"): (
        "'base' says that nothing is applied, and 'heads' that everything is: name one or the"
        " other."
    ),
    ("annexe.0001", "annexe.0003"): (
        "'annexe.0001' says that annexe.0002_add_desks is not applied, and another of these places"
        " needs it: name one or the other."
    ),
    ("annexe.0001", "bar.0002"): (
        "'annexe.0001' says that annexe.0002_add_desks is not applied, and another of these places"
        " needs it: name one or the other."
    ),
    ("annexe@base", "heads"): (
        "'annexe@base' says that annexe.0001_initial is not applied, and another of these places"
        " needs it: name one or the other."
    ),
    ("annexe.0001", "heads"): (
        "'annexe.0001' says that annexe.0002_add_desks is not applied, and another of these places"
        " needs it: name one or the other."
    ),
}


@pytest.mark.parametrize("targets", CONTRADICTIONS)
def test_places_that_cannot_both_be_true_are_refused(apps, history, targets):
    for more in ([], ["--force"], ["--plan"], ["--force", "--plan"]):
        assert refused("stamp", *targets, *more) == (CONTRADICTIONS[targets], 2)
        assert refused("stamp", *targets[::-1], *more) == (CONTRADICTIONS[targets], 2)
    assert (at(), journal(history)) == ([], [])


def test_what_is_known_by_no_or_by_two_names_is_refused_before_anything(apps, history):
    for targets in (["annexe.0001", "annexe.0009"], ["annexe.0001", "bar.000"]):
        assert refused("stamp", *targets, "--force")[1] == 2
    assert (at(), journal(history)) == ([], [])


def test_nothing_is_recorded_without_what_it_needs(apps, history):
    db("stamp", "bar.0002", "--force")
    history.execute("DELETE FROM django_migrations WHERE app = 'bar' AND name = '0001_initial'")
    before = at(), journal(history)
    for more in ([], ["--force"], ["--plan"], ["--force", "--plan"]):
        assert refused("stamp", "annexe.0003", *more) == (
            "bar.0002_add_bottles would be recorded without bar.0001_initial, which it needs."
            " Nothing was recorded: add bar.0002_add_bottles to the command, and what that needs is"
            " recorded too.",
            2,
        )
    assert (at(), journal(history)) == before
    assert db("stamp", "annexe.0003", "bar.0002", "--force") == (
        "recorded: annexe.0003_add_lamps\nrecorded: bar.0001_initial\n"
    )


@pytest.mark.parametrize(
    "targets",
    [["annexe"], ["bar.0002"], ["heads"], ["base"], ["base", "annexe.0001"], ["bar@base"]],
    ids=" ".join,
)
def test_a_plan_says_what_is_done_then(apps, history, targets):
    db("stamp", "annexe.0002", "bar.0001", "--force")
    planned = db("stamp", *targets, "--force", "--plan")
    assert at() == ["annexe.0001", "annexe.0002", "bar.0001"]
    assert db("stamp", *targets, "--force") == planned
