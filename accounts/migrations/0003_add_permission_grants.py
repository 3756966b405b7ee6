"""Which permissions ``migrate`` has given to which group, so that it gives none of them twice."""

from django.db import migrations, models

from hotel.migrator.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_add_django_columns")]

    operations = [
        CreateModel(
            name="PermissionGrant",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="auth.group"),
                ),
                (
                    "permission",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="+", to="auth.permission"
                    ),
                ),
            ],
            options={
                "db_table": "permission_grants",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "permission"), name="permission_granted_once"
                    )
                ],
            },
        ),
    ]
