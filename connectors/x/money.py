"""What reading costs, and how much of the month's budget is left.

X asks money for everything that it shows: so much for a post, for an account, for
a message. The same thing read again on the same day (UTC) costs nothing more. The
budget is the agency's own limit, below whatever limit is set at X.

What was spent is remembered in the cursor, and each kind of pass has a cursor of
its own that knows nothing of the others. So the budget is divided beforehand,
and what each kind may use is its share whatever the others use: together they
never use more. A pass that looks for what is new therefore always finds money
left, however much a pass over old posts would like to read.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec

from connectors.contract import Page
from connectors.errors import TryAgainLater

POST, OWNED, USER, MESSAGE = "post", "owned", "user", "message"
DOLLARS: Mapping[str, str] = {POST: "0.005", OWNED: "0.001", USER: "0.010", MESSAGE: "0.010"}
"""X's published prices, in US dollars; an option replaces each of them."""

MONTHLY = "100"

WHOLE, OLDER, RECENT, ALONE = "the whole page", "older posts", "what is recent", "single posts"
SHARES: Mapping[str, Decimal] = {
    WHOLE: Decimal("0.30"),
    OLDER: Decimal("0.10"),
    RECENT: Decimal("0.29"),
    ALONE: Decimal("0.02"),
}
"""Two kinds of passes are about what is recent (each night's, and those in between): all shares together are one."""

_REMEMBERED = 600
"""So many of the things read today are known by the next pass; what is beyond is counted once more."""


class Spent(TryAgainLater):
    """The month's share of the budget does not pay for another answer; the platform was not asked."""

    code = "budget-spent"

    def __init__(self, message: str, *, since: datetime, until: datetime) -> None:
        super().__init__(message, after=until - since)
        self.since, self.until = since, until


class Account(msgspec.Struct, frozen=True):
    """What was spent, as a cursor keeps it: since when, how much, what was read today, whether a gap has told."""

    month: str = ""
    spent: str = "0"
    day: str = ""
    today: tuple[str, ...] = ()
    told: bool = False


def kind_of(page: Page) -> str:
    """Of which kind a pass is; it follows from its span alone, as its cursor does."""
    if page.published_until is not None:
        return OLDER
    return RECENT if page.published_from is not None else WHOLE


@dataclass(frozen=True, slots=True)
class Terms:
    """What reading costs, and how much may be spent in a month (None: as much as X lets us)."""

    prices: Mapping[str, Decimal]
    monthly: Decimal | None
    billing_day: int = 1
    included: bool = True
    """Whether what stands beside the items (writers, quoted posts) is counted too."""

    def month(self, now: datetime) -> tuple[date, date]:
        """When the billing month began, and when the next one begins."""
        today = now.astimezone(UTC).date()
        begin = today.replace(day=self.billing_day)
        if begin > today:
            begin = (today.replace(day=1) - timedelta(days=1)).replace(day=self.billing_day)
        following = (begin.replace(day=1) + timedelta(days=32)).replace(day=self.billing_day)
        return begin, following

    def next_month(self, now: datetime) -> datetime:
        """When the next billing month begins."""
        return datetime.combine(self.month(now)[1], datetime.min.time(), UTC)


class Purse:
    """What one kind of pass has spent this month, and may still spend."""

    def __init__(self, terms: Terms, kind: str, account: Account | None = None) -> None:
        self.terms, self._kind = terms, kind
        account = account or Account()
        self._month, self._spent, self._day = account.month, _amount(account.spent), account.day
        self._today = dict.fromkeys(account.today)
        self.told = account.told

    @property
    def spent(self) -> Decimal:
        """What was spent since the billing month began."""
        return self._spent

    @property
    def share(self) -> Decimal | None:
        """What this kind of pass may spend in a month."""
        return None if self.terms.monthly is None else self.terms.monthly * SHARES[self._kind]

    def account(self) -> Account:
        """As the cursor keeps it."""
        return Account(self._month, str(self._spent), self._day, tuple(self._today)[-_REMEMBERED:], self.told)

    def affords(self, now: datetime, what: str, *, least: int, most: int) -> int:
        """How many items may be asked for at once, from `least` to `most`; `Spent` where not even that many.

        Beside each post its writer may stand, and a post that it shows with that one's writer: so many are asked
        for as can be paid with all of it. The least that X gives is asked for where the posts and their writers
        can be paid, since hardly ever all of them show others.
        """
        self._turn(now)
        share = self.share
        if share is None:
            return most
        prices = self.terms.prices
        each = dearest = prices[what]
        if self.terms.included and what not in {USER, MESSAGE}:
            each += prices[USER]
            dearest = each + prices[POST] + prices[USER]
        left = share - self._spent
        if left >= least * each and left >= 0:
            return most if dearest == 0 else max(least, min(most, int(left / dearest)))
        raise self._all(now)

    def goes_on(self, now: datetime) -> None:
        """Raise `Spent` where it was told already that nothing more can be paid this month."""
        self._turn(now)
        if self.told:
            raise self._all(now)

    def pays(self, now: datetime, what: str, ids: Iterable[str]) -> None:
        """Count what an answer showed; what was counted today is not counted again."""
        self._turn(now)
        for identity in ids:
            mark = _mark(what, identity)
            if mark not in self._today:
                self._today[mark] = None
                self._spent += self.terms.prices[what]

    def _turn(self, now: datetime) -> None:
        month, day = self.terms.month(now)[0].isoformat(), now.astimezone(UTC).date().isoformat()
        if month != self._month:
            self._month, self._spent, self.told = month, Decimal(0), False
        if day != self._day:
            self._day, self._today = day, {}

    def _all(self, now: datetime) -> Spent:
        until = self.terms.next_month(now)
        return Spent(
            f"The budget for reading X does not pay for another answer: {self._spent:.2f} of the {self.share:.2f} that "
            f"passes over {self._kind} may use in this billing month are spent (option monthly_budget, "
            f"{self.terms.monthly}). Reading goes on on {until:%Y-%m-%d}, or when the option is raised.",
            since=now,
            until=until,
        )


def _amount(written: str) -> Decimal:
    try:
        found = Decimal(written)
    except ArithmeticError:
        return Decimal(0)
    return found if found.is_finite() and found >= 0 else Decimal(0)


def _mark(what: str, identity: str) -> str:
    """A thing that was read, in few letters. Own and others' posts are one kind: a post is paid for once."""
    kind = POST if what == OWNED else what
    return b64encode(hashlib.sha256(f"{kind}:{identity}".encode()).digest()[:6]).decode()
