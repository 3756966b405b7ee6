"""Instants of stays and guests get their time zone: the clock time was UTC all along."""

from django.db import migrations

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [("reservations", "0011_replace_status"), ("rooms", "0005_convert_timestamps")]

    operations = [
        MakeAware("bookingchannel", "created_at", "updated_at"),
        MakeAware("discount", "created_at", "updated_at"),
        MakeAware("guest", "created_at", "updated_at"),
        MakeAware("guestimage", "created_at"),
        MakeAware(
            "reservation",
            "checked_in_at",
            "checked_out_at",
            "created_at",
            "deposit_returned_at",
            "updated_at",
        ),
    ]
