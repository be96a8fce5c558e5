"""A small Nextdoor on loopback: one agency's account and what the public is shown of it, with the interfaces before them.

Shapes follow Nextdoor's own pages for developers, as far as they are public,
and programs of others that it has approved; what neither tells is our guess,
and `connectors/nextdoor/routes.py` says which. It is stricter than Nextdoor may
be: a parameter, a header or a scope that is not known is refused. What it adds
is trouble at will.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, quote_plus, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.platform_world import PICTURE, Answer, FormWorld, Troubled

OURS, NAME = "40311", "Test Town Police"
INTRODUCED = f"agency:{OURS}"
"""The native id of its introduction."""

PAGE = "/agency-detail/tt/test-town/test-town-police/"
PERSON, PROFILE = "tEst-pers0n_id", "tEst-pr0file_id"
WRITER, VISITOR = 7001, 9001
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/login/"><input type="password" name="password"></form></html>'

_API, _PUBLIC = "/external/api/partner/v1/", "/partner_api/v1/"
_PARAMETERS = {
    f"{_API}me/": "",
    f"{_API}me/profiles/": "",
    f"{_API}post/": "secure_profile_id after",
    f"{_API}agency/boundary/": "show_geometries enable_pagination after",
    f"{_PUBLIC}agency_list/tt": "",
    f"{_PUBLIC}agency_digest/{OURS}": "page",
}
_NEEDS = {
    f"{_API}me/": "profile:read",
    f"{_API}me/profiles/": "profile:read",
    f"{_API}post/": "post:read",
    f"{_API}agency/boundary/": "agency.boundary:read",
}
_HEADERS = frozenset({"host", "user-agent", "accept", "accept-encoding", "connection", "authorization"})
_OF_A_FORM = _HEADERS | {"content-type", "content-length"}
FEED_SCOPES = frozenset({"openid", "partner_api.city_digest"})


class Refused(Exception):
    """A refusal, by its status and the code in its body."""

    def __init__(self, status: int, code: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.headers = status, code, dict(headers or {})


@dataclass
class Remark:
    """What answers a post, or another remark (`parent`)."""

    id: int
    post: str
    words: str
    at: datetime
    by: int = VISITOR
    parent: int = 0
    likes: int = 1
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Post:
    """A post of the agency's."""

    id: str
    body: str
    at: datetime
    title: str = ""
    media: tuple[str, ...] = ()
    category: str = "general"
    likes: int = 3
    public: bool = True
    more: dict[str, Any] = field(default_factory=dict)


