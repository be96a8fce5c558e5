"""A double of an OpenSearch cluster: what we use of its interface, taken at its word and no further.

It keeps documents in memory and answers queries by looking at each. Where a
real cluster shrugs at a slip (a field that no mapping knows finds nothing, a
key in a query that it has no use for) this one refuses, so that no slip of
ours passes. Where Lucene has an edge, it has it too: words are cut at the
tokenizer's longest, terms have at most 32,766 bytes, nothing is like a very
long word, nothing is found before a refresh.

It was written from OpenSearch's documentation and source. It is no proof that
a real cluster behaves so; see docs/opensearch.md for what was tried on what.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

MOST_CLAUSES = 1024
LONGEST_TERM = 32_766
LONGEST_FUZZY = 220
LONGEST_BODY = 100 << 20


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """What is answered; None for a body that is cut off with its connection."""

    status: int
    body: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An error as the cluster words it."""

    def __init__(self, status: int, kind: str, why: str = "refused") -> None:
        super().__init__(why)
        self.status, self.kind, self.why = status, kind, why

    def error(self) -> dict[str, Any]:
        told = {"type": self.kind, "reason": self.why}
        return {"root_cause": [told], **told}


def slip(why: str) -> Refusal:
    """What a cluster would refuse, or pass over in silence."""
    return Refusal(400, "parsing_exception", why)


