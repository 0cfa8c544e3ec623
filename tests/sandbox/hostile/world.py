"""What hostile programs are let loose on: secrets, folders, servers, a bystander; and how to see what became of them."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]
END_SECONDS = 10.0
FIRST_PRIVATE_UID = 1_900_000_000
"""From here on are the users that only programs run as."""


def numbers(count: int) -> list[int]:
    return [secrets.randbelow(10**9) + 10**17 for _ in range(count)]


class World:
    """What programs could read, change, reach or kill; and how to see whether they did."""

    def __init__(self) -> None:
        self.token = f"sdpo{secrets.token_hex(6)}"
        self.canary = f"CANARY{secrets.token_hex(6)}"
        self.variable = f"SECRET_{self.token.upper()}"
        self.folder = Path(tempfile.mkdtemp(prefix="hostile-", dir="/tmp"))
        self.folder.chmod(0o777)
        self._stack = contextlib.ExitStack()
        self._stack.callback(shutil.rmtree, self.folder)
        self.answers = numbers(2)
        self._files = [self._write("open.txt", 0o644), self._write("closed.txt", 0o600), self._write("any.txt", 0o777)]
        self._listen()
        self.victim = subprocess.Popen(["sleep", "3600"])
        self._stack.callback(self.victim.wait)
        self._stack.callback(self.victim.kill)
        self._before = self._contents()

    def close(self) -> None:
        self._stack.close()

    def _write(self, name: str, mode: int) -> str:
        path = self.folder / name
        path.write_text(f"{self.canary} {self.answers}\n")
        path.chmod(mode)
        return str(path)

    def _listen(self) -> None:
        self.listeners = {}
        for name, kind, address in (
            ("tcp", socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("udp", socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            ("unix", socket.SOCK_STREAM, str(self.folder / "socket")),
            ("abstract", socket.SOCK_STREAM, f"\0{self.token}"),
            ("abstract-datagram", socket.SOCK_DGRAM, f"\0{self.token}-datagram"),
        ):
            family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
            listener = self._stack.enter_context(socket.socket(family, kind))
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
            self.listeners[name] = listener
        (self.folder / "socket").chmod(0o777)

    @property
    def targets(self) -> dict[str, Any]:
        """What the programs are told, which is more than a real one could know."""
        home = os.path.expanduser("~")
        return {
            "marker": self.token[:15],
            "token": self.token,
            "variable": self.variable,
            "host": os.getpid(),
            "victim": self.victim.pid,
            "uid": os.getuid(),
            "port": self.listeners["tcp"].getsockname()[1],
            "udp_port": self.listeners["udp"].getsockname()[1],
            "unix": str(self.folder / "socket"),
            "abstract": self.token,
            "files": [
                *self._files,
                str(REPOSITORY / "envs/livecodebench/problems.jsonl"),
                str(REPOSITORY / "sdpo_gym/sandbox/pool.py"),
                *("/etc/passwd", "/etc/shadow", "/etc/hostname", "/proc/1/environ", f"/proc/{os.getpid()}/environ"),
                *(f"{home}/{name}" for name in (".ssh/id_rsa", ".netrc", ".bash_history", ".cache/huggingface/token")),
            ],
            "folders": [
                str(self.folder),
                "/",
                "/tmp",
                "/var/tmp",
                "/dev/shm",
                home,
                f"{home}/.ssh",
                os.getcwd(),
                "/etc",
            ],
            "packages": [str(REPOSITORY), str(REPOSITORY / "tests"), *site.getsitepackages()],
        }

    def _contents(self) -> dict[str, tuple[int, int]]:
        return {path.name: (path.stat().st_mode, path.stat().st_size) for path in self.folder.iterdir()}

    def check(self) -> None:
        """Fail if anything was changed, reached, killed or left behind."""
        assert self._contents() == self._before
        targets = self.targets
        for folder in {*targets["folders"], *targets["packages"], *sys.path, os.path.dirname(os.__file__)}:
            assert glob.glob(f"{folder}/*{self.token}*") == []
        assert glob.glob(f"{os.path.dirname(os.__file__)}/__pycache__/*{self.token}*") == []
        for name, listener in self.listeners.items():
            with pytest.raises(BlockingIOError):
                print(name, listener.recv(100) if listener.type == socket.SOCK_DGRAM else listener.accept())
        assert self.victim.poll() is None
        assert Path(f"/proc/{self.victim.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
        assert os.getpriority(os.PRIO_PROCESS, self.victim.pid) == 0
        deadline = time.monotonic() + END_SECONDS
        while left := self.left_behind():
            assert time.monotonic() < deadline, f"left running: {left}"
            time.sleep(0.01)

    def left_behind(self) -> list[str]:
        """Threads that bear the programs' name, or belong to a user that only programs of this process run as."""
        found = []
        for path in glob.glob("/proc/[0-9]*/task/[0-9]*/status"):
            with contextlib.suppress(OSError):
                fields = dict(line.split(":", 1) for line in Path(path).read_text().splitlines() if ":" in line)
                uid = int(fields["Uid"].split()[0])
                private = uid >= FIRST_PRIVATE_UID and os.getpid() in ancestors(int(fields["Pid"]))
                if fields["Name"].strip() == self.token[:15] or private:
                    found.append(f"{path} {fields['Name']} {fields['State']}")
        return found

    def check_text(self, text: str, *, breaches: bool = False) -> None:
        """Fail if a secret stands in what came out of a program, or the program says that it got through.

        Args:
            breaches: Whether it may say so.
        """
        assert breaches or "BREACH" not in text
        assert self.canary not in text
        assert not [answer for answer in self.answers if str(answer) in text]


def ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        found.append(pid)
        with contextlib.suppress(OSError):
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            continue
        break
    return found
