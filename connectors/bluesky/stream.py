"""Hears of an account's records as they are written: from its own server's firehose, or from a Jetstream.

A server's firehose tells of every account that it keeps; what is about others
is not kept. A frame is two DAG-CBOR values, one behind the other: what it is,
and what it says. A commit brings the blocks that it wrote, so that a record's
bytes stand in the frame as they stand in the repository.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec

from connectors import cursors
from connectors.bluesky import car, cbor, identity, parse
from connectors.bluesky.address import Uri
from connectors.bluesky.asking import NotGiven
from connectors.bluesky.identity import Identity
from connectors.bluesky.network import NO_LONGER, Network
from connectors.bluesky.parse import Whose
from connectors.contract import Batch, Cursor, Exchange, Gap, Observation, Page, Sighting, Span, State
from connectors.errors import ConnectorError, NoSuchPage, TryAgainLater, UnexpectedResponse


class Reached(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a stream has come: the server that told, and its number of what it told last."""

    server: str
    number: int

    def cursor(self) -> Cursor:
        """As text, for the archive to keep."""
        return cursors.written(self)

    @staticmethod
    def read(cursor: Cursor | None, server: str) -> int | None:
        """Where to go on at that server; None where the cursor is another server's, or none."""
        reached = cursors.read(cursor, Reached)
        return reached.number if reached and reached.server == server else None


_STRANGE = (parse.Malformed, car.NotCar, cbor.NotCbor, msgspec.MsgspecError)
"""What says that bytes are none of the protocol's."""


_BEHIND = frozenset({"desynchronized", "throttled"})
"""What a server says of an account that it does not keep up with, for reasons of its own."""


class _Ahead(Exception):
    """The stream does not know our place: it lies in its future."""


