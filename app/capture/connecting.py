"""Connecting a page by its manager: a link that works once, what it opens, and the way to the platform and back.

The manager has no account here. Whoever has the link can connect the page it
was made for, and nothing else; it ends after seven days or with its use. At a
platform, the person is known again by a state that belongs to this browser,
this page and this minute (RFC 6749, section 10.12), the code by a verifier
that never left the archive (RFC 7636), the server by its name (RFC 9207).

Platforms are asked outside of transactions. What they answer is sealed before
anybody is told that it worked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.capture import applications, credentials, pages
from app.capture.applications import NoApplication
from app.capture.credentials import BY_HAND, OAUTH1, OAUTH2, Terms
from app.db import Tx, from_instant, to_instant
from app.records.errors import Invalid, Refused, Unavailable
from app.records.nouns import Page
from app.store.sealing import seal, unseal
from app.store.store import Store
from app.store.tables import connect_links, connect_visits
from app.store.tables import pages as page_rows
from connectors import oauth1, oauth2
from connectors.contract import ByHand, Finding, Manifest, OAuth1, OAuth2, SignIn
from connectors.errors import AddressRefused, ConnectorError
from connectors.oauth2 import Application
from connectors.tokens import Asks

LINK_PATH = "/connect/"
"""Where a page takes a link; its secret follows."""
RETURN_PATH = "/connect/back"
"""Where platforms lead people back to; operators register it there."""
LASTS = timedelta(days=7)
VISIT_LASTS = timedelta(minutes=30)
_SIGNED_IN_AS = "signed in as "
T = TypeVar("T")


class LinkSpent(Refused):
    """The link was used, has run out, was taken back, or was never made."""

    code = "link-spent"


class NotConnectable(Refused):
    """The page's connector does not say how a manager could connect it."""

    code = "not-connectable"


class FieldMissing(Invalid):
    """Something that is needed to connect the page was left empty."""

    code = "field-missing"


class SignInNotOurs(Refused):
    """What came back from the platform does not belong to a sign-in that was begun in this browser."""

    code = "sign-in-not-ours"


class SignInDeclined(Refused):
    """The platform, or the person there, did not permit the archive what it asked for."""

    code = "sign-in-declined"


class PlatformUnreachable(Unavailable):
    """The platform could not be asked for a token."""

    code = "platform-unreachable"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is handed out, once."""

    page: Page
    email: str
    secret: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link opens: the page, whom it was sent to, by which officer, why, and how the page is connected."""

    page: Page
    email: str
    officer: UUID
    why: str
    until: datetime
    sign_in: SignIn
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Connected:
    """A page that was connected just now, with what a check of it found. `again` is set where it found trouble."""

    page: Page
    findings: Sequence[Finding]
    owner: str | None
    again: Link | None

    @property
    def fine(self) -> bool:
        return all(finding.fine for finding in self.findings)


