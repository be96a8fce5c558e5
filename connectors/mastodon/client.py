"""Asks a Mastodon server what an account shows, and as its owner also what only the owner sees.

Four things about Mastodon decide how it is asked:

Ids are the order. Statuses are read upwards by `min_id`, so that what is
removed or added meanwhile shifts nothing, and only an empty answer ends them.
Mastodon's ids hold the time, so a pass over a span of time begins at its
beginning; a server that numbers otherwise is read from the start.

What answers a status is shown by its `context`, which is asked for where
answers are counted, and where the account itself answers somebody: what it
answers then stands above. The server counts only what it has been sent by
others.

An edited status tells when, and its earlier texts are asked for. They are
given as `extra.edits`, oldest first, each with its time, and not as
observations of their own: the archive compares an observation with the newest
version it holds, and old texts observed again would look like a status edited
back and forth. Every edit also changes `edited_at` and so makes a version,
which carries the texts that led to it.

"Not found" is the answer for what was deleted and for what is not shown to
the one who asks: somebody who blocks the page looks deleted to it. What is
missing is therefore asked for once more without the token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import (
    Batch,
    Client,
    Cursor,
    Finding,
    Kind,
    Listing,
    Manifest,
    OAuth2,
    Page,
    Sighting,
    State,
)
from connectors.errors import AccessRevoked
from connectors.mastodon import checking, parse, server, threads
from connectors.mastodon.asking import Asking, NotGiven, lacking
from connectors.mastodon.listening import Listening
from connectors.mastodon.place import Place
from connectors.mastodon.walking import Pass, thread_of

_SCOPES = (
    "read:accounts",
    "read:statuses",
    "read:notifications",
    "read:filters",
    "read:blocks",
    "read:mutes",
)


_OTHERWISE = "200, and the server tells of it in another shape"


class Mastodon:
    """An account on a Mastodon server. `secret`, where the page is connected: `access_token`."""

    manifest: ClassVar[Manifest] = Manifest(
        name="mastodon",
        title="Mastodon",
        platform="mastodon",
        route="api",
        captures={
            "profile": "name, introduction, fields, both pictures; where the account itself is connected, its "
            "settings, word filters, blocked and muted accounts and blocked servers",
            "posts": "every status and boost, with media, polls and content warnings, at every pass",
            "comments": "what answers a status, at any depth, as far as the server was sent it; what the account "
            "itself answers; where it is connected, every status that names it",
            "edits": "by the time of the last edit; earlier texts from the status's own history",
            "deletions": "missing from the listing or thread, then asked for by id: the server itself answers that "
            "it has no such status; at once where the server streams",
            "hidden": "where the account itself is connected: what only its followers see",
            "messages": "where the account itself is connected: statuses to named people, in both directions, also in "
            "conversations that it has muted",
        },
        blind_spots=(
            "Answers on other servers that this server was never sent.",
            (
                "New answers to what others said below an answer that was deleted: no thread leads there. What answers "
                "the account itself there is read."
            ),
            (
                "Without credentials: answers beyond the first 60 of a thread, what stands more than 40 above an "
                "answer, messages, what is for followers only, and who names the account elsewhere."
            ),
            "With credentials: answers beyond the 4,096 that a server shows of one thread.",
            (
                "Whether a message was deleted or its sender blocks the page: the server answers both alike. It "
                "stays absent, unless the server's stream told of its deletion."
            ),
            (
                "Whether a status that nobody is shown was deleted by its writer, by the server's moderators, or "
                "with the account."
            ),
            "What was published and deleted again, or who was filtered or blocked for a while, between two passes.",
            (
                "In a pass over a span of time: answers to statuses that are more than a week older than the span "
                "(option `answered_within`), unless they answer the account and it is connected. They are seen when "
                "the older status is observed again."
            ),
            (
                "Mentions whose notification the owner has dismissed before the first pass; on servers that list no "
                "conversations, messages too."
            ),
            "Scheduled and unpublished statuses, lists, bookmarks, favourites, and who followed whom.",
            "How many read a status: Mastodon does not count it.",
        ),
        needs=(
            "Nothing for what is public, on a server that shows it to everybody.",
            f"For the rest: the account itself signs in and permits {', '.join(_SCOPES)}.",
        ),
        options={
            "answers": "all: ask for the answers of every status, also where the server counts none (default: only "
            "where it counts some; for servers whose counts are wrong)",
            "answered_within": "how many days before its span a pass over a span of time still asks what answers a "
            "status (default 7)",
        },
        api_version="v1, v2 for filters (Mastodon 4)",
        legal_basis="The account is the agency's own. Words of others are captured where they answer or name it.",
        narrows=True,
        sign_in=OAuth2(
            authorise_at="{origin}/oauth/authorize",
            token_at="{origin}/oauth/token",  # noqa: S106 - an address, not a token
            scopes=_SCOPES,
            register_at="{origin}/api/v1/apps",
            revoke_at="{origin}/oauth/revoke",
            steps=(
                "Give the page's address as it stands in a browser: https://town.example/@police.",
                "Sign in on that server as the account itself, not as a person who manages it.",
                "Permit reading. Muniment asks for nothing that could publish, follow or block.",
            ),
        ),
    )

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret = http, secret

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the account once: its introduction and lists, its statuses with what answers them, who names it."""
        asking, acct = server.arrive(self._http, self._secret, page)
        with asking:
            yield from Pass(asking, acct, page, Place.read(since)).run()

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each item by its id; what cannot be asked for by id (the lists of blocked accounts) is left out."""
        asking, _ = server.arrive(self._http, self._secret, page)
        kinds = {native_id: kind for kind, native_id in native_ids}
        with asking:
            for native_id in kinds:
                told = asking.standing([native_id], lambda some: _told(asking, kinds[some[0]], some[0]))
                if told:
                    yield asking.batch(Place().cursor(), sightings=told)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: server, account, token, and each permission."""
        asking, acct = server.arrive(self._http, self._secret, page)
        with asking:
            yield from checking.findings(asking, acct)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one status again with everything that answers it, and what it answers."""
        name, _, identity = root.partition(":")
        if name != "status" or not identity:
            return
        asking, acct = server.arrive(self._http, self._secret, page)
        with asking:
            try:
                account = asking.one("/api/v1/accounts/lookup", parse.Account, {"acct": acct}).what.id
            except NotGiven as refused:
                raise server.no_such(asking, acct, refused) from refused
            yield from asking.one_family(root, _family(asking, account, identity), Place().cursor())

    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:  # noqa: ARG002 -- Mastodon's stream cannot be taken up where it broke off
        """Be told as things happen: new statuses and answers, edits, deletions. The account must be connected."""
        asking, acct = server.arrive(self._http, self._secret, page)
        if not asking.connected:
            raise AccessRevoked(
                "Mastodon tells only those who sign in. Connect the page with the account itself."
            )
        yield from Listening(self._http, asking, acct).run()


def _told(asking: Asking, kind: Kind, native_id: str) -> list[Sighting]:
    told = _standing(asking, kind, native_id)
    return [] if told is None else [told]


def _family(asking: Asking, account: str, identity: str) -> Iterator[Batch]:
    """One status with everything that answers it, and what it answers."""
    nothing, began = Place().cursor(), asking.now()
    try:
        seen = asking.one(f"/api/v1/statuses/{identity}", parse.Status)
        thread = threads.read(asking, identity, seen.what.replies_count)
    except NotGiven as refused:
        if refused.lacks_permission:
            raise lacking(asking.origin, "statuses", "read:statuses", refused) from refused
        told = _standing(asking, Kind.POST, f"status:{identity}")
        yield asking.batch(nothing, sightings=[told] if told else [])
        return
    exchange = asking.last
    observed, gaps = thread_of(asking, account, thread, seen)
    listings = [
        Listing(
            kinds=[Kind.COMMENT, Kind.REPLY],
            began_at=began,
            exchange=exchange,
            in_reply_to=f"status:{one}",
        )
        for one in sorted(thread.complete, key=parse.order)
    ]
    yield asking.batch(nothing, observed, listings=listings, gaps=gaps)


def _standing(asking: Asking, kind: Kind, native_id: str) -> Sighting | None:
    """How one item stands, by the platform's own answer; None for what has no address of its own."""
    name, _, identity = native_id.partition(":")
    if not identity or name not in {"status", "account", "filter"}:
        return None
    if name == "status":
        return _standing_status(asking, kind, native_id, identity)
    if name == "filter" and not asking.connected:
        return None
    path = f"/api/v1/accounts/{identity}" if name == "account" else f"/api/v2/filters/{identity}"
    try:
        told = asking.stands(path)
    except NotGiven as refused:
        state = State.GONE if refused.not_found else State.UNKNOWN
        return _sighting(asking, native_id, state, str(refused))
    if told is None or str(told.id) != identity:
        return _sighting(asking, native_id, State.UNKNOWN, _OTHERWISE)
    if told.suspended:
        return _sighting(asking, native_id, State.HIDDEN, "200 suspended")
    return _sighting(asking, native_id, State.PRESENT, "200")


