"""Witnesses: being one for the ledger of another agency, and asking one's own. No fork is ever cosigned."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app import ROOT
from app.records.clock import FixedClock
from app.store import Store, anchors, merkle, witness
from app.store.asking import Asking, Reply
from app.store.ledger import Act
from app.store.note import Checkpoint, Cosigner, Signer, cosigned_at, opened, parts_of, signatures
from app.store.witness import BadWitness, Desk, Server, Witness, WitnessBroken, WitnessBusy, cosign, witnesses
from tests.steps.vouching import asking, serving

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NAME = "archives.example/witness"


@dataclass
class Log:
    """Another agency's ledger in memory: it can grow, and it can lie about its past."""

    signer: Signer = field(default_factory=lambda: Signer("town.example/records/1", bytes(range(32))))
    leaves: list[bytes] = field(default_factory=list)

    def grow(self, *words: str) -> None:
        self.leaves += [merkle.leaf_hash(word.encode()) for word in words]

    def hashes(self, level: int, index: int) -> bytes:
        return merkle.fold(self.leaves[index << level : (index + 1) << level])

    def checkpoint(self, size: int | None = None) -> str:
        size = len(self.leaves) if size is None else size
        return self.signer.sign(Checkpoint(self.signer.name, size, merkle.fold(self.leaves[:size])).text())

    def question(self, old: int, size: int | None = None) -> bytes:
        size = len(self.leaves) if size is None else size
        proof = merkle.consistency(self.hashes, old, size) if 0 < old <= size else []
        return question(old, proof, self.checkpoint(size))


def question(old: int | str, proof: Sequence[bytes], note: str) -> bytes:
    lines = "".join(f"{base64.b64encode(part).decode()}\n" for part in proof)
    return f"old {old}\n{lines}\n{note}".encode()


@pytest.fixture
def log() -> Log:
    log = Log()
    log.grow(*"abcdefg")
    return log


@pytest.fixture
def desk(tmp_path: Path, log: Log) -> Iterator[Desk]:
    desk = Desk(tmp_path / "witness", NAME, [log.signer.verifier()], FixedClock(NOON))
    yield desk
    desk.close()


# -- being a witness ---------------------------------------------------------------------------------------


def test_the_first_checkpoint_of_a_known_ledger_is_cosigned_with_the_time(desk: Desk, log: Log):
    answer = desk.add_checkpoint(log.question(0))
    assert (answer.status, answer.body.count("\n")) == (200, 1)
    (line,) = signatures(answer.body)
    text_, _ = parts_of(log.checkpoint())
    assert cosigned_at(text_, line, desk.cosigner.key()) == NOON
    assert desk.last(log.signer.name) == Checkpoint.parse(text_)


def test_a_ledger_that_grew_is_cosigned_from_what_was_seen_last(desk: Desk, log: Log):
    desk.add_checkpoint(log.question(0))
    log.grow("h", "i")
    assert desk.add_checkpoint(log.question(7)).status == 200
    assert desk.add_checkpoint(log.question(9)).status == 200  # the same again, with a newer time
    last = desk.last(log.signer.name)
    assert last is not None
    assert last.size == 9


def test_whoever_does_not_know_what_was_seen_last_is_told(desk: Desk, log: Log):
    desk.add_checkpoint(log.question(0))
    log.grow("h")
    for old in (0, 3, 8):
        answer = desk.add_checkpoint(log.question(old))
        assert (answer.status, answer.body, answer.media_type) == (409, "7\n", "text/x.tlog.size")


def test_a_fork_is_never_cosigned_and_is_kept_as_evidence(desk: Desk, log: Log):
    desk.add_checkpoint(log.question(0))
    fork = Log(log.signer)
    fork.grow(*"abcdefX", *"hi")
    before = desk.last(log.signer.name)
    assert desk.add_checkpoint(fork.question(7)).status == 422
    assert desk.add_checkpoint(fork.question(7, 7)).status == 409  # as large, and another
    assert desk.last(log.signer.name) == before
    kept = {file.read_text() for file in (desk.folder / "forks").iterdir()}
    assert kept == {fork.checkpoint(), fork.checkpoint(7)}


def test_a_ledger_never_becomes_smaller(desk: Desk, log: Log):
    desk.add_checkpoint(log.question(0))
    assert desk.add_checkpoint(question(7, [], log.checkpoint(5))).status == 400
    assert desk.add_checkpoint(question(0, [], log.checkpoint(5))).status == 409
    assert desk.add_checkpoint(log.question(5, 5)).status == 409


