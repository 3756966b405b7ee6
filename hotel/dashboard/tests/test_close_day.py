"""``manage.py close_day``: what it prints, what it refuses, and its exit codes."""

import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.tests.back_office import member, room
from hotel.dashboard.models import BusinessDay, DailyAdjustment
from hotel.tests import manage
from reservations import services
from reservations.models import Guest, Reservation
from rooms.models import RoomType

LINE = "1 of 1 sold  occupancy 100.0%  ADR 500000.00  RevPAR 500000.00  revenue 500000.00\n"


def close_day(*words):
    """Run the command, and return what it prints."""
    output = StringIO()
    call_command("close_day", *words, stdout=output)
    return output.getvalue()


def refusal(*words):
    """Run the command, and return its exit code and what it says."""
    with pytest.raises(CommandError) as error:
        close_day(*words)
    return error.value.returncode, str(error.value)


@pytest.fixture
def stay(db, clock):
    """A stay that was to begin on the 28th and has not; it is the morning of the 29th."""
    budi = member("Manager", username="budi")
    kept = room("101")
    clock(2026, 12, 20, 12)
    made = services.book(
        guest=Guest.objects.create(full_name="Ibu Ratna"),
        room_type=RoomType.objects.get(),
        room=kept,
        arrival=date(2026, 12, 28),
        departure=date(2026, 12, 30),
        by=budi,
        confirmation_number="ABC",
    )
    clock(2026, 12, 29, 7)
    return made


def test_what_is_open_is_shown_and_nothing_is_changed(stay):
    output = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("close_day", "--dry-run", stdout=output)
    assert output.getvalue() == (
        f"2026-12-28  open  {LINE}"
        "  expected, and not come: ABC, Ibu Ratna, 2026-12-28 to 2026-12-30, room 101\n"
    )
    assert (error.value.returncode, str(error.value)) == (
        1,
        "Something is open in this day: see above.",
    )
    assert not BusinessDay.objects.exists()
    assert close_day("2026-12-20", "--dry-run").startswith("2026-12-20  open  0 of 1 sold")


def test_a_day_is_closed(stay):
    assert refusal("--by", "budi") == (
        3,
        "The day of 2026-12-28 is not ready: 1 expected did not come, and 0 who were to leave are"
        " in house. Settle them, or close the day with them open.",
    )
    assert close_day("--by", "budi", "--accept-open") == f"2026-12-28  closed by budi  {LINE}"
    assert refusal("--by", "budi") == (
        3,
        "The day of 2026-12-29 is not over: close it after midnight.",
    )


def test_no_shows_are_marked_if_that_is_said(stay):
    assert close_day("--by", "budi", "--no-shows").startswith(
        "2026-12-28  closed by budi  0 of 1 sold"
    )
    assert Reservation.objects.get().status == "no_show"


def test_every_day_that_is_over_is_closed_for_cron(stay, clock):
    close_day("2026-12-27", "--by", "budi")
    clock(2026, 12, 31, 3)
    said = close_day("--by", "budi", "--all", "--no-shows")
    assert [line.split()[0] for line in said.splitlines()] == ["2026-12-28", "2026-12-29"]
    assert close_day("--by", "budi", "--all") == ""  # the night of the 30th runs


def test_what_was_closed_is_told_even_if_the_next_day_is_refused(stay, clock):
    close_day("2026-12-26", "--by", "budi")
    output = StringIO()
    with pytest.raises(CommandError, match="The day of 2026-12-28 is not ready"):
        call_command("close_day", "--by", "budi", "--all", stdout=output)
    assert output.getvalue().startswith("2026-12-27  closed by budi")


def test_the_last_closed_day_is_opened_again(stay):
    close_day("--by", "budi", "--accept-open")
    assert close_day("--by", "budi", "--reopen", "a wrong rate") == (
        "2026-12-28  open again: a wrong rate\n"
    )
    assert refusal("--by", "budi", "--reopen", "again") == (3, "No day is closed.")
    assert refusal("2026-12-01", "--by", "budi", "--reopen", "again") == (
        3,
        "The day of 2026-12-01 is not closed.",
    )


def test_closed_days_are_listed_with_what_was_adjusted(stay, clock):
    close_day("--by", "budi", "--accept-open")
    services.mark_no_show(stay, User.objects.get())
    clock(2026, 12, 30, 7)
    adjusted = (
        "  adjusts 2026-12-28, Standard (STD): rooms_sold -1, room_revenue -500000.00, arrivals -1,"
        " no_shows 1\n"
    )
    assert close_day("--dry-run").endswith(adjusted)
    close_day("--by", "budi")
    listed = close_day("--list")
    assert [line.split()[0] for line in listed.splitlines()] == [
        "2026-12-29",
        "adjusts",
        "2026-12-28",
    ]
    assert adjusted in listed
    [row] = DailyAdjustment.objects.all()
    assert str(row) == "Standard (STD) on 2026-12-28, adjusted on 2026-12-29"


def test_json_says_the_same(stay):
    close_day("--by", "budi", "--accept-open")
    [day] = json.loads(close_day("--list", "--json"))["days"]
    assert (day["day"], day["closed"], day["closed_by"]) == ("2026-12-28", True, "budi")
    assert (day["closed_at"], day["adjustments"]) == ("2026-12-29T00:00:00+00:00", [])
    assert day["figures"]["room_revenue"] == "500000.00"
    output = StringIO()
    with pytest.raises(CommandError):
        call_command("close_day", "2026-12-28", "--dry-run", "--json", stdout=output)
    [day] = json.loads(output.getvalue())["days"]
    assert day["open"] == {
        "arrivals": [
            {
                "reservation": "ABC",
                "guest": "Ibu Ratna",
                "room": "101",
                "from": "2026-12-28",
                "to": "2026-12-30",
                "status": "confirmed",
            }
        ],
        "departures": [],
        "unpaid": [],
        "dirty": [],
    }


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([], 2, "Say who does it: --by USERNAME."),
        (["--by", "nobody"], 2, 'There is no user "nobody" who may log in.'),
        (["--by", "former"], 2, 'There is no user "former" who may log in.'),
        (["--by", "sari"], 3, "sari may not close a day."),
        (["--by", "sari", "--reopen", "why not"], 3, "sari may not reopen a day."),
        (["--all", "2026-12-28"], 2, "DATE is of no use with --all and --list."),
        (
            ["28.12."],
            2,
            'DATE is "28.12.", which is not a date: write one such as 2026-01-31.',
        ),
    ],
)
def test_wrong_use(stay, words, code, sentence):
    member("Front desk", username="sari")
    member("Manager", username="former", is_active=False)
    assert refusal(*words) == (code, sentence)


@pytest.mark.once
def test_help_teaches():
    done = manage("close_day", "--help", DATABASE_URL="sqlite://:memory:")
    assert "Close a day of the hotel" in done.stdout
    assert "manage.py close_day --by sari --no-shows" in done.stdout
    assert "  3    refused: the day is not over" in done.stdout
