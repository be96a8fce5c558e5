"""What this connector sees of an account, what it does not, and how a page is connected."""

from __future__ import annotations

from connectors.bluesky.network import APP_VIEW, DIRECTORY
from connectors.contract import ByHand, Field, Manifest

MANIFEST = Manifest(
    name="bluesky",
    title="Bluesky",
    platform="bluesky",
    route="api",
    captures={
        "profile": "the introduction, the handle with its DID document, block lists and other lists; where the "
        "page is connected, also muted words, muted accounts and hidden posts",
        "posts": "every post, answer and repost of the account, out of its signed repository",
        "comments": "every answer at any depth and every quotation that the app view shows; a pass over a "
        "span of time reads those below the posts of that span and of the week before it",
        "edits": "another digest under the same address: at every pass, and at once by the stream",
        "deletions": "missing from the signed repository; confirmed by its author's own server with a proof of "
        "non-existence, or told by the stream",
        "hidden": "answers that the page has hidden (threadgate), and those of accounts that are blocked",
        "messages": "where the page is connected: mentions elsewhere, and direct messages if the app password "
        "allows them",
    },
    blind_spots=(
        "What was published and removed between two passes while no stream was listening.",
        (
            "Answers that the app view does not show in a thread: taken down by moderation, of a deactivated account, "
            "of somebody whom the page blocks or who blocks it, or against the page's rule for who may answer. It "
            "counts some of them, and then a gap says so."
        ),
        (
            "New answers to what others said below an answer that was deleted: no thread leads there. What answers the "
            "account itself there is read."
        ),
        (
            "The text that an edited post had before, if it was edited between two passes: servers keep only what "
            "stands now."
        ),
        "Who removed an answer, and why: a repository shows that it is gone, not the hand.",
        "What becomes of a mention elsewhere after it was told: nothing lists mentions whole, so none is missed.",
        (
            "Likes and followed accounts make no records of their own; the account's own stand in the evidence of "
            "its repository."
        ),
        "Records of other applications in the same repository (lexicons other than app.bsky).",
        "The words of a quoted or reposted post: its address is kept, and what the app view showed is evidence.",
        "Without credentials: mentions elsewhere, direct messages, muted words and accounts.",
        (
            "Answers that come more than a week after their post, in a pass over a span of time: they are seen when "
            "the older post's turn comes, or the same night where the page is connected."
        ),
    ),
    needs=(
        "Nothing for what is public.",
        (
            "For mentions, direct messages and muted words: an app password of the account (Settings > Privacy and "
            "security > App passwords), with access to direct messages if these are to be kept."
        ),
    ),
    options={
        "appview": f"the app view to ask for answers (default {APP_VIEW})",
        "directory": f"the directory of did:plc accounts (default {DIRECTORY})",
        "jetstream": "a Jetstream to listen to instead of the account's own server, such as "
        "wss://jetstream2.us-east.bsky.network",
    },
    api_version="com.atproto.sync, app.bsky",
    legal_basis="The account's records are public by the protocol's design, and it is the agency's own. "
    "Visitors' answers are public posts of theirs.",
    narrows=True,
    streams_openly=True,
    sign_in=ByHand(
        fields=(
            Field(
                name="app_password",
                title="App password",
                help="Looks like xxxx-xxxx-xxxx-xxxx. Never the account's main password.",
            ),
        ),
        steps=(
            "Sign in to Bluesky as the page's account.",
            "Open Settings > Privacy and security > App passwords, and add one named Muniment.",
            "Tick “Allow access to your direct messages” if these are to be kept.",
            "Copy the password that is shown once, and enter it here.",
        ),
    ),
)
