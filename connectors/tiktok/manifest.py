"""What this connector sees of an account on TikTok, what it does not, and how an account is connected."""

from __future__ import annotations

from connectors.contract import Manifest, OAuth2
from connectors.tiktok.options import BASES, RATE, Way

SCOPES = {
    Way.ACCOUNTS: (
        "user.info.basic",
        "user.info.username",
        "user.info.profile",
        "user.info.stats",
        "video.list",
        "comment.list",
    ),
    Way.DISPLAY: ("user.info.basic", "user.info.profile", "user.info.stats", "video.list"),
}

MANIFEST = Manifest(
    name="tiktok",
    title="TikTok",
    platform="tiktok",
    route="api+gate",
    captures={
        "profile": "the account's name, what it says of itself and its picture, at every pass",
        "posts": "every public video and photo post, with what was written to it and its cover, at every pass",
        "comments": "by the TikTok API for Business: every comment on every video, and every answer to one by its own "
        "list; the account's own as replies. By the Display API: none, but how many TikTok counts",
        "edits": "by reading everything again: other words under the same id",
        "deletions": "missing from the list, then asked for by id: absent where TikTok leaves it out. TikTok has no word "
        "for what was removed, so nothing is called gone",
        "hidden": "by the TikTok API for Business: comments that the account or TikTok has hidden (status), with up to "
        "three answers to each",
    },
    blind_spots=(
        (
            "The films themselves, and the pictures of photo posts: no interface hands out their files, and TikTok's own "
            "download does not hold them. Keep the originals that were published, and import them."
        ),
        "With the Display API: comments. How many TikTok counts is kept, and what they say is not shown.",
        (
            "Videos that only friends or nobody may see: no interface shows them. One that is made private looks removed, and "
            "comes back when it is made public again. TikTok's own download names them; import it now and then."
        ),
        "Videos that TikTok leaves out of its lists for a violation (music that is claimed, for one), without saying so.",
        "Who removed something, and whether it was removed at all: it is absent, never gone.",
        "Earlier texts: the interfaces have no history, and no time of an edit.",
        "What was published and removed again between two passes.",
        (
            "More than three answers to a hidden comment: TikTok has no list of them. A gap names the comment. Hidden answers "
            "to a comment of which TikTok counts no answers."
        ),
        (
            "Beyond the first 500 comments of a video TikTok keeps no order, and may leave some out. A gap names the video, "
            "and none of its comments is called missing. While such a gap stands, what answered a video that was removed is "
            "not compared either."
        ),
        "A cover that was replaced: it is known by its video, and not fetched again.",
        "Stories, live broadcasts and their chat, and private messages.",
        "Words that the account filters from comments, whom it has blocked, and who may comment.",
        (
            "In a pass over a span of time: what answers videos, and comments, that are more than thirty days older than the "
            "span (option `answered_within`). It is seen when the older video is observed again, or by a pass over everything."
        ),
    ),
    needs=(
        (
            "For comments: an application of the agency's own at TikTok for Business, approved by TikTok for TikTok Accounts, "
            f"and the account as a business account. It permits {', '.join(SCOPES[Way.ACCOUNTS])}."
        ),
        (
            "For what is public without comments: an application at TikTok for Developers with Login Kit and Display API, "
            f"which permits {', '.join(SCOPES[Way.DISPLAY])}."
        ),
        "A token that is renewed every day: TikTok ends each after 24 hours, and the permission after a year.",
    ),
    options={
        "answered_within": "how many days before its span a pass over a span of time still asks what answers a video or a "
        "comment (default 30)",
        "api": f"another address of the interface, for an agency's own gateway (default {BASES[Way.ACCOUNTS]}, or "
        f"{BASES[Way.DISPLAY]})",
        "business_id": "the open_id that came with the token of the TikTok API for Business, where the application's id is "
        "not entered with it",
        "door": f"{Way.ACCOUNTS}: the TikTok API for Business, with comments (default); {Way.DISPLAY}: the Display API, "
        "without",
        "rate": f"how many questions may be asked in a minute (default {RATE}); lower it where other programs use the same "
        "application, raise it where TikTok has granted more",
    },
    api_version="TikTok API for Business v1.3, Display API v2",
    legal_basis="The account is the agency's own, read with its own application. TikTok's terms ask that what was removed "
    "be removed from copies too; a records law may say otherwise. That is for the agency's attorney to weigh.",
    narrows=True,
    sign_in=OAuth2(
        authorise_at="https://www.tiktok.com/v2/auth/authorize/",
        token_at=f"{BASES[Way.ACCOUNTS]}/tt_user/oauth2/token/",
        refresh_at=f"{BASES[Way.ACCOUNTS]}/tt_user/oauth2/refresh_token/",
        scopes=SCOPES[Way.ACCOUNTS],
        pkce=False,
        single_use_refresh=True,
        asked_as={"client_id": "client_key"},
        sent_as={"code": "auth_code"},
        scopes_joined_by=",",
        sends_json=True,
        steps=(
            "Sign in as whoever manages the account, and permit all that is asked for. Muniment only reads.",
        ),
    ),
)
