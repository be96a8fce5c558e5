"""Tags, places and the past at the doors: over the API, on the pages and on the command line."""

from __future__ import annotations

import re

import pytest


def first(person, name="1"):
    told = person("reader").get("/api/v1/records", params={"q": "*", "limit": 500}).json()
    return next(one for one in told["records"] if one["native_id"] == name)


def test_a_tag_is_given_found_counted_and_taken_off_over_the_api(person):
    record = first(person)["id"]
    officer = person("reader")
    given = officer.post(f"/api/v1/records/{record}/tags", json={"tag": "Flood 2026", "why": "to find it"})
    assert given.status_code == 201
    assert given.json()["tag"] == "Flood 2026"
    assert (
        officer.post(f"/api/v1/records/{record}/tags", json={"tag": "flood 2026", "why": "again"}).status_code
        == 409
    )
    assert officer.get(f"/api/v1/records/{record}").json()["tags"] == ["Flood 2026"]
    assert officer.get("/api/v1/tags").json() == {"total": 1, "tags": [{"tag": "Flood 2026", "records": 1}]}
    found = officer.get(
        "/api/v1/records", params={"q": 'tag:"flood 2026"', "facets": "tag,series,kind"}
    ).json()
    assert [one["id"] for one in found["records"]] == [record]
    assert found["facets"]["tag"] == {"Flood 2026": 1}
    gone = officer.delete(f"/api/v1/records/{record}/tags/Flood 2026", params={"why": "done"})
    assert gone.status_code == 200
    assert officer.get(f"/api/v1/records/{record}/tags").json()["total"] == 0
    assert (
        officer.delete(f"/api/v1/records/{record}/tags/Flood 2026", params={"why": "done"}).status_code == 404
    )


def test_nobody_tags_without_a_reason_or_without_the_role(person):
    where = f"/api/v1/records/{first(person)['id']}/tags"
    assert person("reader").post(where, json={"tag": "x"}).status_code == 422
    assert person("auditor").post(where, json={"tag": "x", "why": "y"}).status_code == 403
    assert person("auditor").get("/api/v1/tags").json()["total"] == 0


def test_an_answer_as_of_an_earlier_size_says_what_was_disposed_of_since(person, archive):
    with archive.store.database.read() as tx:
        size = archive.store.ledger.size(tx)
    told = person("reader").get("/api/v1/records", params={"q": "bridge", "as_of": size}).json()
    assert (told["total"], told["disposed_since"], told["as_of"]) == (2, 0, size)
    early = person("reader").get("/api/v1/records", params={"q": "bridge", "as_of": 1}).json()
    assert (early["total"], early["as_of"]) == (0, 1)
    for wrong in (size + 1, "0", "x"):
        assert (
            person("reader").get("/api/v1/records", params={"q": "bridge", "as_of": wrong}).status_code == 422
        )
    refused = person("reader").get("/api/v1/records", params={"q": "tag:x", "as_of": size})
    assert refused.status_code == 409
    assert "no history" in refused.json()["detail"]


def test_every_hit_says_where_it_was_met(person):
    told = person("reader").get("/api/v1/records", params={"q": "bridge"}).json()
    met = [one["found"] for one in told["records"]]
    assert {one["where"] for one in met} == {"in the text"}
    for one in met:
        for start, stop in one["met"]:
            assert one["words"][start:stop].casefold() == "bridge"
    assert "found" not in person("reader").get("/api/v1/records", params={"q": "*"}).json()["records"][0]


@pytest.mark.parametrize("asked", ["bridge", "*", "unsearchable:any"])
def test_the_search_page_counts_tags_and_asks_for_the_past(person, archive, asked):
    with archive.store.database.read() as tx:
        size = archive.store.ledger.size(tx)
    assert person("reader").get("/search", params={"q": asked}).status_code == 200
    shown = person("reader").get("/search", params={"q": asked, "as_of": size}).text
    assert "Disposed of since" in shown
    wrong = person("reader").get("/search", params={"q": asked, "as_of": size + 1})
    assert wrong.status_code == 422
    assert f"{size} entries" in wrong.text
    assert person("reader").get("/search", params={"q": asked, "as_of": ""}).status_code == 200


def test_a_tag_stands_on_the_records_page_and_narrows_the_search(person):
    record = first(person)["id"]
    officer = person("reader")
    officer.post(f"/api/v1/records/{record}/tags", json={"tag": "weir", "why": "to find it"})
    assert "Give the tag" in person("reader").get(f"/records/{record}").text
    shown = person("auditor").get(f"/records/{record}").text
    assert "to find it" in shown
    assert "Give the tag" not in shown
    found = person("reader").get("/search", params={"q": "tag:weir"}).text
    assert re.search(r"1 record\b", found)
    assert "<h3>Tag</h3>" in found
