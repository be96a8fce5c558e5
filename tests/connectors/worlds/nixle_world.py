"""Nixle on loopback: an agency's feed, its page, its alerts' pages and short links, and the mails it sends.

The shapes are those that Nixle's server writes: RSS 2.0 as Django makes it, the
list `ol#wire` with relative times, an alert's page with its absolute time, and
mails whose HTML wraps every link to count clicks. Addresses of e-mail on pages
are hidden otherwise at each answer, as the network before Nixle hides them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

from connectors.contract import Page
from connectors.nixle.links import Hosts
from connectors.text import plain
from tests.connectors.worlds.imap_world import MailServer, certificates
from tests.connectors.worlds.loopback import Loopback, Talk

Answer = tuple[int, dict[str, str], bytes]

AGENCY = "Harbor Valley Police Department"
SLUG = "harbor-valley-police-department"
NUMBER = "3726"
USER, PASSWORD = "alerts@town.example", "correct-horse-battery"
HTML = b"<!DOCTYPE html><html><form action='/sign-in'><input type='password'></form></html>"
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTVWXY"


@dataclass
class Alert:
    number: int
    headline: str
    body: str
    """In HTML."""
    at: datetime
    urgency: str = "Advisory"
    public: bool = True
    """Whether feed and list show it; what was sent to a private group is mailed, and read by its link alone."""

    @property
    def code(self) -> str:
        left, code = self.number, ""
        while left:
            left, digit = divmod(left, 30)
            code = _ALPHABET[digit] + code
        return code


class NixleWorld(Loopback):
    """One agency at Nixle. Use it as a context: its servers end with it. `routes` are those that the page's options open."""

    def __init__(self, *routes: str, window: int = 4, part: int = 3, **options: str) -> None:
        self.routes, self.window, self.size = routes, window, part
        self.more = options
        self.agency = AGENCY
        self.alerts: dict[int, Alert] = {}
        self.short_links = False
        """Whether the feed names alerts by their short links only."""
        self.mails = True
        """Whether what is published is mailed."""
        self.cuts_descriptions = 0
        """None of the feed's descriptions is longer than this, if it is not 0."""
        self.mail = MailServer(USER, PASSWORD)
        self.trouble: str | None = None
        self.patience = 0
        self.circles = False
        self.before: Callable[[str], None] | None = None
        self.asked: list[str] = []
        self.other: dict[str, Answer] = {}
        self._now = datetime(2026, 5, 20, 16, 0, tzinfo=UTC)
        self._number = 12653370
        self._stack = ExitStack()
        self._hidden = 0

    # --- what happens -------------------------------------------------------------------------------------

    def tick(self, minutes: int = 7) -> datetime:
        self._now += timedelta(minutes=minutes)
        return self._now

    def issue(self, headline: str, body: str, **more: Any) -> Alert:
        """Publish an alert, and mail it."""
        self._number += 9
        alert = Alert(self._number, headline, body, self.tick(), **more)
        self.alerts[alert.number] = alert
        if self.mails:
            self.send(alert)
        return alert

    def send(self, alert: Alert, **more: Any) -> int:
        """Mail an alert; the UID of the message."""
        at = alert.at + timedelta(seconds=4)
        return self.mail.deliver(self.message(alert, at=at, **more), at + timedelta(seconds=2))

    def message(
        self,
        alert: Alert,
        *,
        at: datetime,
        sender: str | None = None,
        issued_by: str | None = None,
        permalink: str | None = None,
        subject: str | None = None,
        only: str = "",
        charset: str = "utf-8",
    ) -> bytes:
        """An alert as it is mailed, byte for byte; `only` "plain" or "html" leaves the other part out."""
        permalink = permalink or f"{self.address}/alert/{alert.number}/?sub_id=0"
        issued = f"{alert.urgency} Message has been issued by the {issued_by or self.agency}."
        lines = [textwrap.fill(part.replace("\n", " "), 72) for part in plain(alert.body).split("\n\n")]
        text = "\n\n".join(
            [
                "Dear Nixle User,",
                issued,
                *lines,
                f"View this message on the web at {permalink}.",
                "To change your settings, visit https://local.nixle.com/settings/subscription/10732/.",
            ]
        )
        wrapped = f"https://67m3dv8f.r.us-east-1.awstrack.me/L0/{quote(permalink, safe=':=')}/1/0100-x/abc"
        html = (
            f"<html><body><p>Dear Nixle User,</p><p>{escape(issued)}</p>{alert.body}"
            f'<p>For full details, <a href="{escape(wrapped)}">view this message on the web</a>.</p></body></html>'
        )
        message = EmailMessage()
        message["Received"] = "from a.emails.nixle.com (a.emails.nixle.com [192.0.2.7])"
        message["DKIM-Signature"] = "v=1; a=rsa-sha256; d=emails.nixle.com; s=one; b=AAAA"
        message["From"] = sender or f'"{self.agency}" <{SLUG}@emails.nixle.com>'
        message["To"] = USER
        message["Subject"] = subject or f"{alert.urgency} Message: {alert.headline}"
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{alert.number}.{int(at.timestamp())}@emails.nixle.com>"
        message["X-Forwarded-With"] = PASSWORD  # a server that tells what nobody should tell
        if only != "html":
            message.set_content(text, charset=charset)
        if only == "html":
            message.set_content(html, subtype="html", charset=charset)
        elif only != "plain":
            message.add_alternative(html, subtype="html", charset=charset)
        return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def shown(self) -> list[Alert]:
        """What the public sees, newest first."""
        return sorted(
            (one for one in self.alerts.values() if one.public), key=lambda one: one.at, reverse=True
        )

    # --- the servers --------------------------------------------------------------------------------------

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                self.say(*world.answer(self.path), cut=world.troubled and world.trouble == "cut")

        return Handler

    def __enter__(self) -> Self:
        super().__enter__()
        self._stack.enter_context(self.mail)
        self.mail.trouble = self._mail_trouble
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        super().__exit__()

    @property
    def troubled(self) -> bool:
        return self.patience < 0

    def _mail_trouble(self, command: str) -> str | None:
        """Signing in counts as no answer, and goes wrong where the answer after it would."""
        counts = command in {"EXAMINE", "UID SEARCH", "UID FETCH"}
        self.patience -= counts
        begun = self.troubled if counts else self.patience <= 0
        words = {"throttle": "limit", "fail": "unavailable", "sign_in": "html"}
        return words.get(self.trouble, self.trouble) if self.trouble and begun else None

    @property
    def hosts(self) -> Hosts:
        host = urlsplit(self.address).netloc
        return Hosts(
            feeds=self.address,
            local=self.address,
            short=f"{self.address}/us",
            alerts=[host],
            feed_hosts=[host],
        )

    def answer(self, target: str) -> Answer:
        self.asked.append(target)
        self.patience -= 1
        if self.before is not None:
            self.before(target)
        if self.troubled and self.trouble:
            match self.trouble:
                case "throttle":
                    return 429, {} if "mail" in self.routes else {"Retry-After": "7200"}, b""
                case "fail":
                    return 500, {}, b"trouble"
                case "sign_in":
                    return 200, {"Content-Type": "text/html"}, HTML
                case "forbid":
                    return 403, {"cf-mitigated": "challenge"}, b"<title>Just a moment...</title>"
                case _:
                    pass  # "cut" is done while answering
        return self._answer(target)

    def _answer(self, target: str) -> Answer:
        parts = urlsplit(target)
        path = parts.path.strip("/").split("/")
        if parts.path in self.other:
            return self.other[parts.path]
        if parts.path == f"/pubs/feeds/latest/{NUMBER}/":
            return 200, {"Content-Type": "application/rss+xml; charset=utf-8"}, self.feed()
        if path[0] == SLUG:
            return self._list(int(dict(parse_qsl(parts.query)).get("page", "1")))
        if path[0] == "alert" and path[1].isdigit():
            alert = self.alerts.get(int(path[1]))
            if alert is not None:
                return 200, {"Content-Type": "text/html; charset=utf-8"}, self.page_of(alert)
        if path[0] == "us":
            for alert in self.alerts.values():
                if alert.code == path[1]:
                    return 302, {"Location": f"{self.address}/alert/{alert.number}/"}, b""
        return 404, {"Content-Type": "text/html"}, b"<html><title>Page not found : Nixle</title></html>"

    # --- what they show -----------------------------------------------------------------------------------

    def feed(self) -> bytes:
        shown = self.shown()[: self.window]
        items = []
        for one in shown:
            link = (
                f"{self.address}/us/{one.code}" if self.short_links else f"{self.address}/alert/{one.number}/"
            )
            told = one.body
            if self.cuts_descriptions:
                told = plain(one.body)[: self.cuts_descriptions] + "..."
            items.append(
                f"<item><title>{escape(one.headline)}</title><link>{link}</link>"
                f"<description>{escape(told)}</description><pubDate>{format_datetime(one.at)}</pubDate>"
                f"<guid>{link}</guid></item>"
            )
        newest = format_datetime(max([one.at for one in shown], default=self._now))
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">'
            f"<channel><title>{escape(self.agency)}</title><link>{self.address}/{SLUG}/</link>"
            f"<description>Messages from {escape(self.agency)}</description>"
            f'<atom:link href="{self.address}/pubs/feeds/latest/{NUMBER}/" rel="self"></atom:link>'
            f"<language>en-us</language><lastBuildDate>{newest}</lastBuildDate>{''.join(items)}</channel></rss>"
        ).encode()

    def _list(self, number: int) -> Answer:
        shown = self.shown()
        rows = (
            shown[(number - 1) * self.size : number * self.size] if not self.circles else shown[: self.size]
        )
        if not rows and number > 1:
            return 404, {"Content-Type": "text/html"}, b"<html><title>Page not found : Nixle</title></html>"
        items = "\n".join(
            f'    <li id="pub_{one.number}" class="first">\n        <div class="wrapper"><div class="wire_priority">\n'
            f'            <span class="priority {one.urgency.lower()}">{one.urgency}</span>\n'
            '        </div><div class="wire_content">\n        <h2 class="time">Entered: 5 days, 1 hour ago</h2>\n'
            f'        <p class="headline_agency">{escape(one.headline)} '
            f'<a href="https://nixle.us/{one.code}">More&nbsp;&raquo;</a> </p>\n        </div></div>\n    </li>'
            for one in rows
        )
        later = (
            f'<div class="pagination"><a href="?page={number + 1}" class="next">next &rsaquo;&rsaquo;</a></div>'
            if self.circles or len(shown) > number * self.size
            else ""
        )
        page = (
            f"<html><head><title>Messages from {escape(self.agency)} : Nixle</title></head><body>\n"
            f'<ol id="wire" class="clearfix">\n{items}\n</ol>\n{later}</body></html>'
        )
        return 200, {"Content-Type": "text/html; charset=utf-8"}, page.encode()

    def page_of(self, alert: Alert) -> bytes:
        local = alert.at - timedelta(hours=7)
        half = "a.m." if local.hour < 12 else "p.m."
        suffix = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}.get(local.day, "th")
        when = (
            f"{local:%A} {local:%B} {local.day}{suffix}, {local.year} :: "
            f"{local.hour % 12 or 12}:{local.minute:02d} {half} PDT"
        )
        title = f"&ldquo;{escape(alert.headline)}&rdquo; from {escape(self.agency)} : Nixle"
        return (
            f"<html><head><title>{title}</title></head><body>\n"
            '<div class="hd clearfix" id="fullpubhd">\n    <dl class="first"><dd class="certified">'
            f'<a href="/{SLUG}/">{escape(self.agency)}</a></dd></dl>\n'
            f'    <dl class="last clearfix">\n        <dd>{when}</dd>\n    </dl>\n</div>\n'
            '<div class="full_message_info">\n    <div class="clearfix"></div>\n'
            f'    <span class="priority {alert.urgency.lower()}">{alert.urgency}</span>\n'
            f'    <h2 style="float: left; width:475px;">{escape(alert.headline)}</h2>\n'
            f'    <div id="alert-body">\n        {self._hiding(alert.body)}\n    </div>\n'
            '    <p class="agency first_agency"><strong>Address/Location</strong><br />1 Harbor Way</p>\n'
            "</div>\n</body></html>"
        ).encode()

    def _hiding(self, body: str) -> str:
        """Hide the one address that an alert may name, with another key each time."""
        self._hidden = self._hidden % 250 + 1
        coded = bytes([self._hidden, *(one ^ self._hidden for one in b"press@town.example")]).hex()
        return body.replace(
            "press@town.example",
            f'<a href="/cdn-cgi/l/email-protection#{coded}"><span class="__cf_email__" data-cfemail="{coded}">'
            "[email&#160;protected]</span></a>",
        )


