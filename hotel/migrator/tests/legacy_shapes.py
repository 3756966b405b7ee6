"""Databases of the legacy hotel system in every shape they are found in, on both engines.

``build`` makes one, ``fill`` gives it rows; ``load`` reads a file that ``pg_dump`` or ``.dump`` of
SQLite wrote. Everything goes past Django, as the legacy system did.
"""

import io
import json
import re

from django.db import connection

from conftest import SAMPLE

MONEY, STAMP, FLAG = "numeric(12, 2)", "timestamp", "boolean"
STAMPS = [("created_at", STAMP, "now"), ("updated_at", STAMP, "now")]
PLACE = "in ('local', 's3', 'gcs', 'azure')"


def _picture(owner, parent, kinds):
    return [
        (owner, "int", "!", parent, "cascade"),
        ("image_name", "varchar(255)", "!"),
        ("image_type", "varchar(20)", "!", f"in {kinds}"),
        ("image_path", "varchar(500)", "!"),
        ("storage_location", "varchar(50)", "!", PLACE),
        ("file_size_bytes", "int"),
        ("mime_type", "varchar(100)"),
        ("original_filename", "varchar(255)"),
        ("image_width", "int"),
        ("image_height", "int"),
        ("uploaded_by", "int", "users", "set null"),
        ("description", "text"),
        ("display_order", "int", "=0"),
        ("is_active", FLAG, "=true"),
        *STAMPS,
    ]


