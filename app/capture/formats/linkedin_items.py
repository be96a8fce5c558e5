"""What the rows of a LinkedIn download say: named cells in, observations out. Pure.

A post is known by the name (URN) that its address bears, as the connector
names it. Comments and messages bear no id; theirs are made from their second
and their words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from app.capture.formats.download import short_digest
from app.capture.formats.source import Line, Unreadable
from connectors.contract import Author, Kind, Observation, State

Row = Mapping[str, str]
POSTS, REPOSTS, COMMENTS, MESSAGES, PROFILE = "posts", "reposts", "comments", "messages", "profile"
_MARKS = {
    POSTS: {"date", "sharelink", "sharecommentary"},
    COMMENTS: {"date", "link", "message"},
    MESSAGES: {"conversation id", "from", "date", "content"},
    PROFILE: {"first name", "last name", "headline"},
}
"""The columns by which a table is known. Instant reposts have no more than a date and a link, and are known by their file's name too."""
_URN = re.compile(r"urn:li:(share|ugcPost|activity):(\d{1,25})")
_IN_PATH = re.compile(r"[-_](share|ugcPost|activity)-(\d{15,25})(?:-|\Z)")
_COMMENT = re.compile(r"urn:li:comment:\((?:urn:li:)?(share|ugcPost|activity):(\d{1,25}),(\d{1,25})\)")
_EARLIEST = datetime(2003, 5, 5, tzinfo=UTC)
_VISIBLE = frozenset({"MEMBER_NETWORK", "PUBLIC", "LOGGED_IN"})
_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%m/%d/%y, %I:%M %p", "%m/%d/%Y, %I:%M %p", "%m/%d/%Y %H:%M")


@dataclass(slots=True)
class Told:
    """What the download says besides its rows."""

    name: str = ""
    odd_times: int = 0
    quoted: int = 0
    """Texts in which every line end stood between quotation marks, which were LinkedIn's."""


def kind_of(header: Sequence[str], file: str) -> str | None:
    """What a table holds, or None where that is not known."""
    names = {name.strip().casefold() for name in header}
    for what, marks in _MARKS.items():
        if marks <= names:
            return what
    return REPOSTS if names == {"date", "link"} and "repost" in file.casefold() else None


def lines(what: str, row: Row, told: Told, *, quoted: bool = False) -> Sequence[Line]:
    """The observation of one row, or `Unreadable`; `quoted` where its table has LinkedIn's own quotation marks around lines."""
    match what:
        case "posts":
            found = post(row, told, quoted=quoted)
        case "reposts":
            found = repost(row, told)
        case "comments":
            found = comment(row, told, quoted=quoted)
        case "messages":
            found = message(row, told)
        case _:
            found = profile(row)
    return [Line(None, None, found)]


def post(row: Row, told: Told, *, quoted: bool = False) -> Observation:
    """A post that was published, or somebody's post that was shared with words."""
    link = row.get("sharelink", "").strip()
    extra: dict[str, object] = {}
    words = _words(row, told, extra, quoted=quoted)
    at = row.get("date", "")
    published = _moment(at, told, extra)
    shown = row.get("visibility", "").strip()
    name = urn(link)
    if not name and not at.strip():
        raise Unreadable("it bears neither an id nor a time")
    return Observation(
        native_id=name or f"post:{at.strip()}:{short_digest(words, row.get('sharedurl', ''))}",
        kind=Kind.POST,
        state=State.PRESENT if not shown or shown in _VISIBLE else State.HIDDEN,
        author=_self(told),
        text=words,
        url=link or None,
        published_at=published,
        extra=extra | _rest(row, "sharelink", "sharecommentary", "date"),
    )


def repost(row: Row, told: Told) -> Observation:
    """Somebody's post that was passed on without words."""
    link, at = row.get("link", "").strip(), row.get("date", "").strip()
    if not link:
        raise Unreadable("it does not say which post it passes on")
    extra: dict[str, object] = {"repost_of": urn(link) or link}
    return Observation(
        native_id=f"repost:{at}:{urn(link) or short_digest(link)}",
        kind=Kind.POST,
        author=_self(told),
        url=link,
        published_at=_moment(at, told, extra),
        extra=extra,
    )


