"""Search in lists and autocompletes: the rows of Django's search, at a price that does not grow.

Django asks for rows that have a word in any of several fields, of the row itself and of those it
refers to. Of an OR over several tables no index helps, so each table is asked by itself for the few
rows that have the word. A word that many have is looked for among the rows that the others leave.
"""

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, cast

from django.db.models import Model, Q
from django.utils.text import smart_split, unescape_string_literal

from hotel.migrator.folding import fold

LENGTH = 100  # characters; SQLite refuses the expression that thousands of words make
WORDS_ASKED = 4  # each of which asks each table
FEW = 500  # rows that have a word, to be named by their keys
KEY = "search_key"  # a column of texts that are folded
PHONE = re.compile(r"[\d\s()+./-]+", re.ASCII)
LEAST_DIGITS = 6  # of a phone; fewer are a room, or a part of anything
NATIONAL = 9  # digits that tell a phone, whether the country's code stands before them or a zero


def conditions(model: type[Model], names: Sequence[str], term: str, using: str) -> list[Q]:
    """Return the conditions that rows of ``model`` have every word of ``term``.

    names: fields, or those of a table that a row refers to, as in ``guest__full_name``; a word may
    be in any of them, in any capitals. Words in quotation marks are one, and so is a phone. A
    column that is called ``search_key`` has folded texts, and is asked for the folded word.
    """
    if not names:
        return []
    term = term.replace("\0", "")[:LENGTH].strip()
    words = [term] if _digits(term) else smart_split(term)
    return [_condition(model, names, word, place, using) for place, word in enumerate(words)]


def _digits(word: str) -> str:
    """Return the digits by which a phone is found, whatever its spelling; "" for no phone."""
    digits = re.sub(r"\D", "", word, flags=re.ASCII) if PHONE.fullmatch(word) else ""
    return digits.lstrip("0")[-NATIONAL:] if len(digits) >= LEAST_DIGITS else ""


def _has(name: str, word: str) -> Q:
    """Return the condition that a field has the word."""
    if name.rpartition("__")[2] != KEY:
        return Q((f"{name}__icontains", word))
    folded = _digits(word) or fold(word).strip()
    return Q((f"{name}__icontains", folded)) if folded else Q(pk__in=[])


def _condition(model: type[Model], names: Sequence[str], word: str, place: int, using: str) -> Q:
    if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1:
        word = unescape_string_literal(word)
    if len(word) < 3 or place >= WORDS_ASKED:  # so short a part, many rows have
        return reduce(or_, (_has(name, word) for name in names))
    places = []
    for relation, fields in _tables(names).items():
        keys = _few(model, relation, fields, word, using)
        if keys is not None:
            places.append(Q((f"{relation or 'pk'}__in", keys)))
        else:
            parts = [f"{relation}__{field}" if relation else field for field in fields]
            places += [_has(part, word) for part in parts]
    return reduce(or_, places)


def _few(
    model: type[Model], relation: str, fields: Sequence[str], word: str, using: str
) -> list[Any] | None:
    """Return the keys of the rows that have the word, of the table at ``relation``; None for many.

    relation: the name of a foreign key of ``model``, or "" for its own rows.
    """
    if not relation:
        has_word = reduce(or_, (_has(field, word) for field in fields))
        return _keys(model, has_word, using)
    other = cast("type[Model]", model._meta.get_field(relation).related_model)
    matching: list[Any] = []
    for further, of_it in _tables(fields).items():
        keys = _few(other, further, of_it, word, using)
        if keys and further:
            keys = _keys(other, Q((f"{further}__in", keys)), using)
        if keys is None:
            return None
        matching += keys
    return matching if len(matching) <= FEW else None


def _tables(names: Sequence[str]) -> dict[str, list[str]]:
    """Return the fields by the foreign key that leads to their table, "" for a row's own."""
    tables: dict[str, list[str]] = {}
    for name in names:
        relation, _, field = name.partition("__")
        tables.setdefault(relation if field else "", []).append(field or name)
    return tables


def _keys(model: type[Model], condition: Q, using: str) -> list[Any] | None:
    """Return the keys of the rows that meet the condition, or None if they are not few."""
    rows = model._base_manager.using(using).filter(condition).order_by()
    keys = list(rows.values_list("pk", flat=True)[: FEW + 1])
    return keys if len(keys) <= FEW else None
