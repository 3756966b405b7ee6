"""What the text of an SQLite table says beside its model: columns, constraints, defaults.

Where the table is made anew, it is written into the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor
from django.db.models import Model

from hotel.migrator.editors.generated import AnyField
from hotel.migrator.sql.parsing import bare, normal, quoted, table_of_sqlite, tokens, written

# What stands in a table itself, a row each; of CHECK and COLLATE no more than how many there are.
PARTS = (
    "SELECT 'column ' || lower(name) FROM pragma_table_xinfo({table})"
    " UNION ALL SELECT 'default ' || name || ' ' || dflt_value FROM pragma_table_xinfo({table})"
    " WHERE dflt_value IS NOT NULL"
    " UNION ALL SELECT 'reference ' || \"from\" || ' ' || on_update || ' ' || on_delete"
    " FROM pragma_foreign_key_list({table})"
    " WHERE on_update <> 'NO ACTION' OR on_delete <> 'NO ACTION'"
    " UNION ALL SELECT 'unique ' || (SELECT group_concat(name) FROM pragma_index_info(of_it.name))"
    " FROM pragma_index_list({table}) AS of_it WHERE origin = 'u'"
    " UNION ALL SELECT word || ' ' ||"
    " ((length(sql) - length(replace(upper(sql), word, ''))) / length(word))"
    " FROM sqlite_master, (SELECT 'CHECK' AS word UNION ALL SELECT 'COLLATE')"
    " WHERE type = 'table' AND lower(sqlite_master.name) = lower({table})"
)
_BEFORE_CONSTRAINTS = ("constraint", "primary", "unique", "check", "foreign")


class Column(NamedTuple):
    """A column of which the model does not know; sql: its declaration, with its name.

    is_generated: it holds no values of its own. is_key: it is in the primary key.
    """

    name: str
    sql: str
    is_generated: bool
    is_key: bool


@dataclass
class Extras:
    """What the text of a table has beside what its model says, as SQL.

    unknown: columns of which the model does not know. columns: what follows the type of one that it
    knows, by the column's name in small letters. of_columns: the constraints that are written into
    a column, ``(column, SQL)``. constraints: all others.
    """

    table: str = ""
    unknown: list[Column] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    of_columns: list[tuple[str, str]] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        """Yield each in words, but for the columns of which the model does not know."""
        yield from (f"{sql} of {column}" for column, sql in self.columns.items())
        yield from (sql for _, sql in self.of_columns)
        yield from self.constraints

    def reading(self, column: str) -> Iterator[str]:
        """Yield in words what reads a column of the table, and would not be left without it."""
        for one in self.unknown:
            if _reads(one.sql, self.table, column):
                yield f"the column {one.name}"
        others = [sql for name, sql in self.of_columns if name.lower() != column.lower()]
        for sql in [*others, *self.constraints]:
            if _reads(sql, self.table, column):
                yield f"the constraint {sql}"

    def follow(self, deleted: AnyField | None, altered: Iterable[tuple[AnyField, ...]]) -> None:
        """Follow a column that is dropped or gets another name.

        Raise DatabaseError if anything reads one that is dropped.
        """
        if deleted is not None:
            gone = deleted.column
            for reader in self.reading(gone):
                raise DatabaseError(f"{reader}, of which no model knows, reads {gone}")
            self.of_columns = [one for one in self.of_columns if one[0].lower() != gone.lower()]
        for old, new in altered:
            was, becomes = old.column, new.column
            if was and becomes and was != becomes:
                self._rename(was, becomes)

    def _rename(self, was: str, becomes: str) -> None:
        if was.lower() in self.columns:
            self.columns[becomes.lower()] = self.columns.pop(was.lower())

        def renamed(sql: str) -> str:
            return _renamed(sql, self.table, was, becomes)

        self.unknown = [one._replace(sql=renamed(one.sql)) for one in self.unknown]
        self.of_columns = [(name, renamed(sql)) for name, sql in self.of_columns]
        self.constraints = [renamed(sql) for sql in self.constraints]

    def into_table(self, sql: str) -> str:
        """Return a CREATE TABLE with the columns and constraints in it."""
        constraints = [*(one for _, one in self.of_columns), *self.constraints]
        if not (self.unknown or constraints):
            return sql
        head, parts, tail = _parts(sql)
        columns = [one for one in parts if tokens(one)[0] not in _BEFORE_CONSTRAINTS]
        known = parts[len(columns) :]
        unknown = [one.sql for one in self.unknown]
        return f"{head}({', '.join([*columns, *unknown, *known, *constraints])}){tail}"

    def into_copy(self, sql: str) -> str:
        """Return Django's INSERT ... SELECT with the values of the columns in it."""
        names = [quoted(one.name) for one in self.unknown if not one.is_generated]
        if not names:
            return sql
        head, columns, tail = _parts(sql)
        values = tail.split(" SELECT ", 1)[1]
        return f"{head}({', '.join([*names, *columns])}) SELECT {', '.join([*names, values])}"


