"""``db revision --template``: files to be filled in, and what they do then."""

import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from hotel.migrator.tests.authoring.written import (
    FILL_IN,
    MODELS,
    REQUIRED,
    complaints,
    fill_in,
    up_and_down_and_up,
)
from hotel.migrator.tests.graphs import refusal
from hotel.migrator.tests.projects import column

pytestmark = pytest.mark.once


def test_data_template_is_refused_until_it_is_written_and_then_goes_up_and_down(
    rooms, revise, project, history
):
    [path] = revise("Backfill floors")
    assert path == rooms.path("0002_backfill_floors")
    assert revise.said == (
        f"Migrations for 'annexe':\n  annexe/migrations/0002_backfill_floors.py\n{FILL_IN}"
    )
    assert path.read_text() == (
        '"""Backfill floors.\n'
        "\n"
        "Rule: ...\n"
        "Inverse: ...\n"
        '"""\n'
        "\n"
        "from django.db import migrations\n"
        "\n"
        "from hotel.migrator.operations import BatchedRunPython, Unfinished\n"
        "\n"
        "\n"
        "def forward(apps, value):\n"
        '    """Return the expression that each row gets; ``value`` is what stands in the column.'
        '"""\n'
        "    return value\n"
        "\n"
        "\n"
        "def backward(apps, value):\n"
        '    """Return the expression that each row gets on the way down."""\n'
        "    return value\n"
        "\n"
        "\n"
        "class Migration(migrations.Migration):\n"
        "    atomic = False  # each batch commits on its own\n"
        "\n"
        '    dependencies = [("annexe", "0001_initial")]\n'
        "\n"
        "    operations = [\n"
        '        Unfinished("model, column, rule and inverse"),\n'
        "        # forward and backward return expressions of django.db.models: Case, Coalesce, F,"
        " Value, ...\n"
        '        # A new column that is computed from another: source="other", and'
        " BatchedRunPython.clear in\n"
        "        # place of backward. A rule whose inverse changes nothing:"
        " BatchedRunPython.keep.\n"
        '        BatchedRunPython(forward, backward, "model", "column"),\n'
        "    ]\n"
    )
    before = project.facts()
    project.makemigrations(check=True)
    assert complaints(rooms, path.stem) == [
        "it is still to be filled in: model, column, rule and inverse",
    ]
    for options in ({}, {"fake": True}):
        assert refusal(project.migrate, **options) == (
            "annexe.0002_backfill_floors (model, column, rule and inverse) is not written yet:"
            " write it, delete the line that says Unfinished, and run the same command again."
            " Nothing was changed.",
            3,
        )
    assert project.facts() == before
    fill_in(
        rooms,
        path.stem,
        ('"model", "column"', '"room", "floor"'),
        ("    return value\n", "    return Coalesce(value, 9)\n"),
        (
            "import migrations\n",
            "import migrations\nfrom django.db.models.functions import Coalesce\n",
        ),
    )
    assert complaints(rooms, path.stem) == []
    rooms.migrate()
    assert column(history, "floor") == [1, 2, 9]
    rooms.migrate("0001_initial")
    up_and_down_and_up(rooms)


def test_unwritten_migration_is_refused_before_what_comes_before_it_runs(rooms, revise, project):
    rooms.write("0002_add_high", 'operations.AddField("room", "x", models.TextField(null=True))')
    revise("Backfill x", app="annexe")
    revise("Convert x", template="sql", empty=True)
    before = project.facts()
    text, code = refusal(project.migrate)
    assert (text, code) == (
        "annexe.0003_backfill_x (model, column, rule and inverse), annexe.0004_convert_x (the"
        " statements of both ways) are not written yet: write each, delete the line that says"
        " Unfinished, and run the same command again. Nothing was changed.",
        3,
    )
    assert project.facts() == before
    rooms.migrate("0002_add_high")
    printed = io.StringIO()
    call_command("sqlmigrate", "annexe", "0003", stdout=printed)
    assert "-- Still to be written: model, column, rule and inverse\n" in printed.getvalue()
    executor = MigrationExecutor(connection)  # asks no preflight
    text, code = refusal(executor.migrate, [("annexe", "0003_backfill_x")])
    assert (text[:32], code) == ("annexe.0003_backfill_x (model, c", 3)


