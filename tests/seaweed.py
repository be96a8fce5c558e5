"""A throw-away S3-compatible storage with Object Lock: SeaweedFS, one for each test module, a bucket for each test.

`.ci/seaweed.sh` installs it into a cache folder (`MUNIMENT_LIVE_CACHE` names
its parent). It listens on loopback alone and keeps its data in a temporary
folder. A keeper, a small shell that waits for its standard input to close,
ends it and removes the folder however the tests end: even a killed process
closes its pipes.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.store.s3_requests import Requests, open_client

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

SECONDS = 60
"""How long starting may take on a machine that is busy with other things; it is one where it is not."""
_CACHE = (
    Path(
        os.environ.get("MUNIMENT_LIVE_CACHE")
        or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "muniment-live"
    )
    / "seaweed"
)
_KEEPER = """
folder=$1; shift
exec 3<&0
"$@" 3<&- &
server=$!
{ read -r _ <&3; kill -KILL $server; } &
wait $server
kill $! 2>/dev/null
rm -rf "$folder"
"""
_KEEPING = ["GetObjectRetention", "GetBucketObjectLockConfiguration"]
PEOPLE = {
    "keeper": ["Read", "Write", "List", "PutObjectRetention", "GetObjectLegalHold", *_KEEPING],
    "disposer": ["Read", "Write", "List", "BypassGovernanceRetention", *_KEEPING],
    "reader": ["Read", "List"],
    "admin": ["Admin", "Read", "Write", "List", "Tagging"],
}
"""Who may do what, in SeaweedFS's own words: as docs/operators-s3.md divides it, and somebody who may do everything."""


class Seaweed:
    """A running storage; `address` is S3, `filer` the door behind it that knows no lock."""

    def __init__(self, program: Path) -> None:
        self._numbers = count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="muniment-s3-"))
        names = ("s3", "filer", "master", "volume", "admin")
        free = iter(_free_ports(2 * len(names)))
        ports = {name: (next(free), next(free)) for name in names}
        self.port = ports["s3"][0]
        self.address = f"http://127.0.0.1:{self.port}"
        self.filer = f"127.0.0.1:{ports['filer'][0]}"
        self.credentials = self.folder / "credentials"
        self._write_people()
        command = [str(program), "mini", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += [f"-{name}.port={port}" for name, (port, _) in ports.items()]
        command += [f"-{name}.port.grpc={port}" for name, (_, port) in ports.items()]
        command += [f"-{name}.localSocket={self.folder / name}.sock" for name in ("s3", "filer")]
        command += ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        command += ["-master.telemetry=false", "-s3.autoCreateBucket=false"]
        command += [f"-s3.config={self.folder / 'people.json'}"]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", str(self.folder), *command],
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=self._said,
            cwd=self.folder,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder)},
            start_new_session=True,
        )
        self.client = cache(self._client)
        self.common = cache(self.bucket)
        """A bucket for those who need only a place in one: making one takes as long as a test."""

    def _write_people(self) -> None:
        people = [
            {"name": who, "credentials": [{"accessKey": who.upper(), "secretKey": f"secret-{who}"}], "actions": may}
            for who, may in PEOPLE.items()
        ]  # fmt: skip
        (self.folder / "people.json").write_text(json.dumps({"identities": people}))
        self.credentials.write_text(
            "".join(
                f"[{who}]\naws_access_key_id = {who.upper()}\naws_secret_access_key = secret-{who}\n"
                for who in PEOPLE
            )
            + "[stranger]\naws_access_key_id = NOBODY\naws_secret_access_key = secret\n"
            + "[liar]\naws_access_key_id = KEEPER\naws_secret_access_key = wrong\n"
        )

    def wait(self) -> None:
        """Wait until it answers, or say what it said when it ended instead."""
        until = time.monotonic() + SECONDS
        while self._keeper.poll() is None and time.monotonic() < until:
            asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                asking.request("GET", "/")
                if asking.getresponse().status == 403:  # it is there, and asks who we are
                    return
            except OSError:
                select.select([], [], [], 0.02)  # another process is starting; there is nothing to be told by
            finally:
                asking.close()
        self._said.seek(0)
        pytest.fail(f"SeaweedFS did not start:\n{self._said.read().decode(errors='replace')[-2000:]}")

    def _client(self, who: str) -> S3Client:
        return open_client(endpoint=self.address, profile=who, seconds=20)

    def requests(self, who: str, bucket: str) -> Requests:
        """What somebody may ask of a bucket; between tries nobody waits."""
        return Requests(self.client(who), bucket, wait=lambda _seconds: None)

    def bucket(self, *, lock: bool = False) -> str:
        """The name of a new bucket."""
        name = f"town-{next(self._numbers)}"
        if lock:
            self.client("admin").create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        else:
            self.client("admin").create_bucket(Bucket=name)
        return name

    def prefix(self) -> str:
        """A place in a bucket that nobody else has."""
        return f"archive/{next(self._numbers)}"

    def stop(self) -> None:
        """Have the keeper end the server and remove every byte of it."""
        for who in (*PEOPLE, "stranger", "liar"):
            self.client(who).close()
        self._keeper.communicate(timeout=SECONDS)
        self._said.close()
        shutil.rmtree(self.folder, ignore_errors=True)


