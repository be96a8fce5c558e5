"""The query language: one parser, with the place of every mistake.

What binds tightest comes first: `w/N` and `pre/N`, then `NOT`, then `AND`
(written or not), then `OR`. Brackets change that. Operators are written in
capitals; `and`, `or` and `not` are words like any other.

A question that cannot be understood is refused with the place and with how
to write it. Habits from other systems are refused in the same way rather
than read as something else.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, auto
from functools import lru_cache
from typing import NoReturn

from app.index import analyser, habits
from app.index.documents import LACKS, PLACES
from app.index.habits import QUOTES as _QUOTES
from app.index.habits import Habit
from app.index.printer import explain, show
from app.index.tree import (
    Address,
    All,
    And,
    CapturedRange,
    DateRange,
    Field,
    Fuzzy,
    In,
    Mention,
    Near,
    Not,
    Or,
    Part,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
    both,
    either,
)
from app.records.errors import Invalid

FIELDS = (
    "author", "page", "platform", "kind", "state", "series", "tag", "version",
    "has", "lang", "hold", "origin", "unsearchable", "date", "captured", *PLACES,
)  # fmt: skip
"""The fields that a question may name."""

CHOICES = {
    "kind": ("post", "comment", "reply", "message", "profile"),
    "state": ("present", "hidden", "absent", "gone", "unknown"),
    "origin": ("captured", "received"),
    "version": ("current",),
    "has": ("media", "date", *PLACES[1:]),
    "unsearchable": ("any", *LACKS),
}
"""The fields whose values are known beforehand: anything else in them is a slip of the pen."""

MOST_CHARACTERS = 100_000
MOST_BRACKETS = 100
FARTHEST = 10_000


class BadQuery(Invalid):
    """The question cannot be understood at `position` (`length` characters); `next` says how to write it.

    Where the mistake is in what narrows the question, `parameter` is the name
    of that and `query` its value.
    """

    code = "bad-query"

    def __init__(
        self, what: str, query: str, position: int, length: int, *, next: str = "", parameter: str = ""
    ) -> None:
        position = min(position, len(query))
        excerpt = query[position : position + min(length, 60)]
        place = (
            f'at character {position + 1}, "{excerpt}"'
            if excerpt
            else "at its end"
            if query
            else "it is empty"
        )
        where = f"in {parameter}, {place}" if parameter else place
        super().__init__(f"{what} ({where}).{' ' + next if next else ''}", next=next)
        self.what = what
        self.query = query
        self.position = position
        self.length = length
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Query:
    """A question as understood. `notes` say what its writer might not expect."""

    text: str
    tree: Tree
    notes: tuple[str, ...] = ()

    def explain(self) -> dict[str, object]:
        """What every answer carries: the question as written, as understood, and its parts."""
        return dict(_explained(self) if len(self.text) <= _SHORT else _explained.__wrapped__(self))


@lru_cache(maxsize=256)
def _explained(query: Query) -> dict[str, object]:
    return {
        "text": query.text,
        "understood": show(query.tree),
        "tree": explain(query.tree),
        "notes": list(query.notes),
    }


def parse(text: str) -> Query:
    """Understand a question, or raise `BadQuery`."""
    if len(text) > MOST_CHARACTERS:
        raise BadQuery(
            f"A question may have {MOST_CHARACTERS:,} characters",
            text, MOST_CHARACTERS, len(text) - MOST_CHARACTERS,
        )  # fmt: skip
    return _remembered(text) if len(text) <= _SHORT else _parsed(text)


def parse_again(understood: str) -> Query:
    """Read what `show` wrote of a question, which may be longer than what anybody may write."""
    return _parsed(understood)


def _parsed(text: str) -> Query:
    _must_be_whole(text)
    lexer = _Lexer(text)
    return Query(text, _Parser(text, lexer.lexemes()).tree(), tuple(dict.fromkeys(lexer.notes)))


_HALF = re.compile("[\ud800-\udfff]")
"""Half a character, which bytes that are no UTF-8 become on the way here."""
_SHORT = 1_000
_remembered = lru_cache(maxsize=256)(_parsed)
"""The same question is asked for its next page, its counts and its copy; what cannot be understood is not kept."""


# ---- what a question is made of ------------------------------------------------------------------


class _Sort(Enum):
    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    IN = auto()
    WITHIN = auto()
    PART = auto()


@dataclass(frozen=True, slots=True)
class _Lexeme:
    sort: _Sort
    start: int
    end: int
    tree: Tree | None = None
    within: int = 0
    in_order: bool = False
    place: str = ""


_ENDS_CHUNK = re.compile(rf"[\s(){_QUOTES}]")
_FIELD = re.compile(r"([^\W\d]\w*):(?!//)")
_WITHIN = re.compile(r"(w|pre)/(\d+)", re.IGNORECASE)
_WILDCARD = re.compile(r"[*?]")
_LOOSELY = re.compile(r"%+|[~\d]*~")
"""What may stand after a word, read from the end."""
_QUOTED_VALUE = re.compile(rf"[{_QUOTES}]((?:\\.|[^\\{_QUOTES}])*)[{_QUOTES}]", re.DOTALL)
EXAMPLES = {
    "author": 'author:"Jane Doe"', "page": 'page:"Police blog"', "platform": "platform:mastodon", "lang": "lang:es",
    "series": "series:GS-1", "tag": "tag:x", "hold": "hold:any", "date": "date:2024-05", "captured": "captured:2024-05",
    **{name: f"{name}:{values[0]}" for name, values in CHOICES.items()},
    **{place: f"{place}:road" for place in PLACES},
}  # fmt: skip
"""How each field is written."""
_OPERATORS = {"AND": _Sort.AND, "OR": _Sort.OR, "NOT": _Sort.NOT}


_WIDTHS = {
    code: made
    for code in (*range(0xFE10, 0xFE6C), *range(0xFF01, 0xFF5F))
    if len(made := unicodedata.normalize("NFKC", chr(code))) == 1 and made.isascii()
}
"""ASCII in the widths in which it stands between Chinese and Japanese: words are compared so (NFKC), and signs read so."""
_ASKS = re.compile(r"[^*?#@]*\?+")
"""Question marks alone or after a word, which may have been meant to end a question."""
_BEFORE_LETTERS = re.compile(r"\?+\w")
_PLAIN_WORD = re.compile(r"[A-Za-z_]+(?=[\s)]|\Z)")


class _Lexer:
    """Cuts a question into operators, brackets and parts. `text` is what was `written`, character by character, its signs in one width."""

    def __init__(self, written: str) -> None:
        self.written = written
        self.text = text = written if written.isascii() else written.translate(_WIDTHS)
        assert len(text) == len(written)
        self.notes: list[str] = []
        self.found: list[_Lexeme] = []

    def lexemes(self) -> Sequence[_Lexeme]:
        at = 0
        while at < len(self.text):
            character = self.text[at]
            if character.isspace():
                at += 1
            elif character in "()":
                self._keep(_Sort.OPEN if character == "(" else _Sort.CLOSE, at, at + 1)
                at += 1
            elif character in _QUOTES:
                at = self._quotation(at)
            else:
                at = self._field(at) or self._chunk(at)
        self._stars_between_words()
        return self.found

    def _stars_between_words(self) -> None:
        """Refuse `road * closed`, where Google reads the star as any word in between."""
        for left, star, right in zip(self.found, self.found[1:], self.found[2:], strict=False):
            if star.tree == All() and _is_said(left) and _is_said(right):
                self._refuse(
                    "A wildcard must touch the word that it belongs to", star.start, star.end,
                    "For any word in between write road pre/2 closed; every record is * by itself.",
                )  # fmt: skip

    def _keep(
        self,
        sort: _Sort,
        start: int,
        end: int,
        *,
        tree: Tree | None = None,
        within: int = 0,
        in_order: bool = False,
    ) -> None:
        self.found.append(_Lexeme(sort, start, end, tree, within, in_order))

    def _refuse(self, what: str, start: int, end: int, how: str = "") -> NoReturn:
        raise BadQuery(what, self.written, start, end - start, next=how)

    def _quotation(self, start: int) -> int:
        end = next((at for at in range(start + 1, len(self.text)) if self.text[at] in _QUOTES), None)
        if end is None:
            self._refuse(
                "A quotation mark is not closed", start, len(self.text),
                'Close it with another one: write "road closed".',
            )  # fmt: skip
        after = re.compile(r"~\d*").match(self.text, end + 1)
        if after is not None:
            self._refuse(
                "A tilde after a phrase means nothing here", start, after.end(),
                "Write road w/5 closed for words within 5 of each other.",
            )  # fmt: skip
        if self.text.startswith("##", start + 1):
            self._refuse_habit(habits.found(self.text, start + 1, end, examples=EXAMPLES))
        parts = self._parts(start + 1, end, quoted=True)
        if not parts:
            self._refuse(
                "There is no word between the quotation marks", start, end + 1, 'Write "road closed".'
            )
        self._keep(_Sort.PART, start, end + 1, tree=_one_part(parts))
        return end + 1

    def _chunk_end(self, start: int) -> int:
        found = _ENDS_CHUNK.search(self.text, start)
        return habits.address_end(self.text, start, found.start() if found else len(self.text))

    # -- fields --

    def _field(self, start: int) -> int | None:
        match = _FIELD.match(self.text, start)
        if match is None:
            return None
        name = match.group(1).lower()
        if name not in FIELDS:
            self._refuse(
                f"There is no field {match.group(1)}", start, match.end(),
                f"{habits.field_here(name)}The fields are {', '.join(FIELDS)}. "
                'Words with a colon between them stand in quotation marks: write "note: road".',
            )  # fmt: skip
        if name in PLACES:
            return self._in_a_place(name, start, match.end())
        value, end = self._field_value(name, start, match.end())
        self._keep(_Sort.PART, start, end, tree=self._field_tree(name, value, start, end))
        return end

    def _in_a_place(self, place: str, start: int, at: int) -> int:
        """`alt:` and its like, with the word, the quotation or the bracket that must follow at once."""
        after = self.text[at : at + 1]
        if not after or after.isspace() or after == ")":
            self._refuse(
                f"Nothing follows {place}:", start, at,
                f'Write {place}:word, {place}:"two words" or {place}:(road w/5 closed).',
            )  # fmt: skip
        inner = _FIELD.match(self.text, at)
        if inner is not None and inner.group(1).lower() in FIELDS:
            self._refuse(
                "A field cannot stand inside a field", start, inner.end(),
                "Write alt:road AND kind:post, each by itself; words with a colon between them stand in quotation marks.",
            )  # fmt: skip
        self.found.append(_Lexeme(_Sort.IN, start, at, place=place))
        if after == "(":
            return at
        if after in _QUOTES:
            return self._quotation(at)
        end = self._chunk_end(at)
        if analyser.normalised(self.text[at:end]).strip("*") == "":
            self._refuse(
                "A wildcard must touch the word that it belongs to", start, end,
                f"For every record that has one write has:{place}." if place != "text" else "For every record write *.",
            )  # fmt: skip
        self._words(self.text[at:end], at, end)
        return end

    def _field_value(self, name: str, start: int, at: int) -> tuple[str, int]:
        sign = self.text[at : at + 1]
        if sign and sign in _QUOTES:
            match = _QUOTED_VALUE.match(self.written, at)
            if match is None:
                self._refuse(
                    "A quotation mark is not closed", at, len(self.text),
                    'Close it with another one: write author:"Jane Doe".',
                )  # fmt: skip
            return re.sub(r"\\(.)", r"\1", match.group(1), flags=re.DOTALL).strip(), match.end()
        if sign == "(":
            self._refuse(
                "A field has one value",
                start,
                at + 1,
                f"Write ({name}:one OR {name}:other), each with its field.",
            )
        if sign in ("[", "{"):
            self._refuse(
                "Square brackets mean nothing here", start, self._chunk_end(at),
                "Write date:2024-01-01..2024-03-31 for days, both included.",
            )  # fmt: skip
        end = self._chunk_end(at)
        if sign and sign in habits.OTHER_QUOTES:
            self._refuse(
                "These quotation marks hold no value here", start, end,
                f'Write author:"Jane Doe", with straight quotation marks; so too where the value begins with {self.written[at]}.',
            )  # fmt: skip
        if end < len(self.text) and self.text[end] in _QUOTES:
            self._refuse(
                "A quotation mark stands inside a value", start, end + 1,
                'Put the whole value in quotes: write author:"Jane Doe".',
            )  # fmt: skip
        if any(sign in self.text[at:end] for sign in "*?") and name not in ("date", "captured"):
            self._refuse(
                "A field is compared whole, without wildcards", start, end,
                f'Write {EXAMPLES.get(name, f"{name}:x")}; if the value really holds that sign, put it in quotation marks.',
            )  # fmt: skip
        known = name in CHOICES or name in ("date", "captured")
        return (self.text if known else self.written)[at:end], end

    def _field_tree(self, name: str, value: str, start: int, end: int) -> Tree:
        if not value:
            self._refuse(
                f"Nothing follows {name}:", start, end,
                f"Write {EXAMPLES[name]}, without a blank after the colon.",
            )  # fmt: skip
        if name in ("date", "captured"):
            since, until = self._days(name, value, start, end)
            return DateRange(since, until) if name == "date" else CapturedRange(since, until)
        if name in CHOICES:
            value = value.lower()
            if value not in CHOICES[name]:
                self._refuse(
                    f"{name}: has no value {value}", start, end,
                    f"It can be {', '.join(CHOICES[name])}: write {EXAMPLES[name]}.",
                )  # fmt: skip
        if name == "author" and value.startswith("@"):
            self.notes.append(
                "author: is compared whole, the @ too; where a platform gives handles without it, leave it out."
            )
        return Field(name, value)

    def _days(self, name: str, value: str, start: int, end: int) -> tuple[date | None, date | None]:
        """The days that a value names, both inclusive."""
        refuse = self._refuse
        how = f"Write {name}:2024-01-01..2024-03-31, {name}:>=2024-01, {name}:<=2024 or {name}:2024-05."

        def days(written: str) -> tuple[date, date]:
            found = _days_of(written.strip())
            if found is None:
                refuse("That is not a date", start, end, how)
            return found

        comparison = re.match(r"(>=|<=|>|<|=)", value)
        if comparison is not None:
            first, last = days(value[comparison.end() :])
            match comparison.group():
                case ">=":
                    return first, None
                case "<=":
                    return None, last
                case ">":
                    if last == date.max:
                        refuse("No day comes after that", start, end, how)
                    return last + timedelta(days=1), None
                case "<":
                    if first == date.min:
                        refuse("No day comes before that", start, end, how)
                    return None, first - timedelta(days=1)
                case _:
                    return first, last
        if ".." not in value:
            return days(value)
        left, right = value.split("..", 1)
        if not left and not right:
            refuse("A range needs a beginning or an end", start, end, how)
        since = days(left)[0] if left else None
        until = days(right)[1] if right else None
        if since is not None and until is not None and since > until:
            refuse("The range ends before it begins", start, end, how)
        return since, until

    # -- words --

    def _chunk(self, start: int) -> int:
        word = _PLAIN_WORD.match(self.text, start)
        if word is not None and word.group().lower() not in habits.WORDS:
            self._keep(_Sort.PART, start, word.end(), tree=Term(word.group().lower()))
            return word.end()
        end = self._chunk_end(start)
        chunk = self.text[start:end]
        if chunk in _OPERATORS:
            self._keep(_OPERATORS[chunk], start, end)
        elif (within := _WITHIN.fullmatch(chunk)) is not None:
            self._within(within, start, end)
        elif chunk in habits.OPERATORS:
            self._refuse("That is not an operator here", start, end, habits.OPERATORS[chunk])
        else:
            self._words(chunk, start, end)
        return end

    def _within(self, match: re.Match[str], start: int, end: int) -> None:
        digits = match.group(2).lstrip("0")
        if not digits or len(digits) > len(str(FARTHEST)) or int(digits) > FARTHEST:
            self._refuse(
                f"A distance is from 1 to {FARTHEST:,} words",
                start,
                end,
                "Neighbouring words are 1 apart: write road w/1 closed.",
            )
        self._keep(_Sort.WITHIN, start, end, within=int(digits), in_order=match.group(1).lower() == "pre")

    def _words(self, chunk: str, start: int, end: int) -> None:
        if habits.is_address(chunk):
            parts = self._parts(start, end, quoted=False)
            if "*" in chunk[:-1].rstrip("*"):
                self._refuse(
                    "In an address a star stands at the end", start, end,
                    "Write https://town.example/* for all that begin so; in quotation marks a star inside is its own.",
                )  # fmt: skip
            self._keep(_Sort.PART, start, end, tree=_one_part(parts))
            return
        self._refuse_habit(habits.found(self.text, start, end, examples=EXAMPLES))
        if self.found and isinstance(self.found[-1].tree, DateRange | CapturedRange):
            self._refuse_habit(habits.after_a_date(self.text, start, end))
        if analyser.normalised(chunk).strip("*") == "":
            self._keep(_Sort.PART, start, end, tree=All())
            return
        suffix = _LOOSELY.match(chunk[::-1])
        if suffix is not None:
            self._keep(_Sort.PART, start, end, tree=self._loosely(suffix.group()[::-1], start, end))
            return
        if re.search(r"\w[~%]\w|\^\d", chunk) is not None:
            self._refuse(
                "That sign means nothing inside a word", start, end,
                "Write closed~ for the same stem, closd% for one letter different; quotation marks take a sign as mere division.",
            )  # fmt: skip
        parts = self._parts(start, end, quoted=False)
        if not parts:
            self._refuse(
                "There is no word here", start, end,
                "A word begins with a letter, a digit or an underscore: write road closed, without the sign.",
            )  # fmt: skip
        if chunk.lower() in ("and", "or", "not"):
            self._lower_case(chunk, end)
        elif self.found and habits.looks_like_an_operator(chunk):
            self.notes.append(
                f'"{chunk}" was searched for as a word; nearness is written w/5 or pre/5, without is NOT.'
            )
        elif len(parts) == 1 and isinstance(parts[0], Wild) and _ASKS.fullmatch(parts[0].pattern):
            self.notes.append(
                f'In "{chunk}" a question mark stands for exactly one letter; where it only ends a question leave it out.'
            )
        self._keep(_Sort.PART, start, end, tree=_one_part(parts))

    def _refuse_habit(self, habit: Habit | None) -> None:
        if habit is not None:
            self._refuse(habit.what, habit.start, habit.end, habit.how)

    def _lower_case(self, chunk: str, end: int) -> None:
        before = self.found[-1] if self.found else None
        joins = "" if before is None else self.text[before.start : before.end].lower()
        if before is not None and chunk.lower() == "not" and joins in ("and", "or", "but"):
            self._refuse(
                "Operators are written in capitals", before.start, end,
                f"Write road {'OR' if joins == 'or' else 'AND'} NOT closed, or put the words in quotation marks.",
            )  # fmt: skip
        self.notes.append(f'"{chunk}" was searched for as a word; operators are written in capitals.')

    def _loosely(self, sign: str, start: int, end: int) -> Part:
        """A word with `~` or `%` after it."""
        parts = self._parts(start, end - len(sign), quoted=False)
        if len(sign) > 1 and sign[0] == "~":
            self._refuse(
                "What follows ~ means nothing here",
                start,
                end,
                "Write closed~ for the same stem, closd% or closd%% for letters that differ.",
            )
        if len(sign) > 2:
            self._refuse("At most two letters may differ", start, end, "Write closd% or closd%%.")
        if len(parts) != 1 or not isinstance(parts[0], Term) or not re.search(r"[^\W\d_]", parts[0].word):
            self._refuse(
                f"{sign} stands after one word that has letters", start, end,
                'Write closed~ or closd%; for the bare words put them in quotation marks: write "50%".',
            )  # fmt: skip
        word = parts[0].word
        if sign == "~":
            return Stem(word)
        if analyser.is_single(word):
            self._refuse(
                f"{sign} needs a word of several letters",
                start,
                end,
                "Here each character is a word by itself: write 警察, without the sign.",
            )
        return Fuzzy(word, len(sign))

    def _parts(self, start: int, end: int, *, quoted: bool) -> list[Part]:
        """The words, patterns and sigils between two places, in their order."""
        plain = analyser.normalised(self.text[start:end])
        if _WILDCARD.search(plain) and analyser.parted_by_wildcard(plain, "*" if quoted else "*?"):
            self._refuse_alone(start, end)
        elements = analyser.pattern_elements(plain)
        # A question mark at the end of a written-out phrase ends a sentence; in a single word it is a wildcard.
        punctuation = quoted or len([element for element in elements if element.strip("?")]) > 1
        parts: list[Part] = []
        for element in elements:
            rest = _unpunctuated(element) if punctuation else [element]
            parts += [
                self._pattern(one, start, end, quoted=quoted) for one in rest if one not in {"", "#", "@"}
            ]
        return parts

    def _refuse_alone(self, start: int, end: int) -> NoReturn:
        self._refuse(
            "A wildcard stands inside one word, and here each character is a word by itself", start, end,
            "Write 警察, the characters without it: they are found wherever they stand together.",
        )  # fmt: skip

    def _pattern(self, element: str, start: int, end: int, *, quoted: bool) -> Part:
        if not _WILDCARD.search(element) or element.startswith("http"):
            return _part(element)
        letters = element.replace("*", "").replace("?", "")
        if analyser.is_single(letters):
            if element == letters + "*" * (len(element) - len(letters)):
                return Term(letters)  # nothing can follow inside this word, so the star asks for nothing
            self._refuse_alone(start, end)
        if not letters and (quoted or self.text[start:end].strip("*?")):
            self._refuse(
                "A wildcard must touch the word that it belongs to", start, end,
                "Write clos* or cl?sed; for any word in between write road pre/2 closed.",
            )  # fmt: skip
        if letters in ("#", "@"):
            self._refuse("A name must follow", start, end, "Write #flood or #flo*.")
        return _part(re.sub(r"\*+", "*", element))


def _is_said(lexeme: _Lexeme) -> bool:
    """Whether it is a word, a phrase or the like, and no fact."""
    return lexeme.tree is not None and not isinstance(lexeme.tree, Field | DateRange | CapturedRange | All)


def _unpunctuated(element: str) -> list[str]:
    """What is left without the question marks after it; before a letter they stand for letters.

    What a sign stood before may be no word without it, a mark alone for one,
    and then the next sign stands at the beginning.
    """
    if element.startswith("http"):
        return [element]
    bare = element.rstrip("?")
    bare = bare if _BEFORE_LETTERS.match(bare) else bare.lstrip("?")
    if bare == element:
        return [element]
    return [rest for one in analyser.pattern_elements(bare) for rest in _unpunctuated(one)]


def _part(element: str) -> Part:
    """One element of normalised text as what it is."""
    if element.startswith("#"):
        return Tag(element[1:])
    if element.startswith("@"):
        return Mention(element[1:])
    if element.startswith(("http://", "https://")):
        return Address(element.removesuffix("*"), prefix=True) if element.endswith("*") else Address(element)
    return Wild(element) if _WILDCARD.search(element) else Term(element)


def _one_part(parts: Sequence[Part]) -> Tree:
    return parts[0] if len(parts) == 1 else Phrase(tuple(parts))


def fact(name: str, value: str) -> Tree:
    """A field with a value that stands beside a question, in a parameter of that name; `BadQuery` names the parameter."""
    _must_be_whole(value, name)
    told = value.strip()
    if not told:
        raise BadQuery(
            f"{name} is empty", value, 0, len(value), next="Leave it out, or give it a value.", parameter=name
        )
    if name in CHOICES and told.lower() not in CHOICES[name]:
        at = value.index(told)
        raise BadQuery(
            f"{name} has no value {told[:60]}",
            value,
            at,
            len(told),
            next=f"It can be {', '.join(CHOICES[name])}.",
            parameter=name,
        )
    return Field(name, told.lower() if name in CHOICES else told)


def published(since: str | None, until: str | None) -> Tree:
    """Days of publication that stand beside a question, in parameters `from` and `to`, both inclusive."""
    return DateRange(*_days_beside(since, until))


def captured(since: str | None, until: str | None) -> Tree:
    """The same of days of capture."""
    return CapturedRange(*_days_beside(since, until))


def _days_beside(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    first = _day_beside(since, "from", 0)
    last = _day_beside(until, "to", 1)
    if first is not None and last is not None and first > last:
        raise BadQuery(
            "The range ends before it begins", until or "", 0, len(until or ""),
            next=f"Write a day from {first} on.", parameter="to",
        )  # fmt: skip
    return first, last


def _day_beside(value: str | None, name: str, which: int) -> date | None:
    told = (value or "").strip()
    if value is None or not told:
        return None
    _must_be_whole(value, name)
    days = _days_of(told)
    if days is None:
        at, length = _astray(told)
        raise BadQuery(
            "That is not a date",
            value,
            value.index(told) + at,
            length,
            next="Write 2024-01-31, 2024-01 or 2024.",
            parameter=name,
        )
    return days[which]


def _astray(written: str) -> tuple[int, int]:
    """Where what is written stops being a day, a month or a year, and how long that is."""
    begun = _DAY.match(written)
    if begun is None:
        return 0, len(written)
    if begun.end() < len(written):
        return begun.end(), len(written) - begun.end()
    group = 1 if begun[1] == "0000" else 3 if begun[3] and "01" <= begun[2] <= "12" else 2
    return begun.start(group), begun.end(group) - begun.start(group)


def _must_be_whole(text: str, parameter: str = "") -> None:
    half = _HALF.search(text)
    if half is not None:
        raise BadQuery(
            "That is no character", text, half.start(), 1,
            next="Write it in UTF-8; whatever stood there was broken on the way.", parameter=parameter,
        )  # fmt: skip


_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def _days_of(written: str) -> tuple[date, date] | None:
    """First and last day of a year, a month or a day as ISO 8601 writes them."""
    match = _DAY.fullmatch(written)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        if year is None or month is None:
            return date(year or 0, 1, 1), date(year or 0, 12, 31)
        if day is None:
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        return date(year, month, day), date(year, month, day)
    except (ValueError, calendar.IllegalMonthError):
        return None


_BRACKETS = "Write (road OR bridge) AND closed."


# ---- how it is put together ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    """A tree with the place of what it was read from."""

    tree: Tree
    start: int
    end: int


class _Parser:
    """Puts lexemes together by precedence."""

    def __init__(self, text: str, lexemes: Sequence[_Lexeme]) -> None:
        self.text = text
        self.lexemes = lexemes
        self.at = 0
        self.depth = 0

    def tree(self) -> Tree:
        if not self.lexemes:
            self._refuse(
                "There is no question", 0, len(self.text), "Write at least one word, or * for every record."
            )
        found = self._any()
        rest = self._ahead()
        if rest is not None:
            self._refuse("A bracket is closed that was never opened", rest.start, rest.end, _BRACKETS)
        return found.tree

    def _refuse(self, what: str, start: int, end: int, how: str = "") -> NoReturn:
        raise BadQuery(what, self.text, start, end - start, next=how)

    def _ahead(self) -> _Lexeme | None:
        return self.lexemes[self.at] if self.at < len(self.lexemes) else None

    def _next_is(self, *sorts: _Sort) -> _Lexeme | None:
        lexeme = self._ahead()
        return lexeme if lexeme is not None and lexeme.sort in sorts else None

    def _group(
        self, operand: Callable[[], _Placed], more: Callable[[], bool], join: Callable[..., Tree]
    ) -> _Placed:
        parts = [operand()]
        while more():
            parts.append(operand())
        if len(parts) == 1:
            return parts[0]
        return _Placed(join(*(part.tree for part in parts)), parts[0].start, parts[-1].end)

    def _any(self) -> _Placed:
        def more() -> bool:
            found = self._next_is(_Sort.OR) is not None
            self.at += found
            return found

        return self._group(self._all, more, either)

    def _all(self) -> _Placed:
        def more() -> bool:
            if self._next_is(_Sort.AND) is not None:
                self.at += 1
                return True
            return self._next_is(_Sort.OPEN, _Sort.NOT, _Sort.PART, _Sort.IN) is not None

        return self._group(self._not, more, both)

    def _not(self) -> _Placed:
        lexeme = self._next_is(_Sort.NOT)
        if lexeme is None:
            return self._near()
        self.at += 1
        if self._next_is(_Sort.WITHIN):
            self._refuse(habits.NEVER_NEAR[0], lexeme.start, lexeme.end, habits.NEVER_NEAR[1])
        self._deeper(lexeme)
        found = self._not()
        self.depth -= 1
        return _Placed(Not(found.tree), lexeme.start, found.end)

    def _near(self) -> _Placed:
        left = self._single()
        within = self._next_is(_Sort.WITHIN)
        if within is None:
            return left
        self.at += 1
        refused = self._next_is(_Sort.NOT)
        if refused is not None:
            self._refuse(
                "NOT cannot stand inside a proximity", refused.start, refused.end,
                "Write road w/5 closed AND NOT bridge.",
            )  # fmt: skip
        right = self._single()
        again = self._next_is(_Sort.WITHIN)
        if again is not None:
            self._refuse(
                "Two proximities in a row can be read in two ways", left.start, again.end,
                "Put one of them in brackets: write (road w/5 closed) w/3 bridge.",
            )  # fmt: skip
        for side in (left, right):
            self._check_joinable(side)
        node = Pre if within.in_order else Near
        return _Placed(node(within.within, left.tree, right.tree), left.start, right.end)

    def _check_joinable(self, side: _Placed) -> None:
        """Proximity joins places in a text: words, phrases, and groups of them with OR or w/N."""
        remaining = [side.tree]
        while remaining:
            node = remaining.pop()
            match node:
                case Or(parts):
                    remaining.extend(parts)
                case (
                    Near()
                    | Pre()
                    | Phrase()
                    | Term()
                    | Wild()
                    | Fuzzy()
                    | Stem()
                    | Tag()
                    | Mention()
                    | Address()
                ):
                    pass
                case Not():
                    self._refuse(
                        "NOT cannot stand inside a proximity", side.start, side.end,
                        "Write road w/5 closed AND NOT bridge.",
                    )  # fmt: skip
                case And():
                    self._refuse(
                        "AND cannot stand inside a proximity", side.start, side.end,
                        "Write (road w/5 closed) AND (road w/5 bridge), or (closed w/5 bridge) w/5 road.",
                    )  # fmt: skip
                case In(place, _):
                    self._refuse(
                        "A proximity stands in one place", side.start, side.end,
                        f"Write {place}:(road w/5 closed).",
                    )  # fmt: skip
                case All():
                    self._refuse(
                        "Proximity joins words and phrases", side.start, side.end,
                        "For any word in between write road pre/2 closed.",
                    )  # fmt: skip
                case _:
                    self._refuse(
                        "Proximity joins words and phrases", side.start, side.end,
                        "Put fields and dates beside it with AND: write road w/5 closed AND date:2024.",
                    )  # fmt: skip

    def _single(self) -> _Placed:
        lexeme = self._ahead()
        if lexeme is None:
            last = self.lexemes[-1]
            self._refuse(
                "Something is missing at the end", last.start, last.end,
                "A word or a bracket must follow: write road AND closed, road w/5 closed or NOT road.",
            )  # fmt: skip
        self.at += 1
        if lexeme.sort is _Sort.PART and lexeme.tree is not None:
            return _Placed(lexeme.tree, lexeme.start, lexeme.end)
        if lexeme.sort is _Sort.IN:
            inside = self._single()
            return _Placed(self._in(lexeme.place, inside, inside.tree), lexeme.start, inside.end)
        if lexeme.sort is not _Sort.OPEN:
            self._out_of_place(lexeme)
        if self._next_is(_Sort.CLOSE):
            self._refuse(
                "There is nothing between the brackets", lexeme.start, self.lexemes[self.at].end, _BRACKETS
            )
        self._deeper(lexeme)
        inside = self._any()
        self.depth -= 1
        closing = self._ahead()
        if closing is None:
            self._refuse("A bracket is not closed", lexeme.start, lexeme.end, f"Close it with ). {_BRACKETS}")
        if closing.sort is not _Sort.CLOSE:
            self._out_of_place(closing)
        self.at += 1
        return replace(inside, start=lexeme.start, end=closing.end)

    def _in(self, place: str, whole: _Placed, tree: Tree) -> Tree:
        """What stands in brackets after `alt:`, said of each of its words, phrases and proximities."""
        if isinstance(tree, In | Field | DateRange | CapturedRange | All):
            self._refuse(
                f"Only words, phrases and proximities stand in {place}:", whole.start, whole.end,
                f"Put fields and dates beside it with AND: write {place}:road AND date:2024.",
            )  # fmt: skip
        match tree:
            case And(parts):
                return both(*(self._in(place, whole, part) for part in parts))
            case Or(parts):
                return either(*(self._in(place, whole, part) for part in parts))
            case Not(part):
                return Not(self._in(place, whole, part))
            case _:
                return In(place, tree)

    def _deeper(self, lexeme: _Lexeme) -> None:
        self.depth += 1
        if self.depth > MOST_BRACKETS:
            self._refuse(
                f"Brackets and NOT nest at most {MOST_BRACKETS} deep", lexeme.start, lexeme.end, _BRACKETS
            )

    def _out_of_place(self, lexeme: _Lexeme) -> NoReturn:
        written = self.text[lexeme.start : lexeme.end]
        if lexeme.sort is _Sort.CLOSE and self.depth == 0:
            self._refuse("A bracket is closed that was never opened", lexeme.start, lexeme.end, _BRACKETS)
        self._refuse(
            f"{written} has nothing to work on", lexeme.start, lexeme.end,
            'An operator stands between two words or groups: write road AND closed, road w/5 closed; to search for it as a word, put it in quotation marks: write "or".',
        )  # fmt: skip
