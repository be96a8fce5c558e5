"""What this connector sees of a page on Flickr, what it does not, and how a page is connected."""

from __future__ import annotations

from connectors.contract import Manifest, OAuth1
from connectors.flickr.options import API, GRANTED

MANIFEST = Manifest(
    name="flickr",
    title="Flickr",
    platform="flickr",
    route="api",
    captures={
        "profile": "a person's name, description, place and picture; a group's name, description and rules",
        "posts": "every photo and video of a photostream or of a group's pool, with title, description, tags, licence, "
        "when it was taken, posted and last touched, and where; the original file where its owner permits that, else "
        "the largest copy; a person's albums with title and description",
        "comments": "every comment on every photo, video and album; the page's own as replies",
        "edits": "by reading again: titles, descriptions and comments. Of photos Flickr tells when they were last touched, "
        "by an edit or a comment, and a pass over a span of time goes by that",
        "deletions": "missing from the list, then asked for by id: gone only where the owner is connected and Flickr "
        "answers with code 1; a comment only with what it stood under",
        "hidden": "where the owner is connected: photos for friends, for family or for nobody, with what was said there",
    },
    blind_spots=(
        (
            "With a key alone, or with somebody else's permission: what is private or not safe for everybody, and whether "
            "what is missing was removed or made private. Flickr answers for both alike (code 1); it then stays absent."
        ),
        (
            "Whether a comment was removed: Flickr answers for no single comment. One that its list lacks is absent, and "
            "gone only with its photo. Who removed it is told nowhere."
        ),
        (
            "Earlier texts, and when a comment was edited. What was changed twice, or published and removed, between two "
            "passes is seen once or not at all."
        ),
        "Notes that visitors draw on a photo, people who are marked in it, and the camera's own data (Exif).",
        "Discussions of a group, and photos that wait for its administrators.",
        "Galleries and what is said about them, favourites by name, testimonials, contacts and messages (FlickrMail).",
        "Which photos an album holds.",
        "Tags that were added or taken away, which others may do too: what is new stands in the photo's next version.",
        "Who is blocked: Flickr's interface does not show it.",
        (
            "In a pass over a span of time, what was said below a photo that Flickr does not call touched since. It calls it so "
            "for every comment and every edit; a pass over everything asks for all."
        ),
        "Comments below a photo of which Flickr counts none are not asked for.",
    ),
    needs=(
        "A key of the agency's own from https://www.flickr.com/services/apps/create/ (non-commercial), with its secret.",
        "For what is public, the key is enough. For what only the owner sees: the owner signs in and permits reading (perms=read).",
        f"{GRANTED} questions an hour for one key: one for 500 photos, and one for each photo and album that has comments.",
    ),
    options={
        "api": f"another address of the interface, for an agency's own gateway (default {API})",
        "questions": f"how many questions this page may ask in an hour (default {GRANTED}); lower it where other pages or "
        "programs use the same key",
    },
    api_version="Flickr REST API",
    legal_basis="The page is the agency's own, read with its own key. Photos in a group's pool, and what visitors write, are "
    "theirs: Flickr's terms ask that a photo's licence and a member's wish to have it removed be respected, and a records "
    "law may require otherwise. That is for the agency's attorney to weigh.",
    narrows=True,
    sign_in=OAuth1(
        request_at="https://www.flickr.com/services/oauth/request_token",
        authorise_at="https://www.flickr.com/services/oauth/authorize",
        token_at="https://www.flickr.com/services/oauth/access_token",  # noqa: S106 - an address, not a token
        extra={"perms": "read"},
        steps=(
            "Sign in to Flickr as the owner of the photostream, not as yourself.",
            "Permit what is asked for: to read, private photos included. Muniment asks for nothing else.",
        ),
    ),
)
