"""X keeps what every connector promises: with the account's own sign-in, and with the application's token alone."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.promises import ConnectorPromises
from connectors.x import X
from tests.connectors.worlds.x_world import PromisedX, XWorld


class TestTheAccountSignedIn(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedX]:
        return PromisedX(signed_in=True)

    def connector(self, client: Client) -> Connector:
        return X(client, {"access_token": XWorld.user_token})


class TestTheApplicationAlone(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedX]:
        return PromisedX(signed_in=False)

    def connector(self, client: Client) -> Connector:
        return X(client, {"bearer_token": XWorld.app_token})
