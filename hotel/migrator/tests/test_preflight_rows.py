"""What a plan will ask of the rows that stand, and of those it drops."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from hotel.migrator.exceptions import Interrupted, RefusedByPreflight
from hotel.migrator.preflight import Finding, findings, refuse
from hotel.migrator.tests.projects import FLAG

UPGRADE = "and run manage.py db upgrade again."
FILL = f"Fill them, by hand or with a RunPython before that operation, {UPGRADE}"
TWINS = (
    "Change or delete all but one of each, by hand or with a RunPython before that operation,"
    f" {UPGRADE}"
)
MAY_CHANGE = "runs first and may change that."
LOOK = "If it does not, manage.py db upgrade fails there: look at them."


def looked(*targets, **options):
    """Return the findings about the way to ``targets``, or to head."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(list(targets) or executor.loader.graph.leaf_nodes())
    return findings(connection, executor.loader, plan, **options)


def only(*targets, **options):
    [finding] = looked(*targets, **options)
    return finding


def facts(finding):
    """Return whether it refuses, its kind, its cause, how many rows and which."""
    return finding.refuses, finding.kind, finding.cause, finding.count, finding.keys


NAMES = ("101", "202", "attic")  # with the floors 1, 2 and NULL


def alter(rooms, field, name="floor", **options):
    return rooms.write(
        "0002_change", f'migrations.AlterField("room", "{name}", {field})', **options
    )


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


# Foreign keys


BED = """
migrations.CreateModel(
    "Bed",
    [
        ("code", models.CharField(max_length=9, primary_key=True)),
        ("room", models.IntegerField(db_column="room_id", null=True)),
    ],
),
"""


@pytest.mark.parametrize("constrained", [True, False])
def test_values_without_a_row_before_a_foreign_key_are_refused(rooms, history, constrained):
    rooms.write("0002_add_beds", BED)
    if not constrained:
        rooms.write(
            "0003_refer",
            """
            migrations.AlterField("bed", "room", models.ForeignKey(
                "annexe.Room", models.CASCADE, null=True, db_constraint=False, db_column="room_id"
            )),
            """,
        )
    rooms.migrate()
    rooms.write(
        "0004_constrain",
        """
        migrations.AlterField("bed", "room", models.ForeignKey(
            "annexe.Room", models.CASCADE, null=True, db_column="room_id"
        )),
        """,
    )
    for code, room in (("a", 1), ("b", 99), ("c", None)):
        history.insert("annexe_bed", code=code, room_id=room)
    found = only()
    assert facts(found) == (
        True,
        "orphan",
        "annexe.0004_constrain lets annexe_bed.room_id refer to annexe_room.id, with nothing there"
        " for 1 row.",
        1,
        ("b",),
    )
    assert found.mend == f"Give them something to refer to, or delete them, {UPGRADE}"
    history.execute("UPDATE annexe_bed SET room_id = 2 WHERE code = 'b'")
    assert looked() == []
    rooms.migrate()


def test_one_bed_a_room_is_looked_at_where_a_foreign_key_becomes_one_to_one(rooms, history):
    rooms.write(
        "0002_add_beds",
        BED.replace(
            "models.IntegerField(",
            """models.ForeignKey(
        "annexe.Room", models.CASCADE, """,
        ),
    ).migrate()
    rooms.write(
        "0003_one",
        """
        migrations.AlterField("bed", "room", models.OneToOneField(
            "annexe.Room", models.CASCADE, null=True, db_column="room_id"
        )),
        """,
    )
    for code in "ab":
        history.insert("annexe_bed", code=code, room_id=1)
    assert facts(only())[1:] == (
        "unique",
        "annexe.0003_one makes annexe_bed.room_id unique, with equal values in 2 rows.",
        2,
        ("a", "b"),
    )


@pytest.mark.sqlite
def test_a_row_without_its_parent_anywhere_is_refused_on_sqlite(rooms, history):
    rooms.write(
        "0002_add_beds",
        BED.replace(
            "models.IntegerField(",
            """models.ForeignKey(
        "annexe.Room", models.CASCADE, """,
        ),
    ).migrate()
    rooms.write("0003_add", 'migrations.AddField("room", "beds", models.IntegerField(null=True))')
    history.execute("PRAGMA foreign_keys = OFF")
    history.insert("annexe_bed", code="secret", room_id=99)
    assert facts(only()) == (
        True,
        "orphan",
        "annexe_bed.room_id refers to annexe_room, with nothing there for 1 row, and SQLite looks"
        " at all tables when one is altered.",
        1,
        ("secret",),
    )


# CHECK

LOW = 'models.CheckConstraint(name="low", condition=~models.Q(floor=2) & ~models.Q(number="%"))'


