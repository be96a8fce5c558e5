"""How far a pass has come: what a Pinterest cursor holds. No token is in it."""

from __future__ import annotations

from connectors import cursors

BOARDS, PINS = "boards", "pins"

Way = tuple[str, str]
"""A list by its path, and the bookmark with which it goes on."""


class Place(cursors.Place, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The lists that wait to be read.

    `account` is what the account is known by. The pins of the account come
    last in `waiting`, after those of each board. `hidden` are the boards that
    the public does not see, `met` those of which it is known, and `odd` says
    that one was listed which could not be read: pins may stand on one that was
    not met. `secret` says whether the permission opens
    secret ones (None: not asked yet). `boards` and `posts` say whether
    everything was shown: of the boards with their sections, and of the pins.
    `films` counts the pins whose video Pinterest gave no address of.
    """

    account: str = ""
    met: tuple[str, ...] = ()
    odd: bool = False
    waiting: tuple[Way, ...] = ((BOARDS, ""), (PINS, ""))
    hidden: tuple[str, ...] = ()
    secret: bool | None = None
    boards: bool = True
    posts: bool = True
    films: int = 0

    def finished(self) -> Place:
        """Where the next pass begins."""
        return Place(account=self.account)

    def leads_on(self) -> bool:
        return bool(self.waiting)
