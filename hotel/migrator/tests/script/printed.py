"""Scripts as ``manage.py db … --sql`` prints them, and what they leave."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from hotel.migrator.revisions.graph import Graph
from hotel.migrator.running import runner
from hotel.migrator.scope import own_apps
from hotel.migrator.script import offline
from hotel.migrator.tests import shells
from hotel.migrator.tests.facts import differences, facts
from hotel.tests import stress


def sql(*words):
    """Return what ``manage.py db … --sql`` prints."""
    out = StringIO()
    call_command("db", *words, "--sql", stdout=out)
    return out.getvalue().removesuffix("\n").split("\n")


def refused(*words):
    """Return what is said, and the exit code, where no script can be written."""
    with pytest.raises(CommandError) as refusal:
        sql(*words)
    return str(refusal.value), refusal.value.returncode


def known(history):
    """Return all facts of the database, with what the archive holds."""
    found = facts(history)
    columns = "owner, table_name, column_name, row_key, original, became"
    days = {f"{timezone.now() - timedelta(days):%Y-%m-%d}" for days in (0, 1)}
    now = re.compile(rf"({'|'.join(days)})[ T]\d\d:\d\d:\d\d(\.\d+)?([+]00(:00)?)?")
    if "migrator_archive" in connection.introspection.table_names():
        for row in history.execute(f"SELECT {columns} FROM migrator_archive"):
            found[("archive", *row[:4])] = row[4:]
    # Without the moments at which a step has made rows.
    return {fact: now.sub("now", repr(value)) for fact, value in found.items()}


def unchanged(history, script, complaint):
    """Run a script that must stop, and see that it has left nothing behind."""
    before = known(history)
    code, said = shells.run(script)
    assert code != 0
    assert complaint in said
    assert differences(known(history), before) == {}


long = pytest.mark.skipif(not stress.IS_WHOLE, reason="half a minute long: see make stress")


def both(says, *, backwards=False):
    """Return what is taken down for a range on paper, and on a server."""
    loader = runner.loader_without_database()
    graph = Graph.from_django(loader.graph, own_apps())
    span = offline.between(graph, says, backwards, cascade=True)
    return [
        offline.taken_down(connection, loader, span, "postgresql", on_paper=on_paper)
        for on_paper in (True, False)
    ]
