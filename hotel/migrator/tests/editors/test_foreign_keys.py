"""Foreign keys in a migration: checked at commit, and what until then refuses ALTER TABLE."""

import re

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from hotel.migrator.tests.commands import journal

FAMILY = """
operations.CreateModel("Room", [("id", models.AutoField(primary_key=True))]),
operations.CreateModel(
    "Guest",
    [
        ("id", models.AutoField(primary_key=True)),
        ("name", models.CharField(max_length=20, null=True)),
        ("room", models.ForeignKey("annexe.Room", models.CASCADE)),
    ],
),
"""


@pytest.fixture
def family(annexe):
    """Rooms and guests, who need a room."""
    return annexe.write("0001_initial", FAMILY).migrate()


def guests(history):
    return history.execute("SELECT id, room_id FROM annexe_guest ORDER BY id")


# Checked at commit


def test_constraint_waits_for_the_commit_on_both_engines(family, history):
    if connection.vendor == "postgresql":
        [constraint] = [
            facts
            for thing, facts in history.catalog().items()
            if (thing.kind, thing.table) == ("foreign key", "annexe_guest")
        ]
        assert constraint == {
            "definition": (
                "foreign key ( room_id ) references annexe_room ( id )"
                " deferrable initially deferred"
            ),
            "valid": "yes",
        }
    else:
        [(sql,)] = history.execute("SELECT sql FROM sqlite_master WHERE name = 'annexe_guest'")
        assert 'REFERENCES "annexe_room" ("id") DEFERRABLE INITIALLY DEFERRED' in sql


def test_child_may_come_before_its_parent_in_one_transaction(family, history):
    with transaction.atomic():
        history.insert("annexe_guest", id=1, room_id=7)
        history.insert("annexe_room", id=7)
    assert guests(history) == [(1, 7)]


def test_child_without_a_parent_fails_at_the_commit_and_leaves_nothing(family, history):
    reached = []
    message = r"(?i)violates foreign key|foreign key constraint"
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        history.insert("annexe_guest", id=1, room_id=7)
        reached = guests(history)
    assert reached == [(1, 7)]
    assert guests(history) == []


def test_child_without_a_parent_fails_at_once_if_nothing_is_deferred(family, history):
    with pytest.raises(IntegrityError, match=r"(?i)violates foreign key|foreign key constraint"):
        history.insert("annexe_guest", id=1, room_id=7)
    assert guests(history) == []


@pytest.mark.postgresql
def test_constraints_may_be_asked_at_once_or_later_again(family, history):
    """The guide's SET CONSTRAINTS: IMMEDIATE asks for what was put off."""
    message = "violates foreign key constraint"
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        history.insert("annexe_guest", id=1, room_id=7)
        history.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with transaction.atomic():
        history.insert("annexe_room", id=7)
        history.insert("annexe_guest", id=1, room_id=7)
        history.execute("SET CONSTRAINTS ALL IMMEDIATE")
        history.execute("SET CONSTRAINTS ALL DEFERRED")
        history.insert("annexe_guest", id=2, room_id=8)
        history.insert("annexe_room", id=8)
    assert guests(history) == [(1, 7), (2, 8)]


# In a migration


CHILD_FIRST = """
    def fill(apps, schema_editor):
        Guest, Room = apps.get_model("annexe", "Guest"), apps.get_model("annexe", "Room")
        Guest.objects.create(id=1, room_id=7)
        Room.objects.create(id=7)

    def empty(apps, schema_editor):
        apps.get_model("annexe", "Room").objects.all().delete()
        apps.get_model("annexe", "Guest").objects.all().delete()
"""
PARENT_FIRST = """
    def fill(apps, schema_editor):
        Guest, Room = apps.get_model("annexe", "Guest"), apps.get_model("annexe", "Room")
        Room.objects.create(id=7)
        Guest.objects.create(id=1, room_id=7)

    def empty(apps, schema_editor):
        apps.get_model("annexe", "Guest").objects.all().delete()
        apps.get_model("annexe", "Room").objects.all().delete()
"""
ORPHAN = """
    def fill(apps, schema_editor):
        apps.get_model("annexe", "Guest").objects.create(id=1, room_id=7)

    def empty(apps, schema_editor):
        apps.get_model("annexe", "Guest").objects.all().delete()
"""
FILL = "migrations.RunPython(fill, empty),"
REQUIRE_NAME = """
migrations.AlterField("guest", "name", models.CharField(max_length=50, null=True)),
"""


