"""The rows and values that a plan drops."""

import pytest
from django.db import connection

from hotel.migrator.exceptions import Interrupted, RefusedByPreflight
from hotel.migrator.plan.finding import Finding, refuse
from hotel.migrator.tests.looking import MAY_CHANGE, facts, looked, only
from hotel.migrator.tests.projects import FLAG

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
    alter_router = f"{__name__}.Nowhere"
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


def test_a_column_that_no_model_knows_and_that_goes_with_its_table_is_named(rooms, history):
    history.execute("ALTER TABLE annexe_room ADD COLUMN wing text NULL")
    rooms.write("0002_drop", 'operations.DeleteModel("room")')
    assert only().kind == "archived"  # nothing is in it
    history.execute("UPDATE annexe_room SET wing = 'sea' WHERE id < 3")
    lost, archived = looked()
    assert facts(lost) == (
        True,
        "dropped",
        "annexe.0002_drop drops annexe_room.wing, of which no model knows and which does not come"
        " back with its table, with values in 2 rows.",
        2,
        ("1", "2"),
    )
    give = "Give the model that column, or drop it by hand"
    assert lost.mend == f"{give}; {ACCEPT.format('upgrade')}"
    assert archived.kind == "archived"
    accepted, _ = looked(accept_data_loss=True)
    assert (accepted.refuses, accepted.mend) == (False, f"{give}.")


def test_columns_that_the_plan_drops_itself_or_that_are_computed_are_not_named(rooms, history):
    history.execute(
        "ALTER TABLE annexe_room ADD COLUMN twice integer GENERATED ALWAYS AS"
        f" (floor * 2) {'STORED' if connection.vendor == 'postgresql' else 'VIRTUAL'}"
    )
    rooms.write(
        "0002_drop",
        """
        operations.RemoveField("room", "number"),
        migrations.RenameModel("Room", "Chamber"),
        operations.DeleteModel("chamber"),
        """,
    )
    assert [one.kind for one in looked()] == ["archived", "archived"]
