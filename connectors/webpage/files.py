"""Fetches the files that a page shows, and knows them again by what they hold.

A file's id is what it holds: SHA-256 of its bytes. So the same picture under
another address, with another parameter against caches or on another host, is
no edit, and another picture under the same address is one. A file that could
not be had this time keeps the id that it had last time; one that could not be
had when it was first named is known by its address until it changes. One that differs
between two answers given one right after the other (a camera, a tracking
pixel) is known by its address alone.

A page that did not change asks only whether its files did. An answer is handed
over once, with the page for which it was asked: the bytes that a record keeps
go with it when it is disposed of. So a file that several pages show is asked
for by each whose record lacks it, and by none that has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from connectors import in_place
from connectors.contract import Attachment, Exchange, Gap
from connectors.errors import AccessRevoked, AddressRefused, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.webpage import places, styles
from connectors.webpage.asking import Asking
from connectors.webpage.place import Kept, Place
from connectors.webpage.reading import File

_BROKEN = frozenset({404, 410})
_TAKEN = (401, 403, 404, 410, 451, 500, 501)
"""Answers of one file that are no reason to end the pass; throttling and outages of the site itself are."""
_THROTTLED = 429

_WEB_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_MESSAGES = frozenset({"application/json", "application/problem+json", "text/json"})
_SHOWN = {"picture": "image/*", "style": "text/css", "font": "font/*", "script": "text/javascript"}
"""What is shown in such a part, where nothing tells more of it."""

MOST = 400
"""Files of one page that are fetched at most."""
MOST_BYTES = 96 * 1024 * 1024
"""Bytes of one page's files that are fetched at most: beyond, they are left to be fetched one by one."""
_MOST_HELD = 64 * 1024 * 1024
_STYLES_DEEP = 3
_MADE_ANEW = frozenset({"picture", "document"})
"""What programs behind a site make as they are asked: counters, cameras, agendas with the time of printing."""
_TYPED = {"style": "css", "font": "font"}
"""What stands in the type of such a file, where its server tells any."""
_MAY_BE_EMPTY = frozenset({"style", "script", "frame"})
LATE = "not had yet"
"""In place of a digest: the file was named, and never had so far."""


@dataclass(slots=True)
class Got:
    """A file as this pass met it. `exchange` is None where only its being unchanged was asked.

    `fresh`: it holds something else than at the last pass, or was not known then.
    """

    kept: Kept
    exchange: Exchange | None = None
    broken: bool = False
    fresh: bool = False

    def serves(self, asking: Asking, *, all_bytes: bool, captured: bool) -> bool:
        """Whether a page needs no answer of its own: it has this one, or had the same file when it was captured before."""
        if self.broken:
            return True
        if self.exchange is None:
            return not all_bytes
        return (captured and not self.fresh) or any(one is self.exchange for one in asking.exchanges)


@dataclass(slots=True)
class Shown:
    """The files of one page: in their order, what of them is broken, and what could not be had."""

    attachments: list[Attachment] = field(default_factory=list)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    unfetched: bool = False
    """Whether some file is known to be unchanged, and its bytes are not at hand."""
    broken: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    all_told: bool = True
    """False where a style sheet was never had: nobody knows which files it names."""


