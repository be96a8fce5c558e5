"""The comments of one submission, to the last of them.

Reddit shows a part of a tree, and in it where something is left out. Ids are
asked for by themselves, a hundred at once; where a thread goes on below a
comment without any ids, the tree is asked for again from that comment on. Ids
that were asked for and do not come are asked for by name: they are removed, or
the answer was not whole, and then the tree is asked for from there. Where one
of these questions fails for ever the rest of the tree is read all the same,
and so is what stands beside a comment that is told in another shape.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.contract import Gap, Observation, Sighting
from connectors.errors import UnexpectedResponse
from connectors.failing import AGAIN, IN_SUCCESSION
from connectors.pieces import Seen, Unread
from connectors.reddit import parse
from connectors.reddit.asking import AT_ONCE, Asking
from connectors.reddit.refusals import NotGiven
from connectors.reddit.shapes import T1, T3, Thing


@dataclass(slots=True)
class Step:
    """What one question, with what it led to at once, has shown; `last` says that nothing is left out any more."""

    observations: list[Observation] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    last: bool = False


class Tree:
    """A submission with its comments. `speakers` are those who speak for the agency."""

    def __init__(self, asking: Asking, link: str, speakers: Collection[str]) -> None:
        self._asking, self._link, self._speakers = asking, link, speakers
        self._left: deque[tuple[str, tuple[str, ...]]] = deque()
        self._asked: set[str] = set()
        """Ids that were asked for, and comments below which the tree was asked for."""
        self._failed = 0
        """So many questions about parts of it failed since one was answered."""
        self.met: dict[str, None] = {}
        """Everything that was shown, the submission among it, in the order in which it was met."""
        self.whole = True
        self.moderated = False
        """Whether we are shown what only the moderators of its subreddit see."""

    def read(self) -> Iterator[Step]:
        """Everything, a step for each question; `NotGiven` where the submission is not shown."""
        first, below = self._asking.tree(self._link)
        for one in first.items:
            if not isinstance(one.what, T3) or one.what.data.name != self._link:
                raise self._another()
            self.moderated = bool(one.what.data.can_mod_post)
        if any(one.id not in {None, self._link} for one in first.unread):
            raise self._another()
        strange = self._unread("submissions", first.unread) + self._unread("comments", below.unread)
        yield self._step([*first.items, *below.items], strange)
        while self._left:
            parent, ids = self._left.popleft()
            yield self._by_ids(ids) if ids else self._below(parent)

    def _another(self) -> UnexpectedResponse:
        return UnexpectedResponse(f"Reddit was asked for {self._link}, and shows another submission.")

    def _step(self, things: Sequence[Seen[Thing]], gaps: Sequence[Gap] = ()) -> Step:
        step = Step(gaps=list(gaps))
        for one in things:
            said = parse.told(one, self._speakers)
            if said is not None:
                self.met[said.native_id] = None
            if isinstance(said, Observation):
                step.observations.append(said)
            elif isinstance(said, Sighting):
                step.sightings.append(said)
            if isinstance(said, Observation) and not said.files_told:
                step.gaps.append(parse.without_files(said))
        for left in parse.mores(things):
            if not left.data.whole:
                self.whole = False
                why = f"Reddit leaves out comments and names some of them by no id. {AGAIN}"
                step.gaps.append(Gap(what="comments", why=why, native_id=left.data.parent_id))
            ids = [name for name in left.data.ids if name not in self._asked]
            self._asked.update(ids)
            for begin in range(0, len(ids), AT_ONCE):
                self._left.append((left.data.parent_id, tuple(ids[begin : begin + AT_ONCE])))
            if not left.data.children:
                self._goes_on(left.data.parent_id)
        step.last = not self._left
        return step

    def _goes_on(self, comment: str) -> None:
        """The tree is to be asked for again from `comment` on; once."""
        if comment not in self._asked and comment != self._link:
            self._asked.add(comment)
            self._left.append((comment, ()))

    def _by_ids(self, ids: Sequence[str]) -> Step:
        things: list[Seen[Thing]] = []
        strange: list[Gap] = []
        try:
            with self._asking.about("comments", self._link):
                answer = self._asking.more(self._link, ids)
                things, strange = answer.items, self._unread("comments", answer.unread)
        except NotGiven as refused:
            return self._lacks(Gap(what="comments", why=refused.why, native_id=self._link))
        # Where Reddit fails at one of them, each is told by its own name, and what is below it by its own tree.
        shown = {one.what.data.name for one in things if isinstance(one.what, T1)}
        lacking = [f"t1_{name}" for name in ids if f"t1_{name}" not in shown]
        if lacking:
            try:
                answers, failed = self._asking.piecemeal(
                    "comments", lacking, self._asking.info, of=self._link
                )
            except NotGiven as refused:
                lacking_all = Gap(what="comments", why=refused.why, native_id=self._link)
                return self._lacks(lacking_all, things, strange)
            told = [one for shown_by_name in answers for one in shown_by_name.items]
            for shown_by_name in answers:
                strange += self._unread("comments", shown_by_name.unread)
            for one in told:
                if isinstance(one.what, T1) and parse.taken(one.what.data) is None:
                    self._goes_on(one.what.data.name)
            things = [*things, *told]
            if failed:
                return self._fails([*failed, *strange], things)
        self._failed = 0
        return self._step(things, strange)

    def _below(self, comment: str) -> Step:
        things: list[Seen[Thing]] = []
        strange: list[Gap] = []
        try:
            with self._asking.about("answers", self._link) as asked:
                _, answer = self._asking.tree(self._link, comment)
                things, strange = answer.items, self._unread("answers", answer.unread)
        except NotGiven as refused:
            return self._lacks(Gap(what="answers", why=refused.why, native_id=comment))
        if asked.gap is not None:
            return self._fails([replace(asked.gap, native_id=comment)])
        self._failed = 0
        # Where the comment is shown no more, Reddit shows the tree from its beginning: all of it was met already.
        if _leads_nowhere(comment, things):
            why = "Reddit says that there is more below it, and leads on to where it has led before. Look at it in a browser"
            return self._lacks(Gap(what="answers", why=why, native_id=comment), things, strange)
        return self._step(things, strange)

    def _unread(self, what: str, unread: Sequence[Unread]) -> list[Gap]:
        """The gaps of what an answer tells in another shape: then the tree is not whole."""
        self.whole = self.whole and not unread
        return self._asking.gaps_of(what, unread)

    def _lacks(self, gap: Gap, things: Sequence[Seen[Thing]] = (), others: Sequence[Gap] = ()) -> Step:
        self.whole = False
        return self._step(things, [gap, *others])

    def _fails(self, gaps: Sequence[Gap], things: Sequence[Seen[Thing]] = ()) -> Step:
        """A part that fails is passed over; where too many do in succession, so is the rest of the tree."""
        self.whole = False
        self._failed += 1
        step = self._step(things, gaps)
        if self._failed >= IN_SUCCESSION and self._left:
            step.gaps.append(replace(gaps[0], what="the rest of the comments", native_id=self._link))
            self._left.clear()
            step.last = True
        return step


def _leads_nowhere(comment: str, things: Sequence[Seen[Thing]]) -> bool:
    """Whether a tree that begins with a comment says that it goes on below that same comment, and names nothing there."""
    first = things[0].what if things else None
    return (
        isinstance(first, T1)
        and first.data.name == comment
        and any(one.data.parent_id == comment and not one.data.children for one in parse.mores(things))
    )
