"""The seal: one small file that names two digests, and under which others put their names.

The bag's tag manifest stands for everything in the bag; `outside-sha256.txt`
for everything beside it. The seal names both. It is signed by the agency, where
it has a certificate, and timestamped by the archive's authorities: over the
signature where there is one, so that the time says when it was signed. What is
not there is said by the files that are missing; a production without a
signature is not false, it is vouched for by the ledger's proofs alone.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from sqlalchemy import select

from app.db import Tx
from app.disclosure.package.recipe import Recipe
from app.records.clock import Clock
from app.records.errors import ArchiveError, Invalid, Unavailable
from app.records.folders import below
from app.store import anchors, bag
from app.store.anchors import Authority, BadAuthority, Request, Token
from app.store.asking import Ask, NotReached
from app.store.canonical import canonical
from app.store.tables import anchors as rows

SEAL, SIGNATURE, TOKEN = ".seal.json", ".seal.p7s", ".tsr"
OUTSIDE = "outside-sha256.txt"
_CHUNK = 1 << 20


class BadSigner(Invalid):
    """The certificate or key with which productions are signed cannot be used as the settings name them."""

    code = "bad-signer"


class SignatureRefused(Unavailable):
    """openssl does not accept the signature that was made; nothing is sealed with it."""

    code = "signature-refused"


@dataclass(frozen=True, slots=True)
class Signer:
    """With what the agency signs: its certificate, the chain to its root, and its key."""

    chain: Sequence[x509.Certificate]
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def name(self) -> str:
        return self.chain[0].subject.rfc4514_string()

    def pem(self) -> bytes:
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)


def signer(certificate: Path | None, key: Path | None) -> Signer | None:
    """The signer that the settings name; None where they name none. Raises `BadSigner` for one that cannot sign."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise BadSigner(
            "a certificate is named without its key, or a key without its certificate",
            next="Set MUNIMENT_PRODUCTION_CERTIFICATE_FILE and MUNIMENT_PRODUCTION_KEY_FILE, or neither.",
        )
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadSigner(
            f"the certificate or key for productions cannot be read: {type(error).__name__}",
            next="Both are PEM files; the key has no password.",
        ) from error
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise BadSigner("the key for productions is neither RSA nor of an elliptic curve")
    if private.public_key() != chain[0].public_key():
        raise BadSigner(
            "the key for productions is not that of its certificate",
            next="The certificate of the key comes first in the file, those above it after it.",
        )
    if chain[-1].issuer != chain[-1].subject:
        raise BadSigner(
            "the certificate for productions does not lead to its root, so nobody could check what it signs",
            next="Write those above it into the same file, the root last.",
        )
    return Signer(chain, private)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a production was sealed with: its digests, who signed, and who timestamped when."""

    tagmanifest: bytes
    outside: bytes
    seal: bytes
    """SHA-256 of the seal: what stands in the ledger for the whole production."""
    signed_by: str | None
    timestamps: Sequence[tuple[str, datetime]]
    failed: Sequence[tuple[str, str]]
    """Authorities that gave no timestamp, and why."""

    def as_dict(self) -> dict[str, object]:
        """For the journal."""
        return {
            "tagmanifest": self.tagmanifest.hex(),
            "outside": self.outside.hex(),
            "seal": self.seal.hex(),
            "signed_by": self.signed_by,
            "timestamps": [[name, at.isoformat()] for name, at in self.timestamps],
            "failed": [list(one) for one in self.failed],
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Sealed:
        """What `as_dict` told."""
        return cls(
            tagmanifest=bytes.fromhex(told["tagmanifest"]),
            outside=bytes.fromhex(told["outside"]),
            seal=bytes.fromhex(told["seal"]),
            signed_by=told["signed_by"],
            timestamps=[(name, datetime.fromisoformat(at)) for name, at in told["timestamps"]],
            failed=[(name, why) for name, why in told["failed"]],
        )


def seal(
    folder: Path,
    recipe: Recipe,
    signs: Signer | None,
    authorities: Sequence[Authority],
    ask: Ask | None,
    clock: Clock,
    trusted: Sequence[bytes] = (),
) -> Sealed:
    """Seal a production whose bag and other files are all there; what is asked for and does not come is left out, and told.

    `trusted` are the authorities' root certificates, which go into `trust/` beside the agency's own chain.
    """
    trust = folder / "trust"
    trust.mkdir(exist_ok=True)
    if signs is not None:
        (trust / "agency-chain.pem").write_bytes(signs.pem())
    for number, roots in enumerate(trusted, start=1):
        (trust / f"tsa-{number}.pem").write_bytes(roots)
    # 1. What lies beside the bag, by name.
    outside = list_outside(folder, recipe)
    # 2. The seal over both.
    told = {
        "v": 1,
        "production": recipe.number,
        "tagmanifest_sha256": bag.digest(folder / "bag").hex(),
        "outside_sha256": outside.hex(),
        "made_at": recipe.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    body = canonical(told)
    _put(folder / f"{recipe.folder}{SEAL}", body)
    # 3. The agency's name under it.
    over, stem = body, f"{recipe.folder}.seal"
    if signs is not None:
        over = signed(body, signs, clock.now())
        stem = f"{recipe.folder}{SIGNATURE}"
        _put(folder / stem, over)
    # 4. The time, by others.
    stamps: list[tuple[str, datetime]] = []
    failed: list[tuple[str, str]] = []
    for authority in authorities:
        token = _timestamp(over, authority, ask, clock)
        if isinstance(token, Token):
            further = f".{len(stamps) + 1}" if stamps else ""
            _put(folder / f"{stem}{further}{TOKEN}", token.body)
            stamps.append((authority.name, token.at))
        else:
            failed.append((authority.name, str(token)))
    return Sealed(
        tagmanifest=bytes.fromhex(str(told["tagmanifest_sha256"])),
        outside=outside,
        seal=hashlib.sha256(body).digest(),
        signed_by=signs.name if signs is not None else None,
        timestamps=stamps,
        failed=failed,
    )


def list_outside(folder: Path, recipe: Recipe) -> bytes:
    """Write `outside-sha256.txt` over every file outside the bag but itself, the seal and what is over that; return its SHA-256."""
    lines = []
    beside = (one for one in sorted(folder.iterdir()) if one.name not in {"bag", OUTSIDE})
    for file in (file for one in beside for file in ([one] if one.is_file() else below(one))):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and not name.startswith(f"{recipe.folder}.seal"):
            lines.append(f"{_digest(file)}  {name}\n")
    body = "".join(lines).encode()
    _put(folder / OUTSIDE, body)
    return hashlib.sha256(body).digest()


def signed(content: bytes, by: Signer, at: datetime) -> bytes:
    """A detached CMS signature (DER) over `content` with the signer's certificates in it; openssl MUST accept it."""
    leaf = by.chain[0]
    if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
        raise BadSigner(
            f"the certificate for productions is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to "
            f"{leaf.not_valid_after_utc:%Y-%m-%d} only",
            next="Ask whoever issued it for a new one.",
        )
    builder = PKCS7SignatureBuilder().set_data(content).add_signer(leaf, by.key, SHA256())
    for more in by.chain[1:]:
        builder = builder.add_certificate(more)
    made = builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
    _accepted(content, made, by, at)
    return made


