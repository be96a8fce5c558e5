"""Each code of the check has an example that yields exactly that code, and the same production without the edit yields none."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.disclosure.verify import checking
from app.disclosure.verify.findings import CODES
from app.index.extracting import Extractor
from tests.productions.bad.table import BAD
from tests.productions.made import Made


def test_every_code_has_an_example():
    assert BAD.keys() == CODES.keys()


def test_a_production_as_it_was_made_has_no_findings(made: Made, extractor: Extractor):
    assert checking.check(made.folder, extractor=extractor).findings == []


def test_a_production_that_was_sealed_again_unsigned_has_no_findings(
    made: Made, extractor: Extractor, tmp_path: Path
):
    folder = made.copied(tmp_path / made.folder.name)
    made.seal(folder, signed=False, stamped=False)
    report = checking.check(folder, extractor=extractor)
    assert report.findings == []
    assert {"unsigned", "no-timestamp"} <= {note.code for note in report.notes}


@pytest.mark.parametrize("code", BAD)
def test_an_example_yields_its_code_and_no_other(code: str, made: Made, extractor: Extractor, tmp_path: Path):
    folder = made.copied(tmp_path / made.folder.name)
    BAD[code](made, folder)
    report = checking.check(folder, extractor=extractor)
    assert {finding.code for finding in report.findings} == {code}, report.findings
    assert all(finding.where and finding.what and finding.next for finding in report.findings)
