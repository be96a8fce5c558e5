"""Search for counsel through its three doors: who may, what each answers, and that all of them say the same."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.cli.door import main as command
from app.main import Archive
from tests.doors.conftest import Town

Ran = Callable[..., tuple[int, Any]]
LIST = "Bridge: bridge\nWeekday: friday OR bridge\nclosed kind:comment\n"


@pytest.fixture
def cli(
    archive: Archive, laid: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ran:
    """Runs a command as somebody; its exit code and its answer."""
    monkeypatch.setenv("MUNIMENT_HOME", str(archive.settings.home))

    def ran(*words: str, by: str = "reader", as_json: bool = True) -> tuple[int, Any]:
        monkeypatch.setenv("MUNIMENT_TOKEN", laid.tokens[by])
        code = command([*words, *(["--json"] if as_json else [])])
        said = capsys.readouterr().out
        return code, json.loads(said) if as_json else said

    return ran


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of queries in a file."""
    file = tmp_path / "terms.txt"
    file.write_text(LIST)
    return file


def figures(report: dict[str, Any]) -> list[tuple[str, int, int, int]]:
    return [(one["name"], one["hits"], one["unique"], one["with_family"]) for one in report["queries"]]


FIGURES = [("Bridge", 2, 0, 5), ("Weekday", 3, 1, 5), ("closed kind:comment", 1, 0, 5)]


# -- searching on the command line -------------------------------------------------------------------------


def test_whoever_searches_on_the_command_line_reads_first_how_the_question_was_understood(cli: Ran):
    code, said = cli("search", "bridge or friday", "--kind", "post", "--facets", "page,kind", as_json=False)
    lines = said.splitlines()
    assert code == 0
    assert lines[0] == 'query as understood: bridge AND "or" AND friday AND kind:post'
    assert "capitals" in lines[1]
    code, said = cli("search", "bridge", "--count", as_json=False)
    assert (code, said) == (0, "2\n")  # a number for scripts; what was understood stands on the other stream
    _, counted = cli("search", "bridge", "--facets", "kind", as_json=False)
    assert re.search(r"^kind +records$", counted, re.MULTILINE)


def test_a_working_copy_is_written_whole_and_anew_or_not_at_all(cli: Ran, tmp_path: Path):
    rows, page = tmp_path / "hits.csv", tmp_path / "hits.html"
    code, told = cli("search", "bridge", "--csv", str(rows), "--html", str(page))
    assert (code, told["files"]) == (0, [str(rows), str(page)])
    assert "Understood as,bridge" in rows.read_text("utf-8-sig")
    assert "bridge" in page.read_text()
    for out in (rows, tmp_path / "no folder" / "hits.csv"):
        code, told = cli("search", "bridge", "--csv", str(out), "--html", str(tmp_path / "other.html"))
        assert (code, told["error"]["code"]) == (2, "invalid")
    assert not (tmp_path / "other.html").exists()


def test_hits_are_counted_by_what_is_known_and_by_nothing_else(cli: Ran):
    code, told = cli("search", "bridge", "--facets", "page,shoe-size")
    assert (code, told["error"]["code"]) == (2, "invalid")
    assert "series, tag" in told["error"]["next"]


def test_hits_group_into_families_on_request_and_none_is_left_out(cli: Ran, person):
    plain = cli("search", "bridge OR friday OR closed")[1]
    root = {one["id"]: one["root"] for one in cli("search", "*", "--limit", "500")[1]["records"]}
    seen: list[list[str]] = []
    after: list[str] = []
    while True:
        code, told = cli("search", "bridge OR friday OR closed", "--families", "--limit", "1", *after)
        assert (code, told["total"]) == (0, plain["total"])
        (one,) = told["families"]["families"]
        assert one["hits"][0] == told["records"][0]["id"]
        assert {root[hit] for hit in one["hits"]} == {root[one["hits"][0]]}
        assert one["records"] == sum(of == root[one["hits"][0]] for of in root.values())
        seen.append(one["hits"])
        if told["cursor"] is None:
            break
        after = ["--after", told["cursor"]]
    assert len(seen) == told["families"]["total"]
    assert sorted(hit for hits in seen for hit in hits) == sorted(one["id"] for one in plain["records"])
    over = person("reader").get(
        "/api/v1/records", params={"q": "bridge OR friday OR closed", "families": True, "limit": 500}
    )
    assert [one["hits"] for one in over.json()["families"]["families"]] == seen
    assert cli("search", "bridge", "--families", "--after", "bmV3ZXN0OjE6MQ")[0] == 2
    shown: list[str] = []
    address = "/search?q=bridge+OR+friday+OR+closed&families=yes&limit=1"
    while address:
        page = person("reader").get(address).text
        assert f"{plain['total']} records in {len(seen)} famil" in page
        shown += re.findall(r'<p class="meta"><a href="/records/([0-9a-f-]{36})"', page)
        following = re.search(r'<p class="more no-print"><a href="([^"]+)"', page)
        address = html.unescape(following[1]).replace("?", "?limit=1&") if following else ""
    assert shown == [hit for hits in seen for hit in hits]
    assert "families" not in plain


