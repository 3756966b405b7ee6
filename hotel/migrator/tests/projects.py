"""Throw-away apps: models and migrations of their own, on disk, on a database of their own.

A pytest plugin, named in the root conftest.py.
"""

import importlib
import io
import os
import re
import runpy
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import traceback
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent, indent

import pytest
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.management import CommandError, call_command, get_commands
from django.db import connection
from django.db.backends.signals import connection_created

from hotel.migrator.authoring import merging, writing
from hotel.migrator.tests.commands import table
from hotel.tests import stress

ROOT = Path(__file__).resolve().parents[3]

MODELS = "from django.db import models\nfrom django.db.models.functions import Lower\n\n"

MIGRATION = '''"""A migration of a throw-away app."""

from decimal import Decimal

from django.db import connection, migrations, models, transaction
from django.db.models import Case, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Concat, Lower, Round, Substr, Upper

from hotel.migrator import expressions, operations
from hotel.migrator.operations import BatchedRunPython

{code}

class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = {dependencies}
    operations = [
{operations}
    ]
'''

READING = ("SELECT", "PRAGMA", "BEGIN", "SAVEPOINT", "RELEASE")

SETTINGS = """
from hotel.settings import *

INSTALLED_APPS = ["hotel.migrator", *{labels}]
MIGRATION_SCOPE = {labels}
ROOT_URLCONF = None
MIGRATOR_SNAPSHOT = None
DATABASES["default"]["NAME"] = {name!r}
"""


# Kills are tried before every seventh change in the suite, before every one in make stress.
EVERY = 1 if stress.IS_WHOLE else 7


def killed(number, work, among="", everywhere=False):
    """Do ``work`` in a process that kills itself (-9) before its ``number``-th change.

    A change is a statement that writes; anywhere else a kill leaves the same database.
    among: how the changes begin that are counted. everywhere: on every connection, such as that of
    a scratch database.
    Return whether it was killed; it is not when it needs fewer changes.
    """
    connection.close()
    child = os.fork()
    if not child:
        code = 1
        try:
            left = [number]

            def count_down(execute, sql, *arguments):
                sql_begins = sql.lstrip().startswith
                left[0] -= sql_begins(among) and not sql_begins(READING)
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return execute(sql, *arguments)

            if everywhere:

                def watch(connection, **_):
                    connection.execute_wrappers.append(count_down)

                connection_created.connect(watch)
                work()
            else:
                with connection.execute_wrapper(count_down):
                    work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL)
    return code == -signal.SIGKILL


def forked(words, folder, labels, typed):
    """Run a script of Python in a fork of this process, with the apps that are installed in it."""
    with ExitStack() as files:
        streams = [files.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)]
        streams[0].write(typed)
        streams[0].seek(0)
        child = os.fork()
        if not child:
            _become(words, folder, labels, streams)
        _, status = os.waitpid(child, 0)
        for stream in streams:
            stream.seek(0)
        said = [stream.read() for stream in streams[1:]]
    return subprocess.CompletedProcess(words, os.waitstatus_to_exitcode(status), *said)


