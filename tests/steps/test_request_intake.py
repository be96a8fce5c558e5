"""A request that came as an e-mail: read from a message that may be hostile, and kept whole."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.message import EmailMessage
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure import intake, papers
from app.disclosure.intake import BadMessage
from app.disclosure.opening import OpenedAlready
from app.records.clock import FixedClock
from app.store import Store
from tests.steps.asking import Office

PLAIN = b"""\
From: =?utf-8?q?P=C3=A4t_Smith?= <Pat@Elsewhere.example>\r
To: records@harrowfalls.example\r
Subject: Records about the bridge\r
Date: Mon, 02 Mar 2026 09:15:00 -0900\r
Message-ID: <one@elsewhere.example>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
\r
Everything about the bridge, please.\r
"""


def with_parts(*, html: str = "", name: str = "plan.pdf", content: bytes = b"%PDF-1.7") -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"], message["Date"] = (
        "pat@x.example",
        "Records",
        "Mon, 02 Mar 2026 18:15:00 +0000",
    )
    if html:
        message.set_content(html, subtype="html")
    else:
        message.set_content("Everything, please.")
    message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()


def test_a_message_tells_who_wrote_when_and_what():
    read = intake.read(PLAIN)
    assert (read.name, read.email) == ("Pät Smith", "pat@elsewhere.example")
    assert read.sent_at == datetime(2026, 3, 2, 18, 15, tzinfo=UTC)
    assert read.words == "Records about the bridge\n\nEverything about the bridge, please."
    assert read.message_id == "<one@elsewhere.example>"


def test_the_message_is_kept_whole_with_its_headers_and_what_was_attached():
    content = with_parts()
    read = intake.read(content, "from pat.eml")
    assert [(one.kind, one.name, one.content) for one in read.papers] == [
        ("message", "from pat.eml", content),
        ("attached", "plan.pdf", b"%PDF-1.7"),
    ]


def test_a_message_of_html_alone_gives_its_words_and_no_marks():
    read = intake.read(
        with_parts(
            html="<html><head><style>p{}</style></head><p>All <b>posts</b><br>please<script>steal()</script></p>"
        )
    )
    assert read.words == "Records\n\nAll posts\nplease"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.exe", "x.exe"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("...", "part"),
        ("x" * 900 + ".pdf", "x" * 200),
    ],
)
def test_the_name_of_what_was_attached_is_no_path(name: str, kept: str):
    assert intake.read(with_parts(name=name)).papers[1].name == kept


@pytest.mark.parametrize(
    "sender",
    [
        b"a@x.example, b@x.example",
        b"not an address",
        b"<>",
        b"",
        b'"pat@good.example" <pat@bad.example> <x@y.example>',
    ],
)
def test_a_writer_who_cannot_be_told_for_certain_is_not_told(sender: bytes):
    read = intake.read(b"From: " + sender + b"\nSubject: Records\n\nAll, please.\n")
    assert read.email == ""


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        (b'"Smith, Pat (LAW)" <pat@x.example>', "Smith, Pat (LAW)"),
        (b'"Pat \\"P\\" Smith" <pat@x.example>', 'Pat "P" Smith'),
        (b'"pat@x.example" <pat@x.example>', ""),
        ("José Núñez <pat@x.example>".encode(), "José Núñez"),
        ("José Núñez <pat@x.example>".encode("latin-1"), "José Núñez"),
    ],
)
def test_a_writer_is_told_however_the_name_is_written(sender: bytes, name: str):
    read = intake.read(b"From: " + sender + b"\r\nSubject: x\r\n\r\nAll posts")
    assert (read.name, read.email) == (name, "pat@x.example")


@pytest.mark.parametrize(
    ("charset", "content", "words"),
    [
        (b"", "Café".encode(), "Café"),
        (b"", "Café".encode("latin-1"), "Café"),
        (b"us-ascii", "Café".encode(), "Café"),
        (b"iso-8859-1", b"\x93all\x94", "“all”"),
        (b"utf-16", "Café".encode("utf-16"), "Café"),
        (b"x-nobody-knows", b"all", "all"),
        (b"unicode_escape", b"\\ud800 all", "\\ud800 all"),
        (b"utf-7", b"+2AA- all", "all"),
    ],
)
def test_words_are_read_in_the_encoding_that_they_are_in(charset: bytes, content: bytes, words: str):
    kind = b"Content-Type: text/plain; charset=" + charset if charset else b"X-None: x"
    told = b"From: a@x.example\r\n" + kind + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    read = intake.read(told + base64.b64encode(content))
    assert read.words == words
    assert read.words.encode()


def test_a_subject_in_plain_bytes_is_read_as_it_is_meant():
    told = b"From: a@x.example\r\nSubject: %s\r\n\r\nAll"
    assert intake.read(told % "Brücke 😀".encode()).subject == "Brücke 😀"
    assert intake.read(told % "Brücke".encode("cp1252")).subject == "Brücke"
    assert intake.read(b"\xef\xbb\xbf" + told % b"Bridge").subject == "Bridge"


PARTS = b"""\
From: a@x.example
Subject: Bridge
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=B

