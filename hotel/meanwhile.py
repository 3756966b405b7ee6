"""Who has changed a row, and when: from its events, or else from the log of the back office."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import formats, timezone
from django.utils.text import capfirst

LOOKED_AT = 30  # entries of the log; further back, nobody remembers the form


@dataclass(frozen=True)
class Change:
    """A change of a row. by: None if it is not known, or if a command did it."""

    by: Any
    at: datetime | None

    def __str__(self) -> str:
        """Return, for instance, ``sari at 10:42``; the day too, if it is another."""
        who = str(self.by) if self.by else "somebody"
        if not self.at:
            return who
        moment = timezone.localtime(self.at)
        is_today = moment.date() == timezone.localdate()
        return f"{who} at {formats.date_format(moment, 'H:i' if is_today else 'D j M H:i')}"


def last_change(row: Any, column: str | None = None, label: Any = None) -> Change | None:
    """Return the last change of a row that stands, or of one column of it; None if none is known.

    label: of the column, as forms have it. That the row was made is no change of it.
    """
    if hasattr(row, "events"):
        return _from_events(row, column)
    return _from_log(row, column, label)


def _from_events(row: Any, column: str | None) -> Change | None:
    events = row.events.order_by("-pk").select_related("by")
    if column:
        events = events.filter(changes__has_key=column)
    event = events.first()
    if event is None or _made(row, event.changes or {}):
        return None
    return Change(event.by, event.at)


def _made(row: Any, changes: dict[str, Any]) -> bool:
    """Return whether an event is that of the row being made: it had no value in any column."""
    required = [field.name for field in row._meta.concrete_fields if not field.null]
    return any(name in changes and changes[name][0] is None for name in required)


def _from_log(row: Any, column: str | None, label: Any) -> Change | None:
    entries = LogEntry.objects.filter(
        content_type__app_label=row._meta.app_label,
        content_type__model=row._meta.model_name,
        object_id=str(row.pk),
        action_flag=CHANGE,
    ).order_by("-pk")
    names = {str(name).lower() for name in (column, label, _verbose(row, column)) if name}
    for entry in entries.select_related("user")[:LOOKED_AT]:
        if column is None or names & _fields_of(entry):
            return Change(entry.user, entry.action_time)
    return None


def _verbose(row: Any, column: str | None) -> str | None:
    names = {field.name: field.verbose_name for field in row._meta.get_fields() if field.concrete}
    return column and capfirst(names.get(column))


def _fields_of(entry: LogEntry) -> set[str]:
    """Return the labels of the fields that an entry of the log says were changed."""
    try:
        said = json.loads(entry.change_message)
    except ValueError:
        return set()
    parts = said if isinstance(said, list) else []
    changed = [part["changed"] for part in parts if isinstance(part, dict) and "changed" in part]
    own = [part for part in changed if "object" not in part]  # not of an inline
    return {str(name).lower() for part in own for name in part.get("fields", ())}
