"""Reads schedules: YAML that a records officer writes, or a file with everything that is wrong in it.

What is not understood is refused, with file, line and how to write it: an
unknown key might have been the one that keeps a record. What is left out
keeps: a series is unverified until the file says otherwise, and a schedule
binds nobody until it is adopted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from app import ROOT
from app.index import language
from app.index.language import BadQuery, Query
from app.index.tree import Field, everything_in
from app.records.errors import Invalid
from app.records.nouns import Role
from app.retention import lines
from app.retention.calendar import JANUARY, BadCalendar, BadPeriod, Period, YearStart
from app.retention.lines import Node, Problem, Table, Wrong
from app.retention.schedule import (
    DECLARED,
    DISPOSED,
    EVENTS,
    Block,
    Classifying,
    Clause,
    Clock,
    Cutoff,
    Forever,
    How,
    Rule,
    Schedule,
    Series,
    Several,
    Standing,
    Then,
    Timed,
    Undefined,
    clauses,
)

FOLDER = ROOT / "retention_schedules"

SCHEDULE_KEYS = (
    "jurisdiction", "authority", "title", "edition", "effective", "fiscal_year_starts", "waiting_days",
    "approvals", "authorisation", "placeholder", "note", "events", "series", "classify",
)  # fmt: skip
REQUIRED_KEYS = ("jurisdiction", "authority", "title", "edition", "effective", "series")
SERIES_KEYS = (
    "code", "title", "scope", "citation", "source", "verified", "unconfirmed", "status", "code_is_ours", "note", "rule",
)  # fmt: skip
REQUIRED_SERIES_KEYS = ("code", "title", "rule")
CLAUSE_KEYS = (
    "after", "depends_on", "keep", "cutoff", "anniversary_of", "blocks", "agency_keep", "agency_must_set", "at_most",
    "declares", "all_of", "any_of",
)  # fmt: skip
RULE_KEYS = (*CLAUSE_KEYS, "then", "instruction", "assigns", "undefined")
BLOCK_KEYS = ("years", "from")
CLASSIFY_KEYS = ("series", "when", "answered", "direction", "duplicate", "priority", "note")
APPROVERS = (Role.RECORDS_OFFICER, Role.APPROVER, Role.ATTORNEY)
"""Who may stand in the chain of approvals."""
DIRECTIONS = ("incoming", "outgoing")
EVENT_NAME = "[a-z][a-z0-9_]{0,79}"
JURISDICTION = "[A-Za-z][A-Za-z0-9-]*"
FEWEST_APPROVALS, MOST_APPROVALS = 2, 12
MOST_DAYS = 3650
LONGEST_CODE = 80
MOST_PRIORITY = 1_000_000
_NOT_IN_RULES = {
    "series": "a series is what the rule decides",
    "hold": "a hold covers records; it says nothing of what they are",
}
_ASK_ANEW = "Write it as a question of search."
_DEFAULTS = Schedule(jurisdiction="x", authority="", title="", edition="", effective=None)

_NO_SERIES: Sequence[Series] = ()
_NO_RULES: Sequence[Classifying] = ()
_NO_CODES: tuple[str, ...] = ()

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class BadSchedule(Invalid):
    """A schedule cannot be read; `problems` says what is wrong, each with its line and remedy."""

    code = "bad-schedule"

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        first, *rest = sorted(problems, key=lambda one: one.line)
        more = f" (and {len(rest)} more)" if rest else ""
        super().__init__(f"{file}:{first.line}: {first.what}{more}", next=first.remedy)
        self.file = file
        self.problems = (first, *rest)


@cache
def shipped() -> Mapping[str, Path]:
    """The schedules that come with Muniment, by name. None of them is adopted."""
    return {file.stem: file for file in sorted(FOLDER.glob("*.yaml"))}


def load(file: Path) -> Schedule:
    """The schedule in a file, or `BadSchedule`."""
    held = b""
    try:
        with file.open("rb") as opened:
            held = opened.read(4 * lines.MOST_CHARACTERS + 1)
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = held.count(b"\n", 0, error.start) + 1
        problem = Problem(line, "this is not UTF-8 text", "Save the file as UTF-8.")
        raise BadSchedule(str(file), [problem]) from error
    except OSError as error:
        problem = Problem(1, f"the file cannot be read: {error.strerror}", "Name a YAML file that is there.")
        raise BadSchedule(str(file), [problem]) from error
    return read(text, str(file))


def read(text: str, file: str = "schedule") -> Schedule:
    """The schedule that `text` writes, or `BadSchedule` with everything that is wrong in it."""
    reading = _Reading()
    try:
        schedule = reading.schedule(lines.table(lines.read(text), "a schedule"), file)
    except Wrong as wrong:
        reading.problems.append(wrong.problem)
        raise BadSchedule(file, reading.problems) from wrong
    if reading.problems:
        raise BadSchedule(file, reading.problems)
    return schedule


class _Reading:
    """Reads one file, and goes on after a mistake, so that an officer sees all of them at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.events: Mapping[str, str] = {}
        self.fiscal = False

    def wrong(self, line: int, what: str, remedy: str = "") -> None:
        self.problems.append(Problem(line, what, remedy))

    def take(self, table: Table, key: str, how: Callable[[Node], T], default: T) -> T:
        """What `how` makes of a key; `default` where it is missing or wrong."""
        node = table.entries.get(key)
        if node is None:
            return default
        try:
            return how(node)
        except Wrong as wrong:
            self.problems.append(wrong.problem)
            return default

    def text(self, table: Table, key: str, default: str = "") -> str:
        return self.take(table, key, partial(lines.text, what=key), default)

    def flag(self, table: Table, key: str) -> bool:
        return self.take(table, key, partial(lines.yes, what=key), default=False)

    def check_keys(self, table: Table, known: Sequence[str], required: Sequence[str], where: str) -> None:
        self.problems += lines.unknown(table, known, where)
        for key in required:
            if key not in table.entries:
                self.wrong(table.line, f"{where} has no {key}", f"Add {key}: to it.")

    # -- the whole --

    def schedule(self, table: Table, file: str) -> Schedule:
        self.check_keys(table, SCHEDULE_KEYS, REQUIRED_KEYS, "a schedule")
        self.events = self.take(table, "events", self._events, {})
        self.fiscal = "fiscal_year_starts" in table.entries
        series = self.take(table, "series", self._all_series, _NO_SERIES)
        self._check_codes(series)
        placeholder = self.text(table, "placeholder")
        if not series and not placeholder and not self.problems:
            self.wrong(
                table.of("series"), "the schedule has no series", "Add one, or say why: placeholder: …"
            )
        classify = self.take(table, "classify", partial(self._classify, series=series), _NO_RULES)
        return Schedule(
            jurisdiction=self.take(table, "jurisdiction", _jurisdiction, ""),
            authority=self.text(table, "authority"),
            title=self.text(table, "title"),
            edition=self.text(table, "edition"),
            effective=self.take(table, "effective", partial(_day, what="effective"), None),
            fiscal_year_starts=self.take(table, "fiscal_year_starts", _year_start, JANUARY),
            waiting_days=self.take(
                table,
                "waiting_days",
                partial(lines.whole, what="waiting_days", least=0, most=MOST_DAYS),
                _DEFAULTS.waiting_days,
            ),
            approvals=self.take(table, "approvals", _approvals, _DEFAULTS.approvals),
            authorisation=self.text(table, "authorisation"),
            placeholder=placeholder,
            note=self.text(table, "note"),
            events=self.events,
            series=tuple(series),
            classify=tuple(classify),
            file=file,
        )

    def _events(self, node: Node) -> dict[str, str]:
        table = lines.table(node, "events")
        found = {}
        for name, value in table.entries.items():
            if name in EVENTS or name == DISPOSED:
                self.wrong(
                    table.of(name), f"{name} is an event that every schedule has", "Choose another name."
                )
            elif not re.fullmatch(EVENT_NAME, name):
                self.wrong(
                    table.of(name), f"{name!r} is no name of an event", "Write it as final_adjudication."
                )
            else:
                found[name] = lines.text(value, name)
        return found

    # -- series --

    def _all_series(self, node: Node) -> Sequence[Series]:
        found = []
        for item in lines.items(node, "series"):
            try:
                found.append(self._series(lines.table(item, "a series")))
            except Wrong as wrong:
                self.problems.append(wrong.problem)
        return found

    def _series(self, table: Table) -> Series:
        self.check_keys(table, SERIES_KEYS, REQUIRED_SERIES_KEYS, "a series")
        rule: Rule = Undefined(why="its rule cannot be read")
        return Series(
            code=self.take(table, "code", _code, ""),
            title=self.text(table, "title"),
            rule=self.take(table, "rule", self._rule, rule),
            scope=self.text(table, "scope"),
            citation=self.text(table, "citation"),
            source=self.text(table, "source"),
            verified=self.flag(table, "verified"),
            unconfirmed=self.text(table, "unconfirmed"),
            standing=self.take(
                table, "status", partial(_one_of, what="status", known=Standing), Standing.CURRENT
            ),
            ours=self.flag(table, "code_is_ours"),
            note=self.text(table, "note"),
            line=table.line,
        )

    def _check_codes(self, series: Sequence[Series]) -> None:
        """Every code once; every series that another names is there, is another, and does not wait for it in turn."""
        first: dict[str, int] = {}
        for one in series:
            if one.code in first:
                self.wrong(
                    one.line,
                    f"two series have the code {one.code}, the first on line {first[one.code]}",
                    "Give each its own.",
                )
            first.setdefault(one.code, one.line)
        waits = {one.code: set(_waits_for(one)) for one in series}
        for one in series:
            named = waits[one.code] | set(one.rule.assigns if isinstance(one.rule, Timed) else ())
            for code in sorted(named - first.keys()):
                self.wrong(
                    one.line,
                    f"{one.code} names the series {code}, which is not here",
                    lines.nearest(code, list(first)),
                )
            if one.code in named or one.code in _reached(one.code, waits):
                self.wrong(
                    one.line,
                    f"{one.code} waits for itself, and would never end",
                    "Name the series that it depends on.",
                )

    # -- rules --

    def _rule(self, node: Node) -> Rule:
        table = lines.table(node, "rule")
        self.problems += lines.unknown(table, RULE_KEYS, "a rule")
        if "undefined" in table.entries:
            if len(table.entries) > 1:
                raise Wrong(
                    table.of("undefined"),
                    "what is undefined has no period",
                    "Write undefined alone, or leave it out.",
                )
            return Undefined(why=lines.text(table.entries["undefined"], "undefined"))
        if "then" not in table.entries:
            raise Wrong(
                table.line,
                "the rule does not say what follows",
                "Write then: destroy, transfer, review or permanent; or undefined: and why.",
            )
        then = _one_of(table.entries["then"], "then", Then)
        instruction = self.text(table, "instruction")
        timed = any(key in table.entries for key in CLAUSE_KEYS)
        clock = self._clock(table, Cutoff.NONE) if timed else None
        if then is Then.PERMANENT:
            return Forever(instruction=instruction, clock=clock)
        if clock is None:
            raise Wrong(
                table.line, f"nothing says when to {then}", "Write after: an event and keep: a period."
            )
        assigns = self.take(table, "assigns", _codes, _NO_CODES)
        if assigns and then is not Then.REVIEW:
            raise Wrong(
                table.of("assigns"),
                "only a review assigns another series",
                "Write then: review, or leave it out.",
            )
        return Timed(clock=clock, then=then, instruction=instruction, assigns=assigns)

    def _clock(self, table: Table, usual: Cutoff) -> Clock:
        starts = [key for key in ("after", "depends_on", "all_of", "any_of") if key in table.entries]
        if not starts:
            raise Wrong(
                table.line, "nothing says when the clock starts", "Write after: and one of its events."
            )
        if len(starts) > 1:
            raise Wrong(
                table.of(starts[1]),
                f"{starts[0]} and {starts[1]} stand side by side",
                "Put each clock into the list of one all_of (the latest counts) or any_of (the earliest).",
            )
        cutoff = self.take(table, "cutoff", partial(_one_of, what="cutoff", known=Cutoff), usual)
        if cutoff is Cutoff.FISCAL_YEAR and not self.fiscal:
            raise Wrong(
                table.of("cutoff"),
                "the schedule does not say when its fiscal year starts",
                "Write fiscal_year_starts: 07-01 beside title and edition.",
            )
        if starts[0] in {How.ALL, How.ANY}:
            return self._several(table, How(starts[0]), cutoff)
        return self._clause(table, cutoff)

    def _several(self, table: Table, how: How, cutoff: Cutoff) -> Several:
        alone = [key for key in CLAUSE_KEYS if key in table.entries and key not in {how, "cutoff"}]
        if alone:
            raise Wrong(
                table.of(alone[0]), f"{alone[0]} belongs to one clock", f"Put it into an item of {how}."
            )
        listed = table.entries[how]
        parts = tuple(
            self._part(lines.table(item, f"an item of {how}"), cutoff) for item in lines.items(listed, how)
        )
        if not parts:
            raise Wrong(listed.line, f"{how} is empty", "List the clocks that it combines.")
        return Several(how=how, parts=parts)

    def _part(self, table: Table, cutoff: Cutoff) -> Clock:
        for key in table.entries:
            if key in RULE_KEYS and key not in CLAUSE_KEYS:
                raise Wrong(
                    table.of(key), f"{key} belongs to the whole rule", "Put it beside all_of or any_of."
                )
        self.problems += lines.unknown(table, CLAUSE_KEYS, "a clock")
        return self._clock(table, cutoff)

    def _clause(self, table: Table, cutoff: Cutoff) -> Clause:
        after, series = DISPOSED, ""
        if "depends_on" in table.entries:
            series = lines.text(table.entries["depends_on"], "depends_on")
        else:
            after = self._event(table.entries["after"], "after")
        clause = Clause(
            after=after,
            series=series,
            keep=self.take(table, "keep", partial(_period, what="keep"), None),
            cutoff=cutoff,
            anniversary_of=self.take(
                table, "anniversary_of", partial(self._event, what="anniversary_of"), ""
            ),
            block=self.take(table, "blocks", self._block, None),
            agency_keep=self.take(table, "agency_keep", partial(_period, what="agency_keep"), None),
            agency_must_set=self.flag(table, "agency_must_set"),
            at_most=self.take(table, "at_most", partial(_period, what="at_most"), None),
            declares=self.text(table, "declares"),
        )
        self._check_clause(table, clause)
        return clause

    def _check_clause(self, table: Table, clause: Clause) -> None:
        """What the parts of a clause cannot say together."""
        told = table.entries
        if not {"keep", "agency_keep", "at_most"} & told.keys() and not clause.agency_must_set:
            self.wrong(
                table.line,
                "nothing says how long to keep",
                "Write keep: P3Y; keep: P0D ends with the event itself.",
            )
        if clause.declares and clause.after != DECLARED:
            self.wrong(
                table.of("declares"),
                "only after: declared has something to declare",
                "Write after: declared.",
            )
        if clause.anniversary_of and clause.cutoff is not Cutoff.ANNIVERSARY:
            self.wrong(
                table.of("anniversary_of"), "only anniversaries are of a day", "Write cutoff: anniversary."
            )
        if clause.block and clause.cutoff not in {Cutoff.CALENDAR_YEAR, Cutoff.FISCAL_YEAR}:
            self.wrong(
                table.of("blocks"), "blocks are of years", "Write cutoff: calendar_year or fiscal_year."
            )
        for name, floor in (("agency_keep", clause.agency_keep), ("at_most", clause.at_most)):
            if floor and clause.keep and floor.longest < clause.keep.shortest:
                self.wrong(
                    table.of(name),
                    f"{name} is shorter than what must be kept: {floor} against {clause.keep}",
                    "The law's period is the least; write a longer one or leave it out.",
                )

    def _event(self, node: Node, what: str) -> str:
        name = lines.text(node, what)
        if name == DISPOSED:
            raise Wrong(node.line, "disposed is of another series", "Write depends_on: and its code.")
        if name not in EVENTS and name not in self.events:
            raise Wrong(
                node.line,
                f"no event is called {name!r}",
                f"{lines.nearest(name, [*EVENTS, *self.events])} An event of the schedule's own stands in events:.",
            )
        return name

    def _block(self, node: Node) -> Block:
        table = lines.table(node, "blocks")
        self.check_keys(table, BLOCK_KEYS, BLOCK_KEYS, "blocks")
        years, first = (table.entries.get(key) for key in BLOCK_KEYS)
        if years is None or first is None:
            raise Wrong(
                table.line, "a block has years and a first year", "Write blocks: {years: 5, from: 2001}."
            )
        return Block(years=lines.whole(years, "years", 1, 100), first=lines.whole(first, "from", 1, 9000))

    # -- classification --

    def _classify(self, node: Node, series: Sequence[Series]) -> Sequence[Classifying]:
        known = {one.code for one in series}
        found: list[Classifying] = []
        at: dict[int, int] = {}
        for item in lines.items(node, "classify"):
            try:
                one = self._classifying(lines.table(item, "a rule of classify"), known)
            except Wrong as wrong:
                self.problems.append(wrong.problem)
                continue
            if one.priority in at:
                self.wrong(
                    one.line,
                    f"two rules have the priority {one.priority}, the other on line {at[one.priority]}",
                    "Give each its own; the greater is looked at first.",
                )
            at.setdefault(one.priority, one.line)
            found.append(one)
        return found

    def _classifying(self, table: Table, known: Collection[str]) -> Classifying:
        self.problems += lines.unknown(table, CLASSIFY_KEYS, "a rule of classify")
        code = lines.text(lines.there(table, "series", "a rule of classify"), "series")
        if code not in known:
            raise Wrong(
                table.of("series"),
                f"no series here has the code {code!r}",
                lines.nearest(code, list(known)) if known else "Write the series first, below series:.",
            )
        if not {"when", "answered", "direction", "duplicate"} & table.entries.keys():
            raise Wrong(
                table.line, "the rule asks nothing", "Write when: and a question; when: * is every record."
            )
        direction = self.take(
            table, "direction", partial(lines.choice, what="direction", known=DIRECTIONS), ""
        )
        answered, duplicate = table.entries.get("answered"), table.entries.get("duplicate")
        return Classifying(
            series=code,
            priority=lines.whole(
                lines.there(table, "priority", "a rule of classify"), "priority", 0, MOST_PRIORITY
            ),
            when=_question(table.entries["when"]) if "when" in table.entries else None,
            answered=None if answered is None else lines.yes(answered, "answered"),
            incoming=None if not direction else direction == "incoming",
            duplicate=None if duplicate is None else lines.yes(duplicate, "duplicate"),
            note=self.text(table, "note"),
            line=table.line,
        )


