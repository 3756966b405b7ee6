"""Each operation on a throw-away app: up, down, up, with rows edited, deleted, born between."""

import io
import uuid

import pytest
from django.core.management import call_command
from django.db import DataError, IntegrityError, InternalError, connection, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.writer import MigrationWriter
from django.db.models.functions import Upper

from hotel.migrator import operations
from hotel.migrator.operations import BatchedRunPython

pytest_plugins = ["hotel.migrator.tests.projects"]

ROOM = """
operations.CreateModel(
    "Room",
    [
        ("id", models.AutoField(primary_key=True)),
        ("number", models.CharField(max_length=20)),
        ("floor", models.IntegerField(null=True)),
    ],
)
"""


@pytest.fixture
def rooms(annexe, history):
    """An app with the table ``annexe_room`` and three rows."""
    annexe.write("0001_initial", ROOM).migrate()
    for number, floor in (("101", 1), ("202", 2), ("attic", None)):
        history.insert("annexe_room", number=number, floor=floor)
    return annexe


def column(history, name, table="annexe_room"):
    return [value for (value,) in history.execute(f"SELECT {name} FROM {table} ORDER BY id")]


def sql_of(app, name, **options):
    """Return what ``sqlmigrate`` prints."""
    output = io.StringIO()
    call_command("sqlmigrate", app.label, name, no_color=True, stdout=output, **options)
    return output.getvalue()


# CreateModel and DeleteModel


def test_table_that_is_made_again_has_its_rows_and_keys(rooms, project, history):
    history.execute("DELETE FROM annexe_room WHERE number = '202'")
    facts = project.facts()
    rooms.migrate("zero")
    assert history.tables() == []
    rooms.migrate()
    assert project.facts() == facts
    assert project.archive() == []


def test_new_row_gets_a_key_above_the_rows_that_came_back(rooms, history):
    rooms.migrate("zero").migrate()
    history.insert("annexe_room", number="303")
    assert column(history, "id") == [1, 2, 3, 4]


def test_each_way_down_keeps_the_rows_of_its_day(rooms, project, history):
    rooms.migrate("zero").migrate()
    history.execute("DELETE FROM annexe_room WHERE id = 1")
    history.execute("UPDATE annexe_room SET number = '203' WHERE id = 2")
    history.insert("annexe_room", number="new")
    facts = project.facts()
    rooms.migrate("zero").migrate()
    assert project.facts() == facts


def test_empty_table_leaves_nothing_in_the_archive(annexe, project):
    annexe.write("0001_initial", ROOM).migrate()
    facts = project.facts()
    annexe.migrate("zero")
    assert project.archive() == []
    annexe.migrate()
    assert project.facts() == facts


def test_dropped_table_is_archived_as_rows_of_json(rooms, project):
    rooms.write("0002_delete_room", 'operations.DeleteModel("Room")').migrate()
    archive = project.archive()
    assert [entry[:4] for entry in archive] == [
        ("annexe.0002_delete_room#0 forward", "annexe_room", "", str(key)) for key in (1, 2, 3)
    ]
    assert archive[2][4].replace(" ", "") == '{"id":3,"number":"attic","floor":null}'


def test_table_that_is_not_dropped_after_all_has_its_rows(rooms, project):
    facts = project.facts()
    rooms.write("0002_delete_room", 'operations.DeleteModel("Room")').migrate()
    assert project.history.tables() == []
    rooms.migrate("0001_initial")
    assert project.facts() == facts
    assert project.archive() == []
    rooms.migrate().migrate("0001_initial")
    assert project.facts() == facts


def test_tables_that_refer_to_each_other_and_to_themselves_come_back(annexe, project, history):
    annexe.models("""
        class Room(models.Model):
            next_door = models.ForeignKey("self", models.SET_NULL, null=True)
            key_holder = models.ForeignKey("Guest", models.SET_NULL, null=True, related_name="+")

        class Guest(models.Model):
            room = models.ForeignKey(Room, models.CASCADE)
            liked = models.ManyToManyField(Room, related_name="+")
    """)
    annexe.make()
    annexe.migrate()
    history.insert("annexe_room", id=1)
    history.insert("annexe_room", id=2, next_door_id=1)
    history.insert("annexe_guest", id=5, room_id=2)
    history.insert("annexe_guest_liked", guest_id=5, room_id=1)
    history.execute("UPDATE annexe_room SET next_door_id = 2, key_holder_id = 5 WHERE id = 1")
    facts = project.facts()
    annexe.migrate("zero")
    assert history.tables() == []
    annexe.migrate()
    assert project.facts() == facts
    assert project.archive() == []


