"""A feed as its story has it at one moment."""

from __future__ import annotations

from datetime import datetime

from app.demo.nouns import Entry, Feed, Withdrawn
from app.demo.telling import Tale, ToldItem, Verb, happened, worded

_NOTICES_SHOWN = 12


def feed(one: Tale, at: datetime) -> Feed:
    """The feed as it stands: `notices` shows its newest twelve and says what it withdrew.

    What falls out of that window, or disappears from `council`, does so
    without a word: absence from a feed proves nothing.
    """
    out = (Verb.DELETE, Verb.WITHDRAW)
    published = [item for item in one.items if item.at <= at]
    shown = [item for item in published if not any(happened(item.changes, verb, at) for verb in out)]
    entries = sorted((_entry(one, item, at) for item in shown), key=lambda entry: entry.at, reverse=True)
    moved = [change.at for item in published for change in item.changes if change.at <= at] + [
        change.at for change in one.changes if change.at <= at
    ]
    return Feed(
        key=one.key,
        name=one.name,
        tagline=worded(one.tagline, one.changes, at),
        updated=max(*(item.at for item in published), *moved),
        entries=tuple(entries[:_NOTICES_SHOWN] if one.key == "notices" else entries),
        withdrawn=tuple(
            Withdrawn(item.slug, change.at, one.people[item.by], change.new)
            for item in published
            for change in item.changes
            if change.verb is Verb.WITHDRAW and change.at <= at
        ),
    )


def _entry(one: Tale, item: ToldItem, at: datetime) -> Entry:
    past = [change for change in item.changes if change.at <= at]
    return Entry(
        slug=item.slug,
        title=worded(item.title, past, at),
        text=worded(item.text, past, at),
        at=item.at,
        updated=max([item.at, *(change.at for change in past)]),
        by=one.people[item.by],
        tags=tuple(item.tags),
        picture=item.image,
    )
