"""Short-message files: a family as it was shown, edits and what is gone, and every rule that the schema cannot see."""

from __future__ import annotations

import base64
import email
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import Message
from email.policy import default
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import ROOT
from app.disclosure.formats import rsmf, rsmf_rules
from app.disclosure.formats.fields import Digests
from app.disclosure.package.recipe import Numbered
from app.disclosure.released import ReleasedAuthor, Removed
from tests.rules import leaving
from tests.rules.leaving import AT, HOSTILE, RECIPE, made, numbered, released, version, withheld

SCHEMA = json.loads((ROOT / "app" / "disclosure" / "formats" / "rsmf-manifest.schema.json").read_text())
NAME = "rsmf/0001/town-0000001-20260305.rsmf"


def written(family: Sequence[Numbered], scratch: Path, **more: Any) -> dict[str, bytes]:
    """The files of a family, by name."""
    files: dict[str, BytesIO] = {}

    @contextmanager
    def into(name: str) -> Iterator[BinaryIO]:
        files[name] = BytesIO()
        yield files[name]

    rsmf.write(iter(family), RECIPE, into, files=more.get("files", {}), scratch=scratch)
    return {name: file.getvalue() for name, file in files.items()}


def decoded(part: Message) -> bytes:
    """What a part of a mail holds."""
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def manifest_of(content: bytes) -> dict[str, Any]:
    """The description, as Python's own mail and ZIP readers find it."""
    message = email.message_from_bytes(content, policy=default)
    (attached,) = message.iter_attachments()
    with ZipFile(BytesIO(decoded(attached))) as archive:
        told: dict[str, Any] = json.loads(archive.read("rsmf_manifest.json"))
        return told


def answer(number: int, **more: Any) -> Numbered:
    """A comment that answers the post, later that day."""
    given: dict[str, Any] = {
        "kind": "comment",
        "in_reply_to": UUID(int=1_001),
        "published_at": AT + timedelta(minutes=number),
        "author": ReleasedAuthor(id=f"a{number}", name=f"Visitor {number}", handle=f"@v{number}"),
    }
    return numbered(released(number, **(given | more)), first=number, parent="TOWN-0000001")


def events_of(family: Sequence[Numbered], scratch: Path) -> list[dict[str, Any]]:
    (content,) = written(family, scratch).values()
    told: list[dict[str, Any]] = manifest_of(content)["events"]
    return told


def particulars(event: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in event["custom"]}


# -- what is written -------------------------------------------------------------------------------------------


def test_a_family_is_a_mail_with_one_zip_that_others_can_read(tmp_path: Path):
    pictured = released(versions=(version(attachments=(leaving.attachment(b"the picture"),)),))
    family = [numbered(pictured), answer(2), answer(3)]
    files = {"natives/0001/town-0000001.json": Digests(9, "5a" * 32, "")}
    (content,) = written(family, tmp_path, files=files).values()
    message = email.message_from_bytes(content, policy=default)
    assert next(iter(message.keys())) == "X-RSMF-Version"
    assert {name: str(message[f"X-RSMF-{name}"]) for name in ("Version", "EventCount", "AttachmentCount", "BeginDate", "EndDate")} == {
        "Version": "2.0.0", "EventCount": "3", "AttachmentCount": "1", "BeginDate": "2026-03-05T10:30:00Z", "EndDate": "2026-03-05T10:33:00Z",
    }  # fmt: skip
    assert str(message["X-RSMF-Participants"]) == "Þórdís Ægisdóttir, Visitor 2, Visitor 3"
    assert not message.defects
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached["Content-Transfer-Encoding"]) == ("rsmf.zip", "base64")
    with ZipFile(BytesIO(decoded(attached))) as archive:
        assert archive.namelist() == ["rsmf_manifest.json", "town-0000001-1.png"]
        assert archive.read("town-0000001-1.png") == b"the picture"
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    told = manifest_of(content)
    jsonschema.validate(told, SCHEMA, format_checker=jsonschema.FormatChecker())
    post, first, second = told["events"]
    assert first["parent"] == second["parent"] == post["id"] == str(UUID(int=1_001))
    assert post["attachments"] == [{"id": "town-0000001-1.png", "display": "town-0000001-1.png", "size": 11}]
    assert particulars(post)["SHA256"] == "5a" * 32
    assert particulars(post) | {"BEGDOC": "TOWN-0000001", "LOG_INDEX": "10"} == particulars(post)
    assert post["reactions"] == [{"count": 3, "value": "likes"}]
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().index("TOWN-0000001") < body.get_content().index("TOWN-0000002 Visitor 2:")


