"""Whatever an option of the command line says, a field of the API and a field of a page says too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from app.cli import door
from tests.journeys.acts import BESIDE, ROUTES, choices
from tests.journeys.department import Department

NOBODYS = UUID("01968c3e-7a00-7000-8000-000000000001")
"""An id in the right shape, of no record."""
SAID_BY_THE_PATH = {"id", "record", "event", "matter"}
"""What stands in the path of a route, or in the page that is open."""
A_FILE = {"out", "svg"}
"""Where the command line writes what the API and the pages answer with."""
FIELDS: dict[str, tuple[str, str]] = {
    "schedule adopt file": ("content", "content"),
    "schedule adopt since": ("from", "from"),
    "schedule adopt preview": ("/schedules/preview", "/schedules/preview"),
    "retention classify preview": ("/retention/classification", "/retention classify"),
    "retention assign record": ("records", "record"),
    "retention event record": ("records", "record"),
    "retention extend record": ("records", "record"),
    "retention review record": ("records", "record"),
    "retention event series": ("series", "about"),
    "retention event query": ("query", "/retention/many query"),
    "retention event records": ("records", "/retention/many records"),
    "retention extend query": ("query", "/retention/many query"),
    "retention extend records": ("records", "/retention/many records"),
    "retention review query": ("query", "/retention/many query"),
    "retention review records": ("records", "/retention/many records"),
    "retention simulate schedule": ("content", "file"),
    "matter open member": ("members", "members"),
    "matter open page": ("pages", "page"),
    "matter change page": ("pages", "page"),
    "matter member leave": ("/matters/{matter}/members/leave", "/matters/{matter}/{act}"),
    "matter custodian name": ("/matters/{matter}/custodians name", "name"),
    "matter custodian leave": ("/matters/{matter}/custodians/leave", "/matters/{matter}/{act}"),
    "hold place page": ("pages", "page"),
    "hold place author": ("authors", "author"),
    "hold place since": ("from", "from"),
    "hold place until": ("to", "to"),
    "hold list matter": ("matter", "/matters/{matter}"),
    "hold preview scope": ("scope", "/holds scope"),
    "hold preview page": ("pages", "/holds page"),
    "hold preview author": ("authors", "/holds author"),
    "hold preview since": ("from", "/holds from"),
    "hold preview until": ("to", "/holds to"),
    "hold preview dates": ("dates", "/holds dates"),
    "hold preview records": ("records", "/holds file"),
    "hold records limit": ("limit", "after"),
    "hold records after": ("cursor", "after"),
    "hold notify to": ("to", "custodian"),
    "disposition propose preview": ("/dispositions/preview", "/dispositions/propose"),
    "disposition order wait": ("waiting_days", "days"),
    "disposition list limit": ("limit", "cursor"),
    "disposition show limit": ("/dispositions/{disposition}/records limit", "after"),
}
"""Where an option is a field of another name, of another route ("PATH FIELD"), or a route of its own ("PATH")."""


def options() -> Iterator[tuple[str, str]]:
    """Every option and argument of the commands: the act, and what it is called there."""
    for noun in ("schedule", "retention", "matter", "hold", "disposition"):
        for act, parser in choices(choices(door.build())[noun]).items():
            if f"{noun} {act}" not in BESIDE:
                yield from ((f"{noun} {act}", one.dest) for one in parser._actions)


def named(dependant: Dependant) -> Iterator[str]:
    """The names of everything that a route may be told beside its path."""
    for one in (*dependant.query_params, *dependant.body_params):
        yield one.alias
        inner = getattr(one.field_info.annotation, "model_fields", {})
        yield from (told.alias or name for name, told in inner.items())
    for below in dependant.dependencies:
        yield from named(below)


def fields_of(of: Department) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for context in iter_route_contexts(of.app.routes):
        dependant = getattr(context, "dependant", None)
        if dependant is not None:
            found.setdefault(str(context.path), set()).update(named(dependant))
    return found


def test_every_option_of_the_command_line_is_a_field_of_the_api_and_of_a_page(department: Department):
    fields, missing, asked = fields_of(department), [], 0
    for act, name in options():
        if name in {"help", "json", "why"} | A_FILE:
            continue
        api, page = FIELDS.get(f"{act} {name}", (name, name))
        for door_, route, said in zip(("/api/v1", ""), ROUTES[act], (api, page), strict=True):
            path, _, one = said.partition(" ") if said.startswith("/") else (route, "", said)
            there = fields.get(f"{door_}{path}")
            asked += 1
            if there is None or (one and one not in there and not (one in SAID_BY_THE_PATH and "{" in path)):
                missing.append((act, name, f"{door_}{path}", one))
    assert asked > 100
    assert missing == [], missing
    assert FIELDS.keys() <= {f"{act} {name}" for act, name in options()}


# -- what had no field on the pages ----------------------------------------------------------------------------


def a_matter(of: Department) -> str:
    made = of.posts("counsel", "/matters", status=201, name="Doe v. Harrow Falls", why="a demand letter")
    return str(made["id"])


def placing(of: Department, *, status: int = 200, **form: Any) -> Any:
    """The form in which a hold is placed, sent with a file as a browser sends it."""
    matter = form["matter"]
    browser = of.browser("counsel")
    told = {"csrf": browser.mark(f"/matters/{matter}/place"), "step": "preview", **form}
    file = told.pop("file", b"")
    answer = browser.client.post(
        "/holds", data=told, files={"file": ("ids.txt" if file else "", file, "text/plain")}
    )
    assert answer.status_code == status, answer.text
    return answer


def test_a_hold_is_placed_by_a_list_from_a_file_on_the_page(department: Department):
    of = department
    matter, named = a_matter(of), [of.record("fell"), of.record("fence")]
    told = placing(of, matter=matter, file=("\ufeff" + "\r\n".join(named)).encode())
    assert "2 are named" in told.text
    assert all(one in told.text for one in named), "the ids stand in the form from now on"
    at = placing(of, matter=matter, records="\n".join(named), step="place", why="demand", status=303).headers[
        "location"
    ]
    shown = of.gets("counsel", f"{at}/records?basis=named")["records"]
    assert {one["id"] for one in shown} == set(named)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"no-id\n", "is no record id"),
        (b"\xff\xfe\x00", "cannot be read as ids"),
        (str(NOBODYS).encode(), "record"),
        (b"\n".join(str(UUID(int=number)).encode() for number in range(25_001)), "25,001 records are named"),
    ],
)
def test_a_file_that_is_no_list_of_records_places_nothing(department: Department, file: bytes, says: str):
    of = department
    matter = a_matter(of)
    browser = of.browser("counsel")
    told = {"csrf": browser.mark(f"/matters/{matter}/place"), "matter": matter, "step": "place", "why": "x"}
    answer = browser.client.post("/holds", data=told, files={"file": ("ids.txt", file, "text/plain")})
    assert answer.status_code in (404, 422)
    assert says in answer.text
    assert of.gets("counsel", "/holds")["total"] == 0


def test_a_hold_on_the_page_is_by_several_authors(department: Department):
    of = department
    matter = a_matter(of)
    at = placing(
        of, matter=matter, author="kim@far.example\r\nlee@far.example\r\n", step="place", why="x", status=303
    ).headers["location"]
    matched = of.gets("counsel", f"{at}/records?basis=matched")["records"]
    assert {one["id"] for one in matched} == {of.record(one) for one in ("fell", "bridges", "fence")}


def test_a_list_of_as_many_records_as_may_be_named_comes_through_the_api(department: Department):
    of = department
    many = [str(UUID(int=number)) for number in range(100_000)]
    answer = of.asks("counsel").post("/api/v1/holds/preview", json={"matter": a_matter(of), "records": many})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "hold-names-unknown-record"


def test_everything_that_a_hold_covers_can_be_read_on_its_page(
    department: Department,
    monkeypatch: pytest.MonkeyPatch,
):
    of = department
    monkeypatch.setattr("app.web.pages.holding._SHOWN", 2)
    matter = a_matter(of)
    at = placing(of, matter=matter, scope="bridge*", step="place", why="x", status=303).headers["location"]
    wanted = {one["id"] for one in of.gets("counsel", f"{at}/records")["records"]}
    assert len(wanted) > 2
    seen, page = set(), at
    while page:
        text = of.browser("counsel").get(page).text
        seen |= {one for one in wanted if f"/records/{one}" in text}
        more = text.partition("?after=")[2]
        page = f"{at}?after={more.partition('#')[0]}" if more else ""
    assert seen == wanted
    assert "Nothing yet." in of.reads("counsel", f"{at}?basis=named")


def test_a_list_of_at_most_so_many_records_is_proposed_on_the_page(department: Department):
    of = department
    of.adopt()
    of.days(190)
    assert "there may be more" in of.reads("rosa", "/dispositions/propose?series=COR-03&limit=1")
    form = "/dispositions/propose?series=COR-03&limit=1"
    at = of.sends("rosa", form, "/dispositions/propose", series="COR-03", limit="1", why="due").headers[
        "location"
    ]
    assert of.gets("rosa", at)["records"] == 1
    for wrong in ("0", "one", "100001"):
        of.sends("rosa", form, "/dispositions/propose", series="COR-03", limit=wrong, why="due", status=422)


def test_what_is_left_out_is_told_at_every_door_before_anybody_approves(department: Department):
    of = department
    of.adopt()
    of.days(190)
    fell, fence = of.record("fell"), of.record("fence")
    form = "/dispositions/propose?series=COR-03"
    at = of.sends("rosa", form, "/dispositions/propose", series="COR-03", without=fell, why="due").headers[
        "location"
    ]
    assert of.gets("rosa", at)["left_out"] == 1
    assert "Left out by name 1" in of.reads("rosa", at)
    of.sends("chief", at, f"{at}/leave-out", records=fence, why="the mayor asks for it")
    told = of.gets("rosa", at)
    assert (told["state"], told["left_out"], told["records"]) == ("proposed", 2, 3)
    assert "Left out by name 2" in of.reads("rosa", at)
    said = of.says("rosa", "disposition", "show", at.rpartition("/")[2])
    assert "2 left out by name" in said
    assert f"{fence}  left out" in said
    assert sum(line.startswith("  0") and "left out" not in line for line in said.splitlines()) == 3


def test_many_records_are_named_by_a_file_and_what_was_recorded_is_put_right_on_the_pages(
    department: Department,
):
    of = department
    of.adopt()
    named = [of.record("fell"), of.record("fence")]
    browser = of.browser("rosa")
    form = {
        "csrf": browser.mark("/retention/many"), "act": "event", "name": "last_action", "on": "2026-03-01",
        "evidence": "the file", "why": "closed", "step": "preview",
    }  # fmt: skip
    file = {"file": ("ids.txt", "\n".join(named).encode(), "text/plain")}
    told = browser.client.post("/retention/many", data=form, files=file)
    assert "2 records" in told.text
    again = form | {"records": "\n".join(named), "step": "record", "seen": "2"}
    told = browser.client.post("/retention/many", data=again)
    assert "Recorded" in told.text
    first = told.text.partition("Its reference is <code>")[2].partition("<")[0]

    # Another day for one of them, in the place of the first.
    at = f"/records/{named[0]}/retention"
    of.sends(
        "rosa", at, f"{at}/event", name="last_action", on="2026-03-02", evidence="the letter", corrects=first,
        why="the letter is later",
    )  # fmt: skip
    events = [one for one in of.explained("fell")["recorded"] if one["name"] == "last_action"]
    assert sorted((one["on"], one["superseded_entry"] is None) for one in events) == [
        ("2026-03-01", False),
        ("2026-03-02", True),
    ]
    both = browser.client.post("/retention/many", data=form | {"query": "*", "records": named[0]})
    none = browser.client.post("/retention/many", data=form)
    odd = browser.client.post("/retention/many", data=form | {"records": "no-id"})
    assert [one.status_code for one in (both, none, odd)] == [422, 422, 422]


def test_how_records_stand_on_a_day_under_a_hold_is_told_on_the_page_as_on_the_command_line(
    department: Department,
):
    of = department
    of.adopt()
    told = of.runs("rosa", "retention", "simulate", "--on", "2027-06-01", "--hold", "bridge*")
    page = of.reads("rosa", "/retention/years?on=2027-06-01&hold=bridge*")
    assert "How they stand on" in page
    for code, counts in told["series"].items():
        for number in counts.values():
            assert f"{number}" in page.partition("How they stand on")[2], (code, counts)
    assert of.browser("rosa").get("/retention/years?on=soon").status_code == 422


def test_every_active_hold_that_somebody_may_know_of_is_listed_on_the_page(
    department: Department,
):
    of = department
    matter = a_matter(of)
    at = placing(of, matter=matter, scope="bridge*", step="place", why="x", status=303).headers["location"]
    silent = of.posts("counsel", "/matters", status=201, name="Quiet", silent=True, why="a tip")["id"]
    hidden = placing(of, matter=silent, scope="orchard", step="place", why="x", status=303).headers[
        "location"
    ]
    of.posts(
        "rosa", "/requests", status=201, why="came in", **{"from": "Kim"}, text="everything about the bridge",
        received="2026-03-02T09:00:00-09:00",
    )  # fmt: skip
    for who in ("counsel", "rosa", "auditor"):
        told = of.gets(who, "/holds")["holds"]
        page = of.browser(who).get("/matters").text
        assert [one["id"] for one in told if f"/holds/{one['id']}" not in page] == []
    seen = of.browser("auditor").get("/matters").text
    assert at in seen
    assert "a records request" in seen
    assert hidden not in seen
    assert hidden in of.browser("counsel").get("/matters").text
