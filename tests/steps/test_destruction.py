"""Destruction: what was disposed of is found nowhere, what is left proves that it was lawful, and nothing else is touched."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DatabaseError
from warcio.archiveiterator import ArchiveIterator

from app.capture import importing, lanes, pages, records, runs
from app.db import Database, Tx
from app.db.database import lock_ledger
from app.index import follower
from app.index.purging import IndexPurger
from app.index.source import LedgerSource
from app.index.tantivy_engine import TantivyEngine
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Disposed, Record
from app.store import Store, access, audit, destruction, disposals, fixity, proofs, reading, suppression, warc
from app.store.destruction import Executed
from app.store.disposals import Batch, Purger
from app.store.keyring import KeyMissing
from app.store.objects import ObjectLocked
from app.store.sealing import new_secret
from app.store.sweep import sweep
from app.store.tables import (
    acts,
    circles,
    counts,
    disposal_records,
    ended_circles,
    exchanges,
    forgotten,
    objects,
    statement_answers,
    suppressed,
    tombstones,
    unlinked,
)
from app.store.tables import disposals as batch_table
from app.store.tables import lanes as lane_table
from app.store.tables import records as record_table
from connectors.contract import Attachment, Author, Cursor, Gap, Kind, Observation, Span
from connectors.errors import UnexpectedResponse
from tests.archives import NOON
from tests.postgres import Cluster
from tests.steps.remains import Everything, Wanted, found_when_opened
from tests.steps.scripted import exchange, listing
from tests.steps.test_capture import OFFICER, World, comment, post

LAW = {"authority": "Town council", "series": "COR-03", "citation": "Resolution 12, item 3"}


def nobody(_tx: Tx, _records: Sequence[UUID]) -> dict[UUID, str]:
    """The last look, where no hold and no schedule says no."""
    return {}


def authorise(world: World, *wanted: Record) -> UUID:
    batch = new_id()
    with world.store.database.begin() as tx:
        ids = [record.id for record in wanted]
        destruction.authorise(world.store, tx, batch, ids, **LAW, by=OFFICER, why="the schedule")
    return batch


def execute(
    world: World,
    batch: UUID,
    recheck: destruction.Recheck = nobody,
    derived: Sequence[Purger] = (),
    most: int = 2_000,
    point: Callable[[str], None] | None = None,
) -> Executed:
    return destruction.execute(
        world.store,
        batch,
        recheck=recheck,
        derived=derived,
        by=OFFICER,
        why="it is due",
        most=most,
        point=point,
    )


def dispose(world: World, *names: str) -> UUID:
    held = world.records()
    batch = authorise(world, *(held[name] for name in names))
    execute(world, batch)
    return batch


def standing(world: World, batch: UUID) -> Batch:
    with world.store.database.read() as tx:
        return disposals.batch(tx, batch)


def told(world: World, record: UUID) -> Record | Disposed:
    with world.store.database.read() as tx:
        return records.get(world.store, tx, record, messages=True)


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    return World(store, clock)


@pytest.fixture
def world_anywhere(anywhere: Store, clock: FixedClock) -> World:
    return World(anywhere, clock)


def conversation(world: World) -> None:
    """A post with two comments."""
    shown = [
        post("p1", "stays", published_at=NOON),
        comment("c1", "zebra crossing"),
        comment("c2", "stays too"),
    ]
    world.capture(listing(world.clock, *shown))


# -- nowhere -----------------------------------------------------------------------------------------------


THINGS = {
    "text": "The zebrafinch of Vantroost Lane sings at midnight",
    "its edit": "The zebrafinch of Vantroost Lane moved to quiescent quarters",
    "html": "<p>The zebrafinch, marked up &amp; kept</p>",
    "author": "Quillón Vantroost",
    "handle": "@quillonv77",
    "native id": "c-48151623",
    "address": "blog.example/talk/quillon-sings-48151623",
    "attachment": "PICTURE-OF-A-ZEBRAFINCH-AT-MIDNIGHT",
    "what both share": "Doppelganger Fotheringay",
    "second text": "Wolverine remarks on the very same lane, at length",
    "line of a file": "A badger's letter about nothing but marmalade",
    "native id in a file": "letter-31415926",
}


@dataclass(slots=True)
class Scene:
    """An archive in which three records are to go, and everything that names them."""

    world: World
    home: Path
    engine: TantivyEngine
    purger: IndexPurger
    going: list[Record]
    before: Everything
    backup: Path

    def follow(self) -> None:
        follower.catch_up(LedgerSource(self.world.store), self.engine)

    def objects(self) -> Path:
        return self.home / "objects"


@pytest.fixture
def scene(world: World, tmp_path: Path) -> Scene:
    return staged(world, tmp_path)


@pytest.fixture
def scene_anywhere(world_anywhere: World, tmp_path: Path) -> Scene:
    return staged(world_anywhere, tmp_path)


def staged(world: World, tmp_path: Path) -> Scene:
    """A comment that was edited, has a file, shares bytes with another, and is named by all that may name it."""
    store = world.store
    home = store.ledger.folder.parent
    picture = Attachment(id="a", url="https://blog.example/zebra.png", media_type="image/png")
    world.client.files = {picture.url or "": THINGS["attachment"].encode() * 40}
    for words in (THINGS["text"], THINGS["its edit"]):
        world.capture(told_of(world, words, picture))
    failed, _ = exchange(world.clock, [], status=503, url=f"https://{THINGS['address']}?again=1")
    world.client.made = [failed]
    world.capture(
        replace(
            listing(world.clock, post("p1", "a post that stays")),
            gaps=[Gap(what=f"answers to {THINGS['native id']}", why="503", native_id=THINGS["native id"])],
            resume_from=Cursor(f"after:{THINGS['native id']}"),
        )
    )
    unread, _ = exchange(world.clock, [{"id": THINGS["native id"], "text": THINGS["text"], "broken": True}])
    world.capture(UnexpectedResponse(f"the answer about {THINGS['native id']} cannot be read", [unread]))
    file = tmp_path / "letters.jsonl"
    lines = [
        {"native_id": THINGS["native id in a file"], "text": THINGS["line of a file"]},
        {"native_id": "letter-2", "text": "another letter, which stays"},
    ]
    told = [{"platform": "mail", "page": "letters", "kind": "post", **line} for line in lines]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in told))
    importing.observations(store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0)
    held = world.records()
    going = [held[THINGS["native id"]], held["c-2"], held[THINGS["native id in a file"]]]
    with store.database.begin() as tx:
        for record in going:
            access.note(store, tx, "view", by=OFFICER, record=record.id, detail={"versions": True})
    store.ledger.checkpoint()
    engine = TantivyEngine.open(home / "index")
    purger = IndexPurger(LedgerSource(store), engine, store.agency.zone(), threading.RLock())
    follower.catch_up(LedgerSource(store), engine)
    backup = tmp_path / "backup"
    shutil.copytree(home, backup, ignore=shutil.ignore_patterns("keys", "index"))
    before = Everything.of(store.database, home / "objects")
    return Scene(world, home, engine, purger, going, before, backup)


def told_of(world: World, words: str, picture: Attachment) -> object:
    """A post that stays and two comments that go; one author's bytes belong to both comments."""
    items: list[dict[str, object]] = [
        {"id": "p1", "text": "a post that stays"},
        {
            "id": THINGS["native id"],
            "text": words,
            "html": THINGS["html"],
            "by": {"name": THINGS["author"], "handle": THINGS["handle"]},
            "friend": {"name": THINGS["what both share"]},
            "link": f"https://{THINGS['address']}",
        },
        {"id": "c-2", "text": THINGS["second text"]},
    ]
    shown, places = exchange(world.clock, items)
    part = json.dumps({"name": THINGS["what both share"]}).encode()
    begin = shown.body.index(part)
    both = Span(0, begin, begin + len(part))
    own = [Span(0, *place) for place in places]
    author = Author(id="u-1", name=THINGS["author"], handle=THINGS["handle"])
    observed = [
        post("p1", "a post that stays", published_at=NOON, evidence=(own[0],)),
        Observation(
            native_id=THINGS["native id"],
            kind=Kind.COMMENT,
            text=words,
            html=THINGS["html"],
            author=author,
            url=f"https://{THINGS['address']}",
            in_reply_to="p1",
            published_at=NOON,
            attachments=(picture,),
            counts={"likes": 48151623},
            evidence=(own[1], both),
        ),
        comment("c-2", THINGS["second text"], evidence=(own[2], both)),
    ]
    return replace(listing(world.clock, *observed), exchanges=[shown], observations=observed)


