"""SQL as the engines write it back, read far enough to be compared.

Both engines keep what they were told as text, and change its looks when something near it is
altered: quotes, brackets, casts of words to text. Two texts are compared by ``normal``, which
leaves these out and nothing that changes the meaning.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Union

# Words, and what stands in brackets.
Tree = list[Union[str, "Tree"]]
Constraint = tuple[str | None, list[str]]  # its name, and its words

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|/\*.*?\*/)
    | (?P<text>[bBeExX]?'(?:[^']|'')*')  # x'ff' too, in one
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)
    | (?P<operator>::|[-+*/<>=~!@\#%^&|?]+)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_TOKEN_OF_SQLITE = re.compile(rf"(?P<bracketed>\[[^]]*\]) | {_TOKEN.pattern}", _TOKEN.flags)
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
# A column may be called so, in quotes; without them it is something else.
_KEYWORDS = {"check", "constraint", "foreign", "primary", "references", "unique"}
_TEXT_TYPES = (["text"], ["character", "varying"], ["bpchar"])
# Words that stand before an expression in brackets; before any other, brackets are a call.
_BEFORE_EXPRESSION = {"and", "case", "check", "else", "not", "or", "then", "when", "where"}


def tokens(text: str, schema: str | None = None, *, bracketed: bool = False) -> list[str]:
    """Return the words of SQL: names bare where they can be, everything else in small letters.

    schema: its name before a table or a function is left out. bracketed: whether ``[a name]`` is
    one, as on SQLite; on PostgreSQL it is an array.
    """
    found = []
    pattern = _TOKEN_OF_SQLITE if bracketed else _TOKEN
    for match in pattern.finditer(text):
        kind, word = match.lastgroup, match[0]
        if kind == "space":
            continue
        if kind == "bracketed":
            kind, word = "quoted", quoted(word[1:-1])
        if kind == "quoted":
            name = word[1:-1].replace(word[0] * 2, word[0])
            is_plain = _PLAIN.fullmatch(name) and name not in _KEYWORDS
            word = name if is_plain else quoted(name)
        elif kind == "word":
            word = word.lower()
        found.append(word)
    if schema is None:
        return found
    own = schema if _PLAIN.fullmatch(schema) else quoted(schema)
    kept = []
    for place, word in enumerate(found):
        if word == own and found[place + 1 : place + 2] == ["."]:
            continue
        if word == "." and place and found[place - 1] == own:
            continue
        kept.append(word)
    return kept


def written(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each word of SQLite's SQL as it is written; a comment is a space."""
    for match in _TOKEN_OF_SQLITE.finditer(text):
        kind = str(match.lastgroup)
        yield kind, " " if kind == "space" else match[0]


def normal(text: str, schema: str | None = None) -> str:
    """Return SQL in the form in which two texts of the same meaning are mostly the same."""
    words = _without_casts(tokens(text, schema))
    tree, _ = _nested(words, 0)
    tree = _in_one_row(_simple(tree))
    if len(tree) == 1 and isinstance(tree[0], list):
        tree = tree[0]
    return " ".join(_flat(tree))


def bare(word: str) -> str:
    """Return the name that a word of ``tokens`` stands for."""
    return word[1:-1].replace('""', '"') if word.startswith('"') else word


class Elsewhere(str):
    """The name of a table with that of its schema, as SQL: ``"schema"."table"``."""


def is_elsewhere(table: str) -> bool:
    """Tell whether the name of a table has a schema before it, as ``db_table`` can have it."""
    return '"."' in table


def elsewhere(table: str) -> Elsewhere:
    """Return a name for which ``is_elsewhere`` as SQL; Django strips its outer quotes at times."""
    return Elsewhere(table if table[0] + table[-1] == '""' else f'"{table}"')


def quoted(name: str) -> str:
    """Return a name as SQL can always have it; Django's ``quote_name`` lets quotes in it stand."""
    if isinstance(name, Elsewhere):
        return str(name)
    return '"' + name.replace('"', '""') + '"'


def spellings(table: str) -> set[str]:
    """Return the ways in which PostgreSQL may write a table that ``db_table`` names."""
    names = bare(table).split('"."') if is_elsewhere(table) else [bare(table)]
    each = [{name, quoted(name)} for name in names]
    return {table, *map(".".join, product(*each))}


def unqualified(text: str, schema: str) -> str:
    """Return SQL without the name of ``schema`` before tables and functions."""
    own = re.compile(
        rf"""('(?:[^']|'')*')|(?<![\w$."])(?:{re.escape(quoted(schema))}|{re.escape(schema)})\."""
    )
    return own.sub(lambda match: match[1] or "", text)


def _without_casts(words: list[str]) -> list[str]:
    """Leave out casts to text of any length, which PostgreSQL adds to words and takes away."""
    kept = []
    place = 0
    while place < len(words):
        if words[place] == "::":
            for name in _TEXT_TYPES:
                after = place + 1 + len(name)
                if words[place + 1 : after] == name and words[after : after + 1] != ["("]:
                    place = after + 2 * (words[after : after + 2] == ["[", "]"])
                    break
            else:
                kept.append(words[place])
                place += 1
            continue
        kept.append(words[place])
        place += 1
    return kept


def _nested(words: list[str], place: int) -> tuple[Tree, int]:
    """Return the words from ``place`` to its closing bracket, each pair of brackets as a list."""
    found: Tree = []
    while place < len(words):
        if words[place] == "(":
            inner, place = _nested(words, place + 1)
            found.append(inner)
            continue
        if words[place] == ")":
            return found, place + 1
        found.append(words[place])
        place += 1
    return found, place