@pytest.mark.parametrize(
    "field, keys",
    [
        ("models.CharField(max_length=20, primary_key=True)", ["", "B", "a", "a b", "é", "007"]),
        ("models.UUIDField(primary_key=True)", [uuid.UUID(int=n) for n in (1, 2**64, 2**128 - 1)]),
        ("models.BigAutoField(primary_key=True)", [-1, 2**53 + 1, 2**62]),
    ],
    ids=["text", "uuid", "big"],
)
def test_rows_columns_and_batches_work_with_keys_of_any_kind(annexe, project, history, field, keys):
    annexe.write(
        "0001_initial",
        f'operations.CreateModel("Thing", [("id", {field}), ("word", models.TextField())])',
    )
    annexe.write(
        "0002_upper",
        'BatchedRunPython(up, down, "thing", "word", batch_size=2)',
        code="""
            def up(apps, value):
                return Upper(value)

            def down(apps, value):
                return Lower(value)
        """,
        atomic=False,
    )
    annexe.write("0003_remove_word", 'operations.RemoveField("thing", "word")')
    annexe.write("0004_delete_thing", 'operations.DeleteModel("Thing")')
    annexe.migrate("0001_initial")
    thing = history.model("annexe.Thing")
    for number, key in enumerate(keys):
        thing.objects.create(id=key, word="MiXed" if number % 2 else "small")
    facts = project.facts()
    annexe.migrate("0002_upper")
    assert set(thing.objects.values_list("word", flat=True)) == {"MIXED", "SMALL"}
    annexe.migrate().migrate("0001_initial")
    assert project.facts() == facts
    annexe.migrate("zero").migrate().migrate("0001_initial")
    assert project.facts() == facts


# AddField and RemoveField


def test_added_column_comes_back_with_its_values(rooms, project, history):
    rooms.write(
        "0002_add_view",
        """operations.AddField("room", "view", models.TextField(db_default="yard", null=True))""",
    ).migrate()
    history.execute("UPDATE annexe_room SET view = 'sea' WHERE id = 1")
    history.execute("UPDATE annexe_room SET view = NULL WHERE id = 2")
    facts = project.facts()
    rooms.migrate("0001_initial")
    owner = "annexe.0002_add_view#0 backward"
    assert project.archive() == [
        (owner, "annexe_room", "view", "1", "sea", None),
        (owner, "annexe_room", "view", "2", None, None),
    ]
    rooms.migrate()
    assert project.facts() == facts
    assert project.archive() == []


def test_values_find_their_rows_among_edited_deleted_and_new_ones(rooms, project, history):
    rooms.write(
        "0002_add_view", """operations.AddField("room", "view", models.TextField(null=True))"""
    ).migrate()
    history.execute("UPDATE annexe_room SET view = 'view of ' || number")
    rooms.migrate("0001_initial")
    history.execute("UPDATE annexe_room SET number = '999' WHERE id = 1")
    history.execute("DELETE FROM annexe_room WHERE id = 2")
    history.insert("annexe_room", number="new")
    rooms.migrate()
    assert history.execute("SELECT id, number, view FROM annexe_room ORDER BY id") == [
        (1, "999", "view of 101"),
        (3, "attic", "view of attic"),
        (4, "new", None),
    ]
    assert project.archive() == []


def test_column_that_is_not_removed_after_all_has_its_values(rooms, project, history):
    facts = project.facts()
    rooms.write("0002_remove_floor", 'operations.RemoveField("room", "floor")').migrate()
    assert "floor" not in str(project.facts())
    assert [entry[3:] for entry in project.archive()] == [("1", "1", None), ("2", "2", None)]
    rooms.migrate("0001_initial")
    assert project.facts() == facts
    assert project.archive() == []


