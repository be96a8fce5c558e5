"""What is treated in two ways, shown before anything leaves.

Some conflicts stand in the way of a production: something that nobody decided,
something that somebody else still has to approve, words of a withheld record
that leave in another one. Others are for a person to know: a version that
nobody took anything out of, a record that left otherwise before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.disclosure import matching
from app.disclosure.assembling import Decided
from app.disclosure.reaching import left_behind
from app.disclosure.redacting import Read, Redaction, Region, Whole, can_be_remade, remaining

LONG = 20
"""Words of a withheld record are looked for elsewhere from so many characters on; 'Thank you!' is everybody's."""


class Kind(StrEnum):
    """What is in conflict."""

    UNDECIDED = "attachment-undecided"
    NOT_APPROVED = "redaction-not-approved"
    SAME_TEXT = "withheld-words-leave"
    LEFT_BEHIND = "version-not-looked-at"
    OTHERWISE = "left-otherwise-before"
    NOT_LISTED = "exemption-not-listed"
    KEPT = "kept-here-taken-out-there"


BLOCKING = frozenset({Kind.UNDECIDED, Kind.NOT_APPROVED, Kind.SAME_TEXT})
"""What has to be settled before a production is made."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something of a record that is treated in two ways, and what to do about it."""

    kind: Kind
    record: UUID
    what: str
    next: str

    @property
    def blocks(self) -> bool:
        return self.kind in BLOCKING

    def as_json(self) -> dict[str, object]:
        """As programs read it."""
        return {
            "code": str(self.kind), "record": str(self.record), "what": self.what, "next": self.next, "blocks": self.blocks,
        }  # fmt: skip


def within(read: Read, so: Decided, more: Sequence[Redaction], *, two_persons: bool) -> Iterator[Conflict]:
    """What is in conflict within a record, as far as it can be told from itself; `more` reaches it from others."""
    made = [*so.redactions, *more]
    waiting = [one for one in so.redactions if one.approved_by is None]
    if two_persons and waiting:
        yield Conflict(
            Kind.NOT_APPROVED, read.record.id, f"{len(waiting)} redactions wait for a second person",
            "`muniment review approve` by somebody who did not make them.",
        )  # fmt: skip
    if any(one.where == Whole() for one in made):
        return  # it leaves as a slip: nothing else of it can be in conflict
    yield from _undecided(read, made, so)
    for number in left_behind(read, so.redactions):
        yield Conflict(
            Kind.LEFT_BEHIND, read.record.id,
            f"nothing is taken out of version {number}, while words of another version are",
            "Look whether the edit says the same in other words.",
        )  # fmt: skip


def _undecided(read: Read, made: Sequence[Redaction], so: Decided) -> Iterator[Conflict]:
    if not made:
        return
    decided = {one.where.attachment for one in made if isinstance(one.where, Whole | Region)} | so.whole
    waiting = {
        held.id: held
        for listed in read.attachments.values()
        for held in listed
        if held.id is not None and held.chunks is not None and not can_be_remade(held.media_type)
    }
    for identity, held in waiting.items():
        if identity not in decided:
            yield Conflict(
                Kind.UNDECIDED, read.record.id,
                f"attachment {identity} ({held.media_type or 'of an unknown kind'}) cannot be looked through, and "
                "something else of its record is taken out",
                "`muniment review release-attachment`, or `muniment review withhold --attachment`.",
            )  # fmt: skip


class Withdrawn:
    """The words of the records that are withheld, to be looked for in those that leave."""

    def __init__(self, held_back: Iterable[Read]) -> None:
        self._of: dict[str, UUID] = {}
        for read in held_back:
            for version in read.history:
                text = (version.text("text") or "").strip()
                if len(text) >= LONG:
                    for part in matching.parts(text):
                        self._of.setdefault(matching.folded(part), read.record.id)
        self._many = matching.Many(self._of)

    def __bool__(self) -> bool:
        return bool(self._many)

    def within(self, read: Read, redactions: Sequence[Redaction]) -> Iterator[Conflict]:
        """Where what leaves of a record has the words of one that does not."""
        if not self or not any(self._many.within(version.text("text") or "") for version in read.versions):
            return
        found = {
            (number, self._of[said])
            for number, run in remaining(read, redactions)
            for said in self._many.within(run)
        }
        for number, other in sorted(found):
            if other != read.record.id:
                yield Conflict(
                    Kind.SAME_TEXT, read.record.id,
                    f"version {number} has words of record {other}, which is withheld",
                    "Withhold it too, take the words out, or withhold the other one `--only-here`.",
                )  # fmt: skip


def otherwise(read: Read, production: str, before: str, now: str) -> Conflict:
    """That a record left before with other decisions than now."""
    return Conflict(
        Kind.OTHERWISE, read.record.id, f"it left {before} in {production}, and now leaves {now}",
        "Say so to whoever has the earlier one; ask it back where it should not have left.",
    )  # fmt: skip


def kept_here(read: Read, so: Decided, more: Sequence[Redaction]) -> Iterator[Conflict]:
    """Words that stay in a record although the same are taken out of another one."""
    stays = set(map(id, more)) - set(map(id, so.reached(more)))
    if stays:
        yield Conflict(
            Kind.KEPT, read.record.id, f"{len(stays)} places keep words that are taken out of other records",
            "A person decided so; look whether it still stands: `muniment review show`.",
        )  # fmt: skip


def not_listed(read: Read, code: str, law: str) -> Conflict:
    """That something is kept back on a ground that the list of the request's law does not have."""
    return Conflict(
        Kind.NOT_LISTED, read.record.id, f"{code!r} is not among the exemptions that are listed for {law}",
        "Look whether it is the ground that is meant; the list that comes with Muniment is a beginning.",
    )  # fmt: skip
