"""A stranger checks a proof folder with what lies in it: both programs prove what was written, and refuse every broken twin alike."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app import main
from app.capture import pages, records, run
from app.records.clock import FixedClock
from app.store import Store, anchors, merkle, proofs, witness
from app.store.note import Checkpoint, Signer, Verifier, opened, proof_parts
from app.store.tables import records as record_table
from app.web.app import create
from connectors.contract import Author, Kind, Observation
from tests.archives import close, settings_at
from tests.doors.conftest import parts_of
from tests.steps.scripted import Scripted, ScriptedClient, listing
from tests.steps.vouching import Office, TimestampServer, asking, serving

TOOLS = ("sh", "xxd", "openssl", "sha256sum", "base64", "expr")
NEEDED = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS),
    reason=f"needs {', '.join(TOOLS)} (on Debian: xxd, openssl)",
)
INSTRUCTIONS = {"verify.sh", "verify.py", "VERIFY.md"}
WORDS = "Main Street\x7f is closed until 20:00 “at least”\n🚧"
Found = list[tuple[str, str]]
Change = Callable[[Path], None]


@dataclass(frozen=True)
class Made:
    """What the program wrote: a full proof, one of another record, a bare one, and who vouched."""

    full: Path
    other: Path
    bare: Path
    root: Path
    notes: tuple[str, str]
    path: str
    key: str
    home: Path


@pytest.fixture(scope="module")
def made(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """An archive whose checkpoints are cosigned by two witnesses and timestamped by an authority, twice."""
    folder = tmp_path_factory.mktemp("proofs")
    clock = FixedClock(datetime.now(UTC))  # openssl timestamps with the machine's time
    home = Path(shutil.copytree(archive_template, folder / "home"))
    store = main.open_store(settings_at(home), clock)
    capture(store, clock)
    write(store, folder / "bare", "post")
    with ExitStack() as outside:
        office = Office(folder / "office", "Office of Time")
        authority = TimestampServer(office)
        outside.enter_context(serving(authority))
        ask = outside.enter_context(asking())
        seen = []
        for name in ("archives.example/witness", "clerk.example/witness"):
            desk = witness.Desk(folder / name.partition(".")[0], name, [store.ledger.verifier()], clock)
            outside.callback(desk.close)
            server = witness.Server(desk, "127.0.0.1", 0)
            outside.enter_context(serving(server))
            seen.append(witness.Witness(f"http://127.0.0.1:{server.server_port}", desk.cosigner.key()))
        notes = []
        for _ in range(2):
            told = anchors.attest(
                store, anchors.authorities(authority.setting), seen, ask, by=None, why="test"
            )
            assert (len(told.kept), len([one for one in told.seen if one.entry])) == (1, 2), told
            with store.database.read() as tx:
                notes.append(str(anchors.signed_note(tx, told.size)))
            with store.database.begin() as tx:
                for number in range(9):
                    store.ledger.act(tx, "page", by=None, why="test", facts={"n": number})
    old, new = (Checkpoint.parse(opened(note, store.ledger.verifier())) for note in notes)
    path = "".join(
        f"{base64.b64encode(part).decode()}\n" for part in store.ledger.consistency(old.size, new.size)
    )
    write(store, folder / "full", "post")
    write(store, folder / "other", "comment")
    yield Made(
        folder / "full",
        folder / "other",
        folder / "bare",
        office.root,
        (notes[0], notes[1]),
        path,
        store.ledger.verifier().line() + "\n",
        home,
    )
    close(store)


def capture(store: Store, clock: FixedClock) -> None:
    """Two versions of a post and a comment."""
    client = ScriptedClient(clock)
    connector = Scripted(client)
    with store.database.begin() as tx:
        page = pages.add(
            store,
            tx,
            connector="scripted",
            platform="blog",
            address="https://blog.example",
            name="Police blog",
            by=None,
            why="test",
        )
    for words in ("Main Street is closed until 18:00", WORDS):
        post = Observation(native_id="p1", kind=Kind.POST, text=words, author=Author(name="Pat"))
        comment = Observation(native_id="c1", kind=Kind.COMMENT, text="Which way round?", in_reply_to="p1")
        connector.steps = [listing(clock, post, comment)]
        clock.at += timedelta(hours=1)
        run.capture(store, page, connector, client, by=None, why="test", tick=lambda: 0.0)
    clock.at = datetime.now(UTC)


def write(store: Store, out: Path, kind: str) -> None:
    with store.database.read() as tx:
        keys = list(tx.execute(select(record_table.c.key)).scalars())
        one = next(one for one in records.read(store, tx, keys, messages=False) if one.kind == kind)
        proofs.write(store, tx, one.id, out)


@pytest.fixture(scope="module")
def verify(made: Made) -> ModuleType:
    """`verify.py` as it lies in the folder."""
    spec = importlib.util.spec_from_file_location("verify_of_a_proof", made.full / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made.full, tmp_path / "proof"))


def by_python(verify: ModuleType, folder: Path, *roots: Path) -> Found:
    return [(wrong.code, wrong.where) for wrong in verify.Folder(folder, roots).check()]


def by_shell(folder: Path, *roots: Path) -> tuple[int, Found, str]:
    words = [word for root in roots for word in ("--ca", str(root))]
    # A path without other programs shows that nothing but those named is needed.
    done = subprocess.run(
        ["sh", str(folder / "verify.sh"), str(folder), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder.parent,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stderr == ""
    found = re.findall(r"^NOT PROVEN: ([a-z-]+) in (.+?): .+$", done.stdout, flags=re.MULTILINE)
    return done.returncode, found, done.stdout


# -- what is whole is proven -------------------------------------------------------------------------------


def test_a_folder_holds_everything_and_the_means_to_check_it(made: Made):
    names = {path.name for path in made.full.iterdir()}
    assert names == {
        "statement.json", "salt.hex", "entry.json", "item.tlog-proof", "disclosures.txt", "payload", "log.vkey",
        "witnesses.vkey", "anchors", "renewed", *INSTRUCTIONS,
    }  # fmt: skip
    assert {path.name for path in made.bare.iterdir()} == names - {"witnesses.vkey", "anchors", "renewed"}
    assert len((made.full / "witnesses.vkey").read_text().splitlines()) == 2
    assert sorted(path.suffix for path in (made.full / "anchors").iterdir()) == [".pem", ".tsr"]
    _, _, note = proof_parts((made.full / "item.tlog-proof").read_text())
    assert note.startswith(made.notes[0])


@NEEDED
@pytest.mark.parametrize("which", ["full", "bare"])
def test_both_programs_prove_what_was_written(made: Made, verify: ModuleType, which: str):
    folder: Path = getattr(made, which)
    done = subprocess.run(
        [sys.executable, str(folder / "verify.py"), str(folder), "--ca", str(made.root)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    code, _, told = by_shell(folder, made.root)
    assert (done.returncode, code) == (0, 0), done.stdout + told
    assert done.stdout == told
    last = told.splitlines()[-1]
    assert re.fullmatch(
        r"PROVEN: record [0-9a-f]{32} version \d, observed \S+Z, is entry \d+ of \d+ in harrowfalls.example/records/1",
        last,
    )
    if which == "full":
        assert f'"text","{WORDS.splitlines()[0]}\\n🚧"]' in told
        assert len(re.findall("^witnessed: ", told, flags=re.MULTILINE)) == 2
        assert len(re.findall("^timestamped: ", told, flags=re.MULTILINE)) == 2


@NEEDED
def test_without_the_authoritys_certificate_both_say_that_the_time_was_not_checked(
    made: Made, verify: ModuleType
):
    code, _, told = by_shell(made.full)
    folder = verify.Folder(made.full)
    assert folder.check() == []
    assert code == 0
    assert told.splitlines() == list(folder.report())
    assert len(re.findall("^not checked: .* --ca$", told, flags=re.MULTILINE)) == 2


def test_they_know_no_library_but_pythons_own(made: Made):
    text = (made.full / "verify.py").read_text()
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, flags=re.MULTILINE))
    assert imported <= set(sys.stdlib_module_names)
    assert imported


# -- broken twins ------------------------------------------------------------------------------------------


def edit(name: str, change: Callable[[bytes], bytes]) -> Change:
    def broken(folder: Path) -> None:
        (file,) = folder.glob(name)
        before = file.read_bytes()
        after = change(before)
        assert before != after, "the twin breaks what is there"
        file.write_bytes(after)

    return broken


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda text: text.replace(old, new, 1)


def line(number: int, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def changed(text: bytes) -> bytes:
        lines = text.split(b"\n")
        lines[number] = change(lines[number])
        return b"\n".join(lines)

    return changed


def without(number: int) -> Callable[[bytes], bytes]:
    def changed(text: bytes) -> bytes:
        lines = text.split(b"\n")
        del lines[number]
        return b"\n".join(lines)

    return changed


def twice(number: int) -> Callable[[bytes], bytes]:
    def changed(text: bytes) -> bytes:
        lines = text.split(b"\n")
        lines.insert(number, lines[number])
        return b"\n".join(lines)

    return changed


def crlf(text: bytes) -> bytes:
    return text.replace(b"\n", b"\r\n")


def digit(text: bytes) -> bytes:
    """Another hex digit or letter in the middle."""
    place = len(text) // 2
    return text[:place] + (b"0" if text[place : place + 1] != b"0" else b"1") + text[place + 1 :]


def field(changed: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Change what the first disclosure says, and write it as a disclosure again."""

    def change(text: bytes) -> bytes:
        told = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        return base64.urlsafe_b64encode(changed(told)).rstrip(b"=")

    return line(0, change)


