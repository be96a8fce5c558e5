"""What an account's own people see besides: whom and what it mutes, what mentions it, and its direct messages.

A page is read without credentials. With an app password the account's own
server opens a session, and passes questions on to the app view and to the
service for messages. Sessions are few: a server grants some hundred a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors import spans
from connectors.bluesky import address, parse
from connectors.bluesky.asking import Asking, NotGiven, patient, refused, revoked
from connectors.bluesky.parse import Whose
from connectors.contract import Author, Client, Exchange, Gap, Kind, Observation, Sighting, Span, State
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.failing import AGAIN

PREFERENCES = "#preferences"
"""Behind the DID: the native id of the account's own word filters and settings."""

MUTES = "#mutes"

_BROKEN = 500
_CHAT = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}
_PAGE = "100"
_DIRECT = "direct messages"
_NAMELESS = "bears no id by which it could be kept; every later pass asks again"
_FOR_MESSAGES = " Make an app password that allows access to direct messages."
_OVERLAP = timedelta(days=2)
"""How far before the newest notification of the last pass its successor reads again."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one question to the account's own view showed."""

    observations: Sequence[Observation] = ()
    sightings: Sequence[Sighting] = ()
    gaps: Sequence[Gap] = ()
    noted: str | None = None
    roots: Sequence[str] = ()
    """Posts of the page's own below which something was answered."""


