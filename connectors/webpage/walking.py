"""One pass: the page at the address, the others that were named, and those that it links.

Each page is one batch with everything that was asked for it: its own bytes,
its files, what it was rendered into. A page that is known is asked for at
every pass, also when nothing links it any longer, so that only its own answer
says how it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from connectors import failing
from connectors.contract import (
    Attachment,
    Batch,
    Client,
    Exchange,
    Gap,
    Kind,
    Listing,
    Observation,
    Sighting,
    Span,
    State,
)
from connectors.errors import NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.text import plain
from connectors.webpage import markup, noise, places, reading
from connectors.webpage.asking import Asking
from connectors.webpage.comments import Remark
from connectors.webpage.files import Files, Shown, contents
from connectors.webpage.options import Options
from connectors.webpage.place import Known, Place
from connectors.webpage.rendering import MEDIA_TYPES, Answer, NotRendered, Renders, Replay
from connectors.webpage.standing import instead_of

_TAKEN = (401, 403, 451, 500, 501)
"""Answers of one page among several that are no reason to end the pass."""

_NO_PAGE = frozenset({404, 410})
_MOST_LISTED = 200
_FEW = 150


class NotThePage(Exception):
    """Something else stands where the page should, and what."""


@dataclass(slots=True)
class Met:
    """A page as it was met: what was read, in which exchanges, and what its words are when noise is left out."""

    address: str
    exchanges: list[int]
    read: reading.Reading
    again: reading.Reading | None = None
    blocks: list[str] = field(default_factory=list)
    varying: list[str] = field(default_factory=list)
    whole_spans: bool = False
    title: str = ""
    """What the page calls itself, without what varies in it."""


@dataclass(frozen=True, slots=True)
class Manner:
    """In what a platform differs from any other site."""

    kind: Kind = Kind.POST
    """What the page at the address is; those beside it are posts."""
    says_gone: bool = True
    """Whether the platform's own answer that a page does not exist is believed."""


