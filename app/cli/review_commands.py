"""Selection and review: what answers a request, what is taken out of it, and who looked."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from app import officers
from app.capture import records
from app.cli.answer import Answer, table
from app.cli.record_commands import identity
from app.cli.session import Session, reason, session
from app.db import Tx
from app.disclosure import (
    assembling,
    lists,
    matching,
    redacting,
    requests,
    reviewing,
    selecting,
    showing,
    trying,
)
from app.disclosure.redacting import BadRedaction, Field, Region, Span, Where, Whole
from app.disclosure.requests import Request
from app.disclosure.reviewing import Looked, Standing
from app.index.engine import IndexBusy
from app.index.questions import Filters, Question
from app.records.errors import Invalid
from app.records.nouns import Record, Role

WORKERS = reviewing.REVIEWERS
_MOST = 10_000


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    review = commands.add_parser(
        "review", help="what is taken out of records before they leave"
    ).add_subparsers(dest="review", required=True, metavar="ACT")
    redact = _on_record(review, common, "redact", "take something out of every rendition of a record")
    where = redact.add_mutually_exclusive_group(required=True)
    where.add_argument("--span", metavar="START:END", help="characters of the text, counted from 0")
    where.add_argument("--words", help="these words, wherever the version has them")
    where.add_argument(
        "--field",
        choices=tuple(redacting.FIELDS),
        help="who wrote it, where it stands, or what stands beside it",
    )
    where.add_argument(
        "--region", metavar="PAGE:LEFT,TOP,RIGHT,BOTTOM", help="of --attachment, in ten-thousandths"
    )
    redact.add_argument("--version", type=int, help="which version the characters are of; the newest without")
    redact.add_argument("--attachment", metavar="ID")
    _ground(redact)
    redact.set_defaults(run=_redact)
    withhold = _on_record(review, common, "withhold", "keep a record back whole, or one attachment of it")
    withhold.add_argument("--attachment", metavar="ID")
    _ground(withhold)
    withhold.set_defaults(run=_withhold)
    leave = _on_record(
        review, common, "release-attachment", "let an attachment leave whole although something else does not"
    )
    leave.add_argument("attachment")
    leave.set_defaults(run=_leave)
    keep = _on_record(
        review,
        common,
        "keep",
        "let words stay that were suggested to be taken out, or are taken out elsewhere",
    )
    stays = keep.add_mutually_exclusive_group(required=True)
    stays.add_argument("--span", metavar="START:END", help="characters of the text, counted from 0")
    stays.add_argument("--words", help="these words, wherever the version has them")
    stays.add_argument(
        "--field", choices=tuple(redacting.FIELDS), help="details: what stands beside the words"
    )
    keep.add_argument("--version", type=int)
    keep.set_defaults(run=_keep, region=None)
    for name, help_, run in (
        ("retract", "take a redaction or decision back", _retract),
        ("approve", "approve somebody else's redaction, as a second person", _approve),
    ):
        one = review.add_parser(name, parents=[common], help=help_)
        one.add_argument("redaction", nargs="+", metavar="ID")
        one.set_defaults(run=run)
    show = _on_record(review, common, "show", "a record with what was decided of it and what is suggested")
    show.add_argument("--minors", type=Path, metavar="FILE", help="names to be protected, one a line")
    show.set_defaults(run=_show)
    queue = review.add_parser("list", parents=[common], help="the records of a request, and how far they are")
    queue.add_argument("request")
    queue.add_argument(
        "--only", choices=("unlooked", "once", "mine", "redacted", "withheld"), help="narrow the list"
    )
    queue.add_argument("--limit", type=int, default=50)
    queue.add_argument("--after", type=int, default=0, metavar="KEY", help="go on after this key")
    queue.set_defaults(run=_queue)
    for name, help_ in (
        ("look", "say that you looked through records"),
        ("assign", "give records to somebody to look through"),
    ):
        one = review.add_parser(name, parents=[common], help=help_)
        one.add_argument("request")
        one.add_argument("record", nargs="*")
        one.add_argument("--all", action="store_true", help="everything that is selected")
        if name == "assign":
            one.add_argument("--to", required=True, metavar="EMAIL")
        one.set_defaults(run=_look if name == "look" else _assign)
    two = review.add_parser("two-persons", parents=[common], help="ask for a second person's approval")
    two.add_argument("request")
    two.add_argument("--no-more", action="store_true", help="one person is enough again")
    two.set_defaults(run=_two)


def add_to_request(
    request: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put selecting and confirming among the commands of requests."""
    select = request.add_parser("select", parents=[common], help="select what answers it")
    select.add_argument("id")
    select.add_argument("--query", help="everything that this question finds")
    select.add_argument("--add", action="store_true", help="beside what is selected already")
    select.add_argument("--families", action="store_true", help="with the posts and answers of every hit")
    select.add_argument("--as-of", type=int, metavar="SIZE", help="as of an earlier size of the ledger")
    for name in ("page", "platform", "author", "kind", "state"):
        select.add_argument(f"--{name}")
    select.add_argument("--from", dest="since", metavar="DATE")
    select.add_argument("--to", dest="until", metavar="DATE")
    select.add_argument(
        "--record", action="append", default=[], metavar="ID", help="by hand; may be given again"
    )
    select.add_argument(
        "--without", action="append", default=[], metavar="ID", help="take out by hand; may be given again"
    )
    select.set_defaults(run=_select)
    confirm = request.add_parser("confirm", parents=[common], help="confirm that the selection answers it")
    confirm.add_argument("id")
    confirm.set_defaults(run=_confirm)
    again = request.add_parser("selection", parents=[common], help="how it was selected, step by step")
    again.add_argument("id")
    again.set_defaults(run=_selection)


