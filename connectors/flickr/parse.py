"""What Flickr's answers say, as observations. Asks nobody.

A photo and a video are known by their id, an album by `album/` and its own. A
comment is known by what it stands under and its id, `PHOTO/COMMENT`, since
whether it was removed or its photo was is told by that photo alone.

`lastupdate` is no time of an edit: it moves with every comment, and stands
beside the words. So do tags and licence, whose bytes are kept with the photo.

What an item is follows from the item alone, so that it is the same wherever it
was met: a reply where the page's own person comments, else a comment. What
stands under a photo that the public is not shown is hidden with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from connectors.contract import Attachment, Author, Kind, Observation, Span, State
from connectors.flickr.reading import Comment, is_told, moment, number, said
from connectors.pieces import Seen
from connectors.text import plain

SITE = "https://www.flickr.com"

_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_LINES = re.compile(r" ?\n ?")
_BREAKS = re.compile(r"\n{3,}")

LICENCES: Mapping[str, str] = {
    "0": "All Rights Reserved",
    "1": "CC BY-NC-SA 2.0",
    "2": "CC BY-NC 2.0",
    "3": "CC BY-NC-ND 2.0",
    "4": "CC BY 2.0",
    "5": "CC BY-SA 2.0",
    "6": "CC BY-ND 2.0",
    "7": "No known copyright restrictions",
    "8": "United States Government Work",
    "9": "Public Domain Dedication (CC0)",
    "10": "Public Domain Mark",
    "11": "CC BY 4.0",
    "12": "CC BY-SA 4.0",
    "13": "CC BY-ND 4.0",
    "14": "CC BY-NC 4.0",
    "15": "CC BY-NC-SA 4.0",
    "16": "CC BY-NC-ND 4.0",
}
"""The licences by the numbers that Flickr gives them."""

SIZES = ("6k", "5k", "4k", "3k", "k", "h", "l", "c", "z", "m", "w", "n", "s", "q", "t", "sq")
"""Smaller copies of a picture, the largest first, by the ends of their names in a list ("url_k")."""

_LABELS: Mapping[str, str] = {
    "Original": "o",
    "X-Large 6K": "6k",
    "X-Large 5K": "5k",
    "X-Large 4K": "4k",
    "X-Large 3K": "3k",
    "Large 2048": "k",
    "Large 1600": "h",
    "Large": "l",
    "Medium 800": "c",
    "Medium 640": "z",
    "Medium": "m",
    "Small 400": "w",
    "Small 320": "n",
    "Small": "s",
    "Large Square": "q",
    "Thumbnail": "t",
    "Square": "sq",
}
"""What the same copies are called in a list of one photo's sizes."""

_EXTRAS = (
    "description", "license", "date_upload", "date_taken", "last_update", "owner_name", "path_alias", "realname",
    "original_format", "tags", "machine_tags", "views", "media", "safety_level", "geo", "count_comments", "count_faves",
    "url_o", *(f"url_{size}" for size in SIZES),
)  # fmt: skip
EXTRAS = ",".join(_EXTRAS)
"""What a list of photos is asked to say of each, so that none of them has to be asked for by itself."""


# -- photos and videos ---------------------------------------------------------------------------------------


