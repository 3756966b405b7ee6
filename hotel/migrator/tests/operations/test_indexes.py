"""Indexes are made and dropped while others work, resumed after a kill, and found parts of text."""

import pytest
from django.db import connection

IMPORTS = "from hotel.migrator.indexes import TrigramIndex\n"
INDEX = 'operations.AddIndex("room", models.Index(fields=["floor"], name="room_floor_idx"))'
PART = """
operations.AddExtension("pg_trgm"),
operations.AddIndex("room", TrigramIndex(field="number", name="room_part_idx"))
"""


def names(history):
    """Return the indexes of the table, and whether they are valid."""
    if connection.vendor == "postgresql":
        sql = (
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indrelid = 'annexe_room'::regclass AND NOT i.indisprimary"
        )
    else:
        sql = "SELECT name, 1 FROM sqlite_master WHERE type = 'index' AND tbl_name = 'annexe_room'"
    return {name: bool(valid) for name, valid in history.execute(sql)}


def test_an_index_comes_and_goes(rooms, history):
    shape = history.catalog()
    rooms.write("0002_index_floor", INDEX, atomic=False)
    rooms.write(
        "0003_retire_index", 'operations.RemoveIndex("room", "room_floor_idx")', atomic=False
    )
    rooms.migrate("0002")
    assert names(history) == {"room_floor_idx": True}
    rooms.migrate("0003")
    assert names(history) == {}
    rooms.migrate("0002")
    assert names(history) == {"room_floor_idx": True}
    rooms.migrate("0001")
    assert history.catalog() == shape


def test_an_index_that_stands_already_is_left_alone(rooms, history):
    rooms.write("0002_index_floor", INDEX, atomic=False)
    history.execute("CREATE INDEX room_floor_idx ON annexe_room (floor)")
    rooms.migrate("0002")
    history.execute("DROP INDEX room_floor_idx")
    rooms.migrate("0001")
    assert names(history) == {}


@pytest.mark.postgresql
def test_an_index_that_a_failed_attempt_left_invalid_is_made_anew(rooms, history):
    rooms.write("0002_index_floor", INDEX, atomic=False)
    history.execute("CREATE INDEX room_floor_idx ON annexe_room (floor)")
    history.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'room_floor_idx'::regclass"
    )
    assert names(history) == {"room_floor_idx": False}
    rooms.migrate("0002")
    assert names(history) == {"room_floor_idx": True}


def test_killed_at_any_change_it_goes_on_and_ends_the_same(rooms, project, history):
    rooms.write("0002_index_floor", f"{INDEX},\n{PART}", code=IMPORTS, atomic=False)
    rooms.migrate("0002")
    head = project.facts()
    rooms.migrate("0001")
    number = 1
    while project.killed(number, "annexe", "0002"):
        rooms.migrate("0002")
        assert project.facts() == head
        rooms.migrate("0001")
        number += 1
    assert number > 2


def test_a_part_of_a_text_is_found_by_its_index(rooms, project, history):
    rooms.write("0002_index_number", PART, code=IMPORTS, atomic=False)
    rooms.migrate("0002")
    model = history.model("annexe.Room")
    found = model.objects.filter(number__icontains="TTI").order_by()
    assert [room.number for room in found] == ["attic"]
    if connection.vendor == "postgresql":
        history.execute("SET enable_seqscan = off")
        assert "room_part_idx" in found.explain()
    else:
        assert names(history) == {}
    rooms.write(
        "0003_add_extra", 'operations.AddField("room", "extra", models.IntegerField(default=1))'
    )
    rooms.migrate()  # SQLite makes the table anew, with its indexes
    rooms.migrate("0001")
    assert names(history) == {}


def test_indexes_are_written_into_migrations_and_nothing_is_left_to_detect(annexe):
    annexe.models("""
        from hotel.migrator.indexes import TrigramIndex

        class Room(models.Model):
            number = models.CharField(max_length=9)

            class Meta:
                indexes = [TrigramIndex(field="number", name="room_part_idx")]
    """)
    annexe.make(name="initial")
    assert "No changes detected" in annexe.make()
