"""Mastodon in a real archive, night after night: edits, a suspension, a block, deletions, throttles, a firewall and a lost token.

Mastodon hides no single status. What its server hides is an account as a
whole, which it says of the account alone; so a message that is shown no longer
takes the place of a hidden one, and is absent: whether it was deleted or its
sender blocks the page, the server answers alike.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime

from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.mastodon import Mastodon
from tests.connectors.worlds.broken import breaks, passed_over, recovered, stopped
from tests.connectors.worlds.desk import NIGHT, Desk, told
from tests.connectors.worlds.mastodon_world import CHALLENGE, HTML, JSON, OURS, MastodonWorld

JO, AL = "jo@far.example", "al@far.example"
ACCOUNT = f"account:{OURS}"


class Town(Desk):
    """A desk and its server, which live by one clock: what happens between two nights happens on the day between."""

    def __init__(self, store: Store, clock: FixedClock, stack: ExitStack, world: MastodonWorld) -> None:
        page = Page(address=world.page.address)
        super().__init__(store, clock, stack, Mastodon, page, world.secrets)
        self.world = world
        world.is_now(clock.at)

    def morning(self) -> None:
        self.world.is_now(self.clock.at)

    def by_id(self) -> dict[str, str]:
        """What is not simply present, by the server's own numbers."""
        return {name.removeprefix("status:"): state for name, state in self.states().items()}

    def texts(self, status: str) -> list[object]:
        """Every text that is held of a status, the oldest first."""
        return [one.fields["text"] for one in self.history(f"status:{status}")]


