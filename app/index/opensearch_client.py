"""Asks an OpenSearch cluster, and takes no answer for whole that is not.

A cluster answers 200 with half of what was asked: shards that failed, a time
that ran out, items of a bulk that were refused, a total that is a lower bound.
All of that is an error here. What may be asked again without harm is: an
answer of 429 or 503, and a connection that never came about; a bounded number
of times, waiting as long as the cluster says. Whatever broke off half-way is
not repeated, for it may have been carried out.

Of what the cluster says about an error only the type and the status are
passed on: its sentences quote questions and words of records.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.index.engine import IndexFailed, QueryNotSupported
from app.settings import BadSetting

_TRIES = 5
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_BULK_BYTES = 8 << 20
_BLOCKED = "cluster_block_exception"
"""Writes are refused until somebody makes room; the status is that of a busy cluster, and waiting does not help."""
_TOO_MUCH = frozenset(
    (
        "too_complex_to_determinize_exception",
        "too_many_clauses",
        "too_many_nested_clauses",
        "too_many_buckets_exception",
    )
)
"""What a cluster calls a question that it could answer if it were smaller."""


class Gone(Exception):
    """The index or the snapshot that was asked is there no more; whoever asked knows what to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the cluster answered, whatever its status."""

    status: int
    body: Mapping[str, Any] = field(repr=False)

    @property
    def types(self) -> frozenset[str]:
        """Every type of error that the answer names, at whatever depth."""
        return frozenset(_types(self.body.get("error")))

    def whole(self, what: str) -> Mapping[str, Any]:
        """The body of an answer that is none of error; raises `IndexFailed` otherwise."""
        if 200 <= self.status < 300:
            return self.body
        raise self.failed(what)

    def failed(self, what: str) -> IndexFailed:
        """The answer as an error of ours, with a word on what helps."""
        types = self.types
        told = ", ".join(sorted(types)) or "no reason"
        return IndexFailed(
            f"The search cluster refused to {what}: {self.status}, {told}.", next=_remedy(self.status, types)
        )


def _types(error: object) -> Iterator[str]:
    match error:
        case {"type": str(one), **rest}:
            yield one
            for value in rest.values():
                yield from _types(value)
        case dict():
            for value in error.values():
                yield from _types(value)
        case list():
            for value in error:
                yield from _types(value)
        case _:
            return


def _remedy(status: int, types: frozenset[str]) -> str:
    if _BLOCKED in types:
        return "The cluster refuses writes, as it does when a disk is almost full: make room, then release the block."
    if status in (401, 403):
        return "Look at the secret file that MUNIMENT_SEARCH names, and at the rights of that user."
    if status == 413:
        return "Ask a smaller question, or raise the cluster's http.max_content_length."
    return "What was not committed will be followed again; if it fails again, look at the cluster's log."


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of a bulk: what is done to which document, and the document where there is one."""

    what: str
    id: str
    more: Mapping[str, int] = field(default_factory=dict)
    source: Mapping[str, Any] | None = None

    def lines(self) -> bytes:
        head = json.dumps({self.what: {"_id": self.id, **self.more}}, separators=(",", ":"))
        if self.source is None:
            return head.encode() + b"\n"
        body = json.dumps(self.source, ensure_ascii=False, separators=(",", ":"))
        return head.encode() + b"\n" + body.encode("utf-8", "replace") + b"\n"


class Cluster:
    """A cluster, over a client that the builder made. `wait` lets seconds pass between two tries."""

    def __init__(self, client: httpx.Client, *, wait: Callable[[float], None]) -> None:
        self._client = client
        self._wait = wait

    def close(self) -> None:
        self._client.close()

    # ---- one request ---------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
    ) -> Reply:
        """One answer, tried again while the cluster says that it is busy."""
        kind = "application/json" if content is None else "application/x-ndjson"
        if body is not None:
            content = json.dumps(body, separators=(",", ":")).encode()
        headers = {} if content is None else {"Content-Type": kind}
        for tried in range(1, _TRIES + 1):
            try:
                answered = self._client.request(
                    method, path, params=params, content=content, headers=headers, follow_redirects=False
                )
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                if tried == _TRIES:
                    raise _unreached(error) from error
                self._wait(_pause(tried, None))
                continue
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                raise _unreached(error) from error
            reply = Reply(answered.status_code, _json(answered))
            if reply.status not in (429, 503) or _BLOCKED in reply.types or tried == _TRIES:
                return reply
            self._wait(_pause(tried, answered.headers.get("Retry-After")))
        raise AssertionError("every try ends in an answer or an error")

    # ---- reading -------------------------------------------------------------------------------------

    def search(self, body: Mapping[str, Any], *, index: str | None = None) -> Mapping[str, Any]:
        """A whole answer to a search, in an index or in the snapshot that `body` names.

        Raises `Gone` where that is no more, `QueryNotSupported` for what the
        cluster calls too large, and `IndexFailed` for anything less than every
        shard.
        """
        # Shards are asked, all of them: one that the cluster skipped could not be told from one that was left out.
        params: dict[str, str | int] = {
            "allow_partial_search_results": "false",
            "pre_filter_shard_size": 1_000_000,
        }
        reply = self.ask("POST", f"/{index}/_search" if index else "/_search", params=params, body=body)
        if not 200 <= reply.status < 300:
            types = reply.types
            if types & {"search_context_missing_exception", "index_not_found_exception"}:
                raise Gone
            if types & _TOO_MUCH or reply.status == 413:
                raise QueryNotSupported("this question", "it is too large for the search cluster")
            raise reply.failed("search")
        must_be_whole(reply.body, "search")
        # A walk over all values ends early by design, with its buckets whole; nothing else is told to.
        early = reply.body.get("terminated_early", False) and "aggs" not in body
        if reply.body.get("timed_out") is not False or early:
            raise IndexFailed("The search cluster did not finish a search.", next="Try again later.")
        return reply.body

    # ---- writing -------------------------------------------------------------------------------------

    def bulk(self, alias: str, operations: Iterable[Operation], *, between: Callable[[], object]) -> None:
        """Carry all of them out, some at a time; raises `IndexFailed` for the first that was refused.

        `alias` must be one: a bulk never makes an index by the way. `between`
        is called before each request.
        """
        waiting: list[Operation] = []
        size = 0
        for operation in operations:
            lines = len(operation.lines())
            if waiting and size + lines > _BULK_BYTES:
                between()
                self._send(alias, waiting)
                waiting, size = [], 0
            waiting.append(operation)
            size += lines
        if waiting:
            between()
            self._send(alias, waiting)

    def _send(self, alias: str, operations: Sequence[Operation]) -> None:
        """One request; items that were turned away because the cluster is busy are sent again, the others never."""
        left = list(operations)
        for tried in range(1, _TRIES + 1):
            content = b"".join([operation.lines() for operation in left])
            reply = self.ask("POST", f"/{alias}/_bulk", params={"require_alias": "true"}, content=content)
            items = reply.whole("write").get("items")
            if not isinstance(items, list) or len(items) != len(left):
                raise IndexFailed("The search cluster answered for other documents than were sent.")
            busy = [
                operation for operation, item in zip(left, items, strict=True) if _is_busy(operation, item)
            ]
            if not busy:
                return
            if tried < _TRIES:
                self._wait(_pause(tried, None))
            left = busy
        raise IndexFailed("The search cluster is too busy to take documents.", next="Try again later.")


