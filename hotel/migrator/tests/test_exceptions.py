"""How a command ends when it cannot go on."""

from django.core.management.base import CommandError

from hotel.migrator import exceptions
from hotel.migrator.exceptions import MigratorError, WrongUse


def test_every_error_has_its_exit_code_and_is_shown_without_a_traceback():
    codes = {
        kind.__name__: kind("What happened.").returncode
        for kind in vars(exceptions).values()
        if isinstance(kind, type) and issubclass(kind, MigratorError) and kind is not MigratorError
    }
    assert codes == {
        "WrongUse": 2,
        "RefusedByPreflight": 3,
        "NotOnPaper": 3,
        "LockNotGot": 4,
        "FailedDuringApply": 5,
        "Interrupted": 6,
    }
    assert issubclass(MigratorError, CommandError)
    assert str(WrongUse("What happened.")) == "What happened."
