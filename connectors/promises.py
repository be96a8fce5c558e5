"""What every connector promises, as tests: it ships, so that connectors written elsewhere run the same ones.

Subclass `ConnectorPromises`, say how a platform is started and how the
connector is made, and name the class so that pytest collects it:

    class TestGazette(ConnectorPromises):
        def world(self):
            return GazetteWorld()

        def connector(self, client):
            return Gazette(client, {"token": GazetteWorld.token})

The world is a real server on loopback with a small, known history; the client
is the real evidence client. What a world cannot do it declares in `cannot`,
with the reason; the promise is then skipped and shows that reason. What a
connector need not offer (to narrow a pass, a family, a check, a stream) is
promised only by those that offer it; a world that can be listened to is a
`StreamingWorld`.

In the `conftest.py` beside the tests, `pytest.register_assert_rewrite("connectors.promises")`
makes failures show their values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import product
from json import dumps, loads
from threading import Thread
from typing import Any, Protocol, TypeVar, cast, runtime_checkable
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from connectors import spans
from connectors.contract import (
    Batch,
    Checks,
    Client,
    Connector,
    Cursor,
    Exchange,
    Families,
    Finding,
    Gap,
    Kind,
    Listing,
    Observation,
    Page,
    Span,
    State,
    Streams,
)
from connectors.errors import AccessRevoked, ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.failing import AGAIN
from connectors.http import EvidenceClient, Manners, with_params
from connectors.secrets import PUBLIC_NAMES

Answer = TypeVar("Answer")

_SHORT = 4
"""Numbers no longer than this stand in words by chance."""
MOST_QUESTIONS = 2000
"""More questions than this in one pass of a small world are taken for a loop."""

_FAILING = 500

MOST_STREAMS = 20
"""A connector that opens a stream of a small world more often than this does not end it by an error."""


class World(Protocol):
    """A platform that runs on loopback, with a small known history, and does on request what platforms do.

    Each trouble begins after `after` more answers and lasts until `recover()`.
    The history SHOULD need several answers to read, so that a pass can be
    broken off in its midst.
    """

    @property
    def base(self) -> str:
        """Its address, such as "http://127.0.0.1:40001"; this host and port may be asked."""
        ...

    @property
    def page(self) -> Page:
        """The page to observe."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]:
        """The page's secrets by name, as the connector is given them; none where the page is public."""
        ...

    @property
    def client_options(self) -> Mapping[str, Any]:
        """More arguments for the evidence client; mostly none."""
        ...

    @property
    def cannot(self) -> Mapping[str, str]:
        """The names of those methods below that this world cannot do, each with the reason."""
        ...

    def shows(self) -> Collection[str]:
        """The native ids of everything that the page shows to this connector now."""
        ...

    def publish(self) -> str:
        """Somebody publishes one more item; its native id."""
        ...

    def edit(self) -> str:
        """The words of one item are changed; its native id."""
        ...

    def remove(self) -> str:
        """One item is removed; its native id."""
        ...

    def recount(self) -> None:
        """Likes and views change, and nothing else."""
        ...

    def expire(self) -> None:
        """The addresses of attachments are handed out anew; the files stay the same."""
        ...

    def throttle(self, after: int) -> timedelta | None:
        """Too many requests; the delay that the platform asks for, if it names one."""
        ...

    def sign_in(self, after: int) -> None:
        """A page in HTML that asks to sign in stands in place of every answer, with status 200."""
        ...

    def cut(self, after: int) -> None:
        """Every answer breaks off in its midst."""
        ...

    def fail(self, after: int) -> None:
        """The platform answers 500."""
        ...

    def revoke(self, after: int) -> None:
        """Our credentials are no longer accepted."""
        ...

    def loop(self) -> None:
        """Every page of a listing names the same next page, without end."""
        ...

    def recover(self) -> None:
        """All trouble is over."""
        ...


@runtime_checkable
class StreamingWorld(Protocol):
    """A world whose platform tells of what happens while somebody listens.

    What `publish`, `edit` and `remove` do is told to every listener. One that
    its streams do not tell of is declared in `cannot` under "stream_publish",
    "stream_edit" or "stream_remove".
    """

    def await_listener(self) -> None:
        """Return when somebody listens; raise when nobody comes within a few seconds."""
        ...

    def hang_up(self) -> None:
        """The platform ends every open stream, after everything that it has to tell."""
        ...


@dataclass
class Pass:
    """What one call of `observe`, `look`, `family` or `listen` yielded, and how it ended."""

    batches: list[Batch] = field(default_factory=list)
    error: ConnectorError | None = None
    answers: list[Exchange] = field(default_factory=list)

    @property
    def observations(self) -> list[Observation]:
        return [item for batch in self.batches for item in batch.observations]

    @property
    def listings(self) -> list[Listing]:
        return [listing for batch in self.batches for listing in batch.listings]

    @property
    def last(self) -> Cursor:
        return self.batches[-1].resume_from

    def latest(self) -> dict[str, Observation]:
        """Each item as it was observed last."""
        return {item.native_id: item for item in self.observations}

    def concluded(self) -> list[tuple[str, State]]:
        """Every state that was told of an item."""
        sightings = [(one.native_id, one.state) for batch in self.batches for one in batch.sightings]
        return [*((item.native_id, item.state) for item in self.observations), *sightings]

    def then(self, later: Pass) -> Pass:
        """This pass, gone on with by `later`."""
        return Pass([*self.batches, *later.batches], later.error, [*self.answers, *later.answers])


