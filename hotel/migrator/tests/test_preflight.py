"""What ``migrate`` refuses before its first statement."""

import pytest
from django.core.management import CommandError
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor

from conftest import OWN_APPS, PLAN
from hotel.migrator.exceptions import Interrupted
from hotel.migrator.plan.finding import refuse
from hotel.migrator.storage.tables import Cursor, ensure
from hotel.migrator.tests import legacy
from hotel.migrator.tests.commands import db
from hotel.migrator.tests.looking import looked

BACKFILL = ("reservations", "0005_backfill_deposit_amount")
OWNER = "reservations.0005_backfill_deposit_amount#0"


def interrupt(direction):
    """Leave what a killed run leaves: a cursor, and a record that says nothing of it."""
    counts = {"rows_read": 1, "rows_changed": 1, "rows_archived": 0}
    Cursor.objects.create(owner=f"{OWNER} {direction}", last_key="1", **counts)


def refusal(history, *target):
    with pytest.raises(CommandError) as refused:
        history.migrate(*target)
    return str(refused.value), refused.value.returncode


def test_cursors_of_finished_migrations_are_deleted(history):
    history.initial().load_sample().migrate(*BACKFILL)
    assert not Cursor.objects.exists()
    interrupt("forward")  # it is applied, so this one is of a run that ended
    history.migrate("reservations", "0006")
    assert not Cursor.objects.exists()


def test_what_was_interrupted_on_its_way_up_goes_up_before_anything_else(history):
    history.before(BACKFILL)
    legacy.reservation(history, 1)
    legacy.reservation(history, 2)
    history.migrate(*BACKFILL).migrate("reservations", "0004")  # makes the tables
    interrupt("forward")
    before = history.dump()
    sentence = (
        "reservations.0005_backfill_deposit_amount was interrupted on its way up:"
        " finish it first with manage.py migrate reservations 0005_backfill_deposit_amount."
    )
    assert refusal(history, "reservations", "0001") == (sentence, 6)
    assert refusal(history, "reservations", "0004") == (sentence, 6)
    assert history.dump() == before
    history.migrate(*BACKFILL)
    deposits = "SELECT id, deposit_amount FROM reservations ORDER BY id"
    assert history.execute(deposits) == [(1, None), (2, 0)]
    history.migrate("reservations", "0001")
    assert not Cursor.objects.exists()


def test_what_was_interrupted_on_its_way_down_goes_down_before_anything_else(history):
    history.at(BACKFILL)
    legacy.reservation(history, 1)
    history.migrate("reservations", "0004").migrate(*BACKFILL)
    interrupt("backward")
    sentence = (
        "reservations.0005_backfill_deposit_amount was interrupted on its way down:"
        " finish it first with manage.py migrate reservations 0004_add_deposit_columns."
    )
    assert refusal(history) == (sentence, 6)
    assert refusal(history, *BACKFILL) == (sentence, 6)
    history.migrate("reservations", "0004").migrate(*BACKFILL)
    assert not Cursor.objects.exists()


def test_what_another_process_has_run_meanwhile_is_not_run_again(history):
    history.before(BACKFILL)
    legacy.reservation(history, 1)
    executor = MigrationExecutor(connection)  # its plan is made, and then somebody else is faster
    plan = [(executor.loader.graph.nodes[BACKFILL], False)]
    history.migrate(*BACKFILL)
    with pytest.raises(CommandError) as refused:
        executor.migrate([], plan=plan)
    assert str(refused.value) == (
        "reservations.0005_backfill_deposit_amount was run by another process meanwhile,"
        " and nothing is lost: run the same command again."
    )
    assert not Cursor.objects.exists()
    history.migrate("reservations", "0004")
    assert history.execute("SELECT deposit_amount FROM reservations") == [(None,)]


def test_what_stopped_between_operations_goes_on_before_anything_else(rooms, project, history):
    rooms.write(
        "0002_two",
        """
        migrations.RunPython(migrations.RunPython.noop, fail),
        migrations.AddField("room", "beds", models.IntegerField(null=True)),
        """,
        code="def fail(apps, editor):\n    raise ValueError",
        atomic=False,
    ).migrate()
    with pytest.raises(ValueError):
        project.migrate("annexe", "0001")
    rooms.write(
        "0003_three", 'migrations.AddField("room", "doors", models.IntegerField(null=True))'
    )
    before = project.facts()
    with pytest.raises(CommandError) as refused:
        project.migrate()
    assert (str(refused.value), refused.value.returncode) == (
        "annexe.0002_two was stopped on its way down in an operation that has no transaction (Raw"
        " Python operation, fail()), so part of it may be done: running it again could do that part"
        " twice. Look at its rows and finish or undo it by hand; then record what is true with"
        " manage.py migrate --fake annexe 0002_two, or with the name of the migration before it.",
        6,
    )
    assert project.facts() == before


