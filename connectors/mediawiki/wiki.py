"""A wiki as we reach it: where its interface lives, who we are there, and what we are to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote, urljoin

from connectors.contract import Exchange, Page, Span
from connectors.errors import AddressRefused, ConnectorError, NoSuchPage, UnexpectedResponse
from connectors.http import decoded
from connectors.mediawiki import address, parse
from connectors.mediawiki.address import Address
from connectors.mediawiki.asking import Answer, Asking, not_mediawiki

ABOUT_SITE = {
    "action": "query",
    "meta": "siteinfo|userinfo",
    "siprop": "general|rightsinfo",
    "uiprop": "rights",
}
_INFO = {
    "action": "query",
    "prop": "info",
    "inprop": "protection|talkid|subjectid|associatedpage|url",
    "curtimestamp": "1",
}
_WITH_WORDS = {**_INFO, "prop": "info|revisions", "rvprop": "ids|timestamp|content", "rvslots": "main"}
_AT_ONCE = 50
_MOVED_AWAY = frozenset({404, 410})
_LONGEST_LIST = 2000
"""How long the titles in one question may be, written as an address: servers refuse long ones."""

Info = tuple[parse.PageInfo, Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a wiki belongs to the page of the archive, as its officers set it."""

    own: str | None
    number: str | None
    titles: tuple[str, ...] = ()
    category: str | None = None
    user: str | None = None
    namespaces: tuple[str, ...] = ()
    talk: bool = True
    files: bool = True
    since: datetime | None = None

    @property
    def nothing(self) -> bool:
        return not (self.own or self.number or self.titles or self.category or self.user or self.namespaces)


@dataclass(frozen=True, slots=True)
class Wiki:
    """One wiki."""

    asking: Asking
    site: parse.SiteQuery
    evidence: Sequence[Span]
    wanted: Wanted

    @property
    def may_read_deleted(self) -> bool:
        """Whether the wiki shows us the words of deleted pages."""
        return {"deletedhistory", "deletedtext"} <= set(self.site.userinfo.rights)

    @property
    def administers(self) -> bool:
        """Whether the connected account is the wiki's own administrator: it may block."""
        return self.asking.session.connected and "block" in self.site.userinfo.rights

    @property
    def revision_address(self) -> str:
        """Where a revision is shown for ever, but for its number."""
        general = self.site.general
        return urljoin(urljoin(self.asking.interface, general.server), general.script) + "?oldid="

    def by_title(self, titles: Sequence[str], *, words: bool = False, onward: bool = False) -> Iterator[Info]:
        """How pages of these titles stand; `words` with their newest text, `onward` where redirects lead."""
        for some in _portions(titles):
            more = {"redirects": "1"} if onward else {}
            question = {**(_WITH_WORDS if words else _INFO), "titles": "|".join(some), **more}
            told = False
            for answer in self.asking.each(question):
                told = told or answer.leads_elsewhere()
                for info in infos(answer):
                    told = True
                    yield info
            if not told:
                raise UnexpectedResponse(
                    f"{self.asking.interface} says nothing of {some[0]}, not even that there is no such page."
                )

    def by_number(self, numbers: Sequence[int | str], *, words: bool = False) -> Answer:
        """How pages of these numbers stand: fifty at most.

        `UnexpectedResponse` where the answer says of one neither how it stands nor that it is missing.
        """
        answer = self._numbered(numbers, words=words)
        told = {str(info.pageid) for info, _ in infos(answer)}
        if untold := [str(number) for number in numbers if str(number) not in told]:
            raise UnexpectedResponse(
                f"{answer.exchange.url} says nothing of the pages with the numbers {', '.join(untold[:5])}, which were asked for."
            )
        return answer

    def standing(self, numbers: Sequence[int]) -> tuple[list[parse.PageInfo], set[int]]:
        """How pages of these numbers stand, and of which the wiki tells in another shape."""
        answer = self._numbered(numbers)
        told = answer.sorted_out(parse.PageInfo, "pageid", "query", "pages")
        shown = [seen.what for seen in told.items if seen.what.missing or _is_named(seen.what)]
        untold = set(numbers) - {info.pageid for info in shown}
        if len(untold) > len(told.unread) + len(told.items) - len(shown):
            raise UnexpectedResponse(
                f"{answer.exchange.url} says nothing of {len(untold)} of the pages that were asked for."
            )
        return shown, untold

    def _numbered(self, numbers: Sequence[int | str], *, words: bool = False) -> Answer:
        question = _WITH_WORDS if words else _INFO
        return self.asking.ask({**question, "pageids": "|".join(str(number) for number in numbers)})


def _is_named(info: parse.PageInfo) -> bool:
    return info.pageid > 0 and bool(info.title)


def infos(answer: Answer) -> Iterator[Info]:
    """The pages that an answer speaks of; one that is there has a number and a title."""
    for body, span in answer.items("query", "pages"):
        info = _read(answer, body, parse.PageInfo)
        if not (info.missing or info.invalid or info.special or _is_named(info)):
            raise UnexpectedResponse(
                f"{answer.exchange.url} tells of a page without its number or its title."
            )
        yield info, span


