"""What ``db doctor`` advises is done, word for word, and the database is healthy afterwards."""

import re
from dataclasses import dataclass, field
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, connections

from hotel.migrator.exceptions import MigratorError
from hotel.migrator.storage import tables
from hotel.migrator.storage.tables import Cursor
from hotel.migrator.tests.commands import db, doctor, table
from hotel.migrator.tests.following import follow

KEY = "id = models.AutoField(primary_key=True)"
MODELS = {
    "annexe": f"""
class Bed(models.Model):
    {KEY}

class Desk(models.Model):
    {KEY}
    height = models.IntegerField()

    class Meta:
        constraints = [models.CheckConstraint(name="high", condition=models.Q(height__gt=0))]
        indexes = [models.Index(fields=["height"], name="by_height")]

class Lamp(models.Model):
    {KEY}
""",
    "bar": f"""
class Glass(models.Model):
    {KEY}
    bed = models.ForeignKey("annexe.Bed", models.CASCADE)

class Bottle(models.Model):
    {KEY}
""",
}
ID = '("id", models.AutoField(primary_key=True, serialize=False))'
DESK = f"""
migrations.CreateModel(
    "Desk",
    [{ID}, ("height", models.IntegerField())],
    options={{"constraints": [models.CheckConstraint(
        name="high", condition=models.Q(height__gt=0))]}},
),
migrations.AddIndex("desk", models.Index(fields=["height"], name="by_height")),
"""
GLASS = f"""
migrations.CreateModel(
    "Glass", [{ID}, ("bed", models.ForeignKey("annexe.bed", models.CASCADE))]
)
"""


@pytest.fixture
def healthy(project, settings):
    """Two apps at head: ``bar`` refers to tables of ``annexe``."""
    settings.MIGRATION_SCOPE = ["annexe", "bar"]
    annexe, bar = project.app("annexe"), project.app("bar")
    annexe.write("0001_initial", table("Bed"))
    annexe.write("0002_add_desks", DESK)
    bar.write("0001_initial", GLASS, after=[("annexe", "0001_initial")])
    bar.write(
        "0002_add_bottles",
        table("Bottle"),
        after=[("bar", "0001_initial"), ("annexe", "0002_add_desks")],
    )
    annexe.write("0003_add_lamps", table("Lamp"))
    for app in (annexe, bar):
        app.models(MODELS[app.label])
    db("upgrade", verbosity=0)
    assert doctor() == (0, [])
    return project


@dataclass
class Sick:
    """A database that is not well. sql, verbs, files: what makes it so, in this order.

    kinds: what doctor finds first, in this order. mend: of the first, if a person has to do it.
    by_person: statements that a person would run then.
    """

    kinds: str
    sql: list = field(default_factory=list)
    verbs: list = field(default_factory=list)
    files: dict = field(default_factory=dict)
    mend: str = ""
    by_person: list = field(default_factory=list)


def forget(app, *names):
    return [
        f"DELETE FROM django_migrations WHERE app = '{app}' AND name LIKE '{name}%'"
        for name in names
    ]


def remember(app, name):
    return (
        f"INSERT INTO django_migrations (app, name, applied) VALUES ('{app}', '{name}',"
        " '2026-01-01 00:00:00+00:00')"
    )


