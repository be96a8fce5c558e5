"""Nixle's feed, mails and pages over loopback: what they show, what they prove, and whose words stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import (
    Batch,
    Connector,
    Cursor,
    Finding,
    Gap,
    Kind,
    Observation,
    Page,
    Sighting,
    State,
)
from connectors.errors import AccessRevoked, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.http import Manners
from connectors.nixle import Nixle, mail, pages, rss
from connectors.nixle.links import NIXLE
from connectors.nixle.place import Place
from connectors.nixle.setting import Setting
from connectors.promises import ConnectorPromises, Pass, World
from tests.connectors.worlds.loopback import Passing
from tests.connectors.worlds.mail_client import MailingClient, Told
from tests.connectors.worlds.nixle_world import AGENCY, NUMBER, PASSWORD, SLUG, USER, Alert, PromisedNixle
from tests.connectors.worlds.visits import listings, seen
from tests.connectors.worlds.visits import sighted as sightings

MARKER = b"[[secret:password]]"


class _Promises(ConnectorPromises):
    routes: tuple[str, ...] = ()
    alerts = 3

    def world(self):
        self.now = PromisedNixle(*self.routes, alerts=self.alerts)
        return self.now

    def connector(self, client) -> Connector:
        return Nixle(Told(client), self.now.secrets, hosts=self.now.hosts)


class TestByFeed(_Promises):
    routes = ("feed",)
    alerts = 5

    def test_a_pass_of_a_small_world_takes_several_batches_so_that_it_can_be_broken_off(self) -> None:
        with self.world() as world:
            assert len(self._whole(world).batches) == 1, "a feed is one answer: it has no midst"

    def test_a_page_that_shifts_while_it_is_paged_misses_nothing(self) -> None:
        with self.world() as world:
            assert len(self._whole(world).answers) == 1, "a feed is one answer: nothing shifts in it"


class TestByMail(_Promises):
    routes = ("mail",)

    def _whole(self, world: World, since: Cursor | None = None) -> Pass:
        """A pass that nothing disturbs; where no mail came since, it observes nothing."""
        seen = self._observe(world, since)
        assert seen.error is None
        assert seen.observations or since is not None
        return seen


class TestByPage(_Promises):
    routes = ("page",)
    alerts = 4


class TestByFeedAndMail(_Promises):
    routes = ("feed", "mail")


class TestByEveryRoute(_Promises):
    routes = ("feed", "mail", "page")


del _Promises


# --- one visit after another --------------------------------------------------------------------------------


class Night:
    """A clock that moves on a second at each look."""

    def __init__(self) -> None:
        self.at = datetime(2026, 6, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


class Visit:
    """One connector at one agency, and what its passes yield."""

    def __init__(self, world: PromisedNixle, stack: ExitStack) -> None:
        self.world, self.stack, self.clock = world, stack, Night()
        passing = Passing()
        self.http = stack.enter_context(
            MailingClient(
                clock=self.clock,
                monotonic=passing.monotonic,
                wait=passing.wait,
                contact="records@town.example",
                secrets=world.secrets,
                manners=Manners(interval=timedelta(0), retries=0),
                **world.client_options,
            )
        )
        self.cursor: Cursor | None = None

    @property
    def connector(self) -> Nixle:
        return Nixle(self.http, self.world.secrets, hosts=self.world.hosts)

    def night(self) -> list[Batch]:
        """Observe from where the last night ended."""
        batches = list(self.connector.observe(self.world.page, self.cursor))
        self.cursor = batches[-1].resume_from
        return batches

    def anew(self) -> list[Batch]:
        """Observe from nothing."""
        return list(self.connector.observe(self.world.page, None))

    def look(self, *names: str) -> dict[str, Sighting]:
        asked = [(Kind.POST, name) for name in names]
        batches = list(self.connector.look(self.world.page, asked))
        return {one.native_id: one for batch in batches for one in batch.sightings}

    def check(self) -> list[Finding]:
        return list(self.connector.check(self.world.page))


Begin = Callable[..., Visit]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Start a world with these routes, empty unless it is told otherwise, and visit it."""
    with ExitStack() as stack:

        def start(*routes: str, alerts: int = 0, **more: Any) -> Visit:
            more = {"window": 4, "part": 3} | more
            return Visit(stack.enter_context(PromisedNixle(*routes, alerts=alerts, **more)), stack)

        yield start


def gaps(batches: Sequence[Batch]) -> list[Gap]:
    return [one for batch in batches for one in batch.gaps]


