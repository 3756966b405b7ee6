"""``manage.py check_deposits``: the ledger of deposits and the columns of reservations agree."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Sum

from payments import services
from payments.models import DepositMovement
from reservations.models import Reservation

SHOWN = 10  # reservations named


class Command(BaseCommand):
    """See ``help``."""

    help = (
        "Prove that what reservations say is held of deposits is what the ledger adds up to. "
        "Exit code 1 if any differs. Also names the legacy deposits of which the column and the "
        "payments said different things; these are known, and no error. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--database", default="default", help="the alias to read")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, database: str, json: bool, **options: Any) -> None:
        """Compare, print, and end with exit code 1 if the ledger and a column differ."""
        wrong = services.ledger_differences().using(database)
        known = services.legacy_differences().using(database)
        held = Reservation.objects.using(database).aggregate(held=Sum("deposit_held"))["held"]
        facts: dict[str, Any] = {
            "movements": DepositMovement.objects.using(database).count(),
            "held": f"{held or 0:.2f}",
            "differences": [
                {"reservation": str(stay), "column": str(stay.deposit_held), "ledger": str(by)}
                for stay, by in ((stay, f"{stay.by_ledger:.2f}") for stay in wrong)
            ],
            "legacy_differences": [
                {
                    "reservation": str(stay),
                    "column": str(stay.deposit_amount),
                    "collected": f"{stay.collected:.2f}",
                }
                for stay in known
            ],
        }
        if json:
            self._print_json(facts)
        else:
            self._print(facts)
        if facts["differences"]:
            count = len(facts["differences"])
            raise CommandError(
                f"{count} reservation{'s differ' * (count > 1) or ' differs'} from the ledger: "
                "somebody has written deposit_held past the services; correct it to the ledger.",
                returncode=1,
            )

    def _print_json(self, facts: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(facts, indent=2))

    def _print(self, facts: dict[str, Any]) -> None:
        self.stdout.write(f"{facts['movements']} movements, {facts['held']} held.")
        for row in facts["differences"][:SHOWN]:
            self.stdout.write("{reservation}: held {column}, by the ledger {ledger}".format(**row))
        known = facts["legacy_differences"]
        if known:
            self.stdout.write(
                f"{len(known)} legacy deposits of which the system said two things; payments count:"
            )
        for row in known[:SHOWN]:
            self.stdout.write(
                "{reservation}: deposit_amount {column}, by its payments {collected}".format(**row)
            )
        if len(known) > SHOWN:
            self.stdout.write(f"… and {len(known) - SHOWN} more (--json names them all)")
