"""How known items stand, asked one by one: what is gone is proven by the repository that it was in.

Every account's server proves by signed blocks that a record is there, or that
it is not (`com.atproto.sync.getRecord`). So a deletion is the author's own
server's word, with the nodes of the tree that show it; nothing else is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.bluesky import address, car, parse, repository
from connectors.bluesky.address import Uri
from connectors.bluesky.answers import STRANGE, Answers, chunks
from connectors.bluesky.asking import Asking, NotGiven
from connectors.bluesky.identity import Identity
from connectors.bluesky.network import NO_LONGER, Network
from connectors.bluesky.parse import Seen, Whose
from connectors.contract import Batch, Cursor, Kind, Sighting, State
from connectors.errors import ConnectorError, TryAgainLater, UnexpectedResponse

_NO_RECORD = "RecordNotFound"
_TOMBSTONE = 410
_NO_ACCOUNT = {"RepoNotFound", "AccountNotFound"}


class Standing:
    """Looks for items of one page."""

    def __init__(self, network: Network, page: Identity, cursor: Cursor) -> None:
        self._network, self._asking, self._page, self._cursor = network, network.asking, page, cursor
        self._silent: set[str] = set()

    def look(self, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Sight each item that can be asked for; messages cannot."""
        asked = [name for _, name in native_ids]
        others: list[str] = []
        for name in asked:
            place = address.uri(name)
            if place is not None and place.did != self._page.did:
                others.append(name)
            elif place is not None:
                yield self._batch([self._own(place)])
            elif name == self._page.did:
                yield self._batch([self._account()])
            elif name.startswith(f"at://{self._page.did}/"):
                yield self._batch([self._collection(name)])
        for some in chunks(others):
            yield self._batch(self._visitors(some))

    def _batch(self, sightings: Sequence[Sighting]) -> Batch:
        return self._asking.batch(self._cursor, sightings=sightings)

    def _own(self, place: Uri) -> Sighting:
        """A record of the page's own: its own server says."""
        state, reason = State.UNKNOWN, ""
        with self._asking.about("how it stands", str(place), unread=False) as asked:
            state, reason = prove(self._asking, self._page, place)
        if asked.gap is not None:
            reason = asked.gap.why
        return Sighting(native_id=str(place), state=state, exchange=self._asking.last, reason=reason)

    def _account(self) -> Sighting:
        """The account itself: its document is there, and its server says whether it shows it."""
        state, reason = State.PRESENT, "200"
        with self._asking.about("how it stands", self._page.did, unread=False) as asked:
            try:
                self._asking.xrpc(self._server, "com.atproto.sync.getLatestCommit", {"did": self._page.did})
            except NotGiven as refusal:
                state, reason = refusal_of_account(refusal)
        if asked.gap is not None:
            state, reason = State.UNKNOWN, asked.gap.why
        return Sighting(native_id=self._page.did, state=state, exchange=self._asking.last, reason=reason)

    def _collection(self, name: str) -> Sighting:
        """A list of the page's that is one record: whether its repository still has anything of that kind."""
        state, reason = State.UNKNOWN, ""
        with self._asking.about("how it stands", name, unread=False) as asked:
            state, reason = self._described(name.rpartition("/")[2])
        if asked.gap is not None:
            reason = asked.gap.why
        return Sighting(native_id=name, state=state, exchange=self._asking.last, reason=reason)

    def _described(self, collection: str) -> tuple[State, str]:
        try:
            exchange = self._asking.xrpc(
                self._server, "com.atproto.repo.describeRepo", {"repo": self._page.did}
            )
        except NotGiven as refusal:
            return refusal_of_account(refusal)
        held = self._asking.read(parse.answer, exchange).get("collections")
        if not isinstance(held, list):
            raise UnexpectedResponse(f"{exchange.url} does not say which collections the account has.")
        if collection in held:
            return State.PRESENT, "200"
        return State.GONE, "describeRepo: the repository has no such collection"

    def _visitors(self, uris: Sequence[str]) -> list[Sighting]:
        """What others wrote: shown by the app view, else asked for at their own servers.

        What the app view fails at, or tells so that nobody can read it, is
        unknown unless it is proven to be gone, and so is what such a post may
        hide below it; the others are told.
        """
        answers = Answers(self._network, Whose(did=self._page.did), records={}, hidden=parse.hidden_in)
        shown, unsaid = self._shown(answers, uris)
        seen_at = self._asking.last
        roots = {name: root for name, seen in shown.items() if (root := self._root(seen)) is not None}
        gates, silent = self._shown(answers, sorted(set(roots.values())))
        hidden = {name for seen in gates.values() for name in parse.hidden_in(seen.view)}
        found = []
        for name in uris:
            if name not in shown:
                found.append(self._unshown(name, unsaid.get(name)))
                continue
            state, reason = State.PRESENT, "200"
            if name in hidden:
                state, reason = State.HIDDEN, "hidden by the page's own threadgate"
            elif roots.get(name) in silent:
                state, reason = State.UNKNOWN, f"it may be hidden below {roots[name]}: {silent[roots[name]]}"
            found.append(Sighting(native_id=name, state=state, exchange=seen_at, reason=reason))
        return found

    def _shown(self, answers: Answers, uris: Sequence[str]) -> tuple[dict[str, Seen], dict[str, str]]:
        """These posts as the app view shows them, some at a time; and of which of them nothing is known, and why."""
        shown: dict[str, Seen] = {}
        unsaid: dict[str, str] = {}
        for some in chunks(uris):
            told, gaps = self._asking.piecemeal("how it stands", some, answers.listed)
            unsaid |= {gap.native_id: gap.why for gap in gaps if gap.native_id is not None}
            for listed in told:
                shown |= {seen.view.uri: seen for seen in listed.items}
                unread = [one for one in listed.unread if one is not None]
                if len(unread) < len(listed.unread):
                    # Which of them that is cannot be told: it may be any that is not shown.
                    unread = list(some)
                unsaid |= dict.fromkeys(unread, STRANGE)
        return shown, {name: why for name, why in unsaid.items() if name not in shown}

    def _root(self, seen: Seen) -> str | None:
        """The page's own post at the root of the thread, whose threadgate may hide the item."""
        reply = seen.view.record.get("reply")
        root = reply.get("root") if isinstance(reply, dict) else None
        place = address.uri(root.get("uri")) if isinstance(root, dict) else None
        return str(place) if place is not None and place.did == self._page.did else None

    def _unshown(self, name: str, why: str | None) -> Sighting:
        """An item that the app view does not show. A failure of its author's server proves nothing about it.

        `why` is given where it may be that the app view shows it all the same: then it is gone or unknown.
        """
        place = address.uri(name)
        assert place is not None, "only addresses of records are asked for here"
        try:
            state, reason = self._at_home(place)
        except ConnectorError as error:
            self._asking.failed(error)
            state, reason = State.UNKNOWN, f"its author's server could not be asked: {error.code}"
        if why is not None and state is not State.GONE:
            state, reason = State.UNKNOWN, why
        return Sighting(native_id=name, state=state, exchange=self._asking.last, reason=reason)

    def _at_home(self, place: Uri) -> tuple[State, str]:
        """How an item stands at its author's own server; one that did not answer once is not waited for again."""
        try:
            who = self._network.somebody(place.did)
        except NotGiven as refusal:
            if refusal.status == _TOMBSTONE:
                return State.GONE, "410: the directory says that its author's account is no more"
            return State.UNKNOWN, f"the directory answers {refusal.status} for its author"
        if who.pds is None or who.pds in self._silent:
            return State.UNKNOWN, "its author's server could not be asked"
        try:
            state, reason = prove(self._asking, who, place)
        except TryAgainLater:
            self._silent.add(who.pds)
            raise
        if state is State.PRESENT:
            return State.HIDDEN, f"the app view does not show it, and {reason}"
        return state, reason

    @property
    def _server(self) -> str:
        assert self._page.pds is not None, "a page has a server"
        return self._page.pds