OF_BOTH = {
    "a record of what never ran": Sick(
        "drift",
        verbs=[["db", "downgrade", "annexe.0002"], ["migrate", "--fake"]],
        mend=(
            "The database has nothing of annexe.0003_add_lamps: take the record back with manage.py"
            " db stamp annexe.0002_add_desks bar.0002_add_bottles, then apply with manage.py"
            " migrate."
        ),
    ),
    "a record that was lost": Sick(
        "drift behind",
        forget("annexe", "0003"),
        mend=(
            "That is what annexe.0003_add_lamps makes: record it with manage.py db stamp"
            " annexe.0003_add_lamps."
        ),
    ),
    "all records that were lost": Sick("unrecorded", ["DELETE FROM django_migrations"]),
    "records that others need": Sick(
        "dependency dependency dependency", forget("annexe", "0001", "0002")
    ),
    "the record of a table that models refer to": Sick(
        "dependency dependency",
        forget("annexe", "0001"),
        mend=(
            "The database has what it makes: record it with manage.py db stamp"
            " annexe.0003_add_lamps bar.0002_add_bottles."
        ),
    ),
    "records of which nothing is there": Sick(
        "dependency",
        ["DROP TABLE bar_bottle", "DROP TABLE bar_glass", *forget("bar", "0001")],
        mend=(
            "The database has nothing of either: take the record back with manage.py db stamp"
            " bar@base, then apply with manage.py migrate."
        ),
    ),
    "records of which something is there": Sick(
        "dependency",
        ["DROP TABLE bar_glass", *forget("bar", "0001")],
        mend=(
            "The database has only a part of what it makes, so a person has to look: The table"
            " bar_glass is missing, since bar.0001_initial. If nothing else is wrong, record it"
            " with manage.py db stamp bar.0002_add_bottles --force; then manage.py db drift prints"
            " what mends these."
        ),
    ),
    "a table that is gone": Sick("drift", ["DROP TABLE annexe_lamp"]),
    "a column that is too much": Sick("drift", ["ALTER TABLE annexe_bed ADD COLUMN width integer"]),
    "an index that is gone": Sick("drift", ["DROP INDEX by_height"]),
    "somebody else's table": Sick("", ["CREATE TABLE strangers (id integer)"]),
    "a file that is gone": Sick("ghost", [remember("annexe", "0009_gone")]),
    "an application that is gone": Sick("ghost", [remember("nowhere", "0001_initial")]),
    "a record that is there twice": Sick("doubled", [remember("annexe", "0001_initial")]),
    "two ends": Sick(
        "conflict behind unwritten",
        files={"annexe.0003_add_shelves": (table("Shelf"), "0002_add_desks")},
    ),
    "something to apply": Sick("behind", verbs=[["db", "downgrade", "-2"]]),
    "something to write down": Sick(
        "unwritten", files={"bar.models": "class Spoon(models.Model):"}
    ),
    "a migration that cannot run": Sick(
        "broken behind",
        files={"annexe.0004_drop": ('migrations.RunSQL("DROP TABLE nowhere")', "0003_add_lamps")},
        mend="Until then manage.py migrate stops there.",
    ),
}
NO_INDEX = [
    "CREATE UNIQUE INDEX by_number ON annexe_desk (height)",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_number'::regclass",
]
OF_POSTGRESQL = {
    "an index that is not finished": Sick(
        "invalid index",
        ["UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_height'::regclass"],
    ),
    "an index that rows do not allow": Sick(
        "invalid index",
        [
            *NO_INDEX,
            "SET enable_indexscan = on",
            "DROP INDEX by_number",
            "INSERT INTO annexe_desk (height) VALUES (1), (1)",
            "CREATE INDEX by_number ON annexe_desk (height)",
            "UPDATE pg_index SET indisvalid = false, indisunique = true"
            " WHERE indexrelid = 'by_number'::regclass",
        ],
        mend=(
            "It cannot be finished: rows of annexe_desk have the same height: change or merge them;"
            " then --fix finishes it."
        ),
        by_person=["UPDATE annexe_desk SET height = id", "DROP INDEX by_number"],
    ),
    "a sequence that lags behind": Sick("sequence", ["INSERT INTO annexe_bed (id) VALUES (7)"]),
    "a key without a sequence": Sick("drift", ["ALTER TABLE annexe_bed ALTER id DROP IDENTITY"]),
    "a rule that is not validated": Sick(
        "drift",
        [
            "ALTER TABLE annexe_desk DROP CONSTRAINT high",
            "ALTER TABLE annexe_desk ADD CONSTRAINT high CHECK (height > 0) NOT VALID",
        ],
    ),
}
CASES = OF_BOTH | (OF_POSTGRESQL if connection.vendor == "postgresql" else {})


def make_sick(project, history, sick):
    for words in sick.verbs:
        project.migrate(*words[1:], command=words[0])
    for statement in sick.sql:
        history.execute(statement)
    for name, what in sick.files.items():
        app = next(app for app in project.apps if app.label == name.partition(".")[0])
        if name.endswith(".models"):
            app.models(MODELS[app.label] + what + f"\n    {KEY}\n")
        else:
            app.write(name.partition(".")[2], what[0], after=[(app.label, what[1])])


