"""What would stop the script that mends a database: rows that do not fit, and views in the way.

Looked for before the script is written, so that none is printed which is known to stop. Each table
is asked as the script would leave it: under the names that its columns get, with values of the
types that they get. It reads only; what this role may not read, or the server cannot compute, is
left to the script, which then stops and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.schema.catalog import Catalog
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.hindrances.postgresql import OnPostgreSQL
from hotel.migrator.schema.hindrances.sqlite import OnSQLite


def told(
    connection: BaseDatabaseWrapper,
    differences: Iterable[Difference],
    expected: Catalog,
    actual: Catalog,
) -> list[Difference]:
    """Return the ``differences``, each with what would stop the statements that mend it.

    actual: what is there, with renamed tables under the names that they should have.
    """
    kind = {"postgresql": OnPostgreSQL, "sqlite": OnSQLite}[connection.vendor]
    looker = kind(connection, [*differences], expected, actual)
    said = ["; ".join(dict.fromkeys(looker.of(one))) for one in looker.differences]
    return [
        replace(one, hindered=why and f"{why}, and run manage.py db drift again")
        for one, why in zip(looker.differences, said, strict=True)
    ]
