"""How a pass ends: its last batch is known for the last only once nothing follows it."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from connectors.contract import Batch
from connectors.errors import ConnectorError


def but_the_last(batches: Iterator[Batch]) -> Generator[Batch, None, Batch | None]:
    """The same batches but the last, which is returned for its pass to close; None where there is none at all.

    Where an error ends the pass, the last batch before it is yielded as it is:
    what was read is handed over, and no promise of the pass's end with it.
    """
    last: Batch | None = None
    try:
        for batch in batches:
            if last is not None:
                yield last
            last = batch
    except ConnectorError:
        if last is not None:
            yield last
        raise
    return last
