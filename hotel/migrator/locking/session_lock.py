"""The run lock of PostgreSQL: an advisory lock of a session."""

import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.exceptions import FailedDuringApply, LockNotGot
from hotel.migrator.locking.lock_base import Lock, in_words, myself

CLASS = zlib.crc32(b"hotel.migrator") & 0x7FFFFFFF  # of our advisory locks, among those of others
GUARD = CLASS ^ 1  # of those that the migrating sessions hold
# Their number, in SQL so that a script can take them too: a schema has migrations of its own.
KEY = "hashtext(coalesce(current_schema(), ''))"


class SessionLock(Lock):
    """An advisory lock of PostgreSQL, held by a session of its own, and a guard beside it.

    The guard is a second one, held by the session that migrates: should the server end the first
    session (an administrator, a firewall), nobody else begins while the other one is at work, if
    only on the last statement of a process that is dead. The guard alone would not do: code of a
    migration may close its connection and open another.
    """

    def __init__(self, connection: BaseDatabaseWrapper, *, only_look: bool = False) -> None:
        super().__init__(only_look=only_look)
        self.migrating = connection
        self.session = connection.copy()
        self.key: int | None = None  # until the session has begun
        self.guarding: Any = None  # the driver's session that has the guard

    def try_once(self) -> bool:
        """Return whether the lock was taken. Raises LockNotGot if the session may not be ours."""
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

    def _try(self) -> bool:
        return self._try_own() and self._try_guard()

    def _try_own(self) -> bool:
        if self.key is None:
            self._begin()
        # Not pg_advisory_lock(): whoever waits in a statement keeps an old snapshot, for which the
        # holder's CREATE INDEX CONCURRENTLY would wait in its turn.
        [(got,)] = self.rows("SELECT pg_try_advisory_lock(%s, %s)", [CLASS, self.key])
        return bool(got)

    def _try_guard(self) -> bool:
        with self.migrating.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [GUARD, self.key])
            [got] = cursor.fetchone()
        if got:
            self.guarding = self.migrating.connection
        return bool(got)

    def is_held(self) -> bool:
        """Tell whether another process holds the lock."""
        return not self.try_once()

    def holder(self) -> str:
        """Return who holds the lock, in words; "" if nobody does any more, or nobody can tell."""
        rows = []
        with suppress(OperationalError, InterfaceError):  # the next try begins anew
            rows = self.rows(
                "SELECT activity.pid, activity.application_name FROM pg_locks AS held"
                " JOIN pg_stat_activity AS activity USING (pid)"
                " JOIN pg_database AS here ON here.oid = held.database"
                " WHERE held.locktype = 'advisory' AND held.granted"
                " AND here.datname = current_database() AND held.pid <> pg_backend_pid()"
                " AND held.classid IN (%s, %s) AND held.objid = %s AND held.objsubid = 2"
                " ORDER BY held.classid = %s DESC",
                [CLASS, GUARD, (self.key or 0) & 0xFFFFFFFF, CLASS],
            )
        if not rows:
            return ""
        session, name = rows[0]
        return f"{in_words(name) or 'a process'} (PostgreSQL session {session})"

    def check(self) -> None:
        """Raise FailedDuringApply if the lock was lost, because the server ended its session."""
        try:
            self.rows("SELECT 1")
            is_whole = self.migrating.connection is self.guarding or self._try_guard()
        except (OperationalError, InterfaceError):
            is_whole = False
        if not is_whole:
            raise FailedDuringApply(
                "The session that held the lock on migrating was ended by the server, so another"
                " process may have begun. What was done so far is recorded: run the same command"
                " again."
            )

    def release(self) -> None:
        """Give the lock back, if it was taken, by ending its session, and the guard."""
        self.session.close()
        key, self.key = self.key, None
        if self.guarding and self.guarding is self.migrating.connection:
            with suppress(DatabaseError, InterfaceError), self.migrating.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [GUARD, key])
        self.guarding = None

    def _begin(self) -> None:
        self.session.ensure_connection()
        self._refuse_pooler()
        self.rows("SELECT set_config('application_name', %s, false)", [myself()])
        [(self.key,)] = self.rows(f"SELECT {KEY}")

    def _refuse_pooler(self) -> None:
        """Raise LockNotGot if a pooler lends this session out between transactions.

        A pooler makes up the process number that it announces. With one of those between, a second
        client asks for a server while this one needs none: if it gets ours, or ours becomes another
        one, nothing that belongs to a session is safe, and a lock least of all.
        """
        mine = "SELECT pg_backend_pid()"
        [(pid,)] = self.rows(mine)
        if pid == self.session.connection.get_backend_pid():
            return
        other = self.migrating.copy()
        try:
            for _ in range(5):
                other.set_autocommit(False)
                with other.cursor() as cursor:
                    cursor.execute(mine)
                    [(borrowed,)] = cursor.fetchall()
                [(now,)] = self.rows(mine)
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

    def rows(self, sql: str, params: Sequence[int | str | None] = ()) -> list[tuple[Any, ...]]:
        """Return what a query gives in the session that holds the lock."""
        with self.session.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())
