"""What a run prints: without what would drive a terminal, and also when nobody reads it.

Names, values and messages come from databases that anybody may have written to. Where they leave
the program, ``printable`` or ``as_json`` takes the control characters out of them.
"""

import json
import logging
import os
import re
from collections.abc import Callable
from typing import Any, TextIO, cast

from django.core.management.base import OutputWrapper

from hotel.migrator.messages.masking import without_secrets

logger = logging.getLogger(__name__)

# The controls of ASCII and Latin 1, what turns the direction of writing, other ends of lines, and
# halves of letters, which no terminal can be sent.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_COLOUR = re.compile(r"(\x1b\[(?:0|1|[34][0-7])(?:;(?:1|[34][0-7]))*m)")  # as Django has them


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return text with its control characters written out: ``\n``, ``\x1b``, ``\u202e``.

    lines: it may be of several lines, whose ends stay.
    """

    def written_out(match: re.Match[str]) -> str:
        if lines and match[0] == "\n":
            return "\n"
        return match[0].encode("unicode_escape").decode("ascii")

    return _UNSAFE.sub(written_out, text)


def told(text: str, *, lines: bool = False) -> str:
    """Return a message that anybody may have made as ``printable`` does, and without secrets."""
    return printable(without_secrets(text), lines=lines)


def printable_all(value: Any) -> Any:
    """Return a string, or what lists and dicts hold of these, as ``printable`` does."""
    if isinstance(value, str):
        return printable(value, lines=True)
    if isinstance(value, list | tuple):
        return [printable_all(item) for item in value]
    if isinstance(value, dict):
        return {name: printable_all(item) for name, item in value.items()}
    return value


def as_json(document: Any) -> str:
    """Return a document as JSON whose text can be read and printed."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # All that is left of these, but for the ends of lines, stands between quotes.
    return _UNSAFE.sub(
        lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text
    )


class PrintableFormatter(logging.Formatter):
    """Writes each record in one line, and its traceback, if any, below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line; an end of line before it stays, as after the "…" of a migration."""
        line = super().formatMessage(record)
        text = line.removeprefix("\n")
        return line[: len(line) - len(text)] + told(text)

    def formatException(self, ei: Any) -> str:
        """Return the traceback."""
        return told(super().formatException(ei), lines=True)


class PrintableOutput(OutputWrapper):
    """Standard output or error of a command, to which only ``printable`` text is written.

    It takes the place of what Django has made; Django's colours stay if ``style`` has any.
    """

    def __init__(self, given: OutputWrapper, style: Any) -> None:
        super().__init__(cast(TextIO, given._out), given.ending)
        self._style_func = given.style_func
        self._has_colours = style.ERROR("") != ""

    def write(  # type: ignore[override]  # as OutputWrapper's, which is no TextIO's either
        self, msg: str = "", style_func: Any = None, ending: str | None = None
    ) -> None:
        """Write text of one line or more."""
        parts = _COLOUR.split(msg) if self._has_colours else [msg]
        parts[::2] = [printable(part, lines=True) for part in parts[::2]]
        super().write("".join(parts), style_func, ending)

    def write_exactly(self, text: str) -> None:
        """Write a line of a script as it is; on a terminal, nobody's text drives that."""
        if self.isatty():
            self.write(text)
        else:
            OutputWrapper.write(self, text)


class Output(PrintableOutput):
    """Output that does not decide how far a database is migrated: ``migrate | head -3`` goes on."""

    def write(self, *words: Any, **how: Any) -> None:  # type: ignore[override]  # as above
        """Write, or see to it that nothing is written any more."""
        self._try(super().write, *words, **how)

    def flush(self) -> None:
        """Flush, or see to it that nothing is written any more."""
        self._try(cast(TextIO, self._out).flush)

    def _try(self, do: Callable[..., Any], *words: Any, **how: Any) -> None:
        try:
            do(*words, **how)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), cast(TextIO, self._out).fileno())
            logger.warning("The output cannot be written (%s); the run goes on.", error.strerror)
