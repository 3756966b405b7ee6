"""Legacy databases, and what ``db adopt`` says and does with them."""

import io
import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.schema import catalog
from hotel.migrator.tests.legacy_shapes import build, fill, run
from hotel.tests import stress

MIGRATORS = {"django_migrations", "migrator_adoption", "migrator_journal"}
SHARED = Path(settings.BASE_DIR).parent / "shared" / "data"
THOROUGH = stress.IS_WHOLE
ON_POSTGRESQL = connection.vendor == "postgresql"
STANDS = "Something stands in the way, so nothing was changed. "
UNKNOWN = "This is no known shape of the legacy hotel system, so nothing was changed. "


def adopt(*options):
    """Run the verb as a script would, and return its report."""
    output = io.StringIO()
    call_command("db", "adopt", "--no-input", "--json", *options, stdout=output)
    return json.loads(output.getvalue())


def refusal(*options):
    with pytest.raises(RefusedByPreflight) as caught:
        adopt(*options)
    assert caught.value.returncode == 3
    return str(caught.value)


def dump():
    """Return all that the database holds, without what outlives an adoption."""
    tables = sorted(set(connection.introspection.table_names()) - MIGRATORS)
    facts = catalog.read(connection).facts
    facts = {thing: fact for thing, fact in facts.items() if thing.table not in MIGRATORS}
    return catalog.dump(connection, tables), {
        thing: fact
        for thing, fact in facts.items()
        # What migrate makes for a whole database, and the journal's guard.
        if thing.kind not in ("extension", "function")
    }


def statements():
    """Return what SQLite keeps of each table and index, word for word."""
    if ON_POSTGRESQL:
        return None
    return rows(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name NOT LIKE 'migrator%'"
        " AND tbl_name NOT IN ('django_migrations', 'sqlite_sequence') ORDER BY type, rowid"
    )


def drift():
    output = io.StringIO()
    call_command("db", "drift", stdout=output)
    return output.getvalue().splitlines()[0]


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def legacy(history, shape="O2", **options):
    history.at(None)
    build(shape, **options)
    fill()
    return dump()


def unchecked(*statements):
    """Run SQL as somebody did to whom foreign keys meant nothing."""
    if ON_POSTGRESQL:
        for table, name in rows(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'"
            " AND connamespace = 'public'::regnamespace"
        ):
            run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        run(*statements)
        return
    run("PRAGMA foreign_keys = OFF", *statements, "PRAGMA foreign_keys = ON")


def accepted(done):
    return {
        change["where"]: change["count"]
        for change in done["proof"]["accepted"]
        if change["rule"] != "absent"
    }
