"""A silent matter answers as if it were not there: every route, to everybody outside, byte by byte but for ids and times.

Two copies of one archive stand side by side. In one an attorney has opened a
silent matter, placed holds, given notice and asked for a release. The other has
as many entries of the same type with nothing in them, as every archive writes
at random. Whoever is not a member asks both for everything that there is.
"""

from __future__ import annotations

import difflib
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import insert, select

from app.capture import pages
from app.holds import acts, finding, following, guarding, letter, matters, noticing, placing, releasing
from app.holds import requests as of_requests
from app.holds.scopes import Scope
from app.main import Archive, open_archive
from app.officers import passes
from app.officers.passes import Kind
from app.records.clock import FixedClock
from app.records.errors import Refused
from app.records.ids import new_id
from app.records.nouns import Officer, Role
from app.retention import adopted, classifying
from app.store import tables
from tests.doors.conftest import NOW, Person, Town, parts_of, record_of, serving, settings
from tests.steps.filing import a_schedule

OUTSIDE = {
    "attorney": [Role.ATTORNEY],
    "clerk": [Role.RECORDS_OFFICER, Role.MESSAGES, Role.CUSTODIAN_OF_EVIDENCE],
    "watch": [Role.AUDITOR],
    "chief": [Role.APPROVER],
    "operator": [Role.ADMINISTRATOR],
}
_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?7[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_HEX = re.compile(r"\b[0-9a-f]{64}\b|[A-Za-z0-9+/]{43}=")
_SIGNED = re.compile(r"(?<=records/1 )[A-Za-z0-9+/]{60,}={0,2}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?")
FILE = a_schedule(
    {
        "TALK": "{after: published, keep: P1D, then: destroy}",
        "NEWS": "{after: published, keep: P1D, then: transfer}",
    },
    (("NEWS", 'when: "kind:post"', 20), ("TALK", 'when: "kind:comment"', 10)),
)
_NOT_ASKED = {"/api/v1/ledger/tile/{path:path}"}
"""The tiles are the ledger's own bytes: every entry differs there, by its random commitment."""


@dataclass
class Copy:
    """One of the two archives, with those outside and the matter's attorney."""

    archive: Archive
    insider: Officer
    tokens: dict[str, str]
    ids: dict[str, str]

    def app(self) -> FastAPI:
        return serving(parts_of(self.archive, guards=self.archive.guards))


def made_of(laid: Town, home: Path, people: dict[str, UUID]) -> Copy:
    shutil.copytree(laid.home, home)
    archive = open_archive(settings(home), FixedClock(NOW))
    store, tokens = archive.store, {}
    officers = {
        name: Officer(
            id=people[name], email=f"{name}@alder.example", name=name.title(), roles=frozenset(roles)
        )
        for name, roles in {**OUTSIDE, "insider": [Role.ATTORNEY]}.items()
    }
    with store.database.begin() as tx:
        for name, one in officers.items():
            tx.execute(
                insert(tables.officers).values(
                    id=one.id.bytes,
                    email=one.email,
                    name=one.name,
                    roles=" ".join(sorted(one.roles)),
                    active=True,
                    added_at=0,
                )
            )
            if name != "insider":
                tokens[name] = passes.make(store, tx, Kind.TOKEN, one, lasts=None).secret
        ids = {
            "page": str(pages.listed(tx)[0].id),
            "record": str(record_of(store, "1")),
            "run": str(UUID(bytes=bytes(tx.execute(select(tables.runs.c.id).limit(1)).scalar_one()))),
            "attachment": str(
                UUID(bytes=bytes(tx.execute(select(tables.attachments.c.id).limit(1)).scalar_one()))
            ),
            "matter": str(new_id()),
            "hold": str(new_id()),
        }
    return Copy(archive, officers["insider"], tokens, ids)


def under_a_schedule(copy: Copy) -> None:
    """A schedule that lets everything go that the silent matter is about."""
    store, by = copy.archive.store, copy.insider.id
    with store.database.begin() as tx:
        adopted.adopt(store, tx, FILE, instrument="Resolution 12", by=by, why="the council")
    copy.archive.follow()
    classifying.follow(store)
    classifying.classify_all(store, copy.archive.index, by=by, why="the council")


def keep_a_secret(copy: Copy) -> int:
    """Everything that is done on a silent matter; return how many entries that took."""
    store, by = copy.archive.store, copy.insider
    with store.database.read() as tx:
        before = store.ledger.size(tx)
    with store.database.begin() as tx:
        matter = matters.open(store, tx, "Sealed", silent=True, by=by, why="nobody may know")
    with store.database.begin() as tx:
        matters.name_custodian(store, tx, matter, "Pat", "pat@alder.example", by=by, why="has drafts")
    scope = Scope(query="bridge OR friday")
    _, _told = placing.preview(store, copy.archive.index, matter, scope, by=by)
    found = finding.find(store, copy.archive.index, scope)
    with store.database.begin() as tx:
        hold = placing.place(store, tx, matter, scope, found, by=by, why="to be kept").hold
    with store.database.begin() as tx:
        noticing.notify(store, tx, hold, "pat@alder.example", by=by, why="must keep")
    letter.preservation(store, hold.id, "Platform", [], by=by, why="sent")
    with store.database.begin() as tx:
        releasing.ask(store, tx, hold, by=by, why="perhaps")
    following.follow(store)
    copy.ids |= {"matter": str(matter.id), "hold": str(hold.id)}
    with store.database.read() as tx:
        return store.ledger.size(tx) - before


@pytest.fixture(scope="module")
def both(laid: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Copy, Copy]]:
    """The archive with the silent matter, and its twin without one; whatever is asked is asked of both."""
    tmp_path = tmp_path_factory.mktemp("both")
    people = {name: new_id() for name in (*OUTSIDE, "insider")}
    secret, plain = made_of(laid, tmp_path / "a", people), made_of(laid, tmp_path / "b", people)
    for copy in (secret, plain):
        under_a_schedule(copy)
    entries = keep_a_secret(secret)
    with plain.archive.store.database.begin() as tx:
        for _ in range(entries):
            acts.empty(plain.archive.store, tx)
    for copy in (secret, plain):
        copy.archive.follow()
        copy.archive.store.ledger.checkpoint()
    yield secret, plain
    secret.archive.close()
    plain.archive.close()


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every route that reads, of the API and of the pages."""
    found = []
    waiting: list[Any] = list(app.routes)
    while waiting:
        one = waiting.pop()
        inner = getattr(one, "routes", None) or getattr(getattr(one, "original_router", None), "routes", None)
        if isinstance(one, APIRoute):
            found += [(method, one.path) for method in sorted(one.methods or ())]
        elif inner:
            waiting += list(inner)
    return sorted(set(found))


def addresses(app: FastAPI) -> list[tuple[str, str]]:
    """The same as the document of the API and the pages have it, with the prefix of each."""
    told = [(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods]
    inner = [(method, path) for method, path in routes(app) if not path.startswith("/api/")]
    known = {path.removeprefix("/api/v1") for _, path in told}
    return sorted({*told, *((method, path) for method, path in inner if path not in known or path in PAGES)})


PAGES = {
    "/matters",
    "/matters/{matter}",
    "/holds/{hold}",
    "/records/{record}",
    "/pages",
    "/runs",
    "/search",
    "/audit",
    "/accesses",
}


def filled(path: str, copy: Copy) -> str:
    """An address with what there is to ask for: the silent matter's own ids, or random ones in the twin."""
    kinds = {"matter_id": "matter", "hold_id": "hold", "page_id": "page", "record_id": "record"}

    def value(match: re.Match[str]) -> str:
        name = match[1].partition(":")[0]
        return copy.ids.get(kinds.get(name, name), copy.ids["record"])

    return re.sub(r"\{([^}]+)\}", value, path)