def test_two_builds_are_the_same_bytes_and_another_production_has_another_boundary(tmp_path: Path):
    family = [numbered(released()), answer(2)]
    assert written(family, tmp_path) == written(family, tmp_path)


def test_an_edit_that_was_observed_is_an_edit_and_what_is_gone_is_marked(tmp_path: Path):
    record = released(
        versions=(
            version(1, ("It is open.",)),
            version(2, ("It is closed.",), edited_at="2026-03-05T12:00:00+02:00"),
            version(3, ("It is closed.",), state="hidden"),
            version(4, ("It is shut.",), edited_at="an hour ago", state="gone"),
        )
    )
    (event,) = events_of([numbered(record)], tmp_path)
    assert event["edits"] == [
        {
            "participant": "P1",
            "timestamp": "2026-03-05T10:00:00Z",
            "previous": "It is open.",
            "new": "It is closed.",
        },
        {
            "participant": "P1",
            "timestamp": "2026-03-05T14:30:00Z",
            "previous": "It is closed.",
            "new": "It is shut.",
        },
    ]
    assert (event["deleted"], event["body"]) == (True, "It is shut.")
    assert particulars(event)["VISIBILITY"] == "gone"
    assert particulars(event)["LAST_SEEN_BEFORE"] == "2026-03-05T13:30:00Z"


@pytest.mark.parametrize("state", ["present", "hidden", "absent", "unknown"])
def test_only_what_the_platform_itself_says_is_gone_counts_as_such(tmp_path: Path, state: str):
    (event,) = events_of([numbered(released(versions=(version(state=state),)))], tmp_path)
    assert event["deleted"] is False
    assert particulars(event)["VISIBILITY"] == state


def test_a_withheld_record_is_a_notice_and_nothing_of_whoever_wrote_it(tmp_path: Path):
    _, notice = events_of([numbered(released()), numbered(withheld(2), first=2)], tmp_path)
    assert {"type", "body", "parent"} <= set(notice)
    assert (notice["type"], notice["body"]) == ("disclaimer", "Withheld in full: 6C")
    assert not {"participant", "timestamp", "edits", "attachments"} & set(notice)
    assert particulars(notice)["WITHHELD"] == "Y"


def test_whoever_was_taken_out_is_somebody_else_in_each_record(tmp_path: Path):
    hidden = ReleasedAuthor(id=Removed("6C"), name=Removed("6C"), handle=Removed("6C"))
    named = ReleasedAuthor(id=Removed("6C"), name="Jane", handle=Removed("6C"))
    family = [
        numbered(released()),
        *(answer(number, author=hidden, redactions=(made(where="author"),)) for number in (2, 3)),
        *(answer(number, author=named, redactions=(made(where="handle"),)) for number in (4, 5)),
        answer(6, author=ReleasedAuthor(name="Jane")),
        answer(7, author=ReleasedAuthor(name="Jane")),
    ]
    (content,) = written(family, tmp_path).values()
    told = manifest_of(content)
    assert [event["participant"] for event in told["events"]] == ["P1", "P2", "P3", "P4", "P5", "P6", "P6"]
    assert [one["display"] for one in told["participants"]][1:5] == [
        "[REDACTED 6C]",
        "[REDACTED 6C]",
        "Jane",
        "Jane",
    ]
    assert not any("account_id" in one for one in told["participants"][1:])


def test_each_day_has_its_file_and_points_at_nothing_outside_it(tmp_path: Path):
    later = answer(2, published_at=AT + timedelta(days=1))
    later = replace(later, names=replace(later.names, rsmf="rsmf/0001/town-0000001-20260306.rsmf"))
    unnamed = answer(3)
    unnamed = replace(unnamed, names=replace(unnamed.names, rsmf=None))
    files = written([numbered(released()), later, answer(4), unnamed], tmp_path)
    assert list(files) == [NAME, "rsmf/0001/town-0000001-20260306.rsmf"]
    first, second = (manifest_of(content)["events"] for content in files.values())
    assert [particulars(event)["BEGDOC"] for event in first] == ["TOWN-0000001", "TOWN-0000004"]
    (event,) = second
    assert "parent" not in event
    assert particulars(event)["IN_REPLY_TO"] == str(UUID(int=1_001))
    assert particulars(event)["REPLYTODOC"] == "TOWN-0000001"
    heads = []
    for content in files.values():
        read = rsmf_rules.check(BytesIO(content), scratch=tmp_path)
        assert not read.problems
        heads.append(read.head)
    assert {str(head["X-RSMF-EventCollectionID"]) for head in heads} == {"PD-2026-0001-P01.TOWN-0000001"}
    assert len({str(head["Message-ID"]) for head in heads}) == 2


