"""Letters to requesters: written from the request and its law, with their citations, kept with the act that they tell of.

A letter is text. It goes by e-mail where an officer sends it, and on paper
where one prints it; both are written down. What a letter says is what was true
when it was written: it is kept, and never written anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.capture import deeds
from app.db import Tx
from app.disclosure import papers, requests
from app.disclosure.known import Laws
from app.disclosure.law import WORK
from app.disclosure.papers import LETTER, New, Paper
from app.disclosure.requests import Request
from app.officers import Mailer, NoMail
from app.records.errors import Invalid, Unavailable
from app.records.nouns import Officer
from app.retention.calendar import civil
from app.store.store import Store

KINDS: Mapping[str, str] = {
    "opening": "We received your request",
    "extension": "We need more time",
    "tolling": "The time for our answer stands still",
    "clarification": "A question about your request",
    "fee": "A fee for your request",
    "estimate": "When you can expect the records",
    "no_records": "We have no such records",
    "denial": "Your request is denied",
    "appeal": "We received your appeal",
    "decision": "Your appeal was decided",
    "closing": "Your request is closed",
    "reopened": "Your request is open again",
    "clawback": "What we gave you by mistake",
}
"""The letters that there are, each with its subject."""
_WORDS = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent / "letters"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - letters are plain text
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class NoAddress(Invalid):
    """A letter was to go by e-mail to somebody whose address is not known."""

    code = "no-address"


class MailNotSetUp(Unavailable):
    """A letter was to go by e-mail, and no mail server is set up."""

    code = "mail-not-set-up"


def written(
    store: Store, laws: Laws, request: Request, kind: str, *, by: Officer, **values: object
) -> dict[UUID, New]:
    """A letter in its words, with the id under which it will be kept."""
    rules, today = request.rules, deeds.today(store)
    text = _WORDS.get_template(f"{kind}.txt").render(
        agency=store.agency.name,
        today=day(today),
        request=request,
        received=day(civil(request.received_at, store.agency.zone())),
        book=request.book,
        rules=rules,
        needs=rules.denial.needs if rules.denial else (),
        official=by.name or by.email,
        office=" and ".join(str(one).replace("_", " ") for one in requests.WORKERS if one in by.roles),
        contact=laws.house.contact,
        work=WORK,
        day=day,
        **values,
    )
    plain = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    return papers.numbered(New(LETTER, f"{kind}.txt", "text/plain; charset=utf-8", plain.encode()))


def day(on: date | None) -> str:
    """A civil day as letters write it."""
    return f"{on.day} {on:%B %Y}" if on is not None else ""


def send(store: Store, mailer: Mailer, request: Request, paper: Paper, *, by: Officer, why: str) -> int:
    """Send a letter to the requester by e-mail, and write down that it went; return the entry.

    The letter goes before the entry: where the machine stops in between, it
    went and nobody knows, and it is sent again.
    """
    if paper.kind != LETTER:
        raise Invalid("only letters are sent", next="Name a letter of the request.")
    if not request.email:
        raise NoAddress(
            f"the e-mail address of whoever asked {request.number} is not known", next="Print the letter."
        )
    if isinstance(mailer, NoMail):
        raise MailNotSetUp("no mail server is set up", next="Set MUNIMENT_SMTP_URL, or print the letter.")
    with store.database.read() as tx:
        text = papers.content(store, tx, paper).decode()
    kind = paper.name.removesuffix(".txt")
    subject = f"{store.agency.name}, {request.number}: {KINDS.get(kind, 'about your request')}"
    mailer.send(request.email, " ".join(subject.split()), text)
    with store.database.begin() as tx:
        now = requests.fresh(store, tx, request)
        detail = {"paper": str(paper.id), "to": request.email}
        return requests.note(store, tx, now, "letter-sent", detail=detail, by=by, why=why)


def kept(store: Store, tx: Tx, request: Request) -> list[Paper]:
    """The letters of a request, oldest first."""
    return [one for one in papers.listed(store, tx, request) if one.kind == LETTER]
