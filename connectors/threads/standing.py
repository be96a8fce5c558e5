"""How single items stand, by the platform's own answer.

Threads has one answer for what was removed, for what is private and for what a
lost permission keeps from us: code 100 with subcode 33. For a post of the
account's own it is taken for *gone*, and only after the same token was shown
other posts of the account in the same visit: the same permission opens both.

For what answers a post it proves nothing: Threads answers so for people who
made their profiles private, left, or blocked the account. An answer that is
missing from its conversation is absent, and never called gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.contract import Kind, Sighting, State
from connectors.graph import OF_ANOTHER_SHAPE, Asking, NotGiven, TooMuch
from connectors.threads import parse, shapes
from connectors.threads.place import MENTIONS, POSTS
from connectors.threads.reading import numbers

_FIELDS = {
    Kind.POST: ("id", "ghost_post_status"),
    Kind.COMMENT: ("id", "hide_status"),
    Kind.REPLY: ("id", "hide_status"),
}


class Standing:
    """Asks one item after the other, and once whether the account is still read."""

    def __init__(self, asking: Asking, account: str) -> None:
        self._asking, self._account = asking, account
        self._reads: bool | None = None

    def of(self, wanted: Sequence[tuple[Kind, str]]) -> Iterator[list[Sighting]]:
        """How these items stand. Each list belongs to one batch."""
        mentions = [name for _, name in wanted if name.startswith(f"{parse.MENTION}:")]
        if mentions:
            yield self._mentions(mentions)
        for kind, name in wanted:
            if ":" not in name:
                yield self._stands(kind, name)

    def _stands(self, kind: Kind, name: str) -> list[Sighting]:
        return self._asking.standing([name], lambda _: [self._one(kind, name)])

    def _one(self, kind: Kind, name: str) -> Sighting:
        try:
            seen = self._asking.stands(name, shapes.Media, _FIELDS.get(kind, ("id",)))
        except NotGiven as refused:
            return self._refused(kind, name, refused)
        if seen is None:
            return Sighting(
                native_id=name, state=State.UNKNOWN, exchange=self._asking.last, reason=OF_ANOTHER_SHAPE
            )
        return Sighting(
            native_id=name, state=parse.state_of(seen.what), exchange=self._asking.last, reason="200"
        )

    def _refused(self, kind: Kind, name: str, refused: NotGiven) -> Sighting:
        shown = self._asking.last
        says = f"{refused.status} {refused.fault.numbers}"
        state = State.UNKNOWN
        if refused.not_found and kind is Kind.POST and self._still_reads():
            state = State.GONE
            says += "; other posts of the account were shown"
        elif refused.not_found and kind is Kind.POST:
            says += "; no other post of the account was shown either"
        elif refused.not_found:
            says += ": removed, or of somebody who left, became private, or blocked the account"
        return Sighting(native_id=name, state=state, exchange=shown, reason=says)

    def _mentions(self, names: Sequence[str]) -> list[Sighting]:
        """What others published is given to few applications by its number, but listed to each."""
        try:
            shown, whole = numbers(self._asking, f"{self._account}/{MENTIONS}")
        except NotGiven as refused:
            shown, says = set[str](), f"{refused.status} {refused.fault.numbers}"
        else:
            says = "not among what names the account: it was removed, or is kept from us"
            if not whole:
                says = "not among what can be read of what names the account"
        at = self._asking.last
        return [
            Sighting(native_id=name, state=State.PRESENT, exchange=at, reason="listed")
            if name.rpartition(":")[2] in shown
            else Sighting(native_id=name, state=State.UNKNOWN, exchange=at, reason=says)
            for name in names
        ]

    def _still_reads(self) -> bool:
        """Whether the token is still shown other posts of the account; asked once in a visit."""
        if self._reads is None:
            try:
                found, _ = self._asking.edge(f"{self._account}/{POSTS}", shapes.Who, ("id",), {"limit": "1"})
                self._reads = bool(found.items)
            except (NotGiven, TooMuch):
                self._reads = False
        return self._reads
