"""How single items stand, by the platform's own answer.

YouTube leaves out what it does not show, and says nothing of it: what was
removed, what is private and what is held back look alike to a stranger. So a
key alone never proves a removal. Whoever is signed in as the channel is shown
its private videos and what is held back, and for them

- a video is *gone* where it is left out although it was asked for by its id, and
  YouTube answers the question for its comments with `videoNotFound`;
- a comment is *gone* where it is left out or answered with `commentNotFound`,
  its video is gone, or is shown with its comments open, and it stands neither
  among those held for review nor among those held as spam.

What stands under a video that is private or whose comments are turned off is
hidden with it: it comes back when they are turned on again. A throttle, a
missing permission and an outage prove nothing. Neither does what cannot be read:
an item of another shape is unknown where it is told which one it is, and else
all are that were asked for with it and are not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.contract import Kind, Sighting, State
from connectors.youtube import channel, parse
from connectors.youtube.address import VIDEO, Address
from connectors.youtube.asking import ROWS_AT_ONCE, Asking
from connectors.youtube.channel import Found
from connectors.youtube.place import HELD, SPAM
from connectors.youtube.reading import Answer
from connectors.youtube.refusals import NotGiven
from connectors.youtube.shapes import Comment, Named, Standing
from connectors.youtube.threads import below

_MOST_HELD = 50
"""So many answers of a list of held comments are read to look for one."""


@dataclass(frozen=True, slots=True)
class Told:
    """How something stands, and by which answer."""

    state: State
    reason: str


_ODD = Told(State.UNKNOWN, "200, with what cannot be read")


class Standings:
    """Asks how items stand; what is asked of a video is asked once in a visit."""

    def __init__(self, asking: Asking, found: Found) -> None:
        self._asking, self._found = asking, found
        self._open: dict[str, Told] = {}
        self._held: dict[str, set[str] | None] = {}
        self._unsure: set[str] = set()
        """Threads of which not all answers that are held back were shown."""

    def of(self, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[list[Sighting]]:
        """The items in groups, each told by the answers that were asked for it."""
        names = [name for _, name in native_ids]
        videos = [name for name in names if VIDEO.fullmatch(name)]
        comments = [name for name in names if "/" in name]
        for begin in range(0, len(videos), ROWS_AT_ONCE):
            yield self._asking.standing(videos[begin : begin + ROWS_AT_ONCE], self._videos)
        for begin in range(0, len(comments), ROWS_AT_ONCE):
            yield self._asking.standing(comments[begin : begin + ROWS_AT_ONCE], self._comments)
        if self._found.id in names:
            yield self._channel()

    def video(self, name: str) -> list[Sighting]:
        """How one video stands."""
        return self._videos([name])

    # -- videos --------------------------------------------------------------------------------------------

    def _videos(self, names: Sequence[str]) -> list[Sighting]:
        try:
            shown, odd = self._standing(names)
        except NotGiven as refused:
            return self._unknown(names, refused)
        asked = self._asking.last
        sightings = []
        for name in names:
            stands = shown.get(name)
            told = _shown(stands) if stands else _ODD if name in odd else self._left_out(name)
            sightings.append(Sighting(native_id=name, state=told.state, exchange=asked, reason=told.reason))
        return sightings

    def _standing(self, names: Sequence[str]) -> tuple[dict[str, Standing], set[str]]:
        """Those of the videos that are shown, and those of which cannot be read whether they are."""
        told: Answer[Standing] = self._asking.many(
            "videos", "videoListResponse", Standing, {"part": "id,status", "id": ",".join(names)}
        )
        return {one.what.id: one.what for one in told.items}, _unread(told, names)

    def _left_out(self, name: str) -> Told:
        """A video that was left out: removed, or private to somebody else."""
        if not self._found.owner:
            return Told(State.UNKNOWN, "200 without it: removed, or private; a key alone is not told which")
        under = self._under(name)
        if under.state is State.GONE:
            return Told(State.GONE, f"200 without it, for the channel itself; {under.reason}")
        return Told(State.UNKNOWN, f"200 without it, but {under.reason}")

    def _under(self, name: str) -> Told:
        """What the question for the comments of a video says of it: open, closed, not there."""
        if name not in self._open:
            self._open[name] = self._asked_under(name)
        return self._open[name]

    def _asked_under(self, name: str) -> Told:
        asked = {"part": "id", "videoId": name, "maxResults": "1"}
        try:
            self._asking.many("commentThreads", "commentThreadListResponse", Named, asked)
        except NotGiven as refused:
            if refused.comments_disabled:
                return Told(State.HIDDEN, refused.says)
            if refused.not_found:
                return Told(State.GONE, refused.says)
            return Told(State.UNKNOWN, refused.says)
        return Told(State.PRESENT, "200")

    # -- comments ------------------------------------------------------------------------------------------

    def _comments(self, names: Sequence[str]) -> list[Sighting]:
        try:
            shown, odd = self._by_id([_of(name) for name in names])
            asked = self._asking.last
            missing = [name for name in names if _of(name) not in shown]
            above = {_thread(name) for name in missing} - {_of(name) for name in names}
            if above and self._found.owner:
                more, strange = self._by_id(sorted(above))
                shown, odd = shown | more, odd | strange
        except NotGiven as refused:
            return self._unknown(names, refused)
        told = {name: _shown_comment(shown[_of(name)]) for name in names if _of(name) in shown}
        by_video = defaultdict(list)
        for name in missing:
            if odd & {_of(name), _thread(name)}:
                told[name] = _ODD
            else:
                by_video[_under(name)].append(name)
        for video, lacking in by_video.items():
            told |= self._missing(video, lacking, shown)
        return [
            Sighting(native_id=name, state=told[name].state, exchange=asked, reason=told[name].reason)
            for name in names
        ]

    def _unknown(self, names: Sequence[str], refused: NotGiven) -> list[Sighting]:
        """The question itself was refused, and nothing is told of any of them."""
        return [
            Sighting(native_id=name, state=State.UNKNOWN, exchange=self._asking.last, reason=refused.says)
            for name in names
        ]

    def _by_id(self, ids: Sequence[str]) -> tuple[dict[str, Comment], set[str]]:
        """Those of the comments that are shown, and those of which cannot be read whether they are. YouTube may refuse all where it does not find one."""
        asked = {"part": "id,snippet", "id": ",".join(ids), "textFormat": "html"}
        try:
            told = self._asking.many("comments", "commentListResponse", Comment, asked)
        except NotGiven as refused:
            if not refused.not_found:
                raise
            if len(ids) == 1:
                return {}, set()
        else:
            return {one.what.id: one.what for one in told.items}, _unread(told, ids)
        half = len(ids) // 2
        (some, odd), (others, strange) = self._by_id(ids[:half]), self._by_id(ids[half:])
        return some | others, odd | strange

    def _missing(self, video: str, names: Sequence[str], shown: dict[str, Comment]) -> dict[str, Told]:
        """Comments of one video that are not shown by their ids."""
        says = "200 without it"
        if not VIDEO.fullmatch(video):
            why = f"{says}: YouTube shows comments on a channel no more, removed or not"
            return {name: Told(State.UNKNOWN, why) for name in names}
        stands = self._stands(video)
        if stands.state in {State.GONE, State.HIDDEN}:
            return {name: Told(stands.state, f"{says}; its video: {stands.reason}") for name in names}
        if not self._found.owner:
            why = f"{says}: removed or held back; a key alone is not told which"
            return {name: Told(State.UNKNOWN, why) for name in names}
        held = self._held_back(video) if stands.state is State.PRESENT else None
        if held is None:
            why = f"{says}; its video: {stands.reason}; what is held back was not shown"
            return {name: Told(State.UNKNOWN, why) for name in names}
        found = {}
        for name in names:
            above = shown.get(_thread(name))
            if held & {_of(name), _thread(name)} or (above is not None and _is_held(above)):
                found[name] = Told(State.HIDDEN, f"{says}; held for review or as spam")
            elif _thread(name) in self._unsure:
                found[name] = Told(State.UNKNOWN, f"{says}; not all answers that are held back were shown")
            else:
                why = f"{says}, for the channel itself; its video is shown, and it is not among what is held back"
                found[name] = Told(State.GONE, why)
        return found

    def _stands(self, video: str) -> Told:
        """How the video of a comment stands, as far as its comments are concerned."""
        under = self._under(video)
        if under.state in {State.HIDDEN, State.PRESENT}:
            return under
        shown, odd = self._standing([video])
        if video in odd:
            return _ODD
        if video in shown:
            stands = _shown(shown[video])
            return stands if stands.state is State.HIDDEN else Told(State.UNKNOWN, under.reason)
        if under.state is State.GONE and self._found.owner:
            return under
        return Told(State.UNKNOWN, f"200 without it; {under.reason}")

    def _held_back(self, video: str) -> set[str] | None:
        """The ids of everything that is held back under a video; None where that was not shown to its end."""
        if video not in self._held:
            lists = [self._listed(video, status) for status in (HELD, SPAM)]
            whole = [one for one in lists if one is not None]
            self._held[video] = set().union(*whole) if len(whole) == len(lists) else None
        return self._held[video]

    def _listed(self, video: str, status: str) -> set[str] | None:
        """One list of what is held back under a video; None where it was refused, has no end that we reached, or a thread of it is told that bears no id."""
        names: set[str] = set()
        token = ""
        for _ in range(_MOST_HELD):
            try:
                found = self._asking.threads({"videoId": video}, token, status=status)
            except NotGiven:
                return None
            for strange in found.unread:
                if strange.id is None or strange.id.isdecimal():  # a number is no id of a comment
                    return None
                self._unsure.add(strange.id)
            for one in found.items:
                inside = below(self._asking, found.body, one, video, self._found.id)
                self._unsure |= {one.what.id} if inside.gaps else set()
                seen = [parse.thread(one, self._found.id, status, video), *inside.seen]
                names |= {_of(two.native_id) for two in seen if two.state is State.HIDDEN}
            if found.following is None:
                return names
            token = found.following
        return None

    # -- the channel ---------------------------------------------------------------------------------------

    def _channel(self) -> list[Sighting]:
        """The channel. That it is not shown proves nothing: it may be closed, suspended or hidden."""
        told = channel.shown(self._asking, Address("id", self._found.id), "id,snippet")
        state = State.PRESENT if told.items else State.UNKNOWN
        reason = "200" if told.items else "200 without it: closed, suspended or hidden"
        reason = _ODD.reason if told.unread and not told.items else reason
        return [Sighting(native_id=self._found.id, state=state, exchange=self._asking.last, reason=reason)]


def _unread(told: Answer[Comment] | Answer[Standing], asked: Sequence[str]) -> set[str]:
    """Of which of the ids that were asked for it cannot be read how they stand: of all, where something is told that bears none of them."""
    odd, names = {one.id for one in told.unread}, set(asked)
    strange = {one.what.id for one in told.items} - names
    return names if strange or odd - names else names & odd


def _shown(read: Standing) -> Told:
    if read.status.upload_status == "deleted":
        return Told(State.GONE, "200 uploadStatus deleted")
    return Told(parse.state_of(read.status), f"200 {read.status.privacy_status}")


def _shown_comment(read: Comment) -> Told:
    status = read.snippet.moderation_status
    return Told(parse.state_of_comment(read.snippet), f"200 {status or ''}".rstrip())


def _is_held(read: Comment) -> bool:
    return parse.state_of_comment(read.snippet) is State.HIDDEN


def _under(name: str) -> str:
    """What a comment stands under, by its native id."""
    return name.partition("/")[0]


def _of(name: str) -> str:
    """YouTube's own id of a comment."""
    return name.partition("/")[2]


def _thread(name: str) -> str:
    """The comment that begins its thread: what answers it bears its id before a dot."""
    return _of(name).partition(".")[0]
