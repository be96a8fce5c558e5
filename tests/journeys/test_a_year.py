"""A year of a department: a schedule is adopted, a lawsuit comes and is settled, and records are disposed of.

Told as its people would tell it: Rosa keeps the records, the chief approves,
counsel and a colleague look after the law, and an auditor looks on. Each of
them acts through the door that they would use, the command line, the API or
the pages, with a token or a session of their own. The town is invented and its
page is served on this machine; only the clock is moved.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from app import ROOT, officers
from app.cli import door
from app.demo import law
from app.records.ids import new_id
from app.records.nouns import Role
from app.store import bag
from tests.journeys.acts import BESIDE, ROUTES, choices
from tests.journeys.department import DAY, PUBLIC, SCHEDULE, WORDS, Department
from tests.steps.remains import spellings


def test_a_year_from_the_adoption_of_a_schedule_to_a_certificate_that_is_final(
    department: Department, tmp_path: Path
):
    of = department

    # 1. March. Rosa looks at what the council's schedule would do, then adopts it with its instrument.
    file = tmp_path / "schedule.yaml"
    file.write_text(SCHEDULE)
    told = of.runs("rosa", "schedule", "adopt", str(file), "--instrument", "Resolution 12", "--preview")
    assert told["records"] == 9
    assert "No schedule is adopted" in of.reads("rosa", "/retention")
    rosa = of.browser("rosa")
    seen = rosa.client.post(
        "/schedules/preview",
        data={"csrf": rosa.mark("/schedules/adopt"), "instrument": "Resolution 12 of 3 March"},
        files={"file": ("schedule.yaml", SCHEDULE.encode())},
    )
    hidden = dict(re.findall(r'name="(csrf|content|instrument|from)" value="([^"]*)"', seen.text))
    hidden["csrf"] = rosa.mark("/schedules/adopt")
    adopted = rosa.client.post("/schedules/adopt", data={**hidden, "why": "the council adopted it"})
    assert adopted.status_code == 303, adopted.text
    [edition] = of.gets("auditor", "/schedules")["schedules"]
    assert (edition["standing"], edition["instrument"]) == ("in force", "Resolution 12 of 3 March")

    # 2. What is held is classified that night; the chief's word to the town is another matter, says Rosa.
    of.days(1)
    assert of.explained("lovely")["series"] == "COR-03"
    chief = of.record("chief")
    of.posts(
        "rosa", "/retention/assignments", status=201, records=[chief], series="EXE-07",
        why="the chief speaks to the whole town",
    )  # fmt: skip
    assert "EXE-07" in of.reads("auditor", f"/records/{chief}/retention")

    # 3. The department answers a question and takes a post down. Capture sees both, and clocks start.
    assert of.explained("where")["series"] == "COR-03"
    of.said["behind"] = of.town.say(WORDS["behind"], to=of.said["where"])
    of.town.delete(of.said["bridge"])
    of.days(1)
    answered, removed = of.explained("where"), of.explained("bridge")
    assert (answered["series"], [one["name"] for one in answered["recorded"]]) == ("ANS-04", ["answered"])
    assert {one["name"]: one["by"] for one in removed["events"]}["removed"] == "2026-03-04"
    assert "removed" not in {one["name"] for one in of.explained("market")["events"]}
    assert "kept until the end of 2026-08-28" in of.says("rosa", "retention", "explain", of.record("bridge"))

    # 4. April. A letter before action: counsel opens a matter, and another of which few may know.
    of.days(30)
    suit = of.sends(
        "counsel", "/matters", "/matters", name="Kim v. Harrow Falls", trigger="2026-03-02",
        members="colleague@harrowfalls.example", why="letter before action",
    ).headers["location"].rpartition("/")[2]  # fmt: skip
    inquiry = of.runs(
        "counsel", "matter", "open", "The fence", "--silent", "--why", "a complaint in confidence"
    )["id"]
    assert {one["name"] for one in of.runs("counsel", "matter", "list")} == {
        "Kim v. Harrow Falls",
        "The fence",
    }
    for who in ("colleague", "rosa", "auditor"):
        assert [one["name"] for one in of.gets(who, "/matters")["matters"]] == ["Kim v. Harrow Falls"]
        assert "The fence" not in of.reads(who, "/matters")
        assert of.asks(who).get(f"/api/v1/matters/{inquiry}").json()["code"] == "no-such-matter"
    for name, who in (("Pat Smith", "pat"), ("Sam Ito", "sam")):
        of.posts(
            "counsel", f"/matters/{suit}/custodians", name=name, email=f"{who}@harrowfalls.example",
            why="manages the page",
        )  # fmt: skip

    # 5. The bridge is to be kept. The preview shows what would slip through, and the scope is widened.
    near = of.runs("counsel", "hold", "preview", suit, "--scope", "bridge")
    assert near["by_basis"] == {
        "matched": 2,
        "undecided": 1,
        "named": 0,
    }  # the page's picture may say anything
    assert "bridges" in {word for one in near["near_misses"] for word in one["words"]}
    placed = of.posts(
        "counsel", "/holds", status=201, matter=suit, scope="bridge OR bridges", why="letter of 3 April"
    )
    assert (placed["covers"], placed["possibly_disposed"]["records"]) == (4, 0)
    hold = placed["id"]
    assert of.gets("rosa", f"/records/{of.record('fell')}")["held"] is True

    # 6. Two custodians are told. Pat follows the link, which needs no account; Sam does not.
    of.sends(
        "counsel",
        f"/holds/{hold}",
        f"/holds/{hold}/notify",
        custodian="pat@harrowfalls.example",
        why="drafts",
    )
    of.runs("counsel", "hold", "notify", hold, "--to", "sam@harrowfalls.example", "--why", "moderates")
    of.minute()
    [(_, words)] = of.letters("pat@")
    assert "Kim v." not in words
    link = re.search(rf"{PUBLIC}(/hold-notice/\S+)", words)
    if link is None:  # the command line sends with the address of its own settings
        link = re.search(r"http://\S+?(/hold-notice/\S+)", words)
    assert link is not None
    pat = of.browser(None)
    assert "I have read this" in pat.get(link[1]).text
    assert "You acknowledged this notice" in pat.send(link[1], link[1]).text
    of.days(3)
    assert (len(of.letters("pat@")), len(of.letters("sam@"))) == (1, 2)
    states = {one["to"]: one["state"] for one in of.gets("counsel", f"/holds/{hold}/notices")["notices"]}
    assert states == {"pat@harrowfalls.example": "acknowledged", "sam@harrowfalls.example": "sent"}
    assert "acknowledged" in of.reads("colleague", f"/holds/{hold}")

    # 7. What is captured later joins the hold by itself, and nobody pauses the page under it.
    WORDS["rail"] = "The bridge still has no rail, and it is May."
    of.said["rail"] = of.town.say(WORDS["rail"], by="lee@far.example", to=of.said["market"])
    of.days(1)
    assert of.runs("colleague", "hold", "records", hold)["total"] == 5
    paused = of.asks("rosa").post(f"/api/v1/pages/{of.page.id}/pause", json={"why": "a relaunch"})
    assert (paused.status_code, paused.json()["code"]) == (409, "page-is-needed")
    assert (
        of.runs("rosa", "page", "pause", "Police", "--why", "a relaunch", code=4)["error"]["code"]
        == "page-is-needed"
    )
    assert "Kim v." not in paused.text

    # 8. The rest of the year's days pass. A copy of the data and one of the keys is made in autumn.
    of.days(190)
    of.runs(
        "rosa",
        "backup",
        str(tmp_path / "data"),
        "--keys",
        str(tmp_path / "keys"),
        "--why",
        "the monthly copy",
    )
    on_day = of.gets("chief", "/retention")
    assert on_day["doubt"] is None

    # 9. Rosa proposes what the public wrote: what is held is not on the list, and nobody is told why.
    seen_page = of.reads("rosa", "/dispositions/propose?series=COR-03&on=")
    assert "3 records of series COR-03" in seen_page
    assert "Kim v." not in seen_page
    listed = of.sends(
        "rosa", "/dispositions/propose?series=COR-03", "/dispositions/propose", series="COR-03",
        why="due under the schedule",
    ).headers["location"].rpartition("/")[2]  # fmt: skip
    disposition = of.gets("auditor", f"/dispositions/{listed}")
    assert (disposition["records"], disposition["stayed"]) == (3, 3)

    # 10. The chief approves, counsel consents, each for themselves; Rosa can do neither for them.
    at = f"/dispositions/{listed}"
    assert (
        of.runs("rosa", "disposition", "approve", listed, "--why", "me too", code=4)["error"]["code"]
        == "proposer-approves"
    )
    early = of.asks("counsel").post(f"/api/v1{at}/approve", json={"why": "I consent"})
    assert early.status_code == 403
    of.runs("chief", "disposition", "approve", listed, "--why", "I looked at the list")
    again = of.runs("chief", "disposition", "approve", listed, "--why", "and again", code=4)
    assert again["error"]["code"]
    of.sends("counsel", at, f"{at}/approve", why="I consent")
    waits = of.gets("rosa", at)
    assert (waits["state"], waits["waiting_days"]) == ("approved", 14)

    # 11. The wait is kept. On its last days a silent hold comes to cover one of the records.
    too_soon = of.asks("rosa").post(f"/api/v1{at}/execute", json={"why": "it is due"})
    assert (too_soon.status_code, too_soon.json()["code"]) == (409, "waiting-period")
    of.days(13)
    ids = {name: of.record(name) for name in ("lovely", "fence", "behind", "fell", "rail", "bridges")}
    named = tmp_path / "records.txt"
    named.write_text(ids["fence"] + "\n")
    of.runs(
        "counsel", "hold", "place", inquiry, "--records", str(named), "--why", "a complaint in confidence"
    )
    of.days(2)
    assert any("over" in subject or "executed" in words for subject, words in of.letters("rosa@"))

    # 12. Rosa executes. What is held stays, with the one reason that everything that stays has.
    done = of.posts("rosa", f"{at}/execute", why="the waiting period is over")
    assert done["disposed"] == 2
    assert done["excluded"] == [{"record": ids["fence"], "why": "withdrawn_on_recheck"}]
    assert of.disposed(*ids.values()) == {ids["lovely"], ids["behind"]}
    page = of.reads("auditor", at)
    assert "withdrawn on recheck" in page
    assert "fence" not in page.casefold().replace(ids["fence"], "")

    # 13. Whoever asks for a former record is told on which day, under what and by whom; of its words nothing is left.
    former = of.gets("auditor", f"/records/{ids['lovely']}")["disposed"]
    assert (former["series"], former["citation"], former["batch"]) == (
        "COR-03",
        "Resolution 12, item 3",
        listed,
    )
    assert of.runs("rosa", "record", "show", ids["lovely"])["disposed"]["on"] == former["on"]
    assert "none covered it" in of.reads("auditor", f"/records/{ids['lovely']}")
    for name in ("lovely", "behind"):
        quoted = json.dumps(WORDS[name])
        assert of.runs("rosa", "search", quoted)["total"] == 0
        assert of.gets("counsel", f"/records?q={quoted}")["total"] == 0
        assert of.asks("rosa").get(f"/api/v1/records/{ids[name]}/explain").status_code == 404
        wanted = spellings(WORDS[name])
        for path in store_files(of.archive.settings.home):
            content = path.read_bytes()
            assert not any(one in content for one in wanted), (name, path.name)
    of.days(1)  # the page still shows them, and they stay disposed of
    assert of.runs("rosa", "search", json.dumps(WORDS["lovely"]))["total"] == 0

    # 14. The certificate says executed while a copy of the keys lives, and final afterwards.
    paper = tmp_path / "certificate.pdf"
    told = of.runs("auditor", "disposition", "certificate", listed, "--out", str(paper))
    assert (told["state"], told["records"]) == ("executed", 2)
    assert told["key_backups_until"] is not None
    assert paper.read_bytes().startswith(b"%PDF-1.7")
    assert of.gets("auditor", f"{at}/certificate")["state"] == "executed"
    of.days(31)
    final = of.gets("auditor", f"{at}/certificate")
    assert (final["state"], final["entries"][-1]["act"]) == ("final", "final")
    assert of.browser("chief").get(f"{at}/certificate?as=pdf").content.startswith(b"%PDF-1.7")

    # 15. The suit is settled. A release is previewed, asked for, approved by another, and taken back once.
    assert of.runs("counsel", "hold", "preview-release", hold)["freed"] == 5
    of.sends("counsel", f"/holds/{hold}", f"/holds/{hold}/release", why="settled")
    alone = of.asks("counsel").post(f"/api/v1/holds/{hold}/approve-release", json={"why": "settled"})
    assert alone.json()["code"] == "release-same-person"
    soon = of.posts("colleague", f"/holds/{hold}/approve-release", why="settled")
    assert soon["state"] == "release-approved"
    of.days(3)
    assert of.runs("counsel", "hold", "cancel-release", hold, "--why", "an appeal")["state"] == "active"
    of.days(8)
    assert of.gets("rosa", f"/records/{ids['fell']}")["held"] is True
    of.posts("counsel", f"/holds/{hold}/release", why="settled after all")
    of.sends("colleague", f"/holds/{hold}", f"/holds/{hold}/approve-release", why="I read the settlement")
    of.days(6)
    assert of.gets("rosa", f"/records/{ids['fell']}")["held"] is True
    of.days(2)
    assert of.gets("rosa", f"/records/{ids['fell']}")["held"] is False

    # 16. What it covered is eligible now, and the matter is closed; the silent one goes on protecting.
    assert of.explained("fell")["decision"] == "destroy", of.explained("fell")
    ready = of.runs("rosa", "disposition", "propose", "COR-03", "--preview")
    assert (ready["records"], ready["stayed"]) == (4, 0)  # the one under the silent hold as if it were free
    assert of.posts("counsel", f"/matters/{suit}/close", why="settled")["state"] == "closed"
    assert (
        of.runs("counsel", "matter", "close", inquiry, "--why", "over", code=4)["error"]["code"]
        == "matter-has-holds"
    )

    # 17. And the whole year stands in a ledger that verifies.
    assert of.runs("auditor", "verify", "--full")["findings"] == []


def store_files(home: Path) -> list[Path]:
    """Every file of the archive."""
    found = [path for path in home.rglob("*") if path.is_file()]
    assert found
    return found


def test_records_go_to_the_archives_with_a_receipt_over_the_api_and_on_the_pages(
    department: Department, tmp_path: Path
):
    of = department
    of.adopt()
    ids = [of.record("chief"), of.record("market")]
    of.posts("rosa", "/retention/assignments", status=201, records=ids, series="EXE-07", why="lasting value")
    of.days(190)
    first, second = of.approved("EXE-07", limit=1), of.approved("EXE-07")

    # On the pages: the bag in a zip, then its receipt. Without one nothing is disposed of.
    at = f"/dispositions/{first}"
    of.days(15)
    page = of.browser("rosa").get(at).text
    assert f'action="{at}/transfer"' in page
    assert f'action="{at}/accept"' not in page
    refused = of.sends("rosa", at, f"{at}/execute", why="now", status=409)
    assert "receipt" in refused.text
    folder, digest = of.unpacked(
        of.sends("rosa", at, f"{at}/transfer", why="picked up on Monday", status=200), tmp_path / "one"
    )
    bag.check(folder)
    assert bag.digest(folder).hex() == digest
    assert WORDS["chief"] in (folder / "data" / "records" / ids[0] / "text.txt").read_text()
    assert digest in of.reads("rosa", at)
    rosa = of.browser("rosa")
    sent = rosa.client.post(
        f"{at}/accept",
        data={"csrf": rosa.mark(at), "why": "it came by mail"},
        files={"receipt": ("receipt.txt", f"Received: {digest}".encode())},
    )
    assert sent.status_code == 303, sent.text
    assert "the archives gave their receipt" in of.reads("rosa", at)
    of.sends("rosa", at, f"{at}/execute", why="the archives have it")
    assert of.disposed(*ids) == {ids[0]}

    # Over the API the same; the name under which a receipt is handed in leads nowhere else.
    at = f"/dispositions/{second}"
    assert of.asks("chief").post(f"/api/v1{at}/transfer", json={"why": "x"}).status_code == 403
    assert of.asks("rosa").post(f"/api/v1{at}/transfer", json={}).json()["code"] == "reason-missing"
    none_yet = of.asks("rosa").post(
        f"/api/v1{at}/accept", data={"why": "x"}, files={"receipt": ("r.txt", b"x")}
    )
    assert (none_yet.status_code, none_yet.json()["code"]) == (409, "no-receipt")
    answer = of.asks("rosa").post(f"/api/v1{at}/transfer", json={"why": "by courier"})
    assert answer.status_code == 200, answer.text
    folder, digest = of.unpacked(answer, tmp_path / "two")
    assert of.gets("rosa", at)["transfer"]["bag_sha256"] == digest == bag.digest(folder).hex()
    receipt = f"Received: {digest}".encode()
    taken = of.asks("rosa").post(
        f"/api/v1{at}/accept", data={"why": "it came"}, files={"receipt": ("../../receipt.txt", receipt)}
    )
    assert taken.json()["transfer"]["receipt_sha256"] == hashlib.sha256(receipt).hexdigest()
    assert of.posts("rosa", f"{at}/execute", why="the archives have it")["disposed"] == 1
    assert of.disposed(*ids) == set(ids)
    assert not list(of.archive.settings.home.glob("handed-in-*"))


def test_a_court_orders_a_record_destroyed_and_a_list_is_shortened_on_the_pages(department: Department):
    of = department
    of.adopt()
    lovely, fence, fell = of.record("lovely"), of.record("fence"), of.record("fell")

    # Access is cut off while the order is expected; then it comes, is read by another, and carried out.
    of.sends(
        "counsel",
        "/matters",
        "/quarantine",
        record=lovely,
        second="rosa@harrowfalls.example",
        why="an order comes",
    )
    assert of.asks("auditor").get(f"/api/v1/records/{lovely}").status_code == 404
    of.sends("counsel", "/matters", f"/quarantine/{lovely}/end", why="the order came")
    assert of.asks("auditor").get(f"/api/v1/records/{lovely}").status_code == 200
    bad = of.sends(
        "counsel",
        "/dispositions",
        "/dispositions/order",
        records="no-id",
        instrument="Order",
        why="x",
        status=422,
    )
    assert "no record" in bad.text
    bad = of.sends(
        "counsel",
        "/dispositions",
        "/dispositions/order",
        records=lovely,
        instrument="Order",
        days="soon",
        why="x",
        status=422,
    )
    assert "no number of days" in bad.text
    at = of.sends(
        "counsel", "/dispositions", "/dispositions/order", records=lovely,
        instrument="Superior Court, order of 3 May 2026", why="expungement",
    ).headers["location"]  # fmt: skip
    of.sends("chief", at, f"{at}/approve", why="I read the order")
    of.sends("rosa", at, f"{at}/execute", why="as ordered")
    assert of.disposed(lovely) == {lovely}

    # The mayor asks for one record of a list: it comes off before anybody approves, one by one or from the start.
    of.days(190)
    form = "/dispositions/propose?series=COR-03"
    at = of.sends("rosa", form, "/dispositions/propose", series="COR-03", without=fell, why="due").headers[
        "location"
    ]
    assert of.gets("rosa", at)["records"] == 3
    of.sends("chief", at, f"{at}/leave-out", records=f"{fence}\n", why="the mayor asks for it")
    assert of.gets("rosa", at)["records"] == 2
    assert "left out" in of.reads("rosa", at)
    wrong = of.sends("chief", at, f"{at}/leave-out", records=str(new_id()), why="x", status=404)
    assert 'role="alert"' in wrong.text


def test_the_law_department_consents_writes_and_lets_people_go_at_each_door(
    department: Department, tmp_path: Path
):
    of = department
    suit = of.posts(
        "counsel",
        "/matters",
        status=201,
        name="Kim",
        members=["colleague@harrowfalls.example"],
        why="a letter",
    )["id"]
    hold = of.posts("counsel", "/holds", status=201, matter=suit, scope="bridge", why="a letter")["id"]
    for who in ("pat", "sam", "uma"):
        of.posts(
            "counsel",
            f"/matters/{suit}/custodians",
            name=who,
            email=f"{who}@harrowfalls.example",
            why="drafts",
        )

    # A custodian leaves the list through each door, and so does a member.
    of.runs("counsel", "matter", "custodian", suit, "pat@harrowfalls.example", "--leave", "--why", "retired")
    of.posts(
        "counsel", f"/matters/{suit}/custodians/leave", email="sam@harrowfalls.example", why="moved away"
    )
    of.sends(
        "counsel",
        f"/matters/{suit}",
        f"/matters/{suit}/custodian-leaves",
        email="uma@harrowfalls.example",
        why="left",
    )
    assert of.gets("counsel", f"/matters/{suit}")["custodians"] == []
    of.sends(
        "counsel",
        f"/matters/{suit}",
        f"/matters/{suit}/member-leaves",
        email="colleague@harrowfalls.example",
        why="no more",
    )
    assert of.gets("counsel", f"/matters/{suit}")["members"] == ["counsel@harrowfalls.example"]
    last = of.asks("counsel").post(
        f"/api/v1/matters/{suit}/members/leave", json={"email": "counsel@harrowfalls.example", "why": "x"}
    )
    assert last.status_code == 422

    # A preservation letter is written through each door.
    out = tmp_path / "letter.pdf"
    of.runs("counsel", "hold", "letter", hold, "--to", "The platform", "--out", str(out), "--why", "preserve")
    over_api = of.asks("counsel").post(
        f"/api/v1/holds/{hold}/letter",
        json={"to": "The platform", "address": ["1 Main St"], "why": "preserve"},
    )
    on_page = of.sends(
        "counsel",
        f"/holds/{hold}",
        f"/holds/{hold}/letter",
        to="The platform",
        address="1 Main St",
        why="preserve",
        status=200,
    )
    for content in (out.read_bytes(), over_api.content, on_page.content):
        assert content.startswith(b"%PDF")
    assert of.sends("counsel", f"/holds/{hold}", f"/holds/{hold}/letter", to=" ", why="x", status=422)

    # With counsel's consent the page is paused.
    assert (
        of.asks("rosa").post(f"/api/v1/pages/{of.page.id}/pause", json={"why": "a relaunch"}).status_code
        == 409
    )
    of.sends("counsel", f"/holds/{hold}", f"/holds/{hold}/consent", page=str(of.page.id), why="handed over")
    assert of.posts("rosa", f"/pages/{of.page.id}/pause", why="a relaunch")


def test_what_was_recorded_by_mistake_is_taken_back_on_the_records_own_page(department: Department):
    of = department
    of.adopt()
    at = f"/records/{of.record('market')}/retention"
    of.sends("rosa", at, f"{at}/event", name="removed", on="2026-03-02", evidence="a screenshot", why="seen")
    [event] = of.explained("market")["recorded"]
    assert "Event removed on 2026-03-02" in of.reads("rosa", at)
    of.sends("rosa", at, f"{at}/take-back", event=event["id"], why="it was another post")
    assert of.explained("market")["recorded"][0]["superseded_entry"] is not None
    assert "removed" not in {one["name"] for one in of.explained("market")["events"]}
    again = of.sends("rosa", at, f"{at}/take-back", event=event["id"], why="again", status=409)
    assert 'role="alert"' in again.text


def test_another_edition_is_previewed_and_makes_what_was_approved_void(department: Department):
    of = department
    of.adopt()
    of.days(190)
    listed = of.approved("COR-03")
    of.days(1)
    longer = SCHEDULE.replace('edition: "2026"', 'edition: "2027"').replace(
        "{after: published, keep: P6M, then: destroy}", "{after: published, keep: P9Y, then: destroy}"
    )
    form: dict[str, Any] = {
        "content": longer,
        "instrument": "Resolution 2 of September",
        "why": "the council keeps longer",
    }
    told = {one["series"]: one for one in of.posts("rosa", "/schedules/preview", **form)["series"]}
    assert told["COR-03"]["stops"] == 5
    assert of.gets("rosa", f"/dispositions/{listed}")["state"] == "approved"
    of.posts("rosa", "/schedules", status=201, **form)
    of.clock.at += 20 * DAY
    refused = of.asks("rosa").post(f"/api/v1/dispositions/{listed}/execute", json={"why": "due"})
    assert (refused.status_code, refused.json()["code"]) == (409, "edition-changed")
    of.night()
    assert of.gets("rosa", f"/dispositions/{listed}")["state"] == "withdrawn"
    assert of.explained("lovely")["decision"] == "keep_until"
    assert [one["edition"] for one in of.gets("rosa", "/schedules")["schedules"]] == ["2027", "2026"]


def test_a_clock_that_is_set_back_makes_nothing_eligible(department: Department):
    of = department
    of.adopt()
    of.days(190)
    assert of.gets("rosa", "/dispositions/preview?series=COR-03")["records"] == 5
    listed = of.approved("COR-03")
    of.days(15)
    of.clock.at -= 2 * DAY
    told = of.gets("rosa", "/retention")
    assert told["doubt"]
    assert "Nothing is eligible until that is put right" in of.reads("chief", "/retention")
    refused = of.asks("rosa").post(f"/api/v1/dispositions/{listed}/execute", json={"why": "due"})
    assert refused.status_code == 409
    assert of.explained("lovely")["decision"] == "keep"
    of.clock.at += 2 * DAY
    assert of.posts("rosa", f"/dispositions/{listed}/execute", why="due")["disposed"] == 5


# -- the guides --------------------------------------------------------------------------------------------


CHAPTERS: Sequence[tuple[str, str, int]] = (
    ("officer.md", "## Adopt a schedule", 0),
    ("officer.md", "## Say why a record is kept", 0),
    ("attorney.md", "## A lawsuit", 200),
    ("officer.md", "## Dispose of records", 0),
    ("attorney.md", "## Release", 0),
    ("officer.md", "## Give records to the archives", 0),
)
"""The chapters of the guides that show a year, in the order in which it goes, and the days that pass after each."""


def test_the_guides_show_what_the_commands_say(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    of = department
    monkeypatch.chdir(tmp_path)
    Path("schedule.yaml").write_text(SCHEDULE)
    Path("receipt.pdf").write_bytes(b"received with thanks")
    known = {"RECORD": of.record("lovely"), "ANOTHER": of.record("chief")}
    ran = 0
    for guide, chapter, then in CHAPTERS:
        writer = "counsel" if guide == "attorney.md" else "rosa"
        if chapter == "## Give records to the archives":
            known["TRANSFER"] = of.approved("EXE-07")
            of.days(15)
        for words, who, shown in commands_of(ROOT / "docs" / guide, chapter):
            if words[:2] == ["disposition", "execute"] and words[2] == "LIST":
                of.days(15)
            said = of.says(who or writer, *(known.get(word, word) for word in words))
            learn(of, known)
            for word, identity in known.items():
                said = said.replace(identity, word)
            said = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", said)
            lines = {" ".join(line.split()) for line in said.splitlines()}
            assert [line for line in shown if line not in lines] == [], (words, said)
            ran += 1
        of.days(then)
    assert ran > 20


def commands_of(guide: Path, chapter: str) -> Iterator[tuple[list[str], str | None, list[str]]]:
    """The commands of a chapter's blocks: their words, who gives them where it is somebody else, what they print."""
    head, _, text = guide.read_text().partition(f"{chapter}\n")
    assert head, f"{guide} has no chapter {chapter}"
    blocks = [
        line[4:] for line in re.split(r"^## ", text, flags=re.MULTILINE)[0].splitlines() if line[:4] == "    "
    ]
    people = {"the chief": "chief", "counsel": "counsel", "a colleague": "colleague"}
    for at, line in enumerate(blocks):
        if line.startswith("muniment "):
            command, _, comment = line.partition("  # ")
            printed = itertools.takewhile(lambda one: not one.startswith("muniment "), blocks[at + 1 :])
            yield shlex.split(command)[1:], people.get(comment), [" ".join(one.split()) for one in printed]


