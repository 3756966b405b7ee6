"""What ``db drift`` finds in the database of a test, and what may have been done to it by hand."""

from io import StringIO

from django.core.management import call_command
from django.db import connection

from hotel.migrator.schema import drift, repair
from hotel.migrator.tests.damages import ON_POSTGRESQL, ON_SQLITE
from hotel.migrator.verbs import Position

DAMAGES = ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE


def report(replay=None):
    """Return the Report on the database as it is recorded."""
    standing = Position(connection)
    keys = drift.in_order(standing.graph, standing.applied)
    return drift.Report(connection, standing.loader, keys, replay)


def words(differences):
    """Return each difference in a few words."""
    return sorted(
        f"{difference.what} {thing.kind} {thing.table}.{thing.name}"
        for difference in differences
        for thing in [difference.thing]
    )


def found(replay=None):
    """Return in a few words what differs."""
    return words(report(replay).differences)


def drifted(*arguments):
    """Run ``manage.py db drift`` and return what it printed, and its exit code."""
    out, code = StringIO(), 0
    try:
        call_command("db", "drift", *arguments, stdout=out)
    except SystemExit as end:
        code = end.code
    return out.getvalue(), code


def unlooked(report):
    """Return the script that is printed if rows come only after the look at them."""
    return repair.script(connection.vendor, report.bare, report.replay.catalog, report.actual)


def run(script):
    """Run statements as ``psql`` and ``sqlite3`` do: no transaction but those they begin."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.executescript("\n".join(script).replace(".bail on\n", "", 1))
        return
    with connection.cursor() as cursor:
        for sql in script:
            cursor.execute(sql)


def damage(done, reference=""):
    """Do one of the ``DAMAGES``. reference: the name of the foreign key that it may be about."""
    if isinstance(done, str):
        run([done.replace("<fk>", reference)])
        return
    name, old, new = done
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [name])
        [sql] = cursor.fetchone()
        sql = " ".join(sql.split())  # a snapshot has a line for each part
        assert sql.count(old) == 1, sql
        cursor.execute("PRAGMA writable_schema = ON")
        cursor.execute(
            "UPDATE sqlite_master SET sql = %s WHERE name = %s", [sql.replace(old, new), name]
        )
        cursor.execute("PRAGMA writable_schema = RESET")
    connection.close()


def reference_of(history):
    """Return the name of the foreign key that damages are done to."""
    [reference] = [
        thing.name
        for thing, facts in history.catalog().items()
        if thing[:2] == ("foreign key", "guest_images") and "( guest_id )" in facts["definition"]
    ]
    return reference