def test_a_record_without_a_date_has_no_time_rather_than_another(tmp_path: Path):
    (event,) = events_of([numbered(released(published_at=None))], tmp_path)
    assert "timestamp" not in event


def test_a_thousand_participants_are_all_in_the_description_and_some_in_the_head(tmp_path: Path):
    (content,) = written(
        [numbered(released()), *(answer(number) for number in range(2, 1_002))], tmp_path
    ).values()
    read = rsmf_rules.check(BytesIO(content), scratch=tmp_path)
    assert not read.problems
    assert read.manifest is not None
    assert len(read.manifest.participants) == 1_001
    assert str(read.head["X-RSMF-Participants"]).endswith(", and 801 more")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            HOSTILE, HOSTILE, st.lists(st.one_of(HOSTILE, st.just(Removed("6C"))), max_size=4), HOSTILE
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_strangers_wrote_the_file_keeps_every_rule(
    tmp_path: Path, said: list[tuple[str, str, list[str | Removed], str]]
):
    page = replace(leaving.PAGE, name=said[0][3], custodian=said[-1][3])
    family = [
        answer(
            number,
            page=page,
            author=ReleasedAuthor(id=name or None, name=name, handle=handle),
            versions=(version(1, words), version(2, (other,), edited_at=other)),
            url=other,
            counts={name: 3},
        )
        for number, (name, handle, words, other) in enumerate(said, start=2)
    ]  # fmt: skip
    (content,) = written(family, tmp_path).values()
    read = rsmf_rules.check(BytesIO(content), scratch=tmp_path)
    assert not read.problems
    told = manifest_of(content)
    jsonschema.validate(told, SCHEMA, format_checker=jsonschema.FormatChecker())
    message = email.message_from_bytes(content, policy=default)
    assert not message.defects
    body = message.get_body(("plain",))
    assert body is not None
    assert decoded(body).decode() == read.text
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert content.isascii()


# -- what is refused -------------------------------------------------------------------------------------------


def good(scratch: Path) -> bytes:
    pictured = released(
        versions=(version(attachments=(leaving.attachment(b"the picture"),)), version(2, ("Changed.",)))
    )
    (content,) = written([numbered(pictured), answer(2), numbered(withheld(3), first=3)], scratch).values()
    return content


def remade(content: bytes, *, manifest=None, members=None, mail=None) -> bytes:
    """The same file with its description, its ZIP or its mail changed."""

    def changed(inside: bytes) -> bytes:
        if manifest is None:
            return inside
        told = json.loads(inside)
        manifest(told)
        return json.dumps(told).encode()

    message = email.message_from_bytes(content, policy=default)
    (attached,) = message.iter_attachments()
    packed = decoded(attached)
    out = io.BytesIO()
    with ZipFile(BytesIO(packed)) as was, ZipFile(out, "w", ZIP_STORED) as now:
        every = [(one.filename, was.read(one)) for one in was.infolist()]
        for name, inside in members(every) if members else every:
            now.writestr(ZipInfo(name), changed(inside) if name == "rsmf_manifest.json" else inside)
    new = base64.encodebytes(out.getvalue()).replace(b"\n", b"\r\n")
    head, _, rest = content.rpartition(b'filename="rsmf.zip"\r\n\r\n')
    end = rest[rest.index(b"--=_") :]
    told = head + b'filename="rsmf.zip"\r\n\r\n' + new + end
    return mail(told) if mail else told


def found(content: bytes, scratch: Path) -> list[str]:
    return [problem.code for problem in rsmf_rules.check(BytesIO(content), scratch=scratch).problems]


