"""A blog as its story has it at one moment: what WordPress would then hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.demo.nouns import Blog, Comment, Media, Post, Revision
from app.demo.telling import Change, Tale, ToldComment, ToldItem, Verb, happened, worded

DOMAIN = "harrowfalls.example"
_PICTURED_BEFORE = timedelta(minutes=12)
_FIRST_POST_NUMBER = 5
_FIRST_COMMENT_NUMBER = 2
_ADDRESSES = ("192.0.2", "198.51.100", "203.0.113")
_MAILBOXES = ("example.com", "example.org", "example.net")
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/141.0.0.0 Mobile Safari/537.36",
)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers that WordPress gave as the story went: they never depend on the night."""

    items: Mapping[str, int]
    media: Mapping[str, int]
    revisions: Mapping[tuple[str, int], int]
    comments: Mapping[int, int]


def _numbers(one: Tale) -> _Numbers:
    """Posts, pictures and revisions share one series, comments have another; both follow time."""
    made: list[tuple[datetime, str, str, int]] = []
    pictures = _first_uses(one)
    for item in one.items:
        made.append((item.at, "item", item.slug, 0))
        edits = [change for change in item.changes if change.verb is Verb.CHANGE]
        made += [(edit.at, "revision", item.slug, place) for place, edit in enumerate(edits)]
    made += [(item.at - _PICTURED_BEFORE, "media", file, 0) for file, item in pictures.items()]
    numbered = {key: number for number, key in enumerate(sorted(made), _FIRST_POST_NUMBER)}
    comments = sorted((comment for item in one.items for comment in item.comments), key=lambda told: told.at)
    return _Numbers(
        items={slug: n for (_, kind, slug, _place), n in numbered.items() if kind == "item"},
        media={file: n for (_, kind, file, _place), n in numbered.items() if kind == "media"},
        revisions={(slug, place): n for (_, kind, slug, place), n in numbered.items() if kind == "revision"},
        comments={comment.place: n for n, comment in enumerate(comments, _FIRST_COMMENT_NUMBER)},
    )


def _first_uses(one: Tale) -> dict[str, ToldItem]:
    """Each picture with the item for which it was uploaded; later items use the same file again."""
    uses: dict[str, ToldItem] = {}
    for item in sorted(one.items, key=lambda told: told.at):
        if item.image:
            uses.setdefault(item.image[0], item)
    return uses


def blog(one: Tale, at: datetime) -> Blog:
    numbers = _numbers(one)
    media = {
        file: Media(
            number=numbers.media[file],
            file=file,
            description=(item.image or ("", ""))[1],
            at=item.at - _PICTURED_BEFORE,
            by=one.people[item.by],
            on=numbers.items[item.slug],
        )
        for file, item in _first_uses(one).items()
        if item.at <= at
    }
    items = [item for item in one.items if item.at <= at and not happened(item.changes, Verb.DELETE, at)]
    posts = [_post(one, item, numbers, media, at) for item in items]
    comments = [
        comment
        for item, post in zip(items, posts, strict=True)
        for comment in _comments(one, item, post, numbers, at)
    ]
    return Blog(
        key=one.key,
        name=one.name,
        tagline=worded(one.tagline, one.changes, at),
        at=at,
        people=tuple(one.people.values()),
        posts=tuple(sorted(posts, key=lambda post: post.number)),
        comments=tuple(sorted(comments, key=lambda comment: comment.number)),
        media=tuple(sorted(media.values(), key=lambda picture: picture.number)),
    )


def _post(one: Tale, item: ToldItem, numbers: _Numbers, media: Mapping[str, Media], at: datetime) -> Post:
    past = [change for change in item.changes if change.at <= at]
    edits = [change for change in past if change.verb is Verb.CHANGE]
    trashed = _last(past, Verb.TRASH, Verb.RESTORE) is Verb.TRASH
    return Post(
        number=numbers.items[item.slug],
        type=item.fields.get("type", "post"),
        slug=f"{item.slug}__trashed" if trashed else item.slug,
        title=worded(item.title, past, at),
        text=worded(item.text, past, at),
        at=item.at,
        modified=max([item.at, *(change.at for change in past)]),
        by=one.people[item.by],
        status="trash" if trashed else "publish",
        tags=tuple(item.tags),
        picture=media[item.image[0]] if item.image else None,
        revisions=tuple(
            Revision(
                number=numbers.revisions[item.slug, place],
                at=edit.at,
                title=worded(item.title, past, edit.at),
                text=worded(item.text, past, edit.at),
            )
            for place, edit in enumerate(edits)
        ),
    )


def _comments(one: Tale, item: ToldItem, post: Post, numbers: _Numbers, at: datetime) -> list[Comment]:
    return [
        _comment(one, told, post, numbers, at)
        for told in item.comments
        if told.at <= at and not happened(told.changes, Verb.DELETE, at)
    ]


def _comment(one: Tale, told: ToldComment, post: Post, numbers: _Numbers, at: datetime) -> Comment:
    person = one.people.get(told.name[1:]) if told.name.startswith("@") else None
    visitor = _visitor(told.name)
    status = _comment_status(told, at)
    answered = _answered(told, at)
    return Comment(
        number=numbers.comments[told.place],
        post=post.number,
        parent=numbers.comments[answered.place] if answered else 0,
        name=person.name if person else told.name,
        by=person,
        email=f"{person.handle}@{DOMAIN}" if person else visitor.email,
        address="192.0.2.10" if person else visitor.address,
        browser=_BROWSERS[0] if person else visitor.browser,
        at=told.at,
        text=worded(told.text, told.changes, at),
        # WordPress sets a post's comments aside together with the post.
        status="post-trashed" if post.status == "trash" else status,
    )


def _comment_status(told: ToldComment, at: datetime) -> str:
    match _last(
        [change for change in told.changes if change.at <= at], Verb.TRASH, Verb.RESTORE, Verb.APPROVE
    ):
        case Verb.TRASH:
            return "trash"
        case Verb.RESTORE | Verb.APPROVE:
            return "approved"
        case _:
            return told.begins


def _answered(told: ToldComment, at: datetime) -> ToldComment | None:
    """What a comment answers: where that was deleted, WordPress moves the answer up a level."""
    answered = told.answers
    while answered and happened(answered.changes, Verb.DELETE, at):
        answered = answered.answers
    return answered


def _last(past: Sequence[Change], *verbs: Verb) -> Verb | None:
    return next((change.verb for change in reversed(past) if change.verb in verbs), None)


@dataclass(frozen=True, slots=True)
class _Visitor:
    email: str
    address: str
    browser: str


def _visitor(name: str) -> _Visitor:
    """The e-mail, address and browser that a visitor always comes with: reserved ones, drawn from the name."""
    drawn = hashlib.sha256(name.encode()).digest()
    box = (
        "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum()) or drawn[:4].hex()
    )
    return _Visitor(
        email=f"{box}@{_MAILBOXES[drawn[0] % 3]}",
        address=f"{_ADDRESSES[drawn[1] % 3]}.{drawn[2] % 250 + 2}",
        browser=_BROWSERS[drawn[3] % 3],
    )
