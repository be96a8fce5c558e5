"""OAuth 2 without the asking: where a person is sent, what is asked for a token, and what the answers mean.

RFC 6749 (the framework), 7636 (PKCE), 7009 (revocation), 9207 (which server
answered) and 7591's shape of a registration as Mastodon speaks it. Pure: the
forms and answers are values, time comes from outside. No error repeats what a
server said in its own words, since servers put tokens into them.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from connectors.contract import OAuth2
from connectors.secrets import SHORTEST

BASIC, BODY = "basic", "body"
JSON = "application/json"
_NUMBERS_OF_LIMITS = frozenset({40016, 40100, 40132, 40133})
_NUMBERS_OF_THE_OPERATOR = frozenset({40002, 40101, 40113, 40118})
_CODE = re.compile(r"[a-z0-9_.-]{1,60}")
_LONGEST = 10 * 365 * 86_400
_OPERATORS = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"})
_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_REFRESH_ENDS = ("refresh_token_expires_in", "refresh_expires_in", "refresh_token_expires")


class TokenRefused(Exception):
    """The server gave no token. `error` is its code (RFC 6749, section 5.2); its own words are left out."""

    def __init__(self, error: str) -> None:
        super().__init__(f"the platform answered {error}")
        self.error = error

    @property
    def of_the_operator(self) -> bool:
        """Whether the application is refused, and not the page's permission."""
        return self.error in _OPERATORS

    @property
    def passing(self) -> bool:
        """Whether asking again later may succeed."""
        return self.error in _PASSING


class BadAnswer(ValueError):
    """The answer is none that OAuth 2 knows; what it said is not repeated."""


@dataclass(frozen=True, slots=True)
class Application:
    """The application as a platform knows it; `secret` is empty where it has none.

    `authenticate` says how it shows its secret: in the form ("body") or as
    HTTP Basic ("basic"). None: in the form, and as Basic where that is refused.
    """

    id: str
    secret: str = field(default="", repr=False)
    authenticate: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent to a token endpoint."""

    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a server gave. An end is None where it named none."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    access_until: datetime | None = None
    refresh_until: datetime | None = None
    scopes: tuple[str, ...] | None = None
    """What was granted where the server says so; None: what was asked for (RFC 6749, section 5.1)."""


def at(address: str, page: str) -> str:
    """An address of the manifest for one page: `{origin}` is the origin of the page's own address."""
    return address.replace("{origin}", origin(page))


