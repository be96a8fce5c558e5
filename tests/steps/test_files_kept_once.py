"""What several records have attached lies once: it goes with the last of them, and nobody relies on what is damaged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from app.capture import attachments, keep
from app.db import key_of
from app.db.database import lock_ledger
from app.records.clock import FixedClock
from app.store import Store, files, reading
from app.store.canonical import canonical
from app.store.files import Sealed
from app.store.ledger import timestamp
from app.store.objects import Folder, Kept
from app.store.sealing import SealBroken, new_secret, seal_stream
from app.store.tables import attachments as rows
from app.store.tables import entries, exchanges, objects, pieces
from connectors.contract import Attachment, Span
from tests.steps.remains import Everything, Wanted, found_when_opened
from tests.steps.scripted import exchange, listing
from tests.steps.test_capture import World, post
from tests.steps.test_destruction import authorise, dispose, execute

SEAL = b"\x89PNG the seal of Harrow Falls " * 4_000
WANTED = Wanted({"the seal": "the seal of Harrow Falls"})


@pytest.fixture
def world(store: Store, clock: FixedClock) -> World:
    return World(store, clock)


@pytest.fixture
def world_anywhere(anywhere: Store, clock: FixedClock) -> World:
    return World(anywhere, clock)


def shows(world: World, *names: str, content: bytes = SEAL) -> None:
    """A night that shows posts, each with the same picture under an address and an id of its own."""
    told = []
    for name in names:
        address = f"https://blog.example/{name}.png"
        world.client.files[address] = content
        told.append(post(name, f"{name} is up", attachments=(Attachment(id=f"{name}.png", url=address),)))
    world.capture(listing(world.clock, *told))


def held(world: World, name: str) -> bytes:
    (one,) = world.records()[name].attachments
    with world.store.database.read() as tx:
        row = attachments.get(tx, one.id or UUID(int=0))
    assert row is not None
    return b"".join(attachments.stream(world.store, row))


def whose(world: World) -> dict[bytes, list[int]]:
    """Which file each attachment is, by the objects in which their bytes lie."""
    asked = (
        select(rows.c.file, pieces.c.object)
        .join(pieces, pieces.c.key == rows.c.piece)
        .where(rows.c.file.is_not(None))
    )
    found: dict[bytes, list[int]] = {}
    with world.store.database.read() as tx:
        for file, where in tx.execute(asked):
            found.setdefault(bytes(file), []).append(where)
    return found


def sizes(world: World) -> int:
    with world.store.database.read() as tx:
        return int(tx.execute(select(func.sum(objects.c.size))).scalar_one())


def test_the_same_picture_of_many_posts_lies_once_and_every_post_has_it(world_anywhere: World):
    world = world_anywhere
    shows(world, "p1")
    before = sizes(world)
    shows(world, "p1", "p2", "p3")
    assert sizes(world) - before < len(SEAL) / 10
    assert [len(set(places)) for places in whose(world).values()] == [1]
    assert {held(world, name) for name in ("p1", "p2", "p3")} == {SEAL}
    assert world.soundness() == []


def test_other_pictures_are_other_files(world: World):
    shows(world, "p1")
    shows(world, "p2", content=SEAL[:-1])
    assert len(whose(world)) == 2
    assert (held(world, "p1"), held(world, "p2")) == (SEAL, SEAL[:-1])


def test_neither_ledger_nor_rows_tell_who_has_the_same_picture_without_a_key(world: World):
    shows(world, "p1", "p2")
    with world.store.database.read() as tx:
        bodies = [json.loads(bytes(body)) for body in tx.execute(select(entries.c.body)).scalars()]
    told = [body["c"] for body in bodies if body["type"] == "attachment"]
    assert len(told) == len(set(told)) == 2


def test_what_one_post_had_goes_with_it_and_the_others_keep_theirs(world_anywhere: World):
    world = world_anywhere
    shows(world, "p1", "p2")
    dispose(world, "p1")
    assert held(world, "p2") == SEAL
    assert world.soundness() == []
    with world.store.database.read() as tx:
        left = tx.execute(select(rows).order_by(rows.c.key)).all()
        ours = tx.execute(select(pieces.c.record).where(pieces.c.key.in_([row.piece for row in left]))).all()
    gone, kept = left
    assert (gone.piece, gone.file, gone.wrapped, gone.content_mac) == (None, None, None, None)
    assert [row.record for row in ours] == [kept.record]
    shows(world, "p2", "p3")
    assert len(whose(world)) == 1
    assert held(world, "p3") == SEAL


@pytest.mark.parametrize("together", [True, False])
def test_the_last_post_takes_the_picture_along(world: World, together: bool):
    shows(world, "p1", "p2", "p3")
    everything = Everything.of(world.store.database, folder(world))  # as somebody may have copied it
    assert found_when_opened(WANTED, everything, world.store)
    if together:
        dispose(world, "p1", "p2")
        dispose(world, "p3")
    else:
        for name in ("p3", "p1", "p2"):
            dispose(world, name)
    shows(world, "p4", content=b"another")
    assert found_when_opened(WANTED, everything, world.store) == {}
    assert found_when_opened(WANTED, Everything.of(world.store.database, folder(world)), world.store) == {}
    assert not [
        file for file in folder(world).rglob("*") if file.is_file() and file.stat().st_size > len(SEAL)
    ]
    assert world.soundness() == []


def test_a_batch_that_takes_all_of_them_in_parts_takes_the_picture_along(world: World):
    shows(world, *(f"p{number}" for number in range(7)))
    (place,) = {one for places in whose(world).values() for one in places}
    batch = authorise(world, *world.records().values())
    execute(world, batch, most=3)
    with world.store.database.read() as tx:
        digest = bytes(tx.execute(select(objects.c.digest).where(objects.c.key == place)).scalar_one())
    assert digest not in set(world.store.objects.names())
    assert world.soundness() == []


def folder(world: World) -> Path:
    assert isinstance(world.store.objects, Folder)
    return world.store.objects.folder


def file_of(world: World, name: str) -> Path:
    (one,) = world.records()[name].attachments
    with world.store.database.read() as tx:
        row = attachments.get(tx, one.id or UUID(int=0))
    assert row is not None
    assert row.digest is not None
    return folder(world) / row.digest.hex()[:2] / row.digest.hex()[2:]


@pytest.mark.parametrize("harm", ["flipped", "cut", "lost"])
def test_bytes_at_hand_are_never_let_go_for_a_picture_that_is_damaged(world: World, harm: str):
    shows(world, "p1")
    file = file_of(world, "p1")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    match harm:
        case "flipped":
            file.write_bytes(content)
        case "cut":
            file.write_bytes(content[:-200])
        case _:
            file.unlink()
    shows(world, "p2")
    assert held(world, "p2") == SEAL
    shows(world, "p3")
    assert held(world, "p3") == SEAL
    assert sorted(len(places) for places in whose(world).values()) == [1, 2]


class Meanwhile(Folder):
    """Something happens when a put was called off, before anything is written of it."""

    happens = staticmethod(lambda: None)

    def put(self, chunks: Iterable[bytes]) -> Kept:
        try:
            return super().put(chunks)
        except Exception:
            type(self).happens()
            raise


def test_a_disposal_in_the_moment_between_loses_nothing_and_brings_nothing_back(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    shows(world, "p1")
    world.store = replace(world.store, objects=Meanwhile(folder(world)))
    monkeypatch.setattr(Meanwhile, "happens", lambda: dispose(world, "p1"))
    address = "https://blog.example/p2.png"
    world.client.files[address] = SEAL
    told = post("p2", "p2 is up", attachments=(Attachment(id="p2.png", url=address),))
    report = world.capture(listing(world.clock, told))
    assert [(gap.what, "disposed of in this moment" in gap.why) for gap in report.gaps] == [
        ("an attachment", True)
    ]
    assert "p1" not in world.records()
    assert world.capture(listing(world.clock, told)).gaps == []
    assert held(world, "p2") == SEAL
    assert world.soundness() == []


def test_files_that_were_sealed_under_their_records_secret_open_as_before_and_are_not_shared(world: World):
    """As archives have them that were made before files had secrets of their own."""
    picture = Attachment(id="p1.png", url="https://blog.example/p1.png")
    world.capture(listing(world.clock, post("p1", "p1 is up", attachments=(picture,))))
    record = world.records()["p1"].id.bytes
    secret = world.store.keyring.secret(record)
    with world.store.database.read() as tx:
        (row,) = tx.execute(select(rows)).all()
    kept = world.store.objects.put(seal_stream(secret, b"stream/" + bytes(row.id), [SEAL]))
    told = hashlib.sha256(SEAL).digest()
    with world.store.database.begin() as tx:
        place = tx.execute(insert(objects).values(digest=kept.digest, size=kept.size, kept_at=0))
        piece = {
            "key": (tx.execute(select(func.max(pieces.c.key))).scalar() or 0) + 1,
            "record": row.record,
            "commitment": files.commitment(secret, told),
            "length": len(SEAL),
            "object": key_of(place),
            "place": 0,
            "size": kept.size,
        }
        tx.execute(insert(pieces).values(**piece))
        tx.execute(update(rows).values(piece=piece["key"], state=attachments.KEPT))
        entry = {"c": piece["commitment"].hex(), "item": record.hex(), "attachment": bytes(row.id).hex()}
        lock_ledger(tx)
        moment = timestamp(world.clock.now())
        world.store.ledger.append(tx, [canonical(entry | {"ts": moment, "type": "attachment", "v": 1})])
    assert held(world, "p1") == SEAL
    shows(world, "p2")
    assert (held(world, "p2"), len(whose(world))) == (SEAL, 1)
    assert world.soundness() == []
    dispose(world, "p1")
    assert held(world, "p2") == SEAL
    assert world.soundness() == []


def test_a_row_that_names_another_file_than_it_has_is_found(world: World):
    shows(world, "p1")
    with world.store.database.begin() as tx:
        tx.execute(update(rows).values(content_mac=bytes(16)))
    assert world.soundness() == ["row-altered: an attachment's row does not say which file it is"]


def test_what_is_left_in_the_row_of_a_disposed_post_is_found(world: World):
    shows(world, "p1")
    dispose(world, "p1")
    with world.store.database.begin() as tx:
        tx.execute(update(rows).values(file=bytes(16)))
    assert [one.partition(":")[0] for one in world.soundness()] == ["not-destroyed"]


def night_with_a_picture(world: World, number: int) -> None:
    """A page whose picture came with it, as evidence and as an attachment."""
    shown = listing(world.clock, post("p1", "a page"))
    made, _ = exchange(world.clock, [], method="RENDER", url=f"render:screenshot:{number}")
    made = replace(made, body=SEAL, response_headers=[("Content-Type", "image/png")])
    named = Attachment(id="shot", media_type="image/png", path=f"sha256:{hashlib.sha256(SEAL).hexdigest()}")
    found = replace(
        shown.observations[0],
        attachments=[named],
        evidence=[*shown.observations[0].evidence, Span(1, 0, len(SEAL))],
    )
    world.capture(replace(shown, exchanges=[*shown.exchanges, made], observations=[found]))


def bodies(world: World) -> list[bytes]:
    with world.store.database.read() as tx:
        keys = tx.execute(select(exchanges.c.key).order_by(exchanges.c.key)).scalars().all()
        return [reading.exchange(world.store, tx, key).body for key in keys]


def test_a_picture_that_is_an_attachment_too_can_be_read_as_evidence_every_night(world: World):
    for number in range(3):
        night_with_a_picture(world, number)
    assert bodies(world).count(SEAL) == 3
    assert world.soundness() == []


def test_evidence_that_refers_to_an_attachment_of_the_same_bytes_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """As capture wrote it while it did not tell the two apart."""
    night_with_a_picture(world, 0)
    monkeypatch.setattr(keep, "_of_files", lambda _tx, _keys: set())
    night_with_a_picture(world, 1)
    with world.store.database.read() as tx:
        last = tx.execute(select(exchanges.c.layout).order_by(exchanges.c.key.desc())).scalars().first()
        attached = tx.execute(select(rows.c.piece)).scalar_one()
    assert last is not None
    assert bodies(world).count(SEAL) == 2
    assert attached in [piece for piece, _, _ in reading._layout_decoder.decode(last)]


def test_a_file_opens_with_nothing_but_its_own_name_and_wrapping(world: World):
    shows(world, "p1", "p2")
    with world.store.database.read() as tx:
        one, other = (attachments.get(tx, UUID(bytes=bytes(row.id))) for row in tx.execute(select(rows)))
    assert one is not None
    assert other is not None
    assert one.digest is not None
    secret = world.store.keyring.secret(one.record)
    sealed = Sealed(one.id.bytes, one.file, one.wrapped, one.digest, one.place, one.size)
    assert b"".join(files.opened(world.store, secret, sealed)) == SEAL
    wrong: list[tuple[bytes, dict[str, Any]]] = [
        (new_secret(), {}),
        (secret, {"wrapped": other.wrapped}),
        (secret, {"wrapped": b"short"}),
        (secret, {"file": bytes(16)}),
        (secret, {"file": None, "wrapped": None}),
    ]
    for key, changed in wrong:
        with pytest.raises(SealBroken):
            b"".join(files.opened(world.store, key, replace(sealed, **changed)))
