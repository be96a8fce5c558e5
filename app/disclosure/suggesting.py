"""Suggestions of what might have to be taken out of a text; a person accepts or rejects each. Pure.

Found by their form, with the checks that the form allows: a card number has its
check digit, a social-security number none of the blocks that were never
issued, a telephone number a prefix that exists. A form proves nothing of what
a number is, and much that is private has none; so a suggestion takes nothing
out, and what is not suggested is not thereby fit to leave.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.disclosure import matching


class Kind(StrEnum):
    """What a passage may be."""

    TELEPHONE = "telephone number"
    ADDRESS = "street address"
    EMAIL = "e-mail address"
    BIRTH = "date of birth"
    PLATE = "licence plate"
    SOCIAL_SECURITY = "social-security number"
    CARD = "card number"
    MINOR = "name of a minor"
    DICTIONARY = "word of an exemption"
    EARLIER = "taken out before"


@dataclass(frozen=True, slots=True, order=True)
class Suggestion:
    """Characters `start` to `end` may be of this kind. `code` is the ground that a list or an earlier decision names."""

    start: int
    end: int
    kind: Kind
    why: str
    code: str = ""


_ALIKE = {
    **{ord(char): "-" for char in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"},
    **{ord(char): " " for char in "\u00a0\u1680\u202f\u205f\u3000"},
    **dict.fromkeys(range(0x2000, 0x200B), " "),
    **{number: chr(number - 0xFEE0) for number in range(0xFF01, 0xFF5F)},
    **{ord(char): "'" for char in "\u2018\u2019"},
    **{ord(char): '"' for char in "\u201c\u201d"},
}
"""Signs that stand for a plain one, one for one, so that every place stays where it is."""
_AT = re.compile(r"@|\s?[\[(]at[\])]\s?", re.IGNORECASE)
_BEFORE_AT = re.compile(r"[\w.+%'-]+\Z")
_AFTER_AT = re.compile(
    r"[\w-]{1,63}(?:(?:\.|\s?[\[(]dot[\])]\s?)[\w-]{1,63}){0,20}(?:\.|\s?[\[(]dot[\])]\s?)[^\W\d_]{2,63}",
    re.IGNORECASE,
)
_LONGEST_LOCAL = 64
"""Octets that stand before the @ at the most (RFC 5321, section 4.5.3.1.1)."""
_DIGITS = r"(?<![\d.,-])"
_SSN = re.compile(_DIGITS + r"(\d{3})([-. ]?)(\d{2})\2(\d{4})(?![\d-])")
_SSN_SAID = re.compile(r"\b(?:ssn|social(?![ -]media))\b", re.IGNORECASE)
_CARD = re.compile(_DIGITS + r"\d(?:[ ./-]{0,2}\d){12,30}(?![\d-])")
_LOCAL = re.compile(_DIGITS + r"\d{3}[-. ]\d{4}(?![\d-])")
_NATIONAL = re.compile(
    r"(?<![\d.,-])(?:\+?1[-. ]{0,2})?(?:\(\d{3}\)[-. ]?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\d-])"
)
_STREETS = [
    "street",
    "st",
    "avenue",
    "ave",
    "av",
    "road",
    "rd",
    "drive",
    "dr",
    "lane",
    "ln",
    "boulevard",
    "blvd",
    "court",
    "ct",
    "circle",
    "cir",
    "place",
    "pl",
    "way",
    "highway",
    "hwy",
    "parkway",
    "pkwy",
    "terrace",
    "ter",
    "trail",
    "trl",
    "loop",
    "alley",
    "aly",
    "square",
    "sq",
    "crescent",
    "cres",
]
_NO_STREET = (
    r"hours?|hrs?|minutes?|mins?|seconds?|days?|weeks?|months?|years?|miles?|blocks?|feet|ft|people|persons?|officers?|kids?|"
    r"cars?|trucks?|times?|more|less|percent|am|pm|of|on|in|at|to|the|an?|and|or|for|from|by|is|are|was|were"
)
"""After a number, and before a street's name, none of these."""
_TYPE = r"(?:" + "|".join(_STREETS) + r")\b\.?"
_ADDRESS = re.compile(
    r"(?<![\w-])\d{1,6}(?:-?[A-Za-z]|\u00bd)?(?:\s+(?:[NSEW]|[NS][EW]|North|South|East|West)\b\.?)?"
    r"(?:\s+(?!(?:"
    + _NO_STREET
    + r")\b)[A-Z0-9][\w'.-]{0,40}){1,4}?\s+"
    + _TYPE
    + r"(?:\s+"
    + _TYPE
    + r"){0,2}"
    r"(?:\s+(?:[NSEW]|[NS][EW])\b\.?)?"
    r"(?:,?\s*(?:\b(?:apt|apartment|unit|suite|ste)\b|#)\.?\s*[\w-]+)?"
    r"(?:,\s*(?:[^\W\d_][\w'.-]{0,30}\s?){1,3},?\s*(?:[A-Z]{2})\.?\s+\d{5}(?:-\d{4})?(?![\w-]))?",
    re.IGNORECASE,
)
_ROUTE = re.compile(
    r"(?<![\w-])\d{1,6}\s+(?:broadway|(?:(?:state|county|us)\s+)?(?:route|rte|highway|hwy)\s+\d+)\b",
    re.IGNORECASE,
)
_BOX = re.compile(r"\bP\.?\s*O\.?\s*Box\s+\d+", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:" + "|".join(_MONTHS) + r")[a-z]{0,6}\b\.?"
_DAY = (
    r"(?:\d{4}[/.-]\d{1,2}[/.-]\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{1,2}\s\d{1,2}\s\d{4}|\d{8}|"
    + _MONTH
    + r"[\s-]{0,2}\d{1,2}(?:st|nd|rd|th)?,?[\s-]{0,2}\d{4}|"
    r"\d{1,2}(?:st|nd|rd|th)?[\s-]{1,2}(?:of\s)?" + _MONTH + r",?[\s-]{1,2}\d{4})(?!\d)"
)
_BORN = r"(?<!\w)(?:dob|d\.\s?o\.\s?b\.?|date\s+of\s+birth|birth\s?-?date|birthday|b-?day|born)(?!\w)"
_BIRTH = re.compile(_BORN + r"[\s:=(-]{0,6}(?:(?:is|was|on|in|the)\s+){0,3}(" + _DAY + r")", re.IGNORECASE)
_PLATE = re.compile(
    r"\b(?:license|licence|tag|plates?|lic)\b\.?(?:\s+(?:plate|number|no\.?|#|was|is|of)(?![^\W_])){0,4}[\s:#.\"'(\[-]{0,4}"
    r"([A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,4})\b",
    re.IGNORECASE,
)
_CARDS = {13: "4", 14: "3", 15: "3", 16: "23456", 17: "6", 18: "6", 19: "456"}
"""With which digits card numbers of each length begin (ISO/IEC 7812)."""