@pytest.mark.parametrize(
    "field, born",
    [
        ("models.IntegerField(null=True)", None),
        ("models.IntegerField(default=7)", 7),
        ("models.IntegerField(db_default=8)", 8),
        ("models.IntegerField(null=True, default=9)", 9),
        ("models.CharField(max_length=5, blank=True)", ""),
    ],
)
def test_row_born_while_a_column_was_away_gets_what_a_new_column_holds(
    annexe, history, field, born
):
    annexe.write(
        "0001_initial",
        f"""
        operations.CreateModel(
            "Room", [("id", models.AutoField(primary_key=True)), ("x", {field})]
        )
        """,
    )
    annexe.write("0002_remove_x", 'operations.RemoveField("room", "x")')
    annexe.migrate("0001_initial")
    history.insert("annexe_room", id=1, x=5)
    annexe.migrate()
    history.insert("annexe_room", id=2)
    annexe.migrate("0001_initial")
    old = "5" if "Char" in field else 5
    assert column(history, "x") == [old, born]


def test_required_column_without_default_refuses_a_row_born_while_it_was_away(
    annexe, project, history
):
    annexe.write("0001_initial", ROOM)
    annexe.write("0002_remove_number", 'operations.RemoveField("room", "number")').migrate()
    history.insert("annexe_room", floor=1)
    facts = project.facts()
    with pytest.raises(IntegrityError, match=r"(?i)not.null|null values"):
        annexe.migrate("0001_initial")
    assert project.facts() == facts
    history.execute("DELETE FROM annexe_room")
    annexe.migrate("0001_initial")
    history.insert("annexe_room", number="1")


LINKS = """
operations.AddField("room", "twins", models.ManyToManyField("self")),
operations.AddField("room", "twin", models.ForeignKey("self", models.SET_NULL, null=True)),
"""


def test_links_come_back_as_far_as_both_ends_are_there(rooms, project, history):
    rooms.write("0002_add_twins", LINKS).migrate()
    for key, (one, other) in enumerate([(1, 2), (2, 1), (1, 3), (3, 1)], start=10):
        history.insert("annexe_room_twins", id=key, from_room_id=one, to_room_id=other)
    history.execute("UPDATE annexe_room SET twin_id = 2 WHERE id = 1")
    history.execute("UPDATE annexe_room SET twin_id = 3 WHERE id = 3")
    facts = project.facts()
    rooms.migrate("0001_initial").migrate()
    assert project.facts() == facts

    rooms.migrate("0001_initial")
    history.execute("DELETE FROM annexe_room WHERE id = 2")
    rooms.migrate()
    assert column(history, "id", "annexe_room_twins") == [12, 13]
    assert column(history, "twin_id") == [None, 3]
    history.insert("annexe_room_twins", from_room_id=3, to_room_id=3)
    assert column(history, "id", "annexe_room_twins")[-1] > 13


REFILL = """
def tower(floor):
    return Case(When(floor=1, then=Value("low")), default=Value("high"))

def rule(number):
    return Concat(Value("No. "), number, output_field=models.TextField())
"""


def test_refilled_column_archives_only_what_its_rule_would_not_give(rooms, project, history):
    """A row gets its own value back while the other column is what it was, else the rule's."""
    rooms.write(
        "0002_add_label", """operations.AddField("room", "label", models.TextField(null=True))"""
    )
    rooms.write(
        "0003_remove_label",
        """operations.RemoveField("room", "label", refill=("number", rule))""",
        code=REFILL,
    )
    rooms.migrate("0002_add_label")
    history.insert("annexe_room", number="404", label="No. 404")
    history.insert("annexe_room", number="505", label="Penthouse")
    history.insert("annexe_room", number="606", label="Cellar")
    rooms.migrate()
    owner = "annexe.0003_remove_label#0 forward"
    assert project.archive() == [
        (owner, "annexe_room", "label", "1", None, "101"),
        (owner, "annexe_room", "label", "2", None, "202"),
        (owner, "annexe_room", "label", "3", None, "attic"),
        (owner, "annexe_room", "label", "5", "Penthouse", "505"),
        (owner, "annexe_room", "label", "6", "Cellar", "606"),
    ]
    history.execute("UPDATE annexe_room SET number = '007' WHERE id IN (1, 6)")
    history.insert("annexe_room", number="new")
    rooms.migrate("0002_add_label")
    assert column(history, "label") == [
        "No. 007",
        None,
        None,
        "No. 404",
        "Penthouse",
        "No. 007",
        "No. new",
    ]
    assert project.archive() == []


