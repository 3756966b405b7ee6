"""Uuids that somebody keeps as text: whichever way they are spelled, the script makes one of them.

PostgreSQL has a type for them; SQLite keeps them as Django writes them, 32 digits in small letters.
"""

from collections.abc import Iterator, Mapping

from hotel.migrator.schema.catalog import Catalog, Thing
from hotel.migrator.sql.quoting import text
from hotel.migrator.storage.tables import ArchivedValue

ARCHIVE = ArchivedValue._meta.db_table
# The type of no other field of Django.
TYPES = {"postgresql": "uuid", "sqlite": "char(32)"}


def from_text(value: str, vendor: str) -> str:
    """Return, as SQL, the canonical text of a uuid, or the value as it is if it is no uuid."""
    plain = f"lower(replace(replace(replace({value}, '-', ''), '{{', ''), '}}', ''))"
    if vendor == "sqlite":
        is_uuid = f"length({plain}) = 32 AND {plain} NOT GLOB '*[^0-9a-f]*'"
        return f"CASE WHEN {is_uuid} THEN {plain} ELSE {value} END"
    return f"CASE WHEN {plain} ~ '^[0-9a-f]{{32}}$' THEN {plain}::uuid::text ELSE {value} END"


def is_spelled_anew(thing: Thing, attributes: Mapping[str, tuple[str, str]], vendor: str) -> bool:
    """Tell whether a column that differs in ``attributes`` is to hold uuids, and holds text."""
    wanted, _ = attributes.get("type", ("", ""))
    return thing.kind == "column" and wanted == TYPES[vendor]


def in_archive(thing: Thing, expected: Catalog, vendor: str) -> Iterator[str]:
    """Yield what lets the archive know values and rows by their uuids as they are spelled now."""
    of_table = f"WHERE table_name = {text(thing.table)}"
    key = f"primary key ( {thing.name} )"
    rules = expected.of(thing.table, "constraint").values()
    if any(facts["definition"] == key for facts in rules):
        yield f"UPDATE {ARCHIVE} SET row_key = {from_text('row_key', vendor)} {of_table};"
    pairs = ", ".join(f"{name} = {from_text(name, vendor)}" for name in ("original", "became"))
    yield f"UPDATE {ARCHIVE} SET {pairs} {of_table} AND column_name = {text(thing.name)};"
    if vendor == "sqlite":  # where nothing converts the values of a row that is given back
        path = text(f'$."{thing.name}"')
        value = from_text(f"json_extract(original, {path})", vendor)
        changed = f"original = json_set(original, {path}, {value})"
        yield f"UPDATE {ARCHIVE} SET {changed} {of_table} AND column_name = '';"
