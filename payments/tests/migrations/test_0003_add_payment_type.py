"""An empty column for the payment type."""

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0003_add_payment_type")
BEFORE = ("payments", "0002")

COLUMN = {"payment_type varchar(20)"}


def test_payments_keep_everything_and_have_no_type_yet(history):
    history.before(MIGRATION)
    legacy.payment(history, 1, notes="deposit")
    legacy.payment(history, 2, amount="-0.30", is_refund=None)
    shape, rows = legacy.shape(history, "payments"), history.dump()["payments"]
    history.go(*MIGRATION)
    assert legacy.shape(history, "payments") - shape == COLUMN
    assert shape - legacy.shape(history, "payments") == set()
    assert history.dump()["payments"] == [{**row, "payment_type": None} for row in rows]


def test_types_come_back_after_the_column_was_dropped(history):
    history.at(MIGRATION)
    fullwidth = "\N{FULLWIDTH LATIN SMALL LETTER F}ull"
    words = ["full", None, "", "Full ", fullwidth, "deposit"]
    for key, word in enumerate(words, start=1):
        legacy.payment(history, key, payment_type=word)
    history.go(*BEFORE)
    assert not COLUMN & legacy.shape(history, "payments")
    assert legacy.archive(history, "column_name", "row_key", "original") == [
        ("payment_type", "1", "full"),
        ("payment_type", "3", ""),
        ("payment_type", "4", "Full "),
        ("payment_type", "5", fullwidth),
        ("payment_type", "6", "deposit"),
    ]
    history.execute("DELETE FROM payments WHERE id = 6")
    legacy.payment(history, 7)
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert legacy.column(history, "payments", "payment_type") == {
            1: "full",
            2: None,
            3: "",
            4: "Full ",
            5: fullwidth,
            7: None,
        }
    assert legacy.archive(history, "row_key") == []


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["payments"] == []
