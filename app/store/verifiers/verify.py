#!/usr/bin/env python3
"""Check a proof folder without the program that wrote it: Python's standard library and the openssl program alone.

    python3 verify.py [FOLDER] [--ca FILE]... [--key FILE] [--withheld]
    python3 verify.py --consistency OLD NEW PROOF [--key FILE]

It ends with PROVEN and exit code 0, or with a line NOT PROVEN for each thing
that is wrong, its code and its files, and exit code 6; 2 says that it was
called wrongly, 5 that it could not check. VERIFY.md explains every code.
verify.sh says the same of the same folder. The formats are RFC 6962, RFC 3161,
RFC 9901 and C2SP's signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from calendar import timegm
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from time import gmtime, strftime, strptime
from typing import NamedTuple

NEEDED = ("disclosures.txt", "entry.json", "item.tlog-proof", "log.vkey", "salt.hex", "statement.json")
WITHHELD = ("entry.json", "item.tlog-proof", "log.vkey")
BESIDE = ("VERIFY.md", "verify.py", "verify.sh", "witnesses.vkey")
FOLDERS = {
    "payload": re.compile(r"[a-z0-9][a-z0-9.-]*"),
    "anchors": re.compile(r"[0-9a-f]{64}\.(?:tsr|pem)"),
    "renewed": re.compile(r"entry\.json|entry\.tlog-proof|[0-9a-f]{64}\.(?:tsr|pem)"),
}
LEDGER_KEY, WITNESS_KEY = 1, 4
LONGEST_PATH, MOST_SIGNATURES = 63, 100
CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f]")  # U+007F is no control character to JSON
NUMBER = rb"(?:0|[1-9][0-9]{0,14})"
TIME = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
STATEMENT = re.compile(
    rb'\{"_sd":\["[A-Za-z0-9_-]{43}"(?:,"[A-Za-z0-9_-]{43}")*\],"_sd_alg":"sha-256","connector":"[^"\\\n]*",'
    rb'"item":"([0-9a-f]{32})","observed":"(' + TIME + rb')","v":1,"ver":([1-9][0-9]{0,14})\}'
)
ENTRY = re.compile(
    rb'\{"c":"([0-9a-f]{64})","item":"([0-9a-f]{32})","ts":"' + TIME + rb'","type":"capture","v":1,'
    rb'"ver":([1-9][0-9]{0,14})\}'
)
ANCHOR = re.compile(
    rb'\{"c":"[0-9a-f]{64}","size":' + NUMBER + rb',"token":"([0-9a-f]{64})","ts":"' + TIME + rb'",'
    rb'"type":"anchor","v":1\}'
)
DISCLOSED = re.compile(rb'\["[A-Za-z0-9_-]{22}","([a-z_]+)",(.*)\]')
STATED = re.compile(
    rb'\{"bytes":(' + NUMBER + rb'),"name":"([a-z0-9][a-z0-9.-]*)","sha256":"([0-9a-f]{64})"\}'
)
ED25519_DER = bytes.fromhex("302a300506032b6570032100")


class Differs(Exception):
    """Something is not as it must be: a stable code, the files that disagree, and a sentence."""

    def __init__(self, code: str, where: str, says: str) -> None:
        super().__init__(says)
        self.code, self.where, self.says = code, where, says

    def line(self) -> str:
        return f"NOT PROVEN: {self.code} in {self.where}: {self.says}"


class CannotCheck(Exception):
    """A file cannot be read, or openssl is not there: nothing can be said."""


class Key(NamedTuple):
    """A verifier key: its name, the first bytes of its hash, its type, and the Ed25519 key."""

    name: bytes
    id: bytes
    type: int
    public: bytes


class Signature(NamedTuple):
    """A signature line of a note."""

    name: bytes
    id: bytes
    value: bytes
    line: bytes


class Note(NamedTuple):
    """A signed checkpoint: its three lines, what they say, and who signed."""

    text: bytes
    origin: bytes
    size: int
    root: bytes
    signatures: tuple[Signature, ...]

    def alone(self) -> bytes:
        """The note with the ledger's own signature only: the bytes that a timestamp covers."""
        return self.text + b"\n" + self.signatures[0].line