def version(one: Observation) -> object:
    return (one.text, one.html, one.author, tuple(one.attachments), one.state, one.edited_at, one.url)


def bytes_of(batches: Sequence[Batch], native_id: str) -> list[bytes]:
    return [
        batch.exchanges[span.exchange].body[span.start : span.end]
        for batch in batches
        for one in batch.observations
        if one.native_id == native_id
        for span in one.evidence
    ]


BODY = "<p>Harbor Street is closed.<br />Use &ldquo;Mole Road&rdquo; until Friday, the ferry runs.</p><p>Drive on.</p>"
WORDS = "Road closed\n\nHarbor Street is closed. Use \u201cMole Road\u201d until Friday, the ferry runs.\n\nDrive on."


# --- one alert, several routes --------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["feed", "mail", "page"])
def test_each_route_gives_the_same_words_author_and_address(begin: Begin, route: str) -> None:
    visit = begin(route)
    alert = visit.world.issue("Road closed", BODY)
    told = seen(visit.night())[str(alert.number)]
    assert told.text == WORDS
    assert told.url == f"{visit.world.address}/alert/{alert.number}/"
    assert told.author is not None
    assert (told.author.name, told.author.handle) == (AGENCY, SLUG)
    assert (told.html, tuple(told.attachments)) == (None, ())
    assert told.published_at is not None
    assert abs(told.published_at - alert.at) < timedelta(minutes=1)
    assert told.extra["words_by"] == route


def test_an_alert_that_feed_and_mail_show_is_one_record_with_the_bytes_of_both(begin: Begin) -> None:
    visit = begin("feed", "mail")
    alert = visit.world.issue("Road closed", BODY)
    night = visit.night()
    told = [one for batch in night for one in batch.observations if one.kind is Kind.POST]
    assert {one.native_id for one in told} == {str(alert.number)}
    assert len({version(one) for one in told}) == 1
    held = bytes_of(night, str(alert.number))
    assert visit.world.mail.folders["INBOX"][0].content.replace(PASSWORD.encode(), MARKER) in held
    assert any(one.startswith(b"<item>") for one in held)
    assert told[-1].extra["seen_by"] == ["feed", "mail"]


def test_a_mail_that_comes_after_the_feed_is_no_edit_also_where_the_feed_tells_less(begin: Begin) -> None:
    visit = begin("feed", "mail")
    visit.world.mails, visit.world.cuts_descriptions = False, 20
    alert = visit.world.issue("Road closed", BODY)
    before = seen(visit.night())[str(alert.number)]
    visit.world.send(alert)
    after = seen(visit.night())[str(alert.number)]
    assert version(after) == version(before)
    assert before.extra["seen_by"] == ["feed"]
    assert after.extra["seen_by"] == ["feed", "mail"]


def test_a_feed_that_shows_an_alert_after_its_mail_is_no_edit(begin: Begin) -> None:
    visit = begin("feed", "mail")
    visit.world.cuts_descriptions = 20
    alert = visit.world.issue("Road closed", BODY, public=False)
    before = seen(visit.night())[str(alert.number)]
    alert.public = True
    for _ in range(2):
        after = seen(visit.night())[str(alert.number)]
        assert version(after) == version(before)
        assert after.extra["words_by"] == "mail"


def test_where_the_mail_is_no_longer_in_the_mailbox_the_feed_speaks(begin: Begin) -> None:
    visit = begin("feed", "mail")
    visit.world.cuts_descriptions = 20
    alert = visit.world.issue("Road closed", BODY, public=False)
    visit.night()
    alert.public = True
    visit.world.mail.folders["INBOX"].clear()
    assert seen(visit.night())[str(alert.number)].extra["words_by"] == "feed"


def test_an_edit_in_the_feed_is_told_also_where_a_mail_spoke_before(begin: Begin) -> None:
    visit = begin("feed", "mail")
    alert = visit.world.issue("Road closed", BODY, public=False)
    visit.night()
    alert.public = True
    visit.night()
    alert.body = "<p>Open again.</p>"
    assert seen(visit.night())[str(alert.number)].text == "Road closed\n\nOpen again."


def test_a_second_mail_is_no_edit_of_what_the_feed_still_shows(begin: Begin) -> None:
    visit = begin("feed", "mail")
    alert = visit.world.issue("Road closed", BODY)
    before = seen(visit.night())[str(alert.number)]
    visit.world.send(alert, subject="Advisory Message: Reminder: road closed")
    assert version(seen(visit.night())[str(alert.number)]) == version(before)


