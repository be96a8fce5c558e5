"""Importing, for people: hand a file in, see what it would become, then receive it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.responses import HTMLResponse

from app.capture import pages
from app.capture.formats import known
from app.capture.formats.preview import Preview
from app.capture.importing import Received
from app.records.errors import ArchiveError
from app.web import handing
from app.web.forms import Posted
from app.web.handing import Asked, Line, Lines
from app.web.parts import Here, Parts
from app.web.problems import status_of
from app.web.showing import in_bytes, show
from app.web.who import MayKeep

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/import")
def form(request: Request, _: MayKeep, here: Here) -> Response:
    """The form."""
    return _shown(request, here, Asked(format="csv"))


@router.post("/import", dependencies=[Posted], max_body_size=handing.BODY)
def hand_in(
    request: Request,
    officer: MayKeep,
    here: Here,
    files: list[UploadFile],
    format: Annotated[str, Form(max_length=40)],
    act: Annotated[str, Form(max_length=20)] = "preview",
    mapping: Lines = "",
    page: Line = "",
    make_pages: Annotated[bool, Form()] = False,
    handed_by: Line = "",
    why: Line = "",
    sha256: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Suggest a mapping, show what would be kept, or receive it: as the button says."""
    # Browsers send text areas with line ends of their own; a mapping is the same with ours.
    asked = Asked(
        format=format,
        mapping=mapping.replace("\r\n", "\n"),
        page=page,
        make_pages=make_pages,
        handed_by=handed_by,
        why=why,
        sha256=sha256,
    )
    try:
        if act == "suggest":
            found = handing.suggest(here, files, asked)
            return _shown(request, here, asked, suggested=found)
        if act == "import":
            return _shown(request, here, asked, report=handing.receive(here, files, asked, by=officer))
        return _shown(request, here, asked, looked=handing.look(here, files, asked))
    except ArchiveError as error:
        return _shown(request, here, asked, error=error)


def _shown(
    request: Request,
    here: Parts,
    asked: Asked,
    *,
    suggested: str | None = None,
    looked: Preview | None = None,
    report: Received | None = None,
    error: ArchiveError | None = None,
) -> Response:
    with here.store.database.read() as tx:
        listed = pages.listed(tx)
    return show(
        request,
        "import.html",
        status_code=status_of(error) if error else 200,
        asked=asked,
        formats=known.FORMATS,
        tables=known.TABLES,
        pages=listed,
        mapping=asked.mapping if suggested is None else suggested,
        suggested=suggested is not None,
        looked=looked,
        report=report,
        error=error,
        most=in_bytes(handing.MOST),
    )
