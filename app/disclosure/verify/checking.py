"""The verb: a production's folder, looked at from end to end as its recipient would, with no archive and no settings.

1. Every file, its name and its digests: what is not as it was sealed.
2. The seal, who signed it and who timestamped it.
3. What the production says of itself; its documents, row by row; each
   document's own files; what stands beside them; its proofs.

Contents are compared only where every file is what was sealed: what was
altered since is found by its digest, and what it says now is nobody's word.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from app.disclosure.verify import accounts, beside, documents, lying, proving, seal
from app.disclosure.verify.completing import Completeness
from app.disclosure.verify.documents import Counts, Document
from app.disclosure.verify.findings import Note, Report, Wrong
from app.disclosure.verify.lying import Outside
from app.disclosure.verify.matching import Matcher
from app.disclosure.verify.seal import Trust
from app.index.extracting import Extractor
from app.records.errors import Invalid, NotFound, Unavailable


class NoProduction(NotFound):
    """There is no folder of that name."""

    code = "no-production"


class TrustUnreadable(Invalid):
    """A certificate or key that the reader names cannot be read."""

    code = "trust-unreadable"


class ProductionUnreadable(Unavailable):
    """A file of the production cannot be read at all: nothing can be said of it."""

    code = "production-unreadable"


def check(folder: Path, trust: Trust | None = None, *, extractor: Extractor | None = None) -> Report:
    """Check a production; what it reports has no findings where everything is as it must be.

    Raises `NoProduction` where `folder` is none. Never changes anything.
    `extractor` reads PDFs; whoever checks many productions may lend one.
    """
    if not folder.is_dir():
        raise NoProduction(f"{folder} is not a folder", next="Name the folder of the production.")
    trust = trust or Trust()
    for file in (*trust.agency, *trust.authorities, *([trust.key] if trust.key else [])):
        if not file.is_file():
            raise TrustUnreadable(f"{file} is not a file", next="Name the file of a certificate or key.")
    try:
        return _checked(folder, trust, extractor)
    except OSError as error:
        raise ProductionUnreadable(
            f"{error.filename} cannot be read: {error.strerror}",
            next="Copy the folder anew, and check the copy.",
        ) from error


def _checked(folder: Path, trust: Trust, extractor: Extractor | None) -> Report:
    report = Report()
    try:
        of = lying.found(folder)
    except Wrong as wrong:
        report.findings.append(wrong.finding)
        return report
    report.production = of.number
    if not report.take(lying.look(of, report)):
        report.notes.append(
            Note(
                "contents-not-compared",
                "files are not as they were sealed, so what they say was not compared",
            )
        )
        if lying.plain(of):
            report.take(seal.look(of, trust, report))
        return report
    report.take(seal.look(of, trust, report))
    _contents(of, trust, report, extractor)
    return report


def _contents(of: Outside, trust: Trust, report: Report, extractor: Extractor | None) -> None:
    try:
        told = accounts.read(of)
    except Wrong as wrong:
        report.findings.append(wrong.finding)
        return
    report.take(accounts.look(of, told))
    under = None
    if (of.data / "proof" / "checkpoint").exists():
        under = report.draw(proving.shared(of, trust, report))
    counts = Counts()
    with closing(Matcher(of, told.recipe, under, report, extractor)) as matcher:
        stands = beside.Beside(of, report, matcher)
        rows = documents.read(of, told.recipe, counts, report)
        try:
            for one in rows:
                if isinstance(one, Document):
                    report.take(matcher.look(one))
                    stands.take(one)
                else:
                    report.findings.append(one)
        except Wrong as wrong:
            report.findings.append(wrong.finding)
            return
    report.take(accounts.counted(told, counts))
    report.take(stands.look())
    report.take(Completeness(of, under, report, matcher.leaves, accounts.pages(told)).look())
