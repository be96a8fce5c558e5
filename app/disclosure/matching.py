"""Where words that were taken out of a record stand again, however they are written there.

A name that is redacted in one place must not be read in the next. So words are
compared as a reader would read them: without regard to case, width, accents,
line breaks, entities, tags, and characters that nobody sees, and where there are enough of
them, without regard to blanks and punctuation either: 'Mill-Road' is Mill Road.
In an address, a handle or a hashtag they are met by their letters alone, with its
escapes and the letters of its host read: all of it is taken out then.
That may take out a little more than was asked for, and never less. A finished
production is hunted through in the same manner, or a narrower one.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from urllib.parse import unquote

from ahocorasick_rs import AhoCorasick

SHORTEST = 4
"""Words of fewer letters are found only where they stand by themselves: 'Al' is no part of 'also'."""
LOOSE_FROM = 8
"""Bytes that the letters and digits of words must have for them to be found by these alone."""
APART_FROM, NUMBER_FROM = 6, 7
"""Fewer letters and digits are found by these alone where they stand by themselves: of words that have parts, and of a number."""
_PARTS_OTHERS = re.compile(r"[,;:!?@]")
"""What stands between two and does not join them: 'Jane, Doe' is no Jane Doe."""
_WIDE = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ", "BOPOMOFO ", "YI SYLLABLE ")
"""Scripts without blanks between words, by the names of their characters: two of these say what four letters do."""
_ADDRESS = re.compile(
    r"(?:https?:|www\.|//)[^\s<>\"']+|(?<=[#@])\w[\w.-]*|(?<![\w.+-])\w[\w.+-]*(?=@\w)"
    r"|(?<![\w.@-])\w[\w-]{0,62}(?:\.[\w-]{1,63}){0,8}\.[^\W\d_]{2,24}(?![\w-])(?:[:/?#][^\s<>\"']*)?",
    re.IGNORECASE,
)
"""Addresses, what follows the sign of a handle or of a hashtag, what stands before it in an e-mail address, and names of hosts."""
_HOST = re.compile(r"(?<![a-z0-9-])xn--([a-z0-9-]{1,59})", re.IGNORECASE)
"""A label of a host as it is written in ASCII (RFC 5890, section 2.3.2.1)."""
_ESCAPED = 3
"""So often an address may be escaped, one escape around the other, and is still read."""
LONGEST = 256
"""Longer words are found by their parts of this length, so that a quotation of some of them is met as well."""


@dataclass(frozen=True)
class Read:
    """A text as it is compared, and where each of its characters begins in the text itself."""

    folded: str
    starts: tuple[int, ...]
    """For each folded character the place of its source; one more for the end."""
    bare: Read | None = None
    """The same without its tags, where it has any; what stands in a tag is read above."""

    def source(self, begin: int, end: int) -> tuple[int, int]:
        """The part of the text that the folded characters `begin` to `end` were read from."""
        last, after = self.starts[end - 1], end
        while self.starts[after] <= last:  # one sign can be read as several, and the end is later than any
            after += 1
        return self.starts[begin], self.starts[after]

    @cached_property
    def _letters(self) -> tuple[str, tuple[int, ...]]:
        """The letters and digits alone, and the place of each among the folded characters."""
        places = tuple(place for place, char in enumerate(self.folded) if char.isalnum())
        return "".join(self.folded[place] for place in places), places

    @property
    def letters(self) -> str:
        """The letters and digits of the text, and nothing between them."""
        return self._letters[0]

    def among_letters(self, begin: int, end: int) -> tuple[int, int]:
        """The part of the text that the letters `begin` to `end` were read from, with what stands between them."""
        places = self._letters[1]
        return self.source(places[begin], places[end - 1] + 1)

    def joined(self, begin: int, end: int) -> bool:
        """Whether the letters `begin` to `end` stand by themselves, and nothing between them keeps them apart."""
        places = self._letters[1]
        first, last = places[begin], places[end - 1] + 1
        return alone(self.folded, first, last) and _PARTS_OTHERS.search(self.folded, first, last) is None


_ALIKE = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict(zip("łŁøØđĐðÐħĦŧŦıĸ", "llooddddhhttik", strict=True)),
    **dict(zip("аеорсухіјѕһԁԛԝοАЕОРСУХІЈЅҺԀԚԜΟ", "aeopcyxijshdqwoaeopcyxijshdqwo", strict=True)),
    **dict.fromkeys("\u115f\u1160\u3164\uffa0\ufffc", ""),
    "\u2800": " ",
}
"""Signs that people write for one another; letters with a stroke, which no form of Unicode takes apart; Cyrillic and
Greek letters that no reader tells from Latin ones; and what nobody sees, though it counts as a letter or a sign."""
_DRAWN = re.compile(
    r"(?:NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|LATIN LETTER SMALL CAPITAL|REGIONAL INDICATOR SYMBOL LETTER) ([A-Z])"
)
"""Letters that are drawn otherwise and that Unicode does not trace to the plain ones, by their names."""
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""A character as markup writes it; platforms give some of them within plain words."""
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


