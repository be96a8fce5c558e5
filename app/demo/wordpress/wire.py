"""How WordPress puts an answer: its JSON, and its refusals with their own codes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.demo.answers import Answer


def as_json(value: object, *, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """JSON as WordPress writes it: no spaces, slashes and all that is not ASCII escaped."""
    text = json.dumps(value, separators=(",", ":")).replace("/", "\\/")
    usual = (
        ("Content-Type", "application/json; charset=UTF-8"),
        ("X-Robots-Tag", "noindex"),
        ("X-Content-Type-Options", "nosniff"),
        ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
        ("Allow", "GET"),
    )
    return Answer(status=status, headers=(*usual, *headers), body=text.encode("ascii"))


class RestError(Exception):
    """What WordPress answers instead of what was asked for."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.more = status, code, message, more

    def answer(self) -> Answer:
        return as_json(
            {"code": self.code, "message": self.message, "data": {"status": self.status, **self.more}},
            status=self.status,
        )


def invalid(name: str, message: str, code: str, at: int = 400) -> RestError:
    return RestError(
        400,
        "rest_invalid_param",
        f"Invalid parameter(s): {name}",
        params={name: message},
        details={name: {"code": code, "message": message, "data": {"status": at} if at != 400 else None}},
    )


def listing(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])}, and {names[-1]}"
