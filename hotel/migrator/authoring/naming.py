"""What a migration is called: a verb and an object, in its file name and in its first line."""

import re
import unicodedata
from typing import NamedTuple

from hotel.migrator.exceptions import WrongUse
from hotel.migrator.revisions.targets import cited

VERBS = (
    *("add", "allow", "alter", "backfill", "convert", "drop", "exempt", "forbid", "index", "link"),
    *("lock", "merge", "move", "populate", "remove", "rename", "replace", "require", "restrict"),
    *("retire", "split", "transform", "validate"),
)
LONGEST = 60  # characters of a name without its number; Alembic cuts at 40, Django at 52

# Words that are no object: everything in a database is one of them.
EMPTY = {
    *("a", "all", "an", "and", "auto", "change", "changed", "changes", "column", "columns"),
    *("data", "database", "db", "field", "fields", "fix", "fixed", "fixes", "for", "in"),
    *("migration", "migrations", "minor", "misc", "model", "models", "more", "new", "of"),
    *("on", "other", "schema", "some", "something", "stuff", "table", "tables", "temp"),
    *("test", "the", "thing", "things", "tmp", "to", "todo", "update", "updated"),
    *("updates", "various", "wip", "with"),
}


class Name(NamedTuple):
    """A message, as a file is named after it and as its docstring begins.

    slug: ``add_deposit_system``. title: its first line as a sentence. rest: the lines below.
    """

    slug: str
    title: str
    rest: str = ""

    @property
    def object(self) -> str:
        """What the verb acts on, as it stands in the file name."""
        return self.slug.partition("_")[2]

    def with_verb(self, verb: str) -> "Name":
        """Return the name of another migration about the same object."""
        _, _, of = self.title.partition(" ")
        of = of or f"{self.object.replace('_', ' ')}."
        return Name(f"{verb}_{self.object}", f"{verb.capitalize()} {of}")

    def docstring(self, *paragraphs: str) -> str:
        """Return the text of the module's docstring, as Python source."""
        parts = [part.strip() for part in (self.title, self.rest, *paragraphs) if part.strip()]
        text = "\n\n".join(parts).replace("\\", r"\\").replace('"""', r"\"\"\"")
        return f'"""{text}\n"""' if "\n" in text else f'"""{text}"""'


def name(message: str) -> Name:
    """Return the ``Name`` that ``message`` gives. Raises WrongUse where it says nothing.

    ``Initial schema`` is named ``initial``, as Django names the first migration of an application.
    """
    first, *others = message.strip().splitlines() or [""]
    rest = "\n".join(line.expandtabs().rstrip() for line in others)
    first = first.strip()
    if not (first.isprintable() and rest.replace("\n", "").isprintable()):
        raise WrongUse(
            f"{cited(message)} has characters that cannot be printed: write letters, digits and"
            ' punctuation, as in -m "Add deposit system".'
        )
    slug = _slug(first)
    verb, _, of = slug.partition("_")
    title = (first[:1].upper() + first[1:]).rstrip("!? ")  # it says what the file does
    title += "" if title.endswith((".", ":")) else "."
    if verb == "initial":
        return Name(verb, title, rest)
    words = of.split("_")
    if verb not in VERBS and _is_empty([verb, *words]):
        raise WrongUse(f"{cited(first)} does not say what the migration does: {_mend()}")
    if verb not in VERBS:
        raise WrongUse(f"{cited(first)} does not begin with a verb that is used here: {_mend()}")
    if _is_empty(words):
        raise WrongUse(f"{cited(first)} does not say what it is about: {_mend()}")
    if "auto" in words or slug.endswith("_and_more"):
        raise WrongUse(f"{cited(first)} reads as if a machine had named it: {_mend()}")
    if len(slug) > LONGEST:
        shorter = first[: _fits(first)].rstrip()
        raise WrongUse(
            f"{cited(first)} makes a file name of {len(slug)} characters, and {LONGEST} are the"
            f' most: shorten the first line, for instance to "{shorter}", and put the rest on the'
            " lines below it, which go into the docstring."
        )
    return Name(slug, title, rest)


def _slug(text: str) -> str:
    """Return ``text`` in lower-case ASCII letters, digits and underscores."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    strange = [c for c in plain if c.isalnum() and not c.isascii()]
    if strange:
        raise WrongUse(
            f"{cited(text)} cannot name a file, because {strange[0]!r} has no letter like it in"
            " ASCII: write the first line in plain letters, and the rest on the lines below it,"
            " which go into the docstring."
        )
    return re.sub(r"[^a-z0-9]+", "_", plain.lower().replace("'", "").replace("\u2019", "")).strip(
        "_"
    )


def _is_empty(words: list[str]) -> bool:
    return all(word in EMPTY or word.isdigit() or not word for word in words)


def _fits(text: str) -> int:
    """Return how many characters of ``text``, in whole words, make a name that is short enough."""
    ends = [match.start() for match in re.finditer(r"\s", text)] or [LONGEST]
    return max((end for end in ends if len(_slug(text[:end])) <= LONGEST), default=LONGEST)


def _mend() -> str:
    return (
        'name it by a verb and its object, as in -m "Add deposit system"; the verbs are'
        f" {', '.join(VERBS)}."
    )
