"""Reads what changed about one wiki page: its log, what its history shows, and the revisions that are new.

The archive makes a version of each observation that differs from the newest
one it holds, in the order in which they come. A revision is therefore observed
once, after those before it; the newest alone is read again whenever anything
about the page changed, since its files may have. What the history shows is
asked without words, five hundred revisions at a time, so that a revision
that was hidden, or put in between later, is noticed as well.

A revision whose text is hidden after it was read stays what it was in the
archive: the record `history:…` says from then on what the wiki hides. One
whose text was hidden before anybody read it is a gap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.contract import Attachment, Batch, Gap, Observation, Sighting, Span, State
from connectors.errors import UnexpectedResponse
from connectors.mediawiki import parse
from connectors.mediawiki.asking import Answer, NotGiven
from connectors.mediawiki.parse import LogEntry, PageInfo, Revision, Standing
from connectors.mediawiki.place import Known, Place
from connectors.mediawiki.wiki import Wiki, infos
from connectors.pieces import Seen, Sorted, Unread

SITE = "site"
"""The record of the wiki itself."""

_WORDS_AT_ONCE = 50
"""MediaWiki gives no more revisions with their words at once."""

_UNSETTLED = timedelta(seconds=2)
"""What changed within this time before the answer may change again within the same second of the wiki's clock."""

_MOST_MOVES = 5
_MOST_OF_THE_LOG = 5
"""Answers of the wiki's newest deletions that are read to find one whose title is not known."""

_OUTLINE = "ids|flags|timestamp|user|userid|comment|sha1|size"
_WORDS = _OUTLINE + "|tags|content|contentmodel"
_LOG = "ids|title|type|user|userid|timestamp|comment|details"
_NOISE = frozenset({"patrol", "thanks"})
"""Logs in which editors tick what they have seen."""


@dataclass(frozen=True, slots=True)
class Row:
    """A revision and the place of its bytes."""

    what: Revision
    span: Span


