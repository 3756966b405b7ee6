"""The verbs that write files: ``db revision``, ``merge``, ``snapshot``."""

from typing import Annotated

from django.db.backends.base.base import BaseDatabaseWrapper

from hotel.migrator.authoring import merging, templates, writing
from hotel.migrator.exceptions import WrongUse
from hotel.migrator.schema import snapshot as whole
from hotel.migrator.verbs.console import Answer, Console
from hotel.migrator.verbs.options import Interactive, Message, Option
from hotel.migrator.verbs.position import Position


def revision(
    console: Console,
    *,
    message: Annotated[str, Message],
    app: Annotated[
        str | None, Option("the app to write for; all that have changes, if left out")
    ] = None,
    autogenerate: Annotated[
        bool, Option("write what the models have and the migrations have not")
    ] = False,
    empty: Annotated[
        bool, Option("write a commented template; so it is without --autogenerate")
    ] = False,
    template: Annotated[
        str | None, Option(f"the template to fill in: {', '.join(templates.KINDS)} (default: data)")
    ] = None,
    head: Annotated[
        str | None, Option("the revision to continue, a leaf of the app", "REVISION")
    ] = None,
    depends_on: Annotated[
        list[str], Option("another app's revision that must run first; may be repeated", "REVISION")
    ] = [],  # noqa: B006 (only read)
    interactive: Interactive = True,
) -> None:
    """Write the next migration, named after the message, as in -m "Add loyalty numbers".

    The first line of the message, a verb and an object, becomes the file's name and first line.
    --autogenerate writes what makemigrations would, with operations that lose nothing, and indexes
    for which nobody waits in a file of their own: a file for each app that has changes, or for
    --app and those it needs. Without it the file is a template for --app, to be filled in: data,
    sql, or the three files of a three-step column, for the one field of the models that no
    migration has yet. What it writes comes after the last migration of this project, so that the
    history stays one line.

    Examples:
        manage.py db revision -m "Add loyalty number" --autogenerate
        manage.py db revision -m "Backfill loyalty number" --app reservations
        manage.py db revision -m "Add payment type" --app payments --template three-step

    """
    if autogenerate and template:
        raise WrongUse(
            "--autogenerate fills the file in and --template is for one to be filled in: give"
            " one of the two to manage.py db revision."
        )
    writing.revision(
        message,
        app=app,
        autogenerate=autogenerate,
        empty=empty,
        template=template or "data",
        head=head,
        depends_on=depends_on,
        interactive=interactive,
        stdout=console.stdout,
    )


def merge(
    connection: BaseDatabaseWrapper,
    console: Console,
    app: Annotated[
        str | None, Option("the app; every one that has several leaves, if left out", "APP")
    ] = None,
    *,
    message: Annotated[str | None, Message] = None,
    rebase: Annotated[
        str | None, Option("number the files of this revision's side anew instead", "REVISION")
    ] = None,
    interactive: Interactive = True,
) -> None:
    """Join the leaves of an app, or of every app that has several, in a migration.

    It is refused where both sides touch the same thing: then their order matters. --rebase writes
    no migration: it numbers the files of the revision's side anew, to come after the other side.
    Files of applied migrations cannot be renamed. The file is named after --message, or as
    makemigrations --merge would name it.

    Examples:
        manage.py db merge reservations
        manage.py db merge reservations --rebase 0027_add_birth_place

    """
    if app == "":
        raise WrongUse("Name an application, or none for all: '' is not an application.")
    merging.merge(
        app,
        message=message,
        rebase=rebase,
        # What is applied cannot be renamed; a merge alone needs no database.
        applied={*Position(connection).applied} if rebase else None,
        interactive=interactive,
        stdout=console.stdout,
    )


def snapshot(
    connection: BaseDatabaseWrapper,
    *,
    engine: Annotated[
        str | None, Option("write only the file of this engine", choices=tuple(whole.ENGINES))
    ] = None,
    check: Annotated[
        bool, Option("write nothing; end with exit code 1 if a file is stale")
    ] = False,
) -> Answer:
    """Write the whole schema at heads as SQL, a file an engine, in the folder MIGRATOR_SNAPSHOT.

    It is what the migrations make of an empty database, sorted, with the rows that they insert: for
    reviewers, who read a change of the schema in its diff, and for manage.py migrate, which loads
    it into a database without tables and then runs what came after. The history stays the truth.
    --check only compares the checksum of the migration files. For the file of PostgreSQL a scratch
    database is made, as docs/operations.md says.

    Examples:
        manage.py db snapshot
        manage.py db snapshot --check

    """
    rows = whole.snapshot(connection, engine=engine, check=check)
    lines = [
        f"{row['file']} is not up to date: {row['stale']}. Write it with manage.py db snapshot."
        if row["outcome"] == "stale"
        else f"{row['file']}: {row['outcome']}"
        for row in rows
    ]
    return Answer(rows, lines, 1 if any(row["outcome"] == "stale" for row in rows) else 0)
