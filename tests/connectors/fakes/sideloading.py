"""A platform that loads authors and media beside its posts, as the X API v2 does: several posts share one author's bytes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar

from connectors import spans
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
from connectors.errors import AccessRevoked, UnexpectedResponse
from connectors.failing import AGAIN
from connectors.pieces import called
from tests.connectors.fakes.carrying import Carrying
from tests.connectors.fakes.platform import Answer, Asked, FakePlatform, answer

NOT_FOUND = "https://platform.example/problems/resource-not-found"
NOT_ALLOWED = "https://platform.example/problems/not-authorized-for-resource"


# -- the platform ------------------------------------------------------------------------------------------


@dataclass
class Post:
    history: list[str]
    author: str
    text: str
    created: str
    conversation: str
    answers: str | None = None
    media: list[str] = field(default_factory=list)
    likes: int = 0


class SideloadingWorld(FakePlatform):
    """One page with five posts and four answers by three people."""

    secrets: ClassVar[Mapping[str, str]] = {"bearer_token": "AAAAAAAA/sideloading+bearer=token"}

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[str, Post] = {}
        self.locked: set[str] = set()
        self.fresh = 1
        self._number = 1000
        self.users = {"1": ("town", "Town Hall"), "2": ("ana", "Ana 🌻"), "3": ("bo", 'Bo "the" Neighbour')}
        first = self.say("1", "Road works on Elm Street", media=["m1"])
        self.say("2", "Until when?", first)
        second = self.say("1", "Pool opens in June")
        self.say("3", "At last!", second)
        self.say("1", "Same picture, another day", media=["m1", "m2"])
        self.say("1", "Road works on Elm Street", media=["m1"])
        answered = self.say("2", "Still?", first)
        self.say("1", "Two more weeks.", answered)
        self.last = self.say("1", "Office closed on Monday")

    def say(self, author: str, text: str, answers: str | None = None, media: Sequence[str] = ()) -> str:
        self._number += 1
        name = str(self._number)
        conversation = self.posts[answers].conversation if answers else name
        self.posts[name] = Post([name], author, text, self.tick(), conversation, answers, list(media))
        return name

    @property
    def page(self) -> Page:
        return Page(address=f"{self.base}/town")

    def shows(self) -> Collection[str]:
        return ["user:1", *self.posts]

    def publish(self) -> str:
        name = self.say("3", "New here", self.last)
        self.tell("posted", self._beside([self.posts[name]]))
        return name

    def edit(self) -> str:
        name = next(iter(self.posts))
        self._number += 1
        self.posts[name].history.append(str(self._number))
        self.posts[name].text += " (corrected)"
        self.tell("edited", self._beside([self.posts[name]]))
        return name

    def remove(self) -> str:
        name = next(name for name, post in self.posts.items() if post.answers)
        for answering in [one for one, post in self.posts.items() if post.answers == name]:
            del self.posts[answering]
            self.tell("removed", {"id": answering})
        del self.posts[name]
        self.tell("removed", {"id": name})
        return name

    def lock(self, name: str) -> None:
        """Its author's posts are protected now: not shown, and not gone."""
        self.locked.add(name)

    def recount(self) -> None:
        for post in self.posts.values():
            post.likes += 7

    def expire(self) -> None:
        self.fresh += 1

    def reply(self, asked: Asked) -> Answer:
        if asked.path.endswith(".jpg"):
            return Answer(200, b"a picture", {"Content-Type": "image/jpeg"})
        if asked.authorization != f"Bearer {self.secrets['bearer_token']}":
            return self.revoked()
        match asked.path.strip("/").split("/"):
            case ["2", "users", "by", "username", name]:
                found = [
                    {"id": number, "username": user, "name": full}
                    for number, (user, full) in self.users.items()
                    if user == name
                ]
                if not found:
                    return answer({"errors": [{"type": NOT_FOUND, "value": name}]})
                return answer({"data": found[0], "asked_with": asked.authorization})
            case ["2", "users", author, "tweets"]:
                return self._listed(
                    [one for one in self._visible() if one.author == author and not one.answers], asked
                )
            case ["2", "tweets", "search"]:
                wanted = asked.query.get("conversations", ",".join(self.posts)).split(",")
                return self._listed(
                    [one for one in self._visible() if one.answers and one.conversation in wanted], asked
                )
            case ["2", "stream"]:
                return Answer(200, b"", events=asked.last_event)
            case ["2", "tweets"]:
                return self._looked_up(asked.query["ids"].split(","))
            case _:
                return answer({"title": "Not Found"}, 404)

    def revoked(self) -> Answer:
        return answer(
            {"title": "Unauthorized", "detail": f"Bearer {self.secrets['bearer_token']} is not accepted"}, 401
        )

    def _visible(self) -> list[Post]:
        return [post for name, post in self.posts.items() if name not in self.locked]

    def _listed(self, found: list[Post], asked: Asked) -> Answer:
        size, after = int(asked.query["max_results"]), int(asked.query.get("pagination_token", "b0")[1:])
        since, until = asked.query.get("start_time", ""), asked.query.get("end_time", "9")
        left = [one for one in found if int(one.history[0]) > after and since <= one.created <= until]
        shown = left[:size]
        meta: dict[str, object] = {"result_count": len(shown)}
        if len(left) > size or self.looping:
            meta["next_token"] = "b2" if self.looping else f"b{shown[-1].history[0]}"
        return answer({**self._beside(shown), "meta": meta} if shown else {"meta": meta})

    def _beside(self, shown: Sequence[Post]) -> dict[str, Any]:
        people = dict.fromkeys(post.author for post in shown)
        media = dict.fromkeys(key for post in shown for key in post.media)
        return {
            "data": [self._shape(post) for post in shown],
            "includes": {
                "users": [{"id": one, "username": self.users[one][0], "name": self.users[one][1]} for one in people],
                "media": [{"media_key": key, "type": "photo", "url": f"{self.base}/{key}.jpg?v={self.fresh}"} for key in media],
            },
            "meta": {},
        }  # fmt: skip

    def _shape(self, post: Post) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "id": post.history[-1],
            "edit_history_tweet_ids": post.history,
            "author_id": post.author,
            "text": post.text,
            "created_at": post.created,
            "public_metrics": {"like_count": post.likes},
        }
        if post.answers:
            shape["referenced_tweets"] = [{"type": "replied_to", "id": post.answers}]
        if post.media:
            shape["attachments"] = {"media_keys": post.media}
        return shape

    def _looked_up(self, ids: list[str]) -> Answer:
        said: dict[str, list[object]] = {"data": [], "errors": []}
        for name in ids:
            if name in self.locked:
                said["errors"].append({"resource_id": name, "type": NOT_ALLOWED})
            elif name in self.posts:
                said["data"].append(self._shape(self.posts[name]))
            else:
                said["errors"].append({"resource_id": name, "type": NOT_FOUND})
        return answer({key: value for key, value in said.items() if value})


