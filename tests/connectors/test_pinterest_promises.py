"""Pinterest keeps what every connector promises: with its secret boards open, and without."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.pinterest import Pinterest
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.pinterest_world import PinterestWorld, PromisedPinterest


class TestPinterest(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedPinterest]:
        return PromisedPinterest()

    def connector(self, client: Client) -> Connector:
        return Pinterest(client, PinterestWorld.secrets)


class TestPinterestWithoutItsSecretBoards(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedPinterest]:
        return PromisedPinterest(secret=False)

    def connector(self, client: Client) -> Connector:
        return Pinterest(client, PinterestWorld.secrets)
