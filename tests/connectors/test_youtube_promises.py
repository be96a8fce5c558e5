"""YouTube keeps what every connector promises: with a key alone, and for the channel itself."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.promises import ConnectorPromises
from connectors.youtube import YouTube
from tests.connectors.worlds.youtube_world import PromisedYouTube, YouTubeWorld


class TestYouTubeWithAKey(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedYouTube]:
        return PromisedYouTube(owner=False)

    def connector(self, client: Client) -> Connector:
        return YouTube(client, YouTubeWorld.with_key)


class TestYouTubeAsTheChannelItself(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedYouTube]:
        return PromisedYouTube(owner=True)

    def connector(self, client: Client) -> Connector:
        return YouTube(client, YouTubeWorld.signed_in)
