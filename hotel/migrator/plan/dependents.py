"""What hangs on a table or a column that a plan drops or changes, and no model knows of.

Views, triggers, rules, functions, policies and the like that ``RunSQL`` or a hand has made.
PostgreSQL drops them with the column without a word (CASCADE), or does not change its type;
SQLite stops in between. So they are looked for before, and named. It reads only: on SQLite the plan
is followed on a copy of the schema in memory.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.plan.dependents_postgresql import DependentsOfPostgreSQL
from hotel.migrator.plan.dependents_sqlite import DependentsOfSQLite
from hotel.migrator.plan.finding import Finding
from hotel.migrator.plan.steps import Step


def look(connection: BaseDatabaseWrapper, walked: list[Step]) -> list[Finding]:
    """Return the Findings about steps, in their order."""
    if not walked:
        return []
    if connection.vendor == "postgresql":
        return DependentsOfPostgreSQL(connection).look(walked)
    return DependentsOfSQLite(connection).look(walked)
