"""What preflight says of a column that gets another type is what then happens, for every type."""

import datetime
import decimal
import uuid

import pytest
from django.contrib.postgres import fields as postgres
from django.contrib.postgres.search import SearchVectorField
from django.core.management import CommandError
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations import Migration
from django.db.migrations import operations as django
from django.db.migrations.state import ModelState, ProjectState

from hotel.migrator.plan.rows import Rows
from hotel.migrator.plan.steps import Step
from hotel.migrator.tests.looking import UPGRADE, facts, looked, only
from hotel.migrator.tests.projects import column
from hotel.tests import stress

NOON = datetime.datetime(2026, 5, 4, 12, 30, tzinfo=datetime.UTC)
ONE = uuid.UUID(int=1)
# By name: the field, and values that it may hold.
FIELDS = {
    "AutoField": (models.AutoField, {"primary_key": True}, [1, 2]),
    "BigIntegerField": (models.BigIntegerField, {}, [-5_000_000_000, 0, 1]),
    "BinaryField": (models.BinaryField, {}, [b"\x00\xff", b"12"]),
    "BooleanField": (models.BooleanField, {}, [True, False]),
    "CharField(3)": (models.CharField, {"max_length": 3}, ["abc", "7"]),
    "CharField(40)": (models.CharField, {"max_length": 40}, ["longer than three", "12"]),
    "CharField of numbers": (models.CharField, {"max_length": 40}, ["12", " 13 ", "-4"]),
    "CharField of dates": (models.CharField, {"max_length": 40}, ["2026-05-04", "2026-05-05"]),
    "CharField of keys": (models.CharField, {"max_length": 40}, [str(ONE), uuid.UUID(int=2).hex]),
    "CharField of JSON": (models.CharField, {"max_length": 40}, ['{"a": 1}', "[]"]),
    "CommaSeparated": (models.CharField, {"max_length": 9}, ["1,2", "3"]),
    "DateField": (models.DateField, {}, [NOON.date()]),
    "DateTimeField": (models.DateTimeField, {}, [NOON]),
    "DecimalField(8, 2)": (
        models.DecimalField,
        {"max_digits": 8, "decimal_places": 2},
        [decimal.Decimal("123456.78"), decimal.Decimal("-1.50")],
    ),
    "DecimalField(4, 1)": (
        models.DecimalField,
        {"max_digits": 4, "decimal_places": 1},
        [decimal.Decimal("99.5")],
    ),
    "DurationField": (models.DurationField, {}, [datetime.timedelta(days=1, seconds=2)]),
    "EmailField": (models.EmailField, {}, ["a@example.org"]),
    "FileField": (models.FileField, {}, ["a/b.txt"]),
    "FloatField": (models.FloatField, {}, [1.5, 1e30]),
    "GenericIPAddressField": (models.GenericIPAddressField, {}, ["10.0.0.1", "::1"]),
    "IntegerField": (models.IntegerField, {}, [-1, 70_000]),
    "JSONField": (models.JSONField, {}, [{"a": 1}, 2, "x"]),
    "JSONField of numbers": (models.JSONField, {}, [3, 4]),
    "PositiveIntegerField": (models.PositiveIntegerField, {}, [1, 70_000]),
    "SlugField": (models.SlugField, {}, ["a-b"]),
    "SmallIntegerField": (models.SmallIntegerField, {}, [0, 1]),
    "TextField": (models.TextField, {}, ["any text", "12"]),
    "TimeField": (models.TimeField, {}, [NOON.time()]),
    "URLField": (models.URLField, {}, ["https://example.org"]),
    "UUIDField": (models.UUIDField, {}, [ONE]),
}
if connection.vendor == "postgresql":
    FIELDS |= {
        "ArrayField of numbers": (
            postgres.ArrayField,
            {"base_field": models.IntegerField()},
            [[1, 2], [70_000]],
        ),
        "ArrayField of texts": (
            postgres.ArrayField,
            {"base_field": models.CharField(max_length=9)},
            [["a", "longer"], []],
        ),
        "ArrayField of short texts": (
            postgres.ArrayField,
            {"base_field": models.CharField(max_length=3)},
            [["a"]],
        ),
        "DateRangeField": (postgres.DateRangeField, {}, [(NOON.date(), None)]),
        "IntegerRangeField": (postgres.IntegerRangeField, {}, [(1, 5)]),
        "SearchVectorField": (SearchVectorField, {}, ["'a':1"]),
    }


