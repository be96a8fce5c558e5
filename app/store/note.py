"""Signed notes, checkpoints, cosignatures and proofs in the C2SP formats.

`signed-note` v1.0.0 with Ed25519, `tlog-checkpoint` v1.0.0, `tlog-cosignature`
v1.0.1 with Ed25519, `tlog-proof` v1. Parsing is strict: one form, one reading.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.records.errors import IntegrityFailure

_ED25519, _COSIGNATURE = b"\x01", b"\x04"
_KEY_BYTES, _ID_BYTES, _SIGNATURE_BYTES, _TIME_BYTES = 32, 4, 64, 8
_MOST_SIGNATURES = 100
_LONGEST_PATH = 63
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f]")


class NoteBroken(IntegrityFailure):
    """A signed note does not parse, or its signature is not by the key that it names."""

    code = "note-broken"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name: what a `vkey` line holds."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        return _key_id(self.name, _ED25519, self.key)

    def line(self) -> str:
        """The `vkey` as text, without a newline."""
        return f"{self.name}+{self.id.hex()}+{_b64(_ED25519 + self.key)}"

    @classmethod
    def parse(cls, line: str) -> Verifier:
        """Read a `vkey`; the base64 part may itself hold a plus sign."""
        name, key = _read_key(line, _ED25519)
        return cls(name=name, key=key)


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's public key with its name: a `vkey` line of the type for cosignatures."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        return _key_id(self.name, _COSIGNATURE, self.key)

    def line(self) -> str:
        """The `vkey` as text, without a newline."""
        return f"{self.name}+{self.id.hex()}+{_b64(_COSIGNATURE + self.key)}"

    @classmethod
    def parse(cls, line: str) -> WitnessKey:
        """Read a `vkey` of type 0x04; one of type 0x01 says nothing of cosignatures and is refused."""
        name, key = _read_key(line, _COSIGNATURE)
        return cls(name=name, key=key)


def _key_id(name: str, type_: bytes, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + type_ + key).digest()[:_ID_BYTES]


def _read_key(line: str, type_: bytes) -> tuple[str, bytes]:
    parts = line.split("+", 2)
    if len(parts) != 3:
        raise NoteBroken("a verifier key is name+id+key")
    name, key_id, key = parts[0], parts[1], _unb64(parts[2])
    if not name or any(sign.isspace() or sign < " " for sign in name):
        raise NoteBroken("a key's name is not empty and has no spaces")
    if len(key) != _KEY_BYTES + 1 or key[:1] != type_:
        raise NoteBroken("the verifier key is not an Ed25519 key of the type that belongs here")
    if _key_id(name, type_, key[1:]).hex() != key_id:
        raise NoteBroken("the verifier key's id is not its own")
    return name, key[1:]


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name."""

    name: str
    private: bytes

    def verifier(self) -> Verifier:
        public = Ed25519PrivateKey.from_private_bytes(self.private).public_key()
        return Verifier(name=self.name, key=public.public_bytes_raw())

    def sign(self, text: str) -> str:
        """`text`, which must end with a newline, as a signed note."""
        if not text.endswith("\n"):
            raise NoteBroken("a note's text ends with a newline")
        signature = Ed25519PrivateKey.from_private_bytes(self.private).sign(text.encode())
        return f"{text}\n\u2014 {self.name} {_b64(self.verifier().id + signature)}\n"


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's private key with its name."""

    name: str
    private: bytes

    def key(self) -> WitnessKey:
        public = Ed25519PrivateKey.from_private_bytes(self.private).public_key()
        return WitnessKey(name=self.name, key=public.public_bytes_raw())

    def cosign(self, text: str, at: datetime) -> str:
        """The signature line, with its newline, that says: as of `at`, this is the largest tree that I have seen."""
        seconds = int(at.timestamp())
        signature = Ed25519PrivateKey.from_private_bytes(self.private).sign(_cosigned(text, seconds))
        return f"\u2014 {self.name} {_b64(self.key().id + seconds.to_bytes(_TIME_BYTES) + signature)}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line of a note; `line` has its newline."""

    name: str
    id: bytes
    value: bytes
    line: str


def parts_of(note: str) -> tuple[str, list[Signature]]:
    """A note's text, with its last newline, and its signatures; nothing is verified."""
    text, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n") or _CONTROLS.search(note):
        raise NoteBroken("a note has a text, an empty line and signatures")
    return text + "\n", signatures(rest)


