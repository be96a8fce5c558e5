"""Instagram keeps what every connector promises, where the account signed in itself."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.instagram import Instagram
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.instagram_world import InstagramWorld, PromisedAlone


class TestByTheDoorOfInstagram(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedAlone]:
        return PromisedAlone()

    def connector(self, client: Client) -> Connector:
        return Instagram(client, InstagramWorld.by_itself)
