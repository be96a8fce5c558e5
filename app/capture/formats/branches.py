"""The branches of a JSON file in which a download keeps its lists: which of them are received, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.capture.formats.divided import Divided, Spans, unfolded
from app.capture.formats.facebook_items import texts_in
from connectors.spans import NotJson, document, object_members

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


def known_in(
    of: Divided, path: str, body: bytes, known: Callable[[tuple[str, ...]], str | None]
) -> Sequence[Branch]:
    """The branches of a file of which some are known: it is understood then, and otherwise listed with the reason."""
    try:
        found = unfolded(body)
        held = list(branches(body, known)) if isinstance(found, dict) else []
    except NotJson as error:
        of.unreadable[path] = str(error)
        return []
    if not any(one.what for one in held):
        of.leave(path, f"no item that is known; it holds {sum(1 for _ in texts_in(found))} texts")
        return []
    of.understood.append(path)
    return held


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
