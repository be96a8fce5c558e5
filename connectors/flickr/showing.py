"""One photo or album with what stands below it, in the form in which every pass observes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.contract import Gap, Observation, Span
from connectors.errors import UnexpectedResponse
from connectors.failing import AGAIN
from connectors.flickr import parse
from connectors.flickr.asking import Asking
from connectors.flickr.reading import ALWAYS_TOLD, said, strange
from connectors.flickr.refusals import NotGiven
from connectors.pieces import Seen

ALBUM = "album/"
_FILE = "the file of a photo or video"


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one photo or video, and whether Flickr tells which they are."""

    sizes: Sequence[Mapping[str, Any]] = ()
    evidence: Sequence[Span] = ()
    told: bool = True

    def gap(self, name: str) -> Gap | None:
        """That it does not tell."""
        if self.told:
            return None
        why = f"flickr.photos.getSizes tells a file in another shape; what was known of its files stands. {AGAIN}"
        return Gap(what=_FILE, why=why, native_id=name)


def listed(asking: Asking, seen: Seen[dict[str, Any]]) -> tuple[Observation, Gap | None]:
    """A photo as a list shows it. A video's files are asked for: a list names its stills alone.

    Where Flickr fails at them, or tells them in another shape, they stand as they stood, and that is a gap.
    """
    if not parse.is_video(seen.what):
        return parse.photo(seen.what, [seen.span]), None
    name, files = said(seen.what["id"]), Files()
    with asking.about(_FILE, name) as asked:
        files = _files(asking, name, moving=True)
    told = asked.gap is None and files.told
    shown = parse.photo(seen.what, [seen.span, *files.evidence], files.sizes, files_told=told)
    return shown, asked.gap or files.gap(name)


def alone(asking: Asking, name: str) -> tuple[Observation, Gap | None]:
    """A photo that is asked for by itself; it MUST be observed as a list would show it."""
    method = "flickr.photos.getInfo"
    seen = asking.one(method, {"photo_id": name}, "photo")
    files = _files(asking, name, moving=parse.is_video(seen.what))
    row = parse.as_row(seen.what)
    _readable(method, row, "photo")
    if not files.sizes:
        row |= parse.addresses(seen.what)
    shown = parse.photo(row, [seen.span, *files.evidence], files.sizes, files_told=files.told)
    return shown, files.gap(name)


def album(asking: Asking, name: str, person: str) -> Observation:
    """An album that is asked for by itself."""
    method, asked = "flickr.photosets.getInfo", {"photoset_id": name.removeprefix(ALBUM)}
    seen = asking.one(method, asked, "photoset")
    _readable(method, seen.what, "photoset")
    return parse.album(seen.what, person, [seen.span])


def comments(
    asking: Asking, root: str, ours: str, *, hidden: bool
) -> tuple[list[Observation], list[Gap]] | None:
    """Everything that was said below `root`, and what of it cannot be read; None where Flickr gives no list of it."""
    told = asking.comments(root)
    if told is None:
        return None
    unread = asking.gaps_of("comments", told.unread, lambda name: f"{root}/{name}")
    return (
        [parse.comment(seen, root, ours, hidden=hidden) for seen in told.items],
        [replace(one, native_id=one.native_id or root) for one in unread],
    )


def unlisted(root: str) -> Gap:
    """That Flickr counts comments, and gives no list of them."""
    why = "Flickr counts some and gives no list of them; every later pass asks again"
    return Gap(what="comments", why=why, native_id=root)


def _files(asking: Asking, name: str, *, moving: bool) -> Files:
    """The files of a photo or video; none where its owner permits none, or it was removed since it was listed."""
    try:
        seen = asking.sizes(name)
    except NotGiven:
        return Files()
    return Files(parse.sizes_of(seen.what), [seen.span], parse.tells_files(seen.what, moving=moving))


def _readable(method: str, row: Mapping[str, Any], item: str) -> None:
    """An error where what an item says of itself cannot be read."""
    why = strange(row, ALWAYS_TOLD[item])
    if why:
        raise UnexpectedResponse(f"{method}: the item is not of Flickr's shape: {why}.")
