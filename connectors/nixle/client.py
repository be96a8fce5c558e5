"""Everbridge Nixle: one agency's alerts, by its feed, by mail, and by its page.

Nixle has no interface for programs. Three routes lead to an alert, chosen by
the page's options; its number (in its permalink) is the same by each, so the
record is one. In what order they are read is decided by what can be told:

1. the page, which shows each alert whole, where it may be read;
2. the feed, a first time, so that an alert which a mail shows too has the
   feed's words (only where mails are read);
3. the mails that came since the last pass;
4. the feed, to the end: by now every mail was read that could explain an alert
   that the feed does not show, so that what is missing from it can be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import ClassVar

from connectors.contract import Batch, ByHand, Cursor, Field, Finding, Kind, Manifest, Page, Sighting
from connectors.errors import AccessRevoked, ConnectorError, NoSuchPage, TryAgainLater
from connectors.mailbox import Mailbox, MailClient
from connectors.nixle.feeding import Feeding
from connectors.nixle.gathering import Gathering
from connectors.nixle.links import NIXLE, Hosts
from connectors.nixle.mailing import Mailing
from connectors.nixle.paging import Paging
from connectors.nixle.place import Place
from connectors.nixle.seeing import Seeing
from connectors.nixle.setting import SAID, Setting


class Nixle:
    """An agency at Nixle. `secret`, where mails are read: `user`, and `password` or `access_token`."""

    manifest: ClassVar[Manifest] = Manifest(
        name="nixle",
        title="Everbridge Nixle",
        platform="nixle",
        route="feed, mail and page",
        captures={
            "profile": "the agency's name and how its feed introduces it; by mail alone, the sender's name",
            "posts": "every alert that the feed shows, that was mailed to the agency's mailbox, or that the "
            "agency's page shows where it may be read; seen by several of them, it is one record",
            "edits": "by comparing what the feed or the alert's page shows; a mail shows an alert as it was sent",
            "deletions": "missing from the feed while older ones are shown; gone where the alert's own page "
            "answers 404, which is asked only with the option `permission`",
        },
        blind_spots=(
            "What left the feed before a pass saw it, and was not mailed: Nixle shows about twenty alerts there.",
            "Alerts to private groups, unless the mailbox is subscribed to that group: the feed has none of them.",
            "Alerts of the time before the mailbox was subscribed, as far as feed and page show them no more.",
            (
                "Whether a mail was really sent by Nixle: its sender is compared, and its signature (DKIM, DMARC) is "
                "kept and not verified. Who may write to that mailbox can invent an alert that only mail shows."
            ),
            "Whether an alert that only mail showed still stands, or was changed since: a mail stays as it was sent.",
            "Without the option `permission`: whether an alert that is missing from the feed is gone.",
            "When an alert was changed, and what was changed twice between two passes.",
            "Changes of layout, punctuation in another route's words, and of the addresses behind links.",
            "Files and pictures of an alert: a mail's are kept with its bytes, a page's are not fetched.",
            "Texts to telephones, calls and app notices, and who received an alert: Nixle shows none of it.",
        ),
        needs=(
            "The agency's number at Nixle, for its feed; nothing else, feeds are public.",
            (
                "For mails: a mailbox that the agency subscribed to its own alerts, with its user name and an "
                "application password (or an access token), reachable by IMAP with TLS."
            ),
            "For the page: the agency's or Everbridge's written permission, recorded in the option `permission`.",
        ),
        options=SAID,
        legal_basis="Nixle's terms for residents forbid reading its web pages by machine; feeds and alert mails are "
        "meant to be read so. The agency is Everbridge's customer and can ask for its data, or permit its own page.",
        sign_in=ByHand(
            fields=(
                Field(name="user", title="User name of the mailbox", required=False, shown=True),
                Field(
                    name="password",
                    title="Application password of the mailbox",
                    help="Not the password that a person signs in with.",
                    required=False,
                ),
                Field(
                    name="access_token",
                    title="Access token of the mailbox",
                    help="Instead of a password, where the mail service admits none (XOAUTH2).",
                    required=False,
                ),
            ),
            steps=(
                "Make a mailbox that is used for nothing else, and an application password for it.",
                "Subscribe its address to the agency's alerts at Nixle, with every group that is to be kept.",
                "Enter the user name and the application password here, and the server in the option `mailbox`.",
            ),
        ),
    )

    def __init__(
        self, http: MailClient, secret: Mapping[str, str] | None = None, *, hosts: Hosts = NIXLE
    ) -> None:
        self._http, self._hosts = http, hosts
        self._secret: Mapping[str, str] = secret if secret is not None else {}

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read every route once, in the order that the module's beginning gives."""
        setting = Setting.of(page, self._hosts)
        with ExitStack() as stack:
            seeing = self._seeing(stack, setting, Place.read(since, page.address))
            seeing.forget_after(self._http.now())
            paging = Paging(seeing, self._http.now) if setting.permitted else None
            mailing = Mailing(seeing, self._letters(stack, setting)) if setting.mailed else None
            feeding = (
                Feeding(seeing, self._http.now, paging.standing if paging else None) if setting.fed else None
            )
            if paging is not None:
                yield from paging.batches()
            if mailing is not None:
                if feeding is not None:
                    yield feeding.batch(ends=False)
                yield from mailing.batches()
            if feeding is not None:
                yield feeding.batch(ends=True)

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each alert's own page, where it may be read; otherwise nobody can be asked."""
        setting = Setting.of(page, self._hosts)
        if not setting.permitted:
            return
        with ExitStack() as stack:
            seeing = self._seeing(stack, setting, Place(page=page.address))
            paging = Paging(seeing, self._http.now)
            for kind, native_id in native_ids:
                if kind is Kind.POST and native_id.isdecimal():
                    sightings: list[Sighting] = []
                    with seeing.gathering.about("how it stands", native_id, unread=False) as asked:
                        sightings = [paging.standing(native_id)]
                    gaps = [asked.gap] if asked.gap is not None else []
                    yield seeing.gathering.batch(seeing.place.cursor(), sightings=sightings, gaps=gaps)

    def check(self, page: Page) -> Iterator[Finding]:
        """Ask each route once: whether it is there, whether it is this agency's, and whether anything comes by it."""
        try:
            setting = Setting.of(page, self._hosts)
        except NoSuchPage as fault:
            yield Finding(what="The page's address and options", fine=False, remedy=str(fault))
            return
        if not setting.agency:
            yield Finding(
                what="The agency's name is not given",
                fine=False,
                remedy="Set the option `agency` to the name as Nixle prints it, so that another agency's feed or page "
                "is never taken for this one.",
            )
        with ExitStack() as stack:
            seeing = self._seeing(stack, setting, Place(page=page.address))
            if setting.fed:
                yield self._checked_feed(Feeding(seeing, self._http.now), setting)
            if setting.mailed:
                yield from self._checked_mailbox(seeing, setting)
            if setting.permitted:
                yield self._checked_page(Paging(seeing, self._http.now), setting)

    def _checked_feed(self, feeding: Feeding, setting: Setting) -> Finding:
        what = f"The feed of the agency {setting.agency_id}"
        try:
            _, feed = feeding.ask()
        except TryAgainLater:
            raise
        except ConnectorError as fault:
            return Finding(what=what, fine=False, remedy=str(fault))
        return Finding(what=f"{what} is of {feed.title} and shows {len(feed.items)} alerts", fine=True)

    def _checked_mailbox(self, seeing: Seeing, setting: Setting) -> Iterator[Finding]:
        what = f"The folder {setting.folder} of the mailbox at {setting.mailbox}"
        with ExitStack() as stack:
            try:
                mailing = Mailing(seeing, self._letters(stack, setting))
                mailing.open()
                found = mailing.search("ALL")[-100:]
                ours = mailing.ours(found) if found else []
            except TryAgainLater:
                raise
            except ConnectorError as fault:
                yield Finding(what=what, fine=False, remedy=str(fault))
                return
        yield Finding(what=f"{what} can be read", fine=True)
        remedy = (
            "Subscribe the mailbox's address to the agency's alerts, and see that no rule moves them to another folder. "
            f"Of {len(found)} messages of Nixle there, none names the agency: compare the option `agency` with a "
            "message's sender."
        )
        yield Finding(
            what=f"{len(ours)} of the newest messages there are alerts of the agency",
            fine=bool(ours),
            remedy="" if ours else remedy,
        )

    def _checked_page(self, paging: Paging, setting: Setting) -> Finding:
        what = f"The agency's page {self._hosts.page(setting.slug)}"
        try:
            _, part = paging.listing(1)
        except TryAgainLater:
            raise
        except ConnectorError as fault:
            return Finding(what=what, fine=False, remedy=str(fault))
        return Finding(
            what=f"{what} is of {part.agency} and may be read: {setting.permission}",
            fine=True,
        )

    def _seeing(self, stack: ExitStack, setting: Setting, place: Place) -> Seeing:
        gathering = stack.enter_context(Gathering(self._http))
        return Seeing(gathering=gathering, hosts=self._hosts, setting=setting, place=place)

    def _letters(self, stack: ExitStack, setting: Setting) -> Mailbox:
        """The mailbox, opened with the secrets as they are now."""
        user, password = self._secret.get("user", ""), self._secret.get("password")
        token = self._secret.get("access_token")
        if not user or not (password or token):
            raise AccessRevoked(
                f"The mailbox at {setting.mailbox} cannot be opened without its user name and an application password. "
                "Connect the page with them."
            )
        return stack.enter_context(
            self._http.mailbox(setting.mailbox, user, password=password or None, access_token=token or None)
        )
