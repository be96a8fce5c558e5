"""TikTok keeps what every connector promises: by the door for businesses, and by the Display API."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.promises import ConnectorPromises
from connectors.tiktok import TikTok
from tests.connectors.worlds.tiktok_world import PromisedDisplay, PromisedTikTok, TikTokWorld


class TestTikTokByTheDoorForBusinesses(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedTikTok]:
        return PromisedTikTok()

    def connector(self, client: Client) -> Connector:
        return TikTok(client, TikTokWorld.business)


class TestTikTokByTheDisplayInterface(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedDisplay]:
        return PromisedDisplay()

    def connector(self, client: Client) -> Connector:
        return TikTok(client, TikTokWorld.display)
