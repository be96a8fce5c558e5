"""What an account is called: handles, DIDs, and the addresses in which they stand. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

POST = "app.bsky.feed.post"

_DID = re.compile(r"did:(?:plc:[a-z2-7]{24}|web:[A-Za-z0-9.%_-]+)")
_HANDLE = re.compile(
    r"(?=.{3,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_KEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
_COLLECTION = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9-]+){2,}")


@dataclass(frozen=True, slots=True)
class Uri:
    """The address of a record, `at://did/collection/rkey`."""

    did: str
    collection: str
    rkey: str

    def __str__(self) -> str:
        return f"at://{self.did}/{self.collection}/{self.rkey}"

    @property
    def path(self) -> str:
        """Its key in the tree of its account's repository."""
        return f"{self.collection}/{self.rkey}"

    @property
    def web(self) -> str | None:
        """Where people read it; None where Bluesky's pages show no such record."""
        return f"https://bsky.app/profile/{self.did}/post/{self.rkey}" if self.collection == POST else None


def account(written: str) -> str | None:
    """The handle or DID in an address as a person wrote it; None where there is none.

    Understood are `https://bsky.app/profile/town.example`, also with a post's
    own path behind it, `at://…`, `@town.example`, a handle and a DID.
    """
    text = written.strip()
    if text.startswith("at://"):
        text = text.removeprefix("at://").partition("/")[0]
    elif "://" in text or text.startswith("bsky.app/"):
        try:
            path = urlsplit(text if "://" in text else "https://" + text).path
        except ValueError:
            return None
        named = re.match(r"/profile/([^/]+)", path)
        if named is None:
            return None
        text = unquote(named.group(1))
    text = text.removeprefix("@")
    return text if is_did(text) else handle(text)


def is_did(text: str) -> bool:
    """Whether it is a DID of a kind that accounts have: did:plc or did:web."""
    return _DID.fullmatch(text) is not None


def handle(text: str) -> str | None:
    """A handle in its one form; None where it is none."""
    named = text.lower()
    return named if _HANDLE.fullmatch(named) else None


def uri(text: object) -> Uri | None:
    """The record's address that `text` is, with a DID for its authority; None where it is none."""
    if not isinstance(text, str) or not text.startswith("at://"):
        return None
    parts = text.removeprefix("at://").split("/")
    if len(parts) != 3 or not is_did(parts[0]):
        return None
    if not _COLLECTION.fullmatch(parts[1]) or not _KEY.fullmatch(parts[2]) or parts[2] in {".", ".."}:
        return None
    return Uri(*parts)
