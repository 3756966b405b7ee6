"""Rules on a throw-away app: old rows are exempt, everything else keeps them, on both engines."""

import os
import random
import sqlite3
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

MODEL = """
operations.CreateModel(
    "Stay",
    [
        ("id", models.AutoField(primary_key=True)),
        ("room", models.IntegerField(null=True)),
        ("arrival", models.DateField()),
        ("departure", models.DateField(null=True)),
        ("status", models.CharField(max_length=20)),
        ("note", models.CharField(max_length=20, null=True)),
        ("exemptions", ExemptionsField()),
    ],
)
"""
RULES = """
CHECKS = [
    Check(
        name="dates_in_order",
        condition=Q(departure__gt=F("arrival")),
        violation_error_message="The guest must leave after the day of arrival.",
        mend="Correct the dates.",
    ),
    Check(name="note_is_no_sign", condition=~Q(note__in=["100 %s", "it's", "a\\\\b"])),
]
EXCLUSIONS = [
    Exclusion(
        name="no_overlap",
        same=["room"],
        span=["arrival", "departure"],
        condition=Q(status__in=["booked", "in"]),
        violation_error_message="The room is booked.",
    ),
    Exclusion(name="one_in_house", same=["room"], condition=Q(status="in")),
    Exclusion(name="note_unique", same=[AsciiLower("note")]),
]
"""
IMPORTS = """
from django.db.models import F, Q
from hotel.migrator.constraints import Check, Exclusion
from hotel.migrator.expressions import AsciiLower
from hotel.migrator.fields import ExemptionsField
"""

# A clash of three, two in house in room 2, a stay the wrong way round, and a pair of notes.
LEGACY = [
    (1, 1, "2026-01-01", "2026-01-05", "booked", "One"),
    (2, 1, "2026-01-04", "2026-01-08", "booked", "ONE"),
    (3, 1, "2026-01-07", "2026-01-09", "booked", None),
    (4, 2, "2026-01-01", "2026-01-02", "in", None),
    (5, 2, "2026-02-01", "2026-02-02", "in", None),
    (6, 3, "2026-01-09", "2026-01-01", "booked", None),
    (7, 4, "2026-01-01", "2026-01-05", "booked", "it's"),
    (8, 5, "2026-01-01", None, "booked", None),
    (9, 1, "2026-01-01", "2026-01-09", "cancelled", None),
]
EXEMPT = {
    1: {"no_overlap", "note_unique"},
    2: {"no_overlap", "note_unique"},
    3: {"no_overlap"},
    4: {"one_in_house"},
    5: {"one_in_house"},
    6: {"dates_in_order"},
    7: {"note_is_no_sign"},
    8: set(),
    9: set(),
}


@pytest.fixture
def stays(annexe, history):
    """An app with the rows above; ``migrate()`` adds the rules."""
    annexe.write("0001_initial", MODEL, code=IMPORTS)
    annexe.write("0002_add_rules", 'operations.AddRules("Stay", CHECKS)', code=IMPORTS + RULES)
    annexe.write(
        "0003_validate_rules",
        'operations.ValidateRules("Stay", ["dates_in_order", "note_is_no_sign"])',
    )
    annexe.write(
        "0004_forbid_clashes",
        'operations.AddExtension("btree_gist"),\noperations.AddRules("Stay", EXCLUSIONS)',
        code=IMPORTS + RULES,
    )
    annexe.migrate("0001")
    for row in LEGACY:
        insert(history, *row)
    return annexe


@pytest.fixture
def ruled(stays, history):
    """The same, with the rules."""
    stays.migrate()
    if connection.vendor == "postgresql":
        history.execute("SELECT setval('annexe_stay_id_seq', 100)")
    return stays


def insert(history, key, room, arrival, departure, status, note=None, exemptions=None):
    values = {"room": room, "arrival": arrival, "departure": departure, "status": status}
    values |= {"id": key} if key else {}
    history.insert("annexe_stay", **values, note=note, exemptions=exemptions)