class NextdoorWorld(FormWorld):
    """One agency. Use it as a context: its server ends with it."""

    token, client_secret = "nd-own~acc0unt.permission_77aa", "nd-app+sEcret/of-the.application=1"
    granted = "nd-appl1cation.granted~token-55"
    signed_in: ClassVar[Mapping[str, str]] = {"access_token": token}
    for_the_public: ClassVar[Mapping[str, str]] = {
        "client_id": "test-town-archive",
        "client_secret": client_secret,
    }

    step = timedelta(minutes=90)

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[str, Post] = {}
        self.remarks: dict[int, Remark] = {}
        self.areas = [
            ("All of Test Town", 11, "city"),
            ("Harbour & <b>", 12, "custom"),
            ("Hill", 13, "custom"),
        ]
        self.scopes = {"openid", "post:read", "profile:read", "agency.boundary:read"}
        self.speaks_for = OURS
        """Whose account it is; empty for a neighbor's."""
        self.page_told: str | None = PAGE
        """The address of the agency's page, as far as Nextdoor tells it."""
        self.counts_comments, self.shows_comments = True, False
        self.counts_posts: int | None = -1
        """How many posts it says that there are; -1: as many as it shows, None: it does not say."""
        self.hidden_from_list: set[str] = set()
        """Posts that the list leaves out although they are there."""
        self.cuts_off: int | None = None
        """So many posts the list of the account shows at most, without a word."""
        self.at_once: int | None = None
        """So many posts of the account one answer shows, where the list is paged."""
        self.areas_at_once = 2
        self.shown_at_once = 3
        """So many posts of the feed one answer shows."""
        self.knows_pages = True
        """Whether the feed is counted off; else it gives the first answer again."""
        self.names = {PROFILE: OURS}
        """The profiles of the account, and the agency of each; empty for a neighbor's."""
        self.dead = False
        """Whether no token and no application is accepted any more."""
        self.expired = 0
        """So many tokens of the application are refused before one is accepted."""
        self.shut: dict[str, Refused] = {}
        """Paths that answer with a refusal."""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.targets: list[str] = []
        self.forms: list[dict[str, str]] = []
        self._number = 0

    # --- what happens on the page -------------------------------------------------------------------------

    def say(self, body: str, **more: Any) -> str:
        """The agency publishes a post; its id."""
        self._number += 1
        name = f"3{self._number:08}"
        self.posts[name] = Post(name, body, self.tick(), **more)
        return name

    def answer_to(self, native_id: str, words: str, *, by: int = VISITOR, **more: Any) -> str:
        """Somebody answers a post, or a remark; the native id."""
        self._number += 1
        post, _, parent = native_id.partition("/")
        one = Remark(80000 + self._number, post, words, self.tick(), by, int(parent or 0), more=more)
        self.remarks[one.id] = one
        return f"{post}/{one.id}"

    def delete(self, native_id: str) -> None:
        """A post or a remark is removed, with what stands below it."""
        post, _, remark = native_id.partition("/")
        if not remark:
            del self.posts[post]
            self.remarks = {one.id: one for one in self.remarks.values() if one.post != post}
            return
        gone = {int(remark)}
        while more := {one.id for one in self.remarks.values() if one.parent in gone} - gone:
            gone |= more
        self.remarks = {one.id: one for one in self.remarks.values() if one.id not in gone}

    # --- the server ---------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: Mapping[str, str], form: dict[str, str]) -> Answer:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.targets.append(target)
        if parts.path.startswith("/media/"):
            return PICTURE
        self.asked.append((parts.path, query))
        if (troubled := self.disturbed(parts.path)) is not None:
            return troubled
        try:
            if parts.path == "/v2/token":
                return 200, JSON, _json(self._granted(method, headers, form))
            return 200, JSON, _json(self._reply(method, parts.path, query, headers))
        except Refused as refused:
            return refused.status, {**JSON, **refused.headers}, refusal(refused)

    # --- who asks -----------------------------------------------------------------------------------------

    def _granted(self, method: str, headers: Mapping[str, str], form: dict[str, str]) -> dict[str, Any]:
        self.forms.append(form)
        _known(headers, _OF_A_FORM)
        if "v2/token" in self.shut:
            raise self.shut["v2/token"]
        pair = ":".join(quote_plus(one) for one in self.for_the_public.values())
        if method != "POST" or headers.get("Authorization") != f"Basic {b64encode(pair.encode()).decode()}":
            raise Refused(401, "invalid_client")
        if self.dead:
            raise Refused(401, "invalid_client")
        if set(form) != {"grant_type", "scope"} or form["grant_type"] != "client_credentials":
            raise Refused(400, "invalid_request")
        if not set(form["scope"].split()) <= FEED_SCOPES:
            raise Refused(400, "invalid_scope")
        return {"token_type": "Bearer", "access_token": self.granted, "expires_in": 86400}

    def _allowed(self, path: str, headers: Mapping[str, str]) -> None:
        given = headers.get("Authorization", "")
        public = path.startswith(_PUBLIC)
        if public and self.expired:
            self.expired -= 1
            raise Refused(401, "invalid_token")
        if self.dead or given != f"Bearer {self.granted if public else self.token}":
            raise Refused(401, "invalid_token")
        needs = _NEEDS.get(path)
        if needs is not None and needs not in self.scopes:
            raise Refused(403, "insufficient_scope")

    def _reply(self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str]) -> object:
        _known(headers, _HEADERS)
        if path in self.shut:
            raise self.shut[path]
        if not path.startswith((_API, _PUBLIC)):
            raise Refused(404)
        self._allowed(path, headers)
        if path not in _PARAMETERS:
            raise Refused(404)
        if method != "GET":
            raise Refused(405)
        if set(query) - set(_PARAMETERS[path].split()):
            raise Refused(400, "invalid_input")
        match path.removeprefix(_API).removeprefix(_PUBLIC):
            case "me/":
                return self._profile(PERSON, self.speaks_for)
            case "me/profiles/":
                listed = [self._profile(name, whose) for name, whose in self.names.items()]
                return {"primary_profile_id": PERSON, "profile_list": listed}
            case "post/":
                return self._own(query)
            case "agency/boundary/":
                return self._areas(query)
            case "agency_list/tt":
                return self._agencies()
            case _:
                return self._feed(query)

    # --- the account --------------------------------------------------------------------------------------

    def _profile(self, name: str, whose: str) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": name,
            "first_name": "Pat",
            "last_name": "Lee",
            "profile_picture": f"{self.address}/media/pat.jpg?night={self.night}",
            "status": "ACTIVE",
            "account_creation_date": "2019-04-01",
            "verified": "true",
            "is_agency_profile": str(bool(whose)).lower(),
            "is_neighbor_profile": str(not whose).lower(),
        }
        if whose:
            told |= {
                "agency_id": whose,
                "agency_name": NAME if whose == OURS else "Other Town Fire",
                "agency_external_url": "https://police.testtown.example",
                "agency_photo": f"{self.address}/media/badge.jpg?night={self.night}",
                "agency_city": "Test Town",
                "agency_state": "TT",
            }
            if self.page_told is not None:
                page = self.page_told if whose == OURS else "/agency-detail/tt/other-town/other-town-fire/"
                told["agency_url_at_nextdoor"] = f"https://nextdoor.com{page}"
        return told

    def _own(self, query: dict[str, str]) -> dict[str, Any]:
        if query.get("secure_profile_id", PROFILE) not in self.names:
            raise Refused(400, "invalid_input")
        found = [one for one in self._newest() if one.id not in self.hidden_from_list]
        found = found[: self.cuts_off]
        total = len(found)
        told: dict[str, Any] = {}
        if self.at_once is not None:
            after = query.get("after", "")
            left = [one for one in found if not after or _cursor(one) < after]
            found = left[: self.at_once]
            more = len(left) > len(found)
            following = after or "c" if self.loops else _cursor(found[-1]) if more else None
            told = {"has_next_page": following is not None, "cursor": following}
        elif "after" in query:
            raise Refused(400, "invalid_input")
        told["posts"] = [self._own_post(one) for one in found]
        if self.counts_posts is not None:
            told["posts_length"] = total if self.counts_posts < 0 else self.counts_posts
        return told

    def _newest(self) -> list[Post]:
        return sorted(self.posts.values(), key=lambda one: (one.at, one.id), reverse=True)

    def _own_post(self, one: Post) -> dict[str, Any]:
        told: dict[str, Any] = {
            "author_id": WRITER,
            "body": one.body,
            "creation_date_epoch_seconds": _epoch(one.at),
            "embed_url": f"https://nextdoor.com/embed/{one.id}?night={self.night}",
            "id": one.id,
            "reactions": [
                {"id": number, "post_id": int(one.id), "comment_id": 0, "type": 1}
                for number in range(one.likes)
            ],
            "url": f"https://nextdoor.com/p/{one.id}?utm_source=share&night={self.night}",
            "media": [
                {"is_photo": True, "is_video": False, "url": self._media(name), "width": 1024, "height": 768}
                for name in one.media
            ],
            "title": one.title,
        }
        if self.counts_comments:
            told["comment_count"] = len(self._below(one.id))
        if self.shows_comments:
            told["comments"] = [
                {
                    "id": remark.id,
                    "author_id": remark.by,
                    "body": remark.words,
                    "creation_date_epoch_seconds": _epoch(remark.at),
                    "parent_comment_id": remark.parent,
                    **remark.more,
                }
                for remark in self._below(one.id)
            ]
        return {**told, **one.more}

    def _areas(self, query: dict[str, str]) -> dict[str, Any]:
        if query.get("enable_pagination") != "true":
            raise Refused(400, "invalid_input")
        begin = int(query.get("after", "a0").removeprefix("a"))
        end = begin + self.areas_at_once
        more = end < len(self.areas)
        listed = [
            {"name": name, "group_id": group, "geometry_id": group + 500, "type": kind}
            for name, group, kind in self.areas[begin:end]
        ]
        return {"result": listed, "cursor": f"a{end}" if more else None, "has_next_page": more}

    def _below(self, post: str) -> list[Remark]:
        return [one for one in self.remarks.values() if one.post == post]

    def _media(self, name: str) -> str:
        return f"{self.address}/media/{name}?request_version=v2&night={self.night}"

    # --- what the public is shown -------------------------------------------------------------------------

    def _agencies(self) -> list[dict[str, Any]]:
        others = [(39000, "Other Town Fire", "/agency-detail/tt/other-town/other-town-fire/")]
        ours = (int(OURS), NAME, self.page_told or "")
        return [
            {
                "category": 2,
                "centroid": [12.5, 55.7],
                "city": "Test Town",
                "country": "US",
                "display_email": "desk@police.testtown.example",
                "id": number,
                "name": name,
                "phone_number": "555-0100",
                "post_count": len(self._newest()),
                "public_url": f"https://nextdoor.com{page}" if page else None,
                "state": "TT",
            }
            for number, name, page in (*others, ours)
        ]

    def _feed(self, query: dict[str, str]) -> dict[str, Any]:
        page = int(query.get("page", "1")) if self.knows_pages else 1
        found = [one for one in self._newest() if one.public]
        shown = found[(page - 1) * self.shown_at_once : page * self.shown_at_once]
        return {
            "city_post_count": len(found),
            "updated_at_epoch_seconds": _epoch(self._now),
            "posts": [self._public(one) for one in shown],
        }

    def _public(self, one: Post) -> dict[str, Any]:
        info = {
            "address": "1 Main Street",
            "city": "Test Town",
            "name": NAME,
            "phone": "555-0100",
            "post_to_areas": [{"centroid": [12.5, 55.7], "area_sqft": 1000.5}],
        }
        return {
            "author": {"agency_info": info, "city_url": None, "name": NAME, "type": "Public agency"},
            "body": one.body,
            "category": one.category,
            "comments": self._nested(one.id, 0),
            "comment_closed": False,
            "comment_count": len(self._below(one.id)),
            "creation_date_epoch_seconds": _epoch(one.at),
            "downvote_count": 0,
            "embed_url": f"https://nextdoor.com/embed/{one.id}?night={self.night}",
            "has_geo_tag": False,
            "id": one.id,
            "latitude": None,
            "longitude": None,
            "like_count": one.likes,
            "media": [self._media(name) for name in one.media],
            "public_post_url": f"https://nextdoor.com/p/{one.id}?night={self.night}",
            "reaction_types": {"like2": one.likes},
            "scope": "Test Town",
            "score": 5,
            "title": one.title or one.body[:20],
            "user_entered_subject": bool(one.title),
            **one.more,
        }

    def _nested(self, post: str, parent: int) -> list[dict[str, Any]]:
        return [
            {
                "body": one.words,
                "comments": self._nested(post, one.id),
                "creation_date": _epoch(one.at),
                "id": one.id,
                "like_count": one.likes,
                "parent_comment_id": one.parent or None,
                "author_name": NAME if one.by == WRITER else f"J. {one.by}",
                "author_type": "Public agency" if one.by == WRITER else "Neighbor",
                "media": [],
                **one.more,
            }
            for one in self._below(post)
            if one.parent == parent
        ]


