"""Something that is not in a database as its migrations make it."""

from dataclasses import dataclass, field
from typing import Any

from hotel.migrator.schema.catalog import Thing


@dataclass(frozen=True)
class Difference:
    """Something that is not in the database as the migrations make it.

    what: "missing", "extra", "renamed" or "different". thing: what it is about, under the name that
    it should have; of what is extra, the one that it has. found: the thing that was found in place
    of a renamed one. attributes: ``{name: (expected, found)}``. since: what applied or altered it
    last, as a sentence's end. hindered: what of the rows, or beside the table, would stop the
    statements that mend it, and what to do, as a part of a sentence; see ``hindrances``. by_hand:
    why no statement mends it, likewise; "" if one does.
    """

    what: str
    thing: Thing
    found: Thing | None = None
    attributes: dict[str, tuple[str, str]] = field(default_factory=dict)
    since: str = ""
    hindered: str = ""
    by_hand: str = ""

    @property
    def old(self) -> Thing:
        """The thing under the name that it has."""
        return self.found or self.thing

    def of(self, kind: str) -> bool:
        """Tell whether it is about a thing of that kind."""
        return self.thing.kind == kind

    def __str__(self) -> str:
        said = {
            "missing": f"{self.thing} is missing",
            "extra": f"{self.thing} is there, and no migration makes it",
            "renamed": f"{self.thing} is called {self.old.name}",
            "different": f"{self.thing} differs: {_listed(self.attributes)}",
        }[self.what]
        more = f" No script mends that: {self.by_hand}." if self.by_hand else ""
        return f"The {said}{f', since {self.since}' if self.since else ''}.{more}"

    def as_dict(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {
            "what": self.what,
            **self.thing._asdict(),
            "found": self.found.name if self.found else None,
            "attributes": {
                name: {"expected": expected, "found": found}
                for name, (expected, found) in self.attributes.items()
            },
            "since": self.since,
            "by_hand": self.by_hand,
            "says": str(self),
        }


def _listed(attributes: dict[str, tuple[str, str]]) -> str:
    return ", ".join(
        f"{name} {found or 'nothing'} instead of {expected or 'nothing'}"
        for name, (expected, found) in attributes.items()
    )
