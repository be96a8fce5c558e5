"""A small Facebook on loopback: one page, what stands on it, who writes to it, and the Graph interface before it.

Shapes, error bodies, headers and links were written after Meta's published
interface and recorded answers of it: only what is asked for is told (`fields`),
comments stand inside posts, links to the next answer carry the token, limits
are told in percent, and code 100 with subcode 33 means several things at once.
What it adds is trouble at will.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.instagram_world import divided, written
from tests.connectors.worlds.platform_world import PICTURE, Answer, SignedInWorld, Troubled

OURS = "100064000000001"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/login/"><input type="password" name="pass"></form></html>'

_SCOPES_OF = {
    "published_posts": ("pages_read_engagement", 10),
    "feed": ("pages_read_engagement", 10),
    "visitor_posts": ("pages_read_user_content", 10),
    "tagged": ("pages_read_user_content", 10),
    "comments": ("pages_read_engagement", 10),
    "settings": ("pages_manage_metadata", 200),
    "blocked": ("pages_manage_metadata", 210),
    "conversations": ("pages_messaging", 230),
    "messages": ("pages_messaging", 230),
}


_POST_HAS = frozenset(
    [
        "id",
        "from",
        "admin_creator",
        "message",
        "message_tags",
        "story",
        "created_time",
        "updated_time",
        "backdated_time",
        "permalink_url",
        "status_type",
        "attachments",
        "full_picture",
        "parent_id",
        "is_hidden",
        "is_expired",
        "is_published",
        "privacy",
        "place",
        "properties",
        "shares",
        "timeline_visibility",
        "via",
        "comments",
        "reactions",
    ]
)
_FIELDS_OF = {
    "published_posts": _POST_HAS,
    "visitor_posts": _POST_HAS,
    "tagged": _POST_HAS,
    "feed": _POST_HAS,
    "comments": frozenset(
        [
            "id",
            "message",
            "message_tags",
            "created_time",
            "from",
            "parent",
            "object",
            "attachment",
            "comment_count",
            "like_count",
            "is_hidden",
            "is_private",
            "can_hide",
            "can_remove",
            "can_reply_privately",
            "permalink_url",
            "live_broadcast_timestamp",
            "private_reply_conversation",
            "admin_creator",
            "application",
        ]
    ),
}
"""What posts and comments have; for anything else Graph refuses the whole question."""


class Refused(Exception):
    def __init__(self, code: int, message: str, subcode: int = 0, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode, self.status = code, message, subcode, status


@dataclass
class Item:
    """Something on the page; `below` are its comments, all depths in one list."""

    id: str
    message: str
    created: datetime
    writer: str
    edge: str = ""
    parent: str | None = None
    updated: datetime | None = None
    hidden: bool = False
    published: bool = True
    picture: str | None = None
    alt: str | None = None
    link: str | None = None
    dull: bool = False
    """Whether a live broadcast would leave the comment out."""
    likes: int = 2
    below: list[Item] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


class FacebookWorld(SignedInWorld):
    """One page. Use it as a context: its server ends with it."""

    user_token, page_token = "EAAGm0PX4ZCpsBAO/system+user=token|1", "EAAGm0PX4ZCpsBAO/the+page=own|2"
    app_secret, app_id = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "740000000000001"
    secrets: ClassVar[Mapping[str, str]] = {
        "access_token": user_token,
        "app_secret": app_secret,
        "app_id": app_id,
    }

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, Item] = {}
        self.people = {OURS: "Test Town Police", "2001": "Jo Public", "2002": "Al Visitor"}
        self.introduction = {
            "about": "The department's own page.",
            "description": "Posts are subject to public disclosure.",
        }
        self.settings: list[dict[str, Any]] = [
            {"setting": "PROFANITY_FILTER", "value": "STRONG"},
            {"setting": "USERS_CAN_POST", "value": True},
        ]
        self.blocked = ["2999"]
        self.people["2999"] = "Kept Away"
        self.conversations: dict[str, list[Item]] = {}
        self.told_whole = 20
        """So many of the newest messages of a conversation are told with their words."""
        self.scopes = {
            "pages_show_list",
            "pages_read_engagement",
            "pages_read_user_content",
            "pages_manage_metadata",
            "pages_messaging",
        }
        self.expires_at = 0
        self.dead: int | None = None
        """The subcode with which the token is refused; None: it is accepted."""
        self.wants_proof = False
        self.names_writers = True
        self.nests = True
        """Whether comments are told inside their posts."""
        self.may_moderate = True
        self.shut: dict[str, Refused] = {}
        """Edges and ids that answer with a refusal."""
        self.unknown_fields: set[str] = set()
        self.cuts_at = 100
        """So many items of a list are shown at once, whatever is asked for."""
        self.gathers = 1000
        """More items than this at once are too much."""
        self.forgets_cursors = False
        self.keeps_to_spans = True
        self.counts_more = 0
        self.version: str | None = None
        self.usage: dict[str, Any] = {}
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self._number = 500

    # --- what happens on the page -------------------------------------------------------------------------

    def _name(self) -> str:
        self._number += 1
        return str(self._number)

    def say(self, message: str, by: str = OURS, edge: str = "published_posts", **more: Any) -> str:
        """Somebody posts on the page, or names it elsewhere; the post's id."""
        name = f"{OURS if edge != 'tagged' else by}_{self._name()}"
        self.items[name] = Item(name, message, self.tick(), by, edge, **more)
        self.items[name].updated = self.items[name].created
        return name

    def comment(self, post: str, message: str, by: str = "2001", to: str | None = None, **more: Any) -> str:
        """Somebody comments on a post, or answers a comment below it; the comment's id."""
        root = self.items[post]
        name = f"{post.partition('_')[2]}_{self._name()}"
        root.below.append(Item(name, message, self.tick(), by, "comments", to, **more))
        root.updated = self._now
        return name

    def event(self, title: str, edge: str = "events", **more: Any) -> str:
        name = self._name()
        self.items[name] = Item(name, title, self.tick(), OURS, edge, more=more)
        return name

    def write(self, conversation: str, message: str, by: str = "2001", picture: str | None = None) -> str:
        """Somebody writes to the page, or it answers; the message's id."""
        name = f"m_{self._name()}"
        item = Item(name, message, self.tick(), by, "messages", picture=picture)
        self.conversations.setdefault(conversation, []).append(item)
        return name

    def find(self, name: str) -> Item | None:
        if name in self.items:
            return self.items[name]
        below = (one for item in self.items.values() for one in item.below)
        messages = (one for listed in self.conversations.values() for one in listed)
        return next((one for one in (*below, *messages) if one.id == name), None)

    def amend(self, name: str, message: str) -> None:
        found = self.find(name)
        assert found is not None
        found.message = message

    def hide(self, name: str, *, hidden: bool = True) -> None:
        found = self.find(name)
        assert found is not None
        found.hidden = hidden

    def delete(self, name: str) -> None:
        """Somebody removes an item, with what answers it."""
        if self.items.pop(name, None) is not None:
            return
        for item in self.items.values():
            item.below = [one for one in item.below if name not in {one.id, one.parent}]

    # --- the server ---------------------------------------------------------------------------------------

    def answer(self, target: str, authorization: str | None) -> Answer:
        path = urlsplit(target).path
        self.asked.append(target)
        if (troubled := self.disturbed(path)) is not None:
            return troubled
        if path.startswith("/media/"):
            return PICTURE
        query = dict(parse_qsl(urlsplit(target).query))
        version, _, rest = path.strip("/").partition("/")
        headers = {
            **JSON,
            "facebook-api-version": self.version or version,
            "x-fb-trace-id": "T1",
            **self._usage(),
        }
        try:
            return 200, headers, spoken(self._reply(rest, query, authorization))
        except Refused as refused:
            return refused.status, headers, self.error(refused)

    def error(self, refused: Refused) -> bytes:
        told: dict[str, Any] = {
            "message": refused.message,
            "type": "OAuthException",
            "code": refused.code,
            "fbtrace_id": "AbC1",
        }
        if refused.subcode:
            told["error_subcode"] = refused.subcode
        return spoken({"error": told})

    def _usage(self) -> dict[str, str]:
        return {name: json.dumps(told) for name, told in self.usage.items()}

    def _reply(self, rest: str, query: dict[str, str], authorization: str | None) -> object:
        token = (authorization or "").removeprefix("Bearer ")
        self.tokens.append(token)
        if token not in {self.user_token, self.page_token} or self.dead is not None:
            says = "Error validating access token: the session has been invalidated."
            raise Refused(190, says, self.dead or 467, 401)
        right = hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if query.get("appsecret_proof", right if not self.wants_proof else "") != right:
            raise Refused(100, "API calls from the server require an appsecret_proof argument")
        for name in _bases(query.get("fields", "")):
            if name in self.unknown_fields:
                raise _no_field(name, "Page")
        asked = _Asked(rest, query, token)
        if rest == "" and "ids" in query:
            if "ids" in self.shut:
                raise self.shut["ids"]
            return {name: self._picture(name) for name in query["ids"].split(",")}
        parts = rest.split("/")
        if parts[-1] in self.shut:
            raise self.shut[parts[-1]]
        if rest == "debug_token":
            return {"data": self._debugged()}
        if len(parts) == 1:
            return self._object(parts[0], asked)
        self._permitted(parts[1])
        return self._edge(parts[0], parts[1], asked)

    def _permitted(self, edge: str) -> None:
        scope, code = _SCOPES_OF.get(edge, ("pages_read_engagement", 10))
        if scope not in self.scopes:
            says = f"(#{code}) This endpoint requires the '{scope}' permission, or that feature reviewed."
            raise Refused(code, says, status=403)

    def _debugged(self) -> dict[str, Any]:
        return {
            "app_id": self.app_id,
            "type": "SYSTEM_USER",
            "application": "Town Archive",
            "is_valid": True,
            "expires_at": self.expires_at,
            "data_access_expires_at": self.expires_at,
            "scopes": sorted(self.scopes),
        }

    def _unknown(self, name: str) -> Refused:
        says = f"Unsupported get request. Object with ID '{name}' does not exist, cannot be loaded due to missing "
        return Refused(100, says + "permissions, or does not support this operation.", 33)

    def _object(self, name: str, asked: _Asked) -> object:
        if name in {OURS, "testtownpolice"}:
            return _only(self._page(asked.token), asked.fields)
        if "pages_read_engagement" not in self.scopes:
            raise self._unknown(name)
        found = self.find(name)
        if (
            found is None
            or not self._is_shown(found)
            or (found.edge == "messages" and name not in self._told())
        ):
            raise self._unknown(name)
        _strictly(found.edge, asked.query)
        return _only(self._shape(found, asked), asked.fields)

    def _page(self, token: str) -> dict[str, Any]:
        del token
        return {
            "id": OURS,
            "name": self.people[OURS],
            "username": "testtownpolice",
            **self.introduction,
            "category": "Police Station",
            "phone": "555-0100",
            "website": "https://town.example/",
            "link": "https://www.facebook.com/testtownpolice",
            "is_published": True,
            "fan_count": 40 + self.items_liked,
            "cover": {"id": "71", "source": self._media("cover.jpg")},
            "picture": {"data": {"url": self._media("badge.jpg"), "is_silhouette": False}},
            "access_token": self.page_token,
        }

    @property
    def items_liked(self) -> int:
        return sum(item.likes for item in self.items.values())

    def _picture(self, name: str) -> dict[str, Any]:
        found = next((item for item in self.items.values() if item.picture == name), None)
        if found is None or name in self.shut:
            raise self._unknown(name)
        return {"id": name, **({"alt_text_custom": found.alt} if found.alt else {})}

    def _told(self) -> set[str]:
        """Messages that are told with their words."""
        return {one.id for listed in self.conversations.values() for one in listed[-self.told_whole :]}

    def _edge(self, name: str, edge: str, asked: _Asked) -> object:
        if name == OURS:
            return self._edge_of_page(edge, asked)
        if edge == "messages" and name in self.conversations:
            return self._connection(asked, self.conversations[name][::-1])
        root = self.items.get(name)
        if root is None or edge != "comments":
            raise self._unknown(name)
        return self._comments(root, asked)

    def _edge_of_page(self, edge: str, asked: _Asked) -> object:
        if edge == "settings":
            return {"data": self.settings}
        if edge == "blocked":
            return {"data": [{"id": one, "name": self.people[one]} for one in self.blocked]}
        if edge == "conversations":
            moved = sorted(
                self.conversations, key=lambda one: self.conversations[one][-1].created, reverse=True
            )
            data = [
                {
                    "id": one,
                    "updated_time": written(self.conversations[one][-1].created),
                    "message_count": len(self.conversations[one]),
                }
                for one in moved
            ]
            return self._paged(asked, [_only(one, asked.fields) for one in data], moved)
        shows = {"published_posts", "visitor_posts"} if edge == "feed" else {edge}
        listed = [one for one in self.items.values() if one.edge in shows]
        since, until = asked.query.get("since"), asked.query.get("until")
        if self.keeps_to_spans and since is not None:
            listed = [one for one in listed if one.created.timestamp() >= int(since)]
        if self.keeps_to_spans and until is not None:
            listed = [one for one in listed if one.created.timestamp() <= int(until)]
        return self._connection(asked, sorted(listed, key=lambda one: one.created, reverse=True))

    def _comments(self, root: Item, asked: _Asked) -> dict[str, Any]:
        query = asked.query
        shown = [one for one in root.below if query.get("filter") == "stream" or one.parent is None]
        shown = [one for one in shown if query.get("live_filter") == "no_filter" or not one.dull]
        shown = [one for one in shown if self._is_shown(one)]
        if query.get("order") != "chronological":
            shown = shown[::-1]
        told = self._connection(asked, shown)
        if query.get("summary") == "true":
            total = len(root.below) + self.counts_more
            told["summary"] = {
                "order": query.get("order", "ranked"),
                "total_count": total,
                "can_comment": True,
            }
        return told

    def _is_shown(self, item: Item) -> bool:
        """Without the permission for what visitors write, Facebook leaves it out and says nothing."""
        return item.writer == OURS or "pages_read_user_content" in self.scopes

    def _connection(self, asked: _Asked, items: Sequence[Item]) -> dict[str, Any]:
        _strictly(asked.path.rpartition("/")[2], asked.query)
        limit = int(asked.query.get("limit", "25"))
        if limit > self.gathers:
            raise Refused(
                1, "Please reduce the amount of data you're asking for, then retry your request", status=500
            )
        names = [one.id for one in items]
        return self._paged(asked, [_only(self._shape(one, asked), asked.fields) for one in items], names)

    def _paged(self, asked: _Asked, data: list[Any], names: list[str]) -> dict[str, Any]:
        after = asked.query.get("after")
        begin = 0
        if after is not None:
            where = base64.b64decode(after).decode()
            if self.forgets_cursors:
                raise Refused(100, "(#100) Invalid cursors values", 0)
            begin = names.index(where) + 1 if where in names else self._past(where, names)
        size = min(int(asked.query.get("limit", "25")), self.cuts_at)
        shown, told = data[begin : begin + size], names[begin : begin + size]
        page: dict[str, Any] = {"data": shown}
        if told:
            cursor = base64.b64encode((names[0] if self.loops else told[-1]).encode()).decode()
            page["paging"] = {
                "cursors": {"before": base64.b64encode(told[0].encode()).decode(), "after": cursor}
            }
            if begin + size < len(data) or self.loops:
                carried = {**asked.query, "access_token": asked.token, "after": cursor}
                page["paging"]["next"] = f"{self.address}/v26.0/{asked.path}?{urlencode(carried)}"
        return page

    def _past(self, where: str, names: list[str]) -> int:
        """Where a list goes on after an item that was removed: Facebook's cursors keep their place."""
        number = int(where.rpartition("_")[2])
        numbers = [int(one.rpartition("_")[2]) for one in names]
        falling = len(numbers) > 1 and numbers[0] > numbers[-1]
        return sum(one > number if falling else one < number for one in numbers)

    # --- shapes -------------------------------------------------------------------------------------------

    def _shape(self, item: Item, asked: _Asked) -> dict[str, Any]:
        match item.edge:
            case "comments":
                return self._comment(item)
            case "messages":
                return self._message(item)
            case "published_posts" | "visitor_posts" | "tagged":
                return self._post(item, asked)
            case _:
                told = {"id": item.id, "created_time": written(item.created), **item.more}
                name = "name" if item.edge in {"events", "albums"} else "title"
                if item.edge == "ratings":
                    return {"created_time": written(item.created), "review_text": item.message, **item.more}
                return {name: item.message, **told}

    def _writer(self, item: Item) -> dict[str, Any]:
        if not self.names_writers and item.writer != OURS:
            return {}
        return {"from": {"name": self.people[item.writer], "id": item.writer}}

    def _post(self, item: Item, asked: _Asked) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "id": item.id,
            "message": item.message,
            "created_time": written(item.created),
            "updated_time": written(item.updated or item.created),
            **self._writer(item),
            "permalink_url": f"https://www.facebook.com/{item.id}",
            "is_hidden": item.hidden,
            "is_published": item.published,
            "shares": {"count": 1},
            "reactions": {"data": [], "summary": {"total_count": item.likes}},
            "like": {"data": [], "summary": {"total_count": item.likes}},
            **item.more,
        }
        if item.picture:
            shape["attachments"] = {"data": [self._photo(item)]}
        if item.link:
            card: dict[str, Any] = {
                "type": "share",
                "media_type": "link",
                "title": "Road report",
                "unshimmed_url": item.link,
            }
            card |= {
                "media": {"image": {"src": self._media(f"safe_{self.night}.php")}},
                "target": {"url": item.link},
            }
            shape["attachments"] = {"data": [card]}
        within = _within(asked.query.get("fields", ""), "comments")
        if within is not None and self.nests:
            shape["comments"] = self._comments(item, _Asked(f"{item.id}/comments", within, asked.token))
        return shape

    def _photo(self, item: Item) -> dict[str, Any]:
        url = "https://www.facebook.com/photo/?fbid=" + str(item.picture)
        return {
            "type": "photo",
            "media_type": "photo",
            "media": {"image": {"height": 720, "width": 960, "src": self._media(f"{item.picture}_n.jpg")}},
            "target": {"id": item.picture, "url": url},
            "url": url,
        }

    def _comment(self, item: Item) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "id": item.id,
            "message": item.message,
            "created_time": written(item.created),
            **self._writer(item),
            "is_hidden": item.hidden,
            "is_private": False,
            "like_count": item.likes,
            "can_hide": self.may_moderate,
            "permalink_url": f"https://www.facebook.com/{item.id}",
        }
        if item.parent:
            shape["parent"] = {"id": item.parent, "message": "what it answers"}
        if item.picture:
            shape["attachment"] = self._photo(item)
        return shape

    def _message(self, item: Item) -> dict[str, Any]:
        told: dict[str, Any] = {"id": item.id, "created_time": written(item.created)}
        if item.id not in self._told():
            return told
        told |= {"message": item.message, "from": {"id": item.writer, "name": self.people[item.writer]}}
        told["to"] = {"data": [{"id": OURS, "name": self.people[OURS]}]}
        if item.picture:
            image = {"url": self._media(f"{item.picture}.png"), "width": 8, "height": 8}
            listed = [{"id": item.picture, "mime_type": "image/png", "name": "map.png", "image_data": image}]
            told["attachments"] = {"data": listed}
        return told

    def _media(self, name: str) -> str:
        return f"{self.address}/media/t39/{name}?oe={0x6900 + self.night:x}&oh=00_sig{self.night}"


