"""A small network of the AT Protocol on loopback: a directory, an account's server and an app view, all in one.

Repositories are real: records in DAG-CBOR, a Merkle search tree over them, and
a commit that is signed anew after every change, so that what is read here was
written by nobody's reader. Answers and refusals were compared with the
reference servers (see tests/live). What it adds is trouble at will, and an app
view that cuts threads off, counts wrongly or lags behind.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.bluesky.cbor import Cid, Value, encode
from connectors.contract import Page
from tests.connectors.worlds.loopback import Loopback, Talk

POST, PROFILE = "app.bsky.feed.post", "app.bsky.actor.profile"
THREADGATE, BLOCK = "app.bsky.feed.threadgate", "app.bsky.graph.block"
JSON = {"Content-Type": "application/json; charset=utf-8"}
CAR = {"Content-Type": "application/vnd.ipld.car"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SIGN_IN = b'<!DOCTYPE html><html><form><input type="password" name="password"></form></html>'
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

Answer = tuple[int, dict[str, str], bytes]


class Refused(Exception):
    def __init__(self, status: int, error: str, message: str = "") -> None:
        super().__init__(error)
        self.status, self.error, self.message = status, error, message


def link(block: bytes, codec: int = 0x71) -> Cid:
    return Cid(bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(block).digest())


def car(root: Cid, blocks: Mapping[Cid, bytes] | Sequence[tuple[Cid, bytes]]) -> bytes:
    head = encode({"version": 1, "roots": [root]})
    pairs = blocks.items() if isinstance(blocks, Mapping) else blocks
    return b"".join([_varint(len(head)), head, *(_varint(len(one) + 36) + cid + one for cid, one in pairs)])


def packed_blocks(root: Cid, blocks: Mapping[Cid, bytes], cid: Cid | None, block: bytes) -> bytes:
    """The blocks of a commit as a file: the commit, its tree, and the record that was written."""
    return car(root, {**blocks, **({cid: block} if cid is not None else {})})


def _message(content: bytes, *, binary: bool) -> bytes:
    """One whole message of a WebSocket, as a server sends it."""
    size = len(content)
    length = (
        bytes([size])
        if size < 126
        else b"\x7e" + size.to_bytes(2)
        if size < 65536
        else b"\x7f" + size.to_bytes(8)
    )
    return bytes([0x82 if binary else 0x81]) + length + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _base58(content: bytes) -> str:
    number, out = int.from_bytes(content), ""
    while number:
        number, place = divmod(number, 58)
        out = _BASE58[place] + out
    return out


def depth_of(key: str) -> int:
    """How high a key stands in the tree: pairs of zero bits at the front of its digest."""
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest())
    return (256 - digest.bit_length()) // 2


def tree(entries: Mapping[str, Cid]) -> tuple[Cid, dict[Cid, bytes]]:
    """The root of the tree over these records, and every node of it."""
    blocks: dict[Cid, bytes] = {}

    def made(keys: list[str], level: int) -> Cid | None:
        if not keys:
            return None
        here = [place for place, key in enumerate(keys) if depth_of(key) == level]
        bounds = [-1, *here, len(keys)]
        below = [made(keys[a + 1 : b], level - 1) for a, b in pairwise(bounds)]
        listed: list[Value] = []
        before = b""
        for number, place in enumerate(here):
            key = keys[place].encode()
            shared = 0
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
            listed.append({"p": shared, "k": key[shared:], "v": entries[keys[place]], "t": below[number + 1]})
            before = key
        block = encode({"l": below[0], "e": listed})
        blocks[link(block)] = block
        return link(block)

    keys = sorted(entries)
    root = made(keys, max(map(depth_of, keys), default=0))
    if root is None:
        block = encode({"l": None, "e": []})
        root = link(block)
        blocks[root] = block
    return root, blocks


@dataclass
class Repository:
    """One account's records, and its key."""

    did: str
    handle: str
    key: ec.EllipticCurvePrivateKey
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    """At which revision each record was written."""
    rev: str = ""
    status: str | None = None
    """What its server says instead of showing it: RepoTakendown and the like."""

    def block(self, path: str) -> bytes:
        return encode(_cbor(self.records[path]))

    def commit(self) -> tuple[Cid, Cid, dict[Cid, bytes]]:
        """The commit and the root of its tree, with the commit's and the tree's blocks."""
        root, blocks = tree({path: link(self.block(path)) for path in self.records})
        said: dict[str, Value] = {
            "did": self.did,
            "version": 3,
            "data": root,
            "rev": self.rev,
            "prev": None,
        }
        r, s = decode_dss_signature(
            self.key.sign(encode(said), ec.ECDSA(SHA256(), deterministic_signing=True))
        )
        signature = r.to_bytes(32) + min(s, _ORDER - s).to_bytes(32)
        block = encode({**said, "sig": signature})
        return link(block), root, {link(block): block, **blocks}


