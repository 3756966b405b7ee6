"""The look of the desk: it is on every page, and its colours can be read."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member
from payments.models import PaymentType
from reservations.models import ReservationStatus
from rooms.models import HousekeepingStatus, RoomStatus

pytestmark = pytest.mark.once

DESK = Path(finders.find("hotel/desk.css")).read_text()
ADMIN = Path(finders.find("hotel/admin.css")).read_text()

LIGHT = r"\n:root"
DARK_BY_SYSTEM = r':root:not\(\[data-theme="light"\]\)'
DARK_BY_SWITCH = r'\n:root\[data-theme="dark"\]'

PAPERS = ["bg", "surface", "sunken", "hover"]
INKS = ["ink", "ink-2", "ink-3", "accent", "accent-hover"]
TEXTS = [f"{ink}/{paper}" for ink in INKS for paper in PAPERS]
TEXTS += [f"{kind}/{kind}-tint" for kind in ("good", "warn", "bad", "past")]
TEXTS += [f"{kind}/{paper}" for kind in ("good", "warn", "bad") for paper in ("bg", "surface")]
TEXTS += ["accent/tint", "ink/tint", "on-accent/accent", "on-accent/accent-hover"]
TEXTS += [f"ink/{kind}-tint" for kind in ("good", "warn", "bad")]
EDGES = [f"{edge}/{paper}" for edge in ("line-strong", "focus", "chart") for paper in PAPERS[:2]]


def tokens(selector):
    """Return the colours that the first rule of ``selector`` sets."""
    rule = re.search(selector + r"\s*\{(.*?)\}", DESK, re.DOTALL)[1]
    return dict(re.findall(r"--([\w-]+):\s*(#\w+);", rule))


def luminance(colour):
    """Return the relative luminance of WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def too_faint(pairs, colours, least):
    """Return the pairs ``front/back`` whose contrast is below ``least``."""
    faint = {}
    for pair in pairs:
        dark, light = sorted(luminance(colours[name]) for name in pair.split("/"))
        contrast = (light + 0.05) / (dark + 0.05)
        if contrast < least:
            faint[pair] = round(contrast, 2)
    return faint


@pytest.mark.parametrize("theme", [LIGHT, DARK_BY_SWITCH], ids=["light", "dark"])
def test_every_text_can_be_read_on_its_background(theme):
    assert too_faint(TEXTS, tokens(theme), 4.5) == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK_BY_SWITCH], ids=["light", "dark"])
def test_edges_focus_and_bars_can_be_seen(theme):
    assert too_faint(EDGES, tokens(theme), 3) == {}


def test_dark_colours_are_the_same_by_system_and_by_switch():
    assert tokens(DARK_BY_SYSTEM) == tokens(DARK_BY_SWITCH)
    assert set(tokens(DARK_BY_SWITCH)) == set(tokens(LIGHT))


def test_colours_have_a_name():
    parts = DESK[DESK.index("/* 2 Base") : DESK.index("/* 13 Paper")] + ADMIN
    assert re.findall(r"[^&]#[0-9a-f]{3,6}\b(?=[; ])", parts) == []


def test_every_variable_that_is_asked_for_is_set():
    asked = set(re.findall(r"var\((--[\w-]+)", DESK + ADMIN))
    assert asked - set(re.findall(r"(--[\w-]+):", DESK + ADMIN)) == set()


@pytest.mark.parametrize(
    "choices", [ReservationStatus, RoomStatus, HousekeepingStatus, PaymentType]
)
def test_every_state_has_a_shape_of_its_own_among_its_like(choices):
    shapes = {}
    for selectors, shape in re.findall(r"^([^{}\n]+::before) \{ (.+?) \}$", ADMIN, re.MULTILINE):
        for name in re.findall(r"\.badge-(\w+)", selectors):
            shapes[name] = shape
    assert len({shapes[value] for value in choices.values}) == len(choices)


def test_every_page_has_the_look_and_not_djangos(db):
    for page in (
        browser().get(reverse("admin:login")),
        browser(member(OWNER)).get(reverse("admin:index")),
    ):
        text = page.content.decode()
        sheets = re.findall(r'<link rel="stylesheet" href="/static/([^"]+)">', text)
        assert (sheets[0], sheets[-1]) == ("hotel/desk.css", "hotel/admin.css")
        assert not {f"admin/css/{name}.css" for name in ("base", "dark_mode", "responsive")} & {
            *sheets
        }


def test_every_icon_that_a_page_asks_for_is_drawn():
    drawn = set(
        re.findall(r'<symbol id="([\w-]+)"', Path(finders.find("hotel/icons.svg")).read_text())
    )
    folder = Path(__file__).parents[2]
    asked = set()
    for template in (folder / "templates").rglob("*.html"):
        asked |= set(re.findall(r'{% icon "([\w-]+)" %}', template.read_text()))
    from hotel.desk.navigation import GROUPS

    asked |= {way.icon for _, ways in GROUPS for way in ways}
    assert asked - drawn == set()
