"""A small authorisation server on loopback: OAuth 2 with PKCE and single-use refresh tokens, and OAuth 1.0a.

It enforces what real ones enforce: a code works once and only with its
verifier, its client and its redirect address; a refresh token works once, or
once more within a grace in which it gives the same answer again; a signature
must be right and a nonce new. `permit` is the person at the platform.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from connectors import oauth1, oauth2
from connectors.contract import OAuth1, OAuth2
from tests.connectors.worlds.loopback import Loopback, Talk

Form = dict[str, str]
Told = tuple[int, dict[str, Any] | str]

OAUTH2 = OAuth2(
    authorise_at="{origin}/oauth/authorise",
    token_at="{origin}/oauth/token",
    register_at="{origin}/api/v1/apps",
    revoke_at="{origin}/oauth/revoke",
    scopes=("read:statuses", "read:notifications"),
    single_use_refresh=True,
)
OAUTH1 = OAuth1(
    request_at="{origin}/oauth1/request",
    authorise_at="{origin}/oauth1/authorise",
    token_at="{origin}/oauth1/token",
    extra={"perms": "read"},
)


@dataclass
class Trouble:
    """What goes wrong on request."""

    down: bool = False
    basic_only: bool = False
    says: tuple[int, str] | None = None
    lose_answer: bool = False
    before_answer: Callable[[], None] = lambda: None


@dataclass
class AuthorisationWorld(Loopback):
    """The server, with everything that it gave out."""

    waits_for_answers: ClassVar[bool] = True

    grace: bool = False
    lasts: int = 7_200
    refresh_lasts: int | None = None
    granted: str | None = None
    trouble: Trouble = field(default_factory=Trouble)
    clients: Form = field(default_factory=dict)
    codes: dict[str, Form] = field(default_factory=dict)
    answered: dict[str, dict[str, Any]] = field(default_factory=dict)
    living: set[str] = field(default_factory=set)
    revoked: list[str] = field(default_factory=list)
    asked: list[tuple[str, Form]] = field(default_factory=list)
    temporary: dict[str, Form] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)
    opening: set[str] = field(default_factory=set)
    """The access tokens that the page's own interface accepts."""
    shown: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    """Every secret that was ever handed out."""

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            protocol_version = "HTTP/1.0"

            def get(self) -> None:
                bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
                known = bearer in world.opening
                with world._lock:
                    world.shown.append(bearer)
                told = (
                    {"acct": "town-police", "notices": ["The bridge is closed."]}
                    if known
                    else {"error": "no"}
                )
                self.say(200 if known else 401, {}, json.dumps(told).encode())

            def post(self) -> None:
                form = dict(parse_qsl(self.body().decode(), keep_blank_values=True))
                status, told = world.answer(self.path, form, self.headers.get("Authorization", ""))
                if world.trouble.lose_answer:
                    self.close_connection = True
                    return
                self.say(status, {}, (told if isinstance(told, str) else json.dumps(told)).encode())

        return Handler

    def __post_init__(self) -> None:
        self._lock = threading.RLock()

    @property
    def origin(self) -> str:
        return self.address

    # -- what programs ask ---------------------------------------------------------------------------------

    def answer(self, path: str, form: Form, authorization: str) -> Told:
        with self._lock:
            self.asked.append((path, form))
        if self.trouble.down:
            return 503, "<html>try later</html>"
        match path:
            case "/api/v1/apps":
                return self._register(form)
            case "/oauth/token":
                told = self._token(form, authorization)
                self.trouble.before_answer()
                return told
            case "/oauth/revoke":
                with self._lock:
                    self.revoked.append(form["token"])
                    self.living.discard(form["token"])
                return 200, {}
            case "/oauth1/request" | "/oauth1/token":
                return self._oauth1(path, authorization)
            case _:
                return 404, {}

    def client(self, secret: str | None = None) -> tuple[str, str]:
        """An application that the operator registered by hand."""
        name, secret = f"client-{len(self.clients)}", secret or self._new("application")
        self.clients[name] = secret
        return name, secret

    def begin(self, client: str) -> str:
        """A refresh token for somebody who permitted the archive some time ago."""
        token = self._new("refresh")
        self.living.add(token)
        del client
        return token

    def _register(self, form: Form) -> Told:
        assert all(form[name] for name in ("client_name", "redirect_uris", "scopes"))
        name, secret = self.client()
        return 200, {"id": "1", "name": form["client_name"], "client_id": name, "client_secret": secret}

    def _token(self, form: Form, authorization: str) -> Told:
        if self.trouble.says is not None:
            status, error = self.trouble.says
            return status, {"error": error, "error_description": f"{form} is what you sent"}
        if authorization.startswith("Basic "):
            name, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
            form = {**form, "client_id": unquote(name), "client_secret": unquote(secret)}
        elif self.trouble.basic_only:
            return 401, {"error": "invalid_client"}
        if self.clients.get(form.get("client_id", "")) != form.get("client_secret"):
            return 401, {"error": "invalid_client", "error_description": f"no: {form}"}
        with self._lock:
            match form.get("grant_type"):
                case "authorization_code":
                    return self._by_code(form)
                case "refresh_token":
                    return self._by_refresh(form["refresh_token"])
                case _:
                    return 400, {"error": "unsupported_grant_type"}

    def _by_code(self, form: Form) -> Told:
        asked = self.codes.pop(form.get("code", ""), None)
        if (
            asked is None
            or asked["client_id"] != form["client_id"]
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["code_challenge"] != oauth2.challenge(form.get("code_verifier", ""))
        ):
            return 400, {"error": "invalid_grant", "error_description": f"bad {form}"}
        return 200, self._fresh(asked["scope"])

    def _by_refresh(self, token: str) -> Told:
        if token in self.living:
            self.living.discard(token)
            self.answered[token] = self._fresh(None)
            return 200, self.answered[token]
        if self.grace and token in self.answered:
            return 200, self.answered[token]
        return 400, {"error": "invalid_grant", "error_description": f"{token} was used"}

    def _fresh(self, scope: str | None) -> dict[str, Any]:
        access, refresh = self._new("access"), self._new("refresh")
        self.living.add(refresh)
        self.opening.add(access)
        told: dict[str, Any] = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer"}
        told["expires_in"] = self.lasts
        if self.refresh_lasts is not None:
            told["refresh_token_expires_in"] = self.refresh_lasts
        if scope is not None:
            told["scope"] = scope if self.granted is None else self.granted
        return told

    def _oauth1(self, path: str, authorization: str) -> Told:
        said = {
            unquote(name): unquote(value)
            for name, value in re.findall(r'([a-z_]+)="([^"]*)"', authorization.removeprefix("OAuth "))
        }
        signature = said.pop("oauth_signature")
        known = self.temporary.get(said.get("oauth_token", ""), {})
        signed = oauth1.base_string("POST", self.origin + path, list(said.items()))
        right = oauth1.signature(
            signed, self.clients.get(said["oauth_consumer_key"], "?"), known.get("secret", "")
        )
        with self._lock:
            if signature != right or said["oauth_nonce"] in self.nonces:
                return 401, "oauth_problem=signature_invalid"
            self.nonces.add(said["oauth_nonce"])
            token, secret = self._new("oauth1-token"), self._new("oauth1-secret")
            if path == "/oauth1/request":
                self.temporary[token] = {"secret": secret, "callback": said["oauth_callback"]}
                return 200, urlencode(
                    {
                        "oauth_callback_confirmed": "true",
                        "oauth_token": token,
                        "oauth_token_secret": secret,
                    }
                )
            if not known or said.get("oauth_verifier") != known.get("verifier"):
                return 401, "oauth_problem=token_rejected"
            del self.temporary[said["oauth_token"]]
            return 200, urlencode(
                {"oauth_token": token, "oauth_token_secret": secret, "username": "Parks", "fullname": "P"}
            )

    # -- the person at the platform ------------------------------------------------------------------------

    def permit(self, address: str, *, issuer: str | None = None) -> Form:
        """Sign in at `address` and permit what is asked; what the browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if "oauth_token" in asked:
            self.temporary[asked["oauth_token"]]["verifier"] = verifier = self._new("verifier")
            return {"oauth_token": asked["oauth_token"], "oauth_verifier": verifier}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] in self.clients
        code = self._new("code")
        self.codes[code] = asked
        told = {"code": code, "state": asked["state"]}
        return told | ({"iss": issuer} if issuer is not None else {})

    def _new(self, kind: str) -> str:
        made = f"{kind}-{secrets.token_urlsafe(24)}"
        self.given.append(made)
        return made
