"""Decides for many texts whether a question is met in each: what `spans` decides, with the question prepared once.

Engines propose thousands of texts for one question. So each different word is
held against the question once, of a long OR only those parts are read whose
words a text has, and of a proximity only where its spans begin and end is
kept, as long as nothing asks for both together.

What would take minutes all the same is refused, never guessed: the work of a
question is counted, not timed, so that the same question over the same archive
is refused on every machine or on none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

from app.index.engine import QueryNotSupported
from app.index.printer import show
from app.index.spans import Placed, Span, Words, divided, meeting
from app.index.stem import stem
from app.index.tree import (
    Address,
    Fuzzy,
    In,
    Mention,
    Near,
    Or,
    Phrase,
    Pre,
    Stem,
    Tag,
    Term,
    Tree,
    Wild,
)

MOST_STEPS = 60_000_000
"""Words held against wildcards, and pairs of places: some ten seconds of both."""
_STEPS_A_TEXT = 20
"""So many more for every text, about what it takes to read one: a large archive refuses no question for its size."""
_FEW = 3
"""So many single words are looked for one after the other; of more, the places of all words are noted first."""
_MOST_KNOWN = 1_000_000
_SHOWN = 120


class QueryTooWide(QueryNotSupported):
    """The question was understood, and to answer it exactly would take too long."""

    code = "query-too-wide"

    def __init__(self, part: Tree) -> None:
        written = show(part)
        told = written if len(written) <= _SHOWN else f"{written[:_SHOWN]} …"
        super().__init__(told, "it can be met in so many ways that reading them all would take minutes")
        self.next = (
            "Write fewer words or wildcards beside w/ or pre/, a wildcard with more letters, or a smaller distance; "
            "or divide the question into several."
        )


class _Text:
    """One text while it is read; `places` says where each of its words stands, once somebody asked."""

    __slots__ = ("noted", "sigils", "words")

    def __init__(self, words: Words) -> None:
        self.words, self.sigils = words.words, words.sigils
        self.noted: dict[str, list[int]] | None = None

    def places(self) -> dict[str, list[int]]:
        if self.noted is None:
            self.noted = {}
            for at, word in enumerate(self.words):
                self.noted.setdefault(word, []).append(at)
        return self.noted


class _Part(ABC):
    """A part of a question: where it is met, or only where its spans begin, or end."""

    needs: str | None = None
    """A word without which it is never met, where there is one."""

    @abstractmethod
    def spans(self, text: _Text) -> set[Span]: ...

    def starts(self, text: _Text) -> set[int]:
        return {start for start, _ in self.spans(text)}

    def ends(self, text: _Text) -> set[int]:
        return {end for _, end in self.spans(text)}

    def met(self, text: _Text) -> bool:
        return bool(self.spans(text))


class Decider:
    """A question, or a part of it that stands in a text, prepared to be put to many texts."""

    def __init__(self, tree: Tree, *, most: int = MOST_STEPS) -> None:
        self.tree = tree
        self._place = tree.place if isinstance(tree, In) else None
        self._left = most
        self._part = self._prepared(tree.part if isinstance(tree, In) else tree)

    def met(self, told: Iterable[Placed]) -> bool:
        """Whether it is met in any one of these texts; `QueryTooWide` where that takes too long to say."""
        place, met = self._place, self._part.met
        self._left += _STEPS_A_TEXT
        return any(met(_Text(words)) for where, words in told if place is None or where == place)

    def spend(self, steps: int) -> None:
        """Count what was done."""
        self._left -= steps
        if self._left < 0:
            raise QueryTooWide(self.tree)

    def _prepared(self, tree: Tree) -> _Part:
        match tree:
            case Term() | Wild() | Fuzzy() | Stem():
                return _Single([tree], self.spend)
            case Tag() | Mention() | Address():
                return _Sigils(tree)
            case Phrase(parts):
                return _Row([self._prepared(part) for part in parts])
            case Near(within, left, right):
                return _Pair(within, self._prepared(left), self._prepared(right), self.spend, either=True)
            case Pre(within, left, right):
                return _Pair(within, self._prepared(left), self._prepared(right), self.spend, either=False)
            case Or(parts):
                single, longer = divided(parts)
                alone = [_Single(single, self.spend)] if single else []
                others = [self._prepared(part) for part in longer]
                return _Any([*alone, *others]) if others else alone[0]
            case _:
                raise TypeError(f"{type(tree).__name__} has no place in a text")


# ---- single words --------------------------------------------------------------------------------


class _Known(dict[str, bool]):
    """Whether a word meets any of some wildcards, stems and misspellings; each word is held against them once."""

    def __init__(self, parts: Sequence[Wild | Fuzzy | Stem], spend: Callable[[int], None]) -> None:
        super().__init__()
        self._spend = spend
        self._stems = {stem(part.word) for part in parts if isinstance(part, Stem)}
        beginnings = [part.pattern[:-1] for part in parts if isinstance(part, Wild) and _is_beginning(part)]
        self._beginnings: dict[int, set[str]] = {}
        for one in beginnings:
            self._beginnings.setdefault(len(one), set()).add(one)
        self._wild = [meeting(part) for part in parts if isinstance(part, Wild) and not _is_beginning(part)]
        self._fuzzy = [
            (_signs(part.word), len(part.word), part.letters, meeting(part))
            for part in parts
            if isinstance(part, Fuzzy)
        ]

    def __missing__(self, word: str) -> bool:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        found = self[word] = self._meets(word)
        return found

    def _meets(self, word: str) -> bool:
        if any(word[:length] in some for length, some in self._beginnings.items()):
            return True
        if self._stems and stem(word) in self._stems:
            return True
        self._spend(len(self._wild) + len(self._fuzzy))
        if any(meets(word) for meets in self._wild):
            return True
        signs = _signs(word) if self._fuzzy else 0
        for known, length, letters, meets in self._fuzzy:
            if abs(length - len(word)) <= letters and (known ^ signs).bit_count() <= 2 * letters:
                self._spend(len(word) * length)
                if meets(word):
                    return True
        return False


def _is_beginning(part: Wild) -> bool:
    return part.pattern.endswith("*") and not any(sign in part.pattern[:-1] for sign in "*?")


def _signs(word: str) -> int:
    """Which letters a word has, as bits: one change alters two of them at most."""
    found = 0
    for sign in word:
        found |= 1 << (ord(sign) & 63)
    return found


class _Single(_Part):
    """One word, or any of several."""

    def __init__(self, parts: Sequence[Term | Wild | Fuzzy | Stem], spend: Callable[[int], None]) -> None:
        words = [part.word for part in parts if isinstance(part, Term)]
        others = [part for part in parts if not isinstance(part, Term)]
        self.needs = words[0] if len(parts) == 1 and words else None
        self.at = _places_of(words, others, spend)
        """Its places, in their order."""

    def spans(self, text: _Text) -> set[Span]:
        return {(at, at) for at in self.at(text)}

    def starts(self, text: _Text) -> set[int]:
        return set(self.at(text))

    ends = starts

    def met(self, text: _Text) -> bool:
        return bool(self.at(text))


def _places_of(
    words: Sequence[str], others: Sequence[Wild | Fuzzy | Stem], spend: Callable[[int], None]
) -> Callable[[_Text], Sequence[int]]:
    """How the places of single words are found: the way that takes least."""
    beginnings = tuple(part.pattern[:-1] for part in others if isinstance(part, Wild) and _is_beginning(part))
    wanted = frozenset(words)
    if len(words) == 1 and not others:
        word = words[0]
        return lambda text: (
            [at for at, found in enumerate(text.words) if found == word]
            if text.noted is None
            else text.noted.get(word, ())
        )
    if not others:
        return lambda text: [at for at, found in enumerate(text.words) if found in wanted]
    if len(beginnings) == len(others) <= _FEW:
        if not words:
            return lambda text: [at for at, found in enumerate(text.words) if found.startswith(beginnings)]
        return lambda text: [
            at for at, found in enumerate(text.words) if found in wanted or found.startswith(beginnings)
        ]
    known = _Known(others, spend)
    return lambda text: [at for at, found in enumerate(text.words) if found in wanted or known[found]]


class _Sigils(_Part):
    """A hashtag, a mention or an address; some have no word, and so no place."""

    def __init__(self, part: Tag | Mention | Address) -> None:
        self._meets = meeting(part)

    def spans(self, text: _Text) -> set[Span]:
        return {
            (one.first, one.last - 1) for one in text.sigils if one.last > one.first and self._meets(one.text)
        }

    def met(self, text: _Text) -> bool:
        return any(self._meets(one.text) for one in text.sigils)


# ---- several words -------------------------------------------------------------------------------


class _Row(_Part):
    """Each part directly after the one before."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._parts = parts
        self._single = [part.at for part in parts if isinstance(part, _Single)]
        self._plain = len(self._single) == len(parts)
        self.needs = next((part.needs for part in parts if part.needs is not None), None)

    def _last(self, text: _Text) -> Sequence[int]:
        """Where the last word stands, where each part is a single one."""
        found = self._single[0](text)
        for at in self._single[1:]:
            if not found:
                break
            following = frozenset(at(text))
            found = [place + 1 for place in found if place + 1 in following]
        return found

    def met(self, text: _Text) -> bool:
        return bool(self._last(text) if self._plain else self.spans(text))

    def ends(self, text: _Text) -> set[int]:
        return set(self._last(text)) if self._plain else super().ends(text)

    def starts(self, text: _Text) -> set[int]:
        return {start for start, _ in self.spans(text)}

    def spans(self, text: _Text) -> set[Span]:
        if self._plain:
            before = len(self._parts) - 1
            return {(last - before, last) for last in self._last(text)}
        first, *rest = self._parts
        found = first.spans(text)
        for part in rest:
            if not found:
                break
            ends: dict[int, list[int]] = {}
            for start, end in part.spans(text):
                ends.setdefault(start, []).append(end)
            found = {(start, last) for start, end in found for last in ends.get(end + 1, ())}
        return found


