"""A small Mastodon on loopback: it keeps accounts and statuses, and answers as Mastodon 4 answers.

It makes trouble at will: throttling in Mastodon's own headers, a sign-in page,
a firewall, an outage, a cut body, a token that is revoked, a listing without
end, and changes in the midst of a pass. Shapes and refusals follow the
published interface; a server that is not ours is asked in tests/live.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import chain
from queue import Queue
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.loopback import Loopback, Talk

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/auth/sign_in"><input type="password"></form></html>'
CHALLENGE = b"<!DOCTYPE html><html><title>Just a moment...</title></html>"

PUBLIC = ("public", "unlisted")
OURS = "110000000000000001"
MOST, MOST_OPENLY, DEEPEST_OPENLY = 4096, 60, 20
SCOPES = frozenset({"statuses", "accounts", "notifications", "filters", "blocks", "mutes"})


class Refused(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass
class Said:
    """One status."""

    id: str
    account: str
    text: str
    at: datetime
    parent: str | None = None
    parent_account: str | None = None
    visibility: str = "public"
    edited: datetime | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    mentions: tuple[str, ...] = ()
    boosted: str | None = None
    warning: str = ""
    media: list[str] = field(default_factory=list)
    poll: list[str] = field(default_factory=list)
    favourites: int = 0
    filtered: bool = False


class MastodonWorld(Loopback):
    """One server with one account that is the page's, and people. Use it as a context: the server ends with it."""

    token = "tOkEn-of-the-page-0123456789"

    def __init__(self, *, connected: bool = False, small: bool = True) -> None:
        self.connected = connected
        self.page_size = 3 if small else 40
        self.account: dict[str, Any] = {
            "display_name": "Test Town Police",
            "note": "<p>News &amp; warnings.<br>Maintained by the department.</p>",
            "fields": [{"name": "Site", "value": '<a href="https://town.example">town.example</a>'}],
        }
        self.people: dict[str, str] = {OURS: "police", "110000000000000002": "jo@far.example"}
        self.said: dict[str, Said] = {}
        self.notified: list[tuple[str, str]] = []
        self.bereft: list[tuple[str, str]] = []
        """Notifications whose status was deleted, with who wrote it: they are listed on, without it."""
        self.filters: dict[str, tuple[str, list[str]]] = {}
        self.blocked: list[str] = []
        self.muted: list[str] = []
        self.domains: list[str] = []
        self.blocked_by: set[str] = set()
        """Accounts that block the page: to its token their statuses are not found."""
        self.scopes = set(SCOPES)
        self.token_of = OURS
        self.accepts_token = True
        self.media_at = "one"
        self.numbers_by_time = True
        self.only_signed_in = False
        self.lists_conversations = True
        self.handle_leads_to: str | None = None
        self.events: list[bytes] = []
        """What the stream tells, message by message, before it ends."""
        self.trouble: Callable[[str], Answer | None] | None = None
        """Asked first, with the path; what it answers is sent in Mastodon's place."""
        self.before: Callable[[str], None] | None = None
        """Called before each answer, with the path: the page changes while it is read."""
        self.odd: dict[str, Callable[[dict[str, Any]], Any]] = {}
        """What the server makes of a status, by its id, wherever it tells of it."""
        self.looping = False
        self.asked: list[str] = []
        self.with_token: list[bool] = []
        self._listeners: list[Queue[bytes | None]] = []
        self._heard = threading.Condition()
        self._now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self._count = 0

    # -- what happens ----------------------------------------------------------------------------------------

    def tick(self, minutes: int = 1) -> datetime:
        self._now += timedelta(minutes=minutes)
        return self._now

    def is_now(self, moment: datetime) -> None:
        """It is that moment on this server."""
        self._now = moment

    def person(self, acct: str) -> str:
        """Somebody of that handle; their id."""
        found = next((one for one, name in self.people.items() if name == acct), None)
        if found is None:
            found = str(110000000000000001 + len(self.people))
            self.people[found] = acct
        return found

    def say(self, text: str, *, by: str = "police", to: str | None = None, **more: Any) -> str:
        """Somebody publishes a status, or answers the status `to`; its id. Who is named is notified."""
        now, self._count = self.tick(), self._count + 1
        number = (
            (int(now.timestamp() * 1000) << 16) + self._count if self.numbers_by_time else 1000 + self._count
        )
        parent = self.said.get(to) if to else None
        mentions = tuple(self.person(name) for name in more.pop("names", ()))
        identity = str(number)
        self.said[identity] = Said(
            identity,
            self.person(by),
            text,
            now,
            parent=to,
            parent_account=parent.account if parent else None,
            mentions=mentions,
            **more,
        )
        if OURS in mentions:
            self.notified.append((str(500 + self._count), identity))
        return identity

    def boost(self, identity: str) -> str:
        return self.say("", boosted=identity)

    def amend(self, identity: str, text: str) -> None:
        one = self.said[identity]
        if not one.history:
            one.history.append(self._edit(one, one.at))
        one.text, one.edited = text, self.tick()
        one.history.append(self._edit(one, one.edited))

    def delete(self, identity: str) -> None:
        """It is gone; what answered it hangs in the air, as in Mastodon."""
        del self.said[identity]
        self.dismiss(identity)
        for one in list(self.said.values()):
            if one.boosted == identity:
                del self.said[one.id]
            elif one.parent == identity:
                one.parent = None

    def dismiss(self, identity: str) -> None:
        """The page's owner dismisses what was told of a status; nobody loses the status by it."""
        self.notified = [one for one in self.notified if one[1] != identity]

    # -- the promises' world -----------------------------------------------------------------------------------

    def history(self) -> Self:
        """A small known history: enough for several answers."""
        self.filters["7"] = ("Rude words", ["clown", "donut"])
        self.blocked.append(self.person("troll@far.example"))
        first = self.say("Main Street is closed.", media=["31"])
        asked = self.say("Which way?", by="jo@far.example", to=first, names=["police"])
        self.say("By 2nd Street.", to=asked)
        self.say("Thanks!", by="jo@far.example", to=self.last, names=["police"])
        self.tick(60 * 24 * 30)
        self.say("Open again.", poll=["Good", "Late"], warning="Traffic")
        self.boost(self.say("Rain tonight", by="weather@far.example"))
        for number in range(2):
            self.say(f"Notice {number}")
        self.say("Hello @police, a light is out.", by="al@far.example", names=["police"])
        light = self.last
        self.say("Where?", by="police", to=light)
        self.say("We look after it.", by="police", to=light)
        if self.connected:
            self.say("My name is Al.", by="al@far.example", names=["police"], visibility="direct")
            self.say("For our followers", visibility="private")
        return self

    @property
    def last(self) -> str:
        return list(self.said)[-1]

    @property
    def base(self) -> str:
        return self.address

    @property
    def page(self) -> Page:
        return Page(address=f"{self.base}/@police")

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"access_token": self.token} if self.connected else {}

    @property
    def client_options(self) -> Mapping[str, Any]:
        return {}

    @property
    def cannot(self) -> Mapping[str, str]:
        if self.connected:
            return {}
        streams = {
            f"stream_{hook}": "Mastodon tells only those who sign in"
            for hook in ("publish", "edit", "remove")
        }
        return streams | {"revoke": "what is public needs no token"}

    def shows(self) -> Collection[str]:
        boosted = {one.boosted for one in self.said.values()}
        shown = {f"status:{one}" for one in self.said if one not in boosted} | {f"account:{OURS}"}
        lists = {"settings", "filter:7", "blocks", "mutes", "domain-blocks"}
        return shown | lists if self.connected else shown

    def publish(self) -> str:
        new = self.say("One more")
        self._tell(self._event("update", new))
        return f"status:{new}"

    def edit(self) -> str:
        first = next(iter(self.said))
        self.amend(first, "Main Street is closed until six.")
        self._tell(self._event("status.update", first))
        return f"status:{first}"

    def remove(self) -> str:
        found = next(one.id for one in self.said.values() if one.text == "Thanks!")
        self.delete(found)
        self._tell(self._event("delete", found))
        return f"status:{found}"

    def recount(self) -> None:
        for one in self.said.values():
            one.favourites += 5

    def expire(self) -> None:
        self.media_at = "two"

    def _from(self, after: int, answer: Answer) -> None:
        answered = 0

        def trouble(_: str) -> Answer | None:
            nonlocal answered
            answered += 1
            return answer if answered > after else None

        self.trouble = trouble

    def throttle(self, after: int) -> timedelta | None:
        headers = {**JSON, "X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0"}
        self._from(
            after,
            (
                429,
                {**headers, "X-RateLimit-Reset": "1970-01-01T00:00:00.000000Z"},
                _json({"error": "Too many requests"}),
            ),
        )
        return timedelta(0)

    def sign_in(self, after: int) -> None:
        self._from(after, (200, HTML, SIGN_IN))

    def cut(self, after: int) -> None:
        self._from(after, (200, {**JSON, "Content-Length": "500"}, b'[{"id":"1'))

    def fail(self, after: int) -> None:
        self._from(after, (500, HTML, b"<html>We're sorry, but something went wrong</html>"))

    def revoke(self, after: int) -> None:
        self._from(after, (401, JSON, _json({"error": "The access token is invalid"})))

    def loop(self) -> None:
        self.looping = True

    def recover(self) -> None:
        self.trouble, self.looping = None, False

    # -- the server ----------------------------------------------------------------------------------------------

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                status, headers, body = world.answer(self.path, self.headers.get("Authorization"))
                if status == 200 and headers.get("Content-Type") == "text/event-stream":
                    self.stream(world._listener())
                else:
                    self.say(status, headers, body)

            def stream(self, told: Iterator[bytes]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                with suppress(OSError):
                    for piece in told:
                        self.wfile.write(piece)
                        self.wfile.flush()
                self.close_connection = True

        return Handler

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        super().__exit__()

    # -- its answers ---------------------------------------------------------------------------------------------

    def answer(self, target: str, authorization: str | None) -> Answer:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked.append(target)
        self.with_token.append(authorization is not None)
        if self.before is not None:
            self.before(parts.path)
        troubled = self.trouble(parts.path) if self.trouble else None
        if troubled is not None:
            return troubled
        if parts.path.startswith(("/one/", "/two/")):
            return 200, {"Content-Type": "image/png"}, b"\x89PNG of " + parts.path[5:].encode()
        limits = {
            "X-RateLimit-Limit": "300",
            "X-RateLimit-Remaining": "299",
            "X-RateLimit-Reset": "2026-06-01T03:05:00.000000Z",
        }
        try:
            if parts.path == "/api/v1/streaming/health":
                return 200, {"Content-Type": "text/plain"}, b"OK"
            viewer = self._viewer(authorization)
            if parts.path == "/api/v1/streaming/user":
                self._needs(viewer, "statuses")
                return 200, {"Content-Type": "text/event-stream"}, b""
            body, more = self._api(parts.path, query, viewer)
        except Refused as refused:
            return refused.status, {**JSON, **limits}, _json({"error": refused.words})
        return 200, {**JSON, **limits, **more}, _json(body)

    def _viewer(self, authorization: str | None) -> str | None:
        if authorization is None:
            if self.only_signed_in:
                raise Refused(401, "This method requires an authenticated user")
            return None
        if authorization != f"Bearer {self.token}" or not self.accepts_token:
            raise Refused(401, "The access token is invalid")
        return self.token_of

    def _if_any(self, viewer: str | None, scope: str) -> None:
        """What is public needs no token; one that is shown must permit it all the same."""
        if viewer is not None:
            self._needs(viewer, scope)

    def _needs(self, viewer: str | None, scope: str) -> str:
        if viewer is None:
            raise Refused(401, "This method requires an authenticated user")
        if scope not in self.scopes:
            raise Refused(403, "This action is outside the authorized scopes")
        return viewer

    def _api(self, path: str, query: dict[str, str], viewer: str | None) -> tuple[Any, dict[str, str]]:
        steps = path.removeprefix("/api/").split("/")
        match steps:
            case ["v1", "accounts", _, "statuses"] | ["v1", "statuses", *_]:
                self._if_any(viewer, "statuses")
            case ["v1", "accounts", *_]:
                self._if_any(viewer, "accounts")
            case _:
                pass
        match steps:
            case ["", ".well-known", "webfinger"]:
                where = self.handle_leads_to or self.base
                kind = "application/activity+json"
                return {"links": [{"rel": "self", "type": kind, "href": f"{where}/users/police"}]}, {}
            case ["v2", "instance"]:
                return {
                    "version": "4.5.2",
                    "configuration": {"urls": {"streaming": "ws" + self.base[4:]}},
                }, {}
            case ["v1", "accounts", "lookup"]:
                found = next((one for one, name in self.people.items() if name == query["acct"]), None)
                return self._account(found), {}
            case ["v1", "accounts", "verify_credentials"]:
                mine = self._needs(viewer, "accounts")
                return self._account(mine) | {
                    "source": {"note": "News & warnings.", "privacy": "public", "fields": []}
                }, {}
            case ["v1", "accounts", identity, "statuses"]:
                return self._statuses(identity, query, viewer)
            case ["v1", "accounts", identity]:
                return self._account(identity), {}
            case ["v1", "statuses", identity]:
                return self._status(self._found(identity, viewer)), {}
            case ["v1", "statuses", identity, "context"]:
                return self._context(self._found(identity, viewer), viewer), {}
            case ["v1", "statuses", identity, "history"]:
                one = self._found(identity, viewer)
                return one.history or [self._edit(one, one.at)], {}
            case ["v1", "notifications"]:
                self._needs(viewer, "notifications")
                return self._notifications(query)
            case ["v1", "conversations"]:
                return self._conversations(query, self._needs(viewer, "statuses"))
            case ["v2", "filters"]:
                self._needs(viewer, "filters")
                return [self._filter(one) for one in self.filters], {}
            case ["v2", "filters", identity]:
                self._needs(viewer, "filters")
                if identity not in self.filters:
                    raise Refused(404, "Record not found")
                return self._filter(identity), {}
            case ["v1", "blocks" | "domain_blocks" | "mutes" as name]:
                self._needs(viewer, "mutes" if name == "mutes" else "blocks")
                listed = {"blocks": self.blocked, "mutes": self.muted, "domain_blocks": self.domains}[name]
                return self._names(name, listed, query)
            case _:
                raise Refused(404, "Record not found")

    def _account(self, identity: str | None) -> dict[str, Any]:
        if identity not in self.people:
            raise Refused(404, "Record not found")
        acct = self.people[identity]
        shown: dict[str, Any] = {
            "id": identity,
            "username": acct.partition("@")[0],
            "acct": acct,
            "display_name": acct.partition("@")[0].title(),
            "locked": False,
            "bot": False,
            "created_at": "2020-01-01T00:00:00.000Z",
            "note": "",
            "url": f"https://{acct.partition('@')[2] or 'town.example'}/@{acct.partition('@')[0]}",
            "avatar": f"{self.base}/{self.media_at}/avatars/missing.png",
            "header": f"{self.base}/{self.media_at}/headers/missing.png",
            "followers_count": 10 + max((one.favourites for one in self.said.values()), default=0),
            "fields": [],
            "a_key_of_a_later_version": {"x": [1]},
        }
        if identity == OURS:
            shown |= {"avatar": f"{self.base}/{self.media_at}/avatars/badge.png"} | self.account
        return shown

    def _shown(self, one: Said, viewer: str | None) -> bool:
        if one.boosted is not None and one.boosted not in self.said:
            return False
        if viewer is None:
            return one.visibility in PUBLIC
        if viewer == OURS and one.account in self.blocked_by:
            return False
        return one.visibility in PUBLIC or viewer == one.account or viewer in one.mentions

    def _found(self, identity: str, viewer: str | None) -> Said:
        one = self.said.get(identity)
        if one is None or not self._shown(one, viewer):
            raise Refused(404, "Record not found")
        return one

    def _statuses(
        self, identity: str, query: dict[str, str], viewer: str | None
    ) -> tuple[Any, dict[str, str]]:
        limit = min(int(query.get("limit", "20")), self.page_size)
        rows = [one for one in self.said.values() if one.account == identity and self._shown(one, viewer)]
        if self.account.get("suspended"):
            rows = []
        rows.sort(key=lambda one: int(one.id))
        if "min_id" in query:
            least = 0 if self.looping else int(query["min_id"])
            rows = [one for one in rows if int(one.id) > least][:limit]
        else:
            rows = rows[-limit:]
        rows.reverse()
        link = {"Link": f'<{self.base}/api?min_id={rows[0].id}>; rel="prev"'} if rows else {}
        return [self._status(one) for one in rows], link

    def _notifications(self, query: dict[str, str]) -> tuple[Any, dict[str, str]]:
        limit = min(int(query["limit"]), self.page_size)
        most = int(query.get("max_id", "0")) or 10**30
        told = [
            {
                "id": identity,
                "type": "mention",
                "created_at": _time(self.said[status].at),
                "account": self._account(self.said[status].account),
                "status": self._status(self.said[status]),
            }
            for identity, status in self.notified
        ] + [
            {
                "id": identity,
                "type": "mention",
                "created_at": "2026-03-01T12:00:00.000Z",
                "account": self._account(writer),
                "status": None,
            }
            for identity, writer in self.bereft
        ]
        told.sort(key=lambda one: -int(str(one["id"])))
        return [one for one in told if int(str(one["id"])) < most][:limit], {}

    def _conversations(self, query: dict[str, str], viewer: str) -> tuple[Any, dict[str, str]]:
        """Whoever writes to whom, by the newest of its messages; who turned it off is told of none of them elsewhere."""
        if not self.lists_conversations:
            raise Refused(404, "Not Found")
        newest: dict[str, Said] = {}
        for one in self.said.values():
            if one.visibility == "direct" and self._shown(one, viewer):
                newest[self._first(one)] = one
        most = int(query.get("max_id", "0")) or 10**30
        rows = sorted(newest.items(), key=lambda row: int(row[1].id), reverse=True)
        rows = [row for row in rows if int(row[1].id) < most][: min(int(query["limit"]), self.page_size)]
        told = [
            {"id": str(int(root) % 1000), "unread": True, "accounts": [], "last_status": self._status(one)}
            for root, one in rows
        ]
        full = len(rows) == self.page_size
        link = (
            f'<{self.base}/api/v1/conversations?limit=40&max_id={rows[-1][1].id}>; rel="next"' if full else ""
        )
        return told, {"Link": link} if link else {}

    def _first(self, one: Said) -> str:
        while one.parent in self.said:
            one = self.said[one.parent]
        return one.id

    def _names(self, name: str, listed: list[str], query: dict[str, str]) -> tuple[Any, dict[str, str]]:
        begin = int(query.get("max_id", "0"))
        window = listed[begin : begin + self.page_size]
        rows: list[Any] = list(window) if name == "domain_blocks" else [self._account(one) for one in window]
        if not window or begin + self.page_size >= len(listed):
            return rows, {}
        following = begin + self.page_size
        return rows, {
            "Link": f'<https://elsewhere.example/x?limit=80&max_id={following}>; rel="next", <https://x.example/?since_id=9>; rel="prev"'
        }

    def _filter(self, identity: str) -> dict[str, Any]:
        title, words = self.filters[identity]
        keywords = [
            {"id": str(place), "keyword": word, "whole_word": True} for place, word in enumerate(words)
        ]
        return {
            "id": identity,
            "title": title,
            "context": ["home"],
            "keywords": keywords,
            "statuses": [],
            "filter_action": "warn",
        }

    def _context(self, root: Said, viewer: str | None) -> dict[str, Any]:
        above: list[Said] = []
        at = root
        while at.parent and at.parent in self.said and len(above) < (40 if viewer is None else MOST):
            at = self.said[at.parent]
            if self._shown(at, viewer):
                above.insert(0, at)
        below: list[Said] = []

        def down(one: Said, depth: int) -> None:
            if viewer is None and depth >= DEEPEST_OPENLY:
                return
            for child in self.said.values():
                if child.parent == one.id and self._shown(child, viewer):
                    below.append(child)
                    down(child, depth + 1)

        down(root, 0)
        below = below[: MOST_OPENLY if viewer is None else MOST]
        if viewer is not None:
            below = [one for one in below if one.account not in {*self.blocked, *self.muted}]
        return {
            "ancestors": [self._status(one) for one in above],
            "descendants": [self._status(one) for one in below],
        }

    def _status(self, one: Said, *, nested: bool = False) -> Any:
        return self.odd.get(one.id, dict)(self._usual(one, nested=nested))

    def _usual(self, one: Said, *, nested: bool = False) -> dict[str, Any]:
        boosted = self.said.get(one.boosted) if one.boosted and not nested else None
        replies = sum(other.parent == one.id and other.visibility in PUBLIC for other in self.said.values())
        return {
            "id": one.id,
            "created_at": _time(one.at),
            "in_reply_to_id": one.parent,
            "in_reply_to_account_id": one.parent_account,
            "sensitive": bool(one.warning),
            "spoiler_text": one.warning,
            "visibility": one.visibility,
            "language": "en",
            "uri": f"https://town.example/ap/users/{one.account}/statuses/{one.id}",
            "url": f"https://town.example/@x/{one.id}",
            "replies_count": replies,
            "reblogs_count": 0,
            "favourites_count": one.favourites,
            "edited_at": _time(one.edited) if one.edited else None,
            "content": _html(one.text),
            "reblog": self._status(boosted, nested=True) if boosted else None,
            "account": self._account(one.account),
            "media_attachments": [self._file(media) for media in one.media],
            "mentions": [{"id": who, "acct": self.people[who], "username": "x", "url": "x"} for who in one.mentions],
            "tags": [],
            "emojis": [{"shortcode": "badge", "url": "https://town.example/badge.png"}] if ":badge:" in one.text else [],
            "card": None,
            "poll": self._poll(one) if one.poll else None,
            "filtered": [{"filter": {"id": "7", "title": "Rude words"}, "keyword_matches": ["clown"]}] if one.filtered else [],
            "tagged_collections": [],
            "quote_approval": {"automatic": [], "current_user": "denied"},
        }  # fmt: skip

    def _file(self, media: str) -> dict[str, Any]:
        url = f"{self.base}/{self.media_at}/media/{media}.png"
        return {"id": media, "type": "image", "url": url, "remote_url": None, "description": "A barrier"}

    def _poll(self, one: Said) -> dict[str, Any]:
        options = [{"title": title, "votes_count": one.favourites} for title in one.poll]
        return {
            "id": "9",
            "expires_at": None,
            "multiple": False,
            "votes_count": one.favourites,
            "options": options,
        }

    def _edit(self, one: Said, at: datetime) -> dict[str, Any]:
        return {
            "content": _html(one.text),
            "spoiler_text": one.warning,
            "sensitive": False,
            "created_at": _time(at),
            "account": self._account(one.account),
            "media_attachments": [self._file(media) for media in one.media],
            "emojis": [],
            "poll": {"options": [{"title": title} for title in one.poll]} if one.poll else None,
        }

    # -- what its stream tells -------------------------------------------------------------------------------------

    def tells(self, name: str, identity: str = "") -> None:
        """The next stream tells of a status, or that one was deleted or the filters changed, and then ends."""
        self.events.append(self._event(name, identity))

    def await_listener(self) -> None:
        """Return when somebody listens to a stream that stays open."""
        with self._heard:
            assert self._heard.wait_for(lambda: self._listeners, 5), "nobody listens"

    def hang_up(self) -> None:
        """End every open stream, after what it has to tell."""
        with self._heard:
            self._tell(None)
            self._listeners.clear()

    def _event(self, name: str, identity: str) -> bytes:
        if name == "delete":
            data = identity.encode()
        elif name == "notification":
            status = self._status(self.said[identity])
            data = _json({"id": "1", "type": "mention", "created_at": status["created_at"], "status": status})
        else:
            data = _json(self._status(self.said[identity])) if identity else b"undefined"
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)

    def _tell(self, event: bytes | None) -> None:
        with self._heard:
            for listener in self._listeners:
                listener.put(event)

    def _listener(self) -> Iterator[bytes]:
        """What somebody who listens from now on is told: what was prepared, or what happens until the stream is ended."""
        if self.events:
            return iter([b":)\n", *self.events])
        listener: Queue[bytes | None] = Queue()
        with self._heard:
            self._listeners.append(listener)
            self._heard.notify_all()
        return chain([b":)\n"], iter(listener.get, None))


def _html(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
