"""A small Reddit on loopback: one subreddit, one account, who writes there, who moderates, and the Data API before it.

Shapes, refusals and paging follow Reddit's own documentation and what its
clients have recorded. It is strict: a question without `raw_json=1`, with a
parameter that a list does not have, with more than a hundred ids, or without a
program's name is refused. Lists are paged by names and end after
`listed_at_most` things; a tree shows a few comments and says where more are.
What it adds is trouble at will.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.platform_world import PICTURE, Answer, FormWorld, Troubled

SUB, SUB_ID = "testtownpolice", "t5_2town1"
AGENCY, AGENCY_ID = "TestTownPolice", "t2_agency1"
ELSEWHERE, ELSEWHERE_ID = "testtown", "t5_2town2"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
HTML = {"Content-Type": "text/html; charset=UTF-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/login"><input type="password" name="password"></form></html>'

_LIST = frozenset({"limit", "after", "raw_json"})
_KNOWN: Mapping[str, frozenset[str]] = {
    "about": frozenset({"raw_json"}),
    "rules": frozenset({"raw_json"}),
    "wiki": frozenset({"raw_json"}),
    "list": _LIST,
    "sorted": _LIST | {"sort"},
    "tree": frozenset({"limit", "sort", "comment", "raw_json"}),
    "info": frozenset({"id", "raw_json"}),
}


class Refused(Exception):
    """One of Reddit's refusals, in JSON; `scope` as the header that names a lacking permission."""

    def __init__(
        self, status: int, message: str, reason: str = "", *, scope: bool = False, **more: str
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.reason, self.scope, self.more = status, message, reason, scope, more


@dataclass
class Thing:
    """A submission, or with `link` a comment. `gone` is who has taken it away, and how."""

    name: str
    words: str
    by: str
    at: datetime
    title: str = ""
    link: str = ""
    parent: str = ""
    where: str = SUB
    edited: datetime | None = None
    score: int = 7
    gone: str = ""
    """Empty, `author`, `moderator`, `automod_filtered`, `reddit` or one of the categories of Reddit's staff."""
    remover: Any = None
    distinguished: str | None = None
    more: dict[str, Any] = field(default_factory=dict)
    left: bool = False
    """Whether the account that wrote it is no more."""
    blocks: bool = False
    """Whether whoever wrote it has blocked whoever asks."""


class RedditWorld(FormWorld):
    """One subreddit and one account. Use it as a context: its server ends with it."""

    token, client_secret = (
        "eyJhbGciOiJSUzI1NiIsImtpZCI6Ik.moderators-own~permission",
        "sEcret-of+the/application_1",
    )
    granted = "eyJhbGciOiJSUzI1NiIsImtpZCI6Ik.the-applications-own-token-1"
    alone: ClassVar[Mapping[str, str]] = {"client_id": "agencysapp-id_22", "client_secret": client_secret}
    signed_in: ClassVar[Mapping[str, str]] = {
        "access_token": token,
        "refresh_token": "700001-the-refresh-token-of-the-moderator",
        **alone,
    }

    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, Thing] = {}
        self.log: list[dict[str, Any]] = []
        self.title, self.about = "Test Town Police", "The department's own subreddit."
        self.rules = [("Be civil", "No insults."), ("No advertisements", "")]
        self.automoderator: str | None = '---\nbody (includes): ["idiot"]\naction: remove\n'
        self.banned = [("spammer_1", "spam: third time")]
        self.moderates = True
        """Whether whoever has signed in moderates the subreddit."""
        self.scopes = {"read", "history", "modlog", "wikiread"}
        self.dead = False
        """Whether no token is accepted any more."""
        self.expired = 0
        """So many tokens of the application are refused before one is accepted."""
        self.shut: dict[str, Refused] = {}
        """Paths that answer with a refusal."""
        self.suspended = False
        self.cuts_at = 100
        """So many things of a list are shown at once, whatever is asked for."""
        self.shown_at_once = 6
        """So many comments a tree shows at once."""
        self.deep = 3
        """So deep a tree is shown."""
        self.leaves_out: set[str] = set()
        """Comments that `morechildren` leaves out although they are shown."""
        self.listed_at_most = 1000
        self.left = 600.0
        self.resets = 540
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.headers: list[Mapping[str, str]] = []
        self.tokens = 0
        self._number = 0

    # --- what happens on the page -------------------------------------------------------------------------

    def submit(self, title: str, words: str = "", *, by: str = AGENCY, **more: Any) -> str:
        """Somebody submits something; its full name."""
        where = more.pop("where", SUB)
        name = self._name("t3")
        self.things[name] = Thing(name, words, by, self.tick(), title=title, where=where, more=more)
        return name

    def say(self, to: str, words: str, *, by: str = "jo_public", **more: Any) -> str:
        """Somebody answers a submission or a comment; its full name."""
        above = self.things[to]
        name = self._name("t1")
        self.things[name] = Thing(
            name,
            words,
            by,
            self.tick(),
            link=above.link or above.name,
            parent=to,
            where=above.where,
            **more,
        )
        return name

    def amend(self, name: str, words: str) -> None:
        one = self.things[name]
        one.words, one.edited = words, self.tick()

    def take_away(self, name: str, how: str = "moderator", *, by: Any = "mod_one", note: str = "") -> None:
        """A moderator, a filter or Reddit's staff takes something away."""
        one = self.things[name]
        one.gone, one.remover = how, by
        if how in {"moderator", "automod_filtered"}:
            self._act("removelink" if not one.link else "removecomment", one, by, note)

    def approve(self, name: str) -> None:
        one = self.things[name]
        one.gone, one.remover = "", None
        self._act("approvelink" if not one.link else "approvecomment", one, "mod_one", "")

    def delete(self, name: str) -> None:
        """Its author deletes it."""
        self.things[name].gone = "author"

    def _act(self, action: str, one: Thing, by: Any, note: str) -> None:
        self._number += 1
        self.log.append(
            {
                "id": f"ModAction_0000-{self._number:04}",
                "action": action,
                "mod": str(by),
                "mod_id36": "mod1",
                "created_utc": self.tick().timestamp(),
                "details": note or None,
                "description": None,
                "target_fullname": one.name,
                "target_author": one.by,
                "target_title": one.title or None,
                "target_body": one.words or None,
                "target_permalink": self._permalink(one),
                "subreddit": SUB,
                "sr_id36": SUB_ID[3:],
                "subreddit_name_prefixed": f"r/{SUB}",
            }
        )

    def _name(self, kind: str) -> str:
        self._number += 1
        return f"{kind}_1n{self._number:04}"

    # --- the server ---------------------------------------------------------------------------------------

    @property
    def options(self) -> dict[str, str]:
        return {"api": f"{self.address}/oauth", "site": f"{self.address}/www"}

    def answer(self, method: str, target: str, headers: Mapping[str, str], form: dict[str, str]) -> Answer:
        parts = urlsplit(target)
        self.asked.append(target)
        self.forms.append(form)
        self.headers.append(headers)
        if (troubled := self.disturbed(parts.path)) is not None:
            return troubled
        if parts.path.startswith("/media/"):
            return PICTURE
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            if parts.path == "/www/api/v1/access_token":
                return 200, JSON, self._granted(method, headers, form)
            told = self._reply(method, parts.path.removeprefix("/oauth/"), query, headers, form)
        except Refused as refused:
            more = (
                {"WWW-Authenticate": 'Bearer realm="reddit", error="insufficient_scope"'}
                if refused.scope
                else {}
            )
            return refused.status, {**JSON, **more, **self._rate()}, self.error(refused)
        return 200, {**JSON, **self._rate()}, _written(told)

    def error(self, refused: Refused) -> bytes:
        reason = {"reason": refused.reason} if refused.reason else {}
        return _written({**refused.more, **reason, "message": refused.message, "error": refused.status})

    def _rate(self) -> dict[str, str]:
        self.left -= 1
        return {
            "x-ratelimit-used": str(int(600 - self.left)),
            "x-ratelimit-remaining": f"{max(self.left, 0):.1f}",
            "x-ratelimit-reset": str(self.resets),
        }

    def _granted(self, method: str, headers: Mapping[str, str], form: Mapping[str, str]) -> bytes:
        pair = base64.b64encode(f"{self.alone['client_id']}:{self._quoted_secret()}".encode()).decode()
        if headers.get("Authorization") != f"Basic {pair}" or self.dead:
            raise Refused(401, "Unauthorized")
        if method != "POST" or form != {"grant_type": "client_credentials"}:
            return _written({"error": "unsupported_grant_type"})
        self.tokens += 1
        told = {"access_token": self.granted, "token_type": "bearer", "expires_in": 86400, "scope": "*"}
        return _written(told)

    def _quoted_secret(self) -> str:
        return self.client_secret.replace("+", "%2B").replace("/", "%2F")

    def _reply(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        form: Mapping[str, str],
    ) -> Any:
        viewer = self._viewer(headers)
        if path in self.shut:
            raise self.shut[path]
        if query.get("raw_json") != "1":
            raise Refused(400, "Bad Request", "RAW_JSON")
        moderator = viewer == "signed in" and self.moderates
        if path == "api/morechildren":
            return self._more(method, form, moderator=moderator)
        if method != "GET":
            raise Refused(405, "Method Not Allowed")
        kind, told = self._routed(path, query, moderator=moderator, viewer=viewer)
        if unknown := set(query) - _KNOWN[kind]:
            raise Refused(400, "Bad Request", f"unknown {sorted(unknown)}")
        if int(query.get("limit", 25)) > (500 if path.endswith(("about/log",)) or kind == "tree" else 100):
            raise Refused(400, "Bad Request", "limit")
        return told

    def _viewer(self, headers: Mapping[str, str]) -> str:
        """Who asks; whoever comes with nothing, or with what is worth nothing, is refused."""
        if "/" not in headers.get("User-Agent", ""):
            raise Refused(429, "Too Many Requests")
        bearer = headers.get("Authorization")
        if self.dead:
            raise Refused(401, "Unauthorized")
        if bearer == f"Bearer {self.token}":
            return "signed in"
        if bearer == f"Bearer {self.granted}" and self.tokens:
            if self.expired:
                self.expired -= 1
                raise Refused(401, "Unauthorized")
            return "alone"
        raise Refused(401, "Unauthorized")

    def _permitted(self, scope: str) -> None:
        if scope not in self.scopes:
            raise Refused(403, "Forbidden", scope=True)

    def _routed(
        self, path: str, query: Mapping[str, str], *, moderator: bool, viewer: str
    ) -> tuple[str, Any]:
        steps = path.split("/")
        scoped = viewer == "signed in"
        match steps:
            case ["api", "info"]:
                return "info", self._info(query, moderator=moderator)
            case ["comments", short]:
                return "tree", self._tree(f"t3_{short}", query, moderator=moderator)
            case ["user", name, *rest] if name.lower() == AGENCY.lower():
                if scoped and rest != ["about"]:
                    self._permitted("history")
                if rest == ["about"]:
                    return "about", self._account()
                return "sorted", self._page(self._of_the_account(rest), query, moderator=moderator)
            case ["r", name, *rest] if name.lower() == SUB:
                return self._of_the_subreddit(rest, query, moderator=moderator, scoped=scoped)
            case ["r", _, "about"]:
                return "about", self._listing([])
            case _:
                raise Refused(404, "Not Found")

    def _of_the_account(self, rest: Sequence[str]) -> list[Thing]:
        wanted = {"submitted": "t3_", "comments": "t1_"}.get("/".join(rest))
        if wanted is None:
            raise Refused(404, "Not Found")
        return [
            one
            for one in self._newest()
            if one.name.startswith(wanted) and one.by == AGENCY and one.gone != "author"
        ]

    def _of_the_subreddit(
        self, rest: Sequence[str], query: Mapping[str, str], *, moderator: bool, scoped: bool
    ) -> tuple[str, Any]:
        here = [one for one in self._newest() if one.where == SUB]
        if rest[0] in {"about", "wiki"} and len(rest) > 1 and rest[1] != "rules":
            if rest[0] == "wiki" and scoped:
                self._permitted("wikiread")
            if rest[-1] == "log" and scoped:
                self._permitted("modlog")
            if not moderator:
                raise Refused(403, "Forbidden")
        match list(rest):
            case ["about"]:
                return "about", self._subreddit(moderator=moderator)
            case ["about", "rules"]:
                return "rules", self._rules()
            case ["about", "moderators"]:
                people = [
                    {
                        "name": "mod_one",
                        "id": "t2_mod1",
                        "rel_id": "rb_1",
                        "date": 1.7e9,
                        "mod_permissions": ["all"],
                    }
                ]
                return "list", {"kind": "UserList", "data": {"children": people}}
            case ["about", "banned"]:
                people = [
                    {
                        "name": name,
                        "id": f"t2_{name}",
                        "rel_id": "rb_2",
                        "date": 1.7e9,
                        "note": note,
                        "days_left": self.night,
                    }
                    for name, note in self.banned
                ]
                return "list", self._listing(people)
            case ["wiki", "config", "automoderator"]:
                if self.automoderator is None:
                    raise Refused(404, "Not Found", "PAGE_NOT_CREATED")
                by = {"kind": "t2", "data": {"name": "mod_one"}}
                told = {
                    "content_md": self.automoderator,
                    "revision_date": 1.7e9,
                    "revision_by": by,
                    "may_revise": True,
                }
                return "wiki", {"kind": "wikipage", "data": told}
            case ["about", "spam"]:
                removed = [one for one in here if one.gone and one.gone != "author"]
                return "list", self._page(removed, query, moderator=True)
            case ["about", "modqueue"]:
                waiting = [one for one in here if one.gone in {"automod_filtered", "reddit"}]
                return "list", self._page(waiting, query, moderator=True)
            case ["about", "edited"]:
                edited = sorted(
                    (one for one in here if one.edited and not one.gone),
                    key=lambda one: one.edited or one.at,
                    reverse=True,
                )
                return "list", self._page(edited, query, moderator=True)
            case ["about", "log"]:
                return "list", self._logged(query)
            case ["new"]:
                shown = [one for one in here if not one.link and not one.gone]
                return "list", self._page(shown, query, moderator=moderator)
            case ["comments"]:
                shown = [one for one in here if one.link and not one.gone]
                return "list", self._page(shown, query, moderator=moderator)
            case _:
                raise Refused(404, "Not Found")

    # --- lists --------------------------------------------------------------------------------------------

    def _newest(self) -> list[Thing]:
        return sorted(self.things.values(), key=lambda one: (one.at, one.name), reverse=True)

    def _listing(self, children: Sequence[Any], after: str | None = None) -> dict[str, Any]:
        data = {
            "after": after,
            "dist": len(children),
            "modhash": None,
            "geo_filter": "",
            "children": list(children),
            "before": None,
        }
        return {"kind": "Listing", "data": data}

    def _page(self, things: Sequence[Thing], query: Mapping[str, str], *, moderator: bool) -> dict[str, Any]:
        """One answer of a list: what lies after a thing, which need not stand in it any more."""
        listed = list(things)[: self.listed_at_most]
        after = query.get("after")
        if after:
            anchor = self.things[after]
            listed = [one for one in listed if (one.at, one.name) < (anchor.at, anchor.name)]
            if self.loops:
                listed = list(things)
        size = min(int(query.get("limit", 25)), self.cuts_at)
        shown = listed[:size]
        following = shown[-1].name if shown and (len(listed) > size or self.loops) else None
        return self._listing([self._thing(one, moderator=moderator) for one in shown], following)

    def _logged(self, query: Mapping[str, str]) -> dict[str, Any]:
        entries = [{"kind": "modaction", "data": one} for one in reversed(self.log)]
        after = query.get("after")
        names = [one["data"]["id"] for one in entries]
        start = names.index(after) + 1 if after else 0
        size = min(int(query.get("limit", 25)), self.cuts_at)
        shown = entries[start : start + size]
        following = shown[-1]["data"]["id"] if start + size < len(entries) else None
        return self._listing(shown, following)

    def _info(self, query: Mapping[str, str], *, moderator: bool) -> dict[str, Any]:
        names = query.get("id", "").split(",")
        if len(names) > 100:
            raise Refused(400, "Bad Request", "too many")
        shown = [self._thing(self.things[one], moderator=moderator) for one in names if one in self.things]
        shown += [self._subreddit(moderator=moderator) for one in names if one == SUB_ID]
        return self._listing(shown)

    # --- trees --------------------------------------------------------------------------------------------

    def _below(self, name: str, *, moderator: bool) -> list[Thing]:
        """What stands below something, oldest first. What was taken away stands there where something answers it."""
        return [
            one
            for one in sorted(self.things.values(), key=lambda one: (one.at, one.name))
            if one.parent == name
            and (
                not one.gone
                or (moderator and one.gone != "author")
                or self._below(one.name, moderator=moderator)
            )
        ]

    def _tree(self, link: str, query: Mapping[str, str], *, moderator: bool) -> list[Any]:
        if link not in self.things:
            raise Refused(404, "Not Found")
        root = self.things[link]
        start = self.things.get(f"t1_{query.get('comment', '')}")
        listed = (
            [start]
            if start is not None
            and start.link == link
            and (not start.gone or self._below(start.name, moderator=moderator))
            else self._below(link, moderator=moderator)
        )
        left = [self.shown_at_once]
        children = self._shown(listed, start.parent if start else link, 0, left, moderator=moderator)
        return [self._listing([self._thing(root, moderator=moderator)]), self._listing(children)]

    def _shown(
        self, listed: Sequence[Thing], above: str, depth: int, left: list[int], *, moderator: bool
    ) -> list[Any]:
        """The comments of one level, each with those below it, and a mark for those that are left out."""
        if not listed:
            return []
        if depth >= self.deep:
            data = {"count": 0, "name": "t1__", "id": "_", "parent_id": above, "depth": depth, "children": []}
            return [{"kind": "more", "data": data}]
        shown: list[Any] = []
        for number, one in enumerate(listed):
            if left[0] <= 0:
                out = [two.name[3:] for two in listed[number:]]
                data = {
                    "count": len(out) + 3,
                    "name": f"t1_{out[0]}",
                    "id": out[0],
                    "parent_id": above,
                    "depth": depth,
                    "children": out,
                }
                shown.append({"kind": "more", "data": data})
                break
            left[0] -= 1
            told = self._thing(one, moderator=moderator)
            below = self._shown(
                self._below(one.name, moderator=moderator), one.name, depth + 1, left, moderator=moderator
            )
            told["data"] |= {"depth": depth, "replies": self._listing(below) if below else ""}
            shown.append(told)
        return shown

    def _more(self, method: str, form: Mapping[str, str], *, moderator: bool) -> Any:
        """Comments by their ids, with what stands right below each, in one flat list."""
        if (
            method != "POST"
            or set(form) - {"api_type", "link_id", "children", "sort"}
            or form.get("api_type") != "json"
        ):
            raise Refused(400, "Bad Request")
        ids = form.get("children", "").split(",")
        if form.get("link_id") not in self.things:
            raise Refused(403, "Forbidden")
        if len(ids) > 100:
            raise Refused(400, "Bad Request", "too many")
        things: list[Any] = []
        for one in ids:
            thing = self.things.get(f"t1_{one}")
            if (
                thing is None
                or thing.name in self.leaves_out
                or (thing.gone and not moderator and not self._below(thing.name, moderator=False))
            ):
                continue
            if thing.gone == "author" and not self._below(thing.name, moderator=moderator):
                continue
            things.append(self._thing(thing, moderator=moderator))
            out = [two.name[3:] for two in self._below(thing.name, moderator=moderator)]
            if out:
                data = {
                    "count": len(out),
                    "name": f"t1_{out[0]}",
                    "id": out[0],
                    "parent_id": thing.name,
                    "depth": 1,
                    "children": out,
                }
                things.append({"kind": "more", "data": data})
        return {"json": {"errors": [], "data": {"things": things}}}

    # --- things -------------------------------------------------------------------------------------------

    def _thing(self, one: Thing, *, moderator: bool) -> dict[str, Any]:
        said = self._said(one, moderator=moderator)
        words = one.words
        if one.gone == "author":
            words = "[deleted]"
        elif one.gone in {"anti_evil_ops", "copyright_takedown"}:
            words = "[ Removed by Reddit ]"
        elif one.gone and not moderator:
            words = "[removed]"
        elif one.blocks:
            words = "[unavailable]"
        if one.link:
            data = {
                **said,
                "body": words,
                "body_html": f'<div class="md"><p>{words}</p>\n</div>',
                "link_id": one.link,
                "parent_id": one.parent,
                "replies": "",
                "collapsed_reason_code": "DELETED" if one.gone else None,
                "score_hidden": False,
            }
            return {"kind": "t1", "data": data}
        category = {"": None, "author": "deleted"}.get(one.gone, one.gone)
        data = {
            **said,
            "title": one.title,
            "selftext": words if one.words or one.gone else "",
            "selftext_html": f'<div class="md"><p>{words}</p>\n</div>' if words else None,
            "removed_by_category": category,
            "is_self": "url" not in one.more,
            "url": f"https://www.reddit.com{self._permalink(one)}",
            "num_comments": sum(two.link == one.name for two in self.things.values()),
            "num_crossposts": 0,
            "link_flair_text": "Notice",
            "upvote_ratio": 0.97,
            "media": None,
            **({} if one.gone and not moderator else self._expiring(one.more)),
        }
        return {"kind": "t3", "data": data}

    def _said(self, one: Thing, *, moderator: bool) -> dict[str, Any]:
        nobody = one.left or one.gone == "author" or (one.gone and not moderator)
        own = {} if nobody else {"author_fullname": AGENCY_ID if one.by == AGENCY else f"t2_{one.by}"}
        seen = moderator and one.where == SUB
        of_moderators: dict[str, Any] = {
            "can_mod_post": seen,
            "banned_by": one.remover if seen and one.gone not in {"", "author"} else None,
            "banned_at_utc": one.at.timestamp() + 60 if seen and one.gone not in {"", "author"} else None,
            "mod_reports": [],
            "user_reports": [["spam", 1, False, False]] if seen and one.gone else [],
            "num_reports": (1 if one.gone else 0) if seen else None,
            "mod_note": None,
            "mod_reason_title": "Be civil" if seen and one.gone == "moderator" else None,
        }
        if seen:
            of_moderators |= {"removed": one.gone == "moderator", "spam": one.gone == "reddit"}
        return {
            "id": one.name[3:],
            "name": one.name,
            "author": "[deleted]" if nobody else "[unavailable]" if one.blocks else one.by,
            **own,
            "author_flair_text": None,
            "subreddit": one.where,
            "subreddit_id": SUB_ID if one.where == SUB else ELSEWHERE_ID,
            "permalink": self._permalink(one),
            "created_utc": one.at.timestamp(),
            "edited": one.edited.timestamp() if one.edited else False,
            "score": one.score,
            "distinguished": one.distinguished,
            "stickied": False,
            "locked": False,
            "all_awardings": [],
            "total_awards_received": 0,
            **of_moderators,
        }

    def _expiring(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """What a submission holds besides, its addresses signed for this night."""
        return dict(
            json.loads(
                json.dumps(dict(more))
                .replace("SIGNED", f"{self.address}/media")
                .replace("NIGHT", f"s{self.night}")
            )
        )

    def _permalink(self, one: Thing) -> str:
        link = (one.link or one.name)[3:]
        return f"/r/{one.where}/comments/{link}/title/{one.name[3:] + '/' if one.link else ''}"

    def _subreddit(self, *, moderator: bool) -> dict[str, Any]:
        data = {
            "id": SUB_ID[3:],
            "name": SUB_ID,
            "display_name": SUB,
            "title": self.title,
            "public_description": self.about,
            "description": "Call 911 in an emergency.",
            "submit_text": "",
            "subscribers": 250 + self.night,
            "created_utc": 1.6e9,
            "subreddit_type": "public",
            "lang": "en",
            "over18": False,
            "quarantine": False,
            "icon_img": "",
            "community_icon": f"{self.address}/media/icon_1.png?width=256&s=s{self.night}",
            "banner_background_image": f"{self.address}/media/banner_1.png?s=s{self.night}",
            "user_is_moderator": moderator or None,
        }
        return {"kind": "t5", "data": data}

    def _account(self) -> dict[str, Any]:
        if self.suspended:
            return {"kind": "t2", "data": {"name": AGENCY, "is_suspended": True}}
        data = {
            "name": AGENCY,
            "id": AGENCY_ID[3:],
            "created_utc": 1.6e9,
            "link_karma": 100 + self.night,
            "comment_karma": 50,
            "verified": True,
            "icon_img": f"{self.address}/media/face_1.png?s=s{self.night}",
            "subreddit": {"title": self.title, "public_description": self.about, "subscribers": 3},
        }
        return {"kind": "t2", "data": data}

    def _rules(self) -> dict[str, Any]:
        rules = [
            {"kind": "all", "short_name": name, "description": told, "priority": number, "created_utc": 1.6e9}
            for number, (name, told) in enumerate(self.rules)
        ]
        return {"rules": rules, "site_rules": ["Spam"], "site_rules_flow": []}


def _written(told: object) -> bytes:
    return json.dumps(told).encode()


def gallery(*names: str) -> dict[str, Any]:
    """What a submission with a gallery holds besides."""
    return {
        "is_gallery": True,
        "url": "https://www.reddit.com/gallery/1",
        "gallery_data": {
            "items": [
                {"media_id": name, "id": number, "caption": f"Picture {number}"}
                for number, name in enumerate(names)
            ]
        },
        "media_metadata": {
            name: {
                "status": "valid",
                "e": "Image",
                "m": "image/jpg",
                "s": {"u": f"SIGNED/{name}.jpg?width=640&s=NIGHT", "x": 640, "y": 480},
            }
            for name in names
        },
    }


# --- for the promises -------------------------------------------------------------------------------------------


class PromisedReddit(Troubled, RedditWorld):
    """A subreddit with a busy submission, quiet ones, and what was taken away; or an account that submits and answers.

    As few as will do, since a pass is broken off at each of its answers.
    """

    def __init__(self, *, moderator: bool = False, account: bool = False) -> None:
        super().__init__()
        self.moderator, self.account = moderator, account

    def __enter__(self) -> Self:
        super().__enter__()
        self.cuts_at, self.shown_at_once, self.deep = 6, 4, 3
        if self.account:
            self.say(self.submit("Long ago", "By order."), "Still true?", by="al")
            self.tick(days=60)
        busy = self.submit("Bridge closed & <b>", "Until further notice.")
        first = self.say(busy, "Until when?")
        answer = self.say(first, "Until six.", by=AGENCY)
        deep = self.say(answer, "Really?", by="al")
        self.say(deep, "Really.", by=AGENCY)
        for number in range(2):
            self.say(busy, f"+{number}", by="al")
        self.say(busy, "And the ferry? ⛴")
        self.tick(days=5)
        self.take_away(self.say(busy, "You fools", by="al"), note="Be civil")
        rude = self.say(first, "Idiots", by="al")
        self.say(rude, "Steady on.", by=AGENCY)
        self.take_away(rude, "reddit", by=True)
        self.submit("Lost dog", **gallery("dog1", "dog2"))
        self.take_away(
            self.submit("Buy cheap pills", "Here.", by="al"), "automod_filtered", by="AutoModerator"
        )
        self.say(self.submit("Open house", "On Sunday."), "When?", by="al")
        self.tick(days=1)
        self.submit("Library hours", "Nine to five.")
        self.say(self.submit("From the town", by="mayor", where=ELSEWHERE), "Thank you.", by=AGENCY)
        return self

    @property
    def page(self) -> Page:
        where = f"user/{AGENCY}" if self.account else f"r/{SUB}"
        return Page(address=f"https://www.reddit.com/{where}", options=self.options)

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.signed_in if self.moderator else self.alone

    def shows(self) -> Collection[str]:
        own = [AGENCY_ID] if self.account else [SUB_ID, "rules"]
        if self.moderator and not self.account:
            own += ["moderators", "automoderator", "banned", *(f"log:{one['id']}" for one in self.log)]
        return [*own, *(one.name for one in self.things.values() if self._shows(one))]

    def _shows(self, one: Thing) -> bool:
        """Whether the words of something are shown to this connector."""
        if one.gone == "author" or (one.gone and not self.moderator):
            return False
        root = self.things[one.link or one.name]
        if self.account:
            return one.by == AGENCY or (root.by == AGENCY and root.where == SUB)
        return one.where == SUB

    def _busy(self) -> Thing:
        return next(one for one in self.things.values() if one.title.startswith("Bridge"))

    def publish(self) -> str:
        return self.say(self._busy().name, "And now?")

    def edit(self) -> str:
        edited = next(one for one in self.things.values() if one.words == "Until six.")
        self.amend(edited.name, f"{edited.words} (corrected)")
        return edited.name

    def remove(self) -> str:
        removed = next(one for one in self.things.values() if "ferry" in one.words)
        self.delete(removed.name)
        return removed.name

    def conceal(self) -> str:
        """A moderator removes one more comment."""
        removed = next(
            one for one in self.things.values() if not one.gone and one.words in {"When?", "+0", "+1"}
        )
        self.take_away(removed.name)
        return removed.name

    def recount(self) -> None:
        for one in self.things.values():
            one.score += 11

    def throttle(self, after: int) -> timedelta | None:
        headers = {
            **JSON,
            "x-ratelimit-used": "600",
            "x-ratelimit-remaining": "0.0",
            "x-ratelimit-reset": "240",
        }
        self._will((429, headers, self.error(Refused(429, "Too Many Requests"))), after)
        return timedelta(seconds=240)

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((503, HTML, b"<html><body>Our CDN was unable to reach our servers</body></html>"), after)

    def turn_away(self) -> None:
        self.dead = True

    def recover(self) -> None:
        super().recover()
        self.dead = False

    def answer(self, *asked: Any, **more: Any) -> Answer:
        self.left = 600.0
        return super().answer(*asked, **more)
