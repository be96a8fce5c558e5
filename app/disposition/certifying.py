"""Making a certificate out: its facts, the proof of each entry, the paper, and an entry that says so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.disposition import certificate, proposals
from app.disposition.disposing import Disposing
from app.records.nouns import Officer, Role
from app.store.canonical import canonical, plain

READERS = (
    Role.RECORDS_OFFICER,
    Role.APPROVER,
    Role.ATTORNEY,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
    Role.CUSTODIAN_OF_EVIDENCE,
)
"""Who reads the log of dispositions and its certificates: they hold no content."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that was made out: its facts, the SHA-256 of their canonical JSON, and the entry that says so."""

    told: dict[str, Any]
    digest: str
    entry: int

    def pdf(self, of: Disposing) -> bytes:
        """The same on paper."""
        from app.disposition import paper  # noqa: PLC0415 - only here, so that nothing else waits for the typesetter

        return paper.pdf(self.told, of.store.clock.now())


def certify(of: Disposing, which: str | UUID, *, software: str, by: Officer, why: str) -> Certificate:
    """Make out the certificate of an executed batch: executed, or final where no copy of the keys is left."""
    with of.store.database.read() as tx:
        found = proposals.get(of.store, tx, which)
        told = certificate.told(of.store, tx, found, software=software)
    told = certificate.with_proofs(of.store, told)
    digest = hashlib.sha256(canonical(plain(told))).hexdigest()
    with of.store.database.begin() as tx:
        entry = certificate.note(of.store, tx, found, digest, by=by, why=why)
    return Certificate(told, digest, entry)