def test_a_second_mail_is_an_edit_where_mails_are_all_there_is(begin: Begin) -> None:
    visit = begin("mail")
    alert = visit.world.issue("Road closed", BODY)
    visit.night()
    alert.body = "<p>CANCELLED: the road is open.</p>"
    visit.world.send(alert)
    assert seen(visit.night())[str(alert.number)].text == "Road closed\n\nCANCELLED: the road is open."


def test_a_time_of_publication_stays_what_was_said_first(begin: Begin) -> None:
    visit = begin("feed", "mail")
    alert = visit.world.issue("Road closed", BODY, public=False)
    first = seen(visit.night())[str(alert.number)].published_at
    alert.public = True
    assert seen(visit.night())[str(alert.number)].published_at == first != alert.at


def test_the_page_speaks_before_feed_and_mail(begin: Begin) -> None:
    visit = begin("feed", "mail", "page")
    visit.world.cuts_descriptions = 20
    alert = visit.world.issue("Road closed", BODY)
    told = seen(visit.night())[str(alert.number)]
    assert (told.text, told.extra["words_by"], told.extra["seen_by"]) == (
        WORDS,
        "page",
        ["page", "feed", "mail"],
    )


# --- the feed -------------------------------------------------------------------------------------------------


def test_a_listing_reaches_from_the_oldest_alert_of_the_feed_until_now(begin: Begin) -> None:
    visit = begin("feed", alerts=6)
    oldest = visit.world.shown()[3].at
    (told,) = listings(visit.night())
    assert (told.published_from, told.published_until) == (oldest + timedelta(seconds=1), None)
    assert told.kinds == [Kind.POST]


def test_with_mails_no_listing_makes_an_alert_absent_that_the_feed_never_showed(begin: Begin) -> None:
    visit = begin("feed", "mail", alerts=5)
    private = next(one for one in visit.world.alerts.values() if not one.public)
    for _ in range(2):
        night = visit.night()
        assert listings(night) == []
        assert sightings(night) == {}
    assert str(private.number) not in sightings(visit.night())


def test_with_mails_an_alert_that_left_the_midst_of_the_feed_is_absent(begin: Begin) -> None:
    visit = begin("feed", "mail", alerts=5)
    visit.night()
    removed = visit.world.remove()
    assert {name: one.state for name, one in sightings(visit.night()).items()} == {removed: State.ABSENT}
    assert sightings(visit.night()) == {}, "once is enough"


def test_an_alert_that_newer_ones_pushed_out_is_not_missing(begin: Begin) -> None:
    visit = begin("feed", "mail", alerts=5)
    visit.night()
    visit.world.issue("Another", "<p>One more.</p>")
    assert sightings(visit.night()) == {}


def test_with_permission_a_missing_alert_is_gone_where_its_page_says_so(begin: Begin) -> None:
    visit = begin("feed", "page", alerts=5)
    visit.night()
    removed = visit.world.remove()
    told = sightings(visit.night())[removed]
    assert (told.state, told.reason) == (State.GONE, "404 Not Found")


def test_an_empty_feed_makes_nothing_absent(begin: Begin) -> None:
    for routes in (("feed",), ("feed", "mail")):
        visit = begin(*routes, alerts=3)
        visit.night()
        visit.world.alerts.clear()
        night = visit.night()
        assert (listings(night), sightings(night)) == ([], {})
        assert [one.what for one in gaps(night)] == ["the alerts in the feed"]


def test_alerts_that_came_and_went_between_two_passes_are_a_gap(begin: Begin) -> None:
    visit = begin("feed", alerts=4)
    visit.night()
    for number in range(3):
        visit.world.issue(f"More {number}", "<p>More.</p>")
    assert gaps(visit.night()) == []
    for number in range(5):
        visit.world.issue(f"Even more {number}", "<p>More.</p>")
    (gap,) = gaps(visit.night())
    assert gap.until == visit.world.shown()[3].at


def test_short_links_are_led_to_their_alerts_and_asked_once(begin: Begin) -> None:
    visit = begin("feed", alerts=3)
    visit.world.short_links = True
    assert set(seen(visit.night())) == set(visit.world.shows())
    asked = len([one for one in visit.world.asked if one.startswith("/us/")])
    assert asked == 3
    visit.night()
    assert len([one for one in visit.world.asked if one.startswith("/us/")]) == asked


