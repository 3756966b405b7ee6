"""Every migration, up and down and up again, with rows: nothing is lost, nothing is changed twice."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import OWN_MIGRATIONS
from hotel.migrator.tests import rows

few = settings(
    max_examples=int(__import__("os").environ.get("ROUND_TRIPS", 3)),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def previous(key):
    """Return the target that unapplies ``key`` alone, when it was the last that ran."""
    app, name = key
    names = [other for label, other in OWN_MIGRATIONS if label == app and other < name]
    return app, names[-1] if names else "zero"


def facts(history):
    return history.dump(), history.catalog()


@pytest.mark.parametrize("key", OWN_MIGRATIONS, ids=".".join)
@few
@given(data=st.data())
def test_rows_from_before_go_up_and_down_and_up(history, key, data):
    history.before(key)
    rows.insert(history, data.draw)
    before = facts(history)
    after = facts(history.migrate(*key))
    assert facts(history.migrate(*previous(key))) == before
    assert facts(history.migrate(*key)) == after


@pytest.mark.parametrize("key", OWN_MIGRATIONS, ids=".".join)
@few
@given(data=st.data())
def test_rows_born_after_it_go_down_and_up(history, key, data):
    history.at(key)
    rows.insert(history, data.draw)
    after = facts(history)
    history.migrate(*previous(key))
    assert facts(history.migrate(*key)) == after
