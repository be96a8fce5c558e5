"""No test reaches beyond this machine, whatever it asks with."""

from __future__ import annotations

import socket

import httpx
import pytest

# An address that is set aside for documentation, and a name that never resolves.
ADDRESS, NAME = "192.0.2.1", "town.invalid"


@pytest.mark.parametrize("host", [ADDRESS, NAME, "2001:db8::1"])
def test_nothing_else_is_connected_to(host: str):
    with pytest.raises(RuntimeError, match="nothing but the loopback"):
        socket.create_connection((host, 80), timeout=1)


def test_no_client_takes_it_for_an_outage():
    with httpx.Client() as client, pytest.raises(RuntimeError, match="nothing but the loopback"):
        client.get(f"http://{NAME}/")


def test_no_name_is_resolved():
    with pytest.raises(RuntimeError, match="nothing but the loopback"):
        socket.getaddrinfo(NAME, 80)


def test_nothing_is_sent_without_a_connection():
    sender = socket.socket(type=socket.SOCK_DGRAM)
    with sender, pytest.raises(RuntimeError, match="nothing but the loopback"):
        sender.sendto(b"words", (ADDRESS, 9))


def test_the_loopback_answers():
    """The twin: a server on this machine is reached, by address and by name."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            with socket.create_connection((host, server.getsockname()[1]), timeout=5) as asking:
                answering, _ = server.accept()
                answering.sendall(b"words")
                assert asking.recv(5) == b"words"
                answering.close()
