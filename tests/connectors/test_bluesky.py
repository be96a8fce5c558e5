"""Bluesky, observed over loopback: a signed repository, who answers it, and what never proves a removal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.bluesky import Bluesky, car, cbor, parse, repository
from connectors.bluesky.address import Uri, account, uri
from connectors.bluesky.cbor import Cid, NotCbor
from connectors.bluesky.parse import Whose
from connectors.bluesky.place import Place
from connectors.bluesky.stream import Reached
from connectors.contract import (
    Author,
    Batch,
    Client,
    Connector,
    Cursor,
    Gap,
    Kind,
    Listing,
    Page,
    Sighting,
    State,
)
from connectors.errors import AccessRevoked, ConnectorError, NoSuchPage, TryAgainLater, UnexpectedResponse
from connectors.http import EvidenceClient
from connectors.promises import ConnectorPromises
from tests.connectors.worlds.bluesky_world import (
    BLOCK,
    POST,
    PROFILE,
    SIGN_IN,
    THREADGATE,
    BlueskyWorld,
    PromisedWorld,
    link,
    tree,
)
from tests.connectors.worlds.bluesky_world import car as packed
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.visits import bytes_at
from tests.connectors.worlds.visits import seen as observations


class TestPublicly(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedWorld]:
        return PromisedWorld()

    def connector(self, client: Client) -> Connector:
        return Bluesky(client)


class TestConnected(ConnectorPromises):
    def world(self) -> AbstractContextManager[PromisedWorld]:
        return PromisedWorld(connected=True)

    def connector(self, client: Client) -> Connector:
        return Bluesky(client, {"app_password": PromisedWorld.app_password})


class Visit:
    """One connector at one account, and everything that its passes have yielded."""

    def __init__(self, world: BlueskyWorld, http: Any, address: str, *, connected: bool = False) -> None:
        self.connector = Bluesky(http, {"app_password": world.app_password} if connected else None)
        self.page = world.at(address)

    def observe(self, since: Cursor | None = None, **span: datetime) -> list[Batch]:
        page = Page(address=self.page.address, options=self.page.options, **span)
        return list(self.connector.observe(page, since))

    def look(self, *names: str) -> dict[str, Sighting]:
        asked = [(Kind.POST, name) for name in names]
        batches = list(self.connector.look(self.page, asked))
        assert all(one.exchange < len(batch.exchanges) for batch in batches for one in batch.sightings)
        return {one.native_id: one for batch in batches for one in batch.sightings}


def listings(batches: Sequence[Batch]) -> dict[str | None, Listing]:
    return {one.in_reply_to: one for batch in batches for one in batch.listings if Kind.COMMENT in one.kinds}


def gaps(batches: Sequence[Batch]) -> list[Gap]:
    return [one for batch in batches for one in batch.gaps]


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client({"app_password": BlueskyWorld.app_password}) as client:
        yield client


@pytest.fixture
def world() -> Iterator[BlueskyWorld]:
    with BlueskyWorld() as network:
        network.join("citypd", "City PD")
        network.join("jopublic", "Jo Public")
        network.join("al")
        yield network


@pytest.fixture
def agency(world: BlueskyWorld) -> str:
    return next(iter(world.accounts))


@pytest.fixture
def jo(world: BlueskyWorld) -> str:
    return list(world.accounts)[1]


@pytest.fixture
def al(world: BlueskyWorld) -> str:
    return list(world.accounts)[2]


@pytest.fixture
def visit(world: BlueskyWorld, http: EvidenceClient) -> Visit:
    return Visit(world, http, "https://bsky.app/profile/citypd.test")


# --- the account and its repository -----------------------------------------------------------------------


def test_a_pass_begins_with_the_account_and_says_that_its_commit_is_signed(visit, agency):
    first = visit.observe()[0]
    seen = observations([first])
    assert seen[agency].kind is Kind.PROFILE
    assert seen[agency].text.splitlines()[:2] == ["@citypd.test", agency]
    assert seen[agency].extra["signature"] == "verified"
    profile = seen[f"at://{agency}/{PROFILE}/self"]
    assert (profile.kind, profile.text) == (Kind.PROFILE, "City PD\n\nAbout City PD")
    assert profile.extra["signature"] == "verified"
    assert gaps([first]) == []


def test_a_signature_that_does_not_verify_is_a_gap_and_nothing_is_dropped(world, visit, agency, jo):
    post = world.post(agency, "Main Street is closed.")
    world.accounts[agency].key, other = world.accounts[jo].key, world.accounts[agency].key
    blocks = world.accounts[agency].commit()
    world.accounts[agency].key = other
    world.corrupt = lambda _method, _body: packed(
        blocks[0], {**blocks[2], **{link(block): block for block in own_blocks(world, agency)}}
    )
    batches = visit.observe()
    assert observations(batches)[post].text == "Main Street is closed."
    assert observations(batches)[agency].extra["signature"] == "does not verify"
    assert [gap.what for gap in gaps(batches)] == ["the signature of the repository"]


def own_blocks(world, did):
    return [world.accounts[did].block(path) for path in world.accounts[did].records]


def test_each_record_names_its_own_block_and_nothing_else(world, visit, agency):
    posts = [world.post(agency, f"Notice {number}.") for number in range(12)]
    first = visit.observe()[0]
    seen = observations([first])
    for where in posts:
        (span,) = seen[where].evidence
        section = bytes_at(first, span)
        block = world.accounts[agency].block(where.removeprefix(f"at://{agency}/"))
        assert section.endswith(block)
        assert len(section) < len(block) + 40
        assert cbor.decode(block) == world.record(where)


def test_the_listing_of_the_accounts_posts_is_closed_by_the_whole_repository(world, visit, agency):
    world.post(agency, "One.")
    (closing,) = (one for one in visit.observe()[0].listings if Kind.POST in one.kinds)
    assert (closing.in_reply_to, closing.published_from, closing.states) == (None, None, (State.PRESENT,))


@pytest.mark.parametrize(
    "harm",
    [
        lambda body: body[:-7],
        lambda body: body[:-7] + b"another",
        lambda body: body[:80] + body[81:],
        lambda body: b"",
        lambda body: SIGN_IN,
    ],
    ids=["cut", "altered", "shifted", "empty", "html"],
)
def test_a_repository_that_was_damaged_is_unexpected_and_proves_nothing(world, visit, agency, harm):
    world.post(agency, "One.")
    world.corrupt = lambda _method, body: harm(body)
    with pytest.raises(UnexpectedResponse) as caught:
        visit.observe()
    assert caught.value.exchanges


def test_a_repository_that_lacks_a_record_is_not_taken_for_the_whole(world, visit, agency):
    world.post(agency, "One.")
    last = world.accounts[agency].block(max(world.accounts[agency].records))
    world.corrupt = lambda _method, body: body.replace(section(last), b"")
    with pytest.raises(UnexpectedResponse, match="does not hold the record"):
        visit.observe()


def section(block: bytes) -> bytes:
    size = len(block) + 36
    head = bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])
    return head + link(block) + block


def test_another_accounts_repository_is_refused(world, visit, agency, jo):
    world.corrupt = lambda _method, _body: world._repo(world.accounts[jo], None)
    with pytest.raises(UnexpectedResponse, match="not of"):
        visit.observe()


@pytest.mark.parametrize("status", ["RepoTakendown", "RepoDeactivated", "RepoSuspended"])
def test_an_account_that_is_not_shown_is_no_page_and_what_it_said_is_hidden_not_gone(
    world, http, agency, status
):
    post = world.post(agency, "One.")
    world.accounts[agency].status = status
    visit = Visit(world, http, agency)
    with pytest.raises(NoSuchPage, match=status):
        visit.observe()
    assert visit.look(post)[post].state is State.HIDDEN
    assert visit.look(agency)[agency].state is State.HIDDEN
    assert status in visit.look(post)[post].reason


def test_an_account_that_its_server_no_longer_has_is_gone_by_its_servers_word(world, http, agency):
    post = world.post(agency, "One.")
    world.accounts[agency].status = "RepoNotFound"
    sighting = Visit(world, http, agency).look(post)[post]
    assert (sighting.state, sighting.reason[:16]) == (State.GONE, "400 RepoNotFound")


def test_block_lists_are_a_record_of_their_own_with_every_line_of_them(world, visit, agency, jo, al):
    for did in (jo, al):
        world.put(agency, BLOCK, world.tid(), {"subject": did})
    listed = observations(visit.observe())[f"at://{agency}/{BLOCK}"]
    assert (listed.kind, listed.text.split()) == (Kind.PROFILE, sorted([jo, al]))
    assert len(listed.evidence) == 2
    assert visit.look(f"at://{agency}/{BLOCK}")[f"at://{agency}/{BLOCK}"].state is State.PRESENT


def test_a_block_list_that_was_emptied_is_gone_by_its_servers_word(world, visit, agency):
    assert visit.look(f"at://{agency}/{BLOCK}")[f"at://{agency}/{BLOCK}"].state is State.GONE


def test_an_edit_keeps_the_address_and_changes_the_digest(world, visit, agency):
    post = world.post(agency, "Until six.")
    before = observations(visit.observe())[post]
    world.edit(post, text="Until eight.")
    after = observations(visit.observe())[post]
    assert (before.text, after.text) == ("Until six.", "Until eight.")
    assert before.extra["cid"] != after.extra["cid"]


def test_an_app_view_that_lags_behind_does_not_bring_the_old_words_back(world, visit, agency):
    post = world.post(agency, "Until six.")
    world.stale[post] = dict(world.record(post))
    world.edit(post, text="Until eight.")
    said = [one.text for batch in visit.observe() for one in batch.observations if one.native_id == post]
    assert len(said) > 1
    assert set(said) == {"Until eight."}


def test_a_link_that_leads_elsewhere_now_is_another_version_though_the_words_stay(world, visit, agency):
    def facets(where: str) -> list[dict[str, Any]]:
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": where}
        return [{"index": {"byteStart": 3, "byteEnd": 7}, "features": [feature]}]

    post = world.post(agency, "\u00fc <here>", facets=facets("https://town.example/a"))
    before = observations(visit.observe())[post]
    world.edit(post, facets=facets("https://town.example/b"))
    after = observations(visit.observe())[post]
    assert before.text == after.text
    assert before.html == '\u00fc <a href="https://town.example/a">&lt;her</a>e&gt;'
    assert after.html != before.html


def test_pictures_are_fetched_from_the_accounts_own_server_under_their_digest(world, visit, agency):
    post = world.post(agency, "Closed.", embed=world.picture())
    (file,) = observations(visit.observe())[post].attachments
    assert file.id == world.picture()["images"][0]["image"]["ref"]["$link"]
    assert file.url == f"{world.base}/xrpc/com.atproto.sync.getBlob?did={agency}&cid={file.id}"
    assert (file.media_type, file.description) == ("image/jpeg", "picture a")


def test_a_visitors_video_is_fetched_from_the_visitors_own_server(world, visit, agency, jo):
    post = world.post(agency, "Closed.")
    blob = {**world.picture("v")["images"][0]["image"], "mimeType": "video/mp4"}
    film = {"$type": "app.bsky.embed.video", "video": blob, "alt": "the flood"}
    answer = world.post(jo, "See.", to=post, embed=film)
    (file,) = observations(visit.observe())[answer].attachments
    assert file.url == f"{world.base}/xrpc/com.atproto.sync.getBlob?did={jo}&cid={file.id}"


# --- who answers --------------------------------------------------------------------------------------------


def test_answers_are_comments_and_answers_to_answers_are_replies(world, visit, agency, jo, al):
    post = world.post(agency, "Closed.")
    comment = world.post(jo, "Why?", to=post)
    reply = world.post(agency, "Ice.", to=comment)
    below = world.post(al, "Brr.", to=reply)
    seen = observations(visit.observe())
    assert [(seen[one].kind, seen[one].in_reply_to) for one in (comment, reply, below)] == [
        (Kind.COMMENT, post),
        (Kind.REPLY, comment),
        (Kind.REPLY, reply),
    ]
    assert seen[comment].author == Author(id=jo, name="Jo Public", handle="jopublic.test")
    assert seen[below].author == Author(id=al, handle="al.test")
    assert seen[reply].author == Author(id=agency, name="City PD", handle="citypd.test")


def test_a_thread_that_is_cut_off_is_asked_for_again_from_where_it_was_cut(world, visit, agency, jo):
    world.most_depth = 2
    chain = [world.post(agency, "Closed.")]
    for number in range(7):
        chain.append(world.post(jo, f"Deeper {number}", to=chain[-1]))
    batches = visit.observe()
    assert set(chain) <= set(observations(batches))
    assert set(chain) <= set(listings(batches))
    assert gaps(batches) == []


def test_what_the_app_view_counts_and_does_not_show_is_a_gap_and_nothing_is_called_complete(
    world, visit, agency, jo
):
    post = world.post(agency, "Closed.")
    world.post(jo, "Why?", to=post)
    world.counts_more[post] = 2
    batches = visit.observe()
    assert [(one.what, one.native_id) for one in gaps(batches)] == [("answers to a post", post)]
    assert post not in listings(batches)
    assert None not in listings(batches)


def test_a_thread_that_was_shown_whole_is_called_complete(world, visit, agency, jo):
    post = world.post(agency, "Closed.")
    answer = world.post(jo, "Why?", to=post)
    batches = visit.observe()
    assert set(listings(batches)) == {post, answer, None}
    assert listings(batches)[post].stated_total == 1
    assert listings(batches)[post].states == (State.PRESENT, State.HIDDEN)


def test_hidden_answers_are_hidden_and_those_below_another_post_are_not(world, visit, agency, jo, al):
    post = world.post(agency, "Closed.")
    rude, polite = world.post(al, "Clowns.", to=post), world.post(jo, "Thanks.", to=post)
    gate = world.hide(post, rude)
    seen = observations(visit.observe())
    assert (seen[rude].state, seen[polite].state) == (State.HIDDEN, State.PRESENT)
    assert (seen[gate].kind, seen[gate].in_reply_to) == (Kind.PROFILE, post)
    assert rude in seen[gate].text
    assert {one: visit.look(one)[one].state for one in (rude, polite)} == {
        rude: State.HIDDEN,
        polite: State.PRESENT,
    }
    world.put(agency, THREADGATE, post.rpartition("/")[2], {"post": post, "hiddenReplies": []})
    assert observations(visit.observe())[rude].state is State.PRESENT


def test_an_answer_of_a_blocked_account_is_read_at_its_own_address_with_what_is_below_it(
    world, visit, agency, jo, al
):
    post = world.post(agency, "Closed.")
    shut = world.post(al, "Clowns.", to=post)
    below = world.post(jo, "Be polite.", to=shut)
    world.blocked.add(shut)
    batches = visit.observe()
    seen = observations(batches)
    assert (seen[shut].state, seen[shut].extra["blocked"], seen[shut].text) == (State.HIDDEN, True, "Clowns.")
    assert below in seen
    assert post in listings(batches)


def test_quotations_by_others_are_comments_on_what_they_quote(world, visit, agency, jo):
    world.page_most = 2
    post = world.post(agency, "Closed.")
    quoting = {"$type": "app.bsky.embed.record", "record": world.strong(post)}
    quoted = [world.post(jo, f"Look {number}", embed=quoting) for number in range(5)]
    batches = visit.observe()
    seen = observations(batches)
    assert all((seen[one].kind, seen[one].in_reply_to) == (Kind.COMMENT, post) for one in quoted)
    assert listings(batches)[post].stated_total == 5


def test_a_post_of_the_accounts_own_that_quotes_is_a_post(world, visit, agency):
    post = world.post(agency, "Closed.")
    again = world.post(
        agency, "Still.", embed={"$type": "app.bsky.embed.record", "record": world.strong(post)}
    )
    seen = observations(visit.observe())[again]
    assert (seen.kind, seen.in_reply_to, seen.extra["quotes"]) == (Kind.POST, None, post)


def test_answers_to_what_the_account_said_elsewhere_are_read_too(world, visit, agency, jo, al):
    elsewhere = world.post(jo, "Is the road closed?")
    answer = world.post(agency, "Yes.", to=elsewhere)
    thanks = world.post(al, "Thanks.", to=answer)
    seen = observations(visit.observe())
    assert (seen[answer].in_reply_to, seen[thanks].in_reply_to) == (elsewhere, answer)


def test_a_post_that_the_app_view_does_not_show_is_a_gap_and_stays_present(world, visit, agency):
    post = world.post(agency, "Closed.")
    world.unindexed.add(post)
    batches = visit.observe()
    assert observations(batches)[post].state is State.PRESENT
    assert [(one.what, one.native_id) for one in gaps(batches)] == [("answers to a post", post)]
    assert None not in listings(batches)


# --- what is gone, and what is not ----------------------------------------------------------------------


def test_gone_is_what_the_authors_own_signed_repository_proves_not_to_be_there(world, visit, agency, jo):
    post = world.post(agency, "Closed.")
    kept, removed = world.post(jo, "Why?", to=post), world.post(jo, "I object.", to=post)
    own = world.post(agency, "A mistake.")
    for where in (removed, own):
        world.delete(where)
    told = visit.look(kept, removed, own, post)
    assert {name: one.state for name, one in told.items()} == {
        kept: State.PRESENT,
        removed: State.GONE,
        own: State.GONE,
        post: State.PRESENT,
    }
    for where in (removed, own):
        assert "proves that it is not in the repository" in told[where].reason
        assert "signature verified" in told[where].reason


def test_what_the_app_view_alone_does_not_show_is_hidden_and_not_gone(world, visit, agency, jo):
    answer = world.post(jo, "Why?", to=world.post(agency, "Closed."))
    world.unindexed.add(answer)
    told = visit.look(answer)[answer]
    assert told.state is State.HIDDEN
    assert "proves that it is in the repository" in told.reason


def test_a_proof_that_is_not_whole_proves_nothing(world, visit, agency, jo):
    answer = world.post(jo, "Why?", to=world.post(agency, "Closed."))
    world.delete(answer)
    for number in range(40):
        world.post(jo, f"Elsewhere {number}")
    root, _, blocks = world.accounts[jo].commit()

    def cut(method: str, body: bytes) -> bytes:
        return packed(root, {root: blocks[root]}) if method.endswith("getRecord") else body

    world.corrupt = cut
    told = visit.look(answer)[answer]
    assert (told.state, "not whole" in told.reason) == (State.UNKNOWN, True)


@pytest.mark.parametrize(("status", "state"), [(404, State.UNKNOWN), (410, State.GONE), (500, State.UNKNOWN)])
def test_only_a_directory_that_says_no_more_makes_a_visitors_words_gone(
    world, visit, agency, jo, status, state
):
    answer = world.post(jo, "Why?", to=world.post(agency, "Closed."))
    world.unindexed.add(answer)
    world.missing_documents[jo] = status
    assert visit.look(answer)[answer].state is state


def test_a_visitors_account_that_is_deactivated_hides_what_it_said(world, visit, agency, jo):
    answer = world.post(jo, "Why?", to=world.post(agency, "Closed."))
    world.accounts[jo].status = "RepoDeactivated"
    assert visit.look(answer)[answer].state is State.HIDDEN


# --- a span of time ---------------------------------------------------------------------------------------


def test_a_narrowed_pass_reads_the_repository_once_a_day_and_then_only_what_changed(world, http, agency, jo):
    for number in range(30):
        world.post(agency, f"Notice {number}.")
    now = http.now()
    world._now = now - timedelta(hours=1)
    recent = world.post(agency, "Closed.")
    gone = world.post(agency, "A mistake.")
    visit = Visit(world, http, agency)
    since = now - timedelta(days=1)
    first = visit.observe(published_from=since)
    assert f"{recent}" in observations(first)

    world.delete(gone)
    edited, answer = world.edit(recent, text="Open."), world.post(jo, "At last.", to=recent)
    assert edited is None
    second = visit.observe(first[-1].resume_from, published_from=since)
    asked = [one.url for batch in second for one in batch.exchanges if "getRepo" in one.url]
    assert len(asked) == 1
    assert "since=" in asked[0]
    seen = observations(second)
    assert seen[recent].text == "Open."
    assert answer in seen
    assert len([one for one in seen.values() if one.kind is Kind.POST]) == 1
    assert {one.native_id: one.state for batch in second for one in batch.sightings} == {gone: State.GONE}
    assert not any(Kind.POST in one.kinds for batch in second for one in batch.listings)

    place = Place.read(second[-1].resume_from)
    old = place.moved(read_at=now - timedelta(days=1))
    third = visit.observe(old.cursor(), published_from=since)
    assert not any("since=" in one.url for batch in third for one in batch.exchanges if "getRepo" in one.url)
    assert any(Kind.POST in one.kinds for batch in third for one in batch.listings)


def test_a_narrowed_pass_without_changes_costs_little_and_loses_nothing(world, http, agency):
    world._now = http.now() - timedelta(hours=1)
    post = world.post(agency, "Closed.")
    visit, since = Visit(world, http, agency), http.now() - timedelta(days=1)
    first = visit.observe(published_from=since)
    second = visit.observe(first[-1].resume_from, published_from=since)
    assert len([one for batch in second for one in batch.exchanges]) == 3
    assert post in observations(second)


def test_a_change_of_a_block_list_is_read_with_the_whole_repository(world, http, agency, jo):
    world._now = http.now() - timedelta(hours=1)
    visit, since = Visit(world, http, agency), http.now() - timedelta(days=1)
    first = visit.observe(published_from=since)
    world.put(agency, BLOCK, world.tid(), {"subject": jo})
    second = visit.observe(first[-1].resume_from, published_from=since)
    assert observations(second)[f"at://{agency}/{BLOCK}"].text == jo


# --- connected ------------------------------------------------------------------------------------------


def test_a_connected_page_sees_mentions_messages_and_word_filters(world, http, agency, jo):
    mention = world.post(jo, "@citypd.test is this right?")
    world.preferences = [
        {"$type": "app.bsky.actor.defs#mutedWordsPref", "items": [{"value": "spam", "targets": ["tag"]}]},
        {"$type": "app.bsky.actor.defs#feedViewPref", "feed": "home"},
    ]
    world.mutes = [jo]
    told = {"id": "m1", "text": "Help", "sender": {"did": jo}, "sentAt": "2026-03-01T09:00:00.000Z"}
    world.convos["c1"] = [told, {"$type": "chat.bsky.convo.defs#deletedMessageView", "id": "m2"}]
    batches = Visit(world, http, agency, connected=True).observe()
    seen = observations(batches)
    assert (seen[mention].kind, seen[mention].private) == (Kind.MESSAGE, False)
    assert seen[agency + "#preferences"].text == "muted word: spam (tag)"
    assert seen[agency + "#mutes"].text == jo
    message = seen["chat:c1/m1"]
    assert (message.kind, message.private, message.text) == (Kind.MESSAGE, True, "Help")
    assert message.author == Author(id=jo, name="Jo Public", handle="jopublic.test")
    sighted = {one.native_id: one.state for batch in batches for one in batch.sightings}
    assert sighted == {"chat:c1/m2": State.GONE}
    said = b"".join(repr(batch).encode() for batch in batches)
    assert not any(token.encode() in said for token in (world.access, world.refresh, world.app_password))


def test_a_password_that_does_not_open_messages_is_a_gap_with_its_remedy(world, http, agency):
    world.opens_messages = False
    batches = Visit(world, http, agency, connected=True).observe()
    (gap,) = gaps(batches)
    assert gap.what == "direct messages"
    assert "allows access to direct messages" in gap.why
    assert None in listings(batches)


def test_a_password_that_is_refused_means_that_access_was_revoked(world, http, agency):
    world.accepts_password = False
    with pytest.raises(AccessRevoked, match="app password"):
        Visit(world, http, agency, connected=True).observe()


def test_a_post_that_was_deleted_and_is_still_told_of_is_no_gap_and_one_that_is_only_not_shown_is(
    world, http, agency, jo
):
    post = world.post(agency, "Closed.")
    answer = world.post(jo, "Why?", to=post)
    world.unindexed.add(post)
    (gap,) = gaps(Visit(world, http, agency, connected=True).observe())
    assert (gap.what, gap.native_id) == ("answers to a post", post)
    world.delete(post)
    batches = Visit(world, http, agency, connected=True).observe()
    assert answer in observations(batches), "the notification still tells of it"
    assert gaps(batches) == []
    assert None in listings(batches)


def test_an_answer_that_came_late_is_read_where_notifications_tell_of_it(world, http, agency, jo):
    old = world.post(agency, "Ice on the bridge.")
    world._now = http.now() - timedelta(hours=1)
    late = world.post(jo, "Is it still there?", to=old)
    since = http.now() - timedelta(days=1)
    assert late in observations(Visit(world, http, agency, connected=True).observe(published_from=since))
    assert late not in observations(Visit(world, http, agency).observe(published_from=since))


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["", "bsky.app", "https://bsky.app/", "town hall", "did:key:z6Mk", "https://x.example/a"]
)
def test_an_address_that_names_no_account_is_no_page(world, http, written):
    with pytest.raises(NoSuchPage):
        Visit(world, http, written).observe()


def test_a_handle_that_nobody_has_is_no_page(world, http):
    with pytest.raises(NoSuchPage, match=r"nobody\.test"):
        Visit(world, http, "nobody.test").observe()


def test_an_account_keeps_being_read_when_its_handle_has_changed_hands(world, visit, agency, jo):
    first = visit.observe()
    world.accounts[agency].handle, world.accounts[jo].handle = "citypolice.test", "citypd.test"
    seen = observations(visit.observe(first[-1].resume_from))
    assert seen[agency].text.splitlines()[0] == "@citypolice.test"
    assert jo not in seen


def test_a_server_that_is_no_address_is_refused_in_words(world, http, agency):
    page = Page(address=agency, options={"appview": "ftp://x"})
    with pytest.raises(ConnectorError, match="appview"):
        list(Bluesky(http).observe(page, None))


def test_a_check_names_what_keeps_the_answers_from_view(world, http, agency):
    found = {one.what: one for one in Bluesky(http).check(world.at(agency))}
    assert all(one.fine for one in found.values())
    world.accounts[agency].status = "RepoDeactivated"
    wrong = [one for one in Bluesky(http).check(world.at(agency)) if not one.fine]
    assert any("deactivated" in one.remedy for one in wrong)


# --- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("https://bsky.app/profile/Town.Example", "town.example"),
        ("https://bsky.app/profile/town.example/post/3kabc", "town.example"),
        ("bsky.app/profile/town.example", "town.example"),
        ("@town.example", "town.example"),
        ("at://town.example/app.bsky.feed.post/3kabc", "town.example"),
        ("at://did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"),
        ("https://bsky.app/profile/did%3Aweb%3Atown.example", "did:web:town.example"),
        ("town", None),
        ("https://bsky.app/search", None),
        ("did:plc:short", None),
    ],
)
def test_an_account_is_read_from_an_address_as_people_write_it(written, means):
    assert account(written) == means


@pytest.mark.parametrize(
    "text",
    [
        "at://a/b",
        "at://did:plc:x/y/z",
        "https://bsky.app",
        None,
        7,
        "at://town.example/app.bsky.feed.post/3k",
    ],
)
def test_what_is_no_records_address_is_none(text):
    assert uri(text) is None


def test_a_records_address_is_read_and_written():
    text = "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3kabc"
    assert uri(text) == Uri("did:plc:ewvi7nxzyoun6zhxrhs64oiz", POST, "3kabc")
    assert str(uri(text)) == text


# --- DAG-CBOR, CAR files, trees and signatures ------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (1000, "1903e8"),
        (2**64 - 1, "1bffffffffffffffff"),
        (-1, "20"),
        (-1000, "3903e7"),
        (1.5, "fb3ff8000000000000"),
        (True, "f5"),
        (None, "f6"),
        (b"\1\2", "420102"),
        ("\u00fc", "62c3bc"),
        ([1, [2]], "8201" + "8102"),
        ({"b": 1, "aa": 2}, "a2616201626161" + "02"),
    ],
)
def test_values_are_written_in_their_one_form_and_read_back(value, written):
    assert cbor.encode(value).hex() == written
    assert cbor.decode(bytes.fromhex(written)) == value


def test_a_link_is_read_as_what_it_leads_to():
    cid = link(b"block")
    assert cbor.decode(cbor.encode({"a": cid})) == {"a": cid}
    assert isinstance(cbor.decode(cbor.encode(cid)), Cid)
    assert cid.text.startswith("bafyrei")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "18",
        "9f01ff",
        "5f4101ff",
        "a10101",
        "a2616101616102",
        "c101",
        "d82a4101",
        "f7",
        "f90000",
        "62c3",
        "0000",
        "1c",
        "fb00",
        "61ff",
    ],
)
def test_what_is_no_dag_cbor_is_refused(written):
    with pytest.raises(NotCbor):
        cbor.decode(bytes.fromhex(written))


def test_a_value_nested_without_end_is_refused():
    with pytest.raises(NotCbor):
        cbor.decode(b"\x81" * 5000 + b"\x00")


@pytest.mark.parametrize("number", [0, 1, 2, 17, 300])
def test_a_tree_tells_every_key_and_proves_what_it_does_not_hold(number):
    entries = {f"{POST}/{index:05}": link(b"%d" % index) for index in range(number)}
    root, nodes = tree(entries)
    blocks = {**nodes, **{link(b"%d" % index): b"%d" % index for index in range(number)}}
    file = car.read(packed(root, blocks))
    assert dict(repository.records(file, root)) == entries
    for key, value in entries.items():
        assert repository.find(file, root, key) == value
    for key in (f"{POST}/0", f"{POST}/00001a", f"{POST}/zz", "a", "z"):
        assert repository.find(file, root, key) is None
    if number > 2:
        missing = next(one for one in nodes if one != root)
        holed = car.read(packed(root, {one: block for one, block in blocks.items() if one != missing}))
        with pytest.raises(car.NotCar):
            dict(repository.records(holed, root))
        told = [_found(holed, root, key) for key in entries]
        assert "unproven" in told
        assert None not in told


def _found(file: car.Car, root: Cid, key: str) -> object:
    try:
        return repository.find(file, root, key)
    except repository.Unproven:
        return "unproven"


def test_any_altered_byte_of_a_commit_is_noticed(world, agency):
    account_, document = world.accounts[agency], json.loads(world._document(agency)[2])
    method = document["verificationMethod"][0]
    key = repository.key(method["type"], method["publicKeyMultibase"])
    assert key is not None
    root, _, blocks = account_.commit()
    good = repository.commit(car.read(packed(root, blocks)))
    assert key.signed(good)
    for at in range(0, len(good.unsigned), 7):
        unsigned = bytearray(good.unsigned)
        unsigned[at] ^= 1
        altered = repository.Commit(good.did, good.rev, good.data, good.signature, bytes(unsigned))
        assert not key.signed(altered)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = good.signature[:32] + (order - int.from_bytes(good.signature[32:])).to_bytes(32)
    assert not key.signed(repository.Commit(good.did, good.rev, good.data, high, good.unsigned))


def test_a_key_of_another_kind_signs_no_repository():
    assert repository.key("Multikey", "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK") is None
    assert repository.key("Multikey", "not multibase") is None


# --- parsers ----------------------------------------------------------------------------------------------


def test_views_of_another_shape_are_refused_and_unknown_names_are_not(world, agency, jo):
    world.post(jo, "Why?", to=world.post(agency, "Closed."))
    good = json.dumps({"thread": world._node(world._all()[0], 5), "news": {"x": [1]}}).encode()
    assert isinstance(parse.thread(good, 0), parse.Branch)
    for bad in (good.replace(b'"uri"', b'"url"'), good[:-9], b"[]", b"", SIGN_IN):
        with pytest.raises(parse.Malformed):
            parse.thread(bad, 0)


def test_a_thread_gives_each_post_its_own_bytes_in_whatever_order_its_names_stand(world, agency, jo):
    first = world.post(agency, "Closed.")
    second = world.post(jo, "Why?", to=first)
    world.post(jo, "Why?", to=second)
    node = world._node(first, 5)

    def turned(one: dict[str, Any]) -> dict[str, Any]:
        return {"replies": [turned(below) for below in one["replies"]], "post": one["post"]}

    for body in (json.dumps({"thread": node}).encode(), json.dumps({"thread": turned(node)}).encode()):
        branch = parse.thread(body, 0)
        assert isinstance(branch, parse.Branch)
        found = [one.seen for one in branch.all()]
        assert len(found) == 3
        for seen in found:
            assert json.loads(body[seen.span.start : seen.span.end])["uri"] == seen.view.uri


@pytest.mark.parametrize(
    "record",
    [
        {"text": "x", "createdAt": "yesterday"},
        {"text": "x", "createdAt": "0001-01-01T00:00:00+23:59"},
        {"text": "x", "facets": [{"index": {"byteStart": 5, "byteEnd": 2}}, {"index": None}, 7]},
        {"text": "x", "embed": {"images": [{"image": {"ref": 3}}, 4]}, "reply": {"parent": {}}},
        {"text": "x", "langs": "en", "tags": 3, "labels": 3, "embed": {"record": {"record": 3}}},
    ],
)
def test_a_record_that_its_author_wrote_strangely_is_read_as_far_as_it_goes(record):
    place = Uri("did:plc:ewvi7nxzyoun6zhxrhs64oiz", POST, "3k")
    seen = parse.post(place, record, Author(id="x"), (), Whose(did=place.did))
    assert seen is not None
    assert seen.text == "x"
    assert seen.published_at is None


# --- the stream -------------------------------------------------------------------------------------------


def heard(visit: Visit, since: Cursor | None, number: int, **options: str) -> list[Batch]:
    """The first batches that a stream yields."""
    page = Page(address=visit.page.address, options={**visit.page.options, **options})
    stream = visit.connector.listen(page, since)
    found = [next(stream) for _ in range(number)]
    stream.close()  # type: ignore[attr-defined]  # a generator
    return found


def start(world: BlueskyWorld, number: int = 0) -> Cursor:
    return Reached(world.base.replace("http", "ws"), number).cursor()


def test_a_stream_tells_of_a_post_its_edit_and_its_removal_each_with_its_own_bytes(world, visit, agency, jo):
    begun = len(world.events)
    post = world.post(agency, "Boil water until six.")
    world.post(jo, "Really?", to=post)
    world.put(agency, "app.bsky.feed.like", world.tid(), {"subject": world.strong(post)})
    world.edit(post, text="Boil water until eight.")
    world.delete(post)
    batches = heard(visit, start(world, begun), 3)
    told = [(one.native_id, one.state, one.text) for batch in batches for one in batch.observations]
    assert told == [
        (post, State.PRESENT, "Boil water until six."),
        (post, State.PRESENT, "Boil water until eight."),
    ]
    (sighting,) = batches[2].sightings
    assert (sighting.native_id, sighting.state) == (post, State.GONE)
    assert "delete" in sighting.reason
    for batch in batches[:2]:
        (item,) = batch.observations
        section = bytes_at(batch, item.evidence[0])
        assert item.text.encode() in section
        assert len(section) < 250
    assert not any(jo.encode() in one.body for batch in batches for one in batch.exchanges)
    assert not any(batch.listings for batch in batches)


def test_a_stream_names_the_author_as_a_pass_does(world, visit, agency):
    begun = len(world.events)
    post = world.post(agency, "Closed.")
    (batch,) = heard(visit, start(world, begun), 1)
    assert batch.observations[0].author == observations(visit.observe())[post].author


def test_a_stream_goes_on_after_what_it_told_last(world, visit, agency):
    begun = len(world.events)
    for number in range(3):
        world.post(agency, f"Notice {number}.")
    first = heard(visit, start(world, begun), 2)
    (third,) = heard(visit, first[-1].resume_from, 1)
    assert [one.text for one in third.observations] == ["Notice 2."]


def test_a_place_that_the_stream_does_not_know_is_a_gap_and_it_goes_on(world, visit, agency):
    world.post(agency, "One.")
    world.kept_from = len(world.events)
    world.post(agency, "Two.")
    outdated, after = heard(visit, start(world, 1), 2)
    assert [one.what for one in outdated.gaps] == ["the stream"]
    assert [one.text for one in after.observations] == ["Two."]
    (ahead,) = heard(visit, start(world, 10_000), 1)
    assert [one.what for one in ahead.gaps] == ["the stream"]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("takendown", State.HIDDEN),
        ("deactivated", State.HIDDEN),
        ("deleted", State.GONE),
        (None, State.PRESENT),
    ],
)
def test_a_stream_tells_whether_the_account_is_shown(world, visit, agency, jo, status, state):
    begun = len(world.events)
    world.account_is(jo, "deleted")
    world.account_is(agency, status)
    (batch,) = heard(visit, start(world, begun), 1)
    (jets,) = heard(visit, None if begun == 0 else jet_start(world, begun), 1, jetstream=jet(world))
    for one in (batch, jets):
        assert [(seen.native_id, seen.state) for seen in one.sightings] == [(agency, state)]


def test_a_stream_that_knows_no_place_at_all_is_given_up_for_now_and_tells_one_gap(
    world, visit, agency, monkeypatch
):
    tell = world._tell
    monkeypatch.setattr(world, "_tell", lambda request, jet, _told, ended: tell(request, jet, 10_000, ended))
    stream = visit.connector.listen(visit.page, start(world, 3))
    (ahead,) = [next(stream)]
    assert [one.what for one in ahead.gaps] == ["the stream"]
    with pytest.raises(TryAgainLater, match="FutureCursor"):
        next(stream)


@pytest.mark.parametrize("status", ["throttled", "desynchronized"])
def test_a_server_that_cannot_follow_an_account_hides_nothing_of_it(world, visit, agency, status):
    begun = len(world.events)
    world.account_is(agency, status)
    (batch,) = heard(visit, start(world, begun), 1)
    (jets,) = heard(visit, None if begun == 0 else jet_start(world, begun), 1, jetstream=jet(world))
    for one in (batch, jets):
        assert list(one.sightings) == []
        assert [(gap.what, status in gap.why) for gap in one.gaps] == [("the stream", True)]


def test_an_account_that_is_not_shown_for_no_told_reason_is_hidden(world, visit, agency):
    begun = len(world.events)
    world.tell("#account", {"did": agency, "active": False})
    (batch,) = heard(visit, start(world, begun), 1)
    assert [(one.state, one.reason) for one in batch.sightings] == [(State.HIDDEN, "#account: inactive")]


@pytest.mark.parametrize(
    ("actions", "stands"),
    [
        (("delete", "create"), True),
        (("delete", "update"), True),
        (("create", "delete"), False),
        (("create", "delete", "create"), True),
    ],
)
def test_what_one_commit_removes_and_writes_again_stands_as_the_commit_leaves_it(
    world, visit, agency, actions, stands
):
    post = world.post(agency, "Boil water.")
    path, account = post.removeprefix(f"at://{agency}/"), world.accounts[agency]
    block, (root, _, blocks) = account.block(path), account.commit()
    cid = link(block)
    acts = [{"action": one, "path": path, "cid": None if one == "delete" else cid} for one in actions]
    begun = len(world.events)
    world.tell("#commit", {"repo": agency, "ops": acts, "blocks": packed(root, {**blocks, cid: block})})
    (batch,) = heard(visit, start(world, begun), 1)
    shown = {(one.native_id, one.text) for one in batch.observations}
    gone = [(one.native_id, one.state) for one in batch.sightings]
    assert shown == {(post, "Boil water.")}, "what the commit brought is kept, whatever became of it"
    assert gone == ([] if stands else [(post, State.GONE)])


def jet(world: BlueskyWorld) -> str:
    return world.base.replace("http", "ws")


def jet_start(world: BlueskyWorld, number: int) -> Cursor:
    return Reached(jet(world), number).cursor()


def test_a_stream_reads_the_accounts_document_anew_when_it_changed(world, visit, agency):
    begun = len(world.events)
    world.accounts[agency].handle = "citypolice.test"
    world.tell("#identity", {"did": agency, "handle": "citypolice.test"})
    page = world.at(agency)
    stream = visit.connector.listen(page, start(world, begun))
    batch = next(stream)
    assert batch.observations[0].text.splitlines()[0] == "@citypolice.test"
    stream.close()


def test_a_jetstream_tells_the_same_and_is_asked_for_the_account_alone(world, visit, agency):
    begun = len(world.events)
    post = world.post(agency, "Boil water.")
    world.edit(post, text="Boil it.")
    world.delete(post)
    batches = heard(visit, jet_start(world, begun), 3, jetstream=jet(world))
    assert [one.text for batch in batches for one in batch.observations] == ["Boil water.", "Boil it."]
    assert [one.state for batch in batches for one in batch.sightings] == [State.GONE]
    assert any(f"wantedDids={agency}" in target for target in world.asked)


def test_a_message_that_is_none_of_the_protocol_is_unexpected(world, visit, agency):
    begun = len(world.events)
    world.events.append((agency.encode() + b"?", b"{"))
    with pytest.raises(UnexpectedResponse):
        heard(visit, start(world, begun), 1)


def _amiss(world: BlueskyWorld, agency: str, change: dict[str, object]) -> None:
    """Tell of a commit of the agency's that has another shape than the protocol promises."""
    said = {"repo": agency, "ops": [], "blocks": b"", "tooBig": False} | change
    jet = {"did": agency, "kind": "commit", "commit": "?"}
    world.tell("#commit", said, jet)


