"""Questions in OpenSearch's own language: exact where that is exact, and otherwise a superset that is judged.

Nothing here asks anybody; what it writes is plain JSON. A part of a question
that stands in a text is *native* where the cluster's answer is the answer by
definition: words, wildcards, stems, sigils, phrases of words, and proximity
of two different words. Everything else is relaxed to the texts that have its
parts at all, and `spans` decides.

Three things that the cluster offers are not what they seem, and are not used
as they come. Its proximity of groups misses hits and finds what is none. It
takes only the best of the words that are like another one, unless it is told
to rewrite them to a constant. And it cannot tell what is like a very long
word; there some piece of the word is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeAlias

from app.index.documents import PLACES
from app.index.engine import UNDATED, QueryNotSupported, Scope, folded, instants
from app.index.judging import FIELDS
from app.index.keys import Keys
from app.index.opensearch_layout import (
    DATED,
    GAP,
    LONGEST_VALUE,
    LONGEST_WORD,
    MOST_TERMS,
    VERSION_BITS,
    bounded,
)
from app.index.printer import show
from app.index.stem import stem
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
    everything_in,
)

Query: TypeAlias = dict[str, Any]
"""A query as JSON."""

Judge: TypeAlias = Callable[[Tree, Query], Sequence[int]]
"""Reads the words of every candidate and gives the keys of those that meet a tree."""

EVERYTHING: Query = {"match_all": {}}
NOTHING: Query = {"term": {"key": {"value": -1}}}
"""No document has that key. What says outright that it finds nothing is not sent to shards, and such an answer
could not be told from one that lacks them."""
_LONGEST_FUZZY = 40
"""Lucene gives up at about 220 bytes; letters have four at most."""
_MOST_WORDS = 64
"""Words on either side of a proximity that the cluster answers; of more, every candidate is judged."""


# ---- putting queries together ----------------------------------------------------------------------


def term(field: str, value: str | int | bool) -> Query:
    return {"term": {field: {"value": value}}}


def one_of(field: str, values: Iterable[int | str]) -> Query:
    """Whatever has one of these values, however many they are."""
    remaining = iter(values)
    parts: list[Query] = []
    while part := list(islice(remaining, MOST_TERMS)):
        parts.append({"terms": {field: part}})
    return any_of(*parts)


def within(field: str, **bounds: int) -> Query:
    return {"range": {field: bounds}} if bounds else EVERYTHING


def all_of(*queries: Query, but_not: Sequence[Query] = ()) -> Query:
    if len(queries) == 1 and not but_not:
        return queries[0]
    joined: Query = {"filter": list(queries or [EVERYTHING])}  # a lone exclusion stands beside everything
    if but_not:
        joined["must_not"] = list(but_not)
    return {"bool": joined}


def any_of(*queries: Query) -> Query:
    if not queries:
        return NOTHING
    return queries[0] if len(queries) == 1 else {"bool": {"should": list(queries), "minimum_should_match": 1}}


def check_known(tree: Tree) -> None:
    """Raise `QueryNotSupported` where a question names a fact that versions do not have."""
    for part in everything_in(tree):
        if isinstance(part, Field) and part.name not in FIELDS:
            raise QueryNotSupported(show(part), f"it does not know the {part.name} of a record")


# ---- whole questions -------------------------------------------------------------------------------


def visible(scope: Scope) -> Query:
    """What the asker may read at all."""
    return EVERYTHING if scope.messages else all_of(but_not=[term("private", value=True)])


class Compiler:
    """Compiles questions for one asker. Every query that it gives is exact.

    `judge` decides what the cluster cannot, and `any_apart` says whether there
    are documents whose words the cluster never took.
    """

    def __init__(self, scope: Scope, judge: Judge, *, any_apart: bool) -> None:
        self.scope = scope
        self.judge = judge
        self.any_apart = any_apart

    def query(self, tree: Tree, context: Query) -> Query:
        """What meets `tree`, exact within `context`, which the caller joins to it."""
        match tree:
            case All():
                return EVERYTHING
            case And(parts):
                return self._and(parts, context)
            case Or(parts):
                return any_of(*(self.query(part, context) for part in parts))
            case Not(part):
                return all_of(but_not=[self.query(part, context)])
            case Field(name, value):
                return _fact(name, value)
            case Among(_, keys):
                return _among(keys)
            case Exactly(versions):
                keys_of = (record << VERSION_BITS | number for record, number in sorted(versions))
                return one_of("key", keys_of)
            case DateRange():
                return self._between("published", tree, least=DATED)
            case CapturedRange():
                return self._between("captured", tree, least=None)
            case _:
                return self._text(tree, context)

    def _and(self, parts: Sequence[Tree], context: Query) -> Query:
        """What the cluster answers by itself comes first and narrows what must be judged."""
        required: list[Query] = []
        excluded: list[Query] = []
        for part in sorted(parts, key=must_be_judged):
            judged = must_be_judged(part)
            narrowed = all_of(context, *required, but_not=excluded) if judged else context
            if isinstance(part, Not):
                excluded.append(self.query(part.part, narrowed))
            else:
                required.append(self.query(part, narrowed))
        return all_of(*required, but_not=excluded)

    def _between(self, field: str, days: DateRange | CapturedRange, *, least: int | None) -> Query:
        begin, end = instants(days, self.scope.zone)
        known = [bound for bound in (begin, least) if bound is not None]
        bounds = {"gte": max(known)} if known else {}
        return within(field, **bounds, **({} if end is None else {"lt": end}))

    def _text(self, tree: Tree, context: Query) -> Query:
        found = native(tree)
        if found is None:
            found = one_of("key", self.judge(tree, all_of(superset(tree), context)))
        if self.any_apart:
            apart = self.judge(tree, all_of(term("apart", value=True), context))
            found = any_of(found, one_of("key", apart))
        return found


def _fact(name: str, value: str) -> Query:
    match name, value:
        case "version", _:
            return term("current", value=True)
        case "has", "media":
            return term("media", value=True)
        case "has", "date":
            return all_of(but_not=[term("published", UNDATED)])
        case "has", place:
            return term("places", place)
        case "unsearchable", lack:
            return term("lacks", lack)
        case (("kind" | "state" | "origin"), _):
            return term(name, value)
        case _:
            return term(name, bounded(folded(value)))


def _among(keys: Keys) -> Query:
    """The records of a set; where it is most of them, all but the rest."""
    end = keys.bits.bit_length()
    if not keys or len(keys) * 2 < end:
        return one_of("record", keys)
    rest = Keys((1 << end) - 1) - keys
    return all_of(within("record", lt=end), but_not=[one_of("record", rest)])


def must_be_judged(tree: Tree) -> bool:
    """Whether something in a question can only be decided by reading words."""
    return any(isinstance(part, Phrase | Near | Pre) and native(part) is None for part in everything_in(tree))


# ---- what stands in a text -------------------------------------------------------------------------


def native(tree: Tree, places: Sequence[str] = PLACES) -> Query | None:
    """What the cluster answers exactly by itself, documents that are judged apart aside; None where it cannot."""
    match tree:
        case In(place, part):
            return native(part, (place,))
        case Or(parts):
            natives = [native(part, places) for part in parts]
            found = [one for one in natives if one is not None]
            return any_of(*found) if len(found) == len(natives) else None
        case Phrase(parts):
            words = [part.word for part in parts if isinstance(part, Term)]
            if len(words) != len(parts):
                return None
            if any(len(word) > LONGEST_WORD for word in words):
                return NOTHING
            return _in_each(places, lambda place: _phrase(place, words))
        case Near(distance, left, right) | Pre(distance, left, right):
            ones, others = _plain_words(left), _plain_words(right)
            if not ones or not others or set(ones) & set(others) or distance >= GAP:
                return None
            ordered = isinstance(tree, Pre)
            return _in_each(places, lambda place: _proximity(place, ones, others, distance, ordered=ordered))
        case Fuzzy(word) if len(word) > _LONGEST_FUZZY:
            return None
        case Term() | Wild() | Fuzzy() | Stem() | Tag() | Mention() | Address():
            return _in_each(places, lambda place: _single(tree, place))
        case _:
            return None


def superset(tree: Tree, places: Sequence[str] = PLACES) -> Query:
    """What the cluster answers exactly, or else every text that has the parts at all."""
    found = native(tree, places)
    if found is not None:
        return found
    match tree:
        case In(place, part):
            return superset(part, (place,))
        case Or(parts):
            return any_of(*(superset(part, places) for part in parts))
        case Phrase(parts):
            return all_of(*(superset(part, places) for part in parts))
        case Near(_, left, right) | Pre(_, left, right):
            return all_of(superset(left, places), superset(right, places))
        case Fuzzy(word, letters):
            return _in_each(places, lambda place: _with_a_piece_of(f"{place}.words", word, letters))
        case _:
            raise TypeError(f"{type(tree).__name__} has no place in a text")


def _in_each(places: Sequence[str], written: Callable[[str], Query]) -> Query:
    queries = [written(place) for place in places]
    return NOTHING if NOTHING in queries else any_of(*queries)


def _single(tree: Tree, place: str) -> Query:
    words, sigils = f"{place}.words", f"{place}.sigils"
    match tree:
        case Term(word):
            return _known(words, word)
        case Wild(pattern):
            return _pattern(words, pattern)
        case Fuzzy(word, letters):
            return _fuzzy(words, word, letters)
        case Stem(word):
            return _known(f"{place}.stems", stem(word))
        case Tag(name):
            return _pattern(sigils, f"#{name}")
        case Mention(name):
            return _pattern(sigils, f"@{name}")
        case Address(text, False):
            return _known(sigils, text)
        case Address(text, _):
            return {"prefix": {sigils: {"value": text, "rewrite": "constant_score"}}}
        case _:
            raise TypeError(f"{type(tree).__name__} stands at no single place")


def _known(field: str, value: str) -> Query:
    """A word; one that the cluster never took whole is only found by judging."""
    return term(field, value) if len(value) <= LONGEST_WORD else NOTHING


def _pattern(field: str, pattern: str) -> Query:
    if "*" not in pattern and "?" not in pattern:
        return _known(field, pattern)
    if len(pattern) > LONGEST_VALUE:
        raise QueryNotSupported(pattern[:60], f"a pattern has at most {LONGEST_VALUE} characters")
    return {"wildcard": {field: {"value": pattern.replace("\\", "\\\\"), "rewrite": "constant_score"}}}


def _fuzzy(field: str, word: str, letters: int) -> Query:
    return {
        "fuzzy": {
            field: {
                "value": word,
                "fuzziness": letters,
                "prefix_length": 0,
                "transpositions": True,
                "rewrite": "constant_score",
            }
        }
    }


def _with_a_piece_of(field: str, word: str, letters: int) -> Query:
    """Every neighbour of a long word: a change touches two letters at most, so that a piece of the word stays whole."""
    count = 2 * letters + 1
    length = len(word) // count
    pieces = [word[number * length : (number + 1) * length] for number in range(count)]
    return any_of(*(_pattern(field, f"*{piece}*") for piece in dict.fromkeys(pieces)))


def _phrase(place: str, words: Sequence[str]) -> Query:
    text = " ".join(words)
    return {"match_phrase": {f"{place}.words": {"query": text, "analyzer": "divided", "slop": 0}}}


def _plain_words(tree: Tree) -> list[str]:
    match tree:
        case Term(word) if len(word) <= LONGEST_WORD:
            return [word]
        case Or(parts) if len(parts) <= _MOST_WORDS:
            words = [part.word for part in parts if isinstance(part, Term) and len(part.word) <= LONGEST_WORD]
            return words if len(words) == len(parts) else []
        case _:
            return []


def _proximity(
    place: str, ones: Sequence[str], others: Sequence[str], distance: int, *, ordered: bool
) -> Query:
    """Spans of one word each that are never the same word: what lies between them is all that there is to measure."""
    field = f"{place}.words"
    clauses = [_any_span(field, words) for words in (ones, others)]
    return {"span_near": {"clauses": clauses, "slop": distance - 1, "in_order": ordered}}


def _any_span(field: str, words: Sequence[str]) -> Query:
    spans: list[Query] = [{"span_term": {field: {"value": word}}} for word in words]
    return spans[0] if len(spans) == 1 else {"span_or": {"clauses": spans}}
