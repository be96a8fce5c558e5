"""Signed notes, checkpoints and proofs in the C2SP formats."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from app.store.note import Checkpoint, NoteBroken, Signer, Verifier, opened

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


@pytest.fixture
def signer() -> Signer:
    return Signer("harrowfalls.example/records/1", os.urandom(32))


def test_the_verifier_key_of_the_specification_is_read_and_written_the_same():
    assert Verifier.parse(VKEY).line() == VKEY


@pytest.mark.parametrize(
    "line", [VKEY.replace("530d903a", "530d903b"), "no key", VKEY[:-4], VKEY.replace("+Aek", "+Bek")]
)
def test_a_verifier_key_that_is_not_one_is_refused(line: str):
    with pytest.raises(NoteBroken):
        Verifier.parse(line)


def test_a_note_opens_with_its_key_and_with_no_other(signer: Signer):
    note = signer.sign("a first line\n\na second, after an empty one\n")
    assert opened(note, signer.verifier()) == "a first line\n\na second, after an empty one\n"
    with pytest.raises(NoteBroken, match="no signature of"):
        opened(note, Signer("another.example", os.urandom(32)).verifier())


def test_any_altered_character_of_a_signed_checkpoint_is_noticed(signer: Signer):
    note = signer.sign(Checkpoint(signer.name, 20_852_163, bytes(range(32))).text())
    for place in range(len(note)):
        altered = note[:place] + ("A" if note[place] != "A" else "B") + note[place + 1 :]
        with pytest.raises(NoteBroken):
            opened(altered, signer.verifier())


def test_a_note_that_is_signed_by_others_too_still_opens(signer: Signer):
    note = signer.sign("text\n")
    witness = Signer("witness.example", os.urandom(32)).sign("text\n").rpartition("\n\n")[2]
    assert opened(note + witness, signer.verifier()) == "text\n"


def test_openssl_accepts_the_signature(signer: Signer, tmp_path: Path):
    import base64

    note = signer.sign("text\n")
    signature = base64.b64decode(note.rstrip("\n").rpartition(" ")[2])[4:]
    (tmp_path / "text").write_bytes(b"text\n")
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + signer.verifier().key)
    command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in text -sigfile signature"
    assert subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "text").write_bytes(b"tent\n")
    assert subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(
    "text",
    [
        "origin\n01\nAAAA\n",
        "origin\n-1\nAAAA\n",
        "origin\n5\nnot base64\n",
        "origin\n5\n",
        "origin\n٥\nAAAA\n",
    ],
)
def test_a_checkpoint_has_one_form(text: str):
    with pytest.raises(NoteBroken):
        Checkpoint.parse(text)
