"""A local server that speaks as much of vLLM's HTTP protocol as the engine uses, on top of a real small model.

As with vLLM, new weights are without effect on what its prefix cache remembers; here that is everything.
"""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from agents.policy.load import load_policy
from agents.policy.lora import load_adapters
from agents.policy.next_tokens import next_tokens
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine

MISSING = 404, {"detail": "Not Found"}


class VLLMServer:
    """Serves the model in a folder.

    Args:
        mishaps: What becomes of the next requests for completions, one after another: "hang up", "hang", a status and
            a body, or a function that changes the reply in place.
        key: Every request to /v1 must carry it.
        processed: Whether log-probs are those after temperature and top-p (--logprobs-mode processed_logprobs).
        development: Whether weights can be reloaded (VLLM_SERVER_DEV_MODE=1).
        lora: Whether adapters can be loaded.
    """

    def __init__(self, folder, mishaps=(), *, key=None, processed=True, development=True, lora=True):
        self.folder, self.mishaps, self.key = folder, list(mishaps), key
        self.processed, self.development, self.lora = processed, development, lora
        self.policies = {"base": load_policy(str(folder), device="cpu", precision="fp32")}
        self.reloaded = None
        self.requests: list[tuple[str, dict]] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self, None)

            def do_POST(self):
                outer.answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def log_message(self, *arguments):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._released.set()
        self._http.shutdown()
        self._http.server_close()

    def asked(self, path):
        """The bodies of the requests to a path."""
        return [body for asked, body in self.requests if asked == path]

    def answer(self, handler, body):
        path = handler.path
        with self._lock:
            self.requests.append((path, body))
            status, reply = 401, {"error": "Unauthorized"}
            sent = handler.headers.get("Authorization", "")
            if self.key is None or not path.startswith("/v1") or sent == f"Bearer {self.key}":
                status, reply = getattr(self, "_" + path.rsplit("/", 1)[-1])(body)
            mishap = self.mishaps.pop(0) if path == "/v1/completions" and self.mishaps else None
        if mishap == "hang up":
            handler.connection.close()
            return
        if mishap == "hang":
            self._released.wait(20)
            return
        if isinstance(mishap, tuple):
            status, reply = mishap
        elif mishap is not None:
            mishap(reply)
        with contextlib.suppress(OSError):
            handler.send_response(status)
            handler.end_headers()
            handler.wfile.write(reply.encode() if isinstance(reply, str) else json.dumps(reply).encode())

    def _models(self, body):
        names = [{"id": name, "parent": None if name == "base" else "base"} for name in self.policies]
        return 200, {"object": "list", "data": names}

    def _completions(self, body):
        if body["model"] not in self.policies:
            return 404, {"error": {"message": f"The model `{body['model']}` does not exist.", "code": 404}}
        policy, prompt = self.policies[body["model"]], body["prompt"]
        if len(prompt) + body["max_tokens"] > policy.context_length:
            return 400, {"error": {"message": "max_tokens cannot be greater than max_model_len", "code": 400}}
        parameters = SamplingParameters(body["max_tokens"], body["temperature"], body["top_p"])
        seeds = range(body["seed"], body["seed"] + body["n"])  # as vLLM: each response has one
        groups = TransformersEngine(policy).sample([prompt] * body["n"], 1, parameters, seeds)
        choices = []
        for index, (response,) in enumerate(groups):
            logprobs = response.logprobs
            if not self.processed:
                with torch.no_grad():
                    distributions = next_tokens(policy, [prompt], [response.token_ids])
                    logprobs = distributions.stats(torch.tensor(response.token_ids)).logprobs.tolist()
            choices.append(
                {
                    "index": index,
                    "text": policy.decode(response.token_ids),
                    "logprobs": {"token_logprobs": logprobs},
                    "finish_reason": "length" if response.truncated else "stop",
                    "token_ids": response.token_ids,
                    "prompt_token_ids": prompt,
                }
            )
        return 200, {"object": "text_completion", "model": body["model"], "choices": choices[::-1]}

    def _load_lora_adapter(self, body):
        if not self.lora:
            return MISSING
        if body["lora_name"] in self.policies:
            return 400, {"error": {"message": "has already been loaded", "code": 400}}
        try:
            policy = load_policy(str(self.folder), device="cpu", precision="fp32")
            load_adapters(policy, Path(body["lora_path"]), merge=True)
            self.policies[body["lora_name"]] = policy
        except Exception as error:
            return 404, {"error": {"message": f"Loading lora failed: {error}", "code": 404}}
        return 200, f"Success: LoRA adapter '{body['lora_name']}' added successfully."

    def _unload_lora_adapter(self, body):
        if self.policies.pop(body["lora_name"], None) is None:
            return 404, {"error": {"message": "The lora adapter cannot be found.", "code": 404}}
        return 200, "Success"

    def _collective_rpc(self, body):
        if not self.development:
            return MISSING
        assert body["method"] == "reload_weights"
        try:
            self.reloaded = AutoModelForCausalLM.from_pretrained(body["kwargs"]["weights_path"], dtype=torch.float32)
        except OSError as error:
            return 500, {"error": {"message": f"Worker failed with error {error}", "code": 500}}
        return 200, {"results": [None]}

    def _reset_prefix_cache(self, body):
        if not self.development:
            return MISSING
        if self.reloaded is not None:
            self.policies["base"].model = self.reloaded.eval()
        return 200, {"success": True}