class Stream:
    """One account's part of a stream."""

    def __init__(self, network: Network, page: Page, who: Identity) -> None:
        self._network, self._asking, self._who, self._did = network, network.asking, who, who.did
        named = page.options.get("jetstream", "").strip()
        self._jetstream = bool(named)
        self._server = _server(named) if named else _server(who.pds or "")
        self._name: str | None = None

    def listen(self, since: Cursor | None) -> Iterator[Batch]:
        """A batch for each thing that the account did, without end.

        A place that the stream does not know any longer is a gap, and we
        begin anew where it stands.
        """
        self._name = self._called()
        at = Reached.read(since, self._server)
        while True:
            number = at
            try:
                for message in self._asking.http.listen(self._address(at)):
                    number, batch = self._heard(message, number)
                    if batch is not None:
                        yield batch
            except _Ahead:
                if at is None:
                    raise TryAgainLater(
                        f"{self._server} ends the stream: FutureCursor, though no place was named."
                    ) from None
                yield self._asking.batch(
                    Reached(self._server, 0).cursor(), gaps=[_lost("it stands before our place")]
                )
                at = None
                continue
            raise TryAgainLater(f"{self._server} ended the stream.")

    def _called(self) -> str | None:
        """What the account calls itself, as its records bear it."""
        query = {"repo": self._did, "collection": parse.PROFILE, "rkey": "self"}
        try:
            exchange = self._asking.xrpc(self._who.pds or "", "com.atproto.repo.getRecord", query)
        except NotGiven as refusal:
            if refusal.error == "RecordNotFound":
                return None
            why = NO_LONGER.get(refusal.error, refusal.message)
            raise NoSuchPage(f"The account is not shown: {why} ({refusal.reason}).") from None
        value = self._asking.read(parse.answer, exchange).get("value")
        return _name(value)

    def _address(self, at: int | None) -> str:
        """Where to listen, from the message after `at` on; from now on where there is none."""
        if self._jetstream:
            query = {"wantedDids": self._did, **({"cursor": str(at)} if at is not None else {})}
            return f"{self._server}/subscribe?{urlencode(query, safe=':')}"
        query = {} if at is None else {"cursor": str(at)}
        path = f"{self._server}/xrpc/com.atproto.sync.subscribeRepos"
        return f"{path}?{urlencode(query)}" if query else path

    def _heard(self, message: Exchange, number: int | None) -> tuple[int | None, Batch | None]:
        """The number of a message, and what of it is about the account; what is about others is let go of."""
        if not self._jetstream and self._did.encode() not in message.body and not _speaks_to_us(message.body):
            return number, None
        self._asking.taken(message)
        index = self._asking.last
        try:
            told = self._jet(message.body, index) if self._jetstream else self._frame(message.body, index)
        except _STRANGE as fault:
            why = f"{self._server} sends what is no message of the protocol: {fault}"
            counted = _number(message.body, jet=self._jetstream)
            if counted is None:
                raise UnexpectedResponse(why) from fault
            # It would be told again at every opening, and nothing behind it would ever be heard.
            told = Heard(counted, gaps=[_lost(f"{why}; the next pass reads what it told of")])
        if told is None:
            self._asking.forget(message)
            return number, None
        number = number if told.number is None else told.number
        cursor = Reached(self._server, number or 0).cursor()
        return number, self._asking.batch(cursor, told.observations, sightings=told.sightings, gaps=told.gaps)

    # -- the firehose of a server ----------------------------------------------------------------------------

    def _frame(self, body: bytes, index: int) -> Heard | None:
        head, end = cbor.decode_at(body, 0)
        said, end = cbor.decode_at(body, end)
        if not isinstance(head, dict) or not isinstance(said, dict) or end != len(body):
            raise cbor.NotCbor("a frame is two values")
        if head.get("op") == -1:
            return self._refused(said)
        number = said.get("seq")
        heard = Heard(number if isinstance(number, int) else None)
        match head.get("t"):
            case "#info":
                heard.gaps.append(
                    _lost(f"{said.get('name')!s}: what lies between our place and its beginning")
                )
                return heard
            case "#commit" if said.get("repo") == self._did:
                return self._commit(body, said, heard, index)
            case "#account" if said.get("did") == self._did:
                return self._account(said, heard, index)
            case "#identity" if said.get("did") == self._did:
                return self._identity(heard)
            case "#sync" if said.get("did") == self._did:
                heard.gaps.append(_lost("the repository was written anew; the next pass reads it"))
                return heard
        return None

    def _refused(self, said: Mapping[str, Any]) -> Heard:
        """The stream's own word for why it ends."""
        error = str(said.get("error"))
        if error == "FutureCursor":
            raise _Ahead
        raise TryAgainLater(
            f"{self._server} ends the stream: {error} {said.get('message') or ''}".rstrip() + "."
        )

    def _commit(self, body: bytes, said: Mapping[str, Any], heard: Heard, index: int) -> Heard | None:
        blocks, acts = said.get("blocks"), said.get("ops")
        if not isinstance(blocks, bytes) or not isinstance(acts, list):
            raise cbor.NotCbor("a commit without blocks")
        if said.get("tooBig"):
            heard.gaps.append(_lost("a commit was too large for the stream; the next pass reads it"))
        file = car.read(blocks) if blocks else None
        # The record's bytes stand in the file, and the file stands in the frame.
        begins = body.find(blocks)
        reason = f"subscribeRepos #commit {said.get('seq')}"
        if not all(isinstance(act, dict) and isinstance(act.get("path"), str) for act in acts):
            raise cbor.NotCbor("a commit of another shape")
        last = {act["path"]: act for act in acts}
        for act in acts:
            collection, _, rkey = act["path"].partition("/")
            place, link = Uri(self._did, collection, rkey), act.get("cid")
            if act.get("action") == "delete":
                if last[act["path"]] is act:  # what the same commit wrote again stands
                    self._gone(place, heard, index, f"{reason}: delete")
            elif isinstance(link, cbor.Cid) and file is not None and link in file.blocks:
                block = file.blocks[link]
                span = Span(index, begins + block.start, begins + block.end)
                try:
                    self._written(place, file.value(link), link.text, span, heard)
                except _STRANGE as fault:
                    heard.gaps.append(_untold(place, f"its record cannot be read ({fault})"))
            elif place.collection in parse.RECORDS and not said.get("tooBig"):
                heard.gaps.append(_untold(place, "its commit came without its record"))
        return heard if heard.observations or heard.sightings or heard.gaps else None

    # -- a Jetstream -----------------------------------------------------------------------------------------

    def _jet(self, body: bytes, index: int) -> Heard | None:
        said = parse.answer(body)
        number = said.get("time_us")
        heard = Heard(number if isinstance(number, int) else None)
        if said.get("did") != self._did:
            return None
        match said.get("kind"):
            case "account" if isinstance(said.get("account"), dict):
                return self._account(said["account"], heard, index)
            case "identity":
                return self._identity(heard)
            case "commit" if isinstance(said.get("commit"), dict):
                act = said["commit"]
                place = Uri(self._did, str(act.get("collection")), str(act.get("rkey")))
                if act.get("operation") == "delete":
                    self._gone(place, heard, index, f"Jetstream commit {number}: delete")
                else:
                    span = Span(index, 0, len(body))
                    if place.collection in parse.RECORDS and not isinstance(act.get("record"), dict):
                        heard.gaps.append(_untold(place, "its commit came without its record"))
                    self._written(place, act.get("record"), str(act.get("cid")), span, heard)
            case _:
                return None
        return heard if heard.observations or heard.sightings or heard.gaps else None

    # -- what was told ---------------------------------------------------------------------------------------

    def _written(self, place: Uri, record: object, link: str, span: Span, heard: Heard) -> None:
        if not isinstance(record, dict):
            return
        if place.collection == parse.PROFILE:
            self._name = _name(record)
        whose = Whose(did=self._did, author=self._who.author(self._name), pds=self._who.pds)
        seen = parse.of_repository(place, record, link, whose, (span,))
        if seen is not None:
            heard.observations.append(seen)

    def _gone(self, place: Uri, heard: Heard, index: int, reason: str) -> None:
        if place.collection in parse.RECORDS:
            heard.sightings.append(
                Sighting(native_id=str(place), state=State.GONE, exchange=index, reason=reason)
            )

    def _account(self, said: Mapping[str, Any], heard: Heard, index: int) -> Heard:
        """That the account is shown, or is not, or is no more; what a server cannot follow is hidden by nobody."""
        status = "active" if said.get("active") else str(said.get("status") or "inactive")
        if status in _BEHIND:
            heard.gaps.append(_lost(f"its server tells of the account: {status}; the next pass reads it"))
            return heard
        state = {"active": State.PRESENT, "deleted": State.GONE}.get(status, State.HIDDEN)
        heard.sightings.append(
            Sighting(native_id=self._did, state=state, exchange=index, reason=f"#account: {status}")
        )
        return heard

    def _identity(self, heard: Heard) -> Heard:
        """That the account's document changed: it is asked for anew."""
        self._who = self._network.identity(self._did)
        whole = self._asking.whole(self._asking.last)
        heard.observations.append(identity.observation(self._who, [whole], handle=self._who.handle))
        return heard


