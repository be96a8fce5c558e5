"""What Nextdoor's refusals mean.

Its documentation gives the statuses (400 a bad parameter, 401 not authorised,
403 a scope is lacking, 500 to be tried again) and one shape of a body,
`{"error": "invalid_input", "error_description": …, "invalid_parameter": …}`; the
token endpoint answers as RFC 6749, section 5.2, does. `{"detail": …}` stands in
programs of others. Its own sentences are not repeated: they may hold what was
sent.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from connectors.contract import Exchange
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_APPLICATION = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})
_DEAD = frozenset({"invalid_token", "invalid_grant", "token_expired", "expired_token"})
_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down", "rate_limited"})
_SCOPE = frozenset({"insufficient_scope", "invalid_scope"})


@dataclass(frozen=True, slots=True)
class Said:
    """What a refusal says: its status, the code in its body, and whether that is a body of an interface at all."""

    status: int
    code: str = ""
    is_json: bool = False

    @property
    def short(self) -> str:
        """Status and code, as an officer and a reader of the evidence are told."""
        return f"{self.status} {self.code}".rstrip()


class NotGiven(UnexpectedResponse):
    """Nextdoor refused one question, not the connection: a list that it does not know, a scope that is lacking.

    Who asks for what may be refused weighs it; for anybody else it is an answer that was not promised.
    """

    code = "nextdoor-refused"

    def __init__(self, said: Said) -> None:
        self.said = said
        super().__init__(f"{self.why}.")

    @property
    def forbidden(self) -> bool:
        """Whether a permission is lacking."""
        return self.said.status == 403

    @property
    def why(self) -> str:
        """For an officer."""
        if self.forbidden:
            return (
                f"Nextdoor does not permit it to whoever connected the page ({self.said.short}): the scope is lacking, or "
                "Nextdoor has not approved the application for it"
            )
        if self.said.status == 404:
            return (
                f"Nextdoor does not know what was asked for ({self.said.short}): its interface may have changed. See "
                "whether there is an update of Muniment"
            )
        return f"Nextdoor refuses the question ({self.said.short}): its interface may have changed. See whether there is an update of Muniment"


def said(body: bytes, status: int) -> Said:
    """What a refusal says."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return Said(status)
    if not isinstance(told, dict):
        return Said(status)
    code = told.get("error") or told.get("code")
    return Said(status, code if isinstance(code, str) and _CODE.fullmatch(code) else "", is_json=True)


def sorted_out(exchange: Exchange, body: bytes) -> ConnectorError:
    """What a refusal means for whoever asked, in words that an officer can act on."""
    told = said(body, exchange.status)
    if told.code in _PASSING:
        return TryAgainLater(f"Nextdoor could not answer for a moment ({told.short}).")
    if told.status == 401 or told.code in _DEAD:
        return AccessRevoked(
            f"Nextdoor does not let the archive in ({told.short}): the permission was taken back or has run out. Connect "
            "the page again."
        )
    if not told.is_json:
        return UnexpectedResponse(
            f"{exchange.url} answered {exchange.status} with a page that is not of Nextdoor's interface: something stands "
            "between the archive and Nextdoor, or the address has changed. Ask whoever runs the network to let it through."
        )
    return NotGiven(told)


def of_the_application(exchange: Exchange, body: bytes) -> ConnectorError:
    """What it means that an application was given no token."""
    told = said(body, exchange.status)
    if told.code in _PASSING:
        return TryAgainLater(f"Nextdoor could not answer for a moment ({told.short}).")
    if told.code in _SCOPE:
        return AccessRevoked(
            f"Nextdoor does not permit this application to read the public feed ({told.short}). Ask Nextdoor's "
            "partnerships team which scope was granted, and set the option `scope` to it."
        )
    if told.status in {401, 403} or told.code in _APPLICATION:
        return AccessRevoked(
            f"Nextdoor does not accept the application's id and secret ({told.short}). Compare them with those that "
            "Nextdoor's partnerships team gave, and connect the page again."
        )
    return UnexpectedResponse(f"{exchange.url} answered {told.short}, and gave no token.")
