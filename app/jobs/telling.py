"""Telling people: one letter when capture of a page goes wrong, one when it is well again, one before credentials end.

Called every minute. What is to be told is written down first, in the database;
then each letter is sent, and comes back later where the mail server does not
take it. A letter names the page, the cause, the last good capture, and what to
do; never what a visitor wrote.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import officers
from app.capture import account, coverage, credentials, diary, due, notices, pages, troubles
from app.capture.due import Due
from app.capture.notices import CREDENTIALS, DIGEST, RECOVERED, Waiting
from app.db import Tx
from app.disclosure import known as laws_known
from app.disclosure import reminding
from app.disclosure.known import Laws
from app.disposition import approving, nightly, proposals
from app.index import alerts
from app.jobs import rounds
from app.jobs.night import begins, hour_of
from app.officers import Letter, Mailer, NoMail
from app.records.errors import ArchiveError, Unavailable
from app.records.nouns import Officer, Page, Role
from app.retention import reviews
from app.store.store import Store

_log = logging.getLogger("muniment.telling")
_FOLDER = Path(__file__).parent / "letters"
_ASKED = (Role.RECORDS_OFFICER, Role.ADMINISTRATOR)


class PageNotCaptured(Unavailable):
    """A page has had no complete capture for longer than a night and a little."""

    code = "page-not-captured"


class Telling:
    """Finds out what is to be told, and tells it."""

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        base: str,
        digest_at: str,
        more: Callable[[Tx], Sequence[Due]] = lambda _tx: (),
        laws: Callable[[], Laws] = lambda: laws_known.of(None),
    ) -> None:
        self.store, self.mailer, self.base, self.more = store, mailer, base.rstrip("/"), more
        self.laws = laws
        self.hour, self.minute = hour_of(digest_at)
        self.words = Environment(
            loader=FileSystemLoader(_FOLDER),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - letters are plain text
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def tick(self) -> int:
        """Look what happened since the last look, and send what is to be sent; return how many letters went."""
        with self.store.database.begin() as tx:
            people = recipients(tx)
            notices.look(self.store, tx, people)
            self._remind(tx, people)
            self._fixity(tx, people)
            nightly.remind(self.store, tx)
            reminding.remind(self.store, tx, self.laws)
            self._digest(tx, people)
        return self.send()

    # -- what is to be told --------------------------------------------------------------------------------

    def _remind(self, tx: Tx, people: Sequence[str]) -> None:
        """Credentials that end: 14, 7 and 2 days before, then daily."""
        now = self.store.clock.now()
        by_id = {page.id: page for page in pages.listed(tx)}
        for one in credentials.ending(tx, now):
            mark = troubles.reminder(one.on, now)
            page = by_id[one.page]
            if mark is not None and page.status != pages.PAUSED:
                notices.write(
                    self.store,
                    tx,
                    CREDENTIALS,
                    people,
                    page=page,
                    mark=f"{page.key}/{one.on:%Y-%m-%dT%H:%M}/{mark}",
                )

    def _fixity(self, tx: Tx, people: Sequence[str]) -> None:
        """Something kept is not what it was: once when it was found."""
        known = rounds.state(tx)
        if known is not None and known.since is not None:
            notices.write(self.store, tx, notices.FIXITY, people, mark=known.since.isoformat())

    def _digest(self, tx: Tx, people: Sequence[str]) -> None:
        """Once a day, when its hour has come; a day on which nobody was there is not made up for."""
        zone = self.store.agency.zone()
        now = self.store.clock.now()
        today = now.astimezone(zone).date()
        founded = diary.founded(tx)
        due = begins(today, zone, self.hour, self.minute)
        if founded is not None and founded <= due <= now:
            notices.write(self.store, tx, DIGEST, people, mark=today.isoformat())

    # -- telling it ----------------------------------------------------------------------------------------

    def send(self) -> int:
        """Send what waits; return how many letters went. Without a mail server they wait, and the doctor says so."""
        if isinstance(self.mailer, NoMail):
            return 0
        with self.store.database.read() as tx:
            waiting = notices.waiting(self.store, tx)
        return sum(self._send(letter) for letter in waiting)

    def _send(self, waiting: Waiting) -> bool:
        with self.store.database.begin() as tx:
            if not notices.claim(self.store, tx, waiting):
                return False
            letter = self.written(tx, waiting)
        try:
            if letter is not None:
                self.mailer.send(letter.to, letter.subject, letter.text)
        except ArchiveError as error:
            _log.warning("a letter about %s was not sent: %s", waiting.topic, error.code)
            with self.store.database.begin() as tx:
                notices.failed(tx, waiting, f"{error.code}: {error}")
            return False
        with self.store.database.begin() as tx:
            notices.sent(self.store, tx, waiting)
        return letter is not None

    def written(self, tx: Tx, waiting: Waiting) -> Letter | None:
        """The letter in its words; None where there is nothing left to say."""
        match waiting.topic:
            case notices.TROUBLE | notices.RECOVERED:
                return self._of_trouble(tx, waiting)
            case notices.GAP:
                return self._of_gap(tx, waiting)
            case notices.CREDENTIALS:
                return self._of_credentials(tx, waiting)
            case notices.FIXITY:
                return self._of_fixity(tx, waiting)
            case alerts.TOPIC:
                return self._of_alert(tx, waiting)
            case approving.TOPIC:
                return self._of_disposition(tx, waiting)
            case reminding.TOPIC:
                return self._of_request(tx, waiting)
            case _:
                return self._of_the_day(tx, waiting)

    def _of_trouble(self, tx: Tx, waiting: Waiting) -> Letter:
        assert waiting.trouble is not None
        told = notices.told(self.store, tx, waiting.trouble)
        if waiting.topic == RECOVERED:
            subject = f"{told.page.name}: captured again"
        else:
            what = {
                troubles.Cause.UNAUTHORISED: "the platform no longer lets us in",
                troubles.Cause.FAILED: "capture failed",
                troubles.Cause.PARTIAL: "captured with gaps",
            }[told.cause]
            subject = f"{told.page.name}: {what}"
        return self._letter(waiting, subject, told=told, page=told.page)

    def _of_gap(self, tx: Tx, waiting: Waiting) -> Letter | None:
        page = _page(tx, waiting)
        run = int(waiting.mark.partition("/")[2])
        window = notices.silent_before(self.store, tx, page, run) if page is not None else None
        if page is None or window is None or window.since is None:
            return None
        hours = (window.until - window.since) // timedelta(hours=1)
        return self._letter(
            waiting, f"{page.name}: was not captured for {hours} hours", page=page, window=window
        )

    def _of_credentials(self, tx: Tx, waiting: Waiting) -> Letter | None:
        page = _page(tx, waiting)
        now = self.store.clock.now()
        ending = next((one for one in credentials.ending(tx, now) if page and one.page == page.id), None)
        if page is None or ending is None:
            return None  # it was connected anew meanwhile
        left = -(
            (now - ending.on) // timedelta(days=1)
        )  # days that have begun count, as in the marks of reminders
        when = "have ended" if ending.on <= now else f"end in {left} day{'' if left == 1 else 's'}"
        return self._letter(
            waiting, f"{page.name}: its credentials {when}", page=page, ending=ending, now=now
        )

    def _of_fixity(self, tx: Tx, waiting: Waiting) -> Letter | None:
        known = rounds.state(tx)
        if known is None or not known.wrong:
            return None  # it was mended meanwhile
        subject = f"{self.store.agency.name}: something kept is not what it was"
        return self._letter(waiting, subject, known=known, says=rounds.says(known))

    def _of_alert(self, tx: Tx, waiting: Waiting) -> Letter | None:
        """How many, and where to look: neither the query nor what was found leaves by mail."""
        news = alerts.news(tx, waiting.mark)
        if news is None:
            return None  # the alert ended, or whose it is may not search any more
        what = f"{news.records:,} record{'' if news.records == 1 else 's'} new to a search that you saved"
        return self._letter(waiting, f"{self.store.agency.name}: {what}", news=news)

    def _of_disposition(self, tx: Tx, waiting: Waiting) -> Letter | None:
        """A waiting period began, ends tomorrow, or is over: how many records of which series, and where to look."""
        which, _, what = waiting.mark.partition("/")
        found = proposals.get(self.store, tx, which)
        if found.state != proposals.APPROVED:
            return None  # it was withdrawn or executed meanwhile
        says = {
            "began": "will be disposed of",
            "ends": "may be disposed of soon",
            "open": "may be disposed of now",
        }
        subject = f"{self.store.agency.name}: {found.shown:,} records of series {found.series} {says[what]}"
        return self._letter(waiting, subject, found=found, what=what)

    def _of_request(self, tx: Tx, waiting: Waiting) -> Letter | None:
        """A request is due soon, or was: its number and its day, and neither who asked nor for what."""
        told = reminding.news(self.store, tx, reminding.readable(self.laws)[0], waiting.mark)
        if told is None:
            return None  # it was answered, moved or closed meanwhile
        subject = f"{self.store.agency.name}: {told.request.number} is {told.says()}"
        return self._letter(waiting, subject, told=told, request=told.request, due=told.due)

    def _of_the_day(self, tx: Tx, waiting: Waiting) -> Letter:
        found = [
            *rounds.to_do(tx),
            *due.of(self.store, tx),
            *nightly.to_do(self.store, tx),
            *reviews.to_do(self.store, tx),
            *reminding.to_do(self.store, tx, self.laws),
            *self.more(tx),
        ]
        what = f"{len(found)} thing{'' if len(found) == 1 else 's'} to do" if found else "nothing to do"
        return self._letter(waiting, f"{self.store.agency.name}, {waiting.mark}: {what}", due=found)

    def _letter(self, waiting: Waiting, subject: str, **values: object) -> Letter:
        zone = self.store.agency.zone()
        text = self.words.get_template(f"{waiting.topic}.txt").render(
            base=self.base,
            agency=self.store.agency,
            moment=lambda at: _moment(at, zone),
            **values,
        )
        return Letter(to=waiting.recipient, subject=_line(subject), text=text)


def recipients(tx: Tx) -> list[str]:
    """Who is told: everybody active who is records officer or administrator."""
    return [one.email for one in officers.list_all(tx) if _is_told(one)]


def _is_told(officer: Officer) -> bool:
    return officer.may(*_ASKED)


def not_captured(store: Store, tx: Tx) -> list[tuple[Page, datetime | None]]:
    """The pages that have had no complete pass for more than 26 hours, and when each had its last."""
    late = store.clock.now() - coverage.LONGEST
    found = []
    for page in pages.listed(tx):
        if page.connector == "import" or page.status not in (pages.ACTIVE, pages.DISCONNECTED):
            continue
        last = account.last_complete(tx, page)
        if (last or page.added_at) < late:
            found.append((page, last))
    return found


def check_captured(store: Store) -> None:
    """Raise `PageNotCaptured` where a page has had no complete capture for more than 26 hours."""
    with store.database.read() as tx:
        late = not_captured(store, tx)
    if late:
        names = ", ".join(page.name for page, _ in late[:5])
        raise PageNotCaptured(
            f"{len(late)} page{'' if len(late) == 1 else 's'} without a complete capture for 26 hours: {names}",
            next="Open each page's newest run; it says why.",
        )


def _page(tx: Tx, waiting: Waiting) -> Page | None:
    return next((page for page in pages.listed(tx) if page.key == waiting.page), None)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M} on {local.day} {local:%B %Y} ({zone.key})"


def _line(text: str) -> str:
    """`text` as one line, so that it can stand in a subject."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
