"""Whose an archived value or a cursor is: an operation of a migration, going one way."""

from __future__ import annotations

from typing import NamedTuple


class Owner(NamedTuple):
    """An operation: its migration, and its place there.

    direction: forward or backward; "" where it is about both. As text, ``app.0003_name#2 forward``.
    """

    app: str
    name: str
    place: int
    direction: str = ""

    @classmethod
    def read(cls, text: str) -> Owner:
        """Return the Owner of a text."""
        migration, _, end = text.rpartition("#")  # a name may have a space
        app, _, name = migration.partition(".")
        place, _, direction = end.partition(" ")
        return cls(app, name, int(place), direction)

    @property
    def label(self) -> str:
        """The migration, as ``app.0003_name``."""
        return f"{self.app}.{self.name}"

    @property
    def run(self) -> tuple[str, str, str]:
        """Application, migration and direction, by which a run of it is known."""
        return self.app, self.name, self.direction

    def going(self, direction: str) -> Owner:
        """Return the same operation, going this way."""
        return self._replace(direction=direction)

    def __str__(self) -> str:
        return f"{self.label}#{self.place} {self.direction}".rstrip()
