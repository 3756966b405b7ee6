"""Apps whose files are written, merged and rebased."""

import pytest

from hotel.migrator.tests.authoring import forks, written
from hotel.migrator.tests.authoring.forks import FIRST, ROOM, VIEW, WING


@pytest.fixture
def rooms(annexe, history):
    """An app with the table ``annexe_room`` and three rows, and models that say the same."""
    annexe.models(written.MODELS).make()
    annexe.migrate()
    for number, floor in (("101", 1), ("202", 2), ("attic", None)):
        history.insert("annexe_room", number=number, floor=floor)
    return annexe


COLUMNS = """    view = models.TextField()
    wing = models.TextField(null=True)
"""


RULE = """
def rule(apps, value):
    return Value("sea")
"""


@pytest.fixture
def plain_rooms(annexe, history):
    annexe.write("0001_initial", ROOM).migrate()
    history.insert("annexe_room", number="1")
    return annexe


@pytest.fixture
def branches(plain_rooms, project):
    """One side adds a required column in three steps, the other a column in one.

    An app of its own depends on the first side, and has it run before something else.
    """
    plain_rooms.write("0002_add_view", VIEW, after=FIRST)
    plain_rooms.write(
        "0003_fill_view",
        'BatchedRunPython(rule, BatchedRunPython.keep, "room", "view")',
        code=RULE,
        atomic=False,
        after=[("annexe", "0002_add_view")],
    )
    plain_rooms.write(
        "0004_require_view",
        """
        operations.CatchUp("0003_fill_view", "room", "view"),
        operations.RequireField(
            "room", "view", models.TextField(), backfill='0003_fill_view'  # 0003_fill_view
        ),
        """,
        atomic=False,
        after=[("annexe", "0003_fill_view")],
    )
    plain_rooms.write("0002_add_wing", WING, after=FIRST)
    stables = project.app("stables").write("0001_initial", after=[])
    stables.write("0002_fill", after=[("stables", "0001_initial"), ("annexe", "0003_fill_view")])
    stables.write(
        "0003_more",
        'migrations.RunSQL("SELECT 1", "SELECT 1")',
        code='    # ("annexe", "0003_fill_view")\nNOTE = "see annexe.0003_fill_view"',
        after=[("stables", "0002_fill")],
    )
    text = stables.path("0003_more").read_text()
    stables.path("0003_more").write_text(
        text.replace(
            "    atomic",
            "    run_before = [('annexe',\n        '0004_require_view')]  # !\n    atomic",
        )
    )
    plain_rooms.models(forks.MODELS + COLUMNS)
    return plain_rooms
