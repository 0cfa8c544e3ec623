"""Programs that start processes, or reach for those of others."""

from sandbox.hostile.program import Family

forks = Family("fork bomb")
daemons = Family("daemons")
signals = Family("signals to others")
tracing = Family("reading other processes")

forks.stdin(
    "fork_bomb",
    "fork for ever",
    """
    for _ in range(1000):
        if attempt("fork", os.fork) is not None:
            while True:
                try: os.fork()
                except OSError: pass
    """,
)
forks.stdin(
    "fork_by_number",
    "fork by raw system calls",
    """
    attempt("fork", syscall, 57)
    attempt("vfork", syscall, 58)
    attempt("clone", syscall, 56, 17, 0, 0, 0, 0)
    attempt("clone3", syscall, 435, ctypes.create_string_buffer(88), 88)
    attempt("x32 fork", syscall, 0x40000000 | 57)
    """,
    x86_64_only=True,
)
forks.stdin(
    "fork_in_32_bits",
    "fork by the 32-bit system calls, which have other numbers",
    """
    import mmap
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(b"\\xb8\\x02\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 2; int 0x80; ret
    pid = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
    if pid >= 0: breach(f"fork: {pid}")
    """,
    *("crashed", "ok"),
    x86_64_only=True,
)
forks.stdin(
    "threads_with_namespaces",
    "start threads in namespaces of their own",
    """
    for flag in (0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x2000000):
        attempt(f"clone {flag:x}", syscall, 56, 0x10F00 | flag, 0, 0, 0, 0)
        attempt(f"no thread {flag:x}", syscall, 56, flag | 17, 0, 0, 0, 0)
    """,
    x86_64_only=True,
)
forks.stdin(
    "other_programs",
    "run other programs",
    """
    import posix, pty, subprocess
    attempt("run", subprocess.run, ["/bin/sh", "-c", "exit 0"])
    attempt("spawn", os.posix_spawn, "/bin/sh", ["sh", "-c", "exit 0"], {})
    attempt("pty", pty.fork)
    attempt("popen", lambda: os.popen("echo x").read() or 1 / 0)
    if os.system("true") == 0: breach("system")
    if LIBC.system(b"true") == 0: breach("libc system")
    """,
)
forks.stdin(
    "become_another_program",
    "exec",
    """
    attempt("exec", os.execv, sys.executable, [sys.executable, "-c", "print('BREACH')"])
    attempt("exec sh", os.execv, "/bin/sh", ["sh", "-c", "echo BREACH"])
    attempt("exec linker", os.execv, "/lib64/ld-linux-x86-64.so.2", ["ld", "/bin/true"])
    for fd in range(10): attempt(f"fexec {fd}", os.execve, fd, ["x"], {})
    """,
)
forks.stdin(
    "program_in_memory",
    "exec a program that was written to memory",
    """
    fd = attempt("memfd", os.memfd_create, "x")
    attempt("execveat", syscall, 322, 1, b"", 0, 0, 0x1000)
    attempt("execveat cwd", syscall, 322, -100, b"/bin/true", 0, 0, 0)
    """,
    x86_64_only=True,
)
forks.function(
    "pools_of_processes",
    "use multiprocessing",
    """
    import concurrent.futures, multiprocessing
    def f(x):
        for method in ("fork", "spawn", "forkserver"):
            context = multiprocessing.get_context(method)
            attempt(method, lambda: context.Process(target=time.sleep, args=(600,)).start())
        attempt("pool", lambda: concurrent.futures.ProcessPoolExecutor(1).submit(int).result(1))
        return 2 * x
    """,
)

