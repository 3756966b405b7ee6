"""Events: the hotel's memory. One row for each act on a row, which the service that acts writes.

Reservations, payments and rooms have each a table of events (``Event`` in their models), which is
only added to. A service changes a row and calls ``record`` in the same transaction, so that there
is no act without its event, and none of an act that failed. Played from the first, what the events
of a row say makes the row as it is. Rule: docs/decisions/0018-events.md.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from hotel.business_day import business_date
from hotel.migrator.constraints import AppendOnly

# Of no interest, or not a service's to write.
UNTOLD = ("id", "created_at", "updated_at", "exemptions")


class Evidence(models.TextChoices):
    """What an event rests on."""

    RECORDED = "recorded", "Recorded as it happened"
    LEGACY_COLUMN = "legacy_column", "From the legacy columns"
    ADMIN_LOG = "admin_log", "From the log of the back office"


class EventBase(models.Model):
    """One act on a row: who did what and when, and what it changed.

    what: the act, as a participle: ``checked_in``. at: unknown of some legacy acts; business_date:
    the hotel's. by: unknown of some legacy acts. changes: ``{column: [old, new]}``, see ``told``;
    None if nobody knows.
    """

    what = models.CharField(max_length=30)
    at = models.DateTimeField(null=True, blank=True)
    business_date = models.DateField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    changes = models.JSONField(null=True, blank=True)
    reason = models.TextField(null=True, blank=True)
    evidence = models.CharField(
        max_length=20, choices=Evidence, default=Evidence.RECORDED, db_default=Evidence.RECORDED
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.what.replace('_', ' ')} on {self.business_date}"


def event_rules(table: str) -> list[models.BaseConstraint]:
    """Return the constraints of a table of events; a name of a constraint is its own."""
    return [
        models.CheckConstraint(
            name=f"{table}_evidence_known",
            condition=Q(evidence__in=Evidence.values),
            violation_error_message="The evidence is none of those there are.",
        ),
        AppendOnly(
            name=f"{table}_append_only",
            violation_error_message="Events are only added to.",
        ),
    ]


def remember(row: models.Model) -> None:
    """Let a row know how it is now, before it is changed: what ``record`` compares with."""
    vars(row)["_before"] = told(row)


def told(row: models.Model) -> dict[str, Any]:
    """Return the columns of a row as JSON has them: amounts as text, moments in ISO 8601, keys."""
    return {
        field.name: _as_json(field, row.__dict__[field.attname])
        for field in row._meta.concrete_fields
        if field.name not in UNTOLD and not field.generated and field.attname in row.__dict__
    }


def changed(row: models.Model) -> list[str]:
    """Return the names of the columns that are no longer as they were remembered."""
    before = vars(row)["_before"]
    return [name for name, value in told(row).items() if before[name] != value]


def record(
    row: Any, what: str, by: User | None, reason: str | None = None, **more: list[Any]
) -> None:
    """Write the event of an act that has just been saved, in the transaction of the act.

    row: remembered under its lock and then changed, or new. by: None for a command. more: what
    changed beside the columns of the row, old and new.
    """
    before = vars(row).get("_before", {})
    after = told(row)
    row.events.create(
        what=what,
        at=timezone.now(),
        business_date=business_date(),
        by=by,
        changes={
            name: [before.get(name), value]
            for name, value in after.items()
            if before.get(name) != value
        }
        | more,
        reason=reason,
    )
    vars(row)["_before"] = after


def _as_json(field: Any, value: Any) -> Any:
    """Return a value of a column as JSON has it."""
    if isinstance(field, models.DecimalField) and value is not None:
        amount = Decimal(value)
        text = f"{amount:.{field.decimal_places}f}"
        return text if Decimal(text) == amount else str(amount)
    return value.isoformat() if isinstance(value, date) else value
