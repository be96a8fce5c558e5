"""Asks Nextdoor what an agency has published: as the agency's own account, or as the public is shown it.

Four things about Nextdoor decide how it is asked:

Its interfaces are opened to those whom it has approved, and what they answer is
documented in parts. Every address stands in `routes`, with what is known of it.

There are two, and they show different things. The account is told all of its
own posts. The public feed tells what is new of an agency, and who wrote below it.

No permission reads comments. Those that stand inside a post all the same are
kept; of the others their number is, so that it is known what is not held.

There is no question for a single post. What is missing from the account's own
list is absent, and nothing is ever called gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.contract import Batch, Client, Cursor, Finding, Kind, Manifest, Page
from connectors.nextdoor import checking, digest, options, own
from connectors.nextdoor.asking import Asking
from connectors.nextdoor.manifest import MANIFEST
from connectors.nextdoor.place import Place
from connectors.nextdoor.session import Session


class Nextdoor:
    """An agency. `secret`: `access_token` where its account has signed in; `client_id` and `client_secret` for the public feed."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, http: Client, secret: Mapping[str, str] | None = None) -> None:
        self._http, self._session = http, Session(http, secret)

    def observe(self, page: Page, since: Cursor | None) -> Iterator[Batch]:
        """Read the agency once: who it is, and its posts with what answers them."""
        place = Place.read(since)
        with self._arrive(page) as asking:
            if asking.signed_in:
                yield from own.Pass(asking, page, place).run()
            else:
                yield from digest.read(asking, page, place)

    def look(self, page: Page, native_ids: Sequence[tuple[Kind, str]]) -> Iterator[Batch]:  # noqa: ARG002 - it cannot ask
        """Nothing: Nextdoor has no question for a single post or comment. Its list would show the words of all others."""
        yield from ()

    def check(self, page: Page) -> Iterator[Finding]:
        """Say how the connection stands: the account or the application, the agency, its posts, what answers them."""
        with self._arrive(page) as asking:
            yield from checking.findings(asking, page)

    def _arrive(self, page: Page) -> Asking:
        base = options.base(page, options.named(page))
        return Asking(self._http, self._session, base, options.auth(page), options.scope(page))
