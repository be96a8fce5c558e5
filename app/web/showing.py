"""Showing pages: templates, with moments in the agency's time zone and the field's words for states."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from app.records.clock import iso
from app.records.nouns import Officer, Role
from app.web import forms
from app.web.harmless import harmless
from app.web.parts import Parts

FOLDER = Path(__file__).resolve().parent

STATES = {
    "present": "Shown to the public",
    "hidden": "Hidden",
    "absent": "Absent",
    "gone": "Gone",
    "unknown": "Unknown",
}
STATES_EXPLAINED = {
    "present": "The page showed it to the public when it was last captured.",
    "hidden": "Held, filtered or in the bin: the page’s own people can still read it, the public cannot.",
    "absent": "Missing from a listing that should have it. This proves no deletion.",
    "gone": "The platform itself says that it no longer exists.",
    "unknown": "The platform was asked and did not tell.",
}
SHOWN = {"shown": "Shown", "not_shown": "Not shown", "uncertain": "Uncertain"}
RUNS = {"complete": "Complete", "partial": "With gaps", "failed": "Failed", "running": "Running"}
LANES = {
    "whole": "Whole page",
    "window": "What is recent",
    "sweep": "A part of what is older",
    "lately": "What is new",
    "surge": "Busy posts",
    "told": "What the platform told of",
    "stream": "Stream",
}
ROLES = {
    Role.RECORDS_OFFICER: "Records officer",
    Role.ATTORNEY: "Attorney",
    Role.APPROVER: "Approver",
    Role.AUDITOR: "Auditor",
    Role.ADMINISTRATOR: "Administrator",
    Role.INGEST: "Ingest",
    Role.CUSTODIAN_OF_EVIDENCE: "Custodian of evidence",
    Role.MESSAGES: "Private messages",
}
ROLES_EXPLAINED = {
    Role.RECORDS_OFFICER: "searches and reads records, keeps the registry of pages",
    Role.ATTORNEY: "searches and reads records, holds and requests",
    Role.APPROVER: "approves pages and disposals",
    Role.AUDITOR: "reads everything that was done and who read what; changes nothing",
    Role.ADMINISTRATOR: "manages accounts and pages",
    Role.INGEST: "captures and imports",
    Role.CUSTODIAN_OF_EVIDENCE: "takes evidence, proofs and all hits out of custody",
    Role.MESSAGES: "private messages, beside another role",
}


def span(time: timedelta) -> str:
    """A stretch of time as people say it, never shorter than it was."""
    seconds = -(-time // timedelta(seconds=1))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{-(-seconds // 60)} min"
    return f"{-(-seconds // 3600)} h" if seconds < 3 * 86400 else f"{-(-seconds // 86400)} days"


def templates() -> Environment:
    """The templates: escaping everything, and failing on a name that was not given."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": number,
        "harmless": harmless,
        "paragraphs": paragraphs,
        "plural": plural,
        "sentence": sentence,
        "bytes": in_bytes,
        "span": span,
    }
    made.globals |= {
        "STATES": STATES,
        "STATES_EXPLAINED": STATES_EXPLAINED,
        "SHOWN": SHOWN,
        "RUNS": RUNS,
        "LANES": LANES,
        "ROLES": ROLES,
        "ROLES_EXPLAINED": ROLES_EXPLAINED,
        "Role": Role,
    }
    return made


def show(request: Request, template: str, *, status_code: int = 200, **values: Any) -> HTMLResponse:
    """A page, with the forms of this browser."""
    here: Parts = request.app.state.parts
    officer: Officer | None = getattr(request.state, "officer", None)
    zone = here.store.agency.zone()
    page = request.app.state.templates.get_template(template).render(
        agency=here.store.agency,
        officer=officer,
        csrf=forms.bound(here, forms.visit(request)),
        version=here.version,
        here=request.url.path,
        moment=lambda at: moment(at, zone),
        day=lambda at: day(at, zone),
        now=here.store.clock.now(),
        **values,
    )
    answer = HTMLResponse(in_characters(page), status_code)
    forms.keep_visit(here, request, answer)
    return answer


def in_characters(text: str) -> str:
    """The same with halves of characters, which no answer can hold, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def number(value: int) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(at: datetime | None, zone: ZoneInfo) -> Markup:
    """A moment as the agency's clocks showed it, with its zone; machines read it in UTC."""
    if at is None:
        return Markup('<span class="none">no stated time</span>')
    local = at.astimezone(zone)
    said = f"{local.day} {local:%B %Y, %H:%M} {local:%Z}"
    return Markup('<time datetime="{}">{}</time>').format(iso(at), said)


def day(at: datetime | date, zone: ZoneInfo) -> str:
    """A civil date in the agency's time zone."""
    found = at.astimezone(zone).date() if isinstance(at, datetime) else at
    return f"{found.day} {found:%B %Y}"


def paragraphs(text: str) -> Markup:
    """Text with its own paragraphs and line breaks."""
    parts: Iterable[str] = re.split(r"\n\s*\n", text.strip()) if text.strip() else ()
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in part.splitlines()))
        for part in parts
    )


def in_bytes(count: int | None) -> str:
    """A size as people say it."""
    if count is None:
        return "size unknown"
    size = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def sentence(words: object) -> str:
    """An error's words as the beginning of a sentence, without its full stop."""
    said = str(words).strip().rstrip(".")
    return said[:1].upper() + said[1:]


def took(began: datetime, ended: datetime | None) -> str:
    """How long something took."""
    if ended is None:
        return "not ended"
    seconds = (ended - began) // timedelta(seconds=1)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
