"""What a verb is given to speak with, and what it answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from django.core.management.base import OutputWrapper


class Exact(str):
    """A line of a script, which is printed as it is."""

    __slots__ = ()


@dataclass(frozen=True)
class Answer:
    """What a verb found or did: a document for programs, lines for people, and an exit code."""

    document: Any = None
    lines: Iterable[str] = ()
    exit_code: int = 0
    is_script: bool = False  # the lines are one, and nothing else is printed
    warning: str = ""  # for standard error


def _silent(*_: object) -> None:
    """Say nothing."""


def _agree() -> bool:
    return True


@dataclass(frozen=True)
class Console:
    """Where a verb says what it does meanwhile, and asks. By itself it says nothing and agrees."""

    stdout: OutputWrapper = field(default_factory=lambda: OutputWrapper(StringIO()))
    verbosity: int = 0
    say: Callable[[str], None] = field(default=_silent)  # a line
    progress: Callable[..., None] = field(default=_silent)  # as Django's executor reports it
    ask: Callable[[], bool] = field(default=_agree)  # whether to go on
