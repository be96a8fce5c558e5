"""Where the items of a JSON body begin and end, byte for byte.

Every byte of evidence has an owner, so an observation names the bytes that it
was read from. msgspec divides a list or an object into its raw values; in a
JSON text only white space, commas and names stand between them, so walking
forward past those gives each value's exact place, however often the same bytes
occur. Where msgspec will not read what a platform sent (half an emoji as a lone
surrogate, a name given twice), a plain scanner finds the same places.

All functions are pure. Spans are half open: `body[start:end]` is the value,
without the white space around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

_SPACE = re.compile(rb"[ \t\r\n]*+")
_NAME = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|[^\s,:\[\]{}"]++', re.DOTALL)
_BOM = b"\xef\xbb\xbf"

_arrays = msgspec.json.Decoder(list[msgspec.Raw])
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])


class NotJson(ValueError):
    """The bytes are not the JSON that they should be. The connector says which answer that was."""


def document(body: bytes) -> tuple[int, int]:
    """The span of the one JSON value in `body`, without a byte-order mark or white space around it."""
    start = len(_BOM) if body.startswith(_BOM) else 0
    return _trimmed(body, start, len(body))


def array_items(body: bytes, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """The spans of the elements of the JSON array that stands at `body[start:end]`, in their order.

    `NotJson` where no array stands there. Elements are told apart by where
    they stand, so equal elements have spans of their own.
    """
    at, stop = _trimmed(body, start, len(body) if end is None else end)
    _expect(body, at, b"[")
    try:
        items = _arrays.decode(memoryview(body)[at:stop])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return [value for _, value in _scanned(body, at, stop)]
    spans: list[tuple[int, int]] = []
    at = _past_space(body, at + 1)
    for item in items:
        size = memoryview(item).nbytes
        spans.append((at, at + size))
        at = _past_space(body, _past_space(body, at + size) + 1)
    return spans


def object_members(body: bytes, span: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """The spans of the values of the JSON object at `span`, by name.

    A name given twice means its last value, as JSON readers commonly take it.
    `NotJson` where no object stands there.
    """
    start, stop = _trimmed(body, *span)
    _expect(body, start, b"{")
    try:
        values = _objects.decode(memoryview(body)[start:stop])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        values = {}
    return _walked(body, start, values) or {
        name: value for name, value in _scanned(body, start, stop) if name is not None
    }


def member(body: bytes, span: tuple[int, int], *path: str | int) -> tuple[int, int] | None:
    """The span of the value at `path` inside the JSON value at `span`; None where nothing stands there.

    A text in `path` names a member of an object, a number an element of an
    array (from the end when negative). A path through a value of another type
    leads nowhere: None. `NotJson` where the value itself cannot be read.
    """
    here: tuple[int, int] | None = _trimmed(body, *span)
    for step in path:
        if here is None:
            return None
        here = _step(body, here, step)
    return here


def items(body: bytes, *path: str | int) -> Iterator[tuple[int, int, bytes]]:
    """Each element of the array at `path` in `body`: where it begins, where it ends, and its bytes.

    Nothing where no array stands there.
    """
    here = member(body, document(body), *path)
    if here is None or body[here[0] : here[0] + 1] != b"[":
        return
    for start, end in array_items(body, *here):
        yield start, end, body[start:end]


def _step(body: bytes, span: tuple[int, int], step: str | int) -> tuple[int, int] | None:
    opening = body[span[0] : span[0] + 1]
    if isinstance(step, str):
        return object_members(body, span).get(step) if opening == b"{" else None
    if opening != b"[":
        return None
    elements = array_items(body, *span)
    return elements[step] if -len(elements) <= step < len(elements) else None


def _walked(body: bytes, start: int, values: dict[str, msgspec.Raw]) -> dict[str, tuple[int, int]] | None:
    """Walk past each name to its value; None where the object is not what the walk expects.

    That is so when a name was given twice: msgspec keeps one place for both.
    """
    spans: dict[str, tuple[int, int]] = {}
    at = start
    for name, value in values.items():
        key = _NAME.match(body, _past_space(body, at + 1))
        if key is None:
            return None
        begin = _past_space(body, _past_space(body, key.end()) + 1)
        end = begin + memoryview(value).nbytes
        if body[begin:end] != bytes(value):
            return None
        spans[name] = (begin, end)
        at = _past_space(body, end)
        if body[at : at + 1] not in {b",", b"}"}:
            return None
    return spans if body[at : at + 1] == b"}" else None


def _scanned(body: bytes, start: int, stop: int) -> list[tuple[str | None, tuple[int, int]]]:
    """Find the values of the array or object at `body[start:stop]` token by token, after asking whether it is JSON."""
    if body[start : start + 1] == b"[" and (elements := _one_by_one(body, start, stop)) is not None:
        return [(None, span) for span in elements]
    try:
        json.loads(body[start:stop].decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as fault:
        raise NotJson(f"No JSON value can be read at byte {start}: {fault}") from None
    named = body[start : start + 1] == b"{"
    found: list[tuple[str | None, tuple[int, int]]] = []
    at = start + 1
    while True:
        token = _TOKEN.search(body, at, stop)
        if token is None or token.group() in {b"]", b"}"}:
            return found
        name = None
        if named:
            name = str(json.loads(token.group()))
            token = _TOKEN.search(body, token.end(), stop)
            assert token is not None, "json.loads has read a value after the name"
        at = _end_of_value(body, token, stop)
        found.append((name, (token.start(), at)))


def _one_by_one(body: bytes, start: int, stop: int) -> list[tuple[int, int]] | None:
    """The elements of an array, each asked alone whether it is JSON, so that no more than one is in memory; None where one is not."""
    found: list[tuple[int, int]] = []
    at = _past_space(body, start + 1)
    if body[at : at + 1] == b"]":
        return found if _past_space(body, at + 1) == stop else None
    while at < stop:
        token = _TOKEN.match(body, at, stop)
        if token is None:
            return None
        end = _end_of_value(body, token, stop)
        try:
            json.loads(body[at:end].decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            return None
        found.append((at, end))
        at = _past_space(body, end)
        if body[at : at + 1] == b"]":
            return found if _past_space(body, at + 1) == stop else None
        if body[at : at + 1] != b",":
            return None
        at = _past_space(body, at + 1)
    return None


def _end_of_value(body: bytes, first: re.Match[bytes], stop: int) -> int:
    depth, end = 0, first.end()
    for token in _TOKEN.finditer(body, first.start(), stop):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token.group(), 0)
        end = token.end()
        if depth == 0:
            break
    return end


def _trimmed(body: bytes, start: int, end: int) -> tuple[int, int]:
    at = min(_past_space(body, start), end)
    while end > at and body[end - 1] in b" \t\r\n":
        end -= 1
    return at, end


def _past_space(body: bytes, at: int) -> int:
    found = _SPACE.match(body, at)
    return at if found is None else found.end()


def _expect(body: bytes, at: int, opening: bytes) -> None:
    if body[at : at + 1] != opening:
        what = "array" if opening == b"[" else "object"
        raise NotJson(f"No JSON {what} stands at byte {at}.")
