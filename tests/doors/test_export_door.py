"""`muniment export`: who may take the whole archive out, what is written down of it, and how it answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import ROOT
from app.cli import main as muniment
from app.main import Archive
from app.store import audit
from app.store.outgoing import folder, ocfl
from tests.doors.conftest import Town
from tests.steps.test_export import everything

INVALID, NOT_FOUND, REFUSED = 2, 3, 4
BOTH = pytest.mark.parametrize("form", ["ocfl", "wacz"])

Asked = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(
    archive: Archive, laid: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Asked:
    """`ask("custodian", "export", …)` runs the command as that person: its exit code and its answer."""

    def asked(who: str, *arguments: str) -> tuple[int, dict[str, Any]]:
        monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
        monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens[who])
        code = muniment([*arguments, "--json"])
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, told

    return asked


def acts(archive: Archive) -> list[Any]:
    with archive.store.database.read() as tx:
        return list(audit.acts_before(archive.store, tx, kind="export").acts)


def accesses(archive: Archive) -> list[Any]:
    with archive.store.database.read() as tx:
        found = audit.accesses_before(archive.store, tx).accesses
    return [one for one in found if one.action == "export"]


@BOTH
def test_the_custodian_takes_the_archive_out_and_it_is_written_down(
    ask: Asked, archive: Archive, laid: Town, tmp_path: Path, form: str
):
    out = tmp_path / "out"
    code, told = ask("custodian", "export", "--as", form, "--out", str(out), "--why", "we leave")
    assert (code, told["as"], told["records"], told["versions"]) == (0, form, 7, 10)
    assert (told["attachments"], told["pages"], told["tombstones"], told["messages"]) == (2, 2, 0, False)
    said = everything(out)
    assert (b"The meadow path is dry again." in said, b"My number is in this letter." in said) == (
        True,
        False,
    )
    (act,) = acts(archive)
    assert (act.officer, act.why) == (laid.ids["custodian"], "we leave")
    assert (act.detail["folder"], act.detail["pages"]) == (str(out), [])
    with archive.store.database.read() as tx:
        entry = json.loads(archive.store.ledger.entry(tx, act.entry))
    assert (entry["what"], entry["digest"], entry["records"]) == (form, told["digest"], 7)
    (access,) = accesses(archive)
    assert (access.officer, access.detail["what"]) == (laid.ids["custodian"], form)
    marker = json.loads((out / folder.MARKER).read_text())
    assert (marker["state"], marker["digest"]) == ("done", told["digest"])
    assert not (out / folder.COMING).exists()


@BOTH
@pytest.mark.parametrize("who", ["administrator", "reader", "confidant", "auditor", "approver", "machine"])
def test_nobody_else_may(ask: Asked, archive: Archive, tmp_path: Path, who: str, form: str):
    code, told = ask(who, "export", "--as", form, "--out", str(tmp_path / "out"))
    assert (code, told["error"]["code"]) == (REFUSED, "not-permitted")
    assert not (tmp_path / "out").exists()
    assert (acts(archive), accesses(archive)) == ([], [])


def test_only_pages_that_were_named_leave(ask: Asked, tmp_path: Path):
    out = str(tmp_path / "out")
    code, told = ask("custodian", "export", "--as", "ocfl", "--out", out, "--page", "Alder Creek Parks")
    assert (code, told["records"], told["pages"], told["attachments"]) == (0, 2, 1, 2)


def test_a_page_that_nobody_knows_is_not_found(ask: Asked, tmp_path: Path):
    out = str(tmp_path / "out")
    code, told = ask("custodian", "export", "--as", "ocfl", "--out", out, "--page", "Elsewhere")
    assert (code, told["error"]["code"]) == (NOT_FOUND, "no-such-page")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_refused_before_anything_is_written_down(
    ask: Asked, archive: Archive, tmp_path: Path
):
    (tmp_path / "notes.txt").write_text("mine")
    code, told = ask("custodian", "export", "--as", "ocfl", "--out", str(tmp_path))
    assert (code, told["error"]["code"]) == (INVALID, "folder-of-something-else")
    assert accesses(archive) == []


def test_nothing_leaves_into_the_archives_own_folder(ask: Asked, archive: Archive):
    inside = archive.settings.home / "leaving"
    code, told = ask("custodian", "export", "--as", "wacz", "--out", str(inside))
    assert (code, told["error"]["code"]) == (INVALID, "folder-of-something-else")
    assert not inside.exists()


def test_what_left_is_for_whoever_took_it_alone(ask: Asked, tmp_path: Path):
    out = tmp_path / "new"
    assert ask("custodian", "export", "--as", "wacz", "--out", str(out))[0] == 0
    assert out.stat().st_mode & 0o777 == 0o700


def test_a_complete_export_is_not_written_over(ask: Asked, archive: Archive, tmp_path: Path):
    asked = ("export", "--as", "ocfl", "--out", str(tmp_path / "out"))
    assert ask("custodian", *asked)[0] == 0
    code, told = ask("custodian", *asked)
    assert (code, told["error"]["code"]) == (REFUSED, "export-done")
    assert len(acts(archive)) == 1


KILLED = """
import os, signal, sys
from app.cli import main
from app.store.outgoing import ocfl

put, done = ocfl.Draft.put, []

def killed(draft, root):
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(draft)
    put(draft, root)

ocfl.Draft.put = killed
sys.exit(main())
"""
"""The command in a process that is killed with the fourth object in its hands."""


def test_a_process_that_was_killed_is_gone_on_with_to_one_whole_export(
    ask: Asked, archive: Archive, laid: Town, tmp_path: Path
):
    out = tmp_path / "out"
    asked = ["export", "--as", "ocfl", "--out", str(out)]
    environment = {
        **os.environ,
        "MUNIMENT_HOME": str(archive.settings.home),
        "MUNIMENT_TOKEN": laid.tokens["custodian"],
        "PYTHONPATH": str(ROOT),
    }
    begun = subprocess.run(
        [sys.executable, "-c", KILLED, *asked], env=environment, capture_output=True, check=False
    )
    assert begun.returncode == -signal.SIGKILL, begun.stderr
    assert len(list(out.glob("*/*/urn*/inventory.json"))) == 3
    assert list((out / folder.COMING).iterdir()) != []
    assert len(accesses(archive)) == 1
    code, told = ask("custodian", *asked)
    assert (code, told["records"]) == (0, 7)
    assert json.loads((out / folder.MARKER).read_text())["state"] == "done"
    found = list(out.glob("*/*/urn*/inventory.json"))
    assert len(found) == 10
    assert all(ocfl.whole(out, json.loads(one.read_bytes())["id"]) for one in found)
    assert [one.detail["goes_on"] for one in accesses(archive)] == [True, False]
    assert len(acts(archive)) == 1


def test_people_are_told_in_words(
    archive: Archive,
    laid: Town,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))
    monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens["custodian"])
    assert muniment(["export", "--as", "wacz", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "7 records, 10 versions, 2 attachments, 0 tombstones, 2 pages in" in said
    assert "private messages are not in it, whether there are any or not" in said
