"""Who sealed the production, and when at the latest: the seal, the agency's signature over it, and others' timestamps.

The seal speaks of the bag (through its tag manifest) and of every file beside
it; the signature is over the seal; each timestamp is over the signature, or
over the seal where nobody signed. What is trusted lies in `trust/`, and proves
nothing by itself: whoever forges a folder forges that too. So the reader may
name certificates and keys of their own, and the report says which were used.

Every signature and timestamp is checked by two programs that know nothing of
one another: the strict reader here with rfc3161-client, and openssl.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from app.disclosure.verify import cms
from app.disclosure.verify.findings import Finding, Note, Report, Wrong
from app.disclosure.verify.lying import OUTSIDE, Outside
from app.records.errors import Unavailable
from app.records.panics import calmed
from app.store.canonical import canonical

_FIELDS = ["made_at", "outside_sha256", "production", "tagmanifest_sha256", "v"]
_CHAIN = "trust/agency-chain.pem"
_LARGEST = 1 << 20
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class NoOpenssl(Unavailable):
    """openssl is not there, and a signature or timestamp is checked by it as well."""

    code = "no-openssl"


@dataclass(frozen=True, slots=True)
class Trust:
    """What the reader brings: the agency's certificates, authorities' and the ledger's key. Nothing: the folder's own are used, and said."""

    agency: Sequence[Path] = ()
    authorities: Sequence[Path] = ()
    key: Path | None = None


def look(of: Outside, trust: Trust, report: Report) -> Iterator[Finding | Note]:
    """Check seal, signature and timestamps; a production without signature or timestamp is noted, not found wrong.

    It is found wrong where the reader names somebody whose word is then not there.
    """
    made_at = _seal(of)
    yield from _asked_for(of, trust)
    report.count("seals")
    stamps, times = of.timestamps(), []
    for stamp in stamps:
        told = yield from _timestamp(of.stamped, stamp, _authorities(of, trust), own=bool(trust.authorities))
        times += told
        report.count("timestamps")
    if not stamps:
        yield Note(
            "no-timestamp",
            "nobody else timestamped the production: when it was made rests on the agency's own word",
        )
    if of.signature.exists():
        yield from _signature(of, trust, min(times, default=made_at))
        report.count("signatures")
    else:
        yield Note("unsigned", "the agency did not sign the production: who made it rests on how you got it")


def _asked_for(of: Outside, trust: Trust) -> Iterator[Finding]:
    """Whether there is anything by those whom the folder or the reader names: what is left out vouches for nothing."""
    proof = of.data / "proof"
    if trust.agency and not of.signature.exists():
        yield Finding("file-missing", "you named who signs, and nobody signed", of.signature.name)
    elif (of.folder / _CHAIN).exists() and not of.signature.exists():
        yield Finding("file-missing", f"{_CHAIN} is there for it", of.signature.name)
    stamps = (*of.timestamps(), *proof.glob("*.tsr"), *proof.glob("history/*/*.tsr"))
    if trust.authorities and not stamps:
        where = f"{of.stamped.name.removesuffix('.json')}.tsr"
        yield Finding("file-missing", "you named who timestamps, and there is no timestamp", where)
    if trust.key is not None and not (proof / "checkpoint").exists():
        what = "you named the key of a ledger, and nothing of a ledger is there"
        yield Finding("file-missing", what, "bag/data/proof/checkpoint")


# -- the seal ----------------------------------------------------------------------------------------------


def _seal(of: Outside) -> datetime:
    where = of.seal.name
    body = _small(of.seal, "seal-form")
    try:
        told = msgspec.json.decode(body, type=dict[str, object])
        made_at = datetime.strptime(str(told.get("made_at")), _TIME).replace(tzinfo=UTC)
        if canonical(told) != body or sorted(told) != _FIELDS or told["v"] != 1:
            raise ValueError
    except (ValueError, msgspec.MsgspecError) as error:
        raise Wrong("seal-form", "it is not a seal as one is written", where) from error
    if str(told["production"]).lower() != of.number:
        raise Wrong("seal-differs", "it is the seal of another production", where)
    for name, file in (
        ("tagmanifest_sha256", of.bag / "tagmanifest-sha256.txt"),
        ("outside_sha256", of.folder / OUTSIDE),
    ):
        if told[name] != _digest(file):
            raise Wrong(
                "seal-differs", "it does not speak of this file", f"{where}, {file.relative_to(of.folder)}"
            )
    return made_at


# -- the signature -----------------------------------------------------------------------------------------


def _signature(of: Outside, trust: Trust, at: datetime) -> Iterator[Finding | Note]:
    where = of.signature.name
    body, content = _small(of.signature, "signature-form"), _small(of.seal, "seal-form")
    files = trust.agency or [of.folder / _CHAIN]
    known = [one for file in files for one in _certificates(file, "signature-untrusted", of)]
    try:
        told = cms.signed(body)
        if told.kind != cms.DATA or told.content is not None or told.strangers(known):
            raise cms.NotSigned("it holds a content of its own, or certificates of others")
    except cms.NotSigned as error:
        raise Wrong("signature-form", f"it is not a signature as one is written: {error}", where) from error
    try:
        told.check(content)
    except cms.Forged as error:
        raise Wrong("signature-differs", str(error), f"{where}, {of.seal.name}") from error
    words = ["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-out", "/dev/null"]
    words += ["-attime", str(int(at.timestamp()))]
    if not _openssl(words, {"-in": body, "-content": content}, known):
        raise Wrong(
            "signature-untrusted",
            "openssl does not find that its certificate leads to one that is trusted",
            where,
        )
    name = told.signer.subject.rfc4514_string()
    whose = (
        "certificates that you named"
        if trust.agency
        else f"{_CHAIN}, which only shows that the folder fits together"
    )
    yield Note("signed-by", f"{name}, by {whose}")


# -- timestamps --------------------------------------------------------------------------------------------


def _timestamp(
    message: Path, stamp: Path, authorities: Sequence[Path], *, own: bool
) -> Generator[Finding | Note, None, list[datetime]]:
    """Check one timestamp; it returns its time in a list, empty where it is wrong."""
    try:
        at = stamped(
            _small(message, "signature-form"), _small(stamp, "timestamp-form"), authorities, stamp.name
        )
    except Wrong as wrong:
        yield wrong.finding
        return []
    whose = (
        "an authority that you named"
        if own
        else "a certificate in trust/, which only shows that the folder fits together"
    )
    yield Note("timestamped", f"{stamp.name}: {at.strftime(_TIME)}, by {whose}")
    return [at]


def stamped(
    message: bytes, body: bytes, authorities: Sequence[Path], where: str, codes: str = "timestamp"
) -> datetime:
    """When an authority saw `message`; raises `Wrong` unless two programs accept it under one of `authorities`."""
    try:
        with calmed():
            read = decode_timestamp_response(body)
        told = cms.signed(cms.token_of(body))
        if read.as_bytes() != body or told.kind != cms.TIMESTAMP or told.content is None:
            raise cms.NotSigned("it is not written in the one way")
        roots = [(file, _certificates(file, f"{codes}-untrusted", None)) for file in authorities]
        known = [one for _, some in roots for one in some]
        told.check(told.content)
    except cms.Forged as error:
        raise Wrong(f"{codes}-differs", str(error), where) from error
    except (cms.NotSigned, ValueError, TypeError, AttributeError) as error:
        raise Wrong(
            f"{codes}-form", f"it is not a granted timestamp as one is written: {error}", where
        ) from error
    info = read.tst_info
    if info.message_imprint.message != hashlib.sha256(message).digest():
        raise Wrong(f"{codes}-differs", "it is a timestamp of something else", where)
    at = info.gen_time if info.gen_time.tzinfo else info.gen_time.replace(tzinfo=UTC)
    for _, some in roots:
        if _vouched(message, body, some, at):
            if told.strangers(known):
                raise Wrong(f"{codes}-form", "it holds certificates that nobody vouches for", where)
            return at
    raise Wrong(f"{codes}-untrusted", "no authority that is trusted vouches for it", where)


def _vouched(message: bytes, body: bytes, roots: Sequence[x509.Certificate], at: datetime) -> bool:
    if not roots:
        return False
    try:
        with calmed():
            VerifierBuilder(roots=list(roots)).build().verify_message(
                decode_timestamp_response(body), message
            )
    except (VerificationError, ValueError):
        return False
    words = ["ts", "-verify", "-attime", str(int(at.timestamp()))]
    return _openssl(words, {"-data": message, "-in": body}, roots)


def _authorities(of: Outside, trust: Trust) -> Sequence[Path]:
    return trust.authorities or sorted((of.folder / "trust").glob("tsa-*.pem"))


# -- certificates and openssl ------------------------------------------------------------------------------


def _certificates(file: Path, code: str, of: Outside | None) -> list[x509.Certificate]:
    where = file.relative_to(of.folder).as_posix() if of and file.is_relative_to(of.folder) else file.name
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Wrong(code, "its certificates cannot be read", where) from error


def _openssl(words: Sequence[str], files: dict[str, bytes], roots: Sequence[x509.Certificate]) -> bool:
    """Whether openssl accepts it, with nothing trusted but `roots`."""
    program = shutil.which("openssl")
    if program is None:
        raise NoOpenssl("openssl is not there to check signatures and timestamps", next="Install openssl.")
    with tempfile.TemporaryDirectory(prefix="muniment-") as name:
        work = Path(name)
        (work / "roots.pem").write_bytes(b"".join(_pem(one) for one in roots))
        for number, (option, content) in enumerate(files.items()):
            (work / str(number)).write_bytes(content)
            words = [*words, option, str(work / str(number))]
        words = [*words, "-CAfile", str(work / "roots.pem")]
        if words[0] == "cms":
            words = [*words, "-partial_chain", "-no-CApath", "-no-CAstore"]
        done = subprocess.run([program, *words], capture_output=True, check=False, timeout=60)  # noqa: S603 - no shell, our words
    return done.returncode == 0


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _small(file: Path, code: str) -> bytes:
    with file.open("rb") as content:
        body = content.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise Wrong(code, "it is larger than any of its kind", file.name)
    return body
