"""The skin of the back office: it is there on every page, and its colours can be read."""

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

OWN = Path(finders.find("hotel/admin.css")).read_text()
STOCK = Path(finders.find("admin/css/base.css")).read_text()
STOCK_DARK = Path(finders.find("admin/css/dark_mode.css")).read_text()

DARK_BY_SYSTEM = r"@media \(prefers-color-scheme: dark\) \{\s*:root"
DARK_BY_SWITCH = r'html\[data-theme="dark"\]'
LIGHT = r'html\[data-theme="light"\],\s*:root'

TEXTS = [
    "body-fg",
    "body-quiet-color",
    "body-medium-color",
    "body-loud-color",
    "link-fg",
    "link-hover-color",
    "link-selected-fg",
    "error-fg",
    "badge-good",
    "badge-now",
    "badge-wait",
    "badge-bad",
    "badge-past",
]
PAPERS = ["body-bg", "darkened-bg", "selected-bg"]
ON_COLOUR = [
    "header-color/header-bg",
    "header-link-color/header-bg",
    "header-branding-color/header-bg",
    "breadcrumbs-fg/breadcrumbs-bg",
    "breadcrumbs-link-fg/breadcrumbs-bg",
    "primary-fg/primary",
    "header-link-color/primary",
    "button-fg/button-bg",
    "button-fg/button-hover-bg",
    "button-fg/default-button-bg",
    "button-fg/default-button-hover-bg",
    "button-fg/close-button-bg",
    "button-fg/close-button-hover-bg",
    "button-fg/delete-button-bg",
    "button-fg/delete-button-hover-bg",
    "object-tools-fg/object-tools-bg",
    "object-tools-fg/object-tools-hover-bg",
    "body-fg/message-success-bg",
    "body-fg/message-warning-bg",
    "body-fg/message-error-bg",
    "link-fg/message-success-bg",
    "link-fg/message-warning-bg",
    "link-fg/message-error-bg",
]
EDGES = [f"{edge}/{paper}" for edge in ("border-color", "focus-color") for paper in PAPERS[:2]]
EDGES += ["accent/header-bg", "accent/breadcrumbs-bg"]


def tokens(css, selector):
    """Return the custom properties that the first rule of ``selector`` sets."""
    rule = re.search(selector + r"\s*\{(.*?)\}", css, re.DOTALL)[1]
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", rule))


def theme(name):
    light = {**tokens(STOCK, LIGHT), **tokens(OWN, LIGHT)}
    if name == "light":
        return light
    return {**light, **tokens(STOCK_DARK, DARK_BY_SWITCH), **tokens(OWN, DARK_BY_SWITCH)}


def luminance(colour, colours):
    """Return the relative luminance of WCAG 2.2, following ``var(…)``."""
    while match := re.fullmatch(r"var\(--([\w-]+)\)", colour):
        colour = colours[match[1]]
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def too_faint(pairs, colours, least):
    """Return the pairs ``front/back`` whose contrast is below ``least``."""
    faint = {}
    for pair in pairs:
        dark, light = sorted(luminance(colours[name], colours) for name in pair.split("/"))
        contrast = (light + 0.05) / (dark + 0.05)
        if contrast < least:
            faint[pair] = round(contrast, 2)
    return faint


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_text_can_be_read_on_its_background(name):
    pairs = [f"{text}/{paper}" for text in TEXTS for paper in PAPERS] + ON_COLOUR
    assert too_faint(pairs, theme(name), 4.5) == {}


@pytest.mark.parametrize("name", ["light", "dark"])
def test_fields_and_focus_can_be_seen(name):
    assert too_faint(EDGES, theme(name), 3) == {}


def test_dark_colours_are_the_same_by_system_and_by_switch():
    assert tokens(OWN, DARK_BY_SYSTEM) == tokens(OWN, DARK_BY_SWITCH)


@pytest.mark.parametrize(
    "choices", [ReservationStatus, RoomStatus, HousekeepingStatus, PaymentType]
)
def test_every_status_has_a_shape_of_its_own_among_its_like(choices):
    shapes = {}
    for selectors, shape in re.findall(r'([^{}]+)::before \{ content: "(.)";', OWN):
        for name in re.findall(r"\.badge-(\w+)", selectors):
            shapes[name] = shape
    assert len({shapes[value] for value in choices.values}) == len(choices)


def test_every_page_has_the_skin(db):
    address = "/static/hotel/admin.css"
    pages = [
        browser().get(reverse("admin:login")),
        browser(member(OWNER)).get(reverse("admin:index")),
    ]
    for page in pages:
        assert f'<link rel="stylesheet" href="{address}">' in page.content.decode()
