"""Rows as legacy databases have them: every page shows them, none fails."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection, models

from accounts.models import PermissionGrant
from accounts.tests.back_office import (
    OWNER,
    browser,
    exempt_from_all,
    let_rows_be_dirty,
    member,
    one_of_each,
    reservation,
)
from hotel.dashboard.models import BusinessDay, DailyAdjustment, DailyMetrics, SentForm
from hotel.dashboard.models import Event as BusinessDayEvent
from hotel.exemptions import rules_of
from hotel.tests.test_admin_permissions import OWN_APPS, addresses
from payments.models import Charge, ChargeEvent, DepositMovement
from payments.models import Event as PaymentEvent
from reservations.models import Event as StayEvent
from reservations.models import GuestMerge, Reservation, StayPart
from rooms.models import Event as RoomEvent
from rooms.models import Room, RoomBlock

SCRIPT = "<script>alert(1)</script>"
ODD = f"\u202e{SCRIPT}&\"'\x1b e\u0301 \N{BELLHOP BELL}\u200b\n\t"


# Tables that no legacy rows are in.
BORN_CLEAN = (PermissionGrant, RoomBlock, DepositMovement, DailyMetrics, SentForm)
BORN_CLEAN += (GuestMerge, RoomEvent, StayEvent, PaymentEvent, Charge, ChargeEvent)
BORN_CLEAN += (StayPart,)  # which follow stays
BORN_CLEAN += (BusinessDay, BusinessDayEvent, DailyAdjustment)


def own_models():
    for model in apps.get_models():
        if model._meta.app_label in OWN_APPS and model not in BORN_CLEAN:
            yield model


def change_all(change):
    """Change one row of each model: ``change(field)`` is the value, ``...`` to leave it alone."""
    let_rows_be_dirty()
    rows = one_of_each()
    client = browser(member(OWNER))
    for model in own_models():
        row = rows[model._meta.label_lower]
        for field in model._meta.local_concrete_fields:
            # No legacy row has a currency: every amount was in the hotel's.
            value = change(field) if field.name != "currency" else ...
            if value is not ... and not field.primary_key and not field.generated:
                setattr(row, field.attname, value)
        if rules_of(model):
            row.exemptions = exempt_from_all(model)
        models.Model.save_base(row, raw=True)  # past auto_now, which would mend two columns
    return client, rows


def read(client, rows):
    """Return all pages of the rows as one text, after looking at the status of each."""
    pages = []
    for key, address in addresses(rows).items():
        response = client.get(address)
        assert response.status_code in (200, 403), key
        pages.append(response.content.decode())
    return "\n".join(pages)


def test_nulls_wherever_they_may_be(db):
    client, rows = change_all(lambda field: None if field.null else ...)
    assert "None" not in read(client, rows).replace('alt="None"', "")  # of the icon for a flag


def test_empty_texts(db):
    client, rows = change_all(
        lambda field: "" if isinstance(field, models.CharField | models.TextField) else ...
    )
    read(client, rows)


def test_words_and_letters_that_nobody_expected(db):
    client, rows = change_all(
        lambda field: (
            ODD[: field.max_length]
            if isinstance(field, models.CharField | models.TextField)
            else ...
        )
    )
    assert SCRIPT not in read(client, rows)


def test_numbers_and_dates_at_the_ends(db):
    extremes = {
        models.IntegerField: -(2**31),
        models.DecimalField: Decimal("-999.99"),
        models.DateField: date(9999, 12, 31),
        models.DateTimeField: datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    }

    def extreme(field):
        if field.many_to_one:
            return ...
        return next((extremes[kind] for kind in type(field).mro() if kind in extremes), ...)

    client, rows = change_all(extreme)
    text = read(client, rows)
    assert "9999-12-31 23:59 UTC" in text
    assert "-999.99" in text


@pytest.mark.postgresql
def test_an_amount_that_is_not_a_number(db):
    rows = one_of_each()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE expenses SET amount = 'NaN'")
    client = browser(member(OWNER))
    for address in ("", f"{rows['payments.expense'].pk}/change/"):
        page = client.get(f"/admin/payments/expense/{address}").content.decode()
        assert "NaN" in page


def test_a_status_that_is_no_choice_is_shown_as_it_is(db):
    let_rows_be_dirty()
    stay = reservation()
    Reservation.objects.update(
        status="Old Confirmed ",
        check_out_date=date(1999, 1, 1),
        exemptions=exempt_from_all(Reservation),
    )
    client = browser(member(OWNER))
    badge = '<span class="badge badge-unknown">Old Confirmed </span>'
    for address in (
        "/admin/reservations/reservation/",
        f"/admin/reservations/reservation/{stay.pk}/change/",
    ):
        assert badge in client.get(address).content.decode()


def test_a_room_without_a_number_can_still_be_opened(db):
    rows = one_of_each()
    Room.objects.update(room_number="")
    page = browser(member(OWNER)).get("/admin/rooms/room/").content.decode()
    address = f"/admin/rooms/room/{rows['rooms.room'].pk}/change/"
    assert f'<a href="{address}">-</a>' in page
