"""A generated column gets another expression, which Django does not do.

Django asks for the field to be removed and added again, also where a column that it reads was only
renamed, as ``makemigrations`` itself writes it. Nothing is lost in doing so: the database computes
the column again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from django.db.models import F, Model

# A Field: django-stubs knows neither what its subclasses have nor that most have a column.
AnyField: TypeAlias = Any
MaybeField: TypeAlias = Any  # or None

# Private of Django, verified with Django 5.2: the names that an expression reads.
REFERENCES: Callable[[Any], Any] = Model._get_expr_references  # type: ignore[attr-defined]


class ComputesAnew:
    """For a schema editor: alters a generated field by computing it anew."""

    connection: Any  # the engine's own
    _field_should_be_altered: Callable[[AnyField, AnyField], bool]

    def compute_anew(self, model: type[Model], old_field: AnyField, new_field: AnyField) -> None:
        """Give a generated column another expression."""
        raise NotImplementedError

    def alter_field(
        self,
        model: type[Model],
        old_field: AnyField,
        new_field: AnyField,
        strict: bool = False,
    ) -> None:
        """Alter a field as Django does, and a generated one too."""
        if not (old_field.generated and new_field.generated) or not self._field_should_be_altered(
            old_field, new_field
        ):
            super().alter_field(model, old_field, new_field, strict)  # type: ignore[misc]  # Django's
            return
        renamed = _renamed(old_field, new_field)
        with _written_with(renamed, new_field, old_field, *_of(model), *_of(new_field.model)):
            if self._is_other(old_field, new_field):
                self.compute_anew(model, old_field, new_field)
            elif old_field.column != new_field.column:
                super().alter_field(model, old_field, new_field, strict)  # type: ignore[misc]  # too

    def _is_other(self, old: AnyField, new: AnyField) -> bool:
        types = [field.db_parameters(self.connection) for field in (old, new)]
        if old.db_persist != new.db_persist or types[0] != types[1]:
            return True
        return bool(old.generated_sql(self.connection) != new.generated_sql(self.connection))


def _of(model: type[Model]) -> list[AnyField]:
    return [field for field in model._meta.local_fields if field.generated]


def _renamed(old: AnyField, new: AnyField) -> dict[str, str]:
    """Return ``{name: the field's name by now}`` if one that was renamed is read by its other name.

    Up, the old expression is behind; down, the new one is, for the field is renamed afterwards.
    """
    stale = old if _missing(old) else new
    missing = _missing(stale)
    other = names_read(new if stale is old else old) - names_read(stale)
    if len(missing) == 1 and len(other) == 1:
        return {missing.pop(): other.pop()}
    return {}


def _missing(field: AnyField) -> set[str]:
    return names_read(field) - {one.name for one in field.model._meta.fields}


@contextmanager
def _written_with(renamed: dict[str, str], *fields: Any) -> Iterator[None]:
    """Let the generated fields be written with the names that fields have by now."""
    if not renamed:
        yield
        return
    names = {F(old): F(new) for old, new in renamed.items()}
    stale = {id(field): field for field in fields if names_read(field) & renamed.keys()}.values()
    before = [(field, field.expression) for field in stale]
    try:
        for field in stale:
            field.expression = field.expression.replace_expressions(names)
            field.__dict__.pop("referenced_fields", None)
        yield
    finally:
        for field, expression in before:
            field.expression = expression


def names_read(thing: Any) -> set[str]:
    """Return the names of the fields that a generated field, an index or a constraint reads."""
    expressions, fields = (getattr(thing, name, ()) for name in ("expressions", "fields"))
    parts = [*(expressions() if callable(expressions) else expressions)]  # of a rule it is a method
    parts = [part[0] if isinstance(part, tuple) else part for part in parts]  # of an exclusion
    parts += [getattr(thing, name, None) for name in ("expression", "condition")]
    names = set() if callable(fields) else {name.removeprefix("-") for name in fields}
    names.update(getattr(thing, "include", None) or ())
    for part in parts:
        if isinstance(part, str):
            names.add(part)
        else:
            names.update(reference[0] for reference in REFERENCES(part))
    return names
