"""The five families of errors, sorted by what the reader should do next.

Errors carry facts and do nothing: no logging, printing or exiting. Doors
decide statuses and exit codes. Each `code` is stable and explained in
`docs/errors.md`.
"""

from __future__ import annotations


class ArchiveError(Exception):
    """Anything that Muniment refuses or fails to do.

    `next` says what the reader should do, where the message does not.
    """

    code = "archive-error"

    def __init__(self, message: str, *, next: str = "") -> None:
        super().__init__(message)
        self.next = next


class Invalid(ArchiveError):
    """Correct it and ask again."""

    code = "invalid"


class NotFound(ArchiveError):
    """None that you may know of."""

    code = "not-found"


class Refused(ArchiveError):
    """A rule says no; something else comes first."""

    code = "refused"


class NotPermitted(Refused):
    """Your roles do not allow it."""

    code = "not-permitted"


class Unavailable(ArchiveError):
    """Later may succeed."""

    code = "unavailable"


class IntegrityFailure(ArchiveError):
    """Evidence is not what it was; stop and call someone."""

    code = "integrity-failure"
