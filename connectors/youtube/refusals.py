"""What YouTube's refusals mean. The reason in the body says what happened; the status is 403 for nearly all of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Exchange
from connectors.errors import AccessRevoked, ConnectorError, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.http import retry_after
from connectors.youtube import quota

_SPENT = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
_TOO_FAST = frozenset(
    {
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "servingLimitExceeded",
        "concurrentLimitExceeded",
        "RATE_LIMIT_EXCEEDED",
    }
)
_PASSING = frozenset({"backendError", "internalError", "internalServerError", "serviceUnavailable"})
_NO_SUCH = frozenset(
    {
        "videoNotFound",
        "channelNotFound",
        "playlistNotFound",
        "commentNotFound",
        "commentThreadNotFound",
        "captionNotFound",
        "notFound",
    }
)
_TOKEN_FORGOTTEN = frozenset({"invalidPageToken", "processingFailure", "INVALID_PAGE_TOKEN"})
_FORBIDDEN = frozenset(
    {
        "forbidden",
        "insufficientPermissions",
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "insufficientScopes",
        "playlistItemsNotAccessible",
    }
)
_NAMED: dict[str, str] = {
    "UNAUTHENTICATED": "authError",
    "PERMISSION_DENIED": "forbidden",
    "NOT_FOUND": "notFound",
    "RESOURCE_EXHAUSTED": "rateLimitExceeded",
    "UNAVAILABLE": "serviceUnavailable",
    "INTERNAL": "internalError",
}
"""What Google's own names for kinds of refusals mean, where no reason stands beside them."""
_REASON = re.compile(r"[\w.-]{1,80}")
_WITHOUT_A_TIME = timedelta(minutes=5)

_CONSOLE = "In the Google Cloud console, in the agency's project,"

_DEAD: dict[str, str] = {
    "keyInvalid": "the key is not valid. Take it from APIs & Services > Credentials again, and connect the page anew",
    "API_KEY_INVALID": "the key is not valid. Take it from APIs & Services > Credentials again, and connect the page "
    "anew",
    "keyExpired": "the key was ended. Make a new one under APIs & Services > Credentials, and connect the page anew",
    "API_KEY_EXPIRED": "the key was ended. Make a new one under APIs & Services > Credentials, and connect the page "
    "anew",
    "accessNotConfigured": f"the interface is not switched on. {_CONSOLE} open APIs & Services > Library and enable the "
    "YouTube Data API v3",
    "SERVICE_DISABLED": f"the interface is not switched on. {_CONSOLE} open APIs & Services > Library and enable the "
    "YouTube Data API v3",
    "API_KEY_SERVICE_BLOCKED": f"the key may not be used for this. {_CONSOLE} open the key and allow it the YouTube Data "
    "API v3 under API restrictions",
    "ipRefererBlocked": f"the key may not be used from this machine. {_CONSOLE} open the key and allow this machine's "
    "address under Application restrictions",
    "API_KEY_IP_ADDRESS_BLOCKED": f"the key may not be used from this machine. {_CONSOLE} open the key and allow this "
    "machine's address under Application restrictions",
    "API_KEY_HTTP_REFERRER_BLOCKED": f"the key is only for web pages. {_CONSOLE} open the key and choose IP addresses "
    "under Application restrictions",
    "authError": "the permission was taken back or has run out. Connect the page again",
    "unauthorized": "the permission was taken back or has run out. Connect the page again",
    "expired": "the permission has run out. Connect the page again",
    "invalid_token": "the permission was taken back or has run out. Connect the page again",
    "invalid_grant": "the permission was taken back or has run out. Connect the page again",
    "youtubeSignupRequired": "whoever connected the page has no channel. Connect it with the channel's own account",
    "authenticatedUserAccountClosed": "the account that connected the page was closed. Connect the page again",
    "authenticatedUserAccountSuspended": "the account that connected the page is suspended. Sign in there, and see what "
    "YouTube asks for",
    "authenticatedUserNotChannel": "whoever connected the page has no channel. Connect it with the channel's own account",
    "accountDelegationForbidden": "whoever connected the page may not act for the channel. Connect it with the channel's "
    "own account",
    "accountClosed": "the account that connected the page was closed. Connect the page again",
    "accountSuspended": "the account that connected the page is suspended. Sign in there, and see what YouTube asks for",
}
"""For whom the page's connection itself is refused, and what to do."""

