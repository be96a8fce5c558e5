"""The evidence client with mailboxes, and the recorder of the promises with them: what a mailbox told is told again."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from connectors.contract import Exchange
from connectors.http import EvidenceClient
from connectors.mailbox import ImapMailbox, Mailbox


def mailbox_of(client: EvidenceClient, host: str, user: str, **more: Any) -> ImapMailbox:
    """A mailbox over an evidence client's own parts."""
    return ImapMailbox(
        host,
        user,
        **more,
        gate=client._gate,
        clock=client._clock,
        monotonic=client._monotonic,
        replacing=lambda: client._secrets.during("", {}),
        record=client._recorded.add,
        tls=client._connections._tls,
    )


class MailingClient(EvidenceClient):
    """The evidence client where it opens mailboxes too."""

    def mailbox(
        self, host: str, user: str, *, password: str | None = None, access_token: str | None = None
    ) -> Mailbox:
        return mailbox_of(self, host, user, password=password, access_token=access_token)


class Told:
    """What the promises hand to a connector, with mailboxes: recorded with the rest, and told again from there."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def mailbox(self, host: str, user: str, **credentials: str | None) -> _Mailbox:
        asked = getattr(self._client, "_client", None)
        real = mailbox_of(asked, host, user, **credentials) if asked is not None else None
        return _Mailbox(self._client, real)


class _Mailbox:
    def __init__(self, told: Any, real: ImapMailbox | None) -> None:
        self._told, self._real = told, real

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        if self._real is not None:
            self._real.__exit__(_type, _error, _tb)

    def examine(self, folder: str) -> Exchange:
        return self._asked("examine", folder)

    def search(self, *criteria: str) -> Exchange:
        return self._asked("search", *criteria)

    def survey(self, uids: Sequence[int], *fields: str) -> Exchange:
        return self._asked("survey", uids, *fields)

    def message(self, uid: int) -> Exchange:
        return self._asked("message", uid)

    def _asked(self, method: str, *arguments: Any) -> Exchange:
        real = self._real
        if real is None:
            told: Exchange = self._told._next(f"{method} {arguments}")
        else:
            told = self._told._asked(lambda: getattr(real, method)(*arguments))
        return told
