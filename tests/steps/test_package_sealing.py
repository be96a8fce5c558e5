"""Seals: who signed and when, by others' word; what cannot be had is left out and told, and nothing false is sealed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.disclosure.package import sealing
from app.disclosure.package.recipe import Form
from app.disclosure.package.sealing import BadSigner, SignatureRefused, Signer
from app.disclosure.verify import checking
from app.papers.paper import Press
from app.records.clock import FixedClock
from app.store import Store, anchors, witness
from app.store.anchors import authorities
from app.store.asking import Asking
from app.store.witness import Desk, Server, Witness
from tests.steps.packing import Town, certificates, lay
from tests.steps.test_capture import World
from tests.steps.vouching import Lie, Office, TimestampServer, asking, serving

FORMS = frozenset({Form.TEXT, Form.CSV, Form.PROOFS})
STEM = "pd-2026-0001-p01.seal"


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    with closing(Press()) as made:
        yield made


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("authority") / "office", "Office of Time")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return certificates(tmp_path_factory.mktemp("agency"))


@pytest.fixture
def server(office: Office) -> Iterator[TimestampServer]:
    made = TimestampServer(office)
    with serving(made):
        yield made


@pytest.fixture
def ask() -> Iterator[Asking]:
    with asking() as asks:
        yield asks


@pytest.fixture
def clock() -> FixedClock:
    """Set to the machine's time once: openssl timestamps with no other."""
    return FixedClock(datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2))


@pytest.fixture
def town(store: Store, clock: FixedClock) -> Town:
    return lay(World(store, clock))


def notes(folder: Path) -> dict[str, str]:
    told = checking.check(folder)
    assert told.findings == []
    assert told.checked["seals"] == 1
    return {one.code: one.what for one in told.notes}


def test_without_certificate_and_authority_it_is_sealed_and_says_that_it_has_neither(
    town: Town, press: Press, tmp_path: Path
):
    built = town.produce(tmp_path, town.recipe(FORMS), press=press)
    assert (built.folder / f"{STEM}.json").exists()
    assert not (built.folder / f"{STEM}.p7s").exists()
    assert {"unsigned", "no-timestamp"} <= notes(built.folder).keys()
    assert ("the agency's signature", "no certificate is configured") in built.left_out


def test_without_a_certificate_the_time_is_over_the_seal_itself(
    town: Town, press: Press, server: TimestampServer, ask: Asking, tmp_path: Path
):
    built = town.produce(
        tmp_path, town.recipe(FORMS), press=press, authorities=authorities(server.setting), ask=ask
    )
    command = [
        "openssl",
        "ts",
        "-verify",
        "-data",
        f"{STEM}.json",
        "-in",
        f"{STEM}.tsr",
        "-CAfile",
        "trust/tsa-1.pem",
    ]
    assert subprocess.run(command, cwd=built.folder, capture_output=True, check=False).returncode == 0
    told = notes(built.folder)
    assert "unsigned" in told
    assert "no-timestamp" not in told


def test_an_authority_that_does_not_answer_keeps_nothing_from_being_sealed(
    town: Town, press: Press, signer: Signer, server: TimestampServer, ask: Asking, tmp_path: Path
):
    server.lie = Lie(status=503)
    built = town.produce(
        tmp_path, town.recipe(FORMS), press=press, signer=signer, authorities=authorities(server.setting), ask=ask
    )  # fmt: skip
    assert built.sealed.timestamps == []
    assert [name for name, _ in built.sealed.failed] == [server.url]
    assert "503" in dict(built.left_out)["timestamps of the seal"]
    assert "no-timestamp" in notes(built.folder)


def test_a_timestamp_of_something_else_is_not_kept(
    town: Town, press: Press, server: TimestampServer, ask: Asking, tmp_path: Path
):
    server.lie = Lie(query=lambda query: query.replace(query[24:56], hashlib.sha256(b"else").digest()))
    built = town.produce(
        tmp_path, town.recipe(FORMS), press=press, authorities=authorities(server.setting), ask=ask
    )
    assert built.sealed.timestamps == []
    assert not list(built.folder.glob("*.tsr"))


