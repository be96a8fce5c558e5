"""The engine that asks a cluster keeps what every engine promises, and takes no half of an answer for the whole."""

from __future__ import annotations

import itertools
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import ROOT, main
from app.capture import importing
from app.index.documents import Passage, Position
from app.index.engine import (
    Engine,
    IndexBusy,
    IndexFailed,
    IndexNeedsRebuild,
    QueryNotSupported,
    Sort,
    StillFound,
)
from app.index.opensearch_client import Cluster, connect
from app.index.opensearch_engine import OpenSearchEngine
from app.index.tree import All, Fuzzy, Not, Term, Wild
from app.records.clock import FixedClock
from app.settings import BadSetting, ClusterAddress
from tests.archives import settings_at
from tests.opensearch_server import OpenSearchServer, Request, Response, direct, listening
from tests.promises.test_engines import (
    DAY,
    PUBLIC,
    FolderPromises,
    a_document,
    a_history,
    agrees_with_brute_force,
    found,
    kept,
)

Open = Callable[[], OpenSearchEngine]
NAME = "town"


@pytest.fixture
def server() -> OpenSearchServer:
    return OpenSearchServer()


@pytest.fixture
def at() -> FixedClock:
    return FixedClock(datetime(2024, 6, 1, tzinfo=UTC))


@pytest.fixture
def waits() -> list[float]:
    """How long was waited between tries; nothing sleeps."""
    return []


class TestOpenSearch(FolderPromises):
    @pytest.fixture
    def in_folder(
        self, server: OpenSearchServer, at: FixedClock, waits: list[float]
    ) -> Iterator[Callable[[Path], Engine]]:
        clients: list[Any] = []

        def one(_: Path) -> Engine:
            clients.append(direct(server))
            return OpenSearchEngine(Cluster(clients[-1], wait=waits.append), NAME, clock=at)

        yield one
        for client in clients:
            client.close()

    @pytest.mark.parametrize(("key", "value"), [("analyser", 0), ("format", 0), ("analyser", None)])
    def test_an_index_of_another_edition_must_be_rebuilt_and_says_so(
        self, engine, open_engine, server, tmp_path, key, value
    ):
        kept(engine, a_document(1))
        engine.settle()
        (index,) = server.indexes.values()
        assert key in index.mappings["_meta"]
        index.mappings["_meta"][key] = value
        unfit = open_engine()
        for ask in (unfit.position, lambda: unfit.ask(All(), PUBLIC), lambda: unfit.add([a_document(2)])):
            with pytest.raises(IndexNeedsRebuild, match=key):
                ask()
        unfit.adopt(kept(unfit.beside(), a_document(3)))
        assert found(unfit, "*") == {3}
        assert found(engine, "*") == {3}
        assert list(server.indexes.values()) != [index]

    def test_after_a_rebuild_no_byte_of_what_was_removed_is_in_the_folder(self, engine, server):
        """The cluster's own indexes are the folder here: what was removed leaves at once, and the old index with the rebuild."""
        kept(engine, a_document(1, "xyzzyunique road"), a_document(2, "road"))
        assert b"xyzzyunique" in everything_that(server)
        engine.remove([1])
        engine.commit(Position(1, 1))
        before = set(server.indexes)
        engine.adopt(kept(engine.beside(), a_document(2, "road")))
        assert not before & set(server.indexes)
        assert b"xyzzyunique" not in everything_that(server)
        assert found(engine, "road") == {2}


def everything_that(server: OpenSearchServer) -> bytes:
    """All words that a cluster holds."""
    return b"".join(
        json.dumps(doc.source).encode()
        for index in server.indexes.values()
        for doc in (*index.docs.values(), *index.shown.docs)
    )


# ---- commits -------------------------------------------------------------------------------------------------


@pytest.fixture
def open_engine(server: OpenSearchServer, at: FixedClock, waits: list[float]) -> Iterator[Open]:
    opened: list[OpenSearchEngine] = []

    def one() -> OpenSearchEngine:
        opened.append(OpenSearchEngine(Cluster(direct(server), wait=waits.append), NAME, clock=at))
        return opened[-1]

    yield one
    server.faults.clear()
    for engine in opened:
        engine.close()