def test_a_short_link_that_leads_nowhere_is_a_gap_and_no_listing_is_given(begin: Begin) -> None:
    visit = begin("feed", alerts=3)
    visit.world.short_links = True
    lost = visit.world.shown()[1]
    visit.world.other[f"/us/{lost.code}"] = (404, {}, b"")
    night = visit.night()
    assert str(lost.number) not in seen(night)
    assert len(gaps(night)) == 1
    assert listings(night) == []


def test_a_short_link_is_asked_and_the_page_behind_it_is_not(begin: Begin) -> None:
    visit = begin("feed", alerts=3)
    visit.world.short_links = True
    visit.night()
    assert not [one for one in visit.world.asked if one.startswith("/alert/")]


def test_another_agencys_feed_is_not_taken_for_ours(begin: Begin) -> None:
    visit = begin("feed", alerts=2)
    visit.world.agency = "Some Other Sheriff"
    with pytest.raises(UnexpectedResponse, match="agency_id"):
        visit.night()


def test_a_feed_that_is_not_there_is_no_page_and_one_that_fails_is_asked_later(begin: Begin) -> None:
    visit = begin("feed", alerts=2)
    feed = f"/pubs/feeds/latest/{NUMBER}/"
    visit.world.other[feed] = (404, {}, b"")
    with pytest.raises(NoSuchPage):
        visit.night()
    visit.world.other[feed] = (503, {"Retry-After": "60"}, b"")
    with pytest.raises(TryAgainLater):
        visit.night()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"<rss><channel><title>x</title><item>",
        b"{}",
        b"<rss/><rss/>",
        b"\xff\xfe<\x00r\x00",
    ],
)
def test_what_is_no_whole_feed_is_unexpected_and_never_an_empty_one(begin: Begin, body: bytes) -> None:
    visit = begin("feed", alerts=2)
    visit.world.other[f"/pubs/feeds/latest/{NUMBER}/"] = (200, {}, body)
    with pytest.raises(UnexpectedResponse):
        visit.night()


def test_a_challenge_for_machines_revokes_nothing(begin: Begin) -> None:
    visit = begin("feed", alerts=2)
    visit.world.trouble, visit.world.patience = "forbid", 0
    with pytest.raises(UnexpectedResponse, match="403"):
        visit.night()


def item(title: str, description: str, number: int = 7, more: str = "") -> str:
    return (
        f"<item><title>{title}</title><link>https://local.nixle.com/alert/{number}/</link>"
        f"<description>{description}</description><pubDate>Wed, 01 Sep 2021 16:46:18 -0700</pubDate>{more}</item>"
    )


def document(items: str, prolog: str = '<?xml version="1.0" encoding="utf-8"?>') -> str:
    return f'{prolog}<rss version="2.0"><channel><title>Town &amp; Valley</title>{items}</channel></rss>\n'


def test_each_item_of_a_feed_has_its_own_bytes_whatever_the_letters_before_it() -> None:
    first, second = item("Größe \u2013 日本", "eins", 1), item("Two", "zwei", 2)
    body = document(first + second).encode()
    feed = rss.read(body, NIXLE)
    assert [body[slice(*one.span)].decode() for one in feed.items] == [first, second]
    assert feed.items[0].title == "Größe \u2013 日本"
    assert feed.items[0].published_at == datetime(2021, 9, 1, 23, 46, 18, tzinfo=UTC)
    assert feed.title == "Town & Valley"


def test_a_feed_is_read_in_the_encoding_that_it_declares() -> None:
    body = document(
        item("Caf\u00e9", "\u201cyes\u201d"), '<?xml version="1.0" encoding="windows-1252"?>'
    ).encode("cp1252")
    (told,) = rss.read(body, NIXLE).items
    assert (told.title, told.description) == ("Caf\u00e9", "\u201cyes\u201d")


def test_marked_sections_and_comments_are_not_taken_for_items() -> None:
    told = "<![CDATA[<p>about </item> and <item> &amp; <b>more</b></p>]]>"
    feed = rss.read(document(f"<!-- {item('not', 'this')} -->" + item("One", told)).encode(), NIXLE)
    (only,) = feed.items
    assert only.reading("7").text == "One\n\nabout and & more"


def test_no_entity_that_a_feed_declares_is_expanded() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    (only,) = rss.read(document(item("One &b;", "&b;&amp;"), bomb).encode(), NIXLE).items
    assert (only.title, only.description) == ("One &b;", "&b;&")


