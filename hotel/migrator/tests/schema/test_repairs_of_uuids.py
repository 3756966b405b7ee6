"""A uuid that somebody keeps as text, however it is spelled, is the same one after the script."""

from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import F, OuterRef, Value

from hotel.migrator.storage import tables
from hotel.migrator.storage.archive import Archive
from hotel.migrator.tests import shells
from hotel.migrator.tests.drifts import damage, report, words

ONE, TWO = (
    UUID("00000000-0000-4000-8000-0000000000ab"),
    UUID("abcdefab-cdef-4abc-8def-abcdefabcdef"),
)
# Ways to write one, as people and other programs do.
SPELLINGS = {
    "with dashes": str,
    "in capitals": lambda key: str(key).upper(),
    "in braces": lambda key: f"{{{str(key).upper()}}}",
    "without dashes": lambda key: key.hex,
    "without dashes, in capitals": lambda key: key.hex.upper(),
}
MODELS = """
class Hall(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.TextField(null=True)

class Bed(models.Model):
    hall = models.ForeignKey(Hall, models.CASCADE)
    code = models.UUIDField(null=True, unique=True)
"""
MIGRATION = """
operations.CreateModel(
    "Hall",
    [("id", models.UUIDField(primary_key=True, serialize=False)),
     ("name", models.TextField(null=True))],
),
operations.CreateModel(
    "Bed",
    [("id", models.BigAutoField(primary_key=True, auto_created=True, serialize=False,
                                verbose_name="ID")),
     ("code", models.UUIDField(null=True, unique=True)),
     ("hall", models.ForeignKey("annexe.hall", models.CASCADE))],
),
"""


PLACES = (("annexe_hall", "id"), ("annexe_bed", "hall_id"), ("annexe_bed", "code"))
IN_ARCHIVE = [("migrator_archive", name) for name in ("row_key", "original", "became")]


def archived():
    return Archive("annexe.0002_change#0 forward", "default")


@pytest.fixture
def halls(annexe, history):
    annexe.models(MODELS)
    annexe.write("0001_initial", MIGRATION).migrate()
    Hall, Bed = (apps.get_model("annexe", name) for name in ("Hall", "Bed"))
    for key in (ONE, TWO):
        Hall.objects.create(pk=key, name=f"Hall {key}")
        Bed.objects.create(hall_id=key, code=key)
    Bed.objects.create(hall_id=ONE)
    with connection.schema_editor() as editor:
        tables.ensure(editor, [tables.ArchivedValue])
    archive = archived()
    archive.save(Hall.objects.all(), "name", F("name"), F("name"))
    archive.save(Bed.objects.all(), "code", F("code"), F("code"))
    return history


def keep_as_text(history, spelled, places=(*PLACES,)):
    """Keep uuids as text, spelled in one way; the archive has them so too."""
    if connection.vendor == "postgresql":
        [(reference, definition)] = history.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = 'annexe_bed'::regclass"
        )
        history.execute(f"ALTER TABLE annexe_bed DROP CONSTRAINT {reference}")
    for table, column in places:
        if connection.vendor == "postgresql":
            history.execute(f"ALTER TABLE {table} ALTER {column} TYPE varchar(38)")
        else:
            damage((table, f'"{column}" char(32)', f'"{column}" varchar(38)'), "")
            history.execute("PRAGMA foreign_keys = OFF")
        for key in (ONE, TWO):
            was = key.hex if connection.vendor == "sqlite" else str(key)
            for of, name in ((table, column), *IN_ARCHIVE):
                sql = f"UPDATE {of} SET {name} = %s WHERE {name} = %s"
                history.execute(sql, [spelled(key), was])
    if connection.vendor == "postgresql":
        history.execute(f"ALTER TABLE annexe_bed ADD CONSTRAINT {reference} {definition}")
    connection.close()


@pytest.mark.parametrize("how", SPELLINGS)
def test_a_uuid_kept_as_text_is_the_same_after_the_script(halls, how):
    keep_as_text(halls, SPELLINGS[how])
    looked = report()
    assert words(looked.differences) == [
        "different column annexe_bed.code",
        "different column annexe_bed.hall_id",
        "different column annexe_hall.id",
    ]
    assert [one.hindered for one in looked.differences if one.hindered] == []
    assert shells.run(looked.script) == (0, "")
    assert words(report(looked.replay).differences) == []
    Hall, Bed = (apps.get_model("annexe", name) for name in ("Hall", "Bed"))
    for key in (ONE, TWO):
        assert Hall.objects.get(pk=key).name == f"Hall {key}"
        assert Bed.objects.get(code=key).hall_id == key
    assert Bed.objects.get(code=None).hall.pk == ONE
    code = Bed._meta.get_field("code")
    Bed.objects.update(code=archived().given_back(code, Value(None), OuterRef("code")))
    assert [*Bed.objects.order_by("id").values_list("code", flat=True)] == [ONE, TWO, None]
    name = Hall._meta.get_field("name")
    Hall.objects.update(name=archived().given_back(name, Value("lost")))
    assert {*Hall.objects.values_list("name", flat=True)} == {f"Hall {ONE}", f"Hall {TWO}"}


@pytest.mark.sqlite
def test_rows_that_would_lose_what_they_refer_to_are_told(halls):
    """As where somebody has made one of two tables anew, and Django the other."""
    keep_as_text(halls, str, PLACES[:1])
    halls.execute(f"UPDATE annexe_bed SET hall_id = '{ONE}' WHERE id = 1")
    looked = report()
    assert [one.hindered for one in looked.differences] == [
        "hall_id refers to annexe_hall, with nothing there for 1 row (id 1): give these something"
        " to refer to, or delete them, and run manage.py db drift again"
    ]
    assert looked.script == []


@pytest.mark.parametrize("how", ["in capitals", "without dashes"])
def test_two_spellings_of_one_uuid_are_told_where_it_must_be_unique(halls, how):
    keep_as_text(halls, str)
    halls.execute(f"UPDATE annexe_bed SET code = '{SPELLINGS[how](ONE)}' WHERE id = 3")
    hindered = [one.hindered for one in report().differences if one.hindered]
    assert hindered == [
        "code must be unique, and 2 rows (id 1, 3) share theirs: change or merge these, and run"
        " manage.py db drift again"
    ]


def test_what_is_no_uuid_is_told(halls):
    keep_as_text(halls, str)
    halls.execute(f"UPDATE annexe_bed SET code = 'g{ONE}' WHERE id = 3")
    [hindered] = [one.hindered for one in report().differences if one.hindered]
    rows = "char(32) cannot hold the values of 1 row (id 3)"
    if connection.vendor == "postgresql":
        rows = rows.replace("char(32)", "uuid")
        if connection.pg_version < 160000:  # which cannot be asked for each row
            said = f'invalid input syntax for type uuid: "g{ONE}"'
            rows = f"uuid cannot hold all of its values ({said})"
    assert hindered == f"{rows}: change these, and run manage.py db drift again"
