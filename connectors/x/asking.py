"""Asks X's interface, weighs its answers, and pays for them out of the page's budget.

A refusal is judged by X's own words for it, never by its status alone: "too
often" and "the month's quantity is read" are both 429, and a 200 may hold an
error in place of what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn, TypeVar

from connectors.contract import Client, Exchange
from connectors.errors import AccessRevoked, TryAgainLater, UnexpectedResponse
from connectors.http import decoded
from connectors.pieces import Unread
from connectors.visits import Visit, where
from connectors.x import parse
from connectors.x.money import MESSAGE, POST, USER, Purse
from connectors.x.parse import Answer
from connectors.x.shapes import Event, Post, Problem, Shown, User

T = TypeVar("T")

_ANSWERS = (400, 401, 402, 403, 404)
"""What we weigh ourselves: X's refusals."""

_DAILY = ("x-app-limit-24hour", "x-user-limit-24hour")
"""Limits of a day, which some applications have beside those of a quarter of an hour."""

_LONGEST_WAIT = timedelta(days=1)
"""No limit of X's but the month's lasts longer: who says so has miscounted."""

_APART = {"tweets/search/all": timedelta(seconds=1)}
"""How far apart X wants questions of a kind to lie, beside its limits of a quarter of an hour."""

_AT_DEVELOPERS = "at developer.x.com, under the application"


class NotGiven(Exception):
    """X itself refused one question, not the connection: a permission, a plan, a thing that it does not have."""

    def __init__(self, problem: Problem, status: int) -> None:
        super().__init__(f"{status} {problem.says}")
        self.problem, self.status = problem, status

    @property
    def forbidden(self) -> bool:
        """Whether a permission, or the application's plan, is lacking."""
        return self.status == 403 or self.problem.name == "not-authorized-for-resource"

    @property
    def token_forgotten(self) -> bool:
        """Whether it is the place in a list that is refused; lists then begin anew."""
        told = self.problem
        parameters = told.parameters if isinstance(told.parameters, dict) else {}
        return self.status == 400 and bool({"pagination_token", "next_token"} & {told.parameter, *parameters})

    @property
    def why(self) -> str:
        """For an officer: what is lacking, and what to do."""
        match self.problem.name:
            case "unsupported-authentication":
                return f"X shows it only to the account itself, signed in ({self}): connect the page by signing in"
            case "client-forbidden":
                return (
                    f"X does not give it to this application ({self}): see that it stands in a project, and what its "
                    f"plan holds, {_AT_DEVELOPERS}"
                )
            case _ if self.forbidden:
                return f"X refuses it ({self}): sign in again and permit it; if that is done, see the application's plan"
            case _:
                return f"X answers {self}"


