"""What the compiler takes for exact is exact in Lucene itself, and what it proposes leaves nothing out.

OpenSearch is Lucene with a network around it. No server of it can be had
here, but Lucene's own classes can: each query that the compiler writes becomes
the object that OpenSearch makes of it (`lucene.py`, in an environment that
`.ci/lucene.sh` makes and `MUNIMENT_LUCENE` names), and is run over an index
in memory. What comes back is compared with a plain reading of the documents,
and with the double of a cluster that the promises are kept over.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import ROOT
from app.index.documents import Document, Passage
from app.index.opensearch_compile import (
    EVERYTHING,
    Compiler,
    Query,
    all_of,
    native,
    superset,
    visible,
)
from app.index.opensearch_layout import GAP, VERSION_BITS, laid, mapping, told
from app.index.opensearch_layout import settings as index_settings
from app.index.spans import met
from app.index.tree import (
    All,
    Among,
    And,
    CapturedRange,
    DateRange,
    Exactly,
    Field,
    Fuzzy,
    Near,
    Not,
    Phrase,
    Pre,
    Term,
    Tree,
    Wild,
    everything_in,
)
from tests.live.conftest import unavailable
from tests.opensearch_server import Index, Shown
from tests.promises.reference_engine import distance, meets
from tests.promises.test_engines import PUBLIC, a_document, a_joinable, a_tree, some_versions

pytestmark = pytest.mark.live

MADE = mapping("opensearch")
LEFT_OUT = ("kept", "control")
Lucene = Callable[[Sequence[Mapping[str, Any]], Sequence[Query]], list[list[int]]]


def fields(properties: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, kind in properties.items():
        if "properties" in kind:
            yield from fields(kind["properties"], f"{above}{name}.")
        elif kind["type"] != "object":
            gap = {"gap": kind["position_increment_gap"]} if kind["type"] == "text" else {}
            yield above + name, {"type": kind["type"], **gap}


FIELDS = dict(fields(MADE["properties"]))


@pytest.fixture(scope="module")
def lucene() -> Iterator[Lucene]:
    python = os.environ.get("MUNIMENT_LUCENE", "")
    if not python or not Path(python).exists():
        unavailable(
            "lucene: MUNIMENT_LUCENE names no Python with JPype; .ci/lucene.sh makes one and prints where"
        )
    if shutil.which("java") is None:
        unavailable("lucene: there is no Java")
    with subprocess.Popen(
        [python, str(ROOT / "tests" / "live" / "lucene.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        hello = process.stdout.readline()
        if not hello:
            unavailable(f"lucene: {process.stderr.read().strip()[-500:]}")
        assert json.loads(hello)["lucene"].startswith("8.")
        coming, going = process.stdin, process.stdout

        def ask(docs: Sequence[Mapping[str, Any]], queries: Sequence[Query]) -> list[list[int]]:
            plain = [{name: value for name, value in doc.items() if name not in LEFT_OUT} for doc in docs]
            coming.write(json.dumps({"fields": FIELDS, "docs": plain, "queries": list(queries)}) + "\n")
            coming.flush()
            answered = going.readline()
            assert answered, "Lucene ended"
            found: list[list[int]] = json.loads(answered)
            return found

        yield ask
        coming.close()
        process.wait(30)


def lay(documents: Sequence[Document]) -> list[dict[str, Any]]:
    newest = {one.record: one.version for one in sorted(documents, key=lambda one: one.version)}
    return [laid(one, current=newest[one.record] == one.version, born=1) for one in documents]


def double(docs: Sequence[Mapping[str, Any]], queries: Sequence[Query]) -> list[list[int]]:
    """What the double of a cluster finds."""
    index = Index("town", {"settings": index_settings(shards=1, replicas=0), "mappings": MADE})
    kept = [index.write(str(number), doc) for number, doc in enumerate(docs)]
    shown = Shown(kept)
    return [[int(doc.id) for doc in shown.matching(query, index)] for query in queries]


def an_archive(chance: random.Random) -> list[Document]:
    return [one for record in range(1, chance.randint(2, 14)) for one in some_versions(chance, record)]


CHANCE = st.integers(0, 2**32 - 1).map(random.Random)
MANY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.generate),
)


@MANY
@given(CHANCE)
def test_what_is_native_is_exact_and_what_is_proposed_leaves_nothing_out(lucene, chance):
    documents = an_archive(chance)
    docs = lay(documents)
    trees = [a_joinable(chance, 3) for _ in range(40)]
    natives = [(tree, query) for tree in trees if (query := native(tree)) is not None]
    proposals = [superset(tree) for tree in trees]
    queries = [query for _, query in natives] + proposals
    answered = lucene(docs, queries)
    assert answered == double(docs, queries)
    read = {
        tree: [n for n, doc in enumerate(docs) if met(tree, told(doc, with_sigils=True))] for tree in trees
    }
    for (tree, _), found in zip(natives, answered, strict=False):
        assert found == read[tree], tree
    for tree, found in zip(trees, answered[len(natives) :], strict=True):
        assert set(found) >= set(read[tree]), tree


@MANY
@given(CHANCE)
def test_whole_questions_are_answered_as_a_plain_reading_answers_them(lucene, chance):
    """With whatever must be judged judged on the candidates that Lucene itself gives."""
    documents = an_archive(chance)
    docs = lay(documents)
    trees = [a_tree(chance) for _ in range(15)]

    def judge(tree: Tree, candidates: Query) -> list[int]:
        (found,) = lucene(docs, [candidates])
        return [docs[n]["key"] for n in found if met(tree, told(docs[n], with_sigils=True))]

    compiler = Compiler(PUBLIC, judge, any_apart=False)
    seen = visible(PUBLIC)
    queries = [all_of(compiler.query(tree, seen), seen) for tree in trees]
    answered = lucene(docs, queries)
    assert answered == double(docs, queries)
    for tree, found in zip(trees, answered, strict=True):
        assert found == [
            n
            for n, one in enumerate(documents)
            if not one.private and meets(tree, one, PUBLIC, current=docs[n]["current"])
        ], tree


def test_the_trees_that_are_tried_cover_every_kind():
    chance = random.Random(1)
    kinds = {type(part) for _ in range(3000) for part in everything_in(a_tree(chance))}
    assert {
        All, Among, And, CapturedRange, DateRange, Exactly, Field, Fuzzy, Near, Not, Phrase, Pre, Term, Wild
    } <= kinds  # fmt: skip
    natives = [native(a_joinable(chance, 3)) is not None for _ in range(3000)]
    assert 500 < sum(natives) < 2500  # some are exact, some must be judged


@MANY
@given(st.lists(st.text("abc警é", min_size=1, max_size=6), min_size=1, max_size=30), st.data())
def test_neighbours_of_a_word_are_those_of_its_definition(lucene, words, data):
    """Of every length, the shortest among them, of which Lucene's own documentation says that they may be left out."""
    docs = lay([a_document(n, word) for n, word in enumerate(words, 1)])
    for letters in (1, 2):
        word = data.draw(st.sampled_from(words) | st.text("abc警é", min_size=1, max_size=6))
        query = native(Fuzzy(word, letters))
        assert query is not None
        (found,) = lucene(docs, [query])
        assert [found] == double(docs, [query])
        assert found == [
            n for n, doc in enumerate(docs) if any(distance(word, one) <= letters for one in words_of(doc))
        ]


