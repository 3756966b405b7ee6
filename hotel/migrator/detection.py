"""What the models have and the migrations have not: Django's autodetector, asked in our way."""

from django.apps import apps
from django.db import migrations, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.questioner import MigrationQuestioner, NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from hotel.migrator import operations, templates
from hotel.migrator.exceptions import WrongUse

# Django's operations that lose rows, and those that archive them first.
SAFE = {
    migrations.CreateModel: operations.CreateModel,
    migrations.DeleteModel: operations.DeleteModel,
    migrations.AddField: operations.AddField,
    migrations.RemoveField: operations.RemoveField,
}


class Refusing(NonInteractiveMigrationQuestioner):
    """Answers for nobody: a required column without a default has no answer.

    own: the labels of the apps that a migration may be written for.
    """

    def __init__(self, own):
        super().__init__(specified_apps=own, verbosity=0)
        self.own = own

    def ask_not_null_addition(self, field_name, model_name):
        """Refuse a new column."""
        raise WrongUse(
            f"{model_name}.{field_name} is required and has no default, and the rows that are there"
            " need a value: give it a db_default in models.py, or have it added, filled and"
            f" required in three steps with {self._command('Add', field_name, model_name)}."
        )

    ask_auto_now_add_addition = ask_not_null_addition

    def ask_not_null_alteration(self, field_name, model_name):
        """Refuse a column that was nullable."""
        raise WrongUse(
            f"{model_name}.{field_name} becomes required and has no default, and the rows that hold"
            " NULL need a value: give it a db_default in models.py, or have it filled and required"
            f" in two steps with {self._command('Require', field_name, model_name)}."
        )

    def _command(self, verb, field_name, model_name):
        """Return the command that writes the steps; Django does not tell whose model it is."""
        labels = [
            model._meta.app_label
            for model in apps.get_models()
            if model._meta.model_name == model_name and model._meta.app_label in self.own
        ]
        app = f" --app {labels[0]}" if len(labels) == 1 else ""
        message = f"{verb} {model_name} {_words(field_name)}"
        return f'manage.py db revision -m "{message}"{app} --template three-step'


def _words(field_name):
    return field_name.replace("_", " ")


def changes(loader, questioner, app, own, slug):
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


def safe(operation):
    """Return the operation of ``hotel.migrator.operations`` that does the same and archives."""
    ours = SAFE.get(type(operation))
    if not ours:
        return operation
    _, args, kwargs = operation.deconstruct()
    return ours(*args, **kwargs)


def source(name, migration):
    """Return what Django writes, with the message as docstring and short names for operations."""
    text = MigrationWriter(migration, include_header=False).as_string()
    module = operations.__name__
    if f"import {module}\n" in text:
        package, _, short = module.rpartition(".")
        text = text.replace(f"import {module}\n", "", 1).replace(f" {module}.", f" {short}.")
        text = text.replace("\n\n\nclass ", f"\n\nfrom {package} import {short}\n\n\nclass ", 1)
    return f"{name.docstring()}\n\n{text}"


class _Lister(MigrationQuestioner):
    """Notes the required columns without a default instead of asking for one."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def ask_not_null_addition(self, field_name, model_name):
        """Note a new column."""
        self.found[model_name, field_name] = True

    ask_auto_now_add_addition = ask_not_null_addition

    def ask_not_null_alteration(self, field_name, model_name):
        """Note a column that was nullable."""
        self.found[model_name, field_name] = False
        return models.NOT_PROVIDED


def required_column(name, app, loader):
    """Return the required column that the models of ``app`` have and its migrations have not.

    With what it depends on. None, and nothing, if there is none: models may come later.
    """
    lister = _Lister()
    found = changes(loader, lister, app, (), name.slug).get(app, [])
    fields = [
        (operation, migration)
        for migration in found
        for operation in migration.operations
        if isinstance(operation, migrations.AddField | migrations.AlterField)
        and (operation.model_name_lower, operation.name) in lister.found
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
    texts, imports = [], set()
    for field in (nullable, required):
        text, needed = MigrationWriter.serialize(field)
        texts.append(text)
        imports |= needed
    is_new = lister.found[operation.model_name_lower, operation.name]
    column = templates.Column(
        operation.model_name, operation.name, *texts, imports=imports, is_new=is_new
    )
    more = [key for key in migration.dependencies if key[0] not in (app, "__setting__")]
    return column, more