def test_where_a_migration_goes_down_to_is_told_by_the_graph(rooms, project):
    first = [("annexe", "0001_initial")]
    rooms.write("0002_left", "", after=first).write("0002_right", "", after=first)
    rooms.write("0003_merge", "", after=[("annexe", "0002_left"), ("annexe", "0002_right")])
    rooms.migrate()
    with connection.schema_editor() as editor:
        ensure(editor)
    counts = {"rows_read": 1, "rows_changed": 1, "rows_archived": 0}
    for name, target in (("0002_right", "0001_initial"), ("0003_merge", "0002_right")):
        cursor = Cursor.objects.create(owner=f"annexe.{name}#0 backward", last_key="1", **counts)
        assert only(plan=[]).mend == f"Finish it first with manage.py migrate annexe {target}."
        cursor.delete()


def test_what_was_interrupted_and_whose_file_is_missing_is_to_be_brought_back(rooms, project):
    rooms.write("0002_gone", "").migrate()
    with connection.schema_editor() as editor:
        ensure(editor)
    counts = {"rows_read": 1, "rows_changed": 1, "rows_archived": 0}
    Cursor.objects.create(owner="annexe.0002_gone#0 backward", last_key="1", **counts)
    rooms.path("0002_gone").unlink()
    project.reload()
    with pytest.raises(CommandError) as refused:
        project.migrate()
    assert str(refused.value) == (
        "annexe.0002_gone was interrupted on its way down: its file is missing, so bring that back,"
        " for example with git, and finish it first with manage.py migrate annexe 0001_initial;"
        " if it is gone for good, forget it with manage.py db stamp --purge."
    )
    db("stamp", "--purge")
    project.migrate()
    assert not Cursor.objects.exists()


@pytest.mark.sqlite
def test_a_row_without_its_parent_is_found_before_anything_changes(history):
    history.initial()
    legacy.reservation(history, 1)
    history.execute("PRAGMA foreign_keys = OFF")
    history.execute("UPDATE reservations SET guest_id = 99")
    history.execute("PRAGMA foreign_keys = ON")
    before = history.dump(), history.catalog()
    assert refusal(history) == (
        "The row in table 'reservations' with primary key '1' has an invalid foreign key:"
        " reservations.guest_id contains a value '99' that does not have a corresponding value in"
        " guests.id. Nothing was changed: mend the row and run migrate again.",
        3,
    )
    assert (history.dump(), history.catalog()) == before


# What is found in the graph and the journal


def only(*targets, **options):
    [finding] = looked(*targets, **options)
    return finding


def test_nothing_refuses_the_whole_history_up_or_down(history):
    history.initial().load_sample()
    before = history.dump(), history.catalog()
    up = looked()
    history.climb()
    down = looked(*((app, "0001_initial") for app in reversed(OWN_APPS)))
    assert not [finding.line() for finding in up + down if finding.refuses]
    # What is added to the history later may archive more.
    counted = PLAN[: PLAN.index(("dashboard", "0003_add_daily_metrics")) + 1]
    up, down = (
        [found for found in findings_ if tuple(found.migration.split(".")) in counted]
        for findings_ in (up, down)
    )
    assert {finding.kind for finding in down} == {"archived"}
    assert [(finding.kind, finding.migration, finding.count) for finding in up] == [
        ("archived", "reservations.0011_replace_status", 297),
        ("null", "rooms.0004_require_room_status", 1),  # which a CatchUp before it fills
        ("archived", "accounts.0006_drop_role_and_status", 24),
        ("archived", "accounts.0006_drop_role_and_status", 25),
        ("archived", "reservations.0017_replace_number_of_nights", 298),
    ]
    history.descend()
    assert (history.dump(), history.catalog()) == before


def test_an_operation_without_reverse_anywhere_in_the_plan_is_refused(rooms, project):
    rooms.write(
        "0002_note",
        """
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL("SELECT 1"), migrations.RunPython(migrations.RunPython.noop)
            ]
        )
    """,
    )
    rooms.write("0003_add", 'migrations.AddField("room", "beds", models.IntegerField(null=True))')
    rooms.migrate()
    before = project.facts()
    found = looked(("annexe", "0001_initial"))
    assert [finding.line() for finding in found] == [
        f"Refused: annexe.0002_note cannot be undone: its operation (Raw {what} operation) has no"
        " reverse. Write one, or take a target for manage.py db downgrade that leaves"
        " annexe.0002_note applied."
        for what in ("Python", "SQL")
    ]
    assert looked(("annexe", "0002_note")) == []
    assert project.facts() == before