def exempt(history):
    rows = history.model("annexe.Stay").objects.values_list("id", "exemptions")
    return {key: set(names or ()) for key, names in rows}


def refused(history, sql):
    """Return whether the statement is refused, by itself and at the end of a transaction."""
    try:
        with transaction.atomic():
            history.execute(sql)
            transaction.set_rollback(connection.vendor == "postgresql")
    except IntegrityError:
        with pytest.raises(IntegrityError):
            history.execute(sql)
        return True
    if connection.vendor == "postgresql":
        history.execute(sql)
    return False


def test_rows_that_break_a_rule_are_exempt_from_it_and_no_others(ruled, history):
    assert exempt(history) == EXEMPT


@pytest.mark.parametrize("seed", range(4))
def test_rows_that_clash_are_those_of_which_a_pair_does(stays, history, seed):
    chance = random.Random(seed)
    first = date(2026, 1, 1)
    rows = []
    for key in range(20, 70):
        arrival = first + timedelta(chance.randrange(20))
        departure = chance.choice([None, *(arrival + timedelta(days) for days in range(-2, 5))])
        status = chance.choice(["booked", "in", "left"])
        rows.append((key, chance.choice([None, 21, 22, 23, 24]), arrival, departure, status))
        insert(history, *rows[-1])

    def clash(one, other):
        if one[0] == other[0] or one[1] is None or one[1] != other[1]:
            return False
        live = {one[4], other[4]} <= {"booked", "in"}
        nights = [(row[2], row[3] or date.max) for row in (one, other)]
        real = all(arrival < departure for arrival, departure in nights)
        return live and real and nights[0][0] < nights[1][1] and nights[1][0] < nights[0][1]

    expected = {one[0] for one in rows if any(clash(one, other) for other in rows)}
    stays.migrate()
    found = {key for key, names in exempt(history).items() if key >= 20 and "no_overlap" in names}
    assert found == expected
    assert 5 < len(found) < len(rows)


def test_rules_come_and_go_and_leave_nothing_behind(stays, project, history):
    before = project.facts()
    stays.migrate()
    after = project.facts()
    stays.migrate("0001")
    assert project.facts() == before
    stays.migrate()
    assert project.facts() == after
    if connection.vendor == "postgresql":
        triggers = "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal"
    else:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    triggers = f"SELECT name FROM ({triggers}) AS found WHERE name NOT LIKE 'migrator%'"
    assert len(history.execute(triggers)) == (5 if connection.vendor == "postgresql" else 19)
    stays.migrate("0001")
    assert history.execute(triggers) == []


NEW = "INSERT INTO annexe_stay (room, arrival, departure, status, note) VALUES ({})"


@pytest.mark.parametrize(
    "row",
    [
        "1, '2026-01-02', '2026-01-03', 'booked', NULL",  # over an exempt stay
        "1, '2025-12-01', NULL, 'in', NULL",  # without an end
        "5, '2030-01-01', '2030-01-02', 'booked', NULL",  # over one without an end
        "2, '2027-01-01', '2027-01-02', 'in', NULL",  # a third one in house
        "9, '2027-01-01', '2027-01-01', 'booked', NULL",
        "9, '2027-01-01', '2027-01-02', 'booked', 'oNe'",
        "9, '2027-01-01', '2027-01-02', 'booked', '100 %s'",
        "9, '2027-01-01', '2027-01-02', 'booked', 'it''s'",
        "9, '2027-01-01', '2027-01-02', 'booked', 'a\\b'",
    ],
)
def test_new_row_keeps_the_rules(ruled, history, row):
    assert refused(history, NEW.format(row))


