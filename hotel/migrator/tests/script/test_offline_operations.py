"""What operations a migration may have, a script does as ``migrate`` does, up and down."""

from types import SimpleNamespace

import pytest
from django.db import connection

from hotel.migrator.tests import shells
from hotel.migrator.tests.facts import differences
from hotel.migrator.tests.script.printed import both, known, sql

# One migration after the other: its operations, and whether it is atomic.
ON_BOTH = {
    "0001_tables": """
        migrations.CreateModel(
            "Kind",
            [
                ("name", models.CharField(max_length=9, primary_key=True)),
                ("level", models.PositiveSmallIntegerField(unique=True)),
            ],
            options={"db_table_comment": "it's; 100 %% --"},
        ),
        migrations.CreateModel(
            "Thing",
            [
                ("id", models.AutoField(primary_key=True)),
                ("kind", models.ForeignKey("annexe.Kind", models.CASCADE)),
                ("code", models.SlugField(unique=True, db_comment="a 'code'")),
                ("price", models.DecimalField(max_digits=8, decimal_places=2, db_default=1)),
                ("made", models.DateTimeField(db_default=Now())),
                (
                    "twice",
                    models.GeneratedField(
                        expression=F("price") * 2,
                        output_field=models.DecimalField(max_digits=9, decimal_places=2),
                        db_persist=True,
                    ),
                ),
                ("data", models.JSONField(default=dict)),
                ("near", models.ManyToManyField("self")),
            ],
            options={"unique_together": {("kind", "price")}, "order_with_respect_to": "kind"},
        ),
        migrations.CreateModel("Proxy", [], options={"proxy": True}, bases=("annexe.Kind",)),
        migrations.CreateModel(
            "Child",
            [
                (
                    "kind_ptr",
                    models.OneToOneField(
                        "annexe.Kind", models.CASCADE, parent_link=True, primary_key=True
                    ),
                ),
                ("size", models.IntegerField(null=True)),
            ],
            bases=("annexe.kind",),
        ),
        migrations.CreateModel(
            "Unmanaged", [("id", models.AutoField(primary_key=True))], options={"managed": False}
        ),
        migrations.CreateModel(
            "Pair",
            [
                ("pk", models.CompositePrimaryKey("one", "two")),
                ("one", models.IntegerField()),
                ("two", models.IntegerField()),
                ("n", models.CharField(max_length=9)),
            ],
        ),
    """,
    "0002_rules": """
        migrations.AddConstraint(
            "Thing", models.CheckConstraint(name="dear", condition=models.Q(price__gt=0.5))
        ),
        migrations.AddConstraint(
            "Thing",
            models.UniqueConstraint(
                fields=["code"], name="late", deferrable=models.Deferrable.DEFERRED
            )
            if connection.vendor == "postgresql"
            else models.UniqueConstraint(Lower("code"), name="late"),
        ),
        migrations.AddConstraint(
            "Thing", models.UniqueConstraint("kind", Lower("code"), name="expressions")
        ),
        migrations.AddIndex("Thing", models.Index(fields=["-price", "code"], name="first_idx")),
        migrations.AlterUniqueTogether("Thing", {("code", "price")}),
    """,
    "0003_changes": """
        migrations.RenameIndex("Thing", old_name="first_idx", new_name="second_idx"),
        migrations.RenameField("Thing", "data", "details"),
        migrations.AlterField("Thing", "code", models.TextField(unique=True)),
        migrations.AlterField("Thing", "id", models.BigAutoField(primary_key=True)),
        migrations.AlterField(
            "Thing", "kind", models.OneToOneField("annexe.Kind", models.CASCADE, null=True)
        ),
        migrations.RenameModel("Thing", "Item"),
        migrations.AlterModelTable("Kind", "kinds"),
        migrations.AlterModelTableComment("Kind", "another"),
        migrations.AlterField("Kind", "name", models.CharField(max_length=20, primary_key=True)),
        migrations.AddField(
            "Pair", "many", models.CharField(max_length=5, db_index=True, default="x")
        ),
    """,
    "0004_sql": """
        migrations.RunSQL(
            [
                "CREATE TABLE annexe_aside (id integer PRIMARY KEY, n text DEFAULT '100 % %s')",
                ("INSERT INTO annexe_aside VALUES (%s, %s)", [1, "it's 100 %"]),
                ("INSERT INTO annexe_aside (id) VALUES (%s)", (2,)),
            ],
            "DROP TABLE annexe_aside",
        ),
        migrations.RunSQL(migrations.RunSQL.noop, migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE annexe_pair ADD COLUMN extra integer NULL",
                    "ALTER TABLE annexe_pair DROP COLUMN extra",
                )
            ],
            state_operations=[
                migrations.AddField("Pair", "extra", models.IntegerField(null=True)),
            ],
        ),
        migrations.RunSQL(
            "UPDATE annexe_aside SET n = n || '!'; DELETE FROM annexe_aside WHERE id = 1",
            "INSERT INTO annexe_aside (id) VALUES (3)",
        ),
        migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
        migrations.RemoveField("Item", "twice"),
    """,
    "0005_gone": """
        migrations.DeleteModel("Proxy"),
        migrations.RemoveConstraint("Item", "expressions"),
        migrations.RemoveIndex("Item", "second_idx"),
        migrations.RemoveField("Item", "near"),
        migrations.AlterField("Item", "price", models.IntegerField(db_index=True)),
    """,
    "0006_own": """
        operations.AddField("Item", "own", models.TextField(null=True)),
        operations.RemoveField("Item", "made"),
        migrations.DeleteModel("Pair"),
    """,
}
ON_POSTGRESQL = {
    "0001_kinds": """
        BtreeGistExtension(),
        HStoreExtension(),
        CreateCollation("exact", provider="libc", locale="C"),
        migrations.CreateModel(
            "Thing",
            [
                ("id", models.AutoField(primary_key=True)),
                ("vague", models.CharField(max_length=9, unique=True)),
                ("exact", models.CharField(max_length=9, unique=True, db_collation="exact")),
                ("words", ArrayField(models.CharField(max_length=5), default=list)),
                ("during", DateRangeField(null=True)),
                ("more", HStoreField(null=True)),
                ("address", models.GenericIPAddressField(null=True)),
            ],
        ),
        migrations.RunSQL(
            "CREATE TABLE annexe_old (id serial PRIMARY KEY, n serial)", "DROP TABLE annexe_old"
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    "Old",
                    [("id", models.AutoField(primary_key=True)), ("n", models.IntegerField())],
                    options={"db_table": "annexe_old"},
                )
            ]
        ),
    """,
    "0002_rules": """
        migrations.AddConstraint(
            "Thing",
            ExclusionConstraint(name="apart", expressions=[("during", RangeOperators.OVERLAPS)]),
        ),
        AddConstraintNotValid(
            "Thing", models.CheckConstraint(name="valid", condition=models.Q(id__gt=-5))
        ),
        migrations.AddIndex("Thing", GinIndex("words", name="words_gin", fastupdate=False)),
        migrations.AlterField("Old", "id", models.BigAutoField(primary_key=True)),
        migrations.AlterField("Old", "n", models.BigIntegerField()),
    """,
    "0003_online": """
        ValidateConstraint("Thing", "valid"),
        AddIndexConcurrently("Thing", models.Index(fields=["address"], name="address_idx")),
        migrations.RunSQL("VACUUM annexe_thing", "", elidable=True),
        RemoveIndexConcurrently("Thing", "address_idx"),
        migrations.RunPython(write, migrations.RunPython.noop),
    """,
    "0004_types": """
        migrations.AlterField("Thing", "vague", models.TextField(db_collation="exact")),
        migrations.AlterField("Thing", "exact", models.CharField(max_length=5, db_index=True)),
        migrations.AlterField("Thing", "words", ArrayField(models.TextField(), default=list)),
        migrations.AlterField("Old", "id", models.IntegerField(primary_key=True)),
        migrations.AlterField("Thing", "vague", models.TextField()),
        RemoveCollation("exact", provider="libc", locale="C"),
    """,
}
IMPORTS = """
from datetime import date
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, HStoreField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import *
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models.functions import Now

def fail(apps, schema_editor):
    raise AssertionError("this is of another database")

def write(apps, schema_editor):
    Thing = apps.get_model("annexe", "Thing")
    Thing.objects.create(
        vague="V", exact="it's", words=["a'b", "c\\\\d", "$$"],
        during=DateRange(date(900, 1, 1), None), address="::1",
    )
"""


