"""No two user names differ in capitals only.

The extension that PostgreSQL needs for it is there since reservations forbade double booking.
"""

from django.db import migrations

from hotel.migrator.constraints import Exclusion
from hotel.migrator.expressions import AsciiLower
from hotel.migrator.operations import AddRules


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_add_exemptions"),
        ("reservations", "0016_forbid_double_booking"),
    ]

    operations = [
        AddRules(
            "user",
            [
                Exclusion(
                    name="users_username_unique",
                    same=[AsciiLower("username")],
                    violation_error_message="Somebody has this user name already.",
                    mend="Give one of the two another user name.",
                ),
            ],
        ),
    ]
