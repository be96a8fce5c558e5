"""Observes an account of Bluesky, or of another network of the AT Protocol.

An account keeps its own records in a signed repository on its own server, and
hands it out whole to anybody. That is the best evidence of any platform: the
signature covers every record, and the tree proves that none is missing. What
others answer is in their repositories; the app view gathers it.

So a pass first reads the repository, and closes the account's posts with a
listing that is certain. Then it asks the app view, oldest post first, who
answers. A pass that is narrowed reads the repository whole once a day and in
between only what changed; it asks for the answers to what was published within
its span and in the week before it. Whatever a body shows is always observed,
also outside the span, because its bytes must have their owners.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors.bluesky import identity, parse, reading, standing
from connectors.bluesky.account import Account, Step
from connectors.bluesky.address import POST, Uri, uri
from connectors.bluesky.answers import STRANGE, Answers, Told, chunks, everything
from connectors.bluesky.asking import Asking, NotGiven
from connectors.bluesky.identity import Identity
from connectors.bluesky.manifest import MANIFEST
from connectors.bluesky.network import NO_LONGER, Network
from connectors.bluesky.parse import Listed, Seen, Whose
from connectors.bluesky.place import MOST_KNOWN, Place
from connectors.bluesky.reading import Reading
from connectors.bluesky.stream import Stream
from connectors.contract import (
    Batch,
    Client,
    Cursor,
    Finding,
    Gap,
    Kind,
    Listing,
    Manifest,
    Page,
    Sighting,
    Span,
    State,
)
from connectors.errors import (
    AccessRevoked,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.failing import AGAIN

_ANSWERED_WITHIN = timedelta(days=7)
"""How far before its span a narrowed pass still asks for answers: most come soon, few come later."""

_NOT_SHOWN = "!no-unauthenticated"
"""The label by which an account asks not to be shown to those who are not signed in."""


class Bluesky:
    """An account. `secret`, where the page is connected: `app_password`."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http = http
        self._secret = secret
        self._known: str | None = None
        """The account's DID as the last pass knew it: looks that follow from it bear a change of its handle, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the account's repository, then who answers its posts, oldest post first.

        A pass begins with the account itself, also when it resumes, and ends
        with a cursor that begins the next.
        """
        place = Place.read(since)
        self._known = place.did
        began = self._http.now()
        if place.began is None:
            place = place.moved(began=began)
        with Asking(self._http) as asking:
            yield from _Pass(Network(asking, page), page, place, self._secret).go(began)

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor this is."""
        self._known = Place.read(since).did

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask how items stand: the account's own by proof of its repository, others' also at the app view."""
        if not native_ids:
            return
        with Asking(self._http) as asking:
            network = Network(asking, page)
            who, _ = network.page(page, self._known)
            yield from standing.Standing(network, who, Place().cursor()).look(native_ids)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """One post of the page as the app view shows it, with everything that answers it."""
        with Asking(self._http) as asking:
            network = Network(asking, page)
            who, _ = network.page(page, self._known)
            yield from asking.one_family(root, _family(network, who, root), Place().cursor())

    def check(self, page: Page) -> Iterator[Finding]:
        """Whether the account is found and shown, whether the app view shows it to anybody, and what the password opens."""
        with Asking(self._http) as asking:
            network = Network(asking, page)
            try:
                who, _ = network.page(page)
                yield Finding(what=f"the account {who.handle or who.did} ({who.did})", fine=True)
                yield _repository(asking, who)
                yield _to_anybody(network, who)
            except (AccessRevoked, NoSuchPage, UnexpectedResponse) as fault:
                yield Finding(what="the account", fine=False, remedy=str(fault))
                return
            if self._secret:
                yield from self._signed_in(asking, who)

    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Hear of the account's own records as they are written, edited and deleted, from its own server or a Jetstream."""
        with Asking(self._http) as asking:
            network = Network(asking, page)
            who, _ = network.page(page)
            yield from Stream(network, page, who).listen(since)

    def _signed_in(self, asking: Asking, who: Identity) -> Iterator[Finding]:
        assert self._secret is not None, "only a connected page signs in"
        assert who.pds is not None, "a page has a server"
        whose = Whose(did=who.did, pds=who.pds)
        try:
            account = Account.sign_in(asking, who.pds, whose, self._secret)
        except AccessRevoked as fault:
            yield Finding(what="the app password", fine=False, remedy=str(fault))
            return
        yield Finding(what="the app password", fine=True)
        for what, lacks in account.opens():
            yield Finding(what=what, fine=lacks is None, remedy=lacks or "")


