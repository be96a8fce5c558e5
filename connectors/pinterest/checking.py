"""Says how an account's connection stands, asking for each thing as little as shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.contract import Finding
from connectors.errors import AccessRevoked, NoSuchPage
from connectors.pinterest.asking import Asking
from connectors.pinterest.reading import introduction
from connectors.pinterest.refusals import NotGiven

_LISTS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "boards": ("boards", "boards:read", {}),
    "secret boards": ("boards", "boards:read_secret", {"privacy": "SECRET"}),
    "pins": ("pins", "pins:read", {}),
    "pins on secret boards": ("pins", "pins:read_secret", {"pin_type": "PRIVATE"}),
}
"""What is asked for, where, by which permission, and with what."""


def findings(asking: Asking, name: str) -> Iterator[Finding]:
    """Account and permissions, in the order in which one needs the other."""
    try:
        account = introduction(asking, name).what
    except (AccessRevoked, NoSuchPage) as refused:
        yield Finding(what="account and permission", fine=False, remedy=str(refused))
        return
    yield Finding(what=f"account {account.username}", fine=True)
    for what, (path, scope, more) in _LISTS.items():
        try:
            asking.get(path, {**more, "page_size": "1"})
        except AccessRevoked as refused:
            yield Finding(what=f"{what}: {scope}", fine=False, remedy=f"{refused} Permit {scope}.")
        except NotGiven as refused:
            yield Finding(what=f"{what}: {scope}", fine=False, remedy=f"{refused.why} ({scope}).")
        else:
            yield Finding(what=f"{what}: {scope}", fine=True)
