"""A live schema, and its rows, as facts that can be compared.

A fact is about a ``Thing``: a table, a column, an index … with its attributes as text. Column order
is left out: a column that was dropped and added again stands last.
"""

from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.locking import sessions
from hotel.migrator.schema.catalog import postgresql, sqlite
from hotel.migrator.schema.catalog.facts import Catalog, Thing
from hotel.migrator.schema.catalog.rows import dump

__all__ = ["Catalog", "Thing", "dump", "read"]


def read(connection: BaseDatabaseWrapper, tables: Collection[str] | None = None) -> Catalog:
    """Return the Catalog of the schema that ``connection`` uses, or of some tables of it."""
    with sessions.settled(connection), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return sqlite.Reader(cursor, tables).catalog
        return postgresql.Reader(cursor, tables).catalog