# A column: name, type, and marks: ! not null, * unique, =default (SQL files only), "now", a parent
# table with its ON DELETE (SQL files only), "in (…)" a check.
TABLES = {
    "users": [
        ("username", "varchar(50)", "!", "*"),
        ("password_hash", "varchar(255)", "!"),
        ("email", "varchar(100)"),
        ("full_name", "varchar(100)"),
        ("phone", "varchar(20)"),
        ("role", "varchar(10)", "!", "in ('admin', 'user')"),
        ("status", "varchar(10)", "='active'", "in ('active', 'inactive')"),
        ("last_login", STAMP),
        *STAMPS,
    ],
    "settings": [
        ("setting_key", "varchar(100)", "!", "*"),
        ("setting_value", "text"),
        ("setting_type", "varchar(20)", "='string'"),
        ("is_editable", FLAG, "=true"),
        ("description", "text"),
        ("category", "varchar(50)"),
        *STAMPS,
    ],
    "room_types": [
        ("name", "varchar(100)", "!"),
        ("code", "varchar(10)", "!", "*"),
        ("description", "text"),
        ("base_capacity_adults", "int", "=2"),
        ("base_capacity_children", "int", "=1"),
        ("bed_config", "varchar(100)"),
        ("default_rate", MONEY, "!"),
        ("amenities", "text"),
        ("max_occupancy", "int"),
        ("is_active", FLAG, "=true"),
        *STAMPS,
    ],
    "rooms": [
        ("room_number", "varchar(10)", "!", "*"),
        ("floor", "int"),
        ("room_type_id", "int", "!", "room_types", "restrict"),
        ("status", "varchar(20)", "='available'", "in ('available', 'occupied', 'out_of_order')"),
        ("view_type", "varchar(50)"),
        ("notes", "text"),
        ("custom_rate", MONEY),
        ("is_active", FLAG, "=true"),
        *STAMPS,
    ],
    "room_images": _picture(
        "room_id",
        "rooms",
        "('main_photo', 'bedroom', 'bathroom', 'living_area', 'amenities', 'other')",
    ),
    "room_type_images": _picture(
        "room_type_id", "room_types", "('showcase', 'floorplan', 'amenities', 'other')"
    ),
    "guests": [
        ("full_name", "varchar(100)", "!"),
        ("email", "varchar(100)"),
        ("phone", "varchar(20)"),
        ("phone_country_code", "varchar(5)"),
        ("id_type", "varchar(50)"),
        ("id_number", "varchar(50)"),
        ("nationality", "varchar(50)"),
        ("birth_date", "date"),
        ("notes", "text"),
        ("is_vip", FLAG, "=false"),
        ("preferred_room_type_id", "int", "room_types", "set null"),
        *STAMPS,
    ],
    "discounts": [
        ("name", "varchar(100)", "!"),
        ("code", "varchar(20)", "*"),
        ("description", "text"),
        ("discount_type", "varchar(20)", "!", "in ('percentage', 'fixed_amount')"),
        ("discount_value", MONEY, "!"),
        ("max_discount_amount", MONEY),
        ("applicable_room_types", "text"),
        ("applicable_guests", "text"),
        ("valid_from", "date"),
        ("valid_until", "date"),
        ("usage_limit", "int"),
        ("usage_count", "int", "=0"),
        ("min_stay_nights", "int"),
        ("min_booking_amount", MONEY),
        ("max_bookings_per_guest", "int"),
        ("status", "varchar(20)", "='active'", "in ('active', 'inactive', 'expired')"),
        ("is_auto_applied", FLAG, "=false"),
        ("created_by", "int", "users", "set null"),
        *STAMPS,
    ],
    "booking_channels": [
        ("name", "varchar(100)", "!", "*"),
        ("code", "varchar(20)", "!", "*"),
        ("description", "text"),
        ("channel_type", "varchar(50)", "!", "in ('ota', 'direct', 'corporate', 'api')"),
        ("api_url", "varchar(255)"),
        ("api_key", "varchar(255)"),
        ("api_secret", "varchar(255)"),
        ("webhook_url", "varchar(255)"),
        ("is_enabled", FLAG, "=true"),
        ("auto_confirm", FLAG, "=false"),
        ("sync_enabled", FLAG, "=false"),
        ("sync_interval_minutes", "int", "=60"),
        ("commission_percentage", "numeric(5, 2)", "=0"),
        ("commission_fixed_amount", MONEY, "=0"),
        ("support_contact", "varchar(255)"),
        ("support_email", "varchar(100)"),
        *STAMPS,
    ],
    "reservations": [
        ("confirmation_number", "varchar(20)", "!", "*"),
        ("guest_id", "int", "!", "guests", "restrict"),
        ("check_in_date", "date", "!"),
        ("check_out_date", "date", "!"),
        ("room_type_id", "int", "!", "room_types", "restrict"),
        ("room_id", "int", "rooms", "set null"),
        ("adults", "int", "=1"),
        ("children", "int", "=0"),
        ("rate_per_night", MONEY, "!"),
        ("number_of_nights", "int", "nights"),
        ("subtotal", MONEY, "!"),
        ("discount_amount", MONEY, "=0"),
        ("discount_id", "int", "discounts", "set null"),
        ("total_amount", MONEY, "!"),
        ("deposit_amount", MONEY, "=0"),
        ("special_requests", "text"),
        (
            "status",
            "varchar(20)",
            "='confirmed'",
            "in ('confirmed', 'checked_in', 'checked_out', 'cancelled')",
        ),
        ("booking_source", "varchar(50)"),
        ("booking_channel_id", "int", "booking_channels", "set null"),
        ("created_by", "int", "!", "users", "restrict"),
        ("checked_in_by", "int", "users", "set null"),
        ("checked_in_at", STAMP),
        ("checked_out_at", STAMP),
        ("deposit_returned_at", STAMP),
        ("is_archived", FLAG, "=false"),
        *STAMPS,
    ],
    "payments": [
        ("reservation_id", "int", "!", "reservations", "cascade"),
        ("payment_date", "date", "!"),
        ("amount", MONEY, "!"),
        (
            "payment_method",
            "varchar(20)",
            "!",
            "in ('cash', 'credit_card', 'debit_card', 'bank_transfer', 'e_wallet', 'other')",
        ),
        (
            "payment_type",
            "varchar(20)",
            "='full'",
            "in ('full', 'downpayment', 'deposit', 'adjustment')",
        ),
        ("reference_number", "varchar(100)"),
        ("transaction_id", "varchar(100)"),
        ("notes", "text"),
        ("created_by", "int", "users", "set null"),
        ("is_refund", FLAG, "=false"),
        ("refund_reason", "text"),
        ("is_voided", FLAG, "=false"),
        ("has_proof", FLAG, "=false"),
        *STAMPS,
    ],
    "payment_attachments": [
        ("payment_id", "int", "!", "payments", "cascade"),
        ("file_name", "varchar(255)", "!"),
        ("file_type", "varchar(20)", "!"),
        ("file_path", "varchar(500)", "!"),
        ("storage_location", "varchar(50)", "!", PLACE),
        ("file_size_bytes", "int"),
        ("mime_type", "varchar(100)"),
        ("original_filename", "varchar(255)"),
        ("uploaded_by", "int", "users", "set null"),
        ("description", "text"),
        ("is_verified", FLAG, "=false"),
        ("verified_by", "int", "users", "set null"),
        ("verified_at", STAMP),
        *STAMPS,
    ],
    "guest_images": [
        ("guest_id", "int", "!", "guests", "cascade"),
        ("image_type", "varchar(50)", "!"),
        ("file_path", "varchar(500)", "!"),
        ("file_name", "varchar(255)", "!"),
        ("file_size", "int"),
        ("mime_type", "varchar(100)"),
        ("uploaded_by_user_id", "int", "users", "set null"),
        ("created_at", STAMP, "now"),
    ],
    "expenses": [
        ("date", STAMP, "!"),
        ("category", "varchar(50)", "!"),
        ("amount", MONEY, "!"),
        ("description", "text"),
        ("receipt_url", "varchar(500)"),
        *STAMPS,
    ],
}
LATER_TABLES = {"guest_images", "expenses"}
LATER = {
    ("reservations", "checked_in_by"),
    ("reservations", "deposit_amount"),
    ("reservations", "deposit_returned_at"),
    ("payments", "payment_type"),
}
INDEXES = [
    ("users", "email"),
    ("rooms", "room_type_id"),
    ("guests", "full_name"),
    ("reservations", "status"),
    ("reservations", "check_in_date, check_out_date"),
    ("payments", "reservation_id"),
    ("payments", "payment_date"),
]
SHAPES = ("O0", "O1", "O2", "P")


