"""A table that is only added to stays so, through every change of it, until the rule goes."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

LINE = """
operations.CreateModel(
    "Line",
    [("id", models.AutoField(primary_key=True)), ("amount", models.IntegerField())],
)
"""
KEPT = """
migrations.AddConstraint(
    "line",
    AppendOnly(name="line_append_only", violation_error_message="Lines are only added."),
)
"""
IMPORTS = "from hotel.migrator.constraints import AppendOnly\n"


@pytest.fixture
def lines(annexe, history):
    annexe.write("0001_initial", LINE)
    annexe.write("0002_restrict_lines", KEPT, code=IMPORTS)
    annexe.migrate("0001")
    history.insert("annexe_line", id=1, amount=10)
    return annexe


def refuses(history, sql):
    """Return whether the database refuses a statement, and names the rule."""
    try:
        with transaction.atomic():
            history.execute(sql)
    except IntegrityError as error:
        assert "line_append_only" in str(error)
        return True
    return False


CHANGE = "UPDATE annexe_line SET amount = 11 WHERE id = 1"
REMOVE = "DELETE FROM annexe_line WHERE id = 1"


def test_rows_are_added_and_neither_changed_nor_deleted(lines, history):
    shape = history.catalog()
    lines.migrate()
    history.insert("annexe_line", id=2, amount=20)
    assert refuses(history, CHANGE)
    assert refuses(history, REMOVE)
    if connection.vendor == "sqlite":
        assert refuses(history, "REPLACE INTO annexe_line (id, amount) VALUES (1, 11)")
    assert history.execute("SELECT id, amount FROM annexe_line ORDER BY id") == [(1, 10), (2, 20)]
    lines.migrate("0001")
    assert history.catalog() == shape
    assert not refuses(history, CHANGE)
    assert not refuses(history, REMOVE)


@pytest.mark.parametrize(
    "operation",
    [
        'operations.AddField("line", "extra", models.IntegerField(default=7))',
        'migrations.AlterField("line", "amount", models.BigIntegerField())',
        'migrations.RenameField("line", "amount", "cents")',
        'migrations.AddIndex("line", models.Index(fields=["amount"], name="line_amount_idx"))',
    ],
    ids=lambda text: text.split("(")[0].partition(".")[2],
)
def test_the_rule_outlives_changes_of_the_table(lines, history, operation):
    lines.write("0003_add_change", operation)
    lines.migrate()
    column = "cents" if "cents" in operation else "amount"
    assert refuses(history, CHANGE.replace("amount", column))
    assert refuses(history, REMOVE)


def test_sqlmigrate_prints_it(lines, history, capsys):
    call_command("sqlmigrate", "annexe", "0002")
    script = capsys.readouterr().out
    assert 'ON "annexe_line"' in script
    if connection.vendor == "postgresql":
        history.execute(script)
        assert refuses(history, CHANGE)


def test_the_rule_is_written_into_migrations_and_nothing_is_left_to_detect(annexe, project):
    annexe.models("""
        from hotel.migrator.constraints import AppendOnly

        class Line(models.Model):
            amount = models.IntegerField()

            class Meta:
                constraints = [AppendOnly(name="line_append_only")]
    """)
    annexe.make(name="initial")
    annexe.migrate()
    assert "No changes detected" in annexe.make()
