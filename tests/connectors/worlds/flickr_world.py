"""A small Flickr on loopback: one agency's photostream, albums, a group with its pool, and the REST interface before them.

Shapes, codes and paging follow Flickr's published reference. It is as strict as
that: a parameter that a method does not have is refused, a signature is
calculated anew and compared, a nonce serves once. Lists are counted off by
places; who asks beyond the last answer is given the last one once more. What
it adds is trouble at will.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, quote, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.platform_world import PICTURE, Answer, ReadWorld, Troubled

OURS, GROUP = "10000001@N00", "20000002@N01"
ALIAS, GROUP_ALIAS = "testtownpolice", "testtownwatch"
VISITOR, OTHER = "30000003@N02", "40000004@N03"
PEOPLE = {OURS: "Test Town Police", VISITOR: "jo.public", OTHER: "al"}
JSON = {"Content-Type": "application/json; charset=utf-8"}
TEXT = {"Content-Type": "text/plain;charset=UTF-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/signin"><input type="password" name="password"></form></html>'

_LIST = "extras per_page page"
_METHODS = {
    "flickr.test.login": "",
    "flickr.urls.lookupUser": "url",
    "flickr.urls.lookupGroup": "url",
    "flickr.people.getInfo": "user_id",
    "flickr.groups.getInfo": "group_id",
    "flickr.people.getPublicPhotos": f"user_id safe_search {_LIST}",
    "flickr.people.getPhotos": f"user_id safe_search min_upload_date max_upload_date privacy_filter {_LIST}",
    "flickr.groups.pools.getPhotos": f"group_id tags user_id {_LIST}",
    "flickr.photos.recentlyUpdated": f"min_date {_LIST}",
    "flickr.photos.getInfo": "photo_id secret",
    "flickr.photos.getSizes": "photo_id",
    "flickr.photos.getPerms": "photo_id",
    "flickr.photos.getAllContexts": "photo_id",
    "flickr.photos.comments.getList": "photo_id min_comment_date max_comment_date",
    "flickr.photosets.getList": "user_id page per_page primary_photo_extras",
    "flickr.photosets.getInfo": "photoset_id user_id",
    "flickr.photosets.comments.getList": "photoset_id",
}
_SIGNED_ONLY = {"flickr.test.login", "flickr.photos.recentlyUpdated", "flickr.photos.getPerms"}
_SPOKEN = re.compile(r'(\w+)="([^"]*)"')


class Refused(Exception):
    """A refusal of a method, with status 200."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code, self.message = code, message


class NotSigned(Exception):
    """A refusal of OAuth."""


@dataclass
class Photo:
    """A photo or a video. `touched` moves with every edit and every comment."""

    id: str
    title: str
    description: str
    at: datetime
    touched: datetime
    owner: str = OURS
    public: int = 1
    friend: int = 0
    family: int = 0
    media: str = "photo"
    original: bool = True
    secret: str = "a1b2c3d4e5"
    views: int = 5
    tags: str = "bridge notice"
    pool: bool = False


@dataclass
class Album:
    """An album."""

    id: str
    title: str
    description: str
    at: datetime
    views: int = 2


@dataclass
class Said:
    """A comment below a photo, or below an album ("album/…")."""

    id: str
    root: str
    words: str
    at: datetime
    by: str
    more: dict[str, Any] = field(default_factory=dict)