def test_several_authorities_each_give_a_timestamp_of_their_own(
    town: Town, press: Press, signer: Signer, server: TimestampServer, ask: Asking, tmp_path: Path
):
    second = TimestampServer(Office(tmp_path / "second", "Bureau of Clocks"))
    with serving(second):
        asked = authorities(f"{server.setting},{second.setting}")
        built = town.produce(
            tmp_path / "out", town.recipe(FORMS), press=press, signer=signer, authorities=asked, ask=ask
        )
    assert {one.name for one in built.folder.glob("*.tsr")} == {f"{STEM}.p7s.tsr", f"{STEM}.p7s.2.tsr"}
    assert {one.name for one in (built.folder / "trust").iterdir()} == {
        "agency-chain.pem", "log.vkey", "tsa-1.pem", "tsa-2.pem",
    }  # fmt: skip
    assert sum(1 for one in checking.check(built.folder).notes if one.code == "timestamped") == 2


def test_witnesses_of_the_checkpoint_stand_in_every_proof(
    town: Town, press: Press, ask: Asking, tmp_path: Path
):
    recipe = town.recipe(FORMS)
    desk = Desk(tmp_path / "desk", "witness.example/1", [town.store.ledger.verifier()], town.world.clock)
    with town.store.database.read() as tx:
        note = anchors.signed_note(tx, recipe.checkpoint)
    with serving(server := Server(desk, "127.0.0.1", 0)):
        one = Witness(f"http://127.0.0.1:{server.server_port}", desk.cosigner.key())
        (outcome,) = witness.cosign(town.store, [one], ask, by=None, why="test", note=note)
    desk.close()
    assert outcome.error is None
    built = town.produce(tmp_path / "out", recipe, press=press)
    told = notes(built.folder)
    assert told["witnessed"].startswith("witness.example/1 at ")
    assert (built.folder / "trust/witnesses.vkey").read_text() == desk.cosigner.key().line() + "\n"
    assert "cosignatures" not in dict(built.left_out)


# -- with what the agency signs ----------------------------------------------------------------------------


def test_nobody_signs_where_no_certificate_is_named_and_half_of_one_is_refused(
    tmp_path: Path, signer: Signer
):
    assert sealing.signer(None, None) is None
    file = tmp_path / "chain.pem"
    file.write_bytes(signer.pem())
    for certificate, key in ((file, None), (None, file), (file, tmp_path / "none.pem"), (file, file)):
        with pytest.raises(BadSigner):
            sealing.signer(certificate, key)


def test_a_key_that_is_not_that_of_the_certificate_is_refused(tmp_path: Path):
    certificates(tmp_path / "a")
    certificates(tmp_path / "b")
    with pytest.raises(BadSigner):
        sealing.signer(tmp_path / "a/chain.pem", tmp_path / "b/key.pem")


def test_a_certificate_that_has_run_out_signs_nothing(tmp_path: Path):
    old = certificates(tmp_path, since=timedelta(days=-60))
    with pytest.raises(BadSigner, match="valid from"):
        sealing.signed(b"content", old, datetime.now(UTC))


def test_a_certificate_without_its_root_is_refused_because_nobody_could_check_what_it_signs(tmp_path: Path):
    with pytest.raises(BadSigner, match="root"):
        certificates(tmp_path, root=False)
    assert sealing.signed(b"content", certificates(tmp_path / "whole"), datetime.now(UTC))


def test_a_certificate_that_does_not_lead_to_the_root_beside_it_signs_nothing(tmp_path: Path):
    one, other = certificates(tmp_path / "a"), certificates(tmp_path / "b")
    mixed = Signer([one.chain[0], other.chain[1]], one.key)
    with pytest.raises(SignatureRefused):
        sealing.signed(b"content", mixed, datetime.now(UTC))


def test_the_key_is_told_to_nobody(signer: Signer, tmp_path: Path, town: Town, press: Press):
    assert "PRIVATE" not in repr(signer)
    built = town.produce(tmp_path, town.recipe(FORMS), press=press, signer=signer)
    for file in built.folder.rglob("*"):
        if file.is_file():
            assert b"PRIVATE KEY" not in file.read_bytes()


def test_the_seal_is_one_form_of_json(town: Town, press: Press, tmp_path: Path):
    built = town.produce(tmp_path, town.recipe(FORMS), press=press)
    body = (built.folder / f"{STEM}.json").read_bytes()
    told = json.loads(body)
    assert sorted(told) == ["made_at", "outside_sha256", "production", "tagmanifest_sha256", "v"]
    assert hashlib.sha256(body).digest() == built.sealed.seal
