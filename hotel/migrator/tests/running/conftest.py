"""Tables, a session that stands in the way of their locks, and who hears what is said of it."""

import logging
import re

import pytest
from django.db import connection

from hotel.migrator.tests.projects import BEDS


@pytest.fixture
def tables(annexe, history):
    """Rooms, and beds in them; one row each."""
    annexe.write("0001_initial", BEDS).migrate()
    history.insert("annexe_room", floor=1)
    history.insert("annexe_bed", room_id=1)
    return annexe


@pytest.fixture
def reader():
    """A session of its own in a transaction that reads; closed at the end."""
    session = connection.copy()
    session.inc_thread_sharing()
    session.set_autocommit(False)
    yield session
    session.close()


class When(logging.Handler):
    """Does something once a message matches."""

    def __init__(self, pattern, action):
        super().__init__()
        self.pattern, self.action, self.seen = pattern, action, []

    def emit(self, record):
        """Look at a message."""
        self.seen.append(record.getMessage())
        if re.search(self.pattern, self.seen[-1]):
            self.action()


@pytest.fixture
def when():
    handlers = []
    logger = logging.getLogger("hotel.migrator.locking")

    def add(pattern, action):
        handlers.append(When(pattern, action))
        logger.addHandler(handlers[-1])
        return handlers[-1]

    yield add
    for handler in handlers:
        logger.removeHandler(handler)
