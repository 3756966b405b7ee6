"""What the hotel is set to (legacy table ``settings``), its days, and its figures day by day."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from hotel.dashboard.figures import COUNTS, Formulas
from hotel.events import EventBase, event_rules
from hotel.migrator.constraints import Closable, Sealed

CLOSED_DAYS = ("business_days", "day", "closed_at")  # how a rule asks whether a day is closed


class Setting(models.Model):
    """One named value, kept as text; ``setting_type`` says how to read it."""

    setting_key = models.CharField(max_length=100, unique=True)
    setting_value = models.TextField(null=True, blank=True)
    setting_type = models.CharField(max_length=20, null=True, blank=True, default="string")
    is_editable = models.BooleanField(null=True, blank=True, default=True)
    description = models.TextField(null=True, blank=True)
    category = models.CharField(max_length=50, null=True, blank=True)
    created_at = models.DateTimeField(null=True, blank=True, auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True, auto_now=True)

    class Meta:
        db_table = "settings"

    def __str__(self) -> str:
        return self.setting_key


class BusinessDay(models.Model):
    """A day of the hotel that was closed, or was and is open again; other days are open.

    Days are closed one after the other. Only the last closed one can be opened again, with a
    reason. docs/decisions/0022-closing-the-day.md says what that means.
    """

    day = models.DateField(unique=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reopened_at = models.DateTimeField(null=True, blank=True)
    reopened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reopen_reason = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "business_days"
        permissions = [
            ("close_businessday", "Can close the day"),
            ("reopen_businessday", "Can open the last closed day again"),
        ]
        constraints = [
            models.CheckConstraint(
                name="business_days_closed_or_reopened",
                condition=Q(
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                    reopened_at__isnull=True,
                    reopened_by__isnull=True,
                    reopen_reason__isnull=True,
                )
                | Q(
                    closed_at__isnull=True,
                    closed_by__isnull=True,
                    reopened_at__isnull=False,
                    reopened_by__isnull=False,
                    reopen_reason__isnull=False,
                ),
                violation_error_message="A day is closed by somebody, or open again for a reason.",
            ),
            Closable(
                name="business_days_closed_in_order",
                period="day",
                closed="closed_at",
                reason="reopen_reason",
                violation_error_message="Only the last closed day can be opened again, with a"
                " reason; and no day before it can be closed.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.day)


class Event(EventBase):
    """What happened to a business day: it was closed, or opened again."""

    business_day = models.ForeignKey(BusinessDay, on_delete=models.PROTECT, related_name="events")

    class Meta:
        db_table = "business_day_events"
        constraints = event_rules("business_day_events")


class DailyMetrics(Formulas, models.Model):
    """The figures of one room type on one of the hotel's days, as ``compute_metrics`` counted them.

    rooms: in use. rooms_out_of_order: of these, in the night that follows the day. rooms_sold:
    stays in that night that are paid for; more than there are rooms if the house was overbooked.
    room_revenue: what the night costs these stays, in the hotel's currency. arrivals, departures:
    stays that begin and end on the day. cancellations, no_shows: stays that were to begin on it.
    docs/decisions/0011-metrics.md says how each is counted.
    """

    day = models.DateField()
    room_type = models.ForeignKey("rooms.RoomType", on_delete=models.PROTECT, related_name="+")
    rooms = models.IntegerField()
    rooms_out_of_order = models.IntegerField()
    rooms_sold = models.IntegerField()
    room_revenue = models.DecimalField(max_digits=14, decimal_places=2)
    arrivals = models.IntegerField()
    departures = models.IntegerField()
    cancellations = models.IntegerField()
    no_shows = models.IntegerField()
    computed_at = models.DateTimeField()

    class Meta:
        db_table = "daily_metrics"
        verbose_name = "daily figures"
        verbose_name_plural = "daily figures"
        constraints = [
            models.UniqueConstraint(
                name="daily_metrics_day_and_type_once",
                fields=["day", "room_type"],
                violation_error_message="The figures of this day and room type are there already.",
            ),
            models.CheckConstraint(
                name="daily_metrics_counts_not_negative",
                condition=Q(**{f"{name}__gte": 0 for name in COUNTS}),
                violation_error_message="Nothing is counted less than zero times.",
            ),
            models.CheckConstraint(
                name="daily_metrics_revenue_not_negative",
                condition=Q(room_revenue__gte=0),
                violation_error_message="The revenue cannot be negative.",
            ),
            models.CheckConstraint(
                name="daily_metrics_out_of_order_within_rooms",
                condition=Q(rooms_out_of_order__lte=F("rooms")),
                violation_error_message="No more rooms can be out of order than there are.",
            ),
            Sealed(
                name="daily_metrics_of_closed_days",
                period="day",
                closed_by=CLOSED_DAYS,
                violation_error_message="The figures of a closed day stay as they are.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room_type} on {self.day}"


class DailyAdjustment(models.Model):
    """By how much a later correction changes the figures of a closed day, which stay as they are.

    day: the closed day. adjusted_on: the day that was open when it was found, to which it belongs.
    Counts and revenue are differences: what was counted of the day together with all its
    adjustments is what was known when the last of them was made.
    """

    adjusted_on = models.DateField()
    day = models.DateField()
    room_type = models.ForeignKey("rooms.RoomType", on_delete=models.PROTECT, related_name="+")
    rooms_sold = models.IntegerField()
    room_revenue = models.DecimalField(max_digits=14, decimal_places=2)
    arrivals = models.IntegerField()
    departures = models.IntegerField()
    cancellations = models.IntegerField()
    no_shows = models.IntegerField()

    class Meta:
        db_table = "daily_adjustments"
        verbose_name = "adjustment of closed figures"
        verbose_name_plural = "adjustments of closed figures"
        constraints = [
            models.UniqueConstraint(
                name="daily_adjustments_once",
                fields=["adjusted_on", "day", "room_type"],
                violation_error_message="This is adjusted already.",
            ),
            models.CheckConstraint(
                name="daily_adjustments_of_days_before",
                condition=Q(day__lt=F("adjusted_on")),
                violation_error_message="Only figures of a day before are adjusted.",
            ),
            Sealed(
                name="daily_adjustments_of_closed_days",
                period="adjusted_on",
                closed_by=CLOSED_DAYS,
                violation_error_message="The adjustments of a closed day stay as they are.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room_type} on {self.day}, adjusted on {self.adjusted_on}"


class SentForm(models.Model):
    """A form that has added a row: sent again, it leads to that row and adds none.

    key: made when the form was opened. model: as in ``payments.Expense``. row: its key, as text.
    """

    key = models.CharField(max_length=64)
    model = models.CharField(max_length=100)
    row = models.CharField(max_length=64)
    sent_at = models.DateTimeField()

    class Meta:
        db_table = "sent_forms"
        constraints = [
            models.UniqueConstraint(
                name="sent_forms_key_once",
                fields=["key"],
                violation_error_message="This form was sent already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.row}"
