"""A small TikTok on loopback: one account, what it posted, who comments on it, and both interfaces before it.

Shapes, codes and paging follow TikTok's published references, as far as they
are known. It is as strict as those: a parameter, a field or a header that an
interface does not know is refused, and one field that was not permitted
refuses the whole question. The door for businesses answers 200 whatever
happened. Videos are paged by time, comments by places. What it adds is trouble
at will.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.loopback import Talk
from tests.connectors.worlds.platform_world import PICTURE, Answer, PlatformWorld, Troubled

NAME = "testtownpolice"
OPEN_ID = "-000aBcD-testtown-open-id"
DISPLAY_ID = "-000xYz-testtown-display-id"
APPLICATION = "7400000000000000001"
JSON = {"Content-Type": "application/json; charset=utf-8", "X-Tt-Logid": "20260601030000ABCDEF"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/login"><input type="password" name="password"></form></html>'
BUSINESS, OPEN = "/open_api/v1.3/", "/v2/"
PUBLIC, HIDDEN = "PUBLIC", "HIDDEN"

SCOPES = (
    "user.info.basic",
    "user.info.username",
    "user.info.profile",
    "user.info.stats",
    "video.list",
    "comment.list",
)
_BUSINESS_FIELDS = {
    "display_name": "user.info.basic",
    "profile_image": "user.info.basic",
    "username": "user.info.username",
    "bio_description": "user.info.profile",
    "is_verified": "user.info.profile",
    "profile_deep_link": "user.info.profile",
    "followers_count": "user.info.stats",
    "following_count": "user.info.stats",
    "total_likes": "user.info.stats",
    "videos_count": "user.info.stats",
    "is_business_account": "user.account.type",
}
_PERSON_FIELDS = {
    "open_id": "user.info.basic",
    "union_id": "user.info.basic",
    "avatar_url": "user.info.basic",
    "display_name": "user.info.basic",
    "username": "user.info.profile",
    "bio_description": "user.info.profile",
    "is_verified": "user.info.profile",
    "profile_deep_link": "user.info.profile",
    "follower_count": "user.info.stats",
    "following_count": "user.info.stats",
    "likes_count": "user.info.stats",
    "video_count": "user.info.stats",
}
_ITEM_FIELDS = (
    "item_id",
    "create_time",
    "caption",
    "share_url",
    "thumbnail_url",
    "embed_url",
    "media_type",
    "is_ad",
    "video_duration",
    "video_views",
    "likes",
    "comments",
    "shares",
    "favorites",
    "reach",
)
_BUSINESS = {
    "business/get": "business_id fields start_date end_date",
    "business/video/list": "business_id fields filters cursor max_count",
    "business/comment/list": "business_id video_id comment_ids include_replies status sort_field sort_order cursor max_count",
    "business/comment/reply/list": "business_id video_id comment_id status sort_field sort_order cursor max_count",
}
_OPEN = {"video/list": "cursor max_count", "video/query": "filters"}


class Refused(Exception):
    """A refusal of the door for businesses: a number, and a message that is never repeated."""

    def __init__(self, code: int, message: str = "", status: int = 200) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


class Denied(Exception):
    """A refusal of the Display API: a word."""

    def __init__(self, code: str, status: int, message: str = "") -> None:
        super().__init__(code)
        self.code, self.status, self.message = code, status, message


@dataclass
class Clip:
    """What the account posted."""

    id: str
    words: str
    at: datetime
    public: bool = True
    photo: bool = False
    title: str = ""
    likes: int = 3
    generated: bool = False


@dataclass
class Said:
    """A comment; `to` is the one that it answers."""

    id: str
    video: str
    words: str
    at: datetime
    by: str
    to: str | None = None
    status: str = PUBLIC
    likes: int = 0
    pinned: bool = False
    liked: bool = False
    image: bool = False


class TikTokWorld(PlatformWorld):
    """One account. Use it as a context: its server ends with it."""

    token, display_token = "act.the+account=own/token|1Abc", "act.the+display=own/token|2Xyz"
    business: ClassVar[Mapping[str, str]] = {
        "access_token": token,
        "refresh_token": "rft.the-refresh-token-of-the-account",
        "client_id": APPLICATION,
        "client_secret": "the-secret-of-the-agencys-application",
    }
    by_hand: ClassVar[Mapping[str, str]] = {"access_token": token}
    display: ClassVar[Mapping[str, str]] = {
        "access_token": display_token,
        "refresh_token": "rft.the-refresh-token-of-the-display",
        "client_id": "awclientkeyofthedisplay",
        "client_secret": "the-secret-of-the-display-application",
    }

    def __init__(self) -> None:
        super().__init__()
        self.clips: dict[str, Clip] = {}
        self.said: dict[str, Said] = {}
        self.people = {NAME: "Test Town Police", "jo.public": "Jo Public", "al_visitor": "Al"}
        self.username, self.bio, self.verified = NAME, "The department's own account.", True
        self.scopes: set[str] = set(SCOPES)
        self.refused_fields: set[str] = set()
        """Fields that are refused although their permission was given."""
        self.dead: Refused | Denied | None = None
        """What every question is refused with."""
        self.shut: dict[str, Refused | Denied] = {}
        """Paths, videos and comments that answer with a refusal."""
        self.cuts_at = 30
        """So many items of a list are shown at once, whatever is asked for."""
        self.filtered: set[str] = set()
        """Items that TikTok leaves out of its lists without a word."""
        self.in_order = 500
        self.numbers_as_text = True
        self.counts_more = 0
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self._number = 7_300_000_000_000_000_000

    # --- what happens on the account ----------------------------------------------------------------------

    def post(self, words: str, **more: Any) -> str:
        """The agency posts a video, or photos; its id."""
        self._number += 1
        name = str(self._number)
        self.clips[name] = Clip(name, words, self.tick(), **more)
        return name

    def say(
        self, video: str, words: str, *, by: str = "jo.public", to: str | None = None, **more: Any
    ) -> str:
        """Somebody comments on a video, or answers a comment; its id."""
        self._number += 1
        name = str(self._number)
        self.said[name] = Said(name, video, words, self.tick(), by, to, **more)
        return name

    def hide(self, name: str, status: str = HIDDEN) -> None:
        """A comment is hidden, or shown again."""
        self.said[name].status = status

    def delete(self, name: str) -> None:
        """A video or a comment is removed, with what stands under it."""
        if self.clips.pop(name, None) is not None:
            self.said = {one.id: one for one in self.said.values() if one.video != name}
            return
        self.said = {one.id: one for one in self.said.values() if name not in {one.id, one.to}}

    # --- the server ---------------------------------------------------------------------------------------

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                self._reply("GET", b"")

            def post(self) -> None:
                self._reply("POST", self.body())

            def _reply(self, method: str, sent: bytes) -> None:
                self.say(*world.packed(world.answer(method, self.path, dict(self.headers.items()), sent)))

        return Handler

    @property
    def accounts_api(self) -> str:
        """Where the door for businesses stands."""
        return f"{self.address}{BUSINESS[:-1]}"

    @property
    def display_api(self) -> str:
        """Where the Display API stands."""
        return f"{self.address}{OPEN[:-1]}"

    def answer(self, method: str, target: str, headers: Mapping[str, str], sent: bytes) -> Answer:
        parts = urlsplit(target)
        self.asked.append(target)
        self.headers.append(headers)
        self.bodies.append(sent)
        if (troubled := self.disturbed(parts.path)) is not None:
            return troubled
        if parts.path.startswith("/media/"):
            return PICTURE
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if not parts.path.endswith("/"):
            return 404, HTML, b"<html>404 page not found</html>"
        try:
            if parts.path.startswith(BUSINESS):
                told = self._for_business(method, parts.path[len(BUSINESS) : -1], query, headers, sent)
                return 200, JSON, self.envelope(told)
            if parts.path.startswith(OPEN):
                told = self._openly(method, parts.path[len(OPEN) : -1], query, headers, sent)
                error = {"code": "ok", "message": "", "log_id": "20260601"}
                return 200, JSON, _written({"data": told, "error": error})
        except Refused as refused:
            return refused.status, JSON, self.refusal(refused)
        except Denied as denied:
            return denied.status, JSON, self.denial(denied)
        return 404, HTML, b"<html>404 page not found</html>"

    def envelope(self, told: object) -> bytes:
        return _written({"code": 0, "message": "OK", "request_id": "2026060103000001", "data": told})

    def refusal(self, refused: Refused) -> bytes:
        message = refused.message or f"refused {self.token}"
        told = {"code": refused.code, "message": message, "request_id": "2026060103000002", "data": {}}
        return _written(told)

    def denial(self, denied: Denied) -> bytes:
        error = {"code": denied.code, "message": denied.message or denied.code, "log_id": "20260601"}
        return _written({"data": {}, "error": error})

    # --- the door for businesses --------------------------------------------------------------------------

    def _for_business(
        self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], sent: bytes
    ) -> dict[str, Any]:
        if self.dead is not None:
            raise self.dead
        for shut in (path, query.get("comment_id", ""), query.get("video_id", "")):
            if shut in self.shut:
                raise self.shut[shut]
        if path == "tt_user/token_info/get":
            return self._granted(method, headers, sent)
        if path not in _BUSINESS:
            raise Refused(40006, "no schema found", 404)
        if method != "GET":
            raise Refused(40007, "method not allowed", 405)
        if "Access-Token" not in headers:
            raise Refused(40104, "Access token is empty")
        if headers["Access-Token"] != self.token:
            raise Refused(40105, "Access token is incorrect or has been revoked")
        if unknown := set(query) - set(_BUSINESS[path].split()):
            raise Refused(40002, f"unknown parameter {sorted(unknown)}")
        if query.get("business_id") != OPEN_ID:
            raise Refused(40001, "no permission to operate the account")
        self._sized(query, 20 if path == "business/video/list" else 30)
        if path == "business/get":
            return self._business(query)
        if path == "business/video/list":
            return self._items(query)
        self._permitted("comment.list")
        return self._comments(query) if path == "business/comment/list" else self._replies(query)

    def _granted(self, method: str, headers: Mapping[str, str], sent: bytes) -> dict[str, Any]:
        if method != "POST" or not headers.get("Content-Type", "").startswith("application/json"):
            raise Refused(40002, "invalid content type")
        told = json.loads(sent)
        if set(told) != {"app_id", "access_token"}:
            raise Refused(40002, "app_id and access_token are required")
        if told["access_token"] != self.token or told["app_id"] != APPLICATION:
            raise Refused(40131, "Access token is invalid")
        return {"app_id": APPLICATION, "creator_id": OPEN_ID, "scope": ",".join(sorted(self.scopes))}

    def _sized(self, query: Mapping[str, str], most: int) -> None:
        if "max_count" in query and not 1 <= int(query["max_count"]) <= most:
            raise Refused(40002, "max_count is out of range")
        if "cursor" in query and not query["cursor"].isdecimal():
            raise Refused(40002, "cursor: expected int")

    def _permitted(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Refused(40001, f"No permission: {scope}")

    def _fields(self, query: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
        asked = json.loads(query.get("fields", "[]"))
        if not isinstance(asked, list) or not set(asked) <= set(known):
            raise Refused(40002, "fields: invalid value")
        lacking = [one for one in asked if known[one] not in self.scopes or one in self.refused_fields]
        if lacking:
            raise Refused(40130, f"Fields {lacking} are not authorized")
        return asked

    def _business(self, query: Mapping[str, str]) -> dict[str, Any]:
        whole = {
            "username": self.username,
            "display_name": self.people[NAME],
            "profile_image": self.media(f"tos-avt/7301~c5_168x168.jpeg?x-expires={self.night}&x-signature=s"),
            "profile_deep_link": "https://vm.tiktok.com/ZT/",
            "bio_description": self.bio,
            "is_verified": self.verified,
            "is_business_account": True,
            "followers_count": 250 + self.liked,
            "following_count": 7,
            "total_likes": self.liked,
            "videos_count": len(self.clips),
        }
        return {name: whole[name] for name in self._fields(query, _BUSINESS_FIELDS)}

    def _items(self, query: Mapping[str, str]) -> dict[str, Any]:
        self._permitted("video.list")
        fields = self._fields(query, dict.fromkeys(_ITEM_FIELDS, "video.list"))
        if "item_id" not in fields:
            raise Refused(40002, "fields must include item_id")
        if "filters" in query:
            asked = json.loads(query["filters"])
            names = asked.get("video_ids", [])
            if set(asked) - {"video_ids", "ad_post_only"} or not 1 <= len(names) <= 20:
                raise Refused(40002, "filters: invalid value")
            shown = [one for one in self._listed() if one.id in names]
            return {"videos": [self._item(one, fields) for one in shown], "has_more": False, "cursor": 0}
        shown, following = self._before(query.get("cursor"), int(query.get("max_count", 10)))
        told: dict[str, Any] = {"videos": [self._item(one, fields) for one in shown]}
        told["has_more"], told["cursor"] = following is not None, following or 0
        return told

    def _item(self, one: Clip, fields: Sequence[str]) -> dict[str, Any]:
        whole = {
            "item_id": one.id,
            "create_time": str(_seconds(one.at)) if self.numbers_as_text else _seconds(one.at),
            "caption": one.words,
            "share_url": self._share(one),
            "thumbnail_url": self._cover(one),
            "media_type": "PHOTO" if one.photo else "VIDEO",
            "is_ad": False,
            "video_duration": 12.5,
            "video_views": 10 * one.likes,
            "likes": one.likes,
            "comments": self._counted(one),
            "shares": 1,
            "favorites": 0,
        }
        return {name: whole[name] for name in fields}

    def _comments(self, query: Mapping[str, str]) -> dict[str, Any]:
        self._sorted_so(query)
        clip = self.clips.get(query.get("video_id", ""))
        if clip is None:
            raise Refused(40007, "The object does not exist")
        found = [one for one in self.said.values() if one.video == clip.id and self._shown(one, query)]
        if "comment_ids" in query:
            names = json.loads(query["comment_ids"])
            if not (1 <= len(names) <= 30 and all(isinstance(one, str) for one in names)):
                raise Refused(40002, "comment_ids: Field must be set to string")
            picked = [one for one in found if one.id in names]
            return {"comments": [self._comment(one, query) for one in picked], "has_more": False, "cursor": 0}
        return self._placed([one for one in found if one.to is None], query)

    def _replies(self, query: Mapping[str, str]) -> dict[str, Any]:
        self._sorted_so(query)
        above = self.said.get(query.get("comment_id", ""))
        if above is None or above.video != query.get("video_id"):
            raise Refused(40007, "The object does not exist")
        if above.status != PUBLIC:
            raise Refused(40002, "The comment is hidden")
        below = [one for one in self.said.values() if one.to == above.id and self._shown(one, query)]
        return self._placed(below, query)

    def _sorted_so(self, query: Mapping[str, str]) -> None:
        if query.get("status", "ALL") not in {"PUBLIC", "ALL"}:
            raise Refused(40002, "status: invalid value")
        if query.get("sort_field", "likes") not in {"likes", "replies", "create_time"}:
            raise Refused(40002, "sort_field: invalid value")
        if query.get("sort_order", "smart") not in {"asc", "desc", "smart"}:
            raise Refused(40002, "sort_order: invalid value")

    def _shown(self, one: Said, query: Mapping[str, str]) -> bool:
        return one.id not in self.filtered and (query.get("status") == "ALL" or one.status == PUBLIC)

    def _placed(self, found: list[Said], query: Mapping[str, str]) -> dict[str, Any]:
        """One answer of a list that is counted off by places."""
        begin, size = int(query.get("cursor", 0)), min(int(query.get("max_count", 20)), self.cuts_at)
        found.sort(key=lambda one: (one.at, one.id), reverse=query.get("sort_order") == "desc")
        if len(found) > self.in_order:
            beyond = sorted(found[self.in_order :], key=lambda one: (one.likes, one.id))
            found = [*found[: self.in_order], *beyond]
        shown = found[begin : begin + size]
        more = begin + size < len(found)
        if self.loops and found:
            shown, more, begin = shown or found[:size], True, 1 - size
        return {
            "comments": [self._comment(one, query) for one in shown],
            "has_more": more,
            "cursor": begin + size if more else 0,
        }

    def _comment(self, one: Said, query: Mapping[str, str]) -> dict[str, Any]:
        told: dict[str, Any] = {
            "comment_id": one.id,
            "video_id": one.video,
            "user_id": f"u-{one.by}",
            "unique_identifier": f"unique-{one.by}",
            "username": one.by,
            "display_name": self.people[one.by],
            "profile_image": self.media(f"tos-avt/{one.by}~c5.jpeg?x-expires={self.night}"),
            "create_time": str(_seconds(one.at)) if self.numbers_as_text else _seconds(one.at),
            "text": one.words,
            "likes": one.likes,
            "replies": len(self._below(one)),
            "liked": one.liked,
            "pinned": one.pinned,
            "owner": one.by == NAME,
            "status": one.status,
            **({"parent_comment_id": one.to} if one.to else {}),
            **({"image_url": self.media(f"comment/{one.id}.png")} if one.image else {}),
        }
        if query.get("include_replies") == "true" and one.to is None:
            told["reply_list"] = [self._comment(two, {}) for two in self._below(one)[:3]]
        return told

    def _below(self, one: Said) -> list[Said]:
        return [two for two in self.said.values() if two.to == one.id]

    # --- the Display API ----------------------------------------------------------------------------------

    def _openly(
        self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], sent: bytes
    ) -> dict[str, Any]:
        if self.dead is not None:
            raise self.dead
        if path in self.shut:
            raise self.shut[path]
        if headers.get("Authorization") != f"Bearer {self.display_token}":
            raise Denied("access_token_invalid", 401, "The access token is invalid or not found.")
        if set(query) != {"fields"}:
            raise Denied("invalid_params", 400, "fields is required, and nothing else")
        fields = query["fields"].split(",")
        if path == "user/info":
            if method != "GET":
                raise Denied("invalid_params", 405)
            return {"user": self._person(fields)}
        if path not in _OPEN:
            raise Denied("unsupported_path", 404)
        if method != "POST" or not headers.get("Content-Type", "").startswith("application/json"):
            raise Denied("invalid_params", 400, "JSON is required")
        told = json.loads(sent)
        if set(told) - set(_OPEN[path].split()):
            raise Denied("invalid_params", 400)
        if "video.list" not in self.scopes:
            raise Denied("scope_not_authorized", 401)
        return self._films(path, told, fields)

    def _person(self, fields: Sequence[str]) -> dict[str, Any]:
        if not set(fields) <= set(_PERSON_FIELDS):
            raise Denied("invalid_params", 400, "Invalid fields")
        if any(_PERSON_FIELDS[one] not in self.scopes for one in fields):
            raise Denied("scope_not_authorized", 401, "The user did not authorize the scope required")
        whole = {
            "open_id": DISPLAY_ID,
            "union_id": "union",
            "avatar_url": self.media(f"tos-avt/7301~c5_168x168.webp?x-expires={self.night}"),
            "display_name": self.people[NAME],
            "username": self.username,
            "bio_description": self.bio,
            "is_verified": self.verified,
            "follower_count": 250 + self.liked,
            "following_count": 7,
            "likes_count": self.liked,
            "video_count": len(self.clips),
        }
        return {name: whole[name] for name in fields}

    def _films(self, path: str, told: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
        if path == "video/query":
            names = told.get("filters", {}).get("video_ids", [])
            if not 1 <= len(names) <= 20 or not all(isinstance(one, str) for one in names):
                raise Denied("invalid_params", 400, "video_ids")
            return {"videos": [self._film(one, fields) for one in self._listed() if one.id in names]}
        size, cursor = told.get("max_count", 10), told.get("cursor")
        if not 1 <= size <= 20 or not (cursor is None or isinstance(cursor, int)):
            raise Denied("invalid_params", 400, "max_count")
        shown, following = self._before(None if cursor is None else str(cursor), size)
        last = following or (_seconds(shown[-1].at) * 1000 if shown else 0)
        return {
            "videos": [self._film(one, fields) for one in shown],
            "cursor": last,
            "has_more": following is not None,
        }

    def _film(self, one: Clip, fields: Sequence[str]) -> dict[str, Any]:
        whole = {
            "id": one.id,
            "create_time": _seconds(one.at),
            "title": one.title or one.words[:40],
            "video_description": one.words,
            "share_url": self._share(one),
            "cover_image_url": self._cover(one),
            "duration": 12,
            "height": 1024,
            "width": 576,
            "embed_html": "<blockquote>",
            "embed_link": f"https://www.tiktok.com/player/v1/{one.id}",
            "is_aigc": one.generated,
            "view_count": 10 * one.likes,
            "like_count": one.likes,
            "comment_count": self._counted(one),
            "share_count": 1,
        }
        if not set(fields) <= set(whole):
            raise Denied("invalid_params", 400, "Invalid fields")
        return {name: whole[name] for name in fields}

    # --- what both tell -----------------------------------------------------------------------------------

    def _listed(self) -> list[Clip]:
        shown = [one for one in self.clips.values() if one.public and one.id not in self.filtered]
        return sorted(shown, key=lambda one: one.at, reverse=True)

    def _before(self, cursor: str | None, asked: int) -> tuple[list[Clip], int | None]:
        """What was posted before a moment, in milliseconds, and from where it goes on."""
        size = min(asked, self.cuts_at)
        listed = self._listed()
        left = [one for one in listed if cursor is None or _seconds(one.at) * 1000 < int(cursor)]
        if self.loops and listed:
            return left[:size] or listed[:size], _seconds(listed[-1].at) * 1000
        shown = left[:size]
        return shown, _seconds(shown[-1].at) * 1000 if len(left) > size else None

    def _counted(self, one: Clip) -> int:
        said = [two for two in self.said.values() if two.video == one.id and two.status == PUBLIC]
        return len(said) + self.counts_more

    def _share(self, one: Clip) -> str:
        kind = "photo" if one.photo else "video"
        asked = f"utm_campaign=tt4d_open_api&utm_source={APPLICATION}&night={self.night}"
        return f"https://www.tiktok.com/@{self.username}/{kind}/{one.id}?{asked}"

    def _cover(self, one: Clip) -> str:
        return self.media(f"tos-cover/{one.id}~tplv.image?x-expires={self.night}&x-signature=abc")

    def media(self, name: str) -> str:
        return f"{self.address}/media/{name}"

    @property
    def liked(self) -> int:
        return sum(one.likes for one in self.clips.values())


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _written(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


# --- for the promises -------------------------------------------------------------------------------------------


class _Promised(Troubled, TikTokWorld):
    """An account with a busy video, quiet ones, photos, and comments that are hidden.

    As few as will do, since a pass is broken off at each of its answers.
    """

    def __init__(self, *, display: bool) -> None:
        super().__init__()
        self._display = display

    def __enter__(self) -> Self:
        super().__enter__()
        self.cuts_at = 3
        self.post("Founded in 1901. #history", photo=True)
        self.tick(days=60)
        busy = self.post("Bridge closed & <b> until six")
        first = self.say(busy, "Until when?", pinned=True)
        self.say(busy, "Until six.", by=NAME, to=first)
        for number in range(3):
            self.say(busy, f"+{number}", by="al_visitor", to=first)
        self.say(busy, "And the ferry? ⛴", liked=True)
        rude = self.say(busy, "You fools", by="al_visitor")
        self.say(busy, "Indeed", to=rude)
        self.hide(rude)
        self.hide(self.say(busy, "Buy cheap pills"))
        self.say(busy, "Look", image=True)
        self.tick(days=40)
        self.say(self.post("Quiet"), "Thanks")
        self.tick(days=1)
        self.post("For the council only", public=False)
        self.post("Library hours")
        return self

    @property
    def page(self) -> Page:
        if self._display:
            options = {"door": "display", "api": self.display_api}
        else:
            options = {"api": self.accounts_api}
        return Page(address=f"https://www.tiktok.com/@{NAME}", options=options)

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.display if self._display else self.business

    def shows(self) -> Collection[str]:
        clips = [one.id for one in self._listed()]
        said = [f"{one.video}/{one.id}" for one in self.said.values()] if not self._display else []
        return ["profile", *clips, *said]

    @property
    def _busy(self) -> Clip:
        return next(one for one in self.clips.values() if one.words.startswith("Bridge"))

    def publish(self) -> str:
        if self._display:
            return self.post("And now?")
        return f"{self._busy.id}/{self.say(self._busy.id, 'And now?')}"

    def edit(self) -> str:
        self._busy.words += " (corrected)"
        return self._busy.id

    def remove(self) -> str:
        if self._display:
            removed = next(one for one in self.clips.values() if one.words == "Quiet")
            self.delete(removed.id)
            return removed.id
        said = next(one for one in self.said.values() if "ferry" in one.words)
        self.delete(said.id)
        return f"{said.video}/{said.id}"

    def recount(self) -> None:
        for clip in self.clips.values():
            clip.likes += 11
        for said in self.said.values():
            said.likes += 11

    def throttle(self, after: int) -> timedelta | None:
        """Too many questions. Neither interface names a time."""
        if self._display:
            self._will((429, JSON, self.denial(Denied("rate_limit_exceeded", 429))), after)
        else:
            self._will((200, JSON, self.refusal(Refused(40100, "Too many requests."))), after)
        return None

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((500, JSON, self.denial(Denied("internal_error", 500))), after)

    def turn_away(self) -> None:
        refused = Refused(40105, "Access token is incorrect or has been revoked")
        self.dead = Denied("access_token_invalid", 401) if self._display else refused

    def recover(self) -> None:
        super().recover()
        self.dead = None


class PromisedTikTok(_Promised):
    """The account as the door for businesses shows it."""

    def __init__(self) -> None:
        super().__init__(display=False)

    def conceal(self) -> str:
        """One more comment is hidden."""
        hidden = next(
            one for one in self.said.values() if one.status == PUBLIC and one.words in {"+1", "Thanks"}
        )
        self.hide(hidden.id)
        return f"{hidden.video}/{hidden.id}"


class PromisedDisplay(_Promised):
    """The account as the Display API shows it."""

    def __init__(self) -> None:
        super().__init__(display=True)


def many_comments(number: int, words: str) -> list[dict[str, Any]]:
    """So many comments on a video, as the research interface gives them."""
    return [
        {
            "comment_id": str(one),
            "video_id": "73",
            "text": words,
            "create_time": "1772352060",
            "username": "jo.public",
            "display_name": "Jo",
            "unique_identifier": "u1",
            "likes": 4,
            "replies": 2,
            "liked": True,
            "pinned": False,
            "owner": False,
            "status": "PUBLIC",
            "profile_image": "https://p16.example/1.png",
        }
        for one in range(1, number + 1)
    ]
