"""Numbers and names: one number a page, in order, without a gap, and none of them given twice. Pure.

A number belongs to what was produced under it for ever. What follows in a
later volume or supplement goes on after the last; what is produced anew keeps
the number that it has, with a higher revision, if it still fits into the pages
that it had. Where it needs more pages, it takes new numbers at the end and the
old ones are retired: to squeeze pages in between would make two readings of a
range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC
from uuid import UUID

from app.disclosure.package.recipe import (
    LAST,
    Attached,
    Form,
    Names,
    Numbered,
    Recipe,
    extension,
)
from app.disclosure.released import Item, Released, ReleasedAttachment, Withheld
from app.records.errors import Invalid

MOST = 5_000
"""So many files a numbered folder holds at most."""


class NumbersUsedUp(Invalid):
    """Seven digits are not enough for what comes."""

    code = "numbers-used-up"


@dataclass(slots=True)
class Place:
    """How far numbering has come: the next free number, and how many files of each kind have a name."""

    next: int
    documents: int = 0
    files: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def place(told: Mapping[str, object]) -> Place:
    """What `Place.as_dict` told."""
    files = told["files"]
    assert isinstance(files, dict)
    return Place(
        int(str(told["next"])), int(str(told["documents"])), {str(k): int(v) for k, v in files.items()}
    )


class Numbering:
    """Gives numbers and names to one item after the other, in the order in which they come.

    A family goes on as long as each item answers an earlier one of it. Where
    numbering is taken up again at a `place`, that MUST be where a family begins.
    """

    def __init__(self, recipe: Recipe, place: Place | None = None) -> None:
        self.recipe = recipe
        self.place = place or Place(recipe.first)
        self._thread = ""
        self._begins: dict[UUID, str] = {}
        self._days: dict[str, str] = {}

    def starts(self, item: Item) -> bool:
        """Whether a family begins with this item."""
        return item.in_reply_to is None or item.in_reply_to not in self._begins

    def coming(self, item: Item) -> int:
        """The number that the item's first page will bear if its pages fit into those that it had, or if it is new."""
        earlier = self.recipe.replaces.get(item.id)
        return self.place.next if earlier is None else earlier.first

    def give(self, item: Item, pages: int) -> Numbered:
        """The next document. `pages` MUST be how many it has: at least one."""
        assert pages >= 1
        earlier = self.recipe.replaces.get(item.id)
        fits = earlier is not None and pages <= earlier.pages
        first = earlier.first if earlier is not None and fits else self.place.next
        revision = earlier.revision + 1 if earlier is not None and fits else 1
        last = first + pages - 1
        if last > LAST:
            raise NumbersUsedUp(
                f"{self.recipe.bates(LAST)} is the last number that there is",
                next="Produce in parts, each with a prefix of its own.",
            )
        begins = self.recipe.bates(first)
        if self.starts(item):
            self._thread, self._begins, self._days = begins, {}, {}
        told = Numbered(
            item=item,
            first=first,
            pages=pages,
            begins=begins,
            ends=self.recipe.bates(last),
            volume=self.recipe.volume,
            thread=self._thread,
            parent=self._begins.get(item.in_reply_to) if item.in_reply_to is not None else None,
            revision=revision,
            replaced=earlier.production if earlier is not None else None,
            names=self._names(item, first, pages, revision),
        )
        self._begins[item.id] = begins
        if not fits:
            self.place.next = last + 1
        self.place.documents += 1
        return told

    # -- names ---------------------------------------------------------------------------------------------

    def _names(self, item: Item, first: int, pages: int, revision: int) -> Names:
        forms = self.recipe.forms
        again = f"-v{revision}" if revision > 1 else ""
        name = self.recipe.bates(first).lower() + again
        pdf = self._in("pdf", f"{name}.pdf") if Form.PDF in forms else None
        released = item if isinstance(item, Released) else None
        native = Form.NATIVE in forms and released is not None
        return Names(
            pdf=pdf,
            text=self._in("text", f"{name}.txt") if Form.TEXT in forms else None,
            native=self._in("natives", f"{name}.json")
            if native and released is not None and not released.redacted and not released.withheld_from
            else None,
            images=self._images(pdf, first, pages, again),
            attached=self._attached(released, name) if native and released is not None else (),
            html=f"html/{self._thread.lower()}.html" if Form.HTML in forms else None,
            rsmf=self._day(_day(item)) if Form.RSMF in forms else None,
            wacz=None,
            proof=f"proof/items/{name}" if Form.PROOFS in forms else None,
        )

    def _in(self, kind: str, name: str) -> str:
        """A name in a folder that is not full yet."""
        number = self.place.files.get(kind, 0)
        self.place.files[kind] = number + 1
        return f"{kind}/{number // MOST + 1:04d}/{name}"

    def _images(self, pdf: str | None, first: int, pages: int, again: str) -> tuple[str, ...]:
        if pdf is None or Form.IMAGES not in self.recipe.forms:
            return ()
        if pages == 1:
            return (pdf,)
        return tuple(
            self._in("images", f"{self.recipe.bates(page).lower()}{again}.pdf")
            for page in range(first, first + pages)
        )

    def _attached(self, released: Released, name: str) -> tuple[Attached, ...]:
        leaving: dict[UUID | int, ReleasedAttachment] = {}
        for version in released.versions:
            for one in version.attachments:
                if one.chunks is not None:
                    leaving.setdefault(one.id or id(one), one)
        return tuple(
            Attached(self._in("natives", f"{name}-{number}.{extension(one.media_type)}"), one)
            for number, one in enumerate(leaving.values(), start=1)
        )

    def _day(self, day: str) -> str:
        """The file for what happened in this family on a day."""
        if day not in self._days:
            self._days[day] = self._in("rsmf", f"{self._thread.lower()}-{day.replace('-', '')}.rsmf")
        return self._days[day]


def _day(item: Item) -> str:
    """The day under which an item stands in its conversation: of publication in UTC, else of its first sighting."""
    match item:
        case Released():
            return (item.published_at or item.first_seen).astimezone(UTC).date().isoformat()
        case Withheld():
            return item.day
