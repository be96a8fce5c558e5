"""Secrets are replaced before an exchange exists, and every replacement is itself recorded.

What is replaced: each secret in play wherever it occurs, in the forms that
addresses, JSON, HTML and Basic authentication give it; the values of headers
that only carry credentials; the values of parameters that are named like
credentials. What stands instead says which secret it was, never what it was.

A secret is found by its own characters. One that is shorter than eight would
be found in what the public writes as well, so it is refused.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

from connectors.contract import Replaced

SHORTEST = 8
"""Shorter secrets cannot be told apart from ordinary words."""

SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})

SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "appsecret_proof",
        "client_secret",
        "id_token",
        "key",
        "oauth_signature",
        "password",
        "refresh_token",
        "sig",
        "signature",
        "token",
        "x-amz-credential",
        "x-amz-security-token",
        "x-amz-signature",
        "x-goog-signature",
    }
)
"""Parameters of an address whose values are replaced, whatever they are."""

_LOOKED_FOR_IN_ANSWERS = frozenset({"access_token", "client_secret", "refresh_token", "appsecret_proof"})
"""Parameters that name nothing but credentials: an answer that repeats their values repeats a secret."""

PUBLIC_NAMES = frozenset(
    {"account", "app_id", "client_id", "email", "handle", "login", "user", "user_id", "username"}
)
"""Names in a page's secret whose values are no secrets: replacing them would take authors out of the evidence."""

_PARAMETER = re.compile(r"""(?<=[?&;#])([^=&;#?\s"'<>]+)=([^&#\s"'<>]*)""")
_USERINFO = re.compile(r"(?<=://)[^/?#@\s\"'<>]+(?=@)")
_PART = re.compile(r"[^/?&#=;,\s\"'<>]+")
_LEAST_OF_A_CUT_SECRET = 4
_REMEMBERED = 32

Form = tuple[bytes, str]


class SecretTooShort(ValueError):
    """A secret that could not be replaced without replacing what the public writes."""


def marker(name: str) -> str:
    """What stands in place of the secret of that name."""
    return f"[[secret:{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}]]"


class Secrets:
    """The secrets in play for one page."""

    def __init__(
        self,
        named: Mapping[str, str],
        *,
        parameters: Collection[str] = SECRET_PARAMETERS,
        public: Collection[str] = PUBLIC_NAMES,
    ) -> None:
        self.parameters = frozenset(name.lower() for name in parameters)
        self._public = frozenset(public)
        self._forms: dict[bytes, str] = {}
        self._named: dict[str, str] = {}
        self._written: dict[str, set[bytes]] = {}
        for name, value in named.items():
            self.keep(name, value)

    def keep(self, name: str, value: str) -> None:
        """From now on `value` is a secret too. An empty one is none."""
        if not value:
            return
        if name not in self._public:
            if len(value) < SHORTEST:
                raise SecretTooShort(
                    f"The secret {name!r} has fewer than {SHORTEST} characters. Use a longer one, so that it can "
                    "be told apart from what the public writes."
                )
            self._add(name, written(value))
        for other, beside in self._named.items():
            self._pair(beside, name, value)
            self._pair(value, other, beside)
        self._named[name] = value

    def _pair(self, user: str, name: str, password: str) -> None:
        """As Basic authentication carries the two (RFC 7617)."""
        if name not in self._public:
            pair = f"{user}:{password}".encode()
            self._add(name, {b64encode(pair).rstrip(b"="), b64encode(pair, b"-_").rstrip(b"=")})

    def _forms_of(self, value: str) -> set[bytes]:
        """The forms of a value that requests carry; a connector carries few of them, and the same again and again."""
        if value not in self._written:
            if len(self._written) >= _REMEMBERED:
                self._written.clear()
            self._written[value] = written(value)
        return self._written[value]

    def _add(self, name: str, forms: Collection[bytes]) -> None:
        for form in forms:
            self._forms.setdefault(form, marker(name))

    def during(self, url: str, headers: Mapping[str, str]) -> Replacing:
        """For one question and its answers: what it carries as credentials is a secret in its answers too."""
        forms = dict(self._forms)
        for name, value in _carried(url, headers):
            if len(value) >= SHORTEST:
                for form in self._forms_of(value):
                    forms.setdefault(form, marker(name))
        return Replacing(tuple(sorted(forms.items(), key=lambda form: -len(form[0]))), self.parameters)


