"""Witnesses (C2SP tlog-witness): somebody else who remembers the ledger, and signs only what continues it.

Two parts that never meet in one archive. `cosign` asks the witnesses of this
archive's ledger for their signatures. `Desk` is a witness for the ledgers of
others: it checks a checkpoint's signature and that it continues the last one
that was seen, writes the new one down, and only then signs. What it wrote
survives a power cut, so that it never signs two histories of one ledger.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select

from app.db import Tx, to_instant
from app.records.clock import Clock
from app.records.errors import ArchiveError, IntegrityFailure, Invalid, Refused
from app.store import attempts, folders, merkle
from app.store.asking import Ask, NotReached, Reply
from app.store.attempts import COSIGNATURE
from app.store.note import (
    Checkpoint,
    Cosigner,
    NoteBroken,
    Verifier,
    WitnessKey,
    cosigned_at,
    opened,
    parts_of,
    signatures,
)
from app.store.sealing import new_secret
from app.store.store import Store
from app.store.tables import checkpoints, cosignatures

_LONGEST_PROOF = 63
_LONGEST_QUESTION = 64 * 1024
_MOST_AT_ONCE = 32
_MOST_FORKS = 100
_SLACK = timedelta(minutes=5)
"""How far ahead of ours a witness's clock may be."""


class BadWitness(Invalid):
    """A witness cannot be used as it is named."""

    code = "bad-witness"


class WitnessDisagrees(IntegrityFailure):
    """A witness remembers another history of this ledger than the one that is here."""

    code = "witness-disagrees"


class WitnessBroken(IntegrityFailure):
    """What a witness remembers cannot be read; it signs nothing rather than begin anew."""

    code = "witness-broken"


class WitnessBusy(Refused):
    """Another process is the witness of this folder already."""

    code = "witness-busy"


# -- asking witnesses --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Witness:
    """Who cosigns: where it is asked, and the key that it signs with."""

    url: str = field(repr=False)
    key: WitnessKey

    @property
    def name(self) -> str:
        return self.key.line()


def witnesses(setting: str) -> list[Witness]:
    """The witnesses that `MUNIMENT_WITNESSES` names: `url#verifier-key`, with commas."""
    found = []
    for one in filter(None, (part.strip() for part in setting.split(","))):
        url, _, key = one.partition("#")
        if not url.startswith(("http://", "https://")):
            raise BadWitness(f"{url!r} is no address of a witness", next="Write http:// or https://.")
        try:
            found.append(Witness(url.rstrip("/"), WitnessKey.parse(key)))
        except NoteBroken as error:
            raise BadWitness(
                f"the witness at {url} has no key: {error}",
                next="Write its verifier key after its address: address#name+id+key.",
            ) from error
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking one witness: its ledger entry, or why there is none."""

    witness: str
    size: int
    entry: int | None
    error: ArchiveError | None


def cosign(
    store: Store, asked: Sequence[Witness], ask: Ask, *, by: UUID | None, why: str, note: str | None = None
) -> list[Outcome]:
    """Have `asked` cosign the checkpoint `note`, or one signed now; keep and log each cosignature.

    Raises nothing for what a witness does: a refusal is an outcome, and one
    that tells of another history is `WitnessDisagrees`.
    """
    note = note or store.ledger.checkpoint()
    text = opened(note, store.ledger.verifier())
    said = Checkpoint.parse(text)
    told = []
    for one in asked:
        with store.database.read() as tx:
            known = _newest(tx, one)
        if known == said.size:
            continue
        try:
            line = _asked(store, one, ask, note, text, said, known)
        except ArchiveError as error:
            told.append(Outcome(one.key.name, said.size, None, error))
            _tried(store, one, said.size, error, by, why)
        else:
            told.append(
                Outcome(one.key.name, said.size, _keep(store, one, said.size, text, line, by, why), None)
            )
    return told


def lines_over(tx: Tx, size: int) -> list[tuple[WitnessKey, str]]:
    """The cosignatures of the checkpoint of `size` entries, each with its witness's key."""
    rows = tx.execute(select(cosignatures).where(cosignatures.c.size == size).order_by(cosignatures.c.key))
    return [(WitnessKey.parse(str(row.witness)), str(row.line)) for row in rows]