class Pass:
    """A pass from `place` on."""

    def __init__(
        self,
        http: Client,
        secret: Mapping[str, str] | None,
        options: Options,
        place: Place,
        renders: Renders,
        manner: Manner,
    ) -> None:
        self._http, self._secret, self._options, self._place = http, secret, options, place
        self._renders, self._manner = renders, manner
        self._files = Files(place, options.address)
        self._nonsense: str | None = None
        self._failing = failing.Failing()

    def run(self) -> Iterator[Batch]:
        """Ask for every page that is still to be asked for, each in a batch of its own."""
        place, options = self._place, self._options
        if place.queue is None:
            named = [options.address, *options.addresses]
            place.linked = [
                one for one in place.linked if one not in named and places.matches(one, options.links)
            ]
            place.queue = [*named, *place.linked]
        while place.queue:
            with Asking(self._http, self._secret, options.address) as asking:
                yield self._page(asking, place.queue[0])

    def look(
        self, addresses: Sequence[str]
    ) -> Iterator[tuple[str, Asking, State, str, reading.Reading | None]]:
        """How pages stand now: each with what was asked, its state, the reason, and what it says if it is there."""
        for address in addresses:
            with Asking(self._http, self._secret, self._options.address) as asking:
                exchange = asking.page(address, (*_TAKEN, 403))
                said = f"{exchange.status} {exchange.reason}".rstrip()
                if exchange.status in _NO_PAGE:
                    state, why = self._absence(asking, exchange, address)
                    yield address, asking, state, why, None
                elif exchange.status != 200:
                    yield address, asking, State.UNKNOWN, said, None
                else:
                    try:
                        read = self._read(exchange, address)
                    except NotThePage as fault:
                        yield address, asking, State.UNKNOWN, f"{said}: {fault}", None
                    else:
                        yield address, asking, State.PRESENT, said, read

    # -- one page ------------------------------------------------------------------------------------------

    def _page(self, asking: Asking, address: str) -> Batch:
        main, began = address == self._options.address, self._http.now()
        try:
            exchange = asking.page(address, () if main else _TAKEN)
            if exchange.status in _NO_PAGE:
                return self._gone(asking, exchange, address)
            if exchange.status != 200:
                said = f"{address} answered {exchange.status} {exchange.reason}".rstrip()
                raise UnexpectedResponse(f"{said}.")
            read = self._read(exchange, address)
            met = self._met(asking, read, exchange, address)
        except NotThePage as fault:
            why = f"{address} answered with {fault}. Nothing is known of the page itself; ask whoever runs the site."
            if main:
                raise UnexpectedResponse(why) from fault
            return self._missed(asking, address, why)
        except UnexpectedResponse as fault:
            if main:
                raise
            asking.exchanges += [
                one for one in fault.exchanges if all(one is not kept for kept in asking.exchanges)
            ]
            return self._missed(asking, address, str(fault))
        except TryAgainLater as error:
            if main or not failing.fails_alone(error):
                raise
            gap = self._failing.passed_over(error, f"the page {address}", native_id(address))
            if gap is None:
                raise
            asking.exchanges += [
                one for one in error.exchanges if all(one is not kept for kept in asking.exchanges)
            ]
            return self._missed(asking, address, f"{address} {gap.why.removeprefix('the platform ')}")
        self._failing.answered()
        return self._observed(asking, met, address, began)

    def _read(self, exchange: Exchange, address: str) -> reading.Reading:
        """What an answer says, if it is the page that was asked for."""
        body, content_type = decoded(exchange), exchange.header("Content-Type")
        media_type = (content_type or "").partition(";")[0].strip().lower()
        if not markup.looks_like_html(body, content_type) and media_type != "text/plain":
            raise NotThePage(f"{media_type or 'something'}, which is no web page")
        if _is_json(body):
            raise NotThePage("a message of a program, which is no web page")
        answered = places.normal(exchange.url) or exchange.url
        known = self._place.pages.get(places.key(address))
        if known is not None and places.host(answered) not in {known.host, places.host(address)}:
            raise NotThePage(f"a page of another site, {places.host(answered)}")
        read = reading.read(body, content_type, exchange.url, self._options.ignored)
        stands = instead_of(read, asked=address, answered=answered, missing=self._options.missing)
        if stands is not None:
            raise NotThePage(stands)
        return read

    def _met(self, asking: Asking, read: reading.Reading, exchange: Exchange, address: str) -> Met:
        """Leave out what changes at every look: a page that is not as it was is asked for twice.

        One answer that was another page's, or a stumble, is neither an edit nor
        noise: of two that are not of one page a third one tells which was it.
        """
        known = self._place.pages.get(places.key(address))
        met = self._looked(asking, read, exchange, address)
        if _is_as_known(met, known):
            return met
        other = self._another(asking, address)
        if not _is_as_known(other, known) and not _are_one_page(met, other):
            third = self._another(asking, address)
            if _is_as_known(third, known) or _are_one_page(other, third):
                met, other = other, third
            elif _are_one_page(met, third):
                other = third
        if _is_as_known(other, known):
            return other
        varying = list(met.varying)
        met.again = other.read
        met.whole_spans |= other.whole_spans
        met.exchanges += other.exchanges
        met.blocks, found = noise.settled(met.blocks, other.blocks)
        [met.title], also = noise.settled([met.title], [other.title])
        met.varying += [one for one in dict.fromkeys([*found, *also]) if one not in varying]
        if (
            known is not None
            and noise.digest(*met.blocks) != known.words
            and len(met.read.text.split()) < _FEW
            and self._is_shown_for_anything(asking, met.blocks)
        ):
            raise NotThePage("the same page that this site shows for any address that does not exist")
        return met

    def _looked(self, asking: Asking, read: reading.Reading, exchange: Exchange, address: str) -> Met:
        """One look at a page, without what is known to vary in it."""
        known = self._place.pages.get(places.key(address))
        varying = known.varying if known is not None else []
        met = Met(address, [asking.show(exchange)], read, varying=list(varying))
        met.whole_spans = decoded(exchange) != exchange.body
        met.blocks = noise.masked(read.blocks, varying)
        [met.title] = noise.masked([read.title], varying)
        return met

    def _another(self, asking: Asking, address: str) -> Met:
        """Another look at a page, right after the one before."""
        exchange = asking.page(address, () if address == self._options.address else _TAKEN)
        if exchange.status != 200:
            raise UnexpectedResponse(
                f"{address} answered {exchange.status} a moment after it had shown the page."
            )
        return self._looked(asking, self._read(exchange, address), exchange, address)

    def _is_shown_for_anything(self, asking: Asking, blocks: Sequence[str]) -> bool:
        """Whether the site answers an address that cannot exist with the very same words."""
        if self._nonsense is None:
            name = noise.digest(self._options.address)[:16]
            answer = asking.page(
                f"{places.front(self._options.address)}no-such-page-{name}", (*_TAKEN, *_NO_PAGE)
            )
            read = reading.read(
                decoded(answer), answer.header("Content-Type"), answer.url, self._options.ignored
            )
            self._nonsense = noise.digest(*read.blocks) if answer.status == 200 else ""
        return bool(self._nonsense) and noise.digest(*blocks) == self._nonsense

    # -- what comes of it ----------------------------------------------------------------------------------

    def _observed(self, asking: Asking, met: Met, address: str, began: datetime) -> Batch:
        name = native_id(address)
        known = self._place.pages.get(places.key(address))
        words = noise.digest(*met.blocks)
        listed = [
            file
            for file in met.read.files
            if file.role not in {"frame", "script"} and (self._options.documents or file.role != "document")
        ]
        if self._options.scripts:
            listed += met.read.of("script")
        steady = _steady(met, met.read.files)
        listed = [file for file in listed if file in steady]
        quiet = known is not None and known.words == words
        captured = known is not None
        shown = self._files.of(asking, listed, name, all_bytes=not quiet, captured=captured)
        whole = _whole(words, shown)
        kinds = self._kinds(known, whole)
        missing = [
            kind for kind in kinds if known is None or known.whole != whole or not known.renditions.get(kind)
        ]
        if missing and shown.unfetched:
            shown = self._files.of(asking, listed, name, all_bytes=True, captured=captured)
            whole = _whole(words, shown)
        unchanged = known is not None and known.whole == whole
        titled = known is not None and known.title in {None, met.title}
        edited = known.edited_at if unchanged and titled and known is not None else met.read.edited_at
        renditions = dict(known.renditions) if unchanged and known is not None else {}
        renditions = {kind: renditions.get(kind, "") for kind in kinds}
        made = self._render(
            asking, met, shown, address, [kind for kind, digest in renditions.items() if not digest]
        )
        renditions |= made
        answered = asking.exchanges[met.exchanges[0]].url
        self._place.pages[places.key(address)] = Known(
            words=words,
            files=_named(steady),
            whole=whole,
            edited_at=edited,
            varying=met.varying[-200:],
            renditions=renditions,
            host=places.host(answered),
            title=met.title,
            remarks=[comment_id(address, remark.id) for remark in met.read.remarks[:_MOST_LISTED]],
        )
        gaps = [
            *shown.gaps,
            *_in_frames(met, address),
            *_by_scripts(met, address),
            *self._follow(met, address),
        ]
        observation = self._observation(asking, met, shown, address, renditions, whole)
        remarks = _remarks(met, address, name, asking)
        self._done(address)
        return self._batch(
            asking,
            observations=[replace(observation, edited_at=edited), *remarks],
            listings=_listings(met, remarks, name, began),
            gaps=gaps,
        )

    def _observation(
        self, asking: Asking, met: Met, shown: Shown, address: str, renditions: Mapping[str, str], whole: str
    ) -> Observation:
        read, html = met.read, "".join(met.blocks)
        made = [
            Attachment(
                id=f"{kind}:{whole}",
                media_type=MEDIA_TYPES[kind],
                path=digest or None,
                description=f"How the page looked ({kind}), made from what was captured",
            )
            for kind, digest in renditions.items()
        ]
        extra: dict[str, object] = {"title": met.title, "encoding": read.encoding}
        answered = asking.exchanges[met.exchanges[0]].url
        more: dict[str, object] = {
            "canonical": read.canonical,
            "answered_at": answered if places.normal(answered) != address else None,
            "scripts": [places.file_key(file.address) for file in read.of("script")],
            "frames": [file.address for file in read.of("frame")],
            "broken_files": shown.broken,
            "unreadable_characters": read.broken,
            "left_out_as_varying": sum(noise.MASK in block for block in met.blocks),
        }
        extra |= {name: value for name, value in more.items() if value}
        remarks = {} if read.stated_comments is None else {"comments": read.stated_comments}
        return Observation(
            native_id=native_id(address),
            kind=self._manner.kind if address == self._options.address else Kind.POST,
            text=plain(html),
            html=html,
            url=address,
            published_at=read.published_at,
            language=read.language,
            attachments=[*shown.attachments, *made],
            files_told=shown.all_told,
            counts=remarks,
            extra=extra,
            evidence=[
                Span(place, 0, len(one.body))
                for place, one in enumerate(asking.exchanges)
                if one.body and one.status == 200
            ],
        )

    def _kinds(self, known: Known | None, whole: str) -> Sequence[str]:
        """Which renditions belong to this state of the page: what it has already, unless the officer says otherwise."""
        wanted = self._options.renditions
        if wanted is not None:
            return wanted
        if known is not None and known.whole == whole:
            return list(known.renditions)
        return ("screenshot", "pdf") if self._renders.available() else ()

    def _render(
        self, asking: Asking, met: Met, shown: Shown, address: str, kinds: Sequence[str]
    ) -> dict[str, str]:
        """Render what was captured; each rendition is an exchange of the batch, and whoever keeps it finds it by its digest."""
        if not kinds:
            return {}
        options = self._options
        try:
            made, program = self._renders.render(
                replay(asking.exchanges[met.exchanges[0]], address, shown.exchanges),
                kinds,
                scripts=options.scripts,
                sandbox=options.sandbox,
            )
        except NotRendered as fault:
            shown.gaps.append(
                Gap(
                    what="how the page looked",
                    why=f"no rendition could be made: {fault}",
                    native_id=native_id(address),
                )
            )
            return {}
        digests = {}
        for kind, body in made.items():
            rendition = Exchange(
                method="RENDER",
                url=f"render:{kind}:{address}",
                started_at=self._http.now(),
                seconds=0.0,
                status=200,
                http_version="",
                request_headers=[("Renderer", program)],
                response_headers=[("Content-Type", MEDIA_TYPES[kind])],
                body=body,
            )
            asking.show(rendition)
            digests[kind] = contents(rendition)
        return digests

    def _follow(self, met: Met, address: str) -> list[Gap]:
        """Add the linked pages to what is asked for, when this is the page whose links count."""
        options, place = self._options, self._place
        if not options.links or address != options.address:
            return []
        named = {options.address, *options.addresses}
        found = [
            link
            for link in met.read.links
            if places.same_site(link, address) and places.matches(link, options.links) and link not in named
        ]
        fresh = [link for link in found if link not in place.linked]
        room = max(0, options.most - len(place.linked))
        place.linked += fresh[:room]
        assert place.queue is not None, "a page is asked for in the midst of a pass"
        place.queue += [link for link in fresh[:room] if link not in place.queue]
        if len(fresh) <= room:
            return []
        return [
            Gap(
                what="linked pages",
                why=f"{len(fresh) - room} pages that match the pattern were not captured: the option most allows {options.most}",
            )
        ]

    # -- what did not come ---------------------------------------------------------------------------------

    def _gone(self, asking: Asking, exchange: Exchange, address: str) -> Batch:
        """The site says that there is no such page: of one that was there, and from a site that answers otherwise."""
        said = f"{address} answered {exchange.status} {exchange.reason}".rstrip()
        known = self._place.pages.get(places.key(address))
        if known is None:
            if address == self._options.address:
                raise NoSuchPage(f"{said}. Give the address at which the page opens in a browser.")
            return self._missed(asking, address, f"{said}, and no page was ever captured there.")
        state, reason = self._absence(asking, exchange, address)
        gaps = (
            [Gap(what=f"the page {address}", why=reason, native_id=native_id(address))]
            if state is State.UNKNOWN
            else []
        )
        if state is State.GONE and address in self._place.linked:
            self._place.linked.remove(address)
        self._done(address)
        sighting = Sighting(native_id=native_id(address), state=state, exchange=0, reason=reason)
        listings = []
        if state is State.GONE:
            # Its comments are out of sight with it; of a comment itself no site says that it is gone.
            listings = _answering(native_id(address), known.remarks, exchange.started_at, 0)
            known.remarks = []
        return self._batch(asking, sightings=[sighting], listings=listings, gaps=gaps)

    def _absence(self, asking: Asking, exchange: Exchange, address: str) -> tuple[State, str]:
        """What 404 and 410 prove: nothing where a form to sign in bears them, or where the whole site answers so."""
        said = f"{exchange.status} {exchange.reason}".rstrip()
        if not self._manner.says_gone:
            return State.UNKNOWN, f"{said}; this platform's answers prove no removal"
        read = reading.read(decoded(exchange), exchange.header("Content-Type"), exchange.url)
        looks = instead_of(read, asked=address, answered=places.normal(exchange.url) or exchange.url)
        if looks is not None and any(
            word in looks for word in ("sign in", "consent", "firewall", "parked", "parks", "maintenance")
        ):
            return State.UNKNOWN, f"{said}, with {looks}"
        if not _is_own(exchange.url, address):
            return State.UNKNOWN, f"{said}, of {exchange.url}, to which the address leads"
        try:
            again = asking.page(address, (*_TAKEN, *_NO_PAGE))
        except (TryAgainLater, UnexpectedResponse) as fault:
            asking.exchanges += [
                one for one in fault.exchanges if all(one is not kept for kept in asking.exchanges)
            ]
            return State.UNKNOWN, f"{said}, and no answer a moment later"
        if again.status not in _NO_PAGE:
            return State.UNKNOWN, f"{said}, and {again.status} a moment later"
        if exchange.status == 410:
            return State.GONE, said
        front = places.front(address)
        if places.is_front(address):
            return State.UNKNOWN, f"{said}, of the site's own front page: the site is at fault"
        try:
            answer = asking.page(front, (*_TAKEN, *_NO_PAGE))
        except (TryAgainLater, UnexpectedResponse) as fault:
            asking.exchanges += [
                one for one in fault.exchanges if all(one is not kept for kept in asking.exchanges)
            ]
            return State.UNKNOWN, f"{said}, and the site's front page does not answer"
        if answer.status != 200:
            return State.UNKNOWN, f"{said}, and the site's front page answers {answer.status}"
        try:
            self._read(answer, front)
        except NotThePage as fault:
            return State.UNKNOWN, f"{said}, and the site's front page is {fault}"
        return State.GONE, said

    def _missed(self, asking: Asking, address: str, why: str) -> Batch:
        self._done(address)
        return self._batch(
            asking, gaps=[Gap(what=f"the page {address}", why=why, native_id=native_id(address))]
        )

    def _done(self, address: str) -> None:
        place = self._place
        assert place.queue is not None, "a page is asked for in the midst of a pass"
        place.queue.remove(address)
        if not place.queue:
            place.queue = None

    def _batch(
        self,
        asking: Asking,
        *,
        observations: Sequence[Observation] = (),
        sightings: Sequence[Sighting] = (),
        listings: Sequence[Listing] = (),
        gaps: Sequence[Gap] = (),
    ) -> Batch:
        return Batch(
            exchanges=asking.take(),
            resume_from=self._place.cursor(),
            observations=observations,
            sightings=sightings,
            listings=listings,
            gaps=gaps,
        )