def plainly(content: str) -> str:
    """An answer without ids, commitments and times."""
    return _TIME.sub("TIME", _ID.sub("ID", _HEX.sub("HEX", _SIGNED.sub("SIGNED", content))))


def is_text(headers: Mapping[str, str]) -> bool:
    """Whether an answer can be read; packed files differ by the times in them."""
    kind = headers.get("content-type", "")
    return not kind or kind.startswith("text/") or "json" in kind


def asks(name: str, method: str, path: str) -> bool:
    """Attorneys ask everything, readers whatever reads, the others whatever speaks of matters, holds and records."""
    if name == "attorney":
        return method in ("GET", "POST")
    if name in ("clerk", "watch"):
        return method == "GET"
    return any(word in path for word in ("matter", "hold", "record", "disposition", "retention", "audit"))


def differing(one: tuple[int, str], other: tuple[int, str]) -> list[str]:
    """The lines that are not the same, to be read in a failure."""
    told = difflib.unified_diff(other[1].splitlines(), one[1].splitlines(), lineterm="", n=0)
    return [f"{one[0]} {other[0]}", *told][:8]


def test_there_are_routes_to_ask(both: tuple[Copy, Copy]):
    told = addresses(both[0].app())
    assert len(told) > 100
    assert ("GET", "/api/v1/matters/{matter}") in told
    assert ("GET", "/holds/{hold}") in told


@pytest.mark.parametrize("name", OUTSIDE)
def test_everybody_outside_is_answered_as_if_it_were_not_there(name: str, both: tuple[Copy, Copy]):
    answers: list[dict[str, tuple[int, str]]] = []
    for copy in both:
        app = copy.app()
        person, told = Person(app, copy.tokens[name]), {}
        for method, path in addresses(app):
            if path in _NOT_ASKED or not asks(name, method, path):
                continue
            answer = person.request(
                method, filled(path, copy), **({"json": {"why": "x"}} if method == "POST" else {})
            )
            said = plainly(answer.text) if is_text(answer.headers) else answer.headers["content-type"]
            told[f"{method} {path}"] = (answer.status_code, said)
        answers.append(told)
    secret, plain = answers
    assert secret.keys() == plain.keys()
    assert {
        path: differing(value, plain[path]) for path, value in secret.items() if value != plain[path]
    } == {}