@lru_cache(maxsize=8192)
def _char(char: str) -> str:
    if (alike := _ALIKE.get(char)) is not None:
        return alike
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if not char.isascii() and (drawn := _DRAWN.fullmatch(unicodedata.name(char, ""))):
        return drawn[1].casefold()
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    kept = "".join(one for one in parts if unicodedata.category(one) not in ("Mn", "Me", "Cf", "Cc", "Cs"))
    return " " if char.isspace() else kept


class _Folding(dict[int, str]):
    """How each character is compared; one that was never seen is looked up once."""

    def __missing__(self, code: int) -> str:
        self[code] = said = _char(chr(code))
        return said


_FOLDING = _Folding()
_BLANKS = re.compile(r"\s+")
_NO_LETTERS = re.compile(r"[\W_]+")


def quickly(text: str) -> str:
    """What `read` calls the folded text, without the places: many times as fast, for texts that mostly hold nothing."""
    plain = _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text
    return _BLANKS.sub(" ", plain.translate(_FOLDING))


def read(text: str) -> Read:
    """A text as it is compared. What nobody sees belongs to the character before it."""
    bare = _read(_outside_tags(text), len(text)) if _TAG.search(text) else None
    return replace(_read(_signs(text), len(text)), bare=bare)


def _read(signs: Iterable[tuple[int, str]], length: int) -> Read:
    folded: list[str] = []
    starts: list[int] = []
    blank = False
    for place, char in signs:
        said = _char(char)
        if said.isspace():
            if not blank:
                folded.append(" ")
                starts.append(place)
            blank = True
            continue
        if not said:
            continue
        blank = False
        for one in said:
            folded.append(one)
            starts.append(place)
    starts.append(length)
    return Read("".join(folded), tuple(starts))


def _signs(text: str) -> Iterator[tuple[int, str]]:
    """Each character that is shown, and where it is written; that of an entity where the entity begins."""
    at = 0
    for found in _ENTITY.finditer(text) if "&" in text else ():
        if (shown := html.unescape(found[0])) != found[0]:
            yield from enumerate(text[at : found.start()], at)
            yield from ((found.start(), char) for char in shown)
            at = found.end()
    yield from enumerate(text[at:], at)


def _outside_tags(text: str) -> Iterator[tuple[int, str]]:
    inside = {place for tag in _TAG.finditer(text) for place in range(*tag.span())}
    return (sign for sign in _signs(text) if sign[0] not in inside)


def folded(text: str) -> str:
    """Words as they are looked for; folded once more they are the same, whatever entities are held by entities."""
    said = quickly(text).strip()
    for _ in range(_ESCAPED):
        if "&" not in said or (again := quickly(said).strip()) == said:
            return said
        said = again
    return quickly(said.replace("&", " ")).strip()