class Histories:
    """Reads wiki pages one after the other, and notes in `place` how far each was read.

    `selected` are the numbers of the pages that belong to this pass; more may come as it goes on.
    """

    def __init__(self, wiki: Wiki, place: Place, selected: Collection[int]) -> None:
        self._wiki = wiki
        self._asking = wiki.asking
        self._place = place
        self._selected = selected
        self.lacks = False
        """Whether a part of some history is told in another shape."""
        self._told: set[int] = set()
        """Deleted pages of which this pass was told in part: the next one asks for them again."""

    # --- a page that is there -----------------------------------------------------------------------------

    def introduced(self, info: PageInfo) -> None:
        """Know a page from the moment on in which anything of it is observed.

        A pass may be broken off before the page is read, and the page deleted
        before the next: nothing but its number then leads to it.
        """
        if info.pageid not in self._place.pages:
            self._place.pages[info.pageid] = Known(title=info.title)

    def changed(self, info: PageInfo) -> bool:
        """Whether anything about a page differs from what was read last, or an administrator may read more of it."""
        known = self._place.pages.get(info.pageid)
        return (
            known is None
            or known.gone
            or (self._wiki.may_read_deleted and bool(known.unread))
            or (known.touched, known.title, known.last) != (info.touched, info.title, info.lastrevid)
        )

    def read(self, info: PageInfo, answered: datetime | None) -> Iterator[Batch]:
        """Read on where the page was left; `answered` is when `info` was true."""
        known = self._place.pages.get(info.pageid, Known())
        restored = known.gone
        answers, odd = known.answers or None, list[Gap]()
        if answers is None:
            answers, odd = self._answers(info, info.pageid)
        known = known.moved(answers="" if odd else answers or "")
        yield self._log_and_outline(info, known, odd)
        known = self._place.pages[info.pageid]
        page = self._standing(info, answers)
        wanted, inserted = self._wanted(known)
        if known.last == 0:
            yield from self._left_out(info)
        rows = wanted or self._rows[-1:]
        for begin in range(0, len(rows), _WORDS_AT_ONCE):
            some = rows[begin : begin + _WORDS_AT_ONCE]
            finished = begin + _WORDS_AT_ONCE >= len(rows)
            settled = finished and not self._odd and _is_settled(info, answered)
            yield self._words(info, page, some, inserted, settled=settled)
        if restored:
            yield self._back(info.pageid)

    def _back(self, number: int) -> Batch:
        """That a deleted page is there again, with all that is held of it.

        It is asked once more: a sighting cannot stand in one batch with an
        observation of the same record. Until then the page counts as deleted,
        so that a pass which was broken off before is made up for by the next.
        """
        sightings: list[Sighting] = []
        for info, _ in infos(self._wiki.by_number([number])):
            if not info.missing:
                sightings = self._standing_so(number, State.PRESENT, "")
                self._place.pages[number] = self._place.pages[number].moved(gone=False)
        return self._asking.batch(self._place.cursor(), sightings=sightings)

    def _standing_so(self, number: int, state: State, reason: str) -> list[Sighting]:
        """All that is held of a page, as the last answer shows it."""
        return [
            Sighting(native_id=name, state=state, exchange=self._asking.last, reason=reason)
            for name in (f"page:{number}", f"about:{number}", f"history:{number}")
        ]

    _rows: Sequence[Row] = ()
    """The outline of the history that is being read, oldest first."""
    _odd = False
    """Whether something of the page that is being read is told in another shape: it is then asked for again by every pass."""
    _newest_told = True
    """Whether the last of `_rows` is the revision that the page shows."""
    _untold: Sequence[str | None] = ()
    """The revisions that the outline tells in another shape, by their numbers as far as those can be read."""

    def _lacks(self, gaps: Sequence[Gap]) -> list[Gap]:
        if gaps:
            self.lacks = self._odd = True
        return list(gaps)

    def _log_and_outline(self, info: PageInfo, known: Known, odd: Sequence[Gap]) -> Batch:
        """What the log tells of the page, and every revision that its history shows, without words."""
        titles = dict.fromkeys(title for title in (known.title, info.title) if title)
        observations: list[Observation] = []
        tops: list[int] = []
        stops: list[int] = []
        self._odd = False
        gaps = self._lacks(odd)
        for title in titles:
            told, top, unread = self._log(title, info.pageid, known.log)
            observations += told
            (stops if unread else tops).append(top)
            gaps += self._lacks(unread)
        highest = max(known.log, min(stops) if stops else max(tops, default=0))
        rows: list[Row] = []
        outlined: list[Unread] = []
        evidence: list[Span] = []
        there = True
        for answer in self._asking.each(
            {
                "action": "query",
                "prop": "revisions",
                "pageids": str(info.pageid),
                "rvprop": _OUTLINE,
                "rvdir": "newer",
                "rvlimit": "max",
            }
        ):
            evidence.append(answer.whole())
            some, untold = self._revisions(answer, "revisions")
            rows += some
            outlined += untold
            there = there and not any(one.missing for one, _ in infos(answer))
        rows.sort(key=lambda row: (row.what.timestamp, row.what.revid))
        self._rows = rows
        gaps += self._lacks(self._revisions_untold(outlined, info.pageid))
        self._untold = [one.id for one in outlined]
        self._newest_told = not outlined or (bool(rows) and rows[-1].what.revid == info.lastrevid)
        if there and not rows:
            raise UnexpectedResponse(
                f"{self._asking.interface} shows no revision of {info.title}, and does not say that it was deleted."
            )
        if rows and not outlined:
            observations.append(parse.history(info.pageid, (row.what for row in rows), evidence))
        self._place.pages[info.pageid] = known.moved(title=info.title, log=highest, touched="")
        return self._asking.batch(self._place.cursor(), observations, gaps=gaps)

    def _wanted(self, known: Known) -> tuple[list[Row], frozenset[int]]:
        """The revisions to read, oldest first, and which of them stand before the last that was read.

        Those are what was put in later, what was kept back and is shown now,
        and the whole history where some of it was brought back: nothing tells
        which. The newest follows them, and stands again.
        """
        rows = self._shown()
        reached = (known.at, known.last)
        fresh = [row for row in rows if _place_of(row) > reached]
        before = [row for row in rows if known.last and _place_of(row) <= reached]
        inserted = [row for row in before if row.what.revid > known.highest and _place_of(row) < reached]
        if 0 <= known.count < len(before) - len(inserted):
            inserted = before
        else:
            shown = {row.what.revid for row in inserted} | {
                row.what.revid
                for row in before
                if row.what.revid in known.unread and self._may_read(row.what)
            }
            inserted = [row for row in before if row.what.revid in shown]
        if inserted and not fresh and inserted[-1] is not rows[-1]:
            fresh = rows[-1:]
        return [*inserted, *fresh], frozenset(row.what.revid for row in inserted)

    def _may_read(self, what: Revision) -> bool:
        """Whether the text of a revision may be expected to be given to us."""
        hidden = "text" in what.hides()
        return not hidden or (self._wiki.may_read_deleted and not what.suppressed)

    def _shown(self) -> list[Row]:
        """The history that is read, as it is shown: from when on the page of the archive begins."""
        since = self._wiki.wanted.since
        return [row for row in self._rows if since is None or row.what.timestamp >= since]

    def _left_out(self, info: PageInfo) -> Iterator[Batch]:
        """Say which revisions are not read because the page of the archive begins later."""
        since = self._wiki.wanted.since
        before = [row.what for row in self._rows if since is not None and row.what.timestamp < since]
        if before:
            yield self._asking.batch(
                self._place.cursor(),
                gaps=[
                    Gap(
                        what=f"{len(before)} revisions of {info.title}",
                        why=f"they were made before {since:%Y-%m-%d}, from when on the history is read (option history_from)",
                        native_id=f"page:{info.pageid}",
                        since=before[0].timestamp,
                        until=before[-1].timestamp,
                    )
                ],
            )

    def _words(
        self, info: PageInfo, page: Standing, some: Sequence[Row], inserted: frozenset[int], *, settled: bool
    ) -> Batch:
        """Some revisions with their words, as versions of the page in their order."""
        found: dict[int, Row] = {}
        unknown: set[str] = set()
        odd: list[Gap] = []
        for answer in self._asking.each(
            {
                "action": "query",
                "prop": "revisions",
                "revids": "|".join(str(row.what.revid) for row in some),
                "rvprop": _WORDS,
                "rvslots": "*",
            }
        ):
            rows, strange = self._revisions(answer, "revisions")
            found |= {one.what.revid: one for one in rows}
            odd += self._revisions_untold(strange, info.pageid)
            unknown |= answer.read(parse.Unknown).numbers
        untold = [row.what.revid for row in some if row.what.revid not in found]
        untold = [number for number in untold if str(number) not in unknown]
        if len(untold) > len(odd):
            raise UnexpectedResponse(
                f"{self._asking.interface} says nothing of revision {untold[0]} of {info.title}, not even that it is gone."
            )
        observations: list[Observation] = []
        gaps = self._lacks(odd)
        unread: set[int] = set(untold)
        newest = self._rows[-1].what.revid if self._newest_told else None
        for outlined in some:
            number = outlined.what.revid
            if number in unread:
                continue
            row: Row | None = found.get(number)
            files: list[Attachment] = []
            evidence: list[Span] = []
            untold_files: list[Gap] = []
            if row is not None and number == newest and self._wiki.wanted.files:
                files, evidence, untold_files = self._files(info, gaps)
                gaps += self._lacks(untold_files)
            one = parse.revision(row.what, page, files, (row.span, *evidence)) if row else None
            if one is not None and untold_files:
                one = replace(one, files_told=False)
            if one is None:
                gaps.append(_unread(info, outlined.what, row))
                unread.add(number)
                continue
            observations.append(one)
        self._reached(info, some, inserted, unread, settled=settled and not self._odd)
        return self._asking.batch(self._place.cursor(), observations, gaps=gaps)

    def _reached(
        self,
        info: PageInfo,
        some: Sequence[Row],
        inserted: frozenset[int],
        unread: Collection[int],
        *,
        settled: bool,
    ) -> None:
        """Note how far the page is read. How many revisions that are is known once those before the last are read."""
        known = self._place.pages[info.pageid]
        in_order = [row for row in some if row.what.revid not in inserted]
        at, last = max([_place_of(row) for row in in_order] + [(known.at, known.last)])
        read = {row.what.revid for row in some}
        kept_back = {*(one for one in known.unread if one not in read), *unread}
        done = bool(in_order) or settled
        named = [int(one) for one in self._untold if one is not None and one.isdecimal()]
        if self._untold and known.count >= 0 and (at, last) == (known.at, known.last):
            done = False  # what cannot be read now may have been read before
        self._place.pages[info.pageid] = known.moved(
            last=last,
            at=at,
            highest=max([*read, known.highest]),
            touched=info.touched if settled else "",
            unread=(*(row.what.revid for row in self._rows if row.what.revid in kept_back), *named),
            count=len(named) + sum(_place_of(row) <= (at, last) for row in self._shown())
            if done
            else known.count,
        )

    def _files(self, info: PageInfo, gaps: list[Gap]) -> tuple[list[Attachment], list[Span], list[Gap]]:
        """The pictures, sounds and documents that the page shows now; on the page of a file, that file.

        With them come those that cannot be read.
        """
        asked = {"action": "query", "prop": "imageinfo", "iiprop": "url|sha1|mime|size|timestamp"}
        questions = [{**asked, "generator": "images", "gimlimit": "max", "pageids": str(info.pageid)}]
        if info.ns == _FILE:
            questions.append({**asked, "pageids": str(info.pageid)})
        shown: dict[str, Attachment] = {}
        evidence: list[Span] = []
        odd: list[Gap] = []
        for question in questions:
            for answer in self._asking.each(question):
                told = answer.sorted_out(parse.FilePage, "title", "query", "pages")
                odd += self._gaps(f"a file that {info.title} shows", told.unread, f"page:{info.pageid}")
                read = [(seen.what, seen.span) for seen in told.items]
                for file, title, span in parse.files(read, self._asking.interface):
                    evidence.append(span)
                    if file is not None:
                        shown[file.id] = file
                    else:
                        gaps.append(
                            Gap(
                                what=f"{title}, which {info.title} shows",
                                why="the wiki hides the file",
                                native_id=f"page:{info.pageid}",
                            )
                        )
        return [shown[name] for name in sorted(shown)], evidence, odd

    def _answers(self, info: PageInfo, number: int) -> tuple[str | None, list[Gap]]:
        """What the talk page of this number answers: the page for which it was made, or the wiki where that is not captured.

        A talk page stands beside a title, and pages under that title may be
        deleted and made anew. What was said to the one is not said to the
        next, and must not depend on when one looks. Wikis number their pages
        as they are made: a talk page answers the newest of those that are
        older than itself. Where it was there before all of them, it answers
        the first.

        Where a part of that log cannot be read, a gap says so: it is asked for again.
        """
        if info.ns % 2 == 0:
            return None, []
        removed: list[int] = []
        odd: list[Gap] = []
        for told in self._entries({"letitle": info.associatedpage, "letype": "delete"}):
            removed += [seen.what.logpage for seen in told.items if seen.what.removes()]
            odd += self._gaps(f"what {info.title} answers", told.unread, f"page:{number}")
        beside = {one for one in (info.subjectid, *removed) if one}
        wanted = self._wiki.wanted
        named = info.associatedpage in {wanted.own, *wanted.titles}
        if not named and not any(one in self._selected or one in self._place.pages for one in beside):
            return SITE, odd
        older = [one for one in beside if one < number]
        return (f"page:{max(older) if older else min(beside)}" if beside else SITE), odd

    # --- a page that is not there any more ----------------------------------------------------------------

    def missing(self, number: int) -> Iterator[Batch]:
        """Say what became of a page that was there: gone or hidden where the log says so, else unknown."""
        if number in self._told:
            return
        known = self._place.pages[number]
        observations, title, removal, odd = self._removal(known.title, number, known.log)
        if removal is None:
            sighting = Sighting(
                native_id=f"page:{number}",
                state=State.UNKNOWN,
                exchange=self._asking.last,
                reason="missing; the wiki's log does not say why",
            )
            yield self._asking.batch(self._place.cursor(), observations, sightings=[sighting], gaps=odd)
            return
        unread_log = bool(odd)
        reason = parse.said_of(removal)
        sightings = self._standing_so(number, State.GONE, reason)
        shown, strange = self._deleted(removal, number, known) if self._wiki.may_read_deleted else ([], [])
        odd += strange
        unread = [] if shown or strange or known.last else [_deleted_unread(removal, number)]
        if shown:
            # Deleted once more with the words that it had the last time, it is observed as the archive knows it: that it
            # is hidden again is told by itself, by an answer of its own.
            yield self._asking.batch(self._place.cursor(), [*observations, *shown], gaps=odd)
            odd = []
            self._wiki.by_number([number])
            observations, sightings = [], self._standing_so(number, State.HIDDEN, reason)
        self._place.pages[number] = known.moved(
            title=title,
            gone=not strange and (bool(shown) or not unread_log),
            touched="",
            log=known.log if unread_log else max(known.log, removal.logid),
        )
        yield self._asking.batch(
            self._place.cursor(), observations, sightings=sightings, gaps=[*odd, *unread]
        )

    def standing(self, number: int, titles: Sequence[str]) -> Sighting:
        """How a page stands that is missing, asked by its number alone: by the logs of `titles`, else by the newest log."""
        name = f"page:{number}"
        for title in titles:
            removal = _newest_removal(_before_odd(self._entries({"letitle": title})), number)
            if removal is not None:
                return Sighting(
                    native_id=name,
                    state=State.GONE,
                    exchange=self._asking.last,
                    reason=parse.said_of(removal),
                )
        for asked, answered in enumerate(self._entries({"letype": "delete", "ledir": "older"})):
            removal = _newest_removal(_before_odd([answered]), number)
            if removal is not None:
                return Sighting(
                    native_id=name,
                    state=State.GONE,
                    exchange=self._asking.last,
                    reason=parse.said_of(removal),
                )
            if asked == _MOST_OF_THE_LOG or answered.unread:
                break
        return Sighting(
            native_id=name,
            state=State.UNKNOWN,
            exchange=self._asking.last,
            reason="missing; the wiki's log does not say why",
        )

    def lost(self, title: str, *, named: bool) -> Iterator[Batch]:
        """What was deleted under a title before it was read: the log's entries, and the words where we may read them.

        A title that was `named` and of which neither the wiki nor its log knows anything is a gap.
        """
        seen = self._place.lost.get(title, 0)
        observations: list[Observation] = []
        gaps: list[Gap] = []
        before: datetime | None = None
        told = self._entries_with_spans(title)
        gaps += self._unread_entries(told)
        highest = max(seen, _highest(told))
        for entry, span in ((one.what, one.span) for one in told.items):
            if entry.type in _NOISE:
                continue
            if entry.logid > seen or not entry.hides():
                observations.append(parse.log(entry, entry.logpage or None, [span]))
            if not entry.removes():
                continue
            number, after, before = entry.logpage, before, entry.timestamp
            if entry.logid <= seen or number in self._place.pages:
                continue
            shown: list[Observation] = []
            strange: list[Gap] = []
            if number and self._wiki.may_read_deleted:
                shown, strange = self._deleted(entry, number, Known(title=title), after)
                observations += shown
                gaps += strange
                self._told |= {number} if strange else set()
            if number:
                self._place.pages[number] = Known(title=title, gone=not strange, log=entry.logid)
            if not shown and not strange:
                gaps.append(_deleted_unread(entry, number))
        self._place.lost[title] = highest
        if named and all(known.title != title for known in self._place.pages.values()) and not gaps:
            gaps.append(Gap(what=f"the wiki page {title}", why="the wiki has no page of this title"))
        yield self._asking.batch(self._place.cursor(), observations, gaps=gaps)

    def _removal(
        self, title: str, number: int, seen: int
    ) -> tuple[list[Observation], str, LogEntry | None, list[Gap]]:
        """The log entry that says that the page was deleted, looked for where moves led it.

        None where what follows that entry cannot be read: it may have been restored since.
        """
        observations: list[Observation] = []
        odd: list[Gap] = []
        for _ in range(_MOST_MOVES):
            told: list[LogEntry] = []
            entries = self._entries_with_spans(title)
            odd += self._unread_entries(entries)
            for entry, span in ((one.what, one.span) for one in entries.items):
                if entry.type in _NOISE:
                    continue
                told.append(entry)
                if entry.logid > seen or not entry.hides():
                    observations.append(parse.log(entry, number, [span]))
            removal = _newest_removal(_behind_odd(entries), number)
            if removal is not None:
                return observations, title, removal, odd
            moves = [
                entry
                for entry in told
                if entry.moved_to() and entry.logpage in {0, number} and entry.logid > seen
            ]
            target = moves[-1].moved_to() if moves else None
            if target is None:
                break
            title = target
        return observations, title, None, odd

    def _deleted(
        self, removal: LogEntry, number: int, known: Known, after: datetime | None = None
    ) -> tuple[list[Observation], list[Gap]]:
        """The revisions of a deleted page as its administrators see them, from the last on that was read.

        The wiki does not say to which of several pages that stood under one
        title a revision belonged; it was the one that was deleted next. One of
        another shape is a gap, and the page is then asked for again by the
        next pass: what it tells may stand before what was read.
        """
        rows: list[Row] = []
        gaps: list[Gap] = []
        question = {
            "action": "query",
            "prop": "deletedrevisions",
            "titles": removal.title,
            "drvprop": _WORDS,
            "drvslots": "*",
            "drvdir": "newer",
            "drvlimit": str(_WORDS_AT_ONCE),
        }
        try:
            for answer in self._asking.each(question, given=_NOT_FOR_US):
                some, untold = self._revisions(answer, "deletedrevisions")
                rows += some
                gaps += self._revisions_untold(untold, number)
        except NotGiven:
            return [], []
        self.lacks = self.lacks or bool(gaps)
        rows = sorted(
            (
                row
                for row in rows
                if row.what.timestamp <= removal.timestamp and (after is None or row.what.timestamp > after)
            ),
            key=lambda row: (row.what.timestamp, row.what.revid),
        )
        if not rows:
            return [], gaps
        answers = known.answers
        if not answers:
            for info, _ in self._wiki.by_title([removal.title]):
                answers = self._answers(info, number)[0] or ""
        page = Standing(
            number=number,
            title=removal.title,
            born=rows[0].what.timestamp,
            answers=answers or None,
            address=self._wiki.revision_address,
        )
        reached = (known.at, known.last)
        wanted = [row for row in rows if _place_of(row) > reached] or rows[-1:]
        told = (parse.revision(row.what, page, (), [row.span], deleted=True) for row in wanted)
        return [one for one in told if one is not None], gaps

    # --- asking -------------------------------------------------------------------------------------------

    def _log(self, title: str, number: int, seen: int) -> tuple[list[Observation], int, list[Gap]]:
        """The log of a title; an entry that was read already and now hides something is left as it was."""
        observations: list[Observation] = []
        told = self._entries_with_spans(title)
        for entry, span in ((one.what, one.span) for one in told.items):
            if entry.type in _NOISE:
                continue
            if entry.logid > seen or not entry.hides():
                page = entry.logpage or number
                observations.append(parse.log(entry, page, [span]))
        return observations, _highest(told), self._unread_entries(told)

    def _unread_entries(self, told: Sorted[LogEntry]) -> list[Gap]:
        gaps = self._asking.gaps_of("an entry of the wiki's log", told.unread, "log:{}".format)
        self.lacks = self.lacks or bool(gaps)
        return gaps

    def _gaps(self, what: str, unread: Sequence[Unread], native_id: str) -> list[Gap]:
        return [replace(gap, native_id=native_id) for gap in self._asking.gaps_of(what, unread)]

    def _entries_with_spans(self, title: str) -> Sorted[LogEntry]:
        question = {
            "action": "query",
            "list": "logevents",
            "letitle": title,
            "leprop": _LOG,
            "ledir": "newer",
            "lelimit": "max",
        }
        told: Sorted[LogEntry] = Sorted([])
        for answer in self._asking.each(question):
            some = answer.lines(LogEntry, "logevents", "logid")
            told = Sorted([*told.items, *some.items], [*told.unread, *some.unread])
        return told

    def _entries(self, which: dict[str, str]) -> Iterator[Sorted[LogEntry]]:
        question = {"action": "query", "list": "logevents", "leprop": _LOG, "lelimit": "max", **which}
        for answer in self._asking.each(question):
            yield answer.lines(LogEntry, "logevents", "logid")

    def _revisions(self, answer: Answer, name: str) -> tuple[list[Row], list[Unread]]:
        """The revisions that an answer tells of a page, and those that cannot be read."""
        rows: list[Row] = []
        untold: list[Unread] = []
        for number in range(sum(1 for _ in _pages(answer))):
            told = answer.sorted_out(Revision, "revid", "query", "pages", number, name)
            rows += [Row(seen.what, seen.span) for seen in told.items]
            untold += told.unread
        return rows, untold

    def _revisions_untold(self, unread: Sequence[Unread], page: int) -> list[Gap]:
        gaps: list[Gap] = []
        for one in unread:
            what = f"revision {one.id}" if one.id is not None else "a revision"
            gaps += self._gaps(what, [one], f"page:{page}")
        return gaps

    def _standing(self, info: PageInfo, answers: str | None) -> Standing:
        return Standing(
            number=info.pageid,
            title=info.title,
            born=self._rows[0].what.timestamp if self._rows else None,
            answers=answers,
            address=self._wiki.revision_address,
            language=info.pagelanguage,
        )


