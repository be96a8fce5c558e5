"""One photo or album with what stands below it, in the form in which every pass observes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.contract import Observation, Span
from connectors.flickr import parse
from connectors.flickr.asking import Asking
from connectors.flickr.reading import said
from connectors.flickr.refusals import NotGiven
from connectors.pieces import Seen

ALBUM = "album/"


def listed(asking: Asking, seen: Seen[dict[str, Any]]) -> Observation:
    """A photo as a list shows it. A video's files are asked for: a list names its stills alone."""
    sizes, evidence = _files(asking, said(seen.what["id"])) if parse.is_video(seen.what) else ([], [])
    return parse.photo(seen.what, [seen.span, *evidence], sizes)


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


def comments(asking: Asking, root: str, ours: str, *, hidden: bool) -> list[Observation]:
    """Everything that was said below `root`."""
    return [parse.comment(seen, root, ours, hidden=hidden) for seen in asking.comments(root)]


def _files(asking: Asking, name: str) -> tuple[Sequence[Mapping[str, Any]], Sequence[Span]]:
    """The files of a photo or video; none where its owner permits none, or it was removed since it was listed."""
    try:
        seen = asking.sizes(name)
    except NotGiven:
        return [], []
    return parse.sizes_of(seen.what), [seen.span]