class ConnectorPromises(ABC):
    """One promise a test. Subclass it, once for each way in which the connector is used."""

    @abstractmethod
    def world(self) -> AbstractContextManager[World]:
        """A platform that was just started; it ends with its context."""

    @abstractmethod
    def connector(self, client: Client) -> Connector:
        """The connector, made with `client` and the world's secrets."""

    # -- what is yielded -----------------------------------------------------------------------------------

    def test_everything_that_the_page_shows_is_observed(self) -> None:
        with self.world() as world:
            seen = self._whole(world)
            assert world.shows(), "the world has no history: nothing can be promised about it"
            assert set(world.shows()) <= set(seen.latest()), "the page shows items that were not observed"

    def test_a_pass_of_a_small_world_takes_several_batches_so_that_it_can_be_broken_off(self) -> None:
        with self.world() as world:
            assert len(self._whole(world).batches) > 1

    def test_every_answer_is_carried_by_a_batch(self) -> None:
        with self.world() as world:
            seen = self._whole(world)
            kept = [id(exchange) for batch in seen.batches for exchange in batch.exchanges]
            assert seen.answers, "nothing was asked"
            assert all(id(answer) in kept for answer in seen.answers), (
                "an answer was read and not handed over as evidence"
            )

    def test_no_exchange_is_handed_over_twice_in_a_pass(self) -> None:
        with self.world() as world:
            whole = self._whole(world)
            passes = [whole]
            if callable(getattr(self.connector(_Recorder(_client(world, self._clock))), "family", None)):
                passes += [self._family(world, root) for root, _ in _families(whole)]
            for seen in passes:
                kept = [exchange for batch in seen.batches for exchange in batch.exchanges]
                assert len(kept) == len({id(exchange) for exchange in kept}), (
                    "an exchange was handed over with two batches: what was asked once would be kept as asked twice"
                )
                # A copy is the same exchange: no two begin at one moment of this clock, but the messages of a stream.
                asked = {(exchange.started_at, exchange.url, exchange.message) for exchange in kept}
                assert len(kept) == len(asked), "a copy of an exchange was handed over as another one"

    def test_what_points_to_an_exchange_points_into_its_own_batch(self) -> None:
        with self.world() as world:
            for batch in self._whole(world).batches:
                indexes = [
                    *(span.exchange for item in batch.observations for span in item.evidence),
                    *(sighting.exchange for sighting in batch.sightings),
                    *(listing.exchange for listing in batch.listings),
                ]
                assert all(0 <= index < len(batch.exchanges) for index in indexes)

    def test_every_observation_names_its_bytes_and_they_lie_inside_the_body(self) -> None:
        with self.world() as world:
            for batch in self._whole(world).batches:
                for item in batch.observations:
                    assert item.evidence, f"{item.native_id} names no evidence"
                    for span in item.evidence:
                        body = batch.exchanges[span.exchange].body
                        assert 0 <= span.start < span.end <= len(body), (
                            f"{item.native_id}: {span} of {len(body)} bytes"
                        )

    def test_spans_are_nested_apart_or_the_same_and_never_overlap_partly(self) -> None:
        with self.world() as world:
            for batch in self._whole(world).batches:
                spans = {span for item in batch.observations for span in item.evidence}
                for first, second in _overlapping(spans):
                    raise AssertionError(f"{first} and {second} overlap partly: whose bytes are these?")

    def test_every_item_has_bytes_that_no_other_item_names(self) -> None:
        with self.world() as world:
            for batch in self._whole(world).batches:
                named: dict[Span, set[str]] = {}
                for item in batch.observations:
                    for span in item.evidence:
                        named.setdefault(span, set()).add(item.native_id)
                own = {name for names in named.values() if len(names) == 1 for name in names}
                lacking = {item.native_id for item in batch.observations} - own
                assert not lacking, (
                    f"{lacking} have no bytes of their own: disposing of one would take the others along"
                )

    def test_every_time_carries_its_zone(self) -> None:
        with self.world() as world:
            times = list(_times(self._whole(world).batches))
            assert times, "no time was observed"
            assert all(time.utcoffset() is not None for time in times)

    def test_comments_name_what_they_answer(self) -> None:
        with self.world() as world:
            answers = [
                item for item in self._whole(world).observations if item.kind in {Kind.COMMENT, Kind.REPLY}
            ]
            assert all(item.in_reply_to not in {None, "", item.native_id} for item in answers)

    def test_the_same_bytes_give_the_same_observations(self) -> None:
        with self.world() as world:
            recorder = _Recorder(_client(world, self._clock))
            first = self._run(recorder, lambda connector: connector.observe(world.page, None))
            assert first.error is None
        again = self._run(recorder.replay(), lambda connector: connector.observe(world.page, None))
        assert again.error is None
        assert again.batches == first.batches

    # -- resuming ------------------------------------------------------------------------------------------

    def test_resuming_from_any_cursor_misses_nothing(self) -> None:
        with self.world() as world:
            whole = self._whole(world)
            for taken in range(1, len(whole.batches)):
                before = self._observe(world, most=taken)
                resumed = before.then(self._observe(world, since=before.last))
                assert resumed.error is None
                missed = set(whole.latest()) - set(resumed.latest())
                assert not missed, f"resuming after batch {taken} misses {missed}"
                self._listings_are_true(resumed, whole)

    def test_the_last_cursor_of_a_pass_begins_the_next_which_sees_what_is_new(self) -> None:
        with self.world() as world:
            before = self._whole(world)
            new = self._does(world, "publish", world.publish)
            assert new not in before.latest()
            assert new in self._whole(world, before.last).latest(), (
                "what was published since the last pass was not seen"
            )

    # -- what changes on the page --------------------------------------------------------------------------

    def test_an_edit_is_observed(self) -> None:
        with self.world() as world:
            before = self._whole(world)
            edited = self._does(world, "edit", world.edit)
            after = self._whole(world, before.last)
            assert edited in after.latest(), "the edited item was not seen again"
            assert _version(before.latest()[edited]) != _version(after.latest()[edited])

    def test_a_removal_is_observed_as_the_platform_shows_it(self) -> None:
        with self.world() as world:
            before = self._whole(world)
            removed = self._does(world, "remove", world.remove)
            known = before.latest()[removed]
            after = self._whole(world, before.last)
            assert (removed, State.PRESENT) not in after.concluded(), "a removed item was told to be present"
            missing = any(_covers(listing, known) for listing in after.listings)
            told = removed in {name for name, _ in after.concluded()}
            assert missing or told, "nothing tells that the item is no longer there"
            looked = self._look(world, [known])
            assert looked.error is None
            for batch in looked.batches:
                for sighting in batch.sightings:
                    assert sighting.native_id == removed, "an item was sighted that nobody asked for"
                    assert sighting.state is not State.PRESENT
                    assert sighting.state is not State.ABSENT, "only a listing can lack something"
                    if sighting.state is State.GONE:
                        assert sighting.reason, "gone needs the platform's own word for it"
                        assert batch.exchanges[sighting.exchange].status not in _PROVES_NOTHING

    def test_what_is_still_there_is_not_told_to_be_gone(self) -> None:
        with self.world() as world:
            items = [item for item in self._whole(world).latest().values() if item.state is State.PRESENT]
            looked = self._look(world, items)
            assert looked.error is None
            assert not {state for _, state in looked.concluded()} & {State.GONE, State.ABSENT}

    def test_counts_that_change_alone_make_no_new_version(self) -> None:
        with self.world() as world:
            before = self._whole(world).latest()
            self._does(world, "recount", world.recount)
            after = self._whole(world).latest()
            assert {name: item.counts for name, item in before.items()} != {
                name: item.counts for name, item in after.items()
            }
            assert {name: _version(item) for name, item in before.items()} == {
                name: _version(item) for name, item in after.items()
            }

    def test_an_attachment_keeps_its_id_when_its_address_expires(self) -> None:
        with self.world() as world:
            before = self._whole(world).latest()
            self._does(world, "expire", world.expire)
            after = self._whole(world).latest()
            assert _attachments(before), "the world shows no attachments"
            assert [file.id for file in _attachments(before)] == [file.id for file in _attachments(after)]
            assert [file.url for file in _attachments(before)] != [file.url for file in _attachments(after)]
            assert {name: _version(item) for name, item in before.items()} == {
                name: _version(item) for name, item in after.items()
            }

    def test_a_page_that_shifts_while_it_is_paged_misses_nothing(self) -> None:
        for hook in ("publish", "remove"):
            with self.world() as world:
                _or_skip(world, hook)
                answers = len(self._whole(world).answers)
            for after in sorted({1, answers // 2, answers - 1} - {0}):
                self._shifts(hook, after)

    # -- a part of the page --------------------------------------------------------------------------------

    def test_a_narrowed_pass_observes_what_lies_inside_and_misses_nothing_outside(self) -> None:
        with self.world() as world:
            whole = self._whole(world)
            for since, until in _parts(whole):
                inside = {
                    name for name, item in whole.latest().items() if _within(item.published_at, since, until)
                }
                seen = self._observe(world, page=_narrowed(world.page, since, until))
                told = f"from {since} until {until}"
                assert seen.error is None, f"{told}: {seen.error!r}"
                missed = inside - set(seen.latest())
                assert not missed, f"{told}: {missed} lie inside and were not observed"
                outside = [
                    name
                    for name, state in seen.concluded()
                    if name not in inside and state in {State.GONE, State.ABSENT}
                ]
                assert not outside, f"{told}: {outside} lie outside and were told to be missing"
                self._listings_are_true(seen, whole)

    def test_a_narrowed_pass_is_resumed_from_any_cursor_and_misses_nothing_inside(self) -> None:
        with self.world() as world:
            whole = self._whole(world)
            since, until = _parts(whole)[0]
            page = _narrowed(world.page, since, until)
            undisturbed = self._observe(world, page=page)
            inside = {
                name for name, item in whole.latest().items() if _within(item.published_at, since, until)
            }
            for taken in range(1, len(undisturbed.batches)):
                before = self._observe(world, most=taken, page=page)
                resumed = before.then(self._observe(world, before.last, page=page))
                assert resumed.error is None
                missed = inside - set(resumed.latest())
                assert not missed, f"resuming after batch {taken} misses {missed}"
                self._listings_are_true(resumed, whole)

    def test_narrowed_passes_that_follow_one_another_miss_nothing_inside_any_of_their_spans(self) -> None:
        """What a pass was told already it need not tell again; what lies where none before it reached, it must."""
        with self.world() as world:
            whole = self._whole(world)
            last: Cursor | None = None
            told: set[str] = set()
            for since, until in _parts(whole):
                inside = {
                    name for name, item in whole.latest().items() if _within(item.published_at, since, until)
                }
                seen = self._observe(world, last, page=_narrowed(world.page, since, until))
                assert seen.error is None, f"from {since} until {until}: {seen.error!r}"
                told |= set(seen.latest())
                assert inside <= told, (
                    f"{inside - told} lie from {since} until {until}, and neither this pass nor one before observed them"
                )
                last = seen.last

    def test_a_pass_that_narrows_asks_less_than_the_whole(self) -> None:
        with self.world() as world:
            if not self.connector(_Recorder(_client(world, self._clock))).manifest.narrows:
                pytest.skip("the connector does not narrow: it reads everything, whatever is asked")
            whole = self._whole(world)
            newest = max(item.published_at for item in whole.observations if item.published_at is not None)
            seen = self._observe(world, page=_narrowed(world.page, newest, None))
            assert seen.error is None
            assert len(seen.answers) < len(whole.answers), "narrowing saved nothing"

    # -- one post with what answers it ---------------------------------------------------------------------

    def test_a_family_is_its_root_with_everything_that_answers_it(self) -> None:
        with self.world() as world:
            whole = self._whole(world)
            for root, members in _families(whole):
                seen = self._family(world, root)
                assert seen.error is None, f"the family of {root}: {seen.error!r}"
                missed = members - set(seen.latest())
                assert not missed, f"the family of {root} lacks {missed}"

    def test_the_listings_of_a_family_are_true_and_there_is_one_for_each_item_that_is_answered(self) -> None:
        with self.world() as world:
            whole = self._whole(world)
            for root, members in _families(whole):
                seen = self._family(world, root)
                self._listings_are_true(seen, whole)
                assert all(listing.in_reply_to is not None for listing in seen.listings), (
                    "a family's listing speaks of more than the family"
                )
                answered = {
                    item.in_reply_to for name, item in whole.latest().items() if name in members - {root}
                }
                listed = {listing.in_reply_to for listing in seen.listings}
                assert _gaps(seen) or answered <= listed, (
                    f"no listing, and no gap, for the answers to {answered - listed}"
                )

    def test_trouble_while_a_family_is_observed_proves_no_removal(self) -> None:
        with self.world() as world:
            _or_skip(world, "fail")
            whole = self._whole(world)
            root, _ = _families(whole)[0]
            for after in range(len(self._family(world, root).answers)):
                world.fail(after=after)
                broken = self._family(world, root)
                assert broken.error is not None or _gaps(broken), (
                    f"an outage after {after} answers: the family ended as if all had been seen"
                )
                if broken.error is not None:
                    self._says_so(broken.error, (TryAgainLater,), None, f"fail after {after} answers")
                self._proves_nothing(broken, whole)
                world.recover()

    # -- a check of the connection -------------------------------------------------------------------------

    def test_a_check_says_how_things_stand_and_what_to_do_where_they_do_not(self) -> None:
        with self.world() as world:
            findings = self._checked(world)
            assert findings, "the check found nothing, not even that all is well"
            for finding in findings:
                assert finding.what, "a finding says of what"
                assert finding.fine == (not finding.remedy), (
                    f"{finding.what}: what is not fine needs a remedy, and nothing else does"
                )

    def test_a_check_says_that_credentials_were_revoked_and_raises_nothing(self) -> None:
        with self.world() as world:
            _or_skip(world, "revoke")
            self._checked(world)
            world.revoke(after=0)
            try:
                wrong = [finding for finding in self._checked(world) if not finding.fine]
            except ConnectorError as error:
                raise AssertionError(f"revoked credentials are to be found, not raised: {error!r}") from error
            assert wrong, "our credentials were refused, and the check found all well"
            assert all(finding.remedy for finding in wrong), "nobody is told what to do"

    # -- a stream ------------------------------------------------------------------------------------------

    def test_a_stream_tells_of_what_is_published(self) -> None:
        told, name, _ = self._heard("publish")
        assert (name, State.PRESENT) in told.concluded(), "what was published was not told"

    def test_a_stream_tells_of_an_edit(self) -> None:
        told, name, whole = self._heard("edit")
        assert name in told.latest(), "what was edited was not told"
        assert _version(whole.latest()[name]) != _version(told.latest()[name])

    def test_a_stream_tells_of_a_removal(self) -> None:
        told, name, _ = self._heard("remove")
        states = [state for told_of, state in told.concluded() if told_of == name]
        assert states, "what was removed was not told"
        assert State.PRESENT not in states, "a removed item was told to be present"
        assert State.ABSENT not in states, "only a listing can lack something, and a stream has none"

    def test_a_stream_promises_no_listing_and_hands_over_every_message(self) -> None:
        told, _, _ = self._heard("publish")
        assert not told.listings, "a stream cannot know what it was not told"
        kept = [id(exchange) for batch in told.batches for exchange in batch.exchanges]
        assert all(id(answer) in kept for answer in told.answers), (
            "a message was read and not handed over as evidence"
        )

    def test_a_stream_ends_when_it_is_closed(self) -> None:
        with self.world() as world:
            streaming = self._streaming(world)
            _or_skip(world, "publish", "stream_publish")
            recorder = _Recorder(_client(world, self._clock))
            acting = self._acting(streaming, lambda: (world.publish(), world.publish()))
            stream = cast(Streams, self.connector(recorder)).listen(world.page, None)
            try:
                first = next(stream)
                assert first.exchanges
                assert isinstance(stream, Generator), "a stream that cannot be closed goes on"
                stream.close()
                assert next(stream, None) is None, "a stream that was closed goes on"
            finally:
                acting.join()
                streaming.hang_up()
                recorder.close()

    # -- listings ------------------------------------------------------------------------------------------

    def test_a_listing_names_the_exchange_that_shows_it_and_began_no_later(self) -> None:
        with self.world() as world:
            seen = self._whole(world)
            for batch in seen.batches:
                for listing in batch.listings:
                    assert listing.began_at <= batch.exchanges[listing.exchange].started_at
            self._listings_are_true(seen, seen)

    # -- trouble -------------------------------------------------------------------------------------------

    def test_a_throttle_means_later_and_proves_no_removal(self) -> None:
        self._trouble("throttle", TryAgainLater)

    def test_an_outage_means_later_and_proves_no_removal(self) -> None:
        self._trouble("fail", TryAgainLater)

    def test_a_page_that_asks_to_sign_in_is_unexpected_and_proves_no_removal(self) -> None:
        self._trouble("sign_in", UnexpectedResponse, AccessRevoked)

    def test_an_answer_that_breaks_off_is_an_error_and_proves_no_removal(self) -> None:
        self._trouble("cut", UnexpectedResponse, TryAgainLater)

    def test_credentials_that_are_refused_mean_that_access_was_revoked(self) -> None:
        self._trouble("revoke", AccessRevoked)

    def test_a_listing_that_never_ends_is_an_error_or_the_gap_of_one_object(self) -> None:
        with self.world() as world:
            whole = self._whole(world)
            self._does(world, "loop", world.loop)
            seen = self._observe(world)
            assert isinstance(seen.error, UnexpectedResponse) or (
                seen.error is None and any(gap.why.endswith(AGAIN) for gap in _newly(seen, whole))
            ), f"a listing without end was ended by {seen.error!r}"
            self._proves_nothing(seen, whole)

    # -- an object that fails ------------------------------------------------------------------------------

    def test_an_object_at_which_the_platform_fails_for_ever_keeps_no_other_from_being_read(self) -> None:
        """Each question of a pass fails in turn. Either it ends the pass, or what stands behind it is read all the same."""
        self._questions_in_turn("500", _failed, (TryAgainLater,))

    def test_an_object_of_which_the_platform_tells_what_nobody_can_read_keeps_no_other_from_being_read(
        self,
    ) -> None:
        """Each question of a pass is answered with something unreadable in turn. Either it ends the pass, or what stands behind it is read all the same."""
        self._questions_in_turn("what nobody can read", _unreadable, (UnexpectedResponse,))

    def test_an_item_of_another_shape_in_a_list_keeps_neither_those_beside_it_nor_those_behind_it_from_being_read(
        self,
    ) -> None:
        """One item of each list is told in another shape in turn. The pass goes on; what is missed is that item and what lies below it, and it is a gap.

        What a list of one introduces the page by MAY end the pass.
        """
        with self.world() as world:
            recorder = _Recorder(_client(world, self._clock))
            whole = self._run(recorder, lambda connector: connector.observe(world.page, None))
            assert whole.error is None, f"an undisturbed pass failed: {whole.error!r}"
            for (question, place, items), strange in product(_listed(whole, recorder), _OTHER_SHAPES):
                how = _told_as(place, strange)
                failing = _Recorder(_client(world, self._clock), fails=question, how=how)
                seen = self._run(failing, lambda connector: connector.observe(world.page, None))
                if not failing.failed:
                    continue  # asked otherwise, it was told
                told = f"{strange.__name__} for bytes {place[0]} to {place[1]} of {question}, which show {sorted(items)}"
                self._proves_nothing(seen, whole)
                kinds = {whole.latest()[name].kind for name in items}
                if isinstance(seen.error, UnexpectedResponse) and kinds == {Kind.PROFILE}:
                    continue
                assert seen.error is None, f"{told}: {seen.error!r}"
                missed = set(whole.latest()) - set(seen.latest())
                beyond = missed - _below(items, whole)
                assert not beyond, f"{told}: {beyond} lie beside it or behind it, and were not read"
                assert not missed or _newly(seen, whole), f"{told}: {missed} is no gap"
                again = _Recorder(_client(world, self._clock), fails=question, how=how)
                self._passes_over(world, again, seen, whole, told)

    def test_a_family_at_which_the_platform_fails_is_a_gap_and_proves_nothing(self) -> None:
        """Each question of a family fails in turn. What is asked of the page as well, whatever the family, may end it."""
        with self.world() as world:
            whole = self._whole(world)
            asked: dict[str, list[str]] = {}
            for root, _ in _families(whole):
                recorder = _Recorder(_client(world, self._clock))
                assert self._family(world, root, recorder).error is None
                asked[root] = [one for one in dict.fromkeys(recorder.questions) if one]
            for root, questions in asked.items():
                others = [one for name, one in asked.items() if name != root] or [questions]
                for question in questions:
                    failing = _Recorder(_client(world, self._clock), fails=question)
                    seen = self._family(world, root, failing)
                    self._proves_nothing(seen, whole)
                    if any(question not in one for one in others):
                        assert seen.error is None, (
                            f"500 for {question}, which is asked of {root} alone: {seen.error!r}"
                        )

    def test_an_item_at_which_the_platform_fails_is_unknown_or_a_gap_and_all_others_are_told_how_they_stand(
        self,
    ) -> None:
        with self.world() as world:
            whole = self._whole(world)
            items = list(whole.latest().values())
            recorder = _Recorder(_client(world, self._clock))
            told = {name for name, _ in self._look(world, items, recorder).concluded()}
            for question in dict.fromkeys(filter(None, recorder.questions)):
                failing = _Recorder(_client(world, self._clock), fails=question)
                seen = self._look(world, items, failing)
                self._proves_nothing(seen, whole)
                if seen.error is not None:
                    self._says_so(seen.error, (TryAgainLater,), None, f"looking, 500 for {question}")
                elif failing.failed:
                    untold = told - {name for name, _ in seen.concluded()} - _about(_gaps(seen), whole)
                    assert not untold, f"looking, 500 for {question}: nothing is told of {untold}"

    def _questions_in_turn(
        self, what: str, fails: Callable[[Exchange], Exchange], expected: tuple[type[ConnectorError], ...]
    ) -> None:
        with self.world() as world:
            recorder = _Recorder(_client(world, self._clock))
            whole = self._run(recorder, lambda connector: connector.observe(world.page, None))
            assert whole.error is None, f"an undisturbed pass failed: {whole.error!r}"
            for question in dict.fromkeys(filter(None, recorder.questions)):
                failing = _Recorder(_client(world, self._clock), fails=question, how=fails)
                seen = self._run(failing, lambda connector: connector.observe(world.page, None))
                told = f"{what} for {question}"
                self._proves_nothing(seen, whole)
                if seen.error is not None:
                    self._says_so(seen.error, expected, None, told)
                elif failing.failed:
                    again = _Recorder(_client(world, self._clock), fails=question, how=fails)
                    self._passes_over(world, again, seen, whole, told)

    def _passes_over(self, world: World, again: _Recorder, seen: Pass, whole: Pass, told: str) -> None:
        """A pass that went on behind an object that fails: nothing else is missed, and the next pass reads it."""
        missed = set(whole.latest()) - set(seen.latest())
        if not _gaps(seen):
            assert not missed, f"{told}: the pass ended as if all had been seen, without {missed}"
            return  # asked otherwise, it was told
        beyond = missed - _about(_gaps(seen), whole)
        assert not beyond, f"{told}: {beyond} belong to nothing that failed, and were not read"
        first = next(place for place, batch in enumerate(seen.batches) if batch.gaps)
        broken = Pass(seen.batches[: first + 1])
        resumed = broken.then(self._run(again, lambda connector: connector.observe(world.page, broken.last)))
        assert resumed.error is None, f"{told}, broken off behind it and gone on with: {resumed.error!r}"
        self._listings_are_true(resumed, whole)
        lacking = set(seen.latest()) - set(resumed.latest())
        assert not lacking, f"{told}: broken off behind it and gone on with, the pass misses {lacking}"
        later = seen.then(self._whole(world, seen.last))
        self._listings_are_true(later, whole)
        left = set(whole.latest()) - set(later.latest())
        assert not left, f"{told}, then well again: the next pass misses {left}"

    # -- secrets -------------------------------------------------------------------------------------------

    def test_no_secret_is_in_anything_that_was_yielded(self) -> None:
        with self.world() as world:
            if not world.secrets:
                pytest.skip("this world's page is public: the connector is given no secret")
            whole = self._whole(world)
            assert any(exchange.replaced for exchange in whole.answers), (
                "no secret was ever sent: nothing is shown by this"
            )
            passes = [whole, self._look(world, list(whole.latest().values()))]
            for trouble in _TROUBLES - world.cannot.keys():
                getattr(world, trouble)(after=1)
                passes.append(self._observe(world))
                world.recover()
            for seen in passes:
                for said in _said(seen):
                    for name, form in _forms(world.secrets):
                        assert form not in said, f"the secret {name!r} was yielded"

    # -- how promises are kept -----------------------------------------------------------------------------

    @cached_property
    def _clock(self) -> _Ticking:
        """One clock for all passes of one test."""
        return _Ticking()

    def _whole(self, world: World, since: Cursor | None = None) -> Pass:
        """A pass that nothing disturbs; it MUST end well."""
        seen = self._observe(world, since)
        assert seen.error is None, f"an undisturbed pass failed: {seen.error!r}"
        assert seen.observations, "nothing was observed"
        return seen

    def _observe(
        self,
        world: World,
        since: Cursor | None = None,
        most: int | None = None,
        page: Page | None = None,
        before: Callable[[int], None] | None = None,
    ) -> Pass:
        return self._run(
            _Recorder(_client(world, self._clock), before),
            lambda connector: connector.observe(page or world.page, since),
            most,
        )

    def _family(self, world: World, root: str, recorder: _Recorder | None = None) -> Pass:
        recorder = recorder or _Recorder(_client(world, self._clock))
        self._or_not_offered(recorder, "family", "observe a post alone with what answers it")
        return self._run(recorder, lambda connector: cast(Families, connector).family(world.page, root))

    def _checked(self, world: World) -> list[Finding]:
        recorder = _Recorder(_client(world, self._clock))
        self._or_not_offered(recorder, "check", "check a page's connection")
        try:
            return list(cast(Checks, self.connector(recorder)).check(world.page))
        finally:
            recorder.close()

    def _heard(self, hook: str) -> tuple[Pass, str, Pass]:
        """What a stream told while something happened; of what; and the page as it stood before."""
        with self.world() as world:
            streaming = self._streaming(world)
            _or_skip(world, hook, f"stream_{hook}")
            whole = self._whole(world)
            names: list[str] = []

            def act() -> None:
                try:
                    names.append(getattr(world, hook)())
                finally:
                    streaming.hang_up()

            acting = self._acting(streaming, act)
            try:
                told = self._run(
                    _Recorder(_client(world, self._clock)),
                    lambda connector: cast(Streams, connector).listen(world.page, None),
                )
            finally:
                acting.join()
            assert names, "nobody listened"
            assert told.batches, "nothing was told"
            assert told.error is None or isinstance(told.error, TryAgainLater), repr(told.error)
            for said in _said(told):
                for name, form in _forms(world.secrets):
                    assert form not in said, f"the secret {name!r} was yielded"
            return told, names[0], whole

    def _streaming(self, world: World) -> StreamingWorld:
        self._or_not_offered(_Recorder(_client(world, self._clock)), "listen", "listen to a stream")
        if not isinstance(world, StreamingWorld):
            pytest.skip(f"{type(world).__name__} has no stream to listen to")
        return world

    def _acting(self, streaming: StreamingWorld, act: Callable[[], object]) -> Thread:
        """Something happens on the page as soon as somebody listens."""

        def when_heard() -> None:
            streaming.await_listener()
            act()

        acting = Thread(target=when_heard)
        acting.start()
        return acting

    def _or_not_offered(self, recorder: _Recorder, method: str, does: str) -> None:
        connector = self.connector(recorder)
        if not callable(getattr(connector, method, None)):
            recorder.close()
            pytest.skip(f"{connector.manifest.name} does not offer to {does}")

    def _shifts(self, hook: str, after: int) -> None:
        """Something happens on the page after some of its answers; what was there all the time is missed by nobody."""
        with self.world() as world:
            whole = self._whole(world)
            shown, happened = set(world.shows()), []

            def before(question: int) -> None:
                if question == after:
                    happened.append(getattr(world, hook)())

            seen = self._observe(world, before=before)
            told = f"{hook} after {after} answers"
            assert happened, f"{told}: the pass asked less than the one before"
            assert seen.error is None, f"{told}: {seen.error!r}"
            stayed = shown & set(world.shows())
            missed = stayed - set(seen.latest())
            assert not missed, f"{told}: {missed} were there all the time and were not observed"
            removed = [
                name
                for name, state in seen.concluded()
                if name in stayed and state in {State.GONE, State.ABSENT}
            ]
            assert not removed, f"{told}: {removed} are still there and were told to be missing"
            self._listings_are_true(seen, whole, of=stayed)
            later = seen.then(self._whole(world, seen.last))
            lacking = set(world.shows()) - set(later.latest())
            assert not lacking, f"{told}: the next pass misses {lacking}"

    def _look(self, world: World, items: Sequence[Observation], recorder: _Recorder | None = None) -> Pass:
        ids = [(item.kind, item.native_id) for item in items]
        return self._run(
            recorder or _Recorder(_client(world, self._clock)),
            lambda connector: connector.look(world.page, ids),
        )

    def _run(
        self,
        client: _Recorder | _Replay,
        begin: Callable[[Connector], Iterator[Batch]],
        most: int | None = None,
    ) -> Pass:
        seen = Pass()
        try:
            for batch in begin(self.connector(client)):
                seen.batches.append(batch)
                if most is not None and len(seen.batches) == most:
                    break
        except ConnectorError as error:
            seen.error = error
        finally:
            client.close()
        seen.answers = client.answers
        return seen

    def _does(self, world: World, hook: str, act: Callable[[], Answer]) -> Answer:
        _or_skip(world, hook)
        return act()

    def _trouble(self, hook: str, *expected: type[ConnectorError]) -> None:
        """Break a pass off at each of its answers in turn; whatever it yielded stays true, and going on misses nothing."""
        with self.world() as world:
            _or_skip(world, hook)
            whole = self._whole(world)
            items = list(whole.latest().values())
            for after in range(len(whole.answers)):
                delay = getattr(world, hook)(after=after)
                broken = self._observe(world)
                told = f"{hook} after {after} answers"
                assert broken.error is not None or _newly(broken, whole), (
                    f"{told}: the pass ended as if all had been seen"
                )
                if after == 0:
                    assert broken.error is not None, f"{told}: nothing could be read, and no error was raised"
                if broken.error is not None:
                    self._says_so(broken.error, expected, delay, told)
                self._proves_nothing(broken, whole)
                world.recover()
                if broken.batches and broken.error is not None:
                    resumed = broken.then(self._observe(world, broken.last))
                    assert resumed.error is None, f"{told}, then well again: {resumed.error!r}"
                    self._listings_are_true(resumed, whole)
                    if _passed_over(broken, whole):
                        resumed = resumed.then(self._whole(world, resumed.last))
                    missed = set(whole.latest()) - set(resumed.latest())
                    assert not missed, f"{told}: going on afterwards misses {missed}"
            getattr(world, hook)(after=0)
            looked = self._look(world, items)
            if looked.error is not None:
                self._says_so(looked.error, expected, None, f"looking, {hook}")
            self._proves_nothing(looked, whole)

    def _says_so(
        self,
        error: ConnectorError,
        expected: tuple[type[ConnectorError], ...],
        delay: timedelta | None,
        told: str,
    ) -> None:
        assert isinstance(error, expected), f"{told}: {error!r}"
        assert error.exchanges, f"{told}: the error carries no exchange that shows it"
        if delay is not None and isinstance(error, TryAgainLater):
            assert error.after == delay, f"{told}: the platform's own delay was lost"

    def _proves_nothing(self, seen: Pass, whole: Pass) -> None:
        removed = [name for name, state in seen.concluded() if state in {State.GONE, State.ABSENT}]
        assert not removed, f"trouble was taken for the removal of {removed}"
        self._listings_are_true(seen, whole)

    def _listings_are_true(self, seen: Pass, whole: Pass, of: Collection[str] | None = None) -> None:
        """Whatever a listing covers has been yielded since it began: else the archive would take it for removed."""
        met: dict[str, datetime] = {}
        for batch in seen.batches:
            for item in batch.observations:
                met[item.native_id] = min(batch.exchanges[span.exchange].started_at for span in item.evidence)
            for sighting in batch.sightings:
                met[sighting.native_id] = batch.exchanges[sighting.exchange].started_at
            for listing in batch.listings:
                for item in whole.latest().values():
                    if _covers(listing, item) and (of is None or item.native_id in of):
                        at = met.get(item.native_id)
                        assert at is not None, f"a listing covers {item.native_id}, which was not yielded"
                        assert at >= listing.began_at, (
                            f"{item.native_id} was seen before the listing that covers it began"
                        )


_PROVES_NOTHING = frozenset({0, 401, 403, 429, *range(500, 600)})
_TROUBLES = frozenset({"throttle", "sign_in", "cut", "fail", "revoke"})


def _or_skip(world: World, *hooks: str) -> None:
    for hook in hooks:
        if hook in world.cannot:
            pytest.skip(f"{type(world).__name__} cannot {hook}: {world.cannot[hook]}")


def _narrowed(page: Page, since: datetime | None, until: datetime | None) -> Page:
    return replace(page, published_from=since, published_until=until)


def _parts(whole: Pass) -> list[tuple[datetime | None, datetime | None]]:
    """Spans that hold a part of the page: its middle, its newer half, its older half, and one moment."""
    times = sorted({item.published_at for item in whole.observations if item.published_at is not None})
    assert len(times) > 3, "the world's history is too short to take a part of it"
    middle = times[len(times) // 2]
    return [
        (times[len(times) // 3], times[-(len(times) // 3)]),
        (middle, None),
        (None, middle),
        (times[1], times[1]),
    ]


def _within(at: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    """Whether an item belongs to a span. What bears no time belongs to every one."""
    return at is None or ((since is None or at >= since) and (until is None or at <= until))


def _families(whole: Pass) -> list[tuple[str, set[str]]]:
    """The posts of a page with everything that answers them, the largest family first: that one, and the smallest."""
    items = whole.latest()
    found = {name: {name} for name, item in items.items() if item.kind is Kind.POST}
    for name in items:
        root, above = name, items[name].in_reply_to
        while above is not None and above in items:
            root, above = above, items[above].in_reply_to
        if root in found:
            found[root].add(name)
    assert found, "the world shows no posts"
    ordered = sorted(found.items(), key=lambda one: -len(one[1]))
    return [ordered[0], ordered[-1]] if len(ordered) > 1 else ordered


def _covers(listing: Listing, item: Observation) -> bool:
    """Whether the listing should have shown `item`."""
    if item.kind not in listing.kinds or item.state not in listing.states:
        return False
    if listing.in_reply_to is not None and item.in_reply_to != listing.in_reply_to:
        return False
    if item.published_at is None:
        return listing.published_from is None and listing.published_until is None
    if listing.published_from is not None and item.published_at < listing.published_from:
        return False
    return listing.published_until is None or item.published_at <= listing.published_until


def _version(item: Observation) -> object:
    """What makes a new version when it changes. An address that expires is not among it."""
    files = [(file.id, file.media_type, file.path, file.description) for file in item.attachments]
    return (item.text, item.html, item.author, files, item.state, item.in_reply_to, item.edited_at, item.url)


def _attachments(items: Mapping[str, Observation]) -> list[Any]:
    return [file for name in sorted(items) for file in items[name].attachments]


def _gaps(seen: Pass) -> list[Gap]:
    return [gap for batch in seen.batches for gap in batch.gaps]


def _passed_over(seen: Pass, whole: Pass) -> set[str]:
    """The objects at which a platform failed, and which the pass after this one asks for again; see `connectors.failing`."""
    known = {(gap.what, gap.native_id) for gap in _gaps(whole)}
    return {gap.native_id for gap in _gaps(seen) if gap.native_id and (gap.what, gap.native_id) not in known}


def _newly(seen: Pass, whole: Pass) -> list[Gap]:
    """The gaps of a pass that an undisturbed one does not have."""
    standing = {(gap.what, gap.why, gap.native_id) for gap in _gaps(whole)}
    return [gap for gap in _gaps(seen) if (gap.what, gap.why, gap.native_id) not in standing]


def _about(gaps: Iterable[Gap], whole: Pass) -> set[str]:
    """What belongs to the objects that these gaps name: their families, what refers to them, and with a page's own record all that is of it."""
    items = whole.latest()

    def root(name: str) -> str:
        while (item := items.get(name)) is not None and item.in_reply_to in items:
            name = item.in_reply_to
        return name

    gaps = list(gaps)
    named = {gap.native_id for gap in gaps if gap.native_id is not None}
    if len(named) < len({gap.native_id for gap in gaps}):
        return set(items)
    roots = {root(name) for name in named}
    # What else is kept of the same thing bears its number too, or names it.
    numbers = {_number(name) for name in named if ":" in name or "/" in name}
    told = named | {number for number in numbers if len(number) > _SHORT}
    kinds = {Kind.PROFILE for name in roots if name in items and items[name].kind is Kind.PROFILE}
    kinds |= {Kind.MESSAGE for name in roots if name not in items}  # a conversation is no item
    return {
        name
        for name, item in items.items()
        if root(name) in roots
        or _number(name) in numbers
        or item.kind in kinds
        or any(one in dumps(dict(item.extra), default=str) for one in told)
    }


def _number(name: str) -> str:
    """What a native id numbers by, without the kind before it."""
    return name.replace(":", "/").rpartition("/")[2]


def _overlapping(spans: Collection[Span]) -> Iterator[tuple[Span, Span]]:
    """Pairs that overlap partly."""
    ordered = sorted(spans, key=lambda span: (span.exchange, span.start, -span.end))
    open_: list[Span] = []
    for span in ordered:
        while open_ and (open_[-1].exchange != span.exchange or open_[-1].end <= span.start):
            open_.pop()
        if open_ and open_[-1].end < span.end:
            yield open_[-1], span
        open_.append(span)


def _times(value: object) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    elif is_dataclass(value):
        for one in fields(value):
            yield from _times(getattr(value, one.name))
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _times(one)


def _said(seen: Pass) -> Iterator[bytes]:
    """Everything that a pass yielded or raised, as bytes to search."""
    for batch in seen.batches:
        yield repr(batch).encode()
        yield batch.resume_from.encode()
        yield from (exchange.body for exchange in batch.exchanges)
    if seen.error is not None:
        yield f"{seen.error!r} {seen.error}".encode()
        yield repr(seen.error.exchanges).encode()
        yield from (exchange.body for exchange in seen.error.exchanges)


def _forms(secrets: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    users = ["", *(value for name, value in secrets.items() if name in PUBLIC_NAMES)]
    for name, value in secrets.items():
        if name in PUBLIC_NAMES:
            continue
        spoken = {
            value,
            quote(value),
            quote(value, safe=""),
            quote_plus(value),
            dumps(value)[1:-1],
            dumps(value)[1:-1].replace("/", "\\/"),
        }
        yield from ((name, form.encode()) for form in spoken)
        yield from ((name, b64encode(f"{user}:{value}".encode()).rstrip(b"=")) for user in users)


def _client(world: World, clock: _Ticking) -> EvidenceClient:
    """The real client, allowed to ask this world, never sleeping."""
    options: dict[str, Any] = {
        "clock": clock,
        "monotonic": clock.monotonic,
        "wait": clock.wait,
        "contact": "promises",
        "secrets": world.secrets,
        "allow_hosts": [urlsplit(world.base).netloc],
        "manners": Manners(interval=timedelta(0), retries=1, stream_silence=timedelta(seconds=10)),
    }
    return EvidenceClient(**{**options, **world.client_options})


class _Ticking:
    """A clock that moves by a second whenever it is read, so that before and after can be told apart."""

    def __init__(self, at: datetime = datetime(2026, 6, 1, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def wait(self, pause: timedelta) -> None:
        self.at += pause


def _failed(exchange: Exchange) -> Exchange:
    """The answer of a platform that fails at what was asked for."""
    return replace(exchange, status=_FAILING, reason="Internal Server Error", body=b"")


def _unreadable(exchange: Exchange) -> Exchange:
    """An answer in no shape that anybody reads: a page in place of data, and noise in place of a page."""
    page = exchange.body.lstrip()[:1] != b"<"
    headers = [("Content-Type", "text/html" if page else "application/octet-stream")]
    body = b"<!DOCTYPE html><html><h1>Something went wrong</h1></html>" if page else b"\x00\x01\x02\x03"
    return replace(exchange, status=200, reason="OK", response_headers=headers, body=body)


def _null(_item: bytes) -> bytes:
    return b"null"


def _nothing_known(_item: bytes) -> bytes:
    return b'{"strange": [[]]}'


def _name_alone(item: bytes) -> bytes:
    """The same item with its names; the value of every other member is of no type that anything has."""
    told = loads(item)
    if not isinstance(told, dict):
        return b"[[]]"
    return dumps({name: one if name in _NAMES else [[one]] for name, one in told.items()}).encode()


_NAMES = frozenset({"id", "uri", "name", "urn", "pk", "media_key"})
_OTHER_SHAPES = (_null, _name_alone, _nothing_known)


def _told_as(place: tuple[int, int], strange: Callable[[bytes], bytes]) -> Callable[[Exchange], Exchange]:
    """An answer of which the bytes at `place` are others."""

    def told(exchange: Exchange) -> Exchange:
        start, end = place
        body = exchange.body[:start] + strange(exchange.body[start:end]) + exchange.body[end:]
        return replace(exchange, body=body)

    return told


def _listed(whole: Pass, recorder: _Recorder) -> list[tuple[str, tuple[int, int], set[str]]]:
    """An element of each JSON list that items are read from: the question, where it stands in the answer, and which items are told there."""
    shown: dict[int, dict[tuple[int, int], set[str]]] = {}
    for batch in whole.batches:
        for item in batch.observations:
            for span in item.evidence:
                named = shown.setdefault(id(batch.exchanges[span.exchange]), {})
                named.setdefault((span.start, span.end), set()).add(item.native_id)
    found: list[tuple[str, tuple[int, int], set[str]]] = []
    met: set[tuple[str, int]] = set()
    for question, answer in recorder.asked:
        lists: dict[int, list[tuple[int, int]]] = {}
        places = _elements(answer.body)
        own: dict[tuple[int, int], set[str]] = {}
        for start, end in shown.get(id(answer), {}):
            around = [one for one in places if one[0] <= start and end <= one[1]]
            if around:
                innermost = max(around)  # what begins last
                lists.setdefault(places[innermost], []).append(innermost)
                own.setdefault(innermost, set()).update(shown[id(answer)][(start, end)])
        for begins, elements in lists.items():
            if (question, begins) not in met:
                met.add((question, begins))
                chosen = sorted(set(elements))[len(set(elements)) // 2]
                found.append((question, chosen, own[chosen]))
    return found


def _elements(body: bytes) -> dict[tuple[int, int], int]:
    """Where the elements of all lists in a JSON body stand, each with where its list begins; nothing where it is no JSON."""
    found: dict[tuple[int, int], int] = {}

    def walk(start: int, end: int) -> None:
        if body[start : start + 1] == b"[":
            for one in spans.array_items(body, start, end):
                found[one] = start
                walk(*one)
        elif body[start : start + 1] == b"{":
            for one in spans.object_members(body, (start, end)).values():
                walk(*one)

    with suppress(ValueError):
        walk(*spans.document(body))
    return found


def _below(names: Collection[str], whole: Pass) -> set[str]:
    """These items, all that answers them at any depth, and what else is kept of the same things."""
    items, found = whole.latest(), set(names)
    while True:
        numbers = {_number(name) for name in found}
        more = {
            name for name, item in items.items() if item.in_reply_to in found or _number(name) in numbers
        } - found
        if not more:
            return found
        found |= more


class _Recorder:
    """The evidence client, with everything that it told the connector written down.

    `before` is called before each question, with how many were asked so far.
    The question `fails` is answered as `how` says, whatever the platform would say.
    """

    def __init__(
        self,
        client: EvidenceClient,
        before: Callable[[int], None] | None = None,
        fails: str | None = None,
        how: Callable[[Exchange], Exchange] | None = None,
    ) -> None:
        self._client = client
        self._fails, self._how, self.failed = fails, how or _failed, False
        self.questions: list[str] = []
        self.asked: list[tuple[str, Exchange]] = []
        self._before = before or (lambda _question: None)
        self._told: list[Exchange | ConnectorError] = []
        self._times: list[datetime] = []
        self._learned: dict[int, Mapping[str, str]] = {}
        self._streams = 0

    @property
    def answers(self) -> list[Exchange]:
        return [told for told in self._told if isinstance(told, Exchange)]

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
        apart: timedelta = timedelta(0),
    ) -> Exchange:
        return self._asked(
            lambda: self._client.get(url, params=params, headers=headers, accept=accept, apart=apart),
            with_params(url, params or {}),
        )

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Exchange:
        return self._asked(
            lambda: self._client.post(url, form=form, json=json, headers=headers, accept=accept),
            f"{url} {dumps([form and dict(form), json], default=str)}",
        )

    def _asked(self, ask: Callable[[], Exchange], question: str = "") -> Exchange:
        assert len(self._told) < MOST_QUESTIONS, "the pass does not end"
        self._before(len(self._told))
        self.questions.append(question)
        try:
            exchange = ask()
            if question == self._fails:
                self.failed = True
                exchange = self._how(exchange)
                if exchange.status >= _FAILING:
                    raise TryAgainLater(f"{exchange.url} answered {exchange.status}.", [exchange])
        except ConnectorError as error:
            self._told.append(error)
            raise
        self._told.append(exchange)
        self.asked.append((question, exchange))
        self._learned[id(exchange)] = self._client.learned(exchange)
        return exchange

    def listen(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Exchange]:
        self._streams += 1
        assert self._streams < MOST_STREAMS, "the stream is opened again and again, and never ends"
        for exchange in self._client.listen(url, params=params, headers=headers):
            self._told.append(exchange)
            yield exchange

    def learned(self, exchange: Exchange) -> Mapping[str, str]:
        return self._learned.get(id(exchange), {})

    def now(self) -> datetime:
        self._times.append(self._client.now())
        return self._times[-1]

    def take(self) -> list[Exchange]:
        return self._client.take()

    def keep_secret(self, name: str, value: str) -> None:
        self._client.keep_secret(name, value)

    def close(self) -> None:
        self._client.close()

    def replay(self) -> _Replay:
        return _Replay(self._told, self._times, self._learned)


class _Replay:
    """Tells a connector once more, in the same order, what it was told; the platform is not asked."""

    def __init__(
        self,
        told: Iterable[Exchange | ConnectorError],
        times: Iterable[datetime],
        learned: Mapping[int, Mapping[str, str]],
    ) -> None:
        self._told, self._times, self._learned = deque(told), deque(times), learned
        self.answers: list[Exchange] = []

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
        apart: timedelta = timedelta(0),
    ) -> Exchange:
        return self._next(f"{url} {params} {headers and list(headers)} {accept} {apart}")

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        accept: Sequence[int] = (),
    ) -> Exchange:
        sent = "JSON" if json is not None else form and list(form)
        return self._next(f"{url} {sent} {headers and list(headers)} {accept}")

    def _next(self, question: str) -> Exchange:
        assert self._told, f"the second time, the connector asked more: {question}"
        told = self._told.popleft()
        if isinstance(told, ConnectorError):
            raise told
        self.answers.append(told)
        return told

    def listen(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Exchange]:
        raise AssertionError(
            f"a pass listened to {url} {params} {headers and list(headers)}: it would never end"
        )

    def learned(self, exchange: Exchange) -> Mapping[str, str]:
        return self._learned.get(id(exchange), {})

    def now(self) -> datetime:
        assert self._times, "the second time, the connector asked for the time more often"
        return self._times.popleft()

    def take(self) -> list[Exchange]:
        taken, self.answers = self.answers, []
        return taken

    def keep_secret(self, name: str, value: str) -> None:
        """Nothing is sent, so nothing can be told."""

    def close(self) -> None:
        """Nothing is open."""