def _on_record(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    common: argparse.ArgumentParser,
    name: str,
    what: str,
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, parents=[common], help=what)
    made.add_argument("request")
    made.add_argument("record")
    return made


def _ground(command: argparse.ArgumentParser) -> None:
    command.add_argument("--exemption", required=True, metavar="CODE", help="code or citation of the ground")
    command.add_argument("--explanation", default="", help="how it applies, for the log")
    command.add_argument(
        "--only-here", action="store_true", help="the same words may leave in other records of the request"
    )


def _people(tx: Tx) -> dict[UUID, str]:
    return officers.emails(tx)


def _record(here: Session, tx: Tx, named: str) -> Record:
    return records.there(here.archive.store, tx, identity(named), messages=here.messages, by=here.officer.id)


def _spans(record: Record, asked: argparse.Namespace) -> list[Where]:
    """What is to be taken out, from what was written."""
    if asked.field:
        return [Field(asked.field)]
    if asked.region:
        return [_region(asked.attachment, asked.region)]
    number = asked.version or record.version.number
    if asked.span:
        return [_span(number, asked.span)]
    text = record.version.text("text") or ""
    if number != record.version.number:
        raise BadRedaction("--words are looked for in the newest version", next="Give --span with --version.")
    found = matching.found([matching.folded(asked.words)], matching.read(text))
    if not found:
        raise BadRedaction("the record does not have these words", next="Look: muniment review show.")
    return [Span(number, start, end) for start, end in found]


def _span(version: int, written: str) -> Span:
    start, colon, end = written.partition(":")
    if not colon or not start.isdecimal() or not end.isdecimal():
        raise BadRedaction(f"{written!r} is no START:END", next="Count characters from 0, such as 12:20.")
    return Span(version, int(start), int(end))


def _region(attachment: str | None, written: str) -> Region:
    page, colon, box = written.partition(":")
    sides = box.split(",")
    if not attachment:
        raise BadRedaction("a region is of an attachment", next="Name it: --attachment ID.")
    if not colon or not page.isdecimal() or len(sides) != 4 or not all(one.isdecimal() for one in sides):
        raise BadRedaction(f"{written!r} is no PAGE:LEFT,TOP,RIGHT,BOTTOM", next="Such as 1:0,0,5000,2500.")
    left, top, right, bottom = (int(one) for one in sides)
    return Region(identity(attachment), int(page), left, top, right, bottom)


def _made(asked: argparse.Namespace, wanted: Sequence[Where] | None) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here:
        store = here.archive.store
        if asked.attachment and getattr(asked, "region", None):
            with store.database.read() as tx:
                requests.must_be_open(requests.get(store, tx, asked.request))
                record = _record(here, tx, asked.record)
            trying.region(store, record, _region(asked.attachment, asked.region), asked.exemption)
        with store.database.begin() as tx:
            request = requests.get(store, tx, asked.request)
            record = _record(here, tx, asked.record)
            made = [
                reviewing.redact(
                    store, tx, request, record, where, asked.exemption, explanation=asked.explanation,
                    only_here=asked.only_here, by=here.officer, why=why,
                )
                for where in (wanted if wanted is not None else _spans(record, asked))
            ]  # fmt: skip
            people = _people(tx)
            listed = reviewing.grounds(request, asked.exemption).listed
    told = [showing.standing(one, people) for one in made]
    value: dict[str, object] = {**told[0], "redactions": told, "listed": listed}
    lines = [f"{one['what']} of {asked.record}: {one['exemption']} ({one['id']})" for one in told]
    if not listed:
        lines.append(
            f"Note: {asked.exemption} is not in the list of {request.law}; it stands as you wrote it."
        )
    return Answer(value, lines)


