"""MediaWiki, observed over loopback: every revision a version, what is hidden or deleted, and what is never proven."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from connectors.contract import (
    Author,
    Batch,
    Client,
    Connector,
    Cursor,
    Kind,
    Observation,
    Page,
    Sighting,
    State,
)
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.failing import AGAIN
from connectors.http import EvidenceClient
from connectors.mediawiki import MediaWiki, address, parse
from connectors.mediawiki.place import Known, Place
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.mediawiki_world import HTML, JSON, PIXEL, MediaWikiWorld, refused
from tests.connectors.worlds.visits import listings
from tests.connectors.worlds.visits import sighted as sightings


@contextmanager
def a_wiki_with_a_category() -> Iterator[MediaWikiWorld]:
    """A page with a talk page, and another page in its category; their files are left out."""
    with MediaWikiWorld() as world:
        world.options = {"category": "Notices", "files": "no"}
        world.outline_at_once = 2
        for hour in (4, 5):
            world.write(world.article, f"Closed until {hour}.\n\n== Detour ==\nLeft.")
        world.protect(1)
        world.write(f"Talk:{world.article}", "== Detour? ==\nWhich way? ~~~~", "Al Citizen")
        world.write("Old notice", "Snow.", categories=["Category:Notices"])
        yield world


@contextmanager
def a_wiki_that_knows_us() -> Iterator[MediaWikiWorld]:
    """A page with a picture and a longer history, read by somebody who may read what is deleted."""
    with MediaWikiWorld(connected=True) as world:
        world.rights = ("read", "deletedhistory", "deletedtext")
        world.words_at_once = 2
        world.write(world.article, "Closed.", files=[world.upload("Bridge.gif")])
        for level in ("sysop", "autoconfirmed", "sysop"):
            world.protect(1, level)
        yield world


class TestAsVisitorsSeeIt(ConnectorPromises):
    def world(self) -> AbstractContextManager[MediaWikiWorld]:
        return a_wiki_with_a_category()

    def connector(self, client: Client) -> Connector:
        return MediaWiki(client)


class TestConnected(ConnectorPromises):
    def world(self) -> AbstractContextManager[MediaWikiWorld]:
        return a_wiki_that_knows_us()

    def connector(self, client: Client) -> Connector:
        return MediaWiki(client, {"user": MediaWikiWorld.user, "password": MediaWikiWorld.password})


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    secret = {"user": MediaWikiWorld.user, "password": MediaWikiWorld.password}
    with evidence_client(secret) as client:
        yield client


@pytest.fixture
def world() -> Iterator[MediaWikiWorld]:
    with MediaWikiWorld() as wiki:
        yield wiki


class Visit:
    """One connector at one wiki, pass after pass."""

    def __init__(
        self, world: MediaWikiWorld, http: Client, *, connected: bool = False, **options: str
    ) -> None:
        world.connected = connected
        self.connector = MediaWiki(http, world.secrets)
        self.world = world
        self.options = options
        self.cursor: Cursor | None = None

    @property
    def page(self) -> Page:
        return replace(self.world.page, options=self.options)

    def observe(self) -> list[Batch]:
        self.world.asked.clear()
        batches: list[Batch] = []
        for batch in self.connector.observe(self.page, self.cursor):
            batches.append(batch)
            self.cursor = batch.resume_from
        return batches

    def look(self, *native_ids: str) -> dict[str, Sighting]:
        batches = list(self.connector.look(self.page, [(Kind.POST, one) for one in native_ids]))
        return {one.native_id: one for batch in batches for one in batch.sightings}


def versions(batches: Sequence[Batch], native_id: str) -> list[Observation]:
    return [one for batch in batches for one in batch.observations if one.native_id == native_id]


def latest(batches: Sequence[Batch]) -> dict[str, Observation]:
    return {one.native_id: one for batch in batches for one in batch.observations}


def gaps(batches: Sequence[Batch]) -> list[tuple[str, str]]:
    return [(one.what, one.why) for batch in batches for one in batch.gaps]


def revisions_in(batches: Sequence[Batch], native_id: str) -> list[object]:
    return [one.extra["revision"] for one in versions(batches, native_id)]


def asked_for_words(world: MediaWikiWorld) -> list[str]:
    return [asked["revids"] for asked in world.asked if "revids" in asked]


# --- revisions --------------------------------------------------------------------------------------------


def test_each_revision_is_a_version_with_its_author_summary_times_and_lasting_address(world, http):
    world.write("Road closure", "Closed until six.", comment="new notice")
    world.write("Road closure", "Closed until nine. \U0001f6a7", "Al Citizen", "time changed")

    batches = Visit(world, http).observe()
    first, second = versions(batches, "page:1")

    assert (first.kind, first.state, first.text) == (
        Kind.POST,
        State.PRESENT,
        "Road closure\n\nClosed until six.",
    )
    assert (first.author, second.author) == (
        Author(id="3", name="PressOffice"),
        Author(id="7", name="Al Citizen"),
    )
    assert (first.extra["summary"], second.extra["summary"]) == ("new notice", "time changed")
    assert first.published_at == second.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert (first.edited_at, second.edited_at) == (None, datetime(2026, 3, 1, 8, 2, tzinfo=UTC))
    assert (first.url, second.url) == (
        f"{world.base}/w/index.php?oldid=1",
        f"{world.base}/w/index.php?oldid=2",
    )
    assert second.text.endswith("\U0001f6a7")
    assert gaps(batches) == []


def test_the_first_batch_introduces_the_wiki_and_the_page(world, http):
    world.write("Road closure", "Kept by the ''Department''.\n\n== Today ==\nClosed.")
    world.protect(1)

    first = Visit(world, http).observe()[0]
    site, about = first.observations

    assert (site.native_id, site.kind, site.text) == (
        "site",
        Kind.PROFILE,
        "Test City Wiki\n\nPublic domain",
    )
    assert (about.native_id, about.kind) == ("about:1", Kind.PROFILE)
    assert (
        about.text
        == "Road closure\n\nKept by the ''Department''.\n\nProtection: edit by sysop until infinity"
    )


def test_every_version_names_the_bytes_of_its_own_revision(world, http):
    world.write("Road closure", "one")
    world.write("Road closure", "two")

    for batch in Visit(world, http).observe():
        for one in batch.observations:
            if one.native_id == "page:1":
                span = one.evidence[0]
                said = batch.exchanges[span.exchange].body[span.start : span.end]
                assert f'"revid":{one.extra["revision"]},'.encode() in said
                assert said.count(b'"revid"') == 1


def test_a_night_in_which_nothing_changed_reads_no_words_again(world, http):
    world.write("Road closure", "Closed.")
    world.write("Talk:Road closure", "Why?")
    visit = Visit(world, http)
    visit.observe()

    quiet = visit.observe()

    assert asked_for_words(world) == []
    assert versions(quiet, "page:1") == []
    assert {name: one.state for name, one in sightings(quiet).items()} == {
        "page:1": State.PRESENT,
        "page:2": State.PRESENT,
    }
    assert len(listings(quiet)) == 1


def test_an_edit_is_read_alone_and_what_was_read_before_is_not_repeated(world, http):
    world.write("Road closure", "Closed until six.")
    world.write("Road closure", "Closed until nine.")
    visit = Visit(world, http)
    visit.observe()
    world.write("Road closure", "Open.")
    world.write("Road closure", "Closed again.")

    assert revisions_in(visit.observe(), "page:1") == [3, 4]


def test_a_history_that_is_broken_off_goes_on_where_it_stopped_in_the_same_order(world, http):
    for hour in range(120):
        world.write("Road closure", f"Closed until {hour}.")
    visit = Visit(world, http)
    asked = iter(range(100))
    down = (503, {**HTML, "Retry-After": "3600"}, b"")
    world.trouble = lambda query: down if "revids" in query and next(asked) >= 1 else None
    broken: list[Batch] = []
    with pytest.raises(TryAgainLater):
        broken.extend(visit.connector.observe(visit.page, None))
    visit.cursor = broken[-1].resume_from
    world.trouble = None
    resumed = visit.observe()

    assert revisions_in(broken, "page:1") == list(range(1, 51))
    assert revisions_in(resumed, "page:1") == list(range(51, 121))
    assert not listings(broken)
    assert len(listings(resumed)) == 1


def test_a_long_history_is_outlined_and_read_over_several_answers(world, http):
    world.outline_at_once, world.words_at_once = 4, 3
    for hour in range(11):
        world.write("Road closure", f"Closed until {hour}.")

    batches = Visit(world, http).observe()

    assert revisions_in(batches, "page:1") == list(range(1, 12))
    assert latest(batches)["history:1"].counts == {"revisions": 11}


def test_a_revision_that_was_imported_later_is_read_and_the_newest_stays_the_newest(world, http):
    world.write("Road closure", "Closed until six.")
    world.write("Road closure", "Closed until nine.")
    visit = Visit(world, http)
    visit.observe()
    number = world.import_into(1, "Closed until seven.", 0.5)

    assert revisions_in(visit.observe(), "page:1") == [number, 2]
    assert revisions_in(visit.observe(), "page:1") == []


def test_a_change_in_the_second_of_the_answer_is_seen_by_the_next_pass(world, http):
    world.settles = timedelta(0)
    world.write("Road closure", "Closed.")
    world.write("Road closure", "Closed until nine.")
    visit = Visit(world, http)
    visit.observe()
    # Hidden within the second in which the page was read: its time of change stays the same.
    world.revision(1, 0).hidden = frozenset({"text"})

    seen = visit.observe()

    assert "Revision 1" in latest(seen)["history:1"].text
    world.settles = timedelta(hours=1)
    visit.observe()
    assert versions(visit.observe(), "page:1") == []


def test_a_revision_that_vanishes_while_it_is_read_is_a_gap(world, http):
    for hour in range(3):
        world.write("Road closure", f"Closed until {hour}.")

    def vanish(asked: dict[str, str]) -> None:
        if "revids" in asked:
            world.sheets[1].revisions = [one for one in world.sheets[1].revisions if one.revid != 2]

    world.before = vanish
    batches = Visit(world, http).observe()

    assert revisions_in(batches, "page:1") == [1, 3]
    assert gaps(batches) == [
        ("the text of revision 2 of Road closure", "it was removed from the history while it was read")
    ]


def test_only_the_revisions_from_a_day_on_are_read_where_the_page_says_so_and_the_rest_is_a_gap(world, http):
    world.write("Road closure", "Old.")
    world.tick(60 * 24 * 30)
    world.write("Road closure", "New.")
    visit = Visit(world, http, history_from="2026-03-15")

    batches = visit.observe()

    assert revisions_in(batches, "page:1") == [2]
    assert [what for what, _ in gaps(batches)] == ["1 revisions of Road closure"]
    assert gaps(visit.observe()) == []


# --- hidden -----------------------------------------------------------------------------------------------


def test_a_revision_hidden_after_it_was_read_keeps_its_words_and_the_hiding_is_told(world, http):
    world.write("Road closure", "Call Jo at 555-0100.")
    world.write("Road closure", "Call the hall.")
    visit = Visit(world, http)
    before = visit.observe()
    assert latest(before)["history:1"].text == "Nothing of the history is hidden."
    world.hide(1, 0, "text", "comment")

    after = visit.observe()

    assert revisions_in(after, "page:1") == [2]
    assert latest(after)["history:1"].text == "Revision 1 of 2026-03-01T08:01:00+00:00: text, summary hidden"
    told = latest(after)["log:1"]
    assert (told.kind, told.in_reply_to, told.author) == (
        Kind.PROFILE,
        "page:1",
        Author(id="1", name="Admin"),
    )
    assert told.text == "delete/revision: Road closure\n\nprivate details"
    assert gaps(after) == []


def test_a_text_hidden_before_it_was_read_is_a_gap_and_never_an_empty_text(world, http):
    world.write("Road closure", "Call Jo at 555-0100.")
    world.write("Road closure", "Call the hall.")
    world.hide(1, 0, "text")

    batches = Visit(world, http).observe()

    assert revisions_in(batches, "page:1") == [2]
    (gap,) = [gap for batch in batches for gap in batch.gaps]
    assert gap.native_id == "page:1"
    assert gap.since == gap.until == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert gap.why == "the wiki hides it, and did so before it was read"


def test_an_administrator_reads_a_hidden_text_and_it_is_hidden_there(world, http):
    world.write("Road closure", "Call Jo at 555-0100.")
    world.write("Road closure", "Call the hall.")
    world.hide(1, 0, "text", "user")

    batches = Visit(world, http, connected=True).observe()
    first, second = versions(batches, "page:1")

    assert (first.state, first.text) == (State.HIDDEN, "Road closure\n\nCall Jo at 555-0100.")
    assert first.extra["hidden"] == ["text", "user"]
    assert (second.state, second.text) == (State.PRESENT, "Road closure\n\nCall the hall.")
    assert gaps(batches) == []


def test_a_revision_whose_author_and_summary_are_hidden_is_read_without_them(world, http):
    world.write("Road closure", "Closed.", "Jo Public", "my number is 555-0100")
    world.write("Road closure", "Closed until nine.")
    world.hide(1, 0, "user", "comment")

    first, _ = versions(Visit(world, http).observe(), "page:1")

    assert (first.state, first.author, first.text) == (State.PRESENT, Author(), "Road closure\n\nClosed.")
    assert first.extra["hidden"] == ["user", "summary"]
    assert "summary" not in first.extra


def test_a_suppressed_revision_is_noticed_although_no_log_tells_of_it(world, http):
    world.write("Road closure", "Call Jo.")
    world.write("Road closure", "Call the hall.")
    visit = Visit(world, http)
    visit.observe()
    world.hide(1, 0, "text")
    world.revision(1, 0).suppressed = True
    world.log.clear()

    text = latest(visit.observe())["history:1"].text

    assert text.endswith("text hidden (from the wiki's own administrators too)")


def test_a_text_that_the_wiki_itself_has_lost_is_a_gap(world, http):
    world.write("Road closure", "Closed.")
    world.write("Road closure", "Open.")
    world.revision(1, 0).lost = True

    assert gaps(Visit(world, http).observe()) == [
        ("the text of revision 1 of Road closure", "the wiki itself has lost it")
    ]


# --- deleted, restored, moved -----------------------------------------------------------------------------


def test_a_deleted_page_is_gone_by_the_word_of_the_deletion_log(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http, titles="Rumour")
    visit.observe()
    entry = world.delete(notice, "not ours to say")

    seen = visit.observe()
    told = sightings(seen)[f"page:{notice}"]

    assert told.state is State.GONE
    assert told.reason == (
        f"missing; log entry {entry}, delete/delete by Admin, 2026-03-01T08:03:00+00:00: not ours to say"
    )
    assert sightings(seen)[f"about:{notice}"].state is State.GONE
    assert latest(seen)[f"log:{entry}"].text.endswith("not ours to say")
    assert visit.look(f"page:{notice}", f"about:{notice}") == {
        name: replace(told, native_id=name, exchange=one.exchange)
        for name, one in visit.look(f"page:{notice}", f"about:{notice}").items()
    }
    assert f"page:{notice}" not in sightings(visit.observe())


def test_a_page_that_is_missing_and_of_which_no_log_tells_is_not_gone(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http, titles="Rumour")
    visit.observe()
    world.suppress(notice)

    seen = visit.observe()

    assert sightings(seen)[f"page:{notice}"].state is State.UNKNOWN
    assert len(listings(seen)) == 1
    assert visit.look(f"page:{notice}")[f"page:{notice}"].state is State.UNKNOWN


def test_an_administrator_sees_a_deleted_page_hidden_with_what_was_said_last(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http, connected=True, titles="Rumour")
    visit.observe()
    world.write("Rumour", "They say that Al did it.")
    world.delete(notice)

    seen = visit.observe()

    (last,) = versions(seen, f"page:{notice}")
    assert (last.state, last.text) == (State.HIDDEN, "Rumour\n\nThey say that Al did it.")
    assert sightings(seen)[f"about:{notice}"].state is State.HIDDEN
    assert State.GONE not in {one.state for one in sightings(seen).values()}


def test_a_restored_page_is_present_again(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http, titles="Rumour")
    visit.observe()
    world.delete(notice)
    visit.observe()
    world.restore(notice)

    seen = visit.observe()
    (again,) = versions(seen, f"page:{notice}")

    assert {sightings(seen)[f"{of}:{notice}"].state for of in ("page", "about", "history")} == {State.PRESENT}
    assert (again.state, again.text) == (State.PRESENT, "Rumour\n\nThey say.")


@pytest.mark.parametrize("connected", [False, True], ids=["visitor", "administrator"])
def test_no_batch_says_how_a_record_stands_that_it_observes_too(world, http, connected):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http, connected=connected, titles="Rumour")
    passes = [visit.observe()]
    for happens in (world.delete, world.restore, world.delete):
        if notice in world.sheets:
            world.write("Rumour", "They say more.")
        happens(notice)
        passes.append(visit.observe())

    stands = State.HIDDEN if connected else State.GONE
    told = [sightings(batches)[f"page:{notice}"].state for batches in passes[1:]]
    assert told == [stands, State.PRESENT, stands]
    for batch in (one for batches in passes for one in batches):
        observed = {one.native_id for one in batch.observations}
        assert not observed & {one.native_id for one in batch.sightings}


def test_a_pass_that_breaks_while_a_restored_page_is_read_leaves_its_return_to_the_next(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http, titles="Rumour")
    visit.observe()
    world.delete(notice)
    visit.observe()
    world.restore(notice)
    for batch in visit.connector.observe(visit.page, visit.cursor):
        visit.cursor = batch.resume_from
        if revisions_in([batch], f"page:{notice}"):
            break

    assert sightings(visit.observe())[f"page:{notice}"].state is State.PRESENT


def broken_off_after_the_introductions(visit: Visit) -> None:
    """A pass that keeps how the pages stand, and reads none of them."""
    for batch in visit.connector.observe(visit.page, visit.cursor):
        visit.cursor = batch.resume_from
        if any(one.native_id == "about:2" for one in batch.observations):
            return


def test_a_page_that_is_deleted_after_its_introduction_alone_was_kept_is_gone_with_it(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Old notice", "Boil it.")
    visit = Visit(world, http, titles="Old notice")
    broken_off_after_the_introductions(visit)
    world.delete(notice)

    batches = visit.observe()

    assert sightings(batches)["about:2"].state is State.GONE
    ((what, why),) = gaps(batches)
    assert what == "the wiki page Old notice"
    assert why.startswith("it was deleted before it was read: missing; log entry 1")
    assert gaps(visit.observe()) == []


def test_a_page_that_is_there_still_after_its_introduction_alone_was_kept_is_read_whole(world, http):
    world.write("Road closure", "Closed.")
    world.write("Old notice", "Boil it.")
    world.write("Old notice", "Drink it.")
    visit = Visit(world, http, titles="Old notice")
    broken_off_after_the_introductions(visit)

    batches = visit.observe()

    assert revisions_in(batches, "page:2") == [2, 3]
    assert gaps(batches) == []


def test_an_administrator_reads_what_was_deleted_after_its_introduction_alone_was_kept(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Old notice", "Boil it.")
    visit = Visit(world, http, connected=True, titles="Old notice")
    broken_off_after_the_introductions(visit)
    world.delete(notice)

    batches = visit.observe()

    (one,) = versions(batches, "page:2")
    assert (one.state, one.text) == (State.HIDDEN, "Old notice\n\nBoil it.")
    assert gaps(batches) == []


def test_a_page_made_again_under_a_deleted_title_is_another_record(world, http):
    world.write("Road closure", "Closed.")
    old = world.write("Rumour", "They say.")
    visit = Visit(world, http, titles="Rumour")
    visit.observe()
    world.delete(old)
    new = world.write("Rumour", "They say again.")

    seen = visit.observe()

    assert sightings(seen)[f"page:{old}"].state is State.GONE
    assert [one.text for one in versions(seen, f"page:{new}")] == ["Rumour\n\nThey say again."]


def test_what_was_deleted_before_it_was_read_is_a_gap_that_names_the_log_once(world, http):
    world.write("Road closure", "Closed.")
    lost = world.write("Talk:Road closure", "A complaint.", "Al Citizen")
    entry = world.delete(lost, "rude")
    visit = Visit(world, http)

    first, second = visit.observe(), visit.observe()

    ((what, why),) = gaps(first)
    assert what == "the wiki page Talk:Road closure"
    assert f"log entry {entry}" in why
    assert latest(first)[f"log:{entry}"].text.endswith("rude")
    assert gaps(second) == []


def test_what_was_deleted_before_the_first_pass_is_read_by_an_administrator(world, http):
    world.write("Road closure", "Closed.")
    lost = world.write("Talk:Road closure", "A complaint.", "Al Citizen")
    world.delete(lost, "rude")
    other = world.write("Talk:Road closure", "Another.", "Al Citizen")
    world.delete(other, "rude as well")

    batches = Visit(world, http, connected=True).observe()

    assert [(one.state, one.text) for one in versions(batches, f"page:{lost}")] == [
        (State.HIDDEN, "Talk:Road closure\n\nA complaint.")
    ]
    assert [one.text for one in versions(batches, f"page:{other}")] == ["Talk:Road closure\n\nAnother."]
    assert gaps(batches) == []


def test_a_moved_page_stays_the_same_record_and_its_redirect_is_another(world, http):
    world.write("Road closure", "Closed.")
    visit = Visit(world, http)
    visit.observe()
    world.move(1, "Bridge closure")

    seen = visit.observe()

    assert [one.text for one in versions(seen, "page:1")] == ["Bridge closure\n\nClosed."]
    assert latest(seen)["page:2"].text == "Road closure\n\n#REDIRECT [[Bridge closure]]"
    assert latest(seen)["log:1"].text == "move/move: Road closure\nBridge closure\n\nclearer"
    assert gaps(seen) == []


def test_a_page_deleted_under_a_later_title_is_found_in_the_log_of_that_title(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http, titles="Rumour")
    visit.observe()
    world.move(notice, "Hearsay", redirect=False)
    world.delete(notice)

    assert sightings(visit.observe())[f"page:{notice}"].state is State.GONE


def test_a_redirect_is_captured_with_the_page_that_it_leads_to(world, http):
    world.write("Harrow Falls Police", "We serve.")
    world.write("Road closure", "#REDIRECT [[Harrow Falls Police]]")

    seen = latest(Visit(world, http).observe())

    assert seen["page:2"].text.startswith("Road closure\n\n#REDIRECT")
    assert seen["page:1"].text == "Harrow Falls Police\n\nWe serve."
    assert seen["about:1"].text == "Harrow Falls Police\n\nWe serve."


def test_a_log_entry_that_hides_its_reason_later_does_not_lose_it(world, http):
    world.write("Road closure", "Closed.")
    world.protect(1)
    visit = Visit(world, http)
    visit.observe()
    entry = world.log[0]
    del entry["comment"]
    entry["commenthidden"] = True
    world.write("Road closure", "Open.")

    assert "log:1" not in latest(visit.observe())
    assert latest(Visit(world, http).observe())["log:1"].extra["hidden"] == ["reason"]


# --- talk pages -------------------------------------------------------------------------------------------


def test_a_talk_page_is_one_record_that_answers_the_page_it_stands_beside(world, http):
    world.write("Road closure", "Closed.")
    visit = Visit(world, http)
    visit.observe()
    world.write("Talk:Road closure", "== Detour? ==\nWhich way? ~~~~", "Al Citizen")
    world.write("Talk:Road closure", "== Detour? ==\nWhich way?\n:Left.", "PressOffice")

    asked, answered = versions(visit.observe(), "page:2")

    assert (asked.kind, asked.in_reply_to, asked.author) == (
        Kind.COMMENT,
        "page:1",
        Author(id="7", name="Al Citizen"),
    )
    assert answered.author == Author(id="3", name="PressOffice")


def test_a_talk_page_that_stands_alone_answers_the_wiki(world, http):
    world.article = "User talk:PressOffice"
    world.write("User talk:PressOffice", "Why is the road closed?", "Al Citizen")

    (one,) = versions(Visit(world, http).observe(), "page:1")

    assert (one.kind, one.in_reply_to) == (Kind.COMMENT, "site")


def made_again(world: MediaWikiWorld, *, talk_first: bool) -> None:
    """An article that is deleted and made anew, its talk page made before or after the deletion or the new article."""
    world.write("Road closure", "Closed.")
    if talk_first:
        world.write("Talk:Road closure", "Which way?", "Al Citizen")
    world.delete(1)
    world.write("Road closure", "Closed again.")
    if not talk_first:
        world.write("Talk:Road closure", "Which way?", "Al Citizen")


@pytest.mark.parametrize(
    ("talk_first", "talk", "answers"), [(True, "page:2", "page:1"), (False, "page:3", "page:2")]
)
def test_a_talk_page_answers_the_article_for_which_it_was_made_whenever_one_looks(
    world, http, talk_first, talk, answers
):
    made_again(world, talk_first=talk_first)
    late = Visit(world, http)
    assert latest(late.observe())[talk].in_reply_to == answers

    world.write("Talk:Road closure", "Left.", "PressOffice")
    assert latest(late.observe())[talk].in_reply_to == answers
    assert latest(Visit(world, http).observe())[talk].in_reply_to == answers


def test_a_talk_page_that_was_looked_at_before_its_article_was_made_anew_answers_the_same_as_later(
    world, http
):
    world.write("Road closure", "Closed.")
    world.write("Talk:Road closure", "Which way?", "Al Citizen")
    early = Visit(world, http)
    assert latest(early.observe())["page:2"].in_reply_to == "page:1"
    world.delete(1)
    between = Visit(world, http)
    assert latest(between.observe())["page:2"].in_reply_to == "page:1"
    world.write("Road closure", "Closed again.")

    assert latest(Visit(world, http).observe())["page:2"].in_reply_to == "page:1"
    world.write("Talk:Road closure", "Left.", "PressOffice")
    assert [latest(one.observe())["page:2"].in_reply_to for one in (early, between)] == ["page:1", "page:1"]


def test_a_talk_page_that_was_there_before_every_article_answers_the_first(world, http):
    world.write("Talk:Road closure", "We need a page.", "Al Citizen")
    world.write("Road closure", "Closed.")
    assert latest(Visit(world, http).observe())["page:1"].in_reply_to == "page:2"
    world.delete(2)
    world.write("Road closure", "Closed again.")
    assert latest(Visit(world, http).observe())["page:1"].in_reply_to == "page:2"


def test_a_deleted_talk_page_that_an_administrator_reads_is_a_comment_on_its_article(world, http):
    world.write("Road closure", "Closed.")
    talk = world.write("Talk:Road closure", "Which way?", "Al Citizen")
    world.delete(talk)

    one = latest(Visit(world, http, connected=True).observe())["page:2"]

    assert (one.kind, one.in_reply_to, one.state) == (Kind.COMMENT, "page:1", State.HIDDEN)


def test_the_talk_page_of_a_named_article_that_is_missing_is_captured(world, http):
    world.write("Road closure", "Closed.")
    world.delete(1)
    world.write("Talk:Road closure", "Why was it deleted?", "Al Citizen")

    batches = Visit(world, http).observe()

    assert latest(batches)["page:2"].in_reply_to == "page:1"
    assert "page:2" not in latest(Visit(world, http, talk="no").observe())


def test_talk_pages_are_left_out_where_the_page_says_so(world, http):
    world.write("Road closure", "Closed.")
    world.write("Talk:Road closure", "Why?")

    assert "page:2" not in latest(Visit(world, http, talk="no").observe())


# --- files ------------------------------------------------------------------------------------------------


def test_the_newest_revision_bears_the_files_that_the_page_shows_by_their_digests(world, http):
    picture = world.upload("Bridge.gif")
    world.write("Road closure", "Closed.", files=[picture, "File:Never uploaded.gif"])
    world.write("Road closure", "Open.")

    first, second = versions(Visit(world, http).observe(), "page:1")

    assert not first.attachments
    (file,) = second.attachments
    assert file.id == "sha1:" + hashlib.sha1(PIXEL, usedforsecurity=False).hexdigest()
    assert (file.media_type, file.url, file.description) == (
        "image/gif",
        f"{world.base}/files/Bridge.gif",
        "File:Bridge.gif",
    )


def test_another_picture_under_the_same_name_is_another_attachment(world, http):
    world.write("Road closure", "Closed.", files=[world.upload("Bridge.gif")])
    visit = Visit(world, http)
    before = versions(visit.observe(), "page:1")[-1]
    world.upload("Bridge.gif", PIXEL + b"\0")
    world.sheets[1].touched = world.tick()

    (after,) = versions(visit.observe(), "page:1")

    assert after.extra["revision"] == before.extra["revision"]
    assert after.attachments[0].id != before.attachments[0].id


def test_a_file_that_the_wiki_hides_is_a_gap(world, http):
    world.write("Road closure", "Closed.", files=[world.upload("Bridge.gif", b"")])

    assert gaps(Visit(world, http).observe()) == [
        ("File:Bridge.gif, which Road closure shows", "the wiki hides the file")
    ]


def test_the_page_of_a_file_bears_that_file(world, http):
    world.article = world.upload("Bridge.gif")
    world.write("File:Bridge.gif", "The bridge.")

    (one,) = versions(Visit(world, http).observe(), "page:1")

    assert [file.description for file in one.attachments] == ["File:Bridge.gif"]


def test_files_are_left_out_where_the_page_says_so(world, http):
    world.write("Road closure", "Closed.", files=[world.upload("Bridge.gif")])

    batches = Visit(world, http, files="no").observe()

    assert not versions(batches, "page:1")[0].attachments
    assert not any(asked.get("prop") == "imageinfo" for asked in world.asked)


# --- what belongs to it -----------------------------------------------------------------------------------


def test_pages_of_a_category_an_account_and_a_namespace_belong_to_it_where_the_page_says_so(world, http):
    world.write("Road closure", "Closed.", "Al Citizen")
    world.write("Notice", "Rain.", "Al Citizen", categories=["Category:Notices"])
    world.write("Ours", "Edited by us.", "Al Citizen")
    world.write("Ours", "Edited by us, too.", "PressOffice")
    world.write("MediaWiki:Sitenotice", "Snow.", "Admin")
    world.write("User:PressOffice", "We are the press office.", "PressOffice")
    world.write("Not ours", "Elsewhere.", "Al Citizen")

    def pages(**options: str) -> set[str]:
        visit = Visit(world, http)
        visit.options = options
        seen = latest(visit.observe())
        return {one.text.partition("\n")[0] for name, one in seen.items() if name.startswith("page:")}

    assert pages() == {"Road closure"}
    assert pages(category="Notices") == {"Road closure", "Notice"}
    assert pages(titles="Not ours|Ours") == {"Road closure", "Not ours", "Ours"}
    assert pages(user="PressOffice") == {"Road closure", "Ours", "User:PressOffice"}
    assert pages(namespaces="8|2") == {"Road closure", "MediaWiki:Sitenotice", "User:PressOffice"}


def test_a_page_that_left_its_category_is_watched_on(world, http):
    world.write("Road closure", "Closed.")
    number = world.write("Notice", "Rain.", categories=["Category:Notices"])
    visit = Visit(world, http, category="Notices")
    visit.observe()
    world.write("Notice", "Sun.", categories=[])

    assert [one.text for one in versions(visit.observe(), f"page:{number}")] == ["Notice\n\nSun."]


def test_a_listing_that_the_wiki_refuses_is_a_gap_and_no_promise_is_made(world, http):
    world.write("Road closure", "Closed.")

    batches = Visit(world, http, category="Kategorie:Notices").observe()

    ((what, why),) = gaps(batches)
    assert what == "the pages of Kategorie:Notices"
    assert "invalidcategory" in why
    assert listings(batches) == []


def test_a_title_that_the_wiki_does_not_have_is_a_gap(world, http):
    world.write("Road closure", "Closed.")

    assert gaps(Visit(world, http, titles="Rode closure").observe()) == [
        ("the wiki page Rode closure", "the wiki has no page of this title")
    ]


def test_a_page_may_be_named_by_its_number_and_by_index_php(world, http):
    world.write("Road closure", "Closed.")
    for written in (
        f"{world.base}/w/index.php?curid=1",
        f"{world.base}/w/index.php?title=Road_closure&oldid=1",
        f"{world.base}/w/index.php/Road_closure",
    ):
        seen = latest(list(MediaWiki(http).observe(Page(address=written), None)))
        assert "page:1" in seen


def test_a_wiki_as_a_whole_needs_an_option_that_says_what_of_it(world, http):
    world.write("Road closure", "Closed.")
    wiki = Page(address=f"{world.base}/w/api.php")

    with pytest.raises(NoSuchPage, match="namespaces"):
        list(MediaWiki(http).observe(wiki, None))
    seen = latest(list(MediaWiki(http).observe(replace(wiki, options={"namespaces": "0"}), None)))
    assert "page:1" in seen


@pytest.mark.parametrize(("option", "value"), [("namespaces", "Talk"), ("history_from", "last year")])
def test_an_option_that_cannot_be_understood_is_refused(world, http, option, value):
    world.write("Road closure", "Closed.")

    with pytest.raises(ConnectorError, match=option):
        list(MediaWiki(http).observe(replace(world.page, options={option: value}), None))


def test_a_page_that_never_was_is_no_page(world, http):
    with pytest.raises(NoSuchPage, match="Road closure"):
        Visit(world, http).observe()


def test_the_interface_is_found_by_the_name_that_the_page_gives_it(world, http):
    world.script_path = "/secret-place"
    world.write("Road closure", "Closed.")
    visit = Visit(world, http)

    assert "page:1" in latest(visit.observe())
    world.names_its_interface = False
    assert sightings(visit.observe())["page:1"].state is State.PRESENT


def test_an_interface_that_moved_within_the_wiki_is_found_again(world, http):
    world.write("Road closure", "Closed.")
    visit = Visit(world, http)
    visit.observe()
    world.script_path = "/new-place"
    world.write("Road closure", "Open.")

    assert revisions_in(visit.observe(), "page:1") == [2]


def test_a_site_that_is_no_wiki_is_no_page(world, http):
    world.script_path, world.names_its_interface = "/secret-place", False

    with pytest.raises(NoSuchPage, match="No MediaWiki answers"):
        Visit(world, http).observe()


# --- signing in -------------------------------------------------------------------------------------------


def test_a_connected_page_signs_in_and_asks_as_its_account(world, http):
    world.private = True
    world.write("Road closure", "Closed.")

    batches = Visit(world, http, connected=True).observe()

    assert "page:1" in latest(batches)
    assert all(asked.get("assert") == "user" for asked in world.asked[3:])
    assert all(cookie for cookie in world.cookies[3:])
    written = repr(batches).encode()
    assert MediaWikiWorld.password.encode() not in written
    assert not [cookie for cookie in world.cookies if cookie and cookie.partition("=")[2].encode() in written]


def test_a_wikis_own_files_are_asked_for_as_its_account_and_nobody_elses_are(world, http):
    world.write("Road closure", "Closed.")
    visit = Visit(world, http, connected=True)
    own = f"{world.base}/img_auth.php/a/ab/Seal.png"
    assert visit.connector.signed(visit.page, own) == {}
    visit.observe()
    assert visit.connector.signed(visit.page, own) == {"Cookie": world.cookies[-1]}
    for other in ("https://upload.example/Seal.png", own.replace("http:", "https:"), "http://[", ""):
        assert visit.connector.signed(visit.page, other) == {}
    openly = Visit(world, http)
    openly.observe()
    assert openly.connector.signed(openly.page, own) == {}


def test_a_session_that_ran_out_is_begun_again(world, http):
    world.write("Road closure", "Closed.")
    times = iter([False] * 4 + [True] + [False] * 100)

    def run_out(_: dict[str, str]) -> None:
        if next(times):
            world._sessions.clear()

    world.before = run_out
    assert "page:1" in latest(Visit(world, http, connected=True).observe())
    assert sum(asked.get("action") == "login" for asked in world.asked) == 2


def test_a_password_that_is_not_accepted_means_that_access_was_revoked(world, http):
    world.write("Road closure", "Closed.")
    world.accepts_password = False

    with pytest.raises(AccessRevoked, match="wrongpassword") as raised:
        Visit(world, http, connected=True).observe()
    assert len(raised.value.exchanges) == 3


def test_too_many_attempts_to_sign_in_mean_later(world, http):
    world.write("Road closure", "Closed.")
    reason = {"code": "login-throttled", "text": "You have made too many recent login attempts."}
    said = json.dumps({"login": {"result": "Failed", "reason": reason}}).encode()
    world.trouble = lambda asked: (200, JSON, said) if asked.get("action") == "login" else None

    with pytest.raises(TryAgainLater, match="login-throttled"):
        Visit(world, http, connected=True).observe()


def test_a_private_wiki_without_credentials_is_a_persons_to_mend(world, http):
    world.private = True
    world.write("Road closure", "Closed.")

    with pytest.raises(AccessRevoked, match="bot password"):
        Visit(world, http).observe()


def test_an_access_token_goes_along_in_a_header(world, http):
    world.write("Road closure", "Closed.")
    connector = MediaWiki(http, {"access_token": "token-of-an-owner-only-consumer"})
    with pytest.raises(AccessRevoked, match="assertuserfailed") as raised:  # the world knows no tokens
        list(connector.observe(world.page, None))
    sent = raised.value.exchanges[-1].request_headers
    assert any(name == "Authorization" for name, _ in sent)


def test_a_password_goes_to_the_host_that_it_is_for_alone():
    assert address.same_host("https://en.wiki.example/w/api.php", "https://www.en.wiki.example/wiki/A")
    assert not address.same_host("https://wiki.example/w/api.php", "https://wiki.other/wiki/A")
    assert address.keeps_secrets("https://wiki.example/w/api.php")
    assert not address.keeps_secrets("http://wiki.example/w/api.php")


def test_a_page_that_names_an_interface_elsewhere_is_not_given_the_password(world, http):
    world.write("Road closure", "Closed.")
    with MediaWikiWorld() as other:
        other.write("Road closure", "Closed.")
        other.connected = True
        moved = f"http://localhost:{urlsplit(world.base).port}/w/api.php"
        cursor = Cursor(json.dumps({"interface": moved, "pages": {}, "lost": {}}))
        connector = MediaWiki(http, other.secrets)
        with pytest.raises(AddressRefused, match="another host"):
            list(connector.observe(other.page, cursor))


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "headers", "expected", "after"),
    [
        ("maxlag", {"Retry-After": "7"}, TryAgainLater, timedelta(seconds=7)),
        ("maxlag", {}, TryAgainLater, timedelta(seconds=5)),
        ("ratelimited", {}, TryAgainLater, None),
        ("readonly", {}, TryAgainLater, None),
        ("internal_api_error_DBQueryError", {}, TryAgainLater, None),
        ("permissiondenied", {}, AccessRevoked, None),
        ("badtoken", {}, AccessRevoked, None),
        ("assertuserfailed", {}, AccessRevoked, None),
        ("missingtitle", {}, UnexpectedResponse, None),
        ("badvalue", {}, UnexpectedResponse, None),
    ],
)
def test_a_refusal_with_status_200_means_what_its_code_says(world, http, code, headers, expected, after):
    world.write("Road closure", "Closed.")
    visit = Visit(world, http)
    visit.observe()
    world.trouble = lambda _: refused(code, "said the wiki", headers)

    with pytest.raises(expected, match=f"{code}: said the wiki") as raised:
        visit.observe()
    assert getattr(raised.value, "after", None) == after
    assert raised.value.exchanges[-1].header("MediaWiki-API-Error") == code


def test_the_older_manner_of_refusing_is_understood_too():
    told = parse.refusal(b'{"error":{"code":"readonly","info":"upgrade","docref":"x"}}')
    assert told is not None
    assert (told.code, told.text) == ("readonly", "upgrade")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error":"slow down"}', b'{"message":"Forbidden"}', b'{"query":']
)
def test_what_is_not_in_the_words_of_the_interface_is_not_the_wikis(body):
    assert not parse.is_interface(body)


def test_a_firewalls_403_is_unexpected_and_not_the_wikis_word(world, http):
    world.write("Road closure", "Closed.")
    visit = Visit(world, http)
    visit.observe()
    world.trouble = lambda _: (403, HTML, b"<html>Please set a user-agent</html>")

    with pytest.raises(UnexpectedResponse, match="firewall"):
        visit.observe()


def test_a_required_number_that_lacks_is_a_gap_of_its_page(world, http):
    world.write("Road closure", "Closed.")
    world.trouble = lambda asked: (
        (200, JSON, b'{"query":{"pages":[{"pageid":1,"revisions":[{"timestamp":"2026-03-01T08:01:00Z"}]}]}}')
        if "revids" in asked
        else None
    )

    batches = Visit(world, http).observe()
    (gap,) = [gap for batch in batches for gap in batch.gaps]
    assert (gap.native_id, "revid" in gap.why) == ("page:1", True)
    assert not [listing for batch in batches for listing in batch.listings]


def test_a_cursor_that_cannot_be_read_begins_from_nothing():
    assert Place.read(Cursor("{]")) == Place()
    assert Place.read(Cursor('{"elsewhere":1}')) == Place()
    kept = Place(interface="https://wiki.example/w/api.php", pages={4: Known(title="A", last=9)})
    assert Place.read(kept.cursor()) == kept


# --- looking, checking, lists -----------------------------------------------------------------------------


def test_looking_tells_what_is_there_and_knows_nothing_of_other_ids(world, http):
    world.write("Road closure", "Closed.")
    visit = Visit(world, http)
    visit.observe()

    told = visit.look("page:1", "history:1", "site", "log:9", "post:7", "page:x")

    assert {name: one.state for name, one in told.items()} == dict.fromkeys(
        ("page:1", "history:1", "site"), State.PRESENT
    )
    assert visit.look("log:9") == {}


def test_a_page_that_was_deleted_and_restored_and_is_missing_again_is_not_gone_by_the_old_entry(world, http):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http)
    world.delete(notice)
    world.restore(notice)
    world.suppress(notice)

    assert visit.look(f"page:{notice}")[f"page:{notice}"].state is State.UNKNOWN


def test_the_check_says_what_a_connection_lacks(world, http):
    world.write("Road closure", "Closed.")

    def check(*, connected: bool) -> dict[str, bool]:
        visit = Visit(world, http, connected=connected)
        return {one.what: one.fine for one in visit.connector.check(visit.page)}

    assert check(connected=False) == {
        "The wiki can be read (MediaWiki 1.39.17)": True,
        "The wiki page Road closure is there": True,
    }
    assert check(connected=True)["Deleted pages and hidden revisions can be read"]
    world.rights = ("read",)
    assert not check(connected=True)["Deleted pages and hidden revisions can be read"]
    world.accepts_password = False
    (finding,) = Visit(world, http, connected=True).connector.check(world.page)
    assert not finding.fine
    assert "Special:BotPasswords" in finding.remedy


def test_an_administrator_captures_whom_and_what_the_wiki_keeps_out(world, http):
    world.write("Road closure", "Closed.")
    world.write("MediaWiki:Spam-blacklist", "casino\\.example")
    world.blocks = [
        {
            "id": 4,
            "user": "Spammer",
            "by": "Admin",
            "timestamp": "2026-03-01T00:00:00Z",
            "expiry": "infinity",
            "reason": "spam",
        }
    ]

    seen = latest(Visit(world, http, connected=True).observe())

    assert seen["blocks"].text == "Spammer, by Admin, 2026-03-01T00:00:00Z, until infinity: spam"
    assert (seen["filter:2"].kind, "casino" in seen["filter:2"].text) == (Kind.PROFILE, True)
    assert "blocks" not in latest(Visit(world, http).observe())


# --- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("https://wiki.example/wiki/Road_closure", "Road closure"),
        ("wiki.example/wiki/Caf%C3%A9_%26_Bar#Today", "Café & Bar"),
        ("https://wiki.example/w/index.php?title=Talk:Road_closure&action=history", "Talk:Road closure"),
        ("https://wiki.example/w/index.php/Road_closure", "Road closure"),
        ("https://wiki.example/wiki/AC/DC", "AC/DC"),
        ("https://wiki.example/", None),
        ("https://wiki.example/wiki/", None),
        ("https://wiki.example/w/api.php", None),
    ],
)
def test_an_address_names_a_title_by_the_wikis_own_pattern(written, title):
    read = address.read(written)
    assert read is not None
    assert read.title("/wiki/$1", "/w/index.php") == title


# --- what is of another shape ---------------------------------------------------------------------------------------


def _odd(of: str, number: int, strange: object):
    """In place of a revision in the outline (`revid`), of one with its words (`words`) or of a log entry (`logid`), the wiki tells what is `strange`."""

    def altered(asked, said):
        query = said.get("query", {})
        lists = [page for page in query.get("pages", []) if isinstance(page, dict)]
        told = [one.get("revisions", []) for one in lists] if "rvprop" in asked and "pageids" in asked else []
        if of == "words":
            told = [one.get("revisions", []) for one in lists] if "revids" in asked else []
        elif of == "logid":
            told = [query.get("logevents", [])]
        key = "revid" if of == "words" else of
        for rows in told:
            rows[:] = [strange if isinstance(one, dict) and one.get(key) == number else one for one in rows]

    return altered


@pytest.mark.parametrize("strange", [None, {"strange": [[]]}, {"revid": 2, "timestamp": [["?"]]}])
@pytest.mark.parametrize("of", ["revid", "words"])
def test_a_revision_of_another_shape_is_a_gap_and_the_others_are_read_and_the_next_pass_reads_it(
    world, http, of, strange
):
    for hour in range(4):
        world.write("Road closure", f"Closed until {hour}.")
    world.altered = _odd(of, 2, strange)
    visit = Visit(world, http)

    batches = visit.observe()

    assert revisions_in(batches, "page:1") == [1, 3, 4]
    assert [(one.native_id, one.why.endswith(AGAIN)) for batch in batches for one in batch.gaps] == [
        ("page:1", True)
    ]
    assert not listings(batches)

    world.altered = None
    again = visit.observe()
    assert 2 in revisions_in(again, "page:1")
    assert revisions_in(again, "page:1")[-1] == 4
    assert not gaps(again)
    assert listings(again)
    assert revisions_in(visit.observe(), "page:1") == []


def _odd_deleted(number: int, strange: object):
    """In place of a revision of a deleted page, the wiki tells what is `strange`."""

    def altered(_, said):
        for page in said.get("query", {}).get("pages", []):
            rows = page.get("deletedrevisions", [])
            rows[:] = [strange if one.get("revid") == number else one for one in rows]

    return altered


@pytest.mark.parametrize("strange", [None, {"strange": [[]]}, {"revid": 3, "timestamp": [["?"]]}])
def test_a_deleted_revision_of_another_shape_is_a_gap_and_the_others_are_read_and_the_next_pass_reads_it(
    world, http, strange
):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    for words in ("They still say.", "They say no more."):
        world.write("Rumour", words)
    world.delete(notice)
    world.altered = _odd_deleted(3, strange)
    visit = Visit(world, http, connected=True, titles="Rumour")

    batches = visit.observe()

    assert revisions_in(batches, f"page:{notice}") == [2, 4]
    assert [(one.native_id, one.why.endswith(AGAIN)) for batch in batches for one in batch.gaps] == [
        (f"page:{notice}", True)
    ]
    assert not listings(batches)

    world.altered = None
    again = visit.observe()
    assert revisions_in(again, f"page:{notice}") == [2, 3, 4]
    assert State.GONE not in {one.state for one in sightings(again).values()}
    assert not gaps(again)
    assert revisions_in(visit.observe(), f"page:{notice}") == []


@pytest.mark.parametrize("strange", [None, {"revid": 4, "timestamp": [["?"]]}])
def test_a_page_that_was_read_and_is_deleted_with_an_odd_revision_keeps_its_others(world, http, strange):
    world.write("Road closure", "Closed.")
    notice = world.write("Rumour", "They say.")
    visit = Visit(world, http, connected=True, titles="Rumour")
    visit.observe()
    world.write("Rumour", "They still say.")
    world.write("Rumour", "They say no more.")
    world.delete(notice)
    world.altered = _odd_deleted(4, strange)

    batches = visit.observe()

    assert [(one.state, one.text) for one in versions(batches, f"page:{notice}")] == [
        (State.HIDDEN, "Rumour\n\nThey still say.")
    ]
    assert sightings(batches)[f"page:{notice}"].state is State.HIDDEN
    assert [one.native_id for batch in batches for one in batch.gaps] == [f"page:{notice}"]

    world.altered = None
    again = visit.observe()
    assert versions(again, f"page:{notice}")[-1].text == "Rumour\n\nThey say no more."
    assert not gaps(again)
    assert versions(visit.observe(), f"page:{notice}") == []


def test_the_newest_revision_of_another_shape_gives_its_files_to_no_other(world, http):
    world.write("Road closure", "Closed.", files=[world.upload("Bridge.gif")])
    world.write("Road closure", "Open.", files=["File:Bridge.gif"])
    world.altered = _odd("revid", 2, None)
    visit = Visit(world, http)
    (one,) = versions(visit.observe(), "page:1")
    assert (one.extra["revision"], one.attachments) == (1, [])
    world.altered = None
    last = versions(visit.observe(), "page:1")[-1]
    assert (last.extra["revision"], len(last.attachments)) == (2, 1)


def test_a_history_of_which_nothing_can_be_read_is_a_gap_of_its_page_alone(world, http):
    for hour in range(3):
        world.write("Road closure", f"Closed until {hour}.")
    world.write("Old notice", "Snow.")

    def altered(asked, said):
        if asked.get("pageids") == "1" and "rvdir" in asked:
            said["query"]["pages"][0]["revisions"] = [None, None, None]

    world.altered = altered
    batches = Visit(world, http, titles="Old notice").observe()
    assert "page:2" in latest(batches)
    assert "page:1" not in latest(batches)
    assert [one.native_id for batch in batches for one in batch.gaps] == ["page:1"]


@pytest.mark.parametrize("strange", [None, {"strange": [[]]}, {"logid": 2, "timestamp": [["?"]]}])
def test_a_log_entry_of_another_shape_is_a_gap_and_all_else_of_its_page_is_read(world, http, strange):
    world.write("Road closure", "Closed.")
    for level in ("sysop", "autoconfirmed", "sysop"):
        world.protect(1, level)
    world.altered = _odd("logid", 2, strange)
    visit = Visit(world, http)

    batches = visit.observe()

    assert {"page:1", "log:1", "log:3", "history:1"} <= set(latest(batches))
    (gap,) = [one for batch in batches for one in batch.gaps]
    assert gap.what == "an entry of the wiki's log"
    assert gap.native_id == ("log:2" if strange and "logid" in strange else None)
    world.altered = None
    again = visit.observe()
    assert "log:2" in latest(again)
    assert not gaps(again)


def test_a_page_is_not_gone_while_what_its_log_says_behind_the_deletion_cannot_be_read(world, http):
    world.write("Road closure", "Closed.")
    visit = Visit(world, http)
    visit.observe()
    world.delete(1)

    def altered(asked, said):
        if "logevents" in said.get("query", {}):
            rows = said["query"]["logevents"]
            if asked.get("ledir") == "newer":
                rows.append(None)
            else:
                rows.insert(0, None)

    world.altered = altered
    told = sightings(visit.observe())
    assert told["page:1"].state is State.UNKNOWN
    assert visit.look("page:1")["page:1"].state is State.UNKNOWN
    world.altered = None
    assert sightings(visit.observe())["page:1"].state is State.GONE
    assert visit.look("page:1")["page:1"].state is State.GONE


def test_a_file_of_another_shape_leaves_the_page_with_the_files_that_are_told(world, http):
    files = [world.upload("Bridge.gif"), world.upload("Detour.gif", PIXEL + b"2")]
    world.write("Road closure", "Closed.", files=files)

    def altered(asked, said):
        if asked.get("prop") == "imageinfo":
            said["query"]["pages"][0] = None

    world.altered = altered
    visit = Visit(world, http)
    batches = visit.observe()
    (one,) = versions(batches, "page:1")
    assert (one.files_told, len(one.attachments)) == (False, 1)
    assert [gap.native_id for batch in batches for gap in batch.gaps] == ["page:1"]
    world.altered = None
    (one,) = versions(visit.observe(), "page:1")
    assert (one.files_told, len(one.attachments)) == (True, 2)


def test_a_page_of_another_shape_stands_nobody_knows_how_and_the_others_are_told(world, http):
    for title in ("Road closure", "Old notice", "Detour"):
        world.write(title, "Closed.")

    def altered(_asked, said):
        pages = said.get("query", {}).get("pages", [])
        pages[:] = [None if one.get("pageid") == 2 else one for one in pages]

    world.altered = altered
    told = Visit(world, http).look("page:1", "page:2", "page:3")
    assert {name: one.state for name, one in told.items()} == {
        "page:1": State.PRESENT,
        "page:2": State.UNKNOWN,
        "page:3": State.PRESENT,
    }


@pytest.mark.parametrize("written", ["", "ftp://wiki.example/", "https://", "https://a b/", "http://x:y/"])
def test_what_is_no_address_is_none(written):
    assert address.read(written) is None


def test_the_interface_is_named_in_a_pages_head():
    html = b'<head><link rel="EditURI" type="application/rsd+xml" href="//wiki.example/w/api.php?action=rsd&amp;x=1"/>'
    assert address.interface_named_in(html, "https://wiki.example/wiki/A") == "https://wiki.example/w/api.php"
    assert address.interface_named_in(b"<head></head>", "https://wiki.example/") is None
    assert address.interface_named_in(html.replace(b"api.php", b"x"), "https://wiki.example/") is None
