"""Which sandboxes work, layer by layer."""

from __future__ import annotations

from sdpo_gym.doctor.finding import Finding
from sdpo_gym.sandbox import LocalSandbox, SandboxError
from sdpo_gym.sandbox.factory import ADVICE, REQUIRED
from sdpo_gym.sandbox.protocol import ISOLATION


def find_local_sandbox() -> tuple[bool, list[Finding]]:
    """Whether it provides everything, and its layers one by one."""
    try:
        sandbox = LocalSandbox()
    except SandboxError as error:
        return False, [Finding("local", "does not work", str(error))]
    try:
        report = sandbox.isolation
        missing = report.missing(REQUIRED)
    except SandboxError as error:
        return False, [Finding("local", "does not work", str(error))]
    finally:
        sandbox.close()
    findings = [Finding("workers", str(sandbox.workers))]
    for kind in ISOLATION:
        advice = ADVICE[kind] if report.missing([kind]) else ""
        findings.append(Finding(kind, getattr(report, kind), advice))
    return not missing, findings + [Finding("note", note) for note in report.notes]


def find_docker_sandbox() -> tuple[bool, list[Finding]]:
    """Whether engine and image are there, and what is known about them."""
    from sdpo_gym.sandbox import docker_engine, docker_image

    try:
        client = docker_engine.connect(None)
    except SandboxError as error:
        return False, [Finding("engine", "none", str(error))]
    from docker.errors import DockerException

    findings: list[Finding] = []
    try:
        info = client.info()
        runtimes = sorted(info.get("Runtimes") or {})
        findings += [
            Finding("engine", f"{info.get('ServerVersion')} with {info.get('NCPU')} CPUs"),
            Finding("runtimes", ", ".join(runtimes) + ("" if "runsc" in runtimes else "; no runsc (gVisor)")),
        ]
        return True, [*findings, Finding("image", str(docker_image.find(client, None)))]
    except (SandboxError, DockerException, OSError) as error:
        return False, [*findings, Finding("image", "none that can be used", str(error))]
    finally:
        client.close()
