"""What the web door is handed by the builder. It makes nothing itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol
from uuid import UUID

from fastapi import Depends, Request

from app.capture.connecting import Desk
from app.capture.due import Due
from app.capture.hooks import Door, Refusals
from app.capture.pacing import Pace
from app.capture.pages import About, Guard
from app.db import Tx
from app.disclosure.requests import Request as PublicRequest
from app.disposition.disposing import Disposing
from app.index.engine import Engine
from app.officers import Mailer
from app.records.nouns import Officer, Page, Record
from app.retention.standing import Standing
from app.settings import Settings
from app.store.store import Store

if TYPE_CHECKING:
    from app.disclosure.producing import Plan


class AddPage(Protocol):
    """Puts a page into the registry after its connector has understood the address."""

    def __call__(
        self,
        connector: str,
        address: str,
        *,
        name: str | None,
        custodian: str,
        options: Mapping[str, str],
        by: UUID,
        why: str,
        about: About | None = None,
    ) -> Page: ...


class StartCapture(Protocol):
    """Starts capturing a page and returns at once.

    MUST raise `PagePaused` or `PageBusy` where that is known already; what
    happens afterwards is told by the run.
    """

    def __call__(self, page_id: UUID, by: UUID, why: str) -> None: ...


class Invitation(Protocol):
    """A manager who was invited to connect a page."""

    @property
    def email(self) -> str: ...
    @property
    def until(self) -> datetime: ...
    @property
    def link(self) -> str | None:
        """The link, where no letter could be sent; None where one was."""
        ...


class InviteManager(Protocol):
    """Sends a page's manager the link that lets them connect it."""

    def __call__(self, page: Page, email: str, by: Officer, why: str) -> Invitation: ...


class TakeEvidence(Protocol):
    """Writes the WARC of a record to `out`, with the entry and the access that taking it leaves."""

    def __call__(self, record: Record, out: Path, *, by: Officer, why: str) -> object: ...


class TakeProof(Protocol):
    """Writes the proof folder of a version to `out`, with the entry and the access that taking it leaves."""

    def __call__(self, record: Record, out: Path, *, number: int | None, by: Officer, why: str) -> object: ...


class Productions(Protocol):
    """Makes productions, and keeps the folders of those that were asked for over the web."""

    def preview(self, request: PublicRequest, *, messages: bool) -> "Plan":
        """What a production would hold, and everything that is in conflict."""
        ...

    def make(
        self,
        request: PublicRequest,
        *,
        prefix: str,
        forms: Sequence[str],
        profile: str,
        messages: bool,
        more: bool = False,
        only_new: bool = False,
        replaces: str = "",
        only: Sequence[UUID] = (),
        by: Officer,
        why: str,
    ) -> dict[str, object]:
        """Make and issue one, or go on with one; what it holds. MUST refuse what would keep somebody waiting for long."""
        ...

    def folder(self, number: str) -> Path:
        """Where a production's folder lies, or `FolderElsewhere`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that the pages and the API stand on."""

    store: Store
    settings: Settings
    version: str
    mailer: Mailer
    """MUST be an `Outbox` where mail is set up: whoever asks for a reset must not notice whether it was sent."""
    add_page: AddPage
    capture: StartCapture
    desk: Desk
    """Where pages are connected by their managers."""
    invite_manager: InviteManager
    write_evidence: TakeEvidence
    write_proof: TakeProof
    index: Engine
    disposing: Disposing
    """What disposes of records: the schedules, every hold, and what is derived."""
    door: Callable[[str], Door | None] = lambda _connector: None
    """The door at which a connector's platform tells by itself; None where there is none."""
    doors: Callable[[], Sequence[Door]] = tuple
    """All of them."""
    refusals: Refusals = field(default_factory=Refusals)
    """What was refused there."""
    guards: Sequence[Guard] = ()
    """What is asked before a page is paused or removed."""
    usual_pace: Pace = field(default_factory=Pace)
    """How pages are captured that have no pace of their own."""
    to_do: Callable[[Tx], Sequence[Due]] = lambda _tx: ()
    """What needs doing beside the pages, for the overview."""
    productions: Productions | None = None
    """Where productions are made and kept that are asked for over the web; None where the agency has no place for them."""
    ready: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """More checks for `/readyz`, by name; one that is not ready raises."""

    def standing(self) -> Standing:
        """The schedules in force, and how records stand under them."""
        return Standing(self.store, attested=bool(self.settings.timestamp_urls))

    def position(self) -> int:
        """How many entries of the ledger the index has read."""
        position = self.index.position()
        return 0 if position is None else position.entry + 1


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


Here = Annotated[Parts, Depends(_parts)]
