"""What the models have and the migrations have not: Django's autodetector, asked in our way."""

import re
import sys
from collections.abc import Iterable
from typing import Any, NoReturn, cast

from django.apps import apps
from django.db import migrations, models
from django.db.migrations import Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.questioner import MigrationQuestioner, NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from hotel.migrator import operations
from hotel.migrator.authoring import templates
from hotel.migrator.authoring.naming import Name
from hotel.migrator.constraints import Check, Rule
from hotel.migrator.exceptions import WrongUse

# Django's operations that lose rows, and those that archive them first.
SAFE = {
    migrations.CreateModel: operations.CreateModel,
    migrations.DeleteModel: operations.DeleteModel,
    migrations.AddField: operations.AddField,
    migrations.RemoveField: operations.RemoveField,
}

CLASS = "class Migration(migrations.Migration):\n"
PACKAGE = operations.__name__.rpartition(".")[0]


class Refusing(NonInteractiveMigrationQuestioner):
    """Answers for nobody: a required column without a default has no answer.

    own: the labels of the apps that a migration may be written for.
    """

    def __init__(self, own: Iterable[str]) -> None:
        super().__init__(specified_apps={*own}, verbosity=0)
        self.own = {*own}

    def ask_not_null_addition(self, field_name: str, model_name: str) -> NoReturn:
        """Refuse a new column."""
        raise WrongUse(
            f"{model_name}.{field_name} is required and has no default, and existing rows need a"
            " value: give it a db_default in models.py, or have it added, filled and"
            f" required in three steps with {self._command('Add', field_name, model_name)}."
        )

    ask_auto_now_add_addition = ask_not_null_addition

    def ask_not_null_alteration(self, field_name: str, model_name: str) -> NoReturn:
        """Refuse a column that was nullable."""
        raise WrongUse(
            f"{model_name}.{field_name} becomes required and has no default, and the rows that hold"
            " NULL need a value: give it a db_default in models.py, or have it filled and required"
            f" in two steps with {self._command('Require', field_name, model_name)}."
        )

    def _command(self, verb: str, field_name: str, model_name: str) -> str:
        """Return the command that writes the steps; Django does not tell whose model it is."""
        labels = [
            model._meta.app_label
            for model in apps.get_models()
            if model._meta.model_name == model_name and model._meta.app_label in self.own
        ]
        app = f" --app {labels[0]}" if len(labels) == 1 else ""
        message = f"{verb} {model_name} {_words(field_name)}"
        return f'manage.py db revision -m "{message}"{app} --template three-step'


def _words(field_name: str) -> str:
    return field_name.replace("_", " ")


def changes(
    loader: MigrationLoader,
    questioner: MigrationQuestioner,
    app: str | None,
    own: Iterable[str],
    slug: str,
) -> dict[str, list[Migration]]:
    """Return the migrations that the models have not yet, by app, named and joined to the graph.

    app: the only one wanted, with those that it needs; None: all of ``own``.
    """
    detector = MigrationAutodetector(
        loader.project_state(), ProjectState.from_apps(apps), questioner
    )
    return detector.changes(
        graph=loader.graph,
        trim_to_apps={app} if app else {*own},
        convert_apps={app} if app else None,
        migration_name=slug,
    )


def safe(detected: list[Migration], name: Name) -> list[Migration]:
    """Return the migrations of an app, with operations of ``hotel.migrator.operations``.

    Those archive what they drop. An index of a table that stands is made while others write, in a
    migration of its own. Rules are added for the rows to come, and what is to be checked of those
    that stand is validated in a migration more.
    """
    indexing = _taken_out(detected)
    for migration in detected:
        vars(migration).update(operations=_with_rules(map(_safe, migration.operations)))
    validating: list[Operation] = [
        operations.ValidateRules(operation.model_name, names)
        for migration in detected
        for operation in migration.operations
        if isinstance(operation, operations.AddRules)
        and (names := [rule.name for rule in operation.rules if isinstance(rule, Check)])
    ]
    for verb, more in (("index", indexing), ("validate", validating)):
        if more:
            detected = [*detected, _following(detected[-1], name.with_verb(verb), more)]
    return detected


def _following(last: Migration, name: Name, steps: list[Operation]) -> Migration:
    """Return the migration that comes after ``last``."""
    number = (MigrationAutodetector.parse_number(last.name) or 0) + 1
    more = Migration(f"{number:04}_{name.slug}", last.app_label)
    vars(more).update(dependencies=[(last.app_label, last.name)], operations=steps)
    return more


def _taken_out(detected: list[Migration]) -> list[Operation]:
    """Take the indexes of tables that stand out of migrations that do something else, too.

    Returns the operations that make them. A migration of nothing but indexes stays what it is.
    """
    made = {
        (migration.app_label, step.name_lower)
        for migration in detected
        for step in migration.operations
        if isinstance(step, migrations.CreateModel)
    }
    taken: list[Operation] = []
    for migration in detected:
        some = [
            step
            for step in migration.operations
            if isinstance(step, migrations.AddIndex)
            and (migration.app_label, step.model_name_lower) not in made
        ]
        steps = migration.operations
        if some and all(step in some or isinstance(step, migrations.RemoveIndex) for step in steps):
            vars(migration).update(operations=[_of_index(step) for step in steps])
            continue
        taken += map(_of_index, some)
        vars(migration).update(operations=[step for step in steps if step not in some])
    return taken


