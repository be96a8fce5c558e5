"""Documents are true: links lead somewhere, commands and code that they name exist, and what they show has been run."""

from __future__ import annotations

import argparse
import ast
import hmac
import importlib
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from sqlalchemy import select

from app import ROOT
from app.capture import pages, records, run
from app.cli.door import build
from app.records.clock import FixedClock
from app.store import Store, proofs
from app.store.sealing import new_secret, seal_stream
from app.store.tables import records as record_table
from connectors.contract import Attachment, Author, Kind, Observation
from tests.steps.scripted import Scripted, ScriptedClient, listing

DOCUMENTS = {
    str(path.relative_to(ROOT)): path
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
}
EVERY = pytest.mark.parametrize("name", DOCUMENTS)


def test_there_is_something_to_read():
    assert len(DOCUMENTS) > 12


# -- links -------------------------------------------------------------------------------------------------


def without_code(text: str) -> str:
    """A document without its blocks and spans of code, which hold brackets of their own."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "`…`", text)


def anchors(text: str) -> set[str]:
    """The anchors that a reader's browser makes of a document's headings."""
    heads = re.findall(
        r"^#{1,6} (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), flags=re.MULTILINE
    )
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", head).lower())
        .strip()
        .replace(" ", "-")
        for head in heads
    }


def broken(path: Path, text: str) -> list[str]:
    """The links of a document that lead nowhere; addresses of the web are not asked."""
    found = []
    for link in re.findall(r"\[[^]]*\]\(([^)\s]+)\)", without_code(text)):
        place, _, anchor = link.partition("#")
        if re.match(r"[a-z]+://|mailto:", link):
            continue
        there = (path.parent / place).resolve() if place else path
        missing = bool(place) and not (there.exists() and there.is_relative_to(ROOT))
        known = (
            anchors(text if there == path else there.read_text())
            if there.suffix == ".md" and not missing
            else {anchor}
        )
        if missing or (anchor and anchor not in known):
            found.append(link)
    return found


@EVERY
def test_every_link_leads_somewhere(name: str):
    assert broken(DOCUMENTS[name], DOCUMENTS[name].read_text()) == []


def test_a_broken_link_would_be_found():
    text = "# One thing\n[a](#one-thing) [b](#another) [c](errors.md) [d](no-such.md) [e](errors.md#nowhere) [f](https://x.example/)\n"
    assert broken(ROOT / "docs" / "new.md", text) == ["#another", "no-such.md", "errors.md#nowhere"]


def test_every_document_is_reachable_from_another():
    linked = {
        (path.parent / link.partition("#")[0]).resolve()
        for path in DOCUMENTS.values()
        for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    }
    lost = [name for name, path in DOCUMENTS.items() if path.resolve() not in linked and path.parent != ROOT]
    assert lost == []


# -- commands ----------------------------------------------------------------------------------------------


def commands(text: str) -> Iterator[list[str]]:
    """The commands of `muniment` that a text shows, in spans or blocks of code, as lists of words."""
    text = re.sub(r"\\\n\s*", " ", text)
    spans = re.findall(r"`((?:[\w./]*/)?muniment [^`\n]+)`", text)
    lines = re.findall(r"^(?: {4}|\t)?\$? ?((?:[\w./]*/)?muniment [a-z].*)$", text, flags=re.MULTILINE)
    for command in [*spans, *lines]:
        yield shlex.split(command.partition("  #")[0], comments=True)[1:]


def wrong(words: list[str], parser: argparse.ArgumentParser) -> str | None:
    """Why a command cannot be one of ours, or None: a word that is no command, an option that it does not take."""
    known: set[str] = {"--help", "--version"}
    here = parser
    for word in words:
        known |= set(here._option_string_actions)
        choices = next(
            (action.choices for action in here._actions if isinstance(action, argparse._SubParsersAction)),
            None,
        )
        if word.startswith("-"):
            if word.partition("=")[0] not in known:
                return word
        elif choices is not None:
            if word not in choices:
                return word
            here = choices[word]
    return None


@pytest.fixture(scope="module")
def parser() -> argparse.ArgumentParser:
    return build()


@EVERY
def test_every_command_in_a_document_exists(name: str, parser: argparse.ArgumentParser):
    shown = list(commands(DOCUMENTS[name].read_text()))
    assert [(" ".join(words), word) for words in shown if (word := wrong(words, parser))] == []


def test_documents_show_commands():
    assert sum(len(list(commands(path.read_text()))) for path in DOCUMENTS.values()) > 40


def test_every_command_in_a_message_exists(parser: argparse.ArgumentParser):
    """What an error tells the reader to run can be run."""
    found = []
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "muniment " in node.value:
                found += [
                    (path.name, words) for words in commands(node.value.replace("{", "<").replace("}", ">"))
                ]
    assert len(found) > 10
    assert [(name, " ".join(words), word) for name, words in found if (word := wrong(words, parser))] == []


def test_a_command_that_is_not_there_would_be_found(parser: argparse.ArgumentParser):
    text = "Run `muniment page list`, `muniment page burn ID` or `muniment verify --deeply`.\n\n    muniment fly --json\n"
    assert [wrong(words, parser) for words in commands(text)] == [None, "burn", "--deeply", "fly"]


# -- code --------------------------------------------------------------------------------------------------


def lost(text: str) -> list[str]:
    """The files and dotted names of ours, in spans of code, that are not there."""
    spans = re.findall(r"`([^`\n]+)`", text)
    files = [
        span
        for span in spans
        if re.fullmatch(r"(app|connectors|tests|migrations|docs|retention_schedules)/[\w./-]*", span)
    ]
    dotted = [
        span.partition("(")[0] for span in spans if re.fullmatch(r"(app|connectors)(\.\w+)+(\(.*\))?", span)
    ]
    return [file for file in files if not (ROOT / file).exists()] + [
        name for name in dotted if not importable(name)
    ]


def importable(name: str) -> bool:
    """Whether a dotted name is a module of ours or something in one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@EVERY
