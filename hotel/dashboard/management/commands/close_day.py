"""``manage.py close_day``: what is open in a day of the hotel, and closing it."""

import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)

from accounts.models import User
from hotel.business_day import business_date
from hotel.dashboard import closing
from hotel.dashboard.closing import OpenPoints
from hotel.dashboard.figures import total
from hotel.dashboard.management.commands.compute_metrics import day_of, facts, line
from hotel.dashboard.models import BusinessDay, DailyAdjustment, DailyMetrics
from hotel.dashboard.services import count_metrics
from hotel.refusals import Refused

LISTED = 30  # days
EPILOG = """\
examples:
  manage.py close_day --dry-run                    what is open in the next day, and its figures
  manage.py close_day --by sari                    close the next day
  manage.py close_day --by sari --no-shows         mark those who did not come, then close it
  manage.py close_day --by sari --all --accept-open  close every day that is over (for cron)
  manage.py close_day 2026-12-28 --by budi --reopen "the bar was not posted"
  manage.py close_day --list                       the last closed days, and what was adjusted

exit codes:
  0    done; nothing is open (--dry-run)
  1    something is open (--dry-run)
  2    wrong use: no such date, no such user
  3    refused: the day is not over, or not ready, or it is not this user's to close"""


class _Formatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's, which keeps the lines."""


class Command(BaseCommand):
    """See ``help``."""

    help = """\
Close a day of the hotel: its figures are counted once more, and neither they nor its payments
change any more. Days are closed one after the other; DATE is the next one unless it is given.

What is open is listed by --dry-run: guests who were expected and did not come, who were to leave
and are in house, what is unpaid, and rooms that are dirty. The first two stop it, unless --no-shows
settles them, or --accept-open says that they may stay. Corrections that were made to days closed
before are written as adjustments of this day."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser, whose help and examples keep their lines."""
        parser = super().create_parser(prog_name, subcommand, epilog=EPILOG, **kwargs)
        parser.formatter_class = _Formatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("day", metavar="DATE", nargs="?", help="the day, such as 2026-01-31")
        parser.add_argument("--by", metavar="USERNAME", help="who closes it, and may do so")
        parser.add_argument(
            "--no-shows",
            action="store_true",
            help="mark those who did not come, when the day has ended by the hotel's clock",
        )
        parser.add_argument(
            "--accept-open",
            action="store_true",
            help="close it even if guests did not come, or are still in house",
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--dry-run",
            action="store_true",
            help="show what is open, and the figures; change nothing",
        )
        what.add_argument("--all", action="store_true", help="close every day that is over")
        what.add_argument(
            "--reopen", metavar="REASON", help="open the last closed day again, for this reason"
        )
        what.add_argument(
            "--list", action="store_true", help=f"list the last {LISTED} closed days, newest first"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, day: str | None, json: bool, **options: Any) -> None:
        """Do what is asked for, print it, and say by the exit code what came of it."""
        if day and (options["all"] or options["list"]):
            raise CommandError("DATE is of no use with --all and --list.", returncode=2)
        asked = day_of("DATE", day)
        points: OpenPoints | None = None
        reports: list[dict[str, Any]] = []
        try:
            if options["list"]:
                rows = BusinessDay.objects.filter(closed_at__isnull=False).order_by("-day")
                reports += map(_closed, rows[:LISTED])
            elif options["dry_run"]:
                points = closing.open_points(asked or closing.next_to_close())
                reports.append(_preview(points))
            elif options["reopen"] is not None:
                by = _user(options["by"], "reopen")
                row = closing.reopen_day(asked or _last_closed(), by, options["reopen"])
                reports.append({"day": str(row), "closed": False, "reason": row.reopen_reason})
            else:
                for row in self._close(asked, **options):
                    reports.append(_closed(row))
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=3) from refusal
        finally:  # what was done is told, even if the next day is refused
            self._print(reports, json)
        if points:
            raise CommandError("Something is open in this day: see above.", returncode=1)

    def _close(self, asked: date | None, **options: Any) -> Iterator[BusinessDay]:
        """Close one day or, with ``--all``, those that are over; yield each that is closed."""
        by = _user(options["by"], "close")
        days = {"no_shows": options["no_shows"], "accept_open": options["accept_open"]}
        if not options["all"]:
            yield closing.close_day(asked or closing.next_to_close(), by, **days)
            return
        while (day := closing.next_to_close()) < business_date():
            yield closing.close_day(day, by, **days)

    def _print(self, reports: list[dict[str, Any]], as_json: bool) -> None:
        if as_json:
            shown = [{**report, "sums": None} for report in reports]
            for report in shown:
                del report["sums"]
            self.stdout.write(json.dumps({"days": shown}, indent=2))
            return
        for report in reports:
            self.stdout.write("\n".join(_lines(report)))