class _WithoutExpressions(DatabaseSchemaEditor):
    """Writes down what a column is, but not how it is computed.

    The field may still say a name that another one had before, see ``generated``.
    """

    def _column_generated_sql(self, _field: AnyField) -> tuple[str, tuple[Any, ...]]:
        return "GENERATED ALWAYS AS (0) STORED", ()


def extras(
    connection: BaseDatabaseWrapper, model: type[Model], leaving: frozenset[str] = frozenset()
) -> Extras:
    """Return what the text of a model's table has beside what the model says.

    leaving: names of constraints that are let go.
    """
    table = bare(model._meta.db_table)
    more = Extras(table)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT made.sql, one.name, one.hidden, one.pk FROM sqlite_master AS made"
            " JOIN pragma_table_xinfo(made.name) AS one"
            " WHERE made.type = 'table' AND lower(made.name) = lower(%s) ORDER BY one.cid",
            [table],
        )
        rows = cursor.fetchall()
    if not rows:
        return more
    created = rows[0][0]
    editor = _WithoutExpressions(connection, collect_sql=True)
    editor.deferred_sql = []
    columns, constraints, _ = table_of_sqlite(created)
    known_columns, known, _ = table_of_sqlite(editor.table_sql(model)[0])
    facts = {one.name.lower(): one.facts for one in known_columns}
    in_column: dict[int, str | None] = {}
    for (_, name, hidden, key), sql, column in zip(rows, _parts(created)[1], columns, strict=False):
        if name.lower() not in facts:
            more.unknown.append(Column(name, _of(sql, table), hidden > 1, bool(key)))
            in_column.update({id(one): None for one in column.constraints})
            continue
        in_column.update({id(one): name for one in column.constraints})
        rest = _more(column.facts, facts[name.lower()])
        if rest and not column.facts["generated"]:
            more.columns[name.lower()] = rest
    _add_constraints(more, constraints, known, in_column, leaving)
    return more


_Constraint = tuple[str | None, list[str]]


def _add_constraints(
    more: Extras,
    constraints: list[_Constraint],
    known: list[_Constraint],
    in_column: dict[int, str | None],
    leaving: frozenset[str],
) -> None:
    """Add the constraints of a table of which its model does not know.

    in_column: of those that are written into a column its name, by ``id``; None where the column
    itself is kept as it is written.
    """
    names = {name for name, _ in known if name} | leaving
    shapes = {normal(" ".join(words)) for _, words in known}
    references = {_columns_of(words) for _, words in known if words[0] == "foreign"}
    for one in constraints:
        column = in_column.get(id(one), "")
        name, words = one
        words = _without_table(words, more.table)
        is_known = name in names or normal(" ".join(words)) in shapes
        if is_known or words[0] == "primary" or column is None:
            continue
        if words[0] == "foreign" and _columns_of(words) in references and not _acts(words):
            continue  # the same, but for DEFERRABLE
        sql = " ".join([*(["CONSTRAINT", quoted(name)] if name else []), *words])
        if column:
            more.of_columns.append((column, sql))
        else:
            more.constraints.append(sql)