def signature_bits(text: bytes) -> bytes:
    """Another signature in the same form."""
    head, _, value = text.rpartition(b" ")
    raw = bytearray(base64.b64decode(value))
    raw[-9] ^= 1
    return head + b" " + base64.b64encode(bytes(raw))


def noncanonical(text: bytes) -> bytes:
    """Base64 of the same bytes, written otherwise: an unused bit is set."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body, pads = text.rstrip(b"="), len(text) - len(text.rstrip(b"="))
    return body[:-1] + bytes([alphabet[alphabet.index(body[-1]) | 1]]) + b"=" * pads


def remove(name: str) -> Change:
    return lambda folder: next(folder.glob(name)).unlink()


def put(name: str, content: bytes = b"x") -> Change:
    def broken(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return broken


def foreign_key(folder: Path) -> None:
    key = Signer("harrowfalls.example/records/1", bytes(range(32))).verifier().line()
    (folder / "log.vkey").write_text(key + "\n")


def foreign_log(folder: Path) -> None:
    key = Signer("another.example/records/1", bytes(range(32))).verifier().line()
    (folder / "log.vkey").write_text(key + "\n")


def renamed(folder: Path) -> None:
    """A timestamp of something else, under the name that is its own."""
    (later,) = (folder / "renewed").glob("*.tsr")
    shutil.copy(later, folder / "anchors" / later.name)


def refiled(folder: Path) -> None:
    """A damaged timestamp under the name that its damaged bytes have."""
    (file,) = (folder / "renewed").glob("*.tsr")
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.unlink()
    (folder / "renewed" / f"{hashlib.sha256(bytes(content)).hexdigest()}.tsr").write_bytes(bytes(content))


def linked(folder: Path) -> None:
    (folder / "entry.json").rename(folder.parent / "entry.json")
    (folder / "entry.json").symlink_to(folder.parent / "entry.json")


PROOF = "item.tlog-proof"
BROKEN: dict[str, tuple[Change, str, str]] = {
    "no salt": (remove("salt.hex"), "file-missing", "salt.hex"),
    "no key": (remove("log.vkey"), "file-missing", "log.vkey"),
    "a link": (linked, "file-missing", "entry.json"),
    "a further file": (put("notes.txt"), "file-unknown", "notes.txt"),
    "a hidden file": (put(".DS_Store"), "file-unknown", ".DS_Store"),
    "a further anchor": (put("anchors/readme.txt"), "file-unknown", "anchors/readme.txt"),
    "salt in capitals": (edit("salt.hex", lambda text: text.upper()), "salt-form", "salt.hex"),
    "salt with CRLF": (edit("salt.hex", crlf), "salt-form", "salt.hex"),
    "salt without its newline": (edit("salt.hex", lambda text: text[:-1]), "salt-form", "salt.hex"),
    "salt with a further newline": (edit("salt.hex", lambda text: text + b"\n"), "salt-form", "salt.hex"),
    "another salt": (edit("salt.hex", digit), "commitment-differs", "salt.hex"),
    "statement of something else": (edit("statement.json", swap(b"scripted/", b"scripten/")), "commitment-differs", "statement.json"),
    "statement with a newline": (edit("statement.json", lambda text: text + b"\n"), "statement-form", "statement.json"),
    "statement with white space": (edit("statement.json", swap(b":1,", b": 1,")), "statement-form", "statement.json"),
    "statement with a further digest": (edit("statement.json", swap(b'"],"_sd_alg', b'","' + b"A" * 43 + b'"],"_sd_alg')), "commitment-differs", "statement.json"),
    "entry with a newline": (edit("entry.json", lambda text: text + b"\n"), "entry-form", "entry.json"),
    "entry in capitals": (edit("entry.json", line(0, lambda text: text[:6] + text[6:70].upper() + text[70:])), "entry-form", "entry.json"),
    "entry of another time": (edit("entry.json", swap(b'"ts":"20', b'"ts":"19')), "inclusion-differs", "entry.json"),
    "entry of another version": (edit("entry.json", swap(b'"ver":2', b'"ver":1')), "version-differs", "entry.json"),
    "another commitment": (edit("entry.json", line(0, lambda text: text[:6] + digit(text[6:70]) + text[70:])), "commitment-differs", "entry.json"),
    "key in another form": (edit("log.vkey", lambda text: text[:-2] + b"\n"), "key-form", "log.vkey"),
    "two keys": (edit("log.vkey", lambda text: text + text), "key-form", "log.vkey"),
    "key with CRLF": (edit("log.vkey", crlf), "key-form", "log.vkey"),
    "a key's id in capitals": (edit("log.vkey", lambda text: b"+".join([*text.split(b"+", 2)[:1], b"ABCDEF01", *text.split(b"+", 2)[2:]])), "key-form", "log.vkey"),
    "another key of this name": (foreign_key, "ledger-differs", "log.vkey"),
    "the key of another ledger": (foreign_log, "ledger-differs", "log.vkey"),
    "proof of another version": (edit(PROOF, swap(b"@v1", b"@v2")), "proof-form", PROOF),
    "proof with extra data": (edit(PROOF, swap(b"index ", b"extra eA==\nindex ")), "proof-form", PROOF),
    "proof with CRLF": (edit(PROOF, crlf), "proof-form", PROOF),
    "another index": (edit(PROOF, swap(b"index ", b"index 1")), "inclusion-differs", PROOF),
    "an index with a zero": (edit(PROOF, swap(b"index ", b"index 0")), "proof-form", PROOF),
    "an index that is a command": (edit(PROOF, swap(b"index ", b"index $(id) ")), "proof-form", PROOF),
    "a path that is cut": (edit(PROOF, without(2)), "inclusion-differs", PROOF),
    "a path that is longer": (edit(PROOF, twice(2)), "inclusion-differs", PROOF),
    "a hash without padding": (edit(PROOF, line(2, lambda text: text[:-1])), "proof-form", PROOF),
    "a hash written otherwise": (edit(PROOF, line(2, noncanonical)), "proof-form", PROOF),
    "a root written otherwise": (edit(PROOF, lambda text: line(text.split(b"\n").index(b"") + 3, noncanonical)(text)), "checkpoint-form", PROOF),
    "a checkpoint with an extension": (edit(PROOF, lambda text: text.replace(b"\n\n\xe2", b"\nmore\n\n\xe2")), "checkpoint-form", PROOF),
    "a checkpoint of another size": (edit(PROOF, lambda text: line(text.split(b"\n").index(b"") + 2, lambda size: b"%d" % (int(size) + 64))(text)), "inclusion-differs", PROOF),
    "a checkpoint of another name": (edit(PROOF, lambda text: text.replace(b"\nharrowfalls", b"\nharrowfells", 1)), "ledger-differs", PROOF),
    "another signature": (edit(PROOF, line(-4, signature_bits)), "signature-differs", PROOF),
    "proof without its last newline": (edit(PROOF, lambda text: text[:-1]), "proof-form", PROOF),
    "proof with a further newline": (edit(PROOF, lambda text: text + b"\n"), "checkpoint-form", PROOF),
    "a cosignature of nobody": (edit("witnesses.vkey", without(1)), "cosignature-unknown", PROOF),
    "a witness who did not sign": (edit(PROOF, without(-2)), "cosignature-missing", PROOF),
    "another cosignature": (edit(PROOF, line(-2, signature_bits)), "cosignature-differs", PROOF),
    "a cosignature that is short": (edit(PROOF, line(-2, lambda text: text[:-8])), "cosignature-form", PROOF),
    "a cosignature twice": (edit(PROOF, twice(-2)), "cosignature-unknown", PROOF),
    "no witnesses' keys": (remove("witnesses.vkey"), "cosignature-unknown", PROOF),
    "a witness's key in another form": (edit("witnesses.vkey", swap(b"+", b"-")), "witness-form", "witnesses.vkey"),
    "a field that is none": (edit("disclosures.txt", lambda text: text + b"WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0\n"), "disclosure-differs", "disclosures.txt"),
    "a field that says something else": (edit("disclosures.txt", field(lambda told: told.replace(b'"Pat"', b'"Sam"'))), "disclosure-differs", "disclosures.txt"),
    "a field with padding": (edit("disclosures.txt", line(0, lambda text: text + b"=")), "disclosure-form", "disclosures.txt"),
    "a field twice": (edit("disclosures.txt", twice(0)), "disclosure-order", "disclosures.txt"),
    "fields in another order": (edit("disclosures.txt", lambda text: b"\n".join([*reversed(text.split(b"\n")[:-1]), b""])), "disclosure-order", "disclosures.txt"),
    "an empty line": (edit("disclosures.txt", lambda text: text + b"\n"), "disclosure-form", "disclosures.txt"),
    "fields with CRLF": (edit("disclosures.txt", crlf), "disclosure-form", "disclosures.txt"),
    "no last newline": (edit("disclosures.txt", lambda text: text[:-1]), "disclosure-form", "disclosures.txt"),
    "no field of payloads": (edit("disclosures.txt", lambda text: b"".join(one + b"\n" for one in text.split(b"\n")[:-1] if b"payloads" not in base64.urlsafe_b64decode(one + b"=" * (-len(one) % 4)))), "payload-unstated", "payload/observation-1"),
    "another payload": (edit("payload/observation-1", digit), "payload-differs", "payload/observation-1"),
    "a longer payload": (edit("payload/observation-1", lambda text: text + b"\n"), "payload-differs", "payload/observation-1"),
    "no payload": (remove("payload/observation-1"), "payload-missing", "payload/observation-1"),
    "a further payload": (put("payload/observation-2"), "payload-unstated", "payload/observation-2"),
    "a payload of a strange name": (put("payload/$(id)"), "file-unknown", "payload/??id?"),
    "another timestamp's bytes": (edit("anchors/*.tsr", lambda text: text[:-1] + bytes([text[-1] ^ 1])), "token-name", "anchors/"),
    "another certificate's bytes": (edit("anchors/*.pem", digit), "token-name", "anchors/"),
    "garbage under its own name": (put(f"anchors/{hashlib.sha256(b'x').hexdigest()}.tsr"), "token-form", "anchors/"),
    "a timestamp of another checkpoint": (renamed, "token-imprint", "anchors/"),
    "a false timestamp under its own name": (refiled, "token-", "renewed/"),
    "no renewed entry": (remove("renewed/entry.json"), "file-missing", "renewed/entry.json"),
    "a renewal of another entry": (edit("renewed/entry.json", swap(b'"v":1', b'"v":2')), "entry-form", "renewed/entry.json"),
    "a renewal of another token": (edit("renewed/entry.json", lambda text: re.sub(rb'(?<="token":")[0-9a-f]{64}', b"0" * 64, text)), "renewal-differs", "renewed/entry.json"),
    "a renewal of another size": (edit("renewed/entry.json", lambda text: re.sub(rb'(?<="size":)[0-9]+', b"7", text)), "inclusion-differs", "renewed/entry.json"),
    "another signature in the renewal": (edit("renewed/entry.tlog-proof", line(-2, signature_bits)), "signature-differs", "renewed/entry.tlog-proof"),
    "a renewal without its timestamp": (remove("renewed/*.tsr"), "file-missing", "renewed"),
}  # fmt: skip
IN_THE_SHELL = {"another salt", "a hash written otherwise", "a field with padding", "a further payload"}
"""Twins that the shell refuses in the ordinary run too; `make soak` shows it all of them."""


@pytest.mark.parametrize("name", BROKEN)
def test_python_refuses_every_broken_twin_and_names_the_file(
    made: Made, verify: ModuleType, folder: Path, name: str
):
    change, code, file = BROKEN[name]
    change(folder)
    found = by_python(verify, folder, made.root)
    assert [one for one in found if one[0].startswith(code) and file in one[1]], found


@NEEDED
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in IN_THE_SHELL else [pytest.mark.soak]) for name in BROKEN],
)
def test_the_shell_says_of_a_broken_twin_what_python_says(
    made: Made, verify: ModuleType, folder: Path, name: str
):
    BROKEN[name][0](folder)
    code, found, told = by_shell(folder, made.root)
    assert (code, found) == (6, by_python(verify, folder, made.root)), told


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("statement.json", "commitment-differs"),
        ("salt.hex", "commitment-differs"),
        ("entry.json", "commitment-differs"),
        ("item.tlog-proof", "inclusion-differs"),
        ("disclosures.txt", "disclosure-differs"),
        ("payload/observation-1", "payload-differs"),
    ],
)
def test_a_file_of_another_records_proof_is_refused(
    made: Made, verify: ModuleType, folder: Path, name: str, code: str
):
    shutil.copy(made.other / name, folder / name)
    assert code in [found for found, _ in by_python(verify, folder, made.root)]


def test_a_timestamp_that_no_named_authority_vouches_for_is_refused(
    made: Made, verify: ModuleType, tmp_path: Path
):
    stranger = Office(tmp_path / "stranger", "Office of Time")
    found = by_python(verify, made.full, stranger.root)
    assert [code for code, _ in found] == ["token-untrusted", "token-untrusted"]
    assert by_python(verify, made.full, stranger.root, made.root) == []
    if all(shutil.which(tool) for tool in TOOLS):
        assert by_shell(made.full, stranger.root)[:2] == (6, found)


def test_a_key_that_came_another_way_must_be_the_one_in_the_folder(
    made: Made, verify: ModuleType, tmp_path: Path
):
    (tmp_path / "key").write_text(made.key)
    assert verify.Folder(made.full, (), tmp_path / "key").check() == []
    foreign_key_file = tmp_path / "other"
    foreign_key_file.write_text(Signer("a.example", bytes(32)).verifier().line() + "\n")
    (wrong,) = verify.Folder(made.full, (), foreign_key_file).check()
    assert (wrong.code, wrong.where) == ("key-differs", "log.vkey")


# -- every bit ---------------------------------------------------------------------------------------------


def evidence(folder: Path) -> list[Path]:
    """Every file but the instructions."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in INSTRUCTIONS)


