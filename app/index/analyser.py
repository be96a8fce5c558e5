"""One analyser for every engine: what a word is, for the text and for the question alike.

Text is brought to Unicode NFKC and case-folded. A word is then a run of
letters, digits, combining marks and underscores that begins with a letter,
digit or underscore; everything else divides. Each character of a script that
is written without spaces is a word by itself, and so is each emoji cluster.

Hashtags, mentions and addresses yield their words and, beside them, a
*sigil*: one token with its `#`, its `@` or its scheme, so that `#flood` finds
the hashtag alone while `flood` finds both.

Nothing is stemmed, dropped or shortened here. Whoever changes what a word is
raises `VERSION`; an index that was made with another one must be rebuilt.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

VERSION = 1
"""Raised whenever the same text would yield other words or sigils."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, with the place (half open) in the text as it was given."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sigil:
    """A hashtag, mention or address; it covers the words `first` to `last` (half open)."""

    text: str
    first: int
    last: int


# Unicode 16: letters, marks and digits whose Script is Han, Hiragana, Katakana, Thai, Lao, Khmer or
# Myanmar, and the few signs that are written with kana only but shared by both (ー and its kin).
_UNSPACED = (
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufa6d\ufa70-\ufad9\uff66-\uff9d"
    "\U00016fe3\U00016ff0-\U00016ff6\U0001aff0-\U0001affe\U0001b000-\U0001b168\U00020000-\U000323af"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59"
    "\u0e81-\u0ebd\u0ec0-\u0ec4\u0ec6\u0ec8-\u0ece\u0ed0-\u0ed9\u0edc-\u0edf"
    "\u1780-\u17d3\u17d7\u17dc\u17dd\u17e0-\u17e9\u17f0-\u17f9"
    "\u1000-\u1049\u1050-\u109d\ua9e0-\ua9fe\uaa60-\uaa76\uaa7a-\uaa7f\U000116d0-\U000116e3"
)

# Unicode's Emoji property without the digits, # and * (which are letters and signs long before they
# are emoji), without © and ® and without regional indicators, which come in pairs.
_EMOJI = (
    "\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2"
    "\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611\u2614\u2615\u2618\u261d\u2620\u2622\u2623"
    "\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f\u2660\u2663\u2665\u2666\u2668\u267b"
    "\u267e\u267f\u2692-\u2697\u2699\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1\u26bd\u26be\u26c4"
    "\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702\u2705"
    "\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755"
    "\u2757\u2763\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030"
    "\u303d\u3297\u3299\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e"
    "\U0001f191-\U0001f19a\U0001f201\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251"
    "\U0001f300-\U0001f321\U0001f324-\U0001f393\U0001f396\U0001f397\U0001f399-\U0001f39b\U0001f39e-\U0001f3f0"
    "\U0001f3f3-\U0001f3f5\U0001f3f7-\U0001f4fd\U0001f4ff-\U0001f53d\U0001f549-\U0001f54e\U0001f550-\U0001f567"
    "\U0001f56f\U0001f570\U0001f573-\U0001f57a\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f595\U0001f596"
    "\U0001f5a4\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3"
    "\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef\U0001f5f3\U0001f5fa-\U0001f64f"
    "\U0001f680-\U0001f6c5\U0001f6cb-\U0001f6d2\U0001f6d5-\U0001f6d9\U0001f6dc-\U0001f6e5\U0001f6e9"
    "\U0001f6eb\U0001f6ec\U0001f6f0\U0001f6f3-\U0001f6fc\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001f93a"
    "\U0001f93c-\U0001f945\U0001f947-\U0001f9ff\U0001fa70-\U0001fa7c\U0001fa80-\U0001fac6\U0001fac8"
    "\U0001facc-\U0001fadd\U0001fadf-\U0001faeb\U0001faef-\U0001fafa"
)


def _marks() -> str:
    """Every combining mark as the inside of a character class, without those of the unspaced scripts."""
    unspaced = re.compile(f"[{_UNSPACED}]")
    found: list[list[int]] = []
    # Marks stand below U+20000, and the variation selectors of plane 14.
    for code in (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)):
        character = chr(code)
        if unicodedata.category(character)[0] != "M" or unspaced.match(character):
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in found)


