"""Addresses and forms that no page of the back office made: never an error of ours."""

from urllib.parse import quote

import pytest
from django.contrib import admin
from django.db import connection
from django.urls import reverse

from accounts.tests.back_office import OWNER, browser, member, one_of_each, send
from hotel.refusals import Refused
from hotel.tests import stress
from hotel.tests.test_admin_permissions import autocomplete
from payments.models import Expense
from reservations.models import Reservation
from reservations.services import cancel

# make stress tries them all; the suite a quarter of them, each engine another.
SOME = slice(None)
if not stress.IS_WHOLE:
    SOME = slice(1 if connection.vendor == "sqlite" else 3, None, 4)

HUGE = "9" * 23
QUESTIONS = [
    "q=%00",
    "q=" + "x" * 10_000,
    "q=" + "x+" * 5_000,
    "q=%22",
    "q=%ED%A0%80",
    "p=junk",
    "p=99999",
    "p=-1",
    f"p={HUGE}",
    "o=junk",
    "o=999.-999.1.-",
    "all=&_facets=True&_popup=1",
    "e=1",
    "junk=junk",
    "%00=%00",
    "status=junk",
    "status__exact=%00",
    "status__regex=(",
    "is_active__exact=junk",
    f"id__exact={HUGE}",
    f"id__in={HUGE}",
    "id__range=1",
    f"room_type__id__exact={HUGE}",
    f"guest__id__exact={HUGE}",
    "created_at__gte=junk",
    "created_at__year=99999999999",
    "check_in_date__gte=%00",
    "amount__gt=NaN",
    "floor=1e9",
    "_to_field=junk",
    "password__startswith=b",
    "created_by__password__startswith=b",
    "booking_channel__api_key__startswith=t",
    "api_key__startswith=t",
    "api_secret=the-secret-of-the-agency",
]
KEYS = [
    "junk",
    "0",
    "-1",
    "1.5",
    HUGE,
    str(2**31),
    str(2**63 - 1),
    "\0",
    "_00",
    "x" * 2_000,
]
TYPED = ["", "\0", "x" * 10_000, HUGE, "-1", "NaN", "Infinity", "1e999999", "junk", "0001-01-01"]


@pytest.fixture
def rows(db):
    return one_of_each()


@pytest.fixture
def owner(rows):
    return browser(member(OWNER), raise_request_exception=False)


def lists():
    for model in admin.site._registry:
        opts = model._meta
        yield opts.label_lower, reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")


@stress.whole
@pytest.mark.parametrize("question", QUESTIONS[SOME], ids=lambda question: question[:30])
def test_a_list_answers_any_question(owner, question):
    for label, address in lists():
        response = owner.get(f"{address}?{question}")
        assert response.status_code in (200, 302, 400), label
        if response.status_code == 302:  # Django's way to say that the question was wrong
            assert response.url == f"{address}?e=1"
            assert owner.get(response.url).status_code == 200


@pytest.mark.parametrize("secret", ["api_key", "api_secret"])
def test_the_keys_of_a_channel_cannot_be_guessed_by_asking(owner, secret):
    address = reverse("admin:reservations_bookingchannel_changelist")
    assert owner.get(f"{address}?{secret}__startswith=the").status_code == 400
    assert owner.get(f"{address}?q=the-key").context["cl"].result_count == 0


def test_password_hashes_cannot_be_guessed_by_asking(owner):
    address = reverse("admin:accounts_user_changelist")
    assert owner.get(f"{address}?password__startswith=b").status_code == 400
    assert owner.get(f"{address}?q=%21").context["cl"].result_count == 0  # all are stored as "!"


@stress.whole
@pytest.mark.parametrize("key", KEYS[SOME], ids=lambda key: ascii(key)[:20])
def test_a_row_that_is_not_there_leads_to_the_index(owner, key):
    for label, address in lists():
        for page in ("change", "delete", "history"):
            response = owner.get(f"{address}{quote(key)}/{page}/")
            assert response.status_code in (302, 403), (label, page)


@stress.whole
@pytest.mark.parametrize("key", KEYS[SOME], ids=lambda key: ascii(key)[:20])
def test_other_addresses_with_a_key_are_not_found(owner, key):
    for address in (
        f"/admin/accounts/user/{quote(key)}/password/",
        f"/admin/r/{quote(key)}/1/",
        f"/admin/r/1/{quote(key)}/",
        f"/admin/{quote(key)}/",
    ):
        assert owner.get(address).status_code in (302, 404), address


