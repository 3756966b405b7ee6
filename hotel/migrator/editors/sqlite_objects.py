"""Indexes, triggers and views of SQLite, as ``sqlite_master`` has them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BaseConstraint, Model

from hotel.migrator.sql.parsing import bare, quoted, tokens

MADE = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master"
    " WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL ORDER BY rowid"
)
_CREATED = re.compile(
    r'\s*CREATE\s+(?:UNIQUE\s+)?(INDEX|TRIGGER)\s+(?:IF\s+NOT\s+EXISTS\s+)?"((?:[^"]|"")+)"'
)
_ON = re.compile(r"\sON\s", re.IGNORECASE)


class Made(NamedTuple):
    """An index, a trigger or a view; table: the one it is on."""

    kind: str
    name: str
    table: str
    sql: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def mentions(self, names: Iterable[str]) -> bool:
        """Tell whether its text has one of the names, in small letters, as a word."""
        text = self.sql.lower()
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)

    @property
    def on(self) -> str:
        """What an index is on, without its own name, so that two of the same are equal."""
        return re.sub(r'["`\[\]\s;]', "", _ON.split(self.sql, maxsplit=1)[-1]).lower()


def made(connection: BaseDatabaseWrapper) -> list[Made]:
    """Return all indexes, triggers and views, in the order in which they were made."""
    with connection.cursor() as cursor:
        cursor.execute(MADE)
        return [Made(*row) for row in cursor.fetchall()]


def unknown(editor: Any, model: type[Model], objects: Iterable[Made]) -> list[Made]:
    """Return the indexes and triggers of a model's table that the model does not make itself."""
    table = bare(model._meta.db_table).lower()
    mine = [one for one in objects if one.table.lower() == table and one.kind != "view"]
    if not mine:
        return []
    known, names = [str(sql) for sql in editor._model_indexes_sql(model)], set[str]()
    known += [str(sql) for sql in _unique_indexes(editor, model)]
    for constraint in model._meta.constraints:
        names.update(name for _, name in made_by(editor, model, constraint))
    names.update(match[2].replace('""', '"') for sql in known if (match := _CREATED.match(sql)))
    shapes = {Made("index", "", table, sql).on for sql in known}
    return [
        one
        for one in mine
        if one.name not in names and not (one.kind == "index" and one.on in shapes)
    ]


def reading(table: str, objects: list[Made]) -> list[Made]:
    """Return the views that read a table, at first or second hand, and the triggers of others.

    In the order in which they can be made again.
    """
    names, readers = {table.lower()}, list[Made]()
    while True:
        more = [one for one in objects if one not in readers and _reads(one, table, names)]
        if not more:
            return [one for one in objects if one in readers]
        readers += more
        names.update(one.name.lower() for one in more if one.kind == "view")


def _reads(one: Made, table: str, names: set[str]) -> bool:
    if one.kind == "trigger":  # on the table itself it goes with it, and on a view with that
        return one.table.lower() != table.lower() and one.mentions(names)
    return one.kind == "view" and one.mentions(names)


def _unique_indexes(editor: Any, model: type[Model]) -> Iterator[object]:
    """Yield the statements for what is unique together, which SQLite has as indexes."""
    for names in model._meta.unique_together:
        fields = [model._meta.get_field(name) for name in names]
        yield editor._create_unique_sql(model, fields)
    for constraint in model._meta.constraints:
        if sql := constraint.create_sql(model, editor) if is_index(constraint) else None:
            yield sql


def is_index(constraint: BaseConstraint) -> bool:
    """Tell whether a constraint is a unique index for Django, and no part of CREATE TABLE."""
    return any(
        getattr(constraint, name, None)
        for name in ("condition", "contains_expressions", "include", "deferrable")
    ) and hasattr(constraint, "nulls_distinct")


def made_by(editor: Any, model: type[Model], constraint: BaseConstraint) -> list[tuple[str, str]]:
    """Return ``(INDEX or TRIGGER, name)`` of what a constraint of this project makes."""
    sql = getattr(constraint, "trigger_sql", None)
    matches = [_CREATED.match(str(one)) for one in sql(model, editor)] if sql else []
    return [(match[1], match[2].replace('""', '"')) for match in matches if match]


def trials(cursor: Any, one: Made) -> list[str]:
    """Return statements that SQLite compiles, and does not run, to see whether something fits."""
    if one.kind == "view":
        return [f"EXPLAIN SELECT * FROM {quoted(one.name)}"]
    if one.kind == "index":
        return []
    event = next(word for word in _after_name(one.sql) if word in ("insert", "update", "delete"))
    cursor.execute(
        "SELECT p.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p"
        " WHERE lower(m.name) = lower(%s)",
        [one.table],
    )
    same = ", ".join(f"{quoted(name)} = {quoted(name)}" for (name,) in cursor.fetchall())
    table = quoted(one.table)
    statements: dict[str, list[str]] = {
        "insert": [f"EXPLAIN INSERT INTO {table} DEFAULT VALUES"],
        "update": [f"EXPLAIN UPDATE {table} SET {same}"],
        "delete": [f"EXPLAIN DELETE FROM {table}"],
    }
    return statements[event]


def _after_name(sql: str) -> list[str]:
    """Return the words of a CREATE TRIGGER behind the trigger's own name."""
    words = tokens(sql, bracketed=True)
    place = words.index("trigger") + 1
    place += 3 if words[place : place + 3] == ["if", "not", "exists"] else 0
    return list(words[place + 1 :])