Check = Callable[[Page], Sequence[Finding]]
"""Asks a page's connector what the connection lacks; empty where it offers no check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where pages are connected. Made by the builder, who hands over the ways to the platforms."""

    store: Store
    asks: Asks
    manifest_of: Callable[[str], Manifest]
    check: Check
    public_url: str
    apps_file: Path | None

    # -- the link ------------------------------------------------------------------------------------------

    def invite(self, page: Page, email: str, *, by: UUID, why: str) -> Link:
        """Make a link that lets one person connect the page; those sent before for this page end.

        Raises `NotConnectable`, or `NoApplication` where the operator has
        something to do first, so that nobody is sent a link that leads nowhere.
        """
        sign_in = self._sign_in(page)
        if isinstance(sign_in, OAuth1) or (isinstance(sign_in, OAuth2) and sign_in.register_at is None):
            self._named(page)
        with self.store.database.begin() as tx:
            self._sweep(tx, page)
            link = self._link(tx, page, email, by, why, self.store.clock.now() + LASTS)
            self.store.ledger.act(
                tx,
                "page",
                by=by,
                why=why,
                facts={"page": page.id.hex, "act": "invited"},
                detail={"name": page.name, "manager": email, "until": link.until.isoformat()},
                subject=page.id,
            )
        return link

    def opened(self, secret: str) -> Opened:
        """What a link opens, or `LinkSpent`. Looking at it does not use it."""
        with self.store.database.read() as tx:
            return self._opened(tx, secret)

    def _opened(self, tx: Tx, secret: str) -> Opened:
        return self._opened_by(tx, _digest(secret))

    def _opened_by(self, tx: Tx, digest: bytes) -> Opened:
        row = tx.execute(
            select(connect_links, page_rows.c.id.label("page_id"))
            .join(page_rows, page_rows.c.key == connect_links.c.page)
            .where(connect_links.c.digest == digest)
        ).one_or_none()
        if row is None or row.used_at is not None or to_instant(self.store.clock.now()) >= row.until:
            raise _spent(row)
        page = pages.get(tx, bytes(row.page_id).hex())
        told = self._unsealed(page, b"connect/link", row.sealed)
        return Opened(
            page=page,
            email=told["email"],
            officer=UUID(bytes=bytes(row.officer)),
            why=told["why"],
            until=from_instant(row.until),
            sign_in=self._sign_in(page),
            manifest=self.manifest_of(page.connector),
        )

    # -- by hand -------------------------------------------------------------------------------------------

    def fill_in(self, secret: str, given: Mapping[str, str], *, until: datetime | None = None) -> Connected:
        """Connect a page with what its manager entered; the link is used with it."""
        with self.store.database.begin() as tx:
            opened = self._opened(tx, secret)
            if not isinstance(opened.sign_in, ByHand):
                raise NotConnectable(
                    f"{opened.page.name} is connected by signing in at {opened.page.platform}",
                    next="Open the link again and follow it there.",
                )
            found = filled(opened.sign_in, given)
            self._spend(tx, secret)
            terms = Terms(how=BY_HAND, manager=opened.email, stated_until=until)
            page = pages.connect(self.store, tx, opened.page, found, by=None, why=opened.why, terms=terms)
        return self._checked(page, opened)

    # -- at the platform and back --------------------------------------------------------------------------

    def leave(self, secret: str, *, browser: str) -> str:
        """The address at the platform where the manager permits the archive; `browser` is what they come back with."""
        opened = self.opened(secret)
        return _reaching(opened.page, lambda: self._away(opened, secret, browser))

    def back(self, asked: Mapping[str, str], *, browser: str) -> Connected:
        """Finish what `leave` began, with what the platform put into its address.

        What came back is used up whatever comes of it, so that an answer that
        somebody saw is worth nothing.
        """
        state = asked.get("state") or asked.get("oauth_token") or asked.get("denied") or ""
        visit = self._visited(state, browser)
        opened = visit.opened
        secret, terms = _reaching(opened.page, lambda: self._brought(visit, asked))
        with self.store.database.begin() as tx:
            self._spend(tx, None, visit.link)
            page = pages.connect(self.store, tx, opened.page, secret, by=None, why=opened.why, terms=terms)
        missing = _ungranted(opened.sign_in, terms)
        return self._checked(page, opened, missing)

    def _away(self, opened: Opened, secret: str, browser: str) -> str:
        match opened.sign_in:
            case OAuth2() as sign_in:
                return self._to_oauth2(opened, sign_in, secret, browser)
            case OAuth1() as sign_in:
                return self._to_oauth1(opened, sign_in, secret, browser)
            case ByHand():
                raise NotConnectable(
                    f"{opened.page.name} is connected with what its manager enters",
                    next="Open the link again and fill in its fields.",
                )

    def _brought(self, visit: _Visit, asked: Mapping[str, str]) -> tuple[dict[str, str], Terms]:
        """The credentials that came of a visit."""
        match visit.opened.sign_in:
            case OAuth2() as sign_in:
                return self._from_oauth2(visit.opened, sign_in, visit, asked)
            case OAuth1() as sign_in:
                return self._from_oauth1(visit.opened, sign_in, visit, asked)
            case ByHand():
                raise _not_ours()

    def _to_oauth2(self, opened: Opened, sign_in: OAuth2, secret: str, browser: str) -> str:
        application = self._application(opened.page, sign_in)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        self._note(opened, secret, state, browser, {"verifier": verifier, "client_id": application.id})
        return oauth2.authorise_address(
            sign_in,
            opened.page.address,
            application,
            redirect=self._redirect(),
            state=state,
            verifier=verifier,
        )

    def _from_oauth2(
        self, opened: Opened, sign_in: OAuth2, visit: _Visit, asked: Mapping[str, str]
    ) -> tuple[dict[str, str], Terms]:
        application = self._application(opened.page, sign_in, visit.told["client_id"])
        if "iss" in asked and not oauth2.is_issuer(asked["iss"], sign_in, opened.page.address, application):
            raise SignInNotOurs(
                "another server answered than the one that was asked",
                next="Open the link again, and tell the records staff that this happened.",
            )
        if "code" not in asked:
            raise _declined(opened, asked.get("error", ""))
        tokens, how = self._exchanged(opened, sign_in, application, visit, asked["code"])
        given = {
            "access_token": tokens.access_token,
            **({"refresh_token": tokens.refresh_token} if tokens.refresh_token else {}),
            "client_id": application.id,
            **({"client_secret": application.secret} if application.secret else {}),
        }
        terms = Terms(
            how=OAUTH2,
            manager=opened.email,
            scopes=sign_in.scopes if tokens.scopes is None else tokens.scopes,
            access_until=tokens.access_until,
            refresh_until=tokens.refresh_until,
            authenticate=how,
        )
        return given, terms

    def _exchanged(
        self, opened: Opened, sign_in: OAuth2, application: Application, visit: _Visit, code: str
    ) -> tuple[oauth2.Tokens, str]:
        """Tokens for a code. A server that wants the secret elsewhere refuses before it looks at the code."""
        ways = [application.authenticate] if application.authenticate else [oauth2.BODY, oauth2.BASIC]
        if not application.secret:
            ways = [oauth2.BODY]
        refusal = oauth2.TokenRefused("no_answer")
        for how in ways:
            asked = oauth2.with_code(
                application,
                sign_in,
                code=code,
                redirect=self._redirect(),
                verifier=visit.told["verifier"],
                how=how,
            )
            answer = self.asks.ask(
                oauth2.at(sign_in.token_at, opened.page.address), asked.form, asked.headers
            )
            try:
                return oauth2.read_tokens(answer.status, answer.body, self.store.clock.now()), how
            except oauth2.TokenRefused as error:
                refusal = error
                if error.error not in {"invalid_client", "status_401"}:
                    break
            except oauth2.BadAnswer as error:
                raise SignInDeclined(
                    f"{opened.page.platform} gave no token: {error}", next="Tell the records staff."
                ) from None
        if refusal.of_the_operator or refusal.error == "status_401":
            raise NoApplication(
                f"{opened.page.platform} does not accept the application itself ({refusal.error})",
                next="Tell the records staff: the operator has to correct MUNIMENT_APPS_FILE.",
            )
        raise _declined(opened, refusal.error)

    def _to_oauth1(self, opened: Opened, sign_in: OAuth1, secret: str, browser: str) -> str:
        named = self._named(opened.page)
        address = oauth2.at(sign_in.request_at, opened.page.address)
        header = oauth1.authorization(
            "POST",
            address,
            oauth1.Consumer(named.id, named.secret),
            at=self.store.clock.now(),
            nonce=secrets.token_hex(16),
            more={"oauth_callback": self._redirect()},
        )
        temporary = self._token(opened, address, header, temporary=True)
        told = {"token": temporary.token, "token_secret": temporary.secret}
        self._note(opened, secret, temporary.token, browser, told)
        where = oauth2.at(sign_in.authorise_at, opened.page.address)
        asked = urlencode({"oauth_token": temporary.token, **sign_in.extra})
        return f"{where}{'&' if '?' in where else '?'}{asked}"

    def _from_oauth1(
        self, opened: Opened, sign_in: OAuth1, visit: _Visit, asked: Mapping[str, str]
    ) -> tuple[dict[str, str], Terms]:
        if not asked.get("oauth_verifier"):
            raise _declined(opened, "access_denied")
        named = self._named(opened.page)
        address = oauth2.at(sign_in.token_at, opened.page.address)
        header = oauth1.authorization(
            "POST",
            address,
            oauth1.Consumer(named.id, named.secret),
            oauth1.Token(visit.told["token"], visit.told["token_secret"]),
            at=self.store.clock.now(),
            nonce=secrets.token_hex(16),
            more={"oauth_verifier": asked["oauth_verifier"]},
        )
        token = self._token(opened, address, header)
        given = {
            "consumer_key": named.id,
            "consumer_secret": named.secret,
            "token": token.token,
            "token_secret": token.secret,
        }
        return given, Terms(how=OAUTH1, manager=opened.email, scopes=tuple(sign_in.extra.values()))

    def _token(self, opened: Opened, address: str, header: str, *, temporary: bool = False) -> oauth1.Token:
        answer = self.asks.ask(address, {}, {"Authorization": header})
        if answer.status in {400, 401, 403} and temporary:
            raise NoApplication(
                f"{opened.page.platform} does not accept the application itself (it answered {answer.status})",
                next="Tell the records staff: the operator has to correct MUNIMENT_APPS_FILE.",
            )
        try:
            if answer.status != 200:
                raise oauth1.BadAnswer(f"it answered {answer.status}")
            return oauth1.read_token(answer.body, temporary=temporary)
        except oauth1.BadAnswer as error:
            raise SignInDeclined(
                f"{opened.page.platform} gave no token: {error}", next="Open the link again and begin anew."
            ) from None

    # -- who went and came back ----------------------------------------------------------------------------

    def _note(self, opened: Opened, secret: str, state: str, browser: str, told: Mapping[str, str]) -> None:
        """Remember who left for the platform, sealed; what they come back with is known by its SHA-256."""
        sealed = self._sealed(opened.page, b"connect/visit", {**told, "browser": _told_apart(browser)})
        with self.store.database.begin() as tx:
            self._opened(tx, secret)
            tx.execute(
                insert(connect_visits).values(
                    digest=_digest(state),
                    link=_digest(secret),
                    until=to_instant(self.store.clock.now() + VISIT_LASTS),
                    sealed=sealed,
                )
            )

    def _visited(self, state: str, browser: str) -> _Visit:
        """Who comes back; it is used up here and now."""
        with self.store.database.read() as tx:
            self._sought(tx, state, browser)  # a stranger must not be able to make writers wait
        now = to_instant(self.store.clock.now())
        with self.store.database.begin() as tx:
            visit = self._sought(tx, state, browser)
            unused = (connect_visits.c.digest == _digest(state)) & connect_visits.c.used_at.is_(None)
            if tx.execute(update(connect_visits).where(unused).values(used_at=now)).rowcount != 1:
                raise _not_ours()
        return visit

    def _sought(self, tx: Tx, state: str, browser: str) -> _Visit:
        row = tx.execute(
            select(connect_visits, page_rows.c.id.label("page_id"))
            .join(connect_links, connect_links.c.digest == connect_visits.c.link)
            .join(page_rows, page_rows.c.key == connect_links.c.page)
            .where(connect_visits.c.digest == _digest(state))
        ).one_or_none()
        now = to_instant(self.store.clock.now())
        if row is None or row.used_at is not None or now >= row.until:
            raise _not_ours()
        page = pages.get(tx, bytes(row.page_id).hex())
        told = self._unsealed(page, b"connect/visit", row.sealed)
        if not hmac.compare_digest(told["browser"], _told_apart(browser)):
            raise _not_ours()
        return _Visit(bytes(row.link), self._opened_by(tx, bytes(row.link)), told)

    # -- what all of them need -----------------------------------------------------------------------------

    def _checked(self, page: Page, opened: Opened, missing: Sequence[Finding] = ()) -> Connected:
        """Ask the connector what the connection lacks, and remember whose credentials they are."""
        findings = [*missing, *self.look(page)]
        again = None
        if isinstance(opened.sign_in, ByHand) and not all(finding.fine for finding in findings):
            # A mistyped password must not cost another letter: the same person, the same end, one more use.
            with self.store.database.begin() as tx:
                again = self._link(tx, page, opened.email, opened.officer, opened.why, opened.until)
        return Connected(page, findings, owner_named(findings), again)

    def look(self, page: Page) -> list[Finding]:
        """What a check of the page's connection finds; whose credentials they are is remembered."""
        findings = list(self.check(page))
        name = owner_named(findings)
        if name is not None:
            with self.store.database.begin() as tx:
                credentials.set_owner(self.store, tx, page, name)
        return findings

    def forget(self, page: Page, *, by: UUID, why: str) -> tuple[Page, Finding | None]:
        """Destroy a page's credentials, and end them at the platform where it has a way for that.

        They are destroyed here first; whether the platform ended them too is
        a finding, None where nothing was to be asked.
        """
        with self.store.database.begin() as tx:
            held = credentials.held(self.store, tx, page)
            forgotten = pages.forget(self.store, tx, page, by=by, why=why)
        try:
            sign_in = self.manifest_of(page.connector).sign_in
        except pages.BadPage:
            return forgotten, None  # its connector is no longer installed
        if held is None or not isinstance(sign_in, OAuth2) or sign_in.revoke_at is None:
            return forgotten, None
        token = held.secret.get("refresh_token") or held.secret.get("access_token")
        if not token:
            return forgotten, None
        application = Application(held.secret.get("client_id", ""), held.secret.get("client_secret", ""))
        named = applications.read(self.apps_file).get(page.connector)
        application = named if named is not None and named.id == application.id else application
        asked = oauth2.to_revoke(application, sign_in, token, how=application.authenticate or oauth2.BODY)
        try:
            answer = self.asks.ask(oauth2.at(sign_in.revoke_at, page.address), asked.form, asked.headers)
            ended = 200 <= answer.status < 300
        except ConnectorError:
            ended = False
        remedy = f"End the permission of this application at {page.platform} by hand."
        return forgotten, Finding(
            what=f"{page.platform} ended the permission"
            if ended
            else f"{page.platform} did not say that it ended the permission",
            fine=ended,
            remedy="" if ended else remedy,
        )

    def _sign_in(self, page: Page) -> SignIn:
        manifest = self.manifest_of(page.connector)
        if manifest.sign_in is None:
            raise NotConnectable(
                f"{manifest.title} is captured without signing in, or its credentials come in a file",
                next="`muniment page connect ID --secret-file FILE` takes them from a file.",
            )
        return manifest.sign_in

    def _application(self, page: Page, sign_in: OAuth2, id: str | None = None) -> Application:
        """The application that the manager permits: the operator's, or one that the server registers."""
        named = applications.read(self.apps_file).get(page.connector)
        if named is not None and (id is None or named.id == id):
            return named
        if sign_in.register_at is None:
            return self._named(page)
        origin, redirect = oauth2.origin(page.address), self._redirect()
        made = applications.known(self.store, page.connector, origin, redirect, sign_in.scopes)
        if made is None or (id is not None and made.id != id):
            if id is not None:
                raise _not_ours()
            where = oauth2.at(sign_in.register_at, page.address)
            made = applications.register(
                self.store, self.asks, page.connector, where, origin, redirect, sign_in.scopes
            )
        return made

    def _named(self, page: Page) -> Application:
        named = applications.read(self.apps_file).get(page.connector)
        if named is None:
            raise NoApplication(
                f"{page.platform} knows no application of this archive",
                next=f"The operator registers one at {page.platform} with the address {self._redirect()}, and writes its "
                f"client_id and client_secret under [{page.connector}] into the file that MUNIMENT_APPS_FILE names.",
            )
        return named

    def _redirect(self) -> str:
        return self.public_url.rstrip("/") + RETURN_PATH

    def _link(self, tx: Tx, page: Page, email: str, by: UUID, why: str, until: datetime) -> Link:
        secret = f"muniment-connect-{secrets.token_urlsafe(32)}"
        tx.execute(
            insert(connect_links).values(
                digest=_digest(secret),
                page=page.key,
                officer=by.bytes,
                made_at=to_instant(self.store.clock.now()),
                until=to_instant(until),
                sealed=self._sealed(page, b"connect/link", {"email": email, "why": why}),
            )
        )
        return Link(page, email, secret, until)

    def _spend(self, tx: Tx, secret: str | None, digest: bytes = b"") -> None:
        """Use a link; for exactly one of those who try, even at the same moment."""
        now = to_instant(self.store.clock.now())
        link = _digest(secret) if secret is not None else digest
        unused = (
            (connect_links.c.digest == link)
            & connect_links.c.used_at.is_(None)
            & (connect_links.c.until > now)
        )
        if tx.execute(update(connect_links).where(unused).values(used_at=now)).rowcount != 1:
            raise _spent(None)

    def _sweep(self, tx: Tx, page: Page) -> None:
        """A new link ends those before it, and the visits that began with them."""
        now = to_instant(self.store.clock.now())
        theirs = select(connect_links.c.digest).where(connect_links.c.page == page.key)
        tx.execute(delete(connect_visits).where(connect_visits.c.link.in_(theirs)))
        open_ = (connect_links.c.page == page.key) & connect_links.c.used_at.is_(None)
        tx.execute(update(connect_links).where(open_, connect_links.c.until > now).values(until=now))

    def _sealed(self, page: Page, context: bytes, told: Mapping[str, str]) -> bytes:
        return seal(self.store.keyring.secret(page.id.bytes), context, json.dumps(dict(told)).encode())

    def _unsealed(self, page: Page, context: bytes, sealed: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            unseal(self.store.keyring.secret(page.id.bytes), context, bytes(sealed))
        )
        return found


