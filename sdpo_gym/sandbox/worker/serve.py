"""The worker's loop: a program, its inputs in batches, an answer to each batch."""

import contextlib
import os
import resource
import signal
from typing import Any

import filesystem
import library
import linux
import program_process
import restrict
import wire

COPY_BYTES = 1 << 16


def main(requests: int, answers: int, uid_offset: int, namespaces: str, layers: set[str], packages: list[str]) -> None:
    """Serve until the host is gone.

    Args:
        requests: Descriptor to read jobs from.
        answers: Descriptor to write answers to.
        uid_offset: A number that no other worker on this machine has.
        namespaces: Which namespaces this worker has of its own, in words; empty if none.
        layers: Which of `landlock` and `seccomp` to use, where the kernel has them.
        packages: Folders of packages that programs may import besides the standard library.
    """
    os.environ.clear()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a host may have left it ignored, and then children vanish
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it; too much output shall end a program
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    _offer_to_out_of_memory_killer()
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    restrictions = restrict.find_restrictions(uid_offset, namespaces, layers, filesystem.readable(packages))
    library.find_packages(packages)
    if restrictions.uid is not None and not namespaces:
        library.reach_through_descriptors()
    library.load_preamble()
    library.hide_worker(os.path.dirname(os.path.abspath(__file__)))
    os.dup2(0, 2)  # to nowhere; until here, the host may read there what went wrong
    answer(answers, {"isolation": restrictions.report})
    source = -1
    process: program_process.ProgramProcess | None = None
    program: dict[str, Any] = {}
    while True:
        try:
            job = wire.read_message(lambda count: os.read(requests, count), wire.MAX_HEADER)
            if process is not None and ("source_bytes" in job or not job or job["fresh"] or not process.alive):
                process.end()
                process = None
            if not job:
                answer(answers, {})
                continue
            if "source_bytes" in job:
                library.preload(job["preload"])
                program = job | {"memory_bytes": (job["memory_mb"] << 20) + _own_bytes()}
                if source >= 0:
                    os.close(source)
                source = linux.memfd_create("source")
                copy(requests, source, job["source_bytes"])
            if process is None:
                process = program_process.ProgramProcess(program, source, restrictions, (requests, answers))
            copy(requests, process.stdin, sum(job["input_bytes"]))
            header = process.run(job["input_bytes"], job["wall_seconds"])
        except EOFError:
            if process is not None:
                process.end()
            return
        except OSError as error:
            answer(answers, {"error": str(error)})  # the host takes another worker
        else:
            answer(answers, header)
            process.send_output(answers, header)


def answer(fd: int, header: dict[str, Any]) -> None:
    """Write one message."""
    data = wire.pack(header)
    while data:
        data = data[os.write(fd, data) :]


def copy(source: int, target: int, count: int) -> None:
    """Move bytes from a stream to the beginning of a file, and leave none in this process's memory.

    Programs inherit that memory. They must not find other programs in it, or the inputs of tests.

    Raises:
        EOFError: the stream ended before.
    """
    os.ftruncate(target, 0)
    buffer = bytearray(min(count, COPY_BYTES))
    position = 0
    while position < count:
        part = memoryview(buffer)[: count - position]
        received = os.readv(source, [part])
        if not received:
            raise EOFError("connection closed")
        written = 0
        while written < received:
            written += os.pwrite(target, part[written:received], position + written)
        position += received
    buffer[:] = bytes(len(buffer))


def _own_bytes() -> int:
    """Address space of this process, which programs get beyond their limit: what is loaded here is not theirs."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _offer_to_out_of_memory_killer() -> None:
    """When the machine runs out of memory, programs shall go before the trainer does."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
