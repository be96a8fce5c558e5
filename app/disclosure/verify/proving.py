"""Whether the records of a production stood in the agency's ledger, as they are released, under a checkpoint that others saw.

One checkpoint stands for all proofs. So its signature, cosignatures and
timestamps are checked once, and of each document only what is its own: that
the entry leads to that root, that statement and salt are what the entry
committed to, that each field that is shown is one of the statement's, and that
the payload is what the statement speaks of. Of a record that is withheld, only
its entry may lie here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from app.disclosure.verify.findings import Finding, Note, Report, Wrong
from app.disclosure.verify.lying import Outside, names, shown
from app.disclosure.verify.seal import Trust, stamped
from app.store import merkle
from app.store.canonical import canonical
from app.store.note import (
    Checkpoint,
    NoteBroken,
    Verifier,
    WitnessKey,
    cosigned_at,
    opened,
    parts_of,
    proof_parts,
)
from app.store.statement import commit, digest_of

NEVER_IN_PART = frozenset({"payloads", "extra", "attachments", "seen", "in_reply_to", "html"})
"""Fields that would tell what was taken out, or lead to it: never shown of a record that is redacted."""
_SHARED = re.compile(r"checkpoint|cosignatures|log\.vkey|witnesses\.vkey|[0-9a-f]{64}\.(?:tsr|pem)")
_FOLDERS = frozenset({"items", "history", "completeness", "disposal"})
_HISTORY = re.compile(r"checkpoint|consistency|[0-9a-f]{64}\.(?:tsr|pem)")
_OWN = ("disclosures.txt", "entry.json", "item.tlog-proof", "salt.hex", "statement.json")
_PAYLOAD = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SALT = re.compile(rb"[0-9a-f]{64}\n")
_ENTRY = re.compile(
    rb'\{"c":"([0-9a-f]{64})","item":"([0-9a-f]{32})","ts":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",'
    rb'"type":"capture","v":1,"ver":([1-9][0-9]{0,14})\}'
)
_DISCLOSURE = re.compile(r"[A-Za-z0-9_-]+")
_LARGEST = 64 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Shared:
    """What every proof of a production stands under."""

    note: str
    said: Checkpoint
    key: Verifier


@dataclass(frozen=True, slots=True)
class Proven:
    """A version of a record that stood in the ledger: where, and those of its fields that are shown."""

    record: str
    version: int
    entry: int
    commitment: str
    leaf: bytes
    """The hash of its entry in the tree."""
    withheld: bool
    fields: Mapping[str, Any] = field(default_factory=dict)
    observed: str = ""


def shared(of: Outside, trust: Trust, report: Report) -> Generator[Finding | Note, None, Shared | None]:
    """Check the checkpoint with all who signed it; it returns what the proofs stand under, or None."""
    folder = of.data / "proof"
    try:
        under, seen = _checkpoint(folder, of, trust)
    except Wrong as wrong:
        yield wrong.finding
        return None
    report.count("checkpoints")
    yield Note(
        "ledger",
        f"{under.said.origin}, {under.said.size} entries, key {under.key.id.hex()}"
        + ("" if trust.key else "; get the key from the agency by another way, and name it with --key"),
    )
    for name, when in seen:
        yield Note("witnessed", f"{name} at {when}")
    if not seen:
        yield Note("no-witness", "no witness cosigned the checkpoint")
    for path in sorted(folder.iterdir()):
        if not (_SHARED.fullmatch(path.name) if path.is_file() else path.name in _FOLDERS):
            yield Finding("proof-unknown", "a production's proofs do not hold this", _where(of, path))
    history = folder / "history"
    for path in sorted(history.iterdir()) if history.is_dir() else ():
        if not path.is_dir():
            yield Finding("proof-unknown", "a production's proofs do not hold this", _where(of, path))
    message = under.note.encode()
    stamps = yield from _tokens(of, folder, _alone(message), trust)
    if not stamps and not _history(folder):
        yield Note(
            "no-anchor",
            "nobody else timestamped the checkpoint: when the records existed rests on the agency's own word",
        )
    report.count("anchors", stamps)
    for one in _history(folder):
        yield from _earlier(of, one, under, trust, report)
    return under


def _checkpoint(folder: Path, of: Outside, trust: Trust) -> tuple[Shared, list[tuple[str, str]]]:
    note = _text(of, folder / "checkpoint", "checkpoint-differs")
    line = _text(of, folder / "log.vkey", "key-differs")
    if trust.key is not None and trust.key.read_bytes() != line.encode():
        raise Wrong("key-differs", "it is not the key that you named", _where(of, folder / "log.vkey"))
    beside = of.folder / "trust" / "log.vkey"
    if beside.is_file() and beside.read_bytes() != line.encode():
        raise Wrong(
            "key-differs",
            "the two keys of the ledger differ",
            f"{_where(of, folder / 'log.vkey')}, trust/log.vkey",
        )
    own, others = folder / "witnesses.vkey", of.folder / "trust" / "witnesses.vkey"
    if others.is_file() and (not own.is_file() or own.read_bytes() != others.read_bytes()):
        raise Wrong(
            "key-differs",
            "the two lists of witnesses' keys differ",
            f"{_where(of, own)}, trust/witnesses.vkey",
        )
    try:
        key = Verifier.parse(line.removesuffix("\n"))
        text, signatures = parts_of(note)
        said = Checkpoint.parse(opened(note, key))
        if (
            said.text() != text
            or len(signatures) != 1
            or said.origin != key.name
            or key.line() + "\n" != line
        ):
            raise NoteBroken("it is not a checkpoint with the ledger's one signature")
    except NoteBroken as error:
        raise Wrong("checkpoint-differs", str(error), _where(of, folder / "checkpoint")) from error
    lines, seen = "", []
    if (folder / "cosignatures").exists() or (folder / "witnesses.vkey").exists():
        lines = _text(of, folder / "cosignatures", "cosignature-differs")
        keys = _text(of, folder / "witnesses.vkey", "cosignature-differs").splitlines()
        try:
            told = parts_of(text + "\n" + lines)[1]
            if len(told) != len(keys) or lines != "".join(one.line for one in told):
                raise NoteBroken("the witnesses are not those who signed")
            for one, key_line in zip(told, keys, strict=True):
                at = cosigned_at(text, one, WitnessKey.parse(key_line))
                seen.append((one.name, at.strftime("%Y-%m-%dT%H:%M:%SZ")))
        except NoteBroken as error:
            raise Wrong("cosignature-differs", str(error), _where(of, folder / "cosignatures")) from error
    return Shared(note + lines, said, key), seen


def _alone(note: bytes) -> bytes:
    """The checkpoint with the ledger's own signature only: the bytes that a timestamp covers."""
    return b"\n".join(note.split(b"\n")[:5]) + b"\n"


