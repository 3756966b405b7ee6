"""Record what Alembic does on a linear history, as ``alembic_plans.json`` beside this file.

Run it where Alembic is installed, which this project does not need:
``python record_alembic_plans.py``.
"""

import json
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import alembic
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine

HISTORY = ("0001_a", "0002_b", "0003_c", "0004_d")

ENV = """
from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    on_version_apply=lambda step, **rest: attributes["steps"].append(
        (step.up_revision_id, step.is_upgrade)
    ),
)
with context.begin_transaction():
    context.run_migrations()
"""

CASES = {  # how many are applied: targets
    "upgrade": {
        0: (
            "head heads base +1 +2 +4 +5 +0 -1 0003 0003_c 0002_b 0002+1 0002+3 0003-1 0001-1"
            " 0004_d+1 head-1 000 zzz current"
        ),
        2: "head +1 +2 +3 -1 base 0001_a 0002_b 0002+1 0004_d 0003-1",
        4: "head heads +1 +5 0002_b",
    },
    "downgrade": {
        0: "base -1 0001_a head",
        2: "base -1 -2 -3 -0 +1 0001_a 0002_b 0003_c 0002-1 0003-1 0001-1 0001-2 zzz",
        4: "base -1 -3 -4 -5 0001_a 0002 0004_d 0003-1 0004-2 0001+1 head head-1 000",
    },
    "history": {
        0: ": base:heads 0002:0003",
        2: (
            ": base:heads 0002_b:0003_c :0002 0003: 0003:0002 0002:0002 current: :current"
            " current:heads -1:current -3:current current:+1 0002 zzz:"
        ),
        4: "-2:current -1: current:",
    },
}


def answer(config, verb, applied, target):
    """Return what Alembic does for ``target`` with ``applied`` migrations, or how it refuses."""
    steps = []
    with create_engine("sqlite://").connect() as connection:
        config.attributes.update(connection=connection, steps=steps)
        config.stdout = StringIO()
        command.stamp(config, HISTORY[applied - 1] if applied else "base")
        steps.clear()
        try:
            if verb == "history":
                command.history(config, target)
            else:
                getattr(command, verb)(config, target)
        except (CommandError, AssertionError) as error:
            return {"refused": str(error) or type(error).__name__}
    if verb == "history":
        lines = config.stdout.getvalue().splitlines()
        return {"steps": [line.split(" -> ")[1].split()[0].strip(",") for line in lines]}
    assert all(up == (verb == "upgrade") for _, up in steps)
    return {"steps": [revision for revision, _ in steps]}


def record(folder):
    """Return every case with Alembic's answer, from a project made in ``folder``."""
    (folder / "versions").mkdir()
    (folder / "env.py").write_text(ENV)
    (folder / "script.py.mako").touch()
    for revision, down in zip(HISTORY, (None, *HISTORY), strict=False):
        (folder / "versions" / f"{revision}.py").write_text(
            f'"""{revision}"""\nrevision = {revision!r}\ndown_revision = {down!r}\n'
            "def upgrade(): pass\ndef downgrade(): pass\n"
        )
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    return [
        {"verb": verb, "applied": applied, "target": target} | answer(config, verb, applied, target)
        for verb, counts in CASES.items()
        for applied, targets in counts.items()
        for target in targets.split()
    ]


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        cases = record(Path(name))
    lines = ",\n".join(json.dumps(case) for case in cases)
    Path(__file__).with_name("alembic_plans.json").write_text(
        f'{{"alembic": "{alembic.__version__}",\n"history": {json.dumps(HISTORY)},\n'
        f'"cases": [\n{lines}\n]}}\n'
    )
