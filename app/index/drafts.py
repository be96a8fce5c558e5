"""The words of a search declaration: a draft for a person to sign, as text and as a page to print.

It says what was asked, how it was read, and what was found, with the figures
by which it can be run again; and it says what it does not say. Who signs, under
which statute, and whether at all, is for that person and counsel to decide.

Pure: everything it says comes in as the facts that were kept.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

TITLE = "Declaration of search"
MARK = "DRAFT – NOT SIGNED"
_WIDTH = 96
_STYLE = (
    "<style>body{font:11pt/1.45 serif;max-width:46em;margin:2em auto;padding:0 1em}h2{font-size:1.1em}"
    "dt{font-weight:bold}dd{margin:0 0 .5em;white-space:pre-wrap;overflow-wrap:anywhere}"
    ".mark{border:2px solid;padding:.4em;text-align:center}.line{border-bottom:1px solid;min-height:1.6em}</style>"
)

MATCH = (
    "Words are matched whole and exactly, after Unicode normalization (NFKC) and case folding; nothing is stemmed, corrected or left out unless the query asks for it. A word is a run of letters, digits, combining marks and underscores that begins with a letter, a digit or an underscore.",
    "The whole query is read against one version of a record. A record is found if any of its versions by the stated size of the ledger meets the query; `version:current` narrows to the newest. Each record counts once, and the total is exact.",
    "Dates are days in the time zone stated above. A record without a date of publication meets no condition on that date.",
    "A word is looked for in what was written, and beside it in alt texts, captions, the names of files, titles, and the words of attached files that a program can read. Each of these is a text by itself, and nothing is met across two of them. Words that can only be seen in a picture or heard in sound or film are not searched; how many records could not be searched wholly stands above.",
)

NOT_SAID = (
    "that the archive holds everything that was ever on the pages. What was captured when, and what is known to be missing, is said by the coverage of each page and by the gaps in the ledger;",
    "that the platforms showed the truth, or that the named authors wrote what stands under their names;",
    "that a record which was found is responsive, relevant, admissible or free to be disclosed, or that one which was not found is not;",
    "that the query is the right one for the question in dispute;",
    "what was disposed of under a retention schedule before the search: whether it would have been found cannot be known.",
)


_LACKING = {
    "media_without_text": "pictures, sound or film of which nobody wrote what they show",
    "scanned": "scanned pages without words",
    "protected": "files that are locked with a password",
    "unreadable": "damaged files",
    "too_long": "files too large to be read to their end",
    "unknown_format": "files of a format that is not read",
    "not_kept": "attachments that could not be fetched",
    "not_read": "attachments that had not been read yet",
}
"""What of a record could not be searched, in words."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the draft: its heading, facts with their names, and sentences."""

    heading: str
    facts: Sequence[tuple[str, str]] = ()
    sentences: Sequence[str] = ()
    listed: bool = False
    """Whether the sentences are items of a list."""


def sections(facts: Mapping[str, Any]) -> list[Section]:
    """The draft, part by part."""
    zone = ZoneInfo(facts["time_zone"])
    query, ledger, by = facts["query"], facts["ledger"], facts["made_by"]
    return [
        Section(
            "What was asked",
            [
                ("Query as typed", query["typed"] or "(no words: every record)"),
                *((f"Only {name}", value) for name, value in query["filters"].items()),
                ("Query as understood", query["understood"]),
                *(("Note", note) for note in query["notes"]),
                ("Private messages", "searched" if facts["messages"] else "not searched"),
            ],
        ),
        Section(
            "What was found",
            [
                ("Records found", f"{facts['total']:,}"),
                ("SHA-256 of their ids", facts["records_sha256"]),
                ("Left out for having no date", f"{facts['undated']:,}"),
                (
                    "Ledger entries not searched yet",
                    f"{facts['unsearchable']:,}, of which {facts['unsearchable_versions']:,} captured a version of a record",
                ),
                *_not_searched(facts),
                ("Of those found, with attachments", f"{facts['with_attachments']:,}"),
            ],
            [
                "The digest is taken over the ids of the records found, in small letters, sorted, each followed by a line feed."
            ],
        ),
        *_said(facts),
        Section(
            "In what it was searched",
            [
                ("Archive of", f"{facts['agency']['name']} ({facts['agency']['domain']})"),
                ("As of", f"{ledger['size']:,} entries of the ledger {ledger['origin']}"),
                ("Checkpoint", ledger["checkpoint"].strip()),
                ("Search engine", facts["engine"]),
                ("Edition of the analyser", str(facts["analyser"])),
                *([("Edition of the readers of files", str(facts["readers"]))] if "readers" in facts else []),
                ("Program", f"Muniment {facts['program']}"),
                ("Time zone", facts["time_zone"]),
            ],
        ),
        Section("What “found” means here", (), facts["match"]),
        Section(
            "Who searched, and when",
            [
                ("Searched by", f"{by['name']} <{by['email']}>" if by["name"] else by["email"]),
                ("On", _moment(facts["made_at"], zone)),
                ("Why", facts["why"]),
                ("Number of this draft", facts["id"]),
            ],
        ),
        Section("What this does not say", (), facts["not_said"], listed=True),
        Section(
            "For the person who signs",
            [("Name", ""), ("Title", ""), ("Statute or rule", ""), ("Date", ""), ("Signature", "")],
            [
                "This is a draft that a program wrote out of what it recorded. It declares nothing until a person who knows it to be true signs it. Strike out what you do not know to be true."
            ],
        ),
    ]


