"""Two agencies' blogs over ten years: every post that was edited, taken away or brought back, as a nightly look sees it.

The history is real (`post-versions.jsonl.gz`, beside the checkout): what was
published, the words after each edit, and when. One agency's feed is asked by
address what became of a missing post, the other's is not, so that the one
learns that a post is gone where the other may only say that it is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from app.capture.runs import Report
from app.records.clock import FixedClock
from app.records.nouns import Page, Record
from tests.journeys.agency_blog import AgencyBlog, Night, PostChange, history, nights
from tests.journeys.office import Office

AGENCIES = {"18f.gsa.gov": "atom", "digital.gov": "json"}
ASKED_BY_ADDRESS = "18f.gsa.gov"


@dataclass(slots=True)
class Standing:
    """How a post should stand in the archive."""

    record: Record
    state: str
    words: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Watched:
    """A blog, its page in the registry, and how each of its posts should stand."""

    blog: AgencyBlog
    page: Page
    posts: dict[str, Standing] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="session")
def changes(shared: Path) -> list[PostChange]:
    """Every change of every post of both blogs."""
    return history(shared / "corpus" / "post-versions.jsonl.gz")


@pytest.fixture
def watched(office: Office) -> Iterator[dict[str, Watched]]:
    """Both blogs, empty as yet, and in the registry."""
    with ExitStack() as open_blogs:
        found = {}
        for name, form in AGENCIES.items():
            blog = open_blogs.enter_context(AgencyBlog(name, form))
            asked = {"check_links": "yes"} if name == ASKED_BY_ADDRESS else {}
            found[name] = Watched(
                blog, office.add("feed", blog.feed, name, options={"complete": "yes", **asked})
            )
        yield found


def with_others(changes: Sequence[PostChange], wanted: set[tuple[str, str]], every: int) -> list[PostChange]:
    """The changes of the posts that are wanted, and of one in so many of the rest."""
    rest = sorted({(change.blog, change.slug) for change in changes} - wanted)
    chosen = wanted | set(rest[::every])
    return [change for change in changes if (change.blog, change.slug) in chosen]


def live_through(
    office: Office, clock: FixedClock, watched: dict[str, Watched], story: Iterable[Night]
) -> None:
    """Look at both blogs night after night, and hold each night's changes against what happened."""
    for night in story:
        clock.at = night.at
        for name, one in watched.items():
            happened = [change for change in night.changes if change.blog == name]
            one.blog.turn(happened)
            since = office.ledger_size()
            report = office.capture(one.page)
            assert (report.status, report.gaps) == ("complete", [])
            _exactly_these_changed(office, one, happened, since, report)


def _exactly_these_changed(
    office: Office, one: Watched, happened: Sequence[PostChange], since: int, report: Report
) -> None:
    found = {change.record: change for change in office.changes(one.page, since)}
    records = office.read(set(found))
    by_name = {str(record.version.fields["native_id"]): record for record in records.values()}
    if not one.tally:
        by_name.pop("profile")  # the page's own introduction, on the first night
    assert by_name.keys() == {one.blog.native_id(change.slug) for change in happened}
    lost = "gone" if one.page.name == ASKED_BY_ADDRESS else "absent"
    for change in happened:
        record = by_name[one.blog.native_id(change.slug)]
        known = one.posts.setdefault(change.slug, Standing(record, ""))
        assert record.id == known.record.id
        assert record.version.number == change.place == len(known.words) + 1
        known.state = lost if change.what == "delete" else "present"
        words = known.words[-1][1] if change.what == "delete" else change.shown
        known.words.append((known.state, words))
        assert (record.state, record.version.text("text")) == known.words[-1]
    tally, said = report.tally, Counter(change.what for change in happened)
    assert tally.new == said["create"] + (not one.tally)
    assert (tally.edited, tally.restored) == (said["edit"], said["restore"])
    assert (tally.absent, tally.gone) == ((0, said["delete"]) if lost == "gone" else (said["delete"], 0))
    one.tally.update(said or ["nothing"])


def everything_is_as_it_was_told(office: Office, one: Watched) -> None:
    """Every post with all its versions, and nothing that never was."""
    known = office.known(one.page)
    known.pop("profile")
    assert known.keys() == {one.blog.native_id(slug) for slug in one.posts}
    for slug, standing in one.posts.items():
        assert office.told(known[one.blog.native_id(slug)]) == standing.words