def long_enough(word: str) -> bool:
    """Whether folded words are met by chance in no longer ones, so that they need not stand by themselves.

    Four letters are; in a script without blanks between words, two characters.
    """
    return len(word) >= SHORTEST or len(word) + sum(map(_wide, word)) >= SHORTEST


@lru_cache(maxsize=8192)
def _wide(char: str) -> bool:
    return not char.isascii() and unicodedata.name(char, "").startswith(_WIDE)


def by_itself(text: str, start: int, end: int) -> bool:
    """Whether a place of a text is no part of a longer word, or is of a script without blanks between words."""
    touched = text[max(start - 1, 0) : start].isalnum() or text[end : end + 1].isalnum()
    return not touched or any(_wide(one) for char in text[start:end] for one in _char(char))


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses, handles and hashtags stand in a text."""
    if "." in text or "//" in text or "@" in text or "#" in text:
        for found in _ADDRESS.finditer(text):
            yield found.span()


def parts(words: str) -> list[str]:
    """Words in lengths that are looked for: from the beginning, and one at the end."""
    if len(words) <= LONGEST:
        return [words]
    starts = [*range(0, len(words) - LONGEST, LONGEST), len(words) - LONGEST]
    return [words[start : start + LONGEST] for start in starts]


def found(words: Iterable[str], text: Read) -> list[tuple[int, int]]:
    """Where any of these folded words stand in a text, as places of the text itself; sorted, and may overlap."""
    texts = (text,) if text.bare is None else (text, text.bare)
    return sorted({place for word in words if word for one in texts for place in _places(word, one)})


def in_addresses(words: Iterable[str], text: str) -> list[tuple[int, int]]:
    """The addresses of a text that spell out any of these folded words, each as a whole."""
    places = list(addresses(text))
    return (
        [one for one in places if any(spelled_in(word, text[slice(*one)]) for word in words)]
        if places
        else []
    )


def _places(word: str, text: Read) -> Iterator[tuple[int, int]]:
    for begin in _each(word, text.folded):
        if long_enough(word) or alone(text.folded, begin, begin + len(word)):
            yield text.source(begin, begin + len(word))
    if loose := _loose(word):
        for begin in _each(loose, text.letters):
            if _anywhere(loose) or text.joined(begin, begin + len(loose)):
                yield text.among_letters(begin, begin + len(loose))


def _outermost(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places in their order, without those that lie in another one."""
    told: list[tuple[int, int]] = []
    for start, end in sorted(places, key=lambda place: (place[0], -place[1])):
        if not told or end > told[-1][1]:
            told.append((start, end))
    return told


def _each(word: str, text: str) -> Iterator[int]:
    begin = text.find(word)
    while begin >= 0:
        yield begin
        begin = text.find(word, begin + 1)


def _loose(word: str) -> str:
    """The letters and digits of words that are enough of them to be looked for alone; otherwise nothing."""
    letters = "".join(char for char in word if char.isalnum())
    parted = letters != word and len(letters) >= APART_FROM
    number = letters.isdecimal() and len(letters) >= NUMBER_FROM
    return letters if parted or number or _anywhere(letters) else ""


def _anywhere(letters: str) -> bool:
    """Whether these are enough letters to be met by no chance, be it within other words."""
    return len(letters.encode()) >= LOOSE_FROM


def alone(folded: str, begin: int, end: int) -> bool:
    """Whether words stand by themselves in a text, and are not part of a longer one."""
    before = begin > 0 and folded[begin - 1].isalnum() and folded[begin].isalnum()
    after = end < len(folded) and folded[end].isalnum() and folded[end - 1].isalnum()
    return not before and not after


def spelled_in(words: str, address: str) -> bool:
    """Whether an address spells words out, as addresses do: without blanks, or with hyphens or escapes for them."""
    looked_for = _letters(words)
    return long_enough(looked_for) and looked_for in _told(address)


