"""Backup and restore: two sets out, two sets in."""

from __future__ import annotations

import argparse
from pathlib import Path
from uuid import UUID

from app import main
from app.cli.answer import Answer
from app.cli.session import reason, session
from app.records.errors import Invalid
from app.records.nouns import Role
from app.settings import Settings
from app.store.backup import kept
from app.store.backup.kept import KeyCopy
from app.store.backup.taking import Taken

BROKEN = 6


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Put these commands among the others."""
    backup = commands.add_parser(
        "backup", parents=[common], help="copy data and keys into two empty folders, while everything goes on"
    )
    backup.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="where the data go; left out: the keys alone"
    )
    backup.add_argument("--keys", type=Path, metavar="FOLDER", help="where the keys go: apart from the data")
    backup.add_argument(
        "--since",
        type=Path,
        metavar="EARLIER",
        help="an earlier data set on the same disk; objects that it has are not copied again",
    )
    backup.add_argument(
        "--destroyed", metavar="ID", help="note that the copy of the keys of an earlier backup is destroyed"
    )
    backup.set_defaults(run=_backup)

    restore = commands.add_parser(
        "restore", parents=[common], help="put a backup into the empty MUNIMENT_HOME and databases"
    )
    restore.add_argument("folder", type=Path, metavar="FOLDER", help="the data set")
    restore.add_argument("--keys", type=Path, required=True, metavar="FOLDER", help="the newest keys set")
    restore.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a signed checkpoint that somebody holds: the newest tells how far the ledger had come",
    )
    restore.add_argument(
        "--nothing-since",
        action="store_true",
        help="the archive was stopped before the backup and has not run since: its ledger goes on",
    )
    restore.add_argument(
        "--with-damage",
        action="store_true",
        help="restore everything else where objects of the set are missing or damaged",
    )
    restore.set_defaults(run=_restore)


def _backup(asked: argparse.Namespace) -> Answer:
    if asked.destroyed is not None:
        return _destroyed(asked)
    with session(Role.ADMINISTRATOR, Role.RECORDS_OFFICER) as here:
        taken = here.archive.backup(
            asked.folder,
            asked.keys,
            since=asked.since,
            by=here.officer,
            why=asked.why.strip() or "a backup",
        )
    return _taken(taken)


def _taken(taken: Taken) -> Answer:
    data, keys = taken.data, taken.keys
    damaged = [] if data is None else data.damaged
    told = {
        "backup": taken.backup.hex,
        "data": None
        if data is None
        else {
            "folder": str(data.folder),
            "entries": data.size,
            "objects": data.objects,
            "bytes": data.bytes,
            "linked": data.linked,
        },
        "keys": None
        if keys is None
        else {
            "folder": str(keys.folder),
            "epoch": keys.copy.epoch,
            "expires": keys.copy.expires.isoformat(),
            "disposed": keys.disposed,
        },
        "destroy": [_copy_json(one) for one in taken.to_destroy],
        "findings": [
            {
                "code": one.code,
                "what": one.what,
                "where": one.object,
                "next": "Restore it from an earlier backup.",
            }
            for one in damaged
        ],
    }
    lines = [f"backup {taken.backup}"]
    if data is not None:
        lines.append(f"data in {data.folder}: {data.size} entries, {data.objects} objects")
    if keys is not None:
        lines.append(f"keys in {keys.folder}: destroy them on {keys.copy.expires:%Y-%m-%d} at the latest")
    lines += [
        f"TO DESTROY: the keys of {one.at:%Y-%m-%d} in {one.place} (backup {one.backup})"
        for one in taken.to_destroy
    ]
    lines += [f"DAMAGED in the archive itself: {one.what}" for one in damaged]
    return Answer(told, lines, exit_code=BROKEN if damaged else 0)


def _copy_json(copy: KeyCopy) -> dict[str, object]:
    return {"backup": copy.backup.hex, "folder": copy.place, "expired": copy.expires.isoformat()}


def _destroyed(asked: argparse.Namespace) -> Answer:
    try:
        backup = UUID(hex=asked.destroyed)
    except ValueError as error:
        raise Invalid(f"{asked.destroyed!r} is no id of a backup") from error
    if asked.folder is not None or asked.keys is not None:
        raise Invalid("--destroyed stands alone")
    with session(Role.ADMINISTRATOR, Role.RECORDS_OFFICER) as here, here.archive.store.database.begin() as tx:
        copy = kept.destroyed(here.archive.store, tx, backup, by=here.officer.id, why=reason(asked.why))
    return Answer(
        {"backup": copy.backup.hex, "destroyed": True}, [f"the keys of backup {copy.backup} are destroyed"]
    )


def _restore(asked: argparse.Namespace) -> Answer:
    settings = Settings()
    done = main.restore(
        settings,
        asked.folder,
        asked.keys,
        token=_token(settings),
        why=asked.why.strip() or "restored from a backup",
        checkpoints=asked.checkpoint,
        nothing_since=asked.nothing_since,
        with_damage=asked.with_damage,
    )
    restored, replayed = done.restored, done.replayed
    agency = restored.store.agency
    lost = None if restored.lost is None else {"from": restored.lost[0], "to": restored.lost[1]}
    told = {
        "restored": {
            "home": str(done.home),
            "data": done.sets.of_data.backup.hex,
            "data_of": done.sets.of_data.at.isoformat(),
            "keys": done.sets.of_keys.backup.hex,
            "keys_of": done.sets.of_keys.at.isoformat(),
            "by": done.by.hex if done.by else None,
        },
        "ledger": {
            "epoch": int(agency.origin.rpartition("/")[2]),
            "origin": agency.origin,
            "size": done.size,
            "lost": lost,
            "because": restored.begun,
        },
        "disposals_replayed": replayed.records,
        "secrets_forgotten": replayed.forgotten,
        "withdrawn": [one.hex for one in replayed.withdrawn],
        "indexed": done.indexed,
        "findings": [finding.as_dict() for finding in restored.findings],
    }
    lines = [f"restored into {done.home}: {done.size} entries, {done.indexed} records in the index"]
    lines += _ledger_lines(agency.origin, restored.lost, restored.begun)
    lines.append(f"{replayed.records} records were disposed of again")
    lines += [f"authorised and not destroyed, now withdrawn: record {one}" for one in replayed.withdrawn]
    lines += [f"{one.code}: {one.what} ({one.where}). {one.next}" for one in restored.findings]
    lines.append("Now: muniment verify --full, then muniment backup --keys FOLDER, then muniment serve.")
    return Answer(told, lines, exit_code=BROKEN if restored.findings else 0)


def _ledger_lines(origin: str, lost: tuple[int, int | None] | None, begun: str | None) -> list[str]:
    if lost is None:
        return [f"the ledger goes on as {origin}: nothing that was signed is lost"]
    first, end = lost
    gone = (
        f"entries {first} to {end - 1} are lost"
        if end is not None
        else f"what came after entry {first - 1} is not known"
    )
    return [
        f"A NEW EPOCH of the ledger begins: {origin}. {gone}; {begun}.",
        "Give the new verifier key to whoever holds checkpoints: /api/v1/ledger/vkey",
    ]


def _token(settings: Settings) -> str:
    """The token of whoever restores, where there is one."""
    if settings.token or settings.token_file is None:
        return settings.token
    try:
        return settings.token_file.read_text().strip()
    except OSError:
        return ""
