"""A fork server: reads jobs on descriptor 0, runs each in a fresh child, and answers on descriptor 1.

It runs nothing of a program itself, not even the compiler. What ended a child is seen and decided here, outside the
child, which adds only its claim about the value or the exception.
"""

import os
import resource
import sys

STACK_BYTES = 256 << 20

if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    stack = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
    if resource.getrlimit(resource.RLIMIT_STACK)[0] != stack:
        resource.setrlimit(resource.RLIMIT_STACK, (stack, hard))
        os.execv(sys.executable, sys.orig_argv)  # the room for the stack is set aside at exec

    import serve

    serve.main()
