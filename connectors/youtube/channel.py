"""The channel as we reach it: which one it is, where its uploads are listed, and whether its own people sent us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.contract import Client, Gap, Observation, Page
from connectors.errors import AccessRevoked, NoSuchPage, UnexpectedResponse
from connectors.failing import AGAIN
from connectors.pieces import Seen
from connectors.youtube import address, options, parse, reading
from connectors.youtube.address import Address
from connectors.youtube.asking import Asking
from connectors.youtube.quota import Purse
from connectors.youtube.reading import Answer
from connectors.youtube.refusals import NotGiven
from connectors.youtube.shapes import Channel, Named

_HOW = (
    "Give its address as it stands in a browser, such as https://www.youtube.com/@townpolice, or its number, which "
    "begins with UC (on the channel: Share channel > Copy channel ID). Addresses with /c/ cannot be asked for."
)
_PARTS = "id,snippet,contentDetails,statistics,status,brandingSettings,localizations"


@dataclass(frozen=True, slots=True)
class Found:
    """The channel; `owner` says that whoever connected the page is the channel itself, and is shown what it holds back.

    `gaps` are there where it is not told whose the permission is: then it is nobody's, and nothing is concluded by it.
    """

    seen: Seen[Channel]
    body: bytes
    owner: bool
    gaps: Sequence[Gap] = ()

    @property
    def id(self) -> str:
        return self.seen.what.id

    @property
    def uploads(self) -> str:
        """The list of everything that the channel has published."""
        details = self.seen.what.content_details
        related = details.related_playlists if details else None
        listed = related.uploads if related else None
        if not listed:
            raise UnexpectedResponse(f"YouTube does not say where the uploads of {self.id} are listed.")
        return listed

    def observed(self) -> list[Observation]:
        """The introduction, and what the channel's people have set, where all of that can be read."""
        introduced = [parse.channel(self.seen)]
        if self.unset is not None:
            return introduced
        evidence = [
            span
            for name in ("brandingSettings", "status")
            if (span := reading.part(self.body, self.seen.span, name)) is not None
        ]
        return [*introduced, parse.settings(self.seen, evidence)] if evidence else introduced

    @property
    def unset(self) -> Gap | None:
        """The gap where a part of what the channel's people have set is there and cannot be read: the rest is not taken for all of it."""
        read = self.seen.what
        branding = read.branding_settings
        odd = [
            name
            for name, told in (("brandingSettings", branding), ("status", read.status))
            if not isinstance(told, dict) and reading.part(self.body, self.seen.span, name) is not None
        ]
        if isinstance(branding, dict) and not isinstance(branding.get("channel"), dict):
            odd.append("brandingSettings.channel")
        if not odd:
            return None
        why = f"{' and '.join(odd)} cannot be read: no object stands there. {AGAIN}"
        return Gap(what="settings", why=why, native_id=parse.SETTINGS)


def arrive(
    http: Client, secret: Mapping[str, str] | None, page: Page, purse: Purse
) -> tuple[Asking, Address]:
    """Whom to ask, and for which channel."""
    named = address.read(page.address)
    if named is None:
        raise NoSuchPage(f"“{page.address}” names no channel on YouTube. {_HOW}")
    return Asking(http, secret, options.base(page), purse, options.units(page)), named


def find(asking: Asking, named: Address, known: str = "") -> Found:
    """Ask for the channel and, with a permission, for whose it is.

    `known` is the channel's number as it was: its handle may have changed, and
    be somebody else's by now. That YouTube shows no such channel makes nothing
    gone: it may be closed, suspended, or hidden.
    """
    by = Address("id", known) if known else named
    try:
        told = shown(asking, by, _PARTS)
    except NotGiven as refused:
        if not refused.not_found:
            raise AccessRevoked(f"The channel is not shown. {refused}") from refused
        raise _no_such(by) from refused
    if not told.items and told.unread:
        raise asking.odd(told)
    if not told.items:
        raise _no_such(by)
    seen = told.items[0]
    found = Found(seen, told.body, owner=False)
    return _whose(asking, found) if asking.signed_in else found


def _no_such(by: Address) -> NoSuchPage:
    return NoSuchPage(
        f"YouTube shows no channel “{by.name}”: it was closed, suspended or renamed, or the address is wrong. {_HOW}"
    )


def shown(asking: Asking, by: Address, parts: str) -> Answer[Channel]:
    """The channel, where YouTube shows it."""
    return asking.many("channels", "channelListResponse", Channel, {"part": parts, by.by: by.name})


def _whose(asking: Asking, found: Found) -> Found:
    """The same channel, with whether whoever gave the permission is it: what is held back is told to nobody else."""
    try:
        mine = asking.many("channels", "channelListResponse", Named, {"part": "id", "mine": "true"})
    except NotGiven:
        return found
    if any(one.what.id == found.id for one in mine.items):
        return replace(found, owner=True)
    return replace(found, gaps=asking.gaps_of("what only the channel itself is shown", mine.unread))
