"""How single items stand, by TikTok's own answer.

TikTok leaves out what it does not show, and says nothing of it: what was
removed, what the account shows to nobody or to friends alone, what TikTok
holds back, and comments of people who left or blocked the account all look
alike. It has no word for what was removed. So nothing is ever called gone:
what is missing is unknown by itself, and absent where a list lacks it.

A comment is shown with its status, hidden ones too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from connectors.contract import Gap, Kind, Sighting, State
from connectors.tiktok import parse
from connectors.tiktok.asking import Asking
from connectors.tiktok.doors import COMMENTS_AT_ONCE, VIDEOS_AT_ONCE, Accounts, Door
from connectors.tiktok.refusals import NotGiven


class Standings:
    """Asks how items stand, those of one question together."""

    def __init__(self, door: Door) -> None:
        self._door, self._asking = door, door.asking

    def of(self, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[tuple[list[Sighting], list[Gap]]]:
        """The items in groups, each told by the answer that was asked for it, and at what TikTok fails."""
        names = [name for _, name in native_ids]
        if parse.PROFILE in names:
            # It has just been asked for, to see whose the token is.
            yield [self._told(parse.PROFILE, State.PRESENT, "200")], []
        videos = [name for name in names if name.isascii() and name.isalnum() and name != parse.PROFILE]
        for begin in range(0, len(videos), VIDEOS_AT_ONCE):
            yield self._videos(videos[begin : begin + VIDEOS_AT_ONCE]), []
        if self._door.comments is None:
            return
        by_video: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            video, stands_below, comment = name.partition("/")
            if stands_below:
                by_video[video].append(comment)
        for video, comments in by_video.items():
            for begin in range(0, len(comments), COMMENTS_AT_ONCE):
                with self._asking.about("how comments stand", video, unread=False) as asked:
                    told = self._comments(
                        self._door.comments, video, comments[begin : begin + COMMENTS_AT_ONCE]
                    )
                yield (told, []) if asked.gap is None else ([], [self._asking.lacking(asked.gap)])

    def _videos(self, names: Sequence[str]) -> list[Sighting]:
        try:
            found = self._door.named(names)
        except NotGiven as refused:
            return [self._told(name, State.UNKNOWN, refused.says) for name in names]
        shown = {one.native_id for one in found.observed}
        return [
            self._told(name, State.PRESENT, "200")
            if name in shown
            else left_out(self._asking, name, odd=bool({name, ""} & {*found.odd}))
            for name in names
        ]

    def _comments(self, door: Accounts, video: str, names: Sequence[str]) -> list[Sighting]:
        try:
            found = door.picked(video, names)
        except NotGiven as refused:
            return [self._told(f"{video}/{name}", State.UNKNOWN, refused.says) for name in names]
        sightings, shown = [], {one.native_id: one for one in found.observed}
        for name in names:
            one = shown.get(f"{video}/{name}")
            if one is None:
                odd = bool({name, ""} & {*found.shown})
                sightings.append(left_out(self._asking, f"{video}/{name}", odd=odd))
            else:
                status = str(one.extra.get("status", ""))
                sightings.append(self._told(one.native_id, one.state, f"200 {status}".rstrip()))
        return sightings

    def _told(self, name: str, state: State, reason: str) -> Sighting:
        return Sighting(native_id=name, state=state, exchange=self._asking.last, reason=reason)


def left_out(asking: Asking, name: str, *, odd: bool = False) -> Sighting:
    """What was asked for by its id, and is not shown; with `odd`, it is or may be told in a shape that cannot be read."""
    says = "200 without it: removed, or not shown to the public or to us; TikTok does not say which"
    if odd:
        says = "200, in another shape than it promises"
    return Sighting(native_id=name, state=State.UNKNOWN, exchange=asking.last, reason=says)
