"""Fixtures of the tests of operations."""

import pytest
from django.db import connection

from hotel.migrator.tests.operations.stays import IMPORTS, LEGACY, MODEL, RULES, insert


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
