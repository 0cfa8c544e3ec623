"""A client of servers with OpenAI's chat-completions interface that takes no failure of theirs for an answer."""

from __future__ import annotations

import email.utils
import json
import math
import os
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx2

from agents.errors import UsageError, first_line
from agents.sampling.engine import SamplingParameters
from sdpo_gym.tasks import Message

LARGEST_REPLY = 64 << 20
"""Bytes; a server that sends more is not answering."""

LONGEST_BACKOFF = 60.0
"""Seconds between two tries, unless the server asks for more."""

NO_LOGPROB = -9999.0
"""What servers write, as OpenAI's interface has it, for the log-prob of a token that is not among the likeliest."""

TOO_LONG = (
    b"context length",
    b"context_length",
    b"exceed_context_size",
    b"maximum model length",
    b"maximum allowed length",
    b"prompt is too long",
    b"max_new_tokens` must be",
)
"""What servers say, in lower case, to a chat that outgrows the model's context: there is no common code for it."""


@dataclass
class ServerConfig:
    """Settings for `openai:` models."""

    base_url: str = "https://api.openai.com/v1"
    """The server's address, up to `/chat/completions`."""

    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; without it no key is sent."""

    concurrency: int = 8
    """Requests at the same time."""

    requests_per_minute: float = 0
    """At most so many; 0: no limit of ours."""

    timeout: float = 300
    """Seconds for a whole reply."""

    retries: int = 6
    """How often a request that failed is tried again, before the evaluation stops."""

    backoff: float = 1
    """Seconds before the first of these tries; each later wait is twice as long, at random up to a half shorter. A
    server may ask for more."""

    max_wait: float = 300
    """The evaluation stops if the server asks to wait for more seconds."""

    max_tokens_field: str = "max_tokens"
    """How the server calls `--max-new-tokens`; OpenAI's newer models want `max_completion_tokens`."""

    logprobs: bool = False
    """Ask for the tokens' log-probs, which give the entropy. Not every server has them."""

    def check(self) -> None:
        """Raise UsageError on values that make no sense."""
        if not self.base_url.startswith(("http://", "https://")):
            raise UsageError(f"--base-url must begin with http:// or https://, not {self.base_url!r}")
        least = {"concurrency": 1, "requests_per_minute": 0, "retries": 0, "backoff": 0, "max_wait": 0}
        for name, bound in least.items():
            if not bound <= getattr(self, name) < math.inf:
                flag = "--" + name.replace("_", "-")
                raise UsageError(f"{flag} must be a finite number of at least {bound}, not {getattr(self, name)}")
        if not 0 < self.timeout < math.inf:
            raise UsageError(f"--timeout must be a finite number above 0, not {self.timeout}")


@dataclass(frozen=True)
class Completion:
    """What a server answered. Counts and log-probs are None where it does not give them."""

    text: str
    truncated: bool
    prompt_tokens: int | None
    tokens: int | None
    logprob: float | None
    """Sum over the tokens that have one."""

    logprob_tokens: int | None
    """How many these are: servers count a reasoning model's thoughts as tokens, and give no log-probs of them."""


class ContextLengthExceeded(Exception):
    """The chat is too long for the model."""


class ServerError(Exception):
    """The server gave no usable answer, though it was asked as often as the settings allow."""


