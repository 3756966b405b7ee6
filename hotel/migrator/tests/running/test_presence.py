"""What is found in the database, or missed: ``migrate --fake-initial`` and ``migrate --check``."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from hotel.migrator.tests.commands import db, table

ID = '("id", models.AutoField(primary_key=True))'
LACKING = {  # what somebody has done, and what is named then
    "a column": (
        ["ALTER TABLE annexe_room DROP COLUMN floor"],
        "annexe_guest, and lacks the column annexe_room.floor",
    ),
    "the column of a field that is added": (
        ["ALTER TABLE annexe_room DROP COLUMN name"],
        "annexe_guest, and lacks the column annexe_room.name",
    ),
    "the table between": (
        ["DROP TABLE annexe_room_guests"],
        "annexe_guest, and lacks the table annexe_room_guests",
    ),
    "a column and a table": (
        ["ALTER TABLE annexe_room DROP COLUMN floor", "DROP TABLE annexe_room_guests"],
        "annexe_guest, and lacks the column annexe_room.floor, the table annexe_room_guests",
    ),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_is_there_in_part_is_not_recorded(initial, history, case):
    statements, named = LACKING[case]
    for statement in statements:
        history.execute(statement)
    before = initial.project.facts()
    with pytest.raises(CommandError) as refused:
        call_command("migrate", fake_initial=True, verbosity=0)
    assert (str(refused.value), refused.value.returncode) == (
        f"annexe.0001_initial exists only in part: the database has {named}. It was neither"
        " recorded nor run: make what is missing, or drop what is there if nobody needs its rows,"
        " then run the same command again.",
        3,
    )
    assert initial.project.facts() == before
    assert history.execute("SELECT count(*) FROM django_migrations") == [(0,)]
    for name in ("annexe_room_guests", "annexe_room", "annexe_guest"):  # as it says
        history.execute(f"DROP TABLE IF EXISTS {name}")
    call_command("migrate", fake_initial=True, verbosity=0)
    assert "annexe_room_guests" in connection.introspection.table_names()


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_there_is_recorded_and_what_is_not_is_run(initial, history, is_there):
    if not is_there:
        for name in ("annexe_room_guests", "annexe_room", "annexe_guest"):
            history.execute(f"DROP TABLE {name}")
    call_command("migrate", fake_initial=True, verbosity=0)
    rows = history.execute("SELECT is_fake FROM migrator_journal ORDER BY id DESC LIMIT 1")
    assert [bool(fake) for (fake,) in rows] == [is_there]
    assert "annexe_room_guests" in connection.introspection.table_names()


def test_check_says_which_records_have_no_file(initial, history, capsys):
    call_command("migrate", fake_initial=True, verbosity=0)
    for app, name in (("annexe", "0009_gone"), ("nowhere", "0001_initial")):
        history.insert("django_migrations", app=app, name=name, applied="2026-01-01 00:00:00+00:00")
    forget = "or, if it is gone for good, forget the record with manage.py db stamp --purge."
    said = (
        "annexe.0009_gone is applied, but its file is missing. Bring the file back, for example"
        f" with git; {forget}\nnowhere.0001_initial is applied, but no application nowhere is"
        f" installed. Install it again; {forget}\n"
    )
    call_command("migrate", check_unapplied=True, verbosity=0)
    assert capsys.readouterr().err == said
    initial.write("0002_add_beds", table("Bed"))
    with pytest.raises(SystemExit) as ended:
        call_command("migrate", check_unapplied=True, verbosity=0)
    assert (ended.value.code, capsys.readouterr().err) == (1, said)
    db("stamp", "--purge")
    initial.migrate()
    call_command("migrate", check_unapplied=True, verbosity=0)
    assert capsys.readouterr().err == ""


def test_what_was_done_has_the_same_columns_whatever_it_was(initial, history):
    history.insert(
        "django_migrations", app="old", name="0001_initial", applied="2026-01-01 00:00:00+00:00"
    )
    call_command("migrate", fake_initial=True, verbosity=0)
    initial.write("0002_fail", 'migrations.RunSQL("DELETE FROM nowhere")')
    with pytest.raises(Exception, match="nowhere"):
        initial.migrate()
    rows = json.loads(db("history", "--applied", "--json"))
    assert [row["outcome"] for row in rows] == ["failed", "finished", "finished", "recorded"]
    assert {tuple(sorted(row)) for row in rows} == {
        tuple(
            sorted(
                [
                    *("revision", "direction", "outcome", "fake", "started", "seconds", "rows"),
                    *("error", "remark", "run", "actor", "host", "code_version"),
                ]
            )
        )
    }
