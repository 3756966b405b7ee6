"""What Django needs to know of a user: three flags, groups and permissions."""

from django.db import migrations, models

from hotel.migrator.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("rooms", "0004_require_room_status"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        AddField(
            model_name="user",
            name="is_active",
            field=models.BooleanField(db_default=True, default=True, verbose_name="may log in"),
        ),
        AddField(
            model_name="user",
            name="is_staff",
            field=models.BooleanField(db_default=False, default=False, verbose_name="works here"),
        ),
        AddField(
            model_name="user",
            name="is_superuser",
            field=models.BooleanField(db_default=False, default=False, verbose_name="owner"),
        ),
        AddField(
            model_name="user",
            name="groups",
            field=models.ManyToManyField(
                blank=True,
                help_text=(
                    "The groups this user belongs to. "
                    "A user will get all permissions granted to each of their groups."
                ),
                related_name="user_set",
                related_query_name="user",
                to="auth.group",
                verbose_name="groups",
            ),
        ),
        AddField(
            model_name="user",
            name="user_permissions",
            field=models.ManyToManyField(
                blank=True,
                help_text="Specific permissions for this user.",
                related_name="user_set",
                related_query_name="user",
                to="auth.permission",
                verbose_name="user permissions",
            ),
        ),
    ]
