"""The laws that this agency knows: those that come with Muniment, its own in their folder, and its own calendar.

In the folder each `*.yaml` is a law; one of the same name takes the place of
one that comes with Muniment. `agency.yaml` beside them says which law binds the
agency where nobody names another, whose holidays it observes, on which days of
its own it is closed, when it closes, and the target that it sets itself where
the law sets no day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from app.disclosure import reading
from app.disclosure.clock import Hours
from app.disclosure.law import Law
from app.disclosure.reading import BadLaw, Form, Key, Reading
from app.records.errors import NotFound
from app.retention import lines
from app.retention.calendar import BadCalendar
from app.retention.lines import Problem, Table, Wrong
from app.retention.working_days import WorkingDays

FOLDER = Path(__file__).resolve().parent / "laws"
HOUSE = "agency.yaml"
NONE = "none"
"""The law of an agency that has named none."""


class NoSuchLaw(NotFound):
    """No law of that name is known."""

    code = "no-such-law"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the agency says of itself: its law, its calendar, its hours, its target, and who answers requests."""

    law: str = NONE
    country: str = ""
    subdivision: str = ""
    closed: Mapping[date, str] = field(default_factory=dict)
    open: tuple[date, ...] = ()
    closes: time = time(17)
    target_days: int = 0
    custodian: str = ""
    delegation: str = ""
    """By what delegation requests are denied, for the letters of laws that want it said."""
    contact: str = ""
    """Where requesters reach the agency, for the foot of its letters."""


@dataclass(frozen=True, slots=True)
class Laws:
    """Laws by name, each with the bytes of its file, and the agency's own house."""

    laws: Mapping[str, Law]
    files: Mapping[str, bytes]
    house: House

    def get(self, name: str = "") -> Law:
        """The law of that name or alias; none named, the one that binds the agency; otherwise `NoSuchLaw`."""
        wanted = (name.strip() or self.house.law).casefold().replace("_", "-")
        if wanted in self.laws:
            return self.laws[wanted]
        for law in self.laws.values():
            if wanted in law.aliases:
                return law
        raise NoSuchLaw(f"no law {wanted[:60]!r} is known", next=f"Known are {', '.join(sorted(self.laws))}.")

    def listed(self) -> Sequence[Law]:
        return [self.laws[name] for name in sorted(self.laws)]

    def hours(self, law: Law, zone: ZoneInfo) -> Hours:
        """On which days the agency works under a law, in its own calendar."""
        house = self.house
        calendar = WorkingDays(
            country=house.country or law.country,
            subdivision=house.subdivision if house.country else law.subdivision,
            closed=house.closed,
            open=frozenset(house.open),
            optional=frozenset(law.holidays.optional) if law.holidays else frozenset(),
            moved=law.holidays.moved if law.holidays else True,
            fridays=law.holidays.fridays if law.holidays else True,
        )
        return Hours(calendar=calendar, zone=zone, closes=house.closes)


def of(folder: Path | None) -> Laws:
    """The laws that come with Muniment and those in the agency's own folder, read again when a file there changed."""
    own = sorted(folder.glob("*.yaml")) if folder is not None and folder.is_dir() else []
    return _of(tuple((file, file.stat().st_mtime_ns, file.stat().st_size) for file in own))


@lru_cache(maxsize=8)
def _of(own: tuple[tuple[Path, int, int], ...]) -> Laws:
    files = [*sorted(FOLDER.glob("*.yaml")), *(file for file, _, _ in own if file.name != HOUSE)]
    laws: dict[str, Law] = {}
    contents: dict[str, bytes] = {}
    for file in files:
        content = file.read_bytes()
        law = reading.of_bytes(content, file.name)
        laws[law.name], contents[law.name] = law, content
    house = next((file for file, _, _ in own if file.name == HOUSE), None)
    found = Laws(laws, contents, read_house(house.read_text("utf-8-sig"), house.name) if house else House())
    found.get()  # the law that the agency names is there
    return found


# -- the agency's own file ---------------------------------------------------------------------------------

_FORM = Form(
    HOUSE,
    {
        "law": Key("text", "The law that binds the agency."),
        "country": Key("text", "Whose holidays it observes: US."),
        "subdivision": Key("text", "And within it: AK."),
        "closes": Key("text", "When it closes for the day: 17:00."),
        "target_days": Key("whole", "Where the law sets no day: within how many working days it means to answer."),
        "custodian": Key("text", "The e-mail of whoever answers requests where nobody else is named."),
        "delegation": Key("text", "By what delegation requests are denied."),
        "contact": Key("text", "Where requesters reach the agency."),
        "closed": Key("skip", "Days of its own on which it is closed, each with its reason."),
        "open": Key("skip", "Holidays on which it works."),
    },
    House,
)  # fmt: skip


def read_house(text: str, file: str = HOUSE) -> House:
    """What the agency says of itself, or `BadLaw` with everything that is wrong in it."""
    reader = Reading()
    try:
        table = lines.table(lines.read(text), file)
        more: dict[str, object] = {"closed": _closed(reader, table), "open": tuple(_days(reader, table))}
        rest = Table(
            table.line,
            {key: node for key, node in table.entries.items() if key not in more},
            table.lines,
        )
        if "closes" in rest.entries:
            more["closes"] = _time(reader, rest)
        plain = Table(
            rest.line, {key: node for key, node in rest.entries.items() if key != "closes"}, rest.lines
        )
        made = reader.made(plain, _FORM, **more)
    except Wrong as wrong:
        raise BadLaw(file, [*reader.problems, wrong.problem]) from wrong
    if isinstance(made, House) and not reader.problems:
        try:
            WorkingDays(country=made.country, subdivision=made.subdivision, closed=made.closed)
        except BadCalendar as error:
            raise BadLaw(file, [Problem(table.of("country"), str(error), error.next)]) from error
        return made
    raise BadLaw(file, reader.problems)


def _closed(reader: Reading, table: Table) -> dict[date, str]:
    if "closed" not in table.entries:
        return {}
    days = lines.table(table.entries["closed"], "closed")
    found = {}
    for written, node in days.entries.items():
        try:
            found[_day(written, days.of(written))] = lines.text(node, written)
        except Wrong as wrong:
            reader.problems.append(wrong.problem)
    return found


def _days(reader: Reading, table: Table) -> list[date]:
    found = []
    for node in lines.items(table.entries["open"], "open") if "open" in table.entries else ():
        try:
            found.append(_day(lines.text(node, "open"), node.line))
        except Wrong as wrong:
            reader.problems.append(wrong.problem)
    return found


def _day(written: str, line: int) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Wrong(line, f"{written!r} is no day", "Write it as 2026-12-24.") from None


def _time(reader: Reading, table: Table) -> time:
    node = table.entries["closes"]
    try:
        written = node.written if isinstance(node, lines.Value) else ""
        return time.fromisoformat(written.strip())
    except ValueError:
        reader.wrong(node.line, "closes is no time of day", 'Write it as closes: "17:00".')
        return time(17)
