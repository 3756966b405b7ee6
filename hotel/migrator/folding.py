"""Texts as they are searched for: without capitals, accents, composition and punctuation.

``fold`` in Python and ``Folded`` in SQL mean the same, character for character, on both engines and
in any locale; append-only: migrations import them, and columns hold what they have made.
"""

import unicodedata
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, TextField
from django.db.models.functions import LTrim
from django.db.models.sql.compiler import SQLCompiler

# What one letter is written with two for.
SEVERAL = {
    "ß": "ss",
    "\u1e9e": "ss",
    "æ": "ae",
    "Æ": "ae",
    "œ": "oe",
    "Œ": "oe",
    "þ": "th",
    "Þ": "th",
}
# Letters that Unicode does not compose of a plain one and a mark.
PLAIN = {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "Ð": "d"}
PLAIN["\N{LATIN SMALL LETTER DOTLESS I}"] = "i"
KEPT = " abcdefghijklmnopqrstuvwxyz0123456789"
MARKS = "".join(map(chr, range(0x300, 0x370)))
PUNCTUATION = "".join(chr(one) for one in range(0x21, 0x7F) if not chr(one).isalnum()) + (
    "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{ACUTE ACCENT}\N{MIDDLE DOT}"
    "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}"
    "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{ZERO WIDTH SPACE}"
)
# Latin, Greek, Cyrillic, Armenian; more Latin and Greek; full width.
BLOCKS = [(0xA0, 0x250), (0x370, 0x588), (0x1E00, 0x2000), (0xFF10, 0xFF5B)]


def _plain_letters() -> dict[str, str]:
    """Return the letters that are searched for as another one."""
    found = {chr(one): chr(one).lower() for one in range(ord("A"), ord("Z") + 1)}
    found |= {"\u00a0": " ", "\t": " ", "\n": " ", "\r": " "}
    for one in (chr(code) for block in BLOCKS for code in range(*block)):
        bare = "".join(c for c in unicodedata.normalize("NFKD", one) if c not in MARKS)
        plain = PLAIN.get(one, bare.lower())
        if len(plain) == 1 and plain != one and one not in SEVERAL and plain.isalnum():
            found[one] = plain
    return found


_PLAIN = _plain_letters()
# As SQL's translate() wants it: what has no partner at its place is left out. The common ones come
# first, and stand for themselves, so that they are soon found.
FROM = KEPT + "".join(_PLAIN) + PUNCTUATION + MARKS
TO = KEPT + "".join(_PLAIN.values())
_TABLE = {ord(one): TO[place] if place < len(TO) else None for place, one in enumerate(FROM)}


def fold(text: str) -> str:
    """Return a text as it is searched for: ``José  O'Brien`` is ``jose  obrien``."""
    for letter, letters in SEVERAL.items():
        text = text.replace(letter, letters)
    return text.translate(_TABLE)


class Folded(Func):
    """A text as ``fold`` makes it; NULL stays NULL."""

    arity = 1
    output_field = TextField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to ``translate``."""
        spelt = "%(expressions)s"
        for letter, letters in SEVERAL.items():
            spelt = f"replace({spelt}, '{letter}', '{letters}')"
        template = f"translate({spelt}, {_quoted(FROM)}, {_quoted(TO)})"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Compile to a walk from character to character: SQLite has no ``translate``."""
        one = "substr(text, place, 1)"
        found = f"instr({_quoted(FROM)}, {one})"
        several = "".join(f" WHEN '{one}' THEN '{two}'" for one, two in SEVERAL.items())
        template = (
            "(WITH RECURSIVE walk(text, place, made) AS"
            " (SELECT %(expressions)s, 1, ''"
            f" UNION ALL SELECT text, place + 1, made || CASE {one}{several}"
            f" ELSE CASE {found} WHEN 0 THEN {one} ELSE substr({_quoted(TO)}, {found}, 1) END END"
            " FROM walk WHERE place <= length(text))"
            " SELECT CASE WHEN text IS NOT NULL THEN made END FROM walk"
            " ORDER BY place DESC LIMIT 1)"
        )
        return self.as_sql(compiler, connection, template=template, **context)


class Joined(Func):
    """Texts, one after the other."""

    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = TextField()


class StripZeros(LTrim):
    """A number without the zeros that it begins with."""

    template = "%(function)s(%(expressions)s, '0')"


def _quoted(text: str) -> str:
    """Return a text as SQL has it, in a template and past the driver's own signs."""
    return "'" + text.replace("'", "''").replace("%", "%%%%") + "'"
