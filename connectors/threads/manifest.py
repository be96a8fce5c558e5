"""What this connector sees of an account on Threads, what it does not, and how an account is connected."""

from __future__ import annotations

from connectors.contract import ByHand, Field, Manifest
from connectors.threads.asking import LISTS, THREADS, VERSION

SCOPES = ("threads_basic", "threads_read_replies", "threads_manage_mentions")

MANIFEST = Manifest(
    name="threads",
    title="Threads",
    platform="threads",
    route="api",
    captures={
        "profile": "the account's introduction with its picture, at every pass",
        "posts": "the account's own posts, ghost posts among them, what it quotes and posts again, and what it answers "
        "elsewhere; posts of others that name it",
        "comments": "everything that answers a post, at any depth; the account's own as replies",
        "edits": "by reading everything again: another text, topic or description of a picture under the same number",
        "deletions": "missing from the list, then asked for by number. Of the account's own posts, the platform's own "
        "code 100 subcode 33 while it shows the account's other posts is gone; a missing answer is absent",
        "hidden": "answers that the account has hidden, that Threads has covered, or whose writer the account restricted "
        "or blocked, as far as Threads tells them; those that wait for approval, where the option `approvals` says so; "
        "ghost posts that Threads has archived",
    },
    blind_spots=(
        "Earlier texts: the interface has no history of edits, and not even the time of one.",
        "What was published and removed again between two passes.",
        (
            "Who removed an answer, and whether one was removed at all: Threads gives the same answer for one of "
            "somebody who left, made the profile private, or blocked the account. It is absent, never gone."
        ),
        "What the account has archived by hand: it looks removed, until it is put back.",
        "Likes, views, and how often something was posted again: the interface tells counts in its statistics alone.",
        "Answers that wait for approval, unless the option `approvals` is set.",
        "Private messages: the interface has none.",
        "What answers a post of somebody else that the account answered, or that names it.",
        "Posts of others that quote the account without naming it.",
        (
            "Until Meta has given the agency's application Advanced Access to threads_manage_mentions: posts that name "
            "the account, of anyone who has no role in the application."
        ),
        "Whom the account has blocked or restricted, and its list of hidden words: the interface shows neither.",
        "Files that are claimed by somebody else, or flagged for it: a gap names the post.",
        (
            "In a pass over a span of time: answers to posts that are more than thirty days older than the span (option "
            "`answered_within`). They are seen when the older post is observed again."
        ),
    ),
    needs=(
        "An application at Meta of the agency's own, for Threads, in which the account is a tester.",
        f"A token of the account, renewed every sixty days, with {', '.join(SCOPES)}.",
    ),
    options={
        "answered_within": "how many days before its span a pass over a span of time still asks what answers a post "
        "(default 30)",
        "approvals": "yes: the account approves answers before they are shown; those that wait are asked for, with one "
        "more question for each post (default: no)",
        "leave_out": f"lists that need not be asked for, of {', '.join(LISTS)} (default: none)",
        "page_size": "how many posts to ask for at once, 1 to 100 (default 50)",
        "graph": f"another address of the interface, for an agency's own gateway (default {THREADS})",
    },
    api_version=f"Threads API {VERSION}",
    api_ends="the interface has had one version since it began (June 2024), and Meta has announced no end of it",
    legal_basis="The account is the agency's own, read with its own application. Meta's terms ask that what was removed "
    "be removed from copies too; a records law may say otherwise. That is for the agency's attorney to weigh.",
    narrows=True,
    sign_in=ByHand(
        fields=(
            Field(
                name="access_token",
                title="Access token",
                help="Of the account: in the application, Use cases > Threads > Settings > User Token Generator.",
            ),
            Field(
                name="app_secret",
                title="Threads app secret",
                help="App settings > Basic. It proves each question; without it, leave “Require app secret” off.",
                required=False,
            ),
            Field(name="app_id", title="Threads app ID", required=False, shown=True),
        ),
        steps=(
            "At developers.facebook.com, make an application of the agency's own with the use case Threads.",
            f"Under Use cases > Threads > Permissions, add {', '.join(SCOPES)}.",
            "Under App roles, add the account as a Threads tester, and accept that in the account's own settings.",
            "Under Use cases > Threads > Settings, generate a token for the account. It ends after sixty days.",
            "Enter the token here, with the day on which it ends.",
        ),
    ),
)
