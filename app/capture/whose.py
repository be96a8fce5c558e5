"""Whose page a download is: one that is captured of the same account, where its address says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from app.capture.formats import halves
from app.capture.formats.source import Addressed, Source
from app.records.nouns import Page


def captured(pages: Iterable[Page], source: Source) -> Mapping[tuple[str, str], Page]:
    """By platform and name, as the download has them, the page of the registry that is of the same account.

    That is the only page of the platform whose address ends as the account's
    does. A page that bears the very name is meant by that, and where two could
    be meant, neither is.
    """
    named = source.addresses() if isinstance(source, Addressed) else {}
    if not named:
        return {}
    ending: dict[tuple[str, str], list[Page]] = defaultdict(list)
    called = set()
    for page in pages:
        called.add((page.platform, page.name))
        if page.address and (end := _end(page.address)):
            ending[page.platform, end].append(page)
    found = {}
    for (platform, name), address in named.items():
        own = (halves.replaced(platform), halves.replaced(name))
        fitting = ending.get((platform, _bare(address)), [])
        if own not in called and len(fitting) == 1:
            found[own] = fitting[0]
    return found


def registry(pages: Sequence[Page], source: Source) -> list[tuple[str, str]]:
    """Platform and name of every page, and those by which the download names one of them."""
    return [*((one.platform, one.name) for one in pages), *captured(pages, source)]


def _end(address: str) -> str:
    """The last step of an address, which names the account."""
    try:
        return _bare(urlsplit(address).path.rstrip("/").rpartition("/")[2])
    except ValueError:
        return ""


def _bare(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