def event(number: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(told: dict[str, Any]) -> None:
        told["events"][number].update(changes)

    return change


def twice(what: str) -> Callable[[dict[str, Any]], None]:
    def change(told: dict[str, Any]) -> None:
        told[what].append(dict(told[what][0]))

    return change


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (event(1, participant="P9"), "rsmf-dangling"),
        (event(1, parent="nobody"), "rsmf-dangling"),
        (event(1, conversation="C9"), "rsmf-dangling"),
        (event(1, attachments=[{"id": "nothing.png"}]), "rsmf-dangling"),
        (event(1, reactions=[{"value": "like", "participants": ["P9"]}]), "rsmf-dangling"),
        (event(1, edits=[{"participant": "P9"}]), "rsmf-dangling"),
        (event(1, read_receipts=[{"participant": "P9"}]), "rsmf-dangling"),
        (lambda told: told["conversations"][0]["participants"].append("P9"), "rsmf-dangling"),
        (lambda told: told["conversations"][0].update(icon="icon.png"), "rsmf-dangling"),
        (lambda told: told["conversations"][0].update(custodian="Clerk"), "rsmf-dangling"),
        (lambda told: told["participants"][0].update(avatar="me.png"), "rsmf-dangling"),
        (event(1, timestamp="yesterday"), "rsmf-moment"),
        (event(1, timestamp="2026-13-05T10:00:00Z"), "rsmf-moment"),
        (event(1, timestamp="2026-03-05T10:00:00"), "rsmf-moment"),
        (event(1, edits=[{"participant": "P1", "timestamp": "now"}]), "rsmf-moment"),
        (event(1, parent=str(UUID(int=1_002))), "rsmf-parent"),
        (event(0, parent=str(UUID(int=1_002))), "rsmf-parent"),
        (twice("participants"), "rsmf-twice"),
        (twice("conversations"), "rsmf-twice"),
        (lambda told: told["participants"][0].pop("id"), "rsmf-shape"),
        (lambda told: told["participants"][0].update(id=1), "rsmf-shape"),
        (lambda told: told.pop("conversations"), "rsmf-shape"),
        (event(1, type="shout"), "rsmf-shape"),
        (event(1, custom=[{"name": "X", "value": ""}]), "rsmf-shape"),
        (lambda told: told.update(version="3.0.0"), "rsmf-version"),
        (lambda told: told["events"][0]["attachments"][0].update(size=10), "rsmf-file"),
        (lambda told: told["events"][0].pop("attachments"), "rsmf-file"),
        (lambda told: told["events"].pop(), "rsmf-head"),
        (event(0, timestamp="2026-03-04T10:00:00Z"), "rsmf-head"),
    ],
)  # fmt: skip
def test_a_description_that_breaks_a_rule_is_found_by_its_code(tmp_path: Path, manifest, code: str):
    content = good(tmp_path)
    assert found(remade(content), tmp_path) == []
    assert code in found(remade(content, manifest=manifest), tmp_path)


def test_two_events_of_one_id_are_found(tmp_path: Path):
    def same(told: dict[str, Any]) -> None:
        told["events"][2]["id"] = told["events"][1]["id"]

    assert found(remade(good(tmp_path), manifest=same), tmp_path) == ["rsmf-twice"]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (lambda every: [*every, ("avatar.png", b"x")], "rsmf-file"),
        (lambda every: [*every, ("folder/avatar.png", b"x")], "rsmf-zip"),
        (lambda every: every[1:], "rsmf-zip"),
        (lambda every: [(name.replace("rsmf_manifest", "manifest"), content) for name, content in every], "rsmf-zip"),
        (lambda every: every[:1], "rsmf-dangling"),
        (lambda every: [(every[0][0], b"{"), every[1]], "rsmf-shape"),
        (lambda every: [(every[0][0], b"\xff"), every[1]], "rsmf-shape"),
        (lambda every: [every[0], (every[1][0], b"another")], "rsmf-file"),
    ],
)  # fmt: skip
def test_a_zip_that_holds_too_much_or_too_little_is_found(tmp_path: Path, members, code: str):
    assert code in found(remade(good(tmp_path), members=members), tmp_path)


SECOND = (
    b'Content-Type: image/png; name="avatar.png"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: attachment; filename="avatar.png"\r\n\r\neA==\r\n'
)


def with_second(content: bytes) -> bytes:
    head, _, end = content.rpartition(b"--=_")
    return head + b"--=_" + end.partition(b"--\r\n")[0] + b"\r\n" + SECOND + b"--=_" + end