def _tokens(of: Outside, folder: Path, message: bytes, trust: Trust) -> Generator[Finding | Note, None, int]:
    """Check the timestamps in a folder over `message`; it returns how many there are."""
    roots = sorted(folder.glob("*.pem"))
    for path in (*sorted(folder.glob("*.tsr")), *roots):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            yield Finding("anchor-form", "it is not the file that its name speaks of", _where(of, path))
            return 0
    number = 0
    for path in sorted(folder.glob("*.tsr")):
        where = _where(of, path)
        try:
            at = stamped(message, path.read_bytes(), trust.authorities or roots, where, "anchor")
        except Wrong as wrong:
            yield wrong.finding
            continue
        number += 1
        yield Note("anchored", f"{where}: {at.strftime('%Y-%m-%dT%H:%M:%SZ')}")
    return number


def _history(folder: Path) -> list[Path]:
    history = folder / "history"
    return sorted(one for one in history.iterdir() if one.is_dir()) if history.is_dir() else []


def _earlier(
    of: Outside, folder: Path, under: Shared, trust: Trust, report: Report
) -> Iterator[Finding | Note]:
    """An earlier checkpoint, timestamped, with which the shared one begins."""
    where = _where(of, folder / "consistency")
    for path in sorted(folder.iterdir()):
        if not _HISTORY.fullmatch(path.name) or not path.is_file():
            yield Finding("proof-unknown", "a production's proofs do not hold this", _where(of, path))
            return
    try:
        note = _text(of, folder / "checkpoint", "checkpoint-differs")
        said = Checkpoint.parse(opened(note, under.key))
        if (
            note.encode() != _alone(note.encode())
            or str(said.size) != folder.name
            or said.origin != under.said.origin
        ):
            raise NoteBroken("it is not the checkpoint that its folder speaks of")
        lines = _text(of, folder / "consistency", "checkpoint-differs")
        steps = [base64.b64decode(line, validate=True) for line in lines.splitlines()]
        if "".join(base64.b64encode(one).decode() + "\n" for one in steps) != lines:
            raise NoteBroken("the proof is not written in the one way")
        if not merkle.check_consistency(said.size, under.said.size, said.root, under.said.root, steps):
            raise NoteBroken("the shared checkpoint does not begin with it")
    except (NoteBroken, ValueError) as error:
        yield Finding("checkpoint-differs", str(error), where)
        return
    report.count("anchors", (yield from _tokens(of, folder, note.encode(), trust)))


