"""Payments of a closed day are held from then on, and on the way back no longer."""

from django.db import IntegrityError, transaction

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0026_restrict_closed_days")
ADD = """
INSERT INTO payments (id, reservation_id, payment_date, amount, payment_method, payment_type)
VALUES (9, 1, '2026-12-28', 1, 'cash', 'full')
"""


def refused(history, sql):
    """Return whether the database refuses a statement, and names the rule."""
    try:
        with transaction.atomic():
            history.execute(sql)
            transaction.set_rollback(True)
    except IntegrityError as error:
        return "payments_of_closed_days" in str(error)
    return False


def test_payments_of_a_closed_day_are_held_and_others_are_not(history):
    history.before(MIGRATION)
    legacy.payment(history, 1, payment_date="2026-12-28")
    closed = {"closed_at": "2026-12-29 07:00:00", "closed_by_id": 1}
    history.insert("business_days", id=1, day="2026-12-28", **closed)
    rows = history.dump()
    method = "UPDATE payments SET payment_method = 'other'"
    assert not refused(history, ADD)
    history.step(MIGRATION)
    assert history.dump() == rows
    assert refused(history, ADD)
    assert refused(history, method)
    assert refused(history, "UPDATE payments SET is_voided = true, voided_at = created_at")
    assert not refused(history, ADD.replace("12-28", "12-29"))
    assert not refused(history, "UPDATE payments SET notes = 'a receipt', has_proof = true")
    history.step_back(MIGRATION)
    assert history.dump() == rows
    assert not refused(history, method)
