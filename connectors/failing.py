"""What a pass does where a platform fails at one object for ever, and answers all else.

A connector visits objects one after another: the comments of each post, the
answers of each comment. A pass that ended at the first of them that fails
would end there every night, and what stands behind it would never be captured.
So an object that fails is passed over: it is a gap of this run, with the
platform's answer as its evidence, and the pass goes on with the next one.

What counts as that: an answer of 5xx, after all that the client does by
itself, to a question about one object. A throttle, a refused permission, a
lost connection, a spent budget, and an answer that names a time to come again
speak for the platform, and end the pass as ever. So does a list that fails:
what it would have named cannot be visited. A list besides the one that a page
consists of MAY be left for the end of the pass, and be a gap where it fails
again; nothing is then promised of what may stand in it. An answer about one object that
cannot be read (HTML, another shape, no end) counts as well for connectors that
say so (`Visit.unread_is_apart`), but not where it is asked how an item stands,
and not where the line broke in its midst.

Where `IN_SUCCESSION` objects fail one after the other and none is read in
between, the platform is taken to be down: the error of the last is raised, and
the pass is resumed there. Those before it stay gaps, and the next pass asks
for them again. Nothing is lost by that which resuming at the first would have
kept, and a pass that stands before many broken objects gets past them, some in
every run, where resuming at the first would stop it there for ever.

How a connector uses it, with `Visit.about` around what it asks of one object:

    with self._asking.about("comments", name) as asked:
        for step in self._thread(name):
            yield self._batch(step)
    if asked.gap is not None:
        self._gaps.append(asked.gap)
        self._move(waiting=others, comments=False)
        yield self._batch()

Whoever passes over an object MUST

- move the cursor behind it, and yield a batch that takes the gap along: a pass
  that is broken off right after it and resumed then ends like any other;
- remember in the cursor, until the pass ends, that not everything was shown,
  and promise no `Listing` with a scope in which something may lie that could
  not be read: neither of the object nor of all comments;
- say nothing of what lies under it, neither sighting nor observation;
- ask for it again in every later pass. So its not being read MUST NOT be noted
  as its having been read: no mark, count or time by which the next pass would
  leave it out.

Looking at how items stand goes by `Visit.standing`: of one at which the
platform fails it is unknown, and the others are told.

An item that stands in a list among others and cannot be read (`pieces.sorted_out`)
is such an object as well, in the page's own lists too: it is a gap
(`Visit.gaps_of`), those beside it and behind it are read, and no `Listing` is
promised in whose scope it may lie, nor below it. Where none of
`pieces.STRANGE` items and more of a list can be read, the list cannot.

A question about the page itself, a list of its objects, or what signs in is
not asked within `about`; where it has to be (a token that is renewed on the
way), `Visit.fails_alone` is narrowed by the connector. Several objects that are
asked for in one question are asked for by `Visit.piecemeal`, so that one of
them does not take the others with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.contract import Gap
from connectors.errors import TryAgainLater, UnexpectedResponse

IN_SUCCESSION = 3
"""After so many failing objects, none of them the same and none read in between, the platform is down."""

FAMILY = "a post with what answers it"
"""What a gap is of where a platform fails at one post that is observed again with all that answers it."""


AGAIN = "Every later pass asks again."
"""How the gap of an object ends of which the platform tells what cannot be read."""


@dataclass(slots=True)
class Asked:
    """What came of asking for one object: `gap` is None where it was answered, whatever the answer."""

    gap: Gap | None = None


class Failing:
    """The objects that failed since one was last read. One for each visit: a resumed pass counts anew."""

    def __init__(self, most: int = IN_SUCCESSION) -> None:
        self._most = most
        self._names: list[str] = []

    def answered(self) -> None:
        """An object was read, or refused: the platform is there."""
        self._names.clear()

    def passed_over(self, error: TryAgainLater | UnexpectedResponse, what: str, native_id: str) -> Gap | None:
        """The gap that stands for the object; None where the platform is to be taken for down.

        An object of which several questions fail counts once.
        """
        if native_id not in self._names:
            self._names.append(native_id)
        return gap(error, what, native_id) if len(self._names) < self._most else None


def fails_alone(error: TryAgainLater) -> bool:
    """Whether an error can be of the one thing that was asked for: a whole answer of 5xx that names no time."""
    if error.after is not None or not error.exchanges:
        return False
    last = error.exchanges[-1]
    return last.status >= 500 and last.truncated is None and last.failure is None


def gap(error: TryAgainLater | UnexpectedResponse, what: str, native_id: str | None) -> Gap:
    """What is written down of an object that fails, with the platform's answer, or of which it tells what cannot be read."""
    if isinstance(error, UnexpectedResponse):
        return Gap(what=what, why=f"{error} {AGAIN}", native_id=native_id)
    last = error.exchanges[-1]
    says = f"{last.status} {last.reason}".rstrip()
    return Gap(
        what=what, why=f"the platform answered {says}; every later pass asks again", native_id=native_id
    )