def suggest(
    text: str,
    *,
    region: str = "US",
    minors: Iterable[str] = (),
    dictionaries: Mapping[str, Sequence[str]] | None = None,
    earlier: Mapping[str, str] | None = None,
    today: date | None = None,
) -> list[Suggestion]:
    """What might have to be taken out of a text, in its order.

    `minors` are names to be protected; `dictionaries` words by the code of
    their exemption; `earlier` words that were taken out before, with the code.
    `region` is the country whose telephone numbers are written without a prefix.
    """
    plain = text.translate(_ALIKE)
    found = [
        *_emails(plain),
        *_phones(text, plain, region),
        *_social(plain),
        *_cards(plain),
        *_addresses(plain),
        *_births(plain, today),
        *_plates(plain),
        *_listed(text, _either_order(minors), Kind.MINOR, "stands in the list of minors"),
    ]
    for code, words in (dictionaries or {}).items():
        found += _listed(text, words, Kind.DICTIONARY, f"stands in the words of {code}", code)
    for word, code in (earlier or {}).items():
        found += _listed(text, [word], Kind.EARLIER, "the same words were taken out of another record", code)
    return sorted(_widest(found))


def _emails(text: str) -> Iterator[Suggestion]:
    for hit in _AT.finditer(text):
        before = _BEFORE_AT.search(text, max(0, hit.start() - _LONGEST_LOCAL), hit.start())
        after = _AFTER_AT.match(text, hit.end())
        if before is not None and after is not None:
            yield Suggestion(before.start(), after.end(), Kind.EMAIL, "has the form of an e-mail address")


def _phones(text: str, plain: str, region: str) -> Iterator[Suggestion]:
    import phonenumbers  # noqa: PLC0415 - only here: its numbering plans take a while to load

    for found in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID):
        yield Suggestion(found.start, found.end, Kind.TELEPHONE, "is a number that can be dialled")
    for hit in _NATIONAL.finditer(plain):
        yield Suggestion(hit.start(), hit.end(), Kind.TELEPHONE, "has the form of a telephone number")
    for hit in _LOCAL.finditer(plain):
        yield Suggestion(hit.start(), hit.end(), Kind.TELEPHONE, "has the form of a local number")


