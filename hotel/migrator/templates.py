"""The text of migration files that a developer fills in, in the style of this project.

Each holds ``Unfinished``: it can be loaded at once, and ``migrate`` refuses it until it is written.
An empty migration that runs would be recorded as applied, and what is written into it later would
never run.
"""

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

RULE_AND_INVERSE = """Rule: ...
Inverse: ..."""


def data(name, dependencies):
    """Return a migration that changes one column of existing rows, in batches."""
    return _file(
        name.docstring(RULE_AND_INVERSE),
        DATA_IMPORTS,
        dependencies,
        DATA,
        code=RULE,
        why="each batch commits on its own",
    )


def sql(name, dependencies):
    """Return a migration that runs SQL of the developer's own."""
    imports = (
        "from django.db import migrations\n\nfrom hotel.migrator.operations import Unfinished\n"
    )
    return _file(name.docstring(RULE_AND_INVERSE), imports, dependencies, SQL)


def merge(name, dependencies):
    """Return a migration that joins the branches of an application."""
    return _file(name.docstring(), "from django.db import migrations\n", dependencies, "")


class Column:
    """A required column, as the three steps write it: source text of the field before and after."""

    def __init__(self, model, name, nullable, required, imports=(), *, is_new=True):
        self.model = model
        self.name = name
        self.nullable = nullable
        self.required = required
        self.imports = sorted({"from django.db import models", *imports})
        self.is_new = is_new


EXAMPLE = Column(
    "model",
    "column",
    "models.CharField(max_length=20, null=True)",
    "models.CharField(max_length=20)",
)


def three_steps(names, dependencies, app, column=None):
    """Return the texts of the migrations ``names``: add (new columns only), backfill, require.

    names: full file names and ``Name``s, in order. column: None if the models do not tell; what is
    to be written then stands in comments.
    """
    told, column = column is not None, column or EXAMPLE
    render = {"add": _add, "backfill": _backfill, "require": _require}
    texts = []
    files = [file for file, _ in names]
    for place, (file, name) in enumerate(names):
        verb = name.slug.partition("_")[0]
        step = f"Step {place + 1} of {len(names)} of a column that every row has"
        texts.append(render[verb](name, step, files, dependencies, column, told))
        dependencies = [(app, file)]
    return texts


def _add(name, step, files, dependencies, column, told):
    operation = f'''AddField(
            model_name="{column.model}",
            name="{column.name}",
            field={column.nullable},
        ),'''
    text = f"{step}: it comes empty.\n{files[1]} fills it, {files[2]} requires it."
    return _step(name, text, dependencies, column, told, operation)


def _backfill(name, step, files, dependencies, column, told):
    text = f"{step}: the rows that are there get it.\n{RULE_AND_INVERSE}"
    operations = f"""
        Unfinished("{"" if told else "model, column, "}rule and inverse"),
        # forward returns an expression of django.db.models: Case, Coalesce, F, Value, Subquery, ...
        BatchedRunPython(forward, BatchedRunPython.keep, "{column.model}", "{column.name}"),
    """
    return _file(
        name.docstring(text),
        DATA_IMPORTS,
        dependencies,
        operations,
        code=RULE.partition("def backward")[0],
        why="each batch commits on its own",
    )


def _require(name, step, files, dependencies, column, told):
    backfill = files[-2]
    operation = f'''RequireField(
            model_name="{column.model}",
            name="{column.name}",
            field={column.required},
            backfill="{backfill}",
        ),'''
    text = f"{step}: it is required.\nRows written since are filled by the same rule."
    why = "RequireField takes its steps in transactions of its own"
    return _step(name, text, dependencies, column, told, operation, why=why)


def _step(name, text, dependencies, column, told, operation, why=None):
    """Return a step that changes the schema; as comments if the models do not tell how."""
    kind = operation.partition("(")[0]
    if told:
        plain = [line for line in column.imports if not line.startswith("from django.db import ")]
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


def _file(docstring, imports, dependencies, operations, *, code="", why=None):
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
