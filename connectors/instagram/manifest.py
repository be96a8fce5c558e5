"""What this connector sees of an account on Instagram, what it does not, and how an account is connected."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.contract import ByHand, Field, Manifest
from connectors.graph import GRAPH, VERSION
from connectors.instagram.asking import INSTAGRAM, LISTS, Door

SCOPES: Mapping[Door, tuple[str, ...]] = {
    Door.FACEBOOK: (
        "instagram_basic",
        "instagram_manage_comments",
        "instagram_manage_messages",
        "pages_show_list",
        "pages_read_engagement",
    ),
    Door.INSTAGRAM: (
        "instagram_business_basic",
        "instagram_business_manage_comments",
        "instagram_business_manage_messages",
    ),
}

MANIFEST = Manifest(
    name="instagram",
    title="Instagram",
    platform="instagram",
    route="api",
    captures={
        "profile": "the account's introduction with its picture, at every pass",
        "posts": "pictures, videos, reels and albums of the account, its stories while they are shown, and posts of "
        "others that the account is tagged in; posts and comments of others that name it, where Instagram tells of them "
        "by itself",
        "comments": "every comment that Instagram shows to the account, with all replies; the account's own as replies",
        "edits": "by reading everything again: another caption, or another description of a picture, under the same number",
        "deletions": "missing from the list, then asked for by number. Of the account's own posts, Instagram's own code "
        "100 subcode 33 while it shows the account's other posts is gone; a missing comment or story is absent",
        "hidden": "comments that the account has hidden, marked as Instagram marks them",
        "messages": "what is written to the account and what it answers, where that is permitted",
    },
    blind_spots=(
        "Earlier texts: Instagram's interface has no history of edits, and not even the time of one.",
        "What was published and removed again between two passes.",
        (
            "Who removed a comment, and whether one was removed at all: Instagram gives the same answer for a comment of "
            "somebody whom the account has restricted, or whose own account was closed. It is absent, never gone."
        ),
        "Comments of people whom the account has restricted, until they are approved.",
        "Comments on what is shown to adults alone.",
        "Replies to a comment that was removed: Instagram shows none of them any more.",
        "Live broadcasts and their comments: Instagram shows them while they last, and never again.",
        (
            "Stories that began and ended between two passes; stories shared from somebody else's; all but one of the "
            "captions of a story. Whether a story ended, or was taken off before, is not told apart."
        ),
        "What the account has archived: it looks removed, until it is put back.",
        "Highlights, drafts, scheduled posts, notes and broadcast channels.",
        "Files that bear music under licence or are claimed by somebody else: a gap names the post.",
        "Posts beyond the newest 10,000: a gap says up to which day. Import the account's own download for them.",
        (
            "Comments that Instagram counts and does not list; both numbers are kept. Comments on advertisements that "
            "show a post."
        ),
        "What answers a post of somebody else that names the account or has it tagged.",
        (
            "Posts that name the account without tagging it, where no webhook told of them at the time. By the door of "
            "Instagram, also posts that it is tagged in."
        ),
        "Messages beyond the newest twenty of a conversation, and requests that nobody has accepted for thirty days.",
        "Whom the account has blocked or restricted, and its list of hidden words: the interface shows neither.",
        "Who liked, shared, saved or saw something: only how many did.",
        (
            "In a pass over a span of time: comments below posts that are more than thirty days older than the span "
            "(option `answered_within`), and replies to comments that are older than it. They are seen when the older "
            "post is observed again."
        ),
    ),
    needs=(
        "A professional account (business or creator).",
        "An application at Meta of the agency's own, in which somebody who manages the account has a role.",
        (
            "By the door of Facebook: the account joined to a page there, and a token of a system user or of that page, "
            f"with {', '.join(SCOPES[Door.FACEBOOK])}."
        ),
        (
            "Or by the door of Instagram: a token of the account, renewed every sixty days, with "
            f"{', '.join(SCOPES[Door.INSTAGRAM])}."
        ),
    ),
    options={
        "answered_within": "how many days before its span a pass over a span of time still asks what answers a post "
        "(default 30)",
        "door": f"{Door.FACEBOOK}: somebody who manages the page on Facebook that the account belongs to has signed in; "
        f"{Door.INSTAGRAM}: the account itself has (default {Door.FACEBOOK})",
        "facebook_page": "name or number of the page on Facebook that the account belongs to (default: it is looked for "
        "among the pages that the token speaks for)",
        "leave_out": f"lists that need not be asked for, of {', '.join(LISTS)} (default: none)",
        "messages": "no: leave private messages out (default: yes, where they are permitted)",
        "page_size": "how many posts to ask for at once, 1 to 50 (default 25)",
        "version": f"the version of the Graph interface to ask for (default {VERSION})",
        "graph": f"another address of the Graph interface, for an agency's own gateway (default {GRAPH}, or {INSTAGRAM} "
        "by the door of Instagram)",
    },
    api_version=f"Graph API {VERSION}",
    api_ends="not announced for v26.0 (v25.0: 2028-07-29); Meta keeps a version for about two years",
    legal_basis="The account is the agency's own, read with its own application. Meta's terms ask that what was removed "
    "be removed from copies too, and that files of private messages not be kept beyond their own life; a records law may "
    "say otherwise. That is for the agency's attorney to weigh.",
    narrows=True,
    sign_in=ByHand(
        fields=(
            Field(
                name="access_token",
                title="Access token",
                help="Of a system user (Business settings > System users), of the page on Facebook, or of the account.",
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
            "In Instagram, make the account a professional one, and join it to the agency's page on Facebook.",
            "At developers.facebook.com, make an application of the agency's own, of the type Business, with Instagram.",
            "In Business settings, add page, account and application, and make a system user of the role Employee.",
            "Assign page and account to the system user with the tasks Content, Messages and Community activity.",
            f"Generate a token for the system user that never expires, with {', '.join(SCOPES[Door.FACEBOOK])}.",
            "Enter the token here, with the application's secret.",
        ),
    ),
)