def test_an_empty_ledger_has_one_root(desk: Desk, log: Log):
    assert desk.add_checkpoint(question(0, [], log.checkpoint(0))).status == 200
    assert desk.add_checkpoint(log.question(0)).status == 200


def test_an_empty_ledger_with_a_root_of_its_own_is_refused(desk: Desk, log: Log):
    note = log.signer.sign(Checkpoint(log.signer.name, 0, bytes(32)).text())
    assert desk.add_checkpoint(question(0, [], note)).status in {409, 422}
    assert desk.last(log.signer.name) is None


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("unknown ledger", 404),
        ("key of another", 403),
        ("altered", 403),
        ("no proof where one belongs", 422),
        ("a proof where none belongs", 422),
        ("a proof too long", 400),
        ("a short hash", 400),
        ("no old size", 400),
        ("an old size with a zero", 400),
        ("no checkpoint", 400),
        ("no empty line", 400),
        ("not UTF-8", 400),
        ("nothing", 400),
        ("huge size", 400),
    ],
)
def test_a_question_that_is_wrong_has_the_answer_that_the_specification_says(
    desk: Desk, log: Log, words: str, status: int
):
    desk.add_checkpoint(log.question(0))
    log.grow("h", "i")
    good = log.question(7)
    other = Log(Signer("town.example/records/2", bytes(32)))
    other.grow("a")
    thief = Log(Signer(log.signer.name, bytes(32)), log.leaves)
    asked = {
        "unknown ledger": other.question(0),
        "key of another": thief.question(7),
        "altered": good.replace(b"\n9\n", b"\n8\n"),
        "no proof where one belongs": question(7, [], log.checkpoint()),
        "a proof where none belongs": question(7, [bytes(32)], log.checkpoint(7)),
        "a proof too long": question(7, [bytes(32)] * 64, log.checkpoint()),
        "a short hash": question(7, [bytes(31)], log.checkpoint()),
        "no old size": good.replace(b"old 7", b"old"),
        "an old size with a zero": good.replace(b"old 7", b"old 07"),
        "no checkpoint": good.partition(b"\n\n")[0] + b"\n\n",
        "no empty line": good.replace(b"\n\n", b"\n"),
        "not UTF-8": good.replace(b"town", b"t\xffwn"),
        "nothing": b"",
        "huge size": good.replace(b"\n9\n", b"\n99999999999999999999999\n"),
    }[words]
    assert desk.add_checkpoint(asked).status == status
    last = desk.last(log.signer.name)
    assert last is not None
    assert last.size == 7


def test_signatures_of_keys_that_are_not_known_are_passed_over(desk: Desk, log: Log):
    other = Signer("town.example/witness", bytes(32)).sign("x\n").rpartition("\n\n")[2]
    assert desk.add_checkpoint(log.question(0) + other.encode()).status == 200


def test_two_keys_of_one_ledger_are_both_known_while_it_changes_from_one_to_the_other(
    tmp_path: Path, log: Log
):
    newer = Log(Signer(log.signer.name, bytes(reversed(range(32)))), log.leaves)
    desk = Desk(tmp_path / "w", NAME, [log.signer.verifier(), newer.signer.verifier()], FixedClock(NOON))
    assert desk.add_checkpoint(log.question(0)).status == 200
    log.grow("h")
    assert desk.add_checkpoint(newer.question(7)).status == 200
    desk.close()


def test_what_was_seen_and_the_key_outlive_the_process(desk: Desk, log: Log):
    desk.add_checkpoint(log.question(0))
    key = desk.cosigner.key()
    desk.close()
    again = Desk(desk.folder, NAME, [log.signer.verifier()], FixedClock(NOON))
    try:
        assert again.cosigner.key() == key
        assert again.add_checkpoint(log.question(0)).status == 409
    finally:
        desk._alone = again._alone


def test_two_processes_are_not_one_witness(desk: Desk, log: Log):
    with pytest.raises(WitnessBusy):
        Desk(desk.folder, NAME, [log.signer.verifier()], FixedClock(NOON))


@pytest.mark.parametrize(
    "damage", [b"", b"\xff", b"town.example/records/1\n7\n", b"another.example\n7\n" + b"A" * 43 + b"=\n"]
)
def test_a_witness_whose_memory_is_damaged_signs_nothing(desk: Desk, log: Log, damage: bytes):
    desk.add_checkpoint(log.question(0))
    (file,) = (desk.folder / "seen").iterdir()
    file.write_bytes(damage)
    log.grow("h")
    with pytest.raises(WitnessBroken):
        desk.add_checkpoint(log.question(7))
    with serving(server := Server(desk, "127.0.0.1", 0)), httpx.Client(trust_env=False) as client:
        url = f"http://127.0.0.1:{server.server_port}/add-checkpoint"
        assert client.post(url, content=log.question(0)).status_code == 500


