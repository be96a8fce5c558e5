"""Nixle's addresses: where a feed, a page and an alert live, and which alert a link means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SENDERS = ("nixle.com", "everbridge.com", "everbridge.net")
"""Alert mails come from addresses in these domains and below them."""

_SERVICE = frozenset({"thenixleteam", "no-reply", "noreply", "support", "info"})
"""Senders that speak for Nixle itself and never for an agency by their address alone."""

_LINK = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_WRAPPED = re.compile(r"https?(?::|%3A)%2F%2F[^\s<>\"'/]+", re.IGNORECASE)
_ALERT = re.compile(r"/alert/(\d{1,18})(?:/|$)")
_CODE = re.compile(r"/([A-Za-z0-9]{3,12})/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Where Nixle is. `alerts` are the hosts whose addresses name an alert by its number, as `host` or `host:port`."""

    feeds: str = "https://rss.nixle.com"
    local: str = "https://local.nixle.com"
    short: str = "https://nixle.us"
    alerts: Sequence[str] = ("local.nixle.com", "www.nixle.com", "nixle.com", "agency.nixle.com")
    feed_hosts: Sequence[str] = ("rss.nixle.com", "agency.nixle.com")

    def feed(self, agency_id: str) -> str:
        """The address of an agency's feed."""
        return f"{self.feeds}/pubs/feeds/latest/{agency_id}/"

    def page(self, slug: str, number: int = 1) -> str:
        """The address of an agency's page, or of a later part of its list."""
        return f"{self.local}/{slug}/" + (f"?page={number}" if number > 1 else "")

    def alert(self, native_id: str) -> str:
        """The permalink of an alert, without what was added for one recipient."""
        return f"{self.local}/alert/{native_id}/"

    def short_link(self, code: str) -> str:
        """The address of a short link."""
        return f"{self.short}/{code}"

    def number(self, link: str) -> str | None:
        """The number of the alert that `link` leads to; None where it leads elsewhere."""
        parts = urlsplit(link.strip())
        found = _ALERT.match(parts.path)
        ours = parts.scheme in {"http", "https"} and parts.netloc.lower() in self.alerts
        return str(int(found.group(1))) if ours and found else None

    def code(self, link: str) -> str | None:
        """The code of a short link; None where `link` is none."""
        parts = urlsplit(link.strip())
        own = urlsplit(self.short)
        if parts.scheme not in {"http", "https"} or parts.netloc.lower().removeprefix("www.") != own.netloc:
            return None
        found = _CODE.fullmatch(parts.path.removeprefix(own.path))
        return found.group(1).upper() if found else None

    def numbers_in(self, text: str) -> Iterator[str]:
        """The number of every alert that `text` links to, also through the wrappers that count clicks."""
        yield from (one for link in links_in(text) if (one := self.number(link)) is not None)

    def codes_in(self, text: str) -> Iterator[str]:
        """The code of every short link in `text`."""
        yield from (one for link in links_in(text) if (one := self.code(link)) is not None)


NIXLE = Hosts()


def links_in(text: str) -> Iterator[str]:
    """Every link in `text`, without the sign that ends its sentence; a wrapped one with what it wraps."""
    for found in _LINK.finditer(text):
        link = found.group().rstrip(".,;:!?)]}")
        yield link
        for wrapped in _WRAPPED.finditer(link):
            yield unquote(wrapped.group())


def sends(address: str, senders: Sequence[str] = SENDERS) -> bool:
    """Whether mail from `address` can be an alert: it comes from Nixle or Everbridge."""
    _, at, domain = address.rpartition("@")
    domain = domain.lower()
    return bool(at) and any(domain == one or domain.endswith(f".{one}") for one in senders)


def slug_of(address: str) -> str | None:
    """The agency that an address of `emails.nixle.com` names before the sign; None for Nixle's own."""
    local, _, _ = address.rpartition("@")
    local = local.lower()
    return None if local in _SERVICE or not local else local


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same agency's, whatever their case and punctuation."""
    return bool(one) and _letters(one) == _letters(other)


def _letters(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
