"""Which organisation, as a person wrote it: `https://www.linkedin.com/company/townpolice/`, `urn:li:organization:5515715`, `5515715`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from connectors.naming import steps

_HOSTS = re.compile(r"(?:[a-z]{2,3}\.)?linkedin\.com")
_KINDS = frozenset({"company", "school", "showcase", "organization-guest"})
_NUMBER = re.compile(r"\d{1,19}")
_URN = re.compile(r"urn:li:organization(?:Brand)?:(\d{1,19})")
_NAME = re.compile(r"[\w-]{1,100}")


@dataclass(frozen=True, slots=True)
class Address:
    """How LinkedIn is asked for the organisation: by its number, or else by the name in its address."""

    number: str = ""
    vanity: str = ""

    @property
    def written(self) -> str:
        """As it is told to a person."""
        return self.number or self.vanity


def read(written: str) -> Address | None:
    """The organisation that `written` names; None where it names none that the interface can be asked for.

    A person's own address (`/in/…`) is among those: the interface opens pages of organisations alone.
    """
    text = written.strip()
    if _NUMBER.fullmatch(text):
        return Address(number=text)
    if (urn := _URN.fullmatch(text)) is not None:
        return Address(number=urn[1])
    match [unquote(step) for step in steps(text, _HOSTS) or ()]:
        case [kind, name, *_] if kind in _KINDS and _NUMBER.fullmatch(name):
            return Address(number=name)
        case [kind, name, *_] if kind in _KINDS and _NAME.fullmatch(name):
            return Address(vanity=name)
        case _:
            return None
