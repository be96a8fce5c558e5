"""A real agency's blog, night after night: exactly what changed is seen to have changed."""

from __future__ import annotations

import pytest

from connectors.contract import Cursor, Kind, Observation
from connectors.feed import Feed
from tests.connectors.worlds.agency_feed import AGENCIES, AgencyFeed
from tests.connectors.worlds.loopback import evidence_client


@pytest.mark.parametrize(
    ("agency", "form", "count"),
    [
        ("18f.gsa.gov", "rss", 5),
        ("18f.gsa.gov", "atom", 4),
        ("digital.gov", "json", 4),
        pytest.param("18f.gsa.gov", "rss", 25, marks=pytest.mark.soak),
    ],
)
def test_edits_deletions_and_restorations_are_seen_on_the_night_they_happened(agency, form, count, shared):
    with AgencyFeed(shared, agency, form) as blog, evidence_client() as http:
        connector = Feed(http)
        cursor: Cursor | None = None
        before: dict[str, object] = {}
        ever: set[str] = set()
        nights = blog.nights(count)
        for night in nights:
            blog.stand_at(night.at)
            batches = list(connector.observe(blog.page, cursor))
            cursor = batches[-1].resume_from
            now: dict[str, object] = {
                one.native_id.removeprefix("post:"): _stated(one)
                for batch in batches
                for one in batch.observations
                if one.kind is Kind.POST
            }
            assert [gap for batch in batches for gap in batch.gaps] == []
            assert sum(len(batch.listings) for batch in batches) == 1
            assert now.keys() - before.keys() == night.new | night.restored
            assert night.new.isdisjoint(ever)
            assert before.keys() - now.keys() == night.removed
            assert {one for one in now.keys() & before.keys() if now[one] != before[one]} == night.edited
            before, ever = now, ever | now.keys()
    assert len(nights) == count
    assert sum(len(night.edited) for night in nights) > 100
    assert sum(len(night.removed) for night in nights) >= 5
    assert any(night.restored for night in nights) or agency != AGENCIES[0]


def test_a_night_without_change_costs_one_question_and_yields_nothing(shared):
    with AgencyFeed(shared) as blog, evidence_client() as http:
        blog.stand_at(blog.nights(3)[-1].at)
        first = list(Feed(http).observe(blog.page, None))
        second = list(Feed(http).observe(blog.page, first[-1].resume_from))
    assert [exchange.status for batch in second for exchange in batch.exchanges] == [304]
    assert not any(batch.observations or batch.listings or batch.gaps for batch in second)


def _stated(one: Observation) -> tuple[object, ...]:
    """What the archive compares to know a new version, without the times that the world made up."""
    return one.text, one.html, one.url, tuple(one.attachments)
