"""How much a test does: some of it in ``make test``, more in CI, all of it in ``make stress``.

``make stress`` sets ROUND_TRIPS and KILLS (ROUNDS and KILLS there). What does more the higher they
are is marked ``stressed``: CI runs that with few. Sets of cases are tried whole from 30 rounds on,
and otherwise as in ``make test``: a test of such a set is marked with ``whole``, one that runs only
then with ``only_whole``. With fewer rounds nothing selects these: they would do nothing more.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import pytest

ROUNDS = int(os.environ.get("ROUND_TRIPS", 0))
KILLS = int(os.environ.get("KILLS", 0))
IS_WHOLE = ROUNDS >= 30

Test = TypeVar("Test", bound=Callable[..., object])

skip_unless_whole = pytest.mark.skipif(not IS_WHOLE, reason="in make stress")


def whole(test: Test) -> Test:
    """Mark a test that tries a whole set of cases when ``IS_WHOLE``, and some of it otherwise."""
    test = pytest.mark.whole(test)
    return pytest.mark.stressed(test) if IS_WHOLE else test


def only_whole(test: Test) -> Test:
    """Mark a test that runs only when ``IS_WHOLE``."""
    return whole(skip_unless_whole(test))
