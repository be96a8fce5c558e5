"""How single items stand, by X's own answer about each of them.

A look-up answers 200 and says beside what it shows which ids it did not show, and
why. "Could not find" is X's word for what was deleted, or closed with its account.
"Not authorized" is its word for what a suspended, protected or blocking writer
keeps back, and a suspension may bear the type of the first under the title of the
second: only both together make something gone. A message that X does not show may
be deleted, or older than thirty days: of messages nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.contract import Batch, Cursor, Kind, Sighting, State
from connectors.x import parse
from connectors.x.asking import Asking, NotGiven
from connectors.x.parse import Answer
from connectors.x.shapes import Post, Problem, Shown

_AT_ONCE = 100
_POST_ASKED: Mapping[str, str] = {"tweet.fields": "id,author_id,edit_history_tweet_ids,withheld"}


def standing(asking: Asking, nothing: Cursor, wanted: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
    """How each of these stands, a batch for each question; nothing for what has no id of its own (`blocked`, `muted`)."""
    posts = [name for _, name in wanted if is_post(name)]
    for begin in range(0, len(posts), _AT_ONCE):
        names = posts[begin : begin + _AT_ONCE]
        yield asking.batch(nothing, sightings=asking.standing(names, lambda some: _of_posts(asking, some)))
    for _, name in wanted:
        kind = name.partition(":")[0]
        if kind == "user":
            yield asking.batch(
                nothing, sightings=asking.standing([name], lambda some: [_of_user(asking, some[0])])
            )
        elif kind == "dm" and asking.signed_in:
            yield asking.batch(
                nothing, sightings=asking.standing([name], lambda some: [_of_message(asking, some[0])])
            )


def is_post(name: str) -> bool:
    """Whether a native id is a post's; X refuses a whole question for one that cannot be."""
    return name.isascii() and name.isdecimal() and len(name) < 20


def _of_posts(asking: Asking, names: Sequence[str]) -> list[Sighting]:
    try:
        found = asking.posts("tweets", {**_POST_ASKED, "ids": ",".join(names)}, named=len(names))
    except NotGiven as refused:
        return [_unknown(asking, name, refused) for name in names]
    return [_of_post(asking, name, found) for name in names]


def _of_post(asking: Asking, name: str, found: Answer[Post]) -> Sighting:
    if any(one.id == name for one in found.unread):
        return _told(asking, name, State.UNKNOWN, "200, and X tells of it what cannot be read")
    shown = next((one.what for one in found.items if name in {one.what.id, one.what.first}), None)
    if shown is not None:
        hidden = parse.withheld_everywhere(shown)
        reason = "200 withheld everywhere" if hidden else "200"
        return _told(asking, name, State.HIDDEN if hidden else State.PRESENT, reason)
    told = next((one for one in found.errors if one.about == name), None)
    return _told(asking, name, _state(told), f"200 {told.says}" if told else "200, and nothing is said of it")


def _of_user(asking: Asking, name: str) -> Sighting:
    identity = name.partition(":")[2]
    try:
        found = asking.shows_user(identity, {"user.fields": "id,name,username"})
    except NotGiven as refused:
        state = _state(refused.problem) if refused.problem.not_found else State.UNKNOWN
        return _told(asking, name, state, str(refused))
    if found.items:
        return _shown(asking, name, found)
    told = next((one for one in found.errors if one.about in {identity, ""}), None)
    return _told(asking, name, _state(told), f"200 {told.says}" if told else "200, and nothing is said of it")


def _of_message(asking: Asking, name: str) -> Sighting:
    identity = name.partition(":")[2]
    try:
        found = asking.read(asking.get(f"dm_events/{identity}", {"dm_event.fields": "id,event_type"}), Shown)
    except NotGiven as refused:
        return _unknown(asking, name, refused)
    if found.items:
        return _shown(asking, name, found)
    return _told(asking, name, State.UNKNOWN, "200: deleted, or too old for X to tell")


def _shown(asking: Asking, name: str, found: Answer[Shown]) -> Sighting:
    if str(found.items[0].what.id) == name.partition(":")[2]:
        return _told(asking, name, State.PRESENT, "200")
    return _told(asking, name, State.UNKNOWN, "200, and X tells of it what cannot be read")


def _state(told: Problem | None) -> State:
    gone = told is not None and told.not_found and "suspended" not in told.detail.lower()
    return State.GONE if gone else State.UNKNOWN


def _unknown(asking: Asking, name: str, refused: NotGiven) -> Sighting:
    return _told(asking, name, State.UNKNOWN, str(refused))


def _told(asking: Asking, name: str, state: State, reason: str) -> Sighting:
    return Sighting(native_id=name, state=state, exchange=asking.last, reason=reason)
