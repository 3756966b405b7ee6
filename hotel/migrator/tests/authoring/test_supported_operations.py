"""The guide's list of supported operations: each is detected, applied with rows, and reversed.

The models of a throw-away app are edited, ``makemigrations`` and ``migrate`` do the rest.
"""

import json
import re

import pytest
from django.db import DataError, IntegrityError, connection

from hotel.migrator.tests.authoring.changes import GUESTS, MODELS, ROOMS, SCHEMA, STATE_ONLY
from hotel.tests import stress


def rows_go_in(history):
    for table, rows in (("annexe_room", ROOMS), ("annexe_guest", GUESTS)):
        for row in rows:
            history.insert(table, **row)
    if "annexe_invoice" in history.tables():
        history.insert("annexe_invoice", id=7, guest_id=2, total="1199.88")
    if "annexe_guest_wishes" in history.tables():
        history.insert("annexe_guest_wishes", id=5, guest_id=1, room_id=1)
    if ("column", "annexe_guest", "phone") in history.catalog():
        history.execute("UPDATE annexe_guest SET phone = '0812' WHERE id = 1")


def detected_in(output):
    return [line.strip() for line in output.splitlines() if line.startswith("    ")]


def named_as_before(facts):
    """Undo the two names that PostgreSQL and Django choose otherwise at CREATE TABLE than later."""
    text = repr(facts)
    text = text.replace("annexe_guest_name_80846204_uniq", "annexe_guest_name_key")
    return text.replace("_55381405_fk'", "_55381405_fk_annexe_room_id'")


def is_up_to_date(project):
    try:
        project.makemigrations("annexe", check=True)
    except SystemExit as stop:
        assert stop.code in (1, 3)  # 3: only a developer can tell what the change means
        return False
    return True


@pytest.fixture
def before(annexe, project, history):
    """Return a function that makes the tables of ``models``, with rows."""

    def make(models):
        annexe.models(models).make()
        annexe.migrate()
        rows_go_in(history)
        return project.facts()

    return make


@stress.whole
@pytest.mark.parametrize(
    "old, new, answers, detected",
    # make stress has them all; the suite every other one, SQLite and PostgreSQL different ones.
    SCHEMA if stress.IS_WHOLE else SCHEMA[connection.vendor == "sqlite" :: 2],
)
def test_schema_change_is_detected_and_goes_up_and_down_and_up(
    annexe, project, before, old, new, answers, detected
):
    rows, shape = before(old)
    annexe.models(new)
    assert not is_up_to_date(project)
    assert detected_in(annexe.make(*answers)) == detected
    assert is_up_to_date(project)

    annexe.migrate()
    at_head = project.facts()
    if connection.vendor == "postgresql":  # SQLite knows no precision and no big integer
        assert at_head[1] != shape
    annexe.migrate("0001_initial")
    assert named_as_before(project.facts()) == repr((rows, shape))
    annexe.migrate()
    assert project.facts() == at_head


@pytest.mark.parametrize("old, new, answers, detected", STATE_ONLY)
def test_change_of_the_state_alone_is_detected_and_leaves_the_database_as_it_is(
    annexe, project, before, old, new, answers, detected
):
    facts = before(old)
    annexe.models(new)
    assert not is_up_to_date(project)
    assert detected_in(annexe.make(*answers)) == detected
    assert is_up_to_date(project)
    annexe.migrate()
    assert project.facts() == facts
    annexe.migrate("0001_initial")
    assert project.facts() == facts


# Types, with what stands in the rows


def column(history, name, table="annexe_guest"):
    return [value for (value,) in history.execute(f"SELECT {name} FROM {table} ORDER BY id")]


@pytest.mark.parametrize(
    "old, new, given, stored",
    [
        ("CharField(max_length=10)", "IntegerField()", ["3", "12"], [3, 12]),
        ("IntegerField()", "CharField(max_length=10)", [3, 12], ["3", "12"]),
        ("IntegerField()", "BigIntegerField()", [-5, 2**31 - 1], [-5, 2**31 - 1]),
        ("CharField(max_length=10)", "TextField()", ["", " a "], ["", " a "]),
        ("TextField()", "CharField(max_length=10)", ["", "ten chars."], ["", "ten chars."]),
        ("CharField(max_length=5)", "CharField(max_length=50)", ["five!", "é"], ["five!", "é"]),
        ("BooleanField()", "IntegerField()", [True, False], [1, 0]),
    ],
)
def test_type_changes_and_every_value_stays(annexe, history, old, new, given, stored):
    field = "class Guest(models.Model):\n    nights = models.{}\n"
    annexe.models(field.format(old)).make()
    annexe.migrate()
    for value in given:
        history.insert("annexe_guest", nights=value)
    annexe.models(field.format(new)).make()
    annexe.migrate()
    assert column(history, "nights") == stored
    annexe.migrate("0001_initial")
    assert column(history, "nights") == given