def _become(words, folder, labels, streams):
    """Be the script, in this process, to the end; ends the process as Python does."""
    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream.fileno(), number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.chdir(folder)
        os.environ["NO_COLOR"] = "1"
        sys.argv[:] = words
        settings.INSTALLED_APPS = ["hotel.migrator", *labels]
        settings.MIGRATION_SCOPE = labels
        settings.MIGRATOR_SNAPSHOT = settings.ROOT_URLCONF = None
        get_commands.cache_clear()
        # Those of the hotel's apps, which are not installed here.
        checks.registry.registry.registered_checks = {
            check
            for check in checks.registry.registry.registered_checks
            if check.__module__.startswith(("django.core.", "django.db.", "hotel.migrator."))
        }
        runpy.run_path(words[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class App:
    """One throw-away app; its folder is a package of the same name."""

    def __init__(self, project, label):
        self.project = project
        self.label = label
        self.folder = project.folder / label
        self.migrations = self.folder / "migrations"
        self.migrations.mkdir(parents=True)
        for package in (self.folder, self.migrations):
            (package / "__init__.py").touch()
        self.models("")

    def models(self, source):
        """Write ``models.py`` and load it in place of the one before."""
        (self.folder / "models.py").write_text(MODELS + dedent(source))
        self.project.reload()
        return self

    def write(self, name, operations="", *, code="", atomic=True, after=None):
        """Write a migration by hand. after: its dependencies; the last one written if not said."""
        if after is None:
            after = [(self.label, last) for last in self.names()[-1:]]
        self.path(name).write_text(
            MIGRATION.format(
                code=dedent(code),
                atomic=atomic,
                dependencies=after,
                operations=indent(dedent(operations).strip(), " " * 8),
            )
        )
        self.project.reload()
        return self

    def names(self):
        """Return the names of the migrations on disk."""
        return sorted(path.stem for path in self.migrations.glob("[0-9]*.py"))

    def path(self, name):
        """Return the file of the migration ``name``."""
        return self.migrations / f"{name}.py"

    def make(self, *answers, **options):
        """Run ``makemigrations``, typing ``answers`` if there are any, and return what it printed.

        The files are then made safe as the documentation says: ``operations.`` for ``migrations.``.
        """
        before = {name: self.path(name).read_text() for name in self.names()}
        output = self.project.makemigrations(self.label, *answers, **options)
        for name in self.names():
            if self.path(name).read_text() != before.get(name):
                self.make_safe(name)
        self.project.reload()
        return output

    def make_safe(self, name):
        """Change Django's operations that lose rows into this project's, as a developer would."""
        text = self.path(name).read_text()
        for operation in ("CreateModel", "DeleteModel", "AddField", "RemoveField"):
            text = text.replace(f"migrations.{operation}(", f"operations.{operation}(")
        header = "from hotel.migrator import operations\n"
        self.path(name).write_text(text.replace("from django", f"{header}from django", 1))

    def migrate(self, name=None):
        """Run ``migrate`` for this app, to the migration ``name`` or to its last."""
        self.project.migrate(self.label, *([name] if name else []))
        return self


class Project:
    """Throw-away apps, installed in this process instead of the hotel's."""

    def __init__(self, folder, history):
        self.folder = folder
        self.history = history
        self.apps = []
        self.others: list[str] = []  # apps that are installed besides, as "django.contrib.auth"

    def app(self, label):
        """Make and install an app."""
        self.apps.append(App(self, label))
        return self.apps[-1]

    def reload(self):
        """Forget the apps' modules and models and load what is on disk now."""
        self.unload()
        importlib.invalidate_caches()
        labels = [app.folder.name for app in self.apps if (app.folder / "models.py").exists()]
        apps.set_installed_apps(["hotel.migrator", *self.others, *labels])
        self.installed = True

    def unload(self):
        """Give this process its own apps back."""
        if getattr(self, "installed", False):
            apps.unset_installed_apps()
            self.installed = False
        labels = [path.name for path in self.folder.iterdir() if path.is_dir()]
        for label in labels:
            apps.all_models.pop(label, None)
        apps.clear_cache()
        for name in list(sys.modules):
            if name.split(".")[0] in labels:
                del sys.modules[name]

    def makemigrations(self, *labels_and_answers, **options):
        """Run ``makemigrations`` for the apps that are named first; what follows is typed."""
        labels = [word for word in labels_and_answers if word in {app.label for app in self.apps}]
        answers = labels_and_answers[len(labels) :]
        self.output = io.StringIO()
        typed, sys.stdin = sys.stdin, io.StringIO("".join(f"{line}\n" for line in answers))
        try:
            call_command(
                "makemigrations", *labels, interactive=bool(answers), stdout=self.output, **options
            )
            assert sys.stdin.read() == "", "not every answer was asked for"
        finally:
            sys.stdin = typed
        self.reload()
        return self.output.getvalue()

    def migrate(self, *target, command="migrate", **options):
        """Run ``migrate``, or the ``command`` that is named."""
        call_command(command, *target, verbosity=0, interactive=False, **options)
        return self

    def killed(self, number, *target, **options):
        """Run ``migrate`` in a process that is killed; see ``killed``."""
        return killed(number, lambda: self.migrate(*target), **options)

    def together(self, number, *target, **options):
        """Run ``migrate`` in ``number`` processes that begin at once; return their ends."""
        connection.close()
        ready, go = os.pipe()
        runs = [Run(self, ready, go, target, options) for _ in range(number)]
        os.close(ready)
        os.close(go)
        return [run.end() for run in runs]

    def begin(self, *target, **options):
        """Begin to run ``migrate`` in a process of its own, and return it; see ``Run``."""
        connection.close()
        ready, go = os.pipe()
        run = Run(self, ready, go, target, options)
        os.close(ready)
        os.close(go)
        return run

    def manage(self, *arguments, input="", shell="", fresh=False, **environment):
        """Run ``manage.py`` in a process of its own, on this database, and return how it went.

        That process is a fork of this one, where Django and the apps are loaded already, which is
        a fifth of the work; it is a fresh Python if that is asked for, and where a shell is to do
        something with its output or the environment is another one.
        """
        connection.close()
        labels = [app.label for app in self.apps]
        words = [str(ROOT / "manage.py"), *arguments]
        if not (shell or fresh or environment):
            return forked(words, self.folder, labels, input)
        name = str(connection.settings_dict["NAME"])
        (self.folder / "annexe_settings.py").write_text(SETTINGS.format(labels=labels, name=name))
        words = [sys.executable, *words]
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{shlex.join(words)} {shell}"] if shell else words,
            cwd=self.folder,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "annexe_settings",
                "PYTHONPATH": os.pathsep.join([str(self.folder), str(ROOT)]),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NO_COLOR": "1",
                **environment,
            },
            input=input,
            capture_output=True,
            text=True,
        )

    def facts(self):
        """Return rows and shape of every table that is not the migrator's."""
        return self.history.dump(), self.history.catalog()

    def contents(self):
        """Return every file of the throw-away apps, by its path."""
        return {
            path: path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }

    def archive(self):
        """Return what is archived: (owner, table, column, key, original, became), in order."""
        columns = "owner, table_name, column_name, row_key, original, became"
        if "migrator_archive" not in connection.introspection.table_names():
            return []
        return sorted(self.history.execute(f"SELECT {columns} FROM migrator_archive"), key=repr)


