"""What TikTok's refusals mean.

The door for businesses answers 200 whatever happened and says in `code` what
it was; the Display API says so in words (`error.code`), and mostly by its
status as well. What either adds in its own words is never repeated: it may
repeat a token.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum, auto

from connectors.contract import Exchange
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.http import retry_after


class Means(Enum):
    """What whoever asked should do next."""

    FINE = auto()
    THROTTLED = auto()
    PASSING = auto()
    DEAD = auto()
    FORBIDDEN = auto()
    NO_SUCH = auto()
    OTHER = auto()


_THROTTLED = frozenset({40016, 40100, 40132, 40133})
_FORBIDDEN = frozenset({40001, 40118, 40124, 40125, 40130})
_NO_SUCH = frozenset({40007})
_AGAIN = "Connect the page again"

_DEAD: dict[str, str] = {
    "40101": "the application's id and secret do not belong together. Correct them, and connect the page again",
    "40102": f"the token has run out, and was not renewed. {_AGAIN}",
    "40103": f"the permission has run out: it ends after a year. {_AGAIN}",
    "40104": f"no token was sent. {_AGAIN}",
    "40105": f"the token is not valid, or the permission was taken back. {_AGAIN}",
    "40107": f"the permission has run out. {_AGAIN}",
    "40110": f"the code of the sign-in was used or has run out. {_AGAIN}",
    "40113": "TikTok has closed the application, or knows none of its id. See it in the portal of the TikTok API for "
    "Business, under My Apps",
    "40131": f"the token is not valid, or the permission was taken back. {_AGAIN}",
    "access_token_invalid": f"the token has run out, or the permission was taken back. {_AGAIN}",
    "access_token_expired": f"the token has run out. {_AGAIN}",
    "invalid_grant": f"the permission has run out, or was taken back. {_AGAIN}",
    "user_banned": "TikTok has suspended the account. Sign in there, and see what it asks for",
}
"""For whom the page's connection itself is refused, and what to do."""

_IN_WORDS: dict[str, Means] = {
    "ok": Means.FINE,
    "rate_limit_exceeded": Means.THROTTLED,
    "quota_exceeded": Means.THROTTLED,
    "internal_error": Means.PASSING,
    "system_error": Means.PASSING,
    "timeout": Means.PASSING,
    "scope_not_authorized": Means.FORBIDDEN,
    "scope_permission_missed": Means.FORBIDDEN,
}
_WORD = re.compile(r"[a-z0-9_.-]{1,60}")
_MARKER = re.compile(r"\[\[secret:[^\]]*\]\]")
"""What stands where a token was replaced: its name is none of TikTok's words."""
_OF_A_TOKEN = re.compile(r"access[ _-]?token|authenticat|unauthori[sz]ed", re.IGNORECASE)
_OF_A_DAY = re.compile(r"\bqpd\b|\bdaily\b|per day|\ba day\b|\btoday\b", re.IGNORECASE)
_A_MINUTE, _FIVE_MINUTES = timedelta(minutes=1), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Fault:
    """TikTok's own word for how it went: a number, or a word."""

    code: str
    status: int
    means: Means
    daily: bool = False
    """Whether it is the limit of a day that is reached, which ends at midnight UTC."""

    @property
    def fine(self) -> bool:
        """Whether the question was answered."""
        return self.means is Means.FINE

    @property
    def failing(self) -> bool:
        """Whether TikTok says that it failed, and of no limit."""
        return self.means is Means.PASSING

    @property
    def says(self) -> str:
        """What an officer and a reader of the evidence are told."""
        return f"{self.status} {self.code}"


