"""Which acts are shown to whom: those on a silent matter only to its members, those with nothing in them to nobody."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select

from app.store.tables import acts, matter_acts, matter_members, matters


def open_to(by: UUID | None) -> ColumnElement[bool]:
    """The condition that an act may be shown to an officer; nobody (`by`) sees what anybody may."""
    mine = (
        exists()
        .where(
            matter_members.c.matter == matter_acts.c.matter,
            matter_members.c.officer == (by.bytes if by else b""),
            matter_members.c.ended_entry.is_(None),
        )
        .correlate(matter_acts)
    )
    silent = exists().where(matters.c.key == matter_acts.c.matter, matters.c.silent).correlate(matter_acts)
    closed = select(matter_acts.c.entry).where(matter_acts.c.empty | and_(silent, ~mine))
    return acts.c.entry.not_in(closed)