class Run:
    """``migrate`` in a process of its own, which begins when ``go`` is closed everywhere."""

    def __init__(self, project, ready, go, target, options):
        self.errors, writing = os.pipe()
        self.child = os.fork()
        if self.child:
            os.close(writing)
            return
        code = 1
        try:
            os.dup2(writing, 2)
            os.close(writing)
            os.close(go)
            os.read(ready, 1)
            project.migrate(*target, **options)
            code = 0
        except CommandError as error:
            os.write(2, f"{error}\n".encode())
            code = error.returncode
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(code)

    def reaches(self, place):
        """Wait until the process opens the FIFO at ``place`` for writing, or ends."""
        fifo = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
        poll = select.poll()
        poll.register(fifo, select.POLLIN)
        poll.register(self.errors, select.POLLHUP)
        [(ready, _)] = poll.poll(60_000)
        os.close(fifo)
        assert ready == fifo, self.end()

    def end(self):
        """Wait for the process, and return its exit code and what it printed on standard error."""
        with open(self.errors, encoding="utf-8") as errors:
            said = errors.read()
        _, status = os.waitpid(self.child, 0)
        return os.waitstatus_to_exitcode(status), said


@pytest.fixture
def project(history, tmp_path, monkeypatch):
    """A project without apps, on an empty database; see ``Project``."""
    history.at(None)
    if connection.vendor == "sqlite":  # nothing here need survive a power cut
        options = {
            **connection.settings_dict["OPTIONS"],
            "init_command": "PRAGMA synchronous = OFF",
        }
        connection.settings_dict["OPTIONS"] = options
    get_commands()  # remembered for ever: ask while every app is there
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # files change within a clock tick
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(settings, "BASE_DIR", folder)
    monkeypatch.setattr(settings, "MIGRATOR_SNAPSHOT", folder / "schema")
    made = Project(folder, history)
    try:
        yield made
    finally:
        made.unload()


@pytest.fixture
def annexe(project):
    """A throw-away app, ``annexe``; see ``App``."""
    return project.app("annexe")