def prove(asking: Asking, who: Identity, place: Uri) -> tuple[State, str]:
    """Whether a record is in its account's repository, by the blocks with which its server proves it."""
    query = {"did": place.did, "collection": place.collection, "rkey": place.rkey}
    try:
        exchange = asking.xrpc(who.pds or "", "com.atproto.sync.getRecord", query)
    except NotGiven as refusal:
        if refusal.error == _NO_RECORD:
            return State.GONE, refusal.reason
        return refusal_of_account(refusal)
    file = asking.read(car.read, exchange)
    commit = asking.read(lambda _: repository.commit(file), exchange)
    if commit.did != place.did:
        raise UnexpectedResponse(f"{exchange.url} answered with the repository of {commit.did}.")
    try:
        found = asking.read(lambda _: repository.find(file, commit.data, place.path), exchange)
    except repository.Unproven as fault:
        return State.UNKNOWN, f"its server's proof is not whole: {fault}"
    says = {True: "signature verified", False: "its signature does not verify", None: "no key to verify it"}
    signed = says[None if who.key is None else who.key.signed(commit)]
    where = f"commit {file.root.text} of {commit.rev}, {signed}"
    if found is None:
        return State.GONE, f"com.atproto.sync.getRecord proves that it is not in the repository: {where}"
    return State.PRESENT, f"com.atproto.sync.getRecord proves that it is in the repository: {where}"


def refusal_of_account(refusal: NotGiven) -> tuple[State, str]:
    """What a server's refusal to show a whole account says of what is in it."""
    if refusal.error in _NO_ACCOUNT:
        return State.GONE, f"{refusal.reason}: {NO_LONGER[refusal.error]}"
    if refusal.error in NO_LONGER:
        return State.HIDDEN, f"{refusal.reason}: {NO_LONGER[refusal.error]}"
    return State.UNKNOWN, refusal.reason
