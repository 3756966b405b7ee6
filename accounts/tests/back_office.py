"""Staff and rows for the tests of the back office: whoever uses it, and one row of every model."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from accounts.models import PermissionGrant, User
from hotel.dashboard.models import BusinessDay, DailyAdjustment, DailyMetrics, Setting
from hotel.dashboard.models import Event as BusinessDayEvent
from hotel.exemptions import rules_of
from hotel.migrator.constraints import Frozen
from payments.models import (
    Charge,
    ChargeEvent,
    DepositMovement,
    Expense,
    Payment,
    PaymentAttachment,
)
from payments.models import Event as PaymentEvent
from reservations.models import BookingChannel, Discount, Guest, GuestImage, GuestMerge, Reservation
from reservations.models import Event as StayEvent
from rooms.models import Event as RoomEvent
from rooms.models import Room, RoomBlock, RoomImage, RoomType, RoomTypeImage

OWNER = "Owner"
TODAY = date(2025, 7, 1)


def member(role, **fields):
    """Add and return a member of staff in the group ``role``; an owner is in none."""
    fields = {"username": role.lower(), "is_staff": True, "is_superuser": role == OWNER, **fields}
    user = User.objects.create(password="!", **fields)
    if role != OWNER:
        user.groups.add(Group.objects.get(name=role))
    return user


def browser(user=None, **options):
    """Return a client in which ``user`` has logged in, without the cost of a password."""
    client = Client(**options)
    if user:
        client.force_login(user)
    return client


class Fields(HTMLParser):
    """What a browser would send of the form that posts: ``sent`` by name, as lists."""

    def __init__(self):
        super().__init__()
        self.sent = {}
        self._is_open, self._select, self._text, self._first = False, "", "", None

    def handle_starttag(self, tag, attrs):
        """Take what an input or an option says."""
        attrs = dict(attrs)
        name, kind = attrs.get("name", ""), attrs.get("type", "text")
        if tag == "form":
            leaves = "logout" in attrs.get("action", "")
            self._is_open = attrs.get("method") == "post" and not leaves
        elif not self._is_open:
            return
        elif tag == "select":
            self._select, self._first = name, None if "multiple" in attrs else ...
        elif tag == "option" and self._select:
            self._take_option(attrs)
        elif tag == "textarea":
            self._text = name
            self.sent[name] = [""]
        elif tag == "input" and name and kind not in ("submit", "file", "button"):
            if kind in ("checkbox", "radio") and "checked" not in attrs:
                return
            self.sent.setdefault(name, []).append(attrs.get("value") or "")

    def _take_option(self, attrs):
        if "selected" in attrs:
            self.sent.setdefault(self._select, []).append(attrs.get("value", ""))
        elif self._first is ...:
            self._first = attrs.get("value", "")

    def handle_endtag(self, tag):
        """Let a list in which nothing was chosen send what it shows: its first line."""
        if tag == "select" and isinstance(self._first, str):
            self.sent.setdefault(self._select, [self._first])
        if tag in ("select", "textarea"):
            self._select = self._text = ""
        elif tag == "form":
            self._is_open = False

    def handle_data(self, data):
        """Take the text of a text area, without the line break that it begins with."""
        if self._text:
            shown = self.sent[self._text][0] + data
            self.sent[self._text] = [shown.removeprefix("\n")]


def on_page(response):
    """Return what a browser would send of the form on a page, as ``{name: [value, …]}``."""
    parser = Fields()
    parser.feed(response.content.decode())
    return parser.sent


def send(client, address, **typed):
    """Open the page of a form, type into it, and send it as a browser does; return the answer."""
    return client.post(address, {**on_page(client.get(address)), **typed})


def room(number="101", **fields):
    """Add and return a room; its type is made if it is not there."""
    kind, _ = RoomType.objects.get_or_create(
        code="STD", defaults={"name": "Standard", "default_rate": Decimal("500000.00")}
    )
    return Room.objects.create(**{"room_number": number, "floor": 1, "room_type": kind, **fields})


def reservation(number="RES-1", **fields):
    """Add and return a reservation; guest, room type and clerk are made if they are not given."""
    if "guest" not in fields:
        fields["guest"] = Guest.objects.create(full_name=f"Guest of {number}")
    if "room_type" not in fields:
        fields["room_type"], _ = RoomType.objects.get_or_create(
            code="STD", defaults={"name": "Standard", "default_rate": Decimal("500000.00")}
        )
    if "created_by" not in fields:
        fields["created_by"], _ = User.objects.get_or_create(username="clerk")
    defaults = {
        "check_in_date": TODAY,
        "check_out_date": TODAY + timedelta(days=2),
        "rate_per_night": Decimal("500000.00"),
        "subtotal": Decimal("1000000.00"),
        "total_amount": Decimal("1000000.00"),
    }
    return Reservation.objects.create(**{"confirmation_number": number, **defaults, **fields})


def let_rows_be_dirty():
    """Let the rows of this test break rules that name them as exempt, as legacy rows do.

    And let them be changed, where rows that stand are not.

    To be called before there are rows: PostgreSQL alters no table that rows wait to be checked in.
    """
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = connection.ops.quote_name(model._meta.db_table)
            for name in rules_of(model):
                if connection.vendor == "postgresql":
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}_exempt")
                else:
                    cursor.execute(f"DROP TRIGGER {name}_new")
                    cursor.execute(f"DROP TRIGGER {name}_changed")
            for name in (rule.name for rule in model._meta.constraints if isinstance(rule, Frozen)):
                if connection.vendor == "postgresql":
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
                else:
                    cursor.execute(f"DROP TRIGGER {name}_update")
        # Parts follow stays, and are exempt from nothing until a migration looks at all of them.
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE stay_parts DROP CONSTRAINT stay_parts_no_double_booking")
        else:
            cursor.execute("DROP TRIGGER stay_parts_no_double_booking_inserted")
            cursor.execute("DROP TRIGGER stay_parts_no_double_booking_updated")


def exempt_from_all(model):
    """Return the exemptions of a row that need keep no rule of ``model``."""
    return dict.fromkeys(rules_of(model), 1)


def merged(guest, by=None):
    """Add and return what is left of a guest who was merged into ``guest``."""
    return GuestMerge.objects.create(
        guest=guest,
        merged_key=10_000,
        merged_name="Ratna",
        original={},
        moved={},
        filled={},
        at=datetime.now(UTC),
        by=by or User.objects.first(),
        reason="asked",
    )


def payment(stay, **fields):
    """Add and return a payment for the reservation ``stay``."""
    defaults = {"payment_date": TODAY, "amount": Decimal("250000.50"), "payment_method": "cash"}
    return Payment.objects.create(**{"reservation": stay, **defaults, **fields})


def one_of_each():
    """Add one row to every table, joined to each other, and return them by model."""
    clerk = User.objects.create(username="clerk")
    suite = room()
    discount = Discount.objects.create(
        name="Long stay", code="LONG", discount_type="percentage", discount_value=Decimal("10")
    )
    channel = BookingChannel.objects.create(
        name="Agency",
        code="AG",
        channel_type="ota",
        api_key="the-key-of-the-agency",
        api_secret="the-secret-of-the-agency",
    )
    stay = reservation(
        room=suite,
        discount=discount,
        booking_channel=channel,
        created_by=clerk,
        checked_in_by=clerk,
    )
    paid = payment(stay, created_by=clerk)
    minibar = Charge.objects.create(
        reservation=stay,
        kind="minibar",
        business_date=TODAY,
        amount=Decimal("45000.00"),
        created_by=clerk,
    )
    happened = {"business_date": TODAY, "changes": {}, "reason": "asked", "at": datetime.now(UTC)}
    stored = {"image_type": "main", "image_path": "/p", "storage_location": "disk"}
    rows = [
        clerk,
        Group.objects.get(name="Manager"),
        PermissionGrant.objects.first(),
        suite.room_type,
        suite,
        RoomTypeImage.objects.create(
            room_type=suite.room_type, image_name="type.jpg", uploaded_by=clerk, **stored
        ),
        RoomImage.objects.create(room=suite, image_name="room.jpg", uploaded_by=clerk, **stored),
        stay.guest,
        merged(stay.guest, clerk),
        GuestImage.objects.create(
            guest=stay.guest, image_type="passport", file_path="/p", file_name="passport.jpg"
        ),
        discount,
        channel,
        stay,
        stay.parts.get(),
        RoomBlock.objects.create(
            room=suite, kind="out_of_order", start_date=TODAY, end_date=TODAY + timedelta(days=1)
        ),
        paid,
        DepositMovement.objects.create(
            reservation=stay,
            kind="collected",
            amount=Decimal("250000.50"),
            payment=paid,
            business_date=TODAY,
            evidence="recorded",
        ),
        PaymentAttachment.objects.create(
            payment=paid,
            file_name="p.pdf",
            file_type="pdf",
            file_path="/p",
            storage_location="disk",
        ),
        Expense.objects.create(
            date=datetime(2025, 7, 1, 18, tzinfo=UTC), category="Laundry", amount=Decimal("75000")
        ),
        RoomEvent.objects.create(room=suite, what="set_clean", by=clerk, **happened),
        StayEvent.objects.create(reservation=stay, what="booked", by=clerk, **happened),
        minibar,
        ChargeEvent.objects.create(charge=minibar, what="charged", by=clerk, **happened),
        PaymentEvent.objects.create(payment=paid, what="taken", by=clerk, **happened),
        Setting.objects.create(setting_key="hotel_name", setting_value="Pantai"),
        AccessAttempt.objects.create(
            username="clerk", ip_address="192.0.2.1", failures_since_start=5, user_agent=""
        ),
        DailyMetrics.objects.create(
            day=TODAY,
            room_type=suite.room_type,
            rooms=1,
            rooms_out_of_order=0,
            rooms_sold=1,
            room_revenue=Decimal("500000.00"),
            arrivals=1,
            departures=0,
            cancellations=0,
            no_shows=0,
            computed_at=datetime(2025, 7, 2, 18, tzinfo=UTC),
        ),
    ]
    # The day before is closed: on its own day nothing more could be paid.
    yesterday = TODAY - timedelta(days=1)
    closed = BusinessDay.objects.create(day=yesterday, closed_at=datetime.now(UTC), closed_by=clerk)
    rows += [
        closed,
        BusinessDayEvent.objects.create(business_day=closed, what="closed", by=clerk, **happened),
        DailyAdjustment.objects.create(
            adjusted_on=TODAY,
            day=yesterday,
            room_type=suite.room_type,
            rooms_sold=-1,
            room_revenue=Decimal("-500000.00"),
            arrivals=0,
            departures=-1,
            cancellations=0,
            no_shows=0,
        ),
    ]
    return {row._meta.label_lower: row for row in rows}
