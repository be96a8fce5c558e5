"""From a request to a production that proves itself: by the API over real records, and by pages over invented ones.

Told as a records officer would tell it. Whoever receives the folder checks it
at the end with nothing but the folder: no archive, no network, no settings.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app import ROOT, officers
from app.capture import importing
from app.cli import door
from app.main import Archive, _Productions, open_archive
from app.officers import passes
from app.officers.passes import Kind
from app.records.clock import FixedClock
from tests.doors.conftest import NOW, Browser, Person, Town, laid, parts_of, record_of, serving, settings

SHARED = Path(os.environ.get("MUNIMENT_SHARED", ROOT.parent / "shared"))
SAMPLE = SHARED / "corpus" / "sample-1k.observations.jsonl"
QUESTION = "police OR (water w/10 street) OR thank*"
N = "PD-2026-0001"
PRIVACY = "AS 40.25.120(a)(6)(C)"
__all__ = ["laid"]
MAIL = b"""\
From: Ann Reader <ann@elsewhere.example>
To: records@alder.example
Subject: Public records request
Date: Mon, 02 Mar 2026 09:15:00 -0900
Content-Type: text/plain; charset=utf-8

Please send me everything that was said about the police, about water in the
streets, and whoever said thanks. Ann Reader
"""


@pytest.fixture
def archive(laid: Town, tmp_path: Path) -> Iterator[Archive]:
    home = tmp_path / "home"
    shutil.copytree(laid.home, home)
    opened = open_archive(settings(home), FixedClock(NOW))
    yield opened
    opened.close()


@pytest.fixture
def web(archive: Archive, tmp_path: Path) -> FastAPI:
    return serving(parts_of(archive, productions=_Productions(archive, tmp_path / "productions")))


def ok(told: Any, status: int = 201) -> Any:
    assert told.status_code == status, told.text
    return told.json()


def checked(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What somebody finds who has only the folder."""
    monkeypatch.delenv("MUNIMENT_HOME", raising=False)
    capsys.readouterr()
    code = door.main(["disclose", "verify", str(folder), "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (code, told["findings"]) == (0, [])
    return told


def by_its_own_means(folder: Path) -> None:
    """The verifiers that lie in the folder find nothing wrong, with the standard library, a shell and openssl alone."""
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    for command in (
        [sys.executable, "-I", str(folder / "verify" / "verify.py"), str(folder)],
        ["bash", str(folder / "verify" / "verify.sh"), str(folder)],
    ):
        done = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, (command[1], done.stdout[-2000:], done.stderr[-2000:])


def everything(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def invented(file: Path) -> Path:
    """A year of a small town's page: thirty posts, each with what people say of it."""
    said = (
        "Thanks for telling us. We live two doors from the corner and had seen nothing of it all evening long.",
        "The water stands in our street again, up to the second step, and it is coming in at the back.",
        "Nobody asked for this.",
    )

    def line(number: int, text: str, answers: int | None, name: str) -> str:
        return json.dumps({
            "platform": "facebook", "page": "birchtown", "native_id": str(number), "text": text,
            "kind": "post" if answers is None else "comment",
            "in_reply_to": None if answers is None else str(answers),
            "author": {"id": f"p{number % 7}", "name": name},
            "published_at": f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:30:00Z",
            "state": "present", "url": f"https://social.example/birchtown/{number}",
        })  # fmt: skip

    with file.open("w", encoding="utf-8") as to:
        for post in range(1, 300, 10):
            print(
                line(post, f"Notice {post} of the police about Mill Road.", None, "Birchtown Police"), file=to
            )
            for further, text in enumerate(said, 1):
                name = f"Reader Number {post + further:03}"
                print(line(post + further, f"{text} ({post:03})", post, name), file=to)
    return file


@pytest.mark.parametrize(
    "really",
    [
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                not SAMPLE.is_file(), reason=f"{SAMPLE} is not there; MUNIMENT_SHARED names another place"
            ),
            id="over what people really wrote",
        ),
        pytest.param(False, id="over invented records"),
    ],
)
def test_from_a_question_to_a_production_that_a_stranger_can_check(
    archive: Archive, web: FastAPI, laid: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, really: bool,
):  # fmt: skip
    # What was said on a page, by the hundred, is in the archive.
    importing.observations(
        archive.store,
        SAMPLE if really else invented(tmp_path / "birchtown.jsonl"),
        page=None,
        make_pages=True,
        by=laid.ids["administrator"],
        why="history",
        tick=lambda: 0.0,
    )
    archive.follow()
    officer, second = Person(web, laid.tokens["reader"]), Person(web, laid.tokens["custodian"])

    # Monday: an e-mail comes in. Its own words are kept, and its clock runs.
    made = ok(officer.post("/api/v1/requests/message", files={"message": ("mail.eml", MAIL, "message/rfc822")},
                           data={"law": "us-ak-state", "why": "it came by e-mail"}))  # fmt: skip
    assert (made["number"], made["from"]) == (N, "Ann Reader")
    assert "whoever said thanks" in made["text"]
    assert {"what", "on", "citation"} <= made["due"][0].keys()
    ok(officer.post(f"/api/v1/requests/{N}/acknowledge", json={"why": "by return"}), 200)

    # Everything is held until somebody confirms what answers it.
    found = ok(officer.post(f"/api/v1/requests/{N}/selection", json={"query": QUESTION, "families": True, "why": "her words"}))  # fmt: skip
    assert found["selected"] > 20
    again = ok(officer.post(f"/api/v1/requests/{N}/selection", json={"query": QUESTION, "families": True, "as_of": found["as_of"], "why": "the same as of then"}))  # fmt: skip
    assert again["records_sha256"] == found["records_sha256"]
    confirmed = ok(officer.post(f"/api/v1/requests/{N}/confirm", json={"why": "it answers the request"}))
    assert confirmed["records_sha256"] == found["records_sha256"]

    # Review: a name goes out of everything, a record is withheld, a second person looks at both.
    queue = ok(officer.get(f"/api/v1/reviews/{N}?limit=1000"), 200)["records"]
    shown = [ok(officer.get(f"/api/v1/reviews/{N}/records/{row['record']}"), 200) for row in queue]
    named = next(one for one in shown if one["author"]["name"] and len(one["author"]["name"]) > 8)
    long = next(
        one for one in shown if len(one["versions"][-1]["text"]) > 80 and one["record"] != named["record"]
    )
    text = long["versions"][-1]["text"]
    ok(officer.post(f"/api/v1/reviews/{N}/rule", json={"two_persons": True, "why": "names are in it"}), 200)
    for record, what in (
        (named["record"], {"field": "author"}),
        (long["record"], {"record": True, "explanation": "an open investigation"}),
    ):
        ok(officer.post(f"/api/v1/reviews/{N}/records/{record}/redactions", json={**what, "exemption": PRIVACY, "why": "privacy"}))  # fmt: skip
    ok(officer.post(f"/api/v1/reviews/{N}/looked", json={"all": True, "why": "read"}), 200)
    preview = ok(officer.get(f"/api/v1/requests/{N}/production"), 200)
    assert [one["code"] for one in preview["conflicts"] if one["blocks"]] == ["redaction-not-approved"] * 2
    refused = officer.post(f"/api/v1/requests/{N}/productions", json={"prefix": "AC-", "why": "to answer"})
    assert (refused.status_code, refused.json()["code"]) == (409, "production-conflicts")
    for row in shown:
        for one in ok(officer.get(f"/api/v1/reviews/{N}/records/{row['record']}"), 200)["decisions"]:
            assert (
                officer.post(f"/api/v1/redactions/{one['id']}/approve", json={"why": "mine"}).status_code
                == 403
            )
            ok(second.post(f"/api/v1/redactions/{one['id']}/approve", json={"why": "looked"}), 200)

    # The production: numbered, searched for whatever was taken out, sealed.
    done = ok(officer.post(f"/api/v1/requests/{N}/productions", json={"prefix": "AC-", "why": "to answer"}))
    folder = Path(done["folder"])
    assert (done["withheld"], done["records"] + done["withheld"]) == (1, found["selected"])
    content = everything(folder)
    assert named["author"]["name"].encode() not in content
    assert text.encode() not in content
    log = (folder / "bag" / "data" / "logs" / "redaction-log.csv").read_text("utf-8-sig")
    assert "(a)(6)(C)" in log
    assert PRIVACY in log

    # It is handed over by a link, and the request is closed.
    given = ok(officer.post(f"/api/v1/productions/{done['production']}/hand-over", json={"to": "Ann Reader", "days": 14, "why": "as she asked"}))  # fmt: skip
    taken = Browser(web).get(given["link"].removeprefix("http://testserver") + "/folder.zip")
    ok(officer.post(f"/api/v1/requests/{N}/close", json={"outcome": "partly", "why": "answered"}), 200)
    assert archive.verify(full=True).findings == []

    # Ann has a laptop, the file, and no network.
    with zipfile.ZipFile(io.BytesIO(taken.content)) as packed:
        packed.extractall(tmp_path / "laptop")
    (got,) = (tmp_path / "laptop").iterdir()
    told = checked(got, capsys, monkeypatch)
    assert told["checked"]["documents"] == found["selected"]
    by_its_own_means(got)
    # And notices at once when somebody changed a word of it.
    some = next(iter(sorted((got / "bag" / "data" / "text").rglob("*.txt"))))
    some.write_bytes(some.read_bytes().replace(b"e", b"a", 1))
    assert door.main(["disclose", "verify", str(got), "--json"]) == 6
    assert some.name in capsys.readouterr().out


def test_the_same_by_pages_and_the_keyboard(
    archive: Archive, web: FastAPI, laid: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    officer, second = signed_in(web, archive, laid, "reader"), signed_in(web, archive, laid, "custodian")

    # A letter: taken down, its clock on the page.
    made = officer.send("/requests/open", "/requests/open", text="All about the bridge.", name="Ann Reader",
                        received="2026-03-02T10:00", law="us-ak-state", channel="letter", why="it came by post")  # fmt: skip
    assert (made.status_code, made.headers["location"]) == (303, f"/requests/{N}")
    assert "2 AAC 96.325(a)" in officer.get(f"/requests/{N}").text

    # Selected and confirmed.
    at = f"/requests/{N}/selection"
    assert officer.send(at, f"{at}/query", query="bridge", families="yes", why="her words").status_code == 303
    assert officer.send(at, f"{at}/confirm", why="it answers").status_code == 303
    assert "The selection is confirmed" in officer.get(at).text

    # Reviewed, from record to record.
    place = officer.get(f"/requests/{N}/review").text
    (first,) = re.findall(r'href="(/requests/[^"]+/review/records/[^"]+)" accesskey="n"', place)
    here, seen = first, []
    for _ in range(5):
        seen.append(here)
        here = officer.send(here, f"{here}/look", why="read").headers["location"]
    assert len(set(seen)) == 5
    post = f"/requests/{N}/review/records/{record_of(archive.store, '1')}"
    assert (
        officer.send(post, f"{post}/redact", words="nowhere", exemption=PRIVACY, why="x").status_code == 422
    )
    assert officer.send(post, f"{post}/redact", words="the bridge on mill road", exemption=PRIVACY, why="a witness lives there").status_code == 303  # fmt: skip
    hidden = f"/requests/{N}/review/records/{record_of(archive.store, '3')}"
    assert officer.send(hidden, f"{hidden}/withhold", exemption="(a)(2)", why="a child").status_code == 303
    assert (
        second.send(f"/requests/{N}/review", f"/requests/{N}/review/look", why="read too").status_code == 303
    )

    # Produced, given by hand, and taken as one file.
    at = f"/requests/{N}/productions"
    assert "5, 1 of them withheld" in re.sub(r"\s+", " ", officer.get(at).text)
    assert officer.send(at, at, prefix="AC-", why="to answer").status_code == 303
    assert f"{N}-P01: issued" in officer.get(at).text
    form = {"csrf": officer.mark(at), "to": "Ann Reader", "why": "at the counter"}
    assert officer.post(f"/productions/{N}-P01/hand-over", data=form).status_code == 303
    assert "given to Ann Reader" in officer.get(at).text
    packed = officer.get(f"/productions/{N}-P01/folder.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as inside:
        inside.extractall(tmp_path / "laptop")
    (got,) = (tmp_path / "laptop").iterdir()
    checked(got, capsys, monkeypatch)
    by_its_own_means(got)
    assert b"Nobody tells us anything" not in everything(got)
    assert b"Mill Road is" not in everything(got)


def signed_in(web: FastAPI, archive: Archive, laid: Town, name: str) -> Browser:
    made = Browser(web)
    with archive.store.database.begin() as tx:
        officer = officers.get(tx, laid.ids[name])
        session = passes.make(archive.store, tx, Kind.SESSION, officer, lasts=timedelta(hours=1), used=True)
    made.client.cookies.set("muniment_session", session.secret)
    return made
