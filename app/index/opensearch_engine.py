"""The engine for archives that outgrow one machine: an OpenSearch cluster.

A cluster has no transactions, so a commit is made of one small document. Every
document says in which commit it was `born` and, once it was taken out, in
which it `died`; *control*, one document of the index, says which commit is
the last. Who asks reads control first and leaves out what was born later or
died by then. A commit sends everything under its own number, refreshes, and
only then writes control: all of it is found from that moment, and nothing
before.

1. Control is written only on condition that nobody wrote it meanwhile. Whoever
   begins a commit takes a number that was never used; a number that was begun
   and never committed is *abandoned*, and what bears it is never found, however
   late it arrives.
2. An answer reads one snapshot (a point in time). It is opened between two looks
   at control: where they differ, it is opened again, so that what a commit
   takes out for good is never missed by a question that began before.
3. What died is removed after the commit, and what a crash left is swept by the
   next one that writes.
4. Which process may write is a lease in control, with an end: a process that
   died holds up the next one for two minutes. Correctness does not rest on it.

Indexes are numbered; an alias names the living one and is moved in one step.
Every write goes through an alias of its own and must find it, so that a late
one never brings back an index that was discarded.
"""

from __future__ import annotations

import re
import secrets
import threading
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from app.index import analyser
from app.index.batching import Batching
from app.index.deciding import Decider
from app.index.documents import Position
from app.index.engine import (
    FACETS,
    UNDATED,
    IndexBusy,
    IndexFailed,
    IndexNeedsRebuild,
    Page,
    Place,
    QueryNotSupported,
    Scope,
    Sort,
    StillFound,
    instants,
    microseconds,
    month_of,
    whole_month,
)
from app.index.opensearch_client import Cluster, Gone, Operation, Reply, must_be_whole
from app.index.opensearch_compile import (
    Compiler,
    Query,
    all_of,
    any_of,
    check_known,
    one_of,
    term,
    visible,
    within,
)
from app.index.opensearch_layout import (
    DATED,
    FORMAT,
    KEPT,
    MOST_HITS,
    UNDATED_LAST,
    VERSION_BITS,
    identity,
    laid,
    mapping,
    settings,
    told,
)
from app.index.tree import Address, DateRange, Mention, Tag, Tree, everything_in
from app.records.clock import Clock

_CONTROL = "control"
_LEASE = timedelta(minutes=2)
_KEPT_OPEN = "10m"
_TRIES = 20
_READ = 1_000
"""Documents whose words are fetched at once to be judged."""
_MONTHS = 120
_WALK = 5_000
"""Values that are counted at once. All facets together must stay below 65,535, which is what a cluster counts at most."""


@dataclass(frozen=True, slots=True)
class _Control:
    """What the index says of itself, and the version of that document which was read."""

    index: str
    at: tuple[int, int]
    commit: int = 0
    last: int = 0
    open: int | None = None
    abandoned: tuple[int, ...] = ()
    entry: int | None = None
    analyser: int | None = None
    removed: int = 0
    expunge: bool = False
    holder: str | None = None
    until: int = 0

    def said(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name not in ("index", "at")}

    def position(self) -> Position | None:
        """How far it has followed; None before the first commit."""
        return None if self.entry is None or self.analyser is None else Position(self.entry, self.analyser)

    def standing(self) -> Query:
        """What is there as of this commit."""
        dead = within("died", lte=self.commit)
        if not self.abandoned:
            return all_of(within("born", lte=self.commit), but_not=[dead])
        never = list(self.abandoned)
        return all_of(
            within("born", lte=self.commit),
            but_not=[one_of("born", never), all_of(dead, but_not=[one_of("died", never)])],
        )

    def fallen(self) -> Query:
        """What nobody finds any more, or ever did, of commits that are over."""
        dead = within("died", lte=self.commit)
        if not self.abandoned:
            return dead
        never = list(self.abandoned)
        return any_of(one_of("born", never), all_of(dead, but_not=[one_of("died", never)]))


