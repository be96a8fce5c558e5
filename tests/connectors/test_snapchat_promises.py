"""Snapchat keeps what every connector promises."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.promises import ConnectorPromises
from connectors.snapchat import Snapchat
from tests.connectors.worlds.snapchat_world import PromisedSnapchat


class TestSnapchat(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedSnapchat]:
        return PromisedSnapchat()

    def connector(self, client: Client) -> Connector:
        return Snapchat(client)
