"""The page as we reach it: whose photostream or which group it is, and whether its owner sent us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.contract import Client, Observation, Page
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.flickr import address, options, parse
from connectors.flickr.address import Address
from connectors.flickr.asking import Asking
from connectors.flickr.pace import Pace
from connectors.flickr.reading import said
from connectors.flickr.refusals import NotGiven

_HOW = (
    "Give its address as it stands in a browser, such as https://www.flickr.com/photos/townpolice/ or "
    "https://www.flickr.com/groups/townwatch/, or its NSID, such as 12345678@N00."
)


@dataclass(frozen=True, slots=True)
class Found:
    """The page; `owner` says that whoever connected it is its owner, and is shown what the public is not."""

    id: str
    group: bool
    owner: bool


def arrive(http: Client, secret: Mapping[str, str] | None, page: Page, pace: Pace) -> tuple[Asking, Address]:
    """Whom to ask, and for which page."""
    named = address.read(page.address)
    if named is None:
        raise NoSuchPage(f"“{page.address}” names no photostream and no group on Flickr. {_HOW}")
    return Asking(http, secret, options.base(page), pace, options.questions(page)), named


def find(asking: Asking, named: Address, known: str = "") -> Found:
    """Ask for the page's NSID, unless the address holds it, and with a permission for whose it is.

    `known` is the NSID as it was: the name in the address may have changed, and
    be somebody else's by now.
    """
    name = known or named.id or _looked_up(asking, named)
    owner = asking.signed_in and not named.group and signed_in_as(asking) == name
    return Found(name, named.group, owner)


def introduced(asking: Asking, found: Found, first: int = 0) -> Observation:
    """What the page says of itself. Everything that was asked since `first` to find it is its evidence."""
    try:
        if found.group:
            seen = asking.one("flickr.groups.getInfo", {"group_id": found.id}, "group")
            told, make = dict(seen.what), parse.group
        else:
            seen = asking.one("flickr.people.getInfo", {"user_id": found.id}, "person")
            told, make = dict(seen.what), parse.person
    except NotGiven as refused:
        raise NoSuchPage(
            f"Flickr shows no such page ({refused.says}): it was deleted, or is closed to us. {_HOW}"
        ) from refused
    return make({**told, "id": found.id}, list(asking.since(first)))


def signed_in_as(asking: Asking) -> str:
    """The NSID of whoever connected the page."""
    try:
        return said(asking.one("flickr.test.login", {}, "user").what["id"])
    except NotGiven as refused:
        raise AccessRevoked(
            f"Flickr does not say who connected the page ({refused.says}). Connect it again."
        ) from refused


def _looked_up(asking: Asking, named: Address) -> str:
    what, name = ("Group", "group") if named.group else ("User", "user")
    try:
        return said(asking.one(f"flickr.urls.lookup{what}", {"url": named.url}, name).what["id"])
    except NotGiven as refused:
        raise NoSuchPage(f"Flickr knows no {name} “{named.name}” ({refused.says}). {_HOW}") from refused
