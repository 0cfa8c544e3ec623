"""The folder of a run that may be killed at any point and goes on when the same command is given again."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from agents.errors import UsageError
from agents.policy.load import weight_files
from agents.runs.folder import claim, writing
from agents.runs.records import check_equal_settings, check_same_program, config_text, parse_records, read_config
from sdpo_gym.sandbox import SandboxError


class ResumableRun:
    """A folder with the settings that decide a run's results, journals, and files written as a whole.

    Args:
        path: A new or empty folder, or one of an earlier run with equal settings, which is gone on with. (As long as
            a run has recorded nothing, its settings may be replaced.)
        program: What writes it, such as `agents.evaluate`.
        settings: What decides the results, JSON-able.
        models: Names of the models whose weights decide, too, where they lie in a folder.
        numbered: Whether to begin a new run, under another name where the folder is taken; see `claim`.

    Raises:
        UsageError: the folder holds something else, a run with other settings or weights, or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        program: str,
        settings: Mapping[str, Any],
        models: Sequence[str] = (),
        *,
        numbered: bool = False,
    ):
        self.path = path
        weights = {model: weight_files(Path(model).expanduser()) for model in models}
        text = config_text(program, {**settings, "weights": weights})
        self._is_new = numbered or not (path / "config.json").exists()
        if self._is_new:
            self.path = claim(path, text, numbered=numbered)
            return
        known = read_config(path)
        check_same_program(path, known["program"], program)
        if self.has_records:
            check_equal_settings(path, known["config"], json.loads(text)["config"], besides=("weights",))
            for model, files in known["config"].get("weights", {}).items():
                if files != weights[model]:
                    raise UsageError(
                        f"the model in {model} has changed since the attempts in {path} were made; "
                        "name another folder with --output"
                    )
        else:
            self.write("config.json", text)

    @property
    def has_records(self) -> bool:
        """Whether a journal holds anything."""
        return any(path.stat().st_size for path in self.path.rglob("*.jsonl"))

    @contextlib.contextmanager
    def announced(self, console: Console) -> Iterator[None]:
        """If what is done ends by an error, say how to go on with what was recorded; a new folder without records is
        removed."""
        try:
            yield
        except (UsageError, SandboxError, KeyboardInterrupt):
            if self.has_records:
                said = f"The attempts made so far are in {self.path}; give --output {self.path} to go on"
                console.print(said, markup=False, soft_wrap=True)
            elif self._is_new:
                self._remove_unused()
            raise

    def _remove_unused(self) -> None:
        """Remove the folder, if nothing but this run lies in it."""
        files = [path for path in self.path.rglob("*") if not path.is_dir()]
        if all(path.name == "config.json" or path.suffix == ".jsonl" for path in files):
            with writing(self.path):
                shutil.rmtree(self.path)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file, which is either the previous one or complete, never half-written."""
        target = self.path / name
        partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
        with writing(self.path):
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content.encode() if isinstance(content, str) else content)
            partial.replace(target)
        return target

    def journal(self, name: str) -> Journal:
        return Journal(self.path / name)


class Journal:
    """A file of JSON records, one a line, that only grows. What was appended is on the disk.

    A last line that a kill left unfinished is dropped. One process at a time may hold it.

    Each record gets the field `seconds`: its share of the time since the last append, or since `start_clock`. So the
    fields add up to the time that the run took, over all its processes, without what was lost in a kill.

    Args:
        path: The file; made if it does not exist.

    Raises:
        UsageError: another process holds the journal, it is no journal, or it cannot be written.
    """

    def __init__(self, path: Path):
        self.path = path
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a+b")  # noqa: SIM115 (closed in `close`)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._file.close()
                raise UsageError(f"another process is writing {path}; wait for it, or name another --output") from None
            self._file.seek(0)
        size, self.records = 0, []
        try:
            for line, record in parse_records(path, self._file):
                size += len(line)
                self.records.append(record)
            with writing(path.parent):
                self._file.truncate(size)
        except UsageError:
            self.close()
            raise
        self.start_clock()

    def start_clock(self) -> None:
        """Leave the time so far out of the next record's `seconds`."""
        self._last = time.monotonic()

    def append(self, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Write records to the disk; returns them with `seconds`."""
        now = time.monotonic()
        added = [dict(record) for record in records]
        for record in added:
            record["seconds"] = (now - self._last) / len(added)
        self._last = now
        with writing(self.path.parent):
            self._file.write("".join(json.dumps(record, default=str) + "\n" for record in added).encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        self.records += added
        return added

    def close(self) -> None:
        # What a full disk did not take is still in the buffer, and `append` has raised already.
        with contextlib.suppress(OSError):
            self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
