"""The Merkle tree of RFC 6962: known answers, and every proof against the plain definition."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from app.store.merkle import (
    EMPTY_ROOT,
    Growing,
    check_consistency,
    check_inclusion,
    consistency,
    fold,
    inclusion,
    leaf_hash,
    node_hash,
    root,
)

LEAVES = [leaf_hash(b"entry %d" % number) for number in range(130)]


def plain(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962, 2.1 writes it down."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(plain(leaves[:split]), plain(leaves[split:]))


def hashes(level: int, index: int) -> bytes:
    return plain(LEAVES[index << level : (index + 1) << level])


def test_hashes_are_those_that_the_reference_publishes():
    assert leaf_hash(b"").hex().startswith("6e340b9c")
    assert leaf_hash(b"").hex().endswith("a01d")
    assert leaf_hash(b"L123456").hex().startswith("395aa064")
    assert node_hash(b"N123", b"N456").hex().startswith("aa217fe8")
    assert EMPTY_ROOT.hex().startswith("e3b0c442")


def test_pairing_upward_gives_the_root_of_the_definition():
    assert all(fold(LEAVES[:size]) == plain(LEAVES[:size]) for size in range(131))


def test_a_root_that_grows_leaf_by_leaf_is_that_of_the_definition_at_every_size():
    growing = Growing()
    for size in range(131):
        assert (growing.count, growing.root()) == (size, plain(LEAVES[:size]))
        growing.add(LEAVES[size % 130])


def test_every_entry_of_every_size_is_proven():
    for size in range(1, 70):
        top = root(hashes, size)
        assert top == plain(LEAVES[:size])
        for index in range(size):
            assert check_inclusion(LEAVES[index], index, size, inclusion(hashes, index, size), top)


def test_every_size_is_proven_to_grow_from_every_smaller_one():
    for new in range(1, 70):
        for old in range(1, new + 1):
            proof = consistency(hashes, old, new)
            assert check_consistency(old, new, plain(LEAVES[:old]), plain(LEAVES[:new]), proof)


@given(
    st.integers(1, 129).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))), st.data()
)
def test_a_proof_with_anything_changed_is_refused(place: tuple[int, int], data: st.DataObject):
    size, index = place
    proof, top, leaf = inclusion(hashes, index, size), root(hashes, size), LEAVES[index]
    change = data.draw(st.sampled_from(["longer", "shorter", "flipped", "index", "leaf", "short hash"]))
    if change == "longer":
        assert not check_inclusion(leaf, index, size, [*proof, LEAVES[0]], top)
    elif change == "leaf":
        assert not check_inclusion(leaf_hash(b"another"), index, size, proof, top)
    elif change == "index":
        assert not check_inclusion(leaf, size, size, proof, top)
    elif proof:
        which = data.draw(st.integers(0, len(proof) - 1))
        altered = list(proof)
        altered[which] = (
            proof[which][:-1] if change == "short hash" else hashlib.sha256(proof[which]).digest()
        )
        if change == "shorter":
            altered = [*proof[:which], *proof[which + 1 :]]
        assert not check_inclusion(leaf, index, size, altered, top)


def test_growth_is_not_proven_where_the_past_was_changed():
    proof = consistency(hashes, 40, 65)
    assert not check_consistency(40, 65, plain([*LEAVES[:39], LEAVES[0]]), plain(LEAVES[:65]), proof)
    assert not check_consistency(40, 65, plain(LEAVES[:40]), plain(LEAVES[:64]), proof)
    assert not check_consistency(40, 65, plain(LEAVES[:40]), plain(LEAVES[:65]), [])
    assert not check_consistency(0, 65, EMPTY_ROOT, plain(LEAVES[:65]), [])
    assert not check_consistency(65, 65, plain(LEAVES[:65]), plain(LEAVES[:65]), proof)