daemons.stdin(
    "double_fork",
    "leave a daemon behind",
    """
    if attempt("fork", os.fork) == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(1)
        os._exit(0)
    """,
)
daemons.stdin(
    "sessions_and_groups",
    "leave its session and process group",
    """
    attempt("setsid", os.setsid)
    attempt("setpgid", os.setpgid, 0, 0)
    attempt("join", os.setpgid, 0, os.getpgid(os.getppid()) or 1)
    attempt("joins another", os.setpgid, 0, T["host"])
    """,
)
daemons.stdin(
    "subreaper",
    "adopt orphans, and outlive its parent",
    """
    for option, value in ((36, 1), (1, 0), (4, 1), (0x59616D61, -1), (38, 0)):
        attempt(f"prctl {option}", lambda: LIBC.prctl(option, value, 0, 0, 0) == 0 or 1 / 0)
    """,
)

signals.stdin(
    "kill_others",
    "kill its parent, its host, and a bystander",
    """
    for pid in {os.getppid(), T["host"], T["victim"], 1, os.getppid() + 1}:
        for number in (0, 9, 15): attempt(f"kill {pid} {number}", os.kill, pid, number)
    """,
)
signals.stdin(
    "kill_all",
    "kill everything",
    """
    attempt("all", os.kill, -1, 9)
    attempt("group", os.kill, 0, 9)
    attempt("worker's group", os.killpg, os.getpgid(os.getppid()) or 1, 9)
    attempt("host's group", os.killpg, T["host"], 9)
    """,
)
signals.stdin(
    "stop_others",
    "stop others",
    """
    for pid in {os.getppid(), T["victim"]}:
        for number in (19, 20, 21): attempt(f"stop {pid}", os.kill, pid, number)
    """,
)
signals.stdin(
    "other_ways_to_signal",
    "send signals by other system calls",
    """
    info = ctypes.create_string_buffer(128)
    for pid in {os.getppid(), T["victim"]}:
        attempt("tkill", syscall, 200, pid, 9)
        attempt("tgkill", syscall, 234, pid, pid, 9)
        attempt("rt_sigqueueinfo", syscall, 129, pid, 9, info)
        attempt("rt_tgsigqueueinfo", syscall, 297, pid, pid, 9, info)
        fd = attempt("pidfd_open", syscall, 434, pid, 0)
        attempt("pidfd_send_signal", syscall, 424, 3 if fd is None else fd, 9, 0, 0)
        attempt("kill, high bits set", syscall, 62, pid | 1 << 40, 9)
    """,
    x86_64_only=True,
)
signals.stdin(
    "signals_by_descriptors",
    "have the kernel signal another process when a descriptor is ready",
    """
    import fcntl, socket
    one, other = socket.socketpair()
    r, w = os.pipe()
    for fd in (one.fileno(), r, 0):
        for command, value in ((8, T["victim"]), (10, 9), (1024, 0), (1026, 0)):
            attempt(f"fcntl {command}", fcntl.fcntl, fd, command, value)
        attempt("owner", fcntl.ioctl, fd, 0x8901, T["victim"].to_bytes(4, "little"))
        attempt("group", fcntl.ioctl, fd, 0x8902, T["victim"].to_bytes(4, "little"))
        fcntl.fcntl(fd, 4, fcntl.fcntl(fd, 3) | 0x2000)
    other.send(b"x"), os.write(w, b"x")
    """,
)
signals.stdin(
    "timers_that_signal",
    "set timers that signal another thread",
    """
    import struct
    event = struct.pack("QiiI44x", 0, 9, 4, T["victim"])
    attempt("timer_create", syscall, 222, 0, event, ctypes.create_string_buffer(8))
    attempt("timerfd_create", syscall, 283, 1, 0)
    attempt("signalfd", syscall, 289, -1, ctypes.create_string_buffer(8), 8, 0)
    attempt("mq_notify", syscall, 244, 0, event)
    """,
    x86_64_only=True,
)