def cut_off_from(server: OpenSearchServer, step: int, *, done: bool) -> Callable[[], bool]:
    """From request number `step` on nobody is answered; with `done`, that one request is still carried out. Tells whether it came so far."""
    asked = itertools.count()
    reached: list[int] = []

    def fault(request: Request) -> Response | None:
        now = next(asked)
        if now < step:
            return None
        reached.append(now)
        if done and now == step:
            server.faults.remove(fault)
            server.handle(request)
            server.faults.append(fault)
        return Response(0, None)

    server.faults.append(fault)
    return lambda: bool(reached)


@pytest.mark.parametrize("done", [False, True], ids=["lost before", "lost after"])
def test_a_commit_that_is_cut_off_at_any_request_leaves_the_one_before_or_itself(
    server, open_engine, at, done
):
    """Each request is lost in turn, on the way there or on the way back, until a commit needs none of them."""
    kept(open_engine(), a_document(1, "road"), a_document(1, "road", 2), entry=1)
    at.at += timedelta(minutes=5)
    before, after = (Position(1, 1), {1}), (Position(2, 1), {2})
    failed = 0
    for step in itertools.count():
        one = open_engine()
        cut = cut_off_from(server, step, done=done)
        with suppress(IndexFailed):
            one.remove([1])
            one.add([a_document(2, "road"), a_document(2, "road", 2)])
            one.commit(Position(2, 1))
        with suppress(IndexFailed):
            one.settle()
        server.faults.clear()
        at.at += timedelta(minutes=5)  # the lease of whoever died has ended
        again = open_engine()
        stands = again.position(), found(again, "road")
        assert stands in (before, after), step
        if not cut():
            assert stands == after
            break
        failed += 1
        if stands == after:
            again.remove([2])
            again.add([a_document(1, "road"), a_document(1, "road", 2)])
            again.commit(Position(1, 1))
        else:
            kept(again, a_document(3, "bridge"), entry=1)  # a later commit brings nothing of it to light
            assert found(again, "road") == {1}
            again.remove([3])
            again.commit(Position(1, 1))
        again.settle()
        assert again.removed() >= 0
    assert failed > 6
    (index,) = server.indexes.values()
    index.refresh()
    assert sorted(doc.id for doc in index.shown.docs if doc.id != "control") == sorted(
        doc.id for doc in index.shown.docs if "died" not in doc.source and doc.id != "control"
    )


def test_a_commit_is_not_found_until_it_says_so_itself(server, open_engine):
    """Another process asks between any two requests of a commit: it sees all of it or nothing."""
    writer, reader = open_engine(), open_engine()
    kept(writer, a_document(1, "road"), a_document(2, "road"))
    seen: list[set[int]] = []

    def looked(request: Request) -> None:
        server.faults.clear()
        seen.append(found(reader, "road"))
        server.faults.append(looked)

    server.faults.append(looked)
    writer.remove([1, 2])
    writer.add([a_document(3, "road"), a_document(4, "road")])
    writer.commit(Position(2, 1))
    server.faults.clear()
    assert {frozenset(one) for one in seen} <= {frozenset({1, 2}), frozenset({3, 4})}
    assert {1, 2} in seen
    assert {3, 4} in seen


def test_what_a_late_writer_sends_after_it_was_given_up_is_never_found(server, open_engine, at):
    """A process is stopped in the middle of a commit, another takes over, and the first wakes up."""
    kept(open_engine(), a_document(1, "road"))
    at.at += timedelta(minutes=5)
    slow, other = open_engine(), open_engine()
    woken: list[str] = []

    def stopped(request: Request) -> None:
        if request.path.endswith("/_bulk") and not woken:
            woken.append(request.path)
            server.faults.clear()
            at.at += timedelta(minutes=5)
            other.remove([1])
            other.add([a_document(2, "road")])
            other.commit(Position(5, 1))
            other.settle()

    slow.remove([1])
    slow.add([a_document(3, "road")])
    server.faults.append(stopped)
    with pytest.raises((IndexBusy, IndexFailed)):
        slow.commit(Position(3, 1))
    assert woken
    assert found(other, "road") == {2}
    assert other.position() == Position(5, 1)
    kept(other, a_document(4, "bridge"), entry=6)
    assert found(other, "*") == {2, 4}


def test_a_lease_that_nobody_renews_ends(open_engine, at):
    first, second = open_engine(), open_engine()
    first.add([a_document(1, "road")])
    with pytest.raises(IndexBusy):
        second.add([a_document(2, "road")])
    at.at += timedelta(minutes=3)
    kept(second, a_document(2, "road"))
    with pytest.raises(IndexBusy):
        first.commit(Position(9, 1))
    assert found(first, "road") == {2}


