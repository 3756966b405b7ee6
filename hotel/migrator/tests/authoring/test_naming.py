"""What a message makes of a file's name and first line, and which messages say nothing."""

import ast
import re

import pytest
from django.conf import settings

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
import hypothesis
from hypothesis import example, given
from hypothesis import strategies as st

from hotel.migrator.authoring.naming import LONGEST, VERBS, name
from hotel.migrator.tests.graphs import refusal
from hotel.migrator.tests.guards import (
    complaints_about_docstring,
    complaints_about_name,
)

pytestmark = pytest.mark.once

MEND = (
    'name it by a verb and its object, as in -m "Add deposit system"; the verbs are add, allow,'
    " alter, backfill, convert, drop, exempt, forbid, index, link, lock, merge, move, populate,"
    " remove, rename, replace, require, restrict, retire, split, transform, validate."
)


@pytest.mark.parametrize(
    "message, slug, title",
    [
        ("Add deposit system", "add_deposit_system", "Add deposit system."),
        ("  add deposit system.  ", "add_deposit_system", "Add deposit system."),
        (
            "Add deposit system with settlement tracking",
            "add_deposit_system_with_settlement_tracking",
            "Add deposit system with settlement tracking.",
        ),
        (
            "Add payment type field for transaction categorization",
            "add_payment_type_field_for_transaction_categorization",
            "Add payment type field for transaction categorization.",
        ),
        (
            "Add receptionist tracking to check-in",
            "add_receptionist_tracking_to_check_in",
            "Add receptionist tracking to check-in.",
        ),
        (
            "Rename checked_in_by_name to receptionist_name",
            "rename_checked_in_by_name_to_receptionist_name",
            "Rename checked_in_by_name to receptionist_name.",
        ),
        ("Move the guest's café bill!", "move_the_guests_cafe_bill", "Move the guest's café bill."),
        ("Drop 2fa", "drop_2fa", "Drop 2fa."),
        ("Initial schema", "initial", "Initial schema."),
    ],
)
def test_file_and_first_line_are_named_after_the_message(message, slug, title):
    named = name(message)
    assert (named.slug, named.title, named.rest) == (slug, title, "")
    assert complaints_about_name(f"0002_{slug}") == [] or slug == "initial"


def test_lines_below_the_first_go_into_the_docstring_only():
    named = name("Add deposit\n\nAsked for by the front desk.\tSee the ledger.  \n")
    assert named.slug == "add_deposit"
    assert named.docstring("Step 1.") == (
        '"""Add deposit.\n\nAsked for by the front desk.    See the ledger.\n\nStep 1.\n"""'
    )


@pytest.mark.parametrize("message", ['Add """ \\ quotes', 'Add "x"', "Add C:\\new", "Add \\"])
def test_docstring_says_what_the_message_says_whatever_that_is(message):
    message = f"{message} fully\nand {message}"
    first, rest = message.splitlines()
    written = ast.get_docstring(ast.parse(name(message).docstring()), clean=False)
    assert written == f"{first}.\n\n{rest}\n"


def test_other_step_about_the_same_thing_has_another_verb():
    assert name("Add payment_type").with_verb("require") == (
        "require_payment_type",
        "Require payment_type.",
        "",
    )
    assert name("Add-deposit").with_verb("backfill")[:2] == (
        "backfill_deposit",
        "Backfill deposit.",
    )


@pytest.mark.parametrize(
    "message",
    [
        *(
            "",
            "  ",
            "\n",
            "Update",
            "update.",
            "Changes",
            "Fix",
            "WIP",
            "migration",
            "auto",
            "auto 2",
        ),
        *("123", "0002", "...", "-", "Update models", "New migration", "Misc changes", "fixes!"),
    ],
)
def test_message_that_says_nothing_is_refused(message):
    said = message.strip()
    assert refusal(name, message) == (
        f"{said!r} does not say what the migration does: {MEND}",
        2,
    )


@pytest.mark.parametrize("message", ["Add", "Add field", "Alter some models", "Add 2", "Drop _"])
def test_verb_without_an_object_is_refused(message):
    assert refusal(name, message) == (f"{message!r} does not say what it is about: {MEND}", 2)


@pytest.mark.parametrize(
    "message", ["Complex data transformation", "Deposit system", "Update guests"]
)
def test_message_that_begins_with_no_verb_is_refused(message):
    assert refusal(name, message) == (
        f"{message!r} does not begin with a verb that is used here: {MEND}",
        2,
    )


@pytest.mark.parametrize("message", ["Add auto renewal", "Add floor and more"])
def test_message_that_reads_like_a_machine_is_refused(message):
    assert refusal(name, message) == (
        f"{message!r} reads as if a machine had named it: {MEND}",
        2,
    )


def test_name_that_is_too_long_is_refused_with_one_that_would_do():
    message = "Add deposit system with settlement tracking for every reservation of a guest"
    assert refusal(name, message) == (
        f"{message!r} makes a file name of 76 characters, and 60 are the most: shorten the first"
        ' line, for instance to "Add deposit system with settlement tracking for every", and put'
        " the rest on the lines below it, which go into the docstring.",
        2,
    )
    assert len(name("Add " + "x" * (LONGEST - 4)).slug) == LONGEST
    text, _ = refusal(name, "Add " + "x" * (LONGEST - 3))
    assert "makes a file name of 61 characters" in text


@pytest.mark.parametrize("message, letter", [("Добавить депозит", "Д"), ("Add 押金 column", "押")])
def test_letters_that_have_no_like_in_ascii_are_refused(message, letter):
    assert refusal(name, message) == (
        f"{message!r} cannot name a file, because {letter!r} has no letter like it in ASCII: write"
        " the first line in plain letters, and the rest on the lines below it, which go into the"
        " docstring.",
        2,
    )


@pytest.mark.parametrize("message", ["Add \x00deposit", "Add deposit\n\x07", "Add \udcff"])
def test_characters_that_cannot_be_printed_are_refused(message):
    assert refusal(name, message) == (
        f"{message!r} has characters that cannot be printed: write letters, digits and"
        ' punctuation, as in -m "Add deposit system".',
        2,
    )


@hypothesis.settings(deadline=None, derandomize=True, database=None)
@given(st.sampled_from(VERBS), st.text(), st.text())
@example("add", "B?", "")
@example("add", "B?.!", "")
def test_every_message_is_refused_in_one_sentence_or_passes_the_guards(verb, thing, rest):
    try:
        named = name(f"{verb} {thing}\n{rest}")
    except Exception as error:
        assert getattr(error, "returncode", None) == 2, error
        return
    assert complaints_about_name(f"0002_{named.slug}") == []
    source = named.docstring()
    assert complaints_about_docstring(source) == []
    assert source.encode()


def test_the_names_that_the_docs_show_are_ones_that_the_guard_accepts():
    pages = [settings.BASE_DIR / "README.md", *(settings.BASE_DIR / "docs").glob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    shown = re.findall(r"--name ([a-z0-9_]*_[a-z0-9_]*)", text)
    messages = re.findall(r'revision -m "([A-Z]\w+ [^"]+)"', text)
    assert len(shown) > 2
    assert len(messages) > 5
    shown += [name(message).slug for message in messages]
    assert [found for name in shown for found in complaints_about_name(f"0002_{name}")] == []