def state_of(name, **more):
    """Return a state whose one model has a field of the kind that is named, and the field."""
    kind, options, _ = FIELDS[name]
    options = {**options, **({} if options.get("primary_key") else {"null": True}), **more}
    fields = [("value", kind(**options))]
    if not options.get("primary_key"):
        fields = [("id", models.IntegerField(primary_key=True)), *fields]
    state = ProjectState()
    state.add_model(ModelState("annexe", "Room", fields))
    return state, fields[-1][1]


def altered(before, after):
    """Return the step of an AlterField from one to the other, and the model before it."""
    (state, _), (_, field) = before, after
    operation = django.AlterField("room", "value", field)
    then = state.clone()
    operation.state_forwards("annexe", then)
    migration = Migration("0002_change", "annexe")
    return Step(migration, operation, False, state, then), state.apps.get_model("annexe", "room")


def outcome(step, model, values):
    """Return preflight's findings, and why the operation then failed, or None; nothing stays."""
    with connection.schema_editor() as editor:
        editor.create_model(model)
    try:
        for number, value in enumerate(values, 1):
            keys = {} if model._meta.pk.name == "value" else {"id": number}
            model(value=value, **keys).save(force_insert=True)
        found = Rows(connection, False).look([step])
        try:
            with connection.schema_editor() as editor:
                step.operation.database_forwards("annexe", editor, step.before, step.after)
            return found, None
        except (DatabaseError, ValueError) as error:
            if connection.in_atomic_block:  # that of SQLite's editor stays open
                connection.set_rollback(True)
                transaction.atomic().__exit__(None, None, None)
            return found, error
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE annexe_room")


EVERY = 1 if stress.IS_WHOLE else 5  # all pairs in make stress


@stress.whole
@pytest.mark.parametrize("source", FIELDS)
def test_what_is_refused_is_what_fails(history, source):
    history.at(None)
    wrong = []
    for target in [*FIELDS][[*FIELDS].index(source) % EVERY :: EVERY]:
        if target == source or FIELDS[source][1] == {"primary_key": True}:
            continue
        if FIELDS[target][1] == {"primary_key": True}:
            continue
        step, model = altered(state_of(source), state_of(target))
        found, error = outcome(step, model, FIELDS[source][2])
        refused = [one for one in found if one.refuses]
        is_cut = any("would be cut" in one.cause for one in refused)
        if bool(refused) != bool(error) and not is_cut:
            wrong.append((target, [one.cause for one in found], str(error)))
        if is_cut and connection.vendor == "sqlite":
            wrong.append((target, "SQLite cuts nothing", ""))
    assert wrong == []


# By name, as somebody meets them


def alter(rooms, field, name="number"):
    return rooms.write("0002_change", f'migrations.AlterField("room", "{name}", {field})')


def refused_run(rooms):
    """Let plain migrate, which does not look at values, show that what was refused fails."""
    with pytest.raises((DatabaseError, CommandError, ValueError)):
        rooms.migrate()


def on(postgresql, sqlite):
    return postgresql if connection.vendor == "postgresql" else sqlite


UNFIT = (
    "SQLite keeps them as they are; PostgreSQL would refuse them, and Django may not read them:"
    " correct them."
)


def test_values_that_are_too_long(rooms):
    alter(rooms, "models.CharField(max_length=4)")
    assert facts(only()) == on(
        (
            True,
            "long",
            "annexe.0002_change makes annexe_room.number varchar(4), which is too short for 1 row.",
            1,
            ("3",),
        ),
        (
            False,
            "unfit",
            "annexe.0002_change makes annexe_room.number a CharField of 4 characters, for which the"
            " values of 1 row do not fit.",
            1,
            ("3",),
        ),
    )
    assert only().mend == on(f"Shorten them, {UPGRADE}", UNFIT)


@pytest.mark.postgresql
def test_values_that_would_be_cut_are_let_go_if_that_is_said(rooms, history):
    rooms.write(
        "0002_text", 'migrations.AlterField("room", "number", models.TextField())'
    ).migrate()
    rooms.write(
        "0003_short", 'migrations.AlterField("room", "number", models.CharField(max_length=4))'
    )
    assert facts(only()) == (
        True,
        "long",
        "annexe.0003_short makes annexe_room.number varchar(4), which is too short for 1 row: they"
        " would be cut.",
        1,
        ("3",),
    )
    assert not only(accept_data_loss=True).refuses
    rooms.migrate()
    assert column(history, "number") == ["101", "202", "atti"]