class FlickrWorld(ReadWorld):
    """One agency's page. Use it as a context: its server ends with it."""

    api_key, secret = "0123456789abcdef0123456789abcdef", "fedcba9876543210"
    token, token_secret = "72157720901211946-463449c73d8a9f2d", "0f1e2d3c4b5a6978"
    with_key: ClassVar[Mapping[str, str]] = {"api_key": api_key}
    signed_in: ClassVar[Mapping[str, str]] = {
        "consumer_key": api_key,
        "consumer_secret": secret,
        "token": token,
        "token_secret": token_secret,
    }

    step = timedelta(minutes=90)

    def __init__(self) -> None:
        super().__init__()
        self.photos: dict[str, Photo] = {}
        self.albums: dict[str, Album] = {}
        self.said: dict[str, Said] = {}
        self.introduction = "The department's <b>own</b> photostream."
        self.icon = "0"
        self.deleted = False
        self.token_of = OURS
        """Whose permission it is."""
        self.dead: tuple[int, str] | None = None
        """What every signed question is refused with (`oauth_problem`), or every other one (a code)."""
        self.shut: dict[str, Refused] = {}
        """Methods and ids that answer with a refusal."""
        self.cuts_at = 500
        """So many items of a list are shown at once, whatever is asked for."""
        self.counts_comments = True
        self.asked: list[dict[str, str]] = []
        self.targets: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self._nonces: set[str] = set()
        self._number = 0

    # --- what happens on the page -------------------------------------------------------------------------

    def post(self, title: str, description: str = "", **more: Any) -> str:
        """Somebody posts a photo; its id."""
        self._number += 1
        name = f"5300000{self._number:04}"
        at = self.tick()
        self.photos[name] = Photo(name, title, description, at, at, **more)
        return name

    def make_album(self, title: str, description: str = "") -> str:
        """The agency makes an album; its native id."""
        self._number += 1
        name = f"7215770{self._number:04}"
        self.albums[name] = Album(name, title, description, self.tick())
        return f"album/{name}"

    def say(self, root: str, words: str, *, by: str = VISITOR, **more: Any) -> str:
        """Somebody comments; the native id."""
        self._number += 1
        name = f"10000001-{root.removeprefix('album/')}-7215{self._number:04}"
        self.said[name] = Said(name, root, words, self.tick(), by, more)
        self._touch(root)
        return f"{root}/{name}"

    def amend(self, native_id: str, words: str) -> None:
        """Somebody edits a comment."""
        one = self.said[native_id.rpartition("/")[2]]
        one.words = words
        self.tick()
        self._touch(one.root)

    def edit_photo(self, name: str, **changes: Any) -> None:
        """The owner edits a photo, or changes who may see it."""
        for what, value in changes.items():
            assert hasattr(self.photos[name], what)
            setattr(self.photos[name], what, value)
        self.tick()
        self._touch(name)

    def delete(self, native_id: str) -> None:
        """A photo, an album or a comment is removed, with what stands under it."""
        root, _, name = native_id.rpartition("/")
        if native_id in self.photos:
            del self.photos[native_id]
        elif root == "album":
            del self.albums[name]
        else:
            del self.said[name]
            return
        self.said = {one.id: one for one in self.said.values() if one.root != native_id}

    def _touch(self, root: str) -> None:
        if root in self.photos:
            self.photos[root].touched = self._now

    # --- the server ---------------------------------------------------------------------------------------

    @property
    def api(self) -> str:
        """Where the interface is asked for."""
        return f"{self.address}/services/rest/"

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        method = query.get("method", "")
        self.asked.append(query)
        self.targets.append(target)
        self.headers.append(headers)
        if (troubled := self.disturbed(method)) is not None:
            return troubled
        if parts.path.startswith("/media/"):
            return PICTURE
        try:
            viewer = self._viewer(target, query, headers)
            return 200, JSON, written({**self._reply(method, query, viewer), "stat": "ok"})
        except NotSigned as refused:
            return 401, TEXT, str(refused).encode()
        except Refused as refused:
            return 200, JSON, failing(refused.code, refused.message)

    def _viewer(self, target: str, query: dict[str, str], headers: Mapping[str, str]) -> str:
        """Who asks; nobody in particular comes with a key alone."""
        signed = headers.get("Authorization", "")
        if not signed:
            if self.dead is not None:
                raise Refused(self.dead[0], self.dead[1])
            if query.get("api_key") != self.api_key:
                raise Refused(100, "Invalid API Key (Key has invalid format)")
            return ""
        spoken = {name: unquoted(value) for name, value in _SPOKEN.findall(signed)}
        if "api_key" in query:
            raise NotSigned("oauth_problem=parameter_rejected")
        if self.dead is not None:
            raise NotSigned(f"oauth_problem={self.dead[1]}")
        if spoken.get("oauth_consumer_key") != self.api_key:
            raise NotSigned("oauth_problem=consumer_key_unknown")
        if spoken.get("oauth_token") != self.token:
            raise NotSigned("oauth_problem=token_rejected")
        if spoken["oauth_nonce"] in self._nonces:
            raise NotSigned("oauth_problem=nonce_used")
        self._nonces.add(spoken["oauth_nonce"])
        given = spoken.pop("oauth_signature")
        pairs = [*parse_qsl(urlsplit(target).query, keep_blank_values=True), *spoken.items()]
        normal = "&".join(f"{name}={value}" for name, value in sorted((_e(a), _e(b)) for a, b in pairs))
        signed_text = "&".join(("GET", _e(self.api), _e(normal)))
        key = f"{self.secret}&{self.token_secret}".encode()
        right = base64.b64encode(hmac.new(key, signed_text.encode(), hashlib.sha1).digest()).decode()
        if given != right:
            raise NotSigned(f"oauth_problem=signature_invalid&debug_sbs={signed_text}")
        return self.token_of

    def _reply(self, method: str, query: dict[str, str], viewer: str) -> dict[str, Any]:
        if method not in _METHODS:
            raise Refused(112, f'Method "{method}" not found')
        known = {"method", "format", "nojsoncallback", "api_key", *_METHODS[method].split()}
        if unknown := set(query) - known:
            raise Refused(116, f"Unknown {sorted(unknown)}")
        if (query.get("format"), query.get("nojsoncallback")) != ("json", "1"):
            raise Refused(111, "Format not found")
        if method in _SIGNED_ONLY and not viewer:
            raise Refused(99, "Insufficient permissions. Method requires read privileges; none granted.")
        for shut in (method, query.get("photo_id", ""), query.get("photoset_id", "")):
            if shut in self.shut:
                raise self.shut[shut]
        match method.removeprefix("flickr."):
            case "test.login":
                return {"user": {"id": viewer, "username": _c(PEOPLE.get(viewer, "x")), "path_alias": None}}
            case "urls.lookupUser":
                return self._looked_up(query["url"], "photos", ALIAS, OURS, "user")
            case "urls.lookupGroup":
                return self._looked_up(query["url"], "groups", GROUP_ALIAS, GROUP, "group")
            case "people.getInfo":
                return self._person(query["user_id"])
            case "groups.getInfo":
                return self._group(query["group_id"])
            case "people.getPublicPhotos":
                return self._stream(query, "")
            case "people.getPhotos":
                return self._stream(query, viewer)
            case "groups.pools.getPhotos":
                if query["group_id"] != GROUP:
                    raise Refused(1, "Group not found")
                pool = [one for one in self.photos.values() if one.pool and self._shows(one, viewer)]
                return self._rows(pool, query)
            case "photos.recentlyUpdated":
                since = datetime.fromtimestamp(int(query["min_date"]), UTC)
                mine = [one for one in self.photos.values() if one.owner == viewer and one.touched >= since]
                mine.sort(key=lambda one: (one.touched, one.id), reverse=True)
                return self._rows(mine, query, ordered=True)
            case "photosets.getList":
                return self._albums(query)
            case "photosets.getInfo":
                return {"photoset": self._album(self._set(query))}
            case "photosets.comments.getList":
                found = self._set(query)
                told = self._below(f"album/{found.id}")
                return {"comments": {"photoset_id": found.id, **told}}
            case _:
                return self._of_one(method, query, viewer)

    def _of_one(self, method: str, query: dict[str, str], viewer: str) -> dict[str, Any]:
        one = self.photos.get(query["photo_id"])
        if one is None or not self._shows(one, viewer):
            raise Refused(1, f'Photo "{query["photo_id"]}" not found (invalid ID)')
        match method.removeprefix("flickr.photos."):
            case "getInfo":
                return {"photo": self._info(one)}
            case "getSizes":
                sizes = {
                    "canblog": 0,
                    "canprint": 0,
                    "candownload": int(one.original),
                    "size": self._sizes(one),
                }
                return {"sizes": sizes}
            case "getPerms":
                perms = {"ispublic": one.public, "isfriend": one.friend, "isfamily": one.family}
                return {"perms": {"id": one.id, **perms, "permcomment": 3, "permaddmeta": 2}}
            case "getAllContexts":
                return {"pool": [{"id": GROUP, "title": "Test Town Watch"}]} if one.pool else {}
            case _:
                return {"comments": {"photo_id": one.id, **self._below(one.id)}}

    def _shows(self, one: Photo, viewer: str) -> bool:
        return bool(one.public) or viewer == one.owner

    def _looked_up(self, url: str, where: str, alias: str, name: str, what: str) -> dict[str, Any]:
        steps = [step for step in urlsplit(url).path.split("/") if step]
        if steps[:2] not in ([where, alias], [where, name]):
            raise Refused(1, f"{what.title()} not found")
        return {what: {"id": name, f"{what}name": _c("Test Town")}}

    # --- who it is ----------------------------------------------------------------------------------------

    def _person(self, name: str) -> dict[str, Any]:
        if name != OURS:
            raise Refused(1, "User not found")
        if self.deleted:
            raise Refused(5, "User deleted")
        public = [one for one in self.photos.values() if one.public and one.owner == OURS]
        return {
            "person": {
                "id": OURS,
                "nsid": OURS,
                "ispro": 0,
                "is_deleted": 0,
                "iconserver": self.icon,
                "iconfarm": 66,
                "path_alias": ALIAS,
                "username": _c(PEOPLE[OURS]),
                "realname": _c("Police Department of Test Town"),
                "location": _c("Test Town"),
                "description": _c(self.introduction),
                "photosurl": _c(f"https://www.flickr.com/photos/{ALIAS}/"),
                "photos": {"firstdatetaken": _c("2020-01-01 00:00:00"), "count": _c(len(public))},
            }
        }

    def _group(self, name: str) -> dict[str, Any]:
        if name != GROUP:
            raise Refused(1, "Group not found")
        return {
            "group": {
                "id": GROUP,
                "nsid": GROUP,
                "path_alias": GROUP_ALIAS,
                "iconserver": self.icon,
                "iconfarm": 1,
                "name": _c("Test Town Watch"),
                "description": _c(self.introduction),
                "rules": _c("Photos of the town alone."),
                "members": _c("12"),
                "pool_count": _c(str(len(self.photos))),
                "topic_count": _c("0"),
                "privacy": _c("3"),
            }
        }

    # --- photos -------------------------------------------------------------------------------------------

    def _stream(self, query: dict[str, str], viewer: str) -> dict[str, Any]:
        if query["user_id"] != OURS:
            raise Refused(1, "User not found")
        return self._rows(
            [one for one in self.photos.values() if one.owner == OURS and self._shows(one, viewer)], query
        )

    def _rows(self, found: list[Photo], query: dict[str, str], *, ordered: bool = False) -> dict[str, Any]:
        if not ordered:
            found = sorted(found, key=lambda one: (one.at, one.id), reverse=True)
        told, head = self._window(found, query)
        extras = set(query.get("extras", "").split(","))
        return {"photos": {**head, "photo": [self._row(one, extras) for one in told]}}

    def _window(self, found: Sequence[Any], query: dict[str, str]) -> tuple[Sequence[Any], dict[str, Any]]:
        """One answer of a list; beyond the last one, the last one."""
        asked, size = int(query.get("page", "1")), int(query.get("per_page", "100"))
        if not 1 <= size <= 500:
            raise Refused(116, "per_page")
        size = min(size, self.cuts_at)
        pages = -(-len(found) // size)
        page = max(1, min(asked, pages))
        if self.loops:
            page, pages = asked, asked + 1
            return found[:size], {"page": page, "pages": pages, "perpage": size, "total": len(found) + 500}
        shown = found[(page - 1) * size : page * size]
        return shown, {"page": page, "pages": pages, "perpage": size, "total": str(len(found))}

    def _row(self, one: Photo, extras: Collection[str]) -> dict[str, Any]:
        offered: dict[str, dict[str, Any]] = {
            "description": {"description": _c(one.description)},
            "license": {"license": "4"},
            "date_upload": {"dateupload": _epoch(one.at)},
            "last_update": {"lastupdate": _epoch(one.touched)},
            "date_taken": {
                "datetaken": "2026-01-02 03:04:05",
                "datetakengranularity": 0,
                "datetakenunknown": "0",
            },
            "owner_name": {"ownername": PEOPLE[one.owner]},
            "path_alias": {"pathalias": ALIAS if one.owner == OURS else None},
            "tags": {"tags": one.tags},
            "machine_tags": {"machine_tags": ""},
            "views": {"views": str(one.views)},
            "media": {"media": one.media, "media_status": "ready"},
            "safety_level": {"safety_level": "0"},
            "geo": {"latitude": 0, "longitude": 0, "accuracy": 0, "context": 0},
            "url_sq": {"url_sq": self._media(one, "s.jpg")},
            "url_l": {"url_l": self._media(one, "b.jpg"), "height_l": 768, "width_l": 1024},
            **({"url_o": {"url_o": self._media(one, "o.jpg")}} if one.original else {}),
        }
        if self.counts_comments:
            offered["count_comments"] = {"count_comments": str(len(self._said(one.id)))}
            offered["count_faves"] = {"count_faves": str(one.views)}
        told: dict[str, Any] = {
            "id": one.id,
            "owner": one.owner,
            "secret": one.secret,
            "server": "65535",
            "farm": 66,
            "title": one.title,
            "ispublic": one.public,
            "isfriend": one.friend,
            "isfamily": one.family,
        }
        for name, more in offered.items():
            if name in extras:
                told |= more
        return told

    def _info(self, one: Photo) -> dict[str, Any]:
        return {
            "id": one.id,
            "secret": one.secret,
            "server": "65535",
            "farm": 66,
            "dateuploaded": _epoch(one.at),
            **({"originalsecret": "f0e1d2c3b4", "originalformat": "png"} if one.original else {}),
            "isfavorite": 0,
            "license": "4",
            "safety_level": "0",
            "views": str(one.views),
            "media": one.media,
            "owner": {
                "nsid": one.owner,
                "username": PEOPLE[one.owner],
                "realname": "",
                "path_alias": ALIAS if one.owner == OURS else None,
            },
            "title": _c(one.title),
            "description": _c(one.description),
            "visibility": {"ispublic": one.public, "isfriend": one.friend, "isfamily": one.family},
            "dates": {
                "posted": _epoch(one.at),
                "taken": "2026-01-02 03:04:05",
                "takengranularity": 0,
                "takenunknown": "0",
                "lastupdate": _epoch(one.touched),
            },
            "comments": _c(len(self._said(one.id))),
            "notes": {"note": []},
            "tags": {
                "tag": [
                    {"id": f"1-{tag}", "raw": tag.title(), "_content": tag, "machine_tag": 0}
                    for tag in one.tags.split()
                ]
            },
        }

    def _sizes(self, one: Photo) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [
            {
                "label": "Square",
                "width": 75,
                "height": 75,
                "source": self._media(one, "s.jpg"),
                "media": "photo",
            },
            {
                "label": "Large",
                "width": "1024",
                "height": "768",
                "source": self._media(one, "b.jpg"),
                "media": "photo",
            },
        ]
        if one.original:
            found.append({"label": "Original", "source": self._media(one, "o.jpg"), "media": "photo"})
        if one.media == "video":
            for label, height in (("Video Player", None), ("360p", "360"), ("700", "394")):
                source = self._media(one, f"{height or 'player'}.mp4")
                found.append({"label": label, "height": height, "source": source, "media": "video"})
            if one.original:
                source = self._media(one, "orig.mp4")
                found.append({"label": "Video Original", "height": 300, "source": source, "media": "video"})
        return found

    def _media(self, one: Photo, end: str) -> str:
        return f"{self.address}/media/{one.id}_{one.secret}_{end}?night={self.night}"

    # --- albums and comments ------------------------------------------------------------------------------

    def _albums(self, query: dict[str, str]) -> dict[str, Any]:
        if query["user_id"] != OURS:
            raise Refused(1, "User not found")
        told, head = self._window(list(reversed(self.albums.values())), query)
        return {"photosets": {"cancreate": 1, **head, "photoset": [self._album(one) for one in told]}}

    def _set(self, query: dict[str, str]) -> Album:
        found = self.albums.get(query["photoset_id"])
        if found is None:
            raise Refused(1, "Photoset not found")
        return found

    def _album(self, one: Album) -> dict[str, Any]:
        return {
            "id": one.id,
            "owner": OURS,
            "username": PEOPLE[OURS],
            "primary": "0",
            "count_views": str(one.views),
            "count_comments": str(len(self._said(f"album/{one.id}"))),
            "count_photos": 0,
            "count_videos": 0,
            "title": _c(one.title),
            "description": _c(one.description),
            "date_create": _epoch(one.at),
            "date_update": _epoch(one.at),
        }

    def _said(self, root: str) -> list[Said]:
        return [one for one in self.said.values() if one.root == root]

    def _below(self, root: str) -> dict[str, Any]:
        told = [
            {
                "id": one.id,
                "author": one.by,
                "author_is_deleted": 0,
                "authorname": PEOPLE[one.by],
                "realname": "",
                "path_alias": ALIAS if one.by == OURS else None,
                "iconserver": "0",
                "iconfarm": 0,
                "datecreate": _epoch(one.at),
                "permalink": f"https://www.flickr.com/photos/{ALIAS}/{root}/#comment{one.id}",
                "_content": one.words,
                **one.more,
            }
            for one in self._said(root)
        ]
        return {"comment": told} if told else {}


def written(told: object) -> bytes:
    """As Flickr writes JSON: in ASCII, without spaces, every slash escaped."""
    return json.dumps(told, separators=(",", ":")).replace("/", "\\/").encode()


def failing(code: int, message: str = "") -> bytes:
    """A refusal, which comes with status 200."""
    return written({"stat": "fail", "code": code, "message": message})


def unquoted(text: str) -> str:
    return dict(parse_qsl(f"a={text.replace('+', '%2B')}", keep_blank_values=True))["a"]


def _e(text: str) -> str:
    return quote(text, safe="~")


def _c(told: object) -> dict[str, object]:
    return {"_content": told}


def _epoch(at: datetime) -> str:
    return str(int(at.timestamp()))


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedFlickr(Troubled, FlickrWorld):
    """A photostream with a busy photo, quiet ones, a video, private ones and albums; or a group's pool.

    As few as will do, since a pass is broken off at each of its answers.
    """

    def __init__(self, *, owner: bool = False, group: bool = False) -> None:
        super().__init__()
        self.owner, self.group = owner, group

    def __enter__(self) -> Self:
        super().__enter__()
        self.cuts_at = 3
        busy = self.post("Bridge closed & <b>", "Until <i>further</i> notice.\nBy order.", pool=True)
        self.say(busy, "Until when?")
        self.say(busy, "Until six.", by=OURS)
        self.say(busy, "And the ferry? \u26f4\nSee [https://www.flickr.com/photos/x]", by=OTHER)
        self.tick(days=10)
        self.post("Quiet", pool=True, original=False)
        self.tick(days=40)
        film = self.post("Parade", media="video", pool=True, owner=VISITOR if self.group else OURS)
        self.say(film, "Where is this?", by=OTHER)
        draft = self.post("Draft of a notice", public=0, family=1)
        self.say(draft, "Not yet, please", by=OURS)
        if not self.group:
            best = self.make_album("The year in photos", "All of <b>it</b>")
            self.say(best, "Well done", by=OTHER)
            self.make_album("Empty")
        self.tick(days=1)
        self.say(self.post("Library hours", pool=True), "When?", by=OTHER)
        return self

    @property
    def page(self) -> Page:
        # The owner's page is named by its number, the others by their names, which have to be looked up.
        where = f"groups/{GROUP_ALIAS}" if self.group else f"photos/{OURS if self.owner else ALIAS}"
        return Page(address=f"https://www.flickr.com/{where}/", options={"api": self.api})

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.signed_in if self.owner else self.with_key

    def shows(self) -> Collection[str]:
        shown = {one.id for one in self.photos.values() if one.public or self.owner}
        shown = {name for name in shown if not self.group or self.photos[name].pool}
        shown |= {f"album/{name}" for name in self.albums}
        said = [f"{one.root}/{one.id}" for one in self.said.values() if one.root in shown]
        return [GROUP if self.group else OURS, *shown, *said]

    def publish(self) -> str:
        return self.say(next(iter(self.photos)), "And now?")

    def edit(self) -> str:
        edited = next(one for one in self.said.values() if one.by == OURS)
        self.amend(f"{edited.root}/{edited.id}", f"{edited.words} (corrected)")
        return f"{edited.root}/{edited.id}"

    def remove(self) -> str:
        removed = next(one for one in self.said.values() if "ferry" in one.words)
        self.delete(f"{removed.root}/{removed.id}")
        return f"{removed.root}/{removed.id}"

    def conceal(self) -> str:
        """One more photo is made private."""
        name = next(one.id for one in self.photos.values() if one.public and one.title == "Library hours")
        self.edit_photo(name, public=0)
        return name

    def recount(self) -> None:
        for one in self.photos.values():
            one.views += 11

    def throttle(self, after: int) -> timedelta | None:
        """Too many questions. Flickr names no time."""
        self._will((429, TEXT, b"Too Many Requests"), after)
        return None

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((500, TEXT, b""), after)

    def turn_away(self) -> None:
        self.dead = (98, "token_rejected") if self.owner else (100, "Invalid API Key (Key has expired)")

    def recover(self) -> None:
        super().recover()
        self.dead = None


def many_comments(number: int, words: str) -> list[dict[str, Any]]:
    """So many comments on a photo, as its interface gives them, markup and all."""
    return [
        {
            "id": f"1-2-{one}",
            "author": VISITOR,
            "authorname": "jo",
            "datecreate": "1700000000",
            "_content": f'Why &amp; <a href="https://www.flickr.com/x">how</a>? {words}',
        }
        for one in range(number)
    ]