@pytest.mark.parametrize(
    "question", ["term=%00", "term=" + "x+" * 5_000, "term=%22", "page=junk", f"page={HUGE}"]
)
def test_an_autocomplete_answers_any_question(owner, question):
    for model, field in [
        ("reservations.reservation", "guest"),
        ("reservations.reservation", "created_by"),
        ("payments.payment", "reservation"),
        ("rooms.room", "room_type"),
    ]:
        assert owner.get(f"{autocomplete(model, field)}&{question}").status_code in (200, 404)


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("", ""),
        ("junk.junk", "junk"),
        ("rooms.room", "junk"),
        ("rooms.room", "room_number"),
        ("rooms.room", "reservation"),  # the other end of a foreign key
        ("rooms.room", "images"),
        ("accounts.user", "logentry"),
        ("rooms.room", "\0"),
    ],
)
def test_an_autocomplete_of_no_foreign_key_is_forbidden(owner, model, field):
    assert owner.get(autocomplete(model, quote(field))).status_code == 403
    assert owner.get(reverse("admin:autocomplete")).status_code == 403


@stress.whole
@pytest.mark.parametrize("typed", TYPED[SOME], ids=lambda typed: ascii(typed)[:20])
def test_a_form_refuses_what_no_row_can_hold(owner, rows, typed):
    for label, address in lists():
        fields = [field.name for field in rows[label]._meta.get_fields()]
        form = dict.fromkeys([*fields, "date_0", "date_1", "password1", "password2"], typed)
        for page in (f"{address}add/", f"{address}{rows[label].pk}/change/", address):
            assert owner.post(page, form).status_code in (200, 302, 403), page


@pytest.mark.parametrize(
    ("day", "time", "status"),
    [
        ("0001-01-01", "00:00:00", 200),  # seven hours before UTC's calendar begins
        ("0001-01-01", "08:00:00", 302),
        ("9999-12-31", "23:59:59", 302),
    ],
)
def test_an_instant_that_utc_lacks_is_refused(owner, settings, day, time, status):
    settings.TIME_ZONE = "Asia/Jakarta"
    form = {"date_0": day, "date_1": time, "category": "Laundry", "amount": "1"}
    response = owner.post(reverse("admin:payments_expense_add"), form)
    assert response.status_code == status
    if status == 200:
        assert response.context["errors"] == [["Enter a valid date."]]
    assert Expense.objects.count() == (2 if status == 302 else 1)
    assert owner.get(reverse("admin:payments_expense_changelist")).status_code == 200


JUNK = {
    ("reservations.reservation", "children"): {
        "1_000": "Enter a number in the digits 0 to 9.",
        "\N{ARABIC-INDIC DIGIT THREE}": "Enter a number in the digits 0 to 9.",
    },
    ("reservations.guest", "full_name"): {
        "\ufffd": "Some of these characters came in garbled: type them again.",
    },
    ("reservations.guest", "email"): {"nope": "Enter a valid email address."},
    ("reservations.guest", "birth_date"): {
        "\N{ARABIC-INDIC DIGIT TWO}000-01-01": "Enter dates and times in the digits 0 to 9.",
    },
}


@pytest.mark.parametrize(("page", "field"), JUNK)
def test_what_python_would_take_for_a_value_is_refused_in_words(owner, rows, page, field):
    address = reverse(f"admin:{page.replace('.', '_')}_change", args=[rows[page].pk])
    before = getattr(rows[page], field)
    for typed, sentence in JUNK[page, field].items():
        response = send(owner, address, **{field: typed})
        assert response.context["adminform"].form.errors == {field: [sentence]}
    rows[page].refresh_from_db()
    assert getattr(rows[page], field) == before


def test_an_amount_with_underscores_is_no_amount(owner, rows):
    stay = rows["reservations.reservation"]
    address = reverse("admin:reservations_reservation_action", args=[stay.pk, "pay"])
    response = send(owner, address, kind="full", amount="1_000", method="cash")
    assert response.context["form"].errors["amount"] == ["Enter a number in the digits 0 to 9."]


def test_half_a_character_is_refused_by_services_too(rows):
    stay = rows["reservations.reservation"]
    with pytest.raises(Refused, match="The text has halves of characters: type it again"):
        cancel(stay, by=rows["accounts.user"], reason="\ud800")


def test_nobody_chooses_the_number_of_a_reservation(owner, rows):
    kind = rows["rooms.roomtype"]
    form = {"guest": rows["reservations.guest"].pk, "room_type": kind.pk, "adults": 1}
    dates = {"arrival": "2099-01-01", "departure": "2099-01-02", "children": 0}
    address = reverse("admin:reservations_reservation_add")
    owner.post(address, {**form, **dates, "confirmation_number": "VIP-1"})
    assert not Reservation.objects.filter(confirmation_number="VIP-1").exists()
    assert Reservation.objects.filter(check_in_date="2099-01-01").count() == 1
