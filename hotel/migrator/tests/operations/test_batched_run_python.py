"""BatchedRunPython and CatchUp on a throw-away app: rows edited, deleted and born between."""

import pytest
from django.db import DataError, connection

from hotel.migrator.operations import BatchedRunPython
from hotel.migrator.tests.projects import ROOM, column

# BatchedRunPython

RENUMBER = """
def up(apps, number):
    return Concat(Value("R"), number, output_field=models.CharField())

def down(apps, number):
    return Substr(number, 2)
"""


def test_own_inverse_needs_no_archive_where_it_gives_the_original_back(rooms, project, history):
    rooms.write("0002_renumber", 'BatchedRunPython(up, down, "room", "number")', code=RENUMBER)
    facts = project.facts()
    rooms.migrate()
    assert column(history, "number") == ["R101", "R202", "Rattic"]
    assert project.archive() == []
    rooms.migrate("0001_initial")
    assert project.facts() == facts
    rooms.migrate()
    assert column(history, "number") == ["R101", "R202", "Rattic"]


def test_row_edited_after_the_change_gets_what_the_inverse_says(rooms, history):
    rooms.write("0002_renumber", 'BatchedRunPython(up, down, "room", "number")', code=RENUMBER)
    rooms.migrate()
    history.execute("UPDATE annexe_room SET number = 'R999' WHERE id = 1")
    history.insert("annexe_room", number="Rnew")
    rooms.migrate("0001_initial")
    assert column(history, "number") == ["999", "202", "attic", "new"]
    history.execute("UPDATE annexe_room SET number = 'x' WHERE id = 2")
    rooms.migrate()
    assert column(history, "number") == ["R999", "Rx", "Rattic", "Rnew"]


SHOUT = """
def up(apps, number):
    return Upper(number)

def down(apps, number):
    return Lower(number)
"""


def test_a_text_that_changes_in_its_capitals_alone_is_changed_and_comes_back(
    annexe, project, history
):
    if connection.vendor == "postgresql":
        text = "models.TextField()"
    else:
        text = 'models.CharField(max_length=20, db_collation="nocase")'
    annexe.write("0001_initial", ROOM.replace("models.CharField(max_length=20)", text)).migrate()
    if connection.vendor == "postgresql":
        history.execute("CREATE EXTENSION citext")
        history.execute("ALTER TABLE annexe_room ALTER COLUMN number TYPE citext")
    history.insert("annexe_room", number="Ann").insert("annexe_room", number="bob")
    annexe.write("0002_shout", 'BatchedRunPython(up, down, "room", "number")', code=SHOUT)
    annexe.migrate()
    assert column(history, "number") == ["ANN", "BOB"]
    annexe.migrate("0001_initial")
    assert column(history, "number") == ["Ann", "bob"]


LOWEST = """
def lowest(apps, floor):
    return Case(When(floor__gt=1, then=Value(1)), default=floor)
"""


def test_original_comes_back_only_while_the_row_holds_what_was_written(rooms, project, history):
    rooms.write(
        "0002_lower",
        'BatchedRunPython(lowest, BatchedRunPython.keep, "room", "floor")',
        code=LOWEST,
    )
    history.insert("annexe_room", number="303", floor=3)
    history.insert("annexe_room", number="404", floor=4)
    rooms.migrate()
    assert column(history, "floor") == [1, 1, None, 1, 1]
    owner = "annexe.0002_lower#0 forward"
    assert project.archive() == [
        (owner, "annexe_room", "floor", "2", "2", "1"),
        (owner, "annexe_room", "floor", "4", "3", "1"),
        (owner, "annexe_room", "floor", "5", "4", "1"),
    ]
    history.execute("UPDATE annexe_room SET floor = 0 WHERE id = 4")
    history.execute("UPDATE annexe_room SET floor = NULL WHERE id = 5")
    rooms.migrate("0001_initial")
    assert column(history, "floor") == [1, 2, None, 0, None]


