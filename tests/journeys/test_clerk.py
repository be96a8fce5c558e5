"""A clerk at the command line: from an empty folder to evidence, each command a process of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from app import ROOT
from app.cli import main as muniment

DONE, INVALID, NOT_FOUND, REFUSED, UNSOUND, WITH_GAPS = 0, 2, 3, 4, 6, 7
CLERK, EXPERT = "clerk@harrowfalls.example", "expert@harrowfalls.example"
NOBODY = "01a1fc86-bc93-722a-8b03-bac9f400b5e5"
RECORD = {
    "id", "page", "kind", "native_id", "url", "state", "in_reply_to", "root", "author", "published_at",
    "version", "versions", "text", "html", "attachments", "counts", "first_seen", "last_seen", "interval",
    "series", "held", "origin", "entry",
}  # fmt: skip
"""What the interface promises of every record."""

BRIDGE = {
    "platform": "townbook",
    "page": "Harrow Falls Police",
    "native_id": "p-1",
    "kind": "post",
    "author": {"id": "7", "name": "Lt. Dana Okafor", "handle": "okafor"},
    "published_at": "2026-02-02T15:10:00Z",
    "text": "Weaver Bridge is closed until 6 p.m.",
    "url": "https://townbook.example/p-1",
}
FAMILY = (
    BRIDGE,
    {
        "platform": "townbook",
        "page": "Harrow Falls Police",
        "native_id": "c-1",
        "kind": "comment",
        "in_reply_to": "p-1",
        "author": {"name": "Marisol Vega"},
        "published_at": "2026-02-02T15:50:00Z",
        "text": "Does the detour take trucks?",
    },
    {
        "platform": "townbook",
        "page": "Harrow Falls Police",
        "native_id": "c-2",
        "kind": "reply",
        "in_reply_to": "c-1",
        "author": {"id": "7", "name": "Lt. Dana Okafor", "handle": "okafor"},
        "published_at": "2026-02-02T16:25:00Z",
        "text": "Up to 20 tons. Above that, by the county road, please.",
    },
    {
        "platform": "townbook",
        "page": "Harrow Falls Parks",
        "native_id": "p-1",
        "kind": "post",
        "published_at": "2026-02-03T09:00:00Z",
        "text": "The river path is closed.",
    },
)
LATER = (BRIDGE | {"text": "Weaver Bridge is closed until 9 p.m.", "edited_at": "2026-02-03T11:20:00Z"},)


@dataclass(frozen=True)
class Desk:
    """A terminal in an empty folder: the environment holds the archive's place and the token, and nothing else."""

    folder: Path
    token: str = ""

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        place = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "app", *command],
            cwd=self.folder,
            env=place | self.settings() | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def within(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """The same within this process, for what needs none of its own: looking again, and being refused."""
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as changed, redirect_stdout(out), redirect_stderr(err):
            changed.chdir(self.folder)
            for name, value in (self.settings() | settings).items():
                changed.setenv(name, value)
            code = muniment(command)
        return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())

    def settings(self) -> dict[str, str]:
        return {"MUNIMENT_HOME": str(self.folder / "home"), "MUNIMENT_TOKEN": self.token}

    def ask(self, *command: str, ends: int = DONE) -> Any:
        """Run a command with `--json` in a process of its own; what it prints is one JSON value."""
        return answer(self.run(*command, "--json"), ends)

    def look(self, *command: str, ends: int = DONE, **settings: str) -> Any:
        """The same within this process."""
        return answer(self.within(*command, "--json", **settings), ends)

    def file(self, name: str, *lines: object) -> str:
        path = self.folder / name
        path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines))
        return str(path)


