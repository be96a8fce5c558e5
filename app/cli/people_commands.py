"""People and their traces: accounts, invitations, the access log."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from uuid import UUID

from app import officers
from app.cli.answer import Answer, table
from app.cli.session import reason, session
from app.main import open_archive
from app.records.errors import Invalid
from app.records.nouns import Role
from app.settings import Settings
from app.store import access, audit


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    user = commands.add_parser("user", help="the people of the archive").add_subparsers(
        dest="user", required=True, metavar="ACT"
    )
    invite = user.add_parser("add", parents=[common], help="invite a person; prints the invitation once")
    invite.add_argument("email")
    invite.add_argument("--role", action="append", required=True, choices=[str(role) for role in Role])
    invite.add_argument("--name", default="")
    invite.set_defaults(run=_add)
    accept = user.add_parser(
        "accept", parents=[common], help="accept an invitation; prints that person's token once"
    )
    accept.add_argument("invitation")
    accept.add_argument("--password-file", type=Path, required=True)
    accept.set_defaults(run=_accept)
    user.add_parser("list", parents=[common], help="everyone").set_defaults(run=_list)

    log = commands.add_parser("access", help="who read what").add_subparsers(
        dest="access", required=True, metavar="ACT"
    )
    show = log.add_parser("log", parents=[common], help="sign-ins, searches, views and exports")
    show.add_argument("--by", metavar="EMAIL")
    show.add_argument("--record", metavar="ID")
    show.add_argument("--from", dest="since", metavar="DATETIME")
    show.add_argument("--to", dest="until", metavar="DATETIME")
    show.set_defaults(run=_log)


def _add(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why or "invited")
    with session(Role.ADMINISTRATOR) as here, here.archive.store.database.begin() as tx:
        invitation = officers.add(
            here.archive.store,
            tx,
            asked.email,
            [Role(role) for role in asked.role],
            name=asked.name,
            by=here.officer,
            why=why,
        )
    told = {"email": asked.email, "roles": asked.role, "invitation": invitation.secret}
    return Answer(
        told,
        [
            f"Invitation for {asked.email}: {invitation.secret}",
            "It is shown once and can be used once, within seven days.",
        ],
    )


def _accept(asked: argparse.Namespace) -> Answer:
    try:
        password = asked.password_file.read_text().rstrip("\r\n")
    except OSError as error:
        raise Invalid(f"{asked.password_file} cannot be read: {error.strerror}") from error
    archive = open_archive(Settings())
    try:
        with archive.store.database.begin() as tx:
            accepted = officers.accept(archive.store, tx, asked.invitation, password)
    finally:
        archive.close()
    told = {"email": accepted.officer.email, "token": accepted.token}
    return Answer(
        told,
        [
            f"{accepted.officer.email} may sign in now.",
            f"Token: {accepted.token}",
            "The token is not shown again.",
        ],
    )


def _list(_asked: argparse.Namespace) -> Answer:
    with session(Role.ADMINISTRATOR, Role.AUDITOR) as here, here.archive.store.database.read() as tx:
        found = officers.list_all(tx)
    told = [
        {
            "id": str(one.id),
            "email": one.email,
            "name": one.name,
            "roles": sorted(map(str, one.roles)),
            "active": one.active,
        }
        for one in found
    ]
    return Answer(
        told,
        table(
            (
                (one.email, ", ".join(sorted(map(str, one.roles))), "yes" if one.active else "no")
                for one in found
            ),
            "EMAIL",
            "ROLES",
            "ACTIVE",
        ),
    )


def _log(asked: argparse.Namespace) -> Answer:
    with session(Role.AUDITOR, Role.ADMINISTRATOR) as here, here.archive.store.database.read() as tx:
        store = here.archive.store
        people = officers.emails(tx)
        by = officers.find(tx, asked.by).id if asked.by else None
        record = UUID(asked.record) if asked.record else None
        read = access.read(
            store, tx, by=by, record=record, since=moment(asked.since), until=moment(asked.until)
        )
        found = [audit.as_known(one, here.officer.id) for one in read]
    told = [
        {
            "at": one.at.isoformat(),
            "by": people.get(one.officer) if one.officer else None,
            "action": one.action,
            "record": str(one.record) if one.record else None,
            "detail": dict(one.detail),
        }
        for one in found
    ]
    return Answer(
        told,
        table(
            ((item["at"], item["by"], item["action"], item["record"]) for item in told),
            "AT",
            "BY",
            "ACTION",
            "RECORD",
        ),
    )


def moment(text: str | None) -> datetime | None:
    """A date or a date and time with its zone; a date alone begins in UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no date and time", next="Write 2026-03-01T12:00:00Z.") from error
    return (
        found
        if found.tzinfo
        else datetime.fromisoformat(f"{text}T00:00:00+00:00" if len(text) == 10 else f"{text}+00:00")
    )
