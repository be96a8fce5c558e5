"""Whose page it is: the agency that an account speaks for, or the one that the list of its state tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.contract import Observation, Page
from connectors.errors import AccessRevoked, NoSuchPage, UnexpectedResponse
from connectors.nextdoor import address, options, parse, reading, routes
from connectors.nextdoor.address import Address
from connectors.nextdoor.asking import Asking, Led
from connectors.nextdoor.parse import Known
from connectors.nextdoor.reading import Rows, Seen
from connectors.nextdoor.refusals import NotGiven
from connectors.nextdoor.shapes import Agency, Area, Profile
from connectors.pieces import Unread


@dataclass(frozen=True, slots=True)
class Found:
    """The agency, how it was introduced, and whether its address proves that it is the one that was meant."""

    known: Known
    introduced: Observation
    proven: bool


def account(asking: Asking, page: Page) -> Found:
    """The agency for which the account that has signed in speaks.

    `NoSuchPage` where it speaks for none, or for another one: the posts of a
    person, or of another agency, must never be kept as this page's.
    """
    named = options.named(page)
    wanted = options.profile(page)
    try:
        seen = _profile(asking, wanted) if wanted else asking.get(routes.ME, reading.profile)
    except NotGiven as refused:
        if not refused.forbidden:
            raise
        raise AccessRevoked(
            f"Nextdoor does not tell whose account it is ({refused.said.short}): the scope profile:read is lacking. Connect "
            "the page again, and permit what is asked for."
        ) from refused
    read = seen.what
    told = read.agency_url_at_nextdoor if isinstance(read.agency_url_at_nextdoor, str) else None
    if not speaks_for_an_agency(read):
        raise NoSuchPage(
            "Whoever connected the page has signed in as a neighbor, and not as an agency. Sign in with the agency's own "
            "account; where one account has several profiles, set the option `profile` to the agency's."
        )
    if address.contradicts(told, named):
        raise NoSuchPage(
            f"Whoever connected the page speaks for {parse.known(read).name or told}, whose page is {told}, and not for "
            f"{page.address}. Sign in as that agency, or correct the page's address."
        )
    return Found(parse.known(read), parse.account(seen), address.agrees(told, named))


def speaks_for_an_agency(read: Profile) -> bool:
    """Whether a profile is an agency's."""
    flag = str(read.is_agency_profile).lower() if read.is_agency_profile is not None else ""
    return bool(read.agency_id) or flag == "true"


def profiles(asking: Asking) -> Rows[Seen[Profile]]:
    """The profiles of the account that has signed in."""
    return asking.get(routes.PROFILES, reading.profiles)


def _profile(asking: Asking, wanted: str) -> Seen[Profile]:
    rows = profiles(asking)
    for seen in rows.items:
        if str(seen.what.id) == wanted:
            return seen
    _not_among(rows.unread, wanted)
    raise NoSuchPage(
        f"The account that connected the page has no profile {wanted}. Correct the option `profile`, or take it away."
    )


def areas(asking: Asking) -> Observation | None:
    """The areas that the agency may address; None where there are none."""
    found: list[Seen[Area]] = []
    led = Led("areas")
    params = {"show_geometries": "false", "enable_pagination": "true"}
    while True:
        rows = asking.get(routes.AREAS, reading.areas, params)
        found += rows.items
        if rows.unread:
            # Without it the record would say that the area was taken away.
            raise UnexpectedResponse(f"One of the areas is of another shape: {rows.unread[0].why}.")
        if rows.following is None:
            return parse.areas(found) if found else None
        params["after"] = led.on(rows.following, (str(one.what.group_id) for one in rows.items))


def public(asking: Asking, page: Page) -> Found:
    """The agency in the list of its state, by its number or by its address."""
    named: Address = options.named(page)
    number = options.agency(page)
    state = options.state(page, named)
    try:
        rows = asking.get(f"{routes.AGENCIES}/{state}", reading.agencies)
    except NotGiven as refused:
        if refused.forbidden:
            raise feed_forbidden(refused) from refused
        if refused.said.status != 404:
            raise
        raise NoSuchPage(
            f"Nextdoor knows no state “{state}”. Set the option `state` to how Nextdoor writes it, such as ca."
        ) from refused
    for seen in rows.items:
        if str(seen.what.id) == number if number else _is_at(seen.what, named):
            read = seen.what
            known = Known(str(read.id), read.name)
            return Found(known, parse.agency(seen), _is_at(read, named))
    _not_among(rows.unread, number)
    if not number and any(not isinstance(seen.what.public_url, str | None) for seen in rows.items):
        raise UnexpectedResponse(
            "Nextdoor lists an agency whose address is no text, and which may be the one looked for."
        )
    raise NoSuchPage(
        f"The list of agencies in {state} holds none with "
        + (f"the number {number}" if number else f"the address {page.address}")
        + ". Ask Nextdoor's public agency team for the agency's number, and set the option `agency` to it."
    )


def _not_among(unread: Sequence[Unread], wanted: str) -> None:
    """An error where what is looked for may be what cannot be read; nothing is said of its not being there then."""
    for one in unread:
        if one.id is None or not wanted or one.id == wanted:
            raise UnexpectedResponse(
                f"Nextdoor lists what is of another shape, and may be what is looked for: {one.why}."
            )


def feed_forbidden(refused: NotGiven) -> AccessRevoked:
    """That an application may not read the public feed, in words that an officer can act on."""
    return AccessRevoked(
        f"Nextdoor does not let the application read the public feed ({refused.said.short}). Ask Nextdoor's partnerships "
        "team to approve it, and connect the page again."
    )


def _is_at(read: Agency, named: Address) -> bool:
    return address.agrees(read.public_url if isinstance(read.public_url, str) else None, named)