def _of_index(operation: Operation) -> Operation:
    """Return the operation that does the same while others read and write."""
    kind = operations.AddIndex if isinstance(operation, migrations.AddIndex) else None
    _, args, kwargs = operation.deconstruct()
    return cast(Operation, (kind or operations.RemoveIndex)(*args, **kwargs))


def _safe(operation: Operation) -> Operation:
    """Return the operation that does the same and archives."""
    ours = SAFE.get(type(operation))
    if not ours:
        return operation
    _, args, kwargs = operation.deconstruct()
    return cast(Operation, ours(*args, **kwargs))


def _with_rules(steps: Iterable[Operation]) -> list[Operation]:
    """Return the steps with the rules of a model together in one ``AddRules``."""
    new: list[Operation] = []
    rules: dict[str, list[Rule]] = {}
    for step in steps:
        if not (isinstance(step, migrations.AddConstraint) and isinstance(step.constraint, Rule)):
            new.append(step)
            continue
        if step.model_name_lower not in rules:
            rules[step.model_name_lower] = []
            new.append(operations.AddRules(step.model_name, rules[step.model_name_lower]))
        rules[step.model_name_lower].append(step.constraint)
    return new


def source(name: Name, migration: Migration) -> str:
    """Return what Django writes, with the message as docstring and short names for operations."""
    verb = migration.name.lstrip("0123456789_").partition("_")[0]
    text = MigrationWriter(migration, include_header=False).as_string()
    imports, _, text = text.partition("\n\n\n")
    short = re.findall(rf"^import {PACKAGE}\.(\w+)$", imports, re.MULTILINE)
    text = re.sub(rf"\b{PACKAGE}\.({'|'.join(short)})\.", r"\1.", text) if short else text
    text = f"{_imports(imports.splitlines(), short)}\n\n\n{text}"
    if why := _why_not_atomic(migration):
        text = text.replace(CLASS, f"{CLASS}    atomic = False  # {why}\n", 1)
    told = name.with_verb(verb) if verb in ("index", "validate") else name
    return f"{told.docstring()}\n\n{text}"


def _imports(lines: list[str], short: list[str]) -> str:
    """Return import lines in three groups: Python's, others', and modules of the migrator."""
    lines = [line for line in lines if not line.startswith(f"import {PACKAGE}.")]
    own = [line for line in lines if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    ours = [f"from {PACKAGE} import {', '.join(sorted(short))}"] if short else []
    groups = own, [line for line in lines if line not in own], ours
    return "\n\n".join("\n".join(group) for group in groups if group)


def _why_not_atomic(migration: Migration) -> str:
    if all(isinstance(step, operations.Online) for step in migration.operations):
        return "PostgreSQL makes an index that nobody waits for outside a transaction"
    if all(isinstance(step, operations.ValidateRules) for step in migration.operations):
        return "each rule is validated in a transaction of its own"
    is_quick = all(
        isinstance(step, operations.AddRules)
        and all(isinstance(rule, Check) for rule in step.rules)
        for step in migration.operations
    )
    return "rows are exempted before the table is locked" if is_quick else ""


class _Lister(MigrationQuestioner):
    """Notes the required columns without a default instead of asking for one."""

    def __init__(self) -> None:
        super().__init__()
        self.is_new: dict[tuple[str, str], bool] = {}  # by model and column

    def ask_not_null_addition(self, field_name: str, model_name: str) -> None:
        """Note a new column."""
        self.is_new[model_name, field_name] = True

    ask_auto_now_add_addition = ask_not_null_addition

    def ask_not_null_alteration(self, field_name: str, model_name: str) -> Any:
        """Note a column that was nullable."""
        self.is_new[model_name, field_name] = False
        return models.NOT_PROVIDED


def required_column(
    name: Name, app: str, loader: MigrationLoader
) -> tuple[templates.Column | None, list[tuple[str, str]]]:
    """Return the required column that the models of ``app`` have and its migrations have not.

    With what it depends on. None, and nothing, if there is none: models may come later.
    """
    lister = _Lister()
    detected = changes(loader, lister, app, (), name.slug).get(app, [])
    fields = [
        (operation, migration)
        for migration in detected
        for operation in migration.operations
        if isinstance(operation, migrations.AddField | migrations.AlterField)
        and (operation.model_name_lower, operation.name) in lister.is_new
    ]
    named = [pair for pair in fields if f"_{pair[0].name}_" in f"_{name.slug}_"]
    if not fields:
        return None, []
    if len(fields) > 1 and len(named) != 1:
        columns = ", ".join(f"{pair[0].model_name}.{pair[0].name}" for pair in fields)
        raise WrongUse(
            f"The models of {app} have {len(fields)} required columns without a migration,"
            f" {columns}, and three steps are for one: name it in the message, as in"
            f' -m "Add {_words(fields[0][0].name)}".'
        )
    [(operation, migration)] = fields if len(fields) == 1 else named
    model = apps.get_model(app, operation.model_name)
    required = model._meta.get_field(operation.name).clone()
    nullable = required.clone()
    nullable.null = True
    texts: list[str] = []
    imports: set[str] = set()
    for field in (nullable, required):
        text, needed = MigrationWriter.serialize(field)
        texts.append(text)
        imports |= needed
    is_new = lister.is_new[operation.model_name_lower, operation.name]
    column = templates.Column(
        operation.model_name, operation.name, texts[0], texts[1], frozenset(imports), is_new
    )
    more = [key for key in migration.dependencies if key[0] not in (app, "__setting__")]
    return column, more