# -- plain values ------------------------------------------------------------------------------------------


def _jurisdiction(node: Node) -> str:
    said = lines.text(node, "jurisdiction")
    if not re.fullmatch(JURISDICTION, said):
        raise Wrong(node.line, f"{said!r} is no name of a jurisdiction", "Write it as us-ak-juneau.")
    return said


def _code(node: Node) -> str:
    """The code of a series: it stands in lists, commands and addresses, so it is one short line."""
    said = lines.text(node, "code")
    if len(said) > LONGEST_CODE or not said.isprintable():
        raise Wrong(
            node.line,
            f"a code is one line of at most {LONGEST_CODE} characters that can be seen",
            "Write the number that the authority gave, and the rest as title or scope.",
        )
    return said


def _day(node: Node, what: str) -> date | None:
    """A day; None where `null` is written, for what is not known."""
    if lines.empty(node):
        return None
    said = node.written.strip() if isinstance(node, lines.Value) else lines.text(node, what)
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", said, re.ASCII):
            raise ValueError(said)
        return date.fromisoformat(said)
    except ValueError:
        raise Wrong(node.line, f"{what} is no day: {said!r}", "Write it as 2026-03-31.") from None


def _year_start(node: Node) -> YearStart:
    try:
        return YearStart.read(lines.text(node, "fiscal_year_starts"))
    except BadCalendar as error:
        raise Wrong(node.line, str(error), error.next) from error


