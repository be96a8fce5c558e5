"""The branches of a JSON file in which a download keeps its lists: which of them are received, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from app.capture.formats.divided import Spans
from connectors.spans import document, object_members

Span = tuple[int, int]
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Branch:
    """A value of a JSON file under the names that lead to it; `what` says what it is where that is known."""

    names: tuple[str, ...]
    span: Span
    what: str | None

    def __str__(self) -> str:
        return " · ".join(self.names)


def branches(body: bytes, known: Callable[[tuple[str, ...]], str | None]) -> Iterator[Branch]:
    """Every branch that is known, and of the others the topmost in which none is; `NotJson` where no object stands there."""
    for name, span in object_members(body, document(body)).items():
        yield from _below(body, Branch((name,), span, known((name,))), known)


def _below(body: bytes, here: Branch, known: Callable[[tuple[str, ...]], str | None]) -> list[Branch]:
    if here.what is not None or len(here.names) >= _DEEPEST or _opens(body, here.span) != b"{":
        return [here]
    found: list[Branch] = []
    for name, span in object_members(body, here.span).items():
        names = (*here.names, name)
        found += _below(body, Branch(names, span, known(names)), known)
    return found if any(one.what is not None for one in found) else [here]


def elements(body: bytes, span: Span) -> Iterable[Span]:
    """The elements of the list that stands there; none where there is no list."""
    return Spans(body, *span) if _opens(body, span) == b"[" else ()


def members(body: bytes, span: Span) -> dict[str, Span]:
    """The values of the object that stands there, by name; none where there is no object."""
    return object_members(body, span) if _opens(body, span) == b"{" else {}


def _opens(body: bytes, span: Span) -> bytes:
    return body[span[0] : span[0] + 1]
