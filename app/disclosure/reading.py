"""Reads laws: YAML that a records officer or an attorney writes, or everything that is wrong in it with its lines.

What each table of the file may hold is written once, in `FORMS`, and both the
reader and the published schema go by it. An unknown key is refused: it might
have been the one that stops a clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from app.disclosure.law import (
    DENIAL,
    EVENTS,
    LOG,
    NOTICE,
    STANDARD,
    WORK,
    AfterHours,
    Appeal,
    Charges,
    Count,
    DayOne,
    Deadline,
    Duty,
    Edition,
    Exemption,
    Extension,
    Fees,
    Holidays,
    Instalments,
    Keeping,
    Latest,
    Law,
    Litigant,
    Mailed,
    Needs,
    Reopening,
    Tolling,
)
from app.records.errors import Invalid
from app.retention import lines
from app.retention.lines import Node, Problem, Table, Wrong

NAME = "[a-z][a-z0-9-]*"
WORD = "[a-z][a-z0-9_]{0,23}"
MOST = 3650


class BadLaw(Invalid):
    """A law cannot be read; `problems` says what is wrong, each with its line and remedy."""

    code = "bad-law"

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        first, *rest = sorted(problems, key=lambda one: one.line)
        more = f" (and {len(rest)} more)" if rest else ""
        super().__init__(f"{file}:{first.line}: {first.what}{more}", next=first.remedy)
        self.file = file
        self.problems = (first, *rest)


# -- forms: what each table may hold -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """What stands under a key: of which kind, whether it must be there, and what it says."""

    kind: str
    says: str = ""
    needed: bool = False
    known: tuple[str, ...] = ()
    least: int = 0
    field: str = ""
    """What the noun calls it, where that is another word."""


@dataclass(frozen=True, slots=True)
class Form:
    """A table of the file: what it is called, what it may hold, and the noun that it makes."""

    what: str
    keys: Mapping[str, Key]
    make: Callable[..., object]


_CITED = {
    "citation": Key("text", "The authority: section and paragraph.", needed=True),
    "source": Key("text", "Where its words were read."),
    "verified": Key("flag", "Whether they were read there. What was not is shown as such."),
    "note": Key("text"),
}
_COUNT = Key("choice", "What is counted.", known=tuple(Count))
_DAYS = Key("choice", "What is counted.", known=(Count.WORKING, Count.CALENDAR))
_EVENT = Key("choice", "An event of the request.", needed=True, known=tuple(EVENTS))
_CODE = Key("code", "A short name, by which others refer to it.", needed=True)
_TRACKS = Key("words_of", "For requests of these tracks alone.")
_WITHIN = Key("whole", "How many.", needed=True)

FORMS: Mapping[str, Form] = {
    "law": Form(
        "a law",
        {
            "law": Key("name", "Its name here: us-ak-state.", needed=True, field="name"),
            "title": Key("text", needed=True),
            "authority": Key("text", "Where the law stands.", needed=True),
            "aliases": Key("texts", "Other names by which it is found."),
            "country": Key("text", "Whose holidays count: US."),
            "subdivision": Key("text", "And within it: AK."),
            "holidays": Key("table:holidays", "Which of them are working days unless the agency is closed."),
            "note": Key("text"),
            "editions": Key("tables:edition", "Its rules, for each time in which they held.", needed=True),
            "exemptions": Key("tables:exemption", "Grounds on which it lets the agency withhold."),
        },
        Law,
    ),
    "holidays": Form(
        "holidays",
        {
            "optional": Key("texts", "Holidays on which an agency works unless it says that it is closed, as the list names them."),
            "moved": Key("flag", "Whether the day on which a holiday of a weekend is observed is free."),
            "fridays": Key("flag", "Whether that holds of the Friday before a Saturday, too."),
            **_CITED,
        },
        Holidays,
    ),
    "edition": Form(
        "an edition",
        {
            "edition": Key("text", "A label: 2024.", needed=True, field="label"),
            "from": Key("day", "The first day on which it held; left out: since ever.", field="since"),
            "until": Key("day", "The first day on which it held no more."),
            "no_clock": Key("text", "Why there is no statutory clock."),
            "after_hours": Key("choice", "When something that came after hours counts as received.", known=tuple(AfterHours)),
            "tracks": Key("mapping", "Kinds of requests that have rules of their own, each in a sentence."),
            "deadlines": Key("tables:deadline"),
            "duties": Key("tables:duty", "What is asked without counting days."),
            "extensions": Key("tables:extension"),
            "tolling": Key("tables:tolling"),
            "appeals": Key("tables:appeal"),
            "keep": Key("table:keep", "How long what was asked for is kept at the least."),
            "fees": Key("table:fees"),
            "mailed": Key("table:mailed"),
            "litigant": Key("table:litigant"),
            "denial": Key("table:denial", "What a denial must say."),
            "log": Key("table:log", "What the request log must show."),
            "instalments": Key("table:instalments"),
            "reopening": Key("table:reopening"),
            "note": Key("text"),
        },
        Edition,
    ),
    "deadline": Form(
        "a deadline",
        {
            "code": _CODE,
            "what": Key("text", "What is due.", needed=True),
            "after": Key("events", "The event that starts it; of several the first that happened.", needed=True),
            "within": _WITHIN,
            "count": _COUNT,
            "day_one": Key("choice", "Whether the day of the event counts.", known=tuple(DayOne)),
            "rolls": Key("flag", "Whether a last day without work is followed to the next working day."),
            "at_latest": Key("table:latest", "The start does not wait longer than this."),
            "met_by": Key("events", "The events that meet it."),
            "tracks": _TRACKS,
            "missed": Key("text", "What the law makes of it where the day passes."),
            **_CITED,
        },
        Deadline,
    ),
    "latest": Form("at_latest", {"after": _EVENT, "within": _WITHIN, "count": _DAYS}, Latest),
    "duty": Form("a duty", {"what": Key("text", "What is asked.", needed=True), **_CITED}, Duty),
    "extension": Form(
        "an extension",
        {
            "code": _CODE,
            "title": Key("text", needed=True),
            "deadlines": Key("words_of", "Which deadlines it extends.", needed=True),
            "most": Key("whole", "By how many at the most.", needed=True, least=1),
            "count": _DAYS,
            "times": Key("whole", "How often.", least=1),
            "notice": Key("words_known", "What its notice must say.", known=tuple(NOTICE)),
            "circumstances": Key("mapping", "The circumstances that the law lists."),
            "tracks": _TRACKS,
            **_CITED,
        },
        Extension,
    ),
    "tolling": Form(
        "a tolling",
        {
            "code": _CODE,
            "title": Key("text", needed=True),
            "starts": _EVENT,
            "ends": _EVENT,
            "deadlines": Key("words_of", "Which deadlines stand still; left out: all."),
            "times": Key("whole", "How often at the most.", least=1),
            **_CITED,
        },
        Tolling,
    ),
    "appeal": Form(
        "an appeal",
        {
            "to": Key("text", "To whom.", needed=True),
            "after": Key("choice", "The event after which.", known=tuple(EVENTS)),
            "within": Key("whole", "Within how many days; left out: the law that was read does not say.", least=1),
            "count": _DAYS,
            **_CITED,
        },
        Appeal,
    ),
    "keep": Form("keep", {"after": _EVENT, "within": _WITHIN, "count": _DAYS, **_CITED}, Keeping),
    "fees": Form(
        "fees",
        {
            "free_hours": Key("whole", "Hours that cost nothing."),
            "per": Key("choice", "For each of what.", known=("request", "requester_month")),
            "chargeable": Key("words_known", "Work that may be charged.", known=tuple(WORK)),
            "never": Key("words_known", "Work that is charged to nobody.", known=tuple(WORK)),
            "charges": Key("choice", "Once the free hours are used up: what goes beyond them, or the whole.", known=tuple(Charges)),
            "basis": Key("text", "By what it is reckoned."),
            "prepay": Key("flag", "Whether payment may be asked for beforehand."),
            **_CITED,
        },
        Fees,
    ),
    "mailed": Form("mailed", {"within": _WITHIN, "count": _DAYS, **_CITED}, Mailed),
    "litigant": Form("litigant", {"question": Key("text", needed=True), **_CITED}, Litigant),
    "denial": Form("denial", {"needs": Key("words_known", needed=True, known=tuple(DENIAL)), **_CITED}, Needs),
    "log": Form("log", {"needs": Key("words_known", needed=True, known=tuple(LOG)), **_CITED}, Needs),
    "instalments": Form("instalments", dict(_CITED), Instalments),
    "reopening": Form("reopening", {"within": _WITHIN, "count": _DAYS, **_CITED}, Reopening),
    "exemption": Form(
        "an exemption",
        {
            "code": Key("text", "By what reviewers call it.", needed=True),
            "title": Key("text", "What is printed on the box.", needed=True),
            "explanation": Key("text", "What it says, in brief.", needed=True),
            **_CITED,
        },
        Exemption,
    ),
}  # fmt: skip
"""Every table of a law's file."""
_CHOICES: Mapping[tuple[str, ...], Callable[[str], object]] = {
    tuple(Count): Count,
    (Count.WORKING, Count.CALENDAR): Count,
    tuple(AfterHours): AfterHours,
    tuple(DayOne): DayOne,
    tuple(Charges): Charges,
}


