"""What a run prints, and what becomes of the run when nobody can read that."""

import logging
import os

from django.core.management.base import OutputWrapper

logger = logging.getLogger(__name__)


class Output(OutputWrapper):
    """Output that does not decide how far a database is migrated: ``migrate | head -3`` goes on."""

    def write(self, *words, **how):
        """Write, or see to it that nothing is written any more."""
        self._try(super().write, *words, **how)

    def flush(self):
        """Flush, or see to it that nothing is written any more."""
        self._try(self._out.flush)

    def _try(self, do, *words, **how):
        try:
            do(*words, **how)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
            logger.warning("The output cannot be written (%s); the run goes on.", error.strerror)
