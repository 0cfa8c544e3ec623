"""Serves any registered text environment to other machines: `sdpo-gym serve ENV`."""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import gymnasium

from sdpo_gym.arguments import make_bare_text_env
from sdpo_gym.extras import needs
from sdpo_gym.http_server import run_app
from sdpo_gym.json_values import as_json
from sdpo_gym.network import check_token
from sdpo_gym.text_env import TextEnv
from sdpo_gym.wrappers import check_returned

with needs("sdpo-gym[serve]"):
    import websockets  # noqa: F401  (uvicorn imports it only when it serves)
    from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
    from pydantic import ValidationError

    from sdpo_gym.serving.messages import (
        ResetRequest,
        SessionState,
        TextAction,
        TextObservation,
        decode_message,
        describe,
        encode_message,
    )

BACKLOG = 1024
CLOSING_SECONDS = 1.0
"""How long a new session waits for a place. A client that leaves does not wait until its own is free."""

POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
Data = TypeVar("Data", TextAction, ResetRequest)
_log = logging.getLogger("sdpo_gym")


class Refused(Exception):
    """A message that cannot be carried out, with OpenEnv's code for the reason."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Session:
    """One client's environment. Its methods are called one after the other, in one thread."""

    def __init__(self, env_id: str, env_args: Mapping[str, Any], state: SessionState):
        self._env_id = env_id
        self._env_args = env_args
        self.state = state
        self._env: gymnasium.Env | None = None

    def reset(self, data: dict[str, Any]) -> dict[str, Any]:
        request = _parse(ResetRequest, data)
        if self._env is None:
            self._env = self._make()
        try:
            returned = self._env.reset(seed=request.seed, options=request.options)
        except (ValueError, TypeError) as error:  # such as an unknown task
            raise Refused("VALIDATION_ERROR", str(error)) from error
        text, info = check_returned(self._env, "reset", returned)
        self.state = self.state.model_copy(update={"episode_id": request.episode_id, "step_count": 0})
        return _observation(text, None, False, False, info)

    def step(self, data: dict[str, Any]) -> dict[str, Any]:
        action = _parse(TextAction, data)
        if self._env is None:
            raise Refused("EXECUTION_ERROR", "no episode has begun: reset first")
        returned = check_returned(self._env, "step", self._env.step(action.text))
        text, reward, terminated, truncated, info = returned
        answer = _observation(text, float(reward), terminated, truncated, info)
        self.state = self.state.model_copy(update={"step_count": self.state.step_count + 1})
        return answer

    def close(self) -> None:
        if self._env is not None:
            self._env.close()

    def _make(self) -> gymnasium.Env:
        try:
            return make_bare_text_env(self._env_id, self._env_args)
        except ValueError as error:  # it quotes the arguments, which may hold a key or a token
            _log.exception("an environment could not be made")
            message = "the environment could not be made; the server's log says why"
            raise Refused("EXECUTION_ERROR", message) from error


def make_app(
    env_id: str,
    env_args: Mapping[str, Any],
    token: str,
    *,
    max_sessions: int = 256,
    idle_seconds: float = 3600.0,
) -> FastAPI:
    """The server as an ASGI application. Sessions live at `/ws`; `/health`, `/metadata` and `/schema` tell about it.

    Every session has an environment of its own, and a thread in which all calls of that run.

    Args:
        env_id: A registered id, or `module:id`. Observations and actions have to be texts.
        env_args: Keyword arguments of the environment.
        token: What clients have to know: `Authorization: Bearer TOKEN`, or TOKEN as the password of a user in the URL.
        max_sessions: More are sent away, if none ends within a second.
        idle_seconds: A session without a message for so long is ended.

    Raises:
        SandboxError: the environment needs a sandbox, which does not work.
        ValueError: an argument makes no sense, or it is no text environment.
    """
    check_token(token)
    if max_sessions < 1:
        raise ValueError(f"max_sessions must be at least 1, not {max_sessions}")
    if not idle_seconds > 0:
        raise ValueError(f"idle_seconds must be positive, not {idle_seconds}")
    state, description = _examine(env_id, env_args)
    places = asyncio.Semaphore(max_sessions)

    def check_client(request: Request) -> None:
        if not _knows(request.headers.get("Authorization", ""), token):
            raise HTTPException(401, "wrong or missing token", {"WWW-Authenticate": "Bearer"})

    app = FastAPI(title=f"sdpo-gym: {env_id}", openapi_url=None)
    checked = [Depends(check_client)]

    @app.get("/health")
    async def tell_health() -> dict[str, str]:
        return {"status": "healthy"}

    @app.get("/metadata", dependencies=checked)
    async def tell_metadata() -> dict[str, str]:
        return {"name": env_id, "description": description}

    @app.get("/schema", dependencies=checked)
    async def tell_schema() -> dict[str, Any]:
        schemas = {"action": TextAction, "observation": TextObservation, "state": SessionState}
        return {name: model.model_json_schema() for name, model in schemas.items()}

    @app.websocket("/ws")
    async def serve_session(websocket: WebSocket) -> None:
        if not _knows(websocket.headers.get("Authorization", ""), token):
            await websocket.close()  # before it was accepted: status 403
            return
        await websocket.accept()
        try:
            await asyncio.wait_for(places.acquire(), CLOSING_SECONDS)
        except asyncio.TimeoutError:
            with suppress(WebSocketDisconnect):
                await websocket.send_text(_error("CAPACITY_REACHED", f"all {max_sessions} sessions are taken"))
                await websocket.close(TRY_AGAIN_LATER, "all sessions are taken")
            return
        try:
            await _hold(websocket, Session(env_id, env_args, state), idle_seconds)
        finally:
            places.release()

    return app


