"""What Pinterest's refusals mean: `{"code": 50, "message": "Pin not found."}`, with a status that says most of it.

The numbers are not documented in full. So the status decides, and a number only
where it is known to say more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from connectors.contract import Exchange
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.http import retry_after

_TOO_OFTEN = 8
_SCOPE = re.compile(r"\b((?:user_accounts|boards|pins):read(?:_secret)?)\b")
_WITHOUT_A_TIME = timedelta(minutes=5)
_LONGEST = timedelta(days=1)
_EPOCH_BEGINS = 1_000_000_000
"""A larger number of seconds is a moment, and not how long to wait."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Pinterest's own word for why it did not answer. Its message is for developers, and is not repeated."""

    status: int
    code: int
    message: str = field(default="", repr=False)

    @property
    def says(self) -> str:
        """Status and code, as a reader of the evidence finds them."""
        return f"{self.status} code {self.code}"


class _Told(msgspec.Struct):
    code: int
    message: str | None = None


class NotGiven(UnexpectedResponse):
    """Pinterest refused one question, not the connection: a board that it does not know, a permission that is lacking.

    Who asks for what may be refused weighs it; for anybody else it is an answer that was not promised.
    """

    code = "pinterest-refused"

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"{self.why}.")

    @property
    def not_found(self) -> bool:
        """Whether it says that there is no such thing, or none that we may see: it says both alike."""
        return self.fault.status == 404

    @property
    def forbidden(self) -> bool:
        """Whether a permission is lacking."""
        return self.fault.status in {401, 403}

    @property
    def malformed(self) -> bool:
        """Whether the question itself is refused: for a list, that can be the place in it, which is kept for a time only."""
        return self.fault.status == 400

    @property
    def why(self) -> str:
        """For an officer."""
        if self.forbidden:
            lacks = " and ".join(dict.fromkeys(_SCOPE.findall(self.fault.message)))
            return (
                f"Pinterest does not permit it to whoever connected the page ({self.fault.says}): connect the page again "
                f"and permit {lacks or 'what is asked for'}"
            )
        return f"Pinterest answers {self.fault.says}"


def fault(body: bytes, status: int) -> Fault | None:
    """Pinterest's own refusal, or None where somebody else answered (a firewall, a proxy)."""
    try:
        told = msgspec.json.decode(body, type=_Told)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return Fault(status, told.code, told.message or "")


def later(exchange: Exchange, now: datetime) -> timedelta:
    """How long Pinterest asks to be left alone: `x-ratelimit-reset`, in seconds."""
    asked = retry_after(exchange, now) or _reset(exchange.header("x-ratelimit-reset"), now)
    return min(asked or _WITHOUT_A_TIME, _LONGEST)


def sorted_out(said: Fault | None, exchange: Exchange, now: datetime) -> ConnectorError:
    """What a refusal means for whoever asked, in words that an officer can act on."""
    if said is None:
        return UnexpectedResponse(
            f"{exchange.url} answered {exchange.status} with something that is not Pinterest's own: something stands "
            "between the archive and Pinterest. Ask whoever runs the network to let it through."
        )
    if said.code == _TOO_OFTEN:
        return TryAgainLater(f"Pinterest was asked too often ({said.says}).", after=later(exchange, now))
    if said.status == 401 and not _SCOPE.search(said.message):
        return AccessRevoked(
            f"Pinterest does not let the archive in ({said.says}): the permission was taken back or has run out. Connect "
            "the page again."
        )
    return NotGiven(said)


def _reset(written: str | None, now: datetime) -> timedelta | None:
    """The first number of the header: newer answers write one for each of several limits."""
    first = re.match(r"\s*(\d{1,12})", written or "", re.ASCII)
    if first is None:
        return None
    seconds = int(first[1])
    if seconds >= _EPOCH_BEGINS:
        return max(timedelta(seconds=seconds - now.timestamp()), timedelta(seconds=1))
    return timedelta(seconds=max(seconds, 1))
