"""A small Snapchat on loopback: the public page of one profile, and the pages of its spotlights.

What a page's data looks like was taken from what programs that read it say of
it, since Snap does not document it: values bare or wrapped, the words of
spotlights in a list beside the spotlights, places that are kept free in both,
counts as texts, addresses of files that are signed anew at every look. Pages
that do not exist, and parameters that nobody sends, are answered as such. What
it adds is trouble at will.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from connectors.contract import Page
from tests.connectors.worlds.platform_world import Answer, ReadWorld, Troubled

NAME = "testtownpolice"
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="https://accounts.snapchat.com/v2/login"><input name="password"></form></html>'
LOST = b"<!DOCTYPE html><html><title>404</title><body>Sorry, this page was not found.</body></html>"
DAY = timedelta(hours=24)


@dataclass
class Snap:
    """A snap; `kind` is 0 for a picture and 1 for a video."""

    id: str
    at: datetime
    kind: int = 1
    words: str | None = None
    overlay: bool = False
    runs_out: bool = True
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Saved:
    """A saved story."""

    id: str
    title: str
    snaps: list[Snap]


@dataclass
class Spotlight:
    """A spotlight; `told` says whether the profile's page tells its words."""

    id: str
    name: str
    description: str
    snap: Snap
    views: int = 10
    told: bool = True
    placed: bool = True
    """Whether it is among those that the profile's page shows."""


