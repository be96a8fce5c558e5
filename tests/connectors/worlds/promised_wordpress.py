"""A WordPress for `ConnectorPromises`: a small site with posts, a page, comments in threads and a picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Self

from connectors.contract import Page
from tests.connectors.worlds.platform_world import Troubled
from tests.connectors.worlds.wordpress_world import HTML, JSON, SIGN_IN, WordPressWorld


class PromisedWordPress(Troubled, WordPressWorld):
    """The site as the public sees it, or with `connected` as its editors do."""

    def __init__(self, *, connected: bool = False) -> None:
        super().__init__()
        self.connected = connected

    def __enter__(self) -> Self:
        super().__enter__()
        # As few as will do, since a pass is broken off at each of its answers: the posts are listed in two parts,
        # the pages in one, and the comments in a first, a last, and one between.
        for number in range(3):
            self.tick(60 * 24 * 3)
            post = super().publish(f"Notice {number}", f"<p>Words of notice {number}</p>")
            first = self.comment(post, f"<p>On notice {number}</p>")
            if number % 2:
                self.comment(post, "<p>An answer</p>", parent=first, author=1, author_name="Press Office")
        post = max(self.items)
        self.items[post].featured = self.upload("bridge.jpg", post)
        super().publish("About us", "<p>We are here</p>", type="page")
        self.comment(post, "<p>Held</p>", status="hold")
        return self

    @property
    def page(self) -> Page:
        return Page(address=self.address, options={"page_size": "2"})

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.secret if self.connected else {}

    @property
    def cannot(self) -> Mapping[str, str]:
        reasons = {
            "recount": "WordPress counts nothing that its interface shows",
            "expire": "addresses of files stay as they are",
        }
        public = {"revoke": "the page is public: there are no credentials to refuse"}
        return reasons if self.connected else reasons | public

    def shows(self) -> Collection[str]:
        items = [f"{item.type}:{item.id}" for item in self.items.values() if self._shown(item.status)]
        remarks = [one for one in self.remarks.values() if self.connected or self._is_public(one)]
        return ["site", *items, *(f"comment:{one.id}" for one in remarks)]

    def _shown(self, status: str) -> bool:
        return status == "publish" or self.connected

    def publish(self, title: str = "", content: str = "", **more: Any) -> Any:
        """Somebody comments on the newest post; with a title, a post is published."""
        if title:
            return super().publish(title, content, **more)
        return f"comment:{self.comment(max(self.items), '<p>And now?</p>')}"

    def edit(self, number: int = 1, content: str = "") -> Any:
        super().edit(number, content or f"{self.items[number].content}<p>Corrected</p>")
        return f"post:{number}"

    def remove(self) -> str:
        number = min(self.remarks)
        self.delete_comment(number)
        return f"comment:{number}"

    def recount(self) -> None:
        raise AssertionError(self.cannot["recount"])

    def expire(self) -> None:
        raise AssertionError(self.cannot["expire"])

    def throttle(self, after: int) -> timedelta | None:
        self._will((429, {**JSON, "Retry-After": "7200"}, b"{}"), after)
        return timedelta(hours=2)

    def sign_in(self, after: int) -> None:
        self._will((200, HTML, SIGN_IN), after)

    def fail(self, after: int) -> None:
        self._will((500, JSON, b'{"code":"internal_server_error"}'), after)

    def loop(self) -> None:
        self.ignores_offset = True

    def turn_away(self) -> None:
        self.accepts_password = False

    def recover(self) -> None:
        super().recover()
        self.ignores_offset, self.accepts_password = False, True