def test_edits_a_suspension_a_block_deletions_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MastodonWorld(connected=True))
    desk = Town(store, clock, stack, world)
    world.filters["7"] = ("Rude words", ["clown"])
    bridge = world.say("Bridge closed until six", media=["31"])
    when = world.say("Until when?", by=JO, to=bridge, names=["police"])
    answer = world.say("Until six.", to=when)
    rude = world.say("You fools", by=AL, to=bridge)
    rain = world.boost(world.say("Rain tonight", by="weather@far.example"))
    mention = world.say("A light is out, @police", by=AL, names=["police"])
    message = world.say("My name is Jo.", by=JO, names=["police"], visibility="direct")
    ours = world.say("For our followers", visibility="private")
    lists = {"settings", "filter:7", "blocks", "mutes", "domain-blocks"}

    # 1. The first night keeps all that there is; what only followers see is hidden, and a message private.
    assert told(desk.night()) == ("complete", 14, 0, 0, 0)
    said = (bridge, when, answer, rude, rain, mention, message, ours)
    assert set(desk.held()) == {ACCOUNT, *lists, *(f"status:{one}" for one in said)}
    assert desk.by_id() == {ours: "hidden"}
    assert desk.held()[f"status:{message}"].private
    assert list(desk.files(f"status:{bridge}").values()) == [b"\x89PNG of media/31.png"]

    # 2. A quiet night changes nothing, whatever became of favourites and of the addresses of pictures.
    world.recount()
    world.expire()
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. A status and an answer to it are edited: Mastodon tells when, and what they said before.
    before = clock.at
    world.amend(bridge, "Bridge closed until seven")
    world.amend(when, "Until when exactly?")
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    assert desk.texts(bridge) == ["Bridge closed until six", "Bridge closed until seven"]
    first, second = desk.history(f"status:{when}")
    assert (first.fields["text"], second.fields["text"]) == ("Until when?", "Until when exactly?")
    assert (second.last_seen_before, second.observed_at) == (before, before + NIGHT)
    edited = datetime.fromisoformat(str(second.fields["edited_at"]))
    assert before < edited < before + NIGHT
    extra = second.fields["extra"]
    assert isinstance(extra, dict)
    assert [one["text"] for one in extra["edits"]] == ["Until when?", "Until when exactly?"]
    for _ in range(2):
        assert told(desk.night()) == ("complete", 0, 0, 0, 0), (
            "earlier texts that are asked for no more are no edit"
        )

    # 4. The server suspends the account: that is hidden, nothing else is said of anything, and it comes back.
    world.account["suspended"] = True
    suspended = desk.night()
    assert told(suspended) == ("partial", 0, 0, 1, 0)
    assert [gap.what for gap in suspended.gaps] == ["the whole page"]
    assert desk.by_id() == {ACCOUNT: "hidden", ours: "hidden"}
    world.account["suspended"] = False
    back = desk.night()
    assert (back.status, back.tally.restored) == ("complete", 1)
    assert desk.by_id() == {ours: "hidden"}

    # 5. Jo blocks the page. What Jo said publicly stands for anybody; the message is absent, and comes back.
    world.blocked_by.add(world.person(JO))
    world.dismiss(message)
    blocked = desk.night()
    assert (told(blocked), blocked.tally.absent) == (("complete", 0, 0, 0, 0), 1)
    assert desk.by_id() == {ours: "hidden", message: "absent"}
    world.blocked_by.clear()
    assert desk.night().tally.restored == 1
    assert desk.by_id() == {ours: "hidden"}

    # 6. An answer is deleted, which the server says; and the message, of which it says no more than of a block.
    world.delete(rude)
    world.delete(message)
    removed = desk.night()
    assert (told(removed), removed.tally.absent) == (("complete", 0, 0, 0, 1), 1)
    assert desk.by_id() == {ours: "hidden", message: "absent", rude: "gone"}
    (_, last) = desk.history(f"status:{rude}")
    assert (last.fields["state_reason"], desk.words(f"status:{rude}")) == (
        "404 Record not found",
        "You fools",
    )

    # 7. A throttle, an outage, a firewall, a listing that is suddenly empty, permissions that were narrowed and a token
    # that is no longer accepted prove no removal, even when at last there was one.
    states = desk.by_id()
    refusals = {
        "/context": (429, JSON, b'{"error":"Too many requests"}'),
        "/notifications": (500, HTML, b"<html>We're sorry, but something went wrong</html>"),
        "/blocks": (403, HTML, CHALLENGE),
        f"/{OURS}/statuses": (200, JSON, b"[]"),
    }
    for path, refusal in refusals.items():
        world.trouble = lambda asked, path=path, refusal=refusal: refusal if asked.endswith(path) else None
        troubled = desk.night()
        assert (path, *told(troubled)) == (path, "partial", 0, 0, 0, 0)
        assert troubled.gaps
    world.trouble = None
    as_said = desk.held()[f"status:{when}"].versions
    world.delete(bridge)
    world.scopes -= {"filters", "notifications"}
    assert desk.night().status == "partial"
    world.scopes |= {"filters", "notifications"}
    world.accepts_token = False
    assert told(desk.night()) == ("failed", 0, 0, 0, 0)
    assert desk.by_id() == states

    # 8. When all is well again the night sees what happened meanwhile. Who answered what was deleted has deleted
    # nothing and edited nothing: what the answer answers stands as it was said; a filter is taken away too.
    world.accepts_token = True
    del world.filters["7"]
    after = desk.night()
    assert told(after) == ("complete", 0, 0, 0, 2)
    assert desk.by_id() == states | {bridge: "gone", "filter:7": "gone"}
    held = desk.held()
    orphan = held[f"status:{when}"]
    assert (orphan.state, orphan.versions) == ("present", as_said)
    assert orphan.version.fields["in_reply_to"] == f"status:{bridge}"
    assert orphan.root == orphan.in_reply_to == held[f"status:{bridge}"].id
    assert desk.texts(bridge) == ["Bridge closed until six", *["Bridge closed until seven"] * 2]
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 9. Its author does edit it: that is told, and what it answered still is.
    world.amend(when, "When does it open?")
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    *_, before_it, amended = desk.history(f"status:{when}")
    assert (before_it.fields["in_reply_to"], amended.fields["in_reply_to"]) == (f"status:{bridge}",) * 2
    assert desk.sound()


