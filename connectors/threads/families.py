"""Observes one post alone, with everything that answers it; or an answer of the account's, or what names it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.contract import Batch, Cursor, Gap, Kind, Observation
from connectors.graph import NotGiven, advanced, files_kept_back
from connectors.graph_passes import under
from connectors.threads import parse, shapes
from connectors.threads.place import CONVERSATION, PENDING
from connectors.threads.reading import Walk, answered_and_not_shown, following
from connectors.threads.shapes import Media
from connectors.threads.standing import Standing


def observed(walk: Walk, root: str, cursor: Cursor, *, approves: bool) -> Iterator[Batch]:
    """The item `root` and what answers it. Of what others published, what answers it is not told."""
    way, _, identity = root.rpartition(":")
    if way == parse.MENTION:
        yield from _mention(walk, root, identity, cursor)
    elif not way:
        yield from _post(walk, root, cursor, approves=approves)


def _post(walk: Walk, root: str, cursor: Cursor, *, approves: bool) -> Iterator[Batch]:
    asking, ours, began = walk.asking, walk.account, walk.asking.now()
    try:
        fields: Sequence[str] = shapes.POST_FIELDS
        seen, _ = asking.one(root, Media, fields)
        if seen.what.is_reply:
            # Less is told of answers, and what is told of this one must be what lists tell of it.
            fields = shapes.REPLY_FIELDS
            seen, _ = asking.one(root, Media, fields)
    except NotGiven:
        for sightings in Standing(asking, ours.number).of([(Kind.POST, root)]):
            yield asking.batch(cursor, sightings=sightings, gaps=_gaps(walk))
        return
    gap = parse.without_files(seen)
    walk.gaps += [gap] if gap is not None else []
    told = [parse.media(seen, ours.number, ours.username, described=walk.describes(fields))]
    walk.gaps += files_kept_back(told)
    yield asking.batch(cursor, told, gaps=_gaps(walk))
    if seen.what.ghost_post_status:
        return
    names, whole, met = [root], True, dict[str, set[str]]()
    left: list[tuple[str, Mapping[str, str]]] = [(CONVERSATION, {})]
    if approves and not seen.what.is_reply:
        left.append((PENDING, {}))
    while left:
        kind, at = left.pop(0)
        below: list[Observation] = []
        try:
            found = walk.below(kind, root, at)
        except NotGiven as refused:
            # Where answers are not approved one by one, there are none that wait.
            if kind != PENDING or refused.forbidden or refused.not_found:
                walk.gaps.append(Gap(what="answers", why=refused.why, native_id=root))
                whole = False
        else:
            below = walk.answers(found, root)
            walk.gaps += files_kept_back(below)
            names += [one.native_id for one in below]
            leads, whole = following(found), whole and not found.unread
            if kind == CONVERSATION and seen.what.has_replies and len(names) == 1 and leads is None and whole:
                walk.gaps.append(answered_and_not_shown(root))
                whole = False
            if leads is not None:
                left.insert(0, (kind, advanced(leads, met.setdefault(kind, set()), f"the {kind} of {root}")))
        listings = under(names, began, asking.last) if whole and not left else ()
        yield asking.batch(cursor, below, listings=listings, gaps=_gaps(walk))


def _mention(walk: Walk, root: str, identity: str, cursor: Cursor) -> Iterator[Batch]:
    """What names the account: given by its number to applications with Advanced Access, and listed to all."""
    asking, ours = walk.asking, walk.account
    try:
        seen, _ = asking.one(identity, Media, shapes.MENTION_FIELDS)
    except NotGiven:
        for sightings in Standing(asking, ours.number).of([(Kind.POST, root)]):
            yield asking.batch(cursor, sightings=sightings, gaps=_gaps(walk))
        return
    described = walk.describes(shapes.MENTION_FIELDS)
    told = [parse.media(seen, ours.number, ours.username, mention=True, described=described)]
    yield asking.batch(cursor, told, gaps=_gaps(walk))


def _gaps(walk: Walk) -> list[Gap]:
    """What was not got, each told once."""
    gaps, walk.gaps = [*walk.gaps, *walk.fields_dropped()], []
    return gaps
