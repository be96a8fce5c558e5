"""Captures web pages as they were served, with their files, and shows how they looked.

A page of a town's site has no interface that says what changed, so two looks
are compared, and what a page changes by itself must not be taken for an edit.
What is compared is what a reader meets: the words in their order, where they
lead, and what the pictures, stylesheets, fonts and documents hold. The bytes
as served are kept whole beside that (see `noise` and `files`).

Something else may stand where the page should: a form to sign in, a wall of
consent, a notice with status 200 that there is no such page. Such an answer is
kept as evidence and is neither an edit nor a removal (see `standing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import (
    Batch,
    ByHand,
    Client,
    Cursor,
    Field,
    Finding,
    Kind,
    Manifest,
    Page,
    Sighting,
    State,
)
from connectors.errors import AccessRevoked, AddressRefused, NoSuchPage, UnexpectedResponse
from connectors.webpage import places
from connectors.webpage.asking import authorization
from connectors.webpage.options import SAID, Options
from connectors.webpage.place import Place
from connectors.webpage.reading import Reading
from connectors.webpage.rendering import Chromium, Renders
from connectors.webpage.walking import Manner, Pass, comment_id, native_id

CAPTURES: Mapping[str, str] = {
    "posts": "the page at the address, at every pass: as served, its words, and its pictures, stylesheets, fonts and linked "
    "documents; further pages of the same site by the options addresses and links",
    "comments": "where the page marks them up (schema.org Comment in JSON-LD or microdata)",
    "edits": "by comparing words, links and the contents of files; the page's own times where it states them",
    "deletions": "410, or 404 of a page that was captured before while the site's front page answers",
    "looks": "a screenshot and a PDF of each new state, made from what was captured, where Chromium is installed",
}

BLIND_SPOTS: tuple[str, ...] = (
    (
        "What scripts put into a page in the browser: it is captured as the server sends it. The option scripts runs them for "
        "the rendition alone, without a network."
    ),
    "What was put up and taken down, or changed twice, between two passes.",
    (
        "An edit of words that differ at every look anyway: such a block is masked in what is compared (its numbers, or all of it), "
        "and stands only in the bytes as served. A block that varies among a few texts can still look like an edit now and then."
    ),
    "A day's date or weather that a page shows is an edit every day, unless the option ignore names its element.",
    "How the page was dressed is compared by its stylesheets and pictures alone; classes, inline styles and hidden fields are not.",
    "Frames (maps, videos, forms of other services) are listed by their address and not captured; so are scripts.",
    "Sound, film and files larger than 32 MB are fetched once: that one was replaced under the same address is not seen.",
    (
        "Comments that are loaded by a script, stand on further pages, or are not marked up as comments are words of the page. "
        "A comment marked up in JSON-LD stands in the page's own words too, unless the option ignore names their element."
    ),
    "A screenshot or PDF shows a page with its comments: it belongs to the page's record, also when a comment is disposed of.",
    (
        "Whether a page that stands in this one's place is a form to sign in, a wall or a notice is told by its words and may be "
        "told wrongly: then the page is a gap, never an edit."
    ),
    "Linked pages beyond one step, and pages that nothing names.",
    "Where a wall asks for consent, nobody consents: the page is a gap until the site shows it without.",
)

LEGAL_BASIS = (
    "An agency captures pages that it publishes or answers for, to keep its own records. robots.txt speaks to strangers' crawlers "
    "and is not asked; the site's Retry-After and a pause between requests are kept. Add no page of somebody else's without leave."
)


class WebPage:
    """A web page. `secret`, where the page is connected: `user` and `password` of HTTP's own sign-in."""

    manifest: ClassVar[Manifest] = Manifest(
        name="webpage",
        title="Web pages",
        platform="webpage",
        route="page",
        captures=CAPTURES,
        blind_spots=BLIND_SPOTS,
        needs=(
            "Nothing for a public page.",
            "For a page behind HTTP's own sign-in: its user name and password, over https.",
            "For screenshots and PDF files: Chromium on the machine that captures.",
        ),
        options=SAID,
        legal_basis=LEGAL_BASIS,
        sign_in=ByHand(
            fields=(
                Field(name="user", title="User name", shown=True),
                Field(name="password", title="Password", help="At least eight characters."),
            ),
            steps=(
                "Only for a page for which the browser itself asks for a name and password. A public page needs none of this.",
                "Ask whoever runs the site for an account that may only read.",
            ),
        ),
    )
    manner: ClassVar[Manner] = Manner()

    def __init__(
        self, http: Client, secret: Mapping[str, str] | None = None, *, renders: Renders | None = None
    ) -> None:
        self._http = http
        self._secret = secret
        self._renders = renders or Chromium()

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Capture the page, then the others that were named or are linked; each is one batch."""
        yield from self._pass(page, Place.read(since, page.address)).run()

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each page at its address; a comment is looked for on its page, which never says that it is gone."""
        options = self._options(page)
        wanted: dict[str, list[str]] = {}
        for _, name in native_ids:
            address = _address_of(name, options.address)
            if address is not None:
                wanted.setdefault(address, []).append(name)
        walk = self._pass(page, Place.read(None, page.address))
        for address, asking, state, why, read in walk.look(list(wanted)):
            sightings = [_standing(name, address, state, why, read) for name in wanted[address]]
            yield Batch(
                exchanges=asking.take(),
                resume_from=Place.read(None, page.address).cursor(),
                sightings=sightings,
            )

    def signed(self, page: Page, address: str) -> Mapping[str, str]:
        """Our name and password, where the file is the site's own."""
        if places.joined(address, address) is None:
            return {}  # no address: who asks for it says so
        return authorization(self._secret, self._options(page).address, address)

    def check(self, page: Page) -> Iterator[Finding]:
        """Ask for the page once, and say whether it is there, and whether it can be rendered."""
        options = self._options(page)
        yield Finding(
            what="the address is protected by TLS (https)",
            fine=options.address.startswith("https://"),
            remedy=""
            if options.address.startswith("https://")
            else "Give the https address, if the site has one.",
        )
        what = "the page answers, and is the page"
        walk = self._pass(page, Place.read(None, page.address))
        try:
            for _, _, state, why, _ in walk.look([options.address]):
                fine = state is State.PRESENT
                remedy = (
                    ""
                    if fine
                    else f"It answered {why}. Open the address in a browser without being signed in, and correct it."
                )
                yield Finding(what=what, fine=fine, remedy=remedy)
        except AccessRevoked as fault:
            yield Finding(what=what, fine=False, remedy=str(fault))
        except (AddressRefused, UnexpectedResponse, NoSuchPage) as fault:
            yield Finding(what=what, fine=False, remedy=str(fault))
        if options.renditions != ():
            able = self._renders.available()
            yield Finding(
                what="Chromium is installed, for screenshots and PDF files",
                fine=able,
                remedy=""
                if able
                else "The operator installs the package chromium, or set the option render=no.",
            )

    def _pass(self, page: Page, place: Place) -> Pass:
        return Pass(self._http, self._secret, self._options(page), place, self._renders, self.manner)

    def _options(self, page: Page) -> Options:
        return Options.of(page)


def _address_of(name: str, main: str) -> str | None:
    """The address of the page that an item is or stands on; None for an id that is not ours."""
    kind, _, rest = name.partition(":")
    if kind not in {"page", "comment"}:
        return None
    where = rest.partition("#")[0]
    return places.normal(f"{main.partition('://')[0]}://{where}")


def _standing(name: str, address: str, state: State, why: str, read: Reading | None) -> Sighting:
    if name == native_id(address) or read is None:
        # A page that is gone takes its comments out of sight; of a comment itself no site says that it is gone.
        shown = state if name == native_id(address) else State.UNKNOWN
        return Sighting(native_id=name, state=shown, exchange=0, reason=why)
    there = any(comment_id(address, remark.id) == name for remark in read.remarks)
    return Sighting(
        native_id=name,
        state=State.PRESENT if there else State.UNKNOWN,
        exchange=0,
        reason=why if there else f"{why}; the page does not show this comment",
    )