def answer(done: subprocess.CompletedProcess[str], ends: int) -> Any:
    """What a command said in JSON; its exit code must be `ends`."""
    assert done.returncode == ends, f"{done.args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def clerk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The clerk, who has just made the archive and received the first file."""
    desk = Desk(tmp_path_factory.mktemp("clerk"))
    made = desk.ask(
        "init", "--agency", "Harrow Falls", "--domain", "harrowfalls.example",
        "--timezone", "America/Chicago", "--admin", CLERK,
    )  # fmt: skip
    assert made.keys() == {"home", "admin", "password", "token"}
    assert (made["home"], made["admin"]) == (str(desk.folder / "home"), CLERK)
    desk = replace(desk, token=made["token"])
    told = desk.ask("import", desk.file("family.jsonl", *FAMILY), "--as", "observations", "--make-pages")
    assert (told["status"], told["new"], told["gaps"], told["unreadable"]) == ("complete", 4, [], [])
    return desk


def found(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records that a search found: all of them, and nothing that could not be searched."""
    assert told["total"] == len(told["records"])
    assert told["unsearchable"] == 0
    records: list[dict[str, Any]] = told["records"]
    return records


def test_what_was_received_is_found_read_with_its_versions_and_its_family_and_leaves_a_trace(clerk: Desk):
    # 1. The edit came with a second file, in which a line cannot be read.
    told = clerk.ask(
        "import", clerk.file("later.jsonl", *LATER, "{no line"), "--as", "observations", ends=WITH_GAPS
    )
    assert (told["status"], told["edited"], told["new"]) == ("partial", 1, 0)
    assert [one["line"] for one in told["unreadable"]] == [2]
    assert len(told["gaps"]) == 1

    # 2. It is found by its present words and by its former ones.
    (bridge,) = found(clerk.ask("search", 'bridge w/5 closed page:"Harrow Falls Police"'))
    assert bridge["text"] == LATER[0]["text"]
    assert [one["id"] for one in found(clerk.look("search", '"until 6"'))] == [bridge["id"]]

    # 3. It is shown with its versions and its family, as promised.
    shown = clerk.ask("record", "show", bridge["id"], "--family", "--versions")
    assert shown.keys() >= RECORD
    assert shown["page"].keys() == {"id", "name", "platform"}
    assert (shown["origin"], shown["version"], shown["versions"]) == ("received", 2, 2)
    assert [one["text"] for one in shown["history"]] == [BRIDGE["text"], LATER[0]["text"]]
    family = shown["family"]
    assert [one["native_id"] for one in family] == ["p-1", "c-1", "c-2"]
    assert [one["in_reply_to"] for one in family] == [None, family[0]["id"], family[1]["id"]]
    assert {one["root"] for one in family} == {bridge["id"]}

    # 4. The reading left a trace.
    log = clerk.look("access", "log", "--by", CLERK)[-3:]
    assert {one["by"] for one in log} == {CLERK}
    assert [one["action"] for one in log] == ["search", "search", "view"]
    assert log[-1]["record"] == bridge["id"]
    assert log[0]["detail"]["query"].startswith("bridge w/5 closed")


def test_evidence_leaves_only_through_its_custodian_and_proves_itself(clerk: Desk):
    (comment,) = found(clerk.look("search", "detour trucks"))
    refused = clerk.look("record", "evidence", comment["id"], "--out", "no.warc.gz", ends=REFUSED)
    assert refused["error"]["code"] == "not-permitted"
    assert not list(clerk.folder.glob("no.warc.gz*"))

    # 1. Another person is invited, and accepts with a password that is hers alone.
    invited = clerk.look(
        "user", "add", EXPERT, "--role", "custodian_of_evidence", "--why", "custodian for Doe v. City"
    )
    password = clerk.file("password", "a harmless heron in the harbor")
    accepted = replace(clerk, token="").ask(
        "user", "accept", invited["invitation"], "--password-file", password
    )
    assert accepted["email"] == EXPERT
    expert = replace(clerk, token=accepted["token"])

    # 2. What she takes out is evidence, and a proof of it.
    told = expert.ask(
        "record", "evidence", comment["id"], "--out", "evidence.warc.gz", "--why", "Doe v. City"
    )
    assert told["exchanges"] == 1
    assert (clerk.folder / "evidence.warc.gz").stat().st_size > 0
    expert.ask("record", "proof", comment["id"], "--out", "proof", "--why", "Doe v. City")
    assert proven(clerk.folder / "proof") == FAMILY[1]["text"]
    reword(clerk.folder / "proof", "trucks", "tracks")
    with pytest.raises(AssertionError, match="does not commit"):
        proven(clerk.folder / "proof")

    # 3. Both left a trace under her name.
    taken = clerk.look("access", "log", "--by", EXPERT)
    assert [(one["action"], one["detail"]["what"]) for one in taken] == [
        ("export", "evidence"),
        ("export", "proof"),
    ]


def proven(folder: Path) -> str:
    """The text that a proof folder proves, by arithmetic of our own: commitment, Merkle path, root of the checkpoint."""
    statement = (folder / "statement.json").read_bytes()
    salt = bytes.fromhex((folder / "salt.hex").read_text())
    entry = (folder / "entry.json").read_bytes()
    committed = hashlib.sha256(b"record-commit/v1\n" + salt + hashlib.sha256(statement).digest()).hexdigest()
    assert json.loads(entry)["c"] == committed
    head, _, checkpoint = (folder / "item.tlog-proof").read_text().partition("\n\n")
    version, index, *path = head.splitlines()
    assert version == "c2sp.org/tlog-proof@v1"
    _, size, root = checkpoint.splitlines()[:3]
    place, last = int(index.removeprefix("index ")), int(size) - 1
    node = hashlib.sha256(b"\x00" + entry).digest()
    for step in map(base64.b64decode, path):  # RFC 9162, section 2.1.3.2
        if place % 2 or place == last:
            node = hashlib.sha256(b"\x01" + step + node).digest()
            while place and not place % 2:
                place, last = place // 2, last // 2
        else:
            node = hashlib.sha256(b"\x01" + node + step).digest()
        place, last = place // 2, last // 2
    assert node == base64.b64decode(root)
    told = [(line, json.loads(_decoded(line))) for line in (folder / "disclosures.txt").read_text().split()]
    listed = json.loads(statement)["_sd"]
    for line, (_, name, _) in told:  # RFC 9901, section 4.2.3
        digest = base64.urlsafe_b64encode(hashlib.sha256(line.encode()).digest()).rstrip(b"=").decode()
        assert digest in listed, f"the statement does not commit this {name}"
    (text,) = [value for _, (_, name, value) in told if name == "text"]
    return str(text)


def reword(folder: Path, before: str, after: str) -> None:
    """Put other words into a proof folder, as somebody would who wants to be believed."""
    file = folder / "disclosures.txt"
    lines = [_decoded(line).replace(before.encode(), after.encode()) for line in file.read_text().split()]
    file.write_text("".join(base64.urlsafe_b64encode(line).rstrip(b"=").decode() + "\n" for line in lines))


def _decoded(line: str) -> bytes:
    return base64.urlsafe_b64decode(line + "=" * (-len(line) % 4))


def test_the_ledger_signs_what_it_holds_and_everything_verifies_until_somebody_alters_a_byte(clerk: Desk):
    note = clerk.ask("ledger", "checkpoint")["checkpoint"]
    origin, size, _root = note.splitlines()[:3]
    assert origin == "harrowfalls.example/records/1"
    told = clerk.look("ledger", "verify")
    assert (told["findings"], told["size"]) == ([], int(size))
    told = clerk.ask("verify", "--full")
    assert told["findings"] == []
    assert told["checked"]["records"] == len(FAMILY)

    segment = max(
        (clerk.folder / "home" / "objects").rglob("*"),
        key=lambda file: file.is_file() and file.stat().st_size,
    )
    whole = segment.read_bytes()
    segment.chmod(0o600)
    segment.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    try:
        told = clerk.ask("verify", ends=UNSOUND)
    finally:
        segment.write_bytes(whole)
    assert told["findings"]
    assert all(one.keys() == {"code", "what", "where", "next"} for one in told["findings"])
    assert clerk.look("verify")["findings"] == []


# --------------------------------------------------------------------------- refusals, and what they say


@pytest.mark.parametrize(
    ("command", "ends", "code"),
    [
        (("search", "bridge w/5 closed w/3 road"), INVALID, None),
        (("record", "show", "the bridge"), INVALID, "invalid"),
        (("record", "show", NOBODY), NOT_FOUND, "no-such-record"),
        (("page", "show", "no such page"), NOT_FOUND, "no-such-page"),
        (("page", "approve", "Harrow Falls Police"), INVALID, "why-missing"),
        (("import", "nowhere.jsonl"), INVALID, "bad-file"),
        (("import", "nowhere.jsonl", "--as", "hearsay"), INVALID, "bad-file"),
        (("page", "add", "telepathy", "https://page.example"), INVALID, "bad-page"),
        (("page", "add", "feed", "ftp://page.example"), INVALID, "bad-page"),
        (
            ("page", "add", "feed", "https://page.example/feed", "--option", "colour=blue"),
            INVALID,
            "bad-page",
        ),
        (("user", "accept", "made-up", "--password-file", "nowhere"), INVALID, "invalid"),
        (("record", "proof", NOBODY, "--out", "out"), REFUSED, "not-permitted"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_code_and_a_reason(
    clerk: Desk, command: tuple[str, ...], ends: int, code: str | None
):
    error = clerk.look(*command, ends=ends)["error"]
    assert error["message"]
    assert code is None or error["code"] == code


def test_a_refusal_to_a_person_is_on_standard_error(clerk: Desk):
    refused = clerk.within("record", "show", NOBODY)
    assert (refused.returncode, refused.stdout) == (NOT_FOUND, "")
    assert refused.stderr.startswith("no-such-record: ")


@pytest.mark.parametrize("token", ["", "a token that nobody holds"])
@pytest.mark.parametrize(
    "command",
    [
        ("page", "list"),
        ("page", "pause", "Harrow Falls Police", "--why", "x"),
        ("search", "bridge"),
        ("record", "show", NOBODY),
        ("import", "family.jsonl"),
        ("capture",),
        ("ledger", "checkpoint"),
        ("verify",),
        ("user", "add", EXPERT, "--role", "auditor", "--why", "x"),
        ("access", "log"),
    ],
)
def test_nothing_is_done_for_somebody_without_a_token(clerk: Desk, command: tuple[str, ...], token: str):
    before = clerk.look("ledger", "verify")["size"]
    assert clerk.look(*command, ends=REFUSED, MUNIMENT_TOKEN=token).keys() == {"error"}
    assert clerk.look("ledger", "verify")["size"] == before


def test_the_token_may_stand_in_a_file(clerk: Desk):
    pages = clerk.look(
        "page", "list", MUNIMENT_TOKEN="", MUNIMENT_TOKEN_FILE=clerk.file("token", clerk.token)
    )
    assert [page["name"] for page in pages] == ["Harrow Falls Police", "Harrow Falls Parks"]


def test_an_archive_is_never_made_twice(clerk: Desk):
    other = "init --agency Other --domain other.example --timezone UTC --admin x@other.example"
    assert clerk.look(*other.split(), ends=REFUSED)["error"]["code"] == "already-made"
    assert clerk.look("ledger", "verify")["findings"] == []


def test_a_line_that_belongs_to_no_page_is_not_given_to_one(clerk: Desk):
    file = clerk.file("stray.jsonl", {"native_id": "x-1", "kind": "post", "text": "Whose am I?"})
    told = clerk.look("import", file, ends=WITH_GAPS)
    assert (told["new"], [one["line"] for one in told["unreadable"]]) == (0, [1])
