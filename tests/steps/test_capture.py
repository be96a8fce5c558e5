"""Capture: what a connector observes is kept, what it could not see is said, and nothing is concluded from silence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError
from warcio.archiveiterator import ArchiveIterator

from app.capture import attachments, lease, pages, records, run, runs
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.records.nouns import Page, Record
from app.store import Store, destruction, fixity, reading, warc
from app.store.tables import (
    circle_members,
    circle_parts,
    circles,
    ended_circles,
    entries,
    exchanges,
    gaps,
    manifests,
    objects,
    pieces,
    tombstones,
    versions,
)
from app.store.tables import pages as page_table
from app.store.tables import records as record_table
from connectors.contract import (
    Attachment,
    Author,
    Cursor,
    Gap,
    Kind,
    Listing,
    Observation,
    Sighting,
    Span,
    State,
)
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from tests.steps.scripted import Scripted, ScriptedClient, exchange, listing

OFFICER = UUID(int=7)


class World:
    """One page, its script, and a clock that a test moves."""

    def __init__(self, store: Store, clock: FixedClock) -> None:
        self.store, self.clock = store, clock
        self.client = ScriptedClient(clock)
        self.connector = Scripted(self.client)
        with store.database.begin() as tx:
            self.page: Page = pages.add(
                store,
                tx,
                connector="scripted",
                platform="blog",
                address="https://blog.example",
                name="Police blog",
                by=OFFICER,
                why="test",
            )

    def capture(
        self,
        *steps: Any,
        looks: tuple[Any, ...] = (),
        held: Callable[[Any, Observation], bool] | None = None,
        point: Callable[[str], None] | None = None,
    ) -> Report:
        self.connector.steps, self.connector.looks = list(steps), list(looks)
        self.clock.at += timedelta(hours=1)
        ticks = iter(range(1000))
        return run.capture(
            self.store,
            self.page,
            self.connector,
            self.client,
            by=None,
            why="test",
            tick=lambda: next(ticks),
            held=held,
            point=point,
        )

    def records(self) -> dict[str, Record]:
        with self.store.database.read() as tx:
            keys = tx.execute(select(record_table.c.key).order_by(record_table.c.key)).scalars().all()
            return {
                str(one.version.fields["native_id"]): one
                for one in records.read(self.store, tx, list(keys), messages=True)
            }

    def texts(self, name: str) -> list[tuple[str, str]]:
        with self.store.database.read() as tx:
            found = records.history(self.store, tx, self.records()[name])
        return [(version.state, str(version.fields["text"])) for version in found]

    def count(self, table: Any) -> int:
        with self.store.database.read() as tx:
            return int(tx.execute(select(func.count()).select_from(table)).scalar_one())

    def soundness(self) -> list[str]:
        return [
            f"{finding.code}: {finding.what}" for finding in fixity.verify(self.store, full=True).findings
        ]


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    return World(store, clock)


@pytest.fixture
def world_anywhere(anywhere: Store, clock: FixedClock) -> World:
    return World(anywhere, clock)


def post(name: str, words: str, **more: Any) -> Observation:
    return Observation(native_id=name, kind=Kind.POST, text=words, **more)


def comment(name: str, words: str, on: str = "p1", **more: Any) -> Observation:
    return Observation(
        native_id=name, kind=Kind.COMMENT, text=words, in_reply_to=on, author=Author(name="Pat"), **more
    )


def test_what_was_observed_is_kept_found_and_verifies(world_anywhere: World):
    world = world_anywhere
    report = world.capture(
        listing(
            world.clock,
            post("p1", "Main Street is closed"),
            comment("c1", "Which way round?"),
            comment("c2", "Thanks", "c1"),
        )
    )
    assert (report.status, report.tally.new, report.tally.exchanges) == ("complete", 3, 1)
    found = world.records()
    assert found["c1"].in_reply_to == found["p1"].id
    assert found["c2"].root == found["p1"].id
    with world.store.database.read() as tx:
        family = records.family(world.store, tx, found["c2"], messages=False)
    assert [one.version.fields["native_id"] for one in family] == ["p1", "c1", "c2"]
    assert world.soundness() == []


def test_half_a_character_costs_itself_alone_and_two_ids_stay_two(world_anywhere: World):
    world = world_anywhere
    halves = [
        post("p1", "closed \ud83d", extra={"tag\udc00s": ["a\ud800"]}, author=Author(name="Town \udfff")),
        comment("c\ud83d", "one"),
        comment("c\ud83e", "two"),
        comment("c3", "whole \U0001f6a7"),
    ]
    lost = Gap(what="a \ud83d", why="it bears \ud83d", native_id="c\ud83f")
    for new in (4, 0):
        told = replace(listing(world.clock, *halves), gaps=[lost])
        report = world.capture(told)
        assert (report.status, report.tally.new, report.tally.edited) == ("partial", new, 0)
    found = world.records()
    assert {"p1", "c\\ud83d", "c\\ud83e", "c3"} == set(found)
    assert found["p1"].version.fields["text"] == "closed \ufffd"
    assert "unreadable_characters" in str(found["p1"].version.fields.get("extra"))
    assert "unreadable_characters" not in str(found["c3"].version.fields.get("extra"))
    assert world.soundness() == []


def test_a_night_in_which_nothing_changed_adds_an_envelope_and_no_version(world_anywhere: World):
    world = world_anywhere
    batch = [post("p1", "one"), comment("c1", "two")]
    world.capture(listing(world.clock, *batch))
    before = {table.name: world.count(table) for table in (versions, pieces, circles)}
    report = world.capture(listing(world.clock, *batch))
    after = {table.name: world.count(table) for table in (versions, pieces, circles)}
    assert (report.tally.new, report.tally.edited, report.tally.unchanged) == (0, 0, 2)
    assert after == before | {"pieces": before["pieces"] + 1}
    assert world.records()["p1"].last_seen > world.records()["p1"].first_seen
    assert world.soundness() == []


def test_an_edit_is_a_version_and_the_first_text_stays(world: World):
    world.capture(listing(world.clock, post("p1", "closed until 18:00")))
    report = world.capture(listing(world.clock, post("p1", "closed until 20:00")))
    assert report.tally.edited == 1
    assert world.texts("p1") == [("present", "closed until 18:00"), ("present", "closed until 20:00")]
    interval = world.records()["p1"].version
    assert interval.last_seen_before is not None
    assert interval.last_seen_before < interval.observed_at


def test_counters_and_expiring_addresses_are_no_edit(world: World):
    world.client.files = {
        "https://cdn.example/1?sig=a": b"picture",
        "https://cdn.example/1?sig=b": b"picture",
    }
    first = post(
        "p1", "x", counts={"likes": 1}, attachments=(Attachment(id="a", url="https://cdn.example/1?sig=a"),)
    )
    second = post(
        "p1", "x", counts={"likes": 9}, attachments=(Attachment(id="a", url="https://cdn.example/1?sig=b"),)
    )
    world.capture(listing(world.clock, first))
    report = world.capture(listing(world.clock, second))
    assert (report.tally.edited, report.tally.unchanged) == (0, 1)
    assert world.records()["p1"].counts == {"likes": 9}


def test_a_second_count_at_the_same_instant_stops_nothing_and_is_told_of_the_record(world_anywhere: World):
    world, then = world_anywhere, FixedClock(world_anywhere.clock.now())
    for likes in (1, 9):
        shown = listing(then, post("p1", "x", counts={"likes": likes}))
        assert world.capture(shown).status == "complete"
    assert world.records()["p1"].counts == {"likes": 9}


def test_each_exchange_joins_back_to_the_bytes_of_the_wire(world_anywhere: World):
    world = world_anywhere
    shown, places = exchange(world.clock, [{"id": n, "author": {"name": "Ann"}} for n in range(3)])
    author = (shown.body.index(b'{"name"'), shown.body.index(b'{"name"') + len(b'{"name": "Ann"}'))
    batch = listing(world.clock, post("p0", "a"), post("p1", "b"), post("p2", "c"))
    observations = [
        post(f"p{number}", "words", evidence=(Span(0, *place), *((Span(0, *author),) if number else ())))
        for number, place in enumerate(places)
    ]
    from dataclasses import replace

    world.capture(replace(batch, exchanges=[shown], observations=observations))
    with world.store.database.read() as tx:
        kept = reading.exchange(world.store, tx, 1)
    assert kept.body == shown.body
    assert kept.holes == []
    assert world.soundness() == []


def test_when_one_record_loses_its_secret_exactly_its_bytes_become_a_hole(world: World):
    batch = listing(world.clock, post("p1", "mine"), post("p2", "neighbour"))
    world.capture(batch)
    record = world.records()["p1"]
    body = batch.exchanges[0].body
    world.store.keyring.forget([record.id.bytes])
    with world.store.database.read() as tx:
        kept = reading.exchange(world.store, tx, 1)
    span = batch.observations[0].evidence[0]
    assert [(hole.start, hole.end) for hole in kept.holes] == [(span.start, span.end)]
    assert kept.body[: span.start] + kept.body[span.end :] == body[: span.start] + body[span.end :]


def test_a_record_that_one_batch_both_observes_and_sights_is_one_record(world: World):
    world.capture(listing(world.clock, post("p1", "one")))
    world.clock.at += timedelta(hours=1)
    again = listing(world.clock, post("p1", "one more"))
    sighted = Sighting(native_id="p1", state=State.HIDDEN, exchange=0, reason="held")
    report = world.capture(replace(again, sightings=[sighted]))
    assert (report.tally.edited, report.tally.hidden) == (1, 1)
    assert world.texts("p1") == [("present", "one"), ("present", "one more"), ("hidden", "one more")]
    assert world.soundness() == []


def test_what_a_complete_listing_misses_is_asked_for_by_id(world: World):
    world.capture(
        listing(world.clock, post("p1", "one"), post("p2", "two"), post("p3", "three"), post("p4", "four"))
    )
    world.clock.at += timedelta(hours=1)
    full = Listing(kinds=[Kind.POST], began_at=world.clock.now(), exchange=0)
    shown, _ = exchange(world.clock, [])
    answers = [State.GONE, State.UNKNOWN, State.HIDDEN]
    look = listing(world.clock, cursor="")
    look = type(look)(
        exchanges=[shown],
        resume_from=Cursor(""),
        sightings=[
            Sighting(native_id=f"p{number}", state=state, exchange=0, reason="404 not there")
            for number, state in enumerate(answers, start=2)
        ],
    )
    report = world.capture(listing(world.clock, post("p1", "one"), listings=[full]), looks=(look,))
    assert sorted(name for _, name in world.connector.asked) == ["p2", "p3", "p4"]
    assert (report.tally.gone, report.tally.absent, report.tally.hidden) == (1, 1, 1)
    assert {name: one.state for name, one in world.records().items()} == {
        "p1": "present",
        "p2": "gone",
        "p3": "absent",
        "p4": "hidden",
    }
    assert world.texts("p2") == [("present", "two"), ("gone", "two")]
    assert world.soundness() == []


def test_what_nobody_can_be_asked_about_is_absent_and_comes_back_when_it_is_shown_again(world: World):
    world.capture(listing(world.clock, post("p1", "one"), post("p2", "two")))
    world.clock.at += timedelta(hours=1)
    full = Listing(kinds=[Kind.POST], began_at=world.clock.now(), exchange=0)
    assert world.capture(listing(world.clock, post("p1", "one"), listings=[full])).tally.absent == 1
    again = world.capture(listing(world.clock, post("p1", "one"), post("p2", "two")))
    assert again.tally.restored == 1
    assert [state for state, _ in world.texts("p2")] == ["present", "absent", "present"]


def test_a_listing_of_posts_says_nothing_of_comments_or_of_other_times(world: World):
    old = post("p0", "old", published_at=world.clock.now() - timedelta(days=400))
    world.capture(listing(world.clock, old, post("p1", "one"), comment("c1", "words")))
    world.clock.at += timedelta(hours=1)
    recent = Listing(
        kinds=[Kind.POST],
        began_at=world.clock.now(),
        exchange=0,
        published_from=world.clock.now() - timedelta(days=30),
    )
    report = world.capture(listing(world.clock, post("p1", "one"), listings=[recent]))
    assert report.tally.absent == 0


@pytest.mark.parametrize("error", [TryAgainLater, AccessRevoked, UnexpectedResponse, RuntimeError])
def test_a_failing_answer_makes_nothing_absent_or_gone(world: World, error: type[Exception]):
    world.capture(listing(world.clock, post("p1", "one")))
    report = world.capture(error("503 for now"))
    assert report.status == "failed"
    assert len(report.gaps) == 1
    assert world.records()["p1"].state == "present"
    assert world.soundness() == []


def test_what_was_seen_before_a_failure_is_kept_with_its_cursor(world: World):
    report = world.capture(
        listing(world.clock, post("p1", "one"), cursor="after p1"), TryAgainLater("connection lost")
    )
    assert (report.status, report.tally.new) == ("partial", 1)
    world.capture(listing(world.clock, post("p2", "two"), cursor="end"))
    assert world.connector.since == [None, "after p1", "end"]


def test_the_night_after_a_broken_one_finishes_that_pass_and_makes_its_own(world: World):
    world.capture(listing(world.clock, post("p1", "one"), cursor="first end"))
    world.capture(TryAgainLater("connection lost"))
    world.connector.since.clear()
    world.capture(listing(world.clock, post("p1", "one"), cursor="second end"))
    world.capture(listing(world.clock, post("p1", "one"), cursor="third end"))
    assert world.connector.since == ["first end", "second end", "second end"]


def test_the_exchanges_that_show_a_failure_are_kept(world: World):
    shown, _ = exchange(world.clock, [], status=429)
    world.capture(TryAgainLater("slow down", [shown]))
    with world.store.database.read() as tx:
        kept = reading.exchange(world.store, tx, 1)
    assert kept.status == 429


def test_exchanges_that_no_batch_tells_of_are_kept_too(world: World):
    """Retries and redirects on the way are evidence of how the page answered."""
    retried, _ = exchange(world.clock, [], status=503)
    batch = listing(world.clock, post("p1", "one"))
    world.client.made = [retried, *batch.exchanges]
    report = world.capture(batch)
    assert report.tally.exchanges == 2
    with world.store.database.read() as tx:
        assert sorted(tx.execute(select(exchanges.c.status)).scalars()) == [200, 503]


def test_a_page_that_no_longer_lets_us_in_is_disconnected(world: World):
    world.capture(AccessRevoked("401"))
    with world.store.database.read() as tx:
        assert pages.get(tx, str(world.page.id)).status == pages.DISCONNECTED


def test_a_paused_page_is_not_captured(world: World):
    with world.store.database.begin() as tx:
        world.page = pages.pause(world.store, tx, world.page, by=OFFICER, why="migration")
    with pytest.raises(run.PagePaused):
        world.capture(listing(world.clock, post("p1", "one")))


def test_a_gap_that_a_connector_knows_makes_the_run_partial(world: World):
    report = world.capture(
        listing(world.clock, post("p1", "one"), gaps=[Gap(what="comments of p1", why="12 of 15 listed")])
    )
    assert report.status == "partial"
    with world.store.database.read() as tx:
        assert [gap.what for gap in runs.gaps_of(world.store, tx)] == ["comments of p1"]


def test_two_runs_of_one_page_never_go_at_once(world: World):
    world.clock.at += timedelta(hours=1)
    with world.store.database.begin() as tx:
        lease.take(world.store, tx, world.page, "another machine/1/1")
    world.clock.at -= timedelta(hours=1)
    with pytest.raises(lease.PageBusy):
        world.capture(listing(world.clock, post("p1", "one")))
    world.clock.at += lease.LASTS
    assert world.capture(listing(world.clock, post("p1", "one"))).tally.new == 1


def test_a_lease_that_a_dead_process_left_is_taken_over(world: World):
    import socket

    with world.store.database.begin() as tx:
        lease.take(world.store, tx, world.page, f"{socket.gethostname()[:30]}/4194999/123")
    assert world.capture(listing(world.clock, post("p1", "one"))).status == "complete"


def test_an_attachment_is_streamed_in_and_out_and_a_missing_one_is_a_gap(world: World):
    content = bytes(range(256)) * 400
    world.client.files = {"https://blog.example/a.png": content}
    report = world.capture(
        listing(
            world.clock,
            post(
                "p1",
                "x",
                attachments=(
                    Attachment(id="a", url="https://blog.example/a.png", media_type="image/png"),
                    Attachment(id="b", url="https://blog.example/b.png"),
                ),
            ),
        )
    )
    assert [gap.what for gap in report.gaps] == ["an attachment"]
    record = world.records()["p1"]
    assert [(one.state, one.bytes) for one in record.attachments] == [
        ("kept", len(content)),
        ("missing", None),
    ]
    with world.store.database.read() as tx:
        row = attachments.get(tx, record.attachments[0].id or UUID(int=0))
    assert row is not None
    assert b"".join(attachments.stream(world.store, row)) == content
    assert world.soundness() == []


def test_a_site_that_stops_telling_names_renames_nobody(world: World):
    def shown(*told: Author | None) -> Any:
        return listing(world.clock, *(post(f"p{n}", "x", author=one) for n, one in enumerate(told)))

    named = Author(id="7", name="Jane Roe", handle="jane")
    world.capture(shown(named, named, named, named, named))
    # told less; not told at all; called otherwise; somebody else of whom as little is told; nobody any more
    less = (Author(id="7"), None, Author(id="7", name="Jane Doe"), Author(id="8"), Author())
    told = world.capture(shown(*less)).tally
    assert (told.edited, told.unchanged) == (3, 2)
    assert world.capture(shown(*less)).tally.unchanged == 5
    # Two are called otherwise, and one is named again of whom nothing was said: that is no edit.
    told = world.capture(shown(named, named, named, named, named)).tally
    assert (told.edited, told.unchanged) == (2, 3)
    assert [world.records()[f"p{n}"].versions for n in range(5)] == [1, 1, 3, 3, 3]
    assert world.soundness() == []


def test_an_address_and_an_author_who_are_not_told_are_no_edit_and_are_not_guessed_of_another_edition(
    world: World,
):
    whole = post("p1", "x", url="https://page.example/1", author=Author(id="7", name="Jane Roe"))
    world.capture(listing(world.clock, whole))
    bare = replace(whole, url=None, author=None)
    assert world.capture(listing(world.clock, bare)).tally.unchanged == 1
    # Words that changed are an edit: who wrote these was not told, and nobody is said to have.
    assert world.capture(listing(world.clock, replace(bare, text="y"))).tally.edited == 1
    assert world.capture(listing(world.clock, replace(bare, text="y"))).tally.unchanged == 1
    # What is told again is kept, and is no edit; another address is one.
    told = replace(whole, text="y")
    assert world.capture(listing(world.clock, told)).tally.unchanged == 1
    assert world.records()["p1"].versions == 3
    assert world.capture(listing(world.clock, replace(told, url="https://page.example/2"))).tally.edited == 1
    assert world.soundness() == []


@pytest.mark.parametrize("told", [{}, {"url": "https://blog.example/a.png"}])
def test_a_record_with_a_file_that_has_no_id_is_kept_read_and_no_edit(world: World, told: dict[str, str]):
    world.client.files = {"https://blog.example/a.png": b"picture"}
    shown = listing(world.clock, post("p1", "x", attachments=(Attachment(id="", **told),)))
    world.capture(shown)
    (one,) = world.records()["p1"].attachments
    assert one.url == told.get("url")
    assert world.capture(shown).tally.edited == 0
    assert world.soundness() == []


def test_every_day_leaves_a_manifest_that_follows_the_one_before(world_anywhere: World):
    world = world_anywhere
    world.capture(listing(world.clock, post("p1", "one"), post("p2", "two")))
    world.capture(listing(world.clock, post("p1", "one more"), post("p2", "two")))
    world.clock.at += timedelta(days=1)
    world.capture(listing(world.clock, post("p1", "one more"), post("p2", "two more")))
    with world.store.database.read() as tx:
        told = tx.execute(
            select(manifests.c.count, manifests.c.previous, manifests.c.entry).order_by(manifests.c.entry)
        ).all()
    assert [row[0] for row in told] == [2, 2]
    assert told[1].previous == told[0].entry


def test_records_hold_no_words_names_or_native_ids_in_the_clear(world: World, home):
    world.capture(
        listing(
            world.clock,
            post("native-4711", "zebra crossing"),
            comment("c-0815", "hippopotamus", "native-4711"),
        )
    )
    world.store.database.close()
    world.store.keyring.database.close()
    content = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert b"Police blog" in content
    for secret in (b"zebra", b"hippopotamus", b"native-4711", b"c-0815", b"Pat"):
        assert secret not in content


NEVER_CHANGE = {
    "versions": "state",
    "exchanges": "kind",
    "entries": "body",
    "acts": "type",
    "gaps": "at",
    "manifests": "day",
}


def test_the_database_itself_refuses_to_change_what_must_never_change(world_anywhere: World):
    world = world_anywhere
    world.capture(listing(world.clock, post("p1", "one"), gaps=[Gap(what="a", why="b")]))
    for table, column in NEVER_CHANGE.items():
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="never change"), world.store.database.begin() as tx:
                tx.execute(text(statement))


BATCH = UUID(bytes=b"b" * 16)


def dispose(world: World, *names: str, batch: UUID = BATCH) -> None:
    """Dispose of records as disposition does: authorised, executed, verified."""
    held = world.records()
    with world.store.database.begin() as tx:
        destruction.authorise(
            world.store,
            tx,
            batch,
            [held[name].id for name in names],
            authority="Town council",
            series="COR-03",
            citation="Resolution 12, item 3",
            by=OFFICER,
            why="test",
        )
    destruction.execute(
        world.store, batch, recheck=lambda _tx, _records: {}, derived=(), by=OFFICER, why="test"
    )


def test_what_was_disposed_of_is_not_kept_again_and_leaves_a_hole_that_cites_the_disposal(
    world_anywhere: World,
):
    world = world_anywhere
    shown = [post("p1", "stays"), comment("c1", "zebra crossing"), comment("c2", "stays too")]
    world.capture(listing(world.clock, *shown))
    dispose(world, "c1")
    report = world.capture(listing(world.clock, *shown))
    assert (report.tally.suppressed, report.tally.unchanged, report.tally.new) == (1, 2, 0)
    assert set(world.records()) == {"p1", "c2"}
    with world.store.database.read() as tx:
        newest = tx.execute(select(func.max(exchanges.c.key))).scalar_one()
        read = reading.exchange(world.store, tx, newest)
    assert b"zebra" not in read.body
    (hole,) = read.holes
    assert "not kept again" in hole.why
    assert "62626262-6262-6262-6262-626262626262" in hole.why
    assert world.soundness() == []


def test_what_was_disposed_of_is_a_new_record_where_an_active_hold_covers_it(world_anywhere: World):
    world = world_anywhere
    shown = [post("p1", "stays"), comment("c1", "about Doe v. City")]
    world.capture(listing(world.clock, *shown))
    dispose(world, "c1")
    report = world.capture(listing(world.clock, *shown), held=lambda _page, item: "Doe" in item.text)
    assert (report.tally.suppressed, report.tally.new) == (0, 1)
    assert world.records()["c1"].version.fields["text"] == "about Doe v. City"
    assert world.capture(listing(world.clock, *shown)).tally.unchanged == 2


def test_a_sealed_piece_goes_only_together_with_a_tombstone(world_anywhere: World):
    world = world_anywhere
    world.capture(listing(world.clock, post("p1", "one"), post("p2", "two")))
    with pytest.raises(DatabaseError, match="tombstone"), world.store.database.begin() as tx:
        tx.execute(pieces.delete())
    with world.store.database.begin() as tx:
        tx.execute(tombstones.insert().values(record=1, batch=b"b" * 16, at=0, detail="{}"))
        assert tx.execute(pieces.delete().where(pieces.c.record == 1)).rowcount == 1
    with pytest.raises(DatabaseError, match="tombstone"), world.store.database.begin() as tx:
        tx.execute(pieces.delete().where(pieces.c.circle.is_not(None)))
    with pytest.raises(DatabaseError, match="ends with the last"), world.store.database.begin() as tx:
        tx.execute(ended_circles.insert().values(circle=1))
    with world.store.database.begin() as tx:
        tx.execute(tombstones.insert().values(record=2, batch=b"b" * 16, at=0, detail="{}"))
        tx.execute(ended_circles.insert().values(circle=1))
        assert tx.execute(pieces.delete().where(pieces.c.circle == 1)).rowcount > 0


def test_a_circle_of_circles_ends_only_after_the_circles_in_it(world_anywhere: World):
    world = world_anywhere
    world.capture(listing(world.clock, *(post(f"p{number}", f"words {number}") for number in range(60))))
    with world.store.database.begin() as tx:
        parts = tx.execute(select(circle_parts.c.circle, circle_parts.c.part)).all()
        keys = tx.execute(select(record_table.c.key)).scalars().all()
        tx.execute(
            tombstones.insert(),
            [{"record": key, "batch": b"b" * 16, "at": 0, "detail": "{}"} for key in keys],
        )
    assert parts, "sixty records were one flat circle"
    top = max(circle for circle, _ in parts)
    with pytest.raises(DatabaseError, match="ends with the last"), world.store.database.begin() as tx:
        tx.execute(ended_circles.insert().values(circle=top))
    with world.store.database.begin() as tx:
        for circle in sorted({part for _, part in parts} | {top}):
            tx.execute(ended_circles.insert().values(circle=circle))
        assert tx.execute(pieces.delete().where(pieces.c.circle == top)).rowcount > 0


def test_what_a_night_adds_follows_what_changed_and_not_how_much_the_page_shows(world: World):
    def added(shown: list[Observation]) -> int:
        before = world.count(circle_members) + world.count(circle_parts)
        world.capture(listing(world.clock, *shown))
        return world.count(circle_members) + world.count(circle_parts) - before

    shown = [post(f"p{number}", f"words {number}") for number in range(400)]
    first = added(shown)
    grown = added([*shown, post("new", "one more")])
    shrunk = added([*shown[:200], *shown[201:], post("new", "one more")])
    assert first > 400
    assert 0 < grown < 100
    assert 0 < shrunk < 100
    assert added([*shown[:200], *shown[201:], post("new", "one more")]) == 0
    assert world.soundness() == []


def test_what_stands_in_a_circle_of_circles_opens_as_long_as_one_record_of_it_lives(world: World):
    world.capture(listing(world.clock, *(post(f"p{number}", f"words {number}") for number in range(60))))
    with world.store.database.read() as tx:
        key = tx.execute(select(exchanges.c.key).order_by(exchanges.c.key)).scalars().first()
        assert key is not None
        whole = reading.exchange(world.store, tx, key)
        ids = [bytes(one) for one in tx.execute(select(record_table.c.id)).scalars()]
    assert whole.envelope is not None
    assert not whole.holes
    for identity in ids[:-1]:
        world.store.keyring.forget([identity])
    with world.store.database.read() as tx:
        left = reading.exchange(world.store, tx, key)
        assert left.envelope == whole.envelope
        assert left.holes
        world.store.keyring.forget([ids[-1]])
        assert reading.exchange(world.store, tx, key).envelope is None
    assert world.count(page_table) == 1
    assert world.count(gaps) == 0
    assert world.count(objects) > 0
    assert world.count(entries) > world.count(exchanges)


def test_an_attachment_whose_bytes_came_with_the_batch_is_kept_from_there_and_not_asked_for(world: World):
    picture = b"\x89PNG made of what was captured"
    shown = listing(world.clock, post("p1", "a page"))
    made, _ = exchange(world.clock, [], method="RENDER", url="render:screenshot:1")
    made = replace(made, body=picture, response_headers=[("Content-Type", "image/png")])
    digest = hashlib.sha256(picture).hexdigest()
    found = replace(
        shown.observations[0],
        attachments=[Attachment(id="screenshot", media_type="image/png", path=f"sha256:{digest}")],
        evidence=[*shown.observations[0].evidence, Span(1, 0, len(picture))],
    )
    report = world.capture(replace(shown, exchanges=[*shown.exchanges, made], observations=[found]))
    assert report.status == "complete"
    (kept,) = world.records()["p1"].attachments
    assert kept.state == "kept"
    with world.store.database.read() as tx:
        row = attachments.get(tx, kept.id or UUID(int=0))
    assert row is not None
    assert b"".join(attachments.stream(world.store, row)) == picture
    assert world.soundness() == []


def test_an_attachment_that_names_bytes_which_did_not_come_is_not_made_up(world: World):
    told = Attachment(id="screenshot", path="sha256:" + "0" * 64)
    world.capture(listing(world.clock, post("p1", "a page", attachments=(told,))))
    (listed,) = world.records()["p1"].attachments
    assert listed.state != "kept"


def test_evidence_of_a_record_holds_everything_of_its_own_from_the_same_run(world: World):
    shown = listing(world.clock, post("p1", "a page"))
    made, _ = exchange(world.clock, [], method="RENDER", url="render:screenshot:1")
    made = replace(made, body=b"PNG", response_headers=[("Content-Type", "image/png")])
    letter, _ = exchange(
        world.clock, [], method="FETCH", url="imaps://mail.example/INBOX;UIDVALIDITY=1/;UID=2"
    )
    letter = replace(
        letter, body=b"Subject: road closed\r\n\r\n", response_headers=[("Content-Type", "message/rfc822")]
    )
    found = replace(
        shown.observations[0],
        evidence=[*shown.observations[0].evidence, Span(1, 0, 3), Span(2, 0, len(letter.body))],
    )
    world.capture(replace(shown, exchanges=[*shown.exchanges, made, letter], observations=[found]))
    out = BytesIO()
    with world.store.database.read() as tx:
        warc.write(world.store, tx, world.records()["p1"].id, out, software="test")
    kinds = [
        (
            one.rec_type,
            one.rec_headers.get_header("WARC-Target-URI"),
            one.rec_headers.get_header("Content-Type"),
        )
        for one in ArchiveIterator(BytesIO(out.getvalue()))
        if one.rec_type in ("resource", "response")
    ]
    assert kinds == [
        ("response", "https://blog.example/posts", "application/http;msgtype=response"),
        ("resource", "render:screenshot:1", "image/png"),
        ("resource", "imaps://mail.example/INBOX;UIDVALIDITY=1/;UID=2", "message/rfc822"),
    ]


@pytest.mark.parametrize("total", [-1, 2**53, 2**70])
def test_a_total_that_no_page_can_have_tells_nothing_and_lets_the_run_end(world: World, total: int):
    def stating(number: int) -> Report:
        everything = Listing(kinds=[Kind.POST], began_at=world.clock.now(), exchange=0, stated_total=number)
        return world.capture(listing(world.clock, post("p1", "x"), listings=[everything]))

    assert stating(total).stated == {}
    assert stating(1).stated == {"post": (1, 1)}
    assert world.soundness() == []
