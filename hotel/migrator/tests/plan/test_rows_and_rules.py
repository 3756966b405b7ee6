"""References to nothing and broken CHECKs that a plan will not bear; rows that cannot be read."""

import os

import pytest
from django.db import NotSupportedError

from hotel.migrator.tests.looking import UPGRADE, alter, facts, looked, only

# Foreign keys


BED = """
migrations.CreateModel(
    "Bed",
    [
        ("code", models.CharField(max_length=9, primary_key=True)),
        ("room", models.IntegerField(db_column="room_id", null=True)),
    ],
),
"""


@pytest.mark.parametrize("constrained", [True, False])
def test_values_without_a_row_before_a_foreign_key_are_refused(rooms, history, constrained):
    rooms.write("0002_add_beds", BED)
    if not constrained:
        rooms.write(
            "0003_refer",
            """
            migrations.AlterField("bed", "room", models.ForeignKey(
                "annexe.Room", models.CASCADE, null=True, db_constraint=False, db_column="room_id"
            )),
            """,
        )
    rooms.migrate()
    rooms.write(
        "0004_constrain",
        """
        migrations.AlterField("bed", "room", models.ForeignKey(
            "annexe.Room", models.CASCADE, null=True, db_column="room_id"
        )),
        """,
    )
    for code, room in (("a", 1), ("b", 99), ("c", None)):
        history.insert("annexe_bed", code=code, room_id=room)
    found = only()
    assert facts(found) == (
        True,
        "orphan",
        "annexe.0004_constrain lets annexe_bed.room_id refer to annexe_room.id, with nothing there"
        " for 1 row.",
        1,
        ("b",),
    )
    assert found.mend == f"Give them something to refer to, or delete them, {UPGRADE}"
    history.execute("UPDATE annexe_bed SET room_id = 2 WHERE code = 'b'")
    assert looked() == []
    rooms.migrate()


def test_one_bed_a_room_is_looked_at_where_a_foreign_key_becomes_one_to_one(rooms, history):
    rooms.write(
        "0002_add_beds",
        BED.replace(
            "models.IntegerField(",
            """models.ForeignKey(
        "annexe.Room", models.CASCADE, """,
        ),
    ).migrate()
    rooms.write(
        "0003_one",
        """
        migrations.AlterField("bed", "room", models.OneToOneField(
            "annexe.Room", models.CASCADE, null=True, db_column="room_id"
        )),
        """,
    )
    for code in "ab":
        history.insert("annexe_bed", code=code, room_id=1)
    assert facts(only())[1:] == (
        "unique",
        "annexe.0003_one makes annexe_bed.room_id unique, with equal values in 2 rows.",
        2,
        ("a", "b"),
    )


@pytest.mark.sqlite
def test_a_row_without_its_parent_anywhere_is_refused_on_sqlite(rooms, history):
    rooms.write(
        "0002_add_beds",
        BED.replace(
            "models.IntegerField(",
            """models.ForeignKey(
        "annexe.Room", models.CASCADE, """,
        ),
    ).migrate()
    rooms.write("0003_add", 'migrations.AddField("room", "beds", models.IntegerField(null=True))')
    history.execute("PRAGMA foreign_keys = OFF")
    history.insert("annexe_bed", code="secret", room_id=99)
    assert facts(only()) == (
        True,
        "orphan",
        "annexe_bed.room_id refers to annexe_room, with nothing there for 1 row, and SQLite looks"
        " at all tables when one is altered.",
        1,
        ("secret",),
    )


# CHECK

LOW = 'models.CheckConstraint(name="low", condition=~models.Q(floor=2) & ~models.Q(number="%"))'


