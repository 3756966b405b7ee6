"""Rules that are asked before a row is written: all at once, and only those that are concerned."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.tests.back_office import exempt_from_all, let_rows_be_dirty, reservation
from hotel.rules import validate
from reservations.models import Reservation


def broken(row, changed=None):
    with pytest.raises(ValidationError) as error:
        validate(row, changed)
    return error.value.messages


def test_every_rule_that_is_broken_is_told(db):
    stay = reservation()
    stay.discount_amount = Decimal(2_000_000)
    stay.total_amount = Decimal(-1)
    assert broken(stay, ["discount_amount", "total_amount"]) == [
        "The discount cannot be more than the subtotal.",
        "The total cannot be negative.",
    ]


def test_a_rule_that_reads_no_changed_column_is_not_asked(db, django_assert_num_queries):
    stay = reservation()
    stay.adults = 0  # and is not written
    stay.deposit_held = Decimal(5)
    with django_assert_num_queries(3):  # a savepoint, the check, the release
        validate(stay, ["deposit_held"])
    assert broken(stay, ["adults"]) == ["At least one adult must stay."]


def test_an_exempt_row_need_not_keep_its_rule_until_a_column_of_it_changes(db):
    let_rows_be_dirty()
    reservation(adults=0, exemptions=exempt_from_all(Reservation))
    stay = Reservation.objects.get()
    validate(stay, ["adults", "children"])
    stay.adults = -1
    assert broken(stay, ["adults"]) == ["At least one adult must stay."]


def test_a_field_that_cannot_hold_its_value_is_told_before_any_rule(db):
    stay = reservation()
    stay.status = "asleep"
    assert broken(stay, ["status"]) == ["Value 'asleep' is not a valid choice."]