def test_money_of_another_precision_keeps_its_amounts(annexe, history):
    field = "class Guest(models.Model):\n    rate = models.DecimalField({})\n"
    annexe.models(field.format("max_digits=8, decimal_places=2")).make()
    annexe.migrate()
    for amount in ("0.10", "999999.99", "-0.01"):
        history.insert("annexe_guest", rate=amount)
    dump = history.dump()
    annexe.models(field.format("max_digits=14, decimal_places=4")).make()
    annexe.migrate()
    history.insert("annexe_guest", rate="1234567890.1234")
    *first, last = history.dump()["annexe_guest"]
    assert first == dump["annexe_guest"]
    assert last["rate"] == "1234567890.1234"
    history.execute("DELETE FROM annexe_guest WHERE rate > 1000000")
    annexe.migrate("0001_initial")
    assert history.dump() == dump


def test_text_that_is_no_number_stops_postgresql_and_passes_sqlite(annexe, project, before):
    before(MODELS)
    project.history.execute("UPDATE annexe_guest SET nights = 'two' WHERE id = 1")
    facts = project.facts()
    annexe.models(
        MODELS.replace("nights = models.CharField(max_length=10)", "nights = models.IntegerField()")
    )
    annexe.make()
    if connection.vendor == "postgresql":
        with pytest.raises(DataError, match='invalid input syntax for type integer: "two"'):
            annexe.migrate()
        assert project.facts() == facts
    else:
        annexe.migrate()
        assert column(project.history, "nights") == ["two", 12]
        annexe.migrate("0001_initial")
        assert project.facts() == facts


def test_text_that_is_too_long_stops_postgresql_and_passes_sqlite(annexe, project, before):
    facts = before(MODELS)
    annexe.models(
        MODELS.replace(
            "name = models.CharField(max_length=50)", "name = models.CharField(max_length=3)"
        )
    )
    annexe.make()
    if connection.vendor == "postgresql":
        with pytest.raises(DataError, match=r"value too long for type character varying\(3\)"):
            annexe.migrate()
    else:
        annexe.migrate()
        assert column(project.history, "name") == ["Ayu", "Budi"]
        annexe.migrate("0001_initial")
    assert project.facts() == facts


@pytest.mark.parametrize(
    "old, new, given, cut",
    [
        ("TextField()", "CharField(max_length=3)", ["Ayu", "Budi"], ["Ayu", "Bud"]),
        ("CharField(max_length=9)", "IntegerField()", ["007", " 7"], [7, 7]),
    ],
)
def test_narrower_type_may_lose_what_alter_field_does_not_archive(
    annexe, history, old, new, given, cut
):
    """Text is cut, numbers lose their spelling: use BatchedRunPython and RemoveField for those."""
    field = "class Guest(models.Model):\n    name = models.{}\n"
    annexe.models(field.format(old)).make()
    annexe.migrate()
    for value in given:
        history.insert("annexe_guest", name=value)
    annexe.models(field.format(new)).make()
    annexe.migrate()
    is_text_on_sqlite = connection.vendor == "sqlite" and "Char" in new
    assert column(history, "name") == (given if is_text_on_sqlite else cut)


# Renames are asked for


RENAMES = [
    pytest.param(
        "number",
        "label",
        "Was room.number renamed to room.label (a CharField)? [y/N] ",
        id="column",
    ),
    pytest.param(
        "Guest",
        "Visitor",
        "Was the model annexe.Guest renamed to Visitor? [y/N] ",
        id="table",
    ),
]


@pytest.mark.parametrize("old, new, question", RENAMES)
def test_rename_is_asked_for_and_keeps_every_row(annexe, project, before, old, new, question):
    rows, _ = before(MODELS)
    annexe.models(MODELS.replace(old, new))
    assert annexe.make("y").startswith(question)
    text = annexe.path(annexe.names()[-1]).read_text()
    assert re.findall(r"(?:migrations|operations)\.(\w+)\(", text) in (
        ["RenameField"],
        ["RenameModel"],
    )
    annexe.migrate()
    assert project.facts()[0] == json.loads(json.dumps(rows).replace(old.lower(), new.lower()))


