"""``manage.py db VERB``: Alembic's verbs on Django's migrations."""

import argparse
import json
import sys
from textwrap import dedent

from django.core.management.base import BaseCommand, DjangoHelpFormatter
from django.core.management.commands.migrate import Command as Migrate
from django.db import DEFAULT_DB_ALIAS, connections

from hotel.migrator import history, offline, stats, verbs, writing
from hotel.migrator.adopt import reporting
from hotel.migrator.checks import without_drift
from hotel.migrator.drift import sentences
from hotel.migrator.exceptions import (
    Interrupted,
    MigratorError,
    RefusedByPreflight,
    WrongUse,
    explain,
)
from hotel.migrator.output import Output
from hotel.migrator.targets import migrations, shortened
from hotel.migrator.templates import KINDS

EXIT_CODES = """
exit codes: 0 done, 1 a finding, 2 wrong use or unknown revision, 3 refused before anything was
changed, 4 the lock was not got: somebody else migrates this database, or it cannot be locked (no
right to write its folder, a pooler), 5 failed while applying, 6 an earlier run was interrupted and
must be finished first, 130 stopped by Ctrl-C.
"""


class _Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of a description."""


class Command(Migrate):
    """See ``help``. Of Django's ``migrate`` it has the way in which progress is shown."""

    help = (
        "Alembic's verbs on Django's migrations. A revision is written app.0003_name, or as much of"
        " it as is unique. What Django has a command for is Django's: manage.py migrate,"
        " makemigrations, showmigrations, sqlmigrate."
    )

    def add_arguments(self, parser):
        """Declare the verbs."""
        parser.epilog = EXIT_CODES
        subparsers = parser.add_subparsers(
            dest="verb", required=True, metavar="VERB", title="verbs"
        )

        def verb(name, function, **options):
            first, _, rest = function.__doc__.partition("\n\n")
            rest = rest.partition("Raises")[0]  # what follows is for who writes Python
            added = subparsers.add_parser(
                name,
                help=first.removesuffix("."),
                description=f"{first}\n\n{dedent(rest)}",
                epilog=EXIT_CODES,
                formatter_class=_Formatter,
            )
            if options.get("database", True):
                added.add_argument("--database", default="default", choices=tuple(connections))
            # Those of all commands stand before the verb; here they may follow it.
            added.add_argument(
                "-v",
                "--verbosity",
                type=int,
                choices=range(4),
                default=argparse.SUPPRESS,
                help=argparse.SUPPRESS,
            )
            if options.get("reports", True):
                added.add_argument("--json", action="store_true", help="print one JSON document")
            return added

        up = verb("upgrade", verbs.upgrade)
        up.add_argument("targets", nargs="*", metavar="TARGET")
        up.add_argument("--at-most", action="store_true", help="fewer than N will do")
        up.add_argument(
            "--pending",
            action="store_true",
            help="with --sql: begin at what is applied, which is read from the database",
        )
        self._of_a_run(up)
        down = verb("downgrade", verbs.downgrade)
        down.add_argument("target", nargs="?", metavar="TARGET")
        down.add_argument("--run", help="last, or the beginning of a run's id")
        down.add_argument("--to-date", metavar="DATE", help="what was applied after this day")
        down.add_argument(
            "--cascade", action="store_true", help="unapply what depends on it in other apps too"
        )
        self._of_a_run(down)
        now = verb("current", verbs.current)
        now.add_argument(
            "--check-heads", action="store_true", help="exit code 1 if anything is left to apply"
        )
        now.add_argument("--frontier", action="store_true", help="only what can be undone next")
        past = verb("history", verbs.log)
        past.add_argument("-r", "--rev-range", metavar="START:END")
        past.add_argument("-i", "--indicate-current", action="store_true")
        past.add_argument("--app", help="only of this app")
        past.add_argument("--all-apps", action="store_true", help="Django's apps too")
        past.add_argument(
            "--applied", action="store_true", help="what was done, from the journal, with times"
        )
        past.add_argument(
            "--latest", type=int, metavar="N", help="of the last N entries of the journal alone"
        )
        verb("branches", verbs.branches)
        new = verb("revision", writing.revision, reports=False, database=False)
        new.add_argument("-m", "--message", required=True, help="a verb and an object")
        new.add_argument("--app", help="the application; of the changed ones, if it is left out")
        what = new.add_mutually_exclusive_group()
        what.add_argument(
            "--autogenerate", action="store_true", help="compare models, as makemigrations does"
        )
        what.add_argument("--empty", action="store_true", help="a commented template to fill in")
        new.add_argument("--template", help=f"data, if not said, or one of {', '.join(KINDS)}")
        new.add_argument("--head", metavar="REVISION", help="the leaf to continue")
        new.add_argument("--depends-on", action="append", default=[], metavar="REVISION")
        self._may_ask(new)
        join = verb("merge", writing.merge, reports=False)
        join.add_argument("app", nargs="?", metavar="APP")
        join.add_argument("-m", "--message", help="a verb and an object")
        join.add_argument("--rebase", metavar="REVISION", help="number its side anew instead")
        self._may_ask(join)
        mark = verb("stamp", verbs.stamp)
        mark.add_argument("targets", nargs="*", metavar="TARGET")
        mark.add_argument("--purge", action="store_true", help="forget records without a file")
        mark.add_argument(
            "--force", action="store_true", help="do not compare it with the database first"
        )
        mark.add_argument("--plan", action="store_true", help="only show what would be recorded")

        take = verb("adopt", verbs.adopt)
        take.add_argument("--dry-run", action="store_true", help="show shape, steps and proof")
        take.add_argument("--undo", action="store_true", help="bring the legacy database back")
        take.add_argument(
            "--discard-new-rows", action="store_true", help="undo though rows were written since"
        )
        take.add_argument("--finish", action="store_true", help="drop the legacy tables for good")
        self._may_ask(take)
        verb("drift", verbs.drift)
        figures = verb("stats", stats.stats)
        figures.add_argument("--all-apps", action="store_true", help="Django's apps too")
        health = verb("doctor", verbs.doctor)
        health.add_argument("--fix", action="store_true", help="do what is safe")

    def _of_a_run(self, parser):
        parser.add_argument("--all-apps", action="store_true", help="count Django's apps too")
        parser.add_argument(
            "--plan", action="store_true", help="only show what would be done, and who has to wait"
        )
        parser.add_argument(
            "--sql",
            action="store_true",
            help="print a script for psql or sqlite3 instead: START:END, as in base:heads",
        )
        parser.add_argument("--engine", choices=offline.ENGINES, help="of the script")
        parser.add_argument(
            "--accept-data-loss",
            action="store_true",
            help="drop columns and tables with rows that nothing archives",
        )
        self._may_ask(parser)

    def _may_ask(self, parser):
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="ask nothing"
        )

    def get_check_kwargs(self, options):
        """Look at the database only for a verb that is about to change it."""
        if options["verb"] in ("upgrade", "downgrade"):
            return super().get_check_kwargs(options)
        return BaseCommand.get_check_kwargs(self, options)

    def run_from_argv(self, argv):
        """Let a range begin with a minus sign, which argparse would take for an option."""
        words = iter(argv)
        joined = []
        for word in words:
            value = next(words, None) if word in ("-r", "--rev-range") else None
            joined.append(word if value is None else f"--rev-range={value}")
        super().run_from_argv(joined)

    def check(self, **options):
        """Run all checks but that of the database itself, which would be a verb of its own."""
        with without_drift():
            super().check(**options)

    def handle(self, *, verb, **options):
        """Run the verb, print what it returns, and end with its exit code."""
        self.verbosity = options["verbosity"]
        connection = connections[options.get("database", DEFAULT_DB_ALIAS)]
        try:
            code = getattr(self, f"_{verb}")(connection, options)
        except Exception as error:
            explained = error if isinstance(error, MigratorError) else explain(error)
            if options.get("json") and explained:  # a program reads no sentence
                said = {"error": str(explained), "exit_code": explained.exit_code}
                self._print(options, said, [])
            raise
        if code:
            sys.exit(code)

    def _print(self, options, document, lines):
        if options.get("json"):
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        elif self.verbosity:
            for line in lines:
                self.stdout.write(line)

    def _run(self, function, connection, target, options, **more):
        if meant := [f"--{name}" for name in ("engine", "pending") if options.get(name)]:
            raise WrongUse(f"{' and '.join(meant)} belongs to --sql, without which this would run.")
        if not (options["plan"] or options["json"]):
            self.stdout = Output(self.stdout._out)
        given = {name: options[name] for name in ("plan", "accept_data_loss", "verbosity")}
        given |= {"interactive": options.get("interactive", True), "stdout": self.stdout}
        is_quiet = options["json"] or not self.verbosity
        if options["json"]:
            given["verbosity"] = 0
        done = function(
            connection,
            target,
            progress=(lambda *_: None) if is_quiet else self.migration_progress_callback,
            options={**given, "say": lambda line: None if is_quiet else self.stdout.write(line)},
            all_apps=options["all_apps"],
            **more,
        )
        self._print(options, done, [])
        refused = {row["kind"] for row in done["findings"] if row["refuses"]}
        if refused:  # only shown, as --plan says
            return (Interrupted if "interrupted" in refused else RefusedByPreflight).exit_code
        return 0

    def _script(self, connection, targets, options, *, backwards, pending):
        others = ("plan", "json", "all_apps", "at_most", "run", "to_date", "accept_data_loss")
        unfit = [f"--{name.replace('_', '-')}" for name in others if options.get(name)]
        if unfit:
            raise WrongUse(f"--sql prints a script, and {', '.join(unfit)} means nothing for it.")
        if len(targets) != 1 or not targets[0]:
            raise WrongUse(
                "Name one range, such as base:heads or app.0003:app.0001, or with --pending one"
                " target. manage.py db upgrade --help explains them."
            )
        for line in verbs.sql(
            connection,
            targets[0],
            backwards=backwards,
            engine=options["engine"],
            pending=pending,
            cascade=options.get("cascade", False),
        ):
            self.stdout.write(line)

    def _upgrade(self, connection, options):
        if options["sql"]:
            targets = options["targets"] or (["heads"] if options["pending"] else [])
            return self._script(
                connection, targets, options, backwards=False, pending=options["pending"]
            )
        return self._run(
            verbs.upgrade, connection, options["targets"], options, at_most=options["at_most"]
        )

    def _downgrade(self, connection, options):
        if options["sql"]:
            target = options["target"] or ""
            pending = ":" not in target
            return self._script(connection, [target], options, backwards=True, pending=pending)
        more = {name: options[name] for name in ("run", "to_date", "cascade")}
        return self._run(verbs.downgrade, connection, options["target"], options, **more)

    def _current(self, connection, options):
        found = verbs.current(connection)
        if options["frontier"]:
            found["apps"] = [row for row in found["apps"] if row["frontier"]]
        self._print(options, found, _current_lines(found))
        return 1 if options["check_heads"] and not found["at_heads"] else 0

    def _history(self, connection, options):
        if options["applied"]:
            for name, word in (("rev_range", "-r"), ("indicate_current", "-i")):
                if options[name]:
                    raise WrongUse(
                        f"{word} is for the files and --applied for what was done to the database:"
                        " give one of the two to manage.py db history."
                    )
            found = history.events(connection, options["latest"], options["app"])
            self._print(options, found, map(_event_line, found))
            return
        found = verbs.log(
            connection,
            span=options["rev_range"],
            app=options["app"],
            all_apps=options["all_apps"],
            indicate=options["indicate_current"],
        )
        self._print(options, found, map(_revision_line, found))

    def _branches(self, connection, options):
        found = verbs.branches()
        lines = [
            line
            for row in found
            for line in (
                f"{row['revision']} (branchpoint)",
                *(f"    -> {child}" for child in row["children"]),
            )
        ]
        self._print(options, found, lines)

    def _revision(self, connection, options):
        names = ("app", "autogenerate", "empty", "template", "head", "depends_on", "interactive")
        given = {name: options[name] for name in names}
        if options["autogenerate"] and options["template"]:
            raise WrongUse(
                "--autogenerate fills the file in and --template is for one to be filled in: give"
                " one of the two to manage.py db revision."
            )
        given["template"] = options["template"] or "data"
        writing.revision(options["message"], **given, stdout=self.stdout)

    def _merge(self, connection, options):
        # What is applied cannot be renamed; a merge alone needs no database.
        applied = set(verbs.Standing(connection).applied) if options["rebase"] else None
        names = ("message", "rebase", "interactive")
        given = {name: options[name] for name in names}
        if options["app"] == "":
            raise WrongUse("Name an application, or none for all: '' is no application.")
        writing.merge(options["app"], **given, applied=applied, stdout=self.stdout)

    def _stats(self, connection, options):
        standing = verbs.Standing(connection)
        found = stats.stats(
            connection, standing.loader, standing.graph, all_apps=options["all_apps"]
        )
        self._print(options, found, stats.lines(found))

    def _stamp(self, connection, options):
        if not options["targets"] and not options["purge"]:
            raise WrongUse(
                "Name where the database stands, such as app.0003, heads or base; or --purge."
                " manage.py db stamp --help explains them."
            )
        done = verbs.stamp(
            connection,
            options["targets"],
            progress=lambda *_: None,
            options={"plan": options["plan"]},
            purge=options["purge"],
            force=options["force"],
        )
        lines = [
            f"{word}: {name}"
            for word, kind in (
                ("recorded", "recorded"),
                ("not recorded any more", "unrecorded"),
                ("forgotten, its file is missing", "purged"),
                ("not half done any more", "settled"),
            )
            for name in done[kind]
        ]
        self._print(options, done, lines or ["Nothing to change: it is recorded so."])

    def _drift(self, connection, options):
        found = verbs.drift(connection)
        self._print(options, found, _drift_lines(found))
        return 1 if any(sentences(found)) else 0

    def _adopt(self, connection, options):
        def begin(done):
            if not options["json"]:
                self._print(options, done, reporting.shape_lines(done))
            is_asked = options["interactive"] and not options["dry_run"] and done["asks"]
            return not is_asked or self._agreed()

        names = ("dry_run", "undo", "finish")
        done = verbs.adopt(
            connection,
            **{name: options[name] for name in names},
            discard=options["discard_new_rows"],
            begin=begin,
        )
        lines = [*reporting.proof_lines(done), *reporting.end_lines(done)]
        self._print(options, done, lines)

    def _agreed(self):
        """Ask, and return whether the answer was yes."""
        try:
            self.stderr.write("Go on? [y/N] ", ending="")  # standard output is the report's
            self.stderr.flush()
            return input().strip().lower() in ("y", "yes")
        except EOFError:
            raise WrongUse(
                "Nobody can be asked here: say --no-input to go on without. Nothing was changed."
            ) from None

    def _doctor(self, connection, options):
        found = verbs.doctor(connection, fix=options["fix"])
        lines = [f"{row['what']} {'Mended.' if row['fixed'] else row['mend']}" for row in found]
        self._print(options, found, lines or ["Nothing is wrong."])
        return 0 if all(row["fixed"] for row in found) else 1


