"""RunPythonForNewRows: a row is met once, and what was inserted for it goes and comes."""

import pytest


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
        'operations.RunPythonForNewRows(join, "user")',
        code="""
            def join(apps, users):
                Member = apps.get_model("annexe", "Member")
                return Member.objects.using(users.db).bulk_create(
                    Member(user=user) for user in users.filter(floor__lt=3).order_by("pk")
                )
        """,
    )
    annexe.migrate("0001_initial")
    for floor in (1, 2, 3):
        history.insert("annexe_user", floor=floor)
    return annexe


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
    path.write_text(path.read_text().replace("return Member", "1 / 0; return Member"))
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