class _Pass:
    """One pass over an account, from `place` on."""

    def __init__(self, network: Network, page: Page, place: Place, secret: Mapping[str, str] | None) -> None:
        self._network, self._asking, self._page, self._place = network, network.asking, page, place
        self._secret = secret
        self._who: Identity
        self._whose: Whose
        self._reading: Reading
        self._roots: list[str] = []

    def go(self, began: datetime) -> Iterator[Batch]:
        """Read the account, its repository, what only its people see, and who answers; `began` is this very moment."""
        yield from self._ended(self._batches(began))

    def _batches(self, began: datetime) -> Iterator[Batch]:
        self._who, shown = self._network.page(self._page, self._place.did)
        told = self._read(began)
        repository = self._asking.last
        self._reading = told
        self._whose = Whose(did=self._who.did, author=self._who.author(told.name), pds=self._who.pds)
        due = bool(self._secret) and (told.whole or self._place.due)
        account = self._signed_in() if due else None
        self._place = self._after_reading(told, connected=account is not None)
        yield self._introduced(told, shown, began, repository)
        if account is not None:
            for step in account.steps(self._place.noted, sorted(told.hidden), self._page.published_from):
                yield self._stepped(step)
            self._place = self._place.moved(due=False)
        yield from self._answered()

    # -- the repository ------------------------------------------------------------------------------------

    def _read(self, now: datetime) -> Reading:
        """The repository: whole, or in a narrowed pass what changed since it was read whole today."""
        if self._narrowed and self._place.builds_on(now, *self._span):
            told = self._repository(since=self._place.rev)
            if told is not None and not told.lists:
                return told
        whole = self._repository(since=None)
        assert whole is not None, "a whole repository is read, or an error is raised"
        return whole

    def _repository(self, since: str | None) -> Reading | None:
        """None where the server cannot tell what changed since that revision."""
        query = {"did": self._who.did, **({"since": since} if since else {})}
        assert self._who.pds is not None, "a page has a server"
        try:
            exchange = self._asking.xrpc(self._who.pds, "com.atproto.sync.getRepo", query)
        except NotGiven as refusal:
            if refusal.error in NO_LONGER:
                raise NoSuchPage(
                    f"The account is not shown: {NO_LONGER[refusal.error]} ({refusal.reason}). What was captured before "
                    "stays. Ask whoever manages the account, or the platform, and capture it again afterwards."
                ) from None
            if since is not None:
                return None
            raise UnexpectedResponse(
                f"The account's server does not hand out its repository: {refusal.reason} {refusal.message}."
            ) from None
        index = self._asking.last
        return self._asking.read(
            lambda body: reading.read(body, index, self._who, self._place.name, whole=since is None), exchange
        )

    def _after_reading(self, told: Reading, *, connected: bool) -> Place:
        place = self._place
        known = {} if told.whole else dict(place.known or {})
        for rkey, record in told.posts.items():
            at = reading.published(record)
            known[rkey] = int(at.timestamp()) if at is not None else 0
        kept = {rkey: at for rkey, at in known.items() if self._within(at)} if self._narrowed else None
        return place.moved(
            did=self._who.did,
            rev=told.rev or place.rev,
            read_at=place.begun() if told.whole else place.read_at,
            known=kept if kept is not None and len(kept) <= MOST_KNOWN else None,
            span=self._span,
            name=told.name,
            connected=place.connected or connected,
            due=connected,
        )

    def _introduced(self, told: Reading, shown: Sequence[Span], began: datetime, repository: int) -> Batch:
        """The account and its repository, with the listings that a whole repository proves."""
        facts = {"handle": self._who.handle, **told.facts()}
        observations = [identity.observation(self._who, shown, **facts), *told.observations]
        listings, gaps = (
            [],
            [
                Gap(what="a record", why="it has another shape than its collection promises", native_id=name)
                for name in told.unread
            ],
        )
        if told.whole:
            kinds = [Kind.POST] if self._place.connected else [Kind.POST, Kind.PROFILE]
            listings.append(Listing(kinds=kinds, began_at=began, exchange=repository))
        if told.signed is False:
            gaps.append(
                Gap(
                    what="the signature of the repository",
                    why="it does not verify under the key that the account's document names; the records are kept "
                    "all the same",
                )
            )
        return self._asking.batch(self._place.cursor(), observations, listings=listings, gaps=gaps)

    # -- what only the account's own people see ----------------------------------------------------------

    def _signed_in(self) -> Account:
        assert self._secret is not None, "only a connected page signs in"
        assert self._who.pds is not None, "a page has a server"
        return Account.sign_in(self._asking, self._who.pds, self._whose, self._secret)

    def _stepped(self, step: Step) -> Batch:
        if step.noted is not None:
            self._place = self._place.moved(noted=step.noted)
        self._roots += [one for one in step.roots if one not in self._roots]
        return self._asking.batch(
            self._place.cursor(), step.observations, sightings=step.sightings, gaps=step.gaps
        )

    # -- who answers -----------------------------------------------------------------------------------------

    def _answered(self) -> Iterator[Batch]:
        """The posts of this pass, some at a time, each with what answers it."""
        records = {self._uri(rkey): record for rkey, record in self._reading.posts.items()}
        records |= self._reading.gates
        answers = Answers(self._network, self._whose, records=records, hidden=self._hidden)
        asked = self._asked()
        for some in chunks(asked):
            yield from self._some(answers, some, frozenset(asked))

    def _asked(self) -> list[str]:
        """The posts whose answers this pass reads, in the order of their keys; those below which something is new too.

        What notifications name and the whole repository does not hold was
        deleted: there is nothing to ask for.
        """
        also = [found.rkey for one in self._roots if (found := uri(one)) is not None]
        if self._reading.whole:
            keys = [rkey for rkey, record in self._reading.posts.items() if self._in_span(record)]
            also = [rkey for rkey in also if rkey in self._reading.posts]
        else:
            keys = list(self._place.known or ())
        return [self._uri(rkey) for rkey in sorted({*keys, *also}) if rkey > self._place.after]

    def _some(self, answers: Answers, some: Sequence[str], asked: Collection[str]) -> Iterator[Batch]:
        """A few posts with their counts, then a batch for each that has answers.

        Where the app view fails at some together, each is asked for alone.
        """
        began = self._asking.http.now()
        shown = self._shown(answers, some)
        if shown is None:
            for one in some:
                yield from self._some(answers, [one], asked)
            return
        if isinstance(shown, Gap):
            self._through(some[-1])
            yield self._told(Told(gaps=[shown]))
            return
        told = Told()
        sightings: list[Sighting] = []
        deeper: list[Seen] = []
        for where in some:
            seen = shown.get(where)
            if seen is None:
                sightings += self._not_shown(told, where)
                continue
            told.observations += answers.shown(seen)
            none = answers.unanswered(seen, began)
            if none is not None:
                told.listings.append(none)
            else:
                deeper.append(seen)
        if not deeper:
            self._through(some[-1])
        yield self._told(told, sightings)
        for seen in deeper:
            # Below an answer that was deleted no thread leads on: what stands there is asked for by itself.
            met = self._root(seen) in asked and seen.view.uri in answers.met
            below = None if met else answers.below(seen)
            self._through(some[-1] if seen is deeper[-1] else seen.view.uri)
            if below is not None:
                yield self._told(below)

    def _shown(self, answers: Answers, some: Sequence[str]) -> Mapping[str, Seen] | Gap | None:
        """These posts as the app view shows them.

        A gap where it fails at the one, or shows it so that nobody can read
        it; None where that is so of one of several.
        """
        if len(some) == 1:
            listed: Listed[Seen] = Listed()
            with self._asking.about("answers to a post", some[0]) as asked:
                listed = answers.listed(some)
            if listed.unread:
                return Gap(what="answers to a post", why=f"{STRANGE}. {AGAIN}", native_id=some[0])
            return asked.gap or {seen.view.uri: seen for seen in listed.items}
        try:
            listed = answers.listed(some)
        except (TryAgainLater, UnexpectedResponse) as error:
            if not self._asking.is_apart(error):
                raise
            self._asking.failed(error)
            return None
        return None if listed.unread else {seen.view.uri: seen for seen in listed.items}

    def _told(self, told: Told, sightings: Sequence[Sighting] = ()) -> Batch:
        if told.gaps:
            self._place = self._place.moved(whole=False)
        return self._asking.batch(
            self._place.cursor(),
            told.observations,
            sightings=sightings,
            listings=told.listings,
            gaps=[*told.gaps, *told.beside],
        )

    def _not_shown(self, told: Told, where: str) -> list[Sighting]:
        """A post of the account's that the app view does not show: removed since, or kept from view there."""
        why = "the app view does not show the post; its own server does"
        if not self._reading.whole:
            place = uri(where)
            assert place is not None, "the account's own posts have addresses"
            state, reason = State.PRESENT, ""
            with self._asking.about("answers to a post", where) as asked:
                state, reason = standing.prove(self._asking, self._who, place)
            if asked.gap is not None:
                told.gaps.append(asked.gap)
                return []
            if state is not State.PRESENT:
                known = {rkey: at for rkey, at in (self._place.known or {}).items() if rkey != place.rkey}
                self._place = self._place.moved(known=known)
                return [Sighting(native_id=where, state=state, exchange=self._asking.last, reason=reason)]
        told.gaps.append(Gap(what="answers to a post", why=why, native_id=where))
        return []

    def _root(self, seen: Seen) -> str | None:
        """The root of the thread that a post stands in, where it is another; its answers come with that one's."""
        reply = seen.view.record.get("reply")
        root = reply.get("root") if isinstance(reply, dict) else None
        found = root.get("uri") if isinstance(root, dict) else None
        return found if isinstance(found, str) else None

    def _hidden(self, view: parse.View) -> Collection[str]:
        """What the page has hidden below a post: as its repository says, else as the app view says."""
        if self._reading.whole or parse.gate_of(view.uri) in self._reading.gates:
            return self._reading.hidden
        return {*self._reading.hidden, *parse.hidden_in(view)}

    def _through(self, where: str) -> None:
        place = uri(where)
        assert place is not None, "the account's own posts have addresses"
        self._place = self._place.moved(after=place.rkey)

    def _uri(self, rkey: str) -> str:
        return str(Uri(self._who.did, POST, rkey))

    @property
    def _narrowed(self) -> bool:
        return self._span != (None, None)

    @property
    def _span(self) -> tuple[datetime | None, datetime | None]:
        return self._page.published_from, self._page.published_until

    def _in_span(self, record: Mapping[str, Any]) -> bool:
        """Whether answers to a post may lie within the span of this pass; one without a time belongs to every pass."""
        at = reading.published(record)
        return at is None or self._within(int(at.timestamp()))

    def _within(self, at: int) -> bool:
        since, until = self._page.published_from, self._page.published_until
        moment = datetime.fromtimestamp(at, UTC)
        if at == 0:
            return True
        return (since is None or moment >= since - _ANSWERED_WITHIN) and (until is None or moment <= until)

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Hand the batches on; the last bears the cursor that begins the next pass, and says what was seen whole.

        Each is handed on once the next is there, or an error in its place.
        """
        before: Batch | None = None
        while True:
            try:
                following = next(batches, None)
            except ConnectorError:
                if before is not None:
                    yield before
                raise
            if following is None:
                break
            if before is not None:
                yield before
            before = following
        assert before is not None, "a pass that ends has told of the account"
        listings = before.listings
        if self._place.whole and not self._narrowed:
            listings = (*listings, everything(self._place.begun(), 0))
        yield replace(before, resume_from=self._place.ended().cursor(), listings=listings)


def _family(network: Network, who: Identity, root: str) -> Iterator[Batch]:
    """One post as the app view shows it, with everything that answers it."""
    asking, whose, cursor = network.asking, Whose(did=who.did, pds=who.pds), Place().cursor()
    answers = Answers(network, whose, records={}, hidden=parse.hidden_in)
    began = asking.http.now()
    seen = answers.posts([root]).get(root)
    if seen is None:
        gap = Gap(what="answers to a post", why="the app view does not show the post", native_id=root)
        yield asking.batch(cursor, gaps=[gap])
        yield from standing.Standing(network, who, cursor).look([(Kind.POST, root)])
        return
    told = Told(answers.shown(seen))
    none = answers.unanswered(seen, began)
    if none is not None:
        told.listings.append(none)
    else:
        below = answers.below(seen)
        told = Told(told.observations + below.observations, below.listings, below.gaps, below.beside)
    yield asking.batch(cursor, told.observations, listings=told.listings, gaps=[*told.gaps, *told.beside])


def _repository(asking: Asking, who: Identity) -> Finding:
    """Whether the account's own server shows it."""
    what = f"its repository at {who.pds}"
    try:
        asking.xrpc(who.pds or "", "com.atproto.sync.getLatestCommit", {"did": who.did})
    except NotGiven as refusal:
        why = NO_LONGER.get(refusal.error, "its server does not hand it out")
        return Finding(
            what=what,
            fine=False,
            remedy=f"{why} ({refusal.reason}). Ask whoever manages the account, or the platform.",
        )
    return Finding(what=what, fine=True)


def _to_anybody(network: Network, who: Identity) -> Finding:
    """Whether the app view shows the account to those who are not signed in, which is how its answers are read."""
    what = f"the app view {network.app_view}"
    try:
        exchange = network.asking.xrpc(network.app_view, "app.bsky.actor.getProfile", {"actor": who.did})
    except NotGiven as refusal:
        why = f"It does not show the account ({refusal.reason} {refusal.message}), so that answers cannot be read."
        return Finding(what=what, fine=False, remedy=f"{why} Ask the platform's moderation service why.")
    labels = network.asking.read(parse.answer, exchange).get("labels")
    held_back = any(isinstance(one, dict) and one.get("val") == _NOT_SHOWN for one in labels or [])
    if held_back:
        remedy = (
            "The account asks applications not to show it to people who are not signed in. A public page should: switch "
            "off Settings > Privacy and security > Logged-out visibility."
        )
        return Finding(what=what, fine=False, remedy=remedy)
    return Finding(what=what, fine=True)
