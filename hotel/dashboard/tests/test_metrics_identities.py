"""What holds of the figures of any house, legacy rows included, whatever was booked in it."""

from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.tests.back_office import exempt_from_all, let_rows_be_dirty
from hotel.dashboard.figures import COUNTS, total, totals
from hotel.dashboard.models import DailyMetrics
from hotel.dashboard.services import by_night, compute_metrics
from payments import services as money
from payments.models import Payment
from reservations.models import Guest, Reservation, ReservationStatus
from rooms.models import BlockKind, Room, RoomBlock, RoomType

FIRST = date(2025, 7, 1)
DAYS = 8
LAST = FIRST + timedelta(days=DAYS - 1)
SOLD = ("confirmed", "checked_in", "checked_out")

some = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
days = st.integers(-4, DAYS + 4)
amounts = st.decimals(Decimal("-10"), Decimal("99999.99"), places=2)


@st.composite
def houses(draw):
    """Return rooms by type, stays and blocks as dicts; rooms and types by their place."""
    rooms = draw(st.lists(st.integers(0, 2), min_size=1, max_size=6))
    room = st.sampled_from(range(len(rooms)))
    stays = st.fixed_dictionaries(
        {
            "room": st.none() | room,
            "room_type": st.integers(0, 2),
            "status": st.sampled_from(ReservationStatus.values),
            "arrival": days,
            "departure": days,
            "left": st.none() | days,
            "free": st.sampled_from([False, False, False, True]),
            "total": amounts,
        }
    )
    blocks = st.fixed_dictionaries(
        {
            "room": room,
            "kind": st.sampled_from(BlockKind.values),
            "start": days,
            "nights": st.none() | st.integers(1, 6),
            "released": st.none() | days,
        }
    )
    return {
        "rooms": rooms,
        "in_use": draw(st.lists(st.sampled_from([True, None, False]), min_size=6, max_size=6)),
        "stays": draw(st.lists(stays, max_size=12)),
        "blocks": draw(st.lists(blocks, max_size=5)),
    }


def day(place):
    return None if place is None else FIRST + timedelta(days=place)


def noon(place):
    zone = timezone.get_default_timezone()
    return None if place is None else datetime.combine(day(place), time(12), zone)


@pytest.fixture
def dirt(db):
    """A database in which stays may break rules, as legacy rows do."""
    let_rows_be_dirty()
    User.objects.create(username="clerk")


@contextmanager
def built(house):
    """Write the house, and take it back afterwards."""
    with transaction.atomic():
        kinds = [
            RoomType.objects.create(name=code, code=code, default_rate=Decimal(1)) for code in "ABC"
        ]
        rooms = [
            Room.objects.create(room_number=str(place), room_type=kinds[kind], is_active=in_use)
            for place, (kind, in_use) in enumerate(
                zip(house["rooms"], house["in_use"], strict=False)
            )
        ]
        guest, clerk = Guest.objects.create(full_name="Ibu Ratna"), User.objects.get()
        Reservation.objects.bulk_create(
            Reservation(
                confirmation_number=f"R{place}",
                guest=guest,
                created_by=clerk,
                room=None if stay["room"] is None else rooms[stay["room"]],
                room_type=kinds[stay["room_type"]],
                status=stay["status"],
                check_in_date=day(stay["arrival"]),
                check_out_date=day(stay["departure"]),
                checked_out_at=noon(stay["left"]),
                is_complimentary=stay["free"],
                rate_per_night=Decimal(1),
                subtotal=stay["total"],
                total_amount=stay["total"],
                exemptions=exempt_from_all(Reservation),
            )
            for place, stay in enumerate(house["stays"])
        )
        RoomBlock.objects.bulk_create(
            RoomBlock(
                room=rooms[block["room"]],
                kind=block["kind"],
                reason="paint",
                start_date=day(block["start"]),
                end_date=block["nights"] and day(block["start"] + block["nights"]),
                released_on=day(block["released"]),
            )
            for block in house["blocks"]
        )
        yield
        transaction.set_rollback(True)


