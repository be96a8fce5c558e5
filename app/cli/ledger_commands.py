"""Others vouch for the ledger: timestamps now, and being a witness for the ledger of another agency."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli.answer import Answer, say
from app.cli.session import EVERYONE, session
from app.records.clock import SystemClock
from app.records.errors import Unavailable
from app.settings import Settings
from app.store import witness
from app.store.anchors import Anchoring, NoAuthority
from app.store.note import NoteBroken, Verifier
from app.store.witness import BadWitness


class NobodyVouched(Unavailable):
    """Every authority and witness failed; each failure is written down, and they are asked again."""

    code = "nobody-vouched"


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others; `ledger` is there already."""
    ledger = next(
        action
        for action in commands.choices["ledger"]._actions  # noqa: SLF001 - argparse has no other way to add to it
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - the same
    )
    ledger.add_parser(
        "anchor",
        parents=[common],
        help="have the ledger as it stands timestamped and cosigned by everybody who is configured",
    ).set_defaults(run=_anchor)

    serving = commands.add_parser("witness", help="being a witness for the ledgers of others").add_subparsers(
        dest="witness", required=True, metavar="ACT"
    )
    serve = serving.add_parser(
        "serve",
        parents=[common],
        help="sign checkpoints that continue what was seen before; needs no archive",
    )
    serve.add_argument(
        "--name", required=True, help="the witness's name, such as archives.state.example/witness"
    )
    serve.add_argument(
        "--log",
        action="append",
        required=True,
        type=Path,
        metavar="FILE",
        help="a file with the verifier keys of ledgers to witness, one a line",
    )
    serve.add_argument(
        "--folder", type=Path, help="where the key and what was seen are kept; by default HOME/witness"
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8090)
    serve.set_defaults(run=_witness)


def _anchor(asked: argparse.Namespace) -> Answer:
    with session(*EVERYONE) as here:
        told = here.archive.anchor(by=here.officer.id, why=asked.why.strip() or "asked for")
    if (
        not told.kept
        and not any(one.entry is not None for one in told.seen)
        and not told.failed
        and not told.seen
    ):
        raise NoAuthority(
            "nobody is configured who could timestamp or cosign the ledger",
            next="Set MUNIMENT_TIMESTAMP_URLS, MUNIMENT_WITNESSES or both.",
        )
    return _answer(told)


def _answer(told: Anchoring) -> Answer:
    failed = [(one.authority, one.error) for one in told.failed]
    failed += [(one.witness, one.error) for one in told.seen if one.error is not None]
    done = [one for one in told.seen if one.entry is not None]
    if failed and not told.kept and not done:
        raise NobodyVouched(
            "; ".join(f"{whom}: {error}" for whom, error in failed),
            next="Capture goes on meanwhile; `muniment doctor` says how long nobody vouched.",
        )
    value = {
        "size": told.size,
        "anchors": [
            {
                "authority": one.authority,
                "at": one.at.isoformat(),
                "entry": one.entry,
                "token": one.digest.hex(),
            }
            for one in told.kept
        ],
        "cosignatures": [{"witness": one.witness, "entry": one.entry} for one in done],
        "failed": [{"whom": whom, "code": error.code, "says": str(error)} for whom, error in failed],
    }
    lines = [f"{told.size} entries"]
    lines += [f"timestamped by {one.authority} at {one.at.isoformat()}" for one in told.kept]
    lines += [f"cosigned by {one.witness}" for one in done]
    lines += [f"FAILED {whom}: {error}" for whom, error in failed]
    return Answer(value, lines, exit_code=5 if failed else 0)


def _witness(asked: argparse.Namespace) -> None:
    logs = [key for file in asked.log for key in _keys(file)]
    desk = witness.Desk(
        asked.folder or Settings().home.resolve() / "witness", asked.name, logs, SystemClock()
    )
    try:
        server = witness.Server(desk, asked.host, asked.port)
        try:
            say(
                f"witness for {', '.join(key.name for key in logs)} on http://{asked.host}:{server.server_port}"
            )
            print(desk.cosigner.key().line(), flush=True)
            server.serve_forever()
        finally:
            server.server_close()
    finally:
        desk.close()


def _keys(file: Path) -> list[Verifier]:
    try:
        return [Verifier.parse(line) for line in file.read_text().splitlines() if line]
    except (OSError, UnicodeDecodeError, NoteBroken) as error:
        raise BadWitness(
            f"{file} holds no verifier keys: {error}", next="Write one key a line, as `log.vkey` has it."
        ) from error