def refusal(refused: Refused) -> bytes:
    """A refusal as Nextdoor's pages show it; those without a code as its framework writes them."""
    if not refused.code:
        return _json({"detail": "Not found."})
    return _json({"error": refused.code, "error_description": "The request was refused."})


def _known(headers: Mapping[str, str], known: Collection[str]) -> None:
    unknown = {name.lower() for name in headers} - set(known)
    assert not unknown, f"Nextdoor knows no header {unknown}"


def _json(told: object) -> bytes:
    return json.dumps(told).encode()


def _cursor(one: Post) -> str:
    """Where a list that is newest first goes on: after this post."""
    return f"c{_epoch(one.at):012}-{one.id}"


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedNextdoor(Troubled, NextdoorWorld):
    """An agency with a busy post, quiet ones, an event and an alert; as its account, or as the public is shown it.

    `shows_comments`: an account whose posts hold what answers them, which no page of Nextdoor's promises.
    """

    def __init__(self, *, public: bool = False, shows_comments: bool = False) -> None:
        super().__init__()
        self.public = public
        self.shows_comments = shows_comments
        self.at_once = None if public else 2

    def __enter__(self) -> Self:
        super().__enter__()
        self.say("Long ago.")
        self.tick(days=20)
        busy = self.say(
            "Bridge closed & <b>\nUntil further notice.", title="Bridge", media=("1/ab.jpg", "2/cd.jpg")
        )
        first = self.answer_to(busy, "Until when?")
        answer = self.answer_to(first, "Until six.", by=WRITER)
        self.answer_to(answer, "Really?")
        self.answer_to(busy, "And the ferry? \u26f4")
        self.tick(days=10)
        self.say("Lost dog found.", likes=0)
        self.tick(days=10)
        event = {"title": "Open house", "description": "On Sunday", "start_time": "2026-05-03T10:00:00"}
        self.answer_to(self.say("Come and see us.", more={"event": event}), "When?")
        self.tick(days=1)
        self.say("Storm tonight. Stay at home.", category="urgent_alert", media=("3/ef.jpg",))
        return self

    @property
    def page(self) -> Page:
        return Page(
            address=f"https://nextdoor.com{PAGE}", options={"api": self.address, "auth": self.address}
        )

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.for_the_public if self.public else self.signed_in

    @property
    def cannot(self) -> Mapping[str, str]:
        if not self.public:
            return {}
        return {
            "remove": "the public feed shows what is new, and tells of no removal",
            "loop": "the public feed names no next answer: one that shows nothing new is its end",
        }

    @property
    def _tells_comments(self) -> bool:
        return self.public or self.shows_comments

    def shows(self) -> Collection[str]:
        said = [f"{one.post}/{one.id}" for one in self.remarks.values()] if self._tells_comments else []
        return [INTRODUCED, *([] if self.public else ["areas"]), *self.posts, *said]

    def publish(self) -> str:
        if self._tells_comments:
            return self.answer_to(self._named("Bridge").id, "And now?")
        return self.say("Office closed on Friday.")

    def edit(self) -> str:
        edited = self._named("Lost dog")
        edited.body += " (corrected)"
        return edited.id

    def remove(self) -> str:
        if self.shows_comments:
            removed = next(one for one in self.remarks.values() if "ferry" in one.words)
            self.delete(name := f"{removed.post}/{removed.id}")
            return name
        self.delete(name := self._named("Come and").id)
        return name

    def _named(self, begins: str) -> Post:
        return next(one for one in self.posts.values() if one.body.startswith(begins))

    def recount(self) -> None:
        for one in self.posts.values():
            one.likes += 11

    def throttle(self, after: int) -> timedelta | None:
        refused = Refused(429, "rate_limited")
        self._will((429, {**JSON, "Retry-After": "240"}, refusal(refused)), after)
        return timedelta(seconds=240)

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((500, HTML, b"<h1>Server Error (500)</h1>"), after)

    def turn_away(self) -> None:
        self.dead = True

    def recover(self) -> None:
        super().recover()
        self.dead = False


def many_comments(number: int, words: str) -> list[dict[str, Any]]:
    """So many comments on a post, every second one an answer, as its interface gives them."""
    return [
        {
            "id": one,
            "body": words,
            "comments": [
                {"id": 10_000 + one, "body": "Until six.", "creation_date": 1772355600, "comments": []}
            ],
            "creation_date": 1772355600,
            "author_name": "J. D.",
            "author_type": "Neighbor",
            "like_count": 2,
        }
        for one in range(1, number // 2 + 1)
    ]
