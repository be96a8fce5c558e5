"""The nouns: what a record, a version, a page and an officer are, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What an officer may do. A person may hold several."""

    RECORDS_OFFICER = "records_officer"
    ATTORNEY = "attorney"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    INGEST = "ingest"
    CUSTODIAN_OF_EVIDENCE = "custodian_of_evidence"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """A person, or the night's own service, that acts in the archive."""

    id: UUID
    email: str
    name: str
    roles: frozenset[Role]
    active: bool = True

    def may(self, *roles: Role) -> bool:
        """Whether the officer holds at least one of `roles`."""
        return self.active and not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the agency keeps on a platform."""

    key: int
    id: UUID
    connector: str
    platform: str
    address: str
    name: str
    custodian: str
    options: Mapping[str, str]
    status: str
    approved: bool
    added_at: datetime
    connected: bool
    purpose: str = ""
    scope: str = ""
    audiences: Sequence[str] = ()
    official_site: str = ""
    """The address of the agency's official site, which the page should link to."""
    review_on: date | None = None
    policy: str = ""
    """The policy profile that this page follows; empty: the agency's own."""
    approved_until: date | None = None
    """The last day of the approval; None where it has no end."""

    def approval(self, today: date) -> str:
        """How the approval stands on a day: `approved`, `lapsed` or `none`."""
        if not self.approved:
            return "none"
        return "lapsed" if self.approved_until is not None and today > self.approved_until else "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentKept:
    """A picture, sound, video or document of a record; `state` is kept, missing, refused or listed."""

    id: UUID | None
    media_type: str | None
    bytes: int | None
    state: str
    url: str | None
    description: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One state of a record, as it was observed and stated."""

    number: int
    entry: int
    state: str
    observed_at: datetime
    last_seen_before: datetime | None
    fields: Mapping[str, object]

    def text(self, name: str) -> str | None:
        """A field that is text, or None."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The archival unit: a post, comment, reply, message or profile, with one of its versions."""

    key: int
    id: UUID
    page: Page
    kind: str
    state: str
    in_reply_to: UUID | None
    root: UUID
    published_at: datetime | None
    first_seen: datetime
    last_seen: datetime
    versions: int
    version: Version
    counts: Mapping[str, int]
    attachments: Sequence[AttachmentKept]
    private: bool
    received: bool
    handed_in: Mapping[str, object] | None = None
    """Where this version was received: file, SHA-256, from whom and when; None where it was captured."""
    held: bool = False
    """Whether a hold covers it that whoever asked may know of; False as well where nobody looked."""
    series: str | None = None
    """The series to which it belongs; None where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposed:
    """What is left of a record that was disposed of."""

    id: UUID
    on: datetime
    detail: Mapping[str, object] = field(default_factory=dict)
