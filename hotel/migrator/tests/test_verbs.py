"""``manage.py db``: up and down by steps, where the database stands, and what was done to it."""

import json
import re
from contextlib import closing
from io import StringIO

import pytest
from django.apps import apps as registry
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_migrate, pre_migrate

from hotel.migrator.exceptions import WrongUse
from hotel.migrator.locking.run_locks import run_lock
from hotel.migrator.storage.journal import entries
from hotel.migrator.tests.commands import at, db, journal, pairs, refused, table


def tables(history):
    return [name for name in history.tables() if name.startswith(("annexe_", "bar_"))]


def test_steps_go_up_and_down_one_by_one(apps, history):
    assert db("upgrade", "+2") == (
        "To apply: 2 migrations\n"
        "  Applying annexe.0001_initial... OK\n"
        "  Applying annexe.0002_add_desks... OK\n"
    )
    assert tables(history) == ["annexe_bed", "annexe_desk"]
    db("upgrade", "bar@+1")
    assert db("downgrade", "-1") == (
        "To unapply: 1 migration: bar.0001_initial\n"
        "  Rendering model states... DONE\n"
        "  Unapplying bar.0001_initial... OK\n"
    )
    db("downgrade", "-1")
    assert at() == ["annexe.0001"]
    assert tables(history) == ["annexe_bed"]
    db("upgrade")
    assert sorted(at()) == ["annexe.0001", "annexe.0002", "annexe.0003", "bar.0001", "bar.0002"]
    assert db("upgrade") == "Nothing to do: the database is there already.\n"


def test_what_comes_along_is_named_before_it_is_done(apps, history):
    assert db("upgrade", "bar").splitlines()[0] == (
        "To apply: 4 migrations, of which 2 only because they are needed by the others:"
        " annexe.0001_initial, annexe.0002_add_desks"
    )
    assert refused("downgrade", "annexe.0001") == (
        "'annexe.0001' takes along 1 migration of other applications that depends on what goes:"
        " bar.0002_add_bottles. Nothing was changed; manage.py db downgrade annexe.0001 --cascade"
        " undoes it too.",
        3,
    )
    assert tables(history) == ["annexe_bed", "annexe_desk", "bar_bottle", "bar_glass"]
    db("downgrade", "annexe.0001", "--cascade")
    assert at() == ["annexe.0001", "bar.0001"]


def test_a_plan_is_shown_and_nothing_done(apps, history):
    assert db("upgrade", "annexe.0002", "--plan") == (
        "To apply: 2 migrations.\n  + annexe.0001_initial\n  + annexe.0002_add_desks\n"
    )
    assert tables(history) == []
    assert json.loads(db("upgrade", "+1", "--json")) == {
        "backwards": False,
        "steps": [{"revision": "annexe.0001_initial", "required": False}],
        "findings": [],
    }


def test_wrong_words_end_with_2_and_change_nothing(apps, history):
    assert refused("upgrade", "bar.0009")[1] == 2
    assert refused("downgrade", "-1")[1] == 2
    assert refused("downgrade") == (
        "Name one thing to go down to: a target such as -1 or app.0003, or --run last, or --to-date"
        " 2026-01-31. manage.py db downgrade --help explains them.",
        2,
    )
    assert refused("downgrade", "--to-date", "2026-02-30") == (
        "'2026-02-30' is not a date: write --to-date 2026-01-31, the day to whose end to go back,"
        " or 2026-01-31T12:00.",
        2,
    )
    assert refused("stamp") == (
        "Name where the database stands, such as app.0003, heads or base; or --purge."
        " manage.py db stamp --help explains them.",
        2,
    )
    assert [refused("history", "--applied", "--latest", n) for n in ("0", "-3")] == [
        ("--latest takes how many lines to show, 1 or more.", 2)
    ] * 2
    assert refused("history", "--latest", "3") == (
        "--latest is for the journal: write manage.py db history --applied --latest 3.",
        2,
    )
    assert refused("history", "--app", "spa") == (
        "No application 'spa' has migrations; these have: annexe, bar.",
        2,
    )
    assert tables(history) == []