def test_each_night_exactly_the_posts_that_changed_get_a_version(
    office: Office, clock: FixedClock, watched: dict[str, Watched], changes: list[PostChange]
):
    chosen = with_others(changes, {(one.blog, one.slug) for one in changes if one.what == "delete"}, 100)
    live_through(office, clock, watched, nights(chosen))
    happened = sum((one.tally for one in watched.values()), Counter())
    assert (happened["delete"], happened["restore"]) == (50, 3)
    assert happened["edit"] > 100
    assert happened["nothing"] > 0, "on some nights only one of the two blogs changes"
    assert all(304 in one.blog.statuses for one in watched.values())
    for one in watched.values():
        everything_is_as_it_was_told(office, one)
    from sqlalchemy import text as _t
    with office.store.database.read() as tx:
        for table in ("circles","circle_members","circle_parts","exchanges","layouts","pieces","versions","manifests"):
            print("ROWS", table, tx.execute(_t(f"select count(*) from {table}")).scalar())
        print("BYTES layout", tx.execute(_t("select sum(length(layout)) from exchanges")).scalar(), "wrapped", tx.execute(_t("select (select coalesce(sum(length(wrapped)),0) from circle_members)+(select coalesce(sum(length(wrapped)),0) from circle_parts)")).scalar())
    assert office.unsound() == []


def test_a_night_in_which_nothing_happened_changes_nothing(
    office: Office, clock: FixedClock, watched: dict[str, Watched], changes: list[PostChange]
):
    story = nights(changes[:40])
    live_through(office, clock, watched, story)
    quiet = Night(story[-1].at + timedelta(days=1), [])
    live_through(office, clock, watched, [quiet])
    assert [one.blog.statuses[-1] for one in watched.values()] == [304, 304]


def test_a_post_that_is_taken_away_is_gone_where_its_address_can_be_asked_and_absent_elsewhere(
    office: Office, clock: FixedClock, watched: dict[str, Watched], changes: list[PostChange]
):
    chosen = with_others(changes, {(one.blog, one.slug) for one in changes if one.what == "restore"}, 300)
    live_through(office, clock, watched, nights(chosen))
    for name, lost in (("18f.gsa.gov", "gone"), ("digital.gov", "absent")):
        told = [[state for state, _ in standing.words] for standing in watched[name].posts.values()]
        taken_away = [states for states in told if lost in states]
        assert taken_away
        for states in taken_away:
            taken = states.index(lost)
            assert set(states[:taken]) == set(states[taken + 1 :]) == {"present"}
    reasons = {
        version.text("state_reason")
        for one in watched.values()
        for record in office.known(one.page).values()
        for version in office.history(record)
        if version.state in {"gone", "absent"}
    }
    assert reasons == {"404 Not Found", "missing from a complete listing"}


def test_a_blog_that_suddenly_shows_nothing_has_lost_nothing(
    office: Office, clock: FixedClock, watched: dict[str, Watched], changes: list[PostChange]
):
    live_through(office, clock, watched, nights(changes[:40]))
    one = watched[changes[0].blog]
    before = {name: (record.state, record.versions) for name, record in office.known(one.page).items()}
    clock.at += timedelta(days=1)
    one.blog.posts.clear()
    one.blog.turn([])
    report = office.capture(one.page)
    assert (report.status, [gap.what for gap in report.gaps]) == ("partial", ["items of the feed"])
    assert {
        name: (record.state, record.versions) for name, record in office.known(one.page).items()
    } == before


@pytest.mark.soak
def test_every_change_of_both_blogs_is_captured(
    office: Office, clock: FixedClock, watched: dict[str, Watched], changes: list[PostChange]
):
    told = Counter(change.what for change in changes)
    assert told == {"create": 2634, "edit": 8243, "delete": 50, "restore": 3}
    live_through(office, clock, watched, nights(changes))
    seen = sum((one.tally for one in watched.values()), Counter())
    assert {what: seen[what] for what in told} == told
    for one in watched.values():
        everything_is_as_it_was_told(office, one)
    from sqlalchemy import text as _t
    with office.store.database.read() as tx:
        for table in ("circles","circle_members","circle_parts","exchanges","layouts","pieces","versions","manifests"):
            print("ROWS", table, tx.execute(_t(f"select count(*) from {table}")).scalar())
        print("BYTES layout", tx.execute(_t("select sum(length(layout)) from exchanges")).scalar(), "wrapped", tx.execute(_t("select (select coalesce(sum(length(wrapped)),0) from circle_members)+(select coalesce(sum(length(wrapped)),0) from circle_parts)")).scalar())
    assert office.unsound() == []
