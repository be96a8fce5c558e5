"""Searching through both doors: exact totals, what was not searched, every hit as a stream, and mistakes with their place."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from app.capture import importing
from app.holds import searching
from app.index import search
from app.index.documents import Position
from app.web.finding import Run, excerpt
from tests.doors.conftest import item


def found(answer):
    assert answer.status_code == 200, answer.text
    return [one["native_id"] for one in answer.json()["records"]]


# -- over the API ------------------------------------------------------------------------------------------


def test_an_answer_says_its_total_its_query_and_what_it_could_not_search(person, archive):
    told = person("reader").get("/api/v1/records", params={"q": "bridge", "facets": "kind,page"}).json()
    assert told["total"] == 2
    assert {one["native_id"] for one in told["records"]} == {"1", "2"}
    assert told["query"]["understood"] == "bridge"
    assert told["facets"]["kind"] == {"post": 1, "comment": 1}
    assert (told["undated"], told["next"]) == (0, None)
    assert (told["unsearchable"], told["not_searched"]) == (1, {"media_without_text": 1})
    with archive.store.database.read() as tx:
        assert told["as_of"] == archive.store.ledger.size(tx)


def test_without_a_query_every_record_is_found_but_no_private_message(person):
    told = person("reader").get("/api/v1/records").json()
    assert told["total"] == 7
    assert "6" not in {one["native_id"] for one in told["records"]}
    mine = person("confidant").get("/api/v1/records").json()
    assert mine["total"] == 8
    assert found(person("confidant").get("/api/v1/records?q=letter")) == ["6"]
    assert found(person("reader").get("/api/v1/records?q=letter")) == []
    facets = person("reader").get("/api/v1/records?facets=kind,author").json()["facets"]
    assert "message" not in facets["kind"]
    assert not any("n6" in author for author in facets["author"])


@pytest.mark.parametrize(
    ("asked", "hits"),
    [
        ({"kind": "post"}, {"1", "7", "8"}),
        ({"state": "gone"}, {"4"}),
        ({"platform": "wordpress"}, {"7", "8"}),
        ({"page": "Alder Creek Parks"}, {"7", "8"}),
        ({"author": "neighbour 2"}, {"2"}),
        ({"q": "closed", "kind": "comment"}, {"2"}),
        ({"q": "bridge w/9 open"}, {"1"}),
        ({"from": "2026-02-28", "to": "2026-02-28"}, {"1"}),
        ({"from": "2026-03-01", "to": "2026-03-01"}, {"2", "3", "4", "5", "8"}),
    ],
)
def test_filters_narrow_the_question(person, asked, hits):
    assert set(found(person("reader").get("/api/v1/records", params=asked))) == hits


def test_a_record_is_found_by_what_it_said_once(person):
    assert found(person("reader").get("/api/v1/records?q=flood")) == ["1"]
    assert found(person("reader").get("/api/v1/records", params={"q": "flood version:current"})) == []


def test_records_without_a_date_are_counted_when_dates_are_asked_for(person):
    told = person("reader").get("/api/v1/records", params={"kind": "post", "from": "2026-01-01"}).json()
    assert (told["total"], told["undated"]) == (2, 1)


def test_parts_follow_one_another_without_gap_or_repetition(person):
    seen, cursor = [], None
    while True:
        told = (
            person("reader")
            .get("/api/v1/records", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
            .json()
        )
        assert told["total"] == 7
        seen += [one["native_id"] for one in told["records"]]
        cursor = told["next"]
        if cursor is None:
            break
    assert sorted(seen) == ["1", "2", "3", "4", "5", "7", "8"]
    assert person("reader").get("/api/v1/records?cursor=nonsense").json()["code"] == "bad-cursor"


@pytest.mark.parametrize("more", [{}, {"families": "true"}])
def test_in_the_order_of_capture_no_record_is_lost_to_whoever_reads_on_while_it_is_edited(
    person, archive, laid, tmp_path, more
):
    def part(limit, cursor=None):
        asked = {"sort": "captured", "limit": limit, **more} | ({"cursor": cursor} if cursor else {})
        told = person("reader").get("/api/v1/records", params=asked).json()
        return [one["native_id"] for one in told["records"]], told["next"]

    whole, _ = part(100)
    seen, cursor = part(1)
    while cursor:
        edited = [name for name in whole if name not in seen][-1]
        file = tmp_path / f"{edited}.jsonl"
        file.write_text(json.dumps(item(edited, f"Edited, after {len(seen)} had been read.", 8)) + "\n")
        importing.observations(
            archive.store, file, page=None, make_pages=True, by=laid.ids["administrator"], why="an edit",
            tick=lambda: 0.0,
        )  # fmt: skip
        archive.follow()
        assert part(1)[0] != whole[:1], "whoever begins now is shown the edit first"
        more_seen, cursor = part(1, cursor)
        seen += more_seen
    assert seen == whole


def test_a_mistake_is_told_with_its_place(person):
    answer = person("reader").get("/api/v1/records", params={"q": "bridge AND"})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "bad-query")
    assert isinstance(told["position"], int)
    assert person("reader").get("/api/v1/records?facets=shoe-size").status_code == 422
    assert person("reader").get("/api/v1/records?sort=loudest").status_code == 422


@pytest.mark.parametrize(
    ("asked", "parameter", "position", "length", "hint"),
    [
        ({"q": "bridge", "kind": "tweet"}, "kind", 0, 5, "comment"),
        ({"state": "deleted"}, "state", 0, 7, "gone"),
        ({"from": "2026-13-01"}, "from", 5, 2, "2024-01"),
        ({"from": "2026-02-30"}, "from", 8, 2, "2024-01"),
        ({"from": "0000-01-01"}, "from", 0, 4, "2024-01"),
        ({"to": "2026-01-01T10:00"}, "to", 10, 6, "2024-01"),
        ({"to": "yesterday"}, "to", 0, 9, "2024-01"),
        ({"from": "2026-02", "to": "2026-01"}, "to", 0, 7, "2026-02-01"),
        ({"from": '2026" OR * OR "2026'}, "from", 4, 15, "2024-01"),
        ({"from": ">=2026"}, "from", 0, 6, "2024-01"),
    ],
)
def test_a_mistake_in_a_filter_names_the_parameter_and_its_place_there(
    person, browser, asked, parameter, position, length, hint
):
    answer = person("reader").get("/api/v1/records", params=asked)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "bad-query")
    assert (told["parameter"], told["position"], told["length"]) == (parameter, position, length)
    assert hint in told["next"]
    assert f"in {parameter}, at character {position + 1}" in told["detail"]
    page = browser("reader").get("/search", params=asked)
    assert page.status_code == 422
    assert f"The mistake in {parameter}: " in page.text
    assert "parameter" not in person("reader").get("/api/v1/records?q=(").json()


def test_a_value_of_a_filter_is_a_value_whatever_signs_it_has(person):
    reader = person("reader")
    for value in ('neighbour 2" OR *', "*", "(", '"', "neighbour?2"):
        assert found(reader.get("/api/v1/records", params={"author": value})) == []
    told = reader.get("/api/v1/records", params={"author": "NEIGHBOUR 2"}).json()
    assert (told["total"], told["query"]["understood"]) == (1, '* AND author:"NEIGHBOUR 2"')


@pytest.mark.parametrize("more", [{}, {"families": "true"}])
def test_one_answer_is_of_one_commit_whatever_is_committed_while_it_is_made(
    person, archive, monkeypatch, more
):
    asked = {"q": "bridge OR NOT flood", "from": "2000", "facets": "kind,author,month", **more}
    before = person("reader").get("/api/v1/records", params=asked).json()
    assert before["undated"]
    assert before["unsearchable"]
    engine, answer = searching.whole(archive.index), search.Asking.answer

    def meanwhile(asking):
        told, position = answer(asking), engine.position()
        assert position is not None
        engine.remove(range(1, 100))
        engine.commit(Position(position.entry + 1, position.analyser))
        return told

    with monkeypatch.context() as between:
        between.setattr(search.Asking, "answer", meanwhile)
        assert person("reader").get("/api/v1/records", params=asked).json() == before
    assert person("reader").get("/api/v1/records", params=asked).json()["total"] == 0


def test_searching_needs_a_reading_role(person):
    for name in ("machine", "approver"):
        assert person(name).get("/api/v1/records?q=bridge").status_code == 403


def test_a_search_is_on_the_access_log_with_its_words(person, laid):
    person("reader").get("/api/v1/records?q=bridge&kind=post")
    log = person("auditor").get("/api/v1/accesses", params={"by": "reader@alder.example"}).json()
    assert log["accesses"][0]["action"] == "search"
    assert log["accesses"][0]["detail"]["query"] == "bridge"
    assert log["accesses"][0]["detail"]["filters"] == {"Kind": "post"}


def test_every_hit_leaves_as_lines_with_an_entry_of_its_own(person):
    assert person("reader").get("/api/v1/records.ndjson?q=bridge").status_code == 403
    answer = person("custodian").get("/api/v1/records.ndjson", params={"why": "for counsel"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["x-total"] == "7"
    assert len(lines) == 7
    assert {"id", "page", "text", "entry"} <= lines[0].keys()
    acts = person("auditor").get("/api/v1/audit?type=export").json()["acts"]
    assert [act["why"] for act in acts] == ["for counsel"]
    assert person("custodian").get("/api/v1/records.ndjson?q=(").json()["code"] == "bad-query"


def test_what_the_index_has_not_reached_is_said(person, archive):
    page = person("reader").get("/api/v1/pages").json()["pages"][0]["id"]
    person("reader").post(f"/api/v1/pages/{page}/approve", json={"why": "agreed"})
    told = person("reader").get("/api/v1/records?q=bridge").json()
    assert told["unsearchable"] == 2
    assert told["not_searched"] == {"behind": 1, "media_without_text": 1}
    archive.follow()
    assert person("reader").get("/api/v1/records?q=bridge").json()["not_searched"] == {
        "media_without_text": 1
    }


# -- on the page -------------------------------------------------------------------------------------------


def test_the_page_marks_what_it_found_and_says_how_it_understood(browser):
    text = browser("reader").get("/search?q=bridge+OR+friday&kind=comment").text
    assert "2 records" in text
    assert "<mark>bridge</mark>" in text
    assert "<mark>Friday</mark>" in text
    assert "(bridge OR friday) AND kind:comment" in text


def test_an_earlier_version_is_shown_where_only_it_met_the_query(browser):
    text = browser("reader").get("/search?q=flood").text
    assert "<mark>flood</mark>" in text
    assert "found in version 1 of 2" in text


def test_facets_are_links_that_narrow(browser):
    reader = browser("reader")
    text = reader.get("/search?q=").text
    link = re.search(r'<a href="(/search\?[^"]*kind=post[^"]*)">post</a> <span class="figure">3</span>', text)
    assert link
    narrowed = reader.get(link[1].replace("&amp;", "&")).text
    assert "3 records" in narrowed
    month = re.search(r'<a href="(/search\?[^"]*from=2026-03-01&amp;to=2026-03-31[^"]*)">2026-03</a>', text)
    assert month


def test_a_mistake_is_shown_at_its_place_in_the_query(browser):
    answer = browser("reader").get("/search", params={"q": "bridge w/5 road w/3 closed"})
    assert answer.status_code == 422
    assert 'class="caret"' in answer.text
    assert '<b aria-hidden="true">^^^^^^^^^^^^^^^^^^^</b>' in answer.text
    assert 'value="bridge w/5 road w/3 closed"' in answer.text


def test_the_place_of_a_mistake_is_kept_free_by_what_stands_before_it_whatever_its_width(browser):
    """Letters of a browser have the width that its fonts give them: what stands before is written again, unseen."""
    answer = browser("reader").get("/search", params={"q": "警察 👩🏽‍🚒 e\u0301 (bridge\nAND ) 消防"})
    assert (
        '<span class="room" aria-hidden="true">警察 👩🏽‍🚒 e\u0301 (bridge AND </span><b aria-hidden="true">^</b>'
        in answer.text
    )
    css = browser("reader").get("/static/muniment.css").text
    assert ".caret .room { visibility: hidden; }" in css


def test_the_first_look_at_the_page_asks_nothing(browser, person):
    assert "records</h2>" not in browser("reader").get("/search").text
    log = person("auditor").get("/api/v1/accesses", params={"by": "reader@alder.example"}).json()
    assert "search" not in {one["action"] for one in log["accesses"]}


def test_undated_records_are_said_on_the_page(browser):
    text = browser("reader").get("/search?q=&kind=post&from=2026-01-01").text
    assert "1 record has no stated time" in text


def test_printing_and_saving_are_marked_as_working_copies(browser):
    reader = browser("reader")
    printed = reader.get("/search/print?q=bridge").text
    assert "WORKING COPY – NOT A PRODUCTION" in printed
    assert "Records 1 to 2 of 2" in printed
    answer = reader.get("/search.csv?q=*&sort=oldest")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0] == ["WORKING COPY – NOT A PRODUCTION"]
    told = {line[0]: line[1] for line in lines if len(line) == 2}
    assert told["Query"] == "'*" or told["Query"] == "*"
    assert told["Records"] == "7"
    assert told["Made by"] == "Reader <reader@alder.example>"
    assert lines[-1] == ["END – 7 records"]
    heads = next(line for line in lines if "ledger entry" in line)
    rows = [
        dict(zip(heads, line, strict=True)) for line in lines if len(line) == len(heads) and line is not heads
    ]
    assert len(rows) == 7
    assert '\'=HYPERLINK("https://elsewhere.example","click")' in {row["text"] for row in rows}


def test_saving_streams_more_hits_than_one_part(browser, monkeypatch):
    from app.web import finding

    monkeypatch.setattr(finding, "_PART", 2)
    answer = browser("reader").get("/search.csv?q=*")
    assert list(csv.reader(io.StringIO(answer.text)))[-1] == ["END – 7 records"]


# -- excerpts ----------------------------------------------------------------------------------------------


def test_an_excerpt_begins_where_the_query_was_met():
    text = "dry " * 300 + "the flood came " + "wet " * 300
    at = text.index("flood")
    told = excerpt(text, [(at, at + 5)])
    assert [run.text for run in told if run.marked] == ["flood"]
    assert told[0].text == "… "
    assert sum(len(run.text) for run in told) < 500


def test_a_short_text_is_its_own_excerpt():
    assert excerpt("no flood today", [(3, 8)]) == [
        Run("no ", marked=False),
        Run("flood", marked=True),
        Run(" today", marked=False),
    ]
    assert excerpt("", []) == []
