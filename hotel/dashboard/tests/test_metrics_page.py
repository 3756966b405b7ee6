"""The page of the figures: who sees it, what it shows, and that the button alone computes."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tests.back_office import OWNER, browser, member, reservation, room
from hotel.business_day import business_date
from hotel.dashboard.charts import chart
from hotel.dashboard.figures import total
from hotel.dashboard.models import DailyMetrics
from hotel.dashboard.page import COLUMNS
from hotel.dashboard.services import compute_metrics
from hotel.tests.test_admin_junk import HUGE
from hotel.tests.test_content_security_policy import Breaches
from rooms.models import RoomBlock, RoomType

PAGE = "/admin/metrics/"
FIRST, LAST = date(2025, 7, 1), date(2025, 7, 3)
PERIOD = {"from": "2025-07-01", "to": "2025-07-03"}
SEEING = (OWNER, "Manager", "Accounting", "Read-only")
COMPUTING = (OWNER, "Manager")
ROLES = (*SEEING, "Front desk", "Housekeeping")


@pytest.fixture
def hotel(db):
    """Two types: three rooms, one out of order on the third day, and a suite that is sold twice."""
    sold, _, broken = room("101"), room("102"), room("103")
    suite = RoomType.objects.create(name="Suite", code="SUI", default_rate=Decimal(1))
    room("201", room_type=suite)
    reservation("RES-1", room=sold, total_amount=Decimal("1000000.00"))
    for number in (2, 3):
        reservation(f"RES-{number}", room_type=suite, total_amount=Decimal("300000.50"))
    RoomBlock.objects.create(room=broken, kind="out_of_order", start_date=LAST)


def get(role=OWNER, **question):
    return browser(member(role)).get(PAGE, question)


def text(response):
    return response.content.decode()


def content(response):
    """Return the page without what all pages have around it."""
    return text(response).partition('id="content-main"')[2].partition("</main>")[0]


def table(page, number):
    """Return the rows of a table of the page as lists of texts, the heading first."""
    rows = re.findall(
        r"<tr>(.*?)</tr>", re.findall(r"<table>.*?</table>", page, re.S)[number], re.S
    )
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [[re.sub(r"<[^>]+>", "", cell) for cell in row] for row in cells]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_views_figures_sees_the_page(hotel, role):
    client = browser(member(role))
    sees, computes = role in SEEING, role in COMPUTING
    response = client.get(PAGE)
    assert response.status_code == (200 if sees else 403)
    assert ("Compute this period" in text(response)) == computes
    assert (PAGE in text(client.get("/admin/"))) == sees
    assert client.post(PAGE, PERIOD).status_code == (302 if computes else 403)
    assert DailyMetrics.objects.count() == (6 if computes else 0)


def test_others_log_in_first(hotel):
    assert browser().get(PAGE).url == f"/admin/login/?next={PAGE}"
    assert browser().post(PAGE, PERIOD).status_code == 302
    assert not DailyMetrics.objects.exists()


def test_a_post_from_another_site_is_refused(hotel):
    client = browser(member(OWNER), enforce_csrf_checks=True)
    assert client.post(PAGE, PERIOD).status_code == 403
    assert not DailyMetrics.objects.exists()


def test_the_button_computes_and_shows_the_period(hotel):
    response = browser(member(OWNER)).post(PAGE, PERIOD, follow=True)
    assert response.redirect_chain == [(f"{PAGE}?from=2025-07-01&to=2025-07-03", 302)]
    assert "The figures from 2025-07-01 to 2025-07-03 are computed." in text(response)
    assert "All 3 days are computed" in text(response)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("", "", "Enter the first and the last day of the period."),
        ("2025-07-01", "junk", "Enter the first and the last day of the period."),
        (
            "2025-07-02",
            "2025-07-01",
            "The period ends before it begins: from 2025-07-02 to 2025-07-01.",
        ),
        (
            "2024-01-01",
            "2025-12-31",
            "The period has 731 days, and 400 are the most at a time: choose a shorter one.",
        ),
    ],
)
def test_a_period_that_cannot_be_computed_is_refused_with_a_sentence(hotel, first, last, sentence):
    response = browser(member(OWNER)).post(PAGE, {"from": first, "to": last}, follow=True)
    assert sentence in text(response)
    assert not DailyMetrics.objects.exists()


def test_looking_computes_nothing_and_says_so(hotel):
    page = content(get(**PERIOD))
    assert "None of these 3 days has been computed yet." in page
    assert [row[1] for row in table(page, 1)[1:4]] == ["not computed"] * 3
    assert page.count("not computed</title>") == 9  # three charts
    assert not DailyMetrics.objects.exists()


def test_days_that_were_not_computed_are_told_from_days_without_guests(hotel):
    compute_metrics(date(2025, 7, 2), LAST)
    page = content(get(**PERIOD))
    assert "2 of 3 days are computed" in page
    rows = table(page, 1)
    assert rows[1] == ["July 1, 2025", "not computed"]
    assert rows[3][:5] == ["July 3, 2025", "4", "1", "3", "0"]


def test_the_numbers_are_those_of_the_model(hotel):
    rows = compute_metrics(FIRST, LAST)
    page = content(get(**PERIOD))
    by_type, by_day = table(page, 0), table(page, 1)
    heading = [
        *("Rooms", "Out of order", "Available", "Sold", "Occupancy", "Of all rooms"),
        *("Room revenue", "ADR", "RevPAR", "Arrivals", "Departures", "Cancellations", "No-shows"),
    ]
    assert by_type[0] == ["Room type", *heading]
    assert by_type[1:] == [
        [
            *("Standard (STD)", "9", "1", "8", "2", "25.0%", "22.2%"),
            *("1,000,000", "500,000", "125,000", "1", "1", "0", "0"),
        ],
        [
            *("Suite (SUI)", "3", "0", "3", "4", "133.3%", "133.3%"),
            *("600,001", "150,000.25", "200,000.33", "2", "2", "0", "0"),
        ],
        [
            *("Hotel", "12", "1", "11", "6", "54.5%", "50.0%"),
            *("1,600,001", "266,666.83", "145,454.64", "3", "3", "0", "0"),
        ],
    ]
    assert by_day[0] == ["Day", *heading]
    assert by_day[1] == [
        *("July 1, 2025", "4", "0", "4", "3", "75.0%", "75.0%"),
        *("800,000.50", "266,666.83", "200,000.13", "3", "0", "0", "0"),
    ]
    assert by_day[4] == ["All days", *by_type[3][1:]]
    whole = total(rows)
    assert whole.room_revenue == Decimal("1600001.00")
    tiles = re.findall(r'<p class="figure">(.*?)</p>', page)
    assert [re.sub("<[^>]+>", "", tile) for tile in tiles] == ["54.5%", "266,666.83", "145,454.64"]
    assert "Of all rooms, those out of order included: 50.0%." in page


def test_each_figure_has_its_definition(hotel):
    page = text(get())
    for words in (
        "Rooms sold / rooms available:",
        "Room revenue / rooms sold: the average daily rate.",
        "Room revenue / rooms available: the revenue per available room",
    ):
        assert words in page


def test_days_to_come_are_said_to_be_booked_so_far(hotel):
    today = business_date()
    words = "Today and the days to come count what is booked so far."
    assert words not in text(get(**PERIOD))
    question = {"from": str(today), "to": str(today + timedelta(days=3))}
    assert words in text(browser(member("Manager")).get(PAGE, question))


def test_without_a_period_the_last_30_days_are_shown(hotel):
    response = get()
    today = business_date()
    assert (response.context["first"], response.context["last"]) == (today - timedelta(29), today)


@pytest.mark.parametrize(
    "question",
    [
        "from=junk&to=junk",
        "from=2025-07-01",
        "to=2025-07-01",
        "from=2025-02-30&to=2025-03-01",
        "from=%00&to=%00",
        f"from={HUGE}&to={HUGE}",
        "from=0000-00-00&to=10000-01-01",
        "from=%ED%A0%80&to=2025-07-01",
        "from=2025-07-01T00:00&to=2025-07-02",
        "junk=junk",
    ],
)
def test_junk_in_the_address_is_as_if_there_was_none(hotel, question):
    response = browser(member(OWNER)).get(f"{PAGE}?{question}")
    assert response.status_code == 200
    assert response.context["last"] == business_date()
    assert response.context["refusal"] == ""


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2025-07-02", "2025-07-01", "The period ends before it begins:"),
        ("0001-01-01", "9999-12-31", "The period has 3652059 days, and 400 are the most"),
    ],
)
def test_a_period_that_nobody_computes_is_not_shown_either(hotel, first, last, sentence):
    response = get(**{"from": first, "to": last})
    assert sentence in text(response)
    assert response.context["last"] == business_date()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_shown(hotel, day):
    client = browser(member(OWNER))
    assert client.post(PAGE, {"from": day, "to": day}, follow=True).status_code == 200
    assert DailyMetrics.objects.count() == 2


def test_the_page_keeps_to_the_content_security_policy(hotel):
    compute_metrics(FIRST, date(2025, 7, 2))
    response = get(**PERIOD)
    assert Breaches(text(response)).found == []
    for forbidden in ("style=", "<style", "fill=", "<script"):
        assert forbidden not in content(response)


def test_a_chart_is_an_image_with_a_name_and_each_bar_has_its_number(hotel):
    compute_metrics(FIRST, date(2025, 7, 2))
    page = content(get(**PERIOD))
    charts = re.findall(r"<svg[^>]*>", page)
    assert len(charts) == 3
    assert all('role="img"' in chart for chart in charts)
    assert (
        'aria-label="Occupancy by day: least 75.0% on July 1, 2025, most 75.0% on July 1, 2025.'
        ' The table below has the numbers."'
    ) in charts[0]
    assert "<title>July 1, 2025: 75.0%</title>" in page
    assert "<title>July 2, 2025: 200,000.13</title>" in page
    assert "<title>July 3, 2025: not computed</title>" in page


def test_tables_scroll_in_boxes_that_a_keyboard_reaches(hotel):
    page = text(get())
    boxes = re.findall(r'<div class="scroll"([^>]*)>', page)
    assert boxes == [
        f' tabindex="0" role="region" aria-labelledby="{name}"' for name in ("by-type", "by-day")
    ]


def test_a_name_of_a_type_is_text(hotel):
    RoomType.objects.update(name="<b>Suite</b>")
    compute_metrics(FIRST, FIRST)
    page = text(get(**{"from": "2025-07-01", "to": "2025-07-01"}))
    assert "&lt;b&gt;Suite&lt;/b&gt; (SUI)" in page
    assert "<b>Suite" not in page


def test_the_number_of_queries_is_the_same_for_2_days_and_400(hotel, clock):
    clock(2026, 12, 28, 12)  # at night it is asked whether somebody has closed the day
    client = browser(member("Manager"))

    def queries(days):
        last = FIRST + timedelta(days=days - 1)
        compute_metrics(FIRST, last)
        client.get(PAGE)  # reads what Django keeps for good
        with CaptureQueriesContext(connection) as captured:
            response = client.get(PAGE, {"from": FIRST, "to": last})
        assert response.status_code == 200
        assert response.context["computed"] == days
        return len(captured)

    few = queries(2)
    for number in range(10):
        RoomType.objects.create(name="More", code=f"M{number}", default_rate=Decimal(1))
    assert queries(400) == few <= 8


# Charts


def show(value):
    return f"{value}!"


def test_the_highest_bar_is_as_high_as_the_chart():
    days = [("Monday", 2, True), ("Tuesday", 4, True), ("Wednesday", 0, True)]
    drawn = chart("Rate", days, show)
    assert [(bar.x, bar.y, bar.height) for bar in drawn.bars] == [
        (1, 500, 500),
        (11, 0, 1000),
        (21, 1000, 0),
    ]
    assert drawn.width == 30
    assert drawn.full == "4!"
    assert drawn.label == (
        "Rate by day: least 0! on Wednesday, most 4! on Tuesday. The table below has the numbers."
    )


def test_a_full_bar_stands_for_what_it_is_told_unless_a_day_has_more():
    assert [bar.height for bar in chart("A", [("Monday", 1, True)], show, full=4).bars] == [250]
    assert [bar.height for bar in chart("A", [("Monday", 8, True)], show, full=4).bars] == [1000]


def test_a_day_that_was_not_computed_has_a_mark_and_one_with_nothing_has_none():
    missing, nothing = chart("A", [("Monday", None, False), ("Tuesday", None, True)], show).bars
    assert (missing.missing, missing.height, missing.title) == (True, 30, "Monday: not computed")
    assert (nothing.missing, nothing.height) == (False, 0)


def test_a_chart_of_nothing_says_so():
    drawn = chart("A", [("Monday", None, True)], show)
    assert (drawn.label, drawn.full) == ("A by day: there is nothing to show.", "")


def test_every_column_is_a_word_of_its_own():
    assert len({name.lower() for name in COLUMNS}) == len(COLUMNS)