def test_rows_that_break_a_check_are_refused(rooms, history):
    rooms.write(
        "0002_check",
        f"""
        migrations.RenameField("room", "floor", "storey"),
        migrations.AddConstraint("room", {LOW.replace("floor", "storey")}),
        """,
    )
    found = only()
    assert facts(found) == (
        True,
        "check",
        "annexe.0002_check holds annexe_room to low, which is broken by 1 row.",
        1,
        ("2",),
    )
    assert found.mend == f"Correct them, or let operations.AddRules exempt them, {UPGRADE}"
    history.execute("UPDATE annexe_room SET floor = 3 WHERE id = 2")
    assert looked() == []
    rooms.migrate()
    history.execute("DELETE FROM annexe_room")


def test_a_check_that_reads_what_the_plan_adds_has_nothing_to_look_at(rooms):
    rooms.write(
        "0002_check",
        """
        migrations.AddField("room", "beds", models.IntegerField(default=2)),
        migrations.AddConstraint("room", models.CheckConstraint(
            name="low", condition=models.Q(beds__gt=0)
        )),
        """,
    )
    assert looked() == []


def test_rules_exempt_old_rows_and_are_no_finding(rooms):
    rooms.write(
        "0002_rules",
        """
        operations.AddField("room", "exemptions", ExemptionsField()),
        operations.AddRules("room", [Check(name="low", condition=~models.Q(floor=2))]),
        """,
        code="from hotel.migrator.constraints import Check\n"
        "from hotel.migrator.fields import ExemptionsField",
    )
    rooms.write("0003_validate", 'operations.ValidateRules("room", ["low"])')
    assert looked() == []
    rooms.migrate("0002_rules")
    assert looked() == []
    rooms.migrate()


@pytest.mark.postgresql
def test_a_check_that_is_added_not_valid_is_looked_at_when_it_is_validated(rooms):
    code = "from django.contrib.postgres import operations as postgres"
    rooms.write("0002_check", f'postgres.AddConstraintNotValid("room", {LOW})', code=code)
    assert looked() == []
    rooms.migrate()
    rooms.write("0003_validate", 'postgres.ValidateConstraint("room", "low")', code=code)
    assert (only().kind, only().keys) == ("check", ("2",))


@pytest.mark.postgresql
def test_a_table_that_the_role_may_not_read_is_a_warning(rooms, history):
    alter(rooms, "models.IntegerField()")
    history.execute("CREATE ROLE migrator_reader_test")
    try:
        history.execute(
            "GRANT SELECT ON django_migrations, migrator_journal TO migrator_reader_test"
        )
        history.execute("SET ROLE migrator_reader_test")
        found = only()
        history.execute("RESET ROLE")
        assert facts(found) == (
            False,
            "unreadable",
            "annexe.0002_change makes annexe_room.floor NOT NULL, with NULL in an unknown number of"
            " rows: annexe_room cannot be asked (InsufficientPrivilege).",
            None,
            (),
        )
        assert found.mend == "Look at them before manage.py db upgrade does."
    finally:
        history.execute("RESET ROLE")
        history.execute("DROP OWNED BY migrator_reader_test")
        history.execute("DROP ROLE migrator_reader_test")


def test_in_a_column_that_is_not_there_nobody_looks_for_rows(rooms, history):
    alter(rooms, "models.IntegerField()")
    history.execute("ALTER TABLE annexe_room DROP COLUMN floor")
    assert facts(only()) == (
        True,
        "missing",
        "annexe.0002_change cannot be applied: there is no column annexe_room.floor.",
        None,
        (),
    )


# What is dropped

ACCEPT = "to lose them, say manage.py db {} --accept-data-loss."


@pytest.mark.parametrize(
    ("operation", "what", "count", "keys"),
    [
        ('RemoveField("room", "floor")', "annexe_room.floor, with values in 2 rows", 2, "12"),
        ('DeleteModel("room")', "annexe_room, with 3 rows", 3, "123"),
    ],
)
def test_what_is_dropped_with_its_rows_is_refused_unless_archived_or_accepted(
    rooms, history, operation, what, count, keys
):
    name = operation.partition("(")[0]
    rooms.write("0002_drop", f"migrations.{operation}")
    found = only()
    cause = f"annexe.0002_drop drops {what}"
    assert facts(found) == (True, "dropped", f"{cause}.", count, tuple(keys))
    assert found.mend == (
        f"Only a back-up brings them back; operations.{name} instead of migrations.{name} would"
        f" archive them: {ACCEPT.format('upgrade')}"
    )
    accepted = only(accept_data_loss=True)
    assert facts(accepted) == (False, *facts(found)[1:])
    assert "--accept-data-loss" not in accepted.mend
    rooms.write("0002_drop", f"operations.{operation}", after=[("annexe", "0001_initial")])
    archived = only()
    assert facts(archived) == (
        False,
        "archived",
        f"{cause}, which are archived first.",
        count,
        tuple(keys),
    )
    assert archived.mend == "manage.py db downgrade gives them back."
    history.execute("UPDATE annexe_room SET floor = NULL")
    if name == "DeleteModel":
        history.execute("DELETE FROM annexe_room")
    assert looked() == []