def write(annexe, migrations):
    for name, operations in migrations.items():
        annexe.write(name, operations, code=IMPORTS, atomic="online" not in name)
    return [*migrations]


def ends_as_migrate_does(annexe, history, names):
    """Compare each step up and then each down, by a script and by ``migrate``."""
    walk = [*zip(["base", *names], names, strict=False)]
    walk = [(start, end, False) for start, end in walk] + [
        (end, start, True) for start, end in reversed(walk)
    ]
    expected = []
    for _, end, _ in walk:
        annexe.migrate(end.replace("base", "zero"))
        expected.append(known(history))
    for (start, end, backwards), at_end in zip(walk, expected, strict=True):
        ends = (word if word == "base" else f"annexe.{word}" for word in (start, end))
        script = sql("downgrade" if backwards else "upgrade", ":".join(ends))
        ended = shells.run(script)
        assert ended == (0, ""), (start, end, *ended)
        assert differences(known(history), at_end) == {}, (start, end)


def test_operations_of_both_engines(annexe, history):
    names = write(annexe, ON_BOTH)
    ends_as_migrate_does(annexe, history, names)


ROUTED = {
    "0001_models": """
        migrations.CreateModel("Here", [("id", models.AutoField(primary_key=True))]),
        migrations.CreateModel("Elsewhere", [("id", models.AutoField(primary_key=True))]),
        migrations.CreateModel(
            "Swapped",
            [("id", models.AutoField(primary_key=True))],
            options={"swappable": "ANNEXE_SWAPPED_MODEL"},
        ),
        migrations.CreateModel(
            "Link",
            [
                ("id", models.AutoField(primary_key=True)),
                ("to", models.ForeignKey("annexe.Here", models.CASCADE)),
            ],
        ),
    """,
    "0002_changes": """
        migrations.AddField("Elsewhere", "n", models.IntegerField(null=True)),
        migrations.AddField("Here", "n", models.IntegerField(null=True)),
        operations.AddField("Elsewhere", "m", models.IntegerField(null=True)),
        migrations.RunSQL("SELECT nothing", "SELECT nothing", hints={"model_name": "elsewhere"}),
        migrations.RunSQL("INSERT INTO annexe_here (n) VALUES (5)", migrations.RunSQL.noop),
        migrations.RunPython(fail, fail, hints={"model_name": "elsewhere"}),
        migrations.RenameModel("Elsewhere", "Away"),
    """,
    "0003_gone": """
        operations.DeleteModel("Away"),
        migrations.DeleteModel("Swapped"),
    """,
}


