"""A real browser, spoken to over a pipe (Chrome DevTools Protocol), on this machine's loopback only."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """Where a Chromium is, if one is installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Chromium:
    """One browser with one tab."""

    def __init__(self, binary: str, profile: Path) -> None:
        to_it, ours = os.pipe()
        theirs, from_it = os.pipe()

        def place() -> None:  # the protocol lives on descriptors 3 and 4
            first, second = os.dup(to_it), os.dup(from_it)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [binary, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place,  # noqa: PLW1509 - it only moves descriptors
            close_fds=False,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(to_it)
        os.close(from_it)
        self._out, self._in = os.fdopen(ours, "wb", 0), os.fdopen(theirs, "rb")
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self._waiting = b""
        self.said: list[str] = []
        """What the browser complained about: refused content, failed loads, console errors."""
        tab = next(one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=tab["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self._out.close()
        self._in.close()

    def ask(self, method: str, **params: Any) -> Any:
        """Send one command and return its answer."""
        number = next(self._numbers)
        told: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            told["sessionId"] = self._session
        self._out.write(json.dumps(told).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def go(self, address: str) -> None:
        """Open an address and wait until it has loaded."""
        self.ask("Page.navigate", url=address)
        self._until("Page.loadEventFired")

    def press(self, selector: str) -> None:
        """Press what `selector` names and wait for the page that follows."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        self._until("Page.loadEventFired")

    def write(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.ask("Input.insertText", text=text)

    def evaluate(self, expression: str) -> Any:
        """What an expression gives in the page."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"].get("description", expression))
        return told["result"].get("value")

    def widen(self, width: int, height: int = 900) -> None:
        """Be a window of that width."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def picture(self) -> bytes:
        """The whole page as PNG."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6_000), "scale": 1}
        told = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(told["data"])

    def _until(self, method: str) -> None:
        while self._next().get("method") != method:
            pass

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            part = os.read(self._in.fileno(), 1 << 16)
            if not part:
                raise RuntimeError("the browser has ended")
            self._waiting += part
        line, _, self._waiting = self._waiting.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if message.get("method") == "Log.entryAdded":
            self.said.append(message["params"]["entry"]["text"])
        return message
