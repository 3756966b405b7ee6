"""Instants of stays and guests get their time zone: the clock time was UTC all along."""

from django.db import migrations, models

from hotel.migrator.operations import MakeAware


class Migration(migrations.Migration):
    dependencies = [("reservations", "0011_replace_status"), ("rooms", "0005_convert_timestamps")]

    operations = [
        MakeAware(
            model_name="bookingchannel",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="bookingchannel",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="discount",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="discount",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="guest",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="guest",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
        MakeAware(
            model_name="guestimage",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="reservation",
            name="checked_in_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        MakeAware(
            model_name="reservation",
            name="checked_out_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        MakeAware(
            model_name="reservation",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        MakeAware(
            model_name="reservation",
            name="deposit_returned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        MakeAware(
            model_name="reservation",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, null=True),
        ),
    ]