def test_refilled_column_may_be_required(annexe, project, history):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Room",
            [
                ("id", models.AutoField(primary_key=True)),
                ("number", models.CharField(max_length=9)),
                ("label", models.TextField()),
            ],
        )
        """,
    )
    annexe.write(
        "0002_remove_label",
        'operations.RemoveField("room", "label", refill=("number", rule))',
        code=REFILL,
    )
    annexe.migrate("0001_initial")
    history.insert("annexe_room", number="1", label="No. 1")
    history.insert("annexe_room", number="2", label="")
    facts = project.facts()
    annexe.migrate()
    history.insert("annexe_room", id=3, number="3")
    annexe.migrate("0001_initial")
    assert column(history, "label") == ["No. 1", "", "No. 3"]
    history.execute("DELETE FROM annexe_room WHERE id = 3")
    assert project.facts() == facts


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


FLAG = """
def is_high(apps, floor):
    return Case(When(floor__gte=2, then=Value(True)), default=Value(False))
"""


@pytest.fixture
def flags(rooms):
    """A column ``high`` that is computed from ``floor``."""
    rooms.write(
        "0002_add_high", """operations.AddField("room", "high", models.BooleanField(null=True))"""
    )
    rooms.write(
        "0003_fill_high",
        'BatchedRunPython(is_high, BatchedRunPython.clear, "room", "high", source="floor")',
        code=FLAG,
        atomic=False,
    )
    return rooms


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


# RequireField


@pytest.fixture
def required(flags):
    """A column that is added, filled and required in three steps."""
    return flags.write(
        "0004_require_high",
        """
        operations.RequireField(
            "room", "high", models.BooleanField(db_default=False), backfill="0003_fill_high"
        )
        """,
        atomic=False,
    )


def test_required_column_fills_late_rows_and_gives_them_their_null_back(required, project, history):
    required.migrate("0003_fill_high")
    history.insert("annexe_room", number="late", floor=9)
    before = project.facts()
    required.migrate()
    assert [bool(value) for value in column(history, "high")] == [False, True, False, True]
    history.insert("annexe_room", number="default", floor=9)
    assert not column(history, "high")[-1]
    with pytest.raises(IntegrityError, match=r"(?i)not.null|null value"):
        history.insert("annexe_room", number="null", high=None)
    history.execute("DELETE FROM annexe_room WHERE number = 'default'")
    at_head = project.facts()
    required.migrate("0003_fill_high")
    assert project.facts() == before
    required.migrate()
    assert project.facts() == at_head


def test_late_row_that_was_edited_after_it_was_required_keeps_its_value(required, history):
    required.migrate("0003_fill_high")
    history.insert("annexe_room", number="late", floor=9)
    required.migrate()
    history.model("annexe.Room").objects.filter(number="late").update(high=False)
    required.migrate("0003_fill_high")
    assert column(history, "high")[3] is not None


def test_required_column_leaves_no_helper_behind(required, project):
    required.migrate()
    constraints = project.facts()[1]["annexe_room"]["constraints"]
    assert "required" not in str(constraints)


def test_required_column_in_an_atomic_migration_is_refused(flags, project):
    flags.write(
        "0004_require_high",
        'operations.RequireField("room", "high", models.BooleanField(), backfill="0003_fill_high")',
    ).migrate("0003_fill_high")
    facts = project.facts()
    with pytest.raises(
        RuntimeError,
        match=r"^annexe.0004_require_high#0 requires a column step by step:"
        r" write atomic = False into its Migration.$",
    ):
        flags.migrate()
    assert project.facts() == facts


def test_required_column_without_a_backfill_is_refused(flags):
    flags.write(
        "0004_require_high",
        'operations.RequireField("room", "high", models.BooleanField(), backfill="0002_add_high")',
        atomic=False,
    )
    with pytest.raises(
        LookupError, match=r"^annexe.0002_add_high has no BatchedRunPython for room.high.$"
    ):
        flags.migrate()


def test_required_column_changes_nothing_but_null_and_the_default(flags, project):
    flags.write(
        "0004_require_high",
        """
        operations.RequireField(
            "room", "high", models.IntegerField(db_default=0), backfill="0003_fill_high"
        )
        """,
        atomic=False,
    ).migrate("0003_fill_high")
    facts = project.facts()
    with pytest.raises(
        RuntimeError,
        match=r"^annexe.0004_require_high#0 changes more than NULL and the default of high:"
        r" write an AlterField for the rest into a migration of its own.$",
    ):
        flags.migrate()
    assert project.facts() == facts


def test_required_column_may_lose_its_default(rooms, project, history):
    rooms.write(
        "0002_add_view",
        """operations.AddField("room", "view", models.TextField(null=True, db_default="yard"))""",
    )
    rooms.write(
        "0003_fill_view",
        """BatchedRunPython(fill, BatchedRunPython.keep, "room", "view")""",
        code="""
            def fill(apps, view):
                nothing = When(view=None, then=Value("none"))
                return Case(nothing, default=view, output_field=models.TextField())
        """,
        atomic=False,
    )
    rooms.write(
        "0004_require_view",
        'operations.RequireField("room", "view", models.TextField(), backfill="0003_fill_view")',
        atomic=False,
    )
    rooms.migrate("0003_fill_view")
    facts = project.facts()
    rooms.migrate()
    assert "yard" not in str(project.facts()[1])
    with pytest.raises(IntegrityError, match=r"(?i)not.null|null value"):
        history.insert("annexe_room", number="1")
    rooms.migrate("0003_fill_view")
    assert project.facts() == facts


def test_late_row_that_the_rule_leaves_empty_stops_it_and_the_next_run_goes_on(
    rooms, project, history
):
    rooms.write(
        "0002_fill_floor",
        """BatchedRunPython(fill, BatchedRunPython.keep, "room", "floor")""",
        code="""
            def fill(apps, floor):
                return Case(When(number="nowhere", then=floor), default=Value(1))
        """,
        atomic=False,
    )
    rooms.write(
        "0003_require_floor",
        """
        operations.RequireField(
            "room", "floor", models.IntegerField(), backfill="0002_fill_floor"
        )
        """,
        atomic=False,
    )
    rooms.migrate("0002_fill_floor")
    history.insert("annexe_room", number="nowhere")
    with pytest.raises(IntegrityError, match=r"(?i)not.null|_required"):
        rooms.migrate()
    history.execute("UPDATE annexe_room SET floor = 0 WHERE number = 'nowhere'")
    facts = project.facts()
    rooms.migrate()
    assert column(history, "floor") == [1, 1, 1, 0]
    assert "required" not in str(project.facts()[1])
    rooms.migrate("0002_fill_floor")
    assert project.facts()[0] == facts[0]


# RunPythonForNewRows


@pytest.fixture
def members(annexe, history):
    """Users, of whom 0002 makes each low one a member of a club, once."""
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "User",
            [("id", models.AutoField(primary_key=True)), ("floor", models.IntegerField())],
        ),
        operations.CreateModel(
            "Member",
            [
                ("id", models.AutoField(primary_key=True)),
                ("user", models.ForeignKey("annexe.User", models.CASCADE)),
            ],
        ),
        """,
    )
    annexe.write(
        "0002_join",
        'operations.RunPythonForNewRows(join, "user")',
        code="""
            def join(apps, users):
                Member = apps.get_model("annexe", "Member")
                return Member.objects.using(users.db).bulk_create(
                    Member(user=user) for user in users.filter(floor__lt=3).order_by("pk")
                )
        """,
    )
    annexe.migrate("0001_initial")
    for floor in (1, 2, 3):
        history.insert("annexe_user", floor=floor)
    return annexe


