"""A small wiki on loopback: it keeps pages, revisions and a log, and answers as MediaWiki 1.39 answers.

Shapes, codes and headers were compared with a real one (see tests/live). What
it adds is trouble at will: throttling, a lagging database, a read-only wiki, a
sign-in page, an outage, cut bodies, and answers that lead on without end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

from connectors.contract import Page
from tests.connectors.worlds.loopback import Loopback, Talk

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=UTF-8"}
SIGN_IN = b'<!DOCTYPE html><html><form action="/login"><input type="password" name="pw"></form></html>'
PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
NAMESPACES = {"": 0, "Talk": 1, "User": 2, "User talk": 3, "File": 6, "MediaWiki": 8, "Category": 14}
USERS = {"PressOffice": 3, "Admin": 1, "Al Citizen": 7, "Archivist": 9}
ADMINISTRATOR = ("read", "block", "deletedhistory", "deletedtext", "apihighlimits")


@dataclass
class Revision:
    revid: int
    user: str
    at: datetime
    text: str
    comment: str
    parent: int = 0
    hidden: frozenset[str] = frozenset()
    lost: bool = False
    suppressed: bool = False


@dataclass
class Sheet:
    """One wiki page."""

    number: int
    title: str
    revisions: list[Revision]
    touched: datetime
    protection: list[dict[str, Any]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)

    @property
    def ns(self) -> int:
        return namespace(self.title)


def namespace(title: str) -> int:
    before, colon, _ = title.partition(":")
    return NAMESPACES.get(before, 0) if colon else 0


def associated(title: str) -> str:
    """The talk page of a page, and the page of a talk page."""
    names = {number: name for name, number in NAMESPACES.items()}
    ns = namespace(title)
    bare = title.partition(":")[2] if ns else title
    other = ns - 1 if ns % 2 else ns + 1
    before = names.get(other, f"Namespace {other}")
    return f"{before}:{bare}" if before else bare


class MediaWikiWorld(Loopback):
    """One wiki. Use it as a context: the server ends with it."""

    user, password = "Archivist@archive", "k2m9p4q7r1s8t5u3v6w0x2y4z8a1b3c5"
    client_options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, *, connected: bool = False) -> None:
        self.connected = connected
        self.sitename = "Test City Wiki"
        self.sheets: dict[int, Sheet] = {}
        self.deleted: dict[int, Sheet] = {}
        self.log: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.rights: tuple[str, ...] = ADMINISTRATOR
        self.blocks: list[dict[str, Any]] = []
        self.private = False
        self.accepts_password = True
        self.file_host = ""
        self.script_path = "/w"
        self.names_its_interface = True
        self.outline_at_once, self.words_at_once = 500, 50
        self.settles = timedelta(hours=1)
        """How far the wiki's clock stands after its last change."""
        self.trouble: Callable[[dict[str, str]], Answer | None] | None = None
        """Asked first, with the question; what it answers is sent in the wiki's place."""
        self.altered: Callable[[dict[str, str], dict[str, Any]], None] | None = None
        """What becomes of an answer before it is sent, with the question."""
        self.before: Callable[[dict[str, str]], None] | None = None
        """Called before each answer: the wiki changes while it is read."""
        self.options: dict[str, str] = {}
        self.article = "Road closure"
        self.asked: list[dict[str, str]] = []
        self.cookies: list[str | None] = []
        self._sessions: dict[str, str | None] = {}
        self._now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self._pages, self._revisions, self._logs = 0, 0, 0
        self._cuts = self._loops = False

    # --- what happens on the wiki -------------------------------------------------------------------------

    def tick(self, minutes: int = 1) -> datetime:
        self._now += timedelta(minutes=minutes)
        return self._now

    def write(self, title: str, text: str, user: str = "PressOffice", comment: str = "", **more: Any) -> int:
        """Make a page or edit one; its number."""
        now = self.tick()
        self._revisions += 1
        made = Revision(self._revisions, user, now, text, comment)
        sheet = self.sheet(title)
        if sheet is None:
            self._pages += 1
            sheet = self.sheets[self._pages] = Sheet(self._pages, title, [], now)
        made.parent = sheet.revisions[-1].revid if sheet.revisions else 0
        sheet.revisions.append(made)
        sheet.touched = now
        for name, value in more.items():
            setattr(sheet, name, value)
        return sheet.number

    def sheet(self, title: str) -> Sheet | None:
        return next((sheet for sheet in self.sheets.values() if sheet.title == title), None)

    def revision(self, number: int, place: int = -1) -> Revision:
        return self.sheets[number].revisions[place]

    def hide(self, number: int, place: int, *parts: str, reason: str = "private details") -> None:
        """Hide parts of a revision ("text", "user", "comment"), as `revisiondelete` does; none of them shows it again."""
        self.revision(number, place).hidden = frozenset(parts)
        self.sheets[number].touched = self.tick()
        ids = [self.revision(number, place).revid]
        self.note("delete", "revision", self.sheets[number], reason, {"type": "revision", "ids": ids})

    def delete(self, number: int, reason: str = "off topic") -> int:
        """Delete a page with all its revisions; the number of the log entry."""
        sheet = self.deleted[number] = self.sheets.pop(number)
        self.tick()
        return self.note("delete", "delete", sheet, reason, {})

    def restore(self, number: int) -> None:
        sheet = self.sheets[number] = self.deleted.pop(number)
        sheet.touched = self.tick()
        self.note("delete", "restore", sheet, "a mistake", {})

    def move(self, number: int, title: str, *, redirect: bool = True) -> None:
        sheet = self.sheets[number]
        before = sheet.title
        self.note("move", "move", sheet, "clearer", {"target_ns": namespace(title), "target_title": title})
        sheet.title = title
        self.write(title, sheet.revisions[-1].text, "Admin", f"moved page [[{before}]] to [[{title}]]")
        if redirect:
            self.write(before, f"#REDIRECT [[{title}]]", "Admin")

    def note(
        self, kind: str, action: str, sheet: Sheet, reason: str, params: dict[str, Any], user: str = "Admin"
    ) -> int:
        """An entry in the log."""
        self._logs += 1
        self.log.append(
            {
                "logid": self._logs,
                "ns": sheet.ns,
                "title": sheet.title,
                "pageid": sheet.number if sheet.number in self.sheets else 0,
                "logpage": sheet.number,
                "params": params,
                "type": kind,
                "action": action,
                "user": user,
                "userid": USERS.get(user, 0),
                "timestamp": stamp(self._now),
                "comment": reason,
                "tags": [],
            }
        )
        return self._logs

    def import_into(self, number: int, text: str, minutes_after_the_first: float) -> int:
        """Put a revision made elsewhere into a page's history, behind the first; its number."""
        sheet = self.sheets[number]
        self._revisions += 1
        at = sheet.revisions[0].at + timedelta(minutes=minutes_after_the_first)
        sheet.revisions.append(Revision(self._revisions, "Elsewhere>Jo", at, text, "imported"))
        sheet.revisions.sort(key=lambda one: (one.at, one.revid))
        sheet.touched = self.tick()
        return self._revisions

    def protect(self, number: int, level: str = "sysop") -> None:
        sheet = self.sheets[number]
        sheet.protection = [{"type": "edit", "level": level, "expiry": "infinity"}]
        self.write(sheet.title, sheet.revisions[-1].text, "Admin", f"Protected [[{sheet.title}]]")
        params = {"description": f"[edit={level}] (indefinite)", "cascade": False}
        self.note("protect", "protect", sheet, "vandalism", params)

    def unprotect(self, number: int) -> None:
        sheet = self.sheets[number]
        sheet.protection = []
        self.write(
            sheet.title, sheet.revisions[-1].text, "Admin", f"Removed protection from [[{sheet.title}]]"
        )
        self.note("protect", "unprotect", sheet, "calm again", {})

    def suppress(self, number: int) -> None:
        """Take a page away so that the public log does not tell."""
        self.deleted[number] = self.sheets.pop(number)

    def unsuppress(self, number: int) -> None:
        """Bring it back, of which the public log tells as little."""
        self.sheets[number] = self.deleted.pop(number)

    def upload(self, name: str, content: bytes = PIXEL) -> str:
        """Put a file in the wiki's store; its title."""
        self.files[f"File:{name}"] = content
        return f"File:{name}"

    # --- what a world of the promises does ----------------------------------------------------------------

    @property
    def base(self) -> str:
        return self.address

    @property
    def page(self) -> Page:
        return Page(address=f"{self.base}/wiki/{quote(self.article.replace(' ', '_'))}", options=self.options)

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"user": self.user, "password": self.password} if self.connected else {}

    def shows(self) -> Collection[str]:
        names = {"site"}
        for number in self.sheets:
            names |= {f"page:{number}", f"about:{number}", f"history:{number}"}
        titles = {sheet.title for sheet in self.sheets.values()}
        return names | {f"log:{entry['logid']}" for entry in self.log if entry["title"] in titles}

    def publish(self) -> str:
        if "category" in self.options:
            return f"page:{self.write('Water notice', 'Boil it.', categories=['Category:Notices'])}"
        return f"page:{self.write(f'Talk:{self.article}', 'Which way?', 'Al Citizen')}"

    def edit(self) -> str:
        number = self.write(self.article, "Closed until nine.", comment="time changed")
        return f"page:{number}"

    def remove(self) -> str:
        sheet = self.sheet("Old notice") or self.sheet(self.article)
        assert sheet is not None
        self.delete(sheet.number)
        return f"page:{sheet.number}"

    @property
    def cannot(self) -> Mapping[str, str]:
        lacking = {
            "recount": "a wiki page has no counters but that of its revisions, which an edit alone moves"
        }
        if self.options.get("files") == "no":
            lacking["expire"] = "this page is captured without its files"
        return lacking

    def recount(self) -> None:
        raise AssertionError(self.cannot["recount"])

    def expire(self) -> None:
        self.file_host = "/other"
        for sheet in self.sheets.values():
            sheet.touched = self.tick()

    def throttle(self, after: int) -> timedelta | None:
        self._will(after, refused("ratelimited", "You've exceeded your rate limit.", {"Retry-After": "90"}))
        return timedelta(seconds=90)

    def sign_in(self, after: int) -> None:
        self._will(after, (200, HTML, SIGN_IN))

    def fail(self, after: int) -> None:
        self._will(after, (500, HTML, b"<html>MediaWiki internal error.</html>"))

    def cut(self, after: int) -> None:
        self._will(after, None)
        self._cuts = True

    def revoke(self, after: int) -> None:
        if not self.connected:
            self._will(after, refused("readapidenied", "You need read permission to use this module."))
            return

        def forget(_: dict[str, str], left: list[int]) -> None:
            left[0] -= 1
            if left[0] < 0:
                self.accepts_password = False
                self._sessions.clear()

        counted = [after]
        self.before = lambda asked: forget(asked, counted)

    def loop(self) -> None:
        self._loops = True

    def recover(self) -> None:
        self.trouble, self.before, self._cuts, self._loops = None, None, False, False
        self._left, self.accepts_password = 0, True

    _left = 0

    def _will(self, after: int, says: Answer | None) -> None:
        self._left = after

        def troubled(_: dict[str, str]) -> Answer | None:
            if self._left > 0:
                self._left -= 1
                return None
            return says

        self.trouble = troubled

    # --- the server ---------------------------------------------------------------------------------------

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                parts = urlsplit(self.path)
                self.respond(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)))

            def post(self) -> None:
                sent = dict(parse_qsl(self.body().decode(), keep_blank_values=True))
                self.respond(urlsplit(self.path).path, {**sent, "#": "POST"})

            def respond(self, path: str, asked: dict[str, str]) -> None:
                cutting = world._cuts and world._left == 0
                self.say(*world.answer(path, asked, self.headers.get("Cookie")), cut=cutting)

        return Handler

    # --- its answers --------------------------------------------------------------------------------------

    def answer(self, path: str, asked: dict[str, str], cookie: str | None) -> Answer:
        self.asked.append(asked)
        self.cookies.append(cookie)
        if self.before is not None:
            self.before(asked)
        troubled = self.trouble(asked) if self.trouble else None
        if troubled is not None:
            return troubled
        if path.startswith(("/files/", "/other/")):
            title = "File:" + path.rpartition("/")[2]
            return (
                (200, {"Content-Type": "image/gif"}, self.files[title])
                if title in self.files
                else (404, HTML, b"")
            )
        if path != f"{self.script_path}/api.php":
            link = f'<link rel="EditURI" type="application/rsd+xml" href="//{urlsplit(self.address).netloc}{self.script_path}/api.php?action=rsd"/>'
            link = link if self.names_its_interface else ""
            return (
                200 if path.startswith("/wiki/") else 404,
                HTML,
                f"<!DOCTYPE html><html><head>{link}</head><p>Words</p></html>".encode(),
            )
        session = (
            dict(part.split("=", 1) for part in cookie.split("; ")).get("wiki_session") if cookie else None
        )
        me = self._sessions.get(session) if session else None
        try:
            said, headers = self._interface(asked, session, me)
        except Refused as refusal:
            return refused(refusal.code, refusal.text)
        if self.altered is not None:
            self.altered(asked, said)
        if self._loops and ("list" in asked or asked.get("prop") == "revisions"):
            said["continue"] = {"continue": "-||", "rvcontinue": "again"}
        return 200, {**JSON, **headers}, _json(said)

    def _interface(
        self, asked: dict[str, str], session: str | None, me: str | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        if asked.get("meta") == "tokens":
            fresh = hashlib.sha256(f"session {len(self._sessions)} {len(self.asked)}".encode()).hexdigest()[
                :32
            ]
            self._sessions[fresh] = None
            token = {"query": {"tokens": {"logintoken": f"{fresh}+\\"}}, "batchcomplete": True}
            return token, {"Set-Cookie": f"wiki_session={fresh}; path=/; HttpOnly"}
        if asked.get("action") == "login":
            return self._login(asked, session), {}
        if asked.get("assert") == "user" and me is None:
            raise Refused(
                "assertuserfailed", "You are no longer logged in, so the action could not be completed."
            )
        if self.private and me is None and asked.get("meta") != "tokens":
            raise Refused("readapidenied", "You need read permission to use this module.")
        said = self._query(asked, me)
        said.setdefault("batchcomplete", True)
        if asked.get("curtimestamp"):
            said["curtimestamp"] = stamp(self._now + self.settles)
        return said, {}

    def _login(self, asked: dict[str, str], session: str | None) -> dict[str, Any]:
        if asked.get("#") != "POST":
            raise Refused("mustpostparams", "The following parameter was found in the query string")
        right = (
            session in self._sessions
            and asked.get("lgtoken") == f"{session}+\\"
            and (asked.get("lgname"), asked.get("lgpassword")) == (self.user, self.password)
            and self.accepts_password
        )
        if not right or session is None:
            reason = {
                "code": "wrongpassword",
                "text": "Incorrect username or password entered.",
                "module": "login",
            }
            return {"login": {"result": "Failed", "reason": reason}}
        self._sessions[session] = self.user
        return {"login": {"result": "Success", "lguserid": 9, "lgusername": "Archivist"}}

    def _query(self, asked: dict[str, str], me: str | None) -> dict[str, Any]:
        listed, prop = asked.get("list"), asked.get("prop", "")
        rights = self.rights if me else ("read",)
        if "siteinfo" in asked.get("meta", ""):
            return {"query": self._about(me, rights)}
        if listed is not None:
            return self._list(listed, asked, rights)
        if "deletedrevisions" in prop:
            return self._deleted(asked, rights)
        if "imageinfo" in prop:
            return self._images(asked)
        if prop == "revisions" and "revids" in asked:
            return self._words(asked, rights)
        if prop == "revisions":
            return self._outline(asked, rights)
        return self._infos(asked, rights)

    def _about(self, me: str | None, rights: tuple[str, ...]) -> dict[str, Any]:
        return {
            "general": {
                "mainpage": "Main Page",
                "base": f"{self.base}/wiki/Main_Page",
                "sitename": self.sitename,
                "generator": "MediaWiki 1.39.17",
                "lang": "en",
                "articlepath": "/wiki/$1",
                "scriptpath": self.script_path,
                "script": f"{self.script_path}/index.php",
                "server": self.base,
                "wikiid": "wiki",
                "time": stamp(self._now),
            },
            "rightsinfo": {"url": "", "text": "Public domain"},
            "userinfo": {
                "id": 9 if me else 0,
                "name": "Archivist" if me else "127.0.0.1",
                "rights": [*rights],
            },
        }

    def _named(self, asked: dict[str, str]) -> list[tuple[int | None, str, Sheet | None]]:
        if "pageids" in asked:
            numbers = [int(one) for one in asked["pageids"].split("|")]
            assert len(numbers) <= 50, "MediaWiki refuses more"
            return [(number, "", self.sheets.get(number)) for number in sorted(numbers)]
        titles = asked["titles"].split("|")
        if "redirects" in asked:
            titles = [self._onward(title) for title in titles]
        return [(None, title, self.sheet(title)) for title in titles]

    def _onward(self, title: str) -> str:
        sheet = self.sheet(title)
        text = sheet.revisions[-1].text if sheet else ""
        return text[len("#REDIRECT [[") : -2] if text.startswith("#REDIRECT") else title

    def _infos(self, asked: dict[str, str], rights: tuple[str, ...]) -> dict[str, Any]:
        pages: list[dict[str, Any]] = []
        for number, title, sheet in self._named(asked):
            if sheet is None:
                if number:
                    pages.append({"pageid": number, "missing": True})
                    continue
                lacking: dict[str, Any] = {"ns": namespace(title), "title": title, "missing": True}
                lacking["associatedpage"] = associated(title)
                beside = self.sheet(associated(title))
                if beside is not None:
                    lacking["subjectid" if namespace(title) % 2 else "talkid"] = beside.number
                pages.append(lacking)
                continue
            info: dict[str, Any] = {
                "pageid": sheet.number,
                "ns": sheet.ns,
                "title": sheet.title,
                "contentmodel": "wikitext",
                "pagelanguage": "en",
                "touched": stamp(sheet.touched),
                "lastrevid": sheet.revisions[-1].revid,
                "length": len(sheet.revisions[-1].text),
                "protection": sheet.protection,
                "associatedpage": associated(sheet.title),
                "canonicalurl": f"{self.base}/wiki/{quote(sheet.title.replace(' ', '_'))}",
            }
            beside = self.sheet(associated(sheet.title))
            if beside is not None:
                info["subjectid" if sheet.ns % 2 else "talkid"] = beside.number
            if sheet.revisions[-1].text.startswith("#REDIRECT"):
                info["redirect"] = True
            if "revisions" in asked["prop"]:
                info["revisions"] = [self._revision(sheet.revisions[-1], rights, words=True)]
            pages.append(info)
        return {"query": {"pages": pages}}

    def _outline(self, asked: dict[str, str], rights: tuple[str, ...]) -> dict[str, Any]:
        sheet = self.sheets.get(int(asked["pageids"]))
        if sheet is None:
            return {"query": {"pages": [{"pageid": int(asked["pageids"]), "missing": True}]}}
        assert asked["rvdir"] == "newer"
        begin = int(asked.get("rvcontinue", "0|0").partition("|")[2] or 0)
        rows = sorted(sheet.revisions, key=lambda one: (one.at, one.revid))
        rows = [one for one in rows if one.revid >= begin] if begin else rows
        shown, left = rows[: self.outline_at_once], rows[self.outline_at_once :]
        said: dict[str, Any] = {
            "query": {
                "pages": [
                    {
                        "pageid": sheet.number,
                        "ns": sheet.ns,
                        "title": sheet.title,
                        "revisions": [self._revision(one, rights, words=False) for one in shown],
                    }
                ]
            }
        }
        if left:
            said["continue"] = {"rvcontinue": f"{left[0].at:%Y%m%d%H%M%S}|{left[0].revid}", "continue": "||"}
        return said

    def _words(self, asked: dict[str, str], rights: tuple[str, ...]) -> dict[str, Any]:
        numbers = sorted(int(one) for one in asked["revids"].split("|"))
        assert len(numbers) <= 50, "MediaWiki refuses more"
        begin = int(asked.get("rvcontinue", "0"))
        numbers = [number for number in numbers if number >= begin]
        left = numbers[self.words_at_once :]
        pages, bad = [], {}
        held = {one.revid: (sheet, one) for sheet in self.sheets.values() for one in sheet.revisions}
        by_page: dict[int, list[Revision]] = {}
        for number in numbers[: self.words_at_once]:
            if number in held:
                by_page.setdefault(held[number][0].number, []).append(held[number][1])
            else:
                bad[str(number)] = {"revid": number, "missing": True}
        for number, found in by_page.items():
            sheet = self.sheets[number]
            said = [self._revision(one, rights, words=True) for one in found]
            pages.append({"pageid": number, "ns": sheet.ns, "title": sheet.title, "revisions": said})
        answer: dict[str, Any] = {"query": {"pages": pages, **({"badrevids": bad} if bad else {})}}
        if left:
            answer["continue"] = {"rvcontinue": str(left[0]), "continue": "||"}
        return answer

    def _deleted(self, asked: dict[str, str], rights: tuple[str, ...]) -> dict[str, Any]:
        title = asked["titles"]
        if "deletedtext" not in rights:
            raise Refused(
                "permissiondenied", "You don't have permission to view deleted history information."
            )
        rows = [one for sheet in self.deleted.values() if sheet.title == title for one in sheet.revisions]
        page: dict[str, Any] = {"ns": namespace(title), "title": title, "missing": True}
        if rows:
            page["deletedrevisions"] = [self._revision(one, rights, words=True) for one in rows]
        return {"query": {"pages": [page]}}

    def _revision(self, one: Revision, rights: tuple[str, ...], *, words: bool) -> dict[str, Any]:
        sees = "deletedtext" in rights
        said: dict[str, Any] = {"revid": one.revid, "parentid": one.parent, "minor": False}
        if one.suppressed:
            said["suppressed"] = True
        if "user" in one.hidden:
            said["userhidden"] = True
        if "user" not in one.hidden or sees:
            said |= {"user": one.user, "userid": USERS.get(one.user, 0)}
        said |= {"timestamp": stamp(one.at), "size": len(one.text)}
        if "text" in one.hidden:
            said["sha1hidden"] = True
        else:
            said["sha1"] = hashlib.sha1(one.text.encode(), usedforsecurity=False).hexdigest()
        if words:
            main: dict[str, Any] = {
                "contentmodel": "wikitext",
                "contentformat": "text/x-wiki",
                "content": one.text,
            }
            if one.lost:
                main = {"textmissing": True}
            elif "text" in one.hidden:
                main = {"texthidden": True, **(main if sees else {})}
            said["slots"] = {"main": main}
        if "comment" in one.hidden:
            said["commenthidden"] = True
        if "comment" not in one.hidden or sees:
            said["comment"] = one.comment
        return {**said, "tags": []}

    def _images(self, asked: dict[str, str]) -> dict[str, Any]:
        sheet = self.sheets.get(int(asked["pageids"]))
        if sheet is None:
            return {}
        titles = sheet.files if "generator" in asked else [sheet.title]
        pages = []
        for title in titles:
            if title not in self.files:
                pages.append({"ns": 6, "title": title, "missing": True, "imagerepository": ""})
                continue
            content = self.files[title]
            info: dict[str, Any] = {
                "timestamp": stamp(self._now),
                "size": len(content),
                "url": f"{self.base}{self.file_host or '/files'}/{title.partition(':')[2]}",
                "sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
                "mime": "image/gif",
            }
            if content == b"":
                info = {"timestamp": stamp(self._now), "filehidden": True}
            pages.append({"ns": 6, "title": title, "imagerepository": "local", "imageinfo": [info]})
        return {"query": {"pages": pages}} if pages else {}

    def _list(self, listed: str, asked: dict[str, str], rights: tuple[str, ...]) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        if listed == "logevents":
            rows = [one for one in self.log if asked.get("letitle") in {None, one["title"]}]
            rows = [one for one in rows if asked.get("letype") in {None, one["type"]}]
            rows = rows if asked.get("ledir") == "newer" else rows[::-1]
        elif listed == "categorymembers":
            if not asked["cmtitle"].startswith("Category:"):
                raise Refused("invalidcategory", "The category name you entered is not valid.")
            rows = [
                {"pageid": one.number, "ns": one.ns, "title": one.title}
                for one in self.sheets.values()
                if asked["cmtitle"] in one.categories
            ]
        elif listed == "usercontribs":
            rows = [
                {"userid": 3, "user": revision.user, "pageid": one.number, "ns": one.ns, "title": one.title}
                for one in self.sheets.values()
                for revision in one.revisions
                if revision.user == asked["ucuser"]
            ]
        elif listed == "allpages":
            rows = [
                {"pageid": one.number, "ns": one.ns, "title": one.title}
                for one in self.sheets.values()
                if one.ns == int(asked["apnamespace"])
            ]
        elif listed == "blocks":
            rows = self.blocks
        return {"query": {listed: rows}}


class Refused(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code, self.text = code, text


def refused(code: str, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal as MediaWiki says it: status 200, the code in a header and in the body."""
    said = {
        "errors": [{"code": code, "text": text, "module": "main"}],
        "docref": "See /api.php for API usage.",
    }
    return 200, {**JSON, "MediaWiki-API-Error": code, **(headers or {})}, _json(said)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: object) -> bytes:
    """As PHP writes it in this format: no spaces, characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
