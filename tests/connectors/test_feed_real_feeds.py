"""Feeds as they are found in the world: 1,850 of them, well-formed, broken, and in every encoding.

Well-formed ones carry in a leading comment what feedparser makes of them. What
of that maps to an observation is compared here; their markup is not, since we
keep it as it was published and feedparser's own tests look at the cleaned one.
"""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest

from app import ROOT
from connectors.contract import Kind, Observation
from connectors.feed import discover, reading
from connectors.feed.parse import Document, NotAFeed, Where

FEEDS = Path(os.environ.get("MUNIMENT_SHARED", ROOT.parent / "shared")) / "recordings" / "feeds" / "tests"

pytestmark = pytest.mark.skipif(
    not FEEDS.is_dir(), reason=f"{FEEDS} is not there; MUNIMENT_SHARED names another place"
)

AT = "http://example.com/feed"
OTHERWISE = {
    "encoding/bozo_linenoise.xml": "feedparser guesses at the encoding; we replace what is broken and say so",
    "wellformed/atom10/entry_category_term.xml": "a category's label is what people read",
    "wellformed/atom10/entry_category_term_non_ascii.xml": "a category's label is what people read",
    "wellformed/rss/entity_in_doctype.xml": "feedparser expands what it takes for harmless; we expand nothing",
}
"""Where we read otherwise than feedparser expects, and why."""

CLEANED = ("sanitize", "base", "cdf", "amp")
"""Folders whose expectations are of cleaned or resolved markup, or of a format from before RSS."""


@dataclass(frozen=True)
class Recording:
    path: Path
    body: bytes
    document: Document | None

    @property
    def name(self) -> str:
        return str(self.path.relative_to(FEEDS))

    @property
    def comment(self) -> str:
        readable = self.body.replace(b"\x00", b"")[:6000].decode("latin-1")
        found = re.search(r"<!--(.*?)-->", readable, re.DOTALL)
        return found.group(1) if found else ""

    @property
    def items(self) -> list[Observation]:
        """In the order of the document."""
        assert self.document is not None
        items = [one for one in self.document.observations if one.kind is Kind.POST]
        return sorted(items, key=lambda one: one.evidence[0].start)

    def profile(self) -> Observation | None:
        assert self.document is not None
        return next((one for one in self.document.observations if one.kind is Kind.PROFILE), None)


def _read(path: Path) -> Recording:
    body = path.read_bytes()
    header = re.search(rb"^ *Header: *Content-type: *([^\r\n]*)", body[:2000], re.IGNORECASE | re.MULTILINE)
    charset = discover.charset(header.group(1).decode("latin-1")) if header else None
    try:
        return Recording(path, body, reading.read(body, Where(address=AT, charset=charset)))
    except NotAFeed:
        return Recording(path, body, None)


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    found = [_read(path) for path in sorted(FEEDS.rglob("*.xml")) + sorted(FEEDS.rglob("*.json"))]
    assert len(found) > 1800
    return found


def expectations(recording: Recording) -> Iterator[tuple[list[Any], Any]]:
    """What the leading comment says: each `path == value`, the path as its name and keys."""
    expected = re.search(r"Expect:\s*(.*)", recording.comment, re.DOTALL)
    if expected is None:
        return
    try:
        tree = ast.parse(" ".join(expected.group(1).split()), mode="eval")
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
            try:
                yield _path(node.left), ast.literal_eval(node.comparators[0])
            except ValueError:
                continue


def _path(node: ast.expr) -> list[Any]:
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Subscript(value=value, slice=ast.Constant(value=key)):
            return [*_path(value), key]
        case ast.Attribute(value=value, attr=key):
            return [*_path(value), key]
        case ast.Call(func=ast.Name(id="len"), args=[argument]):
            return ["len", *_path(argument)]
        case _:
            raise ValueError(ast.dump(node))


def _claim(recording: Recording, path: list[Any], value: Any) -> tuple[str, Any, Any] | None:
    """What is compared, what was found and what is expected; None where it does not map to an observation."""
    match path:
        case ["len", "entries"]:
            return "count", len(recording.items), value
        case ["entries", int(number), *rest] if number < len(recording.items):
            return _of_item(recording.items[number], rest, value)
        case ["feed", "title"] if _is_plain(value) and (profile := recording.profile()):
            return "feed title", profile.extra.get("title"), " ".join(value.split())
        case ["feed", "tagline" | "subtitle" | "description"] if _is_plain(value) and (
            profile := recording.profile()
        ):
            return "feed subtitle", value.strip() in profile.text, True
        case _:
            return None


