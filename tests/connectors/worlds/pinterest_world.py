"""A small Pinterest on loopback: one account, its boards with their sections and pins, and the interface before it.

Shapes, parameters, permissions and error bodies follow Pinterest's published
description of its interface. It is as strict as that: a parameter that a path
does not have, a page that is too large, a header that nobody sends, or another
version is refused. Bookmarks stand for where the last item stood. What it adds
is trouble at will.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.platform_world import PICTURE, Answer, ReadWorld, Troubled

NUMBER = "2783136121146311751"
NAME = "testtownpolice"
OTHER = "testtownlibrary"
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/login/"><input type="password" name="password"></form></html>'
LIMITS = {
    "x-ratelimit-limit": '100, 100;w=1;name="safety_net_app_id_user_id", 1000;w=60;name="org_read_app_id_user_id"',
    "x-ratelimit-remaining": "99",
    "x-ratelimit-reset": "1",
}
ALL = frozenset({"user_accounts:read", "boards:read", "boards:read_secret", "pins:read", "pins:read_secret"})
PUBLIC, PROTECTED, SECRET = "PUBLIC", "PROTECTED", "SECRET"

_PAGED = frozenset({"bookmark", "page_size"})
_KNOWN: Mapping[str, frozenset[str]] = {
    r"user_account": frozenset(),
    r"boards": _PAGED | {"privacy"},
    r"boards/\d+": frozenset(),
    r"boards/\d+/sections": _PAGED,
    r"boards/\d+/pins": _PAGED | {"creative_types", "pin_metrics"},
    r"boards/\d+/sections/\d+/pins": _PAGED,
    r"pins": _PAGED | {"creative_types", "include_protected_pins", "pin_filter", "pin_metrics", "pin_type"},
    r"pins/\d+": frozenset({"pin_metrics"}),
}
_NEEDS: Mapping[str, Sequence[str]] = {
    "user_account": ["user_accounts:read"],
    "boards": ["boards:read"],
    "pins": ["boards:read", "pins:read"],
}
_HEADERS = frozenset({"host", "user-agent", "accept", "accept-encoding", "connection", "authorization"})


class Refused(Exception):
    """One of Pinterest's refusals."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Board:
    """A board. `owner` is whose it is: one of somebody else's is shared with the agency."""

    id: str
    name: str
    at: datetime
    description: str = ""
    privacy: str = PUBLIC
    owner: str = NAME
    sections: dict[str, str] = field(default_factory=dict)


@dataclass
class Pin:
    """A pin. `media` is its media as Pinterest describes it, with `{media}` in the place of addresses' beginnings."""

    id: str
    board: str
    at: datetime
    title: str = ""
    description: str = ""
    link: str | None = None
    alt: str | None = None
    section: str | None = None
    by: str = NAME
    creative: str = "REGULAR"
    media: dict[str, Any] = field(default_factory=dict)
    comments: int = 0
    more: dict[str, Any] = field(default_factory=dict)


