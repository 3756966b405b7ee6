"""What a command of the migrator ends with when it does not end well: a sentence and an exit code.

1 is left to findings: a command that was asked whether something is as it should be, and it is not.
"""

from django.core.management.base import CommandError


class MigratorError(CommandError):
    """Something its user can mend; the message says how."""

    exit_code = 1

    def __init__(self, message):
        super().__init__(message, returncode=self.exit_code)


class WrongUse(MigratorError):
    """The words of the command mean nothing here, such as a revision that there is not."""

    exit_code = 2


class RefusedByPreflight(MigratorError):
    """The run would have failed or lost something; nothing was changed."""

    exit_code = 3


class LockNotGot(MigratorError):
    """Somebody else migrates this database; nothing was changed."""

    exit_code = 4


class FailedDuringApply(MigratorError):
    """A migration failed, and was rolled back as far as the message says."""

    exit_code = 5


class Interrupted(MigratorError):
    """An earlier run was interrupted, and what it began is to be finished first."""

    exit_code = 6
