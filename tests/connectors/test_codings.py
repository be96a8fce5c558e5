"""Content codings undone, within bounds."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.codings import CannotDecode, codings, decode, encode

APPLIED = st.lists(st.sampled_from(["gzip", "deflate", "x-gzip"]), max_size=3)


@settings(deadline=None)
@given(st.binary(max_size=2000), APPLIED)
def test_what_was_applied_is_undone(body: bytes, applied: list[str]):
    assert decode(encode(body, applied), applied, most=2000) == body


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=2000), st.data())
def test_a_cut_body_gives_the_beginning_that_it_has(body: bytes, data: st.DataObject):
    whole = encode(body, ["gzip"])
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assert body.startswith(decode(part, ["gzip"], most=2000, cut=True))
    if part:
        with pytest.raises(CannotDecode):
            decode(part, ["gzip"], most=2000)


def test_several_members_and_padding_are_one_body():
    assert (
        decode(gzip.compress(b"one ") + gzip.compress(b"two") + bytes(512), ["gzip"], most=100) == b"one two"
    )
    with pytest.raises(CannotDecode):
        decode(gzip.compress(b"one") + b"and something else", ["gzip"], most=100)


def test_deflate_is_read_in_both_forms_in_which_servers_send_it():
    assert decode(zlib.compress(b"x" * 50), ["deflate"], most=50) == b"x" * 50
    assert decode(zlib.compress(b"x" * 50, wbits=-15), ["deflate"], most=50) == b"x" * 50


@pytest.mark.parametrize("most", [0, 1, 65_535, 65_536, 999_999])
def test_a_body_larger_than_it_may_be_is_never_unpacked_whole(most: int):
    with pytest.raises(CannotDecode, match="more than"):
        decode(gzip.compress(bytes(1_000_000)), ["gzip"], most=most)


@pytest.mark.parametrize(
    ("header", "applied"),
    [(None, []), ("", []), ("identity", []), ("GZIP", ["gzip"]), ("gzip , br", ["gzip", "br"])],
)
def test_the_header_is_read_in_its_order(header, applied):
    assert codings(header) == applied