def test_a_long_commit_keeps_its_lease(server, open_engine, at, monkeypatch):
    monkeypatch.setattr("app.index.opensearch_client._BULK_BYTES", 100)
    first, second = open_engine(), open_engine()

    def slowly(request: Request) -> None:
        if request.path.endswith("/_bulk"):
            at.at += timedelta(seconds=50)

    server.faults.append(slowly)
    first.add([a_document(n, "road") for n in range(1, 9)])
    first.commit(Position(8, 1))
    server.faults.clear()
    assert found(second, "road") == set(range(1, 9))


@pytest.mark.faults
@pytest.mark.parametrize("commits", range(1, 9))
def test_a_process_that_is_killed_while_it_writes_loses_nothing_that_it_had_committed(
    commits, server, open_engine, at
):
    with listening(server) as address:
        command = [sys.executable, "-c", WRITES_ON, address, NAME]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            said = [int(process.stdout.readline()) for _ in range(commits)]
            process.kill()
    at.at = datetime(2100, 1, 1, tzinfo=UTC)  # the lease of the dead has ended
    engine = open_engine()
    position = engine.position()
    assert position is not None
    assert position.entry >= said[-1]  # it may have gone on until the signal came
    assert found(engine, "road") == set(range(position.entry * 5, position.entry * 5 + 5))
    kept(engine, a_document(99_999, "road"), entry=position.entry + 1)
    assert found(engine, "road") == {*range(position.entry * 5, position.entry * 5 + 5), 99_999}


WRITES_ON = """
import itertools, sys
from app.index.documents import Position
from app.index.opensearch_client import connect
from app.index.opensearch_engine import OpenSearchEngine
from app.records.clock import SystemClock
from tests.promises.test_engines import a_document

cluster = connect(sys.argv[1], secret_file=None, ca_file=None, wait=lambda _: None)
engine = OpenSearchEngine(cluster, sys.argv[2], clock=SystemClock())
for entry in itertools.count(1):
    engine.remove(range(entry * 5 - 5, entry * 5))
    engine.add([a_document(entry * 5 + n, "road") for n in range(5)])
    engine.commit(Position(entry, 1))
    print(entry, flush=True)
"""
"""Takes the records of the commit before out, puts five new ones in, and says so; without end."""


def test_what_was_removed_is_expunged_and_what_was_replaced_is_not(server, open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"), a_document(2, "road"))

    def expunged() -> int:
        return sum(request.path.endswith("/_forcemerge") for request in server.seen)

    engine.remove([1])
    kept(engine, a_document(1, "bridge"), entry=1)
    assert expunged() == 0
    engine.remove([2])
    engine.commit(Position(2, 1))
    assert expunged() == 1
    (index,) = server.indexes.values()
    assert [doc.source["record"] for doc in index.docs.values() if "record" in doc.source] == [1]
    assert next(r.params for r in server.seen if r.path.endswith("/_forcemerge")) == {
        "only_expunge_deletes": "true"
    }


def test_an_expunging_that_failed_is_done_by_whoever_writes_next(server, open_engine):
    first = open_engine()
    kept(first, a_document(1, "road"))
    first.remove([1])
    server.faults.append(refusing("/_forcemerge", Response(500, {"error": {"type": "io_exception"}})))
    with pytest.raises(IndexFailed, match="expunge"):
        first.commit(Position(1, 1))
    assert found(first, "*") == set()
    assert first.position() == Position(1, 1)
    server.faults.clear()
    kept(open_engine(), a_document(2, "road"), entry=2)
    assert server.seen[-1].path
    assert sum(request.path.endswith("/_forcemerge") for request in server.seen) == 2


def test_a_record_that_is_still_found_after_its_removal_is_an_alarm(server, open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"))

    def spoiled(request: Request, body: dict[str, Any]) -> None:
        if b'"died"' in request.body and request.path.endswith("_search") and body["hits"].get("total"):
            body["hits"]["total"]["value"] = 1

    server.spoil = spoiled
    engine.remove([1])
    with pytest.raises(StillFound):
        engine.commit(Position(1, 1))


# ---- answers that are not whole -----------------------------------------------------------------------------------


def refusing(end: str, response: Response, times: int = 1_000_000) -> Callable[[Request], Response | None]:
    left = iter(range(times))

    def fault(request: Request) -> Response | None:
        return response if request.path.endswith(end) and next(left, None) is not None else None

    return fault


def spoiling(server: OpenSearchServer, end: str, spoil: Callable[[dict[str, Any]], object]) -> None:
    def spoiled(request: Request, body: dict[str, Any]) -> None:
        if request.path.endswith(end):
            spoil(body)

    server.spoil = spoiled


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body["_shards"].update(failed=1),
        lambda body: body["_shards"].update(successful=0),
        lambda body: body["_shards"].update(skipped=1),
        lambda body: body.pop("_shards"),
        lambda body: body.update(timed_out=True),
        lambda body: body.pop("timed_out"),
        lambda body: body.update(terminated_early=True),
        lambda body: body["hits"].get("total", {}).update(relation="gte"),
    ],
    ids=["failed", "unanswered", "skipped", "unsaid", "timed out", "no word of time", "ended early", "bound"],
)
def test_an_answer_that_lacks_anything_is_an_error(server, open_engine, spoil):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    assert engine.ask(Term("road"), PUBLIC).total() == 1
    spoiling(server, "_search", spoil)
    with pytest.raises(IndexFailed):
        engine.ask(Term("road"), PUBLIC).total()