def test_rows_that_break_a_check_are_refused(rooms, history):
    rooms.write(
        "0002_check",
        f"""
        migrations.RenameField("room", "floor", "storey"),
        migrations.AddConstraint("room", {LOW.replace("floor", "storey")}),
        """,
    )
    found = only()
    assert facts(found) == (
        True,
        "check",
        "annexe.0002_check holds annexe_room to low, which is broken by 1 row.",
        1,
        ("2",),
    )
    assert found.mend == f"Correct them, or let operations.AddRules exempt them, {UPGRADE}"
    history.execute("UPDATE annexe_room SET floor = 3 WHERE id = 2")
    assert looked() == []
    rooms.migrate()
    history.execute("DELETE FROM annexe_room")


def test_a_check_that_reads_what_the_plan_adds_has_nothing_to_look_at(rooms):
    rooms.write(
        "0002_check",
        """
        migrations.AddField("room", "beds", models.IntegerField(default=2)),
        migrations.AddConstraint("room", models.CheckConstraint(
            name="low", condition=models.Q(beds__gt=0)
        )),
        """,
    )
    assert looked() == []


def test_rules_exempt_old_rows_and_are_no_finding(rooms):
    rooms.write(
        "0002_rules",
        """
        operations.AddField("room", "exemptions", ExemptionsField()),
        operations.AddRules("room", [Check(name="low", condition=~models.Q(floor=2))]),
        """,
        code="from hotel.migrator.constraints import Check\n"
        "from hotel.migrator.fields import ExemptionsField",
    )
    rooms.write("0003_validate", 'operations.ValidateRules("room", ["low"])')
    assert looked() == []
    rooms.migrate("0002_rules")
    assert looked() == []
    rooms.migrate()


@pytest.mark.postgresql
def test_a_check_that_is_added_not_valid_is_looked_at_when_it_is_validated(rooms):
    code = "from django.contrib.postgres import operations as postgres"
    rooms.write("0002_check", f'postgres.AddConstraintNotValid("room", {LOW})', code=code)
    assert looked() == []
    rooms.migrate()
    rooms.write("0003_validate", 'postgres.ValidateConstraint("room", "low")', code=code)
    assert (only().kind, only().keys) == ("check", ("2",))


@pytest.mark.postgresql
def test_a_collation_of_icu_needs_a_server_that_has_it(rooms, history):
    try:
        history.execute("CREATE COLLATION annexe_icu (provider = icu, locale = 'und')")
        history.execute("DROP COLLATION annexe_icu")
        expected = []
    except NotSupportedError:
        expected = [
            (
                True,
                "collation",
                "annexe.0002_collate makes the collation annexe_ci with ICU, which this server was"
                " built without.",
                None,
                (),
            )
        ]
    rooms.write(
        "0002_collate",
        'CreateCollation("annexe_ci", provider="icu", locale="und-u-ks-level2",'
        " deterministic=False)",
        code="from django.contrib.postgres.operations import CreateCollation",
    )
    assert [facts(found) for found in looked()] == expected


@pytest.mark.postgresql
def test_a_table_that_the_role_may_not_read_is_a_warning(rooms, history):
    alter(rooms, "models.IntegerField()")
    role = f"reader_{os.getpid()}"
    history.execute(f"CREATE ROLE {role}")
    try:
        history.execute(f"GRANT SELECT ON django_migrations, migrator_journal TO {role}")
        history.execute(f"SET ROLE {role}")
        found = only()
        history.execute("RESET ROLE")
        assert facts(found) == (
            False,
            "unreadable",
            "annexe.0002_change makes annexe_room.floor NOT NULL, with NULL in an unknown number of"
            " rows: annexe_room cannot be asked (InsufficientPrivilege).",
            None,
            (),
        )
        assert found.mend == "Look at them before manage.py db upgrade does."
    finally:
        history.execute("RESET ROLE")
        history.execute(f"DROP OWNED BY {role}")
        history.execute(f"DROP ROLE {role}")


def test_in_a_column_that_is_not_there_nobody_looks_for_rows(rooms, history):
    alter(rooms, "models.IntegerField()")
    history.execute("ALTER TABLE annexe_room DROP COLUMN floor")
    assert facts(only()) == (
        True,
        "missing",
        "annexe.0002_change cannot be applied: there is no column annexe_room.floor.",
        None,
        (),
    )
