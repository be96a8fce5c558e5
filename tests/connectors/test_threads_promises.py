"""Threads keeps what every connector promises."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.promises import ConnectorPromises
from connectors.threads import Threads
from tests.connectors.worlds.threads_world import PromisedThreads, ThreadsWorld


class TestThreads(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedThreads]:
        return PromisedThreads()

    def connector(self, client: Client) -> Connector:
        return Threads(client, ThreadsWorld.secrets)
