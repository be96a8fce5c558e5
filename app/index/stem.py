"""The stem of an English word, as Snowball's second English stemmer makes it.

Two programs make the same stems. The one that comes with the first engine is
thirty times as quick and a native library; where that cannot be installed, the
one that Snowball itself publishes, in plain Python, takes its place. A test
holds them against one another: a question means the same with either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache

from snowballstemmer.english_stemmer import EnglishStemmer  # type: ignore[import-untyped] # it brings no types

_one = threading.Lock()


def plain() -> Callable[[str], str]:
    """The stemmer in plain Python. It works on one word at a time, whoever asks."""
    stemmer = EnglishStemmer()

    def stemmed(word: str) -> str:
        with _one:
            return str(stemmer.stemWord(word))

    return stemmed


def native() -> Callable[[str], str] | None:
    """The stemmer of the first engine; None where that is not installed."""
    try:
        from tantivy import Filter, TextAnalyzerBuilder, Tokenizer  # noqa: PLC0415 - it may not be there
    except ImportError:
        return None
    analyser = TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer("english")).build()

    def stemmed(word: str) -> str:
        found = analyser.analyze(word)
        return found[0] if found else word

    return stemmed


@lru_cache(maxsize=1)
def _chosen() -> Callable[[str], str]:
    return native() or plain()


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of a word that is already as the analyser makes it."""
    return _chosen()(word)
