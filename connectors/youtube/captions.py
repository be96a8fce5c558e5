"""The words of a video: its tracks of captions, as files that belong to it. They cost far more than everything else.

A track is asked for once; the cursor remembers which. It is known by its id and
the time of its last change, so that a changed one is another file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from connectors.contract import Attachment, Exchange, Gap, Span
from connectors.errors import UnexpectedResponse
from connectors.http import decoded
from connectors.youtube import options, quota
from connectors.youtube.asking import Asking
from connectors.youtube.place import Track as Known
from connectors.youtube.reading import Answer
from connectors.youtube.refusals import NotGiven
from connectors.youtube.shapes import Track

_MACHINE = "asr"
_VTT = "text/vtt"
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Captions:
    """The tracks of one video: what is kept of them, where they were read, and what was not given.

    `whole` says that it was told which tracks there are.
    """

    files: list[Attachment] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    evidence: list[Span] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    whole: bool = True


def read(asking: Asking, video: str, wanted: str, known: Sequence[Known]) -> Captions:
    """List the tracks of a video, and get the words of those that are not `known`.

    Where YouTube does not list them now, those that are known are still its
    captions: they are not gone because we were refused.
    """
    found = Captions()
    told: Answer[Track] | None = None
    try:
        with asking.about("captions", video) as asked:
            told = asking.many(
                "captions",
                "captionListResponse",
                Track,
                {"part": "snippet", "videoId": video},
                quota.CAPTIONS_LIST,
            )
    except NotGiven as refused:
        found.gaps.append(Gap(what="captions", why=refused.why, native_id=video))
    else:
        found.gaps += filter(None, [asked.gap])
    if told is None:
        return replace(as_known(known), gaps=found.gaps)
    strange = {one.id for one in told.unread}
    if strange:
        found.whole = False
        found.gaps += (
            replace(gap, native_id=video) for gap in asking.gaps_of("a track of captions", told.unread)
        )
    for told_of in told.items:
        track, snippet = told_of.what, told_of.what.snippet
        machine = snippet.track_kind.lower() == _MACHINE
        if snippet.is_draft or (machine and wanted != options.ALL):
            continue
        called = ", ".join(
            part for part in (snippet.language, snippet.name, "by machine" if machine else "") if part
        )
        named: Known = (track.id, snippet.last_updated, called)
        found.evidence.append(told_of.span)
        held = any(one[:2] == named[:2] for one in known)
        digest = "" if held else _words(asking, video, track.id, found)
        if held or digest:
            found.known.append(named)
        found.files.append(_file(named, digest))
    shown = {one.what.id for one in told.items}
    for one in known:
        if one[0] in strange or (None in strange and one[0] not in shown):
            found.known.append(one)
            found.files.append(_file(one))
    return found


def as_known(known: Sequence[Known]) -> Captions:
    """The tracks that are known, where it is not told now which there are: they are not gone because we were not told."""
    return Captions(files=[_file(one) for one in known], known=list(known), whole=False)


def _words(asking: Asking, video: str, track: str, found: Captions) -> str:
    """Get the words of a track, and return by which digest the exchange that holds them is known; empty where refused."""
    exchange: Exchange | None = None
    try:
        with asking.about(f"the captions {track}", video) as asked:
            exchange = _a_file(asking.get(f"captions/{track}", {"tfmt": "vtt"}, quota.CAPTIONS_DOWNLOAD))
    except NotGiven as refused:
        found.gaps.append(Gap(what=f"the captions {track}", why=refused.why, native_id=video))
    else:
        found.gaps += filter(None, [asked.gap])
    if exchange is None:
        return ""
    found.evidence.append(Span(asking.last, 0, len(exchange.body)))
    return hashlib.sha256(exchange.body).hexdigest()


def _a_file(exchange: Exchange) -> Exchange:
    """The same answer, if it is a file of captions."""
    if not decoded(exchange).removeprefix(_BOM).startswith(b"WEBVTT"):
        raise UnexpectedResponse(f"{exchange.url} answered with something that is no file of captions.")
    return exchange


def _file(named: Known, digest: str = "") -> Attachment:
    track, updated, called = named
    return Attachment(
        id=f"captions:{track}:{updated}",
        media_type=_VTT,
        path=f"sha256:{digest}" if digest else None,
        description=called or "",
    )
