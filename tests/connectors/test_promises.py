"""The promises notice what a connector can do wrong: each fault below fails the promise that names it, and only a faulty connector does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.contract import (
    Batch,
    Cursor,
    Exchange,
    Finding,
    Kind,
    Listing,
    Observation,
    Page,
    Sighting,
    Span,
    State,
)
from connectors.errors import ConnectorError, TryAgainLater, UnexpectedResponse
from connectors.failing import FAMILY
from connectors.promises import ConnectorPromises
from tests.connectors.fakes.nested import ODD, Nested, NestedWorld
from tests.connectors.fakes.sideloading import Sideloading, SideloadingWorld

Ids = Sequence[tuple[Kind, str]]


def each(batches: Iterator[Batch], change: Callable[[Observation], Observation]) -> Iterator[Batch]:
    for batch in batches:
        yield replace(batch, observations=[change(item) for item in batch.observations])


class LosesAPageOnResuming(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        place = json.loads(since) if since else {}
        if place.get("after"):
            place["after"] = "after-519"
        yield from super().observe(page, Cursor(json.dumps(place)) if since else None)


class LosesReplies(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            yield replace(
                batch, observations=[item for item in batch.observations if item.kind is not Kind.REPLY]
            )


class KeepsTheSecretInItsCursor(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            place = json.loads(batch.resume_from or "null")
            yield replace(batch, resume_from=Cursor(json.dumps({**place, **self._token}))) if place else batch


class ForgetsZones(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(
            super().observe(page, since),
            lambda item: replace(
                item, published_at=item.published_at and item.published_at.replace(tzinfo=None)
            ),
        )


class ForgetsWhatIsAnswered(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(super().observe(page, since), lambda item: replace(item, in_reply_to=None))


class NamesNoEvidence(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(super().observe(page, since), lambda item: replace(item, evidence=()))


class ReachesPastTheBody(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(
            super().observe(page, since), lambda item: replace(item, evidence=[Span(0, 0, 10**9)])
        )


class NamesAnExchangeOfAnotherBatch(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(
            super().observe(page, since),
            lambda item: replace(item, evidence=[replace(item.evidence[0], exchange=9)]),
        )


class NamesBytesOfItsNeighbours(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(
            super().observe(page, since),
            lambda item: (
                replace(item, evidence=[replace(span, end=span.end + 9999) for span in item.evidence])
                if item.text == "+1"
                else item
            ),
        )


class NamesTheWholeBodyForAll(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            whole = Span(0, 0, len(batch.exchanges[0].body))
            yield replace(
                batch, observations=[replace(item, evidence=[whole]) for item in batch.observations]
            )


class HandsOverHalfOfItsEvidence(Sideloading):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            yield replace(batch, exchanges=batch.exchanges[:1])


class HandsOverAnExchangeAgain(Nested):
    """With each batch also what the batch before was read from."""

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        before: Sequence[Exchange] = ()
        for batch in super().observe(page, since):
            yield replace(batch, exchanges=[*batch.exchanges, *before])
            before = batch.exchanges


class HandsOverACopy(Nested):
    def family(self, page: Page, root: str) -> Iterator[Batch]:
        for batch in super().family(page, root):
            yield replace(batch, exchanges=[*batch.exchanges, replace(batch.exchanges[0])])


class CountsAsWords(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(
            super().observe(page, since), lambda item: replace(item, text=f"{item.text} {dict(item.counts)}")
        )


class NamesFilesByTheirAddress(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(
            super().observe(page, since),
            lambda item: replace(
                item, attachments=[replace(file, id=file.url or "") for file in item.attachments]
            ),
        )


class Remembers(Nested):
    """What it saw first it goes on seeing."""

    memory: dict[str, Observation]

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        yield from each(
            super().observe(page, since),
            lambda item: replace(item, text=self.memory.setdefault(item.native_id, item).text),
        )


class AsksTheClock(Nested):
    number = 0

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            type(self).number += 1
            yield replace(
                batch, observations=[replace(item, extra={"n": self.number}) for item in batch.observations]
            )


class TakesAnOutageForAnEnd(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except TryAgainLater as error:
            listing = Listing(
                kinds=[Kind.POST, Kind.COMMENT], began_at=error.exchanges[-1].started_at, exchange=0
            )
            yield Batch(exchanges=error.exchanges, resume_from=Cursor(""), listings=[listing])


class EndsWhereThePlatformFails(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except TryAgainLater as error:
            yield Batch(exchanges=error.exchanges, resume_from=Cursor(""))

    def look(self, page: Page, native_ids: Ids) -> Iterator[Batch]:
        try:
            yield from super().look(page, native_ids)
        except TryAgainLater as error:
            yield Batch(exchanges=error.exchanges, resume_from=Cursor(""))


class EndsWhereNothingCanBeRead(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except UnexpectedResponse as error:
            yield Batch(exchanges=error.exchanges, resume_from=Cursor(""))


class EndsAtAnOddItem(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            if any(gap.what == ODD for gap in batch.gaps):
                raise UnexpectedResponse("an item is of another shape", batch.exchanges)
            yield batch


class DropsAnOddItem(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            yield replace(batch, gaps=[gap for gap in batch.gaps if gap.what != ODD])


class ListsWithAnOddItem(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            listing = Listing(kinds=[Kind.POST, Kind.COMMENT], began_at=self._http.now(), exchange=0)
            ends_oddly = not batch.resume_from and not batch.listings
            yield (
                replace(batch, listings=[replace(listing, began_at=batch.exchanges[0].started_at)])
                if ends_oddly
                else batch
            )


class EndsWhereAFamilyFails(Nested):
    def family(self, page: Page, root: str) -> Iterator[Batch]:
        for batch in super().family(page, root):
            if any(gap.what == FAMILY for gap in batch.gaps):
                raise TryAgainLater("the platform failed", batch.exchanges)
            yield batch


class ListsAFamilyThatFails(Nested):
    def family(self, page: Page, root: str) -> Iterator[Batch]:
        for batch in super().family(page, root):
            failed = any(gap.what == FAMILY for gap in batch.gaps)
            listing = Listing(kinds=[Kind.COMMENT], began_at=self._http.now(), exchange=0, in_reply_to=root)
            yield replace(batch, listings=[listing]) if failed else batch


class TakesAnOutageForARemoval(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except ConnectorError as error:
            gone = Sighting(native_id="501", state=State.GONE, exchange=0, reason="no answer")
            yield Batch(exchanges=error.exchanges, resume_from=Cursor(""), sightings=[gone])
            raise


class TakesARefusalForARemoval(Nested):
    def look(self, page: Page, native_ids: Ids) -> Iterator[Batch]:
        try:
            yield from super().look(page, native_ids)
        except ConnectorError as error:
            gone = [
                Sighting(native_id=name, state=State.GONE, exchange=0, reason="400") for _, name in native_ids
            ]
            yield Batch(exchanges=error.exchanges, resume_from=Cursor(""), sightings=gone)


class TakesASignInForAnEmptyPage(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except UnexpectedResponse:
            return


class LosesTheDelay(Sideloading):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except TryAgainLater as error:
            raise TryAgainLater(str(error), error.exchanges) from error


class LosesTheEvidenceOfItsErrors(Sideloading):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except ConnectorError as error:
            error.exchanges = ()
            raise


class TellsTheSecretInItsErrors(Sideloading):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except ConnectorError as error:
            raise type(error)(f"asked with {self._headers}", error.exchanges) from error


class ThinksItIsPresent(Sideloading):
    def look(self, page: Page, native_ids: Ids) -> Iterator[Batch]:
        for batch in super().look(page, native_ids):
            yield replace(batch, sightings=[replace(one, state=State.PRESENT) for one in batch.sightings])


class ListsFromTheFuture(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            later = [replace(one, began_at=one.began_at + timedelta(days=1)) for one in batch.listings]
            yield replace(batch, listings=later)


class ClaimsMoreThanItSaw(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            now = batch.exchanges[0].started_at
            yield replace(batch, listings=[Listing(kinds=[Kind.COMMENT], began_at=now, exchange=0)])


class GoesRoundAndRound(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        try:
            yield from super().observe(page, since)
        except UnexpectedResponse as error:
            if "same page again" not in str(error):
                raise


class SaysNothingOfRemovals(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            yield replace(batch, listings=())


class TakesAShiftForAnEnd(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        shown = None
        for batch in super().observe(page, since):
            now = self._http.get(f"{page.address}/posts", params=self._token).body
            if shown not in {None, now}:
                return
            shown = now
            yield batch


class LeavesOutAnswersToOldPosts(Sideloading):
    def _answers(self, base: str, wanted: Mapping[str, str]) -> list[Observation]:
        return super()._answers(base, wanted) if "conversations" in wanted else []


class ClaimsTheWholeOfANarrowedPass(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            whole = [replace(one, published_from=None, published_until=None) for one in batch.listings]
            yield replace(batch, listings=whole)


class TellsThatWhatLiesOutsideIsGone(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().observe(page, since):
            gone = [Sighting(native_id="501", state=State.GONE, exchange=0, reason="not in the span")]
            yield replace(batch, sightings=gone) if page.published_from else batch


class ForgetsItsSpanOnResuming(Sideloading):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        later = replace(page, published_from=page.published_until) if since and page.published_until else page
        yield from super().observe(later, since)


class KeepsToTheSpanOfThePassBefore(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        if since and since.startswith("seen "):
            first, last = (datetime.fromisoformat(at) if at else None for at in since[5:].split("/"))
            page, since = replace(page, published_from=first, published_until=last), None
        span = "/".join(at.isoformat() if at else "" for at in (page.published_from, page.published_until))
        for batch in super().observe(page, since):
            yield batch if batch.resume_from else replace(batch, resume_from=Cursor(f"seen {span}"))


class NarrowsWhatItHasRead(Nested):
    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        whole = replace(page, published_from=None, published_until=None)
        for batch in super().observe(whole, since):
            inside = [
                item
                for item in batch.observations
                if item.published_at is None
                or page.published_from is None
                or item.published_at >= page.published_from
            ]
            yield replace(batch, observations=inside)


class KnowsTheRootAlone(Nested):
    def family(self, page: Page, root: str) -> Iterator[Batch]:
        for batch in super().family(page, root):
            yield replace(
                batch, observations=[item for item in batch.observations if item.kind is not Kind.REPLY]
            )


class ListsThePageAfterAFamily(Nested):
    def family(self, page: Page, root: str) -> Iterator[Batch]:
        for batch in super().family(page, root):
            yield replace(batch, listings=[replace(one, in_reply_to=None) for one in batch.listings])


class ListsNoFamily(Nested):
    def family(self, page: Page, root: str) -> Iterator[Batch]:
        for batch in super().family(page, root):
            yield replace(batch, listings=[])


class TakesAnOutageForAFamily(Nested):
    def family(self, page: Page, root: str) -> Iterator[Batch]:
        for batch in super().family(page, root):
            if any(gap.what == FAMILY for gap in batch.gaps):
                return
            yield batch


class FindsNothing(Nested):
    def check(self, page: Page) -> Iterator[Finding]:
        yield from ()


class SaysNoRemedy(Nested):
    def check(self, page: Page) -> Iterator[Finding]:
        for finding in super().check(page):
            yield replace(finding, remedy="")


class FindsAllWell(Nested):
    def check(self, page: Page) -> Iterator[Finding]:
        for finding in super().check(page):
            yield replace(finding, fine=True, remedy="")


class RaisesWhatItShouldSay(Nested):
    def check(self, page: Page) -> Iterator[Finding]:
        self._get(page.address, {"fields": "id"})
        yield Finding(what="page token", fine=True)


class HearsNothing(Sideloading):
    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().listen(page, since):
            yield replace(batch, observations=[], sightings=[])


class TakesARemovalForASighting(Sideloading):
    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().listen(page, since):
            yield replace(batch, sightings=[replace(one, state=State.PRESENT) for one in batch.sightings])


class ListsWhatItHeard(Sideloading):
    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().listen(page, since):
            now = batch.exchanges[0].started_at
            yield replace(batch, listings=[Listing(kinds=[Kind.COMMENT], began_at=now, exchange=0)])


class KeepsItsMessages(Sideloading):
    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        for batch in super().listen(page, since):
            yield replace(batch, exchanges=[])


class ListensOn(Sideloading):
    def listen(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        return map(lambda batch: batch, super().listen(page, since))  # noqa: C417 - a map cannot be closed


ODDLY = "test_an_item_of_another_shape_in_a_list_keeps_neither_those_beside_it_nor_those_behind_it_from_being_read"
FAULTS: dict[type[Nested | Sideloading], list[str]] = {
    LosesAPageOnResuming: ["test_resuming_from_any_cursor_misses_nothing"],
    LosesReplies: ["test_everything_that_the_page_shows_is_observed"],
    KeepsTheSecretInItsCursor: ["test_no_secret_is_in_anything_that_was_yielded"],
    ForgetsZones: ["test_every_time_carries_its_zone"],
    ForgetsWhatIsAnswered: ["test_comments_name_what_they_answer"],
    NamesNoEvidence: ["test_every_observation_names_its_bytes_and_they_lie_inside_the_body"],
    ReachesPastTheBody: ["test_every_observation_names_its_bytes_and_they_lie_inside_the_body"],
    NamesAnExchangeOfAnotherBatch: ["test_what_points_to_an_exchange_points_into_its_own_batch"],
    NamesBytesOfItsNeighbours: ["test_spans_are_nested_apart_or_the_same_and_never_overlap_partly"],
    NamesTheWholeBodyForAll: ["test_every_item_has_bytes_that_no_other_item_names"],
    HandsOverHalfOfItsEvidence: ["test_every_answer_is_carried_by_a_batch"],
    HandsOverAnExchangeAgain: ["test_no_exchange_is_handed_over_twice_in_a_pass"],
    HandsOverACopy: ["test_no_exchange_is_handed_over_twice_in_a_pass"],
    CountsAsWords: ["test_counts_that_change_alone_make_no_new_version"],
    NamesFilesByTheirAddress: ["test_an_attachment_keeps_its_id_when_its_address_expires"],
    Remembers: ["test_an_edit_is_observed"],
    AsksTheClock: ["test_the_same_bytes_give_the_same_observations"],
    TakesAnOutageForAnEnd: [
        "test_an_outage_means_later_and_proves_no_removal",
        "test_a_throttle_means_later_and_proves_no_removal",
    ],
    EndsWhereThePlatformFails: [
        "test_an_object_at_which_the_platform_fails_for_ever_keeps_no_other_from_being_read",
        "test_an_item_at_which_the_platform_fails_is_unknown_or_a_gap_and_all_others_are_told_how_they_stand",
    ],
    EndsWhereNothingCanBeRead: [
        "test_an_object_of_which_the_platform_tells_what_nobody_can_read_keeps_no_other_from_being_read",
    ],
    EndsAtAnOddItem: [ODDLY],
    DropsAnOddItem: [ODDLY],
    ListsWithAnOddItem: [ODDLY],
    EndsWhereAFamilyFails: ["test_a_family_at_which_the_platform_fails_is_a_gap_and_proves_nothing"],
    ListsAFamilyThatFails: ["test_a_family_at_which_the_platform_fails_is_a_gap_and_proves_nothing"],
    TakesAnOutageForARemoval: [
        "test_an_outage_means_later_and_proves_no_removal",
        "test_an_answer_that_breaks_off_is_an_error_and_proves_no_removal",
    ],
    TakesARefusalForARemoval: [
        "test_credentials_that_are_refused_mean_that_access_was_revoked",
        "test_an_outage_means_later_and_proves_no_removal",
    ],
    TakesASignInForAnEmptyPage: ["test_a_page_that_asks_to_sign_in_is_unexpected_and_proves_no_removal"],
    LosesTheDelay: ["test_a_throttle_means_later_and_proves_no_removal"],
    LosesTheEvidenceOfItsErrors: ["test_credentials_that_are_refused_mean_that_access_was_revoked"],
    TellsTheSecretInItsErrors: ["test_no_secret_is_in_anything_that_was_yielded"],
    ThinksItIsPresent: ["test_a_removal_is_observed_as_the_platform_shows_it"],
    ListsFromTheFuture: ["test_a_listing_names_the_exchange_that_shows_it_and_began_no_later"],
    ClaimsMoreThanItSaw: ["test_a_listing_names_the_exchange_that_shows_it_and_began_no_later"],
    GoesRoundAndRound: ["test_a_listing_that_never_ends_is_an_error_or_the_gap_of_one_object"],
    SaysNothingOfRemovals: ["test_a_removal_is_observed_as_the_platform_shows_it"],
    TakesAShiftForAnEnd: ["test_a_page_that_shifts_while_it_is_paged_misses_nothing"],
    LeavesOutAnswersToOldPosts: ["test_a_narrowed_pass_observes_what_lies_inside_and_misses_nothing_outside"],
    ClaimsTheWholeOfANarrowedPass: [
        "test_a_narrowed_pass_observes_what_lies_inside_and_misses_nothing_outside"
    ],
    TellsThatWhatLiesOutsideIsGone: [
        "test_a_narrowed_pass_observes_what_lies_inside_and_misses_nothing_outside"
    ],
    ForgetsItsSpanOnResuming: ["test_a_narrowed_pass_is_resumed_from_any_cursor_and_misses_nothing_inside"],
    KeepsToTheSpanOfThePassBefore: [
        "test_narrowed_passes_that_follow_one_another_miss_nothing_inside_any_of_their_spans"
    ],
    NarrowsWhatItHasRead: ["test_a_pass_that_narrows_asks_less_than_the_whole"],
    KnowsTheRootAlone: ["test_a_family_is_its_root_with_everything_that_answers_it"],
    ListsThePageAfterAFamily: [
        "test_the_listings_of_a_family_are_true_and_there_is_one_for_each_item_that_is_answered"
    ],
    ListsNoFamily: ["test_the_listings_of_a_family_are_true_and_there_is_one_for_each_item_that_is_answered"],
    TakesAnOutageForAFamily: ["test_trouble_while_a_family_is_observed_proves_no_removal"],
    FindsNothing: ["test_a_check_says_how_things_stand_and_what_to_do_where_they_do_not"],
    SaysNoRemedy: ["test_a_check_says_that_credentials_were_revoked_and_raises_nothing"],
    FindsAllWell: ["test_a_check_says_that_credentials_were_revoked_and_raises_nothing"],
    RaisesWhatItShouldSay: ["test_a_check_says_that_credentials_were_revoked_and_raises_nothing"],
    HearsNothing: [
        "test_a_stream_tells_of_what_is_published",
        "test_a_stream_tells_of_an_edit",
        "test_a_stream_tells_of_a_removal",
    ],
    TakesARemovalForASighting: ["test_a_stream_tells_of_a_removal"],
    ListsWhatItHeard: ["test_a_stream_promises_no_listing_and_hands_over_every_message"],
    KeepsItsMessages: ["test_a_stream_promises_no_listing_and_hands_over_every_message"],
    ListensOn: ["test_a_stream_ends_when_it_is_closed"],
}


def promises_of(made: type[Nested | Sideloading], **world: Any) -> ConnectorPromises:
    kind: type[NestedWorld | SideloadingWorld] = NestedWorld if issubclass(made, Nested) else SideloadingWorld

    class Promises(ConnectorPromises):
        def world(self):
            started = kind()
            for name, value in world.items():
                setattr(started, name, value)
            return started

        def connector(self, client):
            return made(client, kind.secrets)

    return Promises()


@pytest.mark.parametrize(
    ("made", "promise"), [(made, promise) for made, promises in FAULTS.items() for promise in promises]
)
def test_a_fault_is_noticed(made, promise):
    Remembers.memory = {}
    with pytest.raises(AssertionError):
        getattr(promises_of(made), promise)()
    getattr(promises_of(Nested if issubclass(made, Nested) else Sideloading), promise)()


def test_every_promise_has_a_fault_that_it_notices():
    promised = {name for name in dir(ConnectorPromises) if name.startswith("test_")}
    noticed = {promise for promises in FAULTS.values() for promise in promises}
    shown_below = {
        "test_a_pass_of_a_small_world_takes_several_batches_so_that_it_can_be_broken_off",
        "test_the_last_cursor_of_a_pass_begins_the_next_which_sees_what_is_new",
        "test_what_is_still_there_is_not_told_to_be_gone",
    }
    assert promised == noticed | shown_below


def test_a_pass_in_one_batch_is_noticed():
    class AllAtOnce(Nested):
        def observe(self, page, since):
            yield next(super().observe(page, since))

    with pytest.raises(AssertionError):
        promises_of(
            AllAtOnce
        ).test_a_pass_of_a_small_world_takes_several_batches_so_that_it_can_be_broken_off()


def test_a_pass_that_sees_nothing_new_is_noticed():
    class Stale(Nested):
        def observe(self, page, since):
            for batch in super().observe(page, since):
                yield (
                    batch
                    if since is None
                    else replace(
                        batch, observations=[item for item in batch.observations if item.text != "And now?"]
                    )
                )

    with pytest.raises(AssertionError, match="published since"):
        promises_of(Stale).test_the_last_cursor_of_a_pass_begins_the_next_which_sees_what_is_new()


def test_what_is_there_and_told_to_be_gone_is_noticed():
    class Gloomy(Nested):
        def look(self, page, native_ids):
            for batch in super().look(page, native_ids):
                yield replace(batch, sightings=[replace(one, state=State.GONE) for one in batch.sightings])

    with pytest.raises(AssertionError):
        promises_of(Gloomy).test_what_is_still_there_is_not_told_to_be_gone()


def test_what_a_world_cannot_do_is_skipped_with_its_reason():
    reason = "nobody may change words here"
    with pytest.raises(pytest.skip.Exception, match=f"cannot edit: {reason}"):
        promises_of(Nested, cannot={"edit": reason}).test_an_edit_is_observed()
    with pytest.raises(pytest.skip.Exception, match="page is public"):
        promises_of(Nested, secrets={}).test_no_secret_is_in_anything_that_was_yielded()


def test_an_empty_world_promises_nothing():
    class Empty(NestedWorld):
        def shows(self):
            return []

    class Promises(ConnectorPromises):
        def world(self):
            return Empty()

        def connector(self, client):
            return Nested(client, NestedWorld.secrets)

    with pytest.raises(AssertionError, match="no history"):
        Promises().test_everything_that_the_page_shows_is_observed()


def test_what_a_connector_does_not_offer_is_skipped_and_said():
    class Plain:
        manifest = Nested.manifest

        def __init__(self, http, secret=None):
            self.inner = Nested(http, secret)
            self.observe, self.look = self.inner.observe, self.inner.look

    class Promises(ConnectorPromises):
        def world(self):
            return NestedWorld()

        def connector(self, client):
            return Plain(client, NestedWorld.secrets)

    for promise in (
        "test_a_family_is_its_root_with_everything_that_answers_it",
        "test_a_check_says_how_things_stand_and_what_to_do_where_they_do_not",
        "test_a_stream_tells_of_an_edit",
    ):
        with pytest.raises(pytest.skip.Exception, match="nested does not offer"):
            getattr(Promises(), promise)()
    with pytest.raises(pytest.skip.Exception, match="cannot stream_edit: nobody is told of edits"):
        promises_of(
            Sideloading, cannot={"stream_edit": "nobody is told of edits"}
        ).test_a_stream_tells_of_an_edit()
