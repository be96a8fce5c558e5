"""Sealing: how content is encrypted so that one secret opens one record, and nothing opens it afterwards.

Every sealed frame is one message of the C2SP chunked-encryption scheme with
SHA-512 and AES-256-GCM ("Cobblestone-256"): a 24-byte salt, a 32-byte key
commitment, then chunks of 16 KiB. The key is derived from the owner's random
secret; the context binds the frame to what it is. Destroying the secret makes
the frame unreadable wherever copies of it lie.

Small frames are compressed before they are sealed, with a fixed dictionary of
names that recur; the first byte says how.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Iterable, Iterator

import zstandard
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from app.records.errors import IntegrityFailure

SECRET_BYTES = 32
_RAW, _ZSTD1 = b"\x00", b"\x01"
_LARGEST_FRAME = 256 * 1024 * 1024

_DICTIONARY_1 = zstandard.ZstdCompressionDict(
    b'"_sd_alg":"sha-256","connector":"import/1","v":1,"ver":1,"observed":"2026-01-01T00:00:00Z","item":"019'
    b'{"_sd":["","attachments":[],"author_handle":"","author_id":"","author_name":"","edited_at":"",'
    b'"extra":{"src":"","role":"visitor_comment","page_name":"","lang":"en","likes":0,"shares":0,"replies":0},'
    b'"html":"<p></p>","in_reply_to":"","kind":"comment","kind":"post","language":"en","native_id":"","page":"",'
    b'"payloads":[{"bytes":0,"media_type":"application/json","name":"observation.json","sha256":""}],'
    b'"platform":"web","platform":"twitter","platform":"weibo","published_at":"2016-01-01T00:00:00Z",'
    b'"seen":"019","state":"present","state":"hidden","text":"","url":"https://twitter.com//status/"'
    b'{"platform":"twitter","page":"","native_id":"","kind":"post","in_reply_to":null,"author":{"id":null,"name":"",'
    b'"handle":null},"published_at":"2016-01-01T00:00:00Z","edited_at":null,"state":"present","text":"","url":null,'
    b'"url":"https://www.","attachments":[],"extra":{"src":"","role":"","lang":"en","shares":0,"likes":0}}\n'
    b'{"id":1,"post":1,"parent":0,"author":0,"author_name":"","author_url":"","date":"2026-01-01T00:00:00",'
    b'"date_gmt":"2026-01-01T00:00:00","content":{"rendered":"<p></p>\\n"},"link":"https:\\/\\/","status":"approved",'
    b'"type":"comment","author_avatar_urls":{},"meta":[],"_links":{"self":[{"href":"https:\\/\\/"}],"collection":[{"href"',
    dict_type=zstandard.DICT_TYPE_RAWCONTENT,
)


class _Packing(threading.local):
    """One compressor and one decompressor a thread: they work outside the interpreter's lock, and cannot be shared."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(
            level=1, dict_data=_DICTIONARY_1, write_checksum=False, write_dict_id=False
        ).compress
        self.decompress = zstandard.ZstdDecompressor(dict_data=_DICTIONARY_1).decompress


_packing = _Packing()


class SealBroken(IntegrityFailure):
    """A sealed frame does not open with its owner's secret: it was altered, cut or misplaced."""

    code = "seal-broken"


def new_secret() -> bytes:
    """A random secret; nothing can derive it anew."""
    return os.urandom(SECRET_BYTES)


def derive(secret: bytes, purpose: bytes) -> bytes:
    """The 32-byte key that `secret` gives for one purpose."""
    return hmac.digest(secret, b"muniment/v1/" + purpose, "sha256")


def seal(secret: bytes, context: bytes, content: bytes) -> bytes:
    """Compress and seal `content` as one frame, bound to `context`."""
    packed = _packing.compress(content)
    framed = _ZSTD1 + packed if len(packed) < len(content) else _RAW + content
    encryptor = Cobblestone256Encryptor(derive(secret, b"seal"), context)
    return encryptor.update(framed) + encryptor.finalize()


def unseal(secret: bytes, context: bytes, frame: bytes) -> bytes:
    """The content of a frame that `seal` made, or `SealBroken`."""
    try:
        decryptor = Cobblestone256Decryptor(derive(secret, b"seal"), context)
        framed = decryptor.update(frame) + decryptor.finalize()
        if framed[:1] == _ZSTD1:
            return _packing.decompress(framed[1:], max_output_size=_LARGEST_FRAME)
        if framed[:1] == _RAW:
            return framed[1:]
    except (InvalidTag, ValueError, zstandard.ZstdError) as error:
        raise SealBroken("a sealed frame does not open") from error
    raise SealBroken("a sealed frame is of no known form")


def seal_stream(secret: bytes, context: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Seal a stream of any length without holding it; nothing is compressed."""
    encryptor = Cobblestone256Encryptor(derive(secret, b"seal"), context)
    for chunk in chunks:
        yield encryptor.update(chunk)
    yield encryptor.finalize()


def unseal_stream(secret: bytes, context: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Open what `seal_stream` sealed; the read that reaches the end MUST raise `SealBroken` if it was cut."""
    try:
        decryptor = Cobblestone256Decryptor(derive(secret, b"seal"), context)
        for chunk in chunks:
            yield decryptor.update(chunk)
        yield decryptor.finalize()
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a sealed stream does not open") from error


def salts(secret: bytes, context: bytes, count: int, size: int) -> list[bytes]:
    """`count` salts of `size` bytes, known only to whoever holds the secret (SHAKE-256)."""
    stream = hashlib.shake_256(derive(secret, b"salts") + context).digest(count * size)
    return [stream[start : start + size] for start in range(0, count * size, size)]
