"""Where a database is on the graph of migrations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from hotel.migrator.locking import sessions
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.revisions.graph import Graph, Plan
from hotel.migrator.running import runner
from hotel.migrator.scope import own_apps
from hotel.migrator.storage import journal


class Position:
    """The executor of a database, the graph, and what of it is applied."""

    def __init__(
        self, connection: BaseDatabaseWrapper, progress: Callable[..., None] | None = None
    ) -> None:
        sessions.refuse_unfit(connection, writes=False)
        self.connection = connection
        self.executor = runner.Executor(connection, progress)
        self.loader = self.executor.loader
        self.graph = Graph.from_django(self.loader.graph, own_apps())
        self.applied: list[tuple[str, str]] = journal.applied(self.loader)

    @property
    def ghosts(self) -> list[tuple[str, str]]:
        """The applied migrations whose file is missing, oldest first."""
        return [key for key in self.applied if key not in self.graph.place]

    def refuse_gaps(self) -> None:
        """Raise InconsistentMigrationHistory if something is applied without what it needs."""
        self.loader.check_consistent_history(self.connection)

    def plan_for_django(self, plan: Plan) -> list[tuple[Migration, bool]]:
        """Return a Plan as Django's executor takes it."""
        return [(self.loader.graph.nodes[key], plan.backwards) for key in plan.steps]


@contextmanager
def locked(
    connection: BaseDatabaseWrapper,
    progress: Callable[..., None] | None = None,
    *,
    only_look: bool = False,
) -> Iterator[Position]:
    """Hold the lock, unless nothing will be changed, and yield where the database is then.

    Whoever held the lock before may have changed everything, so it is looked at only now.
    """
    with nullcontext() if only_look else run_lock(connection):
        yield Position(connection, progress)
