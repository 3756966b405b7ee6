"""Graphs of made-up projects, and how tests read plans and refusals."""

from itertools import pairwise

import pytest
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.migration import Migration

from hotel.migrator.exceptions import MigratorError
from hotel.migrator.revisions.graph import Graph


def keys(text):
    """Return the keys of ``a.1 b.1``, in order."""
    return [tuple(name.split(".")) for name in text.split()]


def django_graph(chains):
    """Return Django's graph of ``a.1 > a.2 > a.3, b.1 > a.2``: the right depends on the left."""
    graph = MigrationGraph()
    chains = [keys(chain.replace(">", " ")) for chain in chains.split(",")]
    for key in sorted({key for chain in chains for key in chain}):
        graph.add_node(key, Migration(key[1], key[0]))
    for chain in chains:
        for parent, child in pairwise(chain):
            graph.add_dependency(None, child, parent)
    return graph


def drawn(chains, own):
    return Graph.from_django(django_graph(chains), own.split())


def shown(plan):
    """Return the steps of a plan; those that only come along stand in brackets."""
    assert set(plan.required) == set(plan.steps) - plan.counted
    names = (".".join(key) if key in plan.counted else f"({'.'.join(key)})" for key in plan.steps)
    return " ".join(names)


def refusal(verb, *arguments, **options):
    """Return the message and the exit code of a refused verb."""
    with pytest.raises(MigratorError) as refused:
        verb(*arguments, **options)
    return str(refused.value), refused.value.returncode


HOTEL = drawn(
    "auth.1 > auth.2, accounts.1 > accounts.2, auth.1 > accounts.1, auth.2 > accounts.2,"
    "accounts.1 > admin.1, sessions.1, rooms.1 > rooms.2, rooms.1 > booking.1,"
    "booking.1 > booking.2 > booking.3, rooms.2 > booking.2",
    own="accounts rooms booking",
)
G = keys(
    "auth.1 auth.2 accounts.1 accounts.2 admin.1 rooms.1 rooms.2 booking.1 booking.2 booking.3"
    " sessions.1"
)
NAMED = drawn(
    "booking.0001_initial > booking.0002_add_deposit > booking.0003_fill_deposit,"
    "booking.0003_fill_deposit > booking.0003_fill_deposit_again, rooms.0001_initial,"
    f"rooms.0001_initial > {' > '.join(f'rooms.0002_step_{letter}' for letter in 'abcdefghijkl')}",
    own="booking rooms",
)
