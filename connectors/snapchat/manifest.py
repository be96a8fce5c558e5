"""What this connector sees of a public profile on Snapchat, what it does not, and how often it must look."""

from __future__ import annotations

from connectors.contract import Manifest
from connectors.snapchat.options import SITE

MANIFEST = Manifest(
    name="snapchat",
    title="Snapchat",
    platform="snapchat",
    route="page",
    captures={
        "profile": "the public profile's introduction: name, words, address, website and pictures",
        "posts": "every snap of the public story while it is shown, with its file; saved stories with all of their snaps; "
        "the spotlights that the profile's page shows, with their words and files. Snaps are shown for 24 hours: look "
        "four times a day at least",
        "edits": "by comparing: other words of a spotlight or a saved story, a snap added to one or taken out of it",
        "deletions": "a spotlight that left the page is asked for at its own page, once: 404 or 410 is gone. A saved story, or "
        "a snap whose 24 hours are not over, that the page shows no longer is absent. What has run out is neither",
        "counts": "views, shares and comments of a spotlight, and subscribers, as the page tells them",
    },
    blind_spots=(
        (
            "Snaps that were shown and ran out, or were taken off, between two looks. A look every six hours sees all that are "
            "left up for their day; one a night does not."
        ),
        "Comments on spotlights, and replies to stories: the page counts the former and shows none of either.",
        "Messages, and snaps that are not public: friends' stories, groups, Our Story on the map.",
        (
            "Spotlights older than the newest that the page shows (25 places, some of which it leaves free): they were captured "
            "if they stood there once, and later removals of them are not noticed."
        ),
        "Whether a snap or a saved story was removed: Snapchat has no answer that says so. It is absent, never gone.",
        "Words within a picture or a video: stickers and captions are part of the file.",
        "Lenses, and what the profile shows only in the application (its posts for subscribers, its shop).",
        "Who has seen what.",
    ),
    needs=(
        "A public profile. Nobody signs in, and Snap is not asked for anything.",
        (
            "A pace of 360 minutes or less between two looks (`muniment pace PAGE --every`; the usual 15 is fine), so that no "
            "story runs out unseen."
        ),
    ),
    options={"site": f"another address of the site, for an agency's own gateway (default {SITE})"},
    legal_basis="The profile is the agency's own, and its page is public. Snapchat's terms do not permit everybody to collect "
    "its pages by machine; whether a public body may keep its own words so is for the agency's attorney to weigh, who may "
    "ask Snap for permission in writing. Snap's interface for public profiles is the other way, once Snap admits the agency.",
)