def computed():
    """Compute, and return what stands in the database, without keys and times."""
    compute_metrics(FIRST, LAST)
    names = ("day", "room_type", *COUNTS, "room_revenue")
    return list(DailyMetrics.objects.order_by("day", "room_type").values_list(*names))


@some
@given(house=houses())
def test_occupancy_times_adr_is_revpar(dirt, house):
    with built(house):
        rows = compute_metrics(FIRST, LAST)
        sums = [total(rows), *totals(rows, lambda row: row.day).values()]
        sums += totals(rows, lambda row: row.room_type_id).values()
        for one in (*rows, *sums):
            if one.rooms_available and one.rooms_sold:
                assert one.occupancy * one.adr == one.revpar
            else:
                assert None in (one.occupancy, one.adr)
            assert 0 <= one.rooms_available <= one.rooms


@some
@given(house=houses())
def test_the_room_types_add_up_to_the_hotel(dirt, house):
    with built(house):
        rows = compute_metrics(FIRST, LAST)
        whole = total(rows)
        assert total(totals(rows, lambda row: row.room_type_id).values()) == whole
        assert total(totals(rows, lambda row: row.day).values()) == whole
        assert whole == counted_one_by_one(house)


def counted_one_by_one(house):
    """Return the sum of the period as somebody with a pencil would count it, day by day."""
    whole = total([])
    for place in range(DAYS):
        in_use = [
            number for number in range(len(house["rooms"])) if house["in_use"][number] is not False
        ]
        whole.rooms += len(in_use)
        for number in in_use:
            whole.rooms_out_of_order += any(
                block["room"] == number
                and block["kind"] == "out_of_order"
                and block["start"] <= place
                and (block["nights"] is None or place < block["start"] + block["nights"])
                and (block["released"] is None or place < block["released"])
                for block in house["blocks"]
            )
        for stay in house["stays"]:
            arrival, departure = stay["arrival"], stay["departure"]
            if stay["status"] == "checked_out" and stay["left"] is not None:
                departure = min(departure, stay["left"])
            departure = max(arrival, departure)
            whole.cancellations += stay["status"] == "cancelled" and arrival == place
            whole.no_shows += stay["status"] == "no_show" and arrival == place
            if stay["status"] not in SOLD:
                continue
            whole.arrivals += arrival == place
            whole.departures += departure == place
            if arrival <= place < departure and not stay["free"]:
                whole.rooms_sold += 1
                each, last = by_night(max(stay["total"], Decimal(0)), departure - arrival)
                whole.room_revenue += last if place == departure - 1 else each
    return whole


@some
@given(house=houses(), data=st.data())
def test_moving_stays_within_a_room_type_changes_nothing(dirt, house, data):
    with built(house):
        before = computed()
        for stay in Reservation.objects.filter(room__isnull=False).select_related("room"):
            others = Room.objects.filter(room_type=stay.room.room_type_id).order_by("pk")
            stay.room = data.draw(st.sampled_from(list(others)))
            Reservation.objects.filter(pk=stay.pk).update(room=stay.room)
        assert computed() == before


@some
@given(house=houses(), amount=st.decimals(Decimal("0.01"), Decimal("99999.99"), places=2))
def test_a_payment_and_its_void_change_nothing(dirt, house, amount):
    with built(house):
        before, clerk = computed(), User.objects.get()
        for stay in Reservation.objects.filter(status__in=SOLD):
            paid = money.take_payment(stay, amount, "cash", clerk)
            assert computed() == before
            money.void(paid, clerk, "another guest's")
        assert computed() == before
        assert not Payment.objects.exclude(is_voided=True).exists()


@some
@given(amount=amounts.map(abs), nights=st.integers(1, 400))
def test_the_nights_of_a_stay_add_up_to_its_total(amount, nights):
    each, last = by_night(amount, nights)
    assert each * (nights - 1) + last == amount
    assert min(each, last) >= 0
    assert each == round(each, 2) and last == round(last, 2)
