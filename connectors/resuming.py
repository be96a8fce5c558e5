"""Files that break off on the way: how the rest is asked for, and whether what comes is the rest of the same file.

Only a file that its server tells apart from every other one, by a strong
validator, is asked for from where it broke off (RFC 9110, sections 8.8, 13.1.5
and 14). What comes then begins a little before that place, or at the beginning
where the server knows no ranges: bytes that came before must come again alike.
So a file is never put together from two.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Self

from connectors.contract import Exchange

_OVERLAP = 1024
"""So many bytes are asked for once more, to see that they are the same."""

_STRONG = re.compile(r'"[^"]*"')
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_LENGTH = re.compile(r"\d{1,18}")
_SETTLED = timedelta(minutes=1)
"""So long before the answer a file must have been changed last, so that the time tells it from a later one."""


class NotTheRest(Exception):
    """What came is not the rest of the file, or nobody can tell."""


@dataclass(slots=True)
class Came:
    """What came of a file so far: as much of it as is needed to know its rest."""

    validator: str | None
    etag: str | None
    total: int | None
    count: int = 0
    _all: hashlib._Hash = field(default_factory=hashlib.sha256)
    _last: bytes = b""

    @classmethod
    def of(cls, head: Exchange) -> Self:
        """Nothing yet of the file that begins with this head."""
        length = head.header("Content-Length") or ""
        return cls(
            validator=_validator(head) if head.status == 200 else None,
            etag=head.header("ETag"),
            total=int(length) if _LENGTH.fullmatch(length) else None,
        )

    def add(self, chunk: bytes) -> None:
        self.count += len(chunk)
        if self.validator is not None:
            self._all.update(chunk)
            self._last = (self._last + chunk)[-_OVERLAP:]

    def asks(self) -> dict[str, str]:
        """The headers that ask for the rest; none where it cannot be asked for."""
        if self.validator is None or self.count == 0:
            return {}
        return {"Range": f"bytes={self.count - len(self._last)}-", "If-Range": self.validator}

    def rest(self, head: Exchange, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The bytes that are new in this answer; `NotTheRest` before any of them that might be another file's."""
        if head.status == 206:
            self._same_range(head)
            again, known = len(self._last), hashlib.sha256(self._last)
        elif head.status == 200:
            again, known = self.count, self._all.copy()
        else:
            raise NotTheRest(f"the rest of it is answered with {head.status}")
        seen = hashlib.sha256()
        for chunk in chunks:
            before = chunk[:again]
            again -= len(before)
            seen.update(before)
            if again == 0 and before and seen.digest() != known.digest():
                raise NotTheRest("another file came in its place when the rest of it was asked for")
            if new := chunk[len(before) :]:
                yield new
        if again:
            raise NotTheRest("less than came before came when the rest of it was asked for")

    def _same_range(self, head: Exchange) -> None:
        begins = self.count - len(self._last)
        told = _RANGE.fullmatch(head.header("Content-Range") or "")
        if told is None or int(told[1]) != begins:
            raise NotTheRest("another part than the rest of it came")
        total = None if told[3] == "*" else int(told[3])
        if total is not None and int(told[2]) != total - 1:
            raise NotTheRest("a part of the rest of it came")
        if None not in (total, self.total) and total != self.total:
            raise NotTheRest("the rest of a file of another length came")
        if self.etag != (head.header("ETag") or self.etag):
            raise NotTheRest("the rest of another file came")


def _validator(head: Exchange) -> str | None:
    """What tells a file from every other one at its address; None where the server tells nothing of the kind."""
    etag = head.header("ETag")
    if etag is not None:
        return etag if _STRONG.fullmatch(etag) else None
    changed, answered = head.header("Last-Modified"), head.header("Date")
    try:
        apart = parsedate_to_datetime(answered or "") - parsedate_to_datetime(changed or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return changed if apart >= _SETTLED else None
