"""What ``psql`` and ``sqlite3`` read in a script besides the SQL that they hand on.

A migration's own SQL must mean in a script what it means to the database: ``refuse`` names what a
shell would take for a command of its own, and ``for_shell`` writes the rest so that it arrives.
"""

import re
from collections.abc import Iterator

from hotel.migrator.sql.quoting import NoSQL, NotQuotable

_NAME = r"[A-Za-z_\x80-\U0010ffff]"
_NAMES = r"[A-Za-z_0-9\x80-\U0010ffff]"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*+'"
_NEXT_LINE = r"(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*"
# As psql and the server take a text apart; each of them ends a comment at a carriage return too.
_OF_POSTGRESQL = re.compile(
    rf"""
      (?P<comment>--[^\n\r]*)
    | (?P<opened>/\*)
    | (?P<quoted>[eE]{_ESCAPED}(?:{_NEXT_LINE}{_ESCAPED})*
        | '(?:[^']|'')*+' | "(?:[^"]|"")*+"
        | \$(?P<tag>(?:{_NAME}{_NAMES}*)?)\$.*?\$(?P=tag)\$)
    | (?P<endless>[eE]?'|"|\$(?:{_NAME}{_NAMES}*)?\$)
    | (?P<word>{_NAME}[\w$\x80-\U0010ffff]*)
    | (?P<number>0[xXoObB]\w+|\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?)
    | (?P<command>\\\S*)
    | (?P<variable>:(?={_NAMES}|'{_NAMES}+'|"{_NAMES}+"|\{{))
    | (?P<mark>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COPY = re.compile(r"\s*COPY\b.*\b(?:FROM|TO)\s+STD(?:IN|OUT)\b", re.IGNORECASE | re.DOTALL)
_UNDOES = re.compile(r"\s*(ROLLBACK|ABORT)\b", re.IGNORECASE)
# A line that is a slash or GO alone ends a statement for sqlite3, unless it is in one of these.
_OF_SQLITE = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^]]*\]|--[^\n]*|/\*.*?(?:\*/|(?P<open>\Z))"""
    r"|^[^\S\n]*(?P<end>/(?![*])|go\b)",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_BEGINS = re.compile(r"\A(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*+", re.DOTALL)
_DOT = re.compile(r"[.#]\S*")


def refuse(sql: str, vendor: str) -> None:
    """Raise NotQuotable for a text that a shell would not hand on as the database would read it."""
    if vendor == "sqlite":
        statements = [_BEGINS.sub("", sql, count=1)]
        if found := _DOT.match(statements[0]):
            raise NoSQL(f"{found[0][:20]}, which sqlite3 would obey as a command of its own")
    else:
        statements = "".join(_plain(sql)).split(";")
        if not any(map(str.strip, statements)):
            raise NoSQL("nothing but comments")
    for statement in statements:
        if vendor == "postgresql" and _COPY.match(statement):
            raise NoSQL("COPY with STDIN or STDOUT, which psql would read or write itself")
        if found := _UNDOES.match(statement):
            raise NotQuotable(f"{found[1].upper()}, which would undo a part of the script")


def _plain(sql: str) -> Iterator[str]:
    """Yield the text without its comments and what is in quotes. Raises NoSQL."""
    for kind, text in _tokens(sql):
        if kind == "command":
            raise NoSQL(f"{text[:20]}, which psql would obey as a command of its own")
        if kind == "endless":
            raise NoSQL(f"a text or a comment that does not end ({text})")
        yield {"comment": " ", "quoted": '""'}.get(kind, text)


def _tokens(sql: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a text of PostgreSQL, each with its kind."""
    at = 0
    while found := _OF_POSTGRESQL.match(sql, at):
        kind, at = str(found.lastgroup), found.end()
        if kind == "opened":
            kind, at = _comment(sql, at)
        yield kind, sql[found.start() : at]


def _comment(sql: str, at: int) -> tuple[str, int]:
    """Return the kind of a comment that is open at a place, and where it ends: they may nest."""
    depth = 1
    for found in re.compile(r"/\*|\*/").finditer(sql, at):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return "comment", found.end()
    return "endless", at


def for_shell(sql: str, vendor: str) -> str:
    """Return a statement so that the shell reads it as it stands here.

    psql puts the value of a variable for ``:name``, but not for ``: name``. sqlite3 takes away the
    CR of each CRLF that it reads, so another goes before it; a line that is a slash or GO alone
    would end a statement for it; and a comment may be left open, which would go on in the script.
    """
    if vendor == "postgresql":
        return "".join(": " if kind == "variable" else part for kind, part in _tokens(sql))
    sql = sql.replace("\r\n", "\r\r\n")
    return _OF_SQLITE.sub(_closed, sql)


def _closed(found: re.Match[str]) -> str:
    if found["end"]:
        return f"/**/{found[0]}"
    return found[0] if found["open"] is None else f"{found[0]} */"