@pytest.mark.parametrize("name", CASES)
def test_what_doctor_advises_is_done_and_all_is_well(healthy, history, name):
    sick = CASES[name]
    make_sick(healthy, history, sick)
    _, found = doctor()
    assert " ".join(row["kind"] for row in found) == sick.kinds
    if sick.mend:
        assert re.sub(r" in run \w+", "", found[0]["mend"]) == sick.mend
    if found and found[0]["kind"] == "broken":
        return
    for statement in sick.by_person:
        history.execute(statement)
    rounds = 0
    while found := doctor()[1]:
        follow(healthy, found)
        rounds += 1
        assert rounds < 5, found
    assert doctor() == (0, [])


def test_a_model_that_is_swapped_in_afterwards_is_recorded(project, settings):
    settings.MIGRATION_SCOPE, settings.GUEST = ["annexe", "bar", "inn"], "annexe.Guest"
    annexe, bar = project.app("annexe"), project.app("bar")
    meta = 'options={"swappable": "GUEST"}'
    annexe.write("0001_initial", f'migrations.CreateModel("Guest", [{ID}], {meta})')
    bar.write(
        "0001_initial",
        f"""migrations.CreateModel(
            "Glass", [{ID}, ("guest", models.ForeignKey(settings.GUEST, models.CASCADE))]
        )""",
        code="from django.conf import settings",
        after=[("annexe", "0001_initial")],
    )
    path = bar.path("0001_initial")
    swappable = "migrations.swappable_dependency(settings.GUEST)"
    path.write_text(path.read_text().replace("('annexe', '0001_initial')", swappable))
    annexe.models(f"class Guest(models.Model):\n    {KEY}\n    class Meta: swappable = 'GUEST'")
    bar.models(
        f"class Glass(models.Model):\n    {KEY}\n"
        f"    guest = models.ForeignKey({settings.GUEST!r}, models.CASCADE)"
    )
    db("upgrade", verbosity=0)
    assert doctor() == (0, [])
    inn, settings.GUEST = project.app("inn"), "inn.Guest"
    meta = 'options={"db_table": "annexe_guest"}'
    inn.write("0001_initial", f'migrations.CreateModel("Guest", [{ID}], {meta})')
    inn.models(f"class Guest(models.Model):\n    {KEY}\n    class Meta: db_table = 'annexe_guest'")
    bar.models((bar.folder / "models.py").read_text().replace("annexe.Guest", "inn.Guest"))
    [found] = doctor()[1]
    assert (found["kind"], found["mend"]) == (
        "dependency",
        "The database has what it makes: record it with manage.py db stamp bar.0001_initial.",
    )
    assert db("stamp", "bar.0001_initial") == "recorded: inn.0001_initial\n"
    assert doctor() == (0, [])


def test_cursors_that_were_left_are_deleted(healthy, history):
    with connection.schema_editor() as editor:
        tables.ensure(editor)
    counts = {"rows_read": 1, "rows_changed": 1, "rows_archived": 0}
    Cursor.objects.create(owner="annexe.0001_initial#0 forward", last_key="1", **counts)
    follow(healthy, doctor()[1])
    assert doctor() == (0, [])


def test_advice_about_another_database_names_it(healthy, tmp_path):
    given = {**connection.settings_dict, "ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    connections.databases["other"] = {**given, "NAME": str(tmp_path / "other.sqlite3")}
    other = connections["other"]
    try:
        call_command("migrate", database="other", verbosity=0)
        with other.cursor() as cursor:
            for statement in [*forget("annexe", "0001", "0003"), remember("annexe", "0009_gone")]:
                cursor.execute(statement)
        out, rounds = StringIO(), 0
        while found := doctor("--database", "other")[1]:
            for row in found:
                assert re.search(r"manage\.py (migrate|db stamp) --database other", row["mend"])
            follow(healthy, found)
            rounds += 1
            assert rounds < 4
        with pytest.raises(MigratorError, match=r"manage\.py db history --database other lists"):
            call_command("db", "stamp", "annexe.0009", database="other", stdout=out)
    finally:
        other.close()
        del connections["other"], connections.databases["other"]
    assert doctor() == (0, [])
