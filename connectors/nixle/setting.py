"""What the officer who added the page said of the agency, and which routes follow from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.contract import Page
from connectors.errors import NoSuchPage
from connectors.nixle.links import Hosts, same_name, sends, slug_of

SAID: Mapping[str, str] = {
    "agency_id": "the agency's number at Nixle: its feed is read (not needed where the address is the feed's)",
    "agency": "the agency's name exactly as Nixle prints it; needed for alert mails unless the address is the "
    "agency's page, and guards against another agency's feed or page",
    "mailbox": "the server of a mailbox that the agency subscribed to its own alerts (imap.town.example, or with "
    "its port): alert mails are read there",
    "folder": "the folder of the mailbox in which alert mails arrive (default INBOX)",
    "permission": "who permitted in writing, and when, that this agency's own page at Nixle is read by a machine; "
    "only then is it read, because Nixle's terms for residents forbid it",
    "days": "for how many days an alert's page is asked again, with the option `permission` (default 30)",
}

_FEED = re.compile(r"/pubs/feeds/latest/(\d{1,12})/?")
_SLUG = re.compile(r"/([A-Za-z0-9][A-Za-z0-9_-]*)/?")


@dataclass(frozen=True, slots=True)
class Setting:
    """A page's address and options, read. An empty text stands for what was not given."""

    agency_id: str
    slug: str
    agency: str
    mailbox: str
    folder: str
    permission: str
    days: int

    @classmethod
    def of(cls, page: Page, hosts: Hosts) -> Setting:
        """What is to be read for `page`; `NoSuchPage` says what is missing or wrong."""
        given = {name: value.strip() for name, value in page.options.items()}
        parts = urlsplit(page.address)
        fed = _FEED.fullmatch(parts.path) if parts.netloc.lower() in hosts.feed_hosts else None
        short = urlsplit(hosts.short)
        at_home = parts.netloc.lower() in hosts.alerts or parts.netloc.lower() == short.netloc
        named = _SLUG.fullmatch(parts.path) if at_home and fed is None else None
        if fed is None and named is None:
            raise NoSuchPage(
                f"{page.address} is neither an agency's page at Nixle ({hosts.page('your-agency')}) nor its feed "
                f"({hosts.feed('1234')}). Correct the page's address."
            )
        agency_id = given.get("agency_id", "") or (fed.group(1) if fed else "")
        if agency_id and not (agency_id.isascii() and agency_id.isdigit() and len(agency_id) <= 12):
            raise NoSuchPage(f"The option `agency_id` is {agency_id!r}; it is a number.")
        days = given.get("days", "")
        setting = cls(
            agency_id=agency_id,
            slug=named.group(1).lower() if named else "",
            agency=given.get("agency", ""),
            mailbox=given.get("mailbox", ""),
            folder=given.get("folder", "") or "INBOX",
            permission=given.get("permission", ""),
            days=int(days) if days.isdecimal() and len(days) < 5 else 30,
        )
        setting.must_make_sense(page.address)
        return setting

    def must_make_sense(self, address: str) -> None:
        """Raise `NoSuchPage` where nothing can be read, or nobody could say whose it is."""
        if not (self.agency_id or self.mailbox or self.permission):
            raise NoSuchPage(
                f"Nothing says how the alerts of {address} are to be read. Give the option `agency_id`, `mailbox` or "
                "`permission`."
            )
        if self.mailbox and not (self.agency or self.slug):
            raise NoSuchPage(
                "Alert mails can only be told apart by their agency. Give the option `agency`: its name as Nixle prints it."
            )
        if self.permission and not self.slug:
            raise NoSuchPage(
                "The option `permission` is about the agency's page at Nixle. Make that the page's address, and give "
                "the feed by the option `agency_id`."
            )

    @property
    def fed(self) -> bool:
        """Whether the agency's feed is read."""
        return bool(self.agency_id)

    @property
    def mailed(self) -> bool:
        """Whether alert mails are read."""
        return bool(self.mailbox)

    @property
    def permitted(self) -> bool:
        """Whether the agency's own page may be read."""
        return bool(self.permission)

    def sent(self, name: str, address: str) -> bool:
        """Whether mail of that sender can be this agency's: from Nixle or Everbridge, and naming the agency."""
        if not sends(address):
            return False
        slug = slug_of(address) if address.lower().endswith("@emails.nixle.com") else ""
        if slug is None:
            return False  # Nixle's own team, whatever name it gives itself
        return bool(slug and slug == self.slug) or same_name(name, self.agency)

    def is_agency(self, name: str) -> bool:
        """Whether `name` may be this agency: it is as the option says, or nothing was said."""
        return not self.agency or same_name(name, self.agency)
