"""A platform that nests comments in comments inside its posts' JSON, as the Graph API does.

Its likes change all the time, its pictures move to another address every
night, it repeats the token in `paging.next`, and it says "too often" and "who
are you" with status 400 and codes of its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from connectors import failing, spans
from connectors.contract import (
    Attachment,
    Author,
    Batch,
    Client,
    Cursor,
    Exchange,
    Finding,
    Gap,
    Kind,
    Listing,
    Manifest,
    Observation,
    Page,
    Sighting,
    Span,
    State,
)
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.pieces import called
from tests.connectors.fakes.carrying import Carrying
from tests.connectors.fakes.platform import Answer, Asked, FakePlatform, answer

_POSTS_AT_ONCE = 2
_COMMENTS_AT_ONCE = 25
ODD = "an item"
_BOTH = (State.PRESENT, State.HIDDEN)


# -- the platform ------------------------------------------------------------------------------------------


@dataclass
class Item:
    name: str
    message: str
    created: str
    by: str
    picture: str | None = None
    likes: int = 3
    hidden: bool = False
    comments: list[Item] = field(default_factory=list)

    def family(self) -> Iterator[Item]:
        yield self
        for comment in self.comments:
            yield from comment.family()

    def moved_within(self, since: str, until: str) -> bool:
        """Whether it, or anything below it, was written in a span of time."""
        return any(since <= item.created <= until for item in self.family())


class NestedWorld(FakePlatform):
    """A page with four posts, and below one of them a talk that goes eight levels deep."""

    secrets: ClassVar[Mapping[str, str]] = {"page_token": "EAAnested/Token+of=the|page"}

    def __init__(self) -> None:
        super().__init__()
        self._number = 500
        self.night = 1
        self.posts: list[Item] = []
        deep = self.post("Flood warning for the river walk", "flood.jpg")
        here = deep
        for level in range(8):
            here = self.comment(here, f"{'Re: ' * level}is the bridge open?")
            self.comment(here, "+1")
        self.post("Library hours")
        busy = self.post("Concert in the park — 🎻", "park.jpg")
        for _ in range(3):
            self.comment(busy, "+1")
        self.comment(busy, 'Somebody wrote {"id": "501"} on the wall')
        self.post("Library hours")

    def post(self, message: str, picture: str | None = None) -> Item:
        self.posts.append(self._item(message, "Town", picture))
        return self.posts[-1]

    def comment(self, on: Item, message: str) -> Item:
        on.comments.append(self._item(message, "Ana"))
        return on.comments[-1]

    def _item(self, message: str, by: str, picture: str | None = None) -> Item:
        self._number += 1
        return Item(str(self._number), message, self.tick(), by, picture)

    def _all(self) -> list[Item]:
        return [item for post in self.posts for item in post.family()]

    @property
    def page(self) -> Page:
        return Page(address=f"{self.base}/town")

    def shows(self) -> Collection[str]:
        return ["town", *(item.name for item in self._all())]

    def publish(self) -> str:
        return self.comment(self.posts[0].comments[0].comments[1], "And now?").name

    def edit(self) -> str:
        edited = self.posts[0].comments[0].comments[1].comments[1]
        edited.message += " (edited)"
        return edited.name

    def remove(self) -> str:
        return self.posts[2].comments.pop(1).name

    def recount(self) -> None:
        for item in self._all():
            item.likes += 11

    def expire(self) -> None:
        self.night += 1

    def throttled(self) -> tuple[Answer, timedelta | None]:
        return answer({"error": {"message": "(#4) Application request limit reached", "code": 4}}, 400), None

    def revoked(self) -> Answer:
        token = self.secrets["page_token"]
        return answer({"error": {"message": f"Error validating access token {token}", "code": 190}}, 400)

    def reply(self, asked: Asked) -> Answer:
        if asked.path.startswith("/pictures/"):
            return Answer(200, b"a picture", {"Content-Type": "image/jpeg"})
        if asked.query.get("access_token") != self.secrets["page_token"]:
            return self.revoked()
        match asked.path.strip("/").split("/"):
            case ["town"]:
                return answer({"id": "town", "about": "The town's own page", "name": "Town"})
            case ["town", "posts"]:
                since, until = asked.query.get("since", ""), asked.query.get("until", "9")
                moved = [post for post in self.posts if post.moved_within(since, until)]
                return self._edge(asked, moved, _POSTS_AT_ONCE)
            case [name, "comments"]:
                found = next((item for item in self._all() if item.name == name), None)
                return (
                    self._unknown(name)
                    if found is None
                    else self._edge(asked, found.comments, _COMMENTS_AT_ONCE)
                )
            case [name]:
                found = next((item for item in self._all() if item.name == name), None)
                if found is None:
                    return self._unknown(name)
                whole = asked.query.get("fields") == "comments"
                return answer(self._shape(found) if whole else {"id": name, "is_hidden": found.hidden})
            case _:
                return self._unknown(asked.path)

    def _unknown(self, name: str) -> Answer:
        says = f"Unsupported get request. Object with ID '{name}' does not exist"
        return answer({"error": {"message": says, "code": 100, "error_subcode": 33}}, 400)

    def _edge(self, asked: Asked, items: Sequence[Item], size: int) -> Answer:
        begin = next(
            (
                place + 1
                for place, item in enumerate(items)
                if f"after-{item.name}" == asked.query.get("after")
            ),
            0,
        )
        return answer(self._connection(asked.path, items[begin:], size))

    def _connection(self, path: str, items: Sequence[Item], size: int) -> dict[str, Any]:
        shown = items[:size]
        said: dict[str, Any] = {"data": [self._shape(item) for item in shown]}
        if shown:
            said["paging"] = {"cursors": {"after": f"after-{shown[-1].name}"}}
            if len(items) > size or self.looping:
                after = f"after-{self.posts[0].name}" if self.looping else f"after-{shown[-1].name}"
                said["paging"]["cursors"]["after"] = after
                said["paging"]["next"] = (
                    f"{self.base}{path}?{urlencode({'access_token': self.secrets['page_token'], 'after': after})}"
                )
        return said

    def _shape(self, item: Item) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "id": item.name,
            "message": item.message,
            "created_time": item.created,
            "from": {"id": item.by.lower(), "name": item.by},
            "is_hidden": item.hidden,
            "like_count": item.likes,
        }
        if item.picture:
            target = f"{item.picture}?oe={self.night}&oh=sig{self.night}"
            shape["attachments"] = {
                "data": [{"target": {"id": f"photo-{item.picture}"}, "url": f"{self.base}/pictures/{target}"}]
            }
        if item.comments:
            shape["comments"] = self._connection(f"/{item.name}/comments", item.comments, _COMMENTS_AT_ONCE)
        return shape


# -- its connector -----------------------------------------------------------------------------------------


class Nested(Carrying):
    """Reads a page's posts with everything that is nested in them."""

    manifest: ClassVar[Manifest] = Manifest(
        name="nested",
        title="A platform that nests",
        platform="nested",
        route="api",
        captures={
            "posts": "all",
            "comments": "those that are nested in posts",
            "deletions": "missing, then asked for by id",
        },
        blind_spots=(
            "The time of an edit.",
            f"More than {_COMMENTS_AT_ONCE} answers to one item: they are a gap.",
        ),
        needs=("A page token.",),
        narrows=True,
    )

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        super().__init__(http)
        self._token = {"access_token": secret["page_token"]} if secret else {}

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        place = json.loads(since) if since else {}
        began = datetime.fromisoformat(place["began"]) if place else self._http.now()
        after, whole, odd = place.get("after"), place.get("whole", True), place.get("odd", False)
        about = self._get(page.address, {"fields": "id,about,name"})
        yield self._batch(_cursor(began, after, whole=whole, odd=odd), [_introduction(about, 0)])
        met: set[str] = set()
        span = _span(page)
        while True:
            body = self._get(f"{page.address}/posts", {**span, "after": after} if after else span)
            try:
                found, gaps, after = parse(body, 0)
            except (spans.NotJson, KeyError, TypeError) as fault:
                raise UnexpectedResponse(
                    f"The posts have another shape than promised: {fault}", self._exchanges
                ) from fault
            whole, odd = whole and not gaps, odd or any(gap.what == ODD for gap in gaps)
            if after is None and odd:
                yield self._batch(Cursor(""), found, gaps=gaps)
                return
            if after is None:
                kinds = [Kind.POST, Kind.COMMENT, Kind.REPLY] if whole else [Kind.POST]
                shown = Listing(
                    kinds=kinds,
                    began_at=began,
                    exchange=0,
                    states=_BOTH,
                    published_from=page.published_from,
                    published_until=page.published_until,
                )
                yield self._batch(Cursor(""), found, [shown], gaps=gaps)
                return
            if after in met:
                raise UnexpectedResponse("The posts lead to the same page again.", self._exchanges)
            met.add(after)
            yield self._batch(_cursor(began, after, whole=whole, odd=odd), found, gaps=gaps)

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        base = _base(page)
        for _, name in native_ids:
            exchange = self._asked(f"{base}/{name}", {"fields": "id,is_hidden"})
            said = _said(exchange)
            error = said.get("error")
            if error is None:
                state = State.HIDDEN if said.get("is_hidden") else State.PRESENT
                sighting = Sighting(native_id=name, state=state, exchange=0, reason="200")
            elif (error.get("code"), error.get("error_subcode")) == (100, 33):
                sighting = Sighting(
                    native_id=name, state=State.GONE, exchange=0, reason="400 code 100 subcode 33"
                )
            else:
                sighting = Sighting(
                    native_id=name, state=State.UNKNOWN, exchange=0, reason=f"400 code {error.get('code')}"
                )
            yield self._batch(Cursor(""), [], sightings=[sighting])

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        began = self._http.now()
        try:
            exchange = self._asked(f"{_base(page)}/{root}", {"fields": "comments"})
        except TryAgainLater as failure:
            if not failing.fails_alone(failure):
                raise
            gap = failing.gap(failure, failing.FAMILY, root)
            yield Batch(exchanges=failure.exchanges, resume_from=Cursor(""), gaps=[gap])
            return
        error = _said(exchange).get("error")
        if error is not None:
            if (error.get("code"), error.get("error_subcode")) != (100, 33):
                raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}.", self._exchanges)
            gone = Sighting(native_id=root, state=State.GONE, exchange=0, reason="400 code 100 subcode 33")
            yield self._batch(Cursor(""), [], sightings=[gone])
            return
        found: list[Observation] = []
        gaps: list[Gap] = []
        try:
            _items(exchange.body, spans.document(exchange.body), None, 0, 0, found, gaps)
        except (spans.NotJson, KeyError, TypeError) as fault:
            raise UnexpectedResponse(
                f"The post has another shape than promised: {fault}", self._exchanges
            ) from fault
        cut = {gap.native_id for gap in gaps}
        listings = [
            Listing(
                kinds=[Kind.COMMENT, Kind.REPLY],
                began_at=began,
                exchange=0,
                in_reply_to=item.native_id,
                states=_BOTH,
            )
            for item in found
            if item.native_id not in cut and not any(gap.what == ODD for gap in gaps)
        ]
        yield self._batch(Cursor(""), found, listings, gaps=gaps)

    def check(self, page: Page) -> Iterator[Finding]:
        try:
            self._get(page.address, {"fields": "id"})
        except AccessRevoked:
            yield Finding(
                what="page token", fine=False, remedy="Make a new page token and connect the page again."
            )
        else:
            yield Finding(what="page token", fine=True)

    def _get(self, url: str, params: Mapping[str, str]) -> bytes:
        exchange = self._asked(url, params)
        if exchange.status != 200:
            raise UnexpectedResponse(f"{exchange.url} answered {exchange.status}.", self._exchanges)
        return exchange.body

    def _asked(self, url: str, params: Mapping[str, str]) -> Exchange:
        exchange = self._fetched(url, {**self._token, **params})
        code = _said(exchange).get("error", {}).get("code")
        if code == 190:
            raise AccessRevoked("The platform no longer accepts the token.", self._exchanges)
        if code in {4, 17, 32, 613}:
            raise TryAgainLater("The platform says that we ask too often.", self._exchanges)
        return exchange


