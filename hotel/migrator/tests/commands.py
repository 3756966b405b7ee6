"""Verbs run as commands, and what they leave in the records and the journal."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from hotel.migrator.storage.tables import JournalEntry

ROOM_AND_BED = """
operations.CreateModel("Room", [
    ("id", models.AutoField(primary_key=True)), ("floor", models.IntegerField(null=True))
]),
operations.CreateModel("Bed", [
    ("id", models.AutoField(primary_key=True)),
    ("room", models.ForeignKey("Room", models.CASCADE)),
]),
"""


def table(name):
    key = "models.AutoField(primary_key=True, serialize=False)"
    return f'migrations.CreateModel("{name}", [("id", {key})])'


def db(*words, **options):
    """Run ``manage.py db`` and return what it printed."""
    out = StringIO()
    call_command("db", *words, stdout=out, **options)
    return out.getvalue()


def refused(*words):
    with pytest.raises(CommandError) as refusal:
        db(*words)
    return str(refusal.value), refusal.value.returncode


def at():
    """Return what is applied, in the order of the rows."""
    rows = MigrationRecorder(connection).applied_migrations().values()
    return [f"{row.app}.{row.name[:4]}" for row in sorted(rows, key=lambda row: row.pk)]


def journal(*names, app="annexe"):
    """Return the journal of ``app`` in the order in which it was written."""
    rows = JournalEntry.objects.filter(app=app).order_by("pk")
    return list(rows.values_list(*names or ("name", "direction", "event")))


def pairs(*names):
    return [(name, "forward", event) for name in names for event in ("started", "finished")]


def doctor(*words):
    """Return the exit code and the findings."""
    out, code = StringIO(), 0
    try:
        call_command("db", "doctor", "--json", *words, stdout=out)
    except SystemExit as ended:
        code = ended.code
    return code, json.loads(out.getvalue())