# -- its connector -----------------------------------------------------------------------------------------


class Sideloading(Carrying):
    """Reads a page's timeline, page by page, with the answers to it."""

    manifest: ClassVar[Manifest] = Manifest(
        name="sideloading",
        title="A platform that loads beside",
        platform="sideloading",
        route="api",
        captures={
            "posts": "all",
            "comments": "all",
            "deletions": "missing from the listing, then asked for by id",
        },
        blind_spots=("Posts of people who protect theirs.",),
        needs=("A bearer token.",),
        narrows=True,
    )

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        super().__init__(http)
        self._odd: list[Gap] = []
        self._headers = {"Authorization": f"Bearer {secret['bearer_token']}"} if secret else {}

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        place = json.loads(since) if since else {}
        began = datetime.fromisoformat(place["began"]) if place else self._http.now()
        base, _, handle = page.address.rpartition("/")
        body = self._json(f"{base}/2/users/by/username/{handle}")
        user = spans.member(body, spans.document(body), "data")
        if user is None:
            raise UnexpectedResponse("The platform knows no such page.", self._exchanges)
        profile = _json(body, user)
        token, odd, met, span = place.get("token"), place.get("odd", False), set(), _span(page)
        yield self._batch(_cursor(began, token, odd=odd), [_profile(profile, Span(0, *user))])
        if span and token is None:
            # What answers a post from before the span may lie inside it.
            answers = self._answers(base, span)
            odd = odd or bool(self._odd)
            yield self._batch(_cursor(began, None, odd=odd), answers, gaps=self._taken())
        while True:
            posts, following = self._page(
                f"{base}/2/users/{profile['id']}/tweets", {**span, "max_results": "2"}, token, Kind.POST
            )
            shown = [post.native_id for post in posts]
            if shown and not span:
                posts += self._answers(base, {"conversations": ",".join(shown)})
            odd = odd or bool(self._odd)
            if following is None and odd:
                yield self._batch(Cursor(""), posts, gaps=self._taken())
                return
            if following is None:
                listing = Listing(
                    kinds=[Kind.POST, Kind.COMMENT],
                    began_at=began,
                    exchange=0,
                    published_from=page.published_from,
                    published_until=page.published_until,
                )
                yield self._batch(Cursor(""), posts, [listing])
                return
            if following in met:
                raise UnexpectedResponse("The timeline leads to the same page again.", self._exchanges)
            met.add(following)
            token = following
            yield self._batch(_cursor(began, token, odd=odd), posts, gaps=self._taken())

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        base = page.address.rpartition("/")[0]
        ids = [name for _, name in native_ids if name.isdecimal()]
        if not ids:
            return
        body = json.loads(self._json(f"{base}/2/tweets", {"ids": ",".join(ids)}))
        sightings = [
            Sighting(native_id=post["edit_history_tweet_ids"][0], state=State.PRESENT, exchange=0)
            for post in body.get("data", [])
        ]
        for error in body.get("errors", []):
            state = State.GONE if error["type"] == NOT_FOUND else State.UNKNOWN
            sightings.append(
                Sighting(native_id=error["resource_id"], state=state, exchange=0, reason=error["type"])
            )
        yield self._batch(Cursor(""), [], sightings=sightings)

    def check(self, page: Page) -> Iterator[Finding]:
        base, _, handle = page.address.rpartition("/")
        try:
            self._json(f"{base}/2/users/by/username/{handle}")
        except AccessRevoked:
            yield Finding(
                what="bearer token", fine=False, remedy="Make a new token and connect the page again."
            )
        else:
            yield Finding(what="bearer token", fine=True)

    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        base = page.address.rpartition("/")[0]
        headers = self._headers | ({"Last-Event-ID": since} if since else {})
        for message in self._http.listen(f"{base}/2/stream", headers=headers):
            told = _event(message)
            self._exchanges.append(message)
            number = Cursor(told["id"])
            if told["event"] == "removed":
                gone = Sighting(
                    native_id=json.loads(told["data"])["id"], state=State.GONE, exchange=0, reason="removed"
                )
                yield self._batch(number, [], sightings=[gone])
                continue
            start = message.body.index(b"data: ") + len(b"data: ")
            post = json.loads(told["data"])["data"][0]
            kind = Kind.COMMENT if "referenced_tweets" in post else Kind.POST
            found, _, _ = parse(message.body[start:].rstrip(b"\n"), 0, kind)
            yield self._batch(number, [_later(item, start) for item in found])

    def _answers(self, base: str, wanted: Mapping[str, str]) -> list[Observation]:
        found: list[Observation] = []
        token, met = None, set()
        while True:
            answers, token = self._page(
                f"{base}/2/tweets/search", {**wanted, "max_results": "3"}, token, Kind.COMMENT
            )
            found += answers
            if token is None:
                return found
            if token in met:
                raise UnexpectedResponse("The answers lead to the same page again.", self._exchanges)
            met.add(token)

    def _taken(self) -> list[Gap]:
        taken, self._odd = self._odd, []
        return taken

    def _page(
        self, url: str, query: Mapping[str, str], token: str | None, kind: Kind
    ) -> tuple[list[Observation], str | None]:
        body = self._json(url, {**query, "pagination_token": token} if token else query)
        try:
            found, gaps, following = parse(body, len(self._exchanges) - 1, kind)
        except (spans.NotJson, KeyError, TypeError) as fault:
            raise UnexpectedResponse(
                f"{url} has another shape than promised: {fault}", self._exchanges
            ) from fault
        self._odd += gaps
        return found, following

    def _json(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        exchange = self._fetched(url, params, self._headers)
        if exchange.status != 200 or exchange.body[:1] != b"{":
            raise UnexpectedResponse(
                f"{exchange.url} answered {exchange.status} with something else.", self._exchanges
            )
        return exchange.body


def parse(body: bytes, exchange: int, kind: Kind) -> tuple[list[Observation], list[Gap], str | None]:
    """The items of one page, a gap for each of another shape, and the token of the next."""
    beside = {
        name: {called(raw, key): (start, end) for start, end, raw in spans.items(body, "includes", name)}
        for name, key in (("users", "id"), ("media", "media_key"))
    }
    found, gaps = [], []
    for start, end, raw in spans.items(body, "data"):
        try:
            found.append(_post(body, (start, end), beside, exchange, kind))
        except (AttributeError, KeyError, TypeError) as fault:
            why = f"it is of another shape: {fault!r}. {AGAIN}"
            gaps.append(Gap(what="a post", why=why, native_id=called(raw)))
    return found, gaps, json.loads(body)["meta"].get("next_token")


def _post(
    body: bytes,
    span: tuple[int, int],
    beside: Mapping[str, Mapping[str | None, tuple[int, int]]],
    exchange: int,
    kind: Kind,
) -> Observation:
    post = _json(body, span)
    user = beside["users"].get(post["author_id"])
    author = _json(body, user) if user else {}
    media = [beside["media"].get(key) for key in post.get("attachments", {}).get("media_keys", [])]
    shown = [one for one in media if one is not None]
    answered = [one["id"] for one in post.get("referenced_tweets", []) if one["type"] == "replied_to"]
    return Observation(
        native_id=post["edit_history_tweet_ids"][0],
        kind=kind,
        author=Author(post["author_id"], _text(author.get("name")), _text(author.get("username"))),
        text=post["text"],
        in_reply_to=answered[0] if answered else None,
        published_at=datetime.fromisoformat(post["created_at"]),
        attachments=[
            Attachment(id=(file := _json(body, one))["media_key"], url=_text(file.get("url")))
            for one in shown
        ],
        files_told=len(shown) == len(media),
        counts={"likes": post["public_metrics"]["like_count"]},
        evidence=[Span(exchange, *one) for one in (span, *([user] if user else []), *shown)],
    )


def _text(told: object) -> str | None:
    return told if isinstance(told, str) else None


def _event(message: Exchange) -> dict[str, str]:
    """The fields of one server-sent event."""
    lines = message.body.decode().splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def _later(item: Observation, start: int) -> Observation:
    """An item of a body that begins `start` bytes into its exchange."""
    moved = [Span(span.exchange, start + span.start, start + span.end) for span in item.evidence]
    return replace(item, evidence=moved)


def _span(page: Page) -> dict[str, str]:
    """What narrows a listing to the span of this pass."""
    told = {"start_time": page.published_from, "end_time": page.published_until}
    return {name: at.strftime("%Y-%m-%dT%H:%M:%S.000Z") for name, at in told.items() if at is not None}


def _profile(user: Mapping[str, str], span: Span) -> Observation:
    return Observation(native_id=f"user:{user['id']}", kind=Kind.PROFILE, text=user["name"], evidence=[span])


def _json(body: bytes, span: tuple[int, int]) -> Any:
    return json.loads(body[slice(*span)])


def _cursor(began: datetime, token: str | None, *, odd: bool) -> Cursor:
    return Cursor(json.dumps({"began": began.isoformat(), "token": token, "odd": odd}))