def _read(answer: Answer, body: bytes, shape: type[parse.PageInfo]) -> parse.PageInfo:
    try:
        return parse.one(body, shape)
    except parse.Malformed as fault:
        raise UnexpectedResponse(f"{answer.exchange.url}: {fault}") from fault


def find(asking: Asking, page: Page, interface: str) -> Wiki:
    """Find the interface behind the address that a person wrote, and who we are there.

    `interface` is where it was before. Where it is not known, the usual places
    are asked, and then the page itself, which names it in its head.
    """
    read = address.read(page.address)
    if read is None:
        raise NoSuchPage(
            f"“{page.address}” is not a web address. Give that of a wiki page, such as https://wiki.example/wiki/Title."
        )
    asking.interface = interface or _discovered(asking, read)
    try:
        site = _introduced(asking, read)
    except UnexpectedResponse:
        if not interface or asking.status not in _MOVED_AWAY:
            raise
        asking.interface = _discovered(asking, read)
        site = _introduced(asking, read)
    wanted = _wanted(page, read, site.general)
    return Wiki(asking, site, tuple(asking.everything()), wanted)


def _introduced(asking: Asking, read: Address) -> parse.SiteQuery:
    """What the wiki says of itself and of us, once it knows us."""
    _may_take_our_secret(asking, read)
    if asking.session.by_password:
        asking.sign_in()
    return asking.ask(ABOUT_SITE).read(parse.Site).query


def _discovered(asking: Asking, read: Address) -> str:
    doubtful: Exchange | None = None
    for candidate in read.candidates():
        found = _speaks(asking, candidate)
        if isinstance(found, str):
            return found
        doubtful = found if found.status in {200, 401, 403} else doubtful
    front = asking.get(read.url, openly=True)
    named = address.interface_named_in(decoded(front), front.url)
    if named is not None:
        found = _speaks(asking, named)
        if isinstance(found, str):
            return found
        doubtful = found
    if doubtful is None and front.status in {401, 403}:
        doubtful = front
    if doubtful is not None:
        raise UnexpectedResponse(not_mediawiki(doubtful))
    raise NoSuchPage(
        f"No MediaWiki answers at {read.url}. Give the address under which the wiki page opens, or that of the wiki's "
        "api.php (Special:Version names it); if it is right, its administrator has to let this address reach api.php."
    )


def _speaks(asking: Asking, candidate: str) -> str | Exchange:
    """The interface's address, if it is one that answers there; else what came."""
    asked = {"action": "query", "meta": "siteinfo", "format": "json", "formatversion": "2"}
    exchange = asking.get(candidate, asked, openly=True)
    return exchange.url.partition("?")[0] if parse.is_interface(decoded(exchange)) else exchange


def _may_take_our_secret(asking: Asking, read: Address) -> None:
    """A page may name any address as its interface; our password goes only to the wiki that it is for."""
    if not asking.session.connected:
        return
    if not address.same_host(asking.interface, read.url):
        raise AddressRefused(
            f"The wiki says that its interface lives on another host ({asking.interface}). If that is right, give its "
            "address as the page's own: the password is not sent to a host that nobody named."
        )
    if not address.keeps_secrets(asking.interface):
        raise AddressRefused(
            f"{asking.interface} is not protected by TLS: the password would travel in clear. Give the wiki's https "
            "address, or read the page without credentials."
        )


def _wanted(page: Page, read: Address, general: parse.General) -> Wanted:
    options = page.options
    namespaces = _listed(options.get("namespaces", ""))
    if not all(one.isdecimal() for one in namespaces):
        raise ConnectorError("The option namespaces is a list of numbers such as 0|4, divided by |.")
    wanted = Wanted(
        own=read.title(general.articlepath, general.script),
        number=read.page_number(),
        titles=_listed(options.get("titles", "")),
        category=options.get("category", "").strip() or None,
        user=options.get("user", "").strip().removeprefix("User:") or None,
        namespaces=namespaces,
        talk=options.get("talk", "yes") != "no",
        files=options.get("files", "yes") != "no",
        since=_day(options.get("history_from", "")),
    )
    if wanted.nothing:
        raise NoSuchPage(
            f"{page.address} is a wiki, and not one of its pages. Give the address of a page, or set one of the options "
            "titles, category, user and namespaces."
        )
    return wanted


def _listed(written: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.strip() for one in written.split("|") if one.strip()))


def _day(written: str) -> datetime | None:
    if not written.strip():
        return None
    try:
        day = date.fromisoformat(written.strip())
    except ValueError:
        raise ConnectorError(
            f"The option history_from is a day such as 2024-01-31, not “{written}”."
        ) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _portions(titles: Sequence[str]) -> Iterator[list[str]]:
    """Titles in portions that one question can hold."""
    some: list[str] = []
    length = 0
    for title in titles:
        size = len(quote(title)) + 3
        if some and (len(some) == _AT_ONCE or length + size > _LONGEST_LIST):
            yield some
            some, length = [], 0
        some.append(title)
        length += size
    if some:
        yield some
