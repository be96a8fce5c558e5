"""Reads an account's repository: every record of it, or what changed since a revision. Asks nobody; pure.

A whole repository proves that nothing is missing from it: the commit is signed
over the tree, and every node and record that the tree names has to be in the
file. What changed since a revision proves what is new and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.bluesky import car, parse, repository
from connectors.bluesky.address import POST, Uri
from connectors.bluesky.identity import Identity
from connectors.bluesky.parse import Whose
from connectors.contract import Observation, Span

_LISTED = {parse.BLOCK, parse.LIST_BLOCK, parse.LIST, parse.LIST_ITEM}
"""Collections whose records are told together, so that only the whole repository tells of them."""


@dataclass(slots=True)
class Reading:
    """What a repository, or what changed of it, says."""

    rev: str | None
    whole: bool
    signed: bool | None
    """Whether the commit bears the account's signature; None where its document names no key for that."""
    name: str | None = None
    posts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The account's own posts by record key."""
    hidden: set[str] = field(default_factory=set)
    gates: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The account's threadgates by their addresses."""
    observations: list[Observation] = field(default_factory=list)
    collections: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    """The addresses of records that should make an observation and have another shape."""
    lists: bool = False
    """Whether a block list or another list is among what changed."""
    commit: str | None = None

    def facts(self) -> dict[str, object]:
        """What the repository says of itself, for the account's record."""
        said = {True: "verified", False: "does not verify", None: "the document names no key"}[self.signed]
        return {
            "rev": self.rev,
            "commit": self.commit,
            "signature": said,
            "collections": dict(sorted(self.collections.items())) if self.whole else None,
        }


def read(
    body: bytes, exchange: int, who: Identity, name: str | None = None, *, whole: bool = True
) -> Reading:
    """Read a file of blocks; `NotCar` where it is damaged, or not whole although it should be.

    `name` is what the account called itself when that was read last.
    """
    file = car.read(body)
    if not file.blocks and not whole:
        return Reading(None, whole=False, signed=None, name=name)
    commit = repository.commit(file)
    if commit.did != who.did:
        raise car.NotCar(f"It is the repository of {commit.did}, not of {who.did}.")
    signed = None if who.key is None else who.key.signed(commit)
    told = Reading(commit.rev, whole=whole, signed=signed, name=name, commit=file.root.text)
    found: list[tuple[Uri, Mapping[str, Any], str, Span]] = []
    for path, link in repository.records(file, commit.data, changes=not whole):
        collection, _, rkey = path.partition("/")
        told.collections[collection] += 1
        if collection in _READ:
            block = file.blocks[link]
            record = file.value(link)
            place = Uri(who.did, collection, rkey)
            if isinstance(record, dict):
                found.append((place, record, link.text, Span(exchange, block.start, block.end)))
            else:
                told.unread.append(str(place))
    _tell(told, found, who)
    return told


_READ = parse.RECORDS | _LISTED


def _tell(told: Reading, found: Sequence[tuple[Uri, Mapping[str, Any], str, Span]], who: Identity) -> None:
    for place, record, _, _ in found:
        if place.collection == parse.PROFILE and place.rkey == "self":
            called = record.get("displayName")
            told.name = called if isinstance(called, str) and called else None
        elif place.collection == parse.THREADGATE:
            told.hidden |= set(parse.hidden_by(record))
            told.gates[str(place)] = record
        elif place.collection == POST:
            told.posts[place.rkey] = record
        told.lists = told.lists or place.collection in _LISTED
    whose = Whose(did=who.did, author=who.author(told.name), pds=who.pds)
    for place, record, link, span in found:
        if place.collection in _LISTED:
            continue
        seen = parse.of_repository(place, record, link, whose, (span,))
        if seen is None:
            told.unread.append(str(place))
            continue
        told.observations.append(
            replace(seen, extra={**seen.extra, **_signature(told)})
            if place.collection == parse.PROFILE
            else seen
        )
    if told.whole:
        told.observations += _lists(found, whose)


def _signature(told: Reading) -> dict[str, object]:
    return {"signature": told.facts()["signature"], "rev": told.rev}


def _lists(found: Sequence[tuple[Uri, Mapping[str, Any], str, Span]], whose: Whose) -> list[Observation]:
    """The accounts that the page blocks, and each of its lists with those that are on it."""
    blocked: dict[str, list[tuple[str, Span]]] = {}
    lists: dict[str, list[tuple[str, Span]]] = {}
    for place, record, _, span in found:
        subject = str(record.get("subject", ""))
        if place.collection in {parse.BLOCK, parse.LIST_BLOCK}:
            blocked.setdefault(place.collection, []).append((subject, span))
        elif place.collection == parse.LIST:
            said = [record.get("name"), record.get("purpose"), record.get("description")]
            words = "\n".join(one for one in said if isinstance(one, str) and one)
            lists.setdefault(str(place), []).insert(0, (words, span))
        elif place.collection == parse.LIST_ITEM:
            lists.setdefault(str(record.get("list", "")), []).append((subject, span))
    told = [parse.listed(collection, items, whose) for collection, items in blocked.items()]
    return told + [parse.listed(parse.LIST, items, whose, name) for name, items in lists.items() if name]


def published(record: Mapping[str, Any]) -> datetime | None:
    """When a record says that it was published."""
    return parse.moment(record.get("createdAt"))
