"""Says a question back: as the query language writes it, and as JSON for whoever wants its parts."""

from __future__ import annotations

import re

from app.index.tree import (
    Address,
    All,
    Among,
    And,
    CapturedRange,
    DateRange,
    Exactly,
    Field,
    Fuzzy,
    In,
    Mention,
    Near,
    Not,
    Or,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
)

_ESCAPED = re.compile(r'[\\"“”„‟＂]')
_MEANT_OTHERWISE = re.compile(r"[()%~^*]")
"""What an address may hold and what means something else outside of quotation marks."""
_TAKEN_FOR_A_SIGN = re.compile(r"and|or|not|(?:near|onear|adj|pre|atl|atleast)\d+|x(?:first|last)word")
"""Words that a reader, or the parser, could take for an operator of this language or of another."""
_PLAIN_VALUE = re.compile(r"[\w.@/\-]+")


def show(tree: Tree) -> str:
    """The question in the query language. Reading it gives the same tree again."""
    match tree:
        case Term(word):
            return f'"{word}"' if _TAKEN_FOR_A_SIGN.fullmatch(word) else word
        case Wild(pattern):
            return pattern
        case Fuzzy(word, letters):
            return word + "%" * letters
        case Stem(word):
            return f"{word}~"
        case Tag(name):
            return f"#{name}"
        case Mention(name):
            return f"@{name}"
        case Address(text, prefix):
            return f'"{text}{"*" * prefix}"' if _MEANT_OTHERWISE.search(text) else text + "*" * prefix
        case Phrase(parts):
            return '"' + " ".join(show(part).strip('"') for part in parts) + '"'
        case Near(within, left, right):
            return f"{_joined(left)} w/{within} {_joined(right)}"
        case Pre(within, left, right):
            return f"{_joined(left)} pre/{within} {_joined(right)}"
        case In(place, part):
            return f"{place}:{_joined(part)}"
        case Field(name, value) | Among(Field(name, value), _):
            return f"{name}:{_value(value)}"
        case DateRange():
            return "date:" + _days(tree)
        case CapturedRange():
            return "captured:" + _days(tree)
        case Exactly(versions):
            return f"<{len(versions)} versions>"
        case All():
            return "*"
        case And(parts):
            return " AND ".join(
                f"({show(part)})" if isinstance(part, Or | Near | Pre) else show(part) for part in parts
            )
        case Or(parts):
            return " OR ".join(
                f"({show(part)})" if isinstance(part, And | Near | Pre) else show(part) for part in parts
            )
        case Not(part):
            return f"NOT ({show(part)})" if isinstance(part, And | Or | Near | Pre) else f"NOT {show(part)}"


def _joined(tree: Tree) -> str:
    return f"({show(tree)})" if isinstance(tree, Or | Near | Pre) else show(tree)


def _value(value: str) -> str:
    if _PLAIN_VALUE.fullmatch(value):
        return value
    return '"' + _ESCAPED.sub(r"\\\g<0>", value) + '"'


def _days(days: DateRange | CapturedRange) -> str:
    if days.since is None:
        return f"<={days.until}"
    if days.until is None:
        return f">={days.since}"
    return f"{days.since}..{days.until}"


def explain(tree: Tree) -> dict[str, object]:
    """The question as JSON: what each part is and what stands below it."""
    match tree:
        case Term(word) | Stem(word):
            return {"is": _name(tree), "word": word}
        case Fuzzy(word, letters):
            return {"is": "fuzzy", "word": word, "letters": letters}
        case Wild(pattern):
            return {"is": "wild", "pattern": pattern}
        case Tag(name) | Mention(name):
            return {"is": _name(tree), "name": name}
        case Address(text, prefix):
            return {"is": "address", "text": text, "prefix": prefix}
        case Near(within, left, right) | Pre(within, left, right):
            return {"is": _name(tree), "within": within, "left": explain(left), "right": explain(right)}
        case In(place, part):
            return {"is": "in", "place": place, "part": explain(part)}
        case Field(name, value) | Among(Field(name, value), _):
            return {"is": "field", "name": name, "value": value}
        case Exactly(versions):
            return {"is": "versions", "number": len(versions)}
        case DateRange(since, until) | CapturedRange(since, until):
            return {"is": _name(tree), "since": since and str(since), "until": until and str(until)}
        case All():
            return {"is": "all"}
        case Phrase(parts):
            return {"is": "phrase", "parts": [explain(part) for part in parts]}
        case And(parts) | Or(parts):
            return {"is": _name(tree), "parts": [explain(part) for part in parts]}
        case Not(part):
            return {"is": "not", "part": explain(part)}


def _name(tree: Tree) -> str:
    names = {DateRange: "date", CapturedRange: "captured"}
    return names.get(type(tree), type(tree).__name__.lower())
