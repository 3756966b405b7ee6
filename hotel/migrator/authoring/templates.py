"""The text of migration files that a developer fills in, in the style of this project.

Each holds ``Unfinished``: it can be loaded at once, and ``migrate`` refuses it until it is written.
An empty migration that runs would be recorded as applied, and what is written into it later would
never run.
"""

from typing import NamedTuple

from hotel.migrator.authoring.naming import Name
from hotel.migrator.revisions.targets import Key

KINDS = ("data", "sql", "three-step")

FILE = """{docstring}

{imports}


{code}class Migration(migrations.Migration):
{atomic}    dependencies = {dependencies}

    operations = [{operations}]
"""

ONE_BY_ONE = "    atomic = False  # {why}\n\n"

RULE = '''def forward(apps, value):
    """Return the expression that each row gets; ``value`` is what stands in the column."""
    return value


def backward(apps, value):
    """Return the expression that each row gets on the way down."""
    return value


'''
DATA_IMPORTS = """from django.db import migrations

from hotel.migrator.operations import BatchedRunPython, Unfinished
"""

DATA = """
        Unfinished("model, column, rule and inverse"),
        # forward and backward return expressions of django.db.models: Case, Coalesce, F, Value, ...
        # A new column that is computed from another: source="other", and BatchedRunPython.clear in
        # place of backward. A rule whose inverse changes nothing: BatchedRunPython.keep.
        BatchedRunPython(forward, backward, "model", "column"),
    """

SQL = '''
        Unfinished("the statements of both ways"),
        # In words that SQLite and PostgreSQL both understand. For a change of the schema also
        # state_operations=[...], or makemigrations will want to make it again.
        migrations.RunSQL(
            sql="""
                -- UPDATE rooms SET floor = 1 WHERE floor IS NULL
            """,
            reverse_sql="""
                -- UPDATE rooms SET floor = NULL WHERE floor = 1
            """,
        ),
    '''

TEST = """{docstring}

import pytest

MIGRATION = ("{app}", "{file}")
MODEL, COLUMN = "{app}.{model}", "{column}"
# What a row has before, and what it has in the column after.
CASES = []


def test_each_row_gets_what_the_rule_says(history):
    if not CASES:
        pytest.fail(f"{{'.'.join(MIGRATION)}}: write CASES, or a test of your own")
    history.before(MIGRATION)
    keys = [history.model(MODEL).objects.create(**row).pk for row, _ in CASES]
    history.step(MIGRATION)
    rows = history.model(MODEL).objects.in_bulk(keys)
    assert [getattr(rows[key], COLUMN) for key in keys] == [after for _, after in CASES]
"""

RULE_AND_INVERSE = """Rule: ...
Inverse: ..."""


def data(name: Name, dependencies: list[Key]) -> str:
    """Return a migration that changes one column of existing rows, in batches."""
    return _file(
        name.docstring(RULE_AND_INVERSE),
        DATA_IMPORTS,
        dependencies,
        DATA,
        code=RULE,
        why="each batch commits on its own",
    )


def sql(name: Name, dependencies: list[Key]) -> str:
    """Return a migration that runs SQL of the developer's own."""
    imports = (
        "from django.db import migrations\n\nfrom hotel.migrator.operations import Unfinished\n"
    )
    return _file(name.docstring(RULE_AND_INVERSE), imports, dependencies, SQL)


def merge(name: Name, dependencies: list[Key]) -> str:
    """Return a migration that joins the branches of an application."""
    return _file(name.docstring(), "from django.db import migrations\n", dependencies, "")


class Column(NamedTuple):
    """A required column, as the three steps write it: source text of the field before and after.

    imports: the lines that these texts need, but for that of models.
    """

    model: str
    name: str
    nullable: str
    required: str
    imports: frozenset[str] = frozenset()
    is_new: bool = True


EXAMPLE = Column(
    "model",
    "column",
    "models.CharField(max_length=20, null=True)",
    "models.CharField(max_length=20)",
)


def test_of(name: Name, app: str, file: str, column: Column | None) -> str:
    """Return the test of a migration that changes rows; it fails until it is filled in."""
    of = column or EXAMPLE
    docstring = name._replace(rest="").docstring()
    return TEST.format(docstring=docstring, app=app, file=file, model=of.model, column=of.name)


