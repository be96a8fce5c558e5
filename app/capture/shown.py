"""The registry in the shapes that the command line and the API give: plain values, dates as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.capture.approvals import Approval, Delegation
from app.capture.introductions import Said, Standing
from app.capture.needs import Need
from app.capture.people import Manager
from app.capture.policy import Policy
from app.capture.registers import Authorisation, Report
from app.records.nouns import Page

Who = Callable[[UUID | None], str | None]
"""What somebody is called: their e-mail, their id where nobody knows it, None where it was the night."""


def page(one: Page, today: date) -> dict[str, Any]:
    """A page, as the interface promises it."""
    return {
        "id": str(one.id),
        "connector": one.connector,
        "platform": one.platform,
        "address": one.address,
        "name": one.name,
        "status": one.status,
        "approved": one.approval(today) == "approved",
        "approval": one.approval(today),
        "approved_until": _day(one.approved_until),
        "custodian": one.custodian,
        "connected": one.connected,
        "options": dict(one.options),
        "purpose": one.purpose,
        "scope": one.scope,
        "audiences": list(one.audiences),
        "official_site": one.official_site,
        "review_on": _day(one.review_on),
        "review_overdue": one.review_on is not None and today > one.review_on,
        "policy": one.policy,
    }


def manager(one: Manager, today: date, who: Who) -> dict[str, Any]:
    return {
        "email": one.email,
        "known_as": one.known_as,
        "since": one.since.isoformat(),
        "until": _day(one.until),
        "by": who(one.by),
        "why": one.why,
        "authorised": one.authorised(today),
        "ended_at": _moment(one.ended_at),
        "ended_by": who(one.ended_by) if one.ended_at else None,
        "ended_why": one.ended_why or None,
        "entry": one.entry,
    }


def approval(one: Approval, who: Who) -> dict[str, Any]:
    return {
        "act": one.act,
        "at": one.at.isoformat(),
        "by": who(one.by),
        "why": one.why,
        "authority": one.authority,
        "delegation": str(one.delegation) if one.delegation else None,
        "until": _day(one.until),
        "entry": one.entry,
    }


def delegation(one: Delegation, today: date, who: Who) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "from": who(one.given_by),
        "to": who(one.given_to),
        "since": one.since.isoformat(),
        "until": _day(one.until),
        "instrument": one.instrument,
        "runs": one.runs(today),
        "recorded_at": one.recorded_at.isoformat(),
        "recorded_by": who(one.recorded_by),
        "why": one.why,
        "ended_at": _moment(one.ended_at),
        "ended_why": one.ended_why or None,
        "entry": one.entry,
    }


def policy(one: Policy | None) -> dict[str, Any] | None:
    """What a profile asks, without the wordings that it looks for."""
    if one is None:
        return None
    return {
        "name": one.name,
        "title": one.title,
        "approval": {
            "by": "the chief or a designee" if one.designee else "the chief alone",
            "citation": one.approval_citation,
        },
        "managers_required": one.managers_required,
        "written_authorisation": one.written,
        "violations": {"covers": one.violations, "citation": one.violations_citation},
        "audiences": list(one.audiences),
        "statements": [
            {
                "name": statement.name,
                "says": statement.says,
                "force": str(statement.force),
                "citation": statement.citation,
                "parts": [part.says for part in statement.parts],
            }
            for statement in one.statements
        ],
    }


def statement(one: Standing, who: Who) -> dict[str, Any]:
    """A statement with its newest answer and those before it."""
    return {
        "name": one.statement.name,
        "says": one.statement.says,
        "force": str(one.statement.force),
        "citation": one.statement.citation,
        **_said(one.now, who),
        "history": [_said(before, who) for before in one.history[1:]],
    }


def _said(one: Said, who: Who) -> dict[str, Any]:
    return {
        "answer": one.answer,
        "since": _moment(one.at),
        "by": who(one.by),
        "why": one.why,
        "words": list(one.words),
        "missing": list(one.missing),
        "record": str(one.record) if one.record else None,
        "version": one.version,
        "entry": one.entry,
    }


def authorisation(one: Authorisation, today: date, who: Who) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "who": one.who,
        "what": one.what,
        "given_by": one.given_by,
        "given_on": one.given_on.isoformat(),
        "until": _day(one.until),
        "runs": one.runs(today),
        "written": one.written,
        "instrument": one.instrument,
        "page": str(one.page) if one.page else None,
        "record": str(one.record) if one.record else None,
        "recorded_at": one.recorded_at.isoformat(),
        "recorded_by": who(one.recorded_by),
        "why": one.why,
        "ended_at": _moment(one.ended_at),
        "ended_why": one.ended_why or None,
        "entry": one.entry,
    }


def report(one: Report, who: Who) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "at": one.at.isoformat(),
        "by": who(one.by),
        "what": one.what,
        "address": one.address,
        "attachment": one.attachment,
        "page": str(one.page) if one.page else None,
        "record": str(one.record) if one.record else None,
        "open": one.answered_at is None,
        "answered_at": _moment(one.answered_at),
        "answered_by": who(one.answered_by) if one.answered_at else None,
        "answer": one.answer or None,
        "entry": one.entry,
    }


def need(one: Need) -> dict[str, Any]:
    return {"page": str(one.page.id) if one.page else None, "what": one.what, "urgent": one.urgent}


def _day(at: date | None) -> str | None:
    return at.isoformat() if at is not None else None


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
