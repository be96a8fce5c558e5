"""A small X on loopback: one account, what it posts, who answers, names and quotes it, and the v2 interface before it.

Shapes, problem documents, limits and prices were written after X's published
interface. It is as strict as X about what it is asked (fields, expansions,
numbers, times, queries), tells only what is asked for, bills what it tells, and
errs inside answers that are otherwise well. What it adds is trouble at will.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.platform_world import PICTURE, Answer, SignedInWorld, Troubled

OURS, HANDLE = "7001", "testtownpd"
JO, AL, STRANGER = "7102", "7103", "7199"
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/login"><input type="password" name="password"></form></html>'
PROBLEMS = "https://api.twitter.com/2/problems/"

_EPOCH = 1288834974657
_POST_FIELDS = frozenset(
    {
        "article", "attachments", "author_id", "card_uri", "community_id", "context_annotations",
        "conversation_id", "created_at", "display_text_range", "edit_controls", "edit_history_tweet_ids",
        "entities", "geo", "id", "in_reply_to_user_id", "lang", "media_metadata", "non_public_metrics",
        "note_tweet", "organic_metrics", "possibly_sensitive", "promoted_metrics", "public_metrics",
        "referenced_tweets", "reply_settings", "scopes", "source", "suggested_source_links", "text",
        "withheld"
    }
)  # fmt: skip
_USER_FIELDS = frozenset(
    {
        "affiliation", "connection_status", "created_at", "description", "entities", "id",
        "is_identity_verified", "location", "most_recent_tweet_id", "name", "parody", "pinned_tweet_id",
        "profile_banner_url", "profile_image_url", "protected", "public_metrics", "receives_your_dm",
        "subscription", "subscription_type", "url", "username", "verified", "verified_followers_count",
        "verified_type", "withheld"
    }
)  # fmt: skip
_MEDIA_FIELDS = frozenset(
    {
        "alt_text", "duration_ms", "height", "media_key", "non_public_metrics", "organic_metrics",
        "preview_image_url", "promoted_metrics", "public_metrics", "type", "url", "variants", "width"
    }
)  # fmt: skip
_EVENT_FIELDS = frozenset(
    {
        "attachments", "created_at", "dm_conversation_id", "entities", "event_type", "id",
        "participant_ids", "referenced_tweets", "sender_id", "text"
    }
)  # fmt: skip
_POST_EXPANSIONS = frozenset(
    {
        "article.cover_media", "article.media_entities", "attachments.media_keys",
        "attachments.media_source_tweet", "attachments.poll_ids", "author_id", "edit_history_tweet_ids",
        "entities.mentions.username", "geo.place_id", "in_reply_to_user_id",
        "entities.note.mentions.username", "referenced_tweets.id", "referenced_tweets.id.author_id"
    }
)  # fmt: skip
_ALWAYS = {"tweet": {"id", "text", "edit_history_tweet_ids"}, "user": {"id", "name", "username"},
           "media": {"media_key", "type"}, "dm_event": {"id", "event_type", "text"}}  # fmt: skip
_FIELDS: Mapping[str, frozenset[str]] = {
    "tweet.fields": _POST_FIELDS,
    "user.fields": _USER_FIELDS,
    "media.fields": _MEDIA_FIELDS,
    "dm_event.fields": _EVENT_FIELDS,
    "poll.fields": frozenset({"duration_minutes", "end_datetime", "id", "options", "voting_status"}),
    "place.fields": frozenset({"country", "country_code", "full_name", "geo", "id", "name", "place_type"}),
}
_OF_POSTS = frozenset(
    {"expansions", "tweet.fields", "user.fields", "media.fields", "poll.fields", "place.fields"}
)
_TIMES = frozenset({"start_time", "end_time", "since_id", "until_id"})
_PRICES = {"post": 5, "owned": 1, "user": 10, "message": 10}
"""In thousandths of a dollar."""


class Refused(Exception):
    """A problem document in place of an answer."""

    def __init__(self, status: int, title: str, kind: str = "", **more: Any) -> None:
        super().__init__(title)
        self.status = status
        self.said = {
            "title": title,
            "type": PROBLEMS + kind if kind else "about:blank",
            "status": status,
            **more,
        }
        self.said.setdefault("detail", title)


@dataclass
class Item:
    """One version of a post. `chain` are the ids of all versions, the first one first, shared by them all."""

    id: str
    text: str
    created: datetime
    by: str
    chain: list[str]
    conversation: str
    answers: str | None = None
    quotes: str | None = None
    reposts: str | None = None
    names_nobody: bool = False
    """An answer whose writer took the account's handle out of it."""
    picture: str | None = None
    film: str | None = None
    alt: str | None = None
    choices: Sequence[str] = ()
    long: str | None = None
    withheld: Sequence[str] = ()
    place: str | None = None
    hidden: bool = False
    """Hidden by who began the conversation. The interface has no word for it."""
    likes: int = 2


