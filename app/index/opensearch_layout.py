"""How documents lie in an OpenSearch index: its settings, its mapping, and one version as the JSON that is sent.

Words arrive divided: the cluster is given our analyser's words with spaces
between them and divides at those, so that it never decides what a word is.
Each place of a version (its text, the text of pictures, attachments) has
fields of its own, and each passage is a value of its own, so far from the
next that no phrase and no proximity reaches across.

The mapping is strict: a field that it does not name is an error, never a
guess. Numbers that must be exact are `long`; the cluster's own aggregations
over them go through floating point and are not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.index import analyser
from app.index.documents import PLACES, Document
from app.index.engine import UNDATED, folded, microseconds
from app.index.spans import Placed, Words
from app.index.stem import stem

FORMAT = "opensearch-1"
"""Raised whenever documents are laid down otherwise; an index of another format must be rebuilt."""

VERSION_BITS = 24
LONGEST_WORD = 8_000
"""A word of more letters may exceed what Lucene takes as one term (32,766 bytes); its text is judged apart."""
LONGEST_VALUE = 1_000
GAP = 100_000
"""How far one passage lies from the next, in words."""
MOST_PASSAGES = 10_000
"""More than these would come near the last place that Lucene can number; such a document is judged apart."""
MOST_TERMS = 65_536
MOST_HITS = 10_000
DATED = -(2**60)
"""Before every date, and far after what stands for none: also where somebody on the way reads numbers as floating point."""
UNDATED_LAST = 2**62
"""What an undated document is sorted by where the oldest come first."""

SHOWN = ("page", "platform", "author", "lang", "kind", "state", "origin")
"""What hits are counted by, as people are shown it."""


def settings(*, shards: int, replicas: int) -> dict[str, Any]:
    """The settings of an index. Nothing is found before it is refreshed, and only a commit refreshes."""
    return {
        "index": {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            "refresh_interval": "-1",
            "max_terms_count": MOST_TERMS,
            "max_result_window": MOST_HITS,
            # Expunging otherwise leaves a segment alone of which less than a tenth was removed.
            "merge": {"policy": {"expunge_deletes_allowed": 0}},
            "analysis": {
                "tokenizer": {
                    # One that splits words at 255 letters unless it is told not to.
                    "divided": {
                        "type": "whitespace",
                        "max_token_length": 2 * LONGEST_WORD + 2,
                    }
                },
                "analyzer": {"divided": {"type": "custom", "tokenizer": "divided"}},
            },
        }
    }


def mapping(engine: str) -> dict[str, Any]:
    """The mapping of an index, with how it was made in `_meta`."""
    whole = {"type": "keyword", "doc_values": False}
    shown = {"type": "keyword", "index": False}
    place = {
        "dynamic": "strict",
        "properties": {
            "words": {"type": "text", "analyzer": "divided", "norms": False, "position_increment_gap": GAP},
            "sigils": whole,
            "stems": whole,
        },
    }
    number, yes = {"type": "long"}, {"type": "boolean"}
    return {
        "dynamic": "strict",
        "_meta": {"engine": engine, "format": FORMAT, "analyser": analyser.VERSION},
        "properties": {
            "key": number,  # record and version in one number
            "record": number,
            "born": number,  # the commit that put it in, and the one that took it out
            "died": number,
            "published": number,
            "published_last": number,
            "captured": number,
            "current": yes,
            "private": yes,
            "media": yes,
            "apart": yes,
            **dict.fromkeys(("page", "platform", "author", "lang", "kind", "state", "origin"), whole),
            **dict.fromkeys(("places", "lacks"), whole),
            **{f"{name}_shown": shown for name in SHOWN},
            **dict.fromkeys(PLACES, place),
            "kept": {"type": "object", "enabled": False},
            "control": {"type": "object", "enabled": False},
        },
    }


def identity(document: Document, born: int) -> str:
    """Under which name a document is kept: sent twice in one commit it is one, and it replaces none of an earlier one."""
    return f"{document.record}.{document.version}.{born}"


def key_of(document: Document) -> int:
    return document.record << VERSION_BITS | document.version


def laid(document: Document, *, current: bool, born: int) -> dict[str, Any]:
    """A version as it is sent."""
    published = document.published_at
    passages = list(_passages(document))
    apart = len(passages) > MOST_PASSAGES or any(_has_long_word(analysis) for _, analysis in passages)
    words: dict[str, list[str]] = {}
    lines: dict[str, list[str]] = {}
    for place, analysis in passages:
        words.setdefault(place, []).append(analysis.words)
        lines.setdefault(place, []).append(
            "\n".join([f"{sigil.first} {sigil.last} {sigil.text}" for sigil in analysis.sigils])
        )
    kept: dict[str, Any] = {"sigils": {place: some for place, some in lines.items() if any(some)}}
    if apart:
        kept["words"] = words
    made: dict[str, Any] = {
        "key": key_of(document),
        "record": document.record,
        "born": born,
        "published": UNDATED if published is None else microseconds(published),
        "published_last": UNDATED_LAST if published is None else microseconds(published),
        "captured": microseconds(document.captured_at),
        "current": current,
        "private": document.private,
        "media": document.media,
        "apart": apart,
        "page": sorted({bounded(folded(document.page)), bounded(folded(document.page_name))}),
        "platform": bounded(folded(document.platform)),
        "author": sorted({bounded(folded(author)) for author in document.author}),
        "kind": document.kind,
        "state": document.state,
        "origin": document.origin,
        "places": sorted({passage.place for passage in document.passages}),
        "lacks": ["any", *document.lacks] if document.lacks else [],
        "page_shown": _shown(document.page_name or document.page),
        "platform_shown": _shown(document.platform),
        "kind_shown": document.kind,
        "state_shown": document.state,
        "origin_shown": document.origin,
        "kept": kept,
    }
    if document.author:
        made["author_shown"] = _shown(document.author[-1])
    if document.language:
        made["lang"] = bounded(folded(document.language))
        made["lang_shown"] = _shown(document.language)
    if not apart:
        for place, texts in words.items():
            different = sorted({word for text in texts for word in text.split()})
            made[place] = {
                "words": texts,
                "sigils": sorted(
                    {sigil.text for where, one in passages if where == place for sigil in one.sigils}
                ),
                "stems": sorted({stem(word) for word in different}),
            }
    return made


def _passages(document: Document) -> Iterator[tuple[str, analyser.Analysis]]:
    yield "text", analyser.analyse(document.text)
    for passage in document.passages:
        yield passage.place, analyser.analyse(passage.text)


def told(source: Mapping[str, Any], *, with_sigils: bool) -> Sequence[Placed]:
    """The words of each passage of a version, as the judge reads them, from what was kept of it."""
    kept = source.get("kept", {})
    words: Mapping[str, Sequence[str]] = kept.get("words") or {
        place: source[place]["words"] for place in PLACES if place in source
    }
    found: list[Placed] = []
    for place, texts in words.items():
        lines = kept.get("sigils", {}).get(place) if with_sigils else None
        for text, some in zip(texts, lines or [""] * len(texts), strict=True):
            found.append((place, Words(text.split(), [_sigil(line) for line in some.split("\n") if line])))
    return found


KEPT = ("kept", *(f"{place}.words" for place in PLACES))
"""What of a document must be fetched so that it can be judged."""


def _sigil(line: str) -> analyser.Sigil:
    first, last, text = line.split(" ", 2)
    return analyser.Sigil(text, int(first), int(last))


def _has_long_word(analysis: analyser.Analysis) -> bool:
    if len(analysis.words) > LONGEST_WORD and max(map(len, analysis.words.split()), default=0) > LONGEST_WORD:
        return True
    return any(len(sigil.text) > LONGEST_WORD for sigil in analysis.sigils)


def bounded(value: str) -> str:
    """A folded value; one that is too long for one term is known by its beginning and its digest."""
    if len(value) <= LONGEST_VALUE:
        return value
    return value[:100] + hashlib.sha256(value.encode()).hexdigest()


def _shown(value: str) -> str:
    return value[:LONGEST_VALUE].encode("utf-8", "replace").decode()