# -- reading -----------------------------------------------------------------------------------------------


def load(file: Path) -> Law:
    """The law in a file, or `BadLaw`."""
    try:
        return of_bytes(file.read_bytes(), str(file))
    except OSError as error:
        problem = Problem(1, f"the file cannot be read: {error.strerror}", "Name a YAML file that is there.")
        raise BadLaw(str(file), [problem]) from error


@lru_cache(maxsize=128)
def of_bytes(content: bytes, file: str = "the law") -> Law:
    """The law that these bytes write, or `BadLaw`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadLaw(file, [Problem(line, "this is not UTF-8 text", "Save the file as UTF-8.")]) from error
    return read(text, file)


def read(text: str, file: str = "the law") -> Law:
    """The law that `text` writes, or `BadLaw` with everything that is wrong in it."""
    reading = Reading()
    try:
        law = reading.law(lines.table(lines.read(text), "a law"), file)
    except Wrong as wrong:
        reading.problems.append(wrong.problem)
        raise BadLaw(file, reading.problems) from wrong
    if reading.problems or law is None:
        raise BadLaw(file, reading.problems)
    return law


class Reading:
    """Reads one file by its forms, and goes on after a mistake, so that whoever wrote it sees all of them at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, line: int, what: str, remedy: str = "") -> None:
        self.problems.append(Problem(line, what, remedy))

    def law(self, table: Table, file: str) -> Law | None:
        """The law, or None where something is wrong."""
        made = self.made(table, FORMS["law"], file=file)
        if not isinstance(made, Law):
            return None
        if not made.editions:
            self.wrong(table.of("editions"), "the law has no edition", "Add one: its rules as they hold now.")
        self._check_editions(made)
        self._check_exemptions(made, table)
        return made

    def made(self, table: Table, form: Form, **more: object) -> object | None:
        """The noun that a table makes; None where something in it is wrong."""
        before = len(self.problems)
        self.problems += lines.unknown(table, tuple(form.keys), form.what)
        values: dict[str, object] = dict(more)
        for key, about in form.keys.items():
            node = table.entries.get(key)
            if node is None:
                if about.needed:
                    self.wrong(table.line, f"{form.what} has no {key}", f"Add {key}: to it.")
                continue
            try:
                values[about.field or key] = self._value(node, key, about)
            except Wrong as wrong:
                self.problems.append(wrong.problem)
        return form.make(**values) if len(self.problems) == before else None

    def _value(self, node: Node, key: str, about: Key) -> Any:
        kind, _, of = about.kind.partition(":")
        if kind == "table":
            return self.made(lines.table(node, key), FORMS[of])
        if kind == "tables":
            return self._tables(node, key, FORMS[of])
        return _PLAIN[kind](node, key, about)

    def _tables(self, node: Node, key: str, form: Form) -> tuple[object, ...]:
        found = []
        for item in lines.items(node, key):
            try:
                table = lines.table(item, form.what)
                more = {"line": table.line} if form.make is Edition else {}
                found.append(self.made(table, form, **more))
            except Wrong as wrong:
                self.problems.append(wrong.problem)
        return tuple(one for one in found if one is not None)

    def _check_editions(self, law: Law) -> None:
        """No two hold on one day; labels, codes and tracks are there once and where they are named."""
        labels: dict[str, int] = {}
        for one in law.editions:
            if one.label in labels:
                self.wrong(one.line, f"two editions are called {one.label}", "Give each a label of its own.")
            labels[one.label] = one.line
            if one.since and one.until and one.until <= one.since:
                self.wrong(
                    one.line,
                    f"edition {one.label} ends before it begins",
                    "Until is the first day on which it held no more.",
                )
            self._check_rules(one)
        for place, one in enumerate(law.editions):
            for other in law.editions[place + 1 :]:
                if _meet(one, other):
                    self.wrong(
                        other.line,
                        f"editions {one.label} and {other.label} hold on one day",
                        "Write until: in the earlier one.",
                    )

    def _check_rules(self, one: Edition) -> None:
        codes = [deadline.code for deadline in one.deadlines]
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            self.wrong(one.line, f"two deadlines have the code {code}", "Give each its own.")
        if one.no_clock and one.deadlines:
            self.wrong(
                one.line, "an edition without a statutory clock has deadlines", "Leave out one of the two."
            )
        if not one.no_clock and not one.deadlines and not one.duties:
            self.wrong(
                one.line,
                f"edition {one.label} asks nothing",
                "Write deadlines, duties, or no_clock: and why.",
            )
        named = [(f"extension {rule.code}", rule.deadlines) for rule in one.extensions]
        named += [(f"tolling {rule.code}", rule.deadlines) for rule in one.tolling]
        for what, of in named:
            for code in of:
                if code not in codes:
                    self.wrong(
                        one.line,
                        f"{what} names the deadline {code}, which is not here",
                        lines.nearest(code, codes) if codes else "",
                    )
        tracks = set(one.known_tracks())
        timed: tuple[Deadline | Extension, ...] = (*one.deadlines, *one.extensions)
        for rule in timed:
            for track in set(rule.tracks) - tracks:
                self.wrong(
                    one.line,
                    f"{rule.code} is for the track {track}, which is not here",
                    "Add it to tracks: with a sentence.",
                )
        if STANDARD in one.tracks:
            self.wrong(one.line, f"{STANDARD} is the track that every law has", "Choose another word.")

    def _check_exemptions(self, law: Law, table: Table) -> None:
        codes = [one.code.casefold() for one in law.exemptions]
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            self.wrong(table.of("exemptions"), f"two exemptions have the code {code}", "Give each its own.")