@pytest.mark.parametrize(
    "end",
    ["/_refresh", "/_flush", "/_forcemerge", "/point_in_time", "/control"],
)
def test_whatever_some_shard_did_not_do_is_an_error(server, open_engine, end):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    assert found(engine, "road") == {1}

    def everything() -> None:
        engine.remove([1])
        engine.commit(Position(1, 1))
        engine.ask(All(), PUBLIC)

    def spoil(body: dict[str, Any]) -> None:
        if "_shards" in body and not body.get("found"):
            body["_shards"]["failed"] = 1

    spoiling(server, end, spoil)
    with pytest.raises(IndexFailed):
        everything()
    server.spoil = None
    everything()
    assert found(engine, "*") == set()


def some_item(**said: Any) -> Callable[[dict[str, Any]], None]:
    """Says something else of the last item of a bulk."""

    def spoil(body: dict[str, Any]) -> None:
        body["items"][-1]["index"] |= said

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        some_item(status=400, error={"type": "mapper_parsing_exception", "reason": "road"}),
        some_item(status=409, error={"type": "version_conflict_engine_exception"}),
        some_item(status=503, error={"type": "unavailable_shards_exception"}),
        some_item(_shards={"total": 2, "successful": 1, "failed": 1}),
        some_item(_id="another"),
        some_item(status=None),
        lambda body: body["items"].pop(),
        lambda body: body.pop("items"),
    ],
    ids=["unfit", "conflict", "no shard", "a copy failed", "another", "unsaid", "one short", "none"],
)
def test_a_bulk_of_which_any_item_failed_is_no_commit(server, open_engine, spoil):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    spoiling(server, "/_bulk", spoil)
    engine.add([a_document(2, "road"), a_document(3, "road")])
    with pytest.raises(IndexFailed) as told:
        engine.commit(Position(1, 1))
    assert "road" not in str(told.value) + told.value.next
    server.spoil = None
    assert found(engine, "road") == {1}
    assert engine.position() == Position(0, 1)
    kept(engine, a_document(2, "road"), entry=1)
    assert found(engine, "road") == {1, 2}


def test_items_that_were_turned_away_are_sent_again_and_only_they(server, open_engine, waits):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    sent: list[int] = []

    def busy(body: dict[str, Any]) -> None:
        sent.append(len(body["items"]))
        if len(sent) < 3:
            busy = {"type": "rejected_execution_exception", "reason": "full"}
            body["items"][-1]["index"] |= {"status": 429, "error": busy}

    spoiling(server, "/_bulk", busy)
    kept(engine, a_document(2, "road"), a_document(3, "road"))
    assert sent == [2, 1, 1]
    assert waits == [0.5, 1.0]
    assert found(engine, "road") == {1, 2, 3}


def test_a_disk_that_is_almost_full_is_said_and_not_waited_for(server, open_engine, waits):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    engine.add([a_document(2, "road")])
    server.read_only = True
    with pytest.raises(IndexFailed) as told:
        engine.commit(Position(1, 1))
    assert "make room" in told.value.next
    assert waits == []
    assert found(engine, "road") == {1}
    server.read_only = False
    kept(engine, a_document(2, "road"), entry=1)
    assert found(engine, "road") == {1, 2}


