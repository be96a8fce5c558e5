"""What Nextdoor's answers and addresses say, read without asking anybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import OAuth2
from connectors.nextdoor import Nextdoor, address, parse, reading
from connectors.nextdoor.address import Address
from connectors.nextdoor.parse import Known
from connectors.nextdoor.reading import Answer
from connectors.nextdoor.shapes import Comment, Post
from connectors.pieces import Malformed

AGENCY = Known("40311", "Test Town Police")
POST, COMMENT = Post.__struct_fields__, Comment.__struct_fields__


@pytest.mark.parametrize(
    ("written", "means"),
    [
        (
            "https://nextdoor.com/agency-detail/ca/harrow-falls/harrow-falls-police/",
            Address("nextdoor.com", "ca", "harrow-falls", "harrow-falls-police"),
        ),
        (
            " www.nextdoor.com/agency-detail/CA/Harrow-Falls/harrow-falls-police?x=1 ",
            Address("nextdoor.com", "ca", "harrow-falls", "harrow-falls-police"),
        ),
        ("https://ca.nextdoor.com/agency/harrow", Address("ca.nextdoor.com")),
        ("https://nextdoor.co.uk/pages/harrow-council", Address("nextdoor.co.uk")),
    ],
)
def test_an_agency_is_named_as_a_browser_shows_it(written: str, means: Address) -> None:
    assert address.read(written) == means


def test_another_agencys_address_contradicts_and_one_of_another_form_does_not() -> None:
    named = Address("nextdoor.com", "ca", "harrow-falls", "police")
    assert address.agrees("https://www.nextdoor.com/agency-detail/CA/harrow-falls/police", named)
    assert address.contradicts("https://nextdoor.com/agency-detail/ca/harrow-falls/fire/", named)
    for told in (None, "", "https://nextdoor.com/agency/police", "not an address"):
        assert not address.contradicts(told, named)
        assert not address.agrees(told, named)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_known = st.sampled_from(sorted({*POST, *COMMENT, "comments"}))
_items = st.builds(
    lambda required, more: {**more, **required},
    st.fixed_dictionaries(
        {}, optional={"id": _json | st.text("12", max_size=2), "body": _json | st.text(max_size=8)}
    ),
    st.dictionaries(_known | st.text(max_size=4), _json, max_size=6),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_items, max_size=3), st.lists(_items, max_size=3))
def test_whatever_stands_in_an_answer_is_read_or_said_to_be_of_another_shape(
    posts: list[dict[str, Any]], below: list[dict[str, Any]]
) -> None:
    posts += [{"id": 1, "body": "x", "comments": below}]
    answer = Answer(json.dumps({"posts": posts}).encode(), 0)
    try:
        rows = reading.posts(answer)
        for one in rows.items:
            assert parse.post(one.post, AGENCY, parse.answers(one, AGENCY)).native_id
            parse.without_files(one.post)
    except Malformed:
        return


@pytest.mark.parametrize(
    ("told", "means"),
    [
        (1772355600, datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
        ("1772355600", datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
        (1772355600.0, datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
        ("2026-03-01T10:00:00+01:00", datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
        (0, None),
        (-5, None),
        (10**14, None),
        (True, None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (None, None),
        ([], None),
    ],
)
def test_a_time_is_read_as_seconds_or_as_text_and_never_made_up(told: object, means: datetime | None) -> None:
    assert parse.moment(told) == means


def test_half_an_emoji_is_read_and_its_bytes_are_kept() -> None:
    body = b'{"posts": [ {"id": "1", "body": "half \\ud83d", "comments": [ {"id": 2, "body": "\\udc00"} ]} ]}'
    (one,) = reading.posts(Answer(body, 0)).items
    (below,) = one.below or []
    assert one.post.what.body == "half \ufffd"
    assert body[below.seen.span.start : below.seen.span.end] == b'{"id": 2, "body": "\\udc00"}'


def test_the_page_is_connected_by_oauth_2_and_asked_for_reading_alone() -> None:
    sign_in = Nextdoor.manifest.sign_in
    assert isinstance(sign_in, OAuth2)
    assert not any("write" in scope or "publish" in scope for scope in sign_in.scopes)
    assert sign_in.scopes[0] == "openid"
    assert all(one.split("/")[2].endswith("nextdoor.com") for one in (sign_in.authorise_at, sign_in.token_at))


def test_the_manifest_says_that_comments_are_not_shown_and_what_to_do() -> None:
    comments = next(one for one in Nextdoor.manifest.blind_spots if one.startswith("Comments"))
    assert "muniment import FILE --as warc" in comments
    assert not Nextdoor.manifest.narrows