@pytest.mark.parametrize(
    ("module", "kind", "refuses"),
    [("migrations", "dropped", True), ("operations", "archived", False)],
)
def test_what_the_way_down_drops_is_looked_at(rooms, history, module, kind, refuses):
    rooms.write(
        "0002_add",
        f"""
        {module}.AddField("room", "beds", models.IntegerField(null=True)),
        {module}.AddField("room", "high", models.BooleanField(null=True)),
        {module}.CreateModel("Key", [("id", models.AutoField(primary_key=True))]),
        """,
    ).migrate()
    down = ("annexe", "0001_initial")
    assert looked(down) == []
    history.execute("UPDATE annexe_room SET beds = 2 WHERE id = 2")
    connection.cursor().execute("INSERT INTO annexe_key (id) VALUES (7)")
    assert [(one.kind, one.refuses, one.count, one.keys) for one in looked(down)] == [
        (kind, refuses, 1, ("7",)),
        (kind, refuses, 1, ("2",)),
    ]


def test_a_column_that_its_backfill_empties_first_is_a_warning(rooms, history):
    rooms.write(
        "0002_add_high",
        """
        migrations.AddField("room", "high", models.BooleanField(null=True)),
        """,
    )
    rooms.write(
        "0003_fill_high",
        'BatchedRunPython(is_high, BatchedRunPython.clear, "room", "high", source="floor")',
        code=FLAG,
    )
    rooms.migrate()
    found = only(("annexe", "0001_initial"))
    assert facts(found)[:3] == (
        False,
        "dropped",
        "annexe.0002_add_high drops annexe_room.high, with values in 3 rows now;"
        f" annexe.0003_fill_high (Change high of room in batches) {MAY_CHANGE}",
    )


def test_a_run_python_before_it_does_not_let_a_column_go_unasked(rooms):
    rooms.write("0002_copy", "migrations.RunPython(copy)", code="def copy(apps, editor): pass")
    rooms.write("0003_drop", 'migrations.RemoveField("room", "floor")')
    assert facts(only())[:3] == (
        True,
        "dropped",
        "annexe.0003_drop drops annexe_room.floor, with values in 2 rows, unless annexe.0002_copy"
        " (Raw Python operation), which runs before, moves them (its code is not looked at).",
    )


def test_rows_of_a_many_to_many_table_that_goes_are_counted(rooms, history):
    rooms.write(
        "0002_add_doors",
        """
        migrations.AddField("room", "doors", models.ManyToManyField("annexe.Room")),
        migrations.RenameModel("Room", "Chamber"),
        """,
    ).migrate()
    rooms.write(
        "0003_drop",
        """
        migrations.RenameField("chamber", "doors", "ways"),
        migrations.RemoveField("chamber", "ways"),
        """,
    )
    assert looked() == []
    history.execute(
        "INSERT INTO annexe_chamber_doors (from_chamber_id, to_chamber_id) VALUES (1, 2)"
    )
    assert facts(only()) == (
        True,
        "dropped",
        "annexe.0003_drop drops annexe_chamber_doors, with 1 row.",
        1,
        ("1",),
    )


def test_models_without_a_table_of_their_own_here_are_not_looked_at(rooms, settings):
    rooms.write(
        "0002_others",
        """
        migrations.CreateModel(
            "View", [("id", models.AutoField(primary_key=True)),
                     ("floor", models.IntegerField(null=True))],
            options={"managed": False, "db_table": "annexe_room"},
        ),
        migrations.CreateModel("Door", [], options={"proxy": True}, bases=("annexe.room",)),
        """,
    ).migrate()
    rooms.write(
        "0003_change",
        """
        migrations.AlterField("view", "floor", models.IntegerField()),
        migrations.DeleteModel("Door"),
        migrations.DeleteModel("View"),
        """,
    )
    assert looked() == []
    alter_router = "hotel.migrator.tests.test_preflight_rows.Nowhere"
    rooms.write("0004_drop", 'migrations.DeleteModel("room")')
    assert [one.kind for one in looked()] == ["dropped"]
    settings.DATABASE_ROUTERS = [alter_router]
    assert looked() == []


class Nowhere:
    def allow_migrate(self, db, app_label, **hints):
        """Let no model have a table."""
        return False


def test_interrupted_comes_before_refused():
    facts = {"migration": "a.0001_b", "operation": "", "cause": "Broken.", "mend": "Mend it."}
    with pytest.raises(RefusedByPreflight):
        refuse([Finding(kind="null", refuses=True, **facts)])
    with pytest.raises(Interrupted):
        refuse([Finding(kind=kind, refuses=True, **facts) for kind in ("null", "interrupted")])
