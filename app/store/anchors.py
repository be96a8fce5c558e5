"""Trusted time: timestamps of others (RFC 3161) over the ledger's checkpoints.

An archive's own clock proves nothing against the archive. So each checkpoint,
as the ledger signed it, is shown to authorities that sign when they saw it.
What they give is checked by two implementations that know nothing of each
other before it is kept, and its digest is a ledger entry: the next checkpoint
covers that entry, and the next timestamp covers that checkpoint, so that newer
signatures keep vouching for older ones (the effect of RFC 4998).

Nothing waits for an authority. Where none answers, that is written down, and
`window` says how much rests on the archive's own word.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import (
    PKIStatus,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from sqlalchemy import func, insert, select

from app.db import Tx, from_instant, to_instant
from app.records.errors import ArchiveError, Invalid, Refused, Unavailable
from app.records.panics import calmed
from app.store import attempts, witness
from app.store.asking import Ask, NotReached, spoken
from app.store.attempts import ANCHOR, Standing
from app.store.note import Checkpoint, opened
from app.store.store import Store
from app.store.tables import anchors, checkpoints
from app.store.witness import Witness

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_WHY = "trusted time"
_SIDE_BY_SIDE = 8


class BadAuthority(Invalid):
    """A timestamp authority cannot be used as the setting names it."""

    code = "bad-authority"


class NoAuthority(Refused):
    """Nobody is configured who could timestamp the ledger."""

    code = "no-authority"


class TokenRefused(Unavailable):
    """An authority's answer is not a timestamp that both checks accept; it was not kept."""

    code = "token-refused"


@dataclass(frozen=True, slots=True)
class Authority:
    """Who timestamps: where it is asked, the root its certificate leads to, and the policy that is demanded of it."""

    url: str = field(repr=False)
    roots: Path | None = None
    policy: str | None = None

    @property
    def name(self) -> str:
        """The address as it may be written down."""
        return spoken(self.url)


def authorities(setting: str) -> list[Authority]:
    """The authorities that `MUNIMENT_TIMESTAMP_URLS` names: `url`, `url#root-file` or `url#root-file#policy`, with commas."""
    found = []
    for one in filter(None, (part.strip() for part in setting.split(","))):
        url, _, rest = one.partition("#")
        roots, _, policy = rest.partition("#")
        if not url.startswith(("http://", "https://")):
            raise BadAuthority(
                f"{url!r} is no address of a timestamp authority", next="Write http:// or https://."
            )
        if policy and not _is_policy(policy):
            raise BadAuthority(f"{policy!r} is no policy", next="Write its number, such as 1.2.3.4.")
        found.append(Authority(url, Path(roots) if roots else None, policy or None))
    return found


# -- asking (RFC 3161, 2.4.1) ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What an authority is asked: to say when it saw these bytes."""

    message: bytes
    nonce: int
    policy: str | None

    @classmethod
    def of(cls, message: bytes, policy: str | None = None) -> Request:
        """A request with a nonce that nobody could foresee, so that no older answer fits."""
        return cls(message, secrets.randbits(63) | 1 << 62, policy)

    def encoded(self) -> bytes:
        """TimeStampReq in DER, version 1, with the authority's certificate asked for."""
        digest = hashlib.sha256(self.message).digest()
        imprint = _der(0x30, _der(0x30, _oid(_SHA256.dotted_string) + _der(0x05, b"")) + _der(0x04, digest))
        policy = _oid(self.policy) if self.policy else b""
        return _der(0x30, _integer(1) + imprint + policy + _integer(self.nonce) + _der(0x01, b"\xff"))


def _der(tag: int, content: bytes) -> bytes:
    """A value in DER; nothing here is longer than 255 bytes."""
    length = len(content)
    return bytes([tag, length] if length < 0x80 else [tag, 0x81, length]) + content


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    coded = bytearray()
    for part in (40 * first + second, *rest):
        septets = [part & 0x7F]
        while part := part >> 7:
            septets.append(part & 0x7F | 0x80)
        coded += bytes(reversed(septets))
    return _der(0x06, bytes(coded))


def _is_policy(text: str) -> bool:
    try:
        x509.ObjectIdentifier(text)
    except ValueError:
        return False
    return len(text) < 100


# -- checking ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Token:
    """A timestamp that both implementations accept."""

    body: bytes = field(repr=False)
    at: datetime
    policy: str
    serial: int
    roots: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body).digest()


