"""A mapping: which column of a table is which field of an observation, as a person writes and keeps it.

YAML or JSON. What a mapping says is checked before a row is read, and a wrong
word is an error with its place; nothing is guessed while reading. Columns that
it does not name are kept in `extra`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from app.capture.formats import moments
from app.capture.formats.moments import Times
from app.capture.formats.observations import line_of
from app.capture.formats.source import Counted, Line, Unreadable
from app.records.errors import Invalid
from connectors.contract import Kind, State

_LARGEST = 256 * 1024
_TEXTS = ("platform", "page", "native_id", "in_reply_to", "text", "html", "url", "language")
_AUTHOR = ("author.id", "author.name", "author.handle")
_CHOICES = {"kind": [str(kind) for kind in Kind], "state": ["present", "hidden", "absent", "gone"]}
_TIMES = ("published_at", "edited_at")
FIELDS = (*_TEXTS, *_AUTHOR, *_CHOICES, *_TIMES, "attachments", "counts")
_READ = {"encoding", "delimiter", "quote", "header", "sheet", "short_rows", "text_file"}
_IDS = frozenset({"native_id", "in_reply_to", "author.id"})
_MANGLED = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+\d{2,}")
"""What a spreadsheet makes of a long number: the digits that it does not show are lost."""
assert set(_CHOICES["state"]) < {str(state) for state in State}


class BadMapping(Invalid):
    """A mapping cannot be used as it is written."""

    code = "bad-mapping"


@dataclass(frozen=True, slots=True)
class Reading:
    """How the file itself is read: what is None is found out, and said."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    header: int = 1
    sheet: str | None = None
    short_rows: bool = False
    text_file: str | None = None
    """Of a load file: the column that names the file in which a document's words stand."""


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping as it was written, checked as far as that goes without the table."""

    reading: Reading
    fields: Mapping[str, object]
    digest: str


@dataclass(slots=True)
class Row:
    """The cells of one row; `place` names it, `bad` are cells that must not be used, with the reason."""

    cells: Sequence[object]
    place: str
    bad: Mapping[int, str] = field(default_factory=dict)


def load(file: Path) -> MappingFile:
    """Read a mapping from a file, or `BadMapping`."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise BadMapping(f"{file} cannot be read: {error.strerror}") from error
    return parse(content, file.name)


