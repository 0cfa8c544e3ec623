"""HTTP to a server that may be hostile: every exchange ends by a deadline, and its answer is bounded.

The standard library's client is used because its socket can be given one deadline for a whole exchange. A timeout for
each read, which is what HTTP libraries have, lets a server hold a client for ever, a byte at a time.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from typing import NamedTuple

_PART = 1 << 16


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    retry_after: str | None
    body: bytes


class TooLong(Exception):
    """The server's answer is longer than allowed."""


class Connection:
    """One connection, which is kept open between requests. Methods raise OSError or http.client.HTTPException."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, connect_seconds: float) -> None:
        raw = socket.create_connection((host, port), connect_seconds)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = raw if tls is None else tls.wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise
        self._stream = _Stream(self._socket)
        self._client = http.client.HTTPConnection(host, port)
        self._client.sock = self._stream  # type: ignore[assignment]  # has what the client calls
        self._client.auto_open = 0
        self.reusable = True

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes, max_bytes: int, deadline: float
    ) -> Answer:
        """Send a request and read the answer, all before `deadline` (of `time.monotonic`).

        Raises:
            TimeoutError: the deadline has passed.
            TooLong: the answer's body is longer than `max_bytes`.
        """
        self.reusable = False
        self._stream.begin(deadline)
        self._client.request(method, path, body=body or None, headers=headers)
        with self._client.getresponse() as response:
            parts, size = [], 0
            while part := response.read(_PART):
                size += len(part)
                if size > max_bytes:
                    raise TooLong(f"its answer is longer than {max_bytes} bytes")
                parts.append(part)
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            self.reusable = not response.will_close
            return Answer(response.status, response.getheader("Retry-After"), b"".join(parts))

    def wake(self) -> None:
        """Let a thread that waits in `ask` fail."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # TLS's own would take the thread's state away

    def close(self) -> None:
        """Let go of the connection, without a word to the server: it may be another process's as well."""
        self._socket.close()


class _Stream:
    """What `http.client` takes for a socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._deadline = 0.0

    def begin(self, deadline: float) -> None:
        self._deadline = deadline

    def wait_no_longer(self) -> None:
        """Let the next call of the socket end by the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self._socket.settimeout(left)

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self.wait_no_longer()
            view = view[self._socket.send(view[:_PART]) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self, self._socket), _PART)

    def close(self) -> None:
        """The connection closes the socket."""


class _Reader(io.RawIOBase):
    def __init__(self, stream: _Stream, connected: socket.socket) -> None:
        self._stream = stream
        self._socket = connected

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._stream.wait_no_longer()
        return self._socket.recv_into(buffer)
