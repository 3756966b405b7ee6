"""What must be true of reservations, step 1 of 2: new and changed rows keep it.

Rows that break a rule today are exempt from it, and stay as they are.
"""

from decimal import Decimal

from django.db import migrations
from django.db.models import F, Q

from hotel.migrator.constraints import Check
from hotel.migrator.operations import AddRules

LARGEST_AMOUNT = Decimal("9999999999.99")


class Migration(migrations.Migration):
    atomic = False  # rows are exempted before the table is locked

    dependencies = [("reservations", "0013_add_exemptions"), ("rooms", "0008_validate_rules")]

    operations = [
        AddRules(
            "reservation",
            [
                Check(
                    name="reservations_dates_in_order",
                    condition=Q(check_out_date__gt=F("check_in_date")),
                    violation_error_message="The guest must leave after the day of arrival.",
                    mend="Correct the dates of the stay.",
                ),
                Check(
                    name="reservations_adults_in_range",
                    condition=Q(adults__gte=1),
                    violation_error_message="At least one adult must stay.",
                    mend="Correct the number of adults.",
                ),
                Check(
                    name="reservations_children_in_range",
                    condition=Q(children__gte=0),
                    violation_error_message="The number of children cannot be negative.",
                    mend="Correct the number of children.",
                ),
                Check(
                    name="reservations_rate_in_range",
                    condition=Q(rate_per_night__range=(0, LARGEST_AMOUNT)),
                    violation_error_message="The rate per night cannot be negative.",
                    mend="Correct the rate per night.",
                ),
                Check(
                    name="reservations_subtotal_in_range",
                    condition=Q(subtotal__range=(0, LARGEST_AMOUNT)),
                    violation_error_message="The subtotal cannot be negative.",
                    mend="Correct the subtotal.",
                ),
                Check(
                    name="reservations_discount_in_range",
                    condition=Q(discount_amount__range=(0, LARGEST_AMOUNT)),
                    violation_error_message="The discount cannot be negative.",
                    mend="Correct the discount.",
                ),
                Check(
                    name="reservations_discount_within_subtotal",
                    condition=Q(discount_amount__lte=F("subtotal")),
                    violation_error_message="The discount cannot be more than the subtotal.",
                    mend="Correct the discount or the subtotal.",
                ),
                Check(
                    name="reservations_total_in_range",
                    condition=Q(total_amount__range=(0, LARGEST_AMOUNT)),
                    violation_error_message="The total cannot be negative.",
                    mend="Correct the total.",
                ),
                Check(
                    name="reservations_deposit_in_range",
                    condition=Q(deposit_amount__range=(0, LARGEST_AMOUNT)),
                    violation_error_message="The deposit cannot be negative.",
                    mend="Correct the deposit.",
                ),
                Check(
                    name="reservations_deposit_within_total",
                    condition=Q(deposit_amount__lte=F("total_amount")),
                    violation_error_message="The deposit cannot be more than the total.",
                    mend="Correct the deposit or the total.",
                ),
                Check(
                    name="reservations_status_known",
                    condition=Q(
                        status__in=[
                            "pending",
                            "confirmed",
                            "checked_in",
                            "checked_out",
                            "cancelled",
                            "no_show",
                        ]
                    ),
                    violation_error_message="The status is none of those a reservation can have.",
                    mend="Choose a status.",
                ),
                Check(
                    name="reservations_in_house_has_room",
                    condition=~Q(status="checked_in")
                    | Q(room__isnull=False, checked_in_at__isnull=False),
                    violation_error_message="A stay in house needs a room and a time of check-in.",
                    mend="Give the stay its room, or check it out.",
                ),
                Check(
                    name="reservations_checked_out_has_time",
                    condition=~Q(status="checked_out") | Q(checked_out_at__isnull=False),
                    violation_error_message="A stay that is over needs the time of its check-out.",
                    mend="Nothing need be done: the time is not known.",
                ),
            ],
        ),
    ]
