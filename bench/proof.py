"""The same accidents on plain Django and on this project, side by side: ``make proof``.

Every process is a real one, on SQLite and on PostgreSQL, in temporary folders and databases:

* four processes run ``migrate`` at once. Each has loaded Django and waits for the last one: nothing
  else is staged, and whether Django's race is lost in a round is up to the machine. The data step
  saves 60 rows one by one in a transaction, which takes some milliseconds and is the same file on
  both sides;
* a data step over 60 rows is killed (SIGKILL) right after the statement that changes row 30, and
  ``migrate`` is run again. On plain Django it is a ``RunPython`` in a migration that is not atomic,
  as Django's documentation has it for big tables; here a ``BatchedRunPython`` in batches of 10, and
  then the very same ``RunPython``, which is refused the second time;
* a step that cannot be reversed lies in the middle of a way down.

Both sides have the settings of the hotel, and apps of their own. Plain Django is Django's command:
its settings do not install ``hotel.migrator``. Prints a table for the README and ends with exit
code 1 if an accident happens here.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from bench.databases import Postgresql, Sqlite

ROOT = Path(__file__).resolve().parent.parent
NAME = "hotel_proof"
PROCESSES, ROWS, KILLED_AT = 4, 60, 30
MIGRATE = {"plain": "django.core.management", "here": "hotel.migrator.management"}

SETTINGS = """
from hotel.settings import *

INSTALLED_APPS = {apps}
AUTH_USER_MODEL = "auth.User"
ROOT_URLCONF = None
"""
APPS = ["django.contrib.contenttypes", "django.contrib.auth", "sky"]

MIGRATION = """
from django.db import migrations, models
from django.db.models import F

{code}

class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = {dependencies}
    operations = [{operations}]
"""
FIRST = {
    "code": f"""
def light_them(apps, schema_editor):
    Star = apps.get_model("sky", "Star")
    Star.objects.bulk_create([Star(light=1) for _ in range({ROWS})])
""",
    "operations": """
        migrations.CreateModel(
            "Star",
            [("id", models.AutoField(primary_key=True)), ("light", models.IntegerField())],
        ),
        migrations.RunPython(light_them),
    """,
}
AT_ONCE = {
    "code": """
def brighter(apps, schema_editor):
    for star in apps.get_model("sky", "Star").objects.order_by("pk"):
        star.light = F("light") + 10
        star.save()
""",
    "operations": "migrations.RunPython(brighter)",
}
ONE_BY_ONE = {
    "code": """
def brighter(apps, schema_editor):
    for star in apps.get_model("sky", "Star").objects.order_by("pk"):
        star.light += 10
        star.save()
""",
    "operations": "migrations.RunPython(brighter)",
    "atomic": False,
}
IN_BATCHES = {
    "code": """
from hotel.migrator.operations import BatchedRunPython

def brighter(apps, light):
    return light + 10

def darker(apps, light):
    return light - 10