def test_the_same_search_finds_everything_before_the_disposal(scene: Scene):
    """The twin: a search that finds nothing must be known to find."""
    wanted, store = Wanted(THINGS), scene.world.store
    opened = found_when_opened(wanted, Everything.of(store.database, scene.objects()), store)
    assert set().union(*opened.values()) == set(THINGS)
    assert {"acts.sealed", "lanes.sealed_cursor", "version", "piece"} <= opened.keys()
    assert found_when_opened(wanted, scene.before, store) == opened
    in_clear = wanted.found_in_files(scene.home)
    assert in_clear
    assert all("index" in Path(file).parts for file in in_clear)
    assert wanted.found_in_files(scene.backup) == {}


def test_nothing_of_a_disposed_comment_is_found_anywhere(
    scene_anywhere: Scene, request: pytest.FixtureRequest
):
    scene = scene_anywhere
    world, store, wanted = scene.world, scene.world.store, Wanted(THINGS)
    batch = authorise(world, *scene.going)
    done = execute(world, batch, derived=[scene.purger])
    assert len(done.destroyed) == 3
    assert standing(world, batch).number(disposals.VERIFIED) == 3
    # 1. In no byte of any file of the data folder, nor of the backup that was made before.
    assert wanted.found_in_files(scene.home) == {}
    assert wanted.found_in_files(scene.backup) == {}
    # 2. In nothing that any living key opens: as it stands now, as it stood before, and in the backup.
    assert found_when_opened(wanted, Everything.of(store.database, scene.objects()), store) == {}
    assert found_when_opened(wanted, scene.before, store) == {}
    if store.database.sqlite:
        copy = Database(f"sqlite:///{scene.backup / 'archive.db'}")
        assert found_when_opened(wanted, Everything.of(copy, scene.backup / "objects"), store) == {}
        copy.close()
    else:
        raw = raw_files(store, request.getfixturevalue("postgres_cluster"))
        assert Wanted({"what is in the clear": "Police blog"}).found_in_files(*raw)
        assert wanted.found_in_files(*raw) == {}
    # 3. By no question to the index, and by no reader.
    assert scene.purger.still_holds([record.key for record in scene.going]) == 0
    assert all(isinstance(told(world, record.id), Disposed) for record in scene.going)
    # 4. Everything else is as it was, and everything agrees with everything else.
    assert set(world.records()) == {"p1", "letter-2"}
    assert fixity.verify(store, full=True, derived=[scene.purger]).findings == []
    # 5. Also after the next night, in which the page still shows them.
    world.capture(told_of(world, THINGS["text"], Attachment(id="a", url="https://blog.example/zebra.png")))
    scene.follow()
    assert wanted.found_in_files(scene.home) == {}
    assert found_when_opened(wanted, Everything.of(store.database, scene.objects()), store) == {}