@dataclass(slots=True)
class Heard:
    """What one message tells of the account."""

    number: int | None
    observations: list[Observation] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def _speaks_to_us(body: bytes) -> bool:
    """Whether a frame is about the stream itself: a word of information, or why it ends."""
    head, _ = cbor.decode_at(body, 0)
    return isinstance(head, dict) and (head.get("op") == -1 or head.get("t") == "#info")


def _number(body: bytes, *, jet: bool) -> int | None:
    """The number of a message that cannot be read otherwise; None where not even that can be."""
    try:
        if jet:
            said: object = parse.answer(body)
        else:
            said, _ = cbor.decode_at(body, cbor.decode_at(body, 0)[1])
    except _STRANGE:
        return None
    number = said.get("time_us" if jet else "seq") if isinstance(said, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _lost(why: str) -> Gap:
    return Gap(what="the stream", why=why)


def _untold(place: Uri, why: str) -> Gap:
    return Gap(what="the stream", why=f"{why}; the next pass reads it", native_id=str(place))


def _name(record: object) -> str | None:
    called = record.get("displayName") if isinstance(record, dict) else None
    return called if isinstance(called, str) and called else None


def _server(written: str) -> str:
    """The address of a server as one to listen to: ws and wss."""
    text = written.rstrip("/")
    if "://" not in text:
        text = "wss://" + text
    parts = urlsplit(text)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConnectorError(f"The option jetstream must be the address of a server, not “{written}”.")
    return urlunsplit((scheme, parts.netloc, parts.path.removesuffix("/subscribe"), "", ""))
