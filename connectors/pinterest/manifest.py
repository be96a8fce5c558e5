"""What this connector sees of an account on Pinterest, what it does not, and how an account is connected."""

from __future__ import annotations

from connectors.contract import Manifest, OAuth2
from connectors.pinterest.options import API, AT_ONCE, MOST_AT_ONCE

SCOPES = ("user_accounts:read", "boards:read", "boards:read_secret", "pins:read", "pins:read_secret")

MANIFEST = Manifest(
    name="pinterest",
    title="Pinterest",
    platform="pinterest",
    route="api",
    captures={
        "profile": "the account's introduction with its picture; every board with its name and description, and every "
        "section of one, as records of their own",
        "posts": "every pin of the account, in sections and outside, and what others put on boards that they share with "
        "it: title, description, where it leads to, pictures and videos of every creative type",
        "edits": "by reading everything again: another title, description (also the one for those who cannot see it), note or address to "
        "lead to under the same number",
        "deletions": "missing from every list, then asked for by number: Pinterest's own 404 is gone where the account was "
        "shown in the same visit and its secret boards are open to the permission; else it is absent",
        "hidden": "secret and protected boards, with their sections and pins",
        "counts": "comments, reactions, saves and clicks of a pin, as Pinterest counts them; followers and pins of boards",
    },
    blind_spots=(
        (
            "Comments: Pinterest's interface counts them and shows none. Where the agency's pins are commented on, capture "
            "those pins with the connector `webpage`, or turn comments off."
        ),
        "Messages, and who saved a pin, reacted to it or follows a board: the interface does not show them.",
        (
            "Earlier texts: there is no history and no time of an edit. What was changed twice, or published and removed, "
            "between two passes is seen once or not at all."
        ),
        (
            "A pin that was moved to another board or section: where it is now stands in the next version that something "
            "else brings."
        ),
        "Whether a pin of somebody else's was removed from a shared board or by its owner: it is absent, never gone.",
        "The files of videos, where Pinterest has not permitted the application to be told their addresses: a gap says how many.",
        "Pictures of boards: Pinterest takes them from the pins.",
        "Pins that are advertisements alone and belong to an advertising account.",
        "Who edited or removed something, where several people work with the account.",
    ),
    needs=(
        (
            "A business account on Pinterest, and an application of the agency's own at developers.pinterest.com. Trial access is "
            "enough for a beginning: it allows 1,000 questions a day."
        ),
        f"The account signs in and permits {', '.join(SCOPES)}.",
    ),
    options={
        "ad_account": "the number of an advertising account through whose roles the agency's account is read, where whoever "
        "connects the page signs in as somebody else (default: none)",
        "api": f"another address of the interface, for an agency's own gateway (default {API})",
        "metrics": "no: pins are asked for without what Pinterest counts of them, which is quicker (default: yes)",
        "page_size": f"how many boards or pins to ask for at once, 1 to {MOST_AT_ONCE} (default {AT_ONCE})",
    },
    api_version="Pinterest API v5",
    legal_basis="The account is the agency's own, read with its own application. Pinterest's developer guidelines limit how "
    "long what its interface tells may be stored; a records law may require the contrary. That is for the agency's "
    "attorney to weigh.",
    sign_in=OAuth2(
        authorise_at="https://www.pinterest.com/oauth/",
        token_at="https://api.pinterest.com/v5/oauth/token",  # noqa: S106 - an address, not a token
        scopes=SCOPES,
        pkce=False,
        # Pinterest divides permissions by commas, where the standard has spaces.
        extra={"scope": ",".join(SCOPES)},
        steps=(
            "Sign in at Pinterest with the agency's own business account.",
            "Permit what is asked for. Muniment only reads: none of these permissions could change anything.",
        ),
    ),
)
