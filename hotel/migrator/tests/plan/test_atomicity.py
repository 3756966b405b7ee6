"""What no transaction can hold is refused before the first statement, either way."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from hotel.migrator.exceptions import RefusedByPreflight
from hotel.migrator.plan import atomicity
from hotel.migrator.tests.looking import looked

BY = 'models.Index(fields=["floor"], name="by_floor")'
CODE = (
    "from django.contrib.postgres import operations as postgres\n"
    "from hotel.migrator.constraints import Exclusion\n"
)
BOTH, POSTGRESQL = ("postgresql", "sqlite"), ("postgresql",)
# The operation, its words, why it cannot be in a transaction, and on which engines.
NOT_IN_ONE = {
    "AddIndex": (
        f'operations.AddIndex("room", {BY})',
        "Create index by_floor on field(s) floor of model room",
        *("an index is made or dropped CONCURRENTLY outside of one", POSTGRESQL),
    ),
    "AddIndexConcurrently": (
        f'postgres.AddIndexConcurrently("room", {BY})',
        "Concurrently create index by_floor on field(s) floor of model room",
        *("an index is made or dropped CONCURRENTLY outside of one", BOTH),
    ),
    "within": (
        f'migrations.SeparateDatabaseAndState([operations.AddIndex("room", {BY})])',
        "Create index by_floor on field(s) floor of model room",
        *("an index is made or dropped CONCURRENTLY outside of one", POSTGRESQL),
    ),
    "RequireField": (
        'operations.RequireField("room", "floor", models.IntegerField(), backfill="0001")',
        "Require floor of room",
        *("it takes its steps in transactions of its own", BOTH),
    ),
    "RunSQL": (
        'migrations.RunSQL(["SELECT 1", "/* so */ create unique index -- it\\nconcurrently i ON'
        ' annexe_room (number)"], "DROP INDEX CONCURRENTLY i")',
        "Raw SQL operation",
        *("create unique index concurrently is run outside of one", POSTGRESQL),
    ),
    "VACUUM": (
        'migrations.RunSQL("VACUUM", migrations.RunSQL.noop)',
        "Raw SQL operation",
        *("VACUUM is run outside of one", BOTH),
    ),
}


@pytest.mark.parametrize("operation, words, why, engines", NOT_IN_ONE.values(), ids=NOT_IN_ONE)
def test_what_cannot_be_in_a_transaction_is_refused(rooms, history, operation, words, why, engines):
    rooms.write("0002_add", 'migrations.AddField("room", "code", models.IntegerField(null=True))')
    rooms.write("0003_wrong", f"{operation},", code=CODE)
    found = [one for one in looked() if one.kind == "transaction"]
    if connection.vendor not in engines:
        assert found == []
        return
    assert [one.line() for one in found] == [
        f"Refused: annexe.0003_wrong ({words}) cannot be applied in a transaction: {why}."
        " Write atomic = False into its Migration, and run manage.py db upgrade again."
    ]
    with pytest.raises(RefusedByPreflight) as error:
        rooms.migrate()
    assert found[0].line() in str(error.value)
    assert history.execute("SELECT name FROM django_migrations WHERE app = 'annexe'") == [
        ("0001_initial",)
    ]
    printed = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("db", "upgrade", "--plan", stdout=printed)
    assert end.value.code == 3
    assert found[0].line() in printed.getvalue()
    assert printed.getvalue().count("0003_wrong (") == 1  # and nothing of its locks
    rooms.path("0003_wrong").write_text(
        rooms.path("0003_wrong").read_text().replace("atomic = True", "atomic = False")
    )
    rooms.project.reload()
    assert [one for one in looked() if one.kind == "transaction"] == []


@pytest.mark.postgresql
@pytest.mark.parametrize("operation", ["RunSQL", "AddIndex", "AddIndexConcurrently", "within"])
def test_the_way_down_is_refused_too(rooms, history, operation):
    rooms.write("0002_wrong", f"{NOT_IN_ONE[operation][0]},", code=CODE, atomic=False).migrate()
    path = rooms.path("0002_wrong")
    path.write_text(path.read_text().replace("atomic = False", "atomic = True"))
    rooms.project.reload()
    with pytest.raises(RefusedByPreflight, match=r"cannot be undone in a transaction: "):
        rooms.migrate("0001")
    path.write_text(path.read_text().replace("atomic = True", "atomic = False"))
    rooms.project.reload()
    rooms.migrate("0001")


def test_it_is_refused_on_an_empty_database_too(annexe, history):
    annexe.write(
        "0001_initial",
        'migrations.CreateModel("Room", [("id", models.AutoField(primary_key=True))]),'
        'migrations.RunSQL("VACUUM", migrations.RunSQL.noop)',
    )
    with pytest.raises(
        RefusedByPreflight, match=r"annexe\.0001_initial \(Raw SQL operation\) cann"
    ):
        annexe.migrate()
    assert "annexe_room" not in connection.introspection.table_names()


@pytest.mark.postgresql
def test_statements_in_one_text_are_a_transaction(rooms):
    sql = "SELECT 1; VACUUM annexe_room"
    rooms.write("0002_clean", f'migrations.RunSQL("{sql}", migrations.RunSQL.noop)', atomic=False)
    [found] = looked()
    assert found.line() == (
        "Refused: annexe.0002_clean (Raw SQL operation) cannot be applied as it is: VACUUM stands"
        " in one text with other statements, which PostgreSQL runs in a transaction. Give each"
        " statement an entry of its own in the list of SQL, and run manage.py db upgrade again."
    )
    with pytest.raises(RefusedByPreflight):
        rooms.migrate()
    listed = sql.split("; ")
    rooms.write(
        "0002_clean",
        f"migrations.RunSQL({listed}, migrations.RunSQL.noop)",
        atomic=False,
        after=[("annexe", "0001_initial")],
    )
    rooms.migrate()


@pytest.mark.postgresql
def test_an_exclusion_needs_a_transaction(rooms):
    rooms.write(
        "0002_rule",
        'operations.AddRules("room", [Exclusion(name="p", same=["number"])])',
        code=CODE,
        atomic=False,
    )
    [found] = [one for one in looked() if one.kind == "transaction"]
    assert found.line().startswith(
        "Refused: annexe.0002_rule (Add rules to room: p) cannot be applied without a transaction:"
        " an Exclusion locks its table while its index is built. Take atomic = False out of its"
        " Migration, and run "
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'VACUUM'; -- ; VACUUM",
        "DO $$ BEGIN PERFORM 1; VACUUM; END $$",
        'ALTER TABLE "x; VACUUM" ADD y int',
        "CREATE INDEX concurrently_made ON t (c)",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "REINDEX TABLE t",
        "SELECT 1 /* ; VACUUM ; */",
    ],
)
def test_what_a_transaction_can_hold_is_told_apart(sql):
    assert atomicity.alone(sql) == ""