VICTIM = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from app.records.clock import FixedClock
from app.store import witness
from app.store.note import Verifier
point, folder, key, question = sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]).read_bytes()
def die(*_words, **_more):
    os.kill(os.getpid(), signal.SIGKILL)
desk = witness.Desk(folder, "archives.example/witness", [Verifier.parse(key)], FixedClock(datetime(2026, 3, 2, tzinfo=UTC)))
if point == "before it is written":
    witness._put = die
elif point == "before it is in its place":
    Path.replace = die
elif point == "before the folder is fsynced":
    whole = os.fsync
    def fsync(handle):
        os.path.isdir(f"/proc/self/fd/{handle}") and die()
        whole(handle)
    os.fsync = fsync
elif point == "before it is signed":
    witness.Cosigner.cosign = die
print(desk.add_checkpoint(question).body, flush=True)
die()
"""


@pytest.mark.parametrize(
    ("point", "signed"),
    [
        ("before it is written", False),
        ("before it is in its place", False),
        ("before the folder is fsynced", False),
        ("before it is signed", False),
        ("after it is signed", True),
    ],
)
def test_a_witness_that_is_killed_at_any_point_never_signs_a_fork_afterwards(
    tmp_path: Path, log: Log, point: str, signed: bool
):
    folder = tmp_path / "witness"
    first = Desk(folder, NAME, [log.signer.verifier()], FixedClock(NOON))
    first.add_checkpoint(log.question(0))
    first.close()
    fork = Log(log.signer, list(log.leaves))
    log.grow("h")
    fork.grow("X")
    (tmp_path / "question").write_bytes(log.question(7))
    words = [point, str(folder), log.signer.verifier().line(), str(tmp_path / "question")]
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    assert bool(victim.stdout.strip()) is signed
    again = Desk(folder, NAME, [log.signer.verifier()], FixedClock(NOON))
    last = again.last(log.signer.name)
    assert last is not None
    if signed:
        assert last.size == 8
        assert again.add_checkpoint(fork.question(8, 8)).status == 409
    elif last.size == 8:  # it was written down and not given out: the same may be signed, and nothing else
        assert again.add_checkpoint(log.question(8)).status == 200
        assert again.add_checkpoint(fork.question(8, 8)).status == 409
    else:
        assert again.add_checkpoint(log.question(7)).status == 200
        assert again.add_checkpoint(fork.question(7)).status == 409
    again.close()


class Histories(RuleBasedStateMachine):
    """Whatever is asked, in whatever order, with restarts between: all that was cosigned is one history."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    @initialize()
    def open(self) -> None:
        import tempfile

        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.histories = [Log()]
        self.histories[0].grow("0")
        self.cosigned: dict[int, bytes] = {}
        self.start()

    def start(self) -> None:
        log = self.histories[0].signer.verifier()
        self.desk = Desk(self.folder, NAME, [log], FixedClock(NOON))

    @rule(data=st.data(), words=st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
    def grow(self, data: st.DataObject, words: list[str]) -> None:
        data.draw(st.sampled_from(self.histories)).grow(*words)

    @precondition(lambda self: len(self.histories) < 4)
    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        log = data.draw(st.sampled_from(self.histories))
        cut = data.draw(st.integers(0, len(log.leaves)))
        self.histories.append(Log(log.signer, log.leaves[:cut]))
        self.histories[-1].grow(f"fork {len(self.histories)}")

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        log = data.draw(st.sampled_from(self.histories))
        size = data.draw(st.integers(1, len(log.leaves)))
        old = data.draw(st.sampled_from([0, *self.cosigned, size]).filter(lambda one: one <= size))
        if self.desk.add_checkpoint(log.question(old, size)).status == 200:
            root = merkle.fold(log.leaves[:size])
            assert size >= max(self.cosigned, default=0)
            assert self.cosigned.setdefault(size, root) == root

    @rule()
    def restart(self) -> None:
        self.desk.close()
        self.start()

    @invariant()
    def one_history(self) -> None:
        """Some one history has every root that was cosigned."""
        if getattr(self, "cosigned", None):
            assert any(
                all(
                    size <= len(log.leaves) and merkle.fold(log.leaves[:size]) == root
                    for size, root in self.cosigned.items()
                )
                for log in self.histories
            )

    def teardown(self) -> None:
        self.desk.close()
        self.stack.close()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


# -- the door --------------------------------------------------------------------------------------------


def test_the_door_speaks_as_the_specification_says(desk: Desk, log: Log):
    with (
        serving(server := Server(desk, "127.0.0.1", 0)),
        httpx.Client(trust_env=False, base_url=f"http://127.0.0.1:{server.server_port}") as client,
    ):
        answer = client.post("/add-checkpoint", content=log.question(0))
        assert answer.status_code == 200
        assert answer.text.startswith(f"— {NAME} ")
        again = client.post("/add-checkpoint", content=log.question(0))
        assert (again.status_code, again.text, again.headers["content-type"]) == (
            409,
            "7\n",
            "text/x.tlog.size",
        )
        assert client.get("/vkey").text == desk.cosigner.key().line() + "\n"
        assert client.get("/add-checkpoint").status_code == 404
        assert client.post("/elsewhere", content=b"x").status_code == 404
        assert client.post("/add-checkpoint", content=bytes(70_000)).status_code == 413
        assert client.put("/add-checkpoint", content=b"x").status_code == 501


# -- asking one's own witnesses ----------------------------------------------------------------------------


@pytest.fixture
def ask() -> Iterator[Asking]:
    with asking() as asks:
        yield asks


def write(store: Store, number: int = 1) -> None:
    with store.database.begin() as tx:
        for _ in range(number):
            store.ledger.act(tx, "page", by=None, why="test")


def done(store: Store) -> list[Act]:
    with store.database.read() as tx:
        return store.ledger.acts(tx)


@pytest.fixture
def ours(tmp_path: Path, store: Store) -> Iterator[tuple[Witness, Desk]]:
    """A witness of this archive's ledger, on the loopback."""
    desk = Desk(tmp_path / "ours", NAME, [store.ledger.verifier()], FixedClock(NOON))
    with serving(server := Server(desk, "127.0.0.1", 0)):
        yield Witness(f"http://127.0.0.1:{server.server_port}", desk.cosigner.key()), desk
    desk.close()


def test_a_cosignature_is_kept_logged_and_stands_under_the_checkpoint(
    store: Store, ours: tuple[Witness, Desk], ask: Asking
):
    one, _ = ours
    for number in (1, 5):
        write(store, number)
        (outcome,) = cosign(store, [one], ask, by=None, why="test")
        assert outcome.error is None
        assert done(store)[0].type == "cosignature"
        assert done(store)[0].detail["witness"] == one.name
        with store.database.read() as tx:
            ((key, line),) = witness.lines_over(tx, outcome.size)
        note = store.ledger.checkpoint()
        assert key == one.key
        assert opened(note, store.ledger.verifier())
        assert cosign(store, [one], ask, by=None, why="test", note=note)[0].size > outcome.size
        assert line.startswith(f"— {NAME} ")


def test_a_checkpoint_that_was_cosigned_is_not_asked_for_again(
    store: Store, ours: tuple[Witness, Desk], ask: Asking
):
    one, _ = ours
    write(store)
    note = store.ledger.checkpoint()
    assert len(cosign(store, [one], ask, by=None, why="test", note=note)) == 1
    assert cosign(store, [one], ask, by=None, why="test", note=note) == []


def test_a_witness_that_knows_another_size_is_asked_from_there(
    store: Store, ours: tuple[Witness, Desk], ask: Asking
):
    """As after a restored backup that lost the row: the witness says what it remembers."""
    one, desk = ours
    write(store, 3)
    note = store.ledger.checkpoint()
    assert desk.add_checkpoint(b"old 0\n\n" + note.encode()).status == 200
    write(store, 2)
    (outcome,) = cosign(store, [one], ask, by=None, why="test")
    assert outcome.error is None
    assert outcome.size == 5


def test_a_witness_that_remembers_another_history_is_an_alarm_and_a_fact(
    store: Store, ours: tuple[Witness, Desk], ask: Asking
):
    one, desk = ours
    fork = Log(store.ledger.signer())
    fork.grow(*"abc")
    assert desk.add_checkpoint(fork.question(0)).status == 200
    write(store, 5)
    (outcome,) = cosign(store, [one], ask, by=None, why="test")
    assert outcome.error is not None
    assert outcome.error.code == "witness-disagrees"
    assert (done(store)[0].type, done(store)[0].detail["failure"]) == (
        "cosignature-delayed",
        "witness-disagrees",
    )
    for size in (5, 6):  # as large as ours, and larger than anything here
        fork.grow(*"defgh")
        desk.add_checkpoint(fork.question(desk.last(fork.signer.name).size, size))  # type: ignore[union-attr]  # it was seen
        (again,) = cosign(store, [one], ask, by=None, why="test", note=store.ledger.checkpoint())
        assert again.error is not None
        assert again.error.code == "witness-disagrees"


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(500, "text/plain", b""), "answers 500"),
        (Reply(404, "text/plain", b"unknown\n"), "answers 404"),
        (Reply(200, "text/plain", b""), "no cosignature"),
        (Reply(200, "text/plain", b"\xff\n"), "no cosignature"),
        (
            Reply(200, "text/plain", "— stranger.example/w AAAAAAAA\n".encode()),
            "without a signature of its key",
        ),
        (Reply(409, "text/plain", b"1\n"), "without the size"),
        (Reply(409, "text/x.tlog.size", b"01\n"), "without the size"),
    ],
)
def test_an_answer_that_is_no_cosignature_is_not_kept(
    store: Store, ours: tuple[Witness, Desk], reply: Reply, says: str
):
    one, _ = ours
    write(store, 3)
    (outcome,) = cosign(store, [one], lambda _url, _content, _type: reply, by=None, why="test")
    assert outcome.error is not None
    assert outcome.error.code == "not-reached"
    assert says in str(outcome.error)


