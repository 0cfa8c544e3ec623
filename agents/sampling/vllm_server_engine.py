"""Sampling with a vLLM server (`vllm serve`). It reads new weights from files, in a folder that both sides see."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
from peft import PeftModel
from safetensors import SafetensorError

from agents.errors import UsageError, first_line
from agents.policy.policy import Policy
from agents.processes import ALONE, Processes
from agents.sampling.agreement import check_agreement
from agents.sampling.engine import Response, SamplingParameters
from agents.sampling.vllm_engine import first_seed

TOKEN_VARIABLE = "VLLM_API_KEY"
"""Environment variable that holds the server's key; `vllm serve` reads the same."""

TRIES = 6
FIRST_WAIT = 1.0
"""Seconds before the second try; each later wait is twice as long."""


class VLLMServerEngine:
    """Samples from a server, with weights that go there after each update.

    Adapters go there as adapters, under a new name each time, so that nothing cached from earlier ones is used. Without
    adapters, the server reloads all of its weights. What it must be started with: docs/sampling-engines.md.

    Args:
        policy: Whose weights are used, as they are at each `sync`; the first is here.
        url: The server's address, without a path.
        folder: Where weights are written for the server, which must see it under the same path. None: a temporary one.
        timeout: Seconds for a whole reply.
        max_rows: Most responses that are drawn at the same time.
        processes: Those of the run. All sample; the main one alone brings new weights.

    Raises:
        UsageError: the server cannot be reached, refuses something, answers what it should not, or does not compute
            what the policy does. `sample` and `sync` raise it too.
    """

    def __init__(
        self,
        policy: Policy,
        url: str,
        folder: Path | None = None,
        timeout: float = 600,
        max_rows: int = 64,
        processes: Processes = ALONE,
    ):
        self.policy, self.url, self.timeout, self.max_rows = policy, url.rstrip("/"), timeout, max_rows
        self.processes = processes
        key = os.environ.get(TOKEN_VARIABLE, "")
        if not key.isascii():
            raise UsageError(f"the key in ${TOKEN_VARIABLE} cannot be sent: it is not plain ASCII")
        try:
            httpx2.URL(self.url)
        except httpx2.InvalidURL as error:
            raise UsageError(f"--engine-url {self.url} is no address: {first_line(error)}") from error
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        # Names of its own, as other runs may use the same server.
        self._run, self._version = f"sdpo-gym-{uuid.uuid4().hex[:8]}", 0
        self._base = self._model = self._served_model()
        self._temporary = tempfile.mkdtemp(prefix="sdpo-gym-weights-") if folder is None else None
        self._folder = Path(self._temporary or folder).absolute()
        try:
            self.sync()
            check_agreement(policy, self)
        except BaseException:
            self.close()
            raise

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        group_size: int,
        parameters: SamplingParameters,
        seeds: Sequence[int],
    ) -> list[list[Response]]:
        """See `SamplingEngine`. A group of more than `max_rows` is asked for in parts."""
        bodies = [
            {
                "model": self._model,
                "prompt": list(prompt),
                "n": min(self.max_rows, group_size - first),
                "seed": first_seed(seed) + first,
                "max_tokens": parameters.max_new_tokens,
                "temperature": parameters.temperature,
                "top_p": parameters.top_p,
                # What the model's own generation_config.json would decide otherwise.
                "top_k": 0,
                "min_p": 0.0,
                "repetition_penalty": 1.0,
                "stop_token_ids": sorted(self.policy.stop_ids),
                "logprobs": 0,
                "return_token_ids": True,
            }
            for prompt, seed in zip(prompts, seeds, strict=True)
            for first in range(0, group_size, self.max_rows)
        ]
        responses = [response for part in asyncio.run(self._complete(bodies)) for response in part]
        return [responses[i : i + group_size] for i in range(0, len(responses), group_size)]

    def sync(self) -> None:
        self._model = self.processes.on_main(self._push)

    def _push(self) -> str:
        """Bring the server the policy's weights; returns the name under which they are."""
        self._version += 1
        name = f"{self._run}-{self._version}"
        folder = self._folder / name
        try:
            self.policy.model.save_pretrained(folder)
        except (OSError, SafetensorError) as error:
            raise UsageError(f"cannot write the weights for the vLLM server: {error}; see --engine-folder") from error
        if isinstance(self.policy.model, PeftModel):
            self._call(
                "/v1/load_lora_adapter",
                {"lora_name": name, "lora_path": str(folder)},
                "adapters need a server started with --enable-lora, a --max-lora-rank of the adapters' rank, and "
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, that sees the --engine-folder",
            )
            self._unload()
        else:
            name = self._base
            hint = "new weights need a server started with VLLM_SERVER_DEV_MODE=1 that sees the --engine-folder"
            reload = {"method": "reload_weights", "kwargs": {"weights_path": str(folder)}, "timeout": self.timeout}
            self._call("/collective_rpc", reload, hint)
            # Keys and values of the old weights. It fails while somebody's request runs.
            for number in range(TRIES):
                if self._call("/reset_prefix_cache", {}, hint).get("success", True):
                    break
                asyncio.run(asyncio.sleep(FIRST_WAIT * 2**number))
            else:
                raise UsageError(f"{self.url} cannot forget the old weights' cache: others are sampling from it")
        # The newest stay: the server reads adapters again when it has dropped them for others'.
        shutil.rmtree(self._folder / f"{self._run}-{self._version - 1}", ignore_errors=True)
        return name

    def close(self) -> None:
        if self.processes.is_main:
            self._unload()
        for folder in [*self._folder.glob(f"{self._run}-*"), self._temporary]:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def _unload(self) -> None:
        """Let the server forget the adapters, if it has any of ours."""
        if self._model != self._base:
            with contextlib.suppress(UsageError):  # as of a server that has been started again
                asyncio.run(self._ask("POST", "/v1/unload_lora_adapter", 1, {"lora_name": self._model}))

    def _served_model(self) -> str:
        """The name of the model that is no adapter."""
        listed = asyncio.run(self._ask("GET", "/v1/models", TRIES))
        try:
            return next(model["id"] for model in listed["data"] if model.get("parent") is None)
        except (KeyError, TypeError, AttributeError, StopIteration) as error:
            raise UsageError(f"{self.url} is no vLLM server: its /v1/models names no model") from error

    def _call(self, path: str, body: dict[str, Any], hint: str) -> dict[str, Any]:
        """Change something on the server; returns its answer. Only if it is not reached, it is tried again.

        Args:
            hint: Said when the server refuses.
        """
        try:
            answer = asyncio.run(self._ask("POST", path, TRIES, body, only_if_not_reached=True))
        except _Refused as error:
            raise UsageError(f"{error} ({hint})") from error
        return answer if isinstance(answer, dict) else {}

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.url, headers=self._headers, timeout=self.timeout)

    async def _ask(self, *arguments: Any, **settings: Any) -> Any:
        """See `_request`; with a connection of its own."""
        async with self._client() as http:
            return await self._request(http, *arguments, **settings)

    async def _complete(self, bodies: Sequence[dict[str, Any]]) -> list[list[Response]]:
        at_once = asyncio.Semaphore(max(1, self.max_rows // bodies[0]["n"]))

        async def complete(body: dict[str, Any]) -> list[Response]:
            async with at_once:
                return self._responses(await self._request(http, "POST", "/v1/completions", TRIES, body), body)

        async with self._client() as http:
            return await asyncio.gather(*map(complete, bodies))

    async def _request(
        self,
        http: httpx2.AsyncClient,
        method: str,
        path: str,
        tries: int,
        body: dict[str, Any] | None = None,
        *,
        only_if_not_reached: bool = False,
    ) -> Any:
        """The JSON of an answer, or None where it holds none. Failures that may pass are tried again.

        Args:
            only_if_not_reached: Of these, only that the server was not reached.
        """
        for number in range(tries):
            if number:
                await asyncio.sleep(FIRST_WAIT * 2 ** (number - 1))
            try:
                # The client's own timeout is for each read: a server that drips bytes would never meet it.
                response = await asyncio.wait_for(http.request(method, path, json=body), self.timeout)
            except httpx2.ConnectError as error:
                reason = f"cannot be reached ({first_line(error)})"
                continue
            except (httpx2.TimeoutException, asyncio.TimeoutError):
                reason = f"did not answer {path} within {self.timeout:g} seconds"
            except httpx2.HTTPError as error:
                reason = f"did not answer {path} ({type(error).__name__}: {first_line(error)})"
            else:
                said = _said(response)
                if response.status_code == 200:
                    with contextlib.suppress(ValueError):
                        return response.json()
                    return None
                reason = f"refused {path}: status {response.status_code}, {said}"
                if response.status_code in (401, 403):
                    raise UsageError(f"{self.url} {reason}; its key is taken from ${TOKEN_VARIABLE}")
                passing = response.status_code in (408, 429) or response.status_code >= 500
                if only_if_not_reached or not passing:
                    raise _Refused(f"{self.url} {reason}")
            if only_if_not_reached:
                break
        raise UsageError(f"the vLLM server {self.url} {reason}; its address is --engine-url")

    def _responses(self, reply: Any, body: dict[str, Any]) -> list[Response]:
        """Raises UsageError where the reply is not what was asked for."""
        try:
            choices = sorted(reply["choices"], key=lambda choice: choice["index"])
            group = [
                Response(choice["token_ids"], choice["logprobs"]["token_logprobs"], choice["finish_reason"] == "length")
                for choice in choices
            ]
            prompts = [choice["prompt_token_ids"] for choice in choices]
            reasons = {choice["finish_reason"] for choice in choices}
        except (KeyError, TypeError) as error:
            raise UsageError(
                f"{self.url} returns no token ids or log-probs ({type(error).__name__}: {first_line(error)}); a vLLM "
                "server does so, since version 0.10.2"
            ) from error
        vocabulary = self.policy.model.config.get_text_config().vocab_size
        problem = None
        if len(group) != body["n"]:
            problem = f"{len(group)} responses instead of {body['n']}"
        elif any(prompt != body["prompt"] for prompt in prompts):
            problem = "responses to another prompt than was sent; it must neither cut nor extend it"
        elif reasons - {"stop", "length"}:
            problem = f"responses that ended for the reasons {sorted(map(str, reasons))}"
        elif not all(_is_response(response, vocabulary) for response in group):
            problem = "token ids or log-probs that are none"
        if problem:
            raise UsageError(f"the vLLM server {self.url} returned {problem}")
        return group


class _Refused(UsageError):
    """The server does not do what it was asked."""


def _is_response(response: Response, vocabulary: int) -> bool:
    ids, logprobs = response.token_ids, response.logprobs
    return (
        isinstance(ids, list)
        and isinstance(logprobs, list)
        and 0 < len(ids) == len(logprobs)
        and all(isinstance(token, int) and 0 <= token < vocabulary for token in ids)
        and all(isinstance(value, float | int) and math.isfinite(value) and value <= 1e-3 for value in logprobs)
    )


def _said(response: httpx2.Response) -> str:
    """The beginning of what a server sent, fit for a terminal."""
    return "".join(c if c.isprintable() else " " for c in response.text[:300]).strip() or "nothing"
