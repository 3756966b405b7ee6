"""What was applied of a deposit can be un-applied: a new kind of movement in the ledger.

Inverse: such a movement becomes a correction of the same amount, so that no less is held; its kind
is archived and comes back on the way up. The ledger is opened for that, in one transaction, and
closed again. The table is locked while its rows are checked, which are few: one deposit has some.
"""

from django.db import migrations, models
from django.db.models import Case, Q, Value, When
from django.db.models.lookups import Exact

from hotel.migrator.constraints import AppendOnly
from hotel.migrator.operations import BatchedRunPython

NAME = "deposit_movements_kind_known"
SENTENCE = "The kind is none of those a movement can have."


def correct(apps, kind):
    return Case(When(Exact(kind, Value("unapplied")), then=Value("corrected")), default=kind)


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0023_restrict_payments"),
        ("reservations", "0041_remove_deposit_limit"),
    ]

    operations = [
        migrations.RemoveConstraint("depositmovement", "deposit_movements_append_only"),
        migrations.RemoveConstraint("depositmovement", NAME),
        BatchedRunPython(BatchedRunPython.keep, correct, "depositmovement", "kind"),
        migrations.AlterField(
            "depositmovement",
            "kind",
            models.CharField(
                choices=[
                    ("collected", "Collected"),
                    ("applied", "Applied"),
                    ("unapplied", "Un-applied"),
                    ("refunded", "Given back"),
                    ("forfeited", "Forfeited"),
                    ("corrected", "Corrected"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            "depositmovement",
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("collected", "applied", "unapplied"),
                        *("refunded", "forfeited", "corrected"),
                    ]
                ),
                name=NAME,
                violation_error_message=SENTENCE,
            ),
        ),
        migrations.AddConstraint(
            "depositmovement",
            AppendOnly(
                name="deposit_movements_append_only",
                violation_error_message="The ledger of deposits is only added to.",
            ),
        ),
    ]
