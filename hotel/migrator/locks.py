"""One run at a time, and no long wait of anybody behind a lock that a migration asks for.

* ``run_lock``: whoever changes the schema of a database holds it, so that each migration runs once
  however many processes start at once.
* ``Patience``: on PostgreSQL a statement that waits for a lock lets everybody wait who comes after
  it, readers too. So it gives up after ``MIGRATOR_LOCK_TIMEOUT`` milliseconds and is tried again.

Both wait for others for ``MIGRATOR_WAIT`` seconds at most, and say for whom.
"""

import logging
import os
import random
import re
import socket
import sqlite3
import sys
import threading
import time
import zlib
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from hotel.migrator.exceptions import FailedDuringApply, LockNotGot

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

POLL = 0.1  # seconds
CLASS = zlib.crc32(b"hotel.migrator") & 0x7FFFFFFF  # of our advisory locks, among those of others
GUARD = CLASS ^ 1  # of those that the migrating sessions hold
# A session that waits, or whose process computes, looks idle to servers and firewalls. Seconds.
STAY = (
    "set_config('idle_session_timeout', '0', false),"
    " set_config('tcp_keepalives_idle', '30', false),"
    " set_config('tcp_keepalives_interval', '10', false),"
    " set_config('tcp_keepalives_count', '6', false)"
)
LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"
ENDING = ".migrating"  # of the lock file beside an SQLite database
SHOWN = 200  # characters of somebody else's statement


@contextmanager
def run_lock(connection, wait=None, *, only_look=False):
    """Hold the lock on changing the schema of ``connection``'s database; yields a ``RunLock``.

    wait: seconds; ``MIGRATOR_WAIT`` if not said. It is free again when its holder ends, however
    that comes about. only_look: where this user may not write, it is enough that nobody holds it.
    Raises LockNotGot, naming who holds it, when the time is over.
    """
    lock, before = _lock(connection), getattr(connection, "run_lock", None)
    lock.only_look = only_look
    try:
        _take(lock, settings.MIGRATOR_WAIT if wait is None else wait)
        connection.run_lock = lock
        yield lock
    finally:
        connection.run_lock = before
        lock.release()


def check_lock(connection):
    """Raise FailedDuringApply if ``connection`` runs under a lock that it has lost meanwhile."""
    lock = getattr(connection, "run_lock", None)
    if lock:
        lock.check()


def holder(connection):
    """Return who holds the lock now, in words, or "" for nobody."""
    lock = _lock(connection)
    try:
        return lock.holder() if lock.is_held() else ""
    finally:
        lock.release()


def _lock(connection):
    if connection.vendor == "postgresql":
        return _SessionLock(connection)
    return _NoLock(connection) if connection.is_in_memory_db() else _FileLock(connection)


def _take(lock, wait):
    """Try until the lock is got; say once whom this waits for."""
    try:
        _wait(lock, wait)
    except KeyboardInterrupt as stop:
        stop.told = "Interrupted before anything was changed."  # for exceptions.interruption
        raise


def _wait(lock, wait):
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
        time.sleep(POLL * random.uniform(0.5, 1.5))


