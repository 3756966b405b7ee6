"""The pages on which a day is closed, and opened again."""

from datetime import date

import pytest

from accounts.models import User
from accounts.tests.back_office import browser, member, room
from hotel.dashboard import closing
from hotel.dashboard.models import BusinessDay
from reservations import services
from reservations.models import Guest
from rooms.models import RoomType

ADD = "/admin/dashboard/businessday/add/"


@pytest.fixture
def manager(db, clock):
    """A manager's browser on the morning of the 29th; a stay of the 28th has not come."""
    room("101")
    clock(2026, 12, 28, 12)
    services.book(
        guest=Guest.objects.create(full_name="Ibu Ratna"),
        room_type=RoomType.objects.get(),
        arrival=date(2026, 12, 28),
        departure=date(2026, 12, 30),
        by=User.objects.create(username="sari"),
        confirmation_number="ABC",
    )
    clock(2026, 12, 29, 7)
    return browser(member("Manager", username="budi"))


def test_the_page_names_the_next_day_and_what_is_open_in_it(manager):
    form = manager.get(ADD).context["form"]
    assert form["day"].value() == date(2026, 12, 28)
    assert str(form.fields["day"].help_text) == "1 expected, and not come (ABC)"


def test_the_day_is_closed_there_and_no_other(manager):
    response = manager.post(ADD, {"day": "2026-12-28"})
    assert response.context["form"].non_field_errors() == [
        "The day of 2026-12-28 is not ready: 1 expected did not come, and 0 who were to leave are"
        " in house. Settle them, or close the day with them open."
    ]
    response = manager.post(ADD, {"day": "2026-12-28", "no_shows": "on"})
    row = BusinessDay.objects.get()
    assert response.url == f"/admin/dashboard/businessday/{row.pk}/change/"
    assert (row.day, row.closed_by.username) == (date(2026, 12, 28), "budi")
    assert services.Reservation.objects.get().status == "no_show"


def test_a_form_that_was_open_while_somebody_closed_the_day_closes_no_other(manager):
    budi = User.objects.get(username="budi")
    closing.close_day(date(2026, 12, 26), budi)
    shown = manager.get(ADD).context["form"]["day"].value()
    closing.close_day(shown, budi)
    assert manager.post(ADD, {"day": str(shown)}).status_code == 302
    assert closing.last_closed().day == shown


def test_only_the_last_closed_day_offers_to_be_opened_again(manager):
    budi = User.objects.get(username="budi")
    first = closing.close_day(date(2026, 12, 27), budi)
    last = closing.close_day(date(2026, 12, 28), budi, accept_open=True)
    offered = [
        manager.get(f"/admin/dashboard/businessday/{row.pk}/change/").context["row_actions"]
        for row in (first, last)
    ]
    [(label, address, _)] = offered[1]
    assert (offered[0], label) == ([], "Open again")
    manager.post(address, {"reason": "a wrong rate"})
    last.refresh_from_db()
    assert (last.closed_at, last.reopen_reason) == (None, "a wrong rate")


def test_who_may_not_close_a_day_is_not_asked(manager):
    desk = browser(member("Front desk"))
    assert desk.get(ADD).status_code == 403
    assert desk.post(ADD, {"accept_open": "on"}).status_code == 403
    assert not BusinessDay.objects.exists()
