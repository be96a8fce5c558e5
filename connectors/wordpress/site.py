"""A WordPress site as we reach it: where its interface lives, who we are there, what we may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from connectors.contract import Exchange, Gap, Page
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.failing import gap
from connectors.http import decoded
from connectors.options import number
from connectors.pieces import Malformed, Seen
from connectors.wordpress import parse
from connectors.wordpress.address import Root, site_address
from connectors.wordpress.asking import Asking, NotGiven, not_wordpress
from connectors.wordpress.rows import Numbered, leaves

N = TypeVar("N", bound=Numbered)
T = TypeVar("T")

_PAST_THE_END = (400, "rest_post_invalid_page_number")
_MOST_LOST = 50
"""At so many items in one answer no site fails by a fault of theirs."""

INDEX = {"_fields": "name,description,url,home,timezone_string,namespaces"}
"""What is asked of the index: all of it would be the list of the site's plugins and their routes."""

_ME = {"context": "edit", "_fields": "id,slug,capabilities"}
RIGHTS = {
    "posts": ("edit_posts", "edit_others_posts", "read_private_posts"),
    "pages": ("edit_pages", "edit_others_pages", "read_private_pages"),
    "comments": ("edit_posts", "moderate_comments"),
}


@dataclass(frozen=True, slots=True)
class Site:
    """One site: `rights` says for each stream whether we may read what is hidden in it."""

    asking: Asking
    root: Root
    index: parse.Site
    rights: Mapping[str, bool]
    size: int
    drafts: bool
    lost: list[Gap] = field(default_factory=list)
    """Items at which the site failed, since somebody last took them from here."""

    def url(self, route: str, query: Mapping[str, str] | None = None) -> str:
        """The address of a route such as "posts" or "posts/5/revisions"."""
        return self.root.url(f"/wp/v2/{route}", query or {})

    def rows(
        self, route: str, query: Mapping[str, str], shape: type[N], offset: int
    ) -> tuple[list[Seen[N]], int | None]:
        """The rows of a listing from `offset` on, in the order of their numbers, and the site's total."""
        return self._rows(route, query, shape, offset, self.size)

    def rows_that_answer(
        self, route: str, query: Mapping[str, str], shape: type[N], offset: int
    ) -> tuple[list[Seen[N]], int | None]:
        """The same without the items at which the site fails, or which it tells so that nobody can read them: these are noted in `lost`.

        WordPress renders every item of an answer, and a fault of a plugin in
        one of them breaks it for all, or puts a warning into its midst: then it
        is asked for in halves, down to the one that breaks.
        """
        return self._halves(route, query, shape, offset, self.size)

    def _rows(
        self, route: str, query: Mapping[str, str], shape: type[T], offset: int, size: int
    ) -> tuple[list[Seen[T]], int | None]:
        window = {"per_page": str(size), "offset": str(offset), "orderby": "id", "order": "asc"}
        try:
            return self.asking.many(self.url(route, {**query, **window}), shape)
        except NotGiven as refused:
            if offset > 0 and (refused.status, refused.code) == _PAST_THE_END:
                return [], None
            raise

    def _halves(
        self, route: str, query: Mapping[str, str], shape: type[N], offset: int, size: int
    ) -> tuple[list[Seen[N]], int | None]:
        try:
            return self._rows(route, query, shape, offset, size)
        except (TryAgainLater, UnexpectedResponse) as error:
            if not self.asking.is_apart(error):
                raise
            self.asking.failed(error)
            if size == 1:
                return [], self._alone(route, query, offset, error)
        half = size // 2
        first, total = self._halves(route, query, shape, offset, half)
        second, told = self._halves(route, query, shape, offset + half, size - half)
        return [*first, *second], told if told is not None else total

    def _alone(
        self, route: str, query: Mapping[str, str], offset: int, error: TryAgainLater | UnexpectedResponse
    ) -> int | None:
        """Note an item at which the site fails, and give the site's total.

        Asked for no more than its number, the site renders nothing: so it
        tells which item that is, and that it is there itself. One that bears
        no number that could be read has no name. Where the site fails at that
        too, the list fails, and the pass ends.
        """
        named, total = self._rows(route, {**query, "_fields": "id,status"}, object, offset, 1)
        self.lost.extend(gap(error, f"one of the {route}", _name(route, seen.what)) for seen in named)
        if len(self.lost) > _MOST_LOST:
            raise error
        return total

    def all(self, route: str, query: Mapping[str, str], shape: type[N]) -> dict[int, Seen[N]]:
        """A short listing as a whole, by number."""
        found: dict[int, Seen[N]] = {}
        for leaf in leaves(lambda offset: self.rows(route, query, shape, offset), self.size):
            found |= {seen.what.id: seen for seen in leaf.items}
        return found

    def tells_edited(self, stream: str, now: datetime) -> bool:
        """Whether the site knows `modified_after` (WordPress 5.7): one that does not ignores it, and shows items."""
        never = (now + timedelta(days=3650)).strftime("%Y-%m-%dT%H:%M:%S")
        asked = {"modified_after": never, "per_page": "1", "_fields": "id,status"}
        found, _ = self.asking.many(self.url(stream, asked), parse.Standing)
        return not found

    def lacking(self) -> list[Gap]:
        """What the connected account may not read, although it was given to us for that."""
        if not self.asking.connected:
            return []
        return [
            Gap(
                what=f"hidden {stream}",
                why=f"the connected account lacks {' or '.join(RIGHTS[stream])}: connect that of an editor",
            )
            for stream, may in self.rights.items()
            if not may
        ]


