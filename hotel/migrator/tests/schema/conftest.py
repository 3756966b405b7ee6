"""Databases that tests of drift damage and mend, made once a session."""

from functools import cache

import pytest

from hotel.migrator.tests import drifts


@cache
def _replay_of_head():
    replay = drifts.report().replay  # nothing differs, so it is as good as a new one
    replay.is_fresh = True
    return replay


@pytest.fixture
def at_head(history):
    """Return a Replay of all migrations that need not be made again; the database is at head."""
    history.at("head")
    return _replay_of_head()


@pytest.fixture
def hotel(history):
    """A hotel at head with rows in every table of the project."""
    if history.is_kept("hotel"):
        return history.at("hotel")
    history.initial().load_sample().climb()
    _fill(history)
    history.reset_sequences()
    return history.keep("hotel").at("hotel")


def _fill(history):
    """Add a row to each table that the sample left empty, and what some damages ask of rows."""
    history.migrate()  # content types, permissions and who was granted them
    day, at = "2026-05-05", "2026-05-05 12:00:00+00:00"
    for table, row in {
        "daily_metrics": {
            **{"day": day, "room_type_id": _first(history, "room_types"), "rooms": 9},
            **{"rooms_out_of_order": 1, "rooms_sold": 5, "room_revenue": "500.50", "arrivals": 2},
            **{"departures": 2, "cancellations": 0, "no_shows": 0, "computed_at": at},
        },
        "deposit_movements": {
            **{"reservation_id": _first(history, "reservations"), "kind": "collected"},
            **{"amount": "100.10", "business_date": day, "evidence": "recorded"},
        },
        "expenses": {"date": at, "category": "soap", "amount": "3.30"},
        "guest_images": {
            **{"guest_id": _first(history, "guests"), "image_type": "passport"},
            **{"file_path": "a/b", "file_name": "b"},
        },
        "users_user_permissions": {
            "user_id": _first(history, "users"),
            "permission_id": _first(history, "auth_permission"),
        },
    }.items():
        history.insert(table, **row)
    history.execute("UPDATE guests SET nationality = 'ID' WHERE nationality IS NULL")


def _first(history, table):
    [(key,)] = history.execute(f"SELECT min(id) FROM {table}")
    return key
