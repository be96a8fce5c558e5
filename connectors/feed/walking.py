"""One pass: the feed of the page first, then the feeds of comments that it led to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from connectors import failing
from connectors.contract import Batch, Client, Exchange, Gap, Kind, Listing, Page, Sighting, State
from connectors.errors import AddressRefused, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.feed import discover, reading
from connectors.feed.asking import ask, words_of
from connectors.feed.options import Options
from connectors.feed.parse import CommentFeed, Document, NotAFeed, Where, http_address
from connectors.feed.place import REMEMBERED, Place, Stream, Walk, marks

_GONE = (404, 410)
_LOCKED_OR_BROKEN = (401, 403, 404, 410, 500)
"""One post whose comments are locked or broken must not end the pass for all others."""


@dataclass(slots=True)
class _Read:
    """One document and what goes into its batch."""

    exchanges: Sequence[Exchange]
    document: Document = field(default_factory=Document)
    gaps: list[Gap] = field(default_factory=list)
    sightings: Sequence[Sighting] = ()
    shown: bool = False
    """Whether the document shows items; an answer that nothing changed does not."""


class _WebPage(Exception):
    """The address is a web page's, which may name the feed."""

    def __init__(self, answer: Exchange) -> None:
        super().__init__(answer.url)
        self.answer = answer


class _Lost(Exception):
    """The feed that a web page once named is gone."""

    def __init__(self, answer: Exchange) -> None:
        super().__init__(answer.url)
        self.answer = answer


