"""Which operations a kill leaves whole, and which can be run again when they were stopped."""

from __future__ import annotations

from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    CreateExtension,
    NotInTransactionMixin,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import IndexOperation, ModelOperation

from hotel.migrator import operations


def repeatable(operation: Operation) -> Operation:
    """Return an operation that does the same, and that a kill leaves repeatable, if we have one.

    An index that CONCURRENTLY did not finish is there, and INVALID; it is dropped and made anew.
    """
    if isinstance(operation, AddIndexConcurrently):
        return operations.AddIndex(operation.model_name, operation.index)
    if isinstance(operation, RemoveIndexConcurrently):
        return operations.RemoveIndex(operation.model_name, operation.name)
    if isinstance(operation, SeparateDatabaseAndState):
        parts = [repeatable(part) for part in operation.database_operations]
        if parts != operation.database_operations:
            return SeparateDatabaseAndState(parts, operation.state_operations)
    return operation


def has_transaction(operation: Operation) -> bool:
    """Tell whether an operation of a migration that is not atomic can have a transaction."""
    if isinstance(operation, SeparateDatabaseAndState):
        return all(has_transaction(part) for part in operation.database_operations)
    if getattr(operation, "reentrant", False) or isinstance(operation, NotInTransactionMixin):
        return False
    changes_schema = isinstance(operation, ModelOperation | FieldOperation | IndexOperation)
    return changes_schema or bool(operation.atomic)


def may_repeat(operation: Operation) -> bool:
    """Tell whether an operation that was stopped in the middle can be run again."""
    return has_transaction(operation) or _goes_on(operation)


def _goes_on(operation: Operation) -> bool:
    """Tell whether an operation without a transaction does what is left of it."""
    if isinstance(operation, SeparateDatabaseAndState):  # some of its parts may have ended
        return all(map(_goes_on, operation.database_operations))
    return getattr(operation, "reentrant", False) or isinstance(
        operation, CreateExtension | ValidateConstraint
    )


def has_own_way(migration: Migration, *, backwards: bool) -> bool:
    """Tell whether a migration overrides how Django runs its operations."""
    name = "unapply" if backwards else "apply"
    return getattr(type(migration), name) is not getattr(Migration, name)


def in_words(operation: Operation, *, backwards: bool) -> str:
    """Return what an operation does; of Python code, which function it calls."""
    code = getattr(operation, "reverse_code" if backwards else "code", None)
    if isinstance(operation, RunPython) and type(operation).describe is RunPython.describe:
        return f"{operation.describe()}, {getattr(code, '__name__', code)}()"
    return operation.describe()
