"""What holds of every plan, on every graph, and whatever is typed."""

import re

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.migration import Migration
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hotel.migrator.exceptions import MigratorError, RefusedByPreflight, WrongUse
from hotel.migrator.revisions.graph import Graph, Plan
from hotel.migrator.tests.graphs import NAMED
from hotel.tests import stress

pytestmark = [pytest.mark.once, pytest.mark.stressed]

own_and_contrib = st.sampled_from(["booking", "rooms", "auth", "zones"])
OWN = {"booking", "rooms"}


@st.composite
def graphs(draw):
    """A project of up to four apps, two of them its own; anything may depend on what is older."""
    made, graph = [], MigrationGraph()
    for number in draw(st.permutations(range(draw(st.integers(3, 10))))):
        key = (draw(own_and_contrib), f"{number:04}_step")
        graph.add_node(key, Migration(key[1], key[0]))
        parents = draw(st.sets(st.sampled_from(made), max_size=2)) if made else set()
        same_app = [other for other in made if other[0] == key[0]]
        if same_app and draw(st.sampled_from([True, True, False])):
            parents.add(same_app[-1])
        for parent in sorted(parents):
            graph.add_dependency(None, key, parent)
        made.append(key)
    return Graph.from_django(graph, OWN)


@st.composite
def databases(draw):
    """A project, and what is applied of it: in an order in which that may really have happened."""
    graph, run = draw(graphs()), []
    for _ in range(draw(st.integers(0, len(graph.order)))):
        ready = [key for key in graph.order if key not in run and {*graph.parents[key]} <= {*run}]
        run.append(draw(st.sampled_from(ready)))
    return graph, run


def pending(graph, run, all_apps):
    return [key for key in graph.order if key not in run and (all_apps or key[0] in OWN)]


def closed(graph, run):
    return all(set(graph.parents[key]) <= set(run[:place]) for place, key in enumerate(run))


EXAMPLES = 4 * stress.ROUNDS or 25  # make stress asks for more
many = settings(deadline=None, database=None, derandomize=True, max_examples=EXAMPLES)
each_scope = pytest.mark.parametrize("all_apps", [False, True], ids=["own", "all"])


@each_scope
@many
@given(database=databases(), data=st.data())
def test_steps_up_in_two_goes_are_the_steps_in_one(all_apps, database, data):
    graph, run = database
    left = len(pending(graph, run, all_apps))
    if left < 2:
        return
    both = data.draw(st.integers(2, left))
    some = data.draw(st.integers(1, both - 1))
    one = graph.upgrade([f"+{some}"], run, all_apps)
    two = graph.upgrade([f"+{both - some}"], run + list(one.steps), all_apps)
    assert one.steps + two.steps == graph.upgrade([f"+{both}"], run, all_apps).steps


@each_scope
@many
@given(database=databases(), data=st.data())
def test_as_many_steps_down_as_up_give_back_what_was_applied(all_apps, database, data):
    graph, run = database
    left = len(pending(graph, run, all_apps))
    if not left:
        return
    number = data.draw(st.integers(1, left))
    up = graph.upgrade([f"+{number}"], run, all_apps)
    down = graph.downgrade(f"-{number}", run + list(up.steps), all_apps, cascade=not all_apps)
    assert down.counted == up.counted
    assert {*down.required} <= {*up.required}  # nothing that was there before goes
    if all_apps:
        assert down.steps == up.steps[::-1]


@each_scope
@many
@given(database=databases(), data=st.data())
def test_steps_up_are_the_first_of_g_and_exactly_as_many(all_apps, database, data):
    graph, run = database
    left = pending(graph, run, all_apps)
    number = data.draw(st.integers(1, len(left) + 3))
    if number > len(left):
        with pytest.raises(WrongUse, match=f"didn't produce {number} migrations"):
            graph.upgrade([f"+{number}"], run, all_apps)
    plan = graph.upgrade([f"+{number}"], run, all_apps, at_most=True)
    assert plan.counted == set(left[:number])
    assert all_apps or not any(key[0] in OWN for key in plan.required)
    assert closed(graph, run + list(plan.steps))
    needed = frozenset().union(*map(graph.ancestors, plan.counted))
    assert set(plan.required) == needed - plan.counted - set(run)


@many
@given(database=databases(), data=st.data())
def test_every_revision_goes_up_with_its_ancestors_and_nothing_else(database, data):
    graph, run = database
    key = data.draw(st.sampled_from(graph.order))
    plan = graph.upgrade([".".join(key)], run)
    assert set(plan.steps) == ({key} | graph.ancestors(key)) - set(run)
    assert plan.counted == {step for step in plan.steps if step[0] == key[0]}
    assert closed(graph, run + list(plan.steps))


@many
@given(database=databases())
def test_heads_leave_nothing_to_do_or_are_in_conflict(database):
    graph, run = database
    forked = {app for app in graph.apps if len(graph.leaves(app)) > 1}
    if forked:
        with pytest.raises(WrongUse, match="Conflicting migrations detected") as refused:
            graph.upgrade([], run)
        assert all(f"db merge {app}" in str(refused.value) for app in forked)
    else:
        plan = graph.upgrade([], run)
        assert list(plan.steps) == [key for key in graph.order if key not in run]
        assert not graph.upgrade([], run + list(plan.steps)).steps


