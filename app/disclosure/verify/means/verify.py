#!/usr/bin/env python3
"""Check a production without the program that made it: Python's standard library and the openssl program alone.

    python3 verify.py [FOLDER] [--agency FILE]... [--ca FILE]... [--key FILE]

FOLDER is the production; without it, the one that this file lies in. `--agency`
names the agency's certificate, `--ca` that of a timestamp authority, `--key`
the ledger's key, each got from its owner by another way. It ends with VERIFIED
and exit code 0, or with a line NOT VERIFIED for each thing that is wrong and
exit code 6; 2 says that it was called wrongly, 5 that it could not check.
verify.md explains every line. proof.py, beside this file, checks each record.

It does not look into the documents: that load files, texts and PDFs say the
same is for `muniment disclose verify`, or for whoever opens them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from calendar import timegm
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import strptime
from typing import Any

OUTSIDE = "outside-sha256.txt"
LINE = re.compile(rb"([0-9a-f]+)  ([A-Za-z0-9][A-Za-z0-9._/-]*)\n")
SEAL = re.compile(
    rb'\{"made_at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)","outside_sha256":"([0-9a-f]{64})",'
    rb'"production":"([A-Z0-9-]{1,60})","tagmanifest_sha256":"([0-9a-f]{64})","v":1\}'
)
TAGS = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt"]
STAMP = r"(([2-9]|[1-9][0-9]{1,3})\.)?tsr"
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
BESIDE_THEM = [f"tagmanifest-{name}.txt" for name in ("sha256", "sha512")]
TIME = "%Y-%m-%dT%H:%M:%SZ"
CHUNK = 1 << 20
LONGEST_LINE, SMALL, LARGEST = 1 << 14, 1 << 20, 64 << 20


class Differs(Exception):
    """Something is not as it must be: a stable code, the file, and a sentence."""

    def __init__(self, code: str, where: str, says: str) -> None:
        super().__init__(says)
        self.code, self.where, self.says = code, where, says

    def line(self) -> str:
        return f"NOT VERIFIED: {self.code} in {self.where}: {self.says}"


class CannotCheck(Exception):
    """A program or a file is not there: nothing can be said."""


def proofs_of(beside: Path) -> Any:
    """The program that checks one proof: proof.py, beside this one."""
    spec = importlib.util.spec_from_file_location("proof", beside / "proof.py")
    if spec is None or spec.loader is None or not (beside / "proof.py").is_file():
        raise CannotCheck("proof.py does not lie beside this program")
    module = importlib.util.module_from_spec(spec)
    sys.modules["proof"] = module
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


class Production:
    """A production that is being checked: what was found wrong, and what was learned."""

    def __init__(
        self,
        folder: Path,
        beside: Path,
        agency: Sequence[Path],
        authorities: Sequence[Path],
        key: Path | None,
    ) -> None:
        self.folder, self.bag, self.key = folder, folder / "bag", key
        self.agency, self.authorities = list(agency), list(authorities)
        self.proofs = proofs_of(beside)
        self.findings: list[Differs] = []
        self.remarks: list[str] = []
        self.made_at = ""

    def check(self) -> list[Differs]:
        """Look at everything; each part tells the first thing that is wrong with it.

        Where something lies that is no file, nothing is opened: to read a pipe is to wait.
        """
        for look in (self._names, self._outside, self._bag, self._seal, self._signature, self._proofs):
            try:
                look()
            except Differs as wrong:
                self.findings.append(wrong)
                if look == self._names:
                    break
            except OSError as error:
                name = os.fsdecode(error.filename) if error.filename else "a file"
                raise CannotCheck(f"{shown(name)}: {error.strerror}") from error
        return self.findings

    # -- 1. every file is there, is what it was, and none is there besides ---------------------------------

    def _names(self) -> None:
        """Nothing but files, and folders that hold some; what everything else is read by is there."""
        waiting = [(self.folder, "")]
        while waiting:
            folder, before = waiting.pop()
            entries = sorted(os.scandir(folder), key=lambda one: one.name)
            if not entries and before != "trust/":
                raise Differs("file-unknown", shown(before), "a production has no empty folders")
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((folder / entry.name, f"{before}{entry.name}/"))
                elif not entry.is_file(follow_symlinks=False):
                    where = shown(before + entry.name)
                    raise Differs("name-unsafe", where, "it is neither a file nor a folder")
        for name in (
            f"{self._number()}.seal.json",
            OUTSIDE,
            *(f"bag/{one}" for one in (*TAGS, *BESIDE_THEM)),
        ):
            if not (self.folder / name).is_file():
                raise Differs("file-missing", name, "a production holds this")

    def _outside(self) -> None:
        """outside-sha256.txt lists every file beside the bag but itself and the seal's own."""
        file = OUTSIDE
        listed = dict(self._listed(file, 64))
        number = self._number()
        there = {name for name in self._files(self.folder) if not name.startswith("bag/")}
        over = r"p7s\." if f"{number}.seal.p7s" in there else r"(p7s\.)?"
        own = {
            name
            for name in there
            if re.fullmatch(re.escape(number) + rf"\.seal\.(json|p7s|{over}{STAMP})", name)
        }
        self._same(set(listed), there - own - {file}, file)
        for name, digest in listed.items():
            if self._digest(self.folder / name, "sha256") != digest:
                raise Differs("outside-altered", name, f"it is not what {file} says")

    def _bag(self) -> None:
        """Both manifests list every file of the payload, and both tag manifests the other files (RFC 8493)."""
        if self._held(self.bag / "bagit.txt", "bag-form", SMALL) != BAGIT:
            raise Differs("bag-form", "bag/bagit.txt", "it is not that of BagIt 1.0")
        info = b"\n" + self._held(self.bag / "bag-info.txt", "bag-form", SMALL)
        there = set(self._files(self.bag))
        payload = {name for name in there if name.startswith("data/")}
        self._same({*TAGS, *BESIDE_THEM}, there - payload, "bag", "bag/")
        for algorithm, length in (("sha256", 64), ("sha512", 128)):
            for kind, wanted in (("tagmanifest", set(TAGS)), ("manifest", payload)):
                file = f"bag/{kind}-{algorithm}.txt"
                listed = dict(self._listed(file, length))
                self._same(set(listed), wanted, file, "bag/")
                for name, digest in listed.items():
                    if self._digest(self.bag / name, algorithm) != digest:
                        raise Differs("bag-altered", f"bag/{name}", f"it is not what {file} says")
        size = sum((self.bag / name).stat().st_size for name in payload)
        if b"\nPayload-Oxum: %d.%d\n" % (size, len(payload)) not in info:
            raise Differs("bag-size", "bag/bag-info.txt", "the payload is not of the size that it says")
        self.remarks.append(f"the bag: {len(payload)} files, {size} bytes")

    def _same(self, listed: set[str], there: set[str], file: str, before: str = "") -> None:
        for name in sorted(listed - there):
            raise Differs("file-missing", before + shown(name), f"{file} speaks of it")
        for name in sorted(there - listed):
            raise Differs("file-unknown", before + shown(name), f"{file} does not speak of it")

    def _listed(self, file: str, length: int) -> Iterator[tuple[str, str]]:
        seen = set()
        with (self.folder / file).open("rb") as content:
            while line := content.readline(LONGEST_LINE):
                read = LINE.fullmatch(line)
                if read is None or len(read[1]) != length or read[2] in seen or b"/../" in b"/" + read[2]:
                    raise Differs(
                        "bag-form" if file.startswith("bag/") else "outside-form",
                        file,
                        "a line is not a digest, two blanks and a name",
                    )
                seen.add(read[2])
                yield read[2].decode(), read[1].decode()

    def _files(self, folder: Path) -> Iterator[str]:
        for at, _, names in os.walk(folder):
            before = Path(at).relative_to(folder)
            yield from ((before / name).as_posix() for name in names)

    def _held(self, file: Path, code: str, most: int) -> bytes:
        """What a file holds that is to be looked at as a whole; one that is larger than any of its kind is not read."""
        if file.stat().st_size > most:
            where = file.relative_to(self.folder).as_posix()
            raise Differs(code, where, "it is larger than any of its kind")
        return file.read_bytes()

    def _digest(self, file: Path, algorithm: str) -> str:
        told = hashlib.new(algorithm)
        with file.open("rb") as content:
            while chunk := content.read(CHUNK):
                told.update(chunk)
        return told.hexdigest()

    # -- 2. the seal, who signed it, and who saw it when -----------------------------------------------------

    def _number(self) -> str:
        seals = sorted(path.name for path in self.folder.iterdir() if path.name.endswith(".seal.json"))
        if len(seals) != 1:
            raise Differs("file-missing", "*.seal.json", "a production has one seal")
        return seals[0][: -len(".seal.json")]

    def _seal(self) -> None:
        where = f"{self._number()}.seal.json"
        read = SEAL.fullmatch(self._held(self.folder / where, "seal-form", SMALL))
        if read is None:
            raise Differs("seal-form", where, "it is not a seal as one is written")
        try:
            if strptime(read[1].decode(), TIME).tm_sec > 59:
                raise ValueError
        except ValueError:
            raise Differs("seal-form", where, "it names no time that there is") from None
        if read[3].decode().lower() != self._number():
            raise Differs("seal-differs", where, "it is the seal of another production")
        for file, said in (("bag/tagmanifest-sha256.txt", read[4]), (OUTSIDE, read[2])):
            if file == OUTSIDE:
                self._held(self.folder / file, "outside-form", SMALL)
            if self._digest(self.folder / file, "sha256").encode() != said:
                raise Differs("seal-differs", f"{where}, {file}", "the seal does not speak of this file")
        self.made_at = read[1].decode()
        self.remarks.append(f"sealed: production {read[3].decode()}, made at {self.made_at}")

    def _signature(self) -> None:
        """The agency's signature over the seal (CMS), and timestamps over that, or over the seal (RFC 3161)."""
        number = self._number()
        seal, signature = self.folder / f"{number}.seal.json", self.folder / f"{number}.seal.p7s"
        names = sorted(path.name for path in self.folder.iterdir())
        over = {
            stem: [name for name in names if re.fullmatch(re.escape(stem) + rf"\.{STAMP}", name)]
            for stem in (seal.stem, signature.name)
        }
        if over[signature.name] and not signature.is_file():
            raise Differs("file-missing", signature.name, f"{over[signature.name][0]} is a timestamp over it")
        chain = self.folder / "trust" / "agency-chain.pem"
        if chain.is_file() and not signature.is_file():
            raise Differs("file-missing", signature.name, "trust/agency-chain.pem is there for it")
        stem = signature.name if signature.is_file() else seal.stem
        for place in range(len(over[stem])):
            wanted = f"{stem}.{f'{place + 1}.' if place else ''}tsr"
            if wanted not in over[stem]:
                raise Differs("file-missing", wanted, "a further one is there")
        self._asked_for(stem, signature)
        message = signature if signature.is_file() else seal
        self._held(seal, "seal-form", SMALL)
        body = self._held(message, "signature-form", SMALL)
        times = [self._timestamp(self.folder / name, body) for name in over[stem]]
        if not times:
            self.remarks.append("no timestamp: when it was made rests on the agency's own word")
        if not signature.is_file():
            self.remarks.append("not signed: who made it rests on how you got it")
            return
        at = min(times, default=timegm(strptime(self.made_at or "1970-01-01T00:00:00Z", TIME)))
        words = [
            "cms",
            "-verify",
            "-binary",
            "-inform",
            "DER",
            "-purpose",
            "any",
            "-partial_chain",
            "-no-CApath",
            "-no-CAstore",
        ]
        words += ["-in", str(signature), "-content", str(seal), "-attime", str(at), "-out", os.devnull]
        chains = self.agency or [self.folder / "trust" / "agency-chain.pem"]
        if not any(self.proofs.openssl(*words, "-CAfile", str(chain)).returncode == 0 for chain in chains):
            raise Differs(
                "signature-differs",
                signature.name,
                "openssl does not accept the agency's signature over the seal",
            )
        self.remarks.append(
            "signed by the agency"
            + (
                ""
                if self.agency
                else ", by a certificate that came with the production: compare it, or name your own with --agency"
            )
        )

    def _asked_for(self, stem: str, signature: Path) -> None:
        """There is something by each of those whom the reader named: what is left out vouches for nothing."""
        if self.agency and not signature.is_file():
            raise Differs("file-missing", signature.name, "you named who signs, and nobody signed")
        proof = self.bag / "data" / "proof"
        stamps = [self.folder.glob(f"{stem}.*tsr"), proof.glob("*.tsr"), proof.glob("history/*/*.tsr")]
        if self.authorities and not any(one for several in stamps for one in several):
            raise Differs(
                "file-missing", f"{stem}.tsr", "you named who timestamps, and there is no timestamp"
            )
        if self.key is not None and not (proof / "checkpoint").is_file():
            says = "you named the key of a ledger, and nothing of a ledger is there"
            raise Differs("file-missing", "bag/data/proof/checkpoint", says)

    def _timestamp(self, file: Path, message: bytes) -> int:
        token = self._held(file, "timestamp-form", SMALL)
        imprint, when = self.proofs.told_by(token)
        if not imprint:
            raise Differs("timestamp-form", file.name, "it is not a granted timestamp over a SHA-256")
        if imprint != hashlib.sha256(message).digest():
            raise Differs("timestamp-differs", file.name, "it is a timestamp of something else")
        at = timegm(strptime(when, "%b %d %H:%M:%S %Y GMT"))
        roots = self.authorities or sorted((self.folder / "trust").glob("tsa-*.pem"))
        if not any(self.proofs.vouched(token, message, root, at) for root in roots):
            raise Differs("timestamp-untrusted", file.name, "no authority that is trusted vouches for it")
        self.remarks.append(
            f"timestamped: {file.name} at {self.proofs.clock(at)}"
            + ("" if self.authorities else ", by an authority whose certificate came with the production")
        )
        return int(at)

    # -- 3. every record that is proven ----------------------------------------------------------------------

    def _proofs(self) -> None:
        """Each version of each record, by the program for one proof; what they share is laid beside it for that."""
        folder = self.bag / "data" / "proof"
        if not folder.is_dir():
            self.remarks.append("no proofs: the production was asked for without them")
            return
        shared = [file for file in (folder / "log.vkey", folder / "witnesses.vkey") if file.is_file()]
        for file in (item for item in folder.iterdir() if item.is_file()):
            self._small(file)
        if not (folder / "checkpoint").is_file():
            raise Differs("file-missing", "bag/data/proof/checkpoint", "every proof stands under it")
        whole = (folder / "checkpoint").read_bytes()
        whole += (folder / "cosignatures").read_bytes() if (folder / "cosignatures").is_file() else b""
        tokens = sorted((*folder.glob("*.tsr"), *folder.glob("*.pem")))
        roots = self.authorities or sorted(folder.glob("*.pem"))
        count = withheld = 0
        items = (item for part in sorted((folder / "items").glob("*")) for item in sorted(part.glob("*")))
        for item in items:
            kept_back = not (item / "statement.json").exists()
            for file in (one for one in item.rglob("*") if one.is_file()):
                self._small(file)
            with tempfile.TemporaryDirectory() as name:
                work = Path(name) / "proof"
                shutil.copytree(item, work, symlinks=True, ignore=_no_files)
                for file in shared:
                    shutil.copy(file, work)
                if tokens and count == 0:
                    (work / "anchors").mkdir()
                    for file in tokens:
                        shutil.copy(file, work / "anchors")
                one = self.proofs.Folder(work, roots, self.key, withheld=kept_back)
                for wrong in one.check():
                    raise Differs(wrong.code, self._where(item, wrong.where), wrong.says)
                if not (item / "entry.json").read_bytes().endswith(b',"ver":%s}' % os.fsencode(item.name)):
                    says = "it is the entry of another version than its folder's"
                    raise Differs("version-differs", self._where(item, "entry.json"), says)
                if (item / "item.tlog-proof").read_bytes().partition(b"\n\n")[2] != whole:
                    raise Differs(
                        "checkpoint-differs",
                        self._where(item, "item.tlog-proof"),
                        "it stands under another checkpoint",
                    )
                if count == 0:
                    self.remarks += one.remarks
            count, withheld = count + 1, withheld + kept_back
        self.remarks.append(
            f"proven: {count - withheld} versions of records, and the entries of {withheld} that are withheld"
        )

    def _small(self, file: Path) -> None:
        """A file of a proof is read as a whole, and copied: one that is larger than any of its kind is not."""
        if file.stat().st_size > LARGEST:
            where = file.relative_to(self.folder).as_posix()
            raise Differs("proof-form", where, "it is larger than any of its kind")

    def _where(self, item: Path, said: str) -> str:
        return ", ".join(f"{item.relative_to(self.folder).as_posix()}/{one}" for one in said.split(", "))

    def report(self) -> Iterator[str]:
        """What there is to say, line by line."""
        if self.findings:
            yield from (finding.line() for finding in self.findings)
            return
        yield from self.remarks
        yield f"VERIFIED: {self._number()}"


