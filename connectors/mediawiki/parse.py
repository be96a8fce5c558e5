"""Turns MediaWiki's answers into observations. Pure: bytes in, observations with spans out.

A wiki page is one record, and each of its revisions a version of it. What is
observed of a revision is what the wiki keeps of it: its source, who made it,
when, and the summary. A revision's text that the wiki hides is never given as
an empty one: there is then no observation, and the caller says what lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import urljoin

import msgspec

from connectors import pieces, spans
from connectors.contract import Attachment, Author, Kind, Observation, Span, State

T = TypeVar("T")


class Malformed(ValueError):
    """The bytes are not what MediaWiki answers."""


class _Shape(msgspec.Struct, kw_only=True):
    """Keys that are not named are let by."""


class Refusal(_Shape):
    """MediaWiki's own refusal: its code, and its words."""

    code: str
    text: str = ""
    info: str = ""


_NOTHING = msgspec.Raw(b"")


class _Top(_Shape):
    query: msgspec.Raw = _NOTHING
    login: msgspec.Raw = _NOTHING
    batchcomplete: msgspec.Raw = _NOTHING
    warnings: msgspec.Raw = _NOTHING
    errors: list[Refusal] | None = None
    error: Refusal | None = None


class Continued(_Shape):
    """What to send along to be told more."""

    said: Mapping[str, str | int] = msgspec.field(name="continue", default_factory=dict)

    @property
    def continues(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.said.items()}


class LoginResult(_Shape):
    """What came of signing in."""

    result: str
    reason: str | Refusal | None = None

    def why(self) -> str:
        if isinstance(self.reason, Refusal):
            return f"{self.reason.code}: {self.reason.text}"
        return f"{self.result}: {self.reason or ''}".rstrip(": ")


class Login(_Shape):
    login: LoginResult | None = None


class General(_Shape):
    """What a wiki says of itself."""

    sitename: str
    base: str
    articlepath: str
    script: str
    server: str
    generator: str = ""
    lang: str | None = None
    wikiid: str | None = None
    time: datetime | None = None
    readonly: bool = False


class _Licence(_Shape):
    text: str = ""
    url: str = ""


class Me(_Shape):
    """Who we are there."""

    id: int = 0
    name: str = ""
    rights: list[str] = []


class SiteQuery(_Shape):
    general: General
    rightsinfo: _Licence = msgspec.field(default_factory=_Licence)
    userinfo: Me = msgspec.field(default_factory=Me)


class _Unknown(_Shape):
    badrevids: dict[str, object] | list[object] | None = None


class Site(_Shape):
    query: SiteQuery


class Unknown(_Shape):
    """The revisions of a question that the wiki does not have any longer, by their numbers."""

    query: _Unknown = msgspec.field(default_factory=_Unknown)

    @property
    def numbers(self) -> set[str]:
        told = self.query.badrevids
        if isinstance(told, dict):
            return set(told)
        return {str(one.get("revid")) for one in told or () if isinstance(one, dict)}


class Timed(_Shape):
    """When the wiki answered, by its own clock."""

    curtimestamp: datetime | None = None


class Protection(_Shape):
    type: str
    level: str
    expiry: str = ""
    cascade: bool = False


class _Slot(_Shape):
    content: str | None = None
    contentmodel: str = ""
    texthidden: bool = False
    textmissing: bool = False


class Revision(_Shape):
    """One revision, with as much of it as the wiki shows us."""

    revid: int
    timestamp: datetime
    parentid: int = 0
    minor: bool = False
    user: str | None = None
    userid: int = 0
    size: int | None = None
    sha1: str | None = None
    comment: str | None = None
    tags: list[str] = []
    slots: dict[str, _Slot] | None = None
    content: str | None = None
    contentmodel: str = ""
    texthidden: bool = False
    textmissing: bool = False
    sha1hidden: bool = False
    userhidden: bool = False
    commenthidden: bool = False
    suppressed: bool = False

    def main(self) -> _Slot:
        """The page's own text; other slots hold what extensions keep beside it."""
        if self.slots is not None and "main" in self.slots:
            return self.slots["main"]
        return _Slot(
            content=self.content,
            contentmodel=self.contentmodel,
            texthidden=self.texthidden,
            textmissing=self.textmissing,
        )

    def hides(self) -> list[str]:
        """What of it the wiki hides from the public."""
        parts = {
            "text": self.sha1hidden or self.texthidden or self.main().texthidden,
            "user": self.userhidden,
            "summary": self.commenthidden,
        }
        return [name for name, hidden in parts.items() if hidden]