""",
    "operations": 'BatchedRunPython(brighter, darker, "star", "light", batch_size=10)',
    "atomic": False,
}
THIRD = {
    "operations": 'migrations.AddField("star", "name", models.CharField(max_length=9, default=""))'
}
STEP = "0002_add_ten"
OPERATION = "Raw Python operation"  # what Django calls a RunPython


def main():
    """Let every accident happen, print the table, and exit 1 if one happened here."""
    from hotel.on_postgresql import server

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6, help="of each race")
    rounds = parser.parse_args().rounds
    print("| engine | accident | plain Django | here |\n|---|---|---|---|", flush=True)
    happened = []
    with tempfile.TemporaryDirectory(prefix="hotel-proof-") as folder:
        for database in Sqlite(folder), None:
            if database:
                happened += prove(database, Path(folder), rounds)
                continue
            with server() as url, closing(Postgresql(url, NAME)) as database:
                happened += prove(database, Path(folder), rounds)
    print()
    kinds = "here no race changed rows or failed, and no row was changed twice"
    print(f"happened here: {'; '.join(happened)}" if happened else kinds)
    sys.exit(1 if happened else 0)


def prove(database, folder, rounds):
    """Print the rows of the table for one engine, and return the accidents that happened here."""
    happened = []

    def row(accident, plain, here, is_wrong=False):
        print(f"| {database.engine} | {accident} | {plain} | {here} |", flush=True)
        if is_wrong:
            happened.append(f"{database.engine}, {accident}")

    for accident, start in (
        (f"{PROCESSES} at once, one data step that adds 10 to 1 is pending", "0001"),
        (f"{PROCESSES} at once, from an empty database", None),
    ):
        ends = {
            side: [race(project(database, folder, side, AT_ONCE), start) for _ in range(rounds)]
            for side in MIGRATE
        }
        row(accident, *map(told, ends.values()), is_wrong=any(map(is_wrong, ends["here"])))

    accident = f"a data step over {ROWS} rows is killed at row {KILLED_AT} and run again"
    plain = killed(project(database, folder, "plain", ONE_BY_ONE))
    here = killed(project(database, folder, "here", IN_BATCHES))
    right = (0, {1: ROWS})
    row(accident, changes(*plain[:2]), f"{changes(*here[:2])} (batches)", here[:2] != right)

    *refused, said = killed(project(database, folder, "here", ONE_BY_ONE))
    is_named = f"sky.{STEP} " in said and OPERATION in said
    was_refused = refused[0] == 6 and is_named and not twice(refused[1])
    names = "which names the operation" if is_named else "which does NOT name the operation"
    row(
        "the very same step under both",
        changes(*plain[:2]),
        f"{changes(*refused)}, {names}",
        not was_refused,
    )

    (plain, _), (here, undone) = (
        halfway(project(database, folder, side, AT_ONCE, THIRD)) for side in MIGRATE
    )
    row("a step without a way back, second of two on the way down", plain, here, undone != 0)
    return happened


class Project:
    """An app ``sky`` on an empty database, migrated by one of the two sides."""

    def __init__(self, database, folder, side):
        self.database = database
        self.side = side
        self.environment = {
            **os.environ,
            "DATABASE_URL": database.url,
            "DJANGO_SETTINGS_MODULE": f"proof_{side}",
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def together(self, number, *target, kill_at=0):
        """Run ``migrate`` in processes that begin at once; return what each ended with and said."""
        waiting, go = os.pipe()
        code = "from bench.proof import child; child()"
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(kill_at), *target, "--verbosity", "0"],
                env=self.environment,
                stdin=waiting,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(number)
        ]
        os.close(waiting)
        commands = [run.stdout.readline() for run in runs]  # each says it when it is ready
        os.close(go)
        said = [run.communicate()[1] for run in runs]
        if not all(command.startswith(MIGRATE[self.side]) for command in commands):
            sys.exit(f"Not the command that was to be measured: {commands} {said}")
        return [(run.returncode, text) for run, text in zip(runs, said, strict=True)]

    def migrate(self, *target, **options):
        """Run ``migrate`` in one process; return what it ended with and said."""
        return self.together(1, *target, **options)[0]

    def prepare(self, *target):
        """Run ``migrate``, which must end well."""
        code, said = self.migrate(*target)
        if code:
            sys.exit(said)

    def lights(self):
        """Return how many stars have which light."""
        return dict(self.database.ask("SELECT light, count(*) FROM sky_star GROUP BY light"))

    def applied(self):
        """Return the names of the migrations that are recorded, twice if they are twice."""
        names = "SELECT name FROM django_migrations WHERE app = 'sky' ORDER BY id"
        return [name for (name,) in self.database.ask(names)]


def project(database, folder, side, second, third=None):
    """Write an app and its migrations, and return it as a ``Project`` on an empty database."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    migrations = folder / "sky" / "migrations"
    migrations.mkdir(parents=True)
    for package in (migrations.parent, migrations):
        (package / "__init__.py").touch()
    files = {"0001_initial": FIRST, STEP: second, **({"0003_add_name": third} if third else {})}
    before = []
    for name, parts in files.items():
        parts = {"code": "", "atomic": True, **parts}
        (migrations / f"{name}.py").write_text(MIGRATION.format(dependencies=before, **parts))
        before = [("sky", name)]
    apps = ["hotel.migrator", *APPS] if side == "here" else APPS
    (folder / f"proof_{side}.py").write_text(SETTINGS.format(apps=apps))
    database.empty()
    return Project(database, folder, side)


