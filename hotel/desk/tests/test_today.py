"""Today: who comes, who leaves, what is owed, and what one press does."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member, payment, reservation, room
from hotel.business_day import business_date
from payments.services import take_payment
from reservations.models import Guest
from reservations.services import check_in
from rooms.models import Room, RoomBlock, RoomType

PAGE = "/admin/"
DAY = timedelta(days=1)


def stay(number, arrives=0, nights=2, **fields):
    """Add and return a stay that begins ``arrives`` days from today; its guest has its number."""
    first = business_date() + arrives * DAY
    guest = Guest.objects.create(full_name=f"Guest {number}")
    dates = {"check_in_date": first, "check_out_date": first + nights * DAY}
    return reservation(number, guest=guest, **{**dates, **fields})


def in_house(number, arrives=-1, nights=2, **fields):
    """Add and return a stay whose guests are in its room."""
    from django.utils import timezone

    fields = {"status": "checked_in", "checked_in_at": timezone.now(), **fields}
    return stay(number, arrives, nights, **fields)


def rows(client, name, **question):
    """Return the rows of a list as ``(number, state, press or page)``."""
    page = client.get(PAGE, question).context["page"]
    return [
        (row.stay.confirmation_number, str(row.state.word), row.press or row.asks)
        for row in getattr(page, name)
    ]


def press(client, stay, name):
    """Press a button of Today, and return what the page says then."""
    response = client.post(reverse("admin:press", args=[stay.pk, name]), follow=True)
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def clerk(db):
    return member("Front desk", username="sari")


@pytest.fixture
def desk(clerk):
    return browser(clerk)


def test_arrivals_say_what_is_in_the_way_ready_ones_first(desk):
    in_house("OUT", arrives=-2, nights=2, room=room("103"))
    in_house("OVER", arrives=-3, nights=2, room=room("104"))
    stay("A", room=room("101", housekeeping_status="dirty"))
    stay("B", room=Room.objects.get(room_number="103"))
    stay("C", room=Room.objects.get(room_number="104"))
    stay("D")
    stay("E", status="pending", room=room("105"))
    blocked = room("106")
    RoomBlock.objects.create(
        room=blocked, kind="out_of_order", start_date=business_date(), reason="leak"
    )
    stay("F", room=blocked)
    stay("G", room=room("107"))
    in_house("H", arrives=0, room=room("108"))
    stay("I", status="cancelled")
    assert rows(desk, "arrivals") == [
        ("G", "Ready", "check-in"),
        ("A", "Dirty", "check-in"),
        ("B", "Due out today", "check-in"),
        ("E", "Not confirmed", "confirm"),
        ("D", "No room yet", "check-in"),
        ("C", "Room taken", "move"),
        ("F", "Room not sold", "move"),
        ("H", "In house", ""),
    ]
    page = desk.get(PAGE).content.decode()
    assert len(re.findall(r"<button[^>]*>Check in<", page)) == 1  # the others ask first
    assert len(re.findall("Check in…", page)) == 3


def test_departures_say_what_is_to_be_settled_first(desk, clerk):
    paid = in_house("PAID", arrives=-2, room=room("101"))
    payment(paid, amount=paid.total_amount)
    in_house("OWES", arrives=-2, room=room("102"))
    held = in_house("HELD", arrives=-2, room=room("103"))
    payment(held, amount=held.total_amount)
    take_payment(held, Decimal(100_000), "cash", clerk, kind="deposit")
    in_house("OVER", arrives=-3, room=room("104"))
    stay(
        "LEFT",
        arrives=-2,
        status="checked_out",
        room=room("105"),
        checked_out_at=paid.checked_in_at,
    )
    in_house("STAYS", room=room("106"))
    assert rows(desk, "departures") == [
        ("OVER", "Overstay", "pay"),
        ("PAID", "Due out", "check-out"),
        ("OWES", "Due out", "pay"),
        ("HELD", "Due out", "check-out"),
        ("LEFT", "Left", ""),
    ]
    page = desk.get(PAGE).context["page"]
    assert (page.left, page.overstays, page.people) == (1, 1, 5)
    assert [(row.stay.confirmation_number, row.account.owed) for row in page.unpaid] == [
        ("OWES", Decimal(1_000_000)),
        ("OVER", Decimal(1_000_000)),
        ("STAYS", Decimal(1_000_000)),
    ]
    assert page.owing == Decimal(3_000_000)
    text = desk.get(PAGE).content.decode()
    assert len(re.findall(r"<button[^>]*>Check out<", text)) == 1
    assert len(re.findall("Check out…", text)) == 1


def test_guests_who_should_have_come_are_listed_apart(desk):
    stay("LATE", arrives=-1)
    stay("LONG AGO", arrives=-40)
    stay("PENDING", arrives=-1, status="pending")
    assert rows(desk, "late") == [("LATE", "No room yet", "check-in")]
    assert "Should have come before" in desk.get(PAGE).content.decode()


def test_one_press_checks_in_and_another_takes_it_back(desk):
    ready = stay("A", room=room("101"))
    assert press(desk, ready, "check-in") == ["Guest A is checked in to 101."]
    ready.refresh_from_db()
    assert ready.status == "checked_in"
    page = desk.get(PAGE).content.decode()
    undo = reverse("admin:press", args=[ready.pk, "undo-check-in"])
    assert f'action="{undo}"' in page
    assert press(desk, ready, "undo-check-in") == ["The check-in of Guest A is undone."]
    ready.refresh_from_db()
    assert ready.status == "confirmed"
    assert [e.what for e in ready.events.order_by("pk")] == ["checked_in", "check_in_undone"]


def test_the_message_of_an_act_offers_to_take_it_back(desk):
    ready = stay("A", room=room("101"))
    address = reverse("admin:press", args=[ready.pk, "check-in"])
    page = desk.post(address, follow=True).content.decode()
    message = re.search(r'<li class="message good" role="status">.*?</li>', page, re.DOTALL)[0]
    assert f'action="/admin/today/{ready.pk}/undo-check-in/"' in message


def test_an_act_of_somebody_else_or_of_another_day_is_not_taken_back_by_a_press(desk, clerk):
    other = member("Front desk", username="putu")
    theirs = check_in(stay("A", room=room("101")), other)
    refusal = "A has changed since, or it was not you who did it: look at the stay."
    assert press(desk, theirs, "undo-check-in") == [refusal]
    mine = check_in(stay("B", room=room("102")), clerk)
    press(desk, mine, "check-out")  # refused: it owes
    assert press(desk, mine, "undo-check-in") == ["The check-in of Guest B is undone."]
    assert press(desk, mine, "undo-check-in") == [refusal.replace("A has", "B has")]
    page = desk.get(PAGE).content.decode()
    assert f"/{theirs.pk}/undo-check-in/" not in page


def test_what_the_service_refuses_is_said_and_nothing_is_changed(desk):
    dirty = stay("A", room=room("101", housekeeping_status="dirty"))
    assert press(desk, dirty, "check-in") == ["Room 101 is dirty: clean it, or choose another one."]
    dirty.refresh_from_db()
    assert dirty.status == "confirmed"


def test_no_money_changes_hands_by_one_press(desk, clerk):
    leaving = in_house("A", arrives=-2, room=room("101"))
    payment(leaving, amount=leaving.total_amount)
    take_payment(leaving, Decimal(100_000), "cash", clerk, kind="deposit")
    [said] = press(desk, leaving, "check-out")
    assert said == "There is money to settle: check them out on the page of the stay."
    leaving.refresh_from_db()
    assert (leaving.status, leaving.deposit_held) == ("checked_in", Decimal(100_000))


def test_a_settled_stay_is_checked_out_and_back_in_by_a_press_each(desk):
    leaving = in_house("A", arrives=-2, room=room("101"))
    payment(leaving, amount=leaving.total_amount)
    assert press(desk, leaving, "check-out") == ["Guest A is checked out of 101."]
    assert Room.objects.get().housekeeping_status == "dirty"
    assert rows(desk, "departures") == [("A", "Left", "")]


def test_a_press_for_a_stay_that_is_not_there_is_answered_404(desk):
    assert desk.post("/admin/today/0/check-in/").status_code == 404
    ready = stay("A", room=room("101"))
    assert desk.post(f"/admin/today/{ready.pk}/dance/").status_code == 404
    assert desk.post(f"/admin/today/{ready.pk}/undo-confirm/").status_code == 404


def test_housekeepers_see_rooms_and_no_money_names_or_buttons(db):
    stay("A", room=room("101", housekeeping_status="dirty"))
    in_house("B", arrives=-2, room=room("102"))
    page = browser(member("Housekeeping")).get(PAGE).content.decode()
    main = page[page.index("<main") :]
    assert "101" in main
    assert "Due out" in main
    for hidden in ("Guest A", "1,000,000", "Owes", "Owing", "ADR", "Occupancy", "Check"):
        assert hidden not in main


def test_revenue_is_for_those_who_may_see_the_figures(db, desk):
    stay("A", room=room("101"))
    shown = [
        "ADR of the night" in browser(member(role)).get(PAGE).content.decode()
        for role in (OWNER, "Manager", "Front desk", "Read-only")
    ]
    assert shown == [True, True, False, True]


def test_tomorrow_lists_and_does_nothing(desk):
    stay("A", arrives=1, room=room("101"))
    in_house("B", arrives=-1, nights=2, room=room("102"))
    in_house("OVER", arrives=-3, nights=2, room=room("103"))
    assert rows(desk, "arrivals", day="tomorrow") == [("A", "Ready", "")]
    assert rows(desk, "departures", day="tomorrow") == [("B", "Due out", "pay")]
    page = desk.get(PAGE, {"day": "tomorrow"}).content.decode()
    assert "<title>Tomorrow · Hotel</title>" in page
    assert 'href="?day=tomorrow" aria-current="page"' in page


def test_an_empty_hotel_says_so(desk):
    page = desk.get(PAGE).content.decode()
    for words in ("No arrivals", "No departures", "Nobody is in the house", "Everything is paid"):
        assert words in page


def test_nights_on_the_books_count_what_the_figures_count(db):
    for number in ("101", "102", "103"):
        room(number)
    rooms = list(Room.objects.order_by("room_number"))
    in_house("A", arrives=-1, nights=2, room=rooms[0], total_amount=Decimal("1000.01"))
    stay("B", nights=1, room=rooms[1], is_complimentary=True)
    stay("C", nights=1, status="pending")
    stay("D", arrives=1, nights=3, total_amount=Decimal(900), subtotal=Decimal(900))
    RoomBlock.objects.create(
        room=rooms[2],
        kind="out_of_order",
        start_date=business_date(),
        reason="leak",
        end_date=business_date() + DAY,
    )
    nights = browser(member(OWNER)).get(PAGE).context["page"].nights
    assert len(nights) == 14
    assert [(n.available, n.sold, n.left, n.revenue) for n in nights[:5]] == [
        (2, 1, 1, Decimal("500.00")),
        (3, 1, 2, Decimal(300)),
        (3, 1, 2, Decimal(300)),
        (3, 1, 2, Decimal(300)),
        (3, 0, 3, Decimal(0)),
    ]
    assert [n.oversold for n in nights[:2]] == [["Standard"], []]


def test_the_page_asks_as_much_for_60_stays_as_for_6(desk, clerk):
    def fill(first, last):
        for number in range(first, last):
            kind = stay if number % 2 else in_house
            kind(f"S{number}", arrives=0, room=room(f"{number}"))

    def asked():
        with CaptureQueriesContext(connection) as captured:
            response = desk.get(PAGE)
        return len(captured), len(response.content)

    fill(0, 6)
    few, _ = asked()
    fill(6, 60)
    many, size = asked()
    assert few == many <= 25
    assert size < 150_000


def test_a_stay_of_another_type_than_its_room_counts_by_the_room(db):
    suite = RoomType.objects.create(name="Suite", code="SUI", default_rate=1)
    stay("A", room=room("101"), room_type=suite)
    night = browser(member(OWNER)).get(PAGE).context["page"].tonight
    assert (night.sold, night.left, night.oversold) == (1, 0, [])
