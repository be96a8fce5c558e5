"""Suggestions of what might have to be taken out of a text; a person accepts or rejects each. Pure.

Found by their form, with the checks that the form allows: a card number has its
check digit, a social-security number none of the blocks that were never
issued, a telephone number a prefix that exists. A form proves nothing of what
a number is, and much that is private has none; so a suggestion takes nothing
out, and what is not suggested is not thereby fit to leave.
"""

from __future__ import annotations

import re
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


_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")
_DIGITS = r"(?<![\d.,-])"
_SSN = re.compile(_DIGITS + r"(\d{3})([- ]?)(\d{2})\2(\d{4})(?![\d-])")
_SSN_SAID = re.compile(r"\b(?:ssn|social[ -]security)\b", re.IGNORECASE)
_CARD = re.compile(_DIGITS + r"\d(?:[ -]?\d){12,18}(?![\d-])")
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
_ADDRESS = re.compile(
    r"(?<![\w-])\d{1,6}[A-Za-z]?(?:\s+(?:[NSEW]|[NS][EW]|North|South|East|West)\.?)?"
    r"(?:\s+[A-Z0-9][\w'.-]*){1,4}?\s+(?:" + "|".join(_STREETS) + r")\b\.?"
    r"(?:,?\s*(?:apt|apartment|unit|suite|ste|#)\.?\s*[\w-]+)?",
    re.IGNORECASE,
)
_BOX = re.compile(r"\bP\.?\s*O\.?\s*Box\s+\d+", re.IGNORECASE)
_DAY = (
    r"(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2}|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2},?\s+\d{4}|"
    r"\d{1,2}\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?\s+\d{4})"
)
_BIRTH = re.compile(
    r"\b(?:dob|d\.o\.b\.|date of birth|birth\s?date|birthday|born(?:\s+on)?)\b[\s:=-]*(?:is\s+)?("
    + _DAY
    + r")",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"\b(?:license|licence|tag|plates?|lic)\b(?:\s+(?:plate|number|no\.?|#|was|is|of))*[\s:#]*"
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
    found = [
        *_emails(text),
        *_phones(text, region),
        *_social(text),
        *_cards(text),
        *_addresses(text),
        *_births(text, today),
        *_plates(text),
        *_listed(text, minors, Kind.MINOR, "stands in the list of minors"),
    ]
    for code, words in (dictionaries or {}).items():
        found += _listed(text, words, Kind.DICTIONARY, f"stands in the words of {code}", code)
    for word, code in (earlier or {}).items():
        found += _listed(text, [word], Kind.EARLIER, "the same words were taken out of another record", code)
    return sorted(_widest(found))


def _emails(text: str) -> Iterator[Suggestion]:
    for hit in _EMAIL.finditer(text):
        yield Suggestion(hit.start(), hit.end(), Kind.EMAIL, "has the form of an e-mail address")


def _phones(text: str, region: str) -> Iterator[Suggestion]:
    import phonenumbers  # noqa: PLC0415 - only here: its numbering plans take a while to load

    for found in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID):
        yield Suggestion(found.start, found.end, Kind.TELEPHONE, "is a number that can be dialled")
    for hit in re.finditer(_DIGITS + r"\d{3}[-. ]\d{4}(?![\d-])", text):
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
        digits = re.sub(r"\D", "", hit.group())
        if digits[0] in _CARDS.get(len(digits), "") and luhn(digits):
            yield Suggestion(hit.start(), hit.end(), Kind.CARD, "has the check digit of a card number")


def luhn(digits: str) -> bool:
    """Whether a number has the check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        number = int(char) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _addresses(text: str) -> Iterator[Suggestion]:
    for form in (_ADDRESS, _BOX):
        for hit in form.finditer(text):
            yield Suggestion(hit.start(), hit.end(), Kind.ADDRESS, "has the form of an address")


def _births(text: str, today: date | None) -> Iterator[Suggestion]:
    for hit in _BIRTH.finditer(text):
        years = re.findall(r"\d{4}", hit.group(1))
        if years and not 1900 <= int(years[0]) <= (today.year if today else 9999):
            continue
        yield Suggestion(hit.start(1), hit.end(1), Kind.BIRTH, "is said to be a date of birth")


def _plates(text: str) -> Iterator[Suggestion]:
    for hit in _PLATE.finditer(text):
        said = hit.group(1)
        if any(char.isdigit() for char in said):
            yield Suggestion(hit.start(1), hit.end(1), Kind.PLATE, "is said to be a licence plate")


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
