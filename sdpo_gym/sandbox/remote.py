"""A sandbox on another machine, which runs `sdpo-gym sandbox serve`."""

from __future__ import annotations

import http.client
import logging
import random
import ssl
import threading
import time
from urllib.parse import urlsplit

from sdpo_gym.network import check_token, is_loopback
from sdpo_gym.sandbox import messages
from sdpo_gym.sandbox.chunks import ChunkedSandbox
from sdpo_gym.sandbox.connection import Answer, Connection, TooLong
from sdpo_gym.sandbox.forks import tell_of_forks
from sdpo_gym.sandbox.protocol import SandboxError

INFO_PATH = "/v1/info"
RUN_PATH = "/v1/run"
MAX_WAIT_SECONDS = 5.0
NOT_NOW = (502, 503, 504)
"""Statuses of a server whose queue is full, and of a load balancer that has lost the machine that it asked."""

_HELP = {
    401: "the token is not the server's",
    404: "there is no sandbox server at this address",
    413: "an input or the program is larger than the server allows; start it with a larger --max-body-mb",
    422: "it refused the request",
    500: "its sandbox failed",
    503: "no worker is free",
}


class RemoteSandbox(ChunkedSandbox):
    """Runs programs on a machine that runs `sdpo-gym sandbox serve`.

    Requests have no state in common, so the address may be that of a load balancer in front of many such machines.
    Programs and inputs travel to the server; expected outputs and the judge stay here. Safe to use from several
    threads, and after a fork.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience_seconds: float = 120.0,
        connect_seconds: float = 5.0,
        attempts: int = 5,
        certificate: str | None = None,
    ) -> None:
        """Make the client; nothing is sent yet.

        Args:
            url: `https://host:port` or `http://host:port`, perhaps with a path in front of the server's own.
            token: The server's token.
            patience_seconds: How long a request may wait for a free worker, for the network, or for another try,
                beyond what the program's limits allow it to run.
            connect_seconds: How long it may take to connect.
            attempts: How often a request is sent before a broken connection is an error, to a server that has never
                answered. One that has answered may come back within `patience_seconds`.
            certificate: A file of certificates to trust instead of the system's, for a server that signed its own.

        Raises:
            ValueError: an argument makes no sense.
            OSError: the certificate cannot be read.
        """
        super().__init__(patience_seconds)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"the address of a sandbox server looks like https://host:port, not {url!r}")
        check_token(token)
        if attempts < 1 or not connect_seconds > 0:
            raise ValueError("attempts and connect_seconds must be positive")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._path = parts.path.rstrip("/")
        self._host, self._port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context(cafile=certificate) if parts.scheme == "https" else None
        if self._tls is None and not is_loopback(self._host):
            _log.warning("programs and the token travel to %s unencrypted; use https or an SSH tunnel", self.url)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connect_seconds = connect_seconds
        self._attempts = attempts
        self._has_answered = False
        self._closed = False
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._lock = threading.Lock()
        tell_of_forks(self)

    def close(self) -> None:
        """Close all connections; runs in other threads raise SandboxError. The server goes on."""
        with self._lock:
            self._closed = True
            for connection in self._busy:
                connection.wake()
            self._drop_idle()

    @property
    def closed(self) -> bool:
        return self._closed

    def _ask_info(self, deadline: float) -> bytes:
        return self._ask_server("GET", INFO_PATH, b"", messages.MAX_INFO_BYTES, deadline)

    def _ask_chunk(self, request: bytes, max_bytes: int, deadline: float) -> bytes:
        return self._ask_server("POST", RUN_PATH, request, max_bytes, deadline)

    def _ask_server(self, method: str, path: str, body: bytes, max_bytes: int, deadline: float) -> bytes:
        """Ask until there is an answer: a run has no effect but its answer, so it may be asked for again."""
        broken = waits = 0
        gone = 0.0  # when the connection broke first
        while True:
            try:
                answer = self._ask_once(method, self._path + path, body, max_bytes, deadline)
            except (TooLong, TimeoutError, OSError, http.client.HTTPException) as error:
                self._check_open()
                now = time.monotonic()
                gone, broken = gone if broken else now, broken + 1
                patience = self._patience_seconds if self._has_answered else 0.0
                hopeless = broken >= self._attempts and now - gone >= patience
                if isinstance(error, TooLong) or now >= deadline or hopeless:
                    raise SandboxError(f"sandbox server {self.url}: {_describe(error)}") from error
                # At first it was perhaps only an old connection.
                wait = 0.0 if broken == 1 else 0.1 * 4 ** min(broken - 2, 5)
                reason = _describe(error)
            else:
                if answer.status == 200:
                    self._has_answered = True
                    return answer.body
                reason = _explain(answer)
                if answer.status not in NOT_NOW:
                    raise SandboxError(f"sandbox server {self.url}: {reason}")
                broken, waits = 0, waits + 1
                wait = max(0.05 * 1.5 ** min(waits, 20), _seconds(answer.retry_after))
            wait = random.uniform(0.5, 1.0) * min(wait, MAX_WAIT_SECONDS)  # not all clients at the same time
            if time.monotonic() + wait >= deadline:
                raise SandboxError(f"sandbox server {self.url}: no answer for too long; the last try: {reason}")
            time.sleep(wait)

    def _ask_once(self, method: str, path: str, body: bytes, max_bytes: int, deadline: float) -> Answer:
        connection = self._take(deadline)
        try:
            return connection.ask(method, path, self._headers, body, max_bytes, deadline)
        finally:
            self._give_back(connection)

    def _take(self, deadline: float) -> Connection:
        with self._lock:
            self._check_open()
            if self._idle:
                connection = self._idle.pop()
                self._busy.add(connection)
                return connection
        seconds = max(min(self._connect_seconds, deadline - time.monotonic()), 0.001)
        connection = Connection(self._host, self._port, self._tls, seconds)
        with self._lock:
            if not self._closed:
                self._busy.add(connection)
                return connection
        connection.close()
        raise SandboxError("this sandbox is closed")

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
            if connection.reusable and not self._closed:
                self._idle.append(connection)
                return
            if not connection.reusable:
                self._drop_idle()  # the server may be another one by now
        connection.close()

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _after_fork(self) -> None:
        for connection in self._busy:
            connection.close()
        self._busy.clear()
        self._drop_idle()
        self._lock = threading.Lock()
        self._make_info_lock()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[: messages.MAX_MESSAGE_CHARS]


def _explain(answer: Answer) -> str:
    meaning = _HELP.get(answer.status, f"HTTP status {answer.status}")
    return f"{meaning} ({messages.decode_error(answer.body)})"


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isdecimal() and text.isascii() and len(text) < 5 else 0.0


_log = logging.getLogger("sdpo_gym")