def words_of(doc: Mapping[str, Any]) -> Sequence[str]:
    return [word for _, words in told(doc, with_sigils=False) for word in words.words]


@MANY
@given(
    st.lists(st.text("ab警😀é", min_size=1, max_size=5), min_size=1, max_size=20),
    st.text("ab警😀é?*", min_size=1, max_size=5),
)
def test_a_pattern_stands_for_what_it_says_whatever_the_script(lucene, words, pattern):
    docs = lay([a_document(n, word) for n, word in enumerate(words, 1)])
    query = native(Wild(pattern))
    assert query is not None
    (found,) = lucene(docs, [query])
    assert found == [n for n, doc in enumerate(docs) if met(Wild(pattern), told(doc, with_sigils=False))]
    assert [found] == double(docs, [query])


def test_a_proximity_as_long_as_the_gap_never_reaches_into_another_passage(lucene):
    docs = lay(
        [
            a_document(1, passages=(Passage("alt", "road"), Passage("alt", "closed"))),
            a_document(2, passages=(Passage("alt", "road x closed"),)),
        ]
    )
    far: list[Tree] = [
        Near(GAP - 1, Term("road"), Term("closed")),
        Pre(GAP - 1, Term("road"), Term("closed")),
    ]
    queries = [query for tree in far if (query := native(tree)) is not None]
    assert lucene(docs, queries) == [[1], [1]] == double(docs, queries)
    assert native(Near(GAP, Term("road"), Term("closed"))) is None


