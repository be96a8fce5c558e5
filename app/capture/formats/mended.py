r"""Texts that a download wrote with its encoding broken: UTF-8 whose every byte became a character of its own.

Facebook writes `caf\\u00c3\\u00a9` where a page said *café*. Whether a file is
broken so is decided for the whole file: one character beyond U+00FF shows that
it was written properly, and then nothing in it is touched. The bytes are kept
as they were in any case.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Mended:
    """Reads the texts of one file; `texts` counts those that were put right, `doubtful` those that could not be."""

    broken: bool
    texts: int = 0
    doubtful: int = 0

    def text(self, value: str) -> str:
        """The text as its writer wrote it."""
        if not self.broken or value.isascii():
            return value
        try:
            told = value.encode("latin-1").decode("utf-8")
        except UnicodeError:
            self.doubtful += 1
            return value
        self.texts += 1
        return told

    def value(self, value: object) -> object:
        """The same for every text inside a JSON value, names included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(str(name)): self.value(item) for name, item in value.items()}
        return value


def is_broken(value: object) -> bool:
    """Whether the texts of a file are broken: all of them above ASCII are UTF-8 told byte by byte, and none reaches further."""
    found = False
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if one.isascii():
                continue
            try:
                one.encode("latin-1").decode("utf-8")
                found = True
            except UnicodeEncodeError:
                return False
            except UnicodeDecodeError:
                continue
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
    return found