class Pass:
    """A pass from `place` on. Each document is one batch, whose cursor stands at that document."""

    def __init__(self, http: Client, page: Page, place: Place) -> None:
        self._http = http
        self._page = page
        self._place = place
        self._options = Options.of(page)
        self._placed = 0
        self._searched = False
        self._resumed = place.began is not None
        self._complaint: UnexpectedResponse | None = None
        self._failing = failing.Failing()

    def run(self) -> Iterator[Batch]:
        """Read every stream, beginning with the one at which the pass stands.

        A feed without end is said so when everything else has been read.
        """
        place = self._place
        if place.began is None:
            place.began, place.stream, place.walk = self._http.now(), 0, None
            self._choose_comments()
        while place.began is not None:
            try:
                yield from self._stream(place.streams[place.stream])
            except (_WebPage, _Lost) as found:
                yield self._search(found)
        if self._complaint is not None:
            raise self._complaint

    # -- one stream ----------------------------------------------------------------------------------------

    def _stream(self, stream: Stream) -> Iterator[Batch]:
        """Read one stream, document by document, until it joins what the last pass saw."""
        walk = self._place.walk or Walk(at=stream.address)
        visited: set[str] = set()
        seen: set[str] = set()
        while True:
            self._place.walk = walk
            read = self._read(stream, walk)
            visited.add(walk.at)
            following = self._following(stream, walk, read, visited, seen)
            seen.update(read.document.ids)
            listings = [] if following else self._end(stream, walk, read)
            yield Batch(
                exchanges=read.exchanges,
                resume_from=self._place.cursor(),
                observations=read.document.observations,
                sightings=[*read.document.sightings, *read.sightings],
                listings=listings,
                gaps=read.gaps,
            )
            if following is None:
                return
            walk = msgspec.structs.replace(walk, at=following, number=walk.number + 1)

    def _following(
        self, stream: Stream, walk: Walk, read: _Read, visited: set[str], seen: set[str]
    ) -> str | None:
        """The next document to read in this pass, or None; a gap where reading stops too early."""
        document = read.document
        following = document.following
        if following is None and self._options.paged and (document.items or document.unread):
            following = _paged(stream.address, walk.number + 1)
        if following is None:
            return None
        if walk.joined and stream.read_at is not None and not self._options.all_documents:
            return None
        repeats = following in visited or (bool(seen) and seen.issuperset(document.ids))
        if not repeats and walk.number < self._options.most_documents:
            return following
        why = f"Only {walk.number} parts of a feed are read in one pass (option max_pages)."
        if repeats:
            why = f"{walk.at} repeats what was read before, and the feed has no end."
            if document.following is not None:
                self._complaint = UnexpectedResponse(why, read.exchanges)
        walk.whole = False
        read.gaps.append(Gap(what="older parts of the feed", why=why, until=walk.oldest))
        return None

    def _end(self, stream: Stream, walk: Walk, read: _Read) -> list[Listing]:
        """Note what the next pass needs, and go on to the next stream or to the end of the pass."""
        place = self._place
        main = stream is place.streams[0]
        complete = main and (self._options.complete or (read.document.complete and walk.number == 1))
        emptied = bool(stream.seen) and not walk.newest
        if complete and emptied:
            why = "The feed is empty and was not before; that alone makes nothing absent."
            read.gaps.append(Gap(what="items of the feed", why=why, since=stream.read_at))
        if stream.seen and walk.newest and not (walk.joined or walk.broken_off or complete):
            read.gaps.append(_unjoined(stream, walk))
        listings = []
        if main and (read.shown or walk.number > 1):
            stream.complete = complete and walk.whole and not emptied
        if complete and walk.whole and read.shown and not emptied:
            listings = [
                Listing(kinds=[self._options.kind], began_at=place.begun(), exchange=len(read.exchanges) - 1)
            ]
        # What was removed while a pass was broken off was seen in it: the next one has to read the whole list, not a 304.
        knows = walk.whole and not (complete and self._resumed)
        stream.etag, stream.modified = (walk.etag, walk.modified) if knows else ("", "")
        stream.said_by = walk.said_by
        if not (walk.broken_off or walk.unread):
            stream.seen = walk.newest or stream.seen
            stream.read_at, stream.documents = place.begun(), walk.number
        place.walk = None
        place.stream += 1
        if place.stream == len(place.streams):
            read.gaps += self._finish()
        return listings

    def _finish(self) -> list[Gap]:
        place = self._place
        left_out = len(place.streams) - 1 - self._options.watched
        del place.streams[1 + self._options.watched :]
        place.began, place.stream, place.walk = None, 0, None
        if left_out <= 0:
            return []
        why = f"Comments are looked for again on the newest {self._options.watched} posts (option comment_feeds)."
        return [Gap(what=f"later comments on {left_out} older posts", why=why)]

    # -- one document --------------------------------------------------------------------------------------

    def _read(self, stream: Stream, walk: Walk) -> _Read:
        """Ask for the document at which the walk stands, and read it."""
        main = stream is self._place.streams[0]
        must = main and walk.number == 1
        conditions = self._conditions(stream) if walk.number == 1 else {}
        try:
            answer = ask(self._http, walk.at, headers=conditions, accept=_GONE if main else _LOCKED_OR_BROKEN)
            if answer.status < 500:
                self._failing.answered()
            before: list[Exchange] = []
            if answer.status == 304 and conditions:
                if stream.said_by in {"", answer.url}:
                    return _unchanged(stream, walk, answer)
                before = [answer]  # another document did not change: the address leads elsewhere than it did
                answer = ask(self._http, walk.at, accept=_GONE if main else _LOCKED_OR_BROKEN)
            if answer.status != 200:
                return self._refused(stream, walk, answer, must=must)
            return self._read_answer(stream, walk, answer, before, main=main)
        except (AddressRefused, UnexpectedResponse) as error:
            if must:
                raise
            return _missed(walk, error.exchanges, str(error))
        except TryAgainLater as error:
            if main or not failing.fails_alone(error):
                raise
            gap = self._failing.passed_over(error, f"feed {walk.at}", walk.at)
            if gap is None:
                raise
            return _missed(walk, error.exchanges, f"{walk.at} {gap.why.removeprefix('the platform ')}")

    def _read_answer(
        self, stream: Stream, walk: Walk, answer: Exchange, before: Sequence[Exchange] = (), *, main: bool
    ) -> _Read:
        body, as_sent = words_of(answer)
        if main and walk.number == 1 and discover.looks_like_html(body, answer.header("Content-Type")):
            if stream.address == self._page.address and stream.read_at is None:
                raise _WebPage(answer)
            raise UnexpectedResponse(f"{walk.at} answered with a web page, not a feed.", [answer])
        where = Where(
            address=answer.url,
            charset=discover.charset(answer.header("Content-Type")),
            kind=self._options.kind if main else Kind.COMMENT,
            answers=stream.answers,
            exchange=len(before),
            introduces=main and walk.number == 1,
            truncated=answer.truncated,
            shared=frozenset(stream.shared),
            faces=stream.faces,
            coded=None if as_sent else len(answer.body),
        )
        try:
            document = reading.read(body, where)
        except NotAFeed as fault:
            raise UnexpectedResponse(f"{walk.at} did not answer with a feed. {fault}", [answer]) from fault
        if main and walk.number == 1:
            faces = {
                **document.faces,
                **{one: name for one, name in stream.faces.items() if one not in document.faces},
            }
            stream.faces = dict(list(faces.items())[:REMEMBERED])
        _note(stream, walk, document, answer)
        leads_on = walk.number > 1 or document.following is not None or self._options.paged
        walk.unread = walk.unread or (document.unread > 0 and leads_on)
        stream.withdrawn = False
        if main and walk.number == 1:
            for other in self._place.streams[1:]:
                other.shown = False
        if main and self._options.of_posts:
            self._watch(document.comment_feeds, first=stream.read_at is None)
        return _Read([*before, answer], document, list(document.gaps), shown=True)

    def _conditions(self, stream: Stream) -> dict[str, str]:
        """Ask only for what changed, unless documents behind the first are wanted too."""
        if self._options.all_documents and stream.documents > 1:
            return {}
        wanted = {"If-None-Match": stream.etag, "If-Modified-Since": stream.modified}
        return {name: value for name, value in wanted.items() if value}

    def _refused(self, stream: Stream, walk: Walk, answer: Exchange, *, must: bool) -> _Read:
        status = answer.status
        said = f"{walk.at} answered {status} {answer.reason}".rstrip() + "."
        if must and status in _GONE:
            if stream.address != self._page.address and not self._searched:
                raise _Lost(answer)
            raise NoSuchPage(said, [answer])
        if must:
            raise UnexpectedResponse(said, [answer])
        if walk.number > 1 and status in _GONE and self._options.paged:
            return _Read([answer], shown=True)  # how WordPress says that there is no older part
        if walk.number == 1 and status in _GONE and stream.answers is not None and not stream.shown:
            return self._withdrawn(stream, walk, answer, said)
        return _missed(walk, [answer], said)

    def _withdrawn(self, stream: Stream, walk: Walk, answer: Exchange, said: str) -> _Read:
        """There are no comments any more on a post that the page's feed does not show any more either.

        That proves nothing of the post. Where the feed shows everything there
        is, nothing was missed; else it is a gap once. It is asked for again.
        """
        assert stream.answers is not None, "a feed of one post's comments"
        lately, stream.withdrawn = stream.withdrawn, True
        read = _missed(walk, [answer], said)
        if lately or self._place.streams[0].complete:
            read.gaps.clear()
        said = f"the feed of its comments answered {answer.status} {answer.reason}".rstrip()
        read.sightings = [Sighting(native_id=stream.answers, state=State.UNKNOWN, exchange=0, reason=said)]
        return read

    # -- finding feeds -------------------------------------------------------------------------------------

    def _search(self, found: _WebPage | _Lost) -> Batch:
        """Go on with the feed that a web page names; `UnexpectedResponse` where it names none."""
        stream, answer = self._place.streams[0], found.answer
        self._place.walk = None
        self._searched = True
        if isinstance(found, _Lost):
            stream.address, stream.read_at, stream.etag, stream.modified = self._page.address, None, "", ""
            return Batch(exchanges=[answer], resume_from=self._place.cursor())
        posts, comments = discover.named_feeds(
            words_of(answer)[0], discover.charset(answer.header("Content-Type")), answer.url
        )
        wanted = posts if self._options.kind is Kind.POST else comments or posts
        if not wanted or wanted[0] == stream.address:
            # It may be a page that asks to sign in, so it does not prove that there is no feed.
            raise UnexpectedResponse(f"{stream.address} is a web page that names no feed.", [answer])
        stream.address = wanted[0]
        if self._options.comments == "site":
            self._watch([CommentFeed(address=one) for one in comments[:1]], first=True)
        return Batch(exchanges=[answer], resume_from=self._place.cursor())

    def _choose_comments(self) -> None:
        """Bring the streams in line with the option `comments`, which may have changed since the last pass."""
        place, options = self._place, self._options
        asked = f"{options.kind} {options.comments}"
        if place.asked != asked:
            place.asked, place.streams[0].etag, place.streams[0].modified = asked, "", ""
        if options.of_posts:
            place.streams[1:] = [stream for stream in place.streams[1:] if stream.answers is not None]
        elif options.comments != "site":
            wanted = http_address(options.comments, "") if options.comments != "no" else None
            place.streams[1:] = [stream for stream in place.streams[1:] if stream.address == wanted]
            if wanted is not None and len(place.streams) == 1:
                place.streams.append(Stream(address=wanted))

    def _watch(self, feeds: Sequence[CommentFeed], *, first: bool) -> None:
        """Add feeds of comments, those of the newest posts before the others.

        A post that says it has no comments is not asked for them until it has.
        """
        streams = self._place.streams
        known = {stream.address: stream for stream in streams[1:]}
        for feed in feeds:
            if feed.address == streams[0].address:
                continue
            stream = known.get(feed.address)
            if stream is None:
                if feed.count == 0 or (not first and self._placed >= self._options.watched):
                    continue
                stream = Stream(address=feed.address, answers=feed.answers)
            else:
                streams.remove(stream)
                stream.shown = True
                stream.answers = stream.answers if stream.answers == feed.answers else None
            self._placed += 1
            streams.insert(min(self._placed, len(streams)), stream)
            known[feed.address] = stream


