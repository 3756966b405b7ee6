"""Options that several verbs have, as annotations: the type, and what ``--help`` says of it."""

from typing import Annotated, NamedTuple

from hotel.migrator.script import offline


class Option(NamedTuple):
    """What the name, type and default of a parameter do not say of an option."""

    help: str
    metavar: str | None = None
    flags: tuple[str, ...] = ()  # in place of --name
    short: tuple[str, ...] = ()  # beside --name
    choices: tuple[str, ...] | None = None


Targets = Annotated[list[str], Option("where to go; see above", "TARGET")]
AllApps = Annotated[bool, Option("count the apps of Django and of packages too")]
OnlyShow = Annotated[bool, Option("only show what would be done, and who would have to wait")]
Sql = Annotated[
    bool,
    Option("print a script for psql or sqlite3 instead; TARGET is START:END, as in base:heads"),
]
Engine = Annotated[
    str | None, Option("with --sql: the engine of the script", choices=tuple(offline.ENGINES))
]
AcceptDataLoss = Annotated[
    bool, Option("drop columns and tables with rows even if nothing archives them")
]
Interactive = Annotated[bool, Option("ask nothing", flags=("--noinput", "--no-input"))]
Message = Option("what the migration does: a verb and an object", short=("-m",))