def wrong(store: Store, tx: Tx) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the cosignatures that are kept: a code, a sentence and a place each."""
    for row in tx.execute(select(cosignatures).order_by(cosignatures.c.key)):
        line, place = str(row.line), f"cosignature {row.entry}"
        entry = msgspec.json.decode(store.ledger.entry(tx, row.entry))
        told = (entry.get("cosignature"), entry.get("size"))
        if told != (hashlib.sha256(line.encode()).hexdigest(), row.size):
            yield "cosignature-altered", "the cosignature is not the one that its entry notes", place
            continue
        note = tx.execute(select(checkpoints.c.note).where(checkpoints.c.size == row.size)).scalar_one()
        try:
            key = WitnessKey.parse(str(row.witness))
            at = cosigned_at(parts_of(str(note))[0], signatures(line)[0], key)
            if to_instant(at) != row.at:
                yield "cosignature-altered", "the row states another time than the cosignature", place
        except NoteBroken as error:
            yield "cosignature-altered", str(error), place


def newest_over(tx: Tx, entry: int) -> int | None:
    """The size of the newest cosigned checkpoint that covers an entry; None while there is none."""
    return tx.execute(select(func.max(cosignatures.c.size)).where(cosignatures.c.size > entry)).scalar()


def _newest(tx: Tx, one: Witness) -> int:
    """The size that this witness cosigned last, 0 where it never did."""
    largest = tx.execute(
        select(func.max(cosignatures.c.size)).where(cosignatures.c.witness == one.name)
    ).scalar()
    return largest or 0


def _asked(store: Store, one: Witness, ask: Ask, note: str, text: str, said: Checkpoint, known: int) -> str:
    """The cosignature, as a line; where the witness remembers another size than we thought, it is asked once more."""
    old = known
    for _ in range(2):
        reply = ask(f"{one.url}/add-checkpoint", _question(store, old, note, said), "text/plain")
        if reply.status == 200:
            return _ours(store, one, text, reply)
        if reply.status == 422:
            raise _disagrees(one, "cannot follow it to this checkpoint")
        if reply.status != 409:
            raise NotReached(f"{one.key.name} answers {reply.status}")
        remembered = _size_in(one, reply)
        if remembered == old:
            raise _disagrees(one, f"has seen another checkpoint of {old} entries")
        if remembered > said.size:
            if _is_ours(store, remembered):
                raise NotReached(f"{one.key.name} has seen a newer checkpoint of this ledger already")
            raise _disagrees(one, f"has seen {remembered} entries where there are {said.size}")
        old = remembered
    raise NotReached(f"{one.key.name} names another size each time")


def _disagrees(one: Witness, says: str) -> WitnessDisagrees:
    return WitnessDisagrees(
        f"{one.key.name} remembers another history of this ledger: it {says}",
        next="Keep this copy as evidence: it was altered, or an older one was put in its place. Call the witness.",
    )


def _question(store: Store, old: int, note: str, said: Checkpoint) -> bytes:
    proof = store.ledger.consistency(old, said.size) if 0 < old <= said.size else []
    lines = "".join(f"{base64.b64encode(part).decode()}\n" for part in proof)
    return f"old {old}\n{lines}\n{note}".encode()


def _size_in(one: Witness, reply: Reply) -> int:
    told = re.fullmatch(rb"(0|[1-9][0-9]{0,17})\n", reply.body)
    if reply.media_type != "text/x.tlog.size" or told is None:
        raise NotReached(f"{one.key.name} answers 409 without the size that it remembers")
    return int(told[1])


def _is_ours(store: Store, size: int) -> bool:
    with store.database.read() as tx:
        return tx.execute(select(checkpoints.c.size).where(checkpoints.c.size == size)).scalar() is not None


def _ours(store: Store, one: Witness, text: str, reply: Reply) -> str:
    """The line by the key that we know; lines of other keys are passed over."""
    try:
        found = [
            line
            for line in signatures(reply.body.decode())
            if (line.name, line.id) == (one.key.name, one.key.id)
        ]
        if not found:
            raise NotReached(f"{one.key.name} answers without a signature of its key")
        at = cosigned_at(text, found[0], one.key)
    except (UnicodeDecodeError, NoteBroken) as error:
        raise NotReached(f"{one.key.name} answers with what is no cosignature: {error}") from error
    if at > store.clock.now() + _SLACK:
        raise NotReached(f"{one.key.name} signs with a time that has not come")
    return found[0].line


def _tried(
    store: Store, one: Witness, size: int, error: ArchiveError | None, by: UUID | None, why: str
) -> None:
    with store.database.begin() as tx:
        _note(store, tx, one, size, error, by, why)


def _note(
    store: Store, tx: Tx, one: Witness, size: int, error: ArchiveError | None, by: UUID | None, why: str
) -> None:
    failure = error.code if error else None
    attempts.note(
        store, tx, COSIGNATURE, one.name, size, failure=failure, says=str(error or ""), by=by, why=why
    )


def _keep(store: Store, one: Witness, size: int, text: str, line: str, by: UUID | None, why: str) -> int:
    at = cosigned_at(text, signatures(line)[0], one.key)
    with store.database.begin() as tx:
        entry = store.ledger.act(
            tx,
            COSIGNATURE,
            by=by,
            why=why,
            facts={"size": size, "cosignature": hashlib.sha256(line.encode()).hexdigest()},
            detail={"witness": one.name, "at": at.isoformat()},
        )
        tx.execute(
            insert(cosignatures).values(
                entry=entry, size=size, witness=one.name, at=to_instant(at), line=line
            )
        )
        _note(store, tx, one, size, None, by, why)
    return entry


# -- being a witness ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What the desk answers, in the words of HTTP."""

    status: int
    body: str = ""
    media_type: str = "text/plain; charset=utf-8"


