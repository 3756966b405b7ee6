"""Drift: every damage is found and named, mended by what is printed, and nothing else is found."""

from django.db import connection

from hotel.migrator import catalog, drift, repair
from hotel.migrator.tests.damages import ON_POSTGRESQL, ON_SQLITE
from hotel.migrator.verbs import Standing

DAMAGES = ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE


def report():
    standing = Standing(connection)
    keys = drift.in_order(standing.graph, standing.applied)
    return drift.Report(connection, standing.loader, keys)


def words(differences):
    return sorted(
        f"{difference.what} {thing.kind} {thing.table}.{thing.name}"
        for difference in differences
        for thing in [difference.thing]
    )


def found():
    return words(report().differences)


def run(script):
    """Run statements as ``psql`` and ``sqlite3`` do: no transaction but those they begin."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.executescript("\n".join(script))
        return
    with connection.cursor() as cursor:
        for sql in script:
            cursor.execute(sql)


def damage(done, reference):
    if isinstance(done, str):
        run([done.replace("<fk>", reference)])
        return
    name, old, new = done
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [name])
        [sql] = cursor.fetchone()
        assert sql.count(old) == 1, sql
        cursor.execute("PRAGMA writable_schema = ON")
        cursor.execute(
            "UPDATE sqlite_master SET sql = %s WHERE name = %s", [sql.replace(old, new), name]
        )
        cursor.execute("PRAGMA writable_schema = RESET")
    connection.close()


def test_each_damage_is_found_named_and_mended_by_what_is_printed(history):
    history.at("head")
    [reference] = [
        thing.name
        for thing, facts in history.catalog().items()
        if thing[:2] == ("foreign key", "guest_images") and "( guest_id )" in facts["definition"]
    ]
    assert len(DAMAGES) >= 40
    expected, known = report().replay.catalog, drift.tables_of(Standing(connection).loader)
    wrong = {}
    for kind, (done, named) in DAMAGES.items():
        damage(done, reference)
        live = catalog.read(connection)
        differences = drift.differences(expected, live, known)
        run(repair.script(connection.vendor, differences, expected, live))
        left = words(drift.differences(expected, catalog.read(connection), known))
        if left or words(differences) != sorted(word.replace("<fk>", reference) for word in named):
            wrong[kind] = words(differences), left  # one by one
            history.at("head")
    assert wrong == {}


def test_nothing_is_found_where_migrations_alone_have_been(history):
    history.at("head")
    assert found() == []


def test_nothing_is_found_with_contrib_apps_alone(history):
    history.at(None)
    for app in ("contenttypes", "auth", "sessions"):
        history.migrate(app)
    assert found() == []
