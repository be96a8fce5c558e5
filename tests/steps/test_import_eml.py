"""Items that an archive hands out as e-mails: one record each, its files with it, and every field kept as it stood."""

from __future__ import annotations

import base64
import contextlib
import json
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.capture.formats import known, mails, mapping, mime
from app.capture.formats.mapping import BadMapping
from app.capture.formats.source import Mark, Unreadable
from app.capture.lines import BadFile
from app.store import Store
from tests.steps.receiving import Desk, left, unpacked, zipped

FIELDS: dict[str, object] = {
    "platform": {"value": "facebook"},
    "page": {"value": "Harrow Falls"},
    "native_id": "X-Item-Id",
    "kind": {"column": "X-Item-Type", "values": {"Status": "post", "Remark": "comment"}},
}


def mail(identity: str = "a1@archive.example", text: str = "Road closed", **more: Any) -> bytes:
    made = EmailMessage()
    made["From"] = more.pop("sender", "Harrow Falls <falls@archive.example>")
    made["To"] = "records@town.example"
    if identity:
        made["Message-ID"] = f"<{identity}>"
    made["Date"] = more.pop("date", "Wed, 04 Mar 2026 10:00:00 -0900")
    made["Subject"] = more.pop("subject", "Post – Harrow Falls")
    for name, value in more.pop("fields", {"X-Item-Id": "p1", "X-Item-Type": "Status"}).items():
        made[name] = value
    made.set_content(text)
    if html := more.pop("html", None):
        made.add_alternative(html, subtype="html")
    for name, content in more.pop("files", {}).items():
        made.add_attachment(content, maintype="image", subtype="png", filename=name)
    assert not more
    return bytes(made)


def mapped(**fields: object) -> mapping.MappingFile:
    return mapping.parse(json.dumps({"mapping": 1, "fields": FIELDS | fields}).encode())


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path / "desk", lambda files: known.opened("eml", files, mapped()))


@pytest.fixture
def plain(store: Store, tmp_path: Path) -> Desk:
    """Where e-mails are received without a mapping."""
    return Desk(store, tmp_path / "plain", partial(known.opened, "eml"))


def opened(*files: Path) -> Any:
    return known.opened("eml", files)


# -- what an e-mail says -----------------------------------------------------------------------------------


def test_an_email_is_a_record_on_the_page_that_the_mapping_names_with_its_words_and_file(desk: Desk):
    file = zipped(
        desk.folder / "export.zip",
        {"1/a.eml": mail(html="<p>Road closed</p>", files={"bridge.png": b"\x89bridge"})},
    )
    report = desk.receive(file)
    assert (report.status, report.tally.new, report.gaps, report.unreadable) == ("complete", 1, [], [])
    told = desk.told("p1")
    assert (told["kind"], told["text"], told["published_at"]) == (
        "post",
        "Road closed",
        "2026-03-04T19:00:00Z",
    )
    assert told["html"].strip() == "<p>Road closed</p>"
    assert told["author"]["name"] == "Harrow Falls"
    assert [(one["state"], one["bytes"]) for one in told["attachments"]] == [("kept", 7)]
    assert told["extra"]["subject"] == "Post – Harrow Falls"
    assert desk.sound()


def test_every_header_field_is_kept_as_it_stood(desk: Desk):
    desk.receive(
        zipped(
            desk.folder / "e.zip",
            {"a.eml": mail(fields={"X-Item-Id": "p1", "X-Item-Type": "Remark", "X-Odd": "1; 2"})},
        )
    )
    told = desk.told("p1")
    assert told["kind"] == "comment"
    assert ["X-Odd", "1; 2"] in told["extra"]["headers"]


