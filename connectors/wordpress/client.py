"""Asks a WordPress site what it shows, and with an application password also what it holds back.

Three things about WordPress decide how it is asked:

A wrong password is no error there. The site answers as it answers the public,
and a pass would quietly see less; so a connected page is first asked who we
are, and goes on only when it knows us.

Its listings are read by counting rows, and a row that is removed while we
count shifts the rest: the next answer would begin one item too late. Rows are
therefore asked for in the order of their numbers, which new items only extend
at the end, and each answer has to reach back to an item that was already
seen. Where it does not, we step back until it does.

Edits of a post are known by `modified_gmt`; comments bear no such time, and an
edited one is known only because every pass reads all of them again. A post's
earlier texts (revisions) are shown to editors only. They are given as
`extra.revisions` of the post as it now stands, oldest first, and not as
observations of their own: the archive compares an observation with the latest
version it holds, and old texts observed again at each pass would look like a
post edited back and forth. A revision made after the last pass is always with
the version that it led to, because an edit also makes a new version.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from connectors.contract import (
    Batch,
    ByHand,
    Client,
    Cursor,
    Field,
    Finding,
    Gap,
    Kind,
    Listing,
    Manifest,
    Observation,
    Page,
    Sighting,
    State,
)
from connectors.errors import AccessRevoked, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.pieces import Seen
from connectors.wordpress import checking, parse
from connectors.wordpress.asking import Asking, NotGiven
from connectors.wordpress.place import ROUTES, STREAMS, Place
from connectors.wordpress.rows import Leaf, leaves
from connectors.wordpress.site import INDEX, Site, find, who_we_are

_EDITED_LATELY = timedelta(days=1)
"""How far before a pass its successor asks for revisions: more than two clocks should differ."""

_ANY_CLOCK = timedelta(days=1)
"""By how much a span is asked for wider than it is: sites read such times in their own zone, or in none."""

_NOT_FOR_THE_PUBLIC = "rest_invalid_param"
_STANDING = {"_fields": "id,status"}
_ROUTES = {"post": "posts", "page": "pages", "comment": "comments"}
_NO_SUCH = {
    "post": "rest_post_invalid_id",
    "page": "rest_post_invalid_id",
    "comment": "rest_comment_invalid_id",
}


class WordPress:
    """A WordPress site. `secret`, where the page is connected: `user` and `application_password`."""

    manifest: ClassVar[Manifest] = Manifest(
        name="wordpress",
        title="WordPress",
        platform="wordpress",
        route="api",
        captures={
            "profile": "the site's name and tagline",
            "posts": "every published post and page, with its files, at every pass",
            "comments": "every approved comment, at every pass; where the page is connected, pingbacks and trackbacks too",
            "edits": "posts and pages by their time of modification, comments by reading all of them again; "
            "earlier texts of posts where the page is connected",
            "deletions": "missing from the listing, then confirmed by number: the site itself says that it has "
            "no such item",
            "hidden": "where the page is connected: held, spam and trashed comments; private, pending and "
            "trashed posts and pages",
        },
        blind_spots=(
            (
                "Without credentials: what is held, filtered, trashed or private; the site then refuses to say "
                "which of these an item is."
            ),
            (
                "The text of a comment between two passes: WordPress keeps no earlier texts of comments and no "
                "time of their edits."
            ),
            (
                "A post's first text, if it was changed before the first pass: WordPress keeps texts from the "
                "first edit on."
            ),
            "Who removed something, and why: what is deleted for good leaves no trace.",
            "The words of password-protected posts, without credentials.",
            "Drafts and scheduled posts, unless the option `drafts` says so; autosaves always.",
            "Without credentials: pingbacks and trackbacks.",
            "Types of content and of comments that a plugin adds; comments that another service keeps.",
            "Files in the library that no post or page shows.",
            "Menus, side bars and the theme: how a page looked.",
        ),
        needs=(
            "Nothing for what is public.",
            (
                "For hidden items: the user name and an application password (Users > Profile) of an editor or "
                "administrator, on a site with https."
            ),
        ),
        options={
            "drafts": "yes: capture drafts and scheduled posts too, as hidden (default: no)",
            "page_size": "how many items to ask for at once, 2 to 100 (default 100; less for a slow host)",
        },
        api_version="wp/v2",
        narrows=True,
        sign_in=ByHand(
            fields=(
                Field(name="user", title="User name", shown=True),
                Field(
                    name="application_password",
                    title="Application password",
                    help="Twenty-four characters in groups of four, with or without the spaces. Not the password "
                    "with which the person signs in.",
                ),
            ),
            steps=(
                "Sign in to the site as an editor or administrator, best as one that is made for the archive.",
                "Open Users > Profile and find Application Passwords; the site must be reached by https.",
                "Name it Muniment, add it, and copy what is shown: it is shown once.",
            ),
        ),
    )

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http = http
        self._authorization: Mapping[str, str] = {}
        if secret:
            pair = f"{secret['user']}:{secret['application_password']}".encode()
            self._authorization = {"Authorization": "Basic " + base64.b64encode(pair).decode()}

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the whole site once: its introduction, posts, pages and comments, oldest first.

        A pass reads everything within its span of time, since comments can
        only be compared. It begins with the site's introduction, also when it
        resumes, and ends with a cursor that begins the next. Older posts that
        were edited since the span began are read first.
        """
        place = Place.read(since)
        if place.began is None:
            place = place.moved(began=self._http.now())
        with Asking(self._http, self._authorization) as asking:
            site = find(asking, page, known=since is not None)
            introduction = parse.site(site.index, page.address, tuple(asking.everything()))
            yield asking.batch(place.cursor(), [introduction], gaps=site.lacking())
            pass_ = _Pass(site, place, page)
            if place.stream not in pass_.streams:
                # What we were permitted to read is not offered us any longer: the pass is another one.
                place = Place(began=self._http.now(), since=place.since, owed=place.owed)
                pass_ = _Pass(site, place, page)
            if place.stream == STREAMS[0] and not place.offset:
                yield from pass_.edited()
            for stream in pass_.streams[pass_.streams.index(place.stream) :]:
                yield from pass_.read(stream)

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each item by its number, and only for how it stands: its words are not read again.

        Gone is only what WordPress itself says it has no such item of. A
        refusal without credentials says nothing: trashed, private and
        unapproved all look the same to the public.
        """
        if not native_ids:
            return
        with Asking(self._http, self._authorization) as asking:
            site = find(asking, page, known=True)
            for _, native_id in native_ids:
                sighting: Sighting | None = None
                with asking.about("how it stands", native_id, unread=False) as asked:
                    sighting = _standing(site, native_id)
                if asked.gap is not None:
                    sighting = Sighting(
                        native_id=native_id,
                        state=State.UNKNOWN,
                        exchange=asking.last,
                        reason=asked.gap.why,
                    )
                if sighting is not None:
                    yield asking.batch(Place().cursor(), sightings=[sighting])

    def check(self, page: Page) -> Iterator[Finding]:
        """Say whether the site is reached, its interface open, the password good, and what it may read."""
        with Asking(self._http, self._authorization) as asking:
            yield from checking.findings(asking, page)

    def family(self, page: Page, root: str) -> Iterator[Batch]:
        """Observe one post or page again with all its comments, and list what answers each of them."""
        kind, _, number = root.partition(":")
        if kind not in {"post", "page"} or not number.isdecimal():
            return
        began = self._http.now()
        with Asking(self._http, self._authorization) as asking:
            told = _Pass(find(asking, page, known=True), Place(began=began), page).family(kind, number)
            yield from asking.one_family(root, told, Place().cursor())


class _Pass:
    """One pass over a site, from `place` on. What it was refused once it does not ask for again."""

    def __init__(self, site: Site, place: Place, page: Page) -> None:
        self._site = site
        self._place = place
        self._page = page
        self._refused: set[str] = set()
        self._gaps: list[Gap] = []

    @property
    def streams(self) -> tuple[str, ...]:
        """What is read: pingbacks and trackbacks are listed for moderators alone."""
        return STREAMS if self._site.rights["comments"] else STREAMS[:-1]

    def edited(self) -> Iterator[Batch]:
        """Posts and pages from before the span that were edited since it began, where the site can tell them apart."""
        begins = self._page.published_from
        if begins is None:
            return
        for stream in STREAMS[:2]:
            asked = self._asked_for(stream) | {
                "modified_after": _naive(begins - _ANY_CLOCK),
                # From here on they are listed by the pass itself, whatever the site takes the time for.
                "before": _naive(begins - _ANY_CLOCK + timedelta(seconds=1)),
            }
            try:
                if not self._site.tells_edited(stream, self._place.begun()):
                    continue
                for leaf in self._posts(stream, asked):
                    observed = self._observations(stream, leaf)
                    self._noted_lost()
                    yield self._site.asking.batch(self._place.cursor(), observed, gaps=self._taken_gaps())
            except NotGiven:
                # Posts are asked for again below, and what is refused there is said there.
                continue

    def family(self, kind: str, number: str) -> Iterator[Batch]:
        """One post or page with its comments; its listings end the last batch."""
        site, asking = self._site, self._site.asking
        stream, began = _ROUTES[kind], self._place.begun()
        found = list(self._posts(stream, self._asked_for(stream) | {"include": number}))
        observed = [one for leaf in found for one in self._observations(stream, leaf)]
        if self._noted_lost():
            yield asking.batch(Place().cursor(), observed, gaps=self._taken_gaps())
            return
        if not observed:
            told = _standing(site, f"{kind}:{number}")
            yield asking.batch(Place().cursor(), sightings=[told] if told else [], gaps=self._taken_gaps())
            return
        yield asking.batch(Place().cursor(), observed, gaps=self._taken_gaps())
        answered, whole, exchange = [f"{kind}:{number}"], True, 0
        observed = []
        try:
            for below in self.streams[2:]:
                if below != "comments":
                    yield asking.batch(Place().cursor(), observed, gaps=self._taken_gaps())
                for leaf in self._comments(below, {"post": number}):
                    observed = [parse.comment(seen) for seen in leaf.items]
                    answered += [one.native_id for one in observed]
                    whole, exchange = whole and not (leaf.slipped or self._noted_lost()), asking.last
                    if not leaf.finished:
                        yield asking.batch(Place().cursor(), observed, gaps=self._taken_gaps())
        except NotGiven as refused:
            why = f"the site answers {refused.status} {refused.code}"
            gap = Gap(what="comments", why=why, native_id=f"{kind}:{number}")
            yield asking.batch(Place().cursor(), gaps=[gap])
            return
        listings = [
            Listing(
                kinds=[Kind.COMMENT],
                began_at=began,
                exchange=exchange,
                in_reply_to=one,
                states=self._states("comments"),
            )
            for one in dict.fromkeys(answered)
            if whole
        ]
        yield asking.batch(Place().cursor(), observed, listings=listings, gaps=self._taken_gaps())

    def _comments(self, stream: str, asked: Mapping[str, str]) -> Iterator[Leaf[parse.Comment]]:
        query = {**self._asked_for(stream), **asked}
        return leaves(
            lambda row: self._site.rows_that_answer(ROUTES[stream], query, parse.Comment, row),
            self._site.size,
        )

    def _posts(self, stream: str, asked: Mapping[str, str]) -> Iterator[Leaf[parse.Post]]:
        return leaves(
            lambda row: self._site.rows_that_answer(stream, asked, parse.Post, row), self._site.size
        )

    def read(self, stream: str) -> Iterator[Batch]:
        """Read one stream to its end; the last batch closes it with a listing, if all of it was read."""
        try:
            for leaf in self._leaves(stream):
                yield self._batch(stream, leaf)
        except NotGiven as refused:
            yield self._not_given(stream, refused)

    def _leaves(self, stream: str) -> Iterator[Leaf[parse.Post]] | Iterator[Leaf[parse.Comment]]:
        site, query, offset, last = self._site, self._query(stream), self._place.offset, self._place.last
        if ROUTES[stream] == "comments":
            return leaves(
                lambda row: site.rows_that_answer("comments", query, parse.Comment, row),
                site.size,
                offset,
                last,
            )
        return leaves(
            lambda row: site.rows_that_answer(stream, query, parse.Post, row), site.size, offset, last
        )

    def _batch(self, stream: str, leaf: Leaf[parse.Post] | Leaf[parse.Comment]) -> Batch:
        asking, listing = self._site.asking, self._site.asking.last
        observations = self._observations(stream, leaf)
        lost = self._noted_lost()
        place = self._place = self._place.moved(
            offset=leaf.offset,
            last=leaf.last,
            seen=self._place.seen + leaf.fresh,
            whole=self._place.whole and not leaf.slipped and not lost,
        )
        if leaf.slipped:
            self._gaps.append(
                Gap(
                    what=stream,
                    why=f"the site counts items up to row {leaf.offset} that it does not show, and items were "
                    "removed while we read: what stood among them cannot be told",
                )
            )
        if not leaf.finished:
            return asking.batch(place.cursor(), observations, gaps=self._taken_gaps())
        if leaf.total is not None and place.seen < leaf.total:
            self._gaps.append(
                Gap(what=stream, why=f"the site counts {leaf.total} and shows {place.seen} of them to us")
            )
        return self._closed(stream, observations, leaf.total, listing)

    def _closed(
        self, stream: str, observations: Sequence[Observation], total: int | None, exchange: int
    ) -> Batch:
        """The last batch of a stream, which says that all of its kind was seen: after pages posts too, after pings comments too."""
        place = self._place
        stated = None if total is None or place.stated is None else place.stated + total
        listings = []
        if (stream == "pages" or stream == self.streams[-1]) and place.whole:
            listings.append(
                Listing(
                    kinds=[Kind.POST if stream == "pages" else Kind.COMMENT],
                    began_at=place.begun(),
                    exchange=exchange,
                    published_from=self._page.published_from,
                    published_until=self._page.published_until,
                    states=self._states(stream),
                    stated_total=None if self._spanned else stated,
                )
            )
        self._place = place.after(self.streams, stated=stated, margin=_EDITED_LATELY)
        return self._site.asking.batch(
            self._place.cursor(), observations, listings=listings, gaps=self._taken_gaps()
        )

    def _not_given(self, stream: str, refused: NotGiven) -> Batch:
        """A stream that the site does not offer us: a gap, unless it is what we were connected for."""
        answer = f"the site answers {refused.status} {refused.code}"
        if refused.code == _NOT_FOR_THE_PUBLIC and self._site.rights[ROUTES[stream]]:
            # The public may not name the states that we ask for: perhaps that is what we have become meanwhile.
            who_we_are(self._site.asking, self._site.root)
        if refused.status in {401, 403} and (self._site.rights[ROUTES[stream]] or stream == "posts"):
            raise AccessRevoked(
                f"Its {stream} cannot be read: {answer}. Connect the page with the application password of an "
                "editor or administrator."
            ) from refused
        if stream == "posts":
            raise NoSuchPage(
                f"The site's interface offers no posts: {answer}. Ask its administrator to allow /wp-json/wp/v2/."
            ) from refused
        self._gaps.append(Gap(what=stream, why=answer))
        self._place = self._place.moved(whole=False)
        return self._closed(stream, (), None, self._site.asking.last)

    @property
    def _spanned(self) -> bool:
        return self._page.published_from is not None or self._page.published_until is not None

    def _query(self, stream: str) -> dict[str, str]:
        """What is asked of a stream in this pass: what we may read of it, within the span."""
        asked = self._asked_for(stream)
        begins, ends = self._page.published_from, self._page.published_until
        if begins is not None:
            asked["after"] = _naive(begins - _ANY_CLOCK)
        if ends is not None:
            asked["before"] = _naive(ends + _ANY_CLOCK)
        return asked

    def _asked_for(self, stream: str) -> dict[str, str]:
        if not self._site.rights[ROUTES[stream]]:
            return {}
        if ROUTES[stream] == "comments":
            # One listing of every state: a comment that is approved or held meanwhile stays in its row.
            every = {"context": "edit", "status": "any"}
            return every if stream == "comments" else {**every, "type": "pings"}
        drafts = ",draft,future" if self._site.drafts else ""
        return {"context": "edit", "status": f"publish,private,pending,trash{drafts}"}

    def _states(self, stream: str) -> tuple[State, ...]:
        both = self._site.rights["comments"] if ROUTES[stream] == "comments" else self._sees_hidden_posts()
        return (State.PRESENT, State.HIDDEN) if both else (State.PRESENT,)

    def _sees_hidden_posts(self) -> bool:
        return self._site.rights["posts"] and self._site.rights["pages"]

    def _observations(self, stream: str, leaf: Leaf[parse.Post] | Leaf[parse.Comment]) -> list[Observation]:
        comments = [seen for seen in leaf.items if isinstance(seen.what, parse.Comment)]
        posts = [seen for seen in leaf.items if isinstance(seen.what, parse.Post)]
        if not posts:
            return [parse.comment(seen) for seen in comments]
        return self._written(stream, posts, self._users(posts))

    def _written(
        self, stream: str, posts: Sequence[Seen[parse.Post]], users: Mapping[int, Seen[parse.User]]
    ) -> list[Observation]:
        """Posts with their files; a post without those that belong to it would look edited, and is left out."""
        kind, library = stream.removesuffix("s"), self._files_of(stream, posts)
        if library is None:
            return [one for seen in posts for one in self._written(stream, [seen], users)]
        if isinstance(library, Gap):
            self._site.lost.append(library)
            return []
        told = "files" not in self._refused
        return [
            parse.post(seen, users, library, self._revisions(stream, seen.what), kind, files_told=told)
            for seen in posts
        ]

    def _files_of(
        self, stream: str, posts: Sequence[Seen[parse.Post]]
    ) -> Mapping[int, Seen[parse.Media]] | Gap | None:
        """The files of these posts; a gap where the site fails at those of the one, None where at those of some."""
        if len(posts) == 1:
            name = f"{stream.removesuffix('s')}:{posts[0].what.id}"
            with self._site.asking.about("a post with its files", name) as asked:
                return self._library(posts)
            return asked.gap
        try:
            return self._library(posts)
        except (TryAgainLater, UnexpectedResponse) as error:
            if not self._site.asking.is_apart(error):
                raise
            self._site.asking.failed(error)
            return None

    def _noted_lost(self) -> bool:
        """Whether the site failed at anything lately; what that was is a gap of the next batch."""
        lost, self._site.lost[:] = list(dict.fromkeys(self._site.lost)), []
        self._gaps += [one for one in lost if one not in self._gaps]
        return bool(lost)

    def _users(self, posts: Sequence[Seen[parse.Post]]) -> Mapping[int, Seen[parse.User]]:
        numbers = sorted({seen.what.author for seen in posts if seen.what.author})
        if not numbers or "authors' names" in self._refused:
            return {}
        try:
            found, _ = self._site.asking.many(
                self._site.url("users", {"include": _joined(numbers), "per_page": "100"}), parse.User
            )
        except NotGiven as refused:
            self._do_without("authors' names", refused)
            return {}
        except (TryAgainLater, UnexpectedResponse) as error:
            if not self._site.asking.is_apart(error):
                raise
            # Without their names, the numbers tell who wrote.
            self._site.asking.failed(error)
            self._gaps.append(Gap(what="authors' names", why=str(error)))
            return {}
        return {seen.what.id: seen for seen in found}

    def _library(self, posts: Sequence[Seen[parse.Post]]) -> Mapping[int, Seen[parse.Media]]:
        """The files that were uploaded to these posts, and those that they name."""
        if "files" in self._refused:
            return {}
        try:
            found = self._site.all("media", {"parent": _joined(seen.what.id for seen in posts)}, parse.Media)
            named = set().union(*(parse.media_named_in(seen.what) for seen in posts))
            others = sorted(named - found.keys())
            for begin in range(0, len(others), 100):
                found |= self._site.all(
                    "media", {"include": _joined(others[begin : begin + 100])}, parse.Media
                )
        except NotGiven as refused:
            self._do_without("files", refused)
            return {}
        return found

    def _revisions(self, stream: str, post: parse.Post) -> Sequence[Seen[parse.Revision]] | None:
        """The earlier texts of a post that changed since the last pass; None where they were not asked for."""
        modified = parse.moment(post.modified_gmt)
        # The last pass over a span may have been about another one.
        since = None if self._spanned else self._place.since
        unchanged = since is not None and modified is not None and modified < since
        name = f"{stream.removesuffix('s')}:{post.id}"
        asked = self._site.rights[ROUTES[stream]] and parse.has_revisions(post)
        if not asked or (unchanged and name not in self._place.owed) or "earlier texts" in self._refused:
            return None
        found: Mapping[int, Seen[parse.Revision]] = {}
        try:
            with self._site.asking.about("earlier texts", name) as asking:
                found = self._site.all(f"{stream}/{post.id}/revisions", {"context": "edit"}, parse.Revision)
        except NotGiven as refused:
            if refused.status == 404:
                # Removed between the listing and this question: the next pass will say how it stands.
                return None
            self._do_without("earlier texts", refused)
            return None
        owed = [one for one in self._place.owed if one != name]
        if asking.gap is not None:
            self._gaps.append(asking.gap)
            owed.append(name)
        self._place = self._place.moved(owed=tuple(owed))
        return list(found.values()) if asking.gap is None else None

    def _do_without(self, what: str, refused: NotGiven) -> None:
        self._refused.add(what)
        self._gaps.append(Gap(what=what, why=f"the site answers {refused.status} {refused.code}"))

    def _taken_gaps(self) -> list[Gap]:
        taken, self._gaps = self._gaps, []
        return taken


def _standing(site: Site, native_id: str) -> Sighting | None:
    """How one item stands, by the platform's own answer; None for an id that is not of this platform."""
    asking = site.asking
    if native_id == "site":
        asking.one(site.root.url("/", INDEX), parse.Site)
        return Sighting(native_id=native_id, state=State.PRESENT, exchange=asking.last, reason="200")
    kind, _, number = native_id.partition(":")
    if kind not in _ROUTES or not number.isdecimal():
        return None
    state, reason = _asked(site, kind, number)
    exchange = asking.last
    if state is State.GONE and kind != "comment" and reason.startswith("404"):
        # Posts and pages share their numbers: what was turned into the other kind is not gone.
        other = "page" if kind == "post" else "post"
        elsewhere, _ = _asked(site, other, number)
        if elsewhere is not State.GONE:
            state, reason = State.UNKNOWN, f"{reason}; the site may now have it as {other}:{number}"
    return Sighting(native_id=native_id, state=state, exchange=exchange, reason=reason)


def _asked(site: Site, kind: str, number: str) -> tuple[State, str]:
    try:
        found = site.asking.one(site.url(f"{_ROUTES[kind]}/{number}", _STANDING), parse.Standing)
    except NotGiven as refused:
        reason = f"{refused.status} {refused.code}"
        if refused.status == 410 or (refused.status == 404 and refused.code == _NO_SUCH[kind]):
            return State.GONE, reason
        return State.UNKNOWN, reason
    state = parse.comment_state(found.status) if kind == "comment" else parse.post_state(found.status)
    return state, f"200 {found.status}"


def _naive(at: datetime) -> str:
    """A moment as sites of every age read it: some take it in their own zone, so spans are asked for wider."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _joined(numbers: Iterator[int] | Sequence[int]) -> str:
    return ",".join(str(number) for number in numbers)
