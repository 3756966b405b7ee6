"""``manage.py compute_metrics``: what it prints, and how it refuses."""

import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.tests.back_office import reservation, room
from hotel.business_day import business_date
from hotel.dashboard.models import DailyMetrics
from rooms.models import RoomBlock

FIRST, LAST = "2025-07-01", "2025-07-03"


def compute(*words):
    """Run the command, and return what it prints."""
    output = StringIO()
    call_command("compute_metrics", *words, stdout=output)
    return output.getvalue()


@pytest.fixture
def hotel(db):
    """Three rooms, of which one is out of order on the third day, and a stay of two nights."""
    sold, _, broken = room("101"), room("102"), room("103")
    reservation(room=sold, total_amount=Decimal("1000000.01"))
    RoomBlock.objects.create(room=broken, kind="out_of_order", start_date=date(2025, 7, 3))


def test_each_day_has_a_line_and_all_have_one(hotel):
    assert compute("--from", FIRST, "--to", LAST) == (
        "2025-07-01  1 of 3 sold  occupancy 33.3%  ADR 500000.01  RevPAR 166666.67"
        "  revenue 500000.01\n"
        "2025-07-02  1 of 3 sold  occupancy 33.3%  ADR 500000.00  RevPAR 166666.67"
        "  revenue 500000.00\n"
        "2025-07-03  0 of 2 sold  occupancy 0.0%  ADR -  RevPAR 0.00  revenue 0.00\n"
        "all         2 of 8 sold  occupancy 25.0%  ADR 500000.01  RevPAR 125000.00"
        "  revenue 1000000.01\n"
    )
    assert DailyMetrics.objects.count() == 3


def test_one_json_object_has_every_figure(hotel):
    printed = json.loads(compute("--from", "2025-07-02", "--to", LAST, "--json"))
    assert (printed["from"], printed["to"]) == ("2025-07-02", LAST)
    assert [day["day"] for day in printed["days"]] == ["2025-07-02", LAST]
    assert printed["days"][1] == {
        "day": LAST,
        "rooms": 3,
        "rooms_out_of_order": 1,
        "rooms_available": 2,
        "rooms_sold": 0,
        "room_revenue": "0.00",
        "arrivals": 0,
        "departures": 1,
        "cancellations": 0,
        "no_shows": 0,
        "occupancy": "0.0000",
        "occupancy_of_all_rooms": "0.0000",
        "adr": None,
        "revpar": "0.00",
    }
    assert printed["all"]["rooms_sold"] == 1
    assert printed["all"]["occupancy_of_all_rooms"] == "0.1667"


def test_without_dates_it_takes_30_days_back_and_14_on(hotel):
    compute()
    today = business_date()
    days = DailyMetrics.objects.order_by("day").values_list("day", flat=True)
    assert (days.first(), days.last()) == (today - timedelta(30), today + timedelta(14))
    assert len(days) == 45


def test_a_hotel_without_room_types_has_nothing_to_print_but_the_sum(db):
    assert compute("--from", FIRST, "--to", LAST) == (
        "all         0 of 0 sold  occupancy -  ADR -  RevPAR -  revenue 0.00\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--from", "yesterday"],
            '--from is "yesterday", which is not a date: write one such as 2026-01-31.',
        ),
        (
            ["--to", "2025-02-30"],
            '--to is "2025-02-30", which is not a date: write one such as 2026-01-31.',
        ),
        (
            ["--from", "2025-07-02", "--to", "2025-07-01"],
            "The period ends before it begins: from 2025-07-02 to 2025-07-01.",
        ),
        (
            ["--from", "2024-01-01", "--to", "2025-12-31"],
            "The period has 731 days, and 400 are the most at a time: choose a shorter one.",
        ),
    ],
)
def test_wrong_dates_end_with_a_sentence_and_exit_code_2(hotel, words, sentence):
    with pytest.raises(CommandError) as refusal:
        compute(*words)
    assert (str(refusal.value), refusal.value.returncode) == (sentence, 2)
    assert not DailyMetrics.objects.exists()


def test_another_database_that_is_none_is_refused(db):
    with pytest.raises(CommandError, match="invalid choice: 'nowhere'"):
        compute("--database", "nowhere")
