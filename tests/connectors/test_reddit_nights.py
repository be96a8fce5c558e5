"""Reddit in a real archive, night after night: an edit, a removal by a moderator, a deletion by its author, a limit and a lost permission."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from app.capture import lanes
from app.capture.run import Pass
from app.records.clock import FixedClock
from app.store import Store
from connectors.contract import Page
from connectors.reddit import Reddit
from tests.connectors.worlds.broken import BROKEN, breaks, passed_over, recovered, stopped
from tests.connectors.worlds.desk import Desk, told
from tests.connectors.worlds.platform_world import Answer
from tests.connectors.worlds.reddit_world import AGENCY, HTML, SUB, RedditWorld, Refused, gallery


class Subreddit(Desk):
    """A desk and its subreddit, with every night's questions still to spend."""

    def __init__(
        self,
        store: Store,
        clock: FixedClock,
        stack: ExitStack,
        world: RedditWorld,
        secret: Mapping[str, str],
    ) -> None:
        page = Page(address=f"https://www.reddit.com/r/{SUB}", options={**world.options, "accounts": AGENCY})
        super().__init__(store, clock, stack, Reddit, page, secret)
        self.world = world

    def evening(self) -> None:
        self.world.left = 600


def test_an_edit_a_removal_a_deletion_and_failures_are_told_once_and_as_they_were(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.signed_in)
    film, other = world.submit("Bridge closed until six", "By order."), world.submit("Open house", by="jo")
    first = world.say(film, "Until when?")
    answer = world.say(first, "Until six.", by=AGENCY)
    rude, oops = world.say(film, "You fools", by="al"), world.say(film, "Oops", by="al")
    below = world.say(oops, "What did you mean?")
    pills = world.submit("Pills", "Cheap.", by="al")
    world.take_away(pills, "automod_filtered", by="AutoModerator")

    # 1. The first night keeps all that there is: five records of the page itself, the log's entry, and what was filtered.
    assert told(desk.night()) == ("complete", 14, 0, 0, 0)
    assert desk.states() == {pills: "hidden"}
    assert {film, other, first, answer, rude, oops, below, pills, "rules", "automoderator"} < set(desk.held())

    # 2. A quiet night changes nothing, whatever became of scores and of the addresses of pictures.
    world.night += 1
    world.things[film].score += 40
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)

    # 3. A comment and what AutoModerator is told are edited.
    world.amend(first, "Until when exactly?")
    world.automoderator = '---\nbody (includes): ["fools"]\naction: remove\n'
    assert told(desk.night()) == ("complete", 0, 2, 0, 0)
    assert desk.held()[first].version.fields["edited_at"] is not None

    # 4. A moderator removes one, the log says so, and its author deletes another one. Words that were captured are kept.
    world.take_away(rude, note="Be civil")
    world.delete(oops)
    assert told(desk.night()) == ("complete", 1, 0, 1, 1)
    assert desk.states() == {pills: "hidden", rude: "hidden", oops: "gone"}
    assert (desk.words(rude), desk.words(oops)) == ("You fools", "Oops")
    assert desk.held()[below].state == "present"

    # 5. What was removed is approved, and shown again.
    world.approve(rude)
    desk.night()
    assert desk.states() == {pills: "hidden", oops: "gone"}

    # 6. A limit, an outage, a block, a closed subreddit and a permission that was taken back prove no removal.
    before = desk.states()
    world.trouble = lambda path: (503, HTML, b"<html>Our CDN</html>") if "/comments/" in path else None
    assert desk.night().status == "partial"
    world.trouble = lambda path: (403, HTML, b"<html>whoa there, pardner!</html>")
    assert desk.night().status == "failed"
    world.trouble, world.shut = None, {f"r/{SUB}/about": Refused(403, "Forbidden", "private")}
    assert desk.night().status == "failed"
    world.shut, world.dead = {f"r/{SUB}/about/spam": Refused(403, "Forbidden")}, True
    assert desk.night().status == "failed"
    world.dead = False
    refused = desk.night()
    assert (refused.status, refused.tally.gone, refused.tally.absent) == ("partial", 0, 0)
    world.shut = {}
    assert desk.states() == before

    # 7. When all is well again the night sees what happened meanwhile: a submission was deleted, its answers stand.
    world.delete(film)
    assert desk.night().status == "complete"
    assert desk.states() == {**before, film: "gone"}
    assert desk.held()[answer].state == "present"
    assert desk.sound()


def test_for_the_public_what_a_moderator_removes_is_hidden_and_what_its_author_deletes_is_gone(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.alone)
    film, pills = world.submit("Bridge closed"), world.submit("Pills", "Cheap.", by="al")
    lone, answered = world.say(film, "You fools", by="al"), world.say(film, "Idiots", by="al")
    world.say(answered, "Steady on.")
    oops = world.say(film, "Oops")
    assert desk.night().status == "complete"
    for name in (lone, answered, pills):
        world.take_away(name)
    world.delete(oops)
    assert desk.night().status == "complete"
    assert desk.states() == {lone: "hidden", answered: "hidden", pills: "hidden", oops: "gone"}
    assert desk.words(answered) == "Idiots"
    for name in (lone, answered, pills):
        world.approve(name)
    assert desk.night().status == "complete"
    assert desk.states() == {oops: "gone"}
    assert desk.sound()


