"""Signed notes, checkpoints and proofs in the C2SP formats.

`signed-note` v1.0.0 with Ed25519, `tlog-checkpoint` v1.0.0 without extension
lines, `tlog-proof` v1. Parsing is strict: one form, one reading.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.records.errors import IntegrityFailure

_ED25519 = b"\x01"
_KEY_BYTES, _ID_BYTES, _SIGNATURE_BYTES = 32, 4, 64


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
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:_ID_BYTES]

    def line(self) -> str:
        """The `vkey` as text, without a newline."""
        return f"{self.name}+{self.id.hex()}+{_b64(_ED25519 + self.key)}"

    @classmethod
    def parse(cls, line: str) -> Verifier:
        """Read a `vkey`; the base64 part may itself hold a plus sign."""
        parts = line.split("+", 2)
        if len(parts) != 3:
            raise NoteBroken("a verifier key is name+id+key")
        name, key_id, key = parts[0], parts[1], _unb64(parts[2])
        if len(key) != _KEY_BYTES + 1 or key[:1] != _ED25519:
            raise NoteBroken("the verifier key is not an Ed25519 key")
        verifier = cls(name=name, key=key[1:])
        if verifier.id.hex() != key_id:
            raise NoteBroken("the verifier key's id is not its own")
        return verifier


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


def opened(note: str, verifier: Verifier) -> str:
    """The text of a note that `verifier` signed, or `NoteBroken`. Signatures of unknown keys are passed over."""
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise NoteBroken("a note has a text, an empty line and signatures")
    text += "\n"
    for line in signatures[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "\u2014" or not name or not encoded:
            raise NoteBroken("a signature line is a dash, a name and a signature")
        signed = _unb64(encoded)
        if name == verifier.name and signed[:_ID_BYTES] == verifier.id:
            _verify(verifier, text, signed[_ID_BYTES:])
            return text
    raise NoteBroken(f"the note bears no signature of {verifier.name}")


def _verify(verifier: Verifier, text: str, signature: bytes) -> None:
    if len(signature) != _SIGNATURE_BYTES:
        raise NoteBroken("an Ed25519 signature has 64 bytes")
    try:
        Ed25519PublicKey.from_public_bytes(verifier.key).verify(signature, text.encode())
    except InvalidSignature as error:
        raise NoteBroken(f"the signature is not by {verifier.name}") from error


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
        if not size.isascii() or not size.isdigit() or (size != "0" and size.startswith("0")):
            raise NoteBroken("a checkpoint's size is a decimal number without leading zeros")
        root = _unb64(encoded)
        if len(root) != _KEY_BYTES:
            raise NoteBroken("a checkpoint's root is a SHA-256 hash")
        return cls(origin=origin, size=int(size), root=root)


def proof_text(index: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """A `tlog-proof` file: the entry's index, its inclusion proof, and the signed checkpoint."""
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *(_b64(part) for part in proof), "", checkpoint]
    return "\n".join(lines)


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
