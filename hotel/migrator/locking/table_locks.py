"""Locks on tables of PostgreSQL, taken before a transaction does anything else.

A transaction that has locked rows, or a table a little, and then asks for more, meets clients that
wait for what it holds and hold what it asks for: one of the two dies, or it never ends. So the
strongest lock of each table comes first, the tables in the order of their names, and all of them
within the time that one statement may wait: whoever waits for the first waits no longer.
"""

from time import monotonic

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from hotel.migrator.sql.parsing import quoted

MAINTENANCE = "SHARE UPDATE EXCLUSIVE"  # others read and write meanwhile; only other DDL waits
WRITERS = "SHARE"
WRITERS_OF_BOTH = "SHARE ROW EXCLUSIVE"
EVERYBODY = "ACCESS EXCLUSIVE"
ROWS = "row locks"
ORDER = ("", ROWS, MAINTENANCE, WRITERS, WRITERS_OF_BOTH, EVERYBODY)

# Milliseconds to wait for what hinders nobody: PostgreSQL ends an autovacuum that somebody has
# waited for during its deadlock_timeout, a second by default, and for less it does not.
FOR_VACUUM = 3000


def strongest(*modes: str) -> str:
    """Return the strongest of some modes of locks."""
    return max(modes, key=ORDER.index, default="")


def take(connection: BaseDatabaseWrapper, wanted: dict[str, str]) -> None:
    """Lock tables in the transaction that is open.

    wanted: modes by table; tables that are not there, or that this user may not lock, are left out.
    Does nothing where none is open, as in a replay of a migration that is not atomic: no lock would
    last. Does nothing on SQLite, whose transactions lock all of the database. Raises
    OperationalError where a lock is not got in time.
    """
    modes = {quoted(table): mode for table, mode in wanted.items() if mode in ORDER[2:]}
    if connection.vendor != "postgresql" or not connection.in_atomic_block or not modes:
        return
    with connection.cursor() as cursor:
        # An owner may, and whoever may update, as those may who add a foreign key to a table.
        cursor.execute(
            "SELECT name.name, setting::int FROM unnest(%s) AS name (name)"
            " JOIN pg_class ON pg_class.oid = to_regclass(name.name)"
            " CROSS JOIN pg_settings"
            " WHERE pg_settings.name = 'lock_timeout' AND relkind IN ('r', 'p')"
            " AND has_table_privilege(pg_class.oid, 'UPDATE, DELETE, TRUNCATE')",
            [[*modes]],
        )
        rows = cursor.fetchall()
        if not rows:
            return
        names = sorted(name for name, _ in rows)
        budget = rows[0][1]
        if budget:
            _wait_at_most(cursor, max(budget, FOR_VACUUM))
            for name in names:
                cursor.execute(f"LOCK TABLE {name} IN {MAINTENANCE} MODE")
        began = monotonic()
        for name in names:
            if budget and modes[name] == MAINTENANCE:
                continue
            if budget:
                spent = (monotonic() - began) * 1000
                _wait_at_most(cursor, max(1, round(budget - spent)))
            cursor.execute(f"LOCK TABLE {name} IN {modes[name]} MODE")
        if budget:
            _wait_at_most(cursor, budget)


def _wait_at_most(cursor: CursorWrapper, milliseconds: int) -> None:
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"])


def statements(wanted: dict[str, str]) -> list[str]:
    """Return the LOCK statements that a script begins a transaction with."""
    return [
        f"LOCK TABLE {quoted(name)} IN {mode} MODE"
        for name, mode in sorted(wanted.items())
        if mode in ORDER[3:]
    ]