@dataclass(frozen=True, slots=True)
class _Visit:
    """Somebody who came back from the platform, with what was sealed when they left."""

    link: bytes
    opened: Opened
    told: Mapping[str, Any] = field(repr=False)


def filled(sign_in: ByHand, given: Mapping[str, str]) -> dict[str, str]:
    """What a person entered, by the fields of the manifest; what was typed is in no message."""
    found = {one.name: given.get(one.name, "").strip() for one in sign_in.fields}
    missing = [one.title for one in sign_in.fields if one.required and not found[one.name]]
    if missing:
        raise FieldMissing(f"{', '.join(missing)} is missing", next="Fill it in as the steps say.")
    return credentials.checked({name: value for name, value in found.items() if value})


def owner_named(findings: Sequence[Finding]) -> str | None:
    """Whose credentials they are, where a check says so: a finding "signed in as NAME"."""
    for finding in findings:
        if finding.fine and finding.what.lower().startswith(_SIGNED_IN_AS):
            return finding.what[len(_SIGNED_IN_AS) :].strip().rstrip(".") or None
    return None


def _ungranted(sign_in: SignIn, terms: Terms) -> list[Finding]:
    if not isinstance(sign_in, OAuth2):
        return []
    return [
        Finding(
            what=f"{scope} was not permitted",
            fine=False,
            remedy="Connect the page again and leave everything ticked that the platform asks about.",
        )
        for scope in sign_in.scopes
        if scope not in terms.scopes
    ]


