"""One request, one transaction, committed before the answer is given."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends

from app.db import Tx
from app.web.parts import Here


def transaction(here: Here) -> Iterator[Tx]:
    """A transaction that may write; a commit that fails becomes the answer."""
    with here.store.database.begin() as tx:
        yield tx


def reading(here: Here) -> Iterator[Tx]:
    """A transaction that only reads, on one snapshot."""
    with here.store.database.read() as tx:
        yield tx


# FastAPI ends a dependency after the answer unless it is told otherwise:
# with the default, a commit that failed would already have been a success.
RequestTx = Annotated[Tx, Depends(transaction, scope="function")]
ReadTx = Annotated[Tx, Depends(reading, scope="function")]
