"""Which photostream or which group, as a person wrote it: `https://www.flickr.com/photos/townpolice/`, `/groups/name/`, an NSID."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from connectors.naming import steps

NSID = re.compile(r"\d{1,20}@N\d\d")

_HOSTS = re.compile(r"(?:(?:www|m)\.)?flickr\.com")
_NAME = re.compile(r"[\w.@-]{1,80}")


@dataclass(frozen=True, slots=True)
class Address:
    """Whom Flickr is asked for: a person, or a group; `id` is the NSID where the address holds it already."""

    group: bool
    name: str

    @property
    def id(self) -> str:
        """The NSID, or nothing where Flickr has to be asked for it."""
        return self.name if NSID.fullmatch(self.name) else ""

    @property
    def url(self) -> str:
        """The address by which Flickr looks it up."""
        return f"https://www.flickr.com/{'groups' if self.group else 'photos'}/{self.name}/"


def read(written: str) -> Address | None:
    """The photostream or group that `written` names; None where it names neither."""
    text = written.strip()
    if NSID.fullmatch(text):
        return Address(group=False, name=text)
    match [unquote(step) for step in steps(text, _HOSTS) or ()]:
        case ["photos" | "people", name, *_] if _NAME.fullmatch(name):
            return Address(group=False, name=name)
        case ["groups", name, *_] if _NAME.fullmatch(name):
            return Address(group=True, name=name)
        case _:
            return None
