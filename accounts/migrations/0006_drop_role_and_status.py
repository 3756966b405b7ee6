"""Flags and groups take the place of ``role`` and ``status``.

Inverse: an owner is an admin again, everybody else a user; who may log in is active, who may not is
inactive. Words that this rule would not give are archived and come back where nothing changed
since.
"""

from django.db import migrations
from django.db.models import Case, TextField, Value, When
from django.db.models.lookups import Exact

from hotel.migrator.operations import CatchUp, RemoveField


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
        CatchUp("0004_convert_credentials", "user", "is_active"),
        CatchUp("0005_convert_roles", "user", "is_staff"),
        CatchUp("0005_convert_roles", "user", "is_superuser"),
        migrations.RemoveIndex("user", "users_status_idx"),
        RemoveField("user", "status", refill=("is_active", status)),
        RemoveField("user", "role", refill=("is_superuser", role)),
    ]
