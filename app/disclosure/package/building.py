"""Building a production: from items to the sealed folder, part by part, so that a kill at any point costs a part and no more.

What is being made lies beside its place, in a folder that ends with `.part`;
it is moved into its place by one rename when it is sealed. The parts, in order:

1. documents: every item gets its pages, its numbers and its own files;
2. proofs: of each document, as much as leaves;
3. tables: load files, tables, logs, conversations, in one walk over the items;
4. replay: the WACZ of each page;
5. completeness: what was and was not captured;
6. papers: drafts for the witness, the system, the incidents;
7. the bag, and beside it what is needed to check it;
8. the seal, after whoever asked for it has looked at everything that is sealed.

The first two go on where they were; the others are made anew where they were
broken off. What is written down as done was brought to disk before. The same recipe and items are the same bytes at every build, but for
signatures and timestamps.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.db import DiskFull
from app.disclosure import afterwards
from app.disclosure.formats.logs import Privilege
from app.disclosure.package import (
    certifying,
    completing,
    handing,
    laying,
    numbering,
    proving,
    replaying,
    sealing,
    spooling,
    tabling,
)
from app.disclosure.package.certifying import Counts
from app.disclosure.package.completing import GapTold, PageAccount
from app.disclosure.package.numbering import Numbering, Place
from app.disclosure.package.recipe import Form, Numbered, Recipe
from app.disclosure.package.sealing import Sealed, Signer
from app.disclosure.package.spooling import ItemsChanged, Journal, Laid, Spool
from app.disclosure.package.tabling import Tables, Tally
from app.disclosure.released import Item, Made
from app.index.keys import Keys
from app.papers import paper
from app.records.errors import Invalid, Refused, Unavailable
from app.store import bag, folders
from app.store.anchors import Authority
from app.store.asking import Ask
from app.store.canonical import canonical
from app.store.outgoing import walk
from app.store.outgoing.telling import Teller
from app.store.store import Store

Items = Callable[[int], Iterator[Item]]
"""The items of a production from a position on, in their order; the same at every call."""
OFTEN = 200
"""So many documents are laid, at least, before it is written down that they are."""
SELDOM = 2_000
"""So many documents are proven, at least, before that is."""
_PART = ".part"
_DOCUMENTS, _PROOFS, _TABLES, _REPLAY, _COMPLETENESS, _PAPERS, _BAG, _SEALED = (
    "documents", "proofs", "tables", "replay", "completeness", "papers", "bag", "sealed",
)  # fmt: skip


class AlreadyProduced(Refused):
    """The production is there already, and nothing of it is made anew."""

    code = "already-produced"


class OtherProduction(Invalid):
    """What was begun in the folder is another production, or of another recipe."""

    code = "other-production"


class ProductionBusy(Unavailable):
    """Another process is making this production."""

    code = "production-busy"


class NothingProduced(Invalid):
    """Nothing is left that could be produced."""

    code = "nothing-produced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a production is made from beside its items, and who vouches for it."""

    store: Store
    teller: Teller
    signer: Signer | None = None
    authorities: Sequence[Authority] = ()
    ask: Ask | None = None
    dates: tuple[datetime, datetime] | None = None
    """The time that the request speaks of; None: that of its records."""
    look: Callable[[Path], None] = lambda _folder: None
    """Looks at everything before it is sealed; whatever it raises, nothing is."""
    privilege: Callable[[str, Made | None], Privilege | None] | None = None
    """Says of a ground whether it is a privilege, and who claims it; None: by the ground's own words."""
    press: paper.Press | None = None
    """Sets the papers; None: one that is started for this production and ends with it."""
    settle: Callable[[], None] = os.sync
    """Brings to disk whatever was written, before it is written down that it is there."""
    progress: Callable[[str, int], None] = lambda _what, _number: None
    point: Callable[[str], None] = lambda _name: None
    """For tests that break it off."""


class Given(NamedTuple):
    """The numbers that a record was given, for the rows of a production; `key` is the archive's own number of it."""

    key: int
    first: int
    pages: int
    revision: int
    how: int
    """0: it leaves whole; 1: something was taken out; 2: it is kept back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A production that is sealed and in its place."""

    counts: Counts
    next: int
    """The first number that is free now."""
    folder: Path
    sealed: Sealed
    left_out: Sequence[tuple[str, str]]
    """What it does not have, and why."""
    numbers: array[int] = field(repr=False)
    """Of every document in its order what `given` tells, one after the other: a million are 40 megabytes."""

    def settle(self) -> None:
        """Its numbers are written down: remove what it was made in."""
        shutil.rmtree(self.folder.with_name(self.folder.name + _PART), ignore_errors=True)

    def given(self) -> Iterator[Given]:
        """The numbers of every document, in their order."""
        for place in range(0, len(self.numbers), len(Given._fields)):
            yield Given(*self.numbers[place : place + len(Given._fields)])