# -- one document ------------------------------------------------------------------------------------------


def document(of: Outside, folder: Path, under: Shared, *, withheld: bool, redacted: bool) -> list[Proven]:
    """Every version that is proven of a document, in order; raises `Wrong` at the first that is not."""
    if not folder.is_dir():
        raise Wrong("proof-missing", "the document has no proof", _where(of, folder))
    numbers = sorted(names(folder), key=lambda name: (len(name), name))
    if not numbers:
        raise Wrong("proof-missing", "the document has no proof", _where(of, folder))
    found: list[Proven] = []
    for name in numbers:
        one = folder / name
        if not re.fullmatch(r"[1-9][0-9]{0,14}", name) or not one.is_dir():
            raise Wrong("proof-unknown", "a document's proofs do not hold this", shown(_where(of, one)))
        proven = _version(of, one, under, withheld=withheld, redacted=redacted)
        if str(proven.version) != name or (found and proven.record != found[0].record):
            raise Wrong("commitment-differs", "it is the proof of another record or version", _where(of, one))
        found.append(proven)
    return found


def _version(of: Outside, folder: Path, under: Shared, *, withheld: bool, redacted: bool) -> Proven:
    lying = names(folder)
    wanted = ["entry.json", "item.tlog-proof"] if withheld else list(_OWN)
    for name in wanted:
        if name not in lying:
            raise Wrong("proof-missing", "a proof holds this", _where(of, folder / name))
    for name in lying:
        if name not in (*_OWN, "payload"):
            raise Wrong("proof-unknown", "a proof does not hold this", shown(_where(of, folder / name)))
        if name not in wanted and (withheld or redacted):
            raise Wrong("proof-tells", "it tells more than is released", _where(of, folder / name))
    entry = _bytes(of, folder / "entry.json")
    entered = _ENTRY.fullmatch(entry)
    if entered is None:
        raise Wrong(
            "proof-form", "it is not a capture entry as one is written", _where(of, folder / "entry.json")
        )
    leaf = merkle.leaf_hash(entry)
    place = _included(of, folder, leaf, under)
    record, number, commitment = entered[2].decode(), int(entered[3]), entered[1].decode()
    if withheld:
        return Proven(record, number, place, commitment, leaf, withheld=True)
    observed, listed = _stated(of, folder, (record, number, commitment))
    fields = _disclosed(of, folder, listed)
    if redacted and (told := NEVER_IN_PART & fields.keys()):
        raise Wrong(
            "proof-tells",
            f"it tells {', '.join(sorted(told))}, and something of the record was taken out",
            _where(of, folder / "disclosures.txt"),
        )
    _payloads(of, folder, fields.get("payloads"))
    return Proven(record, number, place, commitment, leaf, withheld=False, fields=fields, observed=observed)


