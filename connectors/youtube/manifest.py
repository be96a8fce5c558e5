"""What this connector sees of a channel on YouTube, what it does not, and how a channel is connected."""

from __future__ import annotations

from connectors.contract import Manifest, OAuth2
from connectors.youtube import quota
from connectors.youtube.options import API

SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"

MANIFEST = Manifest(
    name="youtube",
    title="YouTube",
    platform="youtube",
    route="api",
    captures={
        "profile": "the channel's name, description, picture and banner; what its people have set (keywords, country, "
        "moderation of comments, whether it is made for children)",
        "posts": "every video in the list of uploads, with title, description, thumbnail and translations, at every "
        "pass; where the channel itself is connected, private and unlisted ones as well, and the name and size of the file "
        "that was uploaded",
        "comments": "every comment on every video, and every answer to one by its own list; those on the channel "
        "itself, as far as YouTube still shows any; the channel's own as replies",
        "edits": "of comments by the time of their last change; of videos by reading them again",
        "deletions": "missing from the list, then asked for by id: gone only where the channel itself is connected, and "
        "YouTube leaves out what it would show to its own people (videos: and answers videoNotFound)",
        "hidden": "where the channel itself is connected: comments held for review and as likely spam, private and "
        "unlisted videos; comments below videos whose comments were turned off",
        "captions": "where the channel itself is connected and the option `captions` asks for them: the words of its "
        "videos as files",
    },
    blind_spots=(
        (
            "Posts of the channel's community tab, polls and stories: YouTube's interface does not have them. Capture the "
            "page with the connector `webpage`."
        ),
        "The chat of a live broadcast, once it is over: the interface shows it only while it runs, and it is not read.",
        "The videos themselves: the interface gives no files. Keep the originals, or take them from Google Takeout.",
        (
            "Comments below a video whose comments are turned off (403 commentsDisabled), and below a private one: nobody is "
            "shown them. Those that the archive has are then hidden, not gone."
        ),
        (
            "With a key alone: held comments, private and unlisted videos, captions, and whether what is missing was removed "
            "or is held back: it then stays absent."
        ),
        (
            "Comments that a moderator rejected: YouTube lists them for nobody, and answers as if they were removed. Who "
            "removed a comment (its writer, a moderator, YouTube) is not told either."
        ),
        "Blocked words, blocked users and who may moderate: the interface does not show them.",
        (
            "Earlier texts. Of comments YouTube tells when they were last changed, of videos not even that; what was changed "
            "twice, or published and removed, between two passes is seen once or not at all."
        ),
        "A thumbnail that was replaced: its address stays the same.",
        "Answers that are held back, beyond the five that YouTube shows in a thread. A gap names the thread.",
        "Comments that YouTube counts and does not list; both numbers are kept.",
        "Videos beyond about 20,000: YouTube lists no more of a channel.",
        (
            "In a pass over a span of time: answers to comments that are more than thirty days older than the span (option "
            "`answered_within`), and changes in answers to comments older than the span while their number stays the same. "
            "What answered a video or a comment that was removed is noticed by a pass over everything."
        ),
        "How many disliked a video, who subscribed, who watched.",
    ),
    needs=(
        "A project of the agency's own in the Google Cloud console, with the YouTube Data API v3 enabled.",
        f"For everything: the channel itself signs in and permits {SCOPE}. For what is public: an API key is enough.",
        f"Quota: {quota.GRANTED} units a day for the whole project, one for nearly every question.",
    ),
    options={
        "answered_within": "how many days before its span a pass over a span of time still asks what answers a comment "
        "(default 30)",
        "api": f"another address of the interface, for an agency's own gateway (default {API})",
        "captions": "written: read the captions that somebody wrote; all: the machine's own as well; no (default). A "
        "list of them costs 50 units for each video in every pass, the words of each 200 units once",
        "units": f"how many units of YouTube's quota one kind of pass may take in a day (default {quota.GRANTED}); lower it "
        "where other pages or programs use the same project",
    },
    api_version="YouTube Data API v3",
    legal_basis="The channel is the agency's own, read with its own project. YouTube's terms ask that stored data be "
    "refreshed or deleted after 30 days, and that the law be followed where it requires otherwise; a records law may. "
    "That is for the agency's attorney to weigh.",
    narrows=True,
    sign_in=OAuth2(
        authorise_at="https://accounts.google.com/o/oauth2/v2/auth",
        token_at="https://oauth2.googleapis.com/token",  # noqa: S106 - an address, not a token
        scopes=(SCOPE,),
        revoke_at="https://oauth2.googleapis.com/revoke",
        # Without these two Google gives no refresh token, or only the first time.
        extra={"access_type": "offline", "prompt": "consent"},
        steps=(
            (
                "Sign in with the Google account that manages the channel, and choose the channel itself where Google asks "
                "which one."
            ),
            (
                "Permit what is asked for. Google calls it managing the channel: no narrower permission shows comments that are "
                "held. Muniment only reads."
            ),
        ),
    ),
)