def _current_lines(found):
    for row in found["apps"]:
        notes = []
        if row["head"] and not row["behind"]:
            notes.append("(head)")
        if row["merge"]:
            notes.append("(mergepoint)")
        if row["behind"]:
            notes.append(f"{row['behind']} behind")
        yield " ".join([row["revision"] or f"{row['app']} <base>", *notes])
    for name in found["missing"]:
        yield f"!! {name} (file missing): bring it back, or manage.py db stamp --purge"
    for row in found["interrupted"]:
        yield f"!! {row['says']}"


def _revision_line(row):
    before = ", ".join(row["parents"]) or "<base>"
    if row["depends_on"]:
        before += f" ({', '.join(row['depends_on'])})"
    notes = [f"({name})" for name in ("head", "branchpoint", "mergepoint") if row[name]]
    if row["applied"]:
        notes.append("(applied)")
    return " ".join([f"{before} -> {row['revision']}", *notes]) + f", {row['says']}"


def _drift_lines(found):
    yield from sentences(found)
    if found["script"]:
        yield from ("", "What would mend the database:", "")
        yield from found["script"]  # as it is, for psql and sqlite3
        yield ""
    if not any(sentences(found)):
        yield "Models, migrations and database agree."
    if found["pending"]:
        number = len(found["pending"])
        yield (
            f"{migrations(number)} {'is' if number == 1 else 'are'} left to apply, which is no"
            f" drift: {shortened(found['pending'])}."
        )
    if found["strange"]:
        yield f"Tables that are not of this history: {', '.join(found['strange'])}."


def _event_line(row):
    sign = "+" if row["direction"] == "forward" else "-"
    words = [row["started"][:19].replace("T", " "), sign, row["revision"], row["outcome"]]
    if row.get("fake"):
        words.append("(recorded only)")
    if row.get("seconds") is not None:
        words.append(f"{row['seconds']:.2f} s, {row['rows']} rows")
    if row.get("run"):
        words.append(f"run {row['run'][:8]} by {row['actor']} on {row['host']}")
    if row.get("code_version"):
        words.append(f"of {row['code_version'][:10]}")
    if row.get("remark"):
        words.append(f"({row['remark']})")
    return " ".join(words) + (f": {row['error']}" if row.get("error") else "")
