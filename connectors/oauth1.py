"""Signing in the manner of RFC 5849 (OAuth 1.0a): what is signed, the signature, and the three steps to a token.

Pure: it asks nobody. Time and nonce come from outside. Only HMAC-SHA1 is
spoken, which every platform that still asks for OAuth 1.0a understands.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

_PORTS = {"http": 80, "https": 443}


class BadAnswer(ValueError):
    """The platform answered a step of OAuth 1.0a with something else than a token; what it said is not repeated."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """The application as the platform knows it ("client credentials", RFC 5849, section 1.1)."""

    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A temporary or a lasting token with its secret; `more` is what the platform told beside them."""

    token: str = field(repr=False)
    secret: str = field(repr=False)
    more: Mapping[str, str] = field(default_factory=dict, repr=False)


def authorization(
    method: str,
    url: str,
    consumer: Consumer,
    token: Token | None = None,
    *,
    at: datetime,
    nonce: str,
    form: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """The value of the Authorization header that signs this request (RFC 5849, section 3.5.1).

    `form` is the body where it is a form; `more` are further protocol
    parameters, `oauth_callback` or `oauth_verifier`.
    """
    spoken = {
        "oauth_consumer_key": consumer.key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(at.timestamp())),
        **({"oauth_token": token.token} if token else {}),
        **(more or {}),
    }
    signed = base_string(method, url, [*spoken.items(), *(form or {}).items()])
    spoken["oauth_signature"] = signature(signed, consumer.secret, token.secret if token else "")
    return "OAuth " + ", ".join(f'{escape(name)}="{escape(value)}"' for name, value in spoken.items())


def base_string(method: str, url: str, parameters: Sequence[tuple[str, str]]) -> str:
    """What is signed (section 3.4.1): the method, the address without its query, and every parameter in order."""
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    pairs = sorted((escape(name), escape(value)) for name, value in (*query, *parameters))
    normal = "&".join(f"{name}={value}" for name, value in pairs)
    return f"{escape(method.upper())}&{escape(_place(url))}&{escape(normal)}"


def signature(signed: str, consumer_secret: str, token_secret: str = "") -> str:
    """HMAC-SHA1 over what is signed (section 3.4.2)."""
    key = f"{escape(consumer_secret)}&{escape(token_secret)}"
    return b64encode(hmac.digest(key.encode(), signed.encode(), "sha1")).decode()


def escape(text: str) -> str:
    """Percent-encoding as section 3.6 wants it: everything but letters, digits, `-._~`."""
    return quote(text, safe="~")


def read_token(body: bytes, *, temporary: bool = False) -> Token:
    """The token that an answer holds (sections 2.1 and 2.3), or `BadAnswer`.

    A temporary one must be confirmed, or the platform speaks OAuth 1.0, in
    which anybody could have the permission of somebody else.
    """
    try:
        told = dict(parse_qsl(body.decode("ascii").strip(), keep_blank_values=True, strict_parsing=True))
        token, secret = told.pop("oauth_token"), told.pop("oauth_token_secret")
    except (ValueError, KeyError):
        raise BadAnswer("the answer holds no token") from None
    if not token or not secret:
        raise BadAnswer("the answer holds an empty token")
    if temporary and told.get("oauth_callback_confirmed") != "true":
        raise BadAnswer("the platform did not confirm where it leads back to")
    return Token(token, secret, told)


def _place(url: str) -> str:
    """The address as section 3.4.1.2 wants it: small letters, no standard port, no query."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    host = f"[{host}]" if ":" in host else host
    beside = "" if port in {None, _PORTS.get(scheme)} else f":{port}"
    return f"{scheme}://{host}{beside}{parts.path or '/'}"
