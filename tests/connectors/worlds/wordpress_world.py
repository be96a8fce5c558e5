"""A small WordPress on loopback: it keeps posts and comments, and answers as WordPress 6 answers.

Statuses, codes, headers and filters were compared with a real one (see
tests/live). What it adds is trouble at will: throttling, a sign-in page, a
firewall, a plugin's warning before the JSON, an outage, a cut body, and
changes in the midst of a pass.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.connectors.worlds.loopback import Talk
from tests.connectors.worlds.platform_world import Answering

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json; charset=UTF-8"}
HTML = {"Content-Type": "text/html; charset=UTF-8"}

SIGN_IN = (
    b'<!DOCTYPE html><html><form action="/wp-login.php"><input type="password" name="pwd"></form></html>'
)
CHALLENGE = b"<!DOCTYPE html><html><title>Just a moment...</title></html>"
NOTICE = b"<br />\n<b>Warning</b>: Undefined array key in <b>/srv/plugin.php</b><br />\n"

EDITOR = {
    "edit_posts": True,
    "edit_others_posts": True,
    "read_private_posts": True,
    "edit_pages": True,
    "edit_others_pages": True,
    "read_private_pages": True,
    "moderate_comments": True,
}


class Refused(Exception):
    def __init__(
        self, status: int, code: str, message: str = "Sorry, you are not allowed to do that."
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass
class Item:
    id: int
    type: str
    title: str
    content: str
    status: str
    date: datetime
    modified: datetime
    author: int = 1
    password: str = ""
    featured: int = 0
    revisions: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Remark:
    id: int
    post: int
    content: str
    status: str
    date: datetime
    parent: int = 0
    author_name: str = "Jo Public"
    author: int = 0
    type: str = "comment"


class WordPressWorld(Answering):
    """One site. Use it as a context: the server ends with it."""

    user, application_password = "archivist", "abcd EFGH ijkl MNOP qrst UVWX"

    def __init__(self) -> None:
        self.name, self.tagline = "Test Town &amp; Valley", "News from the hall"
        self.items: dict[int, Item] = {}
        self.remarks: dict[int, Remark] = {}
        self.library: dict[int, dict[str, Any]] = {}
        self.users = {1: ("Press Office", "press"), 2: ("J. O&#039;Neil", "oneil")}
        self.capabilities: dict[str, bool] = dict(EDITOR)
        self.accepts_password = True
        self.plain_permalinks = False
        self.names_its_interface = True
        self.breaks: set[str] = set()
        """Items ("post:3", "comment:7", "attachment:9") at whose rendering a plugin fails, and with it any answer that renders them."""
        self.warns = False
        """Whether what breaks is told all the same, behind a plugin's warning that makes it no JSON."""
        self.shut: dict[str, Refused] = {}
        """Routes ("users", "comments", …) that answer with a refusal."""
        self.trouble: Callable[[str], Answer | None] | None = None
        """Asked first, with the route; what it answers is sent in WordPress's place."""
        self.altered: Callable[[str, list[dict[str, Any]]], list[Any]] | None = None
        """What a plugin makes of the items of an answer, with the route."""
        self.before: Callable[[str], None] | None = None
        """Called before each answer, with the route: the site changes while it is read."""
        self.redirects_to: str | None = None
        self.ignores_offset = False
        self.tells_edited = True
        """Whether the site is of an age that knows `modified_after`."""
        self.hides_totals = False
        self.compresses = False
        self.asked: list[str] = []
        self.authorized: list[bool] = []
        self._now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self._posts, self._comments = 0, 0

    # --- what happens on the site -------------------------------------------------------------------------

    def tick(self, minutes: int = 1) -> datetime:
        self._now += timedelta(minutes=minutes)
        return self._now

    def publish(self, title: str, content: str, **more: Any) -> int:
        """Publish a post (or `type="page"`), and answer its number."""
        now, self._posts = self.tick(), self._posts + 1
        more = {"type": "post", "status": "publish", **more}
        self.items[self._posts] = Item(
            id=self._posts, title=title, content=content, date=now, modified=now, **more
        )
        return self._posts

    def upload(self, name: str, post: int = 0, media_type: str = "image/jpeg", alt: str = "") -> int:
        """Put a file in the library; files and posts share their numbers."""
        self._posts += 1
        self.library[self._posts] = {
            "id": self._posts,
            "date_gmt": _gmt(self.tick()),
            "slug": name,
            "type": "attachment",
            "status": "inherit",
            "author": 1,
            "title": {"rendered": name},
            "caption": {"rendered": ""},
            "alt_text": alt,
            "media_type": media_type.partition("/")[0],
            "mime_type": media_type,
            "post": post or None,
            "source_url": f"{self.address}/wp-content/uploads/2026/03/{name}",
            "media_details": {"sizes": {"medium": {"source_url": f"{self.address}/wp-content/uploads/2026/03/m-{name}"}}},
        }  # fmt: skip
        return self._posts

    def comment(self, post: int, content: str, **more: Any) -> int:
        """Somebody comments; approved unless `status` says otherwise."""
        now, self._comments = self.tick(), self._comments + 1
        more = {"status": "approved", **more}
        self.remarks[self._comments] = Remark(id=self._comments, post=post, content=content, date=now, **more)
        return self._comments

    def edit(self, number: int, content: str) -> None:
        item = self.items[number]
        item.content, item.modified = content, self.tick()
        self._posts += 1
        item.revisions.append(
            {
                "id": self._posts,
                "author": item.author,
                "date_gmt": _gmt(item.modified),
                "modified_gmt": _gmt(item.modified),
                "parent": number,
                "slug": f"{number}-revision-v1",
                "title": {"raw": item.title, "rendered": escape(item.title)},
                "content": {"raw": content, "rendered": content},
            }
        )

    def edit_comment(self, number: int, content: str) -> None:
        self.remarks[number].content = content

    def set_status(self, number: int, status: str) -> None:
        self.items[number].status, self.items[number].modified = status, self.tick()

    def set_comment_status(self, number: int, status: str) -> None:
        self.remarks[number].status = status

    def delete(self, number: int) -> None:
        """Delete a post for good, and with it its comments, as WordPress does."""
        del self.items[number]
        self.remarks = {key: one for key, one in self.remarks.items() if one.post != number}

    def delete_comment(self, number: int) -> None:
        del self.remarks[number]

    # --- the server ---------------------------------------------------------------------------------------

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                self.say(*world.answer(self.path, self.headers.get("Authorization")))

        return Handler

    @property
    def secret(self) -> Mapping[str, str]:
        return {"user": self.user, "application_password": self.application_password}

    # --- its answers --------------------------------------------------------------------------------------

    def answer(self, target: str, authorization: str | None) -> Answer:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked.append(target)
        self.authorized.append(authorization is not None)
        if self.redirects_to is not None:
            return 301, {**HTML, "Location": self.redirects_to + target}, b""
        if parts.path.startswith("/wp-content/uploads/"):
            return 200, {"Content-Type": "image/jpeg"}, b"a picture"
        route = self._route(parts.path, query)
        if self.before is not None:
            self.before(route or parts.path)
        troubled = self.trouble(route or parts.path) if self.trouble else None
        if troubled is not None:
            return troubled
        link = {"Link": f'<{self._interface}>; rel="https://api.w.org/"'} if self.names_its_interface else {}
        if "robots" in query:
            return (
                200,
                {"Content-Type": "text/plain; charset=utf-8", **link},
                b"User-agent: *\nDisallow: /wp-admin/\n",
            )
        if route is None:
            return 404, {**HTML, **link}, b"<!DOCTYPE html><html><title>Page not found</title></html>"
        try:
            editor = self._is_ours(authorization)
            body, more = self._rest(route, query, editor=editor)
            if self.altered is not None and isinstance(body, list):
                body = self.altered(route, body)
        except Refused as refused:
            if refused.status == 200:
                return 200, {**JSON, **link}, refused.code.encode() + b"[]"
            said = {"code": refused.code, "message": refused.message, "data": {"status": refused.status}}
            return refused.status, {**JSON, **link}, _json(said)
        if self.compresses:
            return (
                200,
                {**JSON, **link, **more, "Content-Encoding": "gzip"},
                gzip.compress(_json(body), mtime=0),
            )
        return 200, {**JSON, **link, **more}, _json(body)

    @property
    def _interface(self) -> str:
        return f"{self.address}/?rest_route=/" if self.plain_permalinks else f"{self.address}/wp-json/"

    def _route(self, path: str, query: dict[str, str]) -> str | None:
        if "rest_route" in query:
            return query.pop("rest_route").strip("/").removeprefix("wp/v2").strip("/")
        if path.startswith("/wp-json") and not self.plain_permalinks:
            return path.removeprefix("/wp-json").strip("/").removeprefix("wp/v2").strip("/")
        return None

    def _is_ours(self, authorization: str | None) -> bool:
        pair = base64.b64encode(f"{self.user}:{self.application_password}".encode()).decode()
        return self.accepts_password and authorization == f"Basic {pair}"

    def _rest(self, route: str, query: dict[str, str], *, editor: bool) -> tuple[Any, dict[str, str]]:
        name, _, rest = route.partition("/")
        if name in self.shut:
            raise self.shut[name]
        if name == "":
            return self._index(), {}
        if route == "users/me":
            if not editor:
                raise Refused(401, "rest_not_logged_in", "You are not currently logged in.")
            return _fields({"id": 9, "slug": self.user, "capabilities": self.capabilities}, query), {}
        if name == "users":
            wanted = _numbers(query["include"])
            return [self._user(number) for number in wanted if number in self.users], {}
        if name in {"posts", "pages"}:
            return self._posts_route(name.removesuffix("s"), rest, query, editor=editor)
        if name == "comments":
            return self._comments_route(rest, query, editor=editor)
        if name == "media":
            return self._listed(self._media(query), query)
        raise Refused(404, "rest_no_route", "No route was found matching the URL and request method.")

    def _index(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "description": self.tagline,
            "url": self.address,
            "home": self.address,
            "timezone_string": "America/Denver",
            "namespaces": ["oembed/1.0", "wp/v2"],
        }

    def _posts_route(
        self, kind: str, rest: str, query: dict[str, str], *, editor: bool
    ) -> tuple[Any, dict[str, str]]:
        if rest:
            number, _, below = rest.partition("/")
            item = self.items.get(int(number))
            if item is None or item.type != kind:
                raise Refused(404, "rest_post_invalid_id", "Invalid post ID.")
            if below == "revisions":
                if not editor:
                    raise Refused(401, "rest_cannot_read")
                return self._listed(item.revisions, query)
            if item.status != "publish" and not editor:
                raise Refused(401, "rest_forbidden")
            return _fields(self._item(item, edit=False), query), {}
        statuses = query.get("status", "publish").split(",")
        edit = query.get("context") == "edit"
        if statuses != ["publish"] and not editor:
            raise Refused(400, "rest_invalid_param", "Invalid parameter(s): status")
        if edit and not editor:
            raise Refused(401, "rest_forbidden_context")
        rows = [item for item in self.items.values() if item.type == kind and item.status in statuses]
        rows = [item for item in rows if self._asked_for(item, query)]
        return self._listed([self._item(item, edit=edit) for item in rows], query)

    def _comments_route(
        self, rest: str, query: dict[str, str], *, editor: bool
    ) -> tuple[Any, dict[str, str]]:
        if rest:
            remark = self.remarks.get(int(rest))
            if remark is None:
                raise Refused(404, "rest_comment_invalid_id", "Invalid comment ID.")
            if not editor and not self._is_public(remark):
                raise Refused(401, "rest_cannot_read", "Sorry, you are not allowed to read this comment.")
            return _fields(self._remark(remark, edit=False), query), {}
        status, edit = query.get("status", "approved"), query.get("context") == "edit"
        if (status != "approved" or edit) and not editor:
            raise Refused(401, "rest_forbidden_param", "Query parameter not permitted: status")
        kind = query.get("type", "comment")
        if kind != "comment" and not editor:
            raise Refused(401, "rest_forbidden_param", "Query parameter not permitted: type")
        kinds = {"pingback", "trackback"} if kind == "pings" else {kind}
        rows = [one for one in self.remarks.values() if status in {"any", one.status} and one.type in kinds]
        rows = [one for one in rows if self._asked_for(one, query)]
        # The public's listing counts what it then leaves out: comments on what is not public.
        shown = {one.id for one in rows if editor or self._is_public(one)}
        return self._listed([self._remark(one, edit=edit) for one in rows], query, shown)

    def _asked_for(self, one: Item | Remark, query: Mapping[str, str]) -> bool:
        """Whether the filters of a listing leave an item in; times without a zone are the site's own."""
        if "include" in query and one.id not in _numbers(query["include"]):
            return False
        if isinstance(one, Remark) and "post" in query and one.post not in _numbers(query["post"]):
            return False
        changed = one.modified if isinstance(one, Item) else one.date
        local = timedelta(hours=-7)
        return (
            ("after" not in query or _gmt(one.date + local) > query["after"])
            and ("before" not in query or _gmt(one.date + local) < query["before"])
            and (
                "modified_after" not in query
                or not self.tells_edited
                or _gmt(changed + local) > query["modified_after"]
            )
        )

    def _media(self, query: dict[str, str]) -> list[dict[str, Any]]:
        parents, include = _numbers(query.get("parent", "")), _numbers(query.get("include", ""))
        return [one for one in self.library.values() if one["post"] in parents or one["id"] in include]

    def _listed(
        self, rows: list[dict[str, Any]], query: dict[str, str], shown: Iterable[int] | None = None
    ) -> tuple[list[dict[str, Any]], dict[str, str]]:
        size, offset = int(query.get("per_page", "10")), int(query.get("offset", "0"))
        assert 1 <= size <= 100, "WordPress refuses more"
        rows = sorted(rows, key=lambda row: row["id"], reverse=query.get("order", "desc") == "desc")
        begin = 0 if self.ignores_offset else offset
        window = [row for row in rows[begin : begin + size] if shown is None or row["id"] in set(shown)]
        renders = "content" in query.get("_fields", "content")
        if renders and any(f"{row.get('type', 'revision')}:{row['id']}" in self.breaks for row in window):
            if self.warns:
                raise Refused(200, "<br /><b>Warning</b>: Undefined array key")
            raise Refused(500, "internal_server_error", "There has been a critical error on this website.")
        totals = {} if self.hides_totals else {"X-WP-Total": str(len(rows))}
        return window, totals

    def _is_public(self, remark: Remark) -> bool:
        item = self.items.get(remark.post)
        return (
            remark.status == "approved"
            and item is not None
            and item.status == "publish"
            and not item.password
        )

    def _user(self, number: int) -> dict[str, Any]:
        name, slug = self.users[number]
        return {"id": number, "name": name, "slug": slug, "description": "", "url": ""}

    def _item(self, item: Item, *, edit: bool) -> dict[str, Any]:
        closed = bool(item.password) and not edit
        content: dict[str, Any] = {
            "rendered": "" if closed else item.content,
            "protected": bool(item.password),
        }
        title: dict[str, Any] = {"rendered": escape(item.title)}
        if edit:
            content["raw"], title["raw"] = item.content, item.title
        collection = f"{self.address}/wp-json/wp/v2/{item.type}s/{item.id}"
        return {
            "id": item.id,
            "date": _gmt(item.date - timedelta(hours=7)),
            "date_gmt": _gmt(item.date),
            "modified": _gmt(item.modified - timedelta(hours=7)),
            "modified_gmt": _gmt(item.modified),
            "slug": f"item-{item.id}",
            "status": item.status,
            "type": item.type,
            "link": f"{self.address}/item-{item.id}/",
            "title": title,
            "content": content,
            "author": item.author,
            "featured_media": item.featured,
            "comment_status": "open",
            "sticky": False,
            "categories": [1],
            "tags": [],
            "_links": {
                "version-history": [{"count": len(item.revisions), "href": f"{collection}/revisions"}]
            },
        }

    def _remark(self, remark: Remark, *, edit: bool) -> dict[str, Any]:
        item = self.items.get(remark.post)
        answer = {
            "id": remark.id,
            "post": remark.post,
            "parent": remark.parent,
            "author": remark.author,
            "author_name": remark.author_name,
            "author_url": "",
            "date": _gmt(remark.date - timedelta(hours=7)),
            "date_gmt": _gmt(remark.date),
            "content": {"rendered": remark.content},
            "link": f"{self.address}/item-{remark.post}/#comment-{remark.id}",
            "status": remark.status,
            "type": remark.type,
            "_links": {"up": [{"embeddable": True, "post_type": item.type if item else "post"}]},
        }
        if edit:
            answer |= {
                "author_email": "jo@visitor.example",
                "author_ip": "203.0.113.7",
                "author_user_agent": "B/1",
            }
            answer["content"] = {"rendered": remark.content, "raw": remark.content}
        return answer


def _gmt(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _numbers(listed: str) -> list[int]:
    return [int(number) for number in listed.split(",") if number]


def _fields(body: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    wanted = query.get("_fields")
    return {key: body[key] for key in wanted.split(",") if key in body} if wanted else body


def _json(value: object) -> bytes:
    """As PHP writes it: no spaces, slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()
