"""What this connector sees of an organisation's page on LinkedIn, what it does not, and how a page is connected."""

from __future__ import annotations

from connectors.contract import Manifest, OAuth2
from connectors.linkedin import versions
from connectors.linkedin.options import API

SOCIAL = "r_organization_social"
FEED = "r_organization_social_feed"
ADMIN = "rw_organization_admin"
SCOPES = (SOCIAL, FEED, ADMIN)

MANIFEST = Manifest(
    name="linkedin",
    title="LinkedIn",
    platform="linkedin",
    route="api+gate",
    captures={
        "profile": "the page's introduction (name, tagline, description, website, places) with its logo and cover, at every "
        "pass",
        "posts": "every post of the page, what it posts again among them, with pictures, videos, documents, articles and "
        "polls; the text as LinkedIn keeps it and as a reader sees it",
        "comments": "every comment below them and every answer to one; the page's own as replies",
        "edits": "of posts by their mark and the time of the last change, of comments by the time of the last change; both "
        "are read again at every pass, and so are descriptions of pictures",
        "deletions": "LinkedIn's own notification COMMENT_DELETE; missing from the list, then asked for by id: posts are "
        "gone by LinkedIn's own 404 while whoever asks has a role on the page, comments by it and by all lists of their post",
        "hidden": "with the option `drafts`: posts that are not published",
    },
    blind_spots=(
        "Comments that are hidden: LinkedIn knows none. A page's people can only remove a comment, or turn comments off.",
        (
            "Comments below a post whose comments were turned off: by its reference LinkedIn removes them then, and the "
            "archive calls them gone."
        ),
        (
            "The names of those who comment, unless the option `names` is set: LinkedIn names people by a number that no "
            "other application knows. Whether the names are told depends on what the application was approved for."
        ),
        "Who of other organisations commented: they are named by their numbers alone.",
        "Posts of others that name the page, share its posts, or quote them: LinkedIn shows them to their writers alone.",
        "The words of what the page has posted again: of a post of somebody else only its URN is told.",
        "Messages to the page: the interface has none for this purpose.",
        "Who reacted: only how many, by the kind of reaction.",
        "Earlier texts. What was changed twice, or published and removed, between two passes is seen once or not at all.",
        (
            "Why a comment is gone: it was removed by its writer, by the page or by LinkedIn, or its writer has left or "
            "suspended the account. The last of these may come back."
        ),
        "Events, newsletters, live broadcasts and job advertisements beyond the post that announces them.",
        (
            "In a pass over a span of time: comments on posts that are more than thirty days older than the span (option "
            "`answered_within`), where LinkedIn does not tell of them. It tells of the last sixty days, and to an "
            "administrator of the page alone."
        ),
    ),
    needs=(
        (
            "An application of the agency's own, verified by the page, with the product Community Management API: LinkedIn "
            "reviews who asks, first for its development tier, then for its standard tier."
        ),
        f"A super admin of the page, who signs in and permits {', '.join(SCOPES)}; again after a year at the latest.",
        (
            "Enough calls a day: LinkedIn names the limits in its developer portal alone. The development tier has 100 a day "
            "for each person who signs in, which a page with a few posts can use up."
        ),
    ),
    options={
        "answered_within": "how many days before its span a pass over a span of time still asks what answers a post "
        "(default 30)",
        "api": f"another address of the interface, for an agency's own gateway (default {API})",
        "drafts": "yes: posts that are not published are read too, as hidden ones (default: no)",
        "names": "yes: the names of those who comment are asked for, with one more question for each answer of comments "
        "(default: no)",
        "notices": "no: LinkedIn is not asked what it has to tell by itself (default: yes)",
        "page_size": "how many items of a list to ask for at once, 2 to 100 (default 100)",
        "version": f"another version of the interface, as a year and a month (default {versions.OURS})",
    },
    api_version=f"LinkedIn-Version {versions.OURS}",
    api_ends=f"about {versions.ends(versions.OURS):%B %Y}: LinkedIn keeps a version for about a year",
    legal_basis="The page is the agency's own, read with its own application. LinkedIn's terms let what members write be "
    "kept for 48 hours and what their profiles say for 24, unless the law requires otherwise; a records law may. That is for "
    "the agency's attorney to weigh, and the option `names` with it.",
    narrows=True,
    sign_in=OAuth2(
        authorise_at="https://www.linkedin.com/oauth/v2/authorization",
        token_at="https://www.linkedin.com/oauth/v2/accessToken",  # noqa: S106 - an address, not a token
        scopes=SCOPES,
        revoke_at="https://www.linkedin.com/oauth/v2/revoke",
        # LinkedIn knows PKCE for applications on a person's own device alone, at another address.
        pkce=False,
        steps=(
            "Sign in at LinkedIn as a super admin of the page.",
            (
                f"Permit what is asked for. LinkedIn calls {ADMIN} managing the page: nothing narrower shows its "
                "notifications. Muniment only reads."
            ),
            "Do so again before a year is over: LinkedIn ends a permission then, however often it was renewed.",
        ),
    ),
)
