"""Payments and their proofs, as the legacy system kept them before it had payment types."""

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0001_initial")

PAYMENTS = """
    id integer NOT NULL KEY
    reservation_id integer NOT NULL
    reservation_id -> reservations.id
    index reservation_id
    payment_date date NOT NULL
    index payment_date
    amount decimal NOT NULL
    payment_method varchar(20) NOT NULL
    index payment_method
    reference_number varchar(100)
    transaction_id varchar(100)
    index transaction_id
    notes text
    created_by integer
    created_by -> users.id
    index created_by
    is_refund bool
    refund_reason text
    is_voided bool
    has_proof bool
    index has_proof
    created_at datetime
    updated_at datetime
"""
ATTACHMENTS = """
    id integer NOT NULL KEY
    payment_id integer NOT NULL
    payment_id -> payments.id
    index payment_id
    file_name varchar(255) NOT NULL
    file_type varchar(20) NOT NULL
    file_path varchar(500) NOT NULL
    storage_location varchar(50) NOT NULL
    file_size_bytes integer
    mime_type varchar(100)
    original_filename varchar(255)
    uploaded_by integer
    uploaded_by -> users.id
    index uploaded_by
    verified_by integer
    verified_by -> users.id
    index verified_by
    is_verified bool
    verified_at datetime
    description text
    created_at datetime
    updated_at datetime
"""


def test_makes_empty_tables_of_the_legacy_shape(history):
    history.before(MIGRATION)
    legacy.reservation(history, 1)
    others = history.dump()
    history.go(*MIGRATION)
    assert history.dump() == {**others, "payments": [], "payment_attachments": []}
    assert legacy.shape(history, "payments") == legacy.lines(PAYMENTS)
    assert legacy.shape(history, "payment_attachments") == legacy.lines(ATTACHMENTS)


def test_payments_come_back_with_their_keys_after_the_tables_were_dropped(history):
    history.at(MIGRATION)
    legacy.payment(history, 8, amount="9999999999.99", notes="日本 'x' %s\n", is_refund=None)
    legacy.payment(history, 3, amount="-0.10", notes="", is_voided=True, transaction_id="007")
    legacy.payment(history, 5, amount="0.30", created_by=1, has_proof=False)
    proof = {"file_name": "p", "file_type": "receipt", "file_path": "p", "storage_location": "s3"}
    history.insert("payment_attachments", id=4, payment_id=8, **proof, verified_by=1)
    rows = history.dump()
    assert [row["amount"] for row in rows["payments"]] == ["-0.1", "0.3", "9999999999.99"]
    assert [row["is_refund"] for row in rows["payments"]] == ["0", "0", None]

    history.go("payments", "zero")
    assert not {"payments", "payment_attachments"} & set(history.tables())
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert history.dump() == rows
    assert legacy.shape(history, "payments") == legacy.lines(PAYMENTS)

    new = {"reservation_id": 1, "payment_date": "2025-11-09", "amount": "1", "notes": "new"}
    history.insert("payments", payment_method="cash", **new)
    assert legacy.column(history, "payments", "notes")[9] == "new"


def test_a_payment_of_a_reservation_that_was_deleted_meanwhile_stays_in_the_archive(history):
    history.at(MIGRATION)
    legacy.payment(history, 1)
    legacy.reservation(history, 2)
    legacy.payment(history, 2, reservation_id=2)
    history.go("payments", "zero")
    history.execute("DELETE FROM reservations WHERE id = 2")
    history.go(*MIGRATION)
    assert legacy.column(history, "payments", "reservation_id") == {1: 1}
    assert legacy.archive(history, "table_name", "row_key") == [("payments", "2")]
