"""``manage.py compute_metrics``: count the figures of the house for a period."""

import json
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from hotel.business_day import business_date
from hotel.columns import EMPTY, percent
from hotel.dashboard.figures import COUNTS, Total, rounded, total, totals
from hotel.dashboard.services import LONGEST, compute_metrics
from hotel.refusals import Refused

BEFORE, AFTER = 30, 14  # days around today that are computed unless told otherwise


class Command(BaseCommand):
    """See ``help``."""

    help = (
        "Count rooms, nights sold, room revenue, arrivals, departures, cancellations and no-shows "
        f"of every day from --from to --to, both included, at most {LONGEST} days; and print "
        "occupancy (sold / available), ADR (revenue / sold) and RevPAR (revenue / available). "
        "What stood there of these days is replaced, so it may run any time and any number of "
        "times; only the figures of a closed day (close_day) stay as they are. Let cron run it "
        f"every night without options, which takes the last {BEFORE} days and the next {AFTER}, "
        "as far as they are booked. "
        "Wrong dates end with exit code 2."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--from",
            dest="first",
            metavar="DATE",
            help=f"the first day, such as 2026-01-01; {BEFORE} days ago if it is not given",
        )
        parser.add_argument(
            "--to",
            dest="last",
            metavar="DATE",
            help=f"the last day, such as 2026-01-31; {AFTER} days from now if it is not given",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--database",
            default="default",
            choices=tuple(connections),
            help="the alias to read and write",
        )

    def handle(
        self, *, first: str | None, last: str | None, database: str, json: bool, **options: Any
    ) -> None:
        """Compute, and print a line for each day and one for all of them."""
        today = business_date()
        begin = day_of("--from", first) or today - timedelta(days=BEFORE)
        end = day_of("--to", last) or today + timedelta(days=AFTER)
        try:
            rows = compute_metrics(begin, end, using=database)
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        days, whole = totals(rows, lambda row: row.day), total(rows)
        if json:
            self._print_json(begin, end, days, whole)
        else:
            for day, sums in days.items():
                self.stdout.write(f"{day}  {line(sums)}")
            self.stdout.write(f"all         {line(whole)}")

    def _print_json(self, first: date, last: date, days: dict[date, Total], whole: Total) -> None:
        report = {
            "from": str(first),
            "to": str(last),
            "days": [{"day": str(day), **facts(sums)} for day, sums in days.items()],
            "all": facts(whole),
        }
        self.stdout.write(json.dumps(report, indent=2))


def day_of(option: str, text: str | None) -> date | None:
    """Return the date that an option names, or None if it was not given."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CommandError(
            f'{option} is "{text}", which is not a date: write one such as 2026-01-31.',
            returncode=2,
        ) from None


def line(sums: Total) -> str:
    """Return the figures in one line of text."""
    adr, revpar = (
        EMPTY if ratio is None else f"{rounded(ratio)}" for ratio in (sums.adr, sums.revpar)
    )
    return (
        f"{sums.rooms_sold} of {sums.rooms_available} sold  occupancy {percent(sums.occupancy)}"
        f"  ADR {adr}  RevPAR {revpar}  revenue {sums.room_revenue:.2f}"
    )


def facts(sums: Total) -> dict[str, Any]:
    """Return the figures by name; amounts and ratios are text, so that no digit is lost."""
    ratios = {
        "occupancy": rounded(sums.occupancy, 4),
        "occupancy_of_all_rooms": rounded(sums.occupancy_of_all_rooms, 4),
        "adr": rounded(sums.adr),
        "revpar": rounded(sums.revpar),
    }
    return {
        **{name: getattr(sums, name) for name in COUNTS},
        "rooms_available": sums.rooms_available,
        "room_revenue": f"{sums.room_revenue:.2f}",
        **{name: None if ratio is None else str(ratio) for name, ratio in ratios.items()},
    }
