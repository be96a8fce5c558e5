"""Secrets are replaced before an exchange exists, and every replacement is itself recorded.

What is replaced: each secret in play wherever it occurs, in the forms that
addresses, JSON, HTML and Basic authentication give it; the values of headers
that only carry credentials; the values of parameters and of fields of forms
that are named like credentials; in answers in JSON, the values of fields that
name nothing but credentials. What stands instead says which secret it was,
never what it was. What an answer gave is told to whoever asked, in memory.

A secret is found by its own characters. One that is shorter than eight would
be found in what the public writes as well, so it is refused.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
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

SECRET_FIELDS = SECRET_PARAMETERS | {
    "assertion",
    "authfactortoken",
    "client_assertion",
    "code",
    "code_verifier",
    "lgpassword",
    "lgtoken",
    "logintoken",
    "oauth_token",
    "oauth_token_secret",
    "oauth_verifier",
    "otp",
    "passwd",
    "passcode",
    "retype",
}
"""Fields of what is sent, in forms and in JSON, whose values are replaced, whatever they are."""

TOLD_FIELDS = frozenset(
    {
        "accessJwt",
        "access_token",
        "client_secret",
        "createaccounttoken",
        "csrftoken",
        "id_token",
        "lgtoken",
        "logintoken",
        "oauth_token",
        "oauth_token_secret",
        "patroltoken",
        "refreshJwt",
        "refresh_token",
        "rollbacktoken",
        "userrightstoken",
        "watchtoken",
    }
)
"""Fields of answers that name nothing but credentials."""

_ORDINARY = frozenset({"key", "sig", "signature"})
"""Names that hide a secret in what we send, but whose values an answer may repeat in another sense."""

_LOOKED_FOR_IN_ANSWERS = frozenset({"access_token", "client_secret", "refresh_token", "appsecret_proof"})
"""Parameters that name nothing but credentials: an answer that repeats their values repeats a secret."""

PUBLIC_NAMES = frozenset(
    {"account", "app_id", "client_id", "email", "handle", "login", "user", "user_id", "username"}
)
"""Names in a page's secret whose values are no secrets: replacing them would take authors out of the evidence."""

_PARAMETER = re.compile(r"""(?<=[?&;#])([^=&;#?\s"'<>]+)=([^&#\s"'<>]*)""")
_USERINFO = re.compile(r"(?<=://)[^/?#@\s\"'<>]+(?=@)")
_TOLD = re.compile(
    rb'"(' + b"|".join(sorted(name.encode() for name in TOLD_FIELDS)) + rb')"\s*:\s*"'
    rb'([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)',
    re.DOTALL,
)
_TOLD_NAMES = tuple(sorted(f'"{name}"'.encode() for name in TOLD_FIELDS))
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]")
_FORM = re.compile(rb"[\w.~%+-]+=[^&\s<>]*(?:&[\w.~%+-]+=[^&\s<>]*)*\s*\Z")
_PART = re.compile(r"[^/?&#=;,\s\"'<>]+")
_LEAST_OF_A_CUT_SECRET = 4
_REMEMBERED = 32
_LONGEST_FORM = 64 * 1024

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

    def during(self, url: str, headers: Mapping[str, str], sent: Sent | None = None) -> Replacing:
        """For one question and its answers: what it carries as credentials is a secret in its answers too."""
        forms = dict(self._forms)
        carried = [*_carried(url, headers), *(sent.credentials() if sent is not None else ())]
        for name, value in carried:
            if len(value) >= SHORTEST:
                for form in self._forms_of(value):
                    forms.setdefault(form, marker(name))
        return Replacing(_longest_first(forms), self.parameters)


