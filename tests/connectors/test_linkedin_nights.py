"""LinkedIn in a real archive, night after night: an edit, a removal, comments turned off, a spent limit and a lost permission."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

from app.capture import attachments, lanes
from app.capture.run import Pass
from app.capture.runs import Report
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.linkedin import LinkedIn
from connectors.linkedin.urns import coded
from tests.connectors.worlds.broken import breaks, passed_over, recovered, stopped
from tests.connectors.worlds.desk import Desk
from tests.connectors.worlds.linkedin_world import ADDRESS, DAILY, EXPIRED, JSON, URN, LinkedInWorld


class Company(Desk):
    """A desk and its page: what happens between two nights happens on the morning between."""

    def __init__(
        self, store: Store, clock: FixedClock, stack: ExitStack, world: LinkedInWorld, **options: str
    ) -> None:
        page = Page(address=ADDRESS, options={"api": world.api, **options})
        super().__init__(store, clock, stack, LinkedIn, page, world.secret)
        self.world = world
        world._now = clock.at - timedelta(days=30)

    def morning(self) -> None:
        self.world._now = self.clock.at + timedelta(hours=8)


def told(report: Report) -> tuple[str, int, int, int]:
    tally = report.tally
    return report.status, tally.new, tally.edited, tally.gone


def test_an_edit_a_removal_closed_comments_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(LinkedInWorld())
    desk = Company(store, clock, stack, world)
    image = {"media": {"id": "urn:li:image:Bridge", "altText": "A bridge"}}
    bridge, other = (
        world.post("Bridge closed until six", content=image),
        world.post("Open house", kind="ugcPost"),
    )
    first = world.say(bridge, "Until when?")
    answer = world.say(bridge, "Until six.", by=URN, to=first)
    rude, thanks = world.say(bridge, "You fools", by="urn:li:person:al2"), world.say(other, "Thanks")
    names = {one: f"{world.said[one].post}/{one}" for one in (first, answer, rude, thanks)}

    # 1. The first night keeps all that there is, with the page's introduction and the picture itself.
    assert told(desk.night()) == ("complete", 7, 0, 0)
    held = desk.held()
    assert set(held) == {URN, bridge, other, *names.values()}
    with store.database.read() as tx:
        row = attachments.of(store, tx, held[bridge].id.bytes, ["urn:li:image:Bridge"])["urn:li:image:Bridge"]
        assert b"".join(attachments.stream(store, row)) == b"a picture"

    # 2. A quiet night changes nothing, whatever became of reactions and of the addresses of pictures.
    world.night += 1
    world.entries[bridge].reactions["PRAISE"] = 40
    assert told(desk.night()) == ("complete", 0, 0, 0)

    # 3. A comment and a post are edited; of both LinkedIn tells when.
    world.amend(first, "Until when exactly?")
    world.amend(bridge, "Bridge closed until seven")
    assert told(desk.night()) == ("complete", 0, 2, 0)
    held = desk.held()
    assert held[names[first]].version.fields["edited_at"] is not None
    assert held[bridge].version.fields["edited_at"] is not None

    # 4. One comment is removed and LinkedIn tells of it, another one without a word: that one is asked for by its id.
    world.delete(rude)
    world.delete(thanks, tells=False)
    assert told(desk.night()) == ("complete", 0, 0, 2)
    assert desk.states() == {names[rude]: "gone", names[thanks]: "gone"}
    assert desk.held()[names[thanks]].version.fields["text"] == "Thanks"
    reason = str(desk.held()[names[rude]].version.fields["state_reason"])
    assert "COMMENT_DELETE" in reason

    # 5. A spent limit, an outage, a lost role, a version that has ended and a permission that has run out prove no removal.
    before = desk.states()
    limited = (429, JSON, world.error(DAILY))
    world.trouble = lambda path: limited if path.endswith("/comments") else None
    spent = desk.night()
    assert spent.status == "partial"
    assert any("midnight UTC" in gap.why for gap in spent.gaps)
    world.trouble = lambda path: (500, {}, b"") if path.endswith("/posts") else None
    assert desk.night().status in {"partial", "failed"}
    world.trouble, world.role = None, None
    assert desk.night().tally.gone == 0
    world.role, world.dead = "ADMINISTRATOR", EXPIRED
    assert desk.night().status == "failed"
    world.dead = None
    assert desk.states() == before

    # 6. When all is well again the night sees what happened meanwhile: comments were turned off, which removes them.
    world.close_comments(bridge)
    assert desk.night().status == "complete"
    assert {name for name, state in desk.states().items() if state == "gone"} == set(names.values())
    assert "turned off" in str(desk.held()[names[first]].version.fields["state_reason"])

    # 7. And a post was removed.
    world.delete(other)
    assert told(desk.night()) == ("complete", 0, 0, 1)
    assert desk.states()[other] == "gone"
    assert desk.held()[bridge].state == "present"
    assert desk.sound()


def test_a_night_over_a_window_notices_what_happened_to_older_posts_by_what_linkedin_tells(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(LinkedInWorld())
    desk = Company(store, clock, stack, world, answered_within="0", page_size="2")
    old = world.post("Long ago")
    long_ago = world.say(old, "First!")
    for number in range(3):
        world.post(f"Not answered {number}")
    assert desk.night().status == "complete"
    window = Pass(lane=lanes.WINDOW, published_from=clock.at - timedelta(days=3))
    assert desk.night(window).status == "complete"
    late = world.say(old, "Still true?")
    new = world.post("New")
    soon = world.say(new, "+1")
    world.decorates = True
    assert told(desk.night(window)) == ("complete", 3, 0, 0)
    assert {f"{old}/{late}", f"{new}/{soon}"} < set(desk.held())
    world.amend(long_ago, "First indeed")
    world.delete(soon)
    assert told(desk.night(window)) == ("complete", 0, 1, 1)
    held = desk.held()
    assert held[f"{old}/{long_ago}"].version.fields["text"] == "First indeed"
    assert held[f"{new}/{soon}"].state == "gone"
    assert told(desk.night()) == ("complete", 0, 0, 0), "the whole page has nothing to add"
    assert desk.sound()


def test_names_that_are_asked_for_are_kept_with_the_comments_and_make_no_new_version_by_themselves(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(LinkedInWorld())
    desk = Company(store, clock, stack, world, names="yes")
    name = world.say(world.post("Closed"), "Why?", by="urn:li:person:al2")
    assert told(desk.night()) == ("complete", 3, 0, 0)
    record = desk.held()[f"{world.said[name].post}/{name}"]
    assert record.version.fields["author_name"] == "Al Smith"
    assert told(desk.night()) == ("complete", 0, 0, 0)
    assert desk.sound()


def test_another_description_of_a_picture_is_an_edit_and_an_address_that_expires_is_none(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(LinkedInWorld())
    desk = Company(store, clock, stack, world)

    def shown(alt: str) -> dict[str, dict[str, str]]:
        return {"media": {"id": "urn:li:image:Bridge", "altText": alt}}

    bridge = world.post("Bridge closed", content=shown("A bridge"))
    assert desk.night().status == "complete"
    world.night += 1
    assert told(desk.night()) == ("complete", 0, 0, 0)
    for alt in ("A bridge and a barrier", ""):
        world.entries[bridge].content = shown(alt)
        assert told(desk.night()) == ("complete", 0, 1, 0)
    assert desk.described(bridge) == [["A bridge"], ["A bridge and a barrier"], [None]]
    assert desk.sound()


def test_a_post_that_fails_for_ever_keeps_nothing_behind_it_from_being_captured(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(LinkedInWorld())
    desk = Company(store, clock, stack, world)
    oldest, broken, newest = (world.post(words) for words in ("Bridge closed", "Open house", "Flood"))
    for post in (oldest, broken, newest):
        world.say(post, "Until when?")
    assert desk.night().status == "complete"
    behind = [
        f"{world.said[one].post}/{one}" for one in (world.say(oldest, "Still?"), world.say(newest, "When?"))
    ]
    lost = [f"{broken}/{world.say(broken, 'Me too')}"]
    breaks(world, f"socialActions/{coded(broken)}/comments")
    passed_over(desk, broken, behind=behind, lost=lost)
    recovered(desk, world, lost)


def test_where_every_post_fails_the_pass_stops_and_is_not_complete(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(LinkedInWorld())
    desk = Company(store, clock, stack, world)
    posts = [world.post(f"Notice {number}") for number in range(5)]
    assert [world.say(post, "Thanks") for post in posts]
    assert desk.night().status == "complete"
    lost = [f"{post}/{world.say(post, 'Really?')}" for post in posts]
    breaks(world, "/comments")
    stopped(desk, lost=lost)
    recovered(desk, world, lost)