@dataclass
class Event:
    id: str
    text: str
    created: datetime
    by: str
    conversation: str
    picture: str | None = None
    kind: str = "MessageCreate"


@dataclass
class _Asked:
    path: str
    query: dict[str, str]
    signed_in: bool
    errors: list[dict[str, Any]] = field(default_factory=list)

    def fields(self, kind: str) -> set[str]:
        return {one for one in self.query.get(f"{kind}.fields", "").split(",") if one} | _ALWAYS.get(
            kind, set()
        )

    @property
    def expansions(self) -> set[str]:
        return {one for one in self.query.get("expansions", "").split(",") if one}


class XWorld(SignedInWorld):
    """One account. Use it as a context: its server ends with it."""

    user_token, app_token = "VGhpcyBpcy/the+users=own|token", "AAAAAAAAAAAAAAAAAAAAAapp%2Bbearer%3D"

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 6, 1, tzinfo=UTC)
        """What time it is for X; what happens next happens when `tick` says."""
        self._now = datetime(2026, 5, 20, 8, 0, tzinfo=UTC)
        self._number = 0
        self.items: dict[str, Item] = {}
        self.events: list[Event] = []
        self.people: dict[str, dict[str, Any]] = {}
        for number, handle, name in (
            (OURS, HANDLE, "Test Town Police"),
            (JO, "jo_public", "Jo Public"),
            (AL, "al_visitor", "Al Visitor"),
            (STRANGER, "somebody", "Somebody Else"),
        ):
            self.people[number] = {"id": number, "username": handle, "name": name, "protected": False}
        self.people[OURS] |= {
            "description": "Not monitored 24/7. Posts &amp; replies are public records. https://t.co/policy",
            "location": "Test Town",
            "url": "https://t.co/town",
            "entities": {
                "url": {"urls": [{"url": "https://t.co/town", "expanded_url": "https://town.example/"}]}
            },
        }
        self.suspended: set[str] = set()
        self.closed: set[str] = set()
        self.blocked, self.muted = [AL], [STRANGER]
        self.signed_in_as = OURS
        self.scopes = {"tweet.read", "users.read", "dm.read", "block.read", "mute.read"}
        self.plan = {"recent", "mentions", "quotes"}
        """What the application is given beside the lists that everybody is."""
        self.dead = False
        self.cuts_at = 500
        self.latest = {"tweets": 3200, "mentions": 800}
        self.shut: dict[str, Refused] = {}
        self.amiss: dict[str, dict[str, Any]] = {}
        """By the last step of a path: an error that stands inside an answer which is otherwise well."""
        self.forgets_tokens = False
        self.media = 1
        self.capped = False
        self.billed: Counter[str] = Counter()
        self.spent = 0
        """In thousandths of a dollar."""
        self._billed_today: set[tuple[str, str]] = set()
        self.asked: list[str] = []
        self.tokens: list[str] = []

    # --- what happens on X --------------------------------------------------------------------------------

    def a_new_day(self) -> None:
        self.now += timedelta(days=1)
        self._billed_today = set()

    def _name(self, at: datetime) -> str:
        self._number += 1
        return str(((int(at.timestamp() * 1000) - _EPOCH) << 22) + self._number)

    def say(self, text: str, by: str = OURS, *, to: str | None = None, **more: Any) -> str:
        """Somebody posts, or answers the post `to`; the post's id."""
        at = self.tick()
        name = self._name(at)
        begun = self.items[to].conversation if to is not None else name
        item = Item(name, text, at, by, [name], begun, answers=to, **more)
        self.items[name] = item
        return name

    def edit(self, name: str, text: str) -> str:
        """A post is edited, soon after it was published: another id, with the old one before it; the new id."""
        old = self.items[self.items[name].chain[-1]]
        at = old.created + timedelta(minutes=1)
        new = self._name(at)
        old.chain.append(new)
        self.items[new] = Item(
            new,
            text,
            at,
            old.by,
            old.chain,
            old.conversation,
            old.answers,
            old.quotes,
            old.reposts,
            likes=old.likes,
        )
        return new

    def write(self, text: str, by: str = JO, **more: Any) -> str:
        """Somebody writes to the account in private, or it answers; the message's id."""
        at = self.tick()
        name = self._name(at)
        self.events.append(Event(name, text, at, by, f"{OURS}-{JO}", **more))
        return name

    def delete(self, name: str) -> None:
        """A post is deleted, with all of its versions; what answered it stays."""
        for one in list(self.items[name].chain):
            del self.items[one]

    # --- the server ---------------------------------------------------------------------------------------

    def answer(self, target: str, authorization: str | None) -> Answer:
        path = urlsplit(target).path
        self.asked.append(target)
        if (troubled := self.disturbed(path)) is not None:
            return troubled
        if path.startswith("/media/"):
            return PICTURE
        headers = {
            **JSON,
            "x-rate-limit-limit": "900",
            "x-rate-limit-remaining": "899",
            "x-rate-limit-reset": "1780272900",
        }
        try:
            return 200, headers, spoken(self._reply(target, authorization))
        except Refused as refused:
            return refused.status, headers, spoken(refused.said)

    def _reply(self, target: str, authorization: str | None) -> object:
        token = (authorization or "").removeprefix("Bearer ")
        self.tokens.append(token)
        if token not in {self.user_token, self.app_token} or self.dead:
            raise Refused(401, "Unauthorized")
        if self.capped:
            raise Refused(
                429,
                "UsageCapExceeded",
                "usage-capped",
                detail="Usage cap exceeded: Monthly product cap",
                period="Monthly",
                scope="Product",
                product_name="standard-basic",
            )
        parts = urlsplit(target)
        steps = parts.path.removeprefix("/2/").split("/")
        query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        asked = _Asked("/".join(steps), query, token == self.user_token)
        if steps[-1] in self.shut:
            raise self.shut[steps[-1]]
        reply = self._routed(steps, asked)
        if (told := self.amiss.get(steps[-1])) is not None:
            asked.errors.append(told)
        if asked.errors:
            reply["errors"] = asked.errors
        return reply

    def _routed(self, steps: list[str], asked: _Asked) -> dict[str, Any]:
        match steps:
            case ["users", "me"]:
                self._signed_in(asked, "users.read")
                self._strict(asked, {"expansions", "tweet.fields", "user.fields"})
                return self._user(self.signed_in_as, asked, "id")
            case ["users", "by", "username", handle]:
                self._strict(asked, {"expansions", "tweet.fields", "user.fields"})
                number = next(
                    (n for n, one in self.people.items() if one["username"].lower() == handle.lower()), handle
                )
                return self._user(number, asked, "username")
            case ["users", number]:
                self._strict(asked, {"expansions", "tweet.fields", "user.fields"})
                return self._user(number, asked, "id")
            case ["users", number, "tweets"]:
                return self._timeline(number, asked)
            case ["users", number, "mentions"]:
                self._planned("mentions")
                return self._mentions(number, asked)
            case ["users", number, "blocking" | "muting" as which]:
                self._signed_in(asked, "block.read" if which == "blocking" else "mute.read")
                if number != self.signed_in_as:
                    raise Refused(403, "Forbidden")
                return self._names(self.blocked if which == "blocking" else self.muted, asked)
            case ["tweets"]:
                return self._lookup(asked)
            case ["tweets", "search", "recent" | "all" as how]:
                self._planned(how)
                return self._search(how, asked)
            case ["tweets", name, "quote_tweets"]:
                self._planned("quotes")
                return self._quotes(name, asked)
            case ["dm_events"]:
                self._signed_in(asked, "dm.read")
                return self._messages(asked)
            case ["dm_events", name]:
                self._signed_in(asked, "dm.read")
                return self._message_alone(name, asked)
            case ["usage", "tweets"]:
                if asked.signed_in:
                    raise _unsupported("OAuth 2.0 User Context")
                return {"data": {"project_usage": str(self.billed["post"]), "project_cap": "2000000",
                                 "cap_reset_day": 1, "project_id": "17"}}  # fmt: skip
            case _:
                raise Refused(404, "Not Found")

    # --- what is permitted, and how it must be asked ------------------------------------------------------

    def _signed_in(self, asked: _Asked, scope: str) -> None:
        if not asked.signed_in:
            raise _unsupported("OAuth 2.0 Application-Only")
        if scope not in self.scopes:
            raise Refused(403, "Forbidden", detail="Forbidden")

    def _planned(self, what: str) -> None:
        if what not in self.plan:
            raise Refused(
                403,
                "Client Forbidden",
                "client-forbidden",
                detail="When authenticating requests to the X API v2 endpoints, you must use keys and tokens from a "
                "developer App that is attached to a Project.",
                reason="client-not-enrolled",
                required_enrollment="Appropriate Level of API Access",
            )

    def _strict(self, asked: _Asked, known: Collection[str], bounds: tuple[int, int] | None = None) -> int:
        """Refuse what X refuses; how many items are asked for."""
        for name, value in asked.query.items():
            if name not in {*known, *(("max_results",) if bounds else ())}:
                raise _invalid(
                    name, value, f"The query parameter [{name}] is not one of [{','.join(sorted(known))}]"
                )
            for one in value.split(",") if name in _FIELDS else ():
                if one not in _FIELDS[name]:
                    raise _invalid(name, one, f"The `{name}` query parameter value [{one}] is not one of […]")
            if name in {"start_time", "end_time"} and not re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value
            ):
                raise _invalid(
                    name, value, f"The `{name}` query parameter value [{value}] is not an RFC3339 time"
                )
        if (end := asked.query.get("end_time")) and _read(end) > self.now - timedelta(seconds=10):
            raise _invalid(
                "end_time", end, "'end_time' must be a minimum of 10 seconds prior to the request time"
            )
        start = asked.query.get("start_time")
        if start and end and _read(start) >= _read(end):
            raise _invalid("start_time", start, "'start_time' must be before 'end_time'")
        if bounds is None:
            return 0
        written = asked.query.get("max_results", "10")
        if not written.isdecimal() or not bounds[0] <= int(written) <= bounds[1]:
            raise _invalid(
                "max_results",
                written,
                f"The `max_results` query parameter value [{written}] is not between {bounds}",
            )
        return min(int(written), self.cuts_at)

    def _expands(self, asked: _Asked, known: Collection[str]) -> None:
        for one in asked.expansions - set(known):
            raise _invalid(
                "expansions", one, f"The `expansions` query parameter value [{one}] is not one of […]"
            )

    # --- answers ------------------------------------------------------------------------------------------

    def _user(self, number: str, asked: _Asked, parameter: str) -> dict[str, Any]:
        if number in self.suspended:
            asked.errors.append(
                {"value": number, "detail": f"User has been suspended: [{number}].", "title": "Forbidden",
                 "resource_type": "user", "parameter": parameter, "resource_id": number,
                 "type": PROBLEMS + "resource-not-found"}
            )  # fmt: skip
            return {}
        if number not in self.people or number in self.closed:
            asked.errors.append(
                {"value": number, "detail": f"Could not find user with {parameter}: [{number}].",
                 "title": "Not Found Error", "resource_type": "user", "parameter": parameter, "resource_id": number,
                 "type": PROBLEMS + "resource-not-found"}
            )  # fmt: skip
            return {}
        self._bill("user", [number])
        return {"data": self._person(number, asked)}

    def _person(self, number: str, asked: _Asked) -> dict[str, Any]:
        person = {
            "created_at": "2012-03-01T10:00:00.000Z",
            "public_metrics": {
                "followers_count": 900 + self.likes,
                "following_count": 12,
                "tweet_count": sum(item.by == number for item in self._current()),
                "listed_count": 3,
            },
            "profile_image_url": f"{self.address}/media/{number}/seal_normal.png?v={self.media}",
            **self.people[number],
        }
        return {name: told for name, told in person.items() if name in asked.fields("user")}

    likes = 0

    def _names(self, numbers: Sequence[str], asked: _Asked) -> dict[str, Any]:
        most = self._strict(
            asked, {"expansions", "tweet.fields", "user.fields", "pagination_token"}, (1, 1000)
        )
        begin = int(asked.query.get("pagination_token", "p0")[1:])
        shown = numbers[begin : begin + most]
        self._bill("user", shown)
        following = f"p{begin + most}" if len(numbers) > begin + most or self.loops else None
        told: dict[str, Any] = {"meta": {"result_count": len(shown)}}
        if shown:
            told["data"] = [self._person(one, asked) for one in shown]
        if following:
            told["meta"]["next_token"] = "p0" if self.loops else following
        return told

    def _current(self) -> list[Item]:
        """Every post as it reads now, newest first; those of suspended and closed accounts are not shown."""
        away = self.suspended | self.closed
        shown = [item for item in self.items.values() if item.chain[-1] == item.id and item.by not in away]
        return sorted(shown, key=lambda item: int(item.id), reverse=True)

    def _timeline(self, number: str, asked: _Asked) -> dict[str, Any]:
        most = self._strict(asked, {*_OF_POSTS, *_TIMES, "exclude", "pagination_token"}, (5, 100))
        if number in self.suspended or number in self.closed or self._protected(number, asked):
            asked.errors.append(
                {"resource_id": number, "parameter": "id", "resource_type": "user", "section": "data",
                 "title": "Authorization Error", "value": number,
                 "detail": f"Sorry, you are not authorized to see the user with id: [{number}].",
                 "type": PROBLEMS + "not-authorized-for-resource"}
            )  # fmt: skip
            return {}
        found = [item for item in self._current() if item.by == number][: self.latest["tweets"]]
        return self._page(found, most, asked, "owned" if number == OURS and asked.signed_in else "post")

    def _protected(self, number: str, asked: _Asked) -> bool:
        return bool(self.people[number]["protected"]) and not (
            asked.signed_in and self.signed_in_as == number
        )

    def _mentions(self, number: str, asked: _Asked) -> dict[str, Any]:
        most = self._strict(asked, {*_OF_POSTS, *_TIMES, "pagination_token"}, (5, 100))
        handle = f"@{self.people[number]['username']}"
        found = [
            item for item in self._current() if item.by != number and self._names_it(item, number, handle)
        ]
        return self._page(found[: self.latest["mentions"]], most, asked, "post")

    def _names_it(self, item: Item, number: str, handle: str) -> bool:
        above = self.items.get(item.answers or "")
        return handle in item.text or (above is not None and above.by == number and not item.names_nobody)

    def _search(self, how: str, asked: _Asked) -> dict[str, Any]:
        bounds = (10, 100 if how == "recent" else 500)
        most = self._strict(asked, {*_OF_POSTS, *_TIMES, "query", "next_token", "sort_order"}, bounds)
        query = asked.query.get("query", "")
        if not query or len(query) > 512:
            raise _invalid(
                "query",
                query,
                f"There were errors processing your request: Rules must be 512 characters, {len(query)}",
            )
        begin = _read(asked.query["start_time"]) if "start_time" in asked.query else None
        earliest = self.now - timedelta(days=7)
        if how == "recent" and begin is not None and begin < earliest:
            raise _invalid(
                "start_time", asked.query["start_time"], "'start_time' must be on or after the last 7 days"
            )
        if how == "recent" and "end_time" in asked.query and _read(asked.query["end_time"]) <= earliest:
            raise _invalid(
                "end_time", asked.query["end_time"], "'end_time' must be on or after the last 7 days"
            )
        since = begin or (earliest if how == "recent" else self.now - timedelta(days=30))
        wanted, without = (
            set(re.findall(r"conversation_id:(\d+)", query)),
            set(re.findall(r"-from:(\w+)", query)),
        )
        found = [
            item
            for item in self._current()
            if item.conversation in wanted and item.by not in without and item.created >= since
            and not self.people[item.by]["protected"]
        ]  # fmt: skip
        return self._page(found, most, asked, "post", "next_token")

    def _quotes(self, name: str, asked: _Asked) -> dict[str, Any]:
        most = self._strict(asked, {*_OF_POSTS, "exclude", "pagination_token"}, (10, 100))
        if name not in self.items:
            asked.errors.append(_no_post(name, "id"))
            return {}
        return self._page([item for item in self._current() if item.quotes == name], most, asked, "post")

    def _lookup(self, asked: _Asked) -> dict[str, Any]:
        self._strict(asked, {*_OF_POSTS, "ids"})
        self._expands(asked, _POST_EXPANSIONS)
        names = asked.query.get("ids", "").split(",")
        if not 1 <= len(names) <= 100 or not all(one.isdecimal() and len(one) <= 19 for one in names):
            raise _invalid("ids", asked.query.get("ids"), "The `ids` query parameter must hold 1 to 100 ids")
        shown = []
        for one in names:
            if one not in self.items or self.items[one].by in self.closed:
                asked.errors.append(_no_post(one, "ids"))
            elif self.items[one].by in self.suspended or self._protected(self.items[one].by, asked):
                asked.errors.append(_not_authorised(one, "ids"))
            else:
                shown.append(self.items[one])
        told = {"data": [self._post(item, asked) for item in shown]} if shown else {}
        self._bill("post", [item.id for item in shown])
        return self._with_includes(told, shown, asked)

    def _page(
        self, found: Sequence[Item], most: int, asked: _Asked, price: str, token: str = "pagination_token"
    ) -> dict[str, Any]:
        """One answer of a list: newest first, from where its token says."""
        self._expands(asked, _POST_EXPANSIONS)
        if "start_time" in asked.query:
            found = [item for item in found if item.created >= _read(asked.query["start_time"])]
        if "end_time" in asked.query:
            found = [item for item in found if item.created < _read(asked.query["end_time"])]
        if (at := asked.query.get(token)) is not None:
            if self.forgets_tokens or not re.fullmatch(r"t\d+", at):
                self.forgets_tokens = False
                raise _invalid(token, at, f"The `{token}` query parameter value [{at}] is not valid")
            found = [item for item in found if int(item.id) < int(at[1:])]
        shown = found[:most]
        told: dict[str, Any] = {"meta": {"result_count": len(shown)}}
        if shown:
            told["data"] = [self._post(item, asked) for item in shown]
            told["meta"] |= {"newest_id": shown[0].id, "oldest_id": shown[-1].id}
        if len(found) > most:
            told["meta"]["next_token"] = f"t{shown[-1].id}"
        elif self.loops:
            told["meta"]["next_token"] = f"t{10**19}"
        self._bill(price, [item.id for item in shown])
        return self._with_includes(told, shown, asked)

    def _with_includes(self, told: dict[str, Any], shown: Sequence[Item], asked: _Asked) -> dict[str, Any]:
        """What the expansions bring along; of a quoted post that cannot be told there is an error instead."""
        wanted, beside = asked.expansions, dict[str, dict[str, Any]]()
        people: dict[str, None] = {}
        posts: dict[str, Item] = {}
        for item in shown:
            if "author_id" in wanted:
                people[item.by] = None
            if "edit_history_tweet_ids" in wanted:
                posts |= {one: self.items[one] for one in item.chain if one != item.id and one in self.items}
            for other in (
                (item.answers, item.quotes, item.reposts) if "referenced_tweets.id" in wanted else ()
            ):
                if other is None:
                    continue
                held = self.items.get(other)
                if held is None or held.by in self.closed:
                    asked.errors.append(_no_post(other, "referenced_tweets.id"))
                elif held.by in self.suspended:
                    asked.errors.append(_not_authorised(other, "referenced_tweets.id"))
                else:
                    posts[other] = held
                    if "referenced_tweets.id.author_id" in wanted:
                        people[held.by] = None
            if "attachments.media_keys" in wanted and (item.picture or item.film):
                beside.setdefault("media", {})[f"3_{item.picture or item.film}"] = self._file(item, asked)
            if "attachments.poll_ids" in wanted and item.choices:
                beside.setdefault("polls", {})[f"9{item.id}"] = self._poll(item)
            if "geo.place_id" in wanted and item.place:
                beside.setdefault("places", {})[item.place] = {"id": item.place, "full_name": "Test Town, XX"}
        if people:
            beside["users"] = {one: self._person(one, asked) for one in people}
            self._bill("user", people)
        if posts:
            beside["tweets"] = {one: self._post(item, asked) for one, item in posts.items()}
            self._bill("post", posts)
        if beside:
            told["includes"] = {name: list(found.values()) for name, found in beside.items()}
        return told

    def _post(self, item: Item, asked: _Asked) -> dict[str, Any]:
        refers = [("replied_to", item.answers), ("quoted", item.quotes), ("retweeted", item.reposts)]
        above = self.items.get(item.answers or "")
        shape: dict[str, Any] = {
            "id": item.id,
            "text": item.text,
            "author_id": item.by,
            "created_at": item.created.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conversation_id": item.conversation,
            "edit_history_tweet_ids": item.chain,
            "edit_controls": {
                "is_edit_eligible": item.answers is None,
                "edits_remaining": 6 - len(item.chain),
            },
            "lang": "en" if re.search(r"[a-z]{2}", item.text) else "und",
            "possibly_sensitive": False,
            "reply_settings": "everyone",
            "public_metrics": {
                "retweet_count": sum(one.reposts == item.id for one in self._current()),
                "reply_count": sum(one.answers == item.id for one in self._current()),
                "quote_count": sum(one.quotes == item.id for one in self._current()),
                "like_count": item.likes,
                "bookmark_count": 0,
                "impression_count": 40 + item.likes,
            },
        }
        if item.answers is not None:
            shape["in_reply_to_user_id"] = above.by if above is not None else OURS
        if referenced := [{"type": how, "id": other} for how, other in refers if other is not None]:
            shape["referenced_tweets"] = referenced
        if item.picture or item.film:
            shape["attachments"] = {"media_keys": [f"3_{item.picture or item.film}"]}
        if item.choices:
            shape.setdefault("attachments", {})["poll_ids"] = [f"9{item.id}"]
        if item.long is not None:
            shape["note_tweet"] = {"text": item.long}
        if item.withheld:
            shape["withheld"] = {"copyright": False, "country_codes": list(item.withheld)}
        if item.place:
            shape["geo"] = {"place_id": item.place}
        if found := re.findall(r"https://t\.co/(\w+)", item.text):
            shape["entities"] = {"urls": [_link(one) for one in found]}
        return {name: told for name, told in shape.items() if name in asked.fields("tweet")}

    def _file(self, item: Item, asked: _Asked) -> dict[str, Any]:
        key = f"3_{item.picture or item.film}"
        told: dict[str, Any] = {"media_key": key, "type": "photo" if item.picture else "video"}
        if item.picture:
            told["url"] = f"{self.address}/media/{item.picture}.jpg?v={self.media}"
        else:
            told["preview_image_url"] = f"{self.address}/media/{item.film}.jpg"
            told["variants"] = [
                {"content_type": "application/x-mpegURL", "url": f"{self.address}/media/{item.film}.m3u8"},
                {
                    "bit_rate": 632000,
                    "content_type": "video/mp4",
                    "url": f"{self.address}/media/{item.film}-320.mp4",
                },
                {
                    "bit_rate": 2176000,
                    "content_type": "video/mp4",
                    "url": f"{self.address}/media/{item.film}-1280.mp4",
                },
            ]
        if item.alt:
            told["alt_text"] = item.alt
        return {name: one for name, one in told.items() if name in asked.fields("media")}

    def _poll(self, item: Item) -> dict[str, Any]:
        options = [
            {"position": place, "label": one, "votes": place * 3 + self.likes}
            for place, one in enumerate(item.choices, start=1)
        ]
        return {"id": f"9{item.id}", "options": options, "voting_status": "open"}

    def _messages(self, asked: _Asked) -> dict[str, Any]:
        known = {"expansions", "dm_event.fields", "media.fields", "user.fields", "tweet.fields", "event_types",
                 "pagination_token"}  # fmt: skip
        most = self._strict(asked, known, (1, 100))
        self._expands(
            asked, {"attachments.media_keys", "referenced_tweets.id", "sender_id", "participant_ids"}
        )
        month = self.now - timedelta(days=30)
        found = [one for one in reversed(self.events) if one.created >= month]
        begin = int(asked.query.get("pagination_token", "d0")[1:])
        shown = found[begin : begin + most]
        told: dict[str, Any] = {"meta": {"result_count": len(shown)}}
        if shown:
            told["data"] = [self._event(one, asked) for one in shown]
        if len(found) > begin + most or self.loops:
            told["meta"]["next_token"] = "d0" if self.loops else f"d{begin + most}"
        beside: dict[str, Any] = {}
        if "sender_id" in asked.expansions and shown:
            senders = dict.fromkeys(one.by for one in shown)
            beside["users"] = [self._person(one, asked) for one in senders]
            self._bill("user", senders)
        files = [one for one in shown if one.picture]
        if "attachments.media_keys" in asked.expansions and files:
            beside["media"] = [
                {
                    "media_key": f"5_{one.picture}",
                    "type": "photo",
                    "url": f"{self.address}/media/{one.picture}.jpg?v={self.media}",
                }
                for one in files
            ]
        if beside:
            told["includes"] = beside
        self._bill("message", [one.id for one in shown])
        return told

    def _message_alone(self, name: str, asked: _Asked) -> dict[str, Any]:
        self._strict(asked, {"dm_event.fields", "expansions", "user.fields", "media.fields", "tweet.fields"})
        found = next((one for one in self.events if one.id == name), None)
        if found is None or found.created < self.now - timedelta(days=30):
            raise Refused(
                404, "Not Found Error", "resource-not-found", detail=f"Could not find event [{name}]."
            )
        self._bill("message", [name])
        return {"data": self._event(found, asked)}

    def _event(self, item: Event, asked: _Asked) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "id": item.id,
            "event_type": item.kind,
            "created_at": item.created.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "dm_conversation_id": item.conversation,
            "sender_id": item.by,
        }
        if item.kind == "MessageCreate":
            shape["text"] = item.text
        else:
            shape["participant_ids"] = [JO]
        if item.picture:
            shape["attachments"] = {"media_keys": [f"5_{item.picture}"]}
        return {name: told for name, told in shape.items() if name in asked.fields("dm_event")}

    def _bill(self, price: str, ids: Iterable[str]) -> None:
        """What was told is paid for, once a day each."""
        kind = "post" if price == "owned" else price
        for one in ids:
            if (kind, one) not in self._billed_today:
                self._billed_today.add((kind, one))
                self.billed[kind] += 1
                self.spent += _PRICES[price]


