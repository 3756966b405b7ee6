"""``manage.py db VERB``: Alembic's verbs on Django's migrations."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from inspect import signature
from io import TextIOWrapper
from typing import Any

from django.core.management.base import BaseCommand, no_translations
from django.core.management.commands.migrate import Command as Migrate
from django.db import DEFAULT_DB_ALIAS, connections

from hotel.migrator.checks import without_drift
from hotel.migrator.exceptions import MigratorError, WrongUse, about, addressed
from hotel.migrator.locking import sessions
from hotel.migrator.management import parsing
from hotel.migrator.messages.output import Output, PrintableOutput, as_json, printable
from hotel.migrator.running.explanations import explain
from hotel.migrator.verbs import VERBS, Answer, Console
from hotel.migrator.verbs.console import Exact

BY_NAME: dict[str, Callable[..., Answer | None]] = {verb.__name__: verb for verb in VERBS}


class Command(Migrate):
    """See ``help``. Of Django's ``migrate`` it has the way in which progress is shown."""

    help = (
        "Alembic's verbs on Django's migrations. A revision is written app.0003_name, or as much of"
        " it as is unique.\nWhat Django has a command for is Django's: manage.py migrate,"
        " makemigrations, showmigrations, sqlmigrate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verbs."""
        parsing.add_verbs(parser, VERBS, tuple(connections))

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """Look at the database only for a verb that is about to change it, not for a script."""
        if options["verb"] in ("upgrade", "downgrade") and not options["sql"]:
            return super().get_check_kwargs(options)
        return BaseCommand.get_check_kwargs(self, options)

    def run_from_argv(self, argv: list[str]) -> None:
        """Let a range begin with a minus sign, which argparse would take for an option."""
        words = iter(argv)
        joined = []
        for word in words:
            value = next(words, None) if word in ("-r", "--rev-range") else None
            joined.append(word if value is None else f"--rev-range={value}")
        super().run_from_argv(joined)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Check and run the verb, in sessions that have what it needs."""
        alias = options.get("database", DEFAULT_DB_ALIAS)
        with about(alias), sessions.settled(connections[alias]):
            return super().execute(*args, **options)

    def check(self, *args: Any, **options: Any) -> None:
        """Run all checks but that of the database itself, which would be a verb of its own."""
        with without_drift():
            super().check(*args, **options)

    @no_translations  # as Django's own commands: what is compared and written is in no language
    def handle(self, *, verb: str, **options: Any) -> None:
        """Run the verb, print what it answers, and end with its exit code."""
        self.verbosity = options["verbosity"]
        self.alias = options.get("database", DEFAULT_DB_ALIAS)
        self.is_json = options.get("json", False)
        changes = verb in ("upgrade", "downgrade") and not (options["plan"] or options["sql"])
        output = Output if changes and not self.is_json else PrintableOutput
        self.stdout = output(self.stdout, self.style)
        self.stderr = PrintableOutput(self.stderr, self.style)
        given = {"connection": connections[self.alias], "console": self._console(), **options}
        try:
            answer = BY_NAME[verb](
                **{name: given[name] for name in signature(BY_NAME[verb]).parameters}
            )
            if answer:
                self._print(answer)
        except Exception as error:
            explained = error if isinstance(error, MigratorError) else explain(error)
            if self.is_json and explained:  # a program reads no sentence
                said = {
                    "error": addressed(str(explained), self.alias),
                    "exit_code": explained.exit_code,
                }
                self.stdout.write(as_json(said | getattr(explained, "report", {})))
            raise
        if answer and answer.exit_code:
            sys.exit(answer.exit_code)

    def _console(self) -> Console:
        if self.is_json or not self.verbosity:
            return Console(self.stdout, ask=self._agreed)
        progress = self.migration_progress_callback
        return Console(self.stdout, self.verbosity, self._say, progress, self._agreed)

    def _say(self, line: str) -> None:
        self.stdout.write(addressed(printable(line), self.alias))

    def _print(self, answer: Answer) -> None:
        if answer.is_script and isinstance(self.stdout._out, TextIOWrapper):
            self.stdout._out.reconfigure(encoding="utf-8", newline="\n")  # as the script says
        if self.is_json:
            self.stdout.write(as_json(answer.document))
        elif self.verbosity or answer.is_script:
            for line in answer.lines:
                if isinstance(line, Exact):
                    self.stdout.write_exactly(line)
                else:
                    self._say(line)
        if answer.warning:
            self.stderr.write(printable(answer.warning))

    def _agreed(self) -> bool:
        """Ask, and return whether the answer was yes."""
        try:
            self.stderr.write("Go on? [y/N] ", ending="")  # standard output is the report's
            self.stderr.flush()
            return input().strip().lower() in ("y", "yes")
        except EOFError:
            raise WrongUse(
                "Nobody can be asked here: say --no-input to go on without. Nothing was changed."
            ) from None