MEMBERS = "SELECT id, user_id FROM annexe_member ORDER BY id"


def test_code_meets_each_row_once_however_often_it_goes_up_and_down(members, project, history):
    start = project.facts()
    members.migrate()
    assert history.execute(MEMBERS) == [(1, 1), (2, 2)]
    head = project.facts()
    members.migrate("0001_initial")
    assert project.facts() == start
    members.migrate()
    assert project.facts() == head

    history.execute("DELETE FROM annexe_member WHERE user_id = 2")
    members.migrate("0001_initial")
    history.insert("annexe_user", floor=0)
    members.migrate()
    assert history.execute("SELECT user_id FROM annexe_member ORDER BY id") == [(1,), (4,)]


def test_rows_that_somebody_else_inserted_stay_on_the_way_down(members, history):
    members.migrate()
    history.insert("annexe_member", user_id=3)
    members.migrate("0001_initial")
    assert history.execute(MEMBERS) == [(3, 3)]
    members.migrate()
    assert history.execute(MEMBERS) == [(1, 1), (2, 2), (3, 3)]


def test_inserted_row_whose_user_is_gone_stays_in_the_archive(members, project, history):
    members.migrate().migrate("0001_initial")
    history.execute("DELETE FROM annexe_user WHERE id = 1")
    members.migrate()
    assert history.execute(MEMBERS) == [(2, 2)]
    assert ("annexe_member", "", "1") in [entry[1:4] for entry in project.archive()]


