"""Every type of field of Django is foreseen by preflight, or kept with its rows, up and down."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, models
from django.db.migrations.executor import MigrationExecutor

from hotel.migrator.tests.looking import looked
from hotel.tests import stress

# A declaration and a value of each; keys that the database counts are apart.
FIELDS = {
    "BigIntegerField": ("null=True", 2**40),
    "BinaryField": ("null=True", b"\x00\xff'"),
    "BooleanField": ("null=True", True),
    "CharField": ("max_length=30, null=True", "it's"),
    "DateField": ("null=True", date(2024, 2, 29)),
    "DateTimeField": ("null=True", datetime(2024, 2, 29, 23, 59, 1, 5, UTC)),
    "DecimalField": ("max_digits=9, decimal_places=3, null=True", Decimal("12.345")),
    "DurationField": ("null=True", timedelta(days=1, microseconds=1)),
    "EmailField": ("null=True", "a@example.org"),
    "FileField": ("null=True", "a/b.txt"),
    "FilePathField": ("null=True", "/a/b"),
    "FloatField": ("null=True", 0.1),
    "ForeignKey": ('"annexe.Room", models.SET_NULL, null=True', 2),
    "GenericIPAddressField": ("null=True", "::1"),
    "ImageField": ("null=True", "a.png"),
    "IntegerField": ("null=True", -7),
    "JSONField": ("null=True", {"a": [1, None, "é"]}),
    "ManyToManyField": ('"annexe.Room"', None),
    "OneToOneField": ('"annexe.Room", models.SET_NULL, null=True', 2),
    "PositiveBigIntegerField": ("null=True", 2**40),
    "PositiveIntegerField": ("null=True", 7),
    "PositiveSmallIntegerField": ("null=True", 7),
    "SlugField": ("null=True", "a-b"),
    "SmallIntegerField": ("null=True", -7),
    "TextField": ("null=True", "it's\r\nlong"),
    "TimeField": ("null=True", time(23, 59, 1, 5)),
    "URLField": ("null=True", "https://example.org/?a=1"),
    "UUIDField": ("null=True", UUID(int=7)),
    "GeneratedField": (
        'expression=models.F("floor") + 1, output_field=models.IntegerField(), db_persist=True',
        None,
    ),
}
KEYS = ("AutoField", "BigAutoField", "SmallAutoField")
# Without a column; the place of a row (test_shape); those that only old migrations may have.
OTHERS = {"Field", "ForeignObject", "CompositePrimaryKey", "OrderWrt"}
OTHERS |= {"IPAddressField", "NullBooleanField", "CommaSeparatedIntegerField"}

PAIRS = [(one, other) for one in FIELDS for other in FIELDS if one != other]
EVERY = 1 if stress.IS_WHOLE else 48
TO_TEXT = [pair for pair in PAIRS if pair[1] == "TextField"]
PAIRS = PAIRS if stress.IS_WHOLE else TO_TEXT[::2] + PAIRS[::EVERY]


def test_every_type_of_django_is_here():
    types = {
        name
        for name, one in vars(models).items()
        if isinstance(one, type) and issubclass(one, models.Field)
    }
    assert types - OTHERS == {*FIELDS, *KEYS}


def declared(name):
    return f"models.{name}({FIELDS[name][0]})"


def room(migration):
    """Return the model of a room as a migration leaves it."""
    state = MigrationExecutor(connection).loader.project_state([("annexe", migration)])
    return state.apps.get_model("annexe", "Room")


def values(migration):
    """Return what the rows hold in ``extra``, by their keys."""
    rooms = room(migration).objects.order_by("pk")
    if rooms.model._meta.get_field("extra").many_to_many:
        return [(one.pk, sorted(one.extra.values_list("pk", flat=True))) for one in rooms]
    return [*rooms.values_list("pk", "extra")]


def fill(migration, name):
    """Give the rows a value, none, and none."""
    if FIELDS[name][1] is not None:
        room(migration).objects.filter(pk=1).update(extra=FIELDS[name][1])
    elif name == "ManyToManyField":
        room(migration).objects.get(pk=1).extra.set([2, 3])


@pytest.mark.parametrize("name", FIELDS)
def test_it_is_added_and_dropped_with_its_values(rooms, name):
    rooms.write("0002_add", f'operations.AddField("room", "extra", {declared(name)}),')
    rooms.write("0003_drop", 'operations.RemoveField("room", "extra")')
    assert [one.line() for one in looked()] == []
    rooms.migrate("0002_add")
    fill("0002_add", name)
    before = values("0002_add")
    for target in ("0003_drop", "0002_add", "0001_initial", "0002_add"):
        assert [one for one in looked(("annexe", target)) if one.refuses] == []
        rooms.migrate(target)
    assert values("0002_add") == before


@stress.whole
@pytest.mark.parametrize("source, target", PAIRS)
def test_another_type_is_foreseen_or_keeps_the_values(rooms, history, source, target):
    rooms.write("0002_add", f'operations.AddField("room", "extra", {declared(source)}),').migrate()
    fill("0002_add", source)
    rooms.write("0003_alter", f'migrations.AlterField("room", "extra", {declared(target)})')
    before, shape = values("0002_add"), history.catalog()
    warned = looked()
    if any(one.refuses for one in warned):
        with pytest.raises((DatabaseError, ValueError)):
            rooms.migrate()
        assert (values("0002_add"), history.catalog()) == (before, shape)
        return
    rooms.migrate()
    down = looked(("annexe", "0002_add"))
    assert not any(one.refuses for one in down)
    rooms.migrate("0002_add")
    if not (warned or down):
        assert values("0002_add") == before


@pytest.mark.parametrize(
    "old, new, what",
    [
        ("GeneratedField", "IntegerField", "from a generated field"),
        ("IntegerField", "GeneratedField", "into a generated field"),
        ("IntegerField", "ManyToManyField", "into a many-to-many field"),
    ],
)
def test_what_django_cannot_change_is_told_before(rooms, old, new, what):
    rooms.write("0002_add", f'operations.AddField("room", "extra", {declared(old)}),').migrate()
    rooms.write("0003_alter", f'migrations.AlterField("room", "extra", {declared(new)})')
    [refused] = looked()
    assert (refused.kind, refused.refuses, refused.cause) == (
        "incompatible",
        True,
        f"annexe.0003_alter changes annexe_room.extra {what}, which Django cannot.",
    )


@pytest.mark.parametrize("target", KEYS)
@pytest.mark.parametrize("source", KEYS)
def test_a_key_that_the_database_counts_goes_on_counting(rooms, history, source, target):
    made = "models.{}(primary_key=True)"
    if source != "AutoField":
        rooms.write("0002_source", f'migrations.AlterField("room", "id", {made.format(source)})')
        rooms.migrate()
    rooms.write("0003_target", f'migrations.AlterField("room", "id", {made.format(target)})')
    for name, keys in (("0003_target", [1, 2, 3, 4]), ("0001_initial", [1, 2, 3, 4, 5])):
        assert [one.line() for one in looked(("annexe", name))] == []
        rooms.migrate(name)
        history.execute("INSERT INTO annexe_room (number) VALUES ('new')")
        assert [key for (key,) in history.execute("SELECT id FROM annexe_room ORDER BY 1")] == keys
