"""Something about a plan that is to be known before its first statement."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

KEYS = 10  # primary keys that a finding names
LEGACY = "legacy"  # the kind of the finding that no migration made the database


@dataclass(frozen=True)
class Finding:
    """Something about a plan that is to be known before its first statement.

    refuses: the plan cannot or must not run; else this is a warning. migration: as
    ``app.0003_name``. operation: what its ``describe()`` says, "" if it is about all of the
    migration. cause: a sentence with all names. count: rows, or None. keys: up to ten primary keys,
    as text. mend: a sentence that names the command. kind: a word for programs.
    """

    kind: str
    refuses: bool
    migration: str
    operation: str
    cause: str
    mend: str
    count: int | None = None
    keys: tuple[str, ...] = ()

    def line(self) -> str:
        """Return all of it in one line of text."""
        word = "Refused" if self.refuses else "Warning"
        shown = ""
        if self.keys:
            more = (self.count or 0) - len(self.keys)
            shown = f" Rows by key: {', '.join(self.keys)}{f' and {more} more' if more else ''}."
        return f"{word}: {self.cause}{shown} {self.mend}"

    def as_dict(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)
