"""What a refusal of the wiki's own means for the run: later, a person's to mend, or not understood.

None of them proves that anything was removed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.contract import Exchange
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.http import retry_after
from connectors.mediawiki.parse import Refusal

_LATER = frozenset({"maxlag", "ratelimited", "readonly", "dbreadonly"})
_LATER_BEGINS = ("internal_api_error", "internal-error")
_REVOKED = frozenset(
    {
        "assertbotfailed",
        "assertnameduserfailed",
        "assertuserfailed",
        "autoblocked",
        "badtoken",
        "blocked",
        "mustbeloggedin",
        "notloggedin",
        "permissiondenied",
        "permissions-error",
        "readapidenied",
    }
)
_REVOKED_BEGINS = ("mwoauth-", "apierror-permissiondenied")


class Broken(TryAgainLater):
    """The wiki's own word for a fault of its program, which may be with the one page that was asked for."""

    code = "wiki-broken"


_LAGS = timedelta(seconds=5)
"""What MediaWiki asks for at least where copies of its database lag behind (`maxlag`)."""


def sort(exchange: Exchange, refusal: Refusal, now: datetime) -> ConnectorError:
    """The error that a refusal means; the delay is the wiki's own, where it named one."""
    says = f"The wiki answers {refusal.code}: {refusal.text}".rstrip()
    if refusal.code.startswith(_LATER_BEGINS):
        return Broken(says, [exchange], after=retry_after(exchange, now))
    if refusal.code in _LATER:
        after = retry_after(exchange, now)
        return TryAgainLater(
            says, [exchange], after=_LAGS if after is None and refusal.code == "maxlag" else after
        )
    if refusal.code in _REVOKED or refusal.code.startswith(_REVOKED_BEGINS):
        return AccessRevoked(
            f"{says} Connect the page with a bot password (Special:BotPasswords) of an account that may read it."
        )
    return UnexpectedResponse(says)