def test_more_than_fifty_neighbours_are_all_found(lucene):
    docs = lay([a_document(n, "close" + chr(0x3B1 + n)) for n in range(1, 200)])
    query = native(Fuzzy("closed", 1))
    assert query is not None
    (found,) = lucene(docs, [query])
    assert len(found) > 150
    assert found == [n for n, doc in enumerate(docs) if distance("closed", words_of(doc)[0]) <= 1]
    query["bool"]["should"] = [
        {"fuzzy": {name: asked | {"rewrite": None}}}
        for one in query["bool"]["should"]
        for name, asked in one["fuzzy"].items()
    ]
    (without,) = lucene(docs, [query])
    assert set(without) < set(found)  # which is why it is told to rewrite to a constant


# ---- what is not used, because it is not what it seems -------------------------------------------------------------


def test_lucene_itself_gives_up_on_what_is_like_a_very_long_word(lucene):
    long = "abcdefghij" * 12
    docs = lay([a_document(1, long[:-1]), a_document(2, "abc"), a_document(3, long)])
    tree = Fuzzy(long, 2)
    assert native(tree) is None
    (found,) = lucene(docs, [superset(tree)])
    assert {0, 2} <= set(found)
    shorter = Fuzzy("警" * 40, 2)
    (longest,) = [query for tree in [shorter] if (query := native(tree)) is not None]
    assert lucene(lay([a_document(1, "é" * 40)]), [longest]) == [[]]


def near(slop: int, *clauses: Query, ordered: bool = False) -> Query:
    return {"span_near": {"clauses": list(clauses), "slop": slop, "in_order": ordered}}


def word(of: str) -> Query:
    return {"span_term": {"text.words": {"value": of}}}


def test_nested_proximity_itself_misses_and_overlaps(lucene):
    docs = lay([a_document(1, "c a a b"), a_document(2, "a b c")])
    inner = near(2, word("a"), word("b"), ordered=True)
    missed = near(0, word("c"), inner, ordered=True)
    tree = Pre(1, Term("c"), Pre(3, Term("a"), Term("b")))
    assert met(tree, told(docs[0], with_sigils=False))
    overlapping = near(0, near(0, word("a"), word("b")), near(0, word("b"), word("c")))
    twice = Near(1, Phrase((Term("a"), Term("b"))), Phrase((Term("b"), Term("c"))))
    assert not met(twice, told(docs[1], with_sigils=False))
    found = lucene(docs, [missed, overlapping])
    assert (0 not in found[0]) or (1 in found[1])
    assert native(tree) is native(twice) is None


def test_proximity_of_a_word_with_itself_is_judged(lucene):
    docs = lay([a_document(1, "road"), a_document(2, "road road")])
    assert native(Near(3, Term("road"), Term("road"))) is None
    (found,) = lucene(docs, [superset(Near(3, Term("road"), Term("road")))])
    assert found == [0, 1]


def test_everything_and_each_version_by_its_key_are_found(lucene):
    docs = lay([a_document(n, "road", version) for n in range(1, 4) for version in (1, 2)])
    compiler = Compiler(PUBLIC, lambda *_: [], any_apart=False)
    first = compiler.query(Exactly(frozenset({(2, 1)})), EVERYTHING)
    assert lucene(docs, [EVERYTHING, first]) == [list(range(6)), [2]]
    assert docs[2]["key"] == 2 << VERSION_BITS | 1