def photo(
    row: Mapping[str, Any],
    evidence: Sequence[Span],
    sizes: Sequence[Mapping[str, Any]] = (),
    *,
    files_told: bool = True,
) -> Observation:
    """A photo or a video, as it stands in a list; `sizes` are its files, where they were asked for and `files_told`."""
    name, writer = said(row["id"]), said(row.get("owner"))
    title, description = said(row.get("title")).strip(), said(row.get("description"))
    licence = said(row.get("license"))
    return Observation(
        native_id=name,
        kind=Kind.POST,
        state=state_of(row),
        author=_author(writer, row.get("ownername"), row.get("pathalias")),
        text="\n\n".join(told for told in (title, words(description)) if told),
        html=description if "<" in description else None,
        url=f"{SITE}/photos/{writer}/{name}/" if writer else None,
        published_at=moment(row.get("dateupload")),
        attachments=tuple(_files(row, name, sizes)) if files_told else (),
        files_told=files_told,
        counts=_counted(
            views=number(row.get("views")),
            comments=number(row.get("count_comments")),
            faves=number(row.get("count_faves")),
        ),
        extra=_told(
            media=said(row.get("media")),
            lastupdate=said(row.get("lastupdate")),
            taken=None if said(row.get("datetakenunknown")) == "1" else said(row.get("datetaken")),
            tags=said(row.get("tags")).split(),
            machine_tags=said(row.get("machine_tags")).split(),
            licence=LICENCES.get(licence, licence),
            visible_to=_visible_to(row),
            safety_level=said(row.get("safety_level")),
            latitude=said(row.get("latitude")) if _is_placed(row) else "",
            longitude=said(row.get("longitude")) if _is_placed(row) else "",
        ),
        evidence=tuple(evidence),
    )


def as_row(told: Mapping[str, Any]) -> dict[str, Any]:
    """A photo that was asked for by itself, written as it would stand in a list."""
    owner, dates = _inside(told, "owner"), _inside(told, "dates")
    tags = _inside(told, "tags").get("tag")
    shown = [one for one in tags if isinstance(one, dict)] if isinstance(tags, list) else []
    clean = [one for one in shown if said(one.get("machine_tag")) not in {"1", "true", "True"}]
    machine = [one for one in shown if one not in clean]
    return {
        **_inside(told, "visibility"),
        **_inside(told, "location"),
        "id": told["id"],
        "secret": told.get("secret"),
        "owner": owner.get("nsid"),
        "ownername": owner.get("username"),
        "pathalias": owner.get("path_alias"),
        "title": told.get("title"),
        "description": told.get("description"),
        "license": told.get("license"),
        "safety_level": told.get("safety_level"),
        "media": told.get("media"),
        "views": told.get("views"),
        "dateupload": told.get("dateuploaded") or dates.get("posted"),
        "lastupdate": dates.get("lastupdate"),
        "datetaken": dates.get("taken"),
        "datetakenunknown": dates.get("takenunknown"),
        "count_comments": told.get("comments"),
        "tags": " ".join(said(one) for one in clean),
        "machine_tags": " ".join(said(one) for one in machine),
    }


def addresses(told: Mapping[str, Any]) -> dict[str, str]:
    """Where the files of a photo lie by Flickr's own rule, as a list would name them, from what is told of it alone."""
    name, server = said(told.get("id")), said(told.get("server"))
    secret, original = said(told.get("secret")), said(told.get("originalsecret"))
    at = f"https://live.staticflickr.com/{server}/{name}"
    found = {"url_l": f"{at}_{secret}_b.jpg"}
    if original:
        found["url_o"] = f"{at}_{original}_o.{said(told.get('originalformat')) or 'jpg'}"
    return found


def is_video(row: Mapping[str, Any]) -> bool:
    """Whether it moves: a list then names stills alone, and its files are asked for by themselves."""
    return said(row.get("media")) == "video"


def state_of(row: Mapping[str, Any]) -> State:
    """How a photo stands: what is for friends, for family or for nobody is hidden from the public."""
    told = row.get("ispublic")
    return State.HIDDEN if told is False or said(told) in {"0", "false"} else State.PRESENT