class Proof(NamedTuple):
    """What a tlog-proof holds."""

    extra: bytes | None
    place: int
    path: tuple[bytes, ...]
    note: Note


# -- reading: one form, one reading ------------------------------------------------------------------------


def unbase(text: bytes) -> bytes | None:
    """Canonical base64 as bytes, or None."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data) == text else None


def lines_of(data: bytes, code: str, where: str) -> list[bytes]:
    """The lines of a text; each ends with a newline, none holds another control character."""
    if not data.endswith(b"\n") or CONTROLS.search(data):
        raise Differs(code, where, "it is not made of lines that each end with a newline")
    return data[:-1].split(b"\n")


def read_key(line: bytes, type_: int, code: str, where: str) -> Key:
    """A line `name+id+key` (C2SP signed-note)."""
    parts = line.split(b"+", 2)
    if len(parts) != 3 or not parts[0] or b" " in parts[0]:
        raise Differs(code, where, "a verifier key is written name+id+key")
    held = unbase(parts[2]) or b""
    if len(held) != 33 or held[0] != type_:
        raise Differs(code, where, "the key is not an Ed25519 key of the type that belongs here")
    key = Key(parts[0], hashlib.sha256(parts[0] + b"\n" + held).digest()[:4], type_, held[1:])
    if key.id.hex().encode() != parts[1]:
        raise Differs(code, where, "the key's id is not its own")
    return key


def read_note(data: bytes, where: str) -> Note:
    """A signed checkpoint without extension lines (C2SP tlog-checkpoint and signed-note)."""
    code = "checkpoint-form"
    lines = lines_of(data, code, where)
    if len(lines) < 5 or lines[3] != b"" or len(lines) > 4 + MOST_SIGNATURES:
        raise Differs(code, where, "a checkpoint is three lines, an empty line and signatures")
    root = unbase(lines[2]) or b""
    if not lines[0] or not re.fullmatch(NUMBER, lines[1]) or len(root) != 32:
        raise Differs(code, where, "a checkpoint names its ledger, its size and its root")
    signatures = []
    for line in lines[4:]:
        parts = line.split(b" ")
        value = (unbase(parts[2]) or b"") if len(parts) == 3 else b""
        if len(parts) != 3 or parts[0] != b"\xe2\x80\x94" or not parts[1] or len(value) < 5:
            raise Differs(code, where, "a signature line is a dash, a name and a signature")
        signatures.append(Signature(parts[1], value[:4], value[4:], line + b"\n"))
    text = b"\n".join(lines[:3]) + b"\n"
    return Note(text, lines[0], int(lines[1]), root, tuple(signatures))


def read_proof(data: bytes, where: str) -> Proof:
    """A proof (C2SP tlog-proof)."""
    code = "proof-form"
    lines = lines_of(data, code, where)
    if lines.pop(0) != b"c2sp.org/tlog-proof@v1":
        raise Differs(code, where, "it is no tlog-proof of version 1")
    extra = None
    if lines and lines[0].startswith(b"extra "):
        extra = unbase(lines.pop(0)[6:])
        if extra is None:
            raise Differs(code, where, "its extra data is not base64")
    found = re.fullmatch(rb"index (" + NUMBER + rb")", lines.pop(0) if lines else b"")
    if not found or b"" not in lines:
        raise Differs(code, where, "it names no index, or no checkpoint follows")
    end = lines.index(b"")
    path = [unbase(line) for line in lines[:end]]
    whole = tuple(part for part in path if part is not None and len(part) == 32)
    if len(whole) != end or end > LONGEST_PATH:
        raise Differs(code, where, "its path is not made of hashes in base64")
    note = read_note(b"\n".join(lines[end + 1 :]) + b"\n", where)
    return Proof(extra, int(found[1]), whole, note)


# -- the tree (RFC 6962, 2.1; the checks of RFC 9162, 2.1.3.2 and 2.1.4.2) ---------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` leads from the leaf at `index` to the root of `size` entries."""
    if not 0 <= index < size or any(len(part) != 32 for part in (leaf, root, *path)):
        return False
    place, last, found = index, size - 1, leaf
    for part in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(part, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, part)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows that the tree of `new` entries begins with that of `old`."""
    if not 0 < old <= new or any(len(part) != 32 for part in (old_root, new_root, *path)):
        return False
    if old == new:
        return not path and old_root == new_root
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for part in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node(part, first), node(part, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node(second, part)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


# -- openssl -----------------------------------------------------------------------------------------------


def openssl(*words: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("openssl")
    if program is None:
        raise CannotCheck("the program openssl is not there")
    return subprocess.run([program, *words], capture_output=True, check=False)  # noqa: S603 - no shell, our words


@lru_cache(maxsize=256)
def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature is by this key."""
    if len(signature) != 64:
        return False
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "key").write_bytes(ED25519_DER + public)
        (work / "message").write_bytes(message)
        (work / "signature").write_bytes(signature)
        words = ["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin"]
        words += ["-inkey", str(work / "key"), "-in", str(work / "message")]
        return openssl(*words, "-sigfile", str(work / "signature")).returncode == 0


