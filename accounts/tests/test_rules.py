"""No two user names differ in capitals only, except those that did so before."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import User
from hotel.migrator.tests import legacy


@pytest.fixture
def twins(history):
    history.before(("accounts", "0009_forbid_username_twins"))
    legacy.user(history, 1, username="Admin")
    legacy.user(history, 2, username="admin")
    legacy.user(history, 3, username="desk")
    return history.climb()


def test_twins_of_the_legacy_stay_and_can_be_edited(twins):
    assert [user.exemptions for user in User.objects.order_by("pk")] == [
        {"users_username_unique": 1},
        {"users_username_unique": 1},
        None,
    ]
    user = User.objects.get(pk=1)
    user.full_name = "Ibu Ratna"
    user.full_clean()
    user.save()


@pytest.mark.parametrize("name", ["ADMIN", "Desk"])
def test_another_twin_is_refused(twins, name):
    with pytest.raises(IntegrityError):
        User.objects.create(pk=50, username=name)
    with pytest.raises(ValidationError, match="Somebody has this user name already"):
        User(username=name, password="!").full_clean()


def test_a_twin_that_was_renamed_does_not_come_back(twins):
    User.objects.filter(pk=2).update(username="ratna")
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=2).update(username="admin")


@pytest.mark.parametrize("name", ["desk ", "d\u00e9sk"])
def test_other_letters_are_another_name(twins, name):
    User.objects.create(pk=50, username=name)
