"""The mailbox as evidence: read without changing it, byte for byte, and what goes wrong sorted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import mailbox
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.mailbox import ImapMailbox
from tests.connectors.conftest import Time
from tests.connectors.worlds.imap_world import MailServer, certificates
from tests.connectors.worlds.mail_client import MailingClient, mailbox_of

USER, PASSWORD = "alerts@town.example", "correct-horse-battery"
CAME = datetime(2026, 5, 3, 9, 8, 7, tzinfo=UTC)
NIXLE = (
    b"From: Town <town@emails.nixle.com>\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n\r\n"
    b"Bytes \xff\x00 as they are\r\n.\r\n* 1 FETCH (UID 9 BODY[] {3}\r\n"
)
OTHER = b"From: Bank <bank@bank.example>\r\n\r\nyour balance\r\n"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(USER, PASSWORD) as started:
        started.deliver(NIXLE, CAME)
        started.deliver(OTHER, CAME)
        yield started


class Post:
    """A mailbox at a server, over an evidence client."""

    def __init__(self, server: MailServer, stack: ExitStack, time: Time, **more: Any) -> None:
        settings: dict[str, Any] = {"allow_hosts": ["127.0.0.1"], "tls": certificates()[1], **more}
        self.client = stack.enter_context(
            MailingClient(
                clock=time,
                monotonic=time.monotonic,
                wait=time.wait,
                contact="records@town.example",
                secrets={"user": USER, "password": PASSWORD},
                **settings,
            )
        )
        self.server, self.stack = server, stack

    def open(self, **credentials: str | None) -> ImapMailbox:
        credentials = credentials or {"password": PASSWORD}
        return self.stack.enter_context(mailbox_of(self.client, self.server.host, USER, **credentials))


@pytest.fixture
def post(server: MailServer, time: Time) -> Iterator[Post]:
    with ExitStack() as stack:
        yield Post(server, stack, time)


def failing(box: ImapMailbox, error: type[ConnectorError], folder: str = "INBOX") -> ConnectorError:
    with pytest.raises(error) as raised:
        box.examine(folder)
    assert raised.value.exchanges, "the error carries no exchange that shows it"
    assert raised.value.exchanges[0].status == 0
    return raised.value


# --- what is read -----------------------------------------------------------------------------------------


def test_a_message_is_kept_byte_for_byte(post: Post) -> None:
    box = post.open()
    box.examine("INBOX")
    assert box.message(1).body == NIXLE


def test_reading_changes_nothing_in_the_mailbox(post: Post) -> None:
    box = post.open()
    box.examine("INBOX")
    box.survey(mailbox.uids(box.search("ALL", "OR", "FROM", '"nixle"', "FROM", '"bank"').body), "FROM")
    box.message(1)
    assert {"EXAMINE", "UID SEARCH", "UID FETCH"} <= set(post.server.said)
    assert post.server.changed == []


def test_a_command_that_would_change_something_is_noticed_by_the_server_of_these_tests(post: Post) -> None:
    box = post.open()
    box.examine("INBOX")
    assert box._wire is not None
    with pytest.raises(Exception, match="BAD"):
        box._wire.uid("STORE", "1", "+FLAGS", "(\\Seen)")
    assert post.server.changed == ["UID STORE"]


def test_a_search_gives_the_numbers_of_what_meets_it(post: Post) -> None:
    box = post.open()
    box.examine("INBOX")
    assert mailbox.uids(box.search("ALL", "OR", "FROM", '"nixle"', "FROM", '"everbridge"').body) == [1]


@pytest.mark.parametrize("quotes", [False, True])
def test_a_survey_tells_sender_size_and_receipt_and_reads_no_message(post: Post, *, quotes: bool) -> None:
    post.server.quotes_short_fields = quotes
    box = post.open()
    box.examine("INBOX")
    answer = box.survey([1, 2], "FROM")
    told = list(mailbox.fetched(answer.body))
    assert [(one.uid, one.size, one.received_at) for one in told] == [
        (1, len(NIXLE), CAME),
        (2, len(OTHER), CAME),
    ]
    assert b"town@emails.nixle.com" in told[0].fields(answer.body)
    assert b"balance" not in answer.body


def test_an_exchange_says_where_the_message_lies_and_not_who_asked(post: Post) -> None:
    box = post.open()
    validity = mailbox.uid_validity(box.examine("INBOX").body)
    told = box.message(1)
    assert validity == post.server.validity
    assert told.url == f"imaps://{post.server.host}/INBOX;UIDVALIDITY={validity}/;UID=1"
    assert (told.method, told.status, told.http_version) == ("FETCH", 200, "IMAP4rev1")
    assert told.header("RFC822.SIZE") == str(len(NIXLE))
    assert told.header("INTERNALDATE") == CAME.isoformat()
    assert told.peer_address == "127.0.0.1"
    assert told.peer_certificate_sha256


def test_no_password_is_recorded_anywhere_also_where_a_message_repeats_it(post: Post) -> None:
    post.server.deliver(b"From: a@nixle.com\r\n\r\nyour password is " + PASSWORD.encode() + b"\r\n", CAME)
    box = post.open()
    box.examine("INBOX")
    told = box.message(3)
    assert b"[[secret:password]]" in told.body
    assert [(one.where, one.count) for one in told.replaced] == [("response.body", 1)]
    assert PASSWORD not in repr(post.client.take())


def test_every_question_is_recorded_by_the_evidence_client(post: Post) -> None:
    box = post.open()
    asked = [box.examine("INBOX"), box.search("ALL", "OR", "FROM", '"nixle"', "FROM", '"x"'), box.message(1)]
    assert [id(one) for one in post.client.take()] == [id(one) for one in asked]


def test_a_message_that_was_moved_away_meanwhile_has_no_body_and_says_why(post: Post) -> None:
    box = post.open()
    box.examine("INBOX")
    post.server.folders["INBOX"].clear()
    told = box.message(1)
    assert (told.status, told.body) == (0, b"")
    assert told.failure


def test_a_message_over_the_limit_is_cut_and_says_so(post: Post) -> None:
    long = b"From: a@nixle.com\r\n\r\n" + b"x" * 5000
    post.server.deliver(long, CAME)
    client = post.client
    box = post.stack.enter_context(
        ImapMailbox(
            post.server.host,
            USER,
            password=PASSWORD,
            gate=client._gate,
            clock=client._clock,
            monotonic=client._monotonic,
            replacing=lambda: client._secrets.during("", {}),
            tls=certificates()[1],
            most=1000,
        )
    )
    box.examine("INBOX")
    told = box.message(3)
    assert (told.body, told.truncated) == (long[:1000], "length")
    assert box.message(2).truncated is None


def test_a_folder_is_named_in_modified_utf_7(post: Post) -> None:
    post.server.folders["Entw&APw-rfe &- Post"] = []
    assert post.open().examine("Entwürfe & Post").status == 200
    assert mailbox.folder_name("~peter/mail/台北/日本語") == "~peter/mail/&U,BTFw-/&ZeVnLIqe-"


# --- signing in -------------------------------------------------------------------------------------------


def test_a_wrong_password_means_that_access_was_revoked(post: Post) -> None:
    refused = failing(post.open(password="wrong-horse-battery"), AccessRevoked)
    assert "Invalid credentials" in str(refused)
    assert "wrong-horse" not in repr(refused.exchanges)


def test_an_access_token_signs_in_and_a_stale_one_does_not(post: Post) -> None:
    post.server.token = "ya29.fresh-and-long-enough"
    assert post.open(access_token="ya29.fresh-and-long-enough").examine("INBOX").status == 200
    failing(post.open(access_token="ya29.stale-and-long-enough"), AccessRevoked)
    assert "LOGIN" not in post.server.said


def test_a_password_with_other_letters_than_ascii_signs_in(post: Post) -> None:
    post.server.password = "größtes-geheimnis"
    assert post.open(password="größtes-geheimnis").examine("INBOX").status == 200
    assert "AUTHENTICATE" in post.server.said


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("unavailable", TryAgainLater),
        ("limit", TryAgainLater),
        ("cut", TryAgainLater),
        ("revoke", AccessRevoked),
        ("html", UnexpectedResponse),
    ],
)
def test_what_goes_wrong_at_the_door_is_sorted(post: Post, trouble: str, error: type[ConnectorError]) -> None:
    post.server.trouble = lambda _command: trouble
    failing(post.open(), error)


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("unavailable", TryAgainLater),
        ("cut", TryAgainLater),
        ("revoke", AccessRevoked),
        ("html", UnexpectedResponse),
        ("bad", UnexpectedResponse),
    ],
)
def test_what_goes_wrong_inside_is_sorted(post: Post, trouble: str, error: type[ConnectorError]) -> None:
    box = post.open()
    box.examine("INBOX")
    post.server.trouble = lambda _command: trouble
    with pytest.raises(error) as raised:
        box.message(1)
    assert raised.value.exchanges


def test_a_folder_that_is_not_there_is_no_page(post: Post) -> None:
    assert "option `folder`" in str(failing(post.open(), NoSuchPage, folder="Alerts"))


def test_a_server_that_says_farewell_is_asked_later(post: Post) -> None:
    post.server.greeting = b"* BYE too many connections\r\n"
    failing(post.open(), TryAgainLater)


def test_a_silent_server_is_not_waited_for(server: MailServer, time: Time) -> None:
    with ExitStack() as stack:
        post = Post(server, stack, time)
        server.greeting = b""
        client = post.client
        box = stack.enter_context(
            ImapMailbox(
                server.host,
                USER,
                password=PASSWORD,
                gate=client._gate,
                clock=client._clock,
                monotonic=client._monotonic,
                replacing=lambda: client._secrets.during("", {}),
                tls=certificates()[1],
                silence=timedelta(milliseconds=50),
            )
        )
        assert "in time" in str(failing(box, TryAgainLater))


# --- who is asked -----------------------------------------------------------------------------------------


def test_a_certificate_that_ran_out_is_refused(post: Post) -> None:
    post.server.out_of_date = True
    assert "certificate" in str(failing(post.open(), AddressRefused)).lower()
    assert post.server.said == [], "nothing may be said to a server that nobody vouches for"


def test_a_certificate_of_an_unknown_authority_is_refused(server: MailServer, time: Time) -> None:
    with ExitStack() as stack:
        failing(Post(server, stack, time, tls=None).open(), AddressRefused)
        assert server.said == []


def test_a_private_address_is_refused_unless_the_operator_allows_it(server: MailServer, time: Time) -> None:
    with ExitStack() as stack:
        refused = failing(Post(server, stack, time, allow_hosts=[]).open(), AddressRefused)
        assert "MUNIMENT_ALLOW_HOSTS" in str(refused)
        assert server.said == []


def test_a_name_that_cannot_be_found_is_asked_later(post: Post) -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError("no such host")

    post.client._gate._resolve = nowhere
    box = mailbox_of(post.client, "imap.town.example", USER, password=PASSWORD)
    failing(box, TryAgainLater)


def test_a_host_that_holds_more_than_a_name_is_refused(post: Post) -> None:
    for host in ("user@imap.town.example", "imap town", ""):
        with pytest.raises(AddressRefused):
            mailbox_of(post.client, host, USER, password=PASSWORD)


# --- reading answers is pure --------------------------------------------------------------------------------


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_whatever_a_server_answers_is_read_without_falling_over(answer: bytes) -> None:
    for one in mailbox.fetched(b"* 1 FETCH (UID 1 BODY[] {5}\r\n" + answer):
        assert len(one.fields(b"* 1 FETCH (UID 1 BODY[] {5}\r\n" + answer)) <= len(answer)
    mailbox.uids(answer)
    mailbox.uid_validity(answer)


def test_flags_that_come_unasked_are_no_message() -> None:
    assert list(mailbox.fetched(b"* 1 FETCH (FLAGS (\\Seen))\r\nA1 OK done\r\n")) == []


def test_a_time_of_receipt_is_read_with_its_zone() -> None:
    said = b'* 1 FETCH (UID 7 INTERNALDATE " 3-May-2026 02:08:07 -0700")\r\n'
    assert [one.received_at for one in mailbox.fetched(said)] == [CAME]