class PageInfo(_Shape):
    """One wiki page as it stands."""

    pageid: int = 0
    ns: int = 0
    title: str = ""
    missing: bool = False
    invalid: bool = False
    special: bool = False
    touched: str = ""
    lastrevid: int = 0
    redirect: bool = False
    protection: list[Protection] = []
    talkid: int = 0
    subjectid: int = 0
    associatedpage: str = ""
    canonicalurl: str = ""
    contentmodel: str = ""
    pagelanguage: str | None = None
    revisions: list[msgspec.Raw] = []
    deletedrevisions: list[msgspec.Raw] = []

    def newest(self) -> str:
        """The text of the newest revision, where the page was asked for with it; `Malformed` where it cannot be read."""
        return one(bytes(self.revisions[0]), Revision).main().content or ""


class _Line(_Shape):
    """One line of a listing of pages."""

    pageid: int


class LogEntry(_Shape):
    """One entry of the wiki's public log."""

    logid: int
    type: str
    action: str
    timestamp: datetime
    title: str = ""
    logpage: int = 0
    user: str | None = None
    userid: int = 0
    comment: str | None = None
    params: dict[str, object] = {}
    actionhidden: bool = False
    userhidden: bool = False
    commenthidden: bool = False

    def hides(self) -> list[str]:
        parts = {"what was done": self.actionhidden, "user": self.userhidden, "reason": self.commenthidden}
        return [name for name, hidden in parts.items() if hidden]

    def removes(self) -> bool:
        """Whether it says that the whole page was deleted."""
        return self.type == "delete" and self.action in {"delete", "delete_redir", "delete_redir2"}

    def moved_to(self) -> str | None:
        target = self.params.get("target_title") if self.type == "move" else None
        return target if isinstance(target, str) else None


class FileInfo(_Shape):
    url: str | None = None
    sha1: str | None = None
    mime: str | None = None
    filehidden: bool = False
    filemissing: bool = False


class FilePage(_Shape):
    """A picture, sound or document that a page shows."""

    title: str = ""
    imageinfo: list[FileInfo] = []


class Block(_Shape):
    """One account or address that the wiki keeps from writing."""

    id: int
    user: str | None = None
    by: str | None = None
    timestamp: str = ""
    expiry: str = ""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for every revision of one wiki page."""

    number: int
    title: str
    born: datetime | None
    answers: str | None
    address: str
    """Where a revision is shown, but for its number."""
    language: str | None = None

    @property
    def kind(self) -> Kind:
        """A talk page is what is said to the page that it stands beside; any other is a post."""
        return Kind.POST if self.answers is None else Kind.COMMENT


# --- reading ----------------------------------------------------------------------------------------------


def one(body: bytes, shape: type[T]) -> T:
    """The answer as `shape`."""
    try:
        start, end = spans.document(body)
        return pieces.value(body[start:end], shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Malformed(_why(body, fault)) from None


def numbered(body: bytes) -> int | None:
    """The number of the page that a line of a listing names; None where it tells none that could be read."""
    try:
        number = one(body, _Line).pageid
    except Malformed:
        return None
    return number if number >= 0 else None


def elements(body: bytes, *path: str | int) -> list[tuple[int, int, bytes]]:
    """The elements of the array at `path`, each with its place."""
    try:
        return list(spans.items(body, *path))
    except spans.NotJson as fault:
        raise Malformed(_why(body, fault)) from None


def sorted_out(body: bytes, exchange: int, shape: type[T], name: str, *path: str | int) -> pieces.Sorted[T]:
    """The elements of the array at `path`, those of another shape beside the others; `name` is what they are called by."""
    place = member(body, *path)
    try:
        return (
            pieces.Sorted([]) if place is None else pieces.sorted_out(body, place, exchange, shape, name=name)
        )
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise Malformed(_why(body, fault)) from None


def member(body: bytes, *path: str | int) -> tuple[int, int] | None:
    """The place of the value at `path`."""
    try:
        return spans.member(body, spans.document(body), *path)
    except spans.NotJson as fault:
        raise Malformed(_why(body, fault)) from None


def is_interface(body: bytes) -> bool:
    """Whether these are the words of MediaWiki's interface, rather than of whatever stands before it."""
    try:
        top = one(body, _Top)
    except Malformed:
        return False
    said = (top.query, top.login, top.batchcomplete, top.warnings)
    return any(bytes(one) for one in said) or bool(top.errors) or top.error is not None


