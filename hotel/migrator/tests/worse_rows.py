"""Rows worse than any that were found."""

import itertools

from hotel.migrator.tests import legacy

FIRST_DATA_STEP = ("reservations", "0005_backfill_deposit_amount")

STATUSES = [
    *("old_confirmed", "old_checked_in", "pending", "confirmed", "checked_in", "checked_out"),
    *("cancelled", "no_show", "CHECKED_IN", " checked_in ", "checked_in\n", "", None, "0", "NULL"),
    *("d\u00e9j\u00e0 vu", "\u200bconfirmed", "o'ld; DROP TABLE x", "\U0001f6cf", "x" * 20),
]
AMOUNTS = ["9999999999.99", "-9999999999.99", "0.01", "-0.01", "0", None]
INSTANTS = [
    *("2025-03-30 02:30:00.000001", "2025-10-26 02:30:00.999999", "1970-01-01 00:00:00"),
    *("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", None),
]
STAYS = [  # of one room, all alive: one day, none, the other way round, and on top of each other
    *(("2025-11-08", "2025-11-10"), ("2025-11-08", "2025-11-10"), ("2025-11-09", "2025-11-08")),
    *(("2025-11-09", "2025-11-09"), ("0001-01-01", "9999-12-31"), ("9999-12-31", "0001-01-01")),
]
WORDS = [
    *("", " ", "NULL", "null", "deposit", "DePoSiT", "jaminan\n", "uang muka", "depos\u0131t", "%"),
    *("_", "\\", "'", '"', "\r\n", "\t", "<b>", "{{ x }}", "%s", "\U0001f511" * 300, "0x00", None),
]


def write(history):
    """Write the rows as the legacy application could have, had nobody ever looked."""
    for key, name in enumerate(["a", "A", " a", "a ", "", "\u00e9", "e\u0301", "x" * 50], 1):
        legacy.user(
            history,
            key,
            username=name,
            password_hash=["", "plain text", legacy.HASH, "!", "x" * 255][key % 5],
            role=["admin", "user", "Admin", "", "boss "][key % 5],
            status=["active", "inactive", None, "", "Active"][key % 5],
            email=["", "not an address", None][key % 3],
            last_login=INSTANTS[key % 6],
            created_at=INSTANTS[(key + 1) % 6],
        )
    for key, code in enumerate(["", "std", "STD", "\u00df", "'"], 1):
        legacy.room_type(history, key, code=code, name="", default_rate=AMOUNTS[key % 5])
    for key, number in enumerate(["", "101", "101 ", "a1", "A1", "\u0661"], 1):
        status = ["occupied", "", None, "Available", "out_of_order", "x" * 20][key - 1]
        legacy.room(history, key, room_number=number, status=status, floor=-(2**31))
    for key, text in enumerate(WORDS, 1):
        legacy.guest(
            history, key, full_name=(text or "")[:100], notes=text, phone=(text or "")[:20]
        )
    for key, (status, amount) in enumerate(itertools.product(STATUSES, AMOUNTS), 1):
        arrival, departure = STAYS[key % 6]
        legacy.reservation(
            history,
            key,
            confirmation_number=f"{'bB'[key % 2]}k-{key // 2}",
            guest_id=1 + key % len(WORDS),
            room_id=[1, 1, 2, None][key % 4],
            created_by=1 + key % 8,
            check_in_date=arrival,
            check_out_date=departure,
            number_of_nights=[None, 0, -3, 2**31 - 1][key % 4],
            adults=[None, 0, -1, 2**31 - 1][(key + 1) % 4],
            rate_per_night=amount or "0",
            subtotal=AMOUNTS[(key + 1) % 5],
            total_amount=AMOUNTS[(key + 2) % 5],
            discount_amount=AMOUNTS[(key + 3) % 6],
            deposit_amount=AMOUNTS[(key + 1) % 6],
            deposit_returned_at=INSTANTS[key % 6],
            status=status,
            special_requests=WORDS[key % len(WORDS)],
            checked_in_at=INSTANTS[(key + 1) % 6],
            checked_out_at=INSTANTS[(key + 2) % 6],
            checked_in_by=[None, 3][key % 2],
            checked_in_by_name=(WORDS[(key + 5) % len(WORDS)] or "")[:100],
        )
    yes_no_or_nothing = itertools.cycle([True, False, None])
    for key, (text, amount) in enumerate(itertools.product(WORDS, AMOUNTS), 1):
        legacy.payment(
            history,
            key,
            reservation_id=1 + key % (len(STATUSES) * len(AMOUNTS)),
            amount=amount or "0",
            payment_date=["0001-01-01", "9999-12-31", "2024-02-29"][key % 3],
            payment_method=["cash", "", "CASH", "x" * 20][key % 4],
            payment_type=[None, "full", "deposit", "", "Deposit", "x" * 20][key % 6],
            notes=text,
            is_refund=next(yes_no_or_nothing),
            is_voided=[True, None][key % 2],
            created_by=[None, 1][key % 2],
            created_at=INSTANTS[key % 6],
        )
    for key, amount in enumerate(["-1", "0", "9999999999.99"], 1):
        history.insert("expenses", id=key, date=INSTANTS[key], category="", amount=amount)
    history.insert("settings", id=1, setting_key="", setting_value="")