def build(recipe: Recipe, items: Items, out: Path, sources: Sources, *, workers: int = 2) -> Built:
    """Make the production in the folder `out`, in a folder of its own name, or go on where it was broken off.

    What it was made in is left beside it, and gives the same answer again,
    until `Built.settle` says that its numbers are written down. Raises
    `AlreadyProduced` where it is there and settled, and `OtherProduction`
    where something else was begun under its name.
    """
    folder, part = out / recipe.folder, out / (recipe.folder + _PART)
    if folder.exists() and not part.exists():
        raise AlreadyProduced(f"{folder} is there already", next="Name another folder.")
    folders.make(part, mode=0o700)  # what people said, in the clear
    with _alone(part), _room(part), closing(_Building(recipe, items, part, sources, workers)) as building:
        return building.to_its_end(folder)


@contextmanager
def _alone(coming: Path) -> Iterator[None]:
    """Nobody else makes this production meanwhile."""
    handle = os.open(coming, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ProductionBusy(
                f"another process is making {coming.name}", next="Wait until it has ended, then look again."
            ) from error
        yield
    finally:
        os.close(handle)


@contextmanager
def _room(part: Path) -> Iterator[None]:
    """Say what to do where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(
            f"the disk that holds {part} is full",
            next="Make room, then produce again; it goes on where it was.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place where a family begins: the position of its first item, how numbering stands, and where the spool is."""

    position: int
    place: Place
    spool: int

    def as_dict(self) -> dict[str, object]:
        return {"position": self.position, "place": self.place.as_dict(), "spool": self.spool}

    @classmethod
    def of(cls, told: dict[str, Any] | None, recipe: Recipe) -> _Mark:
        if told is None:
            return cls(0, Place(recipe.first), 0)
        return cls(int(told["position"]), numbering.place(told["place"]), int(told["spool"]))


class _Building:
    """One run of it."""

    def __init__(self, recipe: Recipe, items: Items, part: Path, sources: Sources, workers: int) -> None:
        self.recipe, self.items, self.sources, self.workers = recipe, items, sources, workers
        self.part, self.coming, self.work = part, part / "production", part / "work"
        self._press: paper.Press | None = None
        self.payload = self.work / "payload"
        self.store = walk.remembering(sources.store)
        folders.make(self.payload)
        self.journal = Journal.of(self.work / "journal.json")
        self.spool = Spool(self.work / "spool.jsonl")
        said = canonical(recipe.told()).decode()
        if self.journal.told.get("recipe", said) != said:
            raise OtherProduction(
                f"{part} holds the beginning of another production",
                next="Name another folder, or remove it.",
            )
        if "recipe" not in self.journal.told:
            self.journal.note(recipe=said)

    def close(self) -> None:
        """End what was started beside it, whether or not it came to its end."""
        self.spool.close()
        if self._press is not None and self._press is not self.sources.press:
            self._press.close()

    def to_its_end(self, folder: Path) -> Built:
        """Make every part that is not there yet."""
        if folder.exists() and not self._done(_SEALED):
            raise AlreadyProduced(f"{folder} is there already", next="Name another folder.")
        folders.make(self.coming, mode=0o700)
        self._unchanged()
        self._take_back()
        for name, part in (
            (_DOCUMENTS, self._documents),
            (_PROOFS, self._proofs),
            (_TABLES, self._tables),
            (_REPLAY, self._replay),
            (_COMPLETENESS, self._completeness),
            (_PAPERS, self._papers),
            (_BAG, self._bag),
            (_SEALED, self._seal),
        ):
            if not self._done(name):
                part()
                self.sources.settle()
                self.sources.point(f"before-{name}-is-noted")
                self.journal.note(**{name: True})
                self.sources.point(f"after-{name}")
        return self._placed(folder)

    def _unchanged(self) -> None:
        """Where an earlier run came so far that nothing would be read any more: everything is what it was then."""
        if self._done(_TABLES):
            for _ in self._walk():
                pass

    def _done(self, part: str) -> bool:
        return bool(self.journal.told.get(part))

    def _has(self, form: Form) -> bool:
        return form in self.recipe.forms

    def _take_back(self) -> None:
        """After a kill while it was bagged: the payload goes back to where it is made; a whole bag is done."""
        bagged, half = self.coming / "bag", self.coming / "bag.part"
        if bagged.exists() and not self._done(_BAG):
            bag.check(bagged)
            self.journal.note(**{_BAG: True})
        if (half / "data").is_dir():
            for one in sorted((half / "data").iterdir()):
                one.replace(self.payload / one.name)
            shutil.rmtree(half)

    # -- 1. documents --------------------------------------------------------------------------------------

    def _documents(self) -> None:
        mark = self._standing(_Mark.of(self.journal.told.get("laid"), self.recipe))
        self.spool.cut(mark.spool)
        numbers = laying.Numbers(self.recipe, mark.place)
        position, since = mark.position, 0
        for told, files, before in laying.lay(self.items(position), numbers, self.payload, self.workers):
            if told.thread == told.begins and since >= OFTEN:
                self._note_laid(position, before)
                since = 0
            item = told.item
            mark_of, stood = spooling.mark_of(item), spooling.Stood.of(item)
            self.spool.add(Laid(item.id, told.pages, proving.hides(item), mark_of, files, stood))
            position, since = position + 1, since + 1
            self.sources.progress("documents", position)
        if position == 0:
            raise NothingProduced(
                "nothing is left that could be produced", next="Look at the selection again."
            )
        self._note_laid(position, numbers.place)
        self.spool.close()

    def _note_laid(self, position: int, place: Place) -> None:
        mark = _Mark(position, place, self.spool.safe())
        self.sources.point("before-documents")
        self.journal.note(laid=mark.as_dict())
        self.sources.point("documents")

    def _standing(self, mark: _Mark) -> _Mark:
        """The mark, if every file that was laid before it is what it was; else the beginning."""
        if mark.position == 0:
            return mark
        for one, _ in self.spool.lines(0, mark.spool):
            if not spooling.stands(self.payload, one):
                return _Mark.of(None, self.recipe)
        return mark

    def _walk(self, mark: _Mark | None = None) -> Iterator[tuple[Numbered, Laid, _Mark | None]]:
        """Every document again as it was laid, from a mark on; with a mark where a family begins.

        Raises `ItemsChanged` where an item is another than the one that was laid.
        """
        mark = mark or _Mark.of(None, self.recipe)
        numbers = Numbering(self.recipe, replace(mark.place, files=dict(mark.place.files)))
        items = self.items(mark.position)
        end = int(self.journal.told["laid"]["spool"])
        position, place = mark.position, mark.spool
        for one, behind in self.spool.lines(mark.spool, end):
            item = next(items, None)
            if item is None or item.id != one.record or spooling.mark_of(item) != one.mark:
                raise ItemsChanged(
                    f"record {one.record} is not any more what it was when this production was begun",
                    next=f"Remove {self.part} and produce anew.",
                )
            here = None
            if numbers.starts(item):
                here = _Mark(position, replace(numbers.place, files=dict(numbers.place.files)), place)
            yield numbers.give(one.as_laid(item), one.pages), one, here
            position, place = position + 1, behind
        if next(items, None) is not None:
            raise ItemsChanged(
                "there is more to leave than when this production was begun",
                next=f"Remove {self.part} and produce anew.",
            )

    def _hidden(self) -> set[UUID]:
        """The records that leave with nothing that leads to them."""
        end = int(self.journal.told["laid"]["spool"])
        return {one.record for one, _ in self.spool.lines(0, end) if one.hides}

    # -- 2. proofs -----------------------------------------------------------------------------------------

    def _proofs(self) -> None:
        if not self._has(Form.PROOFS):
            return
        if self.recipe.checkpoint == 0:
            raise OtherProduction(
                "a production with proofs stands under a checkpoint, and its recipe names none"
            )
        hidden = self._hidden()
        mark = _Mark.of(self.journal.told.get("proven"), self.recipe)
        since = 0
        for told, _, here in self._walk(mark):
            if here is not None and since >= SELDOM:
                self.sources.settle()
                self.journal.note(proven=here.as_dict())
                self.sources.point("proofs")
                since = 0
            assert told.names.proof is not None
            with self.store.database.read() as tx:
                proving.write(
                    self.store, tx, told, self.payload / told.names.proof, self.recipe.checkpoint,
                    evident=proving.evident(told, hidden),
                )  # fmt: skip
            since += 1

    # -- 3. tables -----------------------------------------------------------------------------------------

    def _tables(self) -> None:
        hidden = self._hidden() if self._has(Form.WACZ) or self._has(Form.PROOFS) else set()
        shown, given, entries = array("q"), array("q"), array("q")
        tally = Tally()
        with closing(
            Tables(self.recipe, self.payload, self.work, self._commitment, self.sources.privilege)
        ) as tables:
            for told, one, _ in self._walk():
                evident = proving.evident(told, hidden)
                document = told
                if evident and self._has(Form.WACZ):
                    names = replace(told.names, wacz=f"wacz/{told.item.page.id}.wacz")
                    document = replace(told, names=names)
                tables.add(document, one.files)
                how = 2 if told.withheld is not None else 0 if told.whole else 1
                given.extend((told.item.key, told.first, told.pages, told.revision, how))
                tally.add(told, evident=evident)
                entries.extend(proving.entries_of(told))
                if evident:
                    shown.append(told.item.key)
                self.sources.progress("tables", tally.documents)
            tables.end()
        if self._has(Form.PROOFS):
            with self.store.database.read() as tx:
                where = self.payload / "proof"
                self.journal.note(
                    shared=proving.shared(self.store, tx, where, self.recipe.checkpoint, entries)
                )
        (self.work / "shown.bin").write_bytes(shown.tobytes())
        (self.work / "given.bin").write_bytes(given.tobytes())
        self.journal.note(tally=tally.as_dict())

    def _commitment(self, entry: int) -> str:
        """What the ledger committed to in an entry."""
        with self.store.database.read() as tx:
            return str(msgspec.json.decode(self.store.ledger.entry(tx, entry))["c"])

    def _shown(self) -> Keys:
        """The records whose very bytes may leave."""
        return Keys.of(self._held("shown.bin"))

    def _held(self, name: str) -> array[int]:
        held = array("q")
        held.frombytes((self.work / name).read_bytes())
        return held

    # -- 4. and 5. what the store tells of the pages -------------------------------------------------------

    def _replay(self) -> None:
        if not self._has(Form.WACZ):
            return
        shown, made, counts = self._shown(), [], self._counts()
        late = afterwards.attachments(self.store, self.recipe.as_of)
        for page in self._concerned():
            package = replaying.write(
                self.store, self.sources.teller, self.recipe, page, shown,
                self.payload / "wacz" / f"{page}.wacz", self.work / "replay",
                late=late, clean=not counts.redacted and not counts.withheld,
            )  # fmt: skip
            if package is not None:
                made.append({"page": str(page), "records": package.records, "exchanges": package.exchanges})
        shutil.rmtree(self.work / "replay", ignore_errors=True)
        self.journal.note(packages=made)

    def _concerned(self) -> dict[UUID, tuple[int, int]]:
        pages: dict[str, list[int]] = self.journal.told["tally"]["of_pages"]
        return {UUID(page): (counts[0], counts[1]) for page, counts in sorted(pages.items())}

    def _dates(self) -> tuple[datetime, datetime]:
        """The time concerned: what the request says, else from the first to the last of its records."""
        if self.sources.dates is not None:
            return self.sources.dates
        tally = self.journal.told["tally"]
        return datetime.fromisoformat(tally["since"]), datetime.fromisoformat(tally["until"])

    def _completeness(self) -> None:
        out = self.payload / "proof" / "completeness"
        shutil.rmtree(out, ignore_errors=True)
        accounts: list[PageAccount] = []
        missing: list[GapTold] = []
        if self._has(Form.COMPLETENESS):
            accounts, missing = completing.write(
                self.store, self.recipe, self._concerned(), self._dates(), self._shown(), out
            )
        if self._has(Form.DISPOSALS):
            disposed = self.payload / "proof" / "disposal"
            shutil.rmtree(disposed, ignore_errors=True)
            completing.disposal(self.store, self.recipe, self._concerned(), disposed)
        named = {str(one.page.id): (one.page.name, one.page.platform) for one in accounts}
        tabling.gaps(self.payload, missing, named)
        counts = self._counts()
        with self.store.database.read() as tx:
            shared = self.journal.told.get("shared")
            covering = [*shared["earlier"], shared["size"]] if shared else []
            known = certifying.known(self.store, tx, self.recipe, accounts, covering)
        digests = handing.exhibits(self.recipe, self.payload)
        documents = (
            certifying.certification(self.recipe, counts, known, digests),
            certifying.description(self.recipe, known),
            certifying.incidents(self.recipe, known, accounts, missing),
        )
        for one in documents:
            self._typeset(one, self.payload / "cert" / f"{one.name}.pdf")

    # -- 6. papers -----------------------------------------------------------------------------------------

    def _papers(self) -> None:
        """What stands at the top of the payload: what this is made by, what it holds, and what it has not."""
        told = {
            "v": 1,
            "recipe": self.recipe.told(),
            "counts": asdict(self._counts()),
            "range": {"first": self._counts().first, "last": self._counts().last},
            "next": self.journal.told["laid"]["place"]["next"],
            "pages": [
                {"id": str(page), "released": released, "withheld": withheld}
                for page, (released, withheld) in self._concerned().items()
            ],
            "replay": self.journal.told.get("packages", []),
            "proofs": self.journal.told.get("shared"),
            "left_out": [{"what": what, "why": why} for what, why in self._left_out()],
        }
        (self.payload / "production.json").write_bytes(canonical(told))

    def _left_out(self) -> list[tuple[str, str]]:
        """What a production could have and this one does not, each with why."""
        told = [(str(form), "not asked for") for form in Form if form not in self.recipe.forms]
        if self._has(Form.WACZ) and not self.journal.told.get("packages"):
            told.append(("wacz", "no record of it leaves with its very bytes"))
        shared = self.journal.told.get("shared")
        if shared is not None and not shared["timestamps"] and not shared["earlier"]:
            told.append(("timestamps of the ledger", "nobody outside has timestamped it"))
        if shared is not None and not shared["witnesses"]:
            told.append(("cosignatures", "no witness has cosigned the checkpoint"))
        return told

    def _typeset(self, told: certifying.Document, file: Path) -> None:
        self._press = self._press or self.sources.press or paper.Press()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(
            paper.document(
                told.title, told.blocks, agency=self.recipe.agency, made_at=self.recipe.made_at,
                subject=f"Production {self.recipe.number}", press=self._press,
            )
        )  # fmt: skip

    def _counts(self) -> Counts:
        tally = self.journal.told["tally"]
        return Counts(**{name: tally[name] for name in Counts.__slots__})

    # -- 7. the bag ----------------------------------------------------------------------------------------

    def _bag(self) -> None:
        counts = self._counts()
        info = {
            "Source-Organization": self.recipe.agency,
            "Contact-Email": f"records@{self.recipe.domain}",
            "External-Description": f"{self.recipe.title}: {counts.documents} documents, {counts.first} to {counts.last}",
            "External-Identifier": self.recipe.number,
            "Internal-Sender-Identifier": f"urn:uuid:{self.recipe.production}",
            "Bagging-Date": self.recipe.made_at.astimezone(UTC).date().isoformat(),
        }

        def fill(payload: Path) -> None:
            for one in sorted(self.payload.iterdir()):
                one.replace(payload / one.name)
                self.sources.point("in-bag")

        bag.write(self.coming / "bag", fill, info)

    # -- 8. the seal ---------------------------------------------------------------------------------------

    def _seal(self) -> None:
        recipe, counts = self.recipe, self._counts()
        handing.beside(
            self.coming, recipe, counts.versions if self._has(Form.PROOFS) else None, counts.kept_back
        )
        signer, authorities = self.sources.signer, self.sources.authorities
        first = certifying.first_read(recipe, counts, handing.how_sealed(recipe, signer, authorities))
        self._typeset(first, self.coming / "read-me-first.pdf")
        self.sources.look(self.coming)
        self.sources.point("before-seal")
        with self.store.database.read() as tx:
            trusted = sealing.known_roots(tx, authorities)
        for old in self.coming.glob(f"{recipe.folder}.seal*"):
            old.unlink()
        sealed = sealing.seal(
            self.coming, recipe, signer, authorities, self.sources.ask, self.store.clock, trusted
        )
        for name in ("trust", "verify", "."):
            folders.sync(self.coming / name)
        self.journal.note(seal=sealed.as_dict())

    def _placed(self, folder: Path) -> Built:
        """Move it into its place, if it is not there, and tell what it is."""
        if not folder.exists():
            self.sources.point("before-place")
            self.coming.rename(folder)
            folders.sync(folder.parent)
            self.sources.point("after-place")
        sealed = Sealed.of(self.journal.told["seal"])
        left_out = self._left_out()
        if sealed.signed_by is None:
            left_out.append(("the agency's signature", "no certificate is configured"))
        if not sealed.timestamps:
            why = "; ".join(f"{who}: {said}" for who, said in sealed.failed) or "no authority is configured"
            left_out.append(("timestamps of the seal", why))
        return Built(
            counts=self._counts(),
            next=int(self.journal.told["laid"]["place"]["next"]),
            folder=folder,
            sealed=sealed,
            left_out=left_out,
            numbers=self._held("given.bin"),
        )
