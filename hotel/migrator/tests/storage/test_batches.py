"""Batches that are killed, stopped by an error or written to in between, and then run again."""

import logging
import signal

import pytest
from django.db import IntegrityError, connection

from hotel.migrator.exceptions import FailedDuringApply, Interrupted
from hotel.migrator.storage.tables import Cursor
from hotel.migrator.tests.projects import EVERY
from hotel.tests import stress

ROOM = """
operations.CreateModel(
    "Room",
    [
        ("id", models.AutoField(primary_key=True)),
        ("floor", models.IntegerField(null=True)),
        ("price", models.DecimalField(max_digits=8, decimal_places=2)),
    ],
)
"""

CODE = """
import os
import signal
from pathlib import Path

from django.db import connection, transaction

HERE = Path(__file__).parent
RAN = []

def dearer(apps, price):
    # Twice is not the same as once. It is asked before the first batch, and once a batch.
    RAN.append(1)
    if len(RAN) == 4 and (HERE / "kill").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if len(RAN) == 4 and (HERE / "stop").exists():
        raise ValueError("stopped")
    if len(RAN) > 1 and (HERE / "between.sql").exists():
        for sql in (HERE / "between.sql").read_text().splitlines():
            transaction.on_commit(lambda sql=sql: connection.cursor().execute(sql))
        (HERE / "between.sql").unlink()
    return price * 2 + 1

def cheaper(apps, price):
    if (HERE / "stop down").exists():
        raise ValueError("stopped on the way down")
    return (price - 1) * Decimal("0.5")

def lower(apps, floor):
    return Case(When(floor__lt=3, then=Value(0)), default=floor)
"""


@pytest.fixture
def rooms(annexe, history):
    """Five rooms, whose prices and floors 0002 changes in batches of two."""
    annexe.write("0001_initial", ROOM)
    annexe.write(
        "0002_raise_prices",
        """
        BatchedRunPython(dearer, cheaper, "room", "price", batch_size=2),
        BatchedRunPython(lower, BatchedRunPython.keep, "room", "floor", batch_size=2),
        """,
        code=CODE,
        atomic=False,
    )
    annexe.migrate("0001_initial")
    for number in range(1, 6):
        history.insert("annexe_room", id=number, floor=number % 5 or None, price=f"{number}0.50")
    return annexe


UNDISTURBED = [
    (1, 0, "22.00"),
    (2, 0, "42.00"),
    (3, 3, "62.00"),
    (4, 4, "82.00"),
    (5, None, "102.00"),
]


def rows(history):
    found = history.execute("SELECT id, floor, price FROM annexe_room ORDER BY id")
    return [(key, floor, f"{price:.2f}") for key, floor, price in found]


# Killed


@stress.whole
def test_killed_before_any_change_on_the_way_up_it_goes_on_and_ends_the_same(
    rooms, project, history
):
    start = project.facts()
    rooms.migrate()
    assert rows(history) == UNDISTURBED
    head = project.facts(), project.archive()
    kills = 0
    while True:
        rooms.migrate("0001_initial")
        assert project.facts() == start
        if not project.killed(kills + 1, "annexe"):
            break
        kills += EVERY
        rooms.migrate()
        assert (project.facts(), project.archive()) == head
        assert not Cursor.objects.exists()
    assert kills > 20


@stress.whole
def test_killed_before_any_change_on_the_way_down_it_goes_on_and_ends_the_same(
    rooms, project, history
):
    start = project.facts()
    rooms.migrate()
    head = project.facts()
    kills = 0
    while project.killed(kills + 1, "annexe", "0001_initial"):
        kills += EVERY
        rooms.migrate("0001_initial")
        assert project.facts() == start
        assert not Cursor.objects.exists()
        rooms.migrate()
        assert project.facts() == head
    assert kills > 20


