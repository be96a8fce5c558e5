"""What the officer who added the page said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.contract import Page
from connectors.errors import ConnectorError
from connectors.webpage import places

SAID: Mapping[str, str] = {
    "addresses": "further pages of the same site to capture, divided by spaces",
    "links": "a pattern such as /news/*: pages of the same site whose path matches it and that the page at the address links "
    "are captured too, one step deep; several patterns are divided by spaces",
    "most": "how many linked pages at most (default 50, at most 500)",
    "documents": "no: leave out the documents that a page links, such as PDF files (default: yes)",
    "ignore": "parts of a page that change by themselves, as #id, .class or the name of an element, divided by spaces: they "
    "are kept with the page as served and are no part of its words",
    "missing": "words by which this site says, with status 200, that there is no such page; several are divided by |",
    "render": "no, screenshot, pdf or both: how a page looked, made from what was captured (default: both, where Chromium is "
    "installed)",
    "scripts": "yes: fetch the page's scripts too and run them when it is rendered, without a network (default: no)",
    "sandbox": "no: run Chromium without its own sandbox, on machines that allow it none (default: yes)",
}

_RENDITIONS: Mapping[str, tuple[str, ...]] = {
    "no": (),
    "screenshot": ("screenshot",),
    "pdf": ("pdf",),
    "both": ("screenshot", "pdf"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """A page's options, read."""

    address: str
    addresses: tuple[str, ...]
    links: str
    most: int
    documents: bool
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    renditions: tuple[str, ...] | None
    """None where nothing was said: both, where Chromium is installed."""
    scripts: bool
    sandbox: bool

    @classmethod
    def of(cls, page: Page) -> Options:
        """The options of `page`; what cannot be understood is refused with what would be right."""
        given = page.options
        address = places.written(page.address)
        if address is None:
            raise ConnectorError(
                f"“{page.address}” is not a web address. Give the page's own, such as https://town.example/news."
            )
        render = given.get("render", "")
        if render and render not in _RENDITIONS:
            raise ConnectorError(f"The option render must be no, screenshot, pdf or both, not “{render}”.")
        return cls(
            address=address,
            addresses=tuple(_further(given.get("addresses", ""), address)),
            links=given.get("links", ""),
            most=_most(given.get("most", "50")),
            documents=given.get("documents", "yes") != "no",
            ignored=tuple(given.get("ignore", "").replace(",", " ").split()),
            missing=tuple(words.strip() for words in given.get("missing", "").split("|") if words.strip()),
            renditions=_RENDITIONS.get(render),
            scripts=given.get("scripts", "no") == "yes",
            sandbox=given.get("sandbox", "yes") != "no",
        )


def _further(written: str, address: str) -> list[str]:
    found: dict[str, None] = {}
    for one in written.replace(",", " ").split():
        whole = places.joined(one, address) if one.startswith("/") else places.written(one)
        read = places.normal(whole) if whole else None
        if read is None or not places.same_site(read, address):
            raise ConnectorError(
                f"The option addresses names “{one}”, which is no page of {places.host(address)}. Add a page of another site as "
                "a page of its own."
            )
        if read != address:
            found.setdefault(read)
    return list(found)


def _most(written: str) -> int:
    if not written.isascii() or not written.isdecimal() or len(written) > 3 or not 0 <= int(written) <= 500:
        raise ConnectorError(f"The option most must be a number from 0 to 500, not “{written}”.")
    return int(written)
