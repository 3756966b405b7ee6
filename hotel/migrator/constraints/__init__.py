"""Rules that the database holds, and from which rows that broke them before are exempt.

What models and migrations may import. Names are only added, because old migrations import them from
here for ever. A ``Check`` is a CHECK; an ``Exclusion`` forbids two rows that clash: the same
number, or the same room over nights that overlap. ``AppendOnly`` lets rows only be added,
``Frozen`` lets only some of their columns change. ``Closable`` is a table of periods that are
closed one after the other, and ``Sealed`` holds what belongs to a closed one.
``HasParts`` and ``MakesWhole`` keep a row the sum of its parts, which are rows of another table.

Old rows stay as they are: ``operations.AddRules`` writes the names of the rules that a row breaks
into its column ``exemptions`` (``fields.ExemptionsField``). An exempt row may be edited, and
clashes with every row that is not exempt. Changing a column that the rule reads ends the exemption,
in the database; no row is ever given one afterwards, by INSERT or UPDATE. That two exempt rows are
never compared lets in nothing: as long as both stand unchanged, they clash no more than they did.

PostgreSQL holds a ``Check`` and an ``Exclusion`` by constraints, and triggers end exemptions.
SQLite has no exclusion constraints: triggers keep the pairs of rows that clash in
``migrator_conflicts``, whose foreign key no row can satisfy at the end of the transaction. The
triggers are made by the schema editor's deferred SQL, so that they outlive every rebuild of their
table.
"""

from hotel.migrator.constraints.append_only import AppendOnly
from hotel.migrator.constraints.closing import Closable, Sealed
from hotel.migrator.constraints.exclusions import Exclusion, refuse_clashes
from hotel.migrator.constraints.frozen import Frozen
from hotel.migrator.constraints.parts import HasParts, MakesWhole, Parts
from hotel.migrator.constraints.rules import Check, Rule

__all__ = [
    "AppendOnly",
    "Check",
    "Closable",
    "Exclusion",
    "Frozen",
    "HasParts",
    "MakesWhole",
    "Parts",
    "Rule",
    "Sealed",
    "refuse_clashes",
]

# Django writes into migration files where a class says it is from.
for _rule in (
    AppendOnly,
    Check,
    Closable,
    Exclusion,
    Frozen,
    HasParts,
    MakesWhole,
    Rule,
    Sealed,
):
    _rule.__module__ = __name__