def test_sql_template_goes_up_and_down_once_it_is_written(rooms, revise, history):
    [path] = revise("Convert room numbers\nSee the plan.", template="sql", empty=True)
    assert path.read_text() == (
        '"""Convert room numbers.\n'
        "\n"
        "See the plan.\n"
        "\n"
        "Rule: ...\n"
        "Inverse: ...\n"
        '"""\n'
        "\n"
        "from django.db import migrations\n"
        "\n"
        "from hotel.migrator.operations import Unfinished\n"
        "\n"
        "\n"
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("annexe", "0001_initial")]\n'
        "\n"
        "    operations = [\n"
        '        Unfinished("the statements of both ways"),\n'
        "        # In words that SQLite and PostgreSQL both understand. For a change of the schema"
        " also\n"
        "        # state_operations=[...], or makemigrations will want to make it again.\n"
        "        migrations.RunSQL(\n"
        '            sql="""\n'
        "                -- UPDATE rooms SET floor = 1 WHERE floor IS NULL\n"
        '            """,\n'
        '            reverse_sql="""\n'
        "                -- UPDATE rooms SET floor = NULL WHERE floor = 1\n"
        '            """,\n'
        "        ),\n"
        "    ]\n"
    )
    fill_in(
        rooms,
        path.stem,
        ("from hotel.migrator.operations import Unfinished\n\n", ""),
        ("-- UPDATE rooms SET floor = 1 W", "UPDATE annexe_room SET floor = 7 W"),
        (
            "-- UPDATE rooms SET floor = NULL WHERE floor = 1",
            "UPDATE annexe_room SET floor = NULL WHERE floor = 7",
        ),
    )
    assert complaints(rooms, path.stem) == []
    rooms.migrate()
    assert column(history, "floor") == [1, 2, 7]
    rooms.migrate("0001_initial")
    up_and_down_and_up(rooms)


def test_three_steps_of_a_required_column_of_the_models_lack_only_the_rule(rooms, revise, history):
    rooms.models(MODELS + REQUIRED)
    paths = revise("Add view", template="three-step", empty=True)
    names = ["0002_add_view", "0003_backfill_view", "0004_require_view"]
    assert paths == [rooms.path(name) for name in names]
    assert paths[0].read_text() == (
        '"""Add view.\n'
        "\n"
        "Step 1 of 3 of a column that every row has: it comes empty.\n"
        "0003_backfill_view fills it, 0004_require_view requires it.\n"
        '"""\n'
        "\n"
        "from django.db import migrations, models\n"
        "\n"
        "from hotel.migrator.operations import AddField\n"
        "\n"
        "\n"
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("annexe", "0001_initial")]\n'
        "\n"
        "    operations = [\n"
        "        AddField(\n"
        '            model_name="room",\n'
        '            name="view",\n'
        "            field=models.CharField(max_length=20, null=True),\n"
        "        ),\n"
        "    ]\n"
    )
    assert paths[2].read_text() == (
        '"""Require view.\n'
        "\n"
        "Step 3 of 3 of a column that every row has: it is required.\n"
        "Rows written since are filled by the same rule.\n"
        '"""\n'
        "\n"
        "from django.db import migrations, models\n"
        "\n"
        "from hotel.migrator.operations import RequireField\n"
        "\n"
        "\n"
        "class Migration(migrations.Migration):\n"
        "    atomic = False  # RequireField takes its steps in transactions of its own\n"
        "\n"
        '    dependencies = [("annexe", "0003_backfill_view")]\n'
        "\n"
        "    operations = [\n"
        "        RequireField(\n"
        '            model_name="room",\n'
        '            name="view",\n'
        "            field=models.CharField(max_length=20),\n"
        '            backfill="0003_backfill_view",\n'
        "        ),\n"
        "    ]\n"
    )
    assert complaints(rooms, names[0]) == complaints(rooms, names[2]) == []
    rooms.project.makemigrations(check=True)
    assert refusal(rooms.migrate)[0].startswith("annexe.0003_backfill_view (rule and inverse) is")
    fill_in(
        rooms,
        names[1],
        ("    return value\n", '    return Value("sea")\n'),
        ("import migrations\n", "import migrations\nfrom django.db.models import Value\n"),
    )
    assert complaints(rooms, names[1]) == []
    rooms.migrate()
    assert column(history, "view") == ["sea", "sea", "sea"]
    rooms.migrate("0001_initial")
    up_and_down_and_up(rooms)


def test_column_that_is_there_already_is_filled_and_required_in_two_steps(rooms, revise, history):
    rooms.models(MODELS.replace("null=True", ""))
    paths = revise("Require floor", template="three-step")
    names = ["0002_backfill_floor", "0003_require_floor"]
    assert paths == [rooms.path(name) for name in names]
    assert "Step 1 of 2" in paths[0].read_text()
    fill_in(
        rooms,
        names[0],
        ("    return value\n", "    return Coalesce(value, 0)\n"),
        (
            "import migrations\n",
            "import migrations\nfrom django.db.models.functions import Coalesce\n",
        ),
    )
    assert complaints(rooms, names[0]) == complaints(rooms, names[1]) == []
    rooms.migrate()
    assert column(history, "floor") == [1, 2, 0]
    rooms.migrate("0001_initial")
    up_and_down_and_up(rooms)