@lru_cache(maxsize=256)
def told_by(token: bytes) -> tuple[bytes, str]:
    """The SHA-256 that a granted timestamp speaks of, and its time as openssl writes it; empty where it has none."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(token)
        file.flush()
        shown = openssl("ts", "-reply", "-in", file.name, "-text")
    if shown.returncode != 0:
        return b"", ""
    lines = shown.stdout.decode("utf-8", "replace").split("\n")
    if "Status: Granted." not in lines or "Hash Algorithm: sha256" not in lines:
        return b"", ""
    place = lines.index("Message data:") if "Message data:" in lines else len(lines)
    imprint = "".join(re.sub("[ -]", "", line[11:58]) for line in lines[place + 1 : place + 3])
    when = next((line[12:] for line in lines if line.startswith("Time stamp: ")), "")
    when = re.sub(r"\.[0-9]+ ", " ", when)
    if not re.fullmatch("[0-9a-f]{64}", imprint) or not re.fullmatch(
        r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4} GMT", when
    ):
        return b"", ""
    return bytes.fromhex(imprint), when


@lru_cache(maxsize=256)
def vouched(token: bytes, message: bytes, authorities: Path, at: int) -> bool:
    """Whether a timestamp over `message` is by an authority whose certificate led to `authorities` at that time."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "token").write_bytes(token)
        (work / "message").write_bytes(message)
        words = ["ts", "-verify", "-data", str(work / "message"), "-in", str(work / "token")]
        return openssl(*words, "-CAfile", str(authorities), "-attime", str(at)).returncode == 0


# -- the folder --------------------------------------------------------------------------------------------


def shown(name: str) -> str:
    """A file's name with nothing in it that could be taken for something else."""
    return re.sub(rb"[^A-Za-z0-9._/-]", b"?", name.encode("utf-8", "surrogateescape")).decode("ascii")


