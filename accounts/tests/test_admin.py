"""Staff and roles in the back office."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.hashers import LegacyBCryptHasher
from accounts.models import PermissionGrant, User
from accounts.tests.back_office import OWNER, browser, member

STAFF = "/admin/accounts/user/"
GROUPS = "/admin/auth/group/"
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Hash with the fewest rounds that bcrypt knows."""
    monkeypatch.setattr(LegacyBCryptHasher, "rounds", 4)


@pytest.fixture
def owner(db):
    return browser(member(OWNER))


def add(client, username, password=PASSWORD):
    """Return the response to the form that adds somebody."""
    form = {"username": username, "password1": password, "password2": password, "is_staff": "on"}
    return client.post(f"{STAFF}add/", {**form, "usable_password": "true"})


def change(client, user, **fields):
    """Return the response to the form that changes somebody; what is not given is emptied."""
    return client.post(f"{STAFF}{user.pk}/change/", {"username": user.username, **fields})


@pytest.mark.parametrize("username", ["trainee ", " trainee", "ﬁona", "E\u0301milie", "旅館"])
def test_a_name_is_kept_as_it_was_typed(owner, username):
    assert add(owner, username).status_code == 302
    user = User.objects.get(username=username)
    assert user.is_staff
    assert user.check_password(PASSWORD)
    assert change(owner, user, is_active="on", full_name="Somebody").status_code == 302
    user.refresh_from_db()
    assert (user.username, user.full_name) == (username, "Somebody")


def test_names_that_differ_in_a_space_are_two(owner):
    add(owner, "trainee")
    assert add(owner, "trainee ").status_code == 302
    assert User.objects.filter(username__startswith="trainee").count() == 2


def test_a_password_too_long_for_bcrypt_is_refused(owner):
    response = add(owner, "trainee", "correct horse " * 6)
    assert response.context["errors"] == [
        ["This password is too long: only its first 72 bytes would count."]
    ]
    assert not User.objects.filter(username="trainee").exists()


def test_a_new_form_has_works_here_ticked(owner):
    page = owner.get(f"{STAFF}add/")
    assert page.context["adminform"].form["is_staff"].initial is True


def test_an_owner_sets_somebodys_password(owner):
    user = User.objects.create_user("clerk", "old")
    form = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    response = owner.post(f"{STAFF}{user.pk}/password/", {**form, "set-password": "1"})
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.password.startswith("bcrypt$$2b$04$")
    assert user.check_password(PASSWORD)


def test_everybody_changes_their_own_password(db):
    user = member("Housekeeping")
    user.set_password("old")
    user.save()
    form = {"old_password": "old", "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert browser(user).post("/admin/password_change/", form).status_code == 302
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("role", [OWNER, "Manager"])
def test_nothing_of_a_hash_is_on_a_page(db, role):
    user = User.objects.create_user("clerk", "secret")
    client = browser(member(role))
    salt, checksum = user.password[14:36], user.password[36:]
    for address in (STAFF, f"{STAFF}{user.pk}/change/", f"{STAFF}{user.pk}/history/"):
        page = client.get(address).content.decode()
        for part in (user.password, salt[:6], checksum[:6]):
            assert part not in page


@pytest.mark.parametrize("stored", ["", "!", "!legacy junk", "bcrypt$junk", "junk"])
def test_whoever_has_a_broken_hash_can_be_looked_at(owner, stored):
    user = User.objects.create(username="imported", password=stored)
    page = owner.get(f"{STAFF}{user.pk}/change/")
    assert page.status_code == 200
    assert "junk" not in page.content.decode()


def test_a_manager_sees_no_way_to_anybodys_password(db):
    user = User.objects.create_user("clerk", "secret")
    client = browser(member("Manager"))
    assert "password/" not in client.get(f"{STAFF}{user.pk}/change/").content.decode()
    assert client.get(f"{STAFF}{user.pk}/password/").status_code == 403


def test_rights_given_in_person_do_not_open_what_only_owners_do(db):
    manager = member("Manager")
    group = Group.objects.get(name="Manager")
    for model in ("user", "group"):
        for action in ("add", "change", "delete"):
            group.permissions.add(Permission.objects.get(codename=f"{action}_{model}"))
    client = browser(manager)
    assert change(client, manager, is_superuser="on").status_code == 403
    assert add(client, "accomplice").status_code == 403
    assert client.post(f"{GROUPS}{group.pk}/change/", {"name": "Manager"}).status_code == 403
    manager.refresh_from_db()
    assert not manager.is_superuser


def test_who_leaves_is_not_deleted(owner):
    user = User.objects.create_user("clerk", "secret")
    assert owner.post(f"{STAFF}{user.pk}/delete/", {"post": "yes"}).status_code == 403
    assert change(owner, user, is_staff="on").status_code == 302
    user.refresh_from_db()
    assert not user.is_active


def test_a_deleted_group_takes_its_grants_along_and_stays_away(owner):
    group = Group.objects.get(name="Accounting")
    member("Accounting")
    page = owner.get(f"{GROUPS}{group.pk}/delete/")
    assert page.context["protected"] == []
    assert owner.post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"}).status_code == 302
    call_command("migrate", verbosity=0)
    assert not Group.objects.filter(name="Accounting").exists()
    assert not PermissionGrant.objects.filter(group=group.pk).exists()
