"""What a command of the migrator ends with when it does not end well: a sentence and an exit code.

1 is left to findings: a command that was asked whether something is as it should be, and it is not.
What an exception of Django or of a database means is said in ``explanations``.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS

from hotel.migrator.messages.output import told


class MigratorError(CommandError):
    """Something its user can mend; the message says how."""

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        """lines: the message, as a rule of one line."""
        super().__init__("\n".join(map(told, lines)), returncode=self.exit_code)


class WrongUse(MigratorError):
    """The words of the command mean nothing here, such as a revision that there is not."""

    exit_code = 2


class RefusedByPreflight(MigratorError):
    """The run would have failed or lost something; nothing was changed."""

    exit_code = 3


class NotOnPaper(RefusedByPreflight):
    """Something is asked that only a server can answer; see ``paper``."""


class LockNotGot(MigratorError):
    """Somebody else migrates this database; nothing was changed."""

    exit_code = 4


class FailedDuringApply(MigratorError):
    """A migration failed, and was rolled back as far as the message says."""

    exit_code = 5


class Interrupted(MigratorError):
    """An earlier run was interrupted, and what it began is to be finished first."""

    exit_code = 6


_COMMAND = re.compile(r"manage\.py (migrate|db (?!revision|merge|branches)\w+)(?! --database)\b")


def addressed(sentence: str, alias: str) -> str:
    """Return a sentence whose commands are about the database ``alias``, and not the default."""
    if alias == DEFAULT_DB_ALIAS:
        return sentence
    return _COMMAND.sub(rf"\g<0> --database {alias}", sentence)


@contextmanager
def about(alias: str) -> Iterator[None]:
    """Let an error be about the database ``alias``: the commands that mend it name that too."""
    try:
        yield
    except MigratorError as error:
        error.args = (addressed(str(error), alias),)
        raise
    except Exception as error:
        error.alias = alias  # type: ignore[attr-defined]  # for whoever explains it
        raise
