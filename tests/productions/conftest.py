"""One production for all who check it, and one process that reads PDFs for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.index.extracting import Extractor
from tests.productions.made import Made, Remembering, production


@pytest.fixture(scope="session")
def made(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with production(archive_template, tmp_path_factory.mktemp("production")) as told:
        yield told


@pytest.fixture(scope="session")
def extractor() -> Iterator[Extractor]:
    told = Remembering()
    yield told
    told.close()