@pytest.mark.parametrize("change", [{"ops": "?"}, {"blocks": b"no file of blocks"}, {"ops": [7]}])
def test_a_message_that_cannot_be_read_is_a_gap_and_what_follows_it_is_heard(world, visit, agency, change):
    begun = len(world.events)
    _amiss(world, agency, change)
    world.post(agency, "Behind it.")
    amiss, after = heard(visit, start(world, begun), 2)
    assert [(one.what, "no message of the protocol" in one.why) for one in amiss.gaps] == [
        ("the stream", True)
    ]
    assert amiss.exchanges, "what came is kept"
    assert [one.text for one in after.observations] == ["Behind it."]
    (again,) = heard(visit, amiss.resume_from, 1)
    assert not again.gaps, "it is not told again"


def test_a_record_that_its_commit_does_not_bring_is_a_gap_that_names_it(world, visit, agency):
    begun = len(world.events)
    path = "app.bsky.feed.post/3lost"
    lost = {"action": "create", "path": path, "cid": link(b"lost")}
    _amiss(world, agency, {"ops": [lost, {**lost, "path": "app.bsky.feed.like/3liked"}]})
    (batch,) = heard(visit, start(world, begun), 1)
    assert [one.native_id for one in batch.gaps] == [f"at://{agency}/{path}"]


