"""What does more in ``make stress`` is run by it."""

import re

import pytest

from hotel.tests import PROJECT

FOLDERS = ("hotel", "accounts", "rooms", "reservations", "payments")


@pytest.mark.once
def test_a_module_that_does_more_under_stress_marks_what_does():
    asks = re.compile(r"\bstress\.[A-Z]|\b(EVERY|THOROUGH)\b")
    marks = re.compile(
        r"@(pytest\.mark\.stressed|stress\.whole|stress\.only_whole)\b|pytestmark.*stressed"
    )
    texts = {
        path.relative_to(PROJECT): path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in (PROJECT / folder).rglob("test_*.py")
    }
    asking = {path for path, text in texts.items() if asks.search(text)}
    marking = {path for path, text in texts.items() if marks.search(text)}
    assert len(asking) > 20
    assert asking - marking == set()