class Account:
    """One session of the account that a page is."""

    def __init__(self, asking: Asking, server: str, whose: Whose, token: str) -> None:
        self._asking, self._server, self._whose = asking, server, whose
        self._headers = {"Authorization": f"Bearer {token}"}

    @staticmethod
    def sign_in(asking: Asking, server: str, whose: Whose, secret: Mapping[str, str]) -> Account:
        """Open a session; `AccessRevoked` where the server does not accept the password, or it is another account's."""
        http: Client = asking.http
        try:
            exchange = http.post(
                f"{server}/xrpc/com.atproto.server.createSession",
                json={"identifier": whose.did, "password": secret["app_password"]},
                accept=(400, 401, 403),
            )
        except TryAgainLater as error:
            raise patient(error) from error
        learned = http.learned(exchange)
        asking.taken(exchange)
        if exchange.status != 200:
            raise revoked(refused(exchange), "The app password is not accepted")
        token = learned.get("accessJwt")
        if not token:
            raise UnexpectedResponse(f"{exchange.url} opened no session: its answer names no token.")
        http.keep_secret("accessJwt", token)
        if learned.get("refreshJwt"):
            http.keep_secret("refreshJwt", learned["refreshJwt"])
        did = asking.read(parse.answer, exchange).get("did")
        if did != whose.did:
            raise AccessRevoked(f"The app password is that of {did}, not of the page's account {whose.did}.")
        return Account(asking, server, whose, token)

    def steps(
        self, noted: str | None, hidden: Sequence[str], since: datetime | None = None
    ) -> Iterator[Step]:
        """Everything that only the account's own people see; a gap for what this password does not open.

        Notifications are read back to `noted`, the newest one of the last
        pass, or to `since`, where the pass begins.
        """
        yield from self._offered("word filters and settings", self._preferences())
        yield from self._offered("muted accounts", self._mutes())
        yield from self._offered("mentions", self._notifications(noted, hidden, since))
        yield from self._offered(_DIRECT, self._messages())

    def opens(self) -> Iterator[tuple[str, str | None]]:
        """What the password opens: each thing, and what to do where it does not."""
        for what, method, query, chat in (
            ("word filters and settings", "app.bsky.actor.getPreferences", {}, False),
            ("mentions", "app.bsky.notification.listNotifications", {"limit": "1"}, False),
            (_DIRECT, "chat.bsky.convo.listConvos", {"limit": "1"}, True),
        ):
            try:
                self._ask(method, query, chat=chat)
            except NotGiven as refusal:
                remedy = f"The account's server answers {refusal.reason} {refusal.message}."
                yield what, f"{remedy}{_FOR_MESSAGES if chat else ''}"
            except TryAgainLater as error:
                if not chat:
                    raise
                self._asking.failed(error)
                yield what, f"{error} Check again later."
            else:
                yield what, None

    def _offered(self, what: str, steps: Iterator[Step]) -> Iterator[Step]:
        try:
            yield from steps
        except NotGiven as refusal:
            if refusal.error in {"AuthMissing", "ExpiredToken", "AccountTakedown"}:
                raise revoked(refusal, "The session is not accepted") from None
            remedy = _FOR_MESSAGES if what == _DIRECT else ""
            why = f"the account's server answers {refusal.reason} {refusal.message}.{remedy}"
            yield Step(gaps=[Gap(what=what, why=why)])
        except (TryAgainLater, UnexpectedResponse) as error:
            if what != _DIRECT or not self._is_down(error):
                raise
            # Messages are a service of their own: that it is down keeps nobody from reading the rest.
            self._asking.failed(error)
            yield Step(gaps=[Gap(what=what, why=str(error))])

    def _is_down(self, error: TryAgainLater | UnexpectedResponse) -> bool:
        if isinstance(error, UnexpectedResponse):
            return self._asking.is_apart(error)
        return error.exchanges[-1].status >= _BROKEN

    def _ask(self, method: str, query: Mapping[str, object], *, chat: bool = False) -> Exchange:
        return self._asking.xrpc(self._server, method, query, {**self._headers, **(_CHAT if chat else {})})

    def _preferences(self) -> Iterator[Step]:
        """Muted words, labels and posts: what the account's own people do not get to see."""
        exchange = self._ask("app.bsky.actor.getPreferences", {})
        said = self._asking.read(parse.answer, exchange).get("preferences")
        if not isinstance(said, list):
            raise UnexpectedResponse(f"{exchange.url} names no preferences.")
        words = []
        for one in said:
            read = _filters(one) if isinstance(one, dict) else None
            if read is None:
                # Without it, they would be other filters.
                yield Step(gaps=[self._otherwise(exchange, PREFERENCES)])
                return
            words += read
        yield Step([self._profile(PREFERENCES, sorted(words), [self._asking.whole(self._asking.last)])])

    def _mutes(self) -> Iterator[Step]:
        """The accounts that the page mutes, as one record."""
        names: list[str] = []
        shown: list[Span] = []
        gaps: list[Gap] = []
        for exchange in self._pages("app.bsky.graph.getMutes", {"limit": _PAGE}):
            for one in self._asking.read(_all, exchange, "mutes"):
                did = one.get("did") if isinstance(one, dict) else None
                if isinstance(did, str) and did:
                    names.append(did)
                else:
                    gaps.append(self._otherwise(exchange, MUTES))
            shown.append(self._asking.whole(self._asking.last))
        if gaps:
            yield Step(gaps=gaps)
            return
        yield Step([self._profile(MUTES, sorted(names), shown)])

    def _notifications(
        self, noted: str | None, hidden: Sequence[str], since: datetime | None
    ) -> Iterator[Step]:
        """Answers, quotations and mentions, newest first, back to what the last pass has read.

        Only the last answer says how far that is: a pass that is broken off on
        the way reads all of them again, and so does each after one in which
        something could not be read.
        """
        last = parse.moment(noted)
        until = since if last is None else last - _OVERLAP
        newest, strange = noted, False
        for exchange in self._pages("app.bsky.notification.listNotifications", {"limit": _PAGE}):
            listed, seen = self._asking.read(_noticed, exchange, self._asking.last, self._whose, hidden)
            strange |= bool(listed.unread)
            told = [one for one in seen if one is not None]
            times = [what.indexed_at for what, _ in listed.items if what.indexed_at]
            newest = max([*times, newest or ""]) or None
            lately = [
                one for one in told if since is None or one.published_at is None or one.published_at >= since
            ]
            roots = sorted({root for one in lately if (root := self._root(one)) is not None})
            gaps = [
                Gap(
                    what="an answer or a mention",
                    why=f"a notification ({what.reason}) tells of it, and it has another shape than a post promises",
                    native_id=what.uri if address.uri(what.uri) is not None else None,
                )
                for (what, _), one in zip(listed.items, seen, strict=True)
                if one is None and what.reason in parse.TOLD_OF
            ]
            gaps += [
                Gap(
                    what="an answer or a mention",
                    why="a notification tells of it, and it has another shape than a notification promises",
                    native_id=name,
                )
                for name in listed.unread
            ]
            oldest = parse.moment(min(times)) if times else None
            reached = until is not None and oldest is not None and oldest < until
            ends = reached or not listed.cursor
            yield Step(told, gaps=gaps, noted=newest if ends and not strange else None, roots=roots)
            if reached:
                return

    def _root(self, item: Observation) -> str | None:
        root = item.extra.get("root") or item.in_reply_to
        own = isinstance(root, str) and root.startswith(f"at://{self._whose.did}/")
        return root if own and isinstance(root, str) else None

    def _messages(self) -> Iterator[Step]:
        """Every conversation, and every message that is in it."""
        convos: dict[str, dict[str, Author]] = {}
        for exchange in self._pages("chat.bsky.convo.listConvos", {"limit": _PAGE}, chat=True):
            for one in self._asking.read(_all, exchange, "convos"):
                named = one.get("id") if isinstance(one, dict) else None
                if isinstance(named, str) and named:
                    convos[named] = _members(one.get("members"))
                else:
                    yield Step(gaps=[Gap(what=f"{_DIRECT} of a conversation", why=f"it {_NAMELESS}")])
        for convo, members in convos.items():
            query = {"convoId": convo, "limit": _PAGE}
            with self._asking.about(f"{_DIRECT} of the conversation {convo}", f"chat:{convo}") as asked:
                for exchange in self._pages("chat.bsky.convo.getMessages", query, chat=True):
                    yield self._asking.read(_said, exchange, self._asking.last, convo, members)
            if asked.gap is not None:
                yield Step(gaps=[asked.gap])

    def _pages(self, method: str, query: Mapping[str, object], *, chat: bool = False) -> Iterator[Exchange]:
        """Every page of a listing; one that names the same next page again has no end, and is an error."""
        passed: set[str] = set()
        asked = dict(query)
        while True:
            exchange = self._ask(method, asked, chat=chat)
            cursor = self._asking.read(parse.answer, exchange).get("cursor")
            yield exchange
            if not isinstance(cursor, str) or not cursor:
                return
            if cursor in passed:
                raise UnexpectedResponse(
                    f"{exchange.url} names the same next page again and again: it has no end."
                )
            passed.add(cursor)
            asked["cursor"] = cursor

    def _otherwise(self, exchange: Exchange, name: str) -> Gap:
        """That a list which is one record has something in it that cannot be read: without it, it would be another list."""
        why = f"{exchange.url}: something in it has another shape than it promises. {AGAIN}"
        return Gap(what="a list that is one record", why=why, native_id=self._whose.did + name)

    def _profile(self, name: str, lines: Sequence[str], evidence: Sequence[Span]) -> Observation:
        return Observation(
            native_id=self._whose.did + name,
            kind=Kind.PROFILE,
            author=self._whose.author,
            text="\n".join(lines),
            evidence=tuple(evidence),
        )


