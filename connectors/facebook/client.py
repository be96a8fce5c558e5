"""Asks Facebook's Graph interface what a page shows, and as its owner also what only its people see.

Four things about Facebook decide how it is asked:

Lists of posts hold their first comments, so that a post with few comments
costs no question of its own. The rest is read post by post, all depths in one
list, in the order in which they were written.

Nothing tells of an edit or a removal: `updated_time` moves with every comment,
and neither with a change of words nor with a removal. So a pass reads everything
within its span again, and what is missing from a list is asked for by its id.

What is hidden is told to the page's people, marked (`is_hidden`). What
Facebook itself holds back is not.

A token may be a person's or a system user's; the page's own is then asked for
at the beginning of each visit, and is forgotten with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Gap, Kind, Manifest, Page
from connectors.errors import UnexpectedResponse
from connectors.facebook import asking as options
from connectors.facebook import checking, parse, shapes, told
from connectors.facebook.manifest import MANIFEST
from connectors.facebook.place import Place
from connectors.facebook.reading import Walk, introduction
from connectors.facebook.shapes import EDGES_OF_THINGS
from connectors.facebook.standing import Standing
from connectors.facebook.walking import Pass
from connectors.graph import Asking, NotGiven, files_kept_back
from connectors.graph_passes import under
from connectors.pieces import Malformed
from connectors.webhooks import Manner

_NOTHING = Place().cursor()


class Facebook:
    """A page. `secret`: `access_token`, and `app_secret` where the application wants its secret proven."""

    manifest: ClassVar[Manifest] = MANIFEST
    hooks: ClassVar[Manner] = Manner(wanted=told.wanted)

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._secret = http, secret
        self._known = ""
        """The page's number as the last pass knew it: looks that follow from it bear a change of its name, too."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the page once: introduction, settings, messages, events and albums, posts with their comments."""
        asking, name = options.arrive(self._http, self._secret, page)
        place = Place.read(since)
        self._known = place.page
        with asking:
            yield from Pass(asking, name, page, place).run()

    def remember(self, since: Cursor) -> None:
        """Know the page again as the pass knew it whose cursor this is."""
        self._known = Place.read(since).page

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each item by its id, and only for how it stands."""
        if not native_ids:
            return
        asking, name = options.arrive(self._http, self._secret, page)
        with asking:
            ours = introduction(asking, name, self._known).native_id
            standing = Standing(asking, ours)
            for kind, native_id in native_ids:
                for sighting in standing.of(kind, native_id):
                    yield asking.batch(_NOTHING, sightings=[sighting])

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: page, version, token, each permission, what is shown of comments."""
        asking, name = options.arrive(self._http, self._secret, page)
        with asking:
            yield from checking.findings(asking, name, messages=options.reads_messages(page))

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one post again with all its comments, and list what answers each of them."""
        asking, name = options.arrive(self._http, self._secret, page)
        with asking:
            ours = introduction(asking, name, self._known).native_id
            kind, _, identity = root.rpartition(":")
            if kind in EDGES_OF_THINGS and kind != "rating":
                yield from asking.one_family(root, _thing(asking, ours, kind, identity), _NOTHING)
            elif not kind:
                yield from asking.one_family(root, _family(Walk(asking, ours), root), _NOTHING)


def _thing(asking: Asking, ours: str, kind: str, identity: str) -> Iterator[Batch]:
    """An event, album or video alone: nothing that answers it is read."""
    edge = EDGES_OF_THINGS[kind]
    try:
        seen, _ = asking.one(identity, shapes.Thing, shapes.THING_FIELDS[edge])
    except NotGiven:
        stands = Standing(asking, ours).of(Kind.POST, f"{kind}:{identity}")
        yield asking.batch(_NOTHING, sightings=list(stands))
        return
    observed = parse.thing(seen, edge, ours)
    yield asking.batch(_NOTHING, [observed] if observed else [])


def _family(walk: Walk, root: str) -> Iterator[Batch]:
    asking, began = walk.asking, walk.asking.now()
    try:
        seen, _ = asking.one(root, shapes.Post, shapes.post_fields(None))
        pictures = walk.pictures([seen])
        if _is_of_others(seen.what, walk.ours):
            # It names the page. What answers it on another page is no part of this one.
            observed = [parse.post(seen, pictures, None, tagged=True)]
            yield asking.batch(_NOTHING, observed, gaps=[*walk.gaps, *files_kept_back(observed)])
            return
        names, first, whole = [root], True, True
        for comments, found in walk.thread(root, {}):
            names += [one.native_id for one in comments]
            whole = whole and not found.unread
            observed = [parse.post(seen, pictures, found.total), *comments] if first else comments
            listings = under(names, began, asking.last) if found.following is None and whole else []
            first = False
            gaps = [*walk.gaps, *files_kept_back(observed)]
            yield asking.batch(_NOTHING, observed, listings=listings, gaps=gaps)
            walk.gaps = []
    except NotGiven as refused:
        # Removed, or kept from us: what answers it is then not shown either, and none of it is listed.
        gaps = walk.gaps
        if not refused.not_found:
            gaps.append(Gap(what="comments", why=refused.why, native_id=root))
        stands = list(Standing(asking, walk.ours).of(Kind.POST, root))
        yield asking.batch(_NOTHING, sightings=stands, gaps=gaps)
    except Malformed as fault:
        raise UnexpectedResponse(f"The family of {root} has another shape: {fault}.") from fault


def _is_of_others(post: shapes.Post, ours: str) -> bool:
    """Whether a post stands on another page: neither its id nor its writer is ours."""
    return not post.id.startswith(f"{ours}_") and (post.writer is None or post.writer.id != ours)
