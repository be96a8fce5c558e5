"""Libraries in Rust that panic raise what no `except Exception` meets; here it becomes an error like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def calmed() -> Iterator[None]:
    """Within it a panic is a `ValueError`: bytes that the library was not prepared for."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise ValueError(str(error)) from error
        raise