def parse(body: bytes, exchange: int) -> tuple[list[Observation], list[Gap], str | None]:
    """The items of one page of posts with everything nested in them, the gaps in it, and the cursor of the next."""
    found: list[Observation] = []
    gaps: list[Gap] = []
    for start, end, _ in spans.items(body, "data"):
        _each(body, (start, end), None, 0, exchange, found, gaps)
    paging = json.loads(body).get("paging", {})
    return found, gaps, paging["cursors"]["after"] if "next" in paging else None


def _each(
    body: bytes,
    span: tuple[int, int],
    answers: str | None,
    depth: int,
    exchange: int,
    found: list[Observation],
    gaps: list[Gap],
) -> None:
    """An item with everything below it; a gap where it is of another shape than its list promises."""
    try:
        _items(body, span, answers, depth, exchange, found, gaps)
    except (AttributeError, KeyError, TypeError, ValueError) as fault:
        why = f"it is of another shape: {fault!r}. {failing.AGAIN}"
        gaps.append(Gap(what=ODD, why=why, native_id=called(body[slice(*span)])))


def _items(
    body: bytes,
    span: tuple[int, int],
    answers: str | None,
    depth: int,
    exchange: int,
    found: list[Observation],
    gaps: list[Gap],
) -> None:
    item = json.loads(body[slice(*span)])
    files = item.get("attachments", {}).get("data", [])
    found.append(
        Observation(
            native_id=item["id"],
            kind=(Kind.POST, Kind.COMMENT, Kind.REPLY)[min(depth, 2)],
            state=State.HIDDEN if item["is_hidden"] else State.PRESENT,
            author=Author(item["from"]["id"], item["from"]["name"]),
            text=item["message"],
            in_reply_to=answers,
            published_at=datetime.fromisoformat(item["created_time"]),
            attachments=[Attachment(id=file["target"]["id"], url=file["url"]) for file in files],
            counts={"likes": item["like_count"]},
            evidence=[Span(exchange, *span)],
        )
    )
    if "next" in item.get("comments", {}).get("paging", {}):
        gaps.append(Gap(what="comments", why="more answers than the platform nests", native_id=item["id"]))
    nested = spans.member(body, span, "comments", "data")
    for inner in spans.array_items(body, *nested) if nested else []:
        _each(body, inner, item["id"], depth + 1, exchange, found, gaps)


def _span(page: Page) -> dict[str, str]:
    """What narrows the posts to those that were written, or answered, in the span of this pass."""
    told = {"since": page.published_from, "until": page.published_until}
    return {name: at.strftime("%Y-%m-%dT%H:%M:%S.000Z") for name, at in told.items() if at is not None}


def _introduction(body: bytes, exchange: int) -> Observation:
    said = json.loads(body)
    return Observation(
        native_id=said["id"], kind=Kind.PROFILE, text=said["about"], evidence=[Span(exchange, 0, len(body))]
    )


def _said(exchange: Exchange) -> dict[str, Any]:
    try:
        said = json.loads(exchange.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise UnexpectedResponse(f"{exchange.url} answered with something that is not JSON.", [exchange])
    return said


def _base(page: Page) -> str:
    parts = urlsplit(page.address)
    return f"{parts.scheme}://{parts.netloc}"


def _cursor(began: datetime, after: str | None, *, whole: bool, odd: bool) -> Cursor:
    return Cursor(json.dumps({"began": began.isoformat(), "after": after, "whole": whole, "odd": odd}))
