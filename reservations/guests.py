"""Guests who are one person: found when one books, merged, and parted again.

Each function does all of it or nothing, and raises Refused with a sentence for the staff. Guests
are locked before reservations, whose services lock no guests. ``by`` is a user. Rule:
docs/decisions/0023-merging-guests.md.
"""

import re
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from hotel.events import record, remember
from hotel.migrator.folding import fold
from hotel.refusals import Refused, refusing
from hotel.search import LEAST_DIGITS, NATIONAL
from reservations.models import Guest, GuestMerge, Reservation

NAMED = 5  # guests who may be the same person; more than that, nobody compares


def alike(guest: Guest) -> list[tuple[Guest, str]]:
    """Return other guests with the same document, phone or e-mail, each with what is the same."""
    parts = [part for part in (_document(guest), _phone(guest), _email(guest)) if part]
    if not parts:
        return []
    may_be = Q()
    for part in parts:
        may_be |= Q(search_key__icontains=fold(part))
    others = Guest.objects.filter(may_be).exclude(pk=guest.pk).order_by("pk")[: 10 * NAMED]
    found = [(other, same) for other in others if (same := _same(guest, other))]
    return found[:NAMED]


def warnings(guest: Guest) -> list[str]:
    """Return a sentence for each guest who may be the same person."""
    return [
        f"{guest} has the same {same} as {other} (number {other.pk}):"
        " compare them, and merge them if they are one person."
        for other, same in alike(guest)
    ]


def merge_guests(guest: Guest, other: Guest, by: User, reason: str) -> Guest:
    """Move all rows of ``other`` to ``guest``, who is the same person, and return ``guest``.

    ``other`` is archived as a GuestMerge, by which it can be undone. What is empty of ``guest`` is
    filled from it. Each stay that moves has an event.
    """
    with refusing():
        if guest.pk == other.pk:
            raise Refused(f"{guest} cannot be merged with itself: choose the other guest.")
        if not reason.strip():
            raise Refused("Enter a reason.")
        locked = {row.pk: row for row in _lock(guest.pk, other.pk)}
        if len(locked) < 2:
            raise Refused("One of the guests is gone: somebody has merged or deleted it.")
        guest, other = locked[guest.pk], locked[other.pk]
        filled = _fill(guest, other)
        merge = GuestMerge(
            guest=guest,
            merged_key=other.pk,
            merged_name=other.full_name,
            original=_archived(other),
            moved=_move(other.pk, guest.pk, by, "guest_merged", reason.strip()),
            filled=filled,
            at=timezone.now(),
            by=by,
            reason=reason.strip(),
        )
        merge.save(force_insert=True)
        other.delete()
        return guest


def undo_merge(merge: GuestMerge, by: User) -> GuestMerge:
    """Bring a guest back who was merged into another, with the rows that were moved."""
    with refusing():
        _lock(merge.guest_id)
        merge = GuestMerge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
        if merge.undone_at:
            return merge
        if Guest.objects.filter(pk=merge.merged_key).exists():
            raise Refused(f"There is a guest number {merge.merged_key} already.")
        back = _from_archive(merge.original)
        back.save_base(raw=True, force_insert=True)
        _move(merge.guest_id, back.pk, by, "guest_merge_undone", merge.reason, merge.moved)
        guest = Guest.objects.get(pk=merge.guest_id)
        emptied = [name for name, text in merge.filled.items() if _text(guest, name) == text]
        for name in emptied:
            setattr(guest, name, None)
        if emptied:
            guest.save(update_fields=[*emptied, "search_key", "updated_at"])
        merge.undone_at, merge.undone_by = timezone.now(), by
        merge.save(update_fields=["undone_at", "undone_by"])
        return merge


# What the services above are made of


def _lock(*keys: int) -> list[Guest]:
    return list(Guest.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))


def _references() -> list[Any]:
    """Return the foreign keys that refer to guests, whatever table they are in."""
    related = Guest._meta.related_objects
    return [relation.field for relation in related if relation.one_to_many or relation.one_to_one]


def _move(
    old: int, new: int, by: User, what: str, reason: str, only: dict[str, Any] | None = None
) -> dict[str, list[int]]:
    """Let rows refer to another guest; return their keys by foreign key. only: these, if any."""
    moved = {}
    for field in _references():
        name = f"{field.model._meta.label}.{field.name}"
        rows = field.model._base_manager.filter(**{field.attname: old})
        if only is not None:
            rows = rows.filter(pk__in=only.get(name, []))
        if issubclass(field.model, Reservation):
            moved[name] = _move_stays(rows, new, by, what, reason)
        else:
            moved[name] = sorted(rows.values_list("pk", flat=True))
            rows.filter(pk__in=moved[name]).update(**{field.attname: new})
    return {name: keys for name, keys in moved.items() if keys}


def _move_stays(rows: Any, guest: int, by: User, what: str, reason: str) -> list[int]:
    stays = list(rows.select_for_update(of=("self",)).order_by("pk"))
    for stay in stays:
        remember(stay)
        stay.guest_id = guest
        stay.save(update_fields=["guest", "updated_at"])
        record(stay, what, by, reason)
    return [stay.pk for stay in stays]


def _fill(guest: Guest, other: Guest) -> dict[str, str]:
    """Fill what is empty of a guest from another one; return what was filled, as text."""
    filled = {}
    for field in Guest._meta.concrete_fields:
        mine, theirs = getattr(guest, field.attname), getattr(other, field.attname)
        if field.null and field.editable and mine in (None, "") and theirs not in (None, ""):
            setattr(guest, field.attname, theirs)
            filled[field.attname] = field.value_to_string(other)
    if filled:
        guest.save(update_fields=[*(_name(name) for name in filled), "search_key", "updated_at"])
    return filled


def _name(attname: str) -> str:
    return next(one.name for one in Guest._meta.concrete_fields if one.attname == attname)


def _text(guest: Guest, attname: str) -> str | None:
    value = getattr(guest, attname)
    return None if value is None else Guest._meta.get_field(_name(attname)).value_to_string(guest)  # type: ignore[union-attr]  # a column


def _archived(guest: Guest) -> dict[str, str | None]:
    """Return every column of a guest as text."""
    guest.refresh_from_db()
    return {field.attname: _text(guest, field.attname) for field in Guest._meta.concrete_fields}


def _from_archive(original: dict[str, Any]) -> Guest:
    """Return a guest who is not saved, from the texts of the columns."""
    fields: dict[str, models.Field[Any, Any]] = {
        field.attname: field for field in Guest._meta.concrete_fields
    }
    values = {
        name: None if text is None else fields[name].to_python(text)
        for name, text in original.items()
        if name in fields
    }
    return Guest(**values)


def _same(guest: Guest, other: Guest) -> str:
    """Return what two guests have in common, in words."""
    parts = {"document": _document, "phone": _phone, "e-mail": _email}
    shared = [name for name, part in parts.items() if part(guest) and part(guest) == part(other)]
    return " and ".join(shared)


def _document(guest: Guest) -> str:
    return fold(guest.id_number or "").replace(" ", "")


def _email(guest: Guest) -> str:
    return (guest.email or "").strip().casefold()


def _phone(guest: Guest) -> str:
    """Return the digits that tell a phone from others; "" for too few."""
    digits = re.sub(r"\D", "", guest.phone or "", flags=re.ASCII)
    return digits.lstrip("0")[-NATIONAL:] if len(digits) >= LEAST_DIGITS else ""