def _meet(one: Edition, other: Edition) -> bool:
    begins = max(one.since or date.min, other.since or date.min)
    return begins < min(one.until or date.max, other.until or date.max)


# -- plain values ------------------------------------------------------------------------------------------


def _text(node: Node, key: str, about: Key) -> str:
    del about
    return lines.text(node, key)


def _flag(node: Node, key: str, about: Key) -> bool:
    del about
    return lines.yes(node, key)


def _whole(node: Node, key: str, about: Key) -> int:
    return lines.whole(node, key, about.least, MOST)


def _day(node: Node, key: str, about: Key) -> date | None:
    del about
    if lines.empty(node):
        return None
    said = lines.text(node, key)
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", said, re.ASCII):
            raise ValueError(said)
        return date.fromisoformat(said)
    except ValueError:
        raise Wrong(node.line, f"{key} is no day: {said!r}", "Write it as 2026-03-31.") from None


def _choice(node: Node, key: str, about: Key) -> object:
    return _CHOICES.get(about.known, str)(lines.choice(node, key, about.known))


def _matching(pattern: str, remedy: str, node: Node, key: str, about: Key) -> str:
    del about
    said = lines.text(node, key)
    if not re.fullmatch(pattern, said):
        raise Wrong(node.line, f"{key} cannot be {said!r}", remedy)
    return said