def three_steps(
    names: list[tuple[str, Name]], dependencies: list[Key], app: str, column: Column | None = None
) -> list[str]:
    """Return the texts of the migrations ``names``: add (new columns only), backfill, require.

    names: full file names and ``Name``s, in order. column: None if the models do not tell; what is
    to be written then stands in comments.
    """
    render = {"add": _add, "backfill": _backfill, "require": _require}
    texts = []
    files = [file for file, _ in names]
    for place, (file, name) in enumerate(names):
        verb = name.slug.partition("_")[0]
        step = f"Step {place + 1} of {len(names)} of a column that every row has"
        texts.append(render[verb](name, step, files, dependencies, column))
        dependencies = [(app, file)]
    return texts


def _add(
    name: Name, step: str, files: list[str], dependencies: list[Key], column: Column | None
) -> str:
    of = column or EXAMPLE
    operation = f'''AddField(
            model_name="{of.model}",
            name="{of.name}",
            field={of.nullable},
        ),'''
    text = f"{step}: it comes empty.\n{files[1]} fills it, {files[2]} requires it."
    return _step(name, text, dependencies, column, operation)


def _backfill(
    name: Name, step: str, _files: list[str], dependencies: list[Key], column: Column | None
) -> str:
    of = column or EXAMPLE
    text = f"{step}: existing rows get it.\n{RULE_AND_INVERSE}"
    operations = f"""
        Unfinished("{"" if column else "model, column, "}rule and inverse"),
        # forward returns an expression of django.db.models: Case, Coalesce, F, Value, Subquery, ...
        BatchedRunPython(forward, BatchedRunPython.keep, "{of.model}", "{of.name}"),
    """
    return _file(
        name.docstring(text),
        DATA_IMPORTS,
        dependencies,
        operations,
        code=RULE.partition("def backward")[0],
        why="each batch commits on its own",
    )


def _require(
    name: Name, step: str, files: list[str], dependencies: list[Key], column: Column | None
) -> str:
    backfill, of = files[-2], column or EXAMPLE
    operation = f'''RequireField(
            model_name="{of.model}",
            name="{of.name}",
            field={of.required},
            backfill="{backfill}",
        ),'''
    text = f"{step}: it is required.\nRows written since are filled by the same rule."
    why = "RequireField takes its steps in transactions of its own"
    return _step(name, text, dependencies, column, operation, why)


def _step(
    name: Name,
    text: str,
    dependencies: list[Key],
    column: Column | None,
    operation: str,
    why: str = "",
) -> str:
    """Return a step that changes the schema; as comments if the models do not tell how."""
    kind = operation.partition("(")[0]
    if column:
        plain = [line for line in column.imports if not line.startswith("from django.db import ")]
        plain.sort()
        imports = "".join(f"{line}\n" for line in plain)
        imports += "from django.db import migrations, models\n"
        imports += f"\nfrom hotel.migrator.operations import {kind}"
    else:
        imports = "from django.db import migrations\n\nfrom hotel.migrator import operations"
        lines = f"operations.{operation}".splitlines()
        lines = [f"        # {line.removeprefix('        ')}" for line in lines]
        operation = "\n".join(
            [
                'operations.Unfinished("model and column, in the lines below"),',
                "        # With models imported from django.db:",
                *lines,
            ]
        )
    return _file(
        name.docstring(text), imports, dependencies, f"\n        {operation}\n    ", why=why
    )


def _file(
    docstring: str,
    imports: str,
    dependencies: list[Key],
    operations: str,
    *,
    code: str = "",
    why: str = "",
) -> str:
    lines = [f'("{app}", "{name}")' for app, name in dependencies]
    written = f"[{lines[0] if lines else ''}]"
    if len(lines) > 1 or len(written) > 80:
        written = "[\n" + "".join(f"        {line},\n" for line in lines) + "    ]"
    return FILE.format(
        docstring=docstring,
        imports=imports.rstrip("\n"),
        code=code,
        atomic=ONE_BY_ONE.format(why=why) if why else "",
        dependencies=written,
        operations=operations,
    )
