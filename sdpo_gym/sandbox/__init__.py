"""Runs untrusted programs, in worker processes that hold nothing of the trainer."""

from __future__ import annotations

import os
import threading

from sdpo_gym.sandbox.local import LocalSandbox
from sdpo_gym.sandbox.protocol import (
    OPAQUE,
    ExceptionInfo,
    Frame,
    IsolationReport,
    Limits,
    Program,
    RunResult,
    Sandbox,
    SandboxError,
    Status,
)

__all__ = [
    "OPAQUE",
    "ExceptionInfo",
    "Frame",
    "IsolationReport",
    "Limits",
    "LocalSandbox",
    "Program",
    "RunResult",
    "Sandbox",
    "SandboxError",
    "Status",
    "shared_sandbox",
]

_lock = threading.Lock()
_shared: LocalSandbox | None = None
# A process must not be forked while another thread holds the lock, which nobody would release in the new one.
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def shared_sandbox() -> Sandbox:
    """The sandbox that all environments of this process share, so that they do not start more workers than CPUs."""
    global _shared
    with _lock:
        if _shared is None or _shared.closed:
            _shared = LocalSandbox()
        return _shared