def _is_as_known(met: Met, known: Known | None) -> bool:
    """Whether a look shows the page as the last pass left it: its words, its title, and which files it names."""
    return (
        known is not None
        and noise.digest(*met.blocks) == known.words
        and known.title == met.title
        and _named(met.read.files) == known.files
    )


def _are_one_page(one: Met, other: Met) -> bool:
    """Whether two looks are of one page, however much of it varies."""
    return noise.are_alike([one.title], [other.title]) and noise.are_alike(one.blocks, other.blocks)


def _is_own(answered: str, asked: str) -> bool:
    """Whether an answer is that of the address itself: spelt with another scheme, with www or with a stroke at its end it is the same."""
    one, other = (
        places.key(places.normal(address) or address).removeprefix("www.").rstrip("/")
        for address in (answered, asked)
    )
    return one == other


def _is_json(body: bytes) -> bool:
    """Whether an answer is a message in JSON, whatever it is called."""
    if not body.lstrip().startswith((b"{", b"[")):
        return False
    try:
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False
    return True


def _by_scripts(met: Met, address: str) -> list[Gap]:
    """That a page says nothing but its title before its scripts have run: its words are not in what was served."""
    said = met.read.text.strip()
    if not met.read.has_scripts or (said and said != met.read.title.strip()):
        return []
    why = "the page as its server sends it says nothing: scripts put its words there in the browser, and none is run"
    return [Gap(what="the words of the page", why=why, native_id=native_id(address))]