def test_without_a_mapping_an_email_is_a_private_message_under_its_own_id_and_the_report_says_so(plain: Desk):
    source = opened(unpacked(plain.folder / "mails", {"a.eml": mail()}))
    with pytest.raises(BadFile, match="whose page"):
        source.page()
    (stretch,) = source.stretches(Mark())
    (line,) = source.read(stretch)
    assert (line.observation.native_id, line.observation.kind, line.observation.private) == (
        "a1@archive.example",
        "message",
        True,
    )
    assert any("private message" in one for one in source.remarks())
    source.close()


def test_the_bytes_of_each_email_are_kept_whole(desk: Desk):
    one, two = (
        mail(),
        mail("a2@x", fields={"X-Item-Id": "p2", "X-Item-Type": "Status"}, files={"a.png": b"a" * 90}),
    )
    desk.receive(zipped(desk.folder / "export.zip", {"a.eml": one, "b.eml": two}))
    assert desk.kept() == {"a.eml": one, "b.eml": two}


def test_the_same_again_brings_nothing_new_and_other_words_are_a_version(desk: Desk):
    file = zipped(desk.folder / "one.zip", {"a.eml": mail()})
    desk.receive(file)
    again = desk.receive(file)
    assert (again.tally.new, again.tally.edited) == (0, 0)
    other = desk.receive(zipped(desk.folder / "two.zip", {"a.eml": mail(text="Road open")}))
    assert (other.tally.new, other.tally.edited) == (0, 1)


def test_a_mapping_that_names_a_field_that_no_email_has_makes_each_unreadable_and_kept(desk: Desk):
    report = desk.receive(zipped(desk.folder / "e.zip", {"a.eml": mail(fields={"X-Other": "1"})}))
    assert (report.tally.new, report.unreadable_total) == (0, 1)
    assert "native_id" in report.unreadable[0][1]
    assert desk.kept()["a.eml"]


def test_a_mapping_says_nothing_of_attachments(plain: Desk):
    with pytest.raises(BadMapping, match="attachments"):
        known.opened(
            "eml", [zipped(plain.folder / "e.zip", {"a.eml": mail()})], mapped(attachments={"column": "X"})
        )


# -- mailboxes ---------------------------------------------------------------------------------------------

FROM = b"From archive@x.example Wed Mar  4 10:00:00 2026\n"


def box(*mails: bytes) -> bytes:
    return b"".join(FROM + one + b"\n" for one in mails)


def test_a_mailbox_is_divided_into_its_emails_and_joins_to_itself(plain: Desk):
    content = box(
        mail("1@x"),
        mail("2@x", text="From here on\n\nFrom the bridge it is closed"),
        mail("3@x", files={"a.png": b"png"}),
    )
    file = plain.folder / "all.mbox"
    file.write_bytes(content)
    source = opened(file)
    stretches = list(source.stretches(Mark()))
    assert b"".join(one.content for one in stretches) == content
    found = [line.observation for one in stretches for line in source.read(one)]
    assert [one.native_id for one in found] == ["1@x", "2@x", "3@x"]
    assert found[1].text == "From here on\n\nFrom the bridge it is closed"
    with source.attachment(found[2].attachments[0].path) as attached:
        assert attached.read() == b"png"
    source.close()


