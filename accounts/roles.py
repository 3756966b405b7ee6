"""Roles: what each group of staff may do, until a manager decides otherwise."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps as installed_apps
from django.db import DEFAULT_DB_ALIAS, connections, router, transaction
from django.db.models import Model

VIEW = ("view",)
EDIT = ("view", "add", "change")
ALL = ("view", "add", "change", "delete")

DESK = ("view", "add", "check_in", "check_out", "move", "cancel", "mark_no_show")

EVERYTHING_ABOUT_STAYS: dict[str, tuple[str, ...]] = {
    "rooms.roomtype": VIEW,
    "rooms.room": VIEW,
    "rooms.roomblock": VIEW,
    "rooms.roomtypeimage": VIEW,
    "rooms.roomimage": VIEW,
    "reservations.guest": VIEW,
    "reservations.guestimage": VIEW,
    "reservations.discount": VIEW,
    "reservations.bookingchannel": VIEW,
    "reservations.reservation": VIEW,
    "reservations.staypart": VIEW,
    "payments.payment": VIEW,
    "payments.depositmovement": VIEW,
    "payments.charge": VIEW,
    "rooms.event": VIEW,
    "reservations.event": VIEW,
    "payments.event": VIEW,
    "payments.chargeevent": VIEW,
    "payments.paymentattachment": VIEW,
    "payments.expense": VIEW,
    "dashboard.setting": VIEW,
    "dashboard.dailymetrics": VIEW,
    "dashboard.dailyadjustment": VIEW,
    "dashboard.businessday": VIEW,
    "dashboard.event": VIEW,
}

# Group (made by migration accounts.0005) -> model -> what its members may do with rows of it.
# Owners alone change staff and groups (accounts/admin.py), so nobody can promote themselves.
ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "Manager": {
        **EVERYTHING_ABOUT_STAYS,
        "rooms.roomtype": ALL,
        "rooms.room": (*ALL, "clean"),
        "rooms.roomblock": EDIT,
        "reservations.guest": (*ALL, "merge"),
        "reservations.guestmerge": VIEW,
        "reservations.reservation": (*DESK, "change", "reinstate", "reprice", "overbook"),
        "payments.payment": ("view", "add", "refund", "void", "settle", "forfeit"),
        "payments.charge": ("view", "add", "void"),
        "payments.expense": EDIT,
        "dashboard.dailymetrics": ("view", "add"),
        "dashboard.businessday": ("view", "close", "reopen"),
        "accounts.user": VIEW,
        "accounts.permissiongrant": VIEW,
        "auth.group": VIEW,
        "axes.accessattempt": ("view", "delete"),  # to delete is to unlock
    },
    "Front desk": {
        "rooms.roomtype": VIEW,
        "rooms.room": (*VIEW, "clean"),
        "rooms.roomblock": VIEW,
        "reservations.guest": EDIT,
        "reservations.reservation": (*DESK, "change"),
        "reservations.staypart": VIEW,
        "payments.payment": ("view", "add", "void", "settle"),
        "payments.charge": ("view", "add", "void"),
        "payments.depositmovement": VIEW,
        "rooms.event": VIEW,
        "reservations.event": VIEW,
        "payments.event": VIEW,
        "payments.chargeevent": VIEW,
    },
    "Housekeeping": {"rooms.room": (*VIEW, "clean"), "rooms.roomblock": VIEW},
    "Accounting": {
        **EVERYTHING_ABOUT_STAYS,
        "payments.payment": ("view", "add", "refund", "void", "settle"),
        "payments.charge": ("view", "add", "void"),
        "payments.expense": EDIT,
    },
    "Read-only": EVERYTHING_ABOUT_STAYS,
}


def grant_permissions(
    using: str = DEFAULT_DB_ALIAS, apps: Any = installed_apps, **signal: Any
) -> None:
    """Give each group the permissions of its role that it was never given before.

    Every permission is given once and noted as a PermissionGrant, so that one which a manager takes
    away stays away. A group that was deleted or renamed is not made again.
    Receives ``post_migrate``; does nothing where the history has not come so far yet, or went back.
    """
    try:
        Group = apps.get_model("auth", "Group")
        Permission = apps.get_model("auth", "Permission")
        PermissionGrant = apps.get_model("accounts", "PermissionGrant")
    except LookupError:
        return
    if not _is_there(PermissionGrant, using):
        return

    groups = dict(Group.objects.using(using).filter(name__in=ROLES).values_list("name", "pk"))
    permissions = {
        (f"{app}.{model}", codename): pk
        for app, model, codename, pk in Permission.objects.using(using).values_list(
            "content_type__app_label", "content_type__model", "codename", "pk"
        )
    }
    granted = set(PermissionGrant.objects.using(using).values_list("group", "permission"))
    missing = sorted(
        {
            (groups[group], permissions[model, codename])
            for group, model, codename in _pairs()
            if group in groups and (model, codename) in permissions
        }
        - granted
    )
    if not missing:
        return
    GroupPermission = Group.permissions.through
    with transaction.atomic(using=using):
        # Another migrate may be doing the same at this moment.
        GroupPermission.objects.using(using).bulk_create(
            [GroupPermission(group_id=group, permission_id=pk) for group, pk in missing],
            ignore_conflicts=True,
        )
        PermissionGrant.objects.using(using).bulk_create(
            [PermissionGrant(group_id=group, permission_id=pk) for group, pk in missing],
            ignore_conflicts=True,
        )


def _pairs() -> Iterator[tuple[str, str, str]]:
    """Yield group, model and the codename of a permission for all that ``ROLES`` says."""
    for group, models in ROLES.items():
        for model, actions in models.items():
            for action in actions:
                yield group, model, f"{action}_{model.partition('.')[2]}"


def _is_there(model: type[Model], using: str) -> bool:
    """Return whether the database ``using`` is to hold the model's table, and does."""
    if not router.allow_migrate_model(using, model):
        return False
    return model._meta.db_table in connections[using].introspection.table_names()
