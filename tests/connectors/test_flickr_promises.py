"""Flickr keeps what every connector promises: with a key alone, for the photostream's owner, and for a group's pool."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.flickr import Flickr
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.flickr_world import FlickrWorld, PromisedFlickr


class TestFlickrWithAKey(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedFlickr]:
        return PromisedFlickr()

    def connector(self, client: Client) -> Connector:
        return Flickr(client, FlickrWorld.with_key)


class TestFlickrAsTheOwner(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedFlickr]:
        return PromisedFlickr(owner=True)

    def connector(self, client: Client) -> Connector:
        return Flickr(client, FlickrWorld.signed_in)


class TestTheGroupsPool(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedFlickr]:
        return PromisedFlickr(group=True)

    def connector(self, client: Client) -> Connector:
        return Flickr(client, FlickrWorld.with_key)