def test_data_migration_may_insert_the_child_first(family, project, history):
    family.write("0002_fill", FILL, code=CHILD_FIRST)
    facts = project.facts()
    family.migrate()
    assert guests(history) == [(1, 7)]
    family.migrate("0001_initial")
    assert project.facts() == facts


def test_data_migration_that_leaves_an_orphan_fails_and_leaves_nothing(family, project, history):
    family.write("0002_fill", FILL, code=ORPHAN)
    facts = project.facts()
    result = project.manage("migrate", "annexe")
    assert result.returncode == 5
    said = "failed at its end: .*(violates|has an invalid) foreign key.* refer"
    assert re.search(said, result.stderr)
    assert project.facts() == facts
    assert history.execute("SELECT name FROM django_migrations WHERE app = 'annexe'") == [
        ("0001_initial",)
    ]


PENDING = "cannot ALTER TABLE .* because it has pending trigger events"


@pytest.mark.postgresql
def test_rows_and_an_alter_table_in_one_transaction_are_refused_by_postgresql(family, project):
    """What a foreign key has put off stands in the way of ALTER TABLE."""
    family.write("0002_fill_and_lengthen", FILL + REQUIRE_NAME, code=CHILD_FIRST)
    facts = project.facts()
    with pytest.raises(OperationalError, match=PENDING):
        family.migrate()
    assert project.facts() == facts


@pytest.mark.sqlite
def test_rows_and_a_rebuild_in_one_transaction_pass_on_sqlite(family, project, history):
    """SQLite rebuilds the table from the rows and checks the foreign keys at the end."""
    family.write("0002_fill_and_lengthen", FILL + REQUIRE_NAME, code=CHILD_FIRST)
    facts = project.facts()
    family.migrate()
    assert guests(history) == [(1, 7)]
    family.migrate("0001_initial")
    assert project.facts() == facts


@pytest.mark.sqlite
def test_orphan_and_a_rebuild_in_one_transaction_fail_on_sqlite_too(family, project):
    family.write("0002_fill_and_lengthen", FILL + REQUIRE_NAME, code=ORPHAN)
    facts = project.facts()
    result = project.manage("migrate", "annexe")
    assert result.returncode == 5
    assert "has an invalid foreign key: annexe_guest.room_id contains a value '7'" in result.stderr
    assert project.facts() == facts


def test_two_migrations_are_the_cure_on_both_engines(family, project, history):
    family.write("0002_fill", FILL, code=CHILD_FIRST)
    family.write("0003_lengthen_name", REQUIRE_NAME)
    facts = project.facts()
    family.migrate()
    assert guests(history) == [(1, 7)]
    head = project.facts()
    family.migrate("0001_initial")
    assert project.facts() == facts
    family.migrate()
    assert project.facts() == head


@pytest.mark.postgresql
def test_constraints_asked_at_once_are_the_other_cure(family, project, history):
    at_once = 'migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),'
    family.write(
        "0002_fill_and_lengthen", at_once + FILL + at_once + REQUIRE_NAME, code=PARENT_FIRST
    )
    facts = project.facts()
    family.migrate()
    assert guests(history) == [(1, 7)]
    family.migrate("0001_initial")
    assert project.facts() == facts


@pytest.mark.parametrize("atomic", [True, False])
def test_batches_leave_nothing_pending_for_the_operation_after_them(
    family, project, history, atomic
):
    """A change of a column that no foreign key reads puts nothing off."""
    family.write(
        "0002_name_and_require",
        """
        BatchedRunPython(name, BatchedRunPython.keep, "guest", "name", batch_size=1),
        migrations.AlterField("guest", "name", models.CharField(max_length=20)),
        """,
        code="""
            def name(apps, value):
                return Case(When(name=None, then=Value("nobody")), default=value)
        """,
        atomic=atomic,
    )
    for key in (1, 2):
        history.insert("annexe_room", id=key)
        history.insert("annexe_guest", id=key, room_id=key)
    facts = project.facts()
    family.migrate()
    assert history.execute("SELECT DISTINCT name FROM annexe_guest") == [("nobody",)]
    family.migrate("0001_initial")
    assert project.facts() == facts


