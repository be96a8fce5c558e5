"""The engine over an emulator of OpenSearch that others wrote: a second opinion on the interface, over HTTP.

It is no OpenSearch. What it accepts was written by somebody who read the same
documentation and not our code; `.ci/osmem.sh` installs it and `MUNIMENT_OSMEM`
names it. Proximity of groups of words is judged here instead of asked for,
because the emulator knows no `span_or`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.index.documents import Position
from app.index.engine import IndexBusy, Sort
from app.index.opensearch_client import connect
from app.index.opensearch_engine import OpenSearchEngine
from app.index.tree import All, Term
from app.records.clock import FixedClock
from tests.live.conftest import unavailable
from tests.promises.test_engines import (
    PUBLIC,
    a_document,
    a_history,
    agrees_with_brute_force,
    found,
    kept,
)

pytestmark = pytest.mark.live

Open = Callable[[], OpenSearchEngine]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    program = os.environ.get("MUNIMENT_OSMEM", "")
    if not program or not Path(program).exists():
        unavailable("osmem: MUNIMENT_OSMEM names no program; .ci/osmem.sh installs it and prints where")
    # It ends by itself when its standard input closes, however these tests end.
    with subprocess.Popen(
        [program, "-addr", "127.0.0.1:0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        hello = process.stdout.readline()
        assert hello, "the emulator did not start"
        yield json.loads(hello)["url"]
        process.stdin.close()
        process.wait(30)


@pytest.fixture
def open_engine(
    address: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    monkeypatch.setattr("app.index.opensearch_compile._MOST_WORDS", 1)
    opened: list[OpenSearchEngine] = []
    name = "t" + "".join(sign for sign in request.node.name if sign.isdigit() or sign == "_")

    def one() -> OpenSearchEngine:
        cluster = connect(address, secret_file=None, ca_file=None, wait=lambda _: None)
        clock = FixedClock(datetime(2024, 6, 1, tzinfo=UTC))
        opened.append(OpenSearchEngine(cluster, name, clock=clock, shards=2, replicas=0))
        return opened[-1]

    yield one
    for engine in opened:
        engine.close()


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_the_one_that_brute_force_gives(open_engine, seed):
    agrees_with_brute_force(open_engine(), a_history(seed, 6))


def test_a_record_leaves_and_an_index_is_adopted(open_engine):
    engine = open_engine()
    kept(engine, a_document(1, "road"), a_document(2, "road"))
    answer = engine.ask(Term("road"), PUBLIC)
    engine.remove([1])
    engine.commit(Position(1, 1))
    assert found(engine, "*") == {2}
    assert engine.removed() == 1
    assert answer.total() == 2
    engine.adopt(kept(engine.beside(), a_document(3, "bridge"), entry=7))
    assert found(engine, "*") == {3}
    assert engine.position() == Position(7, 1)


def test_only_one_writes_at_a_time_and_what_it_gave_up_is_dropped(open_engine):
    first, second = open_engine(), open_engine()
    kept(first, a_document(1, "road"))
    with pytest.raises(IndexBusy):
        second.add([a_document(2, "road")])
    first.add([a_document(3, "road")])
    first.settle()
    kept(second, a_document(2, "road"), entry=1)
    assert found(first, "road") == {1, 2}
    assert list(first.ask(All(), PUBLIC).every(Sort.OLDEST)) == [1, 2]
