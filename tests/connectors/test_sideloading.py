"""A platform that loads authors beside posts keeps every promise."""

from __future__ import annotations

import json

from connectors.contract import Kind, State
from connectors.promises import ConnectorPromises
from tests.connectors.fakes.sideloading import Sideloading, SideloadingWorld


class TestSideloading(ConnectorPromises):
    def world(self):
        return SideloadingWorld()

    def connector(self, client):
        return Sideloading(client, SideloadingWorld.secrets)

    def test_posts_of_one_author_share_the_authors_bytes(self):
        with self.world() as world:
            whole = self._whole(world)
            named = [
                {
                    span
                    for span in item.evidence
                    if json.loads(batch.exchanges[span.exchange].body[span.start : span.end]).get("username")
                    == "town"
                }
                for batch in whole.batches
                for item in batch.observations
                if item.kind is Kind.POST and len(batch.observations) > 1
            ]
            assert max(named.count(spans) for spans in named) > 1
            assert all(len(spans) == 1 for spans in named)

    def test_a_protected_post_is_missing_and_not_gone(self):
        with self.world() as world:
            before = self._whole(world)
            locked = next(item for item in before.observations if item.kind is Kind.COMMENT)
            world.lock(locked.native_id)
            assert locked.native_id not in self._whole(world, before.last).latest()
            assert self._look(world, [locked]).concluded() == [(locked.native_id, State.UNKNOWN)]