class SnapchatWorld(ReadWorld):
    """One profile. Use it as a context: its server ends with it."""

    def __init__(self) -> None:
        super().__init__()
        self.story: list[Snap] = []
        self.saved: dict[str, Saved] = {}
        self.spotlights: dict[str, Spotlight] = {}
        self.info: dict[str, Any] = {
            "title": "Test Town Police",
            "bio": "The department's own profile.",
            "websiteUrl": "https://town.example/police",
            "address": "",
            "categoryStringId": "public-profile-category-v3-government",
            "badge": 1,
        }
        self.username = NAME
        self.exists = True
        self.public = True
        self.strips: set[str] = set()
        """Parts that the page is sent without, though the profile says that it has them."""
        self.places = 25
        self.links = True
        """Whether what is told of a spotlight says of which."""
        self.story_known = True
        self.removed_is = 404
        """How the page of a spotlight that was removed is answered; 200: with other spotlights."""
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self._number = 0
        self._now = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)

    # --- what happens on the profile ----------------------------------------------------------------------

    def tick(self, **span: float) -> datetime:
        """Time passes; snaps of the story whose day is over run out."""
        self._now += timedelta(**(span or {"minutes": 1}))
        self.story = [one for one in self.story if not one.runs_out or one.at + DAY > self._now]
        return self._now

    def snap(self, **more: Any) -> Snap:
        self._number += 1
        return Snap(f"snap-{self._number:04}_IAAAsY2Zp", self.tick(), **more)

    def tell(self, **more: Any) -> str:
        """The agency adds a snap to its story; the snap's id."""
        one = self.snap(**more)
        self.story.append(one)
        return one.id

    def save(self, title: str, *snaps: Snap) -> str:
        """The agency saves a story; its id."""
        self._number += 1
        name = f"{self._number:08}-aaaa-bbbb-cccc-1234567890ab"
        self.saved[name] = Saved(name, title, list(snaps) or [self.snap()])
        return name

    def shine(self, name: str, description: str = "", **more: Any) -> str:
        """The agency publishes a spotlight; its id."""
        self._number += 1
        number = f"W7_EDlXWTBiXAEEniNoMPwAAY{self._number:04}"
        self.spotlights[number] = Spotlight(number, name, description, self.snap(), **more)
        return number

    # --- the server ---------------------------------------------------------------------------------------

    def packed(self, answer: Answer) -> Answer:
        return super().packed(answer) if answer[0] == 200 else answer

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(target)
        self.asked.append(target)
        self.headers.append(headers)
        if (troubled := self.disturbed(parts.path)) is not None:
            return troubled
        if parts.path.startswith("/d/"):
            return 200, {"Content-Type": "video/mp4"}, b"a snap"
        match parts.path.split("/")[1:]:
            case ["add", name] if name == self.username:
                return 301, {"Location": f"/@{name}"}, b""
            case [name] if name == f"@{self.username}" and self.exists and not parts.query:
                return 200, HTML, self.page_of(self._profile())
            case ["spotlight", name] if not parts.query:
                return self._own_page(name)
            case _:
                return 404, HTML, LOST

    @staticmethod
    def page_of(props: Mapping[str, Any]) -> bytes:
        """A page as Next.js renders it: the data in a script, with the signs of markup escaped."""
        told = {"props": {"pageProps": props, "__N_SSP": True}, "page": "/[...slug]", "buildId": "b1"}
        data = json.dumps(told, ensure_ascii=False).replace("&", "\\u0026").replace("<", "\\u003c")
        return (
            '<!DOCTYPE html><html lang="en"><head><title>Test Town</title><script>window.a={"b":1}</script></head>'
            '<body><div id="__next"><h1>Test Town</h1></div>'
            f'<script id="__NEXT_DATA__" type="application/json" crossorigin="anonymous">{data}</script>'
            "</body></html>"
        ).encode()

    # --- shapes -------------------------------------------------------------------------------------------

    def _profile(self) -> dict[str, Any]:
        if not self.public:
            told = {"username": self.username, "displayName": self.info["title"], "snapcodeImageUrl": ""}
            return {"userProfile": {"$case": "userInfo", "userInfo": told}, "viewerInfo": {}}
        placed = [one for one in reversed(self.spotlights.values()) if one.placed][: self.places - 2]
        free = {"storyType": 3, "snapList": [], "storyId": None}
        untold: dict[str, Any] = {"videoMetadata": None, "engagementStats": None, "hashtags": []}
        bare = {"videoMetadata": {"viewCount": "0"}, "hashtags": []}
        shown = [free, *(self._spotlight(one) for one in placed), free]
        tales = [bare, *(self._told(one) if one.told else untold for one in placed), bare]
        saved = [self._saved(one) for one in self.saved.values()]
        props: dict[str, Any] = {
            "userProfile": {"$case": "publicProfileInfo", "publicProfileInfo": self._info()},
            "story": {"storyType": 1, "snapList": self._snaps(self.story)} if self.story else None,
            "curatedHighlights": [] if "curatedHighlights" in self.strips else saved,
            "spotlightHighlights": [] if "spotlightHighlights" in self.strips else shown if placed else [],
            "spotlightStoryMetadata": [] if "spotlightHighlights" in self.strips else tales if placed else [],
            "lenses": [{"lensName": "Badge"}],
            "somethingNew": {"nobody": ["knows"]},
        }
        if not self.story_known:
            del props["story"]
        return props

    def _info(self) -> dict[str, Any]:
        return {
            "username": self.username,
            "snapcodeImageUrl": f"{self.address}/web/deeplink/snapcode",
            "subscriberCount": str(1000 + sum(one.views for one in self.spotlights.values())),
            "profilePictureUrl": self._resized("face"),
            "squareHeroImageUrl": f"{self.address}/d/hero.256.IRZXSOY?mo={self.night}",
            "hasCuratedHighlights": bool(self.saved),
            "hasSpotlightHighlights": any(one.placed for one in self.spotlights.values()),
            "lastUpdateTimestampMs": {"value": str(int(self._now.timestamp() * 1000))},
            "relatedAccountsInfo": [{"publicProfileInfo": {"username": "somebody.else"}}],
            **self.info,
        }

    def _snaps(self, snaps: Collection[Snap]) -> list[dict[str, Any]]:
        return [self._snap(one, place) for place, one in enumerate(snaps)]

    def _snap(self, one: Snap, place: int) -> dict[str, Any]:
        urls: dict[str, Any] = {
            "mediaUrl": f"{self.address}/d/{one.id}.27.IRZXSOY?mo=sig{self.night}&uc=46",
            "mediaPreviewUrl": {"value": f"{self.address}/d/{one.id}.256.IRZXSOY?mo=sig{self.night}"},
        }
        if one.overlay:
            urls["overlayUrl"] = f"{self.address}/d/{one.id}.over?mo=sig{self.night}"
        return {
            "snapIndex": place,
            "snapId": {"value": one.id},
            "snapMediaType": one.kind,
            "snapUrls": urls,
            "timestampInSec": {"value": str(int(one.at.timestamp()))},
            **({"snapTitle": {"value": one.words}} if one.words else {}),
            **one.more,
        }

    def _saved(self, one: Saved) -> dict[str, Any]:
        return {
            "storyType": 2,
            "storyTitle": {"value": one.title},
            "thumbnailUrl": {"value": self._resized(f"cover{one.id}")},
            "highlightId": {"value": one.id},
            "snapList": self._snaps(one.snaps),
        }

    def _spotlight(self, one: Spotlight) -> dict[str, Any]:
        return {
            "storyType": 3,
            "storyId": {"value": one.id},
            "storyTitle": {"value": ""},
            "snapList": self._snaps([one.snap]),
        }

    def _told(self, one: Spotlight) -> dict[str, Any]:
        file = self._snap(one.snap, 0)["snapUrls"]["mediaUrl"]
        link = {"deepLinkUrl": f"snapchat://spotlight/{one.id}?src=web"}
        return {
            "videoMetadata": {
                "name": one.name,
                "description": one.description,
                "contentUrl": file,
                "uploadDateMs": str(int(one.snap.at.timestamp() * 1000)),
                "viewCount": str(one.views),
                "durationMs": "14000",
                "creator": {"$case": "personCreator", "personCreator": {"username": self.username}},
            },
            "engagementStats": {
                "viewCount": str(one.views),
                "shareCount": "3",
                "commentCount": "1",
                "boostCount": "-1",
            },
            "hashtags": [],
            **({"oneLinkParams": link} if self.links else {}),
        }

    def _own_page(self, name: str) -> Answer:
        found = self.spotlights.get(name)
        if found is None and self.removed_is != 200:
            return self.removed_is, HTML, LOST
        others = Spotlight("W7_ofSomebodyElse", "Else", "", Snap("snap-else", self._now))
        listed = [*([found] if found is not None else []), others]
        told = [{"story": self._spotlight(one), "metadata": self._told(one)} for one in listed]
        return 200, HTML, self.page_of({"spotlightFeed": {"spotlightStories": told}})

    def _resized(self, name: str) -> str:
        """An address as Snapchat gives those of pictures in other sizes: the signed address, encoded in the path."""
        inner = f"https://cf-st.sc-cdn.net/d/{name}?mo=sig{self.night}&uc=46".encode()
        encoded = base64.urlsafe_b64encode(inner).decode().rstrip("=")
        return f"{self.address}/d/aps/bolt_web/{encoded}._RS0,640_FMjpeg"


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedSnapchat(Troubled, SnapchatWorld):
    """A profile with a story, a saved story and spotlights, of one of which the profile's page tells no words."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.save("Open house 🚓", self.snap(kind=0), self.snap())
        self.tick(days=-40)
        self.bridge = self.shine("Bridge closed & <b>", "Until further notice.")
        self.ferry = self.shine("And the ferry? ⛴")
        self.shine("How to report", told=False)
        self.tick(days=40)
        for kind in (0, 1, 1):
            self.tell(kind=kind, runs_out=False)
        return self

    @property
    def page(self) -> Page:
        return Page(address=f"https://www.snapchat.com/@{NAME}", options={"site": self.address})

    @property
    def secrets(self) -> Mapping[str, str]:
        return {}

    @property
    def cannot(self) -> Mapping[str, str]:
        return {
            "revoke": "nobody signs in to a public page",
            "loop": "a profile is one page, and leads to no next one",
        }

    def shows(self) -> Collection[str]:
        return [
            "profile",
            *(f"story/{one.id}" for one in self.story),
            *(f"highlight/{name}" for name in self.saved),
            *(f"spotlight/{name}" for name in self.spotlights),
        ]

    def publish(self) -> str:
        return f"spotlight/{self.shine('Library hours')}"

    def edit(self) -> str:
        self.spotlights[self.bridge].description += " (corrected)"
        return f"spotlight/{self.bridge}"

    def remove(self) -> str:
        if self.ferry not in self.spotlights:
            raise StopIteration
        del self.spotlights[self.ferry]
        return f"spotlight/{self.ferry}"

    def recount(self) -> None:
        for one in self.spotlights.values():
            one.views += 11

    def throttle(self, after: int) -> timedelta | None:
        self._will((429, {**HTML, "Retry-After": "120"}, b"<html>Too Many Requests</html>"), after)
        return timedelta(seconds=120)

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((503, HTML, b"<html>upstream connect error</html>"), after)

    def revoke(self, after: int) -> None:
        raise AssertionError(self.cannot["revoke"])

    def loop(self) -> None:
        raise AssertionError(self.cannot["loop"])
