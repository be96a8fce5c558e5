"""Reddit keeps what every connector promises: for the public, for a subreddit's moderators, and for an account."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connectors.contract import Client, Connector
from connectors.promises import ConnectorPromises
from connectors.reddit import Reddit
from tests.connectors.worlds.reddit_world import PromisedReddit, RedditWorld


class TestTheSubredditAsAnybodySeesIt(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedReddit]:
        return PromisedReddit()

    def connector(self, client: Client) -> Connector:
        return Reddit(client, RedditWorld.alone)


class TestTheSubredditAsItsModeratorsSeeIt(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedReddit]:
        return PromisedReddit(moderator=True)

    def connector(self, client: Client) -> Connector:
        return Reddit(client, RedditWorld.signed_in)


class TestTheAccount(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedReddit]:
        return PromisedReddit(account=True)

    def connector(self, client: Client) -> Connector:
        return Reddit(client, RedditWorld.alone)
