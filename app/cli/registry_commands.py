"""The registry of pages and its people: approval, managers, statements, the agency's policy, two registers."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from app import officers
from app.capture import (
    approvals,
    deeds,
    introductions,
    needs,
    pages,
    people,
    policy,
    registers,
    shown,
)
from app.capture.pages import About
from app.cli.answer import Answer, table
from app.cli.session import EVERYONE, READERS, Session, reason, session
from app.db import Tx
from app.records.errors import Invalid
from app.records.nouns import Page, Role

Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it
DECIDERS = approvals.DECIDES
"""Approving, pausing, removing and resuming pages; their managers and statements; the two registers."""
KEEPERS = (Role.ADMINISTRATOR, Role.RECORDS_OFFICER)
"""What the registry says of a page."""
REGISTERS = (*READERS, Role.APPROVER, Role.ADMINISTRATOR)
"""Reading the register of authorisations."""
SUPERVISORS = (Role.APPROVER, Role.RECORDS_OFFICER, Role.ADMINISTRATOR)
"""Answering violation reports."""
_OVERSEE = (*SUPERVISORS, Role.ATTORNEY, Role.AUDITOR)


def add(
    commands: Commands[argparse.ArgumentParser],
    page: Commands[argparse.ArgumentParser],
    common: argparse.ArgumentParser,
) -> None:
    """Put these commands among the others: `page …`, `policy …`, `authorisation …`, `violation …`."""
    for name, help_ in (
        ("approve", "approve a page, or renew its approval"),
        ("withdraw", "take the approval of a page back; it is captured all the same"),
        ("pause", "capture nothing of a page until it is resumed; the pause is a gap"),
        ("resume", "capture a page again"),
        ("remove", "capture a page no longer; it stays here with its records"),
    ):
        one = page.add_parser(name, parents=[common], help=help_)
        one.add_argument("id")
        one.set_defaults(run=_decide, act=name, until=None)
        if name == "approve":
            one.add_argument("--until", metavar="DATE", help="the last day of the approval")
    change = page.add_parser("change", parents=[common], help="change what the registry says of a page")
    change.add_argument("id")
    describing(change)
    change.add_argument("--custodian")
    change.set_defaults(run=_change)
    managers = page.add_parser("managers", parents=[common], help="who is authorised to manage a page")
    managers.add_argument("id")
    how = managers.add_mutually_exclusive_group()
    how.add_argument("--add", metavar="EMAIL", help="authorise somebody, or renew it")
    how.add_argument("--remove", metavar="EMAIL", help="end somebody's authorisation; it stays on the list")
    managers.add_argument("--until", metavar="DATE", help="the last day of the authorisation")
    managers.add_argument(
        "--known-as", default="", metavar="NAME", help="what the platform calls them, as its check names it"
    )
    managers.set_defaults(run=_managers)
    said = page.add_parser(
        "statements", parents=[common], help="what the page's introduction says of what the policy asks"
    )
    said.add_argument("id")
    doing = said.add_mutually_exclusive_group()
    doing.add_argument("--check", action="store_true", help="look now, rather than at night")
    doing.add_argument("--present", metavar="STATEMENT", help="mark one as present, with a reason")
    doing.add_argument("--unmark", metavar="STATEMENT", help="take such a mark back")
    said.set_defaults(run=_statements)
    _add_policy(commands, common)
    _add_registers(commands, common)


def describing(parser: argparse.ArgumentParser) -> None:
    """The fields of the registry that `page add` and `page change` share."""
    parser.add_argument("--purpose", help="what the page is for")
    parser.add_argument("--scope", help="what it covers")
    parser.add_argument(
        "--audience", action="append", metavar="WHO", help="for whom; again for each. Empty: none"
    )
    parser.add_argument("--official-site", metavar="ADDRESS", help="the site that the page should link to")
    parser.add_argument("--review", metavar="DATE", help="when it is to be reviewed next; empty: no day")
    parser.add_argument(
        "--policy",
        metavar="NAME",
        help="a policy profile of its own; `none`: none applies; empty: the agency's",
    )


def about(asked: argparse.Namespace) -> About:
    """What the options of `describing` say."""
    return About(
        purpose=asked.purpose,
        scope=asked.scope,
        audiences=asked.audience,
        official_site=asked.official_site,
        review_on=asked.review,
        policy=asked.policy,
    )


def page_json(page: Page, here: Session) -> dict[str, Any]:
    """A page, as the interface promises it."""
    return shown.page(page, deeds.today(here.archive.store))


def page_line(page: Page, here: Session) -> str:
    """A page in a line."""
    standing = page.approval(deeds.today(here.archive.store))
    said = {"approved": "approved", "lapsed": f"approval lapsed on {page.approved_until}"}
    return f"{page.name}: {page.status}, {said.get(standing, 'not approved')}"


def registry_json(here: Session, tx: Tx, page: Page) -> dict[str, Any]:
    """What `page show` tells of a page's people and statements."""
    store = here.archive.store
    who, today = _who(tx), deeds.today(store)
    due = [one for one in needs.of_archive(store, tx) if one.page is not None and one.page.id == page.id]
    return {
        "approvals": [shown.approval(one, who) for one in approvals.history(store, tx, page)],
        "managers": [shown.manager(one, today, who) for one in people.listed(store, tx, page)],
        "statements": [shown.statement(one, who) for one in introductions.standings(store, tx, page)],
        "needs": [shown.need(one) for one in due],
    }


