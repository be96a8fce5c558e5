"""Asks X what an account shows, and as the account itself also what only it sees.

Five things about X decide how it is asked:

It asks money for everything that it shows, and nothing for showing it again on
the same day. What was spent travels in the cursor, and where the month's share
is used up the pass waits for the next month.

Its lists are cut: 3,200 posts, 800 that name the account, seven days of search.
Only what lies within is listed; a conversation is searched where X counts
answers, and answers that were met are compared with that count.

An edited post gets another id, and bears the list of all of them. The first one
names the record.

A 200 may hold errors beside what it shows, or in its place. What they say of a
quoted post that was deleted harms nothing; anything else makes a list uncertain,
and nothing that it misses is then called missing.

Deletion is told by a look-up alone, in X's own words for each id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Gap, Kind, Manifest, Observation, Page
from connectors.failing import FAMILY
from connectors.x import checking
from connectors.x.asking import Asking, NotGiven
from connectors.x.conversing import Conversing
from connectors.x.manifest import MANIFEST
from connectors.x.money import ALONE, Purse, kind_of
from connectors.x.options import Options
from connectors.x.place import UNREAD, Place
from connectors.x.reading import NoAccount, find, no_such
from connectors.x.shapes import POSTS_ASKED
from connectors.x.standing import is_post, standing
from connectors.x.walking import Pass

_NOTHING = Place().cursor()


class X:
    """An account on X. `secret`: `access_token` of the account that signed in, or the application's `bearer_token`."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret = http, secret
        self._alone: Purse | None = None

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the account once: introduction and lists, messages, posts with what answers them, who names it."""
        options, place = Options.of(page), Place.read(since)
        purse = Purse(options.terms, kind_of(page), place.account)
        with Asking(self._http, self._secret, options.base, purse) as asking:
            yield from Pass(asking, options, page, place).run()

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for the items by their ids, a hundred at a time, and only for how they stand."""
        options = Options.of(page)
        with Asking(self._http, self._secret, options.base, self._by_itself(options)) as asking:
            yield from standing(asking, _NOTHING, native_ids)

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: credentials, account, each list, the plan, the budget, whatever is left of it."""
        options = Options.of(page)
        unbounded = Purse(replace(options.terms, monthly=None), ALONE)
        with Asking(self._http, self._secret, options.base, unbounded) as asking:
            yield from checking.findings(asking, options)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one post again with everything that answers it, as far back as the search may go."""
        options = Options.of(page)
        if not is_post(root):
            return
        with Asking(self._http, self._secret, options.base, self._by_itself(options)) as asking:
            try:
                found = find(asking, options.name)
            except NoAccount as none:
                raise no_such(options.name, none) from none
            alone = Page(address=page.address, options=page.options)
            talking = Conversing(asking, options, alone, found.id, {})
            if found.account.what.protected:
                talking.protected.add(found.id)
            told = _family(talking, root)
            yield from asking.one_family(root, told, _NOTHING)

    def _by_itself(self, options: Options) -> Purse:
        """What single questions may cost. No cursor remembers it, so it lasts as long as this connector does."""
        if self._alone is None:
            self._alone = Purse(options.terms, ALONE)
        return self._alone


def _family(talking: Conversing, root: str) -> Iterator[Batch]:
    asking, began = talking.asking, talking.asking.now()
    try:
        answer = asking.posts("tweets", {**POSTS_ASKED, "ids": root})
        readers, observed = talking.read(answer, (), FAMILY)
    except NotGiven:
        readers, observed = [], []
    shown = [seen.what for reader in readers for seen in reader.newest() if seen.what.first == root]
    gaps, talking.gaps = talking.gaps, []
    if not shown and UNREAD in talking.lacking:
        yield asking.batch(_NOTHING, observed, gaps=gaps)
        return
    if not shown:
        yield from standing(asking, _NOTHING, [(Kind.POST, root)])
        return
    names = shown[0].ids
    yield asking.batch(_NOTHING, observed, gaps=gaps)
    within = talking.within()
    if within is None or shown[0].refers("replied_to") is not None:
        why = (
            "the page's options leave conversations out"
            if within is None
            else "it stands in a conversation that somebody else began, which is not searched"
        )
        yield asking.batch(_NOTHING, gaps=[Gap(what="answers", why=why, native_id=root)])
        return
    for step in talking.conversations(names, ours=False):
        listings = list(step.listings)
        if not step.more and asking.last >= 0:
            listings = [one for one in listings if not talking.talk.whole(one.in_reply_to or "")]
            if UNREAD not in talking.lacking:
                listings += talking.talk.listings(began, asking.last, talking.page)
            talking.gaps += _older(root, observed, within.since, whole=talking.talk.whole(root))
        gaps, talking.gaps = talking.gaps, []
        yield asking.batch(_NOTHING, step.observed, listings=listings, gaps=gaps)


def _older(
    root: str, observed: Sequence[Observation], since: datetime | None, *, whole: bool
) -> Iterator[Gap]:
    """What answered a post before the search begins, where X counts more answers than were met."""
    made = [
        item.published_at for item in observed if item.native_id == root and item.published_at is not None
    ]
    if since is not None and not whole and made and made[0] < since:
        why = "no more than seven days of a conversation may be searched, and X counts more answers than it shows"
        yield Gap(what="answers", why=why, native_id=root, since=made[0], until=since)