def late(content: bytes) -> bytes:
    line, _, rest = content.partition(b"\r\n")
    head, _, body = rest.partition(b"\r\n\r\n")
    return head + b"\r\n" + line + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        (with_second, "rsmf-attachment"),
        (late, "rsmf-version"),
        (lambda told: told.partition(b"\r\n")[2], "rsmf-version"),
        (lambda told: told.replace(b"2.0.0", b"9.0.0", 1), "rsmf-version"),
        (lambda told: told.replace(b'filename="rsmf.zip"', b'filename="other.zip"'), "rsmf-attachment"),
        (lambda told: told.replace(b"attachment; filename", b"inline; filename"), "rsmf-attachment"),
        (lambda told: told.replace(b"base64\r\nContent-Disposition", b"8bit\r\nContent-Disposition"), "rsmf-attachment"),
        (lambda told: told.replace(b'filename="rsmf.zip"\r\n\r\n', b'filename="rsmf.zip"\r\n\r\n*'), "rsmf-attachment"),
        (lambda told: told.replace(b'filename="rsmf.zip"\r\n\r\nUE', b'filename="rsmf.zip"\r\n\r\nUF'), "rsmf-zip"),
        (lambda told: told.replace(b"multipart/mixed", b"text/plain"), "rsmf-not-mail"),
        (lambda told: told[: told.rindex(b"--=_")], "rsmf-not-mail"),
        (lambda told: told + b"more\r\n", "rsmf-not-mail"),
        (lambda told: told.replace(b"X-RSMF-EventCount: 3", b"X-RSMF-EventCount: 4"), "rsmf-head"),
        (lambda told: told.replace(b"X-RSMF-EventCount: 3", b"X-RSMF-EventCount: 3\r\nX-RSMF-EventCount: 3"), "rsmf-head"),
        (lambda told: told.replace(b"X-RSMF-BeginDate: 2026", b"X-RSMF-BeginDate: 2025"), "rsmf-head"),
        (lambda told: told.replace(b"X-RSMF-BeginDate: 2026-03-05T", b"X-RSMF-BeginDate: 5 March "), "rsmf-moment"),
        (lambda _: b"", "rsmf-not-mail"),
    ],
)  # fmt: skip
def test_a_mail_that_is_not_as_the_format_has_it_is_found(tmp_path: Path, mail, code: str):
    content = good(tmp_path)
    changed = mail(content)
    assert changed != content
    assert found(content, tmp_path) == []
    assert code in found(changed, tmp_path)


def test_every_code_of_the_rules_has_an_example_here():
    here = Path(__file__).read_text()
    assert all(f'"{code}"' in here for code in rsmf_rules.CODES)


def test_a_flipped_byte_of_an_attachment_is_found(tmp_path: Path):
    content = good(tmp_path)
    message = email.message_from_bytes(content, policy=default)
    (attached,) = message.iter_attachments()
    packed = decoded(attached)
    spoiled = packed.replace(b"the picture", b"the pictura", 1)
    assert spoiled != packed
    new = base64.encodebytes(spoiled).replace(b"\n", b"\r\n")
    assert found(content.replace(base64.encodebytes(packed).replace(b"\n", b"\r\n"), new), tmp_path) == [
        "rsmf-file"
    ]


def test_attachments_are_handed_to_whoever_looks_at_them(tmp_path: Path):
    seen: dict[str, bytes] = {}
    rsmf_rules.check(
        BytesIO(good(tmp_path)), scratch=tmp_path, look=lambda name, file: seen.update({name: file.read()})
    )
    assert seen == {"town-0000001-1.png": b"the picture"}


@pytest.mark.parametrize(
    "spoil",
    [
        event(1, timestamp="yesterday"),
        event(1, surprise=1),
        event(1, custom=[{"name": "X", "value": ""}]),
        event(2, participant="P1"),
        lambda told: told["events"][0].pop("id"),
        lambda told: told["participants"][0].pop("display"),
        lambda told: told.update(version="1.0.0"),
    ],
)
def test_our_schema_is_stricter_than_the_format(tmp_path: Path, spoil: Callable[[dict[str, Any]], object]):
    told = manifest_of(good(tmp_path))
    jsonschema.validate(told, SCHEMA, format_checker=jsonschema.FormatChecker())
    spoil(told)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, SCHEMA, format_checker=jsonschema.FormatChecker())
