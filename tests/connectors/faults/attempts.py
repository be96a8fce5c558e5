"""What goes wrong, and when: drawn from a seed, and the same wherever it runs."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.connectors.faults.worlds import FAMILY, STREAM, WHOLE

POINTS = ("before-objects", "after-objects", "after-keyring", "before-commit", "after-commit")
OF_THE_WIRE = ("nobody", "timeout", "reset", "cut", "empty", "refused", "sign-in", "failing")
OF_THE_PLATFORM = ("throttle", "fail", "cut", "revoke", "sign_in")
OF_THE_PAGE = ("publish", "edit", "remove")
OF_A_RENEWAL = ("nobody", "lost", "down", "busy", "no-token", "not-ours")
"""What the token endpoint does: cannot be reached, answers unheard, fails, says later, tells no token, refuses us."""
POINTS_OF_A_RENEWAL = ("before-use", "after-answer", "before-commit", "after-commit", "after-renewal")

_ASKED_OF_A_STREAM = 5
"""About so many questions lead to a stream, and are asked while it is heard."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One run and what goes wrong in it.

    By the number of a question: on the wire, and on the page before it is
    asked. The platform's own trouble begins after some answers, and the
    process is killed at a point of capture when it has come there so often.
    `most` is what is left of the page's budget. By the number of a renewal:
    what becomes of it; before the question `ended` the platform ends the
    access token early.
    """

    way: str = WHOLE
    wire: Mapping[int, str] = field(default_factory=dict)
    page: Mapping[int, str] = field(default_factory=dict)
    platform: tuple[str, int] | None = None
    kill: tuple[str, int] | None = None
    most: int | None = None
    renewals: Mapping[int, str] = field(default_factory=dict)
    ended: int | None = None


def attempts(
    name: str, seed: int, questions: int, cannot: Collection[str], more: Sequence[str] = ()
) -> list[Attempt]:
    """The disturbed runs of a seed. `questions` is how many a whole pass asks when nothing disturbs it.

    `more` happens on this page besides what happens on all.
    """
    chance = random.Random(f"{name}/{seed}")  # nobody's secret depends on it
    troubles = [hook for hook in OF_THE_PLATFORM if hook not in cannot]
    happens = [hook for hook in (*OF_THE_PAGE, *more) if hook not in cannot]
    return [
        Attempt(
            wire={
                chance.randrange(2 * questions): chance.choice(OF_THE_WIRE)
                for _ in range(chance.choice((0, 1, 1, 2, 3)))
            },
            page={
                chance.randrange(questions): chance.choice(happens)
                for _ in range(chance.choice((0, 1, 1, 2)))
            },
            platform=(chance.choice(troubles), chance.randrange(questions))
            if troubles and chance.random() < 0.5
            else None,
            kill=(chance.choice(POINTS), chance.randint(1, 4)) if chance.random() < 0.4 else None,
        )
        for _ in range(chance.randint(2, 5))
    ]


def in_ways(
    told: Sequence[Attempt], name: str, seed: int, questions: int, ways: Collection[str]
) -> list[Attempt]:
    """The same runs, each in one of these ways; what asks less is disturbed earlier, and some have little budget."""
    chance = random.Random(f"{name}/{seed}/ways")
    asked = {FAMILY: max(_ASKED_OF_A_STREAM, questions // 3), STREAM: _ASKED_OF_A_STREAM}
    return [
        replace(
            _earlier(one, asked.get(way, questions), questions),
            way=way,
            most=chance.randint(1, questions) if chance.random() < 0.2 else None,
        )
        for one, way in ((one, chance.choice(sorted(ways))) for one in told)
    ]


def with_renewals(told: Sequence[Attempt], name: str, seed: int, questions: int) -> list[Attempt]:
    """The same runs with trouble at the token endpoint, kills in the midst of a renewal, and tokens ended early."""
    chance = random.Random(f"{name}/{seed}/renewals")
    ends = (*OF_A_RENEWAL, *POINTS_OF_A_RENEWAL)
    return [
        replace(
            one,
            renewals={chance.randrange(4): chance.choice(ends) for _ in range(chance.choice((0, 1, 3, 3)))},
            ended=chance.randrange(questions) if chance.random() < 0.4 else None,
        )
        for one in told
    ]


def _earlier(one: Attempt, asked: int, questions: int) -> Attempt:
    if asked >= questions:
        return one
    return replace(
        one,
        wire={number * asked // questions: fault for number, fault in one.wire.items()},
        page={number * asked // questions: act for number, act in one.page.items()},
        platform=one.platform and (one.platform[0], one.platform[1] * asked // questions),
    )
