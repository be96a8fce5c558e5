"""Public vectors of the formats in which we prove: what others accept we accept, and what they reject we reject.

Each is run through the program and through `verify.py`, which share no code.
"""

from __future__ import annotations

import base64
import importlib.util
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.store import merkle
from app.store.note import (
    Checkpoint,
    Cosigner,
    NoteBroken,
    Signer,
    Verifier,
    WitnessKey,
    cosigned_at,
    opened,
    parts_of,
    proof_parts,
    proof_text,
)
from app.store.proofs import VERIFIERS


@pytest.fixture(scope="module")
def alone() -> ModuleType:
    """The stand-alone verifier."""
    spec = importlib.util.spec_from_file_location("verify_alone", VERIFIERS / "verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# -- the Merkle tree (RFC 6962, 2.1; RFC 9162, 2.1.3.2 and 2.1.4.2) --------------------------------------
# Leaves, roots and proofs are those of Certificate Transparency's reference tests, as
# transparency-dev/merkle publishes them in proof/verify_test.go (commit 02194e9a); the ways in which a
# proof is broken are those of its testdata/inclusion and testdata/consistency.

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
G = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
INCLUSIONS = [
    (0, 8, [A, B, C]),
    (5, 8, [D, E, ROOTS[3].hex()]),
    (2, 3, [ROOTS[1].hex()]),
    (1, 5, [ROOTS[0].hex(), B, D]),
]
CONSISTENCIES = [
    (1, 8, [A, B, C]),
    (6, 8, [F, E, ROOTS[3].hex()]),
    (2, 5, [B, D]),
    (6, 7, [F, G, ROOTS[3].hex()]),
]
SOME = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")


def parts(path: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(part) for part in path]


def test_the_known_leaves_have_the_known_roots():
    assert [merkle.fold(map(merkle.leaf_hash, LEAVES[: size + 1])) for size in range(8)] == ROOTS


@pytest.mark.parametrize(("index", "size", "path"), INCLUSIONS)
def test_known_inclusion_proofs_are_made_and_accepted(
    alone: ModuleType, index: int, size: int, path: list[str]
):
    hashes = [merkle.leaf_hash(leaf) for leaf in LEAVES]
    made = merkle.inclusion(
        lambda level, place: merkle.fold(hashes[place << level : (place + 1) << level]), index, size
    )
    assert made == parts(path)
    for check in (merkle.check_inclusion, alone.included):
        assert check(hashes[index], index, size, parts(path), ROOTS[size - 1])


@pytest.mark.parametrize(("index", "size", "path"), INCLUSIONS)
def test_every_known_corruption_of_an_inclusion_proof_is_rejected(
    alone: ModuleType, index: int, size: int, path: list[str]
):
    proof, root, leaf = parts(path), ROOTS[size - 1], merkle.leaf_hash(LEAVES[index])
    flipped = [
        [*proof[:place], bytes([proof[place][0] ^ 8]) + proof[place][1:], *proof[place + 1 :]]
        for place in range(len(proof))
    ]
    probes = [
        (index - 1, size, leaf, proof, root),
        (index + 1, size, leaf, proof, root),
        (index ^ 2, size, leaf, proof, root),
        (index, size * 2, leaf, proof, root),
        (index, size // 2, leaf, proof, root),
        (index, size, b"WrongLeaf", proof, root),
        (index, size, leaf, proof, merkle.EMPTY_ROOT),
        (index, size, leaf, proof, SOME),
        *((index, size, leaf, [*proof, more], root) for more in (b"", root)),
        *((index, size, leaf, [more, *proof], root) for more in (b"", root)),
        *((index, size, leaf, wrong, root) for wrong in flipped),
        (index, size, leaf, proof[:-1], root),
        (index, size, leaf, [proof[0], SOME, *proof[1:]], root),
    ]
    assert len(probes) > 13
    for place, count, of, wrong, under in probes:
        for check in (merkle.check_inclusion, alone.included):
            assert not check(of, place, count, wrong, under)


@pytest.mark.parametrize(
    ("index", "size", "leaf", "root"),
    [
        (0, 0, SOME, b""),
        (0, 1, SOME, b""),
        (1, 0, SOME, b""),
        (2, 1, SOME, b""),
        (0, 0, b"", merkle.EMPTY_ROOT),
        (0, 1, b"", merkle.EMPTY_ROOT),
        (0, 0, SOME, merkle.EMPTY_ROOT),
        (0, 1, SOME, merkle.EMPTY_ROOT),
        (1, 0, SOME, merkle.EMPTY_ROOT),
        (2, 1, SOME, merkle.EMPTY_ROOT),
        (0, 1, b"", b""),
    ],
)
def test_empty_inclusion_proofs_of_nothing_are_rejected(
    alone: ModuleType, index: int, size: int, leaf: bytes, root: bytes
):
    assert not merkle.check_inclusion(leaf, index, size, [], root)
    assert not alone.included(leaf, index, size, [], root)


def test_one_entry_alone_needs_no_path(alone: ModuleType):
    leaf = merkle.leaf_hash(b"data")
    assert merkle.check_inclusion(leaf, 0, 1, [], leaf)
    assert alone.included(leaf, 0, 1, [], leaf)


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCIES)
def test_known_consistency_proofs_are_made_and_accepted(
    alone: ModuleType, old: int, new: int, path: list[str]
):
    hashes = [merkle.leaf_hash(leaf) for leaf in LEAVES]
    made = merkle.consistency(
        lambda level, place: merkle.fold(hashes[place << level : (place + 1) << level]), old, new
    )
    assert made == parts(path)
    for check in (merkle.check_consistency, alone.consistent):
        assert check(old, new, ROOTS[old - 1], ROOTS[new - 1], parts(path))


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCIES)
def test_every_known_corruption_of_a_consistency_proof_is_rejected(
    alone: ModuleType, old: int, new: int, path: list[str]
):
    proof, first, second = parts(path), ROOTS[old - 1], ROOTS[new - 1]
    flipped = [
        [*proof[:place], bytes([proof[place][0] ^ 16]) + proof[place][1:], *proof[place + 1 :]]
        for place in range(len(proof))
    ]
    probes = [
        (old - 1, new, first, second, proof),
        (old + 1, new, first, second, proof),
        (old ^ 2, new, first, second, proof),
        (old, new * 2, first, second, proof),
        (old, new // 2, first, second, proof),
        (old, new, b"WrongRoot", second, proof),
        (old, new, first, b"WrongRoot", proof),
        (old, new, second, first, proof),
        (old, new, first, second, []),
        *((old, new, first, second, [*proof, more]) for more in (b"", first, second)),
        *((old, new, first, second, [more, *proof]) for more in (b"", first, second, proof[0])),
        (old, new, first, second, proof[:-1]),
        *((old, new, first, second, wrong) for wrong in flipped),
    ]
    assert len(probes) > 17
    for small, large, under, over, wrong in probes:
        for check in (merkle.check_consistency, alone.consistent):
            assert not check(small, large, under, over, wrong), (small, large)


@pytest.mark.parametrize(
    ("old", "new", "first", "second", "path", "accepted"),
    [
        (1, 1, ROOTS[1], ROOTS[1], [], True),
        (1, 1, ROOTS[0], ROOTS[1], [], False),
        (1, 0, ROOTS[0], ROOTS[1], [], False),
        (2, 1, ROOTS[0], ROOTS[1], [], False),
        (1, 2, ROOTS[0], ROOTS[1], [], False),
        (1, 1, merkle.EMPTY_ROOT, ROOTS[1], [], False),
        (1, 1, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [merkle.EMPTY_ROOT], False),
        (0, 1, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [merkle.EMPTY_ROOT], False),
        # An empty old ledger proves nothing; where the reference accepts it without a proof, a witness
        # decides by the old size (tlog-witness) and nobody else asks.
        (0, 1, ROOTS[0], ROOTS[1], [], False),
        (0, 0, ROOTS[0], ROOTS[0], [], False),
    ],
)
def test_consistency_at_the_edges(
    alone: ModuleType, old: int, new: int, first: bytes, second: bytes, path: list[bytes], accepted: bool
):
    assert merkle.check_consistency(old, new, first, second, path) is accepted
    assert alone.consistent(old, new, first, second, path) is accepted


# -- signed notes ------------------------------------------------------------------------------------------
# C2SP signed-note v1.0.0, "Verifier keys", example; and the documentation of golang.org/x/mod/sumdb/note,
# whose key signs the same text to the same bytes because Ed25519 is deterministic (RFC 8032).

SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
# transparency-dev/formats v0.1.1, note/note_cosigv1_test.go: a key whose base64 holds a plus sign.
PLUS_KEY = "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"


@pytest.mark.parametrize("key", [SPEC_KEY, GO_KEY, PLUS_KEY])
def test_known_verifier_keys_are_read_and_written_the_same(alone: ModuleType, key: str):
    assert Verifier.parse(key).line() == key
    read = alone.read_key(key.encode(), 1, "key-form", "key")
    assert (read.name.decode(), read.public) == (Verifier.parse(key).name, Verifier.parse(key).key)


def test_no_part_of_a_known_key_is_a_key_and_no_letter_may_change():
    """As golang.org/x/mod/sumdb/note tests its own (TestNewVerifier)."""
    for start in range(len(GO_KEY)):
        for end in range(start + 1, len(GO_KEY) + 1):
            if end - start < len(GO_KEY):
                with pytest.raises(NoteBroken):
                    Verifier.parse(GO_KEY[start:end])
        with pytest.raises(NoteBroken):
            Verifier.parse(GO_KEY[:start] + chr(ord(GO_KEY[start]) + 1) + GO_KEY[start + 1 :])


@pytest.mark.parametrize(("note", "key"), [(SPEC_NOTE, SPEC_KEY), (f"{GO_TEXT}\n{GO_LINE}", GO_KEY)])
def test_known_notes_open(alone: ModuleType, note: str, key: str):
    assert opened(note, Verifier.parse(key)) == note.rpartition("\n\n")[0] + "\n"
    read = alone.read_key(key.encode(), 1, "key-form", "key")
    value = base64.b64decode(note.rsplit(maxsplit=1)[-1])[4:]
    assert alone.signed(read.public, opened(note, Verifier.parse(key)).encode(), value)
    assert not alone.signed(read.public, b"another\n", value)


def test_the_known_secret_key_signs_the_known_note_byte_for_byte():
    signer = Signer("PeterNeumann", base64.b64decode(GO_SECRET)[1:])
    assert signer.verifier().line() == GO_KEY
    assert signer.sign(GO_TEXT) == f"{GO_TEXT}\n{GO_LINE}"


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("another text", GO_TEXT.replace("cryptography", "cryptographY") + "\n" + GO_LINE),
        ("no empty line", GO_TEXT + GO_LINE),
        ("no signature", GO_TEXT + "\n"),
        ("no last newline", f"{GO_TEXT}\n{GO_LINE}"[:-1]),
        ("a hyphen for a dash", f"{GO_TEXT}\n{GO_LINE}".replace("—", "-")),
        ("no name", f"{GO_TEXT}\n{GO_LINE}".replace("PeterNeumann ", "")),
        ("another name", f"{GO_TEXT}\n{GO_LINE}".replace("PeterNeumann ", "EnochRoot ")),
        ("a name with a plus", f"{GO_TEXT}\n— a+b AAAAAAAA\n{GO_LINE}"),
        ("a signature of four bytes", f"{GO_TEXT}\n— a AAAAAA==\n{GO_LINE}"),
        ("base64 without padding", f"{GO_TEXT}\n{GO_LINE}".replace("AM=", "AM")),
        ("base64 with a bit set that means nothing", f"{GO_TEXT}\n{GO_LINE}".replace("AM=", "AN=")),
        ("a control character", f"{GO_TEXT}\t\n{GO_LINE}"),
        ("a carriage return", f"{GO_TEXT}\r\n\n{GO_LINE}"),
        ("a further word", f"{GO_TEXT}\n{GO_LINE}".replace("=\n", "= x\n")),
        ("an empty line at the end", f"{GO_TEXT}\n{GO_LINE}\n"),
        ("a false signature beside the true one", f"{GO_TEXT}\n{GO_LINE}" + GO_LINE.replace("JnAM", "JnAN")),
    ],
)
def test_what_is_no_note_of_that_key_is_rejected(words: str, note: str):
    with pytest.raises(NoteBroken):
        opened(note, Verifier.parse(GO_KEY))