# ---- documents -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A document as one write left it."""

    id: str
    source: Mapping[str, Any]
    at: tuple[int, int]
    index: Index = field(repr=False, compare=False)

    @cached_property
    def values(self) -> Mapping[str, Sequence[Any]]:
        """For each field that is no text the values that it is found or sorted by."""
        return self._read[0]

    @cached_property
    def texts(self) -> Mapping[str, Mapping[str, Sequence[int]]]:
        """For each text the places of its words."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[dict[str, list[Any]], dict[str, dict[str, list[int]]]]:
        values: dict[str, list[Any]] = {}
        texts: dict[str, dict[str, list[int]]] = {}
        for name, kind, value in self.index.fields_of(self.source):
            told = [one for one in (value if isinstance(value, list) else [value]) if one is not None]
            match str(kind["type"]):
                case "text":
                    texts[name] = self._placed(kind, told)
                case "keyword":
                    if not all(isinstance(one, str) for one in told):
                        raise Refusal(400, "mapper_parsing_exception", f"[{name}] is no keyword")
                    if any(len(one.encode()) > LONGEST_TERM for one in told):
                        raise Refusal(400, "illegal_argument_exception", f"[{name}] has an immense term")
                    values[name] = told
                case "long":
                    if not all(type(one) is int and -(2**63) <= one < 2**63 for one in told):
                        raise Refusal(400, "mapper_parsing_exception", f"[{name}] is no long")
                    values[name] = told
                case "boolean":
                    if not all(type(one) is bool for one in told):
                        raise Refusal(400, "mapper_parsing_exception", f"[{name}] is no boolean")
                    values[name] = told
                case other:
                    raise slip(f"[{name}] is a {other}")
        return values, texts

    def _placed(self, kind: Mapping[str, Any], texts: Sequence[str]) -> dict[str, list[int]]:
        longest = self.index.longest_token(kind["analyzer"])
        found: dict[str, list[int]] = {}
        at = 0
        for number, text in enumerate(texts):
            at += kind["position_increment_gap"] if number else 0
            for word in text.split():
                for start in range(0, len(word), longest):
                    token = word[start : start + longest]
                    if len(token.encode()) > LONGEST_TERM:
                        raise Refusal(400, "illegal_argument_exception", "immense term")
                    found.setdefault(token, []).append(at)
                    at += 1
        return found


class Index:
    """One index: its form, every document that was written, and what of them the last refresh shows."""

    def __init__(self, name: str, body: Mapping[str, Any]) -> None:
        only(body, "settings", "mappings", "aliases")
        self.name = name
        self.settings = body["settings"]["index"]
        only(
            self.settings, "number_of_shards", "number_of_replicas", "refresh_interval", "max_terms_count",
            "max_result_window", "merge", "analysis",
        )  # fmt: skip
        self.mappings = body["mappings"]
        only(self.mappings, "dynamic", "_meta", "properties")
        assert self.mappings["dynamic"] == "strict"
        self.fields = dict(self._flat(self.mappings["properties"]))
        self.docs: dict[str, Kept] = {}
        self.shown: Shown = Shown(())
        self.writes = 0

    def _flat(
        self, properties: Mapping[str, Any], above: str = ""
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        allowed = {
            "text": ("analyzer", "norms", "position_increment_gap"),
            "keyword": ("doc_values", "index"),
            "long": (),
            "boolean": (),
            "object": ("enabled",),
        }
        for name, told in properties.items():
            if "properties" in told:
                only(told, "dynamic", "properties")
                yield from self._flat(told["properties"], f"{above}{name}.")
            else:
                only(told, "type", *allowed[told["type"]])
                yield above + name, told

    def longest_token(self, analyzer: str) -> int:
        analysis = self.settings["analysis"]
        tokenizer = analysis["tokenizer"][analysis["analyzer"][analyzer]["tokenizer"]]
        assert tokenizer["type"] == "whitespace"
        longest: int = tokenizer.get("max_token_length", 255)
        return longest

    def fields_of(
        self, source: Mapping[str, Any], above: str = ""
    ) -> Iterator[tuple[str, Mapping[str, Any], Any]]:
        for name, value in source.items():
            whole = above + name
            kind = self.fields.get(whole)
            if kind is not None:
                if kind["type"] != "object":
                    yield whole, kind, value
            elif isinstance(value, dict) and any(one.startswith(whole + ".") for one in self.fields):
                yield from self.fields_of(value, whole + ".")
            else:
                raise Refusal(400, "strict_dynamic_mapping_exception", f"[{whole}] is not allowed")

    def write(self, name: str, source: Mapping[str, Any]) -> Kept:
        kept = Kept(name, json.loads(json.dumps(source)), (self.writes, 1), self)
        kept.values  # noqa: B018 - what cannot be kept is refused before anything changes
        self.writes += 1
        self.docs[name] = kept
        return kept

    def refresh(self) -> None:
        self.shown = Shown(tuple(self.docs.values()))


class Shown:
    """What a refresh shows; nothing in it changes. What a query, or a part of one, finds in it is looked for once."""

    def __init__(self, docs: Sequence[Kept]) -> None:
        self.docs = docs
        self._found: dict[str, frozenset[int]] = {}

    def matching(self, query: Mapping[str, Any], index: Index) -> Sequence[Kept]:
        reader = Reader(index)
        reader.count(query)
        return [self.docs[place] for place in sorted(self._meeting(query, reader))]

    def _meeting(self, query: Mapping[str, Any], reader: Reader) -> frozenset[int]:
        asked = json.dumps(query)
        found = self._found.get(asked)
        if found is None:
            found = self._found[asked] = frozenset(self._looked_for(query, reader))
        return found

    def _looked_for(self, query: Mapping[str, Any], reader: Reader) -> Iterable[int]:
        if "bool" not in query:
            meets = reader.query(query)
            return (place for place, doc in enumerate(self.docs) if meets(doc))
        told = reader.joined(query["bool"])
        found = frozenset(range(len(self.docs)))
        for one in told.get("filter", []):
            found &= self._meeting(one, reader)
        if "should" in told:
            found &= frozenset().union(*(self._meeting(one, reader) for one in told["should"]))
        for one in told.get("must_not", []):
            found -= self._meeting(one, reader)
        return found


def only(told: Mapping[str, Any], *known: str) -> None:
    unknown = set(told) - set(known)
    if unknown:
        raise slip(f"unknown: {sorted(unknown)}")


# ---- queries -------------------------------------------------------------------------------------------------


class Reader:
    """Reads a query against the form of one index; every key of it must be known."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.clauses = 0

    def count(self, query: Mapping[str, Any]) -> None:
        """Refuse a query of too many clauses, as Lucene counts them: every leaf of the whole."""
        ((name, told),) = query.items()
        if name == "bool":
            for one in (*told.get("filter", []), *told.get("should", []), *told.get("must_not", [])):
                self.count(one)
            return
        self.clauses += 1
        if self.clauses > MOST_CLAUSES:
            raise Refusal(400, "too_many_nested_clauses", "too many clauses")

    def query(self, query: Mapping[str, Any]) -> Callable[[Kept], bool]:
        """Whether a document meets a query that is no bool."""
        if len(query) != 1:
            raise slip("a query has one name")
        ((name, told),) = query.items()
        reading = getattr(self, f"_{name}", None)
        if reading is None:
            raise slip(f"unknown query [{name}]")
        meets: Callable[[Kept], bool] = reading(told)
        return meets

    def joined(self, told: Mapping[str, Any]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What a bool joins, once it is looked at."""
        only(told, "filter", "must_not", "should", "minimum_should_match")
        if not told or told.keys() <= {"must_not"}:
            raise slip("a bool that asks for nothing")
        if ("should" in told) != (told.get("minimum_should_match") == 1):
            raise slip("should, and how many of it")
        return {name: value for name, value in told.items() if name != "minimum_should_match"}

    def _kind(self, name: str, *kinds: str) -> Mapping[str, Any]:
        kind = self.index.fields.get(name)
        if kind is None or kind["type"] not in kinds or kind.get("index") is False:
            raise slip(f"[{name}] cannot be asked for so")
        return kind

    def _one(self, told: Mapping[str, Any]) -> tuple[str, Any]:
        if len(told) != 1:
            raise slip("one field is asked for")
        return next(iter(told.items()))

    def _match_all(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        only(told)
        return lambda _: True

    def _match_none(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        only(told)
        return lambda _: False

    def _term(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        name, asked = self._one(told)
        only(asked, "value")
        kind = self._kind(name, "text", "keyword", "long", "boolean")
        value: Any = asked["value"]
        types: dict[str, type] = {"text": str, "keyword": str, "long": int, "boolean": bool}
        if type(value) is not types[kind["type"]]:
            raise slip(f"[{name}] is asked for a {type(value).__name__}")
        return self._having(
            name, lambda found: found == value, str(value) if kind["type"] == "text" else None
        )

    def _having(
        self, name: str, meets: Callable[[Any], bool], exactly: str | None = None
    ) -> Callable[[Kept], bool]:
        if self.index.fields[name]["type"] != "text":
            return lambda doc: any(map(meets, doc.values.get(name, ())))
        if exactly is not None:
            return lambda doc: exactly in doc.texts.get(name, ())
        return lambda doc: any(map(meets, doc.texts.get(name, ())))

    def _terms(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        name, values = self._one(told)
        self._kind(name, "keyword", "long")
        if len(values) > self.index.settings["max_terms_count"]:
            raise Refusal(400, "illegal_argument_exception", "too many terms")
        wanted = set(values)
        return self._having(name, lambda found: found in wanted)

    def _range(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        name, bounds = self._one(told)
        self._kind(name, "long")
        only(bounds, "gte", "lte", "lt")
        if not bounds or not all(type(bound) is int for bound in bounds.values()):
            raise slip("a range without bounds")
        least, most, end = bounds.get("gte"), bounds.get("lte"), bounds.get("lt")
        return self._having(
            name,
            lambda found: (
                (least is None or found >= least)
                and (most is None or found <= most)
                and (end is None or found < end)
            ),
        )

    def _wildcard(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        name, asked = self._rewritten(told)
        written, escaped = [], False
        for sign in asked["value"]:
            if escaped:
                written.append(re.escape(sign))
            elif sign != "\\":
                written.append({"*": ".*", "?": "."}.get(sign, re.escape(sign)))
            escaped = sign == "\\" and not escaped
        return self._like(name, "".join(written))

    def _prefix(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        name, asked = self._rewritten(told)
        begins: str = asked["value"]
        return self._having(name, lambda found: found.startswith(begins))

    def _rewritten(self, told: Mapping[str, Any], *more: str) -> tuple[str, Mapping[str, Any]]:
        name, asked = self._one(told)
        only(asked, "value", "rewrite", *more)
        self._kind(name, "text", "keyword")
        if asked["rewrite"] != "constant_score":
            raise slip("only so many terms would be taken")
        return name, asked

    def _like(self, name: str, pattern: str) -> Callable[[Kept], bool]:
        compiled = re.compile(pattern, re.DOTALL)
        return self._having(name, lambda found: compiled.fullmatch(found) is not None)

    def _fuzzy(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        name, asked = self._rewritten(told, "fuzziness", "prefix_length", "transpositions")
        if (asked["prefix_length"], asked["transpositions"]) != (0, True) or asked["fuzziness"] not in (1, 2):
            raise slip("another notion of what is like a word")
        if len(asked["value"].encode()) > LONGEST_FUZZY:
            raise Refusal(500, "fuzzy_terms_exception", "Term too complex")
        word: str = asked["value"]
        most: int = asked["fuzziness"]

        def meets(found: str) -> bool:
            return distance(word, found) <= most

        return self._having(name, meets)

    def _match_phrase(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        name, asked = self._one(told)
        only(asked, "query", "analyzer", "slop")
        kind = self._kind(name, "text")
        if asked["slop"] or asked["analyzer"] != kind["analyzer"]:
            raise slip("another phrase than was meant")
        words = asked["query"].split()

        def meets(doc: Kept) -> bool:
            places = doc.texts.get(name, {})
            following = [set(places.get(word, ())) for word in words]
            return any(all(at + n in some for n, some in enumerate(following)) for at in following[0])

        return meets

    def _span_near(self, told: Mapping[str, Any]) -> Callable[[Kept], bool]:
        only(told, "clauses", "slop", "in_order")
        fields = {self._spans(clause)[0] for clause in told["clauses"]}
        if len(told["clauses"]) != 2 or len(fields) != 1:
            raise slip("spans of two clauses in one field")
        (name,) = fields
        ones, others = (self._spans(clause)[1] for clause in told["clauses"])
        slop, ordered = told["slop"], told["in_order"]

        def meets(doc: Kept) -> bool:
            places = doc.texts.get(name, {})
            return any(
                0 < (later - earlier if ordered else abs(later - earlier)) <= slop + 1
                for one, other in product(ones, others)
                for earlier, later in product(places.get(one, ()), places.get(other, ()))
            )

        return meets

    def _spans(self, clause: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
        kind, told = self._one(clause)
        if kind == "span_or":
            only(told, "clauses")
            found = [self._spans(one) for one in told["clauses"]]
            return found[0][0], [word for _, words in found for word in words]
        if kind != "span_term":
            raise slip(f"no span: {kind}")
        name, asked = self._one(told)
        only(asked, "value")
        self._kind(name, "text")
        return name, [asked["value"]]


def distance(one: str, other: str) -> int:
    """Optimal string alignment, by its table."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


# ---- the cluster ---------------------------------------------------------------------------------------------

Fault = Callable[[Request], "Response | None"]


@dataclass
class Snapshot:
    """A point in time."""

    index: Index
    shown: Shown
    until: float


class OpenSearchServer:
    """The cluster. `faults` are asked before it is: the first that has an answer gives it. `seconds` is its clock."""

    def __init__(self) -> None:
        self.indexes: dict[str, Index] = {}
        self.aliases: dict[str, set[str]] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.faults: list[Fault] = []
        self.spoil: Callable[[Request, dict[str, Any]], None] | None = None
        """May spoil a body before it leaves."""
        self.seen: list[Request] = []
        self.seconds = 0.0
        self.read_only = False
        self._opened = 0
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response:
        with self._lock:
            self.seen.append(request)
            for fault in self.faults:
                response = fault(request)
                if response is not None:
                    return response
            if len(request.body) > LONGEST_BODY:
                return Response(413, {})
            try:
                status, body = self._answer(request)
            except Refusal as refusal:
                return Response(refusal.status, {"error": refusal.error(), "status": refusal.status})
            if self.spoil is not None:
                body = json.loads(json.dumps(body))
                self.spoil(request, body)
            return Response(status, body)

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        told = json.loads(request.body) if request.body and not request.path.endswith("/_bulk") else {}
        parts = request.path.strip("/").split("/")
        match request.method, parts:
            case "PUT", [name]:
                return self._create(name, told)
            case "DELETE", ["_search", "point_in_time"]:
                only(told, "pit_id")
                found = [
                    {"successful": self.snapshots.pop(one, None) is not None, "pit_id": one}
                    for one in told["pit_id"]
                ]
                return 200, {"pits": found}
            case "DELETE", [name]:
                self._index(name)
                del self.indexes[name]
                for named in self.aliases.values():
                    named.discard(name)
                self.snapshots = {
                    one: kept for one, kept in self.snapshots.items() if kept.index.name != name
                }
                return 200, {"acknowledged": True}
            case "GET", [name, "_mapping"]:
                index = self._index(name)
                return 200, {index.name: {"mappings": index.mappings}}
            case "GET", [pattern, "_settings"]:
                self._params(request, "filter_path")
                return 200, {
                    name: {"settings": {"index": {"uuid": name}}}
                    for name in self.indexes
                    if fnmatchcase(name, pattern)
                }
            case "GET", ["_alias", alias]:
                names = sorted(self.aliases.get(alias, ()))
                if not names:
                    return 404, {"error": f"alias [{alias}] missing", "status": 404}
                return 200, {name: {"aliases": {alias: {}}} for name in names}
            case "POST", ["_aliases"]:
                return self._swap(told)
            case "POST", [name, ("_refresh" | "_flush" | "_forcemerge") as what]:
                self._params(request, "wait_if_ongoing", "only_expunge_deletes")
                index = self._index(name)
                if what == "_refresh":
                    index.refresh()
                return 200, {"_shards": self._shards(index)}
            case "PUT", [target, "_doc", name]:
                return self._put(request, target, name, told)
            case "GET", [target, "_doc", name]:
                return self._get(request, target, name)
            case "POST", [target, "_bulk"]:
                return self._bulk(request, target)
            case "POST", [name, "_search", "point_in_time"]:
                return self._open(request, name)
            case "POST", ["_search"]:
                return self._search(request, told, None)
            case "POST", [name, "_search"]:
                return self._search(request, told, self._index(name))
            case _:
                raise Refusal(405, "method_not_allowed", f"{request.method} {request.path}")

    def _params(self, request: Request, *known: str) -> None:
        unknown = set(request.params) - set(known)
        if unknown:
            raise Refusal(400, "illegal_argument_exception", f"unrecognized parameters: {sorted(unknown)}")

    def _index(self, target: str) -> Index:
        names = self.aliases.get(target) or ({target} if target in self.indexes else set())
        if not names:
            raise Refusal(404, "index_not_found_exception", f"no such index [{target}]")
        if len(names) > 1:
            raise Refusal(400, "illegal_argument_exception", f"alias [{target}] has more than one index")
        return self.indexes[next(iter(names))]

    def _shards(self, index: Index) -> dict[str, int]:
        count = index.settings["number_of_shards"]
        return {"total": count, "successful": count, "failed": 0}

    # -- forms --

    def _create(self, name: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        if name in self.indexes:
            raise Refusal(400, "resource_already_exists_exception", f"index [{name}] already exists")
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", name):
            raise Refusal(400, "invalid_index_name_exception", name)
        self.indexes[name] = Index(name, body)
        for alias in body.get("aliases", {}):
            self.aliases.setdefault(alias, set()).add(name)
        return 200, {"acknowledged": True, "shards_acknowledged": True, "index": name}

    def _swap(self, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        only(body, "actions")
        for action in body["actions"]:
            ((what, told),) = action.items()
            only(told, "index", "alias")
            index = self._index(told["index"]).name
            names = self.aliases.setdefault(told["alias"], set())
            if what == "add":
                names.add(index)
            elif what == "remove" and index in names:
                names.remove(index)
            else:
                raise Refusal(404, "aliases_not_found_exception", "there is no such alias")
        return 200, {"acknowledged": True}

    # -- documents --

    def _put(
        self, request: Request, target: str, name: str, source: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        self._params(request, "op_type", "require_alias", "if_seq_no", "if_primary_term")
        index = self._written(request, target)
        at = None
        if "if_seq_no" in request.params:
            at = (int(request.params["if_seq_no"]), int(request.params["if_primary_term"]))
        status, told = self._index_one(
            index, name, source, at, create=request.params.get("op_type") == "create"
        )
        return status, told

    def _written(self, request: Request, target: str) -> Index:
        if request.params.get("require_alias") == "true" and target not in self.aliases:
            raise Refusal(404, "index_not_found_exception", f"[{target}] is not an alias")
        return self._index(target)

    def _index_one(
        self,
        index: Index,
        name: str,
        source: Mapping[str, Any],
        at: tuple[int, int] | None,
        *,
        create: bool = False,
    ) -> tuple[int, dict[str, Any]]:
        if self.read_only:
            raise Refusal(429, "cluster_block_exception", "disk usage exceeded flood-stage watermark")
        there = index.docs.get(name)
        if (create and there is not None) or (at is not None and (there is None or there.at != at)):
            raise Refusal(409, "version_conflict_engine_exception", f"[{name}]: version conflict")
        kept = index.write(name, source)
        return (201 if there is None else 200), self._told(index, kept, "updated" if there else "created")

    def _told(self, index: Index, kept: Kept, result: str) -> dict[str, Any]:
        return {
            "_index": index.name,
            "_id": kept.id,
            "_version": 1,
            "result": result,
            "_shards": {"total": 2, "successful": 1, "failed": 0},
            "_seq_no": kept.at[0],
            "_primary_term": kept.at[1],
        }

    def _get(self, request: Request, target: str, name: str) -> tuple[int, dict[str, Any]]:
        self._params(request, "preference")
        index = self._index(target)
        kept = index.docs.get(name)
        if kept is None:
            return 404, {"_index": index.name, "_id": name, "found": False}
        return 200, self._told(index, kept, "") | {"found": True, "_source": kept.source}

    def _bulk(self, request: Request, target: str) -> tuple[int, dict[str, Any]]:
        self._params(request, "require_alias")
        if request.headers.get("content-type") != "application/x-ndjson" or request.body[-1:] != b"\n":
            raise Refusal(400, "illegal_argument_exception", "a bulk is lines of JSON, each with its end")
        index = self._written(request, target)
        lines = iter(request.body.split(b"\n")[:-1])
        items = []
        for line in lines:
            ((what, meta),) = json.loads(line).items()
            only(meta, "_id", "if_seq_no", "if_primary_term")
            source = None if what == "delete" else json.loads(next(lines))
            items.append({what: self._item(index, what, meta, source)})
        return 200, {
            "took": 1,
            "errors": any("error" in one for i in items for one in i.values()),
            "items": items,
        }

    def _item(
        self, index: Index, what: str, meta: Mapping[str, Any], source: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        name = meta["_id"]
        at = (meta["if_seq_no"], meta["if_primary_term"]) if "if_seq_no" in meta else None
        there = index.docs.get(name)
        try:
            match what:
                case "index":
                    status, told = self._index_one(index, name, source or {}, at)
                case "update":
                    only(source or {}, "doc")
                    if there is None:
                        raise Refusal(404, "document_missing_exception", f"[{name}]: document missing")
                    status, told = self._index_one(index, name, {**there.source, **(source or {})["doc"]}, at)
                case "delete":
                    if there is None:
                        shards = {"total": 2, "successful": 1, "failed": 0}
                        return {
                            "_index": index.name,
                            "_id": name,
                            "result": "not_found",
                            "status": 404,
                            "_shards": shards,
                        }
                    del index.docs[name]
                    index.writes += 1
                    status, told = 200, self._told(index, there, "deleted")
                case _:
                    raise slip(f"no operation: {what}")
        except Refusal as refusal:
            return {"_index": index.name, "_id": name, "status": refusal.status, "error": refusal.error()}
        return told | {"status": status}

    # -- searches --

    def _open(self, request: Request, name: str) -> tuple[int, dict[str, Any]]:
        self._params(request, "keep_alive", "allow_partial_pit_creation")
        index = self._index(name)
        self._opened += 1
        one = f"pit{self._opened}"
        self.snapshots[one] = Snapshot(
            index, index.shown, self.seconds + _lasting(request.params["keep_alive"])
        )
        return 200, {"pit_id": one, "_shards": self._shards(index) | {"skipped": 0}, "creation_time": 0}

    def _search(
        self, request: Request, body: Mapping[str, Any], index: Index | None
    ) -> tuple[int, dict[str, Any]]:
        self._params(request, "allow_partial_search_results", "pre_filter_shard_size")
        only(
            body, "query", "size", "sort", "search_after", "_source", "seq_no_primary_term", "track_total_hits", "aggs", "pit"
        )  # fmt: skip
        told: dict[str, Any] = {}
        if index is not None:
            if "pit" in body:
                raise slip("an index and a point in time")
            shown = index.shown
        else:
            only(body["pit"], "id", "keep_alive")
            held = self.snapshots.get(body["pit"]["id"])
            if held is None or held.until < self.seconds:
                raise Refusal(404, "search_context_missing_exception", "No search context found")
            held.until = self.seconds + _lasting(body["pit"]["keep_alive"])
            index, shown = held.index, held.shown
            told["pit_id"] = body["pit"]["id"]
        found = shown.matching(body["query"], index)
        hits: dict[str, Any] = {"hits": self._hits(index, found, body)}
        if body["track_total_hits"] is True:
            hits["total"] = {"value": len(found), "relation": "eq"}
        told |= {"took": 1, "timed_out": False, "_shards": self._shards(index) | {"skipped": 0}, "hits": hits}
        if any("composite" in one for one in body.get("aggs", {}).values()):
            told["terminated_early"] = True
        if "aggs" in body:
            told["aggregations"] = {
                name: self._aggregated(index, shown, found, one) for name, one in body["aggs"].items()
            }
        return 200, told

    def _hits(self, index: Index, found: Sequence[Kept], body: Mapping[str, Any]) -> list[dict[str, Any]]:
        size = body["size"]
        if size > index.settings["max_result_window"]:
            raise Refusal(400, "illegal_argument_exception", "Result window is too large")
        order = [next(iter(one.items())) for one in body.get("sort", [])]
        for name, direction in order:
            if index.fields.get(name, {}).get("type") != "long" or direction not in ("asc", "desc"):
                raise slip(f"cannot sort by {name}")

        def rank(values: Sequence[int]) -> list[int]:
            return [
                value if direction == "asc" else -value
                for value, (_, direction) in zip(values, order, strict=True)
            ]

        told = [([doc.values[name][0] for name, _ in order], doc) for doc in found] if size else []
        if "search_after" in body:
            after = rank(body["search_after"])
            told = [one for one in told if rank(one[0]) > after]
        told.sort(key=lambda one: rank(one[0]))
        return [self._hit(index, values, doc, body) for values, doc in told[:size]]

    def _hit(self, index: Index, values: Sequence[int], doc: Kept, body: Mapping[str, Any]) -> dict[str, Any]:
        hit: dict[str, Any] = {"_index": index.name, "_id": doc.id, "_score": None, "sort": list(values)}
        wanted = body.get("_source", True)
        if wanted is not False:
            hit["_source"] = _filtered(doc.source, wanted)
        if body.get("seq_no_primary_term"):
            hit |= {"_seq_no": doc.at[0], "_primary_term": doc.at[1]}
        return hit

    def _aggregated(
        self, index: Index, shown: Shown, found: Sequence[Kept], told: Mapping[str, Any]
    ) -> dict[str, Any]:
        ((what, asked),) = told.items()
        if what == "filters":
            only(asked, "filters")
            among = {doc.id for doc in found}
            counted = {
                name: sum(doc.id in among for doc in shown.matching(query, index))
                for name, query in asked["filters"].items()
            }
            return {"buckets": {name: {"doc_count": count} for name, count in counted.items()}}
        if what != "composite":
            raise slip(f"{what} is not exact")
        only(asked, "size", "sources", "after")
        ((source, terms),) = asked["sources"][0].items()
        field_name = terms["terms"]["field"]
        if index.fields[field_name].get("doc_values") is False:
            raise slip(f"[{field_name}] cannot be counted")
        counts: dict[str, int] = {}
        for doc in found:
            for value in doc.values.get(field_name, ()):
                counts[value] = counts.get(value, 0) + 1
        after = asked.get("after", {}).get(source)
        values = [
            value
            for value in sorted(counts, key=str.encode)
            if after is None or value.encode() > after.encode()
        ]
        buckets = [{"key": {source: value}, "doc_count": counts[value]} for value in values[: asked["size"]]]
        return {"buckets": buckets} | ({"after_key": buckets[-1]["key"]} if buckets else {})


def _filtered(source: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in wanted:
        above, _, below = path.partition(".")
        if above in source:
            part = source[above] if not below else {k: v for k, v in source[above].items() if k == below}
            found[above] = part
    return found


def _lasting(text: str) -> float:
    assert text.endswith("m")
    return 60.0 * int(text[:-1])


# ---- ways to it ------------------------------------------------------------------------------------------------


class Direct(httpx.BaseTransport):
    """Asks the double without a socket between: for the many questions of the promises."""

    def __init__(self, server: OpenSearchServer) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answered = self._server.handle(
            Request(
                request.method,
                unquote(request.url.path),
                dict(request.url.params),
                {name.lower(): value for name, value in request.headers.items()},
                request.read(),
            )
        )
        if answered.body is None:
            raise httpx.ReadError("cut off", request=request)
        return httpx.Response(
            answered.status, json=answered.body, headers=dict(answered.headers), request=request
        )


def direct(server: OpenSearchServer) -> httpx.Client:
    return httpx.Client(transport=Direct(server), base_url="http://opensearch.test")


@contextmanager
def listening(server: OpenSearchServer) -> Iterator[str]:
    """The same over HTTP on loopback; gives its address. It ends with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def answer(self) -> None:
            address = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:  # whoever asked was killed in the middle of it
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            answered = server.handle(
                Request(self.command, unquote(address.path), dict(parse_qsl(address.query)), headers, body)
            )
            if answered.body is None:
                self.close_connection = True
                return
            content = json.dumps(answered.body).encode()
            self.send_response(answered.status)
            for name, value in {
                "Content-Type": "application/json; charset=UTF-8",
                "Content-Length": str(len(content)),
                **answered.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: Any) -> None:
            """Tests say what went wrong."""

    class Bounded(ThreadingHTTPServer):
        daemon_threads = False  # it ends when the last request that came has been carried out

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that was killed in the middle is no news."""

    listener = Bounded(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_address[1]}"
    finally:
        listener.shutdown()
        listener.server_close()
        with suppress(RuntimeError):
            thread.join(5)
