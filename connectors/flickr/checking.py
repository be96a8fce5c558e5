"""Says how a page's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.flickr import people
from connectors.flickr.address import Address
from connectors.flickr.asking import Asking
from connectors.flickr.people import Found
from connectors.flickr.refusals import NotGiven


def findings(asking: Asking, named: Address) -> Iterator[Finding]:
    """Key or permission, page, whose it is, its photos, in the order in which one needs the other."""
    try:
        found = people.find(asking, named)
        introduced = people.introduced(asking, found)
    except NoSuchPage as refused:
        yield Finding(what="page", fine=False, remedy=str(refused))
        return
    except AccessRevoked as refused:
        yield Finding(what="permission" if asking.signed_in else "key", fine=False, remedy=str(refused))
        return
    name = introduced.author.name if introduced.author and introduced.author.name else found.id
    yield Finding(what=f"{'group' if found.group else 'photostream of'} {name} ({found.id})", fine=True)
    yield _whose(asking, found)
    try:
        yield _photos(asking, found)
    except AccessRevoked as refused:
        yield Finding(what="photos", fine=False, remedy=str(refused))


def _whose(asking: Asking, found: Found) -> Finding:
    if found.owner:
        return Finding(what="signed in as its owner", fine=True)
    if found.group:
        return Finding(what="a group: what its pool shows is captured", fine=True)
    if asking.signed_in:
        return Finding(
            what="signed in as somebody else",
            fine=False,
            remedy="Private photos, and whether a missing one was removed, are told to the owner alone. Sign out of "
            "Flickr, sign in as the agency, and connect the page again.",
        )
    return Finding(
        what="connected with a key",
        fine=False,
        remedy="Only what is public is captured, and what is missing cannot be told to be removed. For more, connect "
        "the page by signing in as its owner.",
    )


def _photos(asking: Asking, found: Found) -> Finding:
    if found.group:
        method, where = "flickr.groups.pools.getPhotos", {"group_id": found.id}
    elif asking.signed_in:
        method, where = "flickr.people.getPhotos", {"user_id": found.id}
    else:
        method, where = "flickr.people.getPublicPhotos", {"user_id": found.id}
    try:
        told = asking.photos(method, where, 1, "last_update", least=True)
    except NotGiven as refused:
        return Finding(
            what="photos", fine=False, remedy=f"{refused.why}. Ask the owner to open it to the key."
        )
    return Finding(what="photos" if told.total is None else f"photos, {told.total} of them", fine=True)
