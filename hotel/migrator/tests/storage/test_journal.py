"""The journal: what it says of a run, and what changes the checksum of a file."""

import getpass
import os
import socket
from textwrap import dedent

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.revisions import edits
from hotel.migrator.storage import journal
from hotel.migrator.storage.tables import JournalEntry
from hotel.migrator.tests.projects import rooms  # noqa: F401

FILE = '''
"""A file."""

from django.db import migrations
from django.db.models import F, Q

def up(apps, editor):
    apps.get_model("annexe", "Room").objects.update(number="x", floor=1)

class Migration(migrations.Migration):
    dependencies = [("annexe", "0001_initial")]
    operations = [migrations.RunPython(up, migrations.RunPython.noop)]
'''


def loaded(app, source):
    """Write a migration, and load it."""
    app.path("0002_up").write_text(dedent(source))
    app.project.reload()
    return MigrationLoader(None).disk_migrations["annexe", "0002_up"]


def checksum(app, source):
    """Write a migration, and return its checksum."""
    return edits.checksum(loaded(app, source))


@pytest.mark.parametrize(
    "old, new",
    [
        ("", ""),
        ('"""A file."""', '"""Another sentence."""\n\n# And a remark.'),
        ("F, Q", "(\n    Q,\n    F,\n)"),
        (
            "from django.db import migrations\nfrom django.db.models import F, Q",
            "from django.db.models import F, Q\nfrom django.db import migrations",
        ),
        ('number="x", floor=1', "\n        number='x',\n        floor=1,\n    "),
        ('"x"', '("" "x")'),
        ('[("annexe", "0001_initial")]', "[]"),
        ("dependencies =", "run_before = replaces = []\n    dependencies: list ="),
        ("    operations", "    dependencies += [('annexe', '0001_initial')]\n    operations"),
        (
            "class Migration(migrations.Migration):\n    dependencies = [",
            "from django.conf import settings\n\nclass Migration(migrations.Migration):\n"
            "    dependencies = [migrations.swappable_dependency(settings.GUESTS), ",
        ),
    ],
)
def test_what_does_the_same_is_no_edit(rooms, settings, old, new):  # noqa: F811
    settings.GUESTS = "annexe.Guest"
    assert old in FILE
    assert checksum(rooms, FILE) == checksum(rooms, FILE.replace(old, new, 1))


def test_a_checksum_of_an_earlier_version_is_known(rooms):  # noqa: F811
    """It was one of the dependencies too."""
    was = "98eb81a580e281fa444b5056fcd785073bfc0fefe7a54fa38083b9ad86a53494"
    assert not edits.is_edited(loaded(rooms, FILE), was)
    assert edits.is_edited(loaded(rooms, FILE.replace("floor=1", "floor=2")), was)


@pytest.mark.parametrize(
    "old, new",
    [
        ("floor=1", "floor=2"),
        ("floor=1", "floor=1.0"),
        ("up, migrations.RunPython.noop", "up"),
        ("class", "dependencies = []\nclass"),
        ("F, Q", "F"),
    ],
)
def test_what_changes_the_result_is_an_edit(rooms, old, new):  # noqa: F811
    assert old in FILE
    assert checksum(rooms, FILE) != checksum(rooms, FILE.replace(old, new, 1))


def test_who_did_what_where_and_how_many_rows_it_touched(rooms, settings):  # noqa: F811
    settings.CODE_VERSION = "release-7"
    journal._where.cache_clear()
    digest = checksum(rooms, FILE)
    rooms.migrate()
    journal._where.cache_clear()
    started, finished = JournalEntry.objects.filter(name="0002_up").order_by("pk")
    for entry in (started, finished):
        assert (entry.actor, entry.host) == (getpass.getuser(), socket.gethostname())
        assert (entry.process, entry.code_version) == (os.getpid(), "release-7")
        assert (entry.checksum, entry.is_fake) == (digest, False)
    assert (started.event, started.rows, started.seconds) == ("started", None, None)
    assert (finished.event, finished.rows) == ("finished", 3)
    assert finished.seconds > 0
    assert started.run == finished.run
    assert started.at <= finished.at


def test_a_run_is_one_command(project, rooms):  # noqa: F811
    rooms.write("0002_a").write("0003_b").migrate().migrate("0001")
    runs = [str(run) for run in JournalEntry.objects.order_by("pk").values_list("run", flat=True)]
    assert len(set(runs)) == 3  # 0001 alone; 0002 and 0003; both of them down
    assert runs[2:6] == [runs[2]] * 4


def test_an_error_is_told_by_its_first_line(rooms):  # noqa: F811
    code = 'def up(apps, editor):\n    raise ValueError("wrong\\npassword is secret")'
    rooms.write("0002_fail", "migrations.RunPython(up)", code=code)
    with pytest.raises(ValueError, match="wrong"):
        rooms.migrate()
    assert JournalEntry.objects.get(event="failed").error == "ValueError: wrong"


def test_what_is_written_is_never_changed(rooms, history):  # noqa: F811
    for change in ("UPDATE migrator_journal SET actor = 'x'", "DELETE FROM migrator_journal"):
        with pytest.raises(DatabaseError):
            history.execute(change)


def test_what_is_only_recorded_is_told_apart(project, rooms):  # noqa: F811
    rooms.write("0002_up", 'migrations.RunSQL("SELECT 1/0", migrations.RunSQL.noop)')
    project.migrate("annexe", fake=True).migrate("annexe", "0001", fake=True)
    rows = JournalEntry.objects.filter(name="0002_up").order_by("pk")
    assert list(rows.values_list("direction", "event", "is_fake")) == [
        ("forward", "started", True),
        ("forward", "finished", True),
        ("backward", "started", True),
        ("backward", "finished", True),
    ]


def test_nothing_to_do_writes_nothing(project, rooms):  # noqa: F811
    before = JournalEntry.objects.count()
    project.migrate()
    assert JournalEntry.objects.count() == before


def test_a_look_makes_no_journal(project, annexe):
    annexe.write("0001_initial")
    project.migrate(plan=True)
    with pytest.raises(SystemExit):
        project.migrate(check_unapplied=True)
    assert "migrator_journal" not in connection.introspection.table_names()


def test_the_commit_that_is_checked_out_is_the_version(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    assert journal.code_version() == ""
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert journal.code_version() == ""
    (git / "packed-refs").write_text("# pack-refs\n1234 refs/heads/old\nabcd refs/heads/main\n")
    assert journal.code_version() == "abcd"
    (git / "refs" / "heads" / "main").write_text("beef\n")
    assert journal.code_version() == "beef"
    (git / "HEAD").write_text("cafe\n")
    assert journal.code_version() == "cafe"
    settings.CODE_VERSION = "release-7"
    assert journal.code_version() == "release-7"
