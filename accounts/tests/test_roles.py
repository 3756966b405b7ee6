"""What ``migrate`` gives to the groups of staff, and what it leaves alone."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.models import PermissionGrant
from accounts.roles import ROLES, grant_permissions

BEFORE_GRANTS = ("accounts", "0002_add_django_columns")
BEFORE_GROUPS = ("accounts", "0004_convert_credentials")
NOBODY_MAY = {
    "delete_payment",
    "change_payment",
    "delete_reservation",
    "add_depositmovement",
    "change_depositmovement",
    "delete_depositmovement",
    "add_event",
    "change_event",
    "delete_event",
    "delete_expense",
    "add_user",
    "change_user",
    "delete_user",
    "add_group",
    "change_group",
    "delete_group",
}


def permissions(group):
    """Return what the group may do, as in ``"rooms.view_room"``."""
    return {
        f"{app}.{codename}"
        for app, codename in Group.objects.get(name=group).permissions.values_list(
            "content_type__app_label", "codename"
        )
    }


def expected(group):
    return {
        f"{model.split('.')[0]}.{action}_{model.split('.')[1]}"
        for model, actions in ROLES[group].items()
        for action in actions
    }


@pytest.mark.parametrize("group", ROLES)
def test_migrate_gives_each_group_its_role(db, group):
    assert permissions(group) == expected(group)
    assert PermissionGrant.objects.filter(group__name=group).count() == len(expected(group))


def test_every_role_names_a_model_that_there_is():
    for models in ROLES.values():
        for label in models:
            assert apps.get_model(label)._meta.label_lower == label


HOUSEKEEPING = {"rooms.view_room", "rooms.clean_room", "rooms.view_roomblock"}


def test_housekeeping_cleans_rooms_and_sees_nothing_else(db):
    assert permissions("Housekeeping") == HOUSEKEEPING


def test_front_desk_writes_guests_and_does_what_happens_to_stays(db):
    assert permissions("Front desk") == {
        "reservations.view_guest",
        "reservations.add_guest",
        "reservations.change_guest",
        "reservations.view_staypart",
        "reservations.view_reservation",
        "reservations.add_reservation",
        "reservations.change_reservation",
        "reservations.check_in_reservation",
        "reservations.check_out_reservation",
        "reservations.move_reservation",
        "reservations.cancel_reservation",
        "reservations.mark_no_show_reservation",
        "payments.view_payment",
        "payments.add_payment",
        "payments.void_payment",
        "payments.settle_payment",
        "payments.view_depositmovement",
        "payments.view_charge",
        "payments.add_charge",
        "payments.void_charge",
        "payments.view_chargeevent",
        "payments.view_event",
        "reservations.view_event",
        "rooms.view_event",
        "rooms.view_room",
        "rooms.clean_room",
        "rooms.view_roomblock",
        "rooms.view_roomtype",
    }


def test_read_only_only_views(db):
    assert {name.partition(".")[2].partition("_")[0] for name in permissions("Read-only")} == {
        "view"
    }


def test_nobody_gets_what_would_change_money_or_rights(db):
    given = Permission.objects.filter(group__isnull=False).values_list("codename", flat=True)
    assert NOBODY_MAY.isdisjoint(given)


def test_what_a_manager_takes_away_stays_away(db):
    group = Group.objects.get(name="Front desk")
    group.permissions.remove(Permission.objects.get(codename="add_guest"))
    grant_permissions()
    assert permissions("Front desk") == expected("Front desk") - {"reservations.add_guest"}


def test_what_a_manager_gives_stays(db):
    group = Group.objects.get(name="Housekeeping")
    group.permissions.add(Permission.objects.get(codename="view_guest"))
    grant_permissions()
    assert permissions("Housekeeping") == {*HOUSEKEEPING, "reservations.view_guest"}


def test_a_new_permission_of_a_role_is_given_once(db, monkeypatch):
    monkeypatch.setitem(ROLES, "Housekeeping", {"rooms.room": ("view", "change")})
    grant_permissions()
    assert permissions("Housekeeping") == {*HOUSEKEEPING, "rooms.change_room"}
    Group.objects.get(name="Housekeeping").permissions.clear()
    grant_permissions()
    assert permissions("Housekeeping") == set()


def test_a_deleted_group_is_not_made_again(db):
    Group.objects.get(name="Accounting").delete()
    grant_permissions()
    assert not Group.objects.filter(name="Accounting").exists()


def test_a_renamed_group_keeps_what_it_had_and_gets_nothing_more(db, monkeypatch):
    Group.objects.filter(name="Housekeeping").update(name="Floor")
    monkeypatch.setitem(ROLES, "Housekeeping", {"rooms.room": ("view", "change")})
    grant_permissions()
    assert permissions("Floor") == HOUSEKEEPING


def test_a_permission_that_is_not_there_is_skipped(db):
    Permission.objects.filter(codename="view_room").delete()
    grant_permissions()
    assert permissions("Housekeeping") == HOUSEKEEPING - {"rooms.view_room"}


def test_a_permission_already_held_is_noted_and_not_doubled(db):
    PermissionGrant.objects.all().delete()
    grant_permissions()
    assert permissions("Front desk") == expected("Front desk")
    assert PermissionGrant.objects.filter(group__name="Front desk").count() == len(
        expected("Front desk")
    )


def test_four_queries_when_there_is_nothing_to_give(db):
    with CaptureQueriesContext(connection) as queries:
        grant_permissions()
    assert len(queries) == 4


@pytest.mark.parametrize("target", [None, BEFORE_GRANTS, BEFORE_GROUPS, ("rooms", "0001_initial")])
def test_a_history_that_has_not_come_so_far_is_left_alone(history, target):
    history.at(target)
    grant_permissions()
    grant_permissions(apps=history.apps)


def test_migrating_up_to_any_point_and_on_ends_with_the_roles(history, capsys):
    history.at(BEFORE_GRANTS)
    for name in ("0003", "0004", "0005", "0006"):
        history.migrate("accounts", name)
    history.migrate()
    assert capsys.readouterr().out == ""
    assert {group: permissions(group) for group in ROLES} == {
        group: expected(group) for group in ROLES
    }


def test_going_down_and_up_again_brings_back_what_managers_decided(history):
    history.at("head")
    Group.objects.get(name="Front desk").permissions.remove(
        Permission.objects.get(codename="add_guest")
    )
    history.descend().migrate()
    assert permissions("Front desk") == expected("Front desk") - {"reservations.add_guest"}


def test_another_database_gets_its_own(db, tmp_path, django_db_blocker):
    settings = {**connection.settings_dict, "ENGINE": "django.db.backends.sqlite3"}
    settings.update(NAME=str(tmp_path / "other.sqlite3"), OPTIONS={})
    connections.databases["other"] = settings
    PermissionGrant.objects.all().delete()
    try:
        with django_db_blocker.unblock():
            call_command("migrate", database="other", verbosity=0)
        assert PermissionGrant.objects.using("other").count() == sum(
            len(expected(group)) for group in ROLES
        )
        assert PermissionGrant.objects.count() == 0
    finally:
        connections["other"].close()
        del connections["other"], connections.databases["other"]
