"""What ``docs/reference.md`` says of the verbs and exit codes, made from the verbs themselves.

``python -m hotel.migrator.management.reference docs/reference.md`` writes it between its marks.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

MARKS = "<!-- made by make docs -->\n", "<!-- end of what is made -->\n"


def text() -> str:
    """Return the verbs, their options and examples, and the exit codes, as Markdown."""
    return "\n".join([*_verbs(), "## Exit codes", "", *_exit_codes(), ""])


def with_text(page: str) -> str:
    """Return a page with what stands between its marks made anew."""
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    return f"{before}{begin}\n{text()}\n{end}{after}"


def _verbs() -> Iterator[str]:
    from hotel.migrator.management.commands.db import Command
    from hotel.migrator.management.parsing import help_of
    from hotel.migrator.verbs import VERBS

    parser = Command().create_parser("manage.py", "db")
    [subparsers] = parser._subparsers._group_actions  # type: ignore[union-attr] # it has some
    parsers = subparsers.choices
    for verb in VERBS:
        said = help_of(verb)
        yield from (f"### db {verb.__name__}", "", said.first, "")
        yield from (said.rest, "") if said.rest else ()
        yield from ("| | |", "|---|---|")
        for action in parsers[verb.__name__]._actions:  # type: ignore[index] # a dict
            if action.help and "==SUPPRESS==" not in action.help and action.dest != "help":
                names = ", ".join(action.option_strings) or str(action.metavar)
                takes = f" {action.metavar}" if action.option_strings and action.metavar else ""
                if action.choices and action.dest != "database":
                    takes = f" {{{','.join(map(str, action.choices))}}}"
                yield f"| `{names}{takes}` | {action.help} |"
        yield from ("", *(f"    {line}" for line in said.examples), "")


def _exit_codes() -> Iterator[str]:
    from hotel.migrator.management.parsing import EXIT_CODES

    yield from ("| | |", "|---|---|", *(f"| {code} | {EXIT_CODES[code]} |" for code in EXIT_CODES))


if __name__ == "__main__":
    import django

    django.setup()
    path = Path(sys.argv[1])
    path.write_text(with_text(path.read_text(encoding="utf-8")), encoding="utf-8")
