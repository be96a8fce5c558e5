"""DER (X.690) read strictly: one value has one form, and every byte belongs to a value. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SEQUENCE, SET, OID, INTEGER, OCTETS, BITS, NULL = 0x30, 0x31, 0x06, 0x02, 0x04, 0x03, 0x05
_DEEPEST = 32


class NotDer(ValueError):
    """Bytes are not DER, or not of the shape that is wanted."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value: its tag, its content, and its bytes as they stood."""

    tag: int
    content: bytes
    whole: bytes

    def parts(self) -> Sequence[Value]:
        """The values inside a constructed one."""
        if not self.tag & 0x20:
            raise NotDer("a value has no parts")
        found, place = [], 0
        while place < len(self.content):
            value, place = _value(self.content, place)
            found.append(value)
        return found

    def oid(self) -> str:
        """An object identifier in dots."""
        if self.tag != OID or not self.content or self.content[-1] & 0x80:
            raise NotDer("no object identifier stands where one must")
        numbers: list[int] = []
        number = 0
        for byte in self.content:
            if number == 0 and byte == 0x80:
                raise NotDer("an object identifier is padded")
            number = number << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(number)
                number = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))

    def integer(self) -> int:
        if self.tag != INTEGER or not self.content:
            raise NotDer("no whole number stands where one must")
        return int.from_bytes(self.content, signed=True)


def read(data: bytes) -> Value:
    """The one value that `data` is; raises `NotDer` for anything before, after or inside it that is no DER."""
    value, end = _value(data, 0)
    if end != len(data):
        raise NotDer("bytes follow after the end")
    _walk(value, 0)
    return value


def _walk(value: Value, depth: int) -> None:
    """Look at every value inside: constructed ones are made of values, primitive ones are written in one way."""
    if depth > _DEEPEST:
        raise NotDer("values lie deeper than any certificate's")
    if value.tag & 0x20:
        for part in value.parts():
            _walk(part, depth + 1)
    elif value.tag == INTEGER:
        head = value.content[:2]
        if not head or (len(head) == 2 and head[0] in (0x00, 0xFF) and (head[0] ^ head[1]) < 0x80):
            raise NotDer("a whole number is padded")
    elif value.tag == BITS and (not value.content or value.content[0] > 7):
        raise NotDer("a row of bits does not say where it ends")
    elif value.tag == NULL and value.content:
        raise NotDer("a null holds something")


def _value(data: bytes, place: int) -> tuple[Value, int]:
    if place + 2 > len(data) or data[place] & 0x1F == 0x1F:
        raise NotDer("a value is cut off, or of a kind that is not known here")
    length, begin = data[place + 1], place + 2
    if length & 0x80:
        octets = length & 0x7F
        begin += octets
        length = int.from_bytes(data[place + 2 : begin])
        if not 1 <= octets <= 4 or length < 0x80 or data[place + 2] == 0:
            raise NotDer("a length is not written in the one way")
    end = begin + length
    if end > len(data):
        raise NotDer("a value is longer than its file")
    return Value(data[place], data[begin:end], data[place:end]), end