def test_every_hit_that_is_taken_on_the_command_line_has_an_entry(cli: Ran, archive: Archive):
    def entries() -> int:
        with archive.store.database.read() as tx:
            return archive.store.ledger.size(tx)

    before = entries()
    assert cli("search", "bridge", "--all", as_json=False)[0] == 0
    assert entries() == before + 1
    assert cli("search", "bridge", "--all", "--ids", as_json=False)[0] == 0
    assert cli("search", "bridge")[0] == 0
    assert entries() == before + 1


# -- the search-term report --------------------------------------------------------------------------------


def test_a_report_counts_hits_unique_hits_families_and_overlaps_the_same_at_every_door(
    cli: Ran, person, browser, listed: Path
):
    code, told = cli("search-report", str(listed))
    assert code == 0
    assert figures(told) == FIGURES
    assert told["totals"] == {"queries": 3, "hits": 3, "with_family": 5}
    assert [(one["first"], one["second"], one["records"]) for one in told["overlaps"]] == [
        (1, 2, 2),
        (1, 3, 1),
        (2, 3, 1),
    ]
    assert (told["behind"], told["unsearchable"]) == (0, 1)  # a picture of which nobody wrote what it shows
    over = person("reader").post("/api/v1/search-reports", json={"queries": LIST})
    assert over.status_code == 200, over.text
    assert over.json() == {name: value for name, value in told.items() if name != "files"}
    reader = browser("reader")
    page = reader.send("/search/report", "/search/report", queries=LIST).text
    assert "3 queries, 3 records in all" in page
    for name, hits, unique, family in FIGURES:
        assert re.search(
            rf">{name}<.*?{hits}</td><td class=\"figure\">{unique}</td><td class=\"figure\">{family}<", page
        )


def test_a_report_is_narrowed_by_its_scope_and_counts_what_only_a_missing_date_keeps_out(
    cli: Ran, listed: Path
):
    _, told = cli("search-report", str(listed), "--kind", "post", "--from", "2026-01-01")
    assert figures(told) == [("Bridge", 1, 0, 5), ("Weekday", 1, 0, 5), ("closed kind:comment", 0, 0, 0)]
    assert told["scope"] == {"kind": "post", "from": "2026-01-01"}
    listed.write_text("everything: *\n")
    _, told = cli("search-report", str(listed), "--kind", "post", "--from", "2026-01-01")
    assert told["queries"][0]["undated"] == 1
    code, told = cli("search-report", str(listed), "--from", "soon")
    assert (code, told["error"]["code"]) == (2, "bad-query")


def test_what_cannot_be_understood_is_listed_with_its_place_and_stops_nothing(
    cli: Ran, listed: Path, browser
):
    listed.write_text("Good: bridge\nBad: bridge AND\n\n  date: 2026\nTagged: tag:x\n")
    code, told = cli("search-report", str(listed))
    assert code == 7
    assert figures(told) == [("Good", 2, 2, 5)]
    bad, dated, tagged = told["not_understood"]
    assert (bad["line"], bad["name"], bad["query"]) == (2, "Bad", "bridge AND")
    assert (bad["column"], bad["what"]) == (13, "Something is missing at the end")
    assert bad["next"].startswith("A word or a bracket must follow: write road AND closed")
    assert (dated["line"], dated["column"]) == (4, 3)
    assert "Write date:2024-05" in dated["next"]
    assert (tagged["line"], tagged["column"], tagged["length"]) == (5, 9, 5)
    said = cli("search-report", str(listed), as_json=False)[1]
    assert "line 4, character 3" in said
    page = browser("reader")
    text = page.send("/search/report", "/search/report", queries=listed.read_text()).text
    assert "3 queries were not understood" in text
    assert "Line 4, character 3" in text


