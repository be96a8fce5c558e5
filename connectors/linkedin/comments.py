"""What answers a post or a comment: one answer of its list at a time, and the lists below that are to be read next.

LinkedIn answers 404 where there are no comments. What it counts of a post tells
that from a list that is kept from us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from connectors.contract import Gap, Observation
from connectors.linkedin import parse, people
from connectors.linkedin.asking import Asking
from connectors.linkedin.parse import Ours
from connectors.linkedin.people import People
from connectors.linkedin.place import Below
from connectors.linkedin.refusals import NotGiven
from connectors.linkedin.shapes import Comment
from connectors.linkedin.urns import coded, parted, under
from connectors.pieces import Seen


@dataclass(frozen=True, slots=True)
class Read:
    """One answer: what it showed, where the list goes on (None: it is read to its end), and the lists below it.

    `whole` says whether an end is one of which it is certain that everything was shown; `shut` that comments are
    kept from us altogether, and `odd` that one of them could not be read.
    """

    observed: Sequence[Observation] = ()
    further: Below | None = None
    below: Sequence[Below] = ()
    gaps: Sequence[Gap] = ()
    whole: bool = True
    shut: bool = False
    odd: bool = False


def read(asking: Asking, ours: Ours, place: Below, *, names: bool) -> Read:
    """One answer of the list at `place`."""
    try:
        answer, spot = asking.onward(
            f"socialActions/{coded(place.target)}/comments", Comment, place.at, parse.number, method=""
        )
    except NotGiven as refused:
        return _refused(place, refused)
    who = people.named(asking, [seen.what.actor for seen in answer.items]) if names else People()
    observed = [_named(parse.remark(seen, place.post, place.name, ours), who) for seen in answer.items]
    odd = place.at.unmet(answer.unread)
    place = msgspec.structs.replace(place, partly=place.partly or bool(odd))
    # Answers overlap by one comment: what stands below that one was read with the answer before.
    below, left = _below(place, place.at.fresh(answer.items, parse.number))
    gaps = [*who.gaps, *asking.gaps_of("a comment", odd, lambda number: _name(place.post, number))]
    gaps += [
        Gap(what="a picture of a comment", why=parse.KEPT_BACK, native_id=one.native_id)
        for one in observed
        if not one.files_told
    ]
    if spot.ended and spot.unsure:
        why = "comments were removed each time while their list was read"
        gaps.append(Gap(what="comments", why=why, native_id=place.name))
    return Read(
        observed=observed,
        further=None if spot.ended else msgspec.structs.replace(place, at=spot, answers=left),
        below=below,
        gaps=gaps,
        whole=spot.ended and not spot.unsure and not place.partly,
        odd=bool(odd),
    )


def _name(post: str, number: str) -> str | None:
    """The native id of a comment of which no more than its number can be read."""
    name = under(post, number)
    return name if parted(name) is not None else None


def _below(place: Below, items: Sequence[Seen[Comment]]) -> tuple[list[Below], int | None]:
    """The comments of an answer of which the answers are asked for, and how many answers are not accounted for then.

    Comments may say how many answers they have. Those that do not are asked as
    long as LinkedIn counts more comments below the post than were accounted
    for. What answers an answer hangs on the first comment, and is asked for
    only where an answer says that it has some. What could not be read among the
    answers of a comment may answer any of them.
    """
    partly = place.partly and not place.top
    told = {
        parse.number(seen.what): seen.what.comments_summary.total_first_level_comments
        for seen in items
        if seen.what.comments_summary is not None
    }
    left = place.answers
    if left is not None:
        left = max(0, left - sum(counted or 0 for counted in told.values()))
    found = []
    for seen in items:
        number = parse.number(seen.what)
        counted = told.get(number)
        if counted or (counted is None and place.top and left != 0):
            name = under(place.post, number)
            target = parse.urn(seen.what)
            found.append(Below(post=place.post, name=name, target=target, counted=counted, partly=partly))
    return found, left


def _refused(place: Below, refused: NotGiven) -> Read:
    if refused.not_found and not (place.top and place.counted):
        # None are there; or what they answered was removed meanwhile, and they with it.
        return Read(whole=not place.partly)
    why = refused.why
    if refused.not_found:
        why = f"LinkedIn counts {place.counted} and lists none ({refused.says})"
    # Where LinkedIn does not even count them, comments are kept from us on every post.
    shut = refused.forbidden and place.top and place.counted is None
    gap = Gap(what="comments", why=why, native_id=None if shut else place.name)
    return Read(gaps=(gap,), whole=False, shut=shut)


def _named(seen: Observation, who: People) -> Observation:
    """The same comment, with its author's name where LinkedIn told it."""
    found = who.told.get(seen.author.id or "") if seen.author else None
    return seen if found is None else replace(seen, author=found[0], evidence=(*seen.evidence, found[1]))
