"""Who asks for a name learns nothing from how long the answer takes: it is the same work."""

import asyncio
from collections import Counter

import bcrypt
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import authenticate
from django.db import connections
from django.test import RequestFactory

from accounts.backends import StaffBackend
from accounts.hashers import LegacyBCryptHasher, even_work
from accounts.models import User


@pytest.fixture(autouse=True)
def rounds(monkeypatch):
    """Hash with few rounds; 2 ** 6 stands for the work of a log-in."""
    monkeypatch.setattr(LegacyBCryptHasher, "rounds", 6)


@pytest.fixture
def work(monkeypatch):
    """What bcrypt has hashed: a list of 2 ** cost."""
    done, hashpw = [], bcrypt.hashpw

    def counted(password, salt):
        hashed = hashpw(password, salt)
        done.append(2 ** int(hashed[4:6]))
        return hashed

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    return done


def stored(cost, password="secret"):
    """Return the hash of a password as the legacy system made it, of any cost."""
    return "bcrypt$" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def staff(**passwords):
    for username, password in passwords.items():
        User.objects.create(username=username, password=password, is_staff=True)


def spent(work, username, password):
    """Return the work of one log-in, and whether it succeeded."""
    work.clear()
    request = RequestFactory().post("/")
    user = StaffBackend().authenticate(request, username=username, password=password)
    return sum(work), user is not None


PASSWORDS = ["wrong", "", "x" * 1000, "旅" * 100, "\ud800", "nul\0", "secret"]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize(("costs", "expected"), [([4, 5, 6], 2**6), ([4, 6, 8], 2**8)])
def test_every_name_takes_the_same_work(db, work, costs, expected, password):
    staff(**{f"of{cost}": stored(cost) for cost in costs})
    staff(unusable="!", empty="", junk="junk", other="pbkdf2_sha256$1$salt$hash")
    staff(short="bcrypt$$2b$04$short", bits="bcrypt$$2b$04$" + "z" * 53)
    User.objects.create(username="inactive", password=stored(4), is_active=False)
    names = [*User.objects.values_list("username", flat=True), "nobody", "x" * 500]
    found = {name: spent(work, name, password) for name in names}
    assert {amount for amount, _ in found.values()} == {expected}
    may = {name for name, (_, succeeded) in found.items() if succeeded}
    assert may == ({f"of{cost}" for cost in costs} if password == "secret" else set())


def test_one_row_cannot_make_log_ins_last_for_ever(db, work):
    staff(dear="bcrypt$$2b$31$" + "a" * 53, none="bcrypt$$2b$99$" + "a" * 53)
    staff(digits="bcrypt$$2b$zz$" + "a" * 53, clerk=stored(4))
    assert spent(work, "nobody", "wrong") == (2**6, False)
    assert spent(work, "clerk", "wrong") == (2**6, False)


def test_costlier_hashes_count_up_to_fourteen(work):
    with even_work([15, 31]):
        pass
    assert work == [2**6]
    for cost in (7, 8):
        work.clear()
        with even_work([cost]):
            LegacyBCryptHasher().encode("", bcrypt.gensalt(4))
        assert sum(work) == 2**cost
    assert Counter(work) == Counter([2**4, 2**4, 2**5, 2**6, 2**7])


def test_a_hash_stays_as_it_was(db, work):
    """Whatever its cost: the way down gives back the hash that came up."""
    given = {"cheap": stored(4), "dear": stored(7)}
    staff(**given)
    for name in given:
        assert authenticate(RequestFactory().post("/"), username=name, password="secret")
    assert dict(User.objects.values_list("username", "password")) == given


def test_where_nothing_was_typed_it_is_the_same(db, work):
    assert spent(work, None, None) == (2**6, False)


async def waited_for(request, name):
    try:
        return await StaffBackend().aauthenticate(request, username=name, password="wrong")
    finally:
        await sync_to_async(connections.close_all)()  # that of the thread which has asked


@pytest.mark.django_db(transaction=True)
def test_it_is_the_same_for_code_that_waits(work):
    staff(clerk=stored(4))
    request = RequestFactory().post("/")
    for name in ("clerk", "nobody"):
        work.clear()
        assert asyncio.run(waited_for(request, name)) is None
        assert sum(work) == 2**6