def test_texts_that_are_no_numbers(rooms):
    alter(rooms, "models.IntegerField()")
    assert facts(only()) == on(
        (
            True,
            "type",
            "annexe.0002_change makes annexe_room.number integer, which 1 row cannot be.",
            1,
            ("3",),
        ),
        (
            False,
            "unfit",
            "annexe.0002_change makes annexe_room.number an IntegerField, for which the values of 1"
            " row do not fit.",
            1,
            ("3",),
        ),
    )
    if connection.vendor == "postgresql":
        refused_run(rooms)


def test_numbers_out_of_range(rooms, history):
    history.execute("UPDATE annexe_room SET floor = 40000 WHERE id = 2")
    alter(rooms, "models.SmallIntegerField(null=True)", "floor")
    found = only()
    assert (found.refuses, found.count, found.keys) == (on(True, False), 1, ("2",))


@pytest.mark.postgresql
def test_a_type_that_nothing_of_the_old_one_can_be(rooms):
    alter(rooms, "models.UUIDField(null=True)", "floor")
    assert only().line() == (
        "Refused: annexe.0002_change makes annexe_room.floor uuid, which PostgreSQL cannot: cannot"
        " cast type integer to uuid. Add a new field, fill it with a RunPython, and remove the old"
        " one."
    )
    refused_run(rooms)


def test_negative_numbers_before_a_type_that_forbids_them(rooms, history):
    history.execute("UPDATE annexe_room SET floor = -1 WHERE id = 2")
    alter(rooms, "models.PositiveIntegerField(null=True)", "floor")
    assert ("check", True, ("2",)) in [(one.kind, one.refuses, one.keys) for one in looked()]
    refused_run(rooms)


def test_values_that_a_conversion_makes_equal(rooms, history):
    history.execute("UPDATE annexe_room SET number = '0101' WHERE id = 3")
    alter(rooms, "models.IntegerField(unique=True)")
    [found] = [one for one in looked() if one.refuses]
    assert facts(found) == (
        True,
        "unique",
        "annexe.0002_change makes values of annexe_room.number equal, which are to be unique, in 2"
        " rows.",
        2,
        ("1", "3"),
    )
    refused_run(rooms)


@pytest.mark.sqlite
@pytest.mark.parametrize("together", [False, True])
def test_values_that_a_collation_makes_equal(rooms, history, together):
    history.execute("UPDATE annexe_room SET number = 'Attic', floor = 5 WHERE id = 1")
    history.execute("UPDATE annexe_room SET floor = 5 WHERE id = 3")
    field = 'models.CharField(max_length=20, db_collation="NOCASE"'
    if together:
        rooms.write(
            "0001_unique", 'migrations.AlterUniqueTogether("room", {("number", "floor")})'
        ).migrate()
        alter(rooms, f"{field})")
    else:
        alter(rooms, f"{field}, unique=True)")
    [found] = [one for one in looked() if one.refuses]
    assert (found.kind, found.keys) == ("unique", ("1", "3"))
    refused_run(rooms)


def test_one_default_for_all_rows_of_a_new_unique_field(rooms, history):
    rooms.write(
        "0002_code",
        'operations.AddField("room", "code", models.UUIDField(default=uuid4, unique=True))',
        code="from uuid import uuid4",
    )
    assert facts(only()) == (
        True,
        "unique",
        "annexe.0002_code adds annexe_room.code, which is unique, with one value for all of 3"
        " rows.",
        3,
        ("1", "2", "3"),
    )
    refused_run(rooms)
    history.execute("DELETE FROM annexe_room WHERE id > 1")
    assert looked() == []
    rooms.migrate()


def test_a_unique_field_with_a_default_comes_back_with_its_values(rooms, history):
    rooms.write(
        "0002_code",
        'operations.AddField("room", "code", models.CharField(max_length=9, null=True))',
    ).migrate()
    history.execute("UPDATE annexe_room SET code = number")
    rooms.write(
        "0003_unique",
        'migrations.AlterField("room", "code",'
        ' models.CharField(max_length=9, default="x", unique=True))',
    )
    rooms.write("0004_drop", 'operations.RemoveField("room", "code")').migrate()
    assert [one for one in looked(("annexe", "0003_unique")) if one.refuses] == []
    rooms.migrate("0003")
    assert column(history, "code") == ["101", "202", "attic"]