def parse(content: bytes, name: str = "the mapping") -> MappingFile:
    """Read a mapping, or `BadMapping` with what to write instead."""
    if len(content) > _LARGEST:
        raise BadMapping(
            f"{name} is larger than {_LARGEST >> 10} KiB", next="A mapping names columns, not rows."
        )
    try:
        # Aliases are refused first, so that no small file unfolds into a large one.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, Loader=yaml.SafeLoader)):
            raise BadMapping(f"{name} uses aliases (*name)", next="Write the value out each time.")
        found = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadMapping(f"{name} is neither YAML nor JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadMapping(f"{name} is not a list of names and values", next=_SEE)
    unknown = found.keys() - {"mapping", "read", "fields"}
    if found.get("mapping") != 1 or unknown:
        told = (
            f"knows no {', '.join(map(str, sorted(unknown, key=str)))}"
            if unknown
            else "does not begin with `mapping: 1`"
        )
        raise BadMapping(f"{name} {told}", next=_SEE)
    fields = found.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise BadMapping(f"{name} maps no fields", next=_SEE)
    return MappingFile(
        _reading(found.get("read") or {}),
        {str(key): value for key, value in _flat(fields).items()},
        hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest(),
    )


_SEE = "`muniment import FILE --as csv --suggest MAPPING` writes one to start from."


def _flat(fields: Mapping[object, object]) -> dict[str, object]:
    """`author: {name: …}` is the same as `author.name: …`."""
    flat: dict[str, object] = {}
    for name, spec in fields.items():
        if name == "author" and isinstance(spec, dict):
            flat |= {f"author.{part}": inner for part, inner in spec.items()}
        else:
            flat[str(name)] = spec
    for name in flat:
        if name not in FIELDS:
            raise BadMapping(f"{name} is no field", next=f"Fields are {', '.join(FIELDS)}.")
    for name in ("native_id", "kind"):
        if name not in flat:
            raise BadMapping(f"the mapping does not say what {name} is", next=_MISSING[name])
    return flat


_MISSING = {
    "native_id": "Name its column, or make one from columns: `native_id: {derive: [Date, Text]}`.",
    "kind": "Name its column, or say it of all rows: `kind: {value: post}`.",
}


def _reading(told: object) -> Reading:
    if not isinstance(told, dict) or told.keys() - _READ:
        raise BadMapping(f"`read` knows {', '.join(sorted(_READ))}, and nothing else")
    header, short = told.get("header", 1), told.get("short_rows", "refuse")
    if type(header) is not int or header < 0:
        raise BadMapping("`header` is the number of the line that bears the names, or 0 where none does")
    if short not in {"refuse", "accept"}:
        raise BadMapping("`short_rows` is refuse or accept")
    signs = {name: told.get(name) for name in ("delimiter", "quote")}
    for name, sign in signs.items():
        if sign is not None and (not isinstance(sign, str) or len(sign) != 1 or sign in "\r\n\0"):
            raise BadMapping(f"`{name}` is one character")
    for name in ("encoding", "sheet", "text_file"):
        if told.get(name) is not None and not isinstance(told[name], str):
            raise BadMapping(f"`{name}` is not a text")
    return Reading(
        told.get("encoding"),
        signs["delimiter"],
        signs["quote"] or '"',
        header,
        told.get("sheet"),
        short == "accept",
        told.get("text_file"),
    )


def named(cells: Sequence[object]) -> list[str]:
    """The names of columns: an empty one is its number, one that was given before bears how often."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = str(cell if cell is not None else "").strip() or f"#{number}"
        times = 1
        while name in names:
            times += 1
            name = f"{str(cell).strip()} ({times})"
        names.append(name)
    return names


Getter = Callable[[Row], object]


@dataclass(slots=True)
class Bound:
    """A mapping bound to the columns of one table: reads rows into observations."""

    columns: Sequence[str]
    texts: dict[str, Getter] = field(default_factory=dict)
    times: dict[str, tuple[Getter, Times]] = field(default_factory=dict)
    counts: dict[str, Getter] = field(default_factory=dict)
    files: Callable[[Row], list[str]] | None = None
    derived: Sequence[str] = ()
    """The columns from whose content native ids are made, where the table has none."""
    used: dict[str, list[int]] = field(default_factory=dict)
    rest: list[tuple[int, str]] = field(default_factory=list)
    short: bool = False
    """Whether a row may have fewer cells than there are columns."""
    short_rows: Counted = field(default_factory=Counted)

    def line(self, row: Row) -> Line | None:
        """The observation of a row, None where all cells are empty, or `Unreadable`."""
        cells = row.cells
        if not any(cell is not None and cell != "" for cell in cells):
            return None
        self._fits(row)
        for name, places in self.used.items():
            for place in places:
                if place in row.bad:
                    raise Unreadable(f"{name}: {row.bad[place]}")
        found: dict[str, object] = {}
        author: dict[str, object] = {}
        for name, text in self.texts.items():
            value = text(row)
            if value is None or value == "":
                continue
            if name in _IDS:
                value = _whole(name, value)
            if name.startswith("author."):
                author[name.partition(".")[2]] = str(value)
            else:
                found[name] = str(value)
        if author:
            found["author"] = author
        for name, (get, times) in self.times.items():
            value = get(row)
            if value is not None and value != "":
                try:
                    found[name] = times.read(value, row.place).isoformat()
                except Unreadable as error:
                    raise Unreadable(f"{name}: {error}") from error
        if self.counts:
            found["counts"] = {
                name: number
                for name, get in self.counts.items()
                if (number := _number(name, get(row))) is not None
            }
        if self.files is not None:
            found["attachments"] = [{"path": path} for path in self.files(row)]
        found["extra"] = {
            name: _plain(cells[place])
            for place, name in self.rest
            if place < len(cells) and cells[place] is not None and cells[place] != ""
        }
        return line_of(found)

    def _fits(self, row: Row) -> None:
        """Refuse a row whose cells stand under other names than their own."""
        many, cells = len(self.columns), row.cells
        if len(cells) > many and any(cell is not None and cell != "" for cell in cells[many:]):
            raise Unreadable(f"{len(cells)} cells where there are {many} columns")
        if len(cells) < many:
            if not self.short:
                raise Unreadable(f"{len(cells)} cells where there are {many} columns")
            self.short_rows.add(row.place)


def bind(mapping: MappingFile, columns: Sequence[str]) -> Bound:
    """Bind a mapping to a table's columns, or `BadMapping` where it names one that is not there."""
    bound = Bound(columns, short=mapping.reading.short_rows)
    places = {name: place for place, name in enumerate(columns)}
    taken: set[int] = set()

    def place_of(field_name: str, column: object) -> int:
        name = str(column)
        if name in places:
            place = places[name]
        elif re.fullmatch(r"#[1-9]\d{0,4}", name) and int(name[1:]) <= len(columns):
            place = int(name[1:]) - 1
        else:
            raise BadMapping(
                f"{field_name}: the table has no column {name!r}",
                next=f"Its columns are {', '.join(columns)}.",
            )
        taken.add(place)
        bound.used.setdefault(field_name, []).append(place)
        return place

    for name, spec in mapping.fields.items():
        if name == "attachments":
            bound.files = _files(spec, place_of)
        elif name == "counts":
            if not isinstance(spec, dict):
                raise BadMapping("counts: write a name and a column for each, such as {likes: Likes}")
            bound.counts = {
                str(count): _getter(f"counts.{count}", {"column": column}, place_of)
                for count, column in spec.items()
            }
        elif name in _TIMES:
            bound.times[name] = _times(name, spec, place_of)
        elif name in _CHOICES:
            bound.texts[name] = _choice(name, spec, place_of)
        elif name == "native_id" and isinstance(spec, dict) and "derive" in spec:
            bound.texts[name] = _derived(spec, place_of, bound)
        else:
            bound.texts[name] = _text(name, spec, place_of)
    bound.rest = [
        (place, name) for place, name in enumerate(columns) if place not in taken or _shared(bound, place)
    ]
    return bound


def _shared(bound: Bound, place: int) -> bool:
    """Whether a column is only what a native id is made from: it is kept in `extra` all the same."""
    return all(name == "native_id" for name, places in bound.used.items() if place in places) and bool(
        bound.derived
    )


PlaceOf = Callable[[str, object], int]


def _keys(name: str, spec: object, allowed: set[str]) -> dict[str, object]:
    """What is said of a field; a text alone is its column."""
    if isinstance(spec, (str, int, float)) and not isinstance(spec, bool):
        return {"column": spec}
    if not isinstance(spec, dict) or not spec:
        raise BadMapping(f"{name}: name its column, or write {{column: …}}, {{value: …}}")
    unknown = spec.keys() - allowed
    if unknown:
        raise BadMapping(
            f"{name} knows no {', '.join(map(str, unknown))}", next=f"It knows {', '.join(sorted(allowed))}."
        )
    return spec


def _getter(name: str, spec: Mapping[str, object], place_of: PlaceOf) -> Getter:
    """The value of one column, of several joined, or the same for all rows."""
    if "value" in spec:
        constant = spec["value"]
        return lambda _row: constant
    if "columns" in spec:
        listed = spec["columns"]
        if not isinstance(listed, list) or not listed:
            raise BadMapping(f"{name}: `columns` is a list")
        several = [place_of(name, column) for column in listed]
        between = str(spec.get("join", " "))
        return lambda row: between.join(
            str(value) for place in several if (value := _cell(row, place)) not in {None, ""}
        )
    if "column" not in spec:
        raise BadMapping(f"{name}: name its column, or write {{value: …}}")
    place = place_of(name, spec["column"])
    return lambda row: _cell(row, place)


def _cell(row: Row, place: int) -> object:
    value = row.cells[place] if place < len(row.cells) else None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text(name: str, spec: object, place_of: PlaceOf) -> Getter:
    told = _keys(name, spec, {"column", "columns", "join", "value", "prefix"})
    get = _getter(name, told, place_of)
    prefix = str(told.get("prefix", ""))
    if not prefix:
        return get

    def prefixed(row: Row) -> object:
        value = get(row)
        return value if value is None or value == "" else prefix + str(_whole(name, value))

    return prefixed


def _choice(name: str, spec: object, place_of: PlaceOf) -> Getter:
    """A field with few values: the table's own words are translated, one by one."""
    told = _keys(name, spec, {"column", "value", "values", "otherwise"})
    allowed = _CHOICES[name]
    values = told.get("values", {})
    if not isinstance(values, dict):
        raise BadMapping(f"{name}: `values` is a list of the table's words and ours")
    ours = [
        *values.values(),
        *([told["otherwise"]] if "otherwise" in told else []),
        *([told["value"]] if "value" in told else []),
    ]
    for one in ours:
        if one not in allowed:
            raise BadMapping(f"{name}: {one!r} is not one of {', '.join(allowed)}")
    get = _getter(name, told, place_of)
    if "value" in told:
        return get
    known = {str(theirs).strip().casefold(): mine for theirs, mine in values.items()} | {
        one: one for one in allowed
    }
    otherwise = told.get("otherwise")

    def choose(row: Row) -> object:
        value = get(row)
        word = str(value if value is not None else "").strip()
        chosen = known.get(word.casefold(), otherwise)
        if chosen is None and word:
            raise Unreadable(f"{name}: {word[:60]!r} is not among the values that the mapping names")
        return chosen

    return choose


def _times(name: str, spec: object, place_of: PlaceOf) -> tuple[Getter, Times]:
    told = _keys(name, spec, {"column", "columns", "join", "format", "zone"})
    forms = told.get("format", moments.ISO)
    listed = [str(form) for form in forms] if isinstance(forms, list) else [str(forms)]
    for form in listed:
        if not moments.usable(form):
            raise BadMapping(
                f"{name}: {form!r} does not tell a day in full",
                next="Write iso, epoch, epoch_ms, or a form such as %m/%d/%Y %H:%M (month before day).",
            )
        if moments.turned(form) in listed:
            raise BadMapping(
                f"{name}: {form!r} stands there in both orders of day and month", next="Say which one it is."
            )
    zone = None
    if (wanted := told.get("zone")) is not None:
        try:
            zone = ZoneInfo(str(wanted))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadMapping(
                f"{name}: {wanted!r} is no time zone", next="Write one such as America/Juneau."
            ) from error
    elif not all(moments.bears_zone(form) or form == moments.ISO for form in listed):
        raise BadMapping(f"{name}: its times bear no zone", next="Say which: `zone: America/Juneau`.")
    return _getter(name, told, place_of), Times(listed, zone)


def _files(spec: object, place_of: PlaceOf) -> Callable[[Row], list[str]]:
    told = _keys("attachments", spec, {"column", "columns", "separator", "under"})
    listed = told["columns"] if "columns" in told else [told.get("column")]
    if not isinstance(listed, list) or None in listed:
        raise BadMapping("attachments: name a column, or a list of `columns`")
    places = [place_of("attachments", column) for column in listed]
    separator, under = told.get("separator"), str(told.get("under", ""))

    def files(row: Row) -> list[str]:
        found = [str(value) for place in places if (value := _cell(row, place)) not in {None, ""}]
        if separator:
            found = [part for value in found for part in value.split(str(separator))]
        return [under + path.strip() for path in found if path.strip()]

    return files


def _derived(spec: Mapping[str, object], place_of: PlaceOf, bound: Bound) -> Getter:
    """A native id made from what stands in these columns: the same content, the same id."""
    told = _keys("native_id", dict(spec), {"derive", "prefix"})
    listed = told["derive"]
    if not isinstance(listed, list) or not listed:
        raise BadMapping("native_id: `derive` is a list of columns")
    places = [place_of("native_id", column) for column in listed]
    bound.derived = [str(column) for column in listed]
    prefix = str(told.get("prefix", "derived:"))

    def derive(row: Row) -> object:
        values = [_plain(_cell(row, place)) for place in places]
        if all(value in {None, ""} for value in values):
            return None
        content = json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return prefix + hashlib.sha256(content).hexdigest()[:32]

    return derive


def _whole(name: str, value: object) -> object:
    """An id as it was given; one that a spreadsheet has rounded is refused, because two items would become one."""
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= 10**15):
        raise Unreadable(f"{name}: {value} is a number that a spreadsheet rounds; save its column as text")
    if isinstance(value, str) and _MANGLED.fullmatch(value):
        raise Unreadable(
            f"{name}: {value} is a number that a spreadsheet has rounded; save its column as text"
        )
    return value


def _number(name: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, int):
        return int(value)
    digits = str(value).strip().replace(",", "").replace("\u202f", "").replace("\xa0", "")
    if not re.fullmatch(r"-?\d{1,15}", digits):
        raise Unreadable(f"counts.{name}: {str(value)[:40]!r} is no whole number")
    return int(digits)


def _plain(value: object) -> object:
    """A cell as it can stand in `extra`."""
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else repr(value)
    return cast("str", value.isoformat()) if hasattr(value, "isoformat") else str(value)
