"""Serves a sandbox to other machines over HTTP: `sdpo-gym sandbox serve`."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from concurrent.futures import ThreadPoolExecutor

from sdpo_gym.extras import needs
from sdpo_gym.http_server import run_app
from sdpo_gym.network import check_token
from sdpo_gym.sandbox import messages
from sdpo_gym.sandbox.chunks import MAX_CHUNK_BYTES, run_chunk
from sdpo_gym.sandbox.protocol import Limits, Sandbox, SandboxError
from sdpo_gym.sandbox.remote import INFO_PATH, RUN_PATH

with needs("sdpo-gym[serve]"):
    from fastapi import Depends, FastAPI, HTTPException, Request, Response
    from starlette.requests import ClientDisconnect

MAX_CONNECTIONS = 1024
BODY_SECONDS = 60.0
"""How long a client may take to send its request, which holds a place in the queue meanwhile."""

MAX_SECONDS = 3600.0
"""No client may ask for a longer limit."""

MAX_OUTPUT_BYTES = 256 << 20
_log = logging.getLogger("sdpo_gym")


def make_app(
    sandbox: Sandbox, token: str, *, queue: int = 64, max_body_bytes: int = 64 << 20, max_memory_mb: int = 8192
) -> FastAPI:
    """The server as an ASGI application. It does not close the sandbox.

    Args:
        sandbox: Runs the programs.
        token: What clients have to know.
        queue: How many requests may wait for a free worker; more are sent away with status 503.
        max_body_bytes: Larger requests are refused with status 413.
        max_memory_mb: Requests that allow a program more memory are refused with status 422.

    Raises:
        SandboxError: the sandbox does not start.
        ValueError: an argument makes no sense.
    """
    check_token(token)
    if queue < 0:
        raise ValueError(f"queue must not be negative, not {queue}")
    if max_body_bytes < MAX_CHUNK_BYTES:
        raise ValueError(f"a request takes up to {MAX_CHUNK_BYTES >> 20} MB; allow no less")
    info = messages.encode_info(messages.Info(sandbox.workers, sandbox.isolation))
    expected = f"Bearer {token}".encode()
    threads = ThreadPoolExecutor(sandbox.workers, thread_name_prefix="sandbox")
    admitted = 0

    def check_client(request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode("latin-1"), expected):
            raise HTTPException(401, "wrong or missing token", {"WWW-Authenticate": "Bearer"})

    @contextlib.contextmanager
    def place_in_queue():
        nonlocal admitted
        if admitted >= sandbox.workers + queue:
            raise HTTPException(503, "all workers are busy and the queue is full", {"Retry-After": "1"})
        admitted += 1
        try:
            yield
        finally:
            admitted -= 1

    def answer(body: bytes) -> bytes:
        chunk = messages.decode_chunk(body)
        _check_limits(chunk.limits, max_memory_mb)
        return run_chunk(sandbox, chunk)

    app = FastAPI(title="sdpo-gym sandbox", openapi_url=None, dependencies=[Depends(check_client)])

    @app.exception_handler(HTTPException)
    async def say_what_is_wrong(request: Request, error: HTTPException) -> Response:
        return Response(
            messages.encode_error(error.detail), error.status_code, error.headers, media_type="application/json"
        )

    @app.get(INFO_PATH)
    async def tell_info() -> Response:
        return Response(info, media_type="application/json")

    @app.post(RUN_PATH)
    async def run(request: Request) -> Response:
        with place_in_queue():
            try:
                body = await asyncio.wait_for(_read_body(request, max_body_bytes), BODY_SECONDS)
            except asyncio.TimeoutError:
                raise HTTPException(408, f"the request took longer than {BODY_SECONDS:.0f} seconds to arrive") from None
            except ClientDisconnect:
                raise HTTPException(400, "the client went away before its request was here") from None
            try:
                # Not given up when the client goes away: the worker is at work until its answer is there.
                data = await asyncio.shield(asyncio.get_running_loop().run_in_executor(threads, answer, body))
            except ValueError as error:
                raise HTTPException(422, str(error)) from error
            except SandboxError as error:
                _log.error("the sandbox failed: %s", error)
                raise HTTPException(500, str(error)) from error
        return Response(data, media_type="application/json")

    return app


def serve(
    sandbox: Sandbox,
    token: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8642,
    certificate: str | None = None,
    key: str | None = None,
    **options: int,
) -> None:
    """Serve until SIGINT or SIGTERM; close the sandbox then.

    Args:
        sandbox: Runs the programs.
        token: What clients have to know.
        host: The address to listen on.
        port: 0 for a free one, which is printed.
        certificate: File of a TLS certificate.
        key: File of its private key.
        options: See `make_app`.

    Raises:
        OSError: the address is in use or not this machine's, or a file cannot be read.
        SandboxError: the sandbox does not start.
        ValueError: an argument makes no sense.
    """
    try:
        app = make_app(sandbox, token, **options)
        run_app(
            app,
            f"{sandbox.workers} workers",
            "run programs here",
            host=host,
            port=port,
            certificate=certificate,
            key=key,
            backlog=MAX_CONNECTIONS,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=75,
        )
    finally:
        sandbox.close()


async def _read_body(request: Request, max_bytes: int) -> bytes:
    """The request's body.

    Raises:
        HTTPException: it is too large. What is too much is read but not kept, as a client that still sends could not
            read the answer; if it is far too much, the connection ends.
    """
    most = 4 * max_bytes
    size = int(request.headers.get("Content-Length", "0"))
    body = bytearray()
    if size <= most:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > most:
                break
            if size <= max_bytes:
                body += part
    if size > max_bytes:
        raise HTTPException(413, f"a request may have {max_bytes} bytes", {"Connection": "close"})
    return bytes(body)


def _check_limits(limits: Limits, max_memory_mb: int) -> None:
    seconds = max(limits.cpu_seconds, limits.wall_limit, limits.total_wall_seconds)
    if seconds > MAX_SECONDS:
        raise ValueError(f"a limit of {seconds:.0f} seconds; this server allows {MAX_SECONDS:.0f}")
    if limits.memory_mb > max_memory_mb:
        raise ValueError(f"a limit of {limits.memory_mb} MB; this server allows {max_memory_mb}")
    if limits.output_bytes > MAX_OUTPUT_BYTES:
        raise ValueError(f"an output of {limits.output_bytes} bytes; this server allows {MAX_OUTPUT_BYTES}")
