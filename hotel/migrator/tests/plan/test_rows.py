"""NULL and equal values that a plan will not bear."""

import pytest
from django.db import connection

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.plan.finding import Finding, refuse
from hotel.migrator.tests.looking import FILL, LOOK, MAY_CHANGE, TWINS, alter, facts, looked, only

# NULL


def test_null_before_not_null_is_refused_and_nothing_changes(rooms, project):
    alter(rooms, "models.IntegerField()")
    before = project.facts()
    found = only()
    assert found == Finding(
        kind="null",
        refuses=True,
        migration="annexe.0002_change",
        operation="Alter field floor on room",
        cause="annexe.0002_change makes annexe_room.floor NOT NULL, with NULL in 1 row.",
        mend=FILL,
        count=1,
        keys=("3",),
    )
    with pytest.raises(RefusedByPreflight) as refused:
        refuse([found])
    assert str(refused.value) == (
        "Nothing was changed: 1 of the things that this run would meet must be mended first.\n"
        "  Refused: annexe.0002_change makes annexe_room.floor NOT NULL, with NULL in 1 row."
        f" Rows by key: 3. {FILL}"
    )
    assert project.facts() == before
    assert connection.introspection.table_names().count("migrator_archive") == 0


def test_ten_keys_are_named_and_the_others_counted(rooms, history):
    alter(rooms, "models.IntegerField()")
    for _ in range(13):
        history.insert("annexe_room", number="none", floor=None)
    found = only()
    assert (found.count, found.keys) == (14, ("3", *map(str, range(4, 13))))
    assert "Rows by key: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 4 more." in found.line()


def test_no_null_no_finding(rooms, history):
    alter(rooms, "models.IntegerField()")
    history.execute("UPDATE annexe_room SET floor = 0 WHERE floor IS NULL")
    assert looked() == []
    refuse(looked())
    rooms.migrate()


@pytest.mark.parametrize(
    "options",
    ["default=0", "db_default=0", "default=0), preserve_default=False"],
)
def test_a_default_fills_and_is_no_finding(rooms, history, options):
    field = f"models.IntegerField({options}" + ("" if ")" in options else ")")
    alter(rooms, field)
    assert looked() == []
    rooms.migrate()
    assert history.execute("SELECT floor FROM annexe_room WHERE id = 3") == [(0,)]


def test_null_that_an_empty_text_replaces_on_sqlite_only(rooms, history):
    rooms.write("0002_add_note", 'migrations.AddField("room", "note", models.TextField(null=True))')
    rooms.migrate()
    rooms.write(
        "0003_change", 'migrations.AlterField("room", "note", models.TextField(blank=True))'
    )
    assert [one.kind for one in looked()] == ([] if connection.vendor == "sqlite" else ["null"])
    if connection.vendor == "sqlite":
        rooms.migrate()


def test_null_that_an_earlier_operation_may_fill_is_a_warning(rooms, history):
    rooms.write("0002_fill", "migrations.RunPython(fill)", code="def fill(apps, editor): pass")
    rooms.write("0003_change", 'migrations.AlterField("room", "floor", models.IntegerField())')
    found = only()
    assert facts(found) == (
        False,
        "null",
        "annexe.0003_change makes annexe_room.floor NOT NULL, with NULL in 1 row now;"
        f" annexe.0002_fill (Raw Python operation) {MAY_CHANGE}",
        1,
        ("3",),
    )
    assert found.mend == LOOK
    refuse([found])


def test_what_does_nothing_or_writes_another_column_fills_nothing(rooms):
    rooms.write(
        "0002_fill",
        """
        migrations.RunPython(migrations.RunPython.noop),
        migrations.RunSQL(migrations.RunSQL.noop),
        BatchedRunPython(upper, BatchedRunPython.keep, "room", "number"),
        """,
        code="def upper(apps, number): return Upper(number)",
    )
    rooms.write("0003_change", 'migrations.AlterField("room", "floor", models.IntegerField())')
    assert only().refuses