def test_a_night_over_a_window_notices_what_happened_within_it_and_leaves_the_rest_to_another(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.signed_in)
    old = world.submit("Long ago")
    long_ago = world.say(old, "First!")
    window = Pass(lane=lanes.WINDOW, published_from=world.tick(days=200))
    film = world.submit("Closed")
    first = world.say(film, "+1")
    edited, removed = world.say(first, "+2"), world.say(first, "+3")
    assert desk.night().status == "complete"
    world.amend(edited, "+4")
    world.delete(removed)
    world.delete(long_ago)
    assert told(desk.night(window)) == ("complete", 0, 1, 0, 1)
    assert desk.states() == {removed: "gone"}
    assert desk.words(edited) == "+4"
    assert told(desk.night()) == ("complete", 0, 0, 0, 1)
    assert desk.states() == {removed: "gone", long_ago: "gone"}


def test_one_submission_observed_again_by_itself_tells_of_what_was_taken_away_below_it(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.signed_in)
    film = world.submit("Closed")
    names = [world.say(film, f"+{number}") for number in range(12)]
    assert desk.night().status == "complete"
    world.delete(names[3])
    world.take_away(names[9])
    assert told(desk.night(Pass(lane=lanes.SURGE, families=(film,)))) == ("complete", 0, 0, 1, 1)
    assert desk.states() == {names[3]: "gone", names[9]: "hidden"}


def test_another_caption_of_a_picture_is_an_edit_and_an_address_that_is_signed_anew_is_none(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.signed_in)
    dog = world.submit("Lost dog", **gallery("dog1"))
    assert desk.night().status == "complete"
    world.night += 1
    assert told(desk.night()) == ("complete", 0, 0, 0, 0)
    before = world.things[dog].more["gallery_data"]["items"][0]
    before["caption"] = "Found"
    assert told(desk.night()) == ("complete", 0, 1, 0, 0)
    assert [words for (words,) in desk.described(dog)][-1] == "Found"
    assert desk.sound()


def test_a_submission_that_fails_for_ever_keeps_nothing_behind_it_from_being_captured(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.signed_in)
    oldest, broken, newest = (world.submit(words) for words in ("Bridge closed", "Open house", "Flood"))
    for link in (oldest, broken, newest):
        world.say(link, "Until when?")
    assert desk.night().status == "complete"
    world.listed_at_most = 3  # the newest comments do not tell them by themselves
    behind = [world.say(oldest, "Still?"), world.say(newest, "Where?")]
    lost = [world.say(broken, "Me too")]
    behind += [world.say(newest, f"+{number}") for number in range(3)]
    breaks(world, f"/comments/{broken[3:]}")
    passed_over(desk, broken, behind=behind, lost=lost)
    recovered(desk, world, lost)


def test_where_every_submission_fails_the_pass_stops_and_is_not_complete(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.signed_in)
    links = [world.submit(f"Notice {number}") for number in range(5)]
    assert [world.say(link, "Thanks") for link in links]
    assert desk.night().status == "complete"
    world.listed_at_most = 5
    lost = [world.say(link, "Really?") for link in links]
    assert [world.say(links[0], f"+{number}") for number in range(5)]
    breaks(world, "/oauth/comments/")
    stopped(desk, lost=lost)


def test_a_comment_that_fails_for_ever_is_the_only_one_of_its_tree_that_is_not_captured(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.signed_in)
    link = world.submit("Bridge closed")
    said = [world.say(link, f"+{number}") for number in range(20)]
    below = world.say(said[18], "Agreed")
    other = world.say(world.submit("Flood"), "Where?")
    world.listed_at_most = 2

    # The list of what a tree leaves out fails, and one of its comments by its own name as well.
    breaks(world, "api/morechildren", said[15], f"comment={said[15][3:]}")
    report = desk.night()
    assert (report.status, report.finished) == ("partial", True)
    assert [one.native_id for one in report.gaps if one.what == "comments"] == [said[15]]
    assert {*said, below, other} - set(desk.held()) == {said[15]}
    world.trouble = None
    report = desk.night()
    assert said[15] in desk.held()
    assert desk.states() == {}


def test_reddit_that_gives_no_token_is_no_submission_that_fails(
    store: Store, clock: FixedClock, stack: ExitStack
) -> None:
    world = stack.enter_context(RedditWorld())
    desk = Subreddit(store, clock, stack, world, world.alone)
    world.say(world.submit("Open house"), "When?")

    def trouble(path: str) -> Answer | None:
        if "/oauth/comments/" in path:
            world.expired = 1
        return BROKEN if path.endswith("access_token") and world.tokens else None

    world.trouble = trouble
    report = desk.night()
    assert (report.status, report.finished) == ("partial", False)
    assert not [one for one in report.gaps if one.native_id is not None]
