"""What the run lock of every engine has in common, and how whoever holds it is named."""

import os
import re
import socket
from datetime import UTC, datetime

MARK = "migrate "  # how the name of a holder begins


class InterruptedBefore(KeyboardInterrupt):
    """Somebody has interrupted a command that had changed nothing yet."""


class Lock:
    """The lock on changing one database; this one is of a database in memory, which nobody shares.

    only_look: it is enough that nobody holds it, where this user cannot take it.
    """

    def __init__(self, *, only_look: bool = False) -> None:
        self.only_look = only_look

    def try_once(self) -> bool:
        """Return whether the lock was taken."""
        return True

    def is_held(self) -> bool:
        """Tell whether another process holds it."""
        return False

    def holder(self) -> str:
        """Return who holds it, in words; "" if nobody does any more, or nobody can tell."""
        return ""

    def check(self) -> None:
        """Raise FailedDuringApply if it was lost since it was taken."""

    def release(self) -> None:
        """Give it back, if it was taken."""


def myself() -> str:
    """Return ``migrate PID HOST SINCE``, short enough for the name of a session of PostgreSQL."""
    host = re.sub(r"[^!-~]", "-", socket.gethostname()[:24]) or "-"  # there, names are ASCII
    return f"{MARK}{os.getpid()} {host} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def in_words(name: str) -> str:
    """Return what ``myself`` has written as a message says it."""
    match = re.fullmatch(MARK + r"(\d+) (\S+) (\S+)T(\S+)Z", name)
    return "process {} on {} since {} {} UTC".format(*match.groups()) if match else name
