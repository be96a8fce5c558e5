"""The doors at which platforms tell by themselves what happened: how they stand."""

from __future__ import annotations

import argparse

from app.capture import hooks
from app.capture.hooks import Counted, Standing
from app.cli.answer import Answer, table
from app.cli.session import EVERYONE, session


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    told = commands.add_parser(
        "hooks",
        parents=[common],
        help="the doors at which platforms tell by themselves: their addresses, what came last, what was refused",
    )
    told.set_defaults(run=_hooks)


def _hooks(_asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        store = here.archive.store
        doors = here.archive.doors()
        with store.database.read() as tx:
            standing = hooks.standing(tx, doors, here.archive.settings.public_url)
        now = store.clock.now()
        lines = table([_line(one) for one in standing], "connector", "address", "set up", "last told", "told")
        lines += [f"{one.connector}: {said}" for one in standing for said in hooks.troubles(one, now)]
        return Answer(
            [one.as_dict() for one in standing],
            lines if standing else ["No page is on a platform that tells by itself."],
        )


def _line(one: Standing) -> tuple[object, ...]:
    return (
        one.connector,
        one.address,
        "yes" if one.set_up else "no",
        _when(one.accepted),
        _times(one.accepted),
    )


def _when(one: Counted | None) -> str:
    return one.last.strftime("%Y-%m-%d %H:%M UTC") if one is not None else "never"


def _times(one: Counted | None) -> int:
    return one.count if one is not None else 0