def test_an_item_without_a_time_is_read_and_its_time_is_not_guessed() -> None:
    told = item("One", "x").replace("Wed, 01 Sep 2021 16:46:18 -0700", "soon")
    assert rss.read(document(told).encode(), NIXLE).items[0].published_at is None


def test_words_that_look_like_tags_in_plain_text_are_kept() -> None:
    assert (
        rss.read(document(item("One", "5 &lt; 6 and 7 &gt; 3")).encode(), NIXLE).items[0].reading("7").text
        == "One\n\n5 < 6 and 7 > 3"
    )


# --- mail -----------------------------------------------------------------------------------------------------


def test_a_mail_of_somebody_else_is_never_read(begin: Begin) -> None:
    visit = begin("mail", alerts=1)
    world = visit.world
    senders = [
        '"Bank" <statements@bank.example>',
        f'"{SLUG}@emails.nixle.com" <forger@evil.example>',
        f'"{AGENCY}" <{SLUG}@emails.nixle.com.evil.example>',
        f'"{AGENCY}" <{SLUG}@nixle.com.evil.example>',
        '"Another Agency" <another-agency@emails.nixle.com>',
        "TheNixleTeam@emails.nixle.com",
        f'"{AGENCY}" <TheNixleTeam@emails.nixle.com>',
        f'"{AGENCY}" <{SLUG}@emails.nixle.com>, "x" <forger@evil.example>',
        '"Another" <alerts@everbridge.net>',
    ]
    alert = next(iter(world.alerts.values()))
    for sender in senders:
        forged = replace_number(alert, alert.number + 5000)
        world.send(forged, sender=sender)
    night = visit.night()
    assert set(seen(night)) == set(world.shows())
    bodies = [one.body for batch in night for one in batch.exchanges]
    assert not any(str(alert.number + 5000).encode() in body for body in bodies), "it was read all the same"
    assert visit.world.mail.changed == []


def test_everbridge_itself_may_send_where_it_names_the_agency(begin: Begin) -> None:
    visit = begin("mail")
    visit.world.mails = False
    alert = visit.world.issue("Road closed", BODY)
    visit.world.send(alert, sender=f'"{AGENCY.upper()}" <noreply@everbridge.net>')
    assert str(alert.number) in seen(visit.night())


def test_a_mail_that_says_that_another_agency_issued_it_is_a_gap(begin: Begin) -> None:
    visit = begin("mail")
    visit.world.mails = False
    alert = visit.world.issue("Road closed", BODY)
    visit.world.send(alert, issued_by="Some Other Sheriff")
    night = visit.night()
    assert str(alert.number) not in seen(night)
    assert "Some Other Sheriff" in gaps(night)[0].why


def test_a_mail_without_a_permalink_is_a_gap_and_no_alert(begin: Begin) -> None:
    visit = begin("mail")
    visit.world.mails = False
    visit.world.send(
        visit.world.issue("Welcome", "<p>Hello</p>"), permalink="https://www.nixle.com/about.html"
    )
    night = visit.night()
    assert seen(night) == {}
    assert len(gaps(night)) == 1


def test_an_alert_that_quotes_another_is_known_by_its_own_link(begin: Begin) -> None:
    visit = begin("mail")
    first = visit.world.issue("Road closed", BODY)
    link = f"{visit.world.address}/alert/{first.number}/"
    second = visit.world.issue("Update", f'<p>See <a href="{link}">{link}</a> for the first.</p>')
    assert set(seen(visit.night())) == {"profile", str(first.number), str(second.number)}


def test_an_older_mail_with_a_short_link_is_led_to_its_alert(begin: Begin) -> None:
    visit = begin("mail")
    visit.world.mails = False
    alert = visit.world.issue("Road closed", BODY)
    visit.world.send(alert, permalink=f"{visit.world.address}/us/{alert.code}", only="plain")
    assert str(alert.number) in seen(visit.night())


def test_a_mail_in_html_alone_is_read_through_its_wrapped_links(begin: Begin) -> None:
    visit = begin("mail")
    visit.world.mails = False
    alert = visit.world.issue("Road closed", BODY)
    visit.world.send(alert, only="html")
    assert seen(visit.night())[str(alert.number)].text == WORDS


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "utf-16"])
def test_the_letters_of_a_mail_are_read_in_its_own_charset(begin: Begin, charset: str) -> None:
    visit = begin("mail")
    visit.world.mails = False
    alert = visit.world.issue("Caf\u00e9 closed", "<p>Caf\u00e9 \u201cMole\u201d is closed.</p>")
    visit.world.send(alert, charset=charset, only="plain")
    assert (
        seen(visit.night())[str(alert.number)].text
        == "Caf\u00e9 closed\n\nCaf\u00e9 \u201cMole\u201d is closed."
    )


