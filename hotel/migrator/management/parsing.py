"""The parser of ``manage.py db``, made from the signatures and docstrings of its verbs.

A parameter before the star is a positional argument, each other one an option. Type and default
say how it is written, the ``Option`` in its annotation what it means. The first sentence of the
docstring is the help of the verb, the rest its description; what is below ``Examples:`` comes last.
"""

import argparse
import inspect
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, get_args, get_origin

from django.core.management.base import DjangoHelpFormatter

from hotel.migrator.verbs.options import Option

EXIT_CODES = {
    0: "done",
    1: "a finding",
    2: "wrong use or unknown revision",
    3: "refused before anything was changed",
    4: "the database was not locked: another process migrates it, or it cannot be locked",
    5: "failed while applying",
    6: "an earlier run was interrupted and must be finished first",
    130: "stopped by Ctrl-C",
}
GIVEN = ("connection", "console")  # by the command, not by its user

Verb = Callable[..., Any]


class _Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of descriptions and examples."""


class Help(NamedTuple):
    """The parts of a verb's docstring."""

    first: str
    rest: str
    examples: list[str]


def help_of(verb: Verb) -> Help:
    """Return the docstring of a verb in its parts."""
    text, _, examples = (inspect.getdoc(verb) or "").partition("\n\nExamples:\n")
    first, _, rest = text.partition("\n\n")
    return Help(first, rest, [line.strip() for line in examples.splitlines()])


def reports(verb: Verb) -> bool:
    """Tell whether a verb answers with a document, which ``--json`` prints."""
    return inspect.signature(verb).return_annotation is not None


def add_verbs(
    parser: argparse.ArgumentParser, verbs: Iterable[Verb], aliases: tuple[str, ...]
) -> None:
    """Add a parser for each verb. aliases: of the databases that ``--database`` may name."""
    codes = "exit codes:\n" + "\n".join(f"  {code:<4} {EXIT_CODES[code]}" for code in EXIT_CODES)
    parser.epilog = codes
    parser.formatter_class = _Formatter
    subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB", title="verbs")
    for verb in verbs:
        said = help_of(verb)
        added = subparsers.add_parser(
            verb.__name__,
            help=said.first.removesuffix("."),
            description="\n\n".join(filter(None, [said.first, said.rest])),
            epilog="\n".join(["examples:", *(f"  {line}" for line in said.examples), "", codes]),
            formatter_class=_Formatter,
        )
        for parameter in inspect.signature(verb).parameters.values():
            if parameter.name not in GIVEN:
                _add(added, parameter)
        added.add_argument(
            "--database",
            default=aliases[0],
            choices=aliases,
            help=f"the database to work on, as settings name it (default: {aliases[0]})",
        )
        if reports(verb):
            added.add_argument("--json", action="store_true", help="print one JSON document")
        # Those of all commands stand before the verb; this one may follow it.
        added.add_argument(
            *("-v", "--verbosity"),
            type=int,
            choices=range(4),
            default=argparse.SUPPRESS,
            help=argparse.SUPPRESS,
        )


def _add(parser: argparse.ArgumentParser, parameter: inspect.Parameter) -> None:
    """Add the argument or option that a parameter stands for."""
    type_, option = get_args(parameter.annotation)
    if not isinstance(option, Option):
        raise TypeError(f"{parameter} has no Option to say what it means")
    how: dict[str, Any] = {"help": option.help}
    if type_ is not bool:
        how["metavar"] = None if option.choices else option.metavar or parameter.name.upper()
        how["choices"] = option.choices
    is_list = get_origin(type_) is list
    is_required = parameter.default is parameter.empty and not is_list
    if parameter.kind is not parameter.KEYWORD_ONLY:
        parser.add_argument(
            parameter.name, nargs="*" if is_list else None if is_required else "?", **how
        )
        return
    names = option.flags or (*option.short, f"--{parameter.name.replace('_', '-')}")
    if type_ is bool:
        how["action"] = "store_false" if parameter.default else "store_true"
    else:
        how |= {"default": None if is_required else parameter.default, "required": is_required}
        if is_list:
            how["action"] = "append"
        elif int in (type_, *get_args(type_)):
            how["type"] = int
    parser.add_argument(*names, dest=parameter.name, **how)
