"""A small Instagram on loopback: one professional account behind both of its doors, and who writes to it.

Shapes, error bodies, headers and links were written after Meta's published
interface and recorded answers of it: only what is asked for is told (`fields`),
comments stand inside posts and replies inside comments, newest first, links to
the next answer carry the token, limits are told in percent, and code 100 with
subcode 33 means several things at once. What it adds is trouble at will.

`GraphWorld` is what every platform behind Graph has in common: tokens, proofs,
versions, strict fields, cursors, limits, refusals.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.platform_world import PICTURE, Answer, SignedInWorld, Troubled

OURS = "17841400000000001"
NAME = "testtownpolice"
PAGE = "100064000000001"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/login/"><input type="password" name="pass"></form></html>'

Shape = Mapping[str, Any]


class Refused(Exception):
    def __init__(self, code: int, message: str, subcode: int = 0, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode, self.status = code, message, subcode, status


@dataclass(frozen=True)
class Asked:
    """One question, or one that stands inside another."""

    path: str
    query: Mapping[str, str]
    token: str

    @property
    def fields(self) -> dict[str, Asked]:
        """What is asked for by name, each with what is asked of it in turn."""
        return {
            re.split(r"[.({]", part)[0]: Asked(self.path, _inner(part), self.token)
            for part in divided(self.query.get("fields", ""))
        }


class GraphWorld(SignedInWorld):
    """One account. Use it as a context: its server ends with it."""

    tokens_accepted: ClassVar[frozenset[str]]
    app_secret: ClassVar[str]
    knows: ClassVar[Mapping[str, frozenset[str]]]
    """What each type of object has; for anything else Graph refuses the whole question."""
    lives: ClassVar[Sequence[str]]
    """The versions that are answered, oldest first: an older one is answered as the first of them, any other is refused."""
    links_on = True
    """Whether an answer links to the next one, or gives a cursor alone."""
    kind_of_error = "OAuthException"

    def __init__(self) -> None:
        super().__init__()
        self.dead: int | None = None
        """The subcode with which the token is refused; None: it is accepted."""
        self.wants_proof = False
        self.shut: dict[str, Refused] = {}
        """Edges and ids that answer with a refusal."""
        self.unknown_fields: set[str] = set()
        self.cuts_at = 50
        """So many items of a list are shown at once, whatever is asked for."""
        self.gathers = 1000
        """More items than this at once are too much."""
        self.forgets_cursors = False
        self.version: str | None = None
        self.usage: dict[str, Any] = {}
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self._number = 500

    # --- names --------------------------------------------------------------------------------------------

    def name(self) -> str:
        self._number += 1
        return f"1790000000{self._number:07}"

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
        answers = self.version or (version if version in self.lives else self.lives[0])
        headers = {
            **JSON,
            "facebook-api-version": answers,
            "x-fb-trace-id": "T1",
            **{name: json.dumps(told) for name, told in self.usage.items()},
        }
        try:
            if not re.fullmatch(r"v\d+\.\d", version) or float(version[1:]) > float(self.lives[-1][1:]):
                raise Refused(2500, f"Unknown path components: /{version}")
            return 200, headers, spoken(self._weighed(rest, query, authorization))
        except Refused as refused:
            return refused.status, headers, self.error(refused)

    def error(self, refused: Refused) -> bytes:
        told: dict[str, Any] = {
            "message": refused.message,
            "type": self.kind_of_error,
            "code": refused.code,
            "fbtrace_id": "AbC1",
        }
        if refused.subcode:
            told["error_subcode"] = refused.subcode
        return spoken({"error": told})

    def _weighed(self, rest: str, query: dict[str, str], authorization: str | None) -> object:
        token = (authorization or "").removeprefix("Bearer ")
        self.tokens.append(token)
        if token not in self.tokens_accepted or self.dead is not None:
            says = "Error validating access token: the session has been invalidated."
            raise Refused(190, says, self.dead or 467, 401)
        right = hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if query.get("appsecret_proof", right if not self.wants_proof else "") != right:
            raise Refused(100, "API calls from the server require an appsecret_proof argument")
        asked = Asked(rest, query, token)
        for name in (rest, *rest.split("/")[-1:]):
            if name in self.shut:
                raise self.shut[name]
        return self.reply(asked)

    @abstractmethod
    def reply(self, asked: Asked) -> object:
        """The answer to a question whose token is accepted."""

    # --- shapes -------------------------------------------------------------------------------------------

    def told(self, kind: str, shape: Shape, asked: Asked) -> dict[str, Any]:
        """What is told of an object: what was asked for, and its id always."""
        found: dict[str, Any] = {"id": shape["id"]} if "id" in shape else {}
        for name, inner in asked.fields.items():
            if name in self.unknown_fields or (kind in self.knows and name not in self.knows[kind]):
                says = f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})"
                raise Refused(100, says)
            value = shape.get(name)
            value = value(inner) if callable(value) else value
            if value is not None:
                found[name] = _narrowed(value, inner)
        return found

    def listed(self, asked: Asked, names: Sequence[str], tell: Callable[[str], object]) -> dict[str, Any]:
        """One answer of a list. Its cursors keep their place when an item is removed."""
        limit = int(asked.query.get("limit", "25"))
        if limit > self.gathers:
            says = "Please reduce the amount of data you're asking for, then retry your request"
            raise Refused(1, says, status=500)
        after, begin = asked.query.get("after"), 0
        if after is not None:
            where = base64.b64decode(after).decode()
            if self.forgets_cursors:
                raise Refused(100, "(#100) Invalid cursors values", 0)
            begin = names.index(where) + 1 if where in names else _past(where, names)
        size = min(limit, self.cuts_at)
        shown = names[begin : begin + size]
        page: dict[str, Any] = {"data": [tell(name) for name in shown]}
        if shown:
            cursor = base64.b64encode((names[0] if self.loops else shown[-1]).encode()).decode()
            before = base64.b64encode(shown[0].encode()).decode()
            page["paging"] = {"cursors": {"before": before, "after": cursor}}
            if self.links_on and (begin + size < len(names) or self.loops):
                carried = {**asked.query, "access_token": asked.token, "after": cursor}
                page["paging"]["next"] = f"{self.address}/v26.0/{asked.path}?{urlencode(carried)}"
        return page

    def unknown(self, name: str) -> Refused:
        says = f"Unsupported get request. Object with ID '{name}' does not exist, cannot be loaded due to missing "
        return Refused(100, says + "permissions, or does not support this operation.", 33)

    def no_edge(self, name: str, kind: str) -> Refused:
        return Refused(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})")

    def media(self, name: str) -> str:
        return f"{self.address}/media/t39/{name}?oe={0x6900 + self.night:x}&oh=00_sig{self.night}"


class TroubledGraph(Troubled, GraphWorld):
    """What goes wrong on request, for the promises."""

    def throttle(self, after: int) -> timedelta | None:
        told = {
            "type": "instagram",
            "call_count": 100,
            "total_time": 25,
            "estimated_time_to_regain_access": 19,
        }
        headers = {**JSON, "X-Business-Use-Case-Usage": json.dumps({OURS: [told]})}
        says = "(#80002) There have been too many calls to this Instagram account"
        self._will((400, headers, self.error(Refused(80002, says))), after)
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


def spoken(value: object) -> bytes:
    """As Graph writes JSON: in ASCII, with slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def divided(fields: str) -> list[str]:
    """The fields that are asked for, each with what is asked of it."""
    parts, depth, at = [], 0, 0
    for place, sign in enumerate(fields):
        depth += (sign in "({") - (sign in ")}")
        if sign == "," and depth == 0:
            parts.append(fields[at:place])
            at = place + 1
    return [part for part in (*parts, fields[at:]) if part]


