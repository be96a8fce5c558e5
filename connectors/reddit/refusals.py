"""What Reddit's refusals mean: `{"message": "Forbidden", "error": 403, "reason": "private"}`, or a page in HTML.

The status alone says little. A subreddit that is private, quarantined or
banned is refused with a `reason`; a permission that is lacking stands in the
header `WWW-Authenticate`; a program or machine that Reddit does not let in is
answered with HTML.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from connectors.contract import Exchange
from connectors.errors import AccessRevoked, ConnectorError, NoSuchPage, UnexpectedResponse

_WORD = re.compile(r"[\w .,'-]{1,80}")
_SCOPE = "insufficient_scope"

_CLOSED = {
    "private": "The subreddit is private. Connect the page with an account that moderates it.",
    "employees_only": "The subreddit is open to nobody but Reddit's own people.",
    "gold_only": "The subreddit is open to paying members alone. Connect the page with an account that moderates it.",
    "quarantined": "The subreddit is quarantined. Open it once in a browser, signed in as the account that connects the "
    "page, and confirm the warning; an application without an account is never shown it.",
    "gated": "The subreddit stands behind a warning. Open it once in a browser, signed in as the account that connects "
    "the page, and confirm the warning; an application without an account is never shown it.",
}
"""Why a subreddit is not shown, and what to do."""

_BLOCKED = (
    "Reddit does not let this program or this machine's address in: it answers with a page instead of its interface. "
    "See that Reddit has approved the application, and that MUNIMENT_CONTACT names the agency."
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Reddit's own word for why it did not answer."""

    status: int
    message: str = ""
    reason: str = ""
    scope: bool = False
    is_json: bool = False

    @property
    def says(self) -> str:
        """What an officer and a reader of the evidence are told."""
        return " ".join(part for part in (str(self.status), self.reason or self.message) if part)


class NotGiven(UnexpectedResponse):
    """Reddit refused one question, not the connection: a list for moderators, a submission that it does not know."""

    code = "reddit-refused"

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"Reddit refused it: {fault.says}.")

    @property
    def not_found(self) -> bool:
        """Whether there is nothing of that kind."""
        return self.fault.status == 404

    @property
    def why(self) -> str:
        """For an officer: what is lacking, and what to do."""
        if self.fault.scope:
            return f"Reddit refuses it ({self.fault.says}): sign in again and permit everything that is asked for"
        if self.fault.status == 403:
            return (
                f"Reddit refuses it ({self.fault.says}): the account that connects the page must moderate the subreddit, "
                "with the permissions of a moderator for it"
            )
        return f"Reddit answers {self.fault.says}"


def fault(exchange: Exchange, body: bytes) -> Fault:
    """Read a refusal; nothing of it is taken for more than it says."""
    scope = _SCOPE in (exchange.header("WWW-Authenticate") or "")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return Fault(exchange.status, scope=scope)
    if not isinstance(told, dict):
        return Fault(exchange.status, scope=scope, is_json=True)
    return Fault(
        exchange.status, _word(told.get("message")), _word(told.get("reason")), scope=scope, is_json=True
    )


def sorted_out(exchange: Exchange, body: bytes) -> ConnectorError:
    """The error that a refusal means for whoever asked."""
    read = fault(exchange, body)
    if read.status == 401:
        return AccessRevoked(
            "Reddit no longer accepts the permission: it was taken back, or has run out. Connect the page again."
        )
    if read.status == 403 and not read.is_json:
        return UnexpectedResponse(f"{_BLOCKED} ({read.says})")
    return NotGiven(read)


def of_the_page(refused: NotGiven, called: str, how: str) -> ConnectorError:
    """What a refusal means where the page itself was asked for."""
    told = refused.fault
    if told.scope:
        return AccessRevoked(f"{called}: {refused.why}.")
    if told.reason in _CLOSED:
        return AccessRevoked(f"{called} is not shown ({told.says}). {_CLOSED[told.reason]}")
    if told.reason == "banned":
        return NoSuchPage(f"Reddit has banned {called} ({told.says}): it shows nothing of it to anybody.")
    if refused.not_found:
        return NoSuchPage(f"Reddit knows no {called} ({told.says}). {how}")
    if told.status == 403:
        return AccessRevoked(
            f"{called} is not shown ({told.says}). Connect the page with an account that moderates it."
        )
    return refused


def _word(told: object) -> str:
    return told if isinstance(told, str) and _WORD.fullmatch(told) else ""
