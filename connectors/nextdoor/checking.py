"""Says how a page's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Finding, Page
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.nextdoor import agency, digest, options, parse, reading, routes
from connectors.nextdoor.agency import Found
from connectors.nextdoor.asking import Asking
from connectors.nextdoor.refusals import NotGiven

_COMMENTS = (
    "Nextdoor counts {counted} comments and shows {shown} of them to the archive. Have an officer who is signed in record the "
    "pages of these posts in a browser, and import the recording: muniment import FILE --as warc (docs/importing.md)."
)


def findings(asking: Asking, page: Page) -> Iterator[Finding]:
    """The account or the application, the agency, its posts, what answers them, its areas."""
    try:
        found = agency.account(asking, page) if asking.signed_in else agency.public(asking, page)
    except NoSuchPage as refused:
        yield Finding(what="agency", fine=False, remedy=str(refused))
        yield from _profiles(asking)
        return
    except AccessRevoked as refused:
        what = "permission" if asking.signed_in else "application"
        yield Finding(what=what, fine=False, remedy=str(refused))
        return
    except NotGiven as refused:
        yield Finding(what="agency", fine=False, remedy=str(refused))
        return
    yield Finding(what=f"agency {found.known.name or 'without a name'} ({found.known.id})", fine=True)
    yield _proven(found)
    try:
        yield from _own(asking, page, found) if asking.signed_in else _public(asking, found)
    except (AccessRevoked, NoSuchPage, NotGiven) as refused:
        yield Finding(what="posts", fine=False, remedy=str(refused))


def _profiles(asking: Asking) -> Iterator[Finding]:
    """The profiles among which the option `profile` may choose, where an account has several."""
    if not asking.signed_in:
        return
    try:
        found = [seen.what for seen in agency.profiles(asking).items]
    except (AccessRevoked, NotGiven):
        return
    for read in found:
        if agency.speaks_for_an_agency(read):
            name = parse.known(read).name or "without a name"
            yield Finding(
                what=f"the account has a profile of the agency {name}",
                fine=False,
                remedy=f"If that is the agency of this page, set the option `profile` to {read.id}.",
            )


def _proven(found: Found) -> Finding:
    if found.proven:
        return Finding(what="the agency's address is the page's", fine=True)
    return Finding(
        what="the agency's address",
        fine=False,
        remedy=f"Nextdoor does not tell the page's address for {found.known.name or found.known.id}. Compare the name; where "
        "it is the agency that is meant, nothing is to be done.",
    )


def _own(asking: Asking, page: Page, found: Found) -> Iterator[Finding]:
    wanted = options.profile(page)
    rows = asking.get(routes.POSTS, reading.posts, {"secure_profile_id": wanted} if wanted else {})
    yield Finding(what=f"posts, {len(rows.items)} of them", fine=True)
    strange = [*rows.unread, *(one for seen in rows.items for one in seen.unread)]
    if strange:
        yield Finding(
            what=f"posts and comments of another shape, {len(strange)} of them",
            fine=False,
            remedy=f"They cannot be read ({strange[0].why}). Each pass asks again; update Muniment, and check once more.",
        )
    told = [parse.answers(seen, found.known) for seen in rows.items]
    counted, shown = sum(one.counted or 0 for one in told), sum(len(one.observed) for one in told)
    lacking = counted > shown or any(one.counted is None and not one.observed for one in told)
    yield Finding(
        what=f"comments, {shown} of them",
        fine=not lacking,
        remedy=_COMMENTS.format(counted=counted or "an unknown number of", shown=shown or "none")
        if lacking
        else "",
    )
    if not options.reads_areas(page):
        return
    try:
        areas = agency.areas(asking)
    except NotGiven as refused:
        remedy = f"{refused.why}. Connect the page again with the scope agency.boundary:read, or set the option `areas` to no."
        yield Finding(what="areas", fine=False, remedy=remedy)
        return
    yield Finding(what="areas" if areas is not None else "areas, none of them", fine=True)


def _public(asking: Asking, found: Found) -> Iterator[Finding]:
    rows = digest.answer(asking, found.known, 1)
    assert rows is not None, "only a later answer may be none"
    yield Finding(what=f"public feed, {len(rows.items)} posts in its first answer", fine=True)
    yield Finding(
        what="posts that are older, or were removed",
        fine=False,
        remedy="The public feed shows what is new, and tells of no removal. Connect the page with the agency's own account "
        "as soon as Nextdoor has approved that.",
    )
