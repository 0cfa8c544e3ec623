"""A local server that imitates an OpenAI-compatible endpoint, with its failures."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(text, finish="stop", usage=True, logprobs=None, error=None, choice_error=None):
    """The body of a reply; a good one unless `finish` or an error says otherwise."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    if logprobs is not None:
        choice["logprobs"] = {"content": [{"token": "x", "logprob": value} for value in logprobs]}
    counts = {"usage": {"prompt_tokens": 10, "completion_tokens": 5}} if usage else {}
    if choice_error is not None:
        choice["error"] = choice_error
    return json.dumps({"choices": [choice], "error": error, **counts})


def ok(text="even", **kwargs):
    return 200, {}, completion(text, **kwargs)


class ChatServer:
    """Answers each request with the next of `script`, whose entries are `(status, headers, body)`, "hang up", "hang" or
    "drip"; after its end, with `(200, {}, …)` whose text is `default`."""

    def __init__(self, script=(), default="even"):
        self.script = list(script)
        self.default = default
        self.requests = []
        self.headers = []
        self.times = []
        self.waited_for = 0  # times that the client did not give up while the server hung
        self._lock = threading.Lock()
        self._released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                outer._answer(self)

            def log_message(self, *arguments):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._released.set()
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, handler):
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self._lock:
            self.requests.append(body)
            self.headers.append(dict(handler.headers))
            self.times.append(time.monotonic())
            reply = self.script.pop(0) if self.script else ok(self.default)
        with contextlib.suppress(OSError):
            if reply == "hang up":
                handler.connection.close()
            elif reply == "hang":
                self.waited_for += not self._released.wait(20)
            elif reply == "drip":
                handler.send_response(200)
                handler.end_headers()
                while not self._released.wait(0.05):
                    handler.wfile.write(b" ")
                    handler.wfile.flush()
            else:
                status, headers, content = reply
                handler.send_response(status)
                for name, value in headers.items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(content if isinstance(content, bytes) else content.encode())