class Replacing:
    """Replaces the secrets of one exchange, and counts what it replaced."""

    def __init__(self, forms: tuple[Form, ...], parameters: frozenset[str]) -> None:
        self._forms, self._parameters = forms, parameters
        self._counted: Counter[tuple[str, str]] = Counter()

    @property
    def any(self) -> bool:
        """Whether there is anything to look for in a body."""
        return bool(self._forms)

    @property
    def replaced(self) -> tuple[Replaced, ...]:
        """What was replaced so far, in the order in which it was met."""
        return tuple(Replaced(where, mark, count) for (where, mark), count in self._counted.items())

    def anew(self) -> Replacing:
        """The same secrets, for the next exchange."""
        return Replacing(self._forms, self._parameters)

    def text(self, text: str, where: str | None = None) -> str:
        """A line in which an address or a secret may stand."""
        text = self._known(text.encode("utf-8", "surrogateescape"), where).decode("utf-8", "surrogateescape")
        text = _PART.sub(lambda part: self._disguised(part.group(), where), text)
        text = _PARAMETER.sub(lambda found: self._parameter(found, where), text)
        return _USERINFO.sub(lambda _: self._mark("userinfo", where), text)

    def header(self, name: str, value: str, where: str) -> str:
        """A header's value, as Latin-1 text of its bytes."""
        where = f"{where}.header:{name}"
        if name.lower() in SECRET_HEADERS:
            return self._mark(name, where)
        spoken = value.encode("latin-1").decode("utf-8", "surrogateescape")
        return self.text(spoken, where).encode("utf-8", "surrogateescape").decode("latin-1")

    def body(self, body: bytes, where: str, *, cut: bool = False) -> bytes:
        """A body's bytes. With `cut`, a secret of which only the beginning came is replaced too."""
        body = self._known(body, where)
        if not cut:
            return body
        longest, mark = 0, ""
        for form, of in self._forms:
            for size in range(min(len(form) - 1, len(body)), max(longest, _LEAST_OF_A_CUT_SECRET - 1), -1):
                if body.endswith(form[:size]):
                    longest, mark = size, of
                    break
        if not longest:
            return body
        self._counted[where, mark] += 1
        return body[:-longest] + mark.encode()

    def _known(self, body: bytes, where: str | None) -> bytes:
        found = _apart(sorted(self._places(body), key=lambda place: (place[0], -place[1])))
        out, at = [], 0
        for start, end, mark in found:
            out += [body[at:start], mark.encode()]
            at = end
            if where is not None:
                self._counted[where, mark] += 1
        return b"".join([*out, body[at:]]) if out else body

    def _places(self, body: bytes) -> Iterator[tuple[int, int, str]]:
        for form, mark in self._forms:
            start = body.find(form)
            while start >= 0:
                yield start, start + len(form), mark
                start = body.find(form, start + len(form))

    def _disguised(self, part: str, where: str | None) -> str:
        """A part of an address that spells a secret with needless escapes ("%61bc")."""
        if "%" not in part and "+" not in part:
            return part
        for spoken in (unquote(part), unquote_plus(part)):
            for form, mark in self._forms:
                if form in spoken.encode("utf-8", "surrogateescape"):
                    self._count(where, mark)
                    return mark
        return part

    def _parameter(self, found: re.Match[str], where: str | None) -> str:
        name, value = found.groups()
        if unquote(name).lower() not in self._parameters or not value or _is_marker(value):
            return found.group()
        return f"{name}={self._mark(unquote(name), where)}"

    def _mark(self, name: str, where: str | None) -> str:
        self._count(where, marker(name))
        return marker(name)

    def _count(self, where: str | None, mark: str) -> None:
        if where is not None:
            self._counted[where, mark] += 1


def written(secret: str) -> set[bytes]:
    """`secret` in the forms in which addresses, JSON, HTML and Base64 may repeat it."""
    spoken = {secret, "".join(secret.split())}
    spoken |= {form for one in spoken for form in _in_addresses(one)}
    spoken |= {form for one in spoken for form in _in_html(one)}
    for _ in range(2):
        spoken |= {form for one in spoken for form in _in_json(one)}
    forms = {one.encode("utf-8", "surrogateescape") for one in spoken}
    return {form for form in forms if len(form) >= SHORTEST} | set(
        _in_base64(secret.encode("utf-8", "surrogateescape"))
    )


def _in_addresses(text: str) -> Iterator[str]:
    for once in (
        quote(text, safe=""),
        quote(text, safe="/"),
        quote_plus(text),
        quote(text, safe="!$&'()*+,;=:@/?|~"),
    ):
        for form in (once, quote(once, safe="")):
            yield form
            yield re.sub("%[0-9A-F]{2}", lambda escape: escape.group().lower(), form)


def _in_html(text: str) -> Iterator[str]:
    for form in (html.escape(text), html.escape(text, quote=False)):
        yield form
        yield form.replace("&#x27;", "&#039;").replace("&amp;", "&#038;")


def _in_json(text: str) -> Iterator[str]:
    for form in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        for escaped in (form, re.sub("[<>&'+=]", lambda sign: f"\\u{ord(sign.group()):04x}", form)):
            for one in (escaped, re.sub(r"\\u([0-9a-f]{4})", lambda code: "\\u" + code[1].upper(), escaped)):
                yield one
                yield one.replace("/", "\\/")


def _in_base64(secret: bytes) -> Iterator[bytes]:
    """The part of a Base64 text that only `secret` decides, wherever in that text it stands."""
    for before, kept_from in ((0, 0), (1, 2), (2, 3)):
        size = before + len(secret)
        for signs in (None, b"-_"):
            core = b64encode(b"\0" * before + secret, signs).rstrip(b"=")[kept_from:]
            core = core[:-1] if size % 3 else core
            if len(core) >= SHORTEST:
                yield core


def _carried(url: str, headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if name.lower() in {"authorization", "proxy-authorization"}:
            yield name, value
            yield name, value.partition(" ")[2].strip()
    query = url.partition("#")[0].partition("?")[2]
    for name, value in parse_qsl(query):
        if name.lower() in _LOOKED_FOR_IN_ANSWERS:
            yield name, value


def _apart(places: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Places that overlap become one, under the name of the first."""
    apart: list[tuple[int, int, str]] = []
    for start, end, mark in places:
        if apart and start < apart[-1][1]:
            first, until, of = apart[-1]
            apart[-1] = (first, max(until, end), of)
        else:
            apart.append((start, end, mark))
    return apart


def _is_marker(value: str) -> bool:
    return value.startswith("[[secret:") and value.endswith("]]") and value.count("[[") == 1
