"""How single items stand, by the platform's own answer.

Graph has one answer for what was removed, for what is private and for what a
lost permission keeps from us: code 100 with subcode 33. For a post of the
account's own it is taken for *gone*, and only after the same token was shown
other posts of the account in the same visit: the same permission opens both.

For a comment it proves nothing. Instagram answers so for comments of people
whom the account has restricted, and of accounts that were closed; so a comment
that is missing from its list is absent, and never called gone. Nor does it for
messages, which Instagram stops telling when they are old.

A story is shown for a day. That it is not shown any more is no removal: it has
ended, or was taken off before, and no answer tells the one from the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.contract import Kind, Sighting, State
from connectors.graph import OF_ANOTHER_SHAPE, Asking, NotGiven, TooMuch
from connectors.instagram import parse, shapes
from connectors.instagram.asking import Door
from connectors.instagram.place import STORIES, TAGS
from connectors.instagram.reading import listed
from connectors.instagram.shapes import Mentioned
from connectors.pieces import Seen

_AT_ONCE = 50
_LISTS: Mapping[str, str] = {parse.STORY: STORIES, parse.TAGGED: TAGS}
_NOT_LISTED: Mapping[str, str] = {
    STORIES: "not among the stories, which Instagram shows for 24 hours: it has ended, or was removed before",
    TAGS: "not among the posts that the account is tagged in: the tag or the post was removed, or is kept from us",
}


class Standing:
    """Asks for many comments at once and for the others one by one, and once whether the account is still read."""

    def __init__(self, asking: Asking, account: str, door: Door) -> None:
        self._asking, self._account, self._door = asking, account, door
        self._reads: bool | None = None

    def of(self, wanted: Sequence[tuple[Kind, str]]) -> Iterator[list[Sighting]]:
        """How these items stand; nothing for what cannot be asked for by an id. Each list belongs to one batch."""
        for way, edge in _LISTS.items():
            names = [name for _, name in wanted if name.startswith(f"{way}:")]
            if names and not (edge == TAGS and self._door is Door.INSTAGRAM):
                yield self._by_list(edge, names)
        comments = [name for kind, name in wanted if kind in {Kind.COMMENT, Kind.REPLY} and ":" not in name]
        for begin in range(0, len(comments), _AT_ONCE):
            yield from self._comments(comments[begin : begin + _AT_ONCE])
        for kind, name in wanted:
            way = name.rpartition(":")[0]
            if way in {parse.MENTION, parse.MENTION_COMMENT}:
                if self._door is Door.FACEBOOK:
                    yield self._asking.standing([name], lambda some: [self._mention(some[0])])
            elif not way and kind not in {Kind.COMMENT, Kind.REPLY}:
                yield self._stands(kind, name)

    def _comments(self, names: Sequence[str]) -> Iterator[list[Sighting]]:
        """Instagram refuses all where it does not give one, or fails at it: they are then asked for one by one, as is what cannot be read."""
        if len(names) > 1:
            told: dict[str, Seen[shapes.Standing]] = {}
            try:
                with self._asking.about("how it stands", names[0], unread=False):
                    told, _ = self._asking.objects(names, shapes.Standing, ("id", "hidden"))
            except NotGiven:
                told = {}
            seen = [
                Sighting(
                    native_id=name,
                    state=parse.state_of(told[name].what),
                    exchange=told[name].span.exchange,
                    reason="200",
                )
                for name in names
                if name in told
            ]
            yield seen
            names = [name for name in names if name not in told]
        for name in names:
            yield self._stands(Kind.COMMENT, name)

    def _stands(self, kind: Kind, name: str) -> list[Sighting]:
        return self._asking.standing([name], lambda _: [self._one(kind, name)])

    def _one(self, kind: Kind, name: str) -> Sighting:
        fields = ("id", "hidden") if kind in {Kind.COMMENT, Kind.REPLY} else ("id",)
        try:
            seen = self._asking.stands(name, shapes.Standing, fields)
        except NotGiven as refused:
            return self._refused(kind, name, refused)
        if seen is None:
            return self._unknown(name, OF_ANOTHER_SHAPE)
        return Sighting(
            native_id=name, state=parse.state_of(seen.what), exchange=self._asking.last, reason="200"
        )

    def _refused(self, kind: Kind, name: str, refused: NotGiven) -> Sighting:
        shown = self._asking.last
        says = f"{refused.status} {refused.fault.numbers}"
        state = State.UNKNOWN
        if not refused.not_found:
            pass
        elif kind is Kind.POST and self._still_reads():
            state = State.GONE
            says += "; other posts of the account were shown"
        elif kind is Kind.POST:
            says += "; no other post of the account was shown either"
        elif kind is Kind.MESSAGE:
            says += ": removed, or too old for Instagram to tell"
        elif kind is Kind.PROFILE:
            says += ": removed, or kept from whoever connected it"
        else:
            says += ": removed, or of somebody whom the account restricted, or who left Instagram"
        return Sighting(native_id=name, state=state, exchange=shown, reason=says)

    def _by_list(self, edge: str, names: Sequence[str]) -> list[Sighting]:
        """What Instagram gives nobody by its number while it lists it: stories that have ended, what others published."""
        try:
            shown, whole = listed(self._asking, f"{self._account}/{edge}")
        except NotGiven as refused:
            return [self._unknown(name, f"{refused.status} {refused.fault.numbers}") for name in names]
        says = _NOT_LISTED[edge] if whole else "not among what can be read of its list"
        return [
            Sighting(native_id=name, state=State.PRESENT, exchange=self._asking.last, reason="listed")
            if name.rpartition(":")[2] in shown
            else self._unknown(name, says)
            for name in names
        ]

    def _mention(self, name: str) -> Sighting:
        """What names the account is asked for through the account: by its own id Instagram gives it to nobody else."""
        way, _, identity = name.rpartition(":")
        edge = "mentioned_media.media_id" if way == parse.MENTION else "mentioned_comment.comment_id"
        try:
            seen = self._asking.stands(self._account, Mentioned, ("id", f"{edge}({identity}){{id}}"))
        except NotGiven as refused:
            return self._unknown(name, f"{refused.status} {refused.fault.numbers}")
        if seen is None:
            return self._unknown(name, OF_ANOTHER_SHAPE)
        if seen.what.mentioned_media is None and seen.what.mentioned_comment is None:
            return self._unknown(name, "200, without what was asked for")
        return Sighting(native_id=name, state=State.PRESENT, exchange=self._asking.last, reason="200")

    def _unknown(self, name: str, says: str) -> Sighting:
        return Sighting(native_id=name, state=State.UNKNOWN, exchange=self._asking.last, reason=says)

    def _still_reads(self) -> bool:
        """Whether the token is still shown other posts of the account; asked once in a visit."""
        if self._reads is None:
            try:
                found, _ = self._asking.edge(f"{self._account}/media", shapes.Who, ("id",), {"limit": "5"})
                self._reads = bool(found.items)
            except (NotGiven, TooMuch):
                self._reads = False
        return self._reads
