"""Imports, over the API: a file is handed in and received, or looked at first."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, UploadFile

from app.capture.formats import known
from app.web import handing
from app.web.handing import Asked, Line, Lines
from app.web.parts import Here
from app.web.who import MayEnter, MayKeep

router = APIRouter(prefix="/imports", tags=["imports"])


@router.get("/formats")
def list_formats(_: MayEnter) -> dict[str, str]:
    """Every format that an import understands, each in a sentence."""
    return known.FORMATS


@router.post("", max_body_size=handing.BODY)
def import_files(
    officer: MayKeep,
    here: Here,
    files: list[UploadFile],
    format: Annotated[str, Form()] = "observations",
    mapping: Lines = "",
    page: Line = "",
    make_pages: Annotated[bool, Form()] = False,
    handed_by: Annotated[str, Form(alias="from", max_length=2_000)] = "",
    why: Line = "",
    sha256: Annotated[str, Form(max_length=64)] = "",
    preview: Annotated[bool, Form()] = False,
) -> dict[str, Any]:
    """Receive what was handed in, or with `preview` tell what that would do and change nothing.

    `mapping` is the text of a mapping, for tables. Several files only where
    they are parts of one download. With `sha256`, only that very file.
    """
    asked = Asked(
        format=format,
        mapping=mapping,
        page=page,
        make_pages=make_pages,
        handed_by=handed_by,
        why=why,
        sha256=sha256,
    )
    if preview:
        return handing.look(here, files, asked).as_dict()
    return handing.receive(here, files, asked, by=officer).as_dict()