class NotGiven(UnexpectedResponse):
    """TikTok refused one question, not the connection: a field that is not permitted, a video that it does not know.

    Who asks for what may be refused weighs it; for anybody else it is an answer that was not promised.
    """

    code = "tiktok-refused"

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"{self.why[0].upper()}{self.why[1:]}.")

    @property
    def says(self) -> str:
        """TikTok's own word: status and code."""
        return self.fault.says

    @property
    def not_found(self) -> bool:
        """Whether it says that there is no such thing. It may say so of what it does not show to us, too."""
        return self.fault.means is Means.NO_SUCH

    @property
    def forbidden(self) -> bool:
        """Whether a permission is lacking."""
        return self.fault.means is Means.FORBIDDEN

    @property
    def why(self) -> str:
        """For an officer."""
        if self.forbidden:
            return (
                f"TikTok does not permit it ({self.says}): see that the application has the permission, and connect the "
                "page again with it"
            )
        return f"TikTok answers {self.says}"


def fault(body: bytes, status: int) -> Fault | None:
    """How TikTok says that it went, or None where somebody else answered (a firewall, a proxy)."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    error = told.get("error")
    stated = error if isinstance(error, dict) else told
    code, message = stated.get("code"), stated.get("message")
    if isinstance(error, str):
        code, message = error, told.get("error_description")
    message = _MARKER.sub("", message) if isinstance(message, str) else ""
    if isinstance(code, bool):
        return None
    if isinstance(code, int):
        return Fault(str(code), status, _numbered(code, message), bool(_OF_A_DAY.search(message)))
    if isinstance(code, str) and _WORD.fullmatch(code):
        if code.isdecimal():
            return Fault(code, status, _numbered(int(code), message), bool(_OF_A_DAY.search(message)))
        return Fault(code, status, _worded(code), bool(_OF_A_DAY.search(message)))
    return None


def _numbered(code: int, message: str) -> Means:
    if code == 0:
        return Means.FINE
    if code == 40100 and _OF_A_TOKEN.search(message):
        # TikTok's list calls it a limit; some were answered so for a token that was dead, and the message tells which.
        return Means.DEAD
    if code in _THROTTLED or 51000 <= code <= 51999:
        return Means.THROTTLED
    if str(code) in _DEAD:
        return Means.DEAD
    if code in _FORBIDDEN or 40300 <= code <= 40399:
        return Means.FORBIDDEN
    if code in _NO_SUCH:
        return Means.NO_SUCH
    if 50000 <= code <= 60999:
        return Means.PASSING
    return Means.OTHER


def _worded(code: str) -> Means:
    return Means.DEAD if code in _DEAD else _IN_WORDS.get(code, Means.OTHER)


def later(said: Fault | None, exchange: Exchange, now: datetime) -> TryAgainLater | None:
    """The wait that a refusal asks for, if it asks for one."""
    if said is None:
        return None
    if said.means is Means.THROTTLED:
        return TryAgainLater(
            f"TikTok's limit of questions is reached for the agency's application ({said.says}). Capture goes on by "
            "itself.",
            after=retry_after(exchange, now) or _wait(said, now),
        )
    if said.means is Means.PASSING:
        return TryAgainLater(
            f"TikTok could not answer for a moment ({said.says}).",
            [exchange],
            after=retry_after(exchange, now),
        )
    return None


def _wait(said: Fault, now: datetime) -> timedelta:
    """How long a limit lasts: a sliding minute; with the door for businesses five minutes; a day until midnight UTC."""
    if said.daily:
        tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), UTC) - now
    return _FIVE_MINUTES if said.code.isdecimal() else _A_MINUTE


def sorted_out(said: Fault | None, exchange: Exchange, now: datetime) -> ConnectorError:
    """What a refusal means for whoever asked, in words that an officer can act on."""
    if said is None:
        return UnexpectedResponse(
            f"{exchange.url} answered {exchange.status} with something that is not TikTok's interface: a page to sign in, "
            "or a firewall between the archive and TikTok. Ask whoever runs the network to let it through."
        )
    waits = later(said, exchange, now)
    if waits is not None:
        return waits
    if said.means is Means.DEAD or (said.status == 401 and said.means is not Means.FORBIDDEN):
        why = _DEAD.get(said.code, f"the permission was taken back, or has run out. {_AGAIN}")
        return AccessRevoked(f"TikTok does not let the archive in ({said.says}): {why}.")
    return NotGiven(said)