class ChatClient:
    """Asks one model. May be used from several threads.

    Args:
        model: The model's name on the server.
        config: Of the server.
        sampling: How responses are drawn.
        template_args: For the chat template of a server that takes such (vLLM, SGLang).
    """

    def __init__(
        self,
        model: str,
        config: ServerConfig,
        sampling: SamplingParameters,
        template_args: Mapping[str, Any] = MappingProxyType({}),
    ):
        self.model, self.config, self.sampling, self.template_args = model, config, sampling, template_args
        self._url = config.base_url.rstrip("/") + "/chat/completions"
        key = os.environ.get(config.api_key_env, "")
        limits = httpx2.Limits(max_connections=config.concurrency)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx2.Client(headers=headers, timeout=config.timeout, limits=limits)
        except (ValueError, UnicodeError) as error:
            raise UsageError(f"the key in ${config.api_key_env} cannot be sent: it is not plain ASCII") from error
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._next_request = 0.0

    def complete(self, messages: Sequence[Message]) -> Completion:
        """The model's next message in a chat.

        Raises:
            ContextLengthExceeded: the chat is too long for the model.
            ServerError: the server refused, or failed too often.
        """
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [dict(message) for message in messages],
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            self.config.max_tokens_field: self.sampling.max_new_tokens,
        }
        if self.config.logprobs:
            body["logprobs"] = True
        if self.template_args:
            body["chat_template_kwargs"] = dict(self.template_args)
        tries = self.config.retries + 1
        for number in range(tries):
            self._wait_for_turn()
            try:
                return _parse(self._post(body))
            except _TryAgain as failure:
                reason = str(failure)
                if failure.wait is not None and failure.wait > self.config.max_wait:
                    raise ServerError(
                        f"{self._url} asks to wait {failure.wait:.0f} seconds ({reason}), more than --max-wait "
                        f"{self.config.max_wait:g}"
                    ) from None
                backoff = min(LONGEST_BACKOFF, self.config.backoff * 2**number) * random.uniform(0.5, 1)
                if failure.wait is not None:
                    self._hold_everyone(max(failure.wait, backoff))
                elif number + 1 < tries:
                    self._stopped.wait(backoff)
            if self.stopped:
                raise ServerError("stopped")
        raise ServerError(f"{self._url} gave no usable answer in {tries} tries; the last time: {reason}")

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let requests that wait give up."""
        self._stopped.set()

    def close(self) -> None:
        self._http.close()

    def _post(self, body: dict[str, Any]) -> bytes:
        deadline = time.monotonic() + self.config.timeout
        try:
            with self._http.stream("POST", self._url, json=body) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    # The client's own timeout is for each read: a server that drips bytes would never meet it.
                    if time.monotonic() > deadline or len(content) > LARGEST_REPLY:
                        raise _TryAgain(f"no end of the reply after {len(content)} bytes")
        except httpx2.TimeoutException as error:
            raise _TryAgain(f"no reply within {self.config.timeout:g} seconds") from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise _TryAgain(f"{type(error).__name__}: {first_line(error)}") from error
        except httpx2.InvalidURL as error:
            raise ServerError(f"{self._url} is no address: {first_line(error)}") from error
        if response.status_code == 200:
            return bytes(content)
        said = _printable(content)
        reason = f"status {response.status_code}" + (f", {said}" if said else "")
        if response.status_code in (408, 409, 425, 429) or response.status_code >= 500:
            raise _TryAgain(reason, _retry_after(response.headers.get("retry-after")))
        if response.status_code in (400, 413, 422) and any(words in content.lower() for words in TOO_LONG):
            raise ContextLengthExceeded(said)
        hint = f" (the key is taken from ${self.config.api_key_env})" if response.status_code in (401, 403) else ""
        raise ServerError(f"{self._url} refused the request for the model {self.model!r}: {reason}{hint}")

    def _wait_for_turn(self) -> None:
        """Keep to the rate, and to what the server asked for."""
        interval = 60 / self.config.requests_per_minute if self.config.requests_per_minute else 0.0
        with self._lock:
            turn = max(time.monotonic(), self._next_request)
            self._next_request = turn + interval
        if self._stopped.wait(max(0.0, turn - time.monotonic())):
            raise ServerError("stopped")

    def _hold_everyone(self, seconds: float) -> None:
        with self._lock:
            self._next_request = max(self._next_request, time.monotonic() + seconds)


class _TryAgain(Exception):
    """A failure that may pass."""

    def __init__(self, reason: str, wait: float | None = None):
        super().__init__(reason)
        self.wait = wait


def _parse(content: bytes) -> Completion:
    """Raises _TryAgain where the reply is not what the interface says."""
    try:
        reply = json.loads(content)
        choice = reply["choices"][0]
        if reply.get("error") or choice.get("error") or choice.get("finish_reason") in ("error", "abort"):
            raise _TryAgain(f"the server failed while it answered ({_printable(content)})")
        text = choice["message"]["content"]
        usage = reply.get("usage")
        if not (text is None or isinstance(text, str)) or not (usage is None or isinstance(usage, dict)):
            raise TypeError("a field has the wrong type")
        logprobs = _logprobs(choice.get("logprobs"))
        return Completion(
            text=(text or "").encode("utf-8", "replace").decode("utf-8"),
            truncated=choice.get("finish_reason") == "length",
            prompt_tokens=_count((usage or {}).get("prompt_tokens")),
            tokens=_count((usage or {}).get("completion_tokens")),
            logprob=sum(logprobs) if logprobs else None,
            logprob_tokens=len(logprobs) or None,
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        said = _printable(content)
        raise _TryAgain(f"the reply is no chat completion ({type(error).__name__}: {said or 'empty'})") from error


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _logprobs(logprobs: Any) -> list[float]:
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    found = [float(token["logprob"]) for token in content or []]
    return [logprob for logprob in found if logprob > NO_LOGPROB]


def _retry_after(header: str | None) -> float | None:
    """Seconds, from a number or a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if seconds == seconds else None


def _printable(content: bytes | bytearray) -> str:
    """The beginning of what a server sent, fit for a terminal."""
    text = bytes(content[:200]).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text).strip()
