"""What staff may do with money, one permission each; the groups get them after ``migrate``."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0015_restrict_deposit_movements"),
        ("reservations", "0022_allow_desk_actions"),
    ]

    operations = [
        migrations.AlterModelOptions(
            "payment",
            {
                "permissions": [
                    ("refund_payment", "Can give a payment back"),
                    ("void_payment", "Can void a payment of today"),
                    ("settle_payment", "Can apply a deposit and give it back"),
                    ("forfeit_payment", "Can keep a deposit for the hotel"),
                ]
            },
        )
    ]