def checked(body: bytes, request: Request, roots: bytes, now: datetime) -> Token:
    """A token that answers `request`, or `TokenRefused`.

    Granted; over these bytes; with this nonce and policy; by a certificate for
    timestamping that leads to `roots`, both at the time that the token states
    and `now`. rfc3161-client and openssl MUST agree.
    """
    try:
        with calmed():
            read = decode_timestamp_response(body)
        if PKIStatus(read.status) != PKIStatus.GRANTED:
            raise TokenRefused(f"the authority refused: {', '.join(read.status_string) or read.status}")
        if read.as_bytes() != body:
            raise TokenRefused("the answer holds more than a timestamp")
        info = read.tst_info
        if info.message_imprint.hash_algorithm != _SHA256:
            raise TokenRefused("the timestamp is over another kind of digest")
        chain = _leading(read, roots)
        verifier = VerifierBuilder(
            policy_id=x509.ObjectIdentifier(request.policy) if request.policy else None,
            nonce=request.nonce,
            roots=chain,
        ).build()
        with calmed():
            verifier.verify_message(read, request.message)
    except VerificationError as error:
        raise TokenRefused(f"rfc3161-client refuses the timestamp: {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise TokenRefused(f"the answer is no timestamp: {error}") from error
    told = "".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in chain)
    _openssl(body, request, told, now)
    at = info.gen_time if info.gen_time.tzinfo else info.gen_time.replace(tzinfo=UTC)
    return Token(body, at, info.policy.dotted_string, info.serial_number, told)


def _leading(read: TimeStampResponse, roots: bytes) -> list[x509.Certificate]:
    """Those of `roots` to which the token's certificates lead by name, and to which those lead."""
    try:
        known = x509.load_pem_x509_certificates(roots)
    except ValueError as error:
        raise TokenRefused("the file of root certificates cannot be read") from error
    wanted = {x509.load_der_x509_certificate(one).issuer for one in read.signed_data.certificates}
    found: list[x509.Certificate] = []
    while more := [one for one in known if one.subject in wanted and one not in found]:
        found += more
        wanted |= {one.issuer for one in more}
    if not found:
        raise TokenRefused("the timestamp's certificate leads to no root that is trusted")
    return found


def _openssl(body: bytes, request: Request, roots: str, now: datetime) -> None:
    """The second opinion: `openssl ts -verify` against the request itself, by our own clock."""
    program = shutil.which("openssl")
    if program is None:
        raise TokenRefused("openssl is not there to check the timestamp", next="Install openssl.")
    with tempfile.TemporaryDirectory(prefix="muniment-") as name:
        work = Path(name)
        (work / "query").write_bytes(request.encoded())
        (work / "token").write_bytes(body)
        (work / "roots").write_text(roots)
        words = ["ts", "-verify", "-queryfile", str(work / "query"), "-in", str(work / "token")]
        words += ["-CAfile", str(work / "roots"), "-attime", str(int(now.timestamp()))]
        done = subprocess.run([program, *words], capture_output=True, check=False, timeout=60)  # noqa: S603 - no shell, our words
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise TokenRefused(f"openssl refuses the timestamp: {lines[-1] if lines else 'without a word'}")


def _roots(authority: Authority) -> bytes:
    """The root certificates that an authority is checked against: its own file, or those that the machine trusts."""
    own = authority.roots
    file = own or Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt")
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadAuthority(
            f"the root certificates in {file} cannot be read: {error.strerror}",
            next="Write the file of the authority's root certificate after its address: address#file.",
        ) from error


# -- anchoring ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Anchored:
    """A timestamp that is kept: by whom, over how many entries, when, and the ledger entry that notes it."""

    authority: str
    size: int
    at: datetime
    entry: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class NotAnchored:
    """An authority that gave no timestamp that could be kept, and why."""

    authority: str
    error: ArchiveError


@dataclass(frozen=True, slots=True)
class Anchoring:
    """What came of asking: over which checkpoint, and from whom."""

    size: int
    kept: Sequence[Anchored]
    failed: Sequence[NotAnchored]
    seen: Sequence[witness.Outcome] = ()


