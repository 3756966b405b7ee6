"""``db adopt`` and rows that cannot come along: named, refused unless accepted, not forgotten."""

import io
import json
import os
import random
from contextlib import suppress

import pytest
from django.core.management import call_command
from django.db import connection

from hotel.migrator.exceptions import WrongUse
from hotel.migrator.schema import catalog
from hotel.migrator.storage.journal import entries
from hotel.migrator.tests.adopt.adoptions import (
    adopt,
    drift,
    dump,
    legacy,
    refusal,
    rows,
    unchecked,
)
from hotel.migrator.tests.legacy_shapes import SHAPES, TABLES, run
from hotel.tests import stress

ON_POSTGRESQL = connection.vendor == "postgresql"
ROUNDS = 2 * stress.ROUNDS or 1
SEED = os.environ.get("SEED", "hotel")

ASIDE = [
    {
        "table": "payment_attachments",
        "column": "payment_id",
        "parent": "payments",
        "refers_to": 99,
        "because": "aside",
        "ids": [14],
    },
    {
        "table": "payments",
        "column": "reservation_id",
        "parent": "reservations",
        "refers_to": 3,
        "because": "aside",
        "ids": [2],
    },
    {
        "table": "payments",
        "column": "reservation_id",
        "parent": "reservations",
        "refers_to": 11,
        "because": "missing",
        "ids": [10, 11, 12],
    },
    {
        "table": "payments",
        "column": "reservation_id",
        "parent": "reservations",
        "refers_to": 71,
        "because": "aside",
        "ids": [99],
    },
    {
        "table": "payments",
        "column": "reservation_id",
        "parent": "reservations",
        "refers_to": 157,
        "because": "aside",
        "ids": [216, 217, 218],
    },
    {
        "table": "reservations",
        "column": "guest_id",
        "parent": "guests",
        "refers_to": 79,
        "because": "missing",
        "ids": [3, 71, 157, 302],
    },
]
IN_SHORT = (
    "payment_attachments 1 (id 14), payments 8 (id 2, 10, 11, 12, 99 …), reservations 4 (id 3, 71,"
    " 157, 302)"
)
REFUSED = (
    f"13 rows would stay aside, since what they need is not there: {IN_SHORT}. Nothing was changed."
    " Give them what they need in the legacy database, or take over the rest with manage.py db"
    " adopt --accept-set-aside."
)
LISTED = """\
What cannot come along, and why:
  payment_attachments: 1
    id 14: payment_id leads to 99 of payments, which stays aside
  payments: 8
    id 2, 99, 216-218: reservation_id leads to 3, 71, 157 of reservations, which stays aside
    id 10-12: reservation_id leads to 11, which reservations does not have
  reservations: 4
    id 3, 71, 157, 302: guest_id leads to 79, which guests does not have
"""


def lacking(history):
    """A legacy hotel in which somebody deleted a guest, and a stay."""
    legacy(history)
    unchecked("DELETE FROM guests WHERE id = 79", "DELETE FROM reservations WHERE id = 11")
    return dump()


def doctor():
    output = io.StringIO()
    with suppress(SystemExit):
        call_command("db", "doctor", "--json", stdout=output)
    return [row for row in json.loads(output.getvalue()) if row["kind"] == "set aside"]


def refused(*options):
    """Return what a person is shown who is refused."""
    output = io.StringIO()
    with pytest.raises(Exception, match="would stay aside") as caught:
        call_command("db", "adopt", "--no-input", *options, stdout=output)
    assert caught.value.returncode == 3
    return output.getvalue()


def test_it_is_refused_with_every_key_and_why_and_nothing_is_changed(history):
    before = lacking(history)
    assert refusal("--dry-run") == REFUSED
    assert refusal() == REFUSED
    shown = refused("--dry-run")
    assert LISTED in shown
    assert "  reservations: rows 299 -> 295, 4 aside\n" in shown
    assert refused().endswith(LISTED)
    assert dump() == before


def test_a_program_that_is_refused_reads_every_key(history):
    lacking(history)
    for options in (["--dry-run"], []):
        output = io.StringIO()
        with pytest.raises(Exception, match="would stay aside"):
            call_command("db", "adopt", "--no-input", "--json", *options, stdout=output)
        said = json.loads(output.getvalue())
        assert (said["error"], said["exit_code"], said["did"]) == (REFUSED, 3, "refused")
        assert said["set_aside"] == ASIDE
        assert ("proof" in said) == bool(options)


def test_what_is_accepted_stays_aside_and_is_named_until_the_end(history):
    before = lacking(history)
    assert adopt("--dry-run", "--accept-set-aside")["proof"]["set_aside"] == ASIDE
    assert adopt("--accept-set-aside")["proof"]["set_aside"] == ASIDE
    assert {entry.remark for entry in entries(connection, event="finished")} == {
        f"recorded by db adopt, which made it from a database of shape O2; aside stay {IN_SHORT}"
    }
    [found] = doctor()
    assert f" and stay aside: {IN_SHORT}." in found["what"]
    assert found["can_fix"] is False
    adopt("--undo")
    assert dump() == before
    assert doctor() == []
    adopt("--accept-set-aside")
    kept = adopt("--finish")["kept"]
    assert kept == ["payment_attachments", "payments", "reservations"]
    assert doctor() == []
    aside = "legacy.reservations" if ON_POSTGRESQL else "legacy_reservations"
    assert rows(f"SELECT id FROM {aside} WHERE guest_id = 79 ORDER BY id") == [
        *((3,), (71,), (157,), (302,))
    ]