class OpenSearchEngine(Batching):
    """An index in a cluster, under the alias `name`. Open one for each process; several may ask at once.

    Nothing is asked of the cluster before the first use, so that an archive
    opens, captures and is looked after while its cluster is away.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        *,
        clock: Clock,
        shards: int = 1,
        replicas: int = 1,
        index: str | None = None,
    ) -> None:
        super().__init__()
        self._cluster = cluster
        self._name = name
        self._clock = clock
        self._shards, self._replicas = shards, replicas
        self._index = index
        """The one that is written to although it does not live yet; None follows the alias."""
        self._holder = secrets.token_hex(16)
        self._asking = threading.RLock()
        self._fit: dict[str, IndexNeedsRebuild | None] = {}
        self._snapshot: _Snapshot | None = None
        self._opened: list[tuple[weakref.ref[_Snapshot], list[str]]] = []
        self._writing: _Control | None = None

    def close(self) -> None:
        """Give back what was opened."""
        self.settle()
        self._cluster.close()

    # ---- the living index -----------------------------------------------------------------------------

    def _control(self) -> _Control:
        """Control of the index that is asked, which is made where there is none; raises where it is not fit."""
        for _ in range(_TRIES):
            target = self._index or self._name
            reply = self._cluster.ask("GET", f"/{target}/_doc/{_CONTROL}", params={"preference": "_primary"})
            if reply.status == 404:
                self._begin(reply)
                continue
            body = reply.whole("say how far it has followed")
            self._must_fit(str(body["_index"]))
            return _read_control(body)
        raise IndexFailed("The index of the search cluster changes too fast to be read.", next="Try again.")

    def _begin(self, missing: Reply) -> None:
        """Make the first index, or finish making one."""
        if "index_not_found_exception" in missing.types:
            if self._index is not None:
                raise IndexNeedsRebuild("it was discarded")
            if not self._generations():
                self._make(1, alias=True)
            elif not self._named():  # otherwise somebody made one just now
                raise IndexNeedsRebuild(f"the alias {self._name} names none of its indexes")
        elif missing.body.get("found") is False:
            self._first_control(str(missing.body["_index"]))
        else:
            raise missing.failed("say how far it has followed")

    def _generations(self) -> dict[str, int]:
        """Every index of this archive with its number; names that only look alike are left out."""
        reply = self._cluster.ask(
            "GET", f"/{self._name}-*/_settings", params={"filter_path": "*.settings.index.uuid"}
        )
        if reply.status == 404:
            return {}
        found = {}
        for name in reply.whole("list its indexes"):
            match = re.fullmatch(re.escape(self._name) + r"-(\d{6})", name)
            if match is not None:
                found[name] = int(match.group(1))
        return found

    def _make(self, number: int, *, alias: bool) -> str | None:
        """Make an index; None where somebody else made it first."""
        index = f"{self._name}-{number:06}"
        aliases: dict[str, Any] = {_written(index): {"is_write_index": True}}
        if alias:
            aliases[self._name] = {}
        body = {
            "settings": settings(shards=self._shards, replicas=self._replicas),
            "mappings": mapping("opensearch"),
            "aliases": aliases,
        }
        reply = self._cluster.ask("PUT", f"/{index}", body=body)
        if reply.types & {"resource_already_exists_exception", "invalid_alias_name_exception"}:
            return None
        if reply.whole("make an index").get("shards_acknowledged") is not True:
            raise IndexFailed("The search cluster could not allot the shards of a new index.")
        self._first_control(index)
        return index

    def _first_control(self, index: str) -> None:
        first = _Control(index, (0, 0))
        reply = self._cluster.ask(
            "PUT",
            f"/{_written(index)}/_doc/{_CONTROL}",
            params={"op_type": "create", "require_alias": "true"},
            body={"control": first.said()},
        )
        if reply.status != 409:  # somebody else wrote the same
            must_be_whole(reply.whole("begin an index"), "begin an index")

    def _must_fit(self, index: str) -> None:
        """Raise `IndexNeedsRebuild` for an index of another edition."""
        if index not in self._fit:
            body = self._cluster.ask("GET", f"/{index}/_mapping").whole("describe an index")
            made = body[index]["mappings"].get("_meta", {})
            self._fit = {index: _unfit(made)}
        unfit = self._fit[index]
        if unfit is not None:
            raise unfit

    # ---- following --------------------------------------------------------------------------------------

    def position(self) -> Position | None:
        return self._control().position()

    def removed(self) -> int:
        return self._control().removed

    def _may_write(self) -> _Control:
        """Control, once the lease is ours for long enough to go on."""
        now = microseconds(self._clock.now())
        lease = _LEASE // timedelta(microseconds=1)
        control = self._writing
        if control is not None and control.until - now > lease // 2:
            return control
        control = self._control()
        ours = control.holder == self._holder
        if not ours and control.holder is not None and control.until > now:
            raise IndexBusy(
                "Another process is writing to the index.", next="Try again when it has finished."
            )
        if self._writing is not None and not ours:
            raise IndexBusy("Another process has taken over the index.", next="Try again.")
        taken = self._write(control, holder=self._holder, until=now + lease)
        if not ours:
            taken = self._sweep(taken)
        self._writing = taken
        return taken

    def _write(self, control: _Control, **changed: Any) -> _Control:
        """Control with something changed, on condition that it is still as it was read."""
        new = replace(control, **changed)
        reply = self._cluster.ask(
            "PUT",
            f"/{_written(control.index)}/_doc/{_CONTROL}",
            params={
                "require_alias": "true",
                "if_seq_no": control.at[0],
                "if_primary_term": control.at[1],
            },
            body={"control": new.said()},
        )
        if reply.status == 409:
            raise IndexBusy("Another process has written to the index.", next="Try again.")
        body = reply.whole("keep how far it has followed")
        must_be_whole(body, "keep how far it has followed")
        return replace(new, at=(int(body["_seq_no"]), int(body["_primary_term"])))

    def commit(self, position: Position) -> None:
        with self._changing, self._given_up_where_it_fails():
            control = self._may_write()
            gone = self._taken_out - self._added.keys()
            control = self._numbered(control)
            assert control.open is not None, "a commit has a number"
            doomed = self._doomed(control)
            known = len({one.record for one in doomed if one.record in gone})
            self._send(control, (_dying(one, control.open) for one in doomed))
            self._send(control, self._newborn(control.open))
            self._refresh(control.index)
            control = self._may_write()
            control = self._writing = self._write(
                control,
                commit=control.last,
                open=None,
                entry=position.entry,
                analyser=position.analyser,
                removed=control.removed + known,
                expunge=control.expunge or known > 0,
            )
            self._forget()
            self._bury(control, [one.id for one in doomed])
            if control.expunge:
                control = self._writing = self._expunge(control)
            left = self._left(control, gone)
        if left:
            raise StillFound(left)

    def _numbered(self, control: _Control) -> _Control:
        """A number for a commit that nobody ever used; one that was begun and not finished is abandoned for good."""
        abandoned = control.abandoned if control.open is None else (*control.abandoned, control.open)
        number = control.last + 1
        numbered = self._writing = self._write(control, last=number, open=number, abandoned=abandoned)
        return numbered

    def _doomed(self, control: _Control) -> list[_Found]:
        """What is there of the records that were taken out."""
        if not self._taken_out:
            return []
        wanted = all_of(control.standing(), one_of("record", sorted(self._taken_out)))
        return [one for part in self._found(control.index, wanted) for one in part]

    def _found(self, index: str, query: Query) -> Iterator[list[_Found]]:
        """Everything in an index that meets `query`, the lowest key first, whatever its commit."""
        after: list[Any] | None = None
        while True:
            body: dict[str, Any] = {
                "query": query,
                "size": MOST_HITS,
                "sort": [{"key": "asc"}, {"born": "asc"}],
                "_source": False,
                "seq_no_primary_term": True,
                "track_total_hits": False,
            }
            if after is not None:
                body["search_after"] = after
            try:
                hits = self._cluster.search(body, index=index)["hits"]["hits"]
            except Gone:
                raise IndexNeedsRebuild("it was discarded") from None
            found = [
                _Found(str(hit["_id"]), int(hit["sort"][0]), (int(hit["_seq_no"]), int(hit["_primary_term"])))
                for hit in hits
            ]
            if found:
                yield found
            if len(found) < MOST_HITS:
                return
            after = hits[-1]["sort"]

    def _send(self, control: _Control, operations: Iterable[Operation]) -> None:
        """Carry out, and hold on to the lease meanwhile."""
        self._cluster.bulk(_written(control.index), operations, between=self._may_write)

    def _newborn(self, born: int) -> Iterator[Operation]:
        for documents in self._added.values():
            newest = max(document.version for document in documents)
            for document in documents:
                source = laid(document, current=document.version == newest, born=born)
                yield Operation("index", identity(document, born), source=source)

    def _refresh(self, index: str) -> None:
        must_be_whole(self._cluster.ask("POST", f"/{index}/_refresh").whole("refresh"), "refresh")

    def _bury(self, control: _Control, ids: Sequence[str]) -> None:
        """Remove what died from the index, which no question finds any more."""
        if ids:
            removals = (Operation("delete", one) for one in ids)
            self._cluster.bulk(_written(control.index), removals, between=lambda: None)

    def _sweep(self, control: _Control) -> _Control:
        """Remove what a process left that ended before it had finished."""
        if control.open is not None:
            control = self._write(control, open=None, abandoned=(*control.abandoned, control.open))
        if control.last:
            self._refresh(control.index)
            for part in list(self._found(control.index, control.fallen())):
                self._bury(control, [one.id for one in part])
        return self._expunge(control) if control.expunge else control

    def _expunge(self, control: _Control) -> _Control:
        """Have the cluster write anew what holds words of removed records. What that does not reach, the docs say."""
        self._refresh(control.index)
        flushed = self._cluster.ask("POST", f"/{control.index}/_flush", params={"wait_if_ongoing": "true"})
        must_be_whole(flushed.whole("flush"), "flush")
        merged = self._cluster.ask(
            "POST", f"/{control.index}/_forcemerge", params={"only_expunge_deletes": "true"}
        )
        must_be_whole(merged.whole("expunge what was removed"), "expunge what was removed")
        return self._write(control, expunge=False)

    def _left(self, control: _Control, gone: Collection[int]) -> int:
        """How many documents of removed records are still found."""
        if not gone:
            return 0
        query = all_of(control.standing(), one_of("record", sorted(gone)))
        body = {"query": query, "size": 0, "track_total_hits": True}
        self._refresh(control.index)
        return _total(self._cluster.search(body, index=control.index))

    @contextmanager
    def _given_up_where_it_fails(self) -> Iterator[None]:
        """A batch that fails is given up; the last commit stands, and another process may write."""
        try:
            yield
        except BaseException:
            self.settle()
            raise

    def settle(self) -> None:
        with self._changing:
            self._forget()
            writing, self._writing = self._writing, None
            if writing is not None:
                # Where the cluster is away the lease ends by itself.
                with suppress(IndexFailed, IndexBusy):
                    self._write(writing, holder=None, until=0)
            self._release(every=True)

    # ---- beside and adopted --------------------------------------------------------------------------------

    def beside(self) -> Self:
        number = max(self._generations().values(), default=0)
        for _ in range(_TRIES):
            number += 1
            index = self._make(number, alias=False)
            if index is not None:
                return type(self)(
                    self._cluster,
                    self._name,
                    clock=self._clock,
                    shards=self._shards,
                    replicas=self._replicas,
                    index=index,
                )
        raise IndexBusy(
            "Others make new indexes at the same time.", next="Try again when they have finished."
        )

    def adopt(self, other: Self) -> None:
        other.settle()
        self.settle()
        assert other._index is not None, "only an index that was made beside can be adopted"
        living = other._index
        with self._changing, self._asking:
            actions: list[dict[str, Any]] = [
                {"remove": {"index": index, "alias": self._name}} for index in self._named()
            ]
            actions.append({"add": {"index": living, "alias": self._name}})
            swapped = self._cluster.ask("POST", "/_aliases", body={"actions": actions}).whole("swap indexes")
            if swapped.get("acknowledged") is not True:
                raise IndexFailed("The search cluster did not acknowledge the swap.", next="Try again.")
            self._index = None
            for index in self._generations():
                if index != living:
                    reply = self._cluster.ask("DELETE", f"/{index}")
                    if "index_not_found_exception" not in reply.types:
                        reply.whole("discard an index")

    def _named(self) -> list[str]:
        reply = self._cluster.ask("GET", f"/_alias/{self._name}")
        return [] if reply.status == 404 else sorted(reply.whole("name the living index"))

    # ---- asking ----------------------------------------------------------------------------------------------

    def still(self) -> Still:
        for _ in range(_TRIES):
            with suppress(Gone):  # the index was swapped and discarded just now
                return Still(self._current())
        raise IndexFailed("The index of the search cluster changes too fast to be asked.", next="Try again.")

    def ask(self, tree: Tree, scope: Scope) -> OpenSearchAnswer:
        check_known(tree)
        for _ in range(_TRIES):
            with suppress(Gone):  # the index was swapped and discarded just now
                return OpenSearchAnswer(self._current(), tree, scope)
        raise IndexFailed("The index of the search cluster changes too fast to be asked.", next="Try again.")

    def _current(self) -> _Snapshot:
        """A snapshot of the last commit; the same one for everybody who asks before the next."""
        with self._asking:
            control = self._control()
            for _ in range(_TRIES):
                held = self._snapshot
                if held is not None and held.is_of(control):
                    return held
                opened = _Snapshot(self, control)
                opened.open()
                again = self._control()
                if opened.is_of(again):
                    self._snapshot = opened
                    self._release()
                    return opened
                control = again
        raise IndexFailed("The index of the search cluster changes too fast to be asked.", next="Try again.")

    def _release(self, *, every: bool = False) -> None:
        """Close the snapshots that no answer reads any more; the newest too where `every`."""
        with self._asking:
            if every:
                self._snapshot = None
            closing: list[str] = []
            kept = []
            for reference, ids in self._opened:
                if reference() is None:
                    closing += ids
                else:
                    kept.append((reference, ids))
            self._opened = kept
        if closing:
            with suppress(IndexFailed):  # they end by themselves a few minutes later
                self._cluster.ask("DELETE", "/_search/point_in_time", body={"pit_id": sorted(set(closing))})


def _written(index: str) -> str:
    """The alias through which an index is written to."""
    return f"{index}-written"


def _read_control(body: Mapping[str, Any]) -> _Control:
    try:
        said = dict(body["_source"]["control"])
        said["abandoned"] = tuple(said["abandoned"])
        return _Control(str(body["_index"]), (int(body["_seq_no"]), int(body["_primary_term"])), **said)
    except (KeyError, TypeError, ValueError) as error:
        raise IndexNeedsRebuild("it does not say how far it has followed") from error


def _unfit(made: Mapping[str, Any]) -> IndexNeedsRebuild | None:
    if made.get("engine") != "opensearch":
        return IndexNeedsRebuild("it does not say how it was made")
    if made.get("analyser") != analyser.VERSION:
        return IndexNeedsRebuild(
            f"its words were made by analyser {made.get('analyser')}, not {analyser.VERSION}"
        )
    if made.get("format") != FORMAT:
        return IndexNeedsRebuild(f"its format is {made.get('format')}, not {FORMAT}")
    return None


@dataclass(frozen=True, slots=True)
class _Found:
    """A document as it was found in the index: its name, its key, and the version of it."""

    id: str
    key: int
    at: tuple[int, int]

    @property
    def record(self) -> int:
        return self.key >> VERSION_BITS


def _dying(one: _Found, commit: int) -> Operation:
    """On condition that nobody changed it meanwhile: a late writer never gives back what another took out."""
    more = {"if_seq_no": one.at[0], "if_primary_term": one.at[1]}
    return Operation("update", one.id, more, {"doc": {"died": commit}})


def _total(body: Mapping[str, Any]) -> int:
    total = body["hits"]["total"]
    if total["relation"] != "eq":
        raise IndexFailed("The search cluster gave a bound where a number was asked.")
    return int(total["value"])


# ---- a snapshot ----------------------------------------------------------------------------------------------


class _Snapshot:
    """The index as one commit left it, for as long as somebody reads it."""

    def __init__(self, engine: OpenSearchEngine, control: _Control) -> None:
        self._engine = engine
        self._cluster = engine._cluster  # noqa: SLF001 - the engine's own other half
        self._control = control
        self._ids: list[str] = []
        self._lock = threading.Lock()
        self._any_apart: bool | None = None

    def is_of(self, control: _Control) -> bool:
        return (control.index, control.commit) == (self._control.index, self._control.commit)

    def position(self) -> Position | None:
        """How far the commit had followed."""
        return self._control.position()

    def open(self) -> None:
        reply = self._cluster.ask(
            "POST",
            f"/{self._control.index}/_search/point_in_time",
            params={"keep_alive": _KEPT_OPEN, "allow_partial_pit_creation": "false"},
        )
        if "index_not_found_exception" in reply.types:
            raise Gone
        body = reply.whole("open a snapshot")
        must_be_whole(body, "open a snapshot")
        first = not self._ids
        self._ids.append(str(body["pit_id"]))
        if first:
            self._engine._opened.append((weakref.ref(self), self._ids))  # noqa: SLF001 - the engine's own other half

    def search(self, query: Query, **more: Any) -> Mapping[str, Any]:
        """A whole answer from this commit."""
        wanted = all_of(query, self._control.standing())
        # Where nothing is listed everything must be counted: otherwise a shard may stop at the first hit.
        body = {"query": wanted, "track_total_hits": more.get("size") == 0, "_source": False, **more}
        used = self._ids[-1]
        try:
            return self._asked(body, used)
        except Gone:
            self._reopen(used)
        try:
            return self._asked(body, self._ids[-1])
        except Gone:
            raise IndexFailed("The search cluster does not keep its snapshots.", next="Try again.") from None

    def _asked(self, body: Mapping[str, Any], pit: str) -> Mapping[str, Any]:
        found = self._cluster.search({**body, "pit": {"id": pit, "keep_alive": _KEPT_OPEN}})
        named = found.get("pit_id")
        if isinstance(named, str) and named not in self._ids:
            self._ids.append(named)
        return found

    def _reopen(self, used: str) -> None:
        """Another snapshot of the same commit where the first ran out, as long as no later one was made."""
        with self._lock:
            if self._ids[-1] != used:
                return
            self.open()
            if not self.is_of(self._engine._control()):  # noqa: SLF001 - the engine's own other half
                raise IndexFailed("The index went on since this was asked.", next="Ask again.")

    def any_apart(self) -> bool:
        """Whether there is a document whose words the cluster never took."""
        if self._any_apart is None:
            self._any_apart = self.count(term("apart", value=True)) > 0
        return self._any_apart

    def count(self, query: Query) -> int:
        return _total(self.search(query, size=0))

    def keys(self, query: Query) -> Iterator[list[int]]:
        """The key of everything that meets `query`, the highest first, a bounded part at a time."""
        for hits in self._parts(query, MOST_HITS):
            yield [int(hit["sort"][0]) for hit in hits]

    def words(self, query: Query) -> Iterator[Mapping[str, Any]]:
        """The same with what was kept of each."""
        for hits in self._parts(query, _READ, _source=list(KEPT)):
            yield from hits

    def _parts(self, query: Query, size: int, **more: Any) -> Iterator[list[Mapping[str, Any]]]:
        after: dict[str, Any] = {}
        while True:
            found = self.search(query, size=size, sort=[{"key": "desc"}], **after, **more)
            hits = found["hits"]["hits"]
            if hits:
                yield hits
            if len(hits) < size:
                return
            after = {"search_after": hits[-1]["sort"]}

    def judged(self, tree: Tree, candidates: Query) -> list[int]:
        """The keys of those candidates whose words meet `tree`."""
        sigils = any(isinstance(part, Tag | Mention | Address) for part in everything_in(tree))
        met = Decider(tree).met
        return [
            int(hit["sort"][0])
            for hit in self.words(candidates)
            if met(told(hit["_source"], with_sigils=sigils))
        ]


class Still:
    """The index as one commit left it, whatever is committed meanwhile."""

    def __init__(self, snapshot: _Snapshot) -> None:
        self._snapshot = snapshot

    def position(self) -> Position | None:
        return self._snapshot.position()

    def ask(self, tree: Tree, scope: Scope) -> OpenSearchAnswer:
        check_known(tree)
        try:
            return OpenSearchAnswer(self._snapshot, tree, scope)
        except Gone:
            raise IndexFailed("The index went on since this was asked.", next="Ask again.") from None


# ---- an answer -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Order:
    """How hits are sorted: by a value and, where that is equal, by key."""

    value: str
    direction: str
    stands_for: Mapping[int, int] = field(default_factory=dict)
    """What a cursor says in place of a value that only this engine knows."""


_ORDERS = {
    Sort.NEWEST: _Order("published", "desc"),
    Sort.OLDEST: _Order("published_last", "asc", {UNDATED: UNDATED_LAST}),
    Sort.CAPTURED: _Order("captured", "desc"),
}


class OpenSearchAnswer:
    """What was found, each record represented by one of its versions."""

    def __init__(self, snapshot: _Snapshot, tree: Tree, scope: Scope) -> None:
        self._snapshot = snapshot
        self._zone: ZoneInfo = scope.zone
        seen = visible(scope)
        compiler = Compiler(scope, snapshot.judged, any_apart=snapshot.any_apart())
        self._hits = self._represented(all_of(compiler.query(tree, seen), seen))

    def _represented(self, found: Query) -> Query:
        """One version for each record: the current one where it is found, otherwise the newest that is."""
        snapshot = self._snapshot
        current = all_of(found, term("current", value=True))
        newest: list[int] = []
        for part in snapshot.keys(all_of(found, term("current", value=False))):
            for key in part:
                if not newest or newest[-1] >> VERSION_BITS != key >> VERSION_BITS:
                    newest.append(key)
        if not newest:
            return current
        records = one_of("record", [key >> VERSION_BITS for key in newest])
        shown = {key >> VERSION_BITS for part in snapshot.keys(all_of(current, records)) for key in part}
        others = [key for key in newest if key >> VERSION_BITS not in shown]
        return any_of(current, one_of("key", others)) if others else current

    def total(self) -> int:
        return self._snapshot.count(self._hits)

    def page(self, sort: Sort, limit: int, after: str | None = None) -> Page:
        place = None if after is None else Place.of(after, sort)
        if limit <= 0:
            return Page((), after)
        found = self._walk(sort, place, limit + 1)
        shown = found[:limit]
        return Page(
            tuple(key >> VERSION_BITS for _, key in shown),
            Place(sort, *shown[-1]).cursor() if len(found) > limit else None,
        )

    def every(self, sort: Sort) -> Iterator[int]:
        place: Place | None = None
        while True:
            found = self._walk(sort, place, MOST_HITS)
            yield from (key >> VERSION_BITS for _, key in found)
            if len(found) < MOST_HITS:
                return
            place = Place(sort, *found[-1])

    def _walk(self, sort: Sort, place: Place | None, limit: int) -> list[tuple[int, int]]:
        """The next (value, key) pairs after `place`, as many requests as that takes."""
        order = _ORDERS[sort]
        instead = {there: here for here, there in order.stands_for.items()}
        found: list[tuple[int, int]] = []
        while len(found) < limit:
            more: dict[str, Any] = {}
            if found or place is not None:
                value, key = found[-1] if found else (place.value, place.key) if place else (0, 0)
                more["search_after"] = [order.stands_for.get(value, value), key]
            size = min(limit - len(found), MOST_HITS)
            hits = self._snapshot.search(
                self._hits, size=size, sort=[{order.value: order.direction}, {"key": order.direction}], **more
            )["hits"]["hits"]
            pairs = [(int(hit["sort"][0]), int(hit["sort"][1])) for hit in hits]
            found += [(instead.get(value, value), key) for value, key in pairs]
            if len(hits) < size:
                break
        return found

    # -- counting --

    def facets(self, fields: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        unknown = [one for one in fields if one not in FACETS]
        if unknown:
            raise QueryNotSupported(", ".join(unknown), f"hits can be counted by {', '.join(FACETS)}")
        counted = self._counted([one for one in fields if one != "month"])
        return {one: self._months() if one == "month" else counted[one] for one in fields}

    def _counted(self, fields: Sequence[str]) -> dict[str, dict[str, int]]:
        """Exact counts of every value: the cluster walks all of them, where its lists of the most frequent are guesses."""
        counted: dict[str, dict[str, int]] = {one: {} for one in fields}
        after: dict[str, dict[str, Any]] = {one: {} for one in fields}
        while after:
            wanted = {one: {"composite": _walking(one, where)} for one, where in after.items()}
            found = self._snapshot.search(self._hits, size=0, aggs=wanted)["aggregations"]
            after = {}
            for one in wanted:
                buckets = found[one]["buckets"]
                counted[one] |= {bucket["key"]["value"]: int(bucket["doc_count"]) for bucket in buckets}
                if len(buckets) == _WALK:
                    after[one] = {"after": found[one]["after_key"]}
        return {
            one: dict(sorted(values.items(), key=lambda item: (-item[1], item[0])))
            for one, values in counted.items()
        }

    def _months(self) -> dict[str, int]:
        """Counts by months of the agency, which begin where its own time zone says; eras without a hit are passed over."""
        counted: dict[str, int] = {}
        first, last = self._published("asc"), self._published("desc")
        while first is not None and last is not None:
            months = list(_months_between(first, last, self._zone))
            filters = {name: within("published", gte=begin, lt=end) for name, begin, end in months}
            found = self._snapshot.search(
                self._hits, size=0, aggs={"months": {"filters": {"filters": filters}}}
            )["aggregations"]["months"]["buckets"]
            counted |= {
                name: int(bucket["doc_count"]) for name, bucket in found.items() if bucket["doc_count"]
            }
            reached = months[-1][2]
            first = self._published("asc", since=reached) if reached <= last else None
        return dict(sorted(counted.items()))

    def _published(self, order: str, *, since: int = DATED) -> int | None:
        """When the first or the last hit was published that has a date from `since` on."""
        dated = all_of(self._hits, within("published", gte=since))
        hits = self._snapshot.search(dated, size=1, sort=[{"published": order}])["hits"]["hits"]
        return int(hits[0]["sort"][0]) if hits else None


def _walking(field: str, after: Mapping[str, Any]) -> dict[str, Any]:
    """A walk over all values of a field, on from where the last part of it ended."""
    return {"size": _WALK, "sources": [{"value": {"terms": {"field": f"{field}_shown"}}}], **after}


def _months_between(first: int, last: int, zone: ZoneInfo) -> Iterator[tuple[str, int, int]]:
    """The month of a microsecond and those after it until `last`, with the first one of each and that of the next.

    No more than are asked for at once.
    """
    year, month = month_of(first, zone)
    for _ in range(_MONTHS):
        begin, end = instants(DateRange(*whole_month(year, month)), zone)
        yield f"{year:04}-{month:02}", DATED if begin is None else begin, 2**62 if end is None else end
        if end is None or end > last:
            return
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