def _myself():
    """Return ``migrate PID HOST SINCE``, short enough for the name of a session of PostgreSQL."""
    return (
        f"migrate {os.getpid()} {socket.gethostname()[:24]} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )


def _in_words(name):
    match = re.fullmatch(r"migrate (\d+) (\S+) (\S+)T(\S+)Z", name)
    return "process {} on {} since {} {} UTC".format(*match.groups()) if match else name


class _NoLock:
    """For a database in the memory of this process, which no other process sees."""

    only_look = False

    def __init__(self, connection):
        pass

    def try_once(self):
        """Return True."""
        return True

    def is_held(self):
        """Return False: by whom?"""
        return False

    def check(self):
        """Do nothing."""

    def release(self):
        """Do nothing."""


class _FileLock(_NoLock):
    """A locked file beside an SQLite database; the system frees it when its holder dies.

    It is deleted when it is released, and holds in words who locked it.
    """

    def __init__(self, connection):
        self.path = os.path.realpath(connection.settings_dict["NAME"]) + ENDING
        self.file = None

    def try_once(self):
        """Return whether the lock was got."""
        if fcntl is None:
            logger.warning("This system has no file locks: see that no two run migrate at once.")
            return True
        try:
            file = self._open()
        except OSError as error:
            if self.only_look:
                return not self.is_held()
            raise LockNotGot(
                f"Cannot make the lock file {self.path}: {error.strerror}; let this user write to"
                " the folder of the database, or name another in DATABASE_URL."
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The one before may have deleted the file between our opening and locking it.
            if not self._is_there(file):
                raise FileNotFoundError
        except OSError:
            os.close(file)
            return False
        with suppress(OSError):  # a name is for the others only: the disk may be full
            os.ftruncate(file, 0)
            os.write(file, _myself().encode())
        self.file = file
        return True

    def _open(self):
        """Open the file, which whoever may write the database may write; another's to lock it."""
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except PermissionError as refused:
            with suppress(OSError):
                return os.open(self.path, os.O_RDONLY)
            raise refused
        with suppress(OSError):
            os.fchmod(file, os.stat(self.path.removesuffix(ENDING)).st_mode & 0o666)
        return file

    def _is_there(self, file):
        """Tell whether the file that is open is the one that others find."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(file), os.stat(self.path))
        return False

    def check(self):
        """Raise FailedDuringApply if somebody has deleted the file."""
        if self.file is not None and not self._is_there(self.file):
            raise FailedDuringApply(
                f"The lock file {self.path} was deleted, so another process may have begun. What"
                " was done so far is recorded: run the same command again, and leave the file"
                " alone; it need not be deleted."
            )

    def is_held(self):
        """Tell whether anybody holds the lock, without writing a byte."""
        try:
            file = os.open(self.path, os.O_RDONLY)
        except OSError:
            return False
        try:
            if fcntl is None:
                return False
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(file)
        return False

    def holder(self):
        """Return who holds the lock, in words."""
        with suppress(OSError), open(self.path, encoding="utf-8", errors="replace") as file:
            return _in_words(file.read())
        return ""

    def release(self):
        """Give the lock back, if it was got."""
        if self.file is not None:
            if self._is_there(self.file):
                with suppress(OSError):
                    os.unlink(self.path)
            os.close(self.file)  # and with it the lock
            self.file = None


class _SessionLock:
    """An advisory lock of PostgreSQL, held by a session of its own, and a guard beside it.

    The guard is a second one, held by the session that migrates: should the server end the first
    session (an administrator, a firewall), nobody else begins while the other one is at work, if
    only on the last statement of a process that is dead. The guard alone would not do: code of a
    migration may close its connection and open another.
    """

    only_look = False

    def __init__(self, connection):
        self.migrating = connection
        self.session = connection.copy()
        self.key = 0  # until the session has begun
        self.guarding = None  # the session that has the guard

    def try_once(self):
        """Return whether the lock was got. Raises LockNotGot if the session may not be ours."""
        try:
            return self._try()
        except (OperationalError, InterfaceError):
            if self.session.connection is None:  # there is no server
                raise
            # The server has ended a session that had nothing yet but to wait.
            self.release()
            if not self.migrating.in_atomic_block:
                self.migrating.close()
            return self._try()

    def _try(self):
        return self._try_own() and self._try_guard()

    def _try_own(self):
        if not self.key:
            self._begin()
        # Not pg_advisory_lock(): whoever waits in a statement keeps an old snapshot, for which the
        # holder's CREATE INDEX CONCURRENTLY would wait in its turn.
        [(got,)] = self._rows("SELECT pg_try_advisory_lock(%s, %s)", [CLASS, self.key])
        return got

    def _try_guard(self):
        sql = f"SELECT pg_try_advisory_lock(%s, %s), {STAY}"
        with self.migrating.cursor() as cursor:
            cursor.execute(sql, [GUARD, self.key])
            [got, *_] = cursor.fetchone()
        if got:
            self.guarding = self.migrating.connection
        return got

    def is_held(self):
        """Tell whether another process holds the lock."""
        return not self.try_once()

    def holder(self):
        """Return who holds the lock, in words; "" if nobody does any more, or nobody can tell."""
        rows = []
        with suppress(OperationalError, InterfaceError):  # the next try begins anew
            rows = self._rows(
                "SELECT activity.pid, activity.application_name FROM pg_locks AS held"
                " JOIN pg_stat_activity AS activity USING (pid)"
                " JOIN pg_database AS here ON here.oid = held.database"
                " WHERE held.locktype = 'advisory' AND held.granted"
                " AND here.datname = current_database() AND held.pid <> pg_backend_pid()"
                " AND held.classid IN (%s, %s) AND held.objid = %s AND held.objsubid = 2"
                " ORDER BY held.classid = %s DESC",
                [CLASS, GUARD, self.key & 0xFFFFFFFF, CLASS],
            )
        for session, name in rows:
            return f"{_in_words(name) or 'a process'} (PostgreSQL session {session})"
        return ""

    def check(self):
        """Raise FailedDuringApply if the lock was lost, because the server ended its session."""
        try:
            self._rows("SELECT 1", [])
            is_whole = self.migrating.connection is self.guarding or self._try_guard()
        except (OperationalError, InterfaceError):
            is_whole = False
        if not is_whole:
            raise FailedDuringApply(
                "The session that held the lock on migrating was ended by the server, so another"
                " process may have begun. What was done so far is recorded: run the same command"
                " again."
            )

    def release(self):
        """Give the lock back, if it was got, by ending its session, and the guard."""
        self.session.close()
        key, self.key = self.key, 0
        if self.guarding and self.guarding is self.migrating.connection:
            with suppress(DatabaseError, InterfaceError), self.migrating.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [GUARD, key])
        self.guarding = None

    def _begin(self):
        self.session.ensure_connection()
        self._refuse_pooler()
        self._rows(f"SELECT set_config('application_name', %s, false), {STAY}", [_myself()])
        [(schema,)] = self._rows("SELECT current_schema()", [])
        # Signed, as PostgreSQL takes it. A schema has migrations of its own.
        self.key = key_of(schema)

    def _refuse_pooler(self):
        """Raise LockNotGot if a pooler lends this session out between transactions.

        A pooler makes up the process number that it announces. With one of those between, a second
        client asks for a server while this one needs none: if it gets ours, or ours becomes another
        one, nothing that belongs to a session is safe, and a lock least of all.
        """
        mine = "SELECT pg_backend_pid()"
        [(pid,)] = self._rows(mine, [])
        if pid == self.session.connection.get_backend_pid():
            return
        other = self.migrating.copy()
        try:
            for _ in range(5):
                other.set_autocommit(False)
                with other.cursor() as cursor:
                    cursor.execute(mine)
                    [(borrowed,)] = cursor.fetchall()
                [(now,)] = self._rows(mine, [])
                other.rollback()
                if borrowed == pid or now != pid:
                    raise LockNotGot(
                        "A pooler such as PgBouncer stands before the database and changes servers"
                        " between transactions, where no lock can be held: migrate with a"
                        " DATABASE_URL that goes to PostgreSQL itself, or to a pool in session"
                        " mode."
                    )
        finally:
            other.close()

    def _rows(self, sql, params):
        with self.session.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()


def key_of(schema):
    """Return the number of the lock on a schema of PostgreSQL, beside ``CLASS``."""
    return zlib.crc32(str(schema).encode()) - 2**31


@contextmanager
def short_lock_timeout(connection, milliseconds=None):
    """Let no statement of ``connection`` wait longer for a lock (PostgreSQL); 0 is for ever."""
    if connection.vendor != "postgresql":
        yield
        return
    wanted = settings.MIGRATOR_LOCK_TIMEOUT if milliseconds is None else milliseconds
    change = "SELECT set_config('lock_timeout', %s, false)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        [before] = cursor.fetchone()
        cursor.execute(change, [f"{wanted}ms"])
    try:
        yield
    finally:
        # The session may be what has failed.
        with suppress(DatabaseError, InterfaceError), connection.cursor() as cursor:
            cursor.execute(change, [before])


class Patience:
    """Tries something again for as long as the locks of others stand in its way."""

    def __init__(self, connection, wait=None):
        self.connection = connection
        self.wait = settings.MIGRATOR_WAIT if wait is None else wait

    def __call__(self, name, work):
        """Return ``work()``, which changes nothing when a lock stops it; ``name`` is for messages.

        Between tries come pauses of random and growing length, up to a second. Raises
        FailedDuringApply, naming whom it waited for, when the time is over.
        """
        deadline, pause, watcher = time.monotonic() + self.wait, 0.025, None
        while True:
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
            elif self.connection.vendor == "postgresql":
                watcher = _Watcher(self.connection)
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 1.5, 1)
            if watcher:
                watcher.begin()

    def _who_was_it(self, name, watcher):
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


def stopped_by_a_lock(error):
    """Tell whether a database error says that somebody else's lock was in the way."""
    driver = error.__cause__
    if hasattr(driver, "pgcode"):
        return driver.pgcode in (LOCK_NOT_AVAILABLE, DEADLOCK)
    # The low byte is the kind of error, the rest a detail of it.
    code = getattr(driver, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _Watcher:
    """Looks from a session of its own at who blocks ``connection``, while it waits."""

    def __init__(self, connection):
        self.watched = connection.connection.get_backend_pid()
        self.session = connection.copy()
        self.session.inc_thread_sharing()
        self.pid, self.blocker, self.said = None, "", set()

    def begin(self):
        """Start looking."""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def end(self):
        """Stop looking."""
        self.ended.set()
        self.thread.join()
        self.session.close()

    def say_once(self, name):
        """Log who blocks, once each."""
        if self.pid and self.pid not in self.said:
            self.said.add(self.pid)
            # At a terminal, "Applying …" of migrate stands there and waits for its OK.
            start = "\n" if sys.stderr.isatty() else ""
            logger.info("%s%s waits for %s.", start, name, self.blocker)

    def _look(self):
        with suppress(DatabaseError):
            while not self.ended.wait(0.01):
                with self.session.cursor() as cursor:
                    cursor.execute(
                        "SELECT pid, application_name, usename, state,"
                        " to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"'),"
                        " query FROM pg_stat_activity"
                        " WHERE pid = ANY(pg_blocking_pids(%s)) ORDER BY xact_start LIMIT 1",
                        [self.watched],
                    )
                    found = cursor.fetchone()
                if found:
                    self.pid, self.blocker = found[0], _session_in_words(*found)


def _session_in_words(pid, application, user, state, since, query):
    what = " ".join((query or "").split())
    what = what if len(what) <= SHOWN else what[:SHOWN] + "…"
    name = ", ".join(filter(None, [application, f"user {user}" if user else "", state]))
    return f"session {pid} ({name}), in a transaction since {since}, whose statement is: {what}"
