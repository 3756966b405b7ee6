"""Where the verbs lead: exact plans and exact refusals."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import GRAPH, OWN_APPS, PLAN
from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.revisions.graph import Graph
from hotel.migrator.tests.graphs import HOTEL, G, django_graph, drawn, keys, refusal, shown

pytestmark = pytest.mark.once

BRANCHED = drawn(
    "core.1 > core.2a > core.3, core.1 > core.2b > core.3, core.3 > core.4", own="core"
)
CONFLICT = drawn("core.1 > core.2a, core.1 > core.2b, core.1 > shop.1", own="core shop")


# Shape


def test_order_is_that_of_the_executor():
    assert list(Graph.from_django(GRAPH, OWN_APPS).order) == PLAN
    assert list(HOTEL.order) == G


def test_module_needs_no_settings_and_loads_no_loader():
    code = (
        "import sys; import hotel.migrator.revisions.graph; from django.conf import settings;"
        "print(settings.configured, 'django.db.migrations.loader' in sys.modules)"
    )
    run = [sys.executable, "-c", code]
    printed = subprocess.check_output(run, cwd=Path(__file__).parents[4], env={}, text=True)
    assert printed == "False False\n"


def test_shape_of_a_fork_and_its_merge():
    assert BRANCHED.heads() == (("core", "4"),)
    assert BRANCHED.branch_points() == (("core", "1"),)
    assert [key for key in BRANCHED.order if BRANCHED.is_branchpoint(key)] == keys("core.1")
    assert [key for key in BRANCHED.order if BRANCHED.is_merge(key)] == keys("core.3")
    assert BRANCHED.ancestors(("core", "3")) == {*keys("core.1 core.2a core.2b")}
    assert BRANCHED.descendants(("core", "2a")) == {*keys("core.3 core.4")}
    assert BRANCHED.children["core", "1"] == (*keys("core.2b core.2a"),)
    assert CONFLICT.leaves("core") == (*keys("core.2a core.2b"),)


def test_shape_of_an_app_does_not_depend_on_other_apps():
    assert HOTEL.heads() == (*keys("accounts.2 admin.1 auth.2 booking.3 rooms.2 sessions.1"),)
    assert HOTEL.branch_points() == ()
    assert not any(map(HOTEL.is_merge, HOTEL.order))  # booking.2 has two parents, one of its own


def test_frontier_is_what_nothing_applied_depends_on_in_the_order_applied():
    assert HOTEL.frontier(keys("rooms.1 auth.1 rooms.2 booking.1")) == (
        *keys("auth.1 rooms.2 booking.1"),
    )
    assert HOTEL.frontier(keys("booking.9 rooms.1")) == (("rooms", "1"),)
    assert HOTEL.frontier([]) == ()


# Up

REST = "accounts.2 admin.1 rooms.1 rooms.2 booking.1 booking.2 booking.3 sessions.1"


@pytest.mark.parametrize(
    "targets, applied, options, plan",
    [
        ("", "auth.1 auth.2 accounts.1", {}, REST),
        ("head", "auth.1 auth.2 accounts.1", {}, REST),
        ("heads", "auth.1 auth.2 accounts.1", {}, REST),
        ("heads", " ".join(map(".".join, G)), {}, ""),
        ("+1", "", {}, "(auth.1) accounts.1"),
        ("+2", "", {}, "(auth.1) accounts.1 (auth.2) accounts.2"),
        ("+3", "", {}, "(auth.1) accounts.1 (auth.2) accounts.2 rooms.1"),
        ("+1", "", {"all_apps": True}, "auth.1"),
        ("+3", "", {"all_apps": True}, "auth.1 auth.2 accounts.1"),
        ("+1", "auth.1 accounts.1", {}, "(auth.2) accounts.2"),
        ("+1", "auth.1 auth.2 accounts.1 accounts.2", {}, "rooms.1"),  # past admin.1
        ("+9", "rooms.1 rooms.2 booking.1", {"at_most": True},
         "(auth.1) accounts.1 (auth.2) accounts.2 booking.2 booking.3"),
        ("booking@+9", "rooms.1 rooms.2 booking.1 booking.2 booking.3", {"at_most": True}, ""),
        ("booking@+1", "", {}, "(rooms.1) booking.1"),
        ("booking@+2", "", {}, "(rooms.1) booking.1 (rooms.2) booking.2"),
        ("booking@+1", "rooms.1 booking.1", {"all_apps": True}, "(rooms.2) booking.2"),
        ("sessions@+1", "", {}, "sessions.1"),
        ("booking", "rooms.1", {}, "booking.1 (rooms.2) booking.2 booking.3"),
        ("booking@head", "rooms.1", {}, "booking.1 (rooms.2) booking.2 booking.3"),
        ("accounts@heads", "", {}, "(auth.1) accounts.1 (auth.2) accounts.2"),
        ("booking.2", "", {}, "(rooms.1) booking.1 (rooms.2) booking.2"),
        ("booking.2", "rooms.1 rooms.2 booking.1 booking.2 booking.3", {}, ""),
        ("booking.1+1", "rooms.1 booking.1", {}, "(rooms.2) booking.2"),
        ("booking.3-1", "rooms.1 booking.1", {}, "(rooms.2) booking.2"),
        ("booking@head-2", "", {}, "(rooms.1) booking.1"),
        ("booking.1+1", "rooms.1 rooms.2 booking.1 booking.2", {}, ""),
        ("sessions rooms.1 admin", "", {}, "(auth.1) (accounts.1) admin.1 rooms.1 sessions.1"),
    ],
)  # fmt: skip
def test_upgrade_plan(targets, applied, options, plan):
    found = HOTEL.upgrade(targets.split(), keys(applied), **options)
    assert shown(found) == plan
    assert not found.backwards


@pytest.mark.parametrize(
    "target, applied, message",
    [
        (
            "+2",
            "auth.1 auth.2 accounts.1 accounts.2 rooms.1 rooms.2 booking.1 booking.2",
            "Relative revision +2 didn't produce 2 migrations: only 1 migration of this project's"
            " apps is left to apply. Nothing was planned; manage.py db upgrade +2 --at-most"
            " applies what there is, --all-apps counts those of all apps.",
        ),
        (
            "booking@+4",
            "",
            "Relative revision +4 didn't produce 4 migrations: only 3 migrations of booking are"
            " left to apply. Nothing was planned; manage.py db upgrade booking@+4 --at-most"
            " applies what there is.",
        ),
        (
            "sessions@+1",
            "sessions.1",
            "Relative revision +1 didn't produce 1 migrations: no migration of sessions is left to"
            " apply. Nothing was planned; manage.py db upgrade sessions@+1 --at-most applies what"
            " there is.",
        ),
        (
            "booking.2+2",
            "",
            "Relative revision +2 didn't produce 2 migrations: booking.3 is the last of its"
            " application. manage.py db history lists all revisions.",
        ),
        (
            "head-1",
            "",
            "'head-1' counts from 6 heads: accounts.2, admin.1, auth.2, booking.3, rooms.2,"
            " sessions.1. Name one, as in app.0003-1. manage.py db history lists all revisions.",
        ),
        (
            "-1",
            "rooms.1",
            "'-1' leads down, and upgrade never unapplies: manage.py db downgrade -1 does.",
        ),
        (
            "base",
            "rooms.1",
            "'base' leads down, and upgrade never unapplies: manage.py db downgrade base does.",
        ),
        (
            "booking.1-1",
            "",
            "'booking.1-1' leads down, and upgrade never unapplies: manage.py db downgrade"
            " booking.1-1 does.",
        ),
        (
            "+0",
            "",
            "'+0' is not a number of steps: write +1 to go up, -1 to go down; N is a whole number"
            " above zero. manage.py db history lists all revisions.",
        ),
        (
            "booking@2",
            "",
            "'booking@2' is not a target: after booking@ comes head, base, +N or -N; a revision is"
            " written booking.0003. manage.py db history lists all revisions.",
        ),
        (
            "shop@+1",
            "",
            "Can't locate revision identified by 'shop@+1'. No application 'shop' has migrations;"
            " near it: accounts, admin, auth, booking, rooms, sessions."
            " manage.py db history lists all revisions.",
        ),
    ],
)
def test_upgrade_is_refused(target, applied, message):
    assert refusal(HOTEL.upgrade, [target], keys(applied)) == (message, 2)


def test_all_apps_and_enough_left_are_told_apart():
    message, _ = refusal(HOTEL.upgrade, ["+12"], [], all_apps=True)
    assert message == (
        "Relative revision +12 didn't produce 12 migrations: only 11 migrations are left to apply."
        " Nothing was planned; manage.py db upgrade +12 --at-most applies what there is."
    )


@pytest.mark.parametrize("target", ["heads", "core", "core@head"])
def test_two_leaves_of_an_app_are_a_conflict_when_its_head_is_asked_for(target):
    assert refusal(CONFLICT.upgrade, [target], []) == (
        "Conflicting migrations detected: core has the leaves core.2a, core.2b."
        " Join them with manage.py db merge core.",
        2,
    )


def test_two_leaves_of_an_app_do_not_keep_others_or_a_named_one_from_going_up():
    assert shown(CONFLICT.upgrade(["shop"], [])) == "(core.1) shop.1"
    assert shown(CONFLICT.upgrade(["core.2a"], [])) == "core.1 core.2a"


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "core.1+1",
            "Ambiguous walk: core.1 has 2 children in its application, core.2b, core.2a."
            " Name the revision itself instead of 'core.1+1'."
            " manage.py db branches shows where applications fork.",
        ),
        (
            "core.4-2",
            "Ambiguous walk: core.3 has 2 parents in its application, core.2b, core.2a."
            " Name the revision itself instead of 'core.4-2'."
            " manage.py db branches shows where applications fork.",
        ),
    ],
)
def test_absolute_steps_across_a_fork_are_refused_with_its_sides(text, message):
    assert refusal(BRANCHED.upgrade, [text], []) == (message, 2)
    assert refusal(BRANCHED.downgrade, text, BRANCHED.order) == (message, 2)


# Down

WITHOUT_CONTRIB = "rooms.1 rooms.2 booking.1 booking.2 booking.3"
ROOMS_LAST = "rooms.1 booking.1 auth.1 accounts.1 admin.1 rooms.2"


@pytest.mark.parametrize(
    "target, applied, options, plan",
    [
        ("-1", WITHOUT_CONTRIB, {}, "booking.3"),
        ("-3", WITHOUT_CONTRIB, {}, "booking.3 booking.2 booking.1"),
        ("-1", ROOMS_LAST, {}, "rooms.2"),
        ("-1", "rooms.1 booking.1 sessions.1", {}, "booking.1"),
        ("-1", "rooms.1 booking.1 sessions.1", {"all_apps": True}, "sessions.1"),
        ("-2", ROOMS_LAST, {"cascade": True}, "rooms.2 (admin.1) accounts.1"),
        ("-4", ROOMS_LAST, {"all_apps": True}, "rooms.2 admin.1 accounts.1 auth.1"),
        # The record says that rooms.2 was last, but booking.2 needs it.
        ("-1", "rooms.1 booking.1 booking.2 rooms.2", {}, "booking.2"),
        ("-2", "rooms.1 booking.1 booking.2 rooms.2", {}, "booking.2 rooms.2"),
        ("rooms@-1", "rooms.1 booking.1 rooms.2", {}, "rooms.2"),
        ("rooms@-1", WITHOUT_CONTRIB, {"cascade": True}, "(booking.3) (booking.2) rooms.2"),
        ("rooms@-2", "rooms.1 rooms.2 booking.1", {"cascade": True}, "(booking.1) rooms.2 rooms.1"),
        ("sessions@-1", "sessions.1 rooms.1", {}, "sessions.1"),
        ("booking.1", WITHOUT_CONTRIB, {}, "booking.3 booking.2"),
        ("booking.3", WITHOUT_CONTRIB, {}, ""),
        ("rooms.1", WITHOUT_CONTRIB, {"cascade": True}, "(booking.3) (booking.2) rooms.2"),
        ("booking.3-1", WITHOUT_CONTRIB, {}, "booking.3"),
        ("booking.1+1", WITHOUT_CONTRIB, {}, "booking.3"),
        ("booking.1-1", WITHOUT_CONTRIB, {}, "booking.3 booking.2 booking.1"),
        ("booking@head", WITHOUT_CONTRIB, {}, ""),
        ("booking@base", WITHOUT_CONTRIB, {}, "booking.3 booking.2 booking.1"),
        ("booking@zero", WITHOUT_CONTRIB, {}, "booking.3 booking.2 booking.1"),
        ("booking@base", "rooms.1", {}, ""),
        ("base", WITHOUT_CONTRIB, {}, "booking.3 booking.2 booking.1 rooms.2 rooms.1"),
        ("base", "sessions.1 rooms.1", {}, "rooms.1"),
        ("base", ROOMS_LAST, {"cascade": True},
         "rooms.2 (admin.1) accounts.1 booking.1 rooms.1"),
        ("base", ROOMS_LAST, {"all_apps": True},
         "rooms.2 admin.1 accounts.1 auth.1 booking.1 rooms.1"),
        ("base", "", {}, ""),
    ],
)  # fmt: skip
def test_downgrade_plan(target, applied, options, plan):
    found = HOTEL.downgrade(target, keys(applied), **options)
    assert shown(found) == plan
    assert found.backwards


def test_what_a_set_says_of_the_order_is_nothing_so_g_counts():
    assert shown(HOTEL.downgrade("-2", set(keys(ROOMS_LAST)))) == "booking.1 rooms.2"
    assert shown(HOTEL.downgrade("-1", dict.fromkeys(keys("sessions.1 rooms.1")))) == "rooms.1"
    assert shown(HOTEL.downgrade("-1", set(keys("rooms.1 rooms.9")))) == "rooms.1"


def test_order_that_the_record_has_wrong_is_that_of_g():
    applied = keys("booking.2 booking.1 rooms.2 rooms.1")
    assert shown(HOTEL.downgrade("base", applied)) == "booking.2 booking.1 rooms.2 rooms.1"
    applied = keys("rooms.1 rooms.2 booking.1 booking.2")[::-1] + keys("booking.3")
    assert shown(HOTEL.downgrade("base", applied)) == (
        "booking.3 booking.2 booking.1 rooms.2 rooms.1"
    )


@pytest.mark.parametrize(
    "target, applied, message",
    [
        (
            "-6",
            WITHOUT_CONTRIB,
            "Relative revision -6 didn't produce 6 migrations: only 5 migrations of this project's"
            " apps are applied. Nothing was planned; manage.py db current shows what is applied,"
            " --all-apps counts those of all apps.",
        ),
        (
            "booking@-1",
            "rooms.1",
            "Relative revision -1 didn't produce 1 migrations: no migration of booking is applied."
            " Nothing was planned; manage.py db current shows what is applied.",
        ),
        (
            "booking.2",
            "rooms.1 booking.1",
            "'booking.2' is not a valid downgrade target: booking.2 is not applied, and downgrade"
            " never applies. manage.py db upgrade booking.2 does.",
        ),
        (
            "heads",
            "auth.1 auth.2 accounts.1 accounts.2 admin.1 rooms.1 rooms.2 booking.1 booking.2",
            "'heads' is not a valid downgrade target: booking.3, sessions.1 are not applied, and"
            " downgrade never applies. manage.py db upgrade heads does.",
        ),
        (
            "+1",
            "rooms.1",
            "'+1' is not a target of downgrade, which never applies anything: write -1, app@-1,"
            " app.0003 (stays applied), app@base or base. manage.py db current shows what is"
            " applied.",
        ),
        (
            "booking",
            WITHOUT_CONTRIB,
            "'booking' is not a target of downgrade, which never applies anything: write -1,"
            " app@-1, app.0003 (stays applied), app@base or base. manage.py db current shows what"
            " is applied.",
        ),
        (
            "booking.2-3",
            WITHOUT_CONTRIB,
            "Relative revision -3 didn't produce 3 migrations: booking.1 is the first of its"
            " application. manage.py db history lists all revisions.",
        ),
    ],
)
def test_downgrade_is_refused(target, applied, message):
    assert refusal(HOTEL.downgrade, target, keys(applied)) == (message, 2)
    assert refusal(HOTEL.downgrade, target, keys(applied), cascade=True) == (message, 2)


@pytest.mark.parametrize(
    "target, applied, options, message",
    [
        (
            "-1",
            "auth.1 accounts.1 admin.1",
            {},
            "'-1' takes along 1 migration of other applications that depends on what goes:"
            " admin.1. Nothing was changed; manage.py db downgrade -1 --cascade undoes it too.",
        ),
        (
            "rooms.1",
            WITHOUT_CONTRIB,
            {"all_apps": True},
            "'rooms.1' takes along 2 migrations of other applications that depend on what goes:"
            " booking.3, booking.2. Nothing was changed; manage.py db downgrade rooms.1 --cascade"
            " --all-apps undoes them too.",
        ),
        (
            "base",
            ROOMS_LAST,
            {},
            "'base' takes along 1 migration of other applications that depends on what goes:"
            " admin.1. Nothing was changed; manage.py db downgrade base --cascade undoes it too.",
        ),
    ],
)
def test_cascade_is_refused_until_it_is_asked_for(target, applied, options, message):
    with pytest.raises(RefusedByPreflight):
        HOTEL.downgrade(target, keys(applied), **options)
    assert refusal(HOTEL.downgrade, target, keys(applied), **options) == (message, 3)


@pytest.mark.parametrize(
    "target, applied, ghost",
    [
        ("-1", "rooms.1 booking.9", "booking.9"),
        ("-1", "rooms.1 gone.1", "gone.1"),
        ("-2", "rooms.1 booking.9 booking.1", "booking.9"),
        ("-3", "booking.9 rooms.1 booking.1", "booking.9"),
        ("booking@-1", "rooms.1 booking.1 booking.9", "booking.9"),
    ],
)
def test_steps_stop_at_a_migration_whose_file_is_missing(target, applied, ghost):
    assert refusal(HOTEL.downgrade, target, keys(applied)) == (
        f"{ghost} would be the next to undo, but its file is missing: bring the file back, or"
        " forget the record with manage.py db stamp --purge.",
        2,
    )


def test_missing_file_stands_in_nobody_elses_way():
    applied = keys("rooms.1 booking.9 booking.1 rooms.9")
    assert shown(HOTEL.downgrade("booking@-1", applied)) == "booking.1"
    assert shown(HOTEL.downgrade("-1", keys("booking.9 rooms.1"))) == "rooms.1"
    assert shown(HOTEL.upgrade(["+1"], applied)) == "(auth.1) accounts.1"


# The shapes that are hard elsewhere


def test_two_roots_have_one_order():
    graph = drawn("booking.1 > booking.2, keeping.1 > keeping.2", own="booking keeping")
    assert shown(graph.upgrade(["+1"], [])) == "booking.1"
    assert shown(graph.upgrade(["+3"], [])) == "booking.1 booking.2 keeping.1"
    applied = keys("keeping.1 booking.1")
    assert shown(graph.upgrade(["+1"], applied)) == "booking.2"
    assert shown(graph.downgrade("-1", applied)) == "booking.1"


def test_diamond_comes_down_one_by_one():
    applied, went = list(BRANCHED.order), []
    while applied:
        [step] = BRANCHED.downgrade("-1", applied).steps
        applied.remove(step)
        went.append(step)
    assert went == keys("core.4 core.3 core.2a core.2b core.1")
    assert shown(BRANCHED.downgrade("core.2a", BRANCHED.order)) == "core.4 core.3"


def test_run_before_is_a_dependency_like_any_other():
    graph = django_graph("booking.1, rooms.1")
    graph.add_dependency(None, ("booking", "1"), ("rooms", "1"))  # rooms.1 runs before booking.1
    graph = Graph.from_django(graph, ["booking", "rooms"])
    assert shown(graph.upgrade(["booking"], [])) == "(rooms.1) booking.1"
    assert shown(graph.downgrade("rooms@-1", graph.order, cascade=True)) == "(booking.1) rooms.1"


def test_squashed_migration_is_one_step():
    graph = django_graph("rooms.1 > rooms.2 > rooms.3, booking.1, rooms.2 > booking.1, rooms.1_2")
    graph.remove_replaced_nodes(("rooms", "1_2"), keys("rooms.1 rooms.2"))
    graph = Graph.from_django(graph, ["booking", "rooms"])
    assert shown(graph.upgrade(["+1"], [])) == "rooms.1_2"
    assert shown(graph.downgrade("-1", keys("rooms.1_2"))) == "rooms.1_2"
    assert shown(graph.upgrade(["booking"], [])) == "(rooms.1_2) booking.1"


def test_dependency_on_a_later_migration_of_the_same_app_by_way_of_another_is_no_cascade():
    graph = drawn("a.1 > b.1 > a.2", own="a b")
    assert shown(graph.downgrade("a@-1", graph.order)) == "a.2"
    assert shown(graph.downgrade("a.1", graph.order)) == "a.2"
    assert shown(graph.downgrade("a@base", graph.order, cascade=True)) == "a.2 (b.1) a.1"


def test_own_migration_waits_for_one_that_needs_it_by_way_of_contrib():
    graph = drawn("a.1 > zones.1 > b.1", own="a b")
    record_is_wrong = keys("zones.1 b.1 a.1")
    assert shown(graph.downgrade("-1", record_is_wrong)) == "b.1"
    assert shown(graph.downgrade("-2", record_is_wrong, cascade=True)) == "b.1 (zones.1) a.1"