def serve(
    env_id: str,
    env_args: Mapping[str, Any],
    token: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8643,
    certificate: str | None = None,
    key: str | None = None,
    max_message_bytes: int = 16 << 20,
    **options: Any,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        env_id: See `make_app`, also for the options.
        env_args: Keyword arguments of the environment.
        token: What clients have to know.
        host: The address to listen on.
        port: 0 for a free one, which is printed.
        certificate: File of a TLS certificate.
        key: File of its private key.
        max_message_bytes: A larger message ends its session (WebSocket's status 1009).
        options: See `make_app`.

    Raises:
        OSError: the address is in use or not this machine's, or a file cannot be read.
        SandboxError: the environment needs a sandbox, which does not work.
        ValueError: an argument makes no sense, or it is no text environment.
    """
    if max_message_bytes < 1:
        raise ValueError(f"max_message_bytes must be positive, not {max_message_bytes}")
    app = make_app(env_id, env_args, token, **options)
    run_app(
        app,
        env_id,
        "have responses judged here",
        host=host,
        port=port,
        certificate=certificate,
        key=key,
        backlog=BACKLOG,
        ws="websockets-sansio",
        ws_max_size=max_message_bytes,
        ws_max_queue=2,
        ws_ping_interval=20.0,
        ws_ping_timeout=60.0,
        ws_per_message_deflate=False,
    )


async def _hold(websocket: WebSocket, session: Session, idle_seconds: float) -> None:
    """Hold a session until its client leaves, or says nothing for too long, and close its environment."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="session")  # some environments know no other than their own
    try:
        await _converse(websocket, session, thread, idle_seconds)
    except WebSocketDisconnect:
        pass
    finally:
        try:
            # Its place is free only when the environment is closed, even if the server is being stopped.
            await asyncio.shield(_in_thread(thread, session.close))
        except Exception:
            _log.exception("an environment could not be closed")
        finally:
            thread.shutdown(wait=False)


async def _converse(websocket: WebSocket, session: Session, thread: ThreadPoolExecutor, idle_seconds: float) -> None:
    """Answer a client's messages until it leaves, or says nothing for too long."""
    while True:
        try:
            event = await asyncio.wait_for(websocket.receive(), idle_seconds)
        except asyncio.TimeoutError:
            await websocket.close(POLICY_VIOLATION, f"no message for {idle_seconds:g} seconds")
            return
        if event["type"] == "websocket.disconnect":
            return
        try:
            kind, data = _read(event)
            if kind == "close":
                await websocket.close()
                return
            answer = await _answer(session, kind, data, thread)
        except Refused as refusal:
            answer = _error(refusal.code, str(refusal))
        await websocket.send_text(answer)


def _read(event: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if event.get("text") is None:
        raise Refused("INVALID_JSON", "messages are text, not bytes")
    try:
        return decode_message(event["text"])
    except ValueError as error:
        code = "INVALID_JSON" if type(error) is not ValueError else "VALIDATION_ERROR"
        raise Refused(code, str(error)) from error


async def _answer(session: Session, kind: str, data: dict[str, Any], thread: ThreadPoolExecutor) -> str:
    if kind == "state":
        return encode_message("state", session.state.model_dump())
    calls = {"reset": session.reset, "step": session.step}
    if kind not in calls:
        raise Refused("UNKNOWN_TYPE", f"there are messages of type reset, step, state and close, not {kind!r:.100}")
    try:
        return encode_message("observation", await _in_thread(thread, calls[kind], data))
    except Refused:
        raise
    except (Exception, SystemExit) as error:  # whatever an environment raises must not end any session
        _log.exception("an environment failed")
        raise Refused("EXECUTION_ERROR", f"{type(error).__name__}: {error}") from error


def _parse(model: type[Data], data: dict[str, Any]) -> Data:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Refused("VALIDATION_ERROR", describe(error)) from error


async def _in_thread(thread: ThreadPoolExecutor, function: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(thread, function, *arguments)


def _observation(text: str, reward: float | None, terminated: bool, truncated: bool, info: Mapping) -> dict[str, Any]:
    info = as_json(info)
    feedback, success = info.get("feedback"), info.get("success")
    observation = TextObservation(
        text=text,
        feedback=feedback if isinstance(feedback, str) else "",
        success=success if isinstance(success, bool) else None,
        terminated=bool(terminated),
        truncated=bool(truncated),
        info=info,
    )
    done = observation.terminated or observation.truncated
    return {"observation": observation.model_dump(), "reward": reward, "done": done}


def _error(code: str, message: str) -> str:
    return encode_message("error", {"message": message, "code": code})


def _examine(env_id: str, env_args: Mapping[str, Any]) -> tuple[SessionState, str]:
    """What a session begins with, and the environment's description. Raises where it is no text environment."""
    env = make_bare_text_env(env_id, env_args)
    try:
        if isinstance(env.unwrapped, TextEnv):
            env.unwrapped.verifier.prepare()
        state = SessionState(
            env_id=env_id,
            num_tasks=env.get_wrapper_attr("num_tasks") if env.has_wrapper_attr("num_tasks") else None,
            action_length=env.action_space.max_length,
            observation_length=env.observation_space.max_length,
        )
        return state, (type(env.unwrapped).__doc__ or env_id).strip().partition("\n\n")[0]
    finally:
        env.close()


def _knows(authorization: str, token: str) -> bool:
    """Whether a header holds the token: as `Bearer`, or as the password that a URL `ws://user:token@host` becomes."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            credentials = base64.b64decode(credentials, validate=True).decode().partition(":")[2]
        except ValueError:
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(credentials.encode(), token.encode())