def test_a_stream_goes_on_only_at_the_server_that_told():
    cursor = Reached("wss://a.example", 7).cursor()
    assert Reached.read(cursor, "wss://a.example") == 7
    assert Reached.read(cursor, "wss://b.example") is None
    assert Reached.read(Cursor("?"), "wss://a.example") is None


def test_a_thread_of_two_thousand_answers_is_read_whole(world, agency, jo):
    post = world.post(agency, "Closed.")
    world.post(jo, "Which way is the detour? " * 5, to=post)
    (answer,) = world._node(post, 1)["replies"]
    copies = [
        {
            **answer,
            "replies": [],
            "post": {**answer["post"], "uri": f"{answer['post']['uri'][:-4]}{index:04}"},
        }
        for index in range(2000)
    ]
    body = json.dumps({"thread": {**world._node(post, 0), "replies": copies}}).encode()
    whose = Whose(did=agency)
    branch = parse.thread(body, 0)
    assert isinstance(branch, parse.Branch)
    assert len([parse.shown(one.seen, whose) for one in branch.all()]) == 2001


def test_times_carry_their_zone_and_others_are_none():
    assert parse.moment("2026-03-01T08:00:00.000Z") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert parse.moment("2026-03-01T08:00:00+02:00") == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert parse.moment("2026-03-01T08:00:00") is None