def test_null_is_a_value_like_any_other(rooms, project, history):
    rooms.write(
        "0002_fill",
        'BatchedRunPython(fill, BatchedRunPython.keep, "room", "floor")',
        code="""
            def fill(apps, floor):
                nothing = When(floor=None, then=Value(0))
                return Case(nothing, When(floor=2, then=Value(None)), default=floor)
        """,
    )
    facts = project.facts()
    rooms.migrate()
    assert column(history, "floor") == [1, None, 0]
    assert [entry[3:] for entry in project.archive()] == [("2", "2", None), ("3", None, "0")]
    rooms.migrate("0001_initial")
    assert project.facts() == facts


def test_cleared_column_is_empty_again_and_remembers_what_no_rule_gives(flags, project, history):
    flags.migrate("0002_add_high")
    before = project.facts()
    flags.migrate()
    assert [bool(value) for value in column(history, "high")] == [False, True, False]
    assert project.archive() == []
    history.model("annexe.Room").objects.filter(pk=3).update(high=True)
    at_head = project.facts()
    flags.migrate("0002_add_high")
    assert project.facts() == before
    flags.migrate()
    assert project.facts() == at_head

    flags.migrate("0002_add_high")
    history.execute("UPDATE annexe_room SET floor = 0 WHERE id = 3")
    flags.migrate()
    assert [bool(value) for value in column(history, "high")] == [False, True, False]


def test_value_that_stood_in_the_new_column_before_comes_back(flags, project, history):
    flags.migrate("0002_add_high")
    history.model("annexe.Room").objects.filter(pk=1).update(high=True)
    before = project.facts()
    flags.migrate()
    assert not column(history, "high")[0]
    flags.migrate("0002_add_high")
    assert project.facts() == before


def test_other_columns_and_other_tables_may_decide(rooms, project, history):
    rooms.write(
        "0002_add_guest",
        """
        operations.CreateModel(
            "Guest",
            [
                ("id", models.AutoField(primary_key=True)),
                ("room", models.ForeignKey("annexe.Room", models.CASCADE)),
                ("name", models.TextField()),
            ],
        )
        """,
    )
    rooms.write(
        "0003_name_rooms",
        'BatchedRunPython(name, BatchedRunPython.keep, "room", "number")',
        code="""
            def name(apps, number):
                guests = apps.get_model("annexe", "Guest").objects.filter(room=OuterRef("pk"))
                first = Subquery(guests.order_by("name").values("name")[:1])
                return Case(
                    When(floor=None, then=number), default=first, output_field=models.TextField()
                )
        """,
    )
    rooms.migrate("0002_add_guest")
    for room, name in ((1, "Budi"), (1, "Ayu"), (2, "Citra")):
        history.insert("annexe_guest", room_id=room, name=name)
    facts = project.facts()
    rooms.migrate()
    assert column(history, "number") == ["Ayu", "Citra", "attic"]
    rooms.migrate("0002_add_guest")
    assert project.facts() == facts


def test_rows_that_the_rule_leaves_alone_are_not_written(rooms, history):
    rooms.write(
        "0002_lower",
        'BatchedRunPython(lowest, BatchedRunPython.keep, "room", "floor")',
        code=LOWEST,
    )
    if connection.vendor == "postgresql":
        place = "SELECT ctid::text FROM annexe_room WHERE id <> 2 ORDER BY id"
        before = history.execute(place)
        rooms.migrate()
        assert history.execute(place) == before
    else:
        history.execute("CREATE TABLE written (id)")
        history.execute(
            "CREATE TRIGGER spy AFTER UPDATE ON annexe_room"
            " BEGIN INSERT INTO written VALUES (new.id); END"
        )
        rooms.migrate()
        assert history.execute("SELECT id FROM written") == [(2,)]


