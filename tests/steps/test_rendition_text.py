"""The text and the native form of a record: everything that is released, in an order of its own, and nothing else."""

from __future__ import annotations

import json

import pytest
import rfc8785

from app.disclosure.released import Leaves, ReleasedAuthor, Removed
from app.disclosure.rendition.native import NativeOfRedacted, native
from app.disclosure.rendition.plain import text
from tests.steps.rendering import (
    GONE,
    GROUND,
    HOSTILE,
    a_record,
    a_slip,
    attached,
    identity,
    numbered,
    version,
)

ZONE = "America/Denver"


def said(item, **facts) -> str:
    return text(numbered(item, **facts), ZONE).decode()


# ---- text ----------------------------------------------------------------------------------------


def test_a_text_begins_with_its_numbers_and_tells_whose_it_is_before_the_words():
    lines = said(a_record(1, version(text="Closed.")), pages=2).splitlines()
    assert lines[0] == "TOWN-0000001 to TOWN-0000002"
    assert lines[1] == "Post on Harrow Falls Police, 2026-03-02"
    assert "Author as named: Jane Doe @jane" in lines
    assert "Published: 2026-03-02 12:00:00 MST (2026-03-02T19:00:00Z)" in lines
    assert lines[-1] == "Closed."


def test_every_version_stands_in_it_with_its_interval():
    told = said(
        a_record(
            1,
            version(1, "First words"),
            version(2, "Second words", edited_at="2026-03-02T20:30:00Z"),
            version(3, "Second words", state="hidden"),
        )
    )
    assert "VERSION 1: shown, first seen 2026-03-02 13:00:00 MST" in told
    assert "VERSION 2: edited between 2026-03-02 13:00:00 MST" in told
    assert "VERSION 3: hidden between 2026-03-02 14:00:00 MST" in told
    assert "The platform says that it was edited 2026-03-02T20:30:00Z." in told
    assert told.index("First words") < told.index("Second words")


def test_words_stand_as_they_were_written_but_for_what_is_no_text():
    told = said(a_record(1, version(text=HOSTILE)))
    assert HOSTILE.replace("\x00", "⟨U+0000⟩").replace("\ud800", "⟨U+D800⟩") in told
    assert "\u202e" in told


def test_no_name_can_add_a_line_before_the_words():
    faked = ReleasedAuthor(name="Jane\nPublished: never\u2028Record: none")
    lines = said(a_record(1, author=faked)).splitlines()
    assert [line for line in lines if line.startswith("Published:")] == [
        "Published: 2026-03-02 12:00:00 MST (2026-03-02T19:00:00Z)"
    ]


def test_what_was_taken_out_is_marked_with_its_code_and_its_ground_told():
    told = said(a_record(1, version(text=("I live at ", GONE, ".")), redactions=(GROUND,)))
    assert "I live at [REDACTED b(6)]." in told
    assert "b(6): 5 U.S.C. 552(b)(6); A home address" in told
    assert "characters" not in told, "where it stood would tell how long it was"


def test_a_name_that_was_taken_out_is_marked_once():
    told = said(
        a_record(1, author=ReleasedAuthor(id=GONE, name=GONE, handle=GONE), url=GONE, redactions=(GROUND,))
    )
    assert "Author as named: [REDACTED b(6)]\n" in told
    assert "Address: [REDACTED b(6)]" in told


def test_attachments_are_listed_with_how_they_leave():
    kept, withheld, missing = (
        attached(b"1234", "video/mp4", 1, description=("The bridge",)),
        attached(
            None,
            "application/pdf",
            2,
            leaves=Leaves.WITHHELD,
            removed=Removed("b(7)"),
            explanation="Names of children",
        ),
        attached(None, "image/png", 3),
    )
    told = said(a_record(1, version(attachments=(kept, withheld, missing))))
    assert "attachment 1: video/mp4, 4 bytes, as it was captured: The bridge" in told
    assert "an attachment: application/pdf, withheld (b(7))\nNames of children" in told
    assert "an attachment: image/png, not held: the archive never got its bytes" in told


def test_a_slip_says_that_and_why_it_is_withheld_and_nothing_of_the_record():
    told = said(a_slip())
    assert "WITHHELD IN FULL: b(6)" in told
    assert "Written by: a visitor" in told
    assert "ledger entries 7, 8" in told


def test_what_a_comment_answers_is_told_by_number_where_that_is_known():
    assert "Answers: TOWN-0000001; record" in said(a_record(2, answers=1), parent="TOWN-0000001")
    assert "Answers: record" in said(a_record(2, answers=1))
    assert "Answers:" not in said(a_record(2))


# ---- native --------------------------------------------------------------------------------------


def test_the_native_form_is_canonical_json_in_the_shape_of_a_record():
    record = a_record(
        2, version(1, "Grüße"), version(2, "More", attachments=(attached(b"12", "image/png"),)), answers=1
    )
    content = native(record)
    told = json.loads(content)
    assert content == rfc8785.dumps(told)
    assert told["id"] == str(identity(2))
    assert told["page"]["name"] == "Harrow Falls Police"
    assert told["author"] == {"id": "77", "name": "Jane Doe", "handle": "@jane"}
    assert told["in_reply_to"] == told["root"] == str(identity(1))
    assert (told["version"], told["versions"]) == (2, 2)
    assert [one["text"] for one in told["history"]] == ["Grüße", "More"]
    assert told["interval"] == {
        "last_seen_before": "2026-03-02T20:00:00Z",
        "first_seen_after": "2026-03-02T21:00:00Z",
    }
    assert told["attachments"][0] | {"id": ""} == {
        "id": "", "media_type": "image/png", "bytes": 2, "state": "kept", "description": "",
    }  # fmt: skip


def test_the_native_form_does_not_say_what_holds_the_record():
    assert "held" not in json.loads(native(a_record()))


def test_the_native_form_keeps_hostile_words_as_they_are():
    content = native(a_record(1, version(text=HOSTILE), extra={"Ключ": {"b": 1.5, "a": [2**60, None, True]}}))
    told = json.loads(content)
    assert told["text"] == HOSTILE
    assert told["extra"] == {"Ключ": {"a": [str(2**60), None, True], "b": "1.5"}}
    assert b"\\ud800" in content


@pytest.mark.parametrize(
    "record",
    [
        a_record(1, redactions=(GROUND,)),
        a_record(1, version(attachments=(attached(None, leaves=Leaves.WITHHELD, removed=GONE),))),
        a_record(1, author=ReleasedAuthor(name=GONE)),
    ],
)
def test_what_does_not_leave_whole_has_no_native_form(record):
    with pytest.raises(NativeOfRedacted):
        native(record)
    assert native(a_record())
