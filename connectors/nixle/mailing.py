"""The route by mail: the alerts that Nixle sent to a mailbox that the agency subscribed.

Only messages whose sender is of Nixle or Everbridge and names this agency are
read at all; of the others no more than the sender is asked for. A message is
what somebody sent to that address: a forger who writes as the agency is
observed too, and told apart only by the bytes that are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors import mailbox
from connectors.contract import Batch, Exchange, Gap
from connectors.errors import UnexpectedResponse
from connectors.mailbox import Mailbox
from connectors.nixle import mail
from connectors.nixle.links import same_name
from connectors.nixle.reading import MAIL
from connectors.nixle.seeing import Seeing, Seen, Untold

_FROM = ("OR", "FROM", '"nixle"', "FROM", '"everbridge"')
_AT_ONCE = 100


class Mailing:
    """Reads one folder of the mailbox, without changing it."""

    def __init__(self, seeing: Seeing, letters: Mailbox) -> None:
        self._seeing, self._letters = seeing, letters
        self._open = False
        seeing.obtain[MAIL] = self._again

    def batches(self) -> Iterator[Batch]:
        """Read what came since the last pass; one message is one batch."""
        seeing, place = self._seeing, self._seeing.place
        self.open()
        new = [uid for uid in self.search("UID", f"{place.uid + 1}:*") if uid > place.uid]
        if not new:
            yield seeing.gathering.batch(place.cursor())
        for begin in range(0, len(new), _AT_ONCE):
            several = new[begin : begin + _AT_ONCE]
            ours = self.ours(several)
            if not ours:
                place.uid = several[-1]
            yield seeing.gathering.batch(place.cursor())
            for uid in ours:
                yield self._message(uid, upto=several[-1] if uid == ours[-1] else uid)

    def open(self) -> None:
        """Open the folder, and let go of UIDs that it no longer counts by."""
        answer = self._seeing.gathering.keep(self._letters.examine(self._seeing.setting.folder))
        validity = mailbox.uid_validity(answer.body)
        if validity is None:
            raise UnexpectedResponse(
                "The mailbox does not say by which count its messages are numbered (UIDVALIDITY); what is new cannot "
                "be told from what was read. Use another mailbox."
            )
        self._seeing.place.opened(f"{self._seeing.setting.mailbox}/{self._seeing.setting.folder}", validity)
        self._open = True

    def search(self, *criteria: str) -> list[int]:
        """The UIDs of what comes from Nixle or Everbridge and meets `criteria`."""
        return mailbox.uids(self._seeing.gathering.keep(self._letters.search(*criteria, *_FROM)).body)

    def ours(self, uids: Sequence[int]) -> list[int]:
        """Those of these messages whose sender names this agency."""
        answer = self._seeing.gathering.keep(self._letters.survey(uids, "FROM"))
        found = []
        for one in mailbox.fetched(answer.body):
            named = mail.sender(one.fields(answer.body)) if one.uid in uids else None
            if named is not None and self._seeing.setting.sent(*named):
                found.append(one.uid)
        return sorted(set(found))

    def _message(self, uid: int, upto: int) -> Batch:
        seeing = self._seeing
        seen = self._read(uid)
        observations = []
        if seen is not None:
            try:
                observations.append(seeing.observed(seen))
            except Untold as untold:
                seeing.gathering.gaps.append(untold.gap)
            if not (seeing.setting.fed or seeing.setting.permitted):
                place = mail.sender_span(seen.exchange.body)
                named = mail.sender(seen.exchange.body)
                if place is not None and named is not None:
                    name = seeing.setting.agency or named[0]
                    observations.append(seeing.profile(name, "", seeing.spans(seen.exchange, place)))
        seeing.place.uid = upto
        return seeing.gathering.batch(seeing.place.cursor(), observations)

    def _read(self, uid: int) -> Seen | None:
        """One message, read; a gap where it is no alert, or none that can be told."""
        answer = self._seeing.gathering.keep(self._letters.message(uid))
        if not answer.status:
            self._gap(uid, f"It was there when the folder was searched, and then not: {answer.failure}.")
            return None
        if answer.truncated:
            self._gap(
                uid, f"It is longer than is read ({answer.header('RFC822.SIZE')} bytes); its end is missing."
            )
        try:
            letter = mail.read(answer.body, self._seeing.hosts)
        except mail.NotAnAlert as fault:
            self._gap(uid, f"It was sent in the agency's name and is no alert: {fault}.")
            return None
        agency = self._seeing.setting.agency
        if agency and letter.agency is not None and not same_name(letter.agency, agency):
            self._gap(uid, f"It was sent in the agency's name and says that {letter.agency!r} issued it.")
            return None
        native_id = letter.number or self._seeing.led_to(letter.code)
        if native_id is None:
            self._seeing.unnamed(f"message {uid} of the mailbox", letter.code)
            return None
        received = _received(answer)
        return Seen(letter.reading(native_id, received), answer, (0, len(answer.body)), uid)

    def _again(self, native_id: str) -> Seen | None:
        """The words of an alert's mail once more: out of this run, or out of the folder, where it still lies."""
        known = self._seeing.place.alerts.get(native_id)
        seen = self._seeing.read[MAIL].get(native_id)
        if seen is not None or known is None:
            return seen
        if not self._open:
            self.open()
        if known.uid is None:
            return None
        found = self._read(known.uid)
        if found is None or found.reading.native_id != native_id:
            return None
        self._seeing.read[MAIL][native_id] = found
        return found

    def _gap(self, uid: int, why: str) -> None:
        self._seeing.gathering.gaps.append(Gap(what=f"message {uid} of the mailbox", why=why))


def _received(answer: Exchange) -> datetime | None:
    value = answer.header("INTERNALDATE")
    return datetime.fromisoformat(value) if value else None