def _accepted(content: bytes, made: bytes, by: Signer, at: datetime) -> None:
    """The second opinion, before it leaves: what whoever receives it will ask openssl."""
    program = which("openssl")
    if program is None:
        raise SignatureRefused("openssl is not there to check the signature", next="Install openssl.")
    with tempfile.TemporaryDirectory(prefix="muniment-") as name:
        work = Path(name)
        (work / "content").write_bytes(content)
        (work / "signature").write_bytes(made)
        (work / "chain").write_bytes(by.pem())
        words = ["cms", "-verify", "-binary", "-inform", "DER", "-in", str(work / "signature")]
        words += ["-content", str(work / "content"), "-CAfile", str(work / "chain")]
        words += ["-purpose", "any", "-attime", str(int(at.timestamp())), "-out", str(work / "out")]
        done = subprocess.run([program, *words], capture_output=True, check=False, timeout=60)  # noqa: S603 - no shell, our words
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SignatureRefused(
            f"openssl refuses the signature: {lines[-1] if lines else 'without a word'}",
            next="Compare the certificate and its key, then produce again.",
        )


def _timestamp(over: bytes, authority: Authority, ask: Ask | None, clock: Clock) -> Token | ArchiveError:
    """A timestamp that both implementations accept, or why there is none."""
    if ask is None:
        return NotReached(f"{authority.name} was not asked")
    try:
        request = Request.of(over, authority.policy)
        reply = ask(authority.url, request.encoded(), "application/timestamp-query")
        if reply.status != 200 or reply.media_type != "application/timestamp-reply":
            return NotReached(f"{authority.name} answers {reply.status}, no timestamp")
        return anchors.checked(reply.body, request, _trusted(authority), clock.now())
    except ArchiveError as error:
        return error


def known_roots(tx: Tx, authorities: Sequence[Authority]) -> list[bytes]:
    """The root certificates that the authorities' timestamps lead to: as the ledger's newest led there, or of their own files."""
    found: dict[bytes, None] = {}
    for one in authorities:
        kept = tx.execute(
            select(rows.c.roots).where(rows.c.authority == one.name).order_by(rows.c.key.desc()).limit(1)
        ).scalar()
        if kept is not None:
            found.setdefault(str(kept).encode())
        elif one.roots is not None:
            found.setdefault(_trusted(one))
    return list(found)


def _trusted(authority: Authority) -> bytes:
    """The root certificates that an authority is checked against: its own file, or those that the machine trusts."""
    file = authority.roots or Path(
        ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    )
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadAuthority(f"the root certificates in {file} cannot be read: {error.strerror}") from error


def _digest(file: Path) -> str:
    told = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            told.update(chunk)
    return told.hexdigest()


def _put(file: Path, content: bytes) -> None:
    """Write a file so that it is safe on the disk."""
    with file.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
