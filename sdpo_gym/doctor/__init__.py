"""`sdpo-gym doctor`: what works on this machine, and what to do about what does not."""

from __future__ import annotations

import json
from dataclasses import asdict

from sdpo_gym.doctor.finding import Finding
from sdpo_gym.doctor.machine import find_caches, find_devices, find_machine
from sdpo_gym.doctor.packages import find_packages
from sdpo_gym.doctor.sandboxes import find_docker_sandbox, find_local_sandbox
from sdpo_gym.sandbox.factory import REQUIRED, WAYS_OUT


def examine(as_json: bool = False) -> int:
    """Print what there is; return 0 if a sandbox with everything that `auto` requires works, else 1.

    Args:
        as_json: Print one JSON object, `{"sandbox": bool, "findings": {SECTION: [{"name", "found", "advice"}]}}`.
    """
    local, local_findings = find_local_sandbox()
    docker, docker_findings = find_docker_sandbox()
    sections = {
        "machine": find_machine(),
        "device": find_devices(),
        "packages": find_packages(),
        "caches": find_caches(),
        "local sandbox": local_findings,
        "docker sandbox": docker_findings,
    }
    if as_json:
        findings = {title: [asdict(finding) for finding in found] for title, found in sections.items()}
        print(json.dumps({"sandbox": local or docker, "findings": findings}, indent=2))
    else:
        for title, found in sections.items():
            print(_section(title, found))
        if not local and not docker:
            print(f"No sandbox here keeps {', '.join(sorted(REQUIRED))} from programs. Ways out:\n{WAYS_OUT}")
    return 0 if local or docker else 1


def _section(title: str, findings: list[Finding]) -> str:
    width = max(len(finding.name) for finding in findings) + 2
    lines = [title]
    for finding in findings:
        lines.append(f"  {finding.name:<{width}}{finding.found}")
        if finding.advice:
            lines.append(f"  {'':<{width}}→ {finding.advice}")
    return "\n".join(lines) + "\n"
