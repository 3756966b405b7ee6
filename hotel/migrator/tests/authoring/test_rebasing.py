"""``db merge --rebase``: one branch is numbered anew to come after the other, all or nothing."""

import pytest
from django.db.migrations.loader import MigrationLoader

from hotel.migrator.authoring import files
from hotel.migrator.tests.authoring.forks import (
    FIRST,
    VIEW,
    WING,
)
from hotel.migrator.tests.graphs import refusal
from hotel.migrator.tests.projects import column

pytestmark = pytest.mark.once


def migrations(project):
    return {
        f"{app}.{name}": migration
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
    }


def test_chain_of_one_side_is_numbered_to_come_after_the_other(
    branches,
    merge,
    project,
    history,
):
    before, facts = project.contents(), project.facts()
    paths = merge("annexe", rebase="0003")
    names = ["0003_add_view", "0004_fill_view", "0005_require_view"]
    assert paths == [branches.path(name) for name in names]
    assert branches.names() == ["0001_initial", "0002_add_wing", *names]
    assert merge.said == (
        "No database was looked at: one that has them applied will not know them.\n"
        "Rebased annexe: 0003_add_view now follows 0002_add_wing\n"
        "  0002_add_view -> 0003_add_view\n"
        "  0003_fill_view -> 0004_fill_view\n"
        "  0004_require_view -> 0005_require_view\n"
        "  stables/migrations/0002_fill.py names what follows anew\n"
        "  stables/migrations/0003_more.py names what follows anew\n"
        "Comments, tests and docs that name them are left to you.\n"
    )
    now = project.contents()
    place, stables = branches.migrations, branches.project.apps[1].migrations
    expected = dict(before)
    for new, old, *replaced in (
        (
            "0003_add_view",
            "0002_add_view",
            ("[('annexe', '0001_initial')]", "[('annexe', '0002_add_wing')]"),
        ),
        ("0004_fill_view", "0003_fill_view", ("'0002_add_view'", "'0003_add_view'")),
        (
            "0005_require_view",
            "0004_require_view",
            ("[('annexe', '0003_fill_view')]", "[('annexe', '0004_fill_view')]"),
            ('CatchUp("0003_fill_view"', 'CatchUp("0004_fill_view"'),
            ("backfill='0003_fill_view'  # 0003", "backfill='0004_fill_view'  # 0003"),
        ),
    ):
        text = expected.pop(place / f"{old}.py").decode()
        for one, other in replaced:
            assert text.count(one) == 1
            text = text.replace(one, other)
        expected[place / f"{new}.py"] = text.encode()
    for name, one, other in (
        ("0002_fill.py", b"('annexe', '0003_fill_view')", b"('annexe', '0004_fill_view')"),
        ("0003_more.py", b"'0004_require_view'", b"'0005_require_view'"),
    ):
        assert expected[stables / name].count(one) == 1
        expected[stables / name] = expected[stables / name].replace(one, other)
    assert now == {path: expected[path] for path in sorted(expected)}

    project.migrate()
    assert column(history, "view") == ["sea"]
    history.execute("UPDATE annexe_room SET wing = 'east'")
    head = project.facts()
    branches.migrate("0001_initial")
    assert project.facts() == facts
    project.migrate()
    assert project.facts() == head
    project.makemigrations(check=True)


def test_other_side_may_be_the_one_that_comes_last(branches, merge, project):
    [path] = merge(rebase="annexe.0002_add_wing", applied={("annexe", "0002_add_view")})
    assert path == branches.path("0005_add_wing")
    assert merge.said.startswith("Rebased annexe: 0005_add_wing now follows 0004_require_view\n")
    assert migrations(project)["annexe.0005_add_wing"].dependencies == [
        ("annexe", "0004_require_view")
    ]
    project.migrate()
    project.makemigrations(check=True)


def test_branches_that_touch_the_same_thing_are_put_in_order(plain_rooms, merge, project):
    plain_rooms.write("0002_add_view", VIEW, after=FIRST)
    plain_rooms.write(
        "0002_fill_floor",
        'BatchedRunPython(rule, BatchedRunPython.keep, "room", "floor")',
        code="def rule(apps, value):\n    return Value(4)\n",
        after=FIRST,
    )
    plain_rooms.write(
        "0003_alter_floor",
        'migrations.AlterField("room", "floor", models.IntegerField(null=True, default=3))',
        after=[("annexe", "0002_add_view")],
    )
    text, _ = refusal(merge, "annexe")
    assert "--rebase 0003_alter_floor" in text
    merge("annexe", rebase="0003_alter_floor")
    assert plain_rooms.names() == [
        "0001_initial",
        "0002_fill_floor",
        "0003_add_view",
        "0004_alter_floor",
    ]
    project.migrate()


