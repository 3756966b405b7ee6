"""Credentials: legacy hashes become Django's, and the status says who may log in.

Rule: a bcrypt hash gets Django's name for it in front, unless it has it; anything else is no hash
and is made unusable by a "!" in front. An inactive user may not log in, an active one and one
without status may; any other word may not.
Inverse: the prefix is taken away again; a password set since goes down as its own bcrypt hash.
``status`` still counts until 0006 drops it.
"""

from django.db import migrations
from django.db.models import BooleanField, Case, Q, TextField, Value, When
from django.db.models.functions import Concat, Left, Length, Substr
from django.db.models.lookups import Exact, In, IsNull

from hotel.migrator.operations import BatchedRunPython

BCRYPT = ["$2a$", "$2b$", "$2x$", "$2y$"]
BCRYPT_LENGTH = 60  # characters
COLUMN_LENGTH = 255  # characters; what "!" would push out is archived


def hash_for_django(apps, password):
    is_bcrypt = In(Substr(password, 1, 4), BCRYPT) & Exact(Length(password), BCRYPT_LENGTH)
    is_named = Exact(Substr(password, 1, 7), Value("bcrypt$")) & (
        In(Substr(password, 8, 4), BCRYPT) & Exact(Length(password), 7 + BCRYPT_LENGTH)
    )
    return Case(
        When(is_named, then=password),
        When(is_bcrypt, then=Concat(Value("bcrypt$"), password, output_field=TextField())),
        default=Left(
            Concat(Value("!"), password, output_field=TextField()),
            COLUMN_LENGTH,
            output_field=TextField(),
        ),
        output_field=TextField(),
    )


def hash_for_legacy(apps, password):
    return Case(
        When(
            Exact(Substr(password, 1, 7), Value("bcrypt$")),
            then=Substr(password, 8, output_field=TextField()),
        ),
        When(
            Exact(Substr(password, 1, 1), Value("!")),
            then=Substr(password, 2, output_field=TextField()),
        ),
        default=password,
        output_field=TextField(),
    )


def may_log_in(apps, status):
    return Case(
        When(Q(IsNull(status, True)) | Q(Exact(status, Value("active"))), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )


class Migration(migrations.Migration):
    atomic = False  # each batch commits on its own

    dependencies = [("accounts", "0003_add_permission_grants")]

    operations = [
        BatchedRunPython(hash_for_django, hash_for_legacy, "user", "password"),
        BatchedRunPython(
            may_log_in, BatchedRunPython.clear, "user", "is_active", source="status", tally=True
        ),
    ]
