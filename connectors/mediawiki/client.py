"""Asks a wiki for pages, every revision of them, and what its log says of them.

A pass asks for each wiki page that it knows and each that belongs to the page
of the archive now, fifty at a time and without their words. The wiki says of
each when anything about it last changed; only where that differs from what was
read is the page read on (`history`). A night in which nothing happened costs
one question for fifty pages, so passes may follow one another closely.

The archive compares what it is given with the newest version that it holds. A
revision must therefore come once, and after those before it: everything that
is read of a page goes through one cursor. Passes over a span of time, which
have cursors of their own, would bring old revisions back as if somebody had
returned to them, and would save nothing; they are not offered, nor is the
reading of one page with its talk page alone.

A talk page is one record, each of its revisions a version. What was said by
whom within it is written in the page's source by convention and not by the
wiki: a signature can be forged, copied or left out, and a heading renamed, so
no comments are made of it. Who wrote each revision is the wiki's own word, and
that is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from connectors.closing import but_the_last
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
from connectors.errors import ConnectorError, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.failing import AGAIN
from connectors.mediawiki import parse
from connectors.mediawiki.address import is_of
from connectors.mediawiki.asking import Answer, Asking, NotGiven
from connectors.mediawiki.history import SITE, Histories
from connectors.mediawiki.parse import PageInfo
from connectors.mediawiki.place import Place
from connectors.mediawiki.wiki import Info, Wiki, find, infos

_AT_ONCE = 50
_FILTERS = ("MediaWiki:Spam-blacklist", "MediaWiki:Titleblacklist", "MediaWiki:Bad image list")
"""Where wikis keep the words, addresses, titles and pictures that they do not let in."""


class MediaWiki:
    """A wiki. `secret`, where the page is connected: `user` and `password` of a bot password, or `access_token`."""

    manifest: ClassVar[Manifest] = Manifest(
        name="mediawiki",
        title="Wikipedia and other MediaWikis",
        platform="mediawiki",
        route="api",
        captures={
            "profile": "the wiki's name and licence; of each wiki page its title, introduction and protection, and which "
            "of its revisions are hidden",
            "posts": "wiki pages, each revision a version with its author, summary and time; the files that the newest shows",
            "comments": "talk pages, each as one record, each revision a version",
            "edits": "every edit is a revision of the wiki's own, whenever it was made",
            "deletions": "the wiki says that the page is missing, and its deletion log who deleted it, when and why",
            "hidden": "revisions whose text, author or summary is hidden are named; with an administrator's bot password "
            "their text, and that of deleted pages, is read",
            "moves": "log entries of each page: moves, protections, deletions, restorations and what was hidden",
        },
        blind_spots=(
            (
                "Who said what within a talk page: signatures are text that anybody can write. Each revision's author and "
                "summary are kept instead."
            ),
            "How a page looked: templates, rendering and skin. What is kept is the source that the wiki keeps.",
            "Without credentials: the text of deleted pages and hidden revisions that were never read before.",
            "What was suppressed (oversighted): the public log does not tell of it; such a page is called absent.",
            "Files that earlier revisions showed, and earlier versions of files.",
            "Revisions that stayed deleted when the rest of their page was restored.",
            "Wiki pages that were made and deleted between two passes, where they were found by category, user or namespace.",
            (
                "Log entries made under an earlier title of a page that had been moved before the first pass; the revision "
                "that the move left behind tells of it."
            ),
            "Patrol and thanks logs; abuse filters; structured discussions (Flow).",
        ),
        needs=(
            "Nothing for what is public.",
            (
                "For deleted and hidden text: a bot password (Special:BotPasswords) of an administrator, with the grants "
                "“Basic rights” and “View deleted files and pages”, on a wiki with https."
            ),
            "For a private wiki: a bot password with “Basic rights” of any account that may read it.",
        ),
        options={
            "titles": "more wiki pages, by their titles, divided by |",
            "category": "all pages of a category, by its title (without those of its subcategories)",
            "user": "the user page of an account, and every wiki page that it has edited, whole",
            "namespaces": "all pages of these namespaces, by number, divided by | (0 is that of articles)",
            "talk": "no: leave out talk pages (default: yes)",
            "files": "no: leave out pictures and other files that pages show (default: yes)",
            "history_from": "a day such as 2024-01-31: leave out revisions made before it (default: the whole history)",
        },
        api_version="formatversion 2 (MediaWiki 1.25 and later)",
        tells_history=True,
        legal_basis="Wiki text is published under the licence that the wiki names; histories name their authors by name or "
        "by network address.",
        sign_in=ByHand(
            fields=(
                Field(
                    name="user",
                    title="Bot password name",
                    help="As Special:BotPasswords shows it, such as Name@archive",
                    shown=True,
                    required=False,
                ),
                Field(name="password", title="Bot password", required=False),
                Field(
                    name="access_token",
                    title="Access token",
                    help="Instead of a bot password: that of an owner-only OAuth 2 consumer, where the wiki offers it",
                    required=False,
                ),
            ),
            steps=(
                "Sign in to the wiki with the account whose rights the archive is to have.",
                "Open Special:BotPasswords and make a bot password named “archive”.",
                "Tick “Basic rights”; for an administrator also “View deleted files and pages”. Tick nothing that writes.",
                "Enter the name and the password that the wiki shows.",
            ),
        ),
    )

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http = http
        self._secret: Mapping[str, str] = secret or {}
        self._asking: Asking | None = None

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read what is new about every wiki page, oldest revision first, and say how each stands.

        Each pass begins with the introductions and goes over all pages; a
        cursor holds how far each was read. It cannot be narrowed: what a span
        of time would leave out costs next to nothing.
        """
        place = Place.read(since)
        began = self._http.now()
        with Asking(self._http, self._secret) as asking:
            self._asking = asking
            wiki = find(asking, page, place.interface)
            place.interface = asking.interface
            pass_ = _Pass(wiki, place, known=since is not None)
            yield from _closed(pass_.batches(), pass_, began)

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        """Ask for each wiki page by its number. Gone is what the wiki has no more and its deletion log names."""
        numbers = {name: int(name.partition(":")[2]) for _, name in native_ids if _is_numbered(name)}
        if not numbers and all(name != SITE for _, name in native_ids):
            return
        with Asking(self._http, self._secret) as asking:
            wiki = find(asking, page, "")
            sightings = [
                Sighting(native_id=SITE, state=State.PRESENT, exchange=asking.last, reason="200")
                for _, name in native_ids
                if name == SITE
            ]
            wanted = [*dict.fromkeys(numbers.values())]
            missing: list[int] = []
            for begin in range(0, len(wanted), _AT_ONCE):
                shown, untold = wiki.standing(wanted[begin : begin + _AT_ONCE])
                sightings += [
                    Sighting(
                        native_id=name,
                        state=State.UNKNOWN,
                        exchange=asking.last,
                        reason="told in another shape",
                    )
                    for name, number in numbers.items()
                    if number in untold
                ]
                for info in shown:
                    if info.missing:
                        missing.append(info.pageid)
                        continue
                    sightings += [
                        Sighting(native_id=name, state=State.PRESENT, exchange=asking.last, reason="200")
                        for name, number in numbers.items()
                        if number == info.pageid
                    ]
            histories = Histories(wiki, Place(), ())
            titles = [title for title in (wiki.wanted.own, *wiki.wanted.titles) if title]
            for number in missing:
                told = histories.standing(number, titles)
                sightings += [
                    replace(told, native_id=name) for name, asked in numbers.items() if asked == number
                ]
            yield asking.batch(Place().cursor(), sightings=sightings)

    def signed(self, page: Page, address: str) -> Mapping[str, str]:  # noqa: ARG002 - the visit knows whose files they are
        """What the wiki knows us by since the last pass, where the file is its own: a private wiki shows it to nobody else."""
        asking = self._asking
        if asking is None or not asking.session.begun or not is_of(asking.interface, address):
            return {}
        return asking.session.headers() or {}

    def check(self, page: Page) -> Iterator[Finding]:
        """Say whether the wiki answers, knows the page, lets us in, and shows us what is deleted."""
        with Asking(self._http, self._secret) as asking:
            try:
                wiki = find(asking, page, "")
            except TryAgainLater:
                raise
            except ConnectorError as fault:
                yield Finding(what="The wiki can be read", fine=False, remedy=str(fault))
                return
            yield Finding(what=f"The wiki can be read ({wiki.site.general.generator})", fine=True)
            yield from _named(wiki)
            if not asking.session.connected:
                return
            yield Finding(what=f"It knows us as {wiki.site.userinfo.name}", fine=True)
            yield Finding(
                what="Deleted pages and hidden revisions can be read",
                fine=wiki.may_read_deleted,
                remedy=""
                if wiki.may_read_deleted
                else "Ask a bureaucrat for the rights deletedhistory and deletedtext (administrators have them), and tick "
                "“View deleted files and pages” at Special:BotPasswords.",
            )


