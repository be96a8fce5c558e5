"""What the public asks of the town: one request that was answered with a production, one that waits for its review.

Both begin after the last night. What was answered is there to be looked at and
checked; the other one is for whoever signs in: a queue to look through, with
suggestions, and a production to make.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from app.capture import records
from app.demo.blogs import DOMAIN
from app.demo.telling import STORIES
from app.disclosure import assembling, handing, intake, moving, opening, requests, reviewing, selecting
from app.disclosure.package.recipe import Form
from app.disclosure.redacting import Span
from app.disclosure.requests import Request
from app.holds import requests as holding
from app.index.questions import Filters, Question
from app.main import Archive
from app.records.nouns import Officer

LAW = "us-xx-harrow-falls"
PRIVACY = "4-5(a)"
PREFIX = "HF-"
NUMBER = "555-0163"
"""What somebody wrote under a post, and took down again."""
FORMS = frozenset({Form.TEXT, Form.NATIVE, Form.PDF, Form.HTML, Form.CSV, Form.LOADFILE, Form.PROOFS})


@dataclass(frozen=True, slots=True)
class Letter:
    """A request as it came by e-mail."""

    name: str
    email: str
    subject: str
    words: str
    query: str

    def written(self, at: datetime) -> bytes:
        message = EmailMessage()
        message["From"] = f"{self.name} <{self.email}>"
        message["To"] = f"records@{DOMAIN}"
        message["Subject"] = self.subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = (
            f"<{self.subject.split()[-1].lower()}.{at:%Y%m%d}@{self.email.partition('@')[2]}>"
        )
        message.set_content(self.words)
        return message.as_bytes()


FLOOD = Letter(
    "Edda Quill", "quill@weekly.example", "Public records: the flood",
    "Please send me what the town wrote on its pages about the flood of this week and about Millpond Park, and what "
    "people answered, including what has been taken down since.\n\nEdda Quill, The Harrow Weekly\n",
    'flood OR millpond OR "dam gate"',
)  # fmt: skip
DOGS = Letter(
    "Rupert Hale", "rupert@elsewhere.example", "Records about dogs",
    "I ask for everything about dogs in the parks, from the beginning of the pages until today.\n\nRupert Hale\n",
    "dog* OR leash*",
)  # fmt: skip


def laws(home: Path) -> None:
    """Put the town's own records law where an agency puts its own."""
    folder = home / "request_laws"
    folder.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(STORIES / "records_law.yaml", folder / f"{LAW}.yaml")


def begin(archive: Archive, out: Path, officer: Officer, second: Officer) -> None:
    """Answer the first request into `out`, where productions lie; leave the second one in review."""
    now = archive.store.clock.now()
    flood = _opened(archive, FLOOD, now - timedelta(hours=3), officer)
    _looked_through(archive, flood, officer, second)
    production, _, _ = archive.produce(
        flood, out, prefix=PREFIX, forms=FORMS, profile="relativity", messages=False, by=officer,
        why="the answer to Ms. Quill", progress=lambda _what, _number: None,
    )  # fmt: skip
    store = archive.store
    with store.database.begin() as tx:
        handing.hand_over(
            store, tx, production, FLOOD.name, days=None, by=officer, why="on a stick, at the counter"
        )
    with store.database.begin() as tx:
        moving.close(store, tx, archive.laws(), flood, outcome="partly", by=officer, why="answered")
    _opened(archive, DOGS, now - timedelta(hours=1), officer)


def _looked_through(archive: Archive, request: Request, officer: Officer, second: Officer) -> None:
    """Review everything; a private number is taken out wherever it stands, and a second person looks at that."""
    store = archive.store
    with store.database.begin() as tx:
        reviewing.ask_for_two(store, tx, request, True, by=officer, why="people's numbers are in it")
    with store.database.read() as tx:
        keys = assembling.in_order(tx, selecting.of(tx, request.id), messages=False)
        (found,) = [
            (one, one.version.text("text") or "")
            for one in records.read(store, tx, keys, messages=False)
            if NUMBER in (one.version.text("text") or "")
        ]
    record, text = found
    where = Span(record.version.number, text.index(NUMBER), text.index(NUMBER) + len(NUMBER))
    with store.database.begin() as tx:
        made = reviewing.redact(store, tx, request, record, where, PRIVACY, by=officer, why="his own number")
    with store.database.begin() as tx:
        reviewing.approve(store, tx, made.id, by=second, why="I would have done the same")
        for one in (officer, second):
            reviewing.look(store, tx, request, keys, by=one, why="read")


def _opened(archive: Archive, letter: Letter, at: datetime, officer: Officer) -> Request:
    """Take a request down, acknowledge it, select what answers it, and confirm the selection."""
    store, known = archive.store, archive.laws()
    read = intake.read(letter.written(at))
    found = holding.look_for_request(store, archive.index, holding.scope_of([], None, None))
    with store.database.begin() as tx:
        made = opening.open(
            store, tx, known, read.words, received=at, law=LAW, name=read.name, email=read.email, channel="email",
            enclosed=read.papers, message=read.message_id, found=found, by=officer, why="it came by e-mail",
        )  # fmt: skip
    with store.database.begin() as tx:
        made = moving.acknowledge(store, tx, known, made, by=officer, why="by return")
    chosen = selecting.find(store, archive.index, Question(letter.query, Filters()), whole_families=True)
    with store.database.begin() as tx:
        selecting.choose(store, tx, made, chosen, by=officer, why="what was asked for")
    with store.database.begin() as tx:
        selecting.confirm(store, tx, made, by=officer, why="it answers the request")
        return requests.get(store, tx, made.number)
