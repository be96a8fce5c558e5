"""What every test can count on: no network but this machine's loopback, and a database server on request."""

from __future__ import annotations

import os
import sys
from ipaddress import ip_address
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings

from app import ROOT, main

pytest_plugins = ["tests.postgres", "tests.archives", "tests.sinks"]


# The same examples at every run, and no clock that stops one: what is drawn anew, and for long, is `make soak`.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None)
settings.load_profile(os.environ.get("MUNIMENT_EXAMPLES", "suite"))


class NeverByChance(Random):
    """What happens now and then does not happen in tests, which would then say another thing now and then."""

    def random(self) -> float:
        return 1.0


main._CHANCE = NeverByChance()  # type: ignore[assignment]  # no test asks the machine for chance


class NetworkForbidden(RuntimeError):
    """A test tried to reach beyond the loopback. Not an OSError, so that no client takes it for an outage."""


def _loopback(host: object) -> bool:
    """Whether `host` is an address of this machine's loopback, or none at all."""
    if host in {None, "", "localhost", b"localhost"}:
        return True
    try:
        return ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:  # a name: to resolve it would ask the network
        return False


def _stay_home(event: str, args: tuple[object, ...]) -> None:
    """Refuse, below every client and every library, to resolve, connect or send to anywhere else."""
    if event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        host = args[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(
        args[1], tuple
    ):  # a path is a Unix socket
        host = args[1][0]
    else:
        return
    if not _loopback(host):
        raise NetworkForbidden(f"tests reach nothing but the loopback, and this one asked for {host!r}")


sys.addaudithook(_stay_home)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The project's reading and recordings beside the checkout; they are not part of it."""
    folder = Path(os.environ.get("MUNIMENT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there; MUNIMENT_SHARED names another place")
    return folder