def _redact(asked: argparse.Namespace) -> Answer:
    return _made(asked, None)


def _withhold(asked: argparse.Namespace) -> Answer:
    return _made(asked, [Whole(identity(asked.attachment) if asked.attachment else None)])


def _leave(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        request = requests.get(store, tx, asked.request)
        record = _record(here, tx, asked.record)
        made = reviewing.let_leave(
            store, tx, request, record, identity(asked.attachment), by=here.officer, why=why
        )
        return _told(made, _people(tx))


def _keep(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        request = requests.get(store, tx, asked.request)
        record = _record(here, tx, asked.record)
        made = [
            reviewing.keep_words(store, tx, request, record, where, by=here.officer, why=why)
            for where in _spans(record, asked)
            if isinstance(where, Span | Field)
        ]
        people = _people(tx)
        lines = [line for one in made for line in _told(one, people).lines]
        return Answer({**showing.standing(made[0], people), "kept": [str(one.id) for one in made]}, lines)


def _told(made: Standing, people: Mapping[UUID, str]) -> Answer:
    told = showing.standing(made, people)
    return Answer(told, [f"{told['kind']}: {told['what']} ({told['id']})"])


def _retract(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        entries = [
            reviewing.retract(here.archive.store, tx, identity(one), by=here.officer, why=why)
            for one in asked.redaction
        ]
    return Answer({"retracted": asked.redaction, "entries": entries}, [f"retracted {len(entries)}"])


def _approve(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        entries = [
            reviewing.approve(here.archive.store, tx, identity(one), by=here.officer, why=why)
            for one in asked.redaction
        ]
    return Answer({"approved": asked.redaction, "entries": entries}, [f"approved {len(entries)}"])


def _show(asked: argparse.Namespace) -> Answer:
    with session(*WORKERS, Role.AUDITOR) as here, here.archive.store.database.read() as tx:
        store = here.archive.store
        request = requests.get(store, tx, asked.request)
        record = _record(here, tx, asked.record)
        made = reviewing.of_record(store, tx, record.key)
        read = assembling.one(store, tx, record)
        own = lists.read(here.archive.settings.request_laws_folder())
        names = [*own.minors, *(lists.names(asked.minors) if asked.minors else ())]
        suggested = reviewing.suggestions(
            store, read, made, minors=names, dictionaries=own.dictionaries,
            earlier=reviewing.earlier(store, tx, record.key),
        )  # fmt: skip
        looked = reviewing.looked(tx, request.id, [record.key]).get(record.key, Looked())
        value = showing.reviewed(read, made, looked, suggested, _people(tx))
    lines = [
        f"{read.record.kind} {read.record.id} on {read.record.page.name}",
        *(f"  version {one.number}: {(one.text('text') or '')[:200]}" for one in read.versions),
        *(f"  {redacting.told(one.where)}: {one.code or one.kind} ({one.id})" for one in made),
        *(
            f"  suggested, version {number}: {one.start}:{one.end} {one.kind} ({one.why})"
            for number, found in suggested.items()
            for one in found
        ),
    ]
    return Answer(value, lines)


def _queue(asked: argparse.Namespace) -> Answer:
    with session(*WORKERS, Role.AUDITOR) as here, here.archive.store.database.read() as tx:
        store = here.archive.store
        request = requests.get(store, tx, asked.request)
        queue = reviewing.queue(
            tx, request.id, only=asked.only or "", mine=here.officer.id, after=asked.after,
            limit=max(1, min(asked.limit, _MOST)),
        )  # fmt: skip
        people = _people(tx)
        progress = reviewing.progress(tx, request.id)
        two = reviewing.needs_two(tx, request.id)
        found = records.read(store, tx, [one.key for one in queue], messages=here.messages)
    by_key = {one.key: one for one in found}
    told = [
        {
            "record": str(by_key[one.key].id), "kind": by_key[one.key].kind, "state": one.state,
            "assigned": people.get(one.looked.assigned) if one.looked.assigned else None,
            "looked": people.get(one.looked.first) if one.looked.first else None,
            "second": people.get(one.looked.second) if one.looked.second else None,
        }
        for one in queue
        if one.key in by_key
    ]  # fmt: skip
    value = {
        "request": str(request.id), "number": request.number, "records": told,
        "next": queue[-1].key if queue else None, **showing.progress(progress, people, two_persons=two),
    }  # fmt: skip
    rows = [(one["record"], one["kind"], one["state"], one["looked"] or "") for one in told]
    return Answer(value, table(rows, "record", "kind", "decided", "looked"))


def _marked(asked: argparse.Namespace, here: Session, tx: Tx) -> tuple[Request, list[int]]:
    store = here.archive.store
    request = requests.get(store, tx, asked.request)
    if asked.all == bool(asked.record):
        raise Invalid("name the records, or say --all", next="One of both.")
    if asked.all:
        return request, selecting.of(tx, request.id)
    return request, [_record(here, tx, one).key for one in asked.record]


def _look(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        request, keys = _marked(asked, here, tx)
        first, second = reviewing.look(here.archive.store, tx, request, keys, by=here.officer, why=why)
    return Answer(
        {"looked": first, "second": second}, [f"{first:,} looked through, {second:,} a second time"]
    )


def _assign(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        request, keys = _marked(asked, here, tx)
        to = officers.find(tx, asked.to)
        number = reviewing.assign(here.archive.store, tx, request, keys, to, by=here.officer, why=why)
    return Answer(
        {"assigned": number, "to": to.email}, [f"{number:,} records are {to.email}'s to look through"]
    )


def _two(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        request = requests.get(here.archive.store, tx, asked.request)
        entry = reviewing.ask_for_two(
            here.archive.store, tx, request, not asked.no_more, by=here.officer, why=why
        )
    return Answer(
        {"request": str(request.id), "two_persons": not asked.no_more, "entry": entry},
        [f"{request.number}: {'one person is' if asked.no_more else 'two persons are'} asked for"],
    )


# -- selection -------------------------------------------------------------------------------------------


def _select(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    filters = Filters(
        page=asked.page, platform=asked.platform, author=asked.author, kind=asked.kind, state=asked.state,
        since=asked.since, until=asked.until,
    )  # fmt: skip
    by_question = asked.query is not None or bool(filters.as_json())
    if by_question + bool(asked.record) + bool(asked.without) != 1:
        raise Invalid(
            "a selection is a question, or records by hand",
            next="Give --query Q, or --record ID, or --without ID.",
        )
    with session(*WORKERS) as here:
        store = here.archive.store
        with store.database.read() as tx:
            request = requests.must_be_open(requests.get(store, tx, asked.id))
            people = _people(tx)
        if by_question:
            with contextlib.suppress(IndexBusy):  # the service follows already
                here.archive.follow()
            found = selecting.find(
                store, here.archive.index, Question(asked.query or "*", filters), size=asked.as_of,
                whole_families=asked.families, messages=here.messages,
            )  # fmt: skip
            with store.database.begin() as tx:
                made = selecting.choose(store, tx, request, found, add=asked.add, by=here.officer, why=why)
        else:
            with store.database.begin() as tx:
                made = selecting.by_hand(
                    store, tx, request, add=[identity(one) for one in asked.record],
                    remove=[identity(one) for one in asked.without], by=here.officer, why=why,
                )  # fmt: skip
    value = {"id": str(request.id), "number": request.number, **showing.selection(made, people)}
    lines = [f"{request.number}: {made.n:,} records are selected"]
    if late := made.detail.get("unsearchable_versions"):
        lines.append(f"{late:,} versions could not be searched yet: ask again before you confirm.")
    if undated := made.detail.get("undated"):
        lines.append(f"{undated:,} records are left out only because nobody knows when they were published.")
    return Answer(value, lines)


def _confirm(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*WORKERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        request = requests.get(store, tx, asked.id)
        made = selecting.confirm(store, tx, request, by=here.officer, why=why)
        value = {
            "id": str(request.id), "number": request.number, "state": requests.get(store, tx, asked.id).state,
            **showing.selection(made, _people(tx)),
        }  # fmt: skip
    return Answer(value, [f"{request.number}: {made.n:,} records are confirmed, and held"])


def _selection(asked: argparse.Namespace) -> Answer:
    with session(*WORKERS, Role.AUDITOR) as here, here.archive.store.database.read() as tx:
        store = here.archive.store
        request = requests.get(store, tx, asked.id)
        told = [showing.selection(one, _people(tx)) for one in selecting.history(store, tx, request.id)]
    rows = [(one["how"], one["selected"], one["why"]) for one in told]
    return Answer({"id": str(request.id), "steps": told}, table(rows, "how", "selected", "why"))
