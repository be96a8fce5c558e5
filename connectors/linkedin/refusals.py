"""What LinkedIn's refusals mean: each has a status, a word (`code`) and mostly a number (`serviceErrorCode`)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from connectors.contract import Exchange
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.http import retry_after

_WORD = re.compile(r"[A-Z][A-Z0-9_]{1,79}")
_AGAIN = "Connect the page again, as an administrator of it."

_TOKENS = {
    65600: f"the token is not valid. {_AGAIN}",
    65601: f"whoever connected the page has taken the permission back. {_AGAIN}",
    65602: f"the token has run out, and was not renewed: a permission lasts a year at most. {_AGAIN}",
}
_TOKEN_WORDS = {
    "INVALID_ACCESS_TOKEN": 65600,
    "EMPTY_ACCESS_TOKEN": 65600,
    "REVOKED_ACCESS_TOKEN": 65601,
    "EXPIRED_ACCESS_TOKEN": 65602,
}
_VERSIONS = frozenset({"NONEXISTENT_VERSION", "VERSION_MISSING", "INVALID_VERSION"})
_A_MOMENT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Fault:
    """LinkedIn's own word for why it did not answer."""

    status: int
    code: str = ""
    service: int | None = None
    message: str = ""

    @property
    def says(self) -> str:
        """What an officer and a reader of the evidence are told: `404 NOT_FOUND`."""
        numbered = "" if self.service is None else f" {self.service}"
        return f"{self.status} {self.code or 'without a code'}{numbered}"


class NotGiven(UnexpectedResponse):
    """LinkedIn refused one question, not the connection: a permission, a parameter, an id that it does not know.

    Who asks for what may be refused weighs it; for anybody else it is an answer that was not promised.
    """

    code = "linkedin-refused"

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"{self.why}.")

    @property
    def says(self) -> str:
        """LinkedIn's own words: status and code."""
        return self.fault.says

    @property
    def not_found(self) -> bool:
        """Whether it says that there is no such thing."""
        return self.fault.status == 404

    @property
    def forbidden(self) -> bool:
        """Whether a permission or a role is lacking."""
        return self.fault.status == 403

    @property
    def why(self) -> str:
        """For an officer."""
        if self.forbidden:
            return (
                f"LinkedIn does not permit it to whoever connected the page ({self.says}): see with a check whether the "
                "role on the page or a permission of the application is lacking"
            )
        return f"LinkedIn answers {self.says}"


class VersionEnded(UnexpectedResponse):
    """LinkedIn no longer answers as the version that was asked for."""

    code = "version-ended"


def fault(body: bytes, status: int) -> Fault | None:
    """LinkedIn's own refusal, or None where somebody else answered (a firewall, a proxy).

    A body that is a refusal of LinkedIn's repeats the status; the word or the number may be missing.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("status") != status:
        return None
    code, service, message = told.get("code"), told.get("serviceErrorCode"), told.get("message")
    return Fault(
        status,
        code if isinstance(code, str) and _WORD.fullmatch(code) else "",
        service if isinstance(service, int) and not isinstance(service, bool) else None,
        message[:500] if isinstance(message, str) else "",
    )


def until_midnight(now: datetime) -> timedelta:
    """How long it is until the limits of a day begin anew: at midnight, UTC."""
    at = now.astimezone(UTC)
    return datetime.combine(at.date() + timedelta(days=1), time(), UTC) - at


def throttled(said: Fault | None, exchange: Exchange, now: datetime) -> TryAgainLater:
    """The wait that a 429 asks for. LinkedIn names no time: its limits are those of a day, but for haste."""
    told = retry_after(exchange, now)
    if told is not None:
        return TryAgainLater("LinkedIn was asked too often.", after=told)
    if said is not None and ("1 minute" in said.message or "BURST" in said.message.upper()):
        return TryAgainLater("LinkedIn was asked too often at once.", after=_A_MOMENT)
    return TryAgainLater(
        "LinkedIn's limit for today is reached, of the application or of whoever connected the page (the developer portal "
        "shows both under Analytics). Capture goes on after midnight UTC.",
        after=until_midnight(now),
    )


def sorted_out(said: Fault | None, exchange: Exchange, version: str) -> ConnectorError:
    """What a refusal means for whoever asked, in words that an officer can act on."""
    if said is None:
        return UnexpectedResponse(
            f"{exchange.url} answered {exchange.status} with a page that is not LinkedIn's own: something stands between "
            "the archive and LinkedIn. Ask whoever runs the network to let it through."
        )
    if said.status == 426 or said.code in _VERSIONS:
        return VersionEnded(
            f"LinkedIn no longer answers as version {version} ({said.says}). Whoever runs the machine updates Muniment, or "
            "sets the page's option `version` to a newer one until then."
        )
    if said.status == 401:
        number = said.service if said.service in _TOKENS else _TOKEN_WORDS.get(said.code, 65600)
        return AccessRevoked(f"LinkedIn does not let the archive in ({said.says}): {_TOKENS[number]}")
    return NotGiven(said)