def test_a_mail_whose_charset_nobody_knows_is_read_all_the_same() -> None:
    body = (
        b"From: a@nixle.com\r\nSubject: =?x-unknown?q?A?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\n"
        b"Closed \xff\r\nhttps://local.nixle.com/alert/12/?sub_id=0.\r\n"
    )
    told = mail.read(body, NIXLE)
    assert (told.number, told.said_at) == ("12", None)
    assert told.body.startswith("Closed")


def test_a_mail_from_the_future_is_dated_by_its_receipt() -> None:
    body = (
        b"From: a@nixle.com\r\nSubject: A\r\nDate: Fri, 01 Jan 2100 00:00:00 +0000\r\n\r\n"
        b"https://local.nixle.com/alert/12/\r\n"
    )
    received = datetime(2026, 5, 1, tzinfo=UTC)
    assert mail.read(body, NIXLE).reading("12", received).published_at == received
    assert mail.read(body.replace(b"2100", b"2020").replace(b"Fri", b"Wed"), NIXLE).reading(
        "12", received
    ).published_at == datetime(2020, 1, 1, tzinfo=UTC)


def test_urgency_and_sender_are_told_beside_the_words(begin: Begin) -> None:
    visit = begin("mail")
    alert = visit.world.issue("Road closed", BODY, urgency="Community")
    extra = seen(visit.night())[str(alert.number)].extra
    assert (extra["urgency"], extra["headline"]) == ("community", "Road closed")
    assert extra["sender"] == f"{SLUG}@emails.nixle.com"
    assert str(extra["message_id"]).endswith("@emails.nixle.com>")


def test_mails_are_read_once_and_all_again_when_the_folder_counts_anew(begin: Begin) -> None:
    visit = begin("mail", alerts=2)
    assert len(seen(visit.night())) == 4
    assert seen(visit.night()) == {}
    visit.world.mail.validity += 1
    assert len(seen(visit.night())) == 4


def test_a_mail_that_vanishes_while_it_is_read_is_a_gap_and_stops_no_other(begin: Begin) -> None:
    visit = begin("mail", alerts=2)
    letters = visit.world.mail.folders["INBOX"]

    def vanish(command: str) -> None:
        if command == "UID FETCH" and visit.world.mail.said.count("UID FETCH") == 2:
            letters.pop(0)

    visit.world.mail.before = vanish
    night = visit.night()
    assert len(seen(night)) == 3
    assert len(gaps(night)) == 1


def test_the_mailbox_is_left_as_it_was(begin: Begin) -> None:
    visit = begin("feed", "mail", "page", alerts=3)
    visit.night()
    visit.check()
    assert visit.world.mail.said
    assert visit.world.mail.changed == []


def test_a_mailbox_that_nobody_connected_wants_a_person(begin: Begin) -> None:
    visit = begin("mail", alerts=1)
    with pytest.raises(AccessRevoked):
        list(Nixle(visit.http, {}, hosts=visit.world.hosts).observe(visit.world.page, None))


def test_an_access_token_is_read_anew_for_each_pass(begin: Begin) -> None:
    visit = begin("mail", alerts=1)
    secret = {"user": USER, "access_token": "first-token-of-the-hour"}
    connector = Nixle(visit.http, secret, hosts=visit.world.hosts)
    visit.world.mail.token = "first-token-of-the-hour"
    assert list(connector.observe(visit.world.page, None))
    visit.world.mail.token = secret["access_token"] = "second-token-of-the-hour"
    assert list(connector.observe(visit.world.page, None))


# --- the agency's page ------------------------------------------------------------------------------------------


def test_without_permission_no_page_is_asked(begin: Begin) -> None:
    visit = begin("feed", "mail", alerts=3)
    visit.night()
    assert visit.look(*(str(one) for one in visit.world.alerts)) == {}
    assert not [one for one in visit.world.asked if one.startswith(("/alert/", f"/{SLUG}"))]
    allowed = begin("page", alerts=3)
    allowed.night()
    assert [one for one in allowed.world.asked if one.startswith("/alert/")]