def anchor(
    store: Store,
    asked: Sequence[Authority],
    ask: Ask,
    *,
    by: UUID | None,
    why: str,
    note: str | None = None,
) -> Anchoring:
    """Have `asked` timestamp the checkpoint `note`, or one signed now; keep what both checks accept.

    Each token kept has a ledger entry; so has the first failure of an
    authority that answered before. Raises nothing for what an authority does.
    """
    note = note or store.ledger.checkpoint()
    size = Checkpoint.parse(opened(note, store.ledger.verifier())).size
    message = note.encode()

    def one(authority: Authority) -> Token | ArchiveError:
        try:
            roots = _roots(authority)
            request = Request.of(message, authority.policy)
            reply = ask(authority.url, request.encoded(), "application/timestamp-query")
            if reply.status != 200 or reply.media_type != "application/timestamp-reply":
                raise NotReached(
                    f"{authority.name} answers {reply.status} {reply.media_type or 'of no type'}, no timestamp"
                )
            return checked(reply.body, request, roots, store.clock.now())
        except ArchiveError as error:
            return error

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as together:
        told = list(together.map(one, asked))
    kept: list[Anchored] = []
    failed: list[NotAnchored] = []
    with store.database.begin() as tx:
        for authority, token in zip(asked, told, strict=True):
            if isinstance(token, ArchiveError):
                failed.append(NotAnchored(authority.name, token))
                _note(store, tx, authority, size, token, by, why)
            else:
                kept.append(_keep(store, tx, authority, size, token, by, why))
    return Anchoring(size, kept, failed)


def _note(
    store: Store,
    tx: Tx,
    authority: Authority,
    size: int,
    error: ArchiveError | None,
    by: UUID | None,
    why: str,
) -> None:
    attempts.note(
        store,
        tx,
        ANCHOR,
        authority.name,
        size,
        failure=error.code if error else None,
        says=str(error or ""),
        by=by,
        why=why,
    )


def _keep(
    store: Store, tx: Tx, authority: Authority, size: int, token: Token, by: UUID | None, why: str
) -> Anchored:
    now = store.clock.now()
    before = attempts.standing(tx, ANCHOR, authority.name)
    entry = store.ledger.act(
        tx,
        ANCHOR,
        by=by,
        why=why,
        facts={"size": size, "token": token.digest.hex()},
        detail={
            "authority": authority.name,
            "at": token.at.isoformat(),
            "policy": token.policy,
            "serial": str(token.serial),
            "clock_ahead_seconds": str((now - token.at).total_seconds()),
            "last": before.done.isoformat() if before.done else None,
        },
    )
    tx.execute(
        insert(anchors).values(
            entry=entry,
            size=size,
            authority=authority.name,
            at=to_instant(token.at),
            kept_at=to_instant(now),
            policy=token.policy,
            serial=str(token.serial),
            digest=token.digest,
            token=token.body,
            roots=token.roots,
        )
    )
    _note(store, tx, authority, size, None, by, why)
    return Anchored(authority.name, size, token.at, entry, token.digest)


def attest(
    store: Store,
    asked: Sequence[Authority],
    witnesses: Sequence[Witness],
    ask: Ask,
    *,
    by: UUID | None,
    why: str,
) -> Anchoring:
    """Have one and the same checkpoint, signed now, cosigned by `witnesses` and timestamped by `asked`."""
    note = store.ledger.checkpoint()
    seen = witness.cosign(store, witnesses, ask, by=by, why=why, note=note)
    told = anchor(store, asked, ask, by=by, why=why, note=note)
    return Anchoring(told.size, told.kept, told.failed, seen)


def minutely(
    store: Store, asked: Sequence[Authority], witnesses: Sequence[Witness], ask: Ask
) -> Anchoring | None:
    """Ask those who are due, and do nothing where nobody is; to be called every minute, by one process at a time."""
    now = store.clock.now()
    with store.database.read() as tx:
        late = [one for one in asked if _is_due(store, tx, ANCHOR, one.name, now)]
        unseen = [one for one in witnesses if _is_due(store, tx, attempts.COSIGNATURE, one.name, now)]
    if not late and not unseen:
        return None
    return attest(store, late, unseen, ask, by=None, why=_WHY)


def _is_due(store: Store, tx: Tx, kind: str, whom: str, now: datetime) -> bool:
    stands = attempts.standing(tx, kind, whom)
    return attempts.due(stands, attempts.active(store, tx, stands.size), now)


