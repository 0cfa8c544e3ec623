"""Makes a sandbox by name, or the strongest that works here; never a weaker one than asked for without a word."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Collection
from typing import Any

from sdpo_gym.network import check_token
from sdpo_gym.sandbox.local import LocalSandbox
from sdpo_gym.sandbox.protocol import IsolationReport, Sandbox, SandboxError

KINDS = ("auto", "local", "docker", "remote", "ray", "unsafe")
REQUIRED = frozenset({"filesystem", "network", "processes", "memory"})
"""What `auto` keeps from programs, or refuses."""

URL_VARIABLE = "SDPO_GYM_SANDBOX_URL"
TOKEN_VARIABLE = "SDPO_GYM_SANDBOX_TOKEN"

ADVICE = {
    "filesystem": "use a kernel with Landlock (Linux 5.13 or newer, with `landlock` in /sys/kernel/security/lsm) or "
    "allow unprivileged user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0)",
    "network": "use a kernel with seccomp filters on x86-64 or aarch64, or allow unprivileged user namespaces",
    "processes": "use a kernel with seccomp filters on x86-64 or aarch64, or allow unprivileged user namespaces",
    "memory": "use a platform with RLIMIT_AS, such as Linux",
    "kernel": 'use Docker with gVisor: make_sandbox("docker", runtime="runsc")',
}
"""What to do where the local sandbox lacks a kind of isolation."""

WAYS_OUT = f"""\
- Docker: pip install 'sdpo-gym[docker]', start the engine, run `sdpo-gym sandbox build-image`
- another machine: run `sdpo-gym sandbox serve` there, and name its address: make_sandbox("https://host:8642"), with
  its token in {TOKEN_VARIABLE}
- programs that you trust: make_sandbox("unsafe") isolates nothing"""

_log = logging.getLogger("sdpo_gym")


def make_sandbox(kind: str = "auto", *, require: Collection[str] | None = None, **options: Any) -> Sandbox:
    """Make a sandbox.

    Args:
        kind: One of

            - `auto`: `local` where it provides all of `require`, else `docker`;
            - `local`: `LocalSandbox`, with whatever layers work here; those that are missing are logged;
            - `docker`: `DockerSandbox`;
            - an address, `https://host:port`: `RemoteSandbox`, with the token in `SDPO_GYM_SANDBOX_TOKEN`;
              `remote`: the same, with the address in `SDPO_GYM_SANDBOX_URL`;
            - `ray`: `RaySandbox`;
            - `unsafe`: `UnsafeSandbox`, which isolates nothing.
        require: Fields of `IsolationReport` that something must provide. None: for `auto` file system, network,
            processes and memory; for the others nothing, as they were named.
        options: Arguments of the sandbox's class.

    Raises:
        SandboxError: it does not work here, or does not provide what is required; the message says what to do.
        ValueError: there is no such kind, or an argument makes no sense.
    """
    check_kind(kind)
    if kind == "auto":
        return _make_strongest(REQUIRED if require is None else require, options)
    sandbox = _make_named(kind, options)
    try:
        if require is not None and (missing := sandbox.isolation.missing(require)):
            raise SandboxError(f"sandbox {kind!r} does not provide what is required:\n{_describe(missing)}")
        if kind == "local" and (missing := sandbox.isolation.missing(REQUIRED)):
            _log.warning("the local sandbox keeps less from programs than it should:\n%s", _describe(missing))
    except BaseException:
        sandbox.close()
        raise
    return sandbox


def check_kind(kind: str) -> None:
    """Raise ValueError if there is no such kind of sandbox."""
    if not isinstance(kind, str) or (kind not in KINDS and not kind.startswith(("http://", "https://"))):
        raise ValueError(
            f"unknown kind of sandbox {kind!r}; choose from {', '.join(KINDS)}, or the address of a server"
        )


def _make_named(kind: str, options: dict[str, Any]) -> Sandbox:
    if kind == "local":
        return LocalSandbox(**options)
    if kind == "docker":
        from sdpo_gym.sandbox.docker_pool import DockerSandbox

        return DockerSandbox(**options)
    if kind == "ray":
        from sdpo_gym.sandbox.ray_cluster import RaySandbox

        return RaySandbox(**options)
    if kind == "unsafe":
        from sdpo_gym.sandbox.unsafe import UnsafeSandbox

        return UnsafeSandbox(**options)
    from sdpo_gym.sandbox.remote import RemoteSandbox

    url = options.pop("url", None) or os.environ.get(URL_VARIABLE) if kind == "remote" else kind
    token = options.pop("token", None)
    if not url:
        raise SandboxError(f"no sandbox server is named: set {URL_VARIABLE}, or use its address as the kind")
    if not token:
        token = os.environ.get(TOKEN_VARIABLE)
        if not token:
            raise SandboxError(f"the sandbox server's token is missing: set {TOKEN_VARIABLE}")
        check_token(token, TOKEN_VARIABLE)
    return RemoteSandbox(url, token, **options)


def _make_strongest(require: Collection[str], options: dict[str, Any]) -> Sandbox:
    IsolationReport().missing(require)  # a wrong name is the caller's mistake, not a reason to try the next
    complaints = []
    for kind in ("local", "docker"):
        try:
            if kind == "local" and sys.platform != "linux":
                raise SandboxError(f"needs Linux, and this is {sys.platform}")
            sandbox = _make_named(kind, options)
            missing = sandbox.isolation.missing(require)
        except SandboxError as error:
            complaints.append(f"{kind}: {error}")
            continue
        if not missing:
            return sandbox
        sandbox.close()
        complaints.append(f"{kind} does not provide:\n{_describe(missing)}")
    reasons = "\n".join(complaints)
    raise SandboxError(
        f"no sandbox here provides {', '.join(sorted(require))}.\n{reasons}\nWays out:\n{WAYS_OUT}\n"
        '`sdpo-gym doctor` says more. make_sandbox("local") takes what there is.'
    )


def _describe(missing: list[str]) -> str:
    return "\n".join(f"- {kind}: {ADVICE[kind]}" for kind in missing)
