"""The doors at which platforms tell by themselves, over the API: how they stand. The doors themselves are `/hooks/…`."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from app.capture import hooks
from app.capture.hooks import Counted, Standing
from app.web.parts import Here
from app.web.transactions import ReadTx
from app.web.who import MayEnter

router = APIRouter(prefix="/hooks", tags=["pages"])


class CountedOut(BaseModel):
    """How often something became of what came to a door, and when last; `why` is said of refusals."""

    count: int
    last: datetime
    why: str | None = None

    @classmethod
    def of(cls, told: Counted) -> "CountedOut":
        return cls(count=told.count, last=told.last, why=told.why or None)


class DoorOut(BaseModel):
    """The door of one connector. `lacks` is what the operator has yet to give."""

    connector: str
    address: str
    set_up: bool
    lacks: str | None
    greeted: CountedOut | None
    accepted: CountedOut | None
    repeated: CountedOut | None
    unknown: CountedOut | None
    """Entries about pages that are not in the registry, or were never captured whole."""
    paused: CountedOut | None
    """Entries about pages that are paused."""
    refused: list[CountedOut]

    @classmethod
    def of(cls, told: Standing) -> "DoorOut":
        return cls.model_validate(told.as_dict())


@router.get("")
def list_doors(_: MayEnter, here: Here, tx: ReadTx) -> list[DoorOut]:
    """The doors of every platform that has a page here and can tell by itself."""
    standing = hooks.standing(tx, here.doors(), here.settings.public_url)
    return [DoorOut.of(one) for one in standing]