class Files:
    """The files of one site in one pass."""

    def __init__(self, place: Place, site: str) -> None:
        self._place, self._site = place, site
        self._met: dict[str, Got] = {}
        self._held = 0
        self._shut: set[str] = set()
        self._not_had: dict[str, _NotHad] = {}

    def of(
        self, asking: Asking, listed: Sequence[File], native_id: str, *, all_bytes: bool, captured: bool
    ) -> Shown:
        """Fetch what a page shows; without `all_bytes` unchanged files are not transferred again.

        `captured`: the page was captured by an earlier pass, and its record has the files that did not change since.
        """
        shown = Shown()
        ids: set[str] = set()
        waiting = [(file, 0) for file in reversed(listed)]
        seen: set[str] = set()
        spent = 0
        while waiting:
            file, deep = waiting.pop()
            if file.address in seen:
                continue
            seen.add(file.address)
            if len(seen) > MOST:
                shown.gaps.append(
                    Gap(
                        what="files of a page",
                        why=f"it shows more than {MOST}; the others were not fetched",
                        native_id=native_id,
                    )
                )
                break
            if file.role == "medium" or spent > MOST_BYTES:
                # Sound and film are streamed by the archive, which can keep what is too large to be held here.
                self._add(shown, ids, _by_address(file, ""))
                continue
            got = self._get(asking, file, native_id, shown, all_bytes=all_bytes, captured=captured)
            if got is None:
                continue
            spent += got.kept.size
            if got.exchange is not None:
                shown.exchanges[file.address] = got.exchange
                for other in file.instead:
                    shown.exchanges.setdefault(other, got.exchange)
            elif got.kept.digest:
                shown.unfetched = True
            self._add(shown, ids, _attachment(file, got))
            shown.all_told &= file.role != "style" or bool(got.kept.digest) or got.kept.heavy
            if file.role == "style" and deep < _STYLES_DEEP:
                waiting += [(_named(address), deep + 1) for address in reversed(got.kept.names)]
        return shown

    def _add(self, shown: Shown, ids: set[str], attachment: Attachment) -> None:
        if attachment.id not in ids:
            ids.add(attachment.id)
            shown.attachments.append(attachment)

    def _get(
        self,
        asking: Asking,
        file: File,
        native_id: str,
        shown: Shown,
        *,
        all_bytes: bool,
        captured: bool,
    ) -> Got | None:
        known = self._place.files.get(file.address)
        met = self._met.get(file.address)
        fresh = met is not None and met.fresh
        if met is not None and met.serves(asking, all_bytes=all_bytes, captured=captured):
            if met.broken:
                shown.broken.append(file.address)
                return None
            return met
        if known is not None and known.heavy:
            return Got(known)
        try:
            if file.address in self._not_had:
                raise self._not_had[file.address]
            got = self._ask(asking, file, None if all_bytes or fresh else known, known)
        except _NotHad as fault:
            self._not_had[file.address] = fault
            shown.gaps.append(
                Gap(what=f"a file of the page: {file.address}", why=str(fault), native_id=native_id)
            )
            if fault.heavy:
                self._place.remember(file.address, Kept(heavy=True))
                return Got(Kept(heavy=True))
            if known is None:
                self._place.remember(file.address, Kept(late=LATE))
            elif known.broken:
                shown.broken.append(file.address)
                return None
            return Got(known or Kept())
        if got.broken:
            self._met[file.address] = got
            self._place.remember(file.address, got.kept)
            shown.broken.append(file.address)
            return None
        got.fresh = fresh or known is None or known.digest != got.kept.digest
        if known is not None and known.late in {LATE, got.kept.digest}:
            got.kept.late = got.kept.digest
        self._place.remember(file.address, got.kept)
        self._hold(file.address, got)
        return got

    def _ask(self, asking: Asking, file: File, asked: Kept | None, known: Kept | None) -> Got:
        exchange = self._exchange(asking, file.address, asked)
        if exchange.status == 304 and known is not None and _validators(asked):
            return Got(known)
        try:
            kept = _kept(file, exchange, known)
        except _NotHad as fault:
            if not fault.stumbled:
                raise
            if fault.missing and known is not None and known.broken:
                return _none_such()
            got = self._once_more(asking, file, known, fault)
            if got.exchange is None:
                return got
            exchange, kept = got.exchange, got.kept
        unmet = known is None or known.broken
        if unmet and _may_be_another(file, kept):
            return self._first_met(asking, file, Got(kept, exchange))
        if known is None or not known.digest or known.digest == kept.digest:
            return Got(kept, exchange)
        if known.varies:
            kept.varies = True
            return Got(kept, exchange)
        return self._settled(asking, file, Got(kept, exchange), known)

    def _once_more(self, asking: Asking, file: File, known: Kept | None, fault: _NotHad) -> Got:
        """Ask again at once for a file in whose place something else came, or of which there was said to be none.

        One answer that stumbled costs no file, and only what is said twice is believed.
        """
        exchange = self._exchange(asking, file.address, None)
        try:
            return Got(_kept(file, exchange, known), exchange)
        except _NotHad as again:
            if fault.missing and again.missing:
                return _none_such()
            if again.missing or not again.stumbled:
                raise _NotHad("something else came in its place, and then nothing") from again
            raise

    def _first_met(self, asking: Asking, file: File, first: Got) -> Got:
        """Ask again for a file that its server gives nothing to know it by: one that is made at every look varies from the first.

        Else the second night would take for an edit what nobody wrote. What
        comes a second time was the file, and the other answer a stumble.
        """
        met = {first.kept.digest: first}
        for _ in range(2):
            try:
                again = self._exchange(asking, file.address, None)
                kept = _kept(file, again, None)
            except _NotHad:
                break  # it was had a moment ago, and the next pass sees whether it varies
            if kept.digest in met:
                return met[kept.digest]
            if _is_no_such_file(kept, first.kept):
                break
            met[kept.digest] = Got(kept, again)
        first.kept.varies = len(met) > 2
        return first

    def _settled(self, asking: Asking, file: File, first: Got, known: Kept) -> Got:
        """Ask again for a file that is not as it was: what differs the very next moment varies.

        Unless one of the two answers is the file as it was, or only one could
        be the file at all: then it is that one, and the other was a stumble.
        """
        again = self._exchange(asking, file.address, None)
        try:
            second = Got(_kept(file, again, known), again)
        except _NotHad as fault:
            if _is_no_such_file(first.kept, known):
                raise _NotHad("something else came in its place, and then nothing") from fault
            return first
        if second.kept.digest == first.kept.digest:
            return first
        if second.kept.digest == known.digest:
            return second
        stumbled = [_is_no_such_file(one.kept, known) for one in (first, second)]
        if stumbled[0] != stumbled[1]:
            return second if stumbled[0] else first
        first.kept.varies = True
        return first

    def _exchange(self, asking: Asking, address: str, asked: Kept | None) -> Exchange:
        if places.host(address) in self._shut:
            raise _NotHad("its host does not answer at present")
        try:
            return asking.file(address, _TAKEN, _validators(asked))
        except UnexpectedResponse as fault:
            asking.exchanges += [one for one in fault.exchanges if one.truncated != "length"]
            heavy = any(one.truncated == "length" for one in fault.exchanges)
            told = " It is fetched by itself, and no rendition shows it." if heavy else ""
            raise _NotHad(f"{fault}{told}", heavy=heavy) from fault
        except AddressRefused as fault:
            asking.exchanges += fault.exchanges
            raise _NotHad(str(fault)) from fault
        except TryAgainLater as fault:
            if places.same_site(address, self._site):
                self._only_this_one(asking, fault)
            else:
                self._shut.add(places.host(address))
            asking.exchanges += [
                one for one in fault.exchanges if all(one is not kept for kept in asking.exchanges)
            ]
            raise _NotHad(str(fault)) from fault

    def _only_this_one(self, asking: Asking, fault: TryAgainLater) -> None:
        """Raise `fault` unless the site answers otherwise: one file that always fails must not end every pass.

        A throttle speaks for the whole site. Asked is an address where nothing
        stands: its answer belongs to no record, and shows nobody's comments.
        """
        if any(one.status == _THROTTLED for one in fault.exchanges):
            raise fault
        nowhere = (
            f"{places.front(self._site)}no-such-page-{hashlib.sha256(self._site.encode()).hexdigest()[:16]}"
        )
        try:
            asking.page(nowhere, _TAKEN)
        except AccessRevoked:
            return
        except ConnectorError as again:
            asking.exchanges += [
                one for one in again.exchanges if all(one is not kept for kept in asking.exchanges)
            ]
            raise fault from again

    def _hold(self, address: str, got: Got) -> None:
        """Hold a file's bytes for the other pages of the site; the first ones make room."""
        before = self._met.pop(address, None)
        self._held -= len(before.exchange.body) if before is not None and before.exchange is not None else 0
        self._met[address] = got
        self._held += len(got.exchange.body) if got.exchange is not None else 0
        for other in list(self._met):
            if self._held <= _MOST_HELD or other == address:
                break
            dropped = self._met.pop(other)
            self._held -= len(dropped.exchange.body) if dropped.exchange is not None else 0


