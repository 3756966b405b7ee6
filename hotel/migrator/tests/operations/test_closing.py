"""What is closed stays so, with the rows that belong to it, through every change of the tables."""

import pytest
from django.db import IntegrityError, transaction

TABLES = """
operations.CreateModel(
    "Day",
    [
        ("id", models.AutoField(primary_key=True)),
        ("day", models.DateField(unique=True)),
        ("closed", models.DateTimeField(null=True)),
        ("why", models.TextField(null=True)),
    ],
),
operations.CreateModel(
    "Line",
    [
        ("id", models.AutoField(primary_key=True)),
        ("day", models.DateField()),
        ("amount", models.IntegerField()),
        ("notes", models.TextField(default="")),
    ],
)
"""
RULES = """
migrations.AddConstraint(
    "day", Closable(name="day_in_order", period="day", closed="closed", reason="why")
),
migrations.AddConstraint(
    "line",
    Sealed(
        name="line_of_closed_days",
        period="day",
        closed_by=("annexe_day", "day", "closed"),
        held=["day", "amount"],
    ),
)
"""
IMPORTS = "from hotel.migrator.constraints import Closable, Sealed\n"
FIRST, SECOND, OPEN = "2026-12-27", "2026-12-28", "2026-12-29"
NOW = "2026-12-29 09:00:00+00:00"


@pytest.fixture
def days(annexe, history):
    """Two closed days and an open one, with a line each."""
    annexe.write("0001_initial", TABLES)
    annexe.write("0002_restrict_days", RULES, code=IMPORTS)
    annexe.migrate("0001")
    for key, (day, closed) in enumerate([(FIRST, NOW), (SECOND, NOW), (OPEN, None)], start=1):
        history.insert("annexe_day", id=key, day=day, closed=closed)
        history.insert("annexe_line", id=key, day=day, amount=10, notes="")
    annexe.migrate()
    return annexe


def refused(history, sql):
    """Return the name of the rule by which the database refuses a statement, or None."""
    try:
        with transaction.atomic():
            history.execute(sql)
            transaction.set_rollback(True)
    except IntegrityError as error:
        [name] = [name for name in ("day_in_order", "line_of_closed_days") if name in str(error)]
        return name
    return None


OF_DAYS = {
    "UPDATE annexe_day SET why = 'x' WHERE id = 2": "day_in_order",
    "UPDATE annexe_day SET closed = '2026-12-29 08:00:00+00:00' WHERE id = 2": "day_in_order",
    "UPDATE annexe_day SET closed = NULL WHERE id = 2": "day_in_order",
    "UPDATE annexe_day SET closed = NULL, why = '' WHERE id = 2": "day_in_order",
    "UPDATE annexe_day SET closed = NULL, why = 'typo' WHERE id = 1": "day_in_order",
    "UPDATE annexe_day SET closed = NULL, why = 'typo', day = '2027-01-01' WHERE id = 2": (
        "day_in_order"
    ),
    "UPDATE annexe_day SET closed = NULL, why = 'typo' WHERE id = 2": None,
    "DELETE FROM annexe_day WHERE id = 2": "day_in_order",
    "DELETE FROM annexe_day WHERE id = 3": None,
    "UPDATE annexe_day SET why = 'x' WHERE id = 3": None,
    f"UPDATE annexe_day SET closed = '{NOW}' WHERE id = 3": None,
    f"UPDATE annexe_day SET closed = '{NOW}', day = '2026-12-01' WHERE id = 3": "day_in_order",
    f"INSERT INTO annexe_day (id, day, closed) VALUES (9, '2026-12-01', '{NOW}')": "day_in_order",
    "INSERT INTO annexe_day (id, day) VALUES (9, '2026-12-01')": None,
    f"INSERT INTO annexe_day (id, day, closed) VALUES (9, '2026-12-30', '{NOW}')": None,
}
OF_LINES = {
    f"INSERT INTO annexe_line (id, day, amount, notes) VALUES (9, '{SECOND}', 1, '')": (
        "line_of_closed_days"
    ),
    f"INSERT INTO annexe_line (id, day, amount, notes) VALUES (9, '{OPEN}', 1, '')": None,
    "UPDATE annexe_line SET amount = 11 WHERE id = 1": "line_of_closed_days",
    "UPDATE annexe_line SET amount = 10, notes = 'x' WHERE id = 1": None,
    f"UPDATE annexe_line SET day = '{OPEN}' WHERE id = 1": "line_of_closed_days",
    f"UPDATE annexe_line SET day = '{FIRST}' WHERE id = 3": "line_of_closed_days",
    "UPDATE annexe_line SET amount = 11 WHERE id = 3": None,
    "DELETE FROM annexe_line WHERE id = 2": "line_of_closed_days",
    "DELETE FROM annexe_line WHERE id = 3": None,
}


@pytest.mark.parametrize("sql", OF_DAYS | OF_LINES)
def test_what_is_closed_stays_as_it_is(days, history, sql):
    assert refused(history, sql) == (OF_DAYS | OF_LINES)[sql]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "sql",
    [
        f"REPLACE INTO annexe_day (id, day) VALUES (2, '{SECOND}')",
        f"REPLACE INTO annexe_day (day) VALUES ('{SECOND}')",
        f"REPLACE INTO annexe_line (id, day, amount, notes) VALUES (2, '{OPEN}', 1, '')",
    ],
)
def test_replace_deletes_no_closed_row(days, history, sql):
    assert refused(history, sql)


def test_the_way_back_takes_the_rules_away(days, history):
    shape = history.catalog()
    days.migrate("0001")
    assert refused(history, "DELETE FROM annexe_day WHERE id = 2") is None
    assert refused(history, "DELETE FROM annexe_line WHERE id = 2") is None
    days.migrate()
    assert history.catalog() == shape


@pytest.mark.parametrize(
    "operation",
    [
        'operations.AddField("day", "extra", models.IntegerField(null=True))',
        'operations.AddField("line", "extra", models.IntegerField(null=True))',
        'migrations.AlterField("line", "amount", models.BigIntegerField())',
        'migrations.AlterField("day", "why", models.CharField(max_length=99, null=True))',
    ],
)
def test_the_rules_outlive_changes_of_either_table(days, history, operation):
    days.write("0003_add_change", operation)
    days.migrate()
    assert history.execute("SELECT count(*) FROM annexe_line") == [(3,)]
    for sql, rule in (OF_DAYS | OF_LINES).items():
        assert refused(history, sql) == rule


def test_the_rules_are_written_into_migrations_and_nothing_is_left_to_detect(annexe, project):
    annexe.models("""
        from hotel.migrator.constraints import Closable, Sealed

        class Day(models.Model):
            day = models.DateField()
            closed = models.DateTimeField(null=True)
            why = models.TextField()

            class Meta:
                constraints = [
                    Closable(name="in_order", period="day", closed="closed", reason="why"),
                    Sealed(name="sealed", period="day", closed_by=("annexe_day", "day", "closed")),
                ]
    """)
    annexe.make(name="initial")
    annexe.migrate()
    assert "No changes detected" in annexe.make()