@stress.whole
def test_killed_before_any_change_of_a_required_column_it_goes_on_and_ends_the_same(
    annexe, project, history
):
    annexe.write("0001_initial", ROOM)
    annexe.write(
        "0002_fill",
        """BatchedRunPython(fill, BatchedRunPython.keep, "room", "floor", batch_size=2)""",
        code="""
            def fill(apps, floor):
                return Case(When(floor=None, then=Value(0)), default=floor)
        """,
        atomic=False,
    )
    annexe.write(
        "0003_require",
        """
        operations.RequireField(
            "room", "floor", models.IntegerField(db_default=0), backfill="0002_fill"
        )
        """,
        atomic=False,
    )
    annexe.migrate("0002_fill")
    for key in range(1, 4):
        history.insert("annexe_room", id=key, floor=key if key == 2 else None, price="1")
    start = project.facts()
    annexe.migrate()
    head = project.facts()
    assert [floor for _, floor, _ in rows(history)] == [0, 2, 0]
    for way, (target, there, back) in {
        "up": ((), head, ["0002_fill"]),
        "down": (("0002_fill",), start, []),
    }.items():
        annexe.migrate(*back)
        kills = 0
        while project.killed(kills + 1, "annexe", *target):
            kills += EVERY
            annexe.migrate(*target)
            assert project.facts() == there, f"{way}, killed before change {kills + 1 - EVERY}"
            annexe.migrate(*back)
        assert kills > 3


def test_command_killed_in_its_third_batch_goes_on_and_changes_no_row_twice(
    rooms, project, history
):
    (rooms.migrations / "kill").touch()
    killed = project.manage("migrate", "annexe")
    assert killed.returncode == -signal.SIGKILL
    assert [price for _, _, price in rows(history)] == ["22.00", "42.00", "62.00", "82.00", "50.50"]
    assert Cursor.objects.values_list("owner", "last_key", "rows_read").get() == (
        "annexe.0002_raise_prices#0 forward",
        "4",
        4,
    )
    (rooms.migrations / "kill").unlink()
    again = project.manage("migrate", "annexe")
    assert again.returncode == 0, again.stderr
    assert "Applying annexe.0002_raise_prices... OK" in again.stdout
    assert "annexe.0002_raise_prices: 5 rows read, 5 changed, 0 archived" in again.stderr
    assert rows(history) == UNDISTURBED
    assert not Cursor.objects.exists()


def test_killed_run_leaves_rows_that_were_edited_since_as_they_are(rooms, project, history):
    (rooms.migrations / "kill").touch()
    project.manage("migrate", "annexe")
    history.execute("UPDATE annexe_room SET price = 7 WHERE id = 1")
    history.execute("DELETE FROM annexe_room WHERE id = 4")
    history.execute("UPDATE annexe_room SET price = 8 WHERE id = 5")
    (rooms.migrations / "kill").unlink()
    project.manage("migrate", "annexe")
    assert rows(history) == [
        (1, 0, "7.00"),
        (2, 0, "42.00"),
        (3, 3, "62.00"),
        (5, None, "17.00"),
    ]


# Stopped by an error


def test_error_in_a_rule_keeps_the_batches_before_it_and_the_next_run_goes_on(
    rooms, project, history
):
    (rooms.migrations / "stop").touch()
    with pytest.raises(ValueError, match=r"^stopped$"):
        rooms.migrate()
    assert [price for _, _, price in rows(history)] == ["22.00", "42.00", "62.00", "82.00", "50.50"]
    (rooms.migrations / "stop").unlink()
    rooms.migrate()
    assert rows(history) == UNDISTURBED


def test_error_on_the_way_down_changes_nothing_and_the_next_run_goes_down(rooms, project, history):
    start = project.facts()
    rooms.migrate()
    (rooms.migrations / "stop down").touch()
    with pytest.raises(ValueError, match=r"^stopped on the way down$"):
        rooms.migrate("0001_initial")
    assert [price for _, _, price in rows(history)] == [row[2] for row in UNDISTURBED]
    assert [floor for _, floor, _ in rows(history)] == [1, 2, 3, 4, None]
    (rooms.migrations / "stop down").unlink()
    rooms.migrate("0001_initial")
    assert project.facts() == start


