"""Nextdoor keeps what every connector promises: for an agency's own account, and for what the public is shown."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.nextdoor import Nextdoor
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.nextdoor_world import NextdoorWorld, PromisedNextdoor


class TestTheAgencysOwnAccount(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedNextdoor]:
        return PromisedNextdoor()

    def connector(self, client: Client) -> Connector:
        return Nextdoor(client, NextdoorWorld.signed_in)


class TestAnAccountWhosePostsHoldTheirComments(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedNextdoor]:
        return PromisedNextdoor(shows_comments=True)

    def connector(self, client: Client) -> Connector:
        return Nextdoor(client, NextdoorWorld.signed_in)


class TestThePublicFeed(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedNextdoor]:
        return PromisedNextdoor(public=True)

    def connector(self, client: Client) -> Connector:
        return Nextdoor(client, NextdoorWorld.for_the_public)