def test_a_row_that_was_given_back_is_named_no_longer(history):
    lacking(history)
    adopt("--accept-set-aside")
    columns = ", ".join(
        name for (name,) in rows_of_columns("reservations") if name != "number_of_nights"
    )
    aside = "legacy.reservations" if ON_POSTGRESQL else "legacy_reservations"
    run(
        "INSERT INTO guests (id, full_name) VALUES (79, 'Back')",
        f"INSERT INTO reservations ({columns}) SELECT {columns} FROM {aside} WHERE id IN (3, 71)",
    )
    [found] = doctor()
    assert "reservations 2 (id 157, 302)" in found["what"]
    output = io.StringIO()
    call_command("db", "adopt", stdout=output)
    assert output.getvalue().endswith(
        "  reservations: 2\n    id 157, 302: guest_id leads to 79, which guests does not have\n"
    )
    assert refusal("--undo").startswith(
        "Rows were written since the adoption, which --undo would throw away: guests: 1 inserted;"
        " reservations: 2 inserted. Nothing was changed."
    )


def rows_of_columns(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE 1 = 0")
        there = [column[:1] for column in cursor.description]
    return [one for one in there if one[0] != "checked_in_by_name"]  # which the shape lacks


def test_it_is_accepted_only_where_something_is_taken_over(history):
    history.at(None)
    for word in ("--undo", "--finish"):
        with pytest.raises(WrongUse, match="--accept-set-aside with neither --undo nor --finish"):
            adopt(word, "--accept-set-aside")


def test_nights_that_will_be_others_are_told(history):
    legacy(history)
    run("UPDATE reservations SET number_of_nights = 77 WHERE id IN (4, 5, 8)")
    shown = adopt("--dry-run")
    [found] = shown["proof"]["computed_anew"]
    app, _, name = found.pop("migration").partition(".")
    assert (app, name.partition("_")[2]) == ("reservations", "replace_number_of_nights")
    assert found == {
        "table": "reservations",
        "column": "number_of_nights",
        "empty": 297,
        "differing": 3,
        "ids": [4, 5, 8],
    }
    output = io.StringIO()
    call_command("db", "adopt", "--dry-run", stdout=output)
    assert (
        "Computed by the database later, what is stored archived:\n"
        f"  reservations.number_of_nights: {app}.{name} changes 3 (id 4, 5, 8) and fills 297\n"
    ) in output.getvalue()


def test_nights_that_the_database_computed_stay_what_they_are(history):
    legacy(history, "P")
    assert adopt("--dry-run")["proof"]["computed_anew"] == []


# Any dirt

REFERENCES = [
    (table, column, next(mark for mark in marks if mark in TABLES), "!" in marks)
    for table, columns in TABLES.items()
    for column, _, *marks in columns
    if TABLES.keys() & {*marks}
]


def expected(before):
    """Return which rows stay, ``{table: keys}``, and ``{(table, column): keys}`` of the emptied."""
    there = {table: {row["id"] for row in found} for table, found in before.items()}
    columns = {table: found[0].keys() if found else () for table, found in before.items()}
    known = [one for one in REFERENCES if one[0] in before and one[1] in columns[one[0]]]
    lost = {table: set() for table in before}
    while True:
        more = {
            (table, row["id"])
            for table, column, parent, is_needed in known
            if is_needed and parent != "users"
            for row in before[table]
            if row["id"] not in lost[table] and row[column] not in there[parent] - lost[parent]
        }
        if not more:
            break
        for table, key in more:
            lost[table].add(key)
    emptied = {
        (table, column): {
            row["id"]
            for row in before[table]
            if row[column] is not None
            and row["id"] not in lost[table]
            and row[column] not in there[parent] - lost[parent]
        }
        for table, column, parent, is_needed in known
        if not is_needed and parent != "users"
    }
    return {table: keys for table, keys in lost.items() if keys}, emptied


@pytest.mark.stressed
@pytest.mark.parametrize("number", range(ROUNDS))
def test_any_rows_may_be_missing(history, number):
    chance = random.Random(f"{SEED} {number}")
    legacy(history, chance.choice(SHAPES))
    parents = ["users", "guests", "rooms", "room_types", "reservations", "payments", "discounts"]
    statements = []
    for table in chance.sample(parents, chance.randint(1, 4)):
        keys = [key for (key,) in rows(f"SELECT id FROM {table} ORDER BY id")]
        some = chance.sample(keys, chance.choice([1, 1, 2, len(keys) // 3, len(keys)]))
        statements.append(f"DELETE FROM {table} WHERE id IN ({', '.join(map(str, some))})")
    unchecked(*statements)
    before = dump()
    lost, emptied = expected(before[0])
    done = adopt("--accept-set-aside")
    named = {}
    for reason in done["proof"]["set_aside"]:
        named.setdefault(reason["table"], set()).update(map(str, reason["ids"]))
    assert named == lost
    for table, was in before[0].items():
        if not was:
            continue
        wanted = {row["id"]: dict(row) for row in was if row["id"] not in lost.get(table, ())}
        for (of_table, column), keys in emptied.items():
            for key in keys if of_table == table else ():
                wanted[key][column] = None
        for row in catalog.dump(connection, [table])[table]:
            if table == "users" and row["username"].startswith("missing-user-"):
                continue
            arrived = {name: row[name] for name in was[0]}
            by_users = [c for t, c, parent, _ in REFERENCES if t == table and parent == "users"]
            for column in by_users:
                if column in arrived and arrived[column] != wanted[row["id"]][column]:
                    assert arrived.pop(column) is not None  # the next key that was free
                    del wanted[row["id"]][column]
            assert arrived == wanted.pop(row["id"])
        assert wanted == {}
    history.migrate()  # undoing asks the journal what migrations wrote
    assert drift() == "Models, migrations and database agree."
    assert bool(doctor()) == bool(lost)
    assert adopt("--undo")["discarded"] == {}
    assert dump() == before
