"""WordPress, observed over loopback: what it shows, what it holds back, and what it never proves."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import (
    Author,
    Batch,
    Cursor,
    Kind,
    Listing,
    Observation,
    Page,
    Sighting,
    State,
)
from connectors.errors import (
    AccessRevoked,
    AddressRefused,
    ConnectorError,
    NoSuchPage,
    TryAgainLater,
    UnexpectedResponse,
)
from connectors.http import EvidenceClient
from connectors.wordpress import WordPress, parse
from connectors.wordpress.address import Root, site_address
from connectors.wordpress.place import Place
from connectors.wordpress.rows import leaves
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import bytes_at
from tests.connectors.worlds.visits import seen as observations
from tests.connectors.worlds.wordpress_world import (
    CHALLENGE,
    HTML,
    JSON,
    NOTICE,
    SIGN_IN,
    Answer,
    Refused,
    WordPressWorld,
)


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    secret = {"user": WordPressWorld.user, "application_password": WordPressWorld.application_password}
    with evidence_client(secret) as client:
        yield client


@pytest.fixture
def world() -> Iterator[WordPressWorld]:
    with WordPressWorld() as site:
        yield site


class Visit:
    """One connector at one site, and everything that its passes have yielded."""

    def __init__(self, world: WordPressWorld, http: Any, *, connected: bool = False, **options: str) -> None:
        self.connector = WordPress(http, world.secret if connected else None)
        self.page = Page(address=world.address, options=options)

    def observe(self, since: Cursor | None = None) -> list[Batch]:
        return list(self.connector.observe(self.page, since))

    def look(self, *native_ids: str) -> dict[str, Sighting]:
        kinds = {"post": Kind.POST, "page": Kind.POST, "comment": Kind.COMMENT, "site": Kind.PROFILE}
        asked = [(kinds[one.partition(":")[0]], one) for one in native_ids]
        batches = list(self.connector.look(self.page, asked))
        for batch in batches:
            assert all(sighting.exchange < len(batch.exchanges) for sighting in batch.sightings)
        return {one.native_id: one for batch in batches for one in batch.sightings}


def listings(batches: Sequence[Batch]) -> dict[Kind, Listing]:
    return {one.kinds[0]: one for batch in batches for one in batch.listings}


def gaps(batches: Sequence[Batch]) -> list[tuple[str, str]]:
    return [(one.what, one.why) for batch in batches for one in batch.gaps]


# --- a pass -----------------------------------------------------------------------------------------------


def test_a_pass_sees_the_site_its_posts_its_pages_and_its_comments(world, http):
    post = world.publish("Road & bridge", "<p>Main Street is <b>closed</b>.</p>\n<p>Use 2nd &#038; 3rd.</p>")
    about = world.publish("About us", "<p>We are here.</p>", type="page", author=2)
    first = world.comment(post, "<p>Which way?</p>")
    answer = world.comment(post, "<p>Left \U0001f6a7</p>", parent=first, author=1, author_name="Press Office")
    below = world.comment(about, "<p>Thanks</p>", author_name="Tom &amp; Jo")

    batches = Visit(world, http).observe()
    seen = observations(batches)

    assert list(seen) == ["site", f"post:{post}", f"page:{about}", "comment:1", "comment:2", "comment:3"]
    assert seen["site"].kind is Kind.PROFILE
    assert seen["site"].text == "Test Town & Valley\n\nNews from the hall"
    assert seen["site"].url == world.address
    shown = seen[f"post:{post}"]
    assert (shown.kind, shown.state) == (Kind.POST, State.PRESENT)
    assert shown.text == "Road & bridge\n\nMain Street is closed.\n\nUse 2nd & 3rd."
    assert shown.html == "<p>Main Street is <b>closed</b>.</p>\n<p>Use 2nd &#038; 3rd.</p>"
    assert shown.published_at == datetime(2026, 3, 1, 8, 1, tzinfo=UTC)
    assert shown.edited_at is None
    assert shown.author == Author(id="1", name="Press Office", handle="press")
    assert seen[f"page:{about}"].author == Author(id="2", name="J. O'Neil", handle="oneil")
    assert seen[f"comment:{first}"].in_reply_to == f"post:{post}"
    assert seen[f"comment:{answer}"].in_reply_to == f"comment:{first}"
    assert seen[f"comment:{answer}"].text == "Left \U0001f6a7"
    assert seen[f"comment:{below}"].in_reply_to == f"page:{about}"
    assert seen[f"comment:{answer}"].author == Author(id="1", name="Press Office")
    assert seen[f"comment:{below}"].author == Author(name="Tom & Jo")
    assert gaps(batches) == []


def test_a_finished_pass_says_that_it_saw_everything_and_what_the_site_counts(world, http):
    post = world.publish("One", "<p>1</p>")
    world.publish("Two", "<p>2</p>", type="page")
    world.comment(post, "<p>a</p>")
    before = http.now()

    batches = Visit(world, http).observe()

    closing = listings(batches)
    assert set(closing) == {Kind.POST, Kind.COMMENT}
    assert (closing[Kind.POST].stated_total, closing[Kind.COMMENT].stated_total) == (2, 1)
    assert all(one.states == (State.PRESENT,) for one in closing.values())
    assert all(one.began_at >= before for one in closing.values())
    where = [
        index for index, batch in enumerate(batches) for one in batch.listings if one.kinds == [Kind.POST]
    ]
    pages = [index for index, batch in enumerate(batches) if "page:2" in observations([batch])]
    assert where == pages, "posts and pages are one kind: nothing may be called missing before both are read"


def test_an_empty_site_is_a_complete_pass_too(world, http):
    batches = Visit(world, http).observe()
    assert list(observations(batches)) == ["site"]
    assert {kind: one.stated_total for kind, one in listings(batches).items()} == {
        Kind.POST: 0,
        Kind.COMMENT: 0,
    }


def test_every_observation_names_the_bytes_it_was_read_from(world, http):
    picture = world.upload("bridge.jpg")
    for number in range(5):
        post = world.publish(
            f"Post {number}", f'<p>Text {number}</p><img class="wp-image-{picture}" src="x">'
        )
        world.comment(post, f"<p>Said {number}</p>")

    batches = Visit(world, http, page_size="2").observe()

    assert len(batches) > 5
    for batch in batches:
        for one in batch.observations:
            assert one.evidence
            if one.native_id == "site":
                continue
            own = json.loads(bytes_at(batch, one.evidence[0]))
            assert own["id"] == int(one.native_id.partition(":")[2])
            assert own["content"]["rendered"] == one.html
            if one.kind is Kind.POST:
                author, file = (json.loads(bytes_at(batch, span)) for span in one.evidence[1:])
                assert author["slug"] == "press"
                assert file["source_url"] == one.attachments[0].url


def test_each_item_of_a_listing_has_bytes_of_its_own_and_together_they_are_the_listing(world, http):
    post = world.publish("One", "<p>1</p>")
    for _ in range(3):
        world.comment(post, "<p>the same words</p>")

    last = Visit(world, http).observe()[-1]

    spans = [one.evidence[0] for one in last.observations]
    body = last.exchanges[spans[0].exchange].body
    joined = b"[" + b",".join(body[span.start : span.end] for span in spans) + b"]"
    assert json.loads(joined) == json.loads(body)
    assert len({(span.start, span.end) for span in spans}) == 3


def test_a_listing_that_comes_compressed_is_read_and_owned_as_a_whole(world, http):
    world.publish("One", "<p>1</p>")
    world.publish("Two", "<p>2</p>")
    plainly = observations(Visit(world, http).observe())
    world.compresses = True
    batches = Visit(world, http).observe()
    assert {one: seen.text for one, seen in observations(batches).items()} == {
        one: seen.text for one, seen in plainly.items()
    }
    for batch in batches:
        for one in batch.observations:
            whole = len(batch.exchanges[one.evidence[0].exchange].body)
            assert (one.evidence[0].start, one.evidence[0].end) == (0, whole)


def test_a_pass_from_the_last_cursor_sees_the_same_again_and_an_edited_comment_with_it(world, http):
    post = world.publish("One", "<p>1</p>")
    number = world.comment(post, "<p>first thought</p>")
    visit = Visit(world, http)
    first = visit.observe()
    world.edit_comment(number, "<p>second thought</p>")

    second = visit.observe(first[-1].resume_from)

    assert observations(second)[f"comment:{number}"].text == "second thought"
    assert set(observations(second)) == set(observations(first))
    assert set(listings(second)) == {Kind.POST, Kind.COMMENT}


def test_an_edited_post_says_when_it_was_edited(world, http):
    post = world.publish("One", "<p>until six</p>")
    world.edit(post, "<p>until eight</p>")
    shown = observations(Visit(world, http).observe())[f"post:{post}"]
    assert shown.text == "One\n\nuntil eight"
    assert shown.edited_at == datetime(2026, 3, 1, 8, 2, tzinfo=UTC)
    assert "revisions" not in shown.extra


# --- resuming, and a site that changes meanwhile ------------------------------------------------------------


@pytest.mark.parametrize("connected", [False, True])
def test_resuming_from_any_cursor_misses_nothing(world, http, connected):
    for number in range(7):
        world.comment(world.publish(f"Post {number}", "<p>x</p>"), f"<p>{number}</p>")
    world.publish("About", "<p>y</p>", type="page")
    visit = Visit(world, http, connected=connected, page_size="3")
    whole = visit.observe()
    assert len(whole) >= 6

    for stopped in range(len(whole)):
        resumed = visit.observe(whole[stopped].resume_from)
        together = observations([*whole[: stopped + 1], *resumed])
        assert set(together) == set(observations(whole))
        assert listings(resumed)[Kind.COMMENT].stated_total == 7
        if Kind.POST in listings(resumed):
            assert listings(resumed)[Kind.POST].stated_total == 8


def test_what_was_seen_before_a_resumption_counts_from_when_the_pass_began(world, http):
    for number in range(4):
        world.publish(f"Post {number}", "<p>x</p>")
    visit = Visit(world, http, page_size="2")
    whole = visit.observe()
    began = listings(whole)[Kind.POST].began_at
    assert listings(visit.observe(whole[1].resume_from))[Kind.POST].began_at == began
    http._clock.at += timedelta(hours=1)
    assert listings(visit.observe(whole[-1].resume_from))[Kind.POST].began_at == began + timedelta(hours=1)


@pytest.mark.parametrize("removed", [1, 2, 3, 40])
def test_items_removed_while_a_listing_is_read_let_no_other_slip_away(world, http, removed):
    post = world.publish("One", "<p>1</p>")
    kept = {world.comment(post, f"<p>{number}</p>") for number in range(60)}
    pages = iter(range(1000))

    def moderate(route: str) -> None:
        if route == "comments" and next(pages) == 5:
            for number in range(1, removed + 1):
                world.delete_comment(number)
                kept.discard(number)

    world.before = moderate
    batches = Visit(world, http, page_size="10").observe()

    assert {f"comment:{number}" for number in kept} <= set(observations(batches))
    assert Kind.COMMENT in listings(batches)


def test_items_added_while_a_listing_is_read_are_seen_in_it(world, http):
    post = world.publish("One", "<p>1</p>")
    for number in range(9):
        world.comment(post, f"<p>{number}</p>")
    added: list[int] = []

    def write(route: str) -> None:
        if route == "comments" and len(added) < 3:
            added.append(world.comment(post, "<p>new</p>"))

    world.before = write
    seen = observations(Visit(world, http, page_size="4").observe())
    assert len(added) == 3
    assert {f"comment:{number}" for number in added} <= set(seen)


def test_a_site_that_answers_every_question_with_the_same_items_is_not_read_for_ever(world, http):
    for number in range(9):
        world.publish(f"Post {number}", "<p>x</p>")
    world.ignores_offset = True
    with pytest.raises(UnexpectedResponse, match="same items"):
        Visit(world, http, page_size="3").observe()


def test_a_site_that_states_no_totals_is_read_to_its_end(world, http):
    for number in range(7):
        world.publish(f"Post {number}", "<p>x</p>")
    world.hides_totals = True
    batches = Visit(world, http, page_size="3").observe()
    assert len([one for one in observations(batches) if one.startswith("post:")]) == 7
    assert listings(batches)[Kind.POST].stated_total is None


def test_what_the_site_counts_and_does_not_show_is_a_gap(world, http):
    post, locked = world.publish("One", "<p>1</p>"), world.publish("Two", "<p>2</p>", password="pw")
    world.comment(post, "<p>seen</p>")
    world.comment(locked, "<p>not for the public</p>")
    batches = Visit(world, http).observe()
    assert "comment:2" not in observations(batches)
    assert gaps(batches) == [("comments", "the site counts 2 and shows 1 of them to us")]


def test_long_runs_of_rows_that_the_site_does_not_show_end_the_pass_without_a_promise(world, http):
    post, locked = world.publish("One", "<p>1</p>"), world.publish("Two", "<p>2</p>", password="pw")
    world.comment(post, "<p>first</p>")
    for _ in range(30):
        world.comment(locked, "<p>not for the public</p>")
    world.comment(post, "<p>last</p>")
    batches = Visit(world, http, page_size="5").observe()
    assert {"comment:1", "comment:32"} <= set(observations(batches))
    assert Kind.COMMENT not in listings(batches)
    assert "comments" in dict(gaps(batches))


def test_a_cursor_that_cannot_be_read_begins_a_pass_from_nothing(world, http):
    world.publish("One", "<p>1</p>")
    for broken in ("", "{", "[]", '{"stream":"nothing"}', '{"stream":"posts","offset":-1}'):
        assert "post:1" in observations(Visit(world, http).observe(Cursor(broken)))


# --- with credentials -----------------------------------------------------------------------------------------


def test_hidden_items_are_seen_with_credentials_and_only_then(world, http):
    post = world.publish("One", "<p>1</p>")
    for status in ("hold", "spam", "trash", "post-trashed"):
        world.comment(post, f"<p>{status}</p>", status=status)
    for status in ("private", "pending", "trash", "draft", "future", "auto-draft"):
        world.publish(status, "<p>x</p>", status=status)
    world.publish("Old page", "<p>x</p>", status="trash", type="page")

    public = Visit(world, http).observe()
    assert list(observations(public)) == ["site", f"post:{post}"]

    connected = Visit(world, http, connected=True).observe()
    seen = observations(connected)
    hidden = {
        one.extra["title"] or one.text
        for one in seen.values()
        if one.state is State.HIDDEN and "title" in one.extra
    }
    assert hidden == {"private", "pending", "trash", "Old page"}
    held = {one.text for one in seen.values() if one.kind is Kind.COMMENT}
    assert held == {"hold", "spam", "trash", "post-trashed"}
    assert all(one.state is State.HIDDEN for one in seen.values() if one.kind is Kind.COMMENT)
    assert all(one.states == (State.PRESENT, State.HIDDEN) for one in listings(connected).values())

    drafted = observations(Visit(world, http, connected=True, drafts="yes").observe())
    assert {"draft", "future"} <= {one.extra.get("title") for one in drafted.values()}
    assert "auto-draft" not in {one.extra.get("title") for one in drafted.values()}


def test_what_only_moderators_may_know_of_a_writer_is_in_the_evidence_and_nowhere_else(world, http):
    world.comment(world.publish("One", "<p>1</p>"), "<p>said</p>")
    batches = Visit(world, http, connected=True).observe()
    (last,) = [batch for batch in batches if "comment:1" in observations([batch])]
    (one,) = last.observations
    assert b"jo@visitor.example" in bytes_at(last, one.evidence[0])
    for private in ("jo@visitor.example", "203.0.113.7"):
        assert private not in repr(one)


def test_earlier_texts_are_with_the_post_oldest_first_and_drafts_are_not_among_them(world, http):
    post = world.publish("One", "<p>first</p>")
    world.edit(post, "<p>second</p>")
    world.edit(post, "<p>third</p>")
    world.items[post].revisions += [
        {**world.items[post].revisions[0], "id": 90, "slug": f"{post}-autosave-v1"},
        {**world.items[post].revisions[0], "id": 91, "date_gmt": "2026-02-01T00:00:00"},
    ]
    batches = Visit(world, http, connected=True, page_size="2").observe()
    shown = observations(batches)[f"post:{post}"]
    earlier = shown.extra["revisions"]
    assert isinstance(earlier, list)
    assert [one["text"] for one in earlier] == ["second", "third"]
    assert [one["since"] for one in earlier] == ["2026-03-01T08:02:00+00:00", "2026-03-01T08:03:00+00:00"]
    assert shown.text == "One\n\nthird"
    batch = next(batch for batch in batches if shown in batch.observations)
    pieces = [json.loads(bytes_at(batch, span)) for span in shown.evidence]
    assert [piece["id"] for piece in pieces if "parent" in piece] == [
        revision["id"] for revision in world.items[post].revisions
    ]


def test_earlier_texts_are_asked_for_only_after_a_change(world, http):
    post = world.publish("One", "<p>first</p>")
    world.edit(post, "<p>second</p>")
    visit = Visit(world, http, connected=True)
    cursor = visit.observe()[-1].resume_from
    world.asked.clear()
    again = visit.observe(cursor)
    assert not [one for one in world.asked if "revisions" in one]
    assert observations(again)[f"post:{post}"].text == "One\n\nsecond"

    world.tick(minutes=60 * 24 * 3650)  # the site's clock comes to stand after the last pass
    world.edit(post, "<p>third</p>")
    changed = observations(visit.observe(again[-1].resume_from))[f"post:{post}"]
    texts = changed.extra["revisions"]
    assert isinstance(texts, list)
    assert [one["text"] for one in texts] == ["second", "third"]


def test_a_wrong_password_is_noticed_although_the_site_says_nothing(world, http):
    world.publish("One", "<p>1</p>")
    world.accepts_password = False
    with pytest.raises(AccessRevoked, match="application password") as raised:
        Visit(world, http, connected=True).observe()
    assert raised.value.exchanges[-1].status == 401
    with pytest.raises(AccessRevoked):
        Visit(world, http, connected=True).look("post:1")


def test_no_exchange_holds_the_password(world, http):
    world.comment(world.publish("One", "<p>1</p>"), "<p>said</p>")
    kept = repr(Visit(world, http, connected=True).observe())
    basic = base64.b64encode(f"{world.user}:{world.application_password}".encode()).decode()
    assert any(world.authorized)
    assert "[[secret:Authorization]]" in kept
    assert world.application_password not in kept
    assert basic not in kept


def test_an_account_that_may_not_moderate_is_a_gap_and_the_public_view_is_kept(world, http):
    world.capabilities = {"edit_posts": True}
    post = world.publish("One", "<p>1</p>")
    world.comment(post, "<p>seen</p>")
    world.comment(post, "<p>held</p>", status="hold")
    batches = Visit(world, http, connected=True).observe()
    assert {"post:1", "comment:1"} <= set(observations(batches))
    assert "comment:2" not in observations(batches)
    assert {what for what, _ in gaps(batches)} == {"hidden posts", "hidden pages", "hidden comments"}
    assert all(one.states == (State.PRESENT,) for one in listings(batches).values())


def test_the_password_is_sent_to_the_site_and_to_nobody_else(world, http):
    with WordPressWorld() as other:
        world.trouble = lambda route: (
            (
                200,
                {
                    **HTML,
                    "Link": f'<{other.address.replace("127.0.0.1", "localhost")}/wp-json/>; rel="https://api.w.org/"',
                },
                b"x",
            )
            if route == "/"
            else None
        )
        with pytest.raises(AddressRefused, match="another host"):
            Visit(world, http, connected=True).observe()
        assert other.asked == []
    world.trouble = None
    Visit(world, http, connected=True).observe()
    assert world.authorized[-1]
    assert not any(
        sent for sent, asked in zip(world.authorized, world.asked, strict=True) if "robots" in asked
    )


def test_a_site_that_moved_is_followed_but_not_with_the_password(world, http):
    world.publish("One", "<p>1</p>")
    with WordPressWorld() as old:
        old.redirects_to = world.address
        assert "post:1" in observations(Visit(old, http).observe())
        with pytest.raises(AddressRefused, match="another host"):
            Visit(old, http, connected=True).observe()
        assert not any(world.authorized)

        old.redirects_to = None
        old.trouble = lambda route: (
            (302, {"Location": f"{world.address}/wp-json/wp/v2/{route}"}, b"") if route == "posts" else None
        )
        with pytest.raises(UnexpectedResponse, match="not sent along"):
            Visit(old, http, connected=True).observe()
        assert not any(world.authorized)
        old.redirects_to, old.trouble = old.address, None
        with pytest.raises(UnexpectedResponse, match="on and on"):
            Visit(old, http).observe()


def test_places_are_the_same_with_and_without_www_and_tls():
    same = {
        Root(one).place for one in ("https://t.example/", "http://www.t.example/a", "https://t.example:443/")
    }
    assert len(same) == 1
    assert Root("https://t.example:8443/").place not in same
    assert Root("https://u.t.example/").place not in same


def test_the_password_does_not_leave_the_machine_in_clear():
    assert Root("https://blog.example/wp-json/").keeps_secrets
    assert Root("http://127.0.0.1:8802/wp-json/").keeps_secrets
    assert not Root("http://blog.example/wp-json/").keeps_secrets


# --- looking by number -------------------------------------------------------------------------------------------


def test_what_was_deleted_for_good_is_gone_by_the_sites_own_word(world, http):
    post = world.publish("One", "<p>1</p>")
    number = world.comment(post, "<p>said</p>")
    world.delete(post)
    seen = Visit(world, http).look(f"post:{post}", f"comment:{number}")
    assert seen["post:1"].state is State.GONE
    assert seen["post:1"].reason == "404 rest_post_invalid_id"
    assert seen["comment:1"].state is State.GONE
    assert seen["comment:1"].reason == "404 rest_comment_invalid_id"


def test_what_is_trashed_is_unknown_to_the_public_and_hidden_to_moderators(world, http):
    post = world.publish("One", "<p>1</p>")
    number = world.comment(post, "<p>said</p>", status="trash")
    world.set_status(post, "trash")
    public = Visit(world, http).look(f"post:{post}", f"comment:{number}")
    assert {one.state for one in public.values()} == {State.UNKNOWN}
    assert public["comment:1"].reason == "401 rest_cannot_read"
    connected = Visit(world, http, connected=True).look(f"post:{post}", f"comment:{number}")
    assert {one.state for one in connected.values()} == {State.HIDDEN}


def test_what_is_still_shown_is_present_and_its_words_are_not_read_again(world, http):
    post = world.publish("One", "<p>these words</p>", password="pw")
    open_post = world.publish("Two", "<p>these words</p>")
    number = world.comment(open_post, "<p>these words</p>")
    visit = Visit(world, http)
    seen = visit.look(f"post:{post}", f"post:{open_post}", f"comment:{number}", "site")
    assert {one.state for one in seen.values()} == {State.PRESENT}
    for batch in visit.connector.look(visit.page, [(Kind.COMMENT, "comment:1"), (Kind.POST, "post:2")]):
        assert all(b"these words" not in one.body for one in batch.exchanges)


def test_a_post_that_became_a_page_is_not_called_gone(world, http):
    number = world.publish("One", "<p>1</p>")
    world.items[number].type = "page"
    seen = Visit(world, http).look(f"post:{number}")[f"post:{number}"]
    assert seen.state is State.UNKNOWN
    assert f"page:{number}" in seen.reason


def test_a_route_that_is_switched_off_proves_nothing(world, http):
    world.comment(world.publish("One", "<p>1</p>"), "<p>said</p>")
    world.shut["comments"] = Refused(404, "rest_no_route")
    world.shut["posts"] = Refused(410, "rest_post_gone")
    seen = Visit(world, http).look("comment:1", "post:1")
    assert seen["comment:1"].state is State.UNKNOWN
    assert seen["post:1"].state is State.GONE, "410 is HTTP's own word for gone"


def test_ids_of_another_platform_are_not_asked_for(world, http):
    visit = Visit(world, http)
    strange = [(Kind.POST, "toot:7"), (Kind.POST, "post:../users"), (Kind.POST, "")]
    assert list(visit.connector.look(visit.page, strange)) == []


TROUBLES: dict[str, tuple[Answer, type[ConnectorError]]] = {
    "throttled": ((429, {**JSON, "Retry-After": "120"}, b"{}"), TryAgainLater),
    "failing": ((503, HTML, CHALLENGE), TryAgainLater),
    "broken": ((500, JSON, b'{"code":"internal_server_error"}'), TryAgainLater),
    "challenged": ((403, {**HTML, "cf-mitigated": "challenge"}, CHALLENGE), UnexpectedResponse),
    "signed out": ((200, HTML, SIGN_IN), UnexpectedResponse),
    "page for JSON": ((404, HTML, b"<html>not here</html>"), UnexpectedResponse),
    "warned": ((200, JSON, NOTICE + b"[]"), UnexpectedResponse),
    "empty": ((200, JSON, b""), UnexpectedResponse),
    "another shape": ((200, JSON, b'[{"uid": 1}]'), UnexpectedResponse),
    "cut": ((200, JSON, b'[{"id": 1, "content": {"rend'), UnexpectedResponse),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_never_a_deletion(world, http, trouble):
    answer, error = TROUBLES[trouble]
    post = world.publish("One", "<p>1</p>")
    world.comment(post, "<p>said</p>")
    visit = Visit(world, http)
    visit.observe()

    world.trouble = lambda route: answer if route.startswith(("posts", "comments")) else None
    with pytest.raises(error) as raised:
        visit.observe()
    assert raised.value.exchanges[-1].status == answer[0]
    if answer[0] >= 500:  # of one item, as of one that is broken: nothing is known of it
        assert visit.look(f"post:{post}")[f"post:{post}"].state is State.UNKNOWN
    else:
        with pytest.raises(error) as raised:
            visit.look(f"post:{post}")
        assert raised.value.exchanges[-1].body == answer[2]

    world.trouble = None
    assert visit.look(f"post:{post}")[f"post:{post}"].state is State.PRESENT


@pytest.mark.parametrize("trouble", ["throttled", "failing", "challenged", "signed out", "warned"])
def test_trouble_everywhere_is_never_a_wrong_address(world, http, trouble):
    answer, error = TROUBLES[trouble]
    visit = Visit(world, http)
    cursor = visit.observe()[-1].resume_from
    world.trouble = lambda _: answer
    for act in (lambda: visit.observe(cursor), lambda: visit.look("post:1")):
        with pytest.raises(error):
            act()


def test_an_error_in_the_midst_of_a_batch_carries_everything_that_was_asked_for_it(world, http):
    world.publish("One", "<p>1</p>")
    world.trouble = lambda route: (429, JSON, b"{}") if route == "media" else None
    batches = Visit(world, http).connector.observe(Page(address=world.address), None)
    assert list(observations([next(batches)])) == ["site"]
    with pytest.raises(TryAgainLater) as raised:
        next(batches)
    asked = [exchange.url.partition("?")[0].rpartition("/")[2] for exchange in raised.value.exchanges]
    assert asked == ["posts", "users", "media"]


def test_a_site_that_is_down_is_asked_again_later(http):
    with WordPressWorld() as world:
        visit = Visit(world, http)
        cursor = visit.observe()[-1].resume_from
    with pytest.raises(TryAgainLater):
        visit.observe(cursor)
    with pytest.raises(TryAgainLater):
        visit.look("post:1")


# --- what a site may refuse ---------------------------------------------------------------------------------------


def test_authors_that_the_site_does_not_name_are_one_gap_and_keep_their_number(world, http):
    world.shut["users"] = Refused(401, "rest_user_cannot_view")
    for number in range(5):
        world.publish(f"Post {number}", "<p>x</p>")
    batches = Visit(world, http, page_size="2").observe()
    assert observations(batches)["post:1"].author == Author(id="1")
    assert gaps(batches) == [("authors' names", "the site answers 401 rest_user_cannot_view")]
    assert Kind.POST in listings(batches)


def test_a_site_without_comments_is_read_and_the_gap_is_said(world, http):
    world.publish("One", "<p>1</p>")
    world.shut["comments"] = Refused(404, "rest_no_route")
    batches = Visit(world, http).observe()
    assert "post:1" in observations(batches)
    assert gaps(batches) == [("comments", "the site answers 404 rest_no_route")]
    assert set(listings(batches)) == {Kind.POST}


def test_pages_that_cannot_be_read_leave_the_listing_of_posts_unsaid(world, http):
    world.publish("One", "<p>1</p>")
    world.shut["pages"] = Refused(401, "rest_forbidden")
    batches = Visit(world, http).observe()
    assert [what for what, _ in gaps(batches)] == ["pages"]
    assert set(listings(batches)) == {Kind.COMMENT}


def test_a_site_for_members_only_asks_for_credentials(world, http):
    for route in ("", "posts"):
        world.shut = {route: Refused(401, "rest_login_required")}
        with pytest.raises(AccessRevoked, match="application password"):
            Visit(world, http).observe()


# --- addresses -------------------------------------------------------------------------------------------------------


def test_the_interface_is_found_by_header_by_path_and_by_query(world, http):
    world.publish("One", "<p>1</p>")
    for plain, named in ((False, True), (False, False), (True, True), (True, False)):
        world.plain_permalinks, world.names_its_interface = plain, named
        assert "post:1" in observations(Visit(world, http, page_size="2").observe())


def test_an_address_may_be_written_in_several_ways(world, http):
    bare = world.address.removeprefix("http://")
    assert site_address(f" {bare}") == f"https://{bare}/"
    assert site_address("https://town.example/blog") == "https://town.example/blog/"
    assert site_address("https://town.example/wp-json/wp/v2/posts?page=2") == "https://town.example/"
    for written in (f"{world.address}/", f"{world.address}/wp-json/", f"{world.address}/#top"):
        connector = WordPress(http)
        assert next(iter(connector.observe(Page(address=written), None))).observations


@pytest.mark.parametrize(
    "written", ["", "   ", "ftp://town.example", "https://", "https://a b.example", "http://x:99999999/"]
)
def test_what_is_no_address_is_refused_with_advice(http, written):
    with pytest.raises(NoSuchPage, match=r"blog\.example"):
        list(WordPress(http).observe(Page(address=written), None))


def test_an_address_without_wordpress_is_no_such_page_and_says_what_to_do(world, http):
    for answer in (
        (404, HTML, b"<html>nothing</html>"),
        (200, HTML, b"<html>a shop</html>"),
        (200, JSON, b'{"a":1}'),
    ):
        world.trouble = lambda _, answer=answer: answer
        with pytest.raises(NoSuchPage, match="REST interface is switched off") as raised:
            Visit(world, http).observe()
        assert raised.value.exchanges, "what was answered is evidence"


def test_an_option_that_makes_no_sense_is_refused(world, http):
    for size in ("1", "101", "many", "-5"):
        with pytest.raises(ConnectorError, match="page_size"):
            Visit(world, http, page_size=size).observe()


# --- files --------------------------------------------------------------------------------------------------------------


def test_the_files_of_a_post_come_in_its_order_each_once_whatever_its_size(world, http):
    title, shown = world.upload("title.jpg"), world.upload("shown.jpg", alt="The bridge &amp; the road")
    minutes = world.upload("minutes.pdf", media_type="application/pdf")
    post = world.publish(
        "One",
        f'<p>See</p><img src="{world.address}/wp-content/uploads/2026/03/m-shown.jpg" class="wp-image-{shown} big">'
        f'<a href="{world.address}/wp-content/uploads/2026/03/elsewhere.pdf#p2">more</a>'
        f'<a href="https://other.example/">a link</a>'
        f'<video src="https://cdn.example/film.mp4"></video><img class="emoji" alt="x" src="https://s.w.org/e.png">'
        f'<img src="data:image/gif;base64,R0l">',
        featured=title,
    )
    world.library[minutes]["post"] = post
    one = observations(Visit(world, http, page_size="2").observe())[f"post:{post}"]
    assert [file.id for file in one.attachments] == [
        f"media:{title}",
        f"media:{shown}",
        f"{world.address}/wp-content/uploads/2026/03/elsewhere.pdf",
        "https://cdn.example/film.mp4",
        f"media:{minutes}",
    ]
    picture = one.attachments[1]
    assert picture.url == f"{world.address}/wp-content/uploads/2026/03/shown.jpg"
    assert (picture.media_type, picture.description) == ("image/jpeg", "The bridge & the road")


def test_more_files_than_one_answer_holds_are_all_found(world, http):
    post = world.publish("One", "<p>1</p>")
    for number in range(7):
        world.upload(f"{number}.jpg", post=post)
    one = observations(Visit(world, http, page_size="3").observe())[f"post:{post}"]
    assert len(one.attachments) == 7


# --- reading, without a site ----------------------------------------------------------------------------------------------


def an_item(**more: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "status": "publish",
        "type": "post",
        "date_gmt": "2026-03-01T08:00:00",
        "modified_gmt": "2026-03-01T08:00:00",
        "link": "https://town.example/7/",
        "title": {"rendered": "Title"},
        "content": {"rendered": "<p>Body</p>", "protected": False},
        "author": 0,
        **more,
    }


def read_one(**more: Any) -> Observation:
    (seen,) = parse.many(json.dumps([an_item(**more)]).encode(), 0, parse.Post)
    return parse.post(seen, {}, {})


def test_times_that_wordpress_does_not_know_are_not_invented():
    for nothing in (None, "", "0000-00-00T00:00:00", "0000-00-00 00:00:00", "yesterday"):
        one = read_one(date_gmt=nothing, modified_gmt=nothing)
        assert (one.published_at, one.edited_at) == (None, None)
    assert read_one(date_gmt=None).edited_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert parse.moment("2026-03-01T08:00:00+02:00") == datetime(2026, 3, 1, 6, tzinfo=UTC)


def test_a_post_behind_a_password_is_present_without_its_words():
    one = read_one(content={"rendered": "", "protected": True}, title={"rendered": "Protected: plan"})
    assert (one.state, one.text) == (State.PRESENT, "Protected: plan")
    assert one.extra["protected"] is True


def test_titles_are_words_not_markup():
    assert (
        read_one(title={"rendered": "R&#038;D &#8211; <em>now</em> &lt;b&gt;"}).extra["title"]
        == "R&D – now <b>"
    )
    assert read_one(title=None).text == "Body"


def test_half_an_emoji_does_not_stop_a_pass():
    body = b'[{"id":1,"status":"publish","type":"post","content":{"rendered":"<p>a\\ud83d b\\ud83d\\ude00</p>"}}]'
    (seen,) = parse.many(body, 0, parse.Post)
    one = parse.post(seen, {}, {})
    assert one.text == "a\ufffd b\U0001f600"
    assert one.text.encode()


def test_unknown_keys_are_ignored_and_missing_words_are_an_error():
    assert read_one(acf={"a": [1]}, categories={"0": 3}).text == "Title\n\nBody"
    for missing in ("id", "status", "content", "type"):
        item = an_item()
        del item[missing]
        with pytest.raises(parse.Malformed):
            parse.many(json.dumps([item]).encode(), 0, parse.Post)
    for wrong in (b"", b"null", b"{}", b"[1]", b"<html>", b"[", b'["\xff"]', b"[" * 100_000):
        with pytest.raises(parse.Malformed):
            parse.many(wrong, 0, parse.Post)


def test_a_huge_post_is_read_in_good_time():
    one = read_one(content={"rendered": "<p>word &amp; word</p>\n" * 50_000})
    assert one.text.count("word & word") == 50_000


def test_a_byte_order_mark_before_the_json_shifts_no_span():
    body = b"\xef\xbb\xbf " + json.dumps([an_item(), an_item(id=8)]).encode() + b"\n"
    for seen in parse.many(body, 3, parse.Post):
        assert json.loads(body[seen.span.start : seen.span.end])["id"] == seen.what.id
        assert seen.span.exchange == 3


def test_the_link_header_names_the_interface_among_others():
    header = '<https://t.example/>; rel=shortlink, <https://t.example/wp-json/>; rel="https://api.w.org/"; title="x"'
    assert parse.rest_root([("Link", header)], "https://t.example/") == "https://t.example/wp-json/"
    assert (
        parse.rest_root([("link", "</api/>; rel='https://api.w.org/'")], "https://t.example/b/")
        == "https://t.example/api/"
    )
    assert parse.rest_root([("Link", '<https://t.example/x>; rel="next"')], "https://t.example/") is None


def test_routes_are_written_under_either_kind_of_root():
    assert Root("https://t.example/b/wp-json/").url("/wp/v2/posts", {"status": "a,b"}) == (
        "https://t.example/b/wp-json/wp/v2/posts?status=a,b"
    )
    assert Root("https://t.example/?rest_route=/").url("/wp/v2/posts", {"page": "2"}) == (
        "https://t.example/?rest_route=/wp/v2/posts&page=2"
    )


def test_a_place_survives_being_written_down():
    place = Place(
        stream="pages", offset=95, last=300, seen=100, began=datetime(2026, 3, 1, tzinfo=UTC), stated=None
    )
    assert Place.read(place.cursor()) == place


def test_stepping_back_ends_even_when_the_site_shows_nothing():
    nothing: list[parse.Seen[parse.Post]] = []
    read = list(leaves(lambda _: (nothing, 50), 10))
    assert read[-1].finished
    assert any(leaf.slipped for leaf in read)


@pytest.mark.parametrize(
    "words", ['<a href="http://[::1">x</a>', '<img src="http://[bad]/a.png">', '<img src="//[">']
)
def test_a_link_that_is_no_address_costs_nothing(world, http, words):
    post = world.publish("Road closure", f"<p>Closed.</p>{words}")
    assert observations(Visit(world, http).observe())[f"post:{post}"].attachments == ()


@pytest.mark.parametrize("route", ["/", "posts", "comments"])
def test_a_redirection_to_what_is_no_address_is_unexpected(world, http, route):
    world.publish("Road closure", "<p>Closed.</p>")
    world.trouble = lambda asked: (302, {"Location": "http://[::1"}, b"") if asked == route else None
    with pytest.raises(UnexpectedResponse, match="cannot be read"):
        Visit(world, http).observe()


def test_a_plugin_that_names_another_type_makes_no_other_record_of_a_post(world, http):
    post = world.publish("Road closure", "<p>Closed.</p>")
    answers = world._item
    world._item = lambda item, *, edit: {**answers(item, edit=edit), "type": "notice"}
    assert f"post:{post}" in observations(Visit(world, http).observe())