tracing.stdin(
    "memory_of_others",
    "read the memory and environment of its parent, its host and process 1",
    """
    for pid in ("1", os.getppid(), T["host"], T["victim"]):
        for name in ("environ", "mem", "maps", "cmdline", "fd/0", "fd/1", "fd/3", "root/etc/passwd", "cwd/x", "exe"):
            attempt(f"{pid} {name}", lambda: open(f"/proc/{pid}/{name}", "rb").read(10) and 1)
        for name in ("fd", "task", "map_files", "root", "cwd"):
            attempt(f"{pid} {name}", os.listdir, f"/proc/{pid}/{name}")
        attempt(f"{pid} write", lambda: open(f"/proc/{pid}/mem", "r+b"))
        attempt(f"{pid} score", lambda: open(f"/proc/{pid}/oom_score_adj", "w").write("-1000"))
    """,
)
tracing.stdin(
    "itself_in_proc",
    "read and change itself through /proc",
    """
    for name in ("environ", "mem", "maps", "status", "cmdline", "mountinfo", "net/tcp", "net/unix", "root/etc/passwd"):
        attempt(name, lambda: open(f"/proc/self/{name}", "rb").read(10))
    for name in ("oom_score_adj", "uid_map", "setgroups", "comm", "timerslack_ns", "loginuid", "clear_refs"):
        attempt(name, lambda: open(f"/proc/self/{name}", "w").write("1"))
    for name in ("/proc", "/proc/self", "/proc/self/fd", "/proc/self/task"): attempt(name, os.listdir, name)
    """,
)
tracing.stdin(
    "trace",
    "trace others",
    """
    for pid in {os.getppid(), T["host"], T["victim"]}:
        for request in (16, 0x4206): attempt(f"ptrace {request}", syscall, 101, request, pid, 0, 0)
    attempt("trace me", syscall, 101, 0, 0, 0, 0)
    """,
    x86_64_only=True,
)
tracing.stdin(
    "copy_memory",
    "copy memory of others, and their descriptors",
    """
    import struct
    buffer = ctypes.create_string_buffer(64)
    vector = struct.pack("QQ", ctypes.addressof(buffer), 64)
    for pid in {os.getppid(), T["host"], T["victim"]}:
        remote = struct.pack("QQ", id(int), 64)
        attempt("process_vm_readv", syscall, 310, pid, vector, 1, remote, 1, 0)
        attempt("process_vm_writev", syscall, 311, pid, vector, 1, remote, 1, 0)
        fd = attempt("pidfd_open", syscall, 434, pid, 0)
        for number in range(8): attempt("pidfd_getfd", syscall, 438, 3 if fd is None else fd, number, 0)
        attempt("kcmp", syscall, 312, os.getpid(), pid, 0, 0, 0)
        attempt("process_madvise", syscall, 440, 3 if fd is None else fd, vector, 1, 4, 0)
        attempt("migrate_pages", syscall, 256, pid, 1, buffer, buffer)
        attempt("move_pages", syscall, 279, pid, 0, 0, 0, 0, 0)
        attempt("get_robust_list", lambda: syscall(274, pid, buffer, buffer) == 0 and pid != os.getpid() or 1 / 0)
    """,
    x86_64_only=True,
)
tracing.stdin(
    "priorities_of_others",
    "slow others down",
    """
    for pid in (0, os.getppid(), T["host"], T["victim"]):
        attempt("setpriority", os.setpriority, os.PRIO_PROCESS, pid, 19)
        attempt("affinity", os.sched_setaffinity, pid, {0})
        attempt("scheduler", os.sched_setscheduler, pid, os.SCHED_IDLE, os.sched_param(0))
    attempt("nice", os.nice, -5)
    attempt("nice", os.nice, 1)
    """,
)
tracing.stdin(
    "heap_of_the_worker",
    "find earlier submissions in the memory that it was forked with",
    """
    import re
    r, w = os.pipe()
    LIBC.sbrk.restype = ctypes.c_void_p
    LIBC.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    def scan(low, high):
        for address in range(low & ~4095, high, 4096):  # write(2) tells whether a page is there
            if LIBC.write(w, address, 4096) == 4096:
                for found in re.findall(rb"CANAR" rb"Y[0-9a-f]{12}", os.read(r, 4096)): os.write(1, found)
    top = LIBC.sbrk(0)
    scan(max(top - (16 << 20), 4096), top)
    middle = id(object())
    scan(middle - (12 << 20), middle + (12 << 20))
    """,
)
