"""Two tables in one order by a client, in the other by a migration: the client gets both."""

from threading import Event, Thread

import pytest
from django.db import DatabaseError, connection

from hotel.migrator import preflight
from hotel.migrator.tests.commands import ROOM_AND_BED
from hotel.migrator.tests.looking import looked

pytestmark = pytest.mark.postgresql
UPDATE = "UPDATE annexe_{} SET id = id"
BOTH = f"{UPDATE.format('room')}; {UPDATE.format('bed')}"
SQL = 'migrations.RunSQL("{}", migrations.RunSQL.noop),'
ADD = 'migrations.AddField("{}", "width", models.IntegerField(null=True)),'
IN_A_TRANSACTION = {
    "operations": ADD.format("room") + ADD.format("bed"),
    "sql": SQL.format(UPDATE.format("room")) + SQL.format(UPDATE.format("bed")),
    "one text": SQL.format(BOTH),
    "sql and operation": SQL.format(UPDATE.format("room")) + ADD.format("bed"),
}


class Client(Thread):
    """Changes the rows of one table, and of another as soon as somebody waits for the first."""

    def __init__(self, first, second):
        super().__init__()
        self.second = second
        self.session, self.other = connection.copy(), connection.copy()
        self.gives_up, self.error = Event(), None
        for one in (self.session, self.other):
            one.inc_thread_sharing()
        self.session.set_autocommit(False)
        with self.session.cursor() as cursor:
            cursor.execute(UPDATE.format(first))
            cursor.execute("SELECT pg_backend_pid()")
            [self.pid] = cursor.fetchone()

    def run(self):
        """Wait until it is waited for, and go on."""
        try:
            while not (self.gives_up.is_set() or self.is_in_the_way()):
                pass
            with self.session.cursor() as cursor:
                cursor.execute(UPDATE.format(self.second))
            self.session.commit()
        except DatabaseError as error:
            self.error = error
        finally:
            self.session.close()
            self.other.close()

    def is_in_the_way(self):
        """Tell whether somebody waits for this client."""
        with self.other.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND %s = ANY(pg_blocking_pids(pid)))",
                [self.pid],
            )
            return cursor.fetchone()[0]


@pytest.fixture
def beds(annexe, history):
    """Two tables with a row each."""
    annexe.write("0001_initial", ROOM_AND_BED).migrate()
    history.execute("INSERT INTO annexe_room DEFAULT VALUES")
    history.execute("INSERT INTO annexe_bed (room_id) VALUES (1)")
    return annexe


@pytest.mark.parametrize("first, second", [("room", "bed"), ("bed", "room")])
@pytest.mark.parametrize("operations", IN_A_TRANSACTION.values(), ids=IN_A_TRANSACTION)
def test_a_client_that_locks_in_another_order_goes_on(beds, operations, first, second):
    beds.write("0002_change", operations)
    client = Client(first, second)
    client.start()
    try:
        beds.migrate()
    finally:
        client.gives_up.set()
        client.join()
    assert client.error is None


def test_a_client_inserts_while_the_key_that_it_refers_to_changes(beds, history):
    beds.write(
        "0002_change",
        'migrations.AlterField("room", "id", models.BigAutoField(primary_key=True)),'
        'migrations.AlterField("bed", "id", models.BigAutoField(primary_key=True)),',
    )
    session, ended, errors = connection.copy(), Event(), []
    session.inc_thread_sharing()

    def insert():
        try:
            with session.cursor() as cursor:
                while not ended.is_set():
                    cursor.execute("INSERT INTO annexe_bed (room_id) VALUES (1)")
        except DatabaseError as error:
            errors.append(error)
        finally:
            session.close()

    client = Thread(target=insert)
    client.start()
    try:
        beds.migrate()
        beds.migrate("0001")
    finally:
        ended.set()
        client.join()
    assert errors == []
    [(last, count)] = history.execute("SELECT max(id), count(*) FROM annexe_bed")
    assert last >= count > 1


@pytest.mark.parametrize(
    "sql, is_named",
    [
        (f'"{BOTH}"', True),
        (f'["BEGIN", "{UPDATE.format("room")}", "DELETE FROM annexe_bed", "COMMIT"]', True),
        (f'["{UPDATE.format("room")}", "{UPDATE.format("bed")}"]', False),
        (f'"SET LOCAL work_mem = 1000; {UPDATE.format("room")};"', False),
        (f'"DO $$ BEGIN {BOTH}; END $$"', False),  # nobody can tell
    ],
)
def test_sql_that_waits_for_ever_while_it_holds_locks_is_named(beds, caplog, sql, is_named):
    beds.write("0002_change", f"migrations.RunSQL({sql}, migrations.RunSQL.noop)", atomic=False)
    line = (
        "annexe.0002_change (Raw SQL operation) runs several statements in one transaction that"
        " waits for locks as long as it takes: a client that locks the same in another order may"
        " die of a deadlock. Take atomic = False out of its Migration, which then gives way and"
        " tries again; or give each statement an entry of its own in the list of SQL."
    )
    assert [one.line() for one in looked()] == [f"Warning: {line}"] * is_named
    beds.migrate()
    logged = [one.getMessage() for one in caplog.records if one.name == preflight.__name__]
    assert logged == [line] * is_named
