"""One pass over a page: its introduction, its photos with what was said below them, then its albums.

A list of photos tells everything of five hundred of them at once, and when
each was last touched: by an edit, or by a comment. So a pass over a span of
time reads the list, and asks for the comments of what was touched since the
span began. The owner is told what was touched by a list of its own.

Lists are counted off by places, so that a photo which is removed while they are
read makes another one slip through. Flickr counts the items with each answer;
where the count falls, the list is read again. Beyond the last answer Flickr
gives the last one once more, and says so by its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, State
from connectors.errors import UnexpectedResponse
from connectors.flickr import parse, people, showing
from connectors.flickr.address import Address
from connectors.flickr.asking import Asking
from connectors.flickr.place import ALBUMS, PHOTOS, Place
from connectors.flickr.reading import Rows, moment, number, said
from connectors.flickr.refusals import NotGiven
from connectors.pieces import Seen

BOTH = (State.PRESENT, State.HIDDEN)
SHOWN = (State.PRESENT,)

_TIMES_AGAIN = 2
"""How often a list is read again in one pass because it has shifted."""

_MOST_STALLED = 10
"""So many answers without anything new, one after the other, are taken for a list without an end."""

_CLOCKS = timedelta(hours=1)
"""How far Flickr's clock, and the moment at which it notes that something was touched, may be off."""

_TITLES = {PHOTOS: "photos", ALBUMS: "albums"}