class _Pair(_Part):
    """Two spans near one another; in either order, or the left one first."""

    def __init__(
        self, within: int, left: _Part, right: _Part, spend: Callable[[int], None], *, either: bool
    ) -> None:
        self._within, self._left, self._right, self._spend, self._either = within, left, right, spend, either
        self.needs = left.needs or right.needs

    def _orders(self) -> Iterator[tuple[_Part, _Part]]:
        yield self._left, self._right
        if self._either:
            yield self._right, self._left

    def spans(self, text: _Text) -> set[Span]:
        one, other = self._left.spans(text), self._right.spans(text)
        found = self._joined(one, other) if one and other else set()
        return found | self._joined(other, one) if self._either and one and other else found

    def _joined(self, earlier: set[Span], later: set[Span]) -> set[Span]:
        ordered = sorted(later)
        starts = [start for start, _ in ordered]
        found: set[Span] = set()
        for start, end in earlier:
            begin, stop = bisect_right(starts, end), bisect_right(starts, end + self._within)
            self._spend(stop - begin)
            found.update((start, last) for _, last in ordered[begin:stop])
        return found

    def starts(self, text: _Text) -> set[int]:
        found: set[int] = set()
        for earlier, later in self._orders():
            begins = sorted(later.starts(text))
            if begins:
                if isinstance(earlier, _Single):
                    found.update(at for at in earlier.at(text) if _between(begins, at, at + self._within))
                else:
                    found.update(
                        start
                        for start, end in earlier.spans(text)
                        if _between(begins, end, end + self._within)
                    )
        return found

    def ends(self, text: _Text) -> set[int]:
        found: set[int] = set()
        for earlier, later in self._orders():
            stops = sorted(earlier.ends(text))
            if stops:
                if isinstance(later, _Single):
                    found.update(
                        at for at in later.at(text) if _between(stops, at - self._within - 1, at - 1)
                    )
                else:
                    found.update(
                        end
                        for start, end in later.spans(text)
                        if _between(stops, start - self._within - 1, start - 1)
                    )
        return found

    def met(self, text: _Text) -> bool:
        if isinstance(self._left, _Single) and isinstance(self._right, _Single):
            return self._singles_met(self._left.at(text), text, self._right)
        for earlier, later in self._orders():
            ends = earlier.ends(text)
            begins = sorted(later.starts(text)) if ends else []
            if begins and any(_between(begins, end, end + self._within) for end in ends):
                return True
        return False

    def _singles_met(self, ones: Sequence[int], text: _Text, right: _Single) -> bool:
        others = right.at(text) if ones else ()
        if not others:
            return False
        for one in ones:
            after = bisect_right(others, one)
            if after < len(others) and others[after] <= one + self._within:
                return True
            before = bisect_left(others, one) - 1
            if self._either and before >= 0 and others[before] >= one - self._within:
                return True
        return False


