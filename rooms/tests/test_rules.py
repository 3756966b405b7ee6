"""What must be true of rooms and room types: the database refuses the rest."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.tests.back_office import room
from hotel.migrator.tests import legacy
from rooms.models import Room, RoomType

BROKEN = [
    ({"custom_rate": Decimal("-0.01")}, "The rate cannot be negative."),
    ({"status": "blocked"}, "The status is none of those a room can have."),
    ({"housekeeping_status": "pickup"}, "The state is none of those housekeeping knows."),
]


@pytest.mark.parametrize("change, sentence", BROKEN)
def test_a_room_that_cannot_be_is_refused(db, change, sentence):
    suite = room()
    for name, value in change.items():
        setattr(suite, name, value)
    with pytest.raises(ValidationError) as refusal:
        suite.validate_constraints()
    assert refusal.value.messages == [sentence]
    with pytest.raises(IntegrityError), transaction.atomic():
        suite.save()


def test_a_room_type_has_no_rate_below_zero(db):
    kind = room().room_type
    kind.default_rate = Decimal("-1")
    with pytest.raises(ValidationError, match="The rate cannot be negative"):
        kind.validate_constraints()
    with pytest.raises(IntegrityError), transaction.atomic():
        kind.save()


def test_legacy_rates_below_zero_are_exempt_until_they_are_changed(history):
    history.before(("rooms", "0007_add_rules"))
    legacy.room_type(history, 1, default_rate="-5.00")
    legacy.room(history, 1, custom_rate="-1.00")
    history.climb()
    assert Room.objects.get().exemptions == {"rooms_rate_in_range": 1}
    assert RoomType.objects.get().exemptions == {"room_types_rate_in_range": 1}
    Room.objects.update(notes="can be written")
    with pytest.raises(IntegrityError):
        Room.objects.update(custom_rate="-2.00")
    Room.objects.update(custom_rate="2.00")
    assert Room.objects.get().exemptions is None