def spoken(value: object) -> bytes:
    """As X writes JSON: in UTF-8, without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _read(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _link(name: str) -> dict[str, Any]:
    return {"url": f"https://t.co/{name}", "expanded_url": f"https://town.example/{name}", "title": "A page"}


def _invalid(parameter: str, value: object, message: str) -> Refused:
    told = {"parameters": {parameter: [value]}, "message": message}
    return Refused(400, "Invalid Request", "invalid-request", detail="One or more parameters to your request was invalid.",
                   errors=[told])  # fmt: skip


def _unsupported(how: str) -> Refused:
    return Refused(
        403,
        "Unsupported Authentication",
        "unsupported-authentication",
        detail=f"Authenticating with {how} is forbidden for this endpoint.",
    )


def _no_post(name: str, parameter: str) -> dict[str, Any]:
    return {"value": name, "detail": f"Could not find tweet with {parameter}: [{name}].", "title": "Not Found Error",
            "resource_type": "tweet", "parameter": parameter, "resource_id": name,
            "type": PROBLEMS + "resource-not-found"}  # fmt: skip


def _not_authorised(name: str, parameter: str) -> dict[str, Any]:
    return {"value": name, "detail": f"Sorry, you are not authorized to see the Tweet with {parameter}: [{name}].",
            "title": "Authorization Error", "resource_type": "tweet", "parameter": parameter, "resource_id": name,
            "type": PROBLEMS + "not-authorized-for-resource"}  # fmt: skip


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedX(Troubled, XWorld):
    """An account with a busy conversation, an edited post, a poll, a quotation, mentions and messages.

    As few as will do, since a pass is broken off at each of its answers.
    """

    def __init__(self, *, signed_in: bool) -> None:
        super().__init__()
        self._with_user = signed_in

    def __enter__(self) -> Self:
        super().__enter__()
        self.cuts_at = 4
        self.say("Library hours https://t.co/hours")
        self.people[OURS]["pinned_tweet_id"] = next(iter(self.items))
        for number in range(3):
            self.say(f"Notice {number}")
        self.tick(days=7)
        asks = self.say("Who cut the trees?", by=JO)
        self.say("It was the storm.", to=asks)
        self._busy = busy = self.say("Bridge closed", picture="901", alt="A barrier across the road")
        first = self.say(f"@{HANDLE} Until when?", by=JO, to=busy)
        self.say("Until six.", to=first)
        self._spam = self.say("Buy cheap pills", by=AL, to=first, names_nobody=True)
        self.say(f"@{HANDLE} And the ferry? ⛴", by=AL, to=busy)
        self.edit(self.say("Road open tomorow"), "Road open tomorrow")
        self.say("Which day?", choices=("Friday", "Saturday"))
        self.say("Look at that", by=AL, quotes=busy)
        self.say(f"Thank you @{HANDLE}!", by=STRANGER)
        self.write("Is the office open?")
        self.write("Until noon.", by=OURS, picture="77")
        self.tick(days=3)
        self.say("Thank you @testtownpd!", reposts=next(reversed(self.items)))
        return self

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"access_token": self.user_token} if self._with_user else {"bearer_token": self.app_token}

    @property
    def page(self) -> Page:
        options = {"api": f"{self.address}/2", "monthly_budget": "none", "answered_within": "5"}
        return Page(address=f"https://x.com/{HANDLE}", options=options)

    def shows(self) -> Collection[str]:
        private = ["blocked", "muted", *(f"dm:{one.id}" for one in self.events)] if self._with_user else []
        return [f"user:{OURS}", *dict.fromkeys(item.chain[0] for item in self.items.values()), *private]

    def publish(self) -> str:
        return self.say("And now?", by=JO, to=self._busy, names_nobody=True)

    def edit(self, name: str = "", text: str = "") -> str:
        if name:
            return super().edit(name, text)
        edited = next(item for item in self.items.values() if item.text.startswith("Library"))
        super().edit(edited.id, f"{edited.text} (edited)")
        return edited.chain[0]

    def remove(self) -> str:
        name = self._spam
        self.delete(name)
        return name

    def recount(self) -> None:
        self.likes += 7
        for item in self.items.values():
            item.likes += 11

    def expire(self) -> None:
        self.media += 1

    def throttle(self, after: int) -> timedelta | None:
        headers = {
            **JSON,
            "x-rate-limit-limit": "900",
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": "1",
        }
        told = {"title": "Too Many Requests", "detail": "Too Many Requests", "status": 429,
                "type": "https://api.x.com/2/problems/rate-limit-exceeded"}  # fmt: skip
        self._will((429, headers, spoken(told)), after)
        return timedelta(0)

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        told = {
            "title": "Service Unavailable",
            "detail": "Service Unavailable",
            "type": "about:blank",
            "status": 503,
        }
        self._will((503, JSON, spoken(told)), after)

    def turn_away(self) -> None:
        self.dead = True

    def recover(self) -> None:
        super().recover()
        self.dead = False
