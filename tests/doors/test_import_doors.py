"""Importing by the doors: the command line, the API and the page hand a file in, look first, and say what became of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.capture import pages, runs
from app.cli.door import main
from app.main import Archive
from app.web import handing
from tests.doors.conftest import Browser, Person, Town

CSV = b"Post ID,Posted,Message,From\r\n9,2026-03-04T10:00:00Z,The lamp is out,Pat\r\n10,soon,No date,Kim\r\n"
MAPPING = """
mapping: 1
fields:
  platform: {value: nixle}
  page: {value: Alder Creek}
  native_id: Post ID
  kind: {value: post}
  published_at: Posted
  text: Message
  author.name: From
"""
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(
    laid: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ask:
    """Asks the command line as somebody, in an archive of its own."""
    shutil.copytree(laid.home, tmp_path / "home")
    for name in [name for name in os.environ if name.startswith("MUNIMENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MUNIMENT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def asked(*arguments: object, by: str = "administrator") -> tuple[int, Any]:
        monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens[by])
        code = main([*map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return asked


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "posts.csv").write_bytes(CSV)
    (tmp_path / "posts.yaml").write_text(MAPPING)
    return tmp_path / "posts.csv"


# -- the command line --------------------------------------------------------------------------------------


def test_every_format_is_listed_in_a_sentence(ask: Ask):
    code, told = ask("import", "--formats")
    assert (code, told.keys() >= {"observations", "csv", "xlsx", "facebook-download"}) == (0, True)
    assert all(len(sentence) > 20 for sentence in told.values())


def test_a_table_is_suggested_a_mapping_looked_at_and_imported(ask: Ask, table: Path):
    code, told = ask("import", table, "--as", "csv", "--suggest", "guess.yaml")
    assert (code, told["columns"], told["choose"]) == (0, ["Post ID", "Posted", "Message", "From"], 1)
    assert "native_id" in Path("guess.yaml").read_text()

    code, told = ask("import", table, "--as", "csv", "--mapping", "posts.yaml", "--preview")
    assert (code, told["readable"], told["unreadable_total"], told["changed"]) == (7, 1, 1, False)
    assert told["pages"] == [{"platform": "nixle", "page": "Alder Creek", "lines": 1, "in_registry": False}]
    assert ask("search", "lamp")[1]["total"] == 0

    code, told = ask(
        "import", table, "--as", "csv", "--mapping", "posts.yaml", "--make-pages", "--from", "Pat Lee, clerk"
    )
    assert (code, told["status"], told["new"], told["from"]) == (7, "partial", 1, "Pat Lee, clerk")
    assert [one["line"] for one in told["unreadable"]] == [3]
    (record,) = ask("search", "lamp")[1]["records"]
    shown = ask("record", "show", record["id"])[1]
    assert (shown["origin"], shown["received"]["file"], shown["received"]["from"]) == (
        "received",
        "posts.csv",
        "Pat Lee, clerk",
    )
    assert shown["received"]["sha256"] == told["sha256"]


def test_a_mapping_that_somebody_corrected_is_not_written_over(ask: Ask, table: Path):
    before = (table.parent / "posts.yaml").read_text()
    code, told = ask("import", table, "--as", "csv", "--suggest", "posts.yaml")
    assert (code, "is there already" in told["error"]["message"]) == (4, True)
    assert (table.parent / "posts.yaml").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("import",), 2, "invalid"),
        (("import", "posts.csv", "--as", "hearsay"), 2, "bad-file"),
        (("import", "posts.csv", "--as", "csv"), 2, "bad-mapping"),
        (("import", "posts.csv", "--as", "observations", "--mapping", "posts.yaml"), 2, "bad-mapping"),
        (("import", "nowhere.csv", "--as", "csv", "--mapping", "posts.yaml"), 2, "bad-file"),
        (("import", "posts.csv", "--as", "csv", "--mapping", "nowhere.yaml"), 2, "bad-mapping"),
        (("import", "posts.csv", "posts.csv", "--as", "csv", "--mapping", "posts.yaml"), 2, "bad-file"),
        (("import", "posts.csv", "--as", "facebook-download"), 2, "bad-file"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_what_to_do(
    ask: Ask, table: Path, arguments: tuple[str, ...], code: int, error: str
):
    ended, told = ask(*arguments)
    assert (ended, told["error"]["code"]) == (code, error)
    assert told["error"]["next"] or "cannot be read" in told["error"]["message"]


def test_a_reader_who_may_not_keep_may_not_import_either(ask: Ask, table: Path):
    code, told = ask("import", table, "--as", "csv", "--mapping", "posts.yaml", by="auditor")
    assert (code, told["error"]["code"]) == (4, "not-permitted")


# -- the API and the page ----------------------------------------------------------------------------------


def send(who: Person, content: bytes = CSV, *, name: str = "posts.csv", **values: Any) -> Any:
    told = {"format": "csv", "mapping": MAPPING, "make_pages": "true", "why": "handed in", **values}
    return who.post("/api/v1/imports", data=told, files={"files": (name, content)})


def left(archive: Archive) -> list[Path]:
    return list(archive.settings.home.glob("handed-in-*"))


def test_a_file_is_looked_at_and_received_over_the_api(person: Callable[..., Person], archive: Archive):
    told = send(person("machine"), preview="true").json()
    assert (told["readable"], told["unreadable_total"], told["changed"]) == (1, 1, False)
    with archive.store.database.read() as tx:
        before = len(runs.recent(tx))
    answer = send(person("machine"), content=CSV, **{"from": "Pat", "sha256": told["sha256"]})
    assert (answer.status_code, answer.json()["new"], answer.json()["from"]) == (200, 1, "Pat")
    with archive.store.database.read() as tx:
        assert len(runs.recent(tx)) == before + 1
        assert pages.get(tx, "Alder Creek").approved is False
    assert left(archive) == []


@pytest.mark.parametrize(
    ("who", "values", "status", "code"),
    [
        (None, {}, 401, "not-signed-in"),
        ("auditor", {}, 403, "not-permitted"),
        ("approver", {}, 403, "not-permitted"),
        ("machine", {"why": " "}, 422, "reason-missing"),
        ("machine", {"format": "hearsay"}, 422, "bad-file"),
        ("machine", {"mapping": "mapping: 1\nfields: {kind: Type}"}, 422, "bad-mapping"),
        ("machine", {"sha256": "0" * 64}, 409, "another-file"),
    ],
)
def test_what_may_not_or_cannot_be_received_is_refused_and_nothing_is_left(
    person: Callable[..., Person],
    archive: Archive,
    who: str | None,
    values: dict[str, Any],
    status: int,
    code: str,
):
    with archive.store.database.read() as tx:
        before = len(runs.recent(tx))
    answer = send(person(who), **values)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    with archive.store.database.read() as tx:
        assert len(runs.recent(tx)) == before
    assert left(archive) == []


def test_what_is_larger_than_the_door_is_refused(
    person: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
):
    assert send(person("machine"), b"x" * (handing.BODY + 1)).status_code == 413


@pytest.mark.parametrize("name", ["../../escape.csv", "/etc/escape.csv", "C:\\escape.csv", ".."])
def test_the_name_that_a_sender_gives_is_never_a_path(
    person: Callable[..., Person], archive: Archive, name: str
):
    told = send(person("machine"), name=name, preview="true").json()
    assert told["file"] in {"escape.csv", "file-1"}
    assert not list(archive.settings.home.rglob("escape.csv"))
    assert left(archive) == []


def test_formats_are_listed_over_the_api(person: Callable[..., Person]):
    assert "facebook-download" in person("reader").get("/api/v1/imports/formats").json()


def handed(who: Browser, act: str, content: bytes = CSV, **values: str) -> Any:
    told = {"csrf": who.mark("/import"), "act": act, "format": "csv", "mapping": MAPPING, **values}
    return who.post("/import", data=told, files={"files": ("posts.csv", content)})


def test_a_file_is_previewed_on_the_page_and_only_that_one_is_imported(
    browser: Callable[..., Browser], archive: Archive
):
    reader = browser("reader")
    shown = handed(reader, "preview", make_pages="true")
    assert (shown.status_code, "The lamp is out" in shown.text, "Nothing was changed" in shown.text) == (
        200,
        True,
        True,
    )
    found = re.search(r'name="sha256" value="([0-9a-f]{64})"', shown.text)
    assert found
    other = handed(reader, "import", CSV + b"\r\n", sha256=found[1], why="handed in", make_pages="true")
    assert (other.status_code, "not the file that was previewed" in other.text) == (409, True)
    done = handed(reader, "import", sha256=found[1], why="handed in", make_pages="true", handed_by="Pat Lee")
    assert (done.status_code, "1 new record" in done.text, "Pat Lee" in done.text) == (200, True, True)
    assert left(archive) == []


def test_a_mapping_is_suggested_on_the_page(browser: Callable[..., Browser]):
    shown = handed(browser("reader"), "suggest", mapping="")
    assert "native_id: &#34;Post ID&#34;" in shown.text
    assert "CHOOSE" in shown.text


def test_what_strangers_wrote_is_shown_as_text_in_the_preview(browser: Callable[..., Browser]):
    shown = handed(browser("reader"), "preview", CSV.replace(b"The lamp", b"<script>steal()</script>"))
    assert "<script>steal" not in shown.text
    assert "&lt;script&gt;steal" in shown.text


def test_a_form_of_another_site_hands_nothing_in(browser: Callable[..., Browser]):
    reader = browser("reader")
    forged = reader.post("/import", data={"csrf": "0" * 64, "format": "csv"}, files={"files": ("a.csv", CSV)})
    assert forged.status_code == 403


def test_who_may_not_keep_sees_no_form(browser: Callable[..., Browser]):
    assert browser("auditor").get("/import").status_code == 403
    assert browser(None).get("/import").status_code == 303


def test_a_record_s_page_says_file_digest_and_giver(
    browser: Callable[..., Browser], person: Callable[..., Person], archive: Archive
):
    told = send(person("machine"), content=CSV, **{"from": "Pat <Lee>"}).json()
    archive.follow()
    (record,) = person("reader").get("/api/v1/records", params={"q": "lamp"}).json()["records"]
    shown = browser("reader").get(f"/records/{record['id']}").text
    assert "posts.csv, from Pat &lt;Lee&gt;" in shown
    assert told["sha256"] in shown


def test_a_download_in_parts_is_handed_in_as_parts(person: Callable[..., Person], tmp_path: Path):
    posts = b'[{"timestamp": 1772618400, "data": [{"post": "words"}], "attachments": [{"data": [{"media": {"uri": "posts/media/1.jpg"}}]}]}]'
    for number, (name, content) in enumerate(
        {"posts/posts_1.json": posts, "posts/media/1.jpg": b"picture"}.items()
    ):
        with zipfile.ZipFile(tmp_path / f"facebook-{number}.zip", "w") as packed:
            packed.writestr(name, content)
    answer = person("machine").post(
        "/api/v1/imports",
        data={"format": "facebook-download", "why": "handed in", "page": "Alder Creek Parks"},
        files=[
            ("files", (f"facebook-{n}.zip", (tmp_path / f"facebook-{n}.zip").read_bytes())) for n in range(2)
        ],
    )
    assert (answer.json()["status"], answer.json()["new"], answer.json()["gaps"]) == ("complete", 1, [])
