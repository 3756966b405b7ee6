"""What ``manage.py db adopt`` prints of a proof."""

from collections.abc import Iterator
from typing import Any

from hotel.migrator.adopt import computed, rows_set_aside
from hotel.migrator.adopt.stand_ins import MadeUp
from hotel.migrator.adopt.written_since import in_words


def shape_lines(done: dict[str, Any]) -> Iterator[str]:
    """Yield what a database is, and what would be done, before anybody is asked."""
    yield done["says"]
    yield from (f"  {remark}" for remark in done.get("remarks", ()))
    for number, step in enumerate(done.get("steps", ()), 1):
        yield f"  {number}. {step}"


def proof_lines(done: dict[str, Any]) -> Iterator[str]:
    """Yield a new proof: each table, each column, what was accepted, what is worth a look.

    Of one that is known, only what still stays aside.
    """
    proof = done.get("proof", {})
    if done["did"] == "nothing":
        yield from rows_set_aside.lines(done.get("set_aside", ()))
    if "tables" not in proof or done["did"] == "nothing":
        return
    yield "Before -> after:"
    for part in proof["tables"]:
        made, aside = part["stand_ins"], part["set_aside"]
        more = f", {len(made)} made" if made else ""
        more += f", {aside} aside" if aside else ""
        yield f"  {part['table']}: rows {part['rows_before']} -> {part['rows_after']}{more}"
        if made:
            yield f"    made: {', '.join(map(_stand_in, made))}"
        for column in part["columns"]:
            line = f"    {column['column']:<26} {column['before']} -> {column['after']}"
            if "sum_before" in column:
                line += f"  sum {column['sum_before']} -> {column['sum_after']}"
            yield line
    if proof["accepted"]:
        yield "Accepted changes:"
    for change in proof["accepted"]:
        yield f"  {change['where']}: {change['count']} ({change['rule']}: {change['says']})"
    yield from rows_set_aside.lines(proof["set_aside"])
    yield from computed.lines(proof["computed_anew"])
    if proof["notes"]:
        yield "Worth a look, and kept as it is:"
    yield from (f"  {note}" for note in proof["notes"])
    for kept in proof["kept_aside"]:
        yield f"Kept aside: {kept['table']} ({kept['is']})."
    for name in proof["kept_columns"]:
        yield f"Kept aside: the column {name}."


def _stand_in(made: MadeUp) -> str:
    missing = "none" if made["for"] is None else made["for"]
    return f"{made['id']} {made['named']} for {missing}"


def refused_lines(done: dict[str, Any]) -> Iterator[str]:
    """Yield what is shown when rows cannot come along: the proof, if there is one, and the rows."""
    if "proof" in done:
        yield from proof_lines(done)
    else:
        yield from rows_set_aside.lines(done["set_aside"])


def end_lines(done: dict[str, Any]) -> Iterator[str]:
    """Yield what was done, and what comes next."""
    kind = done["did"]
    if kind == "shown":
        yield "It would work. Nothing was changed: manage.py db adopt does it."
    elif kind == "adopted":
        yield "Adopted. Now: manage.py migrate. manage.py db adopt --undo brings the legacy back."
    elif kind == "stamped":
        yield f"Recorded: {len(done['proof']['recorded'])} migrations. Now: manage.py migrate."
    elif kind == "undone":
        yield "The legacy database is back as it was:"
        yield from (f"  {table}: {rows} rows" for table, rows in done["tables"].items())
        if done["discarded"]:
            yield f"Thrown away: {in_words(done['discarded'])}."
    elif kind == "finished":
        yield f"Finished. Dropped: {', '.join(done['dropped']) or 'nothing'}."
        if done["kept"]:
            yield f"Kept aside, because it holds what is nowhere else: {', '.join(done['kept'])}."
    elif kind == "declined":
        yield "Nothing was changed."
