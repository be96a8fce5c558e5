"""One pass over a channel: introduction and settings, held comments, published ones with their answers, then videos.

Comments are read over the whole channel at once, newest first: a hundred
threads cost one unit, whatever videos they stand under. What answers a thread
is asked for by itself, since the answers inside a thread are a few of them.
Videos come last. Then it is known how many comments were shown of each; where
YouTube counts more, or tells no number, that video is asked for by itself.

The list of uploads is counted off by places, so that a video which is removed
while it is read makes another one slip through. YouTube counts the uploads with
each answer; where the count falls, the list is read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.closing import but_the_last
from connectors.contract import Batch, Gap, Kind, Listing, Observation, Page, State
from connectors.errors import UnexpectedResponse
from connectors.lists import Lists
from connectors.pieces import Seen, Unread
from connectors.youtube import captions, channel, options, parse, reading
from connectors.youtube.address import Address
from connectors.youtube.asking import ROWS_AT_ONCE, Asking
from connectors.youtube.captions import Captions
from connectors.youtube.parse import moment
from connectors.youtube.place import HELD, MOST_COUNTED, PUBLISHED, SPAM, UNREAD, UPLOADS, Place
from connectors.youtube.reach import Reach
from connectors.youtube.reading import Answer
from connectors.youtube.refusals import NotGiven
from connectors.youtube.shapes import Thread, Upload, Video
from connectors.youtube.threads import Answers, below, unread

BOTH = (State.PRESENT, State.HIDDEN)
SHOWN = (State.PRESENT,)

VIDEO_PARTS = "id,snippet,status,statistics,contentDetails,liveStreamingDetails,localizations"

_UPLOAD_FIELDS = "kind,nextPageToken,pageInfo,items(id,contentDetails(videoId,videoPublishedAt))"
"""All that is told of a video in the list of uploads is when it was published: its words stand with itself."""

_VIDEO_OF_A_ROW = ("contentDetails", "videoId")

_LISTED_AT_MOST = 20_000
"""So many uploads YouTube lists of a channel."""

_TIMES_AGAIN = 2
"""How often the list of uploads is read again in one pass because it has shifted."""

_TITLES: Mapping[str, str] = {
    HELD: "comments that are held for review",
    SPAM: "comments that are held as likely spam",
    PUBLISHED: "comments",
}


class Pass(Lists[Place]):
    """A pass from `place` on."""

    _asking: Asking

    def __init__(self, asking: Asking, named: Address, page: Page, place: Place) -> None:
        self._asking, self._named = asking, named
        self._place = place if place.began is not None else place.moved(began=asking.now())
        before = timedelta(days=options.answered_within(page))
        self._reach = Reach(page.published_from, page.published_until, before)
        self._captions = options.captions(page)
        self._gaps: list[Gap] = []
        self._anew: set[str] = set()

    def run(self) -> Iterator[Batch]:
        """The introduction is read also when the pass is resumed; then the lists from where it stands."""
        self._found = channel.find(self._asking, self._named, self._place.channel)
        if self._place.owner not in {None, self._found.owner}:
            # Connected otherwise since it was begun: what was read then is not all that is shown now.
            self._place = self._place.finished().moved(began=self._asking.now())
        self._move(channel=self._found.id, owner=self._found.owner)
        self._gaps += [*self._found.gaps, *filter(None, [self._found.unset])]
        yield self._batch(self._found.observed())
        yield from self._ended(self._in_turn())

    def _stage(self, stage: str) -> Iterator[Batch]:
        if stage == UPLOADS:
            return self._uploads()
        if stage == PUBLISHED:
            return self._threads(stage)
        return self._apart(_TITLES[stage], stage, self._threads(stage)) if self._owner else iter(())

    @property
    def _owner(self) -> bool:
        return self._found.owner

    # -- comments ------------------------------------------------------------------------------------------

    def _threads(self, stage: str) -> Iterator[Batch]:
        """One list of threads over the whole channel, with what answers each."""
        yield from self._answers()
        met: set[str] = set()
        status = "" if stage == PUBLISHED else stage
        while not self._place.ended:
            try:
                found = self._asking.threads(
                    {"allThreadsRelatedToChannelId": self._found.id}, self._place.at, status=status
                )
            except NotGiven as refused:
                if self._begun_anew(refused, stage):
                    met.clear()
                    continue
                self._lacks(stage, refused)
                yield self._batch()
                return
            past = self._reach.is_past([_begun(one.what) for one in found.items])
            observed = self._met(found, status)
            listings = self._unanswered(found.items) if stage == PUBLISHED else []
            self._lead(None if past else found.following, met, _TITLES[stage])
            yield self._batch(observed, listings)
            yield from self._answers()

    def _met(self, found: Answer[Thread], status: str = "", video: str = "") -> list[Observation]:
        """The threads of one answer, of `video` where that was asked for by itself; those whose answers are to be read wait."""
        observed: list[Observation] = []
        for gap in unread(self._asking, found, video):
            self._misses(status or PUBLISHED, gap)
        if found.unread and not status:
            self._asks_again([one.id for one in found.unread])
        for one in found.items:
            root = parse.where(one.what, video or self._found.id)
            first = parse.thread(one, self._found.id, status, video)
            observed.append(first)
            if status:
                inside = below(self._asking, found.body, one, root, self._found.id)
                observed += inside.seen
                self._gaps += inside.gaps
                self._move(held=self._place.held and not inside.gaps)
            if self._asks(one.what, first, status):
                self._wait(root, one.what.id, "")
        if not status:
            self._count(observed)
        return observed

    def _asks(self, read: Thread, first: Observation, status: str = "") -> bool:
        """Whether what answers a thread is to be read.

        Threads that are published are met again in their own list. In a pass
        over a span of time, those that began before it are asked for where
        they are younger than the reach, and where the number of their answers
        is another than it was.
        """
        told, at = read.snippet.total_reply_count, first.published_at
        count = UNREAD if told is None else told
        if count == 0 or (status and first.state is State.PRESENT):
            return False
        if not self._reach.narrowed or at is None:
            return True
        if self._reach.over_at(at):
            return False
        if self._reach.begun_at(at):
            return True
        known = self._place.before.get(read.id)
        if self._place.replied.get(read.id) != UNREAD:
            self._move(replied={**self._place.replied, read.id: count})
        if known is None:
            return self._reach.reaches(at)
        return known == UNREAD or known != count

    def _asks_again(self, threads: Sequence[str | None]) -> None:
        """In a pass over a span of time: let the next one ask what answers these threads, whatever number it counts.

        Where it is not told which threads they are, what was known of any that were not met stays known.
        """
        if not self._reach.narrowed:
            return
        before = self._place.before if None in threads else {}
        named = dict.fromkeys(filter(None, threads), UNREAD)
        self._move(replied={**before, **self._place.replied, **named})

    def _unanswered(self, items: Sequence[Seen[Thread]]) -> list[Listing]:
        """In a pass over a span of time: of threads without answers, that they have none."""
        if not self._reach.narrowed:
            return []
        names = [
            f"{parse.where(one.what, self._found.id)}/{one.what.id}"
            for one in items
            if one.what.snippet.total_reply_count == 0
        ]
        return [self._under(name, SHOWN) for name in names]

    def _answers(self) -> Iterator[Batch]:
        """Read what answers the threads that wait, one after the other."""
        while self._place.waiting:
            *others, (root, thread, token) = self._place.waiting
            self._move(waiting=tuple(others))
            answers = Answers(self._asking, root, thread, self._found.id)
            try:
                with self._asking.about("answers", f"{root}/{thread}") as asked:
                    for shown in answers.read(token):
                        self._count(shown.seen, of=[root] * len(shown.gaps))
                        following = shown.following
                        if shown.gaps:
                            self._lacks_answers(thread, shown.gaps)
                        self._move(
                            waiting=(*others, *(() if following is None else ((root, thread, following),)))
                        )
                        whole = following is None and self._place.replied.get(thread) != UNREAD
                        listed = (
                            [self._under(f"{root}/{thread}", SHOWN)] if self._reach.narrowed and whole else []
                        )
                        yield self._batch(shown.seen, listed)
            except NotGiven as refused:
                if self._forgotten(refused, thread):
                    self._move(waiting=(*others, (root, thread, "")))
                    continue
                if not refused.not_found:
                    gap = Gap(what="answers", why=refused.why, native_id=f"{root}/{thread}")
                    self._lacks_answers(thread, [gap])
                # Else it was removed or held since it was listed: what answered it is not shown either.
                self._move(waiting=tuple(others))
                yield self._batch()
                continue
            if asked.gap is not None:
                self._lacks_answers(thread, [asked.gap])
                self._move(waiting=tuple(others))
                yield self._batch()

    def _lacks_answers(self, thread: str, gaps: Sequence[Gap]) -> None:
        self._gaps += gaps
        self._move(threads=False)
        self._asks_again([thread])

    def _count(self, observed: Sequence[Observation], of: Sequence[str] = ()) -> None:
        """Add to the tally of each video what the public was shown of it; `of` are the videos of what was shown and could not be read."""
        if self._reach.narrowed or self._place.stage in {HELD, SPAM}:
            return
        more = Counter(
            one.native_id.partition("/")[0]
            for one in observed
            if one.state is State.PRESENT and one.kind in {Kind.COMMENT, Kind.REPLY}
        )
        more.update(of)
        tally = dict(self._place.tally)
        for name, count in more.items():
            if name in tally or len(tally) < MOST_COUNTED:
                tally[name] = tally.get(name, 0) + count
        self._move(tally=tally)

    # -- videos --------------------------------------------------------------------------------------------

    def _uploads(self) -> Iterator[Batch]:
        """The list of uploads to its end, and of each answer the videos themselves."""
        yield from self._one_by_one()
        met: set[str] = set()
        while not self._place.ended:
            try:
                found = self._asking.many(
                    "playlistItems",
                    "playlistItemListResponse",
                    Upload,
                    {
                        "part": "id,contentDetails",
                        "fields": _UPLOAD_FIELDS,
                        "playlistId": self._found.uploads,
                        "maxResults": str(ROWS_AT_ONCE),
                        **({"pageToken": self._place.at} if self._place.at else {}),
                    },
                )
            except NotGiven as refused:
                if self._begun_anew(refused, UPLOADS):
                    met.clear()
                    continue
                self._no_uploads(refused)
                yield self._batch()
                return
            listed = self._asking.last
            self._shifts(found.total)
            rows = [
                replace(one, id=reading.told(found.body, one.span, *_VIDEO_OF_A_ROW)) for one in found.unread
            ]
            self._lacks_videos(self._asking.gaps_of("a video", rows))
            observed = self._videos(found.items)
            self._lead(None if self._enough(found.items) else found.following, met, "uploads")
            if self._place.ended and self._read_again():
                met.clear()
            yield self._batch(observed, self._of_videos(self._read_by_now(found.items), listed))
            yield from self._one_by_one()

    def _videos(self, rows: Sequence[Seen[Upload]]) -> list[Observation]:
        """The videos of one answer that lie within the span. Where captions are read as well, they wait for it one by one.

        Captions of fifty videos cost more than a day has units: what was paid
        for is to be kept before the next is asked for.
        """
        wanted = {
            one.what.content_details.video_id: one for one in rows if self._reach.holds(_published(one.what))
        }
        if self._captions != options.NO and self._owner:
            self._move(films=tuple(reversed(wanted)))
            return []
        return self._observed(wanted) if wanted else []

    def _one_by_one(self) -> Iterator[Batch]:
        """The videos that wait for their captions, after what waits to be read of those before."""
        yield from self._by_themselves()
        while self._place.films:
            *others, name = self._place.films
            observed = self._observed({name: None})
            self._move(films=tuple(others))
            told = observed[0].evidence[0].exchange if observed else self._asking.last
            yield self._batch(observed, self._of_videos([name], told))
            yield from self._by_themselves()

    def _observed(self, wanted: Mapping[str, Seen[Upload] | None]) -> list[Observation]:
        """These videos; those whose comments are asked for by themselves wait."""
        observed: list[Observation] = []
        asks: list[tuple[str, str]] = []
        for one in self._told(list(wanted)):
            row = wanted.get(one.what.id)
            words = self._words(one.what)
            evidence = [*([row.span] if row else []), *words.evidence]
            observed.append(parse.video(one, words.files, evidence, files_told=words.whole))
            self._gaps += words.gaps
            counted = parse.comments_counted(one.what)
            if counted is None:
                asks.append((one.what.id, ""))
            elif not self._reach.narrowed:
                self._move(total=self._place.total + counted)
                if counted > self._place.tally.get(one.what.id, 0):
                    asks.append((one.what.id, ""))
        if not self._place.shut:
            self._move(videos=tuple(reversed(asks)))
        return observed

    def _told(self, names: Sequence[str]) -> list[Seen[Video]]:
        """These videos; those at which YouTube fails are left out."""
        answers, failed = self._asking.piecemeal(
            "a video", names, lambda some: videos(self._asking, some, owner=self._owner)
        )
        strange = [one for answer in answers for one in answer.unread]
        self._lacks_videos([*failed, *self._asking.gaps_of("a video", strange)])
        return [one for answer in answers for one in answer.items]

    def _lacks_videos(self, gaps: Sequence[Gap]) -> None:
        """Of a video that could not be read, the comments are not asked for either."""
        self._gaps += gaps
        if gaps:
            self._move(posts=False, threads=False)

    def _words(self, read: Video) -> Captions:
        """The captions of a video, where they are wanted and only the channel's own people can be told."""
        if self._captions == options.NO or not (self._owner or self._found.gaps):
            return Captions()
        has = read.content_details.caption if read.content_details else None
        known = self._place.captions.get(read.id, ())
        if has is None or not self._owner:
            return captions.as_known(known)
        if has != "true":
            return Captions()
        found = captions.read(self._asking, read.id, self._captions, known)
        self._move(captions={**self._place.captions, read.id: tuple(found.known)})
        return found

    def _by_themselves(self) -> Iterator[Batch]:
        """The comments of videos that are asked for by themselves, with what answers them."""
        yield from self._answers()
        while self._place.videos:
            *others, (video, token) = self._place.videos
            self._move(videos=tuple(others))
            with self._asking.about("comments", video) as asked:
                yield from self._of_one(video, token, others)
            if asked.gap is not None:
                self._gaps.append(asked.gap)
                self._move(videos=tuple(others), threads=False)
                yield self._batch()

    def _of_one(self, video: str, token: str, others: Sequence[tuple[str, str]]) -> Iterator[Batch]:
        """The comments of one video from `token` on; `others` wait behind it."""
        met: set[str] = set()
        while True:
            try:
                found = self._asking.threads({"videoId": video}, token)
            except NotGiven as refused:
                if self._forgotten(refused, video):
                    token = ""
                    met.clear()
                    continue
                # A video without comments is none that was missed; one that was removed meanwhile is the next pass's.
                if not (refused.comments_disabled or refused.not_found):
                    self._gaps.append(Gap(what="comments", why=refused.why, native_id=video))
                    self._move(threads=False)
                yield self._batch()
                return
            observed = self._met(found, video=video)
            following = found.following
            if following is not None:
                token = advanced(following, met, f"the comments of {video}")
                self._move(videos=(*others, (video, token)))
            else:
                self._move(videos=tuple(others))
            yield self._batch(observed)
            yield from self._answers()
            if following is None:
                return

    def _enough(self, rows: Sequence[Seen[Upload]]) -> bool:
        """Whether a pass that looks for what is new has seen enough of the uploads.

        Any other reads their list to its end: what was published long after it
        was uploaded may stand anywhere in it, and every video is to be named of
        which the comments of the span were shown.
        """
        return self._reach.is_lately(self._place.begun()) and self._reach.is_past(
            [_published(one.what) for one in rows]
        )

    def _shifts(self, total: int | None) -> None:
        before = self._place.uploads
        if before is not None and total is not None and total < before:
            self._move(shifted=True)
        self._move(uploads=total)
        if total is not None and total >= _LISTED_AT_MOST:
            self._move(posts=False)

    def _read_again(self) -> bool:
        """Whether the list of uploads begins anew because it has shifted; after some times it is said to be uncertain."""
        if not self._place.shifted:
            return False
        again = self._place.again + 1
        if again <= _TIMES_AGAIN:
            self._move(at="", ended=False, shifted=False, uploads=None, total=0, again=again)
            return True
        self._gaps.append(Gap(what="videos", why="videos were removed each time while their list was read"))
        self._move(posts=False)
        return False

    def _no_uploads(self, refused: NotGiven) -> None:
        """A channel that never published has no list of uploads; of any other it is missing."""
        statistics = self._found.seen.what.statistics
        counted = statistics.get("videoCount") if isinstance(statistics, dict) else None
        if not (refused.not_found and counted in {"0", 0}):
            self._gaps.append(Gap(what="videos", why=refused.why))
            self._move(posts=False)

    # -- how a pass goes on and ends -----------------------------------------------------------------------

    def _wait(self, root: str, thread: str, token: str) -> None:
        self._move(waiting=((root, thread, token), *self._place.waiting))

    def _lead(self, following: str | None, met: set[str], what: str) -> None:
        if following is None:
            self._move(at="", ended=True)
        else:
            self._move(at=advanced(following, met, what))

    def _begun_anew(self, refused: NotGiven, stage: str) -> bool:
        """Whether a list of the channel is to be read from its beginning again."""
        if not self._forgotten(refused, stage):
            return False
        self._move(at="")
        if stage == PUBLISHED:
            self._move(tally={})
        elif stage == UPLOADS:
            self._move(total=0, uploads=None, shifted=False)
        return True

    def _forgotten(self, refused: NotGiven, what: str) -> bool:
        """Whether a list was refused for the place in it, which YouTube keeps for a time only; once, it begins anew."""
        if not refused.token_forgotten:
            return False
        if what in self._anew:
            raise refused.later()
        self._anew.add(what)
        return True

    def _lacks(self, stage: str, refused: NotGiven) -> None:
        if refused.comments_disabled:
            # On the whole channel. A pass over everything asks the videos one by one, and each says how it is with it.
            self._move(threads=self._place.threads and not (stage == PUBLISHED and self._reach.narrowed))
            return
        if stage == PUBLISHED and refused.forbidden:
            self._move(shut=True)
        self._misses(stage, Gap(what=_TITLES[stage], why=refused.why))

    def _misses(self, stage: str, gap: Gap) -> None:
        self._gaps.append(gap)
        self._move(**({"threads": False} if stage == PUBLISHED else {"held": False}))

    def _ended(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches; the last one closes the pass."""
        last = yield from but_the_last(batches)
        assert last is not None, "a pass reads at least its uploads, or fails"
        yield self._closed(last)

    def _closed(self, last: Batch) -> Batch:
        """The last batch, with what it now is certain that everything was shown of."""
        place, listings, gaps = self._place, list(last.listings), list(last.gaps)
        exchange = len(last.exchanges) - 1
        if place.posts:
            listings.append(
                self._place.listing(
                    [Kind.POST],
                    exchange,
                    BOTH if self._owner else SHOWN,
                    self._reach.begins,
                    self._reach.ends,
                )
            )
        elif place.uploads is not None and place.uploads >= _LISTED_AT_MOST:
            why = f"YouTube lists about {_LISTED_AT_MOST} uploads of a channel, and counts {place.uploads}"
            gaps.append(Gap(what="videos", why=f"{why}: some may be left out"))
        if place.threads and not self._reach.narrowed:
            states = BOTH if self._owner and place.held else SHOWN
            of_comments = self._place.listing([Kind.COMMENT, Kind.REPLY], exchange, states)
            listings.append(replace(of_comments, stated_total=place.total if place.posts else None))
        return replace(
            last, listings=tuple(listings), gaps=tuple(gaps), resume_from=place.finished().cursor()
        )

    def _read_by_now(self, rows: Sequence[Seen[Upload]]) -> list[str]:
        """The videos of one answer but for those that wait for their captions; the channel itself at the end of the list."""
        names = [one.what.content_details.video_id for one in rows]
        here = [self._found.id] if self._place.ended else []
        return [*(one for one in names if one not in self._place.films), *here]

    def _of_videos(self, names: Sequence[str], exchange: int) -> list[Listing]:
        """In a pass over a span of time: that every comment of the span was shown, video by video.

        What answers a comment may be younger than the span that it was read
        for; only the comments that a video has itself are promised so.
        """
        if not self._reach.narrowed or not self._place.threads:
            return []
        states = BOTH if self._owner and self._place.held and not self._place.left else SHOWN
        return [
            replace(
                self._place.listing(
                    [Kind.COMMENT, Kind.REPLY], exchange, states, self._reach.begins, self._reach.ends
                ),
                in_reply_to=name,
            )
            for name in names
        ]

    def _under(self, name: str, states: Sequence[State]) -> Listing:
        return replace(
            self._place.listing([Kind.COMMENT, Kind.REPLY], self._asking.last, states), in_reply_to=name
        )

    def _batch(self, observed: Sequence[Observation] = (), listings: Sequence[Listing] = ()) -> Batch:
        gaps, self._gaps = self._gaps, []
        self._move(spent=self._asking.spent)
        return self._asking.batch(self._place.cursor(), observed, listings=listings, gaps=gaps)


def videos(asking: Asking, names: Sequence[str], *, owner: bool) -> Answer[Video]:
    """These videos, at most fifty. YouTube leaves out those that it does not show, and says nothing of them.

    Which file was uploaded the channel itself alone is told; where even that is
    refused, the videos are asked for without it. What cannot be read is known
    where one alone was asked for.
    """

    def told(parts: str) -> Answer[Video]:
        found: Answer[Video] = asking.many(
            "videos", "videoListResponse", Video, {"part": parts, "id": ",".join(names)}
        )
        asked = [one for one in found.items if one.what.id in names]
        strange = [
            Unread(None, one.span, f"it bears the id {one.what.id}, which was not asked for")
            for one in found.items
            if one.what.id not in names
        ]
        odd = [*found.unread, *strange]
        if len(names) == 1:
            odd = [replace(one, id=names[0]) for one in odd]
        return replace(found, items=asked, unread=odd)

    if not owner or asking.files_refused:
        return told(VIDEO_PARTS)
    try:
        return told(f"{VIDEO_PARTS},fileDetails")
    except NotGiven as refused:
        if not refused.forbidden:
            raise
        asking.files_refused = True
        return told(VIDEO_PARTS)


def advanced(following: str, met: set[str], what: str) -> str:
    """What to ask with next; an error where the list has led there before."""
    if following in met:
        raise UnexpectedResponse(f"YouTube leads on to where it has led before: {what} have no end.")
    met.add(following)
    return following


def _begun(read: Thread) -> datetime | None:
    return moment(read.snippet.top_level_comment.snippet.published_at)


def _published(row: Upload) -> datetime | None:
    """When a video was published; one that is not public bears no time in the list."""
    return moment(row.content_details.video_published_at)