def test_a_migration_that_is_still_to_be_written_is_refused(rooms):
    rooms.write("0002_fill", 'operations.Unfinished("the rule")')
    assert [finding.line() for finding in looked()] == [
        "Refused: annexe.0002_fill is not written yet: the rule. Write it, delete the line that"
        " says Unfinished, and run manage.py db upgrade again."
    ]


def test_a_plan_without_what_it_depends_on_is_refused(rooms):
    rooms.write("0002_one", "").write("0003_two", "")
    one, two = ("annexe", "0002_one"), ("annexe", "0003_two")
    assert looked(plan=[(one, False), (two, False)]) == []
    found = only(plan=[(two, False)])
    assert (found.kind, found.refuses, found.migration) == ("dependency", True, "annexe.0003_two")
    assert found.cause == (
        "annexe.0003_two would be applied before annexe.0002_one, which it depends on."
    )
    assert found.mend == "Apply both with manage.py db upgrade annexe.0003_two."
    rooms.migrate()
    assert looked(plan=[(two, True), (one, True)]) == []
    found = only(plan=[(one, True)])
    assert found.cause == (
        "annexe.0002_one would be undone before annexe.0003_two, which depends on it."
    )
    assert found.mend == "Undo both: manage.py db downgrade --cascade."


def test_a_migration_that_is_applied_without_what_it_depends_on_is_refused(rooms, history):
    rooms.write("0002_one", "").write("0003_two", "").write("0004_three", "").migrate()
    history.execute("DELETE FROM django_migrations WHERE name = '0002_one'")
    found = looked(plan=[])
    assert [(finding.migration, finding.cause, finding.mend) for finding in found] == [
        (
            "annexe.0003_two",
            "annexe.0003_two is applied, but annexe.0002_one, which it depends on, is not.",
            "If its change is in the database, record it too with manage.py db stamp"
            " annexe.0004_three; if not, the file came too late: mend its dependencies.",
        )
    ]


GHOST = "annexe.0002_one is applied, but its file is missing"
BRING = (
    "Bring the file back, for example with git; or, if it is gone for good, forget the record with"
    " manage.py db stamp --purge."
)


def test_an_applied_migration_whose_file_is_missing_is_a_warning(rooms, project, warnings):
    rooms.write("0002_one", "").migrate()
    rooms.path("0002_one").unlink()
    project.reload()
    found = only()
    assert (found.kind, found.refuses, found.migration) == ("ghost", False, "annexe.0002_one")
    assert (found.cause, found.mend) == (f"{GHOST}.", BRING)
    project.migrate()
    assert warnings() == [f"{GHOST}. {BRING}"]
    project.migrate("annexe", prune=True)
    assert looked() == []


def test_a_way_down_over_a_migration_whose_file_is_missing_is_refused(rooms, project):
    rooms.write("0002_one", "").migrate()
    rooms.path("0002_one").unlink()
    rooms.write("0003_two", "", after=[("annexe", "0001_initial")]).migrate()
    assert not only(("annexe", "0001_initial")).refuses
    [found] = [one for one in looked(("annexe", None)) if one.kind == "ghost"]
    assert found.refuses
    assert found.cause == f"{GHOST}, and the plan undoes annexe.0001_initial, which ran before it."


def test_a_squashed_migration_is_none_that_is_missing(rooms, project):
    rooms.write("0002_one", "").migrate()
    squash = rooms.path("0001_squashed_0002_one")
    squash.write_text(
        rooms.path("0001_initial")
        .read_text()
        .replace(
            "    atomic",
            '    replaces = [("annexe", "0001_initial"), ("annexe", "0002_one")]\n    atomic',
        )
    )
    for name in ("0001_initial", "0002_one"):
        rooms.path(name).unlink()
    project.reload()
    assert looked() == []


