"""SQL as the engines write it back, read far enough to be compared.

Both engines keep what they were told as text, and change its looks when something near it is
altered: quotes, brackets, casts of words to text. Two texts are compared by ``normal``, which
leaves these out and nothing that changes the meaning.
"""

import re

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|/\*.*?\*/)
    | (?P<text>[eE]?'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)
    | (?P<operator>::|[-+*/<>=~!@\#%^&|?]+)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
_TEXT_TYPES = (["text"], ["character", "varying"], ["bpchar"])
# Words that stand before an expression in brackets; before any other, brackets are a call.
_BEFORE_EXPRESSION = {"and", "case", "check", "else", "not", "or", "then", "when", "where"}


def tokens(text, schema=None):
    """Return the words of SQL: names bare where they can be, everything else in small letters.

    schema: its name before a table or a function is left out.
    """
    found = []
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[0]
        if kind == "space":
            continue
        if kind == "quoted":
            bare = token[1:-1].replace(token[0] * 2, token[0])
            token = bare if _PLAIN.fullmatch(bare) else '"' + bare.replace('"', '""') + '"'
        elif kind == "word":
            token = token.lower()
        found.append(token)
    if schema is None:
        return found
    own = schema if _PLAIN.fullmatch(schema) else '"' + schema.replace('"', '""') + '"'
    kept = []
    for place, token in enumerate(found):
        if token == own and found[place + 1 : place + 2] == ["."]:
            continue
        if token == "." and place and found[place - 1] == own:
            continue
        kept.append(token)
    return kept


def normal(text, schema=None):
    """Return SQL in the form in which two texts of the same meaning are mostly the same."""
    words = _without_casts(tokens(text, schema))
    tree, _ = _nested(words, 0)
    tree = _simple(tree)
    if len(tree) == 1 and isinstance(tree[0], list):
        [tree] = tree
    return " ".join(_flat(tree))


def bare(word):
    """Return the name that a word of ``tokens`` stands for."""
    return word[1:-1].replace('""', '"') if word.startswith('"') else word


def unqualified(text, schema):
    """Return SQL without the name of ``schema`` before tables and functions."""
    quoted = '"' + schema.replace('"', '""') + '"'
    own = re.compile(
        rf"""('(?:[^']|'')*')|(?<![\w$."])(?:{re.escape(quoted)}|{re.escape(schema)})\."""
    )
    return own.sub(lambda match: match[1] or "", text)


def _without_casts(words):
    """Leave out casts to text of any length, which PostgreSQL adds to words and takes away."""
    kept = []
    place = 0
    while place < len(words):
        if words[place] == "::":
            for name in _TEXT_TYPES:
                after = place + 1 + len(name)
                if words[place + 1 : after] == name and words[after : after + 1] != ["("]:
                    place = after + 2 * (words[after : after + 2] == ["[", "]"])
                    break
            else:
                kept.append(words[place])
                place += 1
            continue
        kept.append(words[place])
        place += 1
    return kept


def _nested(words, place):
    """Return the words from ``place`` to its closing bracket, each pair of brackets as a list."""
    found = []
    while place < len(words):
        if words[place] == "(":
            inner, place = _nested(words, place + 1)
            found.append(inner)
            continue
        if words[place] == ")":
            return found, place + 1
        found.append(words[place])
        place += 1
    return found, place


def _simple(tree):
    """Take away brackets around a single word, and around other brackets."""
    kept = []
    for part in tree:
        if isinstance(part, list):
            part = _simple(part)
            if len(part) == 1 and isinstance(part[0], list):
                part = part[0]
            before = kept[-1] if kept else ""
            is_call = isinstance(before, str) and re.fullmatch(r'[\w$]+|".*"', before, re.DOTALL)
            if len(part) == 1 and (not is_call or before in _BEFORE_EXPRESSION):
                part = part[0]
        kept.append(part)
    return kept


def _flat(tree):
    for part in tree:
        if isinstance(part, list):
            yield from ("(", *_flat(part), ")")
        else:
            yield part


def body(words):
    """Return what stands in the first brackets, split at its commas, and what follows it."""
    parts: list[list[str]] = [[]]
    start, depth = words.index("(") + 1, 1
    for place, word in enumerate(words[start:], start):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0:
            return parts, words[place + 1 :]
        if word == "," and depth == 1:
            parts.append([])
        else:
            parts[-1].append(word)
    raise ValueError(f"Brackets do not close: {' '.join(words)}")


class Column:
    """A column as it stands in a CREATE TABLE of SQLite, and the constraints written into it."""

    ends = frozenset(
        [
            "constraint",
            "primary",
            "not",
            "null",
            "unique",
            "check",
            "default",
            "collate",
            "references",
            "generated",
            "as",
        ]
    )

    def __init__(self, words):
        self.name = bare(words[0])
        self.constraints = []  # (name or None, words)
        facts = {"type": "", "null": "yes", "default": "", "collation": "", "generated": ""}
        place = 1
        while place < len(words) and words[place] not in self.ends:
            place += 1
        facts["type"] = re.sub(r" ?([(),]) ?", r"\1", " ".join(words[1:place]))
        named = None
        while place < len(words):
            word = words[place]
            if word == "constraint":
                named, place = bare(words[place + 1]), place + 2
                continue
            end = self._end(words, place)
            part = words[place:end]
            if part[:2] == ["not", "null"]:
                facts["null"] = "no"
            elif word == "default":
                facts["default"] = normal(" ".join(part[1:]))
            elif word == "collate":
                facts["collation"] = part[1]
            elif word in ("generated", "as"):
                kind = "stored" if "stored" in part else "virtual"
                start = part.index("as") + 1
                last = len(part) - part[::-1].index(")")
                facts["generated"] = f"{normal(' '.join(part[start:last]))} {kind}"
            elif word == "primary":
                if "autoincrement" in part:
                    facts["autoincrement"] = "yes"
                self.constraints.append((named, ["primary", "key", "(", words[0], ")"]))
            elif word == "unique":
                self.constraints.append((named, ["unique", "(", words[0], ")"]))
            elif word == "check":
                self.constraints.append((named, part))
            elif word == "references":
                own = ["foreign", "key", "(", words[0], ")"]
                self.constraints.append((named, own + part))
            named, place = None, end
        self.facts = facts

    def _end(self, words, place):
        """Return where the part that begins at ``place`` ends."""
        first = words[place]
        depth, at = 0, place + 1
        while at < len(words):
            word = words[at]
            if (
                depth == 0
                and at > place + 1 - (first in ("null", "unique"))
                and (
                    word in self.ends
                    and not (first == "not" and word == "null")
                    and not (first == "generated" and word == "as")
                    and not (first == "default" and at == place + 1)
                    and not (first == "references" and self._is_of_reference(words, at))
                )
            ):
                return at
            depth += {"(": 1, ")": -1}.get(word, 0)
            at += 1
        return at

    @staticmethod
    def _is_of_reference(words, at):
        """Tell whether a word belongs to ON DELETE SET NULL, SET DEFAULT or NOT DEFERRABLE."""
        return words[at - 1] == "set" or words[at : at + 2] == ["not", "deferrable"]


def table_of_sqlite(created):
    """Return what a CREATE TABLE says: columns, constraints as ``(name, words)``, and options."""
    parts, after = body(tokens(created))
    columns, constraints = [], []
    for part in parts:
        name = None
        if part[0] == "constraint":
            name, part = bare(part[1]), part[2:]
        if part[0] in ("primary", "unique", "check", "foreign"):
            constraints.append((name, part))
        else:
            column = Column(part)
            columns.append(column)
            constraints += column.constraints
    return columns, constraints, " ".join(after)