def test_chain_with_new_numbers_already_keeps_its_names(plain_rooms, merge):
    plain_rooms.write("0002_add_wing", WING, after=FIRST)
    plain_rooms.write("0003_add_view", VIEW, after=FIRST)
    assert merge(rebase="0003_add_view") == [plain_rooms.path("0003_add_view")]
    assert "[('annexe', '0002_add_wing')]" in plain_rooms.path("0003_add_view").read_text()


def test_names_may_follow_each_other_from_file_to_file(plain_rooms, merge, project):
    plain_rooms.write("0002_add_x", VIEW, after=FIRST)
    plain_rooms.write("0003_add_x", after=[("annexe", "0002_add_x")])
    plain_rooms.write("0004_add_x", after=[("annexe", "0003_add_x")])
    plain_rooms.write("0002_add_wing", WING, after=FIRST)
    merge(rebase="0003_add_x")
    assert plain_rooms.names() == [
        "0001_initial",
        "0002_add_wing",
        "0003_add_x",
        "0004_add_x",
        "0005_add_x",
    ]
    assert [migrations(project)[f"annexe.000{n}_add_x"].dependencies for n in (3, 4, 5)] == [
        [("annexe", "0002_add_wing")],
        [("annexe", "0003_add_x")],
        [("annexe", "0004_add_x")],
    ]


def test_third_leaf_is_left_and_named(plain_rooms, merge):
    for name in ("0002_add_view", "0002_add_wing", "0002_add_x"):
        plain_rooms.write(name, after=FIRST)
    merge(rebase="0002_add_view")
    assert plain_rooms.names() == ["0001_initial", "0002_add_wing", "0002_add_x", "0003_add_view"]
    assert merge.said.endswith(
        "annexe.0002_add_wing is still a leaf beside it: manage.py db merge annexe\n"
    )
    assert "now follows 0002_add_x" in merge.said