def test_a_cosignature_by_the_right_name_that_is_false_or_of_tomorrow_is_not_kept(
    store: Store, ours: tuple[Witness, Desk]
):
    one, desk = ours
    write(store, 3)
    note = store.ledger.checkpoint()
    text_, _ = parts_of(note)
    good = desk.cosigner.cosign(text_, NOON)
    for line in (
        desk.cosigner.cosign(text_.replace("3", "4"), NOON),
        desk.cosigner.cosign(text_, NOON + timedelta(hours=1)),
        good.replace(good[-8], "A" if good[-8] != "A" else "B"),
    ):
        reply = Reply(200, "text/plain", line.encode())
        (outcome,) = cosign(
            store, [one], lambda _url, _content, _type, reply=reply: reply, by=None, why="test", note=note
        )
        assert outcome.error is not None


def test_a_witness_that_is_gone_does_not_stop_the_other(
    store: Store, ours: tuple[Witness, Desk], ask: Asking
):
    one, _ = ours
    write(store)
    gone = Witness("http://127.0.0.1:9", one.key)
    other = Cosigner("gone.example", os.urandom(32)).key()
    told = cosign(store, [Witness(gone.url, other), one], ask, by=None, why="test")
    assert [outcome.error.code if outcome.error else None for outcome in told] == ["not-reached", None]


