"""The letters that officers receive about their own accounts, and the one that asks a page's manager to connect it."""

from __future__ import annotations

from datetime import datetime

from app.officers.mail import Letter
from app.records.nouns import Officer, Page
from app.store.store import Agency

INVITATION_PATH = "/invitation/"
"""Where a page takes an invitation; the secret follows."""
RESET_PATH = "/reset/"
"""Where a page takes a new password; the secret follows."""
CONNECT_PATH = "/connect/"
"""Where a page's manager connects it; the secret follows."""


def invitation_letter(
    agency: Agency, invited: Officer, secret: str, until: datetime, *, by: Officer, base_url: str
) -> Letter:
    """Invite somebody to the archive. `base_url` MUST be the operator's setting, not what a request said."""
    archive = _archive(agency)
    return Letter(
        to=invited.email,
        subject=f"You are invited to {archive}",
        text=f"""{_line(by.name) or by.email} has opened an account for you in {archive}.

Open this address by {_moment(agency, until)} and choose a password. The address works once.

{_link(base_url, INVITATION_PATH, secret)}

Whoever has this address can take the account, so do not pass it on. If you did not expect it, tell {by.email}; \
without the address nothing happens.
""",
    )


def reset_letter(agency: Agency, officer: Officer, secret: str, until: datetime, *, base_url: str) -> Letter:
    """Let an officer choose a new password. `base_url` MUST be the operator's setting, not what a request said."""
    archive = _archive(agency)
    return Letter(
        to=officer.email,
        subject=f"A new password for {archive}",
        text=f"""Somebody asked for a new password for your account in {archive}.

If it was you, open this address by {_moment(agency, until)} and choose one. The address works once, and then \
every session of your account ends.

{_link(base_url, RESET_PATH, secret)}

If it was not you, there is nothing to do: your password stays as it is. If it happens again, tell your administrator.
""",
    )


def connect_letter(
    agency: Agency, page: Page, email: str, secret: str, until: datetime, *, by: Officer, base_url: str
) -> Letter:
    """Ask a page's manager to connect it. `base_url` MUST be the operator's setting, not what a request said."""
    return Letter(
        to=email,
        subject=f"{_line(page.name)}: please connect it to {_archive(agency)}",
        text=f"""{_line(by.name) or by.email} asks you to connect the page {_line(page.name)} ({_line(page.platform)}, \
{_line(page.address)}) to {_archive(agency)}, so that what the page says and what the public says to it is captured \
as public record. The archive reads; it changes nothing on the page.

Open this address by {_moment(agency, until)}. It says what will be read and what to do, needs no account, and works once.

{_link(base_url, CONNECT_PATH, secret)}

Whoever has this address can connect the page, so do not pass it on. No one will ask you for a password by e-mail. \
If you did not expect this, ask {by.email} before you open it.
""",
    )


def _archive(agency: Agency) -> str:
    return f"the archive of {_line(agency.name)}"


def _line(text: str) -> str:
    """`text` as one line, so that it can stand in a subject."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _link(base_url: str, path: str, secret: str) -> str:
    return f"{base_url.rstrip('/')}{path}{secret}"


def _moment(agency: Agency, moment: datetime) -> str:
    local = moment.astimezone(agency.zone())
    return f"{local:%H:%M} on {local.day} {local:%B %Y} ({agency.timezone})"