def test_what_the_last_run_applied_is_undone(apps, history):
    db("upgrade", "annexe.0001")
    db("upgrade", "bar")
    db("downgrade", "--run", "last")
    assert at() == ["annexe.0001"]
    db("downgrade", "--run", "last")
    assert at() == []
    assert refused("downgrade", "--run", "last")[1] == 2


def test_of_the_last_run_other_applications_stay_unless_they_are_asked_for(apps, settings):
    settings.MIGRATION_SCOPE = ["annexe"]
    db("upgrade", "annexe.0001")
    db("upgrade", "annexe", "bar.0001")
    db("upgrade", "bar")
    db("downgrade", "--run", "last", "--cascade")
    assert at() == ["annexe.0001", "bar.0001"]
    db("upgrade", "annexe.0002", "bar.0002")
    sentence, code = refused("downgrade", "--run", "last")
    assert code == 3
    assert sentence.endswith("manage.py db downgrade --run last --cascade undoes it too.")
    db("downgrade", "--run", "last", "--all-apps")
    assert at() == ["annexe.0001", "bar.0001"]


def test_going_back_to_a_day_undoes_what_came_after_it(apps, history):
    db("upgrade", "annexe.0002")
    history.execute("UPDATE django_migrations SET applied = '2026-01-31 10:00:00+00:00'")
    db("upgrade", "bar.0001")
    assert db("downgrade", "--to-date", "2026-01-31", "--plan").startswith(
        "To unapply: 1 migration.\n  - bar.0001_initial\n"
    )
    db("downgrade", "--to-date", "2026-01-31T18:00")
    assert at() == ["annexe.0001", "annexe.0002"]
    db("downgrade", "--to-date", "2026-01-30")
    assert at() == []


def test_where_it_stands(apps, history):
    assert db("current") == "annexe <base> 3 behind\nbar <base> 2 behind\n"
    db("upgrade", "bar")
    assert db("current") == "annexe.0002_add_desks 1 behind\nbar.0002_add_bottles (head)\n"
    assert db("current", "--frontier") == "bar.0002_add_bottles (head)\n"
    with pytest.raises(SystemExit) as ended:
        db("current", "--check-heads")
    assert ended.value.code == 1
    db("upgrade")
    db("current", "--check-heads")
    shown = json.loads(db("current", "--json"))
    assert [row["revision"] for row in shown["apps"]] == [
        "annexe.0003_add_lamps",
        "bar.0002_add_bottles",
    ]
    assert shown["at_heads"] is True


def test_a_plan_that_would_be_refused_ends_so_and_waits_for_nobody(apps, history, settings):
    settings.MIGRATOR_WAIT = 0
    history.execute("CREATE TABLE annexe_bed (id integer)")
    other = connection.copy()
    with closing(other), run_lock(other):
        db("stamp", "annexe.0002", "--plan", "--force")
        with pytest.raises(SystemExit) as ended:
            db("upgrade", "--plan")
    assert ended.value.code == 3


def test_what_says_two_things_is_refused(apps):
    for words in (
        ["history", "--applied", "-i"],
        ["history", "--applied", "-r", "base:"],
        ["merge", ""],
        ["revision", "-m", "Add beds", "--autogenerate", "--template", "data"],
    ):
        with pytest.raises(WrongUse):
            db(*words)


def test_what_was_done_to_one_app_and_last(apps):
    db("upgrade")
    assert "annexe" not in db("history", "--applied", "--app", "bar")
    every = db("history", "--applied").splitlines()
    assert db("history", "--applied", "--latest", "2").splitlines() == every[:2]


def test_a_failure_is_a_document_too(apps):
    out = StringIO()
    with pytest.raises(WrongUse) as refused:
        call_command("db", "upgrade", "nowhere", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"error": str(refused.value), "exit_code": 2}


def test_revisions_are_listed_newest_first(apps, history):
    line = "A migration of a throw-away app."
    assert db("history") == (
        f"bar.0001_initial (annexe.0002_add_desks) -> bar.0002_add_bottles (head), {line}\n"
        f"<base> -> bar.0001_initial, {line}\n"
        f"annexe.0002_add_desks -> annexe.0003_add_lamps (head), {line}\n"
        f"annexe.0001_initial -> annexe.0002_add_desks, {line}\n"
        f"<base> -> annexe.0001_initial, {line}\n"
    )
    db("upgrade", "annexe.0002")
    assert db("history", "-i", "--app", "annexe").count("(applied)") == 2
    assert "0003" not in db("history", "--rev-range=-1:current")


