"""What LinkedIn has to tell by itself of a page: comments, edits and removals of them, for sixty days.

Only what happened to which comment is asked for (`fields`), and none of its
words: those stand with the comment, where they belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.contract import Gap, Sighting, State
from connectors.linkedin.asking import Asking
from connectors.linkedin.paging import Spot
from connectors.linkedin.parse import Ours
from connectors.linkedin.reading import Answer
from connectors.linkedin.shapes import Notice
from connectors.linkedin.urns import POST, coded, comment, is_thread, listed, under
from connectors.pieces import Seen

REMARKED = ("COMMENT", "ADMIN_COMMENT", "COMMENT_EDIT")
REMOVED = "COMMENT_DELETE"

_AT_ONCE = 100
"""They are short: no page's size needs to be smaller."""

FIELDS = "notificationId,action,sourcePost,generatedActivity,lastModifiedAt,decoratedSourcePost:(entity)"


@dataclass(slots=True)
class Told:
    """What an answer tells: comments that were removed, and posts on which something was said or changed."""

    sightings: list[Sighting] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)


def asked(
    asking: Asking, ours: Ours, since: datetime, until: datetime, spot: Spot
) -> tuple[Answer[Notice], Spot]:
    """One answer of what LinkedIn has to tell of that time."""
    span = f"(start:{_milliseconds(since)},end:{_milliseconds(until)})"
    path = (
        f"organizationalEntityNotifications?q=criteria&actions={listed((*REMARKED, REMOVED))}"
        f"&organizationalEntity={coded(ours.urn)}&timeRange={span}&fields={FIELDS}"
    )
    return asking.onward(path, Notice, spot, _name, size=_AT_ONCE, called="notificationId")


def read(items: Sequence[Seen[Notice]], aliases: Mapping[str, str], exchange: int) -> Told:
    """What these notices tell, with the names of posts that are known so far."""
    told = Told()
    known = dict(aliases)
    for seen in items:
        notice = seen.what
        about = comment(notice.generated_activity)
        thread = notice.source_post if is_thread(notice.source_post) else (about.thread if about else None)
        if thread is None:
            continue
        post = post_of(thread, notice, known)
        if post is not None and thread != post:
            known[thread] = told.aliases[thread] = post
        if notice.action in REMARKED:
            if post is not None:
                told.posts.append(post)
            else:
                why = f"LinkedIn tells of something on {thread}, and not which post that is: a pass over everything reads it"
                told.gaps.append(Gap(what="comments", why=why))
        elif notice.action == REMOVED and post is not None and about is not None:
            reason = f"notification {notice.notification_id}: {REMOVED}"
            told.sightings.append(
                Sighting(
                    native_id=under(post, about.number), state=State.GONE, exchange=exchange, reason=reason
                )
            )
    return told


def post_of(thread: str, notice: Notice, aliases: Mapping[str, str]) -> str | None:
    """The post as the archive calls it: by what is known, by its own name, or by what stands beside it."""
    if thread in aliases:
        return aliases[thread]
    if POST.fullmatch(thread):
        return thread
    beside = notice.decorated_source_post.entity if notice.decorated_source_post else None
    return beside if beside and POST.fullmatch(beside) else None


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _name(notice: Notice) -> str:
    return f"{notice.notification_id} {notice.action} {notice.generated_activity}"
