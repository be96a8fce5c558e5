"""Sealing: what one thread seals another opens, also while many do both at once."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.sealing import SealBroken, new_secret, seal, unseal

CONTENTS = [os.urandom(size % 97) * (size % 53) + b"the road is closed " * (size % 31) for size in range(400)]


@given(st.binary(max_size=5000), st.binary(max_size=40))
def test_what_is_sealed_opens_with_its_secret_and_context_and_with_no_other(content: bytes, context: bytes):
    secret = new_secret()
    frame = seal(secret, context, content)
    assert unseal(secret, context, frame) == content
    with pytest.raises(SealBroken):
        unseal(secret, context + b"x", frame)
    with pytest.raises(SealBroken):
        unseal(new_secret(), context, frame)


def test_threads_that_seal_and_open_at_the_same_time_do_not_spoil_one_anothers_frames():
    together = threading.Barrier(8)

    def work(number: int) -> int:
        together.wait(20)
        secret, right = new_secret(), 0
        for round_ in range(5):
            for content in CONTENTS[number::2]:
                context = b"%d" % round_
                right += unseal(secret, context, seal(secret, context, content)) == content
        return right

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert sum(pool.map(work, range(8))) == sum(5 * len(CONTENTS[number::2]) for number in range(8))