@pytest.mark.parametrize(
    "before, after, said",
    [
        (
            "models.IntegerField(null=True)",
            "models.ManyToManyField('annexe.Room')",
            "into a many-to",
        ),
        (
            "models.ManyToManyField('annexe.Room')",
            "models.TextField()",
            "from a many-to-many field",
        ),
        (
            "models.ManyToManyField('annexe.Room')",
            "models.ManyToManyField('annexe.Room', through='annexe.Link')",
            "to another table (through=)",
        ),
    ],
)
def test_a_field_that_becomes_or_was_a_many_to_many_field(rooms, before, after, said):
    rooms.write("0002_add", f'operations.AddField("room", "others", {before})').migrate()
    rooms.write("0003_change", f'migrations.AlterField("room", "others", {after})')
    if "through" in after:
        rooms.write(
            "0003_change",
            f"""
            migrations.CreateModel("Link", [("id", models.AutoField(primary_key=True)),
                ("one", models.ForeignKey("annexe.Room", models.CASCADE, related_name="+")),
                ("other", models.ForeignKey("annexe.Room", models.CASCADE, related_name="+"))]),
            migrations.AlterField("room", "others", {after}),
        """,
            after=[("annexe", "0002_add")],
        )
    [found] = [one for one in looked() if one.refuses]
    assert found.kind == "incompatible"
    assert said in found.cause
    refused_run(rooms)


@pytest.mark.postgresql
def test_what_is_rounded_is_a_warning(rooms, history):
    rooms.write("0002_price", 'operations.AddField("room", "price", models.FloatField(null=True))')
    rooms.migrate()
    history.execute("UPDATE annexe_room SET price = 1.25 WHERE id = 2")
    rooms.write(
        "0003_change", 'migrations.AlterField("room", "price", models.IntegerField(null=True))'
    )
    assert facts(only()) == (
        False,
        "inexact",
        "annexe.0003_change makes annexe_room.price integer, and changes the values of 1 row in"
        " doing so.",
        1,
        ("2",),
    )
    rooms.migrate()


def test_a_new_field_without_a_value_for_the_rows_that_stand(rooms, history):
    rooms.write("0002_beds", 'operations.AddField("room", "beds", models.IntegerField())')
    found = only()
    assert facts(found) == (
        True,
        "null",
        "annexe.0002_beds adds annexe_room.beds, which is NOT NULL and has no default, to 3 rows.",
        3,
        ("1", "2", "3"),
    )
    assert found.mend == (
        "Give it a default; or add it with null=True, fill it with a RunPython, and make it NOT"
        f" NULL after that, {UPGRADE}"
    )
    refused_run(rooms)
    history.execute("DELETE FROM annexe_room")
    assert looked() == []
    rooms.migrate()


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("field", "number", "unfit"),
    [
        ("models.UUIDField()", "'0123'", 1),
        ("models.UUIDField()", "'0123456789abcdef0123456789abcdef'", 0),
        ("models.DecimalField(max_digits=4, decimal_places=2)", "'100'", 1),
        ("models.DecimalField(max_digits=4, decimal_places=2)", "'99.99'", 0),
    ],
)
def test_values_that_django_would_not_read_are_a_warning(rooms, history, field, number, unfit):
    history.execute("DELETE FROM annexe_room WHERE id > 1")
    history.execute(f"UPDATE annexe_room SET number = {number}")
    alter(rooms, field)
    assert [(one.kind, one.refuses) for one in looked()] == [("unfit", False)] * unfit


PRICE = "models.DecimalField(max_digits={}, decimal_places=2, null=True)"


@pytest.mark.postgresql
@pytest.mark.parametrize("live", ["text", "character varying(9)", "smallint", "real"])
def test_a_column_of_another_type_than_its_migrations_say_is_seen_before(rooms, history, live):
    """Django tells PostgreSQL how to convert only where it takes the types for different ones."""
    rooms.write("0002_add", f"migrations.AddField('room', 'price', {PRICE.format(5)})").migrate()
    history.execute(f"ALTER TABLE annexe_room ALTER price TYPE {live} USING NULL")
    rooms.write("0003_change", f"migrations.AlterField('room', 'price', {PRICE.format(8)})")
    if live in ("smallint", "real"):
        assert looked() == []
        rooms.migrate()
        return
    assert facts(only()) == (
        True,
        "type",
        f"annexe.0003_change makes annexe_room.price numeric(8, 2); it is {live} in the database,"
        " and not numeric(5, 2), as its migrations make it, and PostgreSQL does not convert that by"
        " itself.",
        None,
        (),
    )
    assert only().mend == "manage.py db drift prints what makes it what it should be."
    with pytest.raises(DatabaseError, match="cannot be cast automatically to type numeric"):
        rooms.migrate()
