"""The run lock of SQLite: a locked file beside the database."""

import logging
import os
import stat
from contextlib import suppress

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.exceptions import FailedDuringApply, LockNotGot
from hotel.migrator.locking.lock_base import MARK, Lock, in_words, myself

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # its absence is asked for where it is used

logger = logging.getLogger(__name__)

ENDING = ".migrating"  # of the lock file beside the database
LONGEST = 200  # bytes of its contents


class FileLock(Lock):
    """A locked file beside an SQLite database; the system frees it when its holder dies.

    It is deleted when it is released, and holds in words who locked it. Whoever may write to the
    folder can put something else under its name: that is neither followed nor changed.
    """

    def __init__(self, connection: BaseDatabaseWrapper, *, only_look: bool = False) -> None:
        super().__init__(only_look=only_look)
        self.connection = connection
        self.path = os.path.realpath(connection.settings_dict["NAME"]) + ENDING
        self.file: int | None = None

    def try_once(self) -> bool:
        """Return whether the lock was taken. Raises LockNotGot if no file can be locked here."""
        if fcntl is None:
            logger.warning("This system has no file locks: never run two migrates at once.")
            return True
        try:
            file = self._open()
        except OSError as error:
            if self.only_look:
                return not self.is_held()
            self.connection.ensure_connection()  # what hinders SQLite too, that says
            raise LockNotGot(
                f"Cannot make the lock file {self.path}: {error.strerror}; let this user write to"
                " the folder of the database, or name another in DATABASE_URL."
            ) from None
        except _NotOurs as error:
            if self.only_look:  # what is no lock file is no lock
                return True
            raise LockNotGot(
                f"{self.path} is {error}, not a lock file of migrate. Neither it nor the database"
                " was changed: see what it is, move it away, and run the same command again."
            ) from None
        if file is None:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The one before may have deleted the file between our opening and locking it.
            if not self._is_there(file):
                raise FileNotFoundError
        except OSError:
            os.close(file)
            return False
        with suppress(OSError):  # a name is for the others only: the disk may be full
            os.ftruncate(file, 0)
            os.write(file, myself().encode())
        self.file = file
        return True

    def _open(self) -> int | None:
        """Make the file, as open as the database, or open the one that is there.

        Returns None if that one was deleted meanwhile. Raises OSError, or _NotOurs if it is
        something else than a lock file.
        """
        try:
            mode = stat.S_IMODE(os.stat(self.path.removesuffix(ENDING)).st_mode) & 0o666
        except OSError:  # there is no database yet
            mode = None
        try:
            file = os.open(self.path, _MAKE, 0o666 if mode is None else mode)
        except FileExistsError:
            with suppress(FileNotFoundError):
                return self._open_as_it_is(os.O_RDWR, os.O_RDONLY)  # to read, if another user's
            return None
        if mode is not None:
            with suppress(OSError):
                os.fchmod(file, mode)  # whatever the umask
        return file

    def _open_as_it_is(self, *ways: int) -> int:
        """Open the file without changing a byte, in the first of ``ways`` that is allowed.

        Raises OSError, or _NotOurs if it is something else than a lock file.
        """
        # A device may do something when it is opened, and a pipe would wait.
        _refuse_other(os.lstat(self.path))
        *first, last = ways
        file = None
        for way in first:
            with suppress(PermissionError):
                file = os.open(self.path, way | _AS_IT_IS)
                break
        if file is None:
            file = os.open(self.path, last | _AS_IT_IS)
        try:
            status = os.fstat(file)
            _refuse_other(status)
            text = os.pread(file, LONGEST, 0).strip(b"\0")  # of a machine that lost its power
            mark = MARK.encode()
            if status.st_size > LONGEST or text[: len(mark)] != mark[: len(text)]:
                raise _NotOurs("a file with other contents")
        except BaseException:
            os.close(file)
            raise
        return file

    def _is_there(self, file: int) -> bool:
        """Tell whether the file that is open is the one that others see."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(file), os.lstat(self.path))
        return False

    def check(self) -> None:
        """Raise FailedDuringApply if somebody has deleted the file."""
        if self.file is not None and not self._is_there(self.file):
            raise FailedDuringApply(
                f"The lock file {self.path} was deleted, so another process may have begun. What"
                " was done so far is recorded: run the same command again, and leave the file"
                " alone; it need not be deleted."
            )

    def is_held(self) -> bool:
        """Tell whether anybody holds the lock, without writing a byte."""
        if fcntl is None:
            return False
        try:
            file = self._open_as_it_is(os.O_RDONLY)
        except (OSError, _NotOurs):
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(file)
        return False

    def holder(self) -> str:
        """Return who holds the lock, in words; "" if nobody does any more, or nobody can tell."""
        try:
            file = self._open_as_it_is(os.O_RDONLY)
        except (OSError, _NotOurs):
            return ""
        try:
            return in_words(os.pread(file, LONGEST, 0).decode(errors="replace"))
        finally:
            os.close(file)

    def release(self) -> None:
        """Give the lock back, if it was taken."""
        if self.file is not None:
            if self._is_there(self.file):
                with suppress(OSError):
                    os.unlink(self.path)
            os.close(self.file)  # and with it the lock
            self.file = None


class _NotOurs(Exception):
    """Something else has the name of the lock file; says what."""


def _refuse_other(status: os.stat_result) -> None:
    """Raise _NotOurs for everything but a plain file with one name."""
    kind = next((words for is_kind, words in _KINDS if is_kind(status.st_mode)), None)
    if kind or not stat.S_ISREG(status.st_mode):
        raise _NotOurs(kind or "no file")
    if status.st_nlink > 1:
        raise _NotOurs("a file that has another name too (a hard link)")


_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# O_NOFOLLOW and O_NONBLOCK because it may have become a link or a pipe since it was looked at.
_AS_IT_IS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_MAKE = os.O_RDWR | os.O_CREAT | os.O_EXCL  # O_EXCL follows no link either
