"""A small LinkedIn on loopback: one organisation's page, its posts, who comments on them, and the versioned interface before it.

Shapes, names and refusals follow LinkedIn's published reference. It is as
strict as that: without the two headers, with a version that has ended, with a
URN that is not encoded or a list that is, with a parameter that a resource does
not have, nothing is answered. A post has two names whose numbers differ, a list
of comments without any is answered 404, the list of posts has no total. What it
adds is trouble at will.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import quote, unquote

from connectors.contract import Page
from tests.connectors.worlds.platform_world import PICTURE, Answer, ReadWorld, Troubled

NUMBER = 5515715
URN = f"urn:li:organization:{NUMBER}"
VANITY = "test-town-police"
ADDRESS = f"https://www.linkedin.com/company/{VANITY}/"
VERSIONS = ("202605", "202606", "202607", "202608", "202609")
JSON = {"Content-Type": "application/json", "x-restli-protocol-version": "2.0.0"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/uas/login"><input type="password" name="session_password"></form></html>'
SOCIAL, FEED, ADMIN = "r_organization_social", "r_organization_social_feed", "rw_organization_admin"

_ACTIONS = {"COMMENT", "ADMIN_COMMENT", "COMMENT_EDIT", "COMMENT_DELETE", "LIKE", "SHARE", "SHARE_MENTION"}
_COMPOSITE = re.compile(r"urn:li:comment:\((urn:li:\w+:\d+),(\d+)\)")
_SPAN = re.compile(r"\(start:(\d{13}),end:(\d{13})\)")


class Refused(Exception):
    """One of LinkedIn's refusals."""

    def __init__(self, status: int, code: str, message: str = "", service: int | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.service = status, code, message, service


EXPIRED = Refused(401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired", 65602)
REVOKED = Refused(401, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked", 65601)
INVALID = Refused(401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65600)
DAILY = Refused(
    429,
    "TOO_MANY_REQUESTS",
    "Resource level throttle APPLICATION DAY limit for calls to this resource is reached.",
    101,
)


@dataclass
class Entry:
    """A post. `activity` is the number on which its comments hang."""

    id: str
    activity: str
    words: str
    at: datetime
    content: dict[str, Any] = field(default_factory=dict)
    modified: datetime | None = None
    edited: bool = False
    lifecycle: str = "PUBLISHED"
    comments: str = "OPEN"
    reactions: dict[str, int] = field(default_factory=lambda: {"LIKE": 3})
    reshares: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Said:
    """A comment; `above` is the comment that it answers."""

    number: str
    post: str
    words: str
    at: datetime
    by: str
    above: str | None = None
    changed: datetime | None = None
    likes: int = 0
    content: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Happened:
    """What LinkedIn has to tell."""

    number: int
    action: str
    post: Entry
    comment: str
    at: datetime


class LinkedInWorld(ReadWorld):
    """One page. Use it as a context: its server ends with it."""

    token = "AQX-the+administrator's/token=of-the-page_0123456789"
    secret: ClassVar[Mapping[str, str]] = {
        "access_token": token,
        "refresh_token": "AQW-the-refresh-token-of-the-page",
        "client_id": "77agencyapplication",
        "client_secret": "WPL_AP1.the-secret-of-the-application",
    }

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, Entry] = {}
        self.said: dict[str, Said] = {}
        self.happened: list[Happened] = []
        self.people = {
            "urn:li:person:jo-Public_1": ("Jo", "Public", "jo-public"),
            "urn:li:person:al2": ("Al", "Smith", None),
            "urn:li:person:gone3": ("", "", None),
        }
        self.name, self.tagline = "Test Town Police", "Here for Test Town"
        self.description = "The department's own page."
        self.scopes = {SOCIAL, FEED, ADMIN}
        self.role: str | None = "ADMINISTRATOR"
        self.dead: Refused | None = None
        """What every question is refused with."""
        self.shut: dict[str, Refused] = {}
        """Resources and URNs that are refused."""
        self.together = True
        """Whether several things may be asked for by id at once, as in the standard tier."""
        self.summaries = True
        """Whether comments say how many answers they have."""
        self.decorates = False
        """Whether notices say beside them what the list of posts calls a post."""
        self.answers_below_post = True
        """Whether an answer is found below the post as well, and not below the comment that it answers alone."""
        self.leaves_out = 0
        self.keeps_away: set[str] = set()
        """Comments that are counted, and shown to us nowhere."""
        """So many items of each answer are left out after they were counted off."""
        self.miscounts = 0
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self._number = 7_094_637_247_487_995_000
        self._now = datetime(2026, 4, 10, 8, 0, tzinfo=UTC)

    # --- what happens on the page -------------------------------------------------------------------------

    def _next(self) -> str:
        self._number += 397
        return str(self._number)

    def post(self, words: str, *, kind: str = "share", **more: Any) -> str:
        """The agency publishes something; its URN."""
        name = f"urn:li:{kind}:{self._next()}"
        self.entries[name] = Entry(name, self._next(), words, self.tick(), **more)
        return name

    def say(
        self, post: str, words: str, *, by: str = "urn:li:person:jo-Public_1", to: str | None = None
    ) -> str:
        """Somebody comments on a post, or answers a comment; the comment's number."""
        name = self._next()
        self.said[name] = Said(name, post, words, self.tick(), by, to)
        self._tell("ADMIN_COMMENT" if by == URN else "COMMENT", post, name)
        return name

    def amend(self, name: str, words: str) -> None:
        """A post or a comment is edited."""
        if name in self.entries:
            one = self.entries[name]
            one.words, one.modified, one.edited = words, self.tick(), True
            return
        said = self.said[name]
        said.words, said.changed = words, self.tick()
        self._tell("COMMENT_EDIT", said.post, name)

    def delete(self, name: str, *, tells: bool = True) -> None:
        """A post or a comment is removed, with what stands under it."""
        self.tick()
        if self.entries.pop(name, None) is not None:
            self.said = {one.number: one for one in self.said.values() if one.post != name}
            return
        for one in [one for one in self.said.values() if name in {one.number, one.above}]:
            del self.said[one.number]
            if tells:
                self._tell("COMMENT_DELETE", one.post, one.number)

    def close_comments(self, post: str) -> None:
        """Comments are turned off, which removes them."""
        self.entries[post].comments = "CLOSED"
        self.said = {one.number: one for one in self.said.values() if one.post != post}

    def _tell(self, action: str, post: str, name: str) -> None:
        number = -len(self.happened) if len(self.happened) % 2 else len(self.happened)
        self.happened.append(Happened(number, action, self.entries[post], name, self._now))

    # --- the server ---------------------------------------------------------------------------------------

    @property
    def api(self) -> str:
        """Where the interface is asked for."""
        return f"{self.address}/rest"

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append(target)
        self.headers.append(headers)
        path, _, query = target.partition("?")
        if (troubled := self.disturbed(path)) is not None:
            return troubled
        if path.startswith("/dms/"):
            return PICTURE
        try:
            params = dict(part.split("=", 1) for part in query.split("&") if part)
            return 200, JSON, _written(self._reply(path, params, headers))
        except Refused as refused:
            return refused.status, JSON, self.error(refused)

    def error(self, refused: Refused) -> bytes:
        told: dict[str, Any] = {
            "status": refused.status,
            "code": refused.code,
            "message": refused.message or refused.code,
        }
        if refused.service is not None:
            told["serviceErrorCode"] = refused.service
        return _written(told)

    def _reply(self, path: str, query: dict[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        self._let_in(headers)
        resource, *steps = path.removeprefix("/rest/").split("/")
        for raw in steps:
            _coded(raw)
        names = [unquote(step) for step in steps]
        for shut in (resource, *names):
            if shut in self.shut:
                raise self.shut[shut]
        method = headers.get("X-RestLi-Method", "")
        match resource, names:
            case "organizations", []:
                _strictly(query, {"q", "vanityName"}, method, "FINDER")
                shown = query["q"] == "vanityName" and query["vanityName"] in {VANITY, str(NUMBER)}
                return {"elements": [self._organisation()] if shown and self.name else []}
            case "organizations", [name]:
                _strictly(query, set(), method, "")
                if name != str(NUMBER) or not self.name:
                    raise Refused(404, "NOT_FOUND", f"Organization {name} not found", 0)
                return self._organisation()
            case "organizationAcls", []:
                self._permitted(ADMIN)
                _strictly(query, {"q", "state", "start", "count"}, method, "FINDER")
                return self._list(self._roles(), query, total=False)
            case "posts", []:
                self._permitted(SOCIAL)
                _strictly(query, {"q", "author", "sortBy", "viewContext", "start", "count"}, method, "FINDER")
                return self._posts(query)
            case "posts", [name]:
                self._permitted(SOCIAL)
                _strictly(query, {"viewContext"}, method, "")
                one = self.entries.get(name)
                if one is None or (one.lifecycle != "PUBLISHED" and "viewContext" not in query):
                    raise Refused(404, "NOT_FOUND", f"Post {name} not found", 0)
                return self._post(one)
            case "socialMetadata", _:
                self._permitted(FEED)
                return self._by_ids(names, query, method, self._metadata)
            case "images" | "videos" | "documents", _:
                self._permitted(SOCIAL)
                return self._by_ids(names, query, method, lambda urn: self._file(resource, urn))
            case "people", _:
                return self._by_ids(names, query, method, self._person)
            case "socialActions", [urn, "comments"]:
                self._permitted(FEED)
                _strictly(query, {"start", "count"}, method, "")
                return self._comments(urn, query)
            case "socialActions", [urn, "comments", number]:
                self._permitted(FEED)
                _strictly(query, set(), method, "")
                found = self.said.get(number)
                post, above = self._target(urn)
                below = above if above or not self.answers_below_post else (found.above if found else None)
                if found is None or found.post != post or found.above != below or number in self.keeps_away:
                    raise Refused(404, "NOT_FOUND", f"Comment {number} not found", 0)
                return self._comment(found)
            case "organizationalEntityNotifications", []:
                self._permitted(ADMIN)
                if self.role != "ADMINISTRATOR":
                    raise Refused(403, "ACCESS_DENIED", "Not enough permissions to access", 100)
                known = {"q", "actions", "organizationalEntity", "timeRange", "fields", "start", "count"}
                _strictly(query, known, method, "FINDER")
                return self._notices(query)
            case _:
                raise Refused(404, "RESOURCE_NOT_FOUND", f"No virtual resource found for {resource}", 0)

    def _let_in(self, headers: Mapping[str, str]) -> None:
        """Refuse whoever comes without the headers, with a version that has ended, or without a good token."""
        if headers.get("X-Restli-Protocol-Version") != "2.0.0":
            raise Refused(400, "ILLEGAL_ARGUMENT", "Protocol version 1.0.0 is not supported", 0)
        version = headers.get("LinkedIn-Version")
        if version is None:
            raise Refused(400, "VERSION_MISSING", "A version must be present.")
        if version not in VERSIONS:
            raise Refused(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")
        if self.dead is not None:
            raise self.dead
        bearer = headers.get("Authorization")
        if bearer is None:
            raise Refused(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token", 65600)
        if bearer != f"Bearer {self.token}":
            raise INVALID

    def _permitted(self, scope: str) -> None:
        if scope not in self.scopes or self.role is None:
            raise Refused(403, "ACCESS_DENIED", "Not enough permissions to access this resource", 100)

    # --- lists --------------------------------------------------------------------------------------------

    def _list(
        self, items: Sequence[dict[str, Any]], query: Mapping[str, str], *, total: bool
    ) -> dict[str, Any]:
        start, size = int(query.get("start", 0)), int(query.get("count", 10))
        if not 1 <= size <= 100:
            raise Refused(400, "ILLEGAL_ARGUMENT", "count", 0)
        links = []
        if self.loops or start + size < len(items):
            following = start if self.loops else start + size
            links = [
                {"type": "application/json", "rel": "next", "href": f"/rest/x?start={following}&count={size}"}
            ]
        paging: dict[str, Any] = {"start": start, "count": size, "links": links}
        if total:
            paging["total"] = len(items)
        shown = list(items[start : start + size])
        return {"paging": paging, "elements": shown[: max(0, len(shown) - self.leaves_out)]}

    def _by_ids(
        self,
        names: list[str],
        query: Mapping[str, str],
        method: str,
        told: Callable[[str], dict[str, Any] | None],
    ) -> dict[str, Any]:
        if names:
            _strictly(query, set(), method, "")
            found = told(names[0])
            if found is None:
                raise Refused(404, "NOT_FOUND", f"{names[0]} not found", 0)
            return found
        _strictly(query, {"ids"}, method, "BATCH_GET")
        if not self.together:
            raise Refused(403, "ACCESS_DENIED", "Not enough permissions to access: BATCH_GET", 100)
        wanted = [unquote(_coded(one)) for one in _members(query["ids"])]
        if not 1 <= len(wanted) <= 100:
            raise Refused(400, "ILLEGAL_ARGUMENT", "ids", 0)
        answers = {name: told(name) for name in wanted if name not in self.shut}
        return {
            "results": {name: one for name, one in answers.items() if one is not None},
            "statuses": {},
            "errors": {
                name: {"status": 404, "code": "NOT_FOUND", "message": "not found"}
                for name in wanted
                if answers.get(name) is None
            },
        }

    def _organisation(self) -> dict[str, Any]:
        return {
            "id": NUMBER,
            "$URN": URN,
            "vanityName": VANITY,
            "localizedName": self.name,
            "name": {
                "localized": {"en_US": self.name},
                "preferredLocale": {"country": "US", "language": "en"},
            },
            "tagline": {"localized": {"en_US": self.tagline}},
            "localizedDescription": self.description,
            "localizedWebsite": "https://police.town.example",
            "organizationType": "GOVERNMENT_AGENCY",
            "logoV2": {
                "original": "urn:li:digitalmediaAsset:C4DlogoA",
                "cropped": "urn:li:digitalmediaAsset:C4DlogoB",
            },
            "locations": [],
            "versionTag": str(self.night),
        }

    def _roles(self) -> list[dict[str, Any]]:
        other = {"role": "ADMINISTRATOR", "state": "APPROVED", "organizationTarget": "urn:li:organization:1"}
        return [other, {"role": self.role, "state": "APPROVED", "organization": URN}]

    def _posts(self, query: Mapping[str, str]) -> dict[str, Any]:
        if query["q"] != "author" or unquote(_coded(query["author"])) != URN:
            raise Refused(403, "ACCESS_DENIED", "Not enough permissions to access: GET /posts", 100)
        listed = [
            one
            for one in self.entries.values()
            if one.lifecycle == "PUBLISHED" or query.get("viewContext") == "AUTHOR"
        ]
        by_change = query.get("sortBy", "LAST_MODIFIED") == "LAST_MODIFIED"
        listed.sort(key=lambda one: (one.modified if by_change else None) or one.at, reverse=True)
        return self._list([self._post(one) for one in listed], query, total=False)

    def _post(self, one: Entry) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": one.id,
            "author": URN,
            "commentary": one.words,
            "visibility": "PUBLIC",
            "distribution": {"feedDistribution": "MAIN_FEED", "thirdPartyDistributionChannels": []},
            "lifecycleState": one.lifecycle,
            "lifecycleStateInfo": {"isEditedByAuthor": one.edited},
            "isReshareDisabledByAuthor": False,
            "content": one.content,
            "createdAt": _milliseconds(one.at),
            "lastModifiedAt": _milliseconds(one.modified or one.at),
            **one.more,
        }
        if one.lifecycle == "PUBLISHED":
            told["publishedAt"] = _milliseconds(one.at)
        if one.reshares is not None:
            told["reshareContext"] = {"parent": one.reshares, "root": one.reshares}
        return told

    def _metadata(self, urn: str) -> dict[str, Any] | None:
        one = self.entries.get(urn)
        if one is None:
            return None
        below = [two for two in self.said.values() if two.post == urn]
        return {
            "entity": f"urn:li:activity:{one.activity}",
            "commentsState": one.comments,
            "commentSummary": {
                "count": len(below) + self.miscounts,
                "topLevelCount": sum(two.above is None for two in below),
            },
            "reactionSummaries": {
                name: {"reactionType": name, "count": count} for name, count in one.reactions.items() if count
            },
        }

    def _file(self, resource: str, urn: str) -> dict[str, Any] | None:
        kind = resource.removesuffix("s")
        if not urn.startswith(f"urn:li:{kind}:"):
            raise Refused(400, "ILLEGAL_ARGUMENT", f"{urn} is no {kind}", 0)
        told: dict[str, Any] = {"id": urn, "owner": URN, "status": "AVAILABLE"}
        if urn.endswith("-processing"):
            return told | {"status": "PROCESSING"}
        return told | {
            "downloadUrl": f"{self.address}/dms/{urn.rpartition(':')[2]}?e=17&v=beta&t=night{self.night}",
            "downloadUrlExpiresAt": 1_790_000_000_000 + self.night,
        }

    def _person(self, key: str) -> dict[str, Any] | None:
        if not re.fullmatch(r"\(id:[\w-]+\)", key):
            raise Refused(400, "ILLEGAL_ARGUMENT", "people", 0)
        found = self.people.get(f"urn:li:person:{key[4:-1]}")
        if found is None or not found[0]:
            return None
        vanity = {"vanityName": found[2]} if found[2] else {}
        return {"id": key[4:-1], "localizedFirstName": found[0], "localizedLastName": found[1], **vanity}

    # --- comments -----------------------------------------------------------------------------------------

    def _target(self, urn: str) -> tuple[str, str | None]:
        """The post, and the comment, of which the comments are asked for."""
        number = None
        if (composite := _COMPOSITE.fullmatch(urn)) is not None:
            urn, number = composite[1], composite[2]
        for one in self.entries.values():
            if urn in {one.id, f"urn:li:activity:{one.activity}"}:
                if number is not None and number not in self.said:
                    break
                return one.id, number
        raise Refused(404, "NOT_FOUND", f"{urn} not found", 0)

    def _comments(self, urn: str, query: Mapping[str, str]) -> dict[str, Any]:
        post, above = self._target(urn)
        below = [one for one in self.said.values() if one.post == post and one.above == above]
        below = [one for one in below if one.number not in self.keeps_away]
        if not below:
            raise Refused(404, "NOT_FOUND", "No comments found", 0)
        below.sort(key=lambda one: one.at)
        return self._list([self._comment(one) for one in below], query, total=True)

    def _comment(self, one: Said) -> dict[str, Any]:
        activity = f"urn:li:activity:{self.entries[one.post].activity}"
        answers = sum(two.above == one.number for two in self.said.values())
        ours = {"agent": "urn:li:person:clerk9"} if one.by == URN else {}
        told: dict[str, Any] = {
            "actor": one.by,
            **ours,
            "commentUrn": f"urn:li:comment:({activity},{one.number})",
            "id": one.number,
            "object": activity,
            "created": {"actor": one.by, "time": _milliseconds(one.at)},
            "lastModified": {"actor": one.by, "time": _milliseconds(one.changed or one.at)},
            "message": {"attributes": [], "text": one.words},
            "likesSummary": {"aggregatedTotalLikes": one.likes, "totalLikes": one.likes},
        }
        if one.above is not None:
            told["parentComment"] = f"urn:li:comment:({activity},{one.above})"
        if one.content:
            told["content"] = one.content
        if self.summaries and answers:
            told["commentsSummary"] = {"totalFirstLevelComments": answers, "aggregatedTotalComments": answers}
        return told

    # --- notices ------------------------------------------------------------------------------------------

    def _notices(self, query: Mapping[str, str]) -> dict[str, Any]:
        if query["q"] != "criteria" or unquote(_coded(query["organizationalEntity"])) != URN:
            raise Refused(403, "ACCESS_DENIED", "Not enough permissions to access", 100)
        actions = set(_members(query["actions"]))
        if not actions <= _ACTIONS:
            raise Refused(400, "ILLEGAL_ARGUMENT", f"{actions - _ACTIONS}", 0)
        span = _SPAN.fullmatch(query["timeRange"])
        if span is None:
            raise Refused(400, "ILLEGAL_ARGUMENT", "timeRange", 0)
        fields = re.sub(r":\([^)]*\)", "", query["fields"]).split(",")
        told = [
            {name: one for name, one in self._notice(happened).items() if name in fields}
            for happened in reversed(self.happened)
            if happened.action in actions and int(span[1]) <= _milliseconds(happened.at) <= int(span[2])
        ]
        return self._list(told, query, total=False)

    def _notice(self, one: Happened) -> dict[str, Any]:
        """A notice, which shortens the comment's name."""
        told: dict[str, Any] = {
            "notificationId": one.number,
            "organizationalEntity": URN,
            "action": one.action,
            "sourcePost": f"urn:li:activity:{one.post.activity}",
            "generatedActivity": f"urn:li:comment:(activity:{one.post.activity},{one.comment})",
            "lastModifiedAt": _milliseconds(one.at),
            "subscriber": "urn:li:person:clerk9",
        }
        return told | ({"decoratedSourcePost": {"entity": one.post.id}} if self.decorates else {})

    def delivery(self, *happened: Happened) -> bytes:
        """What LinkedIn sends to the archive's door when these things happened."""
        told = [self._notice(one) for one in happened]
        return _written({"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS", "notifications": told})


def _coded(raw: str) -> str:
    """A value as Rest.li wants it: encoded whole, but for the brackets of its own."""
    inner = raw[4:-1] if raw.startswith("(id:") and raw.endswith(")") else raw
    if quote(unquote(inner), safe="") != inner:
        raise Refused(400, "ILLEGAL_ARGUMENT", f"{raw} is not encoded", 0)
    return raw


def _members(raw: str) -> list[str]:
    if not (raw.startswith("List(") and raw.endswith(")")):
        raise Refused(400, "ILLEGAL_ARGUMENT", f"{raw} is no list", 0)
    return raw[5:-1].split(",")


def _strictly(query: Mapping[str, str], known: set[str], method: str, wanted: str) -> None:
    """Refuse what the reference does not know."""
    if unknown := set(query) - known:
        raise Refused(400, "QUERY_PARAM_NOT_ALLOWED", f"{sorted(unknown)}", 0)
    if method != wanted:
        raise Refused(400, "ILLEGAL_ARGUMENT", f"X-RestLi-Method {method}", 0)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _written(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedLinkedIn(Troubled, LinkedInWorld):
    """A page with a busy post, quiet ones, a poll, a file of each kind, and a late comment on what is old.

    As few as will do, since a pass is broken off at each of its answers.
    """

    def __init__(self, *, standard: bool = True) -> None:
        super().__init__()
        self.together = standard
        self.names = standard

    def __enter__(self) -> Self:
        super().__enter__()
        busy = self.post(
            "Bridge {hashtag|\\#|closed} \\(until six\\) @[Test Town](urn:li:organization:77)",
            content={"media": {"id": "urn:li:image:C4Dbridge", "altText": "A bridge"}},
        )
        first = self.say(busy, "Until when?")
        self.say(busy, "Until six.", by=URN, to=first)
        self.say(busy, "+1", by="urn:li:person:al2", to=first)
        self.say(busy, "+2", by="urn:li:person:al2", to=first)
        self.say(busy, "And the ferry? ⛴", by="urn:li:person:gone3")
        self.tick(days=10)
        self.say(busy, "Thanks")
        self.say(busy, "You fools", by="urn:li:person:al2")
        quiet = self.post(
            "Quiet", kind="ugcPost", content={"media": {"id": "urn:li:video:D5film", "title": "Film"}}
        )
        self.say(quiet, "Nice")
        self.tick(days=32)
        self.say(busy, "Still closed?")
        self.post("No words needed")
        options = [{"text": "Yes", "voteCount": 4}, {"text": "No", "voteCount": 1}]
        self.post(
            "Vote", content={"poll": {"question": "Open later?", "options": options, "uniqueVotersCount": 5}}
        )
        self.tick(days=1)
        self.say(self.post("Library hours", reshares="urn:li:share:99"), "When?", by="urn:li:person:al2")
        return self

    @property
    def page(self) -> Page:
        more = {"names": "yes"} if self.names else {}
        return Page(address=ADDRESS, options={"api": self.api, "page_size": "4", **more})

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.secret

    def shows(self) -> Collection[str]:
        said = [self._named(one) for one in self.said.values()]
        return [URN, *self.entries, *said]

    @property
    def _busy(self) -> Entry:
        return next(iter(self.entries.values()))

    def _named(self, one: Said) -> str:
        return f"{one.post}/{one.number}"

    def publish(self) -> str:
        return self._named(self.said[self.say(self._busy.id, "And now?")])

    def edit(self) -> str:
        edited = next(one for one in self.said.values() if one.above and one.by == URN)
        self.amend(edited.number, f"{edited.words} (corrected)")
        return self._named(edited)

    def remove(self) -> str:
        removed = next(one for one in self.said.values() if "ferry" in one.words)
        self.delete(removed.number)
        return self._named(removed)

    def recount(self) -> None:
        for entry in self.entries.values():
            entry.reactions = {"LIKE": entry.reactions.get("LIKE", 0) + 11, "PRAISE": 2}
        for said in self.said.values():
            said.likes += 11

    def throttle(self, after: int) -> timedelta | None:
        """The limit of a day. LinkedIn names no time."""
        self._will((429, JSON, self.error(DAILY)), after)
        return None

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((500, JSON, self.error(Refused(500, "INTERNAL_SERVER_ERROR", "", 0))), after)

    def revoke(self, after: int) -> None:
        self._will((401, JSON, self.error(REVOKED)), after)
