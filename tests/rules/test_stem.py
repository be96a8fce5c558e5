"""Both stemmers make the same stems, so that a question means the same wherever it is asked."""

from __future__ import annotations

import gzip
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.index import stem as stemming
from app.index.analyser import words
from app.index.stem import native, plain, stem

ONE = plain()
OTHER = native()
WORDS = [
    "closed",
    "closing",
    "closes",
    "close",
    "roads",
    "flooding",
    "floods",
    "generously",
    "skis",
    "dying",
    "idly",
    "gently",
    "ugly",
    "early",
    "only",
    "singly",
    "inning",
    "outing",
    "canning",
    "herring",
    "earring",
    "proceed",
    "exceed",
    "succeed",
    "relational",
    "conditional",
    "rational",
    "valenci",
    "hopeful",
    "goodness",
    "electrical",
    "formative",
    "adjustable",
    "defensible",
    "irritant",
    "replacement",
    "communism",
    "effective",
    "bowdlerize",
    "probate",
    "rate",
    "cease",
    "controll",
    "roll",
    "happy",
    "sky",
    "say",
    "youth",
    "boy",
    "boyish",
    "skies",
    "dies",
    "lies",
    "news",
    "howe",
    "atlas",
    "cosmos",
    "bias",
    "andes",
    "y",
    "yy",
    "yes",
    "_x",
    "x1",
    "50",
    "straße",
    "naïve",
    "café",
    "警察",
    "😂",
    "हिन्दी",
]


@pytest.mark.skipif(OTHER is None, reason="the native library is not installed")
def test_both_make_the_same_stems_of_known_words():
    assert OTHER is not None
    assert [ONE(word) for word in WORDS] == [OTHER(word) for word in WORDS] == [stem(word) for word in WORDS]
    assert stem("closed") == stem("closing") != stem("closet")


@pytest.mark.skipif(OTHER is None, reason="the native library is not installed")
@settings(deadline=None)
@given(st.text(alphabet="aeiouybdglmnrstvsingedly_1", min_size=1, max_size=24))
def test_both_make_the_same_stems_of_whatever_looks_like_a_word(word):
    assert OTHER is not None
    assert ONE(word) == OTHER(word)


@pytest.mark.skipif(OTHER is None, reason="the native library is not installed")
def test_both_make_the_same_stems_of_the_words_that_people_write(shared):
    assert OTHER is not None
    found: set[str] = set()
    with gzip.open(shared / "corpus" / "sample-100k.observations.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            found.update(words(json.loads(line)["text"]))
            if len(found) > 10_000:
                break
    assert len(found) > 10_000
    assert not [word for word in found if ONE(word) != OTHER(word)]


def test_without_the_native_library_the_other_takes_its_place(monkeypatch):
    monkeypatch.setitem(sys.modules, "tantivy", None)
    assert native() is None
    stemming._chosen.cache_clear()
    try:
        assert stemming._chosen()("closing") == "close"
    finally:
        stemming._chosen.cache_clear()
