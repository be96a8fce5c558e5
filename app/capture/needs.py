"""What the registry needs somebody to do: decided from plain facts, gathered beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from app.capture import approvals, credentials, deeds, introductions, pages, people, policy, registers
from app.capture.introductions import NOT_FOUND, Standing
from app.capture.people import Manager
from app.capture.policy import Force, Policy
from app.db import Tx
from app.records.nouns import Page
from app.store.store import Store

LAPSES_WITHIN = timedelta(days=30)


class Need(NamedTuple):
    """Something that somebody should look at; `page` is None where it is of no page."""

    page: Page | None
    what: str
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a page, as far as it may need somebody."""

    page: Page
    policy: Policy | None
    managers: Sequence[Manager] = ()
    owner: str | None = None
    connected_by: str = ""
    statements: Sequence[Standing] = ()
    reports: int = 0
    """How many violation reports about it nobody answered."""

    def owner_wrong(self, today: date) -> str | None:
        """What is wrong with whose credentials the page is captured with, or None."""
        required = self.policy is not None and self.policy.managers_required
        return people.owner_wrong(
            self.managers, self.owner, self.connected_by, required=required, today=today
        )


def registry_needs(known: Sequence[Facts], today: date, *, reports: int = 0) -> list[Need]:
    """Say what the pages of the registry need, page by page; `reports` are those that name no page."""
    needs = [need for facts in known for need in _of_page(facts, today)]
    if reports:
        needs.append(Need(None, _unanswered(reports), True))
    return needs


def _of_page(facts: Facts, today: date) -> list[Need]:
    page = facts.page
    found = [Need(page, _unanswered(facts.reports), True)] if facts.reports else []
    if page.status == pages.REMOVED:
        return found
    return [*found, *_approval(page, today), *_review(page, today), *_people(facts, today), *_said(facts)]


def _approval(page: Page, today: date) -> list[Need]:
    standing, last = page.approval(today), page.approved_until
    if standing == "none":
        return [Need(page, "Not approved yet; it is captured all the same.", False)]
    if standing == "lapsed":
        return [Need(page, f"Its approval lapsed on {last}; it is captured all the same.", True)]
    if last is not None and last - today <= LAPSES_WITHIN:
        return [Need(page, f"Its approval lapses on {last}.", False)]
    return []


def _review(page: Page, today: date) -> list[Need]:
    if page.review_on is None or today <= page.review_on:
        return []
    return [Need(page, f"Its review was due on {page.review_on}.", False)]


def _people(facts: Facts, today: date) -> list[Need]:
    found = [
        Need(
            facts.page,
            f"The authorisation of {one.email} to manage it ended on {one.until}: renew it, or take it off the list.",
            True,
        )
        for one in facts.managers
        if one.ended_at is None and one.until is not None and today > one.until
    ]
    wrong = facts.owner_wrong(today)
    return [*found, Need(facts.page, wrong, True)] if wrong else found


def _said(facts: Facts) -> list[Need]:
    return [
        Need(
            facts.page,
            f"Its introduction does not say what the policy ({one.statement.citation}) says it shall: {one.statement.says}.",
            True,
        )
        for one in facts.statements
        if one.statement.force is Force.SHALL and one.now.answer == NOT_FOUND
    ]


def _unanswered(reports: int) -> str:
    return (
        "A violation report awaits an answer."
        if reports == 1
        else f"{reports} violation reports await an answer."
    )


def gather(store: Store, tx: Tx) -> tuple[list[Facts], int]:
    """The facts of every page, and how many unanswered reports name none."""
    agency = approvals.of_agency(tx)
    waiting: Counter[int | None] = Counter(page for page, _ in registers.open_reports(tx))
    found = [_facts(store, tx, page, agency, waiting[page.key]) for page in pages.listed(tx)]
    return found, waiting[None]


def of_one(store: Store, tx: Tx, page: Page) -> Facts:
    """The facts of one page."""
    mine = sum(key == page.key for key, _ in registers.open_reports(tx))
    return _facts(store, tx, page, approvals.of_agency(tx), mine)


def _facts(store: Store, tx: Tx, page: Page, agency: Policy | None, reports: int) -> Facts:
    connection = credentials.connection(store, tx, page) if page.connected else None
    return Facts(
        page=page,
        policy=policy.of_page(page, agency),
        managers=people.listed(store, tx, page),
        owner=connection.owner if connection else None,
        connected_by=connection.manager if connection else "",
        statements=introductions.standings(store, tx, page),
        reports=reports,
    )


def of_archive(store: Store, tx: Tx) -> list[Need]:
    """What the registry needs today."""
    known, reports = gather(store, tx)
    return registry_needs(known, deeds.today(store), reports=reports)