def _not_searched(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How many records might be hits by what nobody could search in them; a draft of before does not say."""
    if "not_searched" in facts:
        told = dict(facts["not_searched"])
        number = told.pop("any", 0)
        reasons = "; ".join(f"{_LACKING.get(reason, reason)}: {count:,}" for reason, count in told.items())
        yield (
            "Records that could not be searched wholly, and could be hits by what was not",
            f"{number:,}" + (f" ({reasons})" if reasons else ""),
        )


def _said(facts: Mapping[str, Any]) -> Iterator[Section]:
    """What the question names that is no part of any capture, where it names any."""
    told = facts.get("said_of_records", ())
    if told:
        yield Section(
            "What officers and schedules say of records",
            [
                (one["fact"], f"{one['records']:,} records, SHA-256 of their ids {one['records_sha256']}")
                for one in told
            ],
            [
                f"Tags are given by officers, and series by a schedule's rules or an officer's decision. They are no part of what was captured, and have no history that could be asked for. Here they were read once, when the ledger had {told[0]['read_at']:,} entries; the numbers above count, among the records that there were at the size of the ledger stated below, those of which they held.",
                "Whoever asks this question again is answered with tags and series as they stand then. Each of them that holds of other records than these is then named.",
            ],
        )


def as_text(facts: Mapping[str, Any]) -> str:
    """The draft as plain text."""
    lines = [TITLE.upper(), MARK, ""]
    for section in sections(facts):
        lines += [section.heading, "-" * len(section.heading)]
        for name, value in section.facts:
            lines += _fact(name, value)
        for sentence in section.sentences:
            sign = "- " if section.listed else ""
            lines += textwrap.wrap(sentence, _WIDTH, initial_indent=sign, subsequent_indent=" " * len(sign))
        lines.append("")
    return "\n".join(lines)


def _fact(name: str, value: str) -> Iterator[str]:
    if not value:
        yield f"{name}: {'_' * 48}"
    elif "\n" in value or len(value) > _WIDTH:
        yield f"{name}:"
        yield from (f"    {line}" for line in value.splitlines())
    else:
        yield f"{name}: {value}"


def as_html(facts: Mapping[str, Any]) -> str:
    """The draft as a page to print; nothing in it is anybody's markup but ours."""
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{TITLE} ({MARK})</title>',
        _STYLE,
        f'<h1>{TITLE}</h1><p class="mark">{MARK}</p>',
    ]
    for section in sections(facts):
        parts.append(f"<h2>{html.escape(section.heading)}</h2>")
        if section.facts:
            told = "".join(
                f"<dt>{html.escape(name)}</dt>"
                + (f"<dd>{html.escape(value)}</dd>" if value else '<dd class="line"></dd>')
                for name, value in section.facts
            )
            parts.append(f"<dl>{told}</dl>")
        tag = "li" if section.listed else "p"
        told = "".join(f"<{tag}>{html.escape(sentence)}</{tag}>" for sentence in section.sentences)
        parts.append(f"<ul>{told}</ul>" if section.listed else told)
    return "\n".join([*parts, "</html>", ""])


def _moment(text: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(text).astimezone(zone)
    return f"{at.day} {at:%B %Y, %H:%M:%S} {at:%Z} ({at:%z})"