@pytest.mark.parametrize(
    "row",
    [
        "1, '2026-01-09', '2026-01-10', 'booked', NULL",  # the next neighbour
        "1, '2025-12-31', '2026-01-01', 'booked', NULL",  # the one before
        "1, '2026-01-02', '2026-01-03', 'cancelled', NULL",
        "NULL, '2026-01-02', '2026-01-03', 'in', NULL",
        "2, '2026-01-01', '2026-01-02', 'cancelled', 'two'",
        "3, '2026-01-02', '2026-01-03', 'booked', NULL",  # what ends before it begins takes nothing
        "1, '2027-01-02', '2027-01-03', 'in', '100 %'",
    ],
)
def test_new_row_that_keeps_the_rules_stands(ruled, history, row):
    assert not refused(history, NEW.format(row))


def test_no_row_is_born_exempt(ruled, history):
    claimed = '{"dates_in_order": 1, "no_overlap": 1, "one_in_house": 1}'
    for room, arrival, departure, status in (
        (9, "2027-01-02", "2027-01-01", "booked"),
        (1, "2026-01-02", "2026-01-03", "booked"),
        (2, "2027-01-01", "2027-01-02", "in"),
    ):
        with pytest.raises(IntegrityError):
            insert(history, None, room, arrival, departure, status, exemptions=claimed)
    insert(history, 50, 9, "2027-01-01", "2027-01-02", "booked", exemptions=claimed)
    assert exempt(history)[50] == set()


def test_no_row_is_made_exempt(ruled, history):
    history.execute("""UPDATE annexe_stay SET exemptions = '{"dates_in_order": 1}' WHERE id = 8""")
    assert exempt(history)[8] == set()
    assert refused(
        history,
        """UPDATE annexe_stay SET departure = '2025-01-01', exemptions = '{"dates_in_order": 1}'
        WHERE id = 8""",
    )


@pytest.mark.parametrize(
    "change",
    [
        "departure = '2026-01-06' WHERE id = 1",  # longer
        "departure = '2026-01-09' WHERE id = 2",  # over an exempt neighbour
        "arrival = '2026-01-03' WHERE id = 2",  # other dates
        "room = 2 WHERE id = 1",  # into a room with a stay of those nights
        "room = room + 4 - 4, arrival = '2026-01-02' WHERE id = 1",
        "status = 'booked' WHERE id = 9",  # reinstated
        "status = 'in' WHERE id = 1",
        "room = 1, arrival = '2026-01-01', departure = '2026-01-09' WHERE id = 4",
        "departure = '2026-01-08' WHERE id = 6",
        "note = 'ONE' WHERE id = 1",
        "note = 'a\\b' WHERE id = 7",
    ],
)
def test_change_of_what_a_rule_reads_ends_the_exemption(ruled, history, change):
    before = history.dump()
    assert refused(history, f"UPDATE annexe_stay SET {change}")
    assert history.dump() == before


@pytest.mark.parametrize(
    "change, key, left",
    [
        ("departure = '2026-01-04' WHERE id = 1", 1, {"note_unique"}),
        ("room = 8 WHERE id = 2", 2, {"note_unique"}),
        ("status = 'cancelled' WHERE id = 2", 2, {"note_unique"}),
        ("departure = '2026-01-10' WHERE id = 6", 6, set()),
        ("note = 'other' WHERE id = 1", 1, {"no_overlap"}),
        ("status = 'out' WHERE id = 4", 4, set()),
    ],
)
def test_row_that_is_mended_stands_and_is_not_exempt_any_more(ruled, history, change, key, left):
    assert not refused(history, f"UPDATE annexe_stay SET {change}")
    assert exempt(history)[key] == left
    others = {other: names for other, names in EXEMPT.items() if other != key}
    assert {other: exempt(history)[other] for other in others} == others


def test_other_columns_of_an_exempt_row_can_be_edited(ruled, history):
    history.execute("UPDATE annexe_stay SET note = 'new' WHERE id IN (3)")
    history.execute("UPDATE annexe_stay SET room = room, arrival = arrival, status = status")
    stay = history.model("annexe.Stay").objects.get(pk=6)
    stay.note = "edited"
    stay.save()  # writes every column
    assert exempt(history) == EXEMPT