def test_what_a_router_refuses_and_what_is_swapped_out(annexe, history, settings):
    settings.ANNEXE_SWAPPED_MODEL = "annexe.Here"
    refusing = SimpleNamespace(
        allow_migrate=lambda db, app, model_name=None, **hints: (
            model_name not in ("elsewhere", "away")
        )
    )
    settings.DATABASE_ROUTERS = [refusing]
    names = write(annexe, ROUTED)
    ends_as_migrate_does(annexe, history, names)


@pytest.mark.postgresql
def test_operations_of_postgresql(annexe, history):
    annexe.project.others = ["django.contrib.postgres"]
    names = write(annexe, ON_POSTGRESQL)
    ends_as_migrate_does(annexe, history, names)


@pytest.mark.postgresql
@pytest.mark.parametrize("migrations", [ON_BOTH, ON_POSTGRESQL], ids=["both", "postgresql"])
def test_they_are_the_same_on_paper_and_on_a_server(annexe, history, migrations):
    annexe.project.others = ["django.contrib.postgres"]
    write(annexe, migrations)
    for says, backwards in (("base:heads", False), ("heads:base", True)):
        paper, server = both(says, backwards=backwards)
        assert paper == server


CHECKED = """[Check(name="annexe_low", condition=models.Q(floor__lt=9))]"""
RULED = {
    "0001_rooms": """
        migrations.CreateModel("Room", [
            ("id", models.AutoField(primary_key=True)),
            ("floor", models.IntegerField(null=True)),
            ("exemptions", ExemptionsField()),
        ]),
    """,
    "0002_add": f'operations.AddRules("room", {CHECKED})',
    "0003_validate": 'operations.ValidateRules("room", ["annexe_low"])',
    "0004_remove": f'operations.RemoveRules("room", {CHECKED})',
}
IMPORTS_OF_RULES = """
from hotel.migrator.constraints import Check
from hotel.migrator.fields import ExemptionsField
"""


def test_rules_that_were_removed_come_back_by_a_script(annexe, history):
    for name, operation in RULED.items():
        annexe.write(name, operation, code=IMPORTS_OF_RULES, atomic=name == "0001_rooms")
    history.at(None)
    assert shells.run(sql("upgrade", "base:annexe.0004")) == (0, "")
    history.execute("INSERT INTO annexe_room (floor) VALUES (9), (1)")
    assert shells.run(sql("downgrade", "annexe.0004:annexe.0003")) == (0, "")
    rows = history.execute("SELECT floor, exemptions FROM annexe_room ORDER BY floor")
    assert [(floor, "annexe_low" in str(names)) for floor, names in rows] == [(1, False), (9, True)]
    if connection.vendor == "postgresql":
        paper, server = both("annexe.0004:base", backwards=True)
        assert paper == server
