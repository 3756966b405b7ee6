"""What the hotel is set to (the legacy table ``settings``), and its figures day by day."""

from django.db import models
from django.db.models import F, Q

from hotel.dashboard.figures import COUNTS, Formulas


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
        ]

    def __str__(self) -> str:
        return f"{self.room_type} on {self.day}"


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
