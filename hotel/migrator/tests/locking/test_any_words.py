"""Whatever language, encoding or names there are: the same answer."""

import io
import os
import re
import socket

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import translation

from hotel.migrator.storage import journal as records
from hotel.migrator.tests import shells
from hotel.migrator.tests.sessions import (
    DEPOSIT,
    MODELS,
    answers,
    assert_same,
    expected,
    facts,
    said,
)


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["a b?mode=ro", 'o\'dd #%20\n "größe"', "\udcff"])
def test_a_file_may_have_any_name(hotel_of_two, history, name, tmp_path):
    wanted = expected(history)
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(tmp_path / name)
    try:
        assert_same(answers(history), wanted)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
    assert [*map(os.fsencode, os.listdir(tmp_path))].count(os.fsencode(name)) == 1


KIND = 'models.IntegerField(_("Integer"), null=True)'


def checked():
    call_command("migrate", verbosity=0)
    return {"check": (said("migrate", "--check"), said("db", "doctor"), said("db", "drift"))}


@pytest.mark.parametrize("code", ["id", "de", "ar"])
def test_words_are_compared_and_written_in_no_language(hotel_of_two, history, settings, code):
    wanted = expected(history)
    settings.LANGUAGE_CODE = code
    with translation.override(code):
        assert translation.gettext("Integer") != "Integer"
        assert_same(answers(history) if code == "id" else checked(), wanted)
        call_command("check", "--tag", "migrator", "--database", "default", stdout=io.StringIO())
        hotel_of_two.models(MODELS.replace("DEPOSIT", f"{DEPOSIT}\n    kind = {KIND}"))
        answer = said("db", "revision", "-m", "Add kind", "--autogenerate", "--noinput")
        assert (answer[0], answer[2]) == (0, "")
    text = hotel_of_two.path("0004_add_kind").read_text()
    assert re.findall('verbose_name="(.*?)"', text) == ["Integer"]
    assert re.findall(r"(?:migrations|operations)\.(\w+)\(", text) == ["AddField"]


LONG_NAME = "Ж\udcff\n" + "x" * 300


def test_no_name_stops_a_run(annexe, history, settings, monkeypatch):
    annexe.write("0001_note", "migrations.RunPython(migrations.RunPython.noop)")
    settings.CODE_VERSION = f"\0{LONG_NAME}"
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, LONG_NAME)
    monkeypatch.setattr(socket, "gethostname", lambda: LONG_NAME)
    script = said("db", "upgrade", "base:heads", "--sql")[1].splitlines()
    monkeypatch.setenv("PGAPPNAME", LONG_NAME)
    call_command("migrate", verbosity=0)
    monkeypatch.delenv("PGAPPNAME")
    shown = "Ж\\udcff\n" + "x" * 300
    [journal, *_] = records.entries(connection)
    assert (journal.actor, journal.host) == (shown[:255], shown[:255])
    assert journal.code_version == f"\\x00{shown}"[:255]
    history.at(None)
    assert shells.run(script) == (0, "")
    [journal, *_] = records.entries(connection)
    assert journal.code_version == f"\\x00\\u0416\\udcff\n{'x' * 300}"[:255]


ENCODINGS = {"LATIN1": "Größe", "WIN1251": "Ключ", "SQL_ASCII": "Größe €"}


@pytest.fixture(params=ENCODINGS)
def encoded(history, request):
    """Let the database be one of another encoding; yields a word that can be written in it."""
    name = f"hotel_{request.param.lower()}_{os.getpid()}"
    history.execute(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{request.param}'"
        " LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    yield ENCODINGS[request.param]
    connection.close()
    connection.settings_dict["NAME"] = before
    history.execute(f"DROP DATABASE {name} WITH (FORCE)")


def of_annexe(facts):
    return {name: fact for name, fact in facts.items() if "annexe" in name}


@pytest.mark.postgresql
def test_a_database_may_have_another_encoding(annexe, history, settings, encoded):
    annexe.models(f"""
    class Guest(models.Model):
        name = models.CharField(max_length=20, db_default="{encoded}")

        class Meta:
            indexes = [
                models.Index("name", name="annexe_{encoded}", condition=models.Q(name="{encoded}!"))
            ]
    """)
    annexe.make()
    settings.CODE_VERSION = f"{encoded} に"
    script = said("db", "upgrade", "base:heads", "--sql")
    assert (script[0], script[2]) == (0, "")
    assert said("migrate", "-v0") == (0, "", "")
    made = of_annexe(facts())
    assert said("db", "drift") == (0, "Models, migrations and database agree.\n", "")
    assert said("db", "doctor") == (0, "Nothing is wrong.\n", "")
    [(versions,)] = history.execute("SELECT DISTINCT code_version FROM migrator_journal")
    assert versions in (f"{encoded} に", f"{encoded} \\u306b")
    history.execute("DROP SCHEMA public CASCADE")
    history.execute("CREATE SCHEMA public")
    assert shells.run(script[1].splitlines()) == (0, "")
    assert of_annexe(facts()) == made
