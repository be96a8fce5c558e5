"""What this connector sees of a page on Reddit, what it does not, and how a page is connected."""

from __future__ import annotations

from connectors.contract import Manifest, OAuth2
from connectors.reddit.options import ANSWERED_WITHIN, API, SITE

SCOPES = ("read", "history", "modlog", "wikiread")

MANIFEST = Manifest(
    name="reddit",
    title="Reddit",
    platform="reddit",
    route="api+gate",
    captures={
        "profile": "the subreddit's title, description, sidebar, pictures and rules, or the account's introduction; where a "
        "moderator has signed in, who moderates, what AutoModerator is told, and who may not write",
        "posts": "every submission that Reddit still lists (the newest 1,000 or so), with words, link, gallery, pictures, "
        "film, poll and what it crossposts; older ones one by one, where the archive has them",
        "comments": "every comment below them at any depth, those that Reddit leaves out of a tree asked for by their ids; "
        "the newest 1,000 comments of the subreddit, whatever they stand below; an account's own comments anywhere; what "
        "the agency itself answers, as replies",
        "edits": "by the time of the last edit, which Reddit tells, and by reading again",
        "deletions": "by Reddit's own mark where the words were: deleted by their author ([deleted], removed_by_category "
        "deleted), or taken away by Reddit's staff",
        "hidden": "removed by a moderator, by AutoModerator or by Reddit's filter; where a moderator has signed in, with "
        "words, who removed it and why",
        "moderation": "where a moderator has signed in: every entry of the moderation log, which Reddit keeps for about "
        "three months",
    },
    blind_spots=(
        (
            "Submissions beyond the newest 1,000 or so that no pass has seen: Reddit lists no more, of any list. A gap says "
            "so. The same holds for what was removed, and for an account's own comments."
        ),
        (
            "What was removed, for whoever does not moderate the subreddit: that it was is told, its words are not. What was "
            "published and removed between two passes then leaves no record."
        ),
        "What its author has deleted before a pass saw it: Reddit shows its words to nobody.",
        (
            "Who removed something, unless a moderator has signed in: Reddit then tells a kind of remover for submissions, and "
            "nothing for comments."
        ),
        (
            "Whether an account is filtered out by Reddit (a shadow ban): what it writes is shown to moderators as removed by "
            "Reddit's filter, and to nobody else at all."
        ),
        (
            "What a moderator has removed of an account's own comments, where that account itself has signed in: Reddit shows "
            "them to it as if nothing had happened. Connect an account's page with the application alone."
        ),
        "Earlier texts. Reddit tells when something was last edited; what was edited twice between two passes is seen once.",
        "An edit within the first three minutes bears no time; it is seen where the words were captured before it.",
        "The sound of a film that Reddit holds: it is a file of its own, which no answer names.",
        (
            "What an account answers in subreddits of others stands without what it answers, unless that is below a submission "
            "of its own."
        ),
        (
            "In a pass over a span of time: what answers submissions published more than thirty days before it (option "
            "`answered_within`), where the newest 1,000 comments do not reach back to the span. That a comment below an older "
            "submission was taken away is noticed by a pass over everything, or when its family is observed."
        ),
        "Entries of the moderation log that are older than about three months when the page is first captured.",
        "Modmail, private messages and chat; live threads; votes and who cast them; awards. Scores are blurred by Reddit itself.",
        (
            "A comment that Reddit leaves out of a tree and of its answers by name: it stands in the count of comments alone."
        ),
    ),
    needs=(
        "Reddit's approval of the application: since November 2025 it gives none out by itself (Responsible Builder Policy).",
        (
            "For everything: a moderator of the subreddit signs in, with the moderator's permissions for posts, access and "
            "wiki. For what is public: the application alone is enough."
        ),
        "MUNIMENT_CONTACT, best with the agency's name on Reddit: its rules ask that every program says who it is.",
        "100 questions a minute for each application, over ten minutes.",
    ),
    options={
        "accounts": "names on Reddit that speak for the agency, divided by commas: their comments are replies",
        "answered_within": "how many days before its span a pass over a span of time still reads what answers a "
        f"submission, where Reddit's list of new comments does not reach back (default {ANSWERED_WITHIN})",
        "api": f"another address of the interface, for an agency's own gateway (default {API})",
        "site": f"another address at which an application asks for its token (default {SITE})",
    },
    api_version="Reddit Data API",
    legal_basis="The page is the agency's own, read with an application that Reddit has approved. Reddit's terms ask that "
    "what its users delete be deleted elsewhere too; a records law may require the contrary. That is for the agency's "
    "attorney to weigh.",
    narrows=True,
    sign_in=OAuth2(
        authorise_at="https://www.reddit.com/api/v1/authorize",
        token_at="https://www.reddit.com/api/v1/access_token",  # noqa: S106 - an address, not a token
        revoke_at="https://www.reddit.com/api/v1/revoke_token",
        scopes=SCOPES,
        pkce=False,
        # Without it the permission ends after an hour, and nothing renews it.
        extra={"duration": "permanent"},
        steps=(
            "Sign in at Reddit as a moderator of the subreddit, best with an account of the agency's that does nothing else.",
            "Permit what is asked for. Muniment only reads.",
        ),
    ),
)
