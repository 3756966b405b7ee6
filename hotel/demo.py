"""A made-up hotel as the legacy system would have left it: rows for the initial state.

26 rooms of 8 types on 4 floors, and the stays of some 90 days around today in every state, with the
dirt that real rows have: old words beside new ones, spaces, capitals, NULLs, an overlap. The same
day gives the same hotel, because the dice are loaded (``random.Random(1)``).
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import bcrypt
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.migrations.state import StateApps

PASSWORD = "demo hotel"  # noqa: S105 - printed for everybody
MARK = "demo_hotel"  # the settings row that tells a demo hotel from a real one
UNFINISHED, FINISHED = "false", "true"  # its values before and after it is at head with its groups

# name to log in with, full name, legacy role, legacy status, group after the upgrade
STAFF = [
    ("owner", "Ibu Ratna Wijaya", "admin", "active", None),
    ("manager", "Budi Santoso", "user", "active", "Manager"),
    ("desk", "Sari Lestari", "user", "active", "Front desk"),
    ("housekeeping", "Wayan Putra", "user", "active", "Housekeeping"),
    ("accounting", "Mei Tan", "user", "active", "Accounting"),
    ("auditor", "Agus Hidayat", "user", "active", "Read-only"),
    ("former", "Dewi Anggraini", "user", "inactive", None),
]
# code, name, rate a night, adults, the rooms
ROOM_TYPES = [
    ("STD", "Standard", 300_000, 2, ["101", "102", "103", "104", "105"]),
    ("STT", "Standard Twin", 320_000, 2, ["106", "107", "201"]),
    ("SUP", "Superior", 400_000, 2, ["202", "203", "204", "205", "206"]),
    ("SUT", "Superior Twin", 420_000, 2, ["207", "301", "302"]),
    ("DLX", "Deluxe", 500_000, 3, ["303", "304", "305", "306"]),
    ("JUS", "Junior Suite", 650_000, 3, ["401", "402", "403"]),
    ("SUI", "Suite", 850_000, 4, ["404", "405"]),
    ("FAM", "Family Room", 700_000, 5, ["406"]),
]
CHANNELS = [
    ("direct", "Direct", "direct", 0),
    ("traveloka", "Traveloka", "ota", "15.5"),
    ("booking", "Booking.com", "ota", "17"),
]
FIRST = [
    *("Andi", "Ayu", "Bagus", "Citra", "Dian", "Eka", "Fajar", "Gita"),
    *("Hadi", "Indah", "Joko", "Kartika", "Lukman", "Maya", "Nur", "Putri"),
]
LAST = [
    *("Halim", "Kusuma", "Nasution", "Pratama", "Rahman", "Saputra"),
    *("Siregar", "Susanto", "Utami", "Wibowo", "Yulianti", "Zhang"),
]
METHODS = ["cash", "bank_transfer", "credit_card", "debit_card", "e_wallet"]
OLD_WORDS = {"confirmed": "old_confirmed", "checked_in": "old_checked_in"}
DIRTY_WORDS: dict[str, list[str | None]] = {
    "pending": [" pending"],
    "confirmed": ["old_confirmed ", "OLD_CONFIRMED", "confirmed", None],
    "checked_in": ["checked_in"],
    "checked_out": ["Checked_Out"],
    "cancelled": ["Cancelled", ""],
    "no_show": ["no-show"],
}


def write(apps: StateApps, today: date, *, days: int = 90, rounds: int = 12) -> None:
    """Insert the demo hotel.

    apps: models at the initial state. today: the hotel's date. days: from two thirds before today
    to one third after. rounds: cost of the password hashes (bcrypt's logarithm).
    """
    _Writer(apps, today, days, rounds).write()


def assign_groups(using: str) -> None:
    """Put the staff into groups as an owner would; the legacy system knew two roles only."""
    for username, _, _, _, group in STAFF:
        if group:
            user = get_user_model().objects.using(using).get(username=username)
            user.groups.set(Group.objects.using(using).filter(name=group))


class _Writer:
    def __init__(self, apps: StateApps, today: date, days: int, rounds: int) -> None:
        self.apps = apps
        self.today = today
        self.first_day = today - timedelta(days=days * 2 // 3)
        self.last_day = today + timedelta(days=days // 3)
        self.rounds = rounds
        self.dice = Random(1)  # noqa: S311 - the same hotel every time, no secret
        self.bookings: list[dict[str, Any]] = []
        self.payments: list[dict[str, Any]] = []

    def write(self) -> None:
        self._write_staff()
        self._write_house()
        self._write_guests()
        for room in self.rooms:
            self._book(room)
        self._add_dirt()
        self._insert("reservations.Reservation", self.bookings)
        self._insert("payments.Payment", self.payments)

    def _insert(self, label: str, rows: list[dict[str, Any]]) -> list[Any]:
        """Insert dicts as rows with keys 1, 2, 3, … and return them as instances."""
        model = self.apps.get_model(label)
        for field in model._meta.local_fields:
            field.auto_now = field.auto_now_add = False  # the hotel has a past
        instances = [model(**{**self._stamped(model), **row}) for row in rows]
        rows_made: list[Any] = model.objects.bulk_create(instances, batch_size=500)
        return rows_made

    def _stamped(self, model: Any) -> dict[str, datetime]:
        opened = self._moment(self.first_day - timedelta(days=400), 9)
        names = {field.name for field in model._meta.local_fields}
        return {name: opened for name in ("created_at", "updated_at") if name in names}

    def _moment(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour, self.dice.randrange(60)), UTC)

    def _write_staff(self) -> None:
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(self.rounds)).decode()
        self.staff = self._insert(
            "accounts.User",
            [
                {
                    "username": username,
                    "password": hashed,
                    "email": f"{username}@hotel.example",
                    "full_name": full_name,
                    "role": role,
                    "status": status,
                }
                for username, full_name, role, status, _ in STAFF
            ],
        )
        self.desk = self.staff[2]

    def _write_house(self) -> None:
        self._insert(
            "dashboard.Setting",
            [
                {"setting_key": "hotel_name", "setting_value": "Pantai Indah", "category": "Hotel"},
                {"setting_key": "check_in_time", "setting_value": "14:00", "category": "Booking"},
                {"setting_key": "currency", "setting_value": "IDR", "category": "Localization"},
                {"setting_key": MARK, "setting_value": UNFINISHED, "setting_type": "boolean"},
            ],
        )
        self.channels = self._insert(
            "reservations.BookingChannel",
            [
                {"code": code, "name": name, "channel_type": kind, "commission_percentage": share}
                for code, name, kind, share in CHANNELS
            ],
        )
        types = self._insert(
            "rooms.RoomType",
            [
                {
                    "code": code,
                    "name": name,
                    "default_rate": Decimal(rate),
                    "base_capacity_adults": adults,
                    "max_occupancy": adults + 1,
                }
                for code, name, rate, adults, _ in ROOM_TYPES
            ],
        )
        words = {"105": "maintenance", "207": "out_of_order", "302": "Available", "406": None}
        self.rooms = self._insert(
            "rooms.Room",
            [
                {
                    "room_number": number,
                    "floor": int(number[0]),
                    "room_type": room_type,
                    "status": words.get(number, "available"),
                }
                for room_type, (*_, numbers) in zip(types, ROOM_TYPES, strict=True)
                for number in numbers
            ],
        )

    def _write_guests(self) -> None:
        names = [f"{first} {last}" for first in FIRST for last in LAST]
        self.guests = self._insert(
            "reservations.Guest",
            [
                {
                    "full_name": name,
                    "phone": f"+62 812 {1000 + number} {number:04}" if number % 7 else None,
                    "email": f"guest{number}@mail.example" if number % 3 else "",
                    "nationality": "Indonesian",
                    "is_vip": number % 20 == 0,
                }
                for number, name in enumerate(names)
            ],
        )

    def _book(self, room: Any) -> None:
        """Fill one room, a stay after the other, with free nights between."""
        day = self.first_day + timedelta(days=self.dice.randrange(4))
        while day < self.last_day:
            leaves = day + timedelta(days=self.dice.choice([1, 1, 2, 2, 3, 4, 7]))
            if self.dice.random() < 0.06:
                self._add_stay(room, day, leaves, self.dice.choice(["cancelled", "no_show"]))
            elif leaves < self.today:
                self._add_stay(room, day, leaves, "checked_out")
            elif day < self.today:
                self._add_stay(room, day, leaves, "checked_in")
            else:
                state = "pending" if self.dice.random() < 0.1 else "confirmed"
                self._add_stay(room, day, leaves, state)
            day = leaves + timedelta(days=self.dice.choice([0, 0, 1, 1, 2, 3]))

    def _add_stay(self, room: Any, arrives: date, leaves: date, state: str) -> None:
        number = len(self.bookings) + 1
        nights = (leaves - arrives).days
        rate = room.room_type.default_rate
        subtotal = rate * nights
        discount = (subtotal / 10).quantize(Decimal("0.01")) if number % 9 == 0 else Decimal(0)
        booked = self._moment(arrives - timedelta(days=self.dice.randrange(1, 30)), 8)
        word: str | None = OLD_WORDS.get(state, state)
        if number % 25 == 0:
            word = self.dice.choice(DIRTY_WORDS[state])
        stayed = state in ("checked_in", "checked_out")
        self.bookings.append(
            {
                "confirmation_number": f"CONF-{number:06}",
                "guest": self.dice.choice(self.guests),
                "check_in_date": arrives,
                "check_out_date": leaves,
                "room_type": room.room_type,
                "room": room,
                "adults": self.dice.randrange(1, 3),
                "rate_per_night": rate,
                "number_of_nights": nights,
                "subtotal": subtotal,
                "discount_amount": discount,
                "total_amount": subtotal - discount,
                "status": word,
                "booking_channel": self.dice.choice(self.channels),
                "booking_source": "Walk-in" if number % 4 == 0 else None,
                "created_by": self.desk,
                "checked_in_at": self._moment(arrives, 7) if stayed else None,
                "checked_in_by_name": self.desk.username if stayed else None,
                "checked_out_at": self._moment(leaves, 4) if state == "checked_out" else None,
                "created_at": booked,
                "updated_at": booked,
            }
        )
        if stayed or number % 2:
            self._add_payments(number, arrives, subtotal - discount, state)

    def _add_payments(self, reservation: int, arrives: date, total: Decimal, state: str) -> None:
        early = (total / 2).quantize(Decimal(1))
        if reservation % 4 == 1:
            self._pay(reservation, arrives - timedelta(days=3), early, "uang muka 50%")
            if state in ("checked_in", "checked_out"):
                self._pay(reservation, arrives, total - early, "")
        elif state in ("checked_in", "checked_out"):
            self._pay(reservation, arrives, total, None)
        if reservation % 5 == 0:
            words = self.dice.choice(["Deposit kunci", "JAMINAN kamar", "deposit"])
            self._pay(reservation, arrives, Decimal(100_000), words)
        if state == "cancelled":
            self._pay(reservation, arrives, early, "dikembalikan", is_refund=True)

    def _pay(
        self, reservation: int, day: date, amount: Decimal, notes: str | None, **more: Any
    ) -> None:
        self.payments.append(
            {
                "reservation_id": reservation,
                "payment_date": day,
                "amount": amount,
                "payment_method": self.dice.choice(METHODS),
                "notes": notes,
                "created_by": self.desk,
                "created_at": self._moment(day, 8),
                "updated_at": self._moment(day, 8),
                **more,
            }
        )

    def _add_dirt(self) -> None:
        """Add what no rule allows and every old hotel has."""
        first = self.bookings[0]
        for changed in (
            {"confirmation_number": "conf-000001"},  # the same room, the same nights
            {"check_out_date": first["check_in_date"], "number_of_nights": 0, "room": None},
            {"check_out_date": first["check_in_date"] - timedelta(days=2), "number_of_nights": -2},
            {"number_of_nights": None, "adults": None, "special_requests": "lantai atas ✓"},
        ):
            number = f"CONF-{len(self.bookings) + 1:06}"
            self.bookings.append({**first, "confirmation_number": number, **changed})
