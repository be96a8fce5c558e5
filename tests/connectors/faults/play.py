"""A play: one world read without any trouble, and its twin with the faults of a seed, until both archives are compared.

What must hold at any time: an item that the page shows was never stored as
absent or gone. What must hold at the end, when one undisturbed run of each
kind went through: the records are those of an archive that read the same page
whole and without any trouble, nothing missed, nothing twice.

What happens on the page while it is read with faults happens on the twin's
too, in the same order, with a look after each.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.capture import lanes
from app.capture.run import Pass
from app.capture.runs import Report
from tests.connectors.faults import worlds
from tests.connectors.faults.archive import Archive, Kept
from tests.connectors.faults.attempts import Attempt, attempts, in_ways, with_renewals
from tests.connectors.faults.worlds import FAMILY, RENEWED, STREAM, SWEEP, WHOLE, WINDOW

_MOST_CALM_RUNS = 3
_NOTHING_LEFT = (StopIteration, LookupError, AssertionError)
"""A small world's way of saying that what should be edited or removed is not there any more."""

Begun = tuple[datetime | None, datetime | None]


@dataclass
class Play:
    """One play of a kind, over a twin that is left in peace and an archive that is not."""

    kind: str
    name: str
    seed: int
    twin: Archive
    disturbed: Archive
    told: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._key = self.name if self.kind == WHOLE else f"{self.kind}/{self.name}"
        self._chance = random.Random(f"{self._key}/{self.seed}/play")
        offered = worlds.ways(self.name)
        assert offered == self.disturbed.offers(), "a world can be read in other ways than it is tried in"
        self._ways = worlds.KINDS[self.kind] & offered
        self._sweeps = 0

    def go(self) -> None:
        """Make the disturbed runs, and find both archives the same."""
        self._looked()
        questions = self.twin.asked
        self._plan()
        if self.kind != WHOLE and self._chance.random() < 0.5:
            self._calmly(Pass())
        for number, attempt in enumerate(self.attempts(questions)):
            report = self._read(attempt)
            ended = "killed" if report is None else report.as_dict()
            self.told.append(f"run {number}: {attempt}: {ended}")
            self._nothing_is_missed_by_mistake()
        for hook in self.happened:
            getattr(self.twin.world, hook)()
            self._looked()
        self._settle()
        compare(self.twin, self.disturbed, self.story)

    def attempts(self, questions: int) -> Sequence[Attempt]:
        """The disturbed runs of this play."""
        world = self.disturbed.world
        more = ["conceal"] if hasattr(world, "conceal") else []
        told = attempts(self._key, self.seed, questions, world.cannot, more)
        if self.kind == WHOLE:
            return told
        told = in_ways(told, self._key, self.seed, questions, self._ways)
        return with_renewals(told, self._key, self.seed, questions) if self.kind == RENEWED else told

    @property
    def story(self) -> str:
        return "\n".join(self.told)

    # -- what is read --------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Which family, and which spans of time, the runs of this play are about."""
        kept = self.twin.kept()
        answered = [one.answers for one in kept.values()]
        posts = [name for name, one in kept.items() if one.kind == "post" and one.answers is None]
        posts.sort(key=lambda name: (-answered.count(name), name))
        assert posts, "the world shows no posts"
        self._root = kept[self._chance.choice(posts[:2])]
        times = sorted({one.published_at for one in kept.values() if one.published_at is not None})
        cuts = sorted(self._chance.sample(times, min(2, len(times))))
        self._spans: list[Begun] = list(zip([None, *cuts], [*cuts, None], strict=True))

    def _passes(self) -> list[Pass]:
        """All of the page, in parts that meet at the moment of an item: the window, and what is older."""
        *older, recent = self._spans
        return [
            Pass(lane=lanes.WINDOW, published_from=recent[0], published_until=recent[1]),
            *(Pass(lane=lanes.SWEEP, published_from=since, published_until=until) for since, until in older),
        ]

    def _read(self, attempt: Attempt) -> Report | None:
        """One disturbed run."""
        window, *sweeps = self._passes()
        match attempt.way:
            case worlds.STREAM:
                meanwhile = self._chance.random() < 0.3
                return self.disturbed.listen(attempt, self._happens, meanwhile=meanwhile)
            case worlds.FAMILY:
                pass_ = self._family(attempt.most)
            case worlds.WINDOW:
                pass_ = _within(window, attempt.most)
            case worlds.SWEEP:
                self._sweeps += 1
                pass_ = _within(sweeps[self._sweeps % len(sweeps)] if sweeps else window, attempt.most)
            case _:
                pass_ = Pass(most=attempt.most)
        return self.disturbed.capture(attempt, self._happens, pass_=pass_)

    def _family(self, most: int | None = None) -> Pass:
        """The post of this play alone, by the name that it has in the disturbed world, with what answers it."""
        root = self._root.native_id.replace(self.twin.netloc, self.disturbed.netloc)
        return Pass(lane=lanes.SURGE, families=[root], most=most)

    def _happens(self, hook: str) -> None:
        if self._acts(self.disturbed, hook) is not None:
            self.happened.append(hook)
            self.disturbed.met.add(f"page {hook}")

    def _acts(self, archive: Archive, hook: str) -> str | None:
        """Let something happen on a page; the name of the item, or None where nothing is left that it could happen to."""
        try:
            return archive.plain(str(getattr(archive.world, hook)()))
        except _NOTHING_LEFT:
            self.told.append(f"nothing was left to {hook}")
            return None

    # -- without trouble -----------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Without any trouble, one run of each way that this play is about goes through, and all of the page is read."""
        if self.kind == RENEWED:
            self._calmly(Pass())
            return
        if STREAM in self._ways:
            self._hears()
        if FAMILY in self._ways:
            self._sees_a_family()
        for pass_ in self._passes() if {WINDOW, SWEEP} <= self._ways else [Pass()]:
            self._calmly(pass_)

    def _looked(self) -> None:
        report = self.twin.capture()
        assert report is not None
        assert report.finished, f"an undisturbed run failed: {report.gaps}\n{self.story}"

    def _calmly(self, pass_: Pass) -> None:
        """A pass that nothing disturbs goes through, whatever was left unfinished before."""
        for _ in range(_MOST_CALM_RUNS):
            report = self.disturbed.capture(pass_=pass_)
            assert report is not None
            if report.finished:
                return
            self.told.append(f"calm: {report.as_dict()}")
        raise AssertionError(f"no run completed after all trouble was over\n{self.story}")

    def _hears(self) -> None:
        """What happens while a stream is heard without trouble is held at once as a pass would have it."""
        cannot = self.disturbed.world.cannot
        # Removals first: what is published here is not removed before the twin has looked.
        acts = [
            hook for hook in ("remove", "publish", "edit") if not cannot.keys() & {hook, f"stream_{hook}"}
        ]
        names: list[str] = []

        def happens(hook: str) -> None:
            name = self._acts(self.disturbed, hook)
            names.extend([name] if name is not None and self._acts(self.twin, hook) is not None else [])

        for _ in range(_MOST_CALM_RUNS):
            # Questions that nobody asks: all of it happens once the stream is open.
            self.disturbed.listen(Attempt(way=STREAM, page=dict(enumerate(acts, start=1000))), happens)
            if names:
                break
        self._looked()
        assert names, f"nothing could happen while the stream was heard\n{self.story}"
        held, wanted = self.disturbed.kept(), self.twin.kept()
        shown = self.disturbed.shown()
        for name in names:
            if name not in held and name not in shown:
                continue  # it was removed before anybody had seen it
            assert name in held, f"the stream told nothing of {name}\n{self.story}"
            _same(name, held[name], wanted[name], shown, self.story)
        self._nothing_is_missed_by_mistake()

    def _sees_a_family(self) -> None:
        """A post observed alone, with what answers it, is held with all of it as a pass over the page would have it."""
        root = self.twin.plain(self._root.native_id)
        if root not in self.disturbed.shown():
            return
        self._calmly(self._family())
        held, wanted = self.disturbed.kept(), self.twin.kept()
        shown = self.twin.shown()
        members = _below({name: one for name, one in wanted.items() if name in shown}, root)
        missed = set(members) - set(held)
        assert not missed, f"missed of a family: {missed}\n{self.story}"
        for name in members:
            _same(name, held[name], wanted[name], self.disturbed.shown(), self.story)
        self._nothing_is_missed_by_mistake()

    def _nothing_is_missed_by_mistake(self) -> None:
        wrong = self.disturbed.missed_by_mistake()
        assert not wrong, f"{wrong} are shown, and were stored as absent or gone\n{self.story}"