def test_an_attachment_is_found_again_when_its_email_is_no_longer_held(
    plain: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.capture.formats.eml._HELD", 1)
    file = plain.folder / "all.mbox"
    file.write_bytes(box(*(mail(f"{n}@x", files={"a.png": b"png %d" % n}) for n in range(5))))
    source = opened(file)
    found = [line.observation for one in source.stretches(Mark()) for line in source.read(one)]
    for number, one in enumerate(found):
        with source.attachment(one.attachments[0].path) as attached:
            assert attached.read() == b"png %d" % number
    source.close()


def test_an_import_goes_on_in_the_middle_of_a_mailbox(plain: Desk):
    file = plain.folder / "all.mbox"
    file.write_bytes(box(*(mail(f"{n}@x") for n in range(5))))
    source = opened(file)
    every = list(source.stretches(Mark()))
    assert list(source.stretches(Mark(3, "all.mbox"))) == every[3:]
    source.close()


def test_a_file_that_is_no_mailbox_is_reported_and_its_bytes_are_kept(plain: Desk):
    file = plain.folder / "not.mbox"
    file.write_bytes(b"Dear all,\n\nthis is a letter.\n")
    source = opened(file)
    (stretch,) = source.stretches(Mark())
    assert (stretch.content, stretch.why) == (
        file.read_bytes(),
        "no mailbox: it does not begin with a line `From …`",
    )
    source.close()


def test_an_email_larger_than_any_comes_in_pieces_and_those_after_it_are_read(
    plain: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.capture.formats.eml.LARGEST", 2_000)
    content = box(mail("1@x"), mail("2@x", text="long\n" * 1_000), mail("3@x"))
    file = plain.folder / "all.mbox"
    file.write_bytes(content)
    source = opened(file)
    stretches = list(source.stretches(Mark()))
    assert b"".join(one.content for one in stretches) == content
    assert [one.why for one in stretches if one.why] == ["longer than 0 MiB"]
    assert [
        line.observation.native_id for one in stretches if one.why is None for line in source.read(one)
    ] == ["1@x", "3@x"]
    source.close()


# -- what is not understood --------------------------------------------------------------------------------


def test_every_file_that_is_no_email_is_listed_and_why(desk: Desk):
    more = {
        "a.eml": mail(),
        "index.xml": b"<x/>",
        "log.csv": b"a,b",
        "old.msg": b"\xd0\xcf",
        "../out.eml": mail(),
    }
    report = desk.receive(zipped(desk.folder / "e.zip", more))
    assert left(report) == {
        "index.xml": "XML, whose shape each archive makes for itself",
        "log.csv": "a table: import it by itself, as csv or load-file",
        "old.msg": "Outlook's own form of an e-mail, which is not read: ask for EML",
        "../out.eml": "its path leads out of the download",
    }


@pytest.mark.parametrize("content", [b"", b"\n\n", b"no e-mail at all", b"\x00" * 900, b"{}\n\n{}"])
def test_what_is_no_email_is_reported_beside_those_that_are(desk: Desk, content: bytes):
    report = desk.receive(zipped(desk.folder / "e.zip", {"a.eml": mail(), "b.eml": content}))
    assert (report.tally.new, report.unreadable_total) == (1, 1)
    assert desk.sound()


def test_nothing_that_is_an_email_is_refused_at_once(plain: Desk):
    with pytest.raises(BadFile, match="holds no e-mail"):
        opened(zipped(plain.folder / "e.zip", {"a.txt": b"a"}))


def test_a_cut_email_is_read_as_far_as_it_goes_and_says_so():
    whole = mail(files={"a.png": b"p" * 9_000})
    told = mails.Told()
    found, _ = mails.read(whole[: len(whole) // 2], told, "here")
    assert (found.text, found.extra["cut"], told.cut.times) == ("Road closed", True, 1)
    assert mails.read(whole, mails.Told(), "here")[0].extra.get("cut") is None


def test_a_time_without_a_zone_makes_no_date_and_minus_zero_is_utc():
    told = mails.Told()
    found, _ = mails.read(mail().replace(b"10:00:00 -0900", b"10:00:00"), told, "here")
    assert (found.published_at, told.zoneless.times) == (None, 1)
    found, _ = mails.read(mail(date="Wed, 04 Mar 2026 10:00:00 -0000"), told, "here")
    assert found.published_at is not None
    assert found.published_at.isoformat() == "2026-03-04T10:00:00+00:00"
    assert mails.read(mail(date="soon"), told, "here")[0].published_at is None


def test_an_email_without_an_id_has_one_of_its_bytes_the_same_in_a_mailbox():
    told = mails.Told()
    alone, _ = mails.read(mail(""), told, "here")
    boxed, _ = mails.read(FROM + mail(""), told, "here")
    assert alone.native_id == boxed.native_id
    assert told.derived.times == 2


def test_words_in_other_encodings_are_read_and_what_cannot_be_is_counted():
    head = b"From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=%s\r\n\r\n%s"
    assert mails.read(head % (b"iso-8859-2", "Łódź".encode("iso-8859-2")), mails.Told(), "")[0].text == "Łódź"
    assert mails.read(head % (b"nonsense", "café".encode()), mails.Told(), "")[0].text == "café"
    told = mails.Told()
    assert "\ufffd" in mails.read(head % (b"utf-8", b"caf\xe9"), told, "")[0].text
    assert told.letters.times == 1


@pytest.mark.parametrize("charset", [b"punycode", b"idna", b"unicode_escape", b"zip", b"rot13", b"hex"])
def test_what_is_no_encoding_of_an_email_is_not_used_as_one(charset: bytes):
    head = b"From: a@b\r\nContent-Type: text/plain; charset=%s\r\n\r\n\\u0041-" % charset
    assert mails.read(head, mails.Told(), "")[0].text == "\\u0041-"


def test_a_short_message_file_among_the_emails_is_said_to_be_one(desk: Desk):
    fields = {"X-Item-Id": "p1", "X-Item-Type": "Status", "X-RSMF-Version": "2.0.0"}
    report = desk.receive(zipped(desk.folder / "e.zip", {"a.eml": mail(fields=fields)}))
    assert any("import them as rsmf" in one for one in report.remarks)


def test_a_part_of_the_export_that_was_not_given_is_named(desk: Desk):
    zipped(desk.folder / "export-2.zip", {"b.eml": mail()})
    report = desk.receive(zipped(desk.folder / "export-1.zip", {"a.eml": mail()}))
    assert any("export-2.zip" in one for one in report.remarks)


# -- hostile -----------------------------------------------------------------------------------------------


def test_parts_that_lie_in_one_another_too_deeply_are_left_as_they_stand():
    content = b"From: a@b\r\n"
    for number in range(400):
        content += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number)
    found, _ = mails.read(content + b"\r\nwords", mails.Told(), "")
    assert len(found.attachments) <= 1


def test_many_parts_take_no_longer_than_their_length_asks():
    content = (
        b"From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nx\r\n" * 60_000
        + b"--b--\r\n"
    )
    root = mime.parse(content)
    assert len(root.parts) == 10_000


def test_a_broken_attachment_is_kept_as_far_as_it_goes_and_said():
    content = (
        b"From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png; name=a.png\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"bridge of bridges")[:-3]
        + b"\r\n--b--\r\n"
    )
    told = mails.Told()
    found, _ = mails.read(content, told, "here")
    assert told.broken.times == 1
    assert found.attachments[0].path is not None
    assert mails.attached(content, int(found.attachments[0].path)) == b"bridge of bridge"[:15]


@pytest.mark.parametrize(
    "field",
    [
        b'Content-Type: text/plain; name*0*="',
        b"Content-Type: text/plain; x*" + b"9" * 6_000 + b"=a",
        b'Content-Type: multipart/mixed; boundary="' + b";" * 9_000,
        b"Subject: =?nonsense?B?////?= =?utf-8?Q?=ZZ?=",
        b"Content-Disposition: attachment; filename*=nonsense''%ff%fe",
        b"Date: " + b"9" * 5_000,
        b"From: " + b"<" * 5_000,
    ],
)
def test_a_field_that_no_program_writes_stops_nothing(field: bytes):
    found, _ = mails.read(b"To: a@b\r\n" + field + b"\r\n\r\nwords\r\n", mails.Told(), "")
    assert found.native_id


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_whatever_the_bytes_are_they_are_read_or_refused(content: bytes, at: int):
    whole = mail(files={"a.png": b"png"}, html="<b>x</b>")
    for one in (content, whole[:at] + content + whole[at:]):
        with contextlib.suppress(Unreadable):
            found, _ = mails.read(one, mails.Told(), "")
            assert found.native_id
