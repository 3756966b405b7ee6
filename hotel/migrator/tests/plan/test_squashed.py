"""A table that is not what a squashed migration says it made."""

import pytest
from django.core.management import CommandError
from django.db import DatabaseError, connection

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.tests.looking import looked
from hotel.migrator.tests.projects import ROOM

BEDS = 'operations.AddField("room", "beds", models.IntegerField(null=True))'
BOTH = ROOM.replace('("floor"', '("beds", models.IntegerField(null=True)),\n        ("floor"')
WIDER = 'migrations.AlterField("room", "floor", models.BigIntegerField(null=True))'


@pytest.fixture
def squashed(rooms):
    """Rooms with two migrations that were applied, the one that replaces them, and another."""
    rooms.write("0002_beds", BEDS).migrate()
    rooms.write("0001_squashed_0002", BOTH, after=[])
    file = rooms.path("0001_squashed_0002")
    replaces = 'replaces = [("annexe", "0001_initial"), ("annexe", "0002_beds")]'
    file.write_text(file.read_text().replace("    atomic", f"    {replaces}\n    atomic", 1))
    rooms.write("0003_wider", WIDER, after=[("annexe", "0001_squashed_0002")])
    return rooms


def recorded(history):
    names = history.execute("SELECT name FROM django_migrations WHERE app = 'annexe' ORDER BY 1")
    return [name for (name,) in names]


def test_a_table_as_it_says_goes_on(squashed, history):
    assert [one.line() for one in looked()] == []
    squashed.migrate()
    assert "0003_wider" in recorded(history)


def test_a_column_that_it_lacks_is_refused(squashed, history, project):
    history.execute("ALTER TABLE annexe_room DROP COLUMN floor")
    before = project.facts(), recorded(history)
    [refused] = [one for one in looked() if one.refuses]
    assert (refused.kind, refused.cause) == (
        "missing",
        "annexe.0003_wider cannot be applied: there is no column annexe_room.floor.",
    )
    with pytest.raises(RefusedByPreflight):
        squashed.migrate()
    assert (project.facts(), recorded(history)) == before


def test_a_column_that_it_has_besides_is_kept(squashed, history):
    history.execute("ALTER TABLE annexe_room ADD COLUMN by_hand integer DEFAULT 7")
    kept = "makes annexe_room anew, and keeps what no model knows of: column by_hand."
    is_sqlite = connection.vendor == "sqlite"
    assert [one.cause for one in looked()] == ([f"annexe.0003_wider {kept}"] if is_sqlite else [])
    squashed.migrate()
    assert history.execute("SELECT by_hand FROM annexe_room") == [(7,)] * 3


def test_a_column_of_another_type_is_refused_or_kept(squashed, history, project):
    history.execute("ALTER TABLE annexe_room DROP COLUMN floor")
    history.execute("ALTER TABLE annexe_room ADD COLUMN floor varchar(9)")
    history.execute("UPDATE annexe_room SET floor = 'attic'")
    [told] = looked()
    before = project.facts(), recorded(history)
    if connection.vendor == "sqlite":  # which keeps what it is given
        assert (told.kind, told.refuses, told.count) == ("unfit", False, 3)
        squashed.migrate()
        assert history.execute("SELECT floor FROM annexe_room") == [("attic",)] * 3
    else:
        assert (told.kind, told.refuses) == ("type", True)
        with pytest.raises(DatabaseError):
            squashed.migrate()
        assert (project.facts(), recorded(history)) == before


def test_a_table_of_which_the_records_are_gone_is_refused(squashed, history, project):
    history.execute("DELETE FROM django_migrations WHERE app = 'annexe'")
    [refused] = looked()
    assert refused.refuses
    assert "annexe_room" in refused.cause
    before = project.facts()
    with pytest.raises((RefusedByPreflight, CommandError)):
        squashed.migrate()
    assert project.facts() == before
