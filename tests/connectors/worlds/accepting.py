"""What servers share that are told byte for byte what to say: each connection is served on a thread of its own."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress


class Accepting(ABC):
    """A port of this machine, from `listen` until `close`."""

    def __init__(self) -> None:
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @abstractmethod
    def _talk(self, connection: socket.socket) -> None:
        """Serve one connection until its end."""

    def listen(self) -> int:
        """Begin to listen; the port."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads.append(threading.Thread(target=self._accept, daemon=True))
        self._threads[0].start()
        return int(self._listening.getsockname()[1])

    def close(self) -> None:
        # shutdown first: close alone does not wake a thread that waits in accept.
        for one in [self._listening, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._talk, args=[connection], daemon=True)
            self._threads.append(thread)
            thread.start()
