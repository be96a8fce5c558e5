"""Two platforms of which nothing but pages can be had: MySpace, and Digg, which has stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from connectors.contract import Batch, Cursor, Finding, Gap, Kind, Manifest, Page
from connectors.errors import AccessRevoked, AddressRefused, TryAgainLater, UnexpectedResponse
from connectors.webpage.asking import Asking
from connectors.webpage.client import BLIND_SPOTS, CAPTURES, LEGAL_BASIS, WebPage
from connectors.webpage.options import SAID, Options
from connectors.webpage.place import Place
from connectors.webpage.walking import Manner

_TAKEN = (401, 403, 404, 410, 429, 451, *range(500, 512), *range(520, 531))


class MySpace(WebPage):
    """A profile on MySpace, as its pages show it: the interface was closed years ago."""

    manifest: ClassVar[Manifest] = Manifest(
        name="myspace",
        title="MySpace",
        platform="myspace",
        route="page",
        captures={
            **CAPTURES,
            "profile": "the profile's page: title, introduction and what else its server sends",
            "posts": "its further pages (/photos, /music, /video, /connections, /mixes), where the option addresses names them",
        },
        blind_spots=(
            "There is no interface, no feed and no export: only what the pages show to the public is captured.",
            "Streams, photographs and lists that MySpace loads by a script after the page: most of a profile's further pages.",
            "Comments on the profile, and messages: they are not shown to the public.",
            "Most of what was uploaded before 2016: MySpace lost it, and no capture brings it back.",
            *BLIND_SPOTS,
        ),
        needs=(
            "Nothing: profiles are public.",
            "For screenshots and PDF files: Chromium on the machine that captures.",
        ),
        options=SAID,
        legal_basis=LEGAL_BASIS,
    )
    manner: ClassVar[Manner] = Manner(kind=Kind.PROFILE)


class Digg(WebPage):
    """A page on Digg, which stopped on 13 March 2026.

    Each pass asks once, keeps what answered, and says with a gap that the site
    is not available; whatever stands there now is not the page, and proves
    nothing about it. Should Digg run again, the option `reopened` captures the
    page as any other.
    """

    manifest: ClassVar[Manifest] = Manifest(
        name="digg",
        title="Digg",
        platform="digg",
        route="page",
        captures={
            "posts": "nothing while Digg is closed: each pass keeps what its address answers and reports a gap; with the option "
            "reopened=yes, the page as its server sends it",
        },
        blind_spots=(
            "Digg stopped on 13 March 2026 and its interfaces are closed: what stood there before the first capture cannot be had.",
            "A removal: no answer of Digg's makes anything absent or gone.",
            *BLIND_SPOTS,
        ),
        needs=("Nothing: there is nothing to sign in to.",),
        options={**SAID, "reopened": "yes: Digg runs again; capture the page as any other (default: no)"},
        legal_basis=LEGAL_BASIS,
    )
    manner: ClassVar[Manner] = Manner(says_gone=False)

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Ask once and report that the site is not available; with `reopened`, capture the page."""
        if page.options.get("reopened") == "yes":
            yield from super().observe(page, since)
            return
        place = Place.read(since, page.address)
        with Asking(self._http, None, page.address) as asking:
            said = _answer(asking, Options.of(page).address)
            yield Batch(
                exchanges=asking.take(),
                resume_from=place.cursor(),
                gaps=[
                    Gap(
                        what="the page on Digg",
                        why=f"site unavailable: Digg stopped on 13 March 2026 ({said}). What was captured before stays as it "
                        "was. Should Digg run again, set the option reopened=yes.",
                    )
                ],
            )

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Nothing can be asked while the site is closed."""
        if page.options.get("reopened") == "yes":
            yield from super().look(page, native_ids)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say that the site has stopped; with `reopened`, how the page answers."""
        if page.options.get("reopened") == "yes":
            yield from super().check(page)
            return
        yield Finding(
            what="Digg runs",
            fine=False,
            remedy="Digg stopped on 13 March 2026. Import what was saved of the page before (`muniment import`), and pause this "
            "page; should Digg run again, set the option reopened=yes.",
        )


def _answer(asking: Asking, address: str) -> str:
    """What the address answers at present, in a few words; the exchanges stay with `asking`."""
    try:
        exchange = asking.page(address, _TAKEN)
    except (TryAgainLater, AccessRevoked, UnexpectedResponse, AddressRefused) as fault:
        known = asking.exchanges
        known += [one for one in fault.exchanges if all(one is not kept for kept in known)]
        return str(fault).rstrip(".")
    moved = f", at {exchange.url}" if exchange.url != address else ""
    return f"its address answers {exchange.status} {exchange.reason}".rstrip() + moved