def test_at_least_sixteen_signatures_are_accepted_and_more_than_a_hundred_are_not():
    others = "".join(f"— other{number}.example AAAAAAAA\n" for number in range(99))
    assert opened(f"{GO_TEXT}\n{others}{GO_LINE}", Verifier.parse(GO_KEY)) == GO_TEXT
    with pytest.raises(NoteBroken):
        opened(f"{GO_TEXT}\n{others}{GO_LINE}{GO_LINE}", Verifier.parse(GO_KEY))


def test_a_key_that_shares_only_name_or_id_with_another_is_passed_over():
    known = Verifier.parse(GO_KEY)
    same_name = f"— PeterNeumann {base64.b64encode(bytes(68)).decode()}\n"
    same_id = f"— EnochRoot {base64.b64encode(known.id + bytes(64)).decode()}\n"
    assert opened(f"{GO_TEXT}\n{same_name}{same_id}{GO_LINE}", known) == GO_TEXT
    with pytest.raises(NoteBroken):
        opened(f"{GO_TEXT}\n{same_name}{same_id}", known)


# -- checkpoints and cosignatures --------------------------------------------------------------------------
# A checkpoint of a public staging log of Certificate Transparency with the cosignature of a public witness,
# as several implementations test with it; the witness's key is also in transparency-dev/formats v0.1.1,
# note/note_cosigv1_test.go. The first signature is of another type and key, as logs of that kind have it.

