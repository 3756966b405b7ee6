"""No long wait of anybody behind a lock that a migration asks for.

On PostgreSQL a statement that waits for a lock lets everybody wait who comes after it, readers too.
So it gives up after ``MIGRATOR_LOCK_TIMEOUT`` milliseconds and is tried again, for
``MIGRATOR_WAIT`` seconds at most.
"""

import logging
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.exceptions import FailedDuringApply
from hotel.migrator.locking import sessions
from hotel.migrator.messages import complaints
from hotel.migrator.messages.masking import without_values

logger = logging.getLogger(__name__)

TOLD = 5  # seconds: how often one who waits says so
CHANCE = random.SystemRandom()
SHOWN = 200  # characters of somebody else's statement

Result = TypeVar("Result")


@contextmanager
def short_lock_timeout(
    connection: BaseDatabaseWrapper, milliseconds: int | None = None
) -> Iterator[None]:
    """Let no statement of ``connection`` wait longer for a lock (PostgreSQL); 0 is for ever."""
    if connection.vendor != "postgresql":
        yield
        return
    wanted = settings.MIGRATOR_LOCK_TIMEOUT if milliseconds is None else milliseconds
    with sessions.holding(connection, lock_timeout=f"{wanted}ms"):
        yield


class Patience:
    """Tries something again for as long as the locks of others stand in its way."""

    def __init__(self, connection: BaseDatabaseWrapper, wait: float | None = None) -> None:
        self.connection = connection
        self.wait: float = settings.MIGRATOR_WAIT if wait is None else wait

    def __call__(self, name: str, work: Callable[[], Result]) -> Result:
        """Return ``work()``, which changes nothing when a lock stops it; ``name`` is for messages.

        Between tries come pauses of random and growing length, up to a second. Says for whom it
        waits, each once, and every few seconds how often it has tried. Raises FailedDuringApply,
        naming whom it waited for, when the time is over.
        """
        began = told = time.monotonic()
        deadline, pause, tries = began + self.wait, 0.025, 0
        watcher: _Watcher | None = None
        while True:
            tries += 1
            try:
                return work()
            except OperationalError as error:
                if not stopped_by_a_lock(error):
                    raise
                if time.monotonic() >= deadline:
                    raise FailedDuringApply(self._who_was_it(name, watcher)) from error
            finally:
                if watcher:
                    watcher.end()
            if watcher:
                watcher.say_once(name)
                if time.monotonic() - told > TOLD:
                    told = time.monotonic()
                    watcher.say_how_often(name, tries, told - began)
            elif self.connection.vendor == "postgresql":
                watcher = _Watcher(self.connection)
            time.sleep(pause * CHANCE.uniform(0.5, 1.5))
            pause = min(pause * 1.5, 1)
            if watcher:
                watcher.begin()

    def _who_was_it(self, name: str, watcher: "_Watcher | None") -> str:
        who = watcher.blocker if watcher and watcher.blocker else "another session"
        mend = (
            f"end that session (SELECT pg_terminate_backend({watcher.pid})), or "
            if (watcher and watcher.pid)
            else ""
        )
        return (
            f"{name} found what it changes locked for {self.wait:g} seconds (MIGRATOR_WAIT), last"
            f" by {who}. It changed nothing: {mend}run the same command again when that one has"
            " ended."
        )


def stopped_by_a_lock(error: DatabaseError) -> bool:
    """Tell whether a database error says that somebody else's lock was in the way."""
    return complaints.kind_of(error) in complaints.OF_LOCKS


class _Watcher:
    """Looks from a session of its own at who blocks ``connection``, while it waits."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.watched = connection.connection.get_backend_pid()
        self.session = connection.copy()
        self.session.inc_thread_sharing()
        self.pid: int | None = None  # of who was last in the way
        self.blocker = ""
        self.said: set[int] = set()

    def begin(self) -> None:
        """Start looking."""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Stop looking."""
        self.ended.set()
        self.thread.join()
        self.session.close()

    def say_once(self, name: str) -> None:
        """Log who blocks, once each."""
        if self.pid and self.pid not in self.said:
            self.said.add(self.pid)
            # At a terminal, "Applying …" of migrate stands there and waits for its OK.
            start = "\n" if sys.stderr.isatty() else ""
            logger.info("%s%s waits for %s.", start, name, self.blocker)

    def say_how_often(self, name: str, tries: int, seconds: float) -> None:
        """Log how often it was tried in vain, and who was last in the way."""
        logger.info(
            "%s%s has tried %d times in %.0f s to lock what it changes; last in the way was %s.",
            "\n" if sys.stderr.isatty() else "",
            name,
            tries,
            seconds,
            self.blocker or "another session",
        )

    def _look(self) -> None:
        with suppress(DatabaseError), sessions.settled(self.session):
            while not self.ended.wait(0.01):
                with self.session.cursor() as cursor:
                    cursor.execute(
                        "SELECT pid, application_name, usename, state,"
                        " to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"'),"
                        " query FROM pg_stat_activity"
                        " WHERE pid = ANY(pg_blocking_pids(%s)) ORDER BY xact_start LIMIT 1",
                        [self.watched],
                    )
                    row = cursor.fetchone()
                if row:
                    self.pid, self.blocker = row[0], session_in_words(*row)


def session_in_words(
    pid: int, application: str, user: str, state: str, since: str, query: str | None
) -> str:
    """Return what a message says of a session of PostgreSQL that is in the way."""
    what = " ".join(without_values(query or "").split()).removesuffix(";")
    what = what if len(what) <= SHOWN else what[:SHOWN] + "…"
    name = ", ".join(filter(None, [application, f"user {user}" if user else "", state]))
    return f"session {pid} ({name}), in a transaction since {since}, whose statement is: {what}"
