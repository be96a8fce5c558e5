"""Trusted time: timestamps of a real authority over the ledger's checkpoints, and of one that lies."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from app.records.clock import FixedClock
from app.store import Store, anchors, attempts, fixity
from app.store.anchors import Authority, BadAuthority, Request, TokenRefused, authorities
from app.store.asking import Asking, NotReached
from app.store.attempts import Standing, due
from app.store.ledger import Act
from app.store.tables import entries
from tests.steps.vouching import OTHER_POLICY, POLICY, Lie, Office, TimestampServer, asking, serving

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("authority") / "office", "Office of Time")


@pytest.fixture
def server(office: Office) -> Iterator[TimestampServer]:
    server = TimestampServer(office)
    with serving(server):
        yield server


@pytest.fixture
def ask() -> Iterator[Asking]:
    with asking() as asks:
        yield asks


@pytest.fixture
def clock() -> FixedClock:
    """Set to the machine's time once: openssl timestamps with no other."""
    return FixedClock(datetime.now(UTC))


def write(store: Store, number: int = 1) -> None:
    """Something happens in the archive."""
    with store.database.begin() as tx:
        for _ in range(number):
            store.ledger.act(tx, "page", by=None, why="test")


def done(store: Store) -> list[Act]:
    with store.database.read() as tx:
        return store.ledger.acts(tx)


def window(store: Store, *asked: Authority) -> anchors.Window:
    with store.database.read() as tx:
        return anchors.unanchored(store, tx, asked)


# -- a timestamp that both accept --------------------------------------------------------------------------


def test_a_checkpoint_is_timestamped_and_the_timestamp_is_an_entry_of_the_ledger(
    anywhere: Store, server: TimestampServer, ask: Asking
):
    write(anywhere)
    (authority,) = authorities(server.setting)
    told = anchors.anchor(anywhere, [authority], ask, by=None, why="test")
    (kept,) = told.kept
    assert told.failed == []
    assert abs(kept.at - anywhere.clock.now()) < timedelta(minutes=5)
    entry = next(act for act in done(anywhere) if act.type == "anchor")
    assert (entry.entry, entry.detail["authority"], entry.detail["policy"]) == (
        kept.entry,
        server.url,
        POLICY,
    )
    with anywhere.database.read() as tx:
        body = anywhere.ledger.entry(tx, kept.entry)
        assert f'"token":"{kept.digest.hex()}"'.encode() in body
        assert server.url.encode() not in body
        assert anchors.proven_by(tx, told.size - 1) == kept.at
        assert anchors.proven_by(tx, told.size) is None


def test_openssl_verifies_what_was_kept_over_the_checkpoint_as_the_ledger_signed_it(
    store: Store, server: TimestampServer, ask: Asking, tmp_path: Path, office: Office
):
    write(store)
    told = anchors.anchor(store, authorities(server.setting), ask, by=None, why="test")
    with store.database.read() as tx:
        (kept,) = anchors.over(tx, told.size)
        (tmp_path / "note").write_text(str(anchors.signed_note(tx, told.size)))
    (tmp_path / "token").write_bytes(kept.token)
    command = ["openssl", "ts", "-verify", "-data", "note", "-in", "token", "-CAfile", str(office.root)]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "note").write_text("another\n")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_a_policy_that_is_demanded_is_the_policy_of_the_token(
    store: Store, server: TimestampServer, ask: Asking
):
    write(store)
    asked = authorities(f"{server.setting}#{OTHER_POLICY}")
    told = anchors.anchor(store, asked, ask, by=None, why="test")
    assert len(told.kept) == 1
    assert done(store)[0].detail["policy"] == OTHER_POLICY


