"""Files that are handed in over the web: laid into a folder of their own for as long as one request reads them.

The folder lies in the archive's home, is readable by nobody else, and is
discarded when the request ends; what a crash left there is discarded by the
next one that is handed in a day later. Nothing of it is a path that the file's
sender chose.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Form, UploadFile

from app.capture import importing, pages, whose
from app.capture.formats import known, mapping
from app.capture.formats.preview import Preview, preview
from app.capture.formats.source import Source
from app.capture.formats.suggest import suggestion
from app.capture.importing import Received
from app.capture.lines import BadFile
from app.holds import guarding
from app.records.errors import Refused
from app.records.nouns import Officer, Page
from app.web.forms import reason
from app.web.parts import Parts

MOST = 64_000_000
"""The most that is handed in over the web; larger files come in by the command line."""
BODY = MOST + 1_000_000
_PREFIX, _LEFT = "handed-in-", 86_400
Line = Annotated[str, Form(max_length=2_000)]
Lines = Annotated[str, Form(max_length=262_144)]


class AnotherFile(Refused):
    """The file that was handed in is not the one that was previewed."""

    code = "another-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be done with the files: format, mapping, whose page, who handed them in, and why."""

    format: str
    mapping: str = ""
    page: str = ""
    make_pages: bool = False
    handed_by: str = ""
    why: str = ""
    sha256: str = ""
    """Where a preview came before: the digest of what it showed."""


def suggest(here: Parts, uploads: Sequence[UploadFile], asked: Asked) -> str:
    """A mapping to start from."""
    page = _page(here, asked)
    with laid(here, uploads) as files:
        table = known.table(asked.format, _one(files), None)
        zone = here.store.agency.timezone
        return suggestion(table, zone=zone, page=(page.platform, page.name) if page else None)


def look(here: Parts, uploads: Sequence[UploadFile], asked: Asked) -> Preview:
    """What an import would do; nothing is changed."""
    page = _page(here, asked)
    with here.store.database.read() as tx:
        known_pages = pages.listed(tx)
    with laid(here, uploads) as files, _opened(files, asked) as source:
        return preview(
            source,
            page=(page.platform, page.name) if page else None,
            registry=whose.registry(known_pages, source),
        )


def receive(here: Parts, uploads: Sequence[UploadFile], asked: Asked, *, by: Officer) -> Received:
    """Import what was handed in."""
    why, page = reason(asked.why), _page(here, asked)
    with laid(here, uploads) as files, _opened(files, asked) as source:
        if asked.sha256 and asked.sha256 != source.handed.sha256:
            raise AnotherFile(
                "this is not the file that was previewed", next="Choose the same file, or preview this one."
            )
        report = importing.receive(
            here.store,
            source,
            page=page,
            make_pages=asked.make_pages,
            by=by.id,
            why=why,
            handed_by=asked.handed_by.strip(),
            tick=time.monotonic,
            held=guarding.kept_again(here.store),
        )
    here.store.ledger.checkpoint()
    return report


@contextmanager
def _opened(files: Sequence[Path], asked: Asked) -> Iterator[Source]:
    how = mapping.parse(asked.mapping.encode()) if asked.mapping.strip() else None
    source = known.opened(asked.format, files, how)
    try:
        yield source
    finally:
        source.close()


def _page(here: Parts, asked: Asked) -> Page | None:
    if not asked.page:
        return None
    with here.store.database.read() as tx:
        return pages.get(tx, asked.page)


def _one(files: Sequence[Path]) -> Path:
    if len(files) != 1:
        raise BadFile("a mapping is for one file")
    return files[0]


@contextmanager
def laid(here: Parts, uploads: Sequence[UploadFile]) -> Iterator[list[Path]]:
    """The files in a folder that is discarded afterwards."""
    home = here.settings.home
    _discard_left(home)
    given = [upload for upload in uploads if upload.filename]
    if not given:
        raise BadFile("no file was handed in", next="Choose one.")
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=home) as folder:
        files: list[Path] = []
        for number, upload in enumerate(given):
            file = Path(folder) / _name(upload.filename or "", number)
            if file in files:
                raise BadFile(f"two files are called {file.name}")
            with file.open("xb") as made:
                shutil.copyfileobj(upload.file, made, 1 << 20)
            files.append(file)
        yield files


def _name(given: str, number: int) -> str:
    """The file's own name without any folder, as far as it can stand on a disk."""
    last = re.split(r"[/\\]", given)[-1]
    return re.sub(r"[\x00-\x1f\x7f]", "", last).strip(". ")[:150] or f"file-{number + 1}"


def _discard_left(home: Path) -> None:
    """Discard what a crash left of earlier requests."""
    for folder in home.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            # The folder's own time is the machine's, and so is this one; nothing else depends on it.
            if time.time() - folder.stat().st_mtime > _LEFT:
                shutil.rmtree(folder, ignore_errors=True)