def _note(stream: Stream, walk: Walk, document: Document, answer: Exchange) -> None:
    """Remember of a document what the rest of the walk and the next pass need."""
    ids = marks(document.ids)
    stream.shared = list(dict.fromkeys([*document.shared, *stream.shared]))[:REMEMBERED]
    if walk.number == 1:
        walk.newest = ids[::-1][:REMEMBERED]
        walk.etag = answer.header("ETag") or ""
        walk.modified = answer.header("Last-Modified") or ""
        walk.said_by = answer.url
    walk.whole = walk.whole and document.certain
    walk.joined = walk.joined or _joins(document, ids, stream)
    dates = [one for seen in document.observations if (one := seen.published_at) is not None]
    walk.oldest = min([*dates, *([walk.oldest] if walk.oldest else [])], default=None)


def _joins(document: Document, ids: Sequence[str], stream: Stream) -> bool:
    """Whether a document reaches back to what was seen: one old post kept at the top does not count.

    One that was removed lets an older one return at the window's end, which
    was not seen lately: then what stands right before it tells.
    """
    seen = stream.seen
    if not seen or document.farthest is None:
        return not seen
    before = [
        name
        for name, published in document.reaching
        if stream.read_at is not None and published <= stream.read_at
    ]
    if not set(seen).isdisjoint(marks([document.farthest, *before])):
        return True
    return len(ids) > REMEMBERED and 2 * len(set(seen) & set(ids)) >= len(seen)


def _unchanged(stream: Stream, walk: Walk, answer: Exchange) -> _Read:
    walk.newest, walk.joined, walk.whole = stream.seen, True, True
    walk.etag, walk.modified, walk.said_by = stream.etag, stream.modified, stream.said_by
    return _Read([answer])


def _missed(walk: Walk, exchanges: Sequence[Exchange], why: str) -> _Read:
    walk.whole, walk.broken_off = False, True
    return _Read(exchanges, gaps=[Gap(what=f"feed {walk.at}", why=why)])


def _unjoined(stream: Stream, walk: Walk) -> Gap:
    return Gap(
        what="items that were published and left the feed between two passes",
        why="The feed shows only its newest items, and none of them reaches back to the last pass.",
        since=stream.read_at,
        until=walk.oldest,
    )


def _paged(address: str, number: int) -> str:
    parts = urlsplit(address)
    query = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "paged"
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, ("paged", str(number))])))
