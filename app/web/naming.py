"""Records that are named in a form: typed, or in a file that is handed over."""

from uuid import UUID

from fastapi import UploadFile

from app.records import ids
from app.records.errors import Invalid


def named(text: str, file: UploadFile | None, *, most: int, longer: str) -> list[UUID]:
    """The records that are named in the form and in a file, each once; `longer` says where a longer list belongs.

    A file that is longer than a page takes is refused, never read in part.
    """
    content = file.file.read() if file is not None and file.filename else b""
    found = list(dict.fromkeys([*ids.listed(text), *ids.of_file(content)]))
    if len(found) > most:
        raise Invalid(f"{len(found):,} records are named, and a page takes {most:,}", next=longer)
    return found
