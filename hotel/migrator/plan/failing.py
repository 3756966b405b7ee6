"""What a look at a plan cannot ask, because Django or the project's own code fails at it.

As at an expression that the engine does not have. The run would say so at the operation; a look
before it names that and goes on.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError
from django.db.migrations.state import StateApps

from hotel.migrator.plan.finding import Finding
from hotel.migrator.plan.steps import Step

HERE = Path(__file__).parents[1]


def is_left_to_the_run(error: Exception) -> bool:
    """Tell whether the run meets an error too, and says what it means.

    Not one of a database, of this package, or of models that do not fit together.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    is_of_database = isinstance(error, DatabaseError | InterfaceError) and error.__cause__
    is_ours = HERE in Path(frames[-1].f_code.co_filename).parents
    is_of_models = any(isinstance(frame.f_locals.get("self"), StateApps) for frame in frames)
    return not (isinstance(error, CommandError) or is_of_database or is_ours or is_of_models)


@contextmanager
def left_to_the_run(step: Step, findings: list[Finding]) -> Iterator[None]:
    """Let what a check of a step cannot ask be a warning among the Findings."""
    try:
        yield
    except Exception as error:
        if not is_left_to_the_run(error):
            raise
        said = " ".join(str(error).split()).rstrip(".")
        said = f"{type(error).__name__}: {said}" if said else type(error).__name__
        findings.append(
            Finding(
                "unreadable",
                False,
                step.name,
                step.describe(),
                f"{step.name} ({step.describe()}) cannot be looked at beforehand: {said}.",
                f"manage.py db {'downgrade' if step.backwards else 'upgrade'} says it again if it"
                " fails there.",
            )
        )