def _who(tx: Tx) -> shown.Who:
    names = officers.emails(tx)
    return lambda identity: None if identity is None else names.get(identity, str(identity))


# -- pages -------------------------------------------------------------------------------------------------


def _decide(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    until = deeds.day(asked.until, "--until")
    with session(*DECIDERS) as here, here.archive.store.database.begin() as tx:
        store, guards, by = here.archive.store, here.archive.guards, here.officer.id
        page = pages.get(tx, asked.id)
        if asked.act == "approve":
            page = pages.approve(store, tx, page, by=by, why=why, until=until)
        elif asked.act in ("pause", "remove"):
            stop = pages.pause if asked.act == "pause" else pages.remove
            page = stop(store, tx, page, by=by, why=why, guards=guards)
        else:
            verb = pages.resume if asked.act == "resume" else pages.withdraw
            page = verb(store, tx, page, by=by, why=why)
    return Answer(page_json(page, here), [page_line(page, here)])


def _change(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    told = replace(about(asked), custodian=asked.custodian)
    with session(*KEEPERS) as here, here.archive.store.database.begin() as tx:
        page = pages.describe(
            here.archive.store, tx, pages.get(tx, asked.id), told, by=here.officer.id, why=why
        )
    return Answer(page_json(page, here), [page_line(page, here)])


def _managers(asked: argparse.Namespace) -> Answer:
    changes = asked.add or asked.remove
    if not asked.add and (asked.until or asked.known_as):
        raise Invalid("--until and --known-as go with --add")
    why = reason(asked.why) if changes else ""
    until = deeds.day(asked.until, "--until")
    with session(*(DECIDERS if changes else EVERYONE)) as here:
        store, by = here.archive.store, here.officer.id
        with store.database.begin() if changes else store.database.read() as tx:
            page = pages.get(tx, asked.id)
            if asked.add:
                people.authorise(
                    store, tx, page, asked.add, by=by, why=why, known_as=asked.known_as, until=until
                )
            if asked.remove:
                people.end(store, tx, page, asked.remove, by=by, why=why)
            listed = people.listed(store, tx, page)
            told = [shown.manager(one, deeds.today(store), _who(tx)) for one in listed]
    return Answer(
        told,
        _table(told, "email", "known_as", "since", "until", "authorised", "by"),
    )


def _statements(asked: argparse.Namespace) -> Answer:
    marks = asked.present or asked.unmark
    why = reason(asked.why) if marks else (asked.why.strip() or "looked for on request")
    changes = marks or asked.check
    with session(*(DECIDERS if changes else EVERYONE)) as here:
        store, by = here.archive.store, here.officer.id
        with store.database.begin() if changes else store.database.read() as tx:
            page = pages.get(tx, asked.id)
            if asked.check:
                introductions.check(store, tx, page, by=by, why=why)
            if asked.present:
                introductions.mark(store, tx, page, asked.present, by=by, why=why)
            if asked.unmark:
                introductions.unmark(store, tx, page, asked.unmark, by=by, why=why)
            who = _who(tx)
            told = [shown.statement(one, who) for one in introductions.standings(store, tx, page)]
    lines = _table(told, "name", "force", "answer", "since", "citation")
    return Answer(told, lines if told else ["no policy profile applies to this page: nothing is asked of it"])


# -- the agency's policy -----------------------------------------------------------------------------------


def _add_policy(commands: Commands[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    acts = commands.add_parser("policy", help="the agency's policy on its pages").add_subparsers(
        dest="policy", required=True, metavar="ACT"
    )
    use = acts.add_parser(
        "use", parents=[common], help=f"choose a profile: {', '.join(policy.names())}, none"
    )
    use.add_argument("name")
    use.set_defaults(run=_use)
    acts.add_parser("show", parents=[common], help="what the chosen profile asks").set_defaults(run=_show)
    acts.add_parser("list", parents=[common], help="the profiles").set_defaults(run=_list)
    chief = acts.add_parser("chief", parents=[common], help="say who the chief is")
    chief.add_argument("email")
    chief.set_defaults(run=_chief)
    give = acts.add_parser(
        "delegate", parents=[common], help="record that the chief lets somebody approve pages"
    )
    give.add_argument("email")
    give.add_argument("--instrument", required=True, help="the words of the delegation, or where they lie")
    give.add_argument("--since", metavar="DATE")
    give.add_argument("--until", metavar="DATE")
    give.set_defaults(run=_delegate)
    end = acts.add_parser("end-delegation", parents=[common], help="end a delegation")
    end.add_argument("id", type=UUID)
    end.set_defaults(run=_end_delegation)


def _use(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(Role.ADMINISTRATOR) as here, here.archive.store.database.begin() as tx:
        approvals.use(here.archive.store, tx, asked.name, by=here.officer.id, why=why)
        told = _policy_json(here, tx)
    return Answer(told, [_policy_line(told)])


def _show(_asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here, here.archive.store.database.read() as tx:
        told = _policy_json(here, tx)
    chosen = told["policy"]
    asks = _table(chosen["statements"], "name", "force", "citation", "says") if chosen else []
    given = [
        f"delegated to {one['to']} from {one['since']} until {one['until'] or 'further notice'}"
        for one in told["delegations"]
        if one["runs"]
    ]
    return Answer(told, [_policy_line(told), *given, *asks])


def _list(_asked: argparse.Namespace) -> Answer:
    told = [shown.policy(policy.named(name)) for name in policy.names()]
    return Answer(told, _table([one for one in told if one], "name", "title"))


def _chief(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(Role.ADMINISTRATOR) as here, here.archive.store.database.begin() as tx:
        chief = officers.find(tx, asked.email)
        approvals.name_chief(here.archive.store, tx, chief, by=here.officer.id, why=why)
        told = _policy_json(here, tx)
    return Answer(told, [_policy_line(told)])


def _delegate(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    since, until = deeds.day(asked.since, "--since"), deeds.day(asked.until, "--until")
    with session(*DECIDERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        made = approvals.delegate(
            store,
            tx,
            officers.find(tx, asked.email),
            instrument=asked.instrument,
            since=since,
            until=until,
            by=here.officer.id,
            why=why,
        )
        told = shown.delegation(made, deeds.today(store), _who(tx))
    return Answer(told, [f"{told['to']} may approve pages from {told['since']} on ({told['id']})"])


def _end_delegation(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*DECIDERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        ended = approvals.end_delegation(store, tx, asked.id, by=here.officer.id, why=why)
        told = shown.delegation(ended, deeds.today(store), _who(tx))
    return Answer(told, [f"the delegation to {told['to']} has ended"])


def _policy_json(here: Session, tx: Tx) -> dict[str, Any]:
    store, who = here.archive.store, _who(tx)
    return {
        "policy": shown.policy(approvals.of_agency(tx)),
        "chief": who(approvals.chief(tx)),
        "delegations": [
            shown.delegation(one, deeds.today(store), who) for one in approvals.listed(store, tx)
        ],
    }


def _policy_line(told: dict[str, Any]) -> str:
    chosen = told["policy"]
    return f"{chosen['title'] if chosen else 'no policy profile is chosen'}; chief: {told['chief'] or 'not named'}"


# -- the two registers -------------------------------------------------------------------------------------


def _add_registers(commands: Commands[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    given = commands.add_parser("authorisation", help="who may disclose what").add_subparsers(
        dest="authorisation", required=True, metavar="ACT"
    )
    new = given.add_parser("add", parents=[common], help="write an authorisation down")
    new.add_argument("--who", required=True, help="who may disclose it")
    new.add_argument("--what", required=True, help="what may be disclosed")
    new.add_argument("--given-by", required=True, metavar="NAME", help="who authorised it")
    new.add_argument("--instrument", default="", help="the written authorisation, or where it lies")
    new.add_argument("--on", metavar="DATE", help="the day on which it was given; today")
    new.add_argument("--until", metavar="DATE")
    new.add_argument("--page")
    new.add_argument("--record", type=UUID)
    new.set_defaults(run=_authorise)
    given.add_parser("list", parents=[common], help="every authorisation").set_defaults(run=_authorised)
    end = given.add_parser("end", parents=[common], help="end an authorisation before its time")
    end.add_argument("id", type=UUID)
    end.set_defaults(run=_end_authorisation)

    seen = commands.add_parser("violation", help="postings that violate the policy").add_subparsers(
        dest="violation", required=True, metavar="ACT"
    )
    tell = seen.add_parser(
        "report", parents=[common], help="tell the supervisors of one; --why says what it is"
    )
    tell.add_argument("--address", default="")
    tell.add_argument("--attachment", default="", metavar="TEXT", help="the words of what you hold of it")
    tell.add_argument("--page")
    tell.add_argument("--record", type=UUID)
    tell.set_defaults(run=_report)
    seen.add_parser("list", parents=[common], help="every report").set_defaults(run=_reported)
    close = seen.add_parser("answer", parents=[common], help="answer a report; --why says what was done")
    close.add_argument("id", type=UUID)
    close.set_defaults(run=_answer)


def _authorise(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    on, until = deeds.day(asked.on, "--on"), deeds.day(asked.until, "--until")
    with session(*DECIDERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        if asked.record:
            officers.require(here.officer, *READERS)
        made = registers.authorise(
            store,
            tx,
            who=asked.who,
            what=asked.what,
            given_by=asked.given_by,
            given_on=on,
            until=until,
            instrument=asked.instrument,
            page=pages.get(tx, asked.page) if asked.page else None,
            record=asked.record,
            messages=here.messages,
            by=here.officer.id,
            why=why,
        )
        told = shown.authorisation(made, deeds.today(store), _who(tx))
    return Answer(told, [f"{told['id']}  {told['who']}: {told['what']}"])


def _authorised(_asked: argparse.Namespace) -> Answer:
    with session(*REGISTERS) as here, here.archive.store.database.read() as tx:
        store, who = here.archive.store, _who(tx)
        told = [shown.authorisation(one, deeds.today(store), who) for one in registers.authorised(store, tx)]
    return Answer(told, _table(told, "id", "who", "what", "given_by", "given_on", "until", "runs"))


def _end_authorisation(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*DECIDERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        ended = registers.end_authorisation(store, tx, asked.id, by=here.officer.id, why=why)
        told = shown.authorisation(ended, deeds.today(store), _who(tx))
    return Answer(told, [f"the authorisation of {told['who']} has ended"])


def _report(asked: argparse.Namespace) -> Answer:
    what = reason(asked.why)
    with session(*EVERYONE) as here, here.archive.store.database.begin() as tx:
        if asked.record:
            officers.require(here.officer, *READERS)
        made = registers.report(
            here.archive.store,
            tx,
            what=what,
            address=asked.address,
            attachment=asked.attachment,
            page=pages.get(tx, asked.page) if asked.page else None,
            record=asked.record,
            messages=here.messages,
            by=here.officer.id,
        )
        told = shown.report(made, _who(tx))
    return Answer(told, [f"{told['id']}  open until a supervisor answers"])


def _reported(_asked: argparse.Namespace) -> Answer:
    with session(*_OVERSEE) as here, here.archive.store.database.read() as tx:
        who = _who(tx)
        told = [shown.report(one, who) for one in registers.reported(here.archive.store, tx)]
    return Answer(told, _table(told, "id", "at", "by", "open", "what"))


def _answer(asked: argparse.Namespace) -> Answer:
    text = reason(asked.why)
    with session(*SUPERVISORS) as here, here.archive.store.database.begin() as tx:
        made = registers.answer(here.archive.store, tx, asked.id, text, by=here.officer.id)
        told = shown.report(made, _who(tx))
    return Answer(told, [f"{told['id']}  answered"])


def _table(rows: Iterable[dict[str, Any]], *columns: str) -> list[str]:
    def cell(value: object) -> object:
        return ("yes" if value else "no") if isinstance(value, bool) else value

    return table(
        ([cell(row[name]) for name in columns] for row in rows),
        *(name.replace("_", " ").upper() for name in columns),
    )