def test_a_family_whose_post_is_gone_says_so_and_calls_nothing_complete(world, visit, agency, jo):
    post = world.post(agency, "Closed.")
    world.post(jo, "Why?", to=post)
    assert {one.in_reply_to for batch in visit.connector.family(visit.page, post) for one in batch.listings}
    world.delete(post)
    batches = list(visit.connector.family(visit.page, post))
    assert [one.native_id for one in gaps(batches)] == [post]
    assert [(one.native_id, one.state) for batch in batches for one in batch.sightings] == [
        (post, State.GONE)
    ]
    assert not any(batch.listings for batch in batches)


# --- answers of another shape -----------------------------------------------------------------------------------


def _altered(world: BlueskyWorld, method: str, alter: Any) -> None:
    """From now on what the network answers to questions of this name is altered before it is sent."""
    answers = world._xrpc

    def answer(asked: str, *more: Any) -> Any:
        said = answers(asked, *more)
        return alter(said) if asked.endswith(method) else said

    world._xrpc = answer  # type: ignore[assignment, method-assign]  # the network speaks strangely


@pytest.mark.parametrize("method", ["getPosts", "getQuotes"])
@pytest.mark.parametrize("status", [400, 404, 501])
def test_a_refusal_of_the_app_view_is_unexpected_and_not_a_fault_of_ours(
    world, visit, agency, jo, method, status
):
    quoted = world.post(agency, "Closed.")
    embed = {"$type": "app.bsky.embed.record", "record": world.strong(quoted)}
    world.post(jo, "At last.", embed=embed)
    said = b'{"error":"InvalidRequest","message":"No"}'
    world.trouble = lambda asked: (
        (status, {"Content-Type": "application/json"}, said) if asked.endswith(method) else None
    )
    (gap,) = [gap for batch in visit.observe() for gap in batch.gaps]
    assert gap.native_id == quoted
    assert "does not show" in gap.why
    world.trouble = lambda _: (status, {"Content-Type": "application/json"}, said)
    with pytest.raises((UnexpectedResponse, NoSuchPage)):
        visit.observe()


