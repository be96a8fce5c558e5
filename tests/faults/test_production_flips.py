"""One flipped bit anywhere in a production is found, and the file that it is in is named."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.disclosure.verify import checking
from app.index.extracting import Extractor
from tests.faults.flips import flip
from tests.productions.made import Made, Remembering, production, replaced

SEALING, OTHERS = 600, 1_500

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def made(archive_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with production(archive_template, tmp_path_factory.mktemp("production")) as told:
        yield told


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    told = Remembering()
    yield told
    told.close()


def unnoticed(folder: Path, file: Path, bits: list[int], extractor: Extractor) -> list[tuple[str, int]]:
    """The bits of a file that could be flipped without anybody naming the file."""
    path, found = folder / file, []
    content = path.read_bytes()
    for bit in bits:
        replaced(path, flip(content, bit))
        report = checking.check(folder, extractor=extractor)
        if not any(file.name in finding.where for finding in report.findings):
            found.append((file.as_posix(), bit))
    replaced(path, content)
    return found


def test_a_flipped_bit_of_the_seal_and_of_what_is_over_it_is_found(
    made: Made, extractor: Extractor, tmp_path: Path
):
    folder = made.copied(tmp_path / made.folder.name)
    chance = random.Random(1)
    files = sorted(path.relative_to(folder) for path in folder.glob("*.seal.*"))
    assert len(files) == 3
    for file in files:
        size = (folder / file).stat().st_size * 8
        bits = chance.sample(range(size), min(size, SEALING // len(files)))
        assert unnoticed(folder, file, bits, extractor) == []


def test_a_flipped_bit_of_any_other_file_is_found(made: Made, extractor: Extractor, tmp_path: Path):
    folder = made.copied(tmp_path / made.folder.name)
    chance = random.Random(2)
    files = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and ".seal." not in path.name and path.stat().st_size
    )
    each = OTHERS // len(files)
    assert each
    for file in files:
        size = (folder / file).stat().st_size * 8
        assert unnoticed(folder, file, [chance.randrange(size) for _ in range(each)], extractor) == []


def test_a_production_that_nobody_signed_or_timestamped_has_no_bit_to_spare_either(
    made: Made, extractor: Extractor, tmp_path: Path
):
    folder = made.copied(tmp_path / made.folder.name)
    made.seal(folder, signed=False, stamped=False)
    (file,) = (path.relative_to(folder) for path in folder.glob("*.seal.*"))
    every = list(range((folder / file).stat().st_size * 8))
    chance = random.Random(3)
    assert unnoticed(folder, file, chance.sample(every, 300), extractor) == []