def _standing_status(asking: Asking, kind: Kind, native_id: str, identity: str) -> Sighting | None:
    if kind is Kind.MESSAGE and not asking.connected:
        return None
    path = f"/api/v1/statuses/{identity}"
    try:
        found = asking.stands(path)
        if found is None or str(found.id) != identity:
            return _sighting(asking, native_id, State.UNKNOWN, _OTHERWISE)
        hidden = kind is not Kind.MESSAGE and found.visibility not in parse.TO_EVERYBODY
        return _sighting(
            asking, native_id, State.HIDDEN if hidden else State.PRESENT, f"200 {found.visibility}"
        )
    except NotGiven as refused:
        first, exchange, missing = str(refused), asking.last, refused.not_found
    if not missing:
        return Sighting(native_id=native_id, state=State.UNKNOWN, exchange=exchange, reason=first)
    if kind is Kind.MESSAGE:
        why = f"{first}: deleted, or its sender no longer shows it to the page"
        return Sighting(native_id=native_id, state=State.UNKNOWN, exchange=exchange, reason=why)
    if asking.connected:
        try:
            if asking.stands(path, openly=True) is None:
                return _sighting(asking, native_id, State.UNKNOWN, _OTHERWISE)
            return _sighting(asking, native_id, State.PRESENT, "200 for anybody, though not for the page")
        except (NotGiven, AccessRevoked):
            """Nobody is shown it; or only those who sign in are shown anything, and we are not."""
    return Sighting(native_id=native_id, state=State.GONE, exchange=exchange, reason=first)


def _sighting(asking: Asking, native_id: str, state: State, reason: str) -> Sighting:
    return Sighting(native_id=native_id, state=state, exchange=asking.last, reason=reason)
