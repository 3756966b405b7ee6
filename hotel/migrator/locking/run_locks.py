"""One run at a time: whoever changes the schema of a database holds its lock.

So each migration runs once, however many processes start at once. Who waits does so for
``MIGRATOR_WAIT`` seconds at most, and says for whom.
"""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.exceptions import LockNotGot
from hotel.migrator.locking import sessions
from hotel.migrator.locking.lock_base import InterruptedBefore, Lock
from hotel.migrator.locking.lock_file import FileLock
from hotel.migrator.locking.session_lock import SessionLock

logger = logging.getLogger(__name__)

POLL = 0.1  # seconds
CHANCE = random.SystemRandom()  # so that not all ask at once

_held: WeakKeyDictionary[BaseDatabaseWrapper, Lock] = WeakKeyDictionary()


@contextmanager
def run_lock(
    connection: BaseDatabaseWrapper, wait: float | None = None, *, only_look: bool = False
) -> Iterator[Lock]:
    """Hold the lock on changing the schema of ``connection``'s database.

    wait: seconds; ``MIGRATOR_WAIT`` if not said. It is free again when its holder ends, however
    that comes about. only_look: where this user may not write, it is enough that nobody holds it.
    Raises LockNotGot, naming who holds it, when the time is over.
    """
    with sessions.settled(connection):
        lock, outer = _lock(connection, only_look=only_look), held(connection)
        try:
            _take(lock, settings.MIGRATOR_WAIT if wait is None else wait)
            _held[sessions.itself(connection)] = lock
            sessions.refuse_unfit(connection, writes=not only_look)
            yield lock
        finally:
            if outer:
                _held[sessions.itself(connection)] = outer
            else:
                _held.pop(sessions.itself(connection), None)
            lock.release()


def held(connection: BaseDatabaseWrapper) -> Lock | None:
    """Return the lock under which ``connection`` runs, or None."""
    return _held.get(sessions.itself(connection))


def check_lock(connection: BaseDatabaseWrapper) -> None:
    """Raise FailedDuringApply if ``connection`` runs under a lock that it has lost meanwhile."""
    if lock := held(connection):
        lock.check()


def holder(connection: BaseDatabaseWrapper) -> str:
    """Return who holds the lock now, in words, or "" for nobody."""
    lock = _lock(connection)
    try:
        return lock.holder() if lock.is_held() else ""
    finally:
        lock.release()


def _lock(connection: BaseDatabaseWrapper, *, only_look: bool = False) -> Lock:
    if connection.vendor == "postgresql":
        return SessionLock(connection, only_look=only_look)
    if connection.is_in_memory_db():  # type: ignore[attr-defined]  # of SQLite
        return Lock(only_look=only_look)
    return FileLock(connection, only_look=only_look)


def _take(lock: Lock, wait: float) -> None:
    """Take the lock. Raises InterruptedBefore."""
    try:
        _wait(lock, wait)
    except KeyboardInterrupt as stop:
        raise InterruptedBefore from stop


def _wait(lock: Lock, wait: float) -> None:
    """Try until the lock is taken; say once who has it. Raises LockNotGot when the time is over."""
    deadline, said = time.monotonic() + wait, False
    while not lock.try_once():
        who = lock.holder()
        if time.monotonic() >= deadline:
            raise LockNotGot(
                f"This database is being migrated by {who or 'another process'}, and was for the"
                f" {wait:g} seconds that this one waited (MIGRATOR_WAIT). Nothing was changed: run"
                " the same command again when the other has ended."
            )
        if who and not said:
            logger.info("Waiting: this database is being migrated by %s.", who)
            said = True
        time.sleep(POLL * CHANCE.uniform(0.5, 1.5))
