"""RequireField on a throw-away app: late rows are filled, and are late again on the way back."""

import pytest
from django.db import IntegrityError

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.tests.projects import column


@pytest.fixture
def required(flags):
    """A column that is added, filled and required in three steps."""
    return flags.write(
        "0004_require_high",
        """
        operations.RequireField(
            "room", "high", models.BooleanField(db_default=False), backfill="0003_fill_high"
        )
        """,
        atomic=False,
    )


def test_required_column_fills_late_rows_and_gives_them_their_null_back(required, project, history):
    required.migrate("0003_fill_high")
    history.insert("annexe_room", number="late", floor=9)
    before = project.facts()
    required.migrate()
    assert [bool(value) for value in column(history, "high")] == [False, True, False, True]
    history.insert("annexe_room", number="default", floor=9)
    assert not column(history, "high")[-1]
    with pytest.raises(IntegrityError, match=r"(?i)not.null|null value"):
        history.insert("annexe_room", number="null", high=None)
    history.execute("DELETE FROM annexe_room WHERE number = 'default'")
    at_head = project.facts()
    required.migrate("0003_fill_high")
    assert project.facts() == before
    required.migrate()
    assert project.facts() == at_head


def test_late_row_that_was_edited_after_it_was_required_keeps_its_value(required, history):
    required.migrate("0003_fill_high")
    history.insert("annexe_room", number="late", floor=9)
    required.migrate()
    history.model("annexe.Room").objects.filter(number="late").update(high=False)
    required.migrate("0003_fill_high")
    assert column(history, "high")[3] is not None


def test_required_column_leaves_no_helper_behind(required, project):
    required.migrate()
    assert "required" not in str(project.facts()[1])


def test_required_column_in_an_atomic_migration_is_refused(flags, project):
    flags.write(
        "0004_require_high",
        'operations.RequireField("room", "high", models.BooleanField(), backfill="0003_fill_high")',
    ).migrate("0003_fill_high")
    facts = project.facts()
    with pytest.raises(
        RefusedByPreflight,
        match=r"annexe.0004_require_high \(Require high of room\) cannot be applied in a"
        r" transaction: it takes its steps in transactions of its own. Write atomic = False ",
    ):
        flags.migrate()
    assert project.facts() == facts


def test_required_column_without_a_backfill_is_refused(flags):
    flags.write(
        "0004_require_high",
        'operations.RequireField("room", "high", models.BooleanField(), backfill="0002_add_high")',
        atomic=False,
    )
    with pytest.raises(
        LookupError, match=r"^annexe.0002_add_high has no BatchedRunPython for room.high.$"
    ):
        flags.migrate()


def test_required_column_changes_nothing_but_null_and_the_default(flags, project):
    flags.write(
        "0004_require_high",
        """
        operations.RequireField(
            "room", "high", models.IntegerField(db_default=0), backfill="0003_fill_high"
        )
        """,
        atomic=False,
    ).migrate("0003_fill_high")
    facts = project.facts()
    with pytest.raises(
        RuntimeError,
        match=r"^annexe.0004_require_high#0 changes more than NULL and the default of high:"
        r" write an AlterField for the rest into a migration of its own.$",
    ):
        flags.migrate()
    assert project.facts() == facts


def test_required_column_may_lose_its_default(rooms, project, history):
    rooms.write(
        "0002_add_view",
        """operations.AddField("room", "view", models.TextField(null=True, db_default="yard"))""",
    )
    rooms.write(
        "0003_fill_view",
        """BatchedRunPython(fill, BatchedRunPython.keep, "room", "view")""",
        code="""
            def fill(apps, view):
                nothing = When(view=None, then=Value("none"))
                return Case(nothing, default=view, output_field=models.TextField())
        """,
        atomic=False,
    )
    rooms.write(
        "0004_require_view",
        'operations.RequireField("room", "view", models.TextField(), backfill="0003_fill_view")',
        atomic=False,
    )
    rooms.migrate("0003_fill_view")
    facts = project.facts()
    rooms.migrate()
    assert "yard" not in str(project.facts()[1])
    with pytest.raises(IntegrityError, match=r"(?i)not.null|null value"):
        history.insert("annexe_room", number="1")
    rooms.migrate("0003_fill_view")
    assert project.facts() == facts


def test_late_row_that_the_rule_leaves_empty_stops_it_and_the_next_run_goes_on(
    rooms, project, history
):
    rooms.write(
        "0002_fill_floor",
        """BatchedRunPython(fill, BatchedRunPython.keep, "room", "floor")""",
        code="""
            def fill(apps, floor):
                return Case(When(number="nowhere", then=floor), default=Value(1))
        """,
        atomic=False,
    )
    rooms.write(
        "0003_require_floor",
        """
        operations.RequireField(
            "room", "floor", models.IntegerField(), backfill="0002_fill_floor"
        )
        """,
        atomic=False,
    )
    rooms.migrate("0002_fill_floor")
    history.insert("annexe_room", number="nowhere")
    with pytest.raises(IntegrityError, match=r"(?i)not.null|_required"):
        rooms.migrate()
    history.execute("UPDATE annexe_room SET floor = 0 WHERE number = 'nowhere'")
    facts = project.facts()
    rooms.migrate()
    assert column(history, "floor") == [1, 1, 1, 0]
    assert "required" not in str(project.facts()[1])
    rooms.migrate("0002_fill_floor")
    assert project.facts()[0] == facts[0]
