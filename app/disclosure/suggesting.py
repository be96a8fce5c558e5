"""Suggestions of what might have to be taken out of a text; a person accepts or rejects each. Pure.

Found by their form, with the checks that the form allows: a card number has its
check digit, a social-security number none of the blocks that were never
issued, a telephone number a prefix that exists. A form proves nothing of what
a number is, and much that is private has none; so a suggestion takes nothing
out, and what is not suggested is not thereby fit to leave.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

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
    **{ord(char): "." for char in "\u00b7\u2022\u2027\u2219\u30fb"},
    **{0x1D7CE + number: str(number % 10) for number in range(50)},
}
"""Signs that stand for a plain one, one for one, so that every place stays where it is."""
_AT = re.compile(r"\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?|\s?@\s?|\sat\s", re.IGNORECASE)
_BEFORE_AT = re.compile(r"[\w.+%!'-]+\Z")
_DOT = r"\s?[\[({<]\s?dot\s?[\])}>]\s?|\sdot\s"
_AFTER_AT, _AFTER_WORD = (
    re.compile(
        rf"[\w-]{{1,63}}(?:(?:{dot})[\w-]{{1,63}}){{0,20}}(?:{dot})[^\W\d_]{{2,63}}(?![^\W\d_])",
        re.IGNORECASE,
    )
    for dot in (rf"\.|{_DOT}", r"\sdot\s")
)
"""What follows the sign; and what follows the word, which is one of an address only where its dots are words, too."""
_LONGEST_LOCAL = 64
"""Octets that stand before the @ at the most (RFC 5321, section 4.5.3.1.1)."""
_DIGITS, _NO_MORE = r"(?<!\d)(?<!\d[.,-])", r"(?!\d|-\d)"
_SSN = re.compile(_DIGITS + r"(\d{3})(\s?[-. /_]\s?|)(\d{2})(\s?[-. /_]\s?|)(\d{4})" + _NO_MORE)
_SSN_APART = re.compile(_DIGITS + r"\d(?:[ -]\d){8}" + _NO_MORE)
_SSN_END = re.compile(
    r"(?<![\w*])(?:[x*#]{3}[-. ]?[x*#]{2}[-. ]?\d{4}|(?:last\s(?:four|4)|ending)\b[\s\w:#]{0,24}?\b\d{4})"
    + _NO_MORE,
    re.IGNORECASE,
)
_SSN_SAID = re.compile(
    r"(?<![^\W_])(?:ssns?|ss\s?(?:#|no\b)|s\.\s?s\.\s?n|soc\.?\s?sec|(?-i:I?TIN)|social(?![ -]media))(?![^\W\d_])",
    re.IGNORECASE,
)
_CARD = re.compile(_DIGITS + r"\d(?:[\s./_-]{0,3}\d){12,30}" + _NO_MORE)
_LOCAL = re.compile(_DIGITS + r"\d{3}[-. _*/]\d{4}" + _NO_MORE)
_LOCAL_SAID = re.compile(
    r"\b(?:call|text|phone|ph|tel|cell|mobile|fax|number)\b\D{0,20}(?<!\d)(\d{3}[ ]?\d{4}|\d{3}\s\d\d\s\d\d|\d(?:[ ]\d){6})"
    + _NO_MORE,
    re.IGNORECASE,
)
_NATIONAL = re.compile(
    _DIGITS
    + r"(?:\+?1[-. ]{0,2})?(?:\(\d{3}\)[-. ]{0,3}|\d{3}(?:[ ]?[-. _*/][ ]?|,[ ]))\d{3}(?:[ ]?[-. _*/][ ]?|,[ ])\d{4}"
    + _NO_MORE
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
    r"(?<![\w-])(?:[NSEW]\d{1,4}[NSEW])?\d{1,6}(?:-\d{1,6}|-?[A-Za-z]|\u00bd)?(?:\s+(?:[NSEW]|[NS][EW]|North|South|East|West)\b\.?)?"
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
    r"(?<![\w-])\d{1,6}\s+(?:broadway|(?:(?:state|county|us)\s+)?(?:route|rte|highway|hwy|(?-i:CR|FM|US))[\s-]+\d+)\b",
    re.IGNORECASE,
)
_BOX = re.compile(
    r"\b(?:(?:P\.?\s*O\.?\s*B(?:ox)?|post\s+office\s+box|P\.?\s*O\.?\s*drawer|lock\s?box|PMB)\s*#?\s*(?:[A-Z]-?)?\d+|"
    r"(?:RR|R\.R\.|rural\s+route|HC|H\.C\.|star\s+route)\s*\d*,?\s+box\s+\d+|box\s+\d+,?\s+(?:route|rte|rr)\s*\d+)\b",
    re.IGNORECASE,
)
_NAME = r"[A-Z][\w'.-]{0,40}"
_HOUSE = r"(?<![\w-])(?:\d{1,6}(?:-\d{1,6}|-?[A-Za-z])?|One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten|Twelve)\s+"
_NAMED = re.compile(
    _HOUSE + r"(?:" + _NAME + r"\s+){1,3}"
    r"(?:Pass|View|Point|Pt|Plaza|Plz|Ridge|Rdg|Cove|Cv|Run|End|Expressway|Expy|Glen|Gln|Crossing|Xing|Hollow|Holw|Heights|Hts|Bend|"
    r"Path|Row|Walk|Pike|Bluffs?|Creek|Hills?|Park|Bay|Estates|Spur|Mews|Groves?|Crest|Isle|Island|Landing|Meadows?|Commons|Turnpike|"
    r"Tpke|Freeway|Fwy|Extension|Ext|Gardens|Manor|Vista|Village|Harbor|Street|St|Road|Rd|Avenue|Ave|Drive|Lane)\b\.?"
    r"|" + _HOUSE + r"(?:[NSEW]\.?|North|South|East|West)\s+(?:" + _NAME + r"|\d{1,3}(?:st|nd|rd|th))\b"
    r"|"
    + _HOUSE
    + r"(?:Avenue|Ave\.?|Calle|Via|Camino|Paseo|Avenida|Rue)\s+(?:(?:of|de|del|la|las|los|the)\s+){0,3}"
    + _NAME
)
"""Streets whose kind is a word like any other, or that have none: only where their names begin as names do."""
_HOME = re.compile(
    r"(?i:\b(?:lives?|lived|living|resid(?:es|ed|ing)|address\s+is|house\s+is)\b(?:\s+(?:at|in|near)){0,2})\s+(\d{1,6}\s+"
    + _NAME
    + r")"
)
_PLACE = re.compile(
    r"(?<![\w-])(?:"
    + _NAME
    + r"\s){1,3}?,?\s?[A-Z]{2},?\s{1,2}\d{5}(?:-\d{4})?(?![\w-])|(?<![\w-])\d{5}-\d{4}(?![\w-])"
    r"|(?<![\w-])" + _NAME + r",\s?(?:[A-Z]{2}|[A-Z][a-z]{3,12})\.?\s{1,2}\d{5}(?:-\d{4})?(?![\w-])"
)
"""A town with its state and ZIP Code, or a ZIP+4, which a few doors share."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:" + "|".join(_MONTHS) + r")[a-z]{0,6}\b\.?"
_BETWEEN = r"\s?[/.-]\s?"
_YEAR = r"(?:,?[\s-]{0,2}\d{4}|(?:,?[\s-]{1,2}'?|')\d{2}(?![\d:]))"
_DAY = (
    rf"(?:\d{{4}}{_BETWEEN}\d{{1,2}}{_BETWEEN}\d{{1,2}}|\d{{1,2}}{_BETWEEN}\d{{1,2}}{_BETWEEN}(?:\d{{4}}|\d{{2}})|"
    r"\d{1,2}\s\d{1,2}\s\d{4}|\d{8}|\d{6}(?!\d)|" + _MONTH + rf"[\s-]{{0,2}}\d{{1,2}}(?:st|nd|rd|th)?{_YEAR}|"
    r"\d{1,2}(?:st|nd|rd|th)?[\s-]{0,2}(?:of\s)?" + _MONTH + rf"{_YEAR})(?!\d)"
)
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+)?"
_BORN = (
    r"(?<![^\W_])(?:d\s?[./]?\s?o\s?[./]?\s?bs?\.?|date[\s-]+of[\s-]+birth|birth[\s-]?(?:dates?|days?)|b-?days?|born|b\.|"
    r"fecha\s+de\s+nacimiento|nacid[oa])(?![^\W\d_])"
)
_BIRTH = re.compile(
    _BORN
    + r"(?:\s?\([mdy/ .-]{6,14}\))?(?:\s(?:in|at)\s(?:[^\W\d_][\w'.]{0,30},?\s){1,4}?(?=on\s))?[\s:=(\"'#~,-]{0,6}"
    r"(?:(?:is|was|are|on|in|of|the|el|about|around|approximately|circa)\s+){0,3}"
    + _WEEKDAY
    + "("
    + _DAY
    + ")",
    re.IGNORECASE,
)
_BIRTH_BEHIND = re.compile(
    r"(?<![\w/.-])(" + _DAY + r")[\s,]{0,2}[(\[]?" + _BORN.replace("born|b\\.|", ""), re.IGNORECASE
)
_PLATE = re.compile(
    r"\b(?:licen[sc]e|tags?|plates?|lic|LP|registration|reg(?=\.?\s+no))\b(?=(?:'s)?[.,]?"
    r"(?:\s+(?:plates?|numbers?|no\.?|#|was|is|are|of|reads?|reading|says|with|starting|begins|beginning|ending|in)(?![^\W_])){0,4}"
    r"[\s:#.\"'(\[,-]{0,4}"
    r"(?:(?-i:[A-Z]{2}|Alaska|Washington|Oregon|California|Idaho|Hawaii|Nevada|Arizona|Texas|Florida|Montana|Ohio|Colorado)[\s-]{1,3})?"
    r"([A-Z0-9]{1,4}[ .-]?[A-Z0-9]{2,4}(?:-\d{2})?|[A-Z0-9](?: [A-Z0-9]){5,6})\b)",
    re.IGNORECASE,
)
_TAXPAYERS = {*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)}
"""The middle of a taxpayer's number that the Internal Revenue Service gives to who has no social-security number."""
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
    found = [*_formed(text, region, today)]
    wanted: dict[str, list[Suggestion]] = {}
    for name in minors:
        for said in _said(name):
            _want(wanted, said, Suggestion(0, 0, Kind.MINOR, _LISTED))
    for code, words in (dictionaries or {}).items():
        for word in words:
            _want(wanted, word, Suggestion(0, 0, Kind.DICTIONARY, f"stands in the words of {code}", code))
    for word, code in (earlier or {}).items():
        _want(
            wanted,
            word,
            Suggestion(0, 0, Kind.EARLIER, "the same words were taken out of another record", code),
        )
    for word, places in _many(tuple(wanted)).within(text).items():
        for start, end in places:
            if matching.alone(text, start, end):
                found += [replace(one, start=start, end=end) for one in wanted[word]]
    return sorted(_widest([*found, *_with_others(text, minors)]))


