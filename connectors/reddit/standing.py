"""How single items stand, by Reddit's own answer to their full names.

Reddit shows a comment or submission that its author has deleted, without its
words and its author: that is its own word, and the item is gone. It shows
`[removed]` where a moderator or a filter has removed it: hidden. What it
leaves out of its answer stands in a subreddit that is private or banned, or
is withheld from whoever asks: that proves nothing. Nor does what stands there
in a shape that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.contract import Kind, Sighting, State
from connectors.pieces import Seen
from connectors.reddit import parse
from connectors.reddit.address import Address
from connectors.reddit.asking import AT_ONCE, Asking
from connectors.reddit.refusals import NotGiven
from connectors.reddit.shapes import T1, T2, T3, T5

_BY_NAME = ("t1_", "t3_", "t5_")
_WITHOUT = "200 without it: its subreddit is private or banned, or it is withheld"
_UNREAD = "200, and what is told of it is of another shape"


def of(asking: Asking, named: Address, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[list[Sighting]]:
    """The items in groups, each told by the answer that was asked for it; what has no name of its own is left out."""
    names = [name for _, name in native_ids if name.startswith(_BY_NAME)]
    for begin in range(0, len(names), AT_ONCE):
        yield asking.standing(names[begin : begin + AT_ONCE], lambda some: by_name(asking, some))
    accounts = [name for _, name in native_ids if name.startswith("t2_")]
    if accounts and not named.is_subreddit:
        yield [_account(asking, named, name) for name in accounts[:1]]


def by_name(asking: Asking, names: Sequence[str]) -> list[Sighting]:
    """How at most a hundred things stand."""
    try:
        shown = asking.info(names)
    except NotGiven as refused:
        return [_sighting(asking, name, State.UNKNOWN, refused.fault.says) for name in names]
    told = {}
    for one in shown.items:
        if isinstance(one.what, (T1, T3)):
            told[one.what.data.name] = parse.standing(one.what.data)
        elif isinstance(one.what, T5):
            told[one.what.data.name] = parse.Told(State.PRESENT, "200")
    left_out = parse.Told(State.UNKNOWN, _WITHOUT)
    unread, unnamed = {one.id for one in shown.unread}, any(one.id is None for one in shown.unread)
    strange = parse.Told(State.UNKNOWN, _UNREAD)
    stands = [(name, told.get(name, strange if unnamed or name in unread else left_out)) for name in names]
    return [_sighting(asking, name, how.state, how.reason) for name, how in stands]


def _account(asking: Asking, named: Address, name: str) -> Sighting:
    """The account itself. That it is not shown proves nothing: it may be suspended, or filtered out by Reddit."""
    try:
        seen: Seen[T2] = asking.one(f"{named.path}/about", T2)
    except NotGiven as refused:
        return _sighting(asking, name, State.UNKNOWN, refused.fault.says)
    if seen.what.data.is_suspended:
        return _sighting(asking, name, State.UNKNOWN, "200 is_suspended")
    return _sighting(asking, name, State.PRESENT, "200")


def _sighting(asking: Asking, name: str, state: State, reason: str) -> Sighting:
    return Sighting(native_id=name, state=state, exchange=asking.last, reason=reason)