def _included(of: Outside, folder: Path, leaf: bytes, under: Shared) -> int:
    where = _where(of, folder / "item.tlog-proof")
    told = _text(of, folder / "item.tlog-proof", "proof-form")
    try:
        place, path, note = proof_parts(told)
    except NoteBroken as error:
        raise Wrong("proof-form", str(error), where) from error
    lines = [
        "c2sp.org/tlog-proof@v1",
        f"index {place}",
        *(base64.b64encode(one).decode() for one in path),
        "",
        note,
    ]
    if "\n".join(lines) != told:
        raise Wrong("proof-form", "it is not written in the one way", where)
    if note != under.note:
        raise Wrong("checkpoint-differs", "it stands under another checkpoint than the others", where)
    if not merkle.check_inclusion(leaf, place, under.said.size, path, under.said.root):
        raise Wrong(
            "inclusion-differs",
            "the path does not lead from this entry to the root",
            f"{where}, {_where(of, folder / 'entry.json')}",
        )
    return place


def _stated(of: Outside, folder: Path, entered: tuple[str, int, str]) -> tuple[str, frozenset[str]]:
    """When the version was observed, and the digests of its fields."""
    where = _where(of, folder / "statement.json")
    salt, statement = _bytes(of, folder / "salt.hex"), _bytes(of, folder / "statement.json")
    if not _SALT.fullmatch(salt):
        raise Wrong(
            "proof-form", "the salt is 64 small hex digits and a newline", _where(of, folder / "salt.hex")
        )
    if commit(bytes.fromhex(salt[:64].decode()), statement).hex() != entered[2]:
        raise Wrong(
            "commitment-differs",
            "the entry does not commit to this statement under this salt",
            f"{where}, {_where(of, folder / 'salt.hex')}",
        )
    try:
        said = msgspec.json.decode(statement, type=dict[str, Any])
        digests = frozenset(str(one) for one in said["_sd"])
        whole = canonical(said) == statement and (said["item"], said["ver"]) == entered[:2]
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise Wrong("proof-form", "it is not a statement as one is written", where) from error
    if not whole:
        raise Wrong("commitment-differs", "entry and statement speak of different versions", where)
    return str(said.get("observed", "")), digests


def _disclosed(of: Outside, folder: Path, listed: frozenset[str]) -> dict[str, Any]:
    where = _where(of, folder / "disclosures.txt")
    text = _text(of, folder / "disclosures.txt", "proof-form")
    if text and not text.endswith("\n"):
        raise Wrong("proof-form", "it is not made of lines", where)
    fields: dict[str, Any] = {}
    for line in text.split("\n")[:-1]:
        try:
            if not _DISCLOSURE.fullmatch(line):
                raise ValueError
            body = base64.urlsafe_b64decode(line + "=" * (-len(line) % 4))
            if base64.urlsafe_b64encode(body).rstrip(b"=").decode() != line:
                raise ValueError
            _, name, value = msgspec.json.decode(body, type=tuple[str, str, Any])
        except (ValueError, msgspec.MsgspecError) as error:
            raise Wrong("proof-form", "a field is not written as salt, name and value", where) from error
        if digest_of(line) not in listed:
            raise Wrong("disclosure-differs", f"the field {name} is not one of this statement", where)
        if fields and name <= next(reversed(fields)):
            raise Wrong("disclosure-differs", "the fields do not stand once each in their order", where)
        fields[name] = value
    return fields


def _payloads(of: Outside, folder: Path, stated: object) -> None:
    held = names(folder / "payload") if (folder / "payload").is_dir() else []
    items: Sequence[Mapping[str, Any]] = stated if isinstance(stated, list) else []
    known = {str(item.get("name")): item for item in items}
    for name in sorted({*held, *known}):
        path = folder / "payload" / name
        if not _PAYLOAD.fullmatch(name) or name not in known or name not in held:
            raise Wrong(
                "payload-differs",
                "statement and payload do not speak of the same files",
                shown(_where(of, path)),
            )
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        if (size, digest.hexdigest()) != (known[name].get("bytes"), known[name].get("sha256")):
            raise Wrong("payload-differs", "it is not what the record was read from", _where(of, path))


def _where(of: Outside, path: Path) -> str:
    return path.relative_to(of.folder).as_posix()


def _bytes(of: Outside, path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise Wrong("proof-form", "it is larger than any of its kind", _where(of, path))
        return path.read_bytes()
    except OSError as error:
        raise Wrong("proof-missing", "it is not there", _where(of, path)) from error


def _text(of: Outside, path: Path, code: str) -> str:
    try:
        return _bytes(of, path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Wrong(code, "it is no text", _where(of, path)) from error
