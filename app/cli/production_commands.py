"""Productions: what would leave and what is in conflict, making one, giving one up, asking one back."""

from __future__ import annotations

import argparse
from pathlib import Path
from uuid import UUID

from app import officers
from app.cli.answer import Answer, say, table
from app.cli.record_commands import identity
from app.cli.session import reason, session
from app.db import Tx
from app.disclosure import asking_back, handing, produced, requests, reviewing
from app.records.nouns import Role


def add_to_disclose(
    disclose: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these among the commands of `disclose`."""
    preview = disclose.add_parser(
        "preview", parents=[common], help="what would leave, and what is in conflict"
    )
    preview.add_argument("request")
    preview.set_defaults(run=_preview)
    produce = disclose.add_parser("produce", parents=[common], help="make a production, or go on with one")
    produce.add_argument("request")
    produce.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    produce.add_argument("--prefix", required=True, metavar="BATES", help="what stands before every number")
    produce.add_argument(
        "--forms", default="", metavar="F,F", help="text, native, pdf, html, csv, xlsx, loadfile, rsmf, wacz, images, proofs, completeness, disposals; all but the last without"
    )  # fmt: skip
    produce.add_argument("--profile", default="relativity", help="whose field names the load file bears")
    produce.add_argument(
        "--more", action="store_true", help="an instalment: more of this request comes later"
    )
    produce.add_argument(
        "--replaces", default="", metavar="PRODUCTION", help="give documents of it anew, under their numbers"
    )
    produce.add_argument(
        "--record", action="append", default=[], metavar="ID", help="which; may be given again"
    )
    produce.add_argument(
        "--supplement", action="store_true", help="only what was not given yet, or would leave otherwise now"
    )
    produce.set_defaults(run=_produce)
    list_ = disclose.add_parser("list", parents=[common], help="the productions, of a request or all")
    list_.add_argument("request", nargs="?")
    list_.set_defaults(run=_list)
    show = disclose.add_parser("show", parents=[common], help="a production, and what it holds")
    show.add_argument("production")
    show.add_argument("--records", action="store_true", help="every record with its numbers")
    show.set_defaults(run=_show)
    for name, help_, run in (
        ("give-up", "build a production no more", _give_up),
        ("claw-back", "write down that a production was asked back", _claw_back),
    ):
        one = disclose.add_parser(name, parents=[common], help=help_)
        one.add_argument("production")
        if name == "claw-back":
            one.add_argument("--ranges", default="", help="which numbers; all of them without")
            one.add_argument(
                "--exemption",
                default="",
                metavar="CODE",
                help="on which ground they should have been withheld",
            )
            one.add_argument(
                "--rule", default="", help="what the notice rests on: a rule, an order, an agreement"
            )
        one.set_defaults(run=run)
    hand_over = disclose.add_parser(
        "hand-over",
        parents=[common],
        help="write down to whom a production is given; with --days, make a link",
    )
    hand_over.add_argument("production")
    hand_over.add_argument("--to", required=True, help="the person or office")
    hand_over.add_argument(
        "--days", type=int, help="for how many days a link works; without, it was given by hand"
    )
    hand_over.set_defaults(run=_hand_over)


def _people(tx: Tx) -> dict[UUID, str]:
    return officers.emails(tx)


def _preview(asked: argparse.Namespace) -> Answer:
    with session(*reviewing.REVIEWERS, Role.AUDITOR) as here:
        with here.archive.store.database.read() as tx:
            request = requests.get(here.archive.store, tx, asked.request)
        plan = here.archive.preview(request, messages=here.messages)
    value = plan.as_json()
    lines = [
        f"{request.number}: {len(plan.order):,} records, {len(plan.withheld):,} withheld, {len(plan.redacted):,} in part",
        *(
            f"{'MUST ' if one.blocks else ''}{one.kind}: {one.record}: {one.what}. {one.next}"
            for one in plan.conflicts
        ),
    ]
    return Answer(value, lines)


def _produce(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    forms = produced.forms(asked.forms.split(","))
    only = [identity(one) for one in asked.record]
    produced.one_of(asked.replaces, only, only_new=asked.supplement)
    with session(*reviewing.REVIEWERS) as here:
        store = here.archive.store
        with store.database.read() as tx:
            request = requests.must_be_open(requests.get(store, tx, asked.request))
        production, built, plan = here.archive.produce(
            request, asked.out, prefix=_prefix(asked.prefix), forms=forms, profile=asked.profile, more=asked.more, replaces=asked.replaces, only=only, only_new=asked.supplement,
            messages=here.messages, by=here.officer, why=why, progress=lambda what, number: say(f"{what}: {number:,}"),
        )  # fmt: skip
    counts = built.counts
    value = produced.told(production, built, plan.conflicts)
    lines = [
        f"{production.number}: {counts.documents:,} documents on {counts.pages:,} pages, {counts.first} to {counts.last}",
        f"{counts.withheld:,} withheld, {counts.redacted:,} in part",
        *(f"left out: {what}: {because}" for what, because in built.left_out),
        *(f"to know: {one.record}: {one.what}" for one in plan.conflicts),
        f"It lies in {built.folder}. Check it: muniment disclose verify {built.folder}",
    ]
    return Answer(value, lines)


def _prefix(written: str) -> str:
    """The prefix with a hyphen where it would run into the number."""
    return f"{written}-" if written[-1:].isdecimal() else written


def _list(asked: argparse.Namespace) -> Answer:
    with session(*reviewing.REVIEWERS, Role.AUDITOR) as here, here.archive.store.database.read() as tx:
        store = here.archive.store
        request = requests.get(store, tx, asked.request).id if asked.request else None
        told = [produced.as_json(one) for one in produced.listed(store, tx, request)]
    rows = [(one["production"], one["state"], one["records"], one["first"], one["last"]) for one in told]
    return Answer(told, table(rows, "production", "state", "records", "first", "last"))


def _show(asked: argparse.Namespace) -> Answer:
    with session(*reviewing.REVIEWERS, Role.AUDITOR) as here, here.archive.store.database.read() as tx:
        production = produced.get(here.archive.store, tx, asked.production)
        told = produced.as_json(production)
        told["given_to"] = handing.as_json(handing.of(here.archive.store, tx, production.key))
        if asked.records:
            told["documents"] = [
                {"record": str(record), "first": production.recipe.bates(first), "pages": pages, "how": how}
                for record, first, pages, how in produced.numbers(tx, production)
            ]
    return Answer(told)


def _give_up(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*reviewing.REVIEWERS) as here, here.archive.store.database.begin() as tx:
        production = produced.get(here.archive.store, tx, asked.production)
        return Answer(
            produced.as_json(produced.give_up(here.archive.store, tx, production, by=here.officer, why=why))
        )


def _claw_back(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*reviewing.REVIEWERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        production = produced.get(store, tx, asked.production)
        done = asking_back.ask_back(
            store, tx, here.archive.laws(), production, ranges=asked.ranges, exemption=asked.exemption, rule=asked.rule,
            by=here.officer, why=why,
        )  # fmt: skip
        return Answer(produced.as_json(done))


def _hand_over(asked: argparse.Namespace) -> Answer:
    why = reason(asked.why)
    with session(*reviewing.REVIEWERS) as here, here.archive.store.database.begin() as tx:
        store = here.archive.store
        production = produced.get(store, tx, asked.production)
        if asked.days is not None:
            handing.folder_in(here.archive.settings.productions, production.number)
        made = handing.hand_over(store, tx, production, asked.to, days=asked.days, by=here.officer, why=why)
        told = handing.as_json([made])[0]
        link = handing.link(here.archive.settings.public_url, made)
    lines = [f"{production.number} is given to {made.to}" + (f" until {told['until']}" if link else "")]
    return Answer({**told, "link": link}, [*lines, *([f"The link, shown this once: {link}"] if link else [])])