def test_a_mistake_on_the_command_line_is_drawn_and_told_with_its_place(cli: Ran, listed: Path, capsys):
    code, told = cli("search", "警察 -closed")
    assert (code, told["error"]["code"]) == (2, "bad-query")
    assert (told["error"]["position"], told["error"]["length"], told["error"]["parameter"]) == (3, 7, None)
    code, told = cli("search", "bridge", "--from", "2026-02-30")
    assert (code, told["error"]["position"], told["error"]["parameter"]) == (2, 8, "from")
    listed.write_text("bridge\nriver\n")
    code, told = cli("search-report", str(listed), "--kind", "tweet")
    assert (code, told["error"]["position"], told["error"]["parameter"]) == (2, 0, "kind")
    capsys.readouterr()
    assert command(["search", "警察 -closed"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-2:] == ["警察 -closed", "     ^^^^^^^"]
    assert said[0].count("Write NOT road") == 1


def test_a_list_that_is_empty_too_long_or_no_text_is_refused(cli: Ran, person, browser, listed: Path):
    listed.write_text("\n \n")
    assert cli("search-report", str(listed))[1]["error"]["code"] == "bad-query-list"
    listed.write_bytes(b"caf\xe9")
    code, told = cli("search-report", str(listed))
    assert (code, told["error"]["code"]) == (2, "bad-query-list")
    assert cli("search-report", "nowhere.txt")[1]["error"]["code"] == "bad-query-list"
    long = person("reader").post("/api/v1/search-reports", json={"queries": "a\n" * 301})
    assert (long.status_code, long.json()["code"]) == (422, "bad-query-list")
    assert (
        person("reader").post("/api/v1/search-reports", json={"queries": "a", "colour": "red"}).status_code
        == 422
    )
    empty = browser("reader").send("/search/report", "/search/report", queries=" ")
    assert empty.status_code == 422
    assert "no query" in empty.text


def test_a_list_comes_from_standard_input_too(cli: Ran, monkeypatch: pytest.MonkeyPatch):
    class Input:
        buffer = io.BytesIO(b"\xef\xbb\xbfBridge: bridge\r\n")

    monkeypatch.setattr("sys.stdin", Input())
    assert figures(cli("search-report", "-")[1]) == [("Bridge", 2, 2, 5)]


def test_working_copies_of_a_report_are_marked_and_compute_nothing(cli: Ran, listed: Path, tmp_path: Path):
    listed.write_text('=1+1: bridge\n@SUM(A1): closed OR "cmd"\n+Plus\x01: friday\n')
    files = {form: tmp_path / f"report.{form}" for form in ("csv", "xlsx", "html")}
    code, told = cli(
        "search-report",
        str(listed),
        *(word for form, file in files.items() for word in (f"--{form}", str(file))),
    )
    assert code == 0
    assert told["files"] == [str(file) for file in files.values()]
    lines = list(csv.reader(io.StringIO(files["csv"].read_text("utf-8-sig"))))
    assert lines[0] == ["WORKING COPY – NOT A PRODUCTION"]
    assert lines[-1] == ["END – 3 queries"]
    cells = [cell for line in lines for cell in line]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
    book = openpyxl.load_workbook(files["xlsx"])
    assert book.sheetnames == ["Working copy", "Queries", "Overlap"]
    assert book["Working copy"]["A1"].value == "WORKING COPY – NOT A PRODUCTION"
    filled = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in filled} == {"s", "n"}
    assert not [cell for cell in filled if str(cell.value).startswith(("=", "+", "-", "@", "\t"))]
    assert [row[4].value for row in book["Queries"].iter_rows(min_row=2)] == [2, 2, 1, 3]
    assert "NOT A PRODUCTION" in files["html"].read_text()
    code, told = cli("search-report", str(listed), "--csv", str(files["csv"]))
    assert (code, told["error"]["code"]) == (2, "invalid")


