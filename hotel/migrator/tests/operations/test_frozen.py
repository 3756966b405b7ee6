"""Columns that never change stay so through every change of their table, and rows are kept."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from hotel.migrator.constraints import Frozen
from payments.models import Payment

BILL = """
operations.CreateModel(
    "Bill",
    [
        ("id", models.AutoField(primary_key=True)),
        ("amount", models.DecimalField(max_digits=12, decimal_places=2)),
        ("paid_back", models.IntegerField(null=True)),
        ("note", models.TextField(null=True)),
    ],
)
"""
KEPT = """
migrations.AddConstraint(
    "bill",
    Frozen(name="bill_frozen", fixed=["amount", "paid_back"], violation_error_message="Kept."),
)
"""
IMPORTS = "from hotel.migrator.constraints import Frozen\n"
REFUSED = (
    "UPDATE annexe_bill SET amount = 11 WHERE id = 1",
    "UPDATE annexe_bill SET amount = amount + 1, note = 'x'",
    "UPDATE annexe_bill SET paid_back = 0 WHERE id = 1",
    "UPDATE annexe_bill SET id = 9 WHERE id = 1",
    "DELETE FROM annexe_bill WHERE id = 1",
)
FREE = (
    "UPDATE annexe_bill SET note = 'late' WHERE id = 1",
    "UPDATE annexe_bill SET amount = 10, note = NULL WHERE id = 1",
)


@pytest.fixture
def bills(annexe, history):
    annexe.write("0001_initial", BILL)
    annexe.write("0002_restrict_bills", KEPT, code=IMPORTS)
    annexe.migrate("0001")
    history.insert("annexe_bill", id=1, amount=10)
    return annexe


def refuses(history, sql):
    """Return whether the database refuses a statement, and names the rule."""
    try:
        with transaction.atomic():
            history.execute(sql)
            transaction.set_rollback(True)
    except IntegrityError as error:
        assert "bill_frozen" in str(error)
        return True
    return False


def test_what_is_fixed_never_changes_and_the_rest_is_free(bills, history):
    shape = history.catalog()
    bills.migrate()
    history.insert("annexe_bill", id=2, amount=20)
    assert [sql for sql in REFUSED if not refuses(history, sql)] == []
    assert [sql for sql in FREE if refuses(history, sql)] == []
    if connection.vendor == "sqlite":
        assert refuses(history, "REPLACE INTO annexe_bill (id, amount) VALUES (1, 11)")
    bills.migrate("0001")
    assert history.catalog() == shape
    assert not any(refuses(history, sql) for sql in REFUSED)


@pytest.mark.postgresql
def test_the_message_names_the_column(bills, history):
    bills.migrate()
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        history.execute(REFUSED[0])
    assert "bill_frozen: amount of annexe_bill never changes" in str(error.value)
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        history.execute(REFUSED[-1])
    assert "bill_frozen: rows of annexe_bill are never deleted" in str(error.value)


@pytest.mark.parametrize(
    "operation",
    [
        'operations.AddField("bill", "extra", models.IntegerField(default=7))',
        'migrations.AlterField("bill", "amount", models.DecimalField(max_digits=14,'
        " decimal_places=2))",
        'migrations.AddIndex("bill", models.Index(fields=["amount"], name="bill_amount_idx"))',
    ],
    ids=lambda text: text.split("(")[0].partition(".")[2],
)
def test_the_rule_outlives_changes_of_the_table(bills, history, operation):
    bills.write("0003_add_change", operation)
    bills.migrate()
    assert [sql for sql in REFUSED if not refuses(history, sql)] == []
    assert not refuses(history, FREE[0])


def test_the_rule_is_written_into_migrations_and_nothing_is_left_to_detect(annexe, project):
    annexe.models("""
        from hotel.migrator.constraints import Frozen

        class Bill(models.Model):
            amount = models.IntegerField()

            class Meta:
                constraints = [Frozen(name="bill_frozen", fixed=["amount"])]
    """)
    annexe.make(name="initial")
    annexe.migrate()
    assert "No changes detected" in annexe.make()


def test_a_form_is_told_before_the_database_is(db):
    rule = Frozen(name="once", fixed=["notes"], violation_error_message="Kept.")
    assert rule == rule.clone() != Frozen(name="once", fixed=["amount"])
    rule.validate(Payment, Payment(notes="new"))
    standing = Payment(pk=1, notes="else")
    standing._state.adding = False
    with pytest.raises(ValidationError, match="Kept"):
        rule.validate(Payment, standing)