class _NotHad(Exception):
    """One file could not be had, and why.

    `heavy`: it is larger than an answer may be. `stumbled`: an answer came that
    another one may set right at once; `missing`: it says that there is no such file.
    """

    def __init__(
        self, why: str, *, heavy: bool = False, stumbled: bool = False, missing: bool = False
    ) -> None:
        super().__init__(why)
        self.heavy, self.stumbled, self.missing = heavy, stumbled, missing


def _validators(asked: Kept | None) -> dict[str, str]:
    """How to ask whether a file changed; nothing where it is asked for whatever became of it."""
    if asked is None or not asked.digest:
        return {}
    if asked.etag:
        return {"If-None-Match": asked.etag}
    return {"If-Modified-Since": asked.modified} if asked.modified else {}


def contents(exchange: Exchange) -> str:
    """What names the bytes of an exchange's body, for whoever keeps them: `sha256:` and their digest in hex."""
    return f"sha256:{hashlib.sha256(exchange.body).hexdigest()}"


def _none_such() -> Got:
    return Got(Kept(broken=True), broken=True)


def _kept(file: File, exchange: Exchange, known: Kept | None) -> Kept:
    """What an answer holds, if it can be the file."""
    if exchange.status != 200:
        missing = exchange.status in _BROKEN
        said = f"the answer is {exchange.status} {exchange.reason}".rstrip()
        raise _NotHad(said, stumbled=missing or exchange.status < 400, missing=missing)
    try:
        body = decoded(exchange)
    except UnexpectedResponse as fault:
        raise _NotHad(str(fault), stumbled=True) from fault
    media_type = (exchange.header("Content-Type") or "").partition(";")[0].strip().lower()
    if other := _other(file, known, media_type, body):
        raise _NotHad(f"{other} came in its place", stumbled=True)
    return Kept(
        digest=hashlib.sha256(body).hexdigest(),
        size=len(body),
        media_type=media_type,
        etag=exchange.header("ETag") or "",
        modified=exchange.header("Last-Modified") or "",
        names=styles.named(body.decode("utf-8", "replace"), _whence(file, exchange))
        if file.role == "style"
        else [],
    )


