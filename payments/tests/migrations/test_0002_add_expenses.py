"""What the hotel spends."""

from hotel.migrator.tests import legacy

MIGRATION = ("payments", "0002_add_expenses")
BEFORE = ("payments", "0001")

EXPENSES = """
    id integer NOT NULL KEY
    date datetime NOT NULL
    category varchar(50) NOT NULL
    amount decimal NOT NULL
    description text
    receipt_url varchar(500)
    created_at datetime
    updated_at datetime
"""


def test_makes_an_empty_table_beside_the_others(history):
    history.before(MIGRATION)
    legacy.payment(history, 1)
    rows = history.dump()
    history.go(*MIGRATION)
    assert legacy.shape(history, "expenses") == legacy.lines(EXPENSES)
    assert history.dump() == {**rows, "expenses": []}


def test_expenses_come_back_with_their_keys_after_the_table_was_dropped(history):
    history.at(MIGRATION)
    blank = {"description": None, "receipt_url": None, "created_at": None, "updated_at": None}
    soap = {"date": "2025-11-08 23:59:59.999999", "category": "Sabun ", "amount": "0.3"}
    power = {"date": "2025-11-08 00:00:00", "category": "", "amount": "9999999999.99"}
    power |= {"description": "listrik\n", "receipt_url": "", "created_at": "2025-11-08 07:00:00"}
    history.insert("expenses", id=5, **soap)
    history.insert("expenses", id=2, **power)
    expected = [{**blank, **power, "id": "2"}, {**blank, **soap, "id": "5"}]
    assert history.dump()["expenses"] == expected
    history.go(*BEFORE)
    assert "expenses" not in history.tables()
    for _ in range(2):  # the second run finds nothing to do
        history.go(*MIGRATION)
        assert history.dump()["expenses"] == expected
    history.insert("expenses", date="2025-11-09", category="new", amount="1")
    assert legacy.column(history, "expenses", "category")[6] == "new"


def test_an_empty_table_stays_empty(history):
    history.before(MIGRATION).go(*MIGRATION).go(*BEFORE).go(*MIGRATION)
    assert history.dump()["expenses"] == []
    assert legacy.archive(history, "row_key") == []