def test_rename_that_is_denied_drops_and_adds_and_the_archive_has_the_values(
    annexe, project, before, history
):
    facts = before(MODELS)
    annexe.models(MODELS.replace("email = models", "address = models"))
    assert detected_in(annexe.make("n")) == [
        "- Remove field email from guest",
        "+ Add field address to guest",
    ]
    annexe.migrate()
    assert column(history, "address") == [None, None]
    owner = f"annexe.{annexe.names()[-1]}#0 forward"
    assert project.archive() == [(owner, "annexe_guest", "email", "2", "b@x.id", None)]
    annexe.migrate("0001_initial")
    assert project.facts() == facts
    assert project.archive() == []


def test_rename_without_anybody_to_ask_drops_and_adds_and_the_archive_has_the_values(
    annexe, project, before, history
):
    """That is Django's answer for CI: the new nullable column is empty, nothing is said."""
    facts = before(MODELS)
    annexe.models(MODELS.replace("email = models", "address = models"))
    assert detected_in(annexe.make()) == [
        "- Remove field email from guest",
        "+ Add field address to guest",
    ]
    annexe.migrate()
    history.execute("UPDATE annexe_guest SET address = 'new' WHERE id = 1")
    at_head = project.facts()
    annexe.migrate("0001_initial")
    assert project.facts() == facts
    annexe.migrate()
    assert project.facts() == at_head


def test_plain_drop_and_add_of_django_loses_the_values(annexe, project, before, history):
    """Django's own operations, which the guard on this project's migrations refuses."""
    before(MODELS)
    annexe.models(MODELS.replace("email = models", "address = models"))
    project.makemigrations("annexe")
    assert "operations." not in annexe.path(annexe.names()[-1]).read_text()
    annexe.migrate()
    annexe.migrate("0001_initial")
    assert column(history, "email") == [None, None]
    assert project.archive() == []


def test_rename_of_a_required_column_without_anybody_to_ask_is_refused(annexe, before):
    before(MODELS)
    annexe.models(MODELS.replace("name = models", "full_name = models"))
    with pytest.raises(SystemExit) as stop:
        annexe.make()
    assert stop.value.code == 3
    assert annexe.names() == ["0001_initial"]


# Required columns


def test_required_column_without_default_is_refused_when_there_is_nobody_to_ask(
    annexe, project, before
):
    before(MODELS)
    annexe.models(MODELS.replace("# columns", "phone = models.CharField(max_length=20)"))
    with pytest.raises(SystemExit) as stop:
        annexe.make()
    assert stop.value.code == 3
    assert project.output.getvalue() == (
        "Field 'phone' on model 'guest' not migrated: it is impossible to add a non-nullable field"
        " without specifying a default.\n"
    )


def test_one_off_default_goes_into_the_rows_and_not_into_the_schema(annexe, before, history):
    before(MODELS)
    annexe.models(MODELS.replace("# columns", "phone = models.CharField(max_length=20)"))
    annexe.make("1", "'unknown'")
    annexe.migrate()
    assert column(history, "phone") == ["unknown", "unknown"]
    with pytest.raises(IntegrityError, match=r"(?i)not.null"):
        history.insert("annexe_guest", id=3, name="C", nights="1", rate="1", room_id=1)


def test_null_in_a_row_stops_a_required_column_and_leaves_everything(annexe, project, before):
    facts = before(MODELS)
    annexe.models(
        MODELS.replace(
            "email = models.CharField(max_length=50, null=True)",
            "email = models.CharField(max_length=50)",
        )
    )
    annexe.make("2")  # "Ignore for now": the developer promises to have handled NULL
    with pytest.raises(IntegrityError, match=r"(?i)not.null|null values"):
        annexe.migrate()
    assert project.facts() == facts


def test_row_that_breaks_a_new_check_stops_it_and_leaves_everything(annexe, project, before):
    facts = before(MODELS)
    rule = "[models.CheckConstraint(condition=models.Q(rate__gte=100), name='rate_ok')]"
    annexe.models(MODELS.replace("constraints = []", f"constraints = {rule}"))
    annexe.make()
    with pytest.raises(IntegrityError, match="rate_ok"):
        annexe.migrate()
    assert project.facts() == facts


def test_rows_that_repeat_stop_a_unique_column_and_leave_everything(annexe, project, before):
    before(MODELS)
    project.history.execute("UPDATE annexe_guest SET name = 'Ayu'")
    facts = project.facts()
    annexe.models(
        MODELS.replace(
            "name = models.CharField(max_length=50)",
            "name = models.CharField(max_length=50, unique=True)",
        )
    )
    annexe.make()
    with pytest.raises(IntegrityError, match=r"UNIQUE constraint failed|could not create unique"):
        annexe.migrate()
    assert project.facts() == facts