_ASTRAL = "\U00010000-\U0010ffff"
_MARKS = _marks()
_LOOKS = "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"  # presentation, skin, subdivision
_CLUSTER = (
    f"[{_EMOJI}]{_LOOKS}(?:\u200d[{_EMOJI}]{_LOOKS})*"
    "|[\U0001f1e6-\U0001f1ff]{2}|[\U0001f1e6-\U0001f1ff]"  # a flag; half a flag
    "|[©®]\ufe0f"
)
_AFTER_ADDRESS = ".,;:!?'’‘`*~|/"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def _below_astral(characters: str) -> str:
    """The part of a character class below U+10000, where `re` needs one look-up for all of it."""
    return re.sub(r"[\U00010000-\U0010ffff](?:-[\U00010000-\U0010ffff])?", "", characters)


def _astral(characters: str) -> str:
    return "".join(re.findall(r"[\U00010000-\U0010ffff](?:-[\U00010000-\U0010ffff])?", characters))


_LOW, _HIGH = _below_astral(_UNSPACED), _astral(_UNSPACED)
_LOW_MARKS, _HIGH_MARKS = _below_astral(_MARKS), _astral(_MARKS)
# A character below U+10000 is never compared with the many ranges above it: that is most of the speed.
_LETTERS = rf"[^\W{_LOW}{_ASTRAL}]+|(?=[{_ASTRAL}])[^\W{_HIGH}]"
_SOME_MARKS = f"[{_LOW_MARKS}]+|(?=[{_ASTRAL}])[{_HIGH_MARKS}]"
_UNSPACED_ONE = f"[{_LOW}]|(?=[{_ASTRAL}])[{_HIGH}]"
_CLUSTER_ONE = _CLUSTER.replace(
    f"[{_EMOJI}]", f"(?:[{_below_astral(_EMOJI)}]|(?=[\U0001f000-\U0001faff])[{_astral(_EMOJI)}])"
)
_ANY = f"(?:{_LETTERS})(?:{_LETTERS}|{_SOME_MARKS})*|{_UNSPACED_ONE}|{_CLUSTER_ONE}"
_RUN = (  # what a hashtag or a name is made of
    rf"(?:\w+|{_UNSPACED_ONE})(?:\w+|[{_LOW_MARKS}{_LOW}]+|(?=[{_ASTRAL}])[{_HIGH_MARKS}{_HIGH}])*"
)
_ADDRESS = rf"https?://[^\s<>\"“”„«»…\ud800-\udfff{_LOW}{_below_astral(_EMOJI)}{_ASTRAL}]+"


_SPACED = re.compile(r"\w+")
_DEMANDING = re.compile(
    f"[{_below_astral(_MARKS)}{_below_astral(_UNSPACED)}{_below_astral(_EMOJI)}{_ASTRAL}]"
)
"""Whatever makes a text more than runs of letters and digits: marks, unspaced scripts, emoji."""
_GAPS = r"[\x00-/:-@\[-^`{-\x7f]{0,8}+"  # separators of ASCII, passed over a few at a time: no text is slow
_WORD = re.compile(f"{_GAPS}({_ANY})")
_SIGIL_BEGINS = re.compile("[#@]|://")
_INSIDE = re.compile(f"{_LETTERS}|{_SOME_MARKS}")
_SIGIL = re.compile(rf"#{_RUN}|(@{_RUN})(?:[@.\-]{_RUN})*|{_ADDRESS}")
_SINGLE = re.compile(rf"[{_UNSPACED}]|{_CLUSTER}")

# The same with the signs that a question may hold: what `*` and `?` touch stays one pattern.
_PATTERN = re.compile(
    rf"(?:[^\W{_UNSPACED}]|[*?])(?:[^\W{_UNSPACED}]+|[*?]+|[{_MARKS}]+)*"
    rf"|[{_UNSPACED}][*?]*|(?:{_CLUSTER})[*?]*"
)
_RUN_PATTERN = rf"[\w{_UNSPACED}*?](?:\w+|[*?]+|[{_MARKS}{_UNSPACED}]+)*"
_SIGIL_PATTERN = re.compile(rf"#{_RUN_PATTERN}|@{_RUN_PATTERN}(?:[@.\-]{_RUN_PATTERN})*|{_ADDRESS}")

_ASCII = "".join(chr(code).lower() if chr(code).isalnum() or chr(code) == "_" else " " for code in range(128))


