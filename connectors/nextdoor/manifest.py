"""What this connector sees of an agency on Nextdoor, what it does not, and how a page is connected."""

from __future__ import annotations

from connectors.contract import Manifest, OAuth2
from connectors.nextdoor import routes

MANIFEST = Manifest(
    name="nextdoor",
    title="Nextdoor",
    platform="nextdoor",
    route="api+gate",
    captures={
        "profile": "the agency's name, place, address and picture, as its account or the list of its state tells them; with "
        "its own account also the areas that it may address, as a record of their own",
        "posts": "with the agency's own account: every post that Nextdoor lists of it, at every pass, with title and text, "
        "pictures and films, events with their times, what a poll asks, and to whom it went, as far as Nextdoor tells. "
        "With an application for the public feed: what the feed shows",
        "comments": "those that stand inside a post in Nextdoor's answers, at any depth; the agency's own as replies. How "
        "many there are is counted with each post, and against what is held, whether they are shown or not",
        "edits": "by reading again: neither interface tells when something was edited",
        "deletions": "missing from the list of the agency's own account: absent, and never more. From the public feed: not at all",
    },
    blind_spots=(
        (
            "Comments, where Nextdoor's interface does not show them: it has a permission to write comments and none to read "
            "them. Their number is kept with each post, and coverage says how many are known to exist and not held. An officer "
            "who is signed in records the pages of the posts in a browser, and the recording is imported: "
            "muniment import FILE --as warc."
        ),
        (
            "Whether a post was removed, and by whom: Nextdoor answers for no single post. One that its list lacks is absent. "
            "The oldest posts of the list are not concluded to be absent until it shows fewer than it did: it may be cut off."
        ),
        (
            "Earlier texts, and when something was edited. What was changed twice, or published and removed, between two passes "
            "is seen once or not at all."
        ),
        (
            "With an application for the public feed: posts that the feed does not show any more, what is missing from it, "
            "alerts and posts that went to some neighborhoods alone, and who asked for what was not public."
        ),
        "Whether a comment was removed, unless Nextdoor shows all that it counts below its post.",
        "Posts, comments and mentions by neighbors elsewhere, and what the agency's people write as neighbors.",
        "Private messages, the answers of neighbors to alerts outside Nextdoor, and reports.",
        "How often a post was seen, and where: the agency's dashboard shows that, its interface does not.",
        "A picture that is replaced at the same address.",
        "Who follows the agency, who is blocked, and what Nextdoor's own moderators took away.",
    ),
    needs=(
        (
            "Nextdoor's approval, for which an agency applies at developer.nextdoor.com; it takes weeks. Until then, record the "
            "agency's pages in a browser, and import the recording."
        ),
        f"For the agency's own posts: its account signs in and permits {', '.join(routes.SCOPES)}.",
        f"For the public feed: an application with the scope {routes.FEED_SCOPE.partition(' ')[2]}, by its id and secret.",
    ),
    options={
        "agency": "for the public feed: the agency's number at Nextdoor, where its address does not lead to it",
        "api": f"another address of the interface (default: the host of the page's address, such as {routes.SITE})",
        "areas": "no: the areas that the agency may address are not asked for (default yes)",
        "auth": f"for the public feed: another address at which an application asks for its token (default {routes.AUTH})",
        "profile": "the id of the agency's profile, where the account that has signed in has several",
        "scope": f"for the public feed: the scope that Nextdoor has granted (default {routes.FEED_SCOPE})",
        "state": "for the public feed: the agency's state as Nextdoor writes it, where its address does not tell it",
    },
    api_version="Nextdoor partner API v1",
    legal_basis="The account is the agency's own, read with an application that Nextdoor has approved. What neighbors write is "
    "theirs, and shown to their neighborhoods alone: whether and how it may be kept, Nextdoor's agreement with the agency and "
    "the records law decide. That is for the agency's attorney to weigh.",
    sign_in=OAuth2(
        authorise_at=routes.AUTHORISE,
        token_at=f"{routes.AUTH}/{routes.TOKEN}",
        scopes=routes.SCOPES,
        # No page of Nextdoor's names PKCE.
        pkce=False,
        steps=(
            "Sign in at Nextdoor with the agency's account, not as a neighbor.",
            "Permit what is asked for: who the account is, its posts and its areas. Muniment only reads.",
        ),
    ),
)