def raw_files(store: Store, cluster: Cluster) -> list[Path]:
    """The folders in which PostgreSQL keeps both databases, and its log, with everything written out."""
    data = cluster.folder / "data"
    found = [data / "pg_wal"]
    for database in (store.database, store.keyring.database):
        with database.begin() as tx:
            oid = tx.execute(
                text("SELECT oid FROM pg_database WHERE datname = current_database()")
            ).scalar_one()
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")
        found.append(data / "base" / str(oid))
    return found


def test_what_an_officer_typed_stays_because_it_is_the_officers_own(scene: Scene):
    store = scene.world.store
    with store.database.begin() as tx:
        access.note(store, tx, "search", by=OFFICER, detail={"query": "zebrafinch"})
    execute(scene.world, authorise(scene.world, *scene.going), derived=[scene.purger])
    with store.database.read() as tx:
        searches = [one.detail["query"] for one in access.read(store, tx) if one.action == "search"]
        seen = list(access.read(store, tx, record=scene.going[0].id))
    assert searches == ["zebrafinch"]
    assert len(seen) == 1


def test_a_gap_that_named_a_disposed_record_stays_a_gap_without_its_words(scene: Scene):
    world, store = scene.world, scene.world.store
    with store.database.read() as tx:
        before = len(runs.gaps_of(store, tx))
    execute(world, authorise(world, *scene.going), derived=[scene.purger])
    with store.database.read() as tx:
        after = runs.gaps_of(store, tx)
        done = audit.acts_before(store, tx, limit=500)
    assert len(after) == before
    assert runs.GAP_DISPOSED in {gap.what for gap in after}
    assert any("disposed of together with" in act.why for act in done.acts)
    assert len(done.acts) == world.count(acts)


def test_an_act_whose_secret_was_lost_is_never_taken_for_disposed_of(world: World):
    conversation(world)
    with world.store.database.read() as tx:
        secret = tx.execute(select(acts.c.secret).limit(1)).scalar_one()
    world.store.keyring.forget([bytes(secret)])
    with world.store.database.read() as tx, pytest.raises(KeyMissing, match="no secret"):
        audit.acts_before(world.store, tx, limit=500)


def test_a_request_that_named_a_disposed_record_goes_with_it_and_others_stay(world: World):
    """What failed belongs to no record; it goes where it has a record's own address or name in it."""
    asked = {
        "named": "https://blog.example/talk/c-48151623?again=1",
        "other": "https://blog.example/talk/c-48151624",
        "number": "https://blog.example/list?page=12",
    }
    world.client.made = [exchange(world.clock, [], status=503, url=url)[0] for url in asked.values()]
    world.capture(
        listing(world.clock, post("p1", "stays"), comment("c-48151623", "goes"), comment("12", "goes"))
    )
    held = world.records()
    batch = authorise(world, held["c-48151623"], held["12"])
    execute(world, batch)
    with world.store.database.read() as tx:
        keys = tx.execute(select(exchanges.c.key).where(exchanges.c.status == 503).order_by(exchanges.c.key))
        kept = [reading.exchange(world.store, tx, key) for key in keys.scalars().all()]
    assert [one.envelope is None for one in kept] == [True, False, False]
    assert [hole.why for hole in kept[0].holes] == [
        f"disposed of in batch {batch}, a record of which it named"
    ]
    assert world.count(forgotten) == 1
    assert world.soundness() == []


def test_what_was_found_in_a_disposed_introduction_goes_with_it(world: World):
    """The check of a page's statements quotes the introduction in its entry."""
    quoted = "This account is not monitored around the clock"
    world.capture(listing(world.clock, Observation(native_id="me", kind=Kind.PROFILE, text=quoted)))
    profile = world.records()["me"]
    with world.store.database.begin() as tx:
        entries = [
            world.store.ledger.act(
                tx, "page", by=OFFICER, why="the night", facts={"act": "statements-checked"},
                detail={"statements": [{"words": [quoted]}]}, subject=world.page.id,
            )
            for _ in range(2)
        ]  # fmt: skip
        for entry, record in zip(entries, (profile.id, new_id()), strict=True):
            tx.execute(
                insert(statement_answers).values(
                    page=world.page.key, entry=entry, at=0, policy="p", statement="monitored", answer="found",
                    source=f"{record.hex}:1",
                )
            )  # fmt: skip
    execute(world, authorise(world, profile))
    with world.store.database.read() as tx:
        told_ = {act.entry: act.detail for act in audit.acts_before(world.store, tx, limit=500).acts}
    assert told_[entries[0]] == {}
    assert told_[entries[1]] == {"statements": [{"words": [quoted]}]}


