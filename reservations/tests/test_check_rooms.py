"""Rooms that say something else than the stays are found, and corrected."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from reservations import services
from reservations.tests.test_statements import Desk, day
from rooms.models import Room


@pytest.fixture
def desk(db):
    return Desk()


def checked(capsys, **options):
    """Run the command, and return what it says, its error included."""
    try:
        call_command("check_rooms", **options)
    except CommandError as error:
        assert error.returncode == 1
        return f"{capsys.readouterr().out}{error}"
    return capsys.readouterr().out


def test_what_services_do_agrees(desk, capsys):
    desk.check_in()
    services.move(desk.stay, desk.other, desk.clerk)
    assert checked(capsys) == "Every room is what the stays say.\n"
    services.check_out(desk.stay, desk.clerk, allow_debt=True)
    assert checked(capsys) == "Every room is what the stays say.\n"


def test_oversold_nights_are_listed(desk, capsys):
    for _ in range(2):
        desk.book(first=1, last=2, overbook=True, reason="a full house")
    assert checked(capsys) == (
        f"Standard (STD) is oversold by 1 on {day(1)}.\nEvery room is what the stays say.\n"
    )


def test_what_was_written_past_them_is_found_and_corrected(desk, capsys):
    desk.check_in()
    Room.objects.filter(pk=desk.room.pk).update(status="available")
    Room.objects.filter(pk=desk.other.pk).update(status="occupied")
    found = (
        "Room 101 is available, but guests are in house.\n"
        "Room 102 is occupied, but nobody is in house.\n"
    )
    assert checked(capsys) == (
        f"{found}2 rooms are not what the stays say: somebody has written past the services; "
        "run manage.py check_rooms --repair."
    )
    assert checked(capsys, repair=True) == f"{found}2 corrected.\n"
    assert [(str(one), one.status) for one in Room.objects.order_by("room_number")] == [
        ("101", "occupied"),
        ("102", "available"),
    ]
    event = desk.room.events.latest("pk")
    assert (event.what, event.by, event.changes) == (
        "status_corrected",
        None,
        {"status": ["available", "occupied"]},
    )
    assert checked(capsys) == "Every room is what the stays say.\n"