def test_every_request_has_a_nonce_of_its_own_and_is_what_openssl_reads(tmp_path: Path):
    asked = [Request.of(b"note", OTHER_POLICY) for _ in range(5)]
    assert len({one.nonce for one in asked}) == 5
    (tmp_path / "query").write_bytes(asked[0].encoded())
    command = ["openssl", "ts", "-query", "-in", "query", "-text"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert f"Nonce: 0x{asked[0].nonce:X}" in shown
    assert f"Policy OID: {OTHER_POLICY}" in shown
    assert "Certificate required: yes" in shown
    digest = hashlib.sha256(b"note").hexdigest()
    assert digest[:2] + " " + digest[2:4] in shown


# -- an authority that lies --------------------------------------------------------------------------------


def another_imprint(query: bytes) -> bytes:
    place = query.index(b"\x04\x20") + 2
    return query[:place] + bytes(32) + query[place + 32 :]


def another_nonce(query: bytes) -> bytes:
    return query[:-4] + bytes([query[-4] ^ 1]) + query[-3:]


def rejected(_reply: bytes) -> bytes:
    """PKIStatus rejection, and no token."""
    return bytes.fromhex("30053003020102")


LIES = {
    "another imprint": (Lie(query=another_imprint), "token-refused"),
    "another nonce": (Lie(query=another_nonce), "token-refused"),
    "garbage": (Lie(reply=lambda _: b"<html>busy</html>"), "token-refused"),
    "nothing": (Lie(reply=lambda _: b""), "token-refused"),
    "half of it": (Lie(reply=lambda reply: reply[: len(reply) // 2]), "token-refused"),
    "something after it": (Lie(reply=lambda reply: reply + b"\x00"), "token-refused"),
    "a signature that is not": (
        Lie(reply=lambda reply: reply[:-3] + bytes([reply[-3] ^ 4]) + reply[-2:]),
        "token-refused",
    ),
    "a refusal": (Lie(reply=rejected), "token-refused"),
    "an error": (Lie(status=500), "not-reached"),
    "a page": (Lie(media_type="text/html"), "not-reached"),
    "another address": (Lie(status=307, headers={"Location": "http://127.0.0.1:9/"}), "not-reached"),
    "too much": (Lie(reply=lambda _: bytes(300_000)), "not-reached"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_false_answer_is_not_kept_and_the_delay_is_a_fact(
    store: Store, server: TimestampServer, ask: Asking, name: str
):
    server.lie, code = LIES[name]
    write(store)
    asked = authorities(server.setting)
    told = anchors.anchor(store, asked, ask, by=None, why="test")
    assert told.kept == []
    assert [one.error.code for one in told.failed] == [code], told.failed[0].error
    newest = done(store)[0]
    assert (newest.type, newest.detail["failure"]) == ("anchor-delayed", code)
    assert [delay.failure for delay in window(store, *asked).delays] == [code]
    server.lie = Lie()
    told = anchors.anchor(store, asked, ask, by=None, why="test")
    assert len(told.kept) == 1
    assert window(store, *asked).delays == []


@pytest.mark.parametrize(
    "words", ["a certificate that has ended", "one for another purpose", "one of a stranger"]
)
def test_a_certificate_that_does_not_lead_to_the_trusted_root_is_refused(
    store: Store, server: TimestampServer, ask: Asking, tmp_path: Path, words: str
):
    write(store)
    liar = {
        "a certificate that has ended": lambda: Office(tmp_path / "liar", "Office of Time", ended=True),
        "one for another purpose": lambda: Office(
            tmp_path / "liar", "Office of Time", purpose=ExtendedKeyUsageOID.EMAIL_PROTECTION
        ),
        "one of a stranger": lambda: Office(tmp_path / "liar", "Office of Time"),
    }[words]
    try:
        server.lie = Lie(office=liar())
        server.lie.office.reply(Request.of(b"x").encoded())  # type: ignore[union-attr]  # set above
    except subprocess.CalledProcessError:
        # openssl's own authority refuses a certificate for another purpose; then nobody can lie so with it
        assert words == "one for another purpose"
        return
    roots = server.office.root if words == "one of a stranger" else tmp_path / "liar" / "root.pem"
    told = anchors.anchor(store, [Authority(server.url, roots)], ask, by=None, why="test")
    assert [one.error.code for one in told.failed] == ["token-refused"], told


def test_a_token_that_was_given_before_is_refused_when_it_is_given_again(
    store: Store, server: TimestampServer, ask: Asking, office: Office
):
    write(store)
    earlier = office.reply(Request.of(store.ledger.checkpoint().encode()).encoded())
    server.lie = Lie(reply=lambda _: earlier)
    told = anchors.anchor(store, authorities(server.setting), ask, by=None, why="test")
    assert [one.error.code for one in told.failed] == ["token-refused"]
    assert "nonce" in str(told.failed[0].error).lower()


def test_each_of_the_two_checks_alone_refuses_a_token_of_something_else(office: Office, store: Store):
    request, other = Request.of(b"note"), Request.of(b"another note")
    token = office.reply(request.encoded())
    roots, now = office.root.read_bytes(), store.clock.now()
    assert anchors.checked(token, request, roots, now).digest == hashlib.sha256(token).digest()
    with pytest.raises(TokenRefused, match="rfc3161-client"):
        anchors.checked(token, other, roots, now)
    with pytest.raises(TokenRefused, match="openssl"):
        anchors._openssl(token, other, office.root.read_text(), now)
    with pytest.raises(TokenRefused, match="openssl refuses"):  # by our own clock it has run out
        anchors.checked(token, request, roots, now + timedelta(days=60))


def test_an_authority_that_does_not_answer_in_time_is_not_waited_for(store: Store, office: Office):
    silent = TimestampServer(office)  # it listens, and nobody answers
    write(store)
    try:
        with asking(0.2) as ask:
            told = anchors.anchor(store, authorities(silent.setting), ask, by=None, why="test")
    finally:
        silent.server_close()
    assert [one.error.code for one in told.failed] == ["not-reached"]


def test_one_authority_that_fails_does_not_stop_the_other(
    store: Store, server: TimestampServer, ask: Asking, office: Office
):
    write(store)
    gone = Authority("http://127.0.0.1:9/tsr", office.root)
    told = anchors.anchor(store, [gone, *authorities(server.setting)], ask, by=None, why="test")
    assert (len(told.kept), [one.authority for one in told.failed]) == (1, [gone.name])
    assert isinstance(told.failed[0].error, NotReached)


def test_an_outage_has_one_entry_however_often_it_was_tried(store: Store, ask: Asking, office: Office):
    write(store)
    gone = Authority("http://127.0.0.1:9/tsr", office.root)
    for _ in range(4):
        anchors.anchor(store, [gone], ask, by=None, why="test")
    assert [act.type for act in done(store)].count("anchor-delayed") == 1


# -- when ----------------------------------------------------------------------------------------------------


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("active", "done", "failed", "expected"),
    [
        (0, None, None, False),
        (1, None, None, True),
        (1, 59 * MINUTE, None, False),
        (1, HOUR, None, True),
        (0, HOUR, None, False),
        (0, DAY, None, True),
        (1, None, 4 * MINUTE, False),
        (1, None, 5 * MINUTE, True),
        (1, 2 * HOUR, MINUTE, False),
        (1, -HOUR, None, True),
        (1, None, -HOUR, True),
        (0, -HOUR, None, False),
    ],
)
def test_who_is_due(active: int, done: timedelta | None, failed: timedelta | None, expected: bool):
    tried = NOON - failed if failed is not None else NOON - done if done is not None else None
    standing = Standing(
        whom="a",
        done=None if done is None else NOON - done,
        size=0,
        tried=tried,
        failure="not-reached" if failed is not None else None,
    )
    assert due(standing, active, NOON) is expected


@given(st.integers(1, 1000), st.timedeltas(HOUR, timedelta(days=4000)))
def test_an_active_ledger_never_waits_longer_than_an_hour(active: int, passed: timedelta):
    assert due(Standing("a", NOON - passed, 5, NOON - passed, None), active, NOON)


def test_minute_by_minute_it_asks_only_when_it_must(
    store: Store, server: TimestampServer, ask: Asking, clock: FixedClock
):
    asked = authorities(server.setting)
    write(store)
    assert anchors.minutely(store, asked, [], ask) is not None
    for _ in range(30):
        clock.at += MINUTE
        assert anchors.minutely(store, asked, [], ask) is None  # its own entry is no activity
    write(store)
    clock.at += 29 * MINUTE
    assert anchors.minutely(store, asked, [], ask) is None
    clock.at += MINUTE
    told = anchors.minutely(store, asked, [], ask)
    assert told is not None
    assert len(told.kept) == 1
    assert server.asked == 2
    assert anchors.minutely(store, [], [], ask) is None


# -- what rests on our own word ------------------------------------------------------------------------------


def test_the_window_says_how_much_nobody_else_vouches_for(
    store: Store, server: TimestampServer, ask: Asking, clock: FixedClock
):
    asked = authorities(server.setting)
    write(store, 3)
    before = window(store, *asked)
    assert (before.size, before.newest) == (0, None)
    assert before.entries >= 3
    anchors.anchor(store, asked, ask, by=None, why="test")
    covered = window(store, *asked)
    assert (covered.entries, covered.since) == (0, None)
    assert covered.newest is not None
    clock.at += 2 * HOUR
    write(store, 2)
    clock.at += HOUR
    open_ = window(store, *asked)
    assert open_.entries == 2
    assert open_.since == (clock.at - HOUR).replace(microsecond=0)
    assert open_.newest == covered.newest


def test_a_newer_timestamp_covers_the_entry_of_an_older_one(
    store: Store, server: TimestampServer, ask: Asking
):
    asked = authorities(server.setting)
    write(store)
    (first,) = anchors.anchor(store, asked, ask, by=None, why="test").kept
    write(store)
    (second,) = anchors.anchor(store, asked, ask, by=None, why="test").kept
    assert second.size > first.entry
    with store.database.read() as tx:
        assert anchors.first_over(tx, 0) == first.size
        assert anchors.newest_over(tx, first.entry) == second.size
        assert anchors.newest_over(tx, second.entry) is None


def test_the_database_itself_refuses_to_change_a_timestamp(
    anywhere: Store, server: TimestampServer, ask: Asking
):
    write(anywhere)
    anchors.anchor(anywhere, authorities(server.setting), ask, by=None, why="test")
    for table in ("anchors", "attempts"):
        for statement in (f"UPDATE {table} SET size = size", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="never change"), anywhere.database.begin() as tx:
                tx.execute(text(statement))


@pytest.mark.parametrize("column", ["token", "size"])
def test_a_timestamp_that_somebody_altered_in_the_database_is_found(
    store: Store, server: TimestampServer, ask: Asking, column: str
):
    asked = authorities(server.setting)
    for _ in range(2):
        write(store)
        anchors.anchor(store, asked, ask, by=None, why="test")
    assert list(anchors.wrong(store)) == []
    assert fixity.verify(store, full=True).findings == []
    with store.database.begin() as tx:
        tx.execute(text("DROP TRIGGER anchors_refuse_update"))
        other = f"(SELECT {column} FROM anchors ORDER BY key DESC LIMIT 1)"
        tx.execute(text(f"UPDATE anchors SET {column} = {other} WHERE key = 1"))
    assert [code for code, _, _ in anchors.wrong(store)] == ["token-altered"]


# -- the setting -----------------------------------------------------------------------------------------------


def test_authorities_are_named_with_commas_each_with_its_root_and_policy(tmp_path: Path):
    told = authorities(f"https://a.example/tsr, http://u:p@b.example#{tmp_path}/root.pem#1.2.3 ,")
    assert [one.name for one in told] == ["https://a.example/tsr", "http://b.example"]
    assert (told[1].roots, told[1].policy) == (tmp_path / "root.pem", "1.2.3")
    assert "p@" not in repr(told)
    assert authorities("") == []


@pytest.mark.parametrize("setting", ["ftp://a.example", "a.example", "https://a.example##one"])
def test_what_is_no_authority_is_refused(setting: str):
    with pytest.raises(BadAuthority):
        authorities(setting)


def test_an_authority_whose_roots_cannot_be_read_is_told_and_nothing_is_asked(
    store: Store, server: TimestampServer, ask: Asking, tmp_path: Path
):
    write(store)
    told = anchors.anchor(store, [Authority(server.url, tmp_path / "none")], ask, by=None, why="test")
    assert [one.error.code for one in told.failed] == ["bad-authority"]
    assert server.asked == 0


def test_a_password_in_an_address_is_written_down_nowhere(
    store: Store, server: TimestampServer, ask: Asking, office: Office
):
    write(store)
    url = server.url.replace("http://", "http://records:hunter2@")
    asked = [Authority(url, office.root), Authority("http://records:hunter2@127.0.0.1:9/", office.root)]
    told = anchors.anchor(store, asked, ask, by=None, why="test")
    assert (len(told.kept), len(told.failed)) == (1, 1)
    assert "hunter2" not in str(told)
    assert "hunter2" not in str(done(store))


def test_nothing_is_lost_when_the_process_ends_before_the_token_is_kept(
    store: Store, server: TimestampServer, ask: Asking, monkeypatch: pytest.MonkeyPatch
):
    """Token, entry and attempt are one transaction: all of them or none."""
    write(store)

    def killed(*_words: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(attempts, "note", killed)
    with pytest.raises(KeyboardInterrupt):
        anchors.anchor(store, authorities(server.setting), ask, by=None, why="test")
    with store.database.read() as tx:
        size = tx.execute(select(func.count()).select_from(entries)).scalar_one()
        assert size == store.ledger.size(tx) == 1
    assert window(store).size == 0
    monkeypatch.undo()
    assert len(anchors.anchor(store, authorities(server.setting), ask, by=None, why="test").kept) == 1
