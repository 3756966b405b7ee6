"""Operations that lose nothing: what migrations may import besides Django's own.

Names are only added, because old migrations import them from here for ever. Each operation is
Django's operation of the same kind with one thing added, so ``makemigrations`` output becomes safe
by changing ``migrations.`` to ``operations.``:

* ``CreateModel`` and ``AddField`` archive the rows or the column before they drop them on the way
  down;
* ``DeleteModel`` and ``RemoveField`` archive them before they drop them on the way up;
* ``BatchedRunPython`` is a ``RunPython`` that changes one column in batches, can be killed and
  resumed, and archives the originals that its inverse would not give back;
* ``RequireField`` makes a filled column NOT NULL without a long lock; ``CatchUp`` repeats a
  backfill for the rows written since;
* ``AddIndex`` and ``RemoveIndex`` let nobody wait on PostgreSQL, and can be killed and repeated;
* these four say ``reentrant = True``: in a migration that is not atomic they go on where a kill
  or a lock stopped them, and ``hotel.migrator.running.runner`` may repeat them;
* ``InsertForNewRows`` inserts rows for rows, each of which it meets once; ``InsertMissing`` inserts
  what must be there and stays;
* ``MakeAware`` gives instants a time zone; ``AddRules`` and ``ValidateRules`` add what must be true
  (``hotel.migrator.constraints``) on top of rows for which it is not; ``RemoveRules`` is the
  inverse of the first;
* ``AlignParts`` lets parts agree with what was written of their rows meanwhile;
* ``Unfinished`` marks a file that is still to be written, and refuses to run.
"""

from hotel.migrator.operations.batched import BatchedRunPython, CatchUp
from hotel.migrator.operations.columns import AddField, RemoveField
from hotel.migrator.operations.extensions import AddExtension
from hotel.migrator.operations.indexes import AddIndex, Online, RemoveIndex
from hotel.migrator.operations.inserting import Insert, InsertForNewRows, InsertMissing
from hotel.migrator.operations.instants import MakeAware
from hotel.migrator.operations.models import CreateModel, DeleteModel
from hotel.migrator.operations.parts import AlignParts
from hotel.migrator.operations.requiring import RequireField
from hotel.migrator.operations.rules import AddRules, RemoveRules, ValidateRules
from hotel.migrator.operations.unfinished import Unfinished

__all__ = [
    "AddExtension",
    "AddField",
    "AddIndex",
    "AddRules",
    "AlignParts",
    "BatchedRunPython",
    "CatchUp",
    "CreateModel",
    "DeleteModel",
    "Insert",
    "InsertForNewRows",
    "InsertMissing",
    "MakeAware",
    "Online",
    "RemoveField",
    "RemoveIndex",
    "RemoveRules",
    "RequireField",
    "Unfinished",
    "ValidateRules",
]

# Django writes into migration files where a class or function says it is from.
for _thing in (*map(globals().get, __all__), BatchedRunPython.keep, BatchedRunPython.clear):
    _thing.__module__ = __name__
