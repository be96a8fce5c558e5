"""Whether a page's introduction makes a statement that the policy asks for: pure, and slow to say yes.

Words are read forgivingly: letters, not their case, punctuation or the form of
an apostrophe. A statement is found only where one sentence bears every part of
a wording and does not deny it. Where the introduction was not captured, nothing
can be told. What was found is quoted, so that a person can judge it.

Not done: nothing is read in pictures, and nothing is guessed across sentences.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import TypeAlias
from urllib.parse import urlsplit

from app.capture.policy import Group, Look, Part, Phrase, Statement, Wording

_DENIED_WITHIN = 4
_LONGEST = 60_000
"""No introduction is longer; what stands behind is not read."""
_LONGEST_SENTENCE = 400
_MOST_QUOTED = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a page says of itself: words, addresses it leads to, its own addresses, and its language where it says so."""

    text: str
    links: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The introduction makes the statement; `words` are the sentences that do, one for each part."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """The introduction was read and does not make the statement; `missing` says which parts."""

    missing: tuple[str, ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CannotTell:
    """Nobody can say whether the page makes the statement."""

    why: str


Answer: TypeAlias = Found | NotFound | CannotTell


def found(
    statement: Statement, introduction: Introduction | None, *, agency: str = "", official_site: str = ""
) -> Answer:
    """Say whether `introduction` makes `statement`.

    `agency` is the agency's name, `official_site` the address that the page
    should link to, as the registry has them.
    """
    if introduction is None:
        return CannotTell("the page's introduction was not captured")
    words, missing, unsure = [], [], []
    for part in statement.parts:
        if part.look is Look.OFFICIAL_SITE and not official_site:
            unsure.append("the registry does not say which site is the official one")
            continue
        quoted = _part(part, introduction, agency, official_site)
        if quoted is None:
            missing.append(part.says)
        else:
            words.append(quoted)
    if missing and _other_language(introduction):
        return CannotTell(f"the introduction is not in English ({introduction.language})")
    if missing:
        return NotFound(tuple(missing), tuple(words))
    return CannotTell("; ".join(unsure)) if unsure else Found(tuple(words))


def _other_language(introduction: Introduction) -> bool:
    """Whether the page itself says that it speaks another language than our wordings."""
    return bool(introduction.language) and not str(introduction.language).casefold().startswith("en")


def _part(part: Part, introduction: Introduction, agency: str, official_site: str) -> str | None:
    if part.look is Look.OFFICIAL_SITE:
        return leads_to(introduction, official_site)
    if part.look is Look.CONTACT:
        return contact(introduction.text)
    name = _name(agency)
    for sentence in sentences(introduction.text):
        if _meets(_read(sentence), part, name):
            return sentence[:_MOST_QUOTED]
    return None


# -- sentences and words -----------------------------------------------------------------------------------

_SHORT = re.compile(
    r"\b(?:dept|st|ave|blvd|rd|dr|mr|mrs|ms|no|u\.s|a\.m|p\.m|e\.g|i\.e|etc|inc|gov|ext|p\.o)\.$",
    re.IGNORECASE,
)
_END = re.compile(r"(?:[.!?]+[\"')\]\u201d\u2019]*(?=\s|$))|;\s|[\n\r]+|\s[•·|▪●–—]\s")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_BREAK = re.compile(r"[,:()\[\]]")
_VERBS = {
    "is",
    "are",
    "may",
    "will",
    "can",
    "shall",
    "must",
    "we",
    "it",
    "they",
    "all",
    "any",
    "become",
    "becomes",
}


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text as they are written; a line of its own is one. Questions are left out."""
    text = _plain(text[:_LONGEST])
    start = 0
    for end in _END.finditer(text):
        said = text[start : end.end()]
        if end.group().startswith(".") and _SHORT.search(said.rstrip()):
            continue
        start = end.end()
        if "?" not in end.group() and said.strip():
            yield said.strip()[: 4 * _LONGEST_SENTENCE]
    if text[start:].strip():
        yield text[start:].strip()[: 4 * _LONGEST_SENTENCE]


def _plain(text: str) -> str:
    """Letters as they are meant: compatibility forms, curly apostrophes and the long hyphens made plain."""
    return unicodedata.normalize("NFKC", text).translate(
        {0x2019: "'", 0x2018: "'", 0x02BC: "'", 0x2010: "-", 0x2011: "-", 0xAD: None, 0x200B: None}
    )


@dataclass(frozen=True, slots=True)
class _Words:
    words: tuple[str, ...]
    breaks: frozenset[int]
    """Before which words a clause begins, across which nothing is denied."""


def _read(sentence: str) -> _Words:
    words: list[str] = []
    breaks: set[int] = set()
    last = 0
    for found_word in _WORD.finditer(sentence):
        if _BREAK.search(sentence[last : found_word.start()]):
            breaks.add(len(words))
        last = found_word.end()
        word = found_word.group().casefold()
        if word in {"but", "however", "although"}:
            breaks.add(len(words))
        words += _apart(word)
    for place, word in enumerate(words[:-1]):
        if word == "and" and words[place + 1] in _VERBS:
            breaks.add(place)
    return _Words(tuple(words[:_LONGEST_SENTENCE]), frozenset(breaks))


def _apart(word: str) -> list[str]:
    """`don't` is do and not, `department's` is department."""
    if word == "cannot":
        return ["can", "not"]
    if word.endswith("n't"):
        return [{"ca": "can", "wo": "will", "sha": "shall"}.get(word[:-3], word[:-3]), "not"]
    return [word.removesuffix("'s").replace("'", "")]


