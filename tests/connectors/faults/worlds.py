"""The worlds that are disturbed, and what each connector can be asked for in them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from connectors.promises import ConnectorPromises

WORLDS: Mapping[str, str] = {
    "nested": "tests.connectors.test_nested:TestNested",
    "sideloading": "tests.connectors.test_sideloading:TestSideloading",
    "wordpress": "tests.connectors.test_wordpress_promises:TestWordPressForThePublic",
    "wordpress connected": "tests.connectors.test_wordpress_promises:TestWordPressForItsEditors",
    "feed": "tests.connectors.test_feed:TestRss",
    "feed complete": "tests.connectors.test_feed:TestJsonFeed",
    "bluesky": "tests.connectors.test_bluesky:TestPublicly",
    "bluesky connected": "tests.connectors.test_bluesky:TestConnected",
    "mastodon": "tests.connectors.test_mastodon:TestThePublicAccount",
    "mastodon connected": "tests.connectors.test_mastodon:TestTheAccountAsItsOwnerSeesIt",
    "facebook": "tests.connectors.test_facebook_promises:TestFacebook",
    "mediawiki": "tests.connectors.test_mediawiki:TestAsVisitorsSeeIt",
    "mediawiki connected": "tests.connectors.worlds.promised_mediawiki:AsItsAdministratorSeesIt",
    "nixle": "tests.connectors.test_nixle:TestByFeed",
    "webpage": "tests.connectors.test_webpage:TestSiteBehindAPassword",
    "instagram": "tests.connectors.test_instagram_promises:TestByTheDoorOfFacebook",
    "instagram alone": "tests.connectors.test_instagram_alone:TestByTheDoorOfInstagram",
    "threads": "tests.connectors.test_threads_promises:TestThreads",
    "x": "tests.connectors.test_x_promises:TestTheApplicationAlone",
    "x connected": "tests.connectors.test_x_promises:TestTheAccountSignedIn",
    "youtube": "tests.connectors.test_youtube_promises:TestYouTubeWithAKey",
    "youtube connected": "tests.connectors.test_youtube_promises:TestYouTubeAsTheChannelItself",
    "flickr": "tests.connectors.test_flickr_promises:TestFlickrWithAKey",
    "flickr connected": "tests.connectors.test_flickr_promises:TestFlickrAsTheOwner",
    "flickr group": "tests.connectors.test_flickr_promises:TestTheGroupsPool",
    "reddit": "tests.connectors.test_reddit_promises:TestTheSubredditAsAnybodySeesIt",
    "reddit connected": "tests.connectors.test_reddit_promises:TestTheSubredditAsItsModeratorsSeeIt",
    "reddit account": "tests.connectors.test_reddit_promises:TestTheAccount",
    "nextdoor": "tests.connectors.test_nextdoor_promises:TestTheAgencysOwnAccount",
    "nextdoor with comments": "tests.connectors.test_nextdoor_promises:TestAnAccountWhosePostsHoldTheirComments",
    "nextdoor public": "tests.connectors.test_nextdoor_promises:TestThePublicFeed",
    "tiktok": "tests.connectors.test_tiktok_promises:TestTikTokByTheDoorForBusinesses",
    "tiktok display": "tests.connectors.test_tiktok_promises:TestTikTokByTheDisplayInterface",
    "linkedin": "tests.connectors.test_linkedin_promises:TestLinkedInInTheStandardTier",
    "linkedin developing": "tests.connectors.test_linkedin_promises:TestLinkedInInTheDevelopmentTier",
    "pinterest": "tests.connectors.test_pinterest_promises:TestPinterest",
    "pinterest narrowly": "tests.connectors.test_pinterest_promises:TestPinterestWithoutItsSecretBoards",
    "snapchat": "tests.connectors.test_snapchat_promises:TestSnapchat",
    "myspace": "tests.connectors.test_webpage:TestMySpaceWithCommentsInMicrodata",
}

WHOLE, WINDOW, SWEEP, FAMILY, STREAM = "whole", "window", "sweep", "family", "stream"
"""How a run reads: all of the page, what is recent, a part of what is older, one post with its answers, a stream."""

_BOTH = frozenset(
    {
        "nested",
        "wordpress",
        "wordpress connected",
        "bluesky",
        "bluesky connected",
        "mastodon",
        "mastodon connected",
        "facebook",
        "instagram",
        "instagram alone",
        "threads",
        "tiktok",
        "tiktok display",
        "linkedin",
        "linkedin developing",
        "x",
        "x connected",
        "youtube",
        "youtube connected",
        "flickr",
        "flickr connected",
        "flickr group",
        "reddit",
        "reddit connected",
        "reddit account",
    }
)

NARROWED = _BOTH | {"sideloading"}
"""Worlds whose connector can keep to a span of time."""

FAMILIES = _BOTH | {"feed", "feed complete"}
"""Worlds whose connector can observe one post alone with what answers it."""

STREAMED = frozenset({"sideloading", "bluesky", "bluesky connected", "mastodon connected"})
"""Worlds whose platform tells the connector by itself; Mastodon tells only those who sign in."""

RENEWED = "renewed"
"""All of it on a page whose access token runs out (`renewing`)."""

KINDS: Mapping[str, frozenset[str]] = {
    "whole": frozenset({WHOLE}),
    "narrowed": frozenset({WINDOW, SWEEP}),
    "families": frozenset({FAMILY}),
    "listened": frozenset({STREAM, WHOLE}),
    "mixed": frozenset({WHOLE, WINDOW, SWEEP, FAMILY, STREAM}),
    RENEWED: frozenset({WHOLE, WINDOW, SWEEP, FAMILY, STREAM}),
}
"""What the runs of a play are: of one kind, as one lane after the other would make them, or all of them."""


def made(name: str) -> ConnectorPromises:
    """How a world and its connector are made."""
    module, _, promises = WORLDS[name].partition(":")
    return cast(ConnectorPromises, getattr(import_module(module), promises)())


def ways(name: str) -> frozenset[str]:
    """How the connector of a world can read."""
    return frozenset(
        {WHOLE}
        | ({WINDOW, SWEEP} if name in NARROWED else set())
        | ({FAMILY} if name in FAMILIES else set())
        | ({STREAM} if name in STREAMED else set())
    )


def known(kind: str = "whole") -> list[str]:
    """The worlds in which a kind is played: those that can be read in all of its ways, or mixed in all of their own."""
    if kind == "mixed":
        return list(WORLDS)
    if kind == RENEWED:
        return ["mastodon connected"]
    return [name for name in WORLDS if KINDS[kind] <= ways(name)]