def refusal(body: bytes) -> Refusal | None:
    """The wiki's refusal, in its newer or its older manner; None where it answers."""
    top = one(body, _Top)
    told = top.errors[0] if top.errors else top.error
    if told is None:
        return None
    return told if told.text else Refusal(code=told.code, text=told.info)


# --- observations -----------------------------------------------------------------------------------------


def site(answer: SiteQuery, evidence: Sequence[Span]) -> Observation:
    """The wiki as it introduces itself."""
    general = answer.general
    words = [general.sitename, answer.rightsinfo.text]
    return Observation(
        native_id="site",
        kind=Kind.PROFILE,
        text="\n\n".join(part for part in words if part.strip()),
        url=urljoin(general.server, general.base),
        language=general.lang,
        extra={
            name: value
            for name, value in (
                ("generator", general.generator),
                ("wiki", general.wikiid),
                ("licence", answer.rightsinfo.url),
            )
            if value
        },
        evidence=evidence,
    )


def about(info: PageInfo, lead: str, evidence: Sequence[Span]) -> Observation:
    """A wiki page's own introduction: its title, what stands before its first heading, and who may change it."""
    guarded = [
        f"Protection: {one.type} by {one.level} until {one.expiry or 'infinity'}"
        + (" (with the pages that it includes)" if one.cascade else "")
        for one in sorted(info.protection, key=lambda one: (one.type, one.level, one.expiry))
    ]
    words = [info.title, lead, "\n".join(guarded)]
    extra: dict[str, object] = {"namespace": info.ns}
    if info.redirect:
        extra["redirect"] = True
    if info.contentmodel and info.contentmodel != "wikitext":
        extra["content_model"] = info.contentmodel
    return Observation(
        native_id=f"about:{info.pageid}",
        kind=Kind.PROFILE,
        text="\n\n".join(part for part in words if part.strip()),
        url=info.canonicalurl or None,
        language=info.pagelanguage,
        extra=extra,
        evidence=evidence,
    )


def lead(info: PageInfo) -> str:
    """What stands before the first heading of a page whose newest revision was asked for with its text."""
    if not info.revisions:
        return ""
    lines: list[str] = []
    for line in info.newest().splitlines():
        if line.startswith("="):
            break
        lines.append(line)
    return "\n".join(lines).strip()


def revision(
    read: Revision,
    page: Standing,
    files: Sequence[Attachment],
    evidence: Sequence[Span],
    *,
    deleted: bool = False,
) -> Observation | None:
    """One revision as a version of its page; None where its text cannot be read.

    It is `HIDDEN` where the wiki hides its text, or with `deleted` the whole
    page, from the public and shows it to us. A name or summary that is hidden is left out, and `extra.hidden`
    says so.
    """
    main = read.main()
    if main.content is None:
        return None
    hidden = read.hides()
    extra: dict[str, object] = {"revision": read.revid, "parent": read.parentid}
    if read.comment:
        extra["summary"] = read.comment
    if read.minor:
        extra["minor"] = True
    if read.tags:
        extra["tags"] = read.tags
    if hidden:
        extra["hidden"] = hidden
    if main.contentmodel and main.contentmodel != "wikitext":
        extra["content_model"] = main.contentmodel
    beside = {
        name: slot.content for name, slot in (read.slots or {}).items() if name != "main" and slot.content
    }
    if beside:
        extra["slots"] = beside
    first = page.born is None or read.timestamp == page.born
    return Observation(
        native_id=f"page:{page.number}",
        kind=page.kind,
        state=State.HIDDEN if deleted or "text" in hidden else State.PRESENT,
        author=_author(read.user, read.userid, hidden=read.userhidden),
        text=f"{page.title}\n\n{main.content}" if main.content else page.title,
        url=f"{page.address}{read.revid}",
        in_reply_to=page.answers,
        published_at=page.born or read.timestamp,
        edited_at=None if first and not read.parentid else read.timestamp,
        language=page.language,
        attachments=files,
        extra=extra,
        evidence=evidence,
    )


