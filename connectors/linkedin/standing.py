"""How single items stand, by the platform's own answer.

LinkedIn answers 404 for a post or a comment that is not there, and 403 where a
role or a permission is lacking. A post is *gone* by its own 404, and only where
LinkedIn says in the same visit that whoever asks still has a role on the page.

A comment is asked for below its post. LinkedIn's reference names the comment
that is answered as another place where an answer can be asked for, and which
one that is cannot be told from an id. So its 404 alone proves nothing: a
comment is gone where it is also not among those that the post shows to the end
of all their lists, and LinkedIn counts no more there than it shows (one whose
writer blocks whoever asks is counted); or where its post is gone. The comments that are met on the
way are observed: their words were told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.contract import Kind, Observation, Sighting, State
from connectors.errors import UnexpectedResponse
from connectors.linkedin import comments, parse, posts
from connectors.linkedin.asking import Asking
from connectors.linkedin.parse import CLOSED, Ours
from connectors.linkedin.reading import Strange
from connectors.linkedin.refusals import NotGiven
from connectors.linkedin.shapes import Comment, Metadata, Organisation, Post, Role
from connectors.linkedin.urns import POST, coded, parted
from connectors.pieces import STRANGE

ROLES = "organizationAcls?q=roleAssignee&state=APPROVED"
"""What whoever asks may do on which pages."""


@dataclass(frozen=True, slots=True)
class Told:
    """How something stands, and by which answer."""

    state: State
    reason: str


class Standings:
    """Asks how items stand, one after the other; what is asked of a post is asked once in a visit."""

    def __init__(self, asking: Asking, ours: Ours, *, names: bool) -> None:
        self._asking, self._ours, self._names = asking, ours, names
        self._trusted: bool | None = None
        self._above: dict[str, Told] = {}
        self._shown: dict[str, set[str]] = {}
        self._met: list[Observation] = []
        self._strange = 0

    def of(self, wanted: Sequence[tuple[Kind, str]]) -> Iterator[tuple[Sighting, list[Observation]]]:
        """How these items stand, and what else was met for it; each belongs to a batch of its own."""
        for _, name in wanted:
            if not (POST.fullmatch(name) or parted(name) is not None or name == self._ours.urn):
                continue
            found = self._told(name)
            met, self._met = self._met, []
            yield found, met

    def _told(self, name: str) -> Sighting:
        """How an item stands: unknown where LinkedIn fails at it, or answers in another shape, unless it does so one time after the other."""
        try:
            [found] = self._asking.standing([name], lambda some: [self._one(one) for one in some])
        except UnexpectedResponse as fault:
            self._strange += 1
            if not isinstance(fault.__cause__, Strange) or self._strange >= STRANGE:
                raise
            why = "what LinkedIn answers is of another shape"
            return Sighting(native_id=name, state=State.UNKNOWN, exchange=self._asking.last, reason=why)
        self._strange = 0
        return found

    def _one(self, name: str) -> Sighting:
        if POST.fullmatch(name):
            return self._post(name)
        parts = parted(name)
        return self._page(name) if parts is None else self._comment(name, *parts)

    def refused(self, name: str, refused: NotGiven) -> Sighting:
        """How a post stands that was asked for and refused."""
        shown = self._asking.last
        state, says = self._weighed(refused)
        return Sighting(native_id=name, state=state, exchange=shown, reason=says)

    def _post(self, name: str) -> Sighting:
        try:
            seen = self._asking.one(f"posts/{coded(name)}", Post)
        except NotGiven as refused:
            return self.refused(name, refused)
        state = parse.state_of(seen.what)
        return Sighting(native_id=name, state=state, exchange=self._asking.last, reason="200")

    def _comment(self, name: str, post: str, number: str) -> Sighting:
        try:
            self._asking.one(f"socialActions/{coded(post)}/comments/{number}", Comment)
        except NotGiven as refused:
            shown = self._asking.last
            told = Told(State.UNKNOWN, refused.says)
            if refused.not_found:
                told = self._missing(post, number)
                told = Told(told.state, f"{refused.says} below its post; {told.reason}")
            return Sighting(native_id=name, state=told.state, exchange=shown, reason=told.reason)
        return Sighting(native_id=name, state=State.PRESENT, exchange=self._asking.last, reason="200")

    def _missing(self, post: str, number: str) -> Told:
        """A comment that is not found below its post: by what the post shows, which is asked for once in a visit."""
        if post not in self._above:
            self._above[post] = self._read(post)
        told = self._above[post]
        if number in self._shown.get(post, ()):
            return Told(State.PRESENT, "it is among the comments that the post shows")
        return told

    def _read(self, post: str) -> Told:
        """Read all comments of a post, and say what is to be concluded of one that is not among them."""
        try:
            counted = self._asking.one(f"socialMetadata/{coded(post)}", Metadata).what
        except NotGiven as refused:
            if not refused.not_found:
                return Told(State.UNKNOWN, f"what is said of the post is kept from us ({refused.says})")
            stands = self._post(post)
            known = stands.state is State.GONE
            return Told(State.GONE if known else State.UNKNOWN, f"the post: {stands.reason}")
        shown = self._shown.setdefault(post, set())
        waiting = [] if _uncommented(counted) else [posts.comments_of(post, counted)]
        whole = True
        while waiting:
            place = waiting.pop()
            told = comments.read(self._asking, self._ours, place, names=self._names)
            self._met += told.observed
            shown |= {one.native_id.rpartition("/")[2] for one in told.observed}
            whole = whole and (told.further is not None or told.whole)
            waiting += [*((told.further,) if told.further else ()), *told.below]
        if not whole:
            return Told(State.UNKNOWN, "not all comments of the post were shown")
        if counted.comment_summary is not None and counted.comment_summary.count > len(shown):
            lacking = (
                f"LinkedIn counts {counted.comment_summary.count} comments on the post and shows {len(shown)}"
            )
            return Told(State.UNKNOWN, lacking)
        closed = (
            ", where comments are turned off, which removes them" if counted.comments_state == CLOSED else ""
        )
        return Told(State.GONE, f"it is not among the comments that the post shows{closed}")

    def _page(self, name: str) -> Sighting:
        """The organisation. That it is not shown proves nothing: it may be closed, or be kept from us."""
        try:
            self._asking.one(f"organizations/{self._ours.number}", Organisation)
        except NotGiven as refused:
            return Sighting(
                native_id=name, state=State.UNKNOWN, exchange=self._asking.last, reason=refused.says
            )
        return Sighting(native_id=name, state=State.PRESENT, exchange=self._asking.last, reason="200")

    def _weighed(self, refused: NotGiven) -> tuple[State, str]:
        if not refused.not_found:
            return State.UNKNOWN, refused.says
        if self._still_trusted():
            return State.GONE, f"{refused.says}, to whoever has a role on the page"
        return (
            State.UNKNOWN,
            f"{refused.says}; LinkedIn does not say that whoever asks has a role on the page",
        )

    def _still_trusted(self) -> bool:
        """Whether whoever connected the page still has a role on it; asked once in a visit."""
        if self._trusted is None:
            try:
                told = self._asking.many(ROLES, Role, count=100)
                self._trusted = any(seen.what.of == self._ours.urn for seen in told.items)
            except NotGiven:
                self._trusted = False
        return self._trusted


def _uncommented(counted: Metadata) -> bool:
    summary = counted.comment_summary
    return summary is not None and summary.count == 0 and summary.top_level_count == 0
