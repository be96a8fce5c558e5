"""Making an archive, serving it, and looking after it: commands of the operator."""

from __future__ import annotations

import argparse
import sys

from app import main as builder
from app import officers
from app.cli.answer import Answer
from app.demo import show
from app.settings import Settings


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    init = commands.add_parser("init", parents=[common], help="make the archive")
    init.add_argument("--agency", required=True, help="the agency's name")
    init.add_argument("--domain", required=True, help="the agency's domain; the ledger is named after it")
    init.add_argument("--timezone", required=True, help="the agency's time zone, such as America/Juneau")
    init.add_argument("--admin", required=True, metavar="EMAIL", help="the first account")
    init.set_defaults(run=_init)

    serve = commands.add_parser("serve", parents=[common], help="the service: API, pages, nightly work")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.set_defaults(run=_serve)

    upgrade = commands.add_parser(
        "upgrade", parents=[common], help="bring the databases to this version's form"
    )
    upgrade.set_defaults(run=_upgrade)

    doctor = commands.add_parser("doctor", parents=[common], help="what is well and what needs doing")
    doctor.set_defaults(run=_doctor)

    demo = commands.add_parser(
        "demo", parents=[common], help="a demonstration archive of an invented town, then the service"
    )
    demo.add_argument("--host", default="127.0.0.1")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--no-serve", action="store_true", help="only make it")
    demo.set_defaults(run=_demo)


def _init(asked: argparse.Namespace) -> Answer:
    settings = Settings()
    if not officers.is_address(asked.admin):
        raise officers.BadEmail(f"{asked.admin!r} is no e-mail address")
    store = builder.make(settings, agency=asked.agency, domain=asked.domain, timezone=asked.timezone)
    with store.database.begin() as tx:
        first = officers.first(store, tx, asked.admin)
    store.ledger.checkpoint()
    store.database.close()
    store.keyring.database.close()
    told = {
        "home": str(settings.home.resolve()),
        "admin": asked.admin,
        "password": first.password,
        "token": first.token,
    }
    return Answer(
        told,
        [
            f"The archive of {asked.agency} is in {told['home']}.",
            f"Account:  {asked.admin}",
            f"Password: {first.password}",
            f"Token:    {first.token}",
            "Keep the password and the token; they are not shown again.",
            f"Back up {settings.master_key()} and the keyring apart from everything else: whoever loses them loses the archive.",
        ],
    )


def _serve(asked: argparse.Namespace) -> None:
    builder.serve(Settings(), asked.host, asked.port)


def _upgrade(_asked: argparse.Namespace) -> Answer:
    done = builder.upgrade_all(Settings())
    return Answer({"upgraded": done}, [f"{name} is up to date" for name in done])


def _doctor(_asked: argparse.Namespace) -> Answer:
    told = builder.doctor(Settings())
    lines = [
        f"{'ok  ' if item['ok'] else 'FAIL' if item['needed'] else 'note'}  {item['what']}: {item['says']}"
        for item in told
    ]
    failed = [item for item in told if item["needed"] and not item["ok"]]
    return Answer({"checks": told, "ok": not failed}, lines, exit_code=5 if failed else 0)


def _demo(asked: argparse.Namespace) -> Answer | None:
    show.run(Settings(), host=asked.host, port=asked.port, serve=not asked.no_serve, say=_say)
    return None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