_CLOSED: dict[str, str] = {
    "channelClosed": "the channel was closed",
    "channelSuspended": "YouTube has suspended the channel",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """YouTube's own word for why it did not answer: its reasons, the most telling first."""

    reasons: tuple[str, ...]
    status: int
    daily: bool = False
    """Whether it is the limit of a day that is reached: newer answers give that the same reason as haste."""

    @property
    def reason(self) -> str:
        """What an officer and a reader of the evidence are told."""
        return self.reasons[0] if self.reasons else "no reason"


class NotGiven(UnexpectedResponse):
    """YouTube refused one question, not the connection: a video without comments, an id that it does not know.

    Who asks for what may be refused weighs it; for anybody else it is an answer that was not promised.
    """

    code = "question-refused"

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"{self.why}.")

    @property
    def says(self) -> str:
        """YouTube's own words: status and reason."""
        return f"{self.fault.status} {self.fault.reason}"

    @property
    def not_found(self) -> bool:
        """Whether it says that there is no such thing, or none that we may see: it says both alike."""
        return any(one in _NO_SUCH for one in self.fault.reasons)

    @property
    def comments_disabled(self) -> bool:
        """Whether comments are turned off there."""
        return "commentsDisabled" in self.fault.reasons

    @property
    def forbidden(self) -> bool:
        """Whether a permission is lacking."""
        return any(one in _FORBIDDEN for one in self.fault.reasons)

    @property
    def token_forgotten(self) -> bool:
        """Whether it can be the place in a list that is refused: YouTube keeps it for a time only."""
        return self.fault.status == 400 and any(one in _TOKEN_FORGOTTEN for one in self.fault.reasons)

    def later(self) -> TryAgainLater:
        """The same, where nothing is wrong with the place in the list: YouTube gives that reason when it merely fails."""
        return TryAgainLater(f"YouTube could not answer for a moment ({self.says}).")

    @property
    def why(self) -> str:
        """For an officer."""
        if self.forbidden:
            return (
                f"YouTube does not permit it to whoever connected the page ({self.says}): connect the page again as the "
                "channel itself, and permit it"
            )
        return f"YouTube answers {self.says}"


def fault(body: bytes, status: int) -> Fault | None:
    """YouTube's own refusal, or None where somebody else answered (a firewall, a proxy).

    Three shapes are known: reasons in a list (`errors`), reasons in `details`
    besides, and the bare word of the token endpoint.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, str) and _REASON.fullmatch(error):
        return Fault((error,), status)
    if not isinstance(error, dict):
        return None
    listed = [*_reasons(error.get("details")), *_reasons(error.get("errors"))]
    if not listed and isinstance(named := error.get("status"), str):
        listed = [_NAMED[named]] if named in _NAMED else []
    # "badRequest" and "forbidden" say less than whatever stands beside them.
    telling = sorted(dict.fromkeys(listed), key=lambda one: one in {"badRequest", "forbidden", "invalid"})
    return Fault(tuple(telling), status, _is_daily(error.get("details")))


def _reasons(told: Any) -> list[str]:
    return [
        one["reason"]
        for one in _listed(told)
        if isinstance(one.get("reason"), str) and _REASON.fullmatch(one["reason"])
    ]


def _is_daily(told: Any) -> bool:
    limits = [
        one["metadata"].get("quota_limit") for one in _listed(told) if isinstance(one.get("metadata"), dict)
    ]
    return any(isinstance(one, str) and "PerDay" in one for one in limits)


def _listed(told: Any) -> list[dict[str, Any]]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def later(said: Fault | None, exchange: Exchange, now: datetime) -> TryAgainLater | None:
    """The wait that a refusal asks for, if it asks for one."""
    if said is None:
        return None
    if said.daily or any(one in _SPENT for one in said.reasons):
        return TryAgainLater(
            f"YouTube's quota for the agency's project is spent for today ({said.reason}). Capture goes on after midnight "
            "in Los Angeles.",
            after=quota.until_midnight(now),
        )
    if any(one in _TOO_FAST for one in said.reasons):
        return TryAgainLater(
            f"YouTube was asked too often at once ({said.reason}).",
            after=retry_after(exchange, now) or _WITHOUT_A_TIME,
        )
    if any(one in _PASSING for one in said.reasons):
        return TryAgainLater(f"YouTube could not answer for a moment ({said.reason}).")
    return None


def sorted_out(said: Fault | None, exchange: Exchange, now: datetime) -> ConnectorError:
    """What a refusal means for whoever asked, in words that an officer can act on."""
    if said is None:
        return UnexpectedResponse(
            f"{exchange.url} answered {exchange.status} with a page that is not YouTube's own: something stands between "
            "the archive and YouTube. Ask whoever runs the network to let it through."
        )
    waits = later(said, exchange, now)
    if waits is not None:
        return waits
    for reason in said.reasons:
        if reason in _DEAD:
            return AccessRevoked(f"YouTube does not let the archive in ({reason}): {_DEAD[reason]}.")
        if reason in _CLOSED:
            return NoSuchPage(f"{_CLOSED[reason][0].upper()}{_CLOSED[reason][1:]} ({reason}).")
    if said.status == 401:
        return AccessRevoked(
            f"YouTube does not let the archive in ({said.reason}): the permission was taken back or has run out. Connect "
            "the page again."
        )
    return NotGiven(said)
