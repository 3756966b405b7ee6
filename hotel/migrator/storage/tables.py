"""The migrator's own tables: made on demand like ``django_migrations``, never unapplied.

They exist before the first migration and outlive the last, so what was archived on the way down to
an empty schema is still there on the way up.
"""

from collections.abc import Iterable
from typing import ClassVar

from django.apps.registry import Apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Now

from hotel.migrator.constraints import AppendOnly
from hotel.migrator.sql.parsing import bare


class _Registry:
    """A registry of their own hides these models from makemigrations."""

    apps = Apps()


class ArchivedValue(models.Model):
    """An original that the schema (or the rule of a data migration) could not hold.

    ``owner`` names the operation and its direction, ``column_name`` is empty when ``original`` is a
    whole row as JSON. ``became`` is the value that tells, when the original is to be given back,
    whether the row was changed in the meantime.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.CharField(max_length=255)
    table_name = models.CharField(max_length=63)
    column_name = models.CharField(max_length=63)
    row_key = models.CharField(max_length=255)
    original = models.TextField(null=True)
    became = models.TextField(null=True)
    archived_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["ArchivedValue"]] = models.Manager()

    class Meta:
        apps = _Registry.apps
        app_label = "migrator"
        db_table = "migrator_archive"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "table_name", "column_name", "row_key"],
                name="migrator_archive_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.owner} {self.table_name}.{self.column_name} {self.row_key}"


class Cursor(models.Model):
    """How far a batched operation has come; written in the transaction of each batch."""

    owner = models.CharField(max_length=255, unique=True)
    last_key = models.CharField(max_length=255)
    rows_read = models.BigIntegerField()
    rows_changed = models.BigIntegerField()
    rows_archived = models.BigIntegerField()

    objects: ClassVar[models.Manager["Cursor"]] = models.Manager()

    class Meta:
        apps = _Registry.apps
        app_label = "migrator"
        db_table = "migrator_cursor"

    def __str__(self) -> str:
        return f"{self.owner} after {self.last_key}"


class JournalEntry(models.Model):
    """Something that happened to a migration: rows of the journal are added and never changed.

    A migration that runs leaves two: ``started``, committed before its first statement, and
    ``finished`` or ``failed``; one that was killed leaves the first alone. If it is not atomic, an
    ``operation`` row follows each of its operations, and an ``entered`` row comes before one that
    must not be run again when it was stopped. ``run`` is the same for all of one command.
    """

    class Event(models.TextChoices):
        STARTED = "started"
        ENTERED = "entered"
        OPERATION = "operation"
        FINISHED = "finished"
        FAILED = "failed"

    class Direction(models.TextChoices):
        FORWARD = "forward"
        BACKWARD = "backward"

    id = models.BigAutoField(primary_key=True)
    run = models.UUIDField()
    event = models.CharField(max_length=10, choices=Event)
    app = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    direction = models.CharField(max_length=10, choices=Direction)
    is_fake = models.BooleanField()  # recorded only; nothing was run
    operation = models.IntegerField(null=True)  # the place of the one that began or ended, from 0
    checksum = models.CharField(max_length=64)  # of the file; see edits.checksum
    seconds = models.FloatField(null=True)  # since it started
    rows = models.BigIntegerField(null=True)  # inserted, updated and deleted since it started
    error = models.TextField(null=True)
    remark = models.TextField(null=True)  # how else it came about than by running a migration
    actor = models.CharField(max_length=255)  # the user of the operating system
    host = models.CharField(max_length=255)
    process = models.IntegerField()
    code_version = models.CharField(max_length=255)
    at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["JournalEntry"]] = models.Manager()

    class Meta:
        apps = _Registry.apps
        app_label = "migrator"
        db_table = "migrator_journal"
        constraints = [AppendOnly(name="migrator_journal_append_only")]
        indexes = [models.Index(fields=["app", "name"], name="migrator_journal_migration")]

    def __str__(self) -> str:
        return f"{self.app}.{self.name} {self.direction} {self.event}"


class Adoption(models.Model):
    """A database of another system that was taken over; see ``adopt``.

    ``document`` is JSON: the proof, and what ``--undo`` needs. A row is never deleted.
    """

    class State(models.TextChoices):
        ADOPTED = "adopted"
        UNDONE = "undone"
        FINISHED = "finished"

    id = models.BigAutoField(primary_key=True)
    state = models.CharField(max_length=10, choices=State)
    shape = models.CharField(max_length=255)
    document = models.TextField()
    adopted_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Adoption"]] = models.Manager()

    class Meta:
        apps = _Registry.apps
        app_label = "migrator"
        db_table = "migrator_adoption"

    def __str__(self) -> str:
        return f"{self.shape} {self.state}"


class Verdict(models.Model):
    """The last answer of ``db drift`` that was kept; ``document`` is JSON, see ``last_report``."""

    id = models.BigAutoField(primary_key=True)
    document = models.TextField()
    made_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["Verdict"]] = models.Manager()

    class Meta:
        apps = _Registry.apps
        app_label = "migrator"
        db_table = "migrator_verdict"

    def __str__(self) -> str:
        return f"verdict of {self.made_at}"


MODELS = ArchivedValue, Cursor, JournalEntry, Adoption, Verdict


def ensure(
    schema_editor: BaseDatabaseSchemaEditor,
    made: Iterable[type[models.Model]] = (ArchivedValue, Cursor),
) -> None:
    """Make the tables that are not there yet, in the transaction of ``schema_editor``, if any."""
    present = schema_editor.connection.introspection.table_names()
    for model in made:
        if model._meta.db_table not in present:
            schema_editor.create_model(model)


def ensure_journal(connection: BaseDatabaseWrapper) -> None:
    """Make the journal, or the columns that one of an earlier version lacks."""
    if not exists(connection, JournalEntry):
        with connection.schema_editor() as editor:
            ensure(editor, [JournalEntry])
        return
    there = columns_of(connection, JournalEntry._meta.db_table)
    missing = [field for field in JournalEntry._meta.local_fields if field.column not in there]
    if missing:
        with connection.schema_editor() as editor:
            for field in missing:
                editor.add_field(JournalEntry, field)


def columns_of(connection: BaseDatabaseWrapper, table: str) -> set[str]:
    """Return the names of a table's columns, generated ones included."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # whose SQL Django would parse for collations, slowly
            cursor.execute(
                "SELECT name FROM pragma_table_xinfo(%s) WHERE hidden <> 1", [bare(table)]
            )
            return {name for (name,) in cursor.fetchall()}
        described = connection.introspection.get_table_description(cursor, table)
        return {column.name for column in described}


def exists(connection: BaseDatabaseWrapper, model: type[models.Model]) -> bool:
    """Tell whether the table of ``model`` was made already."""
    return model._meta.db_table in connection.introspection.table_names()
