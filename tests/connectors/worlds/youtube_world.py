"""A small YouTube on loopback: one channel, its videos, who comments on them, and the Data API before it.

Shapes, reasons of refusals, paging and costs follow Google's published
reference. It is as strict as that: a parameter that a method does not have, two
filters at once, or a size with an id is refused, and whatever is asked costs
units of a day's quota. Uploads are paged by places, comments by where the last
one stood. What it adds is trouble at will.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.platform_world import PICTURE, Answer, ReadWorld, Troubled

OURS = "UCtesttownpolice00000001"
UPLOADS = "UUtesttownpolice00000001"
HANDLE = "@testtownpolice"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = (
    b'<!DOCTYPE html><html><form action="/signin/v2"><input type="password" name="Passwd"></form></html>'
)
PUBLISHED, HELD, SPAM, REJECTED = "published", "heldForReview", "likelySpam", "rejected"

_PARTS = {
    "channels": "id snippet contentDetails statistics status brandingSettings localizations topicDetails",
    "playlistItems": "id snippet contentDetails status",
    "videos": "id snippet contentDetails statistics status liveStreamingDetails localizations player topicDetails fileDetails",
    "commentThreads": "id snippet replies",
    "comments": "id snippet",
    "captions": "id snippet",
}
_FILTERS = {
    "channels": "id forHandle forUsername mine",
    "playlistItems": "playlistId id",
    "videos": "id chart myRating",
    "commentThreads": "id videoId allThreadsRelatedToChannelId",
    "comments": "id parentId",
    "captions": "videoId",
}
_MORE = {
    "channels": "maxResults pageToken hl",
    "playlistItems": "fields maxResults pageToken videoId",
    "videos": "maxResults pageToken hl",
    "commentThreads": "maxResults pageToken moderationStatus order searchTerms textFormat",
    "comments": "maxResults pageToken textFormat",
    "captions": "id",
}
_MOST = {"channels": 50, "playlistItems": 50, "videos": 50, "commentThreads": 100, "comments": 100}
_NOT_WITH_AN_ID = ("maxResults", "pageToken", "order", "moderationStatus", "searchTerms")
_COSTS = {"captions": 50, "download": 200}


class Refused(Exception):
    """One of YouTube's refusals; `detail` is the reason that newer answers give besides."""

    def __init__(self, status: int, reason: str, message: str = "", detail: str = "") -> None:
        super().__init__(reason)
        self.status, self.reason, self.message, self.detail = status, reason, message, detail


@dataclass
class Film:
    """A video. `listed` is when it came into the list of uploads."""

    id: str
    title: str
    description: str
    at: datetime
    privacy: str = "public"
    comments: bool = True
    likes: int = 3
    language: str | None = "en"
    tags: list[str] = field(default_factory=list)
    captions: list[Track] = field(default_factory=list)
    upload: str = "processed"
    translations: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Track:
    """A track of captions."""

    id: str
    words: str
    updated: str = "2026-03-01T09:00:00.000Z"
    kind: str = "standard"
    language: str = "en"


@dataclass
class Said:
    """A comment; `film` is empty where it stands on the channel itself."""

    id: str
    film: str
    words: str
    at: datetime
    by: str
    thread: str | None = None
    status: str = PUBLISHED
    updated: datetime | None = None
    likes: int = 0


