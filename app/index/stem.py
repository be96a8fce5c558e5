"""The stem of an English word, as Snowball's second English stemmer makes it."""

from __future__ import annotations

from functools import lru_cache

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer


@lru_cache(maxsize=1)
def _stemmer() -> TextAnalyzer:
    return TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer("english")).build()


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of a word that is already as the analyser makes it."""
    found = _stemmer().analyze(word)
    return found[0] if found else word
