"""``kill -9`` anywhere on the way from the initial state to head: the next run ends the same."""

import os
import random

import pytest
from django.db import connection
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader

from conftest import GRAPH, INITIAL, OWN_MIGRATIONS, PLAN
from hotel.migrator.running.interruptions import half_done
from hotel.migrator.tests.facts import differences, facts
from hotel.migrator.tests.projects import killed
from hotel.tests import stress

KILLS = stress.KILLS  # 50 in make stress; the suite kills smaller histories
AFTER_INITIAL = [key for key in OWN_MIGRATIONS if PLAN.index(key) > PLAN.index(INITIAL)]
DATA = [
    key
    for key in AFTER_INITIAL
    if any(isinstance(operation, RunPython) for operation in GRAPH.nodes[key].operations)
]
INSERTED = (
    *("users_groups", "room_blocks", "room_events", "reservation_events", "payment_events"),
    "deposit_movements",
)
SEED = random.Random(os.environ.get("SEED", "hotel"))
# Every data migration comes first, then any.
MOMENTS = [
    *SEED.sample(DATA, min(KILLS, len(DATA))),
    *SEED.choices(AFTER_INITIAL, k=max(0, KILLS - len(DATA))),
]


@pytest.fixture(scope="module")
def undisturbed():
    """What a run that nobody kills ends with; computed by the first test."""
    return {}


def without_clocks(found):
    """Leave out when the rows were made that migrations make: it is the time of the run."""
    made = {("room_blocks", "created_at"), ("room_events", "at")}  # the events of these blocks
    return {fact: value for fact, value in found.items() if (fact[0], fact[-1]) not in made}


def comparable(found):
    """Return facts that are the same after every run, killed or not.

    Rows that migrations insert are numbered anew: PostgreSQL gives no number twice, not even one
    of a row that a kill undid. Nothing refers to these rows.
    """
    if connection.vendor == "postgresql":
        keys = {table: set() for table in INSERTED}
        for table, key, *_ in found:
            if table in keys:
                keys[table].add(key)
        places = {
            (table, key): place
            for table, of_table in keys.items()
            for place, key in enumerate(sorted(of_table, key=int))
        }
        found = {
            (fact[0], places[fact[:2]], fact[2]) if fact[:2] in places else fact: value
            for fact, value in found.items()
            if not (fact[:2] in places and fact[2] == "id")
        }
    return without_clocks(found)


@pytest.mark.stressed
@pytest.mark.parametrize(
    "number, key",
    [*enumerate(MOMENTS)],
    ids=lambda part: part if isinstance(part, int) else ".".join(part),
)
def test_killed_anywhere_the_next_run_ends_as_if_it_had_not_been(
    history, undisturbed, number, key, record_property
):
    if not undisturbed:
        history.initial().load_sample()
        undisturbed.update(comparable(facts(history.migrate())))
    history.initial().load_sample()
    for step in PLAN[PLAN.index(INITIAL) + 1 : PLAN.index(key)]:
        history.step(step)
    # Before one of the changes of this migration; how many it makes depends on the engine.
    chance = random.Random(f"{number} {key}")
    moment = chance.randint(2, 80)
    while not killed(moment, lambda: history.migrate(*key)):
        history.step_back(key)
        moment = chance.randint(1, moment - 1)
    record_property("killed", f"{'.'.join(key)}, before its change {moment}")
    history.migrate()
    assert differences(comparable(facts(history)), undisturbed) == {}
    assert half_done(connection, MigrationLoader(connection)) == []
