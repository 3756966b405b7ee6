"""The page of exemptions, and the filter that leads to the rows."""

import pytest

from accounts.tests.back_office import (
    OWNER,
    browser,
    exempt_from_all,
    let_rows_be_dirty,
    member,
    reservation,
)
from hotel.exemptions import exempt, rules_of
from payments.models import Payment
from reservations.models import Reservation

PAGE = "/admin/exemptions/"
LIST = "/admin/reservations/reservation/"


@pytest.fixture
def exempt_stay(db):
    let_rows_be_dirty()
    stay = reservation("DIRTY")
    Reservation.objects.update(adults=0, exemptions={"reservations_adults_in_range": 1})
    reservation("CLEAN")
    return stay


def test_a_hotel_without_exemptions_is_told_so(db):
    page = browser(member(OWNER)).get(PAGE).content.decode()
    assert "No row is exempt from a rule." in page


def test_rule_rows_and_what_mends_them_are_listed(exempt_stay):
    client = browser(member(OWNER))
    page = client.get(PAGE).content.decode()
    address = f"{LIST}?exempt_from=reservations_adults_in_range"
    assert "<td>At least one adult must stay.</td><td>Correct the number of adults.</td>" in page
    assert f'<td><a href="{address}">1</a></td>' in page
    listed = client.get(address).context["cl"].result_list
    assert [stay.confirmation_number for stay in listed] == ["DIRTY"]


def test_a_filter_by_no_rule_is_none(exempt_stay):
    listed = browser(member(OWNER)).get(f"{LIST}?exempt_from=nothing").context["cl"].result_list
    assert len(listed) == 2


def test_who_may_not_see_reservations_is_told_of_none(exempt_stay):
    page = browser(member("Housekeeping")).get(PAGE).content.decode()
    assert "adult" not in page


def test_nobody_else_sees_the_page(exempt_stay):
    assert browser().get(PAGE).status_code == 302


def test_the_index_leads_to_the_page(db):
    assert PAGE in browser(member(OWNER)).get("/admin/").content.decode()


def test_every_rule_is_counted(exempt_stay):
    Reservation.objects.filter(pk=exempt_stay.pk).update(exemptions=exempt_from_all(Reservation))
    assert [rule.name for rule, count in exempt(Reservation)] == list(rules_of(Reservation))
    assert exempt(Payment) == []


def test_every_rule_says_what_is_wrong_and_what_mends_it():
    for model in (Reservation, Payment):
        for rule in rules_of(model).values():
            assert rule.mend.endswith(".")
            assert rule.get_violation_error_message().endswith(".")