def build(shape, lacks=(), indexes_twice=False):
    """Make the tables of a shape in the database, which must not have them. Return their names.

    lacks: tables and ``(table, column)``s that are left out besides those that the shape lacks.
    """
    lacks = {*lacks, *(LATER if shape in ("O0", "O1") else ())}
    lacks |= LATER_TABLES if shape == "O0" else set()
    made = [table for table in TABLES if table not in lacks]
    script = []
    for table in made:
        columns = [one for one in TABLES[table] if (table, one[0]) not in lacks]
        script.append(_create(shape, table, columns))
        script += _indexes(shape, table, columns)
    for table, columns in INDEXES:
        for prefix in ("ix", "idx") if indexes_twice else ("idx" if shape == "P" else "ix",):
            name = f"{prefix}_{table}_{columns.split(',')[0]}"
            script.append(f"CREATE INDEX {name} ON {table} ({columns})")
    run(*script)
    return made


def run_sql_files():
    """Do what the project's own runner does on O2: second indexes, and a second foreign key."""
    statements = [
        f"CREATE INDEX idx_{table}_{columns.split(',')[0]}_again ON {table} ({columns})"
        for table, columns in INDEXES
    ]
    if connection.vendor == "postgresql":
        statements.append(
            "ALTER TABLE reservations ADD CONSTRAINT fk_reservations_checked_in_by"
            " FOREIGN KEY (checked_in_by) REFERENCES users (id) ON DELETE SET NULL"
        )
    run(*statements)


def _create(shape, table, columns):
    from_sql, on_sqlite = shape == "P", connection.vendor == "sqlite"
    lines, after = [], []
    key = "id INTEGER NOT NULL" if on_sqlite else "id SERIAL"
    lines.append(key)
    after.append("PRIMARY KEY (id)")
    for name, kind, *marks in columns:
        kind = {"int": "INTEGER", STAMP: "DATETIME" if on_sqlite else "timestamp"}.get(kind, kind)
        line = f"{name} {kind.upper() if on_sqlite else kind}"
        if "!" in marks:
            line += " NOT NULL"
        for mark in marks:
            if mark == "now" and from_sql:
                line += " DEFAULT CURRENT_TIMESTAMP"
            if mark == "nights" and from_sql:
                days = "check_out_date - check_in_date"
                if on_sqlite:
                    days = "CAST(julianday(check_out_date) - julianday(check_in_date) AS INTEGER)"
                line += f" GENERATED ALWAYS AS ({days}) STORED"
            if mark.startswith("=") and from_sql:
                line += f" DEFAULT {mark[1:]}"
            if mark.startswith("in "):
                after.append(f"CHECK ({name} {mark})")
            if mark == "*" and from_sql:
                after.append(f"UNIQUE ({name})")
            if mark in TABLES:
                rule = f" ON DELETE {marks[-1].upper()}" if from_sql else ""
                after.append(f"FOREIGN KEY ({name}) REFERENCES {mark} (id){rule}")
        lines.append(line)
    return f"CREATE TABLE {table} (\n\t" + ", \n\t".join([*lines, *after]) + "\n)"


