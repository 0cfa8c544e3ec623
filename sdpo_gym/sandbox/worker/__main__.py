"""A fork server: reads jobs on descriptor 0, runs programs in restricted children, and answers on descriptor 1.

It runs nothing of a program itself, not even the compiler.
"""

import json
import os
import resource
import sys

STACK_BYTES = 256 << 20


def main(options: dict) -> None:
    """Prepare this process, and serve."""
    import fork_handlers

    fork_handlers.postpone()
    import filesystem
    import namespaces
    import serve

    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    number = os.getpid()  # as the host sees it: no other worker has it
    entered = ""
    if options["namespaces"]:
        paths = filesystem.readable([*options["packages"], os.path.dirname(os.path.abspath(__file__))])
        if namespaces.try_out(paths):
            namespaces.enter(paths)
            entered = "namespaces"
    layers = {name for name in ("landlock", "seccomp") if options[name]}
    serve.main(requests, answers, number, entered, layers, options["packages"])


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    stack = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
    if resource.getrlimit(resource.RLIMIT_STACK)[0] != stack:
        resource.setrlimit(resource.RLIMIT_STACK, (stack, hard))
        os.execv(sys.executable, sys.orig_argv)  # the room for the stack is set aside at exec
    main(json.loads(sys.argv[1]))