@pytest.mark.parametrize("text", [None, 7, [], {}])
def test_an_answer_without_words_is_a_gap_and_is_never_called_missing(world, visit, agency, jo, al, text):
    post = world.post(agency, "Closed.")
    strange, other = world.post(jo, "Why?", to=post), world.post(al, "Until when?", to=post)

    def wordless(said: Any) -> Any:
        for node in said["thread"]["replies"]:
            if node["post"]["uri"] == strange:
                node["post"] = {**node["post"], "record": {**node["post"]["record"], "text": text}}
        return said

    _altered(world, "getPostThread", wordless)
    batches = visit.observe()
    assert other in observations(batches)
    assert [gap.native_id for gap in gaps(batches)] == [strange]
    assert not {None, post} & listings(batches).keys()


@pytest.mark.parametrize("strange", [{"strange": [[]]}, {"post": [["?"]], "replies": [["?"]]}, [["?"]], None])
def test_a_place_in_a_thread_of_another_shape_costs_neither_those_beside_it_nor_their_answers(
    world, visit, agency, jo, al, strange
):
    post = world.post(agency, "Closed.")
    odd, other = world.post(jo, "Why?", to=post), world.post(al, "Until when?", to=post)
    below = world.post(agency, "Until six.", to=other)

    def altered(said: Any) -> Any:
        replies = said["thread"]["replies"]
        replies[:] = [strange if one["post"]["uri"] == odd else one for one in replies]
        return said

    answers = world._xrpc
    _altered(world, "getPostThread", altered)
    batches = visit.observe()
    assert {other, below} <= set(observations(batches))
    assert odd not in observations(batches)
    assert {gap.native_id for gap in gaps(batches)} == {None}
    assert not {None, post} & listings(batches).keys()
    world._xrpc = answers
    again = visit.observe(batches[-1].resume_from)
    assert odd in observations(again)
    assert not gaps(again)