def _indexes(shape, table, columns):
    """Return the unique indexes by which the ORM makes a column unique."""
    if shape == "P":
        return []
    return [
        f"CREATE UNIQUE INDEX ix_{table}_{name} ON {table} ({name})"
        for name, _, *marks in columns
        if "*" in marks
    ]


def fill(times=1):
    """Insert the sample rows as the last legacy system would hold them, ``times`` over.

    Old words for a status become NULL, which its check lets pass. Rows are repeated with keys and
    unique values of their own.
    """
    rows = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    there = {}
    for table in connection.introspection.table_names():
        if table in TABLES:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {table} WHERE 1 = 0")
                there[table] = {column[0] for column in cursor.description}
    for table in TABLES:
        found = [dict(columns) for name, columns in rows if name == table]
        if table not in there:
            continue
        if table == "guest_images":
            found = [
                {
                    "id": key,
                    "guest_id": key,
                    "image_type": "passport",
                    "file_path": f"/files/{key}.png",
                    "file_name": f"{key}.png",
                    "created_at": "2025-11-08 15:56:00.000001",
                }
                for key in (1, 2, 3)
            ]
        if table == "expenses":
            found = [
                {"id": key, "date": "2025-11-08 21:37:00", "category": "taxes", "amount": "12.30"}
                for key in (1, 2)
            ]
        _insert(table, [_clean(table, row) for row in found], there[table])
    for repeat in range(1, times):
        _repeat(repeat, there)


def _clean(table, row):
    row = {name: value for name, value in row.items() if name != "checked_in_by_name"}
    if table == "reservations":
        words = ("confirmed", "checked_in", "checked_out", "cancelled")
        row["status"] = row["status"] if row["status"] in words else None
        row["deposit_amount"] = "150000.50" if row["id"] % 7 == 0 else None
        row["checked_in_by"] = 1 if row["id"] % 3 == 0 else None
    if table == "payments":
        row["payment_type"] = ("full", "deposit", None)[row["id"] % 3]
    if table == "rooms" and row["status"] not in ("available", "occupied", "out_of_order"):
        row["status"] = None
    if table == "users" and row["status"] not in ("active", "inactive"):
        row["status"] = None
    return row


def _insert(table, rows, there):
    if not rows:
        return
    names = sorted(there - {"number_of_nights"})  # no default is asked, so that all days are alike
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
            [[row.get(name) for name in names] for row in rows],
        )
        if connection.vendor == "postgresql":
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )


def _repeat(repeat, there):
    """Copy reservations and payments, with keys beyond those that are there."""
    step = 1_000_000 * repeat
    for table, changed in (
        ("reservations", {"id": f"id + {step}", "confirmation_number": f"'R' || (id + {step})"}),
        ("payments", {"id": f"id + {step}", "reservation_id": f"reservation_id + {step}"}),
    ):
        names = sorted(there[table] - {"number_of_nights"})
        values = ", ".join(changed.get(name, name) for name in names)
        run(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}"
            " WHERE id < 1000000"
        )


def load(path):
    """Run a dump of either engine in the database under test."""
    text = path.read_text(encoding="utf-8")
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        connection.connection.executescript(f"PRAGMA foreign_keys = OFF; {text}")
        connection.close()
        return
    with connection.cursor() as cursor:
        blocks = re.split(r"(?m)^(COPY .*? FROM stdin;)\n", text)
        cursor.execute(blocks[0])
        for copy, block in zip(blocks[1::2], blocks[2::2], strict=True):
            rows, _, after = block.partition("\\.\n")
            cursor.cursor.copy_expert(copy, io.StringIO(rows))
            cursor.execute(f"{after}; SELECT 1")  # what remains may be comments alone
    connection.close()  # the dump has changed settings of the session


def run(*statements):
    """Run SQL."""
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)
