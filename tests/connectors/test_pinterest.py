"""Pinterest, observed over loopback: boards, sections, pins of every type, what is hidden, and what proves no removal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import pieces
from connectors.contract import (
    Author,
    Batch,
    Cursor,
    Kind,
    Listing,
    Page,
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
from connectors.pinterest import Pinterest
from connectors.pinterest.manifest import SCOPES
from connectors.pinterest.place import Place
from tests.connectors.worlds import answering
from tests.connectors.worlds.loopback import evidence_client
from tests.connectors.worlds.pinterest_world import (
    HTML,
    JSON,
    NAME,
    NUMBER,
    OTHER,
    PROTECTED,
    SECRET,
    SIGN_IN,
    PinterestWorld,
    Refused,
)
from tests.connectors.worlds.visits import PageVisit, asked, gaps, seen

SECRETS = dict(PinterestWorld.signed_in)


class Visit(PageVisit[Pinterest]):
    """One connector at one account."""

    looks_for = Kind.POST

    def __init__(
        self, world: PinterestWorld, http: EvidenceClient, secret: Mapping[str, str] = SECRETS, **more: str
    ) -> None:
        super().__init__(Pinterest(http, secret), {"api": world.api, **more})

    def page(self, written: str = f"https://www.pinterest.com/{NAME}/", /, **span: datetime | None) -> Page:
        return Page(address=written, options=self.options, **span)


def listings(batches: Sequence[Batch]) -> dict[Kind, Listing]:
    return {one.kinds[0]: one for batch in batches for one in batch.listings}


@pytest.fixture
def http() -> Iterator[EvidenceClient]:
    with evidence_client(SECRETS) as client:
        yield client


@pytest.fixture
def world() -> Iterator[PinterestWorld]:
    with PinterestWorld() as account:
        yield account


@pytest.fixture
def visit(world: PinterestWorld, http: EvidenceClient) -> Visit:
    return Visit(world, http)


# --- what an account shows ----------------------------------------------------------------------------------


def test_the_introduction_comes_first_with_its_words_picture_and_counts(world, visit):
    (shown,) = visit.observe()[0].observations
    assert (shown.native_id, shown.kind) == (f"account/{NUMBER}", Kind.PROFILE)
    assert shown.text == "Test Town Police\n\nThe department's own account.\n\nhttps://town.example/police"
    assert shown.author == Author(id=NUMBER, name="Test Town Police", handle=NAME)
    assert [file.id for file in shown.attachments] == ["picture:profile4"]
    assert shown.counts["followers"] == 250


def test_a_pin_keeps_its_words_where_it_leads_to_its_picture_and_its_counts(world, visit):
    board = world.board("Roads")
    name = world.pin(
        board, "Bridge closed", "Until six.", link="https://town.example/b", alt="A barrier", comments=3
    )
    shown = seen(visit.observe())[name]
    assert (shown.kind, shown.state, shown.edited_at) == (Kind.POST, State.PRESENT, None)
    assert shown.text == "Bridge closed\n\nUntil six.\n\nhttps://town.example/b"
    assert shown.published_at == datetime(2026, 3, 1, 8, 2, tzinfo=UTC)
    assert shown.author == Author(id=NUMBER, handle=NAME)
    assert [(file.id, file.description) for file in shown.attachments] == [
        (f"image:picture{name}", "A barrier")
    ]
    assert (shown.attachments[0].url or "").endswith(f"/1200x/ab/cd/picture{name}.jpg"), "the largest size"
    assert shown.counts == {
        "comments": 3,
        "reactions": 10,
        "saves": 4,
        "clicks": 7,
        "outbound_clicks": 2,
        "impressions": 300,
    }
    assert (shown.extra["board"], shown.extra["link"]) == (board, "https://town.example/b")
    assert shown.url == f"https://www.pinterest.com/pin/{name}/"


def test_boards_and_their_sections_are_records_of_their_own_with_the_agencys_words(world, visit):
    board = world.board("Roads & <b>", "What is closed.")
    section = world.section(board, "Winter ❄")
    name = world.pin(board, "Salt", section=section)
    shown = seen(visit.observe())
    assert shown[f"board/{board}"].text == "Roads & <b>\n\nWhat is closed."
    assert shown[f"board/{board}"].kind is Kind.PROFILE
    assert shown[f"board/{board}"].counts["pins"] == 1
    assert shown[f"section/{board}/{section}"].text == "Winter ❄"
    assert shown[name].extra["section"] == section


@pytest.mark.parametrize("both", [True, False])
def test_pins_of_sections_are_seen_whether_or_not_the_list_of_a_board_holds_them(world, visit, both):
    world.lists_sections = both
    board = world.board("Together", owner=OTHER)
    name = world.pin(board, "Theirs", section=world.section(board, "Winter"), by=OTHER)
    assert f"shared/{name}" in seen(visit.observe())


def test_pins_of_every_type_keep_all_their_files_each_with_a_name_that_lasts(world, visit):
    board = world.board("Roads")
    kinds = {
        "image": world.picture("a"),
        "video": world.film("b"),
        "multiple_images": world.several(
            "multiple_images", world.picture("c"), world.picture("d"), world.picture("c")
        ),
        "multiple_videos": world.several("multiple_videos", world.film("e"), world.film("f")),
        "multiple_mixed": world.several("multiple_mixed", world.picture("g"), world.film("h")),
    }
    names = {kind: world.pin(board, kind, media=media) for kind, media in kinds.items()}
    before = seen(visit.observe())
    files = {kind: [file.id for file in before[name].attachments] for kind, name in names.items()}
    assert files == {
        "image": ["image:a"],
        "video": ["video:b", "cover:bcover"],
        "multiple_images": ["image:c", "image:d"],
        "multiple_videos": ["video:e", "cover:ecover", "video:f", "cover:fcover"],
        "multiple_mixed": ["image:g", "video:h", "cover:hcover"],
    }
    world.night += 1
    after = seen(visit.observe())
    assert [[file.id for file in after[name].attachments] for name in names.values()] == list(files.values())


def test_the_words_of_each_picture_of_a_carousel_are_words_of_the_pin(world, visit):
    first = {**world.picture("a"), "title": "Before", "description": "In May", "link": "https://a.example/"}
    media = world.several("multiple_images", first, {**world.picture("b"), "title": "After"})
    name = world.pin(world.board("Roads"), "Bridge", media=media, creative="CAROUSEL")
    shown = seen(visit.observe())[name]
    assert shown.text == "Bridge\n\nBefore\n\nIn May\n\nhttps://a.example/\n\nAfter"
    assert shown.extra["creative_type"] == "CAROUSEL"


def test_videos_without_an_address_are_one_gap_that_says_how_many_and_their_covers_are_kept(world, visit):
    world.tells_films = False
    board = world.board("Roads")
    names = [world.pin(board, f"{number}", media=world.film(f"film{number}")) for number in range(3)]
    batches = visit.observe()
    assert list(gaps(batches)) == ["the videos of 3 pins"]
    assert [file.id for file in seen(batches)[names[0]].attachments] == ["cover:film0cover"]
    assert listings(batches).keys() == {Kind.POST, Kind.PROFILE}, "that a file is lacking hides no pin"


def test_secret_and_protected_boards_are_hidden_with_all_that_stands_on_them(world, visit):
    names = {privacy: world.board(privacy, privacy=privacy) for privacy in ("PUBLIC", PROTECTED, SECRET)}
    pins = {privacy: world.pin(board, "+1") for privacy, board in names.items()}
    section = world.section(names[SECRET], "Later")
    shown = seen(visit.observe())
    assert [shown[f"board/{one}"].state for one in names.values()] == [
        State.PRESENT,
        State.HIDDEN,
        State.HIDDEN,
    ]
    assert [shown[one].state for one in pins.values()] == [State.PRESENT, State.HIDDEN, State.HIDDEN]
    assert shown[f"section/{names[SECRET]}/{section}"].state is State.HIDDEN


def test_what_others_put_on_a_shared_board_is_seen_and_is_by_nobody_that_we_know(world, visit):
    shared = world.board("Together", owner=OTHER)
    theirs, ours = world.pin(shared, "Library", by=OTHER), world.pin(shared, "Police")
    shown = seen(visit.observe())
    assert (shown[f"shared/{theirs}"].author, shown[f"shared/{theirs}"].extra["board_of"]) == (None, OTHER)
    assert shown[ours].author == Author(id=NUMBER, handle=NAME)
    assert shown[f"board/{shared}"].author == Author(handle=OTHER)


def test_what_the_account_put_on_a_board_that_is_not_listed_is_seen(world, visit):
    name = world.pin("813744226420799999", "On a board of somebody else's")
    assert seen(visit.observe())[name].state is State.PRESENT


def test_each_item_names_its_own_bytes(world, visit):
    board = world.board("Roads")
    name = world.pin(board, "Closed")
    own: dict[str, Any] = {}
    for batch in visit.observe():
        for one in batch.observations:
            (span,) = one.evidence
            own[one.native_id] = json.loads(batch.exchanges[span.exchange].body[span.start : span.end])
    assert (own[f"board/{board}"]["name"], own[name]["title"]) == ("Roads", "Closed")


def test_an_answer_that_was_compressed_all_the_same_belongs_to_each_of_its_items_whole(world, visit):
    world.compresses = True
    name = world.pin(world.board("Roads"), "Closed")
    for batch in visit.observe():
        for one in batch.observations:
            assert {(span.start, span.end) for span in one.evidence} == {
                (0, len(batch.exchanges[span.exchange].body)) for span in one.evidence
            }
    assert name in seen(visit.observe())


# --- lists --------------------------------------------------------------------------------------------------


def test_lists_are_read_to_their_end_and_what_is_shown_is_promised_whole(world, http):
    world.cuts_at = 2
    boards = [world.board(f"{number}") for number in range(5)]
    sections = [world.section(boards[0], f"{number}") for number in range(5)]
    pins = [world.pin(boards[number], f"{number}") for number in (0, 0, 0, 1, 2)]
    batches = Visit(world, http, page_size="2").observe()
    assert {*pins, *(f"section/{boards[0]}/{one}" for one in sections)} <= set(seen(batches))
    assert listings(batches).keys() == {Kind.POST, Kind.PROFILE}
    assert all(set(one.states) == {State.PRESENT, State.HIDDEN} for one in listings(batches).values())
    assert gaps(batches) == {}


def test_an_account_without_anything_is_a_complete_pass(visit):
    batches = visit.observe()
    assert listings(batches).keys() == {Kind.POST, Kind.PROFILE}
    assert len(seen(batches)) == 1


def test_a_bookmark_that_pinterest_has_forgotten_begins_its_list_anew(world, http):
    world.cuts_at = 2
    board = world.board("Roads")
    pins = {world.pin(board, f"{number}") for number in range(5)}
    visit = Visit(world, http)
    cut = next(one for one in visit.connector.observe(visit.page(), None) if pins & set(seen([one])))
    world.forgets_bookmarks = 1
    batches = visit.observe(cut.resume_from)
    assert pins <= set(seen(batches))
    assert Kind.POST in listings(batches)


def test_a_bookmark_that_is_forgotten_again_and_again_is_a_gap_and_promises_nothing(world, visit):
    world.cuts_at, world.forgets_bookmarks = 1, 99
    world.pin(world.board("Roads"), "1")
    world.board("Second")
    batches = visit.observe()
    assert "boards" in gaps(batches)
    assert listings(batches) == {}


def test_a_board_that_is_removed_while_it_is_read_is_no_gap(world, http):
    board = world.board("Roads")
    world.board("Other")
    visit = Visit(world, http, page_size="1")
    begun = visit.connector.observe(visit.page(), None)
    batches = [next(begun), next(begun)]
    world.delete(board)
    batches += begun
    assert gaps(batches) == {}
    assert Kind.POST in listings(batches)


@pytest.mark.parametrize("path", ["boards", "boards/{board}/pins", "boards/{board}/sections", "pins"])
def test_a_list_that_is_refused_is_a_gap_and_nothing_of_its_kind_is_promised(world, visit, path):
    board = world.board("Roads")
    world.pin(board, "Closed")
    world.shut[path.format(board=board)] = Refused(403, 29, "You are not permitted to access that resource.")
    batches = visit.observe()
    assert Kind.POST not in listings(batches)
    assert (Kind.PROFILE in listings(batches)) == path.endswith("pins")
    assert gaps(batches)
    assert all("403 code 29" in why for why in gaps(batches).values())


@pytest.mark.parametrize(
    "lacks",
    [
        (403, 29, "You are not permitted to access that resource. Missing: ['SCOPE']"),
        (401, 3, "Authorization failed. Missing: ['SCOPE']"),
        (401, 2, "Authentication failed."),
    ],
)
def test_secret_boards_that_are_not_open_to_us_are_a_gap_and_what_is_hidden_is_not_promised(
    world, visit, lacks
):
    world.lacks = lacks
    secret = world.board("Plans", privacy=SECRET)
    world.pin(secret, "Not yet")
    world.scopes -= {"boards:read_secret", "pins:read_secret"}
    batches = visit.observe()
    assert list(gaps(batches)) == ["secret boards, with what stands on them"]
    assert "boards:read_secret" in next(iter(gaps(batches).values()))
    assert {tuple(one.states) for one in listings(batches).values()} == {(State.PRESENT,)}


def test_counts_are_not_asked_for_where_the_option_says_so(world, http):
    name = world.pin(world.board("Roads"), "Closed", comments=3)
    assert seen(Visit(world, http, metrics="no").observe())[name].counts == {}
    assert asked(world, "pin_metrics") == 0


def test_an_advertising_account_is_named_in_every_question_where_the_option_names_one(world, http):
    world.ad_accounts = frozenset({"549755885175"})
    world.pin(world.board("Roads"), "Closed")
    Visit(world, http, ad_account="549755885175").observe()
    assert asked(world, "ad_account_id=549755885175") == len(world.asked)
    with pytest.raises(AccessRevoked):
        Visit(world, http, ad_account="1").observe()


# --- how items stand ----------------------------------------------------------------------------------------


def test_how_items_stand_is_told_by_their_numbers(world, visit):
    board, plans = world.board("Roads"), world.board("Plans", privacy=SECRET)
    section = world.section(board, "Winter")
    pin, draft, removed = world.pin(board, "1"), world.pin(plans, "2"), world.pin(board, "3")
    world.delete(removed)
    told = visit.look(
        pin,
        draft,
        removed,
        f"board/{board}",
        f"board/{plans}",
        "board/1",
        f"section/{board}/{section}",
        f"account/{NUMBER}",
    )
    assert [one.state for one in told.values()] == [
        State.PRESENT,
        State.HIDDEN,
        State.GONE,
        State.PRESENT,
        State.HIDDEN,
        State.GONE,
        State.PRESENT,
        State.PRESENT,
    ]
    assert told[removed].reason.startswith("404 code 50")
    assert asked(world, f"boards/{board}?") + asked(world, f"boards/{board}") >= 1


def test_a_section_is_gone_with_its_board_and_else_only_missing(world, visit):
    board, gone = world.board("Roads"), world.board("Old")
    names = [f"section/{one}/{world.section(one, 'Winter')}" for one in (board, gone)]
    world.boards[board].sections.clear()
    world.delete(gone)
    told = visit.look(*names)
    assert [one.state for one in told.values()] == [State.UNKNOWN, State.GONE]


def test_a_404_proves_no_removal_where_secret_boards_are_not_open_to_us(world, visit):
    plans = world.board("Plans", privacy=SECRET)
    name = world.pin(plans, "Not yet")
    world.scopes -= {"boards:read_secret", "pins:read_secret"}
    told = visit.look(name, f"board/{plans}")
    assert {one.state for one in told.values()} == {State.UNKNOWN}
    assert "secret board" in told[name].reason


def test_what_others_took_from_a_shared_board_is_never_called_gone(world, visit):
    shared = world.board("Together", owner=OTHER)
    name = f"shared/{world.pin(shared, 'Library', by=OTHER)}"
    assert visit.look(name)[name].state is State.PRESENT
    world.pins.clear()
    assert visit.look(name)[name].state is State.UNKNOWN


@pytest.mark.parametrize("status", [401, 403])
def test_a_permission_that_is_lacking_proves_no_removal(world, visit, status):
    name = world.pin(world.board("Roads"), "1")
    world.shut[f"pins/{name}"] = Refused(status, 3, "Authorization failed. Missing: ['pins:read']")
    assert visit.look(name)[name].state is State.UNKNOWN


def test_many_items_are_told_in_several_batches_each_by_its_own_exchanges(world, visit):
    board = world.board("Roads")
    names = [world.pin(board, f"{number}") for number in range(60)]
    told = visit.look(*names, f"board/{board}", f"account/{NUMBER}")
    assert {one.state for one in told.values()} == {State.PRESENT}
    assert asked(world, f"/boards/{board}") == 2, "once in each batch"


# --- errors, as Pinterest writes them -----------------------------------------------------------------------


def says(status: int, code: int, message: str = "Something.", **headers: str) -> Any:
    body = PinterestWorld.error(Refused(status, code, message))
    return lambda _path: (
        status,
        {**JSON, **{name.replace("_", "-"): one for name, one in headers.items()}},
        body,
    )


@pytest.mark.parametrize(
    ("trouble", "error", "after"),
    [
        (says(401, 2, "Authentication failed."), AccessRevoked, None),
        (says(403, 29, "You are not permitted to access that resource."), AccessRevoked, None),
        (says(429, 8, x_ratelimit_reset="42"), TryAgainLater, timedelta(seconds=42)),
        (says(429, 8, x_ratelimit_reset='7, 7;w=60;name="org_read"'), TryAgainLater, timedelta(seconds=7)),
        (says(429, 8, x_ratelimit_reset="1780282920"), TryAgainLater, timedelta(minutes=2)),
        (says(429, 29), TryAgainLater, timedelta(minutes=5)),
        (says(429, 8, Retry_After="90", x_ratelimit_reset="42"), TryAgainLater, timedelta(seconds=90)),
        (says(403, 8, x_ratelimit_reset="42"), TryAgainLater, timedelta(seconds=42)),
        (says(500, 4), TryAgainLater, None),
        (says(400, 1, "Invalid request."), UnexpectedResponse, None),
        (says(404, 404, "Not found."), UnexpectedResponse, None),
        (lambda _: (404, HTML, b"<html>nothing here</html>"), UnexpectedResponse, None),
        (lambda _: (200, HTML, SIGN_IN), UnexpectedResponse, None),
        (lambda _: (200, JSON, b""), UnexpectedResponse, None),
        (lambda _: (200, JSON, b"[]"), UnexpectedResponse, None),
        (lambda _: (200, JSON, b'{"username": 12}'), UnexpectedResponse, None),
        (lambda _: (204, JSON, b""), UnexpectedResponse, None),
    ],
)
def test_each_refusal_is_sorted_by_what_is_to_be_done_next(world, visit, trouble, error, after):
    world.trouble = trouble
    with pytest.raises(error) as raised:
        visit.observe()
    assert raised.value.exchanges
    if after is not None:
        assert raised.value.after == after
    assert not any(secret in str(raised.value) for secret in SECRETS.values())


def test_a_list_without_its_items_or_with_none_that_bears_its_number_is_no_list(world, visit):
    for body in (
        b'{"bookmark": null}',
        b'{"items": {}}',
        b'{"items": [{"name": "Roads"}, {"name": "Rivers"}, {"id": null, "name": "Parks"}]}',
        b'{"items": [1, 2, 3]}',
    ):
        world.trouble = lambda path, body=body: (200, JSON, body) if path.endswith("boards") else None
        with pytest.raises(UnexpectedResponse):
            visit.observe()


def test_halves_of_characters_unknown_keys_and_values_of_other_types_are_read_all_the_same(world, visit):
    told = (
        b'{"items": [{"id": "1", "title": "\\ud83d half", "media": [1], "pin_metrics": 7, "board_owner": "x",'
        b' "new": {"a": [null]}, "created_at": "yesterday"}, {"id": "2", "media": {"media_type": "hologram",'
        b' "images": {"600x": null, "1200x": {"url": 5}, "736x": {"url": "https://i.example/736x/a/b.jpg"}}}}],'
        b' "bookmark": ""}'
    )
    world.trouble = lambda path: (200, JSON, told) if path.endswith("/pins") else None
    shown = seen(visit.observe())
    assert (shown["1"].text, shown["1"].published_at) == ("\ufffd half", None)
    assert [file.id for file in shown["2"].attachments] == ["image:b"]


def test_a_permission_of_another_account_is_refused_and_a_renamed_account_is_known_again(world, visit):
    batches = visit.observe()
    world.username = "renamed"
    with pytest.raises(NoSuchPage, match="renamed"):
        visit.observe()
    assert seen(visit.observe(batches[-1].resume_from))


def test_an_account_without_a_number_is_known_by_its_name(world, visit):
    world.tells_number = False
    assert f"account/{NAME}" in seen(visit.observe())


def test_a_page_that_is_not_connected_is_not_asked_for(world, http):
    with pytest.raises(AccessRevoked, match="not connected"):
        Visit(world, http, {}).observe()
    assert world.asked == []


# --- the check ----------------------------------------------------------------------------------------------


def test_a_check_of_a_connection_that_is_well_finds_nothing_wanting(world, visit):
    assert visit.check() == {}


@pytest.mark.parametrize("scope", sorted(set(SCOPES) - {"user_accounts:read"}))
def test_a_check_names_each_permission_that_is_lacking(world, visit, scope):
    world.scopes.discard(scope)
    found = visit.check()
    assert any(scope in what for what in found)
    assert all(scope in remedy or "boards:read" in remedy for remedy in found.values())


def test_a_check_says_that_the_account_is_another_or_is_not_shown(world, visit):
    world.username = "somebody"
    assert "Sign in as the account that is meant" in visit.check()["account and permission"]
    world.scopes.clear()
    assert "user_accounts:read" in visit.check()["account and permission"]


# --- addresses, options, cursors -----------------------------------------------------------------------------


def test_an_address_that_names_no_account_says_what_to_write(world, visit):
    with pytest.raises(NoSuchPage, match=r"pinterest\.com/townpolice"):
        list(visit.connector.observe(visit.page("https://www.pinterest.com/pin/1/"), None))


@pytest.mark.parametrize(
    "option",
    [
        {"page_size": "0"},
        {"page_size": "251"},
        {"page_size": "x"},
        {"metrics": "maybe"},
        {"ad_account": "a/b"},
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_before_anything_is_asked(world, http, option):
    with pytest.raises(ConnectorError, match=next(iter(option))):
        Visit(world, http, **option).observe()
    assert world.asked == []


def test_a_token_is_sent_nowhere_in_clear(world, http):
    with pytest.raises(AddressRefused, match="TLS"):
        Visit(world, http, api="http://gateway.example/v5").observe()
    assert pieces.keeps_secrets("https://gateway.example/")
    assert pieces.keeps_secrets("http://[::1]:8080/")
    assert not pieces.keeps_secrets("http://[")


def test_a_cursor_that_cannot_be_read_begins_from_nothing(world, visit):
    world.pin(world.board("Roads"), "1")
    whole = set(seen(visit.observe()))
    for written in ("", "x", "{}", '{"waiting": []}', '{"later": 1}'):
        assert set(seen(visit.observe(Cursor(written)))) == whole
    assert Place.read(None).cursor() == Place().cursor()


# --- answers that nobody expects ----------------------------------------------------------------------------


def told_as(world: PinterestWorld, path: str, change: Callable[[dict[str, Any]], Any]) -> None:
    """From now on answers of that path are changed before they are given."""
    answering.told_as(world, lambda target: target.partition("?")[0] == f"/v5/{path}", change)


def first_of(told: dict[str, Any]) -> dict[str, Any]:
    return told["items"][0] if told["items"] else {}


@pytest.mark.parametrize("address", ["https://[", "https://[::1/x"])
def test_an_address_that_is_none_costs_nothing_but_its_file(world, visit, address):
    pin = world.pin(world.board("Roads"), "Closed")
    media = {"media_type": "image", "images": {"originals": {"url": address, "width": 1}}}
    told_as(world, "user_account", lambda told: told.update(profile_image=address))
    told_as(world, "pins", lambda told: first_of(told).update(media=media))
    first, again = (seen(visit.observe()) for _ in range(2))
    assert [file.url for file in first[pin].attachments] == [address]
    assert first[pin].attachments == again[pin].attachments


@pytest.mark.parametrize("count", [2**53, 2**70, 10**300, -1, "many", [], {}, True, 1.5, "12"])
def test_a_count_of_another_shape_costs_nothing_but_itself(world, visit, count):
    board = world.board("Roads")
    pin = world.pin(board, "Closed")
    told_as(world, "user_account", lambda told: told.update(follower_count=count, monthly_views=count))
    told_as(world, "boards", lambda told: first_of(told).update(pin_count=count, is_ads_only=count))
    told_as(world, "pins", lambda told: first_of(told).update(has_been_promoted=count))
    batches = visit.observe()
    shown = seen(batches)
    assert {pin, f"board/{board}"} <= set(shown)
    assert shown[f"board/{board}"].counts.get("pins") == (12 if count == "12" else None)
    assert set(listings(batches)) == {Kind.POST, Kind.PROFILE}


def test_ids_are_the_same_whether_they_are_written_as_texts_or_as_numbers(world, visit):
    board = world.board("Roads", privacy=SECRET)
    world.section(board, "Winter")
    pin = world.pin(board, "Closed")
    as_texts = seen(visit.observe())

    def numbered(told: dict[str, Any]) -> None:
        for one in told["items"]:
            for name in ("id", "board_id", "board_section_id", "parent_pin_id"):
                if one.get(name):
                    one[name] = int(one[name])

    for path in ("boards", "pins", f"boards/{board}/sections", f"boards/{board}/pins"):
        told_as(world, path, numbered)
    as_numbers = seen(visit.observe())
    assert as_numbers.keys() == as_texts.keys()
    assert as_numbers[pin].state is State.HIDDEN
    assert as_numbers[pin].extra == as_texts[pin].extra


@pytest.mark.parametrize("name", ["", "1/../2", "\x00", "a b", None])
def test_an_id_that_can_be_none_is_a_gap_and_never_a_part_of_an_address(world, visit, name):
    world.board("Roads")
    behind = world.board("Rivers")
    told_as(world, "boards", lambda told: first_of(told).update(id=name))
    batches = visit.observe()
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [None]
    assert f"board/{behind}" in seen(batches)
    assert listings(batches) == {}
    asked_for = {target.partition("?")[0] for target in world.asked}
    assert asked_for == {
        "/v5/user_account",
        "/v5/boards",
        "/v5/pins",
        *(f"/v5/boards/{behind}/{what}" for what in ("pins", "sections")),
    }


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("path", ["pins", "boards", "boards/{board}/pins"])
def test_a_list_that_leads_on_for_ever_and_shows_nothing_new_is_an_error_and_a_boards_alone_is_a_gap(
    world, visit, path, empty
):
    board = world.board("Roads")
    world.pin(board, "Closed")
    count = iter(range(10_000_000))

    def lead_on(told: dict[str, Any]) -> None:
        told["bookmark"] = f"more{next(count)}"
        told["items"] = [] if empty else told["items"]

    world.forgets_bookmarks = 0
    given = world.answer
    world.answer = lambda target, headers: given(  # the world knows none of these bookmarks
        re.sub(r"&?bookmark=more\d+", "", target), headers
    )
    told_as(world, path.format(board=board), lead_on)
    if "{board}" in path:
        batches = visit.observe()
        (gap,) = [gap for batch in batches for gap in batch.gaps]
        assert (gap.native_id, "no end" in gap.why) == (f"board/{board}", True)
        assert Kind.POST not in listings(batches)
    else:
        error = visit.fails()
        assert isinstance(error, UnexpectedResponse)
        assert "no end" in str(error)
    assert len(world.asked) < 100


def test_a_refusal_is_read_also_where_its_message_is_null(world, visit):
    pin = world.pin(world.board("Roads"), "Closed")
    body = b'{"code": 50, "message": null}'
    world.trouble = lambda path: (404, JSON, body) if path.endswith(pin) else None
    assert visit.look(pin)[pin].state is State.GONE


@pytest.mark.parametrize("what", ["pins", "sections"])
def test_a_list_that_pinterest_does_not_know_of_a_board_that_it_shows_is_a_gap(world, visit, what):
    board = world.board("Roads", owner=OTHER)
    shared = world.pin(board, "Closed", by=OTHER)
    world.shut[f"boards/{board}/{what}"] = Refused(404, 40, "Board not found.")
    batches = visit.observe()
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [f"board/{board}"]
    assert Kind.POST not in listings(batches)
    assert shared is not None


def test_a_board_at_which_pinterest_always_fails_is_a_gap_and_the_pass_goes_on(world, visit):
    boards = [world.board(f"No. {number}", owner=OTHER) for number in range(3)]
    pins = [world.pin(board, "Closed", by=OTHER) for board in boards]
    world.trouble = lambda path: (500, JSON, b"{}") if path.endswith(f"boards/{boards[1]}/pins") else None
    batches = visit.observe()
    assert {f"shared/{pins[0]}", f"shared/{pins[2]}"} <= set(seen(batches))
    assert [gap.native_id for batch in batches for gap in batch.gaps] == [f"board/{boards[1]}"]
    assert set(listings(batches)) == {Kind.PROFILE}


def test_a_look_tells_of_the_others_where_pinterest_fails_at_one(world, visit):
    board = world.board("Roads")
    broken, removed, stays = (world.pin(board, f"{number}") for number in range(3))
    world.delete(removed)
    world.trouble = lambda path: (500, JSON, b"{}") if path.endswith(broken) else None
    told = visit.look(broken, removed, stays)
    assert {name: one.state for name, one in told.items()} == {removed: State.GONE, stays: State.PRESENT}


# --- what stands in a list and cannot be read ---------------------------------------------------------------


def tells_oddly(world: PinterestWorld, path: str, number: str, odd: Callable[[Any], Any]) -> None:
    """From now on one item of that list is told otherwise."""

    def change(told: dict[str, Any]) -> None:
        told["items"] = [odd(one) if one["id"] == number else one for one in told["items"]]

    told_as(world, path, change)


def oddly(batches: Sequence[Batch]) -> list[tuple[str, str | None]]:
    """The gaps of a pass, each of which says where and why."""
    found = [gap for batch in batches for gap in batch.gaps]
    assert all("/v5/" in gap.why and gap.why.endswith("Every later pass asks again.") for gap in found)
    return [(gap.what, gap.native_id) for gap in found]


def promises_nothing_however_it_is_broken_off(visit: Visit, batches: Sequence[Batch], *kinds: Kind) -> None:
    assert not {*kinds} & {*listings(batches)}
    for end, batch in enumerate(batches[:-1]):
        if any(one.gaps for one in batches[: end + 1]):
            assert not {*kinds} & {*listings(visit.observe(batch.resume_from))}


ODD = [
    (lambda one: None, False),
    (lambda one: [one], False),
    (lambda one: {**one, "id": None}, False),
    (lambda one: {**one, "id": "../7"}, False),
    (lambda one: {**one, "name": {}, "title": {}}, True),
    (lambda one: {**one, "name": None, "description": 5}, True),
]


@pytest.mark.parametrize(("odd", "bears_its_id"), ODD)
@pytest.mark.parametrize("own", [True, False])
def test_a_pin_that_cannot_be_read_is_a_gap_and_costs_neither_those_beside_it_nor_those_behind_it(
    world, http, own, odd, bears_its_id
):
    visit, board = Visit(world, http, page_size="3"), world.board("Roads", owner=NAME if own else OTHER)
    pins = [world.pin(board, f"No. {number}", by=NAME if own else OTHER) for number in range(7)]
    names = [pin if own else f"shared/{pin}" for pin in pins]
    for path in ("pins", f"boards/{board}/pins"):
        tells_oddly(world, path, pins[3], odd)
    batches = visit.observe()
    assert {*names} - {*seen(batches)} == {names[3]}
    assert {*oddly(batches)} == {("a pin", names[3] if bears_its_id else None)}
    assert {*listings(batches)} == {Kind.PROFILE}
    promises_nothing_however_it_is_broken_off(visit, batches, Kind.POST)
    answering.is_itself(world)
    later = visit.observe(batches[-1].resume_from)
    assert {*names} <= {*seen(later)}
    assert Kind.POST in listings(later)


@pytest.mark.parametrize(("odd", "bears_its_id"), ODD)
def test_a_section_that_cannot_be_read_is_a_gap_and_its_pins_are_read_where_its_number_is(
    world, visit, odd, bears_its_id
):
    board = world.board("Roads", owner=OTHER)
    sections = [world.section(board, name) for name in ("Winter", "Spring", "Summer")]
    pins = [f"shared/{world.pin(board, 'Salt', section=section, by=OTHER)}" for section in sections]
    tells_oddly(world, f"boards/{board}/sections", sections[1], odd)
    batches = visit.observe()
    name = f"section/{board}/{sections[1]}"
    assert oddly(batches) == [("a section of a board", name if bears_its_id else None)]
    assert {f"section/{board}/{sections[0]}", f"section/{board}/{sections[2]}"} <= {*seen(batches)}
    assert {*pins} - {*seen(batches)} == (set() if bears_its_id else {pins[1]})
    promises_nothing_however_it_is_broken_off(visit, batches, *Kind)
    answering.is_itself(world)
    later = visit.observe(batches[-1].resume_from)
    assert {name, *pins} <= {*seen(later)}
    assert {*listings(later)} == {Kind.POST, Kind.PROFILE}


def test_a_board_that_is_told_otherwise_in_its_list_is_read_by_its_number(world, visit):
    board = world.board("Roads", privacy=SECRET)
    pin = world.pin(board, "Closed")
    tells_oddly(world, "boards", board, lambda one: {"id": one["id"], "name": [], "privacy": {}})
    batches = visit.observe()
    assert (oddly(batches), {*listings(batches)}) == ([], {Kind.POST, Kind.PROFILE})
    assert [seen(batches)[one].state for one in (f"board/{board}", pin)] == [State.HIDDEN] * 2


@pytest.mark.parametrize("privacy", [SECRET, "PUBLIC"])
@pytest.mark.parametrize("alone", ["odd", "gone"])
def test_what_stands_on_a_board_that_cannot_be_read_is_as_public_as_the_board(world, visit, privacy, alone):
    board, behind = world.board("Roads", privacy=privacy), world.board("Rivers")
    pins = [world.pin(board, "Closed"), world.pin(behind, "High water")]
    tells_oddly(world, "boards", board, lambda one: {**one, "name": {}})
    if alone == "odd":
        told_as(world, f"boards/{board}", lambda told: told.update(name={}))
    else:
        world.shut[f"boards/{board}"] = Refused(404, 40, "Board not found.")
    batches = visit.observe()
    shown = seen(batches)
    assert oddly(batches) == [("a board", f"board/{board}")]
    assert {f"board/{behind}", *pins} <= {*shown}
    assert shown[pins[0]].state is (State.HIDDEN if privacy == SECRET else State.PRESENT)
    promises_nothing_however_it_is_broken_off(visit, batches, *Kind)


def test_pins_on_a_board_of_which_nobody_can_say_who_sees_it_are_a_gap_and_never_public(world, visit):
    board, behind = world.board("Drafts", privacy=SECRET), world.board("Rivers")
    secret, pin = world.pin(board, "Not yet"), world.pin(behind, "High water")
    for path in (f"boards/{board}", "boards"):
        told_as(world, path, lambda told: (told["items"][0] if "items" in told else told).update(privacy=5))
    batches = visit.observe()
    assert {pin, f"board/{behind}"} <= {*seen(batches)}
    assert secret not in seen(batches)
    assert ("pins", f"board/{board}") in oddly_named(batches)
    promises_nothing_however_it_is_broken_off(visit, batches, *Kind)
    answering.is_itself(world)
    assert seen(visit.observe(batches[-1].resume_from))[secret].state is State.HIDDEN


def oddly_named(batches: Sequence[Batch]) -> set[tuple[str, str | None]]:
    return {(gap.what, gap.native_id) for batch in batches for gap in batch.gaps}


@pytest.mark.parametrize("privacy", [SECRET, "PUBLIC"])
def test_a_board_without_a_number_is_found_by_the_pins_that_stand_on_it(world, visit, privacy):
    board = world.board("Together", privacy=privacy, owner=OTHER)
    pin, shared = world.pin(board, "Open day"), world.pin(board, "Library hours", by=OTHER)
    tells_oddly(world, "boards", board, lambda one: None)
    batches = visit.observe()
    shown = seen(batches)
    assert {f"board/{board}", pin, f"shared/{shared}"} <= {*shown}
    assert {shown[one].state for one in (f"board/{board}", pin, f"shared/{shared}")} == {
        State.HIDDEN if privacy == SECRET else State.PRESENT
    }
    assert oddly(batches) == [("a board", None)]
    promises_nothing_however_it_is_broken_off(visit, batches, *Kind)
    for batch in batches[:-1]:
        assert f"shared/{shared}" in {**shown, **seen(visit.observe(batch.resume_from))}


def test_a_board_of_strangers_is_not_read_for_a_pin_that_stands_on_it(world, visit):
    theirs = world.board("Theirs", owner=NAME)
    pin, other = world.pin(theirs, "Ours"), world.pin(theirs, "Not ours", by=OTHER)
    world.board("Roads")
    tells_oddly(world, "boards", theirs, lambda one: None)
    told_as(
        world, f"boards/{theirs}", lambda told: told.update(owner={"username": OTHER}, collaborator_count=0)
    )
    shown = seen(visit.observe())
    assert shown[pin].state is State.PRESENT
    assert not {f"board/{theirs}", f"shared/{other}"} & {*shown}


@pytest.mark.parametrize("path", ["boards", "pins"])
def test_where_no_item_of_a_list_can_be_read_the_pass_ends_and_where_one_can_it_does_not(world, visit, path):
    for number in range(4):
        world.pin(world.board(f"No. {number}"), "Closed")
    told_as(world, path, lambda told: told.update(items=[None, {"id": "7", "name": {}, "title": 5}, 5]))
    assert isinstance(visit.fails(), UnexpectedResponse)
    answering.is_itself(world)
    told_as(world, path, lambda told: told.update(items=[None, 5, *told["items"][2:]]))
    assert {what for what, _ in oddly(visit.observe())} == {"a board" if path == "boards" else "a pin"}


def test_many_boards_that_cannot_be_read_do_not_end_a_pass_in_which_others_can(world, visit):
    boards = [world.board(f"No. {number}") for number in range(6)]
    for board in boards[:5]:
        tells_oddly(world, "boards", board, lambda one: {**one, "name": []})
        told_as(world, f"boards/{board}", lambda told: told.update(name=[]))
    batches = visit.observe()
    assert f"board/{boards[5]}" in seen(batches)
    assert oddly(batches) == [("a board", f"board/{board}") for board in boards[:5]]


def test_a_look_concludes_nothing_of_what_cannot_be_read_and_tells_of_the_others(world, visit):
    roads, drafts = world.board("Roads"), world.board("Drafts", privacy=SECRET)
    sections = [world.section(roads, name) for name in ("Winter", "Spring")]
    odd, pin, secret = (world.pin(board, "Closed") for board in (roads, roads, drafts))
    told_as(world, f"pins/{odd}", lambda told: told.update(title=5))
    told_as(world, f"boards/{drafts}", lambda told: told.update(name=5))
    tells_oddly(world, f"boards/{roads}/sections", sections[0], lambda one: None)
    names = [f"section/{roads}/{one}" for one in sections]
    told = visit.look(odd, pin, secret, f"board/{roads}", f"board/{drafts}", *names)
    unread = {odd, secret, f"board/{drafts}", names[0]}
    assert {name for name, one in told.items() if one.state is State.UNKNOWN} == unread
    assert all("another shape" in told[name].reason for name in unread)
    assert {one.state for name, one in told.items() if name not in unread} == {State.PRESENT}


def test_files_and_words_that_are_told_in_another_shape_take_nothing_from_what_is_known(world, visit):
    board = world.board("Roads")
    parts = [world.picture("a"), world.picture("b")]
    plain = world.pin(board, "Closed", media=world.several("multiple_images", *parts))
    parts[0]["title"] = "First"
    worded = world.pin(board, "Open", media=world.several("multiple_images", *parts))
    single, film = world.pin(board, "Salt"), world.pin(board, "Snow", media=world.film("f"))

    def change(told: dict[str, Any]) -> None:
        for one in told["items"]:
            one["alt_text"] = []
            if one["id"] == single:
                one["media"] = 5
            elif one["id"] == film:
                one["media"].update(cover_image_url=5)
            else:
                one["media"]["items"][1] = None

    for path in ("pins", f"boards/{board}/pins"):
        told_as(world, path, change)
    batches = visit.observe()
    shown = seen(batches)
    told = {
        one: ([file.id for file in shown[one].attachments], shown[one].files_told)
        for one in (plain, single, film)
    }
    assert told == {plain: (["image:a"], False), single: ([], False), film: (["video:f"], False)}
    assert {file.description for one in told for file in shown[one].attachments} == {None}
    assert worded not in shown, (
        "what is written to the other picture cannot be told, and no words are taken away"
    )
    assert {*oddly(batches)} == {("a pin", worded)}
    answering.is_itself(world)
    assert all(one.files_told for one in seen(visit.observe()).values())
