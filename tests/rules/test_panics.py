"""A library's panic is an error that can be met; whatever else is raised passes as it is."""

from __future__ import annotations

import pytest

from app.records.panics import calmed

PanicException = type("PanicException", (BaseException,), {})


def test_a_panic_is_an_error_that_says_what_it_said():
    with pytest.raises(ValueError, match="unwrap"), calmed():
        raise PanicException("called unwrap on an Err value")


@pytest.mark.parametrize("other", [KeyboardInterrupt(), SystemExit(3), LookupError("x")])
def test_whatever_else_is_raised_passes(other: BaseException):
    with pytest.raises(type(other)) as told, calmed():
        raise other
    assert told.value is other
