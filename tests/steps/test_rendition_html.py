"""Threads in a browser: as they stood at a time, readable by everybody, offline, and with nothing that runs."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.disclosure.package.recipe import Numbered
from app.disclosure.released import Leaves, ReleasedAttachment, ReleasedAuthor, Removed
from app.disclosure.rendition import pages
from tests.steps.rendering import (
    GONE,
    GROUND,
    HOSTILE,
    NOON,
    a_picture,
    a_recipe,
    a_record,
    a_slip,
    attached,
    identity,
    in_line,
    version,
)

_EMPTY = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """A page as a tree that is well formed, and what stands in it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.said: list[str] = []
        self.inside: list[tuple[str, str]] = []
        self.feed(content.decode())
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.said.append(data)
            self.inside.append((self.open[-1], data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.said).split())


def where(numbered: Numbered, attachment: ReleasedAttachment) -> str | None:
    kind = (attachment.media_type or "").rpartition("/")[2]
    return f"../natives/0001/{numbered.begins.lower()}-1.{kind}"


def page(*items: Any, **facts: Any) -> Page:
    return Page(b"".join(pages.thread(in_line(items), a_recipe(), where, **facts)))


EDITED = a_record(
    2,
    version(1, "First words"),
    version(2, "Second words"),
    version(3, "Second words", state="hidden"),
    answers=1,
)


# ---- what it tells -------------------------------------------------------------------------------


def test_a_post_stands_with_what_answers_it_and_links_to_it():
    made = page(a_record(1, version(text="The post")), a_record(2, version(text="The answer"), answers=1))
    assert made.text.index("The post") < made.text.index("The answer")
    assert [one["id"] for one in made.all("article")] == ["d-town-0000001", "d-town-0000002"]
    assert [one["class"] for one in made.all("article")] == ["in-0", "in-1"]
    assert {"href": "#d-town-0000001"} in made.all("a")


def test_states_and_intervals_are_told_and_earlier_words_stand_below():
    made = page(a_record(1), EDITED)
    assert "Hidden between 2026-03-02 14:00:00 MST" in made.text
    assert "Earlier: edited between 2026-03-02 13:00:00 MST" in made.text
    assert "Earlier: shown, first seen 2026-03-02 13:00:00 MST" in made.text
    assert made.text.index("Second words") < made.text.index("First words")


@pytest.mark.parametrize(
    ("hours", "told", "words", "not_told"),
    [
        (0.5, "Uncertain at", None, "First words"),
        (1, "Shown at", "First words", "Second words"),
        (1.5, "Shown at", "First words", "Second words"),
        (2, "Shown at", "Second words", None),
        (2.5, "Uncertain at", "Second words", None),
        (3, "Not shown at", "Second words", None),
    ],
)
def test_a_record_stands_as_it_was_seen_at_the_time(
    hours: float, told: str, words: str | None, not_told: str | None
):
    made = page(EDITED, at=NOON + timedelta(hours=hours))
    assert told in made.text
    assert words is None or words in made.text
    assert not_told is None or not_told not in made.text


def test_what_came_later_is_told_without_its_words():
    made = page(EDITED, at=NOON + timedelta(hours=1))
    assert "Later: edited between" in made.text
    assert "Later: hidden between" in made.text
    assert "Second words" not in made.text


def test_what_was_published_later_was_not_shown():
    assert pages.stood(a_record(1), NOON - timedelta(hours=1)).shown == pages.NOT_SHOWN
    assert pages.stood(a_record(1, published_at=None), NOON - timedelta(hours=1)).shown == pages.UNCERTAIN


def test_after_the_last_look_nobody_knows():
    assert pages.stood(a_record(1), NOON + timedelta(days=2)).shown == pages.SHOWN
    assert pages.stood(a_record(1), NOON + timedelta(days=3)).shown == pages.UNCERTAIN
    assert pages.stood(EDITED, NOON + timedelta(days=3)).shown == pages.NOT_SHOWN


def test_marks_stand_in_borders_and_grounds_below():
    made = page(
        a_record(
            1,
            version(text=("At ", GONE, " Elm")),
            author=ReleasedAuthor(name=GONE),
            url=GONE,
            redactions=(GROUND,),
        )
    )
    assert {"class": "taken"} in made.all("span")
    assert "At [REDACTED b(6)] Elm" in made.text
    assert "Taken out, and on what ground b(6) 5 U.S.C. 552(b)(6) A home address" in made.text
    assert "characters" not in made.text


def test_a_withheld_record_has_its_place_and_nothing_of_itself():
    made = page(a_record(1), a_slip(2, in_reply_to=identity(1), root=identity(1)))
    assert "Withheld in full: b(6)" in made.text
    assert "a visitor" in made.text


def test_pictures_lie_beside_it_and_other_files_are_links():
    picture = attached(a_picture(), "image/png", 1, description=("A flooded road",))
    film = attached(b"film", "video/mp4", 2)
    drawing = attached(b"<svg/>", "image/svg+xml", 3)
    kept_back = attached(
        None, "image/png", 4, leaves=Leaves.WITHHELD, removed=Removed("b(7)"), explanation="Children"
    )
    made = page(a_record(1, version(attachments=(picture, film, drawing, kept_back))))
    assert made.all("img") == [{"src": "../natives/0001/town-0000001-1.png", "alt": "A flooded road"}]
    assert {"href": "../natives/0001/town-0000001-1.mp4"} in made.all("a")
    assert "image/png, withheld (b(7)). Children" in made.text


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html; charset=utf-8", "Text/HTML"])
def test_what_a_browser_would_run_is_named_and_no_link_opens_it(kind: str):
    active = attached(b"<svg onload='alert(1)'/>", kind, 1, description=("Read me",))
    made = page(a_record(1, version(attachments=(active,))))
    links = [one.get("href", "") for one in made.all("a")]
    assert not [one for one in links if "natives" in one]
    assert "in the file ../natives/0001/town-0000001-1." in made.text
    assert "open it in a program that shows its text. Read me" in made.text