class YouTubeWorld(ReadWorld):
    """One channel. Use it as a context: its server ends with it."""

    api_key, token = "AIzaSyTheAgencysOwnKey0123456789abcdefg", "ya29.the+channels=own/permission|1"
    with_key: ClassVar[Mapping[str, str]] = {"api_key": api_key}
    signed_in: ClassVar[Mapping[str, str]] = {
        "access_token": token,
        "refresh_token": "1//the-refresh-token-of-the-channel",
        "client_id": "740000000000-agency.apps.googleusercontent.com",
        "client_secret": "GOCSPX-secret-of-the-agency",
    }

    def __init__(self) -> None:
        super().__init__()
        self.films: dict[str, Film] = {}
        self.said: dict[str, Said] = {}
        self.people = {
            OURS: HANDLE,
            "UCvisitor000000000000001": "@jo.public",
            "UCvisitor000000000000002": "@al",
        }
        self.title, self.description = "Test Town Police", "The department's own channel."
        self.branding: dict[str, Any] = {"keywords": "police town", "country": "US", "moderateComments": True}
        self.token_of: str | None = OURS
        """Whose channel the permission is; None: an account without one."""
        self.scopes = True
        """Whether the permission is wide enough for comments."""
        self.dead: Refused | None = None
        """What every question is refused with."""
        self.shut: dict[str, Refused] = {}
        """Methods, lists of held comments and ids that answer with a refusal."""
        self.quota = 10_000
        self.spent = 0
        self.cuts_at = 100
        """So many items of a list are shown at once, whatever is asked for."""
        self.shows_in_full = 5
        self.leaves_out_missing = True
        """Whether comments that are not found are left out; else the whole question is answered 404."""
        self.tells_files = True
        """Whether the channel itself is told which files were uploaded."""
        self.forgets_tokens = ""
        self.counts_more = 0
        self.hides_from_the_channel: set[str] = set()
        """Threads that the list over the whole channel leaves out."""
        self.tells_moderation = True
        self.uploads_listed = True
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self._number = 0

    # --- what happens on the channel ----------------------------------------------------------------------

    def upload(self, title: str, description: str = "", **more: Any) -> str:
        """The agency publishes a video; its id."""
        self._number += 1
        name = f"vid-{self._number:04}_xy"
        self.films[name] = Film(name, title, description, self.tick(), **more)
        return name

    def say(
        self, film: str, words: str, *, by: str = "@jo.public", to: str | None = None, **more: Any
    ) -> str:
        """Somebody comments on a video (or, without one, on the channel), or answers a comment; its id."""
        self._number += 1
        name = f"Ugx{self._number:04}-comment_4AaABAg"
        if to is not None:
            name = f"{to}.9reply{self._number:04}"
        who = next(one for one, handle in self.people.items() if handle == by)
        self.said[name] = Said(name, film, words, self.tick(), who, to, **more)
        return name

    def amend(self, name: str, words: str) -> None:
        one = self.said[name]
        one.words, one.updated = words, self.tick()

    def hold(self, name: str, status: str = HELD) -> None:
        """A comment is held back, approved or rejected."""
        self.said[name].status = status

    def delete(self, name: str) -> None:
        """A video or a comment is removed, with what stands under it."""
        if self.films.pop(name, None) is not None:
            self.said = {one.id: one for one in self.said.values() if one.film != name}
            return
        self.said = {one.id: one for one in self.said.values() if name not in {one.id, one.thread}}

    # --- the server ---------------------------------------------------------------------------------------

    @property
    def api(self) -> str:
        """Where the interface is asked for."""
        return f"{self.address}/youtube/v3"

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(target)
        self.asked.append(target)
        self.headers.append(headers)
        if (troubled := self.disturbed(parts.path)) is not None:
            return troubled
        if parts.path.startswith("/media/"):
            return PICTURE
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            return self._reply(parts.path.removeprefix("/youtube/v3/"), query, headers)
        except Refused as refused:
            return refused.status, JSON, self.error(refused)

    def error(self, refused: Refused) -> bytes:
        told: dict[str, Any] = {
            "code": refused.status,
            "message": refused.message or refused.reason,
            "errors": [
                {"message": refused.message or refused.reason, "domain": "youtube", "reason": refused.reason}
            ],
        }
        if refused.detail:
            told["status"] = "PERMISSION_DENIED" if refused.status == 403 else "INVALID_ARGUMENT"
            info = "type.googleapis.com/google.rpc.ErrorInfo"
            told["details"] = [{"@type": info, "reason": refused.detail, "domain": "googleapis.com"}]
        return _written({"error": told})

    def _reply(self, method: str, query: dict[str, str], headers: Mapping[str, str]) -> Answer:
        name = "download" if method.startswith("captions/") else method
        self.spent += _COSTS.get(name, 1)
        owner = self._viewer(headers)
        if self.spent > self.quota:
            says = (
                'The request cannot be completed because you have exceeded your <a href="/quota">quota</a>.'
            )
            raise Refused(403, "quotaExceeded", says)
        for shut in (
            name,
            query.get("moderationStatus", ""),
            query.get("videoId", ""),
            query.get("parentId", ""),
        ):
            if shut in self.shut:
                raise self.shut[shut]
        if name == "download":
            return self._download(method.removeprefix("captions/"), query, owner=owner)
        _strictly(method, query)
        token = query.get("pageToken", "")
        if token and self.forgets_tokens:
            raise Refused(400, self.forgets_tokens)
        match method:
            case "channels":
                told = self._channels(query, owner=owner)
            case "playlistItems":
                told = self._uploads(query, owner=owner)
            case "videos":
                told = self._videos(query, owner=owner)
            case "commentThreads":
                told = self._threads(query, owner=owner)
            case "comments":
                told = self._comments(query, owner=owner)
            case "captions":
                told = self._captions(query, owner=owner)
            case _:
                raise Refused(404, "notFound")
        return 200, JSON, _written(told)

    def _viewer(self, headers: Mapping[str, str]) -> bool:
        """Whether the channel itself asks; whoever comes with nothing, or with what is worth nothing, is refused."""
        if self.dead is not None:
            raise self.dead
        bearer, key = headers.get("Authorization"), headers.get("X-Goog-Api-Key")
        if bearer is not None:
            if bearer != f"Bearer {self.token}":
                raise Refused(401, "authError", "Invalid Credentials")
            return self.token_of == OURS
        if key is None:
            says = "Method doesn't allow unregistered callers (callers without established identity)."
            raise Refused(403, "forbidden", says)
        if key != self.api_key:
            raise Refused(
                400, "badRequest", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"
            )
        return False

    def _comments_permitted(self) -> None:
        if not self.scopes:
            says = "Request had insufficient authentication scopes."
            raise Refused(403, "insufficientPermissions", says, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")

    # --- lists --------------------------------------------------------------------------------------------

    def _list(
        self, kind: str, items: list[dict[str, Any]], following: str | None = None, total: int | None = None
    ) -> dict[str, Any]:
        told: dict[str, Any] = {"kind": f"youtube#{kind}", "etag": f"tag-{self.night}-{len(self.asked):06}"}
        if following is not None:
            told["nextPageToken"] = following
        told["pageInfo"] = {
            "totalResults": len(items) if total is None else total,
            "resultsPerPage": len(items),
        }
        return told | ({"items": items} if items or kind != "channelListResponse" else {})

    def _size(self, query: Mapping[str, str], usual: int) -> int:
        return min(int(query.get("maxResults", usual)), self.cuts_at)

    def _channels(self, query: Mapping[str, str], *, owner: bool) -> dict[str, Any]:
        del owner
        asked = query.get("id") or query.get("forUsername") or query.get("forHandle", "")
        shown = asked in {OURS, "testtown"} or asked.lower() in {HANDLE, HANDLE[1:]}
        if query.get("mine") == "true":
            if self.token_of is None:
                raise Refused(401, "youtubeSignupRequired", "Unauthorized")
            shown = self.token_of == OURS
            if not shown:
                return self._list("channelListResponse", [{"kind": "youtube#channel", "id": self.token_of}])
        return self._list("channelListResponse", [self._channel(query)] if shown and self.title else [])

    def _channel(self, query: Mapping[str, str]) -> dict[str, Any]:
        picture = {"url": self._media(f"picture-file=s{80 + self.night}-c"), "width": 88, "height": 88}
        whole = {
            "snippet": {
                "title": self.title,
                "description": self.description,
                "customUrl": HANDLE,
                "publishedAt": "2015-01-01T00:00:00Z",
                "thumbnails": {"default": picture},
                "localized": {"title": self.title, "description": self.description},
                "country": "US",
            },
            "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": UPLOADS}},
            "statistics": {
                "viewCount": str(1000 + self._liked()),
                "subscriberCount": "250",
                "hiddenSubscriberCount": False,
                "videoCount": str(len(self.films)),
            },
            "status": {"privacyStatus": "public", "isLinked": True, "madeForKids": False},
            "brandingSettings": {
                "channel": {"title": self.title, "description": self.description, **self.branding},
                "image": {"bannerExternalUrl": self._media(f"banner-file=w{1000 + self.night}")},
            },
            "localizations": {},
        }
        return _parted("channel", OURS, whole, query, self.night)

    def _uploads(self, query: Mapping[str, str], *, owner: bool) -> dict[str, Any]:
        listed = [one for one in self.films.values() if owner or one.privacy == "public"]
        if query["playlistId"] != UPLOADS or not self.uploads_listed:
            raise Refused(404, "playlistNotFound")
        listed.sort(key=lambda one: one.at, reverse=True)
        size = self._size(query, 5)
        token = query.get("pageToken")
        begin = _place(token) if token else 0
        following = _token(0 if self.loops else begin + size)
        rows = []
        for place, one in enumerate(listed[begin : begin + size], start=begin):
            details = {"videoId": one.id}
            if one.privacy == "public":
                details["videoPublishedAt"] = _time(one.at)
            whole = {
                "snippet": {"title": one.title, "position": place},
                "contentDetails": details,
                "status": {"privacyStatus": one.privacy},
            }
            rows.append(_parted("playlistItem", f"UU.{one.id}", whole, query, self.night))
        more = begin + size < len(listed) or self.loops
        told = self._list("playlistItemListResponse", rows, following if more else None, len(listed))
        return _only(told, query["fields"]) if "fields" in query else told

    def _videos(self, query: Mapping[str, str], *, owner: bool) -> dict[str, Any]:
        names = query["id"].split(",")
        if len(names) > 50:
            raise Refused(400, "invalidFilters")
        found = [self.films[name] for name in names if name in self.films]
        if "fileDetails" in query["part"].split(",") and not (owner and self.tells_files):
            raise Refused(403, "forbidden", "The request cannot access the video's file details.")
        shown = [one for one in found if owner or one.privacy != "private"]
        return self._list(
            "videoListResponse",
            [_parted("video", one.id, self._video(one), query, self.night) for one in shown],
        )

    def _video(self, one: Film) -> dict[str, Any]:
        statistics = {"viewCount": str(10 * one.likes), "likeCount": str(one.likes), "favoriteCount": "0"}
        if one.comments and one.privacy != "private":
            count = sum(said.film == one.id and self._published(said) for said in self.said.values())
            statistics["commentCount"] = str(count + self.counts_more)
        thumbnail = self._media(f"vi/{one.id}/maxresdefault.jpg?sqp=sig{self.night}")
        return {
            "snippet": {
                "publishedAt": _time(one.at),
                "channelId": OURS,
                "channelTitle": self.title,
                "title": one.title,
                "description": one.description,
                "thumbnails": {
                    "default": {"url": self._media(f"vi/{one.id}/default.jpg")},
                    "maxres": {"url": thumbnail, "width": 1280, "height": 720},
                },
                "tags": one.tags,
                "categoryId": "25",
                "liveBroadcastContent": "none",
                **({"defaultLanguage": one.language} if one.language else {}),
            },
            "contentDetails": {
                "duration": "PT2M3S",
                "caption": "true" if one.captions else "false",
            },
            "status": {
                "uploadStatus": one.upload,
                "privacyStatus": one.privacy,
                "license": "youtube",
                "embeddable": True,
                "publicStatsViewable": True,
                "madeForKids": False,
            },
            "statistics": statistics,
            "fileDetails": {
                "fileName": f"{one.id}.mp4",
                "fileSize": "104857600",
                "fileType": "video",
                "container": "mov",
                "videoStreams": [{"widthPixels": 1280, "codec": "h264"}],
                "creationTime": "2026-02-28T09:00:00Z",
            },
            **({"localizations": one.translations} if one.translations else {}),
        }

    # --- comments -----------------------------------------------------------------------------------------

    def _published(self, one: Said) -> bool:
        above = self.said.get(one.thread) if one.thread else None
        return one.status == PUBLISHED and (above is None or above.status == PUBLISHED)

    def _open(self, one: Said) -> bool:
        """Whether what a comment stands under shows comments at all."""
        film = self.films.get(one.film)
        return not one.film or (film is not None and film.comments and film.privacy != "private")

    def _threads(self, query: Mapping[str, str], *, owner: bool) -> dict[str, Any]:
        self._comments_permitted()
        status = query.get("moderationStatus", PUBLISHED)
        if status not in {PUBLISHED, HELD, SPAM}:
            raise Refused(400, "invalidParameter")
        if "moderationStatus" in query and not owner:
            raise Refused(403, "forbidden", "The request is not properly authorized.")
        if "id" in query:
            named = [self.said[one] for one in query["id"].split(",") if one in self.said]
            rows = [self._begun(one, query, owner=owner) for one in named if self._published(one)]
            return self._list("commentThreadListResponse", rows)
        begun = [one for one in self.said.values() if one.thread is None and self._open(one)]
        if "videoId" in query:
            self._about(query["videoId"], owner=owner)
            begun = [one for one in begun if one.film == query["videoId"]]
        elif query["allThreadsRelatedToChannelId"] != OURS:
            raise Refused(404, "channelNotFound")
        else:
            begun = [one for one in begun if one.id not in self.hides_from_the_channel]
        if status == PUBLISHED:
            begun = [one for one in begun if one.status == PUBLISHED]
        else:
            begun = [one for one in begun if any(two.status == status for two in (one, *self._below(one)))]
        begun.sort(key=lambda one: (one.at, one.id), reverse=True)
        shown, following = self._window(begun, query, 20, falling=True)
        rows = [self._begun(one, query, owner=owner) for one in shown]
        return self._list("commentThreadListResponse", rows, following)

    def _about(self, film: str, *, owner: bool) -> None:
        """Whether the comments of a video are shown to whoever asks."""
        found = self.films.get(film)
        if found is None or (found.privacy == "private" and not owner):
            raise Refused(
                404, "videoNotFound", "The video identified by the videoId parameter could not be found."
            )
        if not found.comments or found.privacy == "private":
            says = (
                f'The video identified by the <a href="/videoId">{film}</a> parameter has disabled comments.'
            )
            raise Refused(403, "commentsDisabled", says)

    def _below(self, one: Said) -> list[Said]:
        return [two for two in self.said.values() if two.thread == one.id]

    def _begun(self, one: Said, query: Mapping[str, str], *, owner: bool) -> dict[str, Any]:
        status = query.get("moderationStatus", PUBLISHED)
        published = [two for two in self._below(one) if two.status == PUBLISHED]
        inside = (
            published if status == PUBLISHED else [two for two in self._below(one) if two.status == status]
        )
        snippet: dict[str, Any] = {
            "channelId": OURS,
            **({"videoId": one.film} if one.film else {}),
            "topLevelComment": self._comment(one, query, owner=owner),
            "canReply": True,
            "totalReplyCount": len(published) if status == PUBLISHED else len(self._below(one)),
            "isPublic": one.status == PUBLISHED,
        }
        whole: dict[str, Any] = {"snippet": snippet}
        if inside:
            told = [self._comment(two, query, owner=owner) for two in inside[: self.shows_in_full]]
            whole["replies"] = {"comments": told}
        return _parted("commentThread", one.id, whole, query, self.night)

    def _comments(self, query: Mapping[str, str], *, owner: bool) -> dict[str, Any]:
        self._comments_permitted()
        if "parentId" in query:
            above = self.said.get(query["parentId"])
            if above is None or above.thread is not None or not self._open(above):
                raise Refused(404, "commentNotFound")
            below = [one for one in self._below(above) if one.status == PUBLISHED]
            if above.status == REJECTED or (above.status != PUBLISHED and not owner):
                raise Refused(404, "commentNotFound")
            below.sort(key=lambda one: (one.at, one.id))
            shown, following = self._window(below, query, 20, falling=False)
            rows = [self._comment(one, query, owner=owner) for one in shown]
            return self._list("commentListResponse", rows, following)
        names = query["id"].split(",")
        found = [self.said[name] for name in names if name in self.said]
        found = [one for one in found if self._open(one)]
        found = [
            one for one in found if self._published(one) or (owner and one.status in {PUBLISHED, HELD, SPAM})
        ]
        if len(found) < len(names) and not self.leaves_out_missing:
            raise Refused(404, "commentNotFound", "One or more of the specified comments cannot be found.")
        return self._list("commentListResponse", [self._comment(one, query, owner=owner) for one in found])

    def _comment(self, one: Said, query: Mapping[str, str], *, owner: bool) -> dict[str, Any]:
        name = self.people[one.by]
        html = query.get("textFormat", "html") == "html"
        whole: dict[str, Any] = {
            "snippet": {
                "channelId": OURS,
                **({"videoId": one.film} if one.film else {}),
                "textDisplay": escape(one.words, quote=True).replace("\n", "<br>") if html else one.words,
                **({"textOriginal": one.words} if owner or one.by == self.token_of else {}),
                **({"parentId": one.thread} if one.thread else {}),
                "authorDisplayName": name,
                "authorProfileImageUrl": self._media(f"{one.by}=s48"),
                "authorChannelUrl": f"http://www.youtube.com/{name}",
                "authorChannelId": {"value": one.by},
                "canRate": True,
                "viewerRating": "none",
                "likeCount": one.likes,
                **({"moderationStatus": one.status} if owner and self.tells_moderation else {}),
                "publishedAt": _time(one.at),
                "updatedAt": _time(one.updated or one.at),
            }
        }
        return {"kind": "youtube#comment", "etag": f"{one.id}-{one.likes}", "id": one.id, **whole}

    def _window(
        self, items: Sequence[Said], query: Mapping[str, str], usual: int, *, falling: bool
    ) -> tuple[Sequence[Said], str | None]:
        """One answer of a list that goes on behind where the last comment stood, even if that is gone by now."""
        size = self._size(query, usual)
        left = list(items)
        if token := query.get("pageToken"):
            at, _, name = base64.b64decode(token).decode().partition(" ")
            where = (datetime.fromisoformat(at), name)
            left = [
                one for one in left if ((one.at, one.id) < where if falling else (one.at, one.id) > where)
            ]
        shown = left[:size]
        if self.loops and items:
            return shown or items[:size], _anchor(items[0])
        return shown, _anchor(shown[-1]) if len(left) > size else None

    # --- captions -----------------------------------------------------------------------------------------

    def _captions(self, query: Mapping[str, str], *, owner: bool) -> dict[str, Any]:
        film = self.films.get(query["videoId"])
        if film is None:
            raise Refused(404, "videoNotFound")
        if not owner:
            raise Refused(403, "forbidden", "The permissions associated with the request are not sufficient.")
        rows = []
        for one in film.captions:
            snippet = {
                "videoId": film.id,
                "lastUpdated": one.updated,
                "trackKind": one.kind,
                "language": one.language,
                "name": "",
                "isDraft": False,
                "status": "serving",
            }
            rows.append(_parted("caption", one.id, {"snippet": snippet}, query, self.night))
        return self._list("captionListResponse", rows)

    def _download(self, name: str, query: Mapping[str, str], *, owner: bool) -> Answer:
        found = next((one for film in self.films.values() for one in film.captions if one.id == name), None)
        if found is None:
            raise Refused(404, "captionNotFound")
        if not owner:
            raise Refused(403, "forbidden")
        if query.get("tfmt") != "vtt":
            raise Refused(400, "couldNotConvert")
        body = f"WEBVTT\n\n00:00.000 --> 00:02.000\n{found.words}\n".encode()
        return 200, {"Content-Type": "text/vtt"}, body

    def _media(self, name: str) -> str:
        return f"{self.address}/media/{name}"

    def _liked(self) -> int:
        return sum(one.likes for one in self.films.values())