def _inner(part: str) -> dict[str, str]:
    """What is asked of a field, as if it were asked by itself: `comments.limit(5){id}`."""
    head, _, inner = part.partition("{")
    return {**dict(re.findall(r"\.(\w+)\((\w+)\)", head)), "fields": inner.removesuffix("}")}


def _narrowed(value: Any, asked: Asked) -> Any:
    wanted = {*asked.fields}
    if not wanted or not isinstance(value, dict) or "data" in value:
        return value
    return {name: told for name, told in value.items() if name in {"id", *wanted}}


def _past(where: str, names: Sequence[str]) -> int:
    number = int(where)
    numbers = [int(one) for one in names]
    falling = len(numbers) < 2 or numbers[0] > numbers[-1]
    return sum(one > number if falling else one < number for one in numbers)


# --- Instagram --------------------------------------------------------------------------------------------------

_SCOPES = {
    "media": ("basic", 10),
    "stories": ("basic", 10),
    "tags": ("manage_comments", 10),
    "conversations": ("manage_messages", 230),
    "messages": ("manage_messages", 230),
}
_MEDIA_HAS = frozenset(
    [
        "id",
        "caption",
        "alt_text",
        "media_type",
        "media_product_type",
        "media_url",
        "thumbnail_url",
        "permalink",
        "shortcode",
        "timestamp",
        "username",
        "owner",
        "like_count",
        "comments_count",
        "is_comment_enabled",
        "children",
        "comments",
        "ig_id",
        "legacy_instagram_media_id",
    ]
)
_OTHERS_HAVE = _MEDIA_HAS - {
    "owner",
    "alt_text",
    "is_comment_enabled",
    "comments",
    "shortcode",
    "thumbnail_url",
}