class Asking(Visit):
    """One visit to X with one page's credentials. An error on the way takes along the exchanges that led to it.

    `secret` holds `access_token`, which speaks for the account that signed in,
    or `bearer_token`, which speaks for the application alone. It is read anew
    for each question. `purse` is what may be spent.
    """

    unread_is_apart = True

    def __init__(self, http: Client, secret: Mapping[str, str] | None, base: str, purse: Purse) -> None:
        super().__init__()
        self._http, self._secret, self._base, self.purse = http, secret or {}, base, purse

    @property
    def signed_in(self) -> bool:
        """Whether an account has signed in; else only the application itself asks."""
        return bool(self._secret.get("access_token"))

    @property
    def _token(self) -> str:
        token = self._secret.get("access_token") or self._secret.get("bearer_token")
        if not token:
            raise AccessRevoked("The page is not connected: X shows nothing to those who do not sign in.")
        return token

    def now(self) -> datetime:
        return self._http.now()

    @property
    def asked_at(self) -> datetime:
        """When the last question was asked."""
        return self._exchanges[-1].started_at

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Exchange:
        """Ask for `path` such as "users/me"; `NotGiven` where X refuses this one thing."""
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            exchange = self._http.get(
                f"{self._base}/{path}",
                params=params,
                headers=headers,
                accept=_ANSWERS,
                apart=_APART.get(path, timedelta(0)),
            )
        except TryAgainLater as later:
            self._throttled(later)
            raise
        self._exchanges.append(exchange)
        if exchange.truncated:
            raise UnexpectedResponse(f"The answer of {where(exchange)} was cut short ({exchange.truncated}).")
        if exchange.status != 200:
            self._refused(exchange)
        return exchange

    def posts(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        price: str = POST,
        at_once: tuple[int, int] | None = None,
        named: int = 1,
    ) -> Answer[Post]:
        """Ask for posts, at most as many at once as the budget allows.

        `at_once` is how many of a list X gives at least and at most; else
        so many are `named` in the question.
        """
        return self._paid(path, params, Post, price, at_once, named)

    def messages(self, params: Mapping[str, str], at_once: tuple[int, int]) -> Answer[Event]:
        """Ask for the newest messages."""
        return self._paid("dm_events", params, Event, MESSAGE, at_once)

    def users(
        self, path: str, params: Mapping[str, str], at_once: tuple[int, int] | None = None
    ) -> Answer[User]:
        """Ask for one account or for several."""
        return self._paid(path, params, User, USER, at_once)

    def shows_user(self, number: str, params: Mapping[str, str]) -> Answer[Shown]:
        """Ask whether X shows an account, whatever it says of it."""
        return self._paid(f"users/{number}", params, Shown, USER, None)

    def _paid(
        self,
        path: str,
        params: Mapping[str, str],
        shape: type[T],
        price: str,
        at_once: tuple[int, int] | None,
        named: int = 1,
    ) -> Answer[T]:
        purse = self.purse
        least, most = at_once or (named, named)
        afforded = purse.affords(self.now(), price, least=least, most=most)
        exchange = self.get(path, {**params, "max_results": str(afforded)} if at_once else params)
        answer = self.read(exchange, shape)
        if at_once and not answer.counts and not answer.errors:
            raise UnexpectedResponse(
                f"{where(exchange)}: the answer is not of X's shape: a list without its meta."
            )
        at = exchange.started_at
        purse.pays(at, price, (str(one.what.id) for one in answer.items))  # type: ignore[attr-defined]  # posts, accounts and messages all have an id
        purse.pays(at, price, _paid_for(answer.unread, at))
        if purse.terms.included:
            purse.pays(at, POST, (*answer.posts, *_paid_for(answer.beside.get("tweets", ()), at)))
            purse.pays(at, USER, (*answer.users, *_paid_for(answer.beside.get("users", ()), at)))
        return answer

    def read(self, exchange: Exchange, shape: type[T]) -> Answer[T]:
        """What an answer says."""
        return self._read(exchange, lambda body: parse.answer(body, self.last, shape))

    # -- refusals ------------------------------------------------------------------------------------------

    def _throttled(self, later: TryAgainLater) -> None:
        """Say what a 429 means, and when to come again: X names the moment in a header of its own."""
        if not later.exchanges or later.exchanges[-1].status != 429:
            return
        last = later.exchanges[-1]
        told = parse.problem(last.body)
        if told is not None and told.name == "usage-capped":
            later.after = self.purse.terms.next_month(self.now()) - self.now()
            says = (
                f"X shows this application nothing more in this {told.period.lower() or 'billing month'}: as many posts "
                f"as its plan holds were read ({told.says}). Raise the plan {_AT_DEVELOPERS}, or wait."
            )
            later.args = (says,)
            return
        if later.after is None:
            later.after = _reset(last, self.now())

    def _refused(self, exchange: Exchange) -> NoReturn:
        told = parse.problem(decoded(exchange))
        if told is None:
            raise UnexpectedResponse(
                f"{where(exchange)} answered {exchange.status} with a page that is not X's own: something stands "
                "between the archive and X. Ask whoever runs the network to let it through."
            )
        if exchange.status == 401:
            again = "Sign in again" if self.signed_in else "Make a new bearer token"
            raise AccessRevoked(
                f"X no longer accepts the page's token ({told.says}). {again}, and connect the page again."
            )
        if exchange.status == 402:
            raise TryAgainLater(
                f"X shows nothing more until somebody pays: the application has no credits left, or has reached the "
                f"limit that is set for it ({told.says}). Buy credits {_AT_DEVELOPERS}."
            )
        raise NotGiven(told, exchange.status)


def _paid_for(unread: Iterable[Unread], at: datetime) -> Iterator[str]:
    """What X shows and nobody can read is paid for like all else, and once for each time where it has no id."""
    for one in unread:
        yield one.id if one.id is not None else f"{at.isoformat()}/{one.span.start}"


def _reset(exchange: Exchange, now: datetime) -> timedelta | None:
    """How long X asks us to wait: its headers name moments, in seconds since 1970."""
    names = [f"{name}-reset" for name in _DAILY if exchange.header(f"{name}-remaining") == "0"]
    written = [exchange.header(name) or "" for name in names or ["x-rate-limit-reset"]]
    moments = [int(one) for one in written if one.isascii() and one.isdecimal() and len(one) < 12]
    if not moments:
        return None
    return min(max(datetime.fromtimestamp(max(moments), UTC) - now, timedelta(0)), _LONGEST_WAIT)
