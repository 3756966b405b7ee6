"""Steps on graphs of any shape, in a database: what goes up comes down the same way."""

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hotel.migrator.tests.commands import at, db, table
from hotel.tests import stress

APPS = ("annexe", "bar", "cellar")


@st.composite
def graphs(draw):
    """Migrations as ``[(app, number, parents), …]``, each after those it depends on."""
    made, leaves = [], {}
    for number in range(draw(st.integers(2, 7))):
        app = draw(st.sampled_from(APPS))
        # A second line is joined by the next of its app: two leaves stop every run.
        parents = [leaves[app]] if app in leaves else []
        others = [key for key, _ in made if key[0] != app]
        parents += (
            draw(st.lists(st.sampled_from(others), max_size=2, unique=True)) if others else []
        )
        key = (app, f"{number:04}_make")
        made.append((key, parents))
        leaves[app] = key
    return made


@pytest.mark.stressed
@settings(
    max_examples=stress.ROUNDS or 6,  # make stress asks for more
    deadline=None,
    derandomize=not stress.ROUNDS,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(graph=graphs(), data=st.data())
def test_as_many_steps_down_as_up_leave_what_was_there(project, history, settings, graph, data):
    settings.MIGRATION_SCOPE = APPS
    history.at(None)
    apps = {app.label: app for app in project.apps} or {name: project.app(name) for name in APPS}
    for app in apps.values():
        for name in app.names():
            app.path(name).unlink()
    for (app, name), parents in graph:
        apps[app].write(name, table(f"T{name[:4]}"), after=parents)
    first = data.draw(st.integers(0, len(graph) - 1))
    second = data.draw(st.integers(1, len(graph) - first))
    every = ["--all-apps"]
    if first:
        db("upgrade", f"+{first}", *every)
    facts, applied = project.facts(), at()
    assert len(applied) == first
    db("upgrade", f"+{second}", *every)
    assert len(at()) == first + second
    once, order = project.facts(), at()
    for _ in range(second):  # each of them is on the frontier, so none can fail
        db("downgrade", "-1", *every)
    assert (project.facts(), at()) == (facts, applied)
    db("upgrade", f"+{second}", *every)
    db("downgrade", f"-{first + second}", *every)
    assert at() == []
    db("upgrade", f"+{first + second}", *every)
    assert (project.facts(), at()) == (once, order)