class Pass:
    """A pass from `place` on."""

    def __init__(self, asking: Asking, named: Address, page: Page, place: Place) -> None:
        self._asking, self._named = asking, named
        self._place = place if place.began is not None else place.moved(began=asking.now())
        self._from, self._until = page.published_from, page.published_until
        self._gaps: list[Gap] = []
        self._met: dict[str, str] = {}
        """What the list has shown since it was begun, and when each was last touched."""
        self._stalled = 0

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the lists from where it stands."""
        return self._ended(self._everything())

    def _everything(self) -> Iterator[Batch]:
        self._found = people.find(self._asking, self._named, self._place.id)
        if self._place.owner not in {None, self._found.owner}:
            # Connected otherwise since it was begun: what was read then is not all that is shown now.
            self._place = self._place.finished().moved(began=self._asking.now())
        self._move(id=self._found.id, owner=self._found.owner)
        yield self._batch([people.introduced(self._asking, self._found)])
        if self._place.stage == PHOTOS:
            yield from self._answers()
            yield from self._touched() if self._is_touched else self._list(self._photos, self._of_photos)
            if not self._found.group:
                self._move(stage=ALBUMS, at=1, ended=False, total=None, shifted=False, again=0)
        if self._place.stage == ALBUMS:
            self._met.clear()
            yield from self._answers()
            yield from self._list(self._albums, self._of_albums)

    @property
    def _narrowed(self) -> bool:
        return self._from is not None or self._until is not None

    @property
    def _is_touched(self) -> bool:
        """Whether the owner's list of what was touched holds everything that this pass is about."""
        return self._found.owner and self._from is not None and self._until is None

    # -- lists ---------------------------------------------------------------------------------------------

    def _list(
        self, ask: Callable[[int], Rows], observe: Callable[[Rows], tuple[list[Observation], list[Listing]]]
    ) -> Iterator[Batch]:
        """A list that keeps its order, to its end, and what was said below each of its items."""
        while not self._place.ended:
            try:
                found = ask(self._place.at)
            except NotGiven as refused:
                self._lacks(refused)
                yield self._batch()
                return
            more = _goes_on(found, self._place.at)
            self._strange(found)
            self._leads_on(found, more=more)
            self._shifts(found)
            observed, listings = observe(found)
            if more:
                self._move(at=self._place.at + 1)
            elif self._read_again():
                self._met.clear()
            else:
                self._move(ended=True, stated=self._place.stated + (found.total or 0))
            yield self._batch(observed, listings)
            yield from self._answers()

    def _touched(self) -> Iterator[Batch]:
        """The owner's list of what was touched, the latest first.

        What is touched while it is read moves to its front, and may never have
        been shown. So a list of several answers is read once more from the
        front, until its first answer shows something that was not touched
        since: what stands behind that has been shown.
        """
        page, again, rounds = 1, False, 0
        while not self._place.ended:
            found = self._asking.photos(
                "flickr.photos.recentlyUpdated", {"min_date": self._since()}, page, parse.EXTRAS
            )
            more, known = _goes_on(found, page), any(self._knows(one) for one in found.items)
            self._strange(found)
            self._leads_on(found, more=more)
            self._shifts(found)
            observed, listings = self._of_photos(found)
            if more and not (again and known):
                page += 1
            elif self._place.shifted:
                page, again = 1, False
                if self._read_again():
                    self._met.clear()
                else:
                    self._move(ended=True)
            elif page == 1:
                self._move(ended=True)
            elif rounds < _TIMES_AGAIN:
                page, again, rounds = 1, True, rounds + 1
            else:
                self._uncertain("photos were touched each time while their list was read")
                self._move(ended=True)
            yield self._batch(observed, listings)
            yield from self._answers()

    def _photos(self, page: int) -> Rows:
        if self._found.group:
            method, where = "flickr.groups.pools.getPhotos", {"group_id": self._found.id}
        elif self._asking.signed_in:
            # Whoever is signed in is shown what is not safe for everybody only where they ask for it.
            method, where = "flickr.people.getPhotos", {"user_id": self._found.id, "safe_search": "3"}
        else:
            method, where = "flickr.people.getPublicPhotos", {"user_id": self._found.id}
        return self._asking.photos(method, where, page, parse.EXTRAS)

    def _albums(self, page: int) -> Rows:
        return self._asking.albums(self._found.id, page)

    def _of_photos(self, found: Rows) -> tuple[list[Observation], list[Listing]]:
        """The photos of one answer; those whose comments are to be read wait."""
        listed = self._asking.last
        observed: list[Observation] = []
        listings: list[Listing] = []
        wait: list[tuple[str, bool]] = []
        for one in found.items:
            name, touched = said(one.what["id"]), self._knows(one)
            self._met[name] = said(one.what.get("lastupdate"))
            seen, lacking = showing.listed(self._asking, one)
            observed.append(seen)
            if lacking is not None:
                self._gaps.append(lacking)
            if touched or not self._reaches(one.what, seen.published_at):
                continue
            if number(one.what.get("count_comments")) == 0:
                listings += self._below(name, listed)
            else:
                wait.append((name, seen.state is State.HIDDEN))
        self._move(waiting=tuple(wait))
        return observed, listings

    def _of_albums(self, found: Rows) -> tuple[list[Observation], list[Listing]]:
        """The albums of one answer; those whose comments are to be read wait.

        When an album was last commented on is not told, so that each that has
        comments is asked in every pass.
        """
        listed = self._asking.last
        observed: list[Observation] = []
        listings: list[Listing] = []
        wait: list[tuple[str, bool]] = []
        for one in found.items:
            seen = parse.album(one.what, self._found.id, [one.span])
            name = seen.native_id
            observed.append(seen)
            if name in self._met:
                continue
            self._met[name] = ""
            if number(one.what.get("count_comments")) == 0:
                listings += self._below(name, listed)
            else:
                wait.append((name, False))
        self._move(waiting=tuple(wait))
        return observed, listings

    def _answers(self) -> Iterator[Batch]:
        """What was said below the photos and albums that wait, one after the other."""
        while self._place.waiting:
            (root, hidden), *others = self._place.waiting
            told: tuple[list[Observation], list[Gap]] | None = ([], [])
            lacking: Gap | None = None
            try:
                with self._asking.about("comments", root) as asked:
                    told = showing.comments(self._asking, root, self._found.id, hidden=hidden)
                lacking = asked.gap if told is not None else showing.unlisted(root)
            except NotGiven as refused:
                # Where it was removed since it was listed, nobody is shown what was said there.
                if not refused.not_found or self._stands(root):
                    lacking = Gap(what="comments", why=refused.why, native_id=root)
                told = None
            observed, gaps = told or ([], [])
            gaps += [lacking] if lacking is not None else []
            # Of what was removed nothing is said by itself, as of what could not be read.
            listings = self._below(root, self._asking.last) if told is not None and not gaps else []
            if gaps:
                self._gaps += gaps
                self._move(threads=False)
            self._move(waiting=tuple(others))
            yield self._batch(observed, listings)

    def _stands(self, root: str) -> bool:
        """Whether Flickr shows a photo or an album whose comments it says that it does not know."""
        try:
            if root.startswith(showing.ALBUM):
                album = root.removeprefix(showing.ALBUM)
                self._asking.one("flickr.photosets.getInfo", {"photoset_id": album}, "photoset")
            else:
                self._asking.one("flickr.photos.getInfo", {"photo_id": root}, "photo")
        except NotGiven as refused:
            return not refused.not_found
        return True

    # -- how a list goes on --------------------------------------------------------------------------------

    def _knows(self, one: Seen[dict[str, Any]]) -> bool:
        return self._met.get(said(one.what["id"])) == said(one.what.get("lastupdate"))

    def _reaches(self, row: dict[str, Any], published: datetime | None) -> bool:
        """Whether something that was said below a photo can lie within the span of this pass."""
        touched = moment(row.get("lastupdate"))
        if self._from is not None and touched is not None and touched < self._from - _CLOCKS:
            return False
        return self._until is None or published is None or published <= self._until

    def _since(self) -> str:
        assert self._from is not None, "only a pass that begins somewhere asks for what was touched since"
        return str(max(0, int((self._from - _CLOCKS).timestamp())))

    def _shifts(self, found: Rows) -> None:
        before, total = self._place.total, found.total
        fallen = before is not None and total is not None and total < before
        self._move(total=total, shifted=self._place.shifted or fallen)

    def _leads_on(self, found: Rows, *, more: bool) -> None:
        """An error where a list goes on for ever: it shows only what it has shown, or nothing, and counts no more."""
        before, total = self._place.total, found.total
        grown = before is not None and total is not None and total > before
        new = any(_known_as(one, self._place.stage) not in self._met for one in found.items)
        self._stalled = 0 if new or grown else self._stalled + 1
        if more and self._stalled > _MOST_STALLED:
            raise UnexpectedResponse(
                f"Flickr leads on to where it has led before: its {_TITLES[self._place.stage]} have no end."
            )

    def _strange(self, found: Rows) -> None:
        """An item that is told in another shape may be any: nothing is concluded of what was not shown, nor below it."""
        if not found.unread:
            return
        stage = self._place.stage
        above = showing.ALBUM if stage == ALBUMS else ""
        self._gaps += self._asking.gaps_of(_TITLES[stage], found.unread, lambda name: f"{above}{name}")
        self._move(posts=False, threads=False)

    def _read_again(self) -> bool:
        """Whether the list begins anew because it has shifted; after some times it is said to be uncertain."""
        if not self._place.shifted:
            return False
        again = self._place.again + 1
        if again <= _TIMES_AGAIN:
            self._move(at=1, shifted=False, total=None, again=again)
            return True
        self._uncertain(f"{_TITLES[self._place.stage]} were removed each time while their list was read")
        return False

    def _uncertain(self, why: str) -> None:
        """Not everything was shown for certain, so that nothing is to be concluded from what was not."""
        self._gaps.append(Gap(what=_TITLES[self._place.stage], why=why))
        self._move(posts=False, threads=False)

    def _lacks(self, refused: NotGiven) -> None:
        self._uncertain(refused.why)
        self._move(ended=True)

    # -- how a pass ends -----------------------------------------------------------------------------------

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass."""
        last = yield from but_the_last(batches)
        assert last is not None, "a pass begins with an introduction, or fails"
        yield self._closed(last)

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        place, listings = self._place, list(last.listings)
        exchange = len(last.exchanges) - 1
        states = BOTH if self._found.owner else SHOWN
        if place.posts:
            posts = self._spanned([Kind.POST], exchange, states)
            listings.append(replace(posts, stated_total=None if self._narrowed else place.stated))
        if place.threads:
            listings.append(self._spanned([Kind.COMMENT, Kind.REPLY], exchange, states))
        return replace(last, listings=tuple(listings), resume_from=place.finished().cursor())

    def _below(self, root: str, exchange: int) -> list[Listing]:
        """In a pass over a span of time: that all that was said below one photo was shown."""
        if not self._narrowed:
            return []
        states = BOTH if self._found.owner else SHOWN
        return [replace(self._place.listing([Kind.COMMENT, Kind.REPLY], exchange, states), in_reply_to=root)]

    def _spanned(self, kinds: Sequence[Kind], exchange: int, states: Sequence[State]) -> Listing:
        """That all of the span of this pass was shown: what was said in it stands below what was touched since."""
        return replace(
            self._place.listing(kinds, exchange, states),
            published_from=self._from,
            published_until=self._until,
        )

    def _move(self, **changes: Any) -> None:
        self._place = self._place.moved(**changes)

    def _batch(self, observed: Sequence[Observation] = (), listings: Sequence[Listing] = ()) -> Batch:
        gaps, self._gaps = self._gaps, []
        self._move(asked=self._asking.pace.asked)
        return self._asking.batch(self._place.cursor(), observed, listings=listings, gaps=gaps)


def _goes_on(found: Rows, page: int) -> bool:
    """Whether another answer follows; where Flickr gave another one than was asked for, there was none."""
    return found.page == page and page < found.pages


def _known_as(one: Seen[dict[str, Any]], stage: str) -> str:
    name = said(one.what["id"])
    return f"{showing.ALBUM}{name}" if stage == ALBUMS else name
