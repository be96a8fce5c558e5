"""Bluesky in a real archive, night after night: edits, hidden answers, deletions that are proven, a broken proof, and troubles.

Others' words are gone only where their own signed repository proves it, or
where the directory says that their account is no more. What the app view alone
does not show is hidden; what nobody can be asked about is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from app.capture import lanes
from app.capture.run import Pass
from app.records.clock import FixedClock
from app.store import Store
from connectors.bluesky import Bluesky
from connectors.contract import Kind, Sighting, State
from connectors.errors import TryAgainLater
from tests.connectors.worlds.bluesky_world import JSON, PROFILE, THREADGATE, BlueskyWorld, link
from tests.connectors.worlds.desk import NIGHT, Desk, told, told_in_full


class Town(Desk):
    """A desk and the network, which live by one clock: what happens between two nights happens on the day between."""

    def __init__(self, store: Store, clock: FixedClock, stack: ExitStack, *, connected: bool = False) -> None:
        self.world = world = stack.enter_context(BlueskyWorld())
        world.is_now(clock.at)
        self.agency, self.jo, self.al = (
            world.join("citypd", "City PD"),
            world.join("jopublic", "Jo Public"),
            world.join("al"),
        )
        secret: Mapping[str, str] = {"app_password": world.app_password} if connected else {}
        page = world.at("https://bsky.app/profile/citypd.test")
        super().__init__(store, clock, stack, Bluesky, page, secret)

    def morning(self) -> None:
        self.world.is_now(self.clock.at)

    def refuses(self, method: str, status: int, error: str) -> None:
        """From now on the network answers questions of this name so, and all others as ever."""
        said = b'{"error":"%b","message":"Not now"}' % error.encode()
        self.world.trouble = lambda asked: (status, JSON, said) if asked.endswith(method) else None

    def looks(self, asked: Sequence[tuple[Kind, str]]) -> list[Sighting]:
        """How these items stand, by asking for each."""
        batches = Bluesky(self.client).look(self.world.at("https://bsky.app/profile/citypd.test"), asked)
        return [one for batch in batches for one in batch.sightings]

    def why(self, name: str) -> str:
        """Why the newest version of a record stands as it does."""
        return str(self.history(name)[-1].fields["state_reason"])


def message(name: str, sender: str, text: str) -> dict[str, Any]:
    return {
        "$type": "chat.bsky.convo.defs#messageView",
        "id": name,
        "rev": "1",
        "text": text,
        "sender": {"did": sender},
        "sentAt": "2026-03-02T13:00:00.000Z",
    }


@pytest.mark.parametrize("narrowed", [False, True])
def test_what_answers_the_page_below_an_answer_that_was_deleted_is_captured(
    store: Store, clock: FixedClock, stack: ExitStack, *, narrowed: bool
) -> None:
    desk = Town(store, clock, stack)
    world, agency, jo, al = desk.world, desk.agency, desk.jo, desk.al
    bridge = world.post(agency, "Bridge closed until six")
    when = world.post(jo, "Until when?", to=bridge)
    ours = world.post(agency, "Until six.", to=when)
    thanks = world.post(al, "Thanks.", to=ours)
    other = world.post(jo, "Still closed.", to=bridge)
    assert desk.night().status == "complete"
    world.delete(when)
    late = world.post(al, "Six in the morning?", to=thanks)
    world.edit(thanks, text="Thank you.")
    span = Pass(lane=lanes.WINDOW, published_from=clock.at - timedelta(days=30)) if narrowed else None
    assert told(desk.night(span)) == ("complete", 1, 1, 0, 1)
    assert desk.states() == {when: "gone"}
    assert (desk.words(thanks), desk.words(late)) == ("Thank you.", "Six in the morning?")
    world.delete(thanks)
    assert told(desk.night(span)) == ("complete", 0, 0, 0, 1)
    assert desk.states() == {when: "gone", thanks: "gone"}
    assert desk.held()[other].state == "present"


def test_a_thread_that_is_shown_whole_is_asked_for_once_whatever_the_page_answered_in_it(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    world, agency, jo = desk.world, desk.agency, desk.jo
    bridge = world.post(agency, "Bridge closed until six")
    ours = world.post(agency, "Until six.", to=world.post(jo, "Until when?", to=bridge))
    world.post(jo, "Thanks.", to=ours)
    world.asked.clear()
    assert desk.night().status == "complete"
    assert sum("getPostThread" in one for one in world.asked) == 1


def test_edits_hidden_answers_deletions_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack, connected=True)
    world, agency, jo, al = desk.world, desk.agency, desk.jo, desk.al
    bridge = world.post(agency, "Bridge closed until six", embed=world.picture())
    when = world.post(jo, "Until when?", to=bridge)
    answer = world.post(agency, "Until six.", to=when)
    rude = world.post(al, "You fools", to=bridge)
    quoting = {"$type": "app.bsky.embed.record", "record": world.strong(bridge)}
    quoted = world.post(al, "Again", embed=quoting)
    mention = world.post(jo, "@citypd.test a light is out")
    house = world.post(agency, "Open house")
    world.convos["c1"] = [message("m1", jo, "Help"), message("m2", jo, "My name is Jo")]
    world.mutes = [al]
    introduction = f"at://{agency}/{PROFILE}/self"
    lists = {f"{agency}#preferences", f"{agency}#mutes"}
    messages = {"chat:c1/m1", "chat:c1/m2"}

    # 1. The first night keeps all that there is, with messages, and lists that only the account's own people see.
    assert told(desk.night()) == ("complete", 13, 0, 0, 0)
    public = {bridge, when, answer, rude, quoted, mention, house}
    assert set(desk.held()) == {agency, introduction, *lists, *messages, *public}
    assert desk.states() == {}
    assert list(desk.files(bridge).values()) == [b"a picture"]

    # 2. A quiet night changes nothing, whatever became of likes and of the addresses of pictures.
    world.likes[bridge] = 40
    world.picture_version += 1
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. A post and an answer are edited. The network tells no time of it: it lies between two nights.
    before = clock.at
    world.edit(bridge, text="Bridge closed until seven")
    world.edit(when, text="Until when exactly?")
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    for name, texts in (
        (bridge, ["Bridge closed until six", "Bridge closed until seven"]),
        (when, ["Until when?", "Until when exactly?"]),
    ):
        first, second = desk.history(name)
        assert [first.fields["text"], second.fields["text"]] == texts
        assert (second.last_seen_before, second.observed_at) == (before, before + NIGHT)
        assert second.fields.get("edited_at") is None

    # 4. The page hides an answer, and shows it again. The list of what it hides is a record of its own.
    gate = world.hide(bridge, rude)
    assert told(desk.night()) == ("complete", 1, 0, 1, 0)
    assert desk.states() == {rude: "hidden"}
    assert rude in str(desk.words(gate))
    world.put(agency, THREADGATE, bridge.rpartition("/")[2], {"post": bridge, "hiddenReplies": []})
    shown = desk.night()
    assert (told(shown), shown.tally.restored) == (("complete", 0, 1, 0, 0), 1)

    # 5. Jo's account is deactivated for a day: its server says so, and what Jo answered is hidden, not gone. Of the
    # mention elsewhere nobody tells.
    world.accounts[jo].status = "RepoDeactivated"
    assert told(desk.night()) == ("complete", 0, 0, 1, 0)
    assert desk.states() == {when: "hidden"}
    world.accounts[jo].status = None
    assert desk.night().tally.restored == 1
    assert desk.states() == {}

    # 6. An answer is deleted, which its author's own signed repository proves; of a message the service says so itself.
    world.delete(rude)
    world.convos["c1"][1] = {"$type": "chat.bsky.convo.defs#deletedMessageView", "id": "m2", "rev": "2"}
    assert told(desk.night()) == ("complete", 0, 0, 0, 2)
    assert desk.states() == {rude: "gone", "chat:c1/m2": "gone"}
    assert "proves that it is not in the repository" in desk.why(rude)
    assert "signature verified" in desk.why(rude)
    assert (desk.words(rude), desk.words("chat:c1/m2")) == ("You fools", "My name is Jo")

    # 7. A throttle, an outage, a password that opens no messages, one that was taken back, a repository that is cut
    # short and an account that is taken down prove no removal, even when there was one.
    states = desk.states()
    desk.refuses("getPostThread", 429, "RateLimitExceeded")
    assert told(desk.night()) == ("partial", 0, 0, 0, 0)
    desk.refuses("getPosts", 500, "InternalServerError")
    assert told(desk.night()) == ("partial", 0, 0, 0, 0)
    world.trouble, world.opens_messages = None, False
    closed = desk.night()
    assert told(closed) == ("partial", 0, 0, 0, 0)
    assert {gap.what for gap in closed.gaps} == {"direct messages"}
    world.delete(bridge)
    world.opens_messages, world.accepts_password = True, False
    assert told(desk.night()) == ("failed", 0, 0, 0, 0)
    world.accepts_password = True
    world.corrupt = lambda method, body: body[:-3] if method.endswith("getRepo") else body
    assert told(desk.night()) == ("failed", 0, 0, 0, 0)
    world.corrupt, world.accounts[agency].status = None, "RepoTakendown"
    down = desk.night()
    assert told(down) == ("failed", 0, 0, 0, 0)
    assert any("has taken the account down" in gap.why for gap in down.gaps)
    assert desk.states() == states

    # 8. When all is well again the night sees what happened meanwhile, and who answered has deleted nothing.
    world.accounts[agency].status = None
    after = desk.night()
    assert (told(after), after.gaps) == (("complete", 0, 0, 0, 1), [])
    assert desk.states() == states | {bridge: "gone"}
    assert desk.held()[when].root == desk.held()[bridge].id
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    assert desk.sound()


def test_an_answer_that_the_app_view_drops_is_hidden_absent_or_gone_as_its_authors_server_says(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    bridge = world.post(desk.agency, "Bridge closed")
    rude = world.post(desk.al, "You fools", to=bridge)
    for number in range(12):
        world.post(desk.al, f"Elsewhere {number}")
    assert told(desk.night()) == ("complete", 4, 0, 0, 0)

    # 1. The author's own repository still has it: hidden. Then the app view shows it again.
    world.unindexed.add(rude)
    assert told(desk.night()) == ("complete", 0, 0, 1, 0)
    assert "proves that it is in the repository" in desk.why(rude)
    world.unindexed.clear()
    assert desk.night().tally.restored == 1

    # 2. Nobody says where the author's account is: absent, and back when it is shown.
    world.unindexed.add(rude)
    world.missing_documents[desk.al] = 500
    assert desk.night().tally.absent == 1
    assert desk.states() == {rude: "absent"}
    world.unindexed.clear()
    world.missing_documents.clear()
    assert desk.night().tally.restored == 1
    assert desk.states() == {}

    # 3. The page's own post is not shown by the app view: a gap, and nothing is missing; its own server has it.
    world.unindexed.add(bridge)
    dropped = desk.night()
    assert told(dropped) == ("partial", 0, 0, 0, 0)
    assert [gap.native_id for gap in dropped.gaps] == [bridge]
    world.unindexed.clear()
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 4. It was deleted, and its author's server does not prove it whole: absent, which is no deletion.
    world.delete(rude)
    world.corrupt = lambda method, body: world.without_tree(desk.al) if method.endswith("getRecord") else body
    broken = desk.night()
    assert (broken.tally.absent, broken.tally.gone) == (1, 0)
    assert "not whole" in desk.why(rude)
    assert desk.words(rude) == "You fools"
    assert desk.sound()


def test_a_visitors_account_that_the_directory_has_buried_takes_its_words_with_it(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    rude = world.post(desk.al, "You fools", to=world.post(desk.agency, "Bridge closed"))
    assert told(desk.night()) == ("complete", 4, 0, 0, 0)
    world.unindexed.add(rude)
    world.missing_documents[desk.al] = 410
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)
    assert desk.why(rude).startswith("410")
    assert desk.words(rude) == "You fools"
    assert desk.sound()


def test_another_description_of_a_picture_is_an_edit_and_what_was_written_before_stays(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    bridge = desk.world.post(desk.agency, "Bridge closed", embed=desk.world.picture())
    assert desk.night().status == "complete"
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    for alt in ("A barrier across the road", ""):
        shown = desk.world.picture()
        shown["images"][0]["alt"] = alt
        desk.world.edit(bridge, embed=shown)
        assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    assert desk.described(bridge) == [["picture a"], ["A barrier across the road"], [None]]
    assert desk.sound()


FAILS = {
    "500": (500, JSON, b'{"error":"InternalServerError","message":"Internal Server Error"}'),
    "a web page": (200, {"Content-Type": "text/html"}, b"<html><h1>Something went wrong</h1></html>"),
    "another shape": (200, JSON, b'{"thread":7,"posts":7,"messages":7,"convos":7}'),
}
"""How the network answers where it fails at one thing."""

each_failure = pytest.mark.parametrize("says", FAILS)


def _fails_at(world: BlueskyWorld, *parts: str, says: str = "500") -> None:
    """From now on the network answers so wherever one of these stands in the question."""
    broken = FAILS[says]
    world.trouble = lambda _: broken if any(part in unquote(world.asked[-1]) for part in parts) else None


@each_failure
def test_a_post_whose_thread_always_fails_is_a_gap_and_the_answers_to_later_posts_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    first, broken, last = (world.post(desk.agency, f"Notice {number}") for number in range(3))
    known = world.post(desk.jo, "Under the one that breaks", to=broken)
    world.post(desk.jo, "Under the first", to=first)
    assert told(desk.night()) == ("complete", 7, 0, 0, 0)

    # 1. What stands behind the post that fails is captured the same night; of what lies under it nothing is said.
    late = world.post(desk.jo, "Under the last", to=last)
    unread = world.post(desk.al, "Nobody reads this yet", to=broken)
    _fails_at(world, f"getPostThread?uri={broken}", says=says)
    night = desk.night()
    assert told_in_full(night) == ("partial", 1, 0, 0, 0, 0)
    assert [(gap.native_id, gap.what) for gap in night.gaps] == [(broken, "answers to a post")]
    assert "very later pass asks again" in night.gaps[0].why
    assert desk.words(late) == "Under the last"
    assert desk.states() == {}

    # 2. It is asked again every night.
    assert told_in_full(desk.night()) == ("partial", 0, 0, 0, 0, 0)

    # 3. It recovers, and is captured whole.
    world.trouble = None
    world.delete(known)
    assert told_in_full(desk.night()) == ("complete", 1, 0, 0, 0, 1)
    assert desk.words(unread) == "Nobody reads this yet"
    assert desk.states() == {known: "gone"}
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)
    assert desk.sound()


@each_failure
def test_a_network_whose_threads_all_fail_ends_the_night_and_says_nothing_of_any_answer(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    posts = [world.post(desk.agency, f"Notice {number}") for number in range(5)]
    answers = [world.post(desk.jo, f"Under {number}", to=one) for number, one in enumerate(posts)]
    assert told(desk.night()) == ("complete", 12, 0, 0, 0)

    # Three in succession, and the pass stops there. The run after it goes on where it stopped.
    _fails_at(world, "getPostThread", says=says)
    first = desk.night()
    assert told_in_full(first) == ("partial", 0, 0, 0, 0, 0)
    asked = [one for one in world.asked if "getPostThread" in one]
    assert [unquote(one).partition("uri=")[2].partition("&")[0] for one in asked[-3:]] == posts[:3]
    assert told_in_full(desk.night()) == ("partial", 0, 0, 0, 0, 0)
    assert any(posts[3] in unquote(one) for one in world.asked if "getPostThread" in one)
    assert desk.states() == {}

    world.trouble = None
    world.delete(answers[0])
    for _ in range(2):  # what is left of the pass that stopped, and one of its own
        desk.night()
    assert desk.states() == {answers[0]: "gone"}
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)
    assert desk.sound()


@each_failure
def test_one_post_that_breaks_the_answer_for_all_is_asked_alone_and_the_others_are_read(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    posts = [world.post(desk.agency, f"Notice {number}") for number in range(4)]
    _fails_at(world, f"uris={posts[1]}", f"uris={posts[0]}&uris={posts[1]}", says=says)
    under = [world.post(desk.jo, f"Under {number}", to=one) for number, one in enumerate(posts)]
    night = desk.night()
    assert (night.status, [gap.native_id for gap in night.gaps]) == ("partial", [posts[1]])
    assert {under[0], under[2], under[3]} <= desk.held().keys()
    assert under[1] not in desk.held()
    world.trouble = None
    assert told_in_full(desk.night()) == ("complete", 1, 0, 0, 0, 0)
    assert desk.sound()


@each_failure
def test_a_conversation_that_always_fails_is_a_gap_and_the_next_one_is_captured(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    desk = Town(store, clock, stack, connected=True)
    world = desk.world
    world.convos["c1"] = [message("m1", desk.jo, "Help")]
    world.convos["c2"] = [message("m2", desk.al, "A light is out")]
    _fails_at(world, "convoId=c1", says=says)
    night = desk.night()
    assert night.status == "partial"
    assert [gap.what for gap in night.gaps] == ["direct messages of the conversation c1"]
    assert desk.words("chat:c2/m2") == "A light is out"
    world.trouble = None
    assert told(desk.night()) == ("complete", 1, 0, 0, 0)
    assert desk.words("chat:c1/m1") == "Help"


@pytest.mark.parametrize("says", ["a web page", "another shape", "nothing of it"])
def test_a_service_for_messages_that_nobody_can_read_is_a_gap_and_the_rest_is_captured(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    desk = Town(store, clock, stack, connected=True)
    world = desk.world
    world.convos["c1"] = [message("m1", desk.jo, "Help")]
    bridge = world.post(desk.agency, "Bridge closed")
    when = world.post(desk.jo, "Until when?", to=bridge)
    answer = (200, JSON, b"{}") if says == "nothing of it" else FAILS[says]
    world.trouble = lambda asked: answer if asked.endswith("listConvos") else None
    night = desk.night()
    assert (night.status, [gap.what for gap in night.gaps]) == ("partial", ["direct messages"])
    assert desk.words(when) == "Until when?"
    world.trouble = None
    assert told(desk.night()) == ("complete", 1, 0, 0, 0)
    assert desk.words("chat:c1/m1") == "Help"


def test_mutes_that_are_not_told_are_no_edit_of_them(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack, connected=True)
    world = desk.world
    world.post(desk.agency, "Bridge closed")
    world.mutes.append(desk.al)
    desk.night()
    before = desk.words(f"{desk.agency}#mutes")
    world.trouble = lambda asked: (200, JSON, b"{}") if asked.endswith("getMutes") else None
    assert desk.night().tally.edited == 0
    assert desk.words(f"{desk.agency}#mutes") == before
    assert len(desk.history(f"{desk.agency}#mutes")) == 1


def test_a_visitors_server_that_refuses_or_fails_costs_their_film_and_nothing_else(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    bridge = world.post(desk.agency, "Bridge closed")
    blob = {"$type": "blob", "ref": {"$link": link(b"film", 0x55).text}, "mimeType": "video/mp4", "size": 7}
    film = world.post(desk.jo, "See this", to=bridge, embed={"$type": "app.bsky.embed.video", "video": blob})
    behind = world.post(desk.al, "And this", to=world.post(desk.agency, "Bridge open"))
    for status in (403, 500):
        world.missing_documents[desk.jo] = status
        night = desk.night()
        assert night.status == "partial"
        assert [(gap.what, gap.native_id) for gap in night.gaps] == [("files of an answer", film)]
        assert (desk.words(film), desk.words(behind)) == ("See this", "And this")
        assert desk.files(film) == {}
    world.missing_documents.clear()
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 0)
    assert list(desk.files(film).values()) == [b"a picture"]
    assert desk.sound()


def _nameless(world: BlueskyWorld, method: str, hit: str, where: object = None) -> None:
    """From now on one post bears this in place of its address, in answers of this method."""

    def without(told: Any) -> Any:
        if isinstance(told, list):
            return [without(one) for one in told]
        if not isinstance(told, dict):
            return told
        told = {name: without(one) for name, one in told.items()}
        return {**told, "uri": where} if told.get("uri") == hit and "author" in told else told

    world.altered = lambda asked, told: without(told) if asked.endswith(method) else told


BREAKS: dict[str, Callable[[BlueskyWorld, str], None]] = {
    "500": lambda world, hit: _fails_at(world, f"uris={hit}"),
    "an address that nobody can read": lambda world, hit: _nameless(world, "getPosts", hit),
    "no author": lambda world, hit: setattr(
        world, "altered", lambda method, told: _authorless(told, hit) if method.endswith("getPosts") else told
    ),
}
"""How one post breaks what the app view says of several."""


def _authorless(told: Any, hit: str) -> Any:
    return {"posts": [{**one, "author": None} if one["uri"] == hit else one for one in told["posts"]]}


@pytest.mark.parametrize("says", BREAKS)
def test_one_answer_at_which_the_app_view_fails_is_unknown_and_how_the_others_stand_is_told(
    store: Store, clock: FixedClock, stack: ExitStack, says: str
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    root = world.post(desk.agency, "Bridge closed")
    other = world.post(desk.agency, "Bridge open")
    strange, kept, rude, removed = (world.post(desk.jo, f"Answer {number}", to=root) for number in range(4))
    elsewhere = world.post(desk.al, "Thanks", to=other)
    world.hide(root, rude)
    world.delete(removed)
    asked = [(Kind.COMMENT, one) for one in (strange, kept, rude, removed, elsewhere)]

    # 1. One of the answers breaks what the app view says of all.
    BREAKS[says](world, strange)
    found = {one.native_id: one for one in desk.looks(asked)}
    assert {name: one.state for name, one in found.items()} == {
        strange: State.UNKNOWN,
        kept: State.PRESENT,
        rude: State.HIDDEN,
        removed: State.GONE,
        elsewhere: State.PRESENT,
    }

    # 2. The post breaks whose threadgate may hide them: of what it may hide nothing is said.
    world.trouble = world.altered = None
    BREAKS[says](world, root)
    found = {one.native_id: one for one in desk.looks(asked)}
    assert {name: one.state for name, one in found.items()} == {
        strange: State.UNKNOWN,
        kept: State.UNKNOWN,
        rude: State.UNKNOWN,
        removed: State.GONE,
        elsewhere: State.PRESENT,
    }


def test_an_app_view_that_fails_at_every_answer_ends_the_look(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    root = desk.world.post(desk.agency, "Bridge closed")
    asked = [(Kind.COMMENT, desk.world.post(desk.jo, f"{number}", to=root)) for number in range(4)]
    desk.world.trouble = lambda method: (500, JSON, b'{"error":"X"}') if method.endswith("getPosts") else None
    with pytest.raises(TryAgainLater):
        desk.looks(asked)


@pytest.mark.parametrize("where", [None, 7])
@pytest.mark.parametrize("method", ["getPosts", "getPostThread", "getQuotes", "listNotifications"])
def test_a_post_whose_address_nobody_can_read_is_a_gap_and_all_others_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, method: str, where: object
) -> None:
    desk = Town(store, clock, stack, connected=True)
    world = desk.world
    root = world.post(desk.agency, "Bridge closed")
    strange, other = world.post(desk.jo, "@citypd.test Why?", to=root), world.post(desk.al, "When?", to=root)
    below = world.post(desk.al, "Indeed", to=strange)
    quoting = {"$type": "app.bsky.embed.record", "record": world.strong(root)}
    first, second = (world.post(who, "See", embed=quoting) for who in (desk.jo, desk.al))
    assert desk.night().status == "complete"

    hit = {"getPosts": root, "getQuotes": first}.get(method, strange)
    _nameless(world, method, hit, where)
    late = world.post(desk.al, "@citypd.test And now?", to=root)
    for _ in range(2):
        night = desk.night()
        assert night.status == "partial"
        assert (night.tally.absent, night.tally.gone, night.tally.edited) == (0, 0, 0)
    assert {other, below, second, late} <= desk.held().keys()
    assert desk.states() == {}

    world.altered = None
    world.delete(below)
    night = desk.night()
    assert (night.status, night.tally.gone, night.tally.edited) == ("complete", 1, 0)
    assert late in desk.held()
    assert desk.sound()


def test_a_server_that_fails_at_the_account_or_its_lists_keeps_no_other_item_from_being_told(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    post = desk.world.post(desk.agency, "Bridge closed")
    answer = desk.world.post(desk.jo, "Why?", to=post)
    blocks = f"at://{desk.agency}/app.bsky.graph.block"
    asked = [(Kind.PROFILE, desk.agency), (Kind.PROFILE, blocks), (Kind.POST, post), (Kind.COMMENT, answer)]
    _fails_at(desk.world, "getLatestCommit", "describeRepo")
    found = {one.native_id: one.state for one in desk.looks(asked)}
    unknown, present = State.UNKNOWN, State.PRESENT
    assert found == {desk.agency: unknown, blocks: unknown, post: present, answer: present}


def test_a_thread_that_is_cut_off_at_its_own_beginning_is_a_gap_and_the_threads_behind_it_are_read(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    first, last = (world.post(desk.agency, f"Notice {number}") for number in range(2))
    known, under = (world.post(desk.jo, "Why?", to=one) for one in (first, last))
    assert desk.night().status == "complete"
    late = world.post(desk.al, "When?", to=last)

    def cut(method: str, told: Any) -> Any:
        if method.endswith("getPostThread") and told["thread"]["post"]["uri"] == first:
            return {"thread": {name: one for name, one in told["thread"].items() if name != "replies"}}
        return told

    world.altered = cut
    for new in (1, 0):
        night = desk.night()
        assert told_in_full(night) == ("partial", new, 0, 0, 0, 0)
        assert [(gap.what, gap.native_id) for gap in night.gaps] == [("answers to a post", first)]
    assert {late, under} <= desk.held().keys()
    world.altered = None
    world.delete(known)
    assert told_in_full(desk.night()) == ("complete", 0, 0, 0, 0, 1)


def test_notifications_that_are_broken_off_on_the_way_are_read_again_from_the_newest_on(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack, connected=True)
    world = desk.world
    world.page_most = 1
    world.post(desk.agency, "Bridge closed")
    assert desk.night().status == "complete"
    # Mentions far apart, each on a page of its own; the service breaks behind the newest.
    mentions = []
    for number in range(4):
        world.tick(5 * 24 * 3600)
        mentions.append(world.post(desk.jo, f"@citypd.test {number}"))
    desk.clock.at = world._now
    world.trouble = lambda _: (
        (503, {**JSON, "Retry-After": "60"}, b"{}")
        if "listNotifications" in world.asked[-1] and "cursor=1" in world.asked[-1]
        else None
    )
    assert desk.night().status in {"partial", "failed"}
    world.trouble = None
    desk.night()
    assert set(mentions) <= desk.held().keys()


@pytest.mark.parametrize("name", [None, 7, ""])
def test_a_message_or_conversation_whose_id_nobody_can_read_is_a_gap_and_the_others_are_captured(
    store: Store, clock: FixedClock, stack: ExitStack, name: object
) -> None:
    desk = Town(store, clock, stack, connected=True)
    world = desk.world
    world.convos = {
        "c1": [{**message("m1", desk.jo, "Nameless"), "id": name}, message("m2", desk.jo, "Help")],
        "c2": [message("m3", desk.al, "And me")],
        "c3": [message("m4", desk.al, "Nobody reads this")],
    }
    world.altered = lambda method, told: (
        {**told, "convos": [{**one, "id": name} if one["id"] == "c3" else one for one in told["convos"]]}
        if method.endswith("listConvos")
        else told
    )
    for _ in range(2):
        night = desk.night()
        assert night.status == "partial"
        assert {(gap.what, gap.native_id) for gap in night.gaps} == {
            ("direct messages of the conversation c1", "chat:c1"),
            ("direct messages of a conversation", None),
        }
    assert {"chat:c1/m2", "chat:c2/m3"} <= desk.held().keys()
    world.altered = None
    world.convos["c1"][0]["id"] = "m1"
    assert desk.night().status == "complete"
    assert desk.words("chat:c1/m1") == "Nameless"
    assert desk.words("chat:c3/m4") == "Nobody reads this"


def test_however_many_posts_the_app_view_shows_strangely_the_others_are_read_and_the_pass_goes_on(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    desk = Town(store, clock, stack)
    world = desk.world
    posts = [world.post(desk.agency, f"Notice {number}") for number in range(6)]
    under = [world.post(desk.jo, f"Under {number}", to=one) for number, one in enumerate(posts)]

    def strange(method: str, told: Any) -> Any:
        if not method.endswith("getPosts"):
            return told
        return {"posts": [{**one, "uri": None} if one["uri"] in posts[:5] else one for one in told["posts"]]}

    world.altered = strange
    for new in (9, 0):
        night = desk.night()
        assert (night.status, night.tally.new) == ("partial", new)
        assert [gap.native_id for gap in night.gaps] == posts[:5]
    assert desk.words(under[5]) == "Under 5"
    world.altered = None
    assert told(desk.night()) == ("complete", 5, 0, 0, 0)