def test_every_piece_of_code_that_a_document_names_exists(name: str):
    assert lost(DOCUMENTS[name].read_text()) == []


def test_code_that_is_not_there_would_be_found():
    text = "`app/store/ledger.py` `app/store/nothing.py` `app.store.ledger.Ledger.append` `app.store.ledger.Ledger.burn` `app.nowhere`"
    assert lost(text) == ["app/store/nothing.py", "app.store.ledger.Ledger.burn", "app.nowhere"]


# -- decisions ---------------------------------------------------------------------------------------------

DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_is_one_page_with_its_five_parts(path: Path):
    text = path.read_text()
    assert re.match(rf"# {path.name[:4]} \w", text)
    parts = ["**What forced it", "**What we do", "**What follows", "**What else", "**What enforces it"]
    places = [text.find(part) for part in parts]
    assert places == sorted(places)
    assert min(places) > 0
    assert len(text.split()) < 900


def test_decisions_are_numbered_without_a_double():
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) >= 10
    assert sorted(set(numbers)) == numbers


def test_every_library_has_its_reason():
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs/adr/0009-libraries.md").read_text(), flags=re.MULTILINE)
    listed = set(re.findall(r"`([a-z0-9-]+)`", "\n".join(rows)))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[^a-z0-9-]", line.lower())[0] for line in project["dependencies"]}
    assert len(needed) > 15
    assert listed == needed


def test_nothing_is_a_coroutine_but_what_asgi_demands():
    found = {
        str(path.relative_to(ROOT))
        for folder in ("app", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        if any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(ast.parse(path.read_text())))
    }
    assert found == {"app/web/headers.py", "app/web/hooks.py"}


# -- evidence: what the guide says, done by hand -----------------------------------------------------------

EVIDENCE = (ROOT / "docs" / "evidence.md").read_text()
TOOLS = ("bash", "xxd", "openssl", "sha256sum", "base64")
NEEDED = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS),
    reason=f"needs {', '.join(TOOLS)} (on Debian: xxd, openssl)",
)