# -- the way of a batch ------------------------------------------------------------------------------------


def test_a_batch_is_authorised_executed_verified_and_final_each_in_an_entry_of_its_own(world_anywhere: World):
    world = world_anywhere
    conversation(world)
    gone = world.records()["c1"]
    batch = authorise(world, gone)
    assert standing(world, batch).numbers == {"authorised": 1}
    assert told(world, gone.id) == gone, "nothing is touched by authorising"
    done = execute(world, batch)
    assert (done.destroyed, done.withdrawn) == ([gone.id], {})
    assert standing(world, batch).numbers == {"verified": 1}
    with world.store.database.begin() as tx:
        destruction.final(
            world.store, tx, batch, backups_expired=date(2026, 3, 1), by=OFFICER, why="the last copy expired"
        )
    told_ = entries_of(world, batch)
    assert [entry["act"] for entry in told_] == ["authorised", "executed", "verified", "final"]
    executed = told_[1]
    assert (executed["n"], executed["excluded"]) == (1, 0)
    assert executed["root"] == told_[0]["root"] == disposals.root([gone.id.bytes]).hex()
    assert executed["epoch"] < told_[2]["epoch"]
    assert world.soundness() == []


def entries_of(world: World, batch: UUID) -> list[dict[str, Any]]:
    """What the ledger says of a batch, in order."""
    bodies = [msgspec.json.decode(body) for body in world.store.ledger.bodies(0, size_of(world))]
    return [body for body in bodies if body["type"] == "disposal" and body["batch"] == batch.hex]


def size_of(world: World) -> int:
    with world.store.database.read() as tx:
        return world.store.ledger.size(tx)


def test_a_disposed_record_answers_with_what_disposed_of_it_and_nothing_else(world: World):
    conversation(world)
    gone = world.records()["c1"]
    batch = dispose(world, "c1")
    answer = records.as_json(told(world, gone.id))
    assert answer["id"] == str(gone.id)
    assert answer["disposed"] == {
        "on": "2026-03-02",
        "batch": str(batch),
        **LAW,
        "page": str(world.page.id),
        "kind": "comment",
        "month": None,
    }


def test_the_month_of_publication_is_the_agencys_and_all_else_of_the_row_is_blank(world: World):
    at = NOON.replace(day=1, hour=3)  # in Juneau it is still February
    world.capture(listing(world.clock, post("p1", "one", published_at=at, counts={"likes": 3})))
    world.capture(listing(world.clock, post("p1", "one", published_at=at, counts={"likes": 4})))
    gone = world.records()["p1"]
    dispose(world, "p1")
    left = told(world, gone.id)
    assert isinstance(left, Disposed)
    assert left.detail["month"] == "2026-02"
    assert world.count(counts) == 0
    with world.store.database.read() as tx:
        row = tx.execute(select(record_table)).one()
    assert (row.parent_mac, row.published_at, row.counts) == (None, None, None)
    assert world.soundness() == []


def test_what_answered_a_disposed_post_still_answers_it_and_stays_together(world: World):
    conversation(world)
    gone = world.records()["p1"]
    dispose(world, "p1")
    left = world.records()
    assert {record.in_reply_to for record in left.values()} == {gone.id}
    with world.store.database.read() as tx:
        together = records.family(world.store, tx, left["c1"], messages=False)
    assert [record.id for record in together] == [left["c1"].id, left["c2"].id]


def test_nothing_is_authorised_without_records_and_without_authority(world: World):
    conversation(world)
    held = world.records()
    with world.store.database.begin() as tx:
        for ids, law in (([], LAW), ([held["c1"].id], {**LAW, "authority": " "})):
            with pytest.raises(destruction.NothingToDispose):
                destruction.authorise(world.store, tx, new_id(), ids, **law, by=OFFICER, why="x")
        with pytest.raises(destruction.UnknownRecord):
            destruction.authorise(world.store, tx, new_id(), [new_id()], **LAW, by=OFFICER, why="x")
    assert world.count(batch_table) == 0


def test_a_record_stands_in_one_batch_until_it_is_withdrawn_and_goes_once(world: World):
    conversation(world)
    held = world.records()
    first = authorise(world, held["c1"], held["c2"])
    with pytest.raises(destruction.InAnotherBatch):
        authorise(world, held["c1"])
    with world.store.database.begin() as tx:
        destruction.withdraw(world.store, tx, first, by=OFFICER, why="a request was opened")
    assert standing(world, first).numbers == {"withdrawn": 2}
    assert execute(world, first).destroyed == []
    assert set(world.records()) == {"p1", "c1", "c2"}
    execute(world, authorise(world, held["c1"]))
    with pytest.raises(destruction.AlreadyDisposed):
        authorise(world, held["c1"])
    assert world.soundness() == []


def test_a_batch_that_nobody_authorised_cannot_be_executed(world: World):
    with pytest.raises(disposals.NoSuchBatch):
        execute(world, new_id())


