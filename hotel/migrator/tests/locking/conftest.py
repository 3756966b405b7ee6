"""An app whose texts, values and rules a setting of the session may change."""

import pytest

from hotel.migrator.storage import journal as records
from hotel.migrator.tests.sessions import DEPOSIT, MODELS

MARK = """
from hotel.migrator.expressions import mentions

def mark(apps, notes):
    return Case(When(mentions(notes, "deposit"), then=Value(True)), default=Value(False))
"""


@pytest.fixture(autouse=True)
def _who_runs_this_is_asked_anew():
    records._where.cache_clear()
    yield
    records._where.cache_clear()


@pytest.fixture
def hotel_of_two(annexe):
    """An app of three migrations, whose texts, values and rules a setting may change."""
    annexe.models(MODELS.replace("DEPOSIT", ""))
    annexe.make()
    annexe.models(MODELS.replace("DEPOSIT", DEPOSIT))
    annexe.make()
    annexe.write(
        "0003_mark",
        'BatchedRunPython(mark, BatchedRunPython.clear, "stay", "is_deposit", source="notes")',
        code=MARK,
        atomic=False,
    )
    return annexe