def test_other_bytes_stay_whatever_they_are(plain_rooms, merge):
    plain_rooms.write("0002_add_view", VIEW, after=FIRST)
    plain_rooms.write("0002_add_wing", WING, after=FIRST)
    path = plain_rooms.path("0002_add_view")
    text = path.read_text().replace('"""A migration', '"""Приём \x0c 0001_initial: a migration')
    text = text.replace("[('annexe', '0001_initial')]", "[  # «é»\n('annexe',\"0001_initial\" ) ,]")
    text = text.replace("atomic = True", "é = 'é'; dépend = ('annexe', '0001_initial')")
    path.write_bytes(text.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    plain_rooms.project.reload()
    merge(rebase="0002_add_view")
    new = plain_rooms.path("0003_add_view")
    assert (
        new.read_bytes()
        == text.replace('"0001_initial"', '"0002_add_wing"').replace("\n", "\r\n").encode()
    )
    assert new.stat().st_mode & 0o777 == 0o640


def test_same_name_in_another_app_stays(plain_rooms, merge, project):
    stables = project.app("stables").write("0001_initial", after=[])
    stables.write("0002_add_view", after=[("stables", "0001_initial")])
    plain_rooms.write("0002_add_view", after=[*FIRST, ("stables", "0002_add_view")])
    plain_rooms.write("0002_add_wing", after=FIRST)
    before = stables.path("0002_add_view").read_bytes()
    merge(rebase="annexe.0002_add_view")
    assert migrations(project)["annexe.0003_add_view"].dependencies == [
        ("annexe", "0002_add_wing"),
        ("stables", "0002_add_view"),
    ]
    assert stables.path("0002_add_view").read_bytes() == before


# Refusals: no file is changed


@pytest.fixture
def refused(merge, project):
    def run(*arguments, **options):
        before = project.contents()
        found = refusal(merge, *arguments, **options)
        assert project.contents() == before
        return found

    return run


def test_what_is_applied_is_not_renamed(branches, refused):
    applied = {
        ("annexe", "0001_initial"),
        ("annexe", "0002_add_view"),
        ("annexe", "0003_fill_view"),
    }
    assert refused(rebase="annexe.0002_add_view", applied=applied) == (
        "annexe.0002_add_view, annexe.0003_fill_view are applied in this database, which would not"
        " know them by another name. Nothing was written: undo them first with manage.py db"
        " downgrade annexe.0002_add_view-1, or rebase the other side.",
        3,
    )


def test_revision_before_the_fork_is_on_no_side(branches, refused):
    assert refused("annexe", rebase="0001") == (
        "annexe.0001_initial leads to annexe.0002_add_wing, annexe.0004_require_view, so it is not"
        " on one side of a fork: name a revision of the side that is to come last, as in manage.py"
        " db merge annexe --rebase 0004_require_view.",
        2,
    )


def test_revision_of_another_app_is_refused(branches, refused):
    assert refused("stables", rebase="annexe.0002_add_wing") == (
        "annexe.0002_add_wing is not of stables: write manage.py db merge annexe --rebase"
        " 0002_add_wing.",
        2,
    )
    text, code = refused(rebase="0009_gone")
    assert text.startswith("Can't locate revision identified by '0009_gone'.")
    assert code == 2


@pytest.mark.parametrize(
    "new, line",
    [
        (
            "dependencies = [('stables', '0001_initial'), ('annexe', '0003_' 'fill_view')]",
            16,
        ),
        (
            "dependencies = [('stables', '0001_initial'), ('annexe', '0003_' + 'fill_view')]",
            16,
        ),
        (
            "NAME = f'000{3}_fill_view'\n    dependencies = [('stables', '0001_initial'),"
            " ('annexe', NAME)]",
            17,
        ),
        (
            "dependencies = [('stables', '0001_initial'), ('annexe', '0003_'\n 'fill_view')]",
            16,
        ),
        (
            "dependencies = [('stables', '0001_initial')]\n"
            "    dependencies += [('annexe', name) for name in ('0003' + '_fill_view',)]",
            16,
        ),
    ],
)
def test_name_that_is_not_written_out_is_shown(branches, refused, project, new, line):
    old = "dependencies = [('stables', '0001_initial'), ('annexe', '0003_fill_view')]"
    stables = project.apps[1]
    text = stables.path("0002_fill").read_text()
    assert old in text
    stables.path("0002_fill").write_text(text.replace(old, new))
    project.reload()
    said, code = refused(rebase="annexe.0002_add_view")
    shown = files.shown(stables.path("0002_fill"))
    assert (said, code) == (
        f"{shown}, line {line}: what dependencies names is not written out there, so it"
        " cannot be rewritten to annexe.0004_fill_view. Nothing was written: write each name as"
        ' plain text, as in ("app", "0001_name"), and rebase again.',
        2,
    )


def test_parent_that_is_not_written_out_is_shown_too(branches, refused, project):
    path = branches.path("0002_add_view")
    path.write_text(path.read_text().replace("'0001_initial'", "'0001' '_initial'[:]"))
    project.reload()
    text, code = refused(rebase="0002_add_view")
    assert "is not written out there, so it cannot be rewritten to annexe.0002_add_wing" in text
    assert code == 2


def test_backfill_that_is_not_written_out_is_shown_too(branches, refused, project):
    path = branches.path("0004_require_view")
    path.write_text(
        path.read_text().replace("backfill='0003_fill_view'", "backfill='0003' + '_fill_view'")
    )
    project.reload()
    text, code = refused(rebase="0002_add_view")
    assert "what operations names is not written out there" in text
    assert code == 2


def test_side_that_the_other_needs_by_way_of_another_app_cannot_come_last(
    plain_rooms, refused, project
):
    stables = project.app("stables")
    plain_rooms.write("0002_add_view", VIEW, after=FIRST)
    stables.write("0001_initial", after=[("annexe", "0002_add_view")])
    plain_rooms.write("0002_add_wing", WING, after=[*FIRST, ("stables", "0001_initial")])
    assert refused(rebase="0002_add_view") == (
        "annexe.0002_add_wing needs annexe.0002_add_view through another application, so it cannot"
        " come first: put the other side last, with manage.py db merge annexe --rebase"
        " 0002_add_wing, or join both with manage.py db merge annexe.",
        2,
    )


def test_squashed_migration_is_refused(plain_rooms, refused, project):
    plain_rooms.write("0002_add_view", VIEW, after=FIRST)
    plain_rooms.write("0002_add_x", after=FIRST)
    plain_rooms.write("0002_add_x_squashed_0003", after=FIRST)
    path = plain_rooms.path("0002_add_x_squashed_0003")
    path.write_text(
        path.read_text().replace(
            "    atomic", "    replaces = [('annexe', '0002_add_x')]\n    atomic"
        )
    )
    project.reload()
    assert refused(rebase="0002_add_x_squashed_0003") == (
        "annexe.0002_add_x_squashed_0003 is squashed, and a database may know the old names: delete"
        " the replaced files and the line replaces first, or join both sides with manage.py db"
        " merge annexe.",
        2,
    )


def test_side_without_a_parent_is_refused(plain_rooms, refused):
    plain_rooms.write("0002_add_view", VIEW, after=FIRST)
    plain_rooms.write("0001_begin", after=[])
    text, code = refused(rebase="0001_begin")
    assert (
        "0001_begin.py depends on no migration of annexe that annexe.0002_add_view could take the"
        " place of: write ('annexe', '0002_add_view') into its dependencies instead." in text
    )
    assert code == 2


def test_name_that_is_taken_is_refused(plain_rooms, refused):
    plain_rooms.write("0002_add_view", VIEW, after=FIRST)
    plain_rooms.write("0003_add_view", WING, after=FIRST)
    plain_rooms.write("0002_add_wing", after=[("annexe", "0003_add_view")])
    assert refused(rebase="0002_add_view") == (
        "annexe.0003_add_view has the name that another file would get: rename one of the two"
        " first, and what refers to it.",
        2,
    )