def test_what_was_done_is_listed_with_times_and_failures(apps, history):
    db("upgrade", "annexe.0001")
    db("downgrade", "-1")
    lines = db("history", "--applied").splitlines()
    pattern = (
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [-+] annexe\.0001_initial finished \d+\.\d\d s, 0 rows"
        r" run [0-9a-f]{8} by \S+ on \S+( of [0-9a-f]{10})?"
    )
    assert [bool(re.fullmatch(pattern, line)) for line in lines] == [True, True]
    assert [line.split()[2] for line in lines] == ["-", "+"]


def test_a_stamp_records_what_is_needed_and_forgets_what_follows(apps, history):
    assert db("stamp", "bar.0002", "--force") == (
        "recorded: annexe.0001_initial\n"
        "recorded: annexe.0002_add_desks\n"
        "recorded: bar.0001_initial\n"
        "recorded: bar.0002_add_bottles\n"
    )
    assert tables(history) == []
    assert db("stamp", "annexe.0001", "--force") == (
        "not recorded any more: bar.0002_add_bottles\n"
        "not recorded any more: annexe.0002_add_desks\n"
    )
    assert at() == ["annexe.0001", "bar.0001"]
    assert db("stamp", "annexe.0001") == "Nothing to change: that is recorded already.\n"
    db("stamp", "base", "annexe.0002", "--force")
    assert at() == ["annexe.0001", "annexe.0002"]
    db("stamp", "base")
    assert at() == []
    assert refused("stamp", "+1")[1] == 2
    assert refused("stamp", "annexe@base", "bar.0002") == (
        "'annexe@base' says that annexe.0001_initial is not applied, and another of these places"
        " needs it: name one or the other.",
        2,
    )


def test_a_stamp_is_refused_where_the_database_does_not_stand(apps, history):
    db("upgrade", "bar.0001")
    assert refused("stamp", "bar.0002") == (
        "The database does not stand there, so nothing was recorded. The table annexe_bed is"
        " missing, since annexe.0001_initial. The table annexe_desk is missing, since"
        " annexe.0002_add_desks. The table bar_bottle is missing, since bar.0002_add_bottles."
        " Stamp where it stands, or mend it and stamp again; --force records it all the same.",
        3,
    )
    assert at() == ["bar.0001"]
    db("upgrade")
    record = MigrationRecorder.Migration.objects.filter(app="annexe")
    record.delete()  # a dump that was put together by hand
    history.insert(
        "django_migrations", app="annexe", name="0009_gone", applied="2026-01-01 00:00:00+00:00"
    )
    assert db("stamp", "annexe", "--plan") == (
        "recorded: annexe.0001_initial\n"
        "recorded: annexe.0002_add_desks\n"
        "recorded: annexe.0003_add_lamps\n"
    )
    assert record.count() == 1
    db("stamp", "annexe", "--purge")
    assert at() == ["bar.0001", "bar.0002", "annexe.0001", "annexe.0002", "annexe.0003"]
    assert entries(connection)[-1].remark is None
    db("stamp", "annexe.0002", "--force")
    assert entries(connection)[-1].remark == "stamped by force, without a look at the database"


def test_a_record_without_its_file_is_shown_and_forgotten_on_request(apps, history):
    db("upgrade", "annexe")
    history.insert(
        "django_migrations", app="annexe", name="0009_gone", applied="2026-01-01 00:00:00+00:00"
    )
    assert (
        "!! annexe.0009_gone (file missing): bring it back, or manage.py db stamp --purge\n"
        in db("current")
    )
    sentence, code = refused("downgrade", "-1")
    assert (sentence.split(",")[0], code) == ("annexe.0009_gone would be the next to undo", 2)
    assert db("stamp", "--purge") == "forgotten, its file is missing: annexe.0009_gone\n"
    assert at() == ["annexe.0001", "annexe.0002", "annexe.0003"]
    assert journal()[-2:] == [
        ("0009_gone", "backward", "started"),
        ("0009_gone", "backward", "finished"),
    ]