def _told(address: str) -> str:
    """What the letters of an address are once its escapes are read, whatever their coding, and its host as people write it."""
    told = [address]
    for _ in range(_ESCAPED):
        if "%" in told[-1]:
            plain = unquote(told[-1])
            told.append(unquote(told[-1], "cp1252") if "\ufffd" in plain else plain)
    return "\n".join(_letters(one) for one in dict.fromkeys(_hosted(one) for one in told))


def _hosted(address: str) -> str:
    return _HOST.sub(_label, address) if "xn--" in address.casefold() else address


def _label(found: re.Match[str]) -> str:
    try:
        return found[1].encode().decode("punycode")
    except UnicodeError:
        return found[0]


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", quickly(text))


class Many:
    """Many words at once, for texts by the thousand: what they cost does not grow with the number of words."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted({folded(one) for one in words} - {""})
        self._found = AhoCorasick(self._words) if self._words else None
        self._whose, self._loosely = _spelling(self._words, _loose)
        self._named, self._spelled = _spelling(self._words, _spells)

    def __bool__(self) -> bool:
        return self._found is not None

    def any(self, text: str) -> bool:
        """Whether any of the words may stand in a text: quick, and never a no where `within` tells of one."""
        return self._any(text) or (_TAG.search(text) is not None and self._any(_TAG.sub("", text)))

    def _any(self, text: str) -> bool:
        if self._found is None or not text:
            return False
        said = quickly(text)
        return (
            bool(self._found.find_matches_as_indexes(said))
            or (
                self._loosely is not None
                and bool(self._loosely.find_matches_as_indexes(_NO_LETTERS.sub("", said)))
            )
            or any(next(self.spelled(text[slice(*one)]), None) is not None for one in addresses(text))
        )

    def within(self, text: str) -> dict[str, list[tuple[int, int]]]:
        """Which of the words stand in a text, folded, and where; an address that spells one out is such a place."""
        if self._found is None or not self.any(text):
            return {}
        said = read(text)
        told: dict[str, set[tuple[int, int]]] = {}
        for one in (said,) if said.bare is None else (said, said.bare):
            self._in(one, told)
        for place in addresses(text):
            for word in self.spelled(text[slice(*place)]):
                told.setdefault(word, set()).add(place)
        return {word: _outermost(places) for word, places in sorted(told.items())}

    def _in(self, said: Read, told: dict[str, set[tuple[int, int]]]) -> None:
        assert self._found is not None, "there are words to be met"
        for number, begin, end in self._found.find_matches_as_indexes(said.folded, overlapping=True):
            word = self._words[number]
            if long_enough(word) or alone(said.folded, begin, end):
                told.setdefault(word, set()).add(said.source(begin, end))
        if self._loosely is not None:
            for number, begin, end in self._loosely.find_matches_as_indexes(said.letters, overlapping=True):
                if _anywhere(said.letters[begin:end]) or said.joined(begin, end):
                    told.setdefault(self._whose[number], set()).add(said.among_letters(begin, end))

    def named(self, text: str) -> set[str]:
        """Which of the words stand in what is no running text: a name of a file, an address, a title."""
        return {*self.within(text), *(() if " " in text.strip() else self.spelled(text))}

    def spelled(self, address: str) -> Iterator[str]:
        """Which of the words an address spells out."""
        if self._spelled is not None:
            for number, _, _ in self._spelled.find_matches_as_indexes(_told(address), overlapping=True):
                yield self._named[number]


def _spells(word: str) -> str:
    letters = _letters(word)
    return letters if long_enough(letters) else ""


def _spelling(words: Iterable[str], how: Callable[[str], str]) -> tuple[list[str], AhoCorasick | None]:
    """Words by their letters, where they have enough of them; several may have the same."""
    told = [(letters, word) for word in words if (letters := how(word))]
    return [word for _, word in told], AhoCorasick([letters for letters, _ in told]) if told else None
