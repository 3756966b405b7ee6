"""What CreateModel, DeleteModel, AddField and RemoveField drop comes back, up, down and up."""

import uuid

import pytest
from django.db import IntegrityError

from hotel.migrator.tests.projects import ROOM, column

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
