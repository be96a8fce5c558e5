"""How a page looked, made from what was captured and from nothing else.

Chromium is given each answer out of the recorded exchanges: every request that
it makes is stopped before it leaves the browser and answered from the evidence,
or refused where the evidence has no answer. Beside that its names resolve to
nothing and its only proxy is a port on which nobody listens, so that a request
that escaped would reach nobody. Scripts are off unless an officer asked for
them. So a rendition shows what is kept, and can be made again when the site is
long gone.

The browser runs in a process group of its own, in a profile that lies in
memory where the machine offers that, within a bound of time and of memory, and
the whole group is ended afterwards, however it went.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from connectors.webpage import places

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MEDIA_TYPES: Mapping[str, str] = {"screenshot": "image/png", "pdf": "application/pdf"}

_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--incognito",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process,OptimizationHints,MediaRouter,Translate,LazyFrameLoading",
    "--blink-settings=lazyLoadEnabled=false",
    "--disk-cache-size=1",
    "--mute-audio",
    "--metrics-recording-only",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--renderer-process-limit=2",
    "--js-flags=--max-old-space-size=256",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
)
_LAUNCH = """
import fcntl, os, resource, sys
ears, mouth = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3])
os.dup2(ears, 3)
os.dup2(mouth, 4)
most = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.closerange(5, 256)
os.execv(sys.argv[4], sys.argv[4:])
"""
"""Gives Chromium its pipe where it looks for it, and its bound of memory, and then becomes Chromium.

Not done between fork and exec of this process: it has threads, and only a
program of its own may do more there than begin another.
"""

_WIDTH, _HEIGHT = 1280, 900
_TALLEST = 16_000
_QUIET = 0.25
"""Seconds without a request after which a page that has loaded is taken for settled."""
_MOST_OUT = 64 * 1024 * 1024
_MOST_SAID = 256 * 1024 * 1024


class NotRendered(Exception):
    """No rendition could be made, and why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was recorded under an address: status, media type with its charset, and the bytes."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Replay:
    """What a page and its files answered: everything that a rendition may show."""

    address: str
    answers: Mapping[str, Answer]
    """By the addresses under which they were asked for."""

    def answer(self, address: str) -> Answer | None:
        """The recorded answer; http and https are not told apart, and a parameter against caches is overlooked."""
        wanted = _spelt(address)
        whole = {_spelt(asked): one for asked, one in self.answers.items()}
        if wanted in whole:
            return whole[wanted]
        alike = {places.file_key(f"x://{spelt}"): one for spelt, one in whole.items()}
        return alike.get(places.file_key(f"x://{wanted}"))


def _spelt(address: str) -> str:
    """An address without scheme and fragment, escaped as browsers escape it."""
    return quote(places.key(address).partition("#")[0], safe="%/:?#[]@!$&'()*+,;=~|")


