"""Rules outlive what is done to their table, are written into migrations, and printed as SQL."""

import os
import sqlite3

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from hotel.migrator.tests.operations.stays import (
    EXEMPT,
    IMPORTS,
    NEW,
    RULES,
    exempt,
    insert,
    refused,
)

REBUILDS = [
    'operations.AddField("stay", "extra", models.IntegerField(default=7))',
    'migrations.AlterField("stay", "status", models.CharField(max_length=30))',
    'migrations.AlterField("stay", "note", models.TextField(null=True))',
    'migrations.AlterField("stay", "room", models.BigIntegerField(null=True))',
    'migrations.RenameField("stay", "room", "chamber")',
    'migrations.RenameModel("Stay", "Visit")',
    'migrations.AddIndex("stay", models.Index(fields=["status"], name="stay_status_idx"))',
    'migrations.AddConstraint("stay", models.CheckConstraint(condition=Q(id__gt=0), name="pos"))',
    'operations.CreateModel("Other", [("id", models.AutoField(primary_key=True)),'
    ' ("stay", models.ForeignKey("annexe.stay", models.PROTECT))])',
]


@pytest.mark.parametrize("operation", REBUILDS, ids=lambda text: text.split("(")[0][11:])
def test_rules_outlive_every_change_of_the_table(ruled, project, history, operation):
    shape = project.facts()[1]
    ruled.write("0005_add_change", operation, code=IMPORTS)
    ruled.migrate()
    model = history.apps.get_model("annexe", "Visit" if "Visit" in operation else "Stay")
    room = "chamber" if "chamber" in operation else "room"
    marks = {stay.pk: set(stay.exemptions or ()) for stay in model.objects.all()}
    assert marks == EXEMPT
    free = {room: 40, "arrival": "2027-01-01", "departure": "2027-01-05", "status": "in"}
    for change in (
        {room: 1, "arrival": "2026-01-01"},
        {room: 2},
        {"departure": "2026-01-01"},
        {"note": "oNe"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(**{**free, "pk": 70, **change})
    model.objects.filter(pk=6).update(departure="2026-02-01")
    assert model.objects.get(pk=6).exemptions is None
    ruled.migrate("0004")
    # PostgreSQL writes the bodies of constraints anew, in other words, when a type changes.
    assert project.facts()[1] == shape


def test_exemption_ends_too_when_a_column_has_another_name(ruled, history):
    ruled.write("0005_rename_room", 'migrations.RenameField("stay", "room", "chamber")')
    ruled.migrate()
    assert refused(history, "UPDATE annexe_stay SET chamber = 2 WHERE id = 1")
    assert not refused(history, "UPDATE annexe_stay SET chamber = 30 WHERE id = 3")


@pytest.mark.sqlite
def test_dump_of_sqlite_gives_exempt_rows_back(ruled, history, tmp_path):
    with sqlite3.connect(connection.settings_dict["NAME"]) as source:
        script = "\n".join(source.iterdump())
        rows = source.execute("SELECT * FROM annexe_stay ORDER BY id").fetchall()
    with sqlite3.connect(tmp_path / "restored.sqlite3") as restored:
        restored.executescript(script)
        assert restored.execute("SELECT * FROM annexe_stay ORDER BY id").fetchall() == rows
        restored.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            restored.execute(NEW.format("1, '2026-01-02', '2026-01-03', 'booked', NULL"))
            restored.commit()
        restored.rollback()


@pytest.mark.postgresql
def test_row_that_was_written_before_the_rule_was_validated_is_exempt(stays, history):
    stays.migrate("0002")
    history.execute("ALTER TABLE annexe_stay DISABLE TRIGGER USER")
    history.execute("ALTER TABLE annexe_stay DROP CONSTRAINT dates_in_order")
    insert(history, 50, 9, "2027-01-02", "2027-01-01", "booked")
    history.execute(
        "ALTER TABLE annexe_stay ADD CONSTRAINT dates_in_order CHECK (departure > arrival"
        " OR (exemptions -> 'dates_in_order') IS NOT NULL) NOT VALID"
    )
    history.execute("ALTER TABLE annexe_stay ENABLE TRIGGER USER")
    stays.migrate("0003")
    assert exempt(history)[50] == {"dates_in_order"}
    assert exempt(history)[6] == {"dates_in_order"}
    valid = (
        "SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 'annexe_stay'::regclass"
    )
    validity = dict(history.execute(valid))
    assert (validity["dates_in_order"], validity["note_is_no_sign"]) == (True, True)


def test_sqlmigrate_prints_what_can_be_run(stays, history, capsys):
    if connection.vendor == "sqlite":
        connection.close()
    for name in ("0002", "0003", "0004"):
        call_command("sqlmigrate", "annexe", name)
        script = capsys.readouterr().out
        if connection.vendor == "postgresql":
            history.execute(script)
        else:
            with sqlite3.connect(connection.settings_dict["NAME"]) as bare:
                bare.executescript(script)
    assert exempt(history) == EXEMPT
    assert refused(history, NEW.format("1, '2026-01-02', '2026-01-03', 'booked', NULL"))


def test_model_without_the_column_is_refused_by_check(annexe):
    annexe.models("""
        from hotel.migrator.constraints import Check

        class Stay(models.Model):
            room = models.IntegerField()

            class Meta:
                constraints = [Check(name="positive", condition=models.Q(room__gt=0))]
    """)
    [error] = apps.get_model("annexe.Stay").check(databases=["default"])
    assert error.id == "migrator.E001"
    assert error.msg == "annexe.Stay has the rule positive but no field exemptions."
    assert error.hint == "Write exemptions = ExemptionsField() into the model."


def test_rules_are_written_into_migrations_and_nothing_is_left_to_detect(annexe, project):
    annexe.models(f"""
        from django.db.models import F, Q
        from hotel.migrator.constraints import Check, Exclusion
        from hotel.migrator.expressions import AsciiLower
        from hotel.migrator.fields import ExemptionsField
        {os.linesep.join(f"        {line}" for line in RULES.splitlines()).strip()}

        class Stay(models.Model):
            room = models.IntegerField(null=True)
            arrival = models.DateField()
            departure = models.DateField(null=True)
            status = models.CharField(max_length=20)
            note = models.CharField(max_length=20, null=True)
            exemptions = ExemptionsField()

            class Meta:
                constraints = [*CHECKS, *EXCLUSIONS]
    """)
    annexe.write("0001_add_extension", 'operations.AddExtension("btree_gist")')
    annexe.make()
    annexe.migrate()
    project.makemigrations("annexe", check=True)
    history = project.history
    insert(history, 1, 1, "2026-01-01", "2026-01-05", "in")
    with pytest.raises(IntegrityError):
        insert(history, 2, 1, "2026-01-04", "2026-01-06", "booked")
    with pytest.raises(IntegrityError):
        insert(history, 3, 3, "2026-01-04", "2026-01-04", "booked")