def _period(node: Node, what: str) -> Period:
    try:
        return Period.read(lines.text(node, what))
    except BadPeriod as error:
        raise Wrong(node.line, f"{what}: {error}", error.next) from error


def _one_of(node: Node, what: str, known: type[E]) -> E:
    return known(lines.choice(node, what, list(known)))


def _approvals(node: Node) -> tuple[Role, ...]:
    roles = tuple(
        Role(lines.choice(item, "a role that approves", APPROVERS)) for item in lines.items(node, "approvals")
    )
    if not FEWEST_APPROVALS <= len(roles) <= MOST_APPROVALS:
        raise Wrong(
            node.line,
            f"{len(roles)} approvals are asked for",
            "At least two people approve: approvals: [records_officer, approver].",
        )
    return roles


def _codes(node: Node) -> tuple[str, ...]:
    codes = tuple(lines.text(item, "a code") for item in lines.items(node, "assigns"))
    double = [code for code, times in Counter(codes).items() if times > 1]
    if double or not codes:
        raise Wrong(
            node.line,
            f"assigns names {double[0]} twice" if double else "assigns is empty",
            "List each series once.",
        )
    return codes


def _question(node: Node) -> Query:
    """A question of the query language about what a record is."""
    said = lines.text(node, "when")
    try:
        query = language.parse(said)
    except BadQuery as error:
        what = str(error).removesuffix(f" {error.next}" if error.next else "")
        raise Wrong(node.line, f"when: {what}", error.next or _ASK_ANEW) from error
    for part in everything_in(query.tree):
        if isinstance(part, Field) and part.name in _NOT_IN_RULES:
            raise Wrong(
                node.line, f"when: cannot ask {part.name}: {_NOT_IN_RULES[part.name]}", "Leave that part out."
            )
    return query


def _waits_for(series: Series) -> Iterator[str]:
    if isinstance(series.rule, Timed):
        yield from (clause.series for clause in clauses(series.rule.clock) if clause.series)


def _reached(code: str, waits: Mapping[str, set[str]]) -> set[str]:
    """Every series that `code` waits for, and those that these wait for."""
    found: set[str] = set()
    left = list(waits.get(code, ()))
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += waits.get(one, ())
    return found