class Folder:
    """A proof folder that is being checked: what was found wrong, and what was learned."""

    def __init__(
        self,
        folder: Path,
        authorities: Sequence[Path] = (),
        key: Path | None = None,
        *,
        withheld: bool = False,
    ) -> None:
        self.folder, self.authorities, self.known = folder, authorities, key
        self.withheld = withheld
        self.findings: list[Differs] = []
        self.remarks: list[str] = []
        self.statement = b""
        self.proven = ""
        self.fields: list[bytes] = []
        self.key: Key | None = None
        self.proof: Proof | None = None

    def check(self) -> list[Differs]:
        """Look at everything; each part tells the first thing that is wrong with it."""
        if self._part(self._files):
            self._part(self._entered if self.withheld else self._commitment)
            self._part(self._key)
            self._part(self._ledger)
            if not self.withheld:
                self._part(self._disclosures)
            if self.proof is not None:
                self._part(self._tokens)
                self._part(self._renewal)
        return self.findings

    def _part(self, look: Callable[[], None]) -> bool:
        try:
            look()
        except Differs as wrong:
            self.findings.append(wrong)
            return False
        return True

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise CannotCheck(f"{shown(name)} cannot be read: {error.strerror}") from error

    def _files(self) -> None:
        needed = WITHHELD if self.withheld else NEEDED
        folders = ("anchors", "renewed") if self.withheld else tuple(FOLDERS)
        for name in needed:
            if not (self.folder / name).is_file() or (self.folder / name).is_symlink():
                raise Differs("file-missing", name, "a proof folder holds this file")
        for name in self._names(self.folder):
            here = self.folder / name
            if name in (*needed, *BESIDE) and here.is_file() and not here.is_symlink():
                continue
            if name not in folders or not here.is_dir() or here.is_symlink():
                raise Differs("file-unknown", shown(name), "a proof folder does not hold this")
            for inner in self._names(here):
                if (
                    not FOLDERS[name].fullmatch(inner)
                    or not (here / inner).is_file()
                    or (here / inner).is_symlink()
                ):
                    raise Differs(
                        "file-unknown", shown(f"{name}/{inner}"), "a proof folder does not hold this"
                    )

    def _names(self, folder: Path) -> list[str]:
        names = [path.name for path in folder.iterdir()]
        hidden = {".": 0, "..": 1}  # in the order in which a shell lists them
        return sorted(
            names,
            key=lambda name: (
                hidden.get(re.sub(r"[^.].*", "", name)[:2], 2),
                name.encode("utf-8", "surrogateescape"),
            ),
        )

    def _entered(self) -> None:
        """Of a record that is withheld, only the entry is here: it tells that there is one, and nothing of it."""
        entered = ENTRY.fullmatch(self._read("entry.json"))
        if not entered:
            raise Differs("entry-form", "entry.json", "it is not a capture entry as one is written")
        self.proven = f"record {entered[2].decode()} version {entered[3].decode()}, withheld,"

    def _commitment(self) -> None:
        """The entry commits to this statement under this salt, and both speak of one version."""
        salt, statement, entry = (
            self._read("salt.hex"),
            self._read("statement.json"),
            self._read("entry.json"),
        )
        if not re.fullmatch(rb"[0-9a-f]{64}\n", salt):
            raise Differs("salt-form", "salt.hex", "the salt is 64 small hex digits and a newline")
        stated = None if CONTROLS.search(statement) else STATEMENT.fullmatch(statement)
        if not stated:
            raise Differs("statement-form", "statement.json", "it is not a statement as one is written")
        entered = ENTRY.fullmatch(entry)
        if not entered:
            raise Differs("entry-form", "entry.json", "it is not a capture entry as one is written")
        digest = hashlib.sha256(statement).digest()
        commitment = hashlib.sha256(b"record-commit/v1\n" + bytes.fromhex(salt.decode()[:64]) + digest)
        if commitment.hexdigest().encode() != entered[1]:
            where = "entry.json, salt.hex, statement.json"
            raise Differs(
                "commitment-differs", where, "the entry does not commit to this statement under this salt"
            )
        if (stated[1], stated[3]) != (entered[2], entered[3]):
            where = "entry.json, statement.json"
            raise Differs("version-differs", where, "entry and statement speak of different versions")
        self.statement = statement
        self.proven = (
            f"record {stated[1].decode()} version {stated[3].decode()}, observed {stated[2].decode()},"
        )

    def _key(self) -> None:
        lines = lines_of(self._read("log.vkey"), "key-form", "log.vkey")
        if len(lines) != 1:
            raise Differs("key-form", "log.vkey", "it holds one key on one line")
        self.key = read_key(lines[0], LEDGER_KEY, "key-form", "log.vkey")
        if self.known is not None and self.known.read_bytes() != lines[0] + b"\n":
            raise Differs("key-differs", "log.vkey", "it is not the key that you gave")

    def _ledger(self) -> None:
        """The entry stands in the tree whose root the ledger's key signed; witnesses saw it too."""
        where = "item.tlog-proof"
        proof = read_proof(self._read(where), where)
        if proof.extra is not None:
            raise Differs("proof-form", where, "it holds extra data, which nothing would vouch for")
        self._under(proof, self._read("entry.json"), "entry.json", where)
        if self.key is None:
            return
        self.by_the_ledger(proof.note, where)
        self.proof = proof
        self._cosignatures(proof.note, where)
        self.proven += (
            f" is entry {proof.place} of {proof.note.size} in {proof.note.origin.decode('utf-8', 'replace')}"
        )

    def _under(self, proof: Proof, entry: bytes, file: str, where: str) -> None:
        leaf = hashlib.sha256(b"\x00" + entry).digest()
        if not included(leaf, proof.place, proof.note.size, proof.path, proof.note.root):
            raise Differs(
                "inclusion-differs", f"{file}, {where}", "the path does not lead from this entry to the root"
            )

    def by_the_ledger(self, note: Note, where: str) -> None:
        assert self.key is not None
        first = note.signatures[0]
        if (note.origin, first.name, first.id) != (self.key.name, self.key.name, self.key.id):
            raise Differs(
                "ledger-differs", f"{where}, log.vkey", "the checkpoint is of another ledger or key"
            )
        if not signed(self.key.public, note.text, first.value):
            raise Differs(
                "signature-differs", f"{where}, log.vkey", "the checkpoint is not signed by this key"
            )

    def _cosignatures(self, note: Note, where: str) -> None:
        names = "witnesses.vkey"
        if not (self.folder / names).exists():
            if len(note.signatures) > 1:
                raise Differs("cosignature-unknown", where, "no witness's key is given for a signature")
            return
        keys = [
            read_key(line, WITNESS_KEY, "witness-form", names)
            for line in lines_of(self._read(names), "witness-form", names)
        ]
        if len(keys) > len(note.signatures) - 1:
            raise Differs("cosignature-missing", f"{where}, {names}", "a witness is named who did not sign")
        for place, line in enumerate(note.signatures[1:]):
            if place >= len(keys) or (line.name, line.id) != (keys[place].name, keys[place].id):
                raise Differs(
                    "cosignature-unknown", f"{where}, {names}", "a signature is not by the witness named"
                )
            if len(line.value) != 72 or line.value[0] > 127:
                raise Differs("cosignature-form", where, "a cosignature is a time and an Ed25519 signature")
            at = int.from_bytes(line.value[:8], "big")
            message = b"cosignature/v1\ntime %d\n" % at + note.text
            if not signed(keys[place].public, message, line.value[8:]):
                raise Differs(
                    "cosignature-differs", f"{where}, {names}", "a cosignature is not by the witness named"
                )
            self.remarks.append(f"witnessed: {line.name.decode('utf-8', 'replace')} at {clock(at)}")

    def _disclosures(self) -> None:
        """Every field that is shown is one of the statement's, and every payload is one that it states."""
        file = "disclosures.txt"
        data = self._read(file)
        lines = lines_of(data, "disclosure-form", file) if data else []
        before, stated = b"", None
        for line in lines:
            if not re.fullmatch(rb"[A-Za-z0-9_-]+", line):
                raise Differs("disclosure-form", file, "a field is not base64url")
            digest = base64.urlsafe_b64encode(hashlib.sha256(line).digest()).rstrip(b"=")
            if self.statement and b'"' + digest + b'"' not in self.statement:
                raise Differs("disclosure-differs", file, "a field is not one of this statement")
            told = unbase(line.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(line) % 4)) or b""
            found = None if CONTROLS.search(told) else DISCLOSED.fullmatch(told)
            if not found:
                raise Differs("disclosure-form", file, "a field is not written as salt, name and value")
            if found[1] <= before:
                raise Differs("disclosure-order", file, "the fields do not stand once each in their order")
            before = found[1]
            if before == b"payloads":
                stated = found[2]
            self.fields.append(told)
        self._payloads(stated)

    def _payloads(self, stated: bytes | None) -> None:
        held = self._names(self.folder / "payload") if (self.folder / "payload").is_dir() else []
        items = []
        if stated is not None:
            items = list(STATED.finditer(stated))
            if b"[" + b",".join(item[0] for item in items) + b"]" != stated:
                raise Differs("disclosure-form", "disclosures.txt", "the field `payloads` is not a list")
        for item in items:
            name = item[2].decode()
            if name not in held:
                raise Differs("payload-missing", f"payload/{name}", "the statement speaks of this file")
            content = self._read(f"payload/{name}")
            if (len(content), hashlib.sha256(content).hexdigest()) != (int(item[1]), item[3].decode()):
                raise Differs("payload-differs", f"payload/{name}", "it is not what the record was read from")
        for name in held:
            if name not in {item[2].decode() for item in items}:
                raise Differs(
                    "payload-unstated", shown(f"payload/{name}"), "the statement does not speak of it"
                )

    def _tokens(self) -> None:
        assert self.proof is not None
        self._folder_of_tokens("anchors", self.proof.note.alone())

    def _folder_of_tokens(self, folder: str, message: bytes) -> list[str]:
        """Check the timestamps in a folder over `message`; return the SHA-256 of each."""
        found = []
        names = self._names(self.folder / folder) if (self.folder / folder).is_dir() else []
        for name in names:
            if not name.endswith((".tsr", ".pem")):
                continue
            where = f"{folder}/{name}"
            content = self._read(where)
            if hashlib.sha256(content).hexdigest() != name[:64]:
                raise Differs("token-name", where, "it is not the file that its name speaks of")
            if name.endswith(".pem"):
                continue
            imprint, when = told_by(content)
            if not imprint:
                raise Differs("token-form", where, "it is not a granted timestamp over a SHA-256")
            if imprint != hashlib.sha256(message).digest():
                raise Differs("token-imprint", where, "it is a timestamp of something else")
            at = timegm(strptime(when, "%b %d %H:%M:%S %Y GMT"))
            if not self.authorities:
                self.remarks.append(f"not checked: {where} says {clock(at)}; name its authority with --ca")
            elif any(vouched(content, message, authority, at) for authority in self.authorities):
                self.remarks.append(f"timestamped: {where} at {clock(at)}")
            else:
                raise Differs("token-untrusted", where, "no authority that you named vouches for it")
            found.append(name[:64])
        return found

    def _renewal(self) -> None:
        """A later checkpoint covers the entry of a timestamp in `anchors/`, and is timestamped itself."""
        if not (self.folder / "renewed").is_dir():
            return
        file, where = "renewed/entry.json", "renewed/entry.tlog-proof"
        for name in (file, where):
            if not (self.folder / name).is_file():
                raise Differs("file-missing", name, "a renewal holds this file")
        entry = self._read(file)
        anchored = ANCHOR.fullmatch(entry)
        if not anchored:
            raise Differs("entry-form", file, "it is not an anchor entry as one is written")
        if not (self.folder / "anchors" / f"{anchored[1].decode()}.tsr").is_file():
            raise Differs("renewal-differs", file, "it speaks of a timestamp that is not in anchors/")
        proof = read_proof(self._read(where), where)
        if proof.extra is not None:
            raise Differs("proof-form", where, "it holds extra data, which nothing would vouch for")
        self._under(proof, entry, file, where)
        self.by_the_ledger(proof.note, where)
        if len(proof.note.signatures) != 1:
            raise Differs("cosignature-unknown", where, "no witness's key is given for a signature")
        if not self._folder_of_tokens("renewed", proof.note.alone()):
            raise Differs("file-missing", "renewed", "a renewal holds a timestamp")

    def report(self) -> Iterator[str]:
        """What there is to say, line by line."""
        if self.findings:
            yield from (finding.line() for finding in self.findings)
            return
        yield from (field.decode("utf-8", "replace") for field in self.fields)
        yield from self.remarks
        yield f"PROVEN: {self.proven}"


