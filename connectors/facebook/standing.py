"""How single items stand, by the platform's own answer.

Graph has one answer for what was removed, for what is private and for what a
lost permission keeps from us: code 100 with subcode 33. It is taken for
*gone* only after the same token was shown the page's posts in the same visit,
and Facebook said that it may still be shown what visitors write.
Permissions (10, 200 and beyond), throttles and dead tokens never prove a
removal. Of a message it proves nothing either: Facebook answers so for messages
that are merely old.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.contract import Kind, Sighting, State
from connectors.facebook import parse, shapes
from connectors.facebook.reading import reads_visitors
from connectors.facebook.shapes import EDGES_OF_THINGS
from connectors.graph import OF_ANOTHER_SHAPE, Asking, NotGiven, TooMuch

_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.POST: ("id", "is_hidden", "is_published"),
    Kind.COMMENT: ("id", "is_hidden"),
    Kind.REPLY: ("id", "is_hidden"),
    Kind.MESSAGE: ("id",),
    Kind.PROFILE: ("id", "is_published"),
}
"""What tells how an item stands: Graph refuses a field that its kind does not have."""


class Standing:
    """Asks one item after the other, and once whether the page itself is still read."""

    def __init__(self, asking: Asking, page: str) -> None:
        self._asking, self._page = asking, page
        self._reads: bool | None = None

    def of(self, kind: Kind, native_id: str) -> Iterator[Sighting]:
        """How one item stands; nothing for what cannot be asked for by an id."""
        name, _, identity = native_id.rpartition(":")
        if native_id in {"settings", "blocked"} or name == "rating":
            return
        if name and name not in EDGES_OF_THINGS:
            return
        yield from self._asking.standing([native_id], lambda _: [self._asked(kind, native_id, identity)])

    def _asked(self, kind: Kind, native_id: str, identity: str) -> Sighting:
        try:
            fields = ("id",) if identity != native_id else _FIELDS[kind]
            seen = self._asking.stands(identity, shapes.Standing, fields)
        except NotGiven as refused:
            return self._refused(kind, native_id, refused)
        if seen is None:
            return Sighting(
                native_id=native_id, state=State.UNKNOWN, exchange=self._asking.last, reason=OF_ANOTHER_SHAPE
            )
        state = State.PRESENT if kind is Kind.MESSAGE else parse.state_of(seen.what)
        return Sighting(native_id=native_id, state=state, exchange=self._asking.last, reason="200")

    def _refused(self, kind: Kind, native_id: str, refused: NotGiven) -> Sighting:
        shown = self._asking.last
        says = f"{refused.status} {refused.fault.numbers}"
        state = State.UNKNOWN
        if refused.not_found and kind is Kind.MESSAGE:
            says += ": removed, or too old for Facebook to tell"
        elif refused.not_found and kind is Kind.PROFILE:
            says += ": removed, unpublished, or kept from whoever connected it"
        elif refused.not_found and self._still_reads():
            state = State.GONE
            says += "; the page's other posts were shown, and the token may read what visitors write"
        elif refused.not_found:
            says += "; the page's other posts were not shown either, or the token may not read what visitors write"
        return Sighting(native_id=native_id, state=state, exchange=shown, reason=says)

    def _still_reads(self) -> bool:
        """Whether the token is still shown what stands on the page, and what visitors write; asked once in a visit."""
        if self._reads is None:
            try:
                found, _ = self._asking.edge(
                    f"{self._page}/feed", shapes.Who, ("id",), {"limit": "1", "include_hidden": "true"}
                )
                self._reads = bool(found.items) and reads_visitors(self._asking.token_told())
            except (NotGiven, TooMuch):
                self._reads = False
        return self._reads