def _simple(tree: Tree) -> Tree:
    """Take away brackets around a single word, and around other brackets."""
    kept: Tree = []
    for part in tree:
        if isinstance(part, list):
            part = _simple(part)
            if len(part) == 1 and isinstance(part[0], list):
                part = part[0]
            before = kept[-1] if kept else ""
            is_call = isinstance(before, str) and re.fullmatch(r'[\w$]+|".*"', before, re.DOTALL)
            if len(part) == 1 and (not is_call or before in _BEFORE_EXPRESSION):
                part = part[0]
        kept.append(part)
    return kept


def _in_one_row(tree: Tree) -> Tree:
    """Take away brackets around what AND joins within AND, and OR within OR.

    PostgreSQL writes them, and has none any more when it reads them back from a dump.
    """
    kept: Tree = []
    for place, part in enumerate(tree):
        if isinstance(part, list):
            part = _in_one_row(part)
            beside = [*tree[max(place - 1, 0) : place], *tree[place + 1 : place + 2]]
            joins = [word for word in part if word in ("and", "or", "between", "case")]
            # What one of them joins on all sides.
            is_one = {*map(str, [*beside, *joins])} in ({"and"}, {"or"})
            if beside and is_one and joins and "between" not in tree:
                kept += part
                continue
        kept.append(part)
    return kept


def _flat(tree: Tree) -> Iterator[str]:
    for part in tree:
        if isinstance(part, list):
            yield from ("(", *_flat(part), ")")
        else:
            yield part


def body(words: list[str]) -> tuple[list[list[str]], list[str]]:
    """Return what stands in the first brackets, split at its commas, and what follows it."""
    parts: list[list[str]] = [[]]
    start, depth = words.index("(") + 1, 1
    for place, word in enumerate(words[start:], start):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0:
            return parts, words[place + 1 :]
        if word == "," and depth == 1:
            parts.append([])
        else:
            parts[-1].append(word)
    raise ValueError(f"Brackets do not close: {' '.join(words)}")


class Column:
    """A column as it stands in a CREATE TABLE of SQLite, and the constraints written into it."""

    ends = frozenset(
        [
            "constraint",
            "primary",
            "not",
            "null",
            "unique",
            "check",
            "default",
            "collate",
            "references",
            "generated",
            "as",
        ]
    )

    def __init__(self, words: list[str]) -> None:
        self.name = bare(words[0])
        self.constraints: list[Constraint] = []
        facts = {"type": "", "null": "yes", "default": "", "collation": "", "generated": ""}
        place = 1
        while place < len(words) and words[place] not in self.ends:
            place += 1
        facts["type"] = re.sub(r" ?([(),]) ?", r"\1", " ".join(words[1:place]))
        named = None
        while place < len(words):
            word = words[place]
            if word == "constraint":
                named, place = bare(words[place + 1]), place + 2
                continue
            end = self._end(words, place)
            part = words[place:end]
            if part[:2] == ["not", "null"]:
                facts["null"] = " ".join(["no", *part[2:]])  # ON CONFLICT IGNORE, say
            elif word == "default":
                facts["default"] = normal(" ".join(part[1:]))
            elif word == "collate":
                facts["collation"] = part[1]
            elif word in ("generated", "as"):
                kind = "stored" if "stored" in part else "virtual"
                start = part.index("as") + 1
                last = len(part) - part[::-1].index(")")
                facts["generated"] = f"{normal(' '.join(part[start:last]))} {kind}"
            elif constraint := self._constraint(words[0], part):
                self.constraints.append((named, constraint))
            if word == "primary" and "autoincrement" in part:
                facts["autoincrement"] = "yes"
            named, place = None, end
        self.facts = facts

    @staticmethod
    def _constraint(name: str, part: list[str]) -> list[str]:
        """Return a constraint of the column as one of the table, or nothing if it is none."""
        own = ["(", name, ")"]
        if part[0] == "primary":
            # In descending order it is no rowid; and there may be an ON CONFLICT.
            more = [word for word in part[2:] if word not in ("asc", "autoincrement")]
            return ["primary", "key", *own, *more]
        if part[0] == "unique":
            return ["unique", *own, *part[1:]]
        if part[0] == "references":
            return ["foreign", "key", *own, *part]
        return part if part[0] == "check" else []

    def _end(self, words: list[str], place: int) -> int:
        """Return where the part that begins at ``place`` ends."""
        first = words[place]
        depth, at = 0, place + 1
        while at < len(words):
            word = words[at]
            if (
                depth == 0
                and at > place + 1 - (first in ("null", "unique"))
                and (
                    word in self.ends
                    and not (first == "not" and word == "null")
                    and not (first == "generated" and word == "as")
                    and not (first == "default" and at == place + 1)
                    and not (first == "references" and self._is_of_reference(words, at))
                )
            ):
                return at
            depth += {"(": 1, ")": -1}.get(word, 0)
            at += 1
        return at

    @staticmethod
    def _is_of_reference(words: list[str], at: int) -> bool:
        """Tell whether a word belongs to ON DELETE SET NULL, SET DEFAULT or NOT DEFERRABLE."""
        return words[at - 1] == "set" or words[at : at + 2] == ["not", "deferrable"]


def table_of_sqlite(created: str) -> tuple[list[Column], list[Constraint], str]:
    """Return what a CREATE TABLE says: columns, constraints as ``(name, words)``, and options."""
    parts, after = body(tokens(created, bracketed=True))
    columns: list[Column] = []
    constraints: list[Constraint] = []
    for part in parts:
        name = None
        if part[0] == "constraint":
            name, part = bare(part[1]), part[2:]
        if part[0] in ("primary", "unique", "check", "foreign"):
            constraints.append((name, part))
        else:
            column = Column(part)
            columns.append(column)
            constraints += column.constraints
    return columns, constraints, " ".join(after)
