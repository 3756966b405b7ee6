"""Who checked the guest in, as a link to the user; the name alone is there since 0001."""

from django.conf import settings
from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("reservations", "0002_add_guest_images"),
        ("payments", "0002_add_expenses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddField(
            model_name="reservation",
            name="checked_in_by",
            field=models.ForeignKey(
                blank=True,
                db_column="checked_in_by",
                null=True,
                on_delete=models.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