def signatures(lines: str) -> list[Signature]:
    """Signature lines, each with its newline."""
    found = lines[:-1].split("\n")
    if not lines.endswith("\n") or len(found) > _MOST_SIGNATURES:
        raise NoteBroken("signatures are lines, a hundred at most")
    return [_signature(line) for line in found]


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "\u2014" or not name or not encoded or "+" in name or any(sign.isspace() for sign in name):
        raise NoteBroken("a signature line is a dash, a name and a signature")
    signed = _unb64(encoded)
    if len(signed) <= _ID_BYTES:
        raise NoteBroken("a signature is longer than its key's id")
    return Signature(name, signed[:_ID_BYTES], signed[_ID_BYTES:], line + "\n")


def opened(note: str, verifier: Verifier) -> str:
    """The text of a note that `verifier` signed, or `NoteBroken`. Signatures of unknown keys are passed over."""
    text, found = parts_of(note)
    ours = [one for one in found if (one.name, one.id) == (verifier.name, verifier.id)]
    if not ours:
        raise NoteBroken(f"the note bears no signature of {verifier.name}")
    for one in ours:
        _verify(verifier.name, verifier.key, one.value, text.encode())
    return text


def cosigned_at(text: str, signature: Signature, witness: WitnessKey) -> datetime:
    """When `witness` cosigned the checkpoint `text`, or `NoteBroken` where the signature is not by it."""
    if (signature.name, signature.id) != (witness.name, witness.id):
        raise NoteBroken(f"the signature is not by {witness.name}")
    seconds = int.from_bytes(signature.value[:_TIME_BYTES])
    if len(signature.value) != _TIME_BYTES + _SIGNATURE_BYTES or seconds >= 1 << 63:
        raise NoteBroken("a cosignature is a time and an Ed25519 signature")
    _verify(witness.name, witness.key, signature.value[_TIME_BYTES:], _cosigned(text, seconds))
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise NoteBroken("a cosignature's time is no date") from error


def with_cosignatures(note: str, lines: Iterable[str]) -> str:
    """A note with further signature lines after its own."""
    return note + "".join(lines)


def _cosigned(text: str, seconds: int) -> bytes:
    """What a witness signs (tlog-cosignature, "Ed25519 signed message")."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _verify(name: str, key: bytes, signature: bytes, message: bytes) -> None:
    if len(signature) != _SIGNATURE_BYTES:
        raise NoteBroken("an Ed25519 signature has 64 bytes")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature as error:
        raise NoteBroken(f"the signature is not by {name}") from error


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a ledger says of itself at one size."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] != "":
            raise NoteBroken("a checkpoint has an origin, a size and a root")
        origin, size, encoded = lines[:3]
        if not origin:
            raise NoteBroken("a checkpoint names its ledger")
        if not _is_number(size) or int(size) >= 1 << 63:
            raise NoteBroken("a checkpoint's size is a decimal number without leading zeros")
        root = _unb64(encoded)
        if len(root) != _KEY_BYTES:
            raise NoteBroken("a checkpoint's root is a SHA-256 hash")
        if "" in lines[3:-1]:
            raise NoteBroken("a checkpoint's extension lines are not empty")
        return cls(origin=origin, size=int(size), root=root)


def proof_text(index: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """A `tlog-proof` file: the entry's index, its inclusion proof, and the signed checkpoint."""
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *(_b64(part) for part in proof), "", checkpoint]
    return "\n".join(lines)


def proof_parts(proof: str) -> tuple[int, list[bytes], str]:
    """The index, the inclusion proof and the signed checkpoint of a `tlog-proof` file; extra data is passed over."""
    lines, blank, note = proof.partition("\n\n")
    head, *rest = lines.split("\n")
    if head != "c2sp.org/tlog-proof@v1" or not blank:
        raise NoteBroken("a proof begins with its version, and a checkpoint follows")
    if rest and rest[0].startswith("extra "):
        _unb64(rest.pop(0).removeprefix("extra "))
    index = rest.pop(0).removeprefix("index ") if rest and rest[0].startswith("index ") else ""
    if not _is_number(index):
        raise NoteBroken("a proof names the index of its entry")
    path = [_unb64(line) for line in rest]
    if len(path) > _LONGEST_PATH or any(len(part) != _KEY_BYTES for part in path):
        raise NoteBroken("a proof's path is made of SHA-256 hashes")
    return int(index), path, note


def _is_number(text: str) -> bool:
    """Whether a text is a decimal number without leading zeros."""
    return text.isascii() and text.isdigit() and len(text) < 20 and (text == "0" or not text.startswith("0"))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteBroken("base64 that does not decode") from error
    if _b64(data) != text:
        raise NoteBroken("base64 that is not canonical")
    return data