def learn(of: Department, known: dict[str, str]) -> None:
    """What the guides call the newest edition, matter, hold and list."""
    for word, path in (("EDITION", "schedules"), ("MATTER", "matters"), ("HOLD", "holds")):
        for one in of.gets("counsel", f"/{path}")[path]:
            known[word] = one["id"]
    for one in of.gets("counsel", "/dispositions")["dispositions"]:
        if one["kind"] == "destroy":
            known["LIST"] = one["id"]


# -- the doors ---------------------------------------------------------------------------------------------


def test_whatever_the_command_line_does_with_schedules_holds_and_disposals_the_api_and_the_pages_do_too(
    department: Department,
):
    acts = set()
    for noun in ("schedule", "retention", "matter", "hold", "disposition"):
        acts |= {f"{noun} {act}" for act in choices(choices(door.build())[noun])}
    assert len(acts) > 40
    assert acts - ROUTES.keys() - BESIDE.keys() == set()
    assert ROUTES.keys() - acts == set()
    paths = {route.path for route in iter_route_contexts(department.app.routes)}
    assert {f"/api/v1{api}" for api, _ in ROUTES.values()} - paths == set()
    assert {page for _, page in ROUTES.values()} - paths == set()


# -- the demonstration -------------------------------------------------------------------------------------


def test_the_demonstration_begins_a_lawsuit_and_a_disposal_that_a_second_person_may_approve(
    department: Department,
):
    of = department
    with of.archive.store.database.begin() as tx:
        rosa = officers.get(tx, of.ids["rosa"])
        roles = [*rosa.roles, Role.ATTORNEY]
        rosa = officers.change_roles(of.archive.store, tx, rosa, roles, by=rosa, why="a demonstration")
    of.clock.at += 1_500 * DAY
    chief, password = law.begin(of.archive, rosa)
    assert of.browser(None).sign_in(chief, password).status_code == 303
    [edition] = of.gets("auditor", "/schedules")["schedules"]
    assert (edition["standing"], edition["instrument"]) == ("in force", law.INSTRUMENT)
    [hold] = of.gets("auditor", "/holds")["holds"]
    assert hold["covers"] > 0
    [listed] = of.gets("auditor", "/dispositions")["dispositions"]
    assert (listed["state"], listed["waits_for"]) == ("proposed", ["approver"])
    assert listed["stayed"] > 0
