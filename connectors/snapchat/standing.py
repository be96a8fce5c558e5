"""How single items stand, as far as Snapchat's pages tell.

A spotlight is *gone* where its own page is answered with 404 or 410 in a visit
in which the profile's page was shown. A page that shows other spotlights instead
proves nothing. Snaps of the story and saved stories have no page of their own:
that they are not shown is never called a removal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.contract import Gap, Kind, Sighting, State
from connectors.snapchat import parse
from connectors.snapchat.asking import NO_SUCH, Asking
from connectors.snapchat.reading import Profile, name_of, saved_id

_ASIDE = {
    parse.STORY: "200 without it: its 24 hours are over, or it was taken off before",
    parse.SAVED: "200 without it, among the saved stories",
}


def standing(
    asking: Asking, wanted: Sequence[tuple[Kind, str]]
) -> Iterator[tuple[list[Sighting], list[Gap]]]:
    """How these items stand, and at which of them Snapchat fails. Each pair belongs to one batch."""
    shown = asking.profile()
    at, names = asking.last, _names(shown)
    told = [
        _one(name, at, is_shown=name in names)
        for _, name in wanted
        if name in names or name.partition("/")[0] in _ASIDE
    ]
    yield told, []
    for _, name in wanted:
        if name.startswith(f"{parse.SPOTLIGHT}/") and name not in names:
            with asking.about("how a spotlight stands", name, unread=False) as asked:
                told = [of_spotlight(asking, name)]
            yield (told, []) if asked.gap is None else ([], [asked.gap])


def of_spotlight(asking: Asking, name: str) -> Sighting:
    """How a spotlight stands that the profile's page does not show."""
    exchange, seen = asking.spotlight(name.partition("/")[2])
    if exchange.status in NO_SUCH:
        state, why = State.GONE, f"{exchange.status} for its own page, and the profile was shown"
    elif seen is not None:
        state, why = State.PRESENT, "200"
    else:
        state, why = State.UNKNOWN, "200 with other spotlights in its place"
    return Sighting(native_id=name, state=state, exchange=asking.last, reason=why)


def _one(name: str, exchange: int, *, is_shown: bool) -> Sighting:
    if is_shown:
        return Sighting(native_id=name, state=State.PRESENT, exchange=exchange, reason="200")
    return Sighting(
        native_id=name, state=State.UNKNOWN, exchange=exchange, reason=_ASIDE[name.partition("/")[0]]
    )


def _names(shown: Profile) -> set[str]:
    return {
        parse.PROFILE,
        *(f"{parse.STORY}/{name_of(one.what, 'snapId')}" for one in shown.story),
        *(f"{parse.SAVED}/{saved_id(one.what)}" for one in shown.saved),
        *(f"{parse.SAVED}/{name}" for name in shown.emptied),
        *(f"{parse.SPOTLIGHT}/{one.id}" for one in shown.spotlights),
    }