def test_column_that_a_foreign_key_reads_comes_back_and_is_required_in_one_transaction(
    family, project, history
):
    """What is given back is asked at once, so that nothing is pending for NOT NULL."""
    family.write("0002_remove_room", 'operations.RemoveField("guest", "room")')
    for key in (1, 2):
        history.insert("annexe_room", id=key)
    for key in (1, 2):
        history.insert("annexe_guest", id=key, room_id=3 - key)
    facts = project.facts()
    family.migrate().migrate("0001_initial")
    assert project.facts() == facts


# Columns with a foreign key


def test_foreign_key_is_added_filled_and_required_in_three_migrations(family, project, history):
    """The guide's ``guest_id``: nullable, filled, required; the constraint holds from the start."""
    family.write(
        "0002_add_bed",
        """
        operations.AddField(
            "guest", "bed", models.ForeignKey("annexe.Room", models.PROTECT, null=True,
            related_name="+")
        )
        """,
    )
    family.write(
        "0003_fill_bed",
        """BatchedRunPython(bed, BatchedRunPython.clear, "guest", "bed", source="room")""",
        code="""
            def bed(apps, room):
                return F("room_id")
        """,
        atomic=False,
    )
    family.write(
        "0004_require_bed",
        """
        operations.RequireField(
            "guest",
            "bed",
            models.ForeignKey("annexe.Room", models.PROTECT, related_name="+"),
            backfill="0003_fill_bed",
        )
        """,
        atomic=False,
    )
    for key in (1, 2):
        history.insert("annexe_room", id=key)
        history.insert("annexe_guest", id=key, room_id=key)
    facts = project.facts()
    family.migrate("0002_add_bed")
    with pytest.raises(IntegrityError):
        history.execute("UPDATE annexe_guest SET bed_id = 9")
    family.migrate("0003_fill_bed")
    history.insert("annexe_guest", id=3, room_id=1)
    family.migrate()
    assert history.execute("SELECT id, bed_id FROM annexe_guest ORDER BY id") == [
        (1, 1),
        (2, 2),
        (3, 1),
    ]
    with pytest.raises(IntegrityError):
        history.execute("UPDATE annexe_guest SET bed_id = 9")
    history.execute("DELETE FROM annexe_guest WHERE id = 3")
    head = project.facts()
    family.migrate("0001_initial")
    assert project.facts() == facts
    family.migrate()
    assert project.facts() == head


# A table of SQLite is made anew to be altered, with foreign keys off meanwhile


REBUILDS = {
    "a parent": 'migrations.AlterField("room", "id", models.BigAutoField(primary_key=True))',
    "a child": 'migrations.AlterField("guest", "name", models.CharField(max_length=9, default=""))',
    "a key": 'migrations.AlterField("guest", "room", models.ForeignKey("annexe.Room",'
    " models.PROTECT, null=True))",
    "a name": 'migrations.RenameModel("Room", "Chamber")',
}


@pytest.mark.sqlite
@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("operation", REBUILDS.values(), ids=REBUILDS)
def test_references_outlive_a_table_that_is_made_anew(family, project, history, operation, atomic):
    history.insert("annexe_room", id=7)
    history.insert("annexe_guest", id=1, name="Ada", room_id=7)
    family.write("0002_change", operation, atomic=atomic)
    for target in ("0002", "0001", "0002"):
        family.migrate(target)
        assert history.execute("PRAGMA foreign_keys") == [(1,)]
        assert history.execute("PRAGMA foreign_key_check") == []
        assert guests(history) == [(1, 7)]
        [(_, _, table, column, *_)] = history.execute("PRAGMA foreign_key_list(annexe_guest)")
        is_renamed = "RenameModel" in operation and target == "0002"
        assert (table, column) == ("annexe_chamber" if is_renamed else "annexe_room", "room_id")
        with pytest.raises(IntegrityError):
            history.insert("annexe_guest", id=2, name="Bob", room_id=99)


@pytest.mark.parametrize("atomic", [True, False])
def test_an_orphan_that_code_leaves_is_undone_and_told(family, history, atomic):
    family.write(
        "0002_orphan",
        "migrations.RunPython(add, atomic=True)",
        code="""
        def add(apps, editor):
            apps.get_model("annexe", "Guest").objects.create(id=1, room_id=99)
        """,
        atomic=atomic,
    )
    for _ in range(2):
        with pytest.raises(IntegrityError):
            family.migrate()
        assert not connection.in_atomic_block
        assert guests(history) == []
        assert journal()[-1] == ("0002_orphan", "forward", "failed")
    if connection.vendor == "sqlite":
        assert history.execute("PRAGMA foreign_keys") == [(1,)]