def test_null_that_a_backfill_of_the_same_plan_fills_is_a_warning(rooms):
    rooms.write(
        "0002_fill",
        'BatchedRunPython(zero, BatchedRunPython.keep, "room", "floor")',
        code="def zero(apps, floor): return Case(When(floor=None, then=Value(0)), default=floor)",
        atomic=False,
    )
    rooms.write(
        "0003_require",
        'operations.RequireField("room", "floor", models.IntegerField(), backfill="0002_fill")',
        atomic=False,
    )
    assert "annexe.0002_fill (Change floor of room in batches) runs first" in only().cause
    rooms.migrate("0002_fill")
    assert looked() == []
    connection.cursor().execute("UPDATE annexe_room SET floor = NULL WHERE id = 2")
    found = only()
    assert facts(found) == (
        False,
        "null",
        "annexe.0003_require makes annexe_room.floor NOT NULL, with NULL in 1 row now;"
        f" the rule of 0002_fill {MAY_CHANGE}",
        1,
        ("2",),
    )
    rooms.migrate()


def test_a_column_that_the_plan_adds_or_renames_is_followed(rooms):
    rooms.write(
        "0002_rename",
        """
        migrations.AddField("room", "beds", models.IntegerField(null=True)),
        migrations.AlterField("room", "beds", models.IntegerField(unique=True, default=1)),
        migrations.RenameField("room", "floor", "storey"),
        migrations.RenameModel("Room", "Chamber"),
        migrations.AlterModelTable("Chamber", 'a "chamber"'),
        migrations.AlterField("chamber", "storey", models.IntegerField(null=True, db_column="s")),
        """,
    )
    rooms.write(
        "0003_require",
        """
        migrations.AlterField("chamber", "storey", models.IntegerField(db_column="s")),
        migrations.AddField("chamber", "floor", models.IntegerField(null=True)),
        migrations.AlterField("chamber", "floor", models.IntegerField()),
        """,
    )
    assert facts(only()) == (
        True,
        "null",
        "annexe.0003_require makes annexe_room.floor NOT NULL, with NULL in 1 row.",
        1,
        ("3",),
    )


def test_the_way_down_asks_for_the_old_not_null(rooms, history):
    alter(rooms, "models.CharField(max_length=20, null=True)", "number").migrate()
    assert looked(("annexe", "0001_initial")) == []
    history.execute("UPDATE annexe_room SET number = NULL WHERE id = 1")
    found = only(("annexe", "0001_initial"))
    assert (found.refuses, found.kind, found.keys) == (True, "null", ("1",))
    assert found.mend.endswith("and run manage.py db downgrade again.")


def test_names_that_need_quotes_are_quoted(rooms, history):
    rooms.write(
        "0002_rename",
        """
        migrations.AlterModelTable("room", "The Rooms"),
        migrations.AlterField(
            "room", "floor", models.IntegerField(null=True, db_column="Order by")
        ),
        """,
    ).migrate()
    rooms.write(
        "0003_change",
        """
        migrations.AlterField("room", "floor", models.IntegerField(db_column="Order by")),
        migrations.AddConstraint("room", models.CheckConstraint(
            name="high", condition=models.Q(floor__gt=1)
        )),
        """,
    )
    null, check = looked()
    assert facts(null)[2:] == (
        "annexe.0003_change makes The Rooms.Order by NOT NULL, with NULL in 1 row.",
        1,
        ("3",),
    )
    assert (check.kind, check.keys) == ("check", ("1",))


def test_what_only_the_state_says_is_not_looked_at(rooms):
    rooms.write(
        "0002_state",
        """
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("room", "floor", models.IntegerField()),
                migrations.RemoveField("room", "number"),
            ]
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel("room")]
        ),
        """,
    )
    assert looked() == []


def test_what_only_the_database_does_is_looked_at(rooms):
    rooms.write(
        "0002_database",
        """
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RenameField("room", "floor", "storey"),
                migrations.AlterField("room", "storey", models.IntegerField()),
            ]
        ),
        """,
    )
    assert facts(only())[1:] == (
        "null",
        "annexe.0002_database makes annexe_room.floor NOT NULL, with NULL in 1 row.",
        1,
        ("3",),
    )


