"""Runs untrusted programs, in worker processes that hold nothing of the trainer."""

from __future__ import annotations

import os
import threading

from sdpo_gym.sandbox.factory import make_sandbox
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
    "make_sandbox",
    "shared_sandbox",
]

_lock = threading.Lock()
_shared: dict[str, Sandbox] = {}
if hasattr(os, "register_at_fork"):  # not on Windows
    # A process must not be forked while another thread holds the lock, which nobody would release in the new one.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def shared_sandbox(kind: str = "auto") -> Sandbox:
    """The sandbox of a kind that all environments of this process share, so that workers are not more than CPUs.

    Args:
        kind: See `make_sandbox`.

    Raises:
        SandboxError: there is none of this kind that works here; the message says what to do.
        ValueError: there is no such kind.
    """
    with _lock:
        if kind not in _shared or _shared[kind].closed:
            _shared[kind] = make_sandbox(kind)
        return _shared[kind]
