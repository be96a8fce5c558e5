"""Write points: every place in the program where bytes become durable, by name.

A name is the function and what it does: `store.objects.Folder.put rename`. It
is read from the source, and from the stack of a running process, in the same
words; so a place that nobody named is noticed, and one that was named can be
killed at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from app import ROOT

APP = ROOT / "app"
_CALLS = {
    "fsync": "sync",
    "fdatasync": "sync",
    "rename": "rename",
    "replace": "rename",
    "link": "link",
    "symlink_to": "link",
    "hardlink_to": "link",
    "unlink": "remove",
    "remove": "remove",
    "rmtree": "remove",
    "rmdir": "remove",
    "ftruncate": "truncate",
    "begin": "commit",
}
"""Calls by which something becomes durable, or is gone for good."""
_OWN = {"link": {"os"}, "remove": {"os"}}
"""Words that others use too: they count only where they belong to one of these."""
_TRANSACTIONS = Path("db/database.py")


def in_source() -> set[str]:
    """The names of all write points, as the source of the program has them."""
    found: set[str] = set()
    for file in sorted(APP.rglob("*.py")):
        inner = file.relative_to(APP)
        if inner.parts[0] != "demo" and inner != _TRANSACTIONS:
            module = ".".join(inner.with_suffix("").parts).removesuffix(".__init__")
            found |= named_in(file.read_text(), module)
    return found


def named_in(source: str, module: str) -> set[str]:
    """The names of the write points of one module."""
    return set(_in(ast.parse(source), module, ""))


def _in(tree: ast.AST, module: str, around: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        inner = around
        if isinstance(node, ast.ClassDef):
            inner = f"{around}{node.name}."
        elif isinstance(node, ast.FunctionDef):
            inner = f"{around}{node.name}.<locals>."
        elif isinstance(node, ast.Lambda):
            inner = f"{around}<lambda>.<locals>."
        elif isinstance(node, ast.Call) and (what := _durable(node)):
            yield f"{module}.{around.removesuffix('<locals>.').removesuffix('.')} {what}"
        elif isinstance(node, ast.Constant) and "wal_checkpoint" in str(node.value):
            yield f"{module}.{around.removesuffix('<locals>.').removesuffix('.')} sync of SQLite"
        yield from _in(node, module, inner)


def _durable(call: ast.Call) -> str | None:
    """What a call makes durable; `replace` with two arguments is a text's, and that of the tiles has a name of its own."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _CALLS:
        return None
    name, owner = call.func.attr, ast.unparse(call.func.value)
    if name in _OWN and owner not in _OWN[name]:
        return None
    if name == "replace" and (len(call.args) != 1 or call.keywords or owner == "self.tiles"):
        return None
    if name == "begin" and not owner.endswith("database"):
        return None
    return _CALLS[name]


def of_frame(frame: FrameType | None, kind: str, path: str) -> str | None:
    """The name of what a running process does now: the innermost function of the program, and what becomes of `path`."""
    if path.endswith("-wal") and kind == "sync":
        kind = "commit"
    elif path.endswith((".db", ".db-wal", ".db-journal")) and kind != "commit":
        kind = f"{kind} of SQLite"
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(f"{APP}/") and not file.endswith(f"/{_TRANSACTIONS}"):
            module = file[len(str(APP)) + 1 : -3].replace("/", ".").removesuffix(".__init__")
            return f"{module}.{frame.f_code.co_qualname} {kind}"
        frame = frame.f_back
    return None


WRITE_POINTS = frozenset(
    {
        # Keeping: objects, keyring, then one transaction.
        "store.objects.Folder.put sync",
        "store.objects.Folder.put rename",
        "store.folders.sync sync",
        "store.keyring.Keyring.keep commit",
        "capture.keep._Batch.write commit",
        "capture.attachments.keep commit",
        # A run, from its first row to its last.
        "capture.run._Running.go commit",
        "capture.run._Running._pass commit",
        "capture.run._Running._unfetched commit",
        "capture.run._Running._end commit",
        "capture.importing._Import.go commit",
        "capture.importing._Import._make_pages commit",
        "capture.importing._Import._end commit",
        # The ledger: what is remembered as signed, the checkpoint, tiles, and those who vouch for it.
        "store.keyring.Keyring.note_signed commit",
        "store.ledger.Ledger.checkpoint commit",
        "store.ledger.Ledger._put sync",
        "store.ledger.Ledger._put rename",
        "store.ledger.Ledger._make_anew remove",
        "store.tiles.Tiles._write rename",
        "store.tiles._sync sync",
        "store.tiles.Tiles._settle remove",
        "store.tiles.Tiles.replace rename",
        "store.tiles.Tiles.replace remove",
        "store.anchors.anchor commit",
        "store.witness._keep commit",
        "store.witness._put sync",
        "store.witness._put rename",
        # Keys: made, wrapped anew, destroyed.
        "store.keyring.Keyring._named_or_made commit",
        "store.keyring.Keyring._rewrap commit",
        "store.keyring.Keyring._empty_log sync of SQLite",
        "store.keyring.MasterKeys._write sync",
        "store.keyring.MasterKeys._write link",
        "store.keyring.MasterKeys._write rename",
        "store.keyring.MasterKeys._sync sync",
        "store.keyring.MasterKeys._shred sync",
        "store.keyring.MasterKeys._shred remove",
        # Destroying: the tombstone, then secrets, objects, and the last look.
        "store.destruction.execution._part commit",
        "store.keyring.Keyring.forget commit",
        "store.destruction.aftermath._unlink commit",
        "store.destruction.aftermath._discard commit",
        "store.destruction.seeing.verify commit",
        "store.objects.Folder.discard remove",
        "store.objects.Folder.sweep remove",
        # Retention and holds: what is captured is classified and covered, everything is by other rules; releases that are due.
        "retention.classifying._round commit",
        "retention.classifying._next commit",
        "retention.classifying._begun commit",
        "retention.classifying._go_on commit",
        "holds.releasing.settle commit",
        "holds.following._advance commit",
        # An archive is made.
        "db.migrate.upgrade commit",
        "main.make commit",
    }
)
"""Where the kill suite kills, before and after."""