def _in_frames(met: Met, address: str) -> list[Gap]:
    """What a page shows that is nothing but frames: others are named, and are not captured with it."""
    if not met.read.of_frames:
        return []
    named = ", ".join(file.address for file in met.read.of("frame")[:5])
    why = f"the page is made of frames, whose words are those of other pages ({named}): name them in the option addresses"
    return [Gap(what="the frames of the page", why=why, native_id=native_id(address))]


def native_id(address: str) -> str:
    """What a page is called: its address without the scheme."""
    return f"page:{places.key(address)}"


def replay(page: Exchange, address: str, files: Mapping[str, Exchange]) -> Replay:
    """A page and its files as they were captured, for whoever renders them."""
    answers = {address: _answer(page), page.url: _answer(page)}
    answers |= {asked: _answer(exchange) for asked, exchange in files.items()}
    # Where a secret was replaced in it, the address of the exchange is none that a browser could open.
    return Replay(address if "[[" in page.url else page.url, answers)


def _answer(exchange: Exchange) -> Answer:
    try:
        body = decoded(exchange)
    except UnexpectedResponse:
        body = exchange.body
    return Answer(exchange.status, exchange.header("Content-Type") or "", body)


def _steady(met: Met, listed: Sequence[reading.File]) -> list[reading.File]:
    """Without the files that only one of two answers names: a picture of the day that changes by the second."""
    if met.again is None:
        return list(listed)
    again = {places.file_key(file.address) for file in met.again.files}
    return [file for file in listed if places.file_key(file.address) in again]