def test_of_several_required_columns_the_message_names_one(rooms, revise, project):
    rooms.models(MODELS + REQUIRED + REQUIRED.replace("view", "wing"))
    before = project.contents()
    assert refusal(revise, "Add features", template="three-step") == (
        "The models of annexe have 2 required columns without a migration, room.view, room.wing,"
        ' and three steps are for one: name it in the message, as in -m "Add view".',
        2,
    )
    assert project.contents() == before
    assert revise("Add wing", template="three-step")[0] == rooms.path("0002_add_wing")
    assert 'name="wing"' in rooms.path("0002_add_wing").read_text()


def test_foreign_key_in_three_steps_depends_on_what_it_points_to(project, rooms, revise):
    stables = project.app("stables")
    stables.models("class Horse(models.Model):\n    pass\n").make()
    stables.models("""
        class Horse(models.Model):
            room = models.ForeignKey("annexe.Room", models.CASCADE)
    """)
    paths = revise("Add room", app="stables", template="three-step")
    assert (
        '    dependencies = [\n        ("stables", "0001_initial"),\n        ("annexe",'
        ' "0001_initial"),\n    ]\n'
    ) in paths[0].read_text()
    fill_in(stables, "0003_backfill_room", ("return value\n", "return value\n"))
    project.migrate()
    project.makemigrations(check=True)
    stables.migrate("zero")


def test_three_steps_without_a_column_in_the_models_are_comments_to_fill_in(
    rooms, revise, project, history
):
    paths = revise("Add view", template="three-step")
    names = ["0002_add_view", "0003_backfill_view", "0004_require_view"]
    assert paths == [rooms.path(name) for name in names]
    assert paths[0].read_text().partition("class ")[2] == (
        "Migration(migrations.Migration):\n"
        '    dependencies = [("annexe", "0001_initial")]\n'
        "\n"
        "    operations = [\n"
        '        operations.Unfinished("model and column, in the lines below"),\n'
        "        # With models imported from django.db:\n"
        "        # operations.AddField(\n"
        '        #     model_name="model",\n'
        '        #     name="column",\n'
        "        #     field=models.CharField(max_length=20, null=True),\n"
        "        # ),\n"
        "    ]\n"
    )
    project.makemigrations(check=True)
    before = project.facts()
    assert refusal(rooms.migrate)[1] == 3
    assert project.facts() == before
    rooms.models(MODELS + REQUIRED)
    live = [
        ("        # With models imported from django.db:\n", ""),
        ("        # ", "        "),
        ('"model"', '"room"'),
        ('"column"', '"view"'),
        ("import migrations\n", "import migrations, models\n"),
    ]
    fill_in(rooms, names[0], *live)
    fill_in(rooms, names[2], *live)
    fill_in(
        rooms,
        names[1],
        ('"model"', '"room"'),
        ('"column"', '"view"'),
        ("    return value\n", '    return Value("sea")\n'),
        ("import migrations\n", "import migrations\nfrom django.db.models import Value\n"),
    )
    assert [complaints(rooms, name) for name in names] == [[], [], []]
    rooms.migrate()
    assert column(history, "view") == ["sea", "sea", "sea"]
    rooms.migrate("0001_initial")
    up_and_down_and_up(rooms)


@pytest.mark.parametrize("template, of", [("data", 0), ("three-step", 1)])
def test_a_rule_gets_a_test_that_is_to_be_filled_in(rooms, revise, template, of):
    (rooms.folder / "tests" / "migrations").mkdir(parents=True)
    message = {"data": "Backfill floor", "three-step": "Add wing"}[template]
    if template == "three-step":
        rooms.models(f"{MODELS}    wing = models.CharField(max_length=9)\n")
    *paths, test = revise(message, app="annexe", template=template)
    name = paths[of].stem
    assert test == rooms.folder / "tests" / "migrations" / f"test_{name}.py"
    assert test.read_text().startswith(f'"""Backfill {message.split()[1]}."""\n\nimport pytest\n')
    assert f'MIGRATION = ("annexe", "{name}")' in test.read_text()
    place = {"data": '"annexe.model", "column"', "three-step": '"annexe.room", "wing"'}[template]
    assert f"MODEL, COLUMN = {place}" in test.read_text()
    said = revise.said.splitlines()[-1]
    assert said.startswith("Its test fails until it has cases: ")
    assert said.endswith(f"tests/migrations/test_{name}.py")


def test_what_has_no_rule_or_no_tests_beside_it_gets_none(rooms, revise):
    [path] = revise("Backfill floor", app="annexe")
    assert path.parent == rooms.migrations
    (rooms.folder / "tests" / "migrations").mkdir(parents=True)
    [path] = revise("Backfill numbers", app="annexe", template="sql")
    assert path.parent == rooms.migrations
