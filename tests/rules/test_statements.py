"""Statements and their field-by-field commitments (RFC 9901), sealing, and canonical JSON (RFC 8785)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import rfc8785
from cryptography.cobblestone import Cobblestone256Decryptor
from hypothesis import given
from hypothesis import strategies as st

from app.store.canonical import canonical, plain
from app.store.sealing import SealBroken, derive, new_secret, seal, seal_stream, unseal, unseal_stream
from app.store.statement import (
    Statement,
    StatementBroken,
    check,
    commit,
    digest_of,
    disclosures,
    fields_of,
    state,
    unpack,
)

SECRET = bytes(range(32))
CLEAR: dict[str, Any] = {
    "item": "01a1fc86bc937d1bb47df7f752391909",
    "ver": 2,
    "observed": "2026-03-02T12:00:00Z",
    "connector": "feed/1",
}
names = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)
fields = st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), values, max_size=20)


@given(values)
def test_canonical_json_is_what_another_implementation_of_the_standard_writes(value: Any):
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [1.5, 2**53, {"ü": 1}, "\ud800", b"bytes"])
def test_what_has_no_single_form_is_refused(value: Any):
    with pytest.raises(ValueError):
        canonical(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | texts,
        st.lists,
        max_leaves=5,
    )
)
def test_whatever_a_platform_says_has_a_plain_form(value: Any):
    canonical(plain(value))


@given(fields)
def test_every_field_is_disclosed_by_a_string_whose_digest_the_statement_lists(content: dict[str, Any]):
    told = state(SECRET, CLEAR, content, 2)
    listed = json.loads(told.body)["_sd"]
    shown = disclosures(SECRET, told, 2)
    assert {digest_of(one) for one in shown} <= set(listed)
    decoded = [json.loads(base64.urlsafe_b64decode(one + "=" * (-len(one) % 4))) for one in shown]
    assert {name: value for _, name, value in decoded} == content
    assert len({salt for salt, _, _ in decoded}) == len(content)


@given(fields)
def test_a_statement_unpacks_to_the_bytes_that_were_committed(content: dict[str, Any]):
    told = state(SECRET, CLEAR, content, 2)
    again = unpack(SECRET, told.packed(), 2)
    assert again == told
    assert fields_of(told.packed()) == content
    assert commit(again.salt, again.body) == told.commitment
    check(SECRET, again, 2)


def test_the_number_of_fields_is_not_told():
    few, more = (
        state(SECRET, CLEAR, {"text": "a"}, 1),
        state(SECRET, CLEAR, {f"f{n}": n for n in range(12)}, 1),
    )
    assert len(json.loads(few.body)["_sd"]) == len(json.loads(more.body)["_sd"]) == 12


def test_a_field_that_was_altered_is_noticed():
    told = state(SECRET, CLEAR, {"text": "closed until 18:00"}, 1)
    altered = Statement(told.body, told.fields.replace(b"18", b"20"), told.salt, told.commitment)
    with pytest.raises(StatementBroken):
        check(SECRET, altered, 1)


def test_nothing_of_a_short_text_can_be_guessed_without_the_secret():
    one, other = state(SECRET, CLEAR, {"text": "hi"}, 1), state(new_secret(), CLEAR, {"text": "hi"}, 1)
    assert one.commitment != other.commitment
    assert not set(json.loads(one.body)["_sd"]) & set(json.loads(other.body)["_sd"])


@given(st.binary(max_size=70_000), st.binary(max_size=20))
def test_what_was_sealed_opens_and_is_bound_to_its_context(content: bytes, context: bytes):
    frame = seal(SECRET, context, content)
    assert unseal(SECRET, context, frame) == content
    for secret, other in ((new_secret(), context), (SECRET, context + b"x")):
        with pytest.raises(SealBroken):
            unseal(secret, other, frame)


@given(st.integers(0, 400), st.integers(0, 7))
def test_any_flipped_bit_of_a_frame_is_noticed(place: int, bit: int):
    frame = bytearray(seal(SECRET, b"context", b"a comment " * 40))
    frame[place % len(frame)] ^= 1 << bit
    with pytest.raises(SealBroken):
        unseal(SECRET, b"context", bytes(frame))


@given(st.lists(st.binary(max_size=40_000), max_size=6))
def test_a_stream_opens_in_other_chunks_than_it_was_sealed_in(chunks: list[bytes]):
    sealed = b"".join(seal_stream(SECRET, b"s", chunks))
    parts = [sealed[start : start + 1_000] for start in range(0, len(sealed), 1_000)]
    assert b"".join(unseal_stream(SECRET, b"s", parts)) == b"".join(chunks)
    with pytest.raises(SealBroken):
        b"".join(unseal_stream(SECRET, b"s", [sealed[:-1]]))


def test_a_frame_is_the_published_scheme_with_the_derived_key():
    decryptor = Cobblestone256Decryptor(derive(SECRET, b"seal"), b"context")
    assert (decryptor.update(seal(SECRET, b"context", b"x")) + decryptor.finalize()) == b"\x00x"
