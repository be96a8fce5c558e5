"""WordPress keeps every promise of a connector, as the public sees a site and as its editors do."""

from __future__ import annotations

from connectors.promises import ConnectorPromises
from connectors.wordpress import WordPress
from tests.connectors.worlds.promised_wordpress import PromisedWordPress


class TestWordPressForThePublic(ConnectorPromises):
    def world(self):
        return PromisedWordPress()

    def connector(self, client):
        return WordPress(client)


class TestWordPressForItsEditors(ConnectorPromises):
    def world(self):
        return PromisedWordPress(connected=True)

    def connector(self, client):
        secret = {
            "user": PromisedWordPress.user,
            "application_password": PromisedWordPress.application_password,
        }
        return WordPress(client, secret)
