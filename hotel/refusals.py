"""How a service says no: in one sentence, which the staff read as it stands."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction

from hotel.business_day import one_date
from hotel.migrator.constraints import refuse_clashes
from hotel.migrator.messages import complaints

BUSY = "Somebody else is changing the same rows: try again."


class Refused(Exception):
    """What was asked for breaks a rule; the message says which, and what mends it."""


class Busy(Refused):
    """Another transaction was in the way: the same may go well when it is asked for again."""


@contextmanager
def refusing() -> Iterator[None]:
    """Do all of a service or nothing, and raise Refused for a rule that the database holds.

    Also for a rule that SQLite would hold only at COMMIT, and if another transaction is in the way:
    two that wait for each other are told apart by PostgreSQL, which ends one of them. All of it has
    one date of the hotel.
    """
    try:
        with one_date(), transaction.atomic():
            yield
            refuse_clashes(connection)
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    except UnicodeEncodeError as error:
        raise Refused("The text has halves of characters: type it again.") from error
    except IntegrityError as error:
        raise Refused(_sentence(str(error))) from error
    except OperationalError as error:
        if not is_busy(error):
            raise
        raise Busy(BUSY) from error


def is_busy(error: BaseException) -> bool:
    """Return whether a database says that another transaction is in the way."""
    if not isinstance(error, OperationalError):
        return False
    return complaints.kind_of(error) in complaints.OF_LOCKS


def _sentence(message: str) -> str:
    """Return what the rule that ``message`` of the database names says to the staff."""
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name in message:
                return str(constraint.get_violation_error_message())
    return "Somebody else has changed what this refers to: look at it again."