def _between(ordered: Sequence[int], above: int, most: int) -> bool:
    """Whether any of these stands above `above` and is `most` at most."""
    at = bisect_right(ordered, above)
    return at < len(ordered) and ordered[at] <= most


class _Any(_Part):
    """Any of several parts: those are read whose needed word a text has."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._needing: dict[str, list[_Part]] = {}
        self._others: list[_Part] = []
        for part in parts:
            if part.needs is None or len(parts) <= _FEW:
                self._others.append(part)
            else:
                self._needing.setdefault(part.needs, []).append(part)

    def _read(self, text: _Text) -> Iterator[_Part]:
        yield from self._others
        if self._needing:
            for word in text.places():
                yield from self._needing.get(word, ())

    def spans(self, text: _Text) -> set[Span]:
        return set[Span]().union(*(part.spans(text) for part in self._read(text)))

    def starts(self, text: _Text) -> set[int]:
        return set[int]().union(*(part.starts(text) for part in self._read(text)))

    def ends(self, text: _Text) -> set[int]:
        return set[int]().union(*(part.ends(text) for part in self._read(text)))

    def met(self, text: _Text) -> bool:
        return any(
            bool(part.spans(text)) if isinstance(part, _Sigils) else part.met(text)
            for part in self._read(text)
        )
