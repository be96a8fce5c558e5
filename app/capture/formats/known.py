"""Every format that an import understands, each in a sentence, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.capture.formats.eml import Eml
from app.capture.formats.facebook_download import FacebookDownload
from app.capture.formats.instagram_download import InstagramDownload
from app.capture.formats.linkedin_download import LinkedinDownload
from app.capture.formats.load_file import LoadFile
from app.capture.formats.mapping import BadMapping, MappingFile
from app.capture.formats.observations import Observations
from app.capture.formats.rsmf import Rsmf
from app.capture.formats.sheets import Xlsx
from app.capture.formats.snapchat_download import SnapchatDownload
from app.capture.formats.source import Source
from app.capture.formats.table import Table
from app.capture.formats.tabular import Csv
from app.capture.formats.tiktok_download import TiktokDownload
from app.capture.formats.web_archive import WebArchive
from app.capture.formats.x_archive import XArchive
from app.capture.formats.youtube_takeout import YoutubeTakeout
from app.capture.lines import BadFile

FORMATS = {
    "observations": "JSON Lines, one observation a line, plain or gzip (.gz)",
    "csv": "CSV or another divided table, plain or gzip, read with a mapping that says which column is what",
    "xlsx": "one sheet of a workbook (XLSX), read with a mapping; formulas are never computed",
    "load-file": "a load file (Concordance DAT, or a table) with its words, natives and pages: a ZIP or a folder, read with a mapping",
    "facebook-download": "a Facebook page's own download in JSON: a ZIP, several ZIPs of one download, or a folder",
    "instagram-download": "an Instagram page's own download in JSON: a ZIP, several ZIPs of one download, or a folder",
    "x-archive": "an X page's own archive: a ZIP, several ZIPs of one archive, or a folder",
    "youtube-takeout": "a YouTube channel's takeout from Google: a ZIP, several ZIPs of one takeout, or a folder",
    "tiktok-download": "a TikTok page's own download in JSON: the ZIP, a folder, or user_data.json by itself",
    "linkedin-download": "a LinkedIn member's own download: a ZIP or a folder of its tables (CSV)",
    "snapchat-download": "a Snapchat page's own download in JSON: a ZIP, several ZIPs of one download, or a folder",
    "warc": "web archives: WARC files, plain or gzip, or WACZ files; each web page in them is a record",
    "eml": "e-mails in which an archive hands out its items: EML files, mailboxes (mbox), a ZIP or a folder of them",
    "rsmf": "short-message files (RSMF 1.0 and 2.0): .rsmf files, a ZIP or a folder of them; each event is a record",
}
DOWNLOADS: Mapping[str, Callable[[Sequence[Path]], Source]] = {
    "facebook-download": FacebookDownload,
    "instagram-download": InstagramDownload,
    "x-archive": XArchive,
    "youtube-takeout": YoutubeTakeout,
    "tiktok-download": TiktokDownload,
    "linkedin-download": LinkedinDownload,
    "snapchat-download": SnapchatDownload,
    "warc": WebArchive,
}
"""What platforms and other programs hand out: in one file or in several that are one."""
MAPPED: Mapping[str, Callable[[Sequence[Path], MappingFile | None], Source]] = {
    "eml": Eml,
    "rsmf": Rsmf,
}
"""What can be read without a mapping, and in which a mapping may say more."""
TABLES: Mapping[str, Callable[[Path, MappingFile | None], Table]] = {
    "csv": Csv,
    "xlsx": Xlsx,
    "load-file": LoadFile,
}
"""What is read with a mapping, and not without."""


def opened(form: str, files: Sequence[Path], mapping: MappingFile | None = None) -> Source:
    """Open what was handed in, or `BadFile`; nothing is kept by it."""
    if form not in FORMATS:
        raise BadFile(f"{form!r} is no known format", next="`muniment import --formats` lists them.")
    if form in MAPPED:
        return MAPPED[form](files, mapping)
    if mapping is not None and form not in TABLES:
        raise BadMapping(
            f"{form} is read without a mapping", next=f"Mappings are for {', '.join((*TABLES, *MAPPED))}."
        )
    if form in DOWNLOADS:
        return DOWNLOADS[form](files)
    if len(files) != 1:
        raise BadFile(
            f"{form} is imported one file at a time", next="Several files are for a download in parts."
        )
    if form == "observations":
        return Observations(files[0])
    if mapping is None:
        raise BadMapping(
            f"{form} is read with a mapping",
            next=f"`muniment import FILE --as {form} --suggest MAPPING` writes one to start from.",
        )
    return table(form, files[0], mapping)


def table(form: str, file: Path, mapping: MappingFile | None) -> Table:
    """Open a table, with or without a mapping."""
    if form not in TABLES:
        raise BadFile(f"{form} is no table", next=f"A mapping is suggested for {', '.join(TABLES)}.")
    return TABLES[form](file, mapping)