def _cbor(value: Any) -> Value:
    """JSON as a record bears it in its repository."""
    match value:
        case {"$link": text}:
            padded = text[1:].upper() + "=" * (-len(text[1:]) % 8)
            return Cid(base64.b32decode(padded))
        case dict():
            return {name: _cbor(one) for name, one in value.items()}
        case list():
            return [_cbor(one) for one in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"No record bears {value!r}.")


class BlueskyWorld(Loopback):
    """One network. Use it as a context: its server ends with it."""

    app_password = "abcd-efgh-ijkl-mnop"
    access, refresh = "eyJhbGciOiJIUzI1NiJ9.access.token-of-a-session", "eyJhbGciOiJIUzI1NiJ9.refresh.token"

    def __init__(self) -> None:
        self.accounts: dict[str, Repository] = {}
        self.profiles: dict[str, str] = {}
        self.likes: dict[str, int] = {}
        self.unindexed: set[str] = set()
        """Addresses that the app view does not show."""
        self.blocked: set[str] = set()
        """Addresses that threads show as blocked."""
        self.most_depth = 1000
        self.counts_more: dict[str, int] = {}
        self.missing_documents: dict[str, int] = {}
        self.picture_version = 1
        self.trouble: Callable[[str], Answer | None] | None = None
        self.altered: Callable[[str, Any], Any] | None = None
        """What becomes of what an answer tells before it is sent, with its method."""
        self.before: Callable[[str], None] | None = None
        self.loops = False
        self.accepts_password = True
        self.opens_messages = True
        self.preferences: list[dict[str, Any]] = []
        self.mutes: list[str] = []
        self.convos: dict[str, list[dict[str, Any]]] = {}
        self.page_most = 100
        self.corrupt: Callable[[str, bytes], bytes] | None = None
        self.asked: list[str] = []
        self.stale: dict[str, dict[str, Any]] = {}
        """Records as the app view still has them."""
        self.events: list[tuple[bytes, bytes]] = []
        """What was told to whoever listens: each as the firehose and as a Jetstream tell it."""
        self.kept_from = 0
        self._heard = threading.Condition()
        self._listeners: set[object] = set()
        self._ended = 0
        self._now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self._number = 0

    # --- what happens in the network ----------------------------------------------------------------------

    def join(self, name: str, display: str | None = None) -> str:
        """Somebody opens an account; their DID."""
        digest = hashlib.sha256(name.encode()).digest()
        did = "did:plc:" + base64.b32encode(digest).decode().lower()[:24]
        key = ec.derive_private_key(int.from_bytes(digest), ec.SECP256K1())
        self.accounts[did] = Repository(did, f"{name}.test", key)
        if display is not None:
            self.put(did, PROFILE, "self", {"displayName": display, "description": f"About {display}"})
        else:
            self._revised(self.accounts[did])
        return did

    def tick(self, seconds: int = 60) -> datetime:
        self._now += timedelta(seconds=seconds)
        return self._now

    def is_now(self, moment: datetime) -> None:
        """It is that moment in this network."""
        self._now = moment

    def tid(self) -> str:
        """A record key as the protocol makes them: the time in microseconds."""
        self._number += 1
        number = (int(self._now.timestamp() * 1_000_000) + self._number) << 10
        return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(12, -1, -1))

    def put(self, did: str, collection: str, rkey: str, record: Mapping[str, Any]) -> str:
        """Write a record, new or in place of another; its address."""
        account = self.accounts[did]
        self._revised(account)
        path = f"{collection}/{rkey}"
        action = "update" if path in account.records else "create"
        account.records[path] = {"$type": collection, **record}
        account.written[path] = account.rev
        self._committed(account, action, path)
        return f"at://{did}/{path}"

    def post(self, did: str, text: str, to: str | None = None, **more: Any) -> str:
        """Somebody says something, or answers what stands at `to`."""
        record: dict[str, Any] = {"text": text, "createdAt": _written(self.tick()), "langs": ["en"], **more}
        if to is not None:
            above = self.record(to)
            root = above["reply"]["root"] if above and "reply" in above else self.strong(to)
            record["reply"] = {"root": root, "parent": self.strong(to)}
        return self.put(did, POST, self.tid(), record)

    def edit(self, where: str, **changes: Any) -> None:
        did, collection, rkey = where.removeprefix("at://").split("/")
        record = {name: value for name, value in (self.record(where) or {}).items() if name != "$type"}
        self.put(did, collection, rkey, {**record, **changes})

    def delete(self, where: str) -> None:
        did, path = where.removeprefix("at://").split("/", 1)
        del self.accounts[did].records[path]
        self._revised(self.accounts[did])
        self._committed(self.accounts[did], "delete", path)

    def hide(self, root: str, *answers: str) -> str:
        """The page hides answers below a post of its own."""
        did, _, rkey = root.removeprefix("at://").split("/")
        gate = {"post": root, "hiddenReplies": list(answers), "createdAt": _written(self.tick())}
        return self.put(did, THREADGATE, rkey, gate)

    def without_tree(self, did: str) -> bytes:
        """An answer of an account's server that bears its commit, and no node of the tree that would prove anything."""
        root, _, blocks = self.accounts[did].commit()
        return car(root, {root: blocks[root]})

    def strong(self, where: str) -> dict[str, str]:
        did, path = where.removeprefix("at://").split("/", 1)
        held = self.accounts[did].records.get(path)
        return {
            "uri": where,
            "cid": link(self.accounts[did].block(path)).text if held else link(b"gone").text,
        }

    def record(self, where: str) -> dict[str, Any] | None:
        did, _, path = where.removeprefix("at://").partition("/")
        account = self.accounts.get(did)
        return None if account is None else account.records.get(path)

    def picture(self, name: str = "a") -> dict[str, Any]:
        """An embed with a picture of one colour."""
        where = link(name.encode(), 0x55).text
        blob = {"$type": "blob", "ref": {"$link": where}, "mimeType": "image/jpeg", "size": 7}
        return {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": f"picture {name}"}]}

    def _revised(self, account: Repository) -> None:
        self.tick(1)
        account.rev = self.tid()

    # --- what is told to whoever listens ------------------------------------------------------------------

    def tell(self, kind: str, said: dict[str, Any], jet: dict[str, Any] | None = None) -> None:
        """Tell everyone who listens, in the words of the firehose and of a Jetstream."""
        with self._heard:
            number = len(self.events) + 1
            frame = encode({"op": 1, "t": kind}) + encode({"seq": number, **said})
            self.events.append((frame, json.dumps({"time_us": number, **(jet or {})}).encode()))
            self._heard.notify_all()

    def _committed(self, account: Repository, action: str, path: str) -> None:
        root, _, blocks = account.commit()
        gone = action == "delete"
        block = b"" if gone else account.block(path)
        cid = None if gone else link(block)
        collection, _, rkey = path.partition("/")
        act = {"action": action, "path": path, "cid": cid}
        said = {"repo": account.did, "rev": account.rev, "commit": root, "ops": [act], "tooBig": False}
        said["blocks"] = packed_blocks(root, blocks, cid, block)
        commit: dict[str, Any] = {
            "rev": account.rev,
            "operation": action,
            "collection": collection,
            "rkey": rkey,
        }
        if cid is not None:
            commit |= {"record": account.records[path], "cid": cid.text}
        self.tell("#commit", said, {"did": account.did, "kind": "commit", "commit": commit})

    def account_is(self, did: str, status: str | None) -> None:
        """The platform, or its own people, change whether an account is shown."""
        said = {"did": did, "active": status is None, **({"status": status} if status else {})}
        self.tell("#account", said, {"did": did, "kind": "account", "account": said})

    def await_listener(self) -> None:
        with self._heard:
            assert self._heard.wait_for(lambda: self._listeners, timeout=5), "nobody listens"

    def hang_up(self) -> None:
        with self._heard:
            self._ended += 1
            self._listeners.clear()
            self._heard.notify_all()

    def _stirs(self, told: int, ended: int) -> bool:
        return len(self.events) > told or self._ended > ended

    def _listened(self, request: Talk) -> None:
        """Shake hands (RFC 6455) and tell what happens, until the world hangs up or nobody listens any longer."""
        self.asked.append(request.path)
        troubled = self.trouble("subscribe") if self.trouble else None
        if troubled is not None:
            request.say(*troubled, ends=True, bare=True)
            return
        parts = urlsplit(request.path)
        at = parse_qs(parts.query).get("cursor", [None])[0]
        jet = 1 if parts.path == "/subscribe" else 0
        who = object()
        with self._heard:
            told, ended = len(self.events) if at is None else int(at), self._ended
            self._listeners.add(who)
            self._heard.notify_all()
        try:
            self._shake_hands(request)
            self._tell(request, jet, told, ended)
        except OSError:
            return
        finally:
            with contextlib.suppress(OSError):
                request.wfile.write(b"\x88\x00")
                request.wfile.flush()
            request.close_connection = True
            with self._heard:
                self._listeners.discard(who)

    def _shake_hands(self, request: Talk) -> None:
        key = request.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest())
        request.send_response_only(101)
        request.send_header("Upgrade", "websocket")
        request.send_header("Connection", "Upgrade")
        request.send_header("Sec-WebSocket-Accept", accept.decode())
        request.end_headers()
        request.wfile.flush()

    def _tell(self, request: Talk, jet: int, told: int, ended: int) -> None:
        if told > len(self.events):
            refused = encode({"op": -1}) + encode(
                {"error": "FutureCursor", "message": "Cursor in the future."}
            )
            request.wfile.write(_message(refused, binary=True))
            return
        if told < self.kept_from:
            info = encode({"op": 1, "t": "#info"}) + encode({"name": "OutdatedCursor"})
            request.wfile.write(_message(info, binary=True))
            told = self.kept_from
        while True:
            with self._heard:
                self._heard.wait_for(partial(self._stirs, told, ended))
                waiting = self.events[told:]
            for event in waiting:
                request.wfile.write(_message(event[jet], binary=not jet))
            request.wfile.flush()
            told += len(waiting)
            if not waiting:
                return

    # --- the server ---------------------------------------------------------------------------------------

    def talk(self) -> type[Talk]:
        world = self

        class Handler(Talk):
            def get(self) -> None:
                if self.headers.get("Upgrade", "").lower() == "websocket":
                    world._listened(self)
                else:
                    self.tell(world.answer(self.path, self.headers, None))

            def post(self) -> None:
                self.tell(world.answer(self.path, self.headers, self.body()))

            def tell(self, answer: Answer) -> None:
                status, headers, body = answer
                told = {"Date": format_datetime(world._now, usegmt=True), **headers}
                self.say(status, told, body, bare=True)

        return Handler

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        super().__exit__()

    @property
    def base(self) -> str:
        return self.address

    def options(self) -> dict[str, str]:
        return {"appview": self.base, "directory": self.base + "/plc"}

    def at(self, address: str, **more: Any) -> Page:
        """A page in this network."""
        return Page(address=address, options=self.options(), **more)

    # --- its answers --------------------------------------------------------------------------------------

    def answer(self, target: str, headers: Any, body: bytes | None) -> Answer:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        method = parts.path.removeprefix("/xrpc/")
        self.asked.append(target)
        if self.before is not None:
            self.before(method)
        troubled = self.trouble(method) if self.trouble else None
        if troubled is not None:
            return troubled
        if method == "com.atproto.sync.getBlob":
            return 200, {"Content-Type": "image/jpeg"}, b"a picture"
        if parts.path.startswith("/plc/"):
            return self._document(parts.path.removeprefix("/plc/"))
        one = {name: values[0] for name, values in query.items()}
        try:
            said = self._xrpc(method, one, query, headers, body)
        except Refused as refused:
            told = {"error": refused.error, "message": refused.message}
            return refused.status, JSON, json.dumps(told, separators=(",", ":")).encode()
        if isinstance(said, bytes):
            said = self.corrupt(method, said) if self.corrupt else said
            return 200, CAR, said
        said = self.altered(method, said) if self.altered else said
        return 200, JSON, json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()

    def _document(self, did: str) -> Answer:
        account = self.accounts.get(did)
        status = self.missing_documents.get(did, 404 if account is None else 200)
        if account is None or status != 200:
            return status, JSON, json.dumps({"message": f"DID not registered: {did}"}).encode()
        public = account.key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        said = {
            "id": did,
            "alsoKnownAs": [f"at://{account.handle}"],
            "verificationMethod": [
                {"id": f"{did}#atproto", "type": "Multikey", "controller": did, "publicKeyMultibase": "z" + _base58(b"\xe7\x01" + public)}
            ],
            "service": [
                {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.base}
            ],
        }  # fmt: skip
        return 200, {"Content-Type": "application/did+ld+json; charset=utf-8"}, json.dumps(said).encode()

    def _xrpc(
        self,
        method: str,
        one: Mapping[str, str],
        query: Mapping[str, list[str]],
        headers: Any,
        body: bytes | None,
    ) -> Any:
        match method:
            case "com.atproto.identity.resolveHandle":
                return {"did": self._by_handle(one["handle"]).did}
            case "com.atproto.sync.getRepo":
                return self._repo(self._account(one["did"]), one.get("since"))
            case "com.atproto.sync.getRecord":
                return self._proof(self._account(one["did"]), f"{one['collection']}/{one['rkey']}")
            case "com.atproto.sync.getLatestCommit":
                account = self._account(one["did"])
                return {"cid": account.commit()[0].text, "rev": account.rev}
            case "com.atproto.repo.describeRepo":
                account = self._account(one["repo"])
                return {
                    "did": account.did,
                    "collections": sorted({path.partition("/")[0] for path in account.records}),
                }
            case "com.atproto.repo.getRecord":
                account, path = self._account(one["repo"]), f"{one['collection']}/{one['rkey']}"
                if path not in account.records:
                    raise Refused(
                        400, "RecordNotFound", f"Could not locate record: at://{account.did}/{path}"
                    )
                return {"uri": f"at://{account.did}/{path}", "value": account.records[path]}
            case "app.bsky.actor.getProfile":
                return {"did": one["actor"], "labels": []}
            case "app.bsky.feed.getPosts":
                shown = [self._post(where) for where in query["uris"] if self._indexed(where)]
                return {"posts": shown}
            case "app.bsky.feed.getPostThread":
                if not self._indexed(one["uri"]):
                    raise Refused(400, "NotFound", f"Post not found: {one['uri']}")
                return {"thread": self._node(one["uri"], min(int(one["depth"]), self.most_depth), top=True)}
            case "app.bsky.feed.getQuotes":
                quoting = [self._post(where) for where in self._quoting(one["uri"])]
                return {"uri": one["uri"], **self._paged("posts", quoting, one)}
            case _:
                return self._signed_in(method, one, headers, body)

    # --- repositories -------------------------------------------------------------------------------------

    def _by_handle(self, handle: str) -> Repository:
        for account in self.accounts.values():
            if account.handle == handle:
                return account
        raise Refused(400, "InvalidRequest", "Unable to resolve handle")

    def _account(self, did: str) -> Repository:
        account = self.accounts.get(did)
        if account is None:
            raise Refused(400, "RepoNotFound", f"Could not find repo for DID: {did}")
        if account.status is not None:
            raise Refused(400, account.status, f"Repo has been taken down: {did}")
        return account

    def _repo(self, account: Repository, since: str | None) -> bytes:
        root, _, blocks = account.commit()
        if since is not None and since >= account.rev:
            return car(root, {})
        records = {
            link(account.block(path)): account.block(path)
            for path in sorted(account.records)
            if since is None or account.written[path] > since
        }
        return car(root, {**blocks, **records})

    def _proof(self, account: Repository, path: str) -> bytes:
        root, _, blocks = account.commit()
        held = {link(account.block(path)): account.block(path)} if path in account.records else {}
        return car(root, {**blocks, **held})

    # --- the app view -------------------------------------------------------------------------------------

    def _indexed(self, where: str) -> bool:
        did = where.removeprefix("at://").partition("/")[0]
        account = self.accounts.get(did)
        shown = account is not None and account.status is None and where not in self.unindexed
        return shown and self.record(where) is not None

    def _all(self) -> list[str]:
        return sorted(
            (
                f"at://{account.did}/{path}"
                for account in self.accounts.values()
                for path in account.records
                if path.startswith(POST + "/")
            ),
            key=lambda where: where.rpartition("/")[2],
        )

    def _answering(self, where: str) -> list[str]:
        return [
            one
            for one in self._all()
            if self._indexed(one)
            and (self.record(one) or {}).get("reply", {}).get("parent", {}).get("uri") == where
        ]

    def _quoting(self, where: str) -> list[str]:
        return [
            one
            for one in self._all()
            if self._indexed(one)
            and (self.record(one) or {}).get("embed", {}).get("record", {}).get("uri") == where
        ]

    def _writer(self, did: str) -> dict[str, Any]:
        account = self.accounts[did]
        called = account.records.get(f"{PROFILE}/self", {}).get("displayName")
        return {
            "did": did,
            "handle": account.handle,
            **({"displayName": called} if called else {}),
            "labels": [],
        }

    def _post(self, where: str) -> dict[str, Any]:
        did, _, rkey = where.removeprefix("at://").split("/")
        record = self.stale.get(where) or self.record(where)
        assert record is not None
        told: dict[str, Any] = {
            "uri": where,
            "cid": link(encode(_cbor(record))).text,
            "author": self._writer(did),
            "record": record,
            "bookmarkCount": 0,
            "replyCount": len(self._answering(where)) + self.counts_more.get(where, 0),
            "repostCount": 0,
            "likeCount": self.likes.get(where, 0),
            "quoteCount": len(self._quoting(where)),
            "indexedAt": record["createdAt"],
            "labels": [],
        }
        if "images" in record.get("embed", {}):
            host = f"{self.base}/img/{self.picture_version}"
            told["embed"] = {
                "$type": "app.bsky.embed.images#view",
                "images": [
                    {"thumb": f"{host}/t/{one['image']['ref']['$link']}", "fullsize": f"{host}/f/{one['image']['ref']['$link']}", "alt": one["alt"]}
                    for one in record["embed"]["images"]
                ],
            }  # fmt: skip
        gate = self.record(f"at://{did}/{THREADGATE}/{rkey}")
        if gate is not None:
            told["threadgate"] = {"uri": f"at://{did}/{THREADGATE}/{rkey}", "record": gate, "lists": []}
        return told

    def _node(self, where: str, depth: int, *, top: bool = False) -> dict[str, Any]:
        if where in self.blocked and not top:
            did = where.removeprefix("at://").partition("/")[0]
            author = {"did": did, "viewer": {"blockedBy": False}}
            return {
                "$type": "app.bsky.feed.defs#blockedPost",
                "uri": where,
                "blocked": True,
                "author": author,
            }
        node: dict[str, Any] = {"post": self._post(where)}
        if depth > 0:
            node["replies"] = [self._node(one, depth - 1) for one in self._answering(where)]
        if self.loops and depth == 0:
            node["post"]["replyCount"] = 1
        return {**node, "threadContext": {}, "$type": "app.bsky.feed.defs#threadViewPost"}

    def _paged(self, name: str, items: Sequence[Any], one: Mapping[str, str]) -> dict[str, Any]:
        start = int(one.get("cursor", "0"))
        end = start + min(int(one.get("limit", "50")), self.page_most)
        if self.loops:
            return {name: list(items[:1]), "cursor": "0"}
        return {name: list(items[start:end]), **({"cursor": str(end)} if end < len(items) else {})}

    # --- what needs a session -----------------------------------------------------------------------------

    def _signed_in(self, method: str, one: Mapping[str, str], headers: Any, body: bytes | None) -> Any:
        if method == "com.atproto.server.createSession":
            said = json.loads(body or b"{}")
            if not self.accepts_password or said.get("password") != self.app_password:
                raise Refused(401, "AuthenticationRequired", "Invalid identifier or password")
            return {
                "did": said["identifier"],
                "accessJwt": self.access,
                "refreshJwt": self.refresh,
                "active": True,
            }
        if headers.get("Authorization") != f"Bearer {self.access}" or not self.accepts_password:
            raise Refused(401, "AuthMissing", "Authentication Required")
        match method:
            case "app.bsky.actor.getPreferences":
                return {"preferences": self.preferences}
            case "app.bsky.graph.getMutes":
                return self._paged("mutes", [self._writer(did) for did in self.mutes], one)
            case "app.bsky.notification.listNotifications":
                return self._paged("notifications", self._notices(), one)
            case _:
                return self._chat(method, one, headers)

    def _chat(self, method: str, one: Mapping[str, str], headers: Any) -> Any:
        if headers.get("atproto-proxy") != "did:web:api.bsky.chat#bsky_chat" or not self.opens_messages:
            raise Refused(401, "InvalidToken", "Bad token method")
        match method:
            case "chat.bsky.convo.listConvos":
                members = [self._writer(did) for did in self.accounts]
                convos = [{"id": name, "rev": "1", "members": members} for name in self.convos]
                return self._paged("convos", convos, one)
            case "chat.bsky.convo.getMessages":
                return self._paged("messages", self.convos[one["convoId"]], one)
            case _:
                raise Refused(501, "MethodNotImplemented", "Method Not Implemented")

    def _notices(self) -> list[dict[str, Any]]:
        """What anybody says to anybody, as far as it is shown: every mention, answer and quotation, newest first."""
        told = []
        for where in filter(self._indexed, reversed(self._all())):
            record = self.record(where) or {}
            reason = (
                "reply"
                if "reply" in record
                else "quote"
                if "record" in record.get("embed", {})
                else "mention"
            )
            if reason != "mention" or "@" in record["text"]:
                told.append(
                    {
                        "uri": where,
                        "cid": link(encode(_cbor(record))).text,
                        "author": self._writer(where.removeprefix("at://").partition("/")[0]),
                        "reason": reason,
                        "record": record,
                        "isRead": False,
                        "indexedAt": record["createdAt"],
                        "labels": [],
                    }
                )
        return told


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class PromisedWorld(BlueskyWorld):
    """The network as the promises want it: an agency's account with posts, answers, a quotation and a picture."""

    def __init__(self, *, connected: bool = False) -> None:
        super().__init__()
        self.connected = connected
        self.agency = self.join("citypd", "City PD")
        self.visitor = self.join("jopublic", "Jo Public")
        self.other = self.join("al")
        self.ice = self.post(self.agency, "Ice on the bridge.")
        self.salt = self.post(self.visitor, "Salt it.", to=self.ice)
        self.tick(30 * 24 * 3600)
        self.closed = self.post(self.agency, "Main Street is closed.", embed=self.picture())
        self.detour = self.post(
            self.visitor, "Which way is the detour?", to=self.closed, embed=self.picture("b")
        )
        self.left = self.post(self.agency, "Left at the mill.", to=self.detour)
        self.rude = self.post(self.other, "Clowns.", to=self.closed)
        self.open = self.post(self.agency, "Main Street is open again.")
        quoting = {"$type": "app.bsky.embed.record", "record": self.strong(self.open)}
        self.quotation = self.post(self.other, "At last.", embed=quoting)
        self.second_quotation = self.post(self.visitor, "See below.", embed=quoting)
        self.gate = self.hide(self.closed, self.rude)
        self.put(self.agency, BLOCK, self.tid(), {"subject": self.other, "createdAt": _written(self.tick())})
        if connected:
            self.mention = self.post(self.visitor, "@citypd.test is this right?")
            self.preferences = [{"$type": "app.bsky.actor.defs#mutedWordsPref", "items": [{"value": "spam", "targets": ["content"]}]}]  # fmt: skip
            said = {"$type": "chat.bsky.convo.defs#messageView", "id": "m1", "rev": "1", "text": "Help", "sender": {"did": self.visitor}, "sentAt": "2026-03-01T09:00:00.000Z"}  # fmt: skip
            self.convos["c1"] = [said]

    @property
    def page(self) -> Page:
        return self.at("https://bsky.app/profile/citypd.test")

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"app_password": self.app_password} if self.connected else {}

    @property
    def client_options(self) -> Mapping[str, Any]:
        return {}

    @property
    def cannot(self) -> Mapping[str, str]:
        told = {
            "stream_remove": "an account's own server tells of the account alone, and this is a visitor's answer"
        }
        return told if self.connected else {**told, "revoke": "the page is public: no credentials to revoke"}

    def shows(self) -> Collection[str]:
        own = [
            f"at://{self.agency}/{path}"
            for path in self.accounts[self.agency].records
            if not path.startswith(BLOCK)
        ]
        others = [self.salt, self.detour, self.rude, self.quotation, self.second_quotation]
        more = [self.agency, f"at://{self.agency}/{BLOCK}"]
        if self.connected:
            more += [self.mention, "chat:c1/m1", self.agency + "#preferences", self.agency + "#mutes"]
        return {*own, *(one for one in others if self.record(one)), *more}

    def publish(self) -> str:
        return self.post(self.agency, "And it stays open.")

    def edit(self, where: str = "", **changes: Any) -> str:  # type: ignore[override]  # the promises name nothing
        super().edit(where or self.open, **(changes or {"text": "Main Street is open."}))
        return where or self.open

    def remove(self) -> str:
        self.delete(self.detour)
        return self.detour

    def recount(self) -> None:
        self.likes[self.closed] = 7

    def expire(self) -> None:
        self.picture_version += 1

    def loop(self) -> None:
        self.loops = True

    def throttle(self, after: int) -> timedelta | None:
        reset = str(int(self._now.timestamp()) + 120)
        said = {**JSON, "RateLimit-Limit": "3000", "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
        refusal = b'{"error":"RateLimitExceeded","message":"Rate Limit Exceeded"}'
        self._after(after, lambda: (429, said, refusal))
        return timedelta(seconds=120)

    def sign_in(self, after: int) -> None:
        self._after(after, lambda: (200, HTML, SIGN_IN))

    def cut(self, after: int) -> None:
        self._after(after, lambda: (200, {**JSON, "Content-Length": "5000"}, b'{"thread":{"post":'))

    def fail(self, after: int) -> None:
        self._after(
            after, lambda: (500, JSON, b'{"error":"InternalServerError","message":"Internal Server Error"}')
        )

    def revoke(self, after: int) -> None:
        self._after(
            after, lambda: (401, JSON, b'{"error":"AuthMissing","message":"Authentication Required"}')
        )

    def recover(self) -> None:
        self.trouble = None

    def _after(self, after: int, answer: Callable[[], Answer]) -> None:
        left = [after]

        def trouble(_method: str) -> Answer | None:
            left[0] -= 1
            return answer() if left[0] < 0 else None

        self.trouble = trouble