def _all(body: bytes, name: str) -> list[Any]:
    """All that stands in a listing; one that is not told at all is not empty."""
    said = parse.answer(body).get(name)
    if not isinstance(said, list):
        raise parse.Malformed(f"a listing of {name} was expected")
    return said


def _filters(preference: Mapping[str, Any]) -> list[str] | None:
    """The lines of one preference that keep something out of sight; layout and birthdays are none. None where it has another shape."""
    kind = preference.get("$type", "")
    if not isinstance(kind, str):
        return None
    name = "labelers" if kind.endswith("#labelersPref") else "items"
    told = preference.get(name) or []
    match kind.rpartition("#")[2]:
        case "mutedWordsPref" if _are_told(told, "value"):
            return [f"muted word: {one['value']} ({', '.join(_texts(one.get('targets')))})" for one in told]
        case "contentLabelPref":
            return [f"label {preference.get('label')}: {preference.get('visibility')}"]
        case "hiddenPostsPref" if isinstance(told, list) and len(_texts(told)) == len(told):
            return [f"hidden post: {one}" for one in told]
        case "labelersPref" if _are_told(told, "did"):
            return [f"labeler: {one['did']}" for one in told]
        case "mutedWordsPref" | "hiddenPostsPref" | "labelersPref":
            return None
        case _:
            return []


