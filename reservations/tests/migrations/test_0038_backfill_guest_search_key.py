"""What guests are found by is made of their legacy columns, by the rule that the model follows."""

import pytest

from hotel.migrator.tests import legacy
from reservations.models import Guest

MIGRATION = ("reservations", "0038_backfill_guest_search_key")
BEFORE = ("reservations", "0037")
REQUIRED = ("reservations", "0039_require_guest_search_key")
# key: (the columns of the guest, what it is found by)
CASES = {
    1: (
        {
            "full_name": "José O'Brien",
            "phone_country_code": "+62",
            "phone": "0812-34 56",
            "email": "Jo@Example.com",
            "id_number": "A 123.4",
        },
        "jose obrien 08123456 628123456 joexamplecom a1234",
    ),
    2: ({"full_name": "Jose\u0301"}, "jose    "),
    3: ({"full_name": ""}, "    "),
    4: ({"full_name": "%_\\", "phone": "000"}, " 000   "),
    5: ({"full_name": "Straße", "phone": "+7 (921) 1"}, "strasse 79211 79211  "),
    6: ({"full_name": "Иван"}, "иван    "),
}
EXPECTED = {key: found for key, (_, found) in CASES.items()}


@pytest.fixture
def guests(history):
    history.before(MIGRATION)
    for key, (columns, _) in CASES.items():
        legacy.guest(history, key, **columns)
    return history


def keys(history):
    return legacy.column(history, "guests", "search_key")


def test_keys_go_up_and_down_and_up(guests):
    rows = guests.dump()["guests"]
    for _ in range(2):
        guests.go(*MIGRATION)
        assert keys(guests) == EXPECTED
        guests.go(*BEFORE)
        assert guests.dump()["guests"] == rows


def test_guests_written_since_get_theirs_when_it_is_required(guests):
    guests.go(*MIGRATION)
    legacy.guest(guests, 7, full_name="Ñ")
    guests.go(*REQUIRED)
    assert keys(guests) == {**EXPECTED, 7: "n    "}
    legacy.guest(guests, 8, full_name="Ñ")  # by the previous release, which knows no key
    assert keys(guests)[8] == ""


def test_the_model_makes_the_same_keys(guests):
    guests.go(*MIGRATION).climb()
    for guest in Guest.objects.all():
        guest.save()
    assert keys(guests) == EXPECTED
