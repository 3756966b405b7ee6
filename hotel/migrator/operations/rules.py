"""Operations that add what must be true on top of rows for which it is not."""

from collections.abc import Sequence
from typing import Any, cast

from django.db import transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import strip_quotes
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState
from django.db.models import Model

from hotel.migrator.constraints import Check, Rule
from hotel.migrator.constraints.exempting import concerned_sql, end_sql, exempt_sql, is_exempt_sql
from hotel.migrator.locking import table_locks
from hotel.migrator.operations.archiving import lock, log, owner_of
from hotel.migrator.storage.archive import writes_script
from hotel.migrator.storage.batches import BATCH_SIZE
from hotel.migrator.storage.owners import Owner


def _is_step_by_step(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    """Tell whether an operation on SQLite must see to its transaction itself."""
    return schema_editor.connection.vendor == "sqlite" and not (
        schema_editor.atomic_migration or schema_editor.collect_sql
    )


def _run_deferred(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Run now, in the transaction that is open, what the schema editor has put off to its end."""
    deferred, schema_editor.deferred_sql = schema_editor.deferred_sql, []
    for sql in deferred:
        schema_editor.execute(sql, None)


def _has_constraint(
    schema_editor: BaseDatabaseSchemaEditor, model: type[Model], rule: Rule
) -> bool:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_constraint WHERE conname = %s"
            " AND conrelid = to_regclass(quote_ident(%s))",
            [rule.name, strip_quotes(model._meta.db_table)],
        )
        return bool(cursor.fetchone()[0])


def _change_rows(
    schema_editor: BaseDatabaseSchemaEditor, model: type[Model], condition: str, update: str
) -> None:
    """Change the rows that meet a condition some at a time, a transaction each (PostgreSQL).

    They are found without a lock. update: SQL, to which a further condition is added.
    """
    table = schema_editor.quote_name(model._meta.db_table)
    if model._meta.pk.column is None:  # several columns
        schema_editor.execute(update, params=None)
        return
    key = schema_editor.quote_name(model._meta.pk.column)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT {key} FROM {table} WHERE {condition} ORDER BY 1")
        keys = [row[0] for row in cursor.fetchall()]
        for start in range(0, len(keys), BATCH_SIZE):
            some = keys[start : start + BATCH_SIZE]
            cursor.execute(f"{update.replace('%', '%%')} AND {key} = ANY(%s)", [some])


class AddRules(Operation):
    """Add rules (``hotel.migrator.constraints``) to a model; the rows that break them are exempt.

    Instead of an ``AddConstraint`` for each. On PostgreSQL a ``Check`` is added NOT VALID: let
    ``ValidateRules`` follow in a later migration. With ``atomic = False`` on the migration, rows
    are looked at and exempted before the table is locked, for a moment; else while it is. An
    ``Exclusion`` cannot be added so: the table is locked while its index is built. On SQLite the
    table is rebuilt once.
    """

    reentrant = True
    category = OperationCategory.ADDITION

    def __init__(self, model_name: str, rules: Sequence[Rule]) -> None:
        self.model_name = model_name
        self.rules = rules

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, self.rules], {}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Add rules to {self.model_name}: {', '.join(rule.name for rule in self.rules)}"

    @property
    def migration_name_fragment(self) -> str:
        """Return what ``makemigrations`` would call the file."""
        return f"{self.model_name.lower()}_rules"

    def references_model(self, name: str, app_label: str) -> bool:
        """Return whether this operation is about the model."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add the rules to the state of the model."""
        key = app_label, self.model_name.lower()
        options = state.models[key].options
        options["constraints"] = [*options.get("constraints", []), *self.rules]
        state.reload_model(*key, delay=True)  # once: Django's add_constraint does it for each rule

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Exempt the rows that break the rules, and add these."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if _is_step_by_step(schema_editor):
            with transaction.atomic(schema_editor.connection.alias):
                self._add(schema_editor, model)
        elif self._is_online(schema_editor):
            self._add_online(schema_editor, model)
        else:
            self._add(schema_editor, model)
        if not schema_editor.collect_sql:
            self._log_exempt(owner_of(self, app_label), schema_editor, model)

    def _is_online(self, schema_editor: BaseDatabaseSchemaEditor) -> bool:
        return not (
            schema_editor.atomic_migration
            or schema_editor.collect_sql
            or writes_script(schema_editor.connection)
        )

    def _add(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> None:
        """Exempt and add in the transaction that is open."""
        if not schema_editor.collect_sql:
            lock(schema_editor, model)
        schema_editor.execute(exempt_sql(model, schema_editor, self.rules), params=None)
        if schema_editor.connection.vendor == "postgresql":
            self._add_constraints(schema_editor, model)
        else:
            # Django makes the table anew from the model, which has all of the rules.
            schema_editor.add_constraint(model, self.rules[0])

    def _add_constraints(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> None:
        for rule in self.rules:
            not_valid = " NOT VALID" if isinstance(rule, Check) else ""
            sql = str(rule.create_sql(model, schema_editor))
            schema_editor.execute(sql + not_valid, params=None)

    def _add_online(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> None:
        """Exempt rows a batch at a time, and then lock the table for no longer than it takes."""
        if not all(isinstance(rule, Check) for rule in self.rules):
            raise RuntimeError(
                f"{self.describe()}: an Exclusion locks its table while its index is built: take"
                " atomic = False out of its Migration."
            )
        if _has_constraint(schema_editor, model, self.rules[0]):
            return  # the run was killed after it had committed this
        _change_rows(
            schema_editor,
            model,
            concerned_sql(model, schema_editor, self.rules),
            exempt_sql(model, schema_editor, self.rules),
        )
        with transaction.atomic(schema_editor.connection.alias):
            lock(schema_editor, model)
            self._add_constraints(schema_editor, model)
            _run_deferred(schema_editor)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the rules, and the names of these from the rows that were exempt."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        end = end_sql(model, schema_editor, self.rules)
        if _is_step_by_step(schema_editor):
            with transaction.atomic(schema_editor.connection.alias):
                self._rebuild_without(schema_editor, model)
                schema_editor.execute(end, params=None)
        elif self._is_online(schema_editor):
            with transaction.atomic(schema_editor.connection.alias):
                lock(schema_editor, model)
                if _has_constraint(schema_editor, model, self.rules[0]):
                    self._drop_constraints(schema_editor, model)
            _change_rows(schema_editor, model, is_exempt_sql(schema_editor, self.rules), end)
        else:
            if schema_editor.connection.vendor == "postgresql":
                self._drop_constraints(schema_editor, model)
            else:
                self._rebuild_without(schema_editor, model)
            schema_editor.execute(end, params=None)

    def _drop_constraints(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]
    ) -> None:
        for rule in self.rules:
            schema_editor.execute(str(rule.remove_sql(model, schema_editor)), params=None)

    def _rebuild_without(self, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]) -> None:
        for rule in self.rules:
            cast(Any, schema_editor).forget(model, rule)
        schema_editor.remove_constraint(model, self.rules[0])

    def _log_exempt(
        self, owner: Owner, schema_editor: BaseDatabaseSchemaEditor, model: type[Model]
    ) -> None:
        """Say how many rows are exempt from which of the rules, if any is."""
        rows = model._base_manager.using(schema_editor.connection.alias)
        exempt = rows.filter(exemptions__isnull=False)
        counts = {
            rule.name: exempt.filter(exemptions__has_key=rule.name).count() for rule in self.rules
        }
        named = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        if named:
            log(owner, f"rows exempt: {named}")


class RemoveRules(Operation):
    """Remove rules from a model; on the way down they are added, and exempt the rows as they are.

    The inverse of ``AddRules``, and for a ``Check`` of ``ValidateRules``; with one of an
    ``Exclusion`` the migration must be atomic, as theirs.
    """

    reentrant = True
    category = OperationCategory.REMOVAL

    def __init__(self, model_name: str, rules: Sequence[Rule]) -> None:
        self.model_name = model_name
        self.rules = rules

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, self.rules], {}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Remove rules from {self.model_name}: {', '.join(rule.name for rule in self.rules)}"

    @property
    def migration_name_fragment(self) -> str:
        """Return what ``makemigrations`` would call the file."""
        return f"remove_{self.model_name.lower()}_rules"

    def references_model(self, name: str, app_label: str) -> bool:
        """Return whether this operation is about the model."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Take the rules out of the state of the model."""
        names = {rule.name for rule in self.rules}
        key = app_label, self.model_name.lower()
        options = state.models[key].options
        options["constraints"] = [one for one in options["constraints"] if one.name not in names]
        state.reload_model(*key, delay=True)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the rules, and the names of these from the rows that were exempt."""
        self._adding.database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Exempt the rows that break the rules, add these, and validate them."""
        self._adding.database_forwards(app_label, schema_editor, from_state, to_state)
        names = [rule.name for rule in self.rules if isinstance(rule, Check)]
        if names:  # their triggers, which validating turns off, are put off in a script
            _run_deferred(schema_editor)
        validating = ValidateRules(self.model_name, names)
        validating.database_forwards(app_label, schema_editor, from_state, to_state)

    @property
    def _adding(self) -> AddRules:
        adding = AddRules(self.model_name, self.rules)
        vars(adding)["copy_of"] = self  # whose place in its migration the log names
        return adding


class ValidateRules(Operation):
    """Let PostgreSQL check the rows that stood when ``AddRules`` added these rules.

    Reading and writing go on meanwhile. Rows that were written between the look of ``AddRules`` and
    its constraint, and break a rule, are exempt like those before them; those that were mended then
    are exempt no more. On SQLite all is done.
    """

    reentrant = True
    category = OperationCategory.ALTERATION

    def __init__(self, model_name: str, names: Sequence[str]) -> None:
        self.model_name = model_name
        self.names = names

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how to write this operation into a migration file."""
        return self.__class__.__name__, [self.model_name, self.names], {}

    def describe(self) -> str:
        """Return the sentence that ``migrate --plan`` prints."""
        return f"Validate rules of {self.model_name}: {', '.join(self.names)}"

    def references_model(self, name: str, app_label: str) -> bool:
        """Return whether this operation is about the model."""
        return name.lower() == self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: the rules are in the state."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Exempt late rows and validate the constraints."""
        rules = self._rules(app_label, schema_editor, to_state)
        if not rules:
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        table = schema_editor.quote_name(model._meta.db_table)
        if not schema_editor.collect_sql:
            self._exempt_late(schema_editor, model, table, rules)
        for rule in rules:
            name = schema_editor.quote_name(rule.name)
            with transaction.atomic(schema_editor.connection.alias):
                if not schema_editor.collect_sql:
                    lock(schema_editor, model, table_locks.MAINTENANCE)
                schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add the constraints NOT VALID again."""
        rules = self._rules(app_label, schema_editor, to_state)
        if not rules:
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        table = schema_editor.quote_name(model._meta.db_table)
        with transaction.atomic(schema_editor.connection.alias):
            if not schema_editor.collect_sql:
                lock(schema_editor, model)
            for rule in rules:
                name = schema_editor.quote_name(rule.name)
                check = rule.constraint_sql(model, schema_editor, triggers=False)
                schema_editor.execute(
                    f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD {check} NOT VALID",
                    params=None,
                )

    def _rules(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState
    ) -> list[Check]:
        """Return the rules to be validated, which SQLite has validated already."""
        connection = schema_editor.connection
        model = state.apps.get_model(app_label, self.model_name)
        if connection.vendor != "postgresql":
            return []
        if not self.allow_migrate_model(connection.alias, model):
            return []
        rules = {rule.name: rule for rule in model._meta.constraints}
        return [rules[name] for name in self.names]

    def _exempt_late(
        self,
        schema_editor: BaseDatabaseSchemaEditor,
        model: type[Model],
        table: str,
        rules: Sequence[Rule],
    ) -> None:
        """Exempt exactly the rows that break the rules: no new one can, since they are held."""
        wrong = " OR ".join(
            f"({rule.broken_sql(model, schema_editor)}) IS TRUE"
            f" <> ({rule.is_exempt_sql(schema_editor)})"
            for rule in rules
        )
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {wrong})")
            [is_wrong] = cursor.fetchone()
        if not (is_wrong or writes_script(schema_editor.connection)):
            return
        triggers = [rule.trigger_name(schema_editor) for rule in rules]
        off = ", ".join(f"DISABLE TRIGGER {trigger}" for trigger in triggers)
        on = ", ".join(f"ENABLE TRIGGER {trigger}" for trigger in triggers)
        exempt = exempt_sql(model, schema_editor, rules)
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.execute(f"ALTER TABLE {table} {off}")
            if writes_script(schema_editor.connection):
                schema_editor.execute(exempt, params=None)
            else:
                _change_rows(schema_editor, model, wrong, exempt)
            schema_editor.execute(f"ALTER TABLE {table} {on}")
