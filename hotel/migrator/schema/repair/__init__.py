"""The DDL that would make a live schema what its migrations make; printed, never run.

``sqlite`` and ``postgresql`` write it. ``limits`` says what no statement mends.
"""

from hotel.migrator.messages.output import printable
from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.schema.difference import Difference
from hotel.migrator.schema.repair import limits, postgresql, sqlite


def script(
    vendor: str, differences: list[Difference], expected: Catalog, actual: Catalog
) -> list[str]:
    """Return statements, in an order in which they can run, that mend ``differences``.

    What ``by_hand`` says of is left out; [] if nothing is left.
    """
    mend = {"postgresql": postgresql.script, "sqlite": sqlite.script}[vendor]
    made = mend(differences, expected, actual) if differences else []
    if made:
        said = [f"-- Left out: {_in_one_line(one)}" for one in differences if one.hindered]
        if dropped := lost(differences):
            said.append(f"-- This drops, with what is in it: {dropped}.")
        made[0] = "\n".join([*said, made[0]])
    return made


def by_hand(
    vendor: str, difference: Difference, differences: list[Difference], expected: Catalog
) -> str:
    """Return why no statement mends a difference, as part of a sentence; "" if one does.

    differences: all of them, since a table that must be made anew by hand is left alone.
    """
    left = {one.thing.table for one in differences if limits.by_hand(one)}
    if why := limits.by_hand(difference):
        return why
    if vendor == "postgresql":
        table = limits.goes_with(difference, left, expected)
    else:
        table = difference.thing.table if difference.thing.table in left else ""
    if table:
        return f"it goes with the table {table}, which has to be mended first"
    return ""


def lost(differences: list[Difference]) -> str:
    """Return what a script drops with the values in it, as part of a sentence; or ""."""
    left = {one.thing.table for one in differences if limits.by_hand(one)}
    dropped = [one.thing for one in differences if _loses(one) and one.thing.table not in left]
    return ", ".join(map(_in_one_line, dropped))


def _loses(difference: Difference) -> bool:
    """Tell whether what mends it drops values. A renamed column of another type is among these."""
    kind = difference.thing.kind
    return (difference.what == "extra" and kind in ("table", "column")) or (
        kind == "column" and "generated" in difference.attributes
    )


def _in_one_line(thing: Thing | Difference) -> str:
    return printable(" ".join(str(thing).split()))