def _user(username: str | None, act: str) -> User:
    """Return who acts, if it is theirs to do."""
    if not username:
        raise CommandError("Say who does it: --by USERNAME.", returncode=2)
    user = User.objects.filter(username=username, is_active=True).first()
    if not user:
        raise CommandError(f'There is no user "{username}" who may log in.', returncode=2)
    if not user.has_perm(f"dashboard.{act}_businessday"):
        raise CommandError(f"{username} may not {act} a day.", returncode=3)
    return user


def _last_closed() -> date:
    last = closing.last_closed()
    if not last:
        raise Refused("No day is closed.")
    return last.day


def _preview(points: OpenPoints) -> dict[str, Any]:
    """Return what closing a day would freeze, and what is open in it."""
    sums = total(count_metrics(points.day, points.day))
    return {
        "day": str(points.day),
        "closed": False,
        "open": {
            "arrivals": [_stay(stay) for stay in points.arrivals],
            "departures": [_stay(stay) for stay in points.departures],
            "unpaid": [{**_stay(stay), "owed": str(owed)} for stay, owed in points.unpaid],
            "dirty": [_stay(stay) for stay in points.dirty],
        },
        "figures": facts(sums),
        "sums": sums,
        "adjustments": [_adjustment(row) for row in closing.adjustments(points.day)],
    }


def _closed(row: BusinessDay) -> dict[str, Any]:
    """Return what is known of a closed day."""
    sums = total(DailyMetrics.objects.filter(day=row.day))
    adjusted = DailyAdjustment.objects.filter(adjusted_on=row.day).select_related("room_type")
    return {
        "day": str(row),
        "closed": True,
        "closed_at": row.closed_at and row.closed_at.isoformat(),
        "closed_by": str(row.closed_by),
        "figures": facts(sums),
        "sums": sums,
        "adjustments": [_adjustment(one) for one in adjusted.order_by("day", "room_type")],
    }


def _stay(stay: Any) -> dict[str, Any]:
    return {
        "reservation": str(stay),
        "guest": str(stay.guest),
        "room": stay.room and str(stay.room),
        "from": str(stay.check_in_date),
        "to": str(stay.check_out_date),
        "status": stay.status,
    }


def _adjustment(row: DailyAdjustment) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in closing.ADJUSTED}
    return {
        "day": str(row.day),
        "room_type": str(row.room_type),
        **{
            name: value if isinstance(value, int) else f"{value:.2f}"
            for name, value in values.items()
        },
    }


OPEN = {
    "arrivals": "expected, and not come",
    "departures": "to leave, and in house",
    "unpaid": "unpaid",
    "dirty": "expected in a dirty room",
}


def _lines(report: dict[str, Any]) -> list[str]:
    """Return a report as text."""
    if "reason" in report:
        return [f"{report['day']}  open again: {report['reason']}"]
    state = f"closed by {report['closed_by']}" if report["closed"] else "open"
    lines = [f"{report['day']}  {state}  {line(report['sums'])}"]
    for name, stays in report.get("open", {}).items():
        for stay in stays:
            parts = [stay["reservation"], stay["guest"], f"{stay['from']} to {stay['to']}"]
            parts += [f"room {stay['room']}"] if stay["room"] else []
            parts += [f"owes {stay['owed']}"] if "owed" in stay else []
            lines.append(f"  {OPEN[name]}: {', '.join(parts)}")
    for row in report["adjustments"]:
        changes = [f"{name} {row[name]}" for name in closing.ADJUSTED if float(row[name])]
        lines.append(f"  adjusts {row['day']}, {row['room_type']}: {', '.join(changes)}")
    return lines
