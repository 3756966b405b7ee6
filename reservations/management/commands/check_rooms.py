"""``manage.py check_rooms``: rooms are occupied where guests are in house, and nowhere else."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hotel.business_day import business_date
from reservations import occupancy
from reservations.availability import oversold

AHEAD = timedelta(days=90)


class Command(BaseCommand):
    """See ``help``."""

    help = (
        "Prove that the rooms which say that they are occupied are those where guests are in "
        "house. Exit code 1 if any differs. Changes nothing without --repair. Also names the "
        "nights of the next 90 days on which more rooms of a type are sold than there are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--repair", action="store_true", help="let each room say what the stays say"
        )

    def handle(self, *, repair: bool, **options: Any) -> None:
        """Compare, print and perhaps correct; end with exit code 1 if a room is wrong still."""
        today = business_date()
        for night, kind, more in oversold(today, today + AHEAD):
            self.stdout.write(f"{kind} is oversold by {more} on {night}.")
        wrong = list(occupancy.wrong_rooms())
        for room in wrong:
            guests = "guests are in house" if room.has_guests else "nobody is in house"
            self.stdout.write(f"Room {room} is {room.get_status_display().lower()}, but {guests}.")
        if repair:
            corrected = occupancy.correct(by=None)
            self.stdout.write(f"{len(corrected)} corrected.")
        elif wrong:
            count = f"{len(wrong)} room{'s are' if len(wrong) > 1 else ' is'}"
            raise CommandError(
                f"{count} not what the stays say: somebody has written past the services; "
                "run manage.py check_rooms --repair.",
                returncode=1,
            )
        else:
            self.stdout.write("Every room is what the stays say.")