class Desk:
    """A witness for the ledgers of others: its key, and the last checkpoint that it signed of each."""

    def __init__(self, folder: Path, name: str, logs: Sequence[Verifier], clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        self._logs: Mapping[str, Sequence[Verifier]] = {
            log.name: [one for one in logs if one.name == log.name] for log in logs
        }
        folders.make(folder, mode=0o700)  # a witness whose folder a power cut takes has forgotten what it saw
        folders.make(folder / "seen")
        self._alone = self._lock()
        self._one = threading.Lock()
        self.cosigner = Cosigner(name, self._secret())

    def close(self) -> None:
        """Let another process be the witness of this folder."""
        os.close(self._alone)

    def add_checkpoint(self, question: bytes) -> Answer:
        """Answer one `add-checkpoint` (tlog-witness): a cosignature, or the refusal that the specification says."""
        read = _read_question(question)
        if read is None:
            return Answer(400, "the question is not written as c2sp.org/tlog-witness says\n")
        old, proof, note, text, said = read
        keys = self._logs.get(said.origin)
        if not keys:
            return Answer(404, "this ledger is not known here\n")
        if not any(_signed_by(note, key) for key in keys):
            return Answer(403, "no signature is by a key of this ledger\n")
        if old > said.size:
            return Answer(400, "the old size is larger than the checkpoint's\n")
        with self._one:  # looked at and written down as one, or two could pass each other
            return self._decided(old, proof, note, text, said)

    def _decided(self, old: int, proof: Sequence[bytes], note: str, text: str, said: Checkpoint) -> Answer:
        last = self.last(said.origin)
        size, root = (last.size, last.root) if last else (0, merkle.EMPTY_ROOT)
        if old != size:
            return _conflict(size)
        if old == said.size and root != said.root:
            self._keep_fork(note)
            return _conflict(size)
        fits = (
            not proof
            if old in {0, said.size}
            else merkle.check_consistency(old, said.size, root, said.root, proof)
        )
        if not fits or (said.size == 0 and said.root != merkle.EMPTY_ROOT):
            self._keep_fork(note)
            return Answer(422, "the proof does not lead from the last checkpoint to this one\n")
        if last is None or said.size > size:
            _put(self._file(said.origin), text)
        return Answer(200, self.cosigner.cosign(text, self.clock.now()))

    def last(self, origin: str) -> Checkpoint | None:
        """The last checkpoint of a ledger that was signed here; None where none ever was."""
        try:
            said = Checkpoint.parse(self._file(origin).read_text())
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, NoteBroken) as error:
            raise WitnessBroken(f"what is remembered of {origin} cannot be read: {error}") from error
        if said.origin != origin:
            raise WitnessBroken(f"what is remembered of {origin} speaks of {said.origin}")
        return said

    def _file(self, origin: str) -> Path:
        return self.folder / "seen" / hashlib.sha256(origin.encode()).hexdigest()

    def _keep_fork(self, note: str) -> None:
        """A signed checkpoint that does not continue the last one is evidence against its ledger."""
        forks = self.folder / "forks"
        forks.mkdir(exist_ok=True)
        if sum(1 for _ in forks.iterdir()) < _MOST_FORKS:
            _put(forks / hashlib.sha256(note.encode()).hexdigest(), note)

    def _secret(self) -> bytes:
        file = self.folder / "key"
        if not file.exists():
            _put(file, new_secret().hex() + "\n")
        told = file.read_text()
        if not re.fullmatch("[0-9a-f]{64}\n", told):
            raise WitnessBroken(f"{file} holds no key", next="Put the witness's key back from its backup.")
        return bytes.fromhex(told)

    def _lock(self) -> int:
        handle = os.open(self.folder / "lock", os.O_RDONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise WitnessBusy(
                f"another process is the witness in {self.folder}",
                next="Stop it first, or name another folder.",
            ) from error
        return handle


def _conflict(size: int) -> Answer:
    return Answer(409, f"{size}\n", "text/x.tlog.size")


def _read_question(question: bytes) -> tuple[int, list[bytes], str, str, Checkpoint] | None:
    try:
        head, _, note = question.decode().partition("\n\n")
        first, *lines = head.split("\n")
        old = re.fullmatch("old (0|[1-9][0-9]{0,17})", first, re.ASCII)
        proof = [base64.b64decode(line, validate=True) for line in lines]
        text, _ = parts_of(note)
        said = Checkpoint.parse(text)
    except (ValueError, NoteBroken):
        return None
    if old is None or len(proof) > _LONGEST_PROOF or any(len(part) != 32 for part in proof):
        return None
    return int(old[1]), proof, note, text, said


def _signed_by(note: str, key: Verifier) -> bool:
    try:
        opened(note, key)
    except NoteBroken:
        return False
    return True


def _put(file: Path, text: str) -> None:
    """Write a file whole, or not at all, so that it survives a power cut when this returns."""
    coming = file.with_name(file.name + ".new")
    coming.unlink(missing_ok=True)
    handle = os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    coming.replace(file)
    folders.sync(file.parent)


class Server(ThreadingHTTPServer):
    """The desk's door: `POST /add-checkpoint` and, to be told whose signature to look for, `GET /vkey`."""

    daemon_threads = True

    def __init__(self, desk: Desk, host: str, port: int) -> None:
        self.desk = desk
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._room.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Muniment", ""
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # the base class's name for it
        """Who asks is nobody's business; what was signed is on disk."""

    def do_GET(self) -> None:
        if self.path == "/vkey":
            self._say(Answer(200, self.server.desk.cosigner.key().line() + "\n"))
        else:
            self._say(Answer(404, "nothing is here\n"))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _LONGEST_QUESTION:
            self.close_connection = True
            self._say(Answer(413 if length else 411, "say how long the question is; it is never long\n"))
            return
        question = self.rfile.read(int(length))
        if self.path != "/add-checkpoint":
            self._say(Answer(404, "nothing is here\n"))
            return
        try:
            self._say(self.server.desk.add_checkpoint(question))
        except ArchiveError:
            self._say(Answer(500, "the witness cannot read what it remembers, and signs nothing\n"))

    def _say(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
