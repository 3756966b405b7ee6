"""A generated column over a column that is renamed, and one that gets another expression."""

import pytest
from django.db import connection

from hotel.migrator.tests.looking import looked

GENERATED = """models.GeneratedField(
    expression={}, output_field=models.IntegerField(), db_persist=True)"""
TABLE = f"""
operations.CreateModel("Plot", [
    ("id", models.AutoField(primary_key=True)),
    ("w", models.IntegerField()),
    ("h", models.IntegerField()),
    ("area", {GENERATED.format('F("w") * F("h")')}),
    ("edge", {GENERATED.format('(F("w") + F("h")) * 2')}),
])
"""


@pytest.fixture
def plots(annexe, history):
    """An app with the table ``annexe_plot``, two rows, and two generated columns."""
    annexe.write("0001_initial", TABLE).migrate()
    history.insert("annexe_plot", w=2, h=3)
    history.insert("annexe_plot", w=4, h=5)
    return annexe


def rows(history, *columns):
    return [tuple(row) for row in history.execute(f"SELECT {', '.join(columns)} FROM annexe_plot")]


def alter(name, expression):
    return f'migrations.AlterField("plot", "{name}", {GENERATED.format(expression)}),\n'


RENAME = 'migrations.RenameField("plot", "w", "width"),\n'


def test_what_it_reads_gets_another_name_as_makemigrations_writes_it(plots, history):
    plots.write(
        "0002_rename",
        RENAME + alter("area", 'F("width") * F("h")') + alter("edge", '(F("width") + F("h")) * 2'),
    )
    for _ in range(2):
        plots.migrate()
        assert rows(history, "width", "area", "edge") == [(2, 6, 10), (4, 20, 18)]
        plots.migrate("0001")
        assert rows(history, "w", "area", "edge") == [(2, 6, 10), (4, 20, 18)]


def test_a_new_name_costs_no_rewriting(plots, django_assert_num_queries):
    plots.write("0002_rename", RENAME + alter("area", 'F("width") * F("h")'))
    written = []

    def listen(execute, sql, params, many, context):
        written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        plots.migrate()
    assert [sql for sql in written if "annexe_plot" in sql and sql.startswith("ALTER")] == [
        'ALTER TABLE "annexe_plot" RENAME COLUMN "w" TO "width"'
    ]


def test_it_gets_a_name_and_an_expression_that_are_others(plots, history):
    plots.write("0002_rename", RENAME + alter("area", 'F("width") * F("h") * 10'))
    plots.migrate()
    assert rows(history, "area", "edge") == [(60, 10), (200, 18)]
    plots.migrate("0001")
    assert rows(history, "area", "edge") == [(6, 10), (20, 18)]


def test_it_is_computed_anew_and_keeps_its_index(plots, history):
    plots.write(
        "0002_index",
        'migrations.AddIndex("plot", models.Index(fields=["area", "h"], name="by_area"))',
    ).migrate()
    plots.write("0003_change", alter("area", 'F("h") - F("w")')).migrate()
    assert rows(history, "area") == [(1,), (1,)]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "annexe_plot")["by_area"]
    assert found["columns"] == ["area", "h"]
    plots.migrate("0001")
    assert rows(history, "area") == [(6,), (20,)]


def test_a_column_that_it_reads_is_not_dropped(plots, history):
    plots.write("0002_drop", 'operations.RemoveField("plot", "w")')
    found = [one for one in looked() if one.refuses]
    assert found
    assert "area" in " ".join(one.cause for one in found)
    with pytest.raises(Exception, match="area"):
        plots.migrate()
    assert rows(history, "area", "edge") == [(6, 10), (20, 18)]
