"""One pass over an agency's own account: who it is, the areas that it may address, and its posts with what answers them.

Nextdoor answers with all of an account's posts at once, as far as is known. So
there is nothing to narrow, and nothing to resume: a pass that is broken off
begins anew, with a handful of questions.

Whether that answer is cut off at some number of posts, no page tells. A post
that has slipped out behind such an end would look as if it had been removed.
So what is missing is only concluded for the time from the oldest post that was
shown, unless the list has shown more posts before than it does now: then it
was not cut off.

What answers a post stands inside it where Nextdoor gives it, and a counter
beside it. Where both agree, all of it was shown. Where the counter says more,
the pass states it, and promises nothing of what was not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, State
from connectors.errors import AccessRevoked, UnexpectedResponse
from connectors.failing import Asked, gap
from connectors.nextdoor import agency, options, parse, reading, routes
from connectors.nextdoor.asking import Asking, Led
from connectors.nextdoor.parse import Answers, Known
from connectors.nextdoor.place import Place
from connectors.nextdoor.reading import Rows, Whole
from connectors.nextdoor.refusals import NotGiven

ANSWERS = (Kind.COMMENT, Kind.REPLY)
_AREAS = "the areas that the agency may address"


class Pass:
    """A pass, with what `place` knows of earlier ones."""

    def __init__(self, asking: Asking, page: Page, place: Place) -> None:
        self._asking, self._page, self._place = asking, page, place
        self._began = asking.now()
        self._gaps: list[Gap] = []
        self._posts: dict[str, datetime | None] = {}
        """The posts that were shown, and when each was published."""
        self._answers: dict[str, Answers] = {}
        self._odd = 0
        """So many posts were shown that cannot be read."""
        self._counts_more = 0
        """So many posts Nextdoor counts, where these are more than were shown."""

    def run(self) -> Iterator[Batch]:
        """The agency, its areas, its posts; the last batch says what is certain now."""
        last = yield from but_the_last(self._everything())
        assert last is not None, "a pass begins with an introduction, or fails"
        yield self._closed(last)

    def _everything(self) -> Iterator[Batch]:
        found = agency.account(self._asking, self._page)
        yield self._batch([found.introduced])
        if options.reads_areas(self._page):
            yield self._areas()
        yield from self._own_posts(found.known)

    def _areas(self) -> Batch:
        """The areas. What of them Nextdoor does not tell is a gap, and keeps nobody from the posts."""
        told, asked = None, Asked()
        try:
            with self._asking.about(_AREAS, parse.AREAS) as asked:
                told = agency.areas(self._asking)
        except NotGiven as refused:
            why = f"{refused.why}. Connect the page again with the scope agency.boundary:read, or set the option `areas` to no"
            self._gaps.append(Gap(what=_AREAS, why=why))
        except UnexpectedResponse as fault:
            self._gaps.append(gap(fault, _AREAS, parse.AREAS))
        if asked.gap is not None:
            self._gaps.append(asked.gap)
        return self._batch([told] if told is not None else [])

    def _own_posts(self, of: Known) -> Iterator[Batch]:
        wanted = options.profile(self._page)
        params = {"secure_profile_id": wanted} if wanted else {}
        led, stated = Led("posts"), 0
        while True:
            rows = self._asked(params)
            observed = list(self._observed(rows, of))
            stated = max(stated, parse.posts_counted(rows))
            more = rows.following
            if more is None and stated > len(self._posts) + self._odd:
                self._counts_more = stated
            yield self._batch(observed)
            if more is None:
                return
            params["after"] = led.on(more, shown(rows))

    def _asked(self, params: dict[str, str]) -> Rows[Whole]:
        try:
            return self._asking.get(routes.POSTS, reading.posts, params)
        except NotGiven as refused:
            if not refused.forbidden:
                raise
            raise AccessRevoked(
                f"Nextdoor does not show the agency's posts ({refused.said.short}): the scope post:read is lacking. Connect "
                "the page again, and permit what is asked for."
            ) from refused

    def _observed(self, rows: Rows[Whole], of: Known) -> Iterator[Observation]:
        self._odd += len(rows.unread)
        self._gaps += self._asking.gaps_of("a post", rows.unread)
        for seen in rows.items:
            below = parse.answers(seen, of)
            told = parse.post(seen.post, of, below)
            self._posts[told.native_id] = told.published_at
            self._answers[told.native_id] = below
            self._gaps += [
                *parse.kept_back(seen.post),
                *below.gaps,
                *self._asking.gaps_of("a comment", seen.unread, parse.below(seen.post)),
            ]
            yield told
            yield from below.observed

    # -- how a pass ends -----------------------------------------------------------------------------------

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        exchange = len(last.exchanges) - 1
        listings = list(last.listings)
        unshown = self._unshown()
        of_posts = None if unshown or self._odd else self._of_posts(exchange)
        if of_posts is not None:
            listings.append(of_posts)
        listings += self._of_answers(exchange, everywhere=of_posts is not None and self._is_whole)
        place = Place(most=max(self._place.most, len(self._posts)))
        return replace(
            last, listings=tuple(listings), gaps=(*last.gaps, *unshown), resume_from=place.cursor()
        )

    @property
    def _is_whole(self) -> bool:
        """Whether the list was not cut off: it has shown more before."""
        return len(self._posts) < self._place.most

    def _unshown(self) -> list[Gap]:
        """That not all posts were shown, where that is plain."""
        if self._counts_more:
            why = f"Nextdoor counts {self._counts_more} posts of the agency and shows {len(self._posts)}"
        elif not self._posts and not self._odd and self._place.most:
            why = (
                f"Nextdoor shows no post of the agency where it has shown {self._place.most} before. See at Nextdoor whether "
                "they are still there, and whether the account still speaks for the agency"
            )
        else:
            return []
        return [Gap(what="posts", why=why)]

    def _of_posts(self, exchange: int) -> Listing | None:
        whole = replace(
            self._of([Kind.POST], exchange),
            published_from=self._page.published_from,
            published_until=self._page.published_until,
        )
        if self._is_whole:
            return whole
        times = [at for at in self._posts.values() if at is not None]
        if not times:
            return None
        return replace(whole, published_from=max(filter(None, (min(times), whole.published_from))))

    def _of_answers(self, exchange: int, *, everywhere: bool) -> Iterator[Listing]:
        """Of which posts everything was shown that answers them, and how many answers Nextdoor counts in all."""
        counted = [told.counted for told in self._answers.values()]
        tells = None not in counted and not self._odd
        total = sum(one for one in counted if one is not None) if tells else None
        of_answers = self._of(ANSWERS, exchange)
        if everywhere and all(told.whole for told in self._answers.values()):
            yield replace(
                of_answers,
                published_from=self._page.published_from,
                published_until=self._page.published_until,
                stated_total=total,
            )
            return
        for post, told in self._answers.items():
            if told.whole:
                yield from under(of_answers, post, told)
        if total is not None and self._answers:
            # It shows no state, and so promises nothing: it only says what Nextdoor counts.
            yield replace(of_answers, states=(), stated_total=total)

    def _of(self, kinds: Sequence[Kind], exchange: int) -> Listing:
        return Listing(kinds=kinds, began_at=self._began, exchange=exchange)

    def _batch(self, observed: Sequence[Observation] = ()) -> Batch:
        gaps, self._gaps = self._gaps, []
        return self._asking.batch(self._place.cursor(), observed, gaps=gaps)


def shown(rows: Rows[Whole]) -> set[str]:
    """What the posts of an answer are called; those of which not even that can be read, by what is strange about them."""
    return {
        *(str(seen.post.what.id) for seen in rows.items),
        *(one.id or f"{one.span.end - one.span.start} {one.why}" for one in rows.unread),
    }


def under(listing: Listing, post: str, told: Answers) -> Iterator[Listing]:
    """That everything was shown that answers a post, and each of its answers."""
    for name in (post, *(one.native_id for one in told.observed)):
        yield replace(listing, in_reply_to=name, states=(State.PRESENT,), stated_total=None)
