"""What a connector could not do, sorted by what capture should do next.

Each error carries the exchanges that show it, so that the failure itself is
kept as evidence. None of them ever proves that an item was removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from connectors.contract import Exchange


class ConnectorError(Exception):
    """The platform was not observed as it should have been."""

    code = "connector"

    def __init__(self, message: str, exchanges: Sequence[Exchange] = ()) -> None:
        super().__init__(message)
        self.exchanges = tuple(exchanges)


class TryAgainLater(ConnectorError):
    """Throttled, unreachable or failing; `after` is the platform's own delay where it gave one."""

    code = "try-again-later"

    def __init__(
        self, message: str, exchanges: Sequence[Exchange] = (), *, after: timedelta | None = None
    ) -> None:
        super().__init__(message, exchanges)
        self.after = after


class AccessRevoked(ConnectorError):
    """The platform no longer accepts our credentials; a person must connect the page again."""

    code = "access-revoked"


class UnexpectedResponse(ConnectorError):
    """The answer is not what this platform's interface promises: HTML for JSON, a cut body, another shape."""

    code = "unexpected-response"


class AddressRefused(ConnectorError):
    """The address may not be asked: private, malformed, or its certificate does not verify."""

    code = "address-refused"


class NoSuchPage(ConnectorError):
    """Nothing that this connector can read lives at the address."""

    code = "no-such-page"
