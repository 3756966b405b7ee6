"""An owner is the same when it is read back from its text."""

import pytest

from hotel.migrator.storage.owners import Owner

OWNERS = {
    "rooms.0003_transform#0 forward": Owner("rooms", "0003_transform", 0, "forward"),
    "rooms.0003_transform#12 backward": Owner("rooms", "0003_transform", 12, "backward"),
    "rooms.0003_transform#2": Owner("rooms", "0003_transform", 2),
    "rooms.0004_o'clock. and #more#1 forward": Owner(
        "rooms", "0004_o'clock. and #more", 1, "forward"
    ),
}


@pytest.mark.once
@pytest.mark.parametrize("text", OWNERS)
def test_an_owner_is_read_from_its_text_and_written_as_that(text):
    assert Owner.read(text) == OWNERS[text]
    assert str(OWNERS[text]) == text


@pytest.mark.once
def test_the_same_operation_going_the_other_way():
    owner = Owner.read("rooms.0003_transform#0 forward").going("backward")
    assert (str(owner), owner.label) == ("rooms.0003_transform#0 backward", "rooms.0003_transform")
    assert owner.run == ("rooms", "0003_transform", "backward")
