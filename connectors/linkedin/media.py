"""The addresses of files: pictures, videos and documents are named by URN, and each is asked for where to fetch it.

The address expires within weeks at most, the URN stays. A file whose address is
not told (it is still processed, or a permission is lacking) keeps its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.contract import Attachment, Gap, Span
from connectors.linkedin.asking import Asking
from connectors.linkedin.shapes import File
from connectors.linkedin.urns import coded

_PATHS: Mapping[str, str] = {
    "urn:li:image:": "images",
    "urn:li:video:": "videos",
    "urn:li:document:": "documents",
}


@dataclass(frozen=True, slots=True)
class Files:
    """Where files can be fetched now, by URN, with the bytes that said so."""

    told: Mapping[str, tuple[str, Span]]
    gaps: Sequence[Gap] = ()

    def of(self, files: Iterable[Attachment]) -> tuple[list[Attachment], list[Span]]:
        """The same files with their addresses, and where those were read."""
        addressed: list[Attachment] = []
        evidence: dict[Span, None] = {}
        for file in files:
            found = self.told.get(urn(file))
            addressed.append(file if found is None else replace(file, url=found[0] or file.url))
            if found is not None:
                evidence[found[1]] = None
        return addressed, list(evidence)


def urn(file: Attachment) -> str:
    """What LinkedIn calls a file: its id, without what it is for (`logo:urn:li:image:…`)."""
    name = file.id
    return name[name.index("urn:li:") :] if "urn:li:" in name else name


def resolved(asking: Asking, files: Iterable[Attachment]) -> Files:
    """Ask where these files can be fetched, those of one kind together."""
    told: dict[str, tuple[str, Span]] = {}
    gaps: list[Gap] = []
    names = dict.fromkeys(urn(file) for file in files)
    for prefix, path in _PATHS.items():
        wanted = {name: coded(name) for name in names if name.startswith(prefix)}
        if not wanted:
            continue
        found = asking.by_ids(path, File, wanted)
        for name, seen in found.items.items():
            told[name] = (seen.what.download_url or "", seen.span)
        gaps += (replace(one, what=f"a file ({path})", native_id=None) for one in found.failed)
        if found.refused is not None:
            gaps.append(Gap(what=f"files ({path})", why=found.refused.why))
    return Files(told, gaps)
