"""``kill -9`` anywhere in ``db adopt``: it is legacy or adopted, and the next one finishes."""

import os
import random
import select
import signal
import time
import traceback

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.running.interruptions import half_done
from hotel.migrator.storage.tables import Adoption, exists
from hotel.migrator.tests.adopt.adoptions import adopt, dump
from hotel.migrator.tests.legacy_shapes import SHAPES, build, fill
from hotel.migrator.tests.projects import killed
from hotel.tests import stress

KILLS = stress.KILLS or 2  # 50 in make stress, of which 30 are inside the copy
COPIES = "INSERT INTO"
TIMES = 20 if stress.KILLS else 4  # how often the sample's stays are there: 300 each
SEED = random.Random(os.environ.get("SEED", "hotel"))


@pytest.fixture(scope="module")
def undisturbed():
    """What a run that nobody kills ends with, and what it takes, by shape."""
    return {}


def prepared(history, shape):
    history.at(None)
    build(shape)
    fill(TIMES)


def copying(connection, began):
    """Return a wrapper of statements that writes into a pipe when the first row is copied."""

    def look(execute, sql, *arguments):
        if sql.startswith(COPIES) and " AS came" in sql:
            began(sql)
        return execute(sql, *arguments)

    return connection.execute_wrapper(look)


def measured(history, shape, undisturbed):
    """Run it once undisturbed, and note changes, seconds of the copy, and the end."""
    if shape in undisturbed:
        return undisturbed[shape]
    prepared(history, shape)
    before = dump()
    changes, starts = [0], []

    def look(execute, sql, *arguments):
        changes[0] += not sql.lstrip().startswith(("SELECT", "PRAGMA", "BEGIN", "SAVEPOINT"))
        return execute(sql, *arguments)

    with (
        connection.execute_wrapper(look),
        copying(connection, lambda _: starts.append(time.monotonic())),
    ):
        adopt()
    undisturbed[shape] = before, dump(), changes[0], starts[-1] - starts[0]
    return undisturbed[shape]


def killed_while_copying(delay):
    """Adopt in a process that is killed (-9) so many seconds after the first row was copied."""
    connection.close()
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(reads)
            with copying(connection, lambda _: os.write(writes, b"!")):
                adopt()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writes)
    assert os.read(reads, 1) == b"!"
    select.select([], [], [], delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reads)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)


@pytest.mark.stressed
@pytest.mark.parametrize("number", range(KILLS))
def test_killed_anywhere_it_is_legacy_or_adopted_and_the_next_one_finishes(
    history, undisturbed, number, record_property
):
    shape = SHAPES[number % len(SHAPES)] if KILLS > 2 else "O2"
    before, after, changes, seconds = measured(history, shape, undisturbed)
    prepared(history, shape)
    if number % 5 < 3:
        delay = SEED.uniform(0, seconds)
        killed_while_copying(delay)
        moment = f"{delay * 1000:.0f} ms after the copy of {shape} began"
    else:
        change = SEED.randint(1, changes)
        killed(change, adopt)
        moment = f"before change {change} of {changes} of {shape}"
    is_adopted = exists(connection, Adoption) and Adoption.objects.exists()
    record_property("killed", f"{moment}: {'adopted' if is_adopted else 'legacy'}")
    assert dump() == (after if is_adopted else before)
    assert adopt()["did"] == ("nothing" if is_adopted else "adopted")
    assert dump() == after
    assert half_done(connection, MigrationLoader(connection)) == []
    adopt("--undo")
    assert dump() == before