Trouble = Callable[[str, str], str | None]
"""What a request meets, told by its method and target: None, or one of the ways of `Between`."""


class Between:
    """A way to the storage on which things go wrong: a server between the two that does what it is told.

    `lost` drops a request before the storage sees it, `unanswered` after,
    `half` ends an answer in its middle, `never` keeps the asker waiting, and
    `503 SlowDown` (a status and a code) answers in the storage's place.
    """

    def __init__(self, storage: Seaweed) -> None:
        self.storage = storage
        self.meets: Trouble = lambda _method, _target: None
        self.seen: list[str] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._runs = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._runs.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def next(self, *troubles: str) -> None:
        """The next requests meet these, one each; then all is well."""
        left = list(troubles)

        def meets(method: str, _target: str) -> str | None:
            mute = method == "HEAD" and left and left[0].startswith("4")  # no body could say which 4xx it is
            return left.pop(0) if left and not mute else None

        self.meets = meets

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._runs.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body leave together

            def handle_expect_100(self) -> bool:
                go_on = super().handle_expect_100()
                self.wfile.flush()
                return go_on

            def answer(self) -> None:
                between.seen.append(f"{self.command} {self.path}")
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                trouble = between.meets(self.command, self.path)
                if trouble == "never":
                    between._over.wait(SECONDS)
                if trouble in ("lost", "never"):
                    self.close_connection = True
                elif trouble and trouble[0].isdigit():
                    self._refuse(*trouble.split(maxsplit=2))
                else:
                    self._pass(body, trouble)

            def _refuse(self, status: str, code: str, header: str = "") -> None:
                told = b"" if self.command == "HEAD" else f"<Error><Code>{code}</Code></Error>".encode()
                self.send_response(int(status))
                name, _, value = header.partition(": ")
                if name:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def _pass(self, body: bytes, trouble: str | None) -> None:
                on = http.client.HTTPConnection("127.0.0.1", between.storage.port, timeout=SECONDS)
                headers = {name: value for name, value in self.headers.items() if name != "Expect"}
                on.request(self.command, self.path, body, headers)
                answered = on.getresponse()
                data = answered.read()
                on.close()
                if trouble == "unanswered":
                    self.close_connection = True
                    return
                self.send_response(answered.status)
                for name, value in answered.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                        self.send_header(name, value)
                length = answered.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
                self.send_header("Content-Length", length or "0")
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if trouble == "half" else data)
                self.close_connection = self.close_connection or trouble == "half"

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server's own names

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is said on standard error."""

            def send_response(self, code: int, message: str | None = None) -> None:
                """Without a date and a server of our own beside the storage's."""
                self.send_response_only(code, message)

        return Handler


def _free_ports(number: int) -> list[int]:
    """Ports that nobody listens on, held together so that none comes twice."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def serving() -> Iterator[Seaweed]:
    """A storage for as long as it is needed; where it is not installed the test is skipped, or fails in CI."""
    program = _CACHE / "bin" / "weed"
    if not program.is_file():
        why = f"SeaweedFS is not in {_CACHE}: run .ci/seaweed.sh, or set MUNIMENT_LIVE_CACHE"
        if os.environ.get("CI") == "true" and "SeaweedFS" not in os.environ.get("MUNIMENT_LIVE_WITHOUT", ""):
            pytest.fail(f"{why}; with CI=true its tests must run", pytrace=False)
        pytest.skip(why)
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        storage = Seaweed(program)
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(storage.credentials))
        environment.setenv("AWS_CONFIG_FILE", os.devnull)
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.setenv("NO_PROXY", "127.0.0.1")
        try:
            storage.wait()
            yield storage
        finally:
            storage.stop()
