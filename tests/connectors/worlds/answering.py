"""A platform that from some moment on answers otherwise than its world would."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol


class Answering(Protocol):
    """A world that answers in one place: status, content type or headers, and body."""

    @property
    def answer(self) -> Callable[..., tuple[Any, Any, Any]]: ...


def answers_as(world: Answering, answer: Callable[..., tuple[Any, Any, Any]]) -> None:
    """Answer so from now on, by whatever the world itself is asked with."""
    vars(world)["answer"] = answer


def is_itself(world: Answering) -> None:
    """Answer again as the world does."""
    vars(world).pop("answer", None)


def told_as(world: Answering, concerns: Callable[[str], bool], change: Callable[[Any], Any]) -> None:
    """From now on, good answers to the questions of these targets are changed before they are given."""
    given = world.answer

    def answer(*asked: Any) -> tuple[Any, Any, Any]:
        status, kind, body = given(*asked)
        if status != 200 or not concerns(target_of(asked)):
            return status, kind, body
        told = json.loads(body)
        change(told)
        return status, kind, json.dumps(told).encode()

    answers_as(world, answer)


def failing_at(world: Answering, concerns: Callable[[str], bool]) -> None:
    """From now on, the questions of these targets are answered with 500."""
    given = world.answer

    def answer(*asked: Any) -> tuple[Any, Any, Any]:
        return (500, {}, b"oops") if concerns(target_of(asked)) else given(*asked)

    answers_as(world, answer)


def target_of(asked: tuple[Any, ...]) -> str:
    """The target among what a world is asked with: the first that is an address."""
    return next(one for one in asked if isinstance(one, str) and one.startswith("/"))
