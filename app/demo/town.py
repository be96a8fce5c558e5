"""The Town of Harrow Falls, and what its pages show on each of eight nights in October 2026.

Town, river, streets and people are invented. The texts stand in `story/`,
where anyone can read them; `state(night)` is what the pages show when they
are captured that night, at half past two in the morning. Everything here is
plain data and pure: the same night always shows the same bytes.

Four pages: `police` (WordPress, connected with an application password),
`notices` (Atom, the newest twelve), `parks` (WordPress, read as any visitor
reads it) and `council` (JSON Feed, six to a page). What is planted, and the
first night that shows it:

night 1, Monday 5 October
    The history since 2019: old posts whose retention has run out, threads
    five deep, comments in Spanish and Chinese, emoji. The introduction of
    `parks` names its maintainer and a telephone, but lacks the statements on
    visitors' opinions, monitoring and public disclosure.
night 2, Tuesday
    Police: "Road closure: Weaver Bridge" (closed "until 6 p.m."), with a
    rude comment by TaxpayerNo1, one by riverrat77 that is held for approval,
    and one that went to spam. The platform throttles: two requests for
    comments answer 429 with Retry-After.
night 3, Wednesday
    The closure now says "until 9 p.m."; "Tanery" has become "Tannery"; the
    rude comment is in the trash. Gus Farrow names a neighbor with address
    and telephone (14 Larkspur Lane, 555-0147). Leon Achterberg's comment is
    held and stays so. The council's feed is unchanged and answers 304.
night 4, Thursday
    The flood (flood, flooded, flooding, inundación, 洪水), threads in English,
    Spanish, Chinese and Arabic, Otto Brannick missing, a cruel comment by
    Angry Angler, the notice "BOIL WATER: Quarry Hill". The connection breaks
    once in the middle of a list of police comments.
night 5, Friday
    Gus Farrow's comment is deleted for good (404, and its reply has moved up
    a level); Angry Angler's is in the trash; riverrat77's is approved; the
    boil-water notice is withdrawn by a tombstone; Otto Brannick is "FOUND
    SAFE". "Arrest in the shed burglaries" says who is guilty. Between the
    nights a comment by "Anonymous Neighbor" came and went: nobody has seen
    it, only its number is missing. Parks is down all night (503).
night 6, Saturday
    The arrest post is in the trash and its comments with it. Parks is back:
    "Harvest fair" is withdrawn (401 for visitors), Mountain Goat Mike's
    comment is hidden, and Walt Imhoff's shows a telephone (555-0163). Ellie
    Stroud has corrected "second step" to "fourth step". The council's feed
    answers with a sign-in page, so the night does not learn that the draft
    budget has been taken away.
night 7, Sunday
    TaxpayerNo1's comment is restored; Walt Imhoff's is deleted; the draft
    budget is absent from the council's feed, with nothing to say why. The
    notices are unchanged and answer 304.
night 8, Monday 12 October
    The introduction of parks has gained the statements on opinions and on
    monitoring, and still lacks the one on public disclosure. Gus Farrow
    apologizes. A night on which everything goes well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape

from app.demo.telling import ZONE, Change, Person, Tale, ToldComment, ToldItem, Verb, tale, worded

NAME = "Town of Harrow Falls"
DOMAIN = "harrowfalls.example"
TIMEZONE = ZONE.key
BLOGS = ("police", "parks")
FEEDS = ("notices", "council")

FIRST_NIGHT = datetime(2026, 10, 5, 2, 30, tzinfo=ZONE)
TITLES = (
    "The first night: everything the pages have ever shown",
    "A bridge will be closed, and not everybody is polite about it",
    "The closure now ends at nine; a comment is gone from view",
    "The river rises, Otto Brannick is missing, and the line breaks once",
    "Found safe; a comment is deleted for good; the parks page is down",
    "A post is withdrawn; the council's page shows a sign-in form",
    "A comment comes back; a draft has quietly disappeared",
    "A quiet night, and an introduction that says more than it did",
)
NIGHTS = len(TITLES)

_PICTURED_BEFORE = timedelta(minutes=12)
_FIRST_POST_NUMBER = 5
_FIRST_COMMENT_NUMBER = 2
_NOTICES_SHOWN = 12
_ADDRESSES = ("192.0.2", "198.51.100", "203.0.113")
_MAILBOXES = ("example.com", "example.org", "example.net")
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/141.0.0.0 Mobile Safari/537.36",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture in a blog's library."""

    number: int
    file: str
    description: str
    at: datetime
    by: Person
    on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A wording that an edit left behind, numbered among the posts as WordPress does."""

    number: int
    at: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post or page of a blog as it stands."""

    number: int
    type: str
    slug: str
    title: str
    text: str
    at: datetime
    modified: datetime
    by: Person
    status: str
    tags: Sequence[str]
    picture: Media | None
    revisions: Sequence[Revision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as it stands. `parent` is 0 where it answers the post itself."""

    number: int
    post: int
    parent: int
    name: str
    by: Person | None
    email: str
    address: str
    browser: str
    at: datetime
    text: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blog:
    """A WordPress site as it stands."""

    key: str
    name: str
    tagline: str
    at: datetime
    people: Sequence[Person]
    posts: Sequence[Post]
    comments: Sequence[Comment]
    media: Sequence[Media]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a feed as it stands."""

    slug: str
    title: str
    text: str
    at: datetime
    updated: datetime
    by: Person
    tags: Sequence[str]
    picture: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An entry that a feed says it no longer publishes."""

    slug: str
    at: datetime
    by: Person
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as it stands, newest entry first; `updated` is when it last changed."""

    key: str
    name: str
    tagline: str
    updated: datetime
    entries: Sequence[Entry]
    withdrawn: Sequence[Withdrawn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """What every page shows at one moment."""

    night: int
    at: datetime
    blogs: Mapping[str, Blog]
    feeds: Mapping[str, Feed]


def moment(night: int) -> datetime:
    """When the pages are captured in that night."""
    if not 1 <= night <= NIGHTS:
        message = f"the story has nights 1 to {NIGHTS}, not {night}"
        raise ValueError(message)
    return (FIRST_NIGHT + timedelta(days=night - 1)).astimezone(UTC)


@cache
def state(night: int) -> Town:
    """What the pages show on that night."""
    at = moment(night)
    return Town(
        night=night,
        at=at,
        blogs={key: _blog(tale(key), at) for key in BLOGS},
        feeds={key: _feed(tale(key), at) for key in FEEDS},
    )


# --------------------------------------------------------------------------- blogs


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


def _blog(one: Tale, at: datetime) -> Blog:
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
    items = [item for item in one.items if item.at <= at and not _happened(item.changes, Verb.DELETE, at)]
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
        if told.at <= at and not _happened(told.changes, Verb.DELETE, at)
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
    while answered and _happened(answered.changes, Verb.DELETE, at):
        answered = answered.answers
    return answered


def _happened(changes: Sequence[Change], verb: Verb, at: datetime) -> bool:
    return any(change.verb is verb and change.at <= at for change in changes)


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


# --------------------------------------------------------------------------- feeds


def _feed(one: Tale, at: datetime) -> Feed:
    """The feed as it stands: `notices` shows its newest twelve and says what it withdrew.

    What falls out of that window, or disappears from `council`, does so
    without a word: absence from a feed proves nothing.
    """
    out = (Verb.DELETE, Verb.WITHDRAW)
    published = [item for item in one.items if item.at <= at]
    shown = [item for item in published if not any(_happened(item.changes, verb, at) for verb in out)]
    entries = sorted((_entry(one, item, at) for item in shown), key=lambda entry: entry.at, reverse=True)
    happened = [change.at for item in published for change in item.changes if change.at <= at] + [
        change.at for change in one.changes if change.at <= at
    ]
    return Feed(
        key=one.key,
        name=one.name,
        tagline=worded(one.tagline, one.changes, at),
        updated=max(*(item.at for item in published), *happened),
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


# --------------------------------------------------------------------------- texts


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, each on one line."""
    return [" ".join(part.split("\n")) for part in text.split("\n\n") if part.strip()]


def as_html(text: str) -> str:
    """A text as plain paragraphs of HTML."""
    return "\n".join(f"<p>{escape(part, quote=False)}</p>" for part in paragraphs(text))