# UNIQUE

UNIQUE = {
    "unique": 'migrations.AlterField("room", "floor", models.IntegerField(null=True, unique=True))',
    "unique_together": 'migrations.AlterUniqueTogether("room", {("floor",)})',
    "fields": 'models.UniqueConstraint(fields=["floor"], name="one")',
    "condition": 'models.UniqueConstraint(fields=["floor"], name="one", condition=~Q(number="%"))',
    "expression": 'models.UniqueConstraint(F("floor").desc(), name="one")',
}


def write_unique(rooms, operation):
    if operation.startswith("models."):
        operation = f'migrations.AddConstraint("room", {operation})'
    rooms.write("0002_unique", operation, code="from django.db.models import Q")


@pytest.mark.parametrize("way", UNIQUE)
def test_equal_values_before_unique_are_refused(rooms, history, way):
    write_unique(rooms, UNIQUE[way])
    history.insert("annexe_room", number="none", floor=None)  # NULL is not equal to NULL
    assert looked() == []
    history.insert("annexe_room", number="again", floor=2)
    name = "annexe_room.floor" if way.startswith("unique") else "annexe_room by one"
    assert facts(only()) == (
        True,
        "unique",
        f"annexe.0002_unique makes {name} unique, with equal values in 2 rows.",
        2,
        ("2", "5"),
    )
    assert only().mend == TWINS
    history.execute("DELETE FROM annexe_room WHERE number = 'again'")
    rooms.migrate()


def test_equal_values_outside_of_the_condition_are_let_be(rooms, history):
    write_unique(
        rooms, 'models.UniqueConstraint(fields=["floor"], name="one", condition=Q(floor__gt=2))'
    )
    history.insert("annexe_room", number="again", floor=2)
    assert looked() == []
    rooms.migrate()


def test_equal_expressions_are_found_under_the_names_that_stand(rooms, history):
    rooms.write(
        "0002_unique",
        """
        migrations.RenameField("room", "number", "label"),
        migrations.AddConstraint(
            "room", models.UniqueConstraint(Lower("label"), "floor", name="one")
        ),
        """,
    )
    history.insert("annexe_room", number="ATTIC", floor=3)
    assert looked() == []
    history.execute("UPDATE annexe_room SET floor = 3 WHERE id IN (3, 4)")
    assert facts(only())[3:] == (2, ("3", "4"))


def test_null_is_equal_to_null_where_the_constraint_says_so(rooms, history):
    write_unique(
        rooms, 'models.UniqueConstraint(fields=["floor"], name="one", nulls_distinct=False)'
    )
    history.insert("annexe_room", number="none", floor=None)
    if connection.features.supports_nulls_distinct_unique_constraints:
        assert facts(only())[3:] == (2, ("3", "4"))
    else:  # Django makes none there
        assert looked() == []
        rooms.migrate()


def test_the_second_change_of_a_column_is_looked_at_too(rooms, history):
    rooms.write(
        "0002_twice",
        """
        migrations.AlterField("room", "floor", models.IntegerField(default=0)),
        migrations.AlterField("room", "floor", models.IntegerField(unique=True)),
        """,
    )
    history.insert("annexe_room", number="again", floor=2)
    found = only()
    assert (found.refuses, found.kind, found.count) == (False, "unique", 2)
    assert "annexe.0002_twice (Alter field floor on room) runs first" in found.cause


def test_values_of_another_type_need_not_be_equal_any_more(rooms, history):
    rooms.write(
        "0002_twice",
        """
        migrations.AlterField("room", "number", models.TextField()),
        migrations.AlterField("room", "number", models.TextField(unique=True)),
        """,
    )
    history.insert("annexe_room", number="101", floor=2)
    assert (only().refuses, only().keys) == (False, ("1", "4"))
