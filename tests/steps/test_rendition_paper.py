"""Letters, certificates and slip-sheets on paper: readable by people and programs, and the same at every time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader

from app import ROOT
from app.disclosure.released import Removed
from app.papers import paper
from app.papers import press as printing
from app.papers.bench import Bench
from app.papers.press import PaperFailed, Press, Sheets
from app.papers.workers import Worker
from tests.steps.rendering import HOSTILE, a_picture

WHEN = datetime(2026, 4, 1, 9, 30, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    with closing(Press()) as made:
        yield made


def made(press: Press, *blocks: paper.Block, title: str = "A letter", **facts: Any) -> PdfReader:
    content = paper.document(title, blocks, agency="Town of Harrow Falls", made_at=WHEN, press=press, **facts)
    return PdfReader(BytesIO(content))


def words(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


EVERYTHING: tuple[paper.Block, ...] = (
    paper.Paragraph("Dear records officer,\nplease keep this."),
    paper.Heading("What it is about"),
    paper.Facts([("Request", ["PD-2026-0001"]), ("Taken out", [("a name: ", Removed("b(6)"))])]),
    paper.Table(["File", "SHA-256"], [["outside.txt", "ab" * 32], ["second.txt", "cd" * 32]]),
    paper.Heading("How to check it", 3),
    paper.Listed(["Open it", "Read it"], numbered=True),
    paper.Listed(["one thing", "another"]),
    paper.Code("sha256sum --check outside-sha256.txt\nopenssl version"),
    paper.Words("Somebody's words\n\nin two paragraphs", "en"),
    paper.NewPage(),
    paper.Picture(a_picture(), "image/png", 320, 200, "A red field"),
    paper.Signature(["Name and title", "Date"]),
)


def test_every_kind_of_block_is_on_it_in_order(press: Press):
    reader = made(press, *EVERYTHING)
    told = words(reader)
    said = [
        "A letter", "Dear records officer,", "What it is about", "PD-2026-0001", "[REDACTED b(6)]", "outside.txt",
        "How to check it", "1. Open it", "another", "sha256sum --check outside-sha256.txt", "in two paragraphs",
        "Name and title", "Date",
    ]  # fmt: skip
    places = [told.index(one) for one in said]
    assert places == sorted(places)
    assert len(reader.pages) == 2


def test_pages_say_which_of_how_many_they_are_or_bear_a_number(press: Press):
    assert "Town of Harrow Falls · A letter Page 1 of 2" in words(made(press, *EVERYTHING))
    stamped = words(made(press, *EVERYTHING, stamp=paper.Stamp("TOWN-", 9)))
    assert "Page 1 of 2" not in stamped
    assert "TOWN-0000009" in stamped
    assert "TOWN-0000010" in stamped


def test_the_same_letter_is_the_same_bytes(press: Press):
    def content(**more: Any) -> bytes:
        facts: dict[str, Any] = {"agency": "Town", "made_at": WHEN} | more
        return paper.document("A letter", EVERYTHING, **facts)

    assert content() == content(press=press)
    assert content() != content(made_at=WHEN.replace(second=16))
    assert content() != content(agency="Village")


def test_it_is_pdf_a_and_bears_its_title_time_and_language(press: Press):
    reader = made(press, *EVERYTHING, language="es", subject="Request PD-2026-0001")
    assert reader.metadata is not None
    assert reader.metadata.title == "A letter"
    assert reader.metadata.subject == "Request PD-2026-0001"
    assert reader.metadata.creation_date == WHEN
    root: Any = reader.trailer["/Root"].get_object()
    assert root["/Lang"] == "es"
    assert b"<pdfaid:part>2</pdfaid:part>" in root["/Metadata"].get_object().get_data()


def test_a_file_for_programs_lies_in_it_when_asked(press: Press):
    facts = paper.Attachment(
        "certificate.json", "application/json", '{"v": "é你\U0001ccf0"}', "The same for programs"
    )
    reader = made(press, *EVERYTHING, attached=[facts])
    assert reader.attachments == {"certificate.json": ['{"v": "é你\U0001ccf0"}'.encode()]}
    root: Any = reader.trailer["/Root"].get_object()
    assert b"<pdfaid:part>3</pdfaid:part>" in root["/Metadata"].get_object().get_data()
    assert root["/AF"][0].get_object()["/AFRelationship"] == "/Data"
    assert not made(press, *EVERYTHING).attachments


@pytest.mark.parametrize(
    "text", ["Łódź, Ærø, Þingvellir, Ħal", "Ελλάδα и Київ", "שלום", "“quoted” – dashed — … €"]
)
def test_letters_of_other_scripts_are_letters_and_never_a_question_mark(press: Press, text: str):
    told = words(made(press, paper.Paragraph(text)))
    assert "?" not in told
    assert all(char in told for char in text)


def test_hostile_words_are_harmless_in_every_kind_of_block(press: Press):
    reader = made(
        press,
        paper.Heading(HOSTILE), paper.Paragraph(HOSTILE), paper.Words(HOSTILE, '"><x'), paper.Facts([(HOSTILE, [HOSTILE])]),
        paper.Table([HOSTILE], [[HOSTILE]]), paper.Listed([HOSTILE]), paper.Code(HOSTILE), paper.Signature([HOSTILE]),
        title=HOSTILE, subject=HOSTILE, running=HOSTILE,
    )  # fmt: skip
    told = words(reader)
    assert told.count("⟨U+202E⟩") >= 9
    assert "\u202e" not in told
    assert "\u200b" not in told


def test_a_foot_and_a_title_take_no_more_than_their_place(press: Press):
    long = "word " * 2_000
    reader = made(press, paper.Paragraph("x"), title=long, running=long, subject=long)
    assert len(reader.pages) == 1
    assert reader.metadata is not None
    assert len(reader.metadata.title or "") <= 300


def killed(press: Press) -> None:
    process = press._worker._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_typesetter_that_died_is_replaced_and_sets_plainly_what_it_died_of(press: Press):
    assert "Grüße Ω" in words(made(press, paper.Paragraph("Grüße Ω")))
    killed(press)
    assert "Grüße ⟨U+03A9⟩" in words(made(press, paper.Paragraph("Grüße Ω")))
    assert "Grüße Ω" in words(made(press, paper.Paragraph("Grüße Ω")))


def test_a_document_that_cannot_be_set_is_told(press: Press, monkeypatch):
    monkeypatch.setattr(press, "_worker", Worker("app.papers.press", ("/nowhere",), seconds=10))
    with pytest.raises(PaperFailed) as failed:
        made(press, paper.Paragraph("x"))
    assert failed.value.next


def test_what_was_set_before_changes_nothing(press: Press):
    texts = [
        "क\u0301\U0001ccf0",
        " \u0378\u0301",
        "\U0001ccf1 and क\u0301",
        "\u0378 ",
        "日本\u0301語",
        "\u0301\u0301日",
    ]

    def content(text: str, by: Press) -> bytes:
        return paper.document("t", [paper.Words(text)], agency="a", made_at=WHEN, press=by)

    after = [content(text, press) for text in texts]
    with closing(Press()) as other:
        before = [content(text, other) for text in reversed(texts)]
    assert after == before[::-1]


def test_without_any_font_of_the_machine_documents_are_set_in_those_of_the_typesetter(
    press: Press, monkeypatch
):
    monkeypatch.setattr(printing, "_FOLDERS", ())
    table = printing._Table(str(press._folder))
    plate = press.plate(
        Sheets(title="t", author="a", made_at=WHEN, blocks=[paper.Heading("Größe Ж \u202e 你", 1)])
    )
    asked = printing._Asked(plate.data, "null", "[]", plate.standards, plate.timestamp)
    answer = msgspec.msgpack.decode(table.answer(msgspec.msgpack.encode(asked)), type=printing._Answer)
    assert answer.failed is None
    assert words(PdfReader(BytesIO(answer.content))).startswith("Größe Ж ⟨U+202E⟩ ⟨U+4F60⟩")


def test_a_press_leaves_nothing_behind():
    press = Press()
    folder = press._folder
    plate = press.plate(
        Sheets(title="t", author="a", made_at=WHEN, blocks=[paper.Heading("t", 1), EVERYTHING[-2]])
    )
    assert [one.name for one in folder.iterdir() if one.is_dir()] == [plate.folder and plate.folder.name]
    plate.discard()
    assert not [one for one in folder.iterdir() if one.is_dir()]
    press.close()
    assert not folder.exists()


def test_what_a_killed_process_left_goes_with_the_next_and_what_is_in_use_stays(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = (
        "import sys, os; sys.path.insert(0, sys.argv[1]); from app.papers.bench import Bench; "
        "bench = Bench(); (bench.path / 'picture.png').write_bytes(b'x'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", left, str(ROOT)], env={"TMPDIR": str(tmp_path)}, check=False)
    (killed_one,) = tmp_path.iterdir()
    assert (killed_one / "picture.png").exists()
    with closing(Bench()) as first, closing(Bench()) as second:
        assert set(tmp_path.iterdir()) == {first.path, second.path}
    assert not list(tmp_path.iterdir())