@pytest.mark.parametrize(
    ("status", "headers", "waited"),
    [
        (429, {"Retry-After": "7"}, [7.0, 7.0]),
        (429, {}, [0.5, 1.0]),
        (503, {"Retry-After": "9999"}, [30.0, 30.0]),
    ],
)
def test_a_busy_cluster_is_asked_again_after_the_time_that_it_names(
    server, open_engine, waits, status, headers, waited
):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    server.faults.append(refusing("/_search", Response(status, {}, headers), times=2))
    assert engine.ask(Term("road"), PUBLIC).total() == 1
    assert waits == waited


def test_a_cluster_that_stays_busy_is_given_up(server, open_engine, waits):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    server.faults.append(refusing("/_search", Response(503, {})))
    with pytest.raises(IndexFailed, match="503"):
        engine.ask(Term("road"), PUBLIC).total()
    assert len(waits) == 4


def test_a_question_that_is_too_large_for_the_cluster_is_refused_and_nothing_is_left_out(server, open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    error = {
        "error": {
            "type": "search_phase_execution_exception",
            "root_cause": [{"type": "too_many_nested_clauses"}],
        }
    }
    server.faults.append(refusing("/_search", Response(400, error)))
    with pytest.raises(QueryNotSupported):
        engine.ask(Wild("a*"), PUBLIC).total()


# ---- snapshots ---------------------------------------------------------------------------------------------------


def test_everybody_who_asks_between_two_commits_reads_one_snapshot_and_no_snapshot_is_left_open(
    server, open_engine
):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    for _ in range(5):
        assert found(engine, "road") == {1}
    assert len(server.snapshots) == 1
    answer = engine.ask(Term("road"), PUBLIC)
    kept(engine, a_document(2, "road"), entry=1)
    assert found(engine, "road") == {1, 2}
    assert answer.total() == 1
    assert len(server.snapshots) == 2
    del answer
    engine.settle()
    assert server.snapshots == {}


def test_a_snapshot_that_ran_out_is_opened_again_as_long_as_nothing_was_committed(server, open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"), a_document(2, "road"))
    answer = engine.ask(Term("road"), PUBLIC)
    first = answer.page(Sort.NEWEST, 1)
    server.seconds += 3600
    assert answer.page(Sort.NEWEST, 1, first.cursor).records == (1,)
    server.seconds += 3600
    engine.remove([1])
    engine.commit(Position(1, 1))
    with pytest.raises(IndexFailed, match="went on"):
        answer.total()


def test_a_question_that_begins_while_a_commit_ends_misses_nothing(server, open_engine):
    """Between the look at control and the snapshot, what was there is removed and replaced."""
    writer, reader = open_engine(), open_engine()
    kept(writer, a_document(1, "road"))
    done: list[bool] = []

    def meanwhile(request: Request) -> None:
        if request.path.endswith("/point_in_time") and request.method == "POST" and not done:
            done.append(True)
            writer.remove([1])
            kept(writer, a_document(1, "road again"), entry=1)
            writer._refresh(next(iter(server.indexes)))

    server.faults.append(meanwhile)
    assert found(reader, "road") == {1}
    assert done


# ---- what is counted, and long answers ----------------------------------------------------------------------------


def test_what_is_counted_and_listed_has_no_limit(open_engine, monkeypatch):
    for place in ("layout", "engine"):
        monkeypatch.setattr(f"app.index.opensearch_{place}.MOST_HITS", 7)
    monkeypatch.setattr("app.index.opensearch_compile.MOST_TERMS", 5)
    monkeypatch.setattr("app.index.opensearch_engine._READ", 3)
    monkeypatch.setattr("app.index.opensearch_engine._WALK", 7)
    engine = open_engine()
    kept(
        engine,
        *(
            a_document(n, "x y", author=(f"author {n % 40}",), published_at=DAY + timedelta(days=400 * n))
            for n in range(1, 101)
        ),
    )
    answer = engine.ask(All(), PUBLIC)
    authors = answer.facets(["author"])["author"]
    assert sum(authors.values()) == 100
    assert len(authors) == 40
    assert sum(answer.facets(["month"])["month"].values()) == 100
    assert list(answer.every(Sort.OLDEST)) == list(range(1, 101))
    assert answer.page(Sort.OLDEST, 50).records == tuple(range(1, 51))
    assert found(engine, '"x ?" OR x w/1 x') == set(range(1, 101))


def test_words_like_a_very_long_one_are_found_all_the_same(open_engine):
    """Lucene gives up on them, so a piece of the word is looked for and the rest judged."""
    engine = open_engine()
    long = "abcdefghij" * 12
    swapped = long[:50] + long[51] + long[50] + long[52:]
    kept(
        engine,
        a_document(1, long),
        a_document(2, swapped),
        a_document(3, swapped[:-1]),
        a_document(4, "road"),
    )
    kept(engine, a_document(5, swapped[1:-1]), entry=1)
    assert found(engine, Fuzzy(long, 1)) == {1, 2}
    assert found(engine, Fuzzy(long, 2)) == {1, 2, 3}
    assert found(engine, Not(Fuzzy(long, 2))) == {4, 5}


def test_a_document_of_more_passages_than_lucene_has_places_for_is_judged_apart(open_engine, monkeypatch):
    monkeypatch.setattr("app.index.opensearch_layout.MOST_PASSAGES", 3)
    engine = open_engine()
    many = tuple(Passage("attachment", f"page {n} of #road") for n in range(5))
    kept(engine, a_document(1, "x", passages=many), a_document(2, "x", passages=many[:2]))
    assert found(engine, "attachment:(page w/1 4)") == {1}
    assert found(engine, "page w/1 1") == {1, 2}
    assert found(engine, "#road") == {1, 2}


def test_every_answer_is_the_same_in_an_index_of_many_shards(server, at, waits):
    with direct(server) as client:
        engine = OpenSearchEngine(Cluster(client, wait=waits.append), NAME, clock=at, shards=3, replicas=2)
        agrees_with_brute_force(engine, a_history(0, 2))
        (index,) = server.indexes.values()
        assert (index.settings["number_of_shards"], index.settings["number_of_replicas"]) == (3, 2)


# ---- indexes ------------------------------------------------------------------------------------------------------


def test_indexes_of_others_are_left_alone(server, open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    body = {"settings": {"index": {}}, "mappings": {"dynamic": "strict", "properties": {}}}
    for other in ("town-council-000001", "town-1", "county-000001", "town-000001x"):
        server.handle(Request("PUT", f"/{other}", {}, {}, json.dumps(body).encode()))
    engine.adopt(kept(engine.beside(), a_document(2, "road")))
    assert set(server.indexes) == {
        "town-000002", "town-council-000001", "town-1", "county-000001", "town-000001x",
    }  # fmt: skip


@pytest.mark.parametrize(
    "moment", [("PUT", f"/{NAME}-000001"), ("GET", f"/{NAME}-*/_settings")], ids=["making", "looking"]
)
def test_two_who_make_the_first_index_make_one(server, open_engine, moment):
    first, second = open_engine(), open_engine()
    made: list[bool] = []

    def meanwhile(request: Request) -> None:
        if (request.method, request.path) == moment and not made:
            made.append(True)
            kept(second, a_document(1, "road"))

    server.faults.append(meanwhile)
    assert first.position() == Position(0, 1)
    assert made
    assert len(server.indexes) == 1


def test_an_index_whose_alias_was_taken_away_is_not_begun_anew(server, open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    engine.settle()
    server.aliases[NAME].clear()
    with pytest.raises(IndexNeedsRebuild, match="alias"):
        engine.position()
    engine.adopt(kept(engine.beside(), a_document(2, "road")))
    assert found(engine, "*") == {2}


def test_an_index_that_does_not_say_how_far_it_followed_must_be_rebuilt(server, open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    engine.settle()
    (index,) = server.indexes.values()
    index.write("control", {"control": {"commit": 1}})
    with pytest.raises(IndexNeedsRebuild):
        engine.position()
    engine.adopt(kept(engine.beside(), a_document(2, "road")))
    assert found(engine, "*") == {2}


def test_a_write_that_comes_after_its_index_was_discarded_does_not_bring_it_back(server, open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"))
    late = engine.beside()
    late.add([a_document(9, "road")])
    engine.adopt(kept(engine.beside(), a_document(2, "road")))
    with pytest.raises((IndexFailed, IndexNeedsRebuild)):
        late.commit(Position(1, 1))
    assert len(server.indexes) == 1
    assert found(engine, "*") == {2}


# ---- over HTTP, and chosen by settings ---------------------------------------------------------------------------


def test_an_archive_searches_in_the_cluster_that_its_settings_name(server, home, clock, tmp_path, caplog):
    file = tmp_path / "seen.jsonl"
    lines = (
        {"platform": "web", "page": "Town", "native_id": str(n), "kind": "post", "text": f"road {n}"}
        for n in range(5)
    )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    secret = tmp_path / "secret"
    secret.write_text("archive:correct horse\n")
    caplog.set_level(logging.DEBUG)
    with listening(server) as address:
        search = f"{address}/harrow?secret_file={secret}&shards=2&replicas=0"
        archive = main.open_archive(settings_at(home, search=search), clock)
        try:
            importing.observations(
                archive.store, file, page=None, make_pages=True, by=None, why="told", tick=lambda: 0.0
            )
            assert archive.follow() == 5
            answered = archive.search("road AND NOT 3", messages=False, limit=3, facets=["kind"])
            assert answered.total == 4
            assert answered.facets == {"kind": {"post": 4}}
            assert not {finding.code for finding in archive.verify(full=False).findings}
            assert archive.reindex() == 5
            assert archive.search("road AND NOT 3", messages=False, limit=3, facets=["kind"]) == answered
        finally:
            archive.close()
    assert {request.headers["authorization"] for request in server.seen} == {
        "Basic YXJjaGl2ZTpjb3JyZWN0IGhvcnNl"
    }
    assert set(server.indexes) == {"harrow-000002"}
    assert "horse" not in caplog.text
    assert "road" not in caplog.text


def test_an_archive_opens_while_its_cluster_is_away(home, clock, waits, monkeypatch):
    monkeypatch.setattr(time, "sleep", waits.append)
    archive = main.open_archive(settings_at(home, search="http://127.0.0.1:9/harrow"), clock)
    try:
        with pytest.raises(IndexFailed, match="no answer"):
            archive.search("road", messages=False)
    finally:
        archive.close()
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("line", "sent"),
    [("Bearer abc.def", "Bearer abc.def"), ("ApiKey xyz==", "ApiKey xyz=="), ("u:p:q", "Basic dTpwOnE=")],
)
def test_the_secret_comes_from_a_file(server, tmp_path, line, sent):
    file = tmp_path / "secret"
    file.write_text(line + "\n")
    with listening(server) as address:
        cluster = connect(address, secret_file=file, ca_file=None, wait=lambda _: None)
        cluster.ask("GET", "/_alias/town")
        cluster.close()
    assert [request.headers["authorization"] for request in server.seen] == [sent]


@pytest.mark.parametrize("content", [None, b"nothing of the kind", b"\xff\xfe"])
def test_a_secret_that_cannot_be_read_is_said_and_not_shown(tmp_path, content):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadSetting) as told:
        connect("https://search.test", secret_file=file, ca_file=None, wait=lambda _: None)
    assert "nothing of" not in str(told.value)


def test_a_certificate_file_that_holds_none_is_said(tmp_path):
    for content in (None, "no certificate"):
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_text(content)
        with pytest.raises(BadSetting, match="certificate"):
            connect("https://search.test", secret_file=None, ca_file=file, wait=lambda _: None)


def test_the_setting_says_where_the_cluster_is():
    told = settings_at(
        Path(), search="https://search.town.example:9200/harrow?shards=3&ca_file=/etc/ca.pem"
    ).engine()
    assert told == ClusterAddress(
        "https://search.town.example:9200", "harrow", 3, 1, None, Path("/etc/ca.pem")
    )
    assert settings_at(Path(), search="https://s.example").engine() == ClusterAddress(
        "https://s.example", "muniment", 1, 1, None, None
    )
    assert settings_at(Path(), search="http://[::1]:9200/a").engine() == ClusterAddress(
        "http://[::1]:9200", "a", 1, 1, None, None
    )


@pytest.mark.parametrize(
    "search",
    [
        "https://user:hunter2@s.example/town",
        "https://hunter2@s.example/town",
        "http://s.example/town",
        "https:///town",
        "https://s.example/Town",
        "https://s.example/a/b",
        "https://s.example/_all",
        "https://s.example/town?password=hunter2",
        "https://s.example/town?shards=0",
        "https://s.example/town?shards=many",
        "https://s.example/town?replicas",
        "https://s.example:99999/town",
        "https://s.example/town#hunter2",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(search):
    with pytest.raises(BadSetting) as told:
        settings_at(Path(), search=search).engine()
    assert "hunter2" not in f"{told.value} {told.value.next}"
