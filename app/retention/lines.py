"""YAML that people write, read so that every value knows the line on which it stands.

Only mappings, lists and plain values are read: no tags, no anchors, no second
document, nothing that makes an object. A key that stands twice is refused,
for YAML itself would quietly take the last one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias
from unicodedata import category

import yaml

MOST_CHARACTERS = 1_000_000
DEEPEST = 24
_MOST_DIGITS = 20
"""Of a number that is looked at; Python itself refuses to read one of thousands."""
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}": name for name in ("str", "int", "float", "bool", "null", "timestamp")
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file, on which line, and how to write it."""

    line: int
    what: str
    remedy: str = ""


class Wrong(Exception):
    """Raised where a value is read, and collected where its neighbours go on being read."""

    def __init__(self, line: int, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.problem = Problem(line, what, remedy)


@dataclass(frozen=True, slots=True)
class Value:
    """A plain value: what was written, and what YAML takes it for."""

    line: int
    written: str
    kind: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list."""

    line: int
    items: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, each key with its line."""

    line: int
    entries: Mapping[str, Node]
    lines: Mapping[str, int]

    def of(self, key: str) -> int:
        """The line of a key, or of the whole where the key is missing."""
        return self.lines.get(key, self.line)


Node: TypeAlias = Value | Listed | Table


def read(text: str) -> Node:
    """What `text` says, or `Wrong` with the line on which it cannot be read."""
    if len(text) > MOST_CHARACTERS:
        raise Wrong(1, f"the file has more than {MOST_CHARACTERS:,} characters", "Is this the right file?")
    try:
        _check_events(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise Wrong(line, f"this is not YAML: {error.problem or error.context}", _how(text, line)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Wrong(
            line, f"this is not YAML: {error.reason}", "Remove the character that cannot be seen."
        ) from error
    if node is None:
        raise Wrong(
            1, "the file is empty", "Begin with jurisdiction, authority, title, edition and effective."
        )
    return _located(node)


def _how(text: str, line: int) -> str:
    written = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    if "\t" in written:
        return "Indent with spaces; a tab does not count."
    if written.count(": ") > 1 or "#" in written:
        return 'Put what holds a colon or a number sign in quotation marks: title: "Letters: general".'
    return "Look at the indentation and the quotation marks of this line and the one before."


def _line(found: yaml.Event | yaml.Node) -> int:
    assert found.start_mark is not None, "whatever is read from text has its place"
    return found.start_mark.line + 1


def _check_events(text: str) -> None:
    """Refuse what a schedule never needs before anything is built of it."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = _line(event)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Wrong(line, "a second document begins here", "Give each schedule a file of its own.")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Wrong(line, "anchors and aliases (& and *) are not read", "Write the value out.")
        elif getattr(event, "tag", None):
            raise Wrong(line, "tags (!) are not read", "Leave the tag out.")
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise Wrong(line, f"this nests more than {DEEPEST} deep", "A schedule needs a few levels.")
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1


def _located(node: yaml.Node) -> Node:
    line = _line(node)
    if isinstance(node, yaml.ScalarNode):
        _must_be_characters(node.value, line)
        return Value(line, node.value, _PLAIN_TAGS.get(node.tag, "str"))
    if isinstance(node, yaml.SequenceNode):
        return Listed(line, [_located(item) for item in node.value])
    assert isinstance(node, yaml.MappingNode)
    entries: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        at = _line(key)
        if not isinstance(key, yaml.ScalarNode):
            raise Wrong(at, "a key must be one word", "Is a bracket or an indentation missing?")
        _must_be_characters(key.value, at)
        if key.value in entries:
            raise Wrong(
                at,
                f"{key.value} stands here twice, first on line {lines[key.value]}",
                "Keep one of them.",
            )
        entries[key.value], lines[key.value] = _located(value), at
    return Table(line, entries, lines)


def _must_be_characters(written: str, line: int) -> None:
    """Refuse halves of characters and control characters, which only an escape can write."""
    for one in written:
        if category(one) in {"Cc", "Cs"} and one not in "\t\n\r":
            raise Wrong(line, f"U+{ord(one):04X} is no character of a text", "Write the character itself.")


# -- what values must be -----------------------------------------------------------------------------------


def nearest(word: str, known: Sequence[str]) -> str:
    """A remedy for a word that is not known: the nearest that is, or all of them."""
    close = get_close_matches(word.replace("-", "_"), known, n=1, cutoff=0.6)
    return f"Is {close[0]} meant?" if close else f"Known are {', '.join(sorted(known))}."


def unknown(table: Table, known: Sequence[str], where: str) -> list[Problem]:
    """A problem for each key that is not among `known`."""
    return [
        Problem(
            table.of(key),
            f"{where} has no {key!r}",
            "Inside { } a comma begins another key: put the sentence in quotation marks."
            if " " in key
            else nearest(key, known),
        )
        for key in table.entries
        if key not in known
    ]


def there(table: Table, key: str, where: str) -> Node:
    """What stands under a key that must be there."""
    if key not in table.entries:
        raise Wrong(table.line, f"{where} has no {key}", f"Add {key}: to it.")
    return table.entries[key]


def text(node: Node, what: str) -> str:
    """A value that is text and not empty."""
    if not isinstance(node, Value):
        raise Wrong(node.line, f"{what} must be text", f"Write {what}: some words.")
    if node.kind in {"bool", "float"}:
        raise Wrong(
            node.line,
            f"{what} would be read as something else than text: {node.written}",
            f'Put it in quotation marks: {what}: "{node.written}".',
        )
    if node.kind == "null" or not node.written.strip():
        raise Wrong(node.line, f"{what} is empty", f"Write {what}: some words, or leave it out.")
    return node.written.strip()


def empty(node: Node) -> bool:
    """Whether nothing stands there, or `null`."""
    return isinstance(node, Value) and node.kind == "null"


def choice(node: Node, what: str, known: Sequence[str]) -> str:
    """A value that is one of `known`."""
    said = text(node, what)
    if said not in known:
        raise Wrong(node.line, f"{what} cannot be {said!r}", nearest(said, known))
    return said


def yes(node: Node, what: str) -> bool:
    """A value that is `true` or `false`, written so."""
    if not isinstance(node, Value) or node.kind != "bool" or node.written.lower() not in {"true", "false"}:
        raise Wrong(node.line, f"{what} must be true or false", f"Write {what}: true or {what}: false.")
    return node.written.lower() == "true"


def whole(node: Node, what: str, least: int, most: int) -> int:
    """A whole number from `least` to `most`, in decimal digits."""
    if (
        not isinstance(node, Value)
        or node.kind != "int"
        or not node.written.removeprefix("-").isdecimal()
        or (node.written.startswith("0") and node.written != "0")
        or len(node.written) > _MOST_DIGITS
        or not least <= int(node.written) <= most
    ):
        raise Wrong(
            node.line, f"{what} must be a whole number from {least} to {most}", f"Write {what}: {least}."
        )
    return int(node.written)


def items(node: Node, what: str) -> Sequence[Node]:
    """A list."""
    if not isinstance(node, Listed):
        raise Wrong(node.line, f"{what} must be a list", f"Begin each item of {what} with a dash.")
    return node.items


def table(node: Node, what: str) -> Table:
    """A mapping."""
    if not isinstance(node, Table):
        raise Wrong(node.line, f"{what} must have keys and values", "Write key: value, one on a line.")
    return node
