"""A mapping to start from: guessed from what columns are commonly called, and left open where only a person knows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

from app.capture.formats import moments
from app.capture.formats.mapping import Row
from app.capture.formats.source import Mark, Unreadable
from app.capture.formats.table import Table

_ROWS = 20_000
_NAMES: dict[str, Sequence[str]] = {
    "native_id": (
        "nativeid", "postid", "messageid", "commentid", "tweetid", "statusid", "itemid", "recordid", "permalinkid",
        "videoid", "mediaid", "id", "uuid", "guid", "begdoc", "begbates", "firstbates", "begindoc", "docid", "documentid",
        "controlnumber", "immutableid", "fileid", "archiveid",
    ),
    "in_reply_to": (
        "inreplyto", "inreplytoid", "parentid", "replyto", "replytoid", "parentcommentid", "parent", "inreplytodoc",
    ),
    "text": (
        "text", "message", "content", "body", "fulltext", "posttext", "commenttext", "posttextcontent", "caption", "description",
        "comment", "title", "commentary", "posttitle", "subject", "emailsubject",
    ),
    "published_at": (
        "publishedat", "published", "publishtime", "createdat", "createdtime", "created", "posted", "posteddate", "postedat", "postdate",
        "datepublished", "datecreated", "timestamp", "datetime", "date", "time", "commentcreatetimestamp", "sent", "senttime",
        "datesent", "sentdate", "sentat", "dateposted", "publisheddate", "publicationdate", "datetimesent", "emaildatesent",
        "messagedate", "docdate",
    ),
    "edited_at": ("editedat", "edited", "updatedat", "updated", "modified", "lastmodified", "updatedtime", "dateedited"),
    "author.name": (
        "author", "authorname", "from", "fromname", "name", "displayname", "sender", "postedby", "user", "fullname", "sentby",
        "emailsender", "authordisplayname", "participant",
    ),
    "author.handle": ("handle", "username", "screenname", "authorhandle", "userhandle"),
    "author.id": ("authorid", "userid", "fromid", "senderid", "profileid", "channelid", "accountid"),
    "url": (
        "url", "link", "permalink", "permalinkurl", "postlink", "posturl", "address", "originalurl", "sourceurl", "directlink",
        "contenturl", "itemurl",
    ),
    "kind": ("kind", "type", "posttype", "itemtype", "recordtype", "contenttype", "doctype", "messagetype"),
    "state": ("state", "status", "visibility"),
    "language": ("language", "lang"),
    "platform": ("platform", "network", "service", "socialnetwork", "networkname", "networktype", "source"),
    "page": ("page", "pagename", "accountname", "profilename", "channelname", "account", "archivedaccount"),
    "attachments": (
        "nativepath", "nativelink", "nativefile", "nativefilepath", "exportnativepath", "attachments", "attachment", "file", "files",
        "filename", "media", "mediafile", "image", "photo", "picture",
    ),
    "html": ("html", "bodyhtml", "contenthtml"),
}  # fmt: skip
_COUNTS = {
    "likes": ("likes", "likecount", "favorites", "favourites", "favoritecount", "reactions", "reactioncount"),
    "shares": ("shares", "sharecount", "retweets", "retweetcount", "reposts"),
    "comments": ("comments", "commentcount", "replies", "replycount"),
    "views": ("views", "viewcount", "impressions", "videoviews"),
}
_FORMS = (
    "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M %p", "%m/%d/%y %H:%M", "%d/%m/%y %H:%M", "%m/%d/%y %I:%M %p", "%d/%m/%y %I:%M %p",
    "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%m-%d-%Y %H:%M", "%d-%m-%Y %H:%M", "%m-%d-%Y", "%d-%m-%Y",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z", "%b %d, %Y %I:%M %p", "%B %d, %Y %I:%M %p", "%b %d, %Y", "%B %d, %Y",
    "%d %b %Y %H:%M", "%d %b %Y", "%d %B %Y",
)  # fmt: skip
CHOOSE = "CHOOSE"
"""Stands where only a person knows; a mapping that says so is refused until somebody has chosen."""


def suggestion(table: Table, *, zone: str, page: tuple[str, str] | None) -> str:
    """A mapping for `table`, as text that a person reads, corrects and keeps."""
    rows = [stretch.found for stretch in islice(table.stretches(Mark()), _ROWS)]
    cells = [row.cells for row in rows if isinstance(row, Row)]
    taken: dict[str, int] = {}
    plain = [re.sub(r"[\W_]", "", name.casefold()) for name in table.columns]
    for field, names in _NAMES.items():
        for name in names:
            place = next(
                (at for at, one in enumerate(plain) if one == name and at not in taken.values()), None
            )
            if place is not None:
                taken[field] = place
                break
    counts = {
        name: at
        for name, names in _COUNTS.items()
        for at, one in enumerate(plain)
        if one in names and at not in taken.values()
    }
    told = [
        f"# A mapping for {_quoted(table.handed.name)}: guessed from the names of its columns. Read it, correct it, keep it.",
        "# Look at what it does with --preview before you import.",
        "mapping: 1",
        *table.reading_suggested(),
        "fields:",
        *_whose(table, taken, page),
        *_identity(table, taken),
        *_kind(table, taken, cells),
    ]
    texts = ("in_reply_to", "text", "html", "url", "language", "author.name", "author.handle", "author.id")
    told += [f"  {field}: {_quoted(table.columns[taken[field]])}" for field in texts if field in taken]
    for field in ("published_at", "edited_at"):
        if field in taken:
            told += _time(
                field, table.columns[taken[field]], [_cell(row, taken[field]) for row in cells], zone
            )
    if "attachments" in taken:
        told.append(
            '  # Paths of files beside this one; where a cell names several, add separator: ";" or what divides them.'
        )
        told.append(f"  attachments: {{column: {_quoted(table.columns[taken['attachments']])}}}")
    if counts:
        told.append(
            f"  counts: {{{', '.join(f'{name}: {_quoted(table.columns[at])}' for name, at in counts.items())}}}"
        )
    rest = [
        name
        for at, name in enumerate(table.columns)
        if at not in taken.values() and at not in counts.values()
    ]
    if rest:
        told.append(f"# Kept in extra, under their own names: {', '.join(map(_quoted, rest))}")
    return "\n".join(told) + "\n"


def _whose(table: Table, taken: dict[str, int], page: tuple[str, str] | None) -> list[str]:
    told = []
    for number, field in enumerate(("platform", "page")):
        if field in taken:
            told.append(f"  {field}: {_quoted(table.columns[taken[field]])}")
        elif page is not None:
            told.append(f"  {field}: {{value: {_quoted(page[number])}}}")
    if not told:
        told.append(
            "  # Whose page was it? Say so here (platform: {value: nixle}, page: {value: Town}), or give --page."
        )
    return told


def _identity(table: Table, taken: dict[str, int]) -> list[str]:
    if "native_id" in taken:
        return [f"  native_id: {_quoted(table.columns[taken['native_id']])}"]
    names = [
        table.columns[taken[field]] for field in ("published_at", "author.name", "text") if field in taken
    ]
    listed = ", ".join(map(_quoted, names or table.columns))
    return [
        "  # No column bears an id: it is made from these. A row that is worded otherwise later becomes another record.",
        f"  native_id: {{derive: [{listed}]}}",
    ]


def _kind(table: Table, taken: dict[str, int], cells: Sequence[Sequence[object]]) -> list[str]:
    """Kind and state: a column is translated word by word, and words that are not ours are left to a person."""
    told = []
    for field, ours in (
        ("kind", ("post", "comment", "reply", "message", "profile")),
        ("state", ("present", "hidden", "absent", "gone")),
    ):
        if field not in taken:
            if field == "kind":
                answers = "comment" if "in_reply_to" in taken else "post"
                told.append(f"  kind: {{value: {answers}}}")
            continue
        words = sorted(
            {str(value).strip() for row in cells if (value := _cell(row, taken[field])) not in {None, ""}}
        )
        if len(words) > 30 and field == "state":
            continue
        listed = ", ".join(
            f"{_quoted(word)}: {word.casefold() if word.casefold() in ours else CHOOSE}"
            for word in words[:30]
        )
        if f": {CHOOSE}" in listed:
            told.append(f"  # {CHOOSE} is one of {', '.join(ours)}.")
        told.append(f"  {field}: {{column: {_quoted(table.columns[taken[field]])}, values: {{{listed}}}}}")
    return told


def _time(field: str, column: str, values: Sequence[object], zone: str) -> list[str]:
    """The forms that read every value; where day and month could change places in all of them, a person chooses."""
    written = [
        str(value).strip() for value in values if isinstance(value, (str, int, float)) and str(value).strip()
    ]
    fitting = [form for form in (moments.ISO, *_FORMS) if written and _reads(form, written)]
    if not written:
        form, note = moments.ISO, "the cells hold dates of the workbook"
    elif all(re.fullmatch(r"\d{12,14}", one) for one in written):
        form, note = moments.EPOCH_MS, "milliseconds since 1970"
    elif all(re.fullmatch(r"\d{9,11}(\.\d+)?", one) for one in written):
        form, note = moments.EPOCH, "seconds since 1970"
    elif not fitting:
        form, note = CHOOSE, f"no form that is known reads all of them; the first is {written[0][:60]!r}"
    elif moments.turned(fitting[0]) in fitting:
        form, note = (
            CHOOSE,
            f"day or month first? {fitting[0]} and {moments.turned(fitting[0])} both read all of them",
        )
    else:
        form, note = fitting[0], "reads all of the first rows"
    told = f"  {field}: {{column: {_quoted(column)}, format: {_quoted(form)}"
    bears = moments.bears_zone(form) or (
        form == moments.ISO and written and all(_zoned(one) for one in written)
    )
    if not bears:
        told += f", zone: {zone}"
        note += "; the zone is the agency's, which the file does not say"
    return [f"  # {note}", told + "}"]


def _reads(form: str, written: Sequence[str]) -> bool:
    times = moments.Times([form], None)
    for one in written:
        try:
            times.read(one, "")
        except Unreadable as error:
            if "no time zone" not in str(error):
                return False
    return True


def _zoned(text: str) -> bool:
    try:
        return (
            datetime.fromisoformat(text).astimezone(UTC) is not None
            and datetime.fromisoformat(text).tzinfo is not None
        )
    except (ValueError, OverflowError):
        return False


def _cell(row: Sequence[object], place: int) -> object:
    return row[place] if place < len(row) else None


def _quoted(text: str) -> str:
    """Text as YAML reads it whatever it holds."""
    return json.dumps(text, ensure_ascii=False)