def _named(files: Sequence[reading.File]) -> str:
    """Which files a page names, whatever stands behind their names against caches."""
    return noise.digest(*sorted({f"{file.role} {places.file_key(file.address)}" for file in files}))


def _whole(words: str, shown: Shown) -> str:
    return noise.digest(words, *(attachment.id for attachment in shown.attachments))


def _remarks(met: Met, address: str, page: str, asking: Asking) -> list[Observation]:
    """The comments that the page marks up, each with its bytes in every answer that showed it."""
    placed: dict[str, list[tuple[int, Remark]]] = {}
    for place, read in zip(met.exchanges, [met.read, met.again], strict=False):
        for remark in read.remarks if read is not None else ():
            placed.setdefault(remark.id, []).append((place, remark))
    named = {remark.id for remark in met.read.remarks}
    found = []
    for remark in met.read.remarks:
        parent = remark.answers if remark.answers in named and remark.answers != remark.id else None
        spans = [
            Span(place, 0, len(asking.exchanges[place].body))
            if met.whole_spans or one.start < 0
            else Span(place, one.start, one.end)
            for place, one in placed[remark.id]
        ]
        found.append(
            Observation(
                native_id=comment_id(address, remark.id),
                kind=Kind.REPLY if parent else Kind.COMMENT,
                author=remark.author,
                text=remark.text,
                html=remark.html,
                url=remark.url,
                in_reply_to=comment_id(address, parent) if parent else page,
                published_at=remark.published_at,
                edited_at=remark.edited_at,
                counts=remark.counts,
                evidence=spans,
            )
        )
    return found


def comment_id(address: str, name: str) -> str:
    """What a comment is called: by its page and its own name there."""
    return f"comment:{places.key(address)}#{name}"


def _listings(met: Met, remarks: Sequence[Observation], page: str, began: datetime) -> list[Listing]:
    """All comments were shown where the page itself counts as many as it marks up."""
    if met.read.stated_comments != len(remarks) or len(remarks) > _MOST_LISTED:
        return []
    named = [remark.native_id for remark in remarks]
    return _answering(page, named, began, met.exchanges[0], stated=len(remarks))


def _answering(
    page: str, remarks: Sequence[str], began: datetime, exchange: int, stated: int | None = None
) -> list[Listing]:
    """That everything was shown that answers the page, and that answers each of its comments."""
    return [
        Listing(
            kinds=[Kind.COMMENT, Kind.REPLY],
            began_at=began,
            exchange=exchange,
            in_reply_to=parent,
            stated_total=stated if parent == page else None,
        )
        for parent in (page, *remarks)
    ]
