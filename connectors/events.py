"""Server-sent events (WHATWG HTML, section 9.2) as bytes: where one message ends, and the next begins.

A message is one event that bears data, from its first line to the empty line
that ends it, as it was on the wire. Comments, which servers send so that a
connection does not fall silent, stand between events and are no messages; nor
is an event without data, which the standard does not dispatch either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import httpx

from connectors.connections import BrokenOff

MEDIA_TYPE = "text/event-stream"

_LINE_ENDS = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def messages(chunks: Iterable[bytes], *, most: int) -> Iterator[bytes]:
    """The events of a stream, each as soon as it is whole; `BrokenOff` where the stream ends in the midst of one.

    A message of more than `most` bytes is `BrokenOff` as well.
    """
    reading = Reading(most)
    try:
        for chunk in chunks:
            yield from reading.feed(chunk)
    except httpx.TimeoutException:
        raise BrokenOff("was silent for too long", "time", reading.begun) from None
    except httpx.TransportError as fault:
        raise BrokenOff(f"broke off ({type(fault).__name__})", "disconnect", reading.begun) from None
    if reading.begun:
        raise BrokenOff("ended in the midst of a message", "disconnect", reading.begun)


class Reading:
    """Divides what comes into events, whatever the chunks that it comes in."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()
        self._line = 0
        """Where the line begins that is being read; before it stand the whole lines of an event."""
        self._looked = 0
        self._bears_data = self._returned = False
        self._first = True

    @property
    def begun(self) -> bytes:
        """What came of an event that is not whole yet."""
        held = bytes(self._held)
        return b"" if self._line == 0 and held[:1] in {b"", b":", b"\r"} else held

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events that are whole with `chunk`."""
        self._held += chunk
        if self._first and not self._without_mark():
            return
        while (end := self._end_of_line()) is not None:
            event = self._read_line(*end)
            if event is not None:
                if len(event) > self._most:
                    raise self._too_long(event)
                yield event
        if len(self._held) > self._most:
            raise self._too_long(bytes(self._held))

    def _without_mark(self) -> bool:
        """Take off the mark that may stand before everything else; False while it may still be coming."""
        if len(self._held) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(self._held):
            return False
        if self._held.startswith(_BYTE_ORDER_MARK):
            del self._held[: len(_BYTE_ORDER_MARK)]
        self._first = False
        return True

    def _end_of_line(self) -> tuple[int, int] | None:
        """Where the line's own bytes end, and where the next line begins; None while that is on its way."""
        found = _LINE_ENDS.search(self._held, max(self._line, self._looked))
        if found is None:
            self._looked = len(self._held)
            return None
        if found.group() == b"\r" and found.end() == len(self._held):
            # The other half of a CRLF may follow. An empty line is not held up for it where the line before
            # ended with CR alone: its message would come only with the next one.
            empty = found.start() == self._line
            if not empty or not self._returned or self._line == 0:
                self._looked = found.start()
                return None
        return found.start(), found.end()

    def _read_line(self, until: int, following: int) -> bytes | None:
        """Take one line; the event that it ends, if it bears data."""
        line = bytes(self._held[self._line : until])
        begun = self._line > 0
        if not begun and (not line or line.startswith(b":")):
            self._drop(following)
        elif line:
            self._bears_data = self._bears_data or line == b"data" or line.startswith(b"data:")
            self._returned = self._held[until:following] == b"\r"
            self._line = self._looked = following
        else:
            event, bears_data = bytes(self._held[:following]), self._bears_data
            self._drop(following)
            return event if bears_data else None
        return None

    def _drop(self, until: int) -> None:
        del self._held[:until]
        self._line = self._looked = 0
        self._bears_data = self._returned = False

    def _too_long(self, part: bytes) -> BrokenOff:
        return BrokenOff(f"sends a message of more than {self._most} bytes", "length", part[: self._most])