def sizes_of(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The files of one photo, as Flickr lists them."""
    listed = told.get("size")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def tells_files(told: Mapping[str, Any], *, moving: bool) -> bool:
    """Whether the files of one photo or video tell which one stands for it, although one of them may be of another shape.

    So they do where the original can be read, or where there is none to be had and a copy can be read.
    """
    listed = told.get("size")
    if not isinstance(listed, list):
        return False
    sizes = [one for one in sizes_of(told) if _is_size(one)]
    if len(sizes) == len(listed):
        return True
    copies = [one for one in sizes if (said(one.get("media")) == "video") == moving and _is_file(one)]
    original = "Video Original" if moving else "Original"
    return any(said(one.get("label")) == original for one in copies) or (
        bool(copies) and said(told.get("candownload")) == "0"
    )


def _is_size(one: Mapping[str, Any]) -> bool:
    return bool(said(one.get("label")) and said(one.get("source"))) and is_told(one.get("media"))


# -- albums --------------------------------------------------------------------------------------------------


def album(row: Mapping[str, Any], person: str, evidence: Sequence[Span]) -> Observation:
    """An album: what the agency wrote about it. Which photos it holds is the photos' own affair."""
    name, writer = said(row["id"]), said(row.get("owner")) or person
    title, description = said(row.get("title")).strip(), said(row.get("description"))
    return Observation(
        native_id=f"album/{name}",
        kind=Kind.POST,
        author=_author(writer, row.get("username"), None),
        text="\n\n".join(told for told in (title, words(description)) if told),
        html=description if "<" in description else None,
        url=f"{SITE}/photos/{writer}/albums/{name}",
        published_at=moment(row.get("date_create")),
        counts=_counted(
            photos=number(row.get("count_photos")),
            videos=number(row.get("count_videos")),
            comments=number(row.get("count_comments")),
            views=number(row.get("count_views")),
        ),
        extra=_told(primary=said(row.get("primary")), updated=said(row.get("date_update"))),
        evidence=tuple(evidence),
    )


# -- comments ------------------------------------------------------------------------------------------------


def comment(seen: Seen[Comment], root: str, ours: str, *, hidden: bool) -> Observation:
    """What somebody said below `root`. Flickr tells no time of an edit."""
    told, content = seen.what, said(seen.what.content)
    writer, name, alias = (
        said(told.author),
        said(told.authorname) or said(told.realname),
        said(told.path_alias),
    )
    return Observation(
        native_id=f"{root}/{told.id}",
        kind=Kind.REPLY if writer == ours else Kind.COMMENT,
        state=State.HIDDEN if hidden else State.PRESENT,
        author=Author(id=writer or None, name=name or None, handle=alias or None)
        if writer or name or alias
        else None,
        text=words(content),
        html=content if "<" in content else None,
        url=said(told.permalink) or None,
        in_reply_to=root,
        published_at=moment(told.datecreate),
        extra=_told(
            realname=said(told.realname),
            author_deleted="1" if said(told.author_is_deleted) == "1" else None,
        ),
        evidence=(seen.span,),
    )


# -- who it is -----------------------------------------------------------------------------------------------


def person(told: Mapping[str, Any], evidence: Sequence[Span]) -> Observation:
    """A person's introduction, with the picture that stands for them."""
    name, title = said(told["id"]), said(told.get("realname")) or said(told.get("username"))
    description = said(told.get("description"))
    return Observation(
        native_id=name,
        kind=Kind.PROFILE,
        author=_author(name, told.get("username"), told.get("path_alias")),
        text="\n\n".join(one for one in (title, words(description)) if one),
        html=description if "<" in description else None,
        url=f"{SITE}/people/{name}/",
        attachments=tuple(_icon(told, name)),
        counts=_counted(photos=number(_inside(told, "photos").get("count"))),
        extra=_told(
            realname=said(told.get("realname")),
            location=said(told.get("location")),
            first_photo=said(_inside(told, "photos").get("firstdate")),
        ),
        evidence=tuple(evidence),
    )


def group(told: Mapping[str, Any], evidence: Sequence[Span]) -> Observation:
    """A group's introduction and its rules."""
    name, description, rules = said(told["id"]), said(told.get("description")), said(told.get("rules"))
    return Observation(
        native_id=name,
        kind=Kind.PROFILE,
        author=Author(
            id=name, name=said(told.get("name")) or None, handle=said(told.get("path_alias")) or None
        ),
        text="\n\n".join(one for one in (said(told.get("name")), words(description), words(rules)) if one),
        html=description if "<" in description else None,
        url=f"{SITE}/groups/{name}/",
        attachments=tuple(_icon(told, name)),
        counts=_counted(
            members=number(told.get("members")),
            photos=number(told.get("pool_count")),
            topics=number(told.get("topic_count")),
        ),
        extra=_told(privacy=said(told.get("privacy"))),
        evidence=tuple(evidence),
    )


# -- pieces --------------------------------------------------------------------------------------------------


def words(written: str) -> str:
    """The words of what Flickr writes as HTML, in which a line ends as in plain text.

    The addresses in square brackets, by which Flickr names other people and
    photos, are words: they are what was typed.
    """
    if "<" in written:
        return plain(written.replace("\n", "<br>"))
    told = _LINES.sub("\n", _SPACES.sub(" ", unescape(written)))
    return _BREAKS.sub("\n\n", told).strip()


def _files(row: Mapping[str, Any], name: str, sizes: Sequence[Mapping[str, Any]]) -> Sequence[Attachment]:
    """The file itself where its owner permits that, else the largest copy.

    The file's secret changes when another one takes its place, and with
    nothing else, so it names the file. Which copy is the largest does not: a
    larger one that is made later shows the same.
    """
    mark = f"{name}:{said(row.get('secret'))}"
    moving = [one for one in sizes if said(one.get("media")) == "video" and _is_file(one)]
    if is_video(row) and moving:
        original = next((one for one in moving if said(one.get("label")) == "Video Original"), None)
        best = original or max(moving, key=_height)
        return [Attachment(id=f"{'original' if original else 'video'}:{mark}", url=said(best.get("source")))]
    known = {
        _LABELS.get(said(one.get("label")), ""): said(one.get("source"))
        for one in sizes
        if said(one.get("media")) != "video"
    }
    addresses = {size: said(row.get(f"url_{size}")) or known.get(size, "") for size in ("o", *SIZES)}
    if addresses["o"] and not is_video(row):
        return [Attachment(id=f"original:{mark}", url=addresses["o"])]
    shown = next((addresses[size] for size in SIZES if addresses[size]), "")
    return [Attachment(id=f"{'still' if is_video(row) else 'copy'}:{mark}", url=shown)] if shown else []


def _height(one: Mapping[str, Any]) -> int:
    """How large a video is; old ones are told by their names alone ("700")."""
    return number(one.get("height")) or number(said(one.get("label")).removesuffix("p")) or 0


def _is_file(one: Mapping[str, Any]) -> bool:
    """Whether it is a file: the player is a page."""
    return said(one.get("label")) != "Video Player" and bool(said(one.get("source")))


def _icon(told: Mapping[str, Any], name: str) -> Sequence[Attachment]:
    """The picture that stands for a person or a group; without a server it is Flickr's own for everybody."""
    server = number(told.get("iconserver"))
    if not server:
        return []
    address = f"https://live.staticflickr.com/{server}/buddyicons/{name}.jpg"
    return [Attachment(id=f"icon:{server}", url=address)]


def _author(name: str, called: Any, alias: Any) -> Author | None:
    return Author(id=name or None, name=said(called) or None, handle=said(alias) or None) if name else None


def _visible_to(row: Mapping[str, Any]) -> str:
    if state_of(row) is State.PRESENT:
        return ""
    named = [who for who in ("friend", "family") if said(row.get(f"is{who}")) == "1"]
    return " and ".join(named) or "nobody"


def _is_placed(row: Mapping[str, Any]) -> bool:
    """Whether it says where: Flickr writes zeros where it does not."""
    return number(row.get("accuracy")) not in {None, 0}


def _inside(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _counted(**counts: int | None) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count is not None}


def _told(**told: object) -> dict[str, object]:
    return {name: one for name, one in told.items() if one not in (None, "", [], {})}
