"""Events of stays, step 2 of 3: what the legacy columns know of each reservation.

Rule: who booked, checked in and out, cancelled or did not come, and when; as far as the columns say
so. What was changed by it, nobody knows (``changes`` is NULL). Evidence: legacy_column.
Business date: the hotel's date of the instant; where there is none, a date of the stay.
Inverse: the events made here are archived and deleted. A reservation is met once.
"""

from django.db import migrations
from django.db.models import F
from django.db.models.functions import Coalesce

from hotel.migrator.expressions import LocalDate
from hotel.migrator.operations import Insert, InsertForNewRows


def tell_of_stays(apps, stays):
    """Return the events, in the order in which they happen to a stay."""
    Event = apps.get_model("reservations", "Event")

    def event(what, rows, at, date, **more):
        return Insert(
            Event,
            rows,
            reservation=F("pk"),
            what=what,
            at=F(at),
            business_date=Coalesce(LocalDate(at), date),
            evidence="legacy_column",
            **more,
        )

    ended = stays.filter(cancelled_at__isnull=False)
    return [
        event("booked", stays, "created_at", "check_in_date", by=F("created_by_id")),
        event(
            "checked_in",
            stays.filter(checked_in_at__isnull=False),
            "checked_in_at",
            "check_in_date",
            by=F("checked_in_by_id"),
        ),
        event(
            "checked_out",
            stays.filter(checked_out_at__isnull=False),
            "checked_out_at",
            "check_out_date",
        ),
        *(
            event(
                status,
                ended.filter(status=status),
                "cancelled_at",
                "check_in_date",
                reason=F("cancel_reason"),
            )
            for status in ("cancelled", "no_show")
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("reservations", "0027_add_stay_events")]

    operations = [InsertForNewRows(tell_of_stays, "reservation")]