def shown(name: str) -> str:
    """A file's name with nothing in it that could be taken for something else."""
    return re.sub(rb"[^A-Za-z0-9._/-]", b"?", name.encode("utf-8", "surrogateescape")).decode("ascii")


def _no_files(folder: str, names: list[str]) -> list[str]:
    """What lies in a folder and is neither a file nor a folder: it is named elsewhere, and not followed."""
    there = [(name, Path(folder, name)) for name in names]
    return [name for name, at in there if at.is_symlink() or not (at.is_file() or at.is_dir())]


def main(words: Sequence[str]) -> int:
    """Read the command, check, and say what was found."""
    named: dict[str, list[Path]] = {"--agency": [], "--ca": [], "--key": []}
    rest: list[str] = []
    asked = list(words)
    while asked:
        word = asked.pop(0)
        if word in named and asked:
            named[word].append(Path(asked.pop(0)))
        elif word.startswith("-"):
            sys.stderr.write(__doc__ or "")
            return 2
        else:
            rest.append(word)
    if len(rest) > 1 or len(named["--key"]) > 1:
        sys.stderr.write(__doc__ or "")
        return 2
    beside = Path(__file__).resolve().parent
    try:
        for file in (*named["--agency"], *named["--ca"], *named["--key"]):
            if not file.is_file():
                raise CannotCheck(f"{file} is not a file")
        folder = Path(rest[0]) if rest else beside.parent
        if not folder.is_dir():
            raise CannotCheck(f"{folder} is not a folder")
        key = named["--key"][0] if named["--key"] else None
        production = Production(folder, beside, named["--agency"], named["--ca"], key)
        wrong = production.check()
        said = list(production.report())
    except CannotCheck as why:
        sys.stderr.write(f"CANNOT CHECK: {why}\n")
        return 5
    except Exception as why:
        if type(why).__name__ != "CannotCheck":  # that of proof.py says the same
            raise
        sys.stderr.write(f"CANNOT CHECK: {why}\n")
        return 5
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return 6 if wrong else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a terminal's own coding must not matter
    sys.exit(main(sys.argv[1:]))