def child():
    """Be one process of ``Project.together``: load Django, wait for the others, run ``migrate``."""
    import django
    from django.core.management import execute_from_command_line, get_commands, load_command_class
    from django.db import connection

    kill_at, *words = sys.argv[1:]
    left = int(kill_at)

    def count_down(execute, sql, params, many, context):
        nonlocal left
        result = execute(sql, params, many, context)
        if sql.startswith('UPDATE "sky_star"'):
            left -= context["cursor"].rowcount
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return result

    django.setup()
    if left:
        connection.execute_wrappers.append(count_down)
    command = load_command_class(get_commands()["migrate"], "migrate")
    print(type(command).__module__, flush=True)
    sys.stdin.read()  # until everybody is ready
    execute_from_command_line(["manage.py", "migrate", *words])


def race(project, start):
    """Run four at once; return the exit codes, the lights, and the migrations recorded."""
    if start:
        project.prepare("auth")
        project.prepare("sky", start)
    codes = [code for code, _ in project.together(PROCESSES)]
    return codes, project.lights(), project.applied()


def is_wrong(end):
    """Tell whether a race ended otherwise than one process alone would have."""
    codes, lights, applied = end
    return any(codes) or lights != {11: ROWS} or applied != ["0001_initial", STEP]


def told(ends):
    """Return in words how the rounds of a race ended."""
    values = [max(lights) for _, lights, _ in ends if lights]
    wrong = [value for value in values if value > 11]
    failed = [sum(map(bool, codes)) for codes, _, _ in ends]
    unfinished = sum(not {"0001_initial", STEP} <= set(applied) for *_, applied in ends)
    doubled = sum(len(applied) > len(set(applied)) for *_, applied in ends)
    words = [
        f"{max(values)} instead of 11, and wrong in {len(wrong)} of {len(ends)} rounds"
        if wrong
        else f"{max(values, default='no table')} in {len(ends)} rounds",
        f"{sum(failed)} of {len(ends) * PROCESSES} processes failed",
    ]
    if unfinished:
        words.append(f"left unfinished in {unfinished}")
    if doubled:
        words.append(f"recorded twice in {doubled}")
    return "; ".join(words)


def killed(project):
    """Kill the step in the middle and run it again; return the code, rows by changes, and words."""
    project.prepare("sky", "0001")
    code, said = project.migrate(kill_at=KILLED_AT)
    if code != -signal.SIGKILL:
        sys.exit(f"It was to be killed, and ended with {code}: {said}")
    code, said = project.migrate()
    by_changes = Counter()
    for light, rows in project.lights().items():
        by_changes[(light - 1) // 10] += rows
    return code, dict(by_changes), said


def twice(by_changes):
    """Return how many rows were changed more than once."""
    return sum(rows for changes, rows in by_changes.items() if changes > 1)


def changes(code, by_changes):
    """Return in words how often the rows were changed, and how the second run ended."""
    words = [f"{twice(by_changes)} of {ROWS} rows changed twice"]
    if by_changes.get(0):
        words.append(f"{by_changes[0]} not yet")
    words.append(f"the second run ends with {code}")
    return ", ".join(words)


def halfway(project):
    """Go down past a step that has no way back; return in words what was done, and how much."""
    project.prepare()
    before = project.applied()
    code, said = project.migrate("sky", "0001")
    undone = len(before) - len(project.applied())
    [last] = said.strip().splitlines()[-1:] or [""]
    reason = "IrreversibleError" if "IrreversibleError" in last else "refused"
    if not code:
        return f"ends with 0 after {undone} of 2 steps", undone
    if not undone:
        return f"refused before the first step, exit code {code}", undone
    return f"{undone} of 2 steps taken back, then {reason}, exit code {code}", undone


if __name__ == "__main__":
    main()