def test_the_database_itself_refuses_to_change_a_cosignature(anywhere: Store, tmp_path: Path, ask: Asking):
    desk = Desk(tmp_path / "any", NAME, [anywhere.ledger.verifier()], FixedClock(NOON))
    write(anywhere)
    with serving(server := Server(desk, "127.0.0.1", 0)):
        one = Witness(f"http://127.0.0.1:{server.server_port}", desk.cosigner.key())
        assert cosign(anywhere, [one], ask, by=None, why="test")[0].entry is not None
    desk.close()
    for statement in ("UPDATE cosignatures SET at = 0", "DELETE FROM cosignatures"):
        with pytest.raises(DatabaseError, match="never change"), anywhere.database.begin() as tx:
            tx.execute(text(statement))


def test_a_cosignature_that_somebody_altered_in_the_database_is_found(
    store: Store, ours: tuple[Witness, Desk], ask: Asking
):
    one, _ = ours
    for _ in range(2):
        write(store)
        cosign(store, [one], ask, by=None, why="test")
    assert list(anchors.wrong(store)) == []
    with store.database.begin() as tx:
        tx.execute(text("DROP TRIGGER cosignatures_refuse_update"))
        other = "(SELECT line FROM cosignatures ORDER BY key DESC LIMIT 1)"
        tx.execute(text(f"UPDATE cosignatures SET line = {other} WHERE key = 1"))
    assert [code for code, _, _ in anchors.wrong(store)] == ["cosignature-altered"]


def test_witnesses_are_named_with_commas_each_with_its_key(ours: tuple[Witness, Desk]):
    one, _ = ours
    assert witnesses(f"{one.url}/#{one.name} , ") == [one]
    assert witnesses("") == []


@pytest.mark.parametrize("setting", ["https://w.example", "w.example#x+y+z", "https://w.example#a+b+c"])
def test_what_is_no_witness_is_refused(setting: str):
    with pytest.raises(BadWitness):
        witnesses(setting)


def test_a_key_of_a_ledger_is_no_key_of_a_witness(log: Log):
    with pytest.raises(BadWitness):
        witnesses(f"https://w.example#{log.signer.verifier().line()}")