def _reaching(page: Page, ask: Callable[[], T]) -> T:
    """Say in the archive's own errors that a platform could not be asked."""
    try:
        return ask()
    except AddressRefused as error:
        raise NotConnectable(str(error).rstrip(".")) from None
    except ConnectorError:
        raise PlatformUnreachable(
            f"{page.platform} could not be reached", next="Open the link again in a few minutes."
        ) from None


def _declined(opened: Opened, error: str) -> SignInDeclined:
    code = error if error.isascii() and error.replace("_", "").isalnum() and len(error) < 40 else "no reason"
    return SignInDeclined(
        f"{opened.page.platform} did not permit it ({code})",
        next="Open the link again, sign in as the page’s manager, and permit what is asked.",
    )


def _not_ours() -> SignInNotOurs:
    return SignInNotOurs(
        "this does not belong to a sign-in that was begun in this browser, or it was used already",
        next="Open the link in your letter again, and finish within half an hour in the same browser.",
    )


def _spent(row: Any) -> LinkSpent:
    why = "was never made, or was taken back"
    if row is not None:
        why = "was used already" if row.used_at is not None else "has run out"
    return LinkSpent(f"this link {why}", next="Ask the records staff of the agency for a new one.")


def _digest(secret: str) -> bytes:
    """The secret has 256 random bits: nothing slower than SHA-256 would make guessing any harder."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _told_apart(browser: str) -> str:
    return hashlib.sha256(b"connect/browser\x00" + browser.encode("utf-8", "surrogatepass")).hexdigest()