def normalised(text: str) -> str:
    """Text as it is compared: NFKC, then case folding."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is indexed of a text: its words between spaces, and its sigils."""

    words: str
    sigils: Sequence[Sigil]


def words(text: str) -> list[str]:
    """The words of `text` in their order."""
    return _words_of(text if text.isascii() else normalised(text))


def analyse(text: str) -> Analysis:
    """The same words, joined by spaces for an engine that divides at them, and the sigils beside them."""
    plain = normalised(text)
    places = _sigil_places(plain) if "#" in plain or "@" in plain or "://" in plain else []
    if not places:
        return Analysis(text.translate(_ASCII) if text.isascii() else " ".join(_words_of(plain)), ())
    if not _can_be_cut(plain, places):
        return _analysed_slowly(plain, places)
    found: list[str] = []
    covered: list[Sigil] = []
    reached = first = 0
    for sigil, start, end in places:
        if start >= reached:
            found += _words_of(plain[reached:start])
            first, reached = len(found), start
        found += _words_of(plain[reached:end])
        reached = end
        covered.append(Sigil(sigil, first, len(found)))
    found += _words_of(plain[reached:])
    return Analysis(" ".join(found), covered)


def _can_be_cut(plain: str, places: Sequence[tuple[str, int, int]]) -> bool:
    """Whether no word goes on across the beginning or the end of a sigil, as in `roadhttps://…`."""
    reached = 0
    for sigil, start, end in places:
        if sigil[0] == "h" and (
            start < reached or (start and _INSIDE.match(plain, start - 1)) or _INSIDE.match(plain, end)
        ):
            return False
        reached = end
    return True


def _analysed_slowly(plain: str, places: Sequence[tuple[str, int, int]]) -> Analysis:
    found = list(_WORD.finditer(plain))
    starts = [match.start(1) for match in found]
    ends = [match.end(1) for match in found]
    return Analysis(
        " ".join([match.group(1) for match in found]),
        [Sigil(sigil, bisect_right(ends, start), bisect_left(starts, end)) for sigil, start, end in places],
    )


def sigils(text: str) -> Sequence[Sigil]:
    """The hashtags, mentions and addresses of `text`, with the words that each covers.

    A mention that goes on (`@user@host`, `@name.host`) yields its first part
    and the whole, so that both are found.
    """
    return analyse(text).sigils


def _words_of(plain: str) -> list[str]:
    if plain.isascii():
        return plain.translate(_ASCII).split()
    if _DEMANDING.search(plain) is None:
        return _SPACED.findall(plain)
    return _WORD.findall(plain)


def is_single(word: str) -> bool:
    """Whether `word` can stand only by itself: a character of an unspaced script, or an emoji."""
    return _SINGLE.fullmatch(word) is not None


_EACH = re.compile(f"{_CLUSTER}|.", re.DOTALL)


def clusters(text: str) -> list[str]:
    """The characters of `text`, each emoji with whatever is joined to it."""
    return _EACH.findall(text)


def _sigil_places(plain: str) -> list[tuple[str, int, int]]:
    """Each sigil of normalised text with its place in it."""
    found: list[tuple[str, int, int]] = []
    done = 0
    while (begin := _SIGIL_BEGINS.search(plain, done)) is not None:
        done = begin.end()
        match = _sigil_at(plain, begin, _SIGIL)
        if match is None:
            continue
        text, start, done = match.group(), match.start(), max(done, match.end())
        if text[0] == "h":
            address = bare_address(text)
            if address is not None:
                found.append((address, start, start + len(address)))
            continue
        if text[0] == "@":
            name = match.group(1)
            if len(name) != len(text):
                found.append((name, start, start + len(name)))
        found.append((text, start, match.end()))
    return found


def _sigil_at(plain: str, begin: re.Match[str], sigil: re.Pattern[str]) -> re.Match[str] | None:
    """The sigil that `#`, `@` or `://` begins, if it does.

    A hashtag or mention in the middle of a word is none: an e-mail address
    mentions nobody.
    """
    at = begin.start()
    if begin.group() == "://":
        scheme = 5 if plain.endswith("https", 0, at) else 4 if plain.endswith("http", 0, at) else 0
        return sigil.match(plain, at - scheme) if scheme else None
    if at and _INSIDE.match(plain, at - 1) is not None:
        return None
    return sigil.match(plain, at)