def test_two_that_go_down_by_one_take_a_step_each(apps, history):
    db("upgrade")
    runs = apps.together(2, "downgrade", "-1", command="db")
    assert sorted(code for code, _ in runs) == [0, 0]
    assert len(at()) == 3


def test_forks_are_shown(apps):
    assert db("branches") == ""
    apps.apps[0].write("0003_add_shelves", table("Shelf"), after=[("annexe", "0002_add_desks")])
    assert db("branches") == (
        "annexe.0002_add_desks (branchpoint)\n"
        "    -> annexe.0003_add_lamps\n"
        "    -> annexe.0003_add_shelves\n"
    )
    assert refused("upgrade") == (
        "Conflicting migrations detected: annexe has the leaves annexe.0003_add_lamps,"
        " annexe.0003_add_shelves. Join them with manage.py db merge annexe.",
        2,
    )
    db("upgrade", "annexe.0003_add_s")
    assert journal() == pairs("0001_initial", "0002_add_desks", "0003_add_shelves")


# Graphs and databases that are not plain


def squash(annexe):
    """Replace annexe's first two migrations by one."""
    annexe.write(
        "0001_squashed_0002",
        f"{table('Bed')},\n{table('Desk')}",
        after=[],
        code="REPLACED = [('annexe', '0001_initial'), ('annexe', '0002_add_desks')]",
    )
    path = annexe.path("0001_squashed_0002")
    text = path.read_text()
    path.write_text(text.replace("    atomic =", "    replaces = REPLACED\n    atomic ="))
    annexe.project.reload()


def test_a_squashed_migration_is_one_step_and_all_its_records(apps, history):
    annexe = apps.apps[0]
    db("upgrade", "annexe.0002")
    squash(annexe)
    assert db("current").splitlines()[0] == "annexe.0001_squashed_0002 1 behind"
    db("upgrade", "+1")  # whatever comes next
    db("downgrade", "-1")
    db("downgrade", "-1")
    assert at() == []
    assert tables(history) == []
    db("upgrade", "annexe.0001")
    # All that it stands for is recorded, and it too.
    assert sorted(at()) == ["annexe.0001", "annexe.0001", "annexe.0002"]
    assert tables(history) == ["annexe_bed", "annexe_desk"]


def test_a_squashed_migration_ran_when_what_it_stands_for_did(apps, history):
    annexe, bar = apps.apps
    annexe.path("0003_add_lamps").unlink()
    bar.path("0002_add_bottles").unlink()
    apps.reload()
    db("upgrade", "annexe")
    history.execute("UPDATE django_migrations SET applied = '2026-01-31 10:00:00+00:00'")
    db("upgrade", "bar")
    squash(annexe)
    apps.migrate()
    assert at() == ["annexe.0001", "annexe.0002", "bar.0001", "annexe.0001"]  # recorded only now
    for target in (["-1"], ["--to-date", "2026-02-01"]):
        assert db("downgrade", *target, "--plan").startswith(
            "To unapply: 1 migration.\n  - bar.0001_initial\n"
        )
    db("downgrade", "-1")
    assert tables(history) == ["annexe_bed", "annexe_desk"]


def test_what_changes_no_table_is_a_step_all_the_same(apps, history):
    annexe = apps.apps[0]
    annexe.write("0004_say_bunk", 'migrations.AlterModelOptions("bed", {"verbose_name": "bunk"})')
    annexe.write("0005_nothing")
    db("upgrade", "annexe")
    db("downgrade", "-1")
    assert at()[-1] == "annexe.0004"
    db("downgrade", "-1")
    assert at()[-1] == "annexe.0003"


