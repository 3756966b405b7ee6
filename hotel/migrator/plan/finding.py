"""Something about a plan that is to be known before its first statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from hotel.migrator.exceptions import Interrupted, RefusedByPreflight

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


def refuse(complaints: Iterable[Finding]) -> None:
    """Raise Interrupted or RefusedByPreflight, with a line each, if any of the Findings refuses."""
    lines = [finding.line() for finding in complaints if finding.refuses]
    if lines:
        begun = any(finding.refuses and finding.kind == "interrupted" for finding in complaints)
        said = f"Nothing was changed: {len(lines)} of the things that this run would meet must be"
        raise (Interrupted if begun else RefusedByPreflight)(
            f"{said} mended first.", *(f"  {line}" for line in lines)
        )
