"""A real WordPress, observed: what moderators and writers do there, and what the connector makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import httpx
import pytest

from connectors.contract import Author, Batch, Client, Cursor, Kind, Observation, Page, Sighting, State
from connectors.errors import AccessRevoked, TryAgainLater
from connectors.http import EvidenceClient
from connectors.wordpress import WordPress
from tests.connectors.worlds.loopback import evidence_client
from tests.live.conftest import LiveWordPress

pytestmark = pytest.mark.live


@pytest.fixture
def http(wordpress: LiveWordPress) -> Iterator[EvidenceClient]:
    # The server's revisions bear the machine's time, so the pass does too.
    with evidence_client(wordpress.secret, datetime.now(UTC)) as client:
        yield client


def observations(batches: Sequence[Batch]) -> dict[str, Observation]:
    return {one.native_id: one for batch in batches for one in batch.observations}


class Visit:
    def __init__(self, site: LiveWordPress, http: Client, *, connected: bool, **options: str) -> None:
        self.connector = WordPress(http, site.secret if connected else None)
        self.page = Page(address=site.address, options=options)
        self.cursor: Cursor | None = None

    def observe(self) -> list[Batch]:
        batches = list(self.connector.observe(self.page, self.cursor))
        self.cursor = batches[-1].resume_from
        return batches

    def seen(self) -> dict[str, Observation]:
        return observations(self.observe())

    def look(self, native_id: str) -> Sighting:
        kind = Kind.COMMENT if native_id.startswith("comment:") else Kind.POST
        (batch,) = self.connector.look(self.page, [(kind, native_id)])
        (sighting,) = batch.sightings
        return sighting


@pytest.fixture
def public(wordpress: LiveWordPress, http: Client) -> Visit:
    return Visit(wordpress, http, connected=False)


@pytest.fixture
def connected(wordpress: LiveWordPress, http: Client) -> Visit:
    return Visit(wordpress, http, connected=True)


@pytest.fixture
def post(wordpress: LiveWordPress) -> int:
    # Published in the past: WordPress keeps times to the second, and an edit should bear a later one.
    made = wordpress.api(
        "POST",
        "/posts",
        title="Water & roads",
        content="<p>Boil it until <b>six</b>.</p>",
        status="publish",
        date_gmt="2026-01-05T09:00:00",
    )
    number: int = made["id"]
    return number


def a_comment(site: LiveWordPress, post: int, words: str, status: str = "approved") -> int:
    """A comment by a stranger, let in by a moderator: the form itself lets one in every fifteen seconds."""
    writer = {"author_name": "Al Citizen", "author_email": "al@example.test"}
    made = site.api("POST", "/comments", post=post, content=words, status=status, **writer)
    number: int = made["id"]
    return number


def test_a_pass_sees_what_the_site_shows_and_with_credentials_what_it_holds_back(
    wordpress: LiveWordPress, public: Visit, connected: Visit
) -> None:
    made = wordpress.said
    post, comment = f"post:{made['post']['id']}", f"comment:{made['comment']['id']}"
    trashed = f"comment:{made['deletion']['comment_trashed']}"
    trashed_post = f"post:{made['deletion']['post_trashed']}"

    batches = public.observe()
    seen = observations(batches)
    assert seen["site"].text == "Test PD Blog"
    assert seen[post].text == "Road closure\n\nMain Street is closed until 20:00."
    account = made["account"]
    assert seen[post].author == Author(id=str(account["id"]), name=account["user"], handle=account["user"])
    assert seen[post].edited_at is not None
    assert seen[comment].in_reply_to == post
    assert seen[comment].author == Author(name="Jo Public")
    assert not {trashed, trashed_post} & set(seen)
    assert {one.kinds[0] for batch in batches for one in batch.listings} == {Kind.POST, Kind.COMMENT}
    assert not [gap for batch in batches for gap in batch.gaps]

    seen = connected.seen()
    assert seen[trashed].state is seen[trashed_post].state is State.HIDDEN
    assert seen[trashed].text == "I object to this."
    earlier = seen[post].extra["revisions"]
    assert isinstance(earlier, list)
    assert [one["text"] for one in earlier] == ["Main Street is closed until 20:00."]


def test_a_comment_that_waits_for_approval_is_hidden_until_it_is_approved(
    wordpress: LiveWordPress, post: int, public: Visit, connected: Visit
) -> None:
    held = a_comment(wordpress, post, "Is it safe now?", status="hold")
    assert f"comment:{held}" not in public.seen()
    assert connected.seen()[f"comment:{held}"].state is State.HIDDEN
    assert public.look(f"comment:{held}").state is State.UNKNOWN
    assert connected.look(f"comment:{held}").state is State.HIDDEN

    wordpress.api("POST", f"/comments/{held}", status="approved")
    assert public.seen()[f"comment:{held}"].state is State.PRESENT
    assert connected.look(f"comment:{held}").state is State.PRESENT


def test_edits_of_posts_and_comments_are_seen_by_the_next_pass(
    wordpress: LiveWordPress, post: int, connected: Visit
) -> None:
    comment = a_comment(wordpress, post, "What about Mill Road?")
    before = connected.seen()
    assert before[f"post:{post}"].edited_at is None
    wordpress.api("POST", f"/posts/{post}", content="<p>Boil it until <b>eight</b>.</p>")
    wordpress.api("POST", f"/comments/{comment}", content="What about Mill Lane?")

    after = connected.seen()
    shown = after[f"post:{post}"]
    assert shown.text == "Water & roads\n\nBoil it until eight."
    assert shown.edited_at is not None
    earlier = shown.extra["revisions"]
    assert isinstance(earlier, list)
    assert earlier[-1]["text"] == "Boil it until eight."
    assert after[f"comment:{comment}"].text == "What about Mill Lane?"


def test_a_trashed_comment_is_hidden_and_one_deleted_for_good_is_gone(
    wordpress: LiveWordPress, post: int, public: Visit, connected: Visit
) -> None:
    trashed, deleted = (
        a_comment(wordpress, post, "First objection"),
        a_comment(wordpress, post, "Second objection"),
    )
    assert {f"comment:{trashed}", f"comment:{deleted}"} <= set(public.seen())
    wordpress.api("DELETE", f"/comments/{trashed}")
    wordpress.api("DELETE", f"/comments/{deleted}?force=true")

    assert not {f"comment:{trashed}", f"comment:{deleted}"} & set(public.seen())
    refused = public.look(f"comment:{trashed}")
    assert refused.state is State.UNKNOWN
    assert refused.reason.startswith("401 ")
    assert connected.look(f"comment:{trashed}").state is State.HIDDEN
    assert connected.seen()[f"comment:{trashed}"].text == "First objection"
    for visit in (public, connected):
        gone = visit.look(f"comment:{deleted}")
        assert (gone.state, gone.reason) == (State.GONE, "404 rest_comment_invalid_id")


def test_a_post_deleted_for_good_is_gone_and_one_in_the_trash_is_not(
    wordpress: LiveWordPress, post: int, public: Visit, connected: Visit
) -> None:
    comment = a_comment(wordpress, post, "Below it")
    wordpress.api("DELETE", f"/posts/{post}")
    assert public.look(f"post:{post}").state is State.UNKNOWN
    assert connected.look(f"post:{post}").state is State.HIDDEN
    seen = connected.seen()
    assert seen[f"post:{post}"].state is seen[f"comment:{comment}"].state is State.HIDDEN

    wordpress.api("DELETE", f"/posts/{post}?force=true")
    for visit in (public, connected):
        assert visit.look(f"post:{post}").state is State.GONE
        assert visit.look(f"comment:{comment}").state is State.GONE


def test_files_passwords_and_private_posts_are_seen_as_the_site_shows_them(
    wordpress: LiveWordPress, public: Visit, connected: Visit
) -> None:
    locked = wordpress.api(
        "POST", "/posts", title="Plan", content="<p>hidden words</p>", status="publish", password="pw"
    )
    private = wordpress.api(
        "POST", "/posts", title="Internal", content="<p>inner words</p>", status="private"
    )
    draft = wordpress.api("POST", "/posts", title="Not yet", content="<p>draft</p>", status="draft")
    sticky = wordpress.api(
        "POST", "/posts", title="On top", content="<p>sticky</p>", status="publish", sticky=True
    )
    picture = wordpress.upload("bridge.gif", post=sticky["id"])

    seen = public.seen()
    assert (seen[f"post:{locked['id']}"].state, seen[f"post:{locked['id']}"].html) == (State.PRESENT, "")
    assert seen[f"post:{locked['id']}"].extra["protected"] is True
    assert f"post:{private['id']}" not in seen
    assert [file.id for file in seen[f"post:{sticky['id']}"].attachments] == [f"media:{picture}"]

    seen = connected.seen()
    assert "hidden words" in seen[f"post:{locked['id']}"].text
    assert seen[f"post:{private['id']}"].state is State.HIDDEN
    assert f"post:{draft['id']}" not in seen
    assert public.look(f"post:{private['id']}").state is State.UNKNOWN


def test_small_answers_show_the_same_as_large_ones(wordpress: LiveWordPress, http: Client, post: int) -> None:
    for number in range(5):
        a_comment(wordpress, post, f"Remark {number} on {post}")
    for connected in (False, True):
        large = Visit(wordpress, http, connected=connected).seen()
        small = Visit(wordpress, http, connected=connected, page_size="3").seen()
        assert set(small) == set(large)


def test_an_outage_proves_nothing_and_afterwards_all_is_seen_again(
    wordpress: LiveWordPress, post: int, public: Visit
) -> None:
    before = public.seen()
    wordpress.stop()
    try:
        for act in (public.observe, lambda: public.look(f"post:{post}")):
            with pytest.raises(TryAgainLater):
                act()
    finally:
        wordpress.start()
    assert set(public.seen()) == set(before)
    assert public.look(f"post:{post}").state is State.PRESENT


def test_a_wrong_password_is_noticed(wordpress: LiveWordPress, http: Client) -> None:
    connector = WordPress(http, {"user": "admin", "application_password": "aaaa bbbb cccc dddd eeee ffff"})
    with pytest.raises(AccessRevoked):
        list(connector.observe(Page(address=wordpress.address), None))


def test_an_author_without_moderators_rights_gets_the_public_view_and_a_gap(
    wordpress: LiveWordPress, http: Client
) -> None:
    account = wordpress.said["account"]
    connector = WordPress(
        http, {"user": account["user"], "application_password": account["application_password"]}
    )
    batches = list(connector.observe(Page(address=wordpress.address), None))
    assert {"hidden posts", "hidden pages", "hidden comments"} <= {
        gap.what for batch in batches for gap in batch.gaps
    }
    assert all(one.state is State.PRESENT for one in observations(batches).values())


def test_an_address_inside_the_site_leads_to_the_site(wordpress: LiveWordPress, http: Client) -> None:
    for inside in ("/", "/wp-json/", "/?p=5", "/no/such/page"):
        batch = next(iter(WordPress(http).observe(Page(address=wordpress.address + inside), None)))
        assert observations([batch])["site"].url == wordpress.address


def test_a_trackback_is_seen_by_moderators_and_listed_for_nobody_else(
    wordpress: LiveWordPress, post: int, public: Visit, connected: Visit
) -> None:
    told = {
        "url": "https://valley.example/road",
        "title": "The road",
        "excerpt": "Read on",
        "blog_name": "Valley News",
    }
    where = wordpress.api("GET", f"/posts/{post}")["link"]
    # From another address of this machine: from one, WordPress lets in a comment every fifteen seconds.
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(transport=elsewhere, trust_env=False, timeout=30) as stranger:
        answer = stranger.post(f"{where}trackback/", data=told)
    assert "<error>0</error>" in answer.text
    (name,) = [one for one, seen in connected.seen().items() if seen.extra.get("type") == "trackback"]
    seen = connected.seen()[name]
    assert (seen.kind, seen.state, seen.in_reply_to) == (Kind.COMMENT, State.HIDDEN, f"post:{post}")
    wordpress.api("POST", f"/comments/{name.partition(':')[2]}", status="approved")
    assert connected.seen()[name].state is State.PRESENT
    assert name not in public.seen()
    assert public.look(name).state is State.PRESENT