def _of_item(item: Observation, path: list[Any], value: Any) -> tuple[str, Any, Any] | None:
    match path:
        case ["title"] if _is_plain(value):
            return "title", item.extra.get("title", ""), " ".join(value.split())
        case ["summary" | "description"] | ["content", 0, "value"] if _is_plain(value):
            words = f"{item.text} {item.html} {item.extra.get('summary')}"
            return "words", " ".join(value.split()) in " ".join(words.split()), True
        case ["id" | "guid"] if value:
            return "id", item.native_id, f"post:{value}"
        case ["link"] if value.startswith("http"):
            return "link", item.url, value
        case ["published_parsed"]:
            return "published", item.published_at, _moment(value)
        case ["updated_parsed"]:
            return "updated", item.edited_at or item.published_at, _moment(value)
        case ["author_detail", "name"] | ["author"] if "@" not in value:
            return "author", item.author.name if item.author else None, value
        case ["enclosures", 0, "href" | "url"] if value.startswith("http"):
            return "enclosure", item.attachments[0].url if item.attachments else None, value
        case ["tags", 0, "term"]:
            return "tag", value in item.extra.get("tags", []), True  # type: ignore[operator]  # a list, where there is one
        case _:
            return None


def _moment(value: Sequence[int]) -> datetime:
    year, month, day, hour, minute, second = value[:6]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and bool(value) and not set(value) & set("<>&")


# --- what well-formed feeds say ---------------------------------------------------------------------------


def test_well_formed_feeds_are_read_as_their_comments_expect(recordings):
    compared: Counter[str] = Counter()
    differing = []
    for recording in recordings:
        if recording.document is None or any(folder in recording.path.parts for folder in CLEANED):
            continue
        for path, value in expectations(recording):
            claim = _claim(recording, path, value)
            if claim is None:
                continue
            what, found, expected = claim
            compared[what] += 1
            if found != expected:
                differing.append((recording.name, what, found, expected))
    assert sum(compared.values()) > 130
    assert len(compared) == 11
    assert [one for one in differing if one[0] not in OTHERWISE] == []
    assert {one[0] for one in differing} == set(OTHERWISE)


def test_well_formed_feeds_in_whole_leave_no_gap_about_their_markup(recordings):
    looked = 0
    for recording in recordings:
        if "wellformed" not in recording.path.parts or recording.document is None:
            continue
        looked += 1
        assert not any("well-formed" in gap.why or "place" in gap.what for gap in recording.document.gaps), (
            recording.name
        )
        assert recording.document.certain, recording.name
    assert looked > 1700


def test_every_item_lies_exactly_where_expat_finds_it(recordings):
    """expat is another reader of the same bytes, and says where it stands in them."""
    compared = 0
    for recording in recordings:
        wanted = _by_expat(recording.body)
        if not wanted or recording.document is None:
            continue
        found = {(span.start, span.end) for item in recording.items for span in item.evidence}
        assert found == set(wanted), recording.name
        compared += 1
    assert compared > 1000


def _by_expat(body: bytes) -> list[tuple[int, int]]:
    """The places of a feed's items; none where expat cannot tell, or where a place has no width of its own."""
    if b"<!DOCTYPE" in body or body[:2] in {b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<", b"Lo"}:
        return []
    parser = expat.ParserCreate()
    stack: list[tuple[str, int]] = []
    found: list[tuple[int, int]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        stack.append((name, parser.CurrentByteIndex))

    def end(name: str) -> None:
        began = stack.pop()[1]
        inside = any(
            above.rpartition(":")[2] in {"content", "description", "title", "summary"} for above, _ in stack
        )
        if name.lower() in {"item", "entry"} and not inside:
            found.append((began, body.index(b">", parser.CurrentByteIndex) + 1))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError):
        return []
    return found


# --- what broken ones do ----------------------------------------------------------------------------------


def test_broken_feeds_end_in_observations_or_gaps_and_only_an_empty_one_is_none(recordings):
    broken = [one for one in recordings if {"illformed", "encoding"} & set(one.path.parts)]
    assert len(broken) > 95
    assert [one.name for one in broken if one.document is None] == ["illformed/rss_empty_document.xml"]
    for recording in broken:
        assert recording.document is not None or b"<" not in re.sub(
            rb"<!--.*?-->|<\?.*?\?>", b"", recording.body, flags=re.DOTALL
        )


def test_every_span_is_inside_its_body_and_spans_are_nested_apart_or_the_same(recordings):
    looked = 0
    for recording in recordings:
        if recording.document is None:
            continue
        spans = sorted(
            {(span.start, span.end) for one in recording.document.observations for span in one.evidence},
            key=lambda span: (span[0], -span[1]),
        )
        assert all(0 <= start < end <= len(recording.body) for start, end in spans), recording.name
        assert all(second[0] >= first[1] or second[1] <= first[1] for first, second in pairwise(spans)), (
            recording.name
        )
        looked += len(spans)
    assert looked > 1400


def test_no_feed_brings_an_entity_of_its_own(recordings):
    declaring = [one for one in recordings if re.search(rb"<!ENTITY\s+(\w+)", one.body)]
    assert declaring
    for recording in declaring:
        assert recording.document is not None
        for name, value in re.findall(rb"""<!ENTITY\s+(\w+)\s+["']([^"']*)["']""", recording.body):
            text = " ".join(
                one.text + (one.html or "") + one.native_id for one in recording.document.observations
            )
            if f"&{name.decode()};".encode() in recording.body.partition(b"]>")[2]:
                assert value.decode("latin-1") not in text, recording.name
