r"""Statements: what is proven of a version, field by field.

A version's content is a set of fields. Each is committed as a disclosure of
RFC 9901: `base64url(JSON [salt, name, value])`, whose digest stands in the
statement, so that any field can be shown or withheld and the rest still
verifies. The statement itself says in the clear only what may appear in any
production: random ids, the version's number, when it was observed, and which
connector read it. Decoys keep the number of fields from saying anything.

What the ledger holds is `SHA-256("record-commit/v1\n" || salt || SHA-256(statement))`.
All salts come from the record's secret, and go with it.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from app.records.errors import IntegrityFailure
from app.store.canonical import Json, written
from app.store.sealing import salts

COMMIT_PREFIX = b"record-commit/v1\n"
_SLOTS = 12
_URL = bytes.maketrans(b"+/", b"-_")
_LENGTHS = struct.Struct(">I")
_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_fields = msgspec.json.Decoder(dict[str, object])


class StatementBroken(IntegrityFailure):
    """A statement, its fields or its commitment do not belong together."""

    code = "statement-broken"


@dataclass(frozen=True, slots=True)
class Statement:
    """A version's statement with all that opens it.

    `body` is the canonical JSON that was committed; `fields` the canonical
    JSON object of the disclosable fields; `salt` the 32 bytes of the
    commitment; `commitment` what the ledger entry holds.
    """

    body: bytes
    fields: bytes
    salt: bytes
    commitment: bytes

    def packed(self) -> bytes:
        """Statement and fields as one content to seal."""
        return _LENGTHS.pack(len(self.body)) + self.body + self.fields

    def values(self) -> dict[str, object]:
        """The fields, by name."""
        return _fields.decode(self.fields)


def state(secret: bytes, clear: Mapping[str, Json], fields: Mapping[str, Json], version: int) -> Statement:
    """Make the statement of version number `version`, committing each of `fields`.

    `clear` and `fields` MUST have a canonical form (see `app.store.canonical`).
    """
    content = written(fields)
    salt, listed = _digests(secret, content, version)
    body = written({**clear, "_sd": listed, "_sd_alg": "sha-256", "v": 1})
    return Statement(body=body, fields=content, salt=salt, commitment=commit(salt, body))


def unpack(secret: bytes, packed: bytes, version: int) -> Statement:
    """The statement that `Statement.packed` gave, with its salt and commitment; checks no digest."""
    (length,) = _LENGTHS.unpack_from(packed)
    end = _LENGTHS.size + length
    return _committed(secret, packed[_LENGTHS.size : end], packed[end:], version)


def fields_of(packed: bytes) -> dict[str, object]:
    """Only the fields, for reading and indexing."""
    (length,) = _LENGTHS.unpack_from(packed)
    return _fields.decode(memoryview(packed)[_LENGTHS.size + length :])


def disclosures(secret: bytes, statement: Statement, version: int) -> list[str]:
    """One RFC 9901 disclosure a field, in the order of their names."""
    raw = _raw_fields.decode(statement.fields)
    field_salts = salts(secret, _context(version), 2 + max(_slots(len(raw)), len(raw)), 16)[2:]
    return [
        _disclosure(salt, name, bytes(value))
        for salt, (name, value) in zip(field_salts, raw.items(), strict=False)
    ]


def check(secret: bytes, statement: Statement, version: int) -> None:
    """Raise `StatementBroken` unless every field is committed in the statement, and nothing else is."""
    listed = msgspec.json.decode(statement.body)
    if listed.get("_sd") != _digests(secret, statement.fields, version)[1]:
        raise StatementBroken("the statement does not commit these fields")


def commit(salt: bytes, statement: bytes) -> bytes:
    """The 32-byte commitment to a statement."""
    return hashlib.sha256(COMMIT_PREFIX + salt + hashlib.sha256(statement).digest()).digest()


def digest_of(disclosure: str) -> str:
    """The digest that a statement lists for a disclosure (RFC 9901, 4.2.3)."""
    return _b64(hashlib.sha256(disclosure.encode("ascii")).digest())


def _committed(secret: bytes, body: bytes, content: bytes, version: int) -> Statement:
    first, second = salts(secret, _context(version), 2, 16)
    salt = first + second
    return Statement(body=body, fields=content, salt=salt, commitment=commit(salt, body))


def _digests(secret: bytes, content: bytes, version: int) -> tuple[bytes, list[Json]]:
    """The commitment's salt, and the sorted digests of every field and of the decoys beside them."""
    raw = _raw_fields.decode(content)
    drawn = salts(secret, _context(version), 2 + _slots(len(raw)), 16)
    sha256, encode = hashlib.sha256, b2a_base64
    found: list[str] = []
    place = 2
    for name, value in raw.items():
        text = encode(b'["%b","%b",%b]' % (encode(drawn[place])[:22].translate(_URL), name.encode(), value))
        told = text.rstrip(b"=\n").translate(_URL)
        found.append(encode(sha256(told).digest())[:43].translate(_URL).decode("ascii"))
        place += 1
    found += [encode(sha256(salt).digest())[:43].translate(_URL).decode("ascii") for salt in drawn[place:]]
    found.sort()
    return drawn[0] + drawn[1], [*found]


def _disclosure(salt: bytes, name: str, value: bytes) -> str:
    text = b'["%b","%b",%b]' % (base64.urlsafe_b64encode(salt)[:22], name.encode(), value)
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode("ascii")


def _slots(fields: int) -> int:
    return max(_SLOTS, -(-fields // 4) * 4)


def _context(version: int) -> bytes:
    return b"statement/%d" % version


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
