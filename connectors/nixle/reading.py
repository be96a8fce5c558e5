"""What one route shows of one alert, with words that do not depend on the route.

The same alert comes as RSS, as mail and as a web page. Its words are therefore
put into one form: the headline, then the paragraphs, white space as single
spaces, without what the route adds (the greeting and the closing lines of a
mail, the addresses that a content network hides). Layout is not among the
words: it stands in the evidence.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

FEED, MAIL, PAGE = "feed", "mail", "page"
RANK = {MAIL: 1, FEED: 2, PAGE: 3}
"""Whose words are preferred: a page shows the alert whole and as it is now, a feed as it is now, a mail as it was."""

_MESSAGE = re.compile(r"\s*(alert|advisory|community|traffic)\s+message\s*:\s*", re.IGNORECASE)
_BARE = re.compile(r"\s*(alert|advisory|community|traffic)\s*:\s*", re.IGNORECASE)
_BREAK = re.compile(r"\n[ \t\r\f\v\u00a0]*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One alert as one route showed it. `published_at` is the route's own time."""

    native_id: str
    route: str
    text: str
    headline: str
    urgency: str | None = None
    published_at: datetime | None = None
    sender: str | None = None
    message_id: str | None = None

    @property
    def mark(self) -> str:
        """A short mark of the words, which changes when they do and not with punctuation or spaces."""
        words = re.findall(r"\w+", self.text.casefold())
        return hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def titled(title: str, *, by_mail: bool = False) -> tuple[str | None, str]:
    """The urgency that stands before a headline, and the headline alone.

    Without the word "Message" it is taken for an urgency in a mail's subject
    only: a headline on a page may begin so in the agency's own words.
    """
    found = _MESSAGE.match(title) or (_BARE.match(title) if by_mail else None)
    if found is None:
        return None, " ".join(title.split())
    return found.group(1).lower(), " ".join(title[found.end() :].split())


def canonical(headline: str, body: str) -> str:
    """The words of an alert in the one form: headline and paragraphs, an empty line between them."""
    paragraphs = [" ".join(one.split()) for one in _BREAK.split(body)]
    told = [one for one in paragraphs if one]
    if told and headline and told[0] == headline:
        del told[0]
    return "\n\n".join([headline, *told] if headline else told)
