"""What a text means, and what is said of one that means nothing."""

import pytest

from hotel.migrator.tests.graphs import HOTEL, NAMED, G, drawn, refusal

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "text, key",
    [
        ("booking.0002_add_deposit", "booking.0002_add_deposit"),
        ("booking.0002", "booking.0002_add_deposit"),
        ("booking.0003_fill_deposit", "booking.0003_fill_deposit"),  # though another begins so
        ("booking.0003_fill_deposit_", "booking.0003_fill_deposit_again"),
        ("0002_add", "booking.0002_add_deposit"),
        ("0003_fill_deposit", "booking.0003_fill_deposit"),
        ("0002_step_c", "rooms.0002_step_c"),
    ],
)
def test_revision_is_found_by_as_much_as_is_unique(text, key):
    assert NAMED.resolve(text) == tuple(key.split("."))


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "booking.0003",
            "'booking.0003' is not one revision but 2: booking.0003_fill_deposit,"
            " booking.0003_fill_deposit_again. Write more of the name."
            " manage.py db history lists all revisions.",
        ),
        (
            "0001",
            "'0001' is not one revision but 2: booking.0001_initial, rooms.0001_initial."
            " Write more of the name. manage.py db history lists all revisions.",
        ),
        (
            "rooms.0002",
            "'rooms.0002' is not one revision but 12: rooms.0002_step_a, rooms.0002_step_b,"
            " rooms.0002_step_c, rooms.0002_step_d, rooms.0002_step_e, rooms.0002_step_f,"
            " rooms.0002_step_g, rooms.0002_step_h, rooms.0002_step_i, rooms.0002_step_j"
            " and 2 more. Write more of the name. manage.py db history lists all revisions.",
        ),
        (
            "zzz",
            "Can't locate revision identified by 'zzz'. manage.py db history lists all revisions.",
        ),
        (
            "0002_ad_deposit",
            "Can't locate revision identified by '0002_ad_deposit'. Near it:"
            " booking.0002_add_deposit, booking.0003_fill_deposit."
            " manage.py db history lists all revisions.",
        ),
        (
            "0001_inital",
            "Can't locate revision identified by '0001_inital'. Near it: booking.0001_initial,"
            " rooms.0001_initial. manage.py db history lists all revisions.",
        ),
        (
            "booking.9",
            "Can't locate revision identified by 'booking.9'. Near it: booking.0001_initial,"
            " booking.0002_add_deposit, booking.0003_fill_deposit,"
            " booking.0003_fill_deposit_again. manage.py db history lists all revisions.",
        ),
        (
            "bookings.0001",
            "Can't locate revision identified by 'bookings.0001'. No application 'bookings' has"
            " migrations; near it: booking. manage.py db history lists all revisions.",
        ),
        (
            "\n.0001",
            "Can't locate revision identified by '\\n.0001'. No application '\\n' has migrations;"
            " near it: booking, rooms. manage.py db history lists all revisions.",
        ),
        (
            "booking",
            "booking is an application, not a revision: write booking@head, booking@base or one"
            " of its revisions, booking.0001_initial, booking.0002_add_deposit,"
            " booking.0003_fill_deposit, booking.0003_fill_deposit_again."
            " manage.py db history lists all revisions.",
        ),
        (
            " ",
            "No revision was given: write one as app.0003."
            " manage.py db history lists all revisions.",
        ),
        (
            "z" * 300,
            f"Can't locate revision identified by '{'z' * 100}…'."
            " manage.py db history lists all revisions.",
        ),
    ],
)
def test_revision_that_is_none_is_refused_with_what_comes_near(text, message):
    assert refusal(NAMED.resolve, text) == (message, 2)


def test_dot_without_a_name_is_no_revision_even_of_an_app_with_one():
    message, code = refusal(drawn("rooms.0001_initial", own="rooms").resolve, "rooms.")
    assert message.startswith("Can't locate revision identified by 'rooms.'. Near it: rooms.0001_")
    assert code == 2


@pytest.mark.parametrize(
    "number", ["+", "-", "++1", "+x", "+1.5", "+ 1", "+1 ", "-0", "+00", "+²", "+1234567890123"]
)
def test_nonsense_numbers_are_refused_both_ways(number):
    for text in (number, f"booking@{number}"):
        for refused in (
            refusal(HOTEL.upgrade, [text], []),
            refusal(HOTEL.downgrade, text, G),
        ):
            assert refused[0].startswith(f"{text!r} is not a number of steps: ")
            assert refused[1] == 2
