"""The organisation as we reach it: which one it is, and its introduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.contract import Client, Gap, Observation, Page
from connectors.errors import AccessRevoked, NoSuchPage, UnexpectedResponse
from connectors.linkedin import address, media, options, parse
from connectors.linkedin.address import Address
from connectors.linkedin.asking import Asking
from connectors.linkedin.parse import Ours
from connectors.linkedin.refusals import NotGiven
from connectors.linkedin.shapes import Organisation
from connectors.linkedin.urns import coded
from connectors.pieces import Seen

_HOW = (
    "Give its address as it stands in a browser, such as https://www.linkedin.com/company/townpolice/, or its number "
    "(as an administrator, it stands in the address of the page's dashboard)."
)


@dataclass(frozen=True, slots=True)
class Found:
    """The organisation."""

    seen: Seen[Organisation]

    @property
    def ours(self) -> Ours:
        return parse.ours(self.seen.what)

    def observed(self, asking: Asking) -> tuple[Observation, Sequence[Gap]]:
        """The introduction, with its logo and cover."""
        pictures = list(parse.pictures(self.seen.what))
        files = media.resolved(asking, pictures)
        return parse.profile(self.seen, *files.of(pictures)), files.gaps


def arrive(http: Client, secret: Mapping[str, str] | None, page: Page) -> tuple[Asking, Address]:
    """Whom to ask, and for which organisation."""
    named = address.read(page.address)
    if named is None:
        raise NoSuchPage(f"“{page.address}” names no organisation on LinkedIn. {_HOW}")
    asking = Asking(http, secret, options.base(page), options.version(page), options.page_size(page))
    return asking, named


def find(asking: Asking, named: Address, known: str = "") -> Found:
    """Ask for the organisation. `known` is its number as it was: the name in its address may be another's by now."""
    number = known or named.number
    try:
        if number:
            return Found(asking.one(f"organizations/{number}", Organisation))
        path = f"organizations?q=vanityName&vanityName={coded(named.vanity)}"
        told = asking.many(path, Organisation)
    except NotGiven as refused:
        if not refused.not_found:
            raise AccessRevoked(f"The page is not shown. {refused}") from refused
        raise _no_such(named) from refused
    if told.unread:
        raise UnexpectedResponse(
            f"LinkedIn tells of the organisation “{named.written}” in another shape than is known: {told.unread[0].why}."
        )
    if len(told.items) != 1:
        raise _no_such(named)
    return Found(told.items[0])


def _no_such(named: Address) -> NoSuchPage:
    return NoSuchPage(
        f"LinkedIn shows no organisation “{named.written}”: it was closed or renamed, or the address is wrong. {_HOW}"
    )