# -- what is proven, and what rests on our own word --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """How much of the ledger rests on the archive's own word alone.

    The first `size` entries are covered by a timestamp; the newest is of
    `newest`. Of those after them `entries` came about by more than
    timestamping, the oldest at `since` by the archive's clock. `delays` are
    the authorities that failed when they were asked last.
    """

    size: int
    newest: datetime | None
    entries: int
    since: datetime | None
    delays: Sequence[Standing]


def unanchored(store: Store, tx: Tx, asked: Sequence[Authority] = ()) -> Window:
    """How wide the window is in which the archive could still have written something else."""
    newest = tx.execute(
        select(anchors.c.size, anchors.c.at).order_by(anchors.c.size.desc(), anchors.c.at).limit(1)
    ).one_or_none()
    size = newest.size if newest else 0
    first = attempts.first_active(store, tx, size)
    since = None
    if first is not None:
        told = msgspec.json.decode(store.ledger.entry(tx, first))["ts"]
        since = datetime.fromisoformat(told)
    return Window(
        size=size,
        newest=from_instant(newest.at) if newest else None,
        entries=attempts.active(store, tx, size),
        since=since,
        delays=attempts.delays(tx, ANCHOR, [one.name for one in asked]),
    )


def proven_by(tx: Tx, entry: int) -> datetime | None:
    """When the entry existed at the latest, by the earliest timestamp that covers it; None while none does."""
    at = tx.execute(select(func.min(anchors.c.at)).where(anchors.c.size > entry)).scalar()
    return None if at is None else from_instant(at)


@dataclass(frozen=True, slots=True)
class Kept:
    """A timestamp as it lies in a row."""

    entry: int
    size: int
    digest: bytes
    token: bytes = field(repr=False)
    roots: str = field(repr=False)


def over(tx: Tx, size: int) -> list[Kept]:
    """The timestamps over the checkpoint of `size` entries."""
    rows = tx.execute(select(anchors).where(anchors.c.size == size).order_by(anchors.c.key))
    return [Kept(row.entry, row.size, bytes(row.digest), bytes(row.token), str(row.roots)) for row in rows]


def first_over(tx: Tx, entry: int) -> int | None:
    """The size of the earliest checkpoint with a timestamp that covers the entry; None while none does."""
    return tx.execute(select(func.min(anchors.c.size)).where(anchors.c.size > entry)).scalar()


def newest_over(tx: Tx, entry: int) -> int | None:
    """The size of the newest checkpoint with a timestamp that covers the entry; None while none does."""
    return tx.execute(select(func.max(anchors.c.size)).where(anchors.c.size > entry)).scalar()


def by_digest(tx: Tx, digest: bytes) -> bytes | None:
    """A timestamp by its SHA-256."""
    found = tx.execute(select(anchors.c.token).where(anchors.c.digest == digest)).scalar()
    return None if found is None else bytes(found)


def signed_note(tx: Tx, size: int) -> str | None:
    """The checkpoint over `size` entries as the ledger signed it: what a timestamp covers. None where none was."""
    note = tx.execute(select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar()
    return None if note is None else str(note)


def wrong(store: Store) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the timestamps and cosignatures that are kept: a code, a sentence and a place each.

    Each is what its ledger entry says, and speaks of the checkpoint that its
    row names. Certificates are not looked at again: that needs their time.
    """
    with store.database.read() as tx:
        for row in tx.execute(select(anchors).order_by(anchors.c.key)):
            note = signed_note(tx, row.size) or ""
            entry = msgspec.json.decode(store.ledger.entry(tx, row.entry))
            token = bytes(row.token)
            told = {"digest": hashlib.sha256(token).hexdigest(), "size": row.size}
            if bytes(row.digest).hex() != told["digest"] or told != {
                "digest": entry.get("token"),
                "size": entry.get("size"),
            }:
                yield (
                    "token-altered",
                    "the timestamp is not the one that its entry notes",
                    f"anchor {row.entry}",
                )
            elif _imprint(token) != hashlib.sha256(note.encode()).digest():
                yield "token-altered", "the timestamp is not over its checkpoint", f"anchor {row.entry}"
            elif _states(token) != (row.at, row.policy, row.serial):
                yield (
                    "token-altered",
                    "the row states something else than the timestamp",
                    f"anchor {row.entry}",
                )
        yield from witness.wrong(store, tx)


def _states(token: bytes) -> tuple[int, str, str]:
    """When a token says that it was given, under which policy and number."""
    with calmed():
        info = decode_timestamp_response(token).tst_info
    at = info.gen_time if info.gen_time.tzinfo else info.gen_time.replace(tzinfo=UTC)
    return to_instant(at), info.policy.dotted_string, str(info.serial_number)


def _imprint(token: bytes) -> bytes | None:
    try:
        with calmed():
            return decode_timestamp_response(token).tst_info.message_imprint.message
    except ValueError:
        return None