def test_money_is_rounded_once_and_the_original_comes_back(annexe, project, history):
    """Whether the inverse gives an original back is asked of what the column holds."""
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Bill",
            [
                ("id", models.AutoField(primary_key=True)),
                ("total", models.DecimalField(max_digits=12, decimal_places=2)),
            ],
        )
        """,
    )
    annexe.write(
        "0002_to_thousands",
        'BatchedRunPython(up, down, "bill", "total")',
        code="""
            def up(apps, total):
                return Round(total * Decimal("0.001"), 2)

            def down(apps, total):
                return total * Decimal(1000)
        """,
    )
    annexe.migrate("0001_initial")
    for total in ("1234560.00", "5000.00", "12345.67", "0.01", "0"):
        history.insert("annexe_bill", total=total)
    facts = project.facts()
    annexe.migrate()
    assert [row["total"] for row in history.dump()["annexe_bill"]] == [
        "1234.56",
        "5",
        "12.35",
        "0",
        "0",
    ]
    assert [entry[3] for entry in project.archive()] == ["3", "4"]
    annexe.migrate("0001_initial")
    assert project.facts() == facts


def test_text_that_is_too_long_for_its_column_is_never_cut(rooms, project, history):
    rooms.write(
        "0002_lengthen",
        'BatchedRunPython(longer, BatchedRunPython.keep, "room", "number")',
        code="""
            def longer(apps, number):
                more = Value(" with twenty-one chars.")
                return Concat(number, more, output_field=models.TextField())
        """,
    )
    facts = project.facts()
    if connection.vendor == "postgresql":
        with pytest.raises(DataError, match=r"^value too long for type character varying\(20\)"):
            rooms.migrate()
    else:  # SQLite knows no length
        rooms.migrate()
        assert column(history, "number")[0] == "101 with twenty-one chars."
        rooms.migrate("0001_initial")
    assert project.facts() == facts


def test_empty_table_goes_up_and_down(annexe, project):
    annexe.write("0001_initial", ROOM)
    annexe.write("0002_renumber", 'BatchedRunPython(up, down, "room", "number")', code=RENUMBER)
    annexe.migrate("0001_initial")
    facts = project.facts()
    annexe.migrate()
    assert project.facts() == facts
    annexe.migrate("0001_initial")
    assert project.facts() == facts


def test_clear_is_a_marker_and_cannot_be_called():
    with pytest.raises(
        NotImplementedError, match=r"^a marker; BatchedRunPython looks at the column instead$"
    ):
        BatchedRunPython.clear(None, None)


# CatchUp


@pytest.fixture
def caught_up(flags):
    """A column that a backfill filled in 0003 and a catch-up looks at again in 0004."""
    return flags.write("0004_catch_up", 'operations.CatchUp("0003_fill_high", "room", "high")')


def test_rows_written_since_the_backfill_are_filled_and_emptied_again(caught_up, project, history):
    caught_up.migrate("0003_fill_high")
    history.insert("annexe_room", number="late", floor=9)
    history.execute("UPDATE annexe_room SET floor = 9 WHERE id = 1")
    before = project.facts()
    caught_up.migrate()
    assert [bool(value) for value in column(history, "high")] == [True, True, False, True]
    at_head = project.facts()
    caught_up.migrate("0003_fill_high")
    assert project.facts() == before
    caught_up.migrate()
    assert project.facts() == at_head


def test_what_was_written_after_the_catch_up_is_not_late(caught_up, project, history):
    caught_up.migrate()
    history.model("annexe.Room").objects.filter(pk=3).update(high=True)
    at_head = project.facts()
    caught_up.migrate("0003_fill_high")
    assert column(history, "high")[2]
    caught_up.migrate()
    assert project.facts() == at_head
    caught_up.migrate("0001_initial").migrate()
    assert project.facts() == at_head


def test_catch_up_names_the_backfill_that_is_not_there(flags, project):
    flags.write("0004_catch_up", 'operations.CatchUp("0002_add_high", "room", "high")')
    with pytest.raises(
        LookupError, match=r"^annexe.0002_add_high has no BatchedRunPython for room.high.$"
    ):
        flags.migrate()