def test_error_in_an_atomic_migration_undoes_all_of_it(annexe, project, history):
    annexe.write("0001_initial", ROOM)
    annexe.write(
        "0002_raise_prices",
        """BatchedRunPython(dearer, cheaper, "room", "price", batch_size=2)""",
        code=CODE,
    )
    annexe.migrate("0001_initial")
    for number in range(1, 6):
        history.insert("annexe_room", id=number, price=f"{number}0.50")
    facts = project.facts()
    (annexe.migrations / "stop").touch()
    with pytest.raises(ValueError, match=r"^stopped$"):
        annexe.migrate()
    assert project.facts() == facts
    (annexe.migrations / "stop").unlink()
    annexe.migrate()
    assert [price for _, _, price in rows(history)] == [row[2] for row in UNDISTURBED]
    assert not Cursor.objects.exists()


def test_row_that_the_database_refuses_stops_its_batch_alone(annexe, project, history):
    annexe.write("0001_initial", ROOM)
    annexe.write(
        "0002_raise_prices",
        """BatchedRunPython(dearer, BatchedRunPython.keep, "room", "price", batch_size=2)""",
        code="""
            def dearer(apps, price):
                return Case(When(price=30, then=Value(None)), default=price + 1)
        """,
        atomic=False,
    )
    annexe.migrate("0001_initial")
    for number in range(1, 6):
        history.insert("annexe_room", id=number, price=number * 10)
    with pytest.raises(IntegrityError, match=r"(?i)not.null|null value"):
        annexe.migrate()
    assert [price for _, _, price in rows(history)] == ["11.00", "21.00", "30.00", "40.00", "50.00"]
    assert [entry[3] for entry in project.archive()] == ["1", "2"]
    history.execute("UPDATE annexe_room SET price = 31 WHERE id = 3")
    annexe.migrate()
    assert [price for _, _, price in rows(history)] == ["11.00", "21.00", "32.00", "41.00", "51.00"]
    annexe.migrate("0001_initial")
    assert [price for _, _, price in rows(history)] == ["10.00", "20.00", "31.00", "40.00", "50.00"]


# Written to in between


def test_row_born_ahead_of_the_batches_is_changed_and_one_behind_is_left(rooms, history):
    """One that is left is what CatchUp, or RequireField, finds later."""
    history.execute("DELETE FROM annexe_room WHERE id = 2")
    (rooms.migrations / "between.sql").write_text(
        "INSERT INTO annexe_room (id, floor, price) VALUES (2, 3, 20.50), (9, 3, 90.50)"
    )
    rooms.migrate()
    assert [(key, price) for key, _, price in rows(history)] == [
        (1, "22.00"),
        (2, "20.50"),
        (3, "62.00"),
        (4, "82.00"),
        (5, "102.00"),
        (9, "182.00"),
    ]


def test_row_edited_or_deleted_between_two_batches_is_changed_as_it_then_is(rooms, history):
    (rooms.migrations / "between.sql").write_text(
        "UPDATE annexe_room SET price = 1 WHERE id IN (1, 4)\nDELETE FROM annexe_room WHERE id = 5"
    )
    rooms.migrate()
    assert [(key, price) for key, _, price in rows(history)] == [
        (1, "1.00"),
        (2, "42.00"),
        (3, "62.00"),
        (4, "3.00"),
    ]


def test_batches_that_another_process_has_changed_meanwhile_are_not_changed_again(rooms, history):
    (rooms.migrations / "between.sql").write_text(
        "UPDATE annexe_room SET price = price * 2 + 1 WHERE id > 2\n"
        "UPDATE migrator_cursor SET last_key = '5', rows_read = 5, rows_changed = 5"
    )
    with pytest.raises(FailedDuringApply, match=r"^annexe\.0002_raise_prices was run by another"):
        rooms.migrate()
    assert [row[2] for row in rows(history)] == [row[2] for row in UNDISTURBED]
    rooms.migrate()
    assert rows(history) == UNDISTURBED


