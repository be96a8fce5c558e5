"""Mail leaves over SMTP: tried against a real server on the loopback that keeps what it is sent."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app import officers
from app.main import make
from app.officers import (
    INVITATION_PATH,
    RESET_PATH,
    BadLetter,
    Letter,
    MailNotSent,
    NoMail,
    Outbox,
    Smtp,
    invitation_letter,
    is_address,
    mailer,
    reset_letter,
)
from app.records.clock import FixedClock
from app.records.errors import ArchiveError
from app.records.nouns import Officer, Role
from app.settings import BadSetting, Settings
from app.store.store import Agency

NOON = datetime(2026, 5, 3, 20, 0, tzinfo=UTC)
SENDER = "archive@town.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for `localhost`, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)  # TLS looks at the machine's own clock
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + built.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trust(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def words(message: EmailMessage) -> str:
    """What a reader sees; on the wire a line ends with CRLF."""
    return str(message.get_content()).replace("\r\n", "\n")


def smtp(url: str, trust: ssl.SSLContext | None = None, *, seconds: float = 10) -> Smtp:
    return Smtp(url, SENDER, clock=FixedClock(NOON), trust=trust, seconds=seconds)


# -- a letter --------------------------------------------------------------------------------------------------


def test_a_letter_arrives_as_it_was_written(serve):
    sink = serve()
    smtp(f"smtp://127.0.0.1:{sink.port}").send(
        "jane@town.example", "Nachtschicht · 夜", "Zeile eins\n\n第二行\n"
    )
    (message,) = sink.messages()
    assert sink.taken[0].mail_from == SENDER
    assert sink.taken[0].rcpt_tos == ["jane@town.example"]
    assert (message["From"], message["To"], message["Subject"]) == (
        SENDER,
        "jane@town.example",
        "Nachtschicht · 夜",
    )
    assert message["Date"].datetime == NOON
    assert message["Message-ID"].endswith("@town.example>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert words(message) == "Zeile eins\n\n第二行\n"


def test_a_line_of_one_dot_does_not_end_the_letter(serve):
    sink = serve()
    smtp(f"smtp://127.0.0.1:{sink.port}").send("jane@town.example", "Dots", "before\n.\nafter\n")
    assert words(sink.messages()[0]) == "before\n.\nafter\n"


@pytest.mark.parametrize(
    "to",
    [
        "",
        "jane",
        "jane@",
        "jane@town.example, joe@town.example",
        "jane@town.example\r\nBcc: joe@town.example",
        "jane@town.example\n",
        "<jane@town.example>",
        "jane doe@town.example",
        "jane@town..example",
        "jane@-town.example",
        f"{'j' * 65}@town.example",
        f"jane@{'a.' * 130}example",
    ],
)
def test_what_is_not_one_address_is_refused_before_anybody_is_asked(to):
    assert not is_address(to)
    with pytest.raises(BadLetter):
        smtp("smtp://127.0.0.1:9").send(to, "Hello", "text")


@pytest.mark.parametrize("to", ["jane@town.example", "j.o'neil+records@mail.town.example", "root@localhost"])
def test_an_ordinary_address_is_one(to):
    assert is_address(to)


@pytest.mark.parametrize(
    "subject", ["Hello\r\nBcc: joe@town.example", "Hello\nBcc: x", "a\rb", "a\x00b", "a\u2028b"]
)
def test_a_subject_cannot_bring_a_header_of_its_own(serve, subject):
    sink = serve()
    with pytest.raises(BadLetter):
        smtp(f"smtp://127.0.0.1:{sink.port}").send("jane@town.example", subject, "text")
    assert sink.taken == []


def test_half_a_character_is_refused():
    with pytest.raises(BadLetter):
        smtp("smtp://127.0.0.1:9").send("jane@town.example", "Hello", "\ud800")


# -- the connection --------------------------------------------------------------------------------------------


def test_a_letter_goes_over_starttls_and_signs_in(serve, server_tls, trust):
    sink = serve(tls_context=server_tls, require_starttls=True, auth_required=True)
    smtp(f"smtp://records%40town:s%3Ae%2Fc%20ret@localhost:{sink.port}?starttls=required", trust).send(
        "jane@town.example", "Safe", "text"
    )
    assert sink.over_tls == [True]
    assert sink.users == ["records@town"]


def test_a_letter_goes_over_tls_from_the_beginning(serve, server_tls, trust):
    sink = serve(wrapped=server_tls)
    smtp(f"smtps://localhost:{sink.port}", trust).send("jane@town.example", "Safe", "text")
    assert len(sink.taken) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_that_nobody_vouches_for_gets_no_letter(serve, server_tls, scheme):
    sink = serve(**({"tls_context": server_tls} if scheme == "smtp" else {"wrapped": server_tls}))
    query = "?starttls=required" if scheme == "smtp" else ""
    with pytest.raises(MailNotSent, match="no safe connection"):
        smtp(f"{scheme}://localhost:{sink.port}{query}").send("jane@town.example", "Safe", "text")
    assert sink.taken == []


def test_a_letter_does_not_leave_in_the_clear_when_tls_was_asked_for(serve):
    sink = serve()
    with pytest.raises(MailNotSent):
        smtp(f"smtp://localhost:{sink.port}?starttls=required").send("jane@town.example", "Safe", "text")
    assert sink.taken == []


def test_a_wrong_password_is_said_without_the_password(serve, server_tls, trust):
    sink = serve(tls_context=server_tls, auth_required=True)
    with pytest.raises(MailNotSent, match="does not accept the user name and password") as caught:
        smtp(f"smtp://records%40town:hunter2@localhost:{sink.port}?starttls=required", trust).send(
            "jane@town.example", "Safe", "text"
        )
    assert "hunter2" not in f"{caught.value} {caught.value.next}"
    assert sink.taken == []


def test_a_refused_recipient_is_said_so(serve):
    sink = serve()
    with pytest.raises(MailNotSent, match="refuses the address"):
        smtp(f"smtp://127.0.0.1:{sink.port}").send("nobody@town.example", "Hello", "text")


def test_the_servers_own_words_reach_the_reader(serve):
    sink = serve()
    sink.says = "452 mailbox full"
    with pytest.raises(MailNotSent, match="452 mailbox full"):
        smtp(f"smtp://127.0.0.1:{sink.port}").send("jane@town.example", "Hello", "text")
    sink.says = "250 OK"
    smtp(f"smtp://127.0.0.1:{sink.port}").send("jane@town.example", "Hello", "text")
    assert len(sink.taken) == 1


def test_a_server_that_is_not_there_is_unavailable():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(MailNotSent):
        smtp(f"smtp://127.0.0.1:{port}").send("jane@town.example", "Hello", "text")


def test_a_server_that_says_nothing_does_not_keep_us_for_ever():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(MailNotSent, match="timed out"):
            smtp(f"smtp://127.0.0.1:{silent.getsockname()[1]}", seconds=0.1).send(
                "jane@town.example", "Hello", "text"
            )


# -- the setting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "mail.town.example",
        "http://mail.town.example",
        "smtp://",
        "smtp://mail.town.example:port",
        "smtp://mail.town.example/inbox",
        "smtp://mail.town.example?tls=yes",
        "smtp://mail.town.example?starttls=perhaps",
        "smtps://mail.town.example?starttls=no",
        "smtp://[::1",
    ],
)
def test_a_setting_that_cannot_be_understood_is_refused(url):
    with pytest.raises(BadSetting):
        smtp(url)


def test_a_password_never_travels_in_the_clear_to_another_machine():
    with pytest.raises(BadSetting, match="in the clear") as caught:
        smtp("smtp://records:hunter2@mail.town.example?starttls=no")
    assert "hunter2" not in f"{caught.value} {caught.value.next}"
    smtp("smtp://records:hunter2@127.0.0.1?starttls=no")


@pytest.mark.parametrize(
    ("url", "port", "starttls"),
    [
        ("smtp://mail.town.example", 25, True),
        ("smtp://me:word@mail.town.example", 587, True),
        ("smtps://me:word@mail.town.example", 465, False),
        ("smtp://mail.town.example:2525?starttls=no", 2525, False),
        ("smtp://localhost", 25, False),
        ("smtp://[::1]:25", 25, False),
        ("smtp://127.0.0.1?starttls=required", 25, True),
    ],
)
def test_tls_is_required_wherever_a_letter_leaves_the_machine(url, port, starttls):
    server = smtp(url)._server
    assert (server.port, server.starttls) == (port, starttls)


def test_a_sender_that_is_no_address_is_refused():
    with pytest.raises(BadSetting):
        Smtp("smtp://localhost", "The archive")


def test_without_a_setting_no_mail_is_sent_and_that_is_said():
    nothing = mailer("", SENDER)
    assert isinstance(nothing, NoMail)
    with pytest.raises(MailNotSent, match="no mail server is set up"):
        nothing.send("jane@town.example", "Hello", "text")
    assert isinstance(mailer("smtp://localhost", SENDER), Smtp)


# -- the outbox ------------------------------------------------------------------------------------------------


def test_an_outbox_sends_what_is_waiting_before_it_ends(serve):
    sink = serve()
    outbox = Outbox(smtp(f"smtp://127.0.0.1:{sink.port}"), lambda _letter, _error: None)
    for number in range(3):
        outbox.send("jane@town.example", f"Letter {number}", "text")
    outbox.close()
    assert [message["Subject"] for message in sink.messages()] == ["Letter 0", "Letter 1", "Letter 2"]


def test_an_outbox_says_which_letter_was_not_sent_and_goes_on(serve):
    sink = serve()
    failed: list[tuple[Letter, ArchiveError]] = []
    outbox = Outbox(
        smtp(f"smtp://127.0.0.1:{sink.port}"), lambda letter, error: failed.append((letter, error))
    )
    outbox.send("nobody@town.example", "First", "text")
    outbox.send("jane@town.example", "Second", "text")
    outbox.close()
    assert [(letter.subject, type(error)) for letter, error in failed] == [("First", MailNotSent)]
    assert [message["Subject"] for message in sink.messages()] == ["Second"]


def test_an_outbox_refuses_a_bad_letter_at_once():
    outbox = Outbox(NoMail(), lambda _letter, _error: None)
    with pytest.raises(BadLetter):
        outbox.send("jane@town.example\nBcc: joe@town.example", "Hello", "text")
    outbox.close()


def test_an_outbox_that_is_full_says_so():
    on_its_way, go_on = threading.Event(), threading.Event()

    class Slow:
        def send(self, to: str, subject: str, text: str) -> None:
            on_its_way.set()
            assert go_on.wait(10)

    outbox = Outbox(Slow(), lambda _letter, _error: None, room=1)
    outbox.send("jane@town.example", "On its way", "text")
    assert on_its_way.wait(10)
    outbox.send("jane@town.example", "Waiting", "text")
    with pytest.raises(MailNotSent, match="too many letters are waiting"):
        outbox.send("jane@town.example", "One too many", "text")
    go_on.set()
    outbox.close()


# -- the two letters -------------------------------------------------------------------------------------------

AGENCY = Agency(
    name="Juneau Police\nDepartment", domain="town.example", timezone="America/Juneau", origin="town/1"
)
JANE = Officer(id=UUID(int=1), email="jane@town.example", name="Jane", roles=frozenset({Role.AUDITOR}))


def test_the_reset_letter_says_until_when_in_the_agencys_time_and_how_to_go_on():
    letter = reset_letter(AGENCY, JANE, "secret-1", NOON, base_url="https://archive.town.example/")
    assert letter.to == JANE.email
    assert letter.subject == "A new password for the archive of Juneau Police Department"
    assert f"\nhttps://archive.town.example{RESET_PATH}secret-1\n" in letter.text
    assert "12:00 on 3 May 2026 (America/Juneau)" in letter.text
    assert "If it was not you, there is nothing to do" in letter.text


def test_the_invitation_says_who_invites_and_until_when():
    boss = Officer(id=UUID(int=2), email="boss@town.example", name="", roles=frozenset({Role.ADMINISTRATOR}))
    letter = invitation_letter(
        AGENCY, JANE, "secret-2", NOON, by=boss, base_url="https://archive.town.example"
    )
    assert letter.to == JANE.email
    assert letter.text.startswith("boss@town.example has opened an account for you")
    assert f"\nhttps://archive.town.example{INVITATION_PATH}secret-2\n" in letter.text


def test_a_letter_reaches_the_sink_with_its_link_in_one_piece(serve):
    sink = serve()
    secret = "muniment-reset-" + "x" * 43
    letter = reset_letter(AGENCY, JANE, secret, NOON, base_url="https://archive.town.example")
    smtp(f"smtp://127.0.0.1:{sink.port}").send(letter.to, letter.subject, letter.text)
    assert f"https://archive.town.example{RESET_PATH}{secret}\n" in words(sink.messages()[0])


# -- from the question to the new password ----------------------------------------------------------------------


def test_the_link_in_the_mailbox_opens_the_account(serve, tmp_path):
    sink = serve()
    store = make(
        Settings(home=tmp_path / "home", _env_file=None),
        agency="Town Police",
        domain="town.example",
        timezone="America/Juneau",
        clock=FixedClock(NOON),
    )
    failed: list[ArchiveError] = []
    outbox = Outbox(smtp(f"smtp://127.0.0.1:{sink.port}"), lambda _letter, error: failed.append(error))
    with store.database.begin() as tx:
        chief = officers.first(store, tx, "chief@town.example").officer
    with store.database.begin() as tx:
        for email in ("nobody@town.example", chief.email):
            officers.ask_reset(store, tx, outbox, email, base_url="https://archive.town.example")
    outbox.close()
    (message,) = sink.messages()
    assert failed == []
    assert message["To"] == chief.email
    link = next(word for word in words(message).split() if word.startswith("https://"))
    with store.database.begin() as tx:
        secret = link.removeprefix(f"https://archive.town.example{RESET_PATH}")
        assert officers.reset(store, tx, secret, "a road that is open again") == chief
    with store.database.begin() as tx:
        outcome = officers.sign_in(store, tx, chief.email, "a road that is open again", address=None)
        assert isinstance(outcome, officers.SignedIn)
    store.database.close()
    store.keyring.database.close()
