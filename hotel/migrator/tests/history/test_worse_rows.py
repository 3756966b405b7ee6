"""Rows worse than any that were found, through the whole history and back."""

from conftest import OWN_MIGRATIONS
from hotel.migrator.tests.facts import differences, facts
from hotel.migrator.tests.worse_rows import FIRST_DATA_STEP, write


def test_they_go_to_head_and_back_and_up_again(history):
    history.before(FIRST_DATA_STEP)
    write(history)
    before = facts(history)
    at_head = facts(history.climb())
    for key in reversed(OWN_MIGRATIONS[OWN_MIGRATIONS.index(FIRST_DATA_STEP) :]):
        history.step_back(key)
    assert differences(facts(history), before) == {}
    assert differences(facts(history.climb()), at_head) == {}
