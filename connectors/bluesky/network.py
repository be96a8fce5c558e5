"""The network that an account is in: who it is, which server keeps it, and which app view shows what others answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from connectors.bluesky import address, identity, parse
from connectors.bluesky.asking import Asking, NotGiven
from connectors.bluesky.identity import Identity
from connectors.contract import Page, Span
from connectors.errors import AccessRevoked, ConnectorError, NoSuchPage, UnexpectedResponse

APP_VIEW = "https://public.api.bsky.app"
DIRECTORY = "https://plc.directory"

NO_LONGER = {
    "RepoTakendown": "the platform has taken the account down",
    "RepoSuspended": "the platform has suspended the account",
    "RepoDeactivated": "its own people have deactivated the account",
    "RepoNotFound": "its server has no such account any longer",
    "AccountNotFound": "its server has no such account any longer",
}
"""What a server says of an account that it does not show."""


class Network:
    """Where this page's questions go. Each account is asked for once in a visit."""

    def __init__(self, asking: Asking, page: Page) -> None:
        self.asking = asking
        self.app_view = server(page.options, "appview", APP_VIEW)
        self.directory = server(page.options, "directory", DIRECTORY)
        self._known: dict[str, Identity | NotGiven] = {}

    def page(self, page: Page, did: str | None = None) -> tuple[Identity, list[Span]]:
        """The account behind a page's address, with the bytes that tell who it is.

        `did` is the account that was read before: a handle may change hands,
        a DID does not.
        """
        named = address.account(page.address)
        if named is None:
            raise NoSuchPage(
                f"“{page.address}” names no account. Give its address, such as "
                "https://bsky.app/profile/town.example, its handle, or its DID."
            )
        shown: list[Span] = []
        did = did or (named if address.is_did(named) else None)
        if did is None:
            did = self._resolved(named)
            shown.append(self.asking.whole(self.asking.last))
        try:
            found = self.identity(did)
        except NotGiven as refusal:
            raise NoSuchPage(
                f"{did} has no document any longer ({refusal.reason}): the account was removed from the network. "
                "What was captured before stays."
            ) from None
        if found.pds is None:
            raise NoSuchPage(f"The document of {did} names no server that keeps the account.")
        return found, [*shown, self.asking.whole(self.asking.last)]

    def identity(self, did: str) -> Identity:
        """What the document of `did` says now; `NotGiven` where the directory has none."""
        exchange = self.asking.get(identity.document_address(did, self.directory))
        if exchange.status != 200:
            if exchange.status in {401, 403}:
                raise AccessRevoked(f"{exchange.url} does not let us ask: it answers {exchange.status}.")
            if exchange.status in {404, 410} and "json" in (exchange.header("Content-Type") or ""):
                raise NotGiven(exchange.status, "no document", "")
            raise UnexpectedResponse(
                f"{exchange.url} answered {exchange.status} where a DID document should be."
            )
        return self.asking.read(lambda body: identity.read(body, did), exchange)

    def somebody(self, did: str) -> Identity:
        """Who wrote an item: asked once in a visit. `NotGiven` where the directory has no document of theirs."""
        if did not in self._known:
            try:
                self._known[did] = self.identity(did)
            except NotGiven as refusal:
                self._known[did] = refusal
        known = self._known[did]
        if isinstance(known, NotGiven):
            raise known
        return known

    def _resolved(self, handle: str) -> str:
        try:
            exchange = self.asking.xrpc(
                self.app_view, "com.atproto.identity.resolveHandle", {"handle": handle}
            )
        except NotGiven as refusal:
            raise NoSuchPage(
                f"No account has the handle {handle} ({refusal.reason}: {refusal.message}). Correct it, or give the "
                "account's DID, which stays the same when the handle changes."
            ) from None
        return self.asking.read(_did, exchange)


def _did(body: bytes) -> str:
    did = parse.answer(body).get("did")
    if not isinstance(did, str) or not address.is_did(did):
        raise parse.Malformed("a DID was expected")
    return did


def server(options: Mapping[str, str], name: str, otherwise: str) -> str:
    """The address of a server that an officer named, or the public one."""
    written = options.get(name, "").strip().rstrip("/")
    if not written:
        return otherwise
    if "://" not in written:
        written = "https://" + written
    parts = urlsplit(written)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not re.fullmatch(r"[^\s?#]+", written):
        raise ConnectorError(f"The option {name} must be the address of a server, not “{written}”.")
    return written