def test_code_that_fails_leaves_everything_as_it_was(members, project):
    path = members.path("0002_join")
    path.write_text(path.read_text().replace("return Member", "1 / 0; return Member"))
    project.reload()
    facts = project.facts()
    with pytest.raises(ZeroDivisionError):
        members.migrate()
    assert project.facts() == facts


# A migration without a transaction


@pytest.mark.parametrize(
    "operation",
    ['operations.DeleteModel("Room")', 'operations.RemoveField("room", "floor")'],
    ids=["table", "column"],
)
def test_drop_without_a_transaction_loses_nothing(rooms, project, operation):
    """PostgreSQL refuses the lock that comes first; the guard on this project's files does too."""
    rooms.write("0002_drop", operation, atomic=False)
    facts = project.facts()
    if connection.vendor == "postgresql":
        with pytest.raises(
            InternalError, match=r"^LOCK TABLE can only be used in transaction blocks"
        ):
            rooms.migrate()
    else:
        rooms.migrate().migrate("0001_initial")
    assert project.facts() == facts


# Names that need quotes


@pytest.mark.parametrize(
    "table, name", [("Upper Case", "Rate"), ("a-b.c", "x-y.z"), ("select", "order"), ("été", "é")]
)
def test_tables_and_columns_may_have_names_that_need_quotes(annexe, project, history, table, name):
    annexe.write(
        "0001_initial",
        f"""
        operations.CreateModel(
            "Thing",
            [
                ("id", models.AutoField(primary_key=True, db_column="The Key")),
                ("x", models.CharField(max_length=9, null=True, db_column={name!r})),
            ],
            options={{"db_table": {table!r}}},
        )
        """,
    )
    annexe.write(
        "0002_fill",
        'BatchedRunPython(fill, BatchedRunPython.keep, "thing", "x")',
        code="""
            def fill(apps, value):
                return Value("filled")
        """,
        atomic=False,
    )
    annexe.write(
        "0003_require",
        f"""
        operations.RequireField(
            "thing", "x", models.CharField(max_length=9, db_default="q", db_column={name!r}),
            backfill="0002_fill",
        )
        """,
        atomic=False,
    )
    annexe.write("0004_remove_x", 'operations.RemoveField("thing", "x")')
    annexe.write("0005_delete_thing", 'operations.DeleteModel("Thing")')
    annexe.migrate("0001_initial")
    thing = history.model("annexe.Thing")
    thing.objects.create(x="1")
    thing.objects.create(x=None)
    facts = project.facts()
    annexe.migrate("0003_require")
    assert set(thing.objects.values_list("x", flat=True)) == {"filled"}
    annexe.migrate().migrate("0001_initial")
    assert project.facts() == facts
    annexe.migrate("zero").migrate("0001_initial")
    assert project.facts() == facts


# A database that is not meant


class Refuse:
    """A router that lets no model of the app into any database."""

    def allow_migrate(self, db, app_label, **hints):
        """Say no to the app."""
        return app_label != "annexe"


EVERY_OPERATION = {
    "0001_initial": (ROOM, "", True),
    "0002_add_high": (
        """operations.AddField("room", "high", models.BooleanField(null=True))""",
        "",
        True,
    ),
    "0003_fill_high": (
        'BatchedRunPython(is_high, BatchedRunPython.clear, "room", "high", source="floor")',
        FLAG,
        False,
    ),
    "0004_require_high": (
        """
        operations.RequireField(
            "room", "high", models.BooleanField(), backfill="0003_fill_high"
        )
        """,
        "",
        False,
    ),
    "0005_catch_up": ('operations.CatchUp("0003_fill_high", "room", "high")', "", True),
    "0006_remove_floor": ('operations.RemoveField("room", "floor")', "", True),
    "0007_meet": (
        'operations.RunPythonForNewRows(meet, "room")',
        "def meet(apps, rows):\n    return []\n",
        True,
    ),
    "0008_delete_room": ('operations.DeleteModel("Room")', "", True),
}


@pytest.fixture
def everything(annexe):
    """An app whose migrations use every operation."""
    for name, (operation, code, atomic) in EVERY_OPERATION.items():
        annexe.write(name, operation, code=code, atomic=atomic)
    return annexe