def _name(agency: str) -> Phrase:
    return tuple(word for one in _WORD.finditer(_plain(agency)) for word in _apart(one.group().casefold()))


# -- wordings ----------------------------------------------------------------------------------------------

_DENIALS = {"not", "never", "no", "nor", "neither", "without", "cannot", "unless", "nobody", "none"}


def _meets(read: _Words, part: Part, agency: Phrase) -> bool:
    if any(True for _ in _places(read, part.unless, agency, denied=True)):
        return False
    return any(_worded(read, wording, agency, denied=part.denies) for wording in part.wordings)


def _worded(read: _Words, wording: Wording, agency: Phrase, *, denied: bool) -> bool:
    places = [list(_places(read, group, agency, denied=denied)) for group in wording.groups]
    if not all(places):
        return False
    return _in_order(places, wording.gap) if wording.ordered else _apart_from_each_other(places, ())


def _in_order(places: Sequence[Sequence[tuple[int, int]]], gap: int) -> bool:
    ends = {end for _, end in places[0]}
    for group in places[1:]:
        ends = {end for start, end in group if any(0 <= start - before <= gap for before in ends)}
    return bool(ends)


def _apart_from_each_other(
    places: Sequence[Sequence[tuple[int, int]]], taken: tuple[tuple[int, int], ...]
) -> bool:
    if not places:
        return True
    return any(
        all(end <= other[0] or other[1] <= start for other in taken)
        and _apart_from_each_other(places[1:], (*taken, (start, end)))
        for start, end in places[0][:20]
    )


def _places(read: _Words, group: Group, agency: Phrase, *, denied: bool) -> Iterator[tuple[int, int]]:
    """Where the phrases of a group stand; those that are denied are left out unless `denied` is set."""
    for phrase in group:
        wanted = agency if phrase == ("{agency}",) else phrase
        for start in range(len(read.words) - len(wanted) + 1) if wanted else ():
            end = start + len(wanted)
            if all(map(_same, read.words[start:end], wanted)) and (denied or not _denied(read, start)):
                yield start, end


def _same(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


def _denied(read: _Words, start: int) -> bool:
    """Whether one of the few words before says no, within the same clause."""
    for place in range(start - 1, max(-1, start - 1 - _DENIED_WITHIN), -1):
        if place + 1 in read.breaks:
            return False
        if read.words[place] in _DENIALS:
            return True
    return False


# -- contact and links -------------------------------------------------------------------------------------

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}(?!\w)")
_PHONE = re.compile(r"(?<![\w/.-])(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}(?![\w-])")
_LOCAL = re.compile(r"(?<![\w/.-])[2-9]\d\d[ .-]\d{4}(?![\w-])")
_CALLING = re.compile(
    r"\b(?:phone|telephone|tel|call|dispatch|contact|non-?emergency|office|reach)\b", re.IGNORECASE
)
_STREET = re.compile(
    r"(?<!\w)\d{1,6}(?: [\w.'-]+){1,5}? "
    r"(?:street|st|avenue|ave|road|rd|boulevard|blvd|drive|dr|lane|ln|way|highway|hwy|court|ct|place|pl|parkway|plaza|circle)"
    r"(?!\w)",
    re.IGNORECASE,
)
_BOX = re.compile(r"\bp\.? ?o\.? box \d+", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']?([^"'\s>]{1,2000})""", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>\"')\]]{1,2000}", re.IGNORECASE)


def contact(text: str) -> str | None:
    """The sentence that gives a telephone number, an e-mail or a postal address; an emergency number is none."""
    for sentence in sentences(text):
        near = _LOCAL.search(sentence) if _CALLING.search(sentence) else None
        for one in (
            _EMAIL.search(sentence),
            _PHONE.search(sentence),
            near,
            _STREET.search(sentence),
            _BOX.search(sentence),
        ):
            if one is not None:
                return one.group()
    return None


def leads_to(introduction: Introduction, official_site: str) -> str | None:
    """The address in the introduction that leads to the official site.

    The page's own address is none, unless the page stands on the official site itself.
    """
    host, own = _host(official_site), {_bare(one) for one in introduction.addresses}
    if not host:
        return None
    if any(_host(one) == host for one in introduction.addresses):
        return f"the page stands on {host} itself"
    text = _plain(introduction.text[:_LONGEST])
    named = re.compile(
        rf"(?<![\w@.-])(?:https?://)?(?:www\.)?{re.escape(host)}(?![\w-]|\.\w)(?:/[^\s<>\"')\]]*)?",
        re.IGNORECASE,
    )
    for address in (*introduction.links, *(one.group() for one in named.finditer(text))):
        if _host(address) == host and _bare(address) not in own:
            return address[:_MOST_QUOTED]
    return None


def links_in(html: str) -> tuple[str, ...]:
    """The addresses that a piece of HTML or of text leads to."""
    html = html[:_LONGEST]
    return tuple(dict.fromkeys(unescape(one) for one in [*_HREF.findall(html), *_URL.findall(html)]))


def _host(address: str) -> str:
    try:
        told = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return told.casefold().removeprefix("www.").rstrip(".")


def _bare(address: str) -> str:
    """An address without what does not change where it leads."""
    return re.sub(r"^https?://(?:www\.)?", "", address.strip().casefold()).rstrip("/.")
