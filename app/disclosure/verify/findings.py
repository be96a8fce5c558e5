"""What a check of a production says: findings with stable codes, and notes on what is absent by choice."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TypeVar, cast

T = TypeVar("T")

_ANEW = "Ask the agency for the production anew, and keep this copy as it is."
_ASK = "Ask the agency what this is before anyone relies on it, and keep this copy as it is."
_MADE_WRONG = "The copy is as it was sealed, but it was made wrongly: tell the agency the code and the place."
_TRUST = "Get the certificate or key from its owner, by another way, and name it on the command line."

CODES: dict[str, str] = {
    # What lies there, and whether it is what was sealed.
    "file-missing": _ANEW,
    "file-unknown": "Take away what was put there since; where nothing was, ask the agency.",
    "name-unsafe": "Take away what was put there since; where nothing was, ask the agency.",
    "bag-form": _ANEW,
    "bag-altered": _ANEW,
    "bag-size": _ANEW,
    "outside-form": _ANEW,
    "outside-altered": _ANEW,
    # Who sealed it, and when at the latest.
    "seal-form": _ANEW,
    "seal-differs": _ANEW,
    "signature-form": _ASK,
    "signature-differs": _ASK,
    "signature-untrusted": _TRUST,
    "timestamp-form": _ASK,
    "timestamp-differs": _ASK,
    "timestamp-untrusted": _TRUST,
    # Whether its parts say the same.
    "production-form": _MADE_WRONG,
    "production-differs": _MADE_WRONG,
    "number-form": _MADE_WRONG,
    "number-gap": _MADE_WRONG,
    "number-repeated": _MADE_WRONG,
    "loadfile-form": _MADE_WRONG,
    "loadfiles-differ": _MADE_WRONG,
    "row-differs": _MADE_WRONG,
    "path-missing": _MADE_WRONG,
    "path-unlisted": _MADE_WRONG,
    "pdf-form": _MADE_WRONG,
    "pdf-pages": _MADE_WRONG,
    "pdf-stamp": _MADE_WRONG,
    "native-form": _MADE_WRONG,
    "native-differs": _MADE_WRONG,
    "text-form": _MADE_WRONG,
    "text-differs": _MADE_WRONG,
    "attachment-differs": _MADE_WRONG,
    "html-form": _MADE_WRONG,
    "rsmf-form": _MADE_WRONG,
    "wacz-form": _MADE_WRONG,
    "log-form": _MADE_WRONG,
    "log-differs": _MADE_WRONG,
    "withheld-shown": "Stop: do not read or pass on this file, and tell the agency at once.",
    "certificate-signed": "The agency's drafts are for a person to sign: ask who signed this one.",
    # Whether its records stood in the ledger.
    "proof-missing": _MADE_WRONG,
    "proof-unknown": _MADE_WRONG,
    "proof-form": _MADE_WRONG,
    "proof-tells": "Stop: do not read or pass on this file, and tell the agency at once.",
    "commitment-differs": _ASK,
    "inclusion-differs": _ASK,
    "checkpoint-differs": _ASK,
    "cosignature-differs": _ASK,
    "disclosure-differs": _ASK,
    "payload-differs": _ASK,
    "anchor-form": _ASK,
    "anchor-differs": _ASK,
    "anchor-untrusted": _TRUST,
    "key-differs": _ASK,
    # Whether nothing was left out between them.
    "completeness-form": _MADE_WRONG,
    "completeness-differs": _ASK,
}
"""Every code, and what its reader should do next."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of a production that is not as it must be."""

    code: str
    what: str
    where: str

    @property
    def next(self) -> str:
        return CODES[self.code]

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what, "where": self.where, "next": self.next}


_TOO_DEEP = Finding(
    "production-form", "a file of it is nested deeper than any that is written there", "bag/data"
)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a production does without, or that was not looked at: no finding, but worth knowing."""

    code: str
    what: str

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what}


class Wrong(Exception):
    """One look at a production met something that it cannot get past."""

    def __init__(self, code: str, what: str, where: str) -> None:
        super().__init__(what)
        self.finding = Finding(code, what, where)


@dataclass(slots=True)
class Report:
    """All that a check has to say. A production passes when there are no findings."""

    production: str = ""
    checked: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + number

    def take(self, found: Iterator[Finding | Note]) -> bool:
        """Write down what a look yields; return whether it found nothing wrong."""
        before = len(self.findings)
        try:
            for one in found:
                self._write(one)
        except Wrong as wrong:
            self.findings.append(wrong.finding)
        except RecursionError:
            self.findings.append(_TOO_DEEP)
        return len(self.findings) == before

    def draw(self, found: Generator[Finding | Note, None, T]) -> T | None:
        """Write down what a look yields, and return what it comes to; None where it could not get past something."""
        while True:
            try:
                self._write(next(found))
            except StopIteration as end:
                return cast("T", end.value)
            except Wrong as wrong:
                self.findings.append(wrong.finding)
                return None
            except RecursionError:
                self.findings.append(_TOO_DEEP)
                return None

    def _write(self, one: Finding | Note) -> None:
        if isinstance(one, Finding):
            self.findings.append(one)
        else:
            self.notes.append(one)

    def as_json(self) -> dict[str, object]:
        return {
            "production": self.production,
            "checked": dict(sorted(self.checked.items())),
            "findings": [one.as_json() for one in self.findings],
            "notes": [one.as_json() for one in self.notes],
        }
