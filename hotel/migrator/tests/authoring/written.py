"""What is asked of files that ``db revision`` has written."""

import re

from django.db.migrations.loader import MigrationLoader

from hotel.migrator.tests.guards import (
    complaints_about_atomicity,
    complaints_about_blanks,
    complaints_about_docstring,
    complaints_about_imports,
    complaints_about_losses,
    complaints_about_name,
    complaints_about_reverses,
)

MODELS = """
class Room(models.Model):
    number = models.CharField(max_length=20)
    floor = models.IntegerField(null=True)
"""


REQUIRED = "    view = models.CharField(max_length=20)\n"


FILL_IN = "To be filled in: migrate refuses a file until its line Unfinished(...) is gone.\n"


def complaints(app, name):
    """Return what the guards of this project say about a file of a throw-away app."""
    source = app.path(name).read_text()
    migration = MigrationLoader(None).disk_migrations[app.label, name]
    return [
        *complaints_about_name(name),
        *complaints_about_docstring(source),
        *complaints_about_imports(source),
        *complaints_about_reverses(migration),
        *complaints_about_losses(migration),
        *complaints_about_atomicity(migration),
        *complaints_about_blanks(migration),
    ]


def fill_in(app, name, *replaced):
    """Edit a file as a developer would, and take its line ``Unfinished`` out."""
    text = re.sub(r".*Unfinished\(.*\),\n", "", app.path(name).read_text())
    text = text.replace("import BatchedRunPython, Unfinished", "import BatchedRunPython")
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    app.path(name).write_text(text)
    app.project.reload()


def up_and_down_and_up(app, *, down_to="0001_initial"):
    """Migrate to head, back, and to head again; the same is there each time."""
    project = app.project
    before = project.facts()
    app.migrate()
    head = project.facts()
    app.migrate(down_to)
    assert project.facts() == before
    app.migrate()
    assert project.facts() == head
    project.makemigrations(app.label, check=True)


def dependencies(app, name):
    return MigrationLoader(None).disk_migrations[app, name].dependencies
