"""Files that several records have, when something goes wrong: in rows, on the disk, between workers, and in what is left."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread

import pytest
from sqlalchemy import insert, select, update

from app.capture import attachments
from app.records.clock import FixedClock
from app.store import Store
from app.store.tables import attachments as rows
from app.store.tables import pieces
from connectors.contract import Attachment
from tests.steps.scripted import listing
from tests.steps.test_capture import World, post
from tests.steps.test_destruction import dispose
from tests.steps.test_files_kept_once import SEAL, file_of, held, shows, whose

SECONDS = 30
"""How long one worker waits for the other at most."""


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    return World(store, clock)


@pytest.fixture
def world_anywhere(anywhere: Store, clock: FixedClock) -> World:
    return World(anywhere, clock)


def keep(world: World, name: str, content: bytes = SEAL) -> bytes:
    """Keep a file of a post whose address gave nothing."""
    address = f"https://blog.example/{name}.png"
    picture = Attachment(id=f"{name}.png", url=address)
    world.client.files.pop(address, None)
    world.capture(listing(world.clock, post(name, f"{name} is up", attachments=(picture,))))
    record = world.records()[name].id.bytes
    attachments.keep(world.store, record, f"{name}.png", [content])
    return record


# -- workers -----------------------------------------------------------------------------------------------


def test_a_file_that_another_worker_kept_meanwhile_is_kept_once_with_one_entry(world_anywhere: World):
    world = world_anywhere
    picture = Attachment(id="p1.png", url="https://blog.example/p1.png")
    world.capture(listing(world.clock, post("p1", "p1 is up", attachments=(picture,))))
    record = world.records()["p1"].id.bytes
    met = Barrier(2)

    def coming() -> Iterator[bytes]:
        yield SEAL[:1000]
        met.wait(SECONDS)
        yield SEAL[1000:]

    failed: list[BaseException] = []

    def work() -> None:
        try:
            attachments.keep(world.store, record, "p1.png", coming())
        except BaseException as error:  # noqa: BLE001 - a thread's fault is told by the test
            failed.append(error)

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(SECONDS)
    assert failed == []
    assert held(world, "p1") == SEAL
    assert world.soundness() == []


def test_what_was_kept_is_not_replaced_by_other_bytes_of_the_same_name(world: World):
    record = keep(world, "p1")
    attachments.keep(world.store, record, "p1.png", [b"another"])
    assert held(world, "p1") == SEAL
    assert world.soundness() == []


# -- rows and disks ----------------------------------------------------------------------------------------

THEIR_PIECE = "WHERE key = (SELECT max(piece) FROM attachments)"
THEIR_OBJECT = f"WHERE key = (SELECT object FROM pieces {THEIR_PIECE})"
ALTERED = [
    "UPDATE attachments SET file = NULL WHERE key = 1",
    "UPDATE attachments SET file = 'words' WHERE key = 1",
    "UPDATE attachments SET wrapped = 'words' WHERE key = 1",
    "UPDATE attachments SET wrapped = 7 WHERE key = 1",
    "UPDATE attachments SET id = 'words' WHERE key = 1",
    f"UPDATE pieces SET size = -5 {THEIR_PIECE}",
    f"UPDATE pieces SET place = 9000000000 {THEIR_PIECE}",
    f"UPDATE objects SET digest = 'words' {THEIR_OBJECT}",
    f"UPDATE objects SET digest = 9223372036854775807 {THEIR_OBJECT}",
]


@pytest.mark.parametrize("altered", ALTERED, ids=range(len(ALTERED)))
def test_an_altered_row_of_another_record_keeps_nothing_from_being_kept(world: World, altered: str):
    keep(world, "p1")
    later = Attachment(id="p2.png", url="https://blog.example/p2.png")
    world.capture(listing(world.clock, post("p2", "p2 is up", attachments=(later,))))
    record = world.records()["p2"].id.bytes
    with world.store.database.begin() as tx:
        for (trigger,) in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            tx.exec_driver_sql(f"DROP TRIGGER {trigger}")
        tx.exec_driver_sql(altered)
    assert attachments.keep(world.store, record, "p2.png", [SEAL]) == len(SEAL)
    with world.store.database.read() as tx:
        (kept,) = attachments.of(world.store, tx, record, ["p2.png"]).values()
    assert b"".join(attachments.stream(world.store, kept)) == SEAL
    assert world.soundness() != []


def test_bytes_at_hand_are_kept_where_the_disk_cannot_read_those_that_lie_there(world: World):
    keep(world, "p1")
    there = file_of(world, "p1")
    there.unlink()
    there.symlink_to(there)  # no file that can be opened: the system itself refuses
    keep(world, "p2")
    assert held(world, "p2") == SEAL


@pytest.mark.parametrize("lost", ["content_mac", "file", "wrapped"])
def test_a_row_that_lost_what_tells_its_file_is_found(world: World, lost: str):
    shows(world, "p1", "p2")
    with world.store.database.begin() as tx:
        tx.execute(update(rows).where(rows.c.key == 1).values({lost: None}))
    assert world.soundness() != []


# -- what is left ------------------------------------------------------------------------------------------


def lying(world: World) -> list[tuple[int, int]]:
    """Which object each attachment that has a piece lies in, by the keys of records."""
    asked = select(rows.c.record, pieces.c.object).join(pieces, pieces.c.key == rows.c.piece)
    with world.store.database.read() as tx:
        return [(row.record, row.object) for row in tx.execute(asked)]


def test_what_is_left_of_posts_disposed_of_together_does_not_say_that_they_had_the_same(
    world_anywhere: World,
):
    world = world_anywhere
    shows(world, "p1", "p2", "p3")
    dispose(world, "p1", "p2", "p3")
    assert len(lying(world)) == 1  # it names the object that was removed, for one of them alone
    assert whose(world) == {}
    assert world.soundness() == []


def test_what_is_left_that_names_the_file_of_a_living_post_is_found(world: World):
    shows(world, "p1", "p2")
    with world.store.database.read() as tx:
        first = tx.execute(select(rows.c.key, rows.c.piece).order_by(rows.c.key)).first()
        assert first is not None
        piece = dict(tx.execute(select(pieces).where(pieces.c.key == first.piece)).mappings().one())
    dispose(world, "p1")
    assert world.soundness() == []
    with world.store.database.begin() as tx:
        tx.execute(insert(pieces).values(**piece))
        tx.execute(update(rows).where(rows.c.key == first.key).values(piece=first.piece))
    assert [one.partition(":")[0] for one in world.soundness()] == ["not-destroyed"]
