"""What every run of the tests would do over and over, done once or by a shorter way.

A pytest plugin, named in the root conftest.py. Its own test shows that the shorter ways end where
Django's and ours do.
"""

import os
from copy import copy

import pytest
from django.db.models.fields import Field

from hotel.migrator.schema import replays

PLAIN = ("django.db.models.fields", "django.db.models.fields.json")
_anew = Field.clone


def clone(field):
    """Return what ``Field.clone`` does; a field that no model has yet is not taken apart for it.

    Half the time of rendering models of the past is spent there.
    """
    if type(field).__module__ not in PLAIN or "attname" in vars(field):
        return _anew(field)
    made = copy(field)
    made.name = None  # which a state of models may have given it
    if field.auto_created:
        made.creation_counter = Field.auto_creation_counter
        Field.auto_creation_counter -= 1
    else:
        made.creation_counter = Field.creation_counter
        Field.creation_counter += 1
    return made


@pytest.fixture(scope="session", autouse=True)
def _quick():
    """Copy fields quickly; believe a replay that was kept by this run, as if just made.

    Tests of what is kept set ``XDG_CACHE_HOME``: there nothing is changed.
    """
    home, replay = os.environ["XDG_CACHE_HOME"], replays._replay

    def of_this_run(connection, loader, keys, fresh):
        if os.environ["XDG_CACHE_HOME"] != home:
            return replay(connection, loader, keys, fresh)
        made = replay(connection, loader, keys, False)
        return replays.Replay(made.catalog, made.touched, is_fresh=fresh or made.is_fresh)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Field, "clone", clone)
        patch.setattr(replays, "_replay", of_this_run)
        yield
