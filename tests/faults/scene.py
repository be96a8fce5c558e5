"""A small archive with something of everything, what is done in it, and what must be true of it after any fault.

An act says what it acknowledged, in words that travel through a pipe or a
journal: `Fact`. `Expected` is the plain model beside the store: what all facts
together promise. `Recovered` opens the archive as a start does, and asks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import insert, select

from app import main
from app.capture import attachments, deeds, importing, pages, records, run, tags
from app.capture.runs import Report
from app.db import Tx
from app.disposition import approving, proposing
from app.disposition.disposing import Disposing
from app.disposition.refusals import NothingEligible
from app.holds import covering, finding, following, matters, noticing, placing, quarantine, releasing
from app.holds.scopes import Scope
from app.index import follower
from app.index.source import LedgerSource
from app.officers import accounts
from app.records.clock import FixedClock
from app.records.ids import new_id
from app.records.nouns import Disposed, Officer, Page, Record, Role
from app.retention import adopted, classifying, recording
from app.retention.adopted import AlreadyAdopted
from app.retention.standing import Standing
from app.store import Store, access, anchors, destruction, disposals, fixity, merkle, witness
from app.store.asking import Reply
from app.store.note import Checkpoint, opened
from app.store.sweep import sweep
from app.store.tables import anchors as anchor_table
from app.store.tables import checkpoints, disposal_records, objects, tombstones, unlinked
from app.store.tables import disposals as batches
from app.store.tables import officers as officer_table
from app.store.tables import records as record_table
from connectors.contract import Attachment, Author, Kind, Observation, Sighting, Span, State
from connectors.errors import TryAgainLater
from tests.archives import close, settings_at
from tests.promises.reference_engine import ReferenceEngine
from tests.steps.scripted import Scripted, ScriptedClient, exchange, listing
from tests.steps.vouching import Office

OFFICER = UUID(int=7)
LAW = {"authority": "Town council", "series": "COR-03", "citation": "Resolution 12, item 3"}
DAY = timedelta(days=1)

Fact: TypeAlias = dict[str, Any]
Say: TypeAlias = Callable[[Fact], None]


def picture(number: int) -> bytes:
    """The bytes of an attachment: several sealed chunks, and different for each number."""
    return hashlib.shake_256(b"%d" % number).digest(40_000)


@dataclass(slots=True)
class Scene:
    """An open archive, its one page, and the script of what that page shows."""

    store: Store
    clock: FixedClock
    page: Page
    home: Path
    client: ScriptedClient
    connector: Scripted
    office: Office | None = None

    @classmethod
    def open(cls, home: Path, clock: FixedClock, office: Office | None = None, **more: Any) -> Scene:
        store = main.open_store(settings_at(home, **more), clock)
        with store.database.read() as tx:
            (page,) = (one for one in pages.listed(tx) if one.platform == "blog")
        client = ScriptedClient(clock)
        return cls(store, clock, page, home, client, Scripted(client), office)

    def close(self) -> None:
        close(self.store)

    def capture(self, *shown: Any, files: Mapping[str, bytes] | None = None) -> Report:
        """One run over the page, which shows this."""
        self.connector.steps = list(shown)
        self.client.files = dict(files or {})
        self.clock.at += timedelta(minutes=1)
        report = run.capture(
            self.store, self.page, self.connector, self.client, by=None, why="test", tick=lambda: 0.0
        )
        assert report.status in ("complete", "partial"), report
        return report

    def records(self) -> dict[str, Record]:
        """Every living record by its native id."""
        with self.store.database.read() as tx:
            keys = list(tx.execute(select(record_table.c.key).order_by(record_table.c.key)).scalars())
            found = records.read(self.store, tx, keys, messages=True)
            return {str(one.version.fields["native_id"]): one for one in found}


def make(home: Path, clock: FixedClock, **more: Any) -> None:
    """The archive in which everything begins: records of every kind, some of them to be disposed of."""
    store = main.make(
        settings_at(home, **more),
        agency="Harrow Falls",
        domain="harrowfalls.example",
        timezone="America/Juneau",
        clock=clock,
    )
    with store.database.begin() as tx:
        pages.add(
            store, tx, connector="scripted", platform="blog", address="https://blog.example", name="Police blog",
            by=OFFICER, why="test",
        )  # fmt: skip
    close(store)


def make_or_open(home: Path, clock: FixedClock) -> None:
    """What an operator does whose `init` was broken off: the same again; then work with it.

    Where `init` had come to its end, it says that an archive is there already.
    """
    with contextlib.suppress(main.AlreadyMade):
        main.make(
            settings_at(home),
            agency="Harrow Falls",
            domain="harrowfalls.example",
            timezone="America/Juneau",
            clock=clock,
        )
    store = main.open_store(settings_at(home), clock)
    with store.database.begin() as tx:
        store.ledger.act(tx, "page", by=OFFICER, why="test")
    store.ledger.checkpoint()
    assert checked(store).findings == []
    close(store)


def furnish(scene: Scene, say: Say) -> None:
    """What the archive holds before anything goes wrong."""
    shown = [post("p1", "The road is closed", published_at=scene.clock.now() - DAY)]
    shown += [comment(f"c{number}", f"question {number}") for number in range(4)]
    kept(scene, shown, say)
    shared(scene, "d1", "d2", say)
    shared(scene, "d3", "s1", say)
    kept(scene, [comment("d4", "alone in its object")], say)
    with_picture(scene, ["d5", "s2"], 0, say)
    signed(scene, say)


def post(name: str, words: str, **more: Any) -> Observation:
    return Observation(native_id=name, kind=Kind.POST, text=words, **more)


def comment(name: str, words: str, **more: Any) -> Observation:
    return Observation(
        native_id=name, kind=Kind.COMMENT, text=words, in_reply_to="p1", author=Author(name="Pat"), **more
    )


def checked(store: Store, **more: Any) -> fixity.Checked:
    """The full check, as `muniment verify --full` makes it: with the looks of every room."""
    return fixity.verify(store, full=True, more=main.ACCOUNTED, **more)


# -- acts --------------------------------------------------------------------------------------------------


def kept(scene: Scene, shown: Sequence[Observation], say: Say) -> None:
    scene.capture(listing(scene.clock, *shown))
    say({"kept": {one.native_id: one.text for one in shown}})


def shared(scene: Scene, one: str, other: str, say: Say) -> None:
    """Two comments that name the same bytes of their answer: a circle."""
    author = b'{"name": "Ann of the mill"}'
    told = [{"id": one}, {"id": other, "by": json.loads(author)}]
    shown, places = exchange(scene.clock, told)
    begin = shown.body.index(author)
    both = Span(0, begin, begin + len(author))
    observed = [
        comment(name, f"words of {name}", evidence=(Span(0, *place), both))
        for name, place in zip((one, other), places, strict=True)
    ]
    batch = replace(listing(scene.clock), exchanges=[shown], observations=observed)
    scene.capture(batch)
    say({"kept": {one: f"words of {one}", other: f"words of {other}"}})


def with_picture(scene: Scene, names: Sequence[str], number: int, say: Say) -> None:
    """Posts that all have one picture; each keeps it for itself."""
    url = f"https://blog.example/{number}.png"
    file = Attachment(id=f"a{number}", url=url, media_type="image/png")
    shown = [post(name, f"look at {number}", attachments=(file,)) for name in names]
    scene.capture(listing(scene.clock, *shown), files={url: picture(number)})
    say({"kept": dict.fromkeys(names, f"look at {number}")})
    say({"pictures": dict.fromkeys(names, number)})


def signed(scene: Scene, say: Say) -> str:
    note = scene.store.ledger.checkpoint()
    said = Checkpoint.parse(opened(note, scene.store.ledger.verifier()))
    say({"signed": [said.size, said.root.hex()]})
    return note


def capture(scene: Scene, number: int, say: Say) -> None:
    """A night with new posts and comments, two of which share bytes."""
    kept(scene, [post(f"n{number}", f"news {number}"), comment(f"n{number}c", f"answer {number}")], say)
    shared(scene, f"n{number}d", f"n{number}e", say)


def edit(scene: Scene, number: int, say: Say) -> None:
    """A post is edited, and a comment goes from the platform."""
    kept(scene, [post("p1", f"The road is closed, edit {number}")], say)
    gone = replace(
        listing(scene.clock, cursor=f"e{number}"),
        exchanges=[exchange(scene.clock, [], status=404)[0]],
        sightings=[Sighting(native_id="c1", state=State.GONE, exchange=0, reason=f"404 ({number})")],
    )
    scene.capture(gone)
    say({"gone": ["c1"]})


def attach(scene: Scene, number: int, say: Say) -> None:
    """Two posts with one picture."""
    with_picture(scene, [f"f{number}", f"g{number}"], number, say)


def receive(scene: Scene, number: int, say: Say) -> None:
    """A file of someone else's: two pages that it names itself."""
    file = scene.home.parent / f"lines-{number}.jsonl"
    lines = [
        {"platform": "mail", "page": f"list {line % 2}", "native_id": f"l{number}-{line}", "kind": "post",
         "text": f"letter {number} {line}"}
        for line in range(8)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    importing.observations(
        scene.store, file, page=None, make_pages=True, by=None, why="test", tick=lambda: 0.0
    )
    say({"kept": {line["native_id"]: line["text"] for line in lines}})


def sign(scene: Scene, number: int, say: Say) -> None:
    """Something is done, and the ledger is signed with it."""
    with scene.store.database.begin() as tx:
        entry = scene.store.ledger.act(tx, "page", by=OFFICER, why=f"deed {number}", facts={"n": number})
    say({"entered": [entry, scene_entry(scene, entry)]})
    signed(scene, say)


def scene_entry(scene: Scene, index: int) -> str:
    with scene.store.database.read() as tx:
        return hashlib.sha256(scene.store.ledger.entry(tx, index)).hexdigest()


def anchor(scene: Scene, number: int, say: Say) -> None:
    """An authority timestamps the ledger, and a witness cosigns it."""
    sign(scene, number, say)
    assert scene.office is not None
    office = scene.office
    desk = desk_of(scene)

    def ask(url: str, content: bytes, media_type: str) -> Reply:
        if media_type == "application/timestamp-query":
            assert url.endswith("/authority")
            return Reply(200, "application/timestamp-reply", office.reply(content))
        answer = desk.add_checkpoint(content)
        if answer.status == 200:
            last = desk.last(scene.store.ledger.origin)
            assert last is not None
            say({"seen": [last.size, last.root.hex()]})
        return Reply(answer.status, answer.media_type, answer.body.encode())

    asked = [anchors.Authority("http://127.0.0.1/authority", office.root)]
    seeing = [witness.Witness("http://127.0.0.1", desk.cosigner.key())]
    done = anchors.attest(scene.store, asked, seeing, ask, by=None, why="test")
    desk.close()
    assert (len(done.kept), [one.error for one in done.seen]) == (1, [None]), done
    say({"anchored": done.kept[0].digest.hex()})


def desk_of(scene: Scene) -> witness.Desk:
    """The witness across the street; its folder lies on the same disk."""
    folder = scene.home.parent / "witness"
    return witness.Desk(folder, "clerk.example/witness", [scene.store.ledger.verifier()], scene.clock)


def close_day(scene: Scene, number: int, say: Say) -> None:
    """What was read is noted, and the day's digest is entered."""
    with scene.store.database.begin() as tx:
        access.note(scene.store, tx, "search", by=OFFICER, detail={"q": f"road {number}"})
    scene.clock.at += DAY
    with scene.store.database.begin() as tx:
        access.close_days(scene.store, tx, by=None, why="test")
    scene.clock.at -= DAY


def stumble(scene: Scene, number: int, say: Say) -> None:
    """A picture that is not there, then a platform that no longer answers: both are gaps."""
    missing = Attachment(id="lost", url="https://blog.example/lost.png", media_type="image/png")
    first = listing(scene.clock, post(f"t{number}", f"trouble {number}", attachments=(missing,)))
    scene.capture(first)
    say({"kept": {f"t{number}": f"trouble {number}"}})
    scene.capture(
        listing(scene.clock, comment(f"t{number}c", "before it fell silent")), TryAgainLater("silence")
    )
    say({"kept": {f"t{number}c": "before it fell silent"}})


def clean(scene: Scene, _number: int, _say: Say) -> None:
    """Tiles are made anew, and what crashes left is swept."""
    store = scene.store
    for words in (b"left by a crash", b"left by another"):
        store.objects.put([words])
    (scene.home / "objects" / "incoming" / "broken off").write_bytes(b"half")
    store.keyring.keep({bytes(16): bytes(32)})
    store.ledger.rebuild()
    scene.clock.at += 2 * DAY
    swept = sweep(store)
    assert (swept.objects, swept.incoming) >= (2, 1), swept
    scene.clock.at -= 2 * DAY


def rotate(scene: Scene, _number: int, say: Say) -> None:
    """Every secret is wrapped anew, and the old key destroyed."""
    say({"epoch": scene.store.keyring.rotate()})


def stay(_tx: Tx, _records: Sequence[UUID]) -> dict[UUID, str]:
    """The last look, where no hold and no schedule says no."""
    return {}


def dispose(scene: Scene, names: Sequence[str], say: Say) -> None:
    """Records are authorised and destroyed, two at a time; of the pairs that share bytes one is last, one is not.

    What an act before it authorised and did not come to destroy is gone on with.
    """
    store = scene.store
    with store.database.read() as tx:
        asked = select(batches.c.id).join(disposal_records, disposal_records.c.batch == batches.c.key)
        waiting = tx.execute(asked.where(disposal_records.c.state == disposals.AUTHORISED)).scalars().first()
    held = scene.records()
    going = [held[name].id for name in names if name in held]
    batch = UUID(bytes=bytes(waiting)) if waiting is not None else new_id()
    if waiting is None and going:
        with store.database.begin() as tx:
            destruction.authorise(store, tx, batch, going, **LAW, by=OFFICER, why="the schedule")
    if going:
        destruction.execute(store, batch, recheck=stay, derived=[], by=OFFICER, why="it is due", most=2)
    say({"disposed": list(names)})


GOING = ("d1", "d2", "d3", "d4", "d5")


def destroy(scene: Scene, _number: int, say: Say) -> None:
    dispose(scene, GOING, say)


# -- what people do with records ---------------------------------------------------------------------------

CLERK = Officer(
    id=OFFICER, email="clerk@harrowfalls.example", name="Clerk", roles=frozenset({Role.RECORDS_OFFICER})
)
COUNSEL = replace(
    CLERK, id=UUID(int=8), email="counsel@harrowfalls.example", roles=frozenset({Role.ATTORNEY})
)
SECOND = replace(COUNSEL, id=UUID(int=9), email="second@harrowfalls.example")
CHIEF = replace(CLERK, id=UUID(int=10), email="chief@harrowfalls.example", roles=frozenset({Role.APPROVER}))
PEOPLE = (CLERK, COUNSEL, SECOND, CHIEF)
SCHEDULE = """\
jurisdiction: us-xx-town
authority: Town council
title: Schedule {number}
edition: "1"
effective: null
waiting_days: 0
approvals: [records_officer, approver]
series:
  - code: S{number}
    title: Correspondence {number}
    citation: Resolution {number}
    verified: true
    rule: {{after: published, keep: P1Y, then: destroy}}
classify:
  - {{series: S{number}, when: "news{number}", priority: {number}}}
"""


def hired(scene: Scene) -> None:
    """Those who act here have accounts; nobody signs in, so no password is made."""
    with scene.store.database.begin() as tx:
        known = set(tx.execute(select(officer_table.c.email)).scalars())
        for one in PEOPLE:
            if one.email not in known:
                row = {"id": one.id.bytes, "email": one.email, "name": one.name, "roles": " ".join(one.roles)}
                tx.execute(insert(officer_table).values(**row, active=True, added_at=0))
                told = {"email": one.email, "name": one.name, "roles": list(one.roles)}
                accounts.write(scene.store, tx, "added", one, by=None, why="works here", detail=told)


def adopted_for(scene: Scene, number: int, say: Say) -> list[UUID]:
    """A schedule, and records of long ago that its rule puts into its one series; their ids."""
    names = [f"{name}{number}" for name in ("old", "older")]
    long_ago = scene.clock.now() - 3_000 * DAY
    kept(scene, [post(name, f"news{number} of {name}", published_at=long_ago) for name in names], say)
    with contextlib.suppress(AlreadyAdopted), scene.store.database.begin() as tx:
        file = SCHEDULE.format(number=number).encode()
        adopted.adopt(scene.store, tx, file, instrument=f"Resolution {number}", by=CLERK.id, why="adopted")
    classifying.follow(scene.store)
    engine = ReferenceEngine()
    follower.catch_up(LedgerSource(scene.store), engine)
    classifying.classify_all(scene.store, engine)
    held = scene.records()
    return [held[name].id for name in names]


def retain(scene: Scene, number: int, say: Say) -> None:
    """A schedule is adopted, records are classified by it, and people record what happened to them."""
    first, second = adopted_for(scene, number, say)
    store, today = scene.store, deeds.today(scene.store)
    with store.database.begin() as tx:
        recording.assign(store, tx, [first, second], f"S{number}", by=CLERK, why="I read them")
        recording.unassign(store, tx, [second], by=CLERK, why="the rules are right")
        made = recording.event(
            store,
            tx,
            [first, second],
            "read",
            on=today - DAY,
            evidence="a letter",
            by=CLERK,
            why="it was found",
        )
        recording.take_back(store, tx, made.id, by=CLERK, why="it was another post")
        found = [one for one in scene.records().values() if one.id in (first, second)]
        for one in found:
            tags.add(store, tx, one, f"tag {new_id()}", by=CLERK, why="a report")
        entry = tags.add(store, tx, found[0], f"flood {new_id()}", by=CLERK, why="a report").entry
    say({"entered": [entry, scene_entry(scene, entry)]})


def counsel(scene: Scene, number: int, say: Say) -> None:
    """A matter is opened, a hold placed and another released, and a record is put into quarantine."""
    hired(scene)
    store, name = scene.store, f"suit{number}"
    kept(scene, [post(name, f"words for counsel {number}")], say)
    record = scene.records()[name].id
    with store.database.begin() as tx:
        matter = matters.open(
            store,
            tx,
            f"Doe {new_id()}",
            silent=bool(number % 2),
            members=[SECOND.email],
            by=COUNSEL,
            why="a letter",
        )
        matters.name_custodian(
            store, tx, matter, "Pat", "pat@harrowfalls.example", by=COUNSEL, why="has drafts"
        )
    wanted = Scope(query=f"counsel {number}", records=(record,))
    found = finding.find(store, ReferenceEngine(), wanted)
    with store.database.begin() as tx:
        placing.place(store, tx, matter, wanted, found, by=COUNSEL, why="to be kept")
        held = placing.place(store, tx, matter, wanted, found, by=COUNSEL, why="to be kept").hold
    with store.database.begin() as tx:
        noticing.notify(store, tx, held, "pat@harrowfalls.example", by=COUNSEL, why="must keep")
        releasing.ask(store, tx, held, by=COUNSEL, why="settled")
        releasing.approve(store, tx, held, after=timedelta(0), by=SECOND, why="settled")
    releasing.settle(store)
    following.follow(store)
    with store.database.begin() as tx:
        if record not in {one.record for one in quarantine.listed(store, tx, by=COUNSEL)}:
            quarantine.begin(store, tx, record, CLERK.email, by=COUNSEL, why="an order may come")
        entry = quarantine.end(store, tx, record, by=COUNSEL, why="none came")
    say({"entered": [entry, scene_entry(scene, entry)]})


def propose(scene: Scene, number: int, say: Say) -> None:
    """What is eligible is proposed and approved; a second list waits."""
    ids = adopted_for(scene, number, say)
    store = scene.store
    with store.database.begin() as tx:
        recording.assign(store, tx, ids, f"S{number}", by=CLERK, why="I read them")
    of = Disposing(
        store=store,
        schedules=Standing(store),
        covering=lambda tx, keys: covering.covering(store, tx, keys),
        derived=tuple,
        anchored=False,
    )
    entry = None
    with contextlib.suppress(NothingEligible), store.database.begin() as tx:  # all of it is proposed already
        proposing.propose(of, tx, f"S{number}", limit=1, by=CLERK, why="it is due")
        made = proposing.propose(of, tx, f"S{number}", limit=1, by=CLERK, why="it is due")
        entry = approving.approve(of, tx, made.id, by=CHIEF, why="I looked").state_entry
    if entry is not None:
        say({"entered": [entry, scene_entry(scene, entry)]})


Act: TypeAlias = Callable[[Scene, int, Say], None]
ACTS: dict[str, Act] = {
    "capture": capture,
    "edit": edit,
    "attach": attach,
    "receive": receive,
    "sign": sign,
    "anchor": anchor,
    "close day": close_day,
    "stumble": stumble,
    "clean": clean,
    "rotate": rotate,
    "retain": retain,
    "counsel": counsel,
    "propose": propose,
    "destroy": destroy,
}


# -- what must be true -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Expected:
    """What was acknowledged, all in all."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    pictures: dict[str, int] = field(default_factory=dict)
    disposed: set[str] = field(default_factory=set)
    signed: list[tuple[int, str]] = field(default_factory=list)
    seen: list[tuple[int, str]] = field(default_factory=list)
    entered: dict[int, str] = field(default_factory=dict)
    anchored: set[str] = field(default_factory=set)
    epoch: int = 1

    def take(self, facts: Iterable[Fact]) -> Expected:
        for fact in facts:
            for what, told in fact.items():
                self._take(what, told)
        return self

    def _take(self, what: str, told: Any) -> None:
        match what:
            case "kept":
                for name, words in told.items():
                    known = self.texts.setdefault(name, [])
                    if known[-1:] != [words]:
                        known.append(words)
            case "gone":
                self.gone |= set(told)
            case "pictures":
                self.pictures |= told
            case "disposed":
                self.disposed |= set(told)
            case "signed":
                self.signed.append((told[0], told[1]))
            case "entered":
                self.entered[told[0]] = told[1]
            case "seen":
                self.seen.append((told[0], told[1]))
            case "anchored":
                self.anchored.add(told)
            case "epoch":
                self.epoch = told
            case _:
                raise AssertionError(what)

    def copy(self) -> Expected:
        return Expected(
            {name: list(words) for name, words in self.texts.items()},
            set(self.gone),
            dict(self.pictures),
            set(self.disposed),
            list(self.signed),
            list(self.seen),
            dict(self.entered),
            set(self.anchored),
            self.epoch,
        )


def wrong_in(scene: Scene, expected: Expected, *, may_be_gone: Iterable[str] = ()) -> list[str]:
    """What is not as it was acknowledged. Of an act that was broken off, records may be gone already."""
    store, wrong = scene.store, list[str]()
    held = scene.records()
    living = expected.texts.keys() - expected.disposed
    with store.database.read() as tx:
        for name in sorted(living):
            if name not in held:
                if name not in set(may_be_gone):
                    wrong.append(f"{name} was acknowledged and is not there")
                continue
            told = [str(one.fields["text"]) for one in records.history(store, tx, held[name])]
            texts = [words for place, words in enumerate(told) if place == 0 or told[place - 1] != words]
            later = iter(texts)  # an act that was broken off may have kept a version that nobody was told of
            if not all(words in later for words in expected.texts[name]):
                wrong.append(f"{name} says {texts} where {expected.texts[name]} was acknowledged")
        for name in expected.gone & held.keys():
            if held[name].state != "gone":
                wrong.append(f"{name} is {held[name].state}")
        for name, number in expected.pictures.items():
            if name in held:
                wrong += _picture(store, tx, held[name], number)
        size = store.ledger.size(tx)
        bodies = list(store.ledger.bodies(0, size))
        for index, digest in expected.entered.items():
            if index >= size or hashlib.sha256(bodies[index]).hexdigest() != digest:
                wrong.append(f"entry {index} is not the one that was acknowledged")
        tokens = {bytes(one).hex() for one in tx.execute(select(anchor_table.c.digest)).scalars()}
        wrong += [f"timestamp {one} is not there" for one in expected.anchored - tokens]
        signed_now = {one.size: bytes(one.root).hex() for one in tx.execute(select(checkpoints))}
        buried = set(tx.execute(select(tombstones.c.record)).scalars())
    wrong += [f"{name} is disposed of and is read" for name in expected.disposed & held.keys()]
    if len(buried) < len(expected.disposed):
        wrong.append("fewer tombstones than were acknowledged")
    for at, root in expected.signed:
        tree = merkle.Growing()
        for body in bodies[:at]:
            tree.add(merkle.leaf_hash(body))
        if at > size or tree.root().hex() != root:
            wrong.append(f"the ledger does not begin with the {at} entries that were signed")
        if signed_now.get(at) != root:
            wrong.append(f"the checkpoint of {at} entries is not in the database")
    if expected.seen:
        desk = desk_of(scene)
        last = desk.last(store.ledger.origin)
        desk.close()
        if last is None or (last.size, last.root.hex()) < max(expected.seen):
            wrong.append(f"the witness has forgotten what it saw: {last}")
    if min(store.keyring.keys.epochs(), default=0) < expected.epoch:
        wrong.append(f"epoch {expected.epoch} began, and an older key is there")
    return wrong


def _picture(store: Store, tx: Tx, record: Record, number: int) -> list[str]:
    row = attachments.of(store, tx, record.id.bytes, [f"a{number}"]).get(f"a{number}")
    if row is None or row.state != attachments.KEPT:
        return [f"picture {number} of {record.id} is not kept"]
    if b"".join(attachments.stream(store, row)) != picture(number):
        return [f"picture {number} of {record.id} is another"]
    return []


def recover(
    home: Path, clock: FixedClock, expected: Expected, act: str | None, office: Office | None
) -> None:
    """Start as after a crash, and raise `AssertionError` with everything that is not as it must be.

    1. The archive opens, and verifies before anything is finished: only what a
       disposal has still to do may be told.
    2. What was past its point of no return is finished; then nothing is told.
    3. Everything acknowledged is there, with its bytes and its entries.
    4. A sweep two days later takes nothing that anybody needs.
    5. The ledger signs, and continues all that it ever signed.
    6. The act that was broken off is done again, and is then whole.
    """
    going = GOING if act == "destroy" else ()
    scene = Scene.open(home, clock, office)
    store = scene.store
    try:
        first = checked(store).findings
        assert {one.code for one in first} <= ({"not-destroyed"} if going else set()), first
        destruction.finish(store, [])
        found = checked(store).findings
        assert found == [], found
        assert not (wrong := wrong_in(scene, expected, may_be_gone=going)), wrong
        clock.at += 2 * DAY
        sweep(store)
        said: list[Fact] = []
        signed(scene, said.append)
        expected.take(said)
        if act is not None:
            ACTS[act](scene, 999, said.append)
            expected.take(said)
        found = checked(store).findings
        assert found == [], found
        assert not (wrong := wrong_in(scene, expected)), wrong
        if going:
            unreachable(scene)
    finally:
        scene.close()


def unreachable(scene: Scene) -> None:
    """Nothing of what was disposed of can be reached: no secret, no epoch, no object, and no copy of the old keys."""
    store = scene.store
    with store.database.read() as tx:
        assert disposals.unfinished(tx) == []
        for batch in disposals.batches(tx):
            assert set(batch.numbers) <= {disposals.VERIFIED, disposals.WITHDRAWN}, batch
            for record in disposals.states(tx, batch.id):
                assert isinstance(records.get(store, tx, record, messages=True), Disposed)
                assert store.keyring.secrets([record.bytes]) == {}
    keys = store.keyring.keys.file
    assert [one.name for one in keys.parent.iterdir() if one.name.startswith(keys.name)] == [keys.name]
    known = {bytes(name) for name in store.objects.names()}
    with store.database.read() as tx:
        asked = select(objects.c.digest).join(unlinked, unlinked.c.object == objects.c.key)
        dead = {bytes(one) for one in tx.execute(asked).scalars()}
    assert dead, "something lay alone in its object"
    assert not dead & known, "an object that was removed is there"


def copied(home: Path, to: Path) -> Path:
    """A copy of everything beside an archive's folder too: its witness, the files that it received."""
    shutil.copytree(home.parent, to.parent)
    return to
