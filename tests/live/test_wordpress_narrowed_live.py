"""A real WordPress, a part of it: what its own filters of time leave in and out, and one post with its comments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.contract import Batch, Page
from connectors.wordpress import WordPress
from tests.connectors.worlds.loopback import evidence_client
from tests.live.conftest import LiveWordPress

pytestmark = pytest.mark.live


def seen(batches: Iterator[Batch]) -> dict[str, str]:
    return {one.native_id: one.text for batch in batches for one in batch.observations}


def test_a_real_site_narrows_tells_what_was_edited_and_shows_a_family(wordpress: LiveWordPress) -> None:
    site = wordpress
    old = site.api(
        "POST", "/posts", title="Old", content="<p>1</p>", status="publish", date_gmt="2025-01-05T09:00:00"
    )["id"]
    kept = site.api(
        "POST", "/posts", title="March", content="<p>2</p>", status="publish", date_gmt="2025-03-05T09:00:00"
    )["id"]
    writer = {"author_name": "Al Citizen", "author_email": "al@example.test", "status": "approved"}
    said = site.api(
        "POST", "/comments", post=kept, content="March", date_gmt="2025-03-06T09:00:00", **writer
    )["id"]
    under = site.api("POST", "/comments", post=kept, content="Late", parent=said, **writer)["id"]
    span = Page(
        address=site.address,
        published_from=datetime(2025, 3, 1, tzinfo=UTC),
        published_until=datetime(2025, 3, 31, tzinfo=UTC),
    )
    with evidence_client(site.secret, datetime.now(UTC)) as http:
        assert f"post:{old}" not in seen(WordPress(http).observe(span, None))
        site.api("POST", f"/posts/{old}", content="<p>1, corrected</p>")
        for connector in (WordPress(http), WordPress(http, site.secret)):
            march = seen(connector.observe(span, None))
            assert {f"post:{kept}", f"comment:{said}"} <= set(march)
            assert f"comment:{under}" not in march
            assert march[f"post:{old}"] == "Old\n\n1, corrected", (
                "what was edited since the span began is read too"
            )
            family = list(connector.family(Page(address=site.address), f"post:{kept}"))
            assert list(seen(iter(family))) == [f"post:{kept}", f"comment:{said}", f"comment:{under}"]
            assert len(family[-1].listings) == 3
            wrong = [one.what for one in connector.check(Page(address=site.address)) if not one.fine]
            assert wrong in ([], ["connection"])