def test_a_list_that_is_one_record_stays_as_it_was_where_something_in_it_cannot_be_read(
    world, http, agency, jo, al
):
    world.preferences = [
        {"$type": "app.bsky.actor.defs#mutedWordsPref", "items": [{"value": "spam", "targets": 5}, None]}
    ]
    world.mutes = [jo, al]
    visit = Visit(world, http, agency, connected=True)

    def altered(said: Any) -> Any:
        return {**said, "mutes": [None, *said["mutes"][1:]]}

    answers = world._xrpc
    _altered(world, "getMutes", altered)
    batches = visit.observe()
    names = {agency + "#preferences", agency + "#mutes"}
    assert not names & set(observations(batches))
    assert {gap.native_id for gap in gaps(batches)} == names
    world._xrpc = answers
    world.preferences[0]["items"].pop()
    assert names <= set(observations(visit.observe(batches[-1].resume_from)))


@pytest.mark.parametrize("part", ["text", "sender", "sentAt"])
def test_a_message_of_another_shape_is_a_gap_and_never_other_words(world, http, agency, jo, part):
    said = [
        {"id": f"m{number}", "text": "Help", "sender": {"did": jo}, "sentAt": "2026-03-01T09:00:00.000Z"}
        for number in range(3)
    ]
    world.convos["c1"] = [said[0], {**said[1], part: [["?"]]}, said[2]]
    visit = Visit(world, http, agency, connected=True)
    batches = visit.observe()
    assert {"chat:c1/m0", "chat:c1/m2"} <= set(observations(batches))
    assert "chat:c1/m1" not in observations(batches)
    assert [gap.native_id for gap in gaps(batches)] == ["chat:c1/m1"]
    world.convos["c1"] = said
    assert "chat:c1/m1" in observations(visit.observe(batches[-1].resume_from))


