"""Every migration up, down and up, with rows: nothing is lost, nothing is changed twice."""

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import OWN_MIGRATIONS
from hotel.migrator.tests import rows
from hotel.migrator.tests.facts import differences, facts
from hotel.tests import stress

few = settings(
    max_examples=stress.ROUNDS or 1,  # make stress asks for more
    deadline=None,
    derandomize=not stress.ROUNDS,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # an example costs seconds, so none is shrunk
    suppress_health_check=list(HealthCheck),
)


# make stress goes both ways with each migration; the suite with every other one each.
both = stress.ROUNDS


@pytest.mark.stressed
@pytest.mark.parametrize("key", OWN_MIGRATIONS if both else OWN_MIGRATIONS[::2], ids=".".join)
@few
@given(data=st.data())
def test_rows_from_before_go_up_and_down_and_up(history, key, data):
    history.before(key)
    rows.insert(history, data.draw)
    before = facts(history)
    after = facts(history.step(key))
    assert differences(facts(history.step_back(key)), before) == {}
    assert differences(facts(history.step(key)), after) == {}


@pytest.mark.stressed
@pytest.mark.parametrize("key", OWN_MIGRATIONS if both else OWN_MIGRATIONS[1::2], ids=".".join)
@few
@given(data=st.data())
def test_rows_born_after_it_go_down_and_up(history, key, data):
    history.at(key)
    rows.insert(history, data.draw)
    after = facts(history)
    history.step_back(key)
    assert differences(facts(history.step(key)), after) == {}