def test_a_batch_goes_in_parts_and_each_has_its_own_entry(world: World):
    world.capture(listing(world.clock, *(post(f"p{number}", f"words {number}") for number in range(7))))
    batch = authorise(world, *world.records().values())
    assert len(execute(world, batch, most=3).destroyed) == 7
    told_ = [entry for entry in entries_of(world, batch) if entry["act"] == "executed"]
    assert [entry["n"] for entry in told_] == [3, 3, 1]
    assert world.soundness() == []


def test_a_batch_is_final_only_when_it_is_verified_and_no_key_backup_is_left(world: World):
    conversation(world)
    batch = authorise(world, world.records()["c1"])

    def final(expired: date) -> None:
        with world.store.database.begin() as tx:
            destruction.final(world.store, tx, batch, backups_expired=expired, by=OFFICER, why="expired")

    with pytest.raises(destruction.NotVerified):
        final(date(2026, 3, 1))
    execute(world, batch)
    with pytest.raises(destruction.KeyBackupsLive):
        final(date(2026, 4, 1))
    world.clock.at += timedelta(days=31)
    final(date(2026, 4, 1))
    entry = standing(world, batch).final_entry
    final(date(2026, 4, 1))
    assert standing(world, batch).final_entry == entry, "it is final once"


# -- holds -------------------------------------------------------------------------------------------------


def held_by(world: World, tx: Tx, record: UUID) -> None:
    """A hold, as far as destruction is concerned: an entry under the ledger's lock, about that record."""
    lock_ledger(tx)
    if disposals.disposed(tx, [record]):
        raise TooLate
    world.store.ledger.act(tx, "act", by=OFFICER, why="Doe v. City", subject=record)


class TooLate(Exception):
    """What whoever places the hold is told."""


def holds(tx: Tx, wanted: Sequence[UUID]) -> dict[UUID, str]:
    """The last look: which of these are held, as the database says inside the destroying transaction."""
    asked = select(acts.c.subject).where(
        acts.c.type == "act", acts.c.subject.in_([one.bytes for one in wanted])
    )
    return {UUID(bytes=bytes(one)): "withdrawn_on_recheck" for one in tx.execute(asked).scalars()}


def test_what_the_last_look_names_is_withdrawn_counted_and_untouched(world: World):
    conversation(world)
    held = world.records()
    batch = authorise(world, held["c1"], held["c2"])
    with world.store.database.begin() as tx:
        held_by(world, tx, held["c1"].id)
    done = execute(world, batch, holds)
    assert done.withdrawn == {held["c1"].id: "withdrawn_on_recheck"}
    assert done.destroyed == [held["c2"].id]
    executed = entries_of(world, batch)[1]
    assert (executed["n"], executed["excluded"]) == (1, 1)
    assert told(world, held["c1"].id) == held["c1"]
    assert world.soundness() == []