def _is_busy(operation: Operation, item: Mapping[str, Any]) -> bool:
    """Whether the item must be sent again; raises `IndexFailed` where it was refused, or kept by some copies only."""
    said = item.get(operation.what)
    if not isinstance(said, dict) or said.get("_id") != operation.id:
        raise IndexFailed("The search cluster answered for another document than was sent.")
    status = said.get("status")
    types = frozenset(_types(said.get("error")))
    if status == 429 and _BLOCKED not in types:
        return True
    if operation.what == "delete" and status == 404:
        return False  # gone already, which is what was wanted
    if not isinstance(status, int) or not 200 <= status < 300:
        told = ", ".join(sorted(types)) or "no reason"
        raise IndexFailed(
            f"The search cluster refused to {operation.what} a document: {status}, {told}.",
            next=_remedy(status if isinstance(status, int) else 0, types),
        )
    must_be_whole(said, operation.what)
    return False


def must_be_whole(body: Mapping[str, Any], what: str) -> None:
    """Raise `IndexFailed` unless every shard that was asked answered for itself."""
    shards = body.get("_shards")
    if not isinstance(shards, dict) or shards.get("failed") != 0:
        raise IndexFailed(f"A shard of the search cluster failed to {what}.", next="Look at its health.")
    if what == "search" and (shards.get("successful") != shards.get("total") or shards.get("skipped", 0)):
        raise IndexFailed("Not every shard of the search cluster was searched.", next="Look at its health.")


def _pause(tried: int, asked: str | None) -> float:
    """How long to wait before the next try: what the cluster asks for, within bounds, or twice the last time."""
    if asked is not None:
        with suppress(ValueError):
            return min(max(float(asked), 0.0), _LONGEST_WAIT)
    return min(_FIRST_WAIT * float(1 << (tried - 1)), _LONGEST_WAIT)


def _unreached(error: Exception) -> IndexFailed:
    return IndexFailed(
        f"The search cluster gave no answer: {type(error).__name__}.",
        next="See that it runs and can be reached; what was not committed will be followed again.",
    )


def connect(
    address: str,
    *,
    secret_file: Path | None,
    ca_file: Path | None,
    wait: Callable[[float], None],
    seconds: float = 120.0,
) -> Cluster:
    """A cluster at `address`. Proxies are not used; raises `BadSetting` where a file cannot be read.

    The secret file holds one line: `user:password`, or what stands in the
    `Authorization` header (`Bearer …`, `ApiKey …`, `Basic …`).
    """
    auth: httpx.BasicAuth | None = None
    headers: dict[str, str] = {}
    if secret_file is not None:
        line = _first_line(secret_file)
        if line.startswith(("Bearer ", "ApiKey ", "Basic ")):
            headers["Authorization"] = line
        else:
            user, colon, password = line.partition(":")
            if not colon:
                raise BadSetting(
                    f"The secret file {secret_file} of MUNIMENT_SEARCH holds no secret",
                    next="Write user:password in it, or Bearer and a token, in one line.",
                )
            auth = httpx.BasicAuth(user, password)
    try:
        tls = httpx.create_ssl_context() if ca_file is None else ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # SSLError is one
        raise BadSetting(
            f"The certificate file {ca_file} of MUNIMENT_SEARCH cannot be read: {type(error).__name__}",
            next="Name a file with the authority's certificate as PEM.",
        ) from error
    client = httpx.Client(
        base_url=address, verify=tls, auth=auth, headers=headers, timeout=seconds, trust_env=False
    )
    return Cluster(client, wait=wait)


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip().partition("\n")[0].strip()
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"The secret file {file} of MUNIMENT_SEARCH cannot be read: {type(error).__name__}",
            next="Name a file that the service may read.",
        ) from error


def _json(answered: httpx.Response) -> Mapping[str, Any]:
    try:
        told = json.loads(answered.content)
    except ValueError:
        told = None
    if isinstance(told, dict):
        return told
    if 200 <= answered.status_code < 300 and answered.content:
        raise IndexFailed("What answers at the address of the search cluster is none.")
    return {}
