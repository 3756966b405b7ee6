"""What a database is, of all that can be taken over: only reading, as often as it is asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib.postgres.operations import CreateExtension
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model
from django.utils.module_loading import import_string

from hotel.migrator.adopt import moved_tables as moving
from hotel.migrator.adopt import point_of_history, rights, shapes, surroundings
from hotel.migrator.adopt.shapes import Legacy
from hotel.migrator.exceptions import RefusedByPreflight, WrongUse
from hotel.migrator.locking.patience import Patience, short_lock_timeout
from hotel.migrator.revisions.targets import label, labels
from hotel.migrator.schema import catalog, drift, replays
from hotel.migrator.storage import journal, tables
from hotel.migrator.storage.tables import Adoption

SHOWN = 20  # differences that a refusal names
State = Adoption.State


def declared() -> Legacy:
    """Return the ``Legacy`` that this project declares in ``MIGRATOR_LEGACY``.

    Raises WrongUse if it declares none.
    """
    name = getattr(settings, "MIGRATOR_LEGACY", "")
    if not name:
        raise WrongUse(
            "This project declares no system to take over: name its Legacy in the setting"
            ' MIGRATOR_LEGACY, such as "hotel.legacy.LEGACY".'
        )
    return cast(Legacy, import_string(name))


def refuse_no_file(connection: BaseDatabaseWrapper) -> None:
    """Raise RefusedByPreflight for a file that is not there, which SQLite would make."""
    if connection.vendor == "sqlite" and not cast(Any, connection).is_in_memory_db():
        name = connection.settings_dict["NAME"]
        if not Path(name).exists():
            raise RefusedByPreflight(
                f"There is no file {name}: let DATABASE_URL name the legacy database."
            )


@dataclass
class Verdict:
    """What a database is, and what can be done about it.

    kind: "adopted", "native" (its history is recorded and true), "point" (it is a point of the
    history, without a record), "legacy".
    """

    kind: str
    says: str
    keys: Sequence[tuple[str, str]] = ()  # what will be recorded
    recognised: shapes.Recognised | None = None
    adoption: Adoption | None = None
    facts: dict[catalog.Thing, dict[str, str]] = field(default_factory=dict)  # of its catalog then

    @property
    def shape(self) -> shapes.Recognised:
        """What was recognised of a legacy database."""
        return cast(shapes.Recognised, self.recognised)


class Look:
    """One database and what this project can make of it."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        loader: MigrationLoader,
        order: Sequence[tuple[str, str]],
        legacy: Legacy,
    ) -> None:
        """order: the keys of all migrations, in an order in which they can run."""
        self.connection = connection
        self.loader = loader
        self.order = order
        self.legacy = legacy
        self.aside = moving.place(connection, legacy.aside)

    def look(self) -> Verdict:
        """Return what the database is. Raises RefusedByPreflight if it is unknown."""
        with short_lock_timeout(self.connection):
            return Patience(self.connection)("Taking the database over", self._look)

    def _look(self) -> Verdict:
        adoption = self.latest()
        recorded = journal.applied(self.loader)
        if adoption and adoption.state != State.UNDONE and recorded:
            return Verdict("adopted", _said_of(adoption), adoption=adoption)
        live = catalog.read(self.connection)
        if recorded:
            return self._recorded(live, recorded)
        if not live.tables - drift.ON_DEMAND:
            raise RefusedByPreflight(self._empty())
        keys = point_of_history.equal(self.connection, self.loader, self.order, live)
        if keys:
            says = f"It is this history at {label(keys[-1])}."
            return Verdict("point", says, keys=keys, facts=live.facts, adoption=adoption)
        return replace(self.of_legacy(live), adoption=adoption)

    def _empty(self) -> str:
        elsewhere = self.aside.elsewhere(self.legacy.tables)
        if elsewhere:
            return (
                f"The schema {self.aside.home}, which this role uses here, has no tables, and"
                f" {' and '.join(elsewhere)} has some of {self.legacy.says}: let DATABASE_URL end"
                f" in ?options=-c%20search_path%3D{elsewhere[0]}. Nothing was changed."
            )
        return (
            "The database is empty: there is nothing to take over. manage.py migrate makes the"
            " tables."
        )

    def latest(self) -> Adoption | None:
        """Return the last ``Adoption`` of this database, or None."""
        if not tables.exists(self.connection, Adoption):
            return None
        return Adoption._base_manager.using(self.connection.alias).order_by("-pk").first()

    def _recorded(self, live: catalog.Catalog, recorded: Sequence[tuple[str, str]]) -> Verdict:
        keys = [key for key in self.order if key in set(recorded)]
        strange = [key for key in recorded if key not in keys]
        if strange:
            raise RefusedByPreflight(
                f"Its table django_migrations names what this project does not have:"
                f" {labels(strange[:SHOWN])}. So it is of another project or release, and nothing"
                " was changed: take the release that has these files."
            )
        expected = replays.replay(self.connection, self.loader, keys).catalog
        differing = drift.differences(expected, live, drift.tables_of(self.loader))
        if differing:
            raise RefusedByPreflight(
                f"Its history says that {_number(len(recorded), 'migration')}"
                f" {'was' if len(recorded) == 1 else 'were'} applied, up to {label(keys[-1])},"
                f" and the database is not what these make, so nothing was changed."
                f" {listed(map(str, differing))} If nothing of this history ever ran here, empty"
                " the table django_migrations and run manage.py db adopt again; if it did, see what"
                " manage.py db drift would mend."
            )
        return Verdict(
            "native",
            "It is a database of this history already, as recorded: nothing is to be done."
            " manage.py migrate carries it on.",
        )

    def of_legacy(self, live: catalog.Catalog) -> Verdict:
        """Return the verdict on a database of the legacy system. Raises RefusedByPreflight."""
        stranger = shapes.stranger(self.legacy, live)
        if stranger:
            raise RefusedByPreflight(
                f"This is a database of shape {stranger.name}, so nothing was changed."
                f" {stranger.why}"
            )
        keys = self._keys_of_point()
        recognised = shapes.recognise(
            self.legacy, live, self.models, self.connection, drift.ON_DEMAND
        )
        if not recognised.tables:
            raise RefusedByPreflight(
                f"Nothing here is of {self.legacy.says} or of this history, so nothing was changed."
                f" {listed(recognised.differences)}"
            )
        if recognised.differences:
            raise RefusedByPreflight(
                f"This is no known shape of {self.legacy.says}, so nothing was changed."
                f" {listed(recognised.differences)}"
            )
        made = sorted({*self.models, *drift.ON_DEMAND})
        obstructions = surroundings.dependents(self.aside, recognised.moved)
        obstructions += surroundings.name_clashes(self.aside, recognised.moved, made)
        if obstructions:
            raise RefusedByPreflight(
                f"Something stands in the way, so nothing was changed. {listed(obstructions)}"
            )
        refusals = rights.lacking(self.aside, recognised.moved, self._extensions(keys))
        if refusals:
            raise RefusedByPreflight(
                f"This role lacks a right, so nothing was changed: {' '.join(refusals)}"
            )
        says = recognised.says
        return Verdict("legacy", says, keys=keys, recognised=recognised, facts=live.facts)

    def _keys_of_point(self) -> Sequence[tuple[str, str]]:
        graph = self.loader.graph
        needed = {key for point in self.legacy.point for key in graph.forwards_plan(point)}
        return [key for key in self.order if key in needed]

    @cached_property
    def models(self) -> dict[str, type[Model]]:
        """The models of this history at the declared point, by table."""
        apps = self.loader.project_state(list(self.legacy.point)).apps
        labels_of_point = {app for app, _ in self._keys_of_point()}
        return {
            model._meta.db_table: model
            for model in apps.get_models()
            if model._meta.app_label in labels_of_point
        }

    def _extensions(self, keys: Sequence[tuple[str, str]]) -> list[str]:
        """Return the extensions that migrations create that are still to run."""
        operations = (
            operation
            for key in self.order
            if key not in keys
            for operation in self.loader.graph.nodes[key].operations
        )
        return sorted({one.name for one in operations if isinstance(one, CreateExtension)})

    def steps(self, verdict: Verdict) -> list[str]:
        """Return in sentences what would be done."""
        if verdict.kind == "point":
            number = _number(len(verdict.keys), "migration")
            return [f"Record {number}, up to {label(verdict.keys[-1])}."]
        recognised = verdict.shape
        where = (
            f"into the schema {self.legacy.aside}"
            if self.connection.vendor == "postgresql"
            else f"to names that begin with {self.legacy.aside}_"
        )
        return [
            f"Move {_number(len(recognised.moved), 'table')} aside, {where}.",
            f"Make {_number(len(self.models), 'table')} as they are at"
            f" {labels(self.legacy.point)}.",
            f"Copy the rows of {_number(len(recognised.tables), 'table')}, with their keys; set the"
            " sequences.",
            "Compare rows, checksums and sums before and after.",
            f"Record {_number(len(verdict.keys), 'migration')}. All of it is one transaction.",
        ]

    def remarks(self, verdict: Verdict) -> list[str]:
        """Return what is said of a shape before anybody is asked."""
        recognised = verdict.shape
        remarks = list(recognised.remarks)
        if recognised.absent:
            remarks.append(f"It lacks {', '.join(recognised.absent)}, which will be empty.")
        remarks += [
            f"{table} is there, {self.legacy.beside[table]}: it is kept aside."
            for table in recognised.beside
        ]
        return remarks + surroundings.left_behind(self.aside, recognised.moved)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(sentences: Iterable[str]) -> str:
    """Return sentences in a row, the first of them if there are too many."""
    said = list(sentences)
    more = f" And {len(said) - SHOWN} more." if len(said) > SHOWN else ""
    return " ".join(said[:SHOWN]) + more


def _said_of(adoption: Adoption) -> str:
    when = f"{adoption.adopted_at:%Y-%m-%d %H:%M} UTC"
    if adoption.state == State.FINISHED:
        return f"It was adopted on {when} from shape {adoption.shape}, and that is finished."
    return (
        f"It was adopted on {when} from shape {adoption.shape}. manage.py migrate carries it to"
        " head; --undo brings the legacy database back, until --finish."
    )
