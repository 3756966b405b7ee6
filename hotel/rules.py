"""The rules of a row, asked before it is written, so that all that are broken can be told at once.

The database asks them again as the row is written, and has the last word: docs/decisions/0010.
"""

from collections.abc import Collection
from functools import reduce
from operator import and_

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.models import CheckConstraint, Model
from django.db.models.constraints import BaseConstraint

from hotel.migrator.constraints import Frozen, Rule


def validate(
    row: Model, changed: Collection[str] | None = None, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Raise ValidationError, with every sentence, if fields or constraints of ``row`` are broken.

    changed: names of the fields that will be written to a row that stands; None for a new row.
    A rule that reads none of them says of the row what it has said before, and is not asked.
    ``full_clean`` asks every constraint by itself, at three statements each. Here one statement
    asks all the checks together; which of them is broken is asked only if any is.
    """
    model = type(row)
    names = {field.name for field in model._meta.fields}
    written = names if changed is None else set(changed)
    row.clean_fields(exclude=names - written)
    rules = [rule for rule in model._meta.constraints if _reads(rule, model, written)]
    checks = [rule for rule in rules if isinstance(rule, CheckConstraint)]
    if _all_kept(checks, row, using):
        rules = [rule for rule in rules if rule not in checks]
    broken = []
    for rule in rules:
        try:
            rule.validate(model, row, using=using)
        except ValidationError as error:
            broken.append(error)
    if broken:
        raise ValidationError(broken)


def _reads(rule: BaseConstraint, model: type[Model], written: set[str]) -> bool:
    """Return whether a rule reads one of the fields; one that does not tell may read any."""
    return not isinstance(rule, Rule | Frozen) or not written.isdisjoint(rule.fields(model))


def _all_kept(checks: list[CheckConstraint], row: Model, using: str) -> bool:
    """Return whether a row keeps all the checks that it is not exempt from."""
    asked = [
        check.condition
        for check in checks
        if not (isinstance(check, Rule) and check.exempts(row, using))
    ]
    if not asked:
        return True
    together = CheckConstraint(condition=reduce(and_, asked), name="together")
    try:
        together.validate(type(row), row, using=using)
    except ValidationError:
        return False
    return True
