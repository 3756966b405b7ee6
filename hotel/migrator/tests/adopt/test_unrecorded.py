"""Tables that no migration made: what is said of them is done, and all is well then."""

import pytest
from django.core.management import call_command
from django.db import connection

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.tests.adopt.adoptions import THOROUGH, adopt, drift, dump, legacy
from hotel.migrator.tests.commands import db, doctor, table
from hotel.tests import stress

# One with the whole history; those of one application look at fewer steps, and find the same.
ONE_APP = (["migrate", "accounts"], ["db", "upgrade", "accounts@head"])
ATTEMPTS = (
    ["migrate"],
    ["migrate", "accounts", "--fake-initial"],
    ["db", "upgrade", "accounts@head"],
)
REFUSED = (
    "Nothing was changed: 1 of the things that this run would meet must be mended first.\n"
    "  Refused: {}"
)
TAKE_OVER = "Take it over: manage.py db adopt --dry-run shows how, and manage.py db adopt does it."
SAYS = (
    "No migration made this database. It is of shape O2 of the legacy hotel system: made by"
    " create_all of the last models."
)
MEND = (
    "Mend what is named, if they are of this hotel; if they are somebody else's, let DATABASE_URL"
    " name a database or schema of its own; drop what nobody needs."
)


def refusals(*attempts):
    """Return what all attempts are refused with."""
    said = set()
    for attempt in attempts:
        with pytest.raises(RefusedByPreflight) as refused:
            call_command(*attempt, verbosity=0)
        said.add(str(refused.value))
    return said


def diagnoses():
    """Return kind, sentence and advice of what doctor finds."""
    return [(one["kind"], one["what"], one["mend"]) for one in doctor()[1]]


def is_taken_over(history):
    """Do what is advised, and return whether nothing is wrong then."""
    assert adopt("--dry-run")["did"] == "shown"
    assert adopt()["did"] == "adopted"
    if THOROUGH:
        history.migrate()
    return drift() == "Models, migrations and database agree."


@stress.whole
def test_a_legacy_database_is_to_be_adopted(history):
    before = legacy(history)
    assert refusals(*ATTEMPTS) == {REFUSED.format(f"{SAYS} {TAKE_OVER}")}
    assert diagnoses() == [("legacy", SAYS, TAKE_OVER)]
    assert dump() == before
    assert is_taken_over(history)


def test_the_record_of_a_part_is_taken_back_and_then_it_is_to_be_adopted(history):
    before = legacy(history)
    for app in ("accounts", "rooms"):
        call_command("migrate", app, "0001", fake=True, verbosity=0)
    says = f"{SAYS} Yet it is recorded that accounts.0001_initial, rooms.0001_initial made it."
    command = "manage.py db stamp accounts@base rooms@base --force"
    mend = f"Take that back with {command}. {TAKE_OVER}"
    assert refusals(*ONE_APP) == {REFUSED.format(f"{says} {mend}")}
    assert diagnoses() == [("legacy", says, mend)]
    db(*command.split()[2:])
    assert diagnoses() == [("legacy", SAYS, TAKE_OVER)]  # as in the test before
    assert dump() == before


def test_a_part_of_the_legacy_system_is_not_to_be_adopted(history):
    legacy(history)
    history.execute("DROP TABLE payment_attachments")
    history.execute("ALTER TABLE guests DROP COLUMN phone")
    before = dump()
    what = (
        "No migration made the tables booking_channels, discounts, expenses, guest_images, guests,"
        " payments, reservations, room_images, room_type_images, room_types and 3 more, which"
        " migrations would make. manage.py db adopt does not take them over: This is no known shape"
        " of the legacy hotel system, so nothing was changed. The column guests.phone is missing."
        " The table payment_attachments is missing."
    )
    assert refusals(*ONE_APP) == {REFUSED.format(f"{what} {MEND}")}
    assert diagnoses() == [("strange", what, MEND)]
    assert dump() == before


def test_somebody_elses_table_of_the_same_name_is_not_to_be_adopted(history):
    history.at(None)
    history.execute("CREATE TABLE users (id integer PRIMARY KEY, login varchar(9))")
    [said] = refusals(*ONE_APP)
    assert "No migration made the table users, which migrations would make." in said
    assert said.endswith(MEND)
    history.execute("DROP TABLE users")  # as it says
    call_command("migrate", "accounts", "0001", verbosity=0)
    assert "users" in connection.introspection.table_names()


def test_this_history_without_its_records_is_to_be_recorded(initial, history):
    initial.write("0002_add_beds", table("Bed"))
    command = "manage.py db stamp annexe.0001_initial"
    what = (
        "The tables annexe_guest, annexe_room, annexe_room_guests are what this history makes up to"
        " annexe.0001_initial, and nothing is recorded."
    )
    mend = f"Record it with {command}."
    assert refusals(["migrate"], ["db", "upgrade"]) == {REFUSED.format(f"{what} {mend}")}
    assert [one for one in diagnoses() if one[0] != "unwritten"] == [("unrecorded", what, mend)]
    db(*command.split()[2:])
    call_command("migrate", verbosity=0)
    assert [kind for kind, _, _ in diagnoses()] == ["unwritten"]


def test_the_only_table_is_named_as_it_is_written(annexe, history):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Room", [("id", models.AutoField(primary_key=True))], options={"db_table": "Zimmer"}
        )
        """,
    ).migrate()
    history.execute("DELETE FROM django_migrations")
    assert refusals(["migrate"]) == {
        REFUSED.format(
            "The table Zimmer is what this history makes up to annexe.0001_initial, and nothing is"
            " recorded. Record it with manage.py db stamp annexe.0001_initial."
        )
    }
