"""Where a database is said to stand: what is to be recorded then, and whether it is true."""

from hotel.migrator import drift
from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.targets import label, labels, parse, quoted

SHOWN = 10  # differences that a refusal names


def planned(graph, targets, applied):
    """Return what is to be recorded, what is not any more, in order, and all that this is about.

    Raises WrongUse for what is no place, and for places that cannot both be true.
    """
    wanted, unwanted, bases = set(), set(), {}
    for text in targets:
        target = parse(graph, text)
        app = target.app
        if target.kind == "base":
            gone = {app} if app else graph.own  # alone, it means nothing but what else is named
            unwanted.update(key for key in graph.order if key[0] in gone)
            if app:
                bases[text] = app
            continue
        if target.kind == "step":
            raise WrongUse(
                f"{quoted(text)} is no place to stand at: name a revision such as app.0003, heads"
                " or base. manage.py db history lists all revisions."
            )
        if target.kind == "revision":
            ends = [target.key]
        else:
            ends = graph.leaves(app) if app else graph.heads()
        for key in ends:
            wanted.update(graph.ancestors(key), {key})
            unwanted.update(graph.descendants(key))
    for text, app in bases.items():
        if kept := [key for key in graph.order if key[0] == app and key in wanted]:
            raise WrongUse(
                f"{quoted(text)} says that {label(kept[0])} is not applied, and another of these"
                " places needs it: name the one or the other."
            )
    unwanted -= wanted
    unwanted.update(*map(graph.descendants, [*unwanted]))  # none is wanted: it would need this one
    there = set(applied)
    return (
        [key for key in graph.order if key in wanted and key not in there],
        [key for key in reversed(graph.order) if key in unwanted and key in there],
        wanted | unwanted,
    )


def refuse_another_place(standing, recorded):
    """Raise RefusedByPreflight if the database is not what the ``recorded`` migrations make."""
    keys = drift.in_order(standing.graph, recorded)
    for key in keys:
        gaps = [parent for parent in standing.graph.parents[key] if parent not in recorded]
        if gaps:
            raise WrongUse(
                f"{label(key)} would be recorded without {labels(gaps)}, which it needs: stamp"
                f" {'these' if len(gaps) > 1 else 'that'} too."
            )
    found = drift.Report(standing.connection, standing.loader, keys).differences
    if found:
        more = f" And {len(found) - SHOWN} more." if len(found) > SHOWN else ""
        raise RefusedByPreflight(
            f"The database does not stand there, so nothing was recorded."
            f" {' '.join(str(difference) for difference in found[:SHOWN])}{more} Stamp where it"
            " stands, or mend it and stamp again; --force records it all the same."
        )