def _more(facts: dict[str, str], known: dict[str, str]) -> str:
    """Return the default and the collation that a column has and its field does not say."""
    default = facts["default"] and not (known["default"] or known["generated"])
    collation = facts["collation"] and not known["collation"]
    return " ".join(
        [
            *([f"DEFAULT ({facts['default']})"] if default else ()),
            *([f"COLLATE {facts['collation']}"] if collation else ()),
        ]
    )


def _without_table(words: list[str], table: str) -> list[str]:
    """Return the words of a constraint without the name of its own table before a column."""
    kept = list(words)
    for place in range(len(words) - 2, -1, -1):
        if words[place + 1] == "." and bare(words[place]).lower() == table.lower():
            del kept[place : place + 2]
    return kept


def _columns_of(words: list[str]) -> tuple[str, ...]:
    """Return the columns of a FOREIGN KEY, and the table that it refers to."""
    at = words.index("references")
    return tuple(bare(word).lower() for word in words[: at + 2])


def _acts(words: list[str]) -> bool:
    """Tell whether a foreign key changes rows by itself."""
    return any(
        first == "on" and words[at + 1] in ("delete", "update") and words[at + 2] != "no"
        for at, first in enumerate(words)
    )


# SQL as it is written


def _parts(sql: str) -> tuple[str, list[str], str]:
    """Return what stands before the first brackets, in them, split at its commas, and after."""
    head, parts, tail, depth = "", [""], "", 0
    is_over = False
    for _, word in written(sql):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if is_over:
            tail += word
        elif depth == 0 and word == ")":
            is_over = True
        elif depth == 0:
            head += word
        elif depth == 1 and word == ",":
            parts.append("")
        elif not (depth == 1 and word == "("):
            parts[-1] += word
    return head, [one.strip() for one in parts], tail


def _words(sql: str) -> list[tuple[str, str]]:
    return list(written(sql))


def _name(kind: str, word: str) -> str:
    """Return the name in small letters that a word is, or ""."""
    if kind == "bracketed":
        return word[1:-1].lower()
    if kind == "quoted":
        return word[1:-1].replace(word[0] * 2, word[0]).lower()
    return word.lower() if kind == "word" else ""


def _places(sql: str, table: str) -> Iterator[tuple[int, str]]:
    """Yield where a declaration names columns of its own table, in brackets: place and name."""
    words = [(at, *one) for at, one in enumerate(_words(sql)) if one[0] != "space"]
    depth, foreign, refers = 0, 0, False  # foreign: the depth of the columns of another table
    names = [_name(kind, word) for _, kind, word in words] + ["", ""]
    for i, (at, kind, word) in enumerate(words):
        after = words[i + 1][2] if i + 1 < len(words) else ""
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == ")" and depth < foreign:
            foreign = 0
        if refers:  # this is the table
            refers = False
            foreign = depth + 1 if after == "(" and names[i] != table.lower() else 0
        elif kind == "word" and names[i] == "references":
            refers = True
        elif names[i] and depth and not foreign and after not in ("(", "."):
            before = names[i - 1] if i else ""
            if before not in ("collate", "as"):
                yield at, names[i]


def _reads(sql: str, table: str, column: str) -> bool:
    return column.lower() in (name for _, name in _places(sql, table))


def _renamed(sql: str, table: str, was: str, becomes: str) -> str:
    places = {at for at, name in _places(sql, table) if name == was.lower()}
    return "".join(
        quoted(becomes) if at in places else word for at, (_, word) in enumerate(_words(sql))
    )


def _of(sql: str, table: str) -> str:
    """Return the declaration of a column without the name of its table before others."""
    words = _words(sql)
    kept = list(words)
    for at in range(len(words) - 2, -1, -1):
        if words[at + 1][1] == "." and _name(*words[at]) == table.lower():
            del kept[at : at + 2]
    return "".join(word for _, word in kept)
