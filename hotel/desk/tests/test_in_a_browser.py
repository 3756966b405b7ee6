"""The desk in a browser: a receptionist's day, a housekeeper's phone, and no page that breaks."""

import re

import pytest
from django.conf import settings as django_settings

from accounts.models import User
from accounts.tests.back_office import OWNER, browser, member, one_of_each, payment, room
from hotel.desk.tests.browsers import DESKTOP, PHONE, axe, chromium, served
from hotel.desk.tests.test_today import in_house, stay
from reservations.models import Reservation
from rooms.models import Room

PAGES = [
    "/admin/",
    "/admin/?day=tomorrow",
    "/admin/calendar/",
    "/admin/calendar/?nights=30",
    "/admin/housekeeping/",
    "/admin/search/?q=guest",
    "/admin/reservations/reservation/",
    "/admin/reservations/reservation/add/",
    "/admin/reservations/guest/",
    "/admin/payments/payment/",
    "/admin/metrics/",
    "/admin/exemptions/",
    "/admin/drift/",
    "/admin/tables/",
    "/admin/password_change/",
    "/admin/nowhere/",
]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def started():
    with chromium() as one:
        yield one


@pytest.fixture
def site(started, history, settings):
    """Serve an empty hotel at head; give the address of it."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    history.at("head")
    with served() as address:
        yield address


@pytest.fixture
def open_page(started, site):
    """Return ``f(role, options)``, which gives a page that a member of staff has logged in to.

    What the browser complains of, the page collects in ``complaints``.
    """
    contexts = []

    def opened(user, options):
        context = started.new_context(base_url=site, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        if user:
            key = browser(user).cookies[django_settings.SESSION_COOKIE_NAME].value
            cookie = {"name": django_settings.SESSION_COOKIE_NAME, "value": key, "url": site}
            context.add_cookies([cookie])
        page = context.new_page()
        page.complaints = []
        page.on(
            "console",
            lambda said: page.complaints.append(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()


def width(page):
    return page.evaluate("document.documentElement.scrollWidth")


def test_a_receptionists_day(open_page):
    clerk = member("Front desk", username="sari", full_name="Sari Lestari")
    clerk.set_password("a good password")
    clerk.save()
    arriving = stay("A", room=room("101"))
    leaving = in_house("B", arrives=-2, room=room("102"))
    payment(leaving, amount=leaving.total_amount)
    page = open_page(None, DESKTOP)

    page.goto("/admin/")
    page.get_by_label("Username").fill("sari")
    page.get_by_label("Password").fill("a good password")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Today").wait_for()

    page.get_by_role("button", name="Check in Guest A").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("Guest A is checked in to 101.").wait_for()
    assert Reservation.objects.get(pk=arriving.pk).status == "checked_in"
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    page.get_by_text("The check-in of Guest A is undone.").wait_for()
    assert Reservation.objects.get(pk=arriving.pk).status == "confirmed"

    page.get_by_role("button", name="Check out Guest B").click()
    page.get_by_text("Guest B is checked out of 102.").wait_for()
    assert Room.objects.get(room_number="102").housekeeping_status == "dirty"

    page.keyboard.press("/")
    page.keyboard.type("guest a")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Guest A", exact=True).first.click()
    page.get_by_role("heading", name="Guest A", exact=True).wait_for()
    assert page.title().startswith(arriving.confirmation_number)

    page.locator("#user-tools summary").click()
    for theme in ("light", "dark", None):
        page.get_by_role("button", name=re.compile("^Theme")).click()
        assert page.locator("html").get_attribute("data-theme") == theme
    page.keyboard.press("Escape")
    assert not page.get_by_role("button", name="Log out").is_visible()
    page.locator("#user-tools summary").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="You are logged out.").wait_for()
    assert page.complaints == []


def test_a_housekeepers_phone(open_page):
    member("Housekeeping", username="wayan")
    rooms = [room(number, housekeeping_status="dirty") for number in ("101", "102", "103")]
    stay("A", room=rooms[1])
    page = open_page(User.objects.get(username="wayan"), PHONE)
    page.goto("/admin/")
    page.get_by_role("link", name="Housekeeping").first.tap()
    page.get_by_role("heading", name="Housekeeping").wait_for()
    numbers = page.locator(".room-card strong:first-of-type").all_inner_texts()
    assert numbers[0] == "102"

    card = page.locator(f"#room-{rooms[1].pk}")
    card.get_by_role("button", name="Clean").tap()
    page.get_by_text("Room 102 is clean.").wait_for()
    assert card.get_by_role("button", name="Clean").get_attribute("aria-pressed") == "true"

    for one in (rooms[0], rooms[2]):
        page.locator(f"#room-{one.pk}").get_by_role("checkbox").check()
    page.locator(".bulk").get_by_role("button", name="Clean").tap()
    page.get_by_text("Rooms 101, 103 are clean.").wait_for()
    assert set(Room.objects.values_list("housekeeping_status", flat=True)) == {"clean"}

    assert not page.get_by_role("link", name="Rooms not sold").is_visible()
    page.get_by_role("link", name="More").tap()
    page.get_by_role("link", name="Rooms not sold").wait_for()
    for button in card.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 40
    assert width(page) <= 390
    assert page.complaints == []

    page.goto("/admin/payments/payment/")
    page.get_by_role("heading", name="You may not open this page").wait_for()


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_scrolls_sideways_or_is_complained_of(open_page, options):
    rows = one_of_each()
    in_house("A", room=room("201"))
    page = open_page(member(OWNER), options)
    row = rows["reservations.reservation"].pk
    addresses = [
        *PAGES,
        f"/admin/reservations/reservation/{row}/change/",
        f"/admin/reservations/reservation/{row}/do/cancel/",
    ]
    found = {}
    for address in addresses:
        page.complaints.clear()
        page.goto(address)
        if width(page) > options["viewport"]["width"]:
            found[address] = "wider than the window"
        complaints = [text for text in page.complaints if "404 (Not Found)" not in text]
        if complaints:
            found[address] = complaints
    assert found == {}


def test_paper_has_the_lists_and_nothing_to_press(open_page):
    stay("A", room=room("101"))
    page = open_page(member("Front desk"), {**DESKTOP, "color_scheme": "dark"})
    page.goto("/admin/")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="Arrivals").is_visible()
    assert page.locator("th", has_text="Guest A").first.is_visible()
    for hidden in (".rail", ".topbar", ".tabs", "td.acts"):
        assert not page.locator(hidden).first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    page.locator("th a", has_text="Guest A").first.dispatch_event("click")
    page.get_by_role("heading", name="Folio").wait_for()
    assert page.locator(".letterhead").is_visible()
    for hidden in (".stay-acts", "fieldset.module", ".submit-row", ".log"):
        assert not page.locator(hidden).first.is_visible()


def test_every_act_can_be_done_without_a_script(open_page):
    ready = stay("A", room=room("101"))
    page = open_page(member("Front desk"), {**DESKTOP, "java_script_enabled": False})
    page.goto("/admin/")
    page.get_by_role("button", name="Check in Guest A").click()
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    page.get_by_text("The check-in of Guest A is undone.").wait_for()
    assert Reservation.objects.get(pk=ready.pk).status == "confirmed"


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(open_page, options):
    source = axe()
    rows = one_of_each()
    in_house("A", room=room("201"))
    stay("B", room=room("202"))
    page = open_page(member(OWNER), options)
    row = rows["reservations.reservation"].pk
    found = {}
    change = f"/admin/reservations/reservation/{row}/change/"
    # The page for booking is left out: select2 gives its boxes no name before a script of ours has.
    for address in [*PAGES, change]:
        if address.endswith("/add/"):
            continue
        page.set_viewport_size(options["viewport"])
        page.goto(address)
        page.evaluate(source)
        # As tall as the page, so that no bar lies over a row.
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({**options["viewport"], "height": height + 100})
        result = page.evaluate(f"axe.run({{runOnly: {TAGS}}})")
        for violation in result["violations"]:
            nodes = [node["html"][:100] for node in violation["nodes"]]
            found.setdefault(address, []).append((violation["id"], nodes[:3]))
    assert found == {}