def comment(row: Row, told: Told, *, quoted: bool = False) -> Observation:
    """A comment that was written below some post."""
    link, at = row.get("link", "").strip(), row.get("date", "").strip()
    extra: dict[str, object] = {}
    words = _words(row, told, extra, quoted=quoted)
    if not words and not link:
        raise Unreadable("neither words nor what they answer")
    own = _COMMENT.search(unquote(link))
    above = urn(link.split("?", 1)[0]) or urn(link)
    return Observation(
        native_id=f"urn:li:{own[1]}:{own[2]}/{own[3]}"
        if own
        else f"comment:{at}:{short_digest(link, words)}",
        kind=Kind.REPLY,
        author=_self(told),
        text=words,
        url=link or None,
        in_reply_to=above,
        published_at=_moment(at, told, extra),
        extra=extra | _rest(row, "link", "message", "date"),
    )


def message(row: Row, told: Told) -> Observation:
    """A private message with its conversation."""
    at, sender, words = row.get("date", "").strip(), row.get("from", ""), row.get("content", "")
    conversation = row.get("conversation id", "").strip()
    if not conversation and not words:
        raise Unreadable("neither words nor a conversation")
    address = row.get("sender profile url", "").strip()
    extra: dict[str, object] = {}
    draft = row.get("is message draft", "").strip().casefold() in {"yes", "true"}
    return Observation(
        native_id=f"dm:{conversation}:{at}:{short_digest(sender, words)}",
        kind=Kind.MESSAGE,
        private=True,
        state=State.HIDDEN if draft else State.PRESENT,
        author=Author(name=sender or None, handle=address.rstrip("/").rpartition("/")[2] or None),
        text=words,
        published_at=_moment(at, told, extra),
        extra=extra | _rest(row, "date", "from", "content"),
    )


def profile(row: Row) -> Observation:
    """What the member says of themselves, with every value that LinkedIn hands out."""
    name = name_of(row)
    told = [row.get("headline", ""), row.get("summary", "")]
    return Observation(
        native_id="profile",
        kind=Kind.PROFILE,
        author=Author(name=name) if name else None,
        text="\n\n".join(one for one in told if one),
        extra=_rest(row, "headline", "summary"),
    )


def name_of(row: Row) -> str:
    """The name of the member."""
    return " ".join(one for key in ("first name", "last name") if (one := row.get(key, "").strip()))


def urn(link: str) -> str | None:
    """The name of the post that an address names."""
    whole = unquote(link)
    found = _URN.search(whole)
    if found is None:
        try:
            parts = urlsplit(whole)
        except ValueError:
            return None
        found = _IN_PATH.search(parts.path) or _URN.search(
            " ".join(parse_qs(parts.query).get("updateEntityUrn", []))
        )
    return f"urn:li:{found[1]}:{found[2]}" if found else None


def words_of(row: Row) -> str:
    """The words of a post or a comment, as they stand in the table."""
    return (row.get("sharecommentary") or row.get("message") or "").replace("\r\n", "\n")


def is_quoted(told: str) -> bool:
    """Whether every line end in these words stands between quotation marks."""
    first, *middle, last = told.split("\n")
    return first.endswith('"') and last.startswith('"') and all(_between(line) for line in middle)


def _between(line: str) -> bool:
    return line == '"' or (len(line) > 1 and line[0] == line[-1] == '"')


def _words(row: Row, told: Told, extra: dict[str, object], *, quoted: bool) -> str:
    """The words as they were written. In some downloads LinkedIn puts each line between quotation marks of its own."""
    words = words_of(row)
    if not quoted or "\n" not in words:
        return words
    told.quoted += 1
    extra["quotation_marks_taken_away"] = True
    first, *middle, last = words.split("\n")
    return "\n".join([first[:-1], *(line[1:-1] for line in middle), last[1:]])


def _moment(at: str, told: Told, extra: dict[str, object]) -> datetime | None:
    """A time, which LinkedIn writes in UTC; one that cannot be is kept as it stands."""
    written = at.strip().removesuffix(" UTC")
    if not written:
        return None
    for form in _FORMS:
        try:
            found = datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if found >= _EARLIEST:
            return found
    told.odd_times += 1
    extra["written_at"] = at
    return None


def _self(told: Told) -> Author | None:
    return Author(name=told.name) if told.name else None


def _rest(row: Row, *taken: str) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in taken and value}
