"""Observes one post alone, with everything that answers it; or a story, or what names the account elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from connectors.contract import Batch, Cursor, Gap, Kind, Listing
from connectors.graph import NotGiven, advanced, files_kept_back
from connectors.graph_passes import under
from connectors.http import decoded
from connectors.instagram import parse, shapes
from connectors.instagram.asking import Door
from connectors.instagram.place import COUNTED, REPLIES
from connectors.instagram.reading import Answered, Walk, counted_and_not_shown
from connectors.instagram.shapes import Media, Mentioned
from connectors.instagram.standing import Standing
from connectors.instagram.told import OF_COMMENT
from connectors.pieces import Seen

_WITHIN_A_POST = 50


def observed(walk: Walk, door: Door, root: str, cursor: Cursor) -> Iterator[Batch]:
    """The item `root` and what answers it. Of what others published, what answers it is not told."""
    way, _, identity = root.partition(":")
    if not identity:
        yield from _post(walk, door, root, cursor)
    elif way == OF_COMMENT:
        yield from _of_comment(walk, door, identity, cursor)
    elif way == parse.STORY:
        yield from _alone(walk, door, root, identity, cursor)
    elif way in {parse.MENTION, parse.MENTION_COMMENT} and door is Door.FACEBOOK:
        yield from _mention(walk, way, identity, cursor)


def _post(walk: Walk, door: Door, root: str, cursor: Cursor) -> Iterator[Batch]:
    asking, began = walk.asking, walk.asking.now()
    try:
        seen, exchange = asking.one(root, Media, shapes.media_fields(_WITHIN_A_POST))
    except NotGiven:
        # Removed, or kept from us: what answers it is then not shown either, and none of it is listed.
        yield from _stands(walk, door, root, cursor)
        return
    found = walk.below(seen, decoded(exchange))
    gap, post = parse.without_files(seen), walk.post(seen)
    walk.gaps += [*([gap] if gap is not None else []), *files_kept_back([post])]
    yield asking.batch(
        cursor,
        [post, *found.seen],
        listings=_listed(walk, found, began),
        gaps=_gaps(walk),
    )
    met: dict[str, set[str]] = {}
    odd: set[str] = set()
    waiting = list(reversed(found.waiting))
    while waiting:
        edge, name, at = waiting.pop()
        try:
            below, told = walk.replies(name, at) if edge == REPLIES else walk.comments(name, at)
        except NotGiven as refused:
            walk.gaps.append(Gap(what="comments", why=refused.why, native_id=name))
            yield asking.batch(cursor, gaps=_gaps(walk))
            continue
        odd |= {name} if told.unread else set()
        if told.following is not None:
            before = met.setdefault(f"{edge} {name}", set())
            waiting.append((edge, name, dict(advanced(told.following, before, f"the {edge} of {name}"))))
        elif edge == COUNTED and not told.gave and not at:
            walk.gaps.append(counted_and_not_shown(name))
        elif name not in odd:
            below.complete.append(name)
        waiting += reversed(below.waiting)
        yield asking.batch(cursor, below.seen, listings=_listed(walk, below, began), gaps=_gaps(walk))


def _of_comment(walk: Walk, door: Door, comment: str, cursor: Cursor) -> Iterator[Batch]:
    """The post below which a comment stands: of a comment on an album, Instagram tells the picture alone."""
    try:
        seen, _ = walk.asking.one(comment, shapes.Comment, ("id", "media{id}"))
    except NotGiven:
        stands = Standing(walk.asking, walk.account.number, door).of([(Kind.COMMENT, comment)])
        for sightings in stands:
            yield walk.asking.batch(cursor, sightings=sightings)
        return
    if seen.what.media is not None:
        yield from _post(walk, door, seen.what.media.id, cursor)


def _alone(walk: Walk, door: Door, root: str, identity: str, cursor: Cursor) -> Iterator[Batch]:
    try:
        seen, _ = walk.asking.one(identity, Media, shapes.STORY_FIELDS)
    except NotGiven:
        yield from _stands(walk, door, root, cursor)
        return
    yield walk.asking.batch(cursor, [parse.post(seen, walk.account.number, parse.STORY)], gaps=_gaps(walk))


def _mention(walk: Walk, way: str, identity: str, cursor: Cursor) -> Iterator[Batch]:
    """What names the account: `mention:MEDIA`, or `mention-comment:MEDIA:COMMENT`."""
    media, _, comment = identity.partition(":")
    asking, ours = walk.asking, walk.account.number
    fields = [f"mentioned_media.media_id({media}){{{','.join(shapes.OTHERS_FIELDS)}}}"]
    if way == parse.MENTION_COMMENT:
        fields = [f"mentioned_comment.comment_id({comment}){{{','.join(shapes.MENTION_FIELDS)}}}"]
    try:
        seen, exchange = asking.one(ours, Mentioned, ("id", *fields))
    except NotGiven:
        yield asking.batch(cursor, gaps=_gaps(walk))
        return
    body, told = decoded(exchange), []
    where = parse.place_of(body, seen, "mentioned_media")
    if where is not None and seen.what.mentioned_media is not None:
        told.append(parse.post(Seen(seen.what.mentioned_media, where), ours, parse.MENTION))
    where = parse.place_of(body, seen, "mentioned_comment")
    if where is not None and seen.what.mentioned_comment is not None:
        told.append(parse.mention(Seen(seen.what.mentioned_comment, where), media))
    yield asking.batch(cursor, told, gaps=_gaps(walk))


def _stands(walk: Walk, door: Door, root: str, cursor: Cursor) -> Iterator[Batch]:
    for sightings in Standing(walk.asking, walk.account.number, door).of([(Kind.POST, root)]):
        yield walk.asking.batch(cursor, sightings=sightings, gaps=_gaps(walk))


def _listed(walk: Walk, found: Answered, began: datetime) -> list[Listing]:
    return under(found.complete, began, walk.asking.last)


def _gaps(walk: Walk) -> list[Gap]:
    """What was not got, each told once."""
    gaps, walk.gaps = [*walk.gaps, *walk.fields_dropped()], []
    return gaps