def clock(at: int) -> str:
    try:
        return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(at))
    except (OverflowError, ValueError, OSError):
        return f"second {at}"


def compare(old: Path, new: Path, path: Path, key_file: Path) -> list[Differs]:
    """What is wrong with a consistency proof between two checkpoints; nothing where one ledger grew."""
    try:
        lines = lines_of(key_file.read_bytes(), "key-form", "log.vkey")
        if len(lines) != 1:
            raise Differs("key-form", "log.vkey", "it holds one key on one line")
        checker = Folder(Path())
        checker.key = read_key(lines[0], LEDGER_KEY, "key-form", "log.vkey")
        notes = []
        for name, file in (("old", old), ("new", new)):
            note = read_note(file.read_bytes(), name)
            checker.by_the_ledger(note, name)
            notes.append(note)
        data = path.read_bytes()
        steps = [unbase(line) for line in lines_of(data, "proof-form", "proof")] if data else []
        whole = [step for step in steps if step is not None and len(step) == 32]
        if len(whole) != len(steps) or len(steps) > LONGEST_PATH:
            raise Differs("proof-form", "proof", "it is not made of hashes in base64")
        if not consistent(notes[0].size, notes[1].size, notes[0].root, notes[1].root, whole):
            raise Differs(
                "consistency-differs", "old, new, proof", "the new ledger does not begin with the old one"
            )
    except Differs as wrong:
        return [wrong]
    except OSError as error:
        raise CannotCheck(f"{error.filename} cannot be read: {error.strerror}") from error
    return []


