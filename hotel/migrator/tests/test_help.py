"""What ``manage.py db --help`` says is complete, and true of the verbs that it is made from."""

import re
import shlex

import pytest

from hotel.migrator.management.commands.db import Command
from hotel.migrator.management.parsing import EXIT_CODES, help_of
from hotel.migrator.verbs import VERBS

pytestmark = pytest.mark.once

PARSER = Command().create_parser("manage.py", "db")
PARSERS = PARSER._subparsers._group_actions[0].choices
every_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)


def test_every_verb_is_listed_in_order_with_the_exit_codes():
    assert [*PARSERS] == [verb.__name__ for verb in VERBS]
    shown = PARSER.format_help()
    assert re.findall(r"^    ([a-z]+) ", shown, re.MULTILINE) == [*PARSERS]
    assert re.findall(r"^  (\d+) ", shown, re.MULTILINE) == [str(code) for code in EXIT_CODES]


@every_verb
def test_a_verb_is_told_in_one_sentence_and_each_of_its_options_in_a_phrase(verb):
    first, rest, _ = help_of(verb)
    assert re.fullmatch(r"[A-Z][^\n]+\.", first)
    assert rest.endswith((".", "")), "prose"
    actions = PARSERS[verb.__name__]._actions
    assert [action.dest for action in actions if not action.help] == []
    assert [action.help for action in actions if action.help[-1] in ".;:"] == []


@every_verb
def test_help_is_written_for_who_types_the_command(verb):
    shown = PARSERS[verb.__name__].format_help()
    assert re.findall(r"``|\bNone\b|[Rr]eturn|In Python|Raises", shown) == []


@every_verb
def test_the_examples_of_a_verb_are_understood(verb):
    examples = help_of(verb).examples
    assert examples != []
    for example in examples:
        program, command, *words = shlex.split(example)
        assert (program, command) == ("manage.py", "db")
        assert PARSER.parse_args(words).verb == verb.__name__


def test_what_a_signature_says_is_what_the_parser_takes():
    def parsed(line):
        return vars(PARSER.parse_args(shlex.split(line)))

    assert parsed("upgrade")["targets"] == []
    assert parsed("upgrade +1 bar.0001")["targets"] == ["+1", "bar.0001"]
    assert parsed("downgrade -1")["target"] == "-1"
    assert parsed("history --applied --latest 3")["latest"] == 3
    assert parsed("history -i --rev-range=-2:current")["rev_range"] == "-2:current"
    given = parsed('revision -m "Add x y" --depends-on a.0001 --depends-on b.0001 --no-input -v 2')
    assert given["depends_on"] == ["a.0001", "b.0001"]
    assert (given["interactive"], given["verbosity"]) == (False, 2)
    assert parsed("revision -m x")["depends_on"] == []
    assert parsed("drift --json --database default")["json"] is True


@pytest.mark.parametrize(
    "line",
    [
        "",
        "fly",
        "revision",
        "upgrade --engine oracle",
        "history --latest x",
        "merge --json",
        "-v 9",
    ],
)
def test_other_words_are_wrong_use(line):
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "db", *shlex.split(line)])
    assert ended.value.code == 2
