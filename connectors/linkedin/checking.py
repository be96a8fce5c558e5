"""Says how a page's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.linkedin import notices, organisation, versions
from connectors.linkedin.address import Address
from connectors.linkedin.asking import Asking
from connectors.linkedin.manifest import ADMIN, FEED, SOCIAL
from connectors.linkedin.paging import Spot
from connectors.linkedin.parse import Ours
from connectors.linkedin.refusals import NotGiven, VersionEnded
from connectors.linkedin.shapes import Metadata, Post, Role
from connectors.linkedin.standing import ROLES
from connectors.linkedin.urns import coded

_ADMINISTRATOR = "ADMINISTRATOR"
_ROLES = (
    "On the page, under Settings > Manage admins, make whoever connects it a super admin, or have a super admin connect it: "
    "content admins are not shown notifications, and not all of them are shown comments."
)


def findings(asking: Asking, named: Address, *, notified: bool) -> Iterator[Finding]:
    """Version, page, role, lists, in the order in which one needs the other."""
    yield _version(asking)
    try:
        found = organisation.find(asking, named)
        ours = found.ours
        yield Finding(what=f"page {ours.name or ours.number} ({ours.urn})", fine=True)
        yield _role(asking, ours)
        yield from _lists(asking, ours)
        if notified:
            yield _notices(asking, ours)
    except NoSuchPage as refused:
        yield Finding(what="page", fine=False, remedy=str(refused))
    except AccessRevoked as refused:
        yield Finding(what="permission", fine=False, remedy=str(refused))
    except VersionEnded as refused:
        yield Finding(what=f"version {asking.version} is refused", fine=False, remedy=str(refused))


def _version(asking: Asking) -> Finding:
    """When the version ends, as far as its name says."""
    today, ends = asking.now().date(), versions.ends(asking.version)
    if not versions.ending(asking.version, today):
        return Finding(what=f"version {asking.version}, until about {ends:%B %Y}", fine=True)
    when = "may be refused any day" if today >= ends else f"ends about {ends:%B %Y}"
    return Finding(
        what=f"version {asking.version} {when}",
        fine=False,
        remedy="LinkedIn keeps a version for about a year. Whoever runs the machine updates Muniment, or until then sets the "
        "page's option `version` to a newer one (the list stands under “LinkedIn Marketing API Versioning”), and checks again.",
    )


def _role(asking: Asking, ours: Ours) -> Finding:
    what = f"role on the page: {_ADMINISTRATOR}"
    try:
        told = asking.many(ROLES, Role, count=100)
    except NotGiven as refused:
        return Finding(
            what=what, fine=False, remedy=f"{refused.why}. The permission that shows it is {ADMIN}."
        )
    roles = {seen.what.role for seen in told.items if seen.what.of == ours.urn}
    if _ADMINISTRATOR in roles:
        return Finding(what=what, fine=True)
    if told.unread:
        odd = f"LinkedIn tells of a role in another shape than is known: {told.unread[0].why}. Check again after an update."
        return Finding(what=what, fine=False, remedy=odd)
    has = f"Whoever connected the page is {', '.join(sorted(roles))} there." if roles else "They have none."
    return Finding(what=what, fine=False, remedy=f"{has} {_ROLES}")


def _lists(asking: Asking, ours: Ours) -> Iterator[Finding]:
    """Posts, and of the last changed one what shows whether comments are told."""
    path = f"posts?q=author&author={coded(ours.urn)}&sortBy=LAST_MODIFIED"
    try:
        shown = asking.many(path, Post, count=1)
    except NotGiven as refused:
        needs = f"{refused.why}. The permission that shows them is {SOCIAL}."
        yield Finding(what=f"posts: {SOCIAL}", fine=False, remedy=needs)
        return
    yield Finding(what=f"posts: {SOCIAL}", fine=True)
    for seen in shown.items[:1]:
        try:
            asking.one(f"socialMetadata/{coded(seen.what.id)}", Metadata)
        except NotGiven as refused:
            needs = f"{refused.why}. The permission that shows them is {FEED}."
            yield Finding(what=f"comments: {FEED}", fine=False, remedy=needs)
        else:
            yield Finding(what=f"comments: {FEED}", fine=True)


def _notices(asking: Asking, ours: Ours) -> Finding:
    what = f"what LinkedIn tells by itself: {ADMIN}"
    until = asking.now()
    try:
        notices.asked(asking, ours, until - timedelta(days=1), until, Spot())
    except NotGiven as refused:
        return Finding(
            what=what,
            fine=False,
            remedy=f"{refused.why}. The permission that shows it is {ADMIN}, for an administrator of the page. Or set the "
            "option `notices` to no: comments on older posts and removals are then seen by a pass over everything alone.",
        )
    return Finding(what=what, fine=True)
