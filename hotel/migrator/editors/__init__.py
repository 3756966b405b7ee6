"""Django's schema editors, which here keep what Django does not know of."""

from importlib import import_module

EDITORS = {
    "django.db.backends.postgresql": "hotel.migrator.editors.postgresql",
    "django.db.backends.sqlite3": "hotel.migrator.editors.sqlite",
}


def install(engine: str) -> None:
    """Make our schema editor that of every connection of an engine, named as settings name it."""
    if engine in EDITORS:  # imported only for an engine in use: each takes time to start
        wrapper = import_module(f"{engine}.base").DatabaseWrapper
        wrapper.SchemaEditorClass = import_module(EDITORS[engine]).SchemaEditor