def test_row_without_its_parent_stops_a_new_foreign_key_and_leaves_everything(
    annexe, project, before
):
    loose = MODELS.replace("models.CASCADE)", "models.CASCADE, db_constraint=False)")
    before(loose)
    project.history.execute("UPDATE annexe_guest SET room_id = 77 WHERE id = 1")
    facts = project.facts()
    annexe.models(MODELS).make()
    result = project.manage("migrate", "annexe")
    assert result.returncode == 5
    said = "failed.*: .*(violates|has an invalid) foreign key.* refer"
    assert re.search(said, result.stderr)
    assert project.facts() == facts


# What the guide calls manual


def test_empty_migration_takes_custom_sql_both_ways(annexe, project, before):
    rows, _ = before(MODELS)
    assert "0002_upper_names.py" in project.makemigrations("annexe", empty=True, name="upper_names")
    path = annexe.path("0002_upper_names")
    operation = """migrations.RunSQL(
            "UPDATE annexe_guest SET nights = nights || ' nights'",
            "UPDATE annexe_guest SET nights = replace(nights, ' nights', '')",
        ),"""
    path.write_text(path.read_text().replace("operations = [", f"operations = [{operation}"))
    project.reload()
    annexe.migrate()
    assert column(project.history, "nights") == ["3 nights", "12 nights"]
    annexe.migrate("0001_initial")
    assert project.facts()[0] == rows


def test_complex_transformation_goes_both_ways(annexe, project, before):
    """The guide's data migration: a new status by CASE, the old column dropped, and all back."""
    annexe.models(
        "class Stay(models.Model):\n    status = models.CharField(max_length=20, null=True)\n"
    )
    annexe.make()
    annexe.migrate()
    words = ["old_confirmed", "old_checked_in", "cancelled", None, ""]
    for word in words:
        project.history.insert("annexe_stay", status=word)
    facts = project.facts()
    annexe.write(
        "0002_add_new_status",
        """operations.AddField("stay", "new_status", models.CharField(max_length=20, null=True))""",
    )
    annexe.write(
        "0003_transform_status",
        """BatchedRunPython(new, BatchedRunPython.clear, "stay", "new_status", source="status")""",
        code="""
            WORDS = {"old_confirmed": "confirmed", "old_checked_in": "checked_in"}

            def new(apps, status):
                return expressions.translate(status, WORDS, otherwise="pending")
        """,
        atomic=False,
    )
    annexe.write(
        "0004_require_new_status",
        """
        operations.RequireField(
            "stay", "new_status", models.CharField(max_length=20), backfill="0003_transform_status"
        )
        """,
        atomic=False,
    )
    annexe.write("0005_drop_status", """operations.RemoveField("stay", "status")""")
    annexe.migrate()
    new = ["confirmed", "checked_in", "pending", "pending", "pending"]
    assert column(project.history, "new_status", "annexe_stay") == new
    annexe.migrate("0001_initial")
    assert project.facts() == facts
    assert column(project.history, "status", "annexe_stay") == words


# From the command line, end to end


def test_models_change_in_a_project_on_disk_and_the_commands_do_the_rest(annexe, project, before):
    facts = before(MODELS)
    annexe.models(MODELS.replace("# columns", "phone = models.CharField(max_length=20, null=True)"))
    check = project.manage("makemigrations", "--check", "--dry-run", "annexe")
    assert check.returncode == 1
    assert "+ Add field phone to guest" in check.stdout

    made = project.manage("makemigrations", "annexe", "-n", "add_phone")
    assert made.returncode == 0, made.stderr
    assert annexe.names() == ["0001_initial", "0002_add_phone"]
    assert project.manage("makemigrations", "--check", "annexe").stdout == (
        "No changes detected in app 'annexe'\n"
    )

    assert project.manage("migrate", "--check").returncode == 1
    up = project.manage("migrate", "annexe")
    assert "Applying annexe.0002_add_phone... OK" in up.stdout, up.stderr
    assert project.manage("migrate", "--check").returncode == 0
    assert column(project.history, "phone") == [None, None]

    down = project.manage("migrate", "annexe", "0001")
    assert "Unapplying annexe.0002_add_phone... OK" in down.stdout, down.stderr
    assert project.facts() == facts


@pytest.mark.parametrize(
    "typed, operations",
    [("y", ["RenameField"]), ("n", ["RemoveField", "AddField"])],
)
def test_rename_is_asked_for_at_the_terminal(annexe, project, before, typed, operations):
    before(MODELS)
    annexe.models(MODELS.replace("email = models", "address = models"))
    made = project.manage("makemigrations", "annexe", "-n", "rename_email", input=f"{typed}\n")
    assert made.returncode == 0, made.stderr
    assert "Was guest.email renamed to guest.address (a CharField)? [y/N]" in made.stdout
    text = annexe.path("0002_rename_email").read_text()
    assert re.findall(r"migrations\.(\w+)\(", text) == operations
