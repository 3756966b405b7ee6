"""Statements of PostgreSQL as words, read from left to right; see ``sketch``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 63  # bytes of a name
_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|/\*.*?\*/)
    | (?P<text>[eE]'(?:[^'\\]|\\.|'')*'|(?:[uU]&|[bBxXnN])?'(?:[^']|'')*')
    | (?P<dollars>\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d[\w.]*|\.\d+)
    | (?P<mark>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)

_CAPITALS = re.compile("[A-Z]")  # others stay as they are


class CannotFollow(Exception):
    """A statement that is not understood; its argument is the one table it is about, if any."""


@dataclass(frozen=True)
class Word:
    """A token: a name in quotes, a word in small letters, or a sign."""

    text: str
    is_quoted: bool = False

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.text == other and not self.is_quoted
        return isinstance(other, Word) and (self.text, self.is_quoted) == (
            other.text,
            other.is_quoted,
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def is_name(self) -> bool:
        """Tell whether this may be the name of something."""
        return self.is_quoted or bool(re.match(r"[^\W\d]", self.text))


class Reader:
    """Reads the words of one statement from left to right."""

    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.at = 0

    @property
    def is_done(self) -> bool:
        """Tell whether all is read."""
        return self.at >= len(self.words)

    def has(self, text: str) -> bool:
        """Tell whether the word is anywhere in the statement."""
        return any(word == text for word in self.words)

    def sees(self, *texts: str) -> bool:
        """Tell whether these words come next."""
        there = self.words[self.at : self.at + len(texts)]
        return len(there) == len(texts) and all(map(Word.__eq__, there, texts))

    def sees_constraint(self) -> bool:
        """Tell whether a constraint of a table comes next."""
        return any(
            map(self.sees, ("constraint", "primary", "unique", "check", "foreign", "exclude"))
        )

    def maybe(self, *texts: str) -> bool:
        """Read these words if they come next, and tell whether they did."""
        if not self.sees(*texts):
            return False
        self.at += len(texts)
        return True

    def expect(self, *texts: str) -> None:
        """Read these words. Raises CannotFollow if others come next."""
        if not self.maybe(*texts):
            raise CannotFollow

    def next(self) -> Word:
        """Read one word. Raises CannotFollow at the end."""
        if self.is_done:
            raise CannotFollow
        self.at += 1
        return self.words[self.at - 1]

    def name(self, whole: bool = False) -> str:
        """Read a name, without that of the schema before it unless ``whole`` is asked for.

        Raises CannotFollow if it is none.
        """
        word = self.next()
        while not whole and self.maybe("."):
            word = self.next()
        if not word.is_name:
            raise CannotFollow
        return word.text

    def names(self) -> list[str]:
        """Read names with commas between them."""
        found = [self.name()]
        while self.maybe(","):
            found.append(self.name())
        return found

    def skip(self) -> None:
        """Skip one word, or what stands in brackets."""
        if self.sees("("):
            self.parts()
        else:
            self.next()

    def until(self, pattern: re.Pattern[str]) -> None:
        """Skip to the first word that the pattern matches."""
        while not self.is_done:
            word = self.words[self.at]
            if not word.is_quoted and pattern.fullmatch(word.text):
                return
            self.skip()

    def parts(self) -> list[list[Word]]:
        """Read what stands in the brackets that open here, split at its commas."""
        self.expect("(")
        start, depth = self.at, 1
        while depth:
            word = self.next()
            depth += (word == "(") - (word == ")")
        return Reader(self.words[start : self.at - 1]).split()

    def parts_after(self, text: str) -> list[list[Word]]:
        """Read what stands in brackets after a word, if that comes next."""
        return self.parts() if self.maybe(text) else []

    def columns_after(self, text: str) -> list[str]:
        """Read the names that stand in brackets after a word, if that comes next."""
        return [Reader(part).name() for part in self.parts_after(text)]

    def split(self) -> list[list[Word]]:
        """Return the rest, split at the commas that are in no brackets."""
        found: list[list[Word]] = [[]]
        depth = 0
        for word in self.words[self.at :]:
            depth += (word == "(") + (word == "[") - (word == ")") - (word == "]")
            if word == "," and not depth:
                found.append([])
            else:
                found[-1].append(word)
        return found if found != [[]] else []


def statements(sql: str) -> Iterator[list[Word]]:
    """Yield the words of each statement."""
    words: list[Word] = []
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup, match[0]
        if kind == "space":
            continue
        if text == ";":
            if words:
                yield words
            words = []
        elif kind == "quoted":
            words.append(Word(cut(text[1:-1].replace('""', '"')), is_quoted=True))
        elif kind == "word":
            words.append(Word(cut(_CAPITALS.sub(lambda letter: letter[0].lower(), text))))
        else:
            words.append(Word(text if kind in ("mark", "number") else f"'{text}"))
    if words:
        yield words


def cut(name: str, length: int = LONGEST) -> str:
    """Return as much of a name as the server keeps: whole characters of so many bytes."""
    return name.encode()[:length].decode(errors="ignore")
