"""The command that proves that the ledger of deposits and the columns agree."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from hotel.migrator.tests import legacy


def check(**options):
    output = StringIO()
    try:
        call_command("check_deposits", stdout=output, **options)
    except CommandError as error:
        return error.returncode, str(error), output.getvalue()
    return 0, "", output.getvalue()


@pytest.fixture
def hotel(history):
    """A deposit in the column and as a payment, one of which the two differ, and one held."""
    history.before(("reservations", "0014_add_rules"))
    for key, amount in ((1, "500.00"), (2, "700.00"), (3, "0.00")):
        legacy.reservation(history, key, deposit_amount=amount)
    for key in (1, 2):
        legacy.payment(history, key, reservation_id=key, payment_type="deposit", amount="500.00")
    return history.climb()


def test_agreement_is_said_and_known_differences_are_named(hotel):
    assert check() == (
        0,
        "",
        "2 movements, 1000.00 held.\n"
        "1 legacy deposits of which the system said two things; payments count:\n"
        "CONF-002: deposit_amount 700.00, by its payments 500.00\n",
    )


def test_a_difference_ends_with_exit_code_1(hotel):
    hotel.execute("UPDATE reservations SET deposit_held = 499.99 WHERE id = 1")
    code, error, output = check()
    assert (code, error) == (
        1,
        "1 reservation differs from the ledger: somebody has written deposit_held past the "
        "services; correct it to the ledger.",
    )
    assert "CONF-001: held 499.99, by the ledger 500.00\n" in output
    code, _, output = check(json=True)
    assert code == 1
    assert json.loads(output) == {
        "movements": 2,
        "held": "999.99",
        "differences": [{"reservation": "CONF-001", "column": "499.99", "ledger": "500.00"}],
        "legacy_differences": [
            {"reservation": "CONF-002", "column": "700.00", "collected": "500.00"}
        ],
    }


def test_an_empty_hotel_agrees(history):
    history.at("head")
    assert check() == (0, "", "0 movements, 0.00 held.\n")