@dataclass
class Item:
    """Something on the account; `below` are its comments, or the replies to a comment."""

    id: str
    text: str
    created: datetime
    writer: str = NAME
    edge: str = "media"
    kind: str = "IMAGE"
    product: str = "FEED"
    parts: list[str] = field(default_factory=list)
    alt: str | None = None
    licensed: bool = False
    """Whether its file is kept from the interface."""
    hidden: bool = False
    restricted: bool = False
    off: bool = False
    likes: int = 2
    root: str = ""
    below: list[Item] = field(default_factory=list)


class InstagramWorld(GraphWorld):
    """An account with its page on Facebook. `door` says which interface is asked."""

    user_token, page_token = "EAAGm0PX4ZCpsBAO/system+user=token|1", "EAAGm0PX4ZCpsBAO/the+page=own|2"
    own_token = "IGAAJm0PX4ZCpsBZAE/the+account=own|3"
    app_secret, app_id = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "740000000000001"
    tokens_accepted = frozenset({user_token, page_token, own_token})
    lives = ("v21.0", "v22.0", "v23.0", "v24.0", "v25.0", "v26.0")
    secrets: Mapping[str, str] = {"access_token": user_token, "app_secret": app_secret, "app_id": app_id}
    by_itself: ClassVar[Mapping[str, str]] = {
        "access_token": own_token,
        "app_secret": app_secret,
        "app_id": app_id,
    }
    knows: ClassVar[Mapping[str, frozenset[str]]] = {
        "IGMedia": _MEDIA_HAS,
        "IGOthersMedia": _OTHERS_HAVE,
        "IGComment": frozenset(
            [
                "id",
                "text",
                "timestamp",
                "username",
                "from",
                "user",
                "hidden",
                "like_count",
                "parent_id",
                "media",
                "replies",
                "legacy_instagram_comment_id",
            ]
        ),
        "Page": frozenset(["id", "name", "access_token", "instagram_business_account"]),
        "User": frozenset(["id", "name", "accounts"]),
    }

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, Item] = {}
        self.people = {NAME: OURS, "jo.public": "2001", "al_visitor": "2002"}
        self.introduction = {
            "name": "Test Town Police",
            "biography": "The department's own account.",
            "website": "https://town.example/",
        }
        self.username = NAME
        self.conversations: dict[str, list[Item]] = {}
        self.told_whole = 20
        """So many of the newest messages of a conversation are told with their words."""
        self.scopes = {
            "basic",
            "manage_comments",
            "manage_messages",
            "pages_show_list",
            "pages_read_engagement",
        }
        self.expires_at = 0
        self.names_writers = True
        self.nests = True
        """Whether comments are told inside their posts."""
        self.lists_hidden = True
        """Whether hidden comments stand in the list, or are told by their number alone."""
        self.gives_many = True
        """Whether several objects may be asked for at once."""
        self.keeps_to_spans = True
        self.other_pages = 0

    # --- what happens on the account ----------------------------------------------------------------------

    def say(self, text: str, **more: Any) -> str:
        """The account posts, or somebody tags it; the post's number."""
        item = Item(self.name(), text, self.tick(), **more)
        self.items[item.id] = item
        return item.id

    def story(self, text: str = "", **more: Any) -> str:
        return self.say(text, edge="stories", product="STORY", **more)

    def tag(self, text: str, by: str = "jo.public", **more: Any) -> str:
        return self.say(text, writer=by, edge="tags", **more)

    def comment(self, post: str, text: str, by: str = "jo.public", to: str | None = None, **more: Any) -> str:
        """Somebody comments on a post, or answers a comment below it; the comment's number."""
        above = self.find(to or post)
        assert above is not None
        item = Item(self.name(), text, self.tick(), by, "replies" if to else "comments", root=post, **more)
        above.below.append(item)
        return item.id

    def write(self, conversation: str, text: str, by: str = "jo.public") -> str:
        item = Item(self.name(), text, self.tick(), by, "messages")
        self.conversations.setdefault(conversation, []).append(item)
        return item.id

    def every(self) -> list[Item]:
        posts = list(self.items.values())
        comments = [one for post in posts for one in post.below]
        messages = [one for listed in self.conversations.values() for one in listed]
        return [*posts, *comments, *(two for one in comments for two in one.below), *messages]

    def find(self, name: str) -> Item | None:
        return next((one for one in self.every() if one.id == name), None)

    def the(self, name: str) -> Item:
        found = self.find(name)
        assert found is not None
        return found

    def delete(self, name: str) -> None:
        """Somebody removes an item, with what answers it."""
        self.items.pop(name, None)
        for item in self.every():
            item.below = [one for one in item.below if one.id != name]

    def listed_items(self, edge: str) -> list[Item]:
        """What a list of the account shows, newest first."""
        shown = [one for one in self.items.values() if one.edge == edge]
        if edge == "stories":
            shown = [one for one in shown if self._now - one.created < timedelta(hours=24)]
        return sorted(shown, key=lambda one: one.id, reverse=True)

    # --- the interface ------------------------------------------------------------------------------------

    def reply(self, asked: Asked) -> object:
        if asked.path == "" and "ids" in asked.query:
            if not self.gives_many:
                raise Refused(100, "(#100) The parameter ids is not supported here")
            names = asked.query["ids"].split(",")
            return {name: self._object(name, asked) for name in names}
        if asked.path == "debug_token":
            if asked.token == self.own_token:
                raise Refused(2500, "Unknown path components: /debug_token")
            return {"data": self._debugged()}
        parts = asked.path.split("/")
        if asked.path == "me/accounts":
            return self._accounts(asked)
        if len(parts) == 1:
            return self._object(parts[0], asked)
        return self._edge(parts[0], parts[1], asked)

    def _debugged(self) -> dict[str, Any]:
        named = {"basic", "manage_comments", "manage_messages"}
        return {
            "app_id": self.app_id,
            "type": "SYSTEM_USER",
            "application": "Town Archive",
            "is_valid": True,
            "expires_at": self.expires_at,
            "data_access_expires_at": self.expires_at,
            "scopes": sorted(f"instagram_{one}" if one in named else one for one in self.scopes),
        }

    def permitted(self, edge: str, token: str) -> None:
        scope, code = _SCOPES[edge]
        if scope not in self.scopes:
            whole = f"instagram_business_{scope}" if token == self.own_token else f"instagram_{scope}"
            says = f"(#{code}) This endpoint requires the '{whole}' permission, or that feature reviewed."
            raise Refused(code, says, status=403)

    def _accounts(self, asked: Asked) -> object:
        if asked.token == self.page_token:
            raise self.no_edge("accounts", "Page")
        if "pages_show_list" not in self.scopes:
            raise Refused(200, "(#200) Requires pages_show_list permission", status=403)
        names = [str(900 + number) for number in range(self.other_pages)] + [PAGE]
        return self.listed(asked, names, lambda name: self.told("Page", self._page(name), asked))

    def _page(self, name: str) -> Shape:
        belongs = {"id": OURS, "username": self.username} if name == PAGE and "basic" in self.scopes else None
        return {
            "id": name,
            "name": "A page",
            "access_token": self.page_token,
            "instagram_business_account": belongs,
        }

    def _object(self, name: str, asked: Asked) -> object:
        if name in self.shut:
            raise self.shut[name]
        if name == "me" and asked.token == self.own_token:
            return self.told("", self._account(), asked)
        if name in {PAGE, "me", "town.police"} and asked.token != self.own_token:
            return self.told("Page", self._page(PAGE), asked)
        if name == OURS:
            return self.told("", self._account(), asked)
        found = self.find(name)
        if found is None or not self._is_given(found):
            raise self.unknown(name)
        return self._shape(found, asked)

    def _is_given(self, item: Item) -> bool:
        """Whether an item is told by its number; what others published is not, nor a story that has ended."""
        if item.edge == "tags":
            return False
        if item.edge == "stories":
            return item in self.listed_items("stories")
        if item.edge == "messages":
            return item.id in self._told()
        if item.edge in {"comments", "replies"}:
            return "manage_comments" in self.scopes and not item.restricted
        return "basic" in self.scopes

    def _told(self) -> set[str]:
        return {one.id for listed in self.conversations.values() for one in listed[-self.told_whole :]}

    def _account(self) -> Shape:
        return {
            "id": OURS,
            "user_id": OURS,
            "username": self.username,
            **self.introduction,
            "profile_picture_url": self.media("badge.jpg"),
            "followers_count": 40 + sum(one.likes for one in self.every()),
            "follows_count": 3,
            "media_count": len(self.listed_items("media")),
            "mentioned_media": lambda asked: self._mentioned(asked, "media_id"),
            "mentioned_comment": lambda asked: self._mentioned(asked, "comment_id"),
        }

    def _mentioned(self, asked: Asked, name: str) -> dict[str, Any]:
        found = self.find(asked.query.get(name, ""))
        if found is None or f"@{self.username}" not in found.text:
            raise self.unknown(asked.query.get(name, ""))
        if name == "media_id":
            return self.told("IGOthersMedia", self._post(found), asked)
        return self.told("IGComment", {**self._answer(found), "media": {"id": found.root}}, asked)

    def _edge(self, name: str, edge: str, asked: Asked) -> object:
        if edge in _SCOPES:
            self.permitted(edge, asked.token)
        if edge == "conversations" and name in {PAGE, OURS}:
            return self._conversations(asked)
        if edge == "messages" and name in self.conversations:
            items = self.conversations[name][::-1]
            return self.listed(
                asked, [one.id for one in items], lambda one: self._message(self.the(one), asked)
            )
        if name == OURS and edge in {"media", "stories", "tags"}:
            if edge == "tags" and asked.token == self.own_token:
                raise self.no_edge(edge, "IGUser")
            return self._listed(edge, asked)
        found = self.find(name)
        if found is None or not self._is_given(found):
            raise self.unknown(name)
        if (found.edge, edge) not in {("media", "comments"), ("comments", "replies")}:
            raise self.no_edge(edge, "IGMedia")
        return self._below(found, asked)

    def _listed(self, edge: str, asked: Asked) -> object:
        shown = self.listed_items(edge)
        since, until = asked.query.get("since"), asked.query.get("until")
        if self.keeps_to_spans and edge == "media":
            shown = [one for one in shown if since is None or one.created.timestamp() >= int(since)]
            shown = [one for one in shown if until is None or one.created.timestamp() <= int(until)]
        return self.listed(asked, [one.id for one in shown], lambda one: self._shape(self.the(one), asked))

    def _below(self, item: Item, asked: Asked) -> dict[str, Any]:
        """The comments of a post, or the replies to a comment: newest first, and silently fewer where not permitted."""
        shown = [one for one in item.below if not one.restricted and (self.lists_hidden or not one.hidden)]
        if "manage_comments" not in self.scopes:
            shown = []
        path = f"{item.id}/{'comments' if item.edge == 'media' else 'replies'}"
        below = Asked(path, asked.query, asked.token)
        names = sorted((one.id for one in shown), reverse=True)
        return self.listed(below, names, lambda one: self._shape(self.the(one), below))

    def _conversations(self, asked: Asked) -> object:
        if asked.query.get("platform") != "instagram":
            raise Refused(100, "(#100) This endpoint must be called with platform=instagram")
        moved = sorted(self.conversations, key=lambda one: self.conversations[one][-1].created, reverse=True)
        return self.listed(
            asked,
            moved,
            lambda one: {"id": one, "updated_time": written(self.conversations[one][-1].created)},
        )

    # --- shapes -------------------------------------------------------------------------------------------

    def _shape(self, item: Item, asked: Asked) -> dict[str, Any]:
        if item.edge in {"comments", "replies"}:
            return self.told("IGComment", self._answer(item), asked)
        if item.edge == "messages":
            return self._message(item, asked)
        return self.told("IGOthersMedia" if item.edge == "tags" else "IGMedia", self._post(item), asked)

    def _post(self, item: Item) -> Shape:
        comments = item.below + [two for one in item.below for two in one.below]
        return {
            "id": item.id,
            **({"caption": item.text} if item.text else {}),
            "alt_text": item.alt,
            "media_type": "CAROUSEL_ALBUM" if item.parts else item.kind,
            "media_product_type": item.product,
            "media_url": None if item.licensed else self.media(f"{item.id}_n.jpg"),
            "thumbnail_url": self.media(f"{item.id}_t.jpg") if item.kind == "VIDEO" else None,
            "permalink": f"https://www.instagram.com/p/C{item.id}/",
            "shortcode": f"C{item.id}",
            "timestamp": written(item.created),
            "username": item.writer,
            "owner": {"id": OURS} if item.writer == NAME else None,
            "like_count": item.likes,
            "comments_count": len(comments),
            "is_comment_enabled": not item.off,
            "children": {"data": [self._part(item, part) for part in item.parts]} if item.parts else None,
            "comments": (lambda asked: self._below(item, asked) if item.below else None)
            if self.nests
            else None,
        }

    def _part(self, item: Item, part: str) -> dict[str, Any]:
        address = {} if item.licensed else {"media_url": self.media(f"{part}.jpg")}
        return {"id": part, "media_type": "IMAGE", **address}

    def _answer(self, item: Item) -> Shape:
        named = self.names_writers or item.writer == NAME
        return {
            "id": item.id,
            "text": item.text,
            "timestamp": written(item.created),
            "username": item.writer if named else None,
            "from": {"id": self.people[item.writer], "username": item.writer} if named else None,
            "user": {"id": OURS} if item.writer == NAME else None,
            "hidden": item.hidden,
            "like_count": item.likes,
            "media": {"id": item.root},
            "replies": lambda asked: self._below(item, asked) if item.below else None,
        }

    def _message(self, item: Item, asked: Asked) -> dict[str, Any]:
        told: dict[str, Any] = {"id": item.id, "created_time": written(item.created)}
        if item.id in self._told():
            told |= {
                "message": item.text,
                "from": {"id": self.people[item.writer], "username": item.writer},
                "to": {"data": [{"id": OURS, "username": self.username}]},
            }
        return {name: value for name, value in told.items() if name in {"id", *asked.fields}}


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedInstagram(TroubledGraph, InstagramWorld):
    """An account with a busy post, an album, a story, something tagged, messages and something hidden.

    As few as will do, since a pass is broken off at each of its answers.
    """

    door = "facebook"

    def __enter__(self) -> Self:
        super().__enter__()
        self.cuts_at = 3
        self._busy = self.say("Bridge closed", alt="A barrier across the road")
        first = self.comment(self._busy, "Until when?")
        self.comment(self._busy, "Until six.", by=NAME, to=first)
        for number in range(3):
            self.comment(self._busy, f"+{number}", by="al_visitor", to=first)
        self.comment(self._busy, "And the ferry? ⛴", by="al_visitor")
        self.comment(self._busy, "Buy cheap pills", hidden=True)
        self.comment(self._busy, "And the train?", by="al_visitor")
        self.tick(days=40)
        self.comment(self.say("Flood 2026", parts=["181", "182"]), "Thanks")
        self.tick(days=40)
        self.say("How to report", kind="VIDEO", product="REELS")
        if self.door == "facebook":
            self.tag("With the @testtownpolice today")
        self.write("t_1001", "Is the office open?")
        self.write("t_1001", "Until noon.", by=NAME)
        self.tick(days=10)
        self.say("Library hours")
        self.story("Closed today")
        return self

    @property
    def page(self) -> Page:
        options = {"graph": self.address, "page_size": "3", "door": self.door}
        return Page(address=f"https://www.instagram.com/{NAME}/", options=options)

    def shows(self) -> Collection[str]:
        ways = {"stories": "story:", "tags": "tagged:"}
        return [OURS, *(f"{ways.get(one.edge, '')}{one.id}" for one in self.every())]

    def publish(self) -> str:
        return self.comment(self._busy, "And now?")

    def edit(self) -> str:
        self.the(self._busy).text += " (edited)"
        return self._busy

    def remove(self) -> str:
        name = next(one.id for one in self.the(self._busy).below if "ferry" in one.text)
        self.delete(name)
        return name

    def recount(self) -> None:
        for item in self.every():
            item.likes += 11


class PromisedAlone(PromisedInstagram):
    """The same account, which signed in itself."""

    door = "instagram"
    secrets = InstagramWorld.by_itself


class Telling(Protocol):
    """A world whose answers can be told otherwise."""

    asked: list[str]
    trouble: Callable[[str], Answer | None] | None

    def answer(self, target: str, authorization: str | None) -> Answer: ...


def tells_otherwise(world: Telling, token: str, edge: str, change: Callable[[Any], object]) -> None:
    """From now on, what this path ends with is answered as ever, but for what `change` makes of it."""

    def otherwise(path: str) -> Answer | None:
        if not path.endswith(f"/{edge}"):
            return None
        world.trouble = None
        status, headers, body, *_ = world.answer(world.asked.pop(), f"Bearer {token}")
        world.trouble = otherwise
        told = json.loads(body)
        change(told)
        return status, headers, spoken(told)

    world.trouble = otherwise


def among(name: str, strange: object) -> Callable[[Any], object]:
    """A change of a list: what is called so is told as something strange."""

    def change(told: Any) -> None:
        told["data"] = [strange if one.get("id") == name else one for one in told["data"]]

    return change
