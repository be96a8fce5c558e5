"""Which agency, as a person wrote it: `https://nextdoor.com/agency-detail/ca/harrow-falls/harrow-falls-police/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_HOSTS = re.compile(r"(?:www\.|([a-z]{2})\.)?nextdoor\.(?:com|co\.uk|nl|fr|de|es|it|com\.au)")
_STEP = re.compile(r"[\w.-]{1,120}")


@dataclass(frozen=True, slots=True)
class Address:
    """The host of the agency's country; and, where the address tells them, its state and what its page is called."""

    host: str
    state: str = ""
    place: str = ""
    name: str = ""

    @property
    def names_an_agency(self) -> bool:
        """Whether it is the address of an agency's page, and not of something else that leads there."""
        return bool(self.name)


def read(written: str) -> Address | None:
    """The agency that `written` names; None where it is no address at Nextdoor, or names nothing there."""
    text = written.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if not _HOSTS.fullmatch(host):
        return None
    match [unquote(step).lower() for step in parts.path.split("/") if step]:
        case ["agency-detail", state, place, name, *_] if all(map(_STEP.fullmatch, (state, place, name))):
            return Address(host.removeprefix("www."), state, place, name)
        case [first, *_] if _STEP.fullmatch(first):
            return Address(host.removeprefix("www."))
        case _:
            return None


def contradicts(told: str | None, named: Address) -> bool:
    """Whether Nextdoor tells the address of another agency's page. Where either tells none, it does not."""
    found = read(told) if told else None
    if found is None or not found.names_an_agency or not named.names_an_agency:
        return False
    return (found.state, found.place, found.name) != (named.state, named.place, named.name)


def agrees(told: str | None, named: Address) -> bool:
    """Whether Nextdoor tells exactly this agency's page."""
    found = read(told) if told else None
    return found is not None and found.names_an_agency and not contradicts(told, named) and bool(named.name)