def _formed(text: str, region: str, today: date | None) -> Iterator[Suggestion]:
    """What is known by its form, whether or not characters that nobody sees stand in it."""
    places = [place for place, char in enumerate(text) if unicodedata.category(char) != "Cf"]
    seen = text if len(places) == len(text) else "".join(text[place] for place in places)
    plain = seen.translate(_ALIKE)
    for one in (
        *_emails(plain),
        *_phones(seen, plain, region),
        *_social(plain),
        *_cards(plain),
        *_addresses(plain),
        *_births(plain, today),
        *_plates(plain),
    ):
        yield replace(one, start=places[one.start], end=places[one.end - 1] + 1)


def _emails(text: str) -> Iterator[Suggestion]:
    for hit in _AT.finditer(text):
        before = _BEFORE_AT.search(text, max(0, hit.start() - _LONGEST_LOCAL), hit.start())
        after = (_AFTER_AT if hit.group().strip().casefold() != "at" else _AFTER_WORD).match(text, hit.end())
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
    for hit in _LOCAL_SAID.finditer(plain):
        yield Suggestion(hit.start(1), hit.end(1), Kind.TELEPHONE, "is said to be a number")


def _social(text: str) -> Iterator[Suggestion]:
    said = _SSN_SAID.search(text) is not None
    for hit in _SSN.finditer(text):
        area, between, group, other, serial = hit.groups()
        issued = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
        taxpayer = area >= "900" and int(group) in _TAXPAYERS
        if (issued or taxpayer) and (said or (between and between == other)):
            yield Suggestion(
                hit.start(), hit.end(), Kind.SOCIAL_SECURITY, "has the form of one that was issued"
            )
    for form in (_SSN_APART, _SSN_END) if said else (_SSN_END,):
        for hit in form.finditer(text):
            if form is _SSN_APART or said or hit.group()[0] in "xX*#":
                yield Suggestion(
                    hit.start(), hit.end(), Kind.SOCIAL_SECURITY, "is said to be one, or its end"
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
    for form in (_ADDRESS, _ROUTE, _BOX, _NAMED, _PLACE, _HOME):
        for hit in form.finditer(text):
            yield Suggestion(*hit.span(form.groups), Kind.ADDRESS, "has the form of an address")


def _births(text: str, today: date | None) -> Iterator[Suggestion]:
    for hit in (*_BIRTH.finditer(text), *_BIRTH_BEHIND.finditer(text)):
        if _is_day(hit.group(1), today):
            yield Suggestion(hit.start(1), hit.end(1), Kind.BIRTH, "is said to be a date of birth")


def _is_day(said: str, today: date | None) -> bool:
    """Whether the calendar has such a day, read in whichever order, in a year in which somebody alive was born."""
    numbers = re.findall(r"\d+", said)
    month = next((1 + place for place, one in enumerate(_MONTHS) if one in said.casefold()), 0)
    if len(numbers) == 1:  # eight digits without anything between them, or six
        (run,) = numbers
        year = len(run) - len("0102")
        readings = [
            (run[:year], run[year:-2], run[-2:]),
            (run[4:], run[:2], run[2:4]),
            (run[4:], run[2:4], run[:2]),
        ]
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


_LISTED = "stands in the list of minors"
_SUFFIX = re.compile(r",?\s+(?:jr|sr|ii|iii|iv)\.?$", re.IGNORECASE)
_CALLED = (
    "alexander alex|alexandra alex|andrew andy drew|anthony tony|benjamin ben|catherine cathy katie kate|charles charlie chuck|"
    "christina tina|christopher chris|daniel dan danny|david dave|deborah debbie|donald don|edward ed eddie|elizabeth liz beth betty|"
    "francis frank|gregory greg|jacob jake|james jim jimmy jamie|jane janie|jennifer jen jenny|jessica jess jessie|john johnny jack|"
    "jonathan jon|joseph joe joey|joshua josh|katherine kathy katie kate|kenneth ken kenny|kimberly kim|lawrence larry|margaret maggie meg peggy|"
    "matthew matt|michael mike mikey|nathaniel nate|nicholas nick|patricia pat patty trish|patrick pat|peter pete|rebecca becky|"
    "richard rick dick rich|robert bob rob bobby robbie|ronald ron|samantha sam|samuel sam|stephen steve|steven steve|susan sue susie|"
    "theodore ted teddy|thomas tom tommy|timothy tim timmy|victoria vicky|vincent vince|william bill will billy willie|zachary zach"
)
_NICKNAMES = {first: short for first, *short in (one.split() for one in _CALLED.split("|"))}
"""What people are called for short in the United States."""
_OTHERS = [
    re.compile(rf"""\s+(?:(?:[^\W\d_a-z][\w'\u2019-]{{0,20}}\.?|["\u201c(][^"\u201d)\n]{{1,20}}["\u201d)])\s+){{{number}}}([\w'\u2019-]{{2,40}})""")
    for number in (1, 2)
]  # fmt: skip
"""One or two further names or a nickname between the first and the last name, which is told."""


def _parted(name: str) -> tuple[list[str], str]:
    """The names before the last, and the last, without what comes behind it."""
    *others, last = _SUFFIX.sub("", name.strip()).split() or [""]
    return others, last


def _said(name: str) -> Iterator[str]:
    """A name as it stands in a list, without the names between, with their letters alone, for short, and in either order."""
    yield name
    others, last = _parted(name)
    if not others:
        return
    initials = " ".join(f"{one[0]}." for one in others[1:])
    short = _NICKNAMES.get(matching.folded(others[0]), [])
    for before in dict.fromkeys((" ".join(others), others[0], f"{others[0]} {initials}", *short)):
        yield f"{before} {last}"
        yield f"{last}, {before}"
        yield f"{last} {before}"


def _want(wanted: dict[str, list[Suggestion]], word: str, one: Suggestion) -> None:
    if (said := matching.folded(word)) and one not in wanted.setdefault(said, []):
        wanted[said].append(one)


@lru_cache(maxsize=16)
def _many(words: tuple[str, ...]) -> matching.Many:
    """Kept from one record to the next: a request has the same lists for all of them."""
    return matching.Many(words)


def _with_others(text: str, names: Iterable[str]) -> Iterator[Suggestion]:
    """A minor's first and last name with further ones between them that are not in the list."""
    last: dict[str, set[str]] = {}
    for name in names:
        others, family = _parted(name)
        if others and (first := matching.folded(others[0])):
            last.setdefault(first, set()).add(matching.folded(family))
    for first, places in _many(tuple(last)).within(text).items():
        for start, end in places:
            for between in (form.match(text, end) for form in _OTHERS if matching.alone(text, start, end)):
                said = matching.folded(between[1]) if between is not None else ""
                if between is not None and {said, said.removesuffix("'s")} & last[first]:
                    yield Suggestion(start, between.end(1) - 2 * said.endswith("'s"), Kind.MINOR, _LISTED)


def _widest(found: Iterable[Suggestion]) -> Iterator[Suggestion]:
    """Of suggestions that lie in one another only the widest, of the same place only the first."""
    reached = 0
    for one in sorted(found, key=lambda one: (one.start, -one.end, list(Kind).index(one.kind), one.code)):
        if one.end > reached:
            reached = one.end
            yield one