def test_an_address_that_is_hidden_otherwise_each_time_is_no_edit(begin: Begin) -> None:
    visit = begin("page")
    alert = visit.world.issue("Contact", "<p>Write to press@town.example today.</p>")
    before, after = seen(visit.night()), seen(visit.night())
    assert before[str(alert.number)].text == "Contact\n\nWrite to press@town.example today."
    assert version(before[str(alert.number)]) == version(after[str(alert.number)])


def test_an_alert_that_left_the_page_is_gone_by_its_own_address(begin: Begin) -> None:
    visit = begin("page", alerts=4)
    visit.night()
    removed = visit.world.remove()
    assert sightings(visit.night())[removed].state is State.GONE
    assert sightings(visit.night()) == {}


def test_a_page_that_asks_to_sign_in_proves_nothing(begin: Begin) -> None:
    visit = begin("page", alerts=2)
    name = str(next(iter(visit.world.alerts)))
    assert visit.look(name)[name].state is State.PRESENT
    visit.world.sign_in(after=0)
    assert visit.look(name)[name].state is State.UNKNOWN
    visit.world.recover()
    visit.world.alerts.clear()
    assert visit.look(name)[name].state is State.GONE


def test_an_alert_of_another_agency_is_unknown_to_us(begin: Begin) -> None:
    visit = begin("page", alerts=1)
    (number,) = visit.world.alerts
    other = pages_of("Some Other Sheriff", "some-other-sheriff")
    visit.world.other[f"/alert/{number}/"] = (200, {}, other)
    assert visit.look(str(number))[str(number)].state is State.UNKNOWN
    (gap,) = [gap for batch in visit.night() for gap in batch.gaps]
    assert (gap.native_id, "another agency" in gap.why) == (str(number), True)


def test_rows_in_a_new_markup_are_never_an_empty_list() -> None:
    page = b"<title>Messages from X : Nixle</title><ol id='wire'><div data-id='pub_12'>..</div></ol>"
    with pytest.raises(pages.NotThePage):
        pages.listing(page, 1)
    assert pages.listing(page.replace(b"pub_12", b"none"), 1).rows == []


def test_old_alerts_are_not_asked_again_and_young_ones_are(begin: Begin) -> None:
    visit = begin("page", alerts=9)
    visit.night()
    visit.clock.at += timedelta(days=40)
    visit.night()
    visit.world.asked.clear()
    visit.night()
    assert len([one for one in visit.world.asked if one.startswith("/alert/")]) == 3, (
        "the first part of the list"
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Wednesday September 9th, 2026 :: 11:43 a.m. PDT", datetime(2026, 9, 9, 18, 43, tzinfo=UTC)),
        ("Monday January 5th, 2026 :: 12:01 a.m. PST", datetime(2026, 1, 5, 8, 1, tzinfo=UTC)),
        ("Friday May 1st, 2026 :: noon EDT", datetime(2026, 5, 1, 16, 0, tzinfo=UTC)),
        ("Friday May 1st, 2026 :: midnight CDT", datetime(2026, 5, 1, 5, 0, tzinfo=UTC)),
        ("Saturday May 2nd, 2026 :: 3 p.m. HST", datetime(2026, 5, 3, 1, 0, tzinfo=UTC)),
        ("Entered: 5 days, 1 hour ago", None),
        ("Monday January 5th, 2026 :: 13:01 p.m. PST", None),
        ("Monday January 5th, 2026 :: 11:01 a.m. XYZ", None),
        ("Monday February 31st, 2026 :: 11:01 a.m. PST", None),
    ],
)
def test_a_page_writes_its_time_with_a_zone_and_anything_else_is_no_time(
    written: str, meant: datetime | None
) -> None:
    assert pages.moment(written) == meant


# --- what an officer says and is told ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("https://local.nixle.com/town-police/", {}),
        ("https://local.nixle.com/town-police/", {"agency_id": "town"}),
        ("https://town.example/", {"agency_id": "12"}),
        ("https://local.nixle.com/city/ca/town/", {"agency_id": "12"}),
        ("https://rss.nixle.com.evil.example/pubs/feeds/latest/12/", {}),
        ("https://rss.nixle.com/pubs/feeds/latest/12/", {"mailbox": "imap.town.example"}),
        ("https://rss.nixle.com/pubs/feeds/latest/12/", {"permission": "the mayor, 1 May"}),
    ],
)
def test_a_page_of_which_nothing_can_be_read_is_said_to_be_so(address: str, options: dict[str, str]) -> None:
    with pytest.raises(NoSuchPage):
        Setting.of(Page(address=address, options=options), NIXLE)