def test_who_listens_to_migrate_hears_of_steps_with_the_models_of_then(apps):
    heard = []

    def listen(sender, apps, plan, **kwargs):
        names = sorted(model.__name__ for model in apps.get_models())
        heard.append((names, [(step.name, backwards) for step, backwards in plan]))

    for signal in (pre_migrate, post_migrate):
        signal.connect(listen, sender=registry.get_app_config("migrator"))
    try:
        db("upgrade", "annexe.0002")
        db("downgrade", "-1")
    finally:
        for signal in (pre_migrate, post_migrate):
            signal.disconnect(listen, sender=registry.get_app_config("migrator"))
    up, down = [("0001_initial", False), ("0002_add_desks", False)], [("0002_add_desks", True)]
    assert heard == [([], up), (["Bed", "Desk"], up), (["Bed", "Desk"], down), (["Bed"], down)]


def test_models_of_what_was_undone_out_of_order_are_gone(apps):
    heard = []

    def listen(sender, apps, **kwargs):
        heard.append([model.__name__ for model in apps.get_models()])

    db("upgrade", "bar.0001")
    db("upgrade", "annexe.0001")  # which comes first in the graph, and goes first too
    post_migrate.connect(listen, sender=registry.get_app_config("migrator"))
    try:
        db("downgrade", "-2")
    finally:
        post_migrate.disconnect(listen, sender=registry.get_app_config("migrator"))
    assert heard == [[]]


def test_another_database_stands_where_it_stands(apps, tmp_path):
    settings = {**connection.settings_dict, "ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}
    connections.databases["other"] = {**settings, "NAME": str(tmp_path / "other.sqlite3")}
    try:
        db("upgrade", "annexe.0001")
        call_command("migrate", "bar", database="other", verbosity=0)
        assert db("current").splitlines()[0] == "annexe.0001_initial 2 behind"
        assert db("current", database="other").splitlines()[0] == "annexe.0002_add_desks 1 behind"
        db("downgrade", "-1", database="other")
        assert at() == ["annexe.0001"]
        assert [entry.name for entry in journal_of("other", event="finished")][-1] == (
            "0002_add_bottles"
        )
    finally:
        connections["other"].close()
        del connections["other"], connections.databases["other"]


def journal_of(alias, **conditions):
    return entries(connections[alias], **conditions)


# Verbs that write files: what they write is tested in test_writing.py and its neighbours


def test_a_revision_is_written_and_refused_until_it_is_filled_in(apps):
    db("upgrade")
    said = db("revision", "-m", "Add deposit system", "--app", "annexe", "--template", "sql")
    assert "0004_add_deposit_system.py" in said
    apps.reload()
    assert refused("upgrade")[1] == 3
    assert refused("revision", "-m", "Update")[1] == 2
    path = apps.apps[0].path("0004_add_deposit_system")
    path.unlink()
    apps.reload()


def test_a_model_is_written_down(apps):
    key = "    id = models.AutoField(primary_key=True)\n"
    apps.apps[1].models("".join(f"class {name}(models.Model):\n{key}" for name in BAR))
    said = db("revision", "-m", "Add spoons", "--autogenerate", "--app", "bar", "--noinput")
    assert "0003_add_spoons.py" in said
    apps.reload()
    db("upgrade", "bar")
    assert at()[-1] == "bar.0003"


BAR = ("Glass", "Bottle", "Spoon")


def test_two_ends_are_joined(apps):
    apps.apps[0].write("0003_add_shelves", table("Shelf"), after=[("annexe", "0002_add_desks")])
    db("merge", "annexe", "-m", "Merge lamps and shelves", "--noinput")
    apps.reload()
    db("upgrade")
    assert "annexe.0004" in at()


def test_what_is_applied_is_not_numbered_anew(apps):
    db("upgrade")
    apps.apps[0].write("0003_add_shelves", table("Shelf"), after=[("annexe", "0002_add_desks")])
    assert refused("merge", "annexe", "--rebase", "0003_add_lamps")[1] in (2, 3)
    db("merge", "annexe", "--rebase", "0003_add_shelves")
    apps.reload()
    db("upgrade")
    assert at()[-1] == "annexe.0004"


def test_figures_of_the_files(apps):
    db("upgrade", "+1")
    found = json.loads(db("stats", "--json"))
    assert found["apps"]["annexe"]["applied"] == 1
    assert found["total"]["migrations"] == 5
    assert "In all" in db("stats")
