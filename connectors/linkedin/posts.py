"""Posts with what belongs to them: what LinkedIn counts of each, under which activity it knows it, and its files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from connectors.contract import Gap, Observation
from connectors.linkedin import media, parse
from connectors.linkedin.asking import Asking
from connectors.linkedin.parse import Ours
from connectors.linkedin.place import Below
from connectors.linkedin.shapes import Metadata, Post
from connectors.linkedin.urns import coded, is_thread
from connectors.pieces import Seen


@dataclass(slots=True)
class Read:
    """What was read of some posts: the comments below them that are to be read, and the names that were learned."""

    observed: list[Observation] = field(default_factory=list)
    below: list[Below] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    counted: int = 0


def read(
    asking: Asking, ours: Ours, items: Sequence[Seen[Post]], within: Collection[str] | None = None
) -> Read:
    """Observe these posts; what LinkedIn counts is asked for first, since the list of comments does not say “none”.

    Of those that are not named in `within` (None names all) neither comments nor files are asked for. They are
    observed all the same: their words were told.
    """
    told = Read()
    found = asking.by_ids("socialMetadata", Metadata, {seen.what.id: coded(seen.what.id) for seen in items})
    if found.refused is not None:
        told.gaps.append(Gap(what="counts of posts", why=found.refused.why))
    told.gaps += (replace(one, what="counts of a post") for one in found.failed)
    belonging = {seen.what.id: list(parse.files(seen.what)) for seen in items}
    wanted = [name for name in belonging if within is None or name in within]
    files = media.resolved(asking, [file for name in wanted for file in belonging[name]])
    told.gaps += files.gaps
    for seen in items:
        post = seen.what.id
        counted = found.items.get(post)
        observed = parse.post(seen, ours, counted, *files.of(belonging[post]))
        told.observed.append(observed)
        if not observed.files_told:
            told.gaps.append(Gap(what="a file of a post", why=parse.KEPT_BACK, native_id=post))
        if not parse.words_told(seen.what):
            told.gaps.append(Gap(what="the words of a poll or an article", why=parse.UNREAD, native_id=post))
        _learn(told, post, counted)
    for post in wanted:
        _below(told, post, found.items.get(post))
    return told


def _learn(told: Read, post: str, counted: Seen[Metadata] | None) -> None:
    """Under which activity LinkedIn knows a post."""
    if counted is not None and is_thread(counted.what.entity) and counted.what.entity != post:
        told.aliases[counted.what.entity] = post


def _below(told: Read, post: str, counted: Seen[Metadata] | None) -> None:
    """What is to be asked for below a post: where LinkedIn counts nothing, nothing."""
    summary = counted.what.comment_summary if counted else None
    if summary is not None:
        told.counted += summary.count
    if summary is not None and summary.count == 0 and summary.top_level_count == 0:
        told.unanswered.append(post)
    else:
        told.below.append(comments_of(post, counted.what if counted else None))


def comments_of(post: str, counted: Metadata | None) -> Below:
    """The list of comments of a post, with what LinkedIn counts there; where it does not count, everything is asked for."""
    summary = counted.comment_summary if counted else None
    if summary is None:
        return Below(post=post, name=post, target=post)
    answers = max(0, summary.count - summary.top_level_count)
    return Below(post=post, name=post, target=post, counted=summary.count, answers=answers)
