"""What this connector sees of a page on Facebook, what it does not, and how a page is connected."""

from __future__ import annotations

from connectors.contract import ByHand, Field, Manifest
from connectors.facebook.place import THINGS
from connectors.graph import GRAPH, VERSION

SCOPES = (
    "pages_show_list",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_metadata",
    "pages_messaging",
)

MANIFEST = Manifest(
    name="facebook",
    title="Facebook",
    platform="facebook",
    route="api",
    captures={
        "profile": "the page's introduction with its pictures; its settings, among them the profanity filter and "
        "blocked words, and whom it has blocked, where Facebook shows them",
        "posts": "the page's own posts, those of visitors, those that name the page; events, albums, videos, reels, "
        "live videos and recommendations, at every pass",
        "comments": "every comment that Facebook shows to the page, at any depth, in the order in which they were "
        "written; the page's own as replies",
        "edits": "by reading everything again: another text, or another description of a picture, under the same id",
        "deletions": "missing from the list, then asked for by id: Facebook's own code 100 subcode 33, while it "
        "shows the page's other posts and the token may read what visitors write",
        "hidden": "comments and posts that the page has hidden, and unpublished posts, marked as Facebook marks them",
        "messages": "what is written to the page in Messenger and what it answers, where that is permitted",
    },
    blind_spots=(
        "Earlier texts: Facebook's interface has no history of edits and, for comments, not even the time of one.",
        "What was published and removed again between two passes.",
        (
            "Who removed a comment, and why: the writer, the page and Facebook look alike. A comment whose writer left "
            "Facebook, or blocked the page, looks removed too."
        ),
        "Comments that Facebook's moderation holds back: pending approval, declined or removed by its own assistant.",
        (
            "Who wrote a comment, until Meta has given the agency's application access to that: comments then come "
            "without names. A check says so."
        ),
        (
            "Posts beyond about 600 a year: Facebook's lists are ranked and cut. A gap names the year; import the "
            "page's own download for it."
        ),
        "Comments that Facebook counts and does not list; both numbers are kept.",
        "Messages beyond the newest twenty of a conversation: Facebook tells their ids, and often not their words.",
        "Whether a message was removed: the interface does not tell.",
        "Comments on a single picture of an album, and below posts of others that name the page.",
        "Comments below events, albums and videos that no post of the page shows.",
        "Stories, scheduled posts, drafts, advertisements that are no posts, groups of the page.",
        "Who liked, shared or saw something: only how many did.",
        (
            "In a pass over a span of time: comments below posts that are more than thirty days older than the span "
            "(option `answered_within`). They are seen when the older post is observed again."
        ),
        "Reviews as stars: Facebook has replaced them with recommendations.",
    ),
    needs=(
        "An application at Meta of the agency's own, in which somebody who manages the page has a role.",
        f"A page token, or better a token of a system user, with {', '.join(SCOPES)}.",
        "The tasks Moderate and Messages on the page, for whoever the token speaks for.",
    ),
    options={
        "answered_within": "how many days before its span a pass over a span of time still asks what answers a post "
        "(default 30)",
        "leave_out": f"lists that the page does not use and that need not be asked for, of {', '.join(THINGS)} (default: "
        "none); each costs a question in every pass",
        "messages": "no: leave private messages out (default: yes, where they are permitted)",
        "page_size": "how many posts to ask for at once, 1 to 100 (default 25)",
        "version": f"the version of the Graph interface to ask for (default {VERSION})",
        "graph": f"another address of the Graph interface, for an agency's own gateway (default {GRAPH})",
    },
    api_version=f"Graph API {VERSION}",
    api_ends="not announced for v26.0 (v25.0: 2028-07-29); Meta keeps a version for about two years",
    legal_basis="The page is the agency's own, read with its own application. Meta's terms ask that what was removed be "
    "removed from copies too; a records law may say otherwise. That is for the agency's attorney to weigh.",
    narrows=True,
    sign_in=ByHand(
        fields=(
            Field(
                name="access_token",
                title="Access token",
                help="Of a system user (Business settings > System users), or of the page.",
            ),
            Field(
                name="app_secret",
                title="App secret",
                help="App settings > Basic. It proves each question; without it, leave “Require app secret” off.",
                required=False,
            ),
            Field(name="app_id", title="App ID", required=False, shown=True),
        ),
        steps=(
            "At developers.facebook.com, make an application of the agency's own, of the type Business.",
            "In Business settings, add the page and the application, and make a system user of the role Employee.",
            "Assign the page to the system user with the tasks Content, Messages, Community activity and Insights.",
            f"Generate a token for the system user that never expires, with {', '.join(SCOPES)}.",
            "Enter the token here, with the application's secret.",
        ),
    ),
)
