"""What people write from habit elsewhere, and what to write here.

dtSearch, Relativity, Google, Lucene, Westlaw and Lexis each have signs of
their own. Read as mere words they would find something else than whoever
typed them meant, and nobody would notice. So each is refused at its place.
Within quotation marks a sign only divides; whoever means the bare words puts
them there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.index.analyser import is_single

QUOTES = '"“”„‟＂'
_END = rf"(?=[\s(){QUOTES}]|\Z)"
_BARE = "For the bare words put them in quotation marks."
OTHER_QUOTES = "'‘’‚`´«»‹›「『〝❝❛″′"
"""Marks that are put around words elsewhere, and hold neither a phrase nor a value here."""


@dataclass(frozen=True, slots=True)
class Habit:
    """A habit at its place (half open): what is wrong with it, and what to write."""

    start: int
    end: int
    what: str
    how: str


_BOTH = "Write road AND closed, or nothing between the words."
_ONE = "Write road OR closed."
_WITHOUT = "Write road AND NOT closed."
_NEAR = "Write road w/5 closed, with the number of words that you mean."
_IN_ORDER = "Write road pre/5 closed, with the number of words that you mean."

OPERATORS = {
    "&&": _BOTH,
    "&": _BOTH,
    "∧": _BOTH,
    "||": _ONE,
    "|": _ONE,
    "∨": _ONE,
    "AND/OR": _ONE,
    "!": _WITHOUT,
    "¬": _WITHOUT,
    "ANDNOT": _WITHOUT,
    "BUTNOT": _WITHOUT,
    "NEAR": _NEAR,
    "ONEAR": _IN_ORDER,
    "ADJ": "Write road pre/1 closed, or both in quotation marks.",
    "AROUND": _NEAR,
    "WITHIN": _NEAR,
    "FOLLOWEDBY": _IN_ORDER,
    "XOR": "Write (a OR b) AND NOT (a AND b).",
}
"""Operators of other systems; small letters make words of them."""

FIELDS = {
    "author:NAME": ("by", "from", "handle", "name", "poster", "screen_name", "sender", "user", "username"),
    "page:NAME or platform:mastodon": ("account", "channel", "feed", "group", "network", "site", "source"),
    "kind:comment": ("class", "doctype", "is", "type"),
    "date:>=2024-01-31": ("after", "since"),
    "date:<2024-01-31": ("before", "until"),
    "date:2024-01-31, or date:2024-01-01..2024-03-31": ("created", "da", "daterange", "day", "month", "posted", "pubdate", "published", "sent", "time", "year"),
    "state:gone": ("deleted", "status", "visibility"),
    "text:road": ("allintext", "body", "content", "contents", "fulltext", "intext", "message"),
    "title:road": ("allintitle", "headline", "intitle", "subject", "ti"),
    "filename:pdf": ("ext", "extension", "file", "filetype"),
    "https://town.example/road, or https://town.example/*": ("allinurl", "domain", "host", "inurl", "link", "uri", "url", "website"),
    "#flood": ("hashtag", "hashtags"),
    "@juneaupd": ("mention", "mentioning", "mentions", "to"),
    "tag:x": ("category", "folder", "label", "topic"),
    "lang:es": ("language", "locale"),
    "has:media, or has:attachment": ("contains", "filter", "include", "with"),
}  # fmt: skip
"""What is written here, for the names that fields have elsewhere."""
_FIELD_HERE = {name: here for here, names in FIELDS.items() for name in names}


def field_here(name: str) -> str:
    """What to write for a field of another system; empty where nothing is like it."""
    here = _FIELD_HERE.get(name.lower())
    return f"Write {here}. " if here else ""


_PROXIMITY = (
    "Proximity is written otherwise here",
    "Write road w/5 closed in either order, road pre/5 closed in this one.",
)
NEVER_NEAR = (
    "NOT cannot stand inside a proximity",
    "Write road AND NOT (road w/5 closed) where they never stand so near.",
)
"""Of dtSearch's and Relativity's `NOT w/5`."""
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)

_AS_A_WHOLE = [
    (
        re.compile(
            rf"(?:(?:near|onear|n|within|p|s|w|pre|adj|not|next|same|with|around|before|after)?/(?:\d+|s|p|seg|sent|para|)"
            rf"|(?:near|onear|within|w|pre)(?:/[-+−–]?\d[^\s/(){QUOTES}]*|\\\d+)"
            rf"|\+(?:\d+|s|p)|(?:near|onear|adj|pre)\d+){_END}",
            re.IGNORECASE,
        ),
        *_PROXIMITY,
    ),
    (
        re.compile(rf"x(?:first|last)word{_END}", re.IGNORECASE),
        "There is no sign for the beginning or the end of a text",
        f"Write road. {_BARE}",
    ),
    (
        re.compile(rf"atl(?:east)?\d+{_END}", re.IGNORECASE),
        "How often a word stands in a text cannot be asked",
        f"Write road. {_BARE}",
    ),
    (
        re.compile(r"BUT(?=\s+NOT\b)"),
        "That is not an operator here",
        _WITHOUT,
    ),
    (
        re.compile(r"[<>≤≥]=?\d"),
        "A comparison stands after date: or captured:",
        f"Write date:>=2024-01-31. Numbers are words, which have no order. {_BARE}",
    ),
    (
        re.compile(r"contains(?=\s*\()", re.IGNORECASE),
        "That is not an operator here",
        "Write title:road, text:road or another field.",
    ),
    (
        re.compile(rf"/[^\s/(){QUOTES}]+/\w*{_END}|##"),
        "Regular expressions mean nothing here",
        f"Write clos* for any characters inside a word, cl?sed for one; write #flood for a hashtag. {_BARE}",
    ),
]
"""Matched from the first character of what stands between blanks, and said of all of it."""

_BEFORE_A_WORD = {
    "-−–—‐‑‒!¬": "Write NOT road, without the sign.",
    "+": "Write road, without the sign: every word is required.",
    "~": "Write road~ for words with the same stem.",
    "%": "Write *road* for words that hold these letters, road% for one letter different.",
    "^": "Write road, without the sign: there is none for the beginning of a text.",
    "=": "Write road, without the sign: words are matched exactly.",
    ":": "A field and its colon stand together, and the value follows at once: write author:jane.",
}

_AFTER_A_WORD = {
    "!": "Write clos* for words that begin so.",
    "&": "Write (fast OR quick), the words that mean the same with OR between them.",
    "=": "Write cl?sed: a question mark stands for one character.",
    "\\": "Write road, without the sign: none has to be taken its meaning here.",
    "^": "Write road, without the sign: there is none for the end of a text, and no word weighs more.",
}

_SOME = {
    mark: f'[^{marks}"]{{0,300}}?'
    for mark, marks in (
        ("'", "'"),
        ("‘", "‘’'"),
        ("`", "`´'"),
        ("«", "«»"),
        ("‹", "‹›"),
        ("「", "「」"),
        ("『", "『』"),
        ("〝", "〝〞〟"),
        ("❝", "❝❞"),
        ("❛", "❛❜"),
        ("″", "″"),
        ("′", "′"),
        ("´", "´"),
        ("’", "’"),
        ("《", "《》"),
        ("〈", "〈〉"),
    )
}
_GROUPED = re.compile(
    "|".join(
        rf"{opening}(?=\S){_SOME[sort]}\s{_SOME[sort]}[{closing}](?!\w)"
        for sort, opening, closing in (
            ("'", "'", "'"), ("‘", "[‘‚]", "‘’"), ("`", "`", "`´'"), ("«", "«", "»"), ("«", "»", "«"), ("‹", "‹", "›"),
            ("「", "「", "」"), ("『", "『", "』"), ("〝", "〝", "〞〟"), ("❝", "❝", "❞"), ("❛", "❛", "❜"),
            ("″", "″", "″"), ("′", "′", "′"), ("´", "´", "´"), ("’", "’", "’"), ("《", "《", "》"), ("〈", "〈", "〉"),
        )
    )
)  # fmt: skip
_COMPARED = re.compile(r"([^\W\d]\w*)(>=|<=|=|>|<)")
_DATE_GOES_ON = re.compile(rf"(?:to|through|until|till|-|–|—|\.\.+|…){_END}", re.IGNORECASE)
_BRACKETED = re.compile(rf"\([^\s(){QUOTES}]*\)[^\s(){QUOTES}]*")


def address_end(text: str, start: int, end: int) -> int:
    """Where an address ends that begins at `start`: brackets within it are its own, where they are closed."""
    if _ADDRESS.match(text, start) is None:
        return end
    while (bracketed := _BRACKETED.match(text, end)) is not None:
        end = bracketed.end()
    return end


def is_address(chunk: str) -> bool:
    """Whether what stands between blanks is an address, whose signs are its own."""
    return _ADDRESS.match(chunk) is not None


_NOTED = re.compile(
    r"(?i:[nw][1-9]\d?|near|within|adj|onear|xor|andnot|butnot)"
    r"|NEXT|SAME|WITH|BEFORE|AFTER|EXCEPT|UNLESS|MINUS|PLUS|SENTENCE|PARAGRAPH|PHRASE"
)
WORDS = frozenset(
    ("and", "or", "not", "but", "to", "through", "until", "till", "contains", "xfirstword", "xlastword", "near", "within", "adj", "onear",
     "xor", "andnot", "butnot", "around", "followedby", "next", "same", "with", "before", "after", "except", "unless", "minus", "plus", "sentence",
     "paragraph", "phrase")
)  # fmt: skip
"""Words without a digit, in small letters, that may be more than words."""


def looks_like_an_operator(chunk: str) -> bool:
    """Whether a word may have been meant as an operator, as EBSCO's `N5` or Sphinx's `NEXT`, and is a word all the same."""
    return _NOTED.fullmatch(chunk) is not None


_OPERATOR = re.compile(r"AND|OR|NOT|(?:w|pre)/\d+")


def _joined_to_a_character(chunk: str) -> re.Match[str] | None:
    """An operator that is written against a character which is a word by itself, as in `警察w/5消防`."""
    for match in _OPERATOR.finditer(chunk):
        beside = (
            chunk[match.start() - 1 : match.start()] if match.start() else "",
            chunk[match.end() : match.end() + 1],
        )
        if any(beside) and all(not one or is_single(one) for one in beside):
            return match
    return None


def found(text: str, start: int, end: int, *, examples: Mapping[str, str]) -> Habit | None:
    """The first habit in what stands between `start` and `end`, which is neither an operator nor an address.

    `examples` has for each field how it is written.
    """
    return next(_found(text, start, end, examples), None)


def _found(text: str, start: int, end: int, examples: Mapping[str, str]) -> Iterator[Habit]:
    chunk = text[start:end]
    for pattern, what, how in _AS_A_WHOLE:
        if (match := pattern.match(text, start)) is not None:
            yield Habit(start, max(end, match.end()), what, how)
    if re.match(r"not\s+(?:w|pre)/\d", text[start : end + 20], re.IGNORECASE):
        yield Habit(
            start, end, NEVER_NEAR[0], f"{NEVER_NEAR[1]} The word not stands in quotation marks.",
        )  # fmt: skip
    compared = _COMPARED.match(chunk)
    if compared is not None and compared[1].lower() in examples:
        name = compared[1].lower()
        value = f"{name}:{'' if compared[2] == '=' else compared[2]}2024-01-31"
        yield Habit(
            start, start + compared.end(), "A field is followed by a colon",
            f"Write {value if name in ('date', 'captured') else examples.get(name, name + ':road')}. {_BARE}",
        )  # fmt: skip
    if chunk[0] in "*?^=&%~!" and start and text[start - 1] in QUOTES + ")":
        yield Habit(
            start, end, f"{chunk[0]} after a quotation mark or a bracket means nothing here",
            "A sign stands at the word that it belongs to: write clos* or cl?sed.",
        )  # fmt: skip
    for signs, how in _BEFORE_A_WORD.items():
        if chunk[0] in signs and (len(chunk) > 1 or text[end : end + 1] in ("(", *QUOTES)):
            yield Habit(start, end, f"{chunk[0]} before a word means nothing here", how)
    if "[" in chunk or "{" in chunk:
        yield Habit(
            start, end, "Square and curly brackets mean nothing here",
            f"Write date:2024-01-01..2024-03-31 for days, write cl?sed for one letter inside a word. {_BARE}",
        )  # fmt: skip
    if "|" in chunk or "&&" in chunk:
        yield Habit(
            start, end, "An operator stands between blanks, and this one is written otherwise here",
            f"{_ONE if '|' in chunk else _BOTH} {_BARE}",
        )  # fmt: skip
    if not chunk.isascii() and (joined := _joined_to_a_character(chunk)) is not None:
        yield Habit(
            start + joined.start(), start + joined.end(), "An operator stands between blanks",
            f"Write 警察 w/5 消防, 警察 AND 消防. {_BARE}",
        )  # fmt: skip
    if re.search(r"\w", chunk) is not None:
        for sign, how in _AFTER_A_WORD.items():
            if chunk.endswith(sign) or (sign == "=" and "==" in chunk):
                yield Habit(start, end, f"{sign} after a word means nothing here", f"{how} {_BARE}")
    if re.search(r"\\[^\w\s]", chunk) is not None:
        yield Habit(start, end, "A backslash means nothing here", f"Write road. {_BARE}")
    if _range_of_numbers(chunk):
        yield Habit(
            start, end, "A range stands after date: or captured:",
            f"Write date:2024-01-01..2024-03-31. Numbers are words, which have no range. {_BARE}",
        )  # fmt: skip
    if text[end : end + 1] == "(" and re.search(r"\w$", chunk):
        yield Habit(
            start, end + 1, "A bracket right after a word means nothing here",
            "Leave a blank before it for both; write road w/5 closed for nearness, write (road OR roads) for road(s).",
        )  # fmt: skip
    grouped = _GROUPED.match(text, start)
    if grouped is not None:
        yield Habit(start, grouped.end(), "These quotation marks make no phrase here", 'Write "road closed".')


def _range_of_numbers(chunk: str) -> bool:
    """Whether two numbers stand on both sides of two dots, as in `$50..$100`."""
    left, _, right = chunk.partition("..")
    return (
        left[-1:].isdigit()
        and re.search(r"[^\W\d]", left) is None
        and re.match(r"\d", right.lstrip("$€£")) is not None
    )


def after_a_date(text: str, start: int, end: int) -> Habit | None:
    """What goes on after a date, as in `date:2024-01-01 TO 2024-03-31`."""
    match = _DATE_GOES_ON.match(text, start)
    if match is None:
        return None
    return Habit(
        start, end, "A range of days is one value, without a blank",
        f"Write date:2024-01-01..2024-03-31. {_BARE}",
    )  # fmt: skip