def bare_address(address: str) -> str | None:
    """An address without what only ends the sentence around it, and without a last slash.

    None if nothing is left of it but its scheme.
    """
    if address[-1].isalnum():
        return address
    open_brackets = {
        closing: address.count(closing) - address.count(opening) for closing, opening in _BRACKETS.items()
    }
    end = len(address)
    while end:
        last = address[end - 1]
        if open_brackets.get(last, 0) > 0:
            open_brackets[last] -= 1
        elif last not in _AFTER_ADDRESS:
            break
        end -= 1
    return address[:end] if "://" in address[:end] else None


def tokens(text: str) -> list[Token]:
    """The words of `text` with their places in it: the same words as `words`, for marking what was found."""
    found, places = words_with_places(text)
    return [Token(word, start, end) for word, (start, end) in zip(found, places, strict=True)]


def words_with_places(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """The words of `text`, and beside them the place (half open) of each: the same as `tokens` in two lists."""
    if text.isascii():
        return text.translate(_ASCII).split(), [match.span() for match in _ASCII_WORD.finditer(text)]
    plain, starts, ends = _with_places(text)
    found = list(_WORD.finditer(plain))
    return [match.group(1) for match in found], [
        (starts[match.start(1)], ends[match.end(1) - 1]) for match in found
    ]


_ASCII_WORD = re.compile(r"\w+", re.ASCII)


def _with_places(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """Normalised text, and for each of its characters where it came from in `text` (start, end)."""
    if unicodedata.is_normalized("NFKC", text):
        plain = text.casefold()
        if len(plain) == len(text):  # folding never shortens, so each character came from its own
            return plain, range(len(text)), range(1, len(text) + 1)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for part in _PARTS.finditer(text):
        at = part.start()
        if part.group(1) is not None:  # each character of ASCII comes from its own
            pieces.append(part.group(1).lower())
            starts += range(at, part.end())
            ends += range(at + 1, part.end() + 1)
            continue
        for start, end in _normalisation_groups(part.group()):
            made = unicodedata.normalize("NFKC", part.group()[start:end]).casefold()
            pieces.append(made)
            starts += [at + start] * len(made)
            ends += [at + end] * len(made)
    return "".join(pieces), starts, ends


_PARTS = re.compile(r"([\x00-\x7f]+(?=[\x00-\x7f]|\Z))|[\x00-\x7f]?[^\x00-\x7f]+")
"""Runs of ASCII, and the rest with the character before it, with which its first mark may become one."""


def _normalisation_groups(text: str) -> Iterator[tuple[int, int]]:
    """Pieces of `text` that NFKC changes each by itself, so that joined they give what it makes of the whole."""
    start = 0
    for at in range(1, len(text)):
        if _stands_alone(text[at]) and not _compose(text[start:at], text[at]):
            yield start, at
            start = at
    if text:
        yield start, len(text)


@lru_cache(maxsize=4096)
def _stands_alone(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) == 0


def _compose(before: str, character: str) -> bool:
    if character.isascii():
        return False
    compose = unicodedata.normalize
    return compose("NFKC", before + character) != compose("NFKC", before) + compose("NFKC", character)


def parted_by_wildcard(plain: str, signs: str) -> bool:
    """Whether one of `signs` stands between two characters of which each is a word by itself, as in 警?察."""
    return (
        re.search(rf"(?:[{_UNSPACED}]|{_CLUSTER})[*?]*[{signs}][*?]*(?=[\w{_UNSPACED}{_EMOJI}])", plain)
        is not None
    )


def pattern_elements(plain: str) -> list[str]:
    """The words and sigils of a normalised question, which may hold `*` and `?`.

    A sigil stands for the words that it covers; they are not given again. An
    address keeps its question marks, which are its own, and a star at its end.
    """
    found: list[str] = []
    done = at = 0
    while (begin := _SIGIL_BEGINS.search(plain, done)) is not None:
        done = begin.end()
        match = _sigil_at(plain, begin, _SIGIL_PATTERN)
        if match is None or match.start() < at:
            continue
        text, start, end = match.group(), match.start(), match.end()
        if text[0] == "h":
            address = bare_address(text.rstrip("*"))
            if address is None:
                continue
            text = text.rstrip("*") + "*" if text.endswith("*") else address
        found += _PATTERN.findall(plain[at:start])
        found.append(text)
        done = at = max(done, end)
    return found + _PATTERN.findall(plain[at:])
