"""Which subreddit or account, as a person wrote it: `https://www.reddit.com/r/townpolice`, `r/townpolice`, `u/townpolice`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from connectors.naming import steps

SUBREDDIT, ACCOUNT = "r", "user"

_HOSTS = re.compile(r"(?:(?:www|old|new|np|m|sh)\.)?reddit\.com")
_SUBREDDIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{1,20}")
_ACCOUNT = re.compile(r"[\w-]{3,20}", re.ASCII)
_SHORT = re.compile(r"/?(r|u|user)/[^/]+/?")


@dataclass(frozen=True, slots=True)
class Address:
    """What the page is, and its name on Reddit."""

    of: str
    name: str

    @property
    def is_subreddit(self) -> bool:
        """Whether it is a subreddit; else it is an account."""
        return self.of == SUBREDDIT

    @property
    def path(self) -> str:
        """Where the interface is asked for it."""
        return f"{self.of}/{self.name}"


def read(written: str) -> Address | None:
    """The subreddit or account that `written` names; None where it names none."""
    text = written.strip()
    if _SHORT.fullmatch(text):
        text = f"https://www.reddit.com/{text.lstrip('/')}"
    match [unquote(step) for step in steps(text, _HOSTS) or ()]:
        case ["r", name, *_] if name.lower().startswith("u_") and _ACCOUNT.fullmatch(name[2:]):
            return Address(ACCOUNT, name[2:])
        case ["r", name, *_] if _SUBREDDIT.fullmatch(name):
            return Address(SUBREDDIT, name)
        case ["u" | "user", name, *_] if _ACCOUNT.fullmatch(name):
            return Address(ACCOUNT, name)
        case _:
            return None