def play(kind: str, name: str, seed: int, twin: Archive, disturbed: Archive) -> Play:
    """Play a kind of trouble in a world, by the seed."""
    one = Play(kind, name, seed, twin, disturbed)
    one.go()
    return one


def compare(twin: Archive, disturbed: Archive, story: str) -> None:
    """The two archives hold the same; what was there and gone between two looks may be known to the twin alone."""
    wanted, held, shown = twin.kept(), disturbed.kept(), disturbed.shown()
    assert twin.shown() == shown, f"the twins' worlds have drifted apart\n{story}"
    assert shown <= set(held), f"missed: {shown - set(held)}\n{story}"
    assert set(held) <= set(wanted), f"nobody else knows of {set(held) - set(wanted)}\n{story}"
    wrong = disturbed.missed_by_mistake()
    assert not wrong, f"{wrong} are shown, and were stored as absent or gone\n{story}"
    for name, one in held.items():
        _same(name, one, wanted[name], shown, story)
    assert disturbed.findings() == [], story


def _same(name: str, one: Kept, wanted: Kept, shown: Collection[str], story: str) -> None:
    """What the page shows is held alike; of what it shows no longer, the last words may have been missed."""
    if name in shown:
        assert one.is_same(wanted), f"{name}: {one} and not {wanted}\n{story}"
    else:
        assert (one.kind, one.state) == (wanted.kind, wanted.state), (
            f"{name}: {one.state} and not {wanted.state}\n{story}"
        )


def _below(kept: Mapping[str, Kept], root: str) -> list[str]:
    """A post and everything that answers it, at any depth."""
    found = [root]
    for above in found:
        found += [name for name, one in kept.items() if one.answers == above and name not in found]
    return found


def _within(pass_: Pass, most: int | None) -> Pass:
    return Pass(
        lane=pass_.lane, published_from=pass_.published_from, published_until=pass_.published_until, most=most
    )
