"""What is asked of a feed besides a pass: how the connection stands, and one post with the comments on it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Batch, Client, Cursor, Exchange, Finding, Gap, Kind, Page
from connectors.errors import AccessRevoked, AddressRefused, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.failing import fails_alone
from connectors.feed import discover, reading
from connectors.feed.asking import ask, words_of
from connectors.feed.options import Options
from connectors.feed.parse import Document, NotAFeed, Where

_SAID = (401, 403, 404, 410)


def findings(http: Client, page: Page) -> Iterator[Finding]:
    """Whether a feed answers at the page's address, and what it shows of comments."""
    try:
        _, document = _feed(http, page)
    except (AccessRevoked, AddressRefused, NoSuchPage, UnexpectedResponse) as fault:
        yield Finding(what="the feed", fine=False, remedy=str(fault))
        return
    yield Finding(what=f"the feed, which shows {document.items} items", fine=True)
    whole = not document.gaps
    yield Finding(
        what="the feed's form",
        fine=whole,
        remedy=""
        if whole
        else f"{document.gaps[0].why} It is read as far as it goes; ask whoever runs the site.",
    )
    options = Options.of(page)
    if options.of_posts:
        named = len(document.comment_feeds)
        yield Finding(
            what=f"feeds of comments: {named} of the posts that it shows name one",
            fine=bool(named) or not document.items,
            remedy=""
            if named or not document.items
            else "Comments are not captured. If the site has one feed of all comments, give its address as the option "
            "`comments`; if there are none, set that option to `no`.",
        )


def family(http: Client, page: Page, root: str, nothing: Cursor) -> Iterator[Batch]:
    """The post `root`, as the feed shows it now, and the comments that its own feed of comments shows."""
    exchanges, document, failed = _where(http, page, root)
    observed = [one for one in document.observations if one.native_id == root]
    address = next((one.address for one in document.comment_feeds if one.answers == root), None)
    if address is None:
        why = (
            "the feed shows the post without a feed of its comments."
            if observed
            else failed or "the feed no longer shows the post."
        )
        gap = Gap(what="comments", why=why, native_id=root)
        yield Batch(exchanges=exchanges, resume_from=nothing, observations=observed, gaps=[gap])
        return
    yield Batch(exchanges=exchanges, resume_from=nothing, observations=observed)
    try:
        answer, comments = _document(http, address, Kind.COMMENT, root)
    except (TryAgainLater, UnexpectedResponse) as error:
        if not _is_alone(error):
            raise
        gap = Gap(what="comments", why=str(error), native_id=root)
        yield Batch(exchanges=error.exchanges, resume_from=nothing, gaps=[gap])
        return
    window = Gap(
        what="older comments",
        why="A feed of comments shows the newest ones alone: what it no longer shows was not looked at.",
        native_id=root,
    )
    yield Batch(
        exchanges=[answer],
        resume_from=nothing,
        observations=[one for one in comments.observations if one.kind is Kind.COMMENT],
        sightings=comments.sightings,
        gaps=[*comments.gaps, window],
    )


def _where(http: Client, page: Page, root: str) -> tuple[list[Exchange], Document, str | None]:
    """The part of the feed that shows `root`, sought from the newest on; the last part where none does, and what is wrong with the next."""
    exchanges, document = _feed(http, page)
    visited = {exchange.url for exchange in exchanges}
    most = Options.of(page).most_documents
    while root not in document.ids and document.following not in {None, *visited} and len(visited) < most:
        assert document.following is not None, "None is among what is not followed"
        visited.add(document.following)
        try:
            answer, document = _document(
                http, document.following, Options.of(page).kind, None, exchange=len(exchanges)
            )
        except (TryAgainLater, UnexpectedResponse) as error:
            if not _is_alone(error):
                raise
            return [*exchanges, *error.exchanges], document, str(error)
        exchanges.append(answer)
    return exchanges, document, None


def _document(
    http: Client, address: str, kind: Kind, answers: str | None, *, exchange: int = 0
) -> tuple[Exchange, Document]:
    """One document behind the feed's first; `UnexpectedResponse` where it is none, or is refused."""
    answer = ask(http, address, accept=_SAID)
    if answer.status != 200:
        raise UnexpectedResponse(
            f"{address} answered {answer.status} {answer.reason}".rstrip() + ".", [answer]
        )
    return answer, _read(answer, kind, answers, exchange=exchange)


def _is_alone(error: TryAgainLater | UnexpectedResponse) -> bool:
    """Whether a failure is of the one document that was asked for."""
    return not isinstance(error, TryAgainLater) or fails_alone(error)


def _feed(http: Client, page: Page) -> tuple[list[Exchange], Document]:
    """The feed at the page's address, or the one that a web page there names."""
    kind = Options.of(page).kind
    first = ask(http, page.address, accept=_SAID)
    body, _ = words_of(first)
    if first.status == 200 and not discover.looks_like_html(body, first.header("Content-Type")):
        return [first], _read(first, kind, None)
    _refused(first, [first])
    posts, comments = discover.named_feeds(body, discover.charset(first.header("Content-Type")), first.url)
    wanted = posts if kind is Kind.POST else comments or posts
    if not wanted:
        raise UnexpectedResponse(f"{page.address} is a web page that names no feed.", [first])
    second = ask(http, wanted[0], accept=_SAID)
    _refused(second, [first, second])
    return [first, second], _read(second, kind, None, exchange=1)


def _refused(answer: Exchange, shown: list[Exchange]) -> None:
    said = f"{answer.url} answered {answer.status} {answer.reason}".rstrip() + "."
    if answer.status in {401, 403}:
        raise AccessRevoked(f"{said} Give the address of a feed that is public.", shown)
    if answer.status in {404, 410}:
        raise NoSuchPage(f"{said} Give the address under which the feed, or the site, opens.", shown)
    if answer.status != 200:
        raise UnexpectedResponse(said, shown)


def _read(answer: Exchange, kind: Kind, answers: str | None, *, exchange: int = 0) -> Document:
    body, as_sent = words_of(answer)
    where = Where(
        address=answer.url,
        charset=discover.charset(answer.header("Content-Type")),
        kind=kind,
        answers=answers,
        exchange=exchange,
        introduces=False,
        truncated=answer.truncated,
        coded=None if as_sent else len(answer.body),
    )
    try:
        return reading.read(body, where)
    except NotAFeed as fault:
        raise UnexpectedResponse(f"{answer.url} did not answer with a feed. {fault}", [answer]) from fault