"""


def parts(*told: bytes) -> bytes:
    return PARTS + b"".join(b"--B\n" + one + b"\n" for one in told) + b"--B--\n"


def test_words_around_a_picture_are_all_the_requests_own():
    first, more = b"Content-Type: text/plain\n\nOf March", b"Content-Type: text/plain\n\nand of April"
    picture = b"Content-Type: image/png; name=x.png\n\nPNG"
    aside = b"Content-Type: text/plain\nContent-Disposition: attachment\n\nnot said"
    read = intake.read(parts(aside, first, picture, more))
    assert read.words == "Bridge\n\nOf March\n\nand of April"
    assert [one.content for one in read.papers[1:]] == [b"not said", b"PNG"]


def test_the_words_of_a_message_that_was_handed_on_are_read_where_nothing_stands_around_it():
    inner = b"Content-Type: message/rfc822\n\nFrom: b@x.example\nSubject: Request\n\nEverything of May"
    read = intake.read(parts(inner))
    assert read.words == "Bridge\n\nRequest\n\nEverything of May"
    assert (read.email, read.papers[1].media_type) == ("a@x.example", "message/rfc822")
    assert intake.read(parts(b"Content-Type: text/plain\n\nSee below", inner)).words == "Bridge\n\nSee below"


def test_html_whose_head_nobody_ended_has_its_words_all_the_same():
    told = b"From: a@x.example\nContent-Type: text/html\n\n<head><meta><body>All of AT&T"
    assert intake.read(told).words == "All of AT&T"


def test_a_header_of_sixty_thousand_encoded_words_takes_a_moment():
    begun = process_time()
    read = intake.read(b"From: a@x.example\nSubject: " + b"=?utf-8?Q?a?= " * 60_000 + b"\n\nAll")
    assert read.words.endswith("All")
    assert process_time() - begun < 10  # it was minutes where all of them were taken apart


def test_a_date_that_is_none_is_not_told():
    assert intake.read(b"From: a@x.example\nDate: soon\n\nAll, please.\n").sent_at is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"From: a@x.example\n\n", "says nothing"),
        (b"\nno headers at all\n", "no headers"),
    ],
)
def test_what_is_no_message_is_refused(content: bytes, says: str):
    with pytest.raises(BadMessage, match=says):
        intake.read(content)


def test_a_message_that_is_too_large_is_refused():
    with pytest.raises(BadMessage, match="more than"):
        intake.read(bytes(papers.MOST_BYTES + 1))


@pytest.mark.parametrize(
    "content",
    [
        b"From: a@x.example\nContent-Type: text/plain; charset=klingon\n\nAll \xff\xfe\n",
        b"From: a@x.example\nSubject: =?utf-8?q?=ZZ?=\n\nAll\n",
        b"From: =?x?b?!!!?= <a@x.example>\n\nAll\n",
        b"From: a@x.example\nContent-Type: multipart/mixed; boundary=a\n\n--a\n" * 50 + b"\nAll",
        b"From: a@x.example\nContent-Transfer-Encoding: base64\n\n@@@@\nSubject",
        b"From: a@x.example\nContent-Disposition: attachment; filename*=klingon''%FF\n\nAll\n",
        b"Subject: " + b"x" * 200_000 + b"\n\nAll\n",
        b"From: a@x.example\n" + b"Content-Type: message/rfc822\n\n" * 3_000 + b"All\n",
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000))
        + b"\nAll",
    ],
)
def test_a_hostile_message_is_read_or_refused_and_never_more(content: bytes):
    try:
        read = intake.read(content)
    except BadMessage:
        return
    assert read.papers[0].content == content


def test_a_message_of_very_many_parts_is_kept_whole_and_read_in_part():
    parts = b"".join(b"--a\nContent-Type: text/plain\n\nx\n" for _ in range(1_000))
    content = b"From: a@x.example\nContent-Type: multipart/mixed; boundary=a\n\n" + parts + b"--a--\n"
    read = intake.read(content)
    assert read.left_out == 1_000 - intake.MOST_PARTS
    assert len(read.papers) <= intake.MOST_PARTS + 1
    assert read.papers[0].content == content


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading(content):
    try:
        intake.read(b"From: a@x.example\nSubject: x\n" + content)
    except BadMessage:
        return


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_breaks_the_reading(name, value):
    try:
        intake.read(
            f"From: {value}\nSubject: {value}\nDate: {value}\nX: {name}\n\nAll".encode("utf-8", "replace")
        )
    except BadMessage:
        return


HEAD = b"From: pat@x.example\r\nSubject: Records\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b'Content-Type: text/plain; name="request.txt"\r\n\r\nEverything about the bridge',
        b"Content-Type: text/plain\r\nContent-Disposition: inline; filename=r.txt\r\n\r\nEverything about the bridge",
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; name=body.html\r\n"
            b"Content-Disposition: inline\r\n\r\n<p>Everything about the bridge</p>\r\n--b--\r\n"
        ),
    ],
)
def test_words_in_a_part_that_has_a_name_are_words_where_there_are_no_others(body: bytes):
    read = intake.read(HEAD + body)
    assert read.words == "Records\n\nEverything about the bridge"


def test_words_in_a_named_part_stay_beside_where_the_message_has_words_of_its_own():
    body = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the list\r\n"
        b"--b\r\nContent-Type: text/plain; name=list.txt\r\n\r\none, two\r\n--b--\r\n"
    )
    read = intake.read(HEAD + body)
    assert read.words == "Records\n\nSee the list"
    assert [one.name for one in read.papers] == ["message.eml", "list.txt"]


def test_an_attached_text_is_not_what_was_asked():
    body = b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=r.txt\r\n\r\nnotes\r\n"
    assert intake.read(HEAD + body).words == "Records"


def test_cells_of_a_table_do_not_run_into_one_another():
    body = b"Content-Type: text/html\r\n\r\n<table><tr><td>from</td><td>May</td></tr><tr><th>to</th><td>June</td></tr></table><h4>All</h4><hr>of it"
    assert intake.read(HEAD + body).words == "Records\n\nfrom May\nto June\nAll\nof it"


@pytest.mark.parametrize(
    "header",
    [
        b"Auto-Submitted: auto-replied\r\n",
        b"Auto-Submitted: auto-replied (vacation)\r\n",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
        b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n",
        b"X-Autoreply: yes\r\n",
    ],
)
def test_what_a_program_answered_by_itself_is_no_request(header: bytes):
    with pytest.raises(BadMessage, match="by itself"):
        intake.read(HEAD + header + b"\r\nI am out of the office until Monday\r\n")


@pytest.mark.parametrize("header", [b"Auto-Submitted: auto-generated\r\n", b"Auto-Submitted: no\r\n", b"Precedence: list\r\n"])  # fmt: skip
def test_what_a_form_or_a_list_sent_on_may_be_one(header: bytes):
    assert intake.read(HEAD + header + b"\r\nEverything\r\n").words == "Records\n\nEverything"


@pytest.mark.parametrize("sender", ["noreply@forms.example", "Town <no-reply@forms.example>", "donotreply@forms.example"])  # fmt: skip
def test_where_nobody_reads_the_senders_address_the_one_for_answers_is_taken(sender: str):
    message = f"From: {sender}\r\nReply-To: Pat Smith <pat@x.example>\r\nSubject: Records\r\n\r\nAll\r\n"
    read = intake.read(message.encode())
    assert (read.name, read.email) == ("Pat Smith", "pat@x.example")
    alone = intake.read(message.replace("Reply-To", "X-Other").encode())
    assert alone.email.partition("@")[0].replace("-", "") in ("noreply", "donotreply")
    people = intake.read(message.replace(sender, "Ann Lee <ann@x.example>").encode())
    assert (people.name, people.email) == ("Ann Lee", "ann@x.example")


def test_a_request_opened_from_a_message_keeps_it(store: Store, clock: FixedClock):
    office, read = Office(store, clock), intake.read(PLAIN, "from pat.eml")
    made = office.open(
        words=read.words, name=read.name, email=read.email, channel="email", enclosed=read.papers
    )
    with store.database.read() as tx:
        (kept,) = papers.listed(store, tx, made)
        assert papers.content(store, tx, kept) == PLAIN
    assert made.email == "pat@elsewhere.example"


def test_one_message_opens_one_request_and_says_which_it_was(store: Store, clock: FixedClock):
    office = Office(store, clock)
    first = office.open(words="All", message="<one@elsewhere.example>")
    office.open(words="All", message="<two@elsewhere.example>")
    with pytest.raises(OpenedAlready, match=f"{first.number} was opened from this message"):
        office.open(words="All", message="<one@elsewhere.example>")
    assert office.open(words="All").number.endswith("-0003"), "a message without an id is compared with none"
    assert office.open(words="All").number.endswith("-0004")
