"""The maps name what is there: hotel/migrator/README.md all of it, docs/architecture.md some."""

import re
from pathlib import Path

import pytest

from hotel import settings

ROOT = Path(settings.BASE_DIR)
MIGRATOR = ROOT / "hotel" / "migrator"
MAP, WALKS = MIGRATOR / "README.md", ROOT / "docs" / "architecture.md"
pytestmark = pytest.mark.once


def rows(page):
    """Return the rows of the map's table: what the first cell names, and the modules."""
    lines = re.findall(r"^\| (`.*?) \| .*? \| (.*?) ?\|$", page.read_text(), re.MULTILINE)
    return [
        (re.findall(r"`([\w/]+)`", first), re.findall(r"`(\w+)`", last)) for first, last in lines
    ]


def test_the_map_names_every_room_and_every_module_of_it():
    named = {name.rstrip("/"): set(modules) for names, modules in rows(MAP) for name in names[:1]}
    named |= {name: set() for names, _ in rows(MAP) for name in names[1:]}
    there = {}
    for path in MIGRATOR.iterdir():
        if (path / "__init__.py").exists() and path.name != "tests":
            inner = {one.stem for one in path.glob("*.py")}
            inner |= {one.parent.name for one in path.glob("*/__init__.py")}
            there[path.name] = inner - {"__init__", "commands"}
        elif path.suffix == ".py" and path.stem not in ("__init__", "models"):
            there[path.stem] = set()
    assert named == there


def test_files_and_functions_that_the_walks_name_are_there():
    text = WALKS.read_text()
    files = re.findall(r"`([\w/]+\.py)`", text)
    assert len(files) > 20
    missing = [name for name in files if "/" in name and not (ROOT / name).is_file()]
    assert missing == []
    everything = "\n".join((ROOT / name).read_text() for name in files if "/" in name)
    names = re.findall(r"`(\w+)\(\)`", text) + re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", text)
    assert [name for name in names if not re.search(rf"(def|class) {name}\b", everything)] == []
