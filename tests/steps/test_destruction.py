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
from app.store.objects import ObjectLocked
from app.store.sealing import new_secret
from app.store.tables import (
    acts,
    circles,
    counts,
    disposal_records,
    ended_circles,
    exchanges,
    forgotten,
    objects,
    suppressed,
    tombstones,
    unlinked,
)
from app.store.tables import disposals as batch_table
from app.store.tables import lanes as lane_table
from app.store.tables import records as record_table
from connectors.contract import Attachment, Author, Gap, Kind, Observation, Span
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
        world.store, batch, recheck=recheck, derived=derived, by=OFFICER, why="it is due", most=most, point=point
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
    shown = [post("p1", "stays", published_at=NOON), comment("c1", "zebra crossing"), comment("c2", "stays too")]
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
def scene(world_anywhere: World, tmp_path: Path) -> Scene:
    world, store = world_anywhere, world_anywhere.store
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
            resume_from=f"after:{THINGS['native id']}",
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
    items = [
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


def test_nothing_of_a_disposed_comment_is_found_anywhere(scene: Scene, request: pytest.FixtureRequest):
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
        assert wanted.found_in_files(*raw_files(store, request.getfixturevalue("postgres_cluster"))) == {}
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
            oid = tx.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
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
    before = sum(len(runs.gaps_of(store, tx)) for tx in reads(store))
    execute(world, authorise(world, *scene.going), derived=[scene.purger])
    (after,) = (runs.gaps_of(store, tx) for tx in reads(store))
    assert len(after) == before
    assert runs.GAP_DISPOSED in {gap.what for gap in after}
    for tx in reads(store):
        told = audit.acts_before(store, tx, limit=500)
        assert any("disposed of together with" in one.why for one in told.acts)
        assert world.count(acts) == told.total


def test_an_act_whose_secret_was_lost_is_never_taken_for_disposed_of(world: World):
    conversation(world)
    for tx in reads(world.store):
        (secret,) = tx.execute(select(acts.c.secret).limit(1)).scalars()
    world.store.keyring.forget([bytes(secret)])
    for tx in reads(world.store):
        with pytest.raises(disposals.IntegrityFailure, match="no secret"):
            audit.acts_before(world.store, tx, limit=500)


def reads(store: Store) -> Sequence[Tx]:
    """One snapshot, for a test that looks once."""
    return _Reads(store)


class _Reads(Sequence[Tx]):
    def __init__(self, store: Store) -> None:
        self.store = store

    def __len__(self) -> int:
        return 1

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # only iterated
        raise IndexError(place)

    def __iter__(self):  # type: ignore[no-untyped-def]  # a generator of one transaction
        with self.store.database.read() as tx:
            yield tx