def test_where_the_last_look_fails_nothing_happens(world: World):
    conversation(world)
    batch = authorise(world, world.records()["c1"])
    before = size_of(world)

    def fails(_tx: Tx, _records: Sequence[UUID]) -> dict[UUID, str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        execute(world, batch, fails)
    assert size_of(world) == before
    assert standing(world, batch).numbers == {"authorised": 1}
    assert set(world.records()) == {"p1", "c1", "c2"}
    assert world.soundness() == []


@pytest.mark.parametrize("first", ["the hold", "the disposal"])
def test_a_hold_that_comes_first_wins_and_one_that_comes_after_is_told_so(world_anywhere: World, first: str):
    """Two threads meet: whoever has the ledger's lock first decides, and nothing is ever both held and destroyed."""
    world = world_anywhere
    conversation(world)
    record = world.records()["c1"]
    batch = authorise(world, record)
    begun, outcome = threading.Event(), {}

    def place() -> None:
        try:
            with world.store.database.begin() as tx:
                if first == "the hold":
                    held_by(world, tx, record.id)
                    begun.set()
                    other.start()
                else:
                    held_by(world, tx, record.id)
            outcome["hold"] = "placed"
        except TooLate:
            outcome["hold"] = "too late"

    def destroy() -> None:
        def look(tx: Tx, wanted: Sequence[UUID]) -> dict[UUID, str]:
            if first == "the disposal":
                begun.set()
                other.start()
            return holds(tx, wanted)

        outcome["destroyed"] = str(len(execute(world, batch, look).destroyed))

    one, other = threading.Thread(target=place), threading.Thread(target=destroy)
    if first == "the disposal":
        one, other = other, one
    one.start()
    assert begun.wait(20)
    one.join(20)
    other.join(20)
    expected = {"hold": "placed", "destroyed": "0"}
    if first == "the disposal":
        expected = {"hold": "too late", "destroyed": "1"}
    assert outcome == expected
    assert world.soundness() == []


# -- neighbours --------------------------------------------------------------------------------------------


def sharing(world: World) -> tuple[int, bytes]:
    """Two comments that share an author's bytes, and a post; the exchange and what is shared."""
    shared = THINGS["what both share"].encode()
    world.capture(told_of(world, THINGS["text"], Attachment(id="a")))
    with world.store.database.read() as tx:
        return tx.execute(select(func.max(exchanges.c.key))).scalar_one(), shared


def test_a_shared_piece_outlives_its_first_record_and_dies_with_its_last(world: World):
    key, shared = sharing(world)

    def body() -> reading.ExchangeKept:
        with world.store.database.read() as tx:
            return reading.exchange(world.store, tx, key)

    assert shared in body().body
    dispose(world, "c-2")
    assert shared in body().body
    assert THINGS["second text"].encode() not in body().body
    assert world.count(ended_circles) == 0
    last = dispose(world, THINGS["native id"])
    assert shared not in body().body
    assert world.count(ended_circles) == 1
    assert any(f"{last}, with the last of the records that shared it" in hole.why for hole in body().holes)
    assert b"a post that stays" in body().body
    assert world.soundness() == []


def test_the_neighbours_evidence_leaves_as_a_conversion_whose_holes_cite_the_disposal(world: World):
    conversation(world)
    batch = dispose(world, "c1")
    out = BytesIO()
    with world.store.database.read() as tx:
        warc.write(world.store, tx, world.records()["c2"].id, out, software="test")
    kinds, holes = [], []
    for one in ArchiveIterator(BytesIO(out.getvalue())):
        kinds.append(one.rec_type)
        if one.rec_type == "metadata":
            holes += json.loads(one.content_stream().read())["holes"]
        else:
            assert b"zebra" not in one.content_stream().read()
    assert "conversion" in kinds
    assert "response" not in kinds
    assert [hole["why"] for hole in holes] == [f"disposed of in batch {batch}"]


def test_the_neighbours_proofs_verify_as_before(world: World, tmp_path: Path):
    conversation(world)
    dispose(world, "c1")
    with world.store.database.read() as tx:
        proofs.write(world.store, tx, world.records()["c2"].id, tmp_path / "proof")
    assert b"stays too" in b"".join(file.read_bytes() for file in (tmp_path / "proof" / "payload").iterdir())


def test_many_records_in_circles_of_circles_end_bottom_up(world_anywhere: World):
    world = world_anywhere
    world.capture(listing(world.clock, *(post(f"p{number}", f"words {number}") for number in range(60))))
    held = list(world.records().values())
    execute(world, authorise(world, *held[:59]), most=25)
    ended = world.count(ended_circles)
    assert 0 < ended < world.count(circles)
    assert set(world.records()) == {"p59"}
    assert world.soundness() == []
    execute(world, authorise(world, held[59]))
    assert world.count(ended_circles) == world.count(circles)
    assert world.soundness() == []


def test_an_object_is_removed_only_when_nothing_in_it_lives(world: World):
    world.client.files = {"https://blog.example/a.png": b"x" * 100}
    picture = Attachment(id="a", url="https://blog.example/a.png")
    world.capture(listing(world.clock, post("p1", "stays"), post("p2", "goes", attachments=(picture,))))
    folder = world.store.ledger.folder.parent / "objects"
    before = len(list(world.store.objects.names()))
    dispose(world, "p2")
    assert before - len(list(world.store.objects.names())) == world.count(unlinked) > 0
    assert folder.is_dir()
    assert world.records()["p1"].version.fields["text"] == "stays"
    assert world.soundness() == []
    dispose(world, "p1")
    assert world.soundness() == []


class Locked:
    """Objects of which the storage lets none go before a moment."""

    def __init__(self, world: World) -> None:
        self.inner, self.clock = world.store.objects, world.clock
        self.until = world.clock.now() + timedelta(days=3)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def discard(self, digest: bytes, *, bypass: bool = False) -> None:
        assert bypass, "only destruction asks to set a lock aside"
        if self.clock.now() < self.until:
            raise ObjectLocked("locked", until=self.until, mode="COMPLIANCE")
        self.inner.discard(digest)


def test_an_object_that_the_storage_locks_waits_until_its_lock_ends_and_opens_nothing_meanwhile(world: World):
    world.store = replace(world.store, objects=Locked(world))  # type: ignore[arg-type]  # the rest is the folder's
    world.capture(listing(world.clock, post("p1", "goes")))
    before = len(list(world.store.objects.names()))
    batch = dispose(world, "p1")
    assert entries_of(world, batch)[-1]["locked"] == before
    assert len(list(world.store.objects.names())) == before
    assert world.soundness() == []
    destruction.finish(world.store, ())
    assert len(list(world.store.objects.names())) == before
    world.clock.at += timedelta(days=4)
    destruction.finish(world.store, ())
    assert list(world.store.objects.names()) == []
    assert world.soundness() == []


# -- capture goes on ---------------------------------------------------------------------------------------


def test_every_cursor_of_the_page_is_forgotten_and_an_older_copy_of_it_opens_no_more(world: World):
    world.capture(listing(world.clock, post("p1", "one"), post("p2", "two"), cursor="after:p2"))
    with world.store.database.read() as tx:
        assert lanes.lane(world.store, tx, world.page, lanes.WHOLE).cursor == "after:p2"
        kept = tx.execute(select(lane_table.c.sealed_cursor)).scalar_one()
    dispose(world, "p2")
    with world.store.database.begin() as tx:
        assert lanes.lane(world.store, tx, world.page, lanes.WHOLE) == lanes.Lane(lanes.WHOLE)
        tx.execute(update(lane_table).values(sealed_cursor=kept))  # as an older copy of the database has it
        assert lanes.lane(world.store, tx, world.page, lanes.WHOLE).cursor is None
    world.capture(listing(world.clock, post("p1", "one"), cursor="next"))
    assert world.connector.since[-1] is None
    with world.store.database.read() as tx:
        assert lanes.lane(world.store, tx, world.page, lanes.WHOLE).cursor == "next"


def test_the_cursors_of_other_pages_stay(world: World):
    world.capture(listing(world.clock, post("p1", "one")))
    with world.store.database.begin() as tx:
        other = pages.add(
            world.store, tx, connector="scripted", platform="blog", address="https://b.example", name="B",
            by=OFFICER, why="test",
        )  # fmt: skip
        lanes.reach(world.store, tx, other, lanes.WHOLE, "stays")
    dispose(world, "p1")
    with world.store.database.read() as tx:
        assert lanes.lane(world.store, tx, other, lanes.WHOLE).cursor == "stays"


def test_the_sweep_leaves_the_secrets_of_cursors_alone(world: World):
    world.capture(listing(world.clock, post("p1", "one"), cursor="here"))
    world.clock.at += timedelta(days=400 * 365)  # whatever a secret is called, it was made before
    sweep(world.store)
    with world.store.database.read() as tx:
        assert lanes.lane(world.store, tx, world.page, lanes.WHOLE).cursor == "here"


def test_what_a_hold_let_in_again_can_be_disposed_of_a_second_time(world_anywhere: World):
    world = world_anywhere
    shown = [post("p1", "stays"), comment("c1", "about Doe v. City")]
    world.capture(listing(world.clock, *shown))
    dispose(world, "c1")
    world.capture(listing(world.clock, *shown), held=lambda _page, item: "Doe" in item.text)
    again = world.records()["c1"]
    dispose(world, "c1")
    assert isinstance(told(world, again.id), Disposed)
    assert world.count(suppressed) == 2
    assert world.capture(listing(world.clock, *shown)).tally.suppressed == 1
    assert world.soundness() == []


def test_a_batch_of_capture_that_began_before_the_tombstone_decides_again(world: World):
    conversation(world)
    gone = world.records()["c1"]
    batch = authorise(world, gone)
    shown = [
        post("p1", "stays", published_at=NOON),
        comment("c1", "zebra, edited"),
        comment("c2", "stays too"),
    ]
    done: list[Executed] = []

    def point(name: str) -> None:
        if name == "before-objects" and not done:
            done.append(execute(world, batch))

    report = world.capture(listing(world.clock, *shown), point=point)
    assert (report.tally.suppressed, report.tally.edited) == (1, 0)
    assert set(world.records()) == {"p1", "c2"}
    assert world.soundness() == []


# -- fixity ------------------------------------------------------------------------------------------------


def codes(world: World, derived: Sequence[Purger] = ()) -> set[str]:
    return {finding.code for finding in fixity.verify(world.store, full=False, derived=derived).findings}


def test_a_lawful_disposal_is_no_finding_and_a_secret_without_a_tombstone_is(world: World):
    conversation(world)
    dispose(world, "c1")
    assert world.soundness() == []
    world.store.keyring.forget([world.records()["c2"].id.bytes])
    assert codes(world) == {"key-missing"}


def test_a_tombstone_that_no_entry_speaks_of_is_found(world: World):
    conversation(world)
    batch = dispose(world, "c1")
    with world.store.database.begin() as tx:
        key = world.records()["c2"].key
        tx.execute(insert(tombstones).values(record=key, batch=batch.bytes, at=0, detail="{}"))
        suppression.lay(tx, [key])
    assert "disposal-without-entry" in codes(world)


def test_a_batch_that_claims_more_than_its_entry_is_found(world: World):
    conversation(world)
    batch = dispose(world, "c1")
    with world.store.database.begin() as tx:
        other = world.records()["c2"].key
        tx.execute(
            insert(tombstones).values(record=other, batch=batch.bytes, at=0, detail="{}"),
        )
        row = tx.execute(select(disposal_records)).one()
        tx.execute(
            insert(disposal_records).values(batch=row.batch, record=other, state="destroyed", entry=row.entry)
        )
    assert {"row-altered", "entry-without-row"} <= codes(world)


@pytest.mark.parametrize("state", ["autho2ised", "withdrawn", "verified", "authorised"])
def test_a_state_that_no_entry_made_of_an_authorised_record_is_found(world: World, state: str):
    conversation(world)
    authorise(world, world.records()["c1"])
    with world.store.database.begin() as tx:
        tx.execute(text("DROP TRIGGER disposal_records_refuse_update"))
        tx.execute(update(disposal_records).values(state=state))
    found = codes(world)
    assert "row-altered" in found or (state, found) == ("authorised", set())


def test_a_mark_without_a_tombstone_and_a_tombstone_without_a_mark_are_found(world: World):
    conversation(world)
    with world.store.database.begin() as tx:
        suppression.lay(tx, [world.records()["c2"].key])
    assert "disposal-without-entry" in codes(world)


def test_a_disposed_record_that_lost_its_mark_is_found(world: World):
    conversation(world)
    dispose(world, "c1")
    with world.store.database.begin() as tx:
        tx.execute(text("DROP TRIGGER suppressed_refuse_delete"))
        tx.execute(delete(suppressed))
    assert codes(world) == {"row-altered"}


def test_a_circle_that_ended_with_a_living_record_is_found(world: World):
    conversation(world)
    with world.store.database.begin() as tx:
        tx.execute(text("DROP TRIGGER ended_circles_refuse_living"))
        tx.execute(insert(ended_circles).values(circle=tx.execute(select(circles.c.key)).scalars().first()))
    assert codes(world) == {"disposal-without-entry"}


def test_an_object_that_is_said_to_be_removed_while_something_lives_in_it_is_found(world: World):
    conversation(world)
    dispose(world, "c1")
    with world.store.database.begin() as tx:
        batch = tx.execute(select(batch_table.c.key)).scalar_one()
        key = tx.execute(select(objects.c.key)).scalars().first()
        tx.execute(insert(unlinked).values(object=key, batch=batch, at=0))
    assert codes(world) == {"disposal-without-entry"}


def test_a_secret_that_still_exists_is_found_and_the_remedy_is_to_finish(world: World):
    conversation(world)
    gone = world.records()["c1"]
    dispose(world, "c1")
    world.store.keyring.keep({gone.id.bytes: new_secret()})
    (finding,) = fixity.verify(world.store, full=False).findings
    assert (finding.code, finding.where) == ("not-destroyed", gone.id.hex)
    assert "Finish the disposal" in finding.next


def test_a_row_that_says_more_than_its_tombstone_is_found(world: World):
    conversation(world)
    gone = world.records()["c1"]
    dispose(world, "c1")
    with world.store.database.begin() as tx:
        tx.execute(update(record_table).where(record_table.c.key == gone.key).values(published_at=1))
    assert codes(world) == {"not-destroyed"}


def test_an_index_that_still_finds_what_was_disposed_of_is_found_and_never_verified(scene: Scene):
    world = scene.world
    batch = authorise(world, *scene.going)

    class Lazy:
        """Claims to purge, and does not."""

        name = "index"

        def purge(self, disposed: Sequence[int]) -> None:
            pass

        def still_holds(self, disposed: Sequence[int]) -> int:
            return scene.purger.still_holds(disposed)

    with pytest.raises(destruction.NotDestroyed, match="3 records are in the index"):
        execute(world, batch, derived=[Lazy()])
    assert standing(world, batch).numbers == {"destroyed": 3}
    assert "not-destroyed" in codes(world, [scene.purger])
    assert destruction.finish(world.store, [scene.purger]) == 3
    assert standing(world, batch).numbers == {"verified": 3}
    assert codes(world, [scene.purger]) == set()


def test_finishing_what_is_finished_changes_nothing(world: World):
    conversation(world)
    dispose(world, "c1")
    before, epoch = size_of(world), world.store.keyring.keys.current()
    assert destruction.finish(world.store, ()) == 0
    assert (size_of(world), world.store.keyring.keys.current()) == (before, epoch)


# -- the database's own guard ------------------------------------------------------------------------------


BACK = [
    "UPDATE disposal_records SET state = 'authorised'",
    "UPDATE disposal_records SET record = 1",
    "UPDATE disposals SET series = 'other'",
    "UPDATE disposals SET final_entry = 3",
    "UPDATE unlinked SET at = 1",
    "DELETE FROM disposal_records",
    "DELETE FROM disposals",
    "DELETE FROM unlinked",
    "DELETE FROM forgotten",
    "UPDATE forgotten SET kind = 'x'",
]


def test_the_database_itself_lets_no_disposal_go_back(world_anywhere: World):
    world = world_anywhere
    conversation(world)
    dispose(world, "c1", "c2", "p1")
    batch = world.count(batch_table)
    with world.store.database.begin() as tx:
        key = tx.execute(select(batch_table.c.key)).scalar_one()
        tx.execute(update(batch_table).values(final_entry=1))
        tx.execute(insert(forgotten).values(owner=b"f" * 16, batch=key, kind="act"))
        assert tx.execute(select(func.count()).select_from(unlinked)).scalar_one() > 0
    assert batch == 1
    for statement in BACK:
        with (
            pytest.raises(DatabaseError, match=r"never (goes back|change)"),
            world.store.database.begin() as tx,
        ):
            tx.execute(text(statement))


def test_a_record_is_marked_as_destroyed_only_with_a_tombstone_of_its_batch(world_anywhere: World):
    world = world_anywhere
    conversation(world)
    authorise(world, world.records()["c1"])
    with pytest.raises(DatabaseError, match="never goes back"), world.store.database.begin() as tx:
        tx.execute(update(disposal_records).values(state="destroyed", entry=1))


def test_the_counters_of_a_living_record_never_go(world_anywhere: World):
    world = world_anywhere
    world.capture(listing(world.clock, post("p1", "one", counts={"likes": 3})))
    with (
        pytest.raises(DatabaseError, match="only together with a tombstone"),
        world.store.database.begin() as tx,
    ):
        tx.execute(delete(counts))
    with pytest.raises(DatabaseError, match="never change"), world.store.database.begin() as tx:
        tx.execute(update(counts).values(counts="{}"))