def _other(file: File, known: Kept | None, media_type: str, body: bytes) -> str:
    """What came in the place of a file; empty where it may be the file itself."""
    asked = in_place.expected(known.media_type if known is not None else "", file.address)
    if not asked:
        asked = _SHOWN.get(file.role, media_type)
    if not body and file.role not in _MAY_BE_EMPTY:
        return "nothing"
    if media_type in _WEB_PAGES and (
        file.role not in {"document", "frame"} or places.is_document(file.address) or asked not in _WEB_PAGES
    ):
        return "a web page"
    if media_type in _MESSAGES and file.role in _SHOWN and "json" not in asked:
        return "a message of a program"
    return in_place.stands_in(body, asked)


def _may_be_another(file: File, kept: Kept) -> bool:
    """Whether a file that is met first may be another one the next moment: made anew, or a stumble."""
    told = _TYPED.get(file.role, "") in kept.media_type
    return not kept.size or not told or (file.role in _MADE_ANEW and not (kept.etag or kept.modified))


def _whence(file: File, exchange: Exchange) -> str:
    """Where the references of a style sheet count from: where it stands, after redirects."""
    return file.address if "[[" in exchange.url else exchange.url


def _is_no_such_file(came: Kept, known: Kept) -> bool:
    """Whether nothing, or a web page, came in the place of a file that was something else."""
    page_came = came.media_type in _WEB_PAGES and known.media_type not in _WEB_PAGES
    return page_came or (came.size == 0 and known.size > 0)


def _attachment(file: File, got: Got) -> Attachment:
    kept = got.kept
    if not kept.digest or kept.varies:
        return _by_address(file, kept.media_type)
    wire = got.exchange is not None and contents(got.exchange)
    own = f"sha256:{kept.digest}"
    if kept.late == kept.digest:
        return replace(_by_address(file, kept.media_type), path=own if wire in {own, False} else None)
    return Attachment(
        id=own,
        url=file.address,
        media_type=kept.media_type or None,
        path=own if wire in {own, False} else None,
        description=file.description,
    )


def _by_address(file: File, media_type: str) -> Attachment:
    return Attachment(
        id=f"address:{places.file_key(file.address)}",
        url=file.address,
        media_type=media_type or None,
        description=file.description,
    )


def _named(address: str) -> File:
    path = address.partition("?")[0].lower()
    if path.endswith((".woff", ".woff2", ".ttf", ".otf", ".eot")):
        return File(address, "font")
    return File(address, "style" if path.endswith(".css") else "picture")