def test_exempt_row_that_was_moved_away_does_not_come_back(ruled, history):
    history.execute("UPDATE annexe_stay SET room = 8 WHERE id = 2")
    assert refused(history, "UPDATE annexe_stay SET room = 1 WHERE id = 2")


def test_two_in_house_swap_their_rooms(ruled, history):
    insert(history, 60, 6, "2027-01-01", "2027-01-05", "in")
    insert(history, 61, 7, "2027-01-01", "2027-01-05", "in")
    with transaction.atomic():
        if connection.vendor == "postgresql":
            history.execute("SET CONSTRAINTS ALL DEFERRED")
        history.execute("UPDATE annexe_stay SET room = 7 WHERE id = 60")
        history.execute("UPDATE annexe_stay SET room = 6 WHERE id = 61")
    history.execute("UPDATE annexe_stay SET room = 13 - room WHERE id IN (60, 61)")
    rooms = history.execute("SELECT id, room FROM annexe_stay WHERE id IN (60, 61) ORDER BY id")
    assert rooms == [(60, 6), (61, 7)]


def test_half_a_swap_is_refused_at_its_end(ruled, history):
    insert(history, 60, 6, "2027-01-01", "2027-01-05", "in")
    insert(history, 61, 7, "2027-01-01", "2027-01-05", "in")
    with pytest.raises(IntegrityError), transaction.atomic():
        if connection.vendor == "postgresql":
            history.execute("SET CONSTRAINTS ALL DEFERRED")
        history.execute("UPDATE annexe_stay SET room = 7 WHERE id = 60")
    assert history.execute("SELECT room FROM annexe_stay WHERE id = 60") == [(6,)]


def test_clash_that_is_deleted_or_rolled_back_leaves_no_trace(ruled, history):
    with transaction.atomic():
        if connection.vendor == "postgresql":
            history.execute("SET CONSTRAINTS ALL DEFERRED")
        insert(history, 60, 1, "2026-01-01", "2026-01-05", "booked")
        history.execute("DELETE FROM annexe_stay WHERE id = 60")
        try:
            with transaction.atomic():
                insert(history, 61, 1, "2026-01-01", "2026-01-05", "booked")
                raise LookupError
        except LookupError:
            pass
    if connection.vendor == "sqlite":
        assert history.execute("SELECT * FROM migrator_conflicts") == []
    connection.check_constraints()


def form_errors(stay):
    try:
        stay.validate_constraints()
    except ValidationError as error:
        return error.messages
    return []


@pytest.fixture
def model(ruled, history):
    return history.model("annexe.Stay")


def test_forms_say_what_the_database_would_refuse(model):
    stay = model(room=1, arrival=date(2026, 1, 2), departure=date(2026, 1, 3), status="booked")
    assert form_errors(stay) == ["The room is booked."]
    stay.departure = stay.arrival
    assert form_errors(stay) == ["The guest must leave after the day of arrival."]
    stay.departure, stay.room = stay.arrival + timedelta(1), 9
    assert form_errors(stay) == []
    stay.note = "oNE"
    assert form_errors(stay) == ["Constraint “note_unique” is violated."]


def test_forms_let_exempt_rows_be_edited_onto_themselves(model):
    assert [form_errors(stay) for stay in model.objects.all()] == [[]] * 9
    stay = model.objects.get(pk=1)
    stay.departure += timedelta(1)
    assert form_errors(stay) == ["The room is booked."]
    stay.departure = date(2026, 1, 4)
    assert form_errors(stay) == []
    stay = model.objects.get(pk=6)
    stay.departure = stay.arrival
    assert form_errors(stay) == ["The guest must leave after the day of arrival."]


def test_forms_let_neighbours_and_those_without_an_end_stand(model):
    stay = model(room=1, arrival=date(2026, 1, 9), departure=date(2026, 1, 11), status="booked")
    assert form_errors(stay) == []
    stay.departure = None
    assert form_errors(stay) == []
    stay.arrival = date(2026, 1, 8)
    assert form_errors(stay) == ["The room is booked."]


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
