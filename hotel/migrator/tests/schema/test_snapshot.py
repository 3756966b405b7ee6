"""A snapshot is what the history makes of an empty database, and says when it is not."""

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from hotel.migrator.exceptions import WrongUse
from hotel.migrator.running.runner import loader_without_database
from hotel.migrator.schema import catalog, snapshot
from hotel.migrator.storage.journal import entries
from hotel.migrator.tests import shells
from hotel.migrator.tests.projects import ROOM, killed

NEW_ROOMS = """
migrations.RunPython(
    lambda apps, editor: apps.get_model("annexe", "Room").objects.create(number="7 o'clock"),
    lambda apps, editor: apps.get_model("annexe", "Room").objects.all().delete(),
)
"""
STARS = 'operations.AddField("room", "stars", models.IntegerField(null=True))'


def _whole():
    """Return all that is in the database but what tells of runs: schema, rows, records."""
    made = catalog.read(connection)
    rows = catalog.dump(connection, sorted(made.tables - snapshot.OF_RUNS))
    records = MigrationRecorder(connection).migration_qs
    return made.facts, made.columns, rows, sorted(records.values_list("app", "name"))


def _migrate(*target, **options):
    """Run ``migrate`` and return what it says of its steps."""
    out = StringIO()
    call_command("migrate", *target, verbosity=1, stdout=out, **options)
    return out.getvalue().partition("Running migrations:\n")[2].splitlines()


def _write():
    return snapshot.snapshot(connection, engine=connection.vendor)


@pytest.fixture
def file(annexe):
    """Return the snapshot of an app with a table and a row, when a third migration has come."""
    annexe.write("0001_initial", ROOM).write("0002_add_rooms", NEW_ROOMS)
    [written] = _write()
    assert written["outcome"] == "written"
    annexe.write("0003_add_stars", STARS)
    return snapshot.file_of(connection.vendor)


def test_a_snapshot_makes_what_the_history_makes(history):
    history.at(None)
    number = len(snapshot.read(connection.vendor).migrations)
    assert _migrate()[0] == f"  {connection.vendor}.sql stands for {number} migrations."
    loaded = _whole()
    history.at(None)
    assert "  Applying payments.0001_initial... OK" in _migrate(no_snapshot=True)
    for one, other in zip(loaded, _whole(), strict=True):
        assert one == other


def test_what_came_after_the_snapshot_is_run(file, history):
    name = file.name
    assert _migrate() == [
        f"  {name} stands for 2 migrations.",
        "  Rendering model states... DONE",
        "  Applying annexe.0003_add_stars... OK",
    ]
    assert history.execute("SELECT id, number, stars FROM annexe_room") == [(1, "7 o'clock", None)]
    history.insert("annexe_room", number="8")
    assert history.execute("SELECT id FROM annexe_room WHERE number = '8'") == [(2,)]
    told = [(one.name, one.event, one.remark, one.is_fake) for one in entries(connection)]
    loaded = "loaded from a snapshot"
    assert told == [
        ("0001_initial", "started", loaded, False),
        ("0001_initial", "finished", loaded, False),
        ("0002_add_rooms", "started", loaded, False),
        ("0002_add_rooms", "finished", loaded, False),
        ("0003_add_stars", "started", None, False),
        ("0003_add_stars", "finished", None, False),
    ]
    assert len({one.run for one in entries(connection)}) == 1
    call_command("migrate", "annexe", "zero", verbosity=0)
    assert history.tables() == []


@pytest.mark.parametrize("options", [{"no_snapshot": True}, {"fake": True}])
def test_the_history_is_run_or_faked_where_that_was_asked_for(file, options):
    assert _migrate(**options)[0].startswith("  Applying annexe.0001_initial...")


def test_a_target_is_reached_by_the_history(file):
    assert _migrate("annexe", "0001") == ["  Applying annexe.0001_initial... OK"]


