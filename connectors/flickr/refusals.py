"""What Flickr's refusals mean. They come with status 200: `{"stat": "fail", "code": 1, "message": "Photo not found"}`.

Only three things can be told from a code that is common to all methods: that
Flickr fails for the moment, that the connection is refused, and that the
interface has changed. Small codes belong to each method, and are weighed by
whoever asked.
"""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qsl

from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse

_PASSING = frozenset({0, 10, 105, 106, 201})
"""The interface is not available; 10 is a search that is, which answers lists too."""

_REFUSED = {
    95: "it wants TLS. Take the option `api` away, or give one with https",
    96: "the signature is wrong. Correct the application's secret, and connect the page again",
    97: "a signature is missing. Connect the page again",
    98: "the permission was taken back or has run out. Connect the page again",
    99: "whoever connected the page did not permit reading, or may not read this. Connect the page again as its owner",
    100: "the key is not valid. Take it from https://www.flickr.com/services/apps/ again, and connect the page anew",
}
_CHANGED = frozenset({111, 112, 114, 115, 116})

_PROBLEM = re.compile(r"[a-z_]{1,60}")
_NOT_NOW = frozenset({"nonce_used", "service_unavailable"})
_WITHOUT_A_TIME = timedelta(minutes=5)


class NotGiven(UnexpectedResponse):
    """Flickr refused one question, not the connection: a photo that it does not show, a pool that is closed to us.

    Who asks for what may be refused weighs it; for anybody else it is an answer that was not promised.
    """

    code = "flickr-refused"

    def __init__(self, method: str, number: int) -> None:
        self.method, self.number = method, number
        super().__init__(f"{self.why}.")

    @property
    def says(self) -> str:
        """Flickr's own word: the status, that it refuses, and the method's code."""
        return f"200 fail {self.number} ({self.method})"

    @property
    def not_found(self) -> bool:
        """Whether it says that there is no such thing, or none that we may see: it says both alike."""
        return self.number == 1

    @property
    def why(self) -> str:
        """For an officer."""
        return f"Flickr refuses {self.method} with code {self.number}"


def sorted_out(method: str, number: int) -> ConnectorError:
    """What a refusal means for whoever asked, in words that an officer can act on."""
    if number in _PASSING:
        return TryAgainLater(
            f"Flickr's interface is not available for the moment (code {number}).", after=_WITHOUT_A_TIME
        )
    if number in _REFUSED:
        return AccessRevoked(f"Flickr does not let the archive in (code {number}): {_REFUSED[number]}.")
    if number in _CHANGED:
        return UnexpectedResponse(
            f"Flickr does not know {method} as it was asked (code {number}): its interface has changed. An update "
            "of Muniment is needed."
        )
    return NotGiven(method, number)


def of_oauth(body: bytes, status: int) -> ConnectorError | None:
    """What an answer of the kind `oauth_problem=token_rejected` means; None where it is none."""
    try:
        told = dict(parse_qsl(body.decode("ascii"), max_num_fields=200))
    except ValueError:
        return None
    problem = told.get("oauth_problem", "")
    if not _PROBLEM.fullmatch(problem):
        return None
    if problem in _NOT_NOW:
        return TryAgainLater(f"Flickr did not take the signature this time ({problem}).")
    if problem == "timestamp_refused":
        return UnexpectedResponse(
            "Flickr refuses the time that requests are signed with: the clock of the archive's machine is wrong. "
            "Ask the operator to set it."
        )
    return AccessRevoked(
        f"Flickr does not let the archive in ({status} {problem}): the permission was taken back, or the "
        "application's key and secret are others. Connect the page again."
    )
