"""The verbs of ``manage.py db``: one documented function each.

Names and meaning are Alembic's, on Django's graph; what differs is said at the verb. The command is
made from this list: the signatures and annotations are its options, the docstrings its help.
"""

from hotel.migrator.verbs.comparing import doctor, drift
from hotel.migrator.verbs.console import Answer, Console
from hotel.migrator.verbs.files import merge, revision, snapshot
from hotel.migrator.verbs.looking import branches, current, history, stats
from hotel.migrator.verbs.moving import downgrade, upgrade
from hotel.migrator.verbs.position import Position
from hotel.migrator.verbs.stamping import adopt, stamp

VERBS = (
    *(upgrade, downgrade, current, history, branches, revision, merge),
    *(stamp, adopt, drift, snapshot, stats, doctor),
)

__all__ = ["VERBS", "Answer", "Console", "Position", *(verb.__name__ for verb in VERBS)]