class _Pass:
    """One pass over everything that belongs to the page of the archive."""

    def __init__(self, wiki: Wiki, place: Place, *, known: bool) -> None:
        self._wiki = wiki
        self._asking = wiki.asking
        self._place = place
        self._known = known
        self._selected: dict[int, None] = {}
        self._histories = Histories(wiki, place, self._selected)
        self._introduced: set[int] = set()
        self._missing: dict[str, bool] = {}
        """Titles that have no page, and whether that is what somebody asked for by name."""
        self.whole = True
        """Whether everything was asked for that should be."""

    def batches(self) -> Iterator[Batch]:
        yield self._introduction()
        yield from self._named()
        yield from self._listed()
        if self._wiki.administers:
            yield from self._kept_out()
        for title, named in self._missing.items():
            with self._asking.about(f"the log of the title {title}", title) as asked:
                yield from self._histories.lost(title, named=named)
            if asked.gap is not None:
                yield self._passed_over(replace(asked.gap, native_id=None))
        if not self._known and not self._selected and not self._place.pages and not self._wiki_wide:
            titles = ", ".join(self._missing) or "the page"
            raise NoSuchPage(
                f"The wiki has no page {titles}, and its log tells of none. Look at the spelling: titles tell capital from "
                "small letters, but for the first."
            )
        yield from self._everything()

    @property
    def lacks(self) -> bool:
        """Whether something in the history of a page that was read cannot be."""
        return self._histories.lacks

    @property
    def _wiki_wide(self) -> bool:
        wanted = self._wiki.wanted
        return bool(wanted.category or wanted.user or wanted.namespaces)

    # --- what belongs to it -------------------------------------------------------------------------------

    def _introduction(self) -> Batch:
        """The wiki, and the page that the address names with what stands before its first heading."""
        wanted = self._wiki.wanted
        observations = [parse.site(self._wiki.site, self._wiki.evidence)]
        shown: list[Info] = []
        gaps: list[Gap] = []
        if wanted.number is not None:
            shown = list(infos(self._wiki.by_number([wanted.number], words=True)))
        elif wanted.own is not None:
            shown = list(self._wiki.by_title([wanted.own], words=True))
        if any(info.redirect for info, _ in shown):
            titles = [info.title for info, _ in shown if info.redirect]
            shown += list(self._wiki.by_title(titles, words=True, onward=True))
        for info, span in shown:
            if self._select(info, asked_for=True) and info.pageid not in self._introduced:
                self._introduced.add(info.pageid)
                try:
                    observations.append(parse.about(info, parse.lead(info), [span]))
                except parse.Malformed as fault:
                    gaps.append(_unread(info, f"about:{info.pageid}", "what introduces", fault))
                self._histories.introduced(info)
        return self._asking.batch(self._place.cursor(), observations, gaps=gaps)

    def _named(self) -> Iterator[Batch]:
        """The pages that are named by title besides, and those of an account, which need not exist."""
        wanted = self._wiki.wanted
        of_account = [f"User:{wanted.user}", f"User talk:{wanted.user}"] if wanted.user else []
        for titles, asked_for in ((wanted.titles, True), (of_account, False)):
            shown, gaps = self._titled(titles)
            onward, more = self._titled([info.title for info, _ in shown if info.redirect], onward=True)
            shown += onward
            gaps += more
            self.whole = self.whole and not gaps
            gaps += [
                Gap(what=f"the wiki page {info.title}", why="no page can have this title")
                for info, _ in shown
                if not self._select(info, asked_for=asked_for) and (info.invalid or info.special)
            ]
            if shown or gaps:
                yield self._asking.batch(self._place.cursor(), gaps=gaps)

    def _titled(
        self, titles: Sequence[str], *, onward: bool = False, words: bool = False
    ) -> tuple[list[Info], list[Gap]]:
        """How pages of these titles stand; a gap for each at which the wiki fails, or of which it tells what nobody can read."""
        if len(titles) != 1:
            try:
                return list(self._wiki.by_title(titles, onward=onward, words=words)), []
            except (TryAgainLater, UnexpectedResponse) as error:
                if not self._asking.is_apart(error):
                    raise
                self._asking.failed(error)
            alone = [self._titled([title], onward=onward, words=words) for title in titles]
            return [one for shown, _ in alone for one in shown], [one for _, gaps in alone for one in gaps]
        shown: list[Info] = []
        with self._asking.about(f"the wiki page {titles[0]}", titles[0]) as asked:
            shown = list(self._wiki.by_title(titles, onward=onward, words=words))
        return shown, [] if asked.gap is None else [replace(asked.gap, native_id=None)]

    def _listed(self) -> Iterator[Batch]:
        """The pages of a category, of an account, and of namespaces."""
        wanted = self._wiki.wanted
        if wanted.category:
            title = wanted.category if ":" in wanted.category else f"Category:{wanted.category}"
            question = {"list": "categorymembers", "cmtitle": title, "cmtype": "page", "cmprop": "ids|title"}
            yield from self._listing({**question, "cmlimit": "max"}, f"the pages of {title}")
        if wanted.user:
            question = {"list": "usercontribs", "ucuser": wanted.user, "ucprop": "ids|title"}
            yield from self._listing(
                {**question, "uclimit": "max"}, f"the pages that {wanted.user} has edited"
            )
        for namespace in wanted.namespaces:
            question = {"list": "allpages", "apnamespace": namespace, "aplimit": "max"}
            yield from self._listing(question, f"the pages of namespace {namespace}")

    def _listing(self, question: Mapping[str, str], what: str) -> Iterator[Batch]:
        given = (
            "invalidcategory",
            "baduser_ucuser",
            "baduser",
            "badvalue",
            "unknown_apnamespace",
            "cminvalidcategory",
        )
        try:
            for answer in self._asking.each({"action": "query", **question}, given=given):
                nameless = 0
                for body, _ in answer.listed(question["list"]):
                    number = parse.numbered(body)
                    if number:
                        self._selected[number] = None
                    elif number is None or question["list"] != "usercontribs":
                        nameless += (
                            1  # in the list of somebody's edits, one of a page that is gone has the number 0
                        )
                gaps = []
                if nameless:
                    self.whole = False
                    why = f"the wiki lists {nameless} of them without their numbers. {AGAIN}"
                    gaps.append(Gap(what=what, why=why))
                yield self._asking.batch(self._place.cursor(), gaps=gaps)
        except NotGiven as refused:
            self.whole = False
            gap = Gap(what=what, why=f"the wiki answers {refused.code}: {refused.text}")
            yield self._asking.batch(self._place.cursor(), gaps=[gap])

    def _select(self, info: PageInfo, *, asked_for: bool) -> bool:
        """Take a page in, and False where there is none; what was deleted under its title is then looked for.

        The same is done for the talk page that a named page does not have.
        """
        if info.invalid or info.special or (info.missing and not info.title):
            return False
        if self._wiki.wanted.talk and not info.talkid and info.associatedpage and info.ns % 2 == 0:
            self._missing.setdefault(info.associatedpage, False)
        if info.missing:
            self._missing[info.title] = asked_for
            if self._wiki.wanted.talk and info.talkid:
                self._selected[info.talkid] = None
            return False
        self._selected[info.pageid] = None
        return True

    def _kept_out(self) -> Iterator[Batch]:
        """Whom and what the wiki keeps out, as its administrator sees it."""
        what = "whom the wiki blocks"
        with self._asking.about(what, what) as asked:
            yield self._asking.batch(self._place.cursor(), self._blocks())
        if asked.gap is not None:
            yield self._asking.batch(self._place.cursor(), gaps=[replace(asked.gap, native_id=None)])
        what = "the wiki's filters"
        with self._asking.about(what, what) as asked:
            observed, gaps = self._filters()
            yield self._asking.batch(self._place.cursor(), observed, gaps=gaps)
        if asked.gap is not None:
            yield self._asking.batch(self._place.cursor(), gaps=[replace(asked.gap, native_id=None)])

    def _blocks(self) -> list[Observation]:
        asked = {"action": "query", "list": "blocks", "bkprop": "id|user|by|timestamp|expiry|reason"}
        answers = list(self._asking.each({**asked, "bklimit": "max"}))
        blocked = [_blocked(answer, body) for answer in answers for body, _ in answer.listed("blocks")]
        return [parse.blocks(blocked, [answer.whole() for answer in answers])]

    def _filters(self) -> tuple[list[Observation], list[Gap]]:
        shown, gaps = self._titled(_FILTERS, words=True)
        observed: list[Observation] = []
        for info, span in shown:
            if info.revisions:
                name = f"filter:{info.pageid}"
                try:
                    observed.append(replace(parse.about(info, info.newest(), [span]), native_id=name))
                except parse.Malformed as fault:
                    gaps.append(_unread(info, name, "the filter", fault))
        return observed, gaps

    # --- how it stands ------------------------------------------------------------------------------------

    def _everything(self) -> Iterator[Batch]:
        """Ask how every page stands, in the order of their numbers, and read on where something changed."""
        done: set[int] = set()
        while waiting := sorted((self._selected.keys() | self._place.pages.keys()) - done):
            some = waiting[:_AT_ONCE]
            done.update(some)
            yield from self._some(some)

    def _some(self, some: Sequence[int]) -> Iterator[Batch]:
        """Ask how some pages stand, and read on. Where the wiki fails at them together, each is asked for alone."""
        told = self._by_number(some)
        if told is None:
            for number in some:
                yield from self._some([number])
            return
        if isinstance(told, Gap):
            about = replace(told, what="what introduces it", native_id=f"about:{some[0]}")
            yield self._passed_over(told, about)
            return
        shown, answered = told
        yield self._how_they_stand(shown)
        for info, _ in shown:
            if not info.missing and self._histories.changed(info):
                yield from self._one(info, self._histories.read(info, answered))
        for info, _ in shown:
            known = self._place.pages.get(info.pageid)
            if info.missing and known is not None and not known.gone:
                yield from self._one(info, self._histories.missing(info.pageid))

    def _by_number(self, some: Sequence[int]) -> tuple[list[Info], datetime | None] | Gap | None:
        """How these pages stand, and when; a gap where the wiki fails at the one, None where at some together."""
        if len(some) == 1:
            with self._asking.about(f"the wiki page {some[0]}", f"page:{some[0]}") as asked:
                return self._stand(some)
            return asked.gap
        try:
            return self._stand(some)
        except (TryAgainLater, UnexpectedResponse) as error:
            if not self._asking.is_apart(error):
                raise
            self._asking.failed(error)
            return None

    def _stand(self, some: Sequence[int]) -> tuple[list[Info], datetime | None]:
        answer = self._wiki.by_number(some)
        return list(infos(answer)), answer.read(parse.Timed).curtimestamp

    def _one(self, info: PageInfo, batches: Iterator[Batch]) -> Iterator[Batch]:
        """What is told of one page; where the wiki fails at it, the others are read all the same."""
        called = info.title or self._place.pages[info.pageid].title
        with self._asking.about(f"the wiki page {called}", f"page:{info.pageid}") as asked:
            yield from batches
        if asked.gap is not None:
            yield self._passed_over(asked.gap)

    def _passed_over(self, *gaps: Gap) -> Batch:
        """Go on behind something at which the wiki fails: not everything was seen, and how far it was read stays noted."""
        self.whole = False
        return self._asking.batch(self._place.cursor(), gaps=gaps)

    def _how_they_stand(self, shown: Sequence[Info]) -> Batch:
        observations: list[Observation] = []
        sightings: list[Sighting] = []
        shows = self._asking.last
        for info, span in shown:
            if info.missing or not info.title:
                continue
            if self._wiki.wanted.talk and info.talkid:
                self._selected[info.talkid] = None
            if info.pageid not in self._introduced:
                observations.append(parse.about(info, "", [span]))
            self._histories.introduced(info)
            if not self._histories.changed(info):
                sightings.append(
                    Sighting(native_id=f"page:{info.pageid}", state=State.PRESENT, exchange=shows)
                )
        return self._asking.batch(self._place.cursor(), observations, sightings=sightings)


