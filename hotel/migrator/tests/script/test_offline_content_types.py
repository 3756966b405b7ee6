"""A script renames the content types of renamed models, as ``migrate`` does."""

from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection

from hotel.migrator.running.explanations import explain
from hotel.migrator.tests import shells
from hotel.migrator.tests.script.printed import sql

FIRST = """
migrations.CreateModel("Room", [("id", models.AutoField(primary_key=True))]),
migrations.CreateModel("Tag", [("id", models.AutoField(primary_key=True))]),
"""


CONTENT_TYPES = ("contenttypes", "0002_remove_content_type_name")


def write(app, after):
    """Write migrations that rename the models of an app again and again."""
    app.project.others = ["django.contrib.contenttypes"]
    app.write("0001_initial", FIRST, after=after)
    app.write("0002_to_chamber", 'migrations.RenameModel("Room", "Chamber")')
    app.write(
        "0003_to_suite",
        """
        migrations.RenameModel("Chamber", "Suite"),
        migrations.RenameModel("Tag", "Label"),
        """,
    )
    return app


@pytest.fixture
def kinds(annexe):
    """An app that needs content types, as Django wants it of one that renames models."""
    return write(annexe, [CONTENT_TYPES])


def content_types(history):
    return history.execute(
        "SELECT id, model FROM django_content_type WHERE app_label = 'annexe' ORDER BY id"
    )


def both_ways(history, kinds, start, end, *, backwards, prepare=()):
    """Return the content types after a script, and after ``migrate``, from the same beginning."""
    found = []
    for by_script in (True, False):
        kinds.migrate("zero").migrate(start)
        history.execute("DELETE FROM django_content_type WHERE app_label = 'annexe'")
        for place, name in enumerate(prepare, 1001):
            history.insert("django_content_type", id=place, app_label="annexe", model=name)
        if by_script:
            verb = "downgrade" if backwards else "upgrade"
            assert shells.run(sql(verb, f"annexe.{start}:annexe.{end}")) == (0, "")
            found.append(content_types(history))
        # With what migrate adds, once there is nothing left for it to do.
        call_command("migrate", "annexe", end, verbosity=0)
        found.append(content_types(history))
    return found


@pytest.mark.parametrize(
    "prepare, after",
    [
        (["room", "tag"], [(1001, "suite"), (1002, "label")]),
        (["tag"], [(1001, "label")]),
        (["room", "tag", "label"], [(1001, "suite"), (1002, "tag"), (1003, "label")]),
        (["room", "chamber", "tag"], [(1001, "room"), (1002, "suite"), (1003, "label")]),
        ([], []),
    ],
)
def test_a_content_type_goes_by_the_new_name(kinds, history, prepare, after):
    script, then, online = both_ways(
        history, kinds, "0001_initial", "0003_to_suite", backwards=False, prepare=prepare
    )
    assert script == after
    assert {name for _, name in then} == {name for _, name in online}
    given = range(1001, 1001 + len(prepare))
    assert [row for row in then if row[0] in given] == [row for row in online if row[0] in given]


@pytest.mark.parametrize(
    "prepare, after",
    [
        (["suite", "label"], [(1001, "room"), (1002, "tag")]),
        (["suite", "chamber", "label"], [(1001, "suite"), (1002, "room"), (1003, "tag")]),
    ],
)
def test_and_by_the_old_one_on_the_way_back(kinds, history, prepare, after):
    script, then, online = both_ways(
        history, kinds, "0003_to_suite", "0001_initial", backwards=True, prepare=prepare
    )
    assert script == after
    given = range(1001, 1001 + len(prepare))
    assert [row for row in then if row[0] in given] == [row for row in online if row[0] in given]


def test_without_a_table_of_content_types_there_is_nothing_to_rename(annexe, history):
    write(annexe, [])
    assert shells.run(sql("upgrade", "base:annexe.0003")) == (0, "")
    assert "django_content_type" not in connection.introspection.table_names()
    assert shells.run(sql("downgrade", "annexe.0003:base")) == (0, "")


def test_where_content_types_are_not_installed_none_is_renamed(annexe, history):
    write(annexe, [])
    annexe.project.others = []
    annexe.project.reload()
    assert not renames(sql("upgrade", "base:annexe.0003"))


def test_a_database_that_has_no_content_types_by_the_router_keeps_none(kinds, settings):
    assert renames(sql("upgrade", "annexe.0001:annexe.0003"))
    router = SimpleNamespace(allow_migrate=lambda db, app, **hints: app != "contenttypes")
    settings.DATABASE_ROUTERS = [router]
    assert not renames(sql("upgrade", "annexe.0001:annexe.0003"))


def renames(script):
    return any("UPDATE django_content_type" in line for line in script)


def test_the_way_back_of_a_renamed_model_is_no_reason_to_warn(kinds, warnings):
    kinds.migrate("0003_to_suite")
    call_command("migrate", "annexe", "0001", verbosity=0)
    assert warnings() == []


def test_a_model_renamed_without_content_types_tells_what_it_depends_on(annexe):
    write(annexe, []).migrate("0003_to_suite")
    call_command("migrate", "contenttypes", verbosity=0)
    with pytest.raises(LookupError) as failed:
        call_command("migrate", "annexe", "0002", verbosity=0)
    assert str(explain(failed.value)) == (
        "annexe.0003_to_suite (Raw Python operation, rename_backward()) failed: LookupError: No"
        " installed app with label 'contenttypes'. It changed nothing. Add ('contenttypes',"
        " '0002_remove_content_type_name') to its dependencies, whose models Django needs to rename"
        " a content type, then run the same command again. --traceback shows where."
    )