def test_the_api_and_the_page_hand_over_the_same_working_copies(person, browser):
    reader = person("reader")
    for form, media in (("csv", "text/csv"), ("xlsx", "application/vnd"), ("html", "text/html")):
        answer = reader.post(
            f"/api/v1/search-reports?as={form}", json={"queries": [{"name": "B", "query": "bridge"}]}
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(media)
        assert (
            answer.headers["content-disposition"]
            == f'attachment; filename="search-report-working-copy.{form}"'
        )
    saved = browser("reader").send("/search/report", "/search/report", queries="B: bridge", **{"as": "csv"})
    assert saved.content.decode("utf-8-sig").startswith("WORKING COPY")
    assert reader.post("/api/v1/search-reports?as=pdf", json={"queries": "a"}).status_code == 422


def test_private_messages_are_in_no_number_of_whoever_may_not_read_them(person):
    asked = {"queries": "letter\n*"}
    assert [
        one["hits"] for one in person("reader").post("/api/v1/search-reports", json=asked).json()["queries"]
    ] == [0, 7]
    mine = person("confidant").post("/api/v1/search-reports", json=asked).json()
    assert [(one["hits"], one["with_family"]) for one in mine["queries"]] == [(1, 1), (8, 8)]


def test_a_report_needs_a_reading_role_and_leaves_a_trace_with_its_words(person, browser):
    for name in ("machine", "approver"):
        assert person(name).post("/api/v1/search-reports", json={"queries": "a"}).status_code == 403
        assert browser(name).get("/search/report").status_code == 403
    assert browser(None).get("/search/report").status_code == 303
    person("reader").post("/api/v1/search-reports", json={"queries": LIST, "kind": "post"})
    person("reader").post("/api/v1/search-reports?as=csv", json={"queries": "bridge"})
    log = person("auditor").get("/api/v1/accesses", params={"by": "reader@alder.example"}).json()["accesses"]
    assert [one["action"] for one in log[:2]] == ["export", "search"]
    assert log[1]["detail"]["queries"] == ["bridge", "friday OR bridge", "closed kind:comment"]
    assert log[1]["detail"]["filters"] == {"kind": "post"}


# -- saved searches ----------------------------------------------------------------------------------------


def test_a_search_is_kept_listed_run_renamed_and_removed_and_its_entries_stay(cli: Ran, person):
    code, made = cli("saved", "add", "Bridge talk", "bridge", "--kind", "comment", "--why", "for counsel")
    assert code == 0
    assert (made["query"], made["understood"], made["filters"]) == (
        "bridge", "bridge AND kind:comment", {"kind": "comment"},
    )  # fmt: skip
    assert (made["everybody"], made["alert"], made["saved_by"]) == (False, False, "reader@alder.example")
    assert [one["name"] for one in cli("saved", "list")[1]] == ["Bridge talk"]
    _, ran = cli("saved", "run", "bridge talk")
    assert (ran["total"], [one["native_id"] for one in ran["records"]]) == (1, ["2"])
    assert ran["understood_otherwise"] is None
    assert cli("saved", "run", made["id"], "--count", as_json=False) == (0, "1\n")
    assert cli("saved", "rename", made["id"], "Bridges")[1]["name"] == "Bridges"
    assert cli("saved", "remove", "Bridges")[1]["error"]["code"] == "why-missing"
    assert cli("saved", "remove", "Bridges", "--why", "answered")[1]["removed"] is True
    assert cli("saved", "list")[1] == []
    code, gone = cli("saved", "run", made["id"])
    assert (code, gone["error"]["code"]) == (3, "no-such-search")
    acts = person("auditor").get("/api/v1/audit?type=saved-search").json()["acts"]
    assert [(one["why"], one["detail"]["name"]) for one in acts] == [
        ("answered", "Bridges"), ("named anew", "Bridges"), ("for counsel", "Bridge talk"),
    ]  # fmt: skip


def test_a_search_of_somebody_else_does_not_exist_until_it_is_shared(person):
    reader, custodian, auditor = person("reader"), person("custodian"), person("auditor")
    own = reader.post("/api/v1/saved-searches", json={"name": "Mine", "query": "bridge"}).json()["id"]
    assert custodian.get(f"/api/v1/saved-searches/{own}").json()["code"] == "no-such-search"
    assert custodian.get("/api/v1/saved-searches").json() == {"total": 0, "searches": []}
    shared = reader.post(
        "/api/v1/saved-searches", json={"name": "Ours", "query": "bridge", "everybody": True}
    ).json()["id"]
    assert auditor.get(f"/api/v1/saved-searches/{shared}/records").json()["total"] == 2
    refused = auditor.post(f"/api/v1/saved-searches/{shared}/remove", json={"why": "tidy"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-search")
    assert custodian.post(f"/api/v1/saved-searches/{shared}/remove", json={"why": "tidy"}).status_code == 200
    assert reader.get("/api/v1/saved-searches").json()["total"] == 1


def test_a_name_is_taken_once_and_a_query_that_cannot_be_asked_is_not_saved(person):
    reader = person("reader")
    assert reader.post("/api/v1/saved-searches", json={"name": "A", "query": "x"}).status_code == 201
    taken = reader.post("/api/v1/saved-searches", json={"name": " a ", "query": "y"})
    assert (taken.status_code, taken.json()["code"]) == (409, "search-name-taken")
    for name, query, code in (
        ("", "x", "bad-search-name"),
        ("b", "x AND", "bad-query"),
        ("c", "hold:mine", "query-not-supported"),
    ):
        refused = reader.post("/api/v1/saved-searches", json={"name": name, "query": query})
        assert refused.json()["code"] == code
    assert reader.get("/api/v1/saved-searches").json()["total"] == 1
    assert person("machine").get("/api/v1/saved-searches").status_code == 403


def test_an_alert_is_set_and_ended_once(cli: Ran, person):
    _, made = cli("saved", "add", "Bridge", "bridge")
    assert cli("saved", "alert", "Bridge")[1]["alert"] is True
    code, twice = cli("saved", "alert", "Bridge")
    assert (code, twice["error"]["code"]) == (4, "alert-is-set")
    reader = person("reader")
    assert reader.post(f"/api/v1/saved-searches/{made['id']}/alert/end", json={}).json()["alert"] is False
    ended = reader.post(f"/api/v1/saved-searches/{made['id']}/alert/end", json={})
    assert (ended.status_code, ended.json()["code"]) == (404, "no-alert")


def test_searches_are_saved_run_and_removed_on_the_pages(browser):
    reader = browser("reader")
    found = reader.get("/search?q=bridge&kind=comment").text
    link = re.search(r'href="(/search/saved\?[^"#]*)#name"', found)
    assert link
    form = reader.get(link[1].replace("&amp;", "&")).text
    assert 'value="bridge"' in form
    assert 'name="kind" value="comment"' in form
    made = reader.send("/search/saved", "/search/saved", name="Bridge", q="bridge", kind="comment")
    assert made.status_code == 303
    page = made.headers["location"]
    text = reader.get(page).text
    assert "1 record</h2>" in text
    assert "<mark>bridge</mark>" in text
    assert "bridge AND kind:comment" in text
    assert reader.send(page, f"{page}/alert").status_code == 303
    assert "End the alert" in reader.get(page).text
    assert reader.send(page, f"{page}/alert/end").status_code == 303
    assert reader.send(page, f"{page}/rename", name="Bridges").status_code == 303
    assert "Bridges" in reader.get("/search/saved").text
    assert reader.send(page, f"{page}/remove").status_code == 422
    assert reader.send(page, f"{page}/remove", why="answered").headers["location"] == "/search/saved"
    assert reader.get(page).status_code == 404
    wrong = reader.send("/search/saved", "/search/saved", name="Bad", q="bridge AND")
    assert wrong.status_code == 422
    assert 'class="caret"' in wrong.text
    assert browser("machine").get("/search/saved").status_code == 403


def test_the_page_of_a_saved_search_shows_what_is_new_to_it_since_a_size_of_the_ledger(
    browser, person, archive: Archive
):
    made = person("reader").post("/api/v1/saved-searches", json={"name": "B", "query": "open"}).json()["id"]
    reader = browser("reader")
    with archive.store.database.read() as tx:
        size = archive.store.ledger.size(tx)
    archive.follow()
    assert "0 records are new to it" in reader.get(f"/search/saved/{made}?since={size}").text
    told = reader.get(f"/search/saved/{made}?since=0").text
    assert "1 record is new to it" in told
    assert "<mark>open</mark>" in told
    assert reader.get(f"/search/saved/{made}?since=-1").status_code == 422


# -- declarations ------------------------------------------------------------------------------------------


def test_a_declaration_says_what_was_asked_and_found_so_that_a_stranger_can_count_again(
    cli: Ran, archive: Archive
):
    code, told = cli("declaration", "make", "bridge", "--from", "2026-01-01", "--why", "Doe v. Town")
    assert code == 0
    assert (told["query"]["typed"], told["query"]["understood"]) == ("bridge", "bridge AND date:>=2026-01-01")
    assert (told["total"], told["undated"], told["messages"], told["signed"]) == (2, 0, False, False)
    assert (told["made_by"]["email"], told["why"], told["time_zone"]) == (
        "reader@alder.example", "Doe v. Town", "America/Juneau",
    )  # fmt: skip
    assert told["engine"].startswith("tantivy")
    assert told["analyser"] == 1
    _, ids = cli("search", "bridge", "--ids")
    expected = hashlib.sha256("".join(f"{one}\n" for one in sorted(ids["records"])).encode()).hexdigest()
    assert told["records_sha256"] == expected
    _, lines = cli("search", "bridge", "--all", "--ids", as_json=False)
    ordered = "".join(sorted(lines.splitlines(keepends=True)))
    assert hashlib.sha256(ordered.encode()).hexdigest() == expected
    assert told["ledger"]["checkpoint"].splitlines()[0] == archive.store.ledger.origin
    assert int(told["ledger"]["checkpoint"].splitlines()[1]) >= told["ledger"]["size"]


def test_a_draft_is_for_a_person_to_sign_and_says_what_it_does_not_say(cli: Ran, person, tmp_path: Path):
    _, made = cli("declaration", "make", "<b>bridge</b>", "--why", "<i>why</i>")
    text, html = tmp_path / "draft.txt", tmp_path / "draft.html"
    code, said = cli(
        "declaration", "show", made["id"], "--text", str(text), "--html", str(html), as_json=False
    )
    assert code == 0
    for words in (
        "DRAFT – NOT SIGNED",
        "What this does not say",
        "Name: ____",
        "Title: ____",
        "Date: ____",
        "Signature: ____",
        made["records_sha256"],
    ):
        assert words in said
        assert words in text.read_text()
    page = html.read_text()
    assert "DRAFT – NOT SIGNED" in page
    assert "<b>bridge" not in page
    assert "&lt;b&gt;bridge" in page
    answer = person("reader").get(f"/api/v1/declarations/{made['id']}/draft")
    assert answer.text == text.read_text()
    assert person("reader").get(f"/api/v1/declarations/{made['id']}/draft?as=html").text == page


def test_a_declaration_run_again_says_what_is_the_same(cli: Ran, person):
    made = person("reader").post("/api/v1/declarations", json={"query": "bridge"})
    assert made.status_code == 201, made.text
    told = made.json()
    assert person("reader").get(f"/api/v1/declarations/{told['id']}").json() == told
    code, again = cli("declaration", "again", told["id"])
    assert code == 0
    assert (again["verdict"], again["same"], again["disposed_since"], again["changed"]) == (
        "same",
        True,
        0,
        {},
    )
    assert (
        again["declared"]["records_sha256"] == again["as_of_then"]["records_sha256"] == told["records_sha256"]
    )
    over = person("reader").post(f"/api/v1/declarations/{told['id']}/again").json()
    assert over["now"]["captured_since"] == 0
    listed = person("reader").get("/api/v1/declarations").json()
    assert (listed["total"], listed["declarations"][0]["id"]) == (1, told["id"])
    assert [one["id"] for one in cli("declaration", "list")[1]] == [told["id"]]


def test_declarations_are_for_records_officers_and_attorneys(cli: Ran, person, browser):
    for name in ("auditor", "approver", "machine"):
        assert person(name).post("/api/v1/declarations", json={"query": "bridge"}).status_code == 403
        assert person(name).get("/api/v1/declarations").status_code == 403
        assert browser(name).get("/search/declarations").status_code == 403
    code, told = cli("declaration", "make", "bridge", by="auditor")
    assert (code, told["error"]["code"]) == (4, "not-permitted")
    assert cli("declaration", "show", "no-id")[1]["error"]["code"] == "no-such-declaration"
    unknown = person("reader").get("/api/v1/declarations/00000000-0000-7000-8000-000000000000")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-declaration")
    assert (
        person("reader").post("/api/v1/declarations", json={"query": "bridge AND"}).json()["code"]
        == "bad-query"
    )


def test_a_declaration_that_searched_private_messages_does_not_exist_for_others(person):
    made = person("confidant").post("/api/v1/declarations", json={"query": "letter"}).json()
    assert (made["total"], made["messages"]) == (1, True)
    reader = person("reader")
    assert reader.get("/api/v1/declarations").json()["total"] == 0
    assert reader.get(f"/api/v1/declarations/{made['id']}").status_code == 404
    assert reader.post(f"/api/v1/declarations/{made['id']}/again").status_code == 404
    assert person("confidant").post(f"/api/v1/declarations/{made['id']}/again").json()["same"] is True


def test_a_declaration_is_made_shown_and_run_again_on_the_pages(browser, person):
    reader = browser("reader")
    made = reader.send("/search/declarations", "/search/declarations", q="bridge", why="Doe v. Town")
    assert made.status_code == 303
    page = made.headers["location"]
    text = reader.get(page).text
    assert "DRAFT – NOT SIGNED" in text
    assert "What this does not say" in text
    again = reader.send(page, f"{page}/again").text
    assert "exactly the same 2 records" in again
    assert reader.get(f"{page}/draft?as=html").headers["content-disposition"].startswith("attachment")
    assert page in reader.get("/search/declarations").text
    assert reader.send("/search/declarations", "/search/declarations", q="bridge").status_code == 422
    wrong = reader.send("/search/declarations", "/search/declarations", q="bridge AND", why="x")
    assert (wrong.status_code, 'class="caret"' in wrong.text) == (422, True)
    log = person("auditor").get("/api/v1/accesses", params={"by": "reader@alder.example"}).json()["accesses"]
    assert {"declaration", "declaration again"} <= {one["detail"].get("what") for one in log}
    acts = person("auditor").get("/api/v1/audit?type=declaration").json()["acts"]
    assert [one["why"] for one in acts] == ["Doe v. Town"]


def test_tags_are_saved_run_and_declared_at_every_door_and_no_alert_is_set_on_them(
    cli: Ran, person, archive: Archive
):
    record = cli("search", "bridge kind:comment", "--ids")[1]["records"][0]
    assert cli("tag", "add", record, "Heron-2026", "--why", "to find it", by="reader")[0] == 0
    code, kept = cli("saved", "add", "Herons", "tag:heron-2026")
    assert code == 0, kept
    assert cli("saved", "run", "Herons")[1]["total"] == 1
    over = person("reader").get(f"/api/v1/saved-searches/{kept['id']}/records").json()
    assert (over["total"], over["records"][0]["id"]) == (1, record)
    code, refused = cli("saved", "alert", "Herons")
    assert (code, refused["error"]["code"]) == (4, "query-not-supported")
    refused = person("reader").post(f"/api/v1/saved-searches/{kept['id']}/alert", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "query-not-supported")
    code, made = cli("declaration", "make", "bridge tag:heron-2026", "--why", "Doe v. Town")
    assert (code, made["total"]) == (0, 1)
    assert [(one["fact"], one["records"]) for one in made["said_of_records"]] == [("tag:heron-2026", 1)]
    told = person("reader").post("/api/v1/declarations", json={"query": "bridge tag:heron-2026"}).json()
    assert told["records_sha256"] == made["records_sha256"]
    assert cli("tag", "remove", record, "heron-2026", "--why", "done")[0] == 0
    code, again = cli("declaration", "again", made["id"])
    assert (code, again["verdict"], again["said_of_records"]) == (
        0,
        "said",
        {"tag:heron-2026": {"then": 1, "now": 0}},
    )
    held = person("reader").post("/api/v1/declarations", json={"query": "hold:any"})
    assert (held.status_code, held.json()["code"]) == (409, "query-not-supported")