@pytest.mark.parametrize("where", ["", "x", "at://did:plc:abc/app.bsky.feed.post/a\x00"])
def test_an_answer_without_an_address_is_a_gap_and_the_others_are_read(world, visit, agency, jo, al, where):
    post = world.post(agency, "Closed.")
    strange, other = world.post(jo, "Why?", to=post), world.post(al, "Until when?", to=post)

    def nameless(said: Any) -> Any:
        for node in said["thread"]["replies"]:
            if node["post"]["uri"] == strange:
                node["post"]["uri"] = where
        return said

    _altered(world, "getPostThread", nameless)
    batches = visit.observe()
    assert other in observations(batches)
    assert [gap.native_id for gap in gaps(batches)] == [None]
    assert not {None, post} & listings(batches).keys()


def test_an_answer_that_stays_blocked_at_its_own_address_is_a_gap_and_is_never_called_missing(
    world, visit, agency, jo
):
    post = world.post(agency, "Closed.")
    blocked = world.post(jo, "Why?", to=post)
    world.blocked.add(blocked)
    node = world._node
    world._node = lambda where, depth, *, top=False: node(where, depth, top=top and where != blocked)
    batches = visit.observe()
    assert [gap.native_id for gap in gaps(batches)] == [blocked]
    assert not {None, post} & listings(batches).keys()
