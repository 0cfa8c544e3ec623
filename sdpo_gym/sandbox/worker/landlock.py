"""File access limited by the kernel's Landlock, to reading given paths. See the kernel's userspace-api/landlock."""

import os
import stat

import linux

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = (1 << i for i in range(4))

# Rights that each version of Landlock knows: 13 at first, then renaming across folders, truncating, device ioctls.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NET_RIGHTS = 0b11  # TCP bind and connect, from version 4
_SCOPES = 0b11  # abstract Unix sockets and signals, from version 6


def make_ruleset(paths: list[str]) -> int | None:
    """A ruleset, ready for `linux.landlock_restrict_self`, that allows to read `paths` and nothing else.

    Returns:
        Its descriptor; None if the kernel has no Landlock.
    """
    version = linux.landlock_abi()
    if version == 0:
        return None
    rights = (1 << _FILE_RIGHTS[min(version, 5)]) - 1
    attributes = [rights, _NET_RIGHTS if version >= 4 else 0, _SCOPES if version >= 6 else 0]
    size = 1 if version < 4 else 2 if version < 6 else 3
    ruleset = linux.landlock_create_ruleset(b"".join(value.to_bytes(8, "little") for value in attributes[:size]))
    for path in paths:
        fd = os.open(path, os.O_PATH)
        try:
            mode = os.fstat(fd).st_mode
            allowed = READ_FILE | EXECUTE  # to map a shared library is to execute it
            if stat.S_ISDIR(mode):
                allowed |= READ_DIR
            elif stat.S_ISCHR(mode):
                allowed = READ_FILE | (WRITE_FILE if path == os.devnull else 0)
            linux.landlock_allow_beneath(ruleset, allowed, fd)
        finally:
            os.close(fd)
    return ruleset
