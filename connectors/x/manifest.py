"""What this connector sees of an account on X, what it does not, and how a page is connected."""

from __future__ import annotations

from connectors.contract import Manifest, OAuth2
from connectors.x.money import DOLLARS, MESSAGE, MONTHLY, OWNED, POST, USER
from connectors.x.options import ANSWERED_WITHIN, API

SCOPES = ("tweet.read", "users.read", "dm.read", "block.read", "mute.read", "offline.access")

MANIFEST = Manifest(
    name="x",
    title="X",
    platform="x",
    route="api",
    captures={
        "profile": "name, description, place, link, both pictures, which post is pinned; where the account itself has "
        "signed in, whom it has blocked and muted",
        "posts": "every post, reply and repost that X still lists (the latest 3,200), long texts whole, with pictures, "
        "films, polls and what they quote; what the account answers; posts that name it or quote it",
        "comments": "replies at any depth below the account's own posts, as far back as the search may go; the latest "
        "800 posts that name the account, whatever they answer",
        "edits": "by the list of ids that every post bears: the newest text as a version with its time, those before it "
        "beside it; descriptions of pictures by reading the post again",
        "deletions": "missing from the list, or from a conversation, then asked for by id: X's own word that there is no "
        "such post",
        "hidden": "posts of a protected account, where the page is connected with it; posts that X withholds everywhere",
        "messages": "where the account itself has signed in: private conversations and groups of the last thirty days",
    },
    blind_spots=(
        (
            "Which replies the account has hidden: X lets them be hidden, and tells nobody that they are. They are "
            "captured as everyone else's."
        ),
        (
            "Replies that do not name the account, once they are older than seven days and no pass has seen them: only "
            "applications that are given the whole archive may search it (option `search`)."
        ),
        "What answers the account in conversations that others began, unless it names the account.",
        (
            "New replies in a conversation whose first post the account has deleted, unless they name the account, or the "
            "account itself had answered that post."
        ),
        (
            "The removal of a reply that is older than seven days, unless X counts no more replies to its post than it "
            "shows, or the archive may be searched."
        ),
        "Own posts beyond the latest 3,200, and what names the account beyond the latest 800. Import the account's archive.",
        "What was published and deleted again between two passes; edits of a post that was deleted with all its versions.",
        (
            "Who deleted a post, and why. A writer who was suspended, protects the account or blocks the page is told "
            "apart from that: nothing of it is called gone. Who closed the account altogether looks deleted."
        ),
        "Messages older than thirty days, encrypted messages, and whether a message was deleted.",
        "Pictures in private messages, where X hands them out to its own pages alone: a gap names each.",
        "Pictures and films of posts that the account reposts: X shows their words alone.",
        "Word filters, drafts, scheduled posts, lists, bookmarks, communities, spaces, and who liked or reposted.",
        "What lies beyond the month's budget in money; a gap says from when until when.",
    ),
    needs=(
        "An application at X of the agency's own, in a project, with credits: X asks money for everything that it shows.",
        f"The account itself signs in and permits {', '.join(SCOPES)}.",
        "Or, for what is public alone, the application's bearer token.",
    ),
    options={
        "monthly_budget": f"how much may be spent in a billing month, in the currency of the prices; `none`: as much as X "
        f"lets the application spend (default {MONTHLY})",
        "billing_day": "the day on which a billing month begins, 1 to 28 (default 1)",
        "price_post": f"what X asks for a post (default {DOLLARS[POST]}, in US dollars)",
        "price_owned": f"what X asks for a post of the application's owner (default {DOLLARS[OWNED]})",
        "price_user": f"what X asks for an account (default {DOLLARS[USER]})",
        "price_message": f"what X asks for a message (default {DOLLARS[MESSAGE]})",
        "owned": "yes: the application belongs to the page's own account, whose posts then cost price_owned (default no)",
        "included": "no: writers and quoted posts that stand beside what was asked for cost nothing, if the bill says so "
        "(default yes: they are counted)",
        "search": "how conversations are searched: `recent` (the last seven days), `all` (the whole archive, for "
        "applications that are given it) or `none` (default recent)",
        "quotes": "no: leave out who quotes the account's posts (default yes)",
        "messages": "no: leave out private messages (default yes, where the account itself has signed in)",
        "block_lists": "no: leave out whom the account has blocked and muted; each of them costs price_user a day "
        "(default yes)",
        "answered_within": "how many days before its span a pass over a span of time still asks what answers and quotes "
        f"a post (default {ANSWERED_WITHIN})",
        "api": f"another address of the interface, for an agency's own gateway (default {API})",
    },
    api_version="X API v2",
    legal_basis="The account is the agency's own. Words of others are captured where they answer, name or quote it. X's "
    "developer terms oblige those who keep its content elsewhere to honour deletions and edits; a records law may demand "
    "that they be kept. Nothing is disposed of for X's sake alone: that is for the agency's attorney to weigh.",
    narrows=True,
    sign_in=OAuth2(
        authorise_at="https://x.com/i/oauth2/authorize",
        token_at="https://api.x.com/2/oauth2/token",  # noqa: S106 - an address, not a token
        revoke_at="https://api.x.com/2/oauth2/revoke",
        scopes=SCOPES,
        single_use_refresh=True,
        steps=(
            "Sign in at X as the page's own account, not as a person who manages it.",
            "Permit reading. Muniment asks for nothing that could publish, answer, hide or block.",
        ),
    ),
)
