"""What stands at the top of an export, for whoever opens it without this program."""

from __future__ import annotations

OCFL = """# The records of {agency}

This folder is an OCFL 1.1 storage root (https://ocfl.io/1.1/spec/): plain files with digests, to be read without
any program. It stands as of {size} entries of the archive's ledger, signed on {at}, and covers {scope}.
Private messages {messages}.

## Finding things

The archive's own object is `{archive}`. In its newest version:

- `archive.json`: whose archive this is, and how much of what is here;
- `catalog.jsonl`: every other object, one a line, with its path, what it is, and the SHA-512 of its inventory;
- `ledger/`: the signed checkpoint, the key it is signed with, every entry of the ledger one a line (the first is
  entry 0), and timestamps of others;
- `runs.jsonl`, `gaps.jsonl`, `manifests.jsonl`: when pages were read, what is known to be missing and why, and what
  each day was closed with;
- `verify/`: two programs that check a proof, and VERIFY.md, which tells how and what each finding means.

Every page is an object with what the registry said of it (`page.json`), when it was covered and when not
(`coverage.json`), and how it introduced itself (`introduction.json`).

Every record (a post, comment, reply, message or profile) is an object whose folder bears its id: `find . -name
'*ID'`. Each version of the record is a version of the object. The files of a version:

- `record.json`: what was said, by whom, when, and how we know;
- `proof/`: statement, salt, disclosures, ledger entry and proof of this version; `payload/` are the bytes it was read from;
- `evidence/ID/`: an exchange that shows it. `bytes` are the record's own bytes in the answer; `exchange.json` says
  which ranges of the body they were (`start` to `end` in the body, `from` to `to` in the file) and how it was asked for;
- `attachments.json` and `attachments/`: what was attached, as files;
- `counts.json`: likes, shares and views as they were seen, with the newest version only.

A record that was disposed of has a `tombstone.json` and nothing else: when, in which batch, and on what authority.

A file that is the same in two versions is stored once; `inventory.json` of the object says where.

## Checking it

Any OCFL validator checks every digest. `sh verify.sh FOLDER` from `verify/` checks a `proof/` folder (put its files
together as the inventory says, where several versions share some).
"""

WACZ = """# The pages of {agency}

WACZ 1.1.1 files (https://specs.webrecorder.net/wacz/1.1.1/), one or more for each page, to be opened with
ReplayWeb.page, pywb or any other program that reads WACZ. They stand as of {size} entries of the archive's ledger,
signed on {at}, and cover {scope}. Private messages {messages}.

- `catalog.json`: every file with its SHA-256, its page, and what is in it;
- in each file: `archive/` the exchanges as WARC 1.1, `indexes/` where each answer lies, `pages/pages.jsonl` a line for
  each post, `pages/extraPages.jsonl` a line for every other record, `records/versions.jsonl` every version of every
  record, `records/tombstones.jsonl` what was disposed of.

An answer from which something was disposed of is there as a `conversion` with zeros in the holes, and the `metadata`
record after it lists the ranges and why. Posts that were read through an interface, and not as a page of the web, have
a plain rendering made by the archive under their address; it says so.
"""
