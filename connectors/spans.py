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
from array import array
from collections.abc import Iterator
from itertools import chain

import msgspec

_SPACE = re.compile(rb"[ \t\r\n]*+")
_NAME = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|[^\s,:\[\]{}"]++', re.DOTALL)
ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape in JSON: two halves that are one character, a half alone, or anything else."""
_BOM = b"\xef\xbb\xbf"
_DEPTHS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_LARGE = 1 << 20
_DEEPEST = 8

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
    return list(_elements(body, start, end))


def array_places(body: bytes, start: int = 0, end: int | None = None) -> array[int]:
    """What `array_items` finds, as beginnings and ends in turn: for lists too long to hold a pair for each element."""
    return array("q", chain.from_iterable(_elements(body, start, end)))


def without_halves(content: bytes | memoryview) -> bytearray | None:
    """A JSON text with the replacement character for each half of a character, escape for escape, so that all stands where it stood; None where there is none."""
    made: bytearray | None = None
    for found in ESCAPE.finditer(content):
        if found[1] is not None:
            made = made if made is not None else bytearray(content)
            made[found.start() : found.end()] = b"\\ufffd"
    return made


def _elements(body: bytes, start: int, end: int | None) -> Iterator[tuple[int, int]]:
    at, stop = _trimmed(body, start, len(body) if end is None else end)
    _expect(body, at, b"[")
    try:
        items = _read_items(memoryview(body)[at:stop])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = _one_by_one(body, at, stop)
        if found is None:
            return iter([span for _, span in _scanned(body, at, stop)])
        return zip(found[1][::2], found[1][1::2], strict=True)
    return _places(body, at, items)


def _read_items(content: memoryview) -> list[msgspec.Raw]:
    try:
        return _arrays.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        whole = without_halves(content)
        if whole is None:
            raise
        return _arrays.decode(whole)


def _places(body: bytes, at: int, items: list[msgspec.Raw]) -> Iterator[tuple[int, int]]:
    """Where the elements of the array at `at` stand; each is let go when its place is known."""
    items.reverse()
    at = _past_space(body, at + 1)
    while items:
        end = at + memoryview(items.pop()).nbytes
        yield at, end
        at = _past_space(body, _past_space(body, end) + 1)


def object_members(body: bytes, span: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """The spans of the values of the JSON object at `span`, by name.

    A name given twice means its last value, as JSON readers commonly take it.
    `NotJson` where no object stands there.
    """
    start, stop = _trimmed(body, *span)
    _expect(body, start, b"{")
    try:
        found = _walked(body, start, _objects.decode(memoryview(body)[start:stop]))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        found = _between_halves(body, start, stop)
    return found or {name: value for name, value in _scanned(body, start, stop) if name is not None}


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


def _between_halves(body: bytes, start: int, stop: int) -> dict[str, tuple[int, int]] | None:
    """The members of an object whose values hold halves of characters; None where that is not all, or a name holds one."""
    whole = without_halves(memoryview(body)[start:stop])
    try:
        found = _walked(whole, 0, _objects.decode(whole)) if whole is not None else None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if found is None or any("\ufffd" in name for name in found):
        return None
    return {name: (begin + start, end + start) for name, (begin, end) in found.items()}


def _walked(
    body: bytes | bytearray, start: int, values: dict[str, msgspec.Raw]
) -> dict[str, tuple[int, int]] | None:
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
        if body.find(value, begin, end) != begin:  # compared where it lies: it may be all of a large body
            return None
        spans[name] = (begin, end)
        at = _past_space(body, end)
        if bytes(body[at : at + 1]) not in {b",", b"}"}:
            return None
    return spans if body[at : at + 1] == b"}" else None


def _scanned(body: bytes, start: int, stop: int) -> list[tuple[str | None, tuple[int, int]]]:
    """Find the values of the array or object at `body[start:stop]` token by token, after asking whether it is JSON."""
    if (parts := _one_by_one(body, start, stop)) is not None:
        names, flat = parts
        return list(
            zip(names or [None] * (len(flat) // 2), zip(flat[::2], flat[1::2], strict=True), strict=True)
        )
    try:
        text = str(memoryview(body)[start:stop], "utf-8", "surrogateescape")
        json.loads(text, object_hook=_forgotten)
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
            name = _read_name(token.group())
            token = _TOKEN.search(body, token.end(), stop)
            assert token is not None, "json.loads has read a value after the name"
        at = _end_of_value(body, token, stop)
        found.append((name, (token.start(), at)))


def _forgotten(_: object) -> None:
    """What was read stands for nothing: it was asked only whether it can be."""


def _one_by_one(
    body: bytes, start: int, stop: int, depth: int = 0
) -> tuple[list[str | None], array[int]] | None:
    """The names (of an object) and the places of the values that stand in an array or object; None where one is no JSON.

    Each is asked alone, so that no more than one is in memory; of a large one,
    each that stands in it.
    """
    opening = body[start : start + 1]
    closing = {b"[": b"]", b"{": b"}"}.get(opening)
    names: list[str | None] = []
    places = array("q")
    at = _past_space(body, start + 1)
    if closing is None or body[at : at + 1] == closing:
        return (names, places) if closing and _past_space(body, at + 1) == stop else None
    while at < stop:
        if opening == b"{":
            name = _NAME.match(body, at, stop)
            colon = _past_space(body, name.end()) if name else stop
            if name is None or body[colon : colon + 1] != b":" or not _is_json(body, *name.span(), depth):
                return None
            names.append(_read_name(name.group()))
            at = _past_space(body, colon + 1)
        token = _TOKEN.match(body, at, stop)
        if token is None:
            return None
        end = _end_of_value(body, token, stop)
        if not _is_json(body, at, end, depth):
            return None
        places.extend((at, end))
        at = _past_space(body, end)
        if body[at : at + 1] == closing:
            return (names, places) if _past_space(body, at + 1) == stop else None
        if body[at : at + 1] != b",":
            return None
        at = _past_space(body, at + 1)
    return None


def _is_json(body: bytes, start: int, end: int, depth: int) -> bool:
    if end - start > _LARGE and depth < _DEEPEST and body[start : start + 1] in {b"[", b"{"}:
        return _one_by_one(body, start, end, depth + 1) is not None
    try:
        json.loads(body[start:end].decode("utf-8", "surrogateescape"), object_hook=_forgotten)
    except (ValueError, RecursionError):
        return False
    return True


def _read_name(written: bytes) -> str:
    try:
        return str(json.loads(written))
    except UnicodeDecodeError:
        return str(json.loads(written.decode("utf-8", "surrogateescape")))


def _end_of_value(body: bytes, first: re.Match[bytes], stop: int) -> int:
    depth, end = 0, first.end()
    for token in _TOKEN.finditer(body, first.start(), stop):
        depth += _DEPTHS.get(token.group(), 0)
        end = token.end()
        if depth == 0:
            break
    return end


def _trimmed(body: bytes, start: int, end: int) -> tuple[int, int]:
    at = min(_past_space(body, start), end)
    while end > at and body[end - 1] in b" \t\r\n":
        end -= 1
    return at, end


def _past_space(body: bytes | bytearray, at: int) -> int:
    found = _SPACE.match(body, at)
    return at if found is None else found.end()


def _expect(body: bytes, at: int, opening: bytes) -> None:
    if body[at : at + 1] != opening:
        what = "array" if opening == b"[" else "object"
        raise NotJson(f"No JSON {what} stands at byte {at}.")