def test_batches_do_not_go_on_by_another_rule(rooms, project, history):
    file = rooms.path("0002_raise_prices")
    text = file.read_text()
    (rooms.migrations / "stop").touch()
    with pytest.raises(ValueError, match=r"^stopped$"):
        rooms.migrate()
    before = project.facts()
    file.write_text(text.replace("price * 2 + 1", "price * 3 + 1"))
    project.reload()
    with pytest.raises(Interrupted, match="its file was edited since: to go on with the new one"):
        rooms.migrate()
    assert project.facts() == before
    file.write_text(text)
    (rooms.migrations / "stop").unlink()
    project.reload()
    rooms.migrate()
    assert rows(history) == UNDISTURBED


def test_what_was_undone_by_hand_begins_at_the_first_batch(rooms, project, history):
    (rooms.migrations / "stop").touch()
    before = rows(history)
    with pytest.raises(ValueError, match=r"^stopped$"):
        rooms.migrate()
    history.execute("UPDATE annexe_room SET price = id * 10 + 0.5")
    assert rows(history) == before
    (rooms.migrations / "stop").unlink()
    project.migrate("annexe", "0001", fake=True).migrate()
    assert rows(history) == UNDISTURBED


# Sizes, keys and the log


@pytest.mark.parametrize("size, batches", [(1, 5), (2, 3), (5, 1), (1000, 1)])
def test_batches_have_their_size_and_end_the_same(annexe, history, size, batches):
    annexe.write("0001_initial", ROOM)
    annexe.write(
        "0002_raise_prices",
        f"""BatchedRunPython(dearer, cheaper, "room", "price", batch_size={size})""",
        code=CODE,
        atomic=False,
    )
    annexe.migrate("0001_initial")
    for number in range(1, 6):
        history.insert("annexe_room", id=number, price=f"{number}0.50")
    updates = []

    def note(execute, sql, *arguments):
        updates.extend([sql] if sql.startswith('UPDATE "annexe_room"') else [])
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        annexe.migrate()
    assert len(updates) == batches
    assert [price for _, _, price in rows(history)] == [row[2] for row in UNDISTURBED]


def test_row_whose_key_is_the_empty_text_is_changed_once(annexe, history):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Word",
            [
                ("id", models.CharField(max_length=9, primary_key=True)),
                ("times", models.IntegerField()),
            ],
        )
        """,
    )
    annexe.write(
        "0002_count",
        """BatchedRunPython(up, down, "word", "times", batch_size=1)""",
        code="""
            def up(apps, times):
                return times + 1

            def down(apps, times):
                return times - 1
        """,
        atomic=False,
    )
    annexe.migrate("0001_initial")
    for key in ("", "a"):
        history.insert("annexe_word", id=key, times=0)
    annexe.migrate()
    assert history.execute("SELECT id, times FROM annexe_word ORDER BY id") == [("", 1), ("a", 1)]


def test_log_names_the_values_when_it_may_and_only_then(annexe, history, caplog):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Room",
            [
                ("id", models.AutoField(primary_key=True)),
                ("value", models.CharField(max_length=20, null=True)),
                ("rows", models.CharField(max_length=20, null=True)),
            ],
        )
        """,
    )
    annexe.write(
        "0002_clean",
        """
        BatchedRunPython(up, BatchedRunPython.keep, "room", "value", tally=True),
        BatchedRunPython(up, BatchedRunPython.keep, "room", "rows"),
        """,
        code="""
            def up(apps, value):
                return expressions.translate(value, {"old": "new"}, otherwise="new")
        """,
    )
    annexe.migrate("0001_initial")
    for value in ("old", "old", "old", "o'dd one", "o'dd one", None):
        history.insert("annexe_room", value=value, rows="secret")
    with caplog.at_level(logging.INFO, "hotel.migrator.storage.batches"):
        annexe.migrate()
    assert [record.getMessage().strip() for record in caplog.records] == [
        "annexe.0002_clean: 6 rows read, 6 changed, 6 archived;"
        ' value old 3, "o\'dd one" 2, NULL 1 -> value new 6',
        "annexe.0002_clean: 6 rows read, 6 changed, 6 archived",
    ]