@st.composite
def ways_down(draw):
    """A database and any target that downgrade may take."""
    graph, run = draw(databases())
    number = draw(st.integers(1, len(graph.order) + 1))
    app, key = draw(st.sampled_from(graph.apps)), draw(st.sampled_from(graph.order))
    texts = [f"-{number}", f"{app}@-{number}", f"{app}@base", "base", ".".join(key)]
    return graph, run, draw(st.sampled_from(texts))


@each_scope
@many
@given(way=ways_down())
def test_every_plan_down_leaves_what_needs_nothing_that_went(all_apps, way):
    graph, run, text = way
    try:
        plan = graph.downgrade(text, run, all_apps, cascade=True)
    except WrongUse as error:
        words = r"didn't produce|not a valid downgrade target|Ambiguous"
        assert re.search(words, str(error))
        return
    assert plan.backwards
    left = list(run)
    for step in plan.steps:
        assert step in graph.frontier(left)
        left.remove(step)
    assert closed(graph, left)
    assert [step for step in reversed(run) if step in plan.steps] == list(plan.steps)
    dependents = frozenset().union(*map(graph.descendants, plan.counted)) & set(run)
    assert set(plan.required) == dependents - plan.counted
    if re.match(r"\w*@?-", text):
        assert len(plan.counted) == int(text.rpartition("-")[2])
    if plan.required:
        with pytest.raises(RefusedByPreflight):
            graph.downgrade(text, run, all_apps)
    else:
        assert graph.downgrade(text, run, all_apps) == plan


@many
@given(database=databases(), data=st.data())
def test_one_step_down_is_always_possible_and_touches_nothing_else(database, data):
    graph, run = database
    scrambled = data.draw(st.permutations(run))  # a record that has the order wrong
    while scrambled:
        plan = graph.downgrade("-1", scrambled, all_apps=True)
        [step] = plan.steps
        frontier = graph.frontier(scrambled)
        assert step == frontier[-1]
        scrambled = [key for key in scrambled if key != step]


@many
@given(database=databases(), data=st.data())
def test_steps_down_never_break_an_order_that_is_wrong(database, data):
    graph, run = database
    scrambled = data.draw(st.permutations(run))
    left = list(scrambled)
    for step in graph.downgrade("base", scrambled, all_apps=True).steps:
        assert step in graph.frontier(left)
        left.remove(step)
    assert left == []


@many
@given(database=databases(), data=st.data())
def test_plans_do_not_depend_on_the_order_in_which_the_graph_was_built(database, data):
    graph, run = database
    shuffled = data.draw(st.permutations(graph.order))
    parents = {key: data.draw(st.permutations(graph.parents[key])) for key in shuffled}
    other = Graph(parents, graph.order, sorted(OWN, reverse=True))
    for all_apps in (False, True):
        for text in ("+1", "+9", "-1", "-2", "base", "booking@-1", "heads", graph.apps[0]):
            for verb in ("upgrade", "downgrade"):
                argument = [text] if verb == "upgrade" else text
                assert outcome(getattr(other, verb), argument, run, all_apps) == (
                    outcome(getattr(graph, verb), argument, run, all_apps)
                )
    assert other.children == graph.children
    assert outcome(other.range, "current:", run) == outcome(graph.range, "current:", run)


def outcome(verb, *arguments):
    """Return what a verb plans, or the words in which it refuses."""
    try:
        return verb(*arguments)
    except MigratorError as error:
        return type(error), str(error)


@many
@given(database=databases(), data=st.data())
def test_range_ends_with_what_it_names_and_holds_what_lies_between(database, data):
    graph, run = database
    end = data.draw(st.sampled_from(graph.order))
    start = data.draw(st.sampled_from(sorted({end} | graph.ancestors(end))))
    found = graph.range(f"{'.'.join(start)}:{'.'.join(end)}", run)
    assert (found[0], start in found) == (end, True)
    assert {*found} >= graph.descendants(start) & graph.ancestors(end)
    assert {*found}.isdisjoint(graph.ancestors(start))
    everything = graph.range(":", run)
    assert everything == graph.order[::-1]
    assert found == tuple(key for key in everything if key in found)


anything = st.one_of(
    st.text(),
    st.text(st.sampled_from("booking.0123_@+-: \n")),
    st.lists(
        st.sampled_from([
            *("booking", "rooms", "0001", "0002_add", "head", "heads", "base", "zero", "current"),
            *(".", "@", "+", "-", "1", "0", "99", ":", " ", "\u0661", "\x00", "\ud800"),
        ])
    ).map("".join),
)  # fmt: skip


@many
@example("+" + "9" * 5000)
@example("booking.0001" + "9" * 5000)
@example("booking@-" + "9" * 5000)
@given(anything)
def test_no_text_whatever_ends_in_another_error(text):
    try:
        assert NAMED.resolve(text) in NAMED.order
    except WrongUse as error:
        complain_about(error)
    run = list(NAMED.order[:6])
    for verb in (NAMED.upgrade, NAMED.downgrade, NAMED.range):
        try:
            found = verb([text] if verb == NAMED.upgrade else text, run)
            assert set(found.steps if isinstance(found, Plan) else found) <= set(NAMED.order)
        except (WrongUse, RefusedByPreflight) as error:
            complain_about(error)


def complain_about(error):
    """Refuse a message that is endless, has line breaks of its own, or mends nothing."""
    assert len(str(error)) < 1000
    assert str(error).isprintable()
    assert "manage.py db " in str(error)