CT_KEY = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
CT_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
CT_NOTE = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
"""


def test_a_public_logs_checkpoint_opens_and_says_its_size():
    said = Checkpoint.parse(opened(CT_NOTE, Verifier.parse(CT_KEY)))
    assert (said.origin, said.size) == ("arche2025h1.staging.ct.transparency.dev", 1_432_088_532)
    for broken in (CT_NOTE.replace("1432088532", "1432088533"), CT_NOTE.replace("U7WM", "U7WN")):
        with pytest.raises(NoteBroken):
            opened(broken, Verifier.parse(CT_KEY))


def test_a_public_witnesss_cosignature_is_accepted_and_no_other_text_is(alone: ModuleType):
    text, found = parts_of(CT_NOTE)
    witness = WitnessKey.parse(CT_WITNESS)
    assert witness.line() == CT_WITNESS
    assert cosigned_at(text, found[-1], witness) == datetime(2026, 5, 23, 21, 50, 24, tzinfo=UTC)
    key = alone.read_key(CT_WITNESS.encode(), 4, "witness-form", "key")
    at = int.from_bytes(found[-1].value[:8])
    message = b"cosignature/v1\ntime %d\n" % at + text.encode()
    assert alone.signed(key.public, message, found[-1].value[8:])
    assert not alone.signed(key.public, message + b"more\n", found[-1].value[8:])
    for broken in (text.replace("1432088532", "1432088533"), text + "extension\n"):
        with pytest.raises(NoteBroken):
            cosigned_at(broken, found[-1], witness)
    with pytest.raises(NoteBroken):
        cosigned_at(text, found[0], witness)


def test_a_cosignature_covers_extension_lines_and_its_time():
    """As transparency-dev/formats (TestSigCoversExtensionLines) and torchwood (TestSignerRoundtrip) test theirs."""
    text = "test\n123\nf+7CoKgXKE/tNys9TTXcr/ad6U/K3xvznmzew9y6SP0=\nextension 1\nextension 2\n"
    cosigner = Cosigner("example.com", bytes(range(32)))
    at = datetime(2023, 3, 20, 12, 25, 47, tzinfo=UTC)
    _, (line,) = parts_of(f"{text}\n{cosigner.cosign(text, at)}")
    assert cosigned_at(text, line, cosigner.key()) == at
    with pytest.raises(NoteBroken):
        cosigned_at(text.replace("extension 2", "extension X"), line, cosigner.key())
    other = type(line)(line.name, line.id, bytes([0, 0, 0, 0, 0, 0, 0, 1]) + line.value[8:], line.line)
    with pytest.raises(NoteBroken):
        cosigned_at(text, other, cosigner.key())
    late = type(line)(line.name, line.id, b"\x80" + line.value[1:], line.line)
    with pytest.raises(NoteBroken):
        cosigned_at(text, late, cosigner.key())


def test_the_message_that_a_witness_signs_is_that_of_the_specification():
    """C2SP tlog-cosignature, "Ed25519 signed message", example."""
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    message = b"cosignature/v1\ntime 1679315147\n" + text.encode()
    secret = bytes(range(32))
    line = Cosigner("witness.example.com/w1", secret).cosign(text, datetime.fromtimestamp(1_679_315_147, UTC))
    raw = base64.b64decode(line.split()[-1])
    assert int.from_bytes(raw[4:12]) == 1_679_315_147
    Ed25519PrivateKey.from_private_bytes(secret).public_key().verify(raw[12:], message)
    # The example's own line has its key's id and the same time; its key is not published.
    shown = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    assert base64.b64decode(shown)[4:12] == raw[4:12]


@pytest.mark.parametrize(
    "key", [SPEC_KEY, CT_WITNESS.replace("+BOvN", "+AOvN"), CT_WITNESS.replace("da77", "da78")]
)
def test_a_key_of_another_type_or_id_is_no_witnesss_key(alone: ModuleType, key: str):
    with pytest.raises(NoteBroken):
        WitnessKey.parse(key)
    with pytest.raises(alone.Differs):
        alone.read_key(key.encode(), 4, "witness-form", "key")


ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        (f"example.com/behind-the-sofa\n20852163\n{ROOT}\n", True),
        (f"example.com/behind-the-sofa\n0\n{ROOT}\n", True),
        (f"a\n1\n{ROOT}\nextension\n", True),  # allowed by tlog-checkpoint, and never written by us
        (f"a\n1\n{ROOT}\n\n", False),  # an extension line is not empty
        (f"\n1\n{ROOT}\n", False),
        (f"a\n01\n{ROOT}\n", False),
        (f"a\n+1\n{ROOT}\n", False),
        (f"a\n-1\n{ROOT}\n", False),
        (f"a\n 1\n{ROOT}\n", False),
        (f"a\n1_0\n{ROOT}\n", False),
        (f"a\n0x1\n{ROOT}\n", False),
        (f"a\n\n{ROOT}\n", False),
        (f"a\n٥\n{ROOT}\n", False),
        (f"a\n9223372036854775808\n{ROOT}\n", False),
        (f"a\n1\n{ROOT}", False),
        (f"a\n1\n{ROOT[:-1]}\n", False),
        (f"a\n1\n{ROOT[:-2]}J=\n", False),
        ("a\n1\nAAAA\n", False),
        ("a\n1\n\n", False),
        ("a\n1\n", False),
    ],
)
def test_a_checkpoint_has_one_form(text: str, accepted: bool):
    if accepted:
        assert Checkpoint.parse(text).root == base64.b64decode(ROOT)
    else:
        with pytest.raises(NoteBroken):
            Checkpoint.parse(text)


# -- proofs --------------------------------------------------------------------------------------------------
# C2SP tlog-proof: its sentences, one twin each. The tree is the one above; the key is Go's.


def whole(index: int = 5, size: int = 8, path: Sequence[str] = (D, E, ROOTS[3].hex())) -> str:
    signer = Signer("PeterNeumann", base64.b64decode(GO_SECRET)[1:])
    note = signer.sign(Checkpoint("PeterNeumann", size, ROOTS[size - 1]).text())
    return proof_text(index, parts(path), note)


def read(alone: ModuleType, text: str) -> tuple[int, list[bytes]] | None:
    """What both readers make of a proof; they MUST agree."""
    try:
        index, path, note = proof_parts(text)
        opened(note, Verifier.parse(GO_KEY))
        one: tuple[int, list[bytes]] | None = (index, path)
    except NoteBroken:
        one = None
    try:
        proof = alone.read_proof(text.encode(), "proof")
        other = (proof.place, list(proof.path))
    except alone.Differs:
        other = None
    assert one == other
    return one


def test_a_proof_is_read_as_it_was_written(alone: ModuleType):
    assert read(alone, whole()) == (5, parts([D, E, ROOTS[3].hex()]))
    assert read(alone, whole(0, 1, ())) == (0, [])


def test_extra_data_is_allowed_and_believed_by_nobody(alone: ModuleType):
    text = whole().replace("index", "extra YWdl\nindex")
    assert read(alone, text) == (5, parts([D, E, ROOTS[3].hex()]))
    assert alone.read_proof(text.encode(), "proof").extra == b"age"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("c2sp.org/tlog-proof@v1\n", ""),
        ("index 5", "index 05"),
        ("index 5", "index -5"),
        ("index 5", "index  5"),
        ("index 5", "index"),
        ("index 5\n", ""),
        ("index 5", "extra YWdl"),
        ("index 5", "extra YWd\nindex 5"),
        ("index 5", "index 5\nextra YWdl"),
        ("index 5", "index 5\nAAAA"),
        ("\n\nPeter", "\nPeter"),
        ("index 5", "index 5\r"),
        ("=\n\nPeter", "=\n\n\nPeter"),
    ],
)
def test_a_proof_in_another_form_is_rejected(alone: ModuleType, old: str, new: str):
    assert old in whole()
    assert read(alone, whole().replace(old, new, 1)) is None


def test_a_path_has_no_more_than_sixty_three_steps(alone: ModuleType):
    assert read(alone, whole(path=[A] * 63)) is not None
    assert read(alone, whole(path=[A] * 64)) is None
