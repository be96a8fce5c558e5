"""A platform that nests comments in comments keeps every promise."""

from __future__ import annotations

import json

from connectors.contract import Kind, State
from connectors.promises import ConnectorPromises
from tests.connectors.fakes.nested import Nested, NestedWorld


class TestNested(ConnectorPromises):
    def world(self):
        return NestedWorld()

    def connector(self, client):
        return Nested(client, NestedWorld.secrets)

    def test_each_level_of_a_talk_names_its_own_bytes_inside_those_that_it_answers(self):
        with self.world() as world:
            (batch,) = [batch for batch in self._whole(world).batches if len(batch.observations) > 16]
            items = {item.native_id: item for item in batch.observations}
            body = batch.exchanges[0].body
            depth = 0
            for item in items.values():
                (own,) = item.evidence
                assert json.loads(body[own.start : own.end])["id"] == item.native_id
                if item.in_reply_to is not None:
                    (outer,) = items[item.in_reply_to].evidence
                    assert outer.start < own.start < own.end < outer.end
                above, levels = item, 0
                while above.in_reply_to is not None:
                    above, levels = items[above.in_reply_to], levels + 1
                depth = max(depth, levels)
            assert depth == 9

    def test_comments_that_say_the_same_have_places_of_their_own(self):
        with self.world() as world:
            same = [item for item in self._whole(world).observations if item.text == "+1"]
        assert len({item.native_id for item in same}) == len(same) == 11

    def test_a_hidden_comment_is_hidden_and_not_gone(self):
        with self.world() as world:
            world.posts[2].comments[0].hidden = True
            name = world.posts[2].comments[0].name
            seen = self._whole(world)
            assert seen.latest()[name].state is State.HIDDEN
            assert self._look(world, [seen.latest()[name]]).concluded() == [(name, State.HIDDEN)]

    def test_more_answers_than_are_nested_are_a_gap_and_no_listing_of_comments_is_claimed(self):
        with self.world() as world:
            for _ in range(30):
                world.comment(world.posts[1], "me too")
            seen = self._whole(world)
            assert [gap.native_id for batch in seen.batches for gap in batch.gaps] == [world.posts[1].name]
            assert [list(listing.kinds) for listing in seen.listings] == [[Kind.POST]]
            self._listings_are_true(seen, seen)

    def test_the_token_in_the_next_address_is_replaced_and_said_to_be(self):
        with self.world() as world:
            answers = [answer for answer in self._whole(world).answers if b'"next"' in answer.body]
        assert answers
        for answer in answers:
            assert b"?access_token=[[secret:page_token]]&after=" in answer.body
            assert {one.where for one in answer.replaced} == {"request.url", "response.body"}
