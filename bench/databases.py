"""Databases of the benches' own, on either engine: made new, asked, and dropped."""

import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

NAME = "hotel_bench"


class Sqlite:
    """A file in a temporary folder."""

    engine = "SQLite"

    def __init__(self, folder):
        self.path = os.path.join(folder, "bench.sqlite3")
        self.url = f"sqlite:///{self.path}"

    def empty(self):
        """Make it new."""
        for ending in ("", "-journal", "-wal", "-shm", ".migrating"):
            Path(self.path + ending).unlink(missing_ok=True)

    close = empty

    def ask(self, sql):
        """Return the rows that ``sql`` finds; none if the table is not there."""
        with closing(sqlite3.connect(self.path)) as connection:
            try:
                return connection.execute(sql).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                return []


class Postgresql:
    """A database of this name on a server, whose address it takes."""

    engine = "PostgreSQL"

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.url = urlsplit(server)._replace(path=f"/{name}").geturl()

    def empty(self):
        """Make it new."""
        self.close()
        on_server(self.server, f"CREATE DATABASE {self.name}")

    def close(self):
        """Drop it."""
        on_server(self.server, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def ask(self, sql):
        """Return the rows that ``sql`` finds; none if the table is not there."""
        import psycopg2

        with closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            try:
                cursor.execute(sql)
            except psycopg2.errors.UndefinedTable:
                return []
            return cursor.fetchall()


@contextmanager
def database():
    """Yield an empty one, on the server of ``DATABASE_URL`` or in a file, and name it there."""
    server = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="hotel-bench-") as folder:
        is_server = server.startswith("postgres")
        made = Postgresql(server, NAME) if is_server else Sqlite(folder)
        made.empty()
        os.environ["DATABASE_URL"] = made.url
        with closing(made):
            yield made


def on_server(url, *statements):
    """Run statements outside any transaction."""
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()