# ---- what it cannot do ---------------------------------------------------------------------------


def hostile() -> Page:
    evil = a_record(
        1,
        version(text=HOSTILE, attachments=(attached(a_picture(), description=(HOSTILE + '" onerror="x',)),)),
        author=ReleasedAuthor(name=HOSTILE, handle="</h2><script>"),
        url="javascript:alert(1)",
        native_id=HOSTILE,
        language='en" onload="x',
    )
    return page(evil)


def test_hostile_words_make_no_element_and_no_attribute():
    made = hostile()
    assert not {"script", "iframe", "object", "embed", "form", "link", "base", "svg"} & {
        tag for tag, _ in made.elements
    }
    assert not [one for _, attributes in made.elements for one in attributes if one.startswith("on")]
    assert not [one for one in made.all("a") if one["href"].startswith("javascript")]
    assert "<script>alert('x')</script>" in made.text


def test_what_hides_or_steers_is_shown_and_a_language_that_is_none_left_out():
    made = hostile()
    assert "⟨U+202E⟩ere⟨U+202C⟩" in made.text
    assert not re.search("[\u200b\u202e\x00\x14\x1b\ud800-\udfff]", made.text)
    assert [one.get("lang") for one in made.all("div")] == [None]
    assert [one.get("lang") for one in page(a_record(1, language="es-MX")).all("div")] == ["es-MX"]


def test_a_policy_lets_only_its_own_sheet_and_pictures_beside_it_in():
    content = b"".join(pages.thread(in_line([a_record()]), a_recipe(), where))
    policy = next(one["content"] for one in Page(content).all("meta") if one.get("http-equiv"))
    sheet = content.decode().partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src 'self' file:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert b"http://" not in content.replace(b"https://", b"")


# ---- for everybody (WCAG 2.2 AA) -----------------------------------------------------------------


def example() -> Page:
    return page(
        a_record(1, version(attachments=(attached(a_picture()),))), EDITED, a_slip(3, in_reply_to=identity(1))
    )


def test_a_page_has_its_landmarks_a_language_a_title_and_a_way_past_the_head():
    made = example()
    assert made.all("html") == [{"lang": "en"}]
    assert (
        len(made.all("main"))
        == len(made.all("header"))
        == len(made.all("footer"))
        == len(made.all("title"))
        == 1
    )
    assert all(one["aria-label"] for one in made.all("nav"))
    assert made.all("a")[0] == {"class": "skip", "href": "#main"}
    assert made.all("main")[0]["id"] == "main"


def test_headings_leave_no_level_out_and_every_article_bears_one():
    made = example()
    levels = [int(tag[1]) for tag, _ in made.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    names = {one["id"] for one in made.all("h2")}
    assert names == {one["aria-labelledby"] for one in made.all("article")}


def test_every_picture_has_words_and_every_id_is_one_element():
    made = example()
    assert all(one["alt"] for one in made.all("img"))
    ids = [attributes["id"] for _, attributes in made.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not [one for _, one in made.elements if int(one.get("tabindex", "0")) > 0]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_everything_that_is_drawn_can_be_told_from_white():
    sheet = (Path(pages.__file__).with_name("templates") / "sheet.css").read_text("utf-8")
    colours = set(re.findall(r"(?<![-\w])color: (#[0-9a-f]{6})", sheet))
    lines = set(re.findall(r"(?:border[-\w]*|outline): [^;]*(#[0-9a-f]{6})", sheet))
    assert colours
    assert lines
    assert all(1.05 / (luminance(one) + 0.05) >= 4.5 for one in colours)
    assert all(1.05 / (luminance(one) + 0.05) >= 3 for one in lines)
    assert set(re.findall(r"background: (#[0-9a-f]{6})", sheet)) == {"#ffffff"}


# ---- the list ------------------------------------------------------------------------------------


def listed(count: int) -> list[tuple[str, Page]]:
    threads = (
        pages.listed(one, f"{one.begins.lower()}.html", 1)
        for one in in_line([a_record(number, version(text=HOSTILE)) for number in range(1, count + 1)])
    )
    return [(name, Page(content)) for name, content in pages.index(threads, a_recipe())]


def test_the_list_links_to_every_thread_with_its_first_words():
    ((name, made),) = listed(3)
    assert name == "index.html"
    assert [one["href"] for one in made.all("a")][1:] == [f"town-000000{number}.html" for number in (1, 2, 3)]
    assert len(made.all("caption")) == 1
    assert [one["scope"] for one in made.all("th")] == ["col"] * 4 + ["row"] * 3
    assert "⟨U+202E⟩" in made.text


def test_a_long_list_is_in_parts_that_lead_to_one_another():
    parts = listed(401)
    assert [name for name, _ in parts] == ["index.html", "index-2.html", "index-3.html"]
    links = [[one["href"] for one in made.all("a") if one.get("rel")] for _, made in parts]
    assert links == [["index-2.html"], ["index.html", "index-3.html"], ["index-2.html"]]


def test_a_production_of_nothing_has_a_list_that_says_so():
    ((_, made),) = listed(0)
    assert "This production has no documents." in made.text