def _texts(node: Node, key: str, about: Key) -> tuple[str, ...]:
    del about
    return tuple(lines.text(item, key) for item in lines.items(node, key))


def _words_known(node: Node, key: str, about: Key) -> tuple[str, ...]:
    return tuple(lines.choice(item, key, about.known) for item in lines.items(node, key))


def _words_of(node: Node, key: str, about: Key) -> tuple[str, ...]:
    return _texts(node, key, about)


def _events(node: Node, key: str, about: Key) -> tuple[str, ...]:
    del about
    if isinstance(node, lines.Value):
        return (lines.choice(node, key, tuple(EVENTS)),)
    found = tuple(lines.choice(item, key, tuple(EVENTS)) for item in lines.items(node, key))
    if not found:
        raise Wrong(node.line, f"{key} names no event", f"Known are {', '.join(EVENTS)}.")
    return found


def _mapping(node: Node, key: str, about: Key) -> dict[str, str]:
    del about
    table = lines.table(node, key)
    for name in table.entries:
        if not re.fullmatch(WORD, name):
            raise Wrong(
                table.of(name), f"{name!r} is no word for it", "Write it in small letters: commercial."
            )
    return {name: lines.text(value, name) for name, value in table.entries.items()}


_PLAIN: Mapping[str, Callable[[Node, str, Key], object]] = {
    "text": _text,
    "flag": _flag,
    "whole": _whole,
    "day": _day,
    "choice": _choice,
    "name": partial(_matching, NAME, "Write it as us-ak-state."),
    "code": partial(_matching, WORD, "Write it in small letters: determination."),
    "texts": _texts,
    "words_known": _words_known,
    "words_of": _words_of,
    "events": _events,
    "mapping": _mapping,
}
