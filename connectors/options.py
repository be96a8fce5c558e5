"""What the options of a page say where connectors share a kind of them; one that cannot be meant is refused in words."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.contract import Page
from connectors.errors import AddressRefused, ConnectorError
from connectors.pieces import keeps_secrets


def number(page: Page, name: str, usual: int, *, least: int, most: int) -> int:
    """The option of that name as a number from `least` to `most`; `usual` where the page does not have it."""
    written = page.options.get(name, str(usual))
    try:
        told = int(written) if written.isascii() and written.isdecimal() else None
    except ValueError:  # more digits than Python reads
        told = None
    if told is None or not least <= told <= most:
        raise ConnectorError(f"The option {name} must be a number from {least} to {most}, not “{written}”.")
    return told


def leaves_out(page: Page, lists: Sequence[str]) -> frozenset[str]:
    """Those of `lists` that the page's own people do not use, and that need not be asked for at every pass."""
    named = frozenset(page.options.get("leave_out", "").replace(",", " ").split())
    if unknown := named - set(lists):
        raise ConnectorError(
            f"The option leave_out names {', '.join(sorted(unknown))}; it may name {', '.join(lists)}."
        )
    return named


def protected(address: str, what: str = "token") -> str:
    """The same address; `AddressRefused` where `what` would travel to it in clear."""
    if not keeps_secrets(address):
        raise AddressRefused(f"{address} is not protected by TLS: the {what} would travel in clear.")
    return address
