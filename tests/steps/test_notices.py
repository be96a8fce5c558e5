"""Notices to custodians: sent, reminded, escalated, acknowledged over a link of which only the digest is kept."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.capture.deeds import Told
from app.holds import acts, letter, matters, noticing, placing, releasing
from app.holds.matters import Matter, NoSuchCustodian, NotYourMatter
from app.holds.noticing import AlreadyNotified, Notice, NoticeLinkSpent
from app.holds.placing import Hold, NoSuchHold
from app.officers import NoMail, mailer
from app.officers.mail import MailNotSent
from app.records.clock import FixedClock
from app.records.errors import Invalid
from app.store import Store, tables
from tests.sinks import Sink
from tests.steps.holding import Law
from tests.steps.on_paper import IN_EVERY_SCRIPT, count_of, is_pdf_a, needs_a_reader, read_aloud, stands
from tests.steps.rendering import HOSTILE
from tests.steps.test_capture import post

BASE = "https://archive.harrowfalls.example"
DAY = timedelta(days=1)


class Office(Law):
    """A law department with a mail server."""

    def __init__(self, store: Store, clock: FixedClock, sink: Sink) -> None:
        super().__init__(store, clock)
        self.sink = sink
        self.mailer = mailer(f"smtp://127.0.0.1:{sink.port}", "archive@harrowfalls.example", clock=clock)
        self.suit: Matter = self.matter("The fence")
        with store.database.begin() as tx:
            matters.name_custodian(
                store,
                tx,
                self.suit,
                "Pat Smith",
                "pat@harrowfalls.example",
                by=self.counsel,
                why="has drafts",
            )
        self.hold: Hold = self.place(self.suit, "fence").hold

    def notify(self, to: str = "pat@harrowfalls.example") -> Notice:
        with self.store.database.begin() as tx:
            return noticing.notify(self.store, tx, self.hold, to, by=self.counsel, why="must keep drafts")

    def send(self) -> int:
        return noticing.send(self.store, self.mailer, BASE)

    def notices(self) -> list[Notice]:
        with self.store.database.read() as tx:
            return noticing.listed(self.store, tx, self.hold)

    def link(self) -> str:
        """The secret in the newest letter to the custodian."""
        to_pat = [one for one in self.sink.messages() if "pat@harrowfalls.example" in str(one["To"])]
        found = re.search(rf"{re.escape(BASE)}/hold-notice/(\S+)", body(to_pat[-1]))
        assert found
        return found[1]

    def acknowledge(self, secret: str) -> Notice:
        with self.store.database.begin() as tx:
            return noticing.acknowledge(self.store, tx, secret).notice


def body(told: object) -> str:
    return told.get_content()  # type: ignore[attr-defined,no-any-return]  # the standard library's message


@pytest.fixture
def office(store: Store, clock: FixedClock, serve: Callable[..., Sink]) -> Office:
    return Office(store, clock, serve())


def test_a_notice_goes_once_and_says_what_to_keep_without_naming_the_matter(office: Office):
    office.notify()
    assert (office.send(), office.send()) == (1, 0)
    [told] = office.sink.messages()
    assert told["To"] == "pat@harrowfalls.example"
    assert "do not remove" in body(told)
    assert str(office.suit.id) in body(told)
    assert "counsel@harrowfalls.example" in body(told)
    assert "fence" not in body(told).replace(str(office.suit.id), "")
    assert [one.state for one in office.notices()] == ["sent"]


def test_opening_the_link_acknowledges_nothing_and_the_button_does_once(office: Office):
    office.notify()
    office.send()
    secret = office.link()
    with office.store.database.read() as tx:
        assert noticing.opened(office.store, tx, secret).notice.acknowledged_at is None
    first = office.acknowledge(secret)
    office.clock.at += DAY
    assert office.acknowledge(secret).acknowledged_at == first.acknowledged_at
    assert [one.state for one in office.notices()] == ["acknowledged"]
    office.clock.at += 30 * DAY
    assert office.send() == 0


def test_only_the_digest_of_the_secret_is_kept(office: Office, home: Path):
    office.notify()
    office.send()
    secret = office.link().encode()
    office.store.database.close()
    assert not any(secret in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_link_that_was_never_sent_opens_nothing(office: Office):
    office.notify()
    office.send()
    with pytest.raises(NoticeLinkSpent), office.store.database.begin() as tx:
        noticing.acknowledge(office.store, tx, "not-a-secret")


def test_reminders_go_with_new_links_and_then_the_attorney_is_told(office: Office):
    office.notify()
    office.send()
    first = office.link()
    office.clock.at += 3 * DAY - timedelta(seconds=1)
    assert office.send() == 0
    office.clock.at += timedelta(seconds=1)
    assert office.send() == 1
    assert "Reminder 1" in office.sink.messages()[-1]["Subject"]
    with pytest.raises(NoticeLinkSpent):
        office.acknowledge(first)
    office.clock.at += 4 * DAY
    assert office.send() == 1
    office.clock.at += 7 * DAY
    assert office.send() == 1
    assert {str(one["To"]) for one in office.sink.messages()[-2:]} == {
        "pat@harrowfalls.example",
        "counsel@harrowfalls.example",
    }
    assert [one.state for one in office.notices()] == ["escalated"]
    office.clock.at += 30 * DAY
    assert office.send() == 0
    office.acknowledge(office.link())
    assert [one.state for one in office.notices()] == ["acknowledged"]


def test_without_a_mail_server_a_notice_waits(office: Office):
    office.notify()
    assert noticing.send(office.store, NoMail(), BASE) == 0
    assert [one.state for one in office.notices()] == ["waiting"]
    assert office.send() == 1


def test_a_letter_that_the_server_does_not_take_comes_back_later(office: Office):
    office.notify()
    down = mailer("smtp://127.0.0.1:9", "archive@harrowfalls.example", clock=office.clock)
    assert noticing.send(office.store, down, BASE) == 0
    assert [one.failure for one in office.notices()] == ["mail-not-sent"]
    assert office.send() == 0
    office.clock.at += timedelta(minutes=3)
    assert office.send() == 1
    assert [one.failure for one in office.notices()] == [None]


def test_while_a_reminder_cannot_be_sent_the_link_of_the_letter_before_goes_on_working(office: Office):
    office.notify()
    office.send()
    first = office.link()
    office.clock.at += 3 * DAY
    down = mailer("smtp://127.0.0.1:9", "archive@harrowfalls.example", clock=office.clock)
    assert noticing.send(office.store, down, BASE) == 0
    assert office.acknowledge(first).state == "acknowledged"


def test_whoever_is_taken_off_the_list_is_reminded_no_more(office: Office):
    office.notify()
    office.send()
    secret = office.link()
    with office.store.database.begin() as tx:
        matters.excuse_custodian(
            office.store, tx, office.suit, "pat@harrowfalls.example", by=office.counsel, why="left the town"
        )
    office.clock.at += 3 * DAY
    assert office.send() == 0
    assert [one.state for one in office.notices()] == ["ended"]
    with office.store.database.read() as tx:
        assert noticing.waits(office.store, tx, by=office.counsel) == []
    with pytest.raises(NoticeLinkSpent):
        office.acknowledge(secret)


def test_who_is_no_custodian_is_named_first_and_nobody_is_told_twice(office: Office):
    with pytest.raises(NoSuchCustodian):
        office.notify("sam@harrowfalls.example")
    office.notify()
    with pytest.raises(AlreadyNotified):
        office.notify()
    with pytest.raises(NotYourMatter), office.store.database.begin() as tx:
        noticing.notify(office.store, tx, office.hold, "pat@harrowfalls.example", by=office.clerk, why="x")


def test_another_hold_of_the_matter_gives_notice_anew(office: Office):
    office.notify()
    office.send()
    office.acknowledge(office.link())
    more = office.place(office.suit, "gate").hold
    with office.store.database.begin() as tx:
        assert noticing.tell_of_change(office.store, tx, more, by=office.counsel, why="wider") == 1
    assert office.send() == 1
    assert "has changed" in office.sink.messages()[-1]["Subject"]
    with office.store.database.read() as tx:
        assert [one.kind for one in noticing.listed(office.store, tx, more)] == ["changed"]


def test_where_nobody_was_told_nobody_is_told_of_a_change(office: Office):
    more = office.place(office.suit, "gate").hold
    with office.store.database.begin() as tx:
        assert noticing.tell_of_change(office.store, tx, more, by=office.counsel, why="wider") == 0


def change(office: Office, verb: Callable[..., object] = matters.change, *what: object, **more: Any) -> None:
    """Change the matter as the doors do."""
    with office.store.database.begin() as tx:
        suit = matters.known_to_work(office.store, tx, office.suit.key)
        with noticing.telling(office.store, tx, suit, by=office.counsel, why="it changed"):
            verb(office.store, tx, suit, *what, by=office.counsel, why="it changed", **more)


def told(office: Office) -> list[tuple[str, str]]:
    return [(one.kind, one.state) for one in office.notices()]


def test_another_trigger_date_gives_notice_anew_and_asks_for_another_acknowledgement(office: Office):
    office.notify()
    office.send()
    first = office.link()
    office.acknowledge(first)
    change(office, trigger=date(2026, 1, 31))
    assert told(office) == [("notice", "acknowledged"), ("changed", "waiting")]
    assert office.send() == 1
    letter_now = office.sink.messages()[-1]
    assert "has changed" in str(letter_now["Subject"])
    assert "2026-01-31" in body(letter_now)
    assert told(office)[-1] == ("changed", "sent")
    office.clock.at += 3 * DAY
    assert office.send() == 1, "the new notice is reminded of, though the one before was acknowledged"
    office.acknowledge(office.link())
    assert told(office) == [("notice", "acknowledged"), ("changed", "acknowledged")]
    assert office.soundness() == []


def test_the_notice_before_a_change_is_over_and_not_reminded_of(office: Office):
    office.notify()
    office.send()
    first = office.link()
    change(office, trigger=date(2026, 1, 31))
    assert told(office) == [("notice", "ended"), ("changed", "waiting")]
    with pytest.raises(NoticeLinkSpent):
        office.acknowledge(first)
    assert office.send() == 1
    office.clock.at += 3 * DAY
    assert office.send() == 1, "one reminder, of the newest"
    assert office.soundness() == []


@pytest.mark.parametrize("same", ["a note", "its pages", "the same date"])
def test_a_change_of_which_the_letter_says_nothing_gives_no_notice(office: Office, same: str):
    change(office, trigger=date(2026, 1, 31))
    office.notify()
    office.send()
    office.acknowledge(office.link())
    match same:
        case "a note":
            change(office, note="counsel called")
        case "its pages":
            change(office, about=[])
        case _:
            change(office, trigger=date(2026, 1, 31))
    assert told(office) == [("notice", "acknowledged")]
    assert office.send() == 0


def test_a_letter_that_waits_says_the_new_date_and_goes_once(office: Office):
    office.notify()
    change(office, trigger=date(2026, 1, 31))
    assert told(office) == [("notice", "waiting")]
    assert office.send() == 1
    assert "2026-01-31" in body(office.sink.messages()[-1])
    assert "changes what you were told" not in body(office.sink.messages()[-1])


def test_a_letter_that_the_server_did_not_take_before_a_change_goes_once_as_the_first(office: Office):
    office.notify()
    noticing.send(
        office.store,
        mailer("smtp://127.0.0.1:9", "archive@harrowfalls.example", clock=office.clock),
        BASE,
    )
    change(office, trigger=date(2026, 1, 31))
    assert told(office) == [("notice", "ended"), ("notice", "waiting")]
    assert office.send() == 1
    office.clock.at += timedelta(hours=7)
    assert office.send() == 0
    assert len(office.sink.messages()) == 1


def test_whoever_is_excused_or_told_of_a_release_gets_no_notice_of_a_change(office: Office):
    office.notify()
    office.send()
    with office.store.database.begin() as tx:
        matters.excuse_custodian(
            office.store, tx, office.suit, "pat@harrowfalls.example", by=office.counsel, why="left"
        )
    change(office, trigger=date(2026, 1, 31))
    assert len(office.notices()) == 1
    change(office, matters.name_custodian, "Sam", "sam@harrowfalls.example")
    office.notify("sam@harrowfalls.example")
    office.send()
    release(office)
    office.send()
    before = len(office.notices())
    change(office, trigger=date(2026, 2, 1))
    assert len(office.notices()) == before
    assert office.soundness() == []


def test_every_hold_that_a_custodian_was_told_of_gives_its_own_notice_of_a_change(office: Office):
    office.notify()
    office.send()
    other = office.place(office.suit, "orchard").hold
    with office.store.database.begin() as tx:
        noticing.tell_of_change(office.store, tx, other, by=office.counsel, why="another hold")
    office.send()
    change(office, trigger=date(2026, 1, 31))
    assert office.send() == 2
    release(office)
    office.send()
    assert "Other notices that you were given go on" in body(office.sink.messages()[-1])


def test_a_release_tells_of_the_other_hold_though_its_newest_notice_is_not_sent_yet(office: Office):
    office.notify()
    office.send()
    other = office.place(office.suit, "orchard").hold
    with office.store.database.begin() as tx:
        noticing.tell_of_change(office.store, tx, other, by=office.counsel, why="another hold")
    office.send()
    release(office)
    change(office, trigger=date(2026, 1, 31))
    office.send()
    over = [body(one) for one in office.sink.messages() if "is over" in str(one["Subject"])]
    assert ["Other notices that you were given go on" in one for one in over] == [True]


def test_of_a_silent_matter_only_a_member_is_named_and_told_and_another_contact_gives_notice(
    office: Office,
):
    office.suit = office.matter("Sealed", silent=True, members=["second@harrowfalls.example"])
    change(office, matters.name_custodian, "Pat Smith", "pat@harrowfalls.example")
    office.hold = office.place(office.suit, "gate", by=office.second).hold
    office.notify()
    office.send()
    assert "Questions go to second@" in body(office.sink.messages()[-1])
    change(office, matters.dismiss, "second@harrowfalls.example")
    assert told(office) == [("notice", "ended"), ("changed", "waiting")]
    for wait in (timedelta(0), *noticing.REMINDERS):
        office.clock.at += wait
        assert office.send() == 1
    after = office.sink.messages()[1:]
    assert {str(one["To"]) for one in after} == {"pat@harrowfalls.example", "counsel@harrowfalls.example"}
    assert not any("second@" in body(one) for one in after)
    assert office.soundness() == []


def test_notices_end_with_their_hold(office: Office):
    office.notify()
    office.send()
    secret = office.link()
    with office.store.database.begin() as tx:
        releasing.ask(office.store, tx, office.hold, by=office.counsel, why="settled")
        releasing.approve(office.store, tx, office.hold, after=timedelta(0), by=office.second, why="settled")
    releasing.settle(office.store)
    assert [(one.kind, one.state) for one in office.notices()] == [
        ("notice", "ended"),
        ("released", "waiting"),
    ]
    assert office.send() == 1
    office.clock.at += 10 * DAY
    assert office.send() == 0
    with pytest.raises(NoticeLinkSpent):
        office.acknowledge(secret)


def release(office: Office, hold: Hold | None = None) -> None:
    with office.store.database.begin() as tx:
        now = placing.of_id(office.store, tx, (hold or office.hold).id)
        releasing.ask(office.store, tx, now, by=office.counsel, why="settled")
        releasing.approve(office.store, tx, now, after=timedelta(0), by=office.second, why="settled")
    releasing.settle(office.store)


def test_whoever_was_told_to_keep_is_told_in_writing_that_it_is_over(office: Office):
    office.notify()
    office.send()
    release(office)
    assert office.send() == 1
    told = office.sink.messages()[-1]
    assert str(told["To"]) == "pat@harrowfalls.example"
    assert "A notice of a hold is over" in str(told["Subject"])
    assert str(office.suit.id) in body(told)
    assert "You need not keep anything because of it" in body(told)
    assert "/hold-notice/" not in body(told)
    assert "The fence" not in body(told)
    for _ in range(4):
        office.clock.at += 10 * DAY
        assert office.send() == 0, "of a release nobody is reminded"
    assert office.soundness() == []


def test_where_another_notice_goes_on_the_letter_of_a_release_says_so(office: Office):
    office.notify()
    office.send()
    office.clock.at += DAY
    other = office.place(office.suit, "orchard").hold
    with office.store.database.begin() as tx:
        assert noticing.tell_of_change(office.store, tx, other, by=office.counsel, why="another hold") == 1
    office.send()
    release(office)
    office.send()
    assert "Other notices that you were given go on" in body(office.sink.messages()[-1])
    release(office, other)
    office.send()
    assert "You need not keep anything" in body(office.sink.messages()[-1])
    assert office.soundness() == []


def test_nobody_is_told_of_a_release_who_was_never_told_of_the_hold_or_is_excused(office: Office):
    office.notify()  # it waits for the mail server still
    release(office)
    assert [one.kind for one in office.notices()] == ["notice"]
    office.hold = office.place(office.suit, "orchard").hold
    office.notify()
    office.send()
    with office.store.database.begin() as tx:
        matters.excuse_custodian(
            office.store, tx, office.suit, "pat@harrowfalls.example", by=office.counsel, why="left"
        )
    release(office)
    assert office.send() == 0


def test_the_link_of_the_last_letter_works_though_the_attorney_cannot_be_told_of_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    office.notify()
    office.send()
    for wait in noticing.REMINDERS[:-1]:
        office.clock.at += wait
        assert office.send() == 1
    office.clock.at += noticing.REMINDERS[-1]
    whole = type(office.mailer).send

    def only_to_pat(self: Any, to: str, subject: str, text: str) -> None:
        if "pat@" not in to:
            raise MailNotSent("the mail server does not take it", next="Later.")
        whole(self, to, subject, text)

    monkeypatch.setattr(type(office.mailer), "send", only_to_pat)
    assert office.send() == 0
    assert office.acknowledge(office.link()).state == "acknowledged"


def test_addresses_of_custodians_stand_nowhere_in_the_clear(office: Office, home: Path):
    office.notify()
    office.send()
    assert office.count(tables.letters) == 0
    office.store.database.close()
    everything = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"pat@harrowfalls.example" not in everything


# -- the preservation letter -------------------------------------------------------------------------------


def written(office: Office, to: str = "Platform Ltd", address: Sequence[str] = ("1 Main Street",)) -> bytes:
    return letter.preservation(office.store, office.hold.id, to, address, by=office.counsel, why="sent today")


def acts_of(office: Office) -> list[Told]:
    with office.store.database.read() as tx:
        return acts.of_hold(office.store, tx, office.hold.id)


def test_a_preservation_letter_is_a_pdf_and_an_act(office: Office):
    office.shown(post("p1", "the fence"))
    content = written(office)
    assert is_pdf_a(content, part=2)
    told = read_aloud(content)
    assert "Platform Ltd" in told
    assert "1 Main Street" in told
    assert str(office.suit.id) in told
    assert "fence" not in told.replace("The fence", ""), "the words of the scope are counsel's own"
    last = acts_of(office)[-1]
    assert (last.text("act"), last.text("to")) == ("letter:written", "Platform Ltd")


def test_the_same_letter_is_the_same_bytes_at_every_time(office: Office):
    assert written(office) == written(office)
    first = written(office)
    office.clock.at += DAY
    assert written(office) != first


@needs_a_reader
def test_names_in_every_script_stand_in_a_letter(office: Office):
    """Of the agency, of whom it is addressed to, and of whoever signs; a sign that no font has is told by its number."""
    names = " and ".join(IN_EVERY_SCRIPT)
    renamed = dataclasses.replace(office.store.agency, name=f"Town of {names}")
    office.store = dataclasses.replace(office.store, agency=renamed)
    office.counsel = dataclasses.replace(office.counsel, name=f"Counsel {names}")
    told = read_aloud(written(office, f"Platform {names}", IN_EVERY_SCRIPT))
    for name in IN_EVERY_SCRIPT:
        assert stands(name, told), name
        assert count_of(name, told) >= 6, name  # thrice of the agency, with the foot; once of all others
    assert "?" not in told
    assert "\ufffd" not in told


def test_what_steers_a_line_is_shown_in_a_letter_and_steers_nothing(office: Office):
    hostile = HOSTILE.replace("\ud800", "")
    told = read_aloud(written(office, hostile, [hostile]))
    assert told.count("⟨U+202E⟩") >= 2
    assert not set(told) & {"\u202e", "\u2066", "\u200b", "\x1b"}


def test_a_letter_to_nobody_is_refused_and_leaves_no_act(office: Office):
    before = len(acts_of(office))
    with pytest.raises(Invalid, match="nobody"):
        written(office, " ")
    with pytest.raises(NotYourMatter):
        letter.preservation(office.store, office.hold.id, "Platform", [], by=office.clerk, why="x")
    assert len(acts_of(office)) == before


def test_a_hold_that_was_released_while_its_letter_was_set_has_none(office: Office, monkeypatch):
    before, pdf = len(acts_of(office)), letter._pdf

    def meanwhile(*asked: Any) -> bytes:
        with office.store.database.begin() as tx:
            releasing.end(tx, office.hold, office.hold.entry)
        return pdf(*asked)

    monkeypatch.setattr(letter, "_pdf", meanwhile)
    with pytest.raises(NoSuchHold):
        written(office)
    assert len(acts_of(office)) == before


def test_what_waits_is_listed_for_those_who_may_know(office: Office):
    office.notify()
    with office.store.database.read() as tx:
        assert [one.email for _, one in noticing.waits(office.store, tx, by=office.clerk)] == [
            "pat@harrowfalls.example"
        ]
    sealed = office.matter("Sealed", silent=True)
    assert placing.as_json(office.place(sealed, "x").hold, sealed, {})["matter_name"] == "Sealed"