def script() -> str:
    (found,) = re.findall(r"^```bash\n(.*?)^```", EVIDENCE, flags=re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.fixture
def proof(store: Store, clock: FixedClock, tmp_path: Path) -> Path:
    """The proof of a second version, as the program writes it, in a ledger that has grown since."""
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
    for words in ("Main Street is closed until 18:00", "Main Street is closed until 20:00 “at least”\n🚧"):
        post = Observation(
            native_id="p1",
            kind=Kind.POST,
            text=words,
            author=Author(name="Pat"),
            attachments=(Attachment(id="a", media_type="image/png"),),
        )
        comment = Observation(native_id="c1", kind=Kind.COMMENT, text="Which way round?", in_reply_to="p1")
        connector.steps = [listing(clock, post, comment)]
        clock.at += timedelta(hours=1)
        run.capture(store, page, connector, client, by=None, why="test", tick=lambda: 0.0)
    with store.database.begin() as tx:
        for number in range(9):
            store.ledger.act(tx, "page", by=None, why="test", facts={"n": number})
    with store.database.read() as tx:
        keys = tx.execute(select(record_table.c.key)).scalars().all()
        first = next(one for one in records.read(store, tx, list(keys), messages=False) if one.kind == "post")
        proofs.write(store, tx, first.id, tmp_path / "proof")
    return tmp_path / "proof"


def by_hand(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-c", script(), "check.sh", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


@NEEDED
def test_the_guides_commands_prove_what_the_program_wrote(proof: Path):
    code, told = by_hand(proof)
    assert (code, told.splitlines()[-1].partition(":")[0]) == (0, "PROVEN")
    shown = {line[1]: line[2] for line in map(json.loads, told.splitlines()[:-1])}
    assert shown["text"] == "Main Street is closed until 20:00 “at least”\n🚧"
    assert shown["author_name"] == "Pat"
    assert len(list((proof / "payload").iterdir())) == len(shown["payloads"]) == 1
    assert " version 2, " in told


def changed(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(proof: Path) -> None:
        text = (proof / file).read_bytes()
        assert old.encode() in text, "the twin breaks what is there"
        (proof / file).write_bytes(text.replace(old.encode(), new.encode(), 1))

    return change


def replaced(file: str, place: int) -> Callable[[Path], None]:
    def change(proof: Path) -> None:
        (name,) = proof.glob(file)
        held = bytearray(name.read_bytes())
        held[place] = ord("0") if held[place] != ord("0") else ord("1")
        name.write_bytes(bytes(held))

    return change


def cut(proof: Path) -> None:
    """The last hash of the path is left out."""
    lines = (proof / "item.tlog-proof").read_text().split("\n")
    del lines[lines.index("") - 1]
    (proof / "item.tlog-proof").write_text("\n".join(lines))


def foreign(proof: Path) -> None:
    """A field of another statement is slipped in."""
    with (proof / "disclosures.txt").open("a") as file:
        file.write("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0\n")


@NEEDED
@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (
            changed("statement.json", '"connector":"scripted/1"', '"connector":"scripted/2"'),
            "does not commit to this statement",
        ),
        (replaced("salt.hex", 5), "does not commit to this statement"),
        (changed("entry.json", '"ver":2', '"ver":1'), "different versions"),
        (changed("entry.json", "Z", "z"), "does not commit to this statement"),
        (changed("item.tlog-proof", "index ", "index 1"), "beyond|root|path"),
        (changed("item.tlog-proof", "index ", "index $(id) "), "names no index"),
        (cut, "does not lead to the root"),
        (replaced("item.tlog-proof", 60), "does not lead to the root|not one of this tree"),
        (replaced("item.tlog-proof", -20), "signature"),
        (replaced("log.vkey", -10), "not that of its key|no Ed25519 key"),
        (changed("log.vkey", "harrowfalls.example", "another.example"), "not that of its key"),
        (foreign, "not one of this statement"),
        (replaced("payload/*", 3), "is not what the record was read from"),
    ],
)
def test_the_guides_commands_refuse_what_was_changed(proof: Path, broken: Callable[[Path], None], says: str):
    broken(proof)
    code, told = by_hand(proof)
    assert code == 1
    assert re.search(f"NOT PROVEN: .*({says})", told)


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 40_000])
def test_a_frame_opens_with_nothing_but_what_the_guide_says(size: int):
    secret, context, content = (
        new_secret(),
        b"stream/" + bytes(range(16)),
        bytes(range(256)) * (size // 256) + bytes(size % 256),
    )
    frame = b"".join(seal_stream(secret, context, [content[:100], content[100:]]))
    salt, commitment, sealed = frame[:24], frame[24:56], frame[56:]
    key = hmac.digest(secret, b"muniment/v1/seal", "sha256")
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + salt + context
    derived = HKDFExpand(SHA512(), 76, info).derive(key)
    assert derived[44:] == commitment
    opened = [
        AESGCM(derived[:32]).decrypt(
            (int.from_bytes(derived[32:44]) ^ number).to_bytes(12),
            sealed[16_400 * number : 16_400 * (number + 1)],
            None,
        )
        for number in range(size // 16_384 + 1)
    ]
    assert b"".join(opened) == content
    assert len(opened[-1]) < 16_384