def main(words: Sequence[str]) -> int:
    """Read the command, check, and say what was found."""
    named: dict[str, list[Path]] = {"--ca": [], "--key": []}
    rest: list[str] = []
    asked = list(words)
    comparing = withheld = False
    while asked:
        word = asked.pop(0)
        if word in named and asked:
            named[word].append(Path(asked.pop(0)))
        elif word == "--consistency":
            comparing = True
        elif word == "--withheld":
            withheld = True
        elif word.startswith("-"):
            sys.stderr.write(__doc__ or "")
            return 2
        else:
            rest.append(word)
    beside = Path(__file__).resolve().parent
    if len(rest) != 3 if comparing else len(rest) > 1:
        sys.stderr.write(__doc__ or "")
        return 2
    for file in (*named["--ca"], *named["--key"]):
        if not file.is_file():
            sys.stderr.write(f"CANNOT CHECK: {file} is not a file\n")
            return 5
    try:
        if comparing:
            key = named["--key"][0] if named["--key"] else beside / "log.vkey"
            wrong = compare(Path(rest[0]), Path(rest[1]), Path(rest[2]), key)
            said = [one.line() for one in wrong] or ["PROVEN: the new ledger begins with the old one"]
        else:
            folder = Folder(
                Path(rest[0]) if rest else beside,
                named["--ca"],
                named["--key"][0] if named["--key"] else None,
                withheld=withheld,
            )
            if not folder.folder.is_dir():
                raise CannotCheck(f"{folder.folder} is not a folder")
            wrong = folder.check()
            said = list(folder.report())
    except CannotCheck as why:
        sys.stderr.write(f"CANNOT CHECK: {why}\n")
        return 5
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return 6 if wrong else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a terminal's own coding must not matter
    sys.exit(main(sys.argv[1:]))