def test_without_a_token_the_public_page_is_read_the_same_and_a_server_that_shuts_its_doors_proves_nothing(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MastodonWorld())
    desk = Town(store, clock, stack, world)
    bridge = world.say("Bridge closed")
    thanks, rude = (world.say(text, by=JO, to=bridge) for text in ("Thanks", "You fools"))
    world.say("For our followers", visibility="private")
    world.say("My name is Jo.", by=JO, names=["police"], visibility="direct")
    assert told(desk.night()) == ("complete", 4, 0, 0, 0)
    assert set(desk.held()) == {ACCOUNT, *(f"status:{one}" for one in (bridge, thanks, rude))}
    world.amend(thanks, "Thank you")
    world.delete(rude)
    world.only_signed_in = True
    shut = desk.night()
    assert told(shut) == ("failed", 0, 0, 0, 0)
    assert any("only to those who sign in" in gap.why for gap in shut.gaps)
    world.only_signed_in = False
    assert told(desk.night()) == ("complete", 0, 1, 0, 1)
    assert desk.by_id() == {rude: "gone"}
    assert desk.texts(thanks) == ["Thanks", "Thank you"]
    assert desk.sound()


def test_an_account_that_is_deleted_is_gone_by_the_servers_word_and_whoever_takes_its_name_is_not_the_page(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MastodonWorld())
    desk = Town(store, clock, stack, world)
    bridge = world.say("Bridge closed")
    assert told(desk.night()) == ("complete", 2, 0, 0, 0)
    del world.people[OURS]
    assert told(desk.night()) == ("partial", 0, 0, 0, 1)
    assert desk.states() == {ACCOUNT: "gone"}
    world.people["110000000000000099"] = "police"
    taken = desk.night()
    assert told(taken) == ("failed", 0, 0, 0, 0)
    assert any("Another account" in gap.why for gap in taken.gaps)
    assert set(desk.held()) == {ACCOUNT, f"status:{bridge}"}
    assert desk.sound()


def test_a_status_that_fails_for_ever_keeps_nothing_behind_it_from_being_captured(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MastodonWorld(connected=True))
    desk = Town(store, clock, stack, world)
    oldest, broken, newest = (world.say(words) for words in ("Bridge closed", "Open house", "Flood"))
    for status in (oldest, broken, newest):
        world.say("Until when?", by=JO, to=status)
    assert desk.night().status == "complete"
    behind = [f"status:{world.say('Still?', by=JO, to=status)}" for status in (oldest, newest)]
    lost = [f"status:{world.say('Me too', by=JO, to=broken)}"]
    breaks(world, f"{broken}/context")
    passed_over(desk, f"status:{broken}", behind=behind, lost=lost)
    recovered(desk, world, lost)


def test_where_every_status_fails_the_pass_stops_and_is_not_complete(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MastodonWorld(connected=True))
    desk = Town(store, clock, stack, world)
    statuses = [world.say(f"Notice {number}") for number in range(5)]
    assert [world.say("Thanks", by=JO, to=status) for status in statuses]
    assert desk.night().status == "complete"
    lost = [f"status:{world.say('Really?', by=JO, to=status)}" for status in statuses]
    breaks(world, "/context")
    stopped(desk, lost=lost)
    recovered(desk, world, lost)


def test_earlier_texts_that_the_server_fails_to_tell_are_asked_for_until_it_tells_them(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(MastodonWorld(connected=True))
    desk = Town(store, clock, stack, world)
    first, other = world.say("Closed"), world.say("Flood")
    assert desk.night().status == "complete"
    for text in ("Closed until six", "Closed until seven"):
        world.amend(first, text)
        world.amend(other, text.replace("Closed", "Flood"))
    breaks(world, f"{first}/history")

    def asked() -> int:
        return sum(f"{first}/history" in one for one in world.asked)

    for night in range(1, 4):
        report = desk.night()
        assert (report.status, report.finished, asked()) == ("partial", True, night)
        assert [(one.what, one.native_id) for one in report.gaps] == [("earlier texts", f"status:{first}")]
    assert desk.texts(first)[-1] == "Closed until seven"
    extra = desk.history(f"status:{other}")[-1].fields["extra"]
    assert isinstance(extra, dict)
    assert [one["text"] for one in extra["edits"]] == ["Flood", "Flood until six", "Flood until seven"]
    world.trouble = None
    assert (desk.night().status, asked()) == ("complete", 4)
    desk.night()
    desk.night()
    assert asked() <= 5, "what was told is asked for no more"