def _strictly(method: str, query: Mapping[str, str]) -> None:
    """Refuse what the reference does not know."""
    if method not in _PARTS:
        raise Refused(404, "notFound")
    filters = set(_FILTERS[method].split())
    known = {"part", *filters, *_MORE[method].split()}
    if unknown := set(query) - known:
        raise Refused(400, "invalidParameter", f"Unknown name {sorted(unknown)}")
    if "part" not in query:
        raise Refused(400, "missingRequiredParameter", "part")
    if wrong := set(query["part"].split(",")) - set(_PARTS[method].split()):
        raise Refused(400, "unknownPart", ", ".join(sorted(wrong)))
    given = filters & set(query)
    if len(given) > 1:
        raise Refused(400, "incompatibleParameters", ", ".join(sorted(given)))
    if not given:
        raise Refused(400, "missingRequiredParameter", "a filter")
    if "id" in given and (more := [name for name in _NOT_WITH_AN_ID if name in query]):
        raise Refused(400, "incompatibleParameters", ", ".join(more))
    if "maxResults" in query and not 1 <= int(query["maxResults"]) <= _MOST.get(method, 50):
        raise Refused(400, "invalidParameter", "maxResults")


def _parted(
    kind: str, name: str, whole: Mapping[str, Any], query: Mapping[str, str], night: int
) -> dict[str, Any]:
    """An item with the parts that were asked for."""
    asked = query["part"].split(",")
    return {
        "kind": f"youtube#{kind}",
        "etag": f"{name}-{night}",
        "id": name,
        **{part: told for part, told in whole.items() if part in asked},
    }


