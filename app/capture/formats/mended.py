r"""Texts that a download wrote with their encoding broken: UTF-8 whose every byte became a character of its own.

Facebook and Instagram write `caf\\u00c3\\u00a9` where a page said *café*; newer
downloads hold texts that are right beside such ones. So each text is judged by
itself:

1. A text whose characters above ASCII are, all of them, UTF-8 told byte by
   byte is read as that. Right texts come out so only by the rarest chance.
   Where the chance is known (a capital or ß that ends a word, and behind it a
   quotation mark, a hard space or a degree sign), the text is left.
2. Any other text was written properly, at least in part. Bytes are put
   together in it only where there are control characters among them, which
   nobody types; the rest is what its writer wrote, *cafÃ©* included.

It is put right once, never twice, and its bytes are kept as they were.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SEQUENCE = re.compile(
    "[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}",
)
"""A character of UTF-8, told byte by byte."""
_CONTROL = re.compile("[\x80-\x9f]")
_RIGHT = re.compile(
    "(?:(?<=[A-Z])[\xc6-\xde]|(?<=[A-Za-z])\xdf)[\xa0\xaa\xab\xae\xb0\xb2-\xb4\xb7\xb9-\xbb](?![^\\W_])"
    "|(?<=[A-Za-z])[\xe0-\xef][\xa0\xab\xae\xb0\xb2-\xb4\xb7\xbb]{2}(?![^\\W_])"
    "|(?<=[0-9])\xd7[\xa0\xb2\xb3\xbc-\xbe](?=[0-9\\s]|$)"
)
"""Where right texts look like bytes: *CAFÉ»*, *Spaß«*, *déjà\xa0»*, *3×\xa04*."""


@dataclass(slots=True)
class Mended:
    """Reads texts; `texts` counts those that were put right, `doubtful` those in which control characters are left."""

    texts: int = 0
    doubtful: int = 0

    def text(self, value: str) -> str:
        """The text as its writer wrote it."""
        if value.isascii():
            return value
        told = _put_right(value)
        self.texts += told != value
        self.doubtful += _CONTROL.search(told) is not None
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


def _put_right(value: str) -> str:
    try:
        whole = value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return _SEQUENCE.sub(_character, value)
    return value if _RIGHT.search(value) and not _CONTROL.search(value) else whole


def _character(found: re.Match[str]) -> str:
    """The character that these bytes are, if nobody can have typed them."""
    if not _CONTROL.search(found[0]):
        return found[0]
    try:
        return found[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return found[0]