def _are_told(listed: object, name: str) -> bool:
    """Whether it is a list of objects, each with a text of that name."""
    return isinstance(listed, list) and all(
        isinstance(one, dict) and isinstance(one.get(name), str) for one in listed
    )


def _texts(listed: object) -> list[str]:
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def _members(value: object) -> dict[str, Author]:
    found = {}
    for one in _objects(value):
        if isinstance(one.get("did"), str):
            names = [one.get(name) or "" for name in ("handle", "displayName")]
            told = all(isinstance(name, str) for name in names)
            found[one["did"]] = parse.Writer(one["did"], *names).author if told else Author(id=one["did"])
    return found


def _said(body: bytes, exchange: int, convo: str, members: Mapping[str, Author]) -> Step:
    """The messages of one answer, each with its own bytes; one that was deleted is told to be gone, one without an id a gap."""
    whole = parse.answer(body)
    said = whole.get("messages")
    if not isinstance(said, list):
        raise parse.Malformed("a listing of messages was expected")
    places = [(start, end) for start, end, _ in spans.items(body, "messages")]
    observations, sightings, gaps = [], [], []
    for one, (start, end) in zip(said, places, strict=True):
        if not isinstance(one, dict) or not isinstance(one.get("id"), str) or not one["id"]:
            why = f"a message {_NAMELESS}"
            gaps.append(
                Gap(what=f"{_DIRECT} of the conversation {convo}", why=why, native_id=f"chat:{convo}")
            )
            continue
        name = f"chat:{convo}/{one['id']}"
        if str(one.get("$type", "")).endswith("#deletedMessageView"):
            sightings.append(
                Sighting(native_id=name, state=State.GONE, exchange=exchange, reason="deletedMessageView")
            )
            continue
        sender = one.get("sender")
        did = sender.get("did") if isinstance(sender, dict) else "" if sender is None else None
        told = (one.get("text") or "", did, one.get("sentAt") or "")
        if not all(isinstance(part, str) for part in told):
            why = f"it has another shape than a message promises. {AGAIN}"
            gaps.append(Gap(what="a message", why=why, native_id=name))
            continue
        sent = parse.moment(one.get("sentAt"))
        observations.append(
            Observation(
                native_id=name,
                kind=Kind.MESSAGE,
                author=members.get(told[1], Author(id=told[1])) if told[1] else None,
                text=told[0],
                published_at=sent,
                extra={"conversation": convo},
                private=True,
                evidence=(Span(exchange, start, end),),
            )
        )
    return Step(observations, sightings, gaps)


def _noticed(
    body: bytes, exchange: int, whose: Whose, hidden: Sequence[str]
) -> tuple[parse.Listed[tuple[parse.Noticed, Span]], list[Observation | None]]:
    """The notifications of one answer, and what each of them tells of."""
    listed = parse.notices(body, exchange)
    return listed, [_told_of(what, span, whose, hidden) for what, span in listed.items]


def _told_of(what: parse.Noticed, span: Span, whose: Whose, hidden: Sequence[str]) -> Observation | None:
    """What a notification tells of; None where that is no record, or one that bears no address."""
    try:
        return parse.noticed(what, span, whose, hidden)
    except parse.Malformed:
        return None


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
