"""``db stats``: figures of the files, of what is applied, and of the journal."""

import json
from itertools import pairwise

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from conftest import OWN_APPS, OWN_MIGRATIONS
from hotel.migrator.authoring import stats
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.scope import own_apps
from hotel.migrator.tests.projects import column

pytestmark = pytest.mark.once


def found(with_database=True, **options):
    loader = MigrationLoader(connection if with_database else None)
    graph = Graph.from_django(loader.graph, own_apps())
    return stats.stats(connection if with_database else None, loader, graph, **options)


@pytest.fixture
def files(flags):
    """The app of projects.py with three migrations, of which two are applied."""
    flags.migrate("0002_add_high")
    return {name: flags.path(name).read_bytes() for name in flags.names()}


def test_figures_of_files_operations_and_what_is_applied(files):
    lines = sum(text.count(b"\n") for text in files.values())
    size = sum(map(len, files.values()))
    counts = {"migrations": 3, "applied": 2, "pending": 1, "lines": lines, "bytes": size}
    figures = found()
    assert (figures["apps"], figures["total"]) == ({"annexe": counts}, counts)
    assert figures["operations"] == {"AddField": 1, "BatchedRunPython": 1, "CreateModel": 1}
    assert figures["largest"] == [
        {"migration": f"annexe.{name}", "lines": text.count(b"\n"), "bytes": len(text)}
        for name, text in sorted(files.items(), key=lambda file: -len(file[1]))
    ]
    assert json.loads(json.dumps(figures)) == figures


def test_time_is_that_of_finished_runs_up_and_down(files, flags, history):
    once = found()["seconds"]
    assert [*once] == ["annexe.0001_initial", "annexe.0002_add_high"]
    flags.migrate()
    flags.migrate("0002_add_high")
    figures = found()
    assert [*figures["seconds"]] == [*once, "annexe.0003_fill_high"]
    spent = history.execute(
        "SELECT seconds FROM migrator_journal WHERE event = 'finished' AND name = '0003_fill_high'"
    )
    assert len(spent) == 2
    assert figures["seconds"]["annexe.0003_fill_high"] == pytest.approx(sum(map(sum, spent)))
    assert figures["seconds_total"] == pytest.approx(sum(figures["seconds"].values()))


def test_what_was_only_recorded_took_no_time(files, project):
    before = found()["seconds"]
    project.migrate(fake=True)
    figures = found()
    assert figures["seconds"] == before
    assert figures["total"]["pending"] == 0


def test_without_a_database_only_the_files_are_looked_at(files):
    figures = found(with_database=False)
    assert {**figures["total"], "lines": 0, "bytes": 0} == {
        "migrations": 3,
        "applied": None,
        "pending": None,
        "lines": 0,
        "bytes": 0,
    }
    assert (figures["seconds"], figures["seconds_total"]) == (None, None)
    assert stats.lines(figures)[-1] == "Time: no journal was read, so it is not known."


def test_database_without_a_journal_has_no_times(rooms, history):
    history.execute("DROP TABLE migrator_journal")
    assert found()["seconds"] is None
    assert column(history, "number") == ["101", "202", "attic"]


def test_empty_database_has_nothing_applied(project, annexe):
    annexe.write("0001_initial")
    figures = found()
    assert (figures["total"]["applied"], figures["total"]["pending"]) == (0, 1)


def test_project_without_migrations_has_no_figures(project):
    project.reload()
    figures = found()
    assert (figures["apps"], figures["largest"], figures["operations"]) == ({}, [], {})
    assert stats.lines(figures)[0] == "Application  Migrations  Applied  Pending  Lines  Bytes"


def test_squashed_migration_is_applied_when_all_that_it_replaces_are(rooms):
    rooms.write("0001_squashed", after=[])
    path = rooms.path("0001_squashed")
    text = path.read_text()
    path.write_text(
        text.replace("    atomic", "    replaces = [('annexe', '0001_initial')]\n    atomic")
    )
    rooms.project.reload()
    total = found()["total"]
    assert (total["migrations"], total["applied"], total["pending"]) == (1, 1, 0)


def test_lines_are_a_table_that_can_be_read(files):
    figures = found()
    figures["seconds"], figures["seconds_total"] = {"annexe.0001_initial": 1.25}, 1.25
    size = figures["total"]
    width = len(str(figures["largest"][0]["bytes"]))
    largest = [
        f"  {file['migration']:<21}  {file['lines']}  {file['bytes']:>{width}}"
        for file in figures["largest"]
    ]
    assert stats.lines(figures) == [
        "Application  Migrations  Applied  Pending  Lines  Bytes",
        f"annexe                3        2        1  {size['lines']:>5}  {size['bytes']:>5}",
        f"In all                3        2        1  {size['lines']:>5}  {size['bytes']:>5}",
        "",
        "Largest files",
        *largest,
        "",
        "Operations",
        "  AddField          1",
        "  BatchedRunPython  1",
        "  CreateModel       1",
        "",
        "Time, by the journal: 1.250 s in all; longest",
        "  annexe.0001_initial  1.250 s",
    ]


def test_figures_of_this_project_are_those_of_its_own_apps(history):
    history.at("head")
    figures = found()
    assert [*figures["apps"]] == sorted(OWN_APPS)
    assert figures["total"]["migrations"] == figures["total"]["applied"] == len(OWN_MIGRATIONS)
    assert len(figures["largest"]) == 10
    assert all(one["bytes"] >= other["bytes"] for one, other in pairwise(figures["largest"]))
    everything = found(all_apps=True)
    assert {"auth", "contenttypes"} <= {*everything["apps"]}
    assert everything["total"]["migrations"] > len(OWN_MIGRATIONS)