ELSEWHERE = {
    "web.": "one transaction of rows a request, and nothing beside it: the commit is the database's own",
    "cli.": "one transaction of rows a command, and nothing beside it",
    "jobs.": "one transaction of rows a step of the night, and nothing beside it",
    "capture.connecting.": "one transaction of rows a visit, and nothing beside it",
    "capture.applications.": "one transaction of rows, and nothing beside it",
    "capture.hooks.": "one transaction of rows a delivery, and nothing beside it; tests/steps/test_hooks.py breaks it off before, within and after, and the run that reads what it left",
    "capture.introductions.": "one transaction of rows, and nothing beside it",
    "capture.renewing.": "tests/crash/test_refresh_crashes.py kills here, with a platform that gives tokens once",
    "capture.run._Running._failed commit": "one transaction of rows: the page is disconnected",
    "capture.importing._Import._chunks commit": "one transaction of rows: the lease is renewed",
    "capture.importing._Import._missed commit": "one transaction of rows: a file was not there",
    "index.": "derived: whatever is left of it is thrown away and made anew",
    "main.Archive.": "an export that was broken off is begun again; nothing of the archive lies in it",
    "holds.acts.stir commit": "one transaction of rows: an entry with nothing in it",
    "holds.noticing._send commit": "one transaction of rows before and after a letter; what was not written down is sent again",
    "holds.placing.preview commit": "one transaction of rows; tests/crash/test_hold_crashes.py breaks placing and releasing off around it",
    "retention.classifying._from_the_list commit": "one transaction of rows; tests/steps/test_classifying.py stops behind it",
    "retention.classifying.forget_disposed commit": "one transaction of rows; what is left of it goes the next time",
    "disposition.replay.": "one transaction of rows at a time; a restore that was broken off is begun again",
    "disposition.executing.": "tests/crash/test_disposition_crashes.py kills here, before, between and after its parts",
    "disclosure.letters.send commit": "one transaction of rows, and a letter that is sent again where it was not written down",
    "disclosure.reminding.tonight commit": "one transaction of rows a request, and nothing beside it",
    "holds.letter.preservation commit": "one transaction of rows; the letter was set before it, and is set again",
    "papers.": "a folder of its own for what is being set; what a killed process left is removed by the next",
    "disclosure.package.": "tests/crash/test_package_crashes.py kills here; a production that was broken off goes on, and nothing of the archive lies in it",
    "store.bag.": "a bag that was broken off is packed anew; nothing of the archive lies in it",
    "disposition.transferring.": "one transaction of rows, after the bag is whole; packed again, the newest bag counts",
    "disposition.certifying.": "one transaction of rows, and nothing beside it",
    "disposition.nightly.": "one transaction of rows a proposal, and nothing beside it",
    "main._who commit": "one transaction of rows, and nothing beside it",
    "store.keyring.Keyring.forget_named commit": "one transaction of the keyring: the key of an epoch that a restore ended",
    "store.backup.": "tests of backup and restore break it off themselves; the archive is only read",
    "store.outgoing.": "an export that was broken off is begun again; nothing of the archive lies in it",
    "store.keyring.Keyring.rotate commit": "writes nothing: it keeps new secrets out while the key file is written",
    "store.keyring.Keyring._destroy_old commit": "writes nothing: as above",
    "store.keyring.MasterKeys._write remove": "what an earlier process left half written; nothing reads it",
    "store.tiles.Tiles.mend rename": "puts back what a kill between the two steps of a replacement left; the kills there reach it",
    "store.objects.Folder.put remove": "only after an error: what could not be written whole",
    "store.witness._put remove": "what an earlier process left half written; nothing reads it",
    "store.witness._tried commit": "one transaction of rows: a witness did not answer",
}
"""Where it does not, and why."""
