"""The ways from every page: by work, not by table, and only those that a user may go."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User


def has(permission: str) -> Callable[[User], bool]:
    """Return whether a user has a permission, as the condition of a way."""
    return lambda user: user.has_perm(permission)


def is_owner(user: User) -> bool:
    """Return whether a user owns the place."""
    return user.is_superuser


@dataclass(frozen=True)
class Way:
    """A way to a page: what it is called, its icon, the name of its address, and who may go it.

    parts: names of the addresses that belong to it, of which it is the present one too.
    """

    label: str | Promise
    icon: str
    view: str
    may: Callable[[User], bool]
    parts: tuple[str, ...] = ()


def of_rows(label: str | Promise, icon: str, model: str) -> Way:
    """Return the way to the list of a model, ``app_model``, for whoever may view its rows."""
    app, _, name = model.partition("_")
    pages = ("add", "change", "delete", "history", "action")
    return Way(
        label,
        icon,
        f"{model}_changelist",
        has(f"{app}.view_{name}"),
        tuple(f"{model}_{page}" for page in pages),
    )


# In a narrow window the first group is the bar at the foot; the others open from it.
GROUPS: list[tuple[str | Promise, list[Way]]] = [
    (
        "",
        [
            Way(_("Today"), "today", "index", lambda _: True),
            Way(_("Calendar"), "calendar", "calendar", has("reservations.view_reservation")),
            Way(_("Housekeeping"), "bed", "housekeeping", has("rooms.clean_room")),
            of_rows(_("Stays"), "stays", "reservations_reservation"),
        ],
    ),
    (
        _("Find"),
        [
            of_rows(_("Guests"), "guest", "reservations_guest"),
            of_rows(_("Payments"), "money", "payments_payment"),
            of_rows(_("Expenses"), "receipt", "payments_expense"),
        ],
    ),
    (
        _("House"),
        [
            of_rows(_("Business days"), "today", "dashboard_businessday"),
            Way(_("Figures"), "chart", "metrics", has("dashboard.view_dailymetrics")),
            of_rows(_("Rooms"), "door", "rooms_room"),
            of_rows(_("Rooms not sold"), "lock", "rooms_roomblock"),
            of_rows(_("Types and rates"), "receipt", "rooms_roomtype"),
        ],
    ),
    (
        _("Owner"),
        [
            of_rows(_("Staff"), "key", "accounts_user"),
            of_rows(_("Failed log-ins"), "lock", "axes_accessattempt"),
            Way(_("Exemptions"), "scales", "exemptions", has("dashboard.view_setting")),
            Way(_("Database"), "database", "drift", is_owner),
            Way(_("Journal"), "stays", "journal", is_owner),
            Way(_("All tables"), "table", "tables", has("dashboard.view_setting")),
        ],
    ),
]


def ways(user: User, present: str) -> list[dict[str, Any]]:
    """Return the groups of ways that a user may go; ``present`` names the address of the page."""
    groups: list[dict[str, Any]] = []
    for label, of_group in GROUPS:
        links = [
            {
                "label": way.label,
                "icon": way.icon,
                "address": reverse(f"admin:{way.view}"),
                "is_present": present in (way.view, *way.parts),
            }
            for way in of_group
            if way.may(user)
        ]
        if links:
            groups.append({"label": label, "ways": links})
    return groups