def unnoticed(verify: ModuleType, made: Made, folder: Path, flips: Iterator[tuple[Path, int]]) -> list[str]:
    """The flipped bits, of those asked for, after which the folder is still proven, or another file is blamed."""
    missed = []
    for file, bit in flips:
        before = file.read_bytes()
        after = bytearray(before)
        after[bit // 8] ^= 1 << bit % 8
        file.write_bytes(bytes(after))
        found = by_python(verify, folder, made.root)
        name = str(file.relative_to(folder))
        if not any(name in where for _, where in found):
            missed.append(f"{name} bit {bit}: {found}")
        file.write_bytes(before)
    return missed


def test_two_hundred_flipped_bits_are_all_found_and_the_right_file_is_named(
    made: Made, verify: ModuleType, folder: Path
):
    """None changes nothing: names of tokens are their digests, and every text has one form."""
    chance = random.Random(20261121)
    files = evidence(folder)
    chosen = [chance.choice(files) for _ in range(200)]
    flips = ((file, chance.randrange(file.stat().st_size * 8)) for file in chosen)
    assert unnoticed(verify, made, folder, flips) == []
    assert {path.name for path in files} <= {path.name for path in chosen}


@pytest.mark.soak
def test_every_single_bit_is_found(made: Made, verify: ModuleType, folder: Path):
    flips = ((file, bit) for file in evidence(folder) for bit in range(file.stat().st_size * 8))
    assert unnoticed(verify, made, folder, flips) == []


@NEEDED
@pytest.mark.soak
def test_the_shell_finds_flipped_bits_as_python_does(made: Made, verify: ModuleType, folder: Path):
    chance = random.Random(7)
    files = evidence(folder)
    for _ in range(300):
        file = chance.choice(files)
        before = file.read_bytes()
        after = bytearray(before)
        bit = chance.randrange(len(before) * 8)
        after[bit // 8] ^= 1 << bit % 8
        file.write_bytes(bytes(after))
        code, found, _ = by_shell(folder, made.root)
        assert (code, found) == (6, by_python(verify, folder, made.root)), (file, bit)
        file.write_bytes(before)


# -- two checkpoints of one ledger ---------------------------------------------------------------------------


def compared(
    made: Made, folder: Path, old: str, new: str, path: str, key: str | None = None
) -> tuple[int, str]:
    for name, text in (("old.note", old), ("new.note", new), ("proof", path), ("key", key or made.key)):
        (folder / name).write_text(text)
    words = ["--consistency", "old.note", "new.note", "proof", "--key", "key"]
    done = subprocess.run(
        [sys.executable, str(made.full / "verify.py"), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_consistency_proof_between_two_checkpoints_is_checked_without_us(made: Made, tmp_path: Path):
    old, new = made.notes
    assert compared(made, tmp_path, old, new, made.path) == (
        0,
        "PROVEN: the new ledger begins with the old one\n",
    )


@pytest.mark.parametrize("twin", ["turned round", "a hash less", "a hash more", "another path", "CRLF"])
def test_a_consistency_proof_that_is_none_is_refused(made: Made, tmp_path: Path, twin: str):
    old, new = made.notes
    lines = made.path.splitlines(keepends=True)
    words = {
        "turned round": (new, old, made.path),
        "a hash less": (old, new, "".join(lines[1:])),
        "a hash more": (old, new, made.path + lines[0]),
        "another path": (old, new, "".join(reversed(lines))),
        "CRLF": (old, new, made.path.replace("\n", "\r\n")),
    }[twin]
    code, told = compared(made, tmp_path, *words)
    assert code == 6
    assert re.match("NOT PROVEN: (consistency-differs|proof-form) in ", told)


def test_a_checkpoint_of_another_ledger_is_refused_in_a_comparison(made: Made, tmp_path: Path):
    old, new = made.notes
    foreign = Signer("another.example", bytes(32)).verifier().line() + "\n"
    code, told = compared(made, tmp_path, old, new, made.path, foreign)
    assert (code, told.split()[2]) == (6, "ledger-differs")


# -- over the network ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stranger(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Somebody who never signed in, at the agency's address."""
    home = shutil.copytree(made.home, tmp_path_factory.mktemp("served") / "home")
    archive = main.open_archive(settings_at(home))
    with TestClient(create(parts_of(archive)), base_url="https://archive.example") as client:
        yield client
    archive.close()


def test_a_stranger_gets_everything_that_the_checks_need_without_signing_in(
    made: Made, stranger: TestClient, tmp_path: Path
):
    ledger = "/api/v1/ledger"
    old, new = (Checkpoint.parse(note.partition("\n\n")[0] + "\n") for note in made.notes)
    assert stranger.get(f"{ledger}/vkey").text == made.key
    notes = [stranger.get(f"{ledger}/checkpoint/{said.size}").text for said in (old, new)]
    assert [note.count("\u2014 ") for note in notes] == [3, 3]
    answer = stranger.get(f"{ledger}/consistency/{old.size}/{new.size}")
    assert (answer.status_code, answer.text) == (200, made.path)
    assert compared(made, tmp_path, notes[0], notes[1], answer.text)[0] == 0
    (digest,) = stranger.get(f"{ledger}/checkpoint/{old.size}/timestamps").text.splitlines()
    assert (
        stranger.get(f"{ledger}/timestamp/{digest}").content
        == (made.full / "anchors" / f"{digest}.tsr").read_bytes()
    )
    index, path, note = proof_parts(stranger.get(f"{ledger}/proof/0").text)
    newest = Checkpoint.parse(opened(note, Verifier.parse(made.key.strip())))
    width = newest.size
    leaves = stranger.get(f"{ledger}/tile/0/000.p/{width}").content
    assert merkle.check_inclusion(leaves[:32], index, newest.size, path, newest.root)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("consistency/0/5", 422),
        ("consistency/5/4", 422),
        ("consistency/1/99999999999999999999999", 422),
        ("checkpoint/999999", 404),
        ("checkpoint/99999999999999999999999", 404),
        ("checkpoint/-1", 404),
        ("proof/999999", 404),
        ("proof/-1", 404),
        ("timestamp/00", 404),
        (f"timestamp/{'0' * 64}", 404),
        (f"timestamp/{'Ä' * 64}", 404),
    ],
)
def test_what_was_never_signed_is_not_given_out(stranger: TestClient, path: str, status: int):
    assert stranger.get(f"/api/v1/ledger/{path}").status_code == status


# -- called wrongly ------------------------------------------------------------------------------------------


@NEEDED
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--no-such"], 2),
        (["a", "b"], 2),
        (["/no/such/folder"], 5),
        (["--ca", "/no/such/file"], 5),
        (["--ca"], 2),
    ],
)
def test_both_say_by_their_exit_code_that_they_were_called_wrongly(made: Made, words: list[str], code: int):
    for program in ([sys.executable, str(made.full / "verify.py")], ["sh", str(made.full / "verify.sh")]):
        done = subprocess.run([*program, *words], capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (code, b"")


def test_every_code_is_explained_in_the_instructions_and_given_by_both(made: Made):
    explained = set(
        re.findall(
            r"`([a-z]+-[a-z]+)`",
            (made.full / "VERIFY.md").read_text().partition("## Codes")[2].partition("## Two")[0],
        )
    )
    python = set(
        re.findall(
            r'"([a-z]+-(?:form|differs|missing|unknown|unstated|order|name|imprint|untrusted))"',
            (made.full / "verify.py").read_text(),
        )
    )
    shell = set(
        re.findall(
            r"(?:\bno|0[14]) ([a-z]+-[a-z]+) (?:[\"'$]|renewed |\S+\.\S+ )",
            (made.full / "verify.sh").read_text(),
        )
    )
    assert explained == python
    assert shell == python - {"consistency-differs"}
