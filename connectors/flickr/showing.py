"""One photo or album with what stands below it, in the form in which every pass observes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import Gap, Observation, Span
from connectors.flickr import parse
from connectors.flickr.asking import Asking
from connectors.flickr.reading import said
from connectors.flickr.refusals import NotGiven
from connectors.pieces import Seen

ALBUM = "album/"


def listed(asking: Asking, seen: Seen[dict[str, Any]]) -> tuple[Observation, Gap | None]:
    """A photo as a list shows it. A video's files are asked for: a list names its stills alone.

    Where Flickr fails at them, it is observed with its still, and that is a gap.
    """
    if not parse.is_video(seen.what):
        return parse.photo(seen.what, [seen.span]), None
    name = said(seen.what["id"])
    sizes, evidence = list[Mapping[str, Any]](), list[Span]()
    with asking.about("the file of a video", name) as asked:
        sizes, evidence = _files(asking, name)
    return parse.photo(seen.what, [seen.span, *evidence], sizes), asked.gap


def alone(asking: Asking, name: str) -> Observation:
    """A photo that is asked for by itself; it MUST be observed as a list would show it."""
    seen = asking.one("flickr.photos.getInfo", {"photo_id": name}, "photo")
    sizes, evidence = _files(asking, name)
    row = parse.as_row(seen.what) if sizes else {**parse.as_row(seen.what), **parse.addresses(seen.what)}
    return parse.photo(row, [seen.span, *evidence], sizes)


def album(asking: Asking, name: str, person: str) -> Observation:
    """An album that is asked for by itself."""
    asked = {"photoset_id": name.removeprefix(ALBUM)}
    seen = asking.one("flickr.photosets.getInfo", asked, "photoset")
    return parse.album(seen.what, person, [seen.span])


def comments(asking: Asking, root: str, ours: str, *, hidden: bool) -> list[Observation] | None:
    """Everything that was said below `root`; None where Flickr gives no list of it."""
    told = asking.comments(root)
    return None if told is None else [parse.comment(seen, root, ours, hidden=hidden) for seen in told]


def unlisted(root: str) -> Gap:
    """That Flickr counts comments, and gives no list of them."""
    why = "Flickr counts some and gives no list of them; every later pass asks again"
    return Gap(what="comments", why=why, native_id=root)


def _files(asking: Asking, name: str) -> tuple[list[Mapping[str, Any]], list[Span]]:
    """The files of a photo or video; none where its owner permits none, or it was removed since it was listed."""
    try:
        seen = asking.sizes(name)
    except NotGiven:
        return [], []
    return parse.sizes_of(seen.what), [seen.span]
