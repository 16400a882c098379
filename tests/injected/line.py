"""A line to a database that a test cuts, freezes or makes deaf: a relay on loopback in front of the real server."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import URL

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of nothing: closing then resets the connection instead of ending it politely."""


class Line:
    """Relays connections to a PostgreSQL server, until it is told to do harm; `mend` ends that."""

    def __init__(self, server: URL) -> None:
        self._server = server
        self._flows = threading.Event()
        self._flows.set()
        self._deaf = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.relayed = 0
        self._accept()

    def address(self, database: str) -> str:
        url = self._server.set(host="127.0.0.1", port=self.port, database=database, query={})
        return url.render_as_string(hide_password=False)

    # -- harm ---------------------------------------------------------------------------

    def cut(self) -> None:
        """Reset every connection and refuse new ones: a server that is gone, or a firewall that says so."""
        self._stop_listening()
        self._reset()

    def freeze(self) -> None:
        """Let nothing through in either direction and say nothing: a network that swallows, a machine that stands."""
        self._flows.clear()

    def go_deaf(self) -> None:
        """Deliver to the server and lose its answers; then, as after a while, half-close towards the client."""
        self._deaf = True

    def hang_up(self) -> None:
        """Close the half that carries answers: the client reads an end where the answer should be."""
        with self._lock:
            for client, _ in self._pairs:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_WR)

    def mend(self) -> None:
        """Do no more harm. What was lost stays lost: connections that lost something are reset."""
        if self._deaf:
            self._reset()
        self._deaf = False
        self._flows.set()
        if self._listener.fileno() == -1:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._accept()

    def close(self) -> None:
        self._stop_listening()
        self._flows.set()
        self._reset()

    # -- the relay ----------------------------------------------------------------------

    def _accept(self) -> None:
        threading.Thread(target=self._take, args=(self._listener,), name="line", daemon=True).start()

    def _stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._listener.close()

    def _reset(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for one in pair:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    one.shutdown(socket.SHUT_RDWR)  # a pump may stand in recv
                one.close()

    def _take(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = self._reach()
            with self._lock:
                self._pairs.append((client, server))
                self.relayed += 1
            for way in (self._asks, self._answers):
                threading.Thread(target=way, args=(client, server), name="line", daemon=True).start()

    def _reach(self) -> socket.socket:
        folder = self._server.query.get("host")
        if folder is None:
            return socket.create_connection((self._server.host or "127.0.0.1", self._server.port or 5432))
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(Path(str(folder)) / ".s.PGSQL.5432"))
        return server

    def _asks(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                self._flows.wait()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                self._flows.wait()
                if not self._deaf:
                    client.sendall(data)
            client.shutdown(socket.SHUT_WR)


@contextmanager
def line_to(server: URL) -> Iterator[Line]:
    """Lay a line to a server, for as long as the block lasts."""
    line = Line(server)
    try:
        yield line
    finally:
        line.close()
