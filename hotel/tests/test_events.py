"""The hotel's memory: an event for each act, in its transaction, that nobody changes later."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.tests.back_office import browser, member
from hotel.business_day import business_date
from hotel.events import told
from hotel.refusals import Refused
from payments import services as money
from payments.models import ChargeEvent, Payment
from payments.models import Event as PaymentEvent
from reservations import services
from reservations.models import Event as StayEvent
from reservations.models import Reservation
from reservations.tests.test_statements import ACTS, Desk, day
from rooms import services as house
from rooms.models import Event as RoomEvent
from rooms.models import Room


@pytest.fixture
def desk(db):
    return Desk()


def last(row):
    """Return the newest event of a row: what, who, why, and what it changed."""
    event = row.events.latest("pk")
    assert (event.evidence, event.business_date) == ("recorded", business_date())
    return event.what, event.by.username, event.reason, event.changes


# act of test_statements.py: the events it writes, of stays, of payments, of rooms
WRITTEN = {
    "book": (["booked"], [], []),
    "book without a room": (["booked"], [], []),
    "confirm": (["confirmed"], [], []),
    "change dates": (["moved_to_other_dates"], [], []),
    "reprice": (["repriced"], [], []),
    "move": (["moved"], [], ["vacated", "occupied"]),
    "swap": (["swapped", "swapped"], [], []),
    "check in": (["checked_in"], [], ["occupied"]),
    "check out, paid": (["checked_out"], [], ["vacated"]),
    "check out, settling a deposit": (["checked_out"], ["refunded"], ["vacated"]),
    "check out, early": (["checked_out"], ["refunded"], ["vacated"]),
    "cancel": (["cancelled"], [], []),
    "cancel for a fee": (["cancelled"], [], []),
    "cancel in house after a night": (["cancelled"], [], ["vacated"]),
    "cancel in house": (["cancelled"], [], ["vacated"]),
    "mark no-show": (["no_show"], [], []),
    "undo check-in": (["check_in_undone"], [], ["occupancy_undone"]),
    "undo check-out": (["check_out_undone"], [], ["occupied"]),
    "reinstate": (["reinstated"], [], []),
    "take payment": ([], ["taken"], []),
    "take deposit": (["deposit_collected"], ["taken"], []),
    "refund": ([], ["refunded"], []),
    "void": ([], ["voided"], []),
    "apply deposit": (["deposit_applied"], [], []),
    "unapply deposit": (["deposit_unapplied"], [], []),
    "charge": ([], [], []),
    "void charge": ([], [], []),
    "return deposit": (["deposit_refunded"], ["refunded"], []),
    "forfeit deposit": (["deposit_forfeited"], [], []),
    "set housekeeping": ([], [], ["set_dirty"]),
    "block": ([], [], ["blocked"]),
    "release": ([], [], ["released"]),
}
# and of charges
WRITTEN_OF_CHARGES = {
    "cancel for a fee": ["charged"],
    "cancel in house after a night": ["charged"],
    "charge": ["charged"],
    "void charge": ["voided"],
}


@pytest.mark.parametrize("act", ACTS)
def test_each_act_writes_its_events_and_says_who(desk, act):
    before, do, _ = ACTS[act]
    before(desk)
    Room.objects.filter(housekeeping_status="dirty").update(housekeeping_status="clean")
    tables = (StayEvent, PaymentEvent, RoomEvent, ChargeEvent)
    old = [set(table.objects.values_list("pk", flat=True)) for table in tables]
    do(desk)
    new = [
        table.objects.exclude(pk__in=keys).order_by("pk")
        for table, keys in zip(tables, old, strict=True)
    ]
    written = (*WRITTEN[act], WRITTEN_OF_CHARGES.get(act, []))
    assert tuple([event.what for event in events] for events in new) == written
    assert {event.by for events in new for event in events} == {desk.clerk}


def test_an_event_says_what_was_changed_from_what_to_what(desk):
    stay = desk.stay
    assert last(stay)[3]["total_amount"] == [None, "1000000.00"]
    assert last(stay)[3]["check_in_date"] == [None, str(day(0))]
    services.change_dates(stay, day(0), day(3), desk.clerk)
    assert last(stay) == (
        "moved_to_other_dates",
        "sari",
        None,
        {
            "check_out_date": [str(day(2)), str(day(3))],
            "subtotal": ["1000000.00", "1500000.00"],
            "total_amount": ["1000000.00", "1500000.00"],
        },
    )
    services.move(stay, desk.other, desk.clerk)
    nights, kind = [str(day(0)), str(day(3))], desk.room.room_type_id
    assert last(stay)[3] == {
        "room": [desk.room.pk, desk.other.pk],
        "parts": [
            [[*nights, desk.room.pk, kind, True]],
            [[*nights, desk.other.pk, kind, True]],
        ],
    }
    services.cancel(stay, desk.clerk, " ill ")
    stay.refresh_from_db()
    assert last(stay) == (
        "cancelled",
        "sari",
        "ill",
        {
            "status": ["confirmed", "cancelled"],
            "cancelled_at": [None, stay.cancelled_at.isoformat()],
            "cancel_reason": [None, "ill"],
        },
    )


def test_what_a_check_out_settles_is_in_its_event(desk):
    before, do, _ = ACTS["check out, settling a deposit"]
    before(desk)
    do(desk)
    what, _, _, changes = last(desk.stay)
    assert (what, changes["deposit_held"]) == ("checked_out", ["200000.00", "0.00"])
    assert changes["status"] == ["checked_in", "checked_out"]
    assert last(desk.room)[3] == {
        "status": ["occupied", "available"],
        "housekeeping_status": ["clean", "dirty"],
    }


def test_what_is_refused_or_has_happened_already_writes_no_event(desk):
    written = StayEvent.objects.count()
    services.confirm(desk.stay, desk.clerk)
    with pytest.raises(Refused):
        services.cancel(desk.stay, desk.clerk, " ")
    with pytest.raises(Refused, match="is sold out"):
        desk.book(first=0)
        desk.book(first=0)
    with pytest.raises(Refused):
        services.change_dates(desk.stay, day(0), day(0), desk.clerk)
    assert StayEvent.objects.filter(reservation=desk.stay).count() == written == 1


@pytest.mark.parametrize("table", ["reservation_events", "payment_events", "room_events"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_delete_an_event(desk, table, sql):
    desk.check_in()
    desk.pay(5)
    refused = pytest.raises(IntegrityError, match=f"{table}_append_only")
    with connection.cursor() as cursor, refused, transaction.atomic():
        cursor.execute(sql.format(table))


def test_a_change_on_the_page_of_a_row_is_an_event_too(desk):
    manager = member("Manager")
    page = f"/admin/reservations/reservation/{desk.stay.pk}/change/"
    response = browser(manager).post(
        page, {"adults": 2, "children": 0, "special_requests": "baby cot"}
    )
    assert response.status_code == 302
    assert last(desk.stay) == (
        "edited",
        "manager",
        None,
        {"adults": [1, 2], "special_requests": [None, "baby cot"]},
    )


def replayed(row):
    """Return the columns of a row as its events make them, from the first to the last."""
    columns = dict.fromkeys(told(row))
    for event in row.events.order_by("pk"):
        for name, (old, new) in event.changes.items():
            if name != "parts":  # of which only moves tell: they follow all the rest
                assert columns[name] == old
                columns[name] = new
    return columns


@pytest.mark.parametrize("seed", range(5))
def test_the_events_replayed_from_the_first_give_the_row_as_it_is(desk, seed):
    dice = Random(seed)
    by = desk.clerk

    def payment():
        return dice.choice(Payment.objects.order_by("pk"))

    acts = [
        lambda: services.check_in(desk.stay, by, accept_dirty=True),
        lambda: services.check_out(desk.stay, by, allow_debt=True),
        lambda: services.undo_check_in(desk.stay, by),
        lambda: services.undo_check_out(desk.stay, by),
        lambda: services.cancel(desk.stay, by, "ill", in_house=True),
        lambda: services.mark_no_show(desk.stay, by),
        lambda: services.reinstate(desk.stay, by),
        lambda: services.change_dates(desk.stay, day(0), day(dice.randrange(1, 5)), by),
        lambda: services.reprice(desk.stay, Decimal(dice.randrange(500_000)), Decimal(0), by),
        lambda: services.move(desk.stay, dice.choice([desk.room, desk.other]), by),
        lambda: desk.pay(dice.randrange(1, 300_000)),
        lambda: desk.pay(dice.randrange(1, 300_000), "deposit"),
        lambda: money.refund(payment(), Decimal(dice.randrange(1, 9_000)), "cash", by, "asked"),
        lambda: money.void(payment(), by, "twice"),
        lambda: money.apply_deposit(desk.stay, Decimal(dice.randrange(1, 9_000)), by),
        lambda: money.return_deposit(desk.stay, Decimal(dice.randrange(1, 9)), "cash", by, "x"),
        lambda: money.forfeit_deposit(desk.stay, Decimal(dice.randrange(1, 9_000)), by, "a towel"),
    ]
    done = 0
    desk.pay(100)
    for _ in range(60):
        try:
            dice.choice(acts)()
            done += 1
        except Refused:
            pass
    assert done > 10
    for row in (*Reservation.objects.all(), *Payment.objects.all()):
        assert replayed(row) == told(row)


def test_a_room_says_who_blocked_it_and_why(desk):
    block = house.block(desk.other, "out_of_order", day(0), day(3), "a leak", desk.clerk)
    about = f"out of order from {day(0)} to {day(0) + timedelta(days=3)}"
    assert last(desk.other) == (
        "blocked",
        "sari",
        f"{about}: a leak",
        {"status": ["available", "out_of_order"]},
    )
    house.release(block, desk.clerk)
    assert last(desk.other) == (
        "released",
        "sari",
        about,
        {
            "status": ["out_of_order", "available"],
            "housekeeping_status": ["clean", "dirty"],
        },
    )