def _social(text: str) -> Iterator[Suggestion]:
    said = _SSN_SAID.search(text) is not None
    for hit in _SSN.finditer(text):
        area, between, group, serial = hit.groups()
        issued = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
        if issued and (between or said):
            yield Suggestion(
                hit.start(), hit.end(), Kind.SOCIAL_SECURITY, "has the form of one that was issued"
            )


def _cards(text: str) -> Iterator[Suggestion]:
    for hit in _CARD.finditer(text):
        for start, end, digits in _runs(hit):
            if digits[0] in _CARDS.get(len(digits), "") and luhn(digits):
                yield Suggestion(start, end, Kind.CARD, "has the check digit of a card number")


def _runs(hit: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """Each part that goes from the beginning of a group of digits to the end of one: what stands beside a card's number is no part of it."""
    groups = list(re.finditer(r"\d+", hit.group()))
    for number, first in enumerate(groups):
        digits = ""
        for last in groups[number:]:
            digits += last.group()
            if len(digits) > max(_CARDS):
                break
            yield hit.start() + first.start(), hit.start() + last.end(), digits


def luhn(digits: str) -> bool:
    """Whether a number has the check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        number = int(char) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _addresses(text: str) -> Iterator[Suggestion]:
    for form in (_ADDRESS, _ROUTE, _BOX):
        for hit in form.finditer(text):
            yield Suggestion(hit.start(), hit.end(), Kind.ADDRESS, "has the form of an address")


def _births(text: str, today: date | None) -> Iterator[Suggestion]:
    for hit in _BIRTH.finditer(text):
        if _is_day(hit.group(1), today):
            yield Suggestion(hit.start(1), hit.end(1), Kind.BIRTH, "is said to be a date of birth")


def _is_day(said: str, today: date | None) -> bool:
    """Whether the calendar has such a day, read in whichever order, in a year in which somebody alive was born."""
    numbers = re.findall(r"\d+", said)
    month = next((1 + place for place, one in enumerate(_MONTHS) if one in said.casefold()), 0)
    if len(numbers) == 1:  # eight digits without anything between them
        (run,) = numbers
        readings = [(run[:4], run[4:6], run[6:]), (run[4:], run[:2], run[2:4]), (run[4:], run[2:4], run[:2])]
    elif month:
        readings = [(numbers[1], str(month), numbers[0])]
    elif len(numbers[0]) == 4:
        readings = [(numbers[0], numbers[1], numbers[2])]
    else:
        readings = [(numbers[2], numbers[0], numbers[1]), (numbers[2], numbers[1], numbers[0])]
    return any(_exists(int(year), len(year), int(month_), int(day), today) for year, month_, day in readings)


def _exists(year: int, digits: int, month: int, day: int, today: date | None) -> bool:
    if digits == len("90"):  # of whichever century has the day
        year += 2000 if month == 2 and day == 29 and year % 4 == 0 else 1900
    if not 1900 <= year <= (today.year if today else 9999):
        return False
    return 1 <= month <= len(_MONTHS) and 1 <= day <= monthrange(year, month)[1]


def _plates(text: str) -> Iterator[Suggestion]:
    for hit in _PLATE.finditer(text):
        said = hit.group(1)
        letters = "".join(char for char in said if char.isalpha())
        words = " " in said and letters not in (letters.upper(), letters.lower())  # "5 Star" is none
        if any(char.isdigit() for char in said) and not words:
            yield Suggestion(hit.start(1), hit.end(1), Kind.PLATE, "is said to be a licence plate")


def _either_order(names: Iterable[str]) -> Iterator[str]:
    """Names as they stand in a list, and with the last word of each before the others, as forms have them."""
    for name in names:
        yield name
        *others, last = name.split() or [""]
        if others:
            yield f"{last}, {' '.join(others)}"
            yield f"{last} {' '.join(others)}"


def _listed(text: str, words: Iterable[str], kind: Kind, why: str, code: str = "") -> Iterator[Suggestion]:
    wanted = [said for word in words if (said := matching.folded(word))]
    if not wanted:
        return
    read = matching.read(text)
    for word in dict.fromkeys(wanted):
        for start, end in matching.found([word], read):
            if matching.alone(text, start, end):
                yield Suggestion(start, end, kind, why, code)


def _widest(found: Iterable[Suggestion]) -> Iterator[Suggestion]:
    """Of suggestions that lie in one another only the widest, of the same place only the first."""
    told: list[Suggestion] = []
    for one in sorted(found, key=lambda one: (one.start - one.end, one.start, list(Kind).index(one.kind))):
        if not any(other.start <= one.start and one.end <= other.end for other in told):
            told.append(one)
            yield one