def _only(told: Mapping[str, Any], fields: str) -> dict[str, Any]:
    """What a partial answer tells: the names that `fields` lists, and in brackets those inside."""
    wanted: dict[str, str] = {}
    depth, name, inner = 0, "", ""
    for sign in f"{fields},":
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            wanted[name], name, inner = inner, "", ""
        elif depth == 0 and sign != ")":
            name += sign
        elif not (sign == "(" and depth == 1) and depth > 0:
            inner += sign

    def part(value: Any, inside: str) -> Any:
        if not inside:
            return value
        return [_only(one, inside) for one in value] if isinstance(value, list) else _only(value, inside)

    return {name: part(told[name], inside) for name, inside in wanted.items() if name in told}


def _token(place: int) -> str:
    return base64.b64encode(f"place {place}".encode()).decode()


def _place(token: str) -> int:
    return int(base64.b64decode(token).decode().removeprefix("place "))


def _anchor(one: Said) -> str:
    return base64.b64encode(f"{one.at.isoformat()} {one.id}".encode()).decode()


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(told: object) -> bytes:
    """As Google writes JSON: with line breaks, in UTF-8."""
    return json.dumps(told, indent=1, ensure_ascii=False).encode()


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedYouTube(Troubled, YouTubeWorld):
    """A channel with a busy video, quiet ones, one whose comments are turned off, and what is held back.

    As few as will do, since a pass is broken off at each of its answers.
    """

    def __init__(self, *, owner: bool) -> None:
        super().__init__()
        self.owner = owner

    def __enter__(self) -> Self:
        super().__enter__()
        self.cuts_at = 4
        busy = self.upload("Bridge closed & <b>", "Until further notice.", tags=["bridge"])
        first = self.say(busy, "Until when?")
        self.say(busy, "Until six.", by=HANDLE, to=first)
        for number in range(4):
            self.say(busy, f"+{number}", by="@al", to=first)
        self.say(busy, "And the ferry? ⛴")
        self.tick(days=10)
        self.hold(self.say(busy, "You fools", by="@al"))
        self.hold(self.say(busy, "See where <I> live", by="@al", to=first))
        self.hold(self.say(busy, "Buy cheap pills"), SPAM)
        self.say(self.upload("Quiet"), "Thanks")
        self.tick(days=40)
        self.say("", "Good channel")
        self.upload("No words, please", comments=False)
        self.upload("Draft of a notice", privacy="private")
        self.tick(days=1)
        self.upload("For the council", privacy="unlisted")
        self.say(self.upload("Library hours"), "When?", by="@al")
        return self

    @property
    def page(self) -> Page:
        return Page(address=f"https://www.youtube.com/{HANDLE}", options={"api": self.api})

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.signed_in if self.owner else self.with_key

    def shows(self) -> Collection[str]:
        films = [one.id for one in self.films.values() if self.owner or one.privacy == "public"]
        held = {PUBLISHED, HELD, SPAM} if self.owner else {PUBLISHED}
        said = [
            f"{one.film or OURS}/{one.id}"
            for one in self.said.values()
            if one.status in held and self._open(one) and (self.owner or self._published(one))
        ]
        return [OURS, "settings", *films, *said]

    @property
    def _busy(self) -> Film:
        return next(iter(self.films.values()))

    def _named(self, one: Said) -> str:
        return f"{one.film or OURS}/{one.id}"

    def publish(self) -> str:
        return self._named(self.said[self.say(self._busy.id, "And now?")])

    def edit(self) -> str:
        edited = next(one for one in self.said.values() if one.thread and one.by == OURS)
        self.amend(edited.id, f"{edited.words} (corrected)")
        return self._named(edited)

    def remove(self) -> str:
        removed = next(one for one in self.said.values() if "ferry" in one.words)
        self.delete(removed.id)
        return self._named(removed)

    def conceal(self) -> str:
        """One more comment is held for review."""
        held = next(
            one for one in self.said.values() if self._published(one) and one.words in {"Thanks", "+2"}
        )
        self.hold(held.id)
        return self._named(held)

    def recount(self) -> None:
        for film in self.films.values():
            film.likes += 11
        for said in self.said.values():
            said.likes += 11

    def throttle(self, after: int) -> timedelta | None:
        """The quota is spent. YouTube names no time."""
        self._will((403, JSON, self.error(Refused(403, "quotaExceeded"))), after)
        return None

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((500, JSON, self.error(Refused(500, "backendError", "Backend Error"))), after)

    def turn_away(self) -> None:
        expired = "API key expired. Please renew the API key."
        refused = Refused(400, "badRequest", expired, "API_KEY_EXPIRED")
        self.dead = Refused(401, "authError", "Invalid Credentials") if self.owner else refused

    def recover(self) -> None:
        super().recover()
        self.dead = None