def test_an_applied_file_that_was_edited_is_a_warning(rooms, project, history, warnings):
    rooms.write("0002_add", 'migrations.AddField("room", "beds", models.IntegerField(null=True))')
    rooms.migrate()
    path = rooms.path("0002_add")
    written = path.read_text()
    path.write_text(written.replace('"room", "beds",', '"room",  # reformatted\n"beds",'))
    project.reload()
    assert looked() == []
    path.write_text(written.replace("IntegerField", "BigIntegerField"))
    rooms.write("0003_next", "")
    found = only()
    assert (found.kind, found.refuses, found.migration) == ("edited", False, "annexe.0002_add")
    [(today,)] = history.execute("SELECT max(at) FROM migrator_journal")
    assert found.cause == f"annexe.0002_add was edited since it ran on {str(today)[:10]}."
    assert found.mend == (
        "Take the change back and write it as a further migration, as manage.py makemigrations"
        " annexe does; databases elsewhere have what the file said before."
    )
    project.migrate()
    assert warnings() == [f"{found.cause} {found.mend}"]
    project.migrate("annexe", "0001").migrate()
    assert looked() == []  # it ran again, as it is now


def test_a_migration_that_stopped_between_operations_goes_on_before_anything_else(
    rooms, project, history
):
    rooms.write(
        "0002_two",
        """
        migrations.AddField("room", "beds", models.IntegerField(null=True)),
        migrations.AlterField("room", "floor", models.IntegerField()),
        """,
        atomic=False,
    )
    with pytest.raises(IntegrityError):
        project.migrate()
    assert [finding.kind for finding in looked()] == ["null"]
    found = only(plan=[])
    assert (found.kind, found.refuses, found.migration) == ("interrupted", True, "annexe.0002_two")
    assert found.line() == (
        "Refused: annexe.0002_two was interrupted on its way up. Finish it first with manage.py"
        " migrate annexe 0002_two."
    )
    with pytest.raises(Interrupted):
        refuse([found])
    history.execute("UPDATE annexe_room SET floor = 2")
    project.migrate()
    assert looked(plan=[]) == []


def test_what_was_interrupted_is_found_too(history):
    history.before(BACKFILL)
    legacy.reservation(history, 1)
    history.migrate(*BACKFILL).migrate("reservations", "0004")
    interrupt("forward")
    assert [finding.kind for finding in looked() if finding.refuses] == []
    found = only(("reservations", "0003_add_checked_in_by"))
    assert found.line() == (
        "Refused: reservations.0005_backfill_deposit_amount was interrupted on its way up. Finish"
        " it first with manage.py migrate reservations 0005_backfill_deposit_amount."
    )
    history.migrate(*BACKFILL)
    interrupt("forward")  # it is applied, so this one is of a run that ended
    assert "interrupted" not in [finding.kind for finding in looked(plan=[])]


# Plain migrate


def test_plain_migrate_warns_of_what_it_drops_and_drops_it(rooms, project, history, warnings):
    rooms.write(
        "0002_drop",
        """
        migrations.RemoveField("room", "floor"),
        operations.RemoveField("room", "number"),
        migrations.AddField("room", "beds", models.IntegerField(default=1)),
    """,
    )
    rooms.write(
        "0003_unique", 'migrations.AlterField("room", "id", models.BigAutoField(primary_key=True))'
    )
    project.migrate("annexe", "0003", fake=True).migrate("annexe", "0001", fake=True)
    assert warnings() == []
    project.migrate()
    assert warnings() == [
        "annexe.0002_drop drops annexe_room.floor, with values in 2 rows. Only a back-up brings"
        " them back; operations.RemoveField instead of migrations.RemoveField would archive them."
    ]
    assert history.execute("SELECT id, beds FROM annexe_room") == [(1, 1), (2, 1), (3, 1)]


def test_fake_skips_what_refuses_too(history):
    history.at(BACKFILL)
    legacy.reservation(history, 1)
    history.migrate("reservations", "0004").migrate(*BACKFILL)
    interrupt("backward")
    history.migrate("reservations", fake=True)
    assert not Cursor.objects.exists()  # what is recorded now is true, so nothing was begun


@pytest.mark.postgresql
def test_plain_migrate_warns_of_values_that_a_new_type_cuts(rooms, project, history, warnings):
    rooms.write("0002_text", 'migrations.AlterField("room", "number", models.TextField())')
    project.migrate()
    rooms.write(
        "0003_short",
        """
        migrations.AlterField("room", "number", models.CharField(max_length=4)),
        migrations.AlterField("room", "floor", models.BooleanField(null=True)),
        """,
    )
    project.migrate()
    assert warnings() == [
        "annexe.0003_short makes annexe_room.number varchar(4), which is too short for 1 row: they"
        " would be cut. What is cut off does not come back on the way down.",
        "annexe.0003_short makes annexe_room.floor boolean, and changes the values of 1 row in"
        " doing so. What they were does not come back on the way down.",
    ]
    assert history.execute("SELECT number, floor FROM annexe_room ORDER BY id") == [
        ("101", True),
        ("202", True),
        ("atti", None),
    ]
