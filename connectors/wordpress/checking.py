"""Says how the connection to a WordPress site stands."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Finding, Page
from connectors.errors import AccessRevoked, AddressRefused, NoSuchPage, UnexpectedResponse
from connectors.wordpress.asking import Asking, NotGiven
from connectors.wordpress.parse import Standing
from connectors.wordpress.site import RIGHTS, find

_EDITOR = "Give the account the role Editor (Users > All Users), or connect the page with the password of an editor."


def findings(asking: Asking, page: Page) -> Iterator[Finding]:
    """The site and its interface, the password, then each stream, in the order in which one needs the other."""
    try:
        site = find(asking, page, known=True)
    except AccessRevoked as refused:
        yield Finding(what="user name and application password", fine=False, remedy=str(refused))
        return
    except (AddressRefused, NoSuchPage, UnexpectedResponse) as fault:
        yield Finding(what="the site's REST interface", fine=False, remedy=str(fault))
        return
    yield Finding(what=f"the site's REST interface, wp/v2, at {site.root.address}", fine=True)
    if not asking.connected:
        yield Finding(
            what="connection",
            fine=False,
            remedy="Only what is public is captured. Connect the page with the user name and an application password "
            "of an editor for held, spam and trashed comments and for private and trashed posts.",
        )
    else:
        yield Finding(what="user name and application password", fine=True)
    for stream, needed in RIGHTS.items():
        if asking.connected:
            may = site.rights[stream]
            yield Finding(
                what=f"hidden {stream}: {', '.join(needed)}", fine=may, remedy="" if may else _EDITOR
            )
        try:
            asking.many(site.url(stream, {"per_page": "1", "_fields": "id,status"}), Standing)
        except NotGiven as refused:
            remedy = f"The site answers {refused.status} {refused.code}. Ask its administrator to allow /wp-json/wp/v2/{stream}."
            yield Finding(what=stream, fine=False, remedy=remedy)
        else:
            yield Finding(what=stream, fine=True)
