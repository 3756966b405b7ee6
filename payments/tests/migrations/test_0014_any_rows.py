"""The ledger is what the rule says in Python too, of any reservations and payments."""

from datetime import date, datetime

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hotel.migrator.tests import legacy
from payments.tests.migrations.test_0014_backfill_deposit_movements import (
    BEFORE,
    MIGRATION,
    made,
    told_in_python,
)

AMOUNTS = st.one_of(
    st.sampled_from(["0", "0.10", "0.20", "0.30", "10", "-10", "9999999999.99"]),
    st.decimals(-20, 20, places=2).map(str),
)
MOMENTS = st.one_of(
    st.none(),
    st.sampled_from(["2025-11-09 16:59:59.999999", "2025-11-09 17:00:00"]),
    st.datetimes(datetime(1850, 1, 1), datetime(2099, 1, 1)).map(lambda at: at.isoformat(" ")),
)
FLAGS = st.sampled_from([None, False, False, True])
PAYMENTS = st.fixed_dictionaries(
    {
        "amount": AMOUNTS,
        "payment_type": st.sampled_from(["deposit", "deposit", "full", "adjustment"]),
        "is_refund": FLAGS,
        "is_voided": FLAGS,
        "payment_date": st.dates(date(2025, 11, 1), date(2025, 11, 5)).map(str),
        "created_at": MOMENTS,
        "created_by": st.sampled_from([None, 1]),
    }
)
STAYS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(
            ["checked_out", "checked_out", "cancelled", "no_show", "pending"]
        ),
        "deposit_amount": AMOUNTS,
        "total_amount": AMOUNTS,
        "deposit_returned_at": MOMENTS,
        "checked_out_at": MOMENTS,
        "created_at": MOMENTS,
        "updated_at": MOMENTS,
    }
)


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(rows=st.lists(st.tuples(STAYS, st.lists(PAYMENTS, max_size=4)), min_size=15, max_size=30))
def test_movements_are_those_that_python_tells(history, rows):
    history.before(("reservations", "0014_add_rules"))
    number = 0
    for key, (stay, payments) in enumerate(rows, start=1):
        legacy.reservation(history, key, room_id=None, **stay)
        for payment in payments:
            number += 1
            legacy.payment(history, number, reservation_id=key, **payment)
    history.go(*BEFORE)
    told = told_in_python(history)
    assert made(history.go(*MIGRATION)) == told
