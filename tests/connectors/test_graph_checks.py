"""What a check of a connection to Meta finds, and what it tells an officer to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from connectors import graph, graph_checks
from connectors.graph import Asking, Token

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
AGAIN = "Connect it again."


def ends(at: datetime | None) -> tuple[str, bool, str]:
    found = graph_checks.ends("token", int(at.timestamp()) if at else 0, NOON, AGAIN)
    return found.what, found.fine, found.remedy


@pytest.fixture
def asking(client, serve) -> Callable[..., Asking]:
    """A visit to an interface on loopback, which says this of the token that it is asked about."""

    def visit(
        said: Mapping[str, object] | None = None, version: str = graph.VERSION, **secret: str
    ) -> Asking:
        body = json.dumps({"data": said} if said is not None else {"error": {"code": 10}}).encode()
        status = "200 OK" if said is not None else "403 Forbidden"
        wire = serve(lambda call: call.answer(body, status=status))
        return Asking(client(), {"access_token": "EAAG-token", **secret}, wire.base, version)

    return visit


def token(asking: Asking) -> dict[str, tuple[bool, str]]:
    found = graph_checks.token(asking, "Facebook", "the page", {"pages_show_list": "the page is found"})
    return {one.what: (one.fine, one.remedy) for one in found}


def test_what_never_ends_or_ends_later_is_fine():
    assert ends(None) == ("token, without an end", True, "")
    assert ends(NOON + timedelta(days=31)) == ("token, until 2026-06-04", True, "")


def test_what_ends_soon_or_has_ended_tells_what_to_do():
    assert ends(NOON + timedelta(days=30)) == ("token, until 2026-06-03", False, AGAIN)
    assert ends(NOON - timedelta(days=1)) == ("token, until 2026-05-03", False, AGAIN)


def test_a_permission_that_is_lacking_is_named():
    lacks = graph_checks.permits(Token(scopes=["a"]), "b", "comments", "the page")
    assert (lacks.what, lacks.fine) == ("comments: b", False)
    assert lacks.remedy.endswith("connect the page again: b.")
    has = graph_checks.permits(Token(scopes=["a"]), "a", "comments", "the page")
    assert (has.fine, has.remedy) == (True, "")


def test_a_version_that_goes_on_is_fine_and_one_that_ends_within_months_is_not(asking):
    assert graph_checks.version(asking(), "Facebook").fine
    found = graph_checks.version(asking(version="v21.0"), "Facebook")  # it is May 2026
    assert found.fine
    visit = asking(version="v21.0")
    visit.answered_as = "v22.0"
    found = graph_checks.version(visit, "Facebook")
    assert not found.fine
    assert found.remedy.startswith("Facebook answers as v22.0: v21.0 has ended.")


@pytest.mark.parametrize(("asked", "on"), [("v19.0", "2026-05-21"), ("v20.0", "2026-09-24")])
def test_a_version_that_has_ended_is_told_so_although_no_answer_says_as_which_it_was_given(
    asking, time, asked, on
):
    time.at = datetime(2026, 11, 22, tzinfo=UTC)
    found = graph_checks.version(asking(version=asked), "Facebook")
    assert not found.fine
    assert found.remedy == f"Meta ended it on {on}. Upgrade Muniment, or set the option `version`."
    assert graph_checks.version(asking(), "Facebook").fine


def test_a_version_is_told_to_end_half_a_year_before_it_does(asking, time):
    time.at = datetime(2026, 9, 1, tzinfo=UTC)
    found = graph_checks.version(asking(version="v21.0"), "Facebook")
    assert (found.fine, found.remedy[:30]) == (False, "Meta ends it on 2027-01-21. Up")


def test_a_token_that_is_fine_is_told_with_whose_it_is_and_what_it_permits(asking):
    told = token(
        asking({"is_valid": True, "type": "PAGE", "application": "Archive", "scopes": ["pages_show_list"]})
    )
    assert all(fine for fine, _ in told.values())
    assert "signed in as page of Archive" in told
    assert "the page is found: pages_show_list" in told


def test_a_token_that_is_dead_says_nothing_else(asking):
    told = token(asking({"is_valid": False, "scopes": ["pages_show_list"]}))
    remedy = "Facebook says that it is not valid. Generate a new token and connect the page again."
    assert told == {"token": (False, remedy)}


def test_where_nothing_is_told_of_a_token_it_is_said_where_to_look(asking):
    told = token(asking())
    remedy = "Facebook does not tell. Look it up in Meta's Access Token Debugger."
    assert told == {"what the token permits": (False, remedy)}


def test_a_secret_of_the_application_is_asked_for_where_it_is_not_at_hand(asking):
    assert graph_checks.proven(asking(app_secret="quiet")).fine
    assert "App settings > Basic" in graph_checks.proven(asking()).remedy


def test_comments_are_found_in_lists_and_nothing_in_what_is_none():
    assert graph_checks.comments(
        [{"data": [{"id": "1"}, "2"]}, None, {"data": None}, {}, {"data": [{}]}]
    ) == [
        {"id": "1"},
        {},
    ]


def test_a_reason_becomes_a_sentence():
    assert graph_checks.said("meta asks for more") == "Meta asks for more."
