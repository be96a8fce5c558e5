"""The studio: a process of its own in which strangers' pictures and documents are opened, and nothing else is done.

It may use a gigabyte and a half, writes no file, and ends by itself where a
file takes too long. A file that ends it is refused by that reason, and the
next file gets another process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from app.disclosure.rendition.documents import Pages, Sheet
from app.disclosure.rendition.pictures import Filled, Shown, Unfit, remade, shown, tried
from app.papers.workers import Gone, Worker, served

MOST_BYTES = 64 * 1024 * 1024
"""A larger file is not opened."""
SECONDS = 60
_MEMORY = 3 << 29


class Remake(msgspec.Struct, frozen=True, tag=True):
    """Make a picture anew."""

    content: bytes
    regions: tuple[Filled, ...]


class Show(msgspec.Struct, frozen=True, tag=True):
    """Give a picture as it stands on a page."""

    content: bytes


class Try(msgspec.Struct, frozen=True, tag=True):
    """Look whether a picture, or a document, can be made anew."""

    content: bytes
    regions: tuple[Filled, ...]
    document: bool


class Open(msgspec.Struct, frozen=True, tag=True):
    """Open a document and keep it open until the next one."""

    content: bytes
    regions: tuple[Filled, ...]


class Turn(msgspec.Struct, frozen=True, tag=True):
    """Give a page of the document that is open."""

    number: int


class Answer(msgspec.Struct, frozen=True):
    """What came of it; `unfit` says why nothing did."""

    content: bytes = b""
    media_type: str = ""
    width: float = 0
    height: float = 0
    count: int = 0
    unfit: str | None = None


_Asked = Remake | Show | Try | Open | Turn


class Studio:
    """Opens files one after another; for one thread at a time. Its process ends with it."""

    def __init__(self, *, seconds: float = SECONDS + 10) -> None:
        self._worker = Worker("app.disclosure.rendition.studio", seconds=seconds)

    def remade(self, content: bytes, regions: Sequence[Filled] = ()) -> tuple[bytes, str]:
        """A picture made anew, and its media type; raises `Unfit`."""
        answer = self._asked(Remake(content, tuple(regions)))
        return answer.content, answer.media_type

    def shown(self, content: bytes) -> Shown:
        """A picture for a page; raises `Unfit`."""
        answer = self._asked(Show(content))
        return Shown(answer.content, answer.media_type, int(answer.width), int(answer.height), answer.count)

    def tried(self, content: bytes, regions: Sequence[Filled], *, document: bool) -> None:
        """Look whether a picture or a document can be made anew, as far as opening it tells; raises `Unfit`."""
        self._asked(Try(content, tuple(regions), document))

    @contextmanager
    def opened(self, content: bytes, regions: Sequence[Filled] = ()) -> Iterator[Iterator[Sheet]]:
        """The pages of a document, one after another; raises `Unfit`, where a page is at fault when it is reached."""
        count = self._asked(Open(content, tuple(regions))).count
        yield (self._turned(number + 1) for number in range(count))

    def page(self, content: bytes, number: int) -> tuple[Sheet, int]:
        """One page of a document, counted from 1, and how many it has; raises `Unfit`, `page` where it has fewer."""
        count = self._asked(Open(content, ())).count
        if not 1 <= number <= count:
            raise Unfit("page")
        return self._turned(number), count

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def _turned(self, number: int) -> Sheet:
        answer = self._asked(Turn(number))
        return Sheet(answer.content, answer.media_type, answer.width, answer.height)

    def _asked(self, asked: _Asked) -> Answer:
        if not isinstance(asked, Turn) and len(asked.content) > MOST_BYTES:
            raise Unfit("too_large")
        try:
            told = self._worker.ask(msgspec.msgpack.encode(asked))
        except Gone as error:
            raise Unfit("gone") from error
        answer = msgspec.msgpack.decode(told, type=Answer)
        if answer.unfit is not None:
            raise Unfit(answer.unfit)
        return answer


def serve() -> None:
    """In the process: answer until there are no more questions."""
    served(_Table().answer, memory=_MEMORY, seconds=SECONDS)


class _Table:
    """What lies open in the studio: at most one document."""

    def __init__(self) -> None:
        self._open: Pages | None = None

    def answer(self, message: bytes) -> bytes:
        try:
            said = self._done(msgspec.msgpack.decode(message, type=_Asked))
        except Unfit as error:
            said = Answer(unfit=error.reason)
        except (MemoryError, RecursionError):
            said = Answer(unfit="too_large")
        except Exception:  # noqa: BLE001 - a hostile file may raise anything in a decoder
            said = Answer(unfit="damaged")
        return msgspec.msgpack.encode(said)

    def _done(self, asked: _Asked) -> Answer:
        match asked:
            case Remake(content, regions):
                made, media_type = remade(content, regions)
                return Answer(made, media_type)
            case Show(content):
                return Answer(*shown(content))
            case Try(content, regions, document):
                if document:
                    Pages(content, regions).close()
                else:
                    tried(content, regions)
                return Answer()
            case Open(content, regions):
                if self._open is not None:
                    self._open.close()
                    self._open = None
                self._open = Pages(content, regions)
                return Answer(count=self._open.count)
            case Turn(number):
                if self._open is None:
                    raise Unfit("gone")
                return Answer(*self._open.sheet(number))