def find(asking: Asking, page: Page, *, known: bool) -> Site:
    """Find the interface behind the address that a person wrote, and who we are there.

    `known` says that a WordPress site answered at the address before: what
    looks like none then is taken for a fault, not for a wrong address.
    The site itself is asked first, by way of its `?robots=1`, whose answer
    names the interface in a header and holds nobody's words.
    """
    address = site_address(page.address)
    if address is None:
        raise NoSuchPage(
            f"“{page.address}” is not a web address. Give the site's own, such as https://blog.example."
        )
    size = _size(page)
    front = asking.get(address + "?robots=1", openly=True)
    named = parse.rest_root(front.response_headers, front.url)
    moved = site_address(front.url.partition("?")[0]) or address
    doubtful: Exchange | None = None
    for candidate in [named] if named else [moved + "wp-json/", moved + "?rest_route=/"]:
        root = Root(candidate)
        _may_take_our_password(asking, root, Root(address))
        answer = asking.get(root.url("/", INDEX))
        index = _index(answer)
        if index is not None:
            drafts = page.options.get("drafts", "no") == "yes"
            return Site(asking, root, index, who_we_are(asking, root), size, drafts)
        if answer.status in {401, 403} or _is_a_fault(answer, known=known or named is not None):
            doubtful = answer
    if doubtful is not None and doubtful.status in {401, 403}:
        raise UnexpectedResponse(not_wordpress(doubtful))
    if doubtful is not None:
        raise UnexpectedResponse(
            f"{doubtful.url} answered with a page where WordPress's index should be: a sign-in page, "
            "a challenge, or a plugin's warning. Ask the site's administrator to look at /wp-json/."
        )
    raise NoSuchPage(
        f"No WordPress answers at {address}. Give the address under which its front page opens; if it is right, "
        "its REST interface is switched off, and the site's administrator has to allow /wp-json/."
    )


def _index(answer: Exchange) -> parse.Site | None:
    if answer.status in {401, 403}:
        refusal = parse.refusal(decoded(answer))
        if refusal is not None:
            raise AccessRevoked(
                f"The site shows its interface only to those who sign in ({refusal.code}). Connect the page with a "
                "user name and an application password that it accepts."
            )
    if answer.status != 200:
        return None
    try:
        index = parse.one(decoded(answer), parse.Site)
    except Malformed:
        return None
    return index if "wp/v2" in index.namespaces else None


def _is_a_fault(answer: Exchange, *, known: bool) -> bool:
    """Whether a page in the place of the index hides a WordPress site, rather than being another site's."""
    if answer.status != 200:
        return False
    return known or parse.is_sign_in(decoded(answer)) or parse.speaks_of_wordpress(decoded(answer))


def _may_take_our_password(asking: Asking, root: Root, site: Root) -> None:
    """An answer may name any address as its interface; our password goes only to the site that it is for."""
    if not asking.connected:
        return
    if root.place != site.place:
        raise AddressRefused(
            f"The site says that its interface lives on another host ({root.address}). If that is right, give its "
            "address as the page's own: the password is not sent to a host that nobody named."
        )
    if not root.keeps_secrets:
        raise AddressRefused(
            f"{root.address} is not protected by TLS: the password would travel in clear. Give the site's https "
            "address, or read the page without credentials."
        )


def who_we_are(asking: Asking, root: Root) -> dict[str, bool]:
    """Ask for which streams we may read what is hidden: WordPress answers a wrong password as it answers the public, without a word."""
    if not asking.connected:
        return dict.fromkeys(RIGHTS, False)
    try:
        me = asking.one(root.url("/wp/v2/users/me", _ME), parse.Me)
    except NotGiven as refused:
        if refused.status == 401:
            raise AccessRevoked(
                f"The site does not accept the user name and application password ({refused.code}). Make a new "
                "one under Users > Profile and connect the page again; some hosts drop the Authorization header "
                "on the way, which their administrator can change."
            ) from None
        # Some plugins hide who is who, even from oneself. The listings then refuse what we may not read.
        return dict.fromkeys(RIGHTS, True)
    return {stream: me.may(*needed) for stream, needed in RIGHTS.items()}


def _name(route: str, told: object) -> str | None:
    """The native id of an item; None where the site tells no number of it."""
    number = str(told.get("id")) if isinstance(told, dict) else ""
    return f"{route.removesuffix('s')}:{number}" if number.isdecimal() else None


def _size(page: Page) -> int:
    return number(page, "page_size", 100, least=2, most=100)