QUESTIONS = (
    "/api/v1/records?q=bridge&facets=page,kind,state",
    "/api/v1/records?q=hold:any",
    "/api/v1/records?q=NOT hold:any",
    "/api/v1/matters?cursor=x",
    "/api/v1/holds?matter={matter}",
    "/api/v1/holds/{hold}/records?basis=matched",
    "/api/v1/audit?type=act",
    "/audit?type=act",
    "/search?q=bridge",
    "/metrics",
    "/readyz",
    "/api/v1/dispositions/preview?series=TALK",
    "/api/v1/dispositions/preview?series=NEWS",
    "/dispositions/propose?series=TALK",
    "/retention/years?hold=bridge",
    "/api/v1/retention?on=2030-01-01",
)


@pytest.mark.parametrize("name", OUTSIDE)
def test_questions_filters_and_metrics_tell_nothing_either(name: str, both: tuple[Copy, Copy]):
    told = []
    for copy in both:
        person = Person(copy.app(), copy.tokens[name])
        answers = [person.get(filled(path, copy)) for path in QUESTIONS]
        told.append([(one.status_code, plainly(one.text)) for one in answers])
    assert told[0] == told[1]


def test_lists_are_proposed_approved_and_packed_as_if_it_were_not_there(both: tuple[Copy, Copy]):
    """What only execution may tell, and only of what it did not destroy, nothing before it tells."""
    told: list[list[tuple[int, str]]] = []
    for copy in both:
        app, said = copy.app(), []
        clerk, chief = (Person(app, copy.tokens[name]) for name in ("clerk", "chief"))
        for series, number in (("TALK", 4), ("NEWS", 2)):
            made = clerk.post("/api/v1/dispositions", json={"series": series, "why": "it is due"})
            assert (made.json()["records"], made.json()["stayed"]) == (number, 0)
            at = f"/api/v1/dispositions/{made.json()['id']}"
            approved = chief.post(f"{at}/approve", json={"why": "I looked"})
            said += [made, clerk.get(f"{at}/records"), approved]
            if series == "NEWS":
                packed = clerk.post(f"{at}/transfer", json={"why": "they take it"})
                assert packed.headers["content-type"] == "application/zip"
            said.append(clerk.get(at))
        said += [clerk.get("/api/v1/dispositions"), clerk.get("/dispositions")]
        told.append([(one.status_code, plainly(one.text)) for one in said])
    assert told[0] == told[1]
    assert {code for code, _ in told[0]} == {200, 201}


def test_whoever_is_a_member_sees_it(both: tuple[Copy, Copy]):
    secret, plain = both
    with secret.archive.store.database.begin() as tx:
        token = passes.make(secret.archive.store, tx, Kind.TOKEN, secret.insider, lasts=None).secret
    person = Person(secret.app(), token)
    assert person.get(f"/api/v1/matters/{secret.ids['matter']}").json()["name"] == "Sealed"
    assert person.get(f"/api/v1/records/{secret.ids['record']}").json()["held"] is True
    assert person.get(f"/matters/{secret.ids['matter']}").status_code == 200
    outside = Person(secret.app(), secret.tokens["attorney"])
    assert outside.get(f"/api/v1/records/{secret.ids['record']}").json()["held"] is False
    assert plain.ids["matter"] != secret.ids["matter"]


def test_it_protects_all_the_same_and_bears_one_reason(both: tuple[Copy, Copy]):
    secret, plain = both
    from app.holds.covering import covering

    for copy, expected in ((secret, True), (plain, False)):
        with copy.archive.store.database.read() as tx:
            key = tx.execute(
                select(tables.records.c.key).where(tables.records.c.id == UUID(copy.ids["record"]).bytes)
            ).scalar_one()
            assert bool(covering(copy.archive.store, tx, [key])[key]) is expected
    assert secret.archive.store.clock.now() - NOW < timedelta(days=1)


def test_the_refusal_to_pause_a_page_is_that_of_an_open_request(both: tuple[Copy, Copy]):
    """The one thing that cannot be as if nothing were there is done for a reason that others have too."""
    plain = both[1]
    with plain.archive.store.database.begin() as tx:
        clerk = Officer(
            id=new_id(), email="c@alder.example", name="", roles=frozenset({Role.RECORDS_OFFICER})
        )
        of_requests.open_for_request(plain.archive.store, tx, new_id(), by=clerk, why="a request")
    told = []
    for copy in both:
        store = copy.archive.store
        with store.database.read() as tx:
            page = pages.get(tx, copy.ids["page"])
        with pytest.raises(Refused) as refused, store.database.begin() as tx:
            guarding.page_guard(store)(tx, page, "pause")
        told.append((refused.value.code, str(refused.value), refused.value.next))
    assert told[0] == told[1]
