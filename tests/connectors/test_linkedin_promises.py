"""LinkedIn keeps what every connector promises: in the standard tier with names, and in the development tier."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.linkedin import LinkedIn
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.linkedin_world import LinkedInWorld, PromisedLinkedIn


class TestLinkedInInTheStandardTier(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedLinkedIn]:
        return PromisedLinkedIn()

    def connector(self, client: Client) -> Connector:
        return LinkedIn(client, LinkedInWorld.secret)


class TestLinkedInInTheDevelopmentTier(ConnectorPromises):
    """Nothing is asked for together there, and the names of people are not asked for."""

    def world(self) -> AbstractContextManager[PromisedLinkedIn]:
        return PromisedLinkedIn(standard=False)

    def connector(self, client: Client) -> Connector:
        return LinkedIn(client, LinkedInWorld.secret)