_FILE = 6
_NOT_FOR_US = ("permissiondenied", "drvpermissiondenied")


def _pages(answer: Answer) -> Iterator[tuple[bytes, Span]]:
    return answer.items("query", "pages")


def _place_of(row: Row) -> tuple[str, int]:
    return row.what.timestamp.isoformat(), row.what.revid


def _is_settled(info: PageInfo, answered: datetime | None) -> bool:
    """Whether what changed now would show: the wiki's clock counts whole seconds."""
    if answered is None:
        return True
    try:
        return datetime.fromisoformat(info.touched) < answered - _UNSETTLED
    except ValueError:
        return False


def _highest(told: Sorted[LogEntry]) -> int:
    """The highest number up to which the log of a title, oldest first, was read: what cannot be read is asked for again."""
    stop = min(_where(one) for one in told.unread) if told.unread else None
    return max((one.what.logid for one in told.items if stop is None or _where(one) < stop), default=0)


def _behind_odd(told: Sorted[LogEntry]) -> list[LogEntry]:
    """Entries behind which, in a log that is told oldest first, nothing stands that cannot be read."""
    last = max((_where(one) for one in told.unread), default=(-1, -1))
    return [one.what for one in told.items if _where(one) > last]


def _before_odd(answers: Iterable[Sorted[LogEntry]]) -> list[LogEntry]:
    """The same in a log that is told newest first."""
    entries: list[LogEntry] = []
    for told in answers:
        stop = min(_where(one) for one in told.unread) if told.unread else None
        entries += [one.what for one in told.items if stop is None or _where(one) < stop]
        if stop is not None:
            break
    return entries