def origin(page: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(page)
    return f"{parts.scheme}://{parts.netloc}"


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def authorise_address(
    sign_in: OAuth2, page: str, application: Application, *, redirect: str, state: str, verifier: str
) -> str:
    """Where the person is sent to permit the application (RFC 6749, section 4.1.1)."""
    asked = {
        "response_type": "code",
        "client_id": application.id,
        "redirect_uri": redirect,
        "state": state,
        **({"scope": sign_in.scopes_joined_by.join(sign_in.scopes)} if sign_in.scopes else {}),
        **({"code_challenge": challenge(verifier), "code_challenge_method": "S256"} if sign_in.pkce else {}),
        **sign_in.extra,
    }
    address = at(sign_in.authorise_at, page)
    return f"{address}{'&' if '?' in address else '?'}{urlencode(_called(asked, sign_in.asked_as))}"


def is_issuer(issuer: str, sign_in: OAuth2, page: str, application: Application) -> bool:
    """Whether an answer's `iss` (RFC 9207) names the server that the person was sent to.

    The operator may say who that is. Otherwise an issuer is what the
    authorisation address begins with (RFC 8414, section 3.1).
    """
    if application.issuer is not None:
        return issuer == application.issuer
    return at(sign_in.authorise_at, page).startswith(issuer.rstrip("/") + "/") and bool(
        urlsplit(issuer).netloc
    )


def with_code(
    application: Application, sign_in: OAuth2, *, code: str, redirect: str, verifier: str, how: str
) -> Question:
    """The question that turns a code into tokens (section 4.1.3)."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
    form |= {"code_verifier": verifier} if sign_in.pkce else {}
    return _for(sign_in, _as(application, form, how))


def with_refresh(application: Application, sign_in: OAuth2, refresh_token: str, *, how: str) -> Question:
    """The question that turns a refresh token into new tokens (section 6)."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _for(sign_in, _as(application, form, how))


def to_revoke(application: Application, sign_in: OAuth2, token: str, *, how: str) -> Question:
    """The question that ends a token (RFC 7009, section 2.1)."""
    return _for(sign_in, _as(application, {"token": token}, how))


def to_register(name: str, redirect: str, scopes: Sequence[str], website: str) -> Question:
    """The question that registers an application where no person is asked, in Mastodon's words."""
    return Question(
        {"client_name": name, "redirect_uris": redirect, "scopes": " ".join(scopes), "website": website}
    )


def read_registration(status: int, body: bytes) -> Application:
    """The application that a server registered, or `BadAnswer`."""
    told = _json(body)
    name, secret = told.get("client_id"), told.get("client_secret")
    if not 200 <= status < 300 or not isinstance(name, str) or not isinstance(secret, str) or not name:
        raise BadAnswer(f"the server did not register the application (it answered {status})")
    if len(secret) < SHORTEST:
        raise BadAnswer("the application's secret is too short to be told from ordinary words")
    return Application(name, secret)


def read_tokens(status: int, body: bytes, now: datetime) -> Tokens:
    """The tokens that an answer holds; `TokenRefused` or `BadAnswer` where it holds none.

    `now` is when it arrived: the ends that it names count from there.
    """
    told = _json(body)
    if (code := _number_of_a_refusal(told)) is not None:
        raise TokenRefused(code)
    if isinstance(told.get("data"), dict) and "access_token" not in told and "error" not in told:
        told = told["data"]  # an envelope around everything, as TikTok's interface for businesses has it
    if "error" in told or not 200 <= status < 300:
        raise TokenRefused(_error(told.get("error"), status))
    access, refresh = told.get("access_token"), told.get("refresh_token")
    if not isinstance(access, str) or not (refresh is None or isinstance(refresh, str)):
        raise BadAnswer("the answer holds no token")
    if len(access) < SHORTEST or (refresh and len(refresh) < SHORTEST):
        raise BadAnswer("a token is too short to be told from ordinary words")
    return Tokens(
        access_token=access,
        refresh_token=refresh or None,
        access_until=_end(told, ("expires_in",), now),
        refresh_until=_end(told, _REFRESH_ENDS, now),
        scopes=_scopes(told.get("scope")),
    )


def _as(application: Application, form: Mapping[str, str], how: str) -> Question:
    """A question that says whose it is (section 2.3.1)."""
    if how == BASIC and application.secret:
        pair = f"{quote_plus(application.id)}:{quote_plus(application.secret)}"
        return Question(dict(form), {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"})
    said = {"client_id": application.id} | (
        {"client_secret": application.secret} if application.secret else {}
    )
    return Question({**form, **said})


def _for(sign_in: OAuth2, asked: Question) -> Question:
    """The question in the platform's own words, and as JSON where it wants that."""
    headers = {**asked.headers, "Content-Type": JSON} if sign_in.sends_json else asked.headers
    return Question(_called(asked.form, sign_in.sent_as), headers)


def _called(fields: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {names.get(name, name): value for name, value in fields.items()}


def _number_of_a_refusal(told: Mapping[str, Any]) -> str | None:
    """The standard's word for a refusal in an envelope whose number says what happened, as TikTok's has it."""
    code = told.get("code")
    if "data" not in told or not isinstance(code, int) or isinstance(code, bool) or code == 0:
        return None
    if code in _NUMBERS_OF_LIMITS or code >= 50_000:
        return "temporarily_unavailable"
    return "invalid_client" if code in _NUMBERS_OF_THE_OPERATOR else "invalid_grant"


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _error(said: object, status: int) -> str:
    """The server's code where it is one; nothing else of what it said."""
    code = said.get("type") if isinstance(said, dict) else said  # Meta answers with an object
    if isinstance(code, str) and _CODE.fullmatch(code):
        return code
    if status == 429 or status >= 500:
        return "temporarily_unavailable"
    return "invalid_grant" if isinstance(said, (str, dict)) and said else f"status_{status}"


def _end(told: Mapping[str, Any], names: Sequence[str], now: datetime) -> datetime | None:
    for name in names:
        value = told.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:12])
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONGEST:
            return now + timedelta(seconds=int(value))
    return None


def _scopes(said: object) -> tuple[str, ...] | None:
    if isinstance(said, str):
        return tuple(said.replace(",", " ").split())
    if isinstance(said, list) and all(isinstance(one, str) for one in said):
        return tuple(said)
    return None
