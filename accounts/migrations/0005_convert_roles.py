"""Roles: an admin becomes an owner, a user becomes front desk; five groups are made to choose from.

Rule: ``admin`` may do everything, ``user`` joins the group "Front desk"; any other word is nobody
who works here. The groups get their permissions after ``migrate`` (accounts/roles.py). A user joins
once: whoever has been here before is not put back into a group that a manager has taken away.
Inverse: ``role`` still counts until 0006 drops it. The groups stay; the memberships made here are
archived, and come back on the way up.
"""

from django.db import migrations
from django.db.models import BooleanField, Case, Exists, F, OuterRef, Subquery, Value, When
from django.db.models.lookups import Exact, In

from hotel.migrator.operations import BatchedRunPython, Insert, InsertForNewRows, InsertMissing

GROUPS = ["Manager", "Front desk", "Housekeeping", "Accounting", "Read-only"]


def works_here(apps, role):
    return Case(
        When(In(role, ["admin", "user"]), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )


def is_owner(apps, role):
    return Case(
        When(Exact(role, Value("admin")), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )


def join_front_desk(apps, users):
    Membership = apps.get_model("accounts", "User").groups.through
    front_desk = apps.get_model("auth", "Group").objects.filter(name="Front desk").values("pk")
    members = Membership.objects.filter(user=OuterRef("pk"), group__in=front_desk)
    joining = users.filter(~Exists(members), role="user")
    return [Insert(Membership, joining, user=F("pk"), group=Subquery(front_desk))]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_convert_credentials")]

    operations = [
        BatchedRunPython(
            works_here, BatchedRunPython.clear, "user", "is_staff", source="role", tally=True
        ),
        BatchedRunPython(
            is_owner, BatchedRunPython.clear, "user", "is_superuser", source="role", tally=True
        ),
        InsertMissing("auth.group", "name", GROUPS),
        InsertForNewRows(join_front_desk, "user"),
    ]