class PinterestWorld(ReadWorld):
    """One account. Use it as a context: its server ends with it."""

    token = "pina_AIA5ZKQWAAAAA+the/own=accounts|1"
    secrets: Mapping[str, str] = {"access_token": token}
    signed_in: ClassVar[Mapping[str, str]] = {
        "access_token": token,
        "refresh_token": "pinr.eyJydCI6InRoZS1yZWZyZXNoLXRva2VuIn0",
    }

    def __init__(self) -> None:
        super().__init__()
        self.boards: dict[str, Board] = {}
        self.pins: dict[str, Pin] = {}
        self.username = NAME
        self.account: dict[str, Any] = {
            "business_name": "Test Town Police",
            "about": "The department's own account.",
            "website_url": "https://town.example/police",
            "account_type": "BUSINESS",
        }
        self.tells_number = True
        self.scopes = set(ALL)
        self.secret_is = (404, 40, "Board not found.")
        """How a secret board is answered for whom it is not open."""
        self.lacks = (403, 29, "You are not permitted to access that resource. Missing: ['SCOPE']")
        """How a permission that is lacking is answered for."""
        self.empty_for_secret = False
        """Whether a list of secret boards that are not open is empty, and not refused."""
        self.lists_sections = False
        """Whether the list of a board's pins holds those of its sections too."""
        self.tells_films = True
        self.ad_accounts: frozenset[str] = frozenset()
        self.dead: Refused | None = None
        self.shut: dict[str, Refused] = {}
        """Paths that answer with a refusal."""
        self.cuts_at = 250
        self.forgets_bookmarks = 0
        """How many more bookmarks it does not know any more."""
        self.asked: list[str] = []
        self._number = 0

    # --- what happens on the account ----------------------------------------------------------------------

    def board(self, name: str, description: str = "", **more: Any) -> str:
        """Somebody makes a board; its number."""
        number = self._name()
        self.boards[number] = Board(number, name, self.tick(), description, **more)
        return number

    def section(self, board: str, name: str) -> str:
        """A board gets a section; its number."""
        number = self._name()
        self.boards[board].sections[number] = name
        return number

    def pin(self, board: str, title: str, description: str = "", **more: Any) -> str:
        """Somebody puts a pin on a board; its number."""
        number = self._name()
        media = more.pop("media", None) or self.picture(f"picture{number}")
        self.pins[number] = Pin(number, board, self.tick(), title, description, media=media, **more)
        return number

    def delete(self, name: str) -> None:
        """A pin, or a board with what stands on it, is removed."""
        self.pins = {one.id: one for one in self.pins.values() if name not in {one.id, one.board}}
        self.boards.pop(name, None)

    def _name(self) -> str:
        self._number += 1
        return str(813744226420790000 + self._number)

    # --- media, as Pinterest describes it -----------------------------------------------------------------

    @staticmethod
    def sizes(name: str) -> dict[str, Any]:
        """A picture in the sizes in which it is told."""
        return {
            size: {"width": width, "height": width, "url": f"{{media}}/{size}/ab/cd/{name}.jpg"}
            for size, width in (("150x150", 150), ("400x300", 400), ("600x", 600), ("1200x", 1200))
        }

    @classmethod
    def picture(cls, name: str) -> dict[str, Any]:
        return {"media_type": "image", "images": cls.sizes(name)}

    @classmethod
    def film(cls, name: str) -> dict[str, Any]:
        return {
            "media_type": "video",
            "images": cls.sizes(f"{name}still"),
            "cover_image_url": f"{{media}}/videos/thumbnails/originals/{name}cover.jpg",
            "video_url": f"{{media}}/videos/mc/720p/{name}.mp4",
            "duration": 14000,
            "width": 720,
            "height": 1280,
        }

    @classmethod
    def several(cls, kind: str, *items: dict[str, Any]) -> dict[str, Any]:
        """A pin that consists of several things: multiple_images, multiple_videos or multiple_mixed."""
        told = []
        for item in items:
            one = dict(item)
            one["item_type"] = one.pop("media_type")
            told.append(one)
        return {"media_type": kind, "items": told}

    # --- the server ---------------------------------------------------------------------------------------

    @property
    def api(self) -> str:
        """Where the interface is asked for."""
        return f"{self.address}/v5"

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(target)
        self.asked.append(target)
        if (troubled := self.disturbed(parts.path)) is not None:
            return troubled
        if parts.path.startswith("/media/"):
            return PICTURE
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            told = self._reply(parts.path, query, headers)
        except Refused as refused:
            return refused.status, {**JSON, **LIMITS}, self.error(refused)
        return 200, {**JSON, **LIMITS}, json.dumps(told, ensure_ascii=False).encode()

    @staticmethod
    def error(refused: Refused) -> bytes:
        return json.dumps({"code": refused.code, "message": refused.message}).encode()

    def _reply(self, target: str, query: dict[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        if not target.startswith("/v5/"):
            raise Refused(404, 404, "Not found.")
        path = target.removeprefix("/v5/")
        self._let_in(headers)
        kind = _strictly(path, query)
        if query.get("ad_account_id", "") not in {"", *self.ad_accounts}:
            raise Refused(403, 29, "You are not permitted to access that resource.")
        if path in self.shut:
            raise self.shut[path]
        for scope in _NEEDS["pins" if "pins" in path else path.partition("/")[0]]:
            self._permitted(scope)
        return self._told(kind, path.split("/"), query)

    def _let_in(self, headers: Mapping[str, str]) -> None:
        if strange := {name.lower() for name in headers} - _HEADERS:
            raise Refused(400, 1, f"Invalid request: {sorted(strange)}")
        if self.dead is not None:
            raise self.dead
        if headers.get("Authorization") != f"Bearer {self.token}":
            raise Refused(401, 2, "Authentication failed.")

    def _permitted(self, scope: str) -> None:
        if scope not in self.scopes:
            status, code, message = self.lacks
            raise Refused(status, code, message.replace("SCOPE", scope))

    def _told(self, kind: str, steps: Sequence[str], query: dict[str, str]) -> dict[str, Any]:
        match kind:
            case r"user_account":
                return self._account()
            case r"boards":
                return self._boards(query)
            case r"boards/\d+":
                return self._board(self._the_board(steps[1]))
            case r"boards/\d+/sections":
                listed = self._the_board(steps[1]).sections
                rows = [{"id": number, "name": name} for number, name in listed.items()]
                return self._list(rows, query, kind)
            case r"boards/\d+/pins" | r"boards/\d+/sections/\d+/pins":
                board = self._the_board(steps[1])
                section = steps[3] if "sections" in steps else None
                if section is not None and section not in board.sections:
                    raise Refused(404, 2031, "Board section not found.")
                shown = [
                    one
                    for one in self.pins.values()
                    if one.board == board.id
                    and (one.section == section or (section is None and self.lists_sections))
                ]
                return self._pins(shown, query, "/".join(steps))
            case r"pins":
                return self._own(query)
            case _:
                found = self.pins.get(steps[1])
                if found is None or not self._opens(found) or not self._reaches(found):
                    raise Refused(404, 50, "Pin not found.")
                return self._pin(found, query)

    # --- lists --------------------------------------------------------------------------------------------

    def _the_board(self, number: str) -> Board:
        found = self.boards.get(number)
        if found is None:
            raise Refused(404, 40, "Board not found.")
        if found.privacy == SECRET and "boards:read_secret" not in self.scopes:
            raise Refused(*self.secret_is)
        return found

    def _reaches(self, one: Pin) -> bool:
        """Whether it is of the account, or on a board that it shares."""
        return one.by == NAME or one.board in self.boards

    def _opens(self, one: Pin) -> bool:
        board = self.boards.get(one.board)
        return board is None or board.privacy != SECRET or "pins:read_secret" in self.scopes

    def _boards(self, query: dict[str, str]) -> dict[str, Any]:
        wanted = query.get("privacy")
        if wanted == SECRET and not self.empty_for_secret:
            self._permitted("boards:read_secret")
        shown = [
            one
            for one in self.boards.values()
            if (one.privacy != SECRET or "boards:read_secret" in self.scopes)
            and (wanted in {None, "ALL"} or one.privacy == wanted)
        ]
        return self._list([self._board(one) for one in shown], query, "boards")

    def _own(self, query: dict[str, str]) -> dict[str, Any]:
        if query.get("pin_type") == "PRIVATE":
            self._permitted("pins:read_secret")
        shown = [one for one in self.pins.values() if one.by == NAME and self._opens(one)]
        if query.get("include_protected_pins", "false") != "true":
            shown = [one for one in shown if self._privacy(one) != PROTECTED]
        if query.get("pin_type") == "PRIVATE":
            shown = [one for one in shown if self._privacy(one) == SECRET]
        return self._pins(shown, query, "pins")

    def _privacy(self, one: Pin) -> str:
        board = self.boards.get(one.board)
        return board.privacy if board is not None else PUBLIC

    def _pins(self, shown: Sequence[Pin], query: dict[str, str], where: str) -> dict[str, Any]:
        newest = sorted(shown, key=lambda one: (one.at, one.id), reverse=True)
        return self._list([self._pin(one, query) for one in newest], query, where, falling=True)

    def _list(
        self, rows: Sequence[dict[str, Any]], query: Mapping[str, str], where: str, *, falling: bool = False
    ) -> dict[str, Any]:
        """One answer of a list that goes on behind where the last item stood, even if that is gone by now."""
        size = min(int(query.get("page_size", 25)), self.cuts_at)
        left = list(rows)
        if bookmark := query.get("bookmark"):
            told = base64.b64decode(bookmark).decode().split(" ")
            if self.forgets_bookmarks > 0 or told[0] != where:
                self.forgets_bookmarks -= 1
                raise Refused(400, 1, "Invalid bookmark.")
            left = [
                one
                for one in left
                if (int(one["id"]) < int(told[1]) if falling else int(one["id"]) > int(told[1]))
            ]
        shown = left[:size]
        following = f"{where} {shown[-1]['id']}" if len(left) > size else None
        if self.loops and rows:
            shown, following = shown or list(rows[:size]), f"{where} {rows[0]['id']}"
        return {
            "items": shown,
            "bookmark": base64.b64encode(following.encode()).decode() if following else None,
        }

    # --- shapes -------------------------------------------------------------------------------------------

    def _account(self) -> dict[str, Any]:
        return {
            **({"id": NUMBER} if self.tells_number else {}),
            "username": self.username,
            "profile_image": f"{self._media()}/280x280_RS/profile{len(self.account)}.jpg",
            "board_count": len(self.boards),
            "pin_count": len(self.pins),
            "follower_count": 250 + self._liked(),
            "following_count": 3,
            "monthly_views": 1000,
            **self.account,
        }

    def _board(self, one: Board) -> dict[str, Any]:
        on = [pin for pin in self.pins.values() if pin.board == one.id]
        return {
            "id": one.id,
            "name": one.name,
            "description": one.description or None,
            "privacy": one.privacy,
            "owner": {"username": one.owner},
            "created_at": _time(one.at),
            "board_pins_modified_at": _time(max((pin.at for pin in on), default=one.at)),
            "pin_count": len(on),
            "follower_count": 17,
            "collaborator_count": 0 if one.owner == NAME else 1,
            "is_ads_only": False,
            "media": {"image_cover_url": f"{self._media()}/cover/{len(on)}.jpg", "pin_thumbnail_urls": []},
        }

    def _pin(self, one: Pin, query: Mapping[str, str]) -> dict[str, Any]:
        media = json.loads(json.dumps(one.media).replace("{media}", self._media()))
        for part in [media, *media.get("items", [])]:
            if not self.tells_films and "video_url" in part:
                part["video_url"] = None
        board = self.boards.get(one.board)
        metrics = {"impression": 100 * one.comments, "save": 4, "pin_click": 7, "outbound_click": 2}
        return {
            "id": one.id,
            "created_at": _time(one.at),
            "link": one.link,
            "title": one.title or None,
            "description": one.description or None,
            "dominant_color": "#6E7874",
            "alt_text": one.alt,
            "creative_type": one.creative,
            "board_id": one.board,
            "board_section_id": one.section,
            "board_owner": {"username": board.owner if board is not None else OTHER},
            "is_owner": one.by == NAME,
            "is_standard": True,
            "has_been_promoted": False,
            "media": media,
            "parent_pin_id": None,
            **one.more,
            **(
                {
                    "pin_metrics": {
                        "90d": metrics,
                        "all_time": {**metrics, "reaction": 10, "comment": one.comments},
                    }
                }
                if query.get("pin_metrics") == "true"
                else {}
            ),
        }

    def _media(self) -> str:
        return f"{self.address}/media/{self.night}"

    def _liked(self) -> int:
        return sum(one.comments for one in self.pins.values())


def _strictly(path: str, query: Mapping[str, str]) -> str:
    """Which path it is; what its description does not know is refused."""
    kind = next((known for known in _KNOWN if re.fullmatch(known, path)), None)
    if kind is None:
        raise Refused(404, 404, "Not found.")
    if unknown := set(query) - _KNOWN[kind] - {"ad_account_id"}:
        raise Refused(400, 1, f"Invalid request: {sorted(unknown)}")
    size = query.get("page_size", "25")
    if not size.isdecimal() or not 1 <= int(size) <= 250:
        raise Refused(400, 1, "Invalid request: page_size")
    if query.get("privacy", "ALL") not in {"ALL", PUBLIC, PROTECTED, SECRET, "PUBLIC_AND_SECRET"}:
        raise Refused(400, 1, "Invalid request: privacy")
    for name in ("pin_metrics", "include_protected_pins"):
        if query.get(name, "true") not in {"true", "false"}:
            raise Refused(400, 1, f"Invalid request: {name}")
    return kind


def _time(at: datetime) -> str:
    """As Pinterest writes it: without a zone."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedPinterest(Troubled, PinterestWorld):
    """An account with a busy board and its section, a secret one, and one that is somebody else's.

    As few as will do, since a pass is broken off at each of its answers.
    """

    def __init__(self, *, secret: bool = True) -> None:
        super().__init__()
        self.opens_secret = secret
        if not secret:
            self.scopes -= {"boards:read_secret", "pins:read_secret"}

    def __enter__(self) -> Self:
        super().__enter__()
        roads = self.board("Roads & bridges", "What is closed, and until when.")
        winter = self.section(roads, "Winter")
        self.busy = self.pin(
            roads, "Bridge closed & <b>", "Until further notice.", comments=2, alt="A barrier"
        )
        self.pin(roads, "Salt ❄", section=winter, link="https://town.example/salt")
        self.tick(days=10)
        drafts = self.board("Drafts", privacy=SECRET)
        self.pin(drafts, "Not yet")
        self.tick(days=40)
        shared = self.board("Town together", owner=OTHER)
        self.ferry = self.pin(roads, "And the ferry? ⛴", media=self.film("ferry"))
        self.pin(shared, "Library hours", by=OTHER)
        self.tick(days=1)
        self.turns = self.pin(shared, "Open day", media=self.several("multiple_images", self.picture("a")))
        return self

    @property
    def page(self) -> Page:
        return Page(address=f"https://www.pinterest.com/{NAME}/", options={"api": self.api, "page_size": "2"})

    def shows(self) -> Collection[str]:
        boards = [one for one in self.boards.values() if self.opens_secret or one.privacy != SECRET]
        pins = [one for one in self.pins.values() if self._opens(one)]
        return [
            f"account/{NUMBER}",
            *(f"board/{one.id}" for one in boards),
            *(f"section/{one.id}/{number}" for one in boards for number in one.sections),
            *(one.id if one.by == NAME else f"shared/{one.id}" for one in pins),
        ]

    def publish(self) -> str:
        return self.pin(self.pins[self.busy].board, "And now?")

    def edit(self) -> str:
        self.pins[self.busy].description += " (corrected)"
        return self.busy

    def remove(self) -> str:
        if self.ferry not in self.pins:
            raise StopIteration
        self.delete(self.ferry)
        return self.ferry

    def conceal(self) -> str:
        """A pin is moved to a secret board."""
        drafts = next(one.id for one in self.boards.values() if one.privacy == SECRET)
        if self.pins[self.turns].board == drafts:
            raise StopIteration
        self.pins[self.turns].board = drafts
        return self.turns

    def recount(self) -> None:
        for one in self.pins.values():
            one.comments += 11

    def throttle(self, after: int) -> timedelta | None:
        """Too many questions, and how long until there may be more."""
        refused = Refused(429, 8, "You have exceeded your rate limit. Try again later.")
        headers = {**JSON, **LIMITS, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"}
        self._will((429, headers, self.error(refused)), after)
        return timedelta(seconds=60)

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((500, JSON, self.error(Refused(500, 4, "Something went wrong on our end."))), after)

    def turn_away(self) -> None:
        self.dead = Refused(401, 2, "Authentication failed.")

    def recover(self) -> None:
        super().recover()
        self.dead = None