class Renders(Protocol):
    """Whatever makes renditions."""

    def available(self) -> bool:
        """Whether renditions can be made on this machine."""
        ...

    def render(
        self, replay: Replay, kinds: Sequence[str], *, scripts: bool = False, sandbox: bool = True
    ) -> tuple[dict[str, bytes], str]:
        """Render "screenshot" (PNG) and "pdf"; return the files by kind, and the program. Raises `NotRendered`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chromium:
    """Renders with the Chromium that is installed. `within` bounds one page in seconds, `memory` each process in bytes."""

    find: Callable[[str], str | None] = shutil.which
    within: float = 60.0
    memory: int = 4 << 30
    monotonic: Callable[[], float] = time.monotonic

    def program(self) -> str | None:
        """Where Chromium is, if it is installed."""
        return next((found for name in PROGRAMS if (found := self.find(name))), None)

    def available(self) -> bool:
        """Whether Chromium is installed."""
        return self.program() is not None

    def render(
        self, replay: Replay, kinds: Sequence[str], *, scripts: bool = False, sandbox: bool = True
    ) -> tuple[dict[str, bytes], str]:
        """Render a page from its replay; see `Renders`."""
        program = self.program()
        if program is None:
            raise NotRendered("Chromium is not installed")
        until = self.monotonic() + self.within
        try:
            with self._running(program, until, sandbox=sandbox) as browser:
                product = str(browser.ask("Browser.getVersion")["product"])
                return _Tab(browser, replay, scripts=scripts).renditions(kinds), product
        except (OSError, KeyError, ValueError) as fault:
            raise NotRendered(f"Chromium failed: {type(fault).__name__}: {fault}") from fault

    @contextmanager
    def _running(self, program: str, until: float, *, sandbox: bool) -> Iterator[_Browser]:
        memory = "/dev/shm"  # noqa: S108 - a place in memory, where the folder below gets a name of its own
        where = memory if os.access(memory, os.W_OK) else None
        with tempfile.TemporaryDirectory(
            prefix="muniment-", dir=where, ignore_cleanup_errors=True
        ) as profile:
            to_it, ours = os.pipe()
            theirs, from_it = os.pipe()
            # Root cannot use Chromium's sandbox; anyone else does unless the page's officer said that it cannot be had.
            open_box = [] if sandbox and os.geteuid() != 0 else ["--no-sandbox"]
            process = subprocess.Popen(  # noqa: S603 - our own program, found on the path, with flags of ours
                [
                    sys.executable, "-I", "-S", "-c", _LAUNCH, str(to_it), str(from_it), str(self.memory),
                    program, *_FLAGS, *open_box,
                    f"--user-data-dir={profile}", f"--window-size={_WIDTH},{_HEIGHT}", "about:blank",
                ],
                pass_fds=(to_it, from_it),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": profile, "TMPDIR": profile, "LANG": "C.UTF-8"},
                cwd=profile,
            )  # fmt: skip
            os.close(to_it)
            os.close(from_it)
            try:
                yield _Browser(ours, theirs, until, self.monotonic)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                os.close(ours)
                os.close(theirs)
                _ended(process.pid)


def _ended(group: int) -> None:
    """Wait until none of the group runs, so that nothing writes into the profile that is removed next."""
    for _ in range(500):
        running = False
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, ValueError):
                state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
                running |= int(its_group) == group and state not in {"Z", "X"}
        if not running:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        select.select([], [], [], 0.01)


@dataclass(slots=True)
class _Browser:
    """One browser, spoken to over a pipe (Chrome DevTools Protocol)."""

    out: int
    back: int
    until: float
    monotonic: Callable[[], float]
    session: str | None = None
    _number: int = 0
    _waiting: bytearray = field(default_factory=bytearray)

    def tell(self, method: str, **params: Any) -> int:
        """Send a command without waiting for its answer."""
        self._number += 1
        told: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self.session:
            told["sessionId"] = self.session
        waiting = memoryview(json.dumps(told).encode() + b"\0")
        while waiting:
            left = self.until - self.monotonic()
            if left <= 0 or not select.select([], [self.out], [], left)[1]:
                raise NotRendered("the page took too long to render")
            try:
                # A pipe takes a page's worth without blocking once it is writable (POSIX: PIPE_BUF).
                waiting = waiting[os.write(self.out, waiting[: select.PIPE_BUF]) :]
            except BrokenPipeError:
                raise NotRendered("Chromium ended") from None
        return self._number

    def ask(
        self, method: str, notice: Callable[[Mapping[str, Any]], None] | None = None, **params: Any
    ) -> dict[str, Any]:
        """Send a command and return its answer; what happens meanwhile is given to `notice`."""
        number = self.tell(method, **params)
        while True:
            message = self.next(None)
            if message is None:
                continue
            if message.get("id") == number:
                if "error" in message:
                    raise NotRendered(f"{method}: {message['error'].get('message')}")
                result: dict[str, Any] = message["result"]
                return result
            if notice is not None:
                notice(message)

    def next(self, within: float | None) -> dict[str, Any] | None:
        """The next message, None where none came `within` seconds."""
        while True:
            end = self._waiting.find(b"\0")
            if end >= 0:
                line = bytes(self._waiting[:end])
                del self._waiting[: end + 1]
                message: dict[str, Any] = json.loads(line)
                return message
            left = self.until - self.monotonic()
            if left <= 0:
                raise NotRendered("the page took too long to render")
            if not select.select([self.back], [], [], left if within is None else min(left, within))[0]:
                if within is not None:
                    return None
                continue
            part = os.read(self.back, 1 << 20)
            if not part:
                raise NotRendered(
                    "Chromium ended; where it may not use its sandbox, the option sandbox=no lets it run without"
                )
            self._waiting += part
            if len(self._waiting) > _MOST_SAID:
                raise NotRendered("the rendition is too large")


class _Tab:
    """One page in the browser, answered from its replay."""

    def __init__(self, browser: _Browser, replay: Replay, *, scripts: bool) -> None:
        self._browser, self._replay, self._scripts = browser, replay, scripts
        self._arrived = False
        self._loaded = False

    def renditions(self, kinds: Sequence[str]) -> dict[str, bytes]:
        """Open the page, let it settle, and take what is asked for."""
        ask = self._ask
        tabs = ask("Target.getTargets")["targetInfos"]
        tab = next(one for one in tabs if one["type"] == "page")
        self._browser.session = str(
            ask("Target.attachToTarget", targetId=tab["targetId"], flatten=True)["sessionId"]
        )
        ask("Fetch.enable", patterns=[{"urlPattern": "*"}])
        ask("Page.enable")
        ask("Emulation.setScriptExecutionDisabled", value=not self._scripts)
        ask(
            "Emulation.setDeviceMetricsOverride",
            width=_WIDTH,
            height=_HEIGHT,
            deviceScaleFactor=1,
            mobile=False,
        )
        self._browser.tell("Page.navigate", url=self._replay.address)
        self._settle()
        made: dict[str, bytes] = {}
        for kind in kinds:
            made[kind] = self._screenshot() if kind == "screenshot" else self._pdf()
            if not made[kind] or len(made[kind]) > _MOST_OUT:
                raise NotRendered("the rendition is empty or too large")
        return made

    def _screenshot(self) -> bytes:
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": _WIDTH, "height": min(max(size["height"], 1), _TALLEST), "scale": 1}
        return base64.b64decode(
            self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        )

    def _pdf(self) -> bytes:
        return base64.b64decode(self._ask("Page.printToPDF", printBackground=True)["data"])

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the browser; the requests that the page makes meanwhile are answered too."""
        return self._browser.ask(method, self._notice, **params)

    def _settle(self) -> None:
        """Answer the page's requests until it has loaded, and until none has come for a moment."""
        while not self._loaded:
            message = self._browser.next(None)
            if message is not None:
                self._notice(message)
        while (message := self._browser.next(_QUIET)) is not None:
            self._notice(message)

    def _notice(self, message: Mapping[str, Any]) -> None:
        match message.get("method"):
            case "Fetch.requestPaused":
                self._answer(message["params"])
            case "Page.loadEventFired":
                self._loaded = self._arrived
            case "Inspector.targetCrashed":
                raise NotRendered("the page was too much for Chromium")
            case "Page.javascriptDialogOpening":
                self._browser.tell("Page.handleJavaScriptDialog", accept=False)
            case _:
                pass

    def _answer(self, asked: Mapping[str, Any]) -> None:
        """Give the recorded answer to one request, and refuse what was not recorded.

        The first document is the page. Every other one is a frame, which is not
        captured, or wants to take the page's place.
        """
        request, is_document = asked["requestId"], asked.get("resourceType") == "Document"
        found = None
        if asked["request"]["method"] == "GET" and not (is_document and self._arrived):
            found = self._replay.answer(str(asked["request"]["url"]))
        self._arrived |= is_document
        if found is None:
            reason = "Aborted" if is_document else "InternetDisconnected"
            self._browser.tell("Fetch.failRequest", requestId=request, errorReason=reason)
            return
        headers = [
            ("Content-Type", found.content_type or "application/octet-stream"),
            ("Access-Control-Allow-Origin", "*"),
        ]
        self._browser.tell(
            "Fetch.fulfillRequest",
            requestId=request,
            responseCode=found.status,
            responseHeaders=[{"name": name, "value": value} for name, value in headers],
            body=base64.b64encode(found.body).decode(),
        )
