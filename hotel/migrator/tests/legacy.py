"""Rows as the legacy system wrote them, and what stands in a table, at any point of the history.

The functions that make a row insert it past the models, under the key that is given. Columns named
override what a plain row holds; what the table does not have at this point is left out. What a row
must refer to is made, with key 1, if it is not there.
"""

from decimal import Decimal

from django.db import connection

HASH = "$2b$12$oG3HhUpZZF3CeH1xCtLkOuYIcaQwCaJBF6GBn/MQTNaMZ.oU4qG7O"  # bcrypt, 60 characters

# What PostgreSQL and SQLite call the same thing; SQLite keeps no precision of decimals.
SPELLINGS = {
    "character varying": "varchar",
    "timestamp without time zone": "datetime",
    "timestamp with time zone": "datetime",
    "boolean": "bool",
    "numeric(12,2)": "decimal",
    "numeric(14,2)": "decimal",
    "numeric(5,2)": "decimal",
    "::varchar": "",
    "bool NOT NULL DEFAULT 1": "bool NOT NULL DEFAULT true",
    "bool NOT NULL DEFAULT 0": "bool NOT NULL DEFAULT false",
    "cast ( '0' as numeric )": "0",
}


def user(history, key, **columns):
    _insert(
        history,
        "users",
        {
            "id": key,
            "username": f"user{key}",
            "password_hash": HASH,
            "role": "user",
            "status": "active",
        },
        columns,
    )


def room_type(history, key, **columns):
    plain = {"id": key, "name": "Standard", "code": f"STD{key}", "default_rate": "500000.00"}
    _insert(history, "room_types", plain, columns)


def room(history, key, **columns):
    _once(history, "room_types", room_type)
    plain = {"id": key, "room_number": f"R{key}", "room_type_id": 1, "status": "available"}
    _insert(history, "rooms", plain, columns)


def guest(history, key, **columns):
    _insert(history, "guests", {"id": key, "full_name": f"Guest {key}"}, columns)


def reservation(history, key, **columns):
    _once(history, "users", user)
    _once(history, "room_types", room_type)
    _once(history, "guests", guest)
    _insert(
        history,
        "reservations",
        {
            "id": key,
            "confirmation_number": f"CONF-{key:03}",
            "guest_id": 1,
            "room_type_id": 1,
            "created_by": 1,
            "check_in_date": "2025-11-08",
            "check_out_date": "2025-11-10",
            "rate_per_night": "500000.00",
            "subtotal": "1000000.00",
            "total_amount": "1000000.00",
            "status": "confirmed",
        },
        columns,
    )


def payment(history, key, **columns):
    _once(history, "reservations", reservation)
    _insert(
        history,
        "payments",
        {
            "id": key,
            "reservation_id": 1,
            "payment_date": "2025-11-08",
            "amount": "1000000.00",
            "payment_method": "cash",
            "is_refund": False,
            "is_voided": False,
        },
        columns,
    )


def column(history, table, name):
    """Return what stands in a column, by the key of the row; money as ``Decimal``."""
    rows = history.execute(f"SELECT id, {name} FROM {table}")
    return {key: Decimal(str(value)) if isinstance(value, float) else value for key, value in rows}


def archive(history, *columns):
    """Return the rows of the archive as sorted tuples of ``columns``."""
    rows = history.execute(f"SELECT {', '.join(columns)} FROM migrator_archive")
    return sorted(rows, key=repr)


def shape(history, table):
    """Return a line for each column, key, reference and index, the same on both engines."""
    lines = set()
    for thing, fact in history.catalog().items():
        if (thing.kind, thing.table) != ("column", table):
            continue
        is_key = bool(fact.get("identity") or fact.get("autoincrement"))
        line = f"{thing.name} {fact['type']}{' NOT NULL' * (fact['null'] == 'no')}{' KEY' * is_key}"
        line += f" DEFAULT {fact['default']}" * bool(fact["default"])
        for engine, ours in SPELLINGS.items():
            line = line.replace(engine, ours)
        lines.add(line)
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    for name, fact in constraints.items():
        on = ", ".join(fact["columns"])
        if fact["foreign_key"]:
            lines.add(f"{on} -> {'.'.join(fact['foreign_key'])}")
        elif fact["unique"] and not fact["primary_key"]:
            lines.add(f"unique {on}")
        elif fact["index"] and not name.endswith("_like"):  # PostgreSQL's, beside a unique text
            lines.add(f"index {on}")
    return lines


def lines(text):
    """Return the lines of ``text`` as a set, to be compared with ``shape``."""
    return {line.strip() for line in text.splitlines()} - {""}


def _once(history, table, make):
    if not history.execute(f"SELECT 1 FROM {table} WHERE id = 1"):
        make(history, 1)


def _insert(history, table, plain, columns):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE 1 = 0")
        there = {column[0] for column in cursor.description}
    plain = {name: value for name, value in plain.items() if name in there}
    history.insert(table, **{**plain, **columns})