class Replacing:
    """Replaces the secrets of one exchange, and counts what it replaced."""

    def __init__(self, forms: tuple[Form, ...], parameters: frozenset[str]) -> None:
        self._forms, self._parameters = forms, parameters
        self._counted: Counter[tuple[str, str]] = Counter()
        self.learned: dict[str, str] = {}
        """What the answer told by name, in clear; it never leaves the memory."""

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

    def learn(self, body: bytes) -> None:
        """Look an answer's body through for credentials that it hands out; from now on they are secrets of this exchange."""
        forms = dict(self._forms)
        for name, start, end in _told(body):
            value = _spoken(body, start, end)
            self._note(name, value)
            if len(value) >= SHORTEST:
                for form in written(value):
                    forms.setdefault(form, marker(name))
        if len(forms) > len(self._forms):
            self._forms = _longest_first(forms)

    def learn_cookies(self, headers: Sequence[tuple[str, str]], now: datetime) -> None:
        """Note the cookies that an answer sets."""
        for name, value in headers:
            if name.lower() == "set-cookie" and (cookie := _cookie(value, now)) is not None:
                self.learned[f"cookie:{cookie[0]}"] = cookie[1]

    def _note(self, name: str, value: str) -> None:
        if value in {told for known, told in self.learned.items() if known.partition(":")[0] == name}:
            return
        again = sum(known.partition(":")[0] == name for known in self.learned)
        self.learned[f"{name}:{again + 1}" if again else name] = value

    def sent(self, sent: Sent) -> bytes:
        """The body of a request."""
        clean = sent.without(SECRET_FIELDS | self._parameters, lambda name: self._mark(name, "request.body"))
        return self._known(clean, "request.body")

    def body(self, body: bytes, where: str, *, cut: bool = False) -> bytes:
        """A body's bytes. With `cut`, a secret of which only the beginning came is replaced too."""
        body = self._known(body, where, [(start, end, marker(name)) for name, start, end in _told(body)])
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

    def _known(self, body: bytes, where: str | None, told: Sequence[tuple[int, int, str]] = ()) -> bytes:
        places = [*told, *self._places(body)]
        found = _apart(sorted(places, key=lambda place: (place[0], -place[1])))
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


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request carries in its body: a form, JSON, or nothing."""

    form: Mapping[str, str] | None = None
    json: object = None

    def __post_init__(self) -> None:
        if self.form is not None and self.json is not None:
            raise ValueError("A request carries a form or JSON, not both.")

    @property
    def media_type(self) -> str | None:
        """The type that the body is sent as; None where there is none."""
        if self.form is not None:
            return "application/x-www-form-urlencoded"
        return None if self.json is None else "application/json"

    def wire(self) -> bytes:
        """The body as it is sent."""
        return self.without(frozenset(), lambda name: name)

    def without(self, names: Collection[str], instead: Callable[[str], str]) -> bytes:
        """The body, byte for byte as it is sent but for the values of `names`, which `instead` stands for."""
        if self.form is not None:
            return "&".join(
                f"{quote_plus(name)}={instead(name) if value and name.lower() in names else quote_plus(value)}"
                for name, value in self.form.items()
            ).encode("ascii")
        if self.json is None:
            return b""
        told = _without(self.json, None, names, instead)
        return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    def credentials(self) -> Iterator[tuple[str, str]]:
        """What it carries under names of secrets."""
        fields = self.form.items() if self.form is not None else _texts(self.json, None)
        for name, value in fields:
            if name.lower() in SECRET_FIELDS - _ORDINARY:
                yield name, value


def _without(
    value: object, name: str | None, names: Collection[str], instead: Callable[[str], str]
) -> object:
    """JSON in which whatever stands below one of `names` is replaced."""
    match value:
        case Mapping():
            return {
                key: _without(inner, str(key) if str(key).lower() in names else name, names, instead)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_without(inner, name, names, instead) for inner in value]
        case None | bool() | "":
            return value
        case _:
            return value if name is None else instead(name)


def _texts(value: object, name: str | None) -> Iterator[tuple[str, str]]:
    """The texts in JSON that stand below a name, each with the nearest secret's name above it, or its own."""
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from _texts(inner, str(key) if str(key).lower() in SECRET_FIELDS else name)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner, name)
        case str() if name is not None:
            yield name, value
        case _:
            pass


def _told(body: bytes) -> Iterator[tuple[str, int, int]]:
    """The credentials that an answer hands out by name: where their values stand in its JSON, or in its form."""
    if _JSON.match(body):
        if any(name in body for name in _TOLD_NAMES):
            for found in _TOLD.finditer(body):
                if found.start(2) < found.end(2) and not _is_marker(found[2].decode("latin-1")):
                    yield found[1].decode(), found.start(2), found.end(2)
    elif len(body) <= _LONGEST_FORM and _FORM.match(body):
        at = 0
        for part in body.split(b"&"):
            name, _, value = part.partition(b"=")
            begun = at + len(name) + 1
            if name.decode("latin-1") in TOLD_FIELDS and value.strip():
                yield name.decode("latin-1"), begun, begun + len(value.rstrip())
            at += len(part) + 1


def _spoken(body: bytes, start: int, end: int) -> str:
    """The value that stands there, as whoever uses it sends it."""
    value = body[start:end]
    if not _JSON.match(body):
        return unquote_plus(value.decode("latin-1"))
    try:
        return str(json.loads(b'"' + value + b'"'))
    except ValueError:
        return value.decode("utf-8", "surrogateescape")


def _cookie(header: str, now: datetime) -> tuple[str, str] | None:
    """Name and value of a cookie that is set (RFC 6265, section 5.2); None where it is taken away."""
    pair, *rest = header.split(";")
    name, equals, value = pair.partition("=")
    told = {key.strip().lower(): said.strip() for key, _, said in (part.partition("=") for part in rest)}
    age = told.get("max-age", "")
    if not equals or not name.strip() or not value.strip() or age == "0" or age.startswith("-"):
        return None
    if not age and "expires" in told:
        try:
            ends = parsedate_to_datetime(told["expires"])
        except ValueError:
            ends = None
        if ends is not None and ends.timestamp() <= now.timestamp():
            return None
    return name.strip(), value.strip()


def _longest_first(forms: Mapping[bytes, str]) -> tuple[Form, ...]:
    return tuple(sorted(forms.items(), key=lambda form: -len(form[0])))


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
