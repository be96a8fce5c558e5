"""What a page's options say: where and what to ask, what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from connectors.contract import Page
from connectors.errors import ConnectorError, NoSuchPage
from connectors.options import protected
from connectors.x import address
from connectors.x.money import DOLLARS, MONTHLY, OWNED, POST, Terms

API = "https://api.x.com/2"
RECENT, ALL, NONE = "recent", "all", "none"
ANSWERED_WITHIN = 7

_MOST_DAYS = 3650
_HOW = "Give its address as it stands in a browser, such as https://x.com/townpolice, or its handle."


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How one page is read."""

    name: str
    """The account's handle, or `id:` and its number."""
    base: str
    search: str
    quotes: bool
    messages: bool
    lists: bool
    reach: timedelta
    own: str
    """What a post of the account's own costs."""
    terms: Terms

    @staticmethod
    def of(page: Page) -> Options:
        """Read a page's address and options; raises for what cannot be understood."""
        told = page.options
        name = address.read(page.address)
        if name is None:
            raise NoSuchPage(f"“{page.address}” names no account on X. {_HOW}")
        base = (told.get("api") or API).rstrip("/")
        return Options(
            name=name,
            base=protected(base),
            search=_one_of(told, "search", (RECENT, ALL, NONE)),
            quotes=_yes(told, "quotes", usual=True),
            messages=_yes(told, "messages", usual=True),
            lists=_yes(told, "block_lists", usual=True),
            reach=timedelta(days=_whole(told, "answered_within", ANSWERED_WITHIN, 0, _MOST_DAYS)),
            own=OWNED if _yes(told, "owned", usual=False) else POST,
            terms=Terms(
                prices={
                    what: _money(told, f"price_{what}", dollars) or Decimal(0)
                    for what, dollars in DOLLARS.items()
                },
                monthly=_money(told, "monthly_budget", MONTHLY),
                billing_day=_whole(told, "billing_day", 1, 1, 28),
                included=_yes(told, "included", usual=True),
            ),
        )


def _one_of(told: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    written = told.get(name) or known[0]
    if written not in known:
        raise ConnectorError(f"The option {name} is one of {', '.join(known)}, not “{written}”.")
    return written


def _yes(told: Mapping[str, str], name: str, *, usual: bool) -> bool:
    return _one_of(told, name, ("yes", "no") if usual else ("no", "yes")) == "yes"


def _whole(told: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    written = told.get(name) or str(usual)
    if not (written.isascii() and written.isdecimal()) or not least <= int(written) <= most:
        raise ConnectorError(f"The option {name} must be a number from {least} to {most}, not “{written}”.")
    return int(written)


def _money(told: Mapping[str, str], name: str, usual: str) -> Decimal | None:
    """An amount; None for the word none, which only the budget may be."""
    written = told.get(name) or usual
    if written == NONE and name == "monthly_budget":
        return None
    try:
        amount = Decimal(written)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise ConnectorError(f"The option {name} must be an amount of money such as 0.005, not “{written}”.")
    return amount
