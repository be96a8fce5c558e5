"""Short-message files: each event a record with its own bytes, whoever made the file, and whatever of it does not hold together said."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from app.capture.formats import known, mapping
from app.capture.formats.preview import preview
from app.capture.formats.source import Mark
from app.capture.lines import BadFile
from app.store import Store
from tests.steps.receiving import Desk, left, unpacked, zipped

Json = dict[str, Any]
FIELDS: dict[str, object] = {
    "platform": {"column": "Platform"},
    "page": {"value": "Harrow Falls"},
    "native_id": "Item",
    "kind": {"column": "Conversation type", "values": {"channel": "post", "direct": "message"}},
}
PEOPLE = [
    {"id": "P1", "display": "Harrow Falls", "account_id": "falls", "avatar": "falls.png"},
    {
        "id": "P2",
        "display": "Kim",
        "email": "kim@home.example",
        "custom": [{"name": "Phone", "value": "555"}],
    },
]
PLACES = [
    {"id": "C1", "platform": "facebook", "type": "channel", "display": "Page", "participants": ["P1", "P2"]},
    {"id": "C2", "platform": "facebook", "type": "direct", "participants": ["P1", "P2"], "custodian": "P1"},
]


def event(identity: str, body: str, **more: object) -> Json:
    return {
        "type": "message",
        "id": identity,
        "conversation": "C1",
        "participant": "P1",
        "timestamp": "2026-03-04T10:00:00Z",
        "body": body,
        **more,
    }


EVENTS = [
    event("m1", "Bridge closed ☂", attachments=[{"id": "bridge.png", "display": "Bridge.png", "size": 6}]),
    event(
        "m2",
        "When does it open?",
        participant="P2",
        parent="m1",
        timestamp="2026-03-04T10:05:00-09:00",
        reactions=[{"value": "like", "count": 2, "participants": ["P1"]}, {"value": "sad"}],
        edits=[
            {
                "participant": "P2",
                "timestamp": "2026-03-04T19:10:00Z",
                "previous": "When?",
                "new": "When does it open?",
            }
        ],
    ),
    event("m3", "removed words", deleted=True, custom=[{"name": "ITEM", "value": "9"}]),
    event("m1", "private words", conversation="C2", direction="outgoing", importance="high"),
    {"type": "join", "conversation": "C1", "participant": "P2", "timestamp": "2026-03-04T09:00:00Z"},
]


def described(events: Sequence[object] = EVENTS, **more: object) -> Json:
    return {
        "version": "2.0.0",
        "participants": PEOPLE,
        "conversations": PLACES,
        "events": list(events),
        **more,
    }


def rsmf(
    manifest: object = None,
    files: Mapping[str, bytes] | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    packed: bytes | None = None,
    name: str = "rsmf.zip",
    beside: Mapping[str, bytes] | None = None,
) -> bytes:
    """A short-message file as a review program writes it."""
    made = EmailMessage()
    for key, value in (
        {"X-RSMF-Version": "2.0.0", "X-RSMF-Generator": "Archive 9"} | dict(fields or {})
    ).items():
        made[key] = value
    made["From"] = "archive@x.example"
    made.set_content("All words in one piece: Bridge closed")
    if packed is None:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as into:
            if manifest is not False:
                told = (
                    manifest
                    if isinstance(manifest, bytes)
                    else json.dumps(manifest or described(), indent=1).encode()
                )
                into.writestr("rsmf_manifest.json", told)
            for key, content in (
                files if files is not None else {"bridge.png": b"bridge", "falls.png": b"face"}
            ).items():
                into.writestr(key, content)
        packed = held.getvalue()
    made.add_attachment(packed, maintype="application", subtype="zip", filename=name)
    for key, content in (beside or {}).items():
        made.add_attachment(content, maintype="image", subtype="png", filename=key)
    return bytes(made)


def mapped(**fields: object) -> mapping.MappingFile:
    return mapping.parse(json.dumps({"mapping": 1, "fields": FIELDS | fields}).encode())


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", lambda files: known.opened("rsmf", files, mapped()))


def by_text(desk: Desk) -> dict[str, Any]:
    return {str(one.version.fields.get("text", "")): desk.told(name) for name, one in desk.records().items()}


# -- what an event says ------------------------------------------------------------------------------------


def test_every_event_is_a_record_on_the_page_that_the_mapping_names(desk: Desk):
    file = desk.folder / "chat.rsmf"
    file.write_bytes(rsmf())
    report = desk.receive(file)
    assert (report.status, report.tally.new, report.unreadable, report.gaps) == ("complete", 5, [], [])
    told = by_text(desk)
    post = told["Bridge closed ☂"]
    assert (post["kind"], post["published_at"], post["author"]["name"], post["author"]["handle"]) == (
        "post",
        "2026-03-04T10:00:00Z",
        "Harrow Falls",
        "falls",
    )
    assert [(one["state"], one["bytes"]) for one in post["attachments"]] == [("kept", 6)]
    assert told["private words"]["kind"] == "message"
    assert told["private words"]["extra"]["importance"] == "high"
    assert desk.sound()


def test_answers_edits_reactions_and_deletions_are_kept_as_what_they_are(desk: Desk):
    desk.receive(zipped(desk.folder / "chats.zip", {"1/chat.rsmf": rsmf()}))
    told = by_text(desk)
    answer = told["When does it open?"]
    assert answer["in_reply_to"] == told["Bridge closed ☂"]["id"]
    assert answer["edited_at"] == "2026-03-04T19:10:00+00:00"
    assert answer["extra"]["edits"][0]["previous"] == "When?"
    assert answer["extra"]["edits"][0]["participant"] == "Kim"
    assert answer["counts"] == {"like": 2, "sad": 0}
    assert answer["extra"]["reactions"][0]["participants"] == ["Harrow Falls"]
    assert answer["published_at"] == "2026-03-04T19:05:00Z"
    assert told["removed words"]["state"] == "gone"
    assert told["removed words"]["extra"]["custom"] == [{"name": "ITEM", "value": "9"}]
    assert told[""]["extra"]["event"] == "join"


def test_each_event_has_its_own_bytes_of_the_description_and_the_words_in_the_mail_are_not_kept_twice(
    desk: Desk,
):
    content = json.dumps(described(), indent=1).encode()
    desk.receive(zipped(desk.folder / "chats.zip", {"chat.rsmf": rsmf(content)}))
    assert desk.kept() == {"chat.rsmf/rsmf_manifest.json": content}
    payloads = desk.records()[by_text(desk)["Bridge closed ☂"]["native_id"]].version.fields["payloads"]
    assert isinstance(payloads, list)
    assert payloads
    assert all(one["bytes"] < len(content) for one in payloads)


def test_without_a_mapping_an_event_is_a_private_message_and_a_page_has_to_be_named(tmp_path: Path):
    file = tmp_path / "chat.rsmf"
    file.write_bytes(rsmf())
    source = known.opened("rsmf", [file])
    with pytest.raises(BadFile, match="whose page"):
        source.page()
    found = [line.observation for one in source.stretches(Mark()) for line in source.read(one)]
    assert {(str(one.kind), one.private) for one in found} == {("message", True)}
    assert any("private message" in one for one in source.remarks())
    source.close()


def test_times_that_name_no_zone_are_read_in_the_one_that_a_mapping_names(store: Store, tmp_path: Path):
    how = mapped(published_at={"column": "Timestamp", "format": "iso", "zone": "UTC"})
    other = Desk(store, tmp_path / "other", lambda files: known.opened("rsmf", files, how))
    events = [event("m1", "words", timestamp="2018-09-11T09:45:00")]
    report = other.receive(zipped(other.folder / "c.zip", {"c.rsmf": rsmf(described(events), {})}))
    assert by_text(other)["words"]["published_at"] == "2018-09-11T09:45:00Z"
    assert not any("name no zone" in one for one in report.remarks)


def test_a_custom_property_can_be_mapped(desk: Desk, store: Store, tmp_path: Path):
    other = Desk(
        store, tmp_path / "other", lambda files: known.opened("rsmf", files, mapped(url={"column": "Link"}))
    )
    events = [event("m1", "words", custom=[{"name": "Link", "value": "https://x.example/1"}])]
    other.receive(zipped(other.folder / "c.zip", {"c.rsmf": rsmf(described(events))}))
    assert by_text(other)["words"]["url"] == "https://x.example/1"


# -- ids ---------------------------------------------------------------------------------------------------


def test_the_same_event_in_another_file_of_one_collection_is_one_record(desk: Desk):
    one = rsmf(described(eventcollectionid="K1"))
    two = rsmf(
        described([event("m1", "Bridge closed ☂"), event("m9", "Open")]),
        fields={"X-RSMF-EventCollectionID": "K1"},
    )
    desk.receive(zipped(desk.folder / "one.zip", {"day1.rsmf": one}))
    report = desk.receive(zipped(desk.folder / "two.zip", {"day2.rsmf": two}))
    assert report.tally.new == 1


def test_ids_that_are_used_again_in_another_conversation_or_at_another_time_stay_apart(desk: Desk):
    other = [{**PLACES[0], "display": "Other page"}, PLACES[1]]
    report = desk.receive(
        zipped(
            desk.folder / "two.zip",
            {
                "a.rsmf": rsmf(
                    described([event("m1", "a"), event("m1", "b", timestamp="2026-03-05T10:00:00Z")])
                ),
                "b.rsmf": rsmf(described([event("m1", "c")], conversations=other)),
            },
        )
    )
    assert report.tally.new == 3


def test_events_without_ids_that_say_the_same_at_one_time_are_as_many_records(desk: Desk):
    joins = [EVENTS[4], EVENTS[4], {**EVENTS[4], "participant": "P1"}]
    file = zipped(desk.folder / "c.zip", {"c.rsmf": rsmf(described(joins))})
    assert desk.receive(file).tally.new == 3
    assert desk.receive(file).tally.new == 0


# -- what does not hold together ---------------------------------------------------------------------------


def test_what_names_nothing_that_is_there_is_received_and_said(desk: Desk):
    events = [
        event("m1", "a", participant="P9"),
        event("m2", "b", parent="m8"),
        event("m3", "c", timestamp="2026-03-04T10:00:00"),
        event("m4", "d", timestamp="soon"),
        event("m5", "e", attachments=[{"id": "gone.png"}]),
    ]
    report = desk.receive(
        zipped(
            desk.folder / "c.zip", {"c.rsmf": rsmf(described(events), {}, fields={"X-RSMF-EventCount": "7"})}
        )
    )
    assert report.tally.new == 5
    assert [gap.what for gap in report.gaps] == ["an attachment"]
    told = "\n".join(report.remarks)
    for part in (
        "says that it has 7 events, and has 5",
        "a participant whom",
        "answer an event",
        "name no zone",
        "cannot be read",
    ):
        assert part in told
    assert by_text(desk)["c"]["extra"]["written_at"] == "2026-03-04T10:00:00"


def test_an_event_that_is_none_is_reported_and_the_others_are_received(desk: Desk):
    events = [event("m1", "a"), "words", {"type": "shout"}, event("m2", "b")]
    report = desk.receive(zipped(desk.folder / "c.zip", {"c.rsmf": rsmf(described(events), {})}))
    assert (report.tally.new, report.unreadable_total) == (2, 2)


def test_every_file_that_no_event_names_is_listed(desk: Desk):
    content = rsmf(
        files={"bridge.png": b"b", "falls.png": b"f", "odd.bin": b"o"}, beside={"avatar.png": b"a"}
    )
    report = desk.receive(zipped(desk.folder / "c.zip", {"c.rsmf": content, "readme.txt": b"r"}))
    assert left(report) == {
        "c.rsmf/odd.bin": "a kind of file that is not read",
        "c.rsmf/falls.png": "the picture of a person or platform, which is no event's",
        "c.rsmf: avatar.png": "beside rsmf.zip, where the format has nothing",
        "readme.txt": "a kind of file that is not read",
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "does not say that it is a short-message file"),
        (b"From: a@b\r\n\r\nwords", "does not say that it is a short-message file"),
        (rsmf(name="other.zip"), "brings no rsmf.zip"),
        (rsmf(packed=b"PK\x03\x04 no zip"), "cannot be read"),
        (rsmf(False), "holds no rsmf_manifest.json"),
        (rsmf()[:1_000], "cut or damaged|cannot be read"),
    ],
)
def test_a_file_that_is_none_is_reported_with_its_bytes_beside_one_that_is(
    desk: Desk, content: bytes, why: str
):
    report = desk.receive(zipped(desk.folder / "c.zip", {"good.rsmf": rsmf(), "bad.rsmf": content}))
    assert (report.tally.new, report.unreadable_total) == (5, 1)
    assert re.search(why, report.unreadable[0][1])
    assert desk.kept().get("bad.rsmf", b"") == content


@pytest.mark.parametrize(
    "manifest",
    [
        b"{",
        b"[]",
        b'{"events": {}}',
        b"[" * 5_000 + b"]" * 5_000,
        b'{"events": [], "events": 5}',
        b"\xff\xfe",
    ],
)
def test_a_description_that_is_none_is_reported_and_kept(desk: Desk, manifest: bytes):
    report = desk.receive(zipped(desk.folder / "c.zip", {"good.rsmf": rsmf(), "bad.rsmf": rsmf(manifest)}))
    assert (report.tally.new, report.unreadable_total) == (5, 1)
    assert desk.kept()["bad.rsmf/rsmf_manifest.json"] == manifest


def test_nothing_that_is_one_is_refused_at_once(tmp_path: Path):
    with pytest.raises(BadFile, match="no short-message file"):
        known.opened("rsmf", [zipped(tmp_path / "c.zip", {"a.txt": b"a"})])


# -- hostile -----------------------------------------------------------------------------------------------


def test_a_path_that_leads_out_of_the_file_and_a_bomb_are_left_and_said(desk: Desk):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as into:
        events = [event("m1", "a", attachments=[{"id": "../../etc/passwd"}, {"id": "large.bin"}])]
        into.writestr("rsmf_manifest.json", json.dumps(described(events)))
        into.writestr("../../etc/passwd", b"root")
        into.writestr("large.bin", b"\0" * (70 << 20))
    report = desk.receive(zipped(desk.folder / "c.zip", {"c.rsmf": rsmf(packed=held.getvalue())}))
    assert report.tally.new == 1
    assert len(report.gaps) == 2
    assert left(report)["c.rsmf/../../etc/passwd"] == "its path leads out of the download"
    assert left(report)["c.rsmf/large.bin"].startswith("it would unfold into 70 MiB")


def test_a_file_that_claims_the_place_of_what_another_holds_is_not_read_for_it(desk: Desk):
    forged = json.dumps(described([event("m1", "forged")])).encode()
    report = desk.receive(
        zipped(desk.folder / "c.zip", {"c.rsmf": rsmf(), "c.rsmf/rsmf_manifest.json": forged})
    )
    assert left(report)["c.rsmf/rsmf_manifest.json"].startswith("a short-message file holds")
    assert "forged" not in by_text(desk)
    assert report.tally.new == 5


def test_names_given_twice_and_values_of_other_types_stop_nothing(desk: Desk):
    odd = described(
        [
            event(
                "m1",
                "a",
                reactions=[5, {"value": 7}],
                edits="x",
                attachments=[{}, 5],
                custom={},
                parent=5,
                read_receipts=[1],
            )
        ],
        participants=[{"id": 5}, "x", {"id": "P1"}, {"id": "P1", "display": "later"}],
        conversations="none",
    )
    report = desk.receive(zipped(desk.folder / "c.zip", {"c.rsmf": rsmf(odd)}))
    assert report.tally.new + report.unreadable_total == 1


def test_an_import_goes_on_in_the_middle(tmp_path: Path):
    folder = unpacked(tmp_path / "f", {"a.rsmf": rsmf(), "b.rsmf": rsmf()})
    source = known.opened("rsmf", [folder])
    every = [(one.file, one.content) for one in source.stretches(Mark())]
    assert [(one.file, one.content) for one in source.stretches(Mark(7))] == every[7:]
    source.close()


def test_the_preview_counts_what_an_import_would_bring_and_changes_nothing(tmp_path: Path):
    file = tmp_path / "chat.rsmf"
    file.write_bytes(rsmf(files={}))
    source = known.opened("rsmf", [file])
    told = preview(source, page=("facebook", "Falls"), registry=[])
    assert (told.readable, told.attachments, told.attachments_missing.times, dict(told.kinds)) == (
        5,
        1,
        1,
        {"message": 5},
    )
    source.close()