@dataclass(frozen=True)
class _Asked:
    path: str
    query: dict[str, str]
    token: str

    @property
    def fields(self) -> list[str]:
        return _named(self.query.get("fields", ""))


def spoken(value: object) -> bytes:
    """As Graph writes JSON: in ASCII, with slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def _named(fields: str) -> list[str]:
    """Under which names the fields are told."""
    found = []
    for part in divided(fields):
        alias = re.search(r"\.as\((\w+)\)", part)
        found.append(alias[1] if alias else re.split(r"[.({]", part)[0])
    return found


def _bases(fields: str) -> list[str]:
    """Which fields and edges are asked for, whatever they are to be told as."""
    return [re.split(r"[.({]", part)[0] for part in divided(fields)]


def _no_field(name: str, kind: str) -> Refused:
    return Refused(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})")


def _strictly(edge: str, query: Mapping[str, str]) -> None:
    """Refuse what posts and comments do not have."""
    for name in _bases(query.get("fields", "")):
        if edge in _FIELDS_OF and name not in _FIELDS_OF[edge]:
            raise _no_field(name, edge)


def _within(fields: str, name: str) -> dict[str, str] | None:
    """What is asked of an edge inside an object, as if it were asked for by itself."""
    part = next((one for one in divided(fields) if re.split(r"[.({]", one)[0] == name), None)
    if part is None:
        return None
    head, _, inner = part.partition("{")
    return {**dict(re.findall(r"\.(\w+)\((\w+)\)", head)), "fields": inner.removesuffix("}")}


def _only(shape: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    wanted = fields or ["id", "created_time", "message", "name"]
    return {name: told for name, told in shape.items() if name in {"id", *wanted}}


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedFacebook(Troubled, FacebookWorld):
    """A page with a busy post, posts of visitors, an event, messages and something hidden.

    As few as will do, since a pass is broken off at each of its answers.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        self.cuts_at = 4
        self.event("Open house", start_time="2026-04-01T10:00:00+0000", description="All are welcome.")
        busy = self.say("Bridge closed", picture="901", alt="A barrier across the road")
        first = self.comment(busy, "Until when?")
        self.comment(busy, "Until six.", by=OURS, to=first)
        self.comment(busy, "+1", by="2002", to=first)
        for number in range(2):
            self.comment(busy, "And the ferry? ⛴" if number else "+1", by="2002")
        self.hide(self.comment(busy, "Buy cheap pills"))
        self.tick(days=40)
        self.comment(self.say("Notice"), "Thanks", picture="951")
        self.tick(days=40)
        self.comment(
            self.say("Who cut the trees?", by="2002", edge="visitor_posts"), "We do not know.", by=OURS
        )
        self.say("With the @Test Town Police today", by="2001", edge="tagged")
        self.write("t_1001", "Is the office open?")
        self.write("t_1001", "Until noon.", by=OURS, picture="77")
        self.tick(days=1)
        self.say("Library hours")
        return self

    @property
    def page(self) -> Page:
        unused = "albums videos video_reels live_videos ratings"
        options = {"graph": self.address, "page_size": "3", "leave_out": unused}
        return Page(address="https://www.facebook.com/testtownpolice", options=options)

    def shows(self) -> Collection[str]:
        names = {"events": "event:"}
        items = [f"{names.get(one.edge, '')}{one.id}" for one in self.items.values()]
        below = [two.id for one in self.items.values() for two in one.below]
        messages = [one.id for listed in self.conversations.values() for one in listed]
        return [OURS, "settings", "blocked", *items, *below, *messages]

    @property
    def _busy(self) -> Item:
        return next(iter(one for one in self.items.values() if one.edge == "published_posts"))

    def publish(self) -> str:
        return self.comment(self._busy.id, "And now?")

    def edit(self) -> str:
        edited = self._busy.below[1]
        edited.message += " (edited)"
        return edited.id

    def remove(self) -> str:
        name = next(one.id for one in self._busy.below if one.parent is None and "ferry" in one.message)
        self.delete(name)
        return name

    def recount(self) -> None:
        for item in self.items.values():
            for one in (item, *item.below):
                one.likes += 11

    def throttle(self, after: int) -> timedelta | None:
        told = {"type": "pages", "call_count": 100, "total_time": 25, "estimated_time_to_regain_access": 19}
        headers = {**JSON, "X-Business-Use-Case-Usage": json.dumps({OURS: [told]})}
        self._will((400, headers, self.error(Refused(32, "(#32) Page request limit reached"))), after)
        return timedelta(minutes=19)

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        says = Refused(2, "An unexpected error has occurred. Please retry your request later.")
        self._will((500, JSON, self.error(says)), after)

    def turn_away(self) -> None:
        self.dead = 460

    def recover(self) -> None:
        super().recover()
        self.dead = None


def many_comments(number: int, words: str) -> list[dict[str, Any]]:
    """So many comments on a post, as Graph gives them."""
    return [
        {
            "id": f"500_{one}",
            "message": words,
            "created_time": "2026-03-01T08:00:00+0000",
            "from": {"id": "2001", "name": "Jo Public"},
            "parent": {"id": "500_400"},
            "comment_count": 0,
            "like_count": 3,
            "is_hidden": False,
            "is_private": False,
            "permalink_url": f"https://www.facebook.com/500_{one}",
        }
        for one in range(1_000, 1_000 + number)
    ]
