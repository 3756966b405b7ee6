"""Flags and groups take the place of ``role`` and ``status``.

Users whom an older writer has added or changed since 0004 and 0005 are caught up with first: a raw
bcrypt hash gets its prefix, a user who does not work here yet joins "Front desk".

Inverse: an owner is an admin again, everybody else a user; who may log in is active, who may not is
inactive. Words that this rule would not give are archived and come back where nothing changed
since.
"""

from django.db import migrations
from django.db.models import Case, Exists, F, OuterRef, Subquery, TextField, Value, When
from django.db.models.functions import Concat, Length, Substr
from django.db.models.lookups import Exact, In

from hotel.migrator.operations import (
    BatchedRunPython,
    CatchUp,
    Insert,
    InsertForNewRows,
    InsertMissing,
    RemoveField,
)

BCRYPT = ["$2a$", "$2b$", "$2x$", "$2y$"]
BCRYPT_LENGTH = 60  # characters


def hash_for_django(apps, password):
    is_raw = In(Substr(password, 1, 4), BCRYPT) & Exact(Length(password), BCRYPT_LENGTH)
    return Case(
        When(is_raw, then=Concat(Value("bcrypt$"), password, output_field=TextField())),
        default=password,
        output_field=TextField(),
    )


def join_front_desk(apps, users):
    Membership = apps.get_model("accounts", "User").groups.through
    front_desk = apps.get_model("auth", "Group").objects.filter(name="Front desk").values("pk")
    members = Membership.objects.filter(user=OuterRef("pk"), group__in=front_desk)
    late = users.filter(~Exists(members), role="user", is_staff=False)
    return [Insert(Membership, late, user=F("pk"), group=Subquery(front_desk))]


def status(is_active):
    return Case(
        When(Exact(is_active, Value(True)), then=Value("active")),
        default=Value("inactive"),
        output_field=TextField(),
    )


def role(is_superuser):
    return Case(
        When(Exact(is_superuser, Value(True)), then=Value("admin")),
        default=Value("user"),
        output_field=TextField(),
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_convert_roles")]

    operations = [
        # First of all, because it locks the table as much as dropping its columns does.
        CatchUp("0004_convert_credentials", "user", "is_active"),
        BatchedRunPython(hash_for_django, BatchedRunPython.keep, "user", "password"),
        InsertMissing("auth.group", "name", ["Front desk"]),
        InsertForNewRows(join_front_desk, "user"),
        CatchUp("0005_convert_roles", "user", "is_staff"),
        CatchUp("0005_convert_roles", "user", "is_superuser"),
        migrations.RemoveIndex("user", "users_status_idx"),
        RemoveField("user", "status", refill=("is_active", status)),
        RemoveField("user", "role", refill=("is_superuser", role)),
    ]