def test_a_database_with_tables_is_migrated_by_the_history(file, history):
    history.execute("CREATE TABLE somebodys (id integer)")
    assert _migrate()[0] == "  Applying annexe.0001_initial... OK"


def test_a_snapshot_that_does_not_fit_is_not_used_and_says_why(annexe, file):
    annexe.write("0002_add_rooms", NEW_ROOMS.replace("7", "9"), after=[("annexe", "0001_initial")])
    said = f"  {file.name} is not used: annexe.0002_add_rooms was changed after it was written."
    assert _migrate()[:2] == [said, "  Applying annexe.0001_initial... OK"]


class Nothing:
    """A router that wants no table anywhere."""

    def allow_migrate(self, *args, **hints):
        """Say no."""
        return False


def test_a_snapshot_is_not_used_where_routers_say_what_belongs_into_a_database(file, settings):
    settings.DATABASE_ROUTERS = [Nothing()]
    said = "there are DATABASE_ROUTERS, which say what belongs into this database"
    assert _migrate()[0] == f"  {file.name} is not used: {said}."
    assert "annexe_room" not in connection.introspection.table_names()


def test_a_snapshot_that_cannot_be_loaded_is_not_used_and_leaves_nothing(annexe, file):
    written = file.read_text()
    broken = written.replace('CREATE TABLE "migrator', 'CREATE NOTHING "migrator')
    head, _, body = broken.partition("BEGIN;")
    digest = snapshot.digest(f"BEGIN;{body}")
    file.write_text(re.sub(r"checksum: \w+", f"checksum: {digest}", head) + f"BEGIN;{body}")
    first, *others = _migrate()
    assert first.startswith(f"  {file.name} is not used: ")
    assert "syntax error" in first
    assert others[0] == "  Applying annexe.0001_initial... OK"


def test_why_a_snapshot_does_not_fit(annexe, file):
    def why():
        return snapshot.stale(connection.vendor, loader_without_database())

    assert why() == "it was written before annexe.0003_add_stars"
    annexe.path("0003_add_stars").unlink()
    assert why() == ""
    written = file.read_text()
    file.write_text(written.replace("CREATE TABLE", "CREATE  TABLE"))
    assert why() == "it was edited by hand, or two versions of it were merged"
    file.write_text(written)
    annexe.path("0002_add_rooms").unlink()
    assert why() == "it stands for annexe.0002_add_rooms, of which there is no file"
    file.unlink()
    assert why() == "it is not there"


def test_a_kill_while_a_snapshot_is_loaded_leaves_nothing(annexe, file, history):
    annexe.path("0003_add_stars").unlink()
    annexe.project.reload()
    moment = 1
    while killed(moment, lambda: _migrate()):
        left = set(connection.introspection.table_names())
        assert left in (set(), {"annexe_room", *snapshot.OF_RUNS} & left), moment
        assert "annexe_room" not in left or len(history.execute("SELECT * FROM annexe_room")) == 1
        if "annexe_room" in left:
            break
        moment += 1
    assert history.execute("SELECT number FROM annexe_room") == [("7 o'clock",)]


def test_a_plain_shell_runs_a_snapshot(annexe, file, history):
    annexe.path("0003_add_stars").unlink()
    annexe.project.reload()
    assert shells.run(file.read_text().splitlines(), shows=True) == (0, "")
    found = _whole()
    history.at(None)
    _migrate(no_snapshot=True)
    assert found == _whole()


def test_a_snapshot_is_the_same_whenever_it_is_written(annexe, file):
    annexe.path("0003_add_stars").unlink()
    annexe.project.reload()
    [again] = _write()
    assert again["outcome"] == "unchanged"
    assert snapshot.stale(connection.vendor, loader_without_database()) == ""


def test_without_the_setting_nothing_is_written(settings):
    settings.MIGRATOR_SNAPSHOT = None
    with pytest.raises(WrongUse) as error:
        _write()
    said = "The setting MIGRATOR_SNAPSHOT names no folder for snapshots of the schema."
    assert str(error.value) == said