def _where(one: Seen[LogEntry] | Unread) -> tuple[int, int]:
    return one.span.exchange, one.span.start


def _newest_removal(entries: Sequence[LogEntry], number: int) -> LogEntry | None:
    """The newest entry that says that the page of this number was deleted, unless it was restored afterwards."""
    ours = sorted((one for one in entries if one.logpage == number), key=lambda one: one.logid)
    for entry in reversed(ours):
        if entry.removes():
            return entry
        if entry.type == "delete" and entry.action == "restore":
            return None
    return None


def _deleted_unread(removal: LogEntry, number: int) -> Gap:
    """Say that a page was deleted before anybody read it."""
    return Gap(
        what=f"the wiki page {removal.title}",
        why=f"it was deleted before it was read: {parse.said_of(removal)}",
        native_id=f"page:{number}" if number else None,
        until=removal.timestamp,
    )


def _unread(info: PageInfo, outlined: Revision, row: Row | None) -> Gap:
    """Why a revision that the history shows was not read."""
    main = row.what.main() if row is not None else None
    if main is None:
        why = "it was removed from the history while it was read"
    elif main.texthidden:
        why = "the wiki hides it, and did so before it was read"
    elif main.textmissing:
        why = "the wiki itself has lost it"
    else:
        why = "the wiki gives the revision without its text"
    return Gap(
        what=f"the text of revision {outlined.revid} of {info.title}",
        why=why,
        native_id=f"page:{info.pageid}",
        since=outlined.timestamp,
        until=outlined.timestamp,
    )
