"""A range of the history as one SQL script for plain ``psql`` or ``sqlite3``.

The migrations are run on a scratch database without rows, which stands where the script will begin,
and what they write is taken down (``recording``) and written out (``scripts``). So names that the
server chooses are right, and the live database is neither needed nor read.
"""

from dataclasses import dataclass

from hotel.migrator import recording, scratch, scripts
from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.targets import labels, parse, quoted

ENGINES = ("postgresql", "sqlite")


@dataclass(frozen=True)
class Range:
    """What a script does: ``steps`` in their order, on a database where ``start`` is applied.

    start: keys in the order G. ends: those of them that no other of them needs. own: labels of this
    project's apps among them. says: the range as the user wrote it.
    """

    start: tuple
    steps: tuple
    backwards: bool
    says: str
    ends: tuple
    own: frozenset

    @property
    def apps(self):
        """The labels of the apps of which exactly the start must be applied, sorted."""
        return sorted(self.own | {app for app, _ in self.steps})


def between(graph, says, backwards, *, cascade=False):
    """Return the Range that ``START:END`` means. Raises WrongUse, and RefusedByPreflight.

    An end is a revision (all of its ancestors are applied), base, heads, or of END a number of
    steps from START, as in ``app.0003:+2``. Only this project's own apps and what they depend on
    are in it; from base to heads, all apps. What depends on what goes down goes only with
    ``cascade``.
    """
    start, colon, end = says.partition(":")
    if not colon or ":" in end:
        verb, example = ("downgrade", "heads:app.0003") if backwards else ("upgrade", "base:heads")
        raise WrongUse(
            f"{verb} with --sql requires START:END, and {quoted(says)} is none: write manage.py db"
            f" {verb} {example} --sql, or let it read what is applied: manage.py db"
            f" {'downgrade -1' if backwards else 'upgrade heads --pending'} --sql."
        )
    start = start or ("heads" if backwards else "base")
    end = end or ("base" if backwards else "heads")
    is_all = {_kind(graph, start), _kind(graph, end)} == {"base", "head"}
    before = _reached(graph, start, is_all)
    after = _counted(graph, before, end) if _kind(graph, end) == "step" else None
    after = _reached(graph, end, is_all) if after is None else after
    low, high = (after, before) if backwards else (before, after)
    if not low <= high:
        raise WrongUse(
            f"{quoted(says)} leads nowhere: {'START' if backwards else 'END'} is not above"
            f" {'END' if backwards else 'START'} on the same branch. manage.py db history lists all"
            " revisions."
        )
    steps = [key for key in graph.order if key in high - low]
    if backwards:
        # What is contrib stays, unless it cannot.
        gone = {key for key in steps if key[0] in graph.own}
        required = {key for key in steps if not graph.ancestors(key).isdisjoint(gone)} - gone
        if required and not cascade:
            raise RefusedByPreflight(
                f"{quoted(says)} takes along {labels(sorted(required))}, which depend on what goes:"
                " --cascade writes a script that undoes them too."
            )
        steps = [key for key in reversed(graph.order) if key in gone | required]
    return range_of(graph, before, steps, backwards, says)


def from_plan(graph, plan, applied, says):
    """Return the Range that carries out a ``graph.Plan`` where ``applied`` is applied."""
    here = [key for key in applied if key in graph.place]
    return range_of(graph, frozenset(here), plan.steps, plan.backwards, says)


def range_of(graph, start, steps, backwards, says):
    """Return the Range of ``steps`` where the set ``start`` is applied."""
    there = tuple(key for key in graph.order if key in start)
    own = graph.own & {app for app, _ in (*there, *steps)}
    ends = tuple(key for key in graph.frontier(there) if key[0] in own) or graph.frontier(there)
    return Range(there, tuple(steps), backwards, says, ends, own)


def _kind(graph, end):
    return parse(graph, end).kind


def _reached(graph, end, is_all):
    """Return what is applied where the database stands at ``end``."""
    target = parse(graph, end)
    if target.kind == "base":
        return frozenset()
    if target.kind == "step":
        raise WrongUse(f"{quoted(end)} is no place to start at: name a revision, base or heads.")
    if target.kind == "revision":
        ends = [target.key]
    elif target.app:
        ends = graph.leaves(target.app)
    else:
        ends = [key for key in graph.heads() if is_all or key[0] in graph.own]
    return frozenset(ends).union(*map(graph.ancestors, ends))


def _counted(graph, before, end):
    """Return what is applied N steps of this project's own apps from ``before``."""
    number = parse(graph, end).number
    if number > 0:
        return before.union(graph.upgrade([end], before).steps)
    return before.difference(
        graph.downgrade(end, [key for key in graph.order if key in before]).steps
    )


def script(connection, loader, span, engine):
    """Yield the lines of the script for a Range on ``engine``.

    Raises RefusedByPreflight, before the first line, for a step that cannot be written as SQL, and
    where no scratch database can be made.
    """
    with scratch.database(connection, engine=engine) as empty:
        made_first = recording.bookkeeping(empty)
        state = scratch.run(empty, loader, span.start)
        steps = list(recording.record(empty, loader, span, state))
    yield from scripts.writer(engine, span, made_first).lines(steps, loader)
