"""What a silent matter keeps from being disposed of stays like anything else that stays: nobody outside can tell why.

Two copies of one archive. In one an attorney keeps a silent matter with a hold,
and looks at it, searches and writes by every door. In the other nothing of the
kind was ever done; the same records stay because, in the transaction that
destroys and in no other, somebody says so. Whoever is outside proposes,
approves, executes and certifies in both, proposes again, and asks for
everything there is to read: by the API, the pages and the command line.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from sqlalchemy import select

from app.cli.door import main as command
from app.db import Tx
from app.disposition.disposing import Disposing
from app.holds import acts
from app.officers import passes
from app.officers.passes import Kind
from app.records.ids import new_id
from app.records.nouns import Role
from app.store import tables
from tests.doors.conftest import Person, Town, parts_of, record_of, serving
from tests.doors.test_silence import (
    _TIME,
    OUTSIDE,
    Copy,
    addresses,
    asks,
    differing,
    filled,
    is_text,
    keep_a_secret,
    made_of,
    under_a_schedule,
)

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?7[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_RANDOM = re.compile(r"\b[0-9a-f]{64}\b|[A-Za-z0-9+/]{43,}={0,2}")
"""Commitments, roots, signatures."""
_NOT_ASKED = {"/api/v1/ledger/tile/{path:path}"}
STAYS = ("2", "4")
"""What the hold is about, among the comments: `bridge OR friday`."""


@dataclass
class Twin(Copy):
    """One of the two, with what is said to be held while something is executed."""

    fake: frozenset[int] = frozenset()
    executing: list[bool] = field(default_factory=lambda: [False])
    known: frozenset[str] = frozenset()

    def disposing(self) -> Disposing:
        real = self.archive.disposing()

        def covering(tx: Tx, keys: Sequence[int]) -> Mapping[int, Collection[UUID]]:
            found = dict(real.covering(tx, keys))
            if self.executing[0]:
                found |= {key: {UUID(int=7)} for key in keys if key in self.fake}
            return found

        return replace(real, covering=covering)

    def app(self) -> FastAPI:
        return serving(parts_of(self.archive, guards=self.archive.guards, disposing=self.disposing()))

    def person(self, name: str) -> Person:
        return Person(self.app(), self.tokens[name])

    def plainly(self, content: str) -> str:
        """An answer without what is random in it; the records keep their names, and times stay."""

        def named(match: re.Match[str]) -> str:
            return match[0] if match[0].replace("-", "") in self.known else "ID"

        return _UUID.sub(named, _RANDOM.sub("RANDOM", content))

    def said(self, answer: Any) -> tuple[int, str]:
        """An answer, read whatever its form."""
        kind = answer.headers.get("content-type", "")
        if kind == "application/pdf":
            pages = PdfReader(io.BytesIO(answer.content)).pages
            return answer.status_code, self.plainly("\n".join(page.extract_text() for page in pages))
        if kind == "application/zip":
            with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
                return answer.status_code, self.plainly("\n".join(sorted(packed.namelist())))
        return answer.status_code, self.plainly(answer.text) if is_text(answer.headers) else kind


def twin(copy: Copy) -> Twin:
    with copy.archive.store.database.read() as tx:
        known = {bytes(one).hex() for one in tx.execute(select(tables.records.c.id)).scalars()}
        keys = {
            tx.execute(
                select(tables.records.c.key).where(
                    tables.records.c.id == record_of(copy.archive.store, name).bytes
                )
            ).scalar_one()
            for name in STAYS
        }
    return Twin(
        copy.archive, copy.insider, copy.tokens, copy.ids, fake=frozenset(keys), known=frozenset(known)
    )


def looked_at(secret: Twin, plain: Twin) -> None:
    """The insider reads by every door; what the other insider is refused leaves nothing behind in either."""
    for copy in (secret, plain):
        store = copy.archive.store
        with store.database.begin() as tx:
            insider = replace(
                copy.insider,
                roles=frozenset({Role.ATTORNEY, Role.CUSTODIAN_OF_EVIDENCE, Role.RECORDS_OFFICER}),
            )
            tx.execute(
                tables.officers.update()
                .where(tables.officers.c.id == insider.id.bytes)
                .values(roles=" ".join(sorted(insider.roles)))
            )
            token = passes.make(store, tx, Kind.TOKEN, insider, lasts=None).secret
        person = Person(copy.app(), token)
        for path in (
            "/api/v1/matters/{matter}", "/api/v1/holds/{hold}", "/api/v1/holds/{hold}/records", "/matters/{matter}",
            "/holds/{hold}", "/api/v1/holds", "/matters", "/api/v1/records?q=hold:any", "/search?q=hold:any",
            "/api/v1/records?q=bridge AND HOLD:any&facets=kind",
        ):  # fmt: skip
            person.get(filled(path, copy))


@pytest.fixture(scope="module")
def both(laid: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Twin, Twin]]:
    folder = tmp_path_factory.mktemp("executed")
    people = {name: new_id() for name in (*OUTSIDE, "insider")}
    secret, plain = (twin(made_of(laid, folder / name, people)) for name in ("a", "b"))
    for copy in (secret, plain):
        under_a_schedule(copy)
    entries = keep_a_secret(secret)
    with plain.archive.store.database.begin() as tx:
        for _ in range(entries):
            acts.empty(plain.archive.store, tx)
    secret.fake = frozenset()
    for copy in (secret, plain):
        copy.archive.follow()
        copy.archive.store.ledger.checkpoint()
    looked_at(secret, plain)
    yield secret, plain
    secret.archive.close()
    plain.archive.close()


def carried_out(copy: Twin) -> list[tuple[int, str]]:
    """Everything that is answered on the way from the preview to the second list."""
    app = copy.app()
    clerk, chief, watch = (Person(app, copy.tokens[name]) for name in ("clerk", "chief", "watch"))
    told = [clerk.get("/api/v1/dispositions/preview?series=TALK")]
    made = clerk.post("/api/v1/dispositions", json={"series": "TALK", "why": "it is due"})
    at = f"/api/v1/dispositions/{made.json()['id']}"
    told += [made, clerk.get(f"{at}/records"), chief.post(f"{at}/approve", json={"why": "I looked"})]
    copy.archive.store.clock.at += timedelta(days=31)  # type: ignore[attr-defined]  # a clock that stands until it is moved
    copy.executing[0] = True
    told.append(clerk.post(f"{at}/execute", json={"why": "it is due"}))
    copy.executing[0] = False
    assert told[-1].status_code == 200, told[-1].text
    assert told[-1].json()["disposed"] == 2
    assert {one["why"] for one in told[-1].json()["excluded"]} == {"withdrawn_on_recheck"}
    page = at.removeprefix("/api/v1")
    told += [one.get(path) for one in (clerk, watch) for path in (
        at, f"{at}/records", f"{at}/certificate", f"{at}/certificate?as=pdf", page, "/dispositions",
        "/api/v1/dispositions", "/api/v1/audit", "/audit", "/api/v1/dispositions/preview?series=TALK",
        "/dispositions/propose?series=TALK", "/retention/years", "/retention/years?hold=bridge", "/api/v1/retention",
        "/metrics", "/", "/api/v1/records?q=*&facets=page,kind,state,series", "/api/v1/records?q=hold:any",
    )]  # fmt: skip
    again = clerk.post("/api/v1/dispositions", json={"series": "TALK", "why": "what stayed"})
    there = f"/api/v1/dispositions/{again.json()['id']}"
    told += [again, clerk.get(f"{there}/records"), chief.post(f"{there}/approve", json={"why": "I looked"})]
    told.append(clerk.post(f"{there}/withdraw", json={"why": "by hand"}))
    told += [clerk.get(there), clerk.get(f"{there}/records"), clerk.get(there.removeprefix("/api/v1"))]
    copy.ids["disposition"] = made.json()["id"]
    return [copy.said(one) for one in told]


@pytest.fixture(scope="module")
def told(both: tuple[Twin, Twin]) -> list[list[tuple[int, str]]]:
    return [carried_out(copy) for copy in both]


def test_the_way_of_a_batch_is_told_alike(told: list[list[tuple[int, str]]]):
    secret, plain = told
    assert [differing(one, other) for one, other in zip(secret, plain, strict=True) if one != other] == []
    assert {status for status, _ in secret} <= {200, 201, 403}


def test_what_stayed_bears_one_word_whether_it_was_withdrawn_by_hand_or_on_recheck(
    both: tuple[Twin, Twin], told: object
):
    for copy in both:
        clerk = copy.person("clerk")
        words = set()
        for one in clerk.get("/api/v1/dispositions").json()["dispositions"]:
            listed = clerk.get(f"/api/v1/dispositions/{one['id']}/records").json()["records"]
            words |= {record["became"] for record in listed}
        assert words == {"withdrawn_on_recheck", "verified"}


@pytest.mark.parametrize("name", OUTSIDE)
def test_everything_there_is_to_read_afterwards_is_alike(name: str, both: tuple[Twin, Twin], told: object):
    answers: list[dict[str, tuple[int, str]]] = []
    for copy in both:
        person, found = copy.person(name), {}
        copy.ids["record"] = str(record_of(copy.archive.store, STAYS[0]))
        for method, path in addresses(copy.app()):
            if method == "GET" and path not in _NOT_ASKED and asks(name, method, path):
                found[path] = copy.said(person.get(filled(path, copy)))
        answers.append(found)
    secret, plain = answers
    assert len(secret) > 40
    assert {
        path: differing(value, plain[path]) for path, value in secret.items() if value != plain[path]
    } == {}


COMMANDS = (
    ("disposition", "list"),
    ("disposition", "show", "{disposition}"),
    ("disposition", "propose", "TALK", "--preview"),
    ("retention", "preview"),
    ("retention", "simulate"),
    ("retention", "simulate", "--hold", "bridge"),
    ("retention", "explain", "{record}"),
    ("record", "show", "{record}"),
    ("search", "hold:any"),
    ("search", "bridge", "--facets", "kind,series"),
    ("matter", "list"),
    ("hold", "list"),
    ("hold", "show", "{hold}"),
    ("matter", "show", "{matter}"),
)
BY_THE_AUDITOR = (("access", "log"), ("disposition", "list"), ("matter", "list"))


def test_the_command_line_tells_no_more(
    both: tuple[Twin, Twin],
    told: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    answers: list[dict[str, tuple[int, str]]] = []
    for copy in both:
        copy.ids["record"] = str(record_of(copy.archive.store, "2"))
        monkeypatch.setenv("MUNIMENT_HOME", str(copy.archive.settings.home))
        found = {}
        for by, commands in (("clerk", COMMANDS), ("watch", BY_THE_AUDITOR), ("attorney", COMMANDS)):
            monkeypatch.setenv("MUNIMENT_TOKEN", copy.tokens[by])
            for words in commands:
                for form in ([], ["--json"]):
                    code = command([*(word.format(**copy.ids) for word in words), *form])
                    said = _TIME.sub(
                        "TIME", copy.plainly(capsys.readouterr().out)
                    )  # a command reads the machine's clock
                    found[f"{by} {' '.join(words)} {form}"] = code, said
        answers.append(found)
    secret, plain = answers
    assert {
        words: differing(value, plain[words]) for words, value in secret.items() if value != plain[words]
    } == {}


def test_the_ledger_has_the_same_entries_in_the_same_order(both: tuple[Twin, Twin], told: object):
    """But for ids, commitments and times; whoever has the tiles has these bytes."""
    lines: list[list[str]] = []
    for copy in both:
        with copy.archive.store.database.read() as tx:
            bodies = tx.execute(select(tables.entries.c.body).order_by(tables.entries.c.index)).scalars()
            lines.append([copy.plainly(_less_time(bytes(body))) for body in bodies])
    assert len(lines[0]) > 40
    assert lines[0] == lines[1]


def _less_time(body: bytes) -> str:
    told = msgspec.json.decode(body)
    told.pop("ts")
    return json.dumps(told, sort_keys=True)


def test_what_is_held_leaves_the_archive_only_by_those_whose_number_tells_nothing(
    both: tuple[Twin, Twin],
    told: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """How many records leave is an entry in the clear."""
    secret, plain = both
    for copy, status, code in ((secret, 409, 4), (plain, 200, 0)):
        store = copy.archive.store
        with store.database.begin() as tx:
            token = passes.make(store, tx, Kind.TOKEN, copy.insider, lasts=None).secret
        with store.database.read() as tx:
            before = store.ledger.size(tx)
        person = Person(copy.app(), token)
        answer = person.get("/api/v1/records.ndjson?q=bridge OR hold:any")
        assert answer.status_code == status
        monkeypatch.setenv("MUNIMENT_HOME", str(copy.archive.settings.home))
        monkeypatch.setenv("MUNIMENT_TOKEN", token)
        assert command(["search", "NOT hold:any", "--all", "--json"]) == code
        if status == 409:
            assert answer.json()["code"] == "held-would-be-told"
            assert json.loads(capsys.readouterr().out)["error"]["code"] == "held-would-be-told"
            with store.database.read() as tx:
                assert store.ledger.size(tx) == before
        assert person.get("/api/v1/records.ndjson?q=bridge").status_code == 200
        assert copy.person("clerk").get("/api/v1/records.ndjson?q=hold:any").status_code == 200


def test_how_many_records_are_held_is_told_to_whoever_asked_alone(both: tuple[Twin, Twin], told: object):
    """Whoever finds by `hold:any` what they may know of leaves a number, which others could hold against their own."""
    copy = both[0]
    watch = copy.person("watch")
    others = watch.get("/api/v1/accesses?by=insider@alder.example").json()["accesses"]
    asked = [one["detail"] for one in others if "hold:any" in str(one["detail"].get("query", "")).lower()]
    assert len(asked) == 3
    assert all("total" not in one and "cursor" not in one for one in asked)
    watch.get("/api/v1/records?q=hold:any")
    watch.get("/api/v1/records?q=bridge")
    own = watch.get("/api/v1/accesses?by=watch@alder.example").json()["accesses"]
    assert [one["detail"]["total"] for one in own if one["detail"].get("query") == "hold:any"][:1] == [0]
    clerk = copy.person("clerk")
    clerk.get("/api/v1/records?q=bridge")
    found = watch.get("/api/v1/accesses?by=clerk@alder.example").json()["accesses"]
    assert found[0]["detail"]["total"] == 2