def history(number: int, read: Iterable[Revision], evidence: Sequence[Span]) -> Observation:
    """What a wiki page's history shows, and what of it is hidden from the public."""
    count, lines = 0, []
    for one in read:
        count += 1
        hidden = one.hides()
        if hidden:
            by = " (from the wiki's own administrators too)" if one.suppressed else ""
            lines.append(
                f"Revision {one.revid} of {one.timestamp.isoformat()}: {', '.join(hidden)} hidden{by}"
            )
    return Observation(
        native_id=f"history:{number}",
        kind=Kind.PROFILE,
        text="\n".join(lines) or "Nothing of the history is hidden.",
        in_reply_to=f"page:{number}",
        counts={"revisions": count},
        evidence=evidence,
    )


def log(entry: LogEntry, page: int | None, evidence: Sequence[Span]) -> Observation:
    """One entry of the wiki's log: who deleted, moved, protected or hid something, and the reason given."""
    words = [f"{entry.type}/{entry.action}: {entry.title}"]
    target, told = entry.params.get("target_title"), entry.params.get("description")
    words += [str(said) for said in (target, told) if said]
    if entry.comment:
        words += ["", entry.comment]
    extra: dict[str, object] = {"log": entry.type, "action": entry.action, "title": entry.title}
    if entry.params:
        extra["params"] = entry.params
    if entry.hides():
        extra["hidden"] = entry.hides()
    return Observation(
        native_id=f"log:{entry.logid}",
        kind=Kind.PROFILE,
        author=_author(entry.user, entry.userid, hidden=entry.userhidden),
        text="\n".join(words),
        in_reply_to=None if page is None else f"page:{page}",
        published_at=entry.timestamp,
        extra=extra,
        evidence=evidence,
    )


def said_of(entry: LogEntry) -> str:
    """A log entry in a line, for the reason why something is gone."""
    by = f" by {entry.user}" if entry.user else ""
    why = f": {entry.comment}" if entry.comment else ""
    return f"missing; log entry {entry.logid}, {entry.type}/{entry.action}{by}, {entry.timestamp.isoformat()}{why}"


def blocks(read: Sequence[Block], evidence: Sequence[Span]) -> Observation:
    """Whom the wiki keeps from writing, as its administrators see it."""
    lines = [
        f"{one.user or f'#{one.id}'}, by {one.by or '?'}, {one.timestamp}, until {one.expiry or '?'}: {one.reason or ''}"
        for one in sorted(read, key=lambda one: one.id)
    ]
    return Observation(
        native_id="blocks",
        kind=Kind.PROFILE,
        text="\n".join(lines) or "Nobody is blocked.",
        evidence=evidence,
    )


def files(
    read: Iterable[tuple[FilePage, Span]], address: str
) -> Iterator[tuple[Attachment | None, str, Span]]:
    """Each file as an attachment, known by the digest that the wiki gives; None where it shows none, with its title."""
    for page, span in read:
        newest = page.imageinfo[0] if page.imageinfo else None
        if newest is None or newest.filemissing:
            continue
        if newest.filehidden or not newest.sha1 or not newest.url:
            yield None, page.title, span
            continue
        yield (
            Attachment(
                id=f"sha1:{newest.sha1}",
                url=urljoin(address, newest.url),
                media_type=newest.mime,
                description=page.title,
                caption="",
            ),
            page.title,
            span,
        )


def _author(name: str | None, number: int, *, hidden: bool) -> Author | None:
    if name is None:
        return Author() if hidden else None
    return Author(id=str(number) if number else None, name=name)


def _why(body: bytes, error: Exception) -> str:
    return pieces.why(body, error, "MediaWiki", instead="a fault of the wiki's")
