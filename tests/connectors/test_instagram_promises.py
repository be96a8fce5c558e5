"""Instagram keeps what every connector promises, where somebody signed in to Facebook."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.instagram import Instagram
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.instagram_world import InstagramWorld, PromisedInstagram


class TestByTheDoorOfFacebook(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedInstagram]:
        return PromisedInstagram()

    def connector(self, client: Client) -> Connector:
        return Instagram(client, InstagramWorld.secrets)