def test_the_address_of_a_feed_is_enough() -> None:
    for host in ("rss.nixle.com", "agency.nixle.com"):
        setting = Setting.of(Page(address=f"https://{host}/pubs/feeds/latest/3726/"), NIXLE)
        assert (setting.agency_id, setting.fed, setting.mailed, setting.permitted) == (
            "3726",
            True,
            False,
            False,
        )


def test_a_check_finds_all_well_where_it_is(begin: Begin) -> None:
    visit = begin("feed", "mail", "page", alerts=3)
    told = visit.check()
    assert len(told) == 4
    assert all(one.fine and not one.remedy for one in told)


def test_a_check_says_what_is_wrong_with_each_route(begin: Begin) -> None:
    visit = begin("feed", "mail", "page", alerts=3)
    visit.world.other[f"/pubs/feeds/latest/{NUMBER}/"] = (404, {}, b"")
    visit.world.other[f"/{SLUG}/"] = (404, {}, b"")
    visit.world.mail.folders = {"Other": []}
    told = visit.check()
    assert [one.fine for one in told] == [False, False, False]
    assert ["agency_id" in told[0].remedy, "folder" in told[1].remedy, "address" in told[2].remedy] == [
        True
    ] * 3


def test_a_check_says_that_no_alert_reaches_the_mailbox(begin: Begin) -> None:
    visit = begin("mail")
    (reads, arrives) = visit.check()
    assert reads.fine
    assert "Subscribe" in arrives.remedy


def test_a_check_says_that_options_lack(begin: Begin) -> None:
    visit = begin()
    (told,) = visit.check()
    assert "agency_id" in told.remedy


def test_what_is_remembered_does_not_grow_without_end(begin: Begin) -> None:
    visit = begin("feed", "mail", alerts=6)
    visit.night()
    long = len(visit.cursor or "")
    visit.clock.at += timedelta(days=200)
    visit.night()
    assert len(visit.cursor or "") < long
    assert set(Place.read(visit.cursor, visit.world.page.address).alerts) == {
        str(one.number) for one in visit.world.shown()[:4]
    }


@pytest.mark.parametrize("cursor", ["", "{}", "[]", '{"version":9}', "\ud800", '{"page":"elsewhere"}'])
def test_a_cursor_that_cannot_be_read_begins_from_nothing(cursor: str) -> None:
    assert Place.read(Cursor(cursor), "here") == Place(page="here")


# --- whatever a stranger wrote ----------------------------------------------------------------------------------

MARKUP = st.lists(
    st.sampled_from(
        [
            "<rss>",
            "</rss>",
            "<channel>",
            "<item>",
            "</item>",
            "<title>",
            "</title>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "&amp;",
            "&#0;",
            "<",
            '"',
            "<li id='pub_1'>",
            "</li>",
            "<div id='alert-body'>",
            "</div>",
            "é",
            "\n",
            "x",
        ]
    ),
    max_size=30,
).map("".join)


@given(MARKUP)
@settings(max_examples=80)
def test_whatever_is_published_is_read_or_refused(text: str) -> None:
    body = f"<rss><channel>{text}</channel></rss>".encode()
    with suppress(rss.NotTheFeed):
        for one in rss.read(body, NIXLE).items:
            assert body[slice(*one.span)].lower().startswith(b"<item")
            one.reading("1")
    with suppress(pages.NotThePage):
        pages.listing(f"<title>Messages from X : Nixle</title><ol id='wire'>{text}".encode(), 1)
    with suppress(pages.NotThePage):
        pages.alert(
            f"<dd class='certified'><a href='/x/'>X</a></dd><div id='alert-body'>{text}".encode(), "1"
        )


@given(st.binary(max_size=400))
@settings(max_examples=60)
def test_whatever_is_mailed_is_read_or_refused(raw: bytes) -> None:
    with suppress(mail.NotAnAlert):
        mail.read(raw + b"\r\n\r\nhttps://local.nixle.com/alert/12/\r\n" + raw, NIXLE).reading("12", None)
    mail.sender(raw)
    mail.sender_span(raw)


def replace_number(alert: Alert, number: int) -> Alert:
    return Alert(number, alert.headline, alert.body, alert.at, alert.urgency)


def pages_of(agency: str, slug: str) -> bytes:
    return (
        f'<dd class="certified"><a href="/{slug}/">{agency}</a></dd><div id="alert-body"><p>Words</p></div>'
    ).encode()
