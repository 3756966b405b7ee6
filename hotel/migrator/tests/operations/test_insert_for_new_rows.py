"""InsertForNewRows: a row is met once, and what was inserted for it goes and comes."""

import pytest
from django.db import connection


@pytest.fixture
def members(annexe, history):
    """Users, of whom 0002 makes each low one a member of a club, once."""
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "User",
            [("id", models.AutoField(primary_key=True)), ("floor", models.IntegerField())],
        ),
        operations.CreateModel(
            "Member",
            [
                ("id", models.AutoField(primary_key=True)),
                ("user", models.ForeignKey("annexe.User", models.CASCADE)),
            ],
        ),
        """,
    )
    annexe.write(
        "0002_join",
        'operations.InsertForNewRows(join, "user")',
        code="""
            def join(apps, users):
                Member = apps.get_model("annexe", "Member")
                return [operations.Insert(Member, users.filter(floor__lt=3), user=F("pk"))]
        """,
    )
    annexe.migrate("0001_initial")
    for floor in (1, 2, 3):
        history.insert("annexe_user", floor=floor)
    return annexe


WRITING = ("WITH", "INSERT", "UPDATE", "DELETE", "SELECT setval")
MEMBERS = "SELECT id, user_id FROM annexe_member ORDER BY id"


def test_code_meets_each_row_once_however_often_it_goes_up_and_down(members, project, history):
    start = project.facts()
    members.migrate()
    assert history.execute(MEMBERS) == [(1, 1), (2, 2)]
    head = project.facts()
    members.migrate("0001_initial")
    assert project.facts() == start
    members.migrate()
    assert project.facts() == head

    history.execute("DELETE FROM annexe_member WHERE user_id = 2")
    members.migrate("0001_initial")
    history.insert("annexe_user", floor=0)
    members.migrate()
    assert history.execute("SELECT user_id FROM annexe_member ORDER BY id") == [(1,), (4,)]


def test_rows_that_somebody_else_inserted_stay_on_the_way_down(members, history):
    members.migrate()
    history.insert("annexe_member", user_id=3)
    members.migrate("0001_initial")
    assert history.execute(MEMBERS) == [(3, 3)]
    members.migrate()
    assert history.execute(MEMBERS) == [(1, 1), (2, 2), (3, 3)]


def test_inserted_row_whose_user_is_gone_stays_in_the_archive(members, project, history):
    members.migrate().migrate("0001_initial")
    history.execute("DELETE FROM annexe_user WHERE id = 1")
    members.migrate()
    assert history.execute(MEMBERS) == [(2, 2)]
    assert ("annexe_member", "", "1") in [entry[1:4] for entry in project.archive()]


def test_code_that_fails_leaves_everything_as_it_was(members, project):
    path = members.path("0002_join")
    path.write_text(path.read_text().replace("return [", "1 / 0; return ["))
    project.reload()
    facts = project.facts()
    with pytest.raises(ZeroDivisionError):
        members.migrate()
    assert project.facts() == facts


def test_a_line_says_how_many_rows_were_met_and_added(members, caplog):
    caplog.set_level("INFO", "hotel.migrator")
    members.migrate()
    assert [line.strip() for line in caplog.messages if "read" in line] == [
        "annexe.0002_join: 3 rows read, 2 added"
    ]
    caplog.clear()
    members.migrate("0001_initial").migrate()  # nobody is new
    assert [line for line in caplog.messages if "read" in line] == []


def test_the_database_numbers_the_new_rows_in_the_order_of_the_query(members, history):
    path = members.path("0002_join")
    text = path.read_text()
    path.write_text(text.replace("floor__lt=3)", 'floor__lt=9).order_by("-floor")'))
    members.project.reload()
    members.migrate()
    assert history.execute(MEMBERS) == [(1, 3), (2, 2), (3, 1)]


def test_keys_follow_those_that_the_table_has_or_had(members, history):
    history.insert("annexe_member", id=40, user_id=3)
    members.migrate()
    assert history.execute(MEMBERS) == [(40, 3), (41, 1), (42, 2)]
    history.execute("DELETE FROM annexe_member WHERE id = 42")
    members.migrate("0001_initial")
    history.insert("annexe_user", floor=0)
    members.migrate()
    assert history.execute(MEMBERS) == [(40, 3), (41, 1), (43, 4)]


def test_row_of_somebody_else_under_a_key_that_was_ours_is_not_taken_for_ours(members, history):
    members.migrate().migrate("0001_initial")
    history.insert("annexe_member", id=1, user_id=3)
    members.migrate()
    assert history.execute(MEMBERS) == [(1, 3), (2, 2)]
    members.migrate("0001_initial")
    assert history.execute(MEMBERS) == [(1, 3)]
    history.execute("DELETE FROM annexe_member WHERE id = 1")
    members.migrate()
    assert history.execute(MEMBERS) == [(1, 1), (2, 2)]


def test_statements_are_the_same_whatever_the_rows_are(members, history):
    """A script that is written on an empty database is what would run here."""

    def ran(target):
        found = []

        def note(execute, sql, params, *arguments):
            if sql.startswith(WRITING) and ("annexe_member" in sql or "migrator_archive" in sql):
                found.append((sql, params))
            return execute(sql, params, *arguments)

        with connection.execute_wrapper(note):
            members.migrate(target)
        return found

    with_rows = [ran(target) for target in ("0002_join", "0001_initial", "0002_join")]
    members.migrate("zero").migrate("0001_initial")
    history.execute("DELETE FROM annexe_user")
    assert [ran(target) for target in ("0002_join", "0001_initial", "0002_join")] == with_rows
    assert all(with_rows)


# InsertMissing


def test_what_is_missing_is_inserted_in_order_and_stays(annexe, history):
    annexe.write(
        "0001_initial",
        """
        operations.CreateModel(
            "Tag",
            [
                ("id", models.AutoField(primary_key=True)),
                ("word", models.CharField(max_length=9, unique=True)),
            ],
        )
        """,
    )
    annexe.write(
        "0002_add_tags", """operations.InsertMissing("tag", "word", ["late", "100%", "early"])"""
    )
    annexe.migrate("0001_initial")
    history.insert("annexe_tag", word="100%")
    there = [(1, "100%"), (2, "late"), (3, "early")]
    for target in ("0002_add_tags", "0001_initial", "0002_add_tags"):
        annexe.migrate(target)
        assert history.execute("SELECT id, word FROM annexe_tag ORDER BY id") == there