BEDS = """
migrations.CreateModel(
    "Room",
    [("id", models.AutoField(primary_key=True)), ("floor", models.IntegerField(null=True))],
),
migrations.CreateModel(
    "Bed",
    [
        ("id", models.AutoField(primary_key=True)),
        ("room", models.ForeignKey("annexe.Room", models.CASCADE)),
    ],
),
"""


def refused(project, *target):
    """Return what ``migrate`` says that is refused, and its exit code."""
    with pytest.raises(CommandError) as refusal:
        project.migrate(*target)
    return str(refusal.value), refusal.value.returncode


class Verb:
    """A verb that writes migration files, run as a script would; ``said`` is what it printed."""

    def __init__(self, project, verb):
        self.project = project
        self.verb = verb

    def __call__(self, *arguments, **options):
        """Run the verb; the paths that it prints are cut down to ``app/migrations/name.py``."""
        output = io.StringIO()
        try:
            return self.verb(*arguments, **{"interactive": False, **options}, stdout=output)
        finally:
            self.said = re.sub(r"\S*?(\w+/migrations/)", r"\1", output.getvalue())
            self.project.reload()


@pytest.fixture
def revise(project):
    """``db revision``; see ``Verb``."""
    return Verb(project, writing.revision)


@pytest.fixture
def merge(project):
    """``db merge``; see ``Verb``."""
    return Verb(project, merging.merge)


ROOM = """
operations.CreateModel(
    "Room",
    [
        ("id", models.AutoField(primary_key=True)),
        ("number", models.CharField(max_length=20)),
        ("floor", models.IntegerField(null=True)),
    ],
)
"""


@pytest.fixture
def rooms(annexe, history):
    """An app with the table ``annexe_room`` and three rows."""
    annexe.write("0001_initial", ROOM).migrate()
    for number, floor in (("101", 1), ("202", 2), ("attic", None)):
        history.insert("annexe_room", number=number, floor=floor)
    return annexe


_ID = '("id", models.AutoField(primary_key=True))'
INITIAL = f"""
migrations.CreateModel("Guest", [{_ID}]),
migrations.CreateModel(
    "Room",
    [{_ID}, ("floor", models.IntegerField()), ("guests", models.ManyToManyField("annexe.Guest"))],
),
migrations.AddField("room", "name", models.CharField(max_length=9, default="")),
"""


@pytest.fixture
def initial(annexe, history):
    """An initial migration of which the tables are there, and no record."""
    annexe.write("0001_initial", INITIAL).migrate()
    history.execute("DELETE FROM django_migrations")
    return annexe


@pytest.fixture
def warnings(caplog):
    """Return what preflight has said of plain migrate."""
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.name == "hotel.migrator.preflight" and record.levelname == "WARNING"
    ]


def column(history, name, table="annexe_room"):
    return [value for (value,) in history.execute(f"SELECT {name} FROM {table} ORDER BY id")]


FLAG = """
def is_high(apps, floor):
    return Case(When(floor__gte=2, then=Value(True)), default=Value(False))
"""


@pytest.fixture
def flags(rooms):
    """A column ``high`` that is computed from ``floor``."""
    rooms.write(
        "0002_add_high", """operations.AddField("room", "high", models.BooleanField(null=True))"""
    )
    rooms.write(
        "0003_fill_high",
        'BatchedRunPython(is_high, BatchedRunPython.clear, "room", "high", source="floor")',
        code=FLAG,
        atomic=False,
    )
    return rooms


@pytest.fixture(name="apps")
def two_apps(project, settings):
    """Two apps: ``annexe`` of three migrations; ``bar``, whose second needs annexe's second."""
    settings.MIGRATION_SCOPE = ["annexe", "bar"]
    annexe, bar = project.app("annexe"), project.app("bar")
    annexe.write("0001_initial", table("Bed"))
    annexe.write("0002_add_desks", table("Desk"))
    bar.write("0001_initial", table("Glass"))
    bar.write(
        "0002_add_bottles",
        table("Bottle"),
        after=[("bar", "0001_initial"), ("annexe", "0002_add_desks")],
    )
    annexe.write("0003_add_lamps", table("Lamp"))
    return project
