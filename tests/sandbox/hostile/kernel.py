"""Programs that call what no program for a puzzle needs."""

from sandbox.hostile.program import Family

kernel = Family("kernel")

kernel.stdin(
    "namespaces",
    "make or join namespaces",
    """
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x400, 0x80):
        attempt(f"unshare {flag:x}", syscall, 272, flag)
    for fd in range(10): attempt("setns", syscall, 308, fd, 0)
    """,
    x86_64_only=True,
)
kernel.stdin(
    "mounts",
    "mount, unmount and change the root",
    """
    attempt("mount", syscall, 165, b"tmpfs", b"/tmp", b"tmpfs", 0, 0)
    attempt("bind", syscall, 165, b"/", b"/tmp", 0, 4096, 0)
    attempt("remount", syscall, 165, 0, b"/", 0, 32 | 4096, 0)
    attempt("umount", syscall, 166, b"/proc", 2)
    attempt("pivot_root", syscall, 155, b"/", b"/proc")
    attempt("chroot", os.chroot, "/")
    attempt("chdir", os.chdir, "/")
    attempt("fsopen", syscall, 430, b"tmpfs", 0)
    attempt("fsmount", syscall, 432, 3, 0, 0)
    attempt("fspick", syscall, 433, -100, b"/", 0)
    attempt("move_mount", syscall, 429, -100, b"/proc", -100, b"/tmp", 0)
    attempt("mount_setattr", syscall, 442, -100, b"/", 0, ctypes.create_string_buffer(32), 32)
    attempt("swapon", syscall, 167, b"/dev/zero", 0)
    """,
    x86_64_only=True,
)
kernel.stdin(
    "users",
    "become another user",
    """
    for uid in (0, 65534, T["uid"]):
        attempt("setuid", lambda: os.setuid(uid) if uid != os.getuid() else 1 / 0)
        attempt("setresuid", lambda: os.setresuid(-1, uid, -1) if uid != os.getuid() else 1 / 0)
        attempt("setgid", lambda: os.setgid(uid) if uid != os.getgid() else 1 / 0)
        attempt("setgroups", os.setgroups, [uid])
    attempt("capset", syscall, 126, (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6))
    attempt("setfsuid", syscall, 122, 0)
    """,
    x86_64_only=True,
)
kernel.stdin(
    "process_controls",
    "change its own restrictions",
    """
    for option in [*range(1, 15), *range(17, 80), 0x59616D61]:
        for value in (0, 1): attempt(f"prctl {option}", syscall, 157, option, value, 0, 0, 0)
    attempt("seccomp", syscall, 317, 1, 0, ctypes.create_string_buffer(16))
    attempt("listener", syscall, 317, 1, 8, ctypes.create_string_buffer(16))
    attempt("landlock", syscall, 444, ctypes.create_string_buffer(8), 8, 0)
    attempt("restrict", syscall, 446, 3, 0)
    attempt("personality", syscall, 135, 0x0040000)
    attempt("arch_prctl", syscall, 158, 0x1011, 0)
    attempt("modify_ldt", syscall, 154, 0, ctypes.create_string_buffer(64), 64)
    """,
    x86_64_only=True,
)
kernel.stdin(
    "attack_surface",
    "open the parts of the kernel that bugs are found in",
    """
    buffer = ctypes.create_string_buffer(256)
    for name, *call in (
        ("bpf", 321, 0, buffer, 72), ("bpf load", 321, 5, buffer, 72), ("userfaultfd", 323, 0), ("userfaultfd", 323, 1),
        ("perf_event_open", 298, buffer, 0, -1, -1, 0), ("keyctl", 250, 0, -3, 0), ("keyctl", 250, 1, 0),
        ("add_key", 248, b"user", b"x", b"x", 1, -3), ("request_key", 249, b"user", b"x", 0, -3),
        ("fanotify_init", 300, 0, 0), ("inotify_init", 253), ("inotify_init1", 294, 0),
        ("init_module", 175, buffer, 1, b""), ("finit_module", 313, 0, b"", 0), ("kexec_load", 246, 0, 0, 0, 0),
        ("syslog", 103, 3, buffer, 256), ("vmsplice", 278, 1, buffer, 1, 0), ("splice", 275, 0, 0, 1, 0, 1, 0),
        ("tee", 276, 0, 1, 1, 0), ("sendfile", 40, 1, 0, 0, 1), ("copy_file_range", 326, 0, 0, 1, 0, 1, 0),
        ("mbind", 237, 0, 4096, 0, 0, 0, 0), ("set_mempolicy", 238, 0, 0, 0), ("pkey_alloc", 330, 0, 0),
        ("remap_file_pages", 216, 0, 0, 0, 0, 0), ("mlock", 149, buffer, 1), ("mlockall", 151, 2),
        ("quotactl", 179, 0, 0, 0, 0), ("lookup_dcookie", 212, 0, buffer, 8), ("vhangup", 153),
        ("nfsservctl", 180, 0, 0, 0), ("ustat", 136, 0, buffer), ("sysfs", 139, 3), ("uselib", 134, b"/lib/x"),
    ):
        attempt(name, syscall, *call)
    """,
    x86_64_only=True,
)
kernel.stdin(
    "machine",
    "change the machine",
    """
    buffer = ctypes.create_string_buffer(256)
    for name, *call in (
        ("sethostname", 170, b"owned", 5), ("setdomainname", 171, b"owned", 5), ("settimeofday", 164, buffer, 0),
        ("clock_settime", 227, 0, buffer), ("adjtimex", 159, buffer), ("clock_adjtime", 305, 0, buffer),
        ("reboot", 169, 0, 0, 0, 0), ("iopl", 172, 3), ("ioperm", 173, 0, 1, 1), ("acct", 163, 0), ("sync", 162),
        ("ioprio_set", 251, 1, 0, 0), ("sched_setattr", 314, 0, buffer, 0), ("sched_setparam", 142, 0, buffer),
    ):
        attempt(name, syscall, *call)
    """,
    x86_64_only=True,
)
kernel.stdin(
    "terminals",
    "push characters into a terminal",
    """
    import fcntl, termios
    for fd in range(3):
        for request in (0x5412, 0x540E, 0x5420, 0x5422, 0x541C, 0x80045430, 0x5401 | 1 << 32 | 0x11):
            attempt(f"ioctl {request:x}", fcntl.ioctl, fd, request, b"x" * 8)
    for path in ("/dev/tty", "/dev/pts/0", "/dev/console", "/dev/tty0"): attempt(path, os.open, path, os.O_RDWR)
    """,
)
kernel.stdin(
    "locks_and_seals",
    "lock, seal and lease descriptors that it shares with the worker",
    """
    import fcntl
    for fd in range(16):
        for command, value in ((1033, 15), (1031, 1 << 20), (1024, 1), (1025, 0), (1029, 0), (1032, 0)):
            attempt(f"fcntl {command}", fcntl.fcntl, fd, command, value)
        attempt("flock", fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        attempt("lockf", fcntl.lockf, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        attempt("mode", os.fchmod, fd, 0)
        attempt("owner", os.fchown, fd, 0, 0)
        attempt("allocate", os.posix_fallocate, fd, 0, 1 << 30)
    """,
)
kernel.stdin(
    "every_other_number",
    "make all the system calls that are not on the list, with arguments that mean nothing",
    """
    allowed = {0, 1, 19, 20, 17, 18, 295, 296, 327, 328, 2, 257, 3, 436, 8, 77, 74, 75, 221, 4, 5, 6, 262, 332, 138, 21,
               269, 439, 89, 267, 217, 79, 32, 33, 292, 22, 293, 290, 7, 271, 23, 270, 291, 233, 232, 281, 35, 230, 34, 12,
               9, 11, 25, 10, 28, 324, 202, 449, 273, 274, 334, 218, 24, 204, 186, 60, 231, 13, 14, 15, 127, 128, 130, 131,
               219, 37, 38, 36, 228, 229, 96, 201, 100, 318, 39, 110, 111, 121, 124, 102, 107, 104, 108, 115, 118, 120, 140,
               97, 98, 99, 63, 95, 56, 435, 157, 302, 16, 72, 53, 44, 45, 62, 234}
    for number in set(range(470)) - allowed - {335, 336}:  # the kernel lets its own probes through; they end the process
        for argument in (0, -1):
            try: syscall(number, *[argument] * 6)
            except OSError as error:
                if error.errno not in (1, 38): breach(f"system call {number}: {error}")
            else: breach(f"system call {number}")
    """,
    x86_64_only=True,
)