def _closed(batches: Iterator[Batch], pass_: _Pass, began: datetime) -> Iterator[Batch]:
    """The batches of a pass; the last one says that every page was seen, once all of them were."""
    last = yield from but_the_last(batches)
    if last is None:
        return
    if not pass_.whole or pass_.lacks or not last.exchanges:
        yield last
        return
    listing = Listing(kinds=[Kind.POST, Kind.COMMENT], began_at=began, exchange=len(last.exchanges) - 1)
    yield replace(last, listings=[listing])


def _named(wiki: Wiki) -> Iterator[Finding]:
    """Whether each page that is named can be found."""
    wanted = wiki.wanted
    titles = [title for title in (wanted.own, *wanted.titles) if title]
    for info, _ in wiki.by_title(titles):
        fine = not info.missing and not info.invalid
        yield Finding(
            what=f"The wiki page {info.title} is there",
            fine=fine,
            remedy="" if fine else "Look at the spelling of the title, or at the wiki's deletion log.",
        )


def _blocked(answer: Answer, body: bytes) -> parse.Block:
    try:
        return parse.one(body, parse.Block)
    except parse.Malformed as fault:
        raise UnexpectedResponse(f"{answer.exchange.url}: {fault}") from fault


def _unread(info: PageInfo, native_id: str, what: str, fault: parse.Malformed) -> Gap:
    why = f"its newest revision cannot be read: {fault}. {AGAIN}"
    return Gap(what=f"{what} {info.title}", why=why, native_id=native_id)


def _is_numbered(name: str) -> bool:
    kind, _, number = name.partition(":")
    return kind in {"page", "about", "history"} and number.isascii() and number.isdecimal()