class PromisedNixle(NixleWorld):
    """A world for `ConnectorPromises`: a few alerts, the newest in the feed, and one that was only mailed."""

    def __init__(self, *routes: str, alerts: int = 4, **more: Any) -> None:
        super().__init__(*routes, **({"window": alerts - 1, "part": alerts - 1} | more))
        self._few = alerts

    def __enter__(self) -> Self:
        super().__enter__()
        for number in range(self._few):
            self.issue(
                f"Road closed on Pier {number}",
                f"<p>Harbor Street is closed at Pier {number}.<br />Use &ldquo;Mole Road&rdquo; instead.</p>"
                "<p>Contact: press@town.example</p>",
                urgency=("Alert", "Advisory", "Community")[number % 3],
            )
            if number == 1 and "mail" in self.routes:
                self.issue("Drill for the neighborhood watch", "<p>Tonight at eight.</p>", public=False)
        return self

    @property
    def base(self) -> str:
        return self.address

    @property
    def page(self) -> Page:
        options = {"agency": AGENCY} | self.more
        if "feed" in self.routes:
            options["agency_id"] = NUMBER
        if "mail" in self.routes:
            options["mailbox"] = self.mail.host
        if "page" in self.routes:
            options["permission"] = "Everbridge, letter of 3 March 2026"
        return Page(address=f"{self.address}/{SLUG}/", options=options)

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"user": USER, "password": PASSWORD} if "mail" in self.routes else {}

    @property
    def client_options(self) -> Mapping[str, Any]:
        return {"allow_hosts": ["127.0.0.1"], "tls": certificates()[1]}

    @property
    def cannot(self) -> Mapping[str, str]:
        reasons = {
            "recount": "Nixle counts nothing",
            "expire": "files of an alert are not fetched",
        }
        if "mail" not in self.routes or len(self.routes) > 1:
            reasons["revoke"] = "feeds and pages are public: there are no credentials to refuse"
        if "page" not in self.routes:
            reasons["loop"] = "only the agency's page is read part by part"
        if self.routes == ("mail",):
            sent = "a mail stays as it was sent"
            reasons |= {"edit": sent, "remove": sent}
        return reasons

    def shows(self) -> Collection[str]:
        seen = self.shown()
        if "page" not in self.routes:
            seen = seen[: self.window]
        if "mail" in self.routes:
            seen = list(self.alerts.values())
        return ["profile", *(str(one.number) for one in seen)]

    def publish(self) -> str:
        return str(self.issue("Boil water", "<p>Boil tap water for three minutes.</p>").number)

    def edit(self) -> str:
        newest = self.shown()[0]
        newest.body += "<p>UPDATE: the road is open again.</p>"
        return str(newest.number)

    def remove(self) -> str:
        second = self.shown()[1]
        del self.alerts[second.number]
        return str(second.number)

    def recount(self) -> None:
        raise AssertionError("see `cannot`")

    def expire(self) -> None:
        raise AssertionError("see `cannot`")

    def throttle(self, after: int) -> timedelta | None:
        self._begin("throttle", after)
        return None if "mail" in self.routes else timedelta(hours=2)

    def sign_in(self, after: int) -> None:
        self._begin("sign_in", after)

    def cut(self, after: int) -> None:
        self._begin("cut", after)

    def fail(self, after: int) -> None:
        self._begin("fail", after)

    def revoke(self, after: int) -> None:
        self._begin("revoke", after)

    def loop(self) -> None:
        self.circles = True

    def recover(self) -> None:
        self.trouble, self.circles, self.patience = None, False, 0

    def _begin(self, trouble: str, after: int) -> None:
        self.trouble, self.patience = trouble, after
