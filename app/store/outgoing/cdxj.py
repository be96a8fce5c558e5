"""CDXJ: where in a WARC file the answer to an address lies, sorted as replay programs look it up.

A line is the address as a key (its host turned round, its parts in one
spelling), the time, and JSON. The key follows the canonical form that
replay programs share, so that an address is found however it was spelt.
Lines are sorted bytewise, in bounded memory, and leave in blocks that are
compressed one by one, with an index of the blocks beside them.
"""

from __future__ import annotations

import heapq
import json
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

_BLOCK = 3_000
_SORTED = 50_000
_KEPT_SIGNS = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_SESSIONS = {"jsessionid": 32, "phpsessid": 32, "sid": 32}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def key(address: str) -> str:
    """The key of an address: `https://www.Town.example/A/?b=2&a=1` is `example,town)/a?a=1&b=2`."""
    address = re.sub(r"[\t\r\n]", "", address.strip())
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return _escaped(address.encode()).lower()
    path = _escaped(_unescaped(parts.path.encode())).lower()
    query = _query(_escaped(_unescaped(parts.query.encode())))
    if not host:
        return f"{parts.scheme}:{path}{query}"
    where = ",".join(reversed(_host(host).split(".")))
    beside = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return f"{where}{beside}){_path(path)}{query}"


def line(address: str, at: str, told: dict[str, str]) -> bytes:
    """A line of the index; `at` is 14 digits."""
    return f"{key(address)} {at} {json.dumps({'url': address, **told}, ensure_ascii=False)}\n".encode()


class Sorter:
    """Sorts lines that may be too many to hold: sorted parts go to files, and are merged."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._part = folder, list[bytes]()
        self._files: list[Path] = []
        self._open = ExitStack()

    def add(self, told: bytes) -> None:
        self._part.append(told)
        if len(self._part) >= _SORTED:
            self._set_down()

    def merged(self) -> Iterator[bytes]:
        """Every line, sorted; the files are gone afterwards."""
        with ExitStack() as opened:
            parts: list[Iterable[bytes]] = [opened.enter_context(file.open("rb")) for file in self._files]
            yield from heapq.merge(*parts, sorted(self._part))
        for file in self._files:
            file.unlink()

    def _set_down(self) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="index-", delete=False) as file:
            file.writelines(sorted(self._part))
        self._files.append(Path(file.name))
        self._part = []


def write_blocks(lines: Iterable[bytes], blocks: BinaryIO, name: str) -> bytes:
    """Write lines as blocks that are compressed one by one; return the index of the blocks ("ZipNum")."""
    told = [f"!meta 0 {json.dumps({'format': 'cdxj-gzip-1.0', 'filename': name})}\n".encode()]
    offset, block = 0, list[bytes]()

    def set_down() -> int:
        packing = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        packed = packing.compress(b"".join(block)) + packing.flush()
        blocks.write(packed)
        first = block[0].split(b" {", 1)[0].decode()
        told.append(f"{first} {json.dumps({'offset': offset, 'length': len(packed)})}\n".encode())
        block.clear()
        return len(packed)

    for one in lines:
        block.append(one)
        if len(block) == _BLOCK:
            offset += set_down()
    if block:
        set_down()
    return b"".join(told)


def _host(host: str) -> str:
    plain = _unescaped(host.encode())
    try:
        name = plain.decode("ascii")
    except UnicodeDecodeError:
        try:
            name = plain.decode().encode("idna").decode("ascii")
        except UnicodeError:
            name = _escaped(plain)
    name = name.replace("..", ".").strip(".").lower()
    return re.sub(r"^www\d*\.", "", name)


def _path(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/")[1:]:
        if part == ".." and kept:
            kept.pop()
        elif part != ".":
            kept.append(part)
    last = kept[-1:] if kept else []
    whole = "/" + "/".join([*(part for part in kept[:-1] if part), *last])
    return whole.rstrip("/") or "/"


def _query(query: str) -> str:
    if not query:
        return ""
    told = [tuple(one.split("=", 1)) for one in query.lower().split("&")]
    kept = sorted(one for one in told if len(one) == 1 or not _is_session(one[0], one[1]))
    return "?" + "&".join("=".join(one) for one in kept) if kept and kept != [("",)] else ""


def _is_session(name: str, value: str) -> bool:
    return len(value) == _SESSIONS.get(name) and value.isalnum()


def _unescaped(text: bytes) -> bytes:
    """Without percent signs, however often they were doubled."""
    while (plain := unquote_to_bytes(text)) != text:
        text = plain
    return text


def _escaped(text: bytes) -> str:
    return quote_from_bytes(text, safe=_KEPT_SIGNS)