def test_database_that_a_router_refuses_is_left_alone(everything, history, settings):
    settings.DATABASE_ROUTERS = [Refuse()]
    everything.migrate()
    everything.migrate("zero")
    everything.migrate("0003_fill_high")
    everything.migrate("0001_initial")
    assert history.tables() == []
    assert "migrator_archive" not in connection.introspection.table_names()


# What is printed


def test_sql_of_every_operation_is_printed_and_nothing_is_done(everything, project, history):
    everything.migrate("0001_initial")
    history.insert("annexe_room", number="1", floor=2)
    for name in EVERY_OPERATION:
        everything.migrate(name)
        facts, archive = project.facts(), project.archive()
        assert "annexe_room" in sql_of(everything, name) or "CANNOT BE WRITTEN AS SQL" in sql_of(
            everything, name
        )
        sql_of(everything, name, backwards=True)
        assert (project.facts(), project.archive()) == (facts, archive)


def test_sql_says_that_the_archive_comes_before_a_drop(everything):
    note = "-- what is dropped here, migrate archives first"
    backwards = {name: note in sql_of(everything, name, backwards=True) for name in EVERY_OPERATION}
    forwards = {name: note in sql_of(everything, name) for name in EVERY_OPERATION}
    assert [name for name in EVERY_OPERATION if backwards[name]] == [
        "0001_initial",
        "0002_add_high",
    ]
    assert [name for name in EVERY_OPERATION if forwards[name]] == [
        "0006_remove_floor",
        "0008_delete_room",
    ]


def test_every_operation_describes_itself(everything):
    migrations = MigrationLoader(None).graph.nodes
    assert [
        migrations["annexe", name].operations[0].formatted_description() for name in EVERY_OPERATION
    ] == [
        "+ Create model Room",
        "+ Add field high to room",
        "p Change high of room in batches",
        "~ Require high of room",
        "p Repeat 0003_fill_high for rows of room written since",
        "- Remove field floor from room",
        "p Run meet for new rows of room",
        "- Delete model Room",
    ]


def test_squashing_makes_djangos_operation_of_ours_which_must_be_made_safe_again(rooms):
    rooms.write(
        "0002_add_view", """operations.AddField("room", "view", models.TextField(null=True))"""
    )
    call_command("squashmigrations", "annexe", "0002", interactive=False, verbosity=0)
    [squashed] = rooms.migrations.glob("*squashed*.py")
    text = squashed.read_text()
    assert "migrations.CreateModel(" in text
    assert "operations.CreateModel(" not in text
    rooms.make_safe(squashed.stem)
    assert "operations.CreateModel(" in squashed.read_text()


def upper_word(apps, value):
    return Upper(value)


def upper_refill(value):
    return Upper(value)


def rows_are_met(apps, rows):
    return []


WRITTEN = [
    operations.CreateModel("Room", [], options={"db_table": "rooms"}),
    operations.DeleteModel("Room"),
    operations.AddField("room", "x", models.TextField(null=True)),
    operations.RemoveField("room", "x"),
    operations.RemoveField("room", "x", refill=("y", upper_refill)),
    BatchedRunPython(upper_word, BatchedRunPython.keep, "room", "x"),
    BatchedRunPython(upper_word, BatchedRunPython.clear, "room", "x", source="y", tally=True),
    BatchedRunPython(upper_word, upper_word, "room", "x", batch_size=7, hints={"model_name": "a"}),
    operations.CatchUp("0003_fill", "room", "x"),
    operations.RequireField("room", "x", models.TextField(), backfill="0003_fill"),
    operations.RunPythonForNewRows(rows_are_met, "room", hints={"model_name": "a"}),
]


@pytest.mark.parametrize("operation", WRITTEN, ids=lambda operation: type(operation).__name__)
def test_operation_is_written_into_a_file_and_read_again(operation):
    migration = Migration("0001_written", "annexe")
    migration.operations = [operation]
    text = MigrationWriter(migration, include_header=False).as_string()
    names = {}
    exec(compile(text, "0001_written.py", "exec"), names)
    [read] = names["Migration"].operations
    assert type(read) is type(operation)
    migration.operations = [read]
    assert MigrationWriter(migration, include_header=False).as_string() == text
    assert set(operation.deconstruct()[2]) <= set(read.deconstruct()[2])
