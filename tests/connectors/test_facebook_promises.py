"""Facebook keeps what every connector promises."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.facebook import Facebook
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.facebook_world import FacebookWorld, PromisedFacebook


class TestFacebook(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedFacebook]:
        return PromisedFacebook()

    def connector(self, client: Client) -> Connector:
        return Facebook(client, FacebookWorld.secrets)
