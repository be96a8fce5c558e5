"""A small Threads on loopback: one account, what it says, and what answers it at any depth.

Shapes, error bodies and lists were written after Meta's published interface:
only what is asked for is told (`fields`), conversations come flattened, lists
have cursors and no links, and they have none where everything stood in one
answer. What it adds is trouble at will.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Self

from connectors.contract import Page
from tests.connectors.worlds.instagram_world import (
    JSON,
    Asked,
    GraphWorld,
    Refused,
    Shape,
    TroubledGraph,
    written,
)

OURS = "24000000000000001"
NAME = "testtownpolice"

_MEDIA = [
    "id",
    "media_product_type",
    "media_type",
    "media_url",
    "permalink",
    "username",
    "text",
    "timestamp",
    "shortcode",
    "thumbnail_url",
    "children",
    "is_quote_post",
    "quoted_post",
    "reposted_post",
    "gif_url",
    "topic_tag",
    "is_verified",
    "profile_picture_url",
]
_ANSWERS = ["has_replies", "root_post", "replied_to", "is_reply", "is_reply_owned_by_me", "hide_status"]
_POSTS = ["owner", "alt_text", "link_attachment_url", "poll_attachment", "is_spoiler_media", "text_entities"]
_POSTS += ["text_attachment", "ghost_post_status", "ghost_post_expiration_timestamp", "reply_audience"]
_SCOPES = {
    "threads": "threads_basic",
    "ghost_posts": "threads_basic",
    "replies": "threads_read_replies",
    "conversation": "threads_read_replies",
    "pending_replies": "threads_read_replies",
    "mentions": "threads_manage_mentions",
}


@dataclass
class Item:
    """A post, or what answers one; `below` are all that answer a post, in the order in which they were written."""

    id: str
    text: str
    created: Any
    writer: str = NAME
    edge: str = "threads"
    kind: str = "TEXT_POST"
    root: str | None = None
    to: str | None = None
    parts: list[str] = field(default_factory=list)
    alt: str | None = None
    hush: str = "NOT_HUSHED"
    approval: str | None = None
    approves: bool = False
    gone_away: bool = False
    """Whether its writer left, so that it is not told any more."""
    more: dict[str, Any] = field(default_factory=dict)


class ThreadsWorld(GraphWorld):
    """One account. Use it as a context: its server ends with it."""

    token = "THAAJm0PX4ZCpsBYAE/the+account=own|1"
    app_secret, app_id = "1f1e2d3c4b5a69788796a5b4c3d2e1f0", "750000000000001"
    tokens_accepted = frozenset({token})
    lives = ("v1.0",)
    secrets: ClassVar[Mapping[str, str]] = {
        "access_token": token,
        "app_secret": app_secret,
        "app_id": app_id,
    }
    links_on = False
    kind_of_error = "THApiException"
    knows: ClassVar[Mapping[str, frozenset[str]]] = {
        "ThreadsMedia": frozenset([*_MEDIA, *_ANSWERS, *_POSTS]),
        "threads": frozenset([*_MEDIA, *_POSTS, "has_replies", "is_reply"]),
        "ghost_posts": frozenset([*_MEDIA, *_POSTS, "has_replies", "is_reply"]),
        "replies": frozenset([*_MEDIA, *_ANSWERS, "reply_audience"]),
        "conversation": frozenset([*_MEDIA, *_ANSWERS, "reply_audience"]),
        "pending_replies": frozenset([*_MEDIA, *_ANSWERS, "reply_audience", "reply_approval_status"]),
        "mentions": frozenset([*_MEDIA, *_ANSWERS, "alt_text", "poll_attachment"]) - {"hide_status"},
        "ThreadsUser": frozenset(
            [
                "id",
                "username",
                "name",
                "threads_profile_picture_url",
                "threads_biography",
                "is_verified",
                "recently_searched_keywords",
            ]
        ),
    }

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, Item] = {}
        self.introduction = {"name": "Test Town Police", "threads_biography": "The department's own account."}
        self.username = NAME
        self.scopes = {"threads_basic", "threads_read_replies", "threads_manage_mentions"}
        self.expires_at = 0
        self.tells_tokens = True
        self.gives_others = False
        """Whether posts of others are given by their number: with Advanced Access alone."""
        self.keeps_to_spans = True
        self.silent = False
        """Whether a permission that is lacking leaves lists empty, and is not refused."""
        self.cursor_at_the_end = True
        """Whether the last answer of several has a cursor too."""

    # --- what happens on the account ----------------------------------------------------------------------

    def say(self, text: str, **more: Any) -> str:
        """The account posts; the post's number."""
        item = Item(self.name(), text, self.tick(), **more)
        self.items[item.id] = item
        return item.id

    def ghost(self, text: str) -> str:
        return self.say(text, edge="ghost_posts")

    def answer_to(self, to: str, text: str, by: str = "jo.public", **more: Any) -> str:
        """Somebody answers a post, or another answer; the answer's number."""
        root = self.items[to].root or to
        return self.say(text, writer=by, edge="conversation", root=root, to=to, **more)

    def elsewhere(self, text: str, by: str = "jo.public") -> str:
        """Somebody else posts something."""
        return self.say(text, writer=by, edge="elsewhere")

    def the(self, name: str) -> Item:
        return self.items[name]

    def delete(self, name: str) -> None:
        """Somebody removes an item, with what answers it."""
        self.items.pop(name, None)
        for item in list(self.items.values()):
            if item.to == name:
                self.delete(item.id)

    def hide(self, name: str, hush: str = "HIDDEN") -> None:
        """The account hides an answer: what answers it is hidden along with it."""
        self.items[name].hush = hush
        for item in list(self.items.values()):
            if item.to == name:
                self.hide(item.id, hush)

    def loses_silently(self, scope: str) -> None:
        """A permission ends, and lists that need it are empty from then on."""
        self.silent = True
        self.scopes.discard(scope)

    # --- the interface ------------------------------------------------------------------------------------

    def reply(self, asked: Asked) -> object:
        if asked.path == "debug_token":
            if not self.tells_tokens:
                raise Refused(100, "(#100) The user must be a tester of the app")
            return {"data": self._debugged()}
        parts = asked.path.split("/")
        if asked.path in {"me", OURS}:
            return self.told("ThreadsUser", self._account(), asked)
        if len(parts) == 1:
            found = self.items.get(parts[0])
            if found is None or not self._is_given(found):
                raise self.unknown(parts[0])
            return self.told("ThreadsMedia", self._shape(found), asked)
        return self._edge(parts[0], parts[1], asked)

    def _debugged(self) -> dict[str, Any]:
        return {
            "type": "USER",
            "application": "Town Archive",
            "is_valid": True,
            "expires_at": self.expires_at,
            "data_access_expires_at": self.expires_at,
            "scopes": sorted(self.scopes),
        }

    def _account(self) -> Shape:
        picture = self.media("badge.jpg")
        return {
            "id": OURS,
            "username": self.username,
            "threads_profile_picture_url": picture,
            **self.introduction,
        }

    def _is_given(self, item: Item) -> bool:
        if item.edge == "elsewhere" or (item.root is not None and self._is_elsewhere(item.root)):
            return item.writer == NAME or self.gives_others
        return not item.gone_away

    def _is_elsewhere(self, name: str) -> bool:
        return name not in self.items or self.items[name].edge == "elsewhere"

    def _edge(self, name: str, edge: str, asked: Asked) -> object:
        scope = _SCOPES.get(edge)
        if scope is None:
            raise self.no_edge(edge, "ThreadsMedia")
        if scope not in self.scopes:
            if not self.silent:
                says = f"(#10) This endpoint requires the '{scope}' permission, or that feature reviewed."
                raise Refused(10, says, status=403)
            return {"data": []}
        if name == OURS:
            return self._of_the_account(edge, asked)
        root = self.items.get(name)
        if root is None or edge not in {"conversation", "pending_replies"}:
            raise self.unknown(name)
        if edge == "pending_replies" and not root.approves:
            raise Refused(100, "(#100) Reply approvals are not enabled for this post")
        return self._below(root, edge, asked)

    def _of_the_account(self, edge: str, asked: Asked) -> object:
        items = list(self.items.values())
        if edge == "mentions":
            shown = [one for one in items if f"@{self.username}" in one.text and one.writer != NAME]
        elif edge == "replies":
            shown = [one for one in items if one.writer == NAME and one.to is not None]
        else:
            shown = [one for one in items if one.edge == edge]
        since, until = asked.query.get("since"), asked.query.get("until")
        if self.keeps_to_spans and edge != "mentions":
            shown = [one for one in shown if since is None or one.created.timestamp() >= int(since)]
            shown = [one for one in shown if until is None or one.created.timestamp() <= int(until)]
        return self._list(edge, sorted(shown, key=lambda one: one.id, reverse=True), asked)

    def _below(self, root: Item, edge: str, asked: Asked) -> object:
        """What answers a post, at any depth, flattened."""
        waits = edge == "pending_replies"
        top = root.root or root.id
        shown = [
            one for one in self.items.values() if one.root == top and (one.approval is not None) == waits
        ]
        if root.root is not None:
            under = {root.id}
            for one in sorted(shown, key=lambda item: item.id):
                under |= {one.id} if one.to in under else set()
            shown = [one for one in shown if one.id in under - {root.id}]
        shown = [one for one in shown if not one.gone_away]
        newest_first = asked.query.get("reverse", "true") == "true"
        return self._list(edge, sorted(shown, key=lambda one: one.id, reverse=newest_first), asked)

    def _list(self, edge: str, items: Sequence[Item], asked: Asked) -> object:
        names = [one.id for one in items]
        page = self.listed(asked, names, lambda one: self.told(edge, self._shape(self.items[one]), asked))
        size = min(int(asked.query.get("limit", "25")), self.cuts_at)
        alone = asked.query.get("after") is None and len(names) <= size and not self.loops
        last = bool(page["data"]) and page["data"][-1]["id"] == names[-1] and not self.loops
        if alone or (last and not self.cursor_at_the_end):
            page.pop("paging", None)
        return page

    # --- shapes -------------------------------------------------------------------------------------------

    def _shape(self, item: Item) -> Shape:
        answered = any(one.to == item.id and one.approval is None for one in self.items.values())
        ends = item.created + timedelta(hours=24)
        shape: dict[str, Any] = {
            "id": item.id,
            "media_product_type": "THREADS",
            "media_type": "CAROUSEL_ALBUM" if item.parts else item.kind,
            "permalink": f"https://www.threads.com/@{item.writer}/post/D{item.id}",
            "username": self.username if item.writer == NAME else item.writer,
            "text": item.text or None,
            "timestamp": written(item.created),
            "shortcode": f"D{item.id}",
            "is_quote_post": "quoted_post" in item.more,
            "alt_text": item.alt,
            "has_replies": answered,
            "is_reply": item.to is not None,
            "is_reply_owned_by_me": item.writer == NAME if item.to is not None else None,
            "hide_status": item.hush if item.to is not None else None,
            "root_post": {"id": item.root} if item.root else None,
            "replied_to": {"id": item.to} if item.to else None,
            "reply_audience": "EVERYONE",
            "reply_approval_status": item.approval,
            "owner": {"id": OURS} if item.writer == NAME and item.to is None else None,
            **item.more,
        }
        if item.edge == "ghost_posts":
            shape["ghost_post_status"] = "ACTIVE" if self._now < ends else "ARCHIVED"
            shape["ghost_post_expiration_timestamp"] = written(ends)
        if item.kind in {"IMAGE", "VIDEO"} and not item.parts and "claimed" not in item.more:
            shape["media_url"] = self.media(f"{item.id}_n.jpg")
        if item.kind == "VIDEO":
            shape["thumbnail_url"] = self.media(f"{item.id}_t.jpg")
        if item.parts:
            shape["children"] = {
                "data": [
                    {"id": one, "media_type": "IMAGE", "media_url": self.media(f"{one}.jpg")}
                    for one in item.parts
                ]
            }
        return shape


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedThreads(TroubledGraph, ThreadsWorld):
    """An account with a busy post, pictures, a ghost post, a mention, an answer elsewhere and something hidden."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.cuts_at = 3
        self._busy = self.say("Bridge closed", kind="IMAGE", alt="A barrier across the road")
        first = self.answer_to(self._busy, "Until when?")
        ours = self.answer_to(first, "Until six.", by=NAME)
        deeper = self.answer_to(ours, "Thanks", by="al_visitor")
        self.answer_to(deeper, "+1")
        self._ferry = self.answer_to(self._busy, "And the ferry? ⛴", by="al_visitor")
        self.hide(self.answer_to(self._busy, "Buy cheap pills"))
        self.tick(days=40)
        self.answer_to(self.say("Flood 2026", parts=["181", "182"]), "Thanks")
        self.tick(days=40)
        self.say("As the fire brigade says", more={"quoted_post": {"id": "99"}})
        theirs = self.elsewhere("With @testtownpolice today")
        self.answer_to(theirs, "You are welcome.", by=NAME)
        self.ghost("Only today")
        self.tick(days=10)
        self.say("Library hours")
        return self

    @property
    def page(self) -> Page:
        options = {"graph": self.address, "page_size": "3"}
        return Page(address=f"https://www.threads.com/@{NAME}", options=options)

    @property
    def cannot(self) -> Mapping[str, str]:
        return {"recount": "Threads tells no counts with its posts"}

    def shows(self) -> Collection[str]:
        ways = {"elsewhere": "mention:"}
        return [OURS, *(f"{ways.get(one.edge, '')}{one.id}" for one in self.items.values())]

    def publish(self) -> str:
        return self.answer_to(self._busy, "And now?")

    def edit(self) -> str:
        self.the(self._busy).text += " (edited)"
        return self._busy

    def remove(self) -> str:
        if self._ferry not in self.items:
            raise StopIteration
        self.delete(self._ferry)
        return self._ferry

    def recount(self) -> None:
        raise AssertionError(self.cannot["recount"])

    def throttle(self, after: int) -> timedelta | None:
        told = {"call_count": 100, "total_time": 25, "total_cputime": 12}
        headers = {**JSON, "X-App-Usage": json.dumps(told)}
        self._will((400, headers, self.error(Refused(4, "(#4) Application request limit reached"))), after)
        return timedelta(hours=1)
