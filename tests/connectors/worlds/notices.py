"""A connector of a page of notices beside an `AuthorisationWorld`: it signs in, checks and observes, and no more."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from connectors.contract import (
    Batch,
    ByHand,
    Client,
    Cursor,
    Exchange,
    Field,
    Finding,
    Kind,
    Manifest,
    Observation,
    Page,
    Span,
)
from tests.connectors.worlds.authorisation_world import OAUTH1, OAUTH2

BY_HAND = ByHand(
    fields=(
        Field(name="user", title="User name", shown=True, help="As you sign in."),
        Field(name="password", title="Application password"),
        Field(name="note", title="Note", required=False),
    ),
    steps=("Open your profile.", "Make an application password."),
)


class Notices:
    """Connected at the platform (OAuth 2)."""

    manifest: ClassVar[Manifest] = Manifest(
        name="notices",
        title="Notices",
        platform="noticeboard",
        route="api",
        captures={"posts": "every one", "comments": "those that are shown"},
        blind_spots=("What was taken down between two passes.",),
        sign_in=OAUTH2,
    )

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self.http, self.secret = http, secret or {}

    def check(self, page: Page) -> Iterator[Finding]:
        exchange = self._asked(page, accept=(401,))
        if exchange.status == 401:
            yield Finding(what="the notices", fine=False, remedy="Connect the page again.")
            return
        yield Finding(what=f"Signed in as {json.loads(exchange.body)['acct']}", fine=True)

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        del since
        for number in range(2):
            exchange = self._asked(page)
            text = json.loads(exchange.body)["notices"][0]
            yield Batch(
                exchanges=[exchange],
                resume_from=Cursor(str(number)),
                observations=[
                    Observation(
                        kind=Kind.POST,
                        native_id=f"notice-{number}",
                        text=text,
                        evidence=(Span(0, 0, len(exchange.body)),) if number == 0 else (),
                    )
                ],
            )

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:
        del page, native_ids
        yield from ()

    def _asked(self, page: Page, **more: Any) -> Exchange:
        return self.http.get(f"{page.address}/notices", headers={"Authorization": self._shown()}, **more)

    def _shown(self) -> str:
        return f"Bearer {self.secret['access_token']}"


class NoticesByHand(Notices):
    """Connected with an application password."""

    manifest: ClassVar[Manifest] = replace(Notices.manifest, name="notices-by-hand", sign_in=BY_HAND)

    def _shown(self) -> str:
        pair = f"{self.secret['user']}:{self.secret['password']}"
        return f"Basic {b64encode(pair.encode()).decode()}"


class NoticesOfOld(Notices):
    """Connected at the platform in the manner of OAuth 1.0a; it offers no check."""

    manifest: ClassVar[Manifest] = replace(Notices.manifest, name="notices-of-old", sign_in=OAUTH1)
    check = None  # type: ignore[assignment]  # what is not offered is not there


CONNECTORS = {
    "notices": f"{__name__}:Notices",
    "notices-by-hand": f"{__name__}:NoticesByHand",
    "notices-of-old": f"{__name__}:NoticesOfOld",
}
